//! Units, which the standard leaves to each operator. A unit that is not listed here is not known, and then the amount is
//! not told: a balance in the wrong unit is worse than none.

use super::wire::{QuantityDoc, filled, word};
use crate::domain::money::{Currency, Money, PER_UNIT};
use crate::domain::reading::AllowanceKind;

/// What the owner says about units that the operator leaves out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bare {
    /// The currency of money.
    pub(super) currency: Currency,
    /// Bytes of one unit of data.
    pub(super) data_bytes: Option<i64>,
}

/// How an operator writes money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MoneyUnit {
    /// The currency.
    pub(super) currency: Currency,
    /// Whether amounts are in its hundredths.
    hundredths: bool,
    /// The operator's word, if it has one.
    word: Option<String>,
}

impl MoneyUnit {
    /// Money in whole units by its code.
    pub(super) fn plain(currency: Currency) -> Self {
        Self { currency, hundredths: false, word: None }
    }

    /// The amount as this operator writes it, and its unit.
    pub(super) fn written(&self, money: Money) -> Option<(serde_json::Number, &str)> {
        let factor = if self.hundredths { 100 } else { 1 };
        let scaled = Money::new(money.ten_thousandths().checked_mul(factor)?, money.currency()).number();
        let plain = if scaled.contains('.') { scaled.trim_end_matches('0').trim_end_matches('.') } else { &scaled };
        Some((plain.parse().ok()?, self.word.as_deref().unwrap_or(self.currency.code())))
    }
}

/// What a bucket holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// Of what.
    pub(super) kind: AllowanceKind,
    /// How much, in the kind's unit.
    pub(super) amount: i64,
    /// How money is written, if it is money.
    pub(super) money: Option<MoneyUnit>,
}

/// What a quantity of a bucket holds; none if its type or unit is not known or there is no amount.
///
/// # Errors
/// The amount is no number.
pub(super) fn held(usage: Option<&str>, quantity: &QuantityDoc, bare: Bare) -> Result<Option<Held>, String> {
    let (usage, unit) = (word(usage), filled(quantity.units.as_deref()));
    let Some(amount) = &quantity.amount else { return Ok(None) };
    let kind_of = |name: Option<&str>| match name {
        Some("monetary") => money_or_bare(unit, bare).map(Unit::Money),
        Some("data") => unit.map_or(bare.data_bytes, data_unit).map(|factor| Unit::Count(AllowanceKind::Data, factor)),
        Some("voice") => unit.and_then(voice_unit).map(|factor| Unit::Count(AllowanceKind::Voice, factor)),
        Some("sms") => message_unit(unit).map(|factor| Unit::Count(AllowanceKind::Sms, factor)),
        // v4.1.0: the type may itself be a currency; the unit must then be the same or left out.
        Some(code) => {
            let currency = Currency::parse(&code.to_uppercase()).ok()?;
            let told = unit.map_or_else(|| Some(MoneyUnit::plain(currency)), |unit| money_unit(unit, currency));
            told.filter(|told| told.currency == currency).map(Unit::Money)
        }
        // No type: the unit alone says it, where it can.
        None => {
            let unit = unit?;
            let data = || data_unit(unit).map(|factor| Unit::Count(AllowanceKind::Data, factor));
            money_unit(unit, bare.currency).map(Unit::Money).or_else(data)
        }
    };
    Ok(match kind_of(usage.as_deref()) {
        None => None,
        Some(Unit::Count(kind, factor)) => Some(Held { kind, amount: amount.scaled(factor)?, money: None }),
        Some(Unit::Money(unit)) => {
            let factor = if unit.hundredths { PER_UNIT / 100 } else { PER_UNIT };
            let kind = AllowanceKind::Credit(unit.currency);
            // The standard's amounts are floats; what is below the ten-thousandth is noise.
            Some(Held { kind, amount: amount.scaled(factor)?, money: Some(unit) })
        }
    })
}

enum Unit {
    Count(AllowanceKind, i64),
    Money(MoneyUnit),
}

fn money_or_bare(unit: Option<&str>, bare: Bare) -> Option<MoneyUnit> {
    unit.map_or_else(|| Some(MoneyUnit::plain(bare.currency)), |unit| money_unit(unit, bare.currency))
}

/// `EUR`, or hundredths of the owner's currency.
fn money_unit(unit: &str, currency: Currency) -> Option<MoneyUnit> {
    let word = Some(unit.to_owned());
    match unit.to_lowercase().as_str() {
        "cents" | "cent" if currency.places() == 2 => Some(MoneyUnit { currency, hundredths: true, word }),
        _ => Currency::parse(&unit.to_uppercase()).ok().map(|currency| MoneyUnit { currency, hundredths: false, word }),
    }
}

/// Bytes of one unit. `Mb` and `Gb` may be bits and are not taken.
pub(super) fn data_unit(unit: &str) -> Option<i64> {
    let by_letters = match unit {
        "B" => Some(1),
        "kB" | "KB" => Some(1_000),
        "MB" => Some(1_000_000),
        "GB" => Some(1_000_000_000),
        "TB" => Some(1_000_000_000_000),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        "TiB" => Some(1 << 40),
        _ => None,
    };
    by_letters.or_else(|| match unit.to_lowercase().as_str() {
        "octets" | "octet" | "bytes" | "byte" => Some(1),
        "kilobytes" | "kilobyte" | "kbytes" | "kbyte" => Some(1_000),
        "megabytes" | "megabyte" | "mbytes" | "mbyte" => Some(1_000_000),
        "gigabytes" | "gigabyte" | "gbytes" | "gbyte" => Some(1_000_000_000),
        _ => None,
    })
}

fn voice_unit(unit: &str) -> Option<i64> {
    match unit.to_lowercase().as_str() {
        "seconds" | "second" | "secs" | "sec" | "s" => Some(1),
        "minutes" | "minute" | "mins" | "min" => Some(60),
        "hours" | "hour" => Some(3_600),
        _ => None,
    }
}

/// Texts are counted one by one, whatever the word; another unit is not known.
fn message_unit(unit: Option<&str>) -> Option<i64> {
    let is_known =
        |unit: &str| matches!(unit.to_lowercase().as_str(), "messages" | "message" | "sms" | "texts" | "text");
    unit.is_none_or(is_known).then_some(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::kit::Loose;

    const BARE: Bare = Bare { currency: Currency::EUR, data_bytes: None };

    fn quantity(amount: &str, units: Option<&str>) -> QuantityDoc {
        QuantityDoc { amount: Some(Loose(amount.into())), units: units.map(str::to_owned) }
    }

    #[test]
    fn what_is_in_a_known_unit_is_told_and_nothing_else() {
        let data = |amount| Some((AllowanceKind::Data, amount));
        let euro = |amount| Some((AllowanceKind::Credit(Currency::EUR), amount));
        for (usage, amount, unit, expected) in [
            (Some("monetary"), "50", Some("EUR"), euro(500_000)),
            (Some("monetary"), "50", None, euro(500_000)),
            (Some("monetary"), "1234", Some("cents"), euro(123_400)),
            (Some("monetary"), "12.340000000000001", Some("eur"), euro(123_400)),
            (Some("monetary "), "-3.5", Some("EUR"), euro(-35_000)),
            (Some("EUR"), "7", Some("EUR"), euro(70_000)),
            (Some("eur"), "7", None, euro(70_000)),
            (Some("EUR"), "7", Some("USD"), None),
            (Some("monetary"), "5", Some("points"), None),
            (Some("data"), "900", Some("MB"), data(900_000_000)),
            (Some("data"), "5", Some("octets"), data(5)),
            (Some("data"), "1.5", Some("GiB"), data(3 << 29)),
            (Some("data"), "5", Some("Mb"), None),
            (Some("data"), "5", None, None),
            (Some("voice"), "2", Some("minutes"), Some((AllowanceKind::Voice, 120))),
            (Some("voice"), "2", None, None),
            (Some("sms"), "9", None, Some((AllowanceKind::Sms, 9))),
            (Some("sms"), "9", Some("EUR"), None),
            (Some("other"), "9", Some("EUR"), None),
            (None, "9", Some("EUR"), euro(90_000)),
            (None, "9", Some("GB"), data(9_000_000_000)),
            (None, "9", None, None),
        ] {
            let told = held(usage, &quantity(amount, unit), BARE).unwrap();
            assert_eq!(told.map(|held| (held.kind, held.amount)), expected, "{usage:?} {amount} {unit:?}");
        }
        let bare = Bare { data_bytes: Some(1_000_000), ..BARE };
        let told = held(Some("data"), &quantity("3", None), bare).unwrap().unwrap();
        assert_eq!(told.amount, 3_000_000);
        assert!(held(Some("data"), &quantity("many", Some("MB")), BARE).is_err());
        assert_eq!(held(Some("data"), &QuantityDoc { amount: None, units: Some("MB".into()) }, BARE), Ok(None));
    }

    #[test]
    fn money_is_written_as_the_operator_writes_it() {
        let fifteen = Money::parse("15.50 EUR").unwrap();
        for (unit, expected) in [("EUR", "15.5 EUR"), ("cents", "1550 cents")] {
            let unit = money_unit(unit, Currency::EUR).unwrap();
            let (number, word) = unit.written(fifteen).unwrap();
            assert_eq!(format!("{number} {word}"), expected);
        }
        let whole = MoneyUnit::plain(Currency::EUR).written(Money::parse("20 EUR").unwrap()).unwrap().0;
        assert_eq!(whole.to_string(), "20");
    }
}
