//! The desk of one account: its operator, what waits to be read there, and how it fares at present.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::card::CardId;
use crate::domain::gates::ClockEvidence;
use crate::domain::ledger::Pace;
use crate::domain::operator::{Account, OperatorError, Wallet};
use crate::domain::retry;
use crate::domain::time::{Secs, UnixTime};
use crate::operators::Operator;
use crate::store::accounts::AccountState;

/// Transport failures in a row that open the breaker.
const BREAKER_OPENS_AT: u32 = 5;

/// One account at work.
pub struct Desk {
    /// The account as the engine knows it.
    pub account: Account,
    /// The way to its operator.
    pub operator: Arc<dyn Operator>,
    /// Orders and their look-ups under way at once.
    pub permits: tokio::sync::Semaphore,
    fares: Mutex<Fares>,
    backlog: Mutex<BTreeSet<CardId>>,
}

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

impl Desk {
    /// A desk for an account.
    #[must_use]
    pub fn new(account: Account, operator: Arc<dyn Operator>, fares: Fares) -> Self {
        Self {
            account,
            operator,
            permits: tokio::sync::Semaphore::new(4),
            fares: Mutex::new(fares),
            backlog: Mutex::default(),
        }
    }

    /// How often its cards are read.
    #[must_use]
    pub fn pace(&self) -> Pace {
        Pace { every: self.account.poll_every, at_most: self.operator.capabilities().cached_for }
    }

    /// Until when the operator is left alone, if it is at `now`.
    #[must_use]
    pub fn left_alone_until(&self, now: UnixTime) -> Option<UnixTime> {
        let fares = self.fares();
        fares.until.max(fares.asked).filter(|until| now < *until)
    }

    /// Until when the operator asked to be left alone, if it did and that is not over at `now`.
    #[must_use]
    pub fn asked_until(&self, now: UnixTime) -> Option<UnixTime> {
        self.fares().asked.filter(|until| now < *until)
    }

    /// How it fares.
    #[must_use]
    pub fn faring(&self) -> Fares {
        self.fares().clone()
    }

    /// Notes a good answer: the way is open.
    pub fn went_well(&self) {
        let mut fares = self.fares();
        fares.failures = 0;
        fares.until = None;
    }

    /// Notes a failure that is not about one card: an operator that asks to be left alone is, and one that fails again
    /// and again is left alone ever longer. Says until when.
    pub fn went_wrong(&self, error: &OperatorError, now: UnixTime) -> Option<UnixTime> {
        let OperatorError::Later { retry_after, .. } = error else { return None };
        let mut fares = self.fares();
        fares.failures = fares.failures.saturating_add(1);
        let opens = fares.failures.checked_sub(BREAKER_OPENS_AT).map(|over| retry::next_reading(over + 1, 0));
        fares.until = opens.map(|wait| now.plus(wait));
        if let Some(asked) = retry_after {
            fares.asked = fares.asked.max(Some(now.plus(retry::clamped_wait(*asked))));
        }
        fares.until.max(fares.asked).filter(|until| now < *until)
    }

    /// Notes the operator's clock.
    pub fn told_time(&self, ours: UnixTime, theirs: UnixTime) {
        self.fares().clocks = Some((ours, theirs));
    }

    /// Notes what the wallet holds.
    pub fn told_wallet(&self, now: UnixTime, wallet: Wallet) {
        self.fares().wallet = Some((now, wallet));
    }

    /// What the record keeps of it.
    #[must_use]
    pub fn stored(&self) -> AccountState {
        let fares = self.faring();
        AccountState {
            failures: fares.failures,
            open_until: fares.until,
            paused_until: fares.asked,
            clock: fares.clocks,
            wallet: fares.wallet,
        }
    }

    /// What is known about our clock, if the operator told its time not long ago.
    #[must_use]
    pub fn clock_evidence(&self, last_recorded: UnixTime, built_at: UnixTime, now: UnixTime) -> ClockEvidence {
        let fresh = |(ours, _): &(UnixTime, UnixTime)| now.since(*ours).0.abs() <= Secs::HOUR.0;
        ClockEvidence { operator: self.fares().clocks.filter(fresh), last_recorded, built_at }
    }

    /// Adds cards to what waits to be read.
    pub fn queue(&self, cards: impl IntoIterator<Item = CardId>) {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner).extend(cards);
    }

    /// Takes at most `most` cards, in row order.
    pub fn take(&self, most: usize) -> Vec<CardId> {
        let mut backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| backlog.pop_first()).take(most).collect()
    }

    /// Whether anything waits to be read.
    #[must_use]
    pub fn has_backlog(&self) -> bool {
        !self.backlog.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn fares(&self) -> MutexGuard<'_, Fares> {
        self.fares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::card::Name;

    /// An operator that is never asked anything.
    fn nobody() -> Arc<dyn Operator> {
        let secret = || secrecy::SecretString::from("x");
        Arc::new(
            crate::operators::airalo::Airalo::open(
                &crate::operators::http::Way::to("http://127.0.0.1:9"),
                secret(),
                secret(),
            )
            .unwrap(),
        )
    }

    fn desk() -> Desk {
        let account =
            Account { name: Name::parse("a").unwrap(), payment: vec![], support: None, poll_every: Secs::hours(6) };
        Desk::new(account, nobody(), Fares::default())
    }

    #[test]
    fn a_breaker_opens_at_five_failures_and_doubles_and_one_success_closes_it() {
        let (desk, now) = (desk(), UnixTime::clamped(1_800_000_000));
        let broken = OperatorError::Later { retry_after: None, why: "no connection".into() };
        for _ in 0..4 {
            assert_eq!(desk.went_wrong(&broken, now), None);
        }
        let first = desk.went_wrong(&broken, now).unwrap().since(now);
        let second = desk.went_wrong(&broken, now).unwrap().since(now);
        assert!((54..=66).contains(&first.0) && (108..=132).contains(&second.0), "{first:?} {second:?}");
        assert!(desk.left_alone_until(now).is_some());
        desk.went_well();
        assert_eq!(desk.left_alone_until(now), None);
    }

    #[test]
    fn an_operator_that_asks_to_be_left_alone_is_within_bounds() {
        let (desk, now) = (desk(), UnixTime::clamped(1_800_000_000));
        let busy = |secs| OperatorError::Later { retry_after: Some(Secs(secs)), why: "busy".into() };
        assert_eq!(desk.went_wrong(&busy(90), now), Some(now.plus(Secs(90))));
        // Another request that was under way and went well does not speak for the operator.
        desk.went_well();
        assert_eq!(desk.left_alone_until(now), Some(now.plus(Secs(90))));
        assert_eq!(desk.asked_until(now.plus(Secs(90))), None);
        assert_eq!(desk.went_wrong(&busy(10), now), Some(now.plus(Secs(90))), "the longest counts");
        assert_eq!(desk.went_wrong(&busy(10_000_000), now), Some(now.plus(Secs::DAY)));
        assert_eq!(desk.stored().paused_until, Some(now.plus(Secs::DAY)));
    }

    #[test]
    fn what_waits_is_taken_in_row_order_once() {
        let desk = desk();
        desk.queue([CardId(3), CardId(1)]);
        desk.queue([CardId(3), CardId(2)]);
        assert_eq!(desk.take(2), vec![CardId(1), CardId(2)]);
        assert_eq!(desk.take(2), vec![CardId(3)]);
    }
}
