//! The desk of one account: its operator, what waits to be read there, and how it fares at present.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::card::CardId;
pub use crate::domain::fares::Fares;
use crate::domain::gates::ClockEvidence;
use crate::domain::ledger::Pace;
use crate::domain::operator::{Account, BuyAnswer, OperatorError, Wallet};
use crate::domain::reading::{CLOCK_TOLERANCE, Reading};
use crate::domain::time::UnixTime;
use crate::operators::Operator;
use crate::store::accounts::AccountState;

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
        self.fares().left_alone_until(now)
    }

    /// Until when the operator asked to be left alone, if it did and that is not over at `now`.
    #[must_use]
    pub fn asked_until(&self, now: UnixTime) -> Option<UnixTime> {
        self.fares().asked_until(now)
    }

    /// How it fares.
    #[must_use]
    pub fn faring(&self) -> Fares {
        self.fares().clone()
    }

    /// Notes a good answer: the way is open.
    pub fn went_well(&self) {
        self.fares().went_well();
    }

    /// Notes a failure that is not about one card. Says until when the operator is left alone.
    pub fn went_wrong(&self, error: &OperatorError, now: UnixTime) -> Option<UnixTime> {
        self.fares().went_wrong(error, now)
    }

    /// Notes what the answer to an order asks for: whoever says that orders come too fast is left alone.
    pub fn answered(&self, answer: &BuyAnswer, now: UnixTime) {
        if let BuyAnswer::Unknown { retry_after: Some(wait), .. } = answer {
            self.fares().asked_to_wait(*wait, now);
        }
    }

    /// Notes how one call for readings went.
    pub fn read(&self, answers: &[Result<Reading, OperatorError>], now: UnixTime) {
        self.fares().read(answers, now);
    }

    /// Whether the operator's clock, as its last answer told it, and ours cannot both be right.
    #[must_use]
    pub fn clocks_differ(&self, now: UnixTime) -> bool {
        self.operator.contact().clock.is_some_and(|theirs| theirs.since(now).0.abs() > CLOCK_TOLERANCE.0)
    }

    /// Notes that our clock was set back.
    pub fn clock_set_back(&self, now: UnixTime) {
        self.fares().clock_set_back(now);
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
            capabilities: Some(*self.operator.capabilities()),
        }
    }

    /// What is known about our clock, if the operator told its time not long ago.
    #[must_use]
    pub fn clock_evidence(&self, last_recorded: UnixTime, built_at: UnixTime, now: UnixTime) -> ClockEvidence {
        self.fares().clock_evidence(last_recorded, built_at, now)
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
    use crate::domain::time::Secs;

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
    fn what_waits_is_taken_in_row_order_once() {
        let desk = desk();
        desk.queue([CardId(3), CardId(1)]);
        desk.queue([CardId(3), CardId(2)]);
        assert_eq!(desk.take(2), vec![CardId(1), CardId(2)]);
        assert_eq!(desk.take(2), vec![CardId(3)]);
    }
}
