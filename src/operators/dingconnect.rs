//! `DingConnect` API V1: airtime and bundles for phone numbers.
//!
//! Facts come from the vendor's published Swagger document and API description, and from an integrator's dated
//! measurements of the live service. A transfer that is sent twice is paid twice, whatever its reference.

mod offers;
mod orders;
mod session;
mod wire;

use secrecy::SecretString;
use tokio::sync::OnceCell;

use self::session::Session;
use self::wire::{BalanceDoc, LookupDoc};
use super::http::{HttpClient, HttpSetupError, Way};
use super::kit::{never, path_part, unknown};
use super::{Answer, Kind, Operator, kit};
use crate::domain::card::Card;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Capabilities, Contact, Found, Lookup, OperatorError, Order, Preflight, PreparedOrder, Proof,
    RefusalKind, Repeat, SentOrder, Stacking, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::{CardState, Reading};
use crate::domain::time::{Secs, UnixTime};

/// The address of the API. There is no sandbox: products have test numbers instead.
const BASE_URL: &str = "https://api.dingconnect.com/api/V1";
/// The only host.
const HOST: &str = "api.dingconnect.com";
/// The name in messages.
const NAME: &str = "DingConnect";
/// The only way to pay.
const WALLET: &str = "wallet";
/// A card's field that names its provider, where Ding cannot tell it from the number.
const PROVIDER_FIELD: &str = "provider_code";

/// What `DingConnect` can do.
const CAPABILITIES: Capabilities = Capabilities {
    // The reference is described as unique, and a second transfer with it was paid again (integrator, 2026-09-07).
    repeat: Repeat::Pays,
    // Not documented.
    burns_key: true,
    // `ListTransferRecords` with `DistributorRef`. When a transfer shows is not documented: a day, to be careful.
    lookup: Lookup::ByRef { listing_delay_secs: Secs::DAY.0 },
    // "maximum processing time of 90 seconds" (vendor's Swagger, SendTransfer).
    processing_max: Some(Secs(90)),
    // Ding knows nothing of a number but the transfers to it.
    proof: Proof::Order,
    // Batches may fail later and are then refunded; how late is not documented: a month.
    late_change: Some(Secs::days(31)),
    two_phase: None,
    // Nothing is asked for a reading.
    read_batch: 10_000,
    // Asking more often tells no more.
    cached_for: Secs::minutes(20),
    // Not documented.
    effect_max: Secs::hours(24),
    takes_codes: false,
    discovers: false,
    // Not documented.
    stacking: Stacking::Unknown,
};

/// `DingConnect` in the list of kinds.
pub const KIND: Kind = Kind {
    name: "dingconnect",
    about: "top-up of prepaid numbers, DingConnect API V1",
    capabilities: CAPABILITIES,
    terms,
};

fn terms() -> Terms {
    Terms::of(&[HOST], orders::FINAL_CODES, &[WALLET], &["msisdn"])
}

/// One account at `DingConnect`.
pub struct DingConnect {
    session: Session,
    /// The currency of the wallet, asked once: an account has one, and is charged in it.
    currency: OnceCell<Currency>,
}

impl std::fmt::Debug for DingConnect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DingConnect")
    }
}

impl DingConnect {
    /// An account. Touches no network.
    ///
    /// # Errors
    /// The address is not Ding's, or this system has no certificates.
    pub fn open(way: &Way, api_key: SecretString) -> Result<Self, HttpSetupError> {
        let settings = way.settings(BASE_URL, &[HOST], CAPABILITIES.processing_max);
        Ok(Self { session: Session::new(way, HttpClient::new(&settings)?, api_key), currency: OnceCell::new() })
    }

    async fn balance(&self) -> Result<Money, OperatorError> {
        let doc: BalanceDoc = self.session.get("/GetBalance", &[]).await?.0;
        let currency = Currency::parse(&doc.currency_iso).map_err(unknown)?;
        doc.balance.money_down(currency).map_err(unknown)
    }

    async fn currency(&self) -> Result<Currency, OperatorError> {
        self.currency.get_or_try_init(async || Ok(self.balance().await?.currency())).await.copied()
    }

    /// The providers of a card's number: what the card says, or else what Ding makes of the number.
    async fn providers(&self, card: &Card) -> Result<Vec<String>, OperatorError> {
        let number = kit::msisdn_of(card, NAME)?;
        if let Some(code) = card.fields.get(PROVIDER_FIELD) {
            return Ok(vec![path_part(code, "a provider code of DingConnect")?.to_owned()]);
        }
        let doc: LookupDoc = self.session.get("/GetAccountLookup", &[("accountNumber", number)]).await?.0;
        let mut codes: Vec<String> = doc.items.into_iter().map(|item| item.provider_code).collect();
        codes.dedup();
        if codes.is_empty() {
            let why = "DingConnect does not know which provider the number belongs to; compare it with the card, or \
                       add `provider_code` to the card's fields";
            return Err(never(RefusalKind::CardData, why));
        }
        Ok(codes)
    }

    async fn offers(&self, card: &Card) -> Result<Vec<Plan>, OperatorError> {
        let (currency, providers) = (self.currency().await?, self.providers(card).await?);
        offers::on_sale(&self.session, &providers, currency).await
    }
}

impl Operator for DingConnect {
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
        Box::pin(async move { cards.iter().map(|_| Ok(Reading::empty(now, CardState::Unknown))).collect() })
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
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
        Box::pin(async move {
            let (currency, providers) = (self.currency().await?, self.providers(card).await?);
            offers::as_sold_now(&self.session, &providers, &plan.id, currency).await
        })
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        orders::prepared(card, order)
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(orders::bought(&self.session, order))
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(orders::find(&self.session, card, order))
    }
}
