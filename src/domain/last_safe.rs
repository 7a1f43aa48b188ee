//! The last safe moment: until when a purchase may still begin so that a card does not run out of what its rule is about, or
//! lose it. Decides nothing: people see it, and hear of it when it has passed.

use serde::{Deserialize, Serialize};

use super::assess::Verdict;
use super::attempt::{Approval, Attempt, StateName};
use super::card::Card;
use super::forecast::{Forecast, lasting};
use super::notice::NextStep;
use super::operator::Capabilities;
use super::pace;
use super::reading::{AllowanceKind, EndKind, Reading, Recent};
use super::rule::{Condition, Join, Rule, Trigger};
use super::time::{Secs, UnixTime, day_after};
use super::trigger::{self, Observed};
use super::usage;
use super::warn;

/// Who was asked has so long to answer before it becomes loud.
const ANSWERS_WITHIN: Secs = Secs::hours(6);

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// It is used up, or lost with its plan.
    RunsOut(AllowanceKind),
    /// One of the three dates.
    Ends(EndKind),
}

/// How long before a loss a purchase must begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// Until the result of an order is known and shows on the card, at the longest.
    pub settling: Secs,
    /// Until money is there.
    pub payment: Secs,
}

impl Lead {
    /// Both together.
    #[must_use]
    pub const fn total(self) -> Secs {
        Secs(self.settling.0.saturating_add(self.payment.0))
    }

    /// What follows from what the operator that sells can do.
    #[must_use]
    pub const fn of(seller: &Capabilities, payment: Secs) -> Self {
        Self { settling: Secs(seller.may_show_until().0.saturating_add(seller.effect_max.0)), payment }
    }
}

/// The last safe moment, and how it comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSafe {
    /// The moment.
    pub at: UnixTime,
    /// What is lost if nothing is bought.
    pub loss: Loss,
    /// When that is, if more is used than expected.
    pub ends: UnixTime,
    /// What lies between the two.
    pub lead: Lead,
    /// How old the reading is that tells of what is used up: it may have been used faster since.
    pub age: Secs,
    /// How much earlier it is because of the rule's hours.
    pub hours: Secs,
}

/// Whether what is used must be looked at: only near a limit, where it may come before a date.
#[must_use]
pub fn looks_at_use(rule: &Rule, readings: &Recent, now: UnixTime) -> bool {
    usage::needs_past(rule) && pace::comes_soon(rule, readings, now)
}

/// The last safe moment of a card; none if nothing that its rule is about is lost, as far as that can be told.
#[must_use]
pub fn last_safe(
    card: &Card,
    rule: &Rule,
    reading: &Reading,
    uses: &[(AllowanceKind, Forecast)],
    lead: Lead,
    now: UnixTime,
) -> Option<LastSafe> {
    let losses = rule.renew_when.triggers.iter().map(|trigger| loss(card, *trigger, reading, uses, now));
    let (loss, ends) = match rule.renew_when.join {
        Join::Any => losses.flatten().min_by_key(|(_, ends)| *ends),
        // It is renewed only when all hold, so nothing is lost before the last of them.
        Join::All => losses.collect::<Option<Vec<_>>>()?.into_iter().max_by_key(|(_, ends)| *ends),
    }?;
    // What ends with the trip or after it is not missed.
    if rule.until.is_some_and(|day| ends >= day_after(day, &card.zone)) {
        return None;
    }
    let age = match loss {
        Loss::RunsOut(_) => Secs(now.since(reading.as_of).0.max(0)),
        Loss::Ends(_) => Secs::ZERO,
    };
    let needed = Secs(lead.total().0.saturating_add(age.0));
    let begins = ends.minus(needed);
    let at = rule.hours.map_or(begins, |hours| hours.last_open(begins, &card.zone));
    Some(LastSafe { at, loss, ends, lead, age, hours: begins.since(at) })
}

/// What a condition is there to prevent, and when it happens.
fn loss(
    card: &Card,
    trigger: Trigger,
    reading: &Reading,
    uses: &[(AllowanceKind, Forecast)],
    now: UnixTime,
) -> Option<(Loss, UnixTime)> {
    let end = |which: EndKind| {
        // Another plan may wait behind the present one.
        let told = matches!(trigger::check(trigger, reading, now).observed, Observed::Ends(_));
        let end = reading.ends().find(|(kind, _)| *kind == which).filter(|_| told)?;
        Some((Loss::Ends(which), end.1.at))
    };
    match trigger.condition {
        Condition::PlanEndsWithin(_) => end(EndKind::Plan),
        Condition::CreditEndsWithin(_) => end(EndKind::Credit),
        Condition::NumberEndsWithin(_) => end(EndKind::Number),
        Condition::DataBelow(_)
        | Condition::DataShareBelow(_)
        | Condition::VoiceBelow(_)
        | Condition::SmsBelow(_)
        | Condition::CreditBelow(_) => {
            let kind = usage::kind(trigger.condition)?;
            let (_, used) = uses.iter().find(|(known, _)| *known == kind)?;
            Some((Loss::RunsOut(kind), lasting(kind, reading, used.habit()?, &card.zone)?.early?))
        }
    }
}

/// What people are to be told once the moment has passed: what the daemon does about it. None while it has not, when it is
/// too late, or when nothing keeps the purchase from beginning. `open` is the attempt that is open.
#[must_use]
pub fn alarm(
    card: &Card,
    rule: &Rule,
    reading: &Reading,
    open: Option<&Attempt>,
    verdict: Verdict,
    last: &LastSafe,
    now: UnixTime,
) -> Option<NextStep> {
    if !may_alarm(verdict) || now < last.at || now >= last.ends {
        return None;
    }
    match verdict {
        Verdict::Open { .. } => match open?.approval {
            Approval::Asked { at, .. } if now.since(at) >= ANSWERS_WITHIN => Some(NextStep::Asks),
            Approval::Asked { .. } | Approval::Given { .. } | Approval::NotNeeded => None,
        },
        // What begins in time by itself needs nobody.
        Verdict::Wait { until } if until < last.ends => None,
        _ => Some(warn::next_step(card, Some(rule), reading, verdict, None, now)),
    }
}

/// How long before an end its rule begins, where that is less than an order and its money may take.
#[must_use]
pub fn begins_late(rule: &Rule, last: &LastSafe) -> Option<Secs> {
    let lead = |trigger: &Trigger| match (trigger.condition, last.loss) {
        (Condition::PlanEndsWithin(lead), Loss::Ends(EndKind::Plan))
        | (Condition::CreditEndsWithin(lead), Loss::Ends(EndKind::Credit))
        | (Condition::NumberEndsWithin(lead), Loss::Ends(EndKind::Number)) => Some(lead),
        _ => None,
    };
    let lead = rule.renew_when.triggers.iter().filter_map(lead).max()?;
    (lead.0 < last.lead.total().0).then_some(lead)
}

impl Loss {
    /// What tells its alarm apart from others of its cycle.
    #[must_use]
    pub fn step(self) -> String {
        match self {
            Self::RunsOut(kind) => format!("runs_out:{kind}"),
            Self::Ends(which) => format!("ends:{which}"),
        }
    }
}

/// Whether something keeps a purchase from beginning. If not, it begins now or is under way, it is not wanted, or it cannot be
/// had.
#[must_use]
pub const fn may_alarm(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Open { state: StateName::Planned }
        | Verdict::Wait { .. }
        | Verdict::Watch
        | Verdict::Blocked
        | Verdict::Paused
        | Verdict::Stale => true,
        Verdict::Fine
        | Verdict::Renew
        | Verdict::Ask
        | Verdict::Open { .. }
        | Verdict::OutsideDates
        | Verdict::CannotRenew
        | Verdict::Retired => false,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::attempt::AskWhy;
    use crate::domain::data::DataSize;
    use crate::domain::reading::AllowanceState;
    use crate::domain::rule::Mode;
    use crate::domain::testing::{CLASS_C, NOW, REPLAYS, attempt, card, every_state, reading, rule, zone};
    use crate::domain::time::{End, LocalHours};

    const LEAD: Lead = Lead { settling: Secs::hours(2), payment: Secs::hours(10) };

    fn ends_in(hours: i64) -> Reading {
        Reading { plan_ends: Some(End::at(NOW.plus(Secs::hours(hours)))), ..reading(5_000_000_000) }
    }

    fn hours(rule: &Rule, reading: &Reading) -> Option<i64> {
        last_safe(&card(), rule, reading, &[], LEAD, NOW).map(|last| last.at.since(NOW).0 / 3_600)
    }

    fn watches(conditions: &[Condition]) -> Rule {
        rule(Mode::Auto, conditions)
    }

    #[test]
    fn it_lies_before_the_end_by_what_an_order_and_its_money_may_take() {
        let ends = watches(&[Condition::PlanEndsWithin(Secs::DAY)]);
        assert_eq!(hours(&ends, &ends_in(48)), Some(36));
        assert_eq!(hours(&ends, &reading(0)), None, "no end is told");
        assert_eq!(
            hours(&watches(&[Condition::NumberEndsWithin(Secs::DAY)]), &ends_in(48)),
            None,
            "it is about another"
        );
        let mut next_waits = ends_in(48);
        next_waits.allowances[0].state = AllowanceState::Queued;
        assert_eq!(hours(&ends, &next_waits), None);
        let over = Rule { until: Some(date(2026, 12, 16)), ..ends.clone() };
        assert_eq!(hours(&over, &ends_in(48)), None, "the trip is over before");
        // NOW is noon; 36 hours later is midnight, outside the hours that were over at eight.
        let by_day = Rule { hours: LocalHours::parse("08:00-20:00").ok(), ..ends };
        let last = last_safe(&card(), &by_day, &ends_in(48), &[], LEAD, NOW).unwrap();
        assert_eq!((last.at.since(NOW), last.hours), (Secs(32 * 3_600 - 1), Secs(4 * 3_600 + 1)));
    }

    #[test]
    fn of_several_losses_the_first_counts_or_the_last_where_all_are_needed() {
        let mut both = ends_in(48);
        both.number_ends = Some(End::at(NOW.plus(Secs::hours(72))));
        let mut rule = watches(&[Condition::PlanEndsWithin(Secs::DAY), Condition::NumberEndsWithin(Secs::DAY)]);
        assert_eq!(hours(&rule, &both), Some(36));
        rule.renew_when.join = Join::All;
        assert_eq!(hours(&rule, &both), Some(60));
        both.plan_ends = None;
        assert_eq!(hours(&rule, &both), None);
    }

    #[test]
    fn what_runs_out_counts_by_more_use_than_expected_and_earlier_the_older_its_reading_is() {
        let past: Vec<Reading> = (0..=120)
            .rev()
            .map(|hours| {
                let at = NOW.minus(Secs::hours(hours));
                Reading { read_at: at, as_of: at, ..reading(240_000_000 + hours * 10_000_000) }
            })
            .collect();
        let uses = [(AllowanceKind::Data, Forecast::of(AllowanceKind::Data, &past, &zone("UTC"), NOW))];
        let low = watches(&[Condition::DataBelow(DataSize(1))]);
        let at = |now: UnixTime| last_safe(&card(), &low, past.last().unwrap(), &uses, LEAD, now).unwrap();
        let last = at(NOW);
        assert_eq!(last.loss, Loss::RunsOut(AllowanceKind::Data));
        // A day's use is left; more use than expected takes half of that time and more.
        assert!((6..24).contains(&(last.ends.since(NOW).0 / 3_600)), "{:?}", last.ends);
        assert_eq!(at(NOW.plus(Secs::hours(3))).at, last.at.minus(Secs::hours(3)));
        assert_eq!(last_safe(&card(), &low, past.last().unwrap(), &[], LEAD, NOW), None, "use is not known");
    }

    #[test]
    fn a_rule_that_begins_later_than_an_order_may_take_is_seen() {
        let begins_late = |hours| {
            let rule =
                watches(&[Condition::PlanEndsWithin(Secs::hours(hours)), Condition::NumberEndsWithin(Secs::HOUR)]);
            begins_late(&rule, &last_safe(&card(), &rule, &ends_in(48), &[], LEAD, NOW).unwrap())
        };
        assert_eq!((begins_late(11), begins_late(12)), (Some(Secs::hours(11)), None));
    }

    #[test]
    fn an_order_may_take_as_long_as_its_operators_class_allows() {
        assert_eq!(Lead::of(&REPLAYS, Secs::ZERO).settling, Secs(120 + 60 + 3_600));
        assert_eq!(Lead::of(&CLASS_C, Secs::DAY), Lead { settling: Secs::hours(73), payment: Secs::DAY });
    }

    #[test]
    fn it_alarms_between_the_moment_and_the_loss_while_something_keeps_the_purchase_from_beginning() {
        let rule = watches(&[Condition::PlanEndsWithin(Secs::DAY)]);
        let reading = ends_in(48);
        let last = last_safe(&card(), &rule, &reading, &[], LEAD, NOW).unwrap();
        let asked_at =
            |at| Attempt { approval: Approval::Asked { at, why: AskWhy::Mode }, ..attempt(every_state()[0].clone()) };
        let at = |now, verdict, asked: Option<UnixTime>| {
            alarm(&card(), &rule, &reading, asked.map(asked_at).as_ref(), verdict, &last, now)
        };
        assert_eq!(at(last.at.minus(Secs(1)), Verdict::Blocked, None), None);
        assert_eq!(at(last.at, Verdict::Blocked, None), Some(NextStep::IsBlocked));
        assert_eq!(at(last.ends.minus(Secs(1)), Verdict::Paused, None), Some(NextStep::IsPaused));
        assert_eq!(at(last.ends, Verdict::Blocked, None), None, "it is lost, which is told otherwise");
        for quiet in [Verdict::Fine, Verdict::Renew, Verdict::Open { state: StateName::Unknown }, Verdict::OutsideDates]
        {
            assert_eq!(at(last.at, quiet, Some(NOW)), None, "{quiet:?}");
            assert!(!may_alarm(quiet));
        }
        let planned = Verdict::Open { state: StateName::Planned };
        assert_eq!(at(last.at, planned, Some(last.at.minus(ANSWERS_WITHIN))), Some(NextStep::Asks));
        assert_eq!(at(last.at, planned, Some(last.at.minus(Secs::HOUR))), None, "there is time to answer");
        assert_eq!(at(last.at, planned, None), None);
        let wait = |until| at(last.at, Verdict::Wait { until }, None);
        assert_eq!((wait(last.ends.minus(Secs(1))), wait(last.ends).is_some()), (None, true));
        assert!(at(last.at, Verdict::Watch, None).is_some() && at(last.at, Verdict::Stale, None).is_some());
    }
}
