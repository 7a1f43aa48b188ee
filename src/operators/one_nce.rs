//! 1NCE API: SIM cards with a bundle of data and texts for years; top-ups add to the bundle, an extension adds life.
//!
//! A top-up has neither a body nor a price nor a volume in the API: what it is stands in the contract, so the owner
//! states it. Facts come from the vendor's OpenAPI documents (SIM management v1 and v2, orders, authorization) and the
//! vendor's page on rate limits. What they do not say is declared as the most careful choice.

mod fleet;
mod orders;
mod session;
mod wire;

use secrecy::SecretString;

use self::fleet::Fleet;
use self::session::Session;
use super::http::{HttpClient, HttpSetupError, Way};
use super::kit::{iccid_of, never};
use super::{Answer, Kind, Operator};
use crate::domain::card::Card;
use crate::domain::operator::{
    BuyAnswer, Capabilities, CardPage, Contact, Found, Lookup, OperatorError, Order, Preflight, PreparedOrder, Proof,
    RefusalKind, Repeat, SentOrder, Stacking, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::{CardState, Reading};
use crate::domain::time::{Secs, UnixTime};

/// The address of the API; there is no sandbox.
const BASE_URL: &str = "https://api.1nce.com/management-api";
/// The only host.
const HOST: &str = "api.1nce.com";
/// The operator's name in messages.
const NAME: &str = "1NCE";
/// Digits of a number without its check digit.
const ICCID_DIGITS: usize = 19;
/// The plan that adds volume to one card.
pub const TOPUP: &str = "topup";
/// The plan that adds life to one card and renews its bundle; the only one for an expired card.
pub const EXTENSION: &str = "extension";
/// Ways to pay. With none, or with another word, 1NCE silently falls back to a bank transfer, so one is always sent.
const METHODS: &[&str] = &["creditcard", "monthlyinvoice", "banktransfer", "boleto"];

/// What 1NCE can do.
const CAPABILITIES: Capabilities = Capabilities {
    // Neither a key nor a reference exists for a top-up: a second POST is a second order.
    repeat: Repeat::Pays,
    burns_key: false,
    // `GET /v1/orders`, by type, card and date. When a new order shows is not documented: a day, to be careful.
    lookup: Lookup::ByList { listing_delay_secs: Secs::DAY.0 },
    // Not documented.
    processing_max: None,
    // The sum of all volumes ever added together with the expiry date: a purchase changes them, and use does not.
    proof: Proof::AssetIds,
    // Not documented.
    late_change: None,
    two_phase: None,
    // A list of 100 cards a page.
    read_batch: 10_000,
    // How old the quota is, is not documented.
    cached_for: Secs::minutes(20),
    // Not documented; paid late (bank transfer), the volume may come late.
    effect_max: Secs::DAY,
    takes_codes: false,
    discovers: true,
    // Not documented.
    stacking: Stacking::Unknown,
};

/// 1NCE in the list of kinds.
pub const KIND: Kind = Kind {
    name: "1nce",
    about: "SIM cards with a bundle for years: top-ups and extensions",
    capabilities: CAPABILITIES,
    terms,
};

fn terms() -> Terms {
    Terms::of(&[HOST], orders::FINAL_CODES, METHODS, &["iccid"])
}

/// One customer at 1NCE.
pub struct OneNce {
    session: Session,
    fleet: Fleet,
    plans: Vec<Plan>,
}

impl std::fmt::Debug for OneNce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OneNce")
    }
}

impl OneNce {
    /// A customer by an API user's name and password, and what a purchase is by the owner's contract: plans with the
    /// ids `topup` and `extension`, others are left out. Touches no network.
    ///
    /// # Errors
    /// The address is not 1NCE's, or this system has no certificates.
    pub fn open(way: &Way, user: &str, password: &SecretString, top_ups: Vec<Plan>) -> Result<Self, HttpSetupError> {
        let settings = way.settings(BASE_URL, &[HOST], CAPABILITIES.processing_max);
        let (plans, others): (Vec<Plan>, Vec<Plan>) =
            top_ups.into_iter().partition(|plan| [TOPUP, EXTENSION].contains(&plan.id.as_str()));
        for other in others {
            tracing::warn!(plan = other.id, "1NCE sells `topup` and `extension` only; this plan is left out");
        }
        let session = Session::new(HttpClient::new(&settings)?, user, password);
        Ok(Self { session, fleet: Fleet::default(), plans })
    }

    /// The plans for a card: an expired one can only be extended.
    async fn offers(&self, card: &Card, now: UnixTime) -> Result<(Vec<Plan>, Option<UnixTime>), OperatorError> {
        let reading = self.fleet.one(&self.session, short_iccid(card)?, now).await?;
        let expired = reading.state == CardState::Expired;
        let plans = self.plans.iter().filter(|plan| !expired || plan.id == EXTENSION).cloned().collect();
        Ok((plans, self.session.contact().clock))
    }
}

/// The card's number without its check digit, under which 1NCE keeps its cards.
fn short_iccid(card: &Card) -> Result<&str, OperatorError> {
    let iccid = iccid_of(card, NAME)?;
    Ok(iccid.get(..ICCID_DIGITS).unwrap_or(iccid))
}

impl Operator for OneNce {
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
        Box::pin(self.fleet.read(&self.session, cards, now))
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(async move {
            if self.plans.is_empty() {
                let why = "1NCE does not tell what a top-up holds and costs; describe it in the account's `plans`";
                return Err(never(RefusalKind::PlanGone, why));
            }
            let (plans, _) = self.offers(card, now).await?;
            Ok(Catalogue::of(now, plans))
        })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        // 1NCE sends invoices and keeps no balance, and which ways to pay are set up is not told.
        let methods = METHODS.iter().map(|method| (*method).to_owned()).collect();
        Box::pin(async { Ok(Wallet { balance: None, methods }) })
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        _code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(async move {
            // The time only dates the reading that is looked at here.
            let now = self.session.contact().clock.unwrap_or(UnixTime::clamped(0));
            let (plans, operator_time) = self.offers(card, now).await?;
            Ok(Preflight { offer: plans.into_iter().find(|offer| offer.id == plan.id), operator_time })
        })
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        orders::prepared(card, order)
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(orders::buy(&self.session, order))
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(orders::find(&self.session, card, order))
    }

    fn discover<'a>(&'a self, page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
        Box::pin(fleet::listed(&self.session, page))
    }
}
