//! `status`: each card in one line, its accounts and the queue of messages; or one card in full. What is old is never
//! shown as fresh.

mod accounts;
mod glance;

use serde_json::json;

pub(super) use self::glance::LASTS_WORDS;
use self::glance::{Glance, Urgency};
use super::Context;
use super::exit::Exit;
use super::output::{relative, table};
use super::trip;
use super::view::View;
use crate::daemon::case::Case;
use crate::daemon::wallets::Purses;
use crate::domain::assess::Verdict;
use crate::domain::card::{Card, CardId, Pause};
use crate::domain::last_safe;
use crate::domain::reading::{AllowanceKind, Reading};
use crate::domain::time::{Secs, UnixTime};
use crate::domain::words::Spoken;
use crate::store::notices::{self, Gauges};
use crate::store::{Connection, Store, StoreError, cards, silences};

/// Cards are read from the record in groups of this size, so that a million of them need little memory.
const PAGE: usize = 1_000;

/// Shows all cards, or one in full.
pub(super) fn status(context: &Context, card: Option<&str>) -> anyhow::Result<Exit> {
    let view = match Store::open_read_only(&context.places.state) {
        Err(StoreError::NoDatabase { .. }) if card.is_none() => return nothing_yet(context),
        Err(error) => return Err(error.into()),
        Ok(store) => View::with(context, store)?,
    };
    match card {
        Some(name) => one(context, &view, name),
        None => all(context, &view),
    }
}

/// There is no record: the daemon has never run here.
fn nothing_yet(context: &Context) -> anyhow::Result<Exit> {
    let config = super::view::files(context)?;
    let named = config.rules.cards.len();
    if context.output.json {
        context.output.document(json!({ "cards": [], "accounts": [], "notices": null }))?;
    } else {
        context.output.say(&format!(
            "nothing has been read yet; {named} card{} named in rules.toml. Next: simkeeper run",
            if named == 1 { " is" } else { "s are" }
        ))?;
    }
    Ok(Exit::Done)
}

fn one(context: &Context, view: &View, name: &str) -> anyhow::Result<Exit> {
    let card = view.card(name)?;
    let (case, uses, lasts, silence) = view.store.read_blocking(|conn| {
        let case = view.case(conn, card)?;
        let (uses, lasts) = (case.uses(conn, view.now)?, lasts(view, conn, &case)?);
        let silence = silences::of_card(conn, case.card.id, view.now)?;
        Ok((case, uses, lasts, silence))
    })?;
    let rule = view.rule(&case.card);
    let last_safe = rule.zip(case.reading(rule, view.now)).and_then(|(rule, reading)| {
        last_safe::last_safe(&case.card, rule, &reading, &uses, view.lead(&case), view.now)
    });
    let glance = Glance::of(view, case, last_safe, lasts).under(silence);
    if context.output.json {
        let trip = rule.and_then(|rule| trip::document(&glance.case, rule, &uses));
        context.output.document(json!({ "card": glance.document(view), "trip": trip }))?;
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> =
        glance.in_full(view).into_iter().map(|(what, value)| vec![what.to_owned(), value]).collect();
    context.output.say(&table(&["CARD", name], rows))?;
    for line in rule.iter().flat_map(|rule| trip::lines(&glance.case, rule, &uses, view.now)) {
        context.output.say(&line)?;
    }
    context.output.hint(&format!("\n`simkeeper explain {name}` shows why, `simkeeper history {name}` what was"))?;
    Ok(Exit::Done)
}

fn all(context: &Context, view: &View) -> anyhow::Result<Exit> {
    let output = context.output;
    let gauges = view.store.read_blocking(notices::gauges)?;
    let (mut rows, mut documents, mut old, mut failing) = (Vec::new(), Vec::new(), 0_usize, 0_usize);
    let (mut after, mut purses) = (CardId(0), view.purses());
    loop {
        let page = view.store.read_blocking(|conn| glances(view, conn, after, &mut purses))?;
        let Some(last) = page.last() else { break };
        after = last.case.card.id;
        let failed = |glance: &&Glance| glance.case.poll.failures > 0;
        failing += page.iter().filter(|glance| glance.old).filter(failed).count();
        old += page.iter().filter(|glance| glance.old && !failed(glance)).count();
        if output.json {
            documents.extend(page.iter().map(|glance| (glance.urgency(), glance.document(view))));
        } else {
            rows.extend(page.iter().map(|glance| (glance.urgency(), glance.row(output, view))));
        }
    }
    let lasting = purses.lasting(view.now);
    if output.json {
        output.document(json!({
            "now": view.now, "cards": in_turn(documents), "accounts": accounts::documents(view, &lasting),
            "notices": { "queued": gauges.depth, "oldest": gauges.oldest, "dead": gauges.dead },
        }))?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        output.say(
            "there is no card yet. Next: name one in rules.toml, or `simkeeper card add`; then `simkeeper check`",
        )?;
    } else {
        let headings = ["CARD", "STATE", "LEFT", "ENDS", "LAST SAFE", "READ", "NEXT READ", "NEXT", "LAST"];
        output.say(&table(&headings, in_turn(rows)))?;
    }
    output.say("")?;
    for line in accounts::lines(view, &lasting) {
        output.say(&line)?;
    }
    output.say(&queue_line(&gauges, view.now))?;
    if failing > 0 {
        output.warn(&format!(
            "{failing} card{} could not be read; `simkeeper operator test ACCOUNT --card CARD` shows why",
            if failing == 1 { "" } else { "s" }
        ))?;
    }
    if old > 0 {
        output.warn(&format!(
            "{old} card{} not been read in time; what is shown with `was` is old. Is the daemon running?",
            if old == 1 { " has" } else { "s have" }
        ))?;
    }
    Ok(Exit::Done)
}

fn glances(view: &View, conn: &Connection, after: CardId, purses: &mut Purses) -> Result<Vec<Glance>, StoreError> {
    let page = cards::page(conn, after, PAGE)?.into_iter();
    page.map(|card| {
        let case = view.case(conn, card)?;
        let rule = view.rule(&case.card);
        purses.add(conn, &case, rule, view.now)?;
        let last_safe = match rule {
            Some(rule) => case.last_safe(conn, rule, view.lead(&case), view.now)?,
            None => None,
        };
        let lasts = lasts(view, conn, &case)?;
        let silence = silences::of_card(conn, case.card.id, view.now)?;
        Ok(Glance::of(view, case, last_safe, lasts).under(silence))
    })
    .collect()
}

/// The most urgent first.
fn in_turn<T>(mut found: Vec<(Urgency, T)>) -> Vec<T> {
    found.sort_by_key(|(urgency, _)| *urgency);
    found.into_iter().map(|(_, one)| one).collect()
}

/// Whether nothing is bought for a card that is due, since what is left lasts.
fn lasts(view: &View, conn: &Connection, case: &Case) -> Result<bool, StoreError> {
    let is_due = matches!(view.assess(case).verdict, Verdict::Renew | Verdict::Ask);
    match view.rule(&case.card).filter(|_| is_due) {
        Some(rule) => case.lasts(conn, rule, view.now),
        None => Ok(false),
    }
}

/// What is left in a few words: data, else credit, else calls and texts.
pub(super) fn left(reading: &Reading) -> String {
    let mut parts = Vec::new();
    if reading.left(AllowanceKind::Data).unlimited {
        parts.push("unlimited data".to_owned());
    }
    parts.extend(reading.data_left().map(|data| data.to_string()));
    let voice = reading.left(AllowanceKind::Voice);
    if voice.known && !voice.unlimited {
        parts.push(format!("{} calls", Spoken(Secs(voice.remaining))));
    }
    let texts = reading.left(AllowanceKind::Sms);
    if texts.known && !texts.unlimited {
        parts.push(format!("{} texts", texts.remaining));
    }
    parts.extend(reading.credit().map(|credit| credit.to_string()));
    if parts.is_empty() { reading.state.to_string() } else { parts.join(", ") }
}

/// A pause in words.
pub(super) fn pause_words(pause: &Pause) -> String {
    let until = pause.until.map_or_else(|| "until it is resumed".to_owned(), |until| format!("until {until}"));
    format!("{until}, by {} on {}", pause.by, pause.since)
}

fn queue_line(gauges: &Gauges, now: UnixTime) -> String {
    let oldest = gauges.oldest.map_or_else(String::new, |at| format!(", the oldest made {}", relative(at, now)));
    let dead = match gauges.dead {
        0 => String::new(),
        dead => format!(", {dead} given up: simkeeper notice list"),
    };
    format!("messages: {} waiting{oldest}{dead}", gauges.depth)
}

/// The facts of a card that other commands show in their heading.
pub(super) fn heading(card: &Card) -> String {
    let number = card.msisdn.as_ref().map(super::cards::phone).or_else(|| card.iccid.as_ref().map(ToString::to_string));
    format!("{} at {}{}", card.name, card.account, number.map_or_else(String::new, |number| format!(", {number}")))
}
