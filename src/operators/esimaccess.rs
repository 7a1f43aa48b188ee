//! eSIM Access open API v1: travel eSIMs that are topped up.
//!
//! Facts come from the vendor's published documentation (its revisions up to April 2026), from answers that an
//! integrator recorded live (2026-03-31), and from the notes of another integrator. What none of them says is declared
//! as the most careful choice.

mod cards;
mod offers;
mod orders;
mod reading;
mod session;
mod wire;

use secrecy::SecretString;
use serde_json::json;

use self::cards::Cards;
use self::session::Session;
use self::wire::{BalanceDoc, PackagesDoc};
use super::http::{HttpClient, HttpSetupError, Way};
use super::kit::{iccid_of, unknown};
use super::{Answer, Kind, Operator};
use crate::domain::card::Card;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Capabilities, CardPage, Contact, Found, Lookup, OperatorError, Order, Preflight, PreparedOrder, Proof,
    Repeat, SentOrder, Stacking, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::Reading;
use crate::domain::time::{Secs, UnixTime};

const NAME: &str = "eSIM Access";
/// The only address; there is no sandbox.
const BASE_URL: &str = "https://api.esimaccess.com/api/v1/open";
/// The only host.
const HOST: &str = "api.esimaccess.com";
/// The only way to pay.
const WALLET: &str = "wallet";
/// The field of a card that names its eSIM without doubt, where its ICCID has been given out more than once.
const TRAN_NO: &str = "esimTranNo";

/// What eSIM Access can do.
const CAPABILITIES: Capabilities = Capabilities {
    // The vendor says of orders that a repeated `transactionId` is the same request. Of top-ups it does not; one
    // integrator saw no second charge. That is too little to send money twice.
    repeat: Repeat::Pays,
    burns_key: false,
    // Each package of a card carries the `transactionId` it was bought with (recorded 2026-03-31). When a new one shows
    // is not documented: a day, to be careful.
    lookup: Lookup::ByRef { listing_delay_secs: Secs::DAY.0 },
    // A top-up is answered at once with the new totals; the 30 seconds of the text are for new eSIMs.
    processing_max: None,
    proof: Proof::AssetIds,
    // Only eSIMs that were never installed are refunded, and only when the account's owner asks for it.
    late_change: None,
    two_phase: None,
    // `/esim/query` lists the account in pages of 500.
    read_batch: 10_000,
    // "Updated every 2–3 hours and is not real time" (vendor, `/esim/usage/query`).
    cached_for: Secs::hours(3),
    // Not documented.
    effect_max: Secs::hours(24),
    takes_codes: false,
    discovers: true,
    // `topup` answers with the new `totalVolume` and `expiredTime` of the eSIM: both grow (vendor, topup).
    stacking: Stacking::Extends,
};

/// eSIM Access in the list of kinds.
pub const KIND: Kind =
    Kind { name: "esimaccess", about: "travel eSIMs, open API v1", capabilities: CAPABILITIES, terms };

fn terms() -> Terms {
    Terms::of(&[HOST], orders::FINAL_CODES, &[WALLET], &["iccid"])
}

/// One account at eSIM Access.
pub struct EsimAccess {
    session: Session,
    cards: Cards,
}

impl std::fmt::Debug for EsimAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EsimAccess")
    }
}

impl EsimAccess {
    /// An account. With the secret key every request is signed; without it the access code alone is sent, which the
    /// vendor documents as enough. Touches no network.
    ///
    /// # Errors
    /// The address is not that of eSIM Access, or this system has no certificates.
    pub fn open(
        way: &Way,
        access_code: SecretString,
        secret_key: Option<SecretString>,
    ) -> Result<Self, HttpSetupError> {
        let settings = way.settings(BASE_URL, &[HOST], CAPABILITIES.processing_max);
        let http = HttpClient::new(&settings)?;
        Ok(Self { session: Session::new(http, access_code, secret_key, way), cards: Cards::default() })
    }

    /// What is on sale for a card.
    async fn offers(&self, card: &Card) -> Result<Vec<Plan>, OperatorError> {
        let asked = json!({ "type": "TOPUP", "iccid": iccid_of(card, NAME)? });
        let doc: PackagesDoc = self.session.ask_list("/package/list", &asked).await?;
        offers::plans_of(&doc)
    }

    async fn balance(&self) -> Result<Money, OperatorError> {
        let doc: BalanceDoc = self.session.ask("/balance/query", &json!({})).await?;
        // Whole ten-thousandths of a dollar: "100000 = $10.00" (vendor). No currency is told.
        Ok(Money::new(doc.balance.whole().map_err(unknown)?, Currency::USD))
    }

    async fn ready(&self, card: &Card, plan: &Plan) -> Result<Preflight, OperatorError> {
        let offer = self.offers(card).await?.into_iter().find(|offer| offer.id == plan.id);
        // The order names the eSIM by its own number, not only by an ICCID that may be given out again.
        if offer.is_some() && self.cards.tran_of(card).is_none() {
            self.cards.ask_again(&self.session, card).await?;
        }
        Ok(Preflight { offer, operator_time: self.session.contact().clock })
    }
}

impl Operator for EsimAccess {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn terms(&self) -> Terms {
        terms()
    }

    fn contact(&self) -> Contact {
        self.session.contact()
    }

    fn read<'a>(&'a self, cards: &'a [Card], now: UnixTime) -> Answer<'a, Vec<Result<Reading, OperatorError>>> {
        self.session.tell(now);
        Box::pin(self.cards.read(&self.session, cards, now))
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        self.session.tell(now);
        Box::pin(async move { Ok(Catalogue::of(now, self.offers(card).await?)) })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        Box::pin(async move { Ok(Wallet { balance: Some(self.balance().await?), methods: vec![WALLET.into()] }) })
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        _code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(self.ready(card, plan))
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        orders::prepared(card, self.cards.tran_of(card).as_deref(), order)
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(async move {
            match self.session.buy(&order.path, &order.content_type, &order.body).await.answered() {
                Ok(answer) => orders::outcome(&answer, order),
                Err(told) => told,
            }
        })
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(async move {
            let doc = self.cards.ask_again(&self.session, card).await?;
            orders::found(&doc, order)
        })
    }

    fn discover<'a>(&'a self, page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
        Box::pin(self.cards.discover(&self.session, page))
    }
}
