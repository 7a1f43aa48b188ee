//! `backup` and `restore`: copies of the record, made and put back.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use serde_json::json;

use super::cli::RestoreArgs;
use super::exit::{Exit, Stop};
use super::output::relative;
use super::{Context, client};
use crate::daemon::request::{Reply, Request};
use crate::domain::time::UnixTime;
use crate::store::StoreError;
use crate::store::journal::{self, JOURNAL};
use crate::store::restore::Restore;

/// Orders that are named one by one in a preview.
const NAMED: usize = 20;

/// Copies the record and proves the copy.
pub(super) fn backup(context: &Context) -> anyhow::Result<Exit> {
    let (path, bytes, sha256) = match client::reply_to(context, Request::Backup)? {
        Reply::Copied { path, bytes, sha256 } => (path, bytes, sha256),
        reply @ (Reply::Done { .. } | Reply::Preview { .. } | Reply::Discovered(_) | Reply::Refused { .. }) => {
            return Err(client::misplaced(&reply));
        }
    };
    let said = format!("copied to {} and proved\n{bytes} bytes, sha256 {sha256}", path.display());
    context.output.done(&said, json!({ "path": path, "bytes": bytes, "sha256": sha256 }))?;
    context.output.hint("it lies on the same disk; keep another one elsewhere, the manual shows how")?;
    Ok(Exit::Done)
}

/// Puts a copy in the place of the record, after showing what that changes.
pub(super) fn restore(context: &Context, args: &RestoreArgs) -> anyhow::Result<Exit> {
    if !args.yes && (context.output.json || !io::stdin().is_terminal()) {
        return Err(Stop::command_line("nobody can be asked here; in scripts say --yes"));
    }
    let state = &context.places.state;
    client::refuse_other_owner(state)?;
    let (now, by) = (context.clock.now(), client::by());
    let restore = Restore::begin(&args.file, state).map_err(|error| stop(&error))?;
    let changes = changes(&restore, state, now)?;
    if !context.output.json {
        changes.iter().try_for_each(|line| context.output.say(line))?;
    }
    if !args.yes && !agreed()? {
        context.output.say("nothing was changed")?;
        return Ok(Exit::Done);
    }
    let unknown: Vec<_> = restore.copy().agreement.unknown.iter().map(|line| line.key.as_str().to_owned()).collect();
    let replaced = restore.finish(&by, now).map_err(|error| stop(&error))?;
    let kept =
        replaced.as_ref().map_or_else(String::new, |path| format!("\nthe replaced record is {}", path.display()));
    let said = format!("restored from {}{kept}", args.file.display());
    let fields = json!({ "restored": args.file, "replaced": replaced, "unknown_orders": unknown, "changes": changes });
    context.output.done(&said, fields)?;
    for line in NEXT {
        context.output.hint(line)?;
    }
    Ok(Exit::Done)
}

/// What a person is told to do after it.
const NEXT: [&str; 3] = [
    "now start the daemon: every open order, and every order that the copy does not know, becomes a question to you;",
    "answer each with `simkeeper settle ID bought|not-bought` when you have looked into your operator's list.",
    "Cards buy nothing until two readings agree 26 hours after the start, or until you say `simkeeper resume CARD`.",
];

/// A refusal with its code and the way back.
fn stop(error: &StoreError) -> anyhow::Error {
    match error {
        StoreError::Locked { .. } => Stop::with(
            Exit::Daemon,
            format!("{error}. Stop the daemon first (`systemctl stop simkeeper`); nothing was changed"),
        ),
        StoreError::NoCopy { .. } => Stop::not_found(error.to_string()),
        StoreError::NewerSchema { .. } => Stop::with(Exit::Refused, format!("nothing was changed: {error}")),
        StoreError::OtherInstallation { .. } => Stop::with(Exit::Refused, error.to_string()),
        StoreError::Damaged { why, path } => Stop::with(
            Exit::Refused,
            format!("nothing was changed: the copy {} is damaged ({why}); take another one", path.display()),
        ),
        StoreError::NotSqlite { path } | StoreError::Foreign { path } => Stop::with(
            Exit::Refused,
            format!("nothing was changed: {} is no copy of a record of simkeeper; take another file", path.display()),
        ),
        _ => Stop::with(Exit::Failed, format!("nothing was changed: {error}")),
    }
}

/// What will be another than it is, in lines for people.
fn changes(restore: &Restore, state: &Path, now: UnixTime) -> anyhow::Result<Vec<String>> {
    let copy = restore.copy();
    let seen = copy.installation.known_until();
    let mut lines = vec![
        format!("the copy {} is sound: schema {}, {} bytes", copy.path.display(), copy.schema, copy.bytes),
        format!(
            "it ends at {seen} ({}); it knows {} cards and {} orders",
            relative(seen, now),
            copy.cards,
            copy.attempts
        ),
    ];
    match restore.replaced().map(|replaced| replaced.extent) {
        None => lines.push("there is no record in its place".to_owned()),
        Some(None) => lines.push("the record in its place cannot be read; it is kept under another name".to_owned()),
        Some(Some((attempts, until))) => lines.push(format!(
            "the record in its place ends at {until} and knows {attempts} orders; it is kept under another name, and \
             what it alone knows (readings, acts, messages) is not taken over"
        )),
    }
    let contents = journal::read(&state.join(JOURNAL))?;
    if contents.broken_inside {
        lines.push(
            "orders.journal is damaged in its middle: nothing is bought until you have compared your operators' lists and \
             let each card go on"
                .into(),
        );
    } else if contents.lines.is_empty() {
        lines.push("orders.journal is missing or empty: compare your operators' lists of orders with `simkeeper history` yourself".into());
    }
    let unknown = &copy.agreement.unknown;
    lines.push(match unknown.len() {
        0 => "orders.journal names no order that the copy does not know".to_owned(),
        count => format!("orders.journal names {count} orders that the copy does not know; each becomes a question:"),
    });
    for line in unknown.iter().take(NAMED) {
        lines.push(format!(
            "  {}: {} for {} at {}, sent {}",
            line.card_name, line.plan_id, line.price, line.account, line.at
        ));
    }
    if unknown.len() > NAMED {
        lines.push(format!("  and {} more", unknown.len() - NAMED));
    }
    Ok(lines)
}

fn agreed() -> io::Result<bool> {
    let mut out = io::stdout().lock();
    write!(out, "Restore it? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
