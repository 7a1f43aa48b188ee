//! What seldom changes about a card: the history of its packages, and what is on sale for it.
//!
//! The usage is asked for each time. The other two are asked for again only when the usage shows that something
//! happened, or after some hours, so that reading a fleet costs one call a card and not three. A card that is read by
//! itself, as before and after an order, is never answered from here.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::wire::{HistoryDoc, UsageDoc};

/// So long without a sign of change is trusted.
const KEPT_FOR: Duration = Duration::from_secs(6 * 3_600);
/// From this many cards on, further ones are read in full each time.
const CARDS_MAX: usize = 20_000;
/// A longer history is not kept.
const ROWS_MAX: usize = 64;

/// What belongs to a reading beside the usage.
#[derive(Debug)]
pub(super) struct Beside {
    /// The packages that the card has had.
    pub(super) history: Vec<HistoryDoc>,
    /// The ids of the top-ups on sale for it; many cards share one list.
    pub(super) sold: Arc<[String]>,
}

/// What is kept of the cards of one account.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    cards: HashMap<String, Entry>,
    lists: HashSet<Arc<[String]>>,
}

#[derive(Debug)]
struct Entry {
    sign: String,
    remaining: i64,
    beside: Arc<Beside>,
    good_until: Instant,
}

impl Kept {
    /// What is kept of a card, if its usage shows no change since.
    pub(super) fn fitting(&self, iccid: &str, usage: &UsageDoc) -> Option<Arc<Beside>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = state.cards.get_mut(iccid)?;
        let remaining = usage.remaining.scaled(1).ok()?;
        // More left than before without a larger total: something was given.
        let same = entry.sign == sign_of(usage) && remaining <= entry.remaining && Instant::now() < entry.good_until;
        entry.remaining = entry.remaining.min(remaining);
        same.then(|| Arc::clone(&entry.beside))
    }

    /// Keeps what was just read.
    pub(super) fn keep(
        &self,
        iccid: &str,
        usage: &UsageDoc,
        history: Vec<HistoryDoc>,
        sold: Vec<String>,
    ) -> Arc<Beside> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sold = state.shared(sold);
        let beside = Arc::new(Beside { history, sold });
        if state.cards.len() >= CARDS_MAX && !state.cards.contains_key(iccid) {
            state.make_room();
        }
        let fits = beside.history.len() <= ROWS_MAX && state.cards.len() < CARDS_MAX;
        match usage.remaining.scaled(1) {
            Ok(remaining) if fits || state.cards.contains_key(iccid) => {
                let good_until = Instant::now() + KEPT_FOR;
                let entry = Entry { sign: sign_of(usage), remaining, beside: Arc::clone(&beside), good_until };
                state.cards.insert(iccid.to_owned(), entry);
            }
            Ok(_) | Err(_) => drop(state.cards.remove(iccid)),
        }
        beside
    }

    /// Forgets a card, because something is being bought for it or Airalo has taken it back.
    pub(super) fn forget(&self, iccid: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).cards.remove(iccid);
    }
}

impl State {
    /// The same list, held once.
    fn shared(&mut self, sold: Vec<String>) -> Arc<[String]> {
        if let Some(known) = self.lists.get(sold.as_slice()) {
            return Arc::clone(known);
        }
        self.lists.retain(|list| Arc::strong_count(list) > 1);
        let sold: Arc<[String]> = sold.into();
        self.lists.insert(Arc::clone(&sold));
        sold
    }

    fn make_room(&mut self) {
        let now = Instant::now();
        self.cards.retain(|_, entry| now < entry.good_until);
    }
}

/// What of a usage stays as it is while data is merely used.
fn sign_of(usage: &UsageDoc) -> String {
    let UsageDoc { total, expired_at, is_unlimited, status, total_voice, total_text, .. } = usage;
    format!("{status} {total} {expired_at:?} {is_unlimited:?} {total_voice:?} {total_text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(remaining: i64, total: i64, expires: &str, status: &str) -> UsageDoc {
        let text = format!(
            r#"{{"remaining":{remaining},"total":{total},"expired_at":"{expires}","is_unlimited":false,"status":"{status}"}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    const END: &str = "2026-12-24 00:00:00";

    #[tokio::test(start_paused = true)]
    async fn it_is_kept_while_data_is_merely_used() {
        let kept = Kept::default();
        let first = usage(900, 1_024, END, "ACTIVE");
        assert!(kept.fitting("89", &first).is_none());
        kept.keep("89", &first, vec![], vec!["a".into()]);
        for (remaining, total, expires, status, fits) in [
            (900, 1_024, END, "ACTIVE", true),
            (800, 1_024, END, "ACTIVE", true),
            (801, 1_024, END, "ACTIVE", false),
            (800, 2_048, END, "ACTIVE", false),
            (800, 1_024, "2027-01-24 00:00:00", "ACTIVE", false),
            (0, 1_024, END, "FINISHED", false),
        ] {
            let found = kept.fitting("89", &usage(remaining, total, expires, status));
            assert_eq!(found.is_some(), fits, "{remaining} {total} {expires} {status}");
        }
        assert!(kept.fitting("90", &first).is_none());
        kept.forget("89");
        assert!(kept.fitting("89", &first).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn it_grows_old_and_has_a_limit() {
        let kept = Kept::default();
        let seen = usage(900, 1_024, END, "ACTIVE");
        for card in 0..=CARDS_MAX {
            kept.keep(&card.to_string(), &seen, vec![], vec!["a".into()]);
        }
        assert!(kept.fitting("0", &seen).is_some());
        assert!(kept.fitting(&CARDS_MAX.to_string(), &seen).is_none(), "one too many");
        assert_eq!(kept.0.lock().unwrap().lists.len(), 1, "one list for all");
        tokio::time::advance(KEPT_FOR).await;
        assert!(kept.fitting("0", &seen).is_none(), "too old");
        kept.keep("new", &seen, vec![], vec!["b".into()]);
        assert_eq!(kept.0.lock().unwrap().cards.len(), 1);
    }
}
