//! TMF654 Prepay Balance Management v4 (TM Forum): any operator that serves this interface.
//!
//! Facts come from the published descriptions of v4.0.0 and v4.1.0 and the samples beside them, and from one open server
//! in use. A standard says what an answer looks like, not what an operator does, so everything that the engine decides by
//! is declared as the most careful choice.

mod buckets;
mod session;
mod topups;
mod units;
mod wire;

use std::time::Duration;

use secrecy::SecretString;

use self::buckets::{Known, Match, Target};
use self::session::{Session, host_of};
use self::units::Bare;
use self::wire::BucketDoc;
use super::http::{BuyOutcome, HttpSetupError, Way};
use super::kit::{Recall, iccid_of, lacks, msisdn_of, never, no_code, not_bought, unknown, wallet_only};
use super::{Answer, Kind, Operator};
use crate::domain::card::Card;
use crate::domain::money::Currency;
use crate::domain::operator::{
    BuyAnswer, Capabilities, Contact, Found, Lookup, OperatorError, Order, Preflight, PreparedOrder, Proof,
    RefusalKind, Repeat, SentOrder, Stacking, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::Reading;
use crate::domain::time::{Secs, UnixTime};

/// The name that messages use.
const NAME: &str = "this operator (TMF654)";
/// The standard has no wallet; the owner's account is charged as its contract says.
const WALLET: &str = "wallet";
/// The type of bodies that both versions declare.
const JSON_UTF8: &str = "application/json;charset=utf-8";
/// Where a top-up goes is remembered from a reading for so long.
const READING_FRESH: Duration = Duration::from_secs(3_600);

/// What any such operator can do.
const CAPABILITIES: Capabilities = Capabilities {
    // No version declares an idempotency key or header.
    repeat: Repeat::Pays,
    burns_key: false,
    // No version has a client reference; the free text `reason` is echoed in the list. When a new row shows is not said.
    lookup: Lookup::ByList { listing_delay_secs: Secs::DAY.0 },
    processing_max: None,
    proof: Proof::Balance,
    // The events for failed and cancelled top-ups say that a state may turn; how late is not said: a month.
    late_change: Some(Secs::days(31)),
    two_phase: None,
    // The list of buckets is of the whole server and not of one account.
    read_batch: 1,
    cached_for: Secs::minutes(20),
    effect_max: Secs::hours(24),
    takes_codes: false,
    discovers: false,
    // Not documented.
    stacking: Stacking::Unknown,
};

/// The standard in the list of kinds.
pub const KIND: Kind = Kind {
    name: "tmf654",
    about: "any operator with TM Forum Prepay Balance Management v4",
    capabilities: CAPABILITIES,
    terms,
};

/// Of the kind: the host and what a card needs are the account's.
fn terms() -> Terms {
    Terms::of(&[], topups::FINAL_CODES, &[WALLET], &[])
}

/// Which shape of the same base path a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// v4.0.0: top-ups have lists of products and resources, and must name bucket and account.
    V4_0,
    /// v4.1.0: top-ups have one product and one resource.
    V4_1,
}

/// How an account signs in.
#[derive(Clone, Debug)]
pub enum Access {
    /// `Authorization: Bearer`.
    Bearer(SecretString),
    /// HTTP Basic.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// Client credentials of OAuth 2.0.
    OAuth2 {
        /// The token endpoint, on the same host or another that is named by this.
        token_url: String,
        /// The client.
        client_id: String,
        /// Its secret.
        client_secret: SecretString,
        /// What is asked for, if anything must be.
        scope: Option<String>,
    },
}

/// By what the operator knows a card; the standard does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardKey {
    /// Its phone number is the value or id of a logical resource.
    Msisdn,
    /// Its ICCID is.
    Iccid,
    /// The card's field of this name is.
    Resource(String),
    /// The card's field of this name is the id of a product.
    Product(String),
}

/// One account at one operator.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address above `/bucket`, such as `https://api.example.net/tmf-api/prepayBalanceManagement/v4`. Its host is the
    /// only one that is talked to, beside that of a token endpoint.
    pub base_url: String,
    /// The version.
    pub version: Version,
    /// How to sign in.
    pub access: Access,
    /// By what a card is known.
    pub card_key: CardKey,
    /// The currency of money whose unit is left out or is cents.
    pub currency: Currency,
    /// The unit of data that is left out, such as `MB`.
    pub data_unit: Option<String>,
    /// The sales channel, if the operator wants one.
    pub channel: Option<String>,
    /// What the owner says a top-up costs: contents are credit.
    pub plans: Vec<Plan>,
}

/// One account at one operator.
pub struct Tmf654 {
    session: Session,
    settings: Settings,
    hosts: Vec<String>,
    bare: Bare,
    targets: Recall<Vec<Target>>,
}

impl std::fmt::Debug for Tmf654 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tmf654({})", self.hosts.join(", "))
    }
}

impl Tmf654 {
    /// An account. Touches no network.
    ///
    /// # Errors
    /// An address is none or not encrypted, or this system has no certificates.
    pub fn open(way: &Way, settings: Settings) -> Result<Self, HttpSetupError> {
        let session = Session::new(way, &settings)?;
        let mut hosts = vec![host_of(&settings.base_url)?];
        if let Access::OAuth2 { token_url, .. } = &settings.access {
            hosts.push(host_of(token_url)?);
            hosts.dedup();
        }
        let data_bytes = settings.data_unit.as_deref().and_then(units::data_unit);
        let bare = Bare { currency: settings.currency, data_bytes };
        Ok(Self { session, settings, hosts, bare, targets: Recall::new(READING_FRESH) })
    }

    async fn reading(&self, card: &Card, now: UnixTime) -> Result<Reading, OperatorError> {
        self.targets.forget(card.id);
        let (known, ours) = (self.known(card)?, self.own_buckets(card).await?);
        let (reading, targets) = buckets::reading_of(&ours, known, self.bare, now).map_err(unknown)?;
        self.targets.put(card.id, targets);
        Ok(reading)
    }

    async fn own_buckets(&self, card: &Card) -> Result<Vec<BucketDoc>, OperatorError> {
        let known = self.known(card)?;
        let mut ours = Vec::new();
        for bucket in self.buckets(known).await? {
            match known.matches(bucket.logical_resource.as_ref(), bucket.product.as_ref()) {
                Match::Ours => ours.push(bucket),
                Match::Other => {}
                Match::Untold => return Err(unknown("a bucket does not say whose it is")),
            }
        }
        if ours.is_empty() {
            let why = format!(
                "{NAME} has no bucket for `{}`; if it knows the card by another id, name that in the card and in the account's `card_by`",
                known.text()
            );
            return Err(never(RefusalKind::CardData, why));
        }
        Ok(ours)
    }

    /// The buckets of a card, and of others where the server does not filter.
    async fn buckets(&self, known: Known<'_>) -> Result<Vec<BucketDoc>, OperatorError> {
        let name = match (known, self.settings.version) {
            (Known::Product(_), _) => "product.id",
            (Known::Resource(_), _) | (_, Version::V4_0) => "logicalResource.id",
            (Known::Msisdn(_) | Known::Iccid(_), Version::V4_1) => "logicalResource.value",
        };
        let id = |bucket: &BucketDoc| bucket.id.as_ref().map(|id| id.as_str().to_owned());
        self.session.list("/bucket", &[(name, known.text())], id).await
    }

    fn known<'a>(&self, card: &'a Card) -> Result<Known<'a>, OperatorError> {
        let field = |name: &str| {
            let value = card.fields.get(name).map(String::as_str).filter(|value| !value.is_empty());
            value.ok_or_else(|| lacks(NAME, "the id that it knows the card by", name))
        };
        Ok(match &self.settings.card_key {
            CardKey::Msisdn => Known::Msisdn(msisdn_of(card, NAME)?),
            CardKey::Iccid => Known::Iccid(iccid_of(card, NAME)?),
            CardKey::Resource(name) => Known::Resource(field(name)?),
            CardKey::Product(name) => Known::Product(field(name)?),
        })
    }

    /// The owner's plans, those that put credit on a card.
    fn plans_on_sale(&self) -> Result<Vec<Plan>, OperatorError> {
        let is_credit = |plan: &&Plan| plan.contents.credit.is_some_and(|credit| credit.ten_thousandths() > 0);
        let (plans, odd): (Vec<&Plan>, Vec<&Plan>) = self.settings.plans.iter().partition(is_credit);
        for plan in &odd {
            tracing::warn!(plan.id, "a plan without credit is left out");
        }
        match odd.first() {
            Some(plan) if plans.is_empty() => {
                let why = format!("the plan `{}` has no credit; {NAME} tops up money", plan.id);
                Err(never(RefusalKind::PlanGone, why))
            }
            _ => Ok(plans.into_iter().cloned().collect()),
        }
    }

    fn prepared(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        wallet_only(order, NAME)?;
        no_code(order, NAME)?;
        let known = self.known(card)?;
        let no_credit = || never(RefusalKind::PlanGone, format!("the plan `{}` has no credit", order.plan.id));
        let credit = order.plan.contents.credit.filter(|credit| credit.ten_thousandths() > 0).ok_or_else(no_credit)?;
        let (_, targets) = self.targets.get(card.id).ok_or_else(|| OperatorError::Later {
            retry_after: None,
            why: "which bucket a top-up goes to is known from a reading, and this card was not read just now; read it first"
                .into(),
        })?;
        let field = |name: &str| card.fields.get(name).map(String::as_str);
        let mut target = topups::target(&targets, field("bucket"), credit)?.clone();
        target.party_account = target.party_account.or_else(|| field("party_account").map(str::to_owned));
        let (version, channel) = (self.settings.version, self.settings.channel.as_deref());
        let body = topups::document(order, credit, &target, known, version, channel)?.into_bytes();
        Ok(PreparedOrder { key: order.key.clone(), path: "/topupBalance".into(), content_type: JSON_UTF8.into(), body })
    }
}

impl Operator for Tmf654 {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn terms(&self) -> Terms {
        let needs = vec![topups::needs(&self.settings.card_key).to_owned()];
        Terms { hosts: self.hosts.clone(), needs, ..terms() }
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

    fn catalogue<'a>(&'a self, _card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(async move { Ok(Catalogue::of(now, self.plans_on_sale()?)) })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        Box::pin(async { Ok(Wallet { balance: None, methods: vec![WALLET.into()] }) })
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        _code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        // The standard has no prices to ask for; what can be asked is whether the card is still there.
        Box::pin(async move {
            self.own_buckets(card).await?;
            let offer = self.plans_on_sale()?.into_iter().find(|offer| offer.id == plan.id);
            Ok(Preflight { offer, operator_time: self.session.contact().clock })
        })
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        self.prepared(card, order)
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(async move {
            match self.session.buy(&order.path, &order.content_type, &order.body).await.map(BuyOutcome::answered) {
                Ok(Ok(answer)) => topups::outcome(&answer, &order.body, &order.key),
                Ok(Err(told)) => told,
                Err(error) => not_bought(error),
            }
        })
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(async move {
            let plan = self.settings.plans.iter().find(|plan| plan.id == order.plan_id);
            let credit = plan.and_then(|plan| plan.contents.credit);
            topups::find(&self.session, order, self.known(card)?, credit, self.bare).await
        })
    }
}
