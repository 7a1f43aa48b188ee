//! A card's reading from one answer or several.

use serde_json::Value;

use super::calls::{AllowanceAt, Amounts, CardParts, List, ReadStep};
use super::fields::Kind;
use super::lists::all_pages;
use super::path::{Doc, scalar};
use super::session::Session;
use super::template::Values;
use super::values::values_of_card;
use super::when::{Known, Verdict, all};
use crate::domain::card::{Card, tamed};
use crate::domain::operator::{OperatorError, RefusalKind};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use crate::domain::time::UnixTime;
use crate::operators::kit::{IccidMap, Listing, never, unknown};

/// Reads cards: many from the list where there is one, single ones by themselves.
pub(super) async fn read(
    session: &Session,
    listing: &Listing<Value>,
    cards: &[Card],
    now: UnixTime,
) -> Vec<Result<Reading, OperatorError>> {
    let list = match &session.profile.read_many {
        Some(_) => {
            // Where cards cannot be read singly, the list serves one card, too.
            let wanted = if session.profile.read.is_empty() { cards.len().max(usize::MAX / 2) } else { cards.len() };
            listing.for_many(wanted, now, listed(session)).await
        }
        None => Ok(None),
    };
    let list = match list {
        Ok(list) => list,
        Err(error) => return cards.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut readings = Vec::with_capacity(cards.len());
    for card in cards {
        let iccid = card.iccid.as_ref().map(|iccid| iccid.digits());
        let row = list.as_ref().zip(iccid).and_then(|(list, iccid)| Some((list, list.rows.get(iccid)?)));
        readings.push(match (row, &session.profile.read_many) {
            (Some((list, row)), Some(many)) => of_row(session, &many.parts, (card, row), list.asked_at, now),
            _ if session.profile.read.is_empty() && session.profile.read_many.is_some() => Err(not_there(iccid)),
            _ => single(session, card, now).await,
        });
    }
    readings
}

fn not_there(iccid: Option<&str>) -> OperatorError {
    let why = match iccid {
        Some(_) => "the operator's list of cards does not hold this ICCID",
        None => "this operator knows its cards by `iccid`; add `iccid` to the card",
    };
    never(RefusalKind::CardData, why)
}

async fn listed(session: &Session) -> Result<(IccidMap<Value>, usize), OperatorError> {
    let Some(many) = &session.profile.read_many else { return Ok((IccidMap::default(), 0)) };
    let what = (&many.request, many.paging.as_ref(), Some(&many.list.rows));
    let values = Values::new();
    let pages = all_pages(session, what, &values, many.list.may_lack, |_| false).await?;
    let documents = pages.map(|pages| pages.documents).unwrap_or_default();
    let mut rows = IccidMap::default();
    for document in &documents {
        for row in chosen(&many.list, Doc::of(document), session.known(&values))? {
            match many.iccid.text(Doc::of(document).row(row)) {
                Ok(Some(iccid)) => rows.insert(iccid, row.clone()),
                Ok(None) => tracing::debug!("a row of the operator's list of cards has no ICCID"),
                Err(why) => return Err(unknown(why)),
            }
        }
    }
    Ok((rows, documents.len()))
}

fn of_row(
    session: &Session,
    parts: &CardParts,
    (card, row): (&Card, &Value),
    asked_at: UnixTime,
    now: UnixTime,
) -> Result<Reading, OperatorError> {
    let mut reading = Reading::empty(now, CardState::Unknown);
    reading.as_of = asked_at.min(now);
    take(parts, Doc::of(row), session.known(&values_of_card(card)), &mut reading).map_err(unknown)?;
    Ok(reading)
}

async fn single(session: &Session, card: &Card, now: UnixTime) -> Result<Reading, OperatorError> {
    let mut reading = Reading::empty(now, CardState::Unknown);
    let mut values = values_of_card(card);
    values.insert("now".into(), now.secs().to_string());
    for step in &session.profile.read {
        let names = step.request.names();
        let lacks = |name: &&str| name.starts_with("capture.") && !values.contains_key(*name);
        if step.optional && names.iter().any(lacks) {
            continue;
        }
        let (document, _) = session.ask(&step.request, &values).await?;
        take_step(session, step, &document, &mut values, &mut reading)?;
    }
    Ok(reading)
}

fn take_step(
    session: &Session,
    step: &ReadStep,
    document: &Value,
    values: &mut Values,
    reading: &mut Reading,
) -> Result<(), OperatorError> {
    let whole = Doc::of(document);
    let doc = match &step.list {
        None => whole,
        Some(list) => match chosen(list, whole, session.known(values))?.as_slice() {
            [] => return Err(never(RefusalKind::CardData, "the operator does not know this card in this account")),
            [row] => whole.row(row),
            several => {
                let why = format!("{} rows of the answer fit this card; `when` must choose one", several.len());
                return Err(unknown(why));
            }
        },
    };
    if let Verdict::Fails(why) | Verdict::Lacks(why) = all(&step.must, doc, session.known(values)) {
        return Err(unknown(format!("the answer is not about this card: {why}")));
    }
    take(&step.parts, doc, session.known(values), reading).map_err(unknown)?;
    for (name, at) in &step.capture {
        let told = at.text(doc).map_err(unknown)?;
        values.extend(told.map(|told| (format!("capture.{name}"), told)));
    }
    Ok(())
}

/// The rows of a list that count.
///
/// # Errors
/// There is no list, or none of its rows counts and one lacks what it is chosen by.
pub(super) fn chosen<'v>(list: &List, doc: Doc<'v>, known: Known<'_>) -> Result<Vec<&'v Value>, OperatorError> {
    let (rows, lacking) = sifted(list, doc, known).map_err(unknown)?;
    match lacking {
        Some(why) if rows.is_empty() => Err(unknown(format!("no row of the answer fits: {why}"))),
        Some(_) | None => Ok(rows),
    }
}

/// The rows that count, and why one may have been left out wrongly.
fn sifted<'v>(list: &List, doc: Doc<'v>, known: Known<'_>) -> Result<(Vec<&'v Value>, Option<String>), String> {
    let all_rows = match list.rows.rows(doc) {
        Ok(rows) => rows,
        Err(_) if list.may_lack => Vec::new(),
        Err(why) => return Err(why),
    };
    let (mut rows, mut lacking) = (Vec::new(), None);
    for row in all_rows {
        match all(&list.when, doc.row(row), known) {
            Verdict::Holds => rows.push(row),
            Verdict::Fails(_) => {}
            Verdict::Lacks(why) => lacking = Some(why),
        }
    }
    Ok((rows, lacking))
}

/// Takes from an answer what it says about the card; what it does not say stays as it was.
fn take(parts: &CardParts, doc: Doc<'_>, known: Known<'_>, reading: &mut Reading) -> Result<(), String> {
    if let Some(told) = parts.state.as_ref().map(|state| state.meaning(doc)).transpose()?.flatten() {
        // A word that is not listed is a state for which we have no word.
        reading.state = told.unwrap_or(CardState::Unknown);
    }
    if let Some(told) = parts.renewable.as_ref().map(|told| told.meaning(doc)).transpose()?.flatten() {
        reading.renewable = told.unwrap_or(Renewable::Unknown);
    }
    if let Some(at) = parts.as_of.as_ref().map(|at| at.instant(doc)).transpose()?.flatten() {
        reading.as_of = at.min(reading.as_of);
    }
    for (place, at) in [
        (&mut reading.plan_ends, &parts.plan_ends),
        (&mut reading.credit_ends, &parts.credit_ends),
        (&mut reading.number_ends, &parts.number_ends),
    ] {
        let told = at.as_ref().map(|at| at.end(doc)).transpose()?.flatten();
        *place = told.or(*place);
    }
    let plan = parts.plan.as_ref().map(|at| at.text(doc)).transpose()?.flatten();
    reading.plan = plan.map(|plan| tamed(&plan, 120)).or_else(|| reading.plan.take());
    for asset in parts.assets.iter().flat_map(|assets| assets.hits(doc)).filter_map(scalar) {
        let asset = tamed(&asset, 120);
        if !reading.assets.contains(&asset) {
            reading.assets.push(asset);
        }
    }
    for at in &parts.allowances {
        allowances(at, doc, known, reading)?;
    }
    Ok(())
}

fn allowances(at: &AllowanceAt, doc: Doc<'_>, known: Known<'_>, reading: &mut Reading) -> Result<(), String> {
    let now = reading.read_at;
    let (docs, lacking) = match &at.list {
        None => (vec![doc], None),
        Some(list) => {
            let (rows, lacking) = sifted(list, doc, known)?;
            (rows.into_iter().map(|row| doc.row(row)).collect(), lacking)
        }
    };
    let (mut found, mut ends) = (Vec::with_capacity(docs.len()), Vec::with_capacity(docs.len()));
    for row in docs {
        let told = allowance(at, row, known, now)?;
        let end = at.ends.as_ref().map(|at| at.end(row)).transpose()?.flatten();
        let is_over = end.is_some_and(|end| end.at <= now);
        // What is over holds nothing, whether or not it tells how much it held.
        if told.is_some() || !is_over {
            found.push(told);
        }
        ends.push(end);
    }
    // A sum of which one part is not known is not known; nor is the last of several ends.
    let is_whole = lacking.is_none();
    if is_whole && found.iter().all(Option::is_some) {
        reading.allowances.extend(found.into_iter().flatten());
    }
    if at.ends_plan && is_whole && ends.iter().all(Option::is_some) {
        reading.plan_ends = ends.into_iter().flatten().max_by_key(|end| end.at).or(reading.plan_ends);
    }
    Ok(())
}

/// One allowance; none if the answer does not say what is left of it.
fn allowance(at: &AllowanceAt, doc: Doc<'_>, known: Known<'_>, now: UnixTime) -> Result<Option<Allowance>, String> {
    let unlimited = !at.unlimited.is_empty() && all(&at.unlimited, doc, known) == Verdict::Holds;
    let Some((kind, remaining, total)) = amounts(&at.amounts, doc, unlimited)? else { return Ok(None) };
    let starts = at.starts.as_ref().map(|at| at.instant(doc)).transpose()?.flatten();
    let ends = at.ends.as_ref().map(|at| at.end(doc)).transpose()?.flatten();
    let told = at.state.as_ref().map(|state| state.meaning(doc)).transpose()?.flatten();
    let state = match told {
        Some(Ok(state)) => state,
        // Whether such an allowance may be counted on is not for us to guess.
        Some(Err(word)) => {
            return Err(format!("the profile does not say what `{}` means for an allowance", tamed(&word, 40)));
        }
        None if ends.is_some_and(|end| end.at <= now) => AllowanceState::Expired,
        None if starts.is_some_and(|starts| starts > now) => AllowanceState::Queued,
        None if remaining <= 0 && !unlimited => AllowanceState::Finished,
        None => AllowanceState::Active,
    };
    Ok(Some(Allowance { kind, remaining, total, unlimited, state, starts, ends }))
}

fn amounts(
    amounts: &Amounts,
    doc: Doc<'_>,
    unlimited: bool,
) -> Result<Option<(AllowanceKind, i64, Option<i64>)>, String> {
    match amounts {
        Amounts::Counted { kind, remaining, used, total } => {
            let kind = match kind {
                Kind::Data => AllowanceKind::Data,
                Kind::Voice => AllowanceKind::Voice,
                Kind::Sms => AllowanceKind::Sms,
            };
            if unlimited {
                return Ok(Some((kind, 0, None)));
            }
            let read = |at: &Option<super::field::Amount>| {
                Ok::<_, String>(at.as_ref().map(|at| at.whole(doc)).transpose()?.flatten())
            };
            let (remaining, used, total) = (read(remaining)?, read(used)?, read(total)?);
            // A little more than everything may have been used; nothing is left then.
            let difference = used.zip(total).map(|(used, total)| total.saturating_sub(used).max(0));
            Ok(remaining.or(difference).map(|remaining| (kind, remaining, total)))
        }
        Amounts::Credit { remaining, total } => {
            let total = total.as_ref().map(|total| total.money(doc)).transpose()?.flatten();
            let Some(left) = remaining.money(doc)? else { return Ok(None) };
            let total = total.filter(|total| total.currency() == left.currency()).map(|total| total.ten_thousandths());
            Ok(Some((AllowanceKind::Credit(left.currency()), left.ten_thousandths(), total)))
        }
    }
}

/// The reading of a card from one document, without a network.
#[cfg(test)]
pub(super) fn reading_for_test(
    session: &Session,
    card: &Card,
    document: &Value,
    now: UnixTime,
) -> Result<Reading, OperatorError> {
    let mut reading = Reading::empty(now, CardState::Unknown);
    let mut values = values_of_card(card);
    take_step(session, &session.profile.read[0], document, &mut values, &mut reading)?;
    Ok(reading)
}
