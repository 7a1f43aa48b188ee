//! Caps on money and counts. What is open or unknown counts as spent, so no order of events crosses a limit.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::attempt::{AskWhy, AttemptId};
use super::data::Percent;
use super::gates::Gate;
use super::ledger::Spend;
use super::money::Money;
use super::plan::Plan;
use super::rule::Limits;
use super::time::{Secs, UnixTime, day_start};

/// G4: the first limit that a purchase at `price` would cross. `this` is the attempt itself, whose own reservation does
/// not count against it.
#[must_use]
pub fn crossed(
    limits: &Limits,
    price: Money,
    spends: &[Spend],
    this: Option<AttemptId>,
    zone: &TimeZone,
    now: UnixTime,
) -> Option<Gate> {
    let others = || spends.iter().filter(move |spend| Some(spend.attempt) != this);
    let day = limits.renewals_per_day.filter(|limit| within_a_day(others(), now) >= *limit as usize);
    if let Some(limit) = day {
        return Some(Gate::OverPerDay { limit });
    }
    if let Some(limit) = limits.per_renewal {
        match limits.rates.convert(price, limit.currency()).map(|worth| worth.exceeds(limit)) {
            Some(Ok(false)) => {}
            Some(Ok(true)) => return Some(Gate::OverPerRenewal { limit, price }),
            Some(Err(_)) | None => return Some(Gate::LimitCurrency { limit, price }),
        }
    }
    let limit = limits.per_month?;
    let from = month_start(now.date_in(zone), zone);
    let worth = limits.rates.convert(price, limit.currency());
    match sum(limits, limit, others().filter(|spend| spend.at >= from)).zip(worth) {
        None => Some(Gate::LimitCurrency { limit, price }),
        Some((spent, worth)) => match spent.plus(worth).map(|total| total.exceeds(limit)) {
            Ok(Ok(false)) => None,
            Ok(Ok(true)) => Some(Gate::OverPerMonth { limit, spent, price }),
            Ok(Err(_)) | Err(_) => Some(Gate::LimitCurrency { limit, price }),
        },
    }
}

/// The cycle of a plan without a length.
pub const CYCLE_USUAL: Secs = Secs::days(30);
/// No cycle is longer: money is looked at no further back.
const CYCLE_MOST: Secs = Secs::days(60);

/// The cycle that a limit counts when this plan is bought: its length. What was bought within it, whichever plan, counts.
#[must_use]
pub fn cycle_of(plan: &Plan) -> Secs {
    plan.validity().filter(|lasts| *lasts > Secs::ZERO).map_or(CYCLE_USUAL, |lasts| lasts.min(CYCLE_MOST))
}

/// G4: the first limit that buying this plan would cross, those of its cycle included.
#[must_use]
pub fn stops(
    limits: &Limits,
    plan: &Plan,
    spends: &[Spend],
    this: Option<AttemptId>,
    zone: &TimeZone,
    now: UnixTime,
) -> Option<Gate> {
    crossed(limits, plan.price, spends, this, zone, now).or_else(|| cycle_crossed(limits, plan, spends, this, now))
}

fn cycle_crossed(
    limits: &Limits,
    plan: &Plan,
    spends: &[Spend],
    this: Option<AttemptId>,
    now: UnixTime,
) -> Option<Gate> {
    let cycle = cycle_of(plan);
    // What lies ahead was noted by a clock that has been set back since, and counts.
    let within = || spends.iter().filter(move |spend| Some(spend.attempt) != this && now.since(spend.at) < cycle);
    if let Some(limit) = limits.renewals_per_cycle.filter(|limit| within().count() >= *limit as usize) {
        return Some(Gate::CycleCountReached { limit });
    }
    let (limit, price) = (limits.per_cycle?, plan.price);
    let worth = limits.rates.convert(price, limit.currency());
    match sum(limits, limit, within())
        .zip(worth)
        .map(|(spent, worth)| (spent, spent.plus(worth).map(|sum| sum.exceeds(limit))))
    {
        Some((_, Ok(Ok(false)))) => None,
        Some((spent, Ok(Ok(true)))) => Some(Gate::OverPerCycle { limit, spent, price }),
        Some((_, Ok(Err(_)) | Err(_))) | None => Some(Gate::LimitCurrency { limit, price }),
    }
}

/// Whether the limits of a month or a cycle leave room for this plan now. What cannot be compared is left to the last look
/// before the order, which says so.
#[must_use]
pub fn has_room(limits: &Limits, plan: &Plan, spends: &[Spend], zone: &TimeZone, now: UnixTime) -> bool {
    let counted = Limits { per_renewal: None, renewals_per_day: None, ..limits.clone() };
    !matches!(
        stops(&counted, plan, spends, None, zone, now),
        Some(Gate::OverPerMonth { .. } | Gate::OverPerCycle { .. } | Gate::CycleCountReached { .. })
    )
}

/// When another purchase is allowed by the daily count; `now` if it is.
#[must_use]
pub fn day_limit_until(limits: &Limits, spends: &[Spend], now: UnixTime) -> UnixTime {
    let Some(limit) = limits.renewals_per_day else { return now };
    let mut recent: Vec<UnixTime> =
        spends.iter().map(|spend| spend.at).filter(|at| now.since(*at) < Secs::DAY).collect();
    if recent.len() < limit as usize {
        return now;
    }
    recent.sort_unstable();
    // At least `limit` of them are recent, so the place exists; a limit of zero never lets one through.
    recent
        .len()
        .checked_sub(limit as usize)
        .and_then(|place| recent.get(place))
        .map_or(UnixTime::MAX, |at| at.plus(Secs::DAY))
}

/// What this month's limit leaves after everything that counts.
#[must_use]
pub fn month_left(limits: &Limits, spends: &[Spend], zone: &TimeZone, now: UnixTime) -> Option<Money> {
    let limit = limits.per_month?;
    let from = month_start(now.date_in(zone), zone);
    limit.minus(sum(limits, limit, spends.iter().filter(|spend| spend.at >= from))?).ok()
}

/// What this month's limit leaves, and what the months after it until `until` allow; none without such a limit.
#[must_use]
pub fn left_until(limits: &Limits, spends: &[Spend], zone: &TimeZone, now: UnixTime, until: UnixTime) -> Option<Money> {
    let limit = limits.per_month?;
    // What cannot be added up leaves nothing to plan with.
    let left = month_left(limits, spends, zone, now).unwrap_or(Money::zero(limit.currency()));
    let month = |at: UnixTime| i64::from(at.date_in(zone).year()) * 12 + i64::from(at.date_in(zone).month());
    // The trip's end is the first instant after it.
    let later = (month(until.minus(Secs(1))) - month(now)).max(0);
    let all = left.ten_thousandths().saturating_add(limit.ten_thousandths().saturating_mul(later));
    Some(Money::new(all.max(0), limit.currency()))
}

/// Whether `price` is dearer than the rule allows against what was paid `before`, and so must be asked about.
#[must_use]
pub fn dearer(limits: &Limits, before: Option<Money>, price: Money) -> Option<AskWhy> {
    let before = before?;
    let allowed = before.raised_by(limits.price_rise.unwrap_or(Percent(0)).0);
    match price.exceeds(allowed) {
        Ok(false) => None,
        Ok(true) | Err(_) => Some(AskWhy::Dearer { before }),
    }
}

fn within_a_day<'a>(spends: impl Iterator<Item = &'a Spend>, now: UnixTime) -> usize {
    spends.filter(|spend| now.since(spend.at) < Secs::DAY).count()
}

/// The sum in the limit's currency; none if a currency without a stated rate takes part or it cannot be held. What an
/// operator claims to have paid back makes no room.
fn sum<'a>(limits: &Limits, limit: Money, mut spends: impl Iterator<Item = &'a Spend>) -> Option<Money> {
    spends.try_fold(Money::zero(limit.currency()), |sum, spend| {
        let counted = Money::new(spend.money.ten_thousandths().max(0), spend.money.currency());
        sum.plus(limits.rates.convert(counted, limit.currency())?).ok()
    })
}

fn month_start(day: Date, zone: &TimeZone) -> UnixTime {
    day_start(day.first_of_month(), zone)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::testing::{NOW, plan};

    fn at(text: &str) -> UnixTime {
        UnixTime::parse(text).unwrap()
    }

    fn usd(dollars: i64) -> Money {
        Money::new(dollars * 10_000, Currency::USD)
    }

    fn spend(id: i64, when: &str, money: Money) -> Spend {
        Spend { attempt: AttemptId(id), at: at(when), money }
    }

    fn gate(limits: &Limits, price: Money, spends: &[Spend]) -> Option<Gate> {
        crossed(limits, price, spends, Some(AttemptId(99)), &TimeZone::UTC, at("2026-12-15T12:00:00Z"))
    }

    #[test]
    fn one_purchase_may_cost_exactly_the_limit() {
        let limits = Limits { per_renewal: Some(usd(15)), ..Limits::default() };
        assert_eq!(gate(&limits, usd(15), &[]), None);
        let over = Money::new(150_001, Currency::USD);
        assert_eq!(gate(&limits, over, &[]), Some(Gate::OverPerRenewal { limit: usd(15), price: over }));
        let euro = Money::new(1, Currency::EUR);
        assert_eq!(gate(&limits, euro, &[]), Some(Gate::LimitCurrency { limit: usd(15), price: euro }));
    }

    #[test]
    fn a_month_counts_from_its_first_instant_and_not_the_attempt_itself() {
        let limits = Limits { per_month: Some(usd(40)), ..Limits::default() };
        let spends = [
            spend(1, "2026-11-30T23:59:59Z", usd(40)),
            spend(2, "2026-12-01T00:00:00Z", usd(30)),
            spend(99, "2026-12-15T11:59:00Z", usd(10)),
        ];
        assert_eq!(gate(&limits, usd(10), &spends), None);
        assert_eq!(
            gate(&limits, usd(11), &spends),
            Some(Gate::OverPerMonth { limit: usd(40), spent: usd(30), price: usd(11) })
        );
        assert_eq!(month_left(&limits, &spends, &TimeZone::UTC, at("2026-12-15T12:00:00Z")), Some(usd(0)));
        let mixed = [spend(1, "2026-12-02T00:00:00Z", Money::new(1, Currency::EUR))];
        assert!(matches!(gate(&limits, usd(1), &mixed), Some(Gate::LimitCurrency { .. })));
        let huge = [spend(1, "2026-12-02T00:00:00Z", Money::new(i64::MAX, Currency::USD))];
        assert!(gate(&limits, usd(1), &huge).is_some());
    }

    #[test]
    fn what_is_left_for_a_trip_counts_each_month_that_it_touches() {
        let limits = Limits { per_month: Some(usd(40)), ..Limits::default() };
        let spent = [spend(1, "2026-12-02T00:00:00Z", usd(30))];
        let left = |until| left_until(&limits, &spent, &TimeZone::UTC, at("2026-12-15T12:00:00Z"), at(until));
        assert_eq!(left("2026-12-20T00:00:00Z"), Some(usd(10)));
        assert_eq!(left("2027-01-01T00:00:00Z"), Some(usd(10)));
        assert_eq!(left("2027-01-01T00:00:01Z"), Some(usd(50)));
        assert_eq!(left("2027-02-10T00:00:00Z"), Some(usd(90)));
        assert_eq!(left("2026-11-01T00:00:00Z"), Some(usd(10)));
        assert_eq!(left_until(&Limits::default(), &spent, &TimeZone::UTC, NOW, NOW), None);
    }

    #[test]
    fn the_month_is_the_cards_own() {
        let limits = Limits { per_month: Some(usd(40)), ..Limits::default() };
        let toronto = TimeZone::get("America/Toronto").unwrap();
        let spends = [spend(1, "2026-12-01T04:59:59Z", usd(40))];
        let now = at("2026-12-01T05:00:00Z");
        assert_eq!(crossed(&limits, usd(1), &spends, None, &toronto, now), None);
        assert!(crossed(&limits, usd(1), &spends, None, &TimeZone::UTC, now).is_some());
    }

    #[test]
    fn the_daily_count_looks_back_24_hours() {
        let limits = Limits { renewals_per_day: Some(1), ..Limits::default() };
        assert_eq!(gate(&limits, usd(1), &[spend(1, "2026-12-14T12:00:00Z", usd(1))]), None);
        let late = [spend(1, "2026-12-14T12:00:01Z", usd(1))];
        assert_eq!(gate(&limits, usd(1), &late), Some(Gate::OverPerDay { limit: 1 }));
        let now = at("2026-12-15T12:00:00Z");
        assert_eq!(day_limit_until(&limits, &late, now), at("2026-12-15T12:00:01Z"));
        assert_eq!(day_limit_until(&limits, &[], now), now);
        let never = Limits { renewals_per_day: Some(0), ..Limits::default() };
        assert_eq!(day_limit_until(&never, &[], now), UnixTime::MAX);
    }

    #[test]
    fn a_dearer_plan_is_asked_about_above_the_allowed_rise() {
        let limits = Limits { price_rise: Some(Percent(10)), ..Limits::default() };
        assert_eq!(dearer(&limits, Some(usd(10)), usd(11)), None);
        let over = Money::new(110_001, Currency::USD);
        assert_eq!(dearer(&limits, Some(usd(10)), over), Some(AskWhy::Dearer { before: usd(10) }));
        assert_eq!(dearer(&Limits::default(), Some(usd(10)), usd(10)), None);
        assert!(dearer(&Limits::default(), Some(usd(10)), Money::new(100_001, Currency::USD)).is_some());
        assert!(dearer(&limits, Some(usd(10)), Money::new(1, Currency::EUR)).is_some());
        assert_eq!(dearer(&limits, None, usd(100)), None);
    }

    #[test]
    fn money_that_comes_back_makes_no_room() {
        let limits = Limits { per_month: Some(usd(40)), ..Limits::default() };
        let spends = [spend(1, "2026-12-02T00:00:00Z", usd(40)), spend(2, "2026-12-03T00:00:00Z", usd(-40))];
        assert!(matches!(gate(&limits, usd(1), &spends), Some(Gate::OverPerMonth { .. })));
    }

    /// A purchase that is tried: when, and for how much.
    fn tries() -> impl Strategy<Value = Vec<(i64, i64)>> {
        prop::collection::vec((0_i64..6_000_000, 0_i64..200_000), 1..60)
    }

    proptest! {
        /// In whatever order and at whatever times purchases are tried, also with a clock that goes back.
        #[test]
        fn no_order_of_purchases_crosses_a_limit(
            tries in tries(), sorted: bool, per_day in 0_u32..4, dollars in 1_i64..60, toronto: bool,
        ) {
            let zone = if toronto { TimeZone::get("America/Toronto").unwrap() } else { TimeZone::UTC };
            let limits = Limits {
                rates: crate::domain::rates::Rates::default(),
                per_renewal: Some(usd(15)),
                per_month: Some(usd(dollars)),
                renewals_per_day: Some(per_day),
                price_rise: None,
                ..Limits::default()
            };
            let mut tries = tries;
            if sorted {
                tries.sort_unstable();
            }
            let start = at("2027-02-20T00:00:00Z");
            let mut spends: Vec<Spend> = Vec::new();
            for ((secs, price), id) in tries.into_iter().zip(1..) {
                let (now, price, this) = (start.plus(Secs(secs)), Money::new(price, Currency::USD), AttemptId(id));
                if crossed(&limits, price, &spends, Some(this), &zone, now).is_none() {
                    spends.push(Spend { attempt: this, at: now, money: price });
                }
            }
            let mut months: BTreeMap<Date, i64> = BTreeMap::new();
            for spend in &spends {
                prop_assert!(spend.money.ten_thousandths() <= 150_000);
                let month = spend.at.date_in(&zone).first_of_month();
                *months.entry(month).or_default() += spend.money.ten_thousandths();
                let window = spends.iter().filter(|other| {
                    let ahead = other.at.since(spend.at);
                    ahead >= Secs::ZERO && ahead < Secs::DAY
                });
                prop_assert!(window.count() <= per_day as usize);
            }
            prop_assert!(months.values().all(|sum| *sum <= dollars * 10_000), "{months:?}");
        }
    }

    #[test]
    fn a_cycle_is_the_length_of_the_plan_and_everything_within_it_counts() {
        let week = plan("week", 1, 7, usd(5));
        let spend = |id: i64, days_ago: i64, dollars: i64| Spend {
            attempt: AttemptId(id),
            at: NOW.minus(Secs::days(days_ago)),
            money: usd(dollars),
        };
        let stops = |limits: &Limits, spends: &[Spend], this: Option<i64>| {
            stops(limits, &week, spends, this.map(AttemptId), &TimeZone::UTC, NOW)
        };
        let money = Limits { per_cycle: Some(usd(12)), ..Limits::default() };
        assert_eq!(stops(&money, &[spend(1, 6, 7)], None), None, "exactly the limit");
        let over = Gate::OverPerCycle { limit: usd(12), spent: usd(8), price: usd(5) };
        assert_eq!(stops(&money, &[spend(1, 6, 8)], None), Some(over));
        assert_eq!(stops(&money, &[spend(1, 7, 8)], None), None, "a length ago is over");
        assert_eq!(stops(&money, &[spend(1, 0, 8)], Some(1)), None, "its own reservation");
        assert!(stops(&money, &[spend(1, -3, 8)], None).is_some(), "noted by a clock that was set back");
        let count = Limits { renewals_per_cycle: Some(2), ..Limits::default() };
        assert_eq!(stops(&count, &[spend(1, 6, 1)], None), None);
        assert_eq!(stops(&count, &[spend(1, 6, 1), spend(2, 1, 1)], None), Some(Gate::CycleCountReached { limit: 2 }));
        let mut endless = week.clone();
        for (secs, days) in [(None, 30), (Some(0), 30), (Some(-1), 30), (Some(86_400), 1), (Some(i64::MAX), 60)] {
            endless.validity_secs = secs;
            assert_eq!(cycle_of(&endless), Secs::days(days), "{secs:?}");
        }
    }
}
