//! How a card is used, told from its readings, and how long what is left will last: use per day with a range, the days of
//! the week apart where they differ, and nothing at all until there is enough to tell it from.

mod days;
mod expected;
mod habit;
mod lasting;
#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use serde::Serialize;

use self::days::History;
pub(in crate::domain) use self::days::used;
pub(super) use self::expected::{Expected, Used};
pub use self::habit::{Confidence, Habit};
pub(super) use self::lasting::EIGHT_OF_TEN;
pub use self::lasting::{Lasting, Reaches, lasting, left_at};
use super::reading::{AllowanceKind, Reading};
use super::time::{Secs, UnixTime};

/// Use longer ago than this tells nothing: eight weeks hold each day of the week often enough.
pub const LOOKS_BACK: Secs = Secs::days(56);
/// Less than this of watched time tells nothing of the days to come.
const ENOUGH: Secs = Secs::days(1);

/// What is known of a card's use of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Forecast {
    /// Too little was seen to tell anything.
    Collecting {
        /// For how long use was seen.
        seen: Secs,
        /// For how long it must be seen.
        needed: Secs,
    },
    /// How it is used.
    Ready(Habit),
}

impl Forecast {
    /// What readings, oldest first, tell about the use of `kind`, with days as they are in `zone`.
    #[must_use]
    pub fn of(kind: AllowanceKind, past: &[Reading], zone: &TimeZone, now: UnixTime) -> Self {
        let since = now.minus(LOOKS_BACK);
        let history = History::of(kind, past.iter().filter(|reading| reading.as_of >= since), zone);
        let seen = history.seen();
        if seen < ENOUGH { Self::nothing_but(seen) } else { Self::Ready(Habit::of(&history)) }
    }

    /// A card of which nothing was seen.
    #[must_use]
    pub const fn unseen() -> Self {
        Self::nothing_but(Secs::ZERO)
    }

    const fn nothing_but(seen: Secs) -> Self {
        Self::Collecting { seen, needed: ENOUGH }
    }

    /// How it is used, if that can be told.
    #[must_use]
    pub const fn habit(&self) -> Option<&Habit> {
        match self {
            Self::Ready(habit) => Some(habit),
            Self::Collecting { .. } => None,
        }
    }
}
