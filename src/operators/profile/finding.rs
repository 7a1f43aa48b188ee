//! Looking for an order that was sent: by its id, by our key, or in a list. What is broken never means "not there".

use std::collections::BTreeSet;

use serde_json::Value;

use super::calls::{FindAt, OrderState};
use super::lists::all_pages;
use super::path::Doc;
use super::rules::Class;
use super::session::{Reply, Session};
use super::template::Values;
use super::values::values_of_card;
use super::when::{Verdict, all};
use crate::domain::card::{Card, tamed};
use crate::domain::operator::{Found, OperatorError, Refusal, RefusalKind, SentOrder};
use crate::domain::time::{Secs, UnixTime};
use crate::operators::kit::{never, unknown};

/// How far an operator's clock may lag behind ours: older orders are not ours.
const CLOCK_LAG: Secs = Secs::HOUR;

/// How many orders of one list are asked for one by one. A card is topped up weekly for years before it has so many.
const MAX_IDS: usize = 200;

/// Looks for an order: by its id where that is known, else as `[find]` says.
pub(super) async fn find(session: &Session, card: &Card, order: &SentOrder) -> Result<Found, OperatorError> {
    let mut values = values_of_card(card);
    values.insert("key".into(), order.key.as_str().to_owned());
    values.insert("plan.id".into(), order.plan_id.clone());
    values.insert("plan.price".into(), order.price.number());
    values.insert("plan.currency".into(), order.price.currency().code().to_owned());
    let since = order.first_sent_at.minus(CLOCK_LAG);
    values.insert("since".into(), since.secs().to_string());
    if let (Some(at), Some(id)) = (&session.profile.find_by_id, &order.order_id) {
        let mut values = values.clone();
        values.insert("order_id".into(), id.clone());
        let found = asked(session, at, &values, since).await?;
        if found != Found::Nothing || session.profile.find.is_none() {
            return Ok(found);
        }
    }
    match (&session.profile.find, &session.profile.find_by_id) {
        (Some(at), Some(each)) if at.by_id => each_by_id(session, (at, each), &values, since).await,
        (Some(at), _) => asked(session, at, &values, since).await,
        (None, _) => Err(never(RefusalKind::Other, "this profile does not describe how an order is found again")),
    }
}

async fn asked(session: &Session, at: &FindAt, values: &Values, since: UnixTime) -> Result<Found, OperatorError> {
    let nothing =
        |reply: &Reply| at.nothing.iter().any(|one| one.fits(reply.answer.status, reply.doc(), session.known(values)));
    let what = (&at.request, at.paging.as_ref(), at.rows.as_ref());
    let Some(pages) = all_pages(session, what, values, false, nothing).await? else { return Ok(Found::Nothing) };
    let mut ours: Vec<(String, Found)> = Vec::new();
    for document in &pages.documents {
        for (id, found) in of_page(session, at, document, values, since).map_err(unknown)? {
            // A list that grows while it is read shows an order on two pages.
            if ours.iter().all(|(known, _)| *known != id) {
                ours.push((id, found));
            }
        }
    }
    only(ours)
}

/// Looks at each order of a list that tells nothing but ids.
async fn each_by_id(
    session: &Session,
    (at, each): (&FindAt, &FindAt),
    values: &Values,
    since: UnixTime,
) -> Result<Found, OperatorError> {
    let nothing =
        |reply: &Reply| at.nothing.iter().any(|one| one.fits(reply.answer.status, reply.doc(), session.known(values)));
    let what = (&at.request, at.paging.as_ref(), at.rows.as_ref());
    let Some(pages) = all_pages(session, what, values, false, nothing).await? else { return Ok(Found::Nothing) };
    let mut ids = BTreeSet::new();
    for document in &pages.documents {
        ids.extend(ids_of(session, at, document, values, since).map_err(unknown)?);
    }
    if ids.len() > MAX_IDS {
        return Err(unknown(format!("the list has {} orders; at most {MAX_IDS} are asked for one by one", ids.len())));
    }
    let mut ours = Vec::new();
    for id in ids {
        let mut values = values.clone();
        values.insert("order_id".into(), id);
        let (document, _) = session.ask(&each.request, &values).await?;
        let doc = Doc::of(&document);
        if is_ours(session, each, doc, &values, since).map_err(unknown)? {
            ours.push(found(session, each, doc).map_err(unknown)?);
        }
    }
    only(ours)
}

fn ids_of(
    session: &Session,
    at: &FindAt,
    document: &Value,
    values: &Values,
    since: UnixTime,
) -> Result<Vec<String>, String> {
    let whole = Doc::of(document);
    let (Some(rows), Some(at_id)) = (&at.rows, &at.order.order_id) else { return Err("no list of ids".into()) };
    let mut ids = Vec::new();
    for row in rows.rows(whole)? {
        let doc = whole.row(row);
        if is_ours(session, at, doc, values, since)? {
            ids.push(at_id.text(doc)?.ok_or("an order in the list has no id")?);
        }
    }
    Ok(ids)
}

/// The one order that is ours.
fn only(mut ours: Vec<(String, Found)>) -> Result<Found, OperatorError> {
    match ours.len() {
        0 => Ok(Found::Nothing),
        1 => Ok(ours.swap_remove(0).1),
        _ => {
            let ids: Vec<&str> = ours.iter().map(|(id, _)| id.as_str()).collect();
            Err(unknown(format!("several orders fit ours: {}", ids.join(", "))))
        }
    }
}

fn of_page(
    session: &Session,
    at: &FindAt,
    document: &Value,
    values: &Values,
    since: UnixTime,
) -> Result<Vec<(String, Found)>, String> {
    let whole = Doc::of(document);
    let Some(rows) = &at.rows else {
        return match all(&at.when, whole, session.known(values)) {
            Verdict::Holds => Ok(vec![found(session, at, whole)?]),
            Verdict::Fails(why) | Verdict::Lacks(why) => Err(format!("the order that was found is not ours: {why}")),
        };
    };
    let mut ours = Vec::new();
    for row in rows.rows(whole)? {
        let doc = whole.row(row);
        if is_ours(session, at, doc, values, since)? {
            ours.push(found(session, at, doc)?);
        }
    }
    Ok(ours)
}

/// Whether a row is our order. One that lacks what it is known by might be, so that nothing can be concluded.
fn is_ours(session: &Session, at: &FindAt, doc: Doc<'_>, values: &Values, since: UnixTime) -> Result<bool, String> {
    let known = session.known(values);
    let verdicts: Vec<Verdict> = at.when.iter().map(|condition| condition.judge(doc, known)).collect();
    if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Fails(_))) {
        return Ok(false);
    }
    if let Some(time) = &at.time {
        let made = time.instant(doc)?.ok_or("an order in the list does not tell when it was made")?;
        if made < since {
            return Ok(false);
        }
    }
    match verdicts.into_iter().find(|verdict| matches!(verdict, Verdict::Lacks(_))) {
        Some(Verdict::Lacks(why)) => Err(format!("an order in the list cannot be told from ours: {why}")),
        _ => Ok(true),
    }
}

/// What an order that was found says about ours.
fn found(session: &Session, at: &FindAt, doc: Doc<'_>) -> Result<(String, Found), String> {
    let order = &at.order;
    let id = order.order_id.as_ref().map(|id| id.text(doc)).transpose()?.flatten();
    let order_id = tamed(&id.ok_or("the order has no id")?, 120);
    let charged = order.charged.as_ref().map(|charged| charged.money(doc)).transpose()?.flatten();
    let state = match order.state.as_ref().map(|state| state.meaning(doc)).transpose()?.flatten() {
        Some(Ok(state)) => state,
        Some(Err(word)) => return Err(format!("the profile does not say what the state `{}` means", tamed(&word, 40))),
        None if order.state.is_some() => return Err("the order does not tell its state".into()),
        None => OrderState::Accepted,
    };
    let why = order.why.as_ref().and_then(|why| why.texts(doc).into_iter().next());
    let why = tamed(why.as_deref().unwrap_or("the operator says that the order failed"), 200);
    let id = order_id.clone();
    let found = match state {
        OrderState::Accepted => Found::Accepted { order_id, charged },
        OrderState::Pending => Found::Pending { order_id },
        OrderState::Reversed => Found::Reversed { order_id, why },
        OrderState::Refused => {
            let (kind, code) = kind_of(session, doc);
            Found::Refused(Refusal { kind, code, text: why })
        }
    };
    Ok((id, found))
}

/// The kind of a refusal, by the rules that look into the body.
fn kind_of(session: &Session, doc: Doc<'_>) -> (RefusalKind, String) {
    let none = Values::new();
    let known = session.known(&none);
    let rule = session.profile.rules.iter().find(|rule| rule.fits("buy", 200, Some(doc), known));
    let kind = match rule.map(|rule| rule.class) {
        Some(Class::Refusal(kind)) => kind,
        _ => RefusalKind::Other,
    };
    let (code, _) = session.profile.answers.told(Some(doc));
    (kind, tamed(code.as_deref().unwrap_or("failed"), 80))
}

/// What one document says about an order, without a network.
#[cfg(test)]
pub(super) fn found_for_test(session: &Session, document: &Value) -> Result<Vec<(String, Found)>, String> {
    let at = session.profile.find.as_ref().unwrap();
    of_page(session, at, document, &Values::new(), UnixTime::MIN)
}
