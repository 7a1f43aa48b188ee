//! Orders: the bytes of one, what its answer means, and how it is found again by its description.
//!
//! The description is the only place for a reference of ours. It is not made unique, so a repeat pays again, and the
//! search for it finds parts of texts, so that only an equal description is ours.

use super::session::Session;
use super::wire::{CodeDoc, FieldsDoc, OrderDoc, OrdersDoc, RequestDoc, Wrapped};
use crate::domain::card::{Card, tamed};
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Doubt, Found, OperatorError, Order, PreparedOrder, Refusal, RefusalKind, SentOrder,
};
use crate::operators::http::HttpAnswer;
use crate::operators::kit::{doubtful, multipart_of, parts_of, unknown, unproven};

/// Codes of a 422 or 403 that mean "not accepted, for certain". 14 (checksum) and 53 (unexpected) are not among them.
pub(super) const FINAL_CODES: &[&str] = &["11", "13", "23", "33", "34", "43", "73", "89", PARAMETER];
/// Our name for a 422 that names wrong parameters instead of a code.
const PARAMETER: &str = "parameter";
/// Orders on one page of a search.
const PER_PAGE: &str = "50";
/// The status of an answer that says: later.
const ACCEPTED: u16 = 202;
/// Airalo's own ids are shorter than this; the number of a request is longer, and not made of digits alone.
const ID_LONGEST: usize = 18;
/// Pages that a search reads; a key of 32 random digits fills less than one.
const PAGES_MAX: u32 = 20;

/// The exact bytes of an order.
pub(super) fn prepared(card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
    let never = |kind, why: &str| OperatorError::Never { kind, why: why.to_owned() };
    let Some(iccid) = &card.iccid else {
        return Err(never(RefusalKind::CardData, "Airalo needs the card's ICCID; add `iccid` to the card"));
    };
    if order.payment != super::WALLET {
        return Err(never(RefusalKind::Other, "Airalo is paid from its wallet only; write payment = [\"wallet\"]"));
    }
    if order.code.is_some() {
        return Err(never(RefusalKind::BadCode, "Airalo takes no discount codes for top-ups"));
    }
    // The vendor's description has a form of parts; its libraries also send a plain one.
    let (content_type, body) =
        multipart_of(&[("package_id", &order.plan.id), ("iccid", iccid.digits()), ("description", order.key.as_str())]);
    Ok(PreparedOrder { key: order.key.clone(), path: "/orders/topups".into(), content_type, body })
}

/// What the answer to an order means.
pub(super) fn outcome(answer: &HttpAnswer, order: &PreparedOrder, currency: Option<Currency>) -> BuyAnswer {
    if answer.is_success() {
        return match answer.document::<Wrapped<OrderDoc>>() {
            Ok(Wrapped { data }) => taken(&data, order, currency, answer.status),
            Err(why) => worked_on(answer).unwrap_or_else(|| doubtful(Doubt::Unreadable, why)),
        };
    }
    refusal(answer).map_or_else(|| answer.in_doubt(), BuyAnswer::Refused)
}

/// An order that was put in line: it has the number of a request and none of its own yet, and is found by its
/// description later.
fn worked_on(answer: &HttpAnswer) -> Option<BuyAnswer> {
    let Wrapped { data } = answer.document::<Wrapped<RequestDoc>>().ok()?;
    let order_id = tamed(&data.request_id, 80);
    (!order_id.is_empty()).then_some(BuyAnswer::Pending { order_id })
}

/// Success counts only for our package, our description and one piece, in the account's currency.
fn taken(doc: &OrderDoc, order: &PreparedOrder, currency: Option<Currency>, status: u16) -> BuyAnswer {
    let sent = parts_of(&order.content_type, &order.body);
    let package = sent.iter().find(|(name, _)| name == "package_id").map(|(_, value)| value.as_str());
    let told_currency = doc.currency.as_deref().and_then(|code| Currency::parse(code).ok());
    let wrong = if package != Some(doc.package_id.as_str()) {
        Some(format!("it is for the package `{}`", doc.package_id))
    } else if doc.described().is_some_and(|text| text != order.key.as_str()) {
        Some("it has another description than ours".into())
    } else if doc.quantity.as_ref().is_some_and(|quantity| quantity.0 != "1") {
        Some("it is not for one piece".into())
    } else if doc.kind.as_deref().is_some_and(|kind| kind != "topup") {
        Some("it is not a top-up".into())
    } else if doc.currency.is_some()
        && (told_currency.is_none() || currency.is_some_and(|ours| told_currency != Some(ours)))
    {
        Some("it is in another currency than the account's".into())
    } else {
        None
    };
    if let Some(wrong) = wrong {
        return unproven(format!("order {} was answered, but {wrong}", doc.id));
    }
    let order_id = tamed(&doc.id.0, 80);
    match stage(doc) {
        // A 202 says that it is not through yet.
        None | Some(Stage::Through) if status == ACCEPTED => BuyAnswer::Pending { order_id },
        None | Some(Stage::Through) => BuyAnswer::Accepted { order_id: Some(order_id), charged: charged(doc, true) },
        Some(Stage::Open) => BuyAnswer::Pending { order_id },
        // No documented answer to an order: the look-up by its number says what became of it.
        Some(Stage::Undone(slug)) => unproven(format!("order {order_id} was answered as {slug}")),
    }
}

/// Where an order stands.
enum Stage<'a> {
    /// Completed.
    Through,
    /// Worked on.
    Open,
    /// Failed or refunded, in Airalo's word.
    Undone(&'a str),
}

/// Where an order stands, if it tells.
fn stage(doc: &OrderDoc) -> Option<Stage<'_>> {
    Some(match doc.status.as_ref()?.slug.as_str() {
        // Of one piece, a part may be refunded without taking it back.
        "completed" | "partially_refunded" => Stage::Through,
        slug @ ("failed" | "refunded") => Stage::Undone(slug),
        _ => Stage::Open,
    })
}

/// What was charged, where it tells: `price` alone is the retail price, which is charged only where no model is named
/// in the answer to the order itself.
fn charged(doc: &OrderDoc, is_answer: bool) -> Option<Money> {
    let currency = Currency::parse(doc.currency.as_deref()?).ok()?;
    let paid = doc.total_amount_paid.as_ref().or(doc.unit_paid_price.as_ref()).or(doc.net_price.as_ref());
    let retail = doc.price.as_ref().filter(|_| is_answer && doc.pricing_model.is_none());
    paid.or(retail)?.money(currency).ok()
}

/// A certain refusal, if the answer is one.
fn refusal(answer: &HttpAnswer) -> Option<Refusal> {
    if !matches!(answer.status, 403 | 422) {
        return None;
    }
    if let Ok(doc) = answer.document::<CodeDoc>() {
        let kind = kind_of(answer.status, &doc.code.0)?;
        return Some(Refusal { kind, code: doc.code.0, text: tamed(&doc.reason, 200) });
    }
    let doc = answer.document::<FieldsDoc>().ok()?;
    let documented = answer.status == 422 && doc.meta.message == "the parameter is invalid" && !doc.data.is_empty();
    documented.then(|| wrong_parameter(&doc))
}

fn kind_of(status: u16, code: &str) -> Option<RefusalKind> {
    let kind = match (status, code) {
        (422, "11") => RefusalKind::WalletEmpty,
        (422, "13" | "33") => RefusalKind::Passing,
        // Top-ups switched off by the operator, or this package gone: not sold for this card.
        (422, "23" | "34") => RefusalKind::PlanGone,
        (422, "43") => RefusalKind::Other,
        (422, "73") => RefusalKind::CardDead,
        (_, "89") => RefusalKind::Access,
        (_, _) => return None,
    };
    Some(kind)
}

fn wrong_parameter(doc: &FieldsDoc) -> Refusal {
    let about = |field: &str| doc.data.contains_key(field);
    let over_limit = doc.data.values().any(|text| text.contains("order_exceed_limit"));
    let kind = if about("iccid") {
        RefusalKind::CardData
    } else if about("package_id") && !over_limit {
        RefusalKind::PlanGone
    } else {
        RefusalKind::Other
    };
    let told: Vec<String> = doc.data.iter().map(|(field, text)| format!("{field}: {text}")).collect();
    Refusal { kind, code: PARAMETER.into(), text: tamed(&told.join("; "), 200) }
}

/// Looks for an order: by Airalo's own id where it is known, else by our key.
pub(super) async fn find(session: &Session, order: &SentOrder) -> Result<Found, OperatorError> {
    if let Some(id) = order.order_id.as_deref().filter(|id| is_order_id(id)) {
        let answer = session.get(&format!("/orders/{id}"), &[("include", "status")]).await?;
        if answer.status != 404 {
            return found(&answer.checked()?.json::<Wrapped<OrderDoc>>()?.data, order);
        }
    }
    let mut ours: Vec<OrderDoc> = Vec::new();
    for page in 1..=PAGES_MAX {
        let OrdersDoc { data, meta } = searched(session, order, page).await?;
        let told_last = meta.and_then(|meta| meta.last_page).and_then(|last| last.scaled(1).ok());
        let is_last = data.is_empty() || told_last.is_some_and(|last| i64::from(page) >= last);
        if let Some(doc) = data.iter().find(|doc| doc.description.is_none()) {
            return Err(unknown(format!("the description of the order {} is not told", doc.id)));
        }
        for doc in data.into_iter().filter(|doc| doc.described() == Some(order.key.as_str())) {
            // A list that grows while it is read shows an order on two pages.
            if ours.iter().all(|known| known.id != doc.id) {
                ours.push(doc);
            }
        }
        if is_last {
            return the_one(&ours, order);
        }
    }
    Err(OperatorError::Unknown { why: format!("the search for one order has more than {PAGES_MAX} pages") })
}

fn is_order_id(id: &str) -> bool {
    (1..=ID_LONGEST).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
}

async fn searched(session: &Session, order: &SentOrder, page: u32) -> Result<OrdersDoc, OperatorError> {
    let page = page.to_string();
    let query = [
        ("filter[description]", order.key.as_str()),
        ("include", "status"),
        ("limit", PER_PAGE),
        ("page", page.as_str()),
    ];
    session.get("/orders", &query).await?.checked()?.json()
}

fn the_one(ours: &[OrderDoc], order: &SentOrder) -> Result<Found, OperatorError> {
    match ours {
        [] => Ok(Found::Nothing),
        [one] => found(one, order),
        [one, other, ..] => {
            let why = tamed(&format!("two orders carry the same key: {} and {}", one.id, other.id), 200);
            Err(OperatorError::Unknown { why })
        }
    }
}

/// What an order that was found says about ours.
fn found(doc: &OrderDoc, order: &SentOrder) -> Result<Found, OperatorError> {
    let foreign = doc.package_id != order.plan_id || doc.described().is_some_and(|text| text != order.key.as_str());
    if foreign {
        let why = tamed(&format!("order {} is not for our package and key", doc.id), 200);
        return Err(OperatorError::Unknown { why });
    }
    let order_id = tamed(&doc.id.0, 80);
    Ok(match stage(doc) {
        // The state is not always told; the order itself proves that it was taken.
        None | Some(Stage::Through) => Found::Accepted { order_id, charged: charged(doc, false) },
        Some(Stage::Open) => Found::Pending { order_id },
        Some(Stage::Undone(slug)) => Found::Reversed { order_id, why: format!("Airalo says that the order is {slug}") },
    })
}
