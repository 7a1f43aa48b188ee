//! What people did by command: who, when, what, why. Append-only.

use rusqlite::Connection;

use super::cards::bounded;
use super::error::StoreError;
use super::fields::{Fields, change, first, rows};
use crate::domain::attempt::AttemptId;
use crate::domain::card::CardId;
use crate::domain::time::UnixTime;

const RECORD: &str = "INSERT INTO human_action (at, by, what, card, attempt, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const LATEST: &str = "SELECT * FROM human_action ORDER BY id DESC LIMIT ?1";
const LAST_ABOUT_RECORD: &str =
    "SELECT * FROM human_action WHERE what IN ('restore', 'roll_back') ORDER BY id DESC LIMIT 1";
const LAST_CHECK: &str =
    "SELECT * FROM human_action WHERE what IN ('damage_found', 'found_sound') ORDER BY id DESC LIMIT 1";
const OF_CARD: &str = "SELECT * FROM human_action WHERE card = ?1 ORDER BY id DESC LIMIT ?2";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[RECORD, LATEST, LAST_ABOUT_RECORD, LAST_CHECK, OF_CARD];

/// What is noted when a copy is put in the record's place.
pub const RESTORE: &str = "restore";
/// What is noted when the start has drawn the conclusions of an older record.
pub const ROLL_BACK: &str = "roll_back";

/// What is noted when a check finds damage.
pub const DAMAGE_FOUND: &str = "damage_found";
/// What is noted when a check after that finds none.
pub const FOUND_SOUND: &str = "found_sound";

/// Something that a person did.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HumanAction {
    /// When.
    pub at: UnixTime,
    /// Who.
    pub by: String,
    /// What, such as `pause`.
    pub what: String,
    /// To which card.
    pub card: Option<CardId>,
    /// To which attempt.
    pub attempt: Option<AttemptId>,
    /// Why, in the person's words.
    pub reason: Option<String>,
}

/// Records what a person did.
///
/// # Errors
/// If the record cannot be written.
pub fn record(conn: &Connection, action: &HumanAction) -> Result<(), StoreError> {
    let (card, attempt) = (action.card.map(|card| card.0), action.attempt.map(|attempt| attempt.0));
    change(conn, RECORD, (action.at.secs(), &action.by, &action.what, card, attempt, &action.reason))?;
    Ok(())
}

/// What people did, newest first: to one card, if asked for.
///
/// # Errors
/// If the record cannot be read.
pub fn list(conn: &Connection, card: Option<CardId>, limit: usize) -> Result<Vec<HumanAction>, StoreError> {
    match card {
        Some(card) => rows(conn, OF_CARD, (card.0, bounded(limit)), action_of),
        None => rows(conn, LATEST, [bounded(limit)], action_of),
    }
}

/// The last restore or the last roll-back that was dealt with, whichever was later.
///
/// # Errors
/// If the record cannot be read.
pub fn last_about_record(conn: &Connection) -> Result<Option<HumanAction>, StoreError> {
    first(conn, LAST_ABOUT_RECORD, [], action_of)
}

/// Whether the last check of the record that was noted found damage.
///
/// # Errors
/// If the record cannot be read.
pub fn is_damaged(conn: &Connection) -> Result<bool, StoreError> {
    Ok(first(conn, LAST_CHECK, [], action_of)?.is_some_and(|act| act.what == DAMAGE_FOUND))
}

fn action_of(row: &rusqlite::Row<'_>) -> Result<HumanAction, StoreError> {
    let row = Fields::of("human_action", "id", row)?;
    Ok(HumanAction {
        at: row.time("at")?,
        by: row.get("by")?,
        what: row.get("what")?,
        card: row.get::<Option<i64>>("card")?.map(CardId),
        attempt: row.get::<Option<i64>>("attempt")?.map(AttemptId),
        reason: row.get("reason")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, card, memory};
    use super::*;

    #[test]
    fn actions_are_kept_and_cannot_be_changed() {
        let conn = memory();
        let id = card(&conn, "a");
        let action = HumanAction {
            at: NOW,
            by: "anna".into(),
            what: "pause".into(),
            card: Some(id),
            attempt: None,
            reason: Some("holiday".into()),
        };
        record(&conn, &action).unwrap();
        record(&conn, &HumanAction { card: None, ..action.clone() }).unwrap();
        assert_eq!(list(&conn, Some(id), 9).unwrap(), [action]);
        assert_eq!(list(&conn, None, 9).unwrap().len(), 2);
        assert!(conn.execute("DELETE FROM human_action", []).is_err());
        assert!(conn.execute("UPDATE human_action SET by = 'x'", []).is_err());
    }
}
