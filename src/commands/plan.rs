//! `plan`: what would be bought in the coming days. The daemon's own decision is asked at each instant at which it may
//! turn out otherwise than before; nothing is bought, and no network is touched.

mod forecast;
mod shared;

use serde_json::{Value, json};

use self::forecast::{Forecast, Known};
use super::Context;
use super::cli::PlanArgs;
use super::exit::Exit;
use super::output::{minute, table};
use super::view::View;
use crate::daemon::case::Case;
use crate::domain::assess::{Action, Reason, Verdict, assess};
use crate::domain::attempt::{AttemptId, AttemptState};
use crate::domain::card::Name;
use crate::domain::choose::{Occasion, choose};
use crate::domain::forecast::Forecast as HowUsed;
use crate::domain::ledger::Spend;
use crate::domain::limits;
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::Recent;
use crate::domain::rule::{Line, Rule};
use crate::domain::time::{Secs, UnixTime};
use crate::domain::usage::{self, Rates};
use crate::store::{Connection, StoreError, cards, catalogues, readings};

/// Purchases of one card that are shown at most.
const SHOWN_MAX: usize = 40;
/// Instants that are looked at for one purchase at most.
const LOOKS_MAX: usize = 400;

/// One thing that will happen, or what keeps it from happening.
struct Entry {
    card: Name,
    /// The first moment at which it can happen, and the last by which it will.
    when: Option<(UnixTime, UnixTime)>,
    known: Known,
    what: What,
    line: Option<Line>,
    /// The condition in words.
    why: String,
    notes: Vec<String>,
}

/// What will happen.
enum What {
    Buys(Option<Plan>),
    Asks(Option<Plan>),
    Held(String),
    Nothing(String),
}

/// Shows what the coming days bring.
pub(super) fn plan(context: &Context, args: &PlanArgs) -> anyhow::Result<Exit> {
    let view = View::open(context)?;
    let until = view.now.plus(Secs::days(i64::from(args.days)));
    let wanted = match &args.card {
        Some(name) => vec![view.card(name)?],
        None => view.store.read_blocking(cards::all)?,
    };
    let mut entries = Vec::new();
    for card in wanted.clone() {
        entries.extend(view.store.read_blocking(|conn| of_card(&view, conn, card, until))?);
    }
    // What is known comes first, in the order of time; what is not known and what is nothing follows.
    entries.sort_by_key(|entry| entry.when.map_or((1, UnixTime::MAX), |(from, _)| (0, from)));
    let entries = view.store.read_blocking(|conn| shared::hold(&view, conn, &wanted, entries))?;
    if context.output.json {
        let documents: Vec<Value> = entries.iter().map(Entry::document).collect();
        context.output.document(json!({ "now": view.now, "until": until, "plan": documents }))?;
        return Ok(Exit::Done);
    }
    if entries.is_empty() {
        context.output.say("nothing to do: there is no card yet")?;
        return Ok(Exit::Done);
    }
    let rows = entries.iter().map(Entry::row).collect();
    context.output.say(&table(&["WHEN (UTC)", "CARD", "WHAT", "PRICE", "BECAUSE"], rows))?;
    if !entries.iter().any(|entry| matches!(entry.what, What::Buys(_) | What::Asks(_))) {
        context.output.say(&format!("\nnothing to do in the next {} days, as far as is known", args.days))?;
    }
    for line in totals(&entries) {
        context.output.say(&line)?;
    }
    Ok(Exit::Done)
}

fn of_card(
    view: &View,
    conn: &Connection,
    card: crate::domain::card::Card,
    until: UnixTime,
) -> Result<Vec<Entry>, StoreError> {
    let case = view.case(conn, card)?;
    let catalogue = catalogues::load(conn, case.card.id)?;
    let name = case.card.name.clone();
    let Some(rule) = view.rule(&case.card) else {
        return Ok(vec![Entry::nothing(name, "no rule: it is only read")]);
    };
    if rule.renew_when.triggers.is_empty() {
        return Ok(vec![Entry::nothing(name, format!("the rule `{}` has no conditions", rule.name))]);
    }
    let past = readings::history(conn, case.card.id, view.now.minus(usage::LOOKS_BACK), view.now.plus(Secs(1)))?;
    let rates = usage::rates(rule, &past);
    let data_use = case.data_use(conn, rule, view.now)?;
    Ok(Walk { rule, catalogue: catalogue.as_ref(), case, rates, data_use, until }.walk(view.now))
}

/// Goes along one card's coming days.
struct Walk<'a> {
    rule: &'a Rule,
    catalogue: Option<&'a Catalogue>,
    case: Case,
    rates: Rates,
    data_use: HowUsed,
    until: UnixTime,
}

impl Walk<'_> {
    fn walk(mut self, now: UnixTime) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut now = now;
        while entries.len() < SHOWN_MAX {
            let Some((at, entry)) = self.next(now) else { break };
            let bought = match &entry.what {
                What::Buys(Some(plan)) => Some(plan.clone()),
                What::Buys(None) | What::Asks(_) | What::Held(_) | What::Nothing(_) => None,
            };
            entries.push(entry);
            // Beyond a purchase that is not certain nothing is known.
            let Some(plan) = bought else { break };
            self.buy(&plan, at);
            now = at.plus(Secs(1));
        }
        if entries.is_empty() {
            let name = self.case.card.name.clone();
            entries.extend(self.unknown_amounts());
            if entries.is_empty() {
                entries.push(Entry::nothing(name, "no condition will hold"));
            }
        }
        entries
    }

    /// The next thing that happens from `now` on, and when.
    fn next(&self, now: UnixTime) -> Option<(UnixTime, Entry)> {
        let forecast = Forecast::new(&self.case, &self.rates);
        let mut looks = forecast.instants(self.rule, &self.case.card.zone, now, self.until);
        let mut held = None;
        let mut place = 0;
        while let Some(&(at, known)) = looks.get(place).filter(|_| place < LOOKS_MAX) {
            place += 1;
            let readings = forecast.readings(&self.case.poll.recent, now, at);
            let seen = assess(&self.case.card, Some(self.rule), &readings, &self.case.ledger, at);
            let line = fired_line(&seen.actions, &seen.reasons);
            match seen.verdict {
                Verdict::Renew | Verdict::Ask => {
                    let entry = self.purchase(seen.verdict == Verdict::Ask, &readings, at, known, line, &seen.reasons);
                    return Some((at, entry));
                }
                Verdict::Wait { until } if until > at && until <= self.until => {
                    let after = looks.partition_point(|(look, _)| *look <= until);
                    looks.insert(after, (until, known));
                }
                Verdict::Fine | Verdict::Wait { .. } => {}
                Verdict::Watch
                | Verdict::Open { .. }
                | Verdict::Blocked
                | Verdict::Paused
                | Verdict::OutsideDates
                | Verdict::CannotRenew
                | Verdict::Stale
                | Verdict::Retired => {
                    held.get_or_insert_with(|| (at, self.held(seen.verdict, at, known, line, &seen.reasons)));
                }
            }
        }
        held
    }

    fn purchase(
        &self,
        asks: bool,
        readings: &Recent,
        at: UnixTime,
        known: Known,
        line: Option<Line>,
        reasons: &[Reason],
    ) -> Entry {
        let occasion = self.case.occasion(self.rule, &self.data_use, at).zip(readings.latest.as_ref());
        let chosen = self
            .catalogue
            .zip(occasion)
            .map(|(catalogue, (occasion, reading))| choose(&Occasion { reading, ..occasion }, catalogue));
        let plan = chosen.as_ref().and_then(|chosen| chosen.plan).cloned();
        let mut entry = self.entry(at, known, line, reasons, What::Buys(plan.clone()));
        if let Some(chosen) = chosen {
            entry
                .notes
                .extend(chosen.passed_over.iter().map(|passed| format!("not line {}: {}", passed.line, passed.why)));
            entry.notes.extend(chosen.reckoning.iter().map(ToString::to_string));
            if chosen.lasts {
                entry.what = What::Nothing("nothing: what is left lasts until the rule's last day is over".to_owned());
                return entry;
            }
            if chosen.plan.is_none() {
                entry.what = What::Held("nothing of the rule's list is on sale".to_owned());
                return entry;
            }
        }
        let Some(plan) = plan else {
            if asks {
                entry.what = What::Asks(None);
            }
            return entry;
        };
        let spends = &self.case.ledger.spends;
        let crossed = limits::crossed(&self.rule.limits, plan.price, spends, None, &self.case.card.zone, at);
        let dearer = limits::dearer(&self.rule.limits, self.paid_before(&plan), plan.price);
        if let Some(gate) = crossed {
            entry.what = What::Held(gate.to_string());
        } else if asks || dearer.is_some() {
            entry.notes.extend(dearer.map(|why| why.to_string()));
            entry.what = What::Asks(Some(plan));
        }
        entry
    }

    fn held(&self, verdict: Verdict, at: UnixTime, known: Known, line: Option<Line>, reasons: &[Reason]) -> Entry {
        let what = match verdict {
            Verdict::Open { .. } => What::Nothing(verdict.to_string()),
            _ => What::Held(verdict.to_string()),
        };
        let mut entry = self.entry(at, known, line, reasons, what);
        let others = reasons.iter().filter(|reason| !matches!(reason, Reason::Checked(_)));
        entry.notes.extend(others.map(ToString::to_string));
        entry
    }

    fn entry(&self, at: UnixTime, known: Known, line: Option<Line>, reasons: &[Reason], what: What) -> Entry {
        let fired = reasons.iter().find(|reason| matches!(reason, Reason::Checked(check) if check.holds));
        Entry {
            card: self.case.card.name.clone(),
            // The card is read at least this often, and bought for at the reading.
            when: Some((at, at.plus(self.case.ledger.pace.every))),
            known,
            what,
            line,
            why: fired.map_or_else(String::new, ToString::to_string),
            notes: Vec::new(),
        }
    }

    /// What was last paid for a plan.
    fn paid_before(&self, plan: &Plan) -> Option<crate::domain::money::Money> {
        self.case.attempts.iter().rev().filter(|attempt| attempt.plan.id == plan.id).find_map(|attempt| match &attempt
            .state
        {
            AttemptState::Done { charged, .. } | AttemptState::Accepted { charged, .. } => {
                Some(charged.unwrap_or(attempt.plan.price))
            }
            _ => None,
        })
    }

    /// Puts a purchase on the card, as its operator would.
    fn buy(&mut self, plan: &Plan, at: UnixTime) {
        let forecast = Forecast::new(&self.case, &self.rates);
        let readings = forecast.readings(&self.case.poll.recent, UnixTime::MIN, at);
        self.case.poll.recent = forecast::after_purchase(readings, plan, at);
        let attempt = AttemptId(i64::MAX);
        self.case.ledger.spends.push(Spend { attempt, at, money: plan.price });
        self.case.ledger.closed.clear();
        self.case.ledger.cycle += 1;
        self.case.card.wishes.skip_next = false;
    }

    /// Conditions on amounts whose day nobody can tell yet.
    fn unknown_amounts(&self) -> Vec<Entry> {
        let Some(reading) = &self.case.poll.recent.latest else { return Vec::new() };
        let forecast = Forecast::new(&self.case, &self.rates);
        let open = self.rule.renew_when.triggers.iter().filter(|trigger| forecast.is_open(trigger.condition, reading));
        open.map(|trigger| Entry {
            card: self.case.card.name.clone(),
            when: None,
            known: Known::NotYet,
            what: What::Nothing(format!("due when {}", forecast::words(trigger.condition))),
            line: Some(trigger.line),
            why: "use since the last top-up is needed to tell when".to_owned(),
            notes: Vec::new(),
        })
        .collect()
    }
}

fn fired_line(actions: &[Action], reasons: &[Reason]) -> Option<Line> {
    let acted = actions.iter().find_map(|action| match action {
        Action::Renew { trigger, .. } => Some(trigger.line),
        Action::Warn { .. } | Action::NewCycle => None,
    });
    acted.or_else(|| {
        reasons.iter().find_map(|reason| match reason {
            Reason::Checked(check) if check.holds => Some(check.trigger.line),
            _ => None,
        })
    })
}

impl Entry {
    fn nothing(card: Name, why: impl Into<String>) -> Self {
        let what = What::Nothing("nothing to do".to_owned());
        Self { card, when: None, known: Known::Certain, what, line: None, why: why.into(), notes: Vec::new() }
    }

    fn row(&self) -> Vec<String> {
        let when = match (self.when, self.known) {
            (None, _) => "-".to_owned(),
            (Some((from, until)), Known::Certain) => format!("{} to {}", minute(from), minute(until)),
            (Some((from, _)), Known::Estimate | Known::NotYet) => format!("about {}", &minute(from)[..10]),
        };
        let (what, price) = match &self.what {
            What::Buys(Some(plan)) => (format!("buys {}", plan.name), plan.price.to_string()),
            What::Asks(Some(plan)) => (format!("asks, then buys {}", plan.name), plan.price.to_string()),
            What::Buys(None) => {
                ("buys by the rule's list".to_owned(), "unknown until the catalogue is read".to_owned())
            }
            What::Asks(None) => ("asks you".to_owned(), "unknown until the catalogue is read".to_owned()),
            What::Held(why) => (format!("buys nothing: {why}"), "-".to_owned()),
            What::Nothing(what) => (what.clone(), "-".to_owned()),
        };
        let place = match self.line {
            Some(line) if !self.why.contains("rules.toml:") => format!(" (rules.toml:{line})"),
            Some(_) | None => String::new(),
        };
        let why = format!("{}{place}", self.why);
        let because: Vec<&str> = std::iter::once(why.trim())
            .chain(self.notes.iter().map(String::as_str))
            .filter(|part| !part.is_empty())
            .collect();
        vec![when, self.card.to_string(), what, price, because.join("; ")]
    }

    fn document(&self) -> Value {
        let (does, plan, why_not) = match &self.what {
            What::Buys(plan) => ("buys", plan.as_ref(), None),
            What::Asks(plan) => ("asks", plan.as_ref(), None),
            What::Held(why) => ("held", None, Some(why)),
            What::Nothing(why) => ("nothing", None, Some(why)),
        };
        json!({
            "card": self.card, "does": does, "plan": plan, "price": plan.map(|plan| plan.price), "why_not": why_not,
            "from": self.when.map(|(from, _)| from), "until": self.when.map(|(_, until)| until),
            "known": self.known.as_str(), "rules_line": self.line, "because": self.why, "notes": self.notes,
        })
    }
}

/// The sum of what is known to cost something, one line per currency.
fn totals(entries: &[Entry]) -> Vec<String> {
    let mut sums: Vec<crate::domain::money::Money> = Vec::new();
    let prices = entries.iter().filter_map(|entry| match &entry.what {
        What::Buys(Some(plan)) | What::Asks(Some(plan)) => Some(plan.price),
        What::Buys(None) | What::Asks(None) | What::Held(_) | What::Nothing(_) => None,
    });
    for price in prices {
        match sums.iter_mut().find(|sum| sum.currency() == price.currency()) {
            Some(sum) => *sum = sum.plus(price).unwrap_or(*sum),
            None => sums.push(price),
        }
    }
    sums.into_iter().map(|sum| format!("in all {sum}, if nothing changes")).collect()
}
