//! The truth about an operator: what it declares, what it sells, what its wallet holds, and its book of orders.

use simkeeper::domain::operator::{Account, Capabilities, RefusalKind};
use simkeeper::domain::plan::Plan;

/// An order in the operator's book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// Its number.
    pub number: u64,
    /// The key that came with it.
    pub key: String,
    /// The card.
    pub card: usize,
    /// When it arrived.
    pub arrived_at: i64,
    /// When it is taken; none if never.
    pub taken_at: Option<i64>,
    /// When it was refused, and why.
    pub refused: Option<RefusalKind>,
    /// When it begins to show in look-ups.
    pub shows_at: i64,
    /// Until when it is told as being worked on although it is taken.
    pub told_pending_until: i64,
    /// When it is taken back; none if never.
    pub taken_back_at: Option<i64>,
    /// What is charged.
    pub charge: i64,
    /// Whether its effect never shows.
    pub lacks_effect: bool,
    /// Whether the first answer was an error that repeats get again.
    pub answered_error: bool,
}

/// The truth about an operator.
#[derive(Clone, Debug)]
pub struct OperatorTruth {
    /// The account there.
    pub account: Account,
    /// Its class, by place in `CLASSES`.
    pub class: usize,
    /// What it declares.
    pub capabilities: Capabilities,
    /// What it sells, in truth.
    pub plans: Vec<Plan>,
    /// Plans are not sold until then.
    pub plans_gone_until: i64,
    /// What the wallet holds, in ten-thousandths.
    pub wallet: i64,
    /// Answers nothing until then.
    pub down_until: i64,
    /// Answers no look-ups until then.
    pub lookups_down_until: i64,
    /// Whether it tells for what time an answer from its cache holds.
    pub tells_age: bool,
    /// Whether refused orders are in its lists.
    pub lists_refused: bool,
    /// The longest time to acceptance, in truth.
    pub processing_secs: i64,
    /// The longest time until a taken order shows, in truth.
    pub listing_secs: i64,
    /// Its book.
    pub book: Vec<Booked>,
    pub(super) week: i64,
}

impl OperatorTruth {
    /// The plan on sale with this id.
    #[must_use]
    pub fn on_sale(&self, id: &str, at: i64) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.id == id && at >= self.plans_gone_until)
    }

    /// The latest order with this key.
    #[must_use]
    pub fn booked(&self, key: &str) -> Option<&Booked> {
        self.book.iter().rev().find(|order| order.key == key)
    }
}
