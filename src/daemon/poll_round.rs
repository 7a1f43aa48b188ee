//! The poll round: what is due is handed to its accounts' desks; each desk is worked off by one task, in batches as
//! large as its operator allows, so that no operator waits for another.
//!
//! Where one call reads many cards, what is due a little later is read along with what is due now. Without that, the
//! spread of the due times would hand over a few cards at a time, and an operator whose cards come in one list would be
//! asked for the whole list again for each few. A card is only ever read earlier by this, never later, and a fleet that
//! was read together stays together.

use std::sync::Arc;

use futures_util::StreamExt;

use super::Daemon;
use super::bells::Round;
use super::crash;
use super::desk::Desk;
use super::judge::{Judged, judge};
use super::live::Live;
use super::work::Job;
use crate::domain::card::{Card, CardId};
use crate::domain::operator::OperatorError;
use crate::domain::reading::Reading;
use crate::domain::time::{Secs, UnixTime};
use crate::operators::Answer;
use crate::store::accounts::{self, AccountState};
use crate::store::{StoreError, cards};

/// Cards taken from the schedule at once.
const TAKEN_AT_ONCE: usize = 8_192;
/// Cards recorded in one transaction.
const RECORDED_AT_ONCE: usize = 1_024;
/// What could not be recorded is read again this much later.
const RECORD_AGAIN: Secs = Secs::minutes(5);
/// A card whose own row stops it is looked at again this much later.
const POISONED_AGAIN: Secs = Secs::HOUR;
/// Requests under way at once for one account.
const IN_FLIGHT: usize = 8;
/// Cards read in one turn at most, whatever an operator's calls may hold, so that memory stays bounded.
const READ_AT_ONCE_MAX: usize = 65_536;
/// What is due within this part of the time between two readings is read along: due times are spread by a twentieth
/// either way, so that this gathers a whole fleet.
const ALONG_PART: i64 = 8;

/// Hands out what is due; answers when the next card is.
///
/// # Errors
/// When the record cannot be read.
pub(super) async fn round(daemon: &Arc<Daemon>) -> Result<Option<UnixTime>, StoreError> {
    let now = daemon.clock.now();
    let live = daemon.live();
    loop {
        let due = daemon.schedule().take(now, TAKEN_AT_ONCE);
        if due.is_empty() {
            break;
        }
        hand_out(daemon, &live, due, now).await?;
    }
    gather(daemon, &live, now).await?;
    for desk in live.desks() {
        work_off(daemon, desk);
    }
    Ok(daemon.schedule().next())
}

/// Queues cards at the desks of their accounts.
async fn hand_out(daemon: &Arc<Daemon>, live: &Live, due: Vec<CardId>, now: UnixTime) -> Result<(), StoreError> {
    for (account, cards) in daemon.store.read(move |conn| cards::by_account(conn, &due)).await? {
        match live.desk(&account) {
            Some(desk) => {
                daemon.schedule().belong(&cards, live.place(&account));
                desk.queue(cards);
            }
            None => postpone(daemon, &cards, now.plus(Secs::HOUR)),
        }
    }
    Ok(())
}

/// Fills the calls of desks that have something waiting and can read many cards at once.
async fn gather(daemon: &Arc<Daemon>, live: &Live, now: UnixTime) -> Result<(), StoreError> {
    for desk in live.desks() {
        let batch = desk.operator.capabilities().read_batch;
        if batch <= 1 || !desk.has_backlog() || desk.left_alone_until(now).is_some() {
            continue;
        }
        let until = now.plus(Secs(desk.pace().every.0 / ALONG_PART));
        let along = daemon.schedule().take_along(live.place(&desk.account.name), until, READ_AT_ONCE_MAX);
        if !along.is_empty() {
            hand_out(daemon, live, along, now).await?;
        }
    }
    Ok(())
}

/// Starts the task of a desk that has something waiting, unless it is at work.
fn work_off(daemon: &Arc<Daemon>, desk: &Arc<Desk>) {
    if !desk.has_backlog() {
        return;
    }
    let (task_daemon, task_desk) = (Arc::clone(daemon), Arc::clone(desk));
    daemon.work.start(Job::Account(desk.account.name.clone()), Round::Poll, async move {
        // What is still waiting when the daemon stops is due at the next start.
        while !task_daemon.stop.is_cancelled() {
            let batch = task_desk.operator.capabilities().read_batch.min(READ_AT_ONCE_MAX);
            let taken = task_desk.take(batch.max(RECORDED_AT_ONCE));
            if taken.is_empty() {
                return;
            }
            let mut hold = Hold { daemon: Arc::clone(&task_daemon), cards: taken.clone() };
            if let Err(error) = read_and_record(&task_daemon, &task_desk, &taken).await {
                tracing::error!(account = %task_desk.account.name, %error, "readings could not be recorded");
                task_daemon.store_failed(&error);
                return;
            }
            hold.cards.clear();
        }
    });
}

/// Cards that have left the schedule and must come back to it, whatever ends their turn: an error or a defect.
struct Hold {
    daemon: Arc<Daemon>,
    cards: Vec<CardId>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        postpone(&self.daemon, &self.cards, self.daemon.clock.now().plus(RECORD_AGAIN));
    }
}

/// Reads cards and records what came; cards of an operator that is to be left alone wait.
async fn read_and_record(daemon: &Arc<Daemon>, desk: &Arc<Desk>, taken: &[CardId]) -> Result<(), StoreError> {
    let now = daemon.clock.now();
    if let Some(until) = desk.left_alone_until(now) {
        postpone(daemon, taken, until);
        return Ok(());
    }
    let wanted = taken.to_vec();
    let cards = daemon.store.read(move |conn| cards::by_ids(conn, &wanted)).await?;
    let fared = desk.stored();
    let (mut cards, mut answers) = (cards.clone(), read(desk, &cards, now).await);
    keep_fares(daemon, desk, &fared).await?;
    // One call may hold more than one transaction should.
    while !cards.is_empty() {
        let first = RECORDED_AT_ONCE.min(cards.len());
        let (later_cards, later_answers) = (cards.split_off(first), answers.split_off(first.min(answers.len())));
        let judged = record(daemon, cards, answers, now).await?;
        crash::point("after_reading");
        (cards, answers) = (later_cards, later_answers);
        // What was not judged (a card retired meanwhile) leaves the schedule.
        let mut schedule = daemon.schedule();
        for judged in &judged {
            schedule.put(judged.card, judged.next_poll_at);
        }
        drop(schedule);
        daemon.want_renewed(judged.iter().filter(|judged| judged.renew).map(|judged| judged.card));
    }
    Ok(())
}

/// Records how the operator fares as soon as that changes, so that `status` does not call one reachable that is not.
async fn keep_fares(daemon: &Arc<Daemon>, desk: &Arc<Desk>, before: &AccountState) -> Result<(), StoreError> {
    let fares = desk.stored();
    if fares == *before {
        return Ok(());
    }
    let name = desk.account.name.clone();
    daemon.store.write(move |conn| accounts::save(conn, &name, &fares)).await
}

/// Asks the operator, several requests at once; one answer per card, in their order.
async fn read(desk: &Desk, cards: &[Card], now: UnixTime) -> Vec<Result<Reading, OperatorError>> {
    let batch = desk.operator.capabilities().read_batch.max(1);
    let calls: Vec<Answer<'_, Vec<Result<Reading, OperatorError>>>> =
        cards.chunks(batch).map(|chunk| Box::pin(read_chunk(desk, chunk, now)) as Answer<'_, _>).collect();
    futures_util::stream::iter(calls).buffered(IN_FLIGHT).concat().await
}

/// One request. Once the operator asks to be left alone, what is left of this turn is not sent.
async fn read_chunk(desk: &Desk, chunk: &[Card], now: UnixTime) -> Vec<Result<Reading, OperatorError>> {
    if let Some(until) = desk.left_alone_until(now) {
        let why = "the operator is left alone for now".to_owned();
        return vec![Err(OperatorError::Later { retry_after: Some(until.since(now)), why }); chunk.len()];
    }
    let answers = desk.operator.read(chunk, now).await;
    desk.read(&answers, now);
    answers
}

/// Records answers in one transaction. If one card's own row stops that, each is recorded alone, and only that one is
/// left for later.
async fn record(
    daemon: &Arc<Daemon>,
    cards: Vec<Card>,
    answers: Vec<Result<Reading, OperatorError>>,
    now: UnixTime,
) -> Result<Vec<Judged>, StoreError> {
    let (live, together) = (daemon.live(), cards.iter().cloned().zip(answers.iter().cloned()).collect::<Vec<_>>());
    let all = daemon
        .store
        .write(move |conn| together.into_iter().map(|(card, answer)| judge(conn, &live, card, answer, now)).collect())
        .await;
    match all {
        Err(error) if !error.is_fatal() && error != StoreError::DiskFull => {
            tracing::warn!(%error, "readings are recorded one by one");
            Ok(record_alone(daemon, cards, answers, now).await)
        }
        all => all,
    }
}

async fn record_alone(
    daemon: &Arc<Daemon>,
    cards: Vec<Card>,
    answers: Vec<Result<Reading, OperatorError>>,
    now: UnixTime,
) -> Vec<Judged> {
    let mut judged = Vec::new();
    for (card, answer) in cards.into_iter().zip(answers) {
        let (id, live) = (card.id, daemon.live());
        match daemon.store.write(move |conn| judge(conn, &live, card, answer, now)).await {
            Ok(one) => judged.push(one),
            Err(error) => {
                tracing::error!(card.id = id.0, %error, "this card could not be recorded; the others go on");
                postpone(daemon, &[id], now.plus(POISONED_AGAIN));
            }
        }
    }
    judged
}

fn postpone(daemon: &Daemon, cards: &[CardId], until: UnixTime) {
    let mut schedule = daemon.schedule();
    for card in cards {
        schedule.put(*card, until);
    }
}
