//! `operator check`: whether a profile of `kind = "http"` is right, and what follows from it.

use std::path::Path;

use serde_json::json;

use crate::commands::Context;
use crate::commands::exit::{Exit, Stop};
use crate::operators::profile::check_file;

/// Checks the profile in `file`.
pub(in crate::commands) fn check_profile(context: &Context, file: &Path) -> anyhow::Result<Exit> {
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Stop::with(Exit::NotFound, format!("{shown} cannot be read: {error}")))?;
    let output = context.output;
    match check_file(&text, &shown) {
        Ok(profile) if output.json => {
            let (terms, secrets) = (profile.terms(), profile.secrets());
            output.document(json!({
                "ok": true, "name": profile.name(), "about": profile.about(), "secrets": secrets,
                "hosts": terms.hosts, "needs": terms.needs, "summary": profile.summary(),
            }))?;
        }
        Ok(profile) => output.say(profile.summary().trim_end())?,
        Err(report) if output.json => {
            output.document(json!({ "ok": false, "report": report }))?;
            return Ok(Exit::Configuration);
        }
        Err(report) => return Err(Stop::with(Exit::Configuration, format!("the profile has errors\n{report}"))),
    }
    Ok(Exit::Done)
}
