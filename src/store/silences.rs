//! Cards about which people want to hear nothing for a while, and what waits for the end of that.

use rusqlite::{Connection, Row};

use super::error::StoreError;
use super::fields::{Fields, change, first, rows};
use crate::domain::card::{CardId, Name};
use crate::domain::notice::NoticeId;
use crate::domain::silence::Silence;
use crate::domain::time::UnixTime;

const OF_CARD: &str = "SELECT * FROM silence WHERE card = ?1 AND until > ?2";
const PUT: &str = "INSERT OR REPLACE INTO silence (card, since, until, by, urgent) VALUES (?1, ?2, ?3, ?4, ?5)";
const LIFT: &str = "DELETE FROM silence WHERE card = ?1 AND until > ?2";
/// What was never tried and is held back by the silence waits for its end.
const HOLD: &str = "UPDATE notice SET next_at = max(next_at, ?2), urgent = 0 WHERE state = 'queued' AND attempts = 0 \
     AND card = ?1 AND kind <> 'test' AND (urgent = 0 OR ?3)";
const WAITING: &str = "SELECT id, person, channel FROM notice WHERE state = 'queued' AND attempts = 0 AND urgent = 0 \
     AND card = ?1 AND next_at > ?2";
const BRING_FORWARD: &str = "UPDATE notice SET next_at = ?2 WHERE id = ?1 AND state = 'queued' AND attempts = 0";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[OF_CARD, PUT, LIFT, HOLD, WAITING, BRING_FORWARD];

/// A notice that waits for the end of a silence.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its row.
    pub id: NoticeId,
    /// The recipient.
    pub person: Name,
    /// The channel's name.
    pub channel: Name,
}

/// The silence about a card, if one holds.
///
/// # Errors
/// If the record cannot be read.
pub fn of_card(conn: &Connection, card: CardId, now: UnixTime) -> Result<Option<Silence>, StoreError> {
    first(conn, OF_CARD, (card.0, now.secs()), silence_of)
}

/// Begins a silence, or puts it in the place of the one there is; what waits to be sent about the card waits for its end.
///
/// # Errors
/// If the record cannot be written.
pub fn put(conn: &Connection, card: CardId, silence: &Silence) -> Result<(), StoreError> {
    let Silence { since, until, by, urgent } = silence;
    change(conn, PUT, (card.0, since.secs(), until.secs(), by, urgent))?;
    change(conn, HOLD, (card.0, until.secs(), urgent)).map(drop)
}

/// Ends a silence; says whether there was one.
///
/// # Errors
/// If the record cannot be written.
pub fn lift(conn: &Connection, card: CardId, now: UnixTime) -> Result<bool, StoreError> {
    Ok(change(conn, LIFT, (card.0, now.secs()))? == 1)
}

/// What waits about a card and was never tried.
///
/// # Errors
/// If the record cannot be read.
pub fn waiting(conn: &Connection, card: CardId, now: UnixTime) -> Result<Vec<Waiting>, StoreError> {
    rows(conn, WAITING, (card.0, now.secs()), |row| {
        let row = Fields::of("notice", "id", row)?;
        Ok(Waiting { id: NoticeId(row.id()), person: row.name("person")?, channel: row.name("channel")? })
    })
}

/// Sends something that waited at another time.
///
/// # Errors
/// If the record cannot be written.
pub fn send_at(conn: &Connection, notice: NoticeId, at: UnixTime) -> Result<(), StoreError> {
    change(conn, BRING_FORWARD, (notice.0, at.secs())).map(drop)
}

fn silence_of(row: &Row<'_>) -> Result<Silence, StoreError> {
    let row = Fields::of("silence", "card", row)?;
    Ok(Silence { since: row.time("since")?, until: row.time("until")?, by: row.get("by")?, urgent: row.get("urgent")? })
}
