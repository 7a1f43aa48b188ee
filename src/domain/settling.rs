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

/// Whether the card is read before anything else, since the order may be sent again: by its key's time, which a clock that
/// was set back cannot tell, and while nobody has bought the like meanwhile.
#[must_use]
pub fn reads_first(attempt: &Attempt, seller: &Capabilities, reader_proof: Proof, now: UnixTime) -> bool {
    let may = attempt.state.sent().is_some_and(|sent| may_resend(sent, seller, now));
    attempt.state.name() == StateName::Unknown && may && reader_proof != Proof::Order
}

/// What to ask about an open order. `reader_proof` is the proof of the account that reads the card: where a reading shows
/// the effect, that comes first; where none can, the look-up is all there is. An order is repeated only beside a `fresh`
/// reading, taken just before while the operator's clock and ours agreed, by which nothing came onto the card since.
#[must_use]
pub fn ask(
    attempt: &Attempt,
    seller: &Capabilities,
    reader_proof: Proof,
    fresh: Option<&Reading>,
    now: UnixTime,
) -> Ask {
    let gained = |reading| attempt.before.as_ref().is_some_and(|before| cycle::gained(before, reading));
    let wanted = fresh.is_some_and(|reading| !gained(reading));
    if wanted && reads_first(attempt, seller, reader_proof, now) {
        return Ask::Resend;
    }
    let young = matches!(&attempt.state, AttemptState::Accepted { accepted_at, .. }
        if reader_proof != Proof::Order && now.since(*accepted_at) < ACCEPTED_LOOKED_UP_AFTER);
    if attempt.state.sent().is_none() || seller.lookup == Lookup::None || young { Ask::Nothing } else { Ask::LookUp }
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
    use crate::domain::attempt::{Question, Snapshot, Tally};
    use crate::domain::testing::{
        CLASS_B, CLASS_C, NOW, REFUSES, REPLAYS, accepted, attempt, every_state, human, pending, reading, unknown,
    };

    fn read_at(at: UnixTime) -> Reading {
        Reading { read_at: at, as_of: at, ..reading(900) }
    }

    #[test]
    fn an_order_is_repeated_only_beside_a_fresh_look_at_the_card() {
        let order = attempt(unknown(Tally::default()));
        assert!(reads_first(&order, &REPLAYS, Proof::AssetIds, NOW));
        assert_eq!(ask(&order, &REPLAYS, Proof::AssetIds, None, NOW), Ask::LookUp);
        assert_eq!(ask(&order, &REPLAYS, Proof::AssetIds, Some(&read_at(NOW)), NOW), Ask::Resend);
        assert!(!reads_first(&order, &REPLAYS, Proof::Order, NOW), "no reading can tell");
        assert_eq!(ask(&order, &REPLAYS, Proof::Order, Some(&read_at(NOW)), NOW), Ask::LookUp);
        assert!(!reads_first(&order, &CLASS_B, Proof::AssetIds, NOW), "nothing is sent again there");
        assert!(!reads_first(&attempt(pending()), &REPLAYS, Proof::AssetIds, NOW));
    }

    #[test]
    fn an_order_is_not_repeated_once_the_card_has_what_was_ordered() {
        let mut order = attempt(unknown(Tally::default()));
        order.before = Some(Snapshot { assets: vec!["1".into()], ..Snapshot::default() });
        let with =
            |assets: &[&str], at| Reading { assets: assets.iter().map(|id| (*id).into()).collect(), ..read_at(at) };
        let now = NOW.plus(Secs::MINUTE);
        let asked = |latest: &Reading, seller| ask(&order, seller, Proof::AssetIds, Some(latest), now);
        assert_eq!(asked(&with(&["1"], now), &REPLAYS), Ask::Resend);
        assert_eq!(asked(&with(&["1", "2"], now), &REPLAYS), Ask::LookUp);
        assert_eq!(asked(&with(&["1", "2", "3"], now), &REPLAYS), Ask::LookUp);
        let blind = Capabilities { lookup: Lookup::None, ..REPLAYS };
        assert_eq!(asked(&with(&["1", "2"], now), &blind), Ask::Nothing);
    }

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
            assert_eq!(ask(&order, &capabilities, Proof::AssetIds, Some(&read_at(now)), now), expected);
        }
        for state in [pending(), accepted(), human(Question::Restored)] {
            assert_ne!(ask(&attempt(state), &REPLAYS, Proof::AssetIds, None, NOW), Ask::Resend);
        }
    }

    #[test]
    fn an_accepted_order_is_looked_up_after_an_hour_or_where_no_reading_can_show_it() {
        let order = attempt(accepted());
        assert_eq!(ask(&order, &CLASS_B, Proof::AssetIds, None, NOW), Ask::Nothing);
        assert_eq!(ask(&order, &CLASS_B, Proof::AssetIds, None, NOW.plus(Secs::HOUR)), Ask::LookUp);
        assert_eq!(ask(&order, &CLASS_B, Proof::Order, None, NOW), Ask::LookUp);
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
