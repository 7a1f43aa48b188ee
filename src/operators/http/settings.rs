//! What an adapter says about the way to its operator, and the checks on it.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;

use crate::domain::time::Secs;
use crate::operators::kit::Pace;

/// What the files and the tests may change about the way to an operator; the adapter knows the rest.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// An address that stands in for the operator's own; on this machine, unless the adapter allows other hosts.
    pub stand_in: Option<String>,
    /// How long one reading may take, if not as long as usual.
    pub read_limit: Option<Duration>,
    /// How long one order may take, if not as long as the operator needs.
    pub buy_limit: Option<Duration>,
    /// How many decoded bytes of an ordinary body are read, if not as many as usual.
    pub body_bytes_max: Option<usize>,
    /// Whether the operator's documented paces are left out, for stand-ins that want thousands of calls at once.
    pub unpaced: bool,
}

impl Way {
    /// The way to a stand-in, such as a server on this machine.
    #[must_use]
    pub fn to(address: impl Into<String>) -> Self {
        Self { stand_in: Some(address.into()), ..Self::default() }
    }

    /// The pace of `calls` in each `span`, all of them at once if nothing came before.
    pub(in crate::operators) fn pace(&self, calls: u32, span: Duration) -> Pace {
        if self.unpaced { Pace::none() } else { Pace::new(calls, span) }
    }

    /// The settings for an operator at `base_url`; with a stand-in, paths lie directly below its address.
    #[must_use]
    pub fn settings(&self, base_url: &str, hosts: &[&str], processing_max: Option<Secs>) -> HttpSettings {
        let mut settings = HttpSettings::new(self.stand_in.as_deref().unwrap_or(base_url), hosts);
        settings.buy_limit = self.buy_limit.unwrap_or_else(|| HttpSettings::buy_limit(processing_max));
        settings.read_limit = self.read_limit.unwrap_or(settings.read_limit);
        settings.body_bytes_max = self.body_bytes_max.unwrap_or(settings.body_bytes_max);
        settings
    }
}

/// The way to one operator.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Address below which all paths lie, such as `https://partners-api.airalo.com/v2`.
    pub base_url: String,
    /// Hosts that the adapter may talk to over https. Plain http is taken on this machine only.
    pub allowed_hosts: Vec<String>,
    /// How long one reading may take from its first byte to its last.
    pub read_limit: Duration,
    /// How long one order may take from its first byte to its last; see [`buy_limit`](Self::buy_limit).
    pub buy_limit: Duration,
    /// How many decoded bytes of a body are read.
    pub body_bytes_max: usize,
    /// The name we give ourselves.
    pub user_agent: String,
}

/// Why there can be no client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpSetupError {
    /// The base address is none.
    #[error("`{0}` is not an address such as https://api.example.net/v1")]
    Address(String),
    /// It is not encrypted.
    #[error("`{0}` is not encrypted; write https:// (http:// is taken for this machine only)")]
    NotEncrypted(String),
    /// It is not the operator's.
    #[error("`{host}` is not a host of this operator; it is {allowed}")]
    NotAllowed {
        /// The host that was asked for.
        host: String,
        /// The hosts that would be right.
        allowed: String,
    },
    /// No certificates.
    #[error("{0}")]
    Tls(String),
    /// The client could not be built.
    #[error("the HTTP client could not be prepared: {0}")]
    Client(String),
}

impl HttpSettings {
    /// 30 seconds for a reading, 120 for an order, 1 MiB of body.
    #[must_use]
    pub fn new(base_url: &str, allowed_hosts: &[&str]) -> Self {
        Self {
            base_url: base_url.to_owned(),
            allowed_hosts: allowed_hosts.iter().map(|host| (*host).to_owned()).collect(),
            read_limit: Duration::from_secs(30),
            buy_limit: Self::buy_limit(None),
            body_bytes_max: 1 << 20,
            user_agent: concat!("simkeeper/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// How long an order may take: half a minute more than the operator says that it needs, and never below two
    /// minutes.
    #[must_use]
    pub fn buy_limit(processing_max: Option<Secs>) -> Duration {
        let secs = processing_max.map_or(120, |processing| processing.0.saturating_add(30).max(120));
        Duration::from_secs(secs.unsigned_abs())
    }

    pub(super) fn checked_base(&self) -> Result<Url, HttpSetupError> {
        let wrong = || HttpSetupError::Address(self.base_url.clone());
        let base = Url::parse(&self.base_url).map_err(|_| wrong())?;
        let host = base.host_str().ok_or_else(wrong)?.to_owned();
        let plain = base.username().is_empty() && base.password().is_none() && base.query().is_none();
        match base.scheme() {
            _ if !plain || base.fragment().is_some() => Err(wrong()),
            "https" if self.allowed_hosts.contains(&host) => Ok(base),
            "https" => Err(HttpSetupError::NotAllowed { host, allowed: self.allowed_hosts.join(" or ") }),
            "http" if is_this_machine(&host) => Ok(base),
            "http" => Err(HttpSetupError::NotEncrypted(self.base_url.clone())),
            _ => Err(wrong()),
        }
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
