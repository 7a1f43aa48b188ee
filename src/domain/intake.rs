//! What is known of a card once an answer counts: which answers do, when a card that was set aside after a restore is
//! confirmed, and when the card is read again.

use super::attempt::{Attempt, AttemptState};
use super::busiest;
use super::card::CardId;
use super::gates;
use super::operator::OperatorError;
use super::reading::{Oddity, Reading, Recent, oddity};
use super::retry;
use super::time::{Secs, UnixTime};

/// A renewal that is due but cannot be begun at once is looked at again this soon, also after a restart.
const RENEWAL_LOOKS_AGAIN: Secs = Secs::minutes(15);
/// A card that could not be read is not asked about again sooner than this.
const FAILED_AGAIN_MIN: Secs = Secs::minutes(5);
/// A card that was set aside after a restore stays so for this long at least.
const QUARANTINE_LASTS: Secs = Secs::hours(26);

/// What a poll brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A reading that makes sense.
    Good(Reading),
    /// An answer that makes none: kept as evidence.
    Odd(Reading, Oddity),
    /// No answer.
    Failed,
    /// Nothing was read; only time or cycle change.
    Nothing,
}

impl Seen {
    /// Weighs an answer against the last one that made sense. What an operator took back since shrinks ends for good, so
    /// that a reading from before is no measure any more.
    #[must_use]
    pub fn of(answer: Result<Reading, OperatorError>, recent: &Recent, attempts: &[Attempt]) -> Self {
        let taken_back_at = attempts.iter().filter_map(|attempt| match &attempt.state {
            AttemptState::Reversed { at, .. } => Some(*at),
            _ => None,
        });
        let last = taken_back_at.max();
        let measure = recent.latest.as_ref().filter(|latest| last.is_none_or(|last| latest.read_at > last));
        match answer {
            Ok(reading) => match oddity(&reading, measure) {
                None => Self::Good(reading),
                Some(oddity) => Self::Odd(reading, oddity),
            },
            Err(_) => Self::Failed,
        }
    }
}

/// What is known of a card once this answer counts; `failures` are those in a row.
pub fn take(recent: &mut Recent, failures: &mut u32, seen: &Seen) {
    match seen {
        Seen::Good(reading) => {
            if let Some(before) = &recent.latest {
                busiest::learn(&mut recent.busiest, before, reading);
            }
            recent.previous = recent.latest.replace(reading.clone());
            recent.odd = None;
            *failures = 0;
        }
        Seen::Odd(reading, oddity) => {
            recent.odd = Some((reading.read_at, *oddity));
            *failures = 0;
        }
        Seen::Failed => *failures = failures.saturating_add(1),
        Seen::Nothing => {}
    }
}

/// Whether an answer may begin a cycle. One that takes no place leaves the two readings as they were, and what was counted
/// between them once would be counted again.
#[must_use]
pub const fn may_begin_cycle(seen: &Seen) -> bool {
    matches!(seen, Seen::Good(_))
}

/// From when a card is set aside after a restore: now, but never before the last order that is known of. A machine that
/// starts with a clock of 1970 would else be through with the wait as soon as its clock is set.
#[must_use]
pub fn set_aside_at(now: UnixTime, last_order_at: Option<UnixTime>) -> UnixTime {
    last_order_at.map_or(now, |ordered_at| ordered_at.max(now))
}

/// Whether a card that was set aside after a restore is confirmed: two readings, both taken more than 26 hours after,
/// agree. By then whatever was bought shortly before the restore shows. That so much time has passed must also be the word
/// of an operator's clock: `last_seen` is the latest time that one of theirs and ours have both reached.
#[must_use]
pub fn confirmed(recent: &Recent, set_aside_at: UnixTime, last_seen: UnixTime, now: UnixTime) -> bool {
    let (Some(latest), Some(previous)) = (&recent.latest, &recent.previous) else { return false };
    let agree = gates::reading_gate(Some(latest), Some(previous), latest.read_at).is_none();
    // A reading that was taken later than one after it, or than now, was taken by a clock that ran ahead.
    let in_order = previous.read_at <= latest.read_at && latest.read_at <= now;
    let is_over = |at: UnixTime| at.since(set_aside_at) > QUARANTINE_LASTS;
    agree && in_order && is_over(previous.read_at) && is_over(last_seen)
}

/// When the card is read again: as assessed, sooner after a failure or while a renewal is to begin.
#[must_use]
pub fn next_poll(assessed: UnixTime, card: CardId, failures: u32, renews: bool, now: UnixTime) -> UnixTime {
    let mut next = assessed;
    if renews {
        next = next.min(now.plus(RENEWAL_LOOKS_AGAIN));
    }
    if failures > 0 {
        let wait = retry::next_reading(failures, card.0.unsigned_abs());
        next = next.min(now.plus(wait.max(FAILED_AGAIN_MIN)));
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reading::CardState;
    use crate::domain::testing::{NOW, reading};
    use crate::domain::time::End;

    #[test]
    fn only_a_reading_that_makes_sense_takes_the_place_of_the_one_before() {
        let (mut recent, mut failures) = (Recent::default(), 0);
        let later = |secs| Reading { read_at: NOW.plus(Secs(secs)), as_of: NOW.plus(Secs(secs)), ..reading(5) };
        for seen in [Seen::Failed, Seen::Failed] {
            take(&mut recent, &mut failures, &seen);
        }
        assert_eq!(failures, 2);
        let first = Seen::of(Ok(later(0)), &recent, &[]);
        take(&mut recent, &mut failures, &first);
        assert_eq!((failures, recent.latest.clone()), (0, Some(later(0))));
        let odd = Seen::of(Ok(Reading { allowances: reading(-5).allowances, ..later(1) }), &recent, &[]);
        assert!(matches!(odd, Seen::Odd(..)));
        take(&mut recent, &mut failures, &odd);
        assert_eq!(recent.latest, Some(later(0)));
        assert!(recent.odd.is_some());
        take(&mut recent, &mut failures, &Seen::Good(later(2)));
        assert_eq!((recent.previous, recent.odd), (Some(later(0)), None));
    }

    #[test]
    fn an_end_that_shrank_is_odd_unless_the_operator_took_a_purchase_back() {
        let ends = |secs, days| Reading {
            plan_ends: Some(End::at(NOW.plus(Secs::days(days)))),
            ..Reading::empty(NOW.plus(Secs(secs)), CardState::Active)
        };
        let recent = Recent { latest: Some(ends(0, 90)), ..Recent::default() };
        let reversed = |secs| {
            crate::domain::testing::attempt(AttemptState::Reversed { at: NOW.plus(Secs(secs)), why: String::new() })
        };
        assert!(matches!(Seen::of(Ok(ends(9, 30)), &recent, &[]), Seen::Odd(..)));
        assert!(matches!(Seen::of(Ok(ends(9, 30)), &recent, &[reversed(-1)]), Seen::Odd(..)), "long ago");
        assert!(matches!(Seen::of(Ok(ends(9, 30)), &recent, &[reversed(1)]), Seen::Good(_)));
    }

    #[test]
    fn a_card_is_confirmed_by_two_readings_that_agree_more_than_26_hours_after() {
        let at =
            |hours: i64, secs: i64| Reading::empty(NOW.plus(Secs::hours(hours)).plus(Secs(secs)), CardState::Active);
        let recent = |previous: Reading, latest: Reading| Recent {
            latest: Some(latest),
            previous: Some(previous),
            odd: None,
            ..Recent::default()
        };
        let late = at(30, 0).read_at;
        let confirmed = |recent: &Recent| confirmed(recent, NOW, late, late);
        assert!(!confirmed(&Recent::default()));
        assert!(!confirmed(&recent(at(26, 0), at(30, 0))));
        assert!(confirmed(&recent(at(26, 1), at(30, 0))));
        assert!(!confirmed(&recent(at(20 * 24, 0), at(1, 0))), "the first was read by a clock that ran ahead");
        assert!(!confirmed(&recent(at(26, 1), at(30, 1))), "both were");
        let good = recent(at(26, 1), at(30, 0));
        assert!(!super::confirmed(&good, NOW, at(26, 0).read_at, late), "no operator's clock has said so");
        let moved = Reading { plan_ends: Some(End::at(NOW)), ..at(30, 0) };
        assert!(!confirmed(&recent(at(27, 0), moved)), "they disagree");
    }

    #[test]
    fn a_clock_that_is_not_set_yet_does_not_shorten_the_wait_after_a_restore() {
        let in_1970 = UnixTime::clamped(9);
        assert_eq!(set_aside_at(NOW, None), NOW);
        assert_eq!(set_aside_at(NOW, Some(in_1970)), NOW);
        assert_eq!(set_aside_at(in_1970, Some(NOW)), NOW);
    }

    #[test]
    fn a_failure_or_a_renewal_brings_the_next_reading_forward_and_never_back() {
        let (far, near) = (NOW.plus(Secs::days(1)), NOW.plus(Secs(10)));
        let next = |assessed, failures, renews| next_poll(assessed, CardId(1), failures, renews, NOW);
        assert_eq!(next(far, 0, false), far);
        assert_eq!(next(far, 0, true), NOW.plus(RENEWAL_LOOKS_AGAIN));
        assert_eq!(next(far, 1, false), NOW.plus(FAILED_AGAIN_MIN));
        assert!(next(far, 7, false) > NOW.plus(Secs::minutes(50)));
        assert_eq!(next(near, 7, true), near);
    }
}
