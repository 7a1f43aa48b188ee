//! How fast we may call: a pace that is kept by waiting before a call, so that the operator never has to say no.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// From this many keys on, those that need no waiting are forgotten.
const KEYS_MAX: usize = 4_096;

/// At most `burst` calls at once, and one more each `every`, for each key by itself.
#[derive(Debug)]
pub(in crate::operators) struct Pace {
    every: Duration,
    burst: u32,
    /// For each key, when its calls so far are worked off at this pace (the generic cell rate algorithm).
    settled_at: Mutex<HashMap<String, Instant>>,
}

impl Pace {
    /// `calls` in each `span`, all of them at once if nothing came before.
    pub(in crate::operators) fn new(calls: u32, span: Duration) -> Self {
        Self { every: span / calls.max(1), burst: calls.max(1), settled_at: Mutex::new(HashMap::new()) }
    }

    /// No pace at all.
    pub(in crate::operators) fn none() -> Self {
        Self::new(1, Duration::ZERO)
    }

    /// Waits until one more call fits, and counts it.
    pub(in crate::operators) async fn keep(&self, key: &str) {
        let wait = self.count(key, None).unwrap_or_default();
        tokio::time::sleep(wait).await;
    }

    /// Counts one more call if it fits now.
    ///
    /// # Errors
    /// How long until it does.
    pub(in crate::operators) fn take(&self, key: &str) -> Result<(), Duration> {
        self.count(key, Some(Duration::ZERO)).map(|_| ())
    }

    /// Counts a call that has to wait no longer than `longest`.
    fn count(&self, key: &str, longest: Option<Duration>) -> Result<Duration, Duration> {
        let now = Instant::now();
        // A thread that panicked here left a map that is still whole.
        let mut all = self.settled_at.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEYS_MAX {
            all.retain(|_, settled| *settled > now);
        }
        let settled = all.get(key).copied().filter(|settled| *settled > now).unwrap_or(now);
        let wait = settled.duration_since(now).saturating_sub(self.every * (self.burst - 1));
        if longest.is_some_and(|longest| wait > longest) {
            return Err(wait);
        }
        all.insert(key.to_owned(), settled + self.every);
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_then_one_at_a_time() {
        let pace = Pace::new(5, Duration::from_secs(1));
        let began = Instant::now();
        for _ in 0..5 {
            pace.keep("a").await;
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            pace.keep("a").await;
        }
        let took = began.elapsed();
        assert!(took >= Duration::from_secs(2) && took < Duration::from_millis(2_050), "{took:?}");
        pace.keep("b").await;
        assert_eq!(began.elapsed(), took, "another key does not wait");
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_fit_is_not_counted() {
        let pace = Pace::new(3, Duration::from_secs(60));
        for _ in 0..3 {
            assert_eq!(pace.take(""), Ok(()));
        }
        assert_eq!(pace.take(""), Err(Duration::from_secs(20)));
        assert_eq!(pace.take(""), Err(Duration::from_secs(20)));
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(pace.take(""), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_wait_for_nothing_are_forgotten() {
        let pace = Pace::new(1, Duration::from_secs(1));
        for key in 0..KEYS_MAX {
            pace.keep(&key.to_string()).await;
        }
        tokio::time::advance(Duration::from_secs(2)).await;
        pace.keep("last").await;
        assert_eq!(pace.settled_at.lock().unwrap().len(), 1);
    }
}
