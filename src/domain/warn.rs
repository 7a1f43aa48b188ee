//! What people are told beforehand: steps before each of the three ends, conditions that hold while nothing is bought,
//! and cards that cannot be renewed.

use super::assess::{Action, Verdict};
use super::card::Card;
use super::ledger::Ledger;
use super::notice::{Due, NextStep};
use super::reading::{CardState, EndKind, Reading, Renewable};
use super::rule::{Condition, Join, Mode, Rule, Trigger, WARN_BEFORE};
use super::time::{End, Secs, UnixTime, day_after, day_start};

/// What ended longer ago is no news: a list of cards that is taken over from an operator is full of plans long gone, and
/// nobody wants a message about each.
pub(super) const NEWS: Secs = Secs::days(30);

/// Adds the warnings that hold now. Each is told once, which the keys of the notices see to: see `warning_step`.
#[expect(clippy::too_many_arguments, reason = "one decision sees all that assess sees")]
pub(super) fn warnings(
    card: &Card,
    rule: Option<&Rule>,
    reading: &Reading,
    ledger: &Ledger,
    verdict: Verdict,
    fired: Option<Trigger>,
    now: UnixTime,
    actions: &mut Vec<Action>,
) {
    let steps = rule.map_or(&WARN_BEFORE[..], |rule| &rule.warn_before);
    let mut any_end = false;
    for (which, end) in reading.ends() {
        // Only the plan's own end moves with the plan that was bought.
        let length = ledger.cycle_length.filter(|_| which == EndKind::Plan);
        if end.left(now).0 < -NEWS.0 {
            continue;
        }
        if let Some(step) = step_reached(steps, end.left(now), length) {
            any_end = true;
            let next = next_step(card, rule, reading, verdict, Some((which, end)), now);
            actions.push(Action::Warn { due: Due::End { which, end, step }, next });
        }
    }
    let buys_by_itself = matches!(verdict, Verdict::Renew | Verdict::Ask | Verdict::Open { .. } | Verdict::Wait { .. });
    if let Some(trigger) = fired.filter(|_| !buys_by_itself) {
        let next = next_step(card, rule, reading, verdict, None, now);
        actions.push(Action::Warn { due: Due::Low { trigger }, next });
    }
    let recycled = reading.state == CardState::Recycled;
    if recycled || reading.renewable == Renewable::OneOff && (any_end || fired.is_some()) {
        actions.push(Action::Warn { due: Due::Dead { renewable: reading.renewable }, next: NextStep::CannotRenew });
    }
}

/// The smallest step that has been reached; zero once the end is over. A step longer than half of the plan's own length
/// would come right after each purchase, so half the length takes its place: nothing ends without a word.
fn step_reached(steps: &[Secs], left: Secs, plan_length: Option<Secs>) -> Option<Secs> {
    if left <= Secs::ZERO {
        return Some(Secs::ZERO);
    }
    let half = plan_length.filter(|length| length.0 > 1).map_or(Secs::LONGEST, |length| Secs(length.0 / 2));
    steps.iter().map(|step| half.min(*step)).filter(|step| left <= *step).min()
}

/// What the daemon will do about a card for which something is due.
pub(super) fn next_step(
    card: &Card,
    rule: Option<&Rule>,
    reading: &Reading,
    verdict: Verdict,
    warned: Option<(EndKind, End)>,
    now: UnixTime,
) -> NextStep {
    if reading.state == CardState::Recycled || reading.renewable == Renewable::OneOff {
        return NextStep::CannotRenew;
    }
    let Some(rule) = rule else { return NextStep::OnlyWatches };
    match verdict {
        Verdict::Paused => NextStep::IsPaused,
        Verdict::OutsideDates => NextStep::OutsideDates,
        Verdict::Blocked | Verdict::Open { .. } | Verdict::Stale => NextStep::IsBlocked,
        Verdict::CannotRenew => NextStep::CannotRenew,
        Verdict::Wait { until } if rule.mode == Mode::Auto => NextStep::Buys { from: until },
        Verdict::Fine => match warned {
            Some((which, end)) => by_its_lead(card, rule, which, end, now),
            None => willing(card, rule, now, now),
        },
        Verdict::Renew | Verdict::Ask | Verdict::Watch | Verdict::Wait { .. } | Verdict::Retired => {
            willing(card, rule, now, now)
        }
    }
}

/// What happens about an end for which no condition holds yet: nothing by itself, unless the rule has one that surely
/// will.
fn by_its_lead(card: &Card, rule: &Rule, which: EndKind, end: End, now: UnixTime) -> NextStep {
    let triggers = &rule.renew_when.triggers;
    let lead = |trigger: &Trigger| match trigger.condition {
        Condition::PlanEndsWithin(lead) if which == EndKind::Plan => Some(lead),
        Condition::CreditEndsWithin(lead) if which == EndKind::Credit => Some(lead),
        Condition::NumberEndsWithin(lead) if which == EndKind::Number => Some(lead),
        Condition::PlanEndsWithin(_) | Condition::CreditEndsWithin(_) | Condition::NumberEndsWithin(_) => None,
        Condition::DataBelow(_) | Condition::DataShareBelow(_) | Condition::VoiceBelow(_) => None,
        Condition::SmsBelow(_) | Condition::CreditBelow(_) => None,
    };
    let alone = rule.renew_when.join == Join::Any || triggers.len() == 1;
    match triggers.iter().filter_map(lead).max() {
        Some(lead) if alone => willing(card, rule, end.at.minus(lead).max(now), now),
        Some(_) | None => NextStep::OnlyWatches,
    }
}

/// What the rule does from `begins` on, unless people have said otherwise.
fn willing(card: &Card, rule: &Rule, begins: UnixTime, now: UnixTime) -> NextStep {
    if card.wishes.skip_next || card.wishes.pause.as_ref().is_some_and(|pause| pause.holds(now)) {
        return NextStep::IsPaused;
    }
    let from = rule.hours.map_or(begins, |hours| hours.next_open(begins, &card.zone));
    let too_early = rule.from.is_some_and(|day| from < day_start(day, &card.zone));
    let too_late = rule.until.is_some_and(|day| from >= day_after(day, &card.zone));
    match rule.mode {
        Mode::Watch => NextStep::OnlyWatches,
        Mode::Ask | Mode::Auto if too_early || too_late => NextStep::OutsideDates,
        Mode::Ask => NextStep::Asks,
        Mode::Auto => NextStep::Buys { from },
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::assess::assess;
    use crate::domain::attempt::{AttemptId, StateName};
    use crate::domain::card::Pause;
    use crate::domain::data::DataSize;
    use crate::domain::ledger::OpenAttempt;
    use crate::domain::reading::Recent;
    use crate::domain::testing::{NOW, card, reading, rule};
    use crate::domain::time::LocalHours;

    const DAY: i64 = 86_400;

    fn ending(secs: i64) -> Reading {
        Reading { plan_ends: Some(End::at(NOW.plus(Secs(secs)))), ..reading(900) }
    }

    /// The warnings that `assess` gives.
    fn told(card: &Card, rule: Option<&Rule>, reading: Reading, ledger: &Ledger) -> Vec<(Due, NextStep)> {
        let readings = Recent { latest: Some(reading), previous: None, odd: None, ..Recent::default() };
        let warning = |action| match action {
            Action::Warn { due, next } => Some((due, next)),
            Action::Renew { .. } | Action::NewCycle => None,
        };
        assess(card, rule, &readings, ledger, NOW).actions.into_iter().filter_map(warning).collect()
    }

    fn next(card: &Card, rule: &Rule, reading: Reading) -> NextStep {
        told(card, Some(rule), reading, &Ledger::default())[0].1
    }

    #[test]
    fn each_step_is_reached_at_its_exact_second() {
        for (left, step) in [
            (8 * DAY, None),
            (7 * DAY + 1, None),
            (7 * DAY, Some(7 * DAY)),
            (3 * DAY + 1, Some(7 * DAY)),
            (3 * DAY, Some(3 * DAY)),
            (DAY + 1, Some(3 * DAY)),
            (DAY, Some(DAY)),
            (1, Some(DAY)),
            (0, Some(0)),
            (-1, Some(0)),
            (i64::MIN, Some(0)),
        ] {
            assert_eq!(step_reached(&WARN_BEFORE, Secs(left), None), step.map(Secs), "{left}");
        }
        assert_eq!(step_reached(&[], Secs(1), None), None);
        assert_eq!(step_reached(&[], Secs(0), None), Some(Secs::ZERO));
        assert_eq!(step_reached(&[Secs(i64::MAX)], Secs(i64::MAX - 1), None), None, "longer than any end can be");
    }

    #[test]
    fn what_ended_long_ago_is_no_news() {
        let card = card();
        let warned = |secs| told(&card, None, ending(secs), &Ledger::default()).len();
        assert_eq!((warned(-30 * DAY), warned(-30 * DAY - 1)), (1, 0));
    }

    #[test]
    fn a_short_plan_is_warned_of_at_half_its_length_and_not_right_after_it_was_bought() {
        for (length, left, step) in [
            (7 * DAY, 7 * DAY, None),
            (7 * DAY, 7 * DAY / 2 + 1, None),
            (7 * DAY, 7 * DAY / 2, Some(7 * DAY / 2)),
            (7 * DAY, 3 * DAY, Some(3 * DAY)),
            (DAY, DAY / 2 + 1, None),
            (DAY, DAY / 2, Some(DAY / 2)),
            (14 * DAY, 7 * DAY, Some(7 * DAY)),
            (0, 7 * DAY, Some(7 * DAY)),
            (i64::MIN, 7 * DAY, Some(7 * DAY)),
            (i64::MAX, 7 * DAY, Some(7 * DAY)),
        ] {
            assert_eq!(
                step_reached(&WARN_BEFORE, Secs(left), Some(Secs(length))),
                step.map(Secs),
                "{left} of {length}"
            );
        }
    }

    #[test]
    fn the_plans_length_measures_the_plans_end_alone() {
        let ledger = Ledger { cycle_length: Some(Secs(DAY)), ..Ledger::default() };
        let soon = End::at(NOW.plus(Secs(7 * DAY)));
        let reading = Reading { number_ends: Some(soon), plan_ends: Some(soon), credit_ends: Some(soon), ..reading(9) };
        let seen = told(&card(), None, reading, &ledger);
        let due = |which| (Due::End { which, end: soon, step: Secs(7 * DAY) }, NextStep::OnlyWatches);
        assert_eq!(seen, [due(EndKind::Credit), due(EndKind::Number)]);
    }

    #[test]
    fn it_is_said_that_it_buys_only_where_a_condition_will_surely_hold() {
        let lead = Secs::hours(36);
        let within = Condition::PlanEndsWithin(lead);
        let below = Condition::DataBelow(DataSize(1));
        let buys = NextStep::Buys { from: NOW.plus(Secs(3 * DAY)).minus(lead) };
        let auto = |conditions: &[Condition]| rule(Mode::Auto, conditions);
        assert_eq!(next(&card(), &auto(&[below, within]), ending(3 * DAY)), buys);
        assert_eq!(next(&card(), &auto(&[Condition::PlanEndsWithin(Secs(5)), within]), ending(3 * DAY)), buys);
        for conditions in
            [&[][..], &[below], &[Condition::NumberEndsWithin(lead)], &[Condition::CreditEndsWithin(lead)]]
        {
            assert_eq!(next(&card(), &auto(conditions), ending(3 * DAY)), NextStep::OnlyWatches, "{conditions:?}");
        }
        let mut all = auto(&[below, within]);
        all.renew_when.join = Join::All;
        assert_eq!(next(&card(), &all, ending(3 * DAY)), NextStep::OnlyWatches);
        all.renew_when.triggers.remove(0);
        assert_eq!(next(&card(), &all, ending(3 * DAY)), buys);
        assert_eq!(next(&card(), &rule(Mode::Ask, &[within]), ending(3 * DAY)), NextStep::Asks);
        assert_eq!(next(&card(), &rule(Mode::Watch, &[within]), ending(3 * DAY)), NextStep::OnlyWatches);
        assert_eq!(next(&card(), &auto(&[within]), ending(DAY)), NextStep::Buys { from: NOW });
    }

    #[test]
    fn dates_hours_and_wishes_are_minded_beforehand() {
        let within = Condition::PlanEndsWithin(Secs::hours(36));
        let mut trip = rule(Mode::Auto, &[within]);
        trip.until = Some(date(2026, 12, 16));
        // In three days from 2026-12-15T12:00Z it ends; 36 hours before that the trip is over to the second.
        assert_eq!(next(&card(), &trip, ending(3 * DAY)), NextStep::OutsideDates);
        assert!(matches!(next(&card(), &trip, ending(3 * DAY - 1)), NextStep::Buys { .. }));
        trip.until = None;
        trip.from = Some(date(2026, 12, 17));
        assert!(matches!(next(&card(), &trip, ending(3 * DAY)), NextStep::Buys { .. }));
        assert_eq!(next(&card(), &trip, ending(3 * DAY - 1)), NextStep::OutsideDates);
        trip.from = None;
        trip.hours = Some(LocalHours::parse("01:00-06:00").unwrap());
        let opens = UnixTime::parse("2026-12-17T01:00:00Z").unwrap();
        assert_eq!(next(&card(), &trip, ending(3 * DAY)), NextStep::Buys { from: opens });
        let mut paused = card();
        paused.wishes.pause = Some(Pause { since: NOW, until: None, by: "anna".into() });
        assert_eq!(next(&paused, &trip, ending(3 * DAY)), NextStep::IsPaused, "a paused card is still warned of");
        let mut skips = card();
        skips.wishes.skip_next = true;
        assert_eq!(next(&skips, &trip, ending(3 * DAY)), NextStep::IsPaused);
    }

    #[test]
    fn what_is_low_is_told_only_while_nothing_is_bought() {
        let low = [Condition::DataBelow(DataSize(901))];
        let lows = |mode, ledger: &Ledger| {
            let seen = told(&card(), Some(&rule(mode, &low)), reading(900), ledger);
            seen.into_iter().map(|(_, next)| next).collect::<Vec<_>>()
        };
        let mut ledger = Ledger::default();
        assert_eq!(lows(Mode::Auto, &ledger), []);
        assert_eq!(lows(Mode::Ask, &ledger), []);
        assert_eq!(lows(Mode::Watch, &ledger), [NextStep::OnlyWatches]);
        ledger.quarantined = true;
        assert_eq!(lows(Mode::Auto, &ledger), [NextStep::IsBlocked]);
        ledger.open = Some(OpenAttempt { id: AttemptId(1), state: StateName::Unknown, asked: false });
        assert_eq!(lows(Mode::Auto, &ledger), []);
    }

    #[test]
    fn a_card_that_cannot_be_renewed_is_told_when_it_matters() {
        let one_off = |secs| Reading { renewable: Renewable::OneOff, ..ending(secs) };
        let ledger = Ledger::default();
        assert_eq!(told(&card(), None, one_off(8 * DAY), &ledger), []);
        let seen = told(&card(), None, one_off(7 * DAY), &ledger);
        assert!(matches!(seen[0], (Due::End { .. }, NextStep::CannotRenew)));
        assert_eq!(seen[1], (Due::Dead { renewable: Renewable::OneOff }, NextStep::CannotRenew));
        let recycled = Reading { state: CardState::Recycled, ..ending(99 * DAY) };
        let dead = (Due::Dead { renewable: Renewable::Unknown }, NextStep::CannotRenew);
        assert_eq!(told(&card(), None, recycled, &ledger), [dead]);
    }
}
