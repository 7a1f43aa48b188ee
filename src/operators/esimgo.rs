//! eSIM Go API v2.5: travel eSIMs that are topped up by putting another bundle on them.
//!
//! Facts come from the vendor's OpenAPI description (v2.4) and its pages on ordering, bundle states, rate limits and
//! the change to v2.5, and from an order answer that an integrator recorded. What none of them says is declared as the
//! most careful choice.
//!
//! There is no reference of ours anywhere in an order. It is found again by time, card and bundle alone, so everything
//! that could make two orders look alike leads to a question, never to a second order.

mod bundles;
mod offers;
mod orders;
mod session;
mod wire;

use secrecy::SecretString;
use tokio::sync::OnceCell;

use self::session::Session;
use self::wire::{BundlesDoc, EsimDoc, EsimsDoc, OrganisationsDoc};
use super::http::{HttpClient, HttpSetupError, Way};
use super::kit::{iccid_of, same_card, unknown};
use super::{Answer, Kind, Operator};
use crate::domain::card::{Card, tamed};
use crate::domain::identity::Iccid;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Capabilities, CardPage, Contact, Found, ListedCard, Lookup, OperatorError, Order, Preflight,
    PreparedOrder, Proof, Repeat, SentOrder, Stacking, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::Reading;
use crate::domain::time::{Secs, UnixTime};

const NAME: &str = "eSIM Go";
/// The only address; an order of type `validate` is the dry run.
const BASE_URL: &str = "https://api.esim-go.com/v2.5";
/// The only host.
const HOST: &str = "api.esim-go.com";
/// The only way to pay that is used: the organisation's balance.
const WALLET: &str = "wallet";
/// eSIMs on one page of the account's list.
const PER_PAGE: &str = "100";
/// Pages of the account's list that are read at most.
const PAGES_MAX: u32 = 10_000;

/// What eSIM Go can do.
const CAPABILITIES: Capabilities = Capabilities {
    // Neither an idempotency header nor a reference of the client is documented.
    repeat: Repeat::Pays,
    burns_key: false,
    // `GET /orders` by time. When a new order shows is not documented: a day, to be careful.
    lookup: Lookup::ByList { listing_delay_secs: Secs::DAY.0 },
    // Orders of up to five bundles are answered at once; how long that may take is not documented.
    processing_max: None,
    // Each bundle on a card has an assignment id.
    proof: Proof::AssetIds,
    // Bundles are taken off only when the account's owner asks for it.
    late_change: None,
    two_phase: None,
    // There is no call that tells the bundles of several cards.
    read_batch: 1,
    // Not documented.
    cached_for: Secs::minutes(20),
    // "Please allow for up to 10 minutes": an hour, to be careful.
    effect_max: Secs::HOUR,
    takes_codes: false,
    discovers: true,
    // A second bundle of the same region waits as `queued` until the first is used up or ends (vendor, bundle status).
    stacking: Stacking::Queues,
};

/// eSIM Go in the list of kinds.
pub const KIND: Kind = Kind { name: "esimgo", about: "travel eSIMs, API v2.5", capabilities: CAPABILITIES, terms };

fn terms() -> Terms {
    Terms::of(&[HOST], orders::FINAL_CODES, &[WALLET], &["iccid"])
}

/// One organisation at eSIM Go.
pub struct EsimGo {
    session: Session,
    /// The currency of the organisation, asked once: it has one, and the catalogue's prices are in it.
    currency: OnceCell<Currency>,
}

impl std::fmt::Debug for EsimGo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EsimGo")
    }
}

impl EsimGo {
    /// An organisation. Touches no network.
    ///
    /// # Errors
    /// The address is not eSIM Go's, or this system has no certificates.
    pub fn open(way: &Way, api_key: SecretString) -> Result<Self, HttpSetupError> {
        let settings = way.settings(BASE_URL, &[HOST], CAPABILITIES.processing_max);
        let session = Session::new(HttpClient::new(&settings)?, api_key, way);
        Ok(Self { session, currency: OnceCell::new() })
    }

    async fn reading(&self, card: &Card, now: UnixTime) -> Result<Reading, OperatorError> {
        let iccid = iccid_of(card, NAME)?;
        let esim: EsimDoc = self.session.of_card(iccid, "", &[]).await?;
        if esim.iccid.as_ref().is_some_and(|told| !same_card(told.as_str(), iccid)) {
            return Err(unknown("the answer is about another card than ours"));
        }
        let bundles = self.bundles(iccid).await?;
        bundles::reading_of(&esim, &bundles, now).map_err(unknown)
    }

    async fn bundles(&self, iccid: &str) -> Result<BundlesDoc, OperatorError> {
        // Without `limit` only the newest 15 are told; 200 is the most.
        self.session.of_card(iccid, "/bundles", &[("includeUsed", "true"), ("limit", "200")]).await
    }

    async fn organisation(&self) -> Result<Money, OperatorError> {
        let answer = self.session.get("/organisation", &[]).await?.checked()?;
        // The reason is left out: the answer holds the API key.
        let doc: OrganisationsDoc =
            answer.document().map_err(|_| unknown("eSIM Go's answer tells no organisation and no balance"))?;
        doc.money()
    }

    async fn currency(&self) -> Result<Currency, OperatorError> {
        self.currency.get_or_try_init(async || Ok(self.organisation().await?.currency())).await.copied()
    }

    async fn plans(&self, card: &Card) -> Result<Vec<Plan>, OperatorError> {
        let iccid = iccid_of(card, NAME)?;
        let currency = self.currency().await?;
        let countries = match offers::stated_countries(card) {
            Some(stated) => stated,
            None => offers::countries_of(&self.session, &self.bundles(iccid).await?).await?,
        };
        offers::plans(&self.session, &countries, currency).await
    }

    async fn ready(&self, card: &Card, plan: &Plan) -> Result<Preflight, OperatorError> {
        let iccid = iccid_of(card, NAME)?;
        let currency = self.currency().await?;
        let offer = offers::offer_now(&self.session, iccid, &plan.id, currency).await?;
        Ok(Preflight { offer, operator_time: self.session.contact().clock })
    }

    async fn listed(&self, page: Option<&str>) -> Result<CardPage, OperatorError> {
        let number = page.map_or(Some(1), |page| page.parse().ok()).filter(|number| (1..=PAGES_MAX).contains(number));
        let number: u32 = number.ok_or_else(|| unknown("the list of eSIMs has no such page"))?;
        let query = [("page", &*number.to_string()), ("perPage", PER_PAGE)];
        let doc: EsimsDoc = self.session.get_long("/esims", &query).await?.checked()?.json()?;
        let cards: Vec<ListedCard> = doc
            .esims
            .into_iter()
            .map(|esim| ListedCard {
                iccid: esim.iccid.and_then(|iccid| Iccid::parse(iccid.as_str()).ok()),
                msisdn: None,
                label: esim.customer_ref.map(|text| tamed(&text, 80)).filter(|text| !text.is_empty()),
                fields: std::collections::BTreeMap::new(),
            })
            .collect();
        // How many eSIMs a page really holds is not documented: only an empty one is behind the last.
        let next = (!cards.is_empty() && number < PAGES_MAX).then(|| (number + 1).to_string());
        Ok(CardPage { cards, next })
    }
}

impl Operator for EsimGo {
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
        Box::pin(async move {
            let mut readings = Vec::with_capacity(cards.len());
            for card in cards {
                readings.push(self.reading(card, now).await);
            }
            readings
        })
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(async move { Ok(Catalogue::of(now, self.plans(card).await?)) })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        Box::pin(async move { Ok(Wallet { balance: Some(self.organisation().await?), methods: vec![WALLET.into()] }) })
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
        orders::prepared(card, order)
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(async move {
            match self.session.buy(&order.path, &order.content_type, &order.body).await.answered() {
                Ok(answer) => orders::outcome(&answer, order, self.currency.get().copied()),
                Err(told) => told,
            }
        })
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(orders::find(&self.session, card, order))
    }

    fn discover<'a>(&'a self, page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
        Box::pin(self.listed(page))
    }
}
