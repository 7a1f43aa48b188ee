//! Calls that spend nothing: reading a card, the catalogue, the wallet, the last look at an offer, and looking for an
//! order.

use simkeeper::domain::operator::{Found, OperatorError, Preflight, Refusal, RefusalKind, SentOrder, Wallet};
use simkeeper::domain::plan::{Catalogue, Plan};
use simkeeper::domain::reading::{AllowanceKind, Reading};
use simkeeper::domain::time::{End, Secs, UnixTime};

use super::card::usd;
use super::{Call, World};
use crate::chance::Chance;
use crate::faults::Site;
use crate::oracle::facts::Fact;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

pub(super) fn later(why: &str, retry_after: Option<i64>) -> OperatorError {
    OperatorError::Later { retry_after: retry_after.map(Secs), why: why.to_owned() }
}

impl World {
    /// Reads a card through an operator. `at` is the true time, `now` the machine's.
    pub fn read(
        &mut self,
        operator: usize,
        card: usize,
        at: i64,
        now: UnixTime,
    ) -> Call<Result<Reading, OperatorError>> {
        self.cards[card].settle(at);
        self.cards[card].reads += 1;
        let mut chance = Chance::new(self.seed, (card as u64) << 40 | self.cards[card].reads);
        let answer = self.reading(operator, card, at, now, &mut chance);
        Call { answer, takes_secs: chance.between(0, 2) }
    }

    fn reading(
        &mut self,
        operator: usize,
        card: usize,
        at: i64,
        now: UnixTime,
        chance: &mut Chance,
    ) -> Result<Reading, OperatorError> {
        self.begin_troubles(operator, card, at, chance);
        if at < self.operators[operator].down_until || self.fires(Site::ReadFails, card, operator) {
            return Err(later("no answer", None));
        }
        if self.fires(Site::ReadThrottled, card, operator) {
            return Err(later("too many requests", Some(*chance.pick(&[1, 60, 600, HOUR, 90 * DAY]))));
        }
        if at < self.cards[card].poisoned_until || self.fires(Site::Garbage, card, operator) {
            return Err(OperatorError::Unknown { why: "remaining is a text".to_owned() });
        }
        let cached_for = self.operators[operator].capabilities.cached_for.0;
        let stale = if self.fires(Site::StaleReading, card, operator) { chance.between(1, cached_for) } else { 0 };
        let truth = &self.cards[card];
        let mut reading = truth.reading(at - stale, now);
        if self.operators[operator].tells_age {
            reading.as_of = now.minus(Secs(stale));
        }
        self.blur(operator, card, &mut reading, chance);
        Ok(reading)
    }

    /// What is told wrong about a card.
    fn blur(&mut self, operator: usize, card: usize, reading: &mut Reading, chance: &mut Chance) {
        let mut moved = self.cards[card].shift_secs;
        if self.fires(Site::EndsWobble, card, operator) {
            moved += chance.between(-3 * HOUR, 3 * HOUR);
        }
        if moved != 0 {
            for end in [&mut reading.plan_ends, &mut reading.credit_ends, &mut reading.number_ends] {
                *end = end.map(|end| End::at(end.at.plus(Secs(moved))));
            }
        }
        let has_end = reading.plan_ends.is_some() || reading.number_ends.is_some();
        if has_end && self.fires(Site::EndMissing, card, operator) {
            (reading.plan_ends, reading.number_ends) = (None, None);
        }
        let ends = [&mut reading.plan_ends, &mut reading.number_ends].into_iter().find(|end| end.is_some());
        if let Some(end) = ends {
            let known = end.map_or(UnixTime::MIN, |end| end.at);
            // Nobody can tell a wrong end that comes before the right one was ever told.
            let told = &mut self.cards[card].told_end;
            let was_told = told.is_some_and(|told| known.since(told).0.abs() <= 12 * HOUR);
            if self.fires(Site::EndFar, card, operator) {
                *end = Some(End::at(UnixTime::MAX));
            } else if was_told && self.fires(Site::EndShrinks, card, operator) {
                *end = Some(End::at(known.minus(Secs(chance.between(13 * HOUR, 9 * DAY)))));
            } else {
                self.cards[card].told_end = Some(known);
            }
        }
        let amounts = reading.allowances.iter_mut();
        // An account in debt is real; data below zero is not.
        let data = amounts.filter(|allowance| allowance.kind == AllowanceKind::Data).last();
        if let Some(allowance) = data
            && self.fires(Site::Negative, card, operator)
        {
            allowance.remaining = -1;
        }
    }

    /// Troubles that last begin now and then: looked at once a week for an operator, at each reading for a card.
    fn begin_troubles(&mut self, operator: usize, card: usize, at: i64, chance: &mut Chance) {
        if self.operators[operator].week < at / (7 * DAY) {
            self.operators[operator].week = at / (7 * DAY);
            self.weekly(operator, card, at, chance);
        }
        if !self.cards[card].reads.is_multiple_of(16) {
            return;
        }
        for site in [Site::CardPoisoned, Site::CardBlocked, Site::EndsShifted] {
            self.befall(site, operator, card, at, chance);
        }
    }

    fn weekly(&mut self, operator: usize, card: usize, at: i64, chance: &mut Chance) {
        if self.operators[operator].wallet < 300 * 10_000 {
            // Somebody looks after it once a week.
            self.operators[operator].wallet = 2_000 * 10_000;
        }
        for site in [Site::OperatorDown, Site::LookupsDown, Site::PlanGone, Site::PriceMoves, Site::WalletEmpty] {
            self.befall(site, operator, card, at, chance);
        }
    }

    /// A trouble that lasts begins, if its site fires.
    pub fn befall(&mut self, site: Site, operator: usize, card: usize, at: i64, chance: &mut Chance) {
        let again = site == Site::EndsShifted && self.cards[card].shift_secs != 0;
        if again || !self.fires(site, card, operator) {
            return;
        }
        let (truth, account) = (&mut self.cards[card], &mut self.operators[operator]);
        match site {
            Site::CardPoisoned => {
                truth.poisoned_until = at + chance.between(HOUR, 3 * DAY);
                self.facts.push(Fact::Blind { card, from: at, until: truth.poisoned_until });
            }
            Site::CardBlocked => truth.blocked_until = at + chance.between(HOUR, 2 * DAY),
            Site::EndsShifted => truth.shift_secs = chance.between(-11, 11) * HOUR,
            Site::OperatorDown => self.goes_down(operator, at, at + chance.between(HOUR, 3 * DAY)),
            Site::LookupsDown => account.lookups_down_until = at + chance.between(DAY, 4 * DAY),
            Site::PlanGone => account.plans_gone_until = at + chance.between(HOUR, 2 * DAY),
            Site::PriceMoves => {
                let percent = chance.between(-8, 14);
                for plan in &mut account.plans {
                    let price = plan.price.ten_thousandths();
                    plan.price = usd((price + price * percent / 100).max(10_000));
                }
            }
            Site::WalletEmpty => account.wallet = 0,
            Site::PersonBuys => self.person_buys(card, operator, at),
            _ => {}
        }
    }

    fn goes_down(&mut self, operator: usize, at: i64, until: i64) {
        self.operators[operator].down_until = until;
        let name = &self.operators[operator].account.name;
        let blind = (0..).zip(&self.cards).filter(|(_, card)| card.card.account == *name);
        self.facts.extend(blind.map(|(card, _)| Fact::Blind { card, from: at, until }));
    }

    /// What is on sale for a card.
    pub fn catalogue(
        &mut self,
        operator: usize,
        card: usize,
        at: i64,
        now: UnixTime,
    ) -> Call<Result<Catalogue, OperatorError>> {
        let answer = self.reachable(operator, card, at).map(|()| {
            let truth = &self.operators[operator];
            let plans = if at < truth.plans_gone_until { Vec::new() } else { truth.plans.clone() };
            Catalogue::of(now, plans)
        });
        Call { answer, takes_secs: 1 }
    }

    /// What the wallet holds; `card` is whose call it is.
    pub fn wallet(&mut self, operator: usize, card: usize, at: i64) -> Call<Result<Wallet, OperatorError>> {
        let answer = self.reachable(operator, card, at).map(|()| Wallet {
            balance: Some(usd(self.operators[operator].wallet)),
            methods: vec!["wallet".to_owned()],
        });
        Call { answer, takes_secs: 1 }
    }

    /// What a plan costs for a card in this moment, and the operator's clock.
    pub fn preflight(
        &mut self,
        operator: usize,
        card: usize,
        plan: &Plan,
        code: Option<&str>,
        at: i64,
    ) -> Call<Result<Preflight, OperatorError>> {
        let answer = match self.reachable(operator, card, at) {
            Err(error) => Err(error),
            Ok(()) if code == Some("WINTER") => {
                let why = "this code is over".to_owned();
                Err(OperatorError::Never { kind: RefusalKind::BadCode, why })
            }
            Ok(()) => {
                let offer = self.operators[operator].on_sale(&plan.id, at).cloned();
                Ok(Preflight { offer, operator_time: Some(Self::clock(at)) })
            }
        };
        Call { answer, takes_secs: 1 }
    }

    pub(super) fn reachable(&mut self, operator: usize, card: usize, at: i64) -> Result<(), OperatorError> {
        if at < self.operators[operator].down_until || self.fires(Site::ReadFails, card, operator) {
            return Err(later("no answer", None));
        }
        Ok(())
    }

    /// Looks for an order in the book.
    pub fn find(
        &mut self,
        operator: usize,
        card: usize,
        order: &SentOrder,
        at: i64,
    ) -> Call<Result<Found, OperatorError>> {
        let down = at < self.operators[operator].lookups_down_until;
        let answer = if down || self.fires(Site::LookupFails, card, operator) {
            Err(later("look-ups are down", None))
        } else if self.fires(Site::ReadThrottled, card, operator) {
            Err(later("too many requests", Some(600)))
        } else {
            self.reachable(operator, card, at).map(|()| self.found(operator, order, at))
        };
        Call { answer, takes_secs: 1 }
    }

    fn found(&mut self, operator: usize, order: &SentOrder, at: i64) -> Found {
        let truth = &self.operators[operator];
        let Some(booked) = truth.booked(order.key.as_str()) else { return Found::Nothing };
        let order_id = format!("O{}", booked.number);
        if let Some(kind) = booked.refused {
            if !truth.lists_refused || booked.shows_at > at {
                return Found::Nothing;
            }
            self.facts.push(Fact::ToldRefused { key: key_number(order.key.as_str()) });
            let refusal = Refusal { kind, code: "R1".to_owned(), text: "not taken".to_owned() };
            return Found::Refused(refusal);
        }
        if booked.taken_back_at.is_some_and(|back| back <= at) {
            return Found::Reversed { order_id, why: "refunded".to_owned() };
        }
        match booked.taken_at {
            Some(taken) if taken <= at && booked.told_pending_until <= at && booked.shows_at <= at => {
                Found::Accepted { order_id, charged: Some(usd(booked.charge)) }
            }
            _ if booked.shows_at > at => Found::Nothing,
            Some(_) | None => Found::Pending { order_id },
        }
    }
}

/// A key as a number.
#[must_use]
pub(super) fn key_number(key: &str) -> u128 {
    u128::from_str_radix(key, 16).unwrap_or(0)
}
