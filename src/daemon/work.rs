//! Work that runs beside the rounds: one task per account, attempt, card or channel, never two for the same one. A
//! round only hands it out, so a slow operator holds up nobody else.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::task::TaskTracker;

use super::bells::{Bells, Round};
use crate::domain::attempt::AttemptId;
use crate::domain::card::{CardId, Name};
use crate::domain::time::{Secs, UnixTime};

/// A job that ended by a defect is not taken up again before this is over: it might end so each time, as fast as it can
/// be started.
const FALLEN_RESTS: Secs = Secs::MINUTE;

/// Something that is worked on by one task at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Job {
    /// Reading the cards of an account.
    Account(Name),
    /// Beginning a renewal.
    Card(CardId),
    /// Moving an attempt.
    Attempt(AttemptId),
    /// Looking for orders that were taken back.
    LateChanges,
    /// Looking for new cards of an account.
    Discovery(Name),
    /// Making digests.
    Digests,
    /// Looking into the wallets.
    Wallets,
    /// Looking for damage in the record.
    Check,
    /// Copying the record.
    Backup,
    /// Sending a sign of life.
    Heartbeat,
    /// Delivering over a channel.
    Channel(String),
}

/// The work in hand.
#[derive(Debug)]
pub(super) struct Work {
    tracker: TaskTracker,
    in_hand: Mutex<HashSet<Job>>,
    /// Jobs that ended by a defect, and until when they rest.
    fallen: Mutex<HashMap<Job, UnixTime>>,
    bells: Arc<Bells>,
}

impl Work {
    /// Nothing in hand yet.
    #[must_use]
    pub(super) fn new(bells: Arc<Bells>) -> Self {
        Self { tracker: TaskTracker::new(), in_hand: Mutex::default(), fallen: Mutex::default(), bells }
    }

    /// Starts `task` for `job`, unless that job is in hand or rests. When it ends, `round` looks again.
    pub(super) fn start(
        self: &Arc<Self>,
        job: Job,
        round: Round,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
        if self.rests(&job) {
            return false;
        }
        if !self.in_hand.lock().unwrap_or_else(PoisonError::into_inner).insert(job.clone()) {
            return false;
        }
        self.bells.begins();
        let guard = Guard { work: Arc::clone(self), job, round };
        self.tracker.spawn(async move {
            let _guard = guard;
            task.await;
        });
        true
    }

    /// Waits until nothing is in hand.
    pub(super) async fn rest(&self) {
        self.finish().await;
        self.tracker.reopen();
    }

    /// Whether a job is in hand.
    pub(super) fn has(&self, job: &Job) -> bool {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner).contains(job)
    }

    fn rests(&self, job: &Job) -> bool {
        let now = self.bells.now();
        let mut fallen = self.fallen.lock().unwrap_or_else(PoisonError::into_inner);
        fallen.retain(|_, until| *until > now);
        fallen.contains_key(job)
    }

    /// Waits until everything in hand has ended; nothing new should be started.
    pub(super) async fn finish(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// Takes the job out of hand when its task ends, by whatever way.
struct Guard {
    work: Arc<Work>,
    job: Job,
    round: Round,
}

impl Guard {
    /// No round reckons with what was due already, so all are woken for it: an order left on its way is another round's.
    fn wake_after_rest(&self) {
        let (work, wait) = (Arc::clone(&self.work), self.work.bells.machine_wait(FALLEN_RESTS));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::time::sleep(wait).await;
                work.bells.ring_all();
            });
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(job = ?self.job, "a job ended by a defect of simkeeper; it is taken up again by the record");
            let until = self.work.bells.now().plus(FALLEN_RESTS);
            self.work.fallen.lock().unwrap_or_else(PoisonError::into_inner).insert(self.job.clone(), until);
            self.wake_after_rest();
        }
        self.work.in_hand.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.job);
        self.work.bells.ring(self.round);
        if matches!(self.job, Job::Attempt(_)) {
            // An order whose outcome could not be recorded is on its way without a sender, and the settle round's.
            self.work.bells.ring(Round::Settle);
        }
        if self.round != Round::Deliver {
            // Whatever it did may have left something to tell.
            self.work.bells.ring(Round::Deliver);
        }
        self.work.bells.ends();
    }
}
