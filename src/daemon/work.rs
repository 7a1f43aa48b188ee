//! Work that runs beside the rounds: one task per account, attempt, card or channel, never two for the same one. A
//! round only hands it out, so a slow operator holds up nobody else.

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::task::TaskTracker;

use super::bells::{Bells, Round};
use crate::domain::attempt::AttemptId;
use crate::domain::card::{CardId, Name};

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
    /// Looking into the wallets.
    Wallets,
    /// Looking for damage in the record.
    Check,
    /// Copying the record.
    Backup,
    /// Delivering over a channel.
    Channel(String),
}

/// The work in hand.
#[derive(Debug)]
pub(super) struct Work {
    tracker: TaskTracker,
    in_hand: Mutex<HashSet<Job>>,
    bells: Arc<Bells>,
}

impl Work {
    /// Nothing in hand yet.
    #[must_use]
    pub(super) fn new(bells: Arc<Bells>) -> Self {
        Self { tracker: TaskTracker::new(), in_hand: Mutex::default(), bells }
    }

    /// Starts `task` for `job`, unless that job is in hand. When it ends, `round` looks again.
    pub(super) fn start(
        self: &Arc<Self>,
        job: Job,
        round: Round,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
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

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(job = ?self.job, "a job ended by a defect of simkeeper; it is taken up again by the record");
        }
        self.work.in_hand.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.job);
        self.work.bells.ring(self.round);
        if self.round != Round::Deliver {
            // Whatever it did may have left something to tell.
            self.work.bells.ring(Round::Deliver);
        }
        self.work.bells.ends();
    }
}
