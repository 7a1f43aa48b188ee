//! Amounts that one may choose within a range, what they cost at a rate, and plans out of rows of which some are odd.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::errors::unknown;
use super::loose::Loose;
use crate::domain::card::tamed;
use crate::domain::money::{Currency, Money, PER_UNIT};
use crate::domain::operator::OperatorError;
use crate::domain::plan::Plan;

/// So many amounts of one range are offered at most.
pub(in crate::operators) const AMOUNTS_MAX: usize = 500;

/// The whole units from `least` to `most`, ascending: every one of them where they are at most `longest`, and else every
/// second, fifth, tenth and so on, so that the round ones stay.
pub(in crate::operators) fn whole_units(least: Money, most: Money, longest: usize) -> Vec<Money> {
    let first = least.ten_thousandths().max(1).saturating_add(PER_UNIT - 1) / PER_UNIT;
    let last = most.ten_thousandths() / PER_UNIT;
    let longest = i64::try_from(longest.max(1)).unwrap_or(i64::MAX);
    let steps = (0..18).flat_map(|zeros| [1, 2, 5].map(|step: i64| step * 10_i64.pow(zeros)));
    let few = |step: &i64| last / step - (first - 1) / step <= longest;
    let Some(step) = steps.into_iter().find(few) else { return Vec::new() };
    let from = (first - 1) / step + 1;
    (from..=last / step).map(|count| Money::new(count * step * PER_UNIT, least.currency())).collect()
}

/// What has to be paid for `received` at `rate` units received for each unit paid, rounded up to the coin.
///
/// # Errors
/// The rate is none, or the sum is too large.
pub(in crate::operators) fn paid_for(received: Money, rate: &Loose, currency: Currency) -> Result<Money, String> {
    let rate = rate_of(rate)?;
    let paid = decimal(received).checked_div(rate).ok_or_else(too_large)?;
    in_coins(paid, currency, RoundingStrategy::AwayFromZero)
}

/// What arrives for `paid` at `rate` units received for each unit paid, rounded down to the coin.
///
/// # Errors
/// The rate is none, or the sum is too large.
pub(in crate::operators) fn received_for(paid: Money, rate: &Loose, currency: Currency) -> Result<Money, String> {
    let received = decimal(paid).checked_mul(rate_of(rate)?).ok_or_else(too_large)?;
    in_coins(received, currency, RoundingStrategy::ToZero)
}

/// `percent` of an amount, rounded down, or up where it is to be paid.
///
/// # Errors
/// The percentage is none between 0 and 100.
pub(in crate::operators) fn share_of(amount: Money, percent: &Loose, up: bool) -> Result<Money, String> {
    let percent = percent.decimal().filter(|percent| (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(percent));
    let percent = percent.ok_or_else(|| "a percentage lies between 0 and 100".to_owned())?;
    let share = decimal(amount).checked_mul(percent).map(|product| product / Decimal::ONE_HUNDRED);
    let rounding = if up { RoundingStrategy::AwayFromZero } else { RoundingStrategy::ToZero };
    let share = share.ok_or_else(too_large)?.round_dp_with_strategy(4, rounding);
    money_of(share, amount.currency())
}

/// An amount as a JSON number.
pub(in crate::operators) fn json_number(amount: Money) -> Value {
    let plain = decimal(amount).normalize().to_string();
    serde_json::from_str(&plain).unwrap_or(Value::Null)
}

/// A row of a list, read by itself so that an odd one does not hide the others.
///
/// # Errors
/// Says what is wrong with it.
pub(in crate::operators) fn row_of<T: DeserializeOwned>(row: &Value) -> Result<T, String> {
    T::deserialize(row).map_err(|error| tamed(&error.to_string(), 200))
}

/// The plans of rows. Odd rows are left out with a warning.
///
/// # Errors
/// Some rows are odd, and no plan is left.
pub(in crate::operators) fn sound_plans(
    operator: &str,
    rows: impl Iterator<Item = Result<Vec<Plan>, String>>,
) -> Result<Vec<Plan>, OperatorError> {
    let (mut plans, mut odd) = (Vec::new(), None);
    for row in rows {
        match row {
            Ok(sound) => plans.extend(sound),
            Err(why) => {
                tracing::warn!(operator, why, "an offer makes no sense and is left out");
                odd = Some(why);
            }
        }
    }
    match odd {
        Some(why) if plans.is_empty() => Err(unknown(why)),
        Some(_) | None => Ok(plans),
    }
}

fn decimal(amount: Money) -> Decimal {
    Decimal::new(amount.ten_thousandths(), 4)
}

fn rate_of(rate: &Loose) -> Result<Decimal, String> {
    rate.decimal().filter(|rate| *rate > Decimal::ZERO).ok_or_else(|| format!("`{rate}` is not a rate"))
}

fn in_coins(amount: Decimal, currency: Currency, rounding: RoundingStrategy) -> Result<Money, String> {
    money_of(amount.round_dp_with_strategy(currency.places(), rounding), currency)
}

fn money_of(amount: Decimal, currency: Currency) -> Result<Money, String> {
    let scaled = amount.checked_mul(Decimal::from(PER_UNIT)).and_then(|scaled| scaled.to_i64());
    scaled.map(|scaled| Money::new(scaled, currency)).ok_or_else(too_large)
}

fn too_large() -> String {
    "the amount is too large".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USD: Currency = Currency::USD;

    fn units(least: &str, most: &str, longest: usize) -> Vec<i64> {
        let money = |text: &str| Money::from_decimal(text, USD).unwrap();
        let all = whole_units(money(least), money(most), longest);
        all.into_iter().map(|unit| unit.ten_thousandths() / PER_UNIT).collect()
    }

    #[test]
    fn a_range_is_offered_in_whole_units() {
        assert_eq!(units("0.45", "3.99", 500), [1, 2, 3]);
        assert_eq!(units("2", "4", 500), [2, 3, 4]);
        assert_eq!(units("1", "10", 5), [2, 4, 6, 8, 10]);
        assert_eq!(units("5", "1000", 10), [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
        assert_eq!(units("4", "3", 500), Vec::<i64>::new());
        assert_eq!(units("0.2", "0.9", 500), Vec::<i64>::new());
        assert_eq!(units("-5", "1", 500), [1]);
        assert!(whole_units(Money::new(1, USD), Money::new(i64::MAX, USD), 500).len() <= 500);
    }

    #[test]
    fn rates_round_against_us() {
        let rate = Loose("67.12".into());
        let htg = Currency::parse("HTG").unwrap();
        assert_eq!(paid_for(Money::parse("1000 HTG").unwrap(), &rate, USD).unwrap().to_string(), "14.90 USD");
        assert_eq!(received_for(Money::parse("15 USD").unwrap(), &rate, htg).unwrap().to_string(), "1006.80 HTG");
        assert_eq!(
            share_of(Money::parse("15 USD").unwrap(), &Loose("12".into()), false).unwrap().to_string(),
            "1.80 USD"
        );
        for rate in ["0", "-1", "x", "1e-28"] {
            assert!(paid_for(Money::new(i64::MAX, USD), &Loose(rate.into()), USD).is_err(), "{rate}");
        }
        assert!(share_of(Money::new(1, USD), &Loose("101".into()), true).is_err());
    }

    #[test]
    fn numbers_are_plain() {
        for (text, number) in [("10 USD", "10"), ("12.30 USD", "12.3"), ("0.45 USD", "0.45")] {
            assert_eq!(json_number(Money::parse(text).unwrap()).to_string(), number);
        }
    }
}
