//! When a card is read again: calm when it is far from every limit, closer when near, just when a date is reached, and
//! never faster than its operator answers anew.

use super::assess::Verdict;
use super::attempt::StateName;
use super::busiest::Busiest;
use super::card::CardId;
use super::cycle;
use super::ledger::Ledger;
use super::reading::{AllowanceKind, Reading, Recent};
use super::retry;
use super::rule::{Condition, Rule};
use super::time::{End, Secs, UnixTime};
use super::usage::{kind, limit};

/// Neighbouring rows share their spread, so that they stay due together and one page of the record serves them all.
const NEIGHBOURS_SHIFT: u32 = 9;
/// Close to an end, or where little is known, a card is read this many times as often.
const NEAR_FACTOR: i64 = 4;
/// A card whose order was taken is read this often until it shows.
const EFFECT_LOOKED_FOR: Secs = Secs::minutes(10);
/// An end this near is close.
const NEAR_END: Secs = Secs::days(2);
/// A limit that a busy time could reach within this is close.
const NEAR_LIMIT: Secs = Secs::days(3);
/// However soon an amount may reach its limit, its card is not read more often than this.
const SOONEST: Secs = Secs::minutes(10);
/// Nor an idle card more often than this: a few of them lie close to their limit for months.
const SOONEST_IDLE: Secs = Secs::minutes(15);
/// An amount that lasts for some time is looked at this much after that at most.
const LOOKED_AT_AFTER: Secs = Secs::minutes(10);
/// Cards whose dates fall on the same instant are read within this time after it.
pub(super) const DATES_SPREAD: Secs = Secs::minutes(5);

/// The next time to read the card.
pub(super) fn next_poll(
    card: CardId,
    rule: Option<&Rule>,
    readings: &Recent,
    ledger: &Ledger,
    verdict: Verdict,
    now: UnixTime,
) -> UnixTime {
    let pace = ledger.pace;
    let floor = pace.at_most.0.max(1);
    let mut wait = pace.every.0.max(floor);
    // A card that was set aside waits for two readings that agree.
    if ledger.quarantined || is_near(rule, readings, now) {
        wait = (wait / NEAR_FACTOR).max(floor);
    }
    let neighbourhood = retry::mixed(card.0.unsigned_abs() >> NEIGHBOURS_SHIFT, ledger.cycle);
    let mut regular = now.plus(Secs(retry::spread(Secs(wait), 5, neighbourhood).0.max(floor)));
    if let Some(wait) = rule.and_then(|rule| amounts_wait(rule, readings, now)) {
        regular = regular.min(now.plus(wait.max(Secs(floor))));
    }
    if let Some(date) = rule.and_then(|rule| next_date(rule, readings, now)) {
        let after = i64::try_from(neighbourhood % DATES_SPREAD.0.unsigned_abs()).unwrap_or(0);
        regular = regular.min(date.plus(Secs(after)).max(now.plus(Secs(floor))));
    }
    match verdict {
        // The renewal's own reading comes when it may begin.
        Verdict::Wait { until } if until > now => regular.min(until),
        // The order's own looks come sooner at first; a day of these tells no more than they do.
        Verdict::Open { state: StateName::Accepted } => regular.min(now.plus(EFFECT_LOOKED_FOR.max(pace.at_most))),
        _ => regular,
    }
}

/// Whether an end or a limit may be reached within days, so that what the card is used for is worth a look at its past.
pub(super) fn comes_soon(rule: &Rule, readings: &Recent, now: UnixTime) -> bool {
    is_near(Some(rule), readings, now) || amounts_wait(rule, readings, now).is_some_and(|wait| wait < NEAR_LIMIT)
}

/// Whether an end comes near, an amount is below its limit or its use not known yet, or an end on which the rule waits is
/// not told: an operator may have left it out of one answer.
fn is_near(rule: Option<&Rule>, readings: &Recent, now: UnixTime) -> bool {
    let Some(reading) = &readings.latest else { return false };
    let ends_soon = cycle::first_end(reading).is_some_and(|end| (0..=NEAR_END.0).contains(&end.since(now).0));
    let Some(rule) = rule else { return ends_soon };
    let lasts = |condition, margin| busiest(kind(condition)?, readings)?.lasts(margin);
    let close = |condition: Condition| match watched_end(condition, reading) {
        Some((end, lead)) => nears(end.map(|end| end.left(now)), lead),
        None => margin(condition, reading).is_some_and(|margin| match lasts(condition, margin) {
            Some(_) => margin <= 0,
            None => limit(condition, reading).is_some_and(|limit| margin <= limit),
        }),
    };
    let conditions = || rule.renew_when.triggers.iter().map(|trigger| trigger.condition);
    ends_soon || conditions().any(close) || lacks_ends(conditions(), reading)
}

/// Whether there are ends on which conditions wait, and the reading has none of them.
fn lacks_ends(mut conditions: impl Iterator<Item = Condition>, reading: &Reading) -> bool {
    let mut ends = conditions.by_ref().filter_map(|condition| watched_end(condition, reading)).peekable();
    ends.peek().is_some() && ends.all(|(end, _)| end.is_none())
}

/// The end about which a condition is, if the reading has it, and how long before it the condition holds; none for a
/// condition on an amount.
fn watched_end(condition: Condition, reading: &Reading) -> Option<(Option<End>, Secs)> {
    match condition {
        Condition::PlanEndsWithin(lead) => Some((reading.plan_ends, lead)),
        Condition::CreditEndsWithin(lead) => Some((reading.credit_ends, lead)),
        Condition::NumberEndsWithin(lead) => Some((reading.number_ends, lead)),
        Condition::DataBelow(_)
        | Condition::DataShareBelow(_)
        | Condition::VoiceBelow(_)
        | Condition::SmsBelow(_)
        | Condition::CreditBelow(_) => None,
    }
}

/// Whether a deadline's own lead time begins within a day.
fn nears(left: Option<Secs>, lead: Secs) -> bool {
    left.is_some_and(|left| left.0 > lead.0 && left.0.saturating_sub(lead.0) <= Secs::DAY.0)
}

/// What may be used until a condition on an amount holds, which is strictly below its limit; zero or less once it does.
fn margin(condition: Condition, reading: &Reading) -> Option<i64> {
    let left = reading.left(kind(condition)?);
    let is_told = left.known && !left.unlimited;
    let margin = left.remaining.checked_sub(limit(condition, reading)?)?.saturating_add(1);
    is_told.then_some(margin)
}

/// How the card was busiest with what a condition is about, as far as that is known.
fn busiest(kind: AllowanceKind, readings: &Recent) -> Option<&Busiest> {
    readings.busiest.iter().find(|busiest| busiest.kind == kind)
}

/// How long from now no reading is needed for the amounts, as far as use is known. An amount that is below its limit
/// already waits for nothing.
fn amounts_wait(rule: &Rule, readings: &Recent, now: UnixTime) -> Option<Secs> {
    let reading = readings.latest.as_ref()?;
    let wait = |condition: Condition| {
        let margin = margin(condition, reading).filter(|margin| *margin > 0)?;
        wait_for(busiest(kind(condition)?, readings)?, margin, reading.as_of, now)
    };
    let conditions = rule.renew_when.triggers.iter().filter_map(|trigger| wait(trigger.condition));
    conditions.chain(rule.looks_ahead().then(|| data_waits(reading, readings, now)).flatten()).min()
}

/// The same for the end of all data. A rule that looks ahead puts off what it need not buy yet, so the end of what is left
/// matters to it as well.
fn data_waits(reading: &Reading, readings: &Recent, now: UnixTime) -> Option<Secs> {
    let left = reading.left(AllowanceKind::Data);
    let is_told = left.known && !left.unlimited && left.remaining > 0;
    let busiest = busiest(AllowanceKind::Data, readings).filter(|_| is_told)?;
    wait_for(busiest, left.remaining, reading.as_of, now)
}

/// How long from now no reading is needed for what lasted from `as_of` on: until it may be used up, and the longer that is
/// the more beyond it, for a look a few minutes after is soon enough.
fn wait_for(busiest: &Busiest, left: i64, as_of: UnixTime, now: UnixTime) -> Option<Secs> {
    let lasts = as_of.plus(busiest.lasts(left)?).since(now);
    let beyond = lasts.0.saturating_sub(SOONEST.0).clamp(0, LOOKED_AT_AFTER.0);
    let soonest = if busiest.is_idle() { SOONEST_IDLE } else { SOONEST };
    Some(Secs(lasts.0.saturating_add(beyond)).max(soonest))
}

/// When the next date comes about which people are told or something is bought: the lead of a condition or of a warning, or
/// an end itself.
fn next_date(rule: &Rule, readings: &Recent, now: UnixTime) -> Option<UnixTime> {
    let reading = readings.latest.as_ref()?;
    let of_conditions = rule
        .renew_when
        .triggers
        .iter()
        .filter_map(|trigger| watched_end(trigger.condition, reading))
        .filter_map(|(end, lead)| Some(end?.at.minus(lead)));
    let first_end = cycle::first_end(reading);
    let of_warnings = rule.warn_before.iter().filter_map(|lead| Some(first_end?.minus(*lead)));
    of_conditions.chain(of_warnings).chain(first_end).filter(|date| *date > now).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::{DataSize, Percent};
    use crate::domain::ledger::Pace;
    use crate::domain::money::{Currency, Money};
    use crate::domain::reading::Reading;
    use crate::domain::rule::Mode;
    use crate::domain::testing::{NOW, allowance, reading, rule};
    use crate::domain::time::End;

    fn recent(reading: Reading) -> Recent {
        Recent { latest: Some(reading), previous: None, odd: None, ..Recent::default() }
    }

    fn near(conditions: &[Condition], reading: Reading) -> bool {
        is_near(Some(&rule(Mode::Auto, conditions)), &recent(reading), NOW)
    }

    fn ends(secs: i64) -> Option<End> {
        Some(End::at(NOW.plus(Secs(secs))))
    }

    #[test]
    fn an_amount_is_near_below_twice_its_limit() {
        let hundred = 100;
        let usd = |amount| Condition::CreditBelow(Money::new(amount, Currency::USD));
        let cases = [
            (Condition::DataBelow(DataSize(100)), AllowanceKind::Data),
            (Condition::VoiceBelow(Secs(100)), AllowanceKind::Voice),
            (Condition::SmsBelow(100), AllowanceKind::Sms),
            (usd(100), AllowanceKind::Credit(Currency::USD)),
        ];
        for (condition, kind) in cases {
            for (left, expected) in [(-1, true), (0, true), (2 * hundred - 1, true), (2 * hundred, false)] {
                let mut reading = reading(0);
                reading.allowances = vec![allowance(kind, left)];
                assert_eq!(near(&[condition], reading), expected, "{left} {kind:?}");
            }
            assert!(!near(&[condition], Reading::empty(NOW, crate::domain::reading::CardState::Active)));
        }
        let share = |left: i64, total: Option<i64>| {
            let mut reading = reading(left);
            reading.allowances[0].total = total;
            near(&[Condition::DataShareBelow(Percent(20))], reading)
        };
        assert!(share(399, Some(1_000)));
        assert!(!share(400, Some(1_000)));
        assert!(!share(0, None));
        assert!(!share(0, Some(-1)));
        assert!(near(&[Condition::DataBelow(DataSize(u64::MAX))], reading(i64::MAX)));
    }

    #[test]
    fn an_end_is_near_two_days_before_and_a_lead_one_day_before() {
        let day = 86_400;
        let with = |secs: i64| Reading { plan_ends: ends(secs), ..reading(i64::MAX) };
        for (secs, expected) in [(-1, false), (0, true), (2 * day, true), (2 * day + 1, false)] {
            assert_eq!(near(&[], with(secs)), expected, "{secs}");
            assert_eq!(is_near(None, &recent(with(secs)), NOW), expected, "{secs}");
        }
        let lead = Condition::PlanEndsWithin(Secs(10 * day));
        for (secs, expected) in [(10 * day, false), (10 * day + 1, true), (11 * day, true), (11 * day + 1, false)] {
            assert_eq!(near(&[lead], with(secs)), expected, "{secs}");
        }
        assert!(!is_near(None, &Recent::default(), NOW));
    }

    #[test]
    fn a_calm_card_is_read_at_its_pace_and_a_near_one_four_times_as_often() {
        let wait = |every: i64, at_most: i64, left: i64| {
            let ledger = Ledger { pace: Pace { every: Secs(every), at_most: Secs(at_most) }, ..Ledger::default() };
            let rule = rule(Mode::Auto, &[Condition::DataBelow(DataSize(100))]);
            next_poll(CardId(1), Some(&rule), &recent(reading(left)), &ledger, Verdict::Fine, NOW).since(NOW).0
        };
        let about = |wait: i64, secs: i64| (wait - secs).abs() <= secs / 20;
        assert!(about(wait(21_600, 60, 1_000), 21_600));
        assert!(about(wait(21_600, 60, 100), 5_400));
        for (every, at_most) in [(0, 0), (-5, -5), (1, 1), (1, 1_200), (1_200, 1_200), (4_000, 1_200)] {
            for left in [100, 1_000] {
                let wait = wait(every, at_most, left);
                assert!(wait >= at_most.max(1), "{every} {at_most}: {wait}");
            }
        }
        let _ = wait(i64::MAX, i64::MAX, 0);
    }

    /// Even use with a busiest hour and day.
    fn used(hour: i64, day: i64) -> Busiest {
        Busiest { hour, day: Some(day), even: 1_000, ..Busiest::unknown(AllowanceKind::Data, NOW) }
    }

    /// When a card is read next whose busiest hour and day are known.
    fn after(conditions: &[Condition], reading: Reading, (hour, day): (i64, i64)) -> Secs {
        after_use(conditions, reading, used(hour, day))
    }

    fn after_use(conditions: &[Condition], reading: Reading, busiest: Busiest) -> Secs {
        let recent = Recent { busiest: vec![busiest], ..recent(reading) };
        let ledger = Ledger { pace: Pace { every: Secs::hours(12), at_most: Secs(60) }, ..Ledger::default() };
        next_poll(CardId(1), Some(&rule(Mode::Auto, conditions)), &recent, &ledger, Verdict::Fine, NOW).since(NOW)
    }

    #[test]
    fn a_card_is_read_before_a_busy_hour_could_bring_it_to_its_limit() {
        let limit = [Condition::DataBelow(DataSize(100))];
        let calm = after(&limit, reading(1_000_000), (10, 100));
        assert!(calm > Secs::hours(11));
        // One more than the way to the limit, which holds strictly below it; more than twice as busy as it was, and a few
        // minutes beyond, but none beyond the soonest.
        for (left, expected) in [(100 + 21, 60 + 10), (100 + 10, 30 + 10), (100 + 2, 10), (101, 10)] {
            let waits = after(&limit, reading(left), (10, 100));
            assert_eq!((waits.0 + 30) / 60, expected, "{left}: {waits:?}");
        }
        assert_eq!(after(&limit, reading(99), (10, 100)).0 / 3_600, calm.0 / 4 / 3_600, "below it there is no hurry");
        assert_eq!(after(&limit, reading(101), (0, 0)), calm, "nothing was ever used");
    }

    #[test]
    fn what_an_old_answer_says_lasts_for_less() {
        let limit = [Condition::DataBelow(DataSize(100))];
        let old = Reading { as_of: NOW.minus(Secs::HOUR), ..reading(159) };
        let fresh = after(&limit, Reading { as_of: NOW, ..old.clone() }, (10, 100));
        assert_eq!(after(&limit, old, (10, 100)), Secs(fresh.0 - Secs::HOUR.0));
    }

    #[test]
    fn a_card_that_lies_idle_close_to_its_limit_is_read_less_often() {
        let limit = [Condition::DataBelow(DataSize(100))];
        let idle = |days| Busiest { idle_days: days, ..used(10, 100) };
        assert_eq!(after_use(&limit, reading(101), idle(5)), SOONEST);
        assert_eq!(after_use(&limit, reading(101), idle(6)), SOONEST_IDLE);
    }

    #[test]
    fn where_use_comes_at_once_a_card_is_watched_from_farther_on() {
        let limit = [Condition::DataBelow(DataSize(100))];
        let bursts = Busiest { even: 0, ..used(10, 100) };
        assert_eq!(after_use(&limit, reading(100 + 12), bursts), SOONEST);
        assert!(after_use(&limit, reading(100 + 12), used(10, 100)) > Secs::minutes(30));
    }

    #[test]
    fn a_card_is_read_just_when_a_date_is_reached() {
        let lead = [Condition::PlanEndsWithin(Secs::hours(24))];
        let ends_in = |secs: i64| Reading { plan_ends: ends(secs), ..reading(5) };
        for (secs, date) in [(86_400 + 7_200, 7_200), (3_600, 3_600), (7 * 86_400 + 600, 600)] {
            let waits = after(&lead, ends_in(secs), (0, 0)).0;
            assert!((date..date + DATES_SPREAD.0).contains(&waits), "{secs}: {waits}");
        }
        assert!(after(&lead, ends_in(86_400 + 1), (0, 0)).0 >= 60, "never faster than the operator answers anew");
    }

    #[test]
    fn a_rule_that_looks_ahead_watches_until_nothing_is_left() {
        use crate::domain::rule::{Buy, Choice};
        let recent = Recent { busiest: vec![used(100, 900)], ..recent(reading(220)) };
        let wait = |choice| {
            let buy = vec![Buy { choice, line: 2 }];
            let rule = Rule { buy, ..rule(Mode::Auto, &[Condition::DataBelow(DataSize(500))]) };
            next_poll(CardId(1), Some(&rule), &recent, &Ledger::default(), Verdict::Fine, NOW).since(NOW)
        };
        let (hour, beyond) = (wait(Choice::Cover), Secs::minutes(70));
        assert!((hour.0 - beyond.0).abs() < 60, "{hour:?}: more than twice as much as in the busiest hour");
        assert!(wait(Choice::Same) > Secs::HOUR, "what is below its limit waits for nothing");
    }

    #[test]
    fn an_end_that_is_not_told_is_looked_for_and_a_card_that_was_set_aside_is_read_sooner() {
        let lead = Condition::PlanEndsWithin(Secs::hours(24));
        assert!(near(&[lead], reading(5)));
        assert!(near(&[lead, Condition::NumberEndsWithin(Secs::DAY)], reading(5)));
        let told = Reading { number_ends: ends(90 * 86_400), ..reading(5) };
        assert!(!near(&[lead, Condition::NumberEndsWithin(Secs::DAY)], told), "no card has all of them");
        let wait = |quarantined| {
            let ledger = Ledger { quarantined, ..Ledger::default() };
            next_poll(CardId(1), None, &recent(reading(5)), &ledger, Verdict::Fine, NOW).since(NOW).0
        };
        assert!(wait(true) * 3 < wait(false));
    }

    #[test]
    fn a_wait_ends_with_a_reading_and_an_accepted_order_is_watched() {
        let ledger = Ledger::default();
        let poll = |verdict, now| next_poll(CardId(1), None, &Recent::default(), &ledger, verdict, now);
        let soon = NOW.plus(Secs(5));
        assert_eq!(poll(Verdict::Wait { until: soon }, NOW), soon);
        let late = Verdict::Wait { until: UnixTime::MAX };
        assert_eq!(poll(late, NOW), poll(Verdict::Fine, NOW));
        assert!(poll(Verdict::Wait { until: NOW }, NOW) > NOW);
        let accepted = Verdict::Open { state: StateName::Accepted };
        assert_eq!(poll(accepted, NOW), NOW.plus(ledger.pace.at_most));
        assert_eq!(poll(Verdict::Fine, UnixTime::MAX), UnixTime::MAX);
    }

    #[test]
    fn neighbours_are_spread_alike() {
        let ledger = Ledger::default();
        let poll = |id| next_poll(CardId(id), None, &Recent::default(), &ledger, Verdict::Fine, NOW);
        assert_eq!(poll(512), poll(1_023));
        let waits: std::collections::BTreeSet<UnixTime> = (0..40).map(|block| poll(block * 512)).collect();
        assert!(waits.len() > 30, "different blocks differ");
        let _ = poll(i64::MIN);
    }
}
