//! What passes between an operator and the daemon: wallets, orders, answers.
//! The engine never knows which operator it talks to; it knows these values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::attempt::Snapshot;
pub use super::capabilities::{Capabilities, Class, Lookup, MOST_CAREFUL, Proof, Repeat, Stacking, Terms};
use super::card::Name;
use super::identity::{Iccid, Msisdn};
use super::money::Money;
use super::plan::Plan;
use super::time::{Secs, UnixTime};

/// The money an account can spend, and whether its ways to pay work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wallet {
    /// The balance, where the operator tells one.
    pub balance: Option<Money>,
    /// Payment methods that are ready, by the operator's names.
    pub methods: Vec<String>,
}

/// What the operator says just before an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preflight {
    /// The plan as it is sold at this moment; none if it is gone.
    pub offer: Option<Plan>,
    /// The operator's clock, from the answer's `Date`.
    pub operator_time: Option<UnixTime>,
}

/// The key of one attempt: 32 hexadecimal digits of chance, made once and stored, never derived.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderKey(String);

impl OrderKey {
    /// From 128 bits of chance.
    #[must_use]
    pub fn new(random: u128) -> Self {
        Self(format!("{random:032x}"))
    }

    /// From the record.
    #[must_use]
    pub fn stored(text: &str) -> Option<Self> {
        (text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| Self(text.to_owned()))
    }

    /// The digits; they fit every operator's own reference.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is to be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Our key.
    pub key: OrderKey,
    /// The plan, at the price that was checked.
    pub plan: Plan,
    /// The payment method, by the operator's name.
    pub payment: String,
    /// A discount code.
    pub code: Option<String>,
}

/// The exact bytes that will be sent; stored before they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedOrder {
    /// Our key.
    pub key: OrderKey,
    /// Path below the operator's base address.
    pub path: String,
    /// Type of the body.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// An attempt, as a look-up needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentOrder {
    /// Our key.
    pub key: OrderKey,
    /// The operator's id, if it is known.
    pub order_id: Option<String>,
    /// The plan's id.
    pub plan_id: String,
    /// The price that was decided; for operators whose lists tell amounts and no reference.
    pub price: Money,
    /// The card before it; for operators whose lists tell neither.
    pub before: Option<Snapshot>,
    /// When it was first sent.
    pub first_sent_at: UnixTime,
}

/// Why an operator refused, as far as the next step depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The wallet is empty.
    WalletEmpty,
    /// This way to pay was declined.
    PaymentDeclined,
    /// The plan is gone or not sold for this card.
    PlanGone,
    /// Something passing: maintenance, stock.
    Passing,
    /// The card can never be renewed: recycled, one-off.
    CardDead,
    /// The card's data is wrong or lacks what the operator wants.
    CardData,
    /// The card is not installed or not active.
    NotActive,
    /// Our access is refused.
    Access,
    /// The discount code is not valid.
    BadCode,
    /// Anything else that is certain.
    Other,
}

impl RefusalKind {
    /// Whether trying again can ever succeed without a person changing something.
    #[must_use]
    pub const fn can_pass(self) -> bool {
        match self {
            Self::WalletEmpty | Self::PaymentDeclined | Self::Passing | Self::PlanGone | Self::BadCode => true,
            Self::CardDead | Self::CardData | Self::NotActive | Self::Access | Self::Other => false,
        }
    }

    /// What it rules out when the next way to buy is looked for.
    #[must_use]
    pub const fn rules_out(self) -> RulesOut {
        match self {
            Self::WalletEmpty | Self::PaymentDeclined => RulesOut::Payment,
            Self::PlanGone | Self::Passing | Self::Access | Self::Other => RulesOut::Account,
            Self::BadCode => RulesOut::Nothing,
            Self::CardDead | Self::CardData | Self::NotActive => RulesOut::Everything,
        }
    }
}

/// What a certain refusal rules out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulesOut {
    /// One way to pay of one account.
    Payment,
    /// One account; another seller may see it otherwise.
    Account,
    /// No way to buy: only the discount code.
    Nothing,
    /// Every seller: it is about the card.
    Everything,
}

/// A certain refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What it means for the next step.
    pub kind: RefusalKind,
    /// The operator's own code.
    pub code: String,
    /// The operator's own words, tamed.
    pub text: String,
}

/// Why the result of an order is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// No answer in time.
    TimedOut,
    /// The connection broke after it was made.
    Broken,
    /// A 5xx.
    ServerError,
    /// A redirect, which is never followed.
    Redirected,
    /// Too many requests, not documented as "not processed".
    Throttled,
    /// The body could not be read as the documented answer.
    Unreadable,
    /// It says success, but not for our key, plan or amount.
    Unproven,
    /// Any other status or code that is not listed as final.
    UnlistedCode,
    /// The reference is known to the operator: the first order arrived.
    AlreadyUsed,
    /// The process ended while the order was on its way.
    ProcessEnded,
    /// A pending order vanished or took longer than 72 hours.
    PendingLost,
}

/// What an order came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuyAnswer {
    /// Taken; the effect is still to be seen.
    Accepted {
        /// The operator's id.
        order_id: Option<String>,
        /// What was charged, where it tells.
        charged: Option<Money>,
    },
    /// Taken in; the operator works on it.
    Pending {
        /// The operator's id.
        order_id: String,
    },
    /// Certainly not taken.
    Refused(Refusal),
    /// No connection was made: certainly not taken, the key is unused.
    NotSent {
        /// What failed.
        why: String,
    },
    /// Nobody knows.
    Unknown {
        /// The class of the failure.
        doubt: Doubt,
        /// More about it, tamed.
        detail: String,
        /// For how long the operator asked to be left alone, if it did.
        retry_after: Option<Secs>,
    },
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The order was taken.
    Accepted {
        /// The operator's id.
        order_id: String,
        /// What was charged, where it tells.
        charged: Option<Money>,
    },
    /// The order is being worked on.
    Pending {
        /// The operator's id.
        order_id: String,
    },
    /// The order was refused for certain.
    Refused(Refusal),
    /// The order was taken back: refunded or failed later.
    Reversed {
        /// The operator's id.
        order_id: String,
        /// What it says, tamed.
        why: String,
    },
    /// A clean answer that does not hold the order.
    Nothing,
}

/// A card that the operator lists for the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedCard {
    /// The number of the card, where it tells.
    pub iccid: Option<Iccid>,
    /// Its phone number, where it tells.
    pub msisdn: Option<Msisdn>,
    /// The operator's name or label for it, tamed.
    pub label: Option<String>,
    /// What the adapter will want to know beside these, by the operator's own names.
    pub fields: BTreeMap<String, String>,
}

/// A part of the operator's list of cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardPage {
    /// The cards.
    pub cards: Vec<ListedCard>,
    /// What asks for the next part; none behind the last one.
    pub next: Option<String>,
}

/// What the last answer said about the way itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// The operator's clock.
    pub clock: Option<UnixTime>,
    /// Calls that are left, where it tells.
    pub calls_left: Option<u64>,
}

/// What an operator's error lets the caller do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// Try again, not before this long if it was told.
    #[error("{why}; it will be tried again")]
    Later {
        /// What the operator asked for.
        retry_after: Option<Secs>,
        /// What happened.
        why: String,
    },
    /// Trying again is of no use until a person changes something.
    #[error("{why}")]
    Never {
        /// What it is about.
        kind: RefusalKind,
        /// What happened.
        why: String,
    },
    /// The answer makes no sense.
    #[error("the answer could not be understood: {why}")]
    Unknown {
        /// What was wrong with it.
        why: String,
    },
}

/// An account: our access to one operator, as the engine knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its name.
    pub name: Name,
    /// Ways to pay, in order.
    pub payment: Vec<String>,
    /// Whom to ask when something needs a person.
    pub support: Option<String>,
    /// How often its cards are read.
    pub poll_every: Secs,
}
