//! Which question settles an open order next: the same bytes again, a look-up, or only the card; and what a reading says
//! about it.

use super::attempt::{Attempt, AttemptState, StateName};
use super::cycle::{self, Effect};
use super::operator::{BuyAnswer, Capabilities, Found, Lookup, Proof};
use super::reading::Reading;
use super::retry;
use super::step::{Event, may_resend};
use super::time::{Secs, UnixTime};

/// An accepted order whose effect is not seen after this long is also looked up: it may have been taken back.
const ACCEPTED_LOOKED_UP_AFTER: Secs = Secs::HOUR;

/// What is asked of the operator that sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The same bytes are sent again (T9).
    Resend,
    /// The order is looked up.
    LookUp,
    /// Nothing; the card is read.
    Nothing,
}

/// What to ask about an open order. `reader_proof` is the proof of the account that reads the card: where a reading shows
/// the effect, that comes first; where none can, the look-up is all there is.
#[must_use]
pub fn ask(attempt: &Attempt, seller: &Capabilities, reader_proof: Proof, now: UnixTime) -> Ask {
    let Some(sent) = attempt.state.sent() else { return Ask::Nothing };
    if attempt.state.name() == StateName::Unknown && may_resend(sent, seller, now) {
        return Ask::Resend;
    }
    let young = matches!(&attempt.state, AttemptState::Accepted { accepted_at, .. }
        if reader_proof != Proof::Order && now.since(*accepted_at) < ACCEPTED_LOOKED_UP_AFTER);
    if seller.lookup == Lookup::None || young { Ask::Nothing } else { Ask::LookUp }
}

/// What a repeat's answer is to the order; one that was not understood, or not reached, leaves what was known.
#[must_use]
pub fn repeated(answer: BuyAnswer) -> Option<Event> {
    match answer {
        BuyAnswer::NotSent { .. } | BuyAnswer::Unknown { .. } => None,
        answer => Some(Event::Answered(answer)),
    }
}

/// Whether the card is read after a look-up: a pending order is the operator's to tell of, unless it vanished.
#[must_use]
pub fn goes_on(event: &Event, after: &Attempt) -> bool {
    matches!(event, Event::LookedUp(Found::Nothing)) || after.state.name() != StateName::Pending
}

/// What a reading says about an order. `fresh` is the reading of this moment, if it made sense.
#[must_use]
pub fn shown(attempt: &Attempt, fresh: Option<&Reading>, proof: Proof) -> Event {
    match (fresh, &attempt.before) {
        (Some(reading), Some(before)) => Event::CardShows(cycle::effect(before, reading, &attempt.plan, proof)),
        // An order that only the journal knew has nothing to be compared with: the operator's word, or a person's, and a
        // card that can be read are all there is.
        (Some(_), None) if attempt.state.name() == StateName::Accepted && proof != Proof::Order => {
            Event::CardShows(Effect::Seen)
        }
        (Some(_), None) => Event::CardShows(Effect::None),
        (None, _) => Event::LookupFailed,
    }
}

/// The number of the reminder that is due about an open question, if one is: each day's goes out once.
#[must_use]
pub fn reminder(attempt: &Attempt, now: UnixTime) -> Option<u32> {
    let AttemptState::Human { asked_at, .. } = &attempt.state else { return None };
    // One that was asked by a clock that ran ahead is put again all the same, counted from the calendar's first day.
    let from = if *asked_at > now { UnixTime::MIN } else { *asked_at };
    let days = now.since(from).0 / retry::REMIND_EVERY.0;
    u32::try_from(days).ok().filter(|days| *days > 0)
}

/// Whether an order that is done may still be taken back, and can be asked about.
#[must_use]
pub fn may_turn(attempt: &Attempt, seller: &Capabilities, now: UnixTime) -> bool {
    attempt.state.name() == StateName::Done
        && seller.late_change.is_some_and(|lasts| now.since(attempt.created_at) <= lasts)
        && seller.lookup != Lookup::None
}

/// What a look-up of a done order changes: only that it was taken back.
#[must_use]
pub fn turned(found: Found) -> Option<Event> {
    match found {
        found @ (Found::Reversed { .. } | Found::Refused(_)) => Some(Event::LookedUp(found)),
        Found::Accepted { .. } | Found::Pending { .. } | Found::Nothing => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attempt::{Question, Tally};
    use crate::domain::testing::{
        CLASS_B, CLASS_C, NOW, REFUSES, REPLAYS, accepted, attempt, every_state, human, pending, unknown,
    };

    #[test]
    fn only_an_unknown_order_is_repeated_and_only_where_its_key_protects() {
        let late = NOW.plus(Secs::hours(18));
        for (capabilities, now, expected) in [
            (REPLAYS, NOW, Ask::Resend),
            (REPLAYS, late, Ask::LookUp),
            (REFUSES, NOW, Ask::LookUp),
            (CLASS_B, NOW, Ask::LookUp),
            (CLASS_C, NOW, Ask::Nothing),
        ] {
            let order = attempt(unknown(Tally::default()));
            assert_eq!(ask(&order, &capabilities, Proof::AssetIds, now), expected);
        }
        for state in [pending(), accepted(), human(Question::Restored)] {
            assert_ne!(ask(&attempt(state), &REPLAYS, Proof::AssetIds, NOW), Ask::Resend);
        }
    }

    #[test]
    fn an_accepted_order_is_looked_up_after_an_hour_or_where_no_reading_can_show_it() {
        let order = attempt(accepted());
        assert_eq!(ask(&order, &CLASS_B, Proof::AssetIds, NOW), Ask::Nothing);
        assert_eq!(ask(&order, &CLASS_B, Proof::AssetIds, NOW.plus(Secs::HOUR)), Ask::LookUp);
        assert_eq!(ask(&order, &CLASS_B, Proof::Order, NOW), Ask::LookUp);
    }

    #[test]
    fn a_question_is_put_again_once_a_day() {
        let order = attempt(human(Question::EndNear));
        let due = |secs| reminder(&order, NOW.plus(Secs(secs)));
        assert_eq!((due(0), due(86_399), due(86_400), due(3 * 86_400)), (None, None, Some(1), Some(3)));
        assert!(due(-1).is_some() && due(-1) != due(-86_400), "asked by a clock that ran ahead");
        assert_eq!(reminder(&attempt(accepted()), NOW.plus(Secs::days(9))), None);
    }

    #[test]
    fn only_done_orders_turn_and_only_while_their_operator_says_so() {
        let turns = Capabilities { late_change: Some(Secs::days(7)), ..CLASS_B };
        for state in every_state() {
            let (order, done) = (attempt(state.clone()), state.name() == StateName::Done);
            assert_eq!(may_turn(&order, &turns, NOW.plus(Secs::days(7))), done);
            assert!(!may_turn(&order, &turns, NOW.plus(Secs::days(8))));
            assert!(!may_turn(&order, &CLASS_B, NOW));
        }
        assert_eq!(turned(Found::Nothing), None);
    }
}
