//! What the record knows about a card beside its readings: attempts, money, and the pace of its account.

use serde::Serialize;

use super::attempt::{Approval, Attempt, AttemptId, AttemptState, Snapshot, StateName};
use super::money::Money;
use super::operator::RefusalKind;
use super::sellers::{self, AnotherWay, Till};
use super::time::{Secs, UnixTime};

/// What `assess` may know of the past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// The card's cycle: counts up when an effect is seen.
    pub cycle: u32,
    /// The open attempt, if there is one.
    pub open: Option<OpenAttempt>,
    /// Closed attempts of this cycle, oldest first.
    pub closed: Vec<ClosedAttempt>,
    /// Whether another way to buy is left after the last of them.
    pub another_way: AnotherWay,
    /// Money of the last 62 days that was or may have been charged, open attempts included.
    pub spends: Vec<Spend>,
    /// What the card was like before the last order of this cycle that came to nothing: somebody may have renewed it while
    /// that was open.
    pub before_last: Option<Snapshot>,
    /// When the effect of the last purchase was seen.
    pub bought_at: Option<UnixTime>,
    /// How long the last plan that was bought lasts, where it has a length.
    pub cycle_length: Option<Secs>,
    /// Nothing is bought since the records were restored and the card is not confirmed.
    pub quarantined: bool,
    /// Nothing is bought before this, since the operator fails too often.
    pub breaker_until: Option<UnixTime>,
    /// How often the card is read.
    pub pace: Pace,
}

impl Ledger {
    /// Orders of this cycle that were sent. What a gate held back before that uses up none of the tries.
    #[must_use]
    pub fn tried(&self) -> u32 {
        let sent = self.closed.iter().filter(|closed| match closed.how {
            Closed::Refused(_) | Closed::Absent | Closed::Reversed => true,
            Closed::Abandoned { .. } | Closed::WalletShort => false,
        });
        u32::try_from(sent.count()).unwrap_or(u32::MAX)
    }

    /// Attempts of this cycle that a gate held back.
    #[must_use]
    pub fn held(&self) -> u32 {
        let by_gate = |how| matches!(how, Closed::Abandoned { by_person: false } | Closed::WalletShort);
        let held = self.closed.iter().filter(|closed| by_gate(closed.how));
        u32::try_from(held.count()).unwrap_or(u32::MAX)
    }

    /// What attempts and money say; what concerns the account and the record is for the caller to add. `tills` is asked
    /// only where something was refused.
    #[must_use]
    pub fn of(cycle: u32, attempts: &[Attempt], spends: Vec<Spend>, tills: impl FnOnce() -> Vec<Till>) -> Self {
        let mut ledger = Self { cycle, spends, ..Self::default() };
        for attempt in attempts {
            if attempt.state.name().is_open() {
                ledger.open = Some(OpenAttempt::from(attempt));
            }
            if let AttemptState::Done { at, .. } = attempt.state {
                ledger.cycle_length = attempt.plan.validity();
                // A clock that was set back when the effect was seen may have noted too early a time, and one that ran
                // ahead at a purchase before this a later one: the last counts, not the latest.
                ledger.bought_at = Some(at.max(attempt.created_at));
            }
            if attempt.cycle == cycle
                && let Some(closed) = ClosedAttempt::of(attempt)
            {
                ledger.closed.push(closed);
                if attempt.state.name() != StateName::Abandoned {
                    ledger.before_last.clone_from(&attempt.before);
                }
            }
        }
        if !ledger.closed.is_empty() {
            ledger.another_way = sellers::another_way(&tills(), attempts, cycle);
        }
        ledger
    }
}

impl Ledger {
    /// Until when the last purchase may be missing again in a reading, if it may at `now`: an operator that answers from
    /// a cache may show the card as it was before, although another of its answers has shown the effect already.
    #[must_use]
    pub fn shows_after(&self, now: UnixTime) -> Option<UnixTime> {
        let bought_at = self.bought_at.filter(|bought_at| *bought_at <= now)?;
        Some(bought_at.plus(self.pace.at_most)).filter(|shows_at| now < *shows_at)
    }
}

/// What an attempt cost, or may cost.
#[must_use]
pub fn cost(attempt: &Attempt) -> Money {
    let charged = match &attempt.state {
        AttemptState::Accepted { charged, .. } | AttemptState::Done { charged, .. } => *charged,
        AttemptState::Planned { .. }
        | AttemptState::Sending { .. }
        | AttemptState::Pending { .. }
        | AttemptState::Unknown { .. }
        | AttemptState::Human { .. }
        | AttemptState::Refused { .. }
        | AttemptState::Absent { .. }
        | AttemptState::Abandoned { .. }
        | AttemptState::Reversed { .. } => None,
    };
    charged.unwrap_or(attempt.plan.price)
}

/// How often a card is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pace {
    /// In calm times.
    pub every: Secs,
    /// Never more often than this: the operator answers from its cache.
    pub at_most: Secs,
}

impl Default for Pace {
    fn default() -> Self {
        Self { every: Secs::hours(12), at_most: Secs::minutes(20) }
    }
}

/// The open attempt of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OpenAttempt {
    /// Which.
    pub id: AttemptId,
    /// Where it stands.
    pub state: StateName,
    /// Whether a person was asked and has not answered.
    pub asked: bool,
}

impl From<&Attempt> for OpenAttempt {
    fn from(attempt: &Attempt) -> Self {
        let asked = matches!(attempt.approval, Approval::Asked { .. }) && attempt.state.name() == StateName::Planned;
        Self { id: attempt.id, state: attempt.state.name(), asked: asked || attempt.state.name() == StateName::Human }
    }
}

/// An attempt of this cycle that came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ClosedAttempt {
    /// Which of the cycle, from 1.
    pub number: u32,
    /// When it was closed.
    pub at: UnixTime,
    /// How.
    pub how: Closed,
}

/// How an attempt came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// The operator refused.
    Refused(RefusalKind),
    /// It never arrived.
    Absent,
    /// A gate or a person said no before anything was sent.
    Abandoned {
        /// Whether a person did.
        by_person: bool,
    },
    /// Nothing was sent, since the account's wallet held less than the price.
    WalletShort,
    /// The operator took it back.
    Reversed,
}

impl ClosedAttempt {
    /// What a closed attempt means for the next; none for one that is open or took effect.
    #[must_use]
    pub fn of(attempt: &Attempt) -> Option<Self> {
        let (at, how) = match &attempt.state {
            AttemptState::Refused { at, refusal } => (*at, Closed::Refused(refusal.kind)),
            AttemptState::Absent { at } => (*at, Closed::Absent),
            AttemptState::Abandoned { at, why } if why.is_short_wallet() => (*at, Closed::WalletShort),
            AttemptState::Abandoned { at, why } => {
                (*at, Closed::Abandoned { by_person: matches!(why, super::attempt::GivenUp::Person { .. }) })
            }
            AttemptState::Reversed { at, .. } => (*at, Closed::Reversed),
            AttemptState::Planned { .. }
            | AttemptState::Sending { .. }
            | AttemptState::Pending { .. }
            | AttemptState::Accepted { .. }
            | AttemptState::Unknown { .. }
            | AttemptState::Human { .. }
            | AttemptState::Done { .. } => return None,
        };
        Some(Self { number: attempt.number, at, how })
    }
}

/// Money that was or may have been charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Spend {
    /// For which attempt.
    pub attempt: AttemptId,
    /// When it was first sent, or planned if nothing was sent yet: an approval may come a month after the plan, and the
    /// money belongs to the month in which it may have been taken.
    pub at: UnixTime,
    /// What was charged, or else the price.
    pub money: Money,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attempt::{AskWhy, GivenUp, Question};
    use crate::domain::testing::{NOW, attempt, every_state, human, refusal};

    #[test]
    fn only_attempts_that_came_to_nothing_are_closed() {
        let closed: Vec<Option<Closed>> = every_state()
            .into_iter()
            .map(|state| ClosedAttempt::of(&attempt(state)).map(|closed| closed.how))
            .collect();
        assert_eq!(closed[..7], [None; 7]);
        assert_eq!(
            closed[7..],
            [
                Some(Closed::Refused(RefusalKind::Passing)),
                Some(Closed::Absent),
                Some(Closed::Abandoned { by_person: false }),
                Some(Closed::Reversed),
            ]
        );
    }

    #[test]
    fn what_the_card_was_like_is_kept_of_the_last_order_that_came_to_nothing() {
        let before = |left| Some(Snapshot { data_left: Some(left), ..Snapshot::default() });
        let of = |id, state, left| Attempt { id: AttemptId(id), before: before(left), ..attempt(state) };
        let given_up = AttemptState::Abandoned { at: NOW, why: GivenUp::NotNeeded };
        let absent = AttemptState::Absent { at: NOW };
        let cycle = attempt(absent.clone()).cycle;
        let kept = |attempts: &[Attempt], cycle| Ledger::of(cycle, attempts, Vec::new(), Vec::new).before_last;
        let attempts = [of(1, absent.clone(), 1), of(2, absent, 2), of(3, given_up, 3)];
        assert_eq!(kept(&attempts, cycle), before(2), "nothing left for what was given up");
        assert_eq!(kept(&attempts, cycle + 1), None);
    }

    #[test]
    fn the_last_purchase_may_be_missing_also_after_one_that_a_clock_ahead_noted() {
        let done = |id, at: UnixTime| {
            let state = AttemptState::Done { at, order_id: None, charged: None };
            Attempt { id: AttemptId(id), created_at: at, ..attempt(state) }
        };
        let shows_after = |attempts: &[Attempt]| {
            let ledger = Ledger { pace: Pace::default(), ..Ledger::of(1, attempts, Vec::new(), Vec::new) };
            ledger.shows_after(NOW.plus(Secs::MINUTE))
        };
        let ahead = NOW.plus(Secs::days(9));
        assert_eq!(shows_after(&[done(1, NOW)]), Some(NOW.plus(Secs::minutes(20))));
        assert_eq!(shows_after(&[done(1, ahead), done(2, NOW)]), Some(NOW.plus(Secs::minutes(20))));
        assert_eq!(shows_after(&[done(1, NOW.minus(Secs::HOUR))]), None);
    }

    #[test]
    fn who_gave_an_attempt_up_is_told_apart() {
        let person = GivenUp::Person { by: "anna".into(), reason: "dear".into() };
        for (why, by_person) in [(person, true), (GivenUp::Gate("paused".into()), false), (GivenUp::NotNeeded, false)] {
            let closed = ClosedAttempt::of(&attempt(AttemptState::Abandoned { at: NOW, why })).unwrap();
            assert_eq!(closed, ClosedAttempt { number: 1, at: NOW, how: Closed::Abandoned { by_person } });
        }
        let refused = AttemptState::Refused { at: NOW, refusal: refusal(RefusalKind::CardDead) };
        assert_eq!(ClosedAttempt::of(&attempt(refused)).unwrap().how, Closed::Refused(RefusalKind::CardDead));
    }

    #[test]
    fn a_person_is_asked_before_an_approval_and_while_an_order_is_a_question() {
        let asked = Approval::Asked { at: NOW, why: AskWhy::Mode };
        for state in every_state() {
            let name = state.name();
            let mut attempt = attempt(state);
            assert_eq!(OpenAttempt::from(&attempt).asked, name == StateName::Human, "{name:?}");
            attempt.approval = asked.clone();
            let expected = matches!(name, StateName::Human | StateName::Planned);
            assert_eq!(OpenAttempt::from(&attempt).asked, expected, "{name:?}");
        }
        assert_eq!(OpenAttempt::from(&attempt(human(Question::EndNear))).state, StateName::Human);
    }
}
