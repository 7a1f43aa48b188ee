//! An attempt: one order with one key, and the states it can be in. `step` moves it from one to the next.
//!
//! ```text
//! planned ──T4──▶ sending ──T5──▶ pending ──T14─▶ accepted ──T15─▶ done
//!    │ T3            │ T6            │ T14           │ T16
//!    ▼               ▼               ▼               ▼
//! abandoned       refused         unknown ─T13─▶  human ─T19─▶ accepted · absent · abandoned
//!                    ▲   T10         │ T12
//!                    └───────────────┴──────▶ absent            any open or done ──T17─▶ reversed
//! ```

use serde::{Deserialize, Serialize};

use super::card::{CardId, Name};
use super::cover::Reckoning;
use super::data::DataSize;
use super::money::Money;
use super::operator::{OrderKey, SentOrder};
use super::plan::Plan;
use super::reading::{AssetId, Reading};
use super::rule::Line;
pub use super::state::{AttemptState, GivenUp, Question, Sent, StateName, Tally};
use super::time::{Secs, UnixTime};

/// The row of an attempt; what people name in `approve`, `refuse` and `settle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptId(pub i64);

/// Why an attempt exists: the rule's line, or a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A rule's condition held.
    Rule {
        /// The rule.
        rule: Name,
        /// The line of the condition.
        line: Line,
    },
    /// A person said `renew`.
    Person {
        /// Who.
        by: String,
    },
    /// A line of the order journal that the database did not know.
    Journal,
}

/// Whether a person must agree first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// The rule may buy by itself.
    NotNeeded,
    /// A person was asked.
    Asked {
        /// When.
        at: UnixTime,
        /// Why the daemon does not go on by itself.
        why: AskWhy,
    },
    /// A person agreed, to this plan at this price.
    Given {
        /// Who.
        by: String,
        /// When.
        at: UnixTime,
    },
}

/// Why a person is asked before a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskWhy {
    /// The rule's mode is `ask`.
    Mode,
    /// The plan is dearer than last time.
    Dearer {
        /// What it cost before.
        before: Money,
    },
    /// It costs more than the rule buys without asking.
    Above {
        /// The rule's `ask_above`.
        limit: Money,
    },
    /// Its price cannot be held against what the rule buys without asking: no rate is stated between the currencies.
    NoRate {
        /// The rule's `ask_above`.
        limit: Money,
    },
    /// Name, contents or validity differ from what was decided.
    Differs,
}

/// What the card was like before the purchase; the effect is judged against it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The plans on the card.
    pub assets: Vec<AssetId>,
    /// The plan's end.
    pub plan_ends: Option<UnixTime>,
    /// The credit's end.
    pub credit_ends: Option<UnixTime>,
    /// The number's end.
    pub number_ends: Option<UnixTime>,
    /// Data left in bytes.
    pub data_left: Option<u64>,
    /// Credit left.
    pub credit: Option<Money>,
}

impl Snapshot {
    /// What a reading says, for comparison later.
    #[must_use]
    pub fn of(reading: &Reading) -> Self {
        Self {
            assets: reading.assets.clone(),
            plan_ends: reading.plan_ends.map(|end| end.at),
            credit_ends: reading.credit_ends.map(|end| end.at),
            number_ends: reading.number_ends.map(|end| end.at),
            data_left: reading.data_left().map(DataSize::bytes),
            credit: reading.credit(),
        }
    }

    /// How far back plans that have left the card are looked for: an answer from the operator's cache may bring them back,
    /// and they would be taken for what was ordered.
    #[must_use]
    pub const fn looks_back(cached_for: Secs) -> Secs {
        Secs(cached_for.0.saturating_mul(2))
    }

    /// The same, with plans that were on the card lately.
    #[must_use]
    pub fn with_lately<'a>(mut self, lately: impl IntoIterator<Item = &'a AssetId>) -> Self {
        for asset in lately {
            if !self.assets.contains(asset) {
                self.assets.push(asset.clone());
            }
        }
        self
    }
}

/// One order with one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// Its row.
    pub id: AttemptId,
    /// The card.
    pub card: CardId,
    /// The need: counts up when an effect is seen.
    pub cycle: u32,
    /// Which attempt of this cycle, from 1.
    pub number: u32,
    /// The account that buys.
    pub account: Name,
    /// Why it exists.
    pub cause: Cause,
    /// What is bought, at the price that was decided.
    pub plan: Plan,
    /// What the choice was reckoned by, where the rule looked ahead.
    pub reckoning: Option<Reckoning>,
    /// How it is paid.
    pub payment: String,
    /// The discount code that is used.
    pub code: Option<String>,
    /// When it was planned.
    pub created_at: UnixTime,
    /// Whether a person must agree.
    pub approval: Approval,
    /// The card before the purchase.
    pub before: Option<Snapshot>,
    /// Where it stands.
    pub state: AttemptState,
    /// Counts the moves; a move quotes the version it saw.
    pub version: i64,
}

impl Attempt {
    /// What a look-up needs to know of it.
    #[must_use]
    pub fn sent_order(&self, key: OrderKey, first_sent_at: UnixTime) -> SentOrder {
        SentOrder {
            key,
            order_id: self.state.order_id().map(str::to_owned),
            plan_id: self.plan.id.clone(),
            price: self.plan.price,
            before: self.before.clone(),
            first_sent_at,
        }
    }
}
