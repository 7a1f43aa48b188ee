//! What the last reading of a card told that an order needs: the id of its account, bucket or device, or the amount that
//! a new one is written over. An order is made without asking anybody, so it is remembered for a moment.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::card::CardId;

/// From this many cards on, those that are too old are forgotten, and all of them if none is.
const CARDS_MAX: usize = 65_536;

/// What is remembered of each card, for a while.
#[derive(Debug)]
pub(in crate::operators) struct Recall<T> {
    kept_for: Duration,
    kept: Mutex<HashMap<CardId, (Instant, T)>>,
}

impl<T: Clone> Recall<T> {
    /// Remembers for `kept_for`.
    pub(in crate::operators) fn new(kept_for: Duration) -> Self {
        Self { kept_for, kept: Mutex::default() }
    }

    /// What was just read of a card.
    pub(in crate::operators) fn put(&self, card: CardId, value: T) {
        let now = Instant::now();
        // A thread that panicked here left a map that is still whole.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= CARDS_MAX {
            kept.retain(|_, (at, _)| now.duration_since(*at) < self.kept_for);
            if kept.len() >= CARDS_MAX {
                kept.clear();
            }
        }
        kept.insert(card, (now, value));
    }

    /// What was read of a card, and how long ago; none if that is too long.
    pub(in crate::operators) fn get(&self, card: CardId) -> Option<(Duration, T)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, value) = kept.get(&card)?;
        let age = at.elapsed();
        (age < self.kept_for).then(|| (age, value.clone()))
    }

    /// Forgets a card.
    pub(in crate::operators) fn forget(&self, card: CardId) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&card);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_too_old_is_not_told() {
        let recall = Recall::new(Duration::from_secs(60));
        recall.put(CardId(1), "a");
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(recall.get(CardId(1)), Some((Duration::from_secs(59), "a")));
        assert_eq!(recall.get(CardId(2)), None);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(recall.get(CardId(1)), None);
        recall.put(CardId(1), "b");
        recall.forget(CardId(1));
        assert_eq!(recall.get(CardId(1)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn it_never_grows_beyond_its_bound() {
        let recall = Recall::new(Duration::from_secs(60));
        for id in 0..2 * CARDS_MAX as i64 {
            recall.put(CardId(id), ());
        }
        assert!(recall.kept.lock().unwrap().len() <= CARDS_MAX);
        assert!(recall.get(CardId(2 * CARDS_MAX as i64 - 1)).is_some());
    }
}
