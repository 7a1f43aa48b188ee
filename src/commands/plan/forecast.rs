//! When the conditions of a rule may begin to hold: from ends exactly, from amounts by the use since the last top-up
//! within the last days.

use jiff::tz::TimeZone;

use crate::daemon::case::Case;
use crate::domain::plan::Plan;
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, Reading, Recent};
use crate::domain::rule::{Condition, Rule};
use crate::domain::time::{End, Secs, UnixTime, day_start};
use crate::domain::usage::{self, kind};

/// How surely an instant is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It follows from dates.
    Certain,
    /// It follows from use going on as it was.
    Estimate,
    /// It cannot be told.
    NotYet,
}

impl Known {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Estimate => "estimate",
            Self::NotYet => "not_yet",
        }
    }
}

/// How a card's amounts fall.
pub(super) struct Forecast<'a> {
    case: &'a Case,
    per_day: &'a [(AllowanceKind, i64)],
}

impl<'a> Forecast<'a> {
    /// A card as it is, and how fast its amounts fall.
    pub(super) const fn new(case: &'a Case, per_day: &'a [(AllowanceKind, i64)]) -> Self {
        Self { case, per_day }
    }

    fn rate(&self, wanted: AllowanceKind) -> Option<i64> {
        usage::rate(self.per_day, wanted)
    }

    /// The instants at which the decision may change, in order; the first is `now`.
    pub(super) fn instants(
        &self,
        rule: &Rule,
        zone: &TimeZone,
        now: UnixTime,
        until: UnixTime,
    ) -> Vec<(UnixTime, Known)> {
        let mut found = vec![(now, Known::Certain)];
        if let Some(reading) = &self.case.poll.recent.latest {
            let moments = rule.renew_when.triggers.iter().filter_map(|trigger| self.moment(trigger.condition, reading));
            found.extend(moments);
            // What a plan holds is gone with its end.
            let ends = reading.allowances.iter().filter_map(|allowance| end_of(allowance, reading.plan_ends));
            found.extend(ends.map(|at| (at, Known::Certain)));
        }
        let dates = [
            rule.from.map(|day| day_start(day, zone)),
            self.case.card.wishes.pause.as_ref().and_then(|pause| pause.until),
        ];
        found.extend(dates.into_iter().flatten().map(|at| (at, Known::Certain)));
        found.retain(|(at, _)| *at >= now && *at <= until);
        found.sort_by_key(|(at, known)| (*at, *known != Known::Certain));
        found.dedup_by_key(|(at, _)| *at);
        found
    }

    /// When a condition begins to hold.
    fn moment(&self, condition: Condition, reading: &Reading) -> Option<(UnixTime, Known)> {
        let (at, estimated) = usage::moment(condition, reading, self.per_day)?;
        Some((at, if estimated { Known::Estimate } else { Known::Certain }))
    }

    /// Whether a condition on an amount may hold one day and nobody can tell when.
    pub(super) fn is_open(&self, condition: Condition, reading: &Reading) -> bool {
        let Some(kind) = kind(condition) else { return false };
        let left = reading.left(kind);
        left.known && !left.unlimited && self.rate(kind).is_none_or(|rate| rate <= 0)
    }

    /// The readings as they would be at `at`, with use going on as it was; what is there `now` stays as it is.
    pub(super) fn readings(&self, recent: &Recent, now: UnixTime, at: UnixTime) -> Recent {
        if at <= now {
            return recent.clone();
        }
        let mut ahead = recent.clone();
        ahead.odd = None;
        if let Some(latest) = &mut ahead.latest {
            let passed = at.since(latest.as_of).0.max(0);
            for (kind, per_day) in self.per_day {
                let used = i128::from(*per_day) * i128::from(passed) / i128::from(Secs::DAY.0);
                consume(&mut latest.allowances, *kind, i64::try_from(used).unwrap_or(i64::MAX));
            }
            (latest.read_at, latest.as_of) = (at, at);
            let plan_ends = latest.plan_ends;
            for allowance in &mut latest.allowances {
                if end_of(allowance, plan_ends).is_some_and(|end| end <= at) {
                    allowance.state = AllowanceState::Expired;
                }
            }
        }
        ahead
    }
}

/// When an allowance is gone: by its own end, or its plan's; credit has an end of another kind.
fn end_of(allowance: &Allowance, plan_ends: Option<End>) -> Option<UnixTime> {
    match allowance.kind {
        AllowanceKind::Data | AllowanceKind::Voice | AllowanceKind::Sms => {
            allowance.ends.or(plan_ends).map(|end| end.at)
        }
        AllowanceKind::Credit(_) => allowance.ends.map(|end| end.at),
    }
}

/// Takes from allowances of a kind in their order, never below zero.
fn consume(allowances: &mut [Allowance], kind: AllowanceKind, mut used: i64) {
    for allowance in allowances.iter_mut().filter(|allowance| allowance.kind == kind && !allowance.unlimited) {
        let taken = used.clamp(0, allowance.remaining.max(0));
        allowance.remaining -= taken;
        used -= taken;
    }
}

/// A condition on an amount in words.
pub(super) fn words(condition: Condition) -> String {
    let what = match kind(condition) {
        Some(AllowanceKind::Data) => "data falls",
        Some(AllowanceKind::Voice) => "call time falls",
        Some(AllowanceKind::Sms) => "texts fall",
        Some(AllowanceKind::Credit(_)) => "credit falls",
        None => "the end is",
    };
    format!("{what} {condition}")
}

/// The readings after a purchase took effect: a later end, and what the plan holds.
pub(super) fn after_purchase(mut readings: Recent, plan: &Plan, at: UnixTime) -> Recent {
    let Some(latest) = &mut readings.latest else { return readings };
    (latest.read_at, latest.as_of) = (at, at);
    let begins = latest.plan_ends.map_or(at, |end| end.at.max(at));
    if let Some(length) = plan.validity() {
        latest.plan_ends = Some(End::at(begins.plus(length)));
    }
    let whole = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
    let contents = &plan.contents;
    let added = [
        contents.data_bytes.map(|data| (AllowanceKind::Data, whole(data))),
        contents.voice_secs.map(|voice| (AllowanceKind::Voice, whole(voice))),
        contents.sms.map(|texts| (AllowanceKind::Sms, whole(texts))),
        contents.credit.map(|credit| (AllowanceKind::Credit(credit.currency()), credit.ten_thousandths())),
    ];
    for (kind, amount) in added.into_iter().flatten() {
        latest.allowances.push(Allowance {
            kind,
            remaining: amount,
            total: Some(amount),
            unlimited: kind == AllowanceKind::Data && contents.unlimited_data,
            state: AllowanceState::Active,
            starts: Some(at),
            ends: latest.plan_ends,
        });
    }
    readings.previous = None;
    readings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::{Currency, Money};
    use crate::domain::plan::Contents;
    use crate::domain::reading::CardState;

    const NOW: UnixTime = UnixTime::clamped(1_800_000_000);
    const DAY: Secs = Secs::DAY;

    fn reading(at: UnixTime, data: i64) -> Reading {
        let allowance = Allowance {
            kind: AllowanceKind::Data,
            remaining: data,
            total: Some(10_000),
            unlimited: false,
            state: AllowanceState::Active,
            starts: None,
            ends: None,
        };
        Reading { allowances: vec![allowance], ..Reading::empty(at, CardState::Active) }
    }

    #[test]
    fn what_a_plan_holds_is_gone_with_its_end() {
        let reading = reading(NOW, 100);
        let end = Some(End::at(NOW.plus(DAY)));
        assert_eq!(end_of(&reading.allowances[0], end), Some(NOW.plus(DAY)));
        let credit = Allowance { kind: AllowanceKind::Credit(Currency::EUR), ..reading.allowances[0].clone() };
        assert_eq!(end_of(&credit, end), None);
    }

    #[test]
    fn allowances_are_used_up_one_after_the_other_and_never_below_zero() {
        let mut both = [reading(NOW, 100).allowances, reading(NOW, 50).allowances].concat();
        consume(&mut both, AllowanceKind::Data, 120);
        assert_eq!((both[0].remaining, both[1].remaining), (0, 30));
        consume(&mut both, AllowanceKind::Data, i64::MAX);
        assert_eq!((both[0].remaining, both[1].remaining), (0, 0));
    }

    #[test]
    fn a_purchase_adds_what_the_plan_holds_after_the_present_end() {
        let before = Reading { plan_ends: Some(End::at(NOW.plus(DAY))), ..reading(NOW, 100) };
        let plan = Plan {
            id: "p".into(),
            name: "p".into(),
            contents: Contents { data_bytes: Some(900), ..Contents::default() },
            validity_secs: Some(7 * DAY.0),
            price: Money::new(1, Currency::USD),
        };
        let after = after_purchase(Recent { latest: Some(before), ..Recent::default() }, &plan, NOW);
        let latest = after.latest.unwrap();
        assert_eq!(latest.left(AllowanceKind::Data).remaining, 1_000);
        assert_eq!(latest.plan_ends.map(|end| end.at), Some(NOW.plus(Secs::days(8))));
    }
}
