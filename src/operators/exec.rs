//! `kind = "exec"`: a program answers for an operator. For each call it is started, gets one JSON request on its standard
//! input, and writes one JSON answer to its standard output (docs/exec.md).
//!
//! The program says what its operator can do; what it does not say is assumed to be the worst. An order is handed over
//! once: whatever goes wrong after the program was started is a doubt, and only its own word makes it a refusal.

mod answers;
mod declared;
mod process;
mod wire;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Value, json};

use self::declared::CapabilitiesDoc;
use self::process::{Failure, run};
use self::wire::{CardPageDoc, CatalogueDoc, PreflightDoc, ReadingsDoc, WalletDoc};
use super::kit::{JSON, doubtful, no_code, unknown};
use super::{Answer, Operator};
use crate::domain::card::Card;
use crate::domain::operator::{
    BuyAnswer, Capabilities, CardPage, Doubt, Found, MOST_CAREFUL, OperatorError, Order, Preflight, PreparedOrder,
    SentOrder, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::Reading;
use crate::domain::time::UnixTime;

/// The version of the requests and answers.
const VERSION: u32 = 1;
/// How long a start waits to learn what a program can do.
const LEARN_WAITS: Duration = Duration::from_secs(5);
/// The path of an order's bytes, which go to no address.
const PATH: &str = "exec";

/// A program, and what it is handed with each request.
#[derive(Clone, Debug)]
pub struct ExecSettings {
    /// The name of the account.
    pub account: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// How long one call may take.
    pub limit: Duration,
    /// Secrets that stand in each request.
    pub secrets: BTreeMap<String, SecretString>,
}

/// One account behind a program.
#[derive(Debug)]
pub struct Exec {
    settings: ExecSettings,
    told: OnceLock<(Capabilities, Terms)>,
}

impl Exec {
    /// Starts the program once to ask what its operator can do. A program that fails is asked again with the next
    /// reading, and until it has told, the worst is assumed.
    pub async fn connect(settings: ExecSettings) -> Self {
        let exec = Self { settings, told: OnceLock::new() };
        let learned = tokio::time::timeout(LEARN_WAITS, exec.learn()).await;
        if let Ok(Err(error)) = learned {
            tracing::warn!(account = exec.settings.account, %error, "the program did not say what it can do");
        }
        exec
    }

    async fn learn(&self) -> Result<(), OperatorError> {
        if self.told.get().is_some() {
            return Ok(());
        }
        let told: CapabilitiesDoc = self.ask("capabilities", json!({})).await?;
        let declared = told.declared().map_err(unknown)?;
        // Two calls may learn the same at once; the first one stays.
        self.told.get_or_init(|| declared);
        Ok(())
    }

    /// One request and its answer, where nothing is at stake.
    async fn ask<T: serde::de::DeserializeOwned>(&self, call: &str, about: Value) -> Result<T, OperatorError> {
        let bytes = self.hand_over(call, &about).await.map_err(Failure::into_error)?;
        answers::read(&bytes)
    }

    async fn hand_over(&self, call: &str, about: &Value) -> Result<Vec<u8>, Failure> {
        let secrets: BTreeMap<&str, &str> =
            self.settings.secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose_secret())).collect();
        let request = Request { version: VERSION, call, account: &self.settings.account, secrets, about };
        let bytes = serde_json::to_vec(&request).map_err(|error| Failure::not_started(error.to_string()))?;
        run(&self.settings, &bytes).await
    }

    async fn read_cards(&self, cards: &[Card], now: UnixTime) -> Vec<Result<Reading, OperatorError>> {
        // What it can do is told before the first reading, or the reading says what is wrong.
        let learned = self.learn().await;
        let asked = match learned {
            Ok(()) => {
                self.ask::<ReadingsDoc>(
                    "read",
                    json!({ "now": now, "cards": cards.iter().map(wire::numbers_of).collect::<Vec<_>>() }),
                )
                .await
            }
            Err(error) => Err(error),
        };
        match asked {
            Ok(told) => told.of_cards(cards, now),
            Err(error) => vec![Err(error); cards.len()],
        }
    }

    async fn order(&self, order: &PreparedOrder) -> BuyAnswer {
        let Ok(about) = serde_json::from_slice::<Value>(&order.body) else {
            return BuyAnswer::NotSent { why: "the stored order is no JSON document".into() };
        };
        match self.hand_over("buy", &about).await {
            Ok(bytes) => answers::bought(&bytes, order.key.as_str()),
            Err(Failure::NotStarted { why }) => BuyAnswer::NotSent { why },
            Err(Failure::TimedOut { why }) => doubtful(Doubt::TimedOut, why),
            Err(Failure::Broken { why }) => doubtful(Doubt::Broken, why),
        }
    }
}

/// One request. `about` is what the call is about, beside the other keys.
#[derive(Serialize)]
struct Request<'a> {
    version: u32,
    call: &'a str,
    account: &'a str,
    secrets: BTreeMap<&'a str, &'a str>,
    #[serde(flatten)]
    about: &'a Value,
}

impl Operator for Exec {
    fn capabilities(&self) -> &Capabilities {
        self.told.get().map_or(&MOST_CAREFUL, |(capabilities, _)| capabilities)
    }

    fn terms(&self) -> Terms {
        self.told.get().map(|(_, terms)| terms.clone()).unwrap_or_default()
    }

    fn read<'a>(&'a self, cards: &'a [Card], now: UnixTime) -> Answer<'a, Vec<Result<Reading, OperatorError>>> {
        Box::pin(self.read_cards(cards, now))
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(async move {
            let told: CatalogueDoc =
                self.ask("catalogue", json!({ "now": now, "card": wire::numbers_of(card) })).await?;
            Ok(Catalogue::of(now, told.plans().map_err(unknown)?))
        })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        Box::pin(async move {
            let told: WalletDoc = self.ask("wallet", json!({})).await?;
            told.wallet().map_err(unknown)
        })
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(async move {
            let about = json!({ "card": wire::numbers_of(card), "plan": plan, "code": code });
            let told: PreflightDoc = self.ask("preflight", about).await?;
            told.preflight(plan).map_err(unknown)
        })
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        if !self.capabilities().takes_codes {
            no_code(order, "this operator")?;
        }
        let about = json!({
            "key": order.key.as_str(),
            "card": wire::numbers_of(card),
            "plan": order.plan,
            "payment": order.payment,
            "code": order.code,
        });
        let body = about.to_string().into_bytes();
        Ok(PreparedOrder { key: order.key.clone(), path: PATH.into(), content_type: JSON.into(), body })
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(self.order(order))
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(async move {
            let about = json!({
                "card": wire::numbers_of(card),
                "key": order.key.as_str(),
                "order_id": order.order_id,
                "plan_id": order.plan_id,
                "price": order.price,
                "first_sent_at": order.first_sent_at,
            });
            let told: wire::FoundDoc = self.ask("find", about).await?;
            told.found(order).map_err(unknown)
        })
    }

    fn discover<'a>(&'a self, page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
        Box::pin(async move {
            let told: CardPageDoc = self.ask("discover", json!({ "page": page })).await?;
            told.page().map_err(unknown)
        })
    }
}
