//! What is on sale for a card, what a plan costs at this moment, the wallet, and the account's cards.

use std::collections::BTreeMap;

use super::calls::{CatalogueAt, List, OfferAt, PreflightAt, Range, steps};
use super::field::{Amount, At};
use super::lists::{all_pages, one_page};
use super::path::Doc;
use super::reading::chosen;
use super::session::{Reply, Session};
use super::template::Values;
use super::values::{add_plan, values_of_card};
use super::when::{Known, Verdict, all};
use crate::domain::card::{Card, tamed};
use crate::domain::identity::{Iccid, Msisdn};
use crate::domain::money::Money;
use crate::domain::operator::{CardPage, ListedCard, OperatorError, Preflight, Wallet};
use crate::domain::plan::{Contents, Plan};
use crate::domain::time::UnixTime;
use crate::operators::kit::unknown;

/// The plans for a card, and the operator's clock.
pub(super) async fn plans(
    session: &Session,
    at: &CatalogueAt,
    card: &Card,
    now: Option<UnixTime>,
) -> Result<(Vec<Plan>, Option<UnixTime>), OperatorError> {
    let mut plans = at.fixed.clone();
    let mut values = values_of_card(card);
    values.extend(now.map(|now| ("now".to_owned(), now.secs().to_string())));
    let Some(request) = &at.request else {
        // Only a preflight needs the clock.
        let time = if now.is_none() { clock(session, &values).await } else { None };
        return Ok((plans, time));
    };
    let rows = at.list.as_ref().map(|list| &list.rows);
    let may_lack = at.list.as_ref().is_some_and(|list| list.may_lack);
    let pages = all_pages(session, (request, at.paging.as_ref(), rows), &values, may_lack, |_| false).await?;
    let Some(pages) = pages else { return Ok((plans, None)) };
    let mut odd = None;
    for document in &pages.documents {
        let doc = Doc::of(document);
        let found = of_list(at, doc, session.known(&values), &mut odd)?;
        plans.extend(found);
        if let Some(range) = &at.range {
            plans.extend(of_range(range, doc).map_err(unknown)?);
        }
    }
    match odd {
        Some(why) if plans.is_empty() => Err(unknown(why)),
        Some(_) | None => {
            let mut known = std::collections::BTreeSet::new();
            plans.retain(|plan| known.insert(plan.id.clone()));
            Ok((plans, pages.date))
        }
    }
}

/// The operator's clock, by which an order is held back where ours is wrong. Plans that stand in the profile ask nothing,
/// so that the card or the wallet is asked after.
async fn clock(session: &Session, values: &Values) -> Option<UnixTime> {
    let profile = &session.profile;
    let of_card = profile.read.first().map(|step| &step.request);
    let request = of_card.or(profile.wallet.as_ref().map(|wallet| &wallet.request))?;
    session.reply(request, values).await.ok()?.answer.date
}

fn of_list(
    at: &CatalogueAt,
    doc: Doc<'_>,
    known: Known<'_>,
    odd: &mut Option<String>,
) -> Result<Vec<Plan>, OperatorError> {
    let Some(list) = &at.list else { return Ok(Vec::new()) };
    let mut plans = Vec::new();
    for row in chosen(list, doc, known)? {
        match plan(&at.offer, doc.row(row), known, None) {
            Ok(plan) => plans.push(plan),
            Err(why) => {
                let why = tamed(&why, 200);
                tracing::warn!(why, "one of the operator's plans makes no sense and is left out");
                *odd = Some(why);
            }
        }
    }
    Ok(plans)
}

/// One plan; what is not described is taken from `before`.
fn plan(at: &OfferAt, doc: Doc<'_>, known: Known<'_>, before: Option<&Plan>) -> Result<Plan, String> {
    let id = match joined(&at.id, doc)? {
        Some(id) => id,
        None => before.filter(|_| at.id.is_empty()).map(|plan| plan.id.clone()).ok_or("it has no id")?,
    };
    let price = match at.price.as_ref().map(|price| price.money(doc)).transpose()?.flatten() {
        Some(price) => price,
        None => return Err(format!("`{}` has no price", tamed(&id, 80))),
    };
    if price.ten_thousandths() < 0 {
        return Err(format!("`{}` costs less than nothing", tamed(&id, 80)));
    }
    let name = at.name.as_ref().map(|name| name.text(doc)).transpose()?.flatten();
    let name = name.map(|name| tamed(&name, 120)).or_else(|| before.map(|plan| plan.name.clone()));
    let validity = at.validity.as_ref().map(|validity| validity.secs(doc)).transpose()?.flatten();
    let validity_secs = validity.or_else(|| before.filter(|_| at.validity.is_none())?.validity_secs);
    let contents = contents(at, doc, known, before)?;
    Ok(Plan { name: name.unwrap_or_else(|| tamed(&id, 120)), id, contents, validity_secs, price })
}

fn contents(at: &OfferAt, doc: Doc<'_>, known: Known<'_>, before: Option<&Plan>) -> Result<Contents, String> {
    let old = before.map(|plan| plan.contents.clone()).unwrap_or_default();
    let unlimited_data = if at.unlimited_data.is_empty() {
        old.unlimited_data
    } else {
        all(&at.unlimited_data, doc, known) == Verdict::Holds
    };
    let counted = |amount: &Option<Amount>, old: Option<u64>| match amount {
        None => Ok(old),
        Some(amount) => match amount.whole(doc)? {
            None => Ok(None),
            Some(whole) => u64::try_from(whole).map(Some).map_err(|_| "it holds less than nothing".to_owned()),
        },
    };
    // Of an unlimited plan the amount carries no meaning.
    let data_bytes = if unlimited_data { None } else { counted(&at.data, old.data_bytes)? };
    Ok(Contents {
        data_bytes,
        unlimited_data,
        voice_secs: counted(&at.voice, old.voice_secs)?,
        sms: counted(&at.sms, old.sms)?,
        credit: match &at.credit {
            Some(credit) => credit.money(doc)?,
            None => old.credit,
        },
    })
}

/// The parts of an id, joined by colons; none if one is missing.
fn joined(parts: &[At], doc: Doc<'_>) -> Result<Option<String>, String> {
    let mut texts = Vec::with_capacity(parts.len());
    for part in parts {
        match part.text(doc)? {
            Some(text) => texts.push(text),
            None => return Ok(None),
        }
    }
    Ok((!texts.is_empty()).then(|| texts.join(":")))
}

fn of_range(range: &Range, doc: Doc<'_>) -> Result<Vec<Plan>, String> {
    let (Some(min), Some(max)) = (range.min.money(doc)?, range.max.money(doc)?) else { return Ok(Vec::new()) };
    if min.currency() != max.currency() {
        return Err("the range of amounts has two currencies".into());
    }
    let start = if range.id.is_empty() { None } else { Some(joined(&range.id, doc)?.ok_or("the range has no id")?) };
    let plan = |price: Money| {
        let id = start.iter().cloned().chain([price.number()]).collect::<Vec<_>>().join(":");
        Plan { name: price.to_string(), id, contents: Contents::default(), validity_secs: None, price }
    };
    Ok(steps(min, max, range.step).into_iter().map(plan).collect())
}

/// What a plan costs at this moment.
pub(super) async fn preflight(
    session: &Session,
    at: &PreflightAt,
    (card, plan_before): (&Card, &Plan),
    code: Option<&str>,
) -> Result<Preflight, OperatorError> {
    let mut values = values_of_card(card);
    add_plan(&mut values, plan_before);
    values.extend(code.map(|code| ("code".to_owned(), code.to_owned())));
    let reply = session.reply(&at.request, &values).await?;
    let gone = |reply: &Reply| {
        let fits = |one: &super::rules::Match| one.fits(reply.answer.status, reply.doc(), session.known(&values));
        at.gone.iter().any(fits)
    };
    if gone(&reply) {
        return Ok(Preflight { offer: None, operator_time: reply.answer.date });
    }
    let (document, answer) = session.judged(&at.request.label, reply)?;
    let doc = Doc::of(&document);
    let offer = offer_now(at.list.as_ref(), &at.offer, doc, session.known(&values), plan_before)?;
    Ok(Preflight { offer, operator_time: answer.date })
}

fn offer_now(
    list: Option<&List>,
    at: &OfferAt,
    doc: Doc<'_>,
    known: Known<'_>,
    before: &Plan,
) -> Result<Option<Plan>, OperatorError> {
    let rows = match list {
        Some(list) => chosen(list, doc, known)?.into_iter().map(|row| doc.row(row)).collect(),
        None => vec![doc],
    };
    let mut offers = Vec::new();
    for row in rows {
        let offer = plan(at, row, known, Some(before)).map_err(unknown)?;
        if offer.id == before.id {
            offers.push(offer);
        }
    }
    match offers.len() {
        0 | 1 => Ok(offers.pop()),
        several => Err(unknown(format!("the plan is in the answer {several} times"))),
    }
}

/// The account's money and ways to pay.
pub(super) async fn wallet(session: &Session) -> Result<Wallet, OperatorError> {
    let methods = session.profile.declared.payment_methods.clone();
    let Some(at) = &session.profile.wallet else { return Ok(Wallet { balance: None, methods }) };
    let (document, _) = session.ask(&at.request, &Values::new()).await?;
    let balance = at.balance.money(Doc::of(&document)).map_err(unknown)?;
    let missing = || unknown(format!("the answer has no balance at {}", at.balance.at.paths.shown()));
    Ok(Wallet { balance: Some(balance.ok_or_else(missing)?), methods })
}

/// A part of the account's cards; none if the profile does not describe the list.
pub(super) async fn cards(session: &Session, from: Option<&str>) -> Result<Option<CardPage>, OperatorError> {
    let Some(at) = &session.profile.discover else { return Ok(None) };
    let page = one_page(session, (&at.request, at.paging.as_ref(), &at.list.rows), from).await?;
    let (doc, values) = (Doc::of(&page.document), Values::new());
    let mut cards = Vec::new();
    for row in chosen(&at.list, doc, session.known(&values))? {
        let row = doc.row(row);
        let text = |at: &Option<At>| Ok::<_, String>(at.as_ref().map(|at| at.text(row)).transpose()?.flatten());
        let iccid = text(&at.iccid).map_err(unknown)?.and_then(|text| Iccid::parse(&text).ok());
        let msisdn = text(&at.msisdn).map_err(unknown)?.and_then(|text| {
            let text = if text.starts_with('+') { text } else { format!("+{text}") };
            Msisdn::parse(&text).ok()
        });
        let label = text(&at.label).map_err(unknown)?.map(|label| tamed(&label, 80));
        let mut fields = BTreeMap::new();
        for (name, at) in &at.fields {
            fields.extend(at.text(row).map_err(unknown)?.map(|value| (name.clone(), tamed(&value, 120))));
        }
        if iccid.is_some() || msisdn.is_some() {
            cards.push(ListedCard { iccid, msisdn, label, fields });
        }
    }
    Ok(Some(CardPage { cards, next: page.next }))
}

/// The plans of one document, without a network.
#[cfg(test)]
pub(super) fn plans_for_test(session: &Session, document: &serde_json::Value) -> Result<Vec<Plan>, OperatorError> {
    let values = Values::new();
    let at = session.profile.catalogue.as_ref().unwrap();
    of_list(at, Doc::of(document), session.known(&values), &mut None)
}
