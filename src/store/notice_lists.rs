//! Looking at the queue of notices: lists of them, their bytes, and the queue's state in numbers.

use rusqlite::{Connection, Row};

use super::cards::bounded;
use super::error::StoreError;
use super::fields::{Fields, first, scalar, sound_rows};
use super::words::Word;
use crate::domain::attempt::AttemptId;
use crate::domain::card::{CardId, Name};
use crate::domain::money::Money;
use crate::domain::notice::{NoticeId, NoticeKind};
use crate::domain::receipt::Fate;
use crate::domain::time::UnixTime;
use crate::domain::warning_step::Told;

const LIST: &str = "SELECT * FROM notice WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR card = ?2) \
     ORDER BY id DESC LIMIT ?3";
const BY_ID: &str = "SELECT * FROM notice WHERE id = ?1";
const BYTES: &str = "SELECT bytes FROM notice_body WHERE notice = ?1";
pub(super) const QUEUED: &str = "SELECT count(*) FROM notice WHERE state = 'queued'";
pub(super) const CLAIMED: &str = "SELECT count(*) FROM notice WHERE state = 'claimed'";
pub(super) const DEAD: &str = "SELECT count(*) FROM notice WHERE state = 'dead'";
const AT_LEAST: &str = "SELECT count(*) FROM (SELECT 1 FROM notice WHERE state = 'queued' LIMIT ?1)";
const OLDEST: &str = "SELECT min(created_at) FROM notice WHERE state = 'queued'";
const LAST_TOLD: &str = "SELECT id, cycle, step, created_at FROM notice WHERE kind = ?1 AND ifnull(card, 0) = ?2 \
     AND (step = ?3 OR step GLOB ?3 || ':*') ORDER BY id DESC LIMIT 1";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[LIST, BY_ID, BYTES, QUEUED, CLAIMED, DEAD, AT_LEAST, OLDEST, LAST_TOLD];

/// Where a notice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// Waits for its time.
    Queued,
    /// Is being sent.
    Claimed,
    /// The other side took it.
    Sent,
    /// Given up; a person sees it.
    Dead,
    /// Not worth sending any more.
    Expired,
}

impl NoticeState {
    /// The word in the record and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Claimed => "claimed",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Expired => "expired",
        }
    }
}

impl Notice {
    /// Since when it stands where it stands: made, left the queue, or reported about.
    #[must_use]
    pub fn since(&self) -> UnixTime {
        self.receipt_at.or(self.settled_at).unwrap_or(self.created_at)
    }
}

impl Word for NoticeState {
    const ALL: &'static [Self] = &[Self::Queued, Self::Claimed, Self::Sent, Self::Dead, Self::Expired];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// A notice as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Notice {
    /// Its row.
    pub id: NoticeId,
    /// What it is about.
    pub kind: NoticeKind,
    /// The card.
    pub card: Option<CardId>,
    /// The attempt.
    pub attempt: Option<AttemptId>,
    /// The recipient.
    pub person: Name,
    /// The channel.
    pub channel: Name,
    /// Where it goes.
    pub address: String,
    /// The subject.
    pub subject: String,
    /// The same over every try.
    pub message_id: String,
    /// Whether it goes out before others.
    pub urgent: bool,
    /// Where it stands.
    pub state: NoticeState,
    /// Tries so far.
    pub attempts: u32,
    /// How often the process ended while it was being sent.
    pub crashes: u32,
    /// When it was made.
    pub created_at: UnixTime,
    /// When it is no longer worth sending.
    pub expires_at: UnixTime,
    /// When it is tried next, while it waits.
    pub next_at: Option<UnixTime>,
    /// When it left the queue.
    pub settled_at: Option<UnixTime>,
    /// What the other side answered.
    pub remote: Option<String>,
    /// The last failure.
    pub why: Option<String>,
    /// In how many parts it goes, if it is a text.
    pub segments: Option<u32>,
    /// What they cost, as far as the file says so.
    pub cost: Option<Money>,
    /// What the gateway reported after it took it.
    pub receipt: Option<Fate>,
    /// When it did.
    pub receipt_at: Option<UnixTime>,
}

/// The queue's state in three numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Gauges {
    /// Waiting or being sent.
    pub depth: u64,
    /// When the oldest that waits was made.
    pub oldest: Option<UnixTime>,
    /// Given up.
    pub dead: u64,
}

/// Notices, newest first: of one state or one card, if asked for.
///
/// # Errors
/// If the record cannot be read.
pub fn list(
    conn: &Connection,
    state: Option<NoticeState>,
    card: Option<CardId>,
    limit: usize,
) -> Result<Vec<Notice>, StoreError> {
    let wanted = (state.map(NoticeState::as_str), card.map(|card| card.0), bounded(limit));
    sound_rows(conn, LIST, wanted, notice_of)
}

/// A notice.
///
/// # Errors
/// If its row cannot be read.
pub fn by_id(conn: &Connection, id: NoticeId) -> Result<Option<Notice>, StoreError> {
    first(conn, BY_ID, [id.0], notice_of)
}

/// The bytes of a notice.
///
/// # Errors
/// [`StoreError::Missing`].
pub fn bytes(conn: &Connection, id: NoticeId) -> Result<Vec<u8>, StoreError> {
    scalar(conn, BYTES, [id.0])?.ok_or(StoreError::Missing { table: "notice", row: id.0 })
}

/// The queue's state.
///
/// # Errors
/// If the record cannot be read.
pub fn gauges(conn: &Connection) -> Result<Gauges, StoreError> {
    let count = |sql| Ok::<u64, StoreError>(scalar::<i64>(conn, sql, [])?.unwrap_or(0).unsigned_abs());
    let oldest: Option<Option<i64>> = scalar(conn, OLDEST, [])?;
    Ok(Gauges {
        depth: count(QUEUED)? + count(CLAIMED)?,
        oldest: oldest.flatten().map(UnixTime::clamped),
        dead: count(DEAD)?,
    })
}

/// Whether so many notices wait, without counting more.
///
/// # Errors
/// If the record cannot be read.
pub fn waiting_at_least(conn: &Connection, count: usize) -> Result<bool, StoreError> {
    Ok(scalar::<i64>(conn, AT_LEAST, [bounded(count)])?.unwrap_or(0) >= bounded(count))
}

pub(super) fn notice_of(row: &Row<'_>) -> Result<Notice, StoreError> {
    let row = Fields::of("notice", "id", row)?;
    Ok(Notice {
        id: NoticeId(row.id()),
        kind: row.word("kind")?,
        card: row.get::<Option<i64>>("card")?.map(CardId),
        attempt: row.get::<Option<i64>>("attempt")?.map(AttemptId),
        person: row.name("person")?,
        channel: row.name("channel")?,
        address: row.get("address")?,
        subject: row.get("subject")?,
        message_id: row.get("message_id")?,
        urgent: row.get("urgent")?,
        state: row.word("state")?,
        attempts: row.count("attempts")?,
        crashes: row.count("crashes")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        next_at: row.maybe_time("next_at")?,
        settled_at: row.maybe_time("settled_at")?,
        remote: row.get("remote")?,
        why: row.get("why")?,
        segments: row.get("segments")?,
        cost: row.maybe_money("cost", "cost_currency")?,
        receipt: row.maybe_word("receipt")?,
        receipt_at: row.maybe_time("receipt_at")?,
    })
}

/// The last warning of a step that anybody was told about a card, in whichever cycle.
///
/// # Errors
/// If the record cannot be read.
pub fn last_told(conn: &Connection, kind: NoticeKind, card: CardId, step: &str) -> Result<Option<Told>, StoreError> {
    first(conn, LAST_TOLD, (kind.as_str(), card.0, step), |row| {
        let row = Fields::of("notice", "id", row)?;
        Ok(Told { cycle: row.count("cycle")?, step: row.get("step")?, at: row.time("created_at")? })
    })
}
