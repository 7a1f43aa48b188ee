//! Orders: the bytes of one, what its answer means, and how it is found again by time, card and bundle.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::NAME;
use super::bundles::asset_of;
use super::session::Session;
use super::wire::{BundlesDoc, LineDoc, MessageDoc, OrderDoc, OrdersDoc};
use crate::domain::attempt::Snapshot;
use crate::domain::card::{Card, tamed};
use crate::domain::money::Currency;
use crate::domain::operator::{BuyAnswer, Doubt, Found, OperatorError, Order, PreparedOrder, RefusalKind, SentOrder};
use crate::domain::time::{Secs, UnixTime};
use crate::operators::http::HttpAnswer;
use crate::operators::kit::{
    JSON, doubtful, iccid_of, no_code, path_part, refused, same_card, time_in, unknown, unproven, wallet_only,
};

/// The only certain refusal: HTTP 400 with a message, documented for orders as "Bad Request". There are no codes; 401
/// and 403 are said of keys, bundles and cards alike, 429 and 503 ("still processing") are no refusals.
pub(super) const FINAL_CODES: &[&str] = &[BAD_REQUEST];
const BAD_REQUEST: &str = "400";
/// Orders on one page of the list.
const PER_PAGE: &str = "50";
/// Pages of the list that are read at most: a day of a busy shop.
const PAGES_MAX: u32 = 100;
/// How far the vendor's clock may be from ours.
const SLACK: Secs = Secs::HOUR;
/// An order is made when it is sent; this long after it a listed one is another.
const MADE_WITHIN: Secs = Secs::DAY;

/// Whether an order is to be done or only tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Purpose {
    /// A dry run, which spends nothing.
    Validate,
    /// A purchase.
    Transaction,
}

/// The body of an order.
#[derive(Debug, Serialize, Deserialize)]
struct AskedDoc {
    #[serde(rename = "type")]
    purpose: Purpose,
    assign: bool,
    order: [AskedLineDoc; 1],
}

#[derive(Debug, Serialize, Deserialize)]
struct AskedLineDoc {
    #[serde(rename = "type")]
    kind: String,
    quantity: u8,
    item: String,
    iccids: [String; 1],
    /// Never true: the API would put the bundle on a new eSIM where it does not fit ours.
    #[serde(rename = "allowReassign")]
    allow_reassign: bool,
}

/// One bundle for one card.
pub(super) fn body_of(purpose: Purpose, bundle: &str, iccid: &str) -> Result<Vec<u8>, String> {
    let line = AskedLineDoc {
        kind: "bundle".into(),
        quantity: 1,
        item: bundle.to_owned(),
        iccids: [iccid.to_owned()],
        allow_reassign: false,
    };
    serde_json::to_vec(&AskedDoc { purpose, assign: true, order: [line] }).map_err(|error| error.to_string())
}

/// The exact bytes of an order. The API has no place for our key.
pub(super) fn prepared(card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
    wallet_only(order, NAME)?;
    no_code(order, NAME)?;
    let body = body_of(Purpose::Transaction, &order.plan.id, iccid_of(card, NAME)?).map_err(unknown)?;
    Ok(PreparedOrder { key: order.key.clone(), path: "/orders".into(), content_type: JSON.into(), body })
}

/// What the answer to an order means.
pub(super) fn outcome(answer: &HttpAnswer, order: &PreparedOrder, currency: Option<Currency>) -> BuyAnswer {
    if let (400, Ok(MessageDoc { message })) = (answer.status, answer.document()) {
        return refused(RefusalKind::Other, BAD_REQUEST, &message);
    }
    if !answer.is_success() {
        return answer.in_doubt();
    }
    match answer.document::<OrderDoc>() {
        Ok(doc) => taken(&doc, order, currency),
        Err(why) => doubtful(Doubt::Unreadable, why),
    }
}

/// Success counts only for one piece of our bundle on our card, in the organisation's currency.
fn taken(doc: &OrderDoc, order: &PreparedOrder, currency: Option<Currency>) -> BuyAnswer {
    let Ok(AskedDoc { order: [sent], .. }) = serde_json::from_slice(&order.body) else {
        return unproven("the order that was sent cannot be read");
    };
    let Some(reference) = doc.order_reference.as_deref().filter(|reference| !reference.is_empty()) else {
        return unproven("it tells no reference of the order");
    };
    let is_ours = |line: &LineDoc| {
        let on_our_card = line.cards().is_some_and(|cards| cards.iter().all(|card| same_card(card, &sent.iccids[0])));
        line_is_for(line, &sent.item) && on_our_card
    };
    if !matches!(&doc.order[..], [line] if is_ours(line)) {
        return unproven(format!("order {reference} was answered, but it is not one of our bundle for our card"));
    }
    if doc.assigned.is_some_and(|flag| !flag.0) {
        return unproven(format!("order {reference} was answered, but the bundle is not on the card"));
    }
    let charged = doc.money();
    if charged.zip(currency).is_some_and(|(charged, ours)| charged.currency() != ours) {
        return unproven(format!("order {reference} was answered, but in another currency than the organisation's"));
    }
    let order_id = tamed(reference, 80);
    match doc.status.as_deref() {
        Some("completed") => BuyAnswer::Accepted { order_id: Some(order_id), charged },
        Some(_) => BuyAnswer::Pending { order_id },
        None => unproven("it does not say whether the order is done"),
    }
}

/// Whether a line is for one piece of a bundle.
pub(super) fn line_is_for(line: &LineDoc, bundle: &str) -> bool {
    let one = line.quantity.as_ref().is_none_or(|quantity| quantity.whole() == Ok(1));
    line.item.as_deref() == Some(bundle) && one
}

/// Looks for an order: by the vendor's reference where it is known, else by time, card and bundle.
pub(super) async fn find(session: &Session, card: &Card, order: &SentOrder) -> Result<Found, OperatorError> {
    let iccid = iccid_of(card, NAME)?;
    if let Some(reference) = order.order_id.as_deref().filter(|id| !id.is_empty()) {
        let reference = path_part(reference, "the reference of an order")?;
        let answer = session.get(&format!("/orders/{reference}"), &[("includeIccids", "true")]).await?;
        if !matches!(answer.status, 400 | 404) {
            let doc: OrderDoc = answer.checked()?.json()?;
            let line = matches!(&doc.order[..], [line] if line.item.as_deref() == Some(&order.plan_id));
            if !line || doc.order_reference.as_deref() != Some(reference) {
                return Err(unknown(format!("order {reference} is not for our bundle")));
            }
            return state_of(&doc);
        }
    }
    let mut ours = Vec::new();
    for doc in listed(session, order).await? {
        if may_be_ours(&doc, iccid, order).map_err(unknown)? {
            ours.push(doc);
        }
    }
    if let Some(before) = &order.before {
        let bundles: BundlesDoc =
            session.of_card(iccid, "/bundles", &[("includeUsed", "true"), ("limit", "200")]).await?;
        ours.retain(|doc| !was_there_before(doc, &bundles, before));
        if ours.is_empty() && has_more(&bundles, before, order).map_err(unknown)? {
            return Err(unknown("the bundle is on the card once more than before, but no order says why"));
        }
    }
    match &ours[..] {
        [] => Ok(Found::Nothing),
        [one] => state_of(one),
        [..] => Err(unknown("several orders of this bundle were made for this card at about that time")),
    }
}

/// The orders around the time of ours, each once.
async fn listed(session: &Session, order: &SentOrder) -> Result<Vec<OrderDoc>, OperatorError> {
    let (from, to) = window(order);
    let (from, to) = (format!("gte:{from}"), format!("lte:{to}"));
    let mut all: Vec<OrderDoc> = Vec::new();
    for page in 1..=PAGES_MAX {
        let query = [
            ("includeIccids", "true"),
            ("page", &*page.to_string()),
            ("limit", PER_PAGE),
            ("createdAt", &*from),
            ("createdAt", &*to),
        ];
        let (rows, is_whole) = match session.get_long("/orders", &query).await?.checked()?.json()? {
            OrdersDoc::List(rows) | OrdersDoc::Page { orders: rows } => (rows, false),
            OrdersDoc::One(one) => (vec![*one], true),
        };
        let known = all.len();
        for row in rows {
            let Some(reference) = &row.order_reference else {
                return Err(unknown("an order in the list tells no reference"));
            };
            // A list that grows while it is read shows an order on two pages.
            if all.iter().all(|other| other.order_reference.as_ref() != Some(reference)) {
                all.push(row);
            }
        }
        // How many orders a page really holds is not documented: only one without anything new is behind the last.
        if is_whole || all.len() == known {
            return Ok(all);
        }
    }
    Err(unknown(format!("the list of orders has more than {PAGES_MAX} pages")))
}

fn window(order: &SentOrder) -> (UnixTime, UnixTime) {
    (order.first_sent_at.minus(SLACK), order.first_sent_at.plus(MADE_WITHIN))
}

/// Whether an order could be ours: one line, one piece, our bundle, our card alone, made when ours was.
///
/// # Errors
/// It leaves open whether it is.
fn may_be_ours(doc: &OrderDoc, iccid: &str, order: &SentOrder) -> Result<bool, String> {
    let reference = tamed(doc.order_reference.as_deref().unwrap_or_default(), 80);
    let lacks = |what: &str| format!("order {reference} tells no {what}, and it may be ours");
    let [line] = &doc.order[..] else {
        // Ours has one line. An order without any could be anything.
        return if doc.order.is_empty() { Err(lacks("bundle")) } else { Ok(false) };
    };
    if line.item.as_deref().ok_or_else(|| lacks("bundle"))? != order.plan_id {
        return Ok(false);
    }
    if line.quantity.as_ref().is_some_and(|quantity| quantity.whole() != Ok(1)) {
        return Ok(false);
    }
    let cards = line.cards().ok_or_else(|| lacks("card"))?;
    if !cards.iter().all(|card| same_card(card, iccid)) {
        return Ok(false);
    }
    let made = doc.created_date.as_deref().ok_or_else(|| lacks("time"))?;
    let made = time_in(made, &TimeZone::UTC)?;
    let (from, to) = window(order);
    Ok(from <= made && made <= to)
}

/// Whether the order's bundle was on the card before ours was sent: an assignment's reference begins with its order's.
fn was_there_before(doc: &OrderDoc, bundles: &BundlesDoc, before: &Snapshot) -> bool {
    let Some(reference) = doc.order_reference.as_deref().filter(|reference| !reference.is_empty()) else {
        return false;
    };
    let assignments = bundles.bundles.iter().flat_map(|bundle| &bundle.assignments);
    assignments
        .filter(|one| one.assignment_reference.as_ref().is_some_and(|told| told.as_str().starts_with(reference)))
        .any(|one| before.assets.contains(&asset_of(one)))
}

/// Whether our bundle was put on the card at about the time of the order, beside those that were there.
fn has_more(bundles: &BundlesDoc, before: &Snapshot, order: &SentOrder) -> Result<bool, String> {
    let (from, to) = window(order);
    for one in bundles.bundles.iter().filter(|bundle| bundle.name == order.plan_id).flat_map(|it| &it.assignments) {
        let made = one.assignment_date_time.as_deref().map(|text| time_in(text, &TimeZone::UTC)).transpose()?;
        if !before.assets.contains(&asset_of(one)) && made.is_none_or(|made| from <= made && made <= to) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where an order stands. `completed` is the only documented word for the end of one.
fn state_of(doc: &OrderDoc) -> Result<Found, OperatorError> {
    let order_id = doc.order_reference.as_deref().filter(|reference| !reference.is_empty());
    let order_id = tamed(order_id.ok_or_else(|| unknown("the order tells no reference"))?, 80);
    match doc.status.as_deref() {
        Some("completed") => Ok(Found::Accepted { order_id, charged: doc.money() }),
        Some(_) => Ok(Found::Pending { order_id }),
        None => Err(unknown(format!("order {order_id} tells no state"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::money::Money;
    use crate::domain::operator::OrderKey;

    const ICCID: &str = "8943108167001960542";
    const BUNDLE: &str = "esim_1GB_7D_GB_V2";

    fn doc(changes: &Value) -> OrderDoc {
        let mut doc = json!({ "order": [{ "item": BUNDLE, "quantity": 1, "iccids": [ICCID] }],
            "total": 1.36, "currency": "USD", "status": "completed", "orderReference": "73028252-1f26",
            "createdDate": "2026-01-04T13:15:43.785826016Z", "assigned": true });
        for (key, value) in changes.as_object().unwrap() {
            doc[key] = value.clone();
        }
        OrderDoc::deserialize(doc).unwrap()
    }

    fn sent() -> SentOrder {
        SentOrder {
            key: OrderKey::new(7),
            order_id: None,
            plan_id: BUNDLE.into(),
            price: Money::new(13_600, Currency::USD),
            before: None,
            first_sent_at: UnixTime::parse("2026-01-04T13:15:40Z").unwrap(),
        }
    }

    #[test]
    fn a_dry_run_and_an_order_differ_in_one_word_and_neither_takes_a_new_card() {
        let text = |purpose| String::from_utf8(body_of(purpose, BUNDLE, ICCID).unwrap()).unwrap();
        let order = text(Purpose::Transaction);
        assert_eq!(
            order,
            r#"{"type":"transaction","assign":true,"order":[{"type":"bundle","quantity":1,"item":"esim_1GB_7D_GB_V2","iccids":["8943108167001960542"],"allowReassign":false}]}"#
        );
        assert_eq!(text(Purpose::Validate), order.replacen("transaction", "validate", 1));
    }

    #[test]
    fn success_must_be_for_our_bundle_on_our_card() {
        let order = PreparedOrder {
            key: OrderKey::new(7),
            path: "/orders".into(),
            content_type: JSON.into(),
            body: body_of(Purpose::Transaction, BUNDLE, ICCID).unwrap(),
        };
        let taken = |changes: Value| taken(&doc(&changes), &order, Some(Currency::USD));
        let charged = Some(Money::new(13_600, Currency::USD));
        assert_eq!(taken(json!({})), BuyAnswer::Accepted { order_id: Some("73028252-1f26".into()), charged });
        assert!(matches!(taken(json!({ "status": "processing" })), BuyAnswer::Pending { .. }));
        for changes in [
            json!({ "order": [] }),
            json!({ "order": [{ "item": "esim_1gb_7d_gb_v2", "quantity": 1, "iccids": [ICCID] }] }),
            json!({ "order": [{ "item": BUNDLE, "quantity": 2, "iccids": [ICCID] }] }),
            json!({ "order": [{ "item": BUNDLE, "quantity": 1, "iccids": [ICCID], "esims": [{ "iccid": "8944" }] }] }),
            json!({ "order": [{ "item": BUNDLE, "quantity": 1 }] }),
            json!({ "orderReference": null }),
            json!({ "status": null }),
            json!({ "assigned": false }),
            json!({ "currency": "EUR" }),
        ] {
            let answer = taken(changes.clone());
            assert!(matches!(answer, BuyAnswer::Unknown { doubt: Doubt::Unproven, .. }), "{changes}: {answer:?}");
        }
    }

    #[test]
    fn an_order_that_may_be_ours_is_never_passed_over() {
        let ours = |changes: Value| may_be_ours(&doc(&changes), ICCID, &sent());
        assert_eq!(ours(json!({})), Ok(true));
        for changes in [
            json!({ "order": [{ "item": "other", "quantity": 1 }] }),
            json!({ "order": [{ "item": BUNDLE, "quantity": 2, "iccids": [ICCID, "8944"] }] }),
            json!({ "order": [{ "item": BUNDLE, "quantity": 1, "iccids": ["8944538532008160222"] }] }),
            json!({ "createdDate": "2026-01-04T12:15:39Z" }),
            json!({ "createdDate": "2026-01-05T13:15:41Z" }),
        ] {
            assert_eq!(ours(changes.clone()), Ok(false), "{changes}");
        }
        for changes in [
            json!({ "order": [] }),
            json!({ "order": [{ "quantity": 1, "iccids": [ICCID] }] }),
            json!({ "order": [{ "item": BUNDLE, "quantity": 1 }] }),
            json!({ "createdDate": null }),
            json!({ "createdDate": "yesterday" }),
        ] {
            assert!(ours(changes.clone()).is_err(), "{changes}");
        }
    }

    #[test]
    fn what_was_on_the_card_before_is_not_ours() {
        let bundles = BundlesDoc::deserialize(json!({ "bundles": [{ "name": BUNDLE, "assignments": [
            { "id": "215009266", "assignmentReference": "73028252-1f26-0", "bundleState": "active" }] }] }));
        let bundles = bundles.unwrap();
        let before = |assets: &[&str]| {
            let assets = assets.iter().map(|&id| id.to_owned()).collect();
            Snapshot { assets, ..Snapshot::default() }
        };
        assert!(was_there_before(&doc(&json!({})), &bundles, &before(&["1", "215009266"])));
        assert!(!was_there_before(&doc(&json!({})), &bundles, &before(&["1"])));
        assert!(!was_there_before(&doc(&json!({ "orderReference": "9" })), &bundles, &before(&["215009266"])));
        assert_eq!(has_more(&bundles, &before(&["215009266"]), &sent()), Ok(false));
        assert_eq!(has_more(&bundles, &before(&["1"]), &sent()), Ok(true));
        let other = SentOrder { plan_id: "other".into(), ..sent() };
        assert_eq!(has_more(&bundles, &before(&["1"]), &other), Ok(false));
    }
}
