//! Refills: what is on sale for a line, the bytes of an order, and what its answer means.
//!
//! A refill has no id: it is named by its megabytes and its days, which are unique among those on sale for one line.

use serde::Deserialize;

use super::session::{is_success, of_line};
use super::wire::{RefillDoc, RefilledDoc};
use super::{CURRENCY, NAME};
use crate::domain::card::{Card, tamed};
use crate::domain::operator::{BuyAnswer, Doubt, OperatorError, Order, PreparedOrder, RefusalKind};
use crate::domain::plan::{Contents, Plan};
use crate::domain::time::Secs;
use crate::operators::http::HttpAnswer;
use crate::operators::kit::{JSON, doubtful, iccid_of, never, no_code, unknown, unproven, wallet_only};

/// Bytes of one MB: Keepgo has 1024 for 1 GB.
const MB: i64 = 1 << 20;
/// Stands for the days of what has no end.
const LIFETIME: &str = "lifetime";

/// The id of a refill: `1024-30`, or `1024-lifetime` for data without an end.
pub(super) fn id_of(megabytes: i64, days: Option<i64>) -> String {
    days.map_or_else(|| format!("{megabytes}-{LIFETIME}"), |days| format!("{megabytes}-{days}"))
}

/// Megabytes and days of an id.
pub(super) fn parsed(id: &str) -> Result<(i64, Option<i64>), OperatorError> {
    let wrong = || never(RefusalKind::PlanGone, format!("`{id}` is no refill of Keepgo; one is called 1024-30"));
    let (megabytes, days) = id.split_once('-').ok_or_else(wrong)?;
    let number = |text: &str| {
        let plain = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse().ok()).flatten().filter(|number: &i64| *number > 0)
    };
    let days = if days == LIFETIME { None } else { Some(number(days).ok_or_else(wrong)?) };
    Ok((number(megabytes).ok_or_else(wrong)?, days))
}

/// The plans of a document, in its order.
///
/// # Errors
/// Not one of them makes sense.
pub(super) fn plans_of(rows: &[serde_json::Value]) -> Result<Vec<Plan>, OperatorError> {
    let (mut plans, mut odd): (Vec<Plan>, _) = (Vec::new(), None);
    for row in rows {
        match plan_of(row) {
            Ok(plan) => plans.push(plan),
            Err(why) => {
                tracing::warn!(why, "one of Keepgo's refills makes no sense and is left out");
                odd = Some(why);
            }
        }
    }
    // An order names only the pair: of two prices for one pair nobody knows which is charged.
    let prices: Vec<(String, _)> = plans.iter().map(|plan| (plan.id.clone(), plan.price)).collect();
    plans.retain(|plan| prices.iter().all(|(id, price)| *id != plan.id || *price == plan.price));
    if plans.len() < prices.len() {
        odd = odd.or(Some("refills of the same size have different prices".into()));
    }
    let mut seen = std::collections::BTreeSet::new();
    plans.retain(|plan| seen.insert(plan.id.clone()));
    match odd {
        Some(why) if plans.is_empty() => Err(unknown(why)),
        Some(_) | None => Ok(plans),
    }
}

fn plan_of(row: &serde_json::Value) -> Result<Plan, String> {
    let refill = RefillDoc::deserialize(row).map_err(|error| tamed(&error.to_string(), 200))?;
    let megabytes = refill.amount_mb.whole()?;
    let days = match &refill.amount_days {
        None => return Err(format!("the days of the refill of {megabytes} MB are not told")),
        Some(None) => None,
        Some(Some(days)) => Some(days.whole()?),
    };
    if megabytes <= 0 || days.is_some_and(|days| days <= 0) {
        return Err(format!("a refill has {megabytes} MB for {days:?} days"));
    }
    let price = refill.price_usd.money(CURRENCY)?;
    if price.ten_thousandths() < 0 {
        return Err(format!("the refill of {megabytes} MB costs less than nothing"));
    }
    let id = id_of(megabytes, days);
    parsed(&id).map_err(|error| error.to_string())?;
    let bytes = megabytes.checked_mul(MB).and_then(|bytes| u64::try_from(bytes).ok());
    Ok(Plan {
        name: refill.title.map_or_else(|| format!("{megabytes} MB"), |title| tamed(&title, 120)),
        contents: Contents { data_bytes: bytes, ..Contents::default() },
        validity_secs: days.map(|days| Secs::days(days).0),
        id,
        price,
    })
}

/// The exact bytes of an order. There is no place for our key.
pub(super) fn prepared(card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
    let iccid = iccid_of(card, NAME)?;
    wallet_only(order, NAME)?;
    no_code(order, NAME)?;
    let (megabytes, days) = parsed(&order.plan.id)?;
    let body = serde_json::json!({ "amount_mb": megabytes, "amount_days": days }).to_string();
    Ok(PreparedOrder {
        key: order.key.clone(),
        path: of_line(iccid, "refill")?,
        content_type: JSON.into(),
        body: body.into_bytes(),
    })
}

/// What the answer to an order means. Success counts only with both ids; no refusal is documented.
pub(super) fn outcome(answer: &HttpAnswer) -> BuyAnswer {
    if !answer.is_success() {
        return answer.in_doubt();
    }
    let doc: RefilledDoc = match answer.document() {
        Ok(doc) => doc,
        Err(why) => return doubtful(Doubt::Unreadable, why),
    };
    if !is_success(&doc.ack) {
        let beginning: String = String::from_utf8_lossy(&answer.body).chars().take(160).collect();
        return doubtful(Doubt::UnlistedCode, format!("`{}` instead of success: {beginning}", doc.ack));
    }
    match (doc.data_bundle_id, doc.transaction_id) {
        (Some(bundle), Some(transaction)) if !bundle.0.is_empty() && !transaction.0.is_empty() => {
            BuyAnswer::Accepted { order_id: Some(tamed(&transaction.0, 80)), charged: None }
        }
        _ => unproven("it says success, but names neither a data bundle nor a transaction, or only one of them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans(rows: &str) -> Result<Vec<(String, String)>, OperatorError> {
        let rows: Vec<serde_json::Value> = serde_json::from_str(rows).unwrap();
        Ok(plans_of(&rows)?.into_iter().map(|plan| (plan.id, plan.price.to_string())).collect())
    }

    fn row(megabytes: &str, days: &str, price: &str) -> String {
        format!(r#"{{"title":"1GB","amount_mb":{megabytes},"amount_days":{days},"price_usd":{price}}}"#)
    }

    #[test]
    fn a_refill_is_named_by_its_pair() {
        for (id, pair) in [("1024-30", (1_024, Some(30))), ("100-lifetime", (100, None))] {
            assert_eq!(parsed(id).unwrap(), pair);
            assert_eq!(id_of(pair.0, pair.1), id);
        }
        for id in ["", "1024", "1024-", "-30", "1024-0", "0-30", "1e3-30", "+1-1", "1024-30-1", "9999999999-1"] {
            assert!(matches!(parsed(id), Err(OperatorError::Never { kind: RefusalKind::PlanGone, .. })), "{id}");
        }
    }

    #[test]
    fn plans_have_the_price_of_their_pair_and_odd_ones_hide_no_others() {
        let one = |id: &str, price: &str| Ok(vec![(id.to_owned(), price.to_owned())]);
        let plain = row("1024", "30", "5.53");
        assert_eq!(plans(&format!("[{plain}]")), one("1024-30", "5.53 USD"));
        assert_eq!(plans(&format!("[{}]", row("\"1024\"", "null", "\"7\""))), one("1024-lifetime", "7.00 USD"));
        assert_eq!(plans(&format!("[{plain},{plain}]")), one("1024-30", "5.53 USD"), "twice the same");
        assert_eq!(plans("[]"), Ok(vec![]));
        let cheaper = row("1024", "30", "5.52");
        assert!(plans(&format!("[{plain},{cheaper}]")).is_err(), "which is charged?");
        for odd in [
            row("0", "30", "1"),
            row("-1", "30", "1"),
            row("1024", "0", "1"),
            row("1.5", "30", "1"),
            row("1024", "30", "-1"),
            row("1024", "30", "\"free\""),
            r#"{"amount_mb":1024,"price_usd":1}"#.to_owned(),
            "null".to_owned(),
        ] {
            assert!(plans(&format!("[{odd}]")).is_err(), "{odd}");
            assert_eq!(plans(&format!("[{odd},{plain}]")), one("1024-30", "5.53 USD"), "{odd}");
        }
    }
}
