//! The last look before an order: whether it is still needed, and which gate is closed, by what the record and the
//! operator say in this moment.

use super::attempt::{Approval, Attempt, Cause};
use super::card::Card;
use super::gates::{self, ClockEvidence, Gate};
use super::ledger::Ledger;
use super::limits;
use super::operator::{Preflight, Wallet};
use super::reading::{CardState, Recent};
use super::rule::{Mode, Rule};
use super::shared_limits::{self, Counted};
use super::time::{Secs, UnixTime};
use super::trigger::{self, Check};

/// A person's agreement to a price holds this long.
const APPROVAL_HOLDS: Secs = Secs::days(2);
/// A gate that waiting may open is tried again this much later.
pub const GATE_AGAIN: Secs = Secs::minutes(15);
/// An attempt whose gates stay closed for this long is given up; the need remains.
const GATES_TRIED_FOR: Secs = Secs::days(2);

/// An order that leaves longer than this after the last look would leave on what was true then: the machine slept.
pub const LOOK_HOLDS: Secs = Secs::minutes(2);

/// What the preflight saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The wallet.
    pub wallet: Wallet,
    /// What is sold, and the operator's clock.
    pub offer: Preflight,
}

/// What the machine says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// What is known of its clock.
    pub clock: ClockEvidence,
    /// Free space where the record lies.
    pub free_disk_bytes: u64,
    /// Whether the last check of the record found no damage.
    pub record_is_sound: bool,
}

/// What the gates look at.
#[derive(Clone, Copy, Debug)]
pub struct LastLook<'a> {
    /// The card.
    pub card: &'a Card,
    /// Its last readings.
    pub recent: &'a Recent,
    /// What the record knows of it.
    pub ledger: &'a Ledger,
    /// The attempt that is about to be sent.
    pub attempt: &'a Attempt,
    /// The rule that applies now.
    pub rule: Option<&'a Rule>,
    /// The caps that it shares with other cards, and what counts against them already.
    pub shared: &'a [Counted],
    /// What the preflight saw.
    pub seen: &'a Seen,
    /// What the machine says of itself.
    pub machine: &'a Machine,
    /// Now.
    pub now: UnixTime,
}

/// What the last look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastWord {
    /// The need is gone; nothing is sent.
    NotNeeded,
    /// A gate is closed; nothing is sent.
    Closed(Gate),
    /// The order may leave.
    Send,
}

/// What a closed gate means for the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It is tried again then, without a word.
    Until(UnixTime),
    /// It is given up, and people are told.
    GivenUp,
}

/// A gate that waiting may open delays the attempt, for two days at most; any other gives it up.
#[must_use]
pub fn held(gate: Gate, attempt: &Attempt, now: UnixTime) -> Held {
    let may_wait = gate.passes_by_itself() && !waited_enough(attempt, now);
    if may_wait { Held::Until(now.plus(GATE_AGAIN)) } else { Held::GivenUp }
}

/// Whether an order whose card was looked at then may still leave. `holds` is [`LOOK_HOLDS`], or more where the clock
/// runs faster than the machine. A clock that was set meanwhile cannot tell how much time has passed.
#[must_use]
pub fn look_holds(looked_at: UnixTime, holds: Secs, now: UnixTime) -> bool {
    now.since(looked_at).0.abs() <= holds.0
}

/// Whether an attempt has been held back for so long that it is given up.
#[must_use]
pub fn waited_enough(attempt: &Attempt, now: UnixTime) -> bool {
    now.since(attempt.created_at) > GATES_TRIED_FOR
}

impl LastLook<'_> {
    /// Whether the order may leave.
    #[must_use]
    pub fn word(&self) -> LastWord {
        if !self.still_needed() {
            return LastWord::NotNeeded;
        }
        self.first_closed().map_or(LastWord::Send, LastWord::Closed)
    }

    fn first_closed(&self) -> Option<Gate> {
        gates::reading_gate(self.recent.latest.as_ref(), self.recent.previous.as_ref(), self.now)
            .or_else(|| self.people_and_record())
            .or_else(|| self.card_state())
            .or_else(|| self.offer())
            .or_else(|| self.money())
            .or_else(|| self.machine())
    }

    /// G2, G6.
    fn machine(&self) -> Option<Gate> {
        let full = self.machine.free_disk_bytes < gates::FREE_DISK_MIN_BYTES;
        gates::clock_fault(self.now, &self.machine.clock)
            .map(Gate::ClockUntrusted)
            .or(full.then_some(Gate::DiskFull))
            .or((!self.machine.record_is_sound).then_some(Gate::RecordDamaged))
    }

    /// Whether the rule is still there, still buys in the way it was planned, and still fires on the fresh reading:
    /// somebody else may have renewed the card meanwhile, or changed the file. What a person asked for is needed because
    /// they asked.
    fn still_needed(&self) -> bool {
        let Cause::Rule { .. } = self.attempt.cause else { return true };
        let Some(rule) = self.rule else { return false };
        let agreed = matches!(self.attempt.approval, Approval::Given { .. });
        let must_ask = rule.mode != Mode::Auto || rule.asks_at(self.attempt.plan.price).is_some();
        if must_ask && !agreed {
            return false;
        }
        let Some(reading) = &self.recent.latest else { return true };
        let checks: Vec<Check> = trigger::checks(&rule.renew_when, reading, self.now).collect();
        trigger::firing(rule.renew_when.join, &checks).is_some()
    }

    /// G3, G7, G8.
    fn people_and_record(&self) -> Option<Gate> {
        let wishes = &self.card.wishes;
        if wishes.pause.as_ref().is_some_and(|pause| pause.holds(self.now)) || wishes.skip_next {
            return Some(Gate::Paused);
        }
        let by_rule = matches!(self.attempt.cause, Cause::Rule { .. });
        let not_shown_yet = by_rule && self.ledger.shows_after(self.now).is_some();
        if not_shown_yet || self.ledger.open.is_some_and(|open| open.id != self.attempt.id) {
            return Some(Gate::AttemptOpen);
        }
        if self.ledger.quarantined {
            return Some(Gate::Quarantined);
        }
        if self.ledger.breaker_until.is_some() {
            return Some(Gate::BreakerOpen);
        }
        let rule = self.rule?;
        let zone = &self.card.zone;
        let today = self.now.date_in(zone);
        let over = rule.until.is_some_and(|until| today > until) || rule.from.is_some_and(|from| today < from);
        let by_person = matches!(self.attempt.approval, Approval::Given { .. });
        let closed = rule.hours.is_some_and(|hours| !hours.contains(self.now, zone)) && !by_person;
        (over || closed).then_some(Gate::OutsideRule)
    }

    fn card_state(&self) -> Option<Gate> {
        let state = self.recent.latest.as_ref()?.state;
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
        let crossed = limits::stops(
            &limits,
            &self.attempt.plan,
            &self.ledger.spends,
            Some(self.attempt.id),
            &self.card.zone,
            self.now,
        )
        .or_else(|| shared_limits::crossed(self.shared, price));
        if crossed.is_some() || self.attempt.payment != "wallet" {
            return crossed;
        }
        let balance = self.seen.wallet.balance.filter(|balance| balance.currency() == price.currency())?;
        (price.exceeds(balance) == Ok(true)).then_some(Gate::WalletShort { balance, price })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::NOW;

    #[test]
    fn a_look_holds_for_two_minutes_by_a_clock_that_was_not_set() {
        for (passed, holds) in [(0, true), (120, true), (121, false), (-120, true), (-121, false)] {
            assert_eq!(look_holds(NOW, LOOK_HOLDS, NOW.plus(Secs(passed))), holds, "{passed}");
        }
        assert!(!look_holds(UnixTime::MIN, LOOK_HOLDS, NOW));
    }
}
