//! What is to come, in words: how long what is left lasts, and when a rule will first want something.

use crate::commands::output::relative;
use crate::domain::forecast::Lasting;
use crate::domain::reading::{AllowanceKind, Reading};
use crate::domain::rule::{Join, Rule};
use crate::domain::time::{Secs, UnixTime};
use crate::domain::usage::{self, Rates};
use crate::domain::words::Spoken;

/// Instants nearer to each other than this are the same to a person.
const SAME: Secs = Secs::HOUR;

/// How long what is left lasts.
pub(super) fn lasts(lasting: &Lasting, reading: &Reading, now: UnixTime) -> String {
    let same = |one: Option<UnixTime>, other: Option<UnixTime>| match (one, other) {
        (Some(one), Some(other)) => one.since(other).0.abs() < SAME.0,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let length = |at: Option<UnixTime>| match at {
        Some(at) if at > now => Spoken(at.since(now)).to_string(),
        Some(_) => "no longer".to_owned(),
        None => "more than a year".to_owned(),
    };
    let Lasting { early, likely, late, .. } = *lasting;
    if !same(early, late) {
        let about = if likely.is_some_and(|at| at > now) { "about " } else { "" };
        let [likely, early, late] = [likely, early, late].map(length);
        return format!("What is left lasts {about}{likely}; {early} if more is used, {late} if less");
    }
    let ends = reading.plan_ends.map(|end| end.at);
    match likely {
        // Whatever is used, it is the plan that ends it.
        Some(at) if at > now && same(likely, ends) => {
            format!("What is left is enough until the plan ends, {}", relative(at, now))
        }
        _ => format!("What is left lasts {}", length(likely)),
    }
}

/// When the rule's conditions will hold, as far as it can be told; `None` where use would have to be known.
pub(super) fn first_due(rule: &Rule, reading: &Reading, rates: &Rates, now: UnixTime) -> Option<String> {
    let moments = rule.renew_when.triggers.iter().map(|trigger| {
        let known = usage::moment(trigger.condition, reading, rates);
        // What a plan holds is gone with its end.
        let holds = matches!(usage::kind(trigger.condition), Some(kind) if !matches!(kind, AllowanceKind::Credit(_)));
        let gone = reading.plan_ends.filter(|_| holds).map(|end| (end.at, false));
        known.into_iter().chain(gone).min_by_key(|(at, _)| *at).map(|(at, estimated)| (at, estimated, trigger.line))
    });
    let (at, estimated, line) = match rule.renew_when.join {
        Join::Any => moments.flatten().min_by_key(|(at, ..)| *at)?,
        Join::All => moments.collect::<Option<Vec<_>>>()?.into_iter().max_by_key(|(at, ..)| *at)?,
    };
    let when =
        if estimated && at > now { format!("in about {}", Spoken(at.since(now))) } else { relative(at.max(now), now) };
    Some(match rule.renew_when.join {
        Join::Any => format!("wait; the condition of line {line} will hold {when}"),
        Join::All => format!("wait; with that of line {line} all conditions will hold {when}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::card::Name;
    use crate::domain::data::DataSize;
    use crate::domain::reading::{Allowance, AllowanceState, CardState};
    use crate::domain::rule::{Condition, Trigger};
    use crate::domain::time::End;

    const NOW: UnixTime = UnixTime::clamped(1_800_000_000);

    fn in_days(days: i64) -> UnixTime {
        NOW.plus(Secs::days(days))
    }

    fn reading(plan_ends: Option<i64>) -> Reading {
        let allowance = Allowance {
            kind: AllowanceKind::Data,
            remaining: 1_000,
            total: None,
            unlimited: false,
            state: AllowanceState::Active,
            starts: None,
            ends: None,
        };
        let plan_ends = plan_ends.map(|days| End::at(in_days(days)));
        Reading { allowances: vec![allowance], plan_ends, ..Reading::empty(NOW, CardState::Active) }
    }

    fn told(early: Option<i64>, likely: Option<i64>, late: Option<i64>, plan_ends: Option<i64>) -> String {
        let [early, likely, late] = [early, likely, late].map(|days| days.map(in_days));
        lasts(&Lasting { early, likely, late }, &reading(plan_ends), NOW)
    }

    #[test]
    fn how_long_it_lasts_is_said_once_where_use_makes_no_difference() {
        assert_eq!(
            told(Some(4), Some(5), Some(9), Some(30)),
            "What is left lasts about 5d; 4d if more is used, 9d if less"
        );
        assert_eq!(told(Some(5), Some(5), Some(5), Some(5)), "What is left is enough until the plan ends, in 5d");
        assert_eq!(told(Some(-1), Some(-1), Some(-1), None), "What is left lasts no longer");
        assert_eq!(told(None, None, None, None), "What is left lasts more than a year");
        assert_eq!(
            told(Some(9), None, None, None),
            "What is left lasts more than a year; 9d if more is used, more than a year if less"
        );
    }

    #[test]
    fn the_first_condition_to_hold_is_named_with_its_day() {
        let conditions = [Condition::DataBelow(DataSize(500)), Condition::PlanEndsWithin(Secs::DAY)];
        let mut rule = Rule::watching(Name::parse("travel").unwrap());
        rule.renew_when.triggers =
            conditions.into_iter().zip(14..).map(|(condition, line)| Trigger { condition, line }).collect();
        let due = |rule: &Rule, plan_ends, rates: &[(AllowanceKind, i64)]| {
            first_due(rule, &reading(plan_ends), &rates.to_vec(), NOW)
        };
        let hundred = [(AllowanceKind::Data, 100)];
        assert_eq!(
            due(&rule, Some(30), &hundred).as_deref(),
            Some("wait; the condition of line 14 will hold in about 5d")
        );
        assert_eq!(due(&rule, Some(4), &hundred).as_deref(), Some("wait; the condition of line 15 will hold in 3d"));
        assert_eq!(due(&rule, None, &[]), None);
        rule.renew_when.join = Join::All;
        assert_eq!(
            due(&rule, Some(30), &hundred).as_deref(),
            Some("wait; with that of line 15 all conditions will hold in 29d")
        );
        assert_eq!(due(&rule, None, &hundred), None, "an end that is not known may never come");
    }
}
