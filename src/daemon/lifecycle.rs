//! From start to stop: taking up what was left, the loops of the rounds, systemd, signals, and the watchdog, which is
//! fed by finished rounds only.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_cron_scheduler::{Job, JobScheduler};

use super::bells::Round;
use super::clock;
use super::keep_round::Kept;
use super::live::Live;
use super::{Daemon, control, crash, insist, lost_journal, order, pages, roll_back, set_back, watch};
use crate::domain::card::CardId;
use crate::domain::time::{Secs, UnixTime};
use crate::store::attempts;
use crate::store::journal::{self, JournalLine};
use crate::store::polls::{PollUpdate, Seen};
use crate::store::{Connection, Store, StoreError, cards, notices, polls};

/// How long a stop waits for work that is under way; an order on its way is found by the next start.
const STOP_WAITS: Duration = Duration::from_secs(150);
/// The first round after a start is spread over two seconds a call, and this at most.
const SPREAD_MAX: Secs = Secs::minutes(10);

/// Whether the rounds are alive.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// For the watchdog.
    watchdog: Finished,
    /// For the monitor outside.
    heartbeat: Finished,
    failed: AtomicBool,
}

/// Which rounds have finished since somebody last asked.
#[derive(Debug, Default)]
pub(super) struct Finished([AtomicBool; 5]);

impl Finished {
    /// Whether each round has finished since this was last so.
    fn all(&self) -> bool {
        let ready = self.0.iter().all(|finished| finished.load(Ordering::Relaxed));
        if ready {
            for finished in &self.0 {
                finished.store(false, Ordering::Relaxed);
            }
        }
        ready
    }
}

impl Health {
    pub(super) fn finished(&self, round: Round) {
        for asking in [&self.watchdog, &self.heartbeat] {
            asking.0[round as usize].store(true, Ordering::Relaxed);
        }
    }

    /// Whether every round has finished since the last sign of life.
    pub(super) fn may_beat(&self) -> bool {
        self.heartbeat.all()
    }

    /// Notes that this process must not go on.
    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::SeqCst);
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }
}

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// When it cannot listen, or the record failed under it.
pub async fn run(daemon: Arc<Daemon>) -> anyhow::Result<()> {
    let signals = Signals::listen()?;
    let listener = control::bind(&daemon.places.socket)?;
    let control = vital(&daemon, "the control socket", control::serve(Arc::clone(&daemon), listener));
    let for_pages = pages::bind(&daemon).await?;
    let pages = for_pages.map(|listener| vital(&daemon, "the pages", pages::serve(Arc::clone(&daemon), listener)));
    let alarm = alarm(&daemon).await?;
    let rounds = start_rounds(&daemon);
    let signals = vital(&daemon, "listening to signals", watch_signals(Arc::clone(&daemon), signals));
    let watchdog = vital(&daemon, "the watchdog", feed_watchdog(Arc::clone(&daemon)));
    watch::start(daemon.places.config.clone(), Arc::clone(&daemon.bells));
    say(&[NotifyState::Ready, NotifyState::Status(&status(&daemon).await)]);
    let kept = daemon.store.read(cards::count).await?;
    tracing::info!(cards = kept, "ready");

    daemon.stop.cancelled().await;
    say(&[NotifyState::Stopping]);
    daemon.bells.ring_all();
    for round in rounds {
        // A round that panicked has said so; stopping goes on.
        let _ended = round.await;
    }
    if tokio::time::timeout(STOP_WAITS, daemon.work.finish()).await.is_err() {
        tracing::warn!("work was still under way at the end; the next start finds it in the record");
    }
    signals.abort();
    watchdog.abort();
    let _ended = control.await;
    if let Some(pages) = pages {
        let _ended = pages.await;
    }
    if let Some(mut alarm) = alarm {
        let _ended = alarm.shutdown().await;
    }
    for post in daemon.live().posts() {
        post.channel.close().await;
    }
    std::fs::remove_file(&daemon.places.socket).ok();
    let failed = daemon.health.has_failed();
    daemon.store.clone().close().await;
    if failed {
        anyhow::bail!("this process could not go on; see the messages above");
    }
    tracing::info!("stopped");
    Ok(())
}

/// The cron library wakes every round once a minute, in UTC, so that a lost bell or a jump of the clock costs a minute
/// at most. It decides nothing. Clocks that run fast do without it.
async fn alarm(daemon: &Arc<Daemon>) -> anyhow::Result<Option<JobScheduler>> {
    if !daemon.clock.is_real() {
        return Ok(None);
    }
    let scheduler = JobScheduler::new().await?;
    let bells = Arc::clone(&daemon.bells);
    let job = Job::new_async("0 * * * * *", move |_, _| {
        let bells = Arc::clone(&bells);
        Box::pin(async move { bells.ring_all() })
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    Ok(Some(scheduler))
}

fn start_rounds(daemon: &Arc<Daemon>) -> Vec<JoinHandle<()>> {
    Round::ALL.into_iter().map(|round| vital(daemon, round.as_str(), keep_going(Arc::clone(daemon), round))).collect()
}

/// Starts something without which the daemon is none: when it ends before the daemon does, by a defect or by an error,
/// the process ends, and the supervisor starts a whole one.
fn vital<T: Send + 'static>(
    daemon: &Arc<Daemon>,
    what: &'static str,
    task: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let guard = Vital { daemon: Arc::clone(daemon), what };
    tokio::spawn(async move {
        let _guard = guard;
        task.await
    })
}

/// Notices the end of its task, by whatever way.
struct Vital {
    daemon: Arc<Daemon>,
    what: &'static str,
}

impl Drop for Vital {
    fn drop(&mut self) {
        if !self.daemon.stop.is_cancelled() {
            tracing::error!(what = self.what, "a part of the daemon has ended before its time; the process ends");
            self.daemon.health.fail();
            self.daemon.stop.cancel();
        }
    }
}

/// One round after another, with sleep between, until the daemon stops.
async fn keep_going(daemon: Arc<Daemon>, round: Round) {
    let mut kept = Kept::default();
    while !daemon.stop.is_cancelled() {
        crash::point("round");
        let next = daemon.turn(round, &mut kept).await;
        tokio::select! {
            () = daemon.bells.sleep(round, next) => {}
            () = daemon.stop.cancelled() => {}
        }
    }
}

/// The signals that are listened to.
struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

impl Signals {
    /// From here on no signal ends the process by itself; hence this comes before READY is said.
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
        })
    }
}

/// The first signal to end stops in good order, the second ends at once; SIGHUP reloads.
async fn watch_signals(daemon: Arc<Daemon>, signals: Signals) {
    let Signals { mut term, mut int, mut hup } = signals;
    loop {
        tokio::select! {
            _ = hup.recv() => {
                say(&[NotifyState::Reloading, NotifyState::MonotonicUsec(clock::monotonic_micros().into())]);
                daemon.reload().await;
                say(&[NotifyState::Ready, NotifyState::Status(&status(&daemon).await)]);
            }
            _ = term.recv() => stop(&daemon),
            _ = int.recv() => stop(&daemon),
        }
    }
}

fn stop(daemon: &Daemon) {
    if daemon.stop.is_cancelled() {
        tracing::warn!("a second signal: ending at once");
        std::process::exit(1);
    }
    tracing::info!("stopping; a second signal ends at once");
    daemon.stop.cancel();
}

/// Says to systemd that the daemon is well, as long as every round goes on finishing. Rounds with nothing to do sleep for
/// up to a minute, so where the watchdog is more impatient than that they are woken to show that they live.
async fn feed_watchdog(daemon: Arc<Daemon>) {
    let limit = sd_notify::watchdog_enabled();
    let every = limit.map_or(Duration::from_secs(60), |limit| limit / 3);
    loop {
        tokio::time::sleep(every / 2).await;
        if limit.is_some() {
            daemon.bells.ring_all();
        }
        tokio::time::sleep(every / 2).await;
        if daemon.health.watchdog.all() {
            say(&[NotifyState::Watchdog, NotifyState::Status(&status(&daemon).await)]);
        }
    }
}

/// The line that `systemctl status` shows.
async fn status(daemon: &Daemon) -> String {
    let counts = daemon
        .store
        .read(|conn| Ok((cards::count(conn)?, attempts::count_open(conn)?, notices::gauges(conn)?.depth)))
        .await;
    match counts {
        Ok((cards, open, queued)) => format!("{cards} cards, {open} renewals open, {queued} notices queued"),
        Err(_) => "the record cannot be read".to_owned(),
    }
}

fn say(states: &[NotifyState<'_>]) {
    // Without systemd there is nobody to tell.
    let _told = sd_notify::notify(states);
}

/// What a start finds: cards as the files have them, orders left on their way, claims of the process before, and a
/// journal that may know more than the record. Answers the orders that only the journal knows and that wait.
pub(super) async fn take_up(
    store: &Store,
    live: &Arc<Live>,
    journal: &Path,
    now: UnixTime,
) -> anyhow::Result<Vec<JournalLine>> {
    let contents = Arc::new(journal::read(journal)?);
    let (live, read) = (Arc::clone(live), Arc::clone(&contents));
    let (waiting, found) = store
        .write_from_reserve(move |conn| {
            sync_cards(conn, &live, now)?;
            let waiting = roll_back::take_up(conn, &live, &read.lines, now)?;
            lost_journal::take_up(conn, &live, &read, now)?;
            insist::ways_failed(conn, &live, &notices::recover(conn, now)?.dead, now)?;
            set_back::end_waits(conn, now)?;
            let found = order::recover(conn, &live, now)?;
            crash::point("in_take_up");
            Ok((waiting, found))
        })
        .await?;
    if contents.broken_inside {
        lost_journal::set_aside(journal, now)?;
    }
    for attempt in found {
        tracing::warn!(
            attempt.id = attempt.0,
            "an order was on its way when the process ended; it is unknown until settled"
        );
    }
    Ok(waiting)
}

/// Brings the cards of the record in line with the file.
pub(super) fn sync_cards(conn: &Connection, live: &Live, now: UnixTime) -> Result<(), StoreError> {
    let cards: Vec<_> = live.config().rules.cards.iter().map(super::open::new_card).collect();
    let report = cards::sync_file_cards(conn, &cards, now)?;
    // What is another card now is read at once, not when the one before it was due.
    for card in report.changed.iter().chain(&report.revived) {
        let cycle = polls::load(conn, *card)?.cycle;
        polls::save(conn, &[PollUpdate { card: *card, seen: Seen::Nothing, next_poll_at: now, cycle }])?;
    }
    let (added, changed) = (report.added.len() + report.revived.len(), report.changed.len());
    if added + changed + report.retired.len() > 0 {
        tracing::info!(added, changed, retired = report.retired.len(), "cards of rules.toml");
    }
    Ok(())
}

/// The schedule from the record, with what is overdue spread in row order: two seconds a call, ten minutes at most for
/// each account. It is calls that are spread and not cards, so that those which one call can read stay together.
pub(super) async fn spread_first_round(
    store: &Store,
    live: &Live,
    now: UnixTime,
) -> Result<Vec<(CardId, UnixTime)>, StoreError> {
    let mut due = store.read(polls::schedule).await?;
    // A reading that lies further ahead than any can was put off by a clock that has been set back since.
    let latest = now.plus(longest_wait(live));
    let is_overdue = |at: UnixTime| at <= now || at > latest;
    let overdue: Vec<CardId> = due.iter().filter(|(_, at)| is_overdue(*at)).map(|(card, _)| *card).collect();
    let accounts = store.read(move |conn| cards::by_account(conn, &overdue)).await?;
    let mut begins: Vec<(CardId, UnixTime)> = Vec::new();
    for (account, cards) in &accounts {
        begins.extend(spread(cards, live.capabilities(account).read_batch, now));
    }
    begins.sort_unstable_by_key(|(card, _)| *card);
    for (card, at) in due.iter_mut().filter(|(_, at)| is_overdue(*at)) {
        if let Ok(place) = begins.binary_search_by_key(card, |(card, _)| *card) {
            *at = begins[place].1;
        }
    }
    Ok(due)
}

/// No card waits longer for its next reading: the longest of all paces, with room for their spread.
fn longest_wait(live: &Live) -> Secs {
    let paces = live.desks().map(|desk| desk.pace().every.max(desk.pace().at_most));
    Secs(paces.max().unwrap_or(Secs::DAY).max(Secs::DAY).0.saturating_mul(5) / 4)
}

/// When each card of one account is first read: the first call at once, the last at the end of the span.
fn spread(cards: &[CardId], batch: usize, now: UnixTime) -> impl Iterator<Item = (CardId, UnixTime)> {
    let batch = batch.max(1);
    let calls = i64::try_from(cards.len().div_ceil(batch)).unwrap_or(i64::MAX).max(1);
    let span = Secs(calls.saturating_mul(2)).min(SPREAD_MAX).0;
    let calls_of = cards.chunks(batch).zip(0_i64..);
    calls_of.flat_map(move |(cards, call)| {
        let at = now.plus(Secs(call.saturating_mul(span) / calls));
        cards.iter().map(move |card| (*card, at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_round_is_spread_by_calls() {
        let now = UnixTime::clamped(1_800_000_000);
        let cards: Vec<CardId> = (1..=10_000).map(CardId).collect();
        let begins = |batch: usize, count: usize| -> Vec<i64> {
            let mut begins: Vec<i64> = spread(&cards[..count], batch, now).map(|(_, at)| at.since(now).0).collect();
            assert_eq!(begins.len(), count);
            begins.dedup();
            begins
        };
        assert_eq!(begins(1, 4), [0, 2, 4, 6]);
        assert_eq!(begins(500, 4), [0]);
        assert_eq!(begins(10_000, 10_000), [0], "one list, one call");
        assert_eq!(begins(500, 10_000), (0..20).map(|call| call * 2).collect::<Vec<_>>());
        let single = begins(1, 10_000);
        assert_eq!((single[0], single.len()), (0, 600));
        assert!(single[599] < SPREAD_MAX.0);
        assert_eq!(begins(0, 2), [0, 2]);
        assert_eq!(spread(&[], 5, now).count(), 0);
    }
}
