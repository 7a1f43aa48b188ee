//! What is on sale for one number. A plan's id is the product, what arrives, and Ding's fee: `BO_EN_TopUp:11:0`, so that
//! it stays the same while rates move, and the amount to send is the plan's price less the fee.

use jiff::Span;
use serde_json::json;

use super::session::Session;
use super::wire::{EstimateDoc, EstimatesDoc, PriceDoc, ProductDoc, ProductsDoc};
use crate::domain::card::tamed;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{OperatorError, Preflight};
use crate::domain::plan::{Contents, Plan};
use crate::domain::time::{Secs, UnixTime};
use crate::operators::kit::{Loose, json_number, row_of, sound_plans, unknown, whole_units};

/// Stands where a product has one amount only.
const FIXED: &str = "fixed";
/// So many amounts of one range are offered, since each is asked for by itself.
const AMOUNTS_MAX: usize = 200;
/// Prices that one question asks for.
const BATCH: usize = 100;

/// A plan's id, taken apart.
pub(super) struct PlanId<'a> {
    /// The product.
    pub(super) sku: &'a str,
    /// What arrives, in the recipient's currency; none for a product with one amount.
    receive: Option<&'a str>,
    /// What Ding charges beside the amount sent.
    pub(super) fee: &'a str,
}

impl<'a> PlanId<'a> {
    /// Takes an id of ours apart.
    pub(super) fn of(id: &'a str) -> Option<Self> {
        let mut parts = id.rsplitn(3, ':');
        let (fee, receive, sku) = (parts.next()?, parts.next()?, parts.next()?);
        (!sku.is_empty()).then_some(Self { sku, receive: (receive != FIXED).then_some(receive), fee })
    }
}

/// What the answer says about one price.
struct Priced {
    send: Money,
    fee: Money,
    receive: Option<Money>,
}

impl Priced {
    fn of(doc: &PriceDoc, currency: Currency) -> Result<Self, String> {
        let told = Currency::parse(&doc.send_currency_iso)?;
        if told != currency {
            return Err(format!("it is sold in {told}, and the wallet holds {currency}"));
        }
        let receive = match (&doc.receive_value, &doc.receive_currency_iso) {
            (Some(value), Some(code)) => Currency::parse(code).ok().and_then(|code| value.money(code).ok()),
            _ => None,
        };
        let fee = doc.distributor_fee.as_ref().ok_or_else(|| "Ding's fee is not told".to_owned())?.money(currency)?;
        let send = doc.send_value.money(currency)?;
        if send.ten_thousandths() <= 0 || send.ten_thousandths() % 100 != 0 || fee.ten_thousandths() < 0 {
            return Err(format!("`{}` is not an amount that can be sent", doc.send_value));
        }
        Ok(Self { send, fee, receive })
    }

    fn price(&self) -> Result<Money, String> {
        self.send.plus(self.fee).map_err(|error| error.to_string())
    }
}

/// The plans of these providers.
pub(super) async fn on_sale(
    session: &Session,
    providers: &[String],
    currency: Currency,
) -> Result<Vec<Plan>, OperatorError> {
    let query: Vec<_> = providers.iter().map(|code| ("providerCodes", code.as_str())).collect();
    let (doc, _): (ProductsDoc, _) = session.get("/GetProducts", &query).await?;
    let mut rows = Vec::new();
    for row in &doc.items {
        rows.push(match row_of::<ProductDoc>(row) {
            Ok(product) if !suits(&product, providers) => Ok(Vec::new()),
            Ok(product) if is_ranged(&product) => ranged(session, &product, currency).await?,
            Ok(product) => fixed(&product, currency).map(|plan| vec![plan]),
            Err(why) => Err(why),
        });
    }
    sound_plans(super::NAME, rows.into_iter())
}

/// One plan as it is sold at this moment; none if it is gone.
pub(super) async fn as_sold_now(
    session: &Session,
    providers: &[String],
    id: &str,
    currency: Currency,
) -> Result<Preflight, OperatorError> {
    let Some(wanted) = PlanId::of(id) else { return Ok(Preflight { offer: None, operator_time: None }) };
    let (doc, operator_time): (ProductsDoc, _) = session.get("/GetProducts", &[("skuCodes", wanted.sku)]).await?;
    let products = doc.items.iter().map(row_of::<ProductDoc>).collect::<Result<Vec<_>, _>>().map_err(unknown)?;
    let product = products.iter().find(|product| product.sku_code == wanted.sku && suits(product, providers));
    let plans = match (product, wanted.receive) {
        (Some(product), Some(amount)) if is_ranged(product) => {
            let receive = receive_of(product, amount).map_err(unknown)?;
            estimated(session, product, &[receive], currency).await?.map_err(unknown)?
        }
        (Some(product), None) if !is_ranged(product) => vec![fixed(product, currency).map_err(unknown)?],
        _ => Vec::new(),
    };
    Ok(Preflight { offer: plans.into_iter().find(|plan| plan.id == id), operator_time })
}

/// Whether a product reaches the card by itself, with nothing else to be told or done by a person.
fn suits(product: &ProductDoc, providers: &[String]) -> bool {
    let asks_more = product.setting_definitions.iter().flatten();
    let asks_more = asks_more.into_iter().any(|setting| setting.is_mandatory.is_none_or(|flag| flag.0));
    let prepaid = product.payment_types.as_ref().is_none_or(|types| types.is_empty() || has(types, "Prepaid"));
    providers.contains(&product.provider_code)
        && product.redemption_mechanism.as_deref().is_none_or(|how| how == "Immediate")
        && product.lookup_bills_required.is_none_or(|flag| !flag.0)
        && prepaid
        && !asks_more
        && ["Mobile", "Minutes", "Data", "Balance"].iter().any(|benefit| has(&product.benefits, benefit))
}

fn has(words: &[String], word: &str) -> bool {
    words.iter().any(|other| other == word)
}

fn is_ranged(product: &ProductDoc) -> bool {
    product.minimum.send_value.decimal() != product.maximum.send_value.decimal()
}

fn fixed(product: &ProductDoc, currency: Currency) -> Result<Plan, String> {
    let priced = Priced::of(&product.minimum, currency)?;
    let name = tamed(product.default_display_text.as_deref().unwrap_or(&product.sku_code), 120);
    plan(product, FIXED, name, &priced)
}

/// A range in whole units of the recipient's currency.
async fn ranged(
    session: &Session,
    product: &ProductDoc,
    currency: Currency,
) -> Result<Result<Vec<Plan>, String>, OperatorError> {
    let bounds = Priced::of(&product.minimum, currency).and_then(|least| {
        let most = Priced::of(&product.maximum, currency)?;
        let both = least.receive.zip(most.receive).filter(|(least, most)| least.currency() == most.currency());
        both.ok_or_else(|| format!("`{}` does not tell what arrives", tamed(&product.sku_code, 80)))
    });
    let amounts = match bounds {
        Ok((least, most)) => whole_units(least, most, AMOUNTS_MAX),
        Err(why) => return Ok(Err(why)),
    };
    let mut plans = Vec::new();
    for part in amounts.chunks(BATCH) {
        match estimated(session, product, part, currency).await? {
            Ok(more) => plans.extend(more),
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(plans))
}

/// What these amounts cost now, by `EstimatePrices`. Amounts that cannot be had exactly are left out.
async fn estimated(
    session: &Session,
    product: &ProductDoc,
    amounts: &[Money],
    currency: Currency,
) -> Result<Result<Vec<Plan>, String>, OperatorError> {
    let asked = amounts.iter().map(|amount| {
        json!({ "SkuCode": product.sku_code, "ReceiveValue": json_number(*amount), "BatchItemRef": plain(*amount) })
    });
    let body = serde_json::Value::from(asked.collect::<Vec<_>>()).to_string();
    let (doc, _): (EstimatesDoc, _) = session.ask("/EstimatePrices", body.as_bytes()).await?;
    Ok(doc.items.iter().filter_map(|row| estimate(row, product, amounts, currency).transpose()).collect())
}

fn estimate(
    row: &serde_json::Value,
    product: &ProductDoc,
    amounts: &[Money],
    currency: Currency,
) -> Result<Option<Plan>, String> {
    let Ok(doc) = row_of::<EstimateDoc>(row) else {
        // What cannot be had has a code and no price.
        let code = row.get("ResultCode").and_then(|code| row_of::<Loose>(code).ok());
        return if code.is_some_and(|code| code.as_str() != "1") {
            Ok(None)
        } else {
            row_of(row).map(|_: EstimateDoc| None)
        };
    };
    let asked = amounts.iter().find(|amount| plain(**amount) == doc.batch_item_ref);
    let priced = Priced::of(&doc.price, currency)?;
    let (Some(asked), true) = (asked, doc.result_code.as_str() == "1") else { return Ok(None) };
    if priced.receive != Some(*asked) {
        return Ok(None);
    }
    plan(product, &plain(*asked), format!("{} {asked}", tamed(&product.provider_code, 80)), &priced).map(Some)
}

fn plan(product: &ProductDoc, receive: &str, name: String, priced: &Priced) -> Result<Plan, String> {
    if product.sku_code.is_empty() {
        return Err("a product has no code".into());
    }
    let is_bundle = has(&product.benefits, "Data") && receive == FIXED;
    Ok(Plan {
        id: format!("{}:{receive}:{}", product.sku_code, plain(priced.fee)),
        name,
        contents: Contents { credit: priced.receive.filter(|_| !is_bundle), ..Contents::default() },
        validity_secs: product.validity_period_iso.as_deref().filter(|_| is_bundle).and_then(length_of),
        price: priced.price()?,
    })
}

fn receive_of(product: &ProductDoc, amount: &str) -> Result<Money, String> {
    let code = product.minimum.receive_currency_iso.as_deref().unwrap_or_default();
    Money::from_decimal(amount, Currency::parse(code)?)
}

/// An amount as it stands in an id: `10`, `12.5`.
fn plain(amount: Money) -> String {
    json_number(amount).to_string()
}

/// The length of `P30D`; a month has 30 days.
fn length_of(text: &str) -> Option<i64> {
    let span: Span = text.parse().ok()?;
    let days = i64::from(span.get_years()) * 365
        + i64::from(span.get_months()) * 30
        + i64::from(span.get_weeks()) * 7
        + i64::from(span.get_days());
    let secs = Secs::days(days).0.checked_add(Secs::hours(i64::from(span.get_hours())).0)?;
    (secs > 0 && secs < UnixTime::MAX.secs()).then_some(secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(changes: &serde_json::Value) -> ProductDoc {
        let mut doc = json!({
            "SkuCode": "2ANG44349", "ProviderCode": "2ANG", "ProcessingMode": "Instant",
            "RedemptionMechanism": "Immediate", "Benefits": ["Mobile", "Minutes"], "PaymentTypes": ["Prepaid"],
            "DefaultDisplayText": "NGN 500", "LookupBillsRequired": false, "SettingDefinitions": [],
            "Minimum": { "SendValue": 1.25, "SendCurrencyIso": "USD", "ReceiveValue": 500.0, "ReceiveCurrencyIso": "NGN", "DistributorFee": 0.1 },
            "Maximum": { "SendValue": 1.25, "SendCurrencyIso": "USD", "ReceiveValue": 500.0, "ReceiveCurrencyIso": "NGN", "DistributorFee": 0.1 }
        });
        for (name, value) in changes.as_object().unwrap() {
            doc[name] = value.clone();
        }
        row_of(&doc).unwrap()
    }

    #[test]
    fn the_price_is_the_amount_sent_and_the_fee() {
        let plan = fixed(&product(&json!({})), Currency::USD).unwrap();
        assert_eq!((plan.id.as_str(), plan.price.to_string().as_str()), ("2ANG44349:fixed:0.1", "1.35 USD"));
        assert_eq!(plan.contents.credit.unwrap().to_string(), "500.00 NGN");
        assert!(fixed(&product(&json!({})), Currency::EUR).is_err(), "another currency than the wallet's");
        let bundle = product(&json!({ "Benefits": ["Mobile", "Data"], "ValidityPeriodIso": "P30D" }));
        let bundle = fixed(&bundle, Currency::USD).unwrap();
        assert_eq!((bundle.contents.credit, bundle.validity_secs), (None, Some(30 * 86_400)));
    }

    #[test]
    fn only_what_reaches_the_card_by_itself_is_offered() {
        let providers = ["2ANG".to_owned()];
        assert!(suits(&product(&json!({})), &providers));
        for change in [
            json!({ "RedemptionMechanism": "ReadReceipt" }),
            json!({ "LookupBillsRequired": true }),
            json!({ "SettingDefinitions": [{ "Name": "x", "IsMandatory": true }] }),
            json!({ "PaymentTypes": ["Postpaid"] }),
            json!({ "Benefits": ["Electricity"] }),
            json!({ "ProviderCode": "OTHER" }),
        ] {
            assert!(!suits(&product(&change), &providers), "{change}");
        }
    }

    #[test]
    fn ids_are_taken_apart() {
        let id = PlanId::of("BO:EN_TopUp:11.5:0").unwrap();
        assert_eq!((id.sku, id.receive, id.fee), ("BO:EN_TopUp", Some("11.5"), "0"));
        assert_eq!(PlanId::of("A:fixed:0.1").unwrap().receive, None);
        for odd in ["", "A", "A:1", ":1:0"] {
            assert!(PlanId::of(odd).is_none(), "{odd}");
        }
        assert_eq!(length_of("P1M"), Some(30 * 86_400));
        assert_eq!((length_of("PT0S"), length_of("soon")), (None, None));
    }

    #[test]
    fn an_estimate_counts_only_for_the_amount_that_was_asked() {
        let ranged = product(&json!({}));
        let amounts = [Money::parse("11 BOB").unwrap()];
        let row = |receive: f64, code: u8| {
            json!({ "BatchItemRef": "11", "ResultCode": code, "ErrorCodes": [],
                "Price": { "SendValue": 1.15, "SendCurrencyIso": "USD", "ReceiveValue": receive, "ReceiveCurrencyIso": "BOB", "DistributorFee": 0 } })
        };
        let plan = estimate(&row(11.0, 1), &ranged, &amounts, Currency::USD).unwrap().unwrap();
        assert_eq!((plan.id.as_str(), plan.contents.credit), ("2ANG44349:11:0", Some(amounts[0])));
        assert_eq!(estimate(&row(10.98, 1), &ranged, &amounts, Currency::USD), Ok(None));
        assert_eq!(estimate(&row(11.0, 5), &ranged, &amounts, Currency::USD), Ok(None));
    }
}
