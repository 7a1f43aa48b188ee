//! Looks into a record or a copy without changing it: whether it is ours and whole, and whether it agrees with the journal
//! of orders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::error::StoreError;
use super::fields::{rows, scalar};
use super::journal::JournalContents;
use super::meta::{self, Installation};
use super::migrate::Schema;
use super::{attempts, backup, journal, open, settings};
use crate::domain::attempt::{AttemptId, Sent};
use crate::domain::time::UnixTime;

pub use super::backup::check_whole;

const CARDS: &str = "SELECT count(*) FROM card WHERE retired_at IS NULL";
const ATTEMPTS: &str = "SELECT count(*) FROM attempt";
const CERTAINLY_SENT: &str = "SELECT id, order_key FROM attempt \
     WHERE order_key IS NOT NULL AND state IN ('pending', 'accepted', 'done', 'refused', 'reversed') ORDER BY id";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[CARDS, ATTEMPTS, CERTAINLY_SENT];

/// What a copy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// Its schema.
    pub schema: i64,
    /// Which installation it is of, and the latest instant that it knows.
    pub installation: Installation,
    /// How many cards are kept in it.
    pub cards: u64,
    /// How many attempts it knows.
    pub attempts: u64,
    /// How it stands to the journal.
    pub agreement: Agreement,
}

/// How a record stands to the journal of orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Orders of the journal that the record does not know, by their first lines: it is older than the world.
    pub unknown: Vec<journal::JournalLine>,
    /// Attempts that were sent more often than the record knows: it is older than the world, too.
    pub sent_again: Vec<AttemptId>,
    /// Attempts that certainly left and have no line: the journal was cut, replaced or lost.
    pub without_line: Vec<AttemptId>,
}

impl Agreement {
    /// Whether the record is older than the world.
    #[must_use]
    pub const fn is_behind(&self) -> bool {
        !self.unknown.is_empty() || !self.sent_again.is_empty()
    }
}

/// Examines a copy that nobody writes: its first bytes, its owner, its schema, every page and reference, and what the
/// journal says beside it.
///
/// # Errors
/// A refusal that says what is wrong with it.
pub fn examine(path: &Path, journal: &JournalContents) -> Result<Examined, StoreError> {
    settings::check_library()?;
    let schema = open::check_copy(path, &Schema::current())?;
    check_whole(path)?;
    let bytes = fs::metadata(path).map_err(|error| StoreError::file("reading", path, &error))?.len();
    let conn = open::bare_reader(path)?;
    Ok(Examined {
        path: path.to_owned(),
        bytes,
        sha256: backup::digest_of(path)?,
        schema,
        installation: meta::installation(&conn)?,
        cards: count(&conn, CARDS)?,
        attempts: count(&conn, ATTEMPTS)?,
        agreement: agreement(&conn, journal)?,
    })
}

/// How many attempts a record knows, and the latest instant it has seen.
///
/// # Errors
/// If it cannot be read.
pub fn extent(conn: &Connection) -> Result<(u64, UnixTime), StoreError> {
    Ok((count(conn, ATTEMPTS)?, meta::installation(conn)?.known_until()))
}

/// Compares a record with the journal.
///
/// # Errors
/// If the record cannot be read.
pub fn agreement(conn: &Connection, journal: &JournalContents) -> Result<Agreement, StoreError> {
    let mut found = Agreement { unknown: unknown(conn, &journal.lines)?, ..Agreement::default() };
    found.sent_again = sent_again(conn, &journal.lines)?.into_keys().collect();
    let listed: BTreeSet<&str> = journal.lines.iter().map(|line| line.key.as_str()).collect();
    let sent = rows(conn, CERTAINLY_SENT, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let without = sent.into_iter().filter(|(_, key)| !listed.contains(key.as_str()));
    found.without_line = without.map(|(id, _)| AttemptId(id)).collect();
    Ok(found)
}

/// The orders that the record does not know, each by its first line, in the journal's order.
///
/// # Errors
/// If the record cannot be read.
pub fn unknown(conn: &Connection, lines: &[journal::JournalLine]) -> Result<Vec<journal::JournalLine>, StoreError> {
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for line in lines {
        if seen.insert(line.key.as_str()) && attempts::with_key(conn, &line.key)?.is_none() {
            found.push(line.clone());
        }
    }
    Ok(found)
}

/// The attempts that have more lines than sendings on record, as the journal tells of the last. Each sending is on record before its line is written, so
/// there can be fewer lines, never more.
///
/// # Errors
/// If the record cannot be read.
pub fn sent_again(conn: &Connection, lines: &[journal::JournalLine]) -> Result<BTreeMap<AttemptId, Sent>, StoreError> {
    let mut by_key: BTreeMap<&str, (&journal::JournalLine, BTreeSet<u64>)> = BTreeMap::new();
    for line in lines {
        let known = by_key.entry(line.key.as_str()).or_insert((line, BTreeSet::new()));
        known.0 = line;
        known.1.insert(line.sequence);
    }
    let mut found = BTreeMap::new();
    for (last, sequences) in by_key.into_values() {
        let Some(id) = attempts::with_key(conn, &last.key)? else { continue };
        if attempts::sends(conn, id)?.is_some_and(|sends| sequences.len() > sends) {
            let send_count = u32::try_from(sequences.len()).unwrap_or(u32::MAX);
            found.insert(id, Sent { key: last.key.clone(), first_sent_at: last.at, send_count });
        }
    }
    Ok(found)
}

fn count(conn: &Connection, sql: &str) -> Result<u64, StoreError> {
    Ok(scalar::<i64>(conn, sql, [])?.unwrap_or(0).unsigned_abs())
}
