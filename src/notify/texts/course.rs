//! A course in words: what stands under the picture, and in its place where none is shown.

use serde::Serialize;

use super::voice::Voice;
use crate::domain::course::{Course, Measure};
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
    Some(Caption { first_day: voice.day_of_year(first.at), last_day: voice.day_of_year(last.at), words })
}

fn amount(voice: &Voice, measure: Measure, left: i64) -> String {
    match measure {
        Measure::Data => voice.data(left.unsigned_abs()),
        Measure::Credit(currency) => voice.amount(Money::new(left, currency)),
    }
}
