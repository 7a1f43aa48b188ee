//! Airalo Partners API v2: travel eSIMs that are topped up.
//!
//! Facts come from the vendor's published OpenAPI documents, the vendor's SDKs (PHP, Node, Python) and the vendor's
//! developer pages, as far as they agree; where they do not, the newer one counts. What none of them says is declared
//! as the most careful choice.

mod cards;
mod kept;
mod offers;
mod orders;
mod reading;
mod session;
mod wire;

use std::sync::Arc;

use secrecy::SecretString;
use tokio::sync::OnceCell;

use self::kept::{Beside, Kept};
use self::session::{Session, read_error};
use self::wire::{BalanceDoc, HistoryDoc, TopupsDoc, UsageDoc, Wrapped};
use super::http::{HttpAnswer, HttpClient, HttpSetupError, Way};
use super::kit::parts_of;
use super::{Answer, Kind, Operator};
use crate::domain::card::Card;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Capabilities, CardPage, Contact, Found, Lookup, OperatorError, Order, Preflight, PreparedOrder, Proof,
    Refusal, RefusalKind, Repeat, SentOrder, Stacking, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::{CardState, Reading};
use crate::domain::time::{Secs, UnixTime};

/// The address of production and sandbox alike: the sandbox is a mode of the account.
const BASE_URL: &str = "https://partners-api.airalo.com/v2";
/// The only host.
const HOST: &str = "partners-api.airalo.com";
/// The only way to pay for a top-up.
const WALLET: &str = "wallet";

/// For how long Airalo answers from its cache.
pub const CACHED_FOR: Secs = Secs::minutes(20);

/// What Airalo can do.
const CAPABILITIES: Capabilities = Capabilities {
    // No idempotency header is documented, and the description is not made unique.
    repeat: Repeat::Pays,
    burns_key: false,
    // `GET /orders?filter[description]=`. When a new order shows is not documented: a day, to be careful.
    lookup: Lookup::ByRef { listing_delay_secs: Secs::DAY.0 },
    processing_max: None,
    // Each package of a card has an id of its own in `GET /sims/{iccid}/packages`.
    proof: Proof::AssetIds,
    // Refunds are reviewed by hand, and an order then says `refunded`; how late is not documented: a month.
    late_change: Some(Secs::days(31)),
    two_phase: None,
    // There is no call for several; the batch tells a round over many cards from a look at one.
    read_batch: 8,
    // Usage is answered from a cache of 20 minutes, in the sandbox of 60.
    cached_for: CACHED_FOR,
    // Not documented.
    effect_max: Secs::hours(24),
    takes_codes: false,
    // `GET /sims`, page by page.
    discovers: true,
    // Not documented.
    stacking: Stacking::Unknown,
};

/// Airalo in the list of kinds.
pub const KIND: Kind =
    Kind { name: "airalo", about: "travel eSIMs, Partners API v2", capabilities: CAPABILITIES, terms };

fn terms() -> Terms {
    Terms::of(&[HOST], orders::FINAL_CODES, &[WALLET], &["iccid"])
}

/// One account at Airalo.
pub struct Airalo {
    session: Session,
    kept: Kept,
    /// The currency of the wallet, asked once: an account has one, and prices are told in it.
    currency: OnceCell<Currency>,
}

impl std::fmt::Debug for Airalo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Airalo")
    }
}

impl Airalo {
    /// An account. Touches no network.
    ///
    /// # Errors
    /// The address is not Airalo's, or this system has no certificates.
    pub fn open(way: &Way, client_id: SecretString, client_secret: SecretString) -> Result<Self, HttpSetupError> {
        let settings = way.settings(BASE_URL, &[HOST], CAPABILITIES.processing_max);
        let session = Session::new(way, HttpClient::new(&settings)?, client_id, client_secret);
        Ok(Self { session, kept: Kept::default(), currency: OnceCell::new() })
    }

    async fn reading(&self, card: &Card, now: UnixTime, among_many: bool) -> Result<Reading, OperatorError> {
        let iccid = iccid_of(card)?;
        let usage = match self.of_card::<Wrapped<UsageDoc>>(iccid, "usage").await {
            Ok(Wrapped { data }) if reading::state_of(&data) != CardState::Recycled => data,
            Ok(_) | Err(OperatorError::Never { kind: RefusalKind::CardDead, .. }) => {
                self.kept.forget(iccid);
                return Ok(reading::recycled(now));
            }
            Err(error) => return Err(error),
        };
        let kept = if among_many { self.kept.fitting(iccid, &usage) } else { None };
        let beside = match kept {
            Some(beside) => beside,
            None => self.beside(iccid, &usage).await?,
        };
        reading::reading_of(&usage, &beside.history, &beside.sold, now).map_err(|why| OperatorError::Unknown { why })
    }

    /// What belongs to a reading beside the usage, from Airalo.
    async fn beside(&self, iccid: &str, usage: &UsageDoc) -> Result<Arc<Beside>, OperatorError> {
        let Wrapped { data: history } = self.of_card::<Wrapped<Vec<HistoryDoc>>>(iccid, "packages").await?;
        let sold = offers::ids_of(&self.of_card::<TopupsDoc>(iccid, "topups").await?);
        Ok(self.kept.keep(iccid, usage, history, sold))
    }

    async fn of_card<T: serde::de::DeserializeOwned>(&self, iccid: &str, what: &str) -> Result<T, OperatorError> {
        self.answer_of_card(iccid, what).await?.json()
    }

    async fn answer_of_card(&self, iccid: &str, what: &str) -> Result<HttpAnswer, OperatorError> {
        let answer = self.session.get(&format!("/sims/{iccid}/{what}"), &[]).await?;
        if answer.is_success() { Ok(answer) } else { Err(read_error(&answer)) }
    }

    /// What is on sale for a card, and the operator's clock.
    async fn offers(&self, card: &Card) -> Result<(Vec<Plan>, Option<UnixTime>), OperatorError> {
        let currency = self.currency().await?;
        let answer = self.answer_of_card(iccid_of(card)?, "topups").await?;
        let doc: TopupsDoc = answer.json()?;
        Ok((offers::plans_of(&doc, currency)?, answer.date))
    }

    async fn currency(&self) -> Result<Currency, OperatorError> {
        self.currency.get_or_try_init(async || Ok(self.balance().await?.currency())).await.copied()
    }

    async fn balance(&self) -> Result<Money, OperatorError> {
        let answer = self.session.get("/balance", &[]).await?.checked()?;
        let told = answer.json::<Wrapped<BalanceDoc>>()?.data.balances.available;
        let currency = Currency::parse(&told.currency).map_err(|why| OperatorError::Unknown { why })?;
        told.amount.money(currency).map_err(|why| OperatorError::Unknown { why })
    }

    async fn bought(&self, order: &PreparedOrder) -> BuyAnswer {
        if let Some((_, iccid)) = parts_of(&order.content_type, &order.body).iter().find(|(name, _)| name == "iccid") {
            self.kept.forget(iccid);
        }
        let outcome = match self.session.buy(&order.path, &order.content_type, &order.body).await {
            Ok(outcome) => outcome,
            Err(error) => return without_token(error),
        };
        match outcome.answered() {
            Ok(answer) => orders::outcome(&answer, order, self.currency.get().copied()),
            Err(told) => told,
        }
    }
}

fn iccid_of(card: &Card) -> Result<&str, OperatorError> {
    card.iccid.as_ref().map(|iccid| iccid.digits()).ok_or_else(|| OperatorError::Never {
        kind: RefusalKind::CardData,
        why: "Airalo needs the card's ICCID; add `iccid` to the card".into(),
    })
}

/// Without a token the order was not sent.
fn without_token(error: OperatorError) -> BuyAnswer {
    match error {
        OperatorError::Never { kind, why } => BuyAnswer::Refused(Refusal { kind, code: "token".into(), text: why }),
        OperatorError::Later { why, .. } | OperatorError::Unknown { why } => BuyAnswer::NotSent { why },
    }
}

impl Operator for Airalo {
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
            let mut readings: Vec<Result<Reading, OperatorError>> = Vec::with_capacity(cards.len());
            for card in cards {
                // Once Airalo says for how long it is to be left alone, the others wait as well.
                let reading = match readings.last() {
                    Some(Err(error @ OperatorError::Later { retry_after: Some(_), .. })) => Err(error.clone()),
                    Some(_) | None => self.reading(card, now, cards.len() > 1).await,
                };
                readings.push(reading);
            }
            readings
        })
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(async move {
            let (plans, _) = self.offers(card).await?;
            Ok(Catalogue::of(now, plans))
        })
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
            let (plans, operator_time) = self.offers(card).await?;
            Ok(Preflight { offer: plans.into_iter().find(|offer| offer.id == plan.id), operator_time })
        })
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        orders::prepared(card, order)
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(self.bought(order))
    }

    fn find<'a>(&'a self, _card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(orders::find(&self.session, order))
    }

    fn discover<'a>(&'a self, page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
        Box::pin(cards::listed(&self.session, page))
    }
}
