//! A digest: the cards that one person is told of, in so few lines that they fit a phone. It is put together card by card,
//! and stays as small for a fleet as for a family: what does not fit is counted.

mod rhythm;
mod trouble;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::rhythm::{Rhythm, Span, clock};
pub use self::trouble::{Look, Trouble};
use super::card::Name;
use super::foresee::{Foreseen, What};
use super::last_safe::Loss;
use super::money::Money;
use super::notice::{DedupKey, NoticeKind};
use super::shared_limits::Spent;
use super::time::{Secs, UnixTime};

/// As many troubles are named.
const TROUBLES_MOST: usize = 8;
/// As many ends, purchases, and purchases to come are named, each.
const ROWS_MOST: usize = 5;
/// Ends beyond this are no news yet.
const ENDS_WITHIN: Secs = Secs::days(62);

/// Lines of one sort, the first of them named and all counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part<T> {
    /// Those that are named, in order.
    pub rows: Vec<T>,
    /// How many there are.
    pub count: usize,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), count: 0 }
    }
}

impl<T> Part<T> {
    /// How many are not named.
    #[must_use]
    pub fn more(&self) -> usize {
        self.count.saturating_sub(self.rows.len())
    }

    fn put<K: Ord>(&mut self, row: T, most: usize, key: impl Fn(&T) -> K) {
        let new = key(&row);
        let place = self.rows.partition_point(|other| key(other) <= new);
        self.rows.insert(place, row);
        self.rows.truncate(most);
        self.count += 1;
    }
}

/// A card that needs a person, or whose order is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Troubled {
    /// The card.
    pub card: Name,
    /// What is wrong.
    pub trouble: Trouble,
    /// When something of it ends, if that is known.
    pub ends: Option<UnixTime>,
    /// Whether the reader only watches the card, so that others see to it.
    #[serde(default)]
    pub is_watched: bool,
}

/// Something that ends before long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Of which card.
    pub card: Name,
    /// What.
    pub loss: Loss,
    /// When.
    pub ends: UnixTime,
    /// Until when a renewal may begin so that it does not end, if that can be told.
    pub last_safe: Option<UnixTime>,
}

impl Ending {
    fn turn(&self) -> UnixTime {
        self.last_safe.unwrap_or(self.ends)
    }
}

/// Something that was bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// For which card.
    pub card: Name,
    /// What.
    pub plan: String,
    /// For how much.
    pub charged: Money,
    /// When it was seen to be there.
    pub at: UnixTime,
    /// What the card's limit of the month leaves.
    pub month_left: Option<Money>,
}

/// What is to be expected of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comes {
    /// This is bought.
    Buys {
        /// What.
        plan: String,
        /// For how much.
        price: Money,
    },
    /// Somebody is asked whether to buy this.
    Asks {
        /// What.
        plan: String,
        /// For how much.
        price: Money,
    },
    /// Something of the rule's list is bought; what it costs was never read.
    Unpriced,
    /// This would be bought and does not fit under a limit.
    OverLimit {
        /// What.
        plan: String,
        /// For how much.
        price: Money,
    },
    /// Nothing of the rule's list can be bought.
    NothingOnSale,
}

/// Something that is to be expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// For which card.
    pub card: Name,
    /// When that is likely.
    pub at: UnixTime,
    /// What.
    pub comes: Comes,
}

impl Expected {
    /// What is worth telling of something foreseen; none if nobody buys, or only if use goes on otherwise.
    #[must_use]
    pub fn of(card: &Name, foreseen: &Foreseen) -> Option<Self> {
        let comes = match &foreseen.what {
            What::Buys(plan) => Comes::Buys { plan: plan.name.clone(), price: plan.price },
            What::Asks(plan, _) => Comes::Asks { plan: plan.name.clone(), price: plan.price },
            What::OverLimit(plan, _) => Comes::OverLimit { plan: plan.name.clone(), price: plan.price },
            What::Unpriced => Comes::Unpriced,
            What::NothingOnSale => Comes::NothingOnSale,
            // What is under way or held back is told as a trouble where it is one.
            What::UnderWay(..) | What::Lasts | What::Held(..) => return None,
        };
        Some(Self { card: card.clone(), at: foreseen.when.likely?, comes })
    }

    /// What is left to expect where a cap that cards share has no room from then on: the first purchase as one that does not
    /// fit, and nothing after it, since nobody knows when there will be room.
    #[must_use]
    pub fn held_from(coming: Vec<Self>, from: UnixTime) -> Vec<Self> {
        let is_held = |expected: &Self| expected.at >= from && expected.price().is_some();
        let kept = coming.iter().position(is_held).map_or(coming.len(), |place| place + 1);
        coming
            .into_iter()
            .take(kept)
            .map(|expected| if is_held(&expected) { expected.over_limit() } else { expected })
            .collect()
    }

    fn over_limit(self) -> Self {
        let comes = match self.comes {
            Comes::Buys { plan, price } | Comes::Asks { plan, price } => Comes::OverLimit { plan, price },
            comes @ (Comes::Unpriced | Comes::OverLimit { .. } | Comes::NothingOnSale) => comes,
        };
        Self { comes, ..self }
    }

    const fn price(&self) -> Option<Money> {
        match self.comes {
            Comes::Buys { price, .. } | Comes::Asks { price, .. } => Some(price),
            Comes::Unpriced | Comes::OverLimit { .. } | Comes::NothingOnSale => None,
        }
    }
}

/// A cap that cards share, and what of it is spent this month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedUse {
    /// Where it stands in the rules.
    pub line: u32,
    /// What is spent; none where a rate is missing.
    pub spent: Option<Money>,
    /// The cap.
    pub limit: Money,
}

/// One card, as it is looked at for all digests of a moment.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The card.
    pub card: Name,
    /// Whether nobody wants to hear of it at present.
    pub is_silenced: bool,
    /// Whether the reader only watches it.
    pub is_watched: bool,
    /// What is wrong with it.
    pub trouble: Option<Trouble>,
    /// What of it ends first.
    pub ending: Option<Ending>,
    /// What was bought for it.
    pub bought: Vec<Purchase>,
    /// What is to be expected.
    pub coming: Vec<Expected>,
}

/// What one person is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// For how long it speaks.
    pub span: Span,
    /// Since when purchases are told.
    pub since: UnixTime,
    /// When it was put together.
    pub at: UnixTime,
    /// When the next one comes.
    pub next: UnixTime,
    /// How many cards the person is told of.
    pub cards: usize,
    /// How many of them nobody wants to hear of at present.
    pub silenced: usize,
    /// Those that need a person, or whose order is not known.
    pub troubles: Part<Troubled>,
    /// How many of them go on only when the reader does something.
    pub waiting: usize,
    /// What ends next.
    pub ends: Part<Ending>,
    /// What was bought.
    pub bought: Part<Purchase>,
    /// What that cost.
    pub spent: Spent,
    /// What is to be expected until the next one.
    pub coming: Part<Expected>,
    /// What that will cost.
    pub expected: Spent,
    /// What is left of the caps that cards share.
    pub shared: Vec<SharedUse>,
}

impl Digest {
    /// One of no cards yet.
    #[must_use]
    pub fn new(span: Span, since: UnixTime, at: UnixTime, next: UnixTime) -> Self {
        Self {
            span,
            since,
            at,
            next,
            cards: 0,
            silenced: 0,
            troubles: Part::default(),
            waiting: 0,
            ends: Part::default(),
            bought: Part::default(),
            spent: Spent::default(),
            coming: Part::default(),
            expected: Spent::default(),
            shared: Vec::new(),
        }
    }

    /// Adds a card. Of one that nobody wants to hear of only the money is told.
    pub fn add(&mut self, seen: &Seen) {
        self.cards += 1;
        for purchase in seen.bought.iter().filter(|purchase| purchase.at > self.since && purchase.at <= self.at) {
            self.spent.add(purchase.charged);
            self.bought.put(purchase.clone(), ROWS_MOST, |purchase| purchase.at);
        }
        for expected in seen.coming.iter().filter(|expected| expected.at <= self.next) {
            if let Some(price) = expected.price() {
                self.expected.add(price);
            }
            self.coming.put(expected.clone(), ROWS_MOST, |expected| expected.at);
        }
        if seen.is_silenced {
            self.silenced += 1;
            return;
        }
        let ending = seen.ending.as_ref().filter(|ending| ending.ends > self.at);
        if let Some(trouble) = seen.trouble.clone() {
            self.waiting += usize::from(trouble.needs_person() && !seen.is_watched);
            let ends = ending.map(|ending| ending.ends);
            let order = |one: &Troubled| (one.is_watched, one.trouble.rank(), one.ends.unwrap_or(UnixTime::MAX));
            let troubled = Troubled { card: seen.card.clone(), trouble, ends, is_watched: seen.is_watched };
            self.troubles.put(troubled, TROUBLES_MOST, order);
        }
        if let Some(ending) = ending.filter(|ending| ending.ends.since(self.at) <= ENDS_WITHIN) {
            self.ends.put(ending.clone(), ROWS_MOST, Ending::turn);
        }
    }

    /// How many cards there is nothing to do about.
    #[must_use]
    pub fn well(&self) -> usize {
        self.cards.saturating_sub(self.troubles.count).saturating_sub(self.silenced)
    }
}

/// What makes the digest of one day one and the same, whatever the clock does.
#[must_use]
pub fn key(span: Span, day: Date) -> DedupKey {
    DedupKey { kind: NoticeKind::Digest, card: None, cycle: 0, step: format!("{}:{day}", span.as_str()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reading::EndKind;
    use crate::domain::testing::{NOW, usd};

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn seen(card: &str) -> Seen {
        Seen {
            card: name(card),
            is_silenced: false,
            is_watched: false,
            trouble: None,
            ending: None,
            bought: Vec::new(),
            coming: Vec::new(),
        }
    }

    fn weekly() -> Digest {
        Digest::new(Span::Weekly, NOW.minus(Secs::days(7)), NOW, NOW.plus(Secs::days(7)))
    }

    fn ending(card: &str, hours: i64, last_safe_hours: Option<i64>) -> Ending {
        Ending {
            card: name(card),
            loss: Loss::Ends(EndKind::Plan),
            ends: NOW.plus(Secs::hours(hours)),
            last_safe: last_safe_hours.map(|hours| NOW.plus(Secs::hours(hours))),
        }
    }

    #[test]
    fn what_needs_a_person_comes_first_and_a_fleet_is_counted() {
        let mut digest = weekly();
        for place in 0..1_000 {
            let trouble = if place % 100 == 7 { Trouble::CannotRenew } else { Trouble::Unknown };
            digest.add(&Seen { trouble: (place % 2 == 1).then_some(trouble), ..seen(&format!("router-{place}")) });
        }
        assert_eq!((digest.cards, digest.troubles.count, digest.waiting, digest.well()), (1_000, 500, 10, 500));
        assert_eq!((digest.troubles.rows.len(), digest.troubles.more()), (TROUBLES_MOST, 500 - TROUBLES_MOST));
        assert!(digest.troubles.rows.iter().all(|row| row.trouble == Trouble::CannotRenew));
        assert!(serde_json::to_string(&digest).unwrap().len() < 4_096);
    }

    #[test]
    fn ends_are_sorted_by_the_last_safe_moment_and_far_ones_are_no_news() {
        let mut digest = weekly();
        for ending in [
            ending("late", 48, Some(40)),
            ending("first", 72, Some(3)),
            ending("plain", 30, None),
            ending("far", 24 * 63, None),
            ending("over", 0, None),
        ] {
            digest.add(&Seen { ending: Some(ending), ..seen("any") });
        }
        let order: Vec<&str> = digest.ends.rows.iter().map(|ending| ending.card.as_str()).collect();
        assert_eq!(order, ["first", "plain", "late"]);
    }

    #[test]
    fn what_a_shared_cap_holds_back_is_told_once_and_costs_nothing() {
        let buys = |days| Expected {
            card: name("tablet"),
            at: NOW.plus(Secs::days(days)),
            comes: Comes::Buys { plan: "1 GB".to_owned(), price: usd(5) },
        };
        let coming = vec![buys(1), buys(3), buys(5)];
        assert_eq!(Expected::held_from(coming.clone(), NOW.plus(Secs::days(6))), coming);
        let left = Expected::held_from(coming.clone(), NOW.plus(Secs::days(3)));
        assert_eq!((left.len(), &left[0], left[1].at), (2, &coming[0], coming[1].at));
        assert_eq!((left[0].price(), left[1].price()), (Some(usd(5)), None));
    }

    #[test]
    fn purchases_count_once_and_what_comes_until_the_next_one() {
        let mut digest = weekly();
        let purchase = |days, price| Purchase {
            card: name("tablet"),
            plan: "1 GB".to_owned(),
            charged: price,
            at: NOW.minus(Secs::days(days)),
            month_left: None,
        };
        let expected = |days| Expected {
            card: name("tablet"),
            at: NOW.plus(Secs::days(days)),
            comes: Comes::Buys { plan: "1 GB".to_owned(), price: usd(5) },
        };
        let euros = Money::new(30_000, crate::domain::money::Currency::EUR);
        let bought = vec![purchase(7, usd(1)), purchase(6, usd(5)), purchase(0, euros), purchase(-1, usd(9))];
        let coming = vec![expected(7), expected(8)];
        digest.add(&Seen { bought, coming, is_silenced: true, trouble: Some(Trouble::Blocked), ..seen("tablet") });
        assert_eq!((digest.spent.money.as_slice(), digest.bought.count), (&[usd(5), euros][..], 2));
        assert_eq!((digest.expected.money.as_slice(), digest.coming.count), (&[usd(5)][..], 1));
        assert_eq!((digest.silenced, digest.troubles.count, digest.well()), (1, 0, 0), "it is silenced");
    }
}
