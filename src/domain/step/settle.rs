//! Settling by evidence (T10 to T17): what look-ups, readings and time say about an order that was sent.

use super::{Here, Move, Transition};
use crate::domain::attempt::{AttemptState, Question, Sent, Tally};
use crate::domain::cycle::Effect;
use crate::domain::money::Money;
use crate::domain::operator::{Doubt, Found, Lookup, Proof, Repeat};
use crate::domain::retry;
use crate::domain::time::{Secs, UnixTime};

/// A pending order that is not final after this long is no longer waited for by its id alone.
const PENDING_MAX: Secs = Secs::hours(72);
/// Clean look-ups without the order that are needed before it counts as absent.
const NEGATIVES_NEEDED: u32 = 3;
/// An operator that can neither be asked nor tells how long it takes is watched this long before a person is asked.
const WATCH_FOR_EVIDENCE: Secs = Secs::hours(48);
/// An unknown order is looked for at least this long before a near end makes it a person's question.
const LOOK_FIRST: Secs = Secs::HOUR;
/// An order that was pending, and that its operator still calls so after this, is a person's question: look-ups will not
/// settle it, and not every card has an end that comes near.
const PENDING_ASKED_AFTER: Secs = Secs::days(7);
/// Any order is a person's question after this: not every card has an end that comes near, and not every operator
/// answers look-ups.
const UNKNOWN_ASKED_AFTER: Secs = Secs::days(4);
/// This long before the card's end a person is asked about an unknown order.
const ASK_BEFORE_END: Secs = Secs::days(4);
/// An effect that nobody documents is expected within this.
const EFFECT_EXPECTED: Secs = Secs::DAY;

impl Here<'_> {
    pub(super) fn looked_up(&self, found: Found) -> Option<Move> {
        if let AttemptState::Accepted { .. } | AttemptState::Done { .. } = self.attempt.state {
            return self.taken_back(found);
        }
        let transition = match &self.attempt.state {
            AttemptState::Pending { .. } => Transition::T14,
            AttemptState::Unknown { .. } | AttemptState::Human { .. } => Transition::T10,
            _ => return None,
        };
        let sent = self.attempt.state.sent()?;
        match found {
            // That it was taken is known already, and asked is why nothing shows.
            Found::Accepted { .. } | Found::Pending { .. } if self.asks_for_effect() && !self.order_proves() => {
                self.tallied(false)
            }
            Found::Accepted { order_id, charged } => Some(self.accept(transition, sent, Some(order_id), charged)),
            Found::Pending { order_id } if transition == Transition::T14 => self.still_pending(order_id),
            // What was sent before a restore is never sent again, and only a question is never sent again.
            Found::Pending { .. } if self.asks_after_restore() => self.tallied(false),
            // Waiting by its id alone is over; going back to it would start every count anew.
            Found::Pending { .. } if self.pending_too_long(sent) => self.tallied(false),
            Found::Pending { order_id } => Some(self.pend(transition, sent, order_id)),
            Found::Refused(refusal) => {
                Some(Move { transition, state: AttemptState::Refused { at: self.now, refusal } })
            }
            Found::Reversed { why, .. } => Some(self.reverse(why)),
            Found::Nothing => self.not_found(),
        }
    }

    /// An order that was taken: a later "refunded" or "failed" takes it back, anything else says nothing new; but where
    /// no reading can show an effect, finding it taken is the proof.
    fn taken_back(&self, found: Found) -> Option<Move> {
        match found {
            Found::Accepted { order_id, charged } if self.order_proves() => {
                self.proven(Some(order_id), charged).or_else(|| self.tallied(false))
            }
            Found::Reversed { why, .. } => Some(self.reverse(why)),
            Found::Refused(refusal) => Some(self.reverse(refusal.text)),
            Found::Accepted { .. } | Found::Pending { .. } | Found::Nothing => self.tallied(false),
        }
    }

    fn asks_for_effect(&self) -> bool {
        matches!(self.attempt.state, AttemptState::Human { question: Question::EffectMissing, .. })
    }

    fn asks_after_restore(&self) -> bool {
        matches!(self.attempt.state, AttemptState::Human { question: Question::Restored, .. })
    }

    /// Whether the operator's own record of an order is all the proof there is.
    fn order_proves(&self) -> bool {
        self.capabilities.proof == Proof::Order
    }

    /// An accepted order is done by the operator's word alone (T15).
    fn proven(&self, found_id: Option<String>, found_charge: Option<Money>) -> Option<Move> {
        let AttemptState::Accepted { order_id, charged, .. } = &self.attempt.state else { return None };
        let (order_id, charged) = (order_id.clone().or(found_id), charged.or(found_charge));
        Some(Move { transition: Transition::T15, state: AttemptState::Done { at: self.now, order_id, charged } })
    }

    /// Where neither a reading nor a look-up can ever tell more, acceptance itself is all there will be.
    fn proven_blindly(&self) -> Option<Move> {
        let blind = self.order_proves() && self.capabilities.lookup == Lookup::None;
        if blind { self.proven(None, None) } else { None }
    }

    fn pending_too_long(&self, sent: &Sent) -> bool {
        self.now.since(sent.first_sent_at) > PENDING_MAX
    }

    /// A clean answer without the order. It proves nothing until the longest time has passed, and then only three do.
    fn not_found(&self) -> Option<Move> {
        match &self.attempt.state {
            AttemptState::Pending { sent, order_id, .. } if self.shown_by_now(sent) => {
                Some(self.doubt(sent, Some(order_id.clone()), Doubt::PendingLost))
            }
            AttemptState::Unknown { sent, tally, .. }
                if self.capabilities.lookup != Lookup::None
                    && tally.clean_negatives.saturating_add(1) >= NEGATIVES_NEEDED
                    && self.shown_by_now(sent) =>
            {
                Some(Move { transition: Transition::T12, state: AttemptState::Absent { at: self.now } })
            }
            _ => self.tallied(true),
        }
    }

    /// Whether an order that was taken would show in a look-up by now, counted from the last moment at which it can have
    /// been sent.
    fn shown_by_now(&self, sent: &Sent) -> bool {
        let resent_within = match self.capabilities.repeat {
            Repeat::Replays(window) if sent.send_count > 1 => window,
            Repeat::Replays(_) | Repeat::Refuses | Repeat::Pays => Secs::ZERO,
        };
        self.now.since(sent.first_sent_at).0
            > self.capabilities.may_show_until().0.saturating_add(resent_within.0.max(0))
    }

    /// One look-up more; the state stays.
    pub(super) fn tallied(&self, clean_negative: bool) -> Option<Move> {
        let mut state = self.attempt.state.clone();
        let transition = match &mut state {
            AttemptState::Pending { tally, next_at, .. } => {
                self.count(tally, next_at, clean_negative);
                Transition::T14
            }
            AttemptState::Unknown { tally, next_at, .. } | AttemptState::Human { tally, next_at, .. } => {
                self.count(tally, next_at, clean_negative);
                Transition::T10
            }
            AttemptState::Accepted { next_at, sent, .. } => {
                *next_at = self.now.plus(self.watch_wait(sent.first_sent_at));
                Transition::T15
            }
            _ => return None,
        };
        Some(Move { transition, state })
    }

    fn count(&self, tally: &mut Tally, next_at: &mut UnixTime, clean_negative: bool) {
        tally.lookups = tally.lookups.saturating_add(1);
        tally.clean_negatives = tally.clean_negatives.saturating_add(u32::from(clean_negative));
        *next_at = self.next_lookup(*tally);
    }

    fn still_pending(&self, new_id: String) -> Option<Move> {
        let AttemptState::Pending { sent, tally, .. } = &self.attempt.state else { return None };
        if self.pending_too_long(sent) {
            return Some(self.doubt(sent, Some(new_id), Doubt::PendingLost));
        }
        let tally = Tally { lookups: tally.lookups.saturating_add(1), ..*tally };
        let state =
            AttemptState::Pending { sent: sent.clone(), order_id: new_id, tally, next_at: self.next_lookup(tally) };
        Some(Move { transition: Transition::T14, state })
    }

    pub(super) fn card_shows(&self, effect: Effect) -> Option<Move> {
        match (&self.attempt.state, effect) {
            // The operator's own word and a changed card: more than expected is still this purchase and another.
            (AttemptState::Accepted { order_id, charged, .. }, Effect::Seen | Effect::More) => {
                let state = AttemptState::Done { at: self.now, order_id: order_id.clone(), charged: *charged };
                Some(Move { transition: Transition::T15, state })
            }
            (AttemptState::Accepted { .. }, Effect::None) => {
                self.proven_blindly().or_else(|| self.effect_missing()).or_else(|| self.tallied(false))
            }
            (AttemptState::Unknown { sent, order_id, tally, .. }, Effect::Seen) if self.contradicted(sent, *tally) => {
                Some(self.ask(Question::Contradiction, sent, order_id.clone(), *tally))
            }
            (
                AttemptState::Unknown { sent, order_id, .. } | AttemptState::Human { sent, order_id, .. },
                Effect::Seen,
            ) if self.explained() => Some(self.accept(Transition::T11, sent, order_id.clone(), None)),
            (AttemptState::Unknown { sent, order_id, tally, .. }, Effect::More) => {
                Some(self.ask(Question::Contradiction, sent, order_id.clone(), *tally))
            }
            // Where nothing can be looked up, a reading is the look-up.
            (AttemptState::Unknown { .. } | AttemptState::Human { .. }, _)
                if self.capabilities.lookup == Lookup::None =>
            {
                self.tallied(false)
            }
            (AttemptState::Unknown { .. } | AttemptState::Human { .. } | AttemptState::Pending { .. }, _) => {
                Some(Move { transition: Transition::T11, state: self.attempt.state.clone() })
            }
            _ => None,
        }
    }

    /// The card changed, yet an operator that lists its orders in time does not know ours: somebody else bought.
    fn contradicted(&self, sent: &Sent, tally: Tally) -> bool {
        self.capabilities.lookup != Lookup::None && tally.clean_negatives > 0 && self.shown_by_now(sent)
    }

    /// A question about a contradiction or a restore is a person's; what the card shows no longer settles it.
    fn explained(&self) -> bool {
        !matches!(
            self.attempt.state,
            AttemptState::Human { question: Question::Contradiction | Question::Restored, .. }
        )
    }

    fn effect_missing(&self) -> Option<Move> {
        let AttemptState::Accepted { sent, order_id, accepted_at, .. } = &self.attempt.state else { return None };
        let expected = EFFECT_EXPECTED.max(self.capabilities.effect_max);
        // Noted by a clock that ran ahead, it says nothing; when the order left, the operator's clock confirmed.
        let since = if *accepted_at > self.now { sent.first_sent_at } else { *accepted_at };
        (self.now.since(since) > expected).then(|| {
            let mut moved = self.ask(Question::EffectMissing, sent, order_id.clone(), Tally::default());
            moved.transition = Transition::T16;
            moved
        })
    }

    pub(super) fn time_passed(&self) -> Option<Move> {
        match &self.attempt.state {
            AttemptState::Unknown { sent, order_id, tally, .. } => Some(match self.question(sent, *tally) {
                Some(question) => self.ask(question, sent, order_id.clone(), *tally),
                None => Move { transition: Transition::T13, state: self.attempt.state.clone() },
            }),
            AttemptState::Accepted { .. } => {
                self.proven_blindly().or_else(|| self.effect_missing()).or_else(|| self.tallied(false))
            }
            AttemptState::Pending { sent, order_id, .. } if self.pending_too_long(sent) => {
                Some(self.doubt(sent, Some(order_id.clone()), Doubt::PendingLost))
            }
            // Where nothing can be looked up, nothing else moves it on, and it would be due for ever.
            AttemptState::Pending { next_at, .. } if *next_at <= self.now => self.tallied(false),
            AttemptState::Human { .. } | AttemptState::Pending { .. } => {
                Some(Move { transition: Transition::T13, state: self.attempt.state.clone() })
            }
            _ => None,
        }
    }

    /// Whether an unknown order has become a person's question (T13).
    fn question(&self, sent: &Sent, tally: Tally) -> Option<Question> {
        let age = self.now.since(sent.first_sent_at);
        let blind = self.capabilities.lookup == Lookup::None;
        let watched = self.capabilities.processing_max.unwrap_or(WATCH_FOR_EVIDENCE).max(WATCH_FOR_EVIDENCE);
        match self.capabilities.repeat {
            Repeat::Replays(window) if blind && age > window => return Some(Question::KeyWindowOver),
            Repeat::Replays(_) => {}
            Repeat::Refuses | Repeat::Pays if blind && age > watched => return Some(Question::NoEvidence),
            Repeat::Refuses | Repeat::Pays => {}
        }
        let was_pending = matches!(self.attempt.state, AttemptState::Unknown { doubt: Doubt::PendingLost, .. });
        if was_pending && age > PENDING_ASKED_AFTER {
            return Some(Question::NoEvidence);
        }
        if age > self.evidence_may_come_for() {
            return Some(Question::NoEvidence);
        }
        let looked = age > LOOK_FIRST && tally.lookups >= NEGATIVES_NEEDED;
        let end_near = self.ends.is_some_and(|end| end.since(self.now) < self.ask_before_end());
        (looked && end_near).then_some(Question::EndNear)
    }

    /// As long as the order may be repeated, or may yet be found absent by clean look-ups, it may settle by itself.
    fn evidence_may_come_for(&self) -> Secs {
        let repeated_for = match self.capabilities.repeat {
            Repeat::Replays(window) => window,
            Repeat::Refuses | Repeat::Pays => Secs::ZERO,
        };
        let shown =
            Secs(self.capabilities.may_show_until().0.saturating_add(repeated_for.0).saturating_add(Secs::DAY.0));
        UNKNOWN_ASKED_AFTER.max(shown)
    }

    /// Four days, or half of a shorter plan.
    fn ask_before_end(&self) -> Secs {
        let length = self.attempt.plan.validity().filter(|length| length.0 > 0);
        length.map_or(ASK_BEFORE_END, |length| ASK_BEFORE_END.min(Secs(length.0 / 2)))
    }

    /// An effect is looked for soon, then as often as the operator answers anew.
    pub(super) fn watch_wait(&self, since: UnixTime) -> Secs {
        let age = self.now.since(since);
        if age < Secs::minutes(10) { Secs::MINUTE } else { self.capabilities.cached_for.max(Secs::minutes(10)) }
    }

    pub(super) fn next_lookup(&self, tally: Tally) -> UnixTime {
        self.now.plus(retry::next_lookup(tally.lookups, self.seed()))
    }
}
