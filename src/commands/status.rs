//! `status`: each card in one line, its accounts and the queue of messages; or one card in full. What is old is never
//! shown as fresh.

mod accounts;

use comfy_table::Cell;
use serde_json::{Value, json};

use super::Context;
use super::exit::Exit;
use super::output::{Output, Tone, relative, table};
use super::trip;
use super::view::View;
use crate::daemon::case::Case;
use crate::daemon::wallets::Purses;
use crate::domain::assess::{Assessment, Verdict, is_old};
use crate::domain::attempt::{Attempt, AttemptState, StateName};
use crate::domain::card::{Card, CardId, Pause};
use crate::domain::last_safe::{self, LastSafe};
use crate::domain::reading::{AllowanceKind, Reading};
use crate::domain::silence::Silence;
use crate::domain::time::{Secs, UnixTime};
use crate::domain::words::Spoken;
use crate::store::notices::{self, Gauges};
use crate::store::{Connection, Store, StoreError, cards, silences};

/// Cards are read from the record in groups of this size, so that a million of them need little memory.
const PAGE: usize = 1_000;
/// The state of a card for which nothing is bought because a person said so.
const PAUSED: &str = "paused";

/// What is said in place of the verdict where what is left lasts.
pub(super) const LASTS_WORDS: &str = "fine: what is left lasts until the rule's last day is over";

/// A card at a glance.
struct Glance {
    case: Case,
    assessment: Assessment,
    standing: &'static str,
    tone: Tone,
    old: bool,
    /// Until when a renewal may still begin in time.
    last_safe: Option<LastSafe>,
    /// Whether nothing is bought although it is due, since what is left lasts until the rule's last day is over.
    lasts: bool,
    silence: Option<Silence>,
}

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
    let reading = case.poll.recent.latest.as_ref();
    let last_safe = rule
        .zip(reading)
        .and_then(|(rule, reading)| last_safe::last_safe(&case.card, rule, reading, &uses, view.lead(&case), view.now));
    let glance = Glance { silence, ..Glance::of(view, case, last_safe, lasts) };
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
        Ok(Glance { silence, ..Glance::of(view, case, last_safe, lasts) })
    })
    .collect()
}

impl Glance {
    fn of(view: &View, case: Case, last_safe: Option<LastSafe>, lasts: bool) -> Self {
        let assessment = view.assess(&case);
        let reading = case.poll.recent.latest.as_ref();
        let old =
            case.card.retired_at.is_none() && reading.is_none_or(|reading| is_old(reading, case.ledger.pace, view.now));
        let (standing, tone) = standing(&case, &assessment, old, lasts, view.now);
        Self { case, assessment, standing, tone, old, last_safe, lasts, silence: None }
    }

    /// Problems first, then by how soon a renewal must begin.
    fn urgency(&self) -> Urgency {
        let rank = match self.tone {
            Tone::Bad => 0,
            Tone::Warn => 1,
            Tone::Good | Tone::Plain => 2,
        };
        (rank, self.last_safe.map_or(UnixTime::MAX, |last| last.at), self.case.card.id)
    }

    /// What is left, by its own word if it is old.
    fn left(&self) -> String {
        match &self.case.poll.recent.latest {
            None => "not read yet".to_owned(),
            Some(reading) if self.old => format!("was {}", left(reading)),
            Some(reading) => left(reading),
        }
    }

    /// The state, and beside it a pause and a silence: nobody may think that a paused card is bought for, or that one of
    /// which nothing is heard is well.
    fn state_words(&self, now: UnixTime) -> String {
        let paused = self.case.card.wishes.pause.as_ref().is_some_and(|pause| pause.holds(now));
        let paused = (paused && self.standing != PAUSED).then_some(PAUSED);
        let silenced = self.silence.as_ref().map(|_| "silenced");
        let words: Vec<&str> = [Some(self.standing), paused, silenced].into_iter().flatten().collect();
        words.join(", ")
    }

    fn verdict_words(&self) -> String {
        if self.lasts { LASTS_WORDS.to_owned() } else { self.assessment.verdict.to_string() }
    }

    fn next_action(&self, now: UnixTime) -> String {
        if self.lasts { "none".to_owned() } else { next_action(&self.case, &self.assessment, now) }
    }

    fn row(&self, output: Output, view: &View) -> Vec<Cell> {
        let now = view.now;
        let (poll, dash) = (&self.case.poll, || "-".to_owned());
        let read = poll.recent.latest.as_ref().map(|reading| relative(reading.read_at, now));
        let ends = poll.recent.latest.as_ref().and_then(|reading| first_end(reading, now));
        let mut row = vec![Cell::new(&self.case.card.name), output.cell(&self.state_words(now), self.tone)];
        let others = [
            self.left(),
            ends.unwrap_or_else(dash),
            self.last_safe.map_or_else(dash, |last| relative(last.at, now)),
            read.unwrap_or_else(dash),
            poll.next_poll_at.map_or_else(dash, |at| next_read(at, now)),
            self.next_action(now),
            last_action(&self.case, now).unwrap_or_else(dash),
        ];
        row.extend(others.map(Cell::new));
        row
    }

    fn in_full(&self, view: &View) -> Vec<(&'static str, String)> {
        let (now, recent, card) = (view.now, &self.case.poll.recent, &self.case.card);
        let mut rows =
            vec![("state", format!("{} ({})", self.state_words(now), self.verdict_words())), ("left", self.left())];
        if let Some(reading) = &recent.latest {
            rows.push(("at the operator", reading.state.to_string()));
            rows.extend(
                reading.ends().map(|(kind, end)| (end_name(kind), format!("{} ({})", end.at, relative(end.at, now)))),
            );
            rows.push(("read", format!("{} ({})", reading.read_at, relative(reading.read_at, now))));
            if now.since(reading.as_of) > Secs::minutes(5) {
                rows.push(("the answer is of", format!("{} ({})", reading.as_of, relative(reading.as_of, now))));
            }
        }
        rows.extend(
            self.last_safe.map(|last| ("last safe moment", format!("{} ({})", last.at, relative(last.at, now)))),
        );
        if let Some((at, oddity)) = recent.odd {
            rows.push(("odd answer", format!("{oddity} ({})", relative(at, now))));
        }
        if self.case.poll.failures > 0 {
            let look = format!("`simkeeper operator test {} --card '{}'` shows why", card.account, card.name);
            rows.push(("failed readings", format!("{}; {look}", self.case.poll.failures)));
        }
        let next_read = self.case.poll.next_poll_at.map_or_else(|| "-".to_owned(), |at| next_read(at, now));
        rows.push(("next read", next_read));
        rows.push(("next", self.next_action(now)));
        rows.extend(last_action(&self.case, now).map(|last| ("last", last)));
        rows.extend(
            card.wishes.pause.as_ref().filter(|pause| pause.holds(now)).map(|pause| ("paused", pause_words(pause))),
        );
        rows.extend(self.silence.as_ref().map(|silence| ("silenced", silence_words(silence))));
        rows
    }

    fn document(&self, view: &View) -> Value {
        let poll = &self.case.poll;
        let latest = poll.recent.latest.as_ref();
        json!({
            "name": self.case.card.name, "account": self.case.card.account, "sellers": self.case.card.sellers, "state": self.standing,
            "rule": view.rule(&self.case.card).map(|rule| &rule.name),
            "old": self.old,
            "age_secs": latest.map(|reading| view.now.since(reading.read_at).0),
            "reading": latest,
            "odd": poll.recent.odd,
            "failures": poll.failures,
            "next_read_at": poll.next_poll_at,
            "last_safe": self.last_safe,
            "next": self.next_action(view.now), "lasts": self.lasts,
            "verdict": self.assessment.verdict,
            "open_attempt": self.case.open(),
            "last_attempt": self.case.attempts.last(),
            "wishes": self.case.card.wishes,
            "silence": self.silence,
        })
    }
}

/// How urgent a card is, the most urgent first.
type Urgency = (u8, UnixTime, CardId);

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

/// A card's state in one word.
fn standing(case: &Case, assessment: &Assessment, old: bool, lasts: bool, now: UnixTime) -> (&'static str, Tone) {
    let paused = case.card.wishes.pause.as_ref().is_some_and(|pause| pause.holds(now));
    match assessment.verdict {
        Verdict::Retired => ("retired", Tone::Plain),
        Verdict::Open { state: StateName::Unknown } => ("unknown", Tone::Bad),
        Verdict::Open { .. } if case.ledger.open.is_some_and(|open| open.asked) => ("asked", Tone::Warn),
        Verdict::Open { .. } => ("renewing", Tone::Warn),
        _ if old => ("stale", Tone::Bad),
        Verdict::Stale => ("stale", Tone::Bad),
        _ if paused => (PAUSED, Tone::Warn),
        Verdict::Renew | Verdict::Ask if lasts => ("ok", Tone::Good),
        Verdict::Fine => ("ok", Tone::Good),
        Verdict::Renew | Verdict::Ask | Verdict::Wait { .. } | Verdict::Watch => ("due", Tone::Warn),
        Verdict::Paused => ("skipped", Tone::Warn),
        Verdict::Blocked => ("blocked", Tone::Bad),
        Verdict::CannotRenew => ("ending", Tone::Bad),
        Verdict::OutsideDates => ("outside dates", Tone::Plain),
    }
}

/// What the daemon or a person does next.
fn next_action(case: &Case, assessment: &Assessment, now: UnixTime) -> String {
    let open = case.open().map(|attempt| attempt.id.0);
    match (assessment.verdict, open) {
        (Verdict::Open { state: StateName::Human }, Some(id)) => format!("you: simkeeper settle {id}"),
        (Verdict::Open { state: StateName::Planned }, Some(id)) if case.ledger.open.is_some_and(|open| open.asked) => {
            format!("you: simkeeper approve {id}")
        }
        (Verdict::Open { state: StateName::Planned }, _) => "buys".to_owned(),
        (Verdict::Open { .. }, _) => "settles the order".to_owned(),
        (Verdict::Renew, _) => "buys".to_owned(),
        (Verdict::Ask, _) => "asks you".to_owned(),
        (Verdict::Wait { until }, _) => format!("buys {}", relative(until, now)),
        (Verdict::Watch, _) => "none: only watched".to_owned(),
        (Verdict::Stale, _) => "reads".to_owned(),
        (Verdict::Blocked, _) => format!("you: simkeeper explain {}", case.card.name),
        (Verdict::CannotRenew, _) => "you: get a new card".to_owned(),
        (Verdict::Fine | Verdict::Paused | Verdict::OutsideDates | Verdict::Retired, _) => "none".to_owned(),
    }
}

/// What was last bought or tried.
fn last_action(case: &Case, now: UnixTime) -> Option<String> {
    let attempt = case.attempts.iter().rev().find(|attempt| !attempt.state.name().is_open())?;
    let (word, at) = closed(attempt)?;
    Some(format!("{word} {} {}", attempt.plan.name, relative(at, now)))
}

fn closed(attempt: &Attempt) -> Option<(&'static str, UnixTime)> {
    match &attempt.state {
        AttemptState::Done { at, .. } => Some(("bought", *at)),
        AttemptState::Refused { at, .. } => Some(("was refused", *at)),
        AttemptState::Absent { at } => Some(("did not get", *at)),
        AttemptState::Abandoned { at, .. } => Some(("gave up", *at)),
        AttemptState::Reversed { at, .. } => Some(("lost again", *at)),
        AttemptState::Planned { .. }
        | AttemptState::Sending { .. }
        | AttemptState::Pending { .. }
        | AttemptState::Accepted { .. }
        | AttemptState::Unknown { .. }
        | AttemptState::Human { .. } => None,
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

fn first_end(reading: &Reading, now: UnixTime) -> Option<String> {
    let (kind, end) = reading.ends().min_by_key(|(_, end)| end.at)?;
    Some(format!("{kind} {}", relative(end.at, now)))
}

const fn end_name(kind: crate::domain::reading::EndKind) -> &'static str {
    match kind {
        crate::domain::reading::EndKind::Plan => "plan ends",
        crate::domain::reading::EndKind::Credit => "credit ends",
        crate::domain::reading::EndKind::Number => "number ends",
    }
}

fn next_read(at: UnixTime, now: UnixTime) -> String {
    if at <= now { "now".to_owned() } else { relative(at, now) }
}

/// A silence in words.
fn silence_words(silence: &Silence) -> String {
    let Silence { since, until, by, urgent } = silence;
    let told = if *urgent { "nothing is told" } else { "only what is urgent is told" };
    format!("until {until}, by {by} on {since}; {told}")
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
