//! A course in words: what stands under the picture, and in its place where none is shown.

use serde::Serialize;

use super::voice::Voice;
use crate::domain::course::{Ahead, Course, Measure, Range};
use crate::domain::money::Money;

/// The words around a picture.
#[derive(Clone, Debug, Serialize)]
pub(in crate::notify) struct Caption {
    /// The day at its left edge.
    pub(in crate::notify) first_day: String,
    /// The day at its right edge.
    pub(in crate::notify) last_day: String,
    /// The numbers that it shows.
    pub(in crate::notify) words: String,
}

pub(super) fn caption(voice: &Voice, course: &Course) -> Option<Caption> {
    let (first, last) = (course.points.first()?, course.points.last()?);
    let days = (last.at.since(first.at).0 + 43_200) / 86_400;
    let told = course.telling();
    let told = told.iter().map(|point| {
        let (amount, day) = (amount(voice, course.measure, point.left), voice.day_of_year(point.at));
        say!(voice, "course-point", amount, day)
    });
    let told = told.collect::<Vec<_>>().join(&say!(voice, "list-separator"));
    let mut words = match course.measure {
        Measure::Data => say!(voice, "course-data", count = days, told),
        Measure::Credit(_) => say!(voice, "course-credit", count = days, told),
    };
    if let Some(limit) = course.limit {
        let limit = amount(voice, course.measure, limit);
        words = say!(voice, "course-limit", words, limit);
    }
    if let Some(ahead) = &course.ahead {
        for sentence in expected(voice, course.measure, ahead) {
            words = say!(voice, "course-more", words, sentence);
        }
    }
    let last_at = course.ahead.as_ref().map_or(last.at, |ahead| ahead.until);
    Some(Caption { first_day: voice.day_of_year(first.at), last_day: voice.day_of_year(last_at), words })
}

/// What the dashed line and the upright one say.
fn expected(voice: &Voice, measure: Measure, ahead: &Ahead) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(when) = range(voice, &ahead.at_limit) {
        sentences.push(say!(voice, "course-at-limit", when));
    }
    if let Some(when) = range(voice, &ahead.empty) {
        sentences.push(say!(voice, "course-empty", when));
    }
    if let Some(end) = ahead.end {
        let day = voice.day_of_year(end);
        sentences.push(match (ahead.likely.last(), ahead.low.last(), ahead.high.last()) {
            (Some(likely), Some(low), Some(high)) if ahead.empty.likely.is_none() => {
                let [likely, low, high] = [likely, low, high].map(|point| amount(voice, measure, rounded(point.left)));
                say!(voice, "course-end-left", day, likely, low, high)
            }
            _ => say!(voice, "course-end", day),
        });
    }
    sentences
}

/// What nobody knows exactly, to two places.
fn rounded(left: i64) -> i64 {
    let places = left.max(1).ilog10().saturating_sub(1);
    let unit = 10_i64.pow(places);
    left.saturating_add(unit / 2) / unit * unit
}

/// `about 20 Dec (19 Dec to 22 Dec)`.
fn range(voice: &Voice, range: &Range) -> Option<String> {
    let likely = voice.day_of_year(range.likely?);
    let [early, late] = [range.early, range.late].map(|at| at.map(|at| voice.day_of_year(at)));
    Some(match (early, late) {
        (Some(early), Some(late)) if early == late => say!(voice, "course-when-on", likely),
        (Some(early), Some(late)) => say!(voice, "course-when-between", likely, early, late),
        (Some(early), None) => say!(voice, "course-when-from", likely, early),
        (None, _) => say!(voice, "course-when", likely),
    })
}

fn amount(voice: &Voice, measure: Measure, left: i64) -> String {
    match measure {
        Measure::Data => voice.data(left.unsigned_abs()),
        Measure::Credit(currency) => voice.amount(Money::new(left, currency)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_expected_is_told_to_two_places() {
        let pairs = [(0, 0), (9, 9), (99, 99), (714_130_000, 710_000_000), (957_160_000, 960_000_000), (9_999, 10_000)];
        for (left, told) in pairs {
            assert_eq!(rounded(left), told, "{left}");
        }
        assert!(rounded(i64::MAX) > 0);
    }
}
