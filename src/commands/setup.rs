//! `init`, `check` and `schema`: the files of a beginner, and whether files are right.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;

use super::Context;
use super::cli::SchemaArg;
use super::exit::{Exit, Stop};
use crate::config::{self, AccountConfig, AccountKind, InitError, Which};
use crate::daemon::open::accounts::profile;
use crate::operators::KINDS;

/// Writes the samples and says what comes next.
pub(super) fn init(context: &Context, dir: Option<PathBuf>) -> anyhow::Result<Exit> {
    let named = dir.is_some();
    let dir = dir.unwrap_or_else(|| context.places.config.clone());
    let written = config::init(&dir).map_err(|error| {
        let exit = match error {
            InitError::Exists { .. } => Exit::Refused,
            InitError::Io { .. } => Exit::Failed,
        };
        Stop::with(exit, error.to_string())
    })?;
    let names: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    context.output.done(&format!("wrote {}", names.join(" and ")), json!({ "written": names }))?;
    let option = if named { format!(" --config {}", dir.display()) } else { String::new() };
    context.output.hint(&format!(
        "\nThe sample watches a card of the make-believe operator and buys nothing. Next:\n  \
         simkeeper check{option}\n  \
         simkeeper sandbox              # in a second terminal\n  \
         simkeeper run{option}\n  \
         simkeeper status{option}"
    ))?;
    Ok(Exit::Done)
}

/// Reads the files as the daemon would, and names every mistake.
pub(super) fn check(context: &Context) -> anyhow::Result<Exit> {
    let output = context.output;
    let today = context.clock.now().date_in(&jiff::tz::TimeZone::UTC);
    let config = match config::load(&context.places.config, Some(today)) {
        Ok(config) => config,
        Err(problems) if output.json => {
            output.document(json!({ "ok": false, "problems": problems }))?;
            return Ok(Exit::Configuration);
        }
        Err(problems) => return Err(problems.into()),
    };
    context.allow_clock(&config)?;
    for account in &config.machine.accounts {
        if let AccountKind::Http(access) = &account.kind {
            profile(&access.profile, &context.places.surroundings())
                .with_context(|| format!("operator `{}` in simkeeper.toml", account.name))?;
        }
    }
    let doubts: Vec<String> = config.machine.accounts.iter().filter_map(doubt).collect();
    if output.json {
        output.document(json!({ "ok": true, "problems": config.warnings, "doubts": doubts }))?;
        return Ok(Exit::Done);
    }
    for doubt in doubts {
        output.warn(&doubt)?;
    }
    if !config.warnings.is_empty() {
        eprintln!("{}\n", config.warnings.render(output.colour));
    }
    let counts = [
        counted(config.machine.accounts.len(), "account"),
        counted(config.rules.cards.len(), "card"),
        counted(config.rules.rules.len(), "rule"),
        counted(config.machine.people.len(), "person"),
    ];
    output.say(&format!("the files in {} are right: {}", context.places.config.display(), counts.join(", ")))?;
    Ok(Exit::Done)
}

/// What is well written and will hardly work.
fn doubt(account: &AccountConfig) -> Option<String> {
    let name = &account.name;
    if let AccountKind::Exec(access) = &account.kind {
        let program = access.program.display();
        let runs = std::fs::metadata(&access.program)
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
        return (!runs).then(|| format!("operator `{name}`: {program} is not a file that can be run (chmod 755)"));
    }
    let known = (KINDS.iter().find(|kind| kind.name == account.kind.word())?.terms)().payment_methods;
    let odd = account.payment.iter().find(|method| !known.is_empty() && !known.contains(method))?;
    Some(format!("operator `{name}` is not paid by `{odd}`; write one of these into `payment`: {}", known.join(", ")))
}

fn counted(count: usize, what: &str) -> String {
    match (count, what) {
        (1, what) => format!("1 {what}"),
        (count, "person") => format!("{count} people"),
        (count, what) => format!("{count} {what}s"),
    }
}

/// Prints the schema of a file.
pub(super) fn schema(context: &Context, file: SchemaArg) -> anyhow::Result<Exit> {
    let which = match file {
        SchemaArg::Machine => Which::Machine,
        SchemaArg::Rules => Which::Rules,
    };
    context.output.say(&serde_json::to_string_pretty(&config::schema(which))?)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn counts_are_in_english() {
        assert_eq!(counted(1, "card"), "1 card");
        assert_eq!(counted(0, "card"), "0 cards");
        assert_eq!(counted(2, "person"), "2 people");
    }
}
