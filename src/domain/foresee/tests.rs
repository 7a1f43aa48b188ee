//! What is foreseen where dates, limits and people decide; how it fares against what is then bought is tried in the
//! simulation of trips.

use jiff::civil::date;

use super::*;
use crate::domain::attempt::AttemptState;
use crate::domain::capabilities::Stacking;
use crate::domain::data::DataSize;
use crate::domain::reading::Reading;
use crate::domain::rule::{Buy, Choice, Limits, Mode};
use crate::domain::testing::{NOW, attempt, card, name, plan, reading, rule, usd, zone};
use crate::domain::time::End;

const GB: u64 = 1_000_000_000;
const WEEK: Secs = Secs::days(7);

/// A card with a plan of 3 GB that ends in three days, and a rule that buys it again a day before that.
struct Kept {
    card: Card,
    rule: Rule,
    catalogue: Option<Catalogue>,
    past: Vec<Reading>,
    ledger: Ledger,
    attempts: Vec<Attempt>,
}

impl Kept {
    fn new(mode: Mode, conditions: &[Condition]) -> Self {
        let last = Reading { plan_ends: Some(End::at(NOW.plus(Secs::days(3)))), ..reading(3_000_000_000) };
        let buy = vec![Buy { choice: Choice::Named("3gb".into()), line: 20 }];
        Self {
            card: card(),
            rule: Rule { buy, ..rule(mode, conditions) },
            catalogue: Some(Catalogue::of(NOW, vec![plan("3gb", 3 * GB, 7, usd(9))])),
            past: vec![last],
            ledger: Ledger::default(),
            attempts: Vec::new(),
        }
    }

    /// The same amount each day for five days.
    fn uses(mut self, per_day: i64) -> Self {
        let last = self.past[0].clone();
        let seen = |hours: i64| {
            let at = NOW.minus(Secs::hours(hours));
            let allowances = reading(3_000_000_000 + hours * per_day / 24).allowances;
            Reading { read_at: at, as_of: at, allowances, ..last.clone() }
        };
        self.past = (0..=120).rev().map(seen).collect();
        self
    }

    fn foresee(&self, days: i64) -> Vec<Foreseen> {
        self.setting(|setting| foresee(setting, NOW, NOW.plus(Secs::days(days))))
    }

    fn setting<T>(&self, look: impl FnOnce(&Setting<'_>) -> T) -> T {
        let recent = Recent { latest: self.past.last().cloned(), ..Recent::default() };
        let used = Forecast::of(AllowanceKind::Data, &self.past, &zone("UTC"), NOW);
        look(&Setting {
            card: &self.card,
            rule: &self.rule,
            catalogue: self.catalogue.as_ref(),
            recent: &recent,
            ledger: &self.ledger,
            attempts: &self.attempts,
            seller: &name("airalo"),
            uses: &[(AllowanceKind::Data, used)],
        })
    }
}

fn a_day_before() -> Vec<Condition> {
    vec![Condition::PlanEndsWithin(Secs::DAY)]
}

/// When each is likely, from now, and in one word what.
fn told(foreseen: &[Foreseen]) -> Vec<(Option<i64>, &'static str)> {
    let word = |what: &What| match what {
        What::Buys(_) => "buys",
        What::Asks(..) => "asks",
        What::Unpriced => "unpriced",
        What::UnderWay(..) => "under way",
        What::OverLimit(..) => "limit",
        What::NothingOnSale => "nothing",
        What::Lasts => "lasts",
        What::Held(..) => "held",
    };
    let hours = |one: &Foreseen| one.when.likely.map(|at| at.since(NOW).0 / 3_600);
    foreseen.iter().map(|one| (hours(one), word(&one.what))).collect()
}

#[test]
fn what_follows_from_dates_is_told_to_the_minute_and_until_the_next_reading() {
    let kept = Kept::new(Mode::Auto, &a_day_before());
    let foreseen = kept.foresee(14);
    assert_eq!(told(&foreseen), [(Some(48), "buys"), (Some(48 + 7 * 24), "buys")]);
    let first = &foreseen[0];
    let due = NOW.plus(Secs::days(2));
    assert_eq!(
        first.when,
        When { early: due, likely: Some(due), late: Some(due.plus(Secs::minutes(20))), is_certain: true }
    );
    assert_eq!(first.check.map(|check| check.trigger.line), Some(14));
    assert_eq!(kept.foresee(1), []);
}

#[test]
fn what_follows_from_use_has_a_range_and_comes_by_whichever_condition_is_first() {
    let low = Condition::DataBelow(DataSize(GB));
    let kept = Kept::new(Mode::Auto, &[low, Condition::PlanEndsWithin(Secs::DAY)]).uses(1_000_000_000);
    let foreseen = kept.foresee(8);
    // 3 GB until below 1 GB; then the same for each 3 GB more.
    assert_eq!(told(&foreseen)[..3], [(Some(48), "buys"), (Some(5 * 24), "buys"), (Some(8 * 24), "buys")]);
    let When { early, likely, late, is_certain } = foreseen[1].when;
    assert!(early < likely.unwrap() && likely < late && !is_certain);
    let slow = Kept::new(Mode::Auto, &[low, Condition::PlanEndsWithin(Secs::DAY)]).uses(100_000_000);
    assert_eq!(slow.foresee(8)[0].check.map(|check| check.trigger.line), Some(15), "it ends before it is low");
}

#[test]
fn a_limit_is_told_where_it_first_stands_in_the_way_and_what_is_bought_when_it_does_not_any_more() {
    // The 15th of December; 9 USD of 10 are spent by the second purchase.
    let mut kept = Kept::new(Mode::Auto, &a_day_before());
    kept.rule.limits = Limits { per_month: Some(usd(10)), ..Limits::default() };
    let foreseen = kept.foresee(20);
    let hours_until_january = 16 * 24 + 12;
    assert_eq!(told(&foreseen), [(Some(48), "buys"), (Some(9 * 24), "limit"), (Some(hours_until_january), "buys")]);
    let What::OverLimit(_, gate) = &foreseen[1].what else { panic!("{:?}", foreseen[1]) };
    assert_eq!(*gate, Gate::OverPerMonth { limit: usd(10), spent: usd(9), price: usd(9) });
    kept.rule.limits = Limits { per_renewal: Some(usd(8)), ..Limits::default() };
    assert_eq!(told(&kept.foresee(20)), [(Some(48), "limit")]);
}

#[test]
fn people_and_dates_that_stand_in_the_way_are_told() {
    let with = |change: fn(&mut Kept)| {
        let mut kept = Kept::new(Mode::Auto, &a_day_before());
        change(&mut kept);
        told(&kept.foresee(20)).into_iter().map(|(at, what)| (at.map(|hours| hours / 24), what)).collect::<Vec<_>>()
    };
    assert_eq!(with(|kept| kept.rule.mode = Mode::Ask), [(Some(2), "asks"), (Some(9), "asks"), (Some(16), "asks")]);
    assert_eq!(with(|kept| kept.rule.mode = Mode::Watch), [(Some(2), "held")]);
    assert_eq!(with(|kept| kept.card.wishes.skip_next = true), [(Some(2), "held")]);
    assert_eq!(with(|kept| kept.card.wishes.stop_after_next = true), [(Some(2), "buys")]);
    assert_eq!(with(|kept| kept.catalogue = None), [(Some(2), "unpriced")]);
    assert_eq!(with(|kept| kept.rule.from = Some(date(2026, 12, 20)))[0], (Some(4), "buys"));
    assert_eq!(with(|kept| kept.rule.until = Some(date(2026, 12, 20))), [(Some(2), "nothing")]);
    assert_eq!(with(|kept| kept.past[0].plan_ends = None), []);
    assert_eq!(with(|kept| kept.past.clear()), [(Some(0), "held")]);
}

#[test]
fn what_is_ordered_already_counts_as_if_it_were_there() {
    let mut kept = Kept::new(Mode::Auto, &a_day_before());
    let mut open = attempt(AttemptState::Planned { next_at: NOW });
    open.plan = plan("3gb", 3 * GB, 7, usd(9));
    kept.ledger.open = Some(OpenAttempt::from(&open));
    kept.attempts = vec![open];
    // It begins in three days and lasts a week.
    assert_eq!(told(&kept.foresee(14)), [(Some(0), "under way"), (Some(9 * 24), "buys")]);
}

#[test]
fn a_number_is_kept_once_and_its_next_end_is_for_the_operator_to_tell() {
    let mut kept = Kept::new(Mode::Auto, &[Condition::NumberEndsWithin(WEEK)]);
    kept.past[0].number_ends = Some(End::at(NOW.plus(Secs::days(10))));
    assert_eq!(told(&kept.foresee(30)), [(Some(72), "buys")]);
}

#[test]
fn a_condition_of_which_nobody_can_tell_when_it_will_hold_is_told() {
    let kept = Kept::new(Mode::Auto, &[Condition::DataBelow(DataSize(GB)), Condition::PlanEndsWithin(Secs::DAY)]);
    let untold = kept.setting(untold);
    assert_eq!(untold, [(Condition::DataBelow(DataSize(GB)), 14, Forecast::unseen())]);
    let known = Kept::new(Mode::Auto, &[Condition::DataBelow(DataSize(GB))]).uses(1);
    assert_eq!(known.setting(super::untold), []);
}

#[test]
fn what_is_added_to_a_plan_lengthens_it_and_what_begins_beside_it_ends_sooner() {
    let days = |stacking| -> Vec<i64> {
        let mut kept = Kept::new(Mode::Auto, &[Condition::PlanEndsWithin(Secs::DAY)]);
        kept.catalogue = kept.catalogue.map(|sold| Catalogue { stacking, ..sold });
        let bought = kept.foresee(15).into_iter().filter(|one| one.what.is_purchase());
        bought.filter_map(|one| one.when.likely).map(|at| at.since(NOW).0 / Secs::DAY.0).collect()
    };
    assert_eq!(days(Stacking::Extends), [2, 9]);
    assert_eq!(days(Stacking::Beside), [2, 8, 14]);
    assert_eq!(days(Stacking::Queues), days(Stacking::Unknown));
}
