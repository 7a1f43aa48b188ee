//! A plan: something an operator sells for a card; and the catalogue of those valid for one card.

use serde::{Deserialize, Serialize};

use super::capabilities::Stacking;
use super::data::DataSize;
use super::money::Money;
use super::time::{Secs, UnixTime};

/// What a plan puts on the card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Data in bytes.
    pub data_bytes: Option<u64>,
    /// Whether the data has no limit.
    #[serde(default)]
    pub unlimited_data: bool,
    /// Calls in seconds.
    pub voice_secs: Option<u64>,
    /// Texts.
    pub sms: Option<u64>,
    /// Credit.
    pub credit: Option<Money>,
}

impl Contents {
    /// The data, if it is stated and limited.
    #[must_use]
    pub fn data(&self) -> Option<DataSize> {
        self.data_bytes.map(DataSize)
    }

    /// Whether these contents are at least `needed` of data.
    #[must_use]
    pub fn covers(&self, needed: DataSize) -> bool {
        self.unlimited_data || self.data().is_some_and(|data| data >= needed)
    }
}

/// One thing on sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The operator's id.
    pub id: String,
    /// The operator's name for it.
    pub name: String,
    /// What it puts on the card.
    pub contents: Contents,
    /// How long it lasts, in seconds, where it has a length.
    pub validity_secs: Option<i64>,
    /// What will be charged.
    pub price: Money,
}

impl Plan {
    /// How long it lasts.
    #[must_use]
    pub fn validity(&self) -> Option<Secs> {
        self.validity_secs.map(Secs)
    }

    /// Whether the other sells the same for the same price: id, name, contents, validity and price.
    #[must_use]
    pub fn same_offer(&self, other: &Self) -> bool {
        self == other
    }
}

/// The plans valid for one card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// When it was fetched.
    pub fetched_at: UnixTime,
    /// What is on sale, in the operator's order.
    pub plans: Vec<Plan>,
    /// What becomes of one of them that is bought while another still runs.
    pub stacking: Stacking,
}

impl Catalogue {
    /// What is on sale, where nothing is known of how plans add to each other.
    #[must_use]
    pub const fn of(fetched_at: UnixTime, plans: Vec<Plan>) -> Self {
        Self { fetched_at, plans, stacking: Stacking::Unknown }
    }

    /// The plan with this id, or else the only one with this name.
    #[must_use]
    pub fn find(&self, id_or_name: &str) -> Option<&Plan> {
        let by_id = self.plans.iter().find(|plan| plan.id == id_or_name);
        by_id.or_else(|| {
            let mut named = self.plans.iter().filter(|plan| plan.name == id_or_name);
            named.next().filter(|_| named.next().is_none())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{NOW, plan, usd};

    #[test]
    fn contents_cover_a_need_at_the_exact_amount() {
        let with = |data_bytes, unlimited_data| Contents { data_bytes, unlimited_data, ..Contents::default() };
        for (contents, needed, covers) in [
            (with(Some(1_000), false), 999, true),
            (with(Some(1_000), false), 1_000, true),
            (with(Some(1_000), false), 1_001, false),
            (with(Some(0), false), 0, true),
            (with(None, false), 0, false),
            (with(None, true), u64::MAX, true),
            (with(Some(0), true), u64::MAX, true),
        ] {
            assert_eq!(contents.covers(DataSize(needed)), covers, "{needed} in {contents:?}");
        }
    }

    #[test]
    fn an_offer_is_the_same_only_when_nothing_moved() {
        let offer = plan("canada-30", 3_000_000_000, 30, usd(10));
        assert!(offer.same_offer(&offer.clone()));
        let changes: [fn(&mut Plan); 5] = [
            |plan| plan.id.push('x'),
            |plan| plan.name.push('x'),
            |plan| plan.contents.sms = Some(0),
            |plan| plan.validity_secs = None,
            |plan| plan.price = Money::new(100_001, plan.price.currency()),
        ];
        for change in changes {
            let mut other = offer.clone();
            change(&mut other);
            assert!(!offer.same_offer(&other), "{other:?}");
        }
        assert_eq!(offer.validity(), Some(Secs::days(30)));
    }

    #[test]
    fn a_name_is_enough_where_only_one_plan_has_it_and_an_id_goes_first() {
        let mut plans = vec![plan("a", 1, 1, usd(1)), plan("b", 1, 1, usd(2)), plan("c", 1, 1, usd(3))];
        plans[0].name = "b".into();
        plans[2].name = "b".into();
        let catalogue = Catalogue::of(NOW, plans);
        let id = |text: &str| catalogue.find(text).map(|plan| plan.id.as_str());
        assert_eq!(id("b"), Some("b"));
        assert_eq!(id("Plan b"), Some("b"));
        assert_eq!(id("Plan a"), None);
        assert_eq!(id(""), None);
        let twins = Catalogue::of(NOW, catalogue.plans.iter().filter(|plan| plan.id != "b").cloned().collect());
        assert_eq!(twins.find("b"), None, "two plans of one name are not guessed between");
    }
}
