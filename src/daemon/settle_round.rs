//! The settle round: everything that was sent and is not finished is looked up, repeated where the key is honoured, and
//! compared with the card, for as long as it is open (T9 to T16).

use std::sync::Arc;

use super::Daemon;
use super::bells::Round;
use super::crash;
use super::desk::Desk;
use super::judge::judge;
use super::live::Live;
use super::moves::{self, advance};
use super::order;
use super::work::Job;
use crate::domain::attempt::{Attempt, StateName};
use crate::domain::card::Card;
use crate::domain::operator::{Found, OperatorError};
use crate::domain::reading::{CLOCK_TOLERANCE, Reading};
use crate::domain::settling::{self, Ask};
use crate::domain::step::Event;
use crate::domain::time::UnixTime;
use crate::store::{StoreError, attempts, cards, meta, polls};

/// Attempts looked at in one round; those beyond it are looked at when one of these is done.
const DUE_AT_ONCE: usize = 256;

/// Hands out what is due; answers when the next open attempt is.
///
/// # Errors
/// When the record cannot be read.
pub(super) async fn round(daemon: &Arc<Daemon>) -> Result<Option<UnixTime>, StoreError> {
    super::roll_back::ask_next(daemon).await?;
    let now = daemon.clock.now();
    let (due, next, sending) = daemon
        .store
        .read(move |conn| {
            let due = attempts::due(conn, now, DUE_AT_ONCE)?;
            Ok((due, attempts::next_due_after(conn, now)?, attempts::sending(conn)?))
        })
        .await?;
    take_over(daemon, sending);
    for attempt in due.into_iter().filter(|attempt| attempt.state.name() != StateName::Planned) {
        let task_daemon = Arc::clone(daemon);
        daemon.work.start(Job::Attempt(attempt.id), Round::Settle, async move {
            let id = attempt.id;
            if let Err(error) = settle(&task_daemon, attempt).await {
                tracing::error!(attempt.id = id.0, %error, "an attempt could not be settled now");
                task_daemon.store_failed(&error);
            }
        });
    }
    Ok(next)
}

/// An order on its way has its sender's task. Where that has ended without an outcome, nobody knows (T7).
fn take_over(daemon: &Arc<Daemon>, sending: Vec<Attempt>) {
    for attempt in sending {
        let task_daemon = Arc::clone(daemon);
        // Refused while the sender is at work.
        daemon.work.start(Job::Attempt(attempt.id), Round::Settle, async move {
            let (live, now, id) = (task_daemon.live(), task_daemon.clock.now(), attempt.id);
            let found = task_daemon.store.write(move |conn| match attempts::by_id(conn, id)? {
                Some(attempt) if attempt.state.name() == StateName::Sending => {
                    advance(conn, &live, &attempt, Event::FoundSending, now).map(drop)
                }
                Some(_) | None => Ok(()),
            });
            if let Err(error) = found.await {
                tracing::error!(attempt.id = id.0, %error, "an order without a sender could not be noted");
                task_daemon.store_failed(&error);
            }
        });
    }
}

/// One look at one open attempt: repeat or look up, then read the card, then see what time says.
async fn settle(daemon: &Arc<Daemon>, attempt: Attempt) -> Result<(), StoreError> {
    let (live, id) = (daemon.live(), attempt.card);
    let card = daemon.store.read(move |conn| cards::by_id(conn, id)).await?;
    let (Some(desk), Some(card)) = (live.desk(&attempt.account).map(Arc::clone), card) else {
        // Its account left the file: the attempt stays open, and is looked at again when the account is back.
        return record(daemon, attempt, Event::LookupFailed).await.map(drop);
    };
    let permit = desk.permits.acquire().await;
    let asked = match desk.asked_until(daemon.clock.now()) {
        // An operator that asked to be left alone is not even asked about an order.
        Some(_) => record(daemon, attempt, Event::LookupFailed).await?,
        None => {
            let looked = look_before(daemon, &live, &desk, &card, attempt).await?;
            let Some((attempt, fresh)) = looked else { return Ok(()) };
            ask_operator(daemon, &desk, &card, attempt, fresh).await?
        }
    };
    let Some(attempt) = asked else { return Ok(()) };
    let Some(attempt) = look_at_card(daemon, &live, card, attempt).await? else { return Ok(()) };
    drop(permit);
    if let Some(attempt) = record(daemon, attempt, Event::TimePassed).await? {
        remind(daemon, attempt).await?;
    }
    Ok(())
}

/// Reads the card first where the order may be repeated. Answers the attempt if it is still open, and the reading if there
/// is one to go by: the operator's clock, which came with it, must say that ours is right.
async fn look_before(
    daemon: &Arc<Daemon>,
    live: &Live,
    desk: &Desk,
    card: &Card,
    attempt: Attempt,
) -> Result<Option<(Attempt, Option<Reading>)>, StoreError> {
    let (proof, began) = (live.capabilities(&card.account).proof, daemon.clock.now());
    if !settling::reads_first(&attempt, desk.operator.capabilities(), proof, began) {
        return Ok(Some((attempt, None)));
    }
    let Some(attempt) = look_at_card(daemon, live, card.clone(), attempt).await? else { return Ok(None) };
    let id = card.id;
    let latest = daemon.store.read(move |conn| Ok(polls::load(conn, id)?.recent.latest)).await?;
    let differs = live.desk(&card.account).is_none_or(|reader| reader.clocks_differ(daemon.clock.now()));
    let fresh = latest.filter(|reading| reading.read_at >= began && !differs);
    Ok(Some((attempt, fresh)))
}

/// Repeats the order where the operator honours its key, or looks it up where it can be. Answers the attempt if it is
/// still open.
async fn ask_operator(
    daemon: &Arc<Daemon>,
    desk: &Desk,
    card: &Card,
    attempt: Attempt,
    fresh: Option<Reading>,
) -> Result<Option<Attempt>, StoreError> {
    let (now, capabilities) = (daemon.clock.now(), *desk.operator.capabilities());
    let Some(sent) = attempt.state.sent() else { return Ok(None) };
    let reader_proof = daemon.live().capabilities(&card.account).proof;
    match settling::ask(&attempt, &capabilities, reader_proof, fresh.as_ref(), now) {
        Ask::Resend => return resend(daemon, desk, card, attempt).await,
        Ask::Nothing => return Ok(Some(attempt)),
        Ask::LookUp => {}
    }
    let order = attempt.sent_order(sent.key.clone(), sent.first_sent_at);
    let event = match desk.operator.find(card, &order).await {
        Ok(found) => {
            desk.went_well();
            // "Not there" counts by how long ago the order was sent, and a clock that is off cannot tell that.
            let blind = found == Found::Nothing && desk.clocks_differ(daemon.clock.now());
            if blind { Event::LookupFailed } else { Event::LookedUp(found) }
        }
        Err(error) => {
            desk.went_wrong(&error, now);
            Event::LookupFailed
        }
    };
    let after = record(daemon, attempt, event.clone()).await?;
    Ok(after.filter(|after| settling::goes_on(&event, after)))
}

/// T9: the count is on disk before the same bytes leave again.
async fn resend(
    daemon: &Arc<Daemon>,
    desk: &Desk,
    card: &Card,
    attempt: Attempt,
) -> Result<Option<Attempt>, StoreError> {
    let (id, began) = (attempt.id, daemon.clock.now());
    let (prepared, confirmed) =
        daemon.store.read(move |conn| Ok((attempts::prepared(conn, id)?, meta::last_seen(conn)?))).await?;
    if confirmed.since(began) > CLOCK_TOLERANCE {
        // By a clock that was set back the key is younger than it is, and past its time a repeat is a second order.
        return record(daemon, attempt, Event::LookupFailed).await;
    }
    let Some(attempt) = record(daemon, attempt, Event::Resends).await? else { return Ok(None) };
    crash::point("after_intent");
    // The process before may have ended between the intent and its line: without one, a record restored from before
    // this would not know of the order.
    daemon.journal_append(order::journal_line(&attempt, &card.name, &prepared, daemon.clock.now())).await?;
    if !order::look_holds(daemon, began) {
        // The machine slept: the key may be forgotten by now, and the card renewed. The next round looks anew.
        return Ok(Some(attempt));
    }
    let answer = desk.operator.buy(&prepared).await;
    desk.answered(&answer, daemon.clock.now());
    crash::point("after_post");
    match settling::repeated(answer) {
        None => Ok(Some(attempt)),
        Some(event) => record(daemon, attempt, event).await,
    }
}

/// Reads the card through the account that reads it, whichever sold, and compares it with what it was before the order.
async fn look_at_card(
    daemon: &Arc<Daemon>,
    live: &Live,
    card: Card,
    attempt: Attempt,
) -> Result<Option<Attempt>, StoreError> {
    if attempt.state.name() == StateName::Pending {
        return Ok(Some(attempt));
    }
    let now = daemon.clock.now();
    let Some(reader) = live.desk(&card.account).filter(|desk| desk.asked_until(now).is_none()) else {
        return record(daemon, attempt, Event::LookupFailed).await;
    };
    let answer = reader.operator.read(std::slice::from_ref(&card), now).await.pop();
    let answer = answer.unwrap_or_else(|| Err(OperatorError::Unknown { why: "no answer about the card".into() }));
    if let Err(error) = &answer {
        reader.went_wrong(error, now);
    }
    let (live, proof) = (daemon.live(), reader.operator.capabilities().proof);
    let (after, judged) = daemon
        .store
        .write(move |conn| {
            let readable = answer.is_ok();
            let judged = judge(conn, &live, card, answer, now)?;
            let recent = polls::load(conn, attempt.card)?.recent;
            let fresh = recent.latest.filter(|reading| readable && reading.read_at == now);
            let event = settling::shown(&attempt, fresh.as_ref(), proof);
            crash::point("before_done");
            advance(conn, &live, &attempt, event, now)?;
            Ok((attempts::by_id(conn, attempt.id)?.filter(|attempt| attempt.state.name().is_open()), judged))
        })
        .await?;
    crash::point("after_done");
    daemon.schedule().put(judged.card, judged.next_poll_at);
    daemon.bells.ring(Round::Deliver);
    if after.is_none() {
        daemon.schedule().hurry(judged.card);
        daemon.bells.ring(Round::Poll);
    }
    Ok(after)
}

/// Commits an event; answers the attempt as it is now, if it is still open.
async fn record(daemon: &Arc<Daemon>, attempt: Attempt, event: Event) -> Result<Option<Attempt>, StoreError> {
    let (live, now) = (daemon.live(), daemon.clock.now());
    let (moved, after) = daemon
        .store
        .write(move |conn| {
            let moved = advance(conn, &live, &attempt, event, now)?;
            Ok((moved, attempts::by_id(conn, attempt.id)?))
        })
        .await?;
    daemon.follow_up(&moved);
    Ok(after.filter(|attempt| attempt.state.name().is_open()))
}

/// Puts an open question again, once a day.
async fn remind(daemon: &Arc<Daemon>, attempt: Attempt) -> Result<(), StoreError> {
    let now = daemon.clock.now();
    let Some(reminders) = settling::reminder(&attempt, now) else { return Ok(()) };
    let live = daemon.live();
    // Its key holds the number of the reminder, so each day's goes out once.
    daemon.store.write(move |conn| moves::remind(conn, &live, &attempt, reminders, now)).await
}
