//! Orders: the bytes of one, and what its answer means.
//!
//! What is stored of an order is the request as it will be sent, without what opens the door, and beside it what the
//! answer is compared with.

use serde::{Deserialize, Serialize};

use super::calls::{BuyAt, OrderState, Reserved, Success};
use super::path::Doc;
use super::request::Sent;
use super::rules::Class;
use super::session::{Reply, Session};
use super::template::Values;
use super::values::{add_plan, values_of_card};
use super::when::{Verdict, all};
use crate::domain::card::{Card, tamed};
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{BuyAnswer, Doubt, OperatorError, Order, PreparedOrder, RefusalKind};
use crate::operators::kit::{doubtful, never, not_bought, refused, unproven};

/// The type of what is stored.
const STORED: &str = "application/vnd.simkeeper.order+json";

/// An order as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    request: Sent,
    values: Values,
}

/// The exact bytes of an order.
pub(super) fn prepared(session: &Session, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
    let name = session.profile.name();
    let Some(buy) = &session.profile.buy else {
        return Err(never(
            RefusalKind::Other,
            format!("the profile `{name}` does not describe [buy]: its cards are only read"),
        ));
    };
    let declared = &session.profile.declared;
    if !declared.payment_methods.contains(&order.payment) {
        let methods = declared.payment_methods.join(", ");
        return Err(never(
            RefusalKind::PaymentDeclined,
            format!("{name} is paid by: {methods}; write one of them into `payment`"),
        ));
    }
    if order.code.is_some() && !declared.capabilities.takes_codes {
        return Err(never(RefusalKind::BadCode, format!("{name} takes no discount codes")));
    }
    let mut values = values_of_card(card);
    add_plan(&mut values, &order.plan);
    values.insert("key".into(), order.key.as_str().to_owned());
    values.insert("payment".into(), order.payment.clone());
    values.extend(order.code.iter().map(|code| ("code".to_owned(), code.clone())));
    let request = buy.request.fill(&values, &session.profile.zone).map_err(|gap| gap.error())?;
    let path = request.path.clone();
    let body = serde_json::to_vec(&Stored { request, values });
    let body = body.map_err(|_| never(RefusalKind::Other, "the order cannot be written down"))?;
    Ok(PreparedOrder { key: order.key.clone(), path, content_type: STORED.into(), body })
}

/// Sends an order; in two steps where the operator wants it so.
pub(super) async fn buy(session: &Session, order: &PreparedOrder) -> BuyAnswer {
    let stored: Option<Stored> = serde_json::from_slice(&order.body).ok();
    let (Some(Stored { request, mut values }), Some(at)) = (stored, &session.profile.buy) else {
        let why = "the order was not prepared by this profile".to_owned();
        return BuyAnswer::NotSent { why };
    };
    let request = match &at.reserved {
        None => request,
        Some(reserved) => match reserve(session, reserved, &request, &mut values).await {
            Ok(commit) => commit,
            Err(told) => return told,
        },
    };
    let outcome = match session.order(&request, &values).await {
        Ok(outcome) => outcome,
        Err(error) => return not_bought(error),
    };
    match outcome.answered() {
        Ok(answer) => judged(session, at, &Reply::of(answer), &values),
        Err(told) => told,
    }
}

/// Reserves, which spends nothing, and answers the request that commits.
async fn reserve(session: &Session, at: &Reserved, request: &Sent, values: &mut Values) -> Result<Sent, BuyAnswer> {
    let reply = session.reply_to(request, values).await.map_err(not_bought)?;
    if let Some(rule) = session.rule(&request.label, &reply)
        && let Class::Refusal(kind) = rule.class
    {
        return Err(refusal(session, kind, &reply));
    }
    let (document, _) = session.judged(&request.label, reply).map_err(not_bought)?;
    let doc = Doc::of(&document);
    let not_sent = |why: String| BuyAnswer::NotSent { why: tamed(&format!("the reservation: {why}"), 200) };
    if let Verdict::Fails(why) | Verdict::Lacks(why) = all(&at.when, doc, session.known(values)) {
        return Err(not_sent(why));
    }
    let id = at.order_id.text(doc).map_err(not_sent)?.ok_or_else(|| not_sent("it has no id".into()))?;
    values.insert("order_id".into(), id);
    for (name, field) in &at.capture {
        let told = field.text(doc).map_err(not_sent)?.ok_or_else(|| not_sent(format!("it has no {name}")))?;
        values.insert(format!("capture.{name}"), told);
    }
    if let Some(price) = &at.price {
        let now = price.money(doc).map_err(not_sent)?.ok_or_else(|| not_sent("it has no price".into()))?;
        let agreed = price_of(values).ok_or_else(|| not_sent("the agreed price is not known".into()))?;
        if now.exceeds(agreed).unwrap_or(true) {
            let text = format!("it now costs {now} instead of {agreed}; nothing was committed");
            return Err(refused(RefusalKind::PlanGone, "price", &text));
        }
    }
    at.commit.fill(values, &session.profile.zone).map_err(|gap| not_bought(gap.error()))
}

fn price_of(values: &Values) -> Option<Money> {
    let currency = Currency::parse(values.get("plan.currency")?).ok()?;
    Money::from_decimal(values.get("plan.price")?, currency).ok()
}

fn refusal(session: &Session, kind: RefusalKind, reply: &Reply) -> BuyAnswer {
    let (code, text) = session.profile.answers.told(reply.doc());
    let status = format!("HTTP {}", reply.answer.status);
    refused(kind, code.as_deref().unwrap_or(&status), text.as_deref().unwrap_or(&status))
}

/// What the answer to an order means. Only a rule that is marked certain refuses; only what is proved is taken.
fn judged(session: &Session, at: &BuyAt, reply: &Reply, values: &Values) -> BuyAnswer {
    let rule = session.rule("buy", reply);
    if let Some(rule) = rule {
        match rule.class {
            Class::Refusal(kind) if rule.certain => return refusal(session, kind, reply),
            Class::Later if rule.certain => return refusal(session, RefusalKind::Passing, reply),
            Class::AlreadyUsed => return doubtful(Doubt::AlreadyUsed, told(session, reply)),
            Class::Pending => return pending(session, at, reply),
            Class::Refusal(_) | Class::Later | Class::Unknown => {}
        }
    }
    let success = &at.success;
    let fits = |list: &[std::ops::RangeInclusive<u16>]| list.iter().any(|range| range.contains(&reply.answer.status));
    let is_success = if success.status.is_empty() { reply.answer.is_success() } else { fits(&success.status) };
    let is_pending = fits(&success.pending_status);
    if !is_success && !is_pending {
        return reply.answer.in_doubt();
    }
    let Some(doc) = reply.doc() else {
        let why = reply.document.as_ref().err().cloned().unwrap_or_default();
        return doubtful(Doubt::Unreadable, why);
    };
    if rule.is_some() {
        return doubtful(Doubt::UnlistedCode, told(session, reply));
    }
    if let Some(why) = session.not_ok(reply) {
        return doubtful(Doubt::UnlistedCode, why);
    }
    if let Verdict::Fails(why) | Verdict::Lacks(why) = all(&success.when, doc, session.known(values)) {
        return unproven(format!("it was answered, but {why}"));
    }
    taken(session, success, doc, (reply, values, is_pending)).unwrap_or_else(unproven)
}

fn told(session: &Session, reply: &Reply) -> String {
    let (code, text) = session.profile.answers.told(reply.doc());
    let parts = [Some(format!("HTTP {}", reply.answer.status)), code, text];
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

fn taken(
    session: &Session,
    at: &Success,
    doc: Doc<'_>,
    (reply, values, is_pending): (&Reply, &Values, bool),
) -> Result<BuyAnswer, String> {
    let order = &at.order;
    let order_id = order.order_id.as_ref().map(|id| id.text(doc)).transpose()?.flatten();
    if order.order_id.is_some() && order_id.is_none() {
        return Err("it has no id".into());
    }
    let order_id = order_id.or_else(|| values.get("order_id").cloned()).map(|id| tamed(&id, 120));
    let charged = order.charged.as_ref().map(|charged| charged.money(doc)).transpose()?.flatten();
    if let (Some(charged), Some(price)) = (charged, price_of(values))
        && charged.currency() != price.currency()
    {
        return Err(format!("it was charged in {} instead of {}", charged.currency(), price.currency()));
    }
    let state = match order.state.as_ref().map(|state| state.meaning(doc)).transpose()?.flatten() {
        Some(Ok(state)) => state,
        Some(Err(word)) => {
            return Ok(doubtful(Doubt::UnlistedCode, format!("its state is `{word}`, which is not listed")));
        }
        None if order.state.is_some() => return Err("it does not tell its state".into()),
        None => OrderState::Accepted,
    };
    Ok(match (state, order_id) {
        (OrderState::Pending, None) => unproven("it is pending, but has no id to ask for it"),
        (OrderState::Accepted, None) if is_pending => unproven("it is pending, but has no id to ask for it"),
        (OrderState::Pending, Some(order_id)) => BuyAnswer::Pending { order_id },
        (OrderState::Accepted, Some(order_id)) if is_pending => BuyAnswer::Pending { order_id },
        (OrderState::Accepted, order_id) => BuyAnswer::Accepted { order_id, charged },
        (OrderState::Refused | OrderState::Reversed, _) => refusal(session, RefusalKind::Other, reply),
    })
}

fn pending(session: &Session, at: &BuyAt, reply: &Reply) -> BuyAnswer {
    let id = at.success.order.order_id.as_ref().zip(reply.doc()).and_then(|(id, doc)| id.text(doc).ok().flatten());
    match id {
        Some(order_id) => BuyAnswer::Pending { order_id: tamed(&order_id, 120) },
        None => doubtful(Doubt::UnlistedCode, told(session, reply)),
    }
}

/// What an answer to a prepared order means, without a network.
#[cfg(test)]
pub(super) fn judge_for_test(session: &Session, order: &PreparedOrder, status: u16, body: &str) -> BuyAnswer {
    let stored: Stored = serde_json::from_slice(&order.body).unwrap();
    let answer = crate::operators::http::HttpAnswer::for_test(status, body);
    judged(session, session.profile.buy.as_ref().unwrap(), &Reply::of(answer), &stored.values)
}
