//! What is true, whatever the daemon believes: operators with their books, cards with what is on them, people, and the
//! true time. Every call answers in the daemon's own types, as an adapter would, and may go wrong in all the ways that
//! `faults` names.

mod calls;
mod card;
mod operator;
mod orders;
mod people;
mod setup;

pub use card::{CardTruth, Kind, Package};
pub use operator::{Booked, OperatorTruth};
pub use people::{Act, Person};
pub use setup::{BEGINS, Settings};

use simkeeper::domain::card::Card;
use simkeeper::domain::operator::{Capabilities, Order, PreparedOrder};
use simkeeper::domain::rule::Rule;
use simkeeper::domain::sellers::Till;
use simkeeper::domain::time::UnixTime;

use crate::faults::{Faults, Site};
use crate::oracle::facts::Fact;

/// An answer, and how long it took to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<T> {
    /// What came.
    pub answer: T,
    /// How long it took.
    pub takes_secs: i64,
}

/// The world.
#[derive(Debug)]
pub struct World {
    /// Where its chance comes from.
    pub seed: u64,
    /// What goes wrong.
    pub faults: Faults,
    /// The operators, in the order of their classes.
    pub operators: Vec<OperatorTruth>,
    /// The cards; the card with row `n` is at place `n - 1`.
    pub cards: Vec<CardTruth>,
    /// What the oracle is to be told.
    pub facts: Vec<Fact>,
}

impl World {
    /// The place of a card.
    #[must_use]
    pub const fn place(card: &Card) -> usize {
        (card.id.0 - 1).unsigned_abs() as usize
    }

    /// The place of the operator with this name.
    #[must_use]
    pub fn operator(&self, name: &str) -> Option<usize> {
        self.operators.iter().position(|operator| operator.account.name.as_str() == name)
    }

    /// What an operator can do.
    #[must_use]
    pub fn capabilities(&self, operator: usize) -> &Capabilities {
        &self.operators[operator].capabilities
    }

    /// A card as its owner wrote it into the file.
    #[must_use]
    pub fn card(&self, card: usize) -> &Card {
        &self.cards[card].card
    }

    /// The rule that the file holds for a card at this time, if it does.
    #[must_use]
    pub fn rule(&self, card: usize, at: i64) -> Option<&Rule> {
        let truth = &self.cards[card];
        Some(&truth.rule).filter(|_| at >= truth.rule_back_at)
    }

    /// The accounts that may sell for a card.
    #[must_use]
    pub fn tills(&self, card: &Card) -> Vec<Till> {
        let sellers = card.accounts().filter_map(|name| self.operator(name.as_str()));
        sellers
            .map(|place| {
                let account = &self.operators[place].account;
                Till { account: account.name.clone(), payment: account.payment.clone() }
            })
            .collect()
    }

    /// The bytes of an order.
    #[must_use]
    pub fn prepare(card: &Card, order: &Order) -> PreparedOrder {
        let price = order.plan.price.ten_thousandths();
        let code = order.code.as_deref().unwrap_or("-");
        let body = format!("{} {} {price} {} {code}", card.id.0, order.plan.id, order.payment);
        PreparedOrder {
            key: order.key.clone(),
            path: "/orders".to_owned(),
            content_type: "text/plain".to_owned(),
            body: body.into_bytes(),
        }
    }

    /// Notes the state of a card's order, as the daemon's record has it, so that hits are counted by it.
    pub fn note_state(&mut self, card: usize, state: usize) {
        self.cards[card].order_state = state;
    }

    /// Visits a site about a card.
    pub fn fires(&mut self, site: Site, card: usize, operator: usize) -> bool {
        let (state, class) = (self.cards[card].order_state, self.operators[operator].class);
        self.faults.fires(site, card, state, class)
    }

    /// The operator's answer to "what time is it".
    #[must_use]
    pub const fn clock(at: i64) -> UnixTime {
        UnixTime::clamped(at)
    }
}
