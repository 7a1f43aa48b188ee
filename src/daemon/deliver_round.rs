//! The deliver round: claim, send, settle, per channel, urgent first and then the oldest. A claim counts the try and
//! sets the next one before anything leaves.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::Daemon;
use super::ask_receipts;
use super::bells::Round;
use super::clock::Clock;
use super::crash;
use super::insist;
use super::live::{Live, Post};
use super::work::Job;
use crate::config::Carries;
use crate::domain::card::Name;
use crate::domain::text_limits::TextLimits;
use crate::domain::time::{Secs, UnixTime};
use crate::notify::{DOUBT_WAIT, Delivery, Outgoing};
use crate::store::held;
use crate::store::matters;
use crate::store::notices::{self, Claimed, Outcome, Room};
use crate::store::{Connection, Store, StoreError, text_costs};

/// Notices of one channel that are claimed and not sent yet, at most.
const CLAIMED_MOST: usize = 256;
/// So many are settled, and as many claimed, in one commit: nobody else who writes waits for more.
const COMMITTED_MOST: usize = 128;
/// So many that were sent are settled together while more are waiting; a commit for each would slow the others down.
const SETTLED_AT_ONCE: usize = 32;
/// Nor do they wait longer than this for the next one, since the other side may have fallen silent.
const SETTLED_WITHIN: Duration = Duration::from_secs(1);
/// A channel whose notices could not be settled rests for so long.
const FAILED_RESTS: Secs = Secs::MINUTE;
/// Notices under way at once on one channel.
const IN_FLIGHT: usize = 8;

/// Hands each channel that has something to its task; answers when the next notice is due.
///
/// # Errors
/// When the record cannot be read.
pub(super) async fn round(daemon: &Arc<Daemon>) -> Result<Option<UnixTime>, StoreError> {
    let now = daemon.clock.now();
    let live = daemon.live();
    let mut first = tell_again(daemon, now).await?;
    for post in live.posts() {
        let (channel, job) = (post.name.clone(), Job::Channel(post.name.to_string()));
        if daemon.work.has(&job) {
            continue;
        }
        let (next, left) = daemon
            .store
            .read(move |conn| Ok((notices::next_due(conn, &channel, now)?, notices::is_claimed(conn, &channel)?)))
            .await?;
        let asked = ask_receipts::next(daemon, post, now).await?;
        let next = next.into_iter().chain(asked).min();
        if !left {
            let Some(next) = next else { continue };
            if next > now {
                first = Some(first.map_or(next, |first: UnixTime| first.min(next)));
                continue;
            }
        }
        let (task_daemon, post) = (Arc::clone(daemon), Arc::clone(post));
        daemon.work.start(job, Round::Deliver, async move {
            if let Err(error) = take_up_and_deliver(&task_daemon, &post, left).await {
                tracing::error!(channel = %post.name, %error, "notices could not be settled");
                task_daemon.store_failed(&error);
                // On a full disk it would fail so again at once.
                task_daemon.pause(FAILED_RESTS).await;
            }
        });
    }
    Ok(first)
}

/// Tells again, or passes on, what is due for that; answers when the next of it is.
async fn tell_again(daemon: &Arc<Daemon>, now: UnixTime) -> Result<Option<UnixTime>, StoreError> {
    let next = daemon.store.read(matters::next_due).await?;
    if next.is_none_or(|next| next > now) {
        return Ok(next);
    }
    let live = daemon.live();
    daemon.store.write(move |conn| insist::go_on(conn, &live, now)).await?;
    daemon.store.read(matters::next_due).await
}

/// What a task of this channel left on its way, because it ended by a defect or on a full disk, is queued again first;
/// what waited for the end of quiet hours becomes one message. In the end it is asked what became of texts.
async fn take_up_and_deliver(daemon: &Arc<Daemon>, post: &Arc<Post>, left: bool) -> Result<(), StoreError> {
    if left {
        let (channel, live, now) = (post.name.clone(), daemon.live(), daemon.clock.now());
        let take_up = move |conn: &Connection| {
            let left = notices::recover_channel(conn, &channel, now)?;
            insist::ways_failed(conn, &live, &left.dead, now)
        };
        daemon.store.write(take_up).await?;
    }
    let (channel, now) = (post.name.clone(), daemon.clock.now());
    if daemon.store.read(move |conn| held::is_due(conn, &channel, now)).await? {
        let (live, post) = (daemon.live(), Arc::clone(post));
        daemon.store.write(move |conn| super::held::gather(conn, &live, &post, now)).await?;
    }
    let live = daemon.live();
    deliver_for(&daemon.store, &daemon.clock, post, Some(&live), &daemon.stop).await?;
    ask_receipts::ask(daemon, post).await
}

/// Sends what is due over one channel until nothing is. While notices are on their way, those that were sent are settled
/// and further ones claimed, in one commit after the other, so that neither the other side nor the disk waits.
///
/// # Errors
/// When the record cannot be written; what was sent by then stays claimed, and is taken up by the next task or start.
pub async fn deliver(store: &Store, clock: &Clock, post: &Post) -> Result<(), StoreError> {
    deliver_for(store, clock, post, None, &CancellationToken::new()).await
}

/// As [`deliver`]; what will never go out over this channel goes over another as the files say, and what is not claimed when
/// it is to stop waits for the next start.
async fn deliver_for(
    store: &Store,
    clock: &Clock,
    post: &Post,
    live: Option<&Arc<Live>>,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let begin = |notice| send(post, live, notice, clock.now());
    let (mut ready, mut sending, mut sent) = (VecDeque::new(), FuturesUnordered::new(), Vec::new());
    let (mut suspect, mut sent_meanwhile) = (None, 0);
    loop {
        let settles: Vec<(Claimed, Delivery)> = sent.drain(..sent.len().min(COMMITTED_MOST)).collect();
        let anything_settles = !settles.is_empty();
        suspect = suspect.filter(|id| settles.iter().all(|(notice, _)| notice.id != *id));
        let most = if stop.is_cancelled() { 0 } else { claimed_most(post, sent_meanwhile) };
        let most = most.saturating_sub(ready.len() + sending.len());
        let room = Room { suspect: suspect.is_none(), ..Room::of(most.min(COMMITTED_MOST)) };
        let left = sent.len();
        let settled = settle_and_claim(store, post, live, settles, room, clock.now());
        let mut settled = std::pin::pin!(settled);
        let claimed = loop {
            tokio::select! {
                // In this order, and not in one by chance: what happens depends on what has come alone.
                biased;
                claimed = &mut settled => break claimed?,
                Some(one) = sending.next() => sent.push(one),
            }
            keep_busy(&sending, &mut ready, begin);
        };
        sent_meanwhile = sent.len() - left;
        if anything_settles {
            crash::point("after_settled");
        }
        if !claimed.is_empty() {
            crash::point("after_claim");
        }
        suspect = suspect.or_else(|| claimed.iter().find(|notice| notice.suspect).map(|notice| notice.id));
        line_up(&mut ready, claimed);
        keep_busy(&sending, &mut ready, begin);
        while sent.is_empty() || (sent.len() < SETTLED_AT_ONCE && !ready.is_empty()) {
            let one = if sent.is_empty() { sending.next().await } else { in_time(sending.next()).await };
            match one {
                Some(one) => sent.push(one),
                None if sent.is_empty() => return Ok(()),
                None => break,
            }
            keep_busy(&sending, &mut ready, begin);
        }
    }
}

async fn in_time<T>(next: impl Future<Output = Option<T>>) -> Option<T> {
    tokio::time::timeout(SETTLED_WITHIN, next).await.ok().flatten()
}

/// As many as the other side takes while the disk commits twice, and then some, since what is claimed in one commit is sent
/// during the next: whatever is claimed when the process ends is suspected of it. A text that may have been sent is not sent
/// again, since that costs money, so no more are claimed than are under way.
fn claimed_most(post: &Post, sent_meanwhile: usize) -> usize {
    match post.carries {
        Carries::Sms => IN_FLIGHT,
        Carries::Mail | Carries::Push | Carries::Document => CLAIMED_MOST.min(2 * IN_FLIGHT + 3 * sent_meanwhile),
    }
}

/// What is urgent goes before what was claimed earlier and still waits.
fn line_up(ready: &mut VecDeque<Claimed>, claimed: Vec<Claimed>) {
    ready.extend(claimed);
    ready.make_contiguous().sort_by_key(|notice| !notice.urgent);
}

fn keep_busy<F: Future>(sending: &FuturesUnordered<F>, ready: &mut VecDeque<Claimed>, begin: impl Fn(Claimed) -> F) {
    while sending.len() < IN_FLIGHT
        && let Some(notice) = ready.pop_front()
    {
        sending.push(begin(notice));
    }
}

async fn send(post: &Post, live: Option<&Arc<Live>>, notice: Claimed, now: UnixTime) -> (Claimed, Delivery) {
    let delivery = post.channel.send(&outgoing(post, &notice, live, now)).await;
    crash::point("after_send");
    (notice, delivery)
}

fn outgoing(post: &Post, notice: &Claimed, live: Option<&Arc<Live>>, now: UnixTime) -> Outgoing {
    let id = word_of(&notice.message_id);
    let approvals = live.and_then(|live| live.approvals()).filter(|_| post.receipts);
    Outgoing {
        id: id.to_owned(),
        address: notice.address.clone(),
        from: post.from.clone(),
        sent_at: now,
        bytes: notice.bytes.clone(),
        expires_at: notice.expires_at,
        receipts: approvals.and_then(|approvals| approvals.receipts_of(id)),
    }
}

/// The part of a message id that gateways and file names take: what stands before the `@`.
pub(super) fn word_of(message_id: &str) -> &str {
    message_id.trim_start_matches('<').split('@').next().unwrap_or(message_id)
}

/// One transaction, so that a channel at work pays for one sync for all that was sent since the last one.
async fn settle_and_claim(
    store: &Store,
    post: &Post,
    live: Option<&Arc<Live>>,
    sent: Vec<(Claimed, Delivery)>,
    room: Room,
    now: UnixTime,
) -> Result<Vec<Claimed>, StoreError> {
    let settled: Vec<_> = sent
        .into_iter()
        .map(|(notice, delivery)| {
            log(post, &notice, &delivery);
            (notice.id, notice.attempt_no, outcome(&notice, delivery, now))
        })
        .collect();
    let (channel, live, limits) = (post.name.clone(), live.cloned(), post.texts);
    store
        .write_from_reserve(move |conn| {
            for (id, attempt_no, outcome) in settled {
                let counts = notices::settle(conn, id, attempt_no, &outcome, now)?;
                if let (true, Some(live), Outcome::Dead { .. }) = (counts, &live, &outcome) {
                    insist::way_failed(conn, live, id, now)?;
                }
            }
            let claimed = claim(conn, &channel, limits, room, live.as_deref(), now)?;
            if !claimed.is_empty() {
                crash::point("in_claim");
            }
            Ok(claimed)
        })
        .await
}

/// Claims what is due, as far as the limits of texts have room; the rest waits, and what cannot wait goes over other ways.
fn claim(
    conn: &Connection,
    channel: &Name,
    limits: Option<TextLimits>,
    room: Room,
    live: Option<&Live>,
    now: UnixTime,
) -> Result<Vec<Claimed>, StoreError> {
    let Some(limits) = limits else { return notices::claim_within(conn, channel, room, now) };
    let texts = limits.room(text_costs::sent(conn, channel, now)?);
    let claimed = notices::claim_within(conn, channel, Room { texts, ..room }, now)?;
    let left = limits.room(text_costs::sent(conn, channel, now)?);
    for notice in text_costs::wait(conn, channel, left, now)? {
        if let Some(live) = live {
            insist::way_failed(conn, live, notice, now)?;
        }
    }
    Ok(claimed)
}

/// A text is paid for each time: one that may have arrived is sent once more if it is urgent, and else never.
fn outcome(notice: &Claimed, delivery: Delivery, now: UnixTime) -> Outcome {
    match delivery {
        Delivery::Sent { remote } => Outcome::Sent { remote },
        Delivery::Retry { why, not_before } => {
            Outcome::Retry { why, not_before: not_before.map(|wait| now.plus(wait)) }
        }
        Delivery::Dead { why } => Outcome::Dead { why },
        Delivery::Doubtful { why } if notice.resend_costs && (!notice.urgent || notice.attempt_no > 1) => {
            Outcome::Dead { why: format!("{why}; it may have arrived, and sending it again costs money") }
        }
        Delivery::Doubtful { why } => Outcome::Retry { why, not_before: Some(now.plus(DOUBT_WAIT)) },
    }
}

fn log(post: &Post, notice: &Claimed, delivery: &Delivery) {
    match delivery {
        Delivery::Sent { .. } => tracing::info!(notice.id = notice.id.0, channel = %post.name, "notice sent"),
        Delivery::Retry { why, .. } | Delivery::Doubtful { why } => {
            tracing::warn!(notice.id = notice.id.0, channel = %post.name, why, "a notice was not delivered; it will be tried again");
        }
        Delivery::Dead { why } => {
            tracing::error!(notice.id = notice.id.0, channel = %post.name, why, "a notice cannot be delivered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::{NoticeId, NoticeKind};

    fn claimed(id: i64, urgent: bool) -> Claimed {
        Claimed {
            id: NoticeId(id),
            attempt_no: 1,
            kind: NoticeKind::Bought,
            person: Name::parse("anna").unwrap(),
            address: "anna@example.net".to_owned(),
            subject: String::new(),
            message_id: format!("<{id}@example.net>"),
            bytes: Vec::new(),
            urgent,
            resend_costs: false,
            suspect: false,
            expires_at: UnixTime::MAX,
        }
    }

    #[test]
    fn what_is_urgent_overtakes_what_waits_and_nothing_else_does() {
        let mut ready = VecDeque::from([claimed(1, true), claimed(2, false), claimed(3, false)]);
        line_up(&mut ready, vec![claimed(4, true), claimed(5, true), claimed(6, false)]);
        let order: Vec<i64> = ready.iter().map(|notice| notice.id.0).collect();
        assert_eq!(order, [1, 4, 5, 2, 3, 6]);
    }
}
