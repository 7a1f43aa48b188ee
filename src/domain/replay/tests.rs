//! A card that uses 100 MB a day, read every six hours, with a plan of 1 GB for 30 days bought whenever less than 200 MB
//! are left.

use super::*;
use crate::domain::attempt::{AttemptId, AttemptState, Cause};
use crate::domain::data::DataSize;
use crate::domain::operator::RefusalKind;
use crate::domain::reading::AllowanceKind;
use crate::domain::rule::{Buy, Choice, Condition, Mode};
use crate::domain::testing::{NOW, allowance, attempt, card, name, plan, reading, refusal, rule, usd};
use crate::domain::time::End;

const MB: i64 = 1_000_000;
const GB: u64 = 1_000_000_000;
const EVERY: Secs = Secs::hours(6);
const DAYS: i64 = 40;

fn window() -> Window {
    Window { from: NOW, to: NOW.plus(Secs::days(DAYS)) }
}

fn below(limit: i64) -> Rule {
    let limit = DataSize(limit.unsigned_abs() * 1_000_000);
    let mut rule = rule(Mode::Auto, &[Condition::DataBelow(limit)]);
    rule.buy = vec![Buy { choice: Choice::Named("gb".into()), line: 20 }];
    rule
}

fn order(id: i64, at: UnixTime, state: AttemptState) -> Order {
    let cycle = u32::try_from(id).unwrap();
    let plan = plan("gb", GB, 30, usd(5));
    let attempt = Attempt { id: AttemptId(id), cycle, plan, created_at: at, ..attempt(state) };
    Order { attempt, sent_at: at }
}

fn done(id: i64, at: UnixTime) -> Order {
    let done_at = at.plus(Secs::minutes(3));
    order(id, at, AttemptState::Done { at: done_at, order_id: None, charged: Some(usd(5)) })
}

/// What the record holds of a card that was kept by [`below`] 200 MB.
fn past(rule: Rule) -> Past {
    let (mut left, mut readings, mut orders) = (1_000 * MB, Vec::new(), Vec::new());
    let mut ends = NOW.plus(Secs::days(30));
    for place in 0..DAYS * 4 {
        let at = NOW.plus(Secs(EVERY.0 * place));
        let seen = |left| Reading {
            read_at: at,
            as_of: at,
            plan_ends: Some(End::at(ends)),
            allowances: vec![allowance(AllowanceKind::Data, left)],
            ..reading(0)
        };
        readings.push(seen(left));
        if left < 200 * MB {
            orders.push(done(i64::try_from(orders.len()).unwrap() + 1, at));
            left += 1_000 * MB;
            ends = ends.plus(Secs::days(30));
        }
        left -= 25 * MB;
    }
    let sale = vec![plan("gb", GB, 30, usd(5)), plan("half", GB / 2, 15, usd(3))];
    let catalogue = Some(Catalogue::of(window().to, sale));
    let (card, pace) = (card(), Pace { every: EVERY, at_most: Secs::ZERO });
    Past { card, rule: Some(rule), readings, orders, held_back: Vec::new(), catalogue, pace }
}

fn replayed(past: Past) -> Replayed {
    replay(&[past], &[], window()).pop().unwrap()
}

fn changes(replayed: &Replayed) -> Vec<(Change, i64)> {
    replayed.purchases.iter().map(|pair| (pair.change(), pair.later().0 / 86_400)).collect()
}

#[test]
fn unchanged_rules_buy_what_was_bought() {
    let told = replayed(past(below(200)));
    assert_eq!(changes(&told), [(Change::Same, 0); 4]);
    assert!(told.held.is_empty() && told.unread == Secs::ZERO && told.readings == 160);
    let Pair { before, after } = &told.purchases[0];
    assert_eq!(before.as_ref().map(|bought| bought.paid), Some(usd(5)));
    assert_eq!(after.as_ref().map(|bought| bought.at), before.as_ref().map(|bought| bought.at));
}

#[test]
fn an_earlier_condition_moves_each_purchase_and_adds_none_between() {
    let told = replayed(past(below(500)));
    assert_eq!(changes(&told)[..3], [(Change::Moved, -3); 3], "300 MB are three days");
    assert!(told.purchases.len() <= 5, "{:?}", changes(&told));
}

#[test]
fn a_later_condition_moves_each_purchase_behind_that_of_the_record() {
    let told = replayed(past(below(100)));
    assert_eq!(changes(&told)[..3], [(Change::Moved, 1); 3]);
}

#[test]
fn a_rule_that_buys_no_more_drops_everything_and_the_card_stays_empty() {
    let watching = Rule { mode: Mode::Watch, ..below(200) };
    assert_eq!(changes(&replayed(past(watching))), [(Change::Dropped, 0); 4]);
    let unruled = Past { rule: None, ..past(below(200)) };
    assert_eq!(changes(&replayed(unruled)).len(), 4);
}

#[test]
fn a_limit_holds_back_what_it_forbids_and_what_people_bought_counts_against_it() {
    let limited = |limit, orders: &[Order]| {
        let mut rule = below(200);
        rule.limits.per_month = Some(usd(limit));
        let mut past = past(rule);
        past.orders.splice(0..0, orders.iter().cloned());
        replayed(past)
    };
    // One purchase falls into December, three into January.
    let told = limited(10, &[]);
    assert_eq!(changes(&told).iter().filter(|(change, _)| *change == Change::Dropped).count(), 1, "{told:?}");
    assert!(matches!(told.held[..], [(_, Obstacle::Limit(Gate::OverPerMonth { .. }))]));
    let mut by_hand = done(99, NOW.plus(Secs::days(20)));
    by_hand.attempt.cause = Cause::Person { by: "anna".into() };
    assert!(limited(15, &[]).held.is_empty());
    assert!(!limited(15, &[by_hand]).held.is_empty());
}

#[test]
fn another_plan_costs_otherwise_and_is_lived_on_from_then_on() {
    let mut smaller = below(200);
    smaller.buy[0].choice = Choice::Named("half".into());
    let told = replayed(past(smaller));
    let count = |change| changes(&told).iter().filter(|(found, _)| *found == change).count();
    assert_eq!((count(Change::Other), count(Change::Dropped)), (4, 0));
    assert!(count(Change::Added) >= 2, "half of it lasts half as long: {:?}", changes(&told));
    assert_eq!(told.purchases[0].after.as_ref().map(|bought| bought.paid), Some(usd(3)));
}

#[test]
fn what_failed_in_the_record_fails_again_and_is_no_purchase() {
    let mut past = past(below(200));
    let first = past.orders[0].attempt.created_at;
    let refused = AttemptState::Refused { at: first.plus(Secs::MINUTE), refusal: refusal(RefusalKind::CardDead) };
    past.orders = vec![order(1, first, refused)];
    past.readings.retain(|reading| reading.read_at < first.plus(Secs::days(1)));
    assert!(replayed(past.clone()).purchases.is_empty());
    past.orders.clear();
    assert_eq!(changes(&replayed(past)), [(Change::Added, 0)], "and succeeds where the record did not try");
}

#[test]
fn a_person_who_held_it_back_holds_it_back_again() {
    let mut past = past(below(200));
    let first = past.orders[0].attempt.created_at;
    past.orders.clear();
    past.readings.retain(|reading| reading.read_at < first.plus(Secs::days(1)));
    past.held_back = vec![Window { from: first.minus(Secs::HOUR), to: UnixTime::MAX }];
    assert!(replayed(past).purchases.is_empty());
}

#[test]
fn cards_share_a_limit_in_the_order_of_time() {
    let other = Past { card: Card { name: name("router"), ..card() }, ..past(below(300)) };
    let limit = SharedLimit {
        line: 3,
        account: None,
        labels: Vec::new(),
        per_day: None,
        per_month: None,
        renewals_per_day: None,
        renewals_per_month: Some(1),
        per_cycle: None,
        renewals_per_cycle: None,
        rates: crate::domain::rates::Rates::default(),
    };
    let told = replay(&[past(below(200)), other], &[limit], window());
    let bought = |place: usize| -> Vec<UnixTime> {
        let after = told[place].purchases.iter().filter_map(|pair| pair.after.as_ref());
        after.map(|bought| bought.at).collect()
    };
    let (first, second) = (bought(0), bought(1));
    assert_eq!((first.len(), second.len()), (1, 1), "one in December, one in January");
    assert!(
        second[0] < first[0],
        "the one that is earlier takes what a month allows, and leaves nothing for the other"
    );
    assert!(told[0].held.iter().any(|(at, _)| *at < first[0]));
}

#[test]
fn days_without_a_reading_are_told() {
    let mut past = past(below(200));
    past.readings.retain(|reading| {
        let day = reading.read_at.since(NOW).0 / 86_400;
        !(3..6).contains(&day)
    });
    assert_eq!(replayed(past).unread, Secs(3 * 86_400 + EVERY.0));
}
