//! Days of use into a habit: what a day usually takes and what days take on average, which differ where a few days take
//! most; how far they lie apart; and which days of the week are unlike the others.

use jiff::civil::Date;
use serde::Serialize;

use super::days::{Day, History};
use crate::domain::time::Secs;

/// A day this long ago counts half of what one of today counts: habits change slowly.
const HALF_LIFE_DAYS: f64 = 21.0;
/// Days of the week are told apart only when each was seen at least this often.
const EACH_WEEKDAY_MIN: usize = 2;
/// With fewer whole days than this their spread is assumed, not seen.
const SPREAD_DAYS_MIN: usize = 5;
/// The spread that is assumed, as a share of the average.
const ASSUMED_SPREAD: f64 = 0.75;
/// The range holds eight days of ten.
const RANGE: (f64, f64) = (0.1, 0.9);

/// How well a habit is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The average may be wrong by more than a third.
    Low,
    /// By a third at most, as far as can be told.
    Fair,
    /// By less than a sixth.
    Good,
}

/// How a card is used, in its kind's unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Habit {
    /// What a day usually takes.
    pub usual: f64,
    /// Two days of ten take less than `low` or more than `high`.
    pub low: f64,
    /// See `low`.
    pub high: f64,
    /// What a day takes on average: days to come are added up by this.
    pub mean: f64,
    /// How far single days lie from the average (standard deviation).
    pub spread: f64,
    /// What each day of the week takes, Monday first, as a multiple of the above.
    pub weekdays: [f64; 7],
    /// For how many days use was seen.
    pub days: f64,
}

impl Habit {
    /// The habit that a history shows. It must not be empty.
    pub(super) fn of(history: &History) -> Self {
        let weekdays = weekdays(history);
        let evened = |day: &Day, used: f64| used / weekdays[weekday(day.date)];
        let newest = history.0.last().map(|day| day.date);
        let weight = |day: &Day| 0.5_f64.powf(age_days(day.date, newest) / HALF_LIFE_DAYS);
        let (mut sum, mut seen_days) = (0.0, 0.0);
        for day in &history.0 {
            sum += weight(day) * evened(day, day.used);
            seen_days += weight(day) * day.seen_secs / Secs::DAY.0 as f64;
        }
        let mean = if seen_days > 0.0 { sum / seen_days } else { 0.0 };
        let whole = history.0.iter().filter_map(|day| Some((evened(day, day.whole()?), weight(day))));
        let mut whole: Vec<(f64, f64)> = whole.collect();
        whole.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let days = history.0.iter().map(|day| day.seen_secs).sum::<f64>() / Secs::DAY.0 as f64;
        if whole.len() < SPREAD_DAYS_MIN {
            let (low, high) = (mean * (1.0 - ASSUMED_SPREAD), mean * (1.0 + ASSUMED_SPREAD));
            return Self { usual: mean, low, high, mean, spread: mean * ASSUMED_SPREAD, weekdays, days };
        }
        let usual = quantile(&whole, 0.5);
        let (low, high) = (quantile(&whole, RANGE.0), quantile(&whole, RANGE.1));
        Self { usual, low, high, mean, spread: spread(&whole, mean), weekdays, days }
    }

    /// What `date` will usually take.
    #[must_use]
    pub fn usual_on(&self, date: Date) -> f64 {
        self.usual * self.weekdays[weekday(date)]
    }

    /// What `date` will take as a part of a longer time.
    #[must_use]
    pub fn mean_on(&self, date: Date) -> f64 {
        self.mean * self.weekdays[weekday(date)]
    }

    /// How far `date` may lie from its average.
    pub(super) fn spread_on(&self, date: Date) -> f64 {
        self.spread * self.weekdays[weekday(date)]
    }

    /// Whether days of the week differ.
    #[must_use]
    pub fn tells_weekdays(&self) -> bool {
        self.weekdays.iter().any(|factor| (factor - 1.0).abs() > 0.05)
    }

    /// By how much the average itself may be wrong, as a share of it.
    pub(super) fn error(&self) -> f64 {
        if self.mean > 0.0 { self.spread / self.mean / self.days.max(1.0).sqrt() } else { 0.0 }
    }

    /// How well it is known.
    #[must_use]
    pub fn confidence(&self) -> Confidence {
        match self.error() {
            error if error < 1.0 / 6.0 => Confidence::Good,
            error if error < 1.0 / 3.0 => Confidence::Fair,
            _ => Confidence::Low,
        }
    }
}

fn weekday(date: Date) -> usize {
    // Monday is 0 and Sunday 6, so it is always a place of the list.
    date.weekday().to_monday_zero_offset().unsigned_abs().into()
}

fn age_days(date: Date, newest: Option<Date>) -> f64 {
    let age = newest.and_then(|newest| date.until(newest).ok());
    age.map_or(0.0, |age| f64::from(age.get_days()))
}

/// What each day of the week takes as a multiple of the average. How far the days of the week lie apart is held against
/// how far they would lie apart by chance alone (James and Stein), and only what goes beyond that is believed.
fn weekdays(history: &History) -> [f64; 7] {
    let mut by_weekday: [Vec<f64>; 7] = Default::default();
    for day in &history.0 {
        by_weekday[weekday(day.date)].extend(day.whole());
    }
    let count: usize = by_weekday.iter().map(Vec::len).sum();
    let average = by_weekday.iter().flatten().sum::<f64>() / count.max(1) as f64;
    if by_weekday.iter().any(|days| days.len() < EACH_WEEKDAY_MIN) || average <= 0.0 {
        return [1.0; 7];
    }
    let means = by_weekday.each_ref().map(|days| days.iter().sum::<f64>() / days.len() as f64);
    let within: f64 =
        by_weekday.iter().zip(means).flat_map(|(days, mean)| days.iter().map(move |day| (day - mean).powi(2))).sum();
    let by_chance = within / (count - 7).max(1) as f64 * 7.0 / count as f64;
    let centre = means.iter().sum::<f64>() / 7.0;
    let apart = means.iter().map(|mean| (mean - centre).powi(2)).sum::<f64>() / 6.0;
    let believed = if apart > 0.0 { (1.0 - by_chance / apart).max(0.0) } else { 0.0 };
    // No day is taken for one on which nothing happens: what is divided by it must stay a number.
    let factors = means.map(|mean| (1.0 + believed * (mean / centre - 1.0)).max(0.05));
    let sum: f64 = factors.iter().sum();
    factors.map(|factor| factor * 7.0 / sum)
}

/// The value below which `share` of the weight lies; of values in ascending order.
fn quantile(sorted: &[(f64, f64)], share: f64) -> f64 {
    let total: f64 = sorted.iter().map(|(_, weight)| weight).sum();
    let mut passed = 0.0;
    for (value, weight) in sorted {
        passed += weight;
        if passed >= total * share {
            return *value;
        }
    }
    sorted.last().map_or(0.0, |(value, _)| *value)
}

fn spread(values: &[(f64, f64)], mean: f64) -> f64 {
    let total: f64 = values.iter().map(|(_, weight)| weight).sum();
    let squares: f64 = values.iter().map(|(value, weight)| weight * (value - mean).powi(2)).sum();
    (squares / total).sqrt()
}
