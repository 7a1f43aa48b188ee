//! The last look before an order: whether it is still needed, and which gate is closed, by what the record and the
//! operator say in this moment.

use super::case::Case;
use crate::domain::attempt::{Approval, Attempt, Cause};
use crate::domain::gates::{self, Gate};
use crate::domain::limits;
use crate::domain::operator::{Preflight, Wallet};
use crate::domain::reading::CardState;
use crate::domain::rule::{Mode, Rule};
use crate::domain::time::{Secs, UnixTime};
use crate::domain::trigger::{self, Check};

/// A person's agreement to a price holds this long.
const APPROVAL_HOLDS: Secs = Secs::days(2);

/// What the preflight saw.
pub(super) struct Seen {
    pub(super) wallet: Wallet,
    pub(super) offer: Preflight,
}

/// What the gates look at.
pub(super) struct Checked<'a> {
    pub(super) case: &'a Case,
    pub(super) attempt: &'a Attempt,
    pub(super) rule: Option<&'a Rule>,
    pub(super) seen: &'a Seen,
    pub(super) now: UnixTime,
}

impl Checked<'_> {
    pub(super) fn first_closed(&self) -> Option<Gate> {
        let recent = &self.case.poll.recent;
        gates::reading_gate(recent.latest.as_ref(), recent.previous.as_ref(), self.now)
            .or_else(|| self.people_and_record())
            .or_else(|| self.card_state())
            .or_else(|| self.offer())
            .or_else(|| self.money())
    }

    /// Whether the rule is still there, still buys in the way it was planned, and still fires on the fresh reading:
    /// somebody else may have renewed the card meanwhile, or changed the file. What a person asked for is needed because
    /// they asked.
    pub(super) fn still_needed(&self) -> bool {
        let Cause::Rule { .. } = self.attempt.cause else { return true };
        let Some(rule) = self.rule else { return false };
        let agreed = matches!(self.attempt.approval, Approval::Given { .. });
        if rule.mode != Mode::Auto && !agreed {
            return false;
        }
        let Some(reading) = &self.case.poll.recent.latest else { return true };
        let checks: Vec<Check> = trigger::checks(&rule.renew_when, reading, self.now).collect();
        trigger::firing(rule.renew_when.join, &checks).is_some()
    }

    /// G3, G7, G8.
    fn people_and_record(&self) -> Option<Gate> {
        let wishes = &self.case.card.wishes;
        if wishes.pause.as_ref().is_some_and(|pause| pause.holds(self.now)) || wishes.skip_next {
            return Some(Gate::Paused);
        }
        if self.case.open().is_some_and(|open| open.id != self.attempt.id) {
            return Some(Gate::AttemptOpen);
        }
        if self.case.ledger.quarantined {
            return Some(Gate::Quarantined);
        }
        if self.case.ledger.breaker_until.is_some() {
            return Some(Gate::BreakerOpen);
        }
        let rule = self.rule?;
        let zone = &self.case.card.zone;
        let today = self.now.date_in(zone);
        let over = rule.until.is_some_and(|until| today > until) || rule.from.is_some_and(|from| today < from);
        let by_person = matches!(self.attempt.approval, Approval::Given { .. });
        let closed = rule.hours.is_some_and(|hours| !hours.contains(self.now, zone)) && !by_person;
        (over || closed).then_some(Gate::OutsideRule)
    }

    fn card_state(&self) -> Option<Gate> {
        let state = self.case.poll.recent.latest.as_ref()?.state;
        match state {
            CardState::Active | CardState::Finished | CardState::Expired | CardState::Unknown => None,
            CardState::NotInstalled | CardState::NotActive if self.rule.is_some_and(|rule| rule.even_inactive) => None,
            CardState::NotInstalled | CardState::NotActive | CardState::Blocked | CardState::Recycled => {
                Some(Gate::CardState)
            }
        }
    }

    /// G5: what is sold is what was decided. With a discount code it may cost less, never more.
    fn offer(&self) -> Option<Gate> {
        let Some(offer) = &self.seen.offer.offer else { return Some(Gate::PlanChanged) };
        let decided = &self.attempt.plan;
        if let Approval::Given { at, .. } = self.attempt.approval
            && self.now.since(at) > APPROVAL_HOLDS
        {
            return Some(Gate::OutsideRule);
        }
        let mut at_decided_price = offer.clone();
        at_decided_price.price = decided.price;
        if !decided.same_offer(&at_decided_price) {
            return Some(Gate::PlanChanged);
        }
        let cheaper_by_code = self.attempt.code.is_some() && offer.price.exceeds(decided.price) == Ok(false);
        (offer.price != decided.price && !cheaper_by_code)
            .then_some(Gate::PriceMoved { decided: decided.price, now: offer.price })
    }

    /// G4, and the wallet.
    fn money(&self) -> Option<Gate> {
        let price = self.attempt.plan.price;
        let limits = self.rule.map(|rule| rule.limits.clone()).unwrap_or_default();
        let crossed = limits::crossed(
            &limits,
            price,
            &self.case.ledger.spends,
            Some(self.attempt.id),
            &self.case.card.zone,
            self.now,
        );
        if crossed.is_some() || self.attempt.payment != "wallet" {
            return crossed;
        }
        let balance = self.seen.wallet.balance.filter(|balance| balance.currency() == price.currency())?;
        (price.exceeds(balance) == Ok(true)).then_some(Gate::WalletShort { balance, price })
    }
}
