//! A card's case: what the record knows about it, put together for the domain's decisions as the daemon puts it together.

use std::borrow::Cow;

use simkeeper::domain::attempt::{Attempt, StateName};
use simkeeper::domain::ledger::{Ledger, Pace};
use simkeeper::domain::operator::Capabilities;
use simkeeper::domain::rule::Rule;
use simkeeper::domain::time::UnixTime;

use super::Simulation;
use crate::mutants::Mutant;

/// What a decision may know.
pub(super) struct Case<'a> {
    pub(super) attempts: Cow<'a, [Attempt]>,
    pub(super) ledger: Ledger,
    pub(super) rule: Option<Cow<'a, Rule>>,
}

impl Case<'_> {
    /// The case by itself, whatever the record comes to.
    pub(super) fn into_owned(self) -> Case<'static> {
        Case {
            attempts: Cow::Owned(self.attempts.into_owned()),
            ledger: self.ledger,
            rule: self.rule.map(|rule| Cow::Owned(rule.into_owned())),
        }
    }
}

impl Simulation {
    pub(super) fn case(&self, place: usize, now: UnixTime) -> Case<'_> {
        let row = &self.record.rows[place];
        let reader = self.reader(place);
        let operator = &self.world.operators[reader];
        let attempts = row.recent_attempts(now);
        let mut spends = row.spends(now);
        if self.is(Mutant::LimitsForgetUnknown) {
            let done = |id| attempts.iter().any(|one| one.id == id && one.state.name() == StateName::Done);
            spends.retain(|spend| done(spend.attempt));
        }
        let fares = self.process.as_ref().map(|process| &process.fares[reader]);
        let ledger = Ledger {
            quarantined: row.set_aside.is_some(),
            breaker_until: fares.and_then(|fares| fares.left_alone_until(now)),
            pace: Pace { every: operator.account.poll_every, at_most: operator.capabilities.cached_for },
            ..Ledger::of(row.cycle, &attempts, spends, || self.world.tills(&row.card))
        };
        let mut rule = self.world.rule(place, self.at).map(Cow::Borrowed);
        if let Some(rule) = &mut rule
            && self.is(Mutant::RuleEndIgnored)
        {
            rule.to_mut().until = None;
        }
        Case { attempts, ledger, rule }
    }

    /// What the operator that sells can do, with the proof of the one that reads.
    pub(super) fn capabilities_for(&self, place: usize, seller: usize) -> Capabilities {
        let reader = self.reader(place);
        let selling = *self.world.capabilities(seller);
        if seller == reader { selling } else { selling.read_through(self.world.capabilities(reader)) }
    }
}
