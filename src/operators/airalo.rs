//! Airalo Partners API v2: travel eSIMs that are topped up.
//!
//! Facts come from the vendor's published OpenAPI documents, the vendor's SDKs (PHP, Node, Python) and the vendor's
//! developer pages, as far as they agree; where they do not, the newer one counts. What none of them says is declared
//! as the most careful choice.

mod offers;
mod orders;
mod pace;
mod reading;
mod session;
mod wire;

use secrecy::SecretString;
use tokio::sync::OnceCell;

use self::session::{Session, read_error};
use self::wire::{BalanceDoc, HistoryDoc, TopupsDoc, UsageDoc, Wrapped};
use super::http::{HttpAnswer, HttpClient, HttpSettings, HttpSetupError};
use super::{Answer, Operator};
use crate::domain::card::Card;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Capabilities, Found, Lookup, OperatorError, Order, Preflight, PreparedOrder, Proof, Refusal,
    RefusalKind, Repeat, SentOrder, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::{CardState, Reading};
use crate::domain::time::{Secs, UnixTime};

/// The address of production and sandbox alike: the sandbox is a mode of the account.
pub const BASE_URL: &str = "https://partners-api.airalo.com/v2";
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
    final_codes: orders::FINAL_CODES,
    read_batch: 1,
    // Usage is answered from a cache of 20 minutes, in the sandbox of 60.
    cached_for: CACHED_FOR,
    // Not documented.
    effect_max: Secs::hours(24),
    takes_codes: false,
    needs_fields: &[],
    payment_methods: &[WALLET],
};

/// One account at Airalo.
pub struct Airalo {
    session: Session,
    /// The currency of the wallet, asked once: an account has one, and prices are told in it.
    currency: OnceCell<Currency>,
}

impl std::fmt::Debug for Airalo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Airalo")
    }
}

impl Airalo {
    /// An account at `base_url`, which is [`BASE_URL`] but for tests. Touches no network.
    ///
    /// # Errors
    /// The address is not Airalo's, or this system has no certificates.
    pub fn new(base_url: &str, client_id: SecretString, client_secret: SecretString) -> Result<Self, HttpSetupError> {
        let mut settings = HttpSettings::new(base_url, &["partners-api.airalo.com"]);
        settings.buy_limit = HttpSettings::buy_limit(CAPABILITIES.processing_max);
        let session = Session::new(HttpClient::new(&settings)?, client_id, client_secret);
        Ok(Self { session, currency: OnceCell::new() })
    }

    async fn reading(&self, card: &Card, now: UnixTime) -> Result<Reading, OperatorError> {
        let iccid = iccid_of(card)?;
        let Wrapped { data: usage } = self.of_card::<Wrapped<UsageDoc>>(iccid, "usage").await?;
        if reading::state_of(&usage) == CardState::Recycled {
            return Ok(reading::recycled(now));
        }
        let Wrapped { data: history } = self.of_card::<Wrapped<Vec<HistoryDoc>>>(iccid, "packages").await?;
        let sold = offers::ids_of(&self.of_card::<TopupsDoc>(iccid, "topups").await?);
        reading::reading_of(&usage, history, &sold, now).map_err(|why| OperatorError::Unknown { why })
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
        Box::pin(async move {
            let (plans, _) = self.offers(card).await?;
            Ok(Catalogue { fetched_at: now, plans })
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
}
