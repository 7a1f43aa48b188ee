//! How the way to an operator fares: failures in a row, what the operator asked for, and what its clock says of ours.

use super::gates::ClockEvidence;
use super::operator::{OperatorError, Wallet};
use super::reading::Reading;
use super::retry;
use super::time::{Secs, UnixTime};

/// Transport failures in a row that open the breaker.
const BREAKER_OPENS_AT: u32 = 5;
/// The longest that the breaker stays open at a time, and its spread.
const BREAKER_LONGEST: Secs = Secs::minutes(66);

/// How the way to an operator fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fares {
    /// Failures in a row.
    pub failures: u32,
    /// Left alone until then, since it fails again and again.
    pub until: Option<UnixTime>,
    /// Left alone until then, since the operator asked for it. A good answer to another request that was under way does
    /// not shorten it.
    pub asked: Option<UnixTime>,
    /// Our clock and the operator's, when it last told its time.
    pub clocks: Option<(UnixTime, UnixTime)>,
    /// The wallet, and when it was looked into.
    pub wallet: Option<(UnixTime, Wallet)>,
}

impl Fares {
    /// Until when the operator is left alone, if it is at `now`.
    #[must_use]
    pub fn left_alone_until(&self, now: UnixTime) -> Option<UnixTime> {
        self.until.max(self.asked).filter(|until| now < *until)
    }

    /// Until when the operator asked to be left alone, if it did and that is not over at `now`.
    #[must_use]
    pub fn asked_until(&self, now: UnixTime) -> Option<UnixTime> {
        self.asked.filter(|until| now < *until)
    }

    /// Notes a good answer: the way is open.
    pub fn went_well(&mut self) {
        self.failures = 0;
        self.until = None;
    }

    /// Notes a failure that is not about one card: an operator that asks to be left alone is, and one that fails again
    /// and again is left alone ever longer. Says until when.
    pub fn went_wrong(&mut self, error: &OperatorError, now: UnixTime) -> Option<UnixTime> {
        let OperatorError::Later { retry_after, .. } = error else { return None };
        self.failures = self.failures.saturating_add(1);
        let opens = self.failures.checked_sub(BREAKER_OPENS_AT).map(|over| retry::next_reading(over + 1, 0));
        self.until = opens.map(|wait| now.plus(wait));
        if let Some(asked) = retry_after {
            self.asked_to_wait(*asked, now);
        }
        self.left_alone_until(now)
    }

    /// Notes that the operator asked to be left alone for so long, within bounds. A shorter wish does not take back a
    /// longer one.
    pub fn asked_to_wait(&mut self, wait: Secs, now: UnixTime) {
        self.asked = self.asked.max(Some(now.plus(retry::clamped_wait(wait))));
    }

    /// Notes how one call for readings went: once, however many cards it held.
    pub fn read(&mut self, answers: &[Result<Reading, OperatorError>], now: UnixTime) {
        let later = answers.iter().filter_map(|answer| match answer {
            Err(error @ OperatorError::Later { retry_after, .. }) => Some((*retry_after, error)),
            Err(OperatorError::Never { .. } | OperatorError::Unknown { .. }) | Ok(_) => None,
        });
        let worst = later.max_by_key(|(asked, _)| *asked);
        let any_good = answers.iter().any(Result::is_ok);
        if any_good {
            self.went_well();
        }
        if let Some((_, error)) = worst.filter(|(asked, _)| !any_good || asked.is_some()) {
            self.went_wrong(error, now);
        }
    }

    /// The clock was set back to `now`: waits that were counted by the one before end as early as any may.
    pub fn clock_set_back(&mut self, now: UnixTime) {
        self.until = self.until.map(|until| until.min(now.plus(BREAKER_LONGEST)));
        self.asked = self.asked.map(|asked| asked.min(now.plus(retry::clamped_wait(Secs(i64::MAX)))));
    }

    /// What is known about our clock, if the operator told its time not long ago.
    #[must_use]
    pub fn clock_evidence(&self, last_recorded: UnixTime, built_at: UnixTime, now: UnixTime) -> ClockEvidence {
        let fresh = |(ours, _): &(UnixTime, UnixTime)| now.since(*ours).0.abs() <= Secs::HOUR.0;
        ClockEvidence { operator: self.clocks.filter(fresh), last_recorded, built_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::NOW;

    #[test]
    fn a_breaker_opens_at_five_failures_and_doubles_and_one_success_closes_it() {
        let mut fares = Fares::default();
        let broken = OperatorError::Later { retry_after: None, why: "no connection".into() };
        for _ in 0..4 {
            assert_eq!(fares.went_wrong(&broken, NOW), None);
        }
        let first = fares.went_wrong(&broken, NOW).unwrap().since(NOW);
        let second = fares.went_wrong(&broken, NOW).unwrap().since(NOW);
        assert!((54..=66).contains(&first.0) && (108..=132).contains(&second.0), "{first:?} {second:?}");
        assert!(fares.left_alone_until(NOW).is_some());
        fares.went_well();
        assert_eq!(fares.left_alone_until(NOW), None);
    }

    #[test]
    fn waits_of_a_clock_that_ran_ahead_end_as_early_as_any() {
        let ahead = NOW.plus(Secs::days(20));
        let mut fares = Fares { until: Some(ahead), asked: Some(ahead), ..Fares::default() };
        fares.clock_set_back(NOW);
        assert_eq!((fares.until, fares.asked), (Some(NOW.plus(Secs::minutes(66))), Some(NOW.plus(Secs::DAY))));
        let soon = Some(NOW.plus(Secs::MINUTE));
        let mut fares = Fares { until: soon, asked: soon, ..Fares::default() };
        fares.clock_set_back(NOW);
        assert_eq!((fares.until, fares.asked), (soon, soon));
    }

    #[test]
    fn an_operator_that_asks_to_be_left_alone_is_within_bounds() {
        let mut fares = Fares::default();
        let busy = |secs| OperatorError::Later { retry_after: Some(Secs(secs)), why: "busy".into() };
        assert_eq!(fares.went_wrong(&busy(90), NOW), Some(NOW.plus(Secs(90))));
        // Another request that was under way and went well does not speak for the operator.
        fares.went_well();
        assert_eq!(fares.left_alone_until(NOW), Some(NOW.plus(Secs(90))));
        assert_eq!(fares.asked_until(NOW.plus(Secs(90))), None);
        assert_eq!(fares.went_wrong(&busy(10), NOW), Some(NOW.plus(Secs(90))), "the longest counts");
        assert_eq!(fares.went_wrong(&busy(10_000_000), NOW), Some(NOW.plus(Secs::DAY)));
        assert_eq!(fares.asked, Some(NOW.plus(Secs::DAY)));
    }
}
