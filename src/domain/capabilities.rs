//! What an operator can do, as its adapter declares it, and what follows for settling a purchase whose result is unknown.

use serde::{Deserialize, Serialize};

use super::time::Secs;

/// What becomes of a second order with the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// The first result comes back, for this long after the first order.
    Replays(Secs),
    /// An error comes back; nothing is charged a second time.
    Refuses,
    /// It is charged again, or the operator does not say.
    Pays,
}

/// How an order can be found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lookup {
    /// By our own reference.
    ByRef {
        /// The longest time until a new order shows.
        listing_delay_secs: i64,
    },
    /// In a list, by card and time.
    ByList {
        /// The longest time until a new order shows.
        listing_delay_secs: i64,
    },
    /// Not at all; only later readings tell.
    None,
}

/// What in a reading proves that a purchase took effect, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A new plan id on the card.
    AssetIds,
    /// A later end.
    Expiry,
    /// A larger balance.
    Balance,
    /// Nothing on the card: the operator sells for numbers that it cannot read, and its own record of the order is all
    /// the proof there is.
    Order,
}

/// What becomes of a plan that is bought while another still runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stacking {
    /// It waits: it begins when the one before is used up or ends.
    Queues,
    /// It adds to the one before: its data to what is left, its length to the end.
    Extends,
    /// It runs beside the one before: its time begins with the purchase.
    Beside,
    /// The operator does not say; it is taken to wait.
    #[default]
    Unknown,
}

/// What an adapter declares about its operator; nothing here is guessed, and what is not documented is declared as the
/// most careful choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// What a repeated order does.
    pub repeat: Repeat,
    /// Whether a certain refusal uses the key up for ever.
    pub burns_key: bool,
    /// How an order is found again.
    pub lookup: Lookup,
    /// The longest time from our request to acceptance, where documented.
    pub processing_max: Option<Secs>,
    /// What proves a purchase.
    pub proof: Proof,
    /// For how long a final state may still turn, where documented.
    pub late_change: Option<Secs>,
    /// Reserve first, then commit: how long an abandoned reserve lasts.
    pub two_phase: Option<Secs>,
    /// Cards that one `read` call may hold.
    pub read_batch: usize,
    /// For how long the operator answers from its cache; polling faster is of no use.
    pub cached_for: Secs,
    /// How long an effect may take to show, where documented.
    pub effect_max: Secs,
    /// Whether discount codes are taken.
    pub takes_codes: bool,
    /// Whether it can list the account's cards.
    pub discovers: bool,
    /// What becomes of a plan that is bought while another still runs.
    #[serde(default)]
    pub stacking: Stacking,
}

/// What an adapter says about its operator for people and for checks, beside what the engine decides by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// The only hosts that the adapter talks to.
    pub hosts: Vec<String>,
    /// Codes that mean "not accepted, for certain", by the operator's own names.
    pub final_codes: Vec<String>,
    /// Payment methods that the operator takes, by its own names.
    pub payment_methods: Vec<String>,
    /// What a card must have: `iccid`, `msisdn`, or one of its `fields`.
    pub needs: Vec<String>,
}

impl Terms {
    /// From lists that stand in an adapter's source.
    #[must_use]
    pub fn of(hosts: &[&str], final_codes: &[&str], payment_methods: &[&str], needs: &[&str]) -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            hosts: owned(hosts),
            final_codes: owned(final_codes),
            payment_methods: owned(payment_methods),
            needs: owned(needs),
        }
    }
}

/// How a purchase whose result is unknown may be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Class {
    /// The key protects: resend or look up.
    A,
    /// A repeat pays twice; the order can be looked up.
    B,
    /// A repeat pays twice and no look-up exists; only readings and people settle.
    C,
}

impl Capabilities {
    /// The class that follows from `repeat` and `lookup`.
    #[must_use]
    pub const fn class(&self) -> Class {
        match (self.repeat, self.lookup) {
            (Repeat::Replays(_) | Repeat::Refuses, _) => Class::A,
            (Repeat::Pays, Lookup::ByRef { .. } | Lookup::ByList { .. }) => Class::B,
            (Repeat::Pays, Lookup::None) => Class::C,
        }
    }

    /// What holds for an order of this operator on a card that is read through `reader`: the reader's proof counts, and
    /// an effect may take as long as the slower of the two needs to show it.
    #[must_use]
    pub fn read_through(&self, reader: &Self) -> Self {
        Self {
            proof: reader.proof,
            effect_max: self.effect_max.max(reader.effect_max),
            cached_for: reader.cached_for,
            ..*self
        }
    }

    /// How long after an order was first sent it may still turn up in a look-up.
    #[must_use]
    pub const fn may_show_until(&self) -> Secs {
        let delay = match self.lookup {
            Lookup::ByRef { listing_delay_secs } | Lookup::ByList { listing_delay_secs } => listing_delay_secs,
            Lookup::None => 0,
        };
        match self.processing_max {
            Some(processing) => Secs(processing.0.saturating_add(delay)),
            None => Secs::hours(72),
        }
    }
}

/// What is assumed of an operator that nothing is known of: a repeat pays twice, nothing can be looked up, every time is
/// the longest.
pub const MOST_CAREFUL: Capabilities = Capabilities {
    repeat: Repeat::Pays,
    burns_key: true,
    lookup: Lookup::None,
    processing_max: None,
    proof: Proof::Balance,
    late_change: None,
    two_phase: None,
    read_batch: 1,
    cached_for: Secs::minutes(20),
    effect_max: Secs::DAY,
    takes_codes: false,
    discovers: false,
    stacking: Stacking::Unknown,
};
