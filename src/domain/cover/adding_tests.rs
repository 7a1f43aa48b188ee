//! Plans that run beside each other or add to each other, against every sequence that there is, and by hand.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::on_top::{self, Stock, solve};
use super::solver::{Offer, Solved};
use super::*;
use crate::domain::testing::{NOW, plan, usd};

const GB: u64 = 1_000_000_000;

fn need(days: i64, gigabytes_a_day: f64) -> Need {
    Need::daily(NOW, NOW.plus(Secs::days(days)), &TimeZone::UTC, |_| gigabytes_a_day * GB as f64)
}

/// The ids of what is bought, what it costs, and what is told of how it adds.
fn bought(sold: &[Plan], need: &Need) -> Option<(String, Money, Stacking)> {
    let ids = |cover: &Cover<'_>| cover.plans.iter().map(|plan| plan.id.as_str()).collect::<Vec<_>>().join(" ");
    cheapest(sold, need, Purse::default()).map(|cover| (ids(&cover), cover.cost, cover.stacking))
}

#[test]
fn what_passes_beside_the_plan_before_is_not_counted() {
    let sold = [plan("week", GB, 7, usd(5)), plan("eight", GB, 8, usd(6))];
    let beside = |hours| need(7, 0.1).adding(Adds::Beside { sooner: Secs::hours(hours) });
    let told = |id: &str, dollars, stacking| Some((id.to_owned(), usd(dollars), stacking));
    assert_eq!(bought(&sold, &beside(0)), told("week", 5, Stacking::Queues));
    assert_eq!(bought(&sold, &beside(24)), told("eight", 6, Stacking::Beside));
    let too_soon = need(2, 0.1).adding(Adds::Beside { sooner: Secs::days(8) });
    assert_eq!(bought(&sold, &too_soon), None, "it would be over before it is needed");
}

#[test]
fn a_plan_that_begins_sooner_outlasts_the_trip_by_less() {
    let sold = [plan("eight", GB, 8, usd(5))];
    let cover = |hours| {
        let need = need(4, 0.1).outlasted_by(OUTLASTS_BY).adding(Adds::Beside { sooner: Secs::hours(hours) });
        cheapest(&sold, &need, Purse::default()).map(|cover| cover.is_whole)
    };
    assert_eq!((cover(47), cover(48)), (None, Some(true)));
}

#[test]
fn time_and_data_are_added_to_what_is_left() {
    let sold = [plan("time", GB / 10, 10, usd(3)), plan("data", 3 * GB, 2, usd(4)), plan("both", 3 * GB, 12, usd(9))];
    let told = |ids: &str, dollars, stacking| Some((ids.to_owned(), usd(dollars), stacking));
    let on_top = |data, days| Adds::OnTop(Left { data: DataSize(data), lasts: Secs::days(days) });
    let twelve = need(12, 0.25);
    assert_eq!(bought(&sold, &twelve), told("both", 9, Stacking::Queues));
    assert_eq!(bought(&sold, &twelve.clone().adding(on_top(0, 0))), told("data time", 7, Stacking::Extends));
    assert_eq!(bought(&sold, &twelve.clone().adding(on_top(0, 10))), told("data", 4, Stacking::Extends));
    assert_eq!(bought(&sold[..2], &need(10, 0.25).adding(on_top(3 * GB, 0))), told("time", 3, Stacking::Extends));
    assert_eq!(
        bought(&sold, &need(1, 0.1).adding(on_top(9 * GB, 9))),
        told("data", 4, Stacking::Extends),
        "as if gone"
    );
}

#[test]
fn plans_that_add_to_each_other_may_be_bought_together() {
    let sold = [plan("small", GB, 1, usd(2))];
    let heavy = need(1, 36.0);
    assert_eq!(bought(&sold, &heavy), None, "none lasts for an hour");
    let together = bought(&sold, &heavy.adding(Adds::OnTop(Left::default())));
    assert_eq!(together.map(|(_, cost, _)| cost), Some(usd(72)));
}

#[test]
fn a_plan_without_a_length_adds_data_alone_and_one_without_a_limit_adds_to_nothing() {
    let mut volume = plan("volume", 3 * GB, 1, usd(1));
    volume.validity_secs = None;
    let sold = [volume, plan("week", GB, 7, usd(5))];
    let on_top = need(7, 0.5).adding(Adds::OnTop(Left::default()));
    assert_eq!(bought(&sold, &on_top).map(|(_, cost, _)| cost), Some(usd(6)), "a week, and data for it");
    let mut unlimited = plan("day", 0, 1, usd(1));
    unlimited.contents.unlimited_data = true;
    let cover = bought(&[unlimited, plan("week", GB, 7, usd(5))], &on_top);
    assert_eq!(cover.map(|(ids, cost, told)| (ids.len(), cost, told)), Some((27, usd(7), Stacking::Queues)));
}

#[test]
fn many_plans_for_a_long_trip_are_reckoned_soon() {
    let sold: Vec<Plan> = (0..200_u64)
        .map(|place| {
            let (days, gigabytes) = (1 + place % 30, 1 + place % 17);
            let price = 7_000 + (days * 900 + gigabytes * 13_000) * (80 + place * 7 % 41) / 100;
            let price = Money::new(i64::try_from(price).unwrap(), crate::domain::money::Currency::USD);
            plan(&format!("{place}"), gigabytes * GB, i64::try_from(days).unwrap(), price)
        })
        .collect();
    for days in [14, 60, 180] {
        let behind = cheapest(&sold, &need(days, 0.7), Purse::default()).unwrap();
        let on_top = need(days, 0.7).adding(Adds::OnTop(Left::default()));
        let on_top = cheapest(&sold, &on_top, Purse::default()).unwrap();
        assert!(on_top.is_whole && on_top.cost.exceeds(behind.cost) == Ok(false), "{days}");
    }
}

/// 200 plans none of which is better than another in everything, so that there are many ways that cost nearly the same.
fn mixed_plans(seed: u64) -> Vec<Plan> {
    let plan = |number: u64| {
        let chance = |what: u32, below: u64| crate::domain::retry::mixed(seed << 32 | number, what) % below;
        let (megabytes, days) = (100 + chance(1, 20_000), 1 + chance(2, 60));
        let price = 10_000 + megabytes * (10 + chance(3, 10)) + days * (3_000 + chance(4, 2_000));
        let price = Money::new(i64::try_from(price).unwrap(), crate::domain::money::Currency::USD);
        plan(&format!("{number}"), megabytes * 1_000_000, i64::try_from(days).unwrap(), price)
    };
    (0..200).map(plan).collect()
}

#[test]
fn among_many_plans_that_cost_nearly_the_same_the_cheapest_are_found_and_for_half_of_the_money_those_that_last_longest()
{
    for seed in 0..2 {
        let (sold, need) = (mixed_plans(seed), need(180, 0.25).adding(Adds::OnTop(Left::default())));
        let whole = cheapest(&sold, &need, Purse::default()).unwrap();
        // Had there been too many ways, each plan would have been taken to begin behind the one before.
        assert_eq!((whole.is_whole, whole.stacking), (true, Stacking::Extends), "{seed}");
        assert_eq!(whole.runner_up.map(|(_, cost)| whole.cost.exceeds(cost)), Some(Ok(false)), "{seed}");
        let short = |part: i64| {
            let in_all = Some(Money::new(whole.cost.ten_thousandths() / part, whole.cost.currency()));
            cheapest(&sold, &need, Purse { per_plan: None, in_all }).unwrap()
        };
        let (half, third) = (short(2), short(3));
        assert_eq!((half.is_whole, half.stacking), (false, Stacking::Extends), "{seed}");
        assert!(half.until > third.until && half.until < whole.until, "{seed}");
    }
}

/// At most so many purchases within so many steps.
type Window = Option<(usize, usize)>;

fn has_room(window: Window, step: usize, before: &[(usize, usize)]) -> bool {
    window.is_none_or(|(steps, most)| before.iter().filter(|(_, at)| step - at < steps).count() < most)
}

/// Every way to add plans to what is left: the most steps that can be covered, the least cost of that, and the least of it
/// for each first plan.
fn every_way(
    (offers, used, window, money): (&[Offer], &[u64], Window, u64),
    left: (usize, u64),
) -> Option<(usize, u64, Vec<Option<u64>>)> {
    let (all_steps, all_bytes) = (used.len(), used[used.len() - 1]);
    let reaches = |(steps, bytes): (usize, u64)| used.iter().take(steps).take_while(|used| **used <= bytes).count();
    let left = (left.0.min(all_steps), left.1.min(all_bytes));
    let left = if reaches(left) == all_steps { (0, 0) } else { left };
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    let mut open = vec![(left, 0_u64, Vec::<(usize, usize)>::new())];
    while let Some((stock, cost, before)) = open.pop() {
        let start = reaches(stock);
        if let Some((first, _)) = before.first() {
            // What was bought before matters to windows, and else only with what it began.
            let matters = if window.is_some() { before.clone() } else { vec![(*first, 0)] };
            if !seen.insert((stock, cost, matters)) {
                continue;
            }
            found.push((start, cost, *first));
        }
        if start == all_steps {
            continue;
        }
        for (place, offer) in offers.iter().enumerate() {
            let next = ((stock.0 + offer.steps).min(all_steps), (stock.1 + offer.bytes).min(all_bytes));
            let is_first = !before.is_empty() || offer.is_first;
            let may_be = is_first && start <= offer.last_start && cost + offer.price <= money;
            if may_be && next != stock && has_room(window, start, &before) {
                open.push((next, cost + offer.price, [&before[..], &[(place, start)]].concat()));
            }
        }
    }
    let covered = found.iter().map(|(step, _, _)| *step).max().filter(|step| *step > reaches(left))?;
    let least = |place: Option<usize>| {
        let as_long = found.iter().filter(|(step, _, first)| *step == covered && place.is_none_or(|it| it == *first));
        as_long.map(|(_, cost, _)| *cost).min()
    };
    let by_first = (0..offers.len()).map(|place| least(Some(place))).collect();
    Some((covered, least(None)?, by_first))
}

fn offers(most: usize) -> impl Strategy<Value = Vec<Offer>> {
    let bytes = prop_oneof![Just(0_u64), 4_u64..20];
    let offer = (0_u64..20, bytes, 0_usize..6, 0_usize..9, prop::bool::weighted(0.8));
    let made = |(price, bytes, steps, last_start, is_first)| Offer { price, bytes, steps, last_start, is_first };
    prop::collection::vec(offer.prop_map(made), 0..=most)
}

/// What is used up to the end of each step, for a few of them.
fn used() -> impl Strategy<Value = Vec<u64>> {
    let sums = |needs: Vec<u64>| {
        needs
            .into_iter()
            .scan(0, |sum, need| {
                *sum += need;
                Some(*sum)
            })
            .collect()
    };
    prop::collection::vec(0_u64..7, 1..6).prop_map(sums)
}

fn check(offers: &[Offer], used: &[u64], left: (usize, u64), money: u64, window: Window) -> Result<(), TestCaseError> {
    let room = |(_, step): (usize, usize), before: &[(usize, usize)]| has_room(window, step, before);
    let stock = Stock { steps: left.0, bytes: left.1 };
    let Some(answer) = solve(&on_top::Need { offers, used, left: stock, money, has_room: &room }) else {
        prop_assert!(window.is_some(), "only limits leave so many ways");
        return Ok(());
    };
    let all = every_way((offers, used, window, money), left);
    prop_assert_eq!(answer.solved.is_some(), all.is_some());
    let whole = every_way((offers, used, None, u64::MAX), left).is_some_and(|(covered, _, _)| covered == used.len());
    prop_assert_eq!(answer.is_coverable, whole);
    if let (Some(Solved { sequence, cost, covered, runner_up }), Some((most, least, by_first))) = (answer.solved, all) {
        prop_assert_eq!((covered, cost), (most, least));
        prop_assert_eq!(sequence.iter().map(|place| offers[*place].price).sum::<u64>(), cost);
        prop_assert_eq!(by_first[sequence[0]], Some(cost));
        let others = by_first.iter().enumerate().filter(|(place, _)| *place != sequence[0]);
        prop_assert_eq!(runner_up.map(|(_, cost)| cost), others.filter_map(|(_, cost)| *cost).min());
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_way_to_add_plans_is_cheaper_and_none_lasts_longer(
        offers in offers(3), used in used(), left in (0_usize..4, 0_u64..9), money in prop::option::of(0_u64..60),
    ) {
        check(&offers, &used, left, money.unwrap_or(u64::MAX), None)?;
    }

    #[test]
    fn none_is_cheaper_either_where_limits_bar_some(
        offers in offers(2), used in used(), left in (0_usize..4, 0_u64..9), money in prop::option::of(0_u64..60),
        window in (1_usize..6, 1_usize..4),
    ) {
        check(&offers, &used, left, money.unwrap_or(u64::MAX), Some(window))?;
    }
}

/// The least cost of plans that each are bought so many hours before what is there is gone; lengths in hours.
fn least_beside(sold: &[(u64, u64, usize)], used: &[u64], sooner: usize, from: usize) -> Option<u64> {
    if from == used.len() {
        return Some(0);
    }
    let so_far = if from == 0 { 0 } else { used[from - 1] };
    let costs = sold.iter().filter_map(|(price, bytes, hours)| {
        let ends = (from + hours).saturating_sub(sooner);
        let gone = (from..used.len()).find(|hour| *hour >= ends || used[*hour] - so_far > *bytes).unwrap_or(used.len());
        (gone > from).then(|| Some(price + least_beside(sold, used, sooner, gone)?)).flatten()
    });
    costs.min()
}

proptest! {
    #[test]
    fn no_plans_beside_each_other_are_cheaper(
        sold in prop::collection::vec((1_u64..20, 1_u64..30, 1_usize..9), 1..4), used in used(), sooner in 0_usize..5,
    ) {
        let plans: Vec<Plan> = sold.iter().zip(0..).map(|((price, bytes, hours), place)| Plan {
            validity_secs: Some(3_600 * i64::try_from(*hours).unwrap()),
            ..plan(&format!("{place}"), *bytes, 1, usd(i64::try_from(*price).unwrap()))
        }).collect();
        let until = NOW.plus(Secs::hours(i64::try_from(used.len()).unwrap()));
        let hours = Secs::hours(i64::try_from(sooner).unwrap());
        let need = Need::over(NOW, until, used.clone()).outlasted_by(Percent(100)).adding(Adds::Beside { sooner: hours });
        let found = cheapest(&plans, &need, Purse::default()).filter(|cover| cover.is_whole).map(|cover| cover.cost);
        let least = least_beside(&sold, &used, sooner, 0).map(|cost| usd(i64::try_from(cost).unwrap()));
        prop_assert_eq!(found, least);
    }
}
