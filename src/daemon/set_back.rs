//! A clock that was set back. What the clock of before had put off would wait for an hour that is days away: cards would
//! not be read, orders not be settled, messages not be sent until the old time comes round again. So every wait ends
//! now that is longer than any can be by the clock of now. Nothing is bought by this; the gates look at the clock
//! themselves.

use std::sync::atomic::{AtomicI64, Ordering};

use super::{Daemon, lifecycle};
use crate::domain::reading::CLOCK_TOLERANCE;
use crate::domain::time::{Secs, UnixTime};
use crate::store::{Connection, StoreError, attempts, notices};

/// An order under way is looked up again within six hours and a tenth.
const LOOK_UP_WITHIN: Secs = Secs::hours(7);
/// A question is put again after a day, and an operator may ask to be left alone for one.
const ASK_WITHIN: Secs = Secs::hours(26);
/// A message is tried again within a day and a fifth.
const SEND_WITHIN: Secs = Secs::hours(30);

/// The latest time that this process has seen.
#[derive(Debug)]
pub(super) struct Latest(AtomicI64);

impl Latest {
    pub(super) const fn new(now: UnixTime) -> Self {
        Self(AtomicI64::new(now.secs()))
    }

    /// Whether the clock was set back since this was last asked, by more than clocks are by themselves.
    fn set_back(&self, now: UnixTime) -> bool {
        let before = UnixTime::clamped(self.0.swap(now.secs(), Ordering::SeqCst));
        before.since(now) > CLOCK_TOLERANCE
    }
}

/// Ends waits of the record that no clock of now can have begun.
///
/// # Errors
/// When the record cannot be written.
pub(super) fn end_waits(conn: &Connection, now: UnixTime) -> Result<(), StoreError> {
    attempts::bring_forward(conn, now.plus(ASK_WITHIN), now.plus(LOOK_UP_WITHIN), now)?;
    notices::bring_forward(conn, now.plus(SEND_WITHIN), now)
}

impl Daemon {
    /// Looks whether the clock was set back, and if so takes everything up as a start does.
    ///
    /// # Errors
    /// When the record cannot be read or written.
    pub(super) async fn look_at_clock(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        if !self.latest.set_back(now) {
            return Ok(());
        }
        tracing::warn!(%now, "the clock was set back; what waits for the time of before is taken up now");
        let live = self.live();
        for desk in live.desks() {
            desk.clock_set_back(now);
        }
        self.store.write(move |conn| end_waits(conn, now)).await?;
        let due = lifecycle::spread_first_round(&self.store, &live, now).await?;
        for (card, at) in due {
            self.schedule().put(card, at);
        }
        self.bells.ring_all();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_set_back_once_and_by_more_than_five_minutes() {
        let at = |secs: i64| UnixTime::clamped(1_800_000_000 + secs);
        let latest = Latest::new(at(0));
        assert!(!latest.set_back(at(20 * 86_400)), "forth is not back");
        assert!(latest.set_back(at(0)));
        assert!(!latest.set_back(at(0)));
        assert!(!latest.set_back(at(-300)));
        assert!(latest.set_back(at(-601)));
    }
}
