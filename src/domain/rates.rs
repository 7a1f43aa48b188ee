//! What currencies are worth in each other, as the owner states it. Without a stated rate nothing is added across
//! currencies.

use jiff::civil::Date;
use serde::Serialize;

use super::money::{Currency, Money, PER_UNIT};

/// What one unit of a currency is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// The currency.
    pub of: Currency,
    /// What one unit of it is worth, in another; more than nothing.
    pub is: Money,
    /// The day for which the owner states it.
    pub on: Date,
}

/// Every rate that the owner states.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rates(pub Vec<Rate>);

impl Rates {
    /// An amount in another currency, rounded up to the ten-thousandth, so that a limit is reached rather too early than
    /// too late. None without a rate between the two, in either direction, and for what cannot be held.
    #[must_use]
    pub fn convert(&self, money: Money, into: Currency) -> Option<Money> {
        if money.currency() == into {
            return Some(money);
        }
        let amount = i128::from(money.ten_thousandths());
        let forth = |rate: &Rate| (rate.of == money.currency() && rate.is.currency() == into).then_some(rate.is);
        let back = |rate: &Rate| (rate.of == into && rate.is.currency() == money.currency()).then_some(rate.is);
        let per_unit = i128::from(PER_UNIT);
        let converted = match self.0.iter().find_map(forth) {
            Some(worth) => rounded_up(amount * i128::from(worth.ten_thousandths()), per_unit),
            None => rounded_up(amount * per_unit, i128::from(self.0.iter().find_map(back)?.ten_thousandths())),
        };
        Some(Money::new(i64::try_from(converted?).ok()?, into))
    }
}

fn rounded_up(amount: i128, by: i128) -> Option<i128> {
    Some(amount.checked_div_euclid(by)? + i128::from(amount.checked_rem_euclid(by)? != 0))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn yen() -> Currency {
        Currency::parse("JPY").unwrap()
    }

    fn rates() -> Rates {
        let on = date(2026, 11, 1);
        let rate = |of, amount, currency| Rate { of, is: Money::new(amount, currency), on };
        Rates(vec![rate(Currency::EUR, 10_800, Currency::USD), rate(Currency::USD, 1_493_000, yen())])
    }

    #[test]
    fn a_rate_serves_both_ways_and_rounds_up() {
        for (amount, from, into, expected) in [
            (10_000, Currency::EUR, Currency::USD, Some(10_800)),
            (1, Currency::EUR, Currency::USD, Some(2)),
            (10_800, Currency::USD, Currency::EUR, Some(10_000)),
            (10_801, Currency::USD, Currency::EUR, Some(10_001)),
            (5_000_000, yen(), Currency::USD, Some(33_490)),
            (5_000_000, yen(), Currency::EUR, None),
            (7, Currency::EUR, Currency::EUR, Some(7)),
            (i64::MAX, Currency::USD, yen(), None),
        ] {
            let converted = rates().convert(Money::new(amount, from), into).map(Money::ten_thousandths);
            assert_eq!(converted, expected, "{amount} {from} in {into}");
        }
    }

    #[test]
    fn nothing_is_worth_nothing_in_every_currency_and_a_rate_of_nothing_is_none() {
        let none = Rates(vec![Rate { of: Currency::EUR, is: Money::zero(Currency::USD), on: date(2026, 11, 1) }]);
        assert_eq!(none.convert(Money::new(5, Currency::USD), Currency::EUR), None);
        assert_eq!(rates().convert(Money::zero(Currency::EUR), Currency::USD), Some(Money::zero(Currency::USD)));
    }

    proptest! {
        #[test]
        fn more_is_never_worth_less(amount in 0..i64::MAX / 4, more in 0..1_000_000_i64) {
            let worth = |amount| rates().convert(Money::new(amount, Currency::EUR), Currency::USD);
            if let (Some(less), Some(more)) = (worth(amount), worth(amount + more)) {
                prop_assert!(less.ten_thousandths() <= more.ten_thousandths());
            }
        }
    }
}
