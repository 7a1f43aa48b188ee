//! Top-ups: the bytes of one, what its answer means, and how it is found again.
//!
//! The standard has no client reference. `reason` and `description` are free texts that a server echoes, so both hold our
//! key; a server that does not echo them leaves a top-up that may be ours or not, and that is said.

use serde_json::{Value, json};

use super::buckets::{Known, Match, Target};
use super::session::{Session, read_error};
use super::units::{Bare, held};
use super::wire::{ErrorDoc, OneOrMany, TopupDoc, filled, word};
use super::{CardKey, Version};
use crate::domain::card::tamed;
use crate::domain::money::Money;
use crate::domain::operator::{
    BuyAnswer, Doubt, Found, OperatorError, Order, OrderKey, Refusal, RefusalKind, SentOrder,
};
use crate::domain::time::{Secs, UnixTime};
use crate::operators::http::HttpAnswer;
use crate::operators::kit::{Loose, doubtful, lacks, never, path_part, refused, time_in, unknown, unproven};

/// Statuses that the standard documents for a top-up that is not taken, each with its error document, and the two words
/// of a top-up that failed.
pub(super) const FINAL_CODES: &[&str] = &["400", "403", "405", "failed", "cancelled"];
/// Our clocks may differ by this much.
const BEFORE: Secs = Secs::HOUR;

/// The document of a top-up. The amount is always there: a server would take a missing one for 1.
pub(super) fn document(
    order: &Order,
    credit: Money,
    target: &Target,
    card: Known<'_>,
    version: Version,
    channel: Option<&str>,
) -> Result<String, OperatorError> {
    let (amount, units) = target.unit.written(credit).ok_or_else(|| unknown("the amount is too large"))?;
    let resource = match version {
        // A v4.0.0 reference has no value; where a card is known by its number, the server's own id comes along.
        Version::V4_0 => json!({ "id": target.resource.as_deref().unwrap_or(card.text()) }),
        Version::V4_1 => json!({ "id": target.resource.as_deref().unwrap_or(card.text()), "value": card.text() }),
    };
    let product = match card {
        Known::Product(id) => Some(id),
        Known::Msisdn(_) | Known::Iccid(_) | Known::Resource(_) => target.product.as_deref(),
    };
    let one_or_list = |value: Value| if version == Version::V4_0 { json!([value]) } else { value };
    let mut document = json!({
        "amount": { "amount": amount, "units": units },
        "usageType": target.usage.as_deref().unwrap_or("monetary"),
        "bucket": { "id": target.bucket },
        "isAutoTopup": false,
        "reason": order.key.as_str(),
        "description": order.key.as_str(),
    });
    if !matches!(card, Known::Product(_)) {
        document["logicalResource"] = one_or_list(resource);
    }
    if let Some(id) = product {
        document["product"] = one_or_list(json!({ "id": id }));
    }
    match &target.party_account {
        Some(id) => document["partyAccount"] = json!({ "id": id }),
        None if version == Version::V4_0 => {
            return Err(lacks("this operator (TMF654 v4.0)", "the account of the bucket", "party_account"));
        }
        None => {}
    }
    if let Some(channel) = channel {
        document["channel"] = json!({ "id": channel, "name": channel });
    }
    Ok(document.to_string())
}

/// What the answer to an order means.
pub(super) fn outcome(answer: &HttpAnswer, sent: &[u8], key: &OrderKey) -> BuyAnswer {
    if !answer.is_success() {
        let kind = match answer.status {
            400 | 405 => RefusalKind::Other,
            403 => RefusalKind::Access,
            // 401 and 409 are documented without saying that nothing was done.
            _ => return answer.in_doubt(),
        };
        return match answer.document::<ErrorDoc>() {
            Ok(told) => {
                refused(kind, told.code.as_str(), &format!("{} {}", told.reason, told.message.unwrap_or_default()))
            }
            Err(_) => answer.in_doubt(),
        };
    }
    let doc = match answer.document::<TopupDoc>() {
        Ok(doc) => doc,
        Err(why) => return doubtful(Doubt::Unreadable, why),
    };
    if let Some(wrong) = foreign(&doc, sent, key) {
        return unproven(format!("a top-up was answered, but {wrong}"));
    }
    let Some(order_id) = id_of(&doc) else { return unproven("a top-up without an id was answered") };
    match state_of(&doc) {
        State::Taken => BuyAnswer::Accepted { order_id: Some(order_id), charged: None },
        State::Open | State::Untold => BuyAnswer::Pending { order_id },
        State::Failed(word) => refused(RefusalKind::Other, &word, "the operator says that the top-up came to nothing"),
    }
}

/// What in an answer is not of our order. What a server does not echo says nothing, but something must be ours.
fn foreign(doc: &TopupDoc, sent: &[u8], key: &OrderKey) -> Option<&'static str> {
    let echoes = [filled(doc.reason.as_deref()), filled(doc.description.as_deref())];
    let is_echoed = echoes.contains(&Some(key.as_str()));
    if !is_echoed && echoes.iter().any(Option::is_some) {
        return Some("it has another reason than ours");
    }
    let sent: Value = serde_json::from_slice(sent).ok()?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let told_amount = doc.amount.as_ref().and_then(|quantity| quantity.amount.as_ref());
    let our_amount = Loose(text(&sent["amount"]["amount"]));
    if told_amount.is_some_and(|told| told.scaled(1_000_000) != our_amount.scaled(1_000_000)) {
        return Some("it is for another amount");
    }
    let told_unit = doc.amount.as_ref().and_then(|quantity| word(quantity.units.as_deref()));
    if told_unit.is_some_and(|told| Some(told) != word(sent["amount"]["units"].as_str())) {
        return Some("it is in another unit");
    }
    let told_bucket = doc.bucket.as_ref().and_then(|bucket| bucket.id.as_ref());
    if told_bucket.is_some_and(|told| told.as_str() != text(&sent["bucket"]["id"])) {
        return Some("it is for another bucket");
    }
    (!is_echoed && told_amount.is_none()).then_some("neither our reason nor our amount is in it")
}

/// Looks for a top-up: by the operator's id where it is known, else by our key in the whole list.
pub(super) async fn find(
    session: &Session,
    order: &SentOrder,
    card: Known<'_>,
    credit: Option<Money>,
    bare: Bare,
) -> Result<Found, OperatorError> {
    if let Some(id) = &order.order_id {
        let answer = session.get(&format!("/topupBalance/{}", path_part(id, "the id of a top-up")?), &[]).await?;
        if answer.is_success() {
            let doc: TopupDoc = answer.json()?;
            let is_other = id_of(&doc).is_some_and(|told| told != *id) || !carries(&doc, &order.key) && is_named(&doc);
            return if is_other {
                Err(unknown("the operator answered another top-up than ours"))
            } else {
                found(&doc, id)
            };
        }
        if answer.status != 404 {
            return Err(read_error(&answer));
        }
    }
    let id = |doc: &TopupDoc| id_of(doc);
    let all: Vec<TopupDoc> = session.list("/topupBalance", &[], id).await?;
    let mut ours = all.iter().filter(|doc| carries(doc, &order.key));
    match (ours.next(), ours.next()) {
        (Some(doc), None) => found(doc, &id_of(doc).unwrap_or_default()),
        (Some(_), Some(_)) => Err(unknown("two top-ups carry the same key")),
        (None, _) => match all.iter().find(|doc| may_be_ours(doc, order, card, credit, bare)) {
            None => Ok(Found::Nothing),
            Some(doc) => {
                let id = id_of(doc).unwrap_or_default();
                Err(unknown(format!("top-up {id} may be ours: this operator does not echo the reason of an order")))
            }
        },
    }
}

/// Whether a top-up without our key may be ours all the same: none of what it tells speaks against it.
fn may_be_ours(doc: &TopupDoc, order: &SentOrder, card: Known<'_>, credit: Option<Money>, bare: Bare) -> bool {
    let is_other_order = [&doc.reason, &doc.description]
        .into_iter()
        .any(|text| filled(text.as_deref()).is_some_and(|text| OrderKey::stored(text).is_some()));
    // A number is compared with numbers only: the id that a server has for it is its own.
    let by_number = matches!(card, Known::Msisdn(_) | Known::Iccid(_));
    let tells_number = doc.logical_resource.iter().flat_map(OneOrMany::iter).any(|one| one.value.is_some());
    let is_other_card = (!by_number || tells_number)
        && card.matches(doc.logical_resource.as_ref(), doc.product.as_ref()) == Match::Other;
    let requested = filled(doc.requested_date.as_deref()).and_then(|at| time_in(at, &jiff::tz::TimeZone::UTC).ok());
    let is_earlier = requested.is_some_and(|at: UnixTime| at < order.first_sent_at.minus(BEFORE));
    let told = doc.amount.as_ref().and_then(|quantity| held(Some("monetary"), quantity, bare).ok().flatten());
    let is_other_amount = told.zip(credit).is_some_and(|(told, credit)| told.amount != credit.ten_thousandths());
    !(is_other_order || is_other_card || is_earlier || is_other_amount)
}

fn carries(doc: &TopupDoc, key: &OrderKey) -> bool {
    [&doc.reason, &doc.description].into_iter().any(|text| filled(text.as_deref()) == Some(key.as_str()))
}

fn is_named(doc: &TopupDoc) -> bool {
    filled(doc.reason.as_deref()).or(filled(doc.description.as_deref())).is_some()
}

fn id_of(doc: &TopupDoc) -> Option<String> {
    doc.id.as_ref().map(|id| tamed(id.as_str(), 80)).filter(|id| !id.is_empty())
}

enum State {
    Taken,
    Open,
    Failed(String),
    Untold,
}

/// Where a top-up stands. A word that is not known may become one that is.
fn state_of(doc: &TopupDoc) -> State {
    match word(doc.status.as_deref()) {
        // The official samples say `confirmed`, which is not among the standard's own words.
        Some(word) if matches!(word.as_str(), "completed" | "confirmed") => State::Taken,
        Some(word) if matches!(word.as_str(), "failed" | "cancelled" | "canceled") => State::Failed(word),
        Some(_) => State::Open,
        None => State::Untold,
    }
}

fn found(doc: &TopupDoc, id: &str) -> Result<Found, OperatorError> {
    let order_id = tamed(id, 80);
    Ok(match state_of(doc) {
        State::Taken => Found::Accepted { order_id, charged: None },
        State::Open => Found::Pending { order_id },
        State::Untold => return Err(unknown(format!("top-up {order_id} does not say where it stands"))),
        State::Failed(word) if word == "failed" => {
            Found::Refused(Refusal { kind: RefusalKind::Other, code: word, text: "the top-up failed".into() })
        }
        State::Failed(word) => {
            Found::Reversed { order_id, why: format!("the operator says that the top-up is {word}") }
        }
    })
}

/// The only bucket of money that a card's top-up can go to, or the one that the card names.
pub(super) fn target<'a>(
    targets: &'a [Target],
    named: Option<&str>,
    credit: Money,
) -> Result<&'a Target, OperatorError> {
    let fits = |target: &&Target| target.unit.currency == credit.currency();
    let no = |why: String| Err(never(RefusalKind::CardData, why));
    if let Some(named) = named {
        let target = targets.iter().filter(fits).find(|target| target.bucket == named);
        return target.map_or_else(
            || no(format!("the card has no bucket `{}` in {}; correct `bucket`", tamed(named, 80), credit.currency())),
            Ok,
        );
    }
    // Two cards that share a bucket would both fill it for one need.
    let mut own = targets.iter().filter(fits).filter(|target| !target.is_shared);
    match (own.next(), own.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => no(format!(
            "the card has several buckets in {}; add `bucket` with the id of the one to fill",
            credit.currency()
        )),
        (None, _) => no(format!(
            "the card has no bucket of its own in {}; to fill a shared one, add `bucket` with its id to one card",
            credit.currency()
        )),
    }
}

/// What a card must have.
pub(super) fn needs(key: &CardKey) -> &str {
    match key {
        CardKey::Msisdn => "msisdn",
        CardKey::Iccid => "iccid",
        CardKey::Resource(field) | CardKey::Product(field) => field,
    }
}
