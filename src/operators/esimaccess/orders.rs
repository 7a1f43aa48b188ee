//! Orders: the bytes of one, what its answer means, and how it is found again among the card's packages.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::NAME;
use super::offers::code_and_days;
use super::reading::reading_of;
use super::session::{Verdict, verdict};
use super::wire::{CardDoc, PackageDoc, ToppedDoc, Wrapped};
use crate::domain::card::Card;
use crate::domain::money::Currency;
use crate::domain::operator::{BuyAnswer, Doubt, Found, OperatorError, Order, PreparedOrder, RefusalKind, SentOrder};
use crate::domain::reading::WOBBLE;
use crate::domain::time::{Secs, UnixTime};
use crate::operators::http::HttpAnswer;
use crate::operators::kit::{
    JSON, Loose, doubtful, iccid_of, never, no_code, refused, same_card, time_in, unknown, unproven, wallet_only,
};

/// Codes that mean "not accepted, for certain". `000001` (server error), `200009` (abnormal state) and `900001` (busy)
/// are not among them: none of them says that nothing was done.
pub(super) const FINAL_CODES: &[&str] = &[
    "000101", "000102", "000103", "000104", "000105", "000106", "000107", "101001", "101002", "101003", "200002",
    "200005", "200006", "200007", "200008", "200011", "200042", "310241", "310243", "310272", "310403", "310409",
];
/// The eSIM is still being made.
const ALLOCATING: &str = "200010";
/// How far the vendor's clock may be from ours.
const SLACK: Secs = Secs::HOUR;

/// The body of a top-up. With `amount` the vendor checks the price and refuses another one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TopupDoc {
    #[serde(skip_serializing_if = "Option::is_none")]
    esim_tran_no: Option<String>,
    iccid: String,
    package_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    period_num: Option<i64>,
    transaction_id: String,
    amount: i64,
}

/// The exact bytes of an order. The eSIM's own number names it; the ICCID, which the vendor calls outdated, stands
/// beside it and serves alone where the number is not known.
pub(super) fn prepared(card: &Card, tran: Option<&str>, order: &Order) -> Result<PreparedOrder, OperatorError> {
    wallet_only(order, NAME)?;
    no_code(order, NAME)?;
    if order.plan.price.currency() != Currency::USD {
        return Err(never(RefusalKind::Other, format!("{NAME} sells in dollars only")));
    }
    let (code, days) = code_and_days(&order.plan.id).map_err(|why| never(RefusalKind::PlanGone, why))?;
    let doc = TopupDoc {
        esim_tran_no: tran.map(str::to_owned),
        iccid: iccid_of(card, NAME)?.to_owned(),
        package_code: code.to_owned(),
        period_num: days,
        transaction_id: order.key.as_str().to_owned(),
        amount: order.plan.price.ten_thousandths(),
    };
    let body = serde_json::to_vec(&doc).map_err(|error| unknown(error.to_string()))?;
    Ok(PreparedOrder { key: order.key.clone(), path: "/esim/topup".into(), content_type: JSON.into(), body })
}

/// What the answer to an order means.
pub(super) fn outcome(answer: &HttpAnswer, order: &PreparedOrder) -> BuyAnswer {
    if !answer.is_success() {
        return answer.in_doubt();
    }
    match verdict(answer) {
        Ok(Verdict::Done) => match answer.document::<Wrapped<ToppedDoc>>() {
            Ok(Wrapped { obj }) => taken(&obj, order),
            Err(why) => doubtful(Doubt::Unreadable, why),
        },
        // The documented word for "working on it". The look-up goes on by our reference.
        Ok(Verdict::Refused { code, .. }) if code == ALLOCATING => {
            BuyAnswer::Pending { order_id: order.key.as_str().to_owned() }
        }
        Ok(Verdict::Refused { code, text }) => match kind_of(&code) {
            Some(kind) => refused(kind, &code, &text),
            None => doubtful(Doubt::UnlistedCode, format!("{NAME} says {code}: {text}")),
        },
        Err(why) => doubtful(Doubt::Unreadable, why),
    }
}

/// Success counts only for our card and our reference. The vendor's walkthrough shows an answer with another reference
/// than the one sent; such an answer is left to be settled by the card's packages.
fn taken(doc: &ToppedDoc, order: &PreparedOrder) -> BuyAnswer {
    let sent = serde_json::from_slice::<TopupDoc>(&order.body).ok();
    let card = doc.iccid.as_ref().map(Loose::as_str);
    if !sent.zip(card).is_some_and(|(sent, told)| same_card(&sent.iccid, told)) {
        return unproven("it says success, but not for our card");
    }
    if doc.transaction_id.as_ref().map(Loose::as_str) != Some(order.key.as_str()) {
        return unproven("it says success, but under another reference than ours");
    }
    BuyAnswer::Accepted { order_id: Some(order.key.as_str().to_owned()), charged: None }
}

/// What a final code means.
fn kind_of(code: &str) -> Option<RefusalKind> {
    let kind = match code {
        "200007" => RefusalKind::WalletEmpty,
        "310241" | "310243" => RefusalKind::PlanGone,
        // Another price than ours, nothing in stock, or a clock that moved: the next try begins with a fresh look.
        "200005" | "200006" | "200011" | "101001" => RefusalKind::Passing,
        "101002" | "101003" => RefusalKind::Access,
        "200042" | "310272" | "310403" | "310409" => RefusalKind::CardData,
        // The card's state forbids it, or the request is malformed.
        "200002" | "200008" | "000101" | "000102" | "000103" | "000104" | "000105" | "000106" | "000107" => {
            RefusalKind::Other
        }
        _ => return None,
    };
    Some(kind)
}

/// Looks for an order among the packages of its card. It is known by our reference, here and in the answer to it.
///
/// # Errors
/// The list leaves open whether the order is in it.
pub(super) fn found(doc: &CardDoc, order: &SentOrder) -> Result<Found, OperatorError> {
    let packages = doc.package_list.as_deref().unwrap_or_default();
    if packages.is_empty() {
        return Err(unknown(format!("{NAME} tells no packages of this card")));
    }
    let (code, _) = code_and_days(&order.plan_id).map_err(unknown)?;
    let key = order.key.as_str();
    let mut ours = packages.iter().filter(|package| package.transaction_id.as_ref().map(Loose::as_str) == Some(key));
    if let Some(package) = ours.next() {
        if ours.next().is_some() {
            return Err(unknown("two packages carry the same reference"));
        }
        if !is_for(package, code) {
            return Err(unknown("our reference stands on another package than ours"));
        }
        return Ok(Found::Accepted { order_id: key.to_owned(), charged: None });
    }
    for package in packages {
        strange(package, code, order)?;
    }
    grown(doc, order)?;
    Ok(Found::Nothing)
}

fn is_for(package: &PackageDoc, code: &str) -> bool {
    let told = package.package_code.as_deref();
    told == Some(code) || package.slug.as_deref() == Some(code)
        // The card may list a top-up under the code of the package it repeats.
        || told.is_some_and(|told| code.strip_prefix(super::offers::TOPUP) == Some(told))
}

/// Stops at a package that may be ours although our reference is not on it: whether the vendor keeps the reference of a
/// top-up as it was sent is not certain.
fn strange(package: &PackageDoc, code: &str, order: &SentOrder) -> Result<(), OperatorError> {
    let before = order.before.as_ref();
    if package.asset().is_some_and(|asset| before.is_some_and(|before| before.assets.contains(&asset))) {
        return Ok(());
    }
    let made = package.create_time.as_deref().map(|text| time_in(text, &TimeZone::UTC)).transpose().map_err(unknown)?;
    if made.is_some_and(|made| made < order.first_sent_at.minus(SLACK)) {
        return Ok(());
    }
    if package.transaction_id.is_none() {
        return Err(unknown("a package of this card tells no reference, and it may be ours"));
    }
    if is_for(package, code) || package.package_code.is_none() {
        return Err(unknown("the same package was bought for this card at about that time, under another reference"));
    }
    Ok(())
}

/// Stops where the card has more than before, though no package says why.
fn grown(doc: &CardDoc, order: &SentOrder) -> Result<(), OperatorError> {
    let Some(before) = &order.before else { return Ok(()) };
    let now = reading_of(doc, None, UnixTime::MIN).map_err(unknown)?;
    let more_data = now.data_left().zip(before.data_left).is_some_and(|(now, before)| now.bytes() > before);
    let later = now.plan_ends.zip(before.plan_ends).is_some_and(|(now, before)| now.at.since(before) > WOBBLE);
    if more_data || later {
        let what = if more_data { "data" } else { "time" };
        return Err(unknown(format!("the card has more {what} than before the order, but no package says why")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::attempt::Snapshot;
    use crate::domain::money::Money;
    use crate::domain::operator::OrderKey;

    fn sent(before: Option<Snapshot>) -> SentOrder {
        SentOrder {
            key: OrderKey::new(7),
            order_id: None,
            plan_id: "TOPUP_CKH491".into(),
            price: Money::new(70_000, Currency::USD),
            before,
            first_sent_at: UnixTime::parse("2026-05-01T12:00:00Z").unwrap(),
        }
    }

    fn card(package: Value) -> CardDoc {
        let first = json!({ "packageCode": "CKH491", "createTime": "2026-03-31T19:29:36+0000",
            "esimTranNo": "26033119290005", "transactionId": "first" });
        CardDoc::deserialize(json!({ "esimTranNo": "26033119290005", "iccid": "8910300000044404757",
            "esimStatus": "IN_USE", "totalVolume": 3000, "orderUsage": 1000,
            "expiredTime": "2026-09-27T19:29:36+0000", "packageList": [first, package] }))
        .unwrap()
    }

    fn package(code: &str, created: &str, reference: Option<&str>) -> Value {
        json!({ "packageCode": code, "createTime": created, "esimTranNo": "26050100000001",
            "transactionId": reference })
    }

    const AFTER: &str = "2026-05-01T12:00:03+0000";

    #[test]
    fn an_order_is_known_by_its_reference() {
        let key = OrderKey::new(7);
        let found_in = |package: Value| found(&card(package), &sent(None));
        let accepted = Ok(Found::Accepted { order_id: key.as_str().into(), charged: None });
        assert_eq!(found_in(package("TOPUP_CKH491", AFTER, Some(key.as_str()))), accepted);
        assert_eq!(found_in(package("CKH491", AFTER, Some(key.as_str()))), accepted);
        assert!(found_in(package("TOPUP_OTHER", AFTER, Some(key.as_str()))).is_err());
        assert_eq!(found_in(package("TOPUP_OTHER", AFTER, Some("theirs"))), Ok(Found::Nothing));
    }

    #[test]
    fn what_may_be_ours_is_never_nothing() {
        let found_in = |package: Value| found(&card(package), &sent(None));
        assert!(found_in(package("TOPUP_CKH491", AFTER, Some("theirs"))).is_err(), "another reference");
        assert!(found_in(package("TOPUP_OTHER", AFTER, None)).is_err(), "no reference");
        assert_eq!(found_in(package("TOPUP_CKH491", "2026-05-01T10:59:59+0000", None)), Ok(Found::Nothing));
        let known = Snapshot { assets: vec!["26050100000001/theirs".into()], ..Snapshot::default() };
        let seen_before = package("TOPUP_CKH491", AFTER, Some("theirs"));
        assert_eq!(found(&card(seen_before), &sent(Some(known))), Ok(Found::Nothing));
        let mut empty = card(json!({}));
        empty.package_list = None;
        assert!(found(&empty, &sent(None)).is_err());
    }

    #[test]
    fn a_card_that_has_more_than_before_is_never_nothing() {
        let old = package("TOPUP_OTHER", AFTER, Some("theirs"));
        let ends = |text: &str| Some(UnixTime::parse(text).unwrap());
        for (data_left, plan_ends, clean) in [
            (Some(2_000), ends("2026-09-27T19:29:36Z"), true),
            (Some(1_999), None, false),
            (None, ends("2026-09-20T19:29:36Z"), false),
        ] {
            let before = Snapshot { data_left, plan_ends, ..Snapshot::default() };
            assert_eq!(found(&card(old.clone()), &sent(Some(before))).is_ok(), clean, "{data_left:?}");
        }
    }

    #[test]
    fn every_final_code_has_a_meaning_and_no_other_has() {
        assert!(FINAL_CODES.iter().all(|code| kind_of(code).is_some()));
        for code in ["", "000001", "900001", "200009", "200010", "310201"] {
            assert_eq!(kind_of(code), None, "{code}");
        }
    }
}
