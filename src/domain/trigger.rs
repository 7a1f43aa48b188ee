//! Whether a rule's conditions hold for a reading. "Below" is strictly less; "within" is this long or less.

use serde::Serialize;

use super::data::{DataSize, Percent};
use super::money::Money;
use super::reading::{Allowance, AllowanceKind, AllowanceState, EndKind, Left, Reading};
use super::rule::{Condition, Join, RenewWhen, Trigger};
use super::time::{Secs, UnixTime};

/// What a condition saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// Data left.
    Data(DataSize),
    /// Share of the data left, cut to whole percent.
    DataShare(Percent),
    /// Calls left.
    Voice(Secs),
    /// Texts left.
    Sms(u64),
    /// Credit left.
    Credit(Money),
    /// Time left until an end; negative once it is over.
    Ends(Secs),
    /// Another plan waits on the card and begins when this one ends.
    NextWaits,
    /// It has no limit.
    Unlimited,
    /// The operator does not tell.
    NotTold,
}

/// A condition, what it saw, and whether it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The condition and its line.
    pub trigger: Trigger,
    /// What it saw.
    pub observed: Observed,
    /// Whether it holds.
    pub holds: bool,
}

/// Checks each condition.
pub fn checks<'a>(when: &'a RenewWhen, reading: &'a Reading, now: UnixTime) -> impl Iterator<Item = Check> + 'a {
    when.triggers.iter().map(move |trigger| check(*trigger, reading, now))
}

/// The condition that makes the rule fire, if it does: the first that holds, where one is enough; the last, where all
/// must hold. A rule without conditions never fires.
#[must_use]
pub fn firing(join: Join, checks: &[Check]) -> Option<Trigger> {
    match join {
        Join::Any => checks.iter().find(|check| check.holds).map(|check| check.trigger),
        Join::All if checks.iter().all(|check| check.holds) => checks.last().map(|check| check.trigger),
        Join::All => None,
    }
}

/// Checks one condition.
#[must_use]
pub fn check(trigger: Trigger, reading: &Reading, now: UnixTime) -> Check {
    let (observed, holds) = match trigger.condition {
        Condition::DataBelow(limit) => amount(reading.left(AllowanceKind::Data), |left| {
            let left = DataSize(at_least_zero(left.remaining));
            (Observed::Data(left), left < limit)
        }),
        Condition::DataShareBelow(limit) => amount(reading.left(AllowanceKind::Data), |left| share(left, limit)),
        Condition::VoiceBelow(limit) => amount(reading.left(AllowanceKind::Voice), |left| {
            (Observed::Voice(Secs(left.remaining)), left.remaining < limit.0)
        }),
        Condition::SmsBelow(limit) => amount(reading.left(AllowanceKind::Sms), |left| {
            let left = at_least_zero(left.remaining);
            (Observed::Sms(left), left < limit)
        }),
        Condition::CreditBelow(limit) => amount(reading.left(AllowanceKind::Credit(limit.currency())), |left| {
            let left = Money::new(left.remaining, limit.currency());
            (Observed::Credit(left), left.ten_thousandths() < limit.ten_thousandths())
        }),
        Condition::PlanEndsWithin(lead) => ends(reading, EndKind::Plan, lead, now),
        Condition::CreditEndsWithin(lead) => ends(reading, EndKind::Credit, lead, now),
        Condition::NumberEndsWithin(lead) => ends(reading, EndKind::Number, lead, now),
    };
    Check { trigger, observed, holds }
}

fn amount(left: Left, compare: impl FnOnce(Left) -> (Observed, bool)) -> (Observed, bool) {
    match (left.known, left.unlimited) {
        (false, _) => (Observed::NotTold, false),
        (true, true) => (Observed::Unlimited, false),
        (true, false) => compare(left),
    }
}

/// Compares exactly, by cross multiplication, and shows the share cut to whole percent.
fn share(left: Left, limit: Percent) -> (Observed, bool) {
    let Some(total) = left.total.filter(|total| *total > 0) else { return (Observed::NotTold, false) };
    let (remaining, total) = (i128::from(left.remaining.max(0)), i128::from(total));
    let percent = u32::try_from(remaining * 100 / total).unwrap_or(u32::MAX);
    (Observed::DataShare(Percent(percent)), remaining * 100 < total * i128::from(limit.0))
}

fn ends(reading: &Reading, which: EndKind, lead: Secs, now: UnixTime) -> (Observed, bool) {
    // Some operators tell the end of the present plan only: one that was bought and waits covers it, and without this
    // a second would be bought.
    if which == EndKind::Plan && reading.allowances.iter().any(waits) {
        return (Observed::NextWaits, false);
    }
    match reading.ends().find(|(kind, _)| *kind == which) {
        Some((_, end)) => (Observed::Ends(end.left(now)), end.left(now) <= lead),
        None => (Observed::NotTold, false),
    }
}

fn waits(allowance: &Allowance) -> bool {
    allowance.kind == AllowanceKind::Data
        && allowance.state == AllowanceState::Queued
        && (allowance.unlimited || allowance.remaining > 0)
}

fn at_least_zero(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::reading::CardState;
    use crate::domain::time::End;

    const NOW: UnixTime = UnixTime::clamped(1_800_000_000);

    fn reading(kind: AllowanceKind, remaining: i64, total: Option<i64>) -> Reading {
        let allowance = Allowance {
            kind,
            remaining,
            total,
            unlimited: false,
            state: AllowanceState::Active,
            starts: None,
            ends: None,
        };
        Reading { allowances: vec![allowance], ..Reading::empty(NOW, CardState::Active) }
    }

    fn holds(condition: Condition, reading: &Reading) -> bool {
        check(Trigger { condition, line: 1 }, reading, NOW).holds
    }

    #[test]
    fn below_is_strictly_less() {
        let limit = Condition::DataBelow(DataSize(500_000_000));
        for (left, expected) in
            [(0, true), (499_999_999, true), (500_000_000, false), (500_000_001, false), (i64::MAX, false), (-1, true)]
        {
            assert_eq!(holds(limit, &reading(AllowanceKind::Data, left, None)), expected, "{left}");
        }
        let limit = Condition::SmsBelow(10);
        for (left, expected) in [(0, true), (9, true), (10, false), (11, false)] {
            assert_eq!(holds(limit, &reading(AllowanceKind::Sms, left, None)), expected, "{left}");
        }
        let limit = Condition::VoiceBelow(Secs::minutes(10));
        for (left, expected) in [(599, true), (600, false)] {
            assert_eq!(holds(limit, &reading(AllowanceKind::Voice, left, None)), expected, "{left}");
        }
    }

    #[test]
    fn shares_are_exact_and_need_a_total() {
        let limit = Condition::DataShareBelow(Percent(20));
        for (left, total, expected) in [
            (199, Some(1_000), true),
            (200, Some(1_000), false),
            (0, Some(1), true),
            (0, Some(0), false),
            (1, None, false),
            (i64::MAX, Some(i64::MAX), false),
        ] {
            assert_eq!(holds(limit, &reading(AllowanceKind::Data, left, total)), expected, "{left} of {total:?}");
        }
    }

    #[test]
    fn credit_is_compared_in_its_own_currency_only() {
        let five = Condition::CreditBelow(Money::new(50_000, Currency::USD));
        for (left, expected) in [(-10_000, true), (49_999, true), (50_000, false)] {
            assert_eq!(holds(five, &reading(AllowanceKind::Credit(Currency::USD), left, None)), expected, "{left}");
        }
        assert!(!holds(five, &reading(AllowanceKind::Credit(Currency::EUR), 0, None)));
    }

    #[test]
    fn within_is_this_long_or_less_and_stays_so_when_it_is_over() {
        let within = Condition::PlanEndsWithin(Secs::hours(36));
        let ends_in = |secs: i64| Reading {
            plan_ends: Some(End::at(NOW.plus(Secs(secs)))),
            ..Reading::empty(NOW, CardState::Active)
        };
        for (secs, expected) in
            [(129_601, false), (129_600, true), (129_599, true), (0, true), (-1, true), (-9_999_999, true)]
        {
            assert_eq!(holds(within, &ends_in(secs)), expected, "{secs}");
        }
        assert!(!holds(Condition::NumberEndsWithin(Secs::hours(36)), &ends_in(0)), "dates are never mixed");
    }

    #[test]
    fn a_plan_that_waits_covers_the_end_of_the_present_one() {
        let mut with_next = reading(AllowanceKind::Data, 5, Some(10));
        with_next.plan_ends = Some(End::at(NOW.plus(Secs::HOUR)));
        with_next.number_ends = with_next.plan_ends;
        assert!(holds(Condition::PlanEndsWithin(Secs::DAY), &with_next));
        with_next.allowances[0].state = AllowanceState::Queued;
        assert!(!holds(Condition::PlanEndsWithin(Secs::DAY), &with_next));
        assert!(holds(Condition::NumberEndsWithin(Secs::DAY), &with_next), "a plan does not keep a number");
        with_next.allowances[0].remaining = 0;
        assert!(holds(Condition::PlanEndsWithin(Secs::DAY), &with_next));
    }

    #[test]
    fn an_unlimited_plan_never_runs_low() {
        let mut unlimited = reading(AllowanceKind::Data, 0, Some(0));
        unlimited.allowances[0].unlimited = true;
        assert!(!holds(Condition::DataBelow(DataSize(1)), &unlimited));
        assert!(!holds(Condition::DataShareBelow(Percent(100)), &unlimited));
    }

    #[test]
    fn one_is_enough_or_all_are_needed() {
        let reading = reading(AllowanceKind::Data, 5, Some(10));
        let trigger = |limit: u64, line: u32| Trigger { condition: Condition::DataBelow(DataSize(limit)), line };
        let fire = |join: Join, triggers: Vec<Trigger>| {
            let when = RenewWhen { join, triggers };
            let seen: Vec<Check> = checks(&when, &reading, NOW).collect();
            firing(join, &seen).map(|trigger| trigger.line)
        };
        assert_eq!(fire(Join::Any, vec![trigger(5, 1), trigger(6, 2)]), Some(2));
        assert_eq!(fire(Join::All, vec![trigger(5, 1), trigger(6, 2)]), None);
        assert_eq!(fire(Join::All, vec![trigger(6, 1), trigger(7, 2)]), Some(2));
        assert_eq!(fire(Join::Any, vec![]), None);
        assert_eq!(fire(Join::All, vec![]), None);
    }
}
