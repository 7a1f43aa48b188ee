//! A notice: one message to one recipient over one channel, and the story it tells.

use serde::{Deserialize, Serialize};

use super::attempt::{AskWhy, AttemptId, Question, Snapshot};
use super::card::{CardId, Name};
use super::course::Course;
use super::cover::Reckoning;
use super::digest::Digest;
pub use super::language::Language;
use super::last_safe::LastSafe;
use super::money::Money;
pub use super::notice_kind::NoticeKind;
use super::operator::{Doubt, Refusal};
use super::plan::Plan;
use super::reading::{EndKind, Renewable};
use super::record::RecordProblem;
use super::rule::{Line, Trigger};
use super::time::{End, Secs, UnixTime};
use super::unanswered::Fallback;
use super::wallet::WalletLow;

/// The row of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NoticeId(pub i64);

/// What makes a notice one and the same; a second one with the same key is not queued.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DedupKey {
    /// What it is about.
    pub kind: NoticeKind,
    /// The card; none for notices about the daemon itself.
    pub card: Option<CardId>,
    /// The card's cycle.
    pub cycle: u32,
    /// What tells two notices of one kind and cycle apart: `plan:7d`, `attempt:12`, a digest of the rules file.
    pub step: String,
}

/// How a card is named in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardFacts {
    /// The owner's name for it.
    pub name: Name,
    /// The account.
    pub account: Name,
    /// Its phone number or ICCID, shortened.
    pub number: Option<String>,
    /// The IANA name of the zone whose days count for it.
    pub zone: String,
}

/// What happened, with the facts a person needs; texts are made from it in `notify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The card; none for stories about the daemon itself.
    pub card: Option<CardFacts>,
    /// When.
    pub at: UnixTime,
    /// What.
    pub event: Event,
    /// How what the card holds went before, where that is worth a look.
    #[serde(skip)]
    pub course: Option<Course>,
    /// That it was told before, and why it is told again.
    #[serde(skip)]
    pub retold: Option<Retold>,
}

/// Why something is told that was told before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retold {
    /// When it was told first.
    pub first: UnixTime,
    /// What led to it.
    pub why: RetoldWhy,
}

/// What leads to something being told again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetoldWhy {
    /// It is still so, and nobody has said that they take care of it.
    StillSo,
    /// This person was told and has not reacted.
    NoReaction(Name),
    /// This person could not be reached over any way, or over the one before.
    Unreached(Name),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// Something ends or runs low soon.
    DueSoon {
        /// What.
        due: Due,
        /// What the daemon will do about it.
        next: NextStep,
        /// The card as last read.
        now: Snapshot,
    },
    /// The last moment at which a renewal could surely begin in time has passed.
    LastSafe {
        /// When it was, and what is lost.
        last: LastSafe,
        /// What the daemon will do about it.
        next: NextStep,
        /// The card as last read.
        now: Snapshot,
    },
    /// A purchase took effect.
    Bought {
        /// Which attempt.
        attempt: AttemptId,
        /// What.
        plan: Plan,
        /// What it was chosen by, where the rule looked ahead.
        reckoning: Option<Box<Reckoning>>,
        /// What was charged.
        charged: Money,
        /// The operator's order number.
        order_id: Option<String>,
        /// The card before.
        before: Snapshot,
        /// The card after.
        after: Box<Snapshot>,
        /// The rule and line that caused it; none if a person did.
        cause: Option<(Name, Line)>,
        /// Who agreed to it, if somebody had to.
        agreed_by: Option<String>,
        /// What this month's limit leaves.
        month_left: Option<Money>,
    },
    /// A purchase failed for certain, or was not begun although it is due.
    Failed {
        /// Which attempt.
        attempt: Option<AttemptId>,
        /// What was to be bought.
        plan: Option<Plan>,
        /// Why.
        why: FailedWhy,
        /// When it is tried again by itself.
        next_try: Option<UnixTime>,
        /// Whom to ask.
        support: Option<String>,
    },
    /// The result is not known.
    Unknown {
        /// Which attempt.
        attempt: AttemptId,
        /// What.
        plan: Plan,
        /// When it was sent.
        sent_at: UnixTime,
        /// Why it is not known.
        doubt: Doubt,
    },
    /// What was unknown is settled.
    SettledLate {
        /// Which attempt.
        attempt: AttemptId,
        /// What.
        plan: Plan,
        /// When it was sent.
        sent_at: UnixTime,
        /// How.
        outcome: Settled,
    },
    /// A person must decide.
    Asked {
        /// Which attempt.
        attempt: AttemptId,
        /// What.
        plan: Plan,
        /// What it was chosen by, where the rule looked ahead.
        reckoning: Option<Box<Reckoning>>,
        /// What is asked.
        ask: Ask,
        /// When the rule decides by itself if nobody answers, and what.
        unanswered: Option<(UnixTime, Fallback)>,
        /// When the card ends, if it does.
        ends: Option<UnixTime>,
        /// How often this was asked before.
        reminders: u32,
        /// Whom to ask at the operator.
        support: Option<String>,
    },
    /// A card was paused or goes on.
    Paused {
        /// Who.
        by: String,
        /// Until when; none for "until resumed".
        until: Option<UnixTime>,
        /// Whether it goes on instead.
        resumed: bool,
    },
    /// The rules file has errors.
    RulesProblem {
        /// The file.
        file: String,
        /// How many errors.
        count: usize,
        /// The errors as `check` prints them, without colour.
        report: String,
    },
    /// The record is damaged, or its copies are old.
    RecordProblem(RecordProblem),
    /// A wallet will not cover a coming purchase.
    WalletLow(WalletLow),
    /// An operator lists cards that were not known; they were added.
    CardsFound {
        /// The account.
        account: Name,
        /// How many were added.
        count: usize,
        /// The rule that decides for them; none means that they are only read.
        rule: Option<Name>,
    },
    /// What waited for the end of somebody's quiet hours, in one message.
    Held {
        /// Each of them, as it was to be told.
        messages: Vec<HeldMessage>,
    },
    /// All cards of one person at a glance.
    Digest(Box<Digest>),
    /// A trial of the channel.
    Test {
        /// The channel.
        channel: String,
    },
}

/// A message that waited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldMessage {
    /// When it was made.
    pub at: UnixTime,
    /// What it is about.
    pub kind: NoticeKind,
    /// Its subject.
    pub subject: String,
}

impl Event {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> NoticeKind {
        match self {
            Self::DueSoon { .. } => NoticeKind::DueSoon,
            Self::LastSafe { .. } => NoticeKind::LastSafe,
            Self::Bought { .. } => NoticeKind::Bought,
            Self::Failed { .. } => NoticeKind::Failed,
            Self::Unknown { .. } => NoticeKind::Unknown,
            Self::SettledLate { .. } => NoticeKind::SettledLate,
            Self::Asked { .. } => NoticeKind::Asked,
            Self::Paused { .. } => NoticeKind::Paused,
            Self::RulesProblem { .. } => NoticeKind::RulesProblem,
            Self::RecordProblem(_) => NoticeKind::RecordProblem,
            Self::WalletLow(_) => NoticeKind::WalletLow,
            Self::CardsFound { .. } => NoticeKind::CardsFound,
            Self::Held { .. } => NoticeKind::Held,
            Self::Digest(_) => NoticeKind::Digest,
            Self::Test { .. } => NoticeKind::Test,
        }
    }
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// One of the three dates comes near.
    End {
        /// Which.
        which: EndKind,
        /// When.
        end: End,
        /// The step of `warn_before` that was reached.
        step: Secs,
    },
    /// A condition of the rule holds.
    Low {
        /// The condition.
        trigger: Trigger,
    },
    /// The card cannot be renewed.
    Dead {
        /// What the operator says.
        renewable: Renewable,
    },
}

impl Due {
    /// What tells it apart from others of its cycle.
    #[must_use]
    pub fn step(self) -> String {
        match self {
            Self::End { which, step, .. } => format!("{which:?}:{step}").to_lowercase(),
            Self::Low { trigger } => format!("low:{}", trigger.line),
            Self::Dead { .. } => "dead".to_owned(),
        }
    }
}

/// What the daemon will do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextStep {
    /// Buys by itself, not before this.
    Buys {
        /// The next instant inside the rule's hours.
        from: UnixTime,
    },
    /// Will ask.
    Asks,
    /// Only watches: a person must renew.
    OnlyWatches,
    /// Buys nothing, since the card is paused.
    IsPaused,
    /// Buys nothing, since the rule's last day is over or not yet there.
    OutsideDates,
    /// Nothing will be bought by itself: what stands in the way was told.
    IsBlocked,
    /// A new card is needed.
    CannotRenew,
}

/// Why a purchase did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailedWhy {
    /// The operator refused.
    Refused(Refusal),
    /// No connection could be made.
    NotSent(String),
    /// Look-ups show that it never arrived.
    NeverArrived,
    /// The operator took it back.
    Reversed(String),
    /// A gate or a limit says no.
    Held(super::gates::Gate),
    /// No plan of the rule's list is on sale for this card.
    NoPlan,
    /// Nobody answered in time, and the rule says not to buy then.
    Unanswered,
}

/// How an unknown purchase was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// It was taken.
    Bought,
    /// It was not taken; nothing was charged.
    NotBought,
}

/// What a person must decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Whether to buy: `approve` or `refuse`.
    Approve {
        /// Why the daemon does not decide by itself.
        why: AskWhy,
    },
    /// What became of an order: `settle`.
    Settle {
        /// What is asked.
        question: Question,
        /// When the order was sent.
        sent_at: UnixTime,
    },
}
