//! Roll-backs (T20): a record that is older than the world, because a copy was put in its place. Every open order becomes
//! a person's question, orders that only the journal knows are taken in, and nothing is bought until each card is
//! confirmed. Orders sent before are never sent again.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use super::Daemon;
use super::bells::Round;
use super::live::Live;
use crate::domain::attempt::{AttemptId, Sent};
use crate::domain::draft;
use crate::domain::intake;
use crate::domain::step::Event;
use crate::domain::time::UnixTime;
use crate::store::journal::JournalLine;
use crate::store::people::{self, HumanAction};
use crate::store::{Connection, StoreError, attempts, cards, examine, meta, polls};

/// How the note of a roll-back names the last order of the journal that it has dealt with.
const UP_TO: &str = "orders.journal up to ";

/// Compares the record with the journal's lines and draws the conclusions; answers the orders that wait until their card
/// has no open question before them.
///
/// # Errors
/// When the record cannot be read or written.
pub(super) fn take_up(
    conn: &Connection,
    live: &Live,
    lines: &[JournalLine],
    now: UnixTime,
) -> Result<Vec<JournalLine>, StoreError> {
    let unknown = examine::unknown(conn, lines)?;
    let last = people::last_about_record(conn)?;
    let restored = last.as_ref().is_some_and(|act| act.what == people::RESTORE);
    let dealt_with = last.as_ref().map_or(0, |act| dealt_with(act, lines));
    let is_news = |line: &JournalLine| lines.iter().skip(dealt_with).any(|newer| newer.key == line.key);
    let news = unknown.iter().filter(|line| is_news(line)).count();
    let sent_again = examine::sent_again(conn, lines)?;
    if restored || news > 0 || !sent_again.is_empty() {
        tracing::error!(
            orders = news,
            sent_again = sent_again.len(),
            restored,
            "the record is older than the world; nothing is bought until the cards are confirmed"
        );
        let since = intake::set_aside_at(now, lines.iter().map(|line| line.at).max());
        set_everything_aside(conn, live, restored, sent_again, (now, since))?;
        let last_key = lines.last().map_or("", |line| line.key.as_str());
        note(conn, format!("{UP_TO}{last_key}"), now)?;
    }
    ask_about(conn, live, unknown, now)
}

/// Once an order is settled, the next one of its card that only the journal knows is asked about.
///
/// # Errors
/// When the record cannot be written.
pub(super) async fn ask_next(daemon: &Arc<Daemon>) -> Result<(), StoreError> {
    let waiting = daemon.only_in_journal.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if waiting.is_empty() {
        return Ok(());
    }
    let (live, now, before) = (daemon.live(), daemon.clock.now(), waiting.len());
    let left = daemon.store.write(move |conn| ask_about(conn, &live, waiting, now)).await?;
    if left.len() < before {
        daemon.bells.ring(Round::Deliver);
    }
    *daemon.only_in_journal.lock().unwrap_or_else(PoisonError::into_inner) = left;
    Ok(())
}

/// How many of the journal's lines an earlier start has drawn its conclusions from. A line that it did not find any more
/// was another journal's, and counts for nothing.
fn dealt_with(act: &HumanAction, lines: &[JournalLine]) -> usize {
    let key = act.reason.as_deref().and_then(|reason| reason.strip_prefix(UP_TO));
    let place = key.and_then(|key| lines.iter().rposition(|line| line.key.as_str() == key));
    place.map_or(0, |place| place + 1)
}

fn set_everything_aside(
    conn: &Connection,
    live: &Live,
    restored: bool,
    mut sent_again: BTreeMap<AttemptId, Sent>,
    (now, since): (UnixTime, UnixTime),
) -> Result<(), StoreError> {
    for attempt in attempts::open(conn)? {
        let left = sent_again.remove(&attempt.id);
        super::moves::advance(conn, live, &attempt, Event::RolledBack { left }, now)?;
    }
    let reason =
        if restored { "a copy of the record was restored" } else { "the record is older than the journal of orders" };
    meta::quarantine_all(conn, reason, since).map(drop)
}

fn note(conn: &Connection, reason: String, now: UnixTime) -> Result<(), StoreError> {
    let (by, what) = ("simkeeper".to_owned(), people::ROLL_BACK.to_owned());
    people::record(conn, &HumanAction { at: now, by, what, card: None, attempt: None, reason: Some(reason) })
}

/// Makes orders that only the journal knows a person's questions, the oldest of each card first: a card has one open
/// attempt, so the others wait.
fn ask_about(
    conn: &Connection,
    live: &Live,
    unknown: Vec<JournalLine>,
    now: UnixTime,
) -> Result<Vec<JournalLine>, StoreError> {
    let mut waiting = Vec::new();
    for line in unknown {
        if !ask(conn, live, &line, now)? {
            waiting.push(line);
        }
    }
    Ok(waiting)
}

/// Whether an order is a question now. One whose card is gone is told in the log alone: nothing is bought for it either.
fn ask(conn: &Connection, live: &Live, line: &JournalLine, now: UnixTime) -> Result<bool, StoreError> {
    // By its name: rows of a record that was made anew are other cards' rows.
    let card = match cards::by_name(conn, &line.card_name)? {
        Some(card) => Some(card.id),
        None => cards::by_id(conn, line.card)?.map(|card| card.id),
    };
    let Some(card) = card else {
        tracing::error!(card.name = %line.card_name, attempt.id = line.attempt.0, plan = line.plan_id, price = %line.price, at = %line.at, "an order for a card that is gone, which the record does not know; compare it with your operator's list");
        return Ok(true);
    };
    if attempts::open_for(conn, card)?.is_some() {
        return Ok(false);
    }
    let cycle = polls::load(conn, card)?.cycle;
    let sent = Sent { key: line.key.clone(), first_sent_at: line.at, send_count: 1 };
    let new = draft::from_journal(card, cycle, &line.account, (&line.plan_id, line.price), line.at, now);
    let asked = attempts::import_from_journal(conn, line.attempt, &new, &sent, now)?;
    super::moves::remind(conn, live, &asked, 0, now)?;
    Ok(true)
}
