//! How fast a card is used, and when a condition of its rule may begin to hold: from ends exactly, from amounts by the use
//! since the last top-up within the last days.

use jiff::tz::TimeZone;

use super::forecast::Forecast;
use super::reading::{AllowanceKind, Reading};
use super::rule::{Condition, Rule};
use super::time::{End, Secs, UnixTime};

/// Use is told from readings that lie at least this far apart.
const APART_MIN: Secs = Secs::HOUR;
/// Use longer ago than this tells nothing about the days to come; a week has all kinds of days.
pub const LOOKS_BACK: Secs = Secs::days(7);

/// What is used within a day, in each kind's unit.
pub type Rates = Vec<(AllowanceKind, i64)>;

/// Whether a rule has a condition on an amount, for which readings of the past are needed.
#[must_use]
pub fn needs_past(rule: &Rule) -> bool {
    rule.renew_when.triggers.iter().any(|trigger| kind(trigger.condition).is_some())
}

/// The amounts that a rule's conditions are about.
#[must_use]
pub fn kinds(rule: &Rule) -> Vec<AllowanceKind> {
    rule.renew_when.triggers.iter().filter_map(|trigger| kind(trigger.condition)).collect()
}

/// How fast a rule's amounts fell, from readings in the order of time; amounts of which that cannot be told are left out.
#[must_use]
pub fn rates(rule: &Rule, past: &[Reading]) -> Rates {
    let kinds = rule.renew_when.triggers.iter().filter_map(|trigger| kind(trigger.condition));
    kinds.filter_map(|kind| Some((kind, use_per_day(kind, past)?))).collect()
}

/// What is used of each kind within a day, for looking ahead: as the forecast has it, or while that is collecting, since
/// the amount last grew within the last days. Readings are in the order of time.
#[must_use]
pub fn daily(kinds: &[AllowanceKind], past: &[Reading], zone: &TimeZone, now: UnixTime) -> Rates {
    let since = now.minus(LOOKS_BACK);
    let lately = &past[past.partition_point(|reading| reading.read_at < since)..];
    let of = |kind: AllowanceKind| {
        let forecast = Forecast::of(kind, past, zone, now);
        let mean = forecast.habit().map(|habit| habit.mean.round() as i64);
        mean.or_else(|| use_per_day(kind, lately)).map(|rate| (kind, rate))
    };
    kinds.iter().filter_map(|kind| of(*kind)).collect()
}

/// What is used of a kind within a day.
#[must_use]
pub fn rate(rates: &[(AllowanceKind, i64)], wanted: AllowanceKind) -> Option<i64> {
    rates.iter().find(|(kind, _)| *kind == wanted).map(|(_, rate)| *rate)
}

/// When a condition begins to hold, and whether that is an estimate; none if it cannot be told.
#[must_use]
pub fn moment(condition: Condition, reading: &Reading, rates: &[(AllowanceKind, i64)]) -> Option<(UnixTime, bool)> {
    let ends = |end: Option<End>, lead: Secs| end.map(|end| (end.at.minus(lead), false));
    match condition {
        Condition::PlanEndsWithin(lead) => ends(reading.plan_ends, lead),
        Condition::CreditEndsWithin(lead) => ends(reading.credit_ends, lead),
        Condition::NumberEndsWithin(lead) => ends(reading.number_ends, lead),
        Condition::DataBelow(_)
        | Condition::DataShareBelow(_)
        | Condition::VoiceBelow(_)
        | Condition::SmsBelow(_)
        | Condition::CreditBelow(_) => {
            let (kind, limit) = (kind(condition)?, limit(condition, reading)?);
            let rate = rate(rates, kind).filter(|rate| *rate > 0)?;
            let over = reading.left(kind).remaining.checked_sub(limit)?;
            // Strictly below: one unit more than the way down to the limit.
            let wait = (i128::from(over) + 1).max(0) * i128::from(Secs::DAY.0) / i128::from(rate) + 1;
            Some((reading.as_of.plus(Secs(i64::try_from(wait).unwrap_or(i64::MAX))), true))
        }
    }
}

/// What was used within a day since the amount last grew.
fn use_per_day(kind: AllowanceKind, past: &[Reading]) -> Option<i64> {
    let latest = past.last()?;
    let last = latest.left(kind);
    let usable = |reading: &Reading| reading.left(kind).known && !reading.left(kind).unlimited;
    if !usable(latest) {
        return None;
    }
    let (mut first, mut least) = (latest, last.remaining);
    for reading in past.iter().rev().skip(1).take_while(|reading| usable(reading)) {
        let left = reading.left(kind).remaining;
        if left < least {
            break;
        }
        (first, least) = (reading, left);
    }
    let apart = latest.as_of.since(first.as_of);
    if apart < APART_MIN {
        return None;
    }
    let used = i128::from(first.left(kind).remaining) - i128::from(last.remaining);
    i64::try_from(used * i128::from(Secs::DAY.0) / i128::from(apart.0)).ok()
}

/// What a condition on an amount is about; none for one on an end.
#[must_use]
pub const fn kind(condition: Condition) -> Option<AllowanceKind> {
    match condition {
        Condition::DataBelow(_) | Condition::DataShareBelow(_) => Some(AllowanceKind::Data),
        Condition::VoiceBelow(_) => Some(AllowanceKind::Voice),
        Condition::SmsBelow(_) => Some(AllowanceKind::Sms),
        Condition::CreditBelow(limit) => Some(AllowanceKind::Credit(limit.currency())),
        Condition::PlanEndsWithin(_) | Condition::CreditEndsWithin(_) | Condition::NumberEndsWithin(_) => None,
    }
}

/// How much more than a condition's limit is left, in its kind's unit; none if the condition is not on an amount or that is
/// not told.
#[must_use]
pub fn over(condition: Condition, reading: &Reading) -> Option<i64> {
    let left = reading.left(kind(condition)?);
    let tells = left.known && !left.unlimited;
    left.remaining.checked_sub(limit(condition, reading)?).filter(|_| tells)
}

/// The limit of a condition on an amount, in its kind's unit.
pub(super) fn limit(condition: Condition, reading: &Reading) -> Option<i64> {
    match condition {
        Condition::DataBelow(limit) => Some(i64::try_from(limit.bytes()).unwrap_or(i64::MAX)),
        Condition::DataShareBelow(share) => {
            let total = reading.left(AllowanceKind::Data).total?;
            i64::try_from(i128::from(total) * i128::from(share.0) / 100).ok()
        }
        Condition::VoiceBelow(limit) => Some(limit.0),
        Condition::SmsBelow(limit) => i64::try_from(limit).ok(),
        Condition::CreditBelow(limit) => Some(limit.ten_thousandths()),
        Condition::PlanEndsWithin(_) | Condition::CreditEndsWithin(_) | Condition::NumberEndsWithin(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::DataSize;
    use crate::domain::money::{Currency, Money};
    use crate::domain::reading::{Allowance, AllowanceState, CardState};

    const NOW: UnixTime = UnixTime::clamped(1_800_000_000);
    const DAY: Secs = Secs::DAY;

    fn reading(at: UnixTime, data: i64) -> Reading {
        let allowance = Allowance {
            kind: AllowanceKind::Data,
            remaining: data,
            total: Some(10_000),
            unlimited: false,
            state: AllowanceState::Active,
            starts: None,
            ends: None,
        };
        Reading { allowances: vec![allowance], ..Reading::empty(at, CardState::Active) }
    }

    #[test]
    fn use_is_told_since_the_last_top_up() {
        let used = |amounts: &[i64]| {
            let days = (0_i64..).zip(amounts);
            let past: Vec<Reading> = days.map(|(day, left)| reading(NOW.plus(Secs::days(day)), *left)).collect();
            use_per_day(AllowanceKind::Data, &past)
        };
        assert_eq!(used(&[5_000, 4_000, 1_000]), Some(2_000));
        assert_eq!(used(&[100, 5_000, 4_000]), Some(1_000), "a top-up is no use");
        assert_eq!(used(&[5_000, 5_000]), Some(0));
        assert_eq!(used(&[5_000, 6_000]), None);
        assert_eq!(used(&[5_000]), None);
        assert_eq!(used(&[]), None);
        let soon = [reading(NOW, 5_000), reading(NOW.plus(Secs(3_599)), 4_000)];
        assert_eq!(use_per_day(AllowanceKind::Data, &soon), None, "too near each other");
        assert_eq!(use_per_day(AllowanceKind::Sms, &[reading(NOW, 5), reading(NOW.plus(DAY), 4)]), None);
    }

    #[test]
    fn daily_use_is_the_average_of_weeks_and_while_that_is_not_known_that_since_the_last_top_up() {
        let past = |hours: &[i64]| -> Vec<Reading> {
            hours.iter().map(|hour| reading(NOW.plus(Secs::hours(*hour)), 100_000 - hour * 100)).collect()
        };
        let daily = |past: &[Reading]| daily(&[AllowanceKind::Data], past, &TimeZone::UTC, NOW.plus(Secs::days(3)));
        assert_eq!(daily(&past(&[0, 12])), [(AllowanceKind::Data, 2_400)], "half a day is enough for this one");
        let mut grown = past(&[0, 12, 24, 36, 48]);
        grown.push(reading(NOW.plus(Secs::hours(60)), 500_000));
        grown.push(reading(NOW.plus(Secs::hours(62)), 499_000));
        let [(_, mean)] = daily(&grown)[..] else { panic!("it is known") };
        assert!((2_000..6_000).contains(&mean), "{mean}: the last two hours of 12,000 a day are not all there is");
        assert!(daily(&[]).is_empty());
    }

    #[test]
    fn limits_are_in_the_unit_of_their_kind() {
        let reading = reading(NOW, 100);
        assert_eq!(limit(Condition::DataBelow(DataSize(500)), &reading), Some(500));
        assert_eq!(limit(Condition::DataShareBelow(crate::domain::data::Percent(20)), &reading), Some(2_000));
        let money = Money::new(15_000, Currency::EUR);
        assert_eq!(limit(Condition::CreditBelow(money), &reading), Some(15_000));
        assert_eq!(limit(Condition::PlanEndsWithin(DAY), &reading), None);
    }

    #[test]
    fn a_condition_begins_at_its_end_less_its_lead_or_when_the_amount_is_used_up() {
        let reading = Reading { plan_ends: Some(End::at(NOW.plus(Secs::days(5)))), ..reading(NOW, 1_000) };
        let rates = [(AllowanceKind::Data, 100)];
        let at = |condition| moment(condition, &reading, &rates).map(|(at, estimated)| (at.since(NOW), estimated));
        assert_eq!(at(Condition::PlanEndsWithin(DAY)), Some((Secs::days(4), false)));
        assert_eq!(at(Condition::NumberEndsWithin(DAY)), None);
        let (at_500, estimated) = at(Condition::DataBelow(DataSize(500))).unwrap();
        assert!(estimated && (at_500.0 - 5 * DAY.0).abs() < 1_000, "{at_500:?}");
        assert_eq!(at(Condition::SmsBelow(5)), None);
        assert_eq!(moment(Condition::DataBelow(DataSize(500)), &reading, &[]), None);
    }
}
