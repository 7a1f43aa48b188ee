//! What will be used from an instant on, added up: as is expected, and if more or less is used than that.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::habit::Habit;
use crate::domain::time::{Secs, UnixTime, day_after};

/// The days to come: when each ends, what is used until then on average, and how uncertain that is.
#[derive(Clone, Debug)]
pub(in crate::domain) struct Expected {
    from: UnixTime,
    days: Vec<(UnixTime, f64, f64)>,
}

impl Expected {
    /// So many days from an instant on, the day of that instant included.
    pub(in crate::domain) fn of(habit: &Habit, from: UnixTime, zone: &TimeZone, count: usize) -> Self {
        let (mut mean, mut variance) = (0.0, 0.0);
        let mut days = Vec::with_capacity(count);
        let mut at = from;
        let mut date: Date = from.date_in(zone);
        while days.len() < count {
            let ends = day_after(date, zone);
            let share = ends.since(at).0.max(0) as f64 / Secs::DAY.0 as f64;
            mean += habit.mean_on(date) * share;
            variance += habit.spread_on(date).powi(2) * share;
            // What single days do differently evens out; a wrong average does not.
            days.push((ends, mean, (variance + (mean * habit.error()).powi(2)).sqrt()));
            let Ok(next) = date.tomorrow() else { break };
            (at, date) = (ends, next);
        }
        Self { from, days }
    }

    /// The first instant that is not looked at.
    pub(super) fn until(&self) -> UnixTime {
        self.days.last().map_or(self.from, |(ends, _, _)| *ends)
    }

    /// What is used if it lies that many standard deviations above the average. It never falls.
    pub(in crate::domain) fn used(&self, deviations: f64) -> Used {
        let mut most = 0.0_f64;
        let mut totals = vec![(self.from, 0.0)];
        for (ends, mean, deviation) in &self.days {
            most = most.max(mean + deviations * deviation);
            totals.push((*ends, most));
        }
        Used(totals)
    }
}

/// What is used in all up to each instant; evenly within a day.
#[derive(Clone, Debug)]
pub(in crate::domain) struct Used(Vec<(UnixTime, f64)>);

impl Used {
    /// When the total reaches `amount`.
    pub(in crate::domain) fn reaches(&self, amount: f64) -> Option<UnixTime> {
        let place = self.0.partition_point(|(_, total)| *total < amount);
        let (until, total) = *self.0.get(place)?;
        let Some((from, before)) = place.checked_sub(1).and_then(|place| self.0.get(place)) else { return Some(until) };
        let share = (amount - before) / (total - before);
        Some(from.plus(Secs((share * until.since(*from).0 as f64).round() as i64)))
    }

    /// The total at an instant.
    pub(in crate::domain) fn at(&self, at: UnixTime) -> f64 {
        let place = self.0.partition_point(|(until, _)| *until < at);
        let after = self.0.get(place);
        let before = place.checked_sub(1).and_then(|place| self.0.get(place));
        match (before, after) {
            (Some((from, before)), Some((until, total))) => {
                let share = at.since(*from).0 as f64 / until.since(*from).0.max(1) as f64;
                before + (total - before) * share
            }
            (_, Some((_, total))) | (Some((_, total)), None) => *total,
            (None, None) => 0.0,
        }
    }
}
