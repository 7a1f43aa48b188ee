//! What is on its way: notices claimed for sending, and taken back when the process that sent them is gone. A claim counts
//! the try and moves the next one forward before anything is sent. What was on its way when a process ended is suspected
//! of having ended it, and suspects go out one at a time: the next end tells the guilty one from its neighbours.

use rusqlite::{Connection, Row};

use super::cards::bounded;
use super::error::StoreError;
use super::fields::{Fields, change, rows, scalar};
use super::notice_lists::NoticeState;
use crate::domain::card::Name;
use crate::domain::notice::{NoticeId, NoticeKind};
use crate::domain::retry::next_delivery;
use crate::domain::text_limits::TextRoom;
use crate::domain::time::UnixTime;

/// A notice that was being sent while the process ended this often is set aside: it may be the cause.
pub const CRASHES_MAX: u32 = 3;
/// A message whose every send is paid for goes out at most this often when nobody knows whether it arrived.
const PAID_SENDS_MAX: u32 = 2;

pub(super) const READY: &str = "SELECT notice.*, notice_body.bytes FROM notice LEFT JOIN notice_body ON notice_body.notice = notice.id \
     WHERE state = 'queued' AND channel = ?1 AND urgent = ?2 AND crashes = 0 AND next_at <= ?3 AND expires_at > ?3 \
     ORDER BY next_at LIMIT ?4";
/// The one of which least is known comes first, so that one that waits behind the guilty one is not suspected for long.
pub(super) const SUSPECT: &str = "SELECT notice.*, notice_body.bytes FROM notice LEFT JOIN notice_body ON notice_body.notice = notice.id \
     WHERE state = 'queued' AND channel = ?1 AND urgent = ?2 AND crashes > 0 AND next_at <= ?3 AND expires_at > ?3 \
     ORDER BY crashes, next_at, notice.id LIMIT ?4";
// Not with RETURNING, for which SQLite makes and drops a table each time.
const CLAIM: &str = "UPDATE notice SET state = 'claimed', attempts = attempts + 1, next_at = ?2 \
     WHERE id = ?1 AND state = 'queued'";
pub(super) const LOST: &str =
    "SELECT * FROM notice WHERE state = 'claimed' AND (?1 IS NULL OR channel = ?1) ORDER BY id";
const IS_CLAIMED: &str = "SELECT id FROM notice WHERE state = 'claimed' AND channel = ?1 LIMIT 1";
const RECOVER: &str = "UPDATE notice SET state = ?2, next_at = ?3, settled_at = ?4, why = coalesce(?5, why), \
     crashes = crashes + 1 WHERE id = ?1 AND state = 'claimed'";
/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[READY, SUSPECT, CLAIM, LOST, IS_CLAIMED, RECOVER];

/// A notice that the caller now sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Its row.
    pub id: NoticeId,
    /// Which try this is, from 1; the settlement quotes it.
    pub attempt_no: u32,
    /// What it is about.
    pub kind: NoticeKind,
    /// The recipient.
    pub person: Name,
    /// Where it goes.
    pub address: String,
    /// The subject.
    pub subject: String,
    /// The same over every try.
    pub message_id: String,
    /// What to send.
    pub bytes: Vec<u8>,
    /// Whether it goes out before others.
    pub urgent: bool,
    /// Whether each send is paid for.
    pub resend_costs: bool,
    /// Whether it was on its way when a process ended, and no other answer has come since.
    pub suspect: bool,
    /// When it is no longer worth sending.
    pub expires_at: UnixTime,
}

/// How much may be claimed.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Notices at most.
    pub most: usize,
    /// What the limits of texts leave.
    pub texts: TextRoom,
    /// Whether a suspect may be among them: none is under way.
    pub suspect: bool,
}

/// What a restart found in the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Due again at once.
    pub queued: usize,
    /// Set aside as dead.
    pub dead: Vec<NoticeId>,
}

impl Room {
    /// For so many of any kind.
    #[must_use]
    pub const fn of(most: usize) -> Self {
        Self { most, texts: TextRoom::ENDLESS, suspect: true }
    }
}

/// Takes notices of a channel that are due, urgent ones first, then the longest due. Once this is committed they may be
/// sent, and not before.
///
/// # Errors
/// If the record cannot be written.
pub fn claim(conn: &Connection, channel: &Name, most: usize, now: UnixTime) -> Result<Vec<Claimed>, StoreError> {
    claim_within(conn, channel, Room::of(most), now)
}

/// As [`claim`], as far as there is room.
///
/// # Errors
/// If the record cannot be written.
pub fn claim_within(conn: &Connection, channel: &Name, room: Room, now: UnixTime) -> Result<Vec<Claimed>, StoreError> {
    let mut claimed: Vec<Claimed> = Vec::new();
    for (urgent, allowed) in [(true, room.texts.any), (false, room.texts.patient)] {
        let most = room.most.min(allowed);
        if room.suspect && claimed.len() < most && !claimed.iter().any(|one| one.suspect) {
            claimed.extend(take(conn, SUSPECT, channel, urgent, 1, now)?);
        }
        let left = most.saturating_sub(claimed.len());
        claimed.extend(take(conn, READY, channel, urgent, left, now)?);
    }
    Ok(claimed)
}

/// Claims what one of the statements finds.
fn take(
    conn: &Connection,
    due: &str,
    channel: &Name,
    urgent: bool,
    most: usize,
    now: UnixTime,
) -> Result<Vec<Claimed>, StoreError> {
    let found = rows(conn, due, (channel.as_str(), urgent, now.secs(), bounded(most)), |row| {
        Ok((row.get::<_, i64>("id")?, row.get::<_, u32>("attempts")?, claimed_of(row)))
    })?;
    let mut claimed = Vec::with_capacity(found.len());
    for (id, tried, notice) in found {
        let next_at = now.plus(next_delivery(tried.saturating_add(1), id.unsigned_abs()));
        change(conn, CLAIM, (id, next_at.secs()))?;
        match notice {
            Ok(notice) => claimed.push(notice),
            // It stays claimed, so the next start counts it as a crash, and in the end it is set aside.
            Err(error @ StoreError::Unreadable { .. }) => tracing::error!(%error, "a notice is left out"),
            Err(error) => return Err(error),
        }
    }
    Ok(claimed)
}

/// At the start of a process: whatever the one before was sending is due at once, but for what has been there too often
/// and for messages that cost money each time.
///
/// # Errors
/// If the record cannot be written.
pub fn recover(conn: &Connection, now: UnixTime) -> Result<Recovered, StoreError> {
    recover_of(conn, None, now)
}

/// As [`recover`], for a channel whose task ended without a word on what it was sending.
///
/// # Errors
/// If the record cannot be written.
pub fn recover_channel(conn: &Connection, channel: &Name, now: UnixTime) -> Result<Recovered, StoreError> {
    recover_of(conn, Some(channel), now)
}

/// Whether something of a channel is said to be on its way.
///
/// # Errors
/// If the record cannot be read.
pub fn is_claimed(conn: &Connection, channel: &Name) -> Result<bool, StoreError> {
    Ok(scalar::<i64>(conn, IS_CLAIMED, [channel.as_str()])?.is_some())
}

fn recover_of(conn: &Connection, channel: Option<&Name>, now: UnixTime) -> Result<Recovered, StoreError> {
    let mut found = Recovered::default();
    let lost = rows(conn, LOST, [channel.map(Name::as_str)], |row| {
        let row = Fields::of("notice", "id", row)?;
        let paid_out =
            row.get("resend_costs")? && (!row.get::<bool>("urgent")? || row.count("attempts")? >= PAID_SENDS_MAX);
        Ok((row.id(), row.count("crashes")? + 1, paid_out))
    })?;
    for (id, crashes, paid_out) in lost {
        let given_up = if crashes >= CRASHES_MAX {
            Some(format!("simkeeper ended {crashes} times while sending it"))
        } else if paid_out {
            Some("simkeeper ended while sending it; it may have arrived, and sending it again costs money".to_owned())
        } else {
            None
        };
        let at = now.secs();
        match given_up {
            Some(why) => {
                change(conn, RECOVER, (id, NoticeState::Dead.as_str(), None::<i64>, Some(at), Some(why)))?;
                found.dead.push(NoticeId(id));
            }
            None => {
                change(conn, RECOVER, (id, NoticeState::Queued.as_str(), Some(at), None::<i64>, None::<String>))?;
                found.queued += 1;
            }
        }
    }
    Ok(found)
}

/// As it is once it is claimed.
fn claimed_of(row: &Row<'_>) -> Result<Claimed, StoreError> {
    let row = Fields::of("notice", "id", row)?;
    Ok(Claimed {
        id: NoticeId(row.id()),
        attempt_no: row.count("attempts")?.saturating_add(1),
        kind: row.word("kind")?,
        person: row.name("person")?,
        address: row.get("address")?,
        subject: row.get("subject")?,
        message_id: row.get("message_id")?,
        bytes: row.need("bytes")?,
        urgent: row.get("urgent")?,
        resend_costs: row.get("resend_costs")?,
        suspect: row.count("crashes")? > 0,
        expires_at: row.time("expires_at")?,
    })
}

#[cfg(test)]
#[path = "claim_tests.rs"]
mod tests;
