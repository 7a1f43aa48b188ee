//! The queue of notices: what goes into it, what became of each, and what leaves it. A settlement quotes the try that it is
//! about, so that a late answer of an earlier one changes nothing. One process owns the queue.

use rusqlite::{Connection, named_params};

pub use super::claims::{
    CRASHES_MAX, Claimed, Recovered, Room, claim, claim_within, is_claimed, recover, recover_channel,
};
use super::error::StoreError;
use super::fields::{change, scalar};
pub use super::notice_lists::{Gauges, Notice, NoticeState, by_id, bytes, gauges, last_told, list, waiting_at_least};
use crate::domain::attempt::AttemptId;
use crate::domain::card::Name;
use crate::domain::notice::{DedupKey, NoticeId};
use crate::domain::retry::next_delivery;
use crate::domain::time::UnixTime;

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
const SETTLE: &str = "UPDATE notice SET state = ?3, next_at = ?4, settled_at = ?5, remote = coalesce(?6, remote), \
     why = coalesce(?7, why), crashes = 0 WHERE id = ?1 AND state = 'claimed' AND attempts = ?2";
/// A gateway's receipt may be faster than its answer.
const AFTER_RECEIPT: &str =
    "UPDATE notice SET remote = ?3 WHERE id = ?1 AND attempts = ?2 AND receipt IS NOT NULL AND remote IS NULL";
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
pub(super) const STATEMENTS: &[&str] =
    &[KNOWN, INSERT, INSERT_BODY, EMPTY_BODY, SETTLE, AFTER_RECEIPT, EXPIRE, NEXT_DUE, BRING_FORWARD, SET_ASIDE, RETRY];

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

#[cfg(test)]
#[path = "notice_tests.rs"]
pub(super) mod tests;
