//! `verify`: whether the record, or a copy of it, can be relied upon. Reads only, beside a running daemon or without one,
//! and says of each finding what to do.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::Context;
use super::exit::{Exit, Stop};
use super::output::{Tone, relative, table};
use crate::domain::gates::FREE_DISK_MIN_BYTES;
use crate::domain::time::{Secs, UnixTime};
use crate::store::examine::{self, Agreement};
use crate::store::journal::{self, JOURNAL, JournalContents};
use crate::store::{Store, StoreError, backup, meta};

/// A newest copy that is older than this is told.
const COPY_OLD: Secs = Secs::days(3);
/// The size of the reserve that is held for outcomes on a full disk.
const RESERVE_BYTES: u64 = 16 << 20;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    sound: bool,
    said: String,
    advice: Option<&'static str>,
}

impl Finding {
    fn sound(check: &'static str, said: impl Into<String>) -> Self {
        Self { check, sound: true, said: said.into(), advice: None }
    }

    fn wrong(check: &'static str, said: impl Into<String>, advice: &'static str) -> Self {
        Self { check, sound: false, said: said.into(), advice: Some(advice) }
    }
}

/// Proves the record or a copy; some finding that needs a person ends with the code for "partly failed".
pub(super) fn verify(context: &Context, file: Option<&Path>) -> anyhow::Result<Exit> {
    let state = &context.places.state;
    let findings = match file {
        Some(file) => copy(file, state, context.clock.now())?,
        None => record(state, context.clock.now())?,
    };
    let sound = findings.iter().all(|finding| finding.sound);
    if context.output.json {
        context.output.document(json!({ "sound": sound, "findings": findings }))?;
    } else {
        show(context, &findings)?;
    }
    Ok(if sound { Exit::Done } else { Exit::Partly })
}

fn show(context: &Context, findings: &[Finding]) -> io::Result<()> {
    let row = |finding: &Finding| {
        let (word, tone) = if finding.sound { ("sound", Tone::Good) } else { ("look", Tone::Bad) };
        vec![
            context.output.cell(finding.check, Tone::Plain),
            context.output.cell(word, tone),
            context.output.cell(&finding.said, Tone::Plain),
        ]
    };
    context.output.say(&table(&["CHECK", "", "FOUND"], findings.iter().map(row).collect()))?;
    for finding in findings {
        if let Some(advice) = finding.advice {
            context.output.say(&format!("{}: {advice}", finding.check))?;
        }
    }
    Ok(())
}

/// A copy: everything that can be said of a file that nobody writes.
fn copy(file: &Path, state: &Path, now: UnixTime) -> anyhow::Result<Vec<Finding>> {
    let contents = journal::read(&state.join(JOURNAL)).unwrap_or_default();
    let copy = match examine::examine(file, &contents) {
        Ok(copy) => copy,
        Err(error @ StoreError::NoCopy { .. }) => return Err(Stop::not_found(error.to_string())),
        Err(error) => {
            return Ok(vec![Finding::wrong("copy", error.to_string(), "do not rely on this copy; take another one")]);
        }
    };
    let seen = copy.installation.known_until();
    let what = format!("every page and reference holds; {} bytes, sha256 {}", copy.bytes, copy.sha256);
    let holds = format!(
        "schema {}, {} cards, {} orders, until {seen} ({})",
        copy.schema,
        copy.cards,
        copy.attempts,
        relative(seen, now)
    );
    // That a copy is older than the world is what a copy is.
    let behind = match copy.agreement.unknown.len() {
        0 => "no order was sent since, as far as orders.journal beside the record tells".to_owned(),
        count => format!("{count} orders were sent since; restored, they become questions"),
    };
    Ok(vec![Finding::sound("copy", what), Finding::sound("contents", holds), Finding::sound("journal", behind)])
}

/// The record in its folder, with all that belongs to it.
fn record(state: &Path, now: UnixTime) -> anyhow::Result<Vec<Finding>> {
    let path = state.join("simkeeper.db");
    let contents = journal::read(&state.join(JOURNAL));
    let mut findings = Vec::new();
    match Store::open_read_only(state) {
        Err(error @ StoreError::NoDatabase { .. }) => return Err(error.into()),
        Err(error) => findings.push(Finding::wrong("record", error.to_string(), RESTORE)),
        Ok(store) => {
            findings.push(opened(&store, now));
            findings.push(whole(&path));
            findings.extend(contents.as_ref().ok().map(|contents| agreement(&store, contents)));
        }
    }
    findings.push(journal_finding(&contents));
    findings.push(copies(state, now)?);
    findings.push(reserve(state));
    findings.push(permissions(state)?);
    Ok(findings)
}

const RESTORE: &str = "stop the daemon and put the newest sound copy in its place: `simkeeper restore FILE`";

fn opened(store: &Store, now: UnixTime) -> Finding {
    let about = store.read_blocking(|conn| Ok((meta::installation(conn)?, meta::size_bytes(conn)?)));
    match about {
        Ok((installation, _)) if installation.last_seen_at > now.plus(Secs::minutes(5)) => Finding::wrong(
            "record",
            format!("it was written at {}, which is in the future of this clock", installation.last_seen_at),
            "set the clock; nothing is bought while it is behind the record",
        ),
        Ok((installation, bytes)) => Finding::sound(
            "record",
            format!(
                "ours, {bytes} bytes, begun {}, last noted {}",
                installation.created_at,
                installation.known_until()
            ),
        ),
        Err(error) => Finding::wrong("record", error.to_string(), RESTORE),
    }
}

fn whole(path: &Path) -> Finding {
    match examine::check_whole(path) {
        Ok(()) => Finding::sound("integrity", "every page, index and reference holds"),
        Err(error) => Finding::wrong("integrity", error.to_string(), RESTORE),
    }
}

fn agreement(store: &Store, contents: &JournalContents) -> Finding {
    match store.read_blocking(|conn| examine::agreement(conn, contents)) {
        Err(error) => Finding::wrong("agreement", error.to_string(), RESTORE),
        Ok(agreement) if agreement.is_behind() => {
            let Agreement { unknown, sent_again, .. } = agreement;
            Finding::wrong(
                "agreement",
                format!(
                    "orders.journal names {} orders that the record does not know, and {} were sent more often than it knows",
                    unknown.len(),
                    sent_again.len()
                ),
                "the record is older than the world: the next start asks you about each of them, one per card at a time",
            )
        }
        Ok(agreement) if !agreement.without_line.is_empty() => Finding::wrong(
            "agreement",
            format!("{} orders of the record are not in orders.journal", agreement.without_line.len()),
            "the journal was cut, replaced or lost: put the right one back; until then a restored copy cannot know of these orders",
        ),
        Ok(_) => Finding::sound(
            "agreement",
            "the record knows every order of the journal, and the journal those of the record",
        ),
    }
}

fn journal_finding(contents: &Result<JournalContents, StoreError>) -> Finding {
    match contents {
        Err(error) => Finding::wrong("journal", error.to_string(), "make the file readable for the daemon's user"),
        Ok(contents) if contents.broken_inside => Finding::wrong(
            "journal",
            "orders.journal is damaged in its middle",
            "put the right file back, or compare `simkeeper history` with your operators' lists and let each card go on with `simkeeper resume`: until then nothing is bought",
        ),
        Ok(contents) if contents.tail_broken => Finding::sound(
            "journal",
            format!("{} lines, and the beginning of one whose order never left", contents.lines.len()),
        ),
        Ok(contents) => Finding::sound("journal", format!("{} lines, all whole", contents.lines.len())),
    }
}

/// The newest copy, its age and whether it is whole.
fn copies(state: &Path, now: UnixTime) -> anyhow::Result<Finding> {
    const MAKE_ONE: &str =
        "make one with `simkeeper backup`, see that `[schedule] backup` is set, and keep copies elsewhere";
    let Some(newest) = backup::list(state)?.into_iter().next() else {
        return Ok(Finding::wrong("copies", "there is no copy of the record", MAKE_ONE));
    };
    let about = match examine::examine(&newest, &JournalContents::default()) {
        Ok(about) => about,
        Err(error) => return Ok(Finding::wrong("copies", error.to_string(), MAKE_ONE)),
    };
    let seen = backup::made_at(&newest).unwrap_or_else(|| about.installation.known_until());
    let said = format!("the newest is {}, made {}, and sound", newest.display(), relative(seen, now));
    if now.since(seen) > COPY_OLD {
        return Ok(Finding::wrong("copies", said, MAKE_ONE));
    }
    Ok(Finding::sound("copies", said))
}

/// The space that is held back so that outcomes can be recorded on a full disk, and what is free beside it.
fn reserve(state: &Path) -> Finding {
    const ROOM: &str =
        "make room on this disk: while it is full nothing is bought, and buying goes on by itself afterwards";
    // Blocks are counted in 512 bytes, whatever the file system uses.
    let held = std::fs::metadata(state.join("reserve")).map_or(0, |file| file.blocks() * 512);
    let free = rustix::fs::statvfs(state).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    let said = format!("{} MiB held for outcomes, {} MiB free", held >> 20, free >> 20);
    if held < RESERVE_BYTES || free < FREE_DISK_MIN_BYTES {
        return Finding::wrong("space", said, ROOM);
    }
    Finding::sound("space", said)
}

/// Whether folder and files are their owner's alone.
fn permissions(state: &Path) -> io::Result<Finding> {
    let mut open = Vec::new();
    let mut look = |path: PathBuf| match std::fs::metadata(&path) {
        Ok(about) if about.permissions().mode() & 0o077 != 0 => open.push(path.display().to_string()),
        Ok(_) | Err(_) => {}
    };
    look(state.to_owned());
    for name in
        ["simkeeper.db", "simkeeper.db-wal", "simkeeper.db-shm", "simkeeper.lock", "reserve", JOURNAL, "backups"]
    {
        look(state.join(name));
    }
    for copy in backup::list(state).unwrap_or_default() {
        look(copy);
    }
    if open.is_empty() {
        return Ok(Finding::sound("permissions", "folder and files are their owner's alone"));
    }
    Ok(Finding::wrong(
        "permissions",
        format!("others may enter or read {}", open.join(", ")),
        "take the rights of others away: `chmod go= FILE`",
    ))
}
