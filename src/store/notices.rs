//! The queue of notices. A claim counts the try and moves the next one forward before anything is sent; a settlement
//! quotes the try that it is about, so that a late answer of an earlier one changes nothing. One process owns the queue.

use rusqlite::{Connection, Row, named_params};

use super::cards::bounded;
use super::error::StoreError;
use super::fields::{Fields, change, first, rows, scalar};
pub use super::notice_lists::{Gauges, Notice, NoticeState, by_id, bytes, gauges, last_told, list, waiting_at_least};
use crate::domain::attempt::AttemptId;
use crate::domain::card::Name;
use crate::domain::notice::{DedupKey, NoticeId, NoticeKind};
use crate::domain::retry::next_delivery;
use crate::domain::text_limits::TextRoom;
use crate::domain::time::UnixTime;

/// A notice that was being sent while the process ended this often is set aside: it may be the cause.
pub const CRASHES_MAX: u32 = 3;
/// A message whose every send is paid for goes out at most this often when nobody knows whether it arrived.
const PAID_SENDS_MAX: u32 = 2;

const INSERT: &str = "INSERT INTO notice (kind, card, cycle, step, person, channel, address, subject, message_id, urgent, \
     resend_costs, attempt, created_at, expires_at, next_at) VALUES (:kind, :card, :cycle, :step, :person, :channel, \
     :address, :subject, :message_id, :urgent, :resend_costs, :attempt, :created_at, :expires_at, :next_at) \
     ON CONFLICT DO NOTHING";
const KNOWN: &str = "SELECT 1 FROM notice WHERE kind = ?1 AND ifnull(card, 0) = ?2 AND cycle = ?3 AND step = ?4 \
     AND person = ?5 AND channel = ?6";
const INSERT_BODY: &str = "INSERT INTO notice_body (notice, bytes) VALUES (?1, ?2)";
/// A message that holds a code that decides is kept no longer than until it was sent.
const EMPTY_BODY: &str = "UPDATE notice_body SET bytes = x'' WHERE notice = ?1 AND EXISTS (SELECT 1 FROM notice \
     JOIN approval_code ON approval_code.attempt = notice.attempt AND approval_code.person = notice.person \
     WHERE notice.id = ?1 AND notice.kind = 'asked')";
const READY: &str = "SELECT id, attempts FROM notice WHERE state = 'queued' AND channel = ?1 AND urgent = ?2 \
     AND next_at <= ?3 AND expires_at > ?3 ORDER BY next_at LIMIT ?4";
// Not with RETURNING, for which SQLite makes and drops a table each time.
const CLAIM: &str = "UPDATE notice SET state = 'claimed', attempts = attempts + 1, next_at = ?2 \
     WHERE id = ?1 AND state = 'queued'";
const CLAIMED: &str = "SELECT notice.*, notice_body.bytes FROM notice LEFT JOIN notice_body ON notice_body.notice = notice.id WHERE id = ?1";
const SETTLE: &str = "UPDATE notice SET state = ?3, next_at = ?4, settled_at = ?5, remote = coalesce(?6, remote), \
     why = coalesce(?7, why), crashes = 0 WHERE id = ?1 AND state = 'claimed' AND attempts = ?2";
/// A gateway's receipt may be faster than its answer.
const AFTER_RECEIPT: &str =
    "UPDATE notice SET remote = ?3 WHERE id = ?1 AND attempts = ?2 AND receipt IS NOT NULL AND remote IS NULL";
const LOST: &str = "SELECT * FROM notice WHERE state = 'claimed' AND (?1 IS NULL OR channel = ?1) ORDER BY id";
const IS_CLAIMED: &str = "SELECT id FROM notice WHERE state = 'claimed' AND channel = ?1 LIMIT 1";
const RECOVER: &str = "UPDATE notice SET state = ?2, next_at = ?3, settled_at = ?4, why = coalesce(?5, why), \
     crashes = crashes + 1 WHERE id = ?1 AND state = 'claimed'";
const EXPIRE: &str = "UPDATE notice SET state = 'expired', next_at = NULL, settled_at = ?1 \
     WHERE state = 'queued' AND expires_at <= ?1";
const NEXT_DUE: &str = "SELECT next_at FROM notice WHERE state = 'queued' AND channel = ?1 AND urgent = ?2 \
     AND expires_at > ?3 ORDER BY next_at LIMIT 1";
const BRING_FORWARD: &str = "UPDATE notice SET next_at = ?1 WHERE state = 'queued' AND next_at > ?2";
const SET_ASIDE: &str = "UPDATE notice SET state = 'dead', next_at = NULL, settled_at = ?2, why = ?3 \
     WHERE id = ?1 AND state = 'queued'";
const RETRY: &str = "UPDATE notice SET state = 'queued', next_at = ?2, settled_at = NULL, crashes = 0, \
     expires_at = max(expires_at, ?2 + expires_at - created_at) \
     WHERE id = ?1 AND state IN ('queued', 'dead', 'expired') \
     AND (SELECT length(bytes) FROM notice_body WHERE notice = notice.id) > 0";
/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    KNOWN,
    INSERT,
    INSERT_BODY,
    EMPTY_BODY,
    READY,
    CLAIM,
    CLAIMED,
    SETTLE,
    AFTER_RECEIPT,
    LOST,
    IS_CLAIMED,
    RECOVER,
    EXPIRE,
    NEXT_DUE,
    BRING_FORWARD,
    SET_ASIDE,
    RETRY,
];

/// A finished message to one recipient over one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotice {
    /// What makes it one and the same, together with person and channel.
    pub key: DedupKey,
    /// The recipient.
    pub person: Name,
    /// The channel's name.
    pub channel: Name,
    /// Where it goes on that channel.
    pub address: String,
    /// The subject, or the beginning of a text, for lists.
    pub subject: String,
    /// Stays the same over every try, so that the other side can tell a double.
    pub message_id: String,
    /// The finished bytes; a resend sends the same.
    pub bytes: Vec<u8>,
    /// Whether it goes out before others.
    pub urgent: bool,
    /// Whether each send is paid for, as with texts.
    pub resend_costs: bool,
    /// The attempt it is about.
    pub attempt: Option<AttemptId>,
    /// When it was made.
    pub created_at: UnixTime,
    /// Not before this; later than `created_at` in quiet hours.
    pub send_at: UnixTime,
    /// When it is no longer worth sending.
    pub expires_at: UnixTime,
}

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
    /// When it is no longer worth sending.
    pub expires_at: UnixTime,
}

/// What became of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The other side took it.
    Sent {
        /// What it answered or called it.
        remote: String,
    },
    /// It may go out later.
    Retry {
        /// What happened, tamed.
        why: String,
        /// Not before this, if the other side or a rule asks for it.
        not_before: Option<UnixTime>,
    },
    /// It will never go out this way.
    Dead {
        /// What happened, tamed.
        why: String,
    },
}

/// What a restart found in the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Due again at once.
    pub queued: usize,
    /// Set aside as dead.
    pub dead: Vec<NoticeId>,
}

/// Queues a notice; none if the same one has been queued before.
///
/// # Errors
/// If the record cannot be written.
pub fn enqueue(conn: &Connection, new: &NewNotice) -> Result<Option<NoticeId>, StoreError> {
    let inserted = conn.prepare_cached(INSERT)?.execute(named_params! {
        ":kind": new.key.kind.as_str(), ":card": new.key.card.map(|card| card.0), ":cycle": new.key.cycle,
        ":step": new.key.step, ":person": new.person.as_str(), ":channel": new.channel.as_str(),
        ":address": new.address, ":subject": new.subject, ":message_id": new.message_id, ":urgent": new.urgent,
        ":resend_costs": new.resend_costs, ":attempt": new.attempt.map(|attempt| attempt.0),
        ":created_at": new.created_at.secs(), ":expires_at": new.expires_at.secs(), ":next_at": new.send_at.secs(),
    })?;
    if inserted == 0 {
        return Ok(None);
    }
    let id = NoticeId(conn.last_insert_rowid());
    change(conn, INSERT_BODY, (id.0, &new.bytes))?;
    Ok(Some(id))
}

/// Takes notices of a channel that are due, urgent ones first, then the longest due. Once this is committed they may be
/// sent, and not before.
///
/// # Errors
/// If the record cannot be written.
pub fn claim(conn: &Connection, channel: &Name, limit: usize, now: UnixTime) -> Result<Vec<Claimed>, StoreError> {
    claim_within(conn, channel, limit, TextRoom::ENDLESS, now)
}

/// As [`claim`], as far as there is room.
///
/// # Errors
/// If the record cannot be written.
pub fn claim_within(
    conn: &Connection,
    channel: &Name,
    limit: usize,
    room: TextRoom,
    now: UnixTime,
) -> Result<Vec<Claimed>, StoreError> {
    let mut claimed = Vec::new();
    for (urgent, allowed) in [(true, room.any), (false, room.patient)] {
        let room = bounded(limit.min(allowed).saturating_sub(claimed.len()));
        let ready = rows(conn, READY, (channel.as_str(), urgent, now.secs(), room), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?))
        })?;
        for (id, tried) in ready {
            let next_at = now.plus(next_delivery(tried.saturating_add(1), id.unsigned_abs()));
            change(conn, CLAIM, (id, next_at.secs()))?;
            match first(conn, CLAIMED, [id], claimed_of) {
                Ok(found) => claimed.extend(found),
                // It stays claimed, so the next start counts it as a crash, and in the end it is set aside.
                Err(error @ StoreError::Unreadable { .. }) => tracing::error!(%error, "a notice is left out"),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(claimed)
}

/// Records what became of a try. Says whether it was still that try's turn; a stale one changes nothing.
///
/// # Errors
/// If the record cannot be written.
pub fn settle(
    conn: &Connection,
    id: NoticeId,
    attempt_no: u32,
    outcome: &Outcome,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let (state, next_at, remote, why) = match outcome {
        Outcome::Sent { remote } => (NoticeState::Sent, None, Some(remote), None),
        Outcome::Retry { why, not_before } => {
            let usual = now.plus(next_delivery(attempt_no, id.0.unsigned_abs()));
            (NoticeState::Queued, Some(not_before.map_or(usual, |at| at.max(usual))), None, Some(why))
        }
        Outcome::Dead { why } => (NoticeState::Dead, None, None, Some(why)),
    };
    let settled_at = if next_at.is_none() { Some(now.secs()) } else { None };
    let values = (id.0, attempt_no, state.as_str(), next_at.map(UnixTime::secs), settled_at, remote, why);
    let was_its_turn = change(conn, SETTLE, values)? == 1;
    if was_its_turn && state == NoticeState::Sent {
        empty_body(conn, id)?;
    }
    if let (false, Outcome::Sent { remote }) = (was_its_turn, outcome) {
        change(conn, AFTER_RECEIPT, (id.0, attempt_no, remote))?;
    }
    Ok(was_its_turn)
}

/// Once a message has left, the code in it is in its person's hands alone.
pub(super) fn empty_body(conn: &Connection, id: NoticeId) -> Result<(), StoreError> {
    change(conn, EMPTY_BODY, [id.0]).map(drop)
}

/// Takes a notice that nobody can send out of the queue; it stays in the list, with the reason.
///
/// # Errors
/// If the record cannot be written.
pub fn set_aside(conn: &Connection, id: NoticeId, why: &str, now: UnixTime) -> Result<(), StoreError> {
    change(conn, SET_ASIDE, (id.0, now.secs(), why)).map(drop)
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

/// Takes what is no longer worth sending out of the queue; says how many.
///
/// # Errors
/// If the record cannot be written.
pub fn expire(conn: &Connection, now: UnixTime) -> Result<usize, StoreError> {
    change(conn, EXPIRE, [now.secs()])
}

/// Makes what waits for a time after `by`, which is longer than any notice can wait, due at `now`.
///
/// # Errors
/// If the record cannot be written.
pub fn bring_forward(conn: &Connection, by: UnixTime, now: UnixTime) -> Result<(), StoreError> {
    change(conn, BRING_FORWARD, (now.secs(), by.secs())).map(drop)
}

/// When the next notice of a channel is due; one that is no longer worth sending never is.
///
/// # Errors
/// If the record cannot be read.
pub fn next_due(conn: &Connection, channel: &Name, now: UnixTime) -> Result<Option<UnixTime>, StoreError> {
    let of = |urgent: bool| scalar::<i64>(conn, NEXT_DUE, (channel.as_str(), urgent, now.secs()));
    let earliest = [of(true)?, of(false)?].into_iter().flatten().min();
    Ok(earliest.map(UnixTime::clamped))
}

/// Whether a notice of this key was queued for this person and channel before.
///
/// # Errors
/// If the record cannot be read.
pub fn is_known(conn: &Connection, key: &DedupKey, person: &Name, channel: &Name) -> Result<bool, StoreError> {
    let card = key.card.map_or(0, |card| card.0);
    let wanted = (key.kind.as_str(), card, key.cycle, &key.step, person.as_str(), channel.as_str());
    Ok(scalar::<i64>(conn, KNOWN, wanted)?.is_some())
}

/// Makes a notice that waits or was given up due at once, for as long as it was worth sending at first. Says whether it
/// did: one that was sent or is being sent is left alone.
///
/// # Errors
/// If the record cannot be written.
pub fn retry(conn: &Connection, id: NoticeId, now: UnixTime) -> Result<bool, StoreError> {
    Ok(change(conn, RETRY, (id.0, now.secs()))? == 1)
}

fn claimed_of(row: &Row<'_>) -> Result<Claimed, StoreError> {
    let row = Fields::of("notice", "id", row)?;
    Ok(Claimed {
        id: NoticeId(row.id()),
        attempt_no: row.count("attempts")?,
        kind: row.word("kind")?,
        person: row.name("person")?,
        address: row.get("address")?,
        subject: row.get("subject")?,
        message_id: row.get("message_id")?,
        bytes: row.need("bytes")?,
        urgent: row.get("urgent")?,
        resend_costs: row.get("resend_costs")?,
        expires_at: row.time("expires_at")?,
    })
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
