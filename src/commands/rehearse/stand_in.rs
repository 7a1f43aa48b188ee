//! The sandbox in the place of any operator: it knows each card by an ICCID, also those that have none.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::card::{Card, CardId};
use crate::domain::identity::Iccid;
use crate::domain::operator::{
    BuyAnswer, Capabilities, Contact, Found, OperatorError, Order, Preflight, PreparedOrder, SentOrder, Stacking,
    Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::Reading;
use crate::domain::time::UnixTime;
use crate::operators::{Answer, Operator};

/// How the sandbox plays a card.
#[derive(Clone, Debug)]
pub(super) struct Role {
    /// The number under which it knows the card.
    pub(super) number: Iccid,
    /// What becomes of a plan that is bought while another still runs: as with the card's own operator.
    pub(super) stacking: Stacking,
}

/// An account's way to the sandbox.
pub(super) struct StandIn {
    sandbox: Arc<dyn Operator>,
    roles: Arc<BTreeMap<CardId, Role>>,
}

impl StandIn {
    pub(super) const fn new(sandbox: Arc<dyn Operator>, roles: Arc<BTreeMap<CardId, Role>>) -> Self {
        Self { sandbox, roles }
    }

    /// The card under the number by which the sandbox knows it.
    fn known(&self, card: &Card) -> Card {
        let number = self.roles.get(&card.id).map(|role| &role.number);
        Card { iccid: number.or(card.iccid.as_ref()).cloned(), ..card.clone() }
    }
}

impl Operator for StandIn {
    fn capabilities(&self) -> &Capabilities {
        self.sandbox.capabilities()
    }

    fn terms(&self) -> Terms {
        self.sandbox.terms()
    }

    fn contact(&self) -> Contact {
        self.sandbox.contact()
    }

    fn read<'a>(&'a self, cards: &'a [Card], now: UnixTime) -> Answer<'a, Vec<Result<Reading, OperatorError>>> {
        Box::pin(async move {
            let known: Vec<Card> = cards.iter().map(|card| self.known(card)).collect();
            self.sandbox.read(&known, now).await
        })
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(async move {
            let told = self.sandbox.catalogue(&self.known(card), now).await?;
            let stacking = self.roles.get(&card.id).map_or(told.stacking, |role| role.stacking);
            Ok(Catalogue { stacking, ..told })
        })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        self.sandbox.wallet()
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(async move { self.sandbox.preflight(&self.known(card), plan, code).await })
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        self.sandbox.prepare(&self.known(card), order)
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        self.sandbox.buy(order)
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(async move { self.sandbox.find(&self.known(card), order).await })
    }
}
