//! Attempts: orders with one key each, and every move of them with its evidence.
//!
//! A move quotes the state and the version that it saw and touches exactly one row, or is [`StoreError::Stale`] and
//! changes nothing. Its evidence is written in the same call, so neither stands without the other.

use rusqlite::{Connection, named_params};
use sha2::{Digest, Sha256};

use super::attempt_rows::{SET_STATE, approval_columns, attempt_of, cause_columns, price_columns, write_state};
use super::cards::bounded;
use super::error::StoreError;
use super::fields::{Fields, change, first, scalar, sound_rows, to_json};
pub use super::ledger::{
    AttemptEvent, AttemptFilter, Spend, count_open, events, last_done, last_paid, list, sends, shared, spends,
    this_cycle, with_key,
};
use crate::domain::attempt::{Approval, Attempt, AttemptId, AttemptState, Question, Sent, Snapshot, StateName, Tally};
use crate::domain::card::CardId;
pub use crate::domain::draft::NewAttempt;
use crate::domain::operator::{OrderKey, PreparedOrder};
use crate::domain::plan::Plan;
use crate::domain::time::UnixTime;

/// The states of the partial indexes, in the words of the schema.
macro_rules! open_states {
    () => {
        "state IN ('planned', 'sending', 'pending', 'accepted', 'unknown', 'human')"
    };
}

const INSERT: &str = "INSERT INTO attempt (id, card, cycle, number, account, cause, cause_rule, cause_line, cause_by, \
     plan, plan_id, price, currency, payment, code, created_at, approval, approval_at, approval_why, approval_by, \
     before, reckoning, state, next_at) VALUES (:id, :card, :cycle, :number, :account, :cause, :cause_rule, :cause_line, \
     :cause_by, :plan, :plan_id, :price, :currency, :payment, :code, :created_at, :approval, :approval_at, \
     :approval_why, :approval_by, :before, :reckoning, 'planned', :next_at)";
const EVENT: &str = "INSERT INTO attempt_event (attempt, at, transition, from_state, to_state, what, digest) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const SET_BEFORE: &str = "UPDATE attempt SET before = ?4, version = version + 1 \
     WHERE id = ?1 AND state = ?2 AND version = ?3 AND state = 'planned'";
const SET_OFFER: &str = "UPDATE attempt SET plan = ?4, plan_id = ?5, price = ?6, currency = ?7, payment = ?8, code = ?9, \
     version = version + 1 WHERE id = ?1 AND state = ?2 AND version = ?3 AND state = 'planned'";
const STORE_ORDER: &str = "INSERT INTO attempt_order (attempt, path, content_type, body, digest) \
     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (attempt) DO UPDATE SET path = excluded.path, \
     content_type = excluded.content_type, body = excluded.body, digest = excluded.digest";
const ORDER: &str = "SELECT id, order_key, path, content_type, body, digest FROM attempt \
     JOIN attempt_order ON attempt_order.attempt = attempt.id WHERE attempt.id = ?1";
const KEY: &str = "SELECT order_key FROM attempt WHERE id = ?1";
const BY_ID: &str = "SELECT * FROM attempt WHERE id = ?1";
const OPEN_FOR: &str = concat!("SELECT * FROM attempt WHERE card = ?1 AND ", open_states!());
const OPEN: &str =
    concat!("SELECT * FROM attempt INDEXED BY attempt_one_open WHERE ", open_states!(), " ORDER BY card");
const DUE: &str = concat!(
    "SELECT * FROM attempt INDEXED BY attempt_due WHERE ",
    open_states!(),
    " AND next_at <= ?1 ORDER BY next_at LIMIT ?2"
);
const NEXT_DUE_AFTER: &str = concat!(
    "SELECT next_at FROM attempt INDEXED BY attempt_due WHERE ",
    open_states!(),
    " AND next_at > ?1 ORDER BY next_at LIMIT 1"
);
const BRING_FORWARD: &str =
    "UPDATE attempt SET next_at = ?1 WHERE next_at > iif(state IN ('planned', 'human'), ?2, ?3)";
const SENDING: &str = concat!(
    "SELECT * FROM attempt INDEXED BY attempt_due WHERE ",
    open_states!(),
    " AND next_at IS NULL AND state = 'sending' ORDER BY id"
);
fn move_sql() -> &'static str {
    static SQL: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        format!("UPDATE attempt SET {SET_STATE} WHERE id = ?29 AND state = ?30 AND version = ?31")
    });
    &SQL
}

/// The statements of this file.
#[cfg(test)]
pub(super) fn statements() -> Vec<&'static str> {
    vec![
        INSERT,
        EVENT,
        SET_BEFORE,
        SET_OFFER,
        STORE_ORDER,
        ORDER,
        KEY,
        BY_ID,
        OPEN_FOR,
        OPEN,
        DUE,
        NEXT_DUE_AFTER,
        BRING_FORWARD,
        SENDING,
        move_sql(),
    ]
}

/// Why a move was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence<'a> {
    /// The transition by its name in the state machine, such as `T5`.
    pub transition: &'a str,
    /// What was seen, in words, tamed.
    pub what: String,
    /// SHA-256 of the answer that showed it, in hexadecimal digits.
    pub digest: Option<String>,
    /// When.
    pub at: UnixTime,
}

/// T1: records a new attempt, planned.
///
/// # Errors
/// [`StoreError::Taken`] if the card has an open attempt already.
pub fn plan(conn: &Connection, new: &NewAttempt) -> Result<Attempt, StoreError> {
    let id = insert(conn, None, new)?;
    let what = format!("{} for {}", new.plan.id, new.plan.price);
    event(conn, id, None, StateName::Planned, &Evidence { transition: "T1", what, digest: None, at: new.created_at })?;
    need(conn, id)
}

/// Records an order that only the journal knows as a question for a person: with the number it had there, unless a later
/// attempt was given that one. An open attempt of the same card must have been settled before.
///
/// # Errors
/// [`StoreError::Taken`] if the card has an open attempt.
pub fn import_from_journal(
    conn: &Connection,
    id: AttemptId,
    new: &NewAttempt,
    sent: &Sent,
    now: UnixTime,
) -> Result<Attempt, StoreError> {
    let free = by_id(conn, id)?.is_none();
    let id = insert(conn, free.then_some(id), new)?;
    let evidence = |what: &str| Evidence { transition: "T20", what: what.to_owned(), digest: None, at: now };
    event(conn, id, None, StateName::Planned, &evidence("a line of the order journal that the record did not know"))?;
    let state = AttemptState::Human {
        sent: sent.clone(),
        order_id: None,
        question: Question::Restored,
        asked_at: now,
        tally: Tally::default(),
        next_at: now,
    };
    advance(conn, &need(conn, id)?, &state, None, &evidence("the record is older than the journal"))
}

/// Moves an attempt, if it still is as it was seen, and records why. `approval` is written too where it changes.
///
/// # Errors
/// [`StoreError::Stale`] if it has changed since; [`StoreError::Forbidden`] if the schema does not allow the state.
pub fn advance(
    conn: &Connection,
    before: &Attempt,
    state: &AttemptState,
    approval: Option<&Approval>,
    evidence: &Evidence<'_>,
) -> Result<Attempt, StoreError> {
    let approval = approval.unwrap_or(&before.approval);
    let seen = before.state.name().as_str();
    guard(before, write_state(conn, move_sql(), state, approval, &[&before.id.0, &seen, &before.version])?)?;
    event(conn, before.id, Some(before.state.name()), state.name(), evidence)?;
    need(conn, before.id)
}

/// T4: records the intent to send, with the exact bytes. Nothing may leave before this is on disk. A key that the
/// attempt has had stays its key.
///
/// # Errors
/// [`StoreError::Stale`] if it has changed since; [`StoreError::Forbidden`] if it is not planned or has another key.
pub fn start_sending(
    conn: &Connection,
    before: &Attempt,
    sent: &Sent,
    prepared: &PreparedOrder,
    now: UnixTime,
) -> Result<Attempt, StoreError> {
    if before.state.name() != StateName::Planned {
        return Err(forbidden("only a planned attempt can be sent"));
    }
    let known = key_of(conn, before.id)?;
    if sent.key != prepared.key || known.is_some_and(|known| known != sent.key) {
        return Err(forbidden("an attempt has one key only"));
    }
    let digest: String = Sha256::digest(&prepared.body).iter().map(|byte| format!("{byte:02x}")).collect();
    let order = (before.id.0, &prepared.path, &prepared.content_type, &prepared.body, &digest);
    change(conn, STORE_ORDER, order)?;
    let what = format!("{} bytes to {}", prepared.body.len(), prepared.path);
    let evidence = Evidence { transition: "T4", what, digest: Some(digest), at: now };
    advance(conn, before, &AttemptState::Sending { sent: sent.clone() }, None, &evidence)
}

/// Replaces what the card was like before the purchase, while nothing has left.
///
/// # Errors
/// [`StoreError::Stale`] if it has changed since or is not planned.
pub fn set_before(
    conn: &Connection,
    before: &Attempt,
    snapshot: &Snapshot,
    evidence: &Evidence<'_>,
) -> Result<Attempt, StoreError> {
    let state = before.state.name();
    guard(before, change(conn, SET_BEFORE, (before.id.0, state.as_str(), before.version, to_json(snapshot)?))?)?;
    event(conn, before.id, Some(state), state, evidence)?;
    need(conn, before.id)
}

/// Replaces what is bought, how it is paid and with which code, while nothing has left.
///
/// # Errors
/// [`StoreError::Stale`] if it has changed since or is not planned.
pub fn set_offer(
    conn: &Connection,
    before: &Attempt,
    plan: &Plan,
    payment: &str,
    code: Option<&str>,
    evidence: &Evidence<'_>,
) -> Result<Attempt, StoreError> {
    let state = before.state.name();
    let (price, currency) = price_columns(plan.price);
    let values =
        (before.id.0, state.as_str(), before.version, to_json(plan)?, &plan.id, price, currency, payment, code);
    guard(before, change(conn, SET_OFFER, values)?)?;
    event(conn, before.id, Some(state), state, evidence)?;
    need(conn, before.id)
}

/// The exact bytes that were or will be sent.
///
/// # Errors
/// [`StoreError::Missing`] if none were prepared; [`StoreError::Unreadable`] if they are not what they were.
pub fn prepared(conn: &Connection, id: AttemptId) -> Result<PreparedOrder, StoreError> {
    let found = first(conn, ORDER, [id.0], |row| {
        let row = Fields::of("attempt_order", "id", row)?;
        let key = row.maybe("order_key", |text| OrderKey::stored(text).ok_or("it is no key"))?;
        let body: Vec<u8> = row.get("body")?;
        let digest: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
        if digest != row.get::<String>("digest")? {
            return Err(row.unreadable("body", "its digest does not hold"));
        }
        let key = key.ok_or_else(|| row.unreadable("order_key", "it is empty"))?;
        Ok(PreparedOrder { key, path: row.get("path")?, content_type: row.get("content_type")?, body })
    })?;
    found.ok_or(StoreError::Missing { table: "attempt_order", row: id.0 })
}

/// The key of an attempt, once it has one; it stays when a connection could not be made.
///
/// # Errors
/// If it cannot be read.
pub fn key_of(conn: &Connection, id: AttemptId) -> Result<Option<OrderKey>, StoreError> {
    let text: Option<Option<String>> = scalar(conn, KEY, [id.0])?;
    Ok(text.flatten().and_then(|text| OrderKey::stored(&text)))
}

/// An attempt.
///
/// # Errors
/// If its row cannot be read.
pub fn by_id(conn: &Connection, id: AttemptId) -> Result<Option<Attempt>, StoreError> {
    first(conn, BY_ID, [id.0], attempt_of)
}

/// The card's open attempt, if it has one.
///
/// # Errors
/// If its row cannot be read: an attempt that cannot be understood must stop purchases for its card.
pub fn open_for(conn: &Connection, card: CardId) -> Result<Option<Attempt>, StoreError> {
    first(conn, OPEN_FOR, [card.0], attempt_of)
}

/// All open attempts, in the order of the cards.
///
/// # Errors
/// If the record cannot be read.
pub fn open(conn: &Connection) -> Result<Vec<Attempt>, StoreError> {
    sound_rows(conn, OPEN, [], attempt_of)
}

/// Open attempts that are due for work at `now`, the longest due first.
///
/// # Errors
/// If the record cannot be read.
pub fn due(conn: &Connection, now: UnixTime, limit: usize) -> Result<Vec<Attempt>, StoreError> {
    sound_rows(conn, DUE, (now.secs(), bounded(limit)), attempt_of)
}

/// Makes what waits longer than any open attempt can due at `now`: for a person's or an operator's leave until after
/// `asked_by`, for a look-up until after `looked_up_by`.
///
/// # Errors
/// If the record cannot be written.
pub fn bring_forward(
    conn: &Connection,
    asked_by: UnixTime,
    looked_up_by: UnixTime,
    now: UnixTime,
) -> Result<(), StoreError> {
    change(conn, BRING_FORWARD, (now.secs(), asked_by.secs(), looked_up_by.secs())).map(drop)
}

/// When the next open attempt that is not due yet at `now` will be.
///
/// # Errors
/// If the record cannot be read.
pub fn next_due_after(conn: &Connection, now: UnixTime) -> Result<Option<UnixTime>, StoreError> {
    Ok(scalar::<i64>(conn, NEXT_DUE_AFTER, [now.secs()])?.map(UnixTime::clamped))
}

/// Attempts on their way: at the start of a process those whose sender has ended.
///
/// # Errors
/// If the record cannot be read.
pub fn sending(conn: &Connection) -> Result<Vec<Attempt>, StoreError> {
    sound_rows(conn, SENDING, [], attempt_of)
}

fn insert(conn: &Connection, id: Option<AttemptId>, new: &NewAttempt) -> Result<AttemptId, StoreError> {
    let (cause, cause_rule, cause_line, cause_by) = cause_columns(&new.cause);
    let (approval, approval_at, approval_why, approval_by) = approval_columns(&new.approval)?;
    let (price, currency) = price_columns(new.plan.price);
    let mut statement = conn.prepare_cached(INSERT)?;
    let written = statement.execute(named_params! {
        ":id": id.map(|id| id.0), ":card": new.card.0, ":cycle": new.cycle, ":number": new.number,
        ":account": new.account.as_str(), ":cause": cause, ":cause_rule": cause_rule, ":cause_line": cause_line,
        ":cause_by": cause_by, ":plan": to_json(&new.plan)?, ":plan_id": new.plan.id, ":price": price,
        ":currency": currency, ":payment": new.payment, ":code": new.code, ":created_at": new.created_at.secs(),
        ":approval": approval, ":approval_at": approval_at, ":approval_why": approval_why,
        ":approval_by": approval_by, ":before": new.before.as_ref().map(to_json).transpose()?,
        ":reckoning": new.reckoning.as_ref().map(to_json).transpose()?,
        ":next_at": new.next_at.secs(),
    });
    match written {
        Ok(_) => Ok(AttemptId(conn.last_insert_rowid())),
        Err(error) if error.to_string().contains("attempt.card") => {
            Err(StoreError::Taken { what: "the one open attempt of card", value: new.card.0.to_string() })
        }
        Err(error) => Err(error.into()),
    }
}

fn event(
    conn: &Connection,
    id: AttemptId,
    from: Option<StateName>,
    to: StateName,
    evidence: &Evidence<'_>,
) -> Result<(), StoreError> {
    let values = (
        id.0,
        evidence.at.secs(),
        evidence.transition,
        from.map(StateName::as_str),
        to.as_str(),
        &evidence.what,
        &evidence.digest,
    );
    change(conn, EVENT, values)?;
    Ok(())
}

const fn guard(before: &Attempt, touched: usize) -> Result<(), StoreError> {
    if touched == 1 { Ok(()) } else { Err(StoreError::Stale { table: "attempt", row: before.id.0 }) }
}

fn need(conn: &Connection, id: AttemptId) -> Result<Attempt, StoreError> {
    by_id(conn, id)?.ok_or(StoreError::Missing { table: "attempt", row: id.0 })
}

fn forbidden(why: &str) -> StoreError {
    StoreError::Forbidden { why: why.to_owned() }
}

#[cfg(test)]
#[path = "attempt_tests.rs"]
mod tests;
