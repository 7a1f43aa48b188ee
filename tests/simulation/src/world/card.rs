//! The truth about a card: what is on it, how fast it is used, and when it ends.

use simkeeper::domain::attempt::Snapshot;
use simkeeper::domain::card::Card;
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use simkeeper::domain::rule::Rule;
use simkeeper::domain::time::{End, UnixTime};

const DAY: i64 = 86_400;
/// A plan that is over leaves the operator's list after this long.
const LISTED_FOR: i64 = 20 * DAY;

/// What a card lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Data plans with ids, one after the other.
    Plans,
    /// A number that is kept until a date.
    Number,
    /// Credit that is used up.
    Credit,
}

/// A data plan on a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its number in the operator's list.
    pub asset: u64,
    /// When it came onto the card.
    pub added_at: i64,
    /// When it begins.
    pub starts_at: i64,
    /// When it ends.
    pub ends_at: i64,
    /// What it holds.
    pub bytes: i64,
    /// When it is taken back, if ever.
    pub gone_at: i64,
}

/// An effect that comes onto the card some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coming {
    pub(super) at: i64,
    pub(super) gone_at: i64,
    pub(super) validity: i64,
    pub(super) bytes: i64,
    pub(super) credit: i64,
}

/// The truth about a card.
#[derive(Debug)]
pub struct CardTruth {
    /// The card, as its owner wrote it.
    pub card: Card,
    /// The rule, as its owner wrote it.
    pub rule: Rule,
    /// The rule stands in the file from here on.
    pub rule_back_at: i64,
    /// What it lives on.
    pub kind: Kind,
    /// What is used a day: bytes, or ten-thousandths.
    pub used_a_day: i64,
    /// This long before its end the rule begins to buy.
    pub lead_secs: i64,
    /// Data plans.
    pub packages: Vec<Package>,
    /// When the number ends, and how that changed: (since when, until when).
    pub number: Vec<(i64, i64)>,
    /// Credit at times: (since when, how much).
    pub credit: Vec<(i64, i64)>,
    /// Blocked until then.
    pub blocked_until: i64,
    /// Cannot be read until then.
    pub poisoned_until: i64,
    /// How far its ends are told wrong, for good.
    pub shift_secs: i64,
    /// The state of its order in the daemon's record, by place in `STATES`.
    pub order_state: usize,
    pub(super) coming: Vec<Coming>,
    pub(super) next_asset: u64,
    pub(super) reads: u64,
    /// The end as it was last told rightly.
    pub(super) told_end: Option<UnixTime>,
}

impl CardTruth {
    /// Brings what has come by `at` onto the card.
    pub fn settle(&mut self, at: i64) {
        while let Some(place) = self.first_come(at) {
            let coming = self.coming.swap_remove(place);
            self.add(coming);
        }
    }

    fn first_come(&self, at: i64) -> Option<usize> {
        let due = self.coming.iter().enumerate().filter(|(_, coming)| coming.at <= at);
        due.min_by_key(|(place, coming)| (coming.at, *place)).map(|(place, _)| place)
    }

    fn add(&mut self, coming: Coming) {
        match self.kind {
            Kind::Plans => {
                let before = self.packages.iter().filter(|package| package.gone_at > coming.at);
                let free_at = before.map(|package| self.over_at(package)).max().unwrap_or(coming.at);
                let starts_at = coming.at.max(free_at);
                self.packages.push(Package {
                    asset: self.next_asset,
                    added_at: coming.at,
                    starts_at,
                    ends_at: starts_at + coming.validity,
                    bytes: coming.bytes,
                    gone_at: coming.gone_at,
                });
                self.next_asset += 1;
            }
            Kind::Number => {
                let ends = self.number.last().map_or(coming.at, |(_, ends)| *ends);
                let begins = if coming.validity < 0 { ends } else { ends.max(coming.at) };
                self.number.push((coming.at, begins + coming.validity));
            }
            Kind::Credit => {
                let left = self.credit_at(coming.at);
                self.credit.push((coming.at, (left + coming.credit).max(0)));
            }
        }
        if coming.gone_at < i64::MAX && self.kind != Kind::Plans {
            let (at, validity, credit) = (coming.gone_at.max(coming.at), -coming.validity, -coming.credit);
            self.coming.push(Coming { at, gone_at: i64::MAX, validity, bytes: 0, credit });
        }
        self.packages.retain(|package| package.ends_at + LISTED_FOR * 2 > coming.at);
    }

    /// When a plan is over: at its end, or when its data is used up.
    const fn over_at(&self, package: &Package) -> i64 {
        let used_up = package.starts_at + secs_of(package.bytes, self.used_a_day);
        if used_up < package.ends_at { used_up } else { package.ends_at }
    }

    fn credit_at(&self, at: i64) -> i64 {
        let known = self.credit.iter().rev().find(|(since, _)| *since <= at);
        known.map_or(0, |(since, held)| (held - used_in(at - since, self.used_a_day)).max(0))
    }

    /// How long a purchase provides for this card.
    #[must_use]
    pub fn extends(&self, validity: i64, bytes: i64, credit: i64) -> i64 {
        match self.kind {
            Kind::Plans => validity.min(secs_of(bytes, self.used_a_day)),
            Kind::Number => validity,
            Kind::Credit => secs_of(credit, self.used_a_day),
        }
    }

    /// Until when it is provided for, by what is on it at `at`.
    #[must_use]
    pub fn covered_until(&self, at: i64) -> i64 {
        match self.kind {
            Kind::Plans => {
                let held = self.packages.iter().filter(|package| package.gone_at > at);
                held.map(|package| self.over_at(package)).max().unwrap_or(at)
            }
            Kind::Number => self.number.last().map_or(at, |(_, ends)| *ends),
            Kind::Credit => at + secs_of(self.credit_at(at), self.used_a_day),
        }
    }

    /// What an honest answer about the moment `of` says.
    #[must_use]
    pub fn reading(&self, of: i64, now: UnixTime) -> Reading {
        let mut reading = Reading::empty(now, CardState::Active);
        reading.renewable = Renewable::Yes;
        if of < self.blocked_until {
            reading.state = CardState::Blocked;
        }
        match self.kind {
            Kind::Plans => self.tell_plans(of, &mut reading),
            Kind::Number => {
                let ends = self.number.iter().rev().find(|(since, _)| *since <= of).map(|(_, ends)| *ends);
                reading.number_ends = ends.map(|ends| End::at(UnixTime::clamped(ends)));
                if ends.is_some_and(|ends| ends <= of) && reading.state == CardState::Active {
                    reading.state = CardState::Expired;
                }
            }
            Kind::Credit => reading.allowances.push(allowance(
                AllowanceKind::Credit(Currency::USD),
                self.credit_at(of),
                None,
                AllowanceState::Active,
            )),
        }
        reading
    }

    fn tell_plans(&self, of: i64, reading: &mut Reading) {
        let listed = self
            .packages
            .iter()
            .filter(|package| package.added_at <= of && package.gone_at > of && package.ends_at + LISTED_FOR > of);
        let mut ends = None;
        for package in listed {
            let used = used_in((of - package.starts_at).max(0), self.used_a_day);
            let left = (package.bytes - used).max(0);
            let state = if package.starts_at > of {
                AllowanceState::Queued
            } else if package.ends_at <= of {
                AllowanceState::Expired
            } else if left == 0 {
                AllowanceState::Finished
            } else {
                AllowanceState::Active
            };
            reading.assets.push(format!("P{}", package.asset));
            reading.allowances.push(allowance(AllowanceKind::Data, left, Some(package.bytes), state));
            if state == AllowanceState::Active || ends.is_none() || package.starts_at <= of {
                ends = Some(package.ends_at);
            }
        }
        reading.plan_ends = ends.map(|ends| End::at(UnixTime::clamped(ends)));
        if ends.is_none_or(|ends| ends <= of) && reading.state == CardState::Active {
            reading.state = CardState::Expired;
        }
    }

    /// What the card is like, for people who look at it.
    #[must_use]
    pub fn snapshot(&self, at: i64) -> Snapshot {
        Snapshot::of(&self.reading(at, UnixTime::clamped(at)))
    }
}

fn allowance(kind: AllowanceKind, remaining: i64, total: Option<i64>, state: AllowanceState) -> Allowance {
    Allowance { kind, remaining, total, unlimited: false, state, starts: None, ends: None }
}

/// How long an amount lasts.
const fn secs_of(amount: i64, a_day: i64) -> i64 {
    (amount as i128 * DAY as i128 / a_day as i128) as i64
}

/// What is used in a time.
const fn used_in(secs: i64, a_day: i64) -> i64 {
    (a_day as i128 * secs as i128 / DAY as i128) as i64
}

/// So many dollars, in ten-thousandths.
#[must_use]
pub(super) const fn usd(ten_thousandths: i64) -> Money {
    Money::new(ten_thousandths, Currency::USD)
}
