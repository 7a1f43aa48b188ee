//! The adapter to the built-in sandbox operator (`docs/sandbox.md`): bearer token, JSON, one call for up to 500 cards.
//!
//! The sandbox plays three classes of operator and tells which one it plays; until it has told, the most careful one
//! is assumed.

mod orders;
mod readings;

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::http::{Call, HttpAnswer, HttpClient, HttpSettings, HttpSetupError};
use super::{Answer, Operator};
use crate::domain::card::{Card, tamed};
use crate::domain::data::DataSize;
use crate::domain::identity::Iccid;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{
    BuyAnswer, Capabilities, CardPage, Contact, Found, ListedCard, Lookup, OperatorError, Order, Preflight,
    PreparedOrder, Proof, RefusalKind, Repeat, SentOrder, Stacking, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Contents, Plan};
use crate::domain::reading::Reading;
use crate::domain::time::{Secs, UnixTime};

/// Cards that one call may name.
const READ_BATCH: usize = 500;
/// Bytes that the answer for so many cards may have: sixteen packages each, and room.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// Codes that mean "not accepted, for certain", as the sandbox's manual lists them.
const FINAL_CODES: &[&str] = &[
    "wallet_empty",
    "payment_declined",
    "plan_gone",
    "price_changed",
    "card_recycled",
    "card_one_off",
    "card_not_active",
    "card_blocked",
    "card_unknown",
    "code_invalid",
    "account_blocked",
    "maintenance",
    "token_expired",
    "bad_request",
];

/// What is assumed of a sandbox that has not answered yet: a repeat pays again, and nothing can be looked up.
const CAREFUL: Capabilities = Capabilities {
    repeat: Repeat::Pays,
    burns_key: true,
    lookup: Lookup::None,
    processing_max: None,
    proof: Proof::AssetIds,
    late_change: None,
    two_phase: None,
    read_batch: READ_BATCH,
    cached_for: Secs::ZERO,
    effect_max: Secs::DAY,
    takes_codes: true,
    discovers: true,
    stacking: Stacking::Queues,
};

/// How long a start waits to learn what a sandbox can do.
const LEARN_WAITS: Duration = Duration::from_secs(1);

/// One account at a sandbox.
pub struct SandboxOperator {
    http: HttpClient,
    key: SecretString,
    capabilities: OnceLock<Capabilities>,
}

impl SandboxOperator {
    /// Prepares the way to a sandbox and asks what it can do. A sandbox that is down is asked again with the next
    /// reading.
    ///
    /// # Errors
    /// The address is none that may be talked to.
    pub async fn connect(settings: &HttpSettings, key: SecretString) -> Result<Self, HttpSetupError> {
        let operator = Self { http: HttpClient::new(settings)?, key, capabilities: OnceLock::new() };
        // Whoever is asked and does not answer is asked again with the next reading; the start does not wait for it.
        let _in_time = tokio::time::timeout(LEARN_WAITS, operator.learn()).await;
        Ok(operator)
    }

    /// Asks what the sandbox can do, unless that is known. A failure shows in the next call, so it is not told here.
    async fn learn(&self) {
        if self.capabilities.get().is_some() {
            return;
        }
        if let Ok(told) = self.get::<CapabilitiesWire>("/v1/capabilities", &[]).await
            && let Some(capabilities) = told.0.declared()
        {
            // Two calls may learn the same at once; the first one stays.
            self.capabilities.get_or_init(|| capabilities);
        }
    }

    async fn fetch(&self, path: &str, query: &[(&str, &str)]) -> Result<HttpAnswer, OperatorError> {
        self.http.read(Call::get(path).query(query).bearer(&self.key)).await
    }

    /// A document, and the operator's time.
    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<(T, Option<UnixTime>), OperatorError> {
        let answer = self.fetch(path, query).await?;
        if let Some(error) = listed_error(&answer) {
            return Err(error);
        }
        let date = answer.date;
        Ok((answer.checked()?.json()?, date))
    }

    async fn wallet_now(&self) -> Result<Wallet, OperatorError> {
        let (told, _) = self.get::<WalletWire>("/v1/wallet", &[]).await?;
        Ok(Wallet { balance: Some(money(&told.balance, &told.currency)?), methods: told.methods })
    }

    async fn catalogue_of(&self, card: &Card, now: UnixTime) -> Result<Catalogue, OperatorError> {
        let path = format!("/v1/cards/{}/plans", iccid(card)?);
        let (told, _) = self.get::<PlansWire>(&path, &[]).await?;
        let plans = told.plans.into_iter().map(PlanWire::plan).collect::<Result<_, _>>()?;
        Ok(Catalogue::of(now, plans))
    }

    async fn listed(&self, page: Option<&str>) -> Result<CardPage, OperatorError> {
        let number = page.unwrap_or("1");
        let (told, _) = self.get::<CardsWire>("/v1/cards", &[("page", number)]).await?;
        let card = |iccid: String| {
            let iccid = Iccid::parse(&iccid).map_err(|why| OperatorError::Unknown { why })?;
            Ok(ListedCard { iccid: Some(iccid), msisdn: None, label: None, fields: BTreeMap::new() })
        };
        let cards = told.iccids.into_iter().map(card).collect::<Result<_, OperatorError>>()?;
        Ok(CardPage { cards, next: (told.page < told.pages).then(|| (told.page + 1).to_string()) })
    }

    async fn price_of(&self, card: &Card, plan: &Plan, code: Option<&str>) -> Result<Preflight, OperatorError> {
        let id = path_part(&plan.id)?;
        let path = format!("/v1/cards/{}/plans/{id}", iccid(card)?);
        let query: Vec<_> = code.map(|code| ("code", code)).into_iter().collect();
        let answer = self.fetch(&path, &query).await?;
        let operator_time = answer.date;
        if answer.status == 404 && error_code(&answer).is_some_and(|error| error.code == "plan_gone") {
            return Ok(Preflight { offer: None, operator_time });
        }
        if let Some(error) = listed_error(&answer) {
            return Err(error);
        }
        let offer = answer.checked()?.json::<PlanWire>()?.plan()?;
        if offer.id != plan.id {
            return Err(OperatorError::Unknown { why: "the price is that of another plan".into() });
        }
        Ok(Preflight { offer: Some(offer), operator_time })
    }
}

impl Operator for SandboxOperator {
    fn capabilities(&self) -> &Capabilities {
        self.capabilities.get().unwrap_or(&CAREFUL)
    }

    fn terms(&self) -> Terms {
        Terms::of(&["127.0.0.1", "localhost"], FINAL_CODES, &["wallet", "card", "paypal", "alipay"], &["iccid"])
    }

    fn read<'a>(&'a self, cards: &'a [Card], now: UnixTime) -> Answer<'a, Vec<Result<Reading, OperatorError>>> {
        Box::pin(self.read_cards(cards, now))
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(self.catalogue_of(card, now))
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        Box::pin(self.wallet_now())
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(self.price_of(card, plan, code))
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        orders::prepared(iccid(card)?, order)
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(self.place(order))
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(self.look_up(card, order))
    }

    fn discover<'a>(&'a self, page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
        Box::pin(self.listed(page))
    }

    fn contact(&self) -> Contact {
        self.http.contact()
    }
}

/// What the sandbox says it can do.
#[derive(Deserialize)]
struct CapabilitiesWire {
    class: String,
    key_window_secs: Option<i64>,
    lookup: String,
    listing_delay_secs: i64,
    processing_max_secs: Option<i64>,
    effect_max_secs: i64,
    cached_for_secs: i64,
    read_batch: usize,
    #[serde(default = "reads")]
    reads: bool,
    #[serde(default = "queues")]
    stacking: Stacking,
}

/// One that does not say reads.
const fn reads() -> bool {
    true
}

/// One that does not say how plans add to each other lets them follow each other.
const fn queues() -> Stacking {
    CAREFUL.stacking
}

impl CapabilitiesWire {
    /// None if it names a class or a look-up that this adapter does not know; the careful choice then stays.
    fn declared(self) -> Option<Capabilities> {
        let listing_delay_secs = self.listing_delay_secs;
        let repeat = match (self.class.as_str(), self.key_window_secs) {
            ("key-honoured", Some(window)) => Repeat::Replays(Secs(window)),
            ("lookup-only" | "neither", _) => Repeat::Pays,
            _ => return None,
        };
        let lookup = match self.lookup.as_str() {
            "reference" => Lookup::ByRef { listing_delay_secs },
            "list" => Lookup::ByList { listing_delay_secs },
            "none" => Lookup::None,
            _ => return None,
        };
        Some(Capabilities {
            repeat,
            lookup,
            processing_max: self.processing_max_secs.map(Secs),
            effect_max: Secs(self.effect_max_secs),
            cached_for: Secs(self.cached_for_secs),
            read_batch: self.read_batch.clamp(1, READ_BATCH),
            proof: if self.reads { CAREFUL.proof } else { Proof::Order },
            // Its fault `fails_later` takes orders back as late as it is told; docs/sandbox.md promises three days.
            late_change: Some(Secs::days(3)),
            stacking: self.stacking,
            ..CAREFUL
        })
    }
}

#[derive(Deserialize)]
struct WalletWire {
    balance: String,
    currency: String,
    methods: Vec<String>,
}

#[derive(Deserialize)]
struct CardsWire {
    iccids: Vec<String>,
    page: u64,
    pages: u64,
}

#[derive(Deserialize)]
struct PlansWire {
    plans: Vec<PlanWire>,
}

#[derive(Deserialize)]
struct PlanWire {
    id: String,
    name: String,
    validity_secs: Option<i64>,
    data_bytes: Option<u64>,
    unlimited_data: bool,
    voice_secs: Option<u64>,
    sms: Option<u64>,
    credit: Option<String>,
    price: String,
    currency: String,
}

impl PlanWire {
    fn plan(self) -> Result<Plan, OperatorError> {
        let credit = self.credit.as_deref().map(|credit| money(credit, &self.currency)).transpose()?;
        let contents = Contents {
            data_bytes: self.data_bytes.map(DataSize).map(DataSize::bytes),
            unlimited_data: self.unlimited_data,
            voice_secs: self.voice_secs,
            sms: self.sms,
            credit,
        };
        let price = money(&self.price, &self.currency)?;
        let name = tamed(&self.name, 120);
        Ok(Plan { id: self.id, name, contents, validity_secs: self.validity_secs, price })
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorWire,
}

/// The sandbox's own words for what is wrong.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct ErrorWire {
    code: String,
    #[serde(default)]
    message: String,
}

fn error_code(answer: &HttpAnswer) -> Option<ErrorWire> {
    answer.document::<ErrorBody>().ok().map(|body| body.error)
}

/// What a listed code in the answer to a question means. Codes beside a 5xx mean nothing.
fn listed_error(answer: &HttpAnswer) -> Option<OperatorError> {
    if answer.status >= 500 || answer.status == 429 {
        return None;
    }
    error_code(answer).and_then(|error| error.meaning())
}

impl ErrorWire {
    fn meaning(&self) -> Option<OperatorError> {
        let kind = refusal_kind(&self.code)?;
        Some(OperatorError::Never { kind, why: tamed(&format!("{} ({})", self.message, self.code), 200) })
    }
}

/// What a code in [`FINAL_CODES`] means for the next step.
fn refusal_kind(code: &str) -> Option<RefusalKind> {
    let kind = match code {
        "wallet_empty" => RefusalKind::WalletEmpty,
        "payment_declined" => RefusalKind::PaymentDeclined,
        "plan_gone" | "price_changed" => RefusalKind::PlanGone,
        "card_recycled" | "card_one_off" => RefusalKind::CardDead,
        "card_not_active" => RefusalKind::NotActive,
        "card_unknown" | "bad_request" => RefusalKind::CardData,
        "code_invalid" => RefusalKind::BadCode,
        "account_blocked" | "token_expired" => RefusalKind::Access,
        "maintenance" => RefusalKind::Passing,
        "card_blocked" => RefusalKind::Other,
        _ => return None,
    };
    Some(kind)
}

fn iccid(card: &Card) -> Result<&str, OperatorError> {
    card.iccid.as_ref().map(Iccid::digits).ok_or_else(|| OperatorError::Never {
        kind: RefusalKind::CardData,
        why: format!("{} has no ICCID, by which the sandbox knows its cards", card.name),
    })
}

/// An id that may stand in a path as it is.
fn path_part(id: &str) -> Result<&str, OperatorError> {
    let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if plain {
        return Ok(id);
    }
    Err(OperatorError::Never {
        kind: RefusalKind::PlanGone,
        why: format!("`{}` is not the id of a plan of the sandbox", tamed(id, 80)),
    })
}

fn money(number: &str, currency: &str) -> Result<Money, OperatorError> {
    let read = Currency::parse(currency).and_then(|currency| Money::from_decimal(number, currency));
    read.map_err(|why| OperatorError::Unknown { why: tamed(&why, 200) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_final_code_has_a_meaning() {
        for code in FINAL_CODES {
            assert!(refusal_kind(code).is_some(), "{code}");
        }
        assert_eq!(refusal_kind("in_progress"), None);
        assert_eq!(refusal_kind("reference_used"), None);
    }

    #[test]
    fn only_plain_ids_stand_in_paths() {
        assert!(path_part("data-1gb-7d").is_ok());
        for bad in ["", "../wallet", "a/b", "a?b", "ü"] {
            assert!(path_part(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_unknown_class_leaves_the_careful_choice() {
        let told = |class: &str| {
            let text = format!(
                r#"{{"class":"{class}","key_window_secs":60,"lookup":"reference","listing_delay_secs":5,
                "processing_max_secs":null,"effect_max_secs":1,"cached_for_secs":2,"read_batch":9999}}"#
            );
            serde_json::from_str::<CapabilitiesWire>(&text).unwrap().declared()
        };
        let known = told("key-honoured").unwrap();
        assert_eq!((known.repeat, known.read_batch), (Repeat::Replays(Secs(60)), READ_BATCH));
        assert_eq!(told("generous"), None);
    }
}
