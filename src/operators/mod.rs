//! The ways to operators: one narrow trait, one file per operator, and the HTTP client they share.

pub mod airalo;
pub mod dingconnect;
pub mod dtone;
pub mod emnify;
pub mod esimaccess;
pub mod esimgo;
pub mod exec;
pub mod hologram;
pub mod http;
pub mod keepgo;
mod kinds;
mod kit;
pub mod one_nce;
pub mod probe;
pub mod profile;
pub mod reloadly;
pub mod sandbox;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod scripted;
pub mod tame;
pub mod telnyx;
pub mod things_mobile;
pub mod tls;
pub mod tmf654;
pub mod ussd;

pub use kinds::{KINDS, Kind};

use std::future::Future;
use std::pin::Pin;

use crate::domain::card::Card;
use crate::domain::operator::{
    BuyAnswer, Capabilities, CardPage, Contact, Found, OperatorError, Order, Preflight, PreparedOrder, RefusalKind,
    SentOrder, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::Reading;
use crate::domain::time::UnixTime;

/// An answer that is on its way.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One account at one operator. The engine knows nothing else of an operator than this.
pub trait Operator: Send + Sync {
    /// What this operator can do, declared with its sources.
    fn capabilities(&self) -> &Capabilities;

    /// What the adapter says about it for people and for checks.
    fn terms(&self) -> Terms;

    /// Reads cards, at most [`Capabilities::read_batch`] at once: one result per card, in their order.
    fn read<'a>(&'a self, cards: &'a [Card], now: UnixTime) -> Answer<'a, Vec<Result<Reading, OperatorError>>>;

    /// The plans valid for this very card.
    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>>;

    /// The account's money and ways to pay.
    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>>;

    /// Asks once more, just before an order, what the plan costs for this card. Spends nothing.
    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>>;

    /// The exact bytes of an order, to be stored before they are sent. Touches no network.
    ///
    /// # Errors
    /// [`OperatorError::Never`] when the card lacks what the operator wants.
    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError>;

    /// Sends an order: one POST on a fresh connection, no redirect, no repeat. The only call that spends money.
    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer>;

    /// Looks for an order that was sent.
    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>>;

    /// The account's cards, part by part; see [`Capabilities::discovers`].
    fn discover<'a>(&'a self, _page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
        let why = "this operator cannot list the cards of an account; add them by hand or from a file".to_owned();
        Box::pin(async { Err(OperatorError::Never { kind: RefusalKind::Other, why }) })
    }

    /// What the last answer said about the way itself.
    fn contact(&self) -> Contact {
        Contact::default()
    }
}
