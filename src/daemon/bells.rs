//! What wakes the rounds. A bell decides nothing: it says "look", and the record says what is due. Each round sleeps
//! until its own next due instant, a bell, or a minute, whichever comes first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::clock::Clock;
use crate::domain::time::{Secs, UnixTime};

/// The rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Reads cards.
    Poll,
    /// Begins renewals and sends orders.
    Renew,
    /// Settles what is open.
    Settle,
    /// Delivers notices.
    Deliver,
    /// Backs up, thins, expires.
    Keep,
}

impl Round {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Poll, Self::Renew, Self::Settle, Self::Deliver, Self::Keep];

    /// Its name in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "reading cards",
            Self::Renew => "renewing",
            Self::Settle => "settling",
            Self::Deliver => "delivering",
            Self::Keep => "keeping",
        }
    }
}

/// The longest sleep of a round on the real clock: a lost bell or a clock that jumped costs a minute at most.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// One bell per round, and for a stepped clock the knowledge of who is asleep.
#[derive(Debug)]
pub struct Bells {
    clock: Arc<Clock>,
    bells: [Notify; 5],
    sleepers: Mutex<Sleepers>,
}

#[derive(Debug, Default)]
struct Sleepers {
    /// Until when each round sleeps; none while it works.
    until: [Option<UnixTime>; 5],
    rung: [bool; 5],
    /// Tasks at work beside the rounds.
    at_work: usize,
}

impl Bells {
    /// Bells for `clock`.
    #[must_use]
    pub fn new(clock: Arc<Clock>) -> Self {
        Self { clock, bells: Default::default(), sleepers: Mutex::default() }
    }

    /// Wakes one round, or has it look again if it is at work.
    pub fn ring(&self, round: Round) {
        self.sleepers().rung[round as usize] = true;
        self.bells[round as usize].notify_one();
    }

    /// Says whether a round was rung for, and takes that as heard.
    pub(super) fn answer(&self, round: Round) -> bool {
        std::mem::take(&mut self.sleepers().rung[round as usize])
    }

    /// What time it is.
    pub(super) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// How long this takes on the machine's clock.
    pub(super) fn machine_wait(&self, length: Secs) -> Duration {
        self.clock.machine_wait(self.clock.now().plus(length))
    }

    /// A task beside the rounds begins; a stepped clock stands still until it ends.
    pub(super) fn begins(&self) {
        self.sleepers().at_work += 1;
    }

    /// A task beside the rounds has ended.
    pub(super) fn ends(&self) {
        self.sleepers().at_work -= 1;
        if matches!(*self.clock, Clock::Stepped { .. }) {
            // Whoever sleeps may now be the last one awake.
            for bell in &self.bells {
                bell.notify_one();
            }
        }
    }

    /// Wakes every round.
    pub fn ring_all(&self) {
        for round in Round::ALL {
            self.ring(round);
        }
    }

    /// Sleeps until `until` or a bell. On a stepped clock the last round to fall asleep moves the clock.
    pub async fn sleep(&self, round: Round, until: Option<UnixTime>) {
        let until = until.unwrap_or(UnixTime::MAX);
        match *self.clock {
            Clock::System | Clock::Scaled { .. } | Clock::Followed { .. } => {
                let wait = self.clock.machine_wait(until).min(self.longest_sleep());
                // A time-out is as good as a bell: the round looks.
                let _woken = tokio::time::timeout(wait, self.bells[round as usize].notified()).await;
                self.sleepers().rung[round as usize] = false;
            }
            Clock::Stepped { .. } => self.sleep_stepped(round, until).await,
            // Whoever tells the time rings the bells.
            Clock::Told { .. } => self.bells[round as usize].notified().await,
        }
    }

    /// A clock that jumps in a story jumps in a story's time, and costs a minute of that.
    fn longest_sleep(&self) -> Duration {
        match *self.clock {
            Clock::Followed { speed, .. } => LONGEST_SLEEP / speed,
            Clock::System | Clock::Scaled { .. } | Clock::Stepped { .. } | Clock::Told { .. } => LONGEST_SLEEP,
        }
    }

    async fn sleep_stepped(&self, round: Round, until: UnixTime) {
        loop {
            let step = {
                let mut sleepers = self.sleepers();
                if sleepers.rung[round as usize] || until <= self.clock.now() {
                    sleepers.rung[round as usize] = false;
                    sleepers.until[round as usize] = None;
                    return;
                }
                sleepers.until[round as usize] = Some(until);
                sleepers.everybody_sleeps_until()
            };
            match step {
                Some(to) => self.step(to).await,
                None => self.bells[round as usize].notified().await,
            }
        }
    }

    async fn step(&self, to: UnixTime) {
        // A story without end is not watched to the end of time: the demo stops it.
        tokio::time::sleep(self.clock.machine_wait(to).min(LONGEST_SLEEP)).await;
        self.clock.step_to(to);
        for bell in &self.bells {
            bell.notify_one();
        }
    }

    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        // Nothing panics while it is held, and its contents are whole at every moment.
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sleepers {
    /// The earliest instant that anybody sleeps for, if nobody is awake, about to be, or at work.
    fn everybody_sleeps_until(&self) -> Option<UnixTime> {
        if self.at_work > 0 || self.rung.contains(&true) {
            return None;
        }
        self.until.iter().copied().collect::<Option<Vec<_>>>()?.into_iter().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stepped_clock_moves_when_all_sleep_and_to_the_earliest() {
        let begins = UnixTime::clamped(1_000);
        let clock = Arc::new(Clock::stepped(begins, Duration::ZERO));
        let bells = Arc::new(Bells::new(Arc::clone(&clock)));
        let others: Vec<_> = [Round::Renew, Round::Settle, Round::Deliver, Round::Keep]
            .into_iter()
            .map(|round| {
                let bells = Arc::clone(&bells);
                tokio::spawn(async move { bells.sleep(round, Some(begins.plus(Secs(500)))).await })
            })
            .collect();
        bells.sleep(Round::Poll, Some(begins.plus(Secs(100)))).await;
        assert_eq!(clock.now(), begins.plus(Secs(100)));
        bells.ring_all();
        for other in others {
            other.await.unwrap();
        }
        assert_eq!(clock.now(), begins.plus(Secs(100)));
    }

    #[tokio::test]
    async fn a_bell_rung_while_at_work_is_heard() {
        let bells = Bells::new(Arc::new(Clock::System));
        bells.ring(Round::Settle);
        bells.sleep(Round::Settle, None).await;
    }
}
