//! How a course is expected to go on: until nothing is left, until the end, or as far as anybody looks.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Measure, Point};
use crate::domain::forecast::{EIGHT_OF_TEN, Expected, Forecast, Used};
use crate::domain::time::{Secs, UnixTime};

/// As far as a course looks back, it looks ahead.
const LOOKS_AHEAD: Secs = super::LOOKS_BACK;
/// So many stretches make a line that looks smooth on a phone.
const STRETCHES: i64 = 48;

/// When something happens: if more is used, as is expected, and if less is used; none if not as far as is looked ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Range {
    /// If more is used than expected; later in nine cases of ten.
    pub early: Option<UnixTime>,
    /// As is expected.
    pub likely: Option<UnixTime>,
    /// If less is used than expected; earlier in nine cases of ten.
    pub late: Option<UnixTime>,
}

/// What is to be expected after the last point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ahead {
    /// The last instant that is looked at.
    pub until: UnixTime,
    /// When the plan or the credit ends, if that is within it.
    pub end: Option<UnixTime>,
    /// How it goes on as is expected, from the last point on; empty if too little was seen to tell.
    pub likely: Vec<Point>,
    /// How it goes on if more is used than expected.
    pub low: Vec<Point>,
    /// How it goes on if less is used.
    pub high: Vec<Point>,
    /// When the limit is reached.
    pub at_limit: Range,
    /// When nothing is left.
    pub empty: Range,
}

impl Ahead {
    /// What follows from the use so far and the end; none if neither is known.
    pub(super) fn of(
        last: Point,
        limit: Option<i64>,
        end: Option<UnixTime>,
        (used, zone): (&Forecast, &TimeZone),
    ) -> Option<Self> {
        let farthest = last.at.plus(LOOKS_AHEAD);
        let end = end.filter(|end| *end > last.at && *end <= farthest);
        let days = usize::try_from(LOOKS_AHEAD.0 / Secs::DAY.0).unwrap_or(0) + 2;
        let Some(expected) = used.habit().map(|habit| Expected::of(habit, last.at, zone, days)) else {
            let at_end = |until| Self { until, end: Some(until), ..Self::nothing(last.at) };
            return end.map(at_end);
        };
        let [more, likely, less] = [EIGHT_OF_TEN, 0.0, -EIGHT_OF_TEN].map(|deviations| expected.used(deviations));
        let until = end.or_else(|| less.reaches(last.left as f64)).unwrap_or(farthest).min(farthest);
        let until = until.max(last.at.plus(Secs::HOUR));
        let when = |amount: i64| {
            let reached = |used: &Used| used.reaches(amount.max(0) as f64).filter(|at| *at <= until);
            Range { early: reached(&more), likely: reached(&likely), late: reached(&less) }
        };
        Some(Self {
            until,
            end,
            likely: path(last, &likely, until),
            low: path(last, &more, until),
            high: path(last, &less, until),
            at_limit: limit
                .filter(|limit| last.left > *limit)
                .map_or_else(Range::default, |limit| when(last.left - limit)),
            empty: when(last.left),
        })
    }

    const fn nothing(at: UnixTime) -> Self {
        let never = Range { early: None, likely: None, late: None };
        Self {
            until: at,
            end: None,
            likely: Vec::new(),
            low: Vec::new(),
            high: Vec::new(),
            at_limit: never,
            empty: never,
        }
    }
}

/// What is left along a way of use; it ends where nothing is left.
fn path(last: Point, used: &Used, until: UnixTime) -> Vec<Point> {
    let empty = used.reaches(last.left as f64).filter(|at| *at < until);
    let ends = empty.unwrap_or(until);
    let length = ends.since(last.at).0.max(1);
    let left = |at| (last.left as f64 - used.at(at)).max(0.0) as i64;
    let at = |stretch: i64| last.at.plus(Secs(length * stretch / STRETCHES));
    let mut points: Vec<Point> =
        (0..=STRETCHES).map(|stretch| Point { at: at(stretch), left: left(at(stretch)) }).collect();
    if let (Some(empty), Some(point)) = (empty, points.last_mut()) {
        *point = Point { at: empty, left: 0 };
    }
    points
}

/// What of a snapshot ends what is measured.
pub(super) const fn end(measure: Measure, plan: Option<UnixTime>, credit: Option<UnixTime>) -> Option<UnixTime> {
    match measure {
        Measure::Data => plan,
        Measure::Credit(_) => credit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reading::{AllowanceKind, Reading};
    use crate::domain::testing::{NOW, reading, zone};

    const MB: i64 = 1_000_000;

    /// 240 MB a day for five days.
    fn used() -> Forecast {
        let past: Vec<Reading> = (0..=120)
            .rev()
            .map(|hours| {
                let at = NOW.minus(Secs::hours(hours));
                Reading { read_at: at, as_of: at, ..reading(240 * MB + hours * 10 * MB) }
            })
            .collect();
        Forecast::of(AllowanceKind::Data, &past, &zone("UTC"), NOW)
    }

    fn of(left: i64, limit: Option<i64>, end_days: Option<i64>, used: &Forecast) -> Option<Ahead> {
        let end = end_days.map(|days| NOW.plus(Secs::days(days)));
        Ahead::of(Point { at: NOW, left: left * MB }, limit.map(|limit| limit * MB), end, (used, &zone("UTC")))
    }

    #[test]
    fn it_goes_on_as_it_was_used_until_nothing_is_left_or_the_end() {
        let ahead = of(720, Some(240), None, &used()).unwrap();
        let days = |at: Option<UnixTime>| at.map(|at| at.since(NOW).0 as f64 / 86_400.0);
        assert!(days(ahead.at_limit.likely).is_some_and(|days| (1.8..2.2).contains(&days)), "{ahead:?}");
        assert!(days(ahead.empty.likely).is_some_and(|days| (2.8..3.2).contains(&days)), "{ahead:?}");
        assert!(ahead.empty.early < ahead.empty.likely && ahead.empty.likely < ahead.empty.late);
        assert_eq!((ahead.end, Some(ahead.until)), (None, ahead.empty.late));
        assert!(ahead.likely.windows(2).all(|pair| pair[0].left >= pair[1].left && pair[0].at <= pair[1].at));
        assert_eq!((ahead.likely[0], ahead.likely.last().unwrap().left), (Point { at: NOW, left: 720 * MB }, 0));
        let ending = of(720, Some(240), Some(1), &used()).unwrap();
        assert_eq!((ending.end, ending.until), (Some(NOW.plus(Secs::DAY)), NOW.plus(Secs::DAY)));
        assert_eq!(ending.empty.likely, None, "it ends before");
        assert!(ending.likely.last().unwrap().left > 400 * MB);
    }

    #[test]
    fn what_is_not_known_is_not_drawn() {
        let unseen = Forecast::unseen();
        assert_eq!(of(720, None, None, &unseen), None);
        let ends = of(720, None, Some(9), &unseen).unwrap();
        assert_eq!((ends.until, ends.likely.len(), ends.empty), (NOW.plus(Secs::days(9)), 0, Range::default()));
        assert_eq!(of(720, None, Some(40), &unseen), None, "nobody looks so far");
        assert_eq!(of(720, None, Some(-1), &unseen), None);
        let below = of(100, Some(240), None, &used()).unwrap();
        assert_eq!(below.at_limit, Range::default(), "the limit is passed already");
        let unused = of(99_000, None, None, &used()).unwrap();
        assert_eq!((unused.until, unused.empty), (NOW.plus(LOOKS_AHEAD), Range::default()));
    }
}
