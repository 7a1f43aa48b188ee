//! The operator's answers as they are written on the wire: JSON with whole seconds and decimal amounts as text.

use serde::Serialize;
use serde_json::{Value, json};

use super::card::SimCard;
use super::fault::FaultKind;
use super::orders::OrderRecord;
use super::package::{Meter, Package, PackageState};
use super::plans::CardKind;
use super::settings::{Class, PAYMENT_METHODS, READ_BATCH_MAX, Settings};
use crate::domain::money::{Currency, Money};
use crate::domain::plan::Plan;
use crate::domain::time::UnixTime;

/// 9999-12-31T23:59:59Z, the last second of the calendar.
const FAR_END_SECS: i64 = 253_402_300_799;

/// A status and a JSON body.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        // These types have text keys and whole numbers only, so writing them does not fail.
        Self { status, body: serde_json::to_vec(body).unwrap_or_default() }
    }

    /// An error with the sandbox's code and words for it.
    pub(super) fn error(status: u16, code: &str) -> Self {
        Self::json(status, &json!({ "error": { "code": code, "message": words_for(code) } }))
    }
}

fn words_for(code: &str) -> &'static str {
    match code {
        "wallet_empty" => "The wallet does not hold enough for this order.",
        "payment_declined" => "This payment was declined.",
        "plan_gone" => "This plan is not sold for this card.",
        "price_changed" => "The price is not the one that was expected.",
        "card_recycled" => "This number was taken back.",
        "card_one_off" => "This card cannot be topped up.",
        "card_not_active" => "This card is not installed or not active.",
        "card_blocked" => "This card is blocked.",
        "card_unknown" => "No such card.",
        "code_invalid" => "This discount code is not valid.",
        "account_blocked" => "This account is blocked.",
        "maintenance" => "Orders are closed for maintenance.",
        "token_expired" => "The token is missing, wrong or expired.",
        "in_progress" => "The first order with this reference is still being worked on.",
        "reference_used" => "This reference was used before.",
        "reference_mismatch" => "This reference was used for another order.",
        "order_unknown" => "No such order.",
        "not_offered" => "This operator does not offer this call.",
        "bad_request" => "The request could not be read.",
        "too_many_requests" => "Slow down.",
        _ => "This did not work.",
    }
}

#[derive(Serialize)]
struct CardAnswer<'a> {
    iccid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    msisdn: Option<&'a str>,
    as_of: i64,
    state: &'static str,
    renewable: bool,
    plan: Option<&'a str>,
    plan_ends: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_ends: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_ends: Option<i64>,
    packages: Vec<PackageAnswer<'a>>,
}

#[derive(Serialize)]
struct PackageAnswer<'a> {
    id: &'a str,
    plan: &'a str,
    state: &'static str,
    starts: i64,
    ends: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<[u64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: Option<[u64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sms: Option<[u64; 2]>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unlimited: bool,
}

/// Writes what there is to say about a card at `now`, up to when its use has been counted.
pub(super) fn write_card(card: &SimCard, currency: Currency, now: UnixTime, out: &mut Vec<u8>) {
    let currency = card.currency.unwrap_or(currency);
    let answer = CardAnswer {
        iccid: &card.iccid,
        msisdn: card.msisdn.as_deref(),
        as_of: now.secs(),
        state: card.state_word(now),
        renewable: card.kind != CardKind::OneOff,
        plan: card.present_plan(now),
        plan_ends: card.plan_ends().map(UnixTime::secs),
        credit: card.credit.map(|credit| Money::new(credit, currency).number()),
        currency: card.credit.map(|_| currency.code()),
        credit_ends: card.credit_ends.map(UnixTime::secs),
        number_ends: card.number_ends.map(UnixTime::secs),
        packages: card.packages.iter().map(|package| package_answer(package, now)).collect(),
    };
    // Writing to memory does not fail; see `Reply::json` for the rest.
    drop(serde_json::to_writer(out, &answer));
}

fn package_answer(package: &Package, now: UnixTime) -> PackageAnswer<'_> {
    let pair = |meter: Option<Meter>| meter.map(|meter| [meter.left(), meter.total]);
    PackageAnswer {
        id: &package.id,
        plan: &package.plan,
        state: match package.state(now) {
            PackageState::Queued => "queued",
            PackageState::Active => "active",
            PackageState::Finished => "finished",
            PackageState::Expired => "expired",
        },
        starts: package.starts.secs(),
        ends: package.ends.secs(),
        data: pair(package.data),
        voice: pair(package.voice),
        sms: pair(package.sms),
        unlimited: package.unlimited,
    }
}

/// A card's answer made senseless in the way that `fault` says.
pub(super) fn spoiled(card: &[u8], fault: &FaultKind) -> Vec<u8> {
    let Ok(mut answer) = serde_json::from_slice::<Value>(card) else { return card.to_vec() };
    if answer["packages"].get(0).is_none() {
        answer["packages"] =
            json!([{ "id": "x", "plan": "x", "state": "active", "starts": 0, "ends": 1, "data": [0, 0] }]);
    }
    match fault {
        FaultKind::Negative => {
            answer["packages"][0]["data"] = json!([-5, 1_000]);
            answer["credit"] = json!("-3.50");
            answer["currency"] = json!("USD");
        }
        FaultKind::FarEnd => answer["plan_ends"] = json!(FAR_END_SECS),
        FaultKind::PastEnd => answer["plan_ends"] = json!(1),
        FaultKind::EndShifted { secs } => {
            if let Some(end) = answer["plan_ends"].as_i64() {
                answer["plan_ends"] = json!(end.saturating_add(*secs));
            }
        }
        FaultKind::NoEnd => answer["plan_ends"] = Value::Null,
        FaultKind::TextForNumber => answer["plan_ends"] = json!("soon"),
        FaultKind::HugeNumber => answer["packages"][0]["data"] = json!([1e308, 1e308]),
        FaultKind::StrangeCurrency => {
            answer["credit"] = json!("1.00");
            answer["currency"] = json!("GOLD");
        }
        _ => {}
    }
    serde_json::to_vec(&answer).unwrap_or_default()
}

/// A plan as it is sold.
pub(super) fn plan_answer(plan: &Plan) -> Value {
    let contents = &plan.contents;
    json!({
        "id": plan.id, "name": plan.name, "validity_secs": plan.validity_secs,
        "data_bytes": contents.data_bytes, "unlimited_data": contents.unlimited_data,
        "voice_secs": contents.voice_secs, "sms": contents.sms, "credit": contents.credit.map(Money::number),
        "price": plan.price.number(), "currency": plan.price.currency(),
    })
}

/// An order as it stands.
pub(super) fn order_answer(order: &OrderRecord, now: UnixTime, replayed: bool) -> Value {
    let state = order.state(now);
    let reason = (state == "reversed").then_some("The payment was taken back.");
    json!({
        "order_id": order.id(), "reference": order.reference, "iccid": order.iccid, "plan_id": order.plan.id,
        "state": state, "reason": reason, "amount": order.price.number(), "currency": order.price.currency(),
        "created_at": order.created_at.secs(), "replayed": replayed,
    })
}

/// A success that belongs to somebody else.
pub(super) fn strange_order() -> Reply {
    let order = json!({
        "order_id": "SBX-99999999", "reference": "ffffffffffffffffffffffffffffffff", "iccid": "8999900999999999990",
        "plan_id": "data-10gb-30d", "state": "completed", "amount": "999.00", "currency": "USD",
        "created_at": 1_800_000_000, "replayed": false,
    });
    Reply::json(200, &order)
}

/// What this operator says it does.
pub(super) fn capabilities(settings: &Settings) -> Value {
    let (window, lookup) = match settings.class {
        Class::KeyHonoured { window_secs } => (Some(window_secs), "reference"),
        Class::LookupOnly => (None, "list"),
        Class::Neither => (None, "none"),
    };
    json!({
        "class": settings.class.as_str(), "key_window_secs": window, "lookup": lookup,
        "listing_delay_secs": settings.listing_delay_secs, "processing_max_secs": settings.processing_max_secs,
        "effect_max_secs": settings.effect_max_secs,
        "cached_for_secs": settings.cached_for_secs, "read_batch": READ_BATCH_MAX, "reads": settings.reads,
        "stacking": settings.stacking,
        "payment_methods": PAYMENT_METHODS, "currency": settings.currency(),
    })
}
