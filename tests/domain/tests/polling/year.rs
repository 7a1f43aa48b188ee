//! One card through a year: use, readings when they are due, a purchase when a threshold is noticed.

use std::fmt;

use super::card::SimCard;
use super::habit::{Draw, Habit};
use crate::domain::assess::assess;
use crate::domain::card::{Card, CardId, Name};
use crate::domain::intake::{self, Seen};
use crate::domain::ledger::{Ledger, Pace};
use crate::domain::reading::Recent;
use crate::domain::time::{Secs, UnixTime};

const BEGINS: UnixTime = UnixTime::clamped(1_798_761_600);
const DAYS: i64 = 365;
/// Noticed this much later than by hourly polling counts as late.
const LATER: Secs = Secs::minutes(10);
/// A purchase is looked at before and after by readings of its own.
const PER_PURCHASE: u64 = 2;

/// What a year came to, or several.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) requests: u64,
    pub(crate) hourly: u64,
    pub(crate) crossings: u64,
    /// Noticed too late.
    pub(crate) late: u64,
    /// The latest of them.
    pub(crate) latest: Secs,
    /// Requests and cards of each habit.
    by_habit: Vec<(Habit, u64, u64, u64, u64)>,
}

impl Sum {
    pub(crate) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.hourly += other.hourly;
        self.crossings += other.crossings;
        self.late += other.late;
        self.latest = self.latest.max(other.latest);
        for (habit, requests, cards, crossings, late) in &other.by_habit {
            match self.by_habit.iter_mut().find(|(known, ..)| known == habit) {
                Some(known) => {
                    *known = (*habit, known.1 + requests, known.2 + cards, known.3 + crossings, known.4 + late)
                }
                None => self.by_habit.push((*habit, *requests, *cards, *crossings, *late)),
            }
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = self.hourly as f64 / self.requests as f64;
        writeln!(
            f,
            "{} requests against {} of hourly polling, {times:.2} times fewer; {} thresholds, {} noticed later than by that \
             and ten minutes, the latest by {}",
            self.requests, self.hourly, self.crossings, self.late, self.latest
        )?;
        for (habit, requests, cards, crossings, late) in &self.by_habit {
            writeln!(f, "  {habit:?}: {} requests a card, {crossings} thresholds, {late} late", requests / cards)?;
        }
        Ok(())
    }
}

pub(crate) fn year(number: u64, name: &Name) -> Sum {
    let mut card = SimCard::new(number, BEGINS);
    let keeper = Card::new(CardId(number.cast_signed()), name.clone(), name.clone());
    let rule = card.rule(name);
    let ledger = Ledger { pace: Pace { at_most: Secs::minutes(10), ..Pace::default() }, ..Ledger::default() };
    let phase = Secs(Draw::of(number, -3).between(0, 3_600));
    let (mut recent, mut failures) = (Recent::default(), 0);
    let mut next_poll = BEGINS;
    let mut crossed: Option<UnixTime> = None;
    let mut sum = Sum { hourly: 24 * DAYS.unsigned_abs(), ..Sum::default() };
    for day in 0..DAYS {
        let midnight = BEGINS.plus(Secs::days(day));
        let taken = card.habit.day(number, day);
        // The end of the day closes it, so that readings of days without use are taken, too.
        for (minute, amount) in taken.into_iter().chain([(1_440, 0)]) {
            let at = midnight.plus(Secs::minutes(minute));
            while next_poll < at {
                let now = next_poll;
                if crossed.is_none() && card.is_due(now) {
                    crossed = Some(card.lead_begins().min(now));
                }
                if let Some(crossed) = crossed.take() {
                    sum.notice(crossed, now, phase);
                    card.buy(now);
                }
                intake::take(&mut recent, &mut failures, &Seen::Good(card.reading(now)));
                next_poll = assess(&keeper, Some(&rule), &recent, &ledger, now).next_poll_at;
                sum.requests += 1;
            }
            let was_due = crossed.is_some() || card.is_due(at.minus(Secs(1)));
            if was_due && crossed.is_none() {
                crossed = Some(card.lead_begins());
            }
            card.use_up(amount);
            if !was_due && card.is_due(at) {
                crossed = Some(at);
            }
        }
    }
    sum.by_habit.push((card.habit, sum.requests, 1, sum.crossings, sum.late));
    sum
}

impl Sum {
    fn notice(&mut self, crossed: UnixTime, noticed: UnixTime, phase: Secs) {
        let since_look = (crossed.since(BEGINS).0 - phase.0).rem_euclid(3_600);
        let hourly = crossed.plus(Secs((3_600 - since_look) % 3_600));
        let later = noticed.since(hourly.plus(LATER));
        self.crossings += 1;
        self.late += u64::from(later > Secs::ZERO);
        self.latest = self.latest.max(Secs(later.0.max(0) + if later.0 > 0 { LATER.0 } else { 0 }));
        self.requests += PER_PURCHASE;
    }
}
