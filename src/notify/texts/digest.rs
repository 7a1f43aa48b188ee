//! `digest`: all cards of one person at a glance. What needs them comes first, each with what to type.

use super::voice::{Voice, cut};
use super::{Letter, Need, Section, SectionLine, last_safe, quoted};
use crate::domain::card::Name;
use crate::domain::digest::{Comes, Digest, Ending, Expected, Part, Purchase, SharedUse, Trouble, Troubled};
use crate::domain::shared_limits::Spent;

/// As much of a name as a line shows.
const NAME_ROOM: usize = 40;
/// As much of a plan's name as a line shows.
const PLAN_ROOM: usize = 48;
/// A text says what ends next where names have so much room.
const ENDS_FROM: usize = 10;
/// As [`ENDS_FROM`], for what was spent.
const SPENT_FROM: usize = 6;
/// More currencies than these are told as such.
const CURRENCIES_MOST: usize = 3;

pub(super) fn letter(voice: &Voice, digest: &Digest) -> Letter {
    let (state, since) = (state(voice, digest), voice.day_of_year(digest.since));
    let first = match digest.bought.count {
        0 => say!(voice, "digest-first", state, since),
        _ => {
            let (count, sum) = (purchases(voice, digest.bought.count), sum(voice, &digest.spent));
            say!(voice, "digest-first-bought", state, count, since, sum)
        }
    };
    let mut letter = Letter::new(need(digest), subject(voice, digest), first);
    letter.when = (digest.bought.count > 0).then(|| {
        let sum = sum(voice, &digest.spent);
        say!(voice, "digest-spent", sum)
    });
    letter.sections = [
        troubles(voice, &digest.troubles),
        ends(voice, &digest.ends),
        bought(voice, digest),
        coming(voice, digest),
        shared(voice, &digest.shared),
    ]
    .into_iter()
    .filter(|section| !section.lines.is_empty())
    .collect();
    letter.next.extend(rest(voice, digest));
    let next = voice.time(digest.next);
    letter.detail(say!(voice, "digest-next"), say!(voice, "digest-next-how", next));
    letter
}

pub(super) fn short(voice: &Voice, digest: &Digest, room: usize) -> String {
    let mut text = say!(voice, "digest-short");
    let (cards, waiting) = (cards(voice, digest.cards), digest.waiting);
    text.push_str(&match digest.troubles.rows.first().filter(|_| waiting > 0) {
        Some(worst) => {
            let worst = cut(worst.card.as_str(), room);
            say!(voice, "digest-short-needs", cards, count = waiting, worst)
        }
        None => say!(voice, "digest-short-well", cards),
    });
    // Where names have to be cut short, the problem matters more than what else there is to say.
    if let ([only], true) = (digest.spent.money.as_slice(), digest.bought.count > 0 && room >= SPENT_FROM) {
        let count = digest.bought.count;
        text.push_str(&say!(voice, "digest-short-bought", count, only));
    }
    if let Some(ending) = digest.ends.rows.first().filter(|_| room >= ENDS_FROM) {
        let (card, at) = (cut(ending.card.as_str(), room), voice.short_time(ending.ends, digest.at));
        text.push_str(&say!(voice, "digest-short-ends", card, at));
    }
    text
}

/// How the cards are, for the beginning of a sentence.
fn state(voice: &Voice, digest: &Digest) -> String {
    let (all, waiting) = (digest.cards, digest.waiting);
    match (waiting, digest.troubles.rows.first()) {
        (0, Some(first)) if first.is_watched => {
            let (cards, open) = (cards(voice, all), digest.troubles.count);
            say!(voice, "digest-state-watched", cards, count = open)
        }
        (0, Some(_)) => {
            let (cards, open) = (cards(voice, all), digest.troubles.count);
            say!(voice, "digest-state-open", cards, count = open)
        }
        (0, None) => {
            say!(voice, "digest-state-well", cards = cards(voice, all), count = all)
        }
        (_, worst) => {
            let worst = worst.map_or_else(String::new, |worst| cut(worst.card.as_str(), NAME_ROOM));
            say!(voice, "digest-state-needs", cards = cards(voice, all), count = waiting, worst)
        }
    }
}

fn subject(voice: &Voice, digest: &Digest) -> String {
    let (cards, waiting) = (cards(voice, digest.cards), digest.waiting);
    match waiting {
        0 => say!(voice, "digest-subject-well", cards),
        _ => say!(voice, "digest-subject-needs", count = waiting, cards),
    }
}

fn need(digest: &Digest) -> Need {
    let rows = &digest.troubles.rows;
    let waiting = || rows.iter().filter(|row| row.trouble.needs_person() && !row.is_watched);
    match digest.waiting {
        0 if rows.is_empty() => Need::Nothing,
        0 => Need::Wait,
        _ if waiting().all(|row| matches!(row.trouble, Trouble::Decide { .. })) => Need::Decide,
        _ => Need::Act,
    }
}

fn troubles(voice: &Voice, troubles: &Part<Troubled>) -> Section {
    let line = |one: &Troubled| {
        let (mut what, mut commands) = trouble(voice, &one.card, &one.trouble);
        if one.is_watched {
            what = say!(voice, "digest-trouble-watched-card", what);
            commands.clear();
        }
        let value = match one.ends {
            Some(ends) => say!(voice, "digest-trouble-ends", what, ends = voice.time(ends)),
            None => what,
        };
        SectionLine { label: cut(one.card.as_str(), NAME_ROOM), value, commands }
    };
    Section {
        heading: say!(voice, "digest-troubles"),
        lines: troubles.rows.iter().map(line).collect(),
        more: more(voice, troubles.more(), "status"),
    }
}

/// What is wrong, and what to type.
fn trouble(voice: &Voice, card: &Name, trouble: &Trouble) -> (String, Vec<String>) {
    let name = quoted(card.as_str());
    match trouble {
        Trouble::Settle(attempt) => (
            say!(voice, "digest-trouble-settle"),
            ["bought", "not-bought"].map(|answer| format!("simkeeper settle {} {answer}", attempt.0)).into(),
        ),
        Trouble::Decide { attempt, plan, price } => {
            let (plan, number) = (cut(plan, PLAN_ROOM), attempt.0);
            (
                say!(voice, "digest-trouble-decide", plan, price),
                vec![format!("simkeeper approve {number}"), format!("simkeeper refuse {number}")],
            )
        }
        Trouble::Blocked => (say!(voice, "digest-trouble-blocked"), vec![format!("simkeeper explain {name}")]),
        Trouble::CannotRenew => (say!(voice, "digest-trouble-dead"), Vec::new()),
        Trouble::Unread { read_at, account } => {
            let what = match read_at {
                Some(at) => say!(voice, "digest-trouble-unread", at = voice.time(*at)),
                None => say!(voice, "digest-trouble-never-read"),
            };
            (what, vec![format!("simkeeper operator test {} --card {name}", quoted(account.as_str()))])
        }
        Trouble::Watched => (say!(voice, "digest-trouble-watched"), vec![format!("simkeeper renew {name}")]),
        Trouble::Paused => (say!(voice, "digest-trouble-paused"), vec![format!("simkeeper resume {name}")]),
        Trouble::Unknown => (say!(voice, "digest-trouble-unknown"), Vec::new()),
    }
}

fn ends(voice: &Voice, ends: &Part<Ending>) -> Section {
    let line = |ending: &Ending| {
        let (what, at) = (last_safe::lost(voice, ending.loss), voice.time(ending.ends));
        let value = match ending.last_safe {
            Some(last) => say!(voice, "digest-ending-safe", what, at, last = voice.time(last)),
            None => say!(voice, "last-safe-at-stake", what, at),
        };
        SectionLine { label: cut(ending.card.as_str(), NAME_ROOM), value, commands: Vec::new() }
    };
    Section {
        heading: say!(voice, "digest-ending"),
        lines: ends.rows.iter().map(line).collect(),
        more: more(voice, ends.more(), "status"),
    }
}

fn bought(voice: &Voice, digest: &Digest) -> Section {
    let line = |purchase: &Purchase| {
        let (plan, price, day) = (cut(&purchase.plan, PLAN_ROOM), purchase.charged, voice.day_of_year(purchase.at));
        let value = match purchase.month_left {
            Some(left) => say!(voice, "digest-bought-on-limit", plan, price, day, left),
            None => say!(voice, "digest-bought-on", plan, price, day),
        };
        SectionLine { label: cut(purchase.card.as_str(), NAME_ROOM), value, commands: Vec::new() }
    };
    let since = voice.day_of_year(digest.since);
    let mut lines: Vec<SectionLine> = digest.bought.rows.iter().map(line).collect();
    lines.extend(in_all(voice, digest.bought.count, &digest.spent));
    Section { heading: say!(voice, "digest-bought", since), lines, more: more(voice, digest.bought.more(), "spend") }
}

fn coming(voice: &Voice, digest: &Digest) -> Section {
    let line = |expected: &Expected| {
        let (what, day) = (comes(voice, &expected.comes), voice.day_of_year(expected.at));
        let value = say!(voice, "digest-coming-about", day, what);
        SectionLine { label: cut(expected.card.as_str(), NAME_ROOM), value, commands: Vec::new() }
    };
    let next = voice.day_of_year(digest.next);
    let mut lines: Vec<SectionLine> = digest.coming.rows.iter().map(line).collect();
    lines.extend(in_all(voice, digest.coming.count, &digest.expected));
    Section { heading: say!(voice, "digest-coming", next), lines, more: more(voice, digest.coming.more(), "plan") }
}

fn comes(voice: &Voice, comes: &Comes) -> String {
    match comes {
        Comes::Buys { plan, price } => say!(voice, "digest-comes-bought", plan = cut(plan, PLAN_ROOM), price),
        Comes::Asks { plan, price } => say!(voice, "digest-comes-asked", plan = cut(plan, PLAN_ROOM), price),
        Comes::Unpriced => say!(voice, "digest-comes-unpriced"),
        Comes::OverLimit { plan, price } => say!(voice, "digest-comes-over-limit", plan = cut(plan, PLAN_ROOM), price),
        Comes::NothingOnSale => say!(voice, "digest-comes-nothing"),
    }
}

fn shared(voice: &Voice, shared: &[SharedUse]) -> Section {
    let line = |used: &SharedUse| {
        let (line, limit) = (used.line, used.limit);
        let value = match used.spent {
            Some(spent) => say!(voice, "digest-shared-spent", spent, limit),
            None => say!(voice, "digest-shared-unsummed", limit),
        };
        SectionLine { label: format!("rules.toml:{line}"), value, commands: Vec::new() }
    };
    Section { heading: say!(voice, "digest-shared"), lines: shared.iter().map(line).collect(), more: None }
}

/// What several purchases cost together.
fn in_all(voice: &Voice, count: usize, spent: &Spent) -> Option<SectionLine> {
    let label = say!(voice, "digest-in-all");
    (count > 1 && !spent.money.is_empty()).then(|| SectionLine {
        label,
        value: sum(voice, spent),
        commands: Vec::new(),
    })
}

/// What there is besides.
fn rest(voice: &Voice, digest: &Digest) -> Vec<String> {
    let (well, silenced) = (digest.well(), digest.silenced);
    let mut sentences = Vec::new();
    if well > 0 && well < digest.cards {
        let cards = cards(voice, well);
        sentences.push(say!(voice, "digest-all-else-is-well", cards));
    }
    if silenced > 0 {
        let cards = cards(voice, silenced);
        sentences.push(say!(voice, "digest-silenced", cards));
    }
    sentences
}

fn more(voice: &Voice, count: usize, command: &str) -> Option<String> {
    (count > 0).then(|| say!(voice, "digest-more-rows", count, command))
}

fn sum(voice: &Voice, spent: &Spent) -> String {
    let shown: Vec<String> = spent.money.iter().take(CURRENCIES_MOST).map(|money| voice.amount(money)).collect();
    let shown = shown.join(" + ");
    match spent.money.len().saturating_sub(CURRENCIES_MOST) {
        0 => shown,
        more => say!(voice, "digest-more-currencies", shown, more),
    }
}

fn cards(voice: &Voice, count: usize) -> String {
    say!(voice, "digest-cards", count)
}

fn purchases(voice: &Voice, count: usize) -> String {
    say!(voice, "digest-purchases", count)
}
