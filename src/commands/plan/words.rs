//! What is foreseen as a row for people and as a document for programs.

use serde_json::{Value, json};

use super::{Entry, Told};
use crate::commands::output::minute;
use crate::domain::foresee::{Foreseen, Otherwise, What, When};
use crate::domain::plan::Plan;
use crate::domain::reading::AllowanceKind;
use crate::domain::rule::{Condition, Line};
use crate::domain::time::UnixTime;
use crate::domain::unanswered::Unanswered;
use crate::domain::usage::kind;
use crate::domain::words::Collecting;

const PRICE_UNKNOWN: &str = "unknown until the catalogue is read";

impl Entry {
    pub(super) fn row(&self) -> Vec<String> {
        let dash = || "-".to_owned();
        let [when, what, price, because] = match &self.told {
            Told::Foreseen(foreseen) => {
                let (what, price) = happens(&foreseen.what);
                [when(foreseen.when), what, price, because(foreseen, self.unanswered.as_ref()).join("; ")]
            }
            Told::Untold(condition, line, used) => {
                let why = format!("{} (rules.toml:{line})", Collecting(used));
                [dash(), format!("due when {}", falls(*condition)), dash(), why]
            }
            Told::Nothing(why) => [dash(), "nothing to do".to_owned(), dash(), why.clone()],
        };
        vec![when, self.card.to_string(), what, price, because]
    }

    pub(super) fn document(&self) -> Value {
        match &self.told {
            Told::Foreseen(foreseen) => {
                let (does, why_not) = does(&foreseen.what);
                let plan = foreseen.what.bought();
                let known = if foreseen.when.is_certain { "certain" } else { "estimate" };
                let notes = because(foreseen, self.unanswered.as_ref()).split_off(1);
                json!({
                    "card": self.card, "does": does, "plan": plan, "price": plan.map(|plan| plan.price),
                    "why_not": why_not, "from": foreseen.when.early, "likely": foreseen.when.likely,
                    "until": foreseen.when.late, "known": known,
                    "rules_line": line(foreseen), "because": fired(foreseen), "notes": notes,
                    "otherwise": foreseen.otherwise.iter().map(other_document).collect::<Vec<_>>(),
                })
            }
            Told::Untold(condition, line, used) => {
                self.nothing(&format!("due when {}", falls(*condition)), &Collecting(used).to_string(), Some(*line))
            }
            Told::Nothing(why) => self.nothing("nothing to do", why, None),
        }
    }

    fn nothing(&self, why_not: &str, because: &str, line: Option<Line>) -> Value {
        let known = if line.is_some() { "not_yet" } else { "certain" };
        json!({
            "card": self.card, "does": "nothing", "plan": null, "price": null, "why_not": why_not, "from": null,
            "likely": null, "until": null, "known": known, "rules_line": line, "because": because, "notes": [],
            "otherwise": [],
        })
    }
}

fn other_document(other: &Otherwise) -> Value {
    json!({ "if_more_is_used": other.if_more, "plan": other.plan, "price": other.plan.price, "rules_line": other.line })
}

/// The days between which it happens, and the likely one.
fn when(when: When) -> String {
    let day = |at: UnixTime| minute(at)[..10].to_owned();
    let late = when.late;
    if when.is_certain {
        return late.map_or_else(String::new, |late| format!("{} to {}", minute(when.early), minute(late)));
    }
    let range = match late {
        Some(late) if day(late) == day(when.early) => return format!("about {}", day(late)),
        Some(late) => format!("{} to {}", day(when.early), day(late)),
        None => format!("from {} on", day(when.early)),
    };
    match when.likely {
        Some(likely) => format!("{range}, likely {}", &day(likely)[5..]),
        None => format!("{range}, only if more is used than expected"),
    }
}

/// What happens, and its price.
fn happens(what: &What) -> (String, String) {
    let dash = "-".to_owned();
    match what {
        What::Buys(plan) => (format!("buys {}", plan.name), plan.price.to_string()),
        What::Asks(plan, _) => (format!("asks, then buys {}", plan.name), plan.price.to_string()),
        What::Unpriced => ("buys by the rule's list".to_owned(), PRICE_UNKNOWN.to_owned()),
        What::UnderWay(plan, open) => (format!("{} is bought already: {}", plan.name, open.state), dash),
        What::OverLimit(..) | What::NothingOnSale | What::Held(..) => {
            (format!("buys nothing: {}", hindrance(what).unwrap_or_default()), dash)
        }
        What::Lasts => (format!("nothing: {}", hindrance(what).unwrap_or_default()), dash),
    }
}

/// What keeps it from being bought.
fn hindrance(what: &What) -> Option<String> {
    match what {
        What::Buys(_) | What::Asks(..) | What::Unpriced => None,
        What::UnderWay(_, open) => Some(open.state.to_string()),
        What::OverLimit(plan, gate) => Some(format!("{} does not fit: {gate}", plan.name)),
        What::NothingOnSale => Some("nothing of the rule's list can be bought".to_owned()),
        What::Lasts => Some("what is left lasts until the rule's last day is over".to_owned()),
        What::Held(verdict, _) => Some(verdict.to_string()),
    }
}

/// The word for programs, and what keeps it from being bought.
fn does(what: &What) -> (&'static str, Option<String>) {
    let word = match what {
        What::Buys(_) | What::Unpriced => "buys",
        What::Asks(..) => "asks",
        What::OverLimit(..) | What::NothingOnSale | What::Held(..) => "held",
        What::UnderWay(..) | What::Lasts => "nothing",
    };
    (word, hindrance(what))
}

fn line(foreseen: &Foreseen) -> Option<Line> {
    foreseen.check.map(|check| check.trigger.line)
}

/// The condition that fires, with its line. What it will see is not known beforehand, but what it waits for is.
fn fired(foreseen: &Foreseen) -> String {
    let Some(check) = foreseen.check else { return String::new() };
    let what = falls(check.trigger.condition);
    format!("{what} (rules.toml:{})", check.trigger.line)
}

/// The condition first, then what else there is to say.
fn because(foreseen: &Foreseen, unanswered: Option<&Unanswered>) -> Vec<String> {
    let mut parts = vec![fired(foreseen)];
    match &foreseen.what {
        What::Asks(_, why) => {
            parts.push(why.to_string());
            parts.extend(unanswered.map(ToString::to_string));
        }
        What::Held(_, reasons) => parts.extend(reasons.iter().map(ToString::to_string)),
        What::Buys(_)
        | What::Unpriced
        | What::UnderWay(..)
        | What::OverLimit(..)
        | What::NothingOnSale
        | What::Lasts => {}
    }
    parts.extend(foreseen.passed_over.iter().map(|passed| format!("not line {}: {}", passed.line, passed.why)));
    parts.extend(foreseen.reckoning.iter().map(ToString::to_string));
    parts.extend(foreseen.otherwise.iter().map(other_words));
    parts
}

fn other_words(other: &Otherwise) -> String {
    let Otherwise { if_more, plan: Plan { name, price, .. }, line } = other;
    let amount = if *if_more { "more" } else { "less" };
    let line = line.map_or_else(String::new, |line| format!(" (rules.toml:{line})"));
    format!("if {amount} is used, {name} for {price}{line}")
}

/// A condition in words, as it will be.
fn falls(condition: Condition) -> String {
    let what = match (kind(condition), condition) {
        (Some(AllowanceKind::Data), _) => "data falls",
        (Some(AllowanceKind::Voice), _) => "call time falls",
        (Some(AllowanceKind::Sms), _) => "texts fall",
        (Some(AllowanceKind::Credit(_)), _) => "credit falls",
        (None, Condition::CreditEndsWithin(_)) => "the credit is lost",
        (None, Condition::NumberEndsWithin(_)) => "the number is taken back",
        (None, _) => "the plan ends",
    };
    format!("{what} {condition}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Secs;

    #[test]
    fn when_is_told_as_surely_as_it_is_known() {
        let day = |day: i64| UnixTime::clamped(1_797_292_800).plus(Secs::days(day));
        let told = |early, likely, late| when(When { early, likely, late, is_certain: false });
        assert_eq!(told(day(1), Some(day(2)), Some(day(4))), "2026-12-16 to 2026-12-19, likely 12-17");
        assert_eq!(told(day(1), Some(day(2)), None), "from 2026-12-16 on, likely 12-17");
        assert_eq!(told(day(1), None, Some(day(4))), "2026-12-16 to 2026-12-19, only if more is used than expected");
        assert_eq!(told(day(1), Some(day(1)), Some(day(1).plus(Secs::HOUR))), "about 2026-12-16");
        let certain =
            When { early: day(1), likely: Some(day(1)), late: Some(day(1).plus(Secs::HOUR)), is_certain: true };
        assert_eq!(when(certain), "2026-12-16 00:00 to 2026-12-16 01:00");
    }
}
