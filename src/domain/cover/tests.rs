//! The reckoning against every sequence that there is, and by hand.

use jiff::civil::date;
use proptest::prelude::*;

use super::solver::{Offer, Solved, solve};
use super::*;
use crate::domain::money::Currency;
use crate::domain::testing::{NOW, plan, usd, zone};

const GB: u64 = 1_000_000_000;

fn need(days: i64, gigabytes_a_day: f64) -> Need {
    Need::daily(NOW, NOW.plus(Secs::days(days)), &TimeZone::UTC, |_| gigabytes_a_day * GB as f64)
}

fn ids(cover: &Cover<'_>) -> Vec<String> {
    cover.plans.iter().map(|plan| plan.id.clone()).collect()
}

#[test]
fn a_large_plan_is_taken_where_several_small_ones_cost_more() {
    let sold = [plan("1gb", GB, 7, usd(5)), plan("3gb", 3 * GB, 30, usd(11)), plan("10gb", 10 * GB, 30, usd(26))];
    let cost =
        |days, a_day| cheapest(&sold, &need(days, a_day), Purse::default()).map(|cover| (ids(&cover), cover.cost));
    let told = |ids: &[&str], dollars| Some((ids.iter().map(|id| (*id).to_owned()).collect(), usd(dollars)));
    assert_eq!(cost(6, 0.16), told(&["1gb"], 5));
    assert_eq!(cost(14, 0.14), told(&["1gb", "1gb"], 10));
    assert_eq!(cost(24, 0.16), told(&["3gb", "1gb"], 16));
    assert_eq!(cost(24, 0.3), told(&["10gb"], 26));
    assert_eq!(cost(180, 0.0).map(|(_, cost)| cost), Some(usd(6 * 11)));
}

#[test]
fn it_says_what_it_would_cost_to_begin_with_another() {
    let sold = [plan("a", GB, 7, usd(5)), plan("b", 2 * GB, 14, usd(9)), plan("c", 5 * GB, 14, usd(30))];
    let need = need(12, 0.15);
    let cover = cheapest(&sold, &need, Purse::default()).unwrap();
    assert_eq!((ids(&cover), cover.is_whole, cover.until), (vec!["b".into()], true, NOW.plus(Secs::days(12))));
    assert_eq!(cover.runner_up.map(|(plan, cost)| (plan.id.as_str(), cost)), Some(("a", usd(10))));
    let told = cover.reckoning(&need, true);
    assert_eq!((told.purchases, told.cost, told.runner_up), (1, usd(9), Some(("Plan a".into(), usd(10)))));
    assert_eq!((told.data_bytes, told.from, told.is_assumed), (1_800_000_000, NOW, true));
    let alone = cheapest(&sold[..1], &need, Purse::default()).unwrap();
    assert_eq!(alone.runner_up, None);
}

#[test]
fn what_money_does_not_reach_is_left_and_what_is_too_dear_is_not_taken() {
    let sold = [plan("a", GB, 7, usd(5)), plan("b", 9 * GB, 30, usd(20))];
    let need = need(28, 0.13);
    let cover = |per_plan, in_all| cheapest(&sold, &need, Purse { per_plan, in_all });
    assert_eq!(cover(None, None).map(|cover| cover.cost), Some(usd(20)));
    assert_eq!(cover(Some(usd(19)), None).map(|cover| (cover.plans.len(), cover.cost)), Some((4, usd(20))));
    assert_eq!(cover(Some(usd(5)), None).map(|cover| cover.is_whole), Some(true), "as dear as it may be");
    let short = cover(None, Some(usd(19))).unwrap();
    assert_eq!((ids(&short), short.cost, short.is_whole), (vec!["a".into(); 3], usd(15), false));
    assert_eq!(short.until, NOW.plus(Secs::days(21)));
    assert_eq!(cover(None, Some(usd(4))), None);
    assert_eq!(cover(Some(usd(4)), None), None);
    let euro = Money::new(1, Currency::EUR);
    assert_eq!(cover(Some(euro), Some(euro)).map(|cover| cover.cost), Some(usd(20)), "nothing is converted");
}

#[test]
fn nothing_outlasts_the_trip_by_more_than_a_quarter_of_itself_where_the_rule_says_so() {
    let eight = [plan("a", 9 * GB, 8, usd(5))];
    let cover = |hours: i64| {
        let need = Need::total(NOW, NOW.plus(Secs::hours(hours)), DataSize(GB)).outlasted_by(OUTLASTS_BY);
        cheapest(&eight, &need, Purse::default()).map(|cover| (cover.plans.len(), cover.is_whole))
    };
    assert_eq!(cover(6 * 24), Some((1, true)), "two days longer");
    assert_eq!(cover(6 * 24 - 1), None);
    assert_eq!(cover(8 * 24), Some((1, true)));
    assert_eq!(cover(8 * 24 + 1), Some((1, false)), "a second would be for an hour only");
    assert_eq!(cover(14 * 24), Some((2, true)));
    let mut endless = plan("b", GB, 1, usd(90));
    endless.validity_secs = None;
    let need = Need::total(NOW, NOW.plus(Secs::HOUR), DataSize(GB));
    assert_eq!(cheapest(&[endless], &need, Purse::default()).map(|cover| cover.cost), Some(usd(90)));
}

#[test]
fn more_may_be_left_over_where_the_trip_would_be_without_data_otherwise() {
    let sold = [plan("week", GB, 7, usd(5)), plan("days", GB / 2, 3, usd(9))];
    let cover = |hours: i64, bytes: u64, share: Option<u32>| {
        let until = NOW.plus(Secs::hours(hours));
        let trip = TripEnd { at: until, most_used: DataSize(bytes), outlast: share.map(Percent) };
        let need = Need::total(NOW, until, DataSize(bytes)).of_trip(trip);
        cheapest(&sold, &need, Purse::default()).map(|cover| (ids(&cover).concat(), cover.leaves_over))
    };
    let told = |id: &str, leaves_over| Some((id.to_owned(), leaves_over));
    assert_eq!(cover(48, GB / 4, None), told("days", false), "the dearer one, since it does not outlast the trip");
    assert_eq!(cover(36, GB / 8, None), told("days", true), "half of its time is needed");
    assert_eq!(cover(35, GB / 4, None), told("days", true), "half of its data is needed");
    assert_eq!(cover(35, GB / 4 - 1, None), None);
    assert_eq!(cover(35, GB / 2, None), told("week", true), "half of the data of each is needed");
    assert_eq!(cover(35, GB / 2, Some(50)), None, "the rule speaks of time alone");
    assert_eq!(cover(35, 1, Some(100)), told("week", true));
    assert_eq!(cover(36, 1, Some(50)), told("days", true));
}

#[test]
fn odd_plans_and_needs_do_no_harm() {
    let mut unlimited = plan("u", 0, 3, usd(9));
    unlimited.contents.unlimited_data = true;
    let huge = need(3, 1e300);
    assert_eq!(cheapest(&[unlimited.clone()], &huge, Purse::default()).map(|cover| cover.is_whole), Some(true));
    assert_eq!(cheapest(&[plan("a", GB, 3, usd(1))], &huge, Purse::default()), None, "it would not last an hour");
    let credit = Plan { contents: crate::domain::plan::Contents::default(), ..unlimited.clone() };
    let euro = Plan { price: Money::new(1, Currency::EUR), ..unlimited.clone() };
    let owed = Plan { price: usd(-1), ..unlimited.clone() };
    for validity_secs in [i64::MIN, -1, 0, 59 * 60] {
        let short = Plan { validity_secs: Some(validity_secs), ..unlimited.clone() };
        assert_eq!(cheapest(&[short], &need(3, 1.0), Purse::default()), None, "{validity_secs}");
    }
    let long = Plan { validity_secs: Some(i64::MAX), ..unlimited.clone() };
    let dearest = Plan { price: Money::new(i64::MAX, Currency::USD), ..unlimited };
    let sold = [dearest, credit, euro, owed, long];
    assert_eq!(cheapest(&sold, &need(3, 1.0), Purse::default()).map(|cover| cover.plans.len()), Some(1));
    assert_eq!(
        cheapest(&sold, &need(180, 1.0), Purse::default()).map(|cover| cover.cost.ten_thousandths()),
        Some(i64::MAX)
    );
    assert_eq!(cheapest(&sold, &need(0, 1.0), Purse::default()), None);
    assert_eq!(cheapest(&[], &need(3, 1.0), Purse::default()), None);
    assert_eq!(need(-5, 1.0).bytes(), DataSize(0));
    assert_eq!(need(100_000, 1.0).bytes(), DataSize(180 * GB), "nobody looks further ahead");
}

#[test]
fn needs_follow_the_days_of_the_zone() {
    let toronto = zone("America/Toronto");
    let from = UnixTime::parse("2026-12-18T05:00:00Z").unwrap();
    let on = |day: Date| if day == date(2026, 12, 19) { 24_000.0 } else { 240.0 };
    let need = Need::daily(from, from.plus(Secs::days(3)), &toronto, on);
    assert_eq!(need.used[23], 240);
    assert_eq!(need.used[24], 1_240);
    assert_eq!(need.bytes(), DataSize(24_480));
    assert_eq!(Need::total(from, from.plus(Secs(7_201)), DataSize(10)).used, [3, 6, 10]);
}

/// At most so much money or so many purchases within so many steps.
#[derive(Clone, Copy, Debug)]
struct Window {
    steps: usize,
    money: u64,
    purchases: usize,
}

impl Window {
    fn has_room(self, offers: &[Offer], (place, step): (usize, usize), before: &[(usize, usize)]) -> bool {
        let within = || before.iter().filter(|(_, at)| step - at < self.steps);
        let spent: u64 = within().map(|(place, _)| offers[*place].price).sum();
        spent + offers[place].price <= self.money && within().count() < self.purchases
    }
}

/// Every sequence there is: the most steps that can be covered, the least cost of that, and the least for each first plan.
fn every_sequence(
    offers: &[Offer],
    used: &[u64],
    money: u64,
    window: Option<Window>,
) -> Option<(usize, u64, Vec<Option<u64>>)> {
    fn walk(
        (offers, used, window): (&[Offer], &[u64], Option<Window>),
        step: usize,
        before: &[(usize, usize)],
        found: &mut Vec<(usize, u64, usize)>,
    ) {
        if let Some((first, _)) = before.first() {
            found.push((step, before.iter().map(|(place, _)| offers[*place].price).sum(), *first));
        }
        let may_begin = |offer: &Offer| step <= offer.last_start && (offer.is_first || step > 0);
        for (place, offer) in offers.iter().enumerate().filter(|(_, offer)| may_begin(offer)) {
            let already = if step == 0 { 0 } else { used[step - 1] };
            let lasts = (step..used.len())
                .take_while(|now| now - step < offer.steps && used[*now] - already <= offer.bytes)
                .count();
            if lasts > 0 && window.is_none_or(|window| window.has_room(offers, (place, step), before)) {
                let before = [before, &[(place, step)]].concat();
                walk((offers, used, window), step + lasts, &before, found);
            }
        }
    }
    let mut found = Vec::new();
    walk((offers, used, window), 0, &[], &mut found);
    let covered = found.iter().filter(|(_, cost, _)| *cost <= money).map(|(step, _, _)| *step).max()?;
    // A sequence that lasts longer than to the goal covers it too.
    let least = |place: Option<usize>| {
        let lasting =
            found.iter().filter(|(step, _, first)| *step >= covered && place.is_none_or(|place| place == *first));
        lasting.map(|(_, cost, _)| *cost).min()
    };
    let by_first = (0..offers.len()).map(|place| least(Some(place))).collect();
    Some((covered, least(None)?, by_first))
}

fn offers() -> impl Strategy<Value = Vec<Offer>> {
    let offer = (0_u64..20, 0_u64..30, 0_usize..6, 0_usize..9, prop::bool::weighted(0.8));
    prop::collection::vec(
        offer.prop_map(|(price, bytes, steps, last_start, is_first)| Offer {
            price,
            bytes,
            steps,
            last_start,
            is_first,
        }),
        0..4,
    )
}

proptest! {
    #[test]
    fn no_sequence_is_cheaper_and_none_lasts_longer(
        offers in offers(), needs in prop::collection::vec(0_u64..9, 1..8), money in prop::option::of(0_u64..60),
    ) {
        let used: Vec<u64> = needs.iter().scan(0, |sum, need| { *sum += need; Some(*sum) }).collect();
        let money = money.unwrap_or(u64::MAX);
        let (solved, all) = (solve(&offers, &used, money, &|_, _| true).solved, every_sequence(&offers, &used, money, None));
        prop_assert_eq!(solved.is_some(), all.is_some());
        if let (Some(Solved { sequence, cost, covered, runner_up }), Some((most, least, by_first))) = (solved, all) {
            prop_assert_eq!((covered, cost), (most, least));
            prop_assert_eq!(sequence.iter().map(|place| offers[*place].price).sum::<u64>(), cost);
            prop_assert_eq!(by_first[sequence[0]], Some(cost));
            let others = by_first.iter().enumerate().filter(|(place, _)| *place != sequence[0]);
            prop_assert_eq!(runner_up.map(|(_, cost)| cost), others.filter_map(|(_, cost)| *cost).min());
        }
    }

    #[test]
    fn none_is_cheaper_either_where_each_purchase_may_bar_later_ones(
        offers in offers(), needs in prop::collection::vec(0_u64..9, 1..8), money in prop::option::of(0_u64..60),
        (steps, most, purchases) in (1_usize..9, 0_u64..40, 1_usize..4),
    ) {
        let used: Vec<u64> = needs.iter().scan(0, |sum, need| { *sum += need; Some(*sum) }).collect();
        let (money, window) = (money.unwrap_or(u64::MAX), Window { steps, money: most, purchases });
        let solved = solve(&offers, &used, money, &|next, before| window.has_room(&offers, next, before)).solved;
        let all = every_sequence(&offers, &used, money, Some(window));
        prop_assert_eq!(solved.is_some(), all.is_some());
        if let (Some(Solved { sequence, cost, covered, runner_up }), Some((most, least, by_first))) = (solved, all) {
            prop_assert_eq!((covered, cost), (most, least));
            prop_assert_eq!(sequence.iter().map(|place| offers[*place].price).sum::<u64>(), cost);
            if let Some((other, of_other)) = runner_up {
                prop_assert!(of_other >= cost, "it would be the cheapest");
                prop_assert!(by_first[other[0]].is_some_and(|least| of_other >= least), "it cannot be had for that");
            }
        }
    }
}
