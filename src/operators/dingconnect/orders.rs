//! Transfers: the bytes of one, what its answer means, and how it is found again by its reference.
//!
//! The body is asked first: refusals come with HTTP 200, and an empty wallet with HTTP 500. A transfer is sent once and
//! never again.

use serde_json::json;

use super::offers::PlanId;
use super::session::{Session, words};
use super::wire::{ErrorDoc, PriceDoc, RecordDoc, RecordsDoc, TransferAsk, TransferDoc};
use crate::domain::card::{Card, tamed};
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Doubt, Found, OperatorError, Order, PreparedOrder, Refusal, RefusalKind, SentOrder,
};
use crate::operators::http::HttpAnswer;
use crate::operators::kit::{
    JSON, doubtful, json_number, msisdn_of, never, no_code, refused, unknown, unproven, wallet_only,
};

/// Codes that mean "not accepted, for certain". `ProviderTimedOut`, `ProviderError`, `TransientProviderError`,
/// `RateLimited` and `DuplicateTransactionPrevented` are not among them.
pub(super) const FINAL_CODES: &[&str] = &[
    "AccountNumberFailedRegex",
    "AccountNumberInvalid",
    "AuthenticationFailed",
    "InsufficientBalance",
    "ParameterInvalid",
    "ParameterMissing",
    "ParameterOutOfRange",
    "RechargeNotAllowed",
];
/// Records on one page of a search.
const TAKE: usize = 100;
/// Pages that a search reads; a key of 32 random digits fills less than one.
const PAGES_MAX: usize = 20;

/// The exact bytes of an order.
pub(super) fn prepared(card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
    let number = msisdn_of(card, super::NAME)?;
    wallet_only(order, super::NAME)?;
    no_code(order, super::NAME)?;
    let (sku, send) = amount_to_send(order)
        .ok_or_else(|| never(RefusalKind::PlanGone, format!("`{}` is not a plan of {}", order.plan.id, super::NAME)))?;
    let ask = TransferAsk {
        sku_code: sku.to_owned(),
        send_value: json_number(send),
        send_currency_iso: send.currency().code().to_owned(),
        account_number: number.to_owned(),
        distributor_ref: order.key.as_str().to_owned(),
        validate_only: false,
    };
    let body = serde_json::to_vec(&ask).map_err(|error| unknown(error.to_string()))?;
    Ok(PreparedOrder { key: order.key.clone(), path: "/SendTransfer".into(), content_type: JSON.into(), body })
}

/// The product, and the plan's price less Ding's fee, which is charged beside it.
fn amount_to_send(order: &Order) -> Option<(&str, Money)> {
    let id = PlanId::of(&order.plan.id)?;
    let fee = Money::from_decimal(id.fee, order.plan.price.currency()).ok()?;
    let send = order.plan.price.minus(fee).ok()?;
    // Two places of the major unit are taken.
    (send.ten_thousandths() > 0 && send.ten_thousandths() % 100 == 0).then_some((id.sku, send))
}

/// Sends an order and says what it came to.
pub(super) async fn bought(session: &Session, order: &PreparedOrder) -> BuyAnswer {
    match session.buy(&order.path, &order.content_type, &order.body).await.answered() {
        Ok(answer) => outcome(&answer, order),
        Err(told) => told,
    }
}

fn outcome(answer: &HttpAnswer, order: &PreparedOrder) -> BuyAnswer {
    let Ok(ask) = serde_json::from_slice::<TransferAsk>(&order.body) else {
        return unproven("the stored order cannot be read");
    };
    let Ok(doc) = answer.document::<TransferDoc>() else { return answer.in_doubt() };
    let errors = doc.error_codes.as_deref().unwrap_or_default();
    match (doc.result_code.as_str(), &doc.transfer_record) {
        ("1", Some(record)) if answer.is_success() && errors.is_empty() => taken(record, &ask),
        ("4" | "5", record) => not_taken(answer, record.as_ref(), errors),
        _ => answer.in_doubt(),
    }
}

/// Success counts only for our product, number, amount and reference.
fn taken(record: &RecordDoc, ask: &TransferAsk) -> BuyAnswer {
    let id = record.transfer_id.as_ref();
    let Some(transfer) = id.and_then(|id| id.transfer_ref.as_ref()).filter(|id| !id.as_str().is_empty()) else {
        return unproven("the answer names no transfer");
    };
    let wrong = if id.and_then(|id| id.distributor_ref.as_deref()) != Some(ask.distributor_ref.as_str()) {
        Some("it has another reference than ours")
    } else if record.sku_code.as_deref() != Some(ask.sku_code.as_str()) {
        Some("it is for another product")
    } else if !is_number(record, &ask.account_number) {
        Some("it is for another number")
    } else if record.price.as_ref().is_some_and(|price| !is_amount(price, ask)) {
        Some("it is for another amount")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        return unproven(format!("transfer {transfer} was answered, but {wrong}"));
    }
    let order_id = tamed(transfer.as_str(), 80);
    match record.processing_state.as_deref() {
        Some("Complete" | "Completed") => {
            BuyAnswer::Accepted { order_id: Some(order_id), charged: record.price.as_ref().and_then(charged) }
        }
        Some("Submitted" | "Processing" | "Cancelling") => BuyAnswer::Pending { order_id },
        other => unproven(format!("transfer {order_id} was answered as done, but is {}", other.unwrap_or("nowhere"))),
    }
}

fn is_number(record: &RecordDoc, number: &str) -> bool {
    record.account_number.as_ref().is_some_and(|told| told.as_str().trim_start_matches('+') == number)
}

fn is_amount(price: &PriceDoc, ask: &TransferAsk) -> bool {
    let Ok(currency) = Currency::parse(&ask.send_currency_iso) else { return false };
    let asked = Money::from_decimal(&ask.send_value.to_string(), currency);
    price.send_currency_iso == ask.send_currency_iso && price.send_value.money(currency) == asked
}

fn charged(price: &PriceDoc) -> Option<Money> {
    let currency = Currency::parse(&price.send_currency_iso).ok()?;
    let fee = price.distributor_fee.as_ref()?.money(currency).ok()?;
    price.send_value.money(currency).ok()?.plus(fee).ok()
}

/// A certain refusal, if every code is final and the record does not say otherwise. Of answers with a status of 5xx,
/// only the empty wallet's is known to be one.
fn not_taken(answer: &HttpAnswer, record: Option<&RecordDoc>, errors: &[ErrorDoc]) -> BuyAnswer {
    let state = record.and_then(|record| record.processing_state.as_deref());
    let went_on = state.is_some_and(|state| state != "Failed");
    let used = errors.iter().any(|error| error.code == "DuplicateTransactionPrevented");
    if used {
        return doubtful(Doubt::AlreadyUsed, words(errors));
    }
    let is_final = |error: &ErrorDoc| match answer.status {
        200 | 400 => FINAL_CODES.contains(&error.code.as_str()),
        401 => error.code == "AuthenticationFailed",
        500 => error.code == "InsufficientBalance",
        _ => false,
    };
    match errors.first() {
        Some(first) if !went_on && errors.iter().all(is_final) => {
            refused(kind_of(&first.code), &first.code, &words(errors))
        }
        _ => match answer.in_doubt() {
            BuyAnswer::Unknown { doubt: Doubt::Unreadable, detail, .. } => doubtful(Doubt::UnlistedCode, detail),
            told => told,
        },
    }
}

fn kind_of(code: &str) -> RefusalKind {
    match code {
        "InsufficientBalance" => RefusalKind::WalletEmpty,
        "AccountNumberInvalid" | "AccountNumberFailedRegex" | "RechargeNotAllowed" => RefusalKind::CardData,
        "ParameterOutOfRange" => RefusalKind::PlanGone,
        "AuthenticationFailed" => RefusalKind::Access,
        "ProviderTimedOut" | "ProviderError" | "TransientProviderError" => RefusalKind::Passing,
        _ => RefusalKind::Other,
    }
}

/// Looks for a transfer by our reference, through all pages.
pub(super) async fn find(session: &Session, card: &Card, order: &SentOrder) -> Result<Found, OperatorError> {
    let number = msisdn_of(card, super::NAME)?;
    let mut ours: Vec<TransferDoc> = Vec::new();
    for page in 0..PAGES_MAX {
        let ask = json!({ "DistributorRef": order.key.as_str(), "Skip": page * TAKE, "Take": TAKE });
        let (doc, _): (RecordsDoc, _) = session.ask("/ListTransferRecords", ask.to_string().as_bytes()).await?;
        let is_empty = doc.items.is_empty();
        for item in doc.items {
            if reference(&item)? == order.key.as_str() && ours.iter().all(|known| id_of(known) != id_of(&item)) {
                ours.push(item);
            }
        }
        if !doc.there_are_more_items.0 {
            return the_one(&ours, number, order);
        }
        if is_empty {
            return Err(unknown("DingConnect says that there are more transfers, and lists none"));
        }
    }
    Err(unknown(format!("the search for one transfer has more than {PAGES_MAX} pages")))
}

/// The reference of a listed transfer; a list that hides it says nothing about ours.
fn reference(item: &TransferDoc) -> Result<&str, OperatorError> {
    let id = item.transfer_record.as_ref().and_then(|record| record.transfer_id.as_ref());
    let told = id.and_then(|id| id.distributor_ref.as_deref());
    told.ok_or_else(|| unknown("DingConnect lists a transfer without its reference"))
}

fn id_of(item: &TransferDoc) -> Option<&str> {
    item.transfer_record.as_ref()?.transfer_id.as_ref()?.transfer_ref.as_ref().map(|id| id.as_str())
}

fn state_of(item: &TransferDoc) -> &str {
    item.transfer_record.as_ref().and_then(|record| record.processing_state.as_deref()).unwrap_or_default()
}

/// Several transfers may carry one reference. Those that failed cost nothing; of the others there must be one.
fn the_one(ours: &[TransferDoc], number: &str, order: &SentOrder) -> Result<Found, OperatorError> {
    let mut live = ours.iter().filter(|item| !matches!(state_of(item), "Failed" | "Cancelled"));
    match (live.next(), live.next()) {
        (Some(one), None) => found(one, number, order),
        (None, _) => Ok(ours.first().map_or(Found::Nothing, |failed| Found::Refused(failure(failed)))),
        (Some(one), Some(other)) => {
            let (one, other) = (id_of(one).unwrap_or("?"), id_of(other).unwrap_or("?"));
            Err(unknown(format!("two transfers carry the same reference: {one} and {other}")))
        }
    }
}

fn found(item: &TransferDoc, number: &str, order: &SentOrder) -> Result<Found, OperatorError> {
    let (Some(id), Some(record)) = (id_of(item), item.transfer_record.as_ref()) else {
        return Err(unknown("DingConnect lists our transfer without its id"));
    };
    let order_id = tamed(id, 80);
    let sku = PlanId::of(&order.plan_id).map(|plan| plan.sku);
    if sku.is_some_and(|sku| record.sku_code.as_deref() != Some(sku)) || !is_number(record, number) {
        return Err(unknown(format!("transfer {order_id} is not for our product and number")));
    }
    match state_of(item) {
        "Complete" | "Completed" => Ok(Found::Accepted { order_id, charged: record.price.as_ref().and_then(charged) }),
        "Submitted" | "Processing" | "Cancelling" => Ok(Found::Pending { order_id }),
        other => Err(unknown(format!("transfer {order_id} is in a state that is not known: {other}"))),
    }
}

/// A transfer that is finished and failed, or was cancelled: "any appropriate balance compensations" are made.
fn failure(item: &TransferDoc) -> Refusal {
    let errors = item.error_codes.as_deref().unwrap_or_default();
    let code = errors.first().map_or_else(|| state_of(item), |error| error.code.as_str());
    Refusal { kind: kind_of(code), code: tamed(code, 80), text: tamed(&words(errors), 200) }
}
