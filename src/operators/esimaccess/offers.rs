//! The top-ups on sale for one eSIM.

use serde::Deserialize;

use super::reading::DataType;
use super::wire::{OfferDoc, PackagesDoc};
use crate::domain::card::tamed;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::OperatorError;
use crate::domain::plan::{Contents, Plan};
use crate::domain::time::Secs;
use crate::operators::kit::unknown;

/// How the code of a top-up begins.
pub(super) const TOPUP: &str = "TOPUP_";
/// The lengths in days that a day plan is offered for; it may be extended by any number between 1 and 365.
const DAYS: [i64; 8] = [1, 3, 5, 7, 10, 15, 20, 30];
/// Between a day plan's code and its days in a plan's id.
const DAYS_SIGN: char = '/';

/// The plans of a document, in its order.
///
/// # Errors
/// Not one of them makes sense.
pub(super) fn plans_of(doc: &PackagesDoc) -> Result<Vec<Plan>, OperatorError> {
    let (mut plans, mut odd) = (Vec::new(), None);
    for row in &doc.package_list {
        match plans_of_row(row) {
            Ok(some) => plans.extend(some),
            Err(why) => {
                tracing::warn!(why, "one of eSIM Access's packages makes no sense and is left out");
                odd = Some(why);
            }
        }
    }
    match odd {
        Some(why) if plans.is_empty() => Err(unknown(why)),
        Some(_) | None => Ok(plans),
    }
}

/// A package's code, and for how many days it is bought if it is a day plan.
pub(super) fn code_and_days(plan_id: &str) -> Result<(&str, Option<i64>), String> {
    let Some((code, days)) = plan_id.split_once(DAYS_SIGN) else { return Ok((plan_id, None)) };
    let days = days.parse().ok().filter(|days| (1..=365).contains(days));
    days.map(|days| (code, Some(days))).ok_or_else(|| format!("`{}` has no days between 1 and 365", tamed(plan_id, 80)))
}

/// The plans of one row: one, or one for each length of a day plan; none if it is no top-up.
fn plans_of_row(row: &serde_json::Value) -> Result<Vec<Plan>, String> {
    let offer = OfferDoc::deserialize(row).map_err(|error| tamed(&error.to_string(), 200))?;
    if !offer.package_code.starts_with(TOPUP) {
        return Ok(Vec::new());
    }
    let name = tamed(offer.name.as_deref().unwrap_or(&offer.package_code), 120);
    let price = price_of(&offer)?;
    let volume = offer.volume.as_ref().map(|volume| volume.counted(1)).transpose()?;
    let contents = |data_bytes, unlimited_data| Contents { data_bytes, unlimited_data, ..Contents::default() };
    let one = |contents| Plan {
        id: offer.package_code.clone(),
        name: name.clone(),
        contents,
        validity_secs: None,
        price: Money::new(price, Currency::USD),
    };
    let kind = DataType::of(offer.data_type.as_ref().map(|told| told.as_str()))?;
    if kind == DataType::Total {
        return Ok(vec![Plan { validity_secs: validity_secs(&offer)?, ..one(contents(volume, false)) }]);
    }
    let for_days = |days: i64| {
        // Days are charged one by one. Were it otherwise, the amount in the order would not fit and be refused.
        let price = price.checked_mul(days).ok_or("the price is too large")?;
        let whole = volume.map(|volume| volume.saturating_mul(days.unsigned_abs()));
        let unlimited = kind == DataType::Unlimited;
        Ok(Plan {
            id: format!("{}{DAYS_SIGN}{days}", offer.package_code),
            name: format!("{name}, {days} day{}", if days == 1 { "" } else { "s" }),
            validity_secs: Some(Secs::days(days).0),
            price: Money::new(price, Currency::USD),
            ..one(contents(whole.filter(|_| !unlimited), unlimited))
        })
    };
    DAYS.into_iter().map(for_days).collect()
}

/// The price in ten-thousandths of a dollar.
fn price_of(offer: &OfferDoc) -> Result<i64, String> {
    // The wallet is in dollars, and no rate is told: what costs something else cannot be compared.
    if offer.currency_code.as_deref().is_some_and(|code| code != "USD") {
        return Err(format!("`{}` is not sold in dollars", tamed(&offer.package_code, 80)));
    }
    let price = offer.price.whole()?;
    if price < 0 { Err(format!("`{}` costs less than nothing", tamed(&offer.package_code, 80))) } else { Ok(price) }
}

/// How long it lasts, where that is told in a unit of a certain length.
fn validity_secs(offer: &OfferDoc) -> Result<Option<i64>, String> {
    let unit = match offer.duration_unit.as_deref() {
        Some("DAY") => Secs::DAY,
        Some("HOUR") => Secs::HOUR,
        Some(_) | None => return Ok(None),
    };
    let told = offer.duration.as_ref().map(|told| told.scaled(unit.0)).transpose()?;
    Ok(told.filter(|secs| *secs > 0))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn plans(rows: Value) -> Result<Vec<Plan>, OperatorError> {
        plans_of(&PackagesDoc::deserialize(json!({ "packageList": rows })).unwrap())
    }

    fn row(changes: &Value) -> Value {
        let mut row = json!({ "packageCode": "TOPUP_CKH491", "name": "North America 1GB 7Days", "price": 70000,
            "currencyCode": "USD", "volume": 1_073_741_824, "duration": 7, "durationUnit": "DAY" });
        for (key, value) in changes.as_object().unwrap() {
            row[key] = value.clone();
        }
        row
    }

    #[test]
    fn money_comes_in_ten_thousandths() {
        let plan = plans(json!([row(&json!({}))])).unwrap().remove(0);
        assert_eq!((plan.price.to_string(), plan.validity_secs), ("7.00 USD".into(), Some(7 * 86_400)));
        assert_eq!(plan.contents.data_bytes, Some(1 << 30));
        assert_eq!(plans(json!([row(&json!({ "price": "70000" }))])).unwrap()[0].price, plan.price);
        let odd = [json!({ "price": 7.5 }), json!({ "price": -1 }), json!({ "currencyCode": "EUR" })];
        for change in odd {
            assert!(plans(json!([row(&change)])).is_err(), "{change}");
            assert_eq!(plans(json!([row(&change), row(&json!({}))])).unwrap().len(), 1);
        }
    }

    #[test]
    fn only_top_ups_are_offered() {
        assert_eq!(plans(json!([row(&json!({ "packageCode": "CKH491" }))])), Ok(Vec::new()));
        let months = plans(json!([row(&json!({ "durationUnit": "MONTH" }))])).unwrap();
        assert_eq!(months[0].validity_secs, None);
    }

    #[test]
    fn a_day_plan_is_offered_by_the_number_of_its_days() {
        let plans = plans(json!([row(&json!({ "dataType": 2 }))])).unwrap();
        let week = plans.iter().find(|plan| plan.id == "TOPUP_CKH491/7").unwrap();
        assert_eq!((week.price.to_string(), week.contents.data_bytes), ("49.00 USD".into(), Some(7 << 30)));
        assert_eq!(week.name, "North America 1GB 7Days, 7 days");
        assert_eq!(code_and_days(&week.id), Ok(("TOPUP_CKH491", Some(7))));
        assert_eq!(code_and_days("TOPUP_CKH491"), Ok(("TOPUP_CKH491", None)));
        assert!(code_and_days("TOPUP_CKH491/0").is_err() && code_and_days("TOPUP_CKH491/x").is_err());
    }
}
