//! What an account of `simkeeper.toml` comes to: the operator, and what it takes to reach it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use url::Url;

use super::machine::Schedule;
use super::secret::SecretRef;
pub use super::ussd::{UssdAccess, UssdEnds, UssdSms, UssdTopUp, UssdVouchers};
use crate::domain::card::Name;
use crate::domain::money::Currency;
use crate::domain::operator::Account;
use crate::domain::plan::Plan;
use crate::domain::time::Secs;

/// Where the sandbox listens and is looked for if nothing else is said.
pub const SANDBOX_URL: &str = "http://127.0.0.1:7460/";

/// Our access to one operator.
#[derive(Clone, Debug)]
pub struct AccountConfig {
    /// Its name.
    pub name: Name,
    /// Which operator, and how to reach it.
    pub kind: AccountKind,
    /// Ways to pay, in order, by the operator's names; never empty.
    pub payment: Vec<String>,
    /// Whom to ask when something needs a person.
    pub support: Option<String>,
    /// How long it takes until money is there that a purchase needs.
    pub payment_lead: Secs,
    /// The zone of cards that name none, and of the days that the operator tells without a zone.
    pub zone: Option<TimeZone>,
    /// How often its cards are read, if not as often as the schedule says.
    pub poll: Option<Secs>,
    /// Whether cards that the operator lists are added by themselves.
    pub discover: bool,
}

impl AccountConfig {
    /// The account as the engine knows it.
    #[must_use]
    pub fn to_account(&self, schedule: &Schedule) -> Account {
        Account {
            name: self.name.clone(),
            payment: self.payment.clone(),
            support: self.support.clone(),
            poll_every: self.poll.unwrap_or(schedule.poll),
        }
    }
}

/// An operator, and what it takes to reach it. `base_url` is an address on this machine that stands in for the real one.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is declared, in `account_file`")]
pub enum AccountKind {
    /// 1NCE.
    OneNce { username: String, password: SecretRef, plans: Vec<Plan>, base_url: Option<Url> },
    /// Airalo's Partners API.
    Airalo { client_id: SecretRef, client_secret: SecretRef, base_url: Option<Url> },
    /// DingConnect.
    DingConnect { api_key: SecretRef, base_url: Option<Url> },
    /// DT One's DVS API.
    DtOne { api_key: SecretRef, api_secret: SecretRef, sandbox: bool, base_url: Option<Url> },
    /// emnify.
    Emnify { application_token: SecretRef, plans: Vec<Plan>, base_url: Option<Url> },
    /// eSIM Access.
    EsimAccess { access_code: SecretRef, secret_key: Option<SecretRef>, base_url: Option<Url> },
    /// eSIM Go.
    EsimGo { api_key: SecretRef, base_url: Option<Url> },
    /// A program of the owner's.
    Exec(Box<ExecAccess>),
    /// Hologram.
    Hologram { api_key: SecretRef, organisation: u64, base_url: Option<Url> },
    /// An operator that a profile describes.
    Http(Box<ProfileAccess>),
    /// Keepgo.
    Keepgo { api_key: SecretRef, access_token: SecretRef, host: Option<String>, base_url: Option<Url> },
    /// Reloadly's airtime.
    Reloadly { client_id: SecretRef, client_secret: SecretRef, sandbox: bool, base_url: Option<Url> },
    /// The built-in operator for trying things out.
    Sandbox { base_url: Url, key: Option<SecretRef>, time_limit: Option<Secs> },
    /// Telnyx.
    Telnyx { api_key: SecretRef, base_url: Option<Url> },
    /// Things Mobile.
    ThingsMobile { username: String, token: SecretRef, plans: Vec<Plan>, base_url: Option<Url> },
    /// Any operator with the TM Forum's prepay balance interface.
    Tmf654(Box<Tmf654Access>),
    /// Cards in modems of this machine.
    Ussd(Box<UssdAccess>),
}

impl AccountKind {
    /// Its word in `kind = "…"`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::OneNce { .. } => "1nce",
            Self::Airalo { .. } => "airalo",
            Self::DingConnect { .. } => "dingconnect",
            Self::DtOne { .. } => "dtone",
            Self::Emnify { .. } => "emnify",
            Self::EsimAccess { .. } => "esimaccess",
            Self::EsimGo { .. } => "esimgo",
            Self::Exec(_) => "exec",
            Self::Hologram { .. } => "hologram",
            Self::Http(_) => "http",
            Self::Keepgo { .. } => "keepgo",
            Self::Reloadly { .. } => "reloadly",
            Self::Sandbox { .. } => "sandbox",
            Self::Telnyx { .. } => "telnyx",
            Self::ThingsMobile { .. } => "things-mobile",
            Self::Tmf654(_) => "tmf654",
            Self::Ussd(_) => "ussd",
        }
    }

    /// The address that the file names: the operator's own where the owner describes it, else one that stands in.
    #[must_use]
    pub fn address(&self) -> Option<&Url> {
        match self {
            Self::OneNce { base_url, .. }
            | Self::Airalo { base_url, .. }
            | Self::DingConnect { base_url, .. }
            | Self::DtOne { base_url, .. }
            | Self::Emnify { base_url, .. }
            | Self::EsimAccess { base_url, .. }
            | Self::EsimGo { base_url, .. }
            | Self::Hologram { base_url, .. }
            | Self::Keepgo { base_url, .. }
            | Self::Reloadly { base_url, .. }
            | Self::Telnyx { base_url, .. }
            | Self::ThingsMobile { base_url, .. } => base_url.as_ref(),
            Self::Http(access) => access.base_url.as_ref(),
            Self::Tmf654(access) => Some(&access.base_url),
            Self::Sandbox { base_url, .. } => Some(base_url),
            Self::Exec(_) | Self::Ussd(_) => None,
        }
    }

    /// Whether nothing that it buys costs anything.
    #[must_use]
    pub const fn is_make_believe(&self) -> bool {
        matches!(self, Self::Sandbox { .. })
    }

    /// The way to pay if the file names none.
    #[must_use]
    pub(super) const fn usual_payment(&self) -> &'static str {
        if matches!(self, Self::Ussd(_)) { "voucher" } else { "wallet" }
    }
}

/// A program that answers for an operator.
#[derive(Clone, Debug)]
pub struct ExecAccess {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// How long one call may take.
    pub time_limit: Option<Secs>,
    /// Secrets that it is handed with each request.
    pub secrets: BTreeMap<String, SecretRef>,
}

/// A profile, and the secrets that it names.
#[derive(Clone, Debug)]
pub struct ProfileAccess {
    /// The file; below `operators.d` beside the two files, unless it is a whole path.
    pub profile: PathBuf,
    /// The secrets.
    pub secrets: BTreeMap<String, SecretRef>,
    /// An address on this machine that stands in for the profile's.
    pub base_url: Option<Url>,
}

/// A server with the TM Forum's Prepay Balance Management API (TMF654).
#[derive(Clone, Debug)]
pub struct Tmf654Access {
    /// The address below which `/bucket` and `/topupBalance` lie.
    pub base_url: Url,
    /// Which shape it speaks.
    pub version: Tmf654Version,
    /// How one signs in.
    pub sign_in: SignIn,
    /// What finds a card.
    pub card_by: CardBy,
    /// The currency of amounts that name none.
    pub currency: Currency,
    /// The unit of data that is told without one.
    pub data_unit: Option<String>,
    /// The sales channel, where the operator wants one.
    pub channel: Option<String>,
    /// What can be bought, as the owner describes it.
    pub plans: Vec<Plan>,
}

/// The shapes of TMF654 that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tmf654Version {
    /// 4.0.0.
    V4_0,
    /// 4.1.0.
    V4_1,
}

/// What an operator knows a card by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardBy {
    /// Its phone number.
    Msisdn,
    /// Its ICCID.
    Iccid,
    /// One of the card's fields, as a logical resource.
    Resource(String),
    /// One of the card's fields, as a product.
    Product(String),
}

/// How one signs in.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// By a token that does not change.
    Bearer(SecretRef),
    /// By user and password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: SecretRef,
    },
    /// By client credentials (OAuth 2.0, RFC 6749, section 4.4).
    ClientCredentials {
        /// Where tokens are given.
        token_url: Url,
        /// The client.
        client_id: SecretRef,
        /// Its secret.
        client_secret: SecretRef,
        /// What the token is for.
        scope: Option<String>,
    },
}
