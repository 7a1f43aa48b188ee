//! Caps that several cards share: all of them, those of an account, or those with certain labels. Counted is every order
//! that may have left; what is only planned holds nobody up, since each order is counted before the next may leave.

use std::fmt::{self, Display, Formatter};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::card::Name;
use super::gates::{Gate, Period};
use super::money::Money;
use super::rates::Rates;
use super::rule::Line;
use super::time::{UnixTime, day_start};

/// A cap and whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedLimit {
    /// Where it begins in the file.
    pub line: Line,
    /// The account whose purchases count; every account's if none is named.
    pub account: Option<Name>,
    /// Labels that a card has to have all of; every card counts if none is named.
    pub labels: Vec<Name>,
    /// The most that may be spent within 24 hours.
    pub per_day: Option<Money>,
    /// The most that a calendar month may cost, in UTC: cards of several zones share it.
    pub per_month: Option<Money>,
    /// The most that may be spent within one length of the plan that is bought.
    pub per_cycle: Option<Money>,
    /// How many purchases within one length of the plan that is bought.
    pub renewals_per_cycle: Option<u32>,
    /// How many purchases within 24 hours.
    pub renewals_per_day: Option<u32>,
    /// How many purchases in a calendar month, in UTC.
    pub renewals_per_month: Option<u32>,
    /// What currencies are worth in each other.
    pub rates: Rates,
}

impl SharedLimit {
    /// Whether this caps the money of every purchase.
    #[must_use]
    pub const fn caps_money_of_all(&self) -> bool {
        self.account.is_none()
            && self.labels.is_empty()
            && (self.per_day.is_some() || self.per_month.is_some() || self.per_cycle.is_some())
    }

    /// Whether a purchase by this account for a card with these labels counts.
    #[must_use]
    pub fn concerns(&self, account: &Name, labels: &[Name]) -> bool {
        self.account.as_ref().is_none_or(|of| of == account) && self.labels.iter().all(|label| labels.contains(label))
    }
}

/// What was or may have been bought in a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// How many purchases.
    pub count: u32,
    /// What they cost, one sum for each currency.
    pub money: Vec<Money>,
}

impl Spent {
    /// Counts one purchase more.
    pub fn add(&mut self, price: Money) {
        self.count = self.count.saturating_add(1);
        match self.money.iter_mut().find(|sum| sum.currency() == price.currency()) {
            // A sum that cannot be held is over every limit.
            Some(sum) => *sum = sum.plus(price).unwrap_or(Money::new(i64::MAX, price.currency())),
            None => self.money.push(price),
        }
    }

    /// All of it in the currency of a limit; none where a rate is missing or it cannot be held.
    fn within(&self, limit: Money, rates: &Rates) -> Option<Money> {
        self.money.iter().try_fold(Money::zero(limit.currency()), |sum, money| {
            sum.plus(rates.convert(*money, limit.currency())?).ok()
        })
    }
}

/// A cap, and what counts against it already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The cap.
    pub limit: SharedLimit,
    /// Of the last 24 hours.
    pub day: Spent,
    /// Of this month.
    pub month: Spent,
    /// Of the last length of the plan that is bought.
    pub cycle: Spent,
}

impl Counted {
    /// G4: why a purchase at `price` would cross this cap.
    #[must_use]
    pub fn crossed(&self, price: Money) -> Option<Gate> {
        let (line, rates) = (self.limit.line, &self.limit.rates);
        let full = |(per, count, limit): (Period, u32, u32)| {
            (count >= limit).then_some(Gate::SharedCountReached { line, per, limit })
        };
        let dear = |(per, spent, limit): (Period, Option<Money>, Money)| {
            let added = rates.convert(price, limit.currency());
            match spent.zip(added).map(|(spent, added)| (spent, spent.plus(added).map(|sum| sum.exceeds(limit)))) {
                Some((_, Ok(Ok(false)))) => None,
                Some((spent, Ok(Ok(true)))) => Some(Gate::OverShared { line, per, limit, spent, price }),
                Some((_, Ok(Err(_)) | Err(_))) | None => Some(Gate::LimitCurrency { limit, price }),
            }
        };
        self.counts().find_map(full).or_else(|| self.sums().find_map(dear))
    }
}

impl Counted {
    /// Each sum that is capped: for which time, what is spent of it, none where a rate is missing, and the cap.
    pub fn sums(&self) -> impl Iterator<Item = (Period, Option<Money>, Money)> {
        let limit = &self.limit;
        let sums = [
            (Period::Day, limit.per_day, &self.day),
            (Period::Month, limit.per_month, &self.month),
            (Period::Cycle, limit.per_cycle, &self.cycle),
        ];
        let capped = sums.into_iter().filter_map(|(per, limit, spent)| Some((per, limit?, spent)));
        capped.map(|(per, limit, spent)| (per, spent.within(limit, &self.limit.rates), limit))
    }

    /// Each count that is capped: for which time, how many there are, and the cap.
    pub fn counts(&self) -> impl Iterator<Item = (Period, u32, u32)> {
        let counts = [
            (Period::Day, self.limit.renewals_per_day, self.day.count),
            (Period::Month, self.limit.renewals_per_month, self.month.count),
            (Period::Cycle, self.limit.renewals_per_cycle, self.cycle.count),
        ];
        counts.into_iter().filter_map(|(per, limit, count)| Some((per, count, limit?)))
    }
}

/// What of the cap is used, for `explain`.
impl Display for Counted {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        for (per, spent, limit) in self.sums() {
            let spent = spent.map_or_else(|| "an unknown amount".to_owned(), |spent| spent.to_string());
            parts.push(format!("{spent} of {limit} {per}"));
        }
        for (per, count, limit) in self.counts() {
            parts.push(format!("{count} of {limit} purchases {per}"));
        }
        write!(f, "{} (rules.toml:{})", parts.join(", "), self.limit.line)
    }
}

/// When the month of an instant began, in UTC.
#[must_use]
pub fn month_start(now: UnixTime) -> UnixTime {
    day_start(now.date_in(&TimeZone::UTC).first_of_month(), &TimeZone::UTC)
}

/// G4: the first of these caps that a purchase at `price` would cross.
#[must_use]
pub fn crossed(counted: &[Counted], price: Money) -> Option<Gate> {
    counted.iter().find_map(|counted| counted.crossed(price))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::rates::Rate;
    use crate::domain::testing::usd;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn limit() -> SharedLimit {
        SharedLimit {
            line: 7,
            account: None,
            labels: Vec::new(),
            per_day: None,
            per_month: None,
            per_cycle: None,
            renewals_per_cycle: None,
            renewals_per_day: None,
            renewals_per_month: None,
            rates: Rates::default(),
        }
    }

    fn counted(limit: SharedLimit, spent: &[Money]) -> Counted {
        let mut sums = Spent::default();
        spent.iter().for_each(|price| sums.add(*price));
        Counted { limit, day: sums.clone(), month: sums.clone(), cycle: sums }
    }

    /// A euro is worth so many ten-thousandths of a dollar.
    fn euro_at(dollar: i64) -> Rates {
        Rates(vec![Rate { of: Currency::EUR, is: Money::new(dollar, Currency::USD), on: date(2026, 11, 1) }])
    }

    #[test]
    fn a_cap_concerns_those_that_it_names() {
        let of = |account: Option<&str>, labels: &[&str]| SharedLimit {
            account: account.map(name),
            labels: labels.iter().map(|label| name(label)).collect(),
            ..limit()
        };
        for (limit, concerned) in [
            (of(None, &[]), true),
            (of(Some("airalo"), &[]), true),
            (of(Some("esimgo"), &[]), false),
            (of(None, &["trip"]), true),
            (of(Some("airalo"), &["trip", "car"]), true),
            (of(None, &["trip", "boat"]), false),
        ] {
            assert_eq!(limit.concerns(&name("airalo"), &[name("car"), name("trip")]), concerned, "{limit:?}");
        }
    }

    #[test]
    fn exactly_the_limit_may_be_spent() {
        let month = SharedLimit { per_month: Some(usd(40)), ..limit() };
        let spent = counted(month, &[usd(20), usd(10)]);
        assert_eq!(spent.crossed(usd(10)), None);
        let over = Gate::OverShared { line: 7, per: Period::Month, limit: usd(40), spent: usd(30), price: usd(11) };
        assert_eq!(spent.crossed(usd(11)), Some(over));
    }

    #[test]
    fn counts_are_full_at_their_number() {
        let count = |limit| counted(limit, &[usd(1), usd(1)]).crossed(usd(1));
        assert_eq!(count(SharedLimit { renewals_per_day: Some(3), ..limit() }), None);
        let day = Gate::SharedCountReached { line: 7, per: Period::Day, limit: 2 };
        assert_eq!(count(SharedLimit { renewals_per_day: Some(2), ..limit() }), Some(day));
        let month = Gate::SharedCountReached { line: 7, per: Period::Month, limit: 2 };
        assert_eq!(count(SharedLimit { renewals_per_month: Some(2), ..limit() }), Some(month));
        let cycle = Gate::SharedCountReached { line: 7, per: Period::Cycle, limit: 2 };
        assert_eq!(count(SharedLimit { renewals_per_cycle: Some(2), ..limit() }), Some(cycle));
        let dear = SharedLimit { per_cycle: Some(usd(2)), ..limit() };
        let over = Gate::OverShared { line: 7, per: Period::Cycle, limit: usd(2), spent: usd(2), price: usd(1) };
        assert_eq!(count(dear), Some(over));
    }

    #[test]
    fn other_currencies_count_by_a_stated_rate_and_stop_the_purchase_without_one() {
        let euro = |amount: i64| Money::new(amount * 10_000, Currency::EUR);
        let month = |rates| SharedLimit { per_month: Some(usd(40)), rates, ..limit() };
        let spent = |rates| counted(month(rates), &[usd(20), euro(10)]);
        let stops = Some(Gate::LimitCurrency { limit: usd(40), price: usd(1) });
        assert_eq!(spent(Rates::default()).crossed(usd(1)), stops);
        assert_eq!(spent(euro_at(11_000)).crossed(usd(9)), None);
        assert!(spent(euro_at(11_000)).crossed(euro(9)).is_some(), "9.90 USD on top of 31");
        assert_eq!(spent(euro_at(11_000)).crossed(euro(8)), None);
    }

    #[test]
    fn what_is_used_is_told_with_its_line() {
        let cap = SharedLimit { per_month: Some(usd(40)), renewals_per_day: Some(3), ..limit() };
        let told = counted(cap.clone(), &[usd(20), usd(10)]).to_string();
        assert_eq!(told, "30.00 USD of 40.00 USD a month, 2 of 3 purchases in 24 hours (rules.toml:7)");
        let told = counted(cap, &[Money::new(1, Currency::EUR)]).to_string();
        assert!(told.starts_with("an unknown amount of 40.00 USD a month"), "{told}");
    }

    #[test]
    fn a_sum_that_cannot_be_held_is_over_every_limit() {
        let month = SharedLimit { per_month: Some(Money::new(i64::MAX, Currency::USD)), ..limit() };
        let largest = Money::new(i64::MAX, Currency::USD);
        assert!(counted(month, &[largest, largest]).crossed(usd(1)).is_some());
    }

    proptest! {
        #[test]
        fn no_order_of_purchases_crosses_a_cap(prices in proptest::collection::vec((1..30_i64, any::<bool>()), 0..60)) {
            let rates = euro_at(10_800);
            let cap = SharedLimit { per_month: Some(usd(100)), renewals_per_month: Some(20), rates, ..limit() };
            let mut state = counted(cap, &[]);
            let (mut true_sum, mut bought) = (0_i64, 0);
            for (units, in_euro) in prices {
                let price = Money::new(units * 10_000, if in_euro { Currency::EUR } else { Currency::USD });
                if state.crossed(price).is_none() {
                    state.month.add(price);
                    true_sum += if in_euro { units * 10_800 } else { units * 10_000 };
                    bought += 1;
                }
            }
            prop_assert!(true_sum <= 1_000_000 && bought <= 20);
        }
    }
}
