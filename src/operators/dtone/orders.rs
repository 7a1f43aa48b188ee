//! Orders in two phases: what one is made of, what its answers mean, and how it is found again by its `external_id`.
//!
//! Making an order takes the money aside and spends nothing. It is confirmed only if it is ours and not dearer than was
//! decided. An `external_id` that is known already leads to the order that has it, never to a second one.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::tz::TimeZone;

use super::offers::{PlanId, Service};
use super::session::{Session, first_error, read_error};
use super::wire::{DestinationAsk, OrderAsk, PartyDoc, PricesDoc, Span, TransactionDoc};
use crate::domain::card::{Card, tamed};
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Doubt, Found, OperatorError, Order, OrderKey, PreparedOrder, Refusal, RefusalKind, SentOrder,
};
use crate::domain::time::{Secs, UnixTime};
use crate::operators::http::HttpAnswer;
use crate::operators::kit::{
    JSON, doubtful, iccid_of, json_number, msisdn_of, never, no_code, not_bought, path_part, refused, row_of, time_in,
    unknown, unproven, wallet_only,
};

/// Codes and classes that mean "not accepted, for certain".
pub(super) const FINAL_CODES: &[&str] = &[
    "1000400",
    "1000401",
    "1003001",
    "1003002",
    "1003003",
    "1005003",
    "1006001",
    "1006503",
    "1007500",
    "CANCELLED",
    "DECLINED",
    "REJECTED",
];
/// So many prices are kept until their orders are sent.
const DECIDED_MAX: usize = 1_024;
/// A clock may be wrong by this much before an order counts as expired.
const EXPIRY_SPARE: Secs = Secs::HOUR;

/// The prices that were decided, by order: what is confirmed is compared with them.
#[derive(Debug, Default)]
pub(super) struct Decided(Mutex<VecDeque<(OrderKey, Money)>>);

impl Decided {
    /// Takes note of a price.
    pub(super) fn note(&self, key: &OrderKey, price: Money) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(other, _)| other != key);
        if all.len() >= DECIDED_MAX {
            all.pop_front();
        }
        all.push_back((key.clone(), price));
    }

    /// The price of an order that was prepared here.
    pub(super) fn price_of(&self, key: &OrderKey) -> Option<Money> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(other, _)| other == key).map(|(_, price)| *price)
    }
}

/// The exact bytes of an order.
pub(super) fn prepared(card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
    wallet_only(order, super::NAME)?;
    no_code(order, super::NAME)?;
    let gone = || never(RefusalKind::PlanGone, format!("`{}` is not a plan of {}", order.plan.id, super::NAME));
    let plan = PlanId::of(&order.plan.id).ok_or_else(gone)?;
    if plan.service != super::service_of(card) {
        let why =
            "a plan for an eSIM goes to an ICCID and a plan for a number to the number; this one is for the other";
        return Err(never(RefusalKind::CardData, why));
    }
    let ask = OrderAsk {
        external_id: order.key.as_str().to_owned(),
        product_id: plan.product,
        auto_confirm: false,
        calculation_mode: plan.amount.map(|_| "DESTINATION_AMOUNT".to_owned()),
        destination: plan.amount.map(|amount| DestinationAsk {
            unit_type: "CURRENCY".into(),
            unit: amount.currency().code().to_owned(),
            amount: json_number(amount),
        }),
        credit_party_identifier: party_of(card, plan.service)?,
    };
    let body = serde_json::to_vec(&ask).map_err(|error| unknown(error.to_string()))?;
    Ok(PreparedOrder { key: order.key.clone(), path: "/async/transactions".into(), content_type: JSON.into(), body })
}

/// Whom an order is for. There is always one: an eSIM's order without it buys a new eSIM.
fn party_of(card: &Card, service: Service) -> Result<PartyDoc, OperatorError> {
    Ok(match service {
        Service::Mobile => {
            PartyDoc { mobile_number: Some(format!("+{}", msisdn_of(card, super::NAME)?)), account_number: None }
        }
        Service::Esim => {
            PartyDoc { mobile_number: None, account_number: Some(iccid_of(card, super::NAME)?.to_owned()) }
        }
    })
}

/// Makes the order, compares it with what was decided, and confirms it.
pub(super) async fn bought(session: &Session, decided: Option<Money>, order: &PreparedOrder) -> BuyAnswer {
    let ask = serde_json::from_slice::<OrderAsk>(&order.body).ok().filter(|ask| !ask.auto_confirm);
    let (Some(ask), Some(decided)) = (ask, decided) else {
        // Prepared by another process: it is prepared anew.
        return BuyAnswer::NotSent { why: "the price that was decided for this order is not known any more".into() };
    };
    match reserved(session, order).await {
        Ok(made) => go_on(session, &made, &ask, decided).await,
        Err(told) => told,
    }
}

/// The first phase: the order as DT One has it now, whether it was made by this call or by one before.
async fn reserved(session: &Session, order: &PreparedOrder) -> Result<TransactionDoc, BuyAnswer> {
    let answer = session.post(&order.path, &order.body).await.map_err(not_bought)?;
    if answer.is_success() {
        return answer.document().map_err(|why| not_made(&why));
    }
    if matches!(answer.status, 408 | 429 | 500..) {
        return Err(not_made(&answer.error().to_string()));
    }
    let error = first_error(&answer).filter(|_| matches!(answer.status, 400..=404));
    let (code, text) = error.map(|error| (error.code.0, error.message)).unwrap_or_default();
    match code.as_str() {
        "1007001" => known(session, &order.key).await,
        code if FINAL_CODES.contains(&code) => Err(refused(kind_of_code(code), code, &text)),
        _ => Err(answer.in_doubt()),
    }
}

/// Whether the order was made is not known, and it is certain that it was not confirmed: it is made again with the same
/// reference, which leads to it if it is there.
fn not_made(why: &str) -> BuyAnswer {
    BuyAnswer::NotSent { why: tamed(&format!("DT One did not tell of the order, which was not confirmed: {why}"), 200) }
}

/// The order that has our `external_id` already.
async fn known(session: &Session, key: &OrderKey) -> Result<TransactionDoc, BuyAnswer> {
    match search(session, key.as_str()).await {
        Ok((Some(one), _)) => Ok(one),
        Ok((None, _)) => Err(doubtful(Doubt::AlreadyUsed, "DT One knows our reference, and does not list its order")),
        Err(error) => Err(doubtful(Doubt::AlreadyUsed, error.to_string())),
    }
}

/// The second phase, if the order has not come to it yet.
async fn go_on(session: &Session, made: &TransactionDoc, ask: &OrderAsk, decided: Money) -> BuyAnswer {
    if let Some(wrong) = strange(made, ask) {
        return unproven(format!("order {} was answered, but {wrong}", made.id));
    }
    let Ok(id) = path_part(made.id.as_str(), "an order of DT One") else {
        return unproven("the answer names no order");
    };
    if made.status.class.message != "CREATED" {
        return settled(made);
    }
    if let Some(wrong) = too_dear(made, decided) {
        // What was taken aside is given back; if that fails, it ends by itself.
        drop(session.post(&format!("/transactions/{id}/cancel"), b"").await);
        return refused(RefusalKind::Passing, "price", &wrong);
    }
    match session.confirm(id).await.answered() {
        Ok(answer) => confirmed(session, &answer, ask).await,
        Err(told) => told,
    }
}

/// What the answer to a confirmation means.
async fn confirmed(session: &Session, answer: &HttpAnswer, ask: &OrderAsk) -> BuyAnswer {
    if answer.is_success() {
        let Ok(doc) = answer.document::<TransactionDoc>() else { return answer.in_doubt() };
        return match strange(&doc, ask) {
            Some(wrong) => unproven(format!("order {} was confirmed, but {wrong}", doc.id)),
            // Taken in, and not processed yet.
            None if doc.status.class.message == "CREATED" => {
                BuyAnswer::Pending { order_id: tamed(doc.id.as_str(), 80) }
            }
            None => settled(&doc),
        };
    }
    let error = first_error(answer).filter(|_| answer.status == 400);
    match error.as_ref().map(|error| error.code.as_str()) {
        Some("1006001") => refused(RefusalKind::WalletEmpty, "1006001", "insufficient balance"),
        // Confirmed before, or too late: the order itself says which.
        Some(code @ ("1007002" | "1007004")) => match search(session, &ask.external_id).await {
            Ok((Some(doc), _)) if strange(&doc, ask).is_none() && doc.status.class.message != "CREATED" => {
                settled(&doc)
            }
            Ok(_) => doubtful(Doubt::AlreadyUsed, format!("DT One says {code} to the confirmation")),
            Err(error) => doubtful(Doubt::AlreadyUsed, error.to_string()),
        },
        Some(_) | None => answer.in_doubt(),
    }
}

/// Why an order is not the one that was asked for, if it is not.
fn strange(doc: &TransactionDoc, ask: &OrderAsk) -> Option<&'static str> {
    let product = doc.product.as_ref().map(|product| product.id.as_str().to_owned());
    let asked = ask.destination.as_ref().map(|asked| (asked.unit.clone(), asked.amount.to_string()));
    if doc.external_id.as_deref() != Some(ask.external_id.as_str()) {
        return Some("it has another reference than ours");
    }
    if product != Some(ask.product_id.to_string()) {
        return Some("it is for another product");
    }
    if doc.credit_party_identifier.as_ref() != Some(&ask.credit_party_identifier) {
        return Some("it is not for our card");
    }
    if doc.metadata.as_ref().and_then(|data| data.activation_type.as_deref()) == Some("DATA_PLAN") {
        return Some("it is for a new eSIM");
    }
    let told = doc.requested_values.as_ref().and_then(|values| values.destination.as_ref());
    let same = |told: &super::wire::DestinationDoc| {
        asked.as_ref().is_none_or(|(unit, amount)| match &told.amount {
            Span::One(one) => {
                told.unit == *unit && one.decimal() == crate::operators::kit::Loose(amount.clone()).decimal()
            }
            Span::Range { .. } => false,
        })
    };
    told.is_some_and(|told| !same(told)).then_some("it is for another amount")
}

/// Why the price of an order is not the one that was decided, if it is not. A lower one is taken: the price of an amount
/// within a range is told exactly by the order only, and is rounded up before.
fn too_dear(made: &TransactionDoc, decided: Money) -> Option<String> {
    let Some(price) = made.prices.as_ref().and_then(charge) else {
        return Some("the order tells no price".into());
    };
    match price.exceeds(decided) {
        Ok(false) => None,
        Ok(true) => Some(format!("the order costs {price}, and {decided} was decided")),
        Err(_) => Some(format!("the order is in {}, and {decided} was decided", price.currency())),
    }
}

fn charge(prices: &PricesDoc) -> Option<Money> {
    let paid = &prices.wholesale;
    let currency = Currency::parse(paid.unit.as_deref()?).ok()?;
    let Span::One(amount) = &paid.amount else { return None };
    let fee = paid.fee.as_ref()?.money_up(currency).ok()?;
    amount.money_up(currency).ok()?.plus(fee).ok()
}

/// What an order that was confirmed at some time has come to, by the class of its status.
fn settled(doc: &TransactionDoc) -> BuyAnswer {
    let order_id = tamed(doc.id.as_str(), 80);
    match doc.status.class.message.as_str() {
        "COMPLETED" => BuyAnswer::Accepted { order_id: Some(order_id), charged: doc.prices.as_ref().and_then(charge) },
        "CONFIRMED" | "SUBMITTED" => BuyAnswer::Pending { order_id },
        "CANCELLED" | "REJECTED" | "DECLINED" => BuyAnswer::Refused(refusal(doc)),
        "REVERSED" => doubtful(Doubt::Unproven, format!("order {order_id} is reversed already")),
        other => unproven(format!("order {order_id} is in a state that is not known: {other}")),
    }
}

fn refusal(doc: &TransactionDoc) -> Refusal {
    let class = doc.status.class.message.as_str();
    let status = doc.status.message.as_deref().unwrap_or(class);
    let text = format!("DT One says that the order is {status}");
    Refusal { kind: kind_of_status(status), code: tamed(status, 80), text: tamed(&text, 200) }
}

/// What a status means for the next step; those that are added over time are no reason to try again.
fn kind_of_status(status: &str) -> RefusalKind {
    match status.split_once('-').map_or("", |(_, why)| why) {
        "INSUFFICIENT-BALANCE" => RefusalKind::WalletEmpty,
        "OPERATOR-CURRENTLY-UNAVAILABLE" | "EXCEPTION" => RefusalKind::Passing,
        "INVALID-CREDIT-PARTY" | "BARRED-CREDIT-PARTY" | "INELIGIBLE-CREDIT-PARTY" => RefusalKind::CardData,
        why if why.starts_with("LIMITATIONS-ON-") => RefusalKind::Passing,
        _ if status == "DECLINED" => RefusalKind::Passing,
        _ => RefusalKind::Other,
    }
}

fn kind_of_code(code: &str) -> RefusalKind {
    match code {
        "1000401" => RefusalKind::Access,
        "1003001" | "1003002" | "1003003" => RefusalKind::PlanGone,
        "1005003" | "1006503" => RefusalKind::CardData,
        "1006001" => RefusalKind::WalletEmpty,
        _ => RefusalKind::Other,
    }
}

/// Looks for an order: by DT One's own id where it is known, else by our reference.
pub(super) async fn find(session: &Session, order: &SentOrder) -> Result<Found, OperatorError> {
    if let Some(id) = order.order_id.as_deref().filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())) {
        let answer = session.raw(&format!("/transactions/{id}")).await?;
        if answer.is_success() {
            return found(&answer.json()?, answer.date, order);
        }
        if answer.status != 404 {
            return Err(read_error(&answer));
        }
    }
    match search(session, order.key.as_str()).await? {
        (Some(doc), clock) => found(&doc, clock, order),
        (None, _) => Ok(Found::Nothing),
    }
}

/// The order with our reference, and DT One's clock.
async fn search(session: &Session, key: &str) -> Result<(Option<TransactionDoc>, Option<UnixTime>), OperatorError> {
    let rows = match session.list("/transactions", &[("external_id", key)]).await {
        Ok(rows) => rows,
        Err(OperatorError::Unknown { why }) if why.contains("1008004") => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut ours: Vec<TransactionDoc> = Vec::new();
    for row in &rows {
        let doc: TransactionDoc = row_of(row).map_err(unknown)?;
        let told = doc.external_id.as_deref();
        let told = told.ok_or_else(|| unknown("DT One lists an order without its reference"))?;
        if told == key && ours.iter().all(|known| known.id != doc.id) {
            ours.push(doc);
        }
    }
    if let [one, other, ..] = ours.as_slice() {
        return Err(unknown(format!("two orders carry the same reference: {} and {}", one.id, other.id)));
    }
    Ok((ours.pop(), session.contact().clock))
}

/// What an order that was found says about ours. One that was made and never confirmed costs nothing: while it may still
/// be confirmed nothing is known, and once it has expired it is certain that it never will be.
fn found(doc: &TransactionDoc, clock: Option<UnixTime>, order: &SentOrder) -> Result<Found, OperatorError> {
    let order_id = tamed(doc.id.as_str(), 80);
    let product = PlanId::of(&order.plan_id).map(|plan| plan.product.to_string());
    let other = doc.product.as_ref().is_some_and(|told| product.is_some_and(|ours| ours != told.id.as_str()));
    if other || doc.external_id.as_deref() != Some(order.key.as_str()) {
        return Err(unknown(format!("order {order_id} is not for our product and reference")));
    }
    match doc.status.class.message.as_str() {
        "CREATED" => {
            let ends = doc.confirmation_expiration_date.as_deref();
            let ends = ends.map(|at| time_in(at, &TimeZone::UTC)).transpose().map_err(unknown)?;
            let is_over = ends.zip(clock).is_some_and(|(ends, now)| now > ends.plus(EXPIRY_SPARE));
            let text = "the order was made and never confirmed, and cannot be any more";
            let refusal = Refusal { kind: RefusalKind::Passing, code: "CREATED".into(), text: text.into() };
            Ok(if is_over { Found::Refused(refusal) } else { Found::Nothing })
        }
        "COMPLETED" => Ok(Found::Accepted { order_id, charged: doc.prices.as_ref().and_then(charge) }),
        "CONFIRMED" | "SUBMITTED" => Ok(Found::Pending { order_id }),
        "CANCELLED" | "REJECTED" | "DECLINED" => Ok(Found::Refused(refusal(doc))),
        "REVERSED" => Ok(Found::Reversed { order_id, why: "DT One says that the order is REVERSED".into() }),
        other => Err(unknown(format!("order {order_id} is in a state that is not known: {other}"))),
    }
}
