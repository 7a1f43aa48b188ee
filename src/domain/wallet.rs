//! How long a wallet lasts: from its balance and the coming purchases of the cards that it pays for, to the first purchase
//! that it does not cover. Spends nothing and decides nothing: people are told in time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use super::attempt::{Attempt, StateName};
use super::card::{Card, Name};
use super::data::DataSize;
use super::ledger::{Ledger, Spend};
use super::money::Money;
use super::plan::Plan;
use super::reading::{AllowanceKind, CardState, Reading, Renewable};
use super::rule::{Join, Mode, Rule};
use super::sellers::WALLET;
use super::time::{Secs, UnixTime, day_after, day_start};
use super::usage;

/// Purchases later than this are not looked at.
pub const HORIZON: Secs = Secs::days(400);
/// A shortfall is told when it is this near, and once more at the second step.
pub const TOLD_BEFORE: [Secs; 2] = [Secs::days(7), Secs::DAY];
/// No card is reckoned to be renewed more often than this.
const EVERY_MIN: Secs = Secs::HOUR;

/// What one card will cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coming {
    /// The card.
    pub card: Name,
    /// The cycle of its next purchase.
    pub cycle: u32,
    /// When it is renewed next.
    pub first: UnixTime,
    /// How long a renewal lasts; none if only the next one can be told.
    pub every: Option<Secs>,
    /// The rule's end, if it has one.
    pub until: Option<UnixTime>,
    /// What a renewal costs.
    pub price: Money,
}

/// The first purchase that a wallet does not cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortfall {
    /// For which card.
    pub card: Name,
    /// Its price.
    pub price: Money,
    /// When it is due.
    pub at: UnixTime,
}

/// How long a wallet lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outlook {
    /// Coming purchases that it covers.
    pub covered: u32,
    /// What each of them costs, if all cost the same.
    pub each: Option<Money>,
    /// The first that it does not cover; none within [`HORIZON`].
    pub short: Option<Shortfall>,
    /// Cards whose coming purchases are in another currency, and so are not counted.
    pub other_currency: u32,
    /// Which purchase of the account the first uncovered one is, counted over all cycles of its cards: it stays the same
    /// while purchases are made, and changes when the wallet is filled.
    pub number: u64,
}

/// A shortfall that people are told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletLow {
    /// The account.
    pub account: Name,
    /// What its wallet holds.
    pub balance: Money,
    /// Coming purchases that it covers before.
    pub covered: u32,
    /// The first that it does not cover.
    pub short: Shortfall,
    /// Whom to ask at the operator.
    pub support: Option<String>,
}

/// What a card that is renewed by itself will cost; none if nothing will be bought, or nobody can tell when. `plan` is the
/// one that is bought, `bought_at` when it last was.
#[must_use]
pub fn coming(
    card: &Card,
    rule: &Rule,
    reading: &Reading,
    rates: &[(AllowanceKind, i64)],
    ledger: &Ledger,
    (plan, bought_at): (&Plan, Option<UnixTime>),
    now: UnixTime,
) -> Option<Coming> {
    let renewable = reading.state != CardState::Recycled && reading.renewable != Renewable::OneOff;
    let wanted = rule.mode == Mode::Auto && !rule.renew_when.triggers.is_empty() && card.retired_at.is_none();
    if !renewable || !wanted || plan.price.ten_thousandths() <= 0 || rule.asks_at(plan.price).is_some() {
        return None;
    }
    let every = lasts(plan, rates);
    let under_way = ledger.open.is_some_and(|open| open.state != StateName::Planned);
    let mut first = need(rule, reading, rates).or_else(|| Some(bought_at.unwrap_or(now).plus(plan.validity()?)))?;
    first = first.max(now);
    if under_way || card.wishes.skip_next {
        // The present need is being met, or left out.
        first = first.max(now.plus(every?));
    }
    if let Some(pause) = card.wishes.pause.as_ref().filter(|pause| pause.holds(now)) {
        first = first.max(pause.until?);
    }
    if let Some(from) = rule.from {
        first = first.max(day_start(from, &card.zone));
    }
    let until = rule.until.map(|day| day_after(day, &card.zone));
    let every = if card.wishes.stop_after_next { None } else { every };
    // What is under way is bought already, and so the next cycle's is the next.
    let cycle = ledger.cycle.saturating_add(u32::from(under_way));
    let fits = until.is_none_or(|until| first < until);
    fits.then(|| Coming { card: card.name.clone(), cycle, first, every, until, price: plan.price })
}

/// When the rule's conditions will hold, as far as that can be told.
fn need(rule: &Rule, reading: &Reading, rates: &[(AllowanceKind, i64)]) -> Option<UnixTime> {
    let conditions = rule.renew_when.triggers.iter();
    let mut moments = conditions.map(|trigger| usage::moment(trigger.condition, reading, rates).map(|(at, _)| at));
    match rule.renew_when.join {
        Join::Any => moments.flatten().min(),
        Join::All => moments.try_fold(UnixTime::MIN, |last, moment| Some(last.max(moment?))),
    }
}

/// How long a purchase lasts: until its end, or until its data is used up at the present rate.
fn lasts(plan: &Plan, rates: &[(AllowanceKind, i64)]) -> Option<Secs> {
    let rate = usage::rate(rates, AllowanceKind::Data).filter(|rate| *rate > 0);
    let used_up = plan.contents.data().filter(|_| !plan.contents.unlimited_data).zip(rate).map(|(data, rate)| {
        let DataSize(bytes) = data;
        Secs(i64::try_from(i128::from(bytes) * i128::from(Secs::DAY.0) / i128::from(rate)).unwrap_or(i64::MAX))
    });
    let shorter = [plan.validity(), used_up].into_iter().flatten().min();
    shorter.map(|lasts| lasts.max(EVERY_MIN))
}

/// What an attempt took from its account's wallet since the wallet was looked into, or may have taken. `spend` is what
/// counts as spent for it, from the moment at which it was first sent.
#[must_use]
pub fn taken_since(attempt: &Attempt, spend: &Spend, read_at: UnixTime) -> Option<Money> {
    let gone = match attempt.state.name() {
        StateName::Sending
        | StateName::Pending
        | StateName::Accepted
        | StateName::Unknown
        | StateName::Human
        | StateName::Done => true,
        // Nothing has left yet, nothing was taken, or it came back.
        StateName::Planned | StateName::Refused | StateName::Absent | StateName::Abandoned | StateName::Reversed => {
            false
        }
    };
    (gone && attempt.payment == WALLET && spend.attempt == attempt.id && spend.at >= read_at).then_some(spend.money)
}

/// How long `balance` lasts; none if nothing that is coming is paid in its currency.
#[must_use]
pub fn outlook(balance: Money, coming: &[Coming], now: UnixTime) -> Option<Outlook> {
    let ours: Vec<&Coming> = coming.iter().filter(|coming| coming.price.currency() == balance.currency()).collect();
    let other_currency = u32::try_from(coming.len() - ours.len()).unwrap_or(u32::MAX);
    if ours.is_empty() {
        return None;
    }
    let horizon = now.plus(HORIZON);
    let cycles: u64 = ours.iter().map(|coming| u64::from(coming.cycle)).sum();
    let mut due: BinaryHeap<Reverse<(UnixTime, usize)>> =
        ours.iter().enumerate().map(|(place, coming)| Reverse((coming.first, place))).collect();
    let (mut left, mut covered, mut each, mut short) = (balance.ten_thousandths(), 0_u32, None, None);
    let mut same = true;
    while let Some(Reverse((at, place))) = due.pop().filter(|Reverse((at, _))| *at <= horizon) {
        let next = ours[place];
        let price = next.price.ten_thousandths();
        if price > left {
            short = Some(Shortfall { card: next.card.clone(), price: next.price, at });
            break;
        }
        left -= price;
        covered = covered.saturating_add(1);
        same &= each.is_none_or(|each| each == next.price);
        each = Some(next.price);
        let again = next.every.map(|every| at.plus(every.max(EVERY_MIN)));
        due.extend(again.filter(|at| next.until.is_none_or(|until| *at < until)).map(|at| Reverse((at, place))));
    }
    let number = cycles.saturating_add(u64::from(covered));
    Some(Outlook { covered, each: each.filter(|_| same), short, other_currency, number })
}

impl Outlook {
    /// The step at which people are to be told now: the nearest that the shortfall has reached.
    #[must_use]
    pub fn step(&self, now: UnixTime) -> Option<Secs> {
        let left = self.short.as_ref()?.at.since(now);
        TOLD_BEFORE.into_iter().rev().find(|step| left <= *step)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::attempt::AttemptId;
    use crate::domain::card::Pause;
    use crate::domain::ledger::OpenAttempt;
    use crate::domain::money::Currency;
    use crate::domain::rule::Condition;
    use crate::domain::testing::{NOW, accepted, attempt, card, every_state, name, plan, reading, rule, usd};
    use crate::domain::time::End;

    const GB: u64 = 1_000_000_000;
    const DAY: i64 = 86_400;

    fn comes(card: &str, days: i64, every: Option<i64>, price: Money) -> Coming {
        Coming {
            card: name(card),
            cycle: 3,
            first: NOW.plus(Secs::days(days)),
            every: every.map(Secs::days),
            until: None,
            price,
        }
    }

    fn short(card: &str, days: i64, price: Money) -> Option<Shortfall> {
        Some(Shortfall { card: name(card), price, at: NOW.plus(Secs::days(days)) })
    }

    #[test]
    fn a_wallet_lasts_until_the_first_purchase_that_it_does_not_cover() {
        let canada = [comes("canada", 5, Some(30), usd(10))];
        for (balance, covered, expected) in [
            (usd(25), 2, short("canada", 65, usd(10))),
            (usd(20), 2, short("canada", 65, usd(10))),
            (usd(10), 1, short("canada", 35, usd(10))),
            (usd(9), 0, short("canada", 5, usd(10))),
            (usd(-3), 0, short("canada", 5, usd(10))),
            (usd(1_000), 14, None),
        ] {
            let outlook = outlook(balance, &canada, NOW).unwrap();
            assert_eq!((outlook.covered, outlook.short.clone()), (covered, expected), "{balance}");
            assert_eq!(outlook.each, (covered > 0).then(|| usd(10)));
        }
    }

    #[test]
    fn cards_share_their_wallet_in_the_order_of_time_and_currencies_never_mix() {
        let euro = Money::new(90_000, Currency::EUR);
        let fleet = [comes("a", 2, Some(10), usd(4)), comes("b", 1, None, usd(9)), comes("c", 0, Some(7), euro)];
        let outlook = outlook(usd(18), &fleet, NOW).unwrap();
        assert_eq!((outlook.covered, outlook.each, outlook.other_currency), (3, None, 1));
        assert_eq!(outlook.short, short("a", 22, usd(4)));
        assert_eq!(super::outlook(Money::new(9, Currency::parse("GBP").unwrap()), &fleet, NOW), None);
        assert_eq!(super::outlook(usd(9), &[], NOW), None);
    }

    #[test]
    fn a_purchase_keeps_the_number_of_a_shortfall_and_filling_the_wallet_changes_it() {
        let before = outlook(usd(25), &[comes("canada", 5, Some(30), usd(10))], NOW).unwrap();
        let bought = Coming { cycle: 4, ..comes("canada", 35, Some(30), usd(10)) };
        assert_eq!(outlook(usd(15), std::slice::from_ref(&bought), NOW).unwrap().number, before.number);
        assert_ne!(outlook(usd(35), &[bought], NOW).unwrap().number, before.number);
    }

    #[test]
    fn people_are_told_a_week_and_a_day_before() {
        for (days, expected) in [(8, None), (7, Some(Secs::days(7))), (2, Some(Secs::days(7))), (1, Some(Secs::DAY))] {
            let outlook = outlook(usd(1), &[comes("a", days, None, usd(2))], NOW).unwrap();
            assert_eq!(outlook.step(NOW), expected, "{days}");
        }
        assert_eq!(outlook(usd(9), &[comes("a", 1, None, usd(2))], NOW).unwrap().step(NOW), None);
    }

    fn will(rule: &Rule, reading: &Reading, rates: &[(AllowanceKind, i64)], card: &Card) -> Option<(i64, Option<i64>)> {
        let sold = plan("a", GB, 30, usd(10));
        let found = coming(card, rule, reading, rates, &Ledger::default(), (&sold, Some(NOW)), NOW)?;
        Some((found.first.since(NOW).0 / DAY, found.every.map(|every| every.0 / DAY)))
    }

    #[test]
    fn the_next_renewal_follows_from_ends_use_or_length() {
        let ends = Reading { plan_ends: Some(End::at(NOW.plus(Secs::days(9)))), ..reading(500_000_000) };
        let within = Condition::PlanEndsWithin(Secs::days(2));
        let below = Condition::DataBelow(DataSize(100_000_000));
        let rates = [(AllowanceKind::Data, 100_000_000)];
        let both = rule(Mode::Auto, &[within, below]);
        assert_eq!(will(&rule(Mode::Auto, &[within]), &ends, &[], &card()), Some((7, Some(30))));
        assert_eq!(will(&both, &ends, &rates, &card()), Some((4, Some(10))), "used up before it ends, each time");
        assert_eq!(will(&both, &ends, &[], &card()), Some((7, Some(30))));
        let mut all = both.clone();
        all.renew_when.join = Join::All;
        assert_eq!(will(&all, &ends, &rates, &card()), Some((7, Some(10))));
        assert_eq!(will(&all, &ends, &[], &card()), Some((30, Some(30))), "nobody can tell, so by the plan's length");
        assert_eq!(will(&rule(Mode::Auto, &[below]), &ends, &[], &card()), Some((30, Some(30))));
        let over = Reading { plan_ends: Some(End::at(NOW.minus(Secs::days(9)))), ..reading(0) };
        assert_eq!(will(&rule(Mode::Auto, &[within]), &over, &[], &card()), Some((0, Some(30))));
    }

    #[test]
    fn only_what_will_be_bought_by_itself_counts() {
        let ends = Reading { plan_ends: Some(End::at(NOW.plus(Secs::days(9)))), ..reading(0) };
        let conditions = [Condition::PlanEndsWithin(Secs::days(2))];
        for mode in [Mode::Watch, Mode::Ask] {
            assert_eq!(will(&rule(mode, &conditions), &ends, &[], &card()), None);
        }
        assert_eq!(will(&rule(Mode::Auto, &[]), &ends, &[], &card()), None);
        let auto = rule(Mode::Auto, &conditions);
        let gone = Reading { state: CardState::Recycled, ..ends.clone() };
        assert_eq!(will(&auto, &gone, &[], &card()), None);
        let mut paused = card();
        paused.wishes.pause = Some(Pause { since: NOW, until: None, by: "anna".into() });
        assert_eq!(will(&auto, &ends, &[], &paused), None);
        paused.wishes.pause = Some(Pause { since: NOW, until: Some(NOW.plus(Secs::days(20))), by: "anna".into() });
        assert_eq!(will(&auto, &ends, &[], &paused), Some((20, Some(30))));
        let mut skips = card();
        skips.wishes.skip_next = true;
        assert_eq!(will(&auto, &ends, &[], &skips), Some((30, Some(30))));
        let mut once = card();
        once.wishes.stop_after_next = true;
        assert_eq!(will(&auto, &ends, &[], &once), Some((7, None)));
        let mut trip = auto.clone();
        trip.until = Some(date(2026, 12, 21));
        assert_eq!(will(&trip, &ends, &[], &card()), None, "the trip is over by then");
        trip.until = Some(date(2026, 12, 23));
        assert_eq!(will(&trip, &ends, &[], &card()), Some((7, Some(30))));
        trip.from = Some(date(2026, 12, 23));
        assert_eq!(will(&trip, &ends, &[], &card()), Some((7, Some(30))));
    }

    #[test]
    fn an_order_under_way_meets_the_present_need() {
        let ends = Reading { plan_ends: Some(End::at(NOW.plus(Secs::DAY))), ..reading(0) };
        let auto = rule(Mode::Auto, &[Condition::PlanEndsWithin(Secs::days(2))]);
        let sold = plan("a", GB, 30, usd(10));
        for (state, days) in [(StateName::Planned, 0), (StateName::Pending, 30), (StateName::Unknown, 30)] {
            let open = Some(OpenAttempt { id: AttemptId(1), state, asked: false });
            let ledger = Ledger { open, ..Ledger::default() };
            let found = coming(&card(), &auto, &ends, &[], &ledger, (&sold, None), NOW).unwrap();
            assert_eq!(found.first, NOW.plus(Secs::days(days)), "{state:?}");
            assert_eq!(found.cycle, u32::from(days > 0), "{state:?}");
        }
    }

    #[test]
    fn what_left_after_the_wallet_was_looked_into_is_no_longer_in_it() {
        let spend = |attempt: &Attempt| Spend { attempt: attempt.id, at: NOW, money: usd(9) };
        for state in every_state() {
            let here = attempt(state);
            let name = here.state.name();
            let counts = name.is_open() && name != StateName::Planned || name == StateName::Done;
            let taken = |read_at| taken_since(&here, &spend(&here), read_at);
            assert_eq!(taken(NOW), counts.then(|| usd(9)), "{name:?}");
            assert_eq!(taken(NOW.plus(Secs(1))), None, "{name:?}");
        }
        let by_card = Attempt { payment: "card".into(), ..attempt(accepted()) };
        assert_eq!(taken_since(&by_card, &spend(&by_card), NOW), None);
        let other = Spend { attempt: AttemptId(99), ..spend(&by_card) };
        assert_eq!(taken_since(&attempt(accepted()), &other, NOW), None);
    }
}
