//! The moves of an attempt, T3 to T20: from a state, an event and the operator's capabilities to the next state. Pure, so
//! that the daemon, the simulation and the tests all move by the same table.

use serde::Serialize;

use super::attempt::{Approval, Attempt, AttemptState, GivenUp, Question, Sent, StateName, Tally};
use super::cycle::Effect;
use super::operator::{BuyAnswer, Capabilities, Doubt, Found, Repeat};
use super::retry;
use super::time::{Secs, UnixTime};

mod settle;

/// Something that happened to an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A gate said no before anything was sent (T3).
    GateClosed {
        /// Its word.
        gate: String,
    },
    /// It must wait a little before anything is sent.
    Delayed {
        /// Until when.
        until: UnixTime,
    },
    /// The card no longer needs it (T3).
    NotNeeded,
    /// The intent is about to be committed, with its key (T4).
    Sends(Sent),
    /// The last look was too long ago when the order was about to leave, so it did not, and the card is looked at anew
    /// (T2).
    LookedTooLongAgo,
    /// The same bytes are about to be sent once more (T9).
    Resends,
    /// The operator's answer came, or did not (T5 to T8).
    Answered(BuyAnswer),
    /// The process found the order on its way when it started (T7).
    FoundSending,
    /// A look-up answered (T10, T12, T14, T17).
    LookedUp(Found),
    /// A look-up failed; nothing is known from it.
    LookupFailed,
    /// A reading was compared with the snapshot (T11, T13, T15).
    CardShows(Effect),
    /// Time has passed (T13, T14, T16).
    TimePassed,
    /// A named person decided (T19, or the approval's refusal, T3).
    Decided {
        /// Who.
        by: String,
        /// What.
        decision: Decision,
        /// Why, in the person's words.
        reason: String,
    },
    /// The records were restored from before this (T20). A planned order of theirs may have left since.
    RolledBack {
        /// What the journal tells of that.
        left: Option<Sent>,
    },
}

/// What a person may say of an order that evidence cannot settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It was taken.
    Bought,
    /// It was not taken.
    NotBought,
    /// Whatever it was, leave it be.
    Abandon,
}

/// The rows of the table; the evidence of each move names its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[expect(missing_docs, reason = "each is drawn and described in docs/reliability.md")]
pub enum Transition {
    T2,
    T3,
    T4,
    T5,
    T6,
    T7,
    T8,
    T9,
    T10,
    T11,
    T12,
    T13,
    T14,
    T15,
    T16,
    T17,
    T19,
    T20,
}

impl Transition {
    /// The word in the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::T2 => "T2",
            Self::T3 => "T3",
            Self::T4 => "T4",
            Self::T5 => "T5",
            Self::T6 => "T6",
            Self::T7 => "T7",
            Self::T8 => "T8",
            Self::T9 => "T9",
            Self::T10 => "T10",
            Self::T11 => "T11",
            Self::T12 => "T12",
            Self::T13 => "T13",
            Self::T14 => "T14",
            Self::T15 => "T15",
            Self::T16 => "T16",
            Self::T17 => "T17",
            Self::T19 => "T19",
            Self::T20 => "T20",
        }
    }
}

/// A move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Its row in the table.
    pub transition: Transition,
    /// The state after it.
    pub state: AttemptState,
}

/// An event that the state does not allow; nothing is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attempt that is {} cannot take this step", state.as_str())]
pub struct IllegalMove {
    /// The state.
    pub state: StateName,
}

/// Moves `attempt` by `event`. `ends` is the card's first end, if it is known.
///
/// # Errors
/// [`IllegalMove`] when the state does not know the event.
pub fn step(
    attempt: &Attempt,
    event: Event,
    capabilities: &Capabilities,
    ends: Option<UnixTime>,
    now: UnixTime,
) -> Result<Move, IllegalMove> {
    let here = Here { attempt, capabilities, ends, now };
    let moved = match event {
        Event::GateClosed { gate } => here.give_up(GivenUp::Gate(gate)),
        Event::NotNeeded => here.give_up(GivenUp::NotNeeded),
        Event::Delayed { until } => here.delay(until),
        Event::Sends(sent) => here.send(sent),
        Event::LookedTooLongAgo => here.look_again(),
        Event::Resends => here.resend(),
        Event::Answered(answer) => here.answered(answer),
        Event::FoundSending => here.found_sending(),
        Event::LookedUp(found) => here.looked_up(found),
        Event::LookupFailed => here.tallied(false),
        Event::CardShows(effect) => here.card_shows(effect),
        Event::TimePassed => here.time_passed(),
        Event::Decided { by, decision, reason } => here.decided(by, decision, reason),
        Event::RolledBack { left } => here.rolled_back(left),
    };
    moved.ok_or(IllegalMove { state: attempt.state.name() })
}

struct Here<'a> {
    attempt: &'a Attempt,
    capabilities: &'a Capabilities,
    ends: Option<UnixTime>,
    now: UnixTime,
}

impl Here<'_> {
    fn give_up(&self, why: GivenUp) -> Option<Move> {
        let AttemptState::Planned { .. } = self.attempt.state else { return None };
        Some(Move { transition: Transition::T3, state: AttemptState::Abandoned { at: self.now, why } })
    }

    fn delay(&self, until: UnixTime) -> Option<Move> {
        let AttemptState::Planned { .. } = self.attempt.state else { return None };
        Some(Move { transition: Transition::T2, state: AttemptState::Planned { next_at: until } })
    }

    /// A person who was asked and has not agreed keeps the order here, whatever its sender believes.
    fn send(&self, sent: Sent) -> Option<Move> {
        let AttemptState::Planned { .. } = self.attempt.state else { return None };
        if matches!(self.attempt.approval, Approval::Asked { .. }) {
            return None;
        }
        Some(Move { transition: Transition::T4, state: AttemptState::Sending { sent } })
    }

    /// Nothing has left, and the key is kept. Not at once: a machine that is too slow would do nothing else.
    fn look_again(&self) -> Option<Move> {
        let AttemptState::Sending { .. } = self.attempt.state else { return None };
        Some(Move { transition: Transition::T2, state: AttemptState::Planned { next_at: self.now.plus(Secs::MINUTE) } })
    }

    /// Only while the operator honours the key, with a quarter of its time in hand. The order may arrive from now on, so
    /// what look-ups did not show before says nothing any more.
    fn resend(&self) -> Option<Move> {
        let AttemptState::Unknown { sent, order_id, doubt, tally, .. } = &self.attempt.state else { return None };
        if !may_resend(sent, self.capabilities, self.now) {
            return None;
        }
        let sent = Sent { send_count: sent.send_count.saturating_add(1), ..sent.clone() };
        let tally = Tally { lookups: tally.lookups.saturating_add(1), clean_negatives: 0 };
        let state = AttemptState::Unknown {
            sent,
            order_id: order_id.clone(),
            doubt: *doubt,
            tally,
            next_at: self.next_lookup(tally),
        };
        Some(Move { transition: Transition::T9, state })
    }

    /// The answer to the first sending, or to a repeat of it.
    fn answered(&self, answer: BuyAnswer) -> Option<Move> {
        let (sent, first) = match &self.attempt.state {
            AttemptState::Sending { sent } => (sent, true),
            AttemptState::Unknown { sent, .. } => (sent, false),
            _ => return None,
        };
        Some(match answer {
            BuyAnswer::Accepted { order_id, charged } => self.accept(Transition::T5, sent, order_id, charged),
            BuyAnswer::Pending { order_id } => self.pend(Transition::T5, sent, order_id),
            BuyAnswer::Refused(refusal) => {
                Move { transition: Transition::T6, state: AttemptState::Refused { at: self.now, refusal } }
            }
            BuyAnswer::NotSent { .. } if first => Move {
                transition: Transition::T8,
                state: AttemptState::Planned { next_at: self.now.plus(self.not_sent_wait(sent)) },
            },
            BuyAnswer::Unknown { doubt, .. } if first => self.doubt(sent, None, doubt),
            // A repeat that did not get through, or was not understood, leaves what was known.
            BuyAnswer::NotSent { .. } | BuyAnswer::Unknown { .. } => {
                Move { transition: Transition::T9, state: self.attempt.state.clone() }
            }
        })
    }

    fn not_sent_wait(&self, sent: &Sent) -> Secs {
        retry::next_reading(sent.send_count, self.seed())
    }

    fn found_sending(&self) -> Option<Move> {
        let AttemptState::Sending { sent } = &self.attempt.state else { return None };
        Some(self.doubt(sent, None, Doubt::ProcessEnded))
    }

    fn decided(&self, by: String, decision: Decision, reason: String) -> Option<Move> {
        let transition = Transition::T19;
        match (&self.attempt.state, decision) {
            (AttemptState::Planned { .. }, Decision::NotBought | Decision::Abandon) => {
                self.give_up(GivenUp::Person { by, reason })
            }
            (AttemptState::Human { sent, order_id, .. }, Decision::Bought) => {
                Some(self.accept(transition, sent, order_id.clone(), None))
            }
            (AttemptState::Human { .. }, Decision::NotBought) => {
                Some(Move { transition, state: AttemptState::Absent { at: self.now } })
            }
            (AttemptState::Human { .. }, Decision::Abandon) => {
                let why = GivenUp::Person { by, reason };
                Some(Move { transition, state: AttemptState::Abandoned { at: self.now, why } })
            }
            _ => None,
        }
    }

    fn rolled_back(&self, left: Option<Sent>) -> Option<Move> {
        let (sent, order_id, tally) = match &self.attempt.state {
            AttemptState::Planned { .. } => match &left {
                Some(sent) => (sent, None, Tally::default()),
                None => return self.give_up(GivenUp::Gate("restored".into())),
            },
            AttemptState::Sending { sent } => (sent, None, Tally::default()),
            AttemptState::Pending { sent, order_id, tally, .. } => (sent, Some(order_id.clone()), *tally),
            AttemptState::Accepted { sent, order_id, .. } => (sent, order_id.clone(), Tally::default()),
            AttemptState::Unknown { sent, order_id, tally, .. } | AttemptState::Human { sent, order_id, tally, .. } => {
                (sent, order_id.clone(), *tally)
            }
            _ => return None,
        };
        let mut moved = self.ask(Question::Restored, sent, order_id, tally);
        moved.transition = Transition::T20;
        Some(moved)
    }

    fn accept(
        &self,
        transition: Transition,
        sent: &Sent,
        order_id: Option<String>,
        charged: Option<super::money::Money>,
    ) -> Move {
        let order_id = order_id.or_else(|| self.attempt.state.order_id().map(str::to_owned));
        let next_at = self.now.plus(self.watch_wait(self.now));
        let state = AttemptState::Accepted { sent: sent.clone(), order_id, charged, accepted_at: self.now, next_at };
        Move { transition, state }
    }

    fn pend(&self, transition: Transition, sent: &Sent, order_id: String) -> Move {
        let tally = Tally::default();
        let next_at = self.next_lookup(tally);
        Move { transition, state: AttemptState::Pending { sent: sent.clone(), order_id, tally, next_at } }
    }

    fn doubt(&self, sent: &Sent, order_id: Option<String>, doubt: Doubt) -> Move {
        let tally = Tally::default();
        let next_at = self.next_lookup(tally);
        let state = AttemptState::Unknown { sent: sent.clone(), order_id, doubt, tally, next_at };
        Move { transition: if doubt == Doubt::PendingLost { Transition::T14 } else { Transition::T7 }, state }
    }

    fn ask(&self, question: Question, sent: &Sent, order_id: Option<String>, tally: Tally) -> Move {
        let next_at = self.next_lookup(tally);
        let state = AttemptState::Human { sent: sent.clone(), order_id, question, asked_at: self.now, tally, next_at };
        Move { transition: Transition::T13, state }
    }

    fn reverse(&self, why: String) -> Move {
        Move { transition: Transition::T17, state: AttemptState::Reversed { at: self.now, why } }
    }

    fn seed(&self) -> u64 {
        self.attempt.id.0.unsigned_abs()
    }
}

/// Whether the same bytes may be sent again: the operator honours the key, and three quarters of its time are not over.
/// A clock that stands before the first sending cannot tell that, and nothing is sent.
#[must_use]
pub fn may_resend(sent: &Sent, capabilities: &Capabilities, now: UnixTime) -> bool {
    match capabilities.repeat {
        Repeat::Replays(window) => {
            let age = now.since(sent.first_sent_at).0;
            age >= 0 && i128::from(age) * 4 < i128::from(window.0) * 3
        }
        Repeat::Refuses | Repeat::Pays => false,
    }
}

#[cfg(test)]
mod tests;
