//! One order: preflight (T2), gates (T3), the intent on disk (T4), one POST, and what it came to (T5 to T8). The only
//! code that spends money; read it with `docs/reliability.md` beside you.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Daemon;
use super::bells::Round;
use super::case::Case;
use super::clock::BUILT_AT;
use super::crash;
use super::desk::Desk;
use super::fresh;
use super::live::Live;
use super::moves::{self, Moved, advance};
use super::shared_limits;
use crate::domain::attempt::{Approval, Attempt, AttemptId, AttemptState, Sent, Snapshot};
use crate::domain::card::Name;
use crate::domain::draft;
use crate::domain::gates::Gate;
use crate::domain::last_look::{self, GATE_AGAIN, Held, LOOK_HOLDS, LastLook, LastWord, Machine, Seen};
use crate::domain::limits;
use crate::domain::operator::{BuyAnswer, OperatorError, Order, OrderKey, PreparedOrder, RefusalKind};
use crate::domain::step::Event;
use crate::domain::time::{Secs, UnixTime};
use crate::store::attempts::{self, Evidence};
use crate::store::journal::JournalLine;
use crate::store::{Connection, StoreError, cards, meta, readings};

/// An outcome for which the disk has no room is tried again this much later.
const OUTCOME_AGAIN: Secs = Secs::MINUTE;

/// Carries a planned attempt as far as it goes now. Errors are logged here: the record brings it back.
pub(super) async fn carry(daemon: &Arc<Daemon>, attempt: Attempt) {
    let id = attempt.id;
    if let Err(error) = try_carry(daemon, attempt).await {
        tracing::error!(attempt.id = id.0, %error, "an attempt could not go on");
        daemon.store_failed(&error);
    }
}

async fn try_carry(daemon: &Arc<Daemon>, attempt: Attempt) -> Result<(), StoreError> {
    if let Approval::Asked { .. } = attempt.approval {
        return super::people::remind(daemon, attempt).await;
    }
    let live = daemon.live();
    let Some(desk) = live.desk(&attempt.account).map(Arc::clone) else {
        return delay(daemon, attempt, daemon.clock.now().plus(GATE_AGAIN)).await;
    };
    // The semaphore is never closed, so a permit always comes.
    let _permit = desk.permits.acquire().await;
    let (id, card) = (attempt.id, attempt.card);
    let Some(seen) = look(daemon, &desk, &attempt).await? else { return Ok(()) };
    if let Some(intended) = intend(daemon, &desk, attempt, seen).await? {
        return send(daemon, &desk, intended).await;
    }
    // The last look has put off the next reading for as long as an order is under way. What was given up is none: the
    // next seller, or the next try, must not wait for that.
    if !daemon.store.read(move |conn| attempts::by_id(conn, id)).await?.is_some_and(|attempt| is_planned(&attempt)) {
        daemon.hurry(card);
    }
    Ok(())
}

/// T2: reads the card, the wallet and the offer. What fails here delays the attempt; nothing has left.
async fn look(daemon: &Arc<Daemon>, desk: &Arc<Desk>, attempt: &Attempt) -> Result<Option<Seen>, StoreError> {
    let now = daemon.clock.now();
    let id = attempt.card;
    let (live, card) = (daemon.live(), daemon.store.read(move |conn| cards::by_id(conn, id)).await?);
    let reader = card.as_ref().and_then(|card| live.desk(&card.account));
    let (Some(card), Some(reader)) = (&card, reader) else {
        return delay(daemon, attempt.clone(), now.plus(GATE_AGAIN)).await.map(|()| None);
    };
    // One of the two may have asked to be left alone, and then nothing is asked of either.
    if let Some(until) = [desk, reader].into_iter().filter_map(|desk| desk.left_alone_until(now)).max() {
        return delay(daemon, attempt.clone(), until).await.map(|()| None);
    }
    if let Err(error) = fresh::read(daemon, reader, card).await? {
        return wait(daemon, reader, attempt, &error, now).await;
    }
    let wallet = match desk.operator.wallet().await {
        Ok(wallet) => {
            desk.told_wallet(now, wallet.clone());
            wallet
        }
        Err(error) => return wait(daemon, desk, attempt, &error, now).await,
    };
    match desk.operator.preflight(card, &attempt.plan, attempt.code.as_deref()).await {
        Ok(offer) => {
            if let Some(theirs) = offer.operator_time {
                desk.told_time(daemon.clock.now(), theirs);
            }
            desk.went_well();
            Ok(Some(Seen { wallet, offer }))
        }
        Err(OperatorError::Never { kind: RefusalKind::BadCode, .. }) if attempt.code.is_some() => {
            next_code(daemon, attempt).await.map(|()| None)
        }
        Err(error) => wait(daemon, desk, attempt, &error, now).await,
    }
}

/// A discount code that is not valid makes way for the next of the rule, the last for none. The attempt is due already,
/// so it is taken up again at once.
async fn next_code(daemon: &Arc<Daemon>, attempt: &Attempt) -> Result<(), StoreError> {
    let (live, now, attempt) = (daemon.live(), daemon.clock.now(), attempt.clone());
    daemon
        .store
        .write(move |conn| {
            let card = cards::by_id(conn, attempt.card)?;
            let codes = card.as_ref().and_then(|card| live.rule_of(card)).map_or(&[][..], |rule| &rule.codes);
            let refused = attempt.code.as_ref();
            let this_cycle = attempts::this_cycle(conn, attempt.card, attempt.cycle)?;
            let next = draft::code_after(codes, refused, &this_cycle);
            let what = format!("the code {} is not valid", refused.map_or("", String::as_str));
            let evidence = Evidence { transition: "T2", what, digest: None, at: now };
            attempts::set_offer(conn, &attempt, &attempt.plan, &attempt.payment, next, &evidence).map(drop)
        })
        .await
}

async fn wait(
    daemon: &Arc<Daemon>,
    desk: &Desk,
    attempt: &Attempt,
    error: &OperatorError,
    now: UnixTime,
) -> Result<Option<Seen>, StoreError> {
    let until = desk.went_wrong(error, now).unwrap_or(now).max(now.plus(GATE_AGAIN));
    tracing::warn!(attempt.id = attempt.id.0, %error, "the preflight failed; the order waits");
    delay(daemon, attempt.clone(), until).await.map(|()| None)
}

async fn delay(daemon: &Arc<Daemon>, attempt: Attempt, until: UnixTime) -> Result<(), StoreError> {
    let (live, now) = (daemon.live(), daemon.clock.now());
    let event = if last_look::waited_enough(&attempt, now) {
        Event::GateClosed { gate: "preflight".into() }
    } else {
        Event::Delayed { until }
    };
    daemon.store.write(move |conn| advance(conn, &live, &attempt, event, now).map(drop)).await
}

/// An order whose intent is on disk.
struct Intended {
    attempt: Attempt,
    card_name: Name,
    prepared: PreparedOrder,
    looked_at: UnixTime,
}

/// T3 or T4: in one transaction, everything is checked once more, and then either the reason not to send is written, or
/// the order with its key and exact bytes.
async fn intend(
    daemon: &Arc<Daemon>,
    desk: &Arc<Desk>,
    attempt: Attempt,
    seen: Seen,
) -> Result<Option<Intended>, StoreError> {
    crash::point("before_intent");
    let (live, now, desk) = (daemon.live(), daemon.clock.now(), Arc::clone(desk));
    let free_disk_bytes = daemon.store.free_disk_bytes().unwrap_or(0);
    let (chance, record_is_sound) = (daemon.opener.chance(), !daemon.damaged.load(Ordering::SeqCst));
    let intended = daemon
        .store
        .write(move |conn| {
            let Some(attempt) = attempts::by_id(conn, attempt.id)?.filter(is_planned) else { return Ok(None) };
            let Some(card) = cards::by_id(conn, attempt.card)? else { return Ok(None) };
            let case = Case::load(conn, &live, card, now)?;
            let rule = case.rule(&live).cloned();
            let last_recorded = meta::last_seen(conn)?;
            let clock = desk.clock_evidence(last_recorded, BUILT_AT, now);
            let machine = Machine { clock, free_disk_bytes, record_is_sound };
            let cycle = limits::cycle_of(&attempt.plan);
            let shared = shared_limits::counted(
                conn,
                live.rules(),
                (&case.card, &attempt.account),
                cycle,
                Some(attempt.id),
                now,
            )?;
            let look = LastLook {
                card: &case.card,
                recent: &case.poll.recent,
                ledger: &case.ledger,
                attempt: &attempt,
                rule: rule.as_ref(),
                shared: &shared,
                seen: &seen,
                machine: &machine,
                now,
            };
            match look.word() {
                LastWord::NotNeeded => {
                    tracing::info!(attempt.id = attempt.id.0, "the card no longer needs it; nothing is sent");
                    advance(conn, &live, &attempt, Event::NotNeeded, now)?;
                    return Ok(None);
                }
                LastWord::Closed(gate) => {
                    close(conn, &live, &attempt, gate, now)?;
                    return Ok(None);
                }
                LastWord::Send => {}
            }
            commit_intent(conn, &live, &desk, &case, &attempt, chance, now)
        })
        .await?;
    crash::point("after_intent");
    Ok(intended)
}

/// T4: the order with its key and exact bytes, beside what the card was like before it.
fn commit_intent(
    conn: &Connection,
    live: &Live,
    desk: &Desk,
    case: &Case,
    attempt: &Attempt,
    chance: u128,
    now: UnixTime,
) -> Result<Option<Intended>, StoreError> {
    let looks_back = Snapshot::looks_back(live.capabilities(&case.card.account).cached_for);
    let lately = readings::known_since(conn, case.card.id, now.minus(looks_back), now)?;
    let before = case.poll.recent.latest.as_ref().map(Snapshot::of).unwrap_or_default();
    let before = before.with_lately(lately.iter().flat_map(|reading| &reading.assets));
    let looked = Evidence { transition: "T2", what: "the card before the order".into(), digest: None, at: now };
    let attempt = attempts::set_before(conn, attempt, &before, &looked)?;
    let key = attempts::key_of(conn, attempt.id)?.unwrap_or_else(|| OrderKey::new(chance));
    let order = Order {
        key: key.clone(),
        plan: attempt.plan.clone(),
        payment: attempt.payment.clone(),
        code: attempt.code.clone(),
    };
    match desk.operator.prepare(&case.card, &order) {
        Ok(prepared) => {
            let sent = Sent { key, first_sent_at: now, send_count: 1 };
            let attempt = attempts::start_sending(conn, &attempt, &sent, &prepared, now)?;
            crash::point("in_intent");
            Ok(Some(Intended { attempt, card_name: case.card.name.clone(), prepared, looked_at: now }))
        }
        Err(error) => {
            tracing::error!(attempt.id = attempt.id.0, %error, "the order could not be made");
            close(conn, live, &attempt, Gate::CardState, now)?;
            Ok(None)
        }
    }
}

fn is_planned(attempt: &Attempt) -> bool {
    matches!(attempt.state, AttemptState::Planned { .. })
}

/// A closed gate: one that waiting may open delays the attempt, for two days at most; any other gives it up and is told.
fn close(conn: &Connection, live: &Live, attempt: &Attempt, gate: Gate, now: UnixTime) -> Result<(), StoreError> {
    tracing::info!(attempt.id = attempt.id.0, gate = gate.code(), "a gate is closed; nothing is sent");
    match last_look::held(gate, attempt, now) {
        Held::Until(until) => advance(conn, live, attempt, Event::Delayed { until }, now).map(drop),
        Held::GivenUp => moves::give_up(conn, live, attempt, gate, now),
    }
}

/// What the journal keeps of an order that is about to leave, for the first time or again.
pub(super) fn journal_line(
    attempt: &Attempt,
    card_name: &Name,
    prepared: &PreparedOrder,
    now: UnixTime,
) -> JournalLine {
    JournalLine {
        // The journal counts its own lines.
        sequence: 0,
        attempt: attempt.id,
        card: attempt.card,
        card_name: card_name.clone(),
        account: attempt.account.clone(),
        key: prepared.key.clone(),
        plan_id: attempt.plan.id.clone(),
        price: attempt.plan.price,
        at: now,
    }
}

/// T4's journal line, the one POST, and the outcome committed before anything else is decided.
async fn send(daemon: &Arc<Daemon>, desk: &Arc<Desk>, intended: Intended) -> Result<(), StoreError> {
    let Intended { attempt, card_name, prepared, looked_at } = intended;
    let line = journal_line(&attempt, &card_name, &prepared, daemon.clock.now());
    if let Err(error) = daemon.journal_append(line).await {
        // Nothing has left, so nothing is in doubt.
        record_answer(daemon, attempt, BuyAnswer::NotSent { why: error.to_string() }).await?;
        return Err(error);
    }
    crash::point("after_journal");
    if !look_holds(daemon, looked_at) {
        tracing::info!(
            attempt.id = attempt.id.0,
            "the machine slept; the card is looked at again before the order leaves"
        );
        return look_again(daemon, attempt).await;
    }
    let answer = desk.operator.buy(&prepared).await;
    desk.answered(&answer, daemon.clock.now());
    crash::point("after_post");
    tracing::info!(attempt.id = attempt.id.0, answer = moves::answered(&answer), "the order was answered");
    let moved = record_answer(daemon, attempt, answer).await?;
    crash::point("after_outcome");
    daemon.follow_up(&moved);
    Ok(())
}

/// Whether what was seen at `looked_at` is still good enough to spend money on: a machine may fall asleep at any line.
pub(super) fn look_holds(daemon: &Daemon, looked_at: UnixTime) -> bool {
    last_look::look_holds(looked_at, daemon.clock.passes_in(LOOK_HOLDS), daemon.clock.now())
}

/// T2 from where the order was about to leave: it is planned again, and soon due.
async fn look_again(daemon: &Arc<Daemon>, attempt: Attempt) -> Result<(), StoreError> {
    let (live, now) = (daemon.live(), daemon.clock.now());
    daemon.store.write(move |conn| advance(conn, &live, &attempt, Event::LookedTooLongAgo, now).map(drop)).await?;
    daemon.bells.ring(Round::Renew);
    Ok(())
}

/// Commits what an order came to, on a full disk from the reserve. Where that is used up too, the answer is kept until
/// there is room again: what an operator said once is not thrown away. A process that ends before leaves the order on its
/// way, and the next start looks it up.
async fn record_answer(daemon: &Arc<Daemon>, attempt: Attempt, answer: BuyAnswer) -> Result<Moved, StoreError> {
    let now = daemon.clock.now();
    loop {
        let (live, attempt, answer) = (daemon.live(), attempt.clone(), answer.clone());
        let work = move |conn: &Connection| {
            let moved = advance(conn, &live, &attempt, Event::Answered(answer), now)?;
            crash::point("in_outcome");
            Ok(moved)
        };
        match daemon.store.write_from_reserve(work).await {
            Err(StoreError::DiskFull) if !daemon.stop.is_cancelled() => {
                tracing::error!("the outcome of an order waits for room on the disk");
                daemon.pause(OUTCOME_AGAIN).await;
            }
            written => return written,
        }
    }
}

/// The attempts that the process before this one left on their way become unknown (T7).
pub(super) fn recover(conn: &Connection, live: &Live, now: UnixTime) -> Result<Vec<AttemptId>, StoreError> {
    let left = attempts::sending(conn)?;
    let mut found = Vec::new();
    for attempt in left {
        found.push(attempt.id);
        advance(conn, live, &attempt, Event::FoundSending, now)?;
    }
    Ok(found)
}
