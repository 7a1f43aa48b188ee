//! When what is left is used up or lost: if it is used as on average, and if it is used faster or slower than that.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::days::end_of;
use super::expected::{Expected, Used};
use super::habit::Habit;
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, Reading};
use crate::domain::time::{Secs, UnixTime};

/// Nobody looks further ahead.
const HORIZON_DAYS: usize = 400;
/// Less use than expected takes this many times as long, as a rule; where it takes longer, all days are looked at.
const SLOWER: f64 = 1.5;

/// Eight of ten lie within this many standard deviations of the average.
pub(in crate::domain) const EIGHT_OF_TEN: f64 = 1.28;

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
    let ahead = |days: usize| {
        let expected = Expected::of(habit, reading.as_of, zone, days);
        let gone = |deviations: f64| gone(&stock, &expected.used(deviations), reading.as_of);
        (Lasting { early: gone(EIGHT_OF_TEN), likely: gone(0.0), late: gone(-EIGHT_OF_TEN) }, expected.until())
    };
    let (lasting, looked_until) = ahead(days_needed(&stock, habit, reading.as_of));
    let ends = [lasting.early, lasting.likely, lasting.late];
    let is_told = ends.iter().all(|at| at.is_some_and(|at| at <= looked_until));
    Some(if is_told { lasting } else { ahead(HORIZON_DAYS).0 })
}

/// What is left of `kind` at an instant and when that ends, if it is used as is expected; none if there is no limit to it,
/// or several parts of it, each with an end of its own.
#[must_use]
pub fn left_at(
    kind: AllowanceKind,
    reading: &Reading,
    habit: &Habit,
    zone: &TimeZone,
    at: UnixTime,
) -> Option<(u64, Option<UnixTime>)> {
    let stock = stock(kind, reading);
    let [(Some(amount), end)] = stock[..] else { return None };
    let expected = Expected::of(habit, reading.as_of, zone, days_needed(&stock, habit, reading.as_of));
    // What would be less than nothing is nothing.
    Some(((amount - expected.used(0.0).at(at)) as u64, end))
}

/// How many days are likely to be enough: until all is used up at the usual pace, or has ended.
fn days_needed(stock: &[Part], habit: &Habit, from: UnixTime) -> usize {
    let amount: Option<f64> = stock.iter().map(|(amount, _)| *amount).sum();
    let used_up = amount.map_or(f64::INFINITY, |amount| amount / habit.mean * SLOWER);
    let ends: Option<Vec<UnixTime>> = stock.iter().map(|(_, end)| *end).collect();
    let last_end = ends.and_then(|ends| ends.into_iter().max());
    let ended = last_end.map_or(f64::INFINITY, |end| end.since(from).0 as f64 / Secs::DAY.0 as f64);
    // Part of the first day is over, and the last is begun.
    let days = used_up.min(ended).max(0.0) + 3.0;
    if days < HORIZON_DAYS as f64 { days as usize } else { HORIZON_DAYS }
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
fn gone(stock: &[Part], ahead: &Used, from: UnixTime) -> Option<UnixTime> {
    let (mut at, mut used) = (from, 0.0);
    for (amount, end) in stock {
        let used_up = amount.map_or(Some(UnixTime::MAX), |amount| ahead.reaches(used + amount));
        match (used_up.filter(|at| *at < UnixTime::MAX), end) {
            (Some(up), end) if end.is_none_or(|end| up <= end) => {
                used += amount.unwrap_or(0.0);
                at = at.max(up);
            }
            (_, Some(end)) => {
                at = at.max(*end);
                used = used.max(ahead.at(at));
            }
            (_, None) => return None,
        }
    }
    Some(at)
}
