//! Reloadly Airtime API: top-up of phone numbers.
//!
//! Facts come from the vendor's published OpenAPI document and Java library, and from integrators' logs. No time that
//! Reloadly writes is used: transactions are dated by a clock five hours behind UTC and balances by UTC, both without a
//! zone, and orders are told apart by our own reference.

mod offers;
mod orders;
mod session;
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use self::offers::Place;
use self::session::Session;
use self::wire::{BalanceDoc, CountryDoc, OperatorDoc};
use super::http::{HttpClient, HttpSetupError, Way};
use super::kit::{never, unknown};
use super::{Answer, Kind, Operator, kit};
use crate::domain::card::{Card, tamed};
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Capabilities, Contact, Found, Lookup, OperatorError, Order, Preflight, PreparedOrder, Proof,
    RefusalKind, Repeat, SentOrder, Stacking, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::{CardState, Reading};
use crate::domain::time::{Secs, UnixTime};

/// The address of production; it is the token's audience too.
const BASE_URL: &str = "https://topups.reloadly.com";
/// The address of the sandbox, which has tokens of its own.
const SANDBOX_URL: &str = "https://topups-sandbox.reloadly.com";
/// Where tokens are given.
const AUTH_URL: &str = "https://auth.reloadly.com";
/// All hosts.
const HOSTS: &[&str] = &["topups.reloadly.com", "topups-sandbox.reloadly.com", "auth.reloadly.com"];
/// The name in messages.
const NAME: &str = "Reloadly";
/// The only way to pay.
const WALLET: &str = "wallet";
/// A card's field with its country, where the number alone does not tell it.
const COUNTRY_FIELD: &str = "country";
/// For so long a number's operator is believed.
const OPERATOR_KEPT_FOR: Duration = Duration::from_secs(86_400);
/// So many numbers are remembered with their operators.
const NUMBERS_MAX: usize = 20_000;

/// What Reloadly can do.
const CAPABILITIES: Capabilities = Capabilities {
    // A used `customIdentifier` is refused and "cannot be reused" (vendor's OpenAPI); seen in production by an integrator.
    repeat: Repeat::Refuses,
    // An identifier may be used up by a try that failed: not documented either way.
    burns_key: true,
    // `GET /topups/reports/transactions?customIdentifier=`. When a transaction shows is not documented: a day.
    lookup: Lookup::ByRef { listing_delay_secs: Secs::DAY.0 },
    processing_max: None,
    // Reloadly knows nothing of a number but the top-ups of it.
    proof: Proof::Order,
    // There is a state `REFUNDED`; how late it may come is not documented: a month.
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

/// Reloadly in the list of kinds.
pub const KIND: Kind =
    Kind { name: "reloadly", about: "top-up of prepaid numbers, Airtime API", capabilities: CAPABILITIES, terms };

fn terms() -> Terms {
    Terms::of(HOSTS, orders::FINAL_CODES, &[WALLET], &["msisdn"])
}

/// One account at Reloadly.
pub struct Reloadly {
    session: Session,
    /// The currency of the wallet, asked once: an account has one, and amounts are sent in it.
    currency: OnceCell<Currency>,
    /// Countries by their calling codes, asked once.
    countries: OnceCell<Vec<CountryDoc>>,
    /// The operator of each number, and since when it is known: numbers move between operators.
    operators: Mutex<HashMap<String, (Arc<str>, Instant)>>,
    lately: orders::Lately,
}

impl std::fmt::Debug for Reloadly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reloadly")
    }
}

impl Reloadly {
    /// An account, in production or in the sandbox. Touches no network.
    ///
    /// # Errors
    /// The address is not Reloadly's, or this system has no certificates.
    pub fn open(
        way: &Way,
        sandbox: bool,
        client_id: SecretString,
        client_secret: SecretString,
    ) -> Result<Self, HttpSetupError> {
        let audience = if sandbox { SANDBOX_URL } else { BASE_URL };
        let api = HttpClient::new(&way.settings(audience, HOSTS, CAPABILITIES.processing_max))?;
        let auth = HttpClient::new(&way.settings(AUTH_URL, HOSTS, CAPABILITIES.processing_max))?;
        Ok(Self {
            session: Session::new(way, api, auth, audience, client_id, client_secret),
            currency: OnceCell::new(),
            countries: OnceCell::new(),
            operators: Mutex::default(),
            lately: orders::Lately::default(),
        })
    }

    async fn balance(&self) -> Result<Money, OperatorError> {
        let doc: BalanceDoc = self.session.get("/accounts/balance", &[]).await?.checked()?.json()?;
        let currency = Currency::parse(&doc.currency_code).map_err(unknown)?;
        doc.balance.money_down(currency).map_err(unknown)
    }

    async fn currency(&self) -> Result<Currency, OperatorError> {
        self.currency.get_or_try_init(async || Ok(self.balance().await?.currency())).await.copied()
    }

    /// Where a card's number belongs: its own field, or else the only country with its calling code.
    async fn country(&self, card: &Card) -> Result<String, OperatorError> {
        let number = kit::msisdn_of(card, NAME)?;
        if let Some(code) = card.fields.get(COUNTRY_FIELD) {
            let right = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
            let why = || format!("`{}` is not a country code of two letters, such as GB", tamed(code, 20));
            return if right { Ok(code.clone()) } else { Err(never(RefusalKind::CardData, why())) };
        }
        let fetch = async || self.session.get("/countries", &[]).await?.checked()?.json();
        let countries: &Vec<CountryDoc> = self.countries.get_or_try_init(fetch).await?;
        offers::country_of(number, countries).ok_or_else(|| {
            let why = "the calling code does not tell the country of this number; add `country` to the card's fields, \
                       such as \"US\"";
            never(RefusalKind::CardData, why)
        })
    }

    /// What the number's operator sells now, and the operator's clock.
    async fn offers(&self, card: &Card) -> Result<(Vec<Plan>, Option<UnixTime>), OperatorError> {
        let (currency, country) = (self.currency().await?, self.country(card).await?);
        let number = kit::msisdn_of(card, NAME)?;
        let known = self.known_operator(number);
        let path = match &known {
            Some(id) => format!("/operators/{id}"),
            None => format!("/operators/auto-detect/phone/{number}/countries/{country}"),
        };
        let query = [("suggestedAmounts", "true"), ("suggestedAmountsMap", "true")];
        let answer = self.session.get(&path, &query).await?;
        if !answer.is_success() {
            return Err(session::read_error(&answer));
        }
        let doc: OperatorDoc = answer.json()?;
        if known.is_none() {
            self.remember(number, &doc)?;
        }
        let place = Place { country: &country, currency };
        Ok((offers::plans_of(&doc, &place)?, answer.date))
    }

    fn known_operator(&self, number: &str) -> Option<Arc<str>> {
        let all = self.operators.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(number).filter(|(_, since)| since.elapsed() < OPERATOR_KEPT_FOR).map(|(id, _)| Arc::clone(id))
    }

    fn remember(&self, number: &str, doc: &OperatorDoc) -> Result<(), OperatorError> {
        let id = offers::operator_id(doc).map_err(unknown)?;
        let mut all = self.operators.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= NUMBERS_MAX {
            all.clear();
        }
        all.insert(number.to_owned(), (id.into(), Instant::now()));
        Ok(())
    }
}

impl Operator for Reloadly {
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
        Box::pin(async move { Ok(Catalogue::of(now, self.offers(card).await?.0)) })
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
        Box::pin(orders::bought(&self.session, &self.lately, self.currency.get().copied(), order))
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(orders::find(&self.session, card, order))
    }
}
