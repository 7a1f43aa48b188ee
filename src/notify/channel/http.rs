//! The HTTP client of the channels: a fresh connection per message, no redirect, no repeat, bounded answers.
//! A text message costs money, so a request is never repeated by the client itself.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Url};

use super::{CONNECT_TIMEOUT, Delivery, NotifyError, tls, wrong};
use crate::domain::time::Secs;

/// How long a gateway may take in all.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of an answer is read.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// An answer, of which only the beginning was read.
pub(in crate::notify) struct Answer {
    pub(in crate::notify) status: u16,
    pub(super) retry_after: Option<Secs>,
    pub(super) body: String,
}

pub(in crate::notify) fn client() -> Result<Client, NotifyError> {
    let tls = Arc::unwrap_or_clone(tls::client(None)?);
    Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .user_agent(concat!("simkeeper/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| wrong("url", format!("the HTTP client cannot be set up: {}", error.without_url())))
}

/// An address to send to: https, or http inside this machine or a private network. Errors never show it, since it may
/// hold a password.
pub(in crate::notify) fn checked_url(key: &'static str, text: &str) -> Result<Url, NotifyError> {
    let url = Url::parse(text)
        .map_err(|error| wrong(key, format!("it is not an address such as https://sms.example.net/send: {error}")))?;
    match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => Ok(url),
        ("http", Some(host)) if stays_near(host) => Ok(url),
        ("http", Some(_)) => Err(wrong(
            key,
            "plain http goes only to this machine or a private address, since it shows passwords; write https",
        )),
        _ => Err(wrong(key, "it is not an address that begins with https://")),
    }
}

fn stays_near(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost"
        || ip.is_ok_and(|ip| match ip {
            IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
            IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
        })
}

/// Sends a request. An error is what to tell the queue: before a connection stood nothing was taken; after that nobody
/// knows.
pub(in crate::notify) async fn sent(request: RequestBuilder) -> Result<Answer, Delivery> {
    let mut response = request.send().await.map_err(undelivered)?;
    let status = response.status().as_u16();
    let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let retry_after =
        header.and_then(|secs| secs.trim().parse::<i64>().ok()).map(Secs).map(crate::domain::retry::clamped_wait);
    let mut body = Vec::new();
    while body.len() < ANSWER_MAX_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err(undelivered(error)),
        }
    }
    body.truncate(ANSWER_MAX_BYTES);
    Ok(Answer { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })
}

fn undelivered(error: reqwest::Error) -> Delivery {
    let error = error.without_url();
    if error.is_builder() {
        return Delivery::Dead { why: format!("the request could not be made: {}", cause(&error)) };
    }
    if error.is_connect() {
        return Delivery::retry(format!("no connection to the gateway: {}", cause(&error)));
    }
    Delivery::Doubtful { why: format!("the gateway's answer was lost: {}", cause(&error)) }
}

/// The innermost error, which says most.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    crate::notify::texts::cut(&inner.to_string(), 200)
}
