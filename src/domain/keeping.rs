//! Until when a number is kept that its operator tells nothing of: counted from a day that its owner knows, which may lie
//! long ago, and from renewals since.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::card::Card;
use super::reading::{Reading, Recent};
use super::rule::Rule;
use super::time::{End, Precision, Secs, UnixTime, day_start};

/// An end that passed is still the one that counts for so long; after that the next one is waited for.
const STILL_COUNTS: Secs = Secs::days(30);

/// From where the next end is counted after a renewal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CountsFrom {
    /// From the day of the renewal.
    #[default]
    Renewal,
    /// From the end that was ahead.
    End,
}

/// How long a number is kept without activity, as its owner knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KeepNumber {
    /// For so many days; at least one.
    pub days: u32,
    /// From this day on, until something is bought.
    pub since: Date,
    /// From where after that.
    pub counts_from: CountsFrom,
}

impl KeepNumber {
    /// The end that counts at `now`; `bought_at` is when something was last bought.
    #[must_use]
    pub fn ends(&self, bought_at: Option<UnixTime>, zone: &TimeZone, now: UnixTime) -> End {
        let bought = bought_at.map(|at| at.date_in(zone)).filter(|day| *day >= self.since);
        let first = match (bought, self.counts_from) {
            (None, _) => self.after(self.since, 1),
            (Some(day), CountsFrom::Renewal) => self.after(day, 1),
            (Some(day), CountsFrom::End) => self.after(self.since, self.periods(day) + 2),
        };
        // What nobody renewed as far as is known was renewed by somebody else, or the card would be dead.
        let still = now.minus(STILL_COUNTS).date_in(zone);
        let end = if first > still { first } else { self.after(first, self.periods_from(first, still) + 1) };
        End { at: day_start(end, zone), precision: Precision::Day }
    }

    /// Whole periods from the first day to another.
    fn periods(&self, day: Date) -> i64 {
        self.periods_from(self.since, day)
    }

    fn periods_from(&self, from: Date, day: Date) -> i64 {
        let days = from.until(day).map_or(0, |span| i64::from(span.get_days()));
        days.max(0) / i64::from(self.days.max(1))
    }

    fn after(&self, day: Date, periods: i64) -> Date {
        let days = i64::from(self.days.max(1)).saturating_mul(periods);
        // Longer than any calendar is for ever.
        day.checked_add(days.min(4_000_000).days()).unwrap_or(Date::MAX)
    }
}

/// The reading with the number's end as it is counted, where the rule counts it and the operator tells none.
#[must_use]
pub fn counted(
    card: &Card,
    rule: &Rule,
    reading: &Reading,
    bought_at: Option<UnixTime>,
    now: UnixTime,
) -> Option<Reading> {
    let keep = rule.keep_number.filter(|_| reading.number_ends.is_none())?;
    Some(Reading { number_ends: Some(keep.ends(bought_at, &card.zone, now)), ..reading.clone() })
}

/// The readings with the number's end as it is counted in the latest.
#[must_use]
pub(super) fn counted_in(
    card: &Card,
    rule: Option<&Rule>,
    readings: &Recent,
    bought_at: Option<UnixTime>,
    now: UnixTime,
) -> Option<Recent> {
    let latest = counted(card, rule?, readings.latest.as_ref()?, bought_at, now)?;
    Some(Recent { latest: Some(latest), ..readings.clone() })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::assess::{Verdict, assess};
    use crate::domain::ledger::Ledger;
    use crate::domain::rule::{Condition, Mode};
    use crate::domain::testing::{NOW, at, card, reading, rule, zone};

    fn keep(since: Date, counts_from: CountsFrom) -> KeepNumber {
        KeepNumber { days: 180, since, counts_from }
    }

    fn end(keep: KeepNumber, bought: Option<&str>, now: &str) -> Date {
        keep.ends(bought.map(at), &zone("UTC"), at(now)).at.date_in(&zone("UTC"))
    }

    #[test]
    fn the_first_day_may_lie_long_ago_and_the_next_end_is_counted_forward() {
        let keep = keep(date(2024, 1, 1), CountsFrom::Renewal);
        // Periods of 180 days from 2024-01-01 end on 2024-06-29, 2024-12-26, 2025-06-24, 2025-12-21, 2026-06-19, 2026-12-16.
        assert_eq!(end(keep, None, "2024-01-01T00:00:00Z"), date(2024, 6, 29));
        assert_eq!(end(keep, None, "2026-12-01T00:00:00Z"), date(2026, 12, 16));
        // What passed is still the one that counts for a month.
        assert_eq!(end(keep, None, "2026-07-18T23:59:59Z"), date(2026, 6, 19));
        assert_eq!(end(keep, None, "2026-07-19T00:00:00Z"), date(2026, 12, 16));
        let _ = end(keep, None, "9999-12-30T00:00:00Z");
    }

    #[test]
    fn after_a_renewal_it_counts_from_that_day_or_from_the_end_that_was_ahead() {
        let since = date(2026, 1, 1);
        // The first end is 2026-06-30; it was renewed ten days before.
        let ends = |counts_from, bought| end(keep(since, counts_from), bought, "2026-06-25T00:00:00Z");
        assert_eq!(ends(CountsFrom::Renewal, None), date(2026, 6, 30));
        assert_eq!(ends(CountsFrom::Renewal, Some("2026-06-20T12:00:00Z")), date(2026, 12, 17));
        assert_eq!(ends(CountsFrom::End, Some("2026-06-20T12:00:00Z")), date(2026, 12, 27));
        assert_eq!(ends(CountsFrom::Renewal, Some("2025-06-20T12:00:00Z")), date(2026, 6, 30), "before the first day");
    }

    #[test]
    fn a_rule_renews_by_the_end_that_it_counts_only_where_none_is_told() {
        let mut rule = rule(Mode::Auto, &[Condition::NumberEndsWithin(Secs::days(14))]);
        let verdict = |rule: &Rule, reading: Reading, bought_at| {
            let recent = Recent { latest: Some(reading), ..Recent::default() };
            assess(&card(), Some(rule), &recent, &Ledger { bought_at, ..Ledger::default() }, NOW).verdict
        };
        assert_eq!(verdict(&rule, reading(0), None), Verdict::Fine);
        // NOW is 2026-12-15.
        rule.keep_number = Some(keep(date(2026, 6, 25), CountsFrom::Renewal));
        assert_eq!(verdict(&rule, reading(0), None), Verdict::Renew);
        assert_eq!(verdict(&rule, reading(0), Some(NOW.minus(Secs::days(1)))), Verdict::Fine);
        let told = Reading { number_ends: Some(End::at(NOW.plus(Secs::days(90)))), ..reading(0) };
        assert_eq!(verdict(&rule, told, None), Verdict::Fine);
    }
}
