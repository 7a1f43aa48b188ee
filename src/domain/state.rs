//! The states of an attempt; each variant holds what is true in it, and the record's CHECKs say the same.

use serde::{Deserialize, Serialize};

use super::gates::WALLET_SHORT_WORDS;
use super::money::Money;
use super::operator::{Doubt, OrderKey, Refusal};
use super::time::UnixTime;

/// What is known of an order that may have left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Its key.
    pub key: OrderKey,
    /// When its first byte could have left.
    pub first_sent_at: UnixTime,
    /// How often it was sent; more than once only where the operator honours the key.
    pub send_count: u32,
}

/// What look-ups have shown so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Look-ups tried.
    pub lookups: u32,
    /// Clean answers without the order.
    pub clean_negatives: u32,
}

/// What a person is asked about an order that cannot be settled by evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Nothing can be looked up, and two days of readings show no change.
    NoEvidence,
    /// The time in which the operator honours the key is over, and it cannot be looked up.
    KeyWindowOver,
    /// The card ends soon and the order is still unknown.
    EndNear,
    /// Evidence contradicts itself: the card changed although the operator does not know the order, or by more than the
    /// plan explains.
    Contradiction,
    /// The operator took the order, but a day later nothing shows on the card.
    EffectMissing,
    /// The database was restored: this order may have happened differently.
    Restored,
}

/// Why an attempt was given up before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenUp {
    /// A gate said no; its reason in words for the record.
    Gate(String),
    /// A person said no.
    Person {
        /// Who.
        by: String,
        /// Why, in the person's words.
        reason: String,
    },
    /// The need is gone: the card shows it.
    NotNeeded,
}

impl GivenUp {
    /// Whether the account's wallet held less than the price.
    #[must_use]
    pub fn is_short_wallet(&self) -> bool {
        matches!(self, Self::Gate(words) if words.starts_with(WALLET_SHORT_WORDS))
    }
}

/// Where an attempt stands; each variant holds what is true in it. The first six are open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum AttemptState {
    /// Decided; nothing has left.
    Planned {
        /// When it goes on.
        next_at: UnixTime,
    },
    /// On its way: the intent is on disk, the order may have left.
    Sending {
        /// The order.
        sent: Sent,
    },
    /// The operator works on it.
    Pending {
        /// The order.
        sent: Sent,
        /// The operator's id.
        order_id: String,
        /// Look-ups.
        tally: Tally,
        /// When to ask again.
        next_at: UnixTime,
    },
    /// The operator took it; the effect is still to be seen.
    Accepted {
        /// The order; none if a person settled it.
        sent: Sent,
        /// The operator's id.
        order_id: Option<String>,
        /// What was charged, where it tells.
        charged: Option<Money>,
        /// When it was known to be taken.
        accepted_at: UnixTime,
        /// When to read the card again.
        next_at: UnixTime,
    },
    /// Nobody knows.
    Unknown {
        /// The order.
        sent: Sent,
        /// The operator's id, if it ever told one.
        order_id: Option<String>,
        /// Why.
        doubt: Doubt,
        /// Look-ups.
        tally: Tally,
        /// When to look again.
        next_at: UnixTime,
    },
    /// A person is asked; looking goes on.
    Human {
        /// The order.
        sent: Sent,
        /// The operator's id, if it ever told one.
        order_id: Option<String>,
        /// What is asked.
        question: Question,
        /// When it was asked first.
        asked_at: UnixTime,
        /// Look-ups.
        tally: Tally,
        /// When to look again.
        next_at: UnixTime,
    },
    /// A reading showed the effect.
    Done {
        /// When.
        at: UnixTime,
        /// The operator's id.
        order_id: Option<String>,
        /// What was charged, where it tells.
        charged: Option<Money>,
    },
    /// Certainly not taken, by the operator's word.
    Refused {
        /// When.
        at: UnixTime,
        /// What it said.
        refusal: Refusal,
    },
    /// Certainly not taken, by clean look-ups after the longest time.
    Absent {
        /// When.
        at: UnixTime,
    },
    /// Given up before anything was sent, or by a person.
    Abandoned {
        /// When.
        at: UnixTime,
        /// Why.
        why: GivenUp,
    },
    /// Taken, and taken back by the operator.
    Reversed {
        /// When.
        at: UnixTime,
        /// What it said, tamed.
        why: String,
    },
}

/// The name of a state, as the record has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    /// See [`AttemptState::Planned`].
    Planned,
    /// See [`AttemptState::Sending`].
    Sending,
    /// See [`AttemptState::Pending`].
    Pending,
    /// See [`AttemptState::Accepted`].
    Accepted,
    /// See [`AttemptState::Unknown`].
    Unknown,
    /// See [`AttemptState::Human`].
    Human,
    /// See [`AttemptState::Done`].
    Done,
    /// See [`AttemptState::Refused`].
    Refused,
    /// See [`AttemptState::Absent`].
    Absent,
    /// See [`AttemptState::Abandoned`].
    Abandoned,
    /// See [`AttemptState::Reversed`].
    Reversed,
}

impl StateName {
    /// All of them, open ones first.
    pub const ALL: [Self; 11] = [
        Self::Planned,
        Self::Sending,
        Self::Pending,
        Self::Accepted,
        Self::Unknown,
        Self::Human,
        Self::Done,
        Self::Refused,
        Self::Absent,
        Self::Abandoned,
        Self::Reversed,
    ];

    /// The word in the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Unknown => "unknown",
            Self::Human => "human",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Absent => "absent",
            Self::Abandoned => "abandoned",
            Self::Reversed => "reversed",
        }
    }

    /// Whether an attempt in this state still needs work; a card has at most one such.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Planned | Self::Sending | Self::Pending | Self::Accepted | Self::Unknown | Self::Human => true,
            Self::Done | Self::Refused | Self::Absent | Self::Abandoned | Self::Reversed => false,
        }
    }

    /// Whether its money counts against the limits: everything that was or may have been charged.
    #[must_use]
    pub const fn counts_as_spent(self) -> bool {
        match self {
            Self::Planned
            | Self::Sending
            | Self::Pending
            | Self::Accepted
            | Self::Unknown
            | Self::Human
            | Self::Done
            | Self::Reversed => true,
            Self::Refused | Self::Absent | Self::Abandoned => false,
        }
    }
}

impl AttemptState {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> StateName {
        match self {
            Self::Planned { .. } => StateName::Planned,
            Self::Sending { .. } => StateName::Sending,
            Self::Pending { .. } => StateName::Pending,
            Self::Accepted { .. } => StateName::Accepted,
            Self::Unknown { .. } => StateName::Unknown,
            Self::Human { .. } => StateName::Human,
            Self::Done { .. } => StateName::Done,
            Self::Refused { .. } => StateName::Refused,
            Self::Absent { .. } => StateName::Absent,
            Self::Abandoned { .. } => StateName::Abandoned,
            Self::Reversed { .. } => StateName::Reversed,
        }
    }

    /// When it is due for work; none once it is closed. An order on its way has no time: its sender works on it, and a
    /// restart finds it.
    #[must_use]
    pub const fn next_at(&self) -> Option<UnixTime> {
        match self {
            Self::Planned { next_at }
            | Self::Pending { next_at, .. }
            | Self::Accepted { next_at, .. }
            | Self::Unknown { next_at, .. }
            | Self::Human { next_at, .. } => Some(*next_at),
            Self::Sending { .. }
            | Self::Done { .. }
            | Self::Refused { .. }
            | Self::Absent { .. }
            | Self::Abandoned { .. }
            | Self::Reversed { .. } => None,
        }
    }

    /// The order that may have left, while the attempt is open.
    #[must_use]
    pub const fn sent(&self) -> Option<&Sent> {
        match self {
            Self::Sending { sent }
            | Self::Pending { sent, .. }
            | Self::Accepted { sent, .. }
            | Self::Unknown { sent, .. }
            | Self::Human { sent, .. } => Some(sent),
            Self::Planned { .. }
            | Self::Done { .. }
            | Self::Refused { .. }
            | Self::Absent { .. }
            | Self::Abandoned { .. }
            | Self::Reversed { .. } => None,
        }
    }

    /// The operator's id of the order, if it is known.
    #[must_use]
    pub fn order_id(&self) -> Option<&str> {
        match self {
            Self::Pending { order_id, .. } => Some(order_id),
            Self::Accepted { order_id, .. }
            | Self::Unknown { order_id, .. }
            | Self::Human { order_id, .. }
            | Self::Done { order_id, .. } => order_id.as_deref(),
            Self::Planned { .. }
            | Self::Sending { .. }
            | Self::Refused { .. }
            | Self::Absent { .. }
            | Self::Abandoned { .. }
            | Self::Reversed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{NOW, every_state, sent};

    #[test]
    fn each_state_has_its_name_and_each_name_its_word() {
        let names: Vec<StateName> = every_state().iter().map(AttemptState::name).collect();
        assert_eq!(names, StateName::ALL);
        let words: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        assert_eq!(
            words.join(" "),
            "planned sending pending accepted unknown human done refused absent abandoned reversed"
        );
        for name in StateName::ALL {
            assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        }
    }

    #[test]
    fn open_states_come_first_and_all_that_may_be_charged_counts() {
        for (place, state) in every_state().iter().enumerate() {
            let (name, open) = (state.name(), place < 6);
            assert_eq!(name.is_open(), open, "{name:?}");
            let freed = matches!(name.as_str(), "refused" | "absent" | "abandoned");
            assert_eq!(name.counts_as_spent(), !freed, "{name:?}");
            assert_eq!(state.next_at().is_some(), open && name != StateName::Sending, "{name:?}");
            assert_eq!(state.sent().is_some(), open && name != StateName::Planned, "{name:?}");
        }
    }

    #[test]
    fn the_operators_id_is_kept_where_it_is_known() {
        let ids: Vec<Option<String>> = every_state().iter().map(|state| state.order_id().map(str::to_owned)).collect();
        let known: Vec<usize> = (0..11).filter(|place| ids[*place].is_some()).collect();
        assert_eq!(known, [2, 6]);
        let human = AttemptState::Human {
            sent: sent(),
            order_id: Some("o-9".into()),
            question: Question::EndNear,
            asked_at: NOW,
            tally: Tally::default(),
            next_at: NOW,
        };
        assert_eq!(human.order_id(), Some("o-9"));
    }
}
