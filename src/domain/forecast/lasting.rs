//! When what is left is used up or lost: if it is used as on average, and if it is used faster or slower than that.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::days::end_of;
use super::habit::Habit;
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, Reading};
use crate::domain::time::{Secs, UnixTime, day_after};

/// Nobody looks further ahead.
const HORIZON_DAYS: usize = 400;

/// Eight of ten lie within this many standard deviations of the average.
const EIGHT_OF_TEN: f64 = 1.28;

/// Until when something lasts; none stands for longer than anybody looks ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lasting {
    /// If more is used than expected; later in nine cases of ten.
    pub early: Option<UnixTime>,
    /// As is expected.
    pub likely: Option<UnixTime>,
    /// If less is used than expected; earlier in nine cases of ten.
    pub late: Option<UnixTime>,
}

/// Whether something lasts until an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaches {
    /// Even if more is used than expected.
    Surely,
    /// If no more is used than expected.
    Likely,
    /// Not if as much is used as expected: it is gone then.
    No(UnixTime),
}

impl Lasting {
    /// Whether it lasts until `end`.
    #[must_use]
    pub fn reaches(&self, end: UnixTime) -> Reaches {
        match (self.likely.filter(|at| *at < end), self.early.filter(|at| *at < end)) {
            (Some(at), _) => Reaches::No(at),
            (None, Some(_)) => Reaches::Likely,
            (None, None) => Reaches::Surely,
        }
    }
}

/// Until when what is left of `kind` lasts; none if the operator does not tell how much that is.
#[must_use]
pub fn lasting(kind: AllowanceKind, reading: &Reading, habit: &Habit, zone: &TimeZone) -> Option<Lasting> {
    let left = reading.left(kind);
    if !left.known {
        return None;
    }
    let stock = stock(kind, reading);
    let ahead = Ahead::of(habit, reading.as_of, zone);
    let gone = |deviations: f64| gone(&stock, &ahead.totals(deviations), reading.as_of);
    Some(Lasting { early: gone(EIGHT_OF_TEN), likely: gone(0.0), late: gone(-EIGHT_OF_TEN) })
}

/// A part of what is left: how much, if it has a limit, and its end.
type Part = (Option<f64>, Option<UnixTime>);

/// What is left, in the order in which it ends.
fn stock(kind: AllowanceKind, reading: &Reading) -> Vec<Part> {
    let ours = |allowance: &&Allowance| allowance.kind == kind && allowance.state != AllowanceState::Expired;
    let part = |allowance: &Allowance| {
        let amount = (!allowance.unlimited).then_some(allowance.remaining.max(0) as f64);
        (amount, end_of(allowance, reading))
    };
    let mut stock: Vec<Part> = reading.allowances.iter().filter(ours).map(part).collect();
    stock.sort_by_key(|(_, end)| end.unwrap_or(UnixTime::MAX));
    stock
}

/// Goes through the parts one after the other: each is used up, or ends before that.
fn gone(stock: &[Part], totals: &[(UnixTime, f64)], from: UnixTime) -> Option<UnixTime> {
    let (mut at, mut used) = (from, 0.0);
    for (amount, end) in stock {
        let used_up = amount.map_or(Some(UnixTime::MAX), |amount| reached(totals, used + amount));
        match (used_up.filter(|at| *at < UnixTime::MAX), end) {
            (Some(up), end) if end.is_none_or(|end| up <= end) => {
                used += amount.unwrap_or(0.0);
                at = at.max(up);
            }
            (_, Some(end)) => {
                at = at.max(*end);
                used = used.max(total_at(totals, at));
            }
            (_, None) => return None,
        }
    }
    Some(at)
}

/// When the total reaches `amount`.
fn reached(totals: &[(UnixTime, f64)], amount: f64) -> Option<UnixTime> {
    let place = totals.partition_point(|(_, total)| *total < amount);
    let (until, total) = *totals.get(place)?;
    let Some((from, before)) = place.checked_sub(1).and_then(|place| totals.get(place)) else { return Some(until) };
    let share = (amount - before) / (total - before);
    Some(from.plus(Secs((share * until.since(*from).0 as f64).round() as i64)))
}

/// The total at an instant.
fn total_at(totals: &[(UnixTime, f64)], at: UnixTime) -> f64 {
    let place = totals.partition_point(|(until, _)| *until < at);
    let after = totals.get(place);
    let before = place.checked_sub(1).and_then(|place| totals.get(place));
    match (before, after) {
        (Some((from, before)), Some((until, total))) => {
            let share = at.since(*from).0 as f64 / until.since(*from).0.max(1) as f64;
            before + (total - before) * share
        }
        (_, Some((_, total))) | (Some((_, total)), None) => *total,
        (None, None) => 0.0,
    }
}

/// The days to come: when each ends, what is used until then on average, and how uncertain that is.
struct Ahead {
    from: UnixTime,
    days: Vec<(UnixTime, f64, f64)>,
}

impl Ahead {
    fn of(habit: &Habit, from: UnixTime, zone: &TimeZone) -> Self {
        let (mut mean, mut variance) = (0.0, 0.0);
        let mut days = Vec::with_capacity(HORIZON_DAYS);
        let mut at = from;
        let mut date: Date = from.date_in(zone);
        while days.len() < HORIZON_DAYS {
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

    /// What is used until each day's end if it lies that many standard deviations above the average. It never falls.
    fn totals(&self, deviations: f64) -> Vec<(UnixTime, f64)> {
        let mut most = 0.0_f64;
        let mut totals = vec![(self.from, 0.0)];
        for (ends, mean, deviation) in &self.days {
            most = most.max(mean + deviations * deviation);
            totals.push((*ends, most));
        }
        totals
    }
}
