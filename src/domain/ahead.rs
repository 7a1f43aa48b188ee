//! What is needed until a rule's last day, and the plan to begin with: the first of the sequence that covers it at the
//! least cost.

use super::attempt::AttemptId;
use super::capabilities::Stacking;
use super::choose::Occasion;
use super::cover::{self, Adds, Left, Need, Purchase, Purse, Reckoning, TripEnd};
use super::data::{DataSize, Percent};
use super::forecast::{EIGHT_OF_TEN, Expected, Habit, lasting, left_at};
use super::ledger::Spend;
use super::limits;
use super::plan::{Catalogue, Plan};
use super::reading::{AllowanceKind, AllowanceState};
use super::time::{Secs, UnixTime, day_after};

/// What is likely to last until the last day is over is only looked at again, as long as it lasts this long for certain.
const WAITS: Secs = Secs::hours(6);
/// While too little is known, so much time is covered: it will be known then.
const LEARNS: Secs = Secs::days(2);

/// What the look ahead came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ahead<'a> {
    /// What is on the card lasts until the last day is over, even if more is used than expected.
    Lasts,
    /// No plan on sale helps within the limits.
    NothingFits,
    /// Most of each that helps would be left over when the last day is over.
    MostIsLeftOver,
    /// This one is to be bought now.
    Begin(&'a Plan, Reckoning),
}

/// Looks from `occasion.now` to the end of the rule's last day. A rule without one is not looked ahead for; the loader
/// refuses it.
pub(super) fn look<'a>(occasion: &Occasion<'_>, catalogue: &'a Catalogue) -> Ahead<'a> {
    let zone = &occasion.card.zone;
    let Some(until) = occasion.rule.until.map(|day| day_after(day, zone)) else { return Ahead::NothingFits };
    let purse = Purse {
        per_plan: occasion.rule.limits.per_renewal,
        in_all: limits::left_until(&occasion.rule.limits, occasion.spends, zone, occasion.now, until),
    };
    let begin = |need: &Need, is_assumed| {
        let has_room = |next: Purchase<'_>, before: &[Purchase<'_>]| has_room(occasion, need, next, before);
        let within_limits = cover::cheapest_within(&catalogue.plans, need, purse, &has_room);
        // Where there is room for none, the last look before the order says which limit it is.
        let found = within_limits.or_else(|| cover::cheapest(&catalogue.plans, need, purse));
        let first = found.as_ref().and_then(|found| Some((*found.plans.first()?, found.reckoning(need, is_assumed))));
        first.map_or_else(|| nothing_fits(catalogue, need, purse), |(plan, told)| Ahead::Begin(plan, told))
    };
    let trip =
        |most_used: f64| TripEnd { at: until, most_used: DataSize(most_used as u64), outlast: occasion.rule.outlast };
    match occasion.data_use.habit() {
        Some(habit) => match gone(occasion, habit) {
            (Some(likely), early) if likely < until || early < until.min(occasion.now.plus(WAITS)) => {
                let from = likely.min(until.minus(Secs::HOUR));
                let need = Need::daily(from, until, zone, |date| habit.mean_on(date));
                let adds = adds(occasion, catalogue.stacking, habit, from);
                let most_used = most_used(habit, early.max(occasion.now), until, occasion);
                begin(&need.of_trip(trip(most_used)).adding(adds), false)
            }
            _ => Ahead::Lasts,
        },
        None => {
            // What there is may be gone at any time.
            let per_day = assumed_per_day(occasion, catalogue).unwrap_or(0.0);
            let soon = until.min(occasion.now.plus(LEARNS));
            let days = until.since(occasion.now).0 as f64 / Secs::DAY.0 as f64;
            begin(&Need::daily(occasion.now, soon, zone, |_| per_day).of_trip(trip(per_day * days)), true)
        }
    }
}

/// How what is bought now adds to what will be on the card when it is needed.
fn adds(occasion: &Occasion<'_>, stacking: Stacking, habit: &Habit, from: UnixTime) -> Adds {
    match stacking {
        Stacking::Queues | Stacking::Unknown => Adds::Behind,
        // Later ones are taken to be bought as early as the first is.
        Stacking::Beside => Adds::Beside { sooner: from.since(occasion.now) },
        Stacking::Extends => {
            let left = left_at(AllowanceKind::Data, occasion.reading, habit, &occasion.card.zone, from);
            let left = left.map(|(bytes, end)| Left {
                data: DataSize(bytes),
                lasts: end.map_or(cover::LOOKS_AHEAD, |end| end.since(from).max(Secs::ZERO)),
            });
            Adds::OnTop(left.unwrap_or_default())
        }
    }
}

/// Whether the limits of month and cycle leave room for a purchase of a sequence. Each is bought as long before it begins
/// as the first one is.
fn has_room(occasion: &Occasion<'_>, need: &Need, next: Purchase<'_>, before: &[Purchase<'_>]) -> bool {
    let lead = need.begins().since(occasion.now);
    let spend = |bought: &Purchase<'_>| Spend {
        attempt: AttemptId(0),
        at: bought.begins.minus(lead),
        money: bought.plan.price,
    };
    let spends: Vec<Spend> = occasion.spends.iter().copied().chain(before.iter().map(spend)).collect();
    limits::has_room(&occasion.rule.limits, next.plan, &spends, &occasion.card.zone, next.begins.minus(lead))
}

/// Why nothing does: nothing is of use at all, or most of each plan would be left over.
fn nothing_fits<'a>(catalogue: &Catalogue, need: &Need, purse: Purse) -> Ahead<'a> {
    let any = need.clone().outlasted_by(Percent(100));
    if cover::cheapest(&catalogue.plans, &any, purse).is_some() { Ahead::MostIsLeftOver } else { Ahead::NothingFits }
}

/// What is used between two instants, if more is used than expected.
fn most_used(habit: &Habit, from: UnixTime, until: UnixTime, occasion: &Occasion<'_>) -> f64 {
    let days = usize::try_from(until.since(occasion.now).0 / Secs::DAY.0).unwrap_or(0).min(cover::LOOKS_AHEAD_DAYS);
    // Part of the first day is over, and the last is begun.
    let more = Expected::of(habit, occasion.now, &occasion.card.zone, days + 2).used(EIGHT_OF_TEN);
    (more.at(until) - more.at(from)).max(0.0)
}

/// When what is on the card is gone: as is expected, and if more is used; none and the end of time if it does not end.
fn gone(occasion: &Occasion<'_>, habit: &Habit) -> (Option<UnixTime>, UnixTime) {
    let zone = &occasion.card.zone;
    match lasting(AllowanceKind::Data, occasion.reading, habit, zone) {
        // Nothing is told of what is left, so it is taken to be gone.
        None => (Some(occasion.now), occasion.now),
        Some(lasting) => {
            (lasting.likely.or(lasting.early).map(|at| at.max(occasion.now)), lasting.early.unwrap_or(UnixTime::MAX))
        }
    }
}

/// What the plan on the card, or the one bought last, would give each day if it were used evenly over its length.
fn assumed_per_day(occasion: &Occasion<'_>, catalogue: &Catalogue) -> Option<f64> {
    let sold = occasion.reading.plan.as_deref().or(occasion.last_plan).and_then(|id| catalogue.find(id));
    let by_plan = sold.and_then(|plan| Some((plan.contents.data()?.bytes() as f64, plan.validity()?)));
    let on_card = occasion.reading.allowances.iter().find_map(|allowance| {
        let ours = allowance.kind == AllowanceKind::Data && allowance.state == AllowanceState::Active;
        let ends = allowance.ends.or(occasion.reading.plan_ends)?;
        let length = ends.at.since(allowance.starts?);
        (ours && !allowance.unlimited).then_some((allowance.total? as f64, length))
    });
    let (bytes, length) = on_card.or(by_plan).filter(|(bytes, length)| *bytes > 0.0 && *length >= Secs::HOUR)?;
    Some(bytes * Secs::DAY.0 as f64 / length.0 as f64)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::choose::{Chosen, Passed, choose};
    use crate::domain::forecast::Forecast;
    use crate::domain::reading::Reading;
    use crate::domain::rule::{Buy, Choice, Limits, Mode, Rule};
    use crate::domain::testing::{NOW, card, plan, reading, rule, usd, zone};
    use crate::domain::time::End;

    const GB: u64 = 1_000_000_000;

    /// 240 MB a day for five days, and so much left now.
    fn past(left: i64) -> Vec<Reading> {
        let seen = |hours: i64| {
            let at = NOW.minus(Secs::hours(hours));
            Reading { read_at: at, as_of: at, ..reading(left + hours * 10_000_000) }
        };
        (0..=120).rev().map(seen).collect()
    }

    /// Until the end of 2026-12-25 in UTC, ten days and a half from now.
    fn until_christmas() -> Rule {
        let buy = vec![Buy { choice: Choice::Cover, line: 20 }, Buy { choice: Choice::Named("last".into()), line: 21 }];
        Rule { buy, until: Some(date(2026, 12, 25)), ..rule(Mode::Auto, &[]) }
    }

    fn sold() -> Catalogue {
        let plans =
            vec![plan("1gb", GB, 7, usd(5)), plan("3gb", 3 * GB, 10, usd(9)), plan("last", 99 * GB, 10, usd(99))];
        Catalogue::of(NOW, plans)
    }

    fn chosen<'a>(rule: &Rule, past: &[Reading], sold: &'a Catalogue) -> Chosen<'a> {
        let card = card();
        let data_use = Forecast::of(AllowanceKind::Data, past, &zone("UTC"), NOW);
        let reading = past.last().unwrap();
        let occasion =
            Occasion { card: &card, rule, reading, last_plan: Some("1gb"), data_use: &data_use, spends: &[], now: NOW };
        choose(&occasion, sold)
    }

    fn id<'a>(chosen: &Chosen<'a>) -> Option<&'a str> {
        chosen.plan.map(|plan| plan.id.as_str())
    }

    #[test]
    fn what_is_left_is_used_first_and_the_rest_is_covered_at_the_least_cost() {
        let sold = sold();
        // Half of it lasts for a day; nine days and a half are to be covered, at 240 MB each.
        let chosen = chosen(&until_christmas(), &past(240_000_000), &sold);
        assert_eq!((id(&chosen), chosen.lasts), (Some("3gb"), false));
        let reckoning = chosen.reckoning.unwrap();
        assert_eq!((reckoning.purchases, reckoning.cost, reckoning.is_assumed), (1, usd(9), false));
        assert_eq!(reckoning.runner_up, Some(("Plan last".into(), usd(99))));
        assert_eq!(reckoning.from, NOW.plus(Secs::DAY));
        assert!((2_270_000_000..=2_290_000_000).contains(&reckoning.data_bytes), "{}", reckoning.data_bytes);
    }

    #[test]
    fn what_lasts_until_the_last_day_is_over_needs_nothing() {
        let sold = sold();
        let lasting = chosen(&until_christmas(), &past(5_000_000_000), &sold);
        assert_eq!((id(&lasting), lasting.lasts, lasting.passed_over.len()), (None, true, 0));
        let mut ending = past(5_000_000_000);
        ending.iter_mut().for_each(|reading| reading.plan_ends = Some(End::at(NOW.plus(Secs::days(3)))));
        let chosen = chosen(&until_christmas(), &ending, &sold);
        assert_eq!(id(&chosen), Some("3gb"), "its plan ends before");
    }

    #[test]
    fn before_a_whole_day_was_seen_only_two_days_are_covered_and_that_is_said() {
        let sold = sold();
        let chosen = chosen(&until_christmas(), &past(1)[110..], &sold);
        assert_eq!(id(&chosen), Some("1gb"));
        let reckoning = chosen.reckoning.unwrap();
        assert!(reckoning.is_assumed);
        assert_eq!(reckoning.until, NOW.plus(Secs::days(2)));
        // 1 GB in seven days, as the plan that was bought last would be used.
        assert!((285_000_000..286_000_000).contains(&reckoning.data_bytes), "{}", reckoning.data_bytes);
    }

    #[test]
    fn what_would_mostly_be_left_over_is_bought_only_if_the_rule_says_so() {
        let sold = Catalogue::of(NOW, vec![plan("month", 30 * GB, 30, usd(30))]);
        let mut rule = until_christmas();
        assert_eq!(chosen(&rule, &past(0), &sold).passed_over[0].why, Passed::MostIsLeftOver);
        rule.outlast = Some(Percent(100));
        let found = chosen(&rule, &past(0), &sold);
        assert_eq!((id(&found), found.reckoning.map(|told| told.leaves_over)), (Some("month"), Some(true)));
        rule.outlast = None;
        let smaller = Catalogue::of(NOW, vec![plan("month", 5 * GB, 30, usd(30))]);
        assert_eq!(id(&chosen(&rule, &past(0), &smaller)), Some("month"), "half of its data is likely to be used");
    }

    #[test]
    fn what_no_plan_covers_within_the_limits_goes_to_the_next_entry() {
        let sold = sold();
        let mut rule = until_christmas();
        rule.limits = Limits { per_month: Some(usd(4)), ..Limits::default() };
        let next = chosen(&rule, &past(0), &sold);
        assert_eq!((id(&next), next.passed_over[0].why), (Some("last"), Passed::NothingCovers));
        rule.limits = Limits { per_month: Some(usd(8)), ..Limits::default() };
        let short = chosen(&rule, &past(0), &sold);
        assert_eq!((id(&short), short.reckoning.map(|told| told.is_whole)), (Some("1gb"), Some(false)));
        rule.until = None;
        assert_eq!(chosen(&rule, &past(0), &sold).passed_over[0].why, Passed::NothingCovers);
    }

    #[test]
    fn what_a_limit_has_no_room_for_now_is_not_begun_with() {
        let plans = vec![plan("3gb", 3 * GB, 10, usd(9)), plan("1gb", GB, 7, usd(5))];
        let sold = Catalogue::of(NOW, plans);
        let bought = |days_ago: i64| {
            let spend = Spend { attempt: AttemptId(1), at: NOW.minus(Secs::days(days_ago)), money: usd(5) };
            let mut rule = until_christmas();
            rule.limits = Limits { per_cycle: Some(usd(12)), ..Limits::default() };
            let (card, past) = (card(), past(0));
            let data_use = Forecast::of(AllowanceKind::Data, &past, &zone("UTC"), NOW);
            let reading = past.last().unwrap();
            let spends = [spend];
            let occasion = Occasion {
                card: &card,
                rule: &rule,
                reading,
                last_plan: None,
                data_use: &data_use,
                spends: &spends,
                now: NOW,
            };
            id(&choose(&occasion, &sold))
        };
        assert_eq!(bought(9), Some("1gb"), "9 and 5 within ten days are more than 12");
        assert_eq!(bought(10), Some("3gb"));
        assert_eq!(bought(1), Some("1gb"), "5 and 5 within a week are not");
    }

    #[test]
    fn what_a_limit_has_no_room_for_later_is_reckoned_with_at_once() {
        // At 240 MB a day the small one lasts for 90 hours of its four days.
        let plans = vec![plan("small", 900_000_000, 4, usd(3)), plan("3gb", 3 * GB, 14, usd(10))];
        let sold = Catalogue::of(NOW, plans);
        let begins = |until: Rule, limits: Limits| {
            let found = chosen(&Rule { limits, ..until }, &past(0), &sold);
            let told = found.reckoning.as_ref().unwrap();
            (id(&found).unwrap().to_owned(), told.purchases, told.cost, told.is_whole)
        };
        assert_eq!(begins(until_christmas(), Limits::default()), ("small".into(), 3, usd(9), true));
        let once = Limits { renewals_per_cycle: Some(1), ..Limits::default() };
        assert_eq!(begins(until_christmas(), once), ("3gb".into(), 1, usd(10), true), "no second within four days");
        let cycle = |dollars| Limits { per_cycle: Some(usd(dollars)), ..Limits::default() };
        assert_eq!(begins(until_christmas(), cycle(10)), ("small".into(), 3, usd(9), true));
        let short = begins(until_christmas(), cycle(5));
        assert_eq!(short, ("small".into(), 1, usd(3), false), "neither a second nor the large one");
        // What the next month allows cannot be spent in this one.
        let in_january = Rule { until: Some(date(2027, 1, 5)), ..until_christmas() };
        let month = Limits { per_month: Some(usd(7)), ..Limits::default() };
        assert_eq!(begins(in_january, month), ("small".into(), 2, usd(6), false));
    }

    #[test]
    fn what_is_bought_beside_the_plan_on_the_card_loses_what_passes_until_it_is_needed() {
        let mut sold = sold();
        // Half of it lasts for a day; the nine days and a half after it are more than what is left of ten days then.
        let behind = chosen(&until_christmas(), &past(240_000_000), &sold).reckoning.unwrap();
        assert_eq!((behind.purchases, behind.cost, behind.stacking), (1, usd(9), Stacking::Queues));
        sold.stacking = Stacking::Beside;
        let beside = chosen(&until_christmas(), &past(240_000_000), &sold).reckoning.unwrap();
        assert_eq!((beside.purchases, beside.cost, beside.stacking), (2, usd(14), Stacking::Beside));
    }

    #[test]
    fn what_extends_the_plan_on_the_card_keeps_its_data() {
        let mut sold = sold();
        let rule = Rule { until: Some(date(2026, 12, 24)), ..until_christmas() };
        let mut ending = past(5_000_000_000);
        ending.iter_mut().for_each(|reading| reading.plan_ends = Some(End::at(NOW.plus(Secs::days(3)))));
        assert_eq!(id(&chosen(&rule, &ending, &sold)), Some("3gb"), "its data is lost with it");
        sold.stacking = Stacking::Extends;
        let longer = chosen(&rule, &ending, &sold);
        assert_eq!(id(&longer), Some("1gb"), "only time is needed");
        assert_eq!(
            longer.reckoning.map(|told| (told.cost, told.is_whole, told.stacking)),
            Some((usd(5), true, Stacking::Extends))
        );
    }
}
