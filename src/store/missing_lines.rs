//! What the journal of orders should hold by the record's word: a line for every order that certainly left. One that is
//! missing says that the journal was cut, replaced or lost, and that it can no longer tell whether the record is older
//! than the world.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::error::StoreError;
use super::fields::{rows, scalar};
use super::journal::JournalLine;
use super::people::{self, HumanAction};
use crate::domain::attempt::AttemptId;
use crate::domain::time::UnixTime;

/// Why cards wait for a person after it; no reading can take a person's place here.
pub const JOURNAL_LOST: &str = "the journal of orders is damaged or missing";
/// The word in the list of what people did by which a start notes up to which attempt it has drawn its conclusions.
const NOTED: &str = "journal lost";

// An order that is unknown, asked about or absent may not have left at all.
const CERTAINLY_SENT: &str = "SELECT order_key FROM attempt WHERE id > ?1 AND order_key IS NOT NULL \
     AND state IN ('pending', 'accepted', 'done', 'refused', 'reversed')";
const NOTED_UP_TO: &str = "SELECT max(attempt) FROM human_action WHERE what = ?1";
const LAST: &str = "SELECT max(id) FROM attempt";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[CERTAINLY_SENT, NOTED_UP_TO, LAST];

/// How many orders left by the record's word and have no line, beside those that an earlier start has noted.
///
/// # Errors
/// If the record cannot be read.
pub fn count(conn: &Connection, lines: &[JournalLine]) -> Result<usize, StoreError> {
    let noted: Option<Option<i64>> = scalar(conn, NOTED_UP_TO, [NOTED])?;
    let sent = rows(conn, CERTAINLY_SENT, [noted.flatten().unwrap_or(0)], |row| Ok(row.get::<_, String>(0)?))?;
    let listed: BTreeSet<&str> = lines.iter().map(|line| line.key.as_str()).collect();
    Ok(sent.iter().filter(|key| !listed.contains(key.as_str())).count())
}

/// Notes that the conclusions have been drawn for every attempt there is.
///
/// # Errors
/// If the record cannot be written.
pub fn note(conn: &Connection, now: UnixTime) -> Result<(), StoreError> {
    let last: Option<Option<i64>> = scalar(conn, LAST, [])?;
    let (by, what, reason) = ("simkeeper".to_owned(), NOTED.to_owned(), Some(JOURNAL_LOST.to_owned()));
    let attempt = last.flatten().map(AttemptId);
    people::record(conn, &HumanAction { at: now, by, what, card: None, attempt, reason })
}
