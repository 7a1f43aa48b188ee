//! The wall clock, for operators that want the time inside a signature.
//!
//! Adapters never ask the system for it. They know what time it was when somebody last told them, the caller by an
//! argument or the operator by an answer, and how much has passed since.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::domain::time::UnixTime;

/// What time it was when it was last told.
#[derive(Debug, Default)]
pub(in crate::operators) struct WallClock {
    told: Mutex<Option<(UnixTime, Instant)>>,
}

impl WallClock {
    /// It is this time now. The last word counts: time asleep is not counted by what has passed since an older one.
    pub(in crate::operators) fn tell(&self, now: UnixTime) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Instant::now()));
    }

    /// Milliseconds since 1970; none if nobody has told the time yet.
    pub(in crate::operators) fn millis(&self) -> Option<i64> {
        let (told, at) = (*self.told.lock().unwrap_or_else(PoisonError::into_inner))?;
        let passed = i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX);
        Some(told.secs().saturating_mul(1_000).saturating_add(passed))
    }

    /// The time in whole seconds; none if nobody has told it yet.
    pub(in crate::operators) fn now(&self) -> Option<UnixTime> {
        self.millis().map(|millis| UnixTime::clamped(millis.div_euclid(1_000)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_goes_on_from_what_was_told_last() {
        let clock = WallClock::default();
        assert_eq!((clock.millis(), clock.now()), (None, None));
        clock.tell(UnixTime::clamped(1_800_000_000));
        tokio::time::advance(Duration::from_millis(2_500)).await;
        assert_eq!(clock.millis(), Some(1_800_000_002_500));
        assert_eq!(clock.now(), Some(UnixTime::clamped(1_800_000_002)));
        clock.tell(UnixTime::clamped(1_700_000_000));
        assert_eq!(clock.millis(), Some(1_700_000_000_000));
    }
}
