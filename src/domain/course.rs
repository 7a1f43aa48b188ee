//! How the data or the credit of a card went over the last weeks: what a chart in a message draws, and the few points
//! that stand for it in words.

mod ahead;

use jiff::tz::TimeZone;
use serde::Serialize;

pub use self::ahead::{Ahead, Range};
use super::attempt::Snapshot;
use super::forecast::Forecast;
use super::money::Currency;
use super::notice::Event;
use super::reading::{AllowanceKind, Reading};
use super::rule::{Condition, Rule};
use super::time::{Secs, UnixTime};

/// A course looks back this far.
pub const LOOKS_BACK: Secs = Secs::days(28);
/// A shorter course says nothing that the last reading does not.
const SHORTEST: Secs = Secs::DAY;
/// A course has at most this many points; more could not be told apart on a phone.
const POINTS_MAX: i64 = 140;

/// What a course is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Bytes of data.
    Data,
    /// Ten-thousandths of a unit of this currency.
    Credit(Currency),
}

/// One value at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// When.
    pub at: UnixTime,
    /// How much, in the measure's unit; never below zero.
    pub left: i64,
}

/// How much was left when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Course {
    /// What is measured.
    pub measure: Measure,
    /// Oldest first; two at least, and a day apart.
    pub points: Vec<Point>,
    /// Below this the rule renews.
    pub limit: Option<i64>,
    /// How it is expected to go on.
    pub ahead: Option<Ahead>,
}

impl Course {
    /// The course of what `held` tells of, which is newer than the readings: its data, or its credit where no data is
    /// told. None where that is too little for a picture.
    #[must_use]
    pub fn up_to(readings: &[Reading], held: &Snapshot, now: UnixTime, rule: Option<&Rule>) -> Option<Self> {
        let (measure, left) = match (held.data_left, held.credit) {
            (Some(bytes), _) => (Measure::Data, i64::try_from(bytes).unwrap_or(i64::MAX)),
            (None, Some(credit)) => (Measure::Credit(credit.currency()), credit.ten_thousandths().max(0)),
            (None, None) => return None,
        };
        let since = now.minus(LOOKS_BACK);
        let before =
            readings.iter().filter(|reading| reading.as_of >= since).filter_map(|reading| point(reading, measure));
        let points = thinned(before.chain([Point { at: now, left }]));
        let (first, newest) = (points.first()?, points.last()?);
        let tells = newest.at.since(first.at) >= SHORTEST && points.iter().any(|point| point.left > 0);
        let limit = rule.and_then(|rule| limit(rule, measure, readings.last()));
        tells.then_some(Self { measure, limit, points, ahead: None })
    }

    /// The same with what is to be expected by these readings, which may go further back, and by the ends that `held`
    /// tells; the days of use are those of `zone`.
    #[must_use]
    pub fn foreseen(self, readings: &[Reading], held: &Snapshot, zone: &TimeZone) -> Self {
        let Some(last) = self.points.last().copied() else { return self };
        let used = Forecast::of(kind(self.measure), readings, zone, last.at);
        let end = ahead::end(self.measure, held.plan_ends, held.credit_ends);
        Self { ahead: Ahead::of(last, self.limit, end, (&used, zone)), ..self }
    }

    /// The points that stand for all: the first, the highest, the lowest and the last, oldest first.
    #[must_use]
    pub fn telling(&self) -> Vec<Point> {
        let ends = [self.points.first(), self.points.last()];
        let highest = self.points.iter().rev().max_by_key(|point| point.left);
        let lowest = self.points.iter().rev().min_by_key(|point| point.left);
        let mut told: Vec<Point> = ends.into_iter().chain([highest, lowest]).flatten().copied().collect();
        told.sort_by_key(|point| point.at);
        told.dedup();
        told
    }
}

const fn kind(measure: Measure) -> AllowanceKind {
    match measure {
        Measure::Data => AllowanceKind::Data,
        Measure::Credit(currency) => AllowanceKind::Credit(currency),
    }
}

fn point(reading: &Reading, measure: Measure) -> Option<Point> {
    let left = reading.left(kind(measure));
    (left.known && !left.unlimited).then(|| Point { at: reading.as_of, left: left.remaining.max(0) })
}

/// What the card holds by an event whose message is worth a picture.
#[must_use]
pub const fn held(event: &Event) -> Option<&Snapshot> {
    match event {
        Event::DueSoon { now, .. } | Event::LastSafe { now, .. } => Some(now),
        Event::Bought { after, .. } => Some(after),
        Event::Failed { .. }
        | Event::Unknown { .. }
        | Event::SettledLate { .. }
        | Event::Asked { .. }
        | Event::Paused { .. }
        | Event::RulesProblem { .. }
        | Event::RecordProblem(_)
        | Event::WalletLow(_)
        | Event::CardsFound { .. }
        | Event::Held { .. }
        | Event::Digest(_)
        | Event::Test { .. } => None,
    }
}

/// The last point of each of [`POINTS_MAX`] stretches, so that a purchase stays a step, and the first.
fn thinned(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let stretch = LOOKS_BACK.0 / POINTS_MAX;
    let mut kept: Vec<Point> = Vec::new();
    for point in points {
        let same = |other: &Point| other.at.secs().div_euclid(stretch) == point.at.secs().div_euclid(stretch);
        if kept.last().is_some_and(|last| last.at >= point.at) {
            continue;
        }
        if kept.len() > 1 && kept.last().is_some_and(same) {
            kept.pop();
        }
        kept.push(point);
    }
    kept
}

/// Below how much the rule renews.
fn limit(rule: &Rule, measure: Measure, last: Option<&Reading>) -> Option<i64> {
    rule.renew_when.triggers.iter().find_map(|trigger| match (trigger.condition, measure) {
        (Condition::DataBelow(size), Measure::Data) => i64::try_from(size.bytes()).ok(),
        (Condition::DataShareBelow(share), Measure::Data) => {
            let total = last?.left(AllowanceKind::Data).total?;
            total.checked_mul(i64::from(share.0)).map(|shares| shares / 100)
        }
        (Condition::CreditBelow(money), Measure::Credit(currency)) if money.currency() == currency => {
            Some(money.ten_thousandths())
        }
        (
            Condition::DataBelow(_)
            | Condition::DataShareBelow(_)
            | Condition::VoiceBelow(_)
            | Condition::SmsBelow(_)
            | Condition::CreditBelow(_)
            | Condition::PlanEndsWithin(_)
            | Condition::CreditEndsWithin(_)
            | Condition::NumberEndsWithin(_),
            Measure::Data | Measure::Credit(_),
        ) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::{DataSize, Percent};
    use crate::domain::rule::Mode;
    use crate::domain::testing::{NOW, allowance, reading, rule, usd};

    fn data(left: u64) -> Snapshot {
        Snapshot { data_left: Some(left), credit: Some(usd(3)), ..Snapshot::default() }
    }

    fn read(hours_ago: i64, left: i64) -> Reading {
        let at = NOW.minus(Secs::hours(hours_ago));
        Reading { read_at: at, as_of: at, ..reading(left) }
    }

    #[test]
    fn a_course_needs_a_day_and_something_left() {
        let of = |readings: &[Reading], left| Course::up_to(readings, &data(left), NOW, None);
        assert_eq!(of(&[], 5), None);
        assert_eq!(of(&[read(23, 9)], 5), None);
        assert_eq!(of(&[read(48, 0), read(24, 0)], 0), None);
        assert_eq!(of(&[read(24, 9)], 5).unwrap().points.len(), 2);
        assert_eq!(Course::up_to(&[read(24, 9)], &Snapshot::default(), NOW, None), None);
    }

    #[test]
    fn many_readings_become_few_points_and_a_purchase_stays_a_step() {
        let readings: Vec<Reading> =
            (0..28 * 24).rev().map(|hours| read(hours, if hours > 300 { hours } else { hours + 1_000 })).collect();
        let course = Course::up_to(&readings, &data(1_000), NOW, None).unwrap();
        assert!((130..=142).contains(&course.points.len()), "{}", course.points.len());
        assert!(course.points.windows(2).all(|pair| pair[0].at < pair[1].at));
        assert_eq!(course.points[0].left, 28 * 24 - 1);
        let told: Vec<i64> = course.telling().iter().map(|point| point.left).collect();
        assert_eq!(told.len(), 4, "{told:?}");
        assert_eq!((told[0], told[3]), (28 * 24 - 1, 1_000));
        assert!(told[1] < 310 && told[2] > 1_290, "the lowest, then the highest: {told:?}");
    }

    #[test]
    fn the_limit_is_the_rules_in_the_unit_of_the_course() {
        let limit_of = |condition, held: &Snapshot| {
            let mut before = read(48, 900);
            before.allowances[0].total = Some(1_000);
            before.allowances.push(allowance(AllowanceKind::Credit(Currency::USD), 50_000));
            Course::up_to(&[before], held, NOW, Some(&rule(Mode::Auto, &[condition]))).unwrap().limit
        };
        let credit = Snapshot { data_left: None, ..data(0) };
        assert_eq!(limit_of(Condition::DataBelow(DataSize(500)), &data(5)), Some(500));
        assert_eq!(limit_of(Condition::DataShareBelow(Percent(20)), &data(5)), Some(200));
        assert_eq!(limit_of(Condition::CreditBelow(usd(2)), &credit), Some(20_000));
        assert_eq!(limit_of(Condition::CreditBelow(usd(2)), &data(5)), None);
        assert_eq!(limit_of(Condition::PlanEndsWithin(Secs::DAY), &data(5)), None);
    }
}
