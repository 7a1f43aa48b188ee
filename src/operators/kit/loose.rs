//! Values that operators write now as a number and now as a text.

use std::fmt;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;

use crate::domain::money::{Currency, Money, PER_UNIT};

/// A number or a text, kept as text, so that nothing is lost on the way to exact money.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "NumberOrText")]
pub(in crate::operators) struct Loose(pub(in crate::operators) String);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(serde_json::Number),
    Text(String),
}

impl From<NumberOrText> for Loose {
    fn from(value: NumberOrText) -> Self {
        match value {
            NumberOrText::Number(number) => Self(number.to_string()),
            NumberOrText::Text(text) => Self(text.trim().to_owned()),
        }
    }
}

impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Loose {
    /// The text.
    pub(in crate::operators) fn as_str(&self) -> &str {
        &self.0
    }

    /// This many units of `factor` each, parts of the smallest unit dropped.
    ///
    /// # Errors
    /// It is not a number, or too large.
    pub(in crate::operators) fn scaled(&self, factor: i64) -> Result<i64, String> {
        let number = self.decimal().ok_or_else(|| format!("`{self}` is not an amount"))?;
        let scaled = number.checked_mul(Decimal::from(factor)).and_then(|scaled| scaled.floor().to_i64());
        scaled.ok_or_else(|| format!("`{self}` is too large an amount"))
    }

    /// As a whole number.
    ///
    /// # Errors
    /// It is not one.
    pub(in crate::operators) fn whole(&self) -> Result<i64, String> {
        let number = self.decimal().filter(Decimal::is_integer).and_then(|number| number.to_i64());
        number.ok_or_else(|| format!("`{self}` is not a whole number"))
    }

    /// As an amount that cannot be below zero, scaled.
    ///
    /// # Errors
    /// It is not a number, below zero, or too large.
    pub(in crate::operators) fn counted(&self, factor: i64) -> Result<u64, String> {
        u64::try_from(self.scaled(factor)?).map_err(|_| format!("`{self}` is below zero"))
    }

    /// As money.
    ///
    /// # Errors
    /// It is not an amount, or has more places than are kept.
    pub(in crate::operators) fn money(&self, currency: Currency) -> Result<Money, String> {
        Money::from_decimal(&self.0, currency)
    }

    /// As money, parts of the ten-thousandth dropped, for balances that are told more finely than money is kept.
    ///
    /// # Errors
    /// It is not an amount, or too large.
    pub(in crate::operators) fn money_down(&self, currency: Currency) -> Result<Money, String> {
        Ok(Money::new(self.scaled(PER_UNIT)?, currency))
    }

    /// As money, parts of the ten-thousandth counted as a whole one, for prices that are told more finely.
    ///
    /// # Errors
    /// It is not an amount, or too large.
    pub(in crate::operators) fn money_up(&self, currency: Currency) -> Result<Money, String> {
        let number = self.decimal().ok_or_else(|| format!("`{self}` is not an amount"))?;
        let scaled = number.checked_mul(Decimal::from(PER_UNIT)).and_then(|scaled| scaled.ceil().to_i64());
        scaled.map(|scaled| Money::new(scaled, currency)).ok_or_else(|| format!("`{self}` is too large an amount"))
    }

    /// As a decimal number.
    pub(in crate::operators) fn decimal(&self) -> Option<Decimal> {
        Decimal::from_str_exact(&self.0).or_else(|_| Decimal::from_scientific(&self.0)).ok()
    }
}

/// True or false, however it is written: `true`, `"true"`, `1`, `"1"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "FlagWire")]
pub(in crate::operators) struct Flag(pub(in crate::operators) bool);

#[derive(Deserialize)]
#[serde(untagged)]
enum FlagWire {
    Truth(bool),
    Loose(Loose),
}

impl TryFrom<FlagWire> for Flag {
    type Error = String;

    fn try_from(wire: FlagWire) -> Result<Self, String> {
        match wire {
            FlagWire::Truth(truth) => Ok(Self(truth)),
            FlagWire::Loose(Loose(text)) => match text.to_ascii_lowercase().as_str() {
                "true" | "1" => Ok(Self(true)),
                "false" | "0" => Ok(Self(false)),
                _ => Err(format!("`{text}` is neither true nor false")),
            },
        }
    }
}

/// Tells a field that is null, `Some(None)`, from one that is not there; stands beside `default`.
pub(in crate::operators) fn told<'de, D, T>(value: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(value).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_the_same_amount() {
        for json in ["9.5", "\"9.50\"", "9.50", "\" 9.5 \""] {
            let loose: Loose = serde_json::from_str(json).unwrap();
            assert_eq!(loose.money(Currency::USD).unwrap().to_string(), "9.50 USD", "{json}");
        }
        for (text, bytes) in
            [("3072", Some(3 << 30)), ("0.5", Some(1 << 19)), ("-1", Some(-(1 << 20))), ("1e2", Some(100 << 20))]
        {
            assert_eq!(Loose(text.into()).scaled(1 << 20).ok(), bytes, "{text}");
        }
        for text in ["", "1e308", "99999999999999999999", "3 GB"] {
            assert!(Loose(text.into()).scaled(1 << 20).is_err(), "{text}");
        }
        let huge: Loose = serde_json::from_str("1e308").unwrap();
        assert!(huge.money(Currency::USD).is_err() && huge.scaled(1).is_err());
        assert_eq!((Loose("7.0".into()).whole(), Loose("-1".into()).counted(1).is_err()), (Ok(7), true));
        assert!(Loose("7.5".into()).whole().is_err());
    }

    #[test]
    fn truth_is_written_in_four_ways() {
        for (json, truth) in [("true", true), ("\"True\"", true), ("1", true), ("\"0\"", false), ("false", false)] {
            assert_eq!(serde_json::from_str::<Flag>(json).unwrap(), Flag(truth), "{json}");
        }
        assert!(serde_json::from_str::<Flag>("\"maybe\"").is_err() && serde_json::from_str::<Flag>("2").is_err());
    }
}
