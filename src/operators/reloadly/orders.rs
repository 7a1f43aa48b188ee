//! Top-ups: the bytes of one, what its answer means, and how it is found again by its identifier.
//!
//! An identifier can be used once, also by a try that failed, so that "used already" says to look and nothing else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::offers::PlanId;
use super::session::{Session, read_error};
use super::wire::{ErrorDoc, PageDoc, PhoneAsk, StatusDoc, TopupAsk, TransactionDoc};
use crate::domain::card::{Card, tamed};
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Doubt, Found, OperatorError, Order, OrderKey, PreparedOrder, Refusal, RefusalKind, SentOrder,
};
use crate::operators::http::HttpAnswer;
use crate::operators::kit::{
    JSON, Loose, doubtful, json_number, msisdn_of, never, no_code, not_bought, path_part, refused, unknown, unproven,
    wallet_only,
};

/// Codes that mean "not accepted, for certain". `TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT`,
/// `PROVIDER_INTERNAL_ERROR`, `CUSTOM_IDENTIFIER_ALREADY_USED` and `PHONE_RECENTLY_RECHARGED` are not among them.
pub(super) const FINAL_CODES: &[&str] = &[
    "COULD_NOT_AUTO_DETECT_OPERATOR",
    "COUNTRY_NOT_SUPPORTED",
    "INSUFFICIENT_BALANCE",
    "INVALID_AMOUNT",
    "INVALID_AMOUNT_FOR_OPERATOR",
    "INVALID_PHONE_NUMBER",
    "INVALID_RECIPIENT_PHONE",
    "MAX_DAILY_TRANSACTION_AMOUNT_REACHED",
    "MAX_DAILY_TRANSACTION_COUNT_REACHED",
    "OPERATOR_NOT_FOUND",
    "OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE",
    "SERVICE_TO_OPERATOR_TEMPORARILY_UNAVAILABLE",
    "TOPUP_TRANSACTION_FAILED",
    "TRANSACTION_REJECTED_BY_OPERATOR",
];
/// A number that was topped up is refused for about this long.
const NUMBER_RESTS: Duration = Duration::from_secs(120);
/// Transactions on one page of a search.
const PAGE_SIZE: &str = "50";
/// Pages that a search reads; a key of 32 random digits fills less than one.
const PAGES_MAX: usize = 20;

/// The numbers that were topped up in the last two minutes, and by which order.
#[derive(Debug, Default)]
pub(super) struct Lately(Mutex<HashMap<String, (OrderKey, Instant)>>);

impl Lately {
    /// Takes note of an order for a number, unless another has just gone to it.
    fn may_send(&self, number: &str, key: &OrderKey) -> bool {
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (_, at)| now.duration_since(*at) < NUMBER_RESTS);
        if all.get(number).is_some_and(|(other, _)| other != key) {
            return false;
        }
        all.insert(number.to_owned(), (key.clone(), now));
        true
    }

    /// Forgets an order that was not sent.
    fn forget(&self, number: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(number);
    }
}

/// The exact bytes of an order.
pub(super) fn prepared(card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
    let number = msisdn_of(card, super::NAME)?;
    wallet_only(order, super::NAME)?;
    no_code(order, super::NAME)?;
    let plan = PlanId::of(&order.plan.id)
        .ok_or_else(|| never(RefusalKind::PlanGone, format!("`{}` is not a plan of {}", order.plan.id, super::NAME)))?;
    let ask = TopupAsk {
        operator_id: plan.operator,
        amount: json_number(plan.amount),
        use_local_amount: plan.local,
        custom_identifier: order.key.as_str().to_owned(),
        recipient_phone: PhoneAsk { country_code: plan.country.to_owned(), number: number.to_owned() },
    };
    let body = serde_json::to_vec(&ask).map_err(|error| unknown(error.to_string()))?;
    Ok(PreparedOrder { key: order.key.clone(), path: "/topups".into(), content_type: JSON.into(), body })
}

/// Sends an order and says what it came to; `currency` is the wallet's, as far as it is known.
pub(super) async fn bought(
    session: &Session,
    lately: &Lately,
    currency: Option<Currency>,
    order: &PreparedOrder,
) -> BuyAnswer {
    let Ok(ask) = serde_json::from_slice::<TopupAsk>(&order.body) else {
        return BuyAnswer::NotSent { why: "the stored order cannot be read".into() };
    };
    let number = &ask.recipient_phone.number;
    if !lately.may_send(number, &order.key) {
        let why = "this number was topped up less than two minutes ago, and Reloadly refuses another so soon";
        return BuyAnswer::NotSent { why: why.into() };
    }
    let told = match session.buy(&order.path, &order.content_type, &order.body).await {
        Ok(outcome) => outcome.answered(),
        Err(error) => Err(not_bought(error)),
    };
    match told {
        Ok(answer) if answer.is_success() => match answer.document::<TransactionDoc>() {
            Ok(doc) => taken(session, &doc, &ask, currency).await,
            Err(why) => doubtful(Doubt::Unreadable, why),
        },
        Ok(answer) => not_taken(&answer),
        Err(told) => {
            if !matches!(told, BuyAnswer::Unknown { .. }) {
                lately.forget(number);
            }
            told
        }
    }
}

/// Success counts only for our identifier, operator, number and amount, and only with a status: where the answer has
/// none, the status is asked for.
async fn taken(session: &Session, doc: &TransactionDoc, ask: &TopupAsk, currency: Option<Currency>) -> BuyAnswer {
    if let Some(wrong) = strange(doc, ask, currency) {
        return unproven(format!("transaction {} was answered, but {wrong}", doc.transaction_id));
    }
    let order_id = tamed(doc.transaction_id.as_str(), 80);
    let status = match &doc.status {
        Some(status) => Ok(status.clone()),
        None => status_of(session, &order_id).await,
    };
    match status.as_deref() {
        Ok("SUCCESSFUL") => BuyAnswer::Accepted { order_id: Some(order_id), charged: charged(doc) },
        Ok("FAILED") => refused(RefusalKind::Passing, "FAILED", "Reloadly says that the top-up failed"),
        Ok("REFUNDED") => doubtful(Doubt::Unproven, format!("transaction {order_id} is refunded already")),
        // Taken in for certain; what becomes of it is asked for by its id.
        Ok("PROCESSING") | Err(_) => BuyAnswer::Pending { order_id },
        Ok(other) => unproven(format!("transaction {order_id} is in a state that is not known: {other}")),
    }
}

fn strange(doc: &TransactionDoc, ask: &TopupAsk, currency: Option<Currency>) -> Option<&'static str> {
    let number = doc.recipient_phone.as_ref().map(|phone| phone.as_str().trim_start_matches('+'));
    let told = doc.requested_amount_currency_code.as_deref().map(Currency::parse);
    if doc.custom_identifier.as_deref() != Some(ask.custom_identifier.as_str()) {
        return Some("it has another identifier than ours");
    }
    if number.is_some_and(|number| number != ask.recipient_phone.number) {
        return Some("it is for another number");
    }
    if doc.operator_id.as_ref().is_some_and(|id| id.as_str() != ask.operator_id.to_string()) {
        return Some("it is for another operator");
    }
    if told.is_some_and(|told| currency.is_some_and(|ours| told != Ok(ours))) {
        return Some("it is in another currency than the wallet's");
    }
    // The amount that is sent follows from the rate where the amount that arrives was asked for.
    let asked = Loose(ask.amount.to_string()).decimal();
    let other_amount = doc.requested_amount.as_ref().is_some_and(|amount| amount.decimal() != asked);
    (other_amount && !ask.use_local_amount).then_some("it is for another amount")
}

/// The amount sent, less the discount, and the fee where there is one.
fn charged(doc: &TransactionDoc) -> Option<Money> {
    let currency = Currency::parse(doc.requested_amount_currency_code.as_deref()?).ok()?;
    let or_nothing = |amount: &Option<Loose>| {
        amount.as_ref().map_or(Some(Money::zero(currency)), |amount| amount.money_up(currency).ok())
    };
    let sent = doc.requested_amount.as_ref()?.money_up(currency).ok()?;
    sent.minus(or_nothing(&doc.discount)?).ok()?.plus(or_nothing(&doc.fee)?).ok()
}

/// A certain refusal, if its code is listed as one; a 401 or a 5xx with such a code is none.
fn not_taken(answer: &HttpAnswer) -> BuyAnswer {
    let doc = answer.document::<ErrorDoc>().ok();
    let code = doc.as_ref().and_then(|doc| doc.error_code.as_deref()).unwrap_or_default();
    let text = doc.as_ref().and_then(|doc| doc.message.as_deref()).unwrap_or_default();
    match (code, answer.status) {
        ("CUSTOM_IDENTIFIER_ALREADY_USED" | "PHONE_RECENTLY_RECHARGED", _) => {
            doubtful(Doubt::AlreadyUsed, format!("{code}: {text}"))
        }
        (code, 400 | 402..=404 | 409 | 422) if FINAL_CODES.contains(&code) => refused(kind_of(code), code, text),
        _ => answer.in_doubt(),
    }
}

fn kind_of(code: &str) -> RefusalKind {
    match code {
        "INSUFFICIENT_BALANCE" => RefusalKind::WalletEmpty,
        "INVALID_AMOUNT" | "INVALID_AMOUNT_FOR_OPERATOR" => RefusalKind::PlanGone,
        "COULD_NOT_AUTO_DETECT_OPERATOR"
        | "COUNTRY_NOT_SUPPORTED"
        | "INVALID_PHONE_NUMBER"
        | "INVALID_RECIPIENT_PHONE"
        | "OPERATOR_NOT_FOUND" => RefusalKind::CardData,
        "TRANSACTION_REJECTED_BY_OPERATOR" => RefusalKind::Other,
        _ => RefusalKind::Passing,
    }
}

async fn status_of(session: &Session, id: &str) -> Result<String, OperatorError> {
    let id = path_part(id, "a transaction of Reloadly")?;
    let answer = session.get(&format!("/topups/{id}/status"), &[]).await?.checked()?;
    let doc: StatusDoc = answer.json()?;
    doc.status.ok_or_else(|| unknown("Reloadly does not tell the status of the transaction"))
}

/// Looks for a top-up: by Reloadly's own id where it is known, else by our identifier.
pub(super) async fn find(session: &Session, card: &Card, order: &SentOrder) -> Result<Found, OperatorError> {
    let number = msisdn_of(card, super::NAME)?;
    if let Some(id) = order.order_id.as_deref().filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())) {
        let answer = session.get(&format!("/topups/{id}/status"), &[]).await?;
        if answer.is_success() {
            return by_id(&answer.json()?, id, order);
        }
        if answer.status != 404 {
            return Err(read_error(&answer));
        }
    }
    match search(session, order.key.as_str()).await?.as_slice() {
        [] => Ok(Found::Nothing),
        [one] => {
            let id = one.transaction_id.as_str();
            let phone = one.recipient_phone.as_ref().map(|phone| phone.as_str().trim_start_matches('+'));
            if phone.is_some_and(|phone| phone != number) {
                return Err(unknown(format!("transaction {id} carries our identifier and is for another number")));
            }
            let status = match &one.status {
                Some(status) => status.clone(),
                None => status_of(session, id).await?,
            };
            state(&status, id, charged(one), "", "")
        }
        [one, other, ..] => {
            let (one, other) = (&one.transaction_id, &other.transaction_id);
            Err(unknown(format!("two transactions carry the same identifier: {one} and {other}")))
        }
    }
}

fn by_id(doc: &StatusDoc, id: &str, order: &SentOrder) -> Result<Found, OperatorError> {
    let inner = doc.transaction.as_ref();
    let identifier = inner.and_then(|inner| inner.custom_identifier.as_deref()).or(doc.custom_identifier.as_deref());
    if identifier.is_some_and(|identifier| identifier != order.key.as_str()) {
        return Err(unknown(format!("transaction {id} is not ours")));
    }
    let status = doc.status.as_deref().or_else(|| inner.and_then(|inner| inner.status.as_deref()));
    let status = status.ok_or_else(|| unknown("Reloadly does not tell the status of the transaction"))?;
    let (code, message) = (doc.code.as_deref().unwrap_or(""), doc.message.as_deref().unwrap_or(""));
    state(status, id, inner.and_then(charged), code, message)
}

fn state(status: &str, id: &str, charged: Option<Money>, code: &str, message: &str) -> Result<Found, OperatorError> {
    let order_id = tamed(id, 80);
    match status {
        "SUCCESSFUL" => Ok(Found::Accepted { order_id, charged }),
        "PROCESSING" => Ok(Found::Pending { order_id }),
        "REFUNDED" => Ok(Found::Reversed { order_id, why: "Reloadly says that the top-up is refunded".into() }),
        "FAILED" => {
            let code = if code.is_empty() { "FAILED" } else { code };
            let text = if message.is_empty() { "Reloadly says that the top-up failed" } else { message };
            let kind = kind_of(code);
            Ok(Found::Refused(Refusal { kind, code: tamed(code, 80), text: tamed(text, 200) }))
        }
        other => Err(unknown(format!("transaction {order_id} is in a state that is not known: {other}"))),
    }
}

/// The transactions with our identifier. Whether pages are counted from 0 or from 1 is not told, so the first one is
/// asked for without a number, and a page that comes twice is taken once.
async fn search(session: &Session, key: &str) -> Result<Vec<TransactionDoc>, OperatorError> {
    let mut ours: Vec<TransactionDoc> = Vec::new();
    for page in 0..PAGES_MAX {
        let number = page.to_string();
        let mut query = vec![("customIdentifier", key), ("size", PAGE_SIZE)];
        if page > 0 {
            query.push(("page", number.as_str()));
        }
        let answer = session.get("/topups/reports/transactions", &query).await?;
        if !answer.is_success() {
            return Err(read_error(&answer));
        }
        let doc: PageDoc = answer.json()?;
        let is_last = is_last(&doc)?;
        for row in doc.content {
            let told = row.custom_identifier.as_deref();
            let told = told.ok_or_else(|| unknown("Reloadly lists a transaction without its identifier"))?;
            if told == key && ours.iter().all(|known| known.transaction_id != row.transaction_id) {
                ours.push(row);
            }
        }
        if is_last {
            return Ok(ours);
        }
    }
    Err(unknown(format!("the search for one transaction has more than {PAGES_MAX} pages")))
}

fn is_last(doc: &PageDoc) -> Result<bool, OperatorError> {
    if let Some(last) = doc.last {
        return Ok(last.0);
    }
    let whole = |number: &Option<Loose>| number.as_ref().and_then(|number| number.whole().ok());
    match (whole(&doc.number), whole(&doc.total_pages)) {
        (Some(number), Some(pages)) => Ok(number + 1 >= pages),
        _ => Err(unknown("Reloadly does not tell whether there are more transactions")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_number_rests_for_two_minutes_between_two_orders() {
        let lately = Lately::default();
        let (one, other) = (OrderKey::new(1), OrderKey::new(2));
        assert!(lately.may_send("44", &one) && lately.may_send("44", &one), "one order is not in its own way");
        assert!(!lately.may_send("44", &other) && lately.may_send("45", &other));
        tokio::time::advance(NUMBER_RESTS).await;
        assert!(lately.may_send("44", &other));
        lately.forget("44");
        assert!(lately.may_send("44", &one));
    }

    #[test]
    fn a_list_says_whether_it_ends() {
        let page = |text: &str| is_last(&serde_json::from_str(text).unwrap());
        assert_eq!(page(r#"{"content":[],"last":true}"#), Ok(true));
        assert_eq!(page(r#"{"content":[],"number":0,"totalPages":"2"}"#), Ok(false));
        assert_eq!(page(r#"{"content":[],"number":0,"totalPages":0}"#), Ok(true));
        assert!(page(r#"{"content":[]}"#).is_err());
    }

    #[test]
    fn the_charge_is_the_amount_less_the_discount() {
        let doc = |text: &str| charged(&serde_json::from_str(text).unwrap()).map(|money| money.to_string());
        let with_status = include_str!("../../../tests/data/reloadly/topup_with_status.json");
        assert_eq!(doc(with_status).as_deref(), Some("3105.03 NGN"));
        assert_eq!(doc(include_str!("../../../tests/data/reloadly/topup_phone.json")).as_deref(), Some("13.20 USD"));
    }
}
