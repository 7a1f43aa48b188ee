//! The documents of the Partners API, as far as they are needed. Numbers come as numbers or as text, depending on the
//! call, so both are taken everywhere.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;

use crate::domain::money::{Currency, Money};
use crate::domain::time::{UnixTime, first_instant};

/// A number or a text, kept as text, so that nothing is lost on the way to exact money.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "NumberOrText")]
pub(super) struct Loose(pub(super) String);

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
            NumberOrText::Text(text) => Self(text),
        }
    }
}

impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Loose {
    /// This many units of `factor` each, parts of the smallest unit dropped.
    pub(super) fn scaled(&self, factor: i64) -> Result<i64, String> {
        let number = Decimal::from_str_exact(&self.0).map_err(|_| format!("`{self}` is not an amount"))?;
        let scaled = number.checked_mul(Decimal::from(factor)).and_then(|scaled| scaled.floor().to_i64());
        scaled.ok_or_else(|| format!("`{self}` is too large an amount"))
    }

    /// As money.
    pub(super) fn money(&self, currency: Currency) -> Result<Money, String> {
        Money::from_decimal(&self.0, currency)
    }
}

/// Every answer of success is wrapped like this.
#[derive(Debug, Deserialize)]
pub(super) struct Wrapped<T> {
    pub(super) data: T,
}

/// `POST /token`.
#[derive(Deserialize)]
pub(super) struct TokenDoc {
    pub(super) access_token: String,
    pub(super) expires_in: Option<Loose>,
}

/// `GET /sims/{iccid}/usage`. Data in MB of 1024² bytes, calls in minutes.
#[derive(Debug, Deserialize)]
pub(super) struct UsageDoc {
    pub(super) remaining: Loose,
    pub(super) total: Loose,
    pub(super) expired_at: Option<String>,
    pub(super) is_unlimited: Option<bool>,
    pub(super) status: String,
    pub(super) remaining_voice: Option<Loose>,
    pub(super) remaining_text: Option<Loose>,
    pub(super) total_voice: Option<Loose>,
    pub(super) total_text: Option<Loose>,
}

/// One row of `GET /sims/{iccid}/packages`.
#[derive(Debug, Deserialize)]
pub(super) struct HistoryDoc {
    pub(super) id: Loose,
    pub(super) status: String,
    pub(super) activated_at: Option<String>,
    pub(super) expired_at: Option<String>,
    pub(super) package: PackageDoc,
}

/// The package of a history row.
#[derive(Debug, Deserialize)]
pub(super) struct PackageDoc {
    pub(super) id: String,
    pub(super) amount: Option<Loose>,
    pub(super) is_unlimited: Option<bool>,
}

/// `GET /sims/{iccid}/topups`. The rows are read one by one, so that an odd one does not hide the others.
#[derive(Debug, Deserialize)]
pub(super) struct TopupsDoc {
    pub(super) pricing: Option<PricingDoc>,
    pub(super) data: Vec<serde_json::Value>,
}

/// How the account is charged.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PricingDoc {
    pub(super) model: Option<String>,
    pub(super) discount_percentage: Option<Loose>,
}

/// One top-up on sale.
#[derive(Debug, Deserialize)]
pub(super) struct OfferDoc {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) price: Loose,
    pub(super) amount: Option<Loose>,
    pub(super) day: Option<Loose>,
    pub(super) is_unlimited: Option<bool>,
    pub(super) title: Option<String>,
    pub(super) voice: Option<Loose>,
    pub(super) text: Option<Loose>,
    pub(super) net_price: Option<Loose>,
    pub(super) prices: Option<PricesDoc>,
}

/// The same price in many currencies.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PricesDoc {
    #[serde(default)]
    pub(super) net_price: BTreeMap<String, Loose>,
    #[serde(default)]
    pub(super) recommended_retail_price: BTreeMap<String, Loose>,
}

/// `GET /balance`.
#[derive(Debug, Deserialize)]
pub(super) struct BalanceDoc {
    pub(super) balances: BalancesDoc,
}

/// An object, although its name says several.
#[derive(Debug, Deserialize)]
pub(super) struct BalancesDoc {
    #[serde(rename = "availableBalance")]
    pub(super) available: AmountDoc,
}

/// An amount of money.
#[derive(Debug, Deserialize)]
pub(super) struct AmountDoc {
    pub(super) amount: Loose,
    pub(super) currency: String,
}

/// An order: the answer to `POST /orders/topups`, and a row of `GET /orders`.
#[derive(Debug, Deserialize)]
pub(super) struct OrderDoc {
    pub(super) id: Loose,
    pub(super) package_id: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) description: Option<String>,
    pub(super) quantity: Option<Loose>,
    pub(super) currency: Option<String>,
    pub(super) price: Option<Loose>,
    pub(super) net_price: Option<Loose>,
    pub(super) unit_paid_price: Option<Loose>,
    pub(super) total_amount_paid: Option<Loose>,
    pub(super) pricing_model: Option<String>,
    pub(super) status: Option<StatusDoc>,
}

/// Where an order stands.
#[derive(Debug, Deserialize)]
pub(super) struct StatusDoc {
    pub(super) slug: String,
}

/// A page of `GET /orders`.
#[derive(Debug, Deserialize)]
pub(super) struct OrdersDoc {
    pub(super) data: Vec<OrderDoc>,
    pub(super) meta: Option<PageDoc>,
}

/// Where a page stands among the others.
#[derive(Debug, Deserialize)]
pub(super) struct PageDoc {
    pub(super) last_page: Option<Loose>,
}

/// A refusal with a code.
#[derive(Debug, Deserialize)]
pub(super) struct CodeDoc {
    pub(super) code: Loose,
    #[serde(default)]
    pub(super) reason: String,
}

/// A refusal of parameters: field → what is wrong with it.
#[derive(Debug, Deserialize)]
pub(super) struct FieldsDoc {
    pub(super) data: BTreeMap<String, String>,
    pub(super) meta: MessageDoc,
}

/// A message.
#[derive(Debug, Deserialize)]
pub(super) struct MessageDoc {
    pub(super) message: String,
}

/// Reads a time: ISO 8601 with its offset (package history), or `YYYY-MM-DD HH:MM:SS` without one (usage). The zone of
/// the latter is not documented; it is taken as UTC, like the offset that the history states.
pub(super) fn time_of(text: &str) -> Result<UnixTime, String> {
    if let Ok(stated) = UnixTime::parse(text) {
        return Ok(stated);
    }
    let wall: DateTime = text.parse().map_err(|_| format!("`{text}` is not a time"))?;
    if wall.year() < 1970 {
        return Err(format!("`{text}` lies before 1970"));
    }
    Ok(first_instant(wall, &TimeZone::UTC))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_the_same_amount() {
        for json in ["9.5", "\"9.50\"", "9.50"] {
            let loose: Loose = serde_json::from_str(json).unwrap();
            assert_eq!(loose.money(Currency::USD).unwrap().to_string(), "9.50 USD", "{json}");
        }
        for (text, bytes) in [("3072", Some(3 << 30)), ("0.5", Some(1 << 19)), ("-1", Some(-(1 << 20)))] {
            assert_eq!(Loose(text.into()).scaled(1 << 20).ok(), bytes, "{text}");
        }
        for text in ["", "1e308", "99999999999999999999", "3 GB"] {
            assert!(Loose(text.into()).scaled(1 << 20).is_err(), "{text}");
        }
        let huge: Loose = serde_json::from_str("1e308").unwrap();
        assert!(huge.money(Currency::USD).is_err() && huge.scaled(1).is_err());
    }

    #[test]
    fn times_without_a_zone_are_utc() {
        let utc = UnixTime::parse("2022-01-01T00:00:00Z").unwrap();
        assert_eq!(time_of("2022-01-01 00:00:00"), Ok(utc));
        assert_eq!(time_of("2022-01-01T02:00:00+02:00"), Ok(utc));
        assert_eq!(time_of("9999-12-31 23:59:59"), Ok(UnixTime::MAX));
        for text in ["", "0000-00-00 00:00:00", "1969-12-31 00:00:00", "01/02/2022", "soon"] {
            assert!(time_of(text).is_err(), "{text}");
        }
    }
}
