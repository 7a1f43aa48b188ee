//! The HTTP client that the adapters share: one client that reads, and one that buys.
//!
//! They differ in what may be repeated. A reading may use a kept connection. An order goes out once, on a fresh
//! connection, so that "no connection was made" is certain knowledge that it was not sent; whatever happens after that
//! is a doubt, never a failure. Neither follows redirects, uses a proxy from the environment, or keeps more of a body
//! than it was told to.

mod answer;
mod settings;

use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Url, redirect, retry};
use secrecy::{ExposeSecret, SecretString};

pub use answer::{BuyOutcome, HttpAnswer};
pub use settings::{HttpSettings, HttpSetupError, Way};

use super::tls;
use crate::domain::card::tamed;
use crate::domain::operator::{Contact, Doubt, OperatorError};

/// How long making a connection may take: name, TCP and TLS together.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long a connection of the reading client is kept without use.
const IDLE_LIMIT: Duration = Duration::from_secs(30);
/// Characters of an error's text that are kept.
const TEXT_LONGEST: usize = 200;

/// One request to an operator.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    method: Method,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    headers: HeaderMap,
    body: Option<&'a [u8]>,
    body_bytes_max: Option<usize>,
    odd_header: bool,
}

impl<'a> Call<'a> {
    /// A GET of `path` below the base address; it begins with `/` and has neither query nor fragment.
    #[must_use]
    pub fn get(path: &'a str) -> Self {
        Self {
            method: Method::GET,
            path,
            query: &[],
            headers: HeaderMap::new(),
            body: None,
            body_bytes_max: None,
            odd_header: false,
        }
    }

    /// A POST of these bytes.
    #[must_use]
    pub fn post(path: &'a str, content_type: &str, body: &'a [u8]) -> Self {
        let mut call = Self { method: Method::POST, body: Some(body), ..Self::get(path) };
        call.set(CONTENT_TYPE, content_type, false);
        call
    }

    /// A PUT of these bytes.
    #[must_use]
    pub fn put(path: &'a str, content_type: &str, body: &'a [u8]) -> Self {
        Self { method: Method::PUT, ..Self::post(path, content_type, body) }
    }

    /// A PATCH of these bytes.
    #[must_use]
    pub fn patch(path: &'a str, content_type: &str, body: &'a [u8]) -> Self {
        Self { method: Method::PATCH, ..Self::post(path, content_type, body) }
    }

    /// With these pairs behind the path.
    #[must_use]
    pub fn query(mut self, pairs: &'a [(&'a str, &'a str)]) -> Self {
        self.query = pairs;
        self
    }

    /// With `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(mut self, token: &SecretString) -> Self {
        self.set(AUTHORIZATION, &format!("Bearer {}", token.expose_secret()), true);
        self
    }

    /// With `Authorization` as it stands here.
    #[must_use]
    pub fn authorization(mut self, value: &SecretString) -> Self {
        self.set(AUTHORIZATION, value.expose_secret(), true);
        self
    }

    /// With one more header. Its value is kept out of debug output.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.set(reqwest::header::HeaderName::from_static(name), value, true);
        self
    }

    /// With one more header whose name comes from a file.
    #[must_use]
    pub fn header_named(mut self, name: &str, value: &str) -> Self {
        match reqwest::header::HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) => self.set(name, value, true),
            Err(_) => self.odd_header = true,
        }
        self
    }

    /// With another limit for the decoded body than the settings have, for lists of many cards.
    #[must_use]
    pub fn body_bytes_max(mut self, bytes: usize) -> Self {
        self.body_bytes_max = Some(bytes);
        self
    }

    fn set(&mut self, name: reqwest::header::HeaderName, value: &str, sensitive: bool) {
        match HeaderValue::from_str(value) {
            Ok(mut value) => {
                value.set_sensitive(sensitive);
                self.headers.insert(name, value);
            }
            Err(_) => self.odd_header = true,
        }
    }
}

/// The way to one operator's base address, and to no other.
#[derive(Clone, Debug)]
pub struct HttpClient {
    base: Url,
    reading: Client,
    buying: Client,
    body_bytes_max: usize,
    contact: Arc<Mutex<Contact>>,
}

impl HttpClient {
    /// Prepares both clients; touches no network.
    ///
    /// # Errors
    /// The base address is not https on an allowed host (http is taken on this machine only), or the system has no
    /// certificates.
    pub fn new(settings: &HttpSettings) -> Result<Self, HttpSetupError> {
        let base = settings.checked_base()?;
        let encrypted = base.scheme() == "https";
        let trust = if encrypted { tls::of_system().map_err(HttpSetupError::Tls)? } else { tls::of_nobody() };
        let common = |limit: Duration| {
            Client::builder()
                .user_agent(&settings.user_agent)
                .tls_backend_preconfigured(trust.clone())
                .https_only(encrypted)
                .http1_only()
                .no_proxy()
                .referer(false)
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                // Always well below the whole limit, so that a connection that was not made is known as such.
                .connect_timeout(CONNECT_LIMIT.min(limit / 2))
                .timeout(limit)
        };
        let reading = common(settings.read_limit).pool_idle_timeout(IDLE_LIMIT).build();
        let buying = common(settings.buy_limit).pool_max_idle_per_host(0).build();
        let failed = |error: reqwest::Error| HttpSetupError::Client(plain_text(&error.without_url()));
        Ok(Self {
            base,
            reading: reading.map_err(failed)?,
            buying: buying.map_err(failed)?,
            body_bytes_max: settings.body_bytes_max,
            contact: Arc::default(),
        })
    }

    /// Sends what costs nothing and may be repeated. Every status is an answer; see [`HttpAnswer::checked`].
    ///
    /// # Errors
    /// [`OperatorError::Later`] when no whole answer came, [`OperatorError::Unknown`] when it cannot be decoded.
    pub async fn read(&self, call: Call<'_>) -> Result<HttpAnswer, OperatorError> {
        let limit = call.body_bytes_max.unwrap_or(self.body_bytes_max);
        let request = self.request(&self.reading, call).map_err(|why| OperatorError::Unknown { why })?;
        let response = sent(request).await.map_err(|error| self.not_read(&error.without_url()))?;
        let answer = HttpAnswer::taken(response, limit).await.map_err(|error| self.not_read(&error.without_url()))?;
        self.note(&answer);
        Ok(answer)
    }

    /// Sends an order: once, on a fresh connection.
    pub async fn buy(&self, call: Call<'_>) -> BuyOutcome {
        let limit = call.body_bytes_max.unwrap_or(self.body_bytes_max);
        let request = match self.request(&self.buying, call) {
            Ok(request) => request,
            Err(why) => return BuyOutcome::NotSent { why },
        };
        let response = match sent(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                return BuyOutcome::NotSent { why: self.no_connection(&error.without_url()) };
            }
            Err(error) => return broken(&error.without_url()),
        };
        match HttpAnswer::taken(response, limit).await {
            Ok(answer) => {
                self.note(&answer);
                BuyOutcome::Answer(answer)
            }
            Err(error) => broken(&error.without_url()),
        }
    }

    /// The host that all requests go to.
    #[must_use]
    pub fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// What the last answer said about the way itself.
    #[must_use]
    pub fn contact(&self) -> Contact {
        *self.contact.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, answer: &HttpAnswer) {
        let mut contact = self.contact.lock().unwrap_or_else(PoisonError::into_inner);
        contact.clock = answer.date.or(contact.clock);
        contact.calls_left = answer.calls_left.or(contact.calls_left);
    }

    fn request(&self, client: &Client, call: Call<'_>) -> Result<reqwest::RequestBuilder, String> {
        if call.odd_header {
            return Err("a header holds characters that HTTP does not allow; look at the account's secrets".into());
        }
        let mut request = client.request(call.method, self.address(call.path, call.query)?).headers(call.headers);
        if let Some(body) = call.body {
            request = request.body(body.to_vec());
        }
        Ok(request)
    }

    /// The whole address. Paths are built from answers and files, so what leaves the base address is refused.
    fn address(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, String> {
        let plain = path.starts_with('/') && !path.contains(['?', '#', '\\']) && !path.contains("..");
        let wrong = || format!("`{}` is not a path below the operator's address", tamed(path, 80));
        if !plain {
            return Err(wrong());
        }
        let mut address = self.base.clone();
        address.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        if !query.is_empty() {
            address.query_pairs_mut().extend_pairs(query);
        }
        if address.origin() == self.base.origin() { Ok(address) } else { Err(wrong()) }
    }

    fn not_read(&self, error: &reqwest::Error) -> OperatorError {
        if error.is_connect() {
            return OperatorError::Later { retry_after: None, why: self.no_connection(error) };
        }
        if error.is_timeout() {
            let why = format!("{} did not answer in time", self.host());
            return OperatorError::Later { retry_after: None, why };
        }
        let why = format!("the answer of {} broke off ({})", self.host(), plain_text(error));
        OperatorError::Later { retry_after: None, why }
    }

    fn no_connection(&self, error: &reqwest::Error) -> String {
        format!("no connection to {} ({})", self.host(), plain_text(error))
    }
}

async fn sent(request: reqwest::RequestBuilder) -> Result<reqwest::Response, reqwest::Error> {
    #[cfg(feature = "fuzzing")]
    if let Some(response) = super::scripted::response(&request) {
        return Ok(response);
    }
    request.send().await
}

fn broken(error: &reqwest::Error) -> BuyOutcome {
    let doubt = if error.is_timeout() { Doubt::TimedOut } else { Doubt::Broken };
    BuyOutcome::Doubt { doubt, detail: plain_text(error) }
}

/// The innermost cause, which is what a person needs; the layers around it only say that something failed.
fn plain_text(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    tamed(&text, TEXT_LONGEST)
}
