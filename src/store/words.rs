//! The words by which closed sets stand in the record. A match over the enum keeps them whole: a new variant does not
//! build until it has a word here. The place in the list is the code in packed readings, so lists only grow at the end.

use crate::domain::attempt::{Question, StateName};
use crate::domain::card::Keeper;
use crate::domain::digest::Span;
use crate::domain::notice::NoticeKind;
use crate::domain::operator::{Doubt, RefusalKind, Stacking};
use crate::domain::reading::{AllowanceState, CardState, EndKind, Renewable};
use crate::domain::receipt::Fate;

/// A value with a word for the record.
pub(super) trait Word: Sized + Copy + PartialEq + 'static {
    /// All of them; new ones at the end.
    const ALL: &'static [Self];

    /// The word.
    fn word(self) -> &'static str;

    /// The value of a word.
    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.word() == word)
    }

    /// The place in the list.
    fn code(self) -> u8 {
        // Every list here is far shorter than 256, and holds every variant.
        Self::ALL.iter().position(|value| *value == self).unwrap_or(0) as u8
    }

    /// The value at a place in the list.
    fn of_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

macro_rules! words {
    ($($type:ty { $($variant:ident = $word:literal),+ $(,)? })+) => {$(
        impl Word for $type {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    )+};
}

words! {
    Keeper { File = "file", Command = "command" }
    CardState {
        Unknown = "unknown", NotInstalled = "not_installed", NotActive = "not_active", Active = "active",
        Finished = "finished", Expired = "expired", Blocked = "blocked", Recycled = "recycled",
    }
    Renewable { Yes = "yes", OneOff = "one_off", Unknown = "unknown" }
    AllowanceState { Queued = "queued", Active = "active", Finished = "finished", Expired = "expired" }
    Fate { Delivered = "delivered", Failed = "failed", Expired = "expired" }
    EndKind { Plan = "plan", Credit = "credit", Number = "number" }
    Stacking { Queues = "queues", Extends = "extends", Beside = "beside", Unknown = "unknown" }
    Doubt {
        TimedOut = "timed_out", Broken = "broken", ServerError = "server_error", Redirected = "redirected",
        Throttled = "throttled", Unreadable = "unreadable", Unproven = "unproven", UnlistedCode = "unlisted_code",
        AlreadyUsed = "already_used", ProcessEnded = "process_ended", PendingLost = "pending_lost",
    }
    Question {
        NoEvidence = "no_evidence", KeyWindowOver = "key_window_over", EndNear = "end_near",
        Contradiction = "contradiction", EffectMissing = "effect_missing", Restored = "restored",
    }
    RefusalKind {
        WalletEmpty = "wallet_empty", PaymentDeclined = "payment_declined", PlanGone = "plan_gone",
        Passing = "passing", CardDead = "card_dead", CardData = "card_data", NotActive = "not_active",
        Access = "access", BadCode = "bad_code", Other = "other",
    }
}

impl Word for StateName {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for Span {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for NoticeKind {
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<T: Word + std::fmt::Debug>() {
        for value in T::ALL {
            assert_eq!(T::of_word(value.word()), Some(*value));
            assert_eq!(T::of_code(value.code()), Some(*value));
        }
        assert_eq!(T::of_word("no such word"), None);
        assert_eq!(T::of_code(200), None);
    }

    #[test]
    fn every_word_leads_back_to_its_value() {
        round_trip::<CardState>();
        round_trip::<Renewable>();
        round_trip::<AllowanceState>();
        round_trip::<EndKind>();
        round_trip::<Doubt>();
        round_trip::<Question>();
        round_trip::<RefusalKind>();
        round_trip::<StateName>();
        round_trip::<NoticeKind>();
        round_trip::<Span>();
    }
}
