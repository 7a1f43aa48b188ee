//! Money: an exact whole number of ten-thousandths and an ISO 4217 code, never added across currencies.

use std::fmt;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

/// Ten-thousandths in one unit of a currency; operators quote prices with up to four places.
pub const PER_UNIT: i64 = 10_000;

/// An ISO 4217 currency code that is in use and has minor units, such as `CAD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollars.
    pub const USD: Self = Self(*b"USD");
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");

    /// Reads a code of three capital letters.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(code: &str) -> Result<Self, String> {
        let known = iso_currency::Currency::from_code(code).filter(|known| known.exponent().is_some());
        match (known, code.as_bytes()) {
            (Some(_), &[a, b, c]) => Ok(Self([a, b, c])),
            _ if iso_currency::Currency::from_code(&code.to_uppercase()).is_some() => {
                Err(format!("`{code}` is not a currency code; write `{}`", code.to_uppercase()))
            }
            _ => Err(format!("`{code}` is not an ISO 4217 currency code such as USD, EUR or CAD")),
        }
    }

    /// The three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        // Only `parse` and the constants make one, and both take ASCII letters.
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Places after the point in everyday use: 2 for dollars, 0 for yen, 3 for dinars.
    #[must_use]
    pub fn places(self) -> u32 {
        iso_currency::Currency::from_code(self.code()).and_then(|known| known.exponent()).map_or(2, u32::from)
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(input)?).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What adding or comparing money may run into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two currencies met.
    #[error("{0} and {1} cannot be added without a rate")]
    Mixed(Currency, Currency),
    /// The sum is larger than can be held.
    #[error("the sum is too large")]
    Overflow,
}

/// An exact amount of one currency. Negative amounts occur in answers of operators and are then kept as they are.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    ten_thousandths: i64,
    currency: Currency,
}

impl Money {
    /// From ten-thousandths of the unit: `Money::new(150_000, USD)` is 15 dollars.
    #[must_use]
    pub const fn new(ten_thousandths: i64, currency: Currency) -> Self {
        Self { ten_thousandths, currency }
    }

    /// Nothing, in `currency`.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Reads an operator's decimal, such as `4.05`, with up to four places.
    ///
    /// # Errors
    /// Says that it is no number, has too many places, or is too large.
    pub fn from_decimal(number: &str, currency: Currency) -> Result<Self, String> {
        let decimal = Decimal::from_str_exact(number)
            .or_else(|_| Decimal::from_scientific(number))
            .map_err(|_| format!("`{number}` is not a decimal amount"))?;
        let scaled =
            decimal.checked_mul(Decimal::from(PER_UNIT)).ok_or_else(|| format!("`{number}` is too large an amount"))?;
        if !scaled.fract().is_zero() {
            return Err(format!("`{number}` has more than four places"));
        }
        let whole = scaled.to_i64().ok_or_else(|| format!("`{number}` is too large an amount"))?;
        Ok(Self::new(whole, currency))
    }

    /// Reads what an owner writes: `15 USD` or `40.50 CAD`, with no more places than the currency has.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not an amount of money; write a number, a space and a currency code, such as \"15 USD\""
            )
        };
        let (number, code) = text.split_once(' ').ok_or_else(wrong)?;
        if number.contains(',') {
            return Err(format!("`{text}` has a comma; write \"{} {code}\"", number.replace(',', ".")));
        }
        let plain = !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && number.starts_with(|c: char| c.is_ascii_digit())
            && !number.ends_with('.');
        if !plain {
            return Err(wrong());
        }
        let currency = Currency::parse(code)?;
        let places = number.split_once('.').map_or(0, |(_, after)| after.len());
        if places > currency.places() as usize {
            return Err(format!("`{text}` has {places} places after the point; {currency} has {}", currency.places()));
        }
        Self::from_decimal(number, currency)
    }

    /// The amount in ten-thousandths of the unit.
    #[must_use]
    pub const fn ten_thousandths(self) -> i64 {
        self.ten_thousandths
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum, if both are of one currency and it can be held.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] or [`MoneyError::Overflow`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        let sum = self.ten_thousandths.checked_add(other.ten_thousandths).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(sum, self.currency))
    }

    /// The difference, if both are of one currency and it can be held.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] or [`MoneyError::Overflow`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        let rest = self.ten_thousandths.checked_sub(other.ten_thousandths).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(rest, self.currency))
    }

    /// Whether this is more than `other`.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`].
    pub fn exceeds(self, other: Self) -> Result<bool, MoneyError> {
        self.same(other)?;
        Ok(self.ten_thousandths > other.ten_thousandths)
    }

    /// This amount with `percent` added, rounded up to the ten-thousandth; stops at the largest amount.
    #[must_use]
    pub fn raised_by(self, percent: u32) -> Self {
        let raised = i128::from(self.ten_thousandths) * (100 + i128::from(percent));
        let rounded = raised.div_euclid(100) + i128::from(raised.rem_euclid(100) != 0);
        Self::new(i64::try_from(rounded).unwrap_or(i64::MAX), self.currency)
    }

    /// The number without its currency, with at least the currency's places: `15.00`, `0.0125`, `500` (yen).
    #[must_use]
    pub fn number(self) -> String {
        let decimal = Decimal::new(self.ten_thousandths, 4).normalize();
        let places = decimal.scale().max(self.currency.places());
        format!("{decimal:.*}", places as usize)
    }

    const fn same(self, other: Self) -> Result<(), MoneyError> {
        let (a, b) = (self.currency.0, other.currency.0);
        if a[0] == b[0] && a[1] == b[1] && a[2] == b[2] {
            Ok(())
        } else {
            Err(MoneyError::Mixed(self.currency, other.currency))
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    /// Reads what `Display` wrote, which may have more places than an owner may write.
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        let (number, code) =
            text.split_once(' ').ok_or_else(|| serde::de::Error::custom("an amount has a currency"))?;
        let currency = Currency::parse(code).map_err(serde::de::Error::custom)?;
        Self::from_decimal(number, currency).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn amounts_are_exact() {
        assert_eq!(money("15 USD").ten_thousandths(), 150_000);
        assert_eq!(money("40.50 CAD").to_string(), "40.50 CAD");
        assert_eq!(money("500 JPY").to_string(), "500 JPY");
        assert_eq!(money("1.250 KWD").to_string(), "1.250 KWD");
        assert_eq!(Money::from_decimal("0.0125", Currency::USD).unwrap().to_string(), "0.0125 USD");
        assert_eq!(Money::from_decimal("4.5", Currency::USD).unwrap().to_string(), "4.50 USD");
        assert_eq!(Money::from_decimal("1e2", Currency::USD).unwrap().to_string(), "100.00 USD");
        assert_eq!(Money::from_decimal("-3.5", Currency::USD).unwrap().to_string(), "-3.50 USD");
    }

    #[test]
    fn what_cannot_be_exact_is_refused() {
        for text in [
            "",
            "15",
            "15USD",
            "15 usd",
            "15,50 EUR",
            "1.555 USD",
            "0.5 JPY",
            "-1 USD",
            "1e3 USD",
            ". USD",
            "1. USD",
            "15 XAU",
            "15 ZZZ",
        ] {
            assert!(Money::parse(text).is_err(), "{text}");
        }
        assert!(Money::parse("15,50 EUR").unwrap_err().contains("15.50 EUR"));
        assert!(Money::parse("15 usd").unwrap_err().contains("USD"));
        for number in ["0.00001", "1e308", "NaN", "922337203685478", "12a"] {
            assert!(Money::from_decimal(number, Currency::USD).is_err(), "{number}");
        }
    }

    #[test]
    fn currencies_never_mix_and_sums_never_wrap() {
        assert_eq!(money("1 USD").plus(money("1 EUR")), Err(MoneyError::Mixed(Currency::USD, Currency::EUR)));
        assert_eq!(Money::new(i64::MAX, Currency::USD).plus(money("1 USD")), Err(MoneyError::Overflow));
        assert_eq!(money("15 USD").exceeds(money("15 USD")), Ok(false));
        assert_eq!(Money::new(150_001, Currency::USD).exceeds(money("15 USD")), Ok(true));
    }

    #[test]
    fn a_rise_is_rounded_up_so_that_the_exact_limit_passes() {
        assert_eq!(money("10 USD").raised_by(10), money("11 USD"));
        assert_eq!(Money::new(1, Currency::USD).raised_by(10).ten_thousandths(), 2);
        assert_eq!(Money::new(i64::MAX, Currency::USD).raised_by(10).ten_thousandths(), i64::MAX);
    }
}
