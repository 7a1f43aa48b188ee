//! What becomes of a question about a purchase that nobody answers: it is put again at stated moments, and then the rule
//! decides, as it said beforehand.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::retry::REMIND_EVERY;
use super::time::{Secs, UnixTime};

/// An answer is waited for this long if nothing is said.
pub const WITHIN_USUAL: Secs = Secs::DAY;
/// Nobody is given less time than this.
pub const WITHIN_LEAST: Secs = Secs::HOUR;
/// So long before the card's first end nobody is waited for any more: what is bought must arrive in time.
const BEFORE_END: Secs = Secs::hours(2);

/// What a rule does when nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// Buys, at the price that was shown.
    Buy,
    /// Leaves it, for this renewal.
    Refuse,
}

impl Fallback {
    /// The word in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Refuse => "refuse",
        }
    }
}

/// How long a rule waits for an answer, and what it does then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unanswered {
    /// What it does.
    pub fallback: Fallback,
    /// How long it waits.
    pub within: Secs,
    /// How long before that it asks again, longest first.
    pub remind_before: Vec<Secs>,
}

impl Unanswered {
    /// When the rule decides about a question that was put at `asked_at`. `ends` is the card's first end.
    #[must_use]
    pub fn deadline(&self, asked_at: UnixTime, ends: Option<UnixTime>) -> UnixTime {
        let latest = asked_at.plus(self.within);
        let in_time = ends.filter(|ends| *ends > asked_at).map_or(latest, |ends| ends.minus(BEFORE_END));
        latest.min(in_time).max(asked_at.plus(WITHIN_LEAST))
    }

    /// When the question is looked at next: to be put again, or to be decided.
    #[must_use]
    pub fn next_look(&self, asked_at: UnixTime, ends: Option<UnixTime>, now: UnixTime) -> UnixTime {
        let deadline = self.deadline(asked_at, ends);
        let reminders = self.remind_before.iter().map(|before| deadline.minus(*before)).filter(|at| *at > now);
        let daily = now.plus(REMIND_EVERY);
        reminders.chain([daily, deadline.max(now)]).min().unwrap_or(daily)
    }

    /// How often the question was put again by `now`.
    #[must_use]
    pub fn reminders(&self, asked_at: UnixTime, ends: Option<UnixTime>, now: UnixTime) -> u32 {
        let deadline = self.deadline(asked_at, ends);
        let stated = self.remind_before.iter().map(|before| deadline.minus(*before));
        let passed = stated.filter(|at| (asked_at..=now).contains(at) && *at > asked_at).count();
        let days = now.since(asked_at).0.max(0) / REMIND_EVERY.0;
        u32::try_from(passed).unwrap_or(u32::MAX).saturating_add(u32::try_from(days).unwrap_or(u32::MAX))
    }
}

/// As part of a sentence, for `plan` and `explain`.
impl Display for Unanswered {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let what = match self.fallback {
            Fallback::Buy => "it is bought",
            Fallback::Refuse => "it is not bought",
        };
        write!(f, "if nobody answers within {}, {what}", self.within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::NOW;

    fn waits(hours: i64, remind_hours: &[i64]) -> Unanswered {
        let remind_before = remind_hours.iter().map(|hours| Secs::hours(*hours)).collect();
        Unanswered { fallback: Fallback::Buy, within: Secs::hours(hours), remind_before }
    }

    fn hour(count: i64) -> UnixTime {
        NOW.plus(Secs::hours(count))
    }

    #[test]
    fn nobody_is_waited_for_longer_than_stated_nor_until_the_card_ends() {
        let two_days = waits(48, &[]);
        for (ends, expected) in [
            (None, 48),
            (Some(100), 48),
            (Some(50), 48),
            (Some(49), 47),
            (Some(10), 8),
            (Some(3), 1),
            (Some(1), 1),
            (Some(-5), 48),
        ] {
            assert_eq!(two_days.deadline(NOW, ends.map(hour)), hour(expected), "{ends:?}");
        }
    }

    #[test]
    fn it_reminds_daily_and_at_the_stated_moments_and_then_decides() {
        let three_days = waits(72, &[12, 6]);
        let mut looks = vec![];
        let mut now = NOW;
        while now < three_days.deadline(NOW, None) {
            now = three_days.next_look(NOW, None, now);
            looks.push((now.since(NOW).0 / 3_600, three_days.reminders(NOW, None, now)));
        }
        assert_eq!(looks, [(24, 1), (48, 2), (60, 3), (66, 4), (72, 5)]);
        assert_eq!(three_days.next_look(NOW, None, hour(100)), hour(100), "what is over is decided at once");
        let soon = waits(1, &[12]);
        assert_eq!(soon.next_look(NOW, None, NOW), hour(1), "a moment before the question is none");
    }
}
