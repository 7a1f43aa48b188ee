//! Which question settles an open order next: the same bytes again, a look-up, or only the card; and what a reading says
//! about it.

use super::attempt::{Attempt, AttemptState, Sent, StateName};
use super::cycle::{self, Effect};
use super::operator::{BuyAnswer, Capabilities, Found, Lookup, Proof};
use super::reading::Reading;
use super::retry;
use super::step::{Event, may_resend};
use super::time::{Secs, UnixTime};

/// An accepted order whose effect is not seen after this long is also looked up: it may have been taken back.
const ACCEPTED_LOOKED_UP_AFTER: Secs = Secs::HOUR;

/// An order that was sent longer ago is repeated only beside a reading that is no older: somebody may have bought the like
/// since, and where the first order never arrived, its repeat would be one too many.
const REPEATED_UNSEEN_WITHIN: Secs = Secs::minutes(10);

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

/// Whether the card is read before anything else: the order may be sent again, but nobody has seen lately that it is still
/// wanted. `latest` is the newest reading that made sense.
#[must_use]
pub fn reads_first(
    attempt: &Attempt,
    seller: &Capabilities,
    reader_proof: Proof,
    latest: Option<&Reading>,
    now: UnixTime,
) -> bool {
    let sent = attempt.state.sent().filter(|sent| may_resend(sent, seller, now));
    attempt.state.name() == StateName::Unknown && sent.is_some_and(|sent| !is_seen(sent, reader_proof, latest, now))
}

/// What to ask about an open order. `reader_proof` is the proof of the account that reads the card: where a reading shows
/// the effect, that comes first; where none can, the look-up is all there is. An order is not repeated while the `latest`
/// reading is old, or shows that the card has what was ordered, whoever bought it.
#[must_use]
pub fn ask(
    attempt: &Attempt,
    seller: &Capabilities,
    reader_proof: Proof,
    latest: Option<&Reading>,
    now: UnixTime,
) -> Ask {
    let Some(sent) = attempt.state.sent() else { return Ask::Nothing };
    let wanted = is_seen(sent, reader_proof, latest, now) && !has_it(attempt, sent, reader_proof, latest);
    if attempt.state.name() == StateName::Unknown && wanted && may_resend(sent, seller, now) {
        return Ask::Resend;
    }
    let young = matches!(&attempt.state, AttemptState::Accepted { accepted_at, .. }
        if reader_proof != Proof::Order && now.since(*accepted_at) < ACCEPTED_LOOKED_UP_AFTER);
    if seller.lookup == Lookup::None || young { Ask::Nothing } else { Ask::LookUp }
}

/// Whether the order is young, or the card was read just now, or no reading could tell.
fn is_seen(sent: &Sent, reader_proof: Proof, latest: Option<&Reading>, now: UnixTime) -> bool {
    let read = latest.is_some_and(|reading| now.since(reading.read_at) <= REPEATED_UNSEEN_WITHIN);
    read || now.since(sent.first_sent_at) <= REPEATED_UNSEEN_WITHIN || reader_proof == Proof::Order
}

fn has_it(attempt: &Attempt, sent: &Sent, reader_proof: Proof, latest: Option<&Reading>) -> bool {
    let since = latest.filter(|reading| reading.read_at > sent.first_sent_at);
    let effect = |reading, before| cycle::effect(before, reading, &attempt.plan, reader_proof);
    since.zip(attempt.before.as_ref()).is_some_and(|(reading, before)| effect(reading, before) != Effect::None)
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
    fn an_order_is_not_repeated_unseen_once_somebody_may_have_bought_the_like() {
        let order = attempt(unknown(Tally::default()));
        let at = |minutes| NOW.plus(Secs::minutes(minutes));
        for (now, latest, proof, first) in [
            (at(10), None, Proof::AssetIds, false),
            (at(11), None, Proof::AssetIds, true),
            (at(11), Some(read_at(at(1))), Proof::AssetIds, false),
            (at(12), Some(read_at(at(1))), Proof::AssetIds, true),
            (at(12), None, Proof::Order, false),
        ] {
            assert_eq!(reads_first(&order, &REPLAYS, proof, latest.as_ref(), now), first, "{now} {latest:?}");
            let expected = if first { Ask::LookUp } else { Ask::Resend };
            assert_eq!(ask(&order, &REPLAYS, proof, latest.as_ref(), now), expected);
            assert!(!reads_first(&order, &CLASS_B, proof, latest.as_ref(), now), "nothing is sent again there");
        }
        assert!(!reads_first(&attempt(pending()), &REPLAYS, Proof::AssetIds, None, at(60)));
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
        assert_eq!(asked(&with(&["1", "2"], NOW), &REPLAYS), Ask::Resend, "read before the order left");
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
