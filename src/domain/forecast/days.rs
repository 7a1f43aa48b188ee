//! Readings into use: what was used between two of them, and on which day. A top-up is never use, what is lost with its
//! plan is none, and a card that has nothing left tells nothing of what its owner would have used.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, Reading};
use crate::domain::time::{Secs, UnixTime, day_after};

/// Use over a longer gap is known, but not on which of its days it was.
const BLURRED_OVER: Secs = Secs::hours(36);
/// A day counts as seen when at most a quarter of it is missing.
const WHOLE_FROM: f64 = 18.0 * 3_600.0;

/// What was seen of one day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Day {
    /// The day.
    pub(super) date: Date,
    /// What was used in the time that was seen.
    pub(super) used: f64,
    /// How much of it was seen.
    pub(super) seen_secs: f64,
    /// Whether no part of it was told only as a part of a longer gap.
    pub(super) is_clear: bool,
}

impl Day {
    /// What the whole day took, if enough of it was seen.
    pub(super) fn whole(&self) -> Option<f64> {
        (self.is_clear && self.seen_secs >= WHOLE_FROM).then(|| self.used * Secs::DAY.0 as f64 / self.seen_secs)
    }
}

/// The days of which anything was seen, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct History(pub(super) Vec<Day>);

impl History {
    pub(super) fn of<'a>(kind: AllowanceKind, past: impl Iterator<Item = &'a Reading>, zone: &TimeZone) -> Self {
        let mut history = Self::default();
        let mut today: Option<(Date, UnixTime)> = None;
        let mut before: Option<&Reading> = None;
        for reading in past {
            let used = before.and_then(|before| used(kind, before, reading).map(|used| (before.as_of, used)));
            if let Some((from, used)) = used {
                history.add(from, reading.as_of, used as f64, zone, &mut today);
            }
            // An answer that is older than the one before it tells nothing new.
            if before.is_none_or(|before| before.as_of < reading.as_of) {
                before = Some(reading);
            }
        }
        history
    }

    /// For how long use was seen.
    pub(super) fn seen(&self) -> Secs {
        Secs(self.0.iter().map(|day| day.seen_secs).sum::<f64>() as i64)
    }

    /// Shares what was used evenly among the days of a span. `today` is the day of its beginning, where it is known.
    fn add(
        &mut self,
        from: UnixTime,
        until: UnixTime,
        used: f64,
        zone: &TimeZone,
        today: &mut Option<(Date, UnixTime)>,
    ) {
        let length = until.since(from);
        let mut at = from;
        while at < until {
            let (date, ends) = match *today {
                Some((date, ends)) if at < ends && self.0.last().is_some_and(|day| day.date == date) => (date, ends),
                Some(_) | None => {
                    let date = at.date_in(zone);
                    // A day that does not end after its own instant would never be left.
                    (date, day_after(date, zone).max(at.plus(Secs(1))))
                }
            };
            *today = Some((date, ends));
            let part = ends.min(until).since(at).0 as f64;
            self.put(Day {
                date,
                used: used * part / length.0 as f64,
                seen_secs: part,
                is_clear: length <= BLURRED_OVER,
            });
            at = ends.min(until);
        }
    }

    fn put(&mut self, part: Day) {
        match self.0.last_mut().filter(|day| day.date == part.date) {
            Some(day) => {
                day.used += part.used;
                day.seen_secs += part.seen_secs;
                day.is_clear &= part.is_clear;
            }
            None => self.0.push(part),
        }
    }
}

/// What was used between two readings, never below zero; none if that cannot be told.
pub(in crate::domain) fn used(kind: AllowanceKind, before: &Reading, after: &Reading) -> Option<i64> {
    let (was, is) = (before.left(kind), after.left(kind));
    let told = was.known && is.known && !was.unlimited && !is.unlimited;
    // Where nothing is left nothing can be used, however much is wanted.
    if !told || after.as_of <= before.as_of || is.remaining <= 0 || ended_between(kind, before, after) {
        return None;
    }
    let added = match (was.total, is.total) {
        // An allowance that is gone, or another in its place, took with it what nobody knows.
        (Some(was), Some(is)) if holds_all(kind, before, after) => is.checked_sub(was)?,
        (Some(_), Some(_)) => return None,
        _ if before.assets == after.assets && before.plan == after.plan => 0,
        _ => return None,
    };
    was.remaining.checked_sub(is.remaining)?.checked_add(added).filter(|used| *used >= 0)
}

/// Whether every allowance of the one reading is still there in the other, by what there was of it at the start.
fn holds_all(kind: AllowanceKind, before: &Reading, after: &Reading) -> bool {
    let totals = |reading: &Reading| {
        let ours = |allowance: &&Allowance| allowance.kind == kind && allowance.state != AllowanceState::Expired;
        reading.allowances.iter().filter(ours).map(|allowance| allowance.total).collect::<Vec<_>>()
    };
    let mut now = totals(after);
    totals(before).iter().all(|total| {
        let place = now.iter().position(|other| other == total);
        place.map(|place| now.swap_remove(place)).is_some()
    })
}

/// Whether something that was left may have been lost with its end.
fn ended_between(kind: AllowanceKind, before: &Reading, after: &Reading) -> bool {
    let ours = |allowance: &&Allowance| allowance.kind == kind && allowance.state != AllowanceState::Expired;
    let ends = before.allowances.iter().filter(ours).filter_map(|allowance| end_of(allowance, before));
    ends.into_iter().any(|end| before.as_of < end && end <= after.as_of)
}

/// When an allowance is gone: by its own end, or by its plan's; credit has an end of another kind.
pub(super) fn end_of(allowance: &Allowance, reading: &Reading) -> Option<UnixTime> {
    let common = match allowance.kind {
        AllowanceKind::Data | AllowanceKind::Voice | AllowanceKind::Sms => reading.plan_ends,
        AllowanceKind::Credit(_) => reading.credit_ends,
    };
    allowance.ends.or(common).map(|end| end.at)
}
