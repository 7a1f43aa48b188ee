//! The operator's own list of an account's cards, read once for many cards.
//!
//! Where an operator lists a fleet page by page, reading ten thousand cards must cost the pages and no more. The daemon
//! hands cards over in several turns, so the list is kept for a moment and shared by all of them. A single card is never
//! answered from it: after a purchase, what was kept before would show no effect.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::iccid::IccidMap;
use crate::domain::operator::OperatorError;
use crate::domain::time::UnixTime;

/// A list this old is read again.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// So few cards are always read by themselves.
const FEW: usize = 3;

/// What the list said, and when it was asked.
#[derive(Debug)]
pub(in crate::operators) struct Listed<T> {
    /// By ICCID.
    pub(in crate::operators) rows: IccidMap<T>,
    /// When its first page was asked for.
    pub(in crate::operators) asked_at: UnixTime,
    pages: usize,
    good_until: Instant,
}

/// The list of one account.
#[derive(Debug)]
pub(in crate::operators) struct Listing<T> {
    kept: Mutex<Option<Arc<Listed<T>>>>,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { kept: Mutex::new(None) }
    }
}

impl<T> Listing<T> {
    /// The list, if reading `wanted` cards one by one would cost more than its pages did last time; a new one is read by
    /// `fetch`, which answers the rows and how many pages they took. Only one caller at a time reads it.
    ///
    /// # Errors
    /// Those of `fetch`.
    pub(in crate::operators) async fn for_many(
        &self,
        wanted: usize,
        now: UnixTime,
        fetch: impl Future<Output = Result<(IccidMap<T>, usize), OperatorError>>,
    ) -> Result<Option<Arc<Listed<T>>>, OperatorError> {
        if wanted <= FEW {
            return Ok(None);
        }
        let mut kept = self.kept.lock().await;
        if let Some(list) = kept.as_ref() {
            if Instant::now() < list.good_until {
                return Ok(Some(Arc::clone(list)));
            }
            if wanted < list.pages {
                return Ok(None);
            }
        }
        let (rows, pages) = fetch.await?;
        // From its last page on: a long list may take longer to read than it is kept.
        let good_until = Instant::now() + KEPT_FOR;
        let list = Arc::new(Listed { rows, asked_at: now, pages, good_until });
        *kept = Some(Arc::clone(&list));
        Ok(Some(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::clamped(1_800_000_000);

    async fn rows(pages: usize) -> Result<(IccidMap<usize>, usize), OperatorError> {
        let mut rows = IccidMap::default();
        rows.insert("8944501312167518236".into(), pages);
        Ok((rows, pages))
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_serves_many_cards_for_a_moment_and_single_ones_never() {
        let listing = Listing::default();
        assert!(listing.for_many(3, NOW, rows(1)).await.unwrap().is_none());
        let seen = async |wanted, pages| {
            let list = listing.for_many(wanted, NOW, rows(pages)).await.unwrap();
            list.and_then(|list| list.rows.get("8944501312167518236").copied())
        };
        assert_eq!(seen(10_000, 40).await, Some(40));
        assert_eq!(seen(1_000, 41).await, Some(40), "one list for all turns");
        assert_eq!(seen(1, 42).await, None);
        tokio::time::advance(KEPT_FOR).await;
        assert_eq!(seen(39, 43).await, None, "one by one is cheaper");
        assert_eq!(seen(41, 44).await, Some(44));
    }
}
