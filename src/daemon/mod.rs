//! The rounds: poll, renew, settle, deliver, keep; what wakes them and what they share.
//!
//! A round looks into the record for what is due, hands it to tasks, and says when it is due again. The decisions are
//! `domain`'s; what is written is in `judge` (readings), `moves` (attempts) and `tell` (notices), each in one
//! transaction. `order` alone spends money.

pub mod approval;
pub mod ask_receipts;
pub mod bells;
pub mod case;
pub mod clock;
pub mod control;
pub use crate::store::crash;
mod deliver_round;
pub mod desk;
mod digest_caps;
mod digest_cards;
mod digest_round;
#[cfg(test)]
mod digest_tests;
pub(crate) mod discovery;
mod discovery_round;
mod fresh;
mod health_check;
mod held;
mod insist;
mod judge;
mod keep_round;
mod late_changes;
mod lifecycle;
pub mod live;
mod lost_journal;
mod moves;
mod offers;
pub(crate) mod open;
pub mod opener;
mod order;
mod pages;
pub mod people;
mod poll_round;
#[cfg(test)]
mod receipt_tests;
mod receipts;
mod reload;
mod renew_round;
pub mod request;
#[cfg(test)]
mod rig;
mod roll_back;
#[cfg(test)]
mod routing_tests;
mod schedule;
mod set_back;
mod settle_round;
pub mod shared_limits;
mod tell;
mod text_answers;
mod turns;
mod wallet_watch;
pub mod wallets;
mod watch;
#[cfg(test)]
mod watcher_tests;
mod way;
mod ways_about;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use self::bells::{Bells, Round};
use self::clock::Clock;
use self::live::{Live, Surroundings};
use self::moves::Moved;
use self::opener::{ByFiles, Opener};
use self::schedule::Schedule;
use self::work::Work;
use crate::domain::approval::Guesses;
use crate::domain::attempt::StateName;
use crate::domain::card::CardId;
use crate::domain::time::{Secs, UnixTime};

use crate::store::backup::{self, Backup};
use crate::store::journal::{JournalLine, OrderJournal};
use crate::store::{Store, StoreError};

pub use self::deliver_round::deliver;
pub use self::lifecycle::run;
pub use self::turns::{Rest, Turns};

/// Where everything lies.
#[derive(Clone, Debug)]
pub struct Places {
    /// The folder of `simkeeper.toml` and `rules.toml`.
    pub config: PathBuf,
    /// The folder of the record, the journal and the copies.
    pub state: PathBuf,
    /// The control socket.
    pub socket: PathBuf,
    /// systemd's folder of credentials.
    pub credentials: Option<PathBuf>,
}

impl Places {
    /// Where secrets and the maildir are.
    #[must_use]
    pub fn surroundings(&self) -> Surroundings {
        Surroundings { credentials: self.credentials.clone(), state: self.state.clone(), config: self.config.clone() }
    }

    /// Where the files that are at work are kept.
    #[must_use]
    pub fn files_at_work(&self) -> PathBuf {
        self.state.join("files-at-work")
    }

    /// The journal of orders.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.state.join("orders.journal")
    }
}

/// The daemon at work.
pub struct Daemon {
    /// Where everything lies.
    pub places: Places,
    /// The record.
    pub store: Store,
    /// What tells the time.
    pub clock: Arc<Clock>,
    /// What wakes the rounds.
    pub bells: Arc<Bells>,
    /// Ends the daemon.
    pub stop: CancellationToken,
    work: Arc<Work>,
    opener: Arc<dyn Opener>,
    live: RwLock<Arc<Live>>,
    journal: Arc<Mutex<OrderJournal>>,
    /// Whether a check has found damage in the record: nothing is bought by it then.
    damaged: AtomicBool,
    /// Orders that only the journal knows and that wait until their card has no other open question.
    only_in_journal: Mutex<Vec<JournalLine>>,
    schedule: Mutex<Schedule>,
    latest: set_back::Latest,
    wanted: Mutex<BTreeSet<CardId>>,
    files: Mutex<reload::Files>,
    health: lifecycle::Health,
    /// Codes of nobody that were typed lately, by where they came in.
    guesses: Mutex<BTreeMap<String, Guesses>>,
}

impl Daemon {
    /// Opens the record and everything that the files name, brings the record in line with the files, and takes up what
    /// the process before this one left.
    ///
    /// # Errors
    /// When the files have errors, another daemon holds the record, or the record is not ours to open.
    pub async fn open(places: Places, clock: Arc<Clock>) -> anyhow::Result<Arc<Self>> {
        Self::open_with(places, clock, Arc::new(ByFiles)).await
    }

    /// As [`open`](Self::open), with operators and channels made by `opener`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(places: Places, clock: Arc<Clock>, opener: Arc<dyn Opener>) -> anyhow::Result<Arc<Self>> {
        let now = clock.now();
        let files = reload::Files::read(&places.config);
        let config = opener.files(&places.config, now.date_in(&TimeZone::UTC))?;
        let store = opener.record(&places.state, now)?;
        reload::keep_copy(&places);
        let fares = store.read(move |conn| reload::stored_fares(conn, now)).await?;
        let live = Arc::new(Live::build(config, &places.surroundings(), &*opener, &fares).await?);
        if store.check_due() {
            store.check().await?;
        }
        // Read before it is opened: opening cuts off a line that was being written when the process before ended.
        let only_in_journal = lifecycle::take_up(&store, &live, &places.journal(), now).await?;
        let damaged = store.read(health_check::was_damaged).await?;
        let journal = OrderJournal::open(&places.journal())?;
        let schedule = Schedule::new(lifecycle::spread_first_round(&store, &live, now).await?);
        let bells = Arc::new(Bells::new(Arc::clone(&clock)));
        Ok(Arc::new(Self {
            work: Arc::new(Work::new(Arc::clone(&bells))),
            places,
            store,
            clock,
            opener,
            bells,
            stop: CancellationToken::new(),
            live: RwLock::new(live),
            journal: Arc::new(Mutex::new(journal)),
            damaged: AtomicBool::new(damaged),
            only_in_journal: Mutex::new(only_in_journal),
            schedule: Mutex::new(schedule),
            wanted: Mutex::default(),
            files: Mutex::new(files),
            health: lifecycle::Health::default(),
            latest: set_back::Latest::new(now),
            guesses: Mutex::default(),
        }))
    }

    /// What the files say at present.
    #[must_use]
    pub fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Today, for warnings about rules that are over.
    fn today(&self) -> Date {
        self.clock.now().date_in(&TimeZone::UTC)
    }

    fn set_live(&self, live: Arc<Live>) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = live;
        self.bells.ring_all();
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more code may be tried where wrong ones came from lately.
    fn hears(&self, door: &str, now: UnixTime) -> bool {
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        guesses.entry(door.to_owned()).or_default().may_try(now)
    }

    fn heard_a_guess(&self, door: String, now: UnixTime) {
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        guesses.entry(door).or_default().note(now);
    }

    /// Reads a card at the next round.
    pub fn hurry(&self, card: CardId) {
        self.schedule().hurry(card);
        self.bells.ring(Round::Poll);
    }

    fn want_renewed(&self, cards: impl Iterator<Item = CardId>) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let before = wanted.len();
        wanted.extend(cards);
        if wanted.len() > before {
            self.bells.ring(Round::Renew);
        }
        self.bells.ring(Round::Deliver);
    }

    fn take_wanted(&self) -> BTreeSet<CardId> {
        std::mem::take(&mut *self.wanted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Appends to the journal of orders and syncs it; nothing is sent unless this succeeds.
    async fn journal_append(&self, line: JournalLine) -> Result<(), StoreError> {
        let journal = Arc::clone(&self.journal);
        let appended = self.store.aside(move || {
            let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
            let sequence = journal.next_sequence();
            journal.append(&JournalLine { sequence, ..line })
        });
        match appended.await {
            Ok(result) => result,
            Err(_) => Err(StoreError::Broken { why: "the journal of orders could not be written".into() }),
        }
    }

    /// Waits, or until the daemon stops.
    async fn pause(&self, length: Secs) {
        let wait = self.clock.machine_wait(self.clock.now().plus(length));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Wakes the rounds that go on with an attempt.
    fn follow_up(&self, moved: &Moved) {
        self.bells.ring(Round::Deliver);
        match moved.state {
            StateName::Planned => self.bells.ring(Round::Renew),
            StateName::Pending | StateName::Accepted | StateName::Unknown | StateName::Human => {
                self.bells.ring(Round::Settle);
            }
            StateName::Refused | StateName::Absent | StateName::Abandoned | StateName::Reversed | StateName::Done => {
                self.hurry(moved.card);
            }
            StateName::Sending => {}
        }
    }

    /// A record that cannot be synced is not written to again in this process: the supervisor starts a new one.
    fn store_failed(&self, error: &StoreError) {
        // While the daemon works, a closed record means that its writer has ended.
        let closed = matches!(error, StoreError::Closed) && !self.stop.is_cancelled();
        if error.is_fatal() || closed {
            tracing::error!(%error, "the record cannot be trusted by this process any more; it ends");
            self.health.fail();
            self.stop.cancel();
        }
    }

    /// Makes a copy of the record and proves it.
    ///
    /// # Errors
    /// When it cannot be written or does not prove right.
    pub async fn back_up(&self) -> Result<Backup, StoreError> {
        let (folder, now) = (self.places.state.clone(), self.clock.now());
        let made = self.store.aside(move || backup::make(&folder, now, keep_round::BACKUPS_KEPT));
        match made.await {
            Ok(made) => made,
            Err(_) => Err(StoreError::Broken { why: "the copy was not finished".into() }),
        }
    }
}
