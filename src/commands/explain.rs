//! `explain`: the same decision that the daemon takes, with everything that led to it.

mod open_attempt;
mod outlook;

use serde_json::{Value, json};

use super::Context;
use super::exit::Exit;
use super::output::{minute, relative};
use super::status::{LASTS_WORDS, heading, left};
use super::trip;
use super::view::View;
use crate::daemon::case::Case;
use crate::daemon::shared_limits;
use crate::domain::assess::{Assessment, Reason, Verdict};
use crate::domain::attempt::{AskWhy, AttemptState};
use crate::domain::choose::{Chosen, choose};
use crate::domain::draft;
use crate::domain::forecast::{Forecast, Lasting, lasting};
use crate::domain::last_safe::{self, LastSafe};
use crate::domain::limits;
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::{AllowanceKind, Reading};
use crate::domain::rule::{Join, Mode, Rule};
use crate::domain::sellers::Way;
use crate::domain::shared_limits::Counted;
use crate::domain::time::UnixTime;
use crate::domain::words::DataUse;
use crate::store::attempts::AttemptEvent;
use crate::store::{attempts, catalogues};

/// Everything that is shown.
struct Explained {
    case: Case,
    rule: Option<Rule>,
    assessment: Assessment,
    catalogue: Option<Catalogue>,
    uses: Vec<(AllowanceKind, Forecast)>,
    data_use: Forecast,
    events: Vec<AttemptEvent>,
    /// Accounts and ways to pay, the next one first.
    ways: Vec<Way>,
    /// Until when a renewal may still begin in time.
    last_safe: Option<LastSafe>,
    /// Caps that it shares with other cards, and what counts against them.
    shared: Vec<Counted>,
}

/// Explains one card.
pub(super) fn explain(context: &Context, name: &str) -> anyhow::Result<Exit> {
    let view = View::open(context)?;
    let card = view.card(name)?;
    let (case, catalogue, uses, events) = view.store.read_blocking(|conn| {
        let case = view.case(conn, card)?;
        let catalogue = catalogues::load(conn, case.card.id)?;
        let uses = case.uses(conn, view.now)?;
        let events = match case.open() {
            Some(attempt) => attempts::events(conn, attempt.id)?,
            None => Vec::new(),
        };
        Ok((case, catalogue, uses, events))
    })?;
    let rule = view.rule(&case.card).cloned();
    let assessment = view.assess(&case);
    let ways = view.ways(&case);
    let seller = ways.first().map_or_else(|| case.card.account.clone(), |way| way.account.clone());
    let data_use = uses.iter().find(|(kind, _)| *kind == AllowanceKind::Data);
    let data_use = data_use.map_or(Forecast::unseen(), |(_, used)| used.clone());
    let chosen = rule
        .as_ref()
        .zip(catalogue.as_ref())
        .and_then(|(rule, catalogue)| choose(&case.occasion(rule, &data_use, view.now)?, catalogue).plan.cloned());
    let cycle = chosen.as_ref().map_or(limits::CYCLE_USUAL, limits::cycle_of);
    let shared = view.store.read_blocking(|conn| {
        shared_limits::counted(conn, &view.config.rules, (&case.card, &seller), cycle, None, view.now)
    })?;
    let last_safe = rule.as_ref().zip(case.reading(rule.as_ref(), view.now)).and_then(|(rule, reading)| {
        last_safe::last_safe(&case.card, rule, &reading, &uses, view.lead(&case), view.now)
    });
    let explained = Explained { case, rule, last_safe, assessment, catalogue, uses, data_use, events, ways, shared };
    if context.output.json {
        context.output.document(explained.document(view.now))?;
    } else {
        for line in explained.lines(view.now) {
            context.output.say(&line)?;
        }
    }
    Ok(Exit::Done)
}

impl Explained {
    fn lines(&self, now: UnixTime) -> Vec<String> {
        let mut lines = vec![heading(&self.case.card), self.reading_line(now)];
        lines.extend(self.use_lines(now));
        lines.push(self.rule_line());
        lines.extend(self.keeping_line(now));
        lines.extend(self.rule.iter().flat_map(|rule| trip::lines(&self.case, rule, &self.uses, now)));
        lines.push(String::new());
        let (checks, others): (Vec<&Reason>, Vec<&Reason>) =
            self.assessment.reasons.iter().partition(|reason| matches!(reason, Reason::Checked(_)));
        if !checks.is_empty() {
            lines.push(match self.rule.as_ref().map(|rule| rule.renew_when.join) {
                Some(Join::All) => "It is renewed when all of these hold:".to_owned(),
                Some(Join::Any) | None => "It is renewed when one of these holds:".to_owned(),
            });
            lines.extend(checks.iter().map(|reason| format!("  {} {reason}", mark(reason))));
        }
        lines.extend(self.last_safe.iter().map(|last| last_safe_line(last, now)));
        lines.extend(self.late_line());
        lines.push(format!("Verdict: {}", self.verdict_words(now)));
        lines.extend(others.iter().map(|reason| format!("  because {reason}")));
        lines.extend(self.purchase_lines(now));
        lines.extend(self.ways_line());
        lines.extend(self.attempt_lines(now));
        lines.push(String::new());
        lines.push(format!("To change that: {}", self.remedy(now)));
        let next =
            self.case.poll.next_poll_at.map_or_else(|| "not planned".to_owned(), |at| relative(at.max(now), now));
        lines.push(format!("Next reading: {next}"));
        lines
    }

    /// Whether nothing is bought although it is due, since what is left lasts.
    fn lasts(&self, now: UnixTime) -> bool {
        let due = matches!(self.assessment.verdict, Verdict::Renew | Verdict::Ask);
        self.chosen(now).is_some_and(|chosen| due && chosen.lasts)
    }

    /// What would be bought now, by the catalogue as it was last read.
    fn chosen(&self, now: UnixTime) -> Option<Chosen<'_>> {
        let (rule, catalogue) = self.rule.as_ref().zip(self.catalogue.as_ref())?;
        Some(choose(&self.case.occasion(rule, &self.data_use, now)?, catalogue))
    }

    fn verdict_words(&self, now: UnixTime) -> String {
        if self.lasts(now) { LASTS_WORDS.to_owned() } else { self.assessment.verdict.to_string() }
    }

    fn reading_line(&self, now: UnixTime) -> String {
        match &self.case.poll.recent.latest {
            None => "Not read yet".to_owned(),
            Some(reading) => format!(
                "Read {} ({}): {}, {}",
                relative(reading.read_at, now),
                reading.read_at,
                reading.state,
                left(reading)
            ),
        }
    }

    /// How its data is used, and how long what is left will last.
    fn use_lines(&self, now: UnixTime) -> Vec<String> {
        let Some(reading) = &self.case.poll.recent.latest else { return Vec::new() };
        if !reading.left(AllowanceKind::Data).known {
            return Vec::new();
        }
        let mut lines = vec![match self.data_use {
            Forecast::Ready(_) => format!("It {}", DataUse(&self.data_use)),
            Forecast::Collecting { .. } => format!("Its {}", DataUse(&self.data_use)),
        }];
        if let Some(lasting) = self.lasting(reading) {
            lines.push(outlook::lasts(&lasting, reading, now));
        }
        lines
    }

    fn lasting(&self, reading: &Reading) -> Option<Lasting> {
        let habit = self.data_use.habit()?;
        lasting(AllowanceKind::Data, reading, habit, &self.case.card.zone)
    }

    fn rule_line(&self) -> String {
        match &self.rule {
            None => "No rule: it is only read".to_owned(),
            Some(rule) => {
                let above = rule.ask_above.map_or_else(String::new, |above| format!(", asking above {above}"));
                format!("Rule {} (rules.toml:{}), mode {}{above}", rule.name, rule.line, mode(rule.mode))
            }
        }
    }

    /// That the rule begins too late to be safe.
    fn late_line(&self) -> Option<String> {
        let (rule, last) = self.rule.as_ref().zip(self.last_safe.as_ref())?;
        let (begins, needed) = (last_safe::begins_late(rule, last)?, last.lead.total());
        Some(format!("  its rule begins only {begins} before that; {needed} would be safe"))
    }

    /// Until when the number is kept, where that is counted.
    fn keeping_line(&self, now: UnixTime) -> Option<String> {
        let keep = self.rule.as_ref()?.keep_number?;
        let told = self.case.poll.recent.latest.as_ref()?.number_ends.is_some();
        let end = self.case.reading(self.rule.as_ref(), now)?.number_ends?.at;
        let from = match self.case.ledger.bought_at {
            Some(_) => "by its last renewal".to_owned(),
            None => format!("from {}", keep.since),
        };
        let (days, when) = (keep.days, relative(end, now));
        (!told).then(|| format!("Its number is kept until {end} ({when}), counted: {days} days {from}"))
    }

    /// What would be bought now, by the catalogue as it was last read.
    fn purchase_lines(&self, now: UnixTime) -> Vec<String> {
        let Some(rule) = &self.rule else { return Vec::new() };
        let Some(occasion) = self.case.occasion(rule, &self.data_use, now) else { return Vec::new() };
        if rule.buy.is_empty() {
            return vec!["It buys nothing: the rule has no `buy`".to_owned()];
        }
        let Some(catalogue) = &self.catalogue else {
            return vec!["What is on sale is read when something is due".to_owned()];
        };
        let chosen = choose(&occasion, catalogue);
        let mut lines: Vec<String> =
            chosen.passed_over.iter().map(|passed| format!("  not line {}: {}", passed.line, passed.why)).collect();
        let seen = relative(catalogue.fetched_at, now);
        match chosen.plan {
            Some(plan) => {
                lines.insert(0, format!("It would buy {} for {} (seen {seen})", plan.name, plan.price));
                let spends = &self.case.ledger.spends;
                lines.extend(chosen.reckoning.iter().map(|reckoning| format!("  {reckoning}")));
                let crossed = limits::stops(&rule.limits, plan, spends, None, &self.case.card.zone, now);
                lines.extend(crossed.map(|gate| format!("  but {gate}")));
                lines.extend(self.asks(rule, plan).map(|why| format!("  after asking you: {why}")));
                let shared = self.shared.iter().filter_map(|counted| counted.crossed(plan.price));
                lines.extend(shared.map(|gate| format!("  but {gate}")));
            }
            None if chosen.lasts => {
                lines.insert(0, "It buys nothing yet: what is left lasts until the rule's last day is over".to_owned());
            }
            None => lines.insert(0, format!("Nothing of the rule's list is on sale for it (seen {seen})")),
        }
        let left = limits::month_left(&rule.limits, &self.case.ledger.spends, &self.case.card.zone, now);
        lines.extend(left.map(|left| format!("  {left} of this month's limit are left")));
        lines.extend(self.shared.iter().map(|counted| format!("  shared with other cards: {counted}")));
        lines
    }

    /// Why a person is asked before this is bought, if one is.
    fn asks(&self, rule: &Rule, plan: &Plan) -> Option<AskWhy> {
        let account = &self.ways.first()?.account;
        let before = || draft::paid_before(&self.case.attempts, account, &plan.id);
        rule.asks_at(plan.price).or_else(|| limits::dearer(&rule.limits, before(), plan.price))
    }

    /// From whom it is bought and how that is paid, where there is more than one way.
    fn ways_line(&self) -> Option<String> {
        let shown = self.ways.iter().map(|way| {
            let refused = match way.refused {
                0 => String::new(),
                1 => " (refused once in this cycle)".to_owned(),
                times => format!(" (refused {times} times in this cycle)"),
            };
            format!("{} by {}{refused}", way.account, way.payment)
        });
        let shown: Vec<String> = shown.collect();
        (shown.len() > 1).then(|| format!("Bought from {}", shown.join(", then ")))
    }

    fn attempt_lines(&self, now: UnixTime) -> Vec<String> {
        let Some(attempt) = self.case.open() else { return Vec::new() };
        let mut lines = open_attempt::lines(attempt, now);
        let reading = self.case.poll.recent.latest.as_ref();
        lines.extend(self.rule.as_ref().and_then(|rule| open_attempt::unanswered(attempt, rule, reading, now)));
        lines.extend(
            self.events.iter().map(|event| format!("  {}  {:4} {}", minute(event.at), event.transition, event.what)),
        );
        lines
    }

    /// When the conditions will hold by themselves, if that can be told.
    fn first_due(&self, now: UnixTime) -> Option<String> {
        let known = self.uses.iter().filter_map(|(kind, used)| Some((*kind, used.habit()?.mean.round() as i64)));
        let reading = self.case.poll.recent.latest.as_ref()?;
        outlook::first_due(self.rule.as_ref()?, reading, &known.collect(), now)
    }

    /// What would have to change, in one sentence.
    fn remedy(&self, now: UnixTime) -> String {
        let name = &self.case.card.name;
        let open = self.case.open().map_or(0, |attempt| attempt.id.0);
        match self.assessment.verdict {
            Verdict::Fine if self.rule.is_none() => {
                format!("give the card a rule in rules.toml, [card.{name}] rule = \"…\"")
            }
            Verdict::Renew | Verdict::Ask if self.lasts(now) => {
                "more must be used, or the rule's last day be later; it is looked at again at each reading".to_owned()
            }
            Verdict::Fine => {
                self.first_due(now).unwrap_or_else(|| match self.rule.as_ref().map(|rule| rule.renew_when.join) {
                    Some(Join::All) => "the conditions above must hold".to_owned(),
                    Some(Join::Any) | None => "one of the conditions above must hold".to_owned(),
                })
            }
            Verdict::Renew | Verdict::Ask => "nothing is needed; the daemon goes on by itself".to_owned(),
            Verdict::Wait { .. } => "wait, or look at the reason above".to_owned(),
            Verdict::Watch => "the rule says mode = \"watch\"; \"ask\" or \"auto\" would buy".to_owned(),
            Verdict::Open { .. } if self.case.ledger.open.is_some_and(|open| open.asked) => {
                match self.case.open().map(|attempt| &attempt.state) {
                    Some(AttemptState::Human { .. }) => {
                        format!(
                            "look into your account at the operator, then `simkeeper settle {open} bought|not-bought`"
                        )
                    }
                    Some(_) | None => format!("`simkeeper approve {open}` or `simkeeper refuse {open}`"),
                }
            }
            Verdict::Open { .. } => "nothing is needed; the order is watched".to_owned(),
            Verdict::Blocked | Verdict::CannotRenew => {
                "mend what is named above at the operator or in rules.toml".to_owned()
            }
            Verdict::Paused => format!("`simkeeper resume {name}`"),
            Verdict::OutsideDates => "the rule's `from` and `until` in rules.toml".to_owned(),
            Verdict::Stale => {
                "a reading that makes sense; is the daemon running, and the operator reachable?".to_owned()
            }
            Verdict::Retired => "put the card back into rules.toml, or add it again".to_owned(),
        }
    }

    fn document(&self, now: UnixTime) -> Value {
        let reading = self.case.poll.recent.latest.as_ref();
        let reasons: Vec<Value> = self
            .assessment
            .reasons
            .iter()
            .map(|reason| json!({ "reason": reason, "words": reason.to_string() }))
            .collect();
        let chosen = self.chosen(now);
        let reckoning = chosen.as_ref().and_then(|chosen| chosen.reckoning.as_ref());
        let lasts = chosen.as_ref().is_some_and(|chosen| chosen.lasts);
        json!({
            "now": now, "card": self.case.card, "rule": self.rule,
            "reading": reading, "age_secs": reading.map(|reading| now.since(reading.read_at).0),
            "last_safe": self.last_safe, "verdict": self.assessment.verdict, "words": self.verdict_words(now),
            "reasons": reasons, "actions": self.assessment.actions,
            "trip": self.rule.as_ref().and_then(|rule| trip::document(&self.case, rule, &self.uses)),
            "data_use": self.data_use, "data_lasts": reading.and_then(|reading| self.lasting(reading)),
            "would_buy": chosen.as_ref().and_then(|chosen| chosen.plan), "reckoning": reckoning, "lasts": lasts, "ways": self.ways,
            "shared_limits": self.shared.iter().map(|counted| &counted.limit).collect::<Vec<_>>(), "catalogue_fetched_at": self.catalogue.as_ref().map(|catalogue| catalogue.fetched_at),
            "next_read_at": self.case.poll.next_poll_at,
            "open_attempt": self.case.open(),
            "events": self.events.iter().map(super::history::event_document).collect::<Vec<_>>(),
            "remedy": self.remedy(now),
        })
    }
}

/// Until when it may still begin, and how that comes about.
pub(super) fn last_safe_line(last: &LastSafe, now: UnixTime) -> String {
    let when = relative(last.at, now);
    format!("Last safe moment to begin a renewal: {} ({when}): {last}", last.at)
}

const fn mark(reason: &Reason) -> &'static str {
    match reason {
        Reason::Checked(check) if check.holds => "yes",
        _ => "no ",
    }
}

/// The word in the file.
pub(super) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Watch => "watch",
        Mode::Ask => "ask",
        Mode::Auto => "auto",
    }
}
