//! Looking back at attempts: their moves with the evidence, what they cost, and lists of them.

use rusqlite::{Connection, Row};

use super::attempt_rows::attempt_of;
use super::cards::bounded;
use super::error::StoreError;
use super::fields::{Fields, first, rows, scalar, sound_rows, to_json};
use super::words::Word;
use crate::domain::attempt::{Attempt, AttemptId, StateName};
use crate::domain::card::{CardId, Name};
use crate::domain::money::{Currency, Money};
use crate::domain::operator::OrderKey;
use crate::domain::shared_limits::{SharedLimit, Spent};
use crate::domain::time::UnixTime;

const EVENTS: &str = "SELECT * FROM attempt_event WHERE attempt = ?1 ORDER BY id";
const OF_CARD: &str = "SELECT * FROM attempt WHERE card = ?1 AND (NOT ?2 OR closed_at IS NULL) \
     AND max(created_at, coalesce(first_sent_at, created_at)) >= ?3 \
     ORDER BY id DESC LIMIT ?4";
const LIST: &str = "SELECT * FROM attempt WHERE (NOT ?1 OR closed_at IS NULL) AND created_at >= ?2 \
     ORDER BY id DESC LIMIT ?3";
const SPENDS: &str = "SELECT id, coalesce(first_sent_at, created_at) AS at, coalesce(charged, price) AS amount, \
     coalesce(charged_currency, currency) AS amount_currency, state FROM attempt \
     WHERE card = ?1 AND coalesce(first_sent_at, created_at) >= ?2 ORDER BY id";
// One pass over the orders of a month, by their index. What is only planned is not an order yet.
const SHARED: &str = "SELECT 0 AS id, coalesce(charged_currency, currency) AS amount_currency, \
     sum(max(coalesce(charged, price), 0)) AS amount, count(*) AS orders FROM attempt \
     WHERE first_sent_at >= ?1 AND id <> ?2 AND state NOT IN ('planned', 'refused', 'absent', 'abandoned') \
     AND (?3 IS NULL OR account = ?3) \
     AND NOT EXISTS (SELECT 1 FROM json_each(?4) AS wanted WHERE wanted.value NOT IN \
         (SELECT has.value FROM card, json_each(card.labels) AS has WHERE card.id = attempt.card)) \
     GROUP BY coalesce(charged_currency, currency)";
const LAST_PAID: &str = "SELECT id, coalesce(charged, price) AS amount, coalesce(charged_currency, currency) \
     AS amount_currency FROM attempt WHERE card = ?1 AND plan_id = ?2 AND state IN ('accepted', 'done') \
     ORDER BY id DESC LIMIT 1";
const LAST_DONE: &str = "SELECT * FROM attempt WHERE card = ?1 AND state = 'done' ORDER BY id DESC LIMIT 1";
const THIS_CYCLE: &str = "SELECT * FROM attempt WHERE card = ?1 AND cycle = ?2 ORDER BY id";

const COUNT_OPEN: &str =
    "SELECT count(*) FROM attempt WHERE state IN ('planned', 'sending', 'pending', 'accepted', 'unknown', 'human')";
const KNOWN_KEY: &str = "SELECT id FROM attempt WHERE order_key = ?1";
const SENDS: &str = "SELECT count(*) FROM attempt_event WHERE attempt = ?1 AND transition IN ('T4', 'T9')";
const ROLLED_BACK: &str = "SELECT count(*) FROM attempt_event WHERE attempt = ?1 AND transition = 'T20'";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    EVENTS,
    OF_CARD,
    LIST,
    SPENDS,
    SHARED,
    LAST_PAID,
    LAST_DONE,
    THIS_CYCLE,
    COUNT_OPEN,
    KNOWN_KEY,
    SENDS,
    ROLLED_BACK,
];

/// A move of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptEvent {
    /// When.
    pub at: UnixTime,
    /// The transition by its name, such as `T5`.
    pub transition: String,
    /// The state before; none for the first.
    pub from: Option<StateName>,
    /// The state after.
    pub to: StateName,
    /// What was seen.
    pub what: String,
    /// Digest of the answer that showed it.
    pub digest: Option<String>,
}

/// Money that counts against limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spend {
    /// Which attempt.
    pub attempt: AttemptId,
    /// When it was first sent, or planned.
    pub at: UnixTime,
    /// What was charged, or else the plan's price.
    pub money: Money,
    /// Where the attempt stands.
    pub state: StateName,
}

/// Which attempts are wanted; newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptFilter {
    /// Of one card only.
    pub card: Option<CardId>,
    /// Open ones only.
    pub open_only: bool,
    /// Planned at or after this.
    pub since: UnixTime,
    /// At most this many.
    pub limit: usize,
}

/// Every move of an attempt, oldest first.
///
/// # Errors
/// If the record cannot be read.
pub fn events(conn: &Connection, id: AttemptId) -> Result<Vec<AttemptEvent>, StoreError> {
    rows(conn, EVENTS, [id.0], |row| {
        let row = Fields::of("attempt_event", "id", row)?;
        let word = |text: &str| StateName::of_word(text).ok_or("it is not known");
        Ok(AttemptEvent {
            at: row.time("at")?,
            transition: row.get("transition")?,
            from: row.maybe("from_state", word)?,
            to: row.word("to_state")?,
            what: row.get("what")?,
            digest: row.get("digest")?,
        })
    })
}

/// The attempt with this key; what the journal's lines are compared by.
///
/// # Errors
/// If it cannot be read.
pub fn with_key(conn: &Connection, key: &OrderKey) -> Result<Option<AttemptId>, StoreError> {
    Ok(scalar(conn, KNOWN_KEY, [key.as_str()])?.map(AttemptId))
}

/// How often an attempt was about to be sent, as far as the record knows; none where its sendings are not the record's
/// own any more, because it was found to be older than the world.
///
/// # Errors
/// If it cannot be read.
pub fn sends(conn: &Connection, id: AttemptId) -> Result<Option<usize>, StoreError> {
    let count = |sql| scalar::<i64>(conn, sql, [id.0]).map(|count| usize::try_from(count.unwrap_or(0)).unwrap_or(0));
    Ok(if count(ROLLED_BACK)? == 0 { Some(count(SENDS)?) } else { None })
}

/// How many attempts are open.
///
/// # Errors
/// If the record cannot be read.
pub fn count_open(conn: &Connection) -> Result<u64, StoreError> {
    Ok(scalar::<i64>(conn, COUNT_OPEN, [])?.map_or(0, i64::unsigned_abs))
}

/// Attempts, newest first.
///
/// # Errors
/// If the record cannot be read.
pub fn list(conn: &Connection, filter: &AttemptFilter) -> Result<Vec<Attempt>, StoreError> {
    let (since, limit) = (filter.since.secs(), bounded(filter.limit));
    match filter.card {
        Some(card) => sound_rows(conn, OF_CARD, (card.0, filter.open_only, since, limit), attempt_of),
        None => sound_rows(conn, LIST, (filter.open_only, since, limit), attempt_of),
    }
}

/// What counts against a card's limits since `since`, oldest first: everything that was or may have been charged.
///
/// # Errors
/// If a row cannot be read: limits are never judged by half.
pub fn spends(conn: &Connection, card: CardId, since: UnixTime) -> Result<Vec<Spend>, StoreError> {
    let mut found = rows(conn, SPENDS, (card.0, since.secs()), |row| {
        let money = paid(row)?;
        let row = Fields::of("attempt", "id", row)?;
        Ok(Spend { attempt: AttemptId(row.id()), at: row.time("at")?, money, state: row.word("state")? })
    })?;
    found.retain(|spend| spend.state.counts_as_spent());
    Ok(found)
}

/// What counts against a cap that cards share since `since`, but for the attempt `this`.
///
/// # Errors
/// If a row cannot be read, or a sum cannot be held: limits are never judged by half.
pub fn shared(
    conn: &Connection,
    limit: &SharedLimit,
    since: UnixTime,
    this: Option<AttemptId>,
) -> Result<Spent, StoreError> {
    let (this, account) = (this.map_or(0, |id| id.0), limit.account.as_ref().map(Name::as_str));
    let sums = rows(conn, SHARED, (since.secs(), this, account, to_json(&limit.labels)?), |row| {
        let money = paid(row)?;
        Ok((money, Fields::of("attempt", "id", row)?.count("orders")?))
    })?;
    let count = sums.iter().fold(0_u32, |all, (_, count)| all.saturating_add(*count));
    Ok(Spent { count, money: sums.into_iter().map(|(money, _)| money).collect() })
}

/// What the card last paid for a plan.
///
/// # Errors
/// If the record cannot be read.
pub fn last_paid(conn: &Connection, card: CardId, plan_id: &str) -> Result<Option<Money>, StoreError> {
    first(conn, LAST_PAID, (card.0, plan_id), paid)
}

/// The card's last attempt whose effect was seen.
///
/// # Errors
/// If its row cannot be read.
pub fn last_done(conn: &Connection, card: CardId) -> Result<Option<Attempt>, StoreError> {
    first(conn, LAST_DONE, [card.0], attempt_of)
}

/// The attempts of one need, oldest first.
///
/// # Errors
/// If a row cannot be read.
pub fn this_cycle(conn: &Connection, card: CardId, cycle: u32) -> Result<Vec<Attempt>, StoreError> {
    rows(conn, THIS_CYCLE, (card.0, cycle), attempt_of)
}

fn paid(row: &Row<'_>) -> Result<Money, StoreError> {
    let row = Fields::of("attempt", "id", row)?;
    let currency = row.maybe("amount_currency", Currency::parse)?;
    let currency = currency.ok_or_else(|| row.unreadable("currency", "it is empty"))?;
    Ok(Money::new(row.need("amount")?, currency))
}
