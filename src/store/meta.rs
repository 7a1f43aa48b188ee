//! What the record knows of itself: which installation it is, the latest instant it has seen, and the cards that are in
//! quarantine after a restore.

use rusqlite::Connection;
use uuid::Uuid;

use super::error::StoreError;
use super::fields::{Fields, change, first, rows, scalar};
use crate::domain::card::CardId;
use crate::domain::time::UnixTime;

const BEGIN: &str =
    "INSERT INTO installation (id, uuid, created_at, last_seen_at) VALUES (1, ?1, ?2, 0) ON CONFLICT DO NOTHING";
const INSTALLATION: &str = "SELECT id, uuid, created_at, last_seen_at FROM installation";
const SEEN: &str = "UPDATE installation SET last_seen_at = ?1 WHERE last_seen_at < ?1";
const SET_ASIDE: &str = "INSERT INTO quarantine (card, since, reason) VALUES (?1, ?2, ?3) \
     ON CONFLICT (card) DO UPDATE SET since = excluded.since, reason = excluded.reason";
const SET_ALL_ASIDE: &str = "INSERT INTO quarantine (card, since, reason) \
     SELECT id, ?1, ?2 FROM card WHERE retired_at IS NULL \
     ON CONFLICT (card) DO UPDATE SET since = excluded.since, reason = excluded.reason";
const LIFT: &str = "DELETE FROM quarantine WHERE card = ?1";
const OF_CARD: &str = "SELECT card, since, reason FROM quarantine WHERE card = ?1";
const ALL: &str = "SELECT card, since, reason FROM quarantine ORDER BY card";
const SIZE: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[BEGIN, INSTALLATION, SEEN, SET_ASIDE, SET_ALL_ASIDE, LIFT, OF_CARD, ALL, SIZE];

/// The one row about the record itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Made by chance when the record was; tells one installation's files from another's.
    pub uuid: Uuid,
    /// When the record was made.
    pub created_at: UnixTime,
    /// The latest instant that an operator's clock has confirmed; a clock before it cannot be trusted.
    pub last_seen_at: UnixTime,
}

impl Installation {
    /// Until when the record knows of the world. No operator's clock may have confirmed an instant yet.
    #[must_use]
    pub fn known_until(&self) -> UnixTime {
        self.last_seen_at.max(self.created_at)
    }
}

/// A card for which nothing is bought for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// The card.
    pub card: CardId,
    /// Since when.
    pub since: UnixTime,
    /// Why.
    pub reason: String,
}

/// Writes the row about the record itself, if it is new. Nothing has confirmed the time by then: a record that is made
/// while the clock is ahead must not hold that against the right time later.
pub(super) fn begin(conn: &Connection, now: UnixTime) -> Result<(), StoreError> {
    change(conn, BEGIN, (Uuid::new_v4().to_string(), now.secs()))?;
    Ok(())
}

/// The row about the record itself.
///
/// # Errors
/// If it cannot be read.
pub fn installation(conn: &Connection) -> Result<Installation, StoreError> {
    let found = first(conn, INSTALLATION, [], |row| {
        let row = Fields::of("installation", "id", row)?;
        Ok(Installation {
            uuid: row.maybe("uuid", Uuid::parse_str)?.unwrap_or_default(),
            created_at: row.time("created_at")?,
            last_seen_at: row.time("last_seen_at")?,
        })
    })?;
    found.ok_or(StoreError::Missing { table: "installation", row: 1 })
}

/// Records an instant that an operator's clock has confirmed; an earlier instant changes nothing.
///
/// # Errors
/// If it cannot be written.
pub fn seen(conn: &Connection, at: UnixTime) -> Result<(), StoreError> {
    change(conn, SEEN, [at.secs()])?;
    Ok(())
}

/// The latest instant that was confirmed.
///
/// # Errors
/// If it cannot be read.
pub fn last_seen(conn: &Connection) -> Result<UnixTime, StoreError> {
    installation(conn).map(|row| row.last_seen_at)
}

/// Puts one card into quarantine.
///
/// # Errors
/// If it cannot be written.
pub fn quarantine(conn: &Connection, card: CardId, reason: &str, now: UnixTime) -> Result<(), StoreError> {
    change(conn, SET_ASIDE, (card.0, now.secs(), reason))?;
    Ok(())
}

/// Puts every card that is kept into quarantine, and says how many those are.
///
/// # Errors
/// If it cannot be written.
pub fn quarantine_all(conn: &Connection, reason: &str, now: UnixTime) -> Result<usize, StoreError> {
    change(conn, SET_ALL_ASIDE, (now.secs(), reason))
}

/// Lifts a card's quarantine, and says whether there was one.
///
/// # Errors
/// If it cannot be written.
pub fn lift(conn: &Connection, card: CardId) -> Result<bool, StoreError> {
    Ok(change(conn, LIFT, [card.0])? == 1)
}

/// A card's quarantine, if there is one.
///
/// # Errors
/// If it cannot be read.
pub fn quarantined(conn: &Connection, card: CardId) -> Result<Option<Quarantine>, StoreError> {
    first(conn, OF_CARD, [card.0], of_row)
}

/// All quarantines, in the order of the cards.
///
/// # Errors
/// If they cannot be read.
pub fn quarantines(conn: &Connection) -> Result<Vec<Quarantine>, StoreError> {
    rows(conn, ALL, [], of_row)
}

fn of_row(row: &rusqlite::Row<'_>) -> Result<Quarantine, StoreError> {
    let row = Fields::of("quarantine", "card", row)?;
    Ok(Quarantine { card: CardId(row.id()), since: row.time("since")?, reason: row.get("reason")? })
}

/// The pages of the database that are in use, times their size: its size in bytes.
///
/// # Errors
/// If it cannot be read.
pub fn size_bytes(conn: &Connection) -> Result<u64, StoreError> {
    let pages = scalar::<i64>(conn, SIZE, [])?;
    Ok(pages.unwrap_or(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, card, memory};
    use super::*;
    use crate::domain::time::Secs;

    #[test]
    fn the_latest_instant_never_goes_back() {
        let conn = memory();
        let uuid = installation(&conn).unwrap().uuid;
        assert!(!uuid.is_nil());
        seen(&conn, NOW.plus(Secs::HOUR)).unwrap();
        seen(&conn, NOW).unwrap();
        begin(&conn, NOW.plus(Secs::DAY)).unwrap();
        let row = installation(&conn).unwrap();
        assert_eq!((row.uuid, row.last_seen_at, row.created_at), (uuid, NOW.plus(Secs::HOUR), NOW));
    }

    #[test]
    fn quarantine_is_set_lifted_and_listed() {
        let conn = memory();
        let (a, b) = (card(&conn, "a"), card(&conn, "b"));
        assert_eq!(quarantine_all(&conn, "restored", NOW).unwrap(), 2);
        quarantine(&conn, a, "again", NOW).unwrap();
        assert_eq!(quarantined(&conn, a).unwrap().unwrap().reason, "again");
        assert!(lift(&conn, a).unwrap());
        assert!(!lift(&conn, a).unwrap());
        assert_eq!(quarantines(&conn).unwrap().len(), 1);
        assert_eq!(quarantined(&conn, b).unwrap().unwrap().since, NOW);
        assert!(size_bytes(&conn).unwrap() > 0);
    }
}
