//! The kinds of notices: what each is called, whether it can wait, and for how long it is worth sending.

use serde::{Deserialize, Serialize};

use super::severity::Severity;
use super::time::Secs;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// Something ends or runs low soon.
    DueSoon,
    /// A card may not be renewed in time any more.
    LastSafe,
    /// Something was bought and its effect was seen.
    Bought,
    /// A purchase failed for certain.
    Failed,
    /// The result of a purchase is not known.
    Unknown,
    /// What was unknown is settled.
    SettledLate,
    /// A person must decide.
    Asked,
    /// A card was paused or goes on.
    Paused,
    /// The rules file has errors; the old rules stay.
    RulesProblem,
    /// The record is damaged, or its copies are old.
    RecordProblem,
    /// A wallet will not cover a coming purchase.
    WalletLow,
    /// An operator lists cards that were not known; they were added.
    CardsFound,
    /// What waited for the end of quiet hours.
    Held,
    /// All cards of one person at a glance, as often as they want it.
    Digest,
    /// A trial of the channel.
    Test,
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::DueSoon,
        Self::LastSafe,
        Self::Bought,
        Self::Failed,
        Self::Unknown,
        Self::SettledLate,
        Self::Asked,
        Self::Paused,
        Self::RulesProblem,
        Self::RecordProblem,
        Self::WalletLow,
        Self::CardsFound,
        Self::Held,
        Self::Digest,
        Self::Test,
    ];

    /// The word in the record and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DueSoon => "due_soon",
            Self::LastSafe => "last_safe",
            Self::Bought => "bought",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::SettledLate => "settled_late",
            Self::Asked => "asked",
            Self::Paused => "paused",
            Self::RulesProblem => "rules_problem",
            Self::RecordProblem => "record_problem",
            Self::WalletLow => "wallet_low",
            Self::CardsFound => "cards_found",
            Self::Held => "held",
            Self::Digest => "digest",
            Self::Test => "test",
        }
    }

    /// How much it usually matters.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::LastSafe
            | Self::Failed
            | Self::Unknown
            | Self::Asked
            | Self::RulesProblem
            | Self::RecordProblem
            | Self::Test => Severity::Urgent,
            Self::DueSoon | Self::WalletLow => Severity::Warning,
            Self::Bought | Self::SettledLate | Self::Paused | Self::CardsFound | Self::Held | Self::Digest => {
                Severity::News
            }
        }
    }

    /// Whether it usually goes out before others, and through quiet hours.
    #[must_use]
    pub const fn is_urgent(self) -> bool {
        matches!(self.severity(), Severity::Urgent)
    }

    /// After this long an undelivered notice is no longer worth sending.
    #[must_use]
    pub const fn expires_after(self) -> Secs {
        match self {
            Self::Test => Secs::HOUR,
            Self::DueSoon
            | Self::LastSafe
            | Self::Paused
            | Self::RulesProblem
            | Self::WalletLow
            | Self::CardsFound
            | Self::Digest => Secs::days(7),
            Self::Bought
            | Self::Failed
            | Self::Unknown
            | Self::SettledLate
            | Self::Asked
            | Self::RecordProblem
            | Self::Held => Secs::days(30),
        }
    }
}
