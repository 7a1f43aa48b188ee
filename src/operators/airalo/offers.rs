//! The top-ups on sale for one card, at the price that will be charged.

use super::wire::{OfferDoc, PricingDoc, TopupsDoc};
use crate::domain::card::tamed;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::OperatorError;
use crate::domain::plan::{Contents, Plan};
use crate::domain::time::Secs;
use crate::operators::kit::Loose;

/// Bytes of one MB: the catalogue has 3072 for 3 GB.
pub(super) const MB: i64 = 1 << 20;

/// The plans of a document, in its order.
///
/// # Errors
/// Not one of them makes sense.
pub(super) fn plans_of(doc: &TopupsDoc, currency: Currency) -> Result<Vec<Plan>, OperatorError> {
    let no_pricing = PricingDoc::default();
    let pricing = doc.pricing.as_ref().unwrap_or(&no_pricing);
    let (mut plans, mut odd) = (Vec::new(), None);
    for row in &doc.data {
        match plan_of(row, pricing, currency) {
            Ok(plan) => plans.extend(plan),
            Err(why) => {
                tracing::warn!(why, "one of Airalo's plans makes no sense and is left out");
                odd = Some(why);
            }
        }
    }
    match odd {
        Some(why) if plans.is_empty() => Err(OperatorError::Unknown { why }),
        Some(_) | None => Ok(plans),
    }
}

/// The ids of the top-ups in a document, whatever they cost.
pub(super) fn ids_of(doc: &TopupsDoc) -> Vec<String> {
    let is_topup = |row: &&serde_json::Value| row.get("type").is_none_or(|kind| kind == "topup");
    doc.data.iter().filter(is_topup).filter_map(|row| row.get("id")?.as_str().map(str::to_owned)).collect()
}

/// One plan; none if it is no top-up.
fn plan_of(row: &serde_json::Value, pricing: &PricingDoc, currency: Currency) -> Result<Option<Plan>, String> {
    let offer = OfferDoc::deserialize_from(row)?;
    if offer.kind.as_deref().is_some_and(|kind| kind != "topup") {
        return Ok(None);
    }
    let price = charge(&offer, pricing, currency)?;
    if price.ten_thousandths() < 0 {
        return Err(format!("`{}` costs less than nothing", tamed(&offer.id, 80)));
    }
    let days = offer.day.as_ref().map(|day| day.scaled(1)).transpose()?.filter(|days| *days > 0);
    let name = tamed(offer.title.as_deref().unwrap_or(&offer.id), 120);
    let contents = contents_of(&offer)?;
    Ok(Some(Plan { id: offer.id, name, contents, validity_secs: days.map(|days| Secs::days(days).0), price }))
}

impl OfferDoc {
    fn deserialize_from(row: &serde_json::Value) -> Result<Self, String> {
        use serde::Deserialize;
        Self::deserialize(row).map_err(|error| tamed(&error.to_string(), 200))
    }
}

fn contents_of(offer: &OfferDoc) -> Result<Contents, String> {
    // Of an unlimited plan the amount is 0 and carries no meaning.
    let unlimited_data = offer.is_unlimited.is_some_and(|flag| flag.0);
    let amount = offer.amount.as_ref().filter(|_| !unlimited_data);
    Ok(Contents {
        data_bytes: counted(amount, MB)?,
        unlimited_data,
        voice_secs: counted(offer.voice.as_ref(), 60)?,
        sms: counted(offer.text.as_ref(), 1)?,
        credit: None,
    })
}

fn counted(amount: Option<&Loose>, factor: i64) -> Result<Option<u64>, String> {
    let Some(amount) = amount else { return Ok(None) };
    let scaled = amount.scaled(factor)?;
    u64::try_from(scaled).map(Some).map_err(|_| format!("`{amount}` is below zero"))
}

/// What will be charged: the net price, or the retail price less the account's discount. The retail price alone is
/// charged only where no model is named.
fn charge(offer: &OfferDoc, pricing: &PricingDoc, currency: Currency) -> Result<Money, String> {
    let maps = offer.prices.as_ref();
    let in_map = |map: Option<&Loose>, plain: &Loose| {
        // The plain price of an account in dollars is in dollars; of others, the map says it without doubt.
        if currency == Currency::USD { plain.clone() } else { map.unwrap_or(plain).clone() }
    };
    let code = currency.code();
    let retail = in_map(maps.and_then(|maps| maps.recommended_retail_price.get(code)), &offer.price);
    match (pricing.model.as_deref(), &offer.net_price, &pricing.discount_percentage) {
        (Some("net_pricing"), Some(net), _) => {
            in_map(maps.and_then(|maps| maps.net_price.get(code)), net).money(currency)
        }
        (Some("discount_pricing"), _, Some(percent)) => discounted(retail.money(currency)?, percent),
        // Without a net price or a percentage the retail price is the most that can be charged.
        _ => retail.money(currency),
    }
}

/// `price` less `percent`, rounded up to the ten-thousandth, so that what is shown is never below the charge.
fn discounted(price: Money, percent: &Loose) -> Result<Money, String> {
    const WHOLE: i128 = 1_000_000;
    let percent = i128::from(percent.scaled(10_000)?);
    if !(0..=WHOLE).contains(&percent) {
        return Err("the discount is not between 0 and 100 percent".into());
    }
    let product = i128::from(price.ten_thousandths()) * (WHOLE - percent);
    let rounded = product.div_euclid(WHOLE) + i128::from(product.rem_euclid(WHOLE) != 0);
    let amount = i64::try_from(rounded).map_err(|_| "the price is too large".to_owned())?;
    Ok(Money::new(amount, price.currency()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(row: &str, pricing: &str, currency: Currency) -> Result<String, String> {
        let row = serde_json::from_str(row).unwrap();
        let pricing = serde_json::from_str(pricing).unwrap();
        Ok(plan_of(&row, &pricing, currency)?.unwrap().price.to_string())
    }

    #[test]
    fn the_price_is_what_will_be_charged() {
        let row = r#"{"id":"a","price":4.5,"net_price":3.6,
            "prices":{"net_price":{"USD":3.6,"EUR":3.31},"recommended_retail_price":{"USD":4.5,"EUR":4.2}}}"#;
        let (usd, eur) = (Currency::USD, Currency::EUR);
        for (pricing, currency, expected) in [
            (r#"{"model":"net_pricing"}"#, usd, "3.60 USD"),
            (r#"{"model":"net_pricing"}"#, eur, "3.31 EUR"),
            (r#"{"model":"discount_pricing","discount_percentage":10}"#, usd, "4.05 USD"),
            (r#"{"model":"discount_pricing","discount_percentage":"12.5"}"#, usd, "3.9375 USD"),
            (r#"{"model":"discount_pricing","discount_percentage":10}"#, eur, "3.78 EUR"),
            (r#"{"model":"discount_pricing","discount_percentage":0}"#, usd, "4.50 USD"),
            (r#"{"model":"discount_pricing"}"#, usd, "4.50 USD"),
            ("{}", usd, "4.50 USD"),
        ] {
            assert_eq!(price(row, pricing, currency).as_deref(), Ok(expected), "{pricing} {currency}");
        }
        let retail = r#"{"id":"a","price":"9.50"}"#;
        assert_eq!(price(retail, r#"{"model":"net_pricing"}"#, usd).as_deref(), Ok("9.50 USD"));
    }

    #[test]
    fn prices_that_make_no_sense_are_refused() {
        for row in [
            r#"{"id":"a"}"#,
            r#"{"price":1}"#,
            r#"{"id":"a","price":"free"}"#,
            r#"{"id":"a","price":-1}"#,
            r#"{"id":"a","price":1e308}"#,
            r#"{"id":"a","price":1,"amount":-1}"#,
        ] {
            assert!(price(row, "{}", Currency::USD).is_err(), "{row}");
        }
        let over = r#"{"model":"discount_pricing","discount_percentage":101}"#;
        assert!(price(r#"{"id":"a","price":1}"#, over, Currency::USD).is_err());
    }
}
