//! Habits that are known are told from readings that a card of that habit would give; what is not use is none.

use jiff::civil::{Date, date};

use super::*;
use crate::domain::money::Currency;
use crate::domain::reading::{AllowanceState, CardState};
use crate::domain::retry::mixed;
use crate::domain::testing::{allowance, reading, zone};
use crate::domain::time::{End, day_start};

const GB: i64 = 1_000_000_000;
const MB: i64 = 1_000_000;
/// A Monday.
const FIRST: Date = date(2026, 9, 7);

fn start() -> UnixTime {
    day_start(FIRST, &TimeZone::UTC)
}

/// A reading `hours` after the start with this much of that.
fn seen(hours: i64, left: i64, total: i64) -> Reading {
    let at = start().plus(Secs::hours(hours));
    let mut seen = Reading { read_at: at, as_of: at, ..reading(left) };
    seen.allowances[0].total = Some(total);
    seen
}

fn forecast(past: &[Reading]) -> Forecast {
    let now = past.last().map_or(start(), |last| last.as_of);
    Forecast::of(AllowanceKind::Data, past, &TimeZone::UTC, now)
}

fn mean(past: &[Reading]) -> Option<i64> {
    forecast(past).habit().map(|habit| habit.mean.round() as i64)
}

#[test]
fn a_whole_day_is_needed_before_anything_is_told() {
    let needed = Secs::DAY;
    assert_eq!(forecast(&[]), Forecast::unseen());
    assert_eq!(forecast(&[seen(0, GB, GB)]), Forecast::unseen());
    let nearly = [seen(0, 1_000, 1_000), seen(23, 770, 1_000)];
    assert_eq!(forecast(&nearly), Forecast::Collecting { seen: Secs::hours(23), needed });
    assert_eq!(mean(&[seen(0, 1_000, 1_000), seen(24, 760, 1_000)]), Some(240));
}

#[test]
fn a_top_up_inside_is_never_use_and_what_is_used_beside_it_is() {
    // 100 a day; at hour 36 another 1,000 come onto the card.
    let holds = |hours: i64| {
        let mut holds = seen(hours, 1_000 - hours * 100 / 24, 1_000);
        if hours >= 36 {
            holds.allowances.extend(seen(hours, 1_000, 1_000).allowances);
        }
        holds
    };
    let past: Vec<Reading> = (0..16).map(|n| holds(n * 6)).collect();
    assert_eq!(mean(&past), Some(100));
    let Forecast::Ready(habit) = forecast(&past) else { panic!("enough was seen") };
    assert_eq!(habit.days, 3.75, "the hours of the top-up count too");
    // Where there are no totals, or one stands for all, a step up is left out, and so is its time.
    let summed = |total: fn(i64) -> Option<i64>| {
        let sum = |reading: &Reading| {
            let left = reading.left(AllowanceKind::Data);
            let mut one = Reading { allowances: vec![reading.allowances[0].clone()], ..reading.clone() };
            (one.allowances[0].remaining, one.allowances[0].total) = (left.remaining, left.total.and_then(total));
            one
        };
        past.iter().map(sum).collect::<Vec<_>>()
    };
    for total in [|_| None, Some] {
        let Forecast::Ready(habit) = forecast(&summed(total)) else { panic!("enough was seen") };
        assert_eq!((habit.mean.round(), habit.days), (100.0, 3.5));
    }
    let all: Vec<Reading> = (0..60).map(|n| seen(n, 100 + n, 10_000)).collect();
    assert_eq!(forecast(&all), Forecast::unseen(), "an amount that only grows shows no use at all");
}

#[test]
fn what_is_lost_with_its_plan_and_what_cannot_be_used_is_no_habit() {
    let ending = |hours: i64, left: i64, ends: i64| {
        let ends = Some(End::at(start().plus(Secs::hours(ends))));
        Reading { plan_ends: ends, ..seen(hours, left, 5_000) }
    };
    // 10 an hour for two days; then 4,000 that were left are lost, and 10 an hour of the next plan.
    let mut past: Vec<Reading> = (0..=48).map(|n| ending(n, 5_000 - 10 * n, 49)).collect();
    past.extend((49..100).map(|n| ending(n, 5_000 - 10 * (n - 49), 999)));
    assert_eq!(mean(&past), Some(240));
    // The same use until nothing is left: that nothing is used then says nothing.
    let mut empty: Vec<Reading> = (0..60).map(|n| seen(n, 600 - 10 * n, 600)).collect();
    empty.extend((60..600).map(|n| seen(n, 0, 600)));
    assert_eq!(mean(&empty), Some(240));
}

#[test]
fn gaps_old_answers_and_kinds_that_are_not_told_do_no_harm() {
    let past = [seen(0, 10_000, 10_000), seen(240, 7_600, 10_000), seen(200, 9_000, 10_000), seen(264, 7_360, 10_000)];
    let found = forecast(&past);
    let habit = found.habit().unwrap();
    assert_eq!(habit.mean.round(), 240.0);
    assert!((habit.days - 11.0).abs() < 0.01);
    assert!(habit.low < habit.usual && habit.usual < habit.high);
    let now = start().plus(Secs::days(11));
    assert_eq!(Forecast::of(AllowanceKind::Sms, &past, &TimeZone::UTC, now), Forecast::unseen());
    let long_after = now.plus(LOOKS_BACK).plus(Secs::days(1));
    assert_eq!(Forecast::of(AllowanceKind::Data, &past, &TimeZone::UTC, long_after), Forecast::unseen());
    let mut unlimited = past.clone();
    unlimited.iter_mut().for_each(|reading| reading.allowances[0].unlimited = true);
    assert_eq!(forecast(&unlimited), Forecast::unseen());
    let credit = AllowanceKind::Credit(Currency::EUR);
    let owing = past.map(|reading| Reading { allowances: vec![allowance(credit, -5)], ..reading });
    assert_eq!(Forecast::of(credit, &owing, &TimeZone::UTC, now), Forecast::unseen());
}

/// Chance that is the same at every run.
struct Chance(u64, u32);

impl Chance {
    /// Between 0 and 1.
    fn share(&mut self) -> f64 {
        self.1 += 1;
        (mixed(self.0, self.1) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Around 1, more often a little below than far above, as use is.
    fn noise(&mut self, width: f64) -> f64 {
        let normal: f64 = (0..12).map(|_| self.share()).sum::<f64>() - 6.0;
        (width * normal).exp()
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Steady,
    WeekendHeavy,
    Bursty,
}

/// What each day takes.
fn use_of(kind: Kind, days: usize, chance: &mut Chance) -> Vec<f64> {
    let level = 100.0 + 400.0 * chance.share();
    let day = |n: usize| match kind {
        Kind::Steady => level * chance.noise(0.3),
        Kind::WeekendHeavy => level * if n % 7 >= 5 { 2.5 } else { 0.7 } * chance.noise(0.3),
        Kind::Bursty => level * if chance.share() < 0.2 { 4.0 } else { 0.4 } * chance.noise(0.4),
    };
    (0..days).map(day).map(|megabytes| megabytes * MB as f64).collect()
}

/// Four readings a day of a card that is topped up by 5 GB when less than 1 GB is left. A bursty card's operator is
/// down now and then for a day or three.
fn readings_of(kind: Kind, days: &[f64], chance: &mut Chance) -> Vec<Reading> {
    let (mut left, mut bought, mut down_until) = (5.0 * GB as f64, 1, 0);
    let mut past = Vec::new();
    for (n, used) in (0_i64..).zip(days.iter().flat_map(|day| [0.1, 0.3, 0.25, 0.35].map(|share| day * share))) {
        if n >= down_until {
            past.push(holding(n * 6, left as i64, bought));
            if matches!(kind, Kind::Bursty) && chance.share() < 0.02 {
                down_until = n + 4 + (chance.share() * 8.0) as i64;
            }
        }
        left -= used;
        if left < GB as f64 {
            (left, bought) = (left + 5.0 * GB as f64, bought + 1);
        }
    }
    past.push(holding(i64::try_from(days.len()).unwrap() * 24, left as i64, bought));
    past
}

/// So much left of so many plans of 5 GB, the first of which are used up.
fn holding(hours: i64, left: i64, bought: usize) -> Reading {
    let mut holding = seen(hours, 0, 5 * GB);
    holding.allowances = vec![holding.allowances[0].clone(); bought];
    let mut rest = left;
    for plan in holding.allowances.iter_mut().rev() {
        plan.remaining = rest.clamp(0, 5 * GB);
        rest -= plan.remaining;
    }
    holding
}

#[test]
fn days_held_back_are_told_better_than_by_the_last_day_or_by_the_average() {
    const SEEN: usize = 42;
    const HELD_BACK: usize = 14;
    let mut sums = [0.0; 3];
    for kind in [Kind::Steady, Kind::WeekendHeavy, Kind::Bursty] {
        let mut errors = [0.0; 3];
        for seed in 0..60 {
            let mut chance = Chance(seed, 0);
            let days = use_of(kind, SEEN + HELD_BACK, &mut chance);
            let (past, coming) = days.split_at(SEEN);
            let found = forecast(&readings_of(kind, past, &mut chance));
            let habit = found.habit().unwrap();
            let average = past.iter().sum::<f64>() / past.len() as f64;
            let mut date = FIRST.checked_add(jiff::Span::new().days(42)).unwrap();
            for day in coming {
                let told = [habit.usual_on(date), past[SEEN - 1], average];
                for (error, told) in errors.iter_mut().zip(told) {
                    *error += (told - day).abs() / average / (60 * HELD_BACK) as f64;
                }
                date = date.tomorrow().unwrap();
            }
        }
        println!(
            "{kind:?}: mean absolute error, in average days: forecast {:.3}, last day {:.3}, mean {:.3}",
            errors[0], errors[1], errors[2]
        );
        assert!(errors[0] < errors[1], "{kind:?} {errors:?}");
        sums.iter_mut().zip(errors).for_each(|(sum, error)| *sum += error / 3.0);
    }
    println!("all habits: forecast {:.3}, last day {:.3}, mean {:.3}", sums[0], sums[1], sums[2]);
    assert!(sums[0] < sums[1] && sums[0] < sums[2], "{sums:?}");
}

#[test]
fn days_of_the_week_are_told_apart_only_where_they_differ() {
    let habit = |kind| {
        let mut chance = Chance(5, 0);
        let days = use_of(kind, 42, &mut chance);
        forecast(&readings_of(kind, &days, &mut chance)).habit().unwrap().clone()
    };
    let weekends = habit(Kind::WeekendHeavy);
    assert!(weekends.tells_weekdays());
    assert!(weekends.weekdays[5] > 1.6 && weekends.weekdays[6] > 1.6 && weekends.weekdays[2] < 0.8, "{weekends:?}");
    assert!((weekends.weekdays.iter().sum::<f64>() - 7.0).abs() < 1e-9);
    let steady = habit(Kind::Steady);
    assert!(steady.weekdays.iter().all(|factor| (0.8..1.2).contains(factor)), "{steady:?}");
    assert_eq!(steady.confidence(), Confidence::Good);
    // Each weekday must have been there twice.
    let short: Vec<Reading> =
        (0..13 * 4).map(|n| seen(n * 6, 100 * GB - n * MB * if n % 28 >= 20 { 9 } else { 1 }, 100 * GB)).collect();
    assert_eq!(forecast(&short).habit().map(|habit| habit.weekdays), Some([1.0; 7]));
}

#[test]
fn the_range_of_when_it_is_used_up_holds_the_truth_about_eight_times_of_ten() {
    let (mut held, mut rounds) = (0, 0);
    for kind in [Kind::Steady, Kind::WeekendHeavy, Kind::Bursty] {
        for seed in 100..160 {
            let mut chance = Chance(seed, 0);
            let days = use_of(kind, 28 + 60, &mut chance);
            let past = readings_of(kind, &days[..28], &mut chance);
            let found = forecast(&past);
            let last = past.last().unwrap();
            let tells = lasting(AllowanceKind::Data, last, found.habit().unwrap(), &TimeZone::UTC).unwrap();
            let (early, likely, late) = (tells.early.unwrap(), tells.likely.unwrap(), tells.late.unwrap());
            assert!(early <= likely && likely <= late);
            let mut left = last.left(AllowanceKind::Data).remaining as f64;
            let whole = days[28..]
                .iter()
                .take_while(|day| {
                    left -= **day;
                    left > 0.0
                })
                .count();
            let truth = last.as_of.plus(Secs::days(i64::try_from(whole).unwrap()));
            rounds += 1;
            held += i32::from(early.minus(Secs::DAY) <= truth && truth <= late);
        }
    }
    println!("{held} of {rounds} ends lay in the range that was told");
    assert!(held * 10 >= rounds * 7, "{held} of {rounds}");
}

#[test]
fn what_is_left_is_used_in_the_order_of_its_ends_and_lost_with_them() {
    let past: Vec<Reading> = (0..=10).map(|n| seen(24 * n, 10_000 - 100 * n, 10_000)).collect();
    let found = forecast(&past);
    let habit = found.habit().unwrap();
    let now = start().plus(Secs::days(10));
    let days = |reading: &Reading| {
        let tells = lasting(AllowanceKind::Data, reading, habit, &TimeZone::UTC).unwrap();
        tells.likely.map(|at| (at.since(now).0 as f64 / 864.0).round() / 100.0)
    };
    let part = |amount: i64, ends: Option<i64>| {
        let ends = ends.map(|days| End::at(now.plus(Secs::days(days))));
        crate::domain::reading::Allowance { ends, ..allowance(AllowanceKind::Data, amount) }
    };
    let holds = |allowances| Reading { allowances, read_at: now, as_of: now, ..Reading::empty(now, CardState::Active) };
    assert_eq!(days(&holds(vec![part(250, None)])), Some(2.5));
    assert_eq!(days(&holds(vec![part(0, None)])), Some(0.0));
    assert_eq!(days(&holds(vec![part(5_000, Some(3))])), Some(3.0));
    // The one that ends first goes first; of it 300 of 500 are lost after two days.
    assert_eq!(days(&holds(vec![part(300, Some(90)), part(500, Some(2))])), Some(5.0));
    assert_eq!(days(&holds(vec![part(300, Some(4)), part(500, Some(2))])), Some(4.0));
    assert_eq!(days(&holds(vec![part(9_999_999, None)])), None);
    let mut endless = part(0, Some(7));
    endless.unlimited = true;
    assert_eq!(days(&holds(vec![endless.clone()])), Some(7.0));
    endless.ends = None;
    assert_eq!(days(&holds(vec![endless])), None);
    let mut over = part(700, None);
    over.state = AllowanceState::Expired;
    assert_eq!(days(&holds(vec![over, part(100, None)])), Some(1.0));
    assert_eq!(lasting(AllowanceKind::Sms, &holds(vec![]), habit, &TimeZone::UTC), None);
}

#[test]
fn it_lasts_surely_likely_or_not_until_an_end() {
    let at = |days: i64| Some(start().plus(Secs::days(days)));
    let tells = Lasting { early: at(5), likely: at(7), late: None };
    let reaches = |days: i64| tells.reaches(start().plus(Secs::days(days)));
    assert_eq!([5, 6, 7].map(reaches), [Reaches::Surely, Reaches::Likely, Reaches::Likely]);
    assert_eq!(reaches(8), Reaches::No(start().plus(Secs::days(7))));
    let ever = Lasting { early: None, likely: None, late: None };
    assert_eq!(ever.reaches(UnixTime::MAX), Reaches::Surely);
}

#[test]
fn days_are_those_of_the_cards_zone_also_when_the_clocks_change() {
    // Toronto goes back to winter time on 2026-11-01, a day of 25 hours.
    let toronto = zone("America/Toronto");
    let first = day_start(date(2026, 10, 29), &toronto);
    let past: Vec<Reading> = (0_i64..7 * 24)
        .map(|n| {
            let at = first.plus(Secs::hours(n));
            Reading { read_at: at, as_of: at, ..reading(100_000 - 10 * n) }
        })
        .collect();
    let found = Forecast::of(AllowanceKind::Data, &past, &toronto, past.last().unwrap().as_of);
    let habit = found.habit().unwrap();
    assert_eq!((habit.usual.round(), habit.low.round(), habit.high.round()), (240.0, 240.0, 240.0));
}
