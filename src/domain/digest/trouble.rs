//! What a digest says first: cards that need a person, and for what.

use serde::{Deserialize, Serialize};

use crate::domain::assess::Verdict;
use crate::domain::attempt::{Attempt, AttemptId, StateName};
use crate::domain::card::Name;
use crate::domain::money::Money;
use crate::domain::time::UnixTime;

/// What is wrong with a card, or waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Somebody has to say what became of an order.
    Settle(AttemptId),
    /// Somebody has to say yes or no.
    Decide {
        /// To which purchase.
        attempt: AttemptId,
        /// What would be bought.
        plan: String,
        /// For how much.
        price: Money,
    },
    /// It is due, and something that a person must change stands in the way.
    Blocked,
    /// It cannot be renewed.
    CannotRenew,
    /// It has not been read in time.
    Unread {
        /// When it was read last, if ever.
        read_at: Option<UnixTime>,
        /// The account that reads it.
        account: Name,
    },
    /// It is due, and its rule only watches.
    Watched,
    /// It is due, and paused.
    Paused,
    /// The result of an order is not known yet; it is looked for.
    Unknown,
}

/// What is known of a card, for telling its trouble.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// What its rule concluded.
    pub verdict: Verdict,
    /// The attempt that is open.
    pub open: Option<&'a Attempt>,
    /// Whether a person was asked about it.
    pub asked: bool,
    /// Whether its last reading is too old, or there is none.
    pub is_old: bool,
    /// When it was read last.
    pub read_at: Option<UnixTime>,
    /// The account that reads it.
    pub account: &'a Name,
}

impl Trouble {
    /// The trouble of a card, if it has any.
    #[must_use]
    pub fn of(look: &Look<'_>) -> Option<Self> {
        match (look.verdict, look.open) {
            (Verdict::Retired, _) => None,
            (Verdict::Open { state: StateName::Human }, Some(open)) => Some(Self::Settle(open.id)),
            (Verdict::Open { state: StateName::Planned }, Some(open)) if look.asked => {
                Some(Self::Decide { attempt: open.id, plan: open.plan.name.clone(), price: open.plan.price })
            }
            (Verdict::Open { state: StateName::Unknown }, _) => Some(Self::Unknown),
            (Verdict::Open { .. }, _) => None,
            _ if look.is_old => Some(look.unread()),
            (Verdict::Stale, _) => Some(look.unread()),
            (Verdict::Blocked, _) => Some(Self::Blocked),
            (Verdict::CannotRenew, _) => Some(Self::CannotRenew),
            (Verdict::Watch, _) => Some(Self::Watched),
            (Verdict::Paused, _) => Some(Self::Paused),
            (Verdict::Fine | Verdict::Renew | Verdict::Ask | Verdict::Wait { .. } | Verdict::OutsideDates, _) => None,
        }
    }

    /// What needs a person most comes first.
    #[must_use]
    pub const fn rank(&self) -> u8 {
        match self {
            Self::Settle(_) => 0,
            Self::Decide { .. } => 1,
            Self::Blocked => 2,
            Self::CannotRenew => 3,
            Self::Unread { .. } => 4,
            Self::Watched => 5,
            Self::Paused => 6,
            Self::Unknown => 7,
        }
    }

    /// Whether nothing goes on until a person does something.
    #[must_use]
    pub const fn needs_person(&self) -> bool {
        match self {
            Self::Settle(_)
            | Self::Decide { .. }
            | Self::Blocked
            | Self::CannotRenew
            | Self::Unread { .. }
            | Self::Watched
            | Self::Paused => true,
            Self::Unknown => false,
        }
    }
}

impl Look<'_> {
    fn unread(&self) -> Trouble {
        Trouble::Unread { read_at: self.read_at, account: self.account.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{NOW, attempt, every_state};

    #[test]
    fn only_what_waits_for_a_person_or_is_not_known_is_a_trouble() {
        let account = Name::parse("airalo").unwrap();
        let open = attempt(every_state()[0].clone());
        let of = |verdict, asked, is_old| {
            Trouble::of(&Look { verdict, open: Some(&open), asked, is_old, read_at: Some(NOW), account: &account })
        };
        let planned = Verdict::Open { state: StateName::Planned };
        assert!(matches!(of(planned, true, true), Some(Trouble::Decide { .. })));
        assert_eq!(of(planned, false, false), None);
        assert_eq!(of(Verdict::Open { state: StateName::Human }, false, false), Some(Trouble::Settle(open.id)));
        assert_eq!(of(Verdict::Open { state: StateName::Unknown }, false, true), Some(Trouble::Unknown));
        let unread = Some(Trouble::Unread { read_at: Some(NOW), account: account.clone() });
        assert_eq!((of(Verdict::Fine, false, true), of(Verdict::Stale, false, false)), (unread.clone(), unread));
        for quiet in [Verdict::Fine, Verdict::Renew, Verdict::Wait { until: NOW }, Verdict::OutsideDates] {
            assert_eq!(of(quiet, false, false), None, "{quiet:?}");
        }
        assert_eq!(of(Verdict::Retired, false, true), None);
        let mut sorted = [Trouble::Unknown, Trouble::Blocked, Trouble::Settle(open.id)];
        sorted.sort_by_key(Trouble::rank);
        assert_eq!(sorted, [Trouble::Settle(open.id), Trouble::Blocked, Trouble::Unknown]);
        assert!(sorted[0].needs_person() && !sorted[2].needs_person());
    }
}
