//! One card in `status`: its state in a word, what is left and how old that is, and what comes next.

use comfy_table::Cell;
use serde_json::{Value, json};

use super::super::output::{Output, Tone, relative};
use super::super::view::View;
use super::{left, pause_words};
use crate::daemon::case::Case;
use crate::domain::assess::{Assessment, Verdict, is_old};
use crate::domain::attempt::{Attempt, AttemptState, StateName};
use crate::domain::card::CardId;
use crate::domain::last_safe::LastSafe;
use crate::domain::reading::{EndKind, Reading};
use crate::domain::silence::Silence;
use crate::domain::time::{Secs, UnixTime};

/// The state of a card for which nothing is bought because a person said so.
const PAUSED: &str = "paused";

/// What is said in place of the verdict where what is left lasts.
pub(in crate::commands) const LASTS_WORDS: &str = "fine: what is left lasts until the rule's last day is over";

/// A card at a glance.
pub(super) struct Glance {
    pub(super) case: Case,
    assessment: Assessment,
    standing: &'static str,
    tone: Tone,
    pub(super) old: bool,
    /// Until when a renewal may still begin in time.
    last_safe: Option<LastSafe>,
    /// Whether nothing is bought although it is due, since what is left lasts until the rule's last day is over.
    lasts: bool,
    /// The silence about it.
    silence: Option<Silence>,
}

impl Glance {
    pub(super) fn of(view: &View, case: Case, last_safe: Option<LastSafe>, lasts: bool) -> Self {
        let assessment = view.assess(&case);
        let reading = case.poll.recent.latest.as_ref();
        let old =
            case.card.retired_at.is_none() && reading.is_none_or(|reading| is_old(reading, case.ledger.pace, view.now));
        let (standing, tone) = standing(&case, &assessment, old, lasts, view.now);
        Self { case, assessment, standing, tone, old, last_safe, lasts, silence: None }
    }

    /// The same, while there is a silence about the card.
    pub(super) fn under(self, silence: Option<Silence>) -> Self {
        Self { silence, ..self }
    }

    /// Problems first, then by how soon a renewal must begin.
    pub(super) fn urgency(&self) -> Urgency {
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

    pub(super) fn row(&self, output: Output, view: &View) -> Vec<Cell> {
        let now = view.now;
        let (poll, dash) = (&self.case.poll, || "-".to_owned());
        let read = poll.recent.latest.as_ref().map(|reading| relative(reading.read_at, now));
        let seen = self.case.reading(view.rule(&self.case.card), now);
        let ends = seen.and_then(|reading| first_end(&reading, now));
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

    pub(super) fn in_full(&self, view: &View) -> Vec<(&'static str, String)> {
        let (now, recent, card) = (view.now, &self.case.poll.recent, &self.case.card);
        let mut rows =
            vec![("state", format!("{} ({})", self.state_words(now), self.verdict_words())), ("left", self.left())];
        if let Some(reading) = self.case.reading(view.rule(card), now) {
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

    pub(super) fn document(&self, view: &View) -> Value {
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
pub(super) type Urgency = (u8, UnixTime, CardId);

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

fn first_end(reading: &Reading, now: UnixTime) -> Option<String> {
    let (kind, end) = reading.ends().min_by_key(|(_, end)| end.at)?;
    Some(format!("{kind} {}", relative(end.at, now)))
}

const fn end_name(kind: EndKind) -> &'static str {
    match kind {
        EndKind::Plan => "plan ends",
        EndKind::Credit => "credit ends",
        EndKind::Number => "number ends",
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
