//! What kind of operator the sandbox plays: its class, its delays, its limits.

use std::sync::Arc;

use secrecy::SecretString;

use crate::domain::money::{Currency, Money};
use crate::domain::operator::Stacking;
use crate::domain::time::UnixTime;

/// Where the sandbox takes its time from: the real clock or one that runs fast. It never asks the system itself.
pub type Clock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// The key that clients of a sandbox show, unless another is set.
pub const DEFAULT_KEY: &str = "sandbox-key";
/// Cards that one bulk read may name.
pub const READ_BATCH_MAX: usize = 500;
/// Cards a fleet may have.
pub const FLEET_MAX: u32 = 1_000_000;
/// Ways to pay, by the sandbox's names.
pub const PAYMENT_METHODS: [&str; 4] = ["wallet", "card", "paypal", "alipay"];

/// What becomes of a second order with the same reference, and whether orders can be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The first result comes back for this long; look-up by reference.
    KeyHonoured {
        /// Seconds from the first order.
        window_secs: i64,
    },
    /// A second order pays again; look-up in a list by card and time.
    LookupOnly,
    /// A second order pays again, and nothing can be looked up.
    Neither,
}

impl Class {
    /// Reads `key-honoured`, `lookup-only` or `neither`.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "key-honoured" => Ok(Self::KeyHonoured { window_secs: 86_400 }),
            "lookup-only" => Ok(Self::LookupOnly),
            "neither" => Ok(Self::Neither),
            _ => Err(format!("`{text}` is not a class; write key-honoured, lookup-only or neither")),
        }
    }

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeyHonoured { .. } => "key-honoured",
            Self::LookupOnly => "lookup-only",
            Self::Neither => "neither",
        }
    }
}

/// How the operator behaves when nothing is wrong. Lengths are seconds of the sandbox's clock.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Decides numbers and habits of the fleet's cards; the same seed makes the same fleet.
    pub seed: u64,
    /// Cards that exist from the start, made when they are asked for; at most [`FLEET_MAX`].
    pub fleet: u32,
    /// What a repeated order does.
    pub class: Class,
    /// The wallet at the start; its currency is that of all prices.
    pub wallet: Money,
    /// What clients must show as bearer token.
    pub key: SecretString,
    /// Orders on one page of the list.
    pub page_size: usize,
    /// How long until a new order shows in a look-up.
    pub listing_delay_secs: i64,
    /// For how long an answer about a card is given again.
    pub cached_for_secs: i64,
    /// How long an order is pending.
    pub order_takes_secs: i64,
    /// How long after that the card shows the effect.
    pub effect_takes_secs: i64,
    /// The documented longest time until the card shows the effect; a late effect may take longer.
    pub effect_max_secs: i64,
    /// The documented longest time from request to acceptance; none if the operator does not say.
    pub processing_max_secs: Option<i64>,
    /// What becomes of a plan that is bought while another still runs.
    pub stacking: Stacking,
    /// Whether it says that it reads cards; one that does not only sells.
    pub reads: bool,
    /// Orders that are remembered; older ones are forgotten, so that memory stays bounded.
    pub orders_kept: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            fleet: 0,
            class: Class::KeyHonoured { window_secs: 86_400 },
            wallet: Money::new(1_000_000, Currency::USD),
            key: SecretString::from(DEFAULT_KEY),
            page_size: 20,
            listing_delay_secs: 60,
            cached_for_secs: 0,
            order_takes_secs: 120,
            effect_takes_secs: 0,
            effect_max_secs: 86_400,
            processing_max_secs: Some(7_200),
            stacking: Stacking::Queues,
            reads: true,
            orders_kept: 100_000,
        }
    }
}

impl Settings {
    /// The currency of wallet and prices.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.wallet.currency()
    }
}
