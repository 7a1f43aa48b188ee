//! Plivo's Message API: one JSON document, Basic authentication, 202 with an id when it is queued. It has no key against
//! doubles, so an answer that is lost leaves a doubt.

use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::http::{self, Answer};
use super::{Delivery, NotifyError, Outgoing, wrong};
use crate::domain::time::Secs;
use crate::notify::texts::cut;

/// A text waits no shorter than this in its queue.
const VALID_MIN: Secs = Secs(5);
/// And no longer than this, just under three hours.
const VALID_MAX: Secs = Secs(10_799);
/// Where the API lives.
const BASE: &str = "https://api.plivo.com";

/// An account at Plivo.
#[derive(Debug)]
pub struct PlivoSettings {
    /// The Auth ID.
    pub account: String,
    /// The Auth Token.
    pub token: SecretString,
    /// Another address than Plivo's own, for tests.
    pub base_url: Option<String>,
}

/// Plivo, ready to send.
#[derive(Debug)]
pub struct Plivo {
    client: Client,
    url: Url,
    account: String,
    token: SecretString,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answered {
    message_uuid: Vec<String>,
    error: Option<String>,
}

impl Plivo {
    pub(super) fn open(settings: PlivoSettings) -> Result<Self, NotifyError> {
        let account = settings.account;
        if account.is_empty() || !account.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(wrong("account", "it is not an Auth ID; Plivo's have 20 capital letters and digits"));
        }
        let base = http::checked_url("base_url", settings.base_url.as_deref().unwrap_or(BASE))?;
        let url = base
            .join(&format!("/v1/Account/{account}/Message/"))
            .map_err(|error| wrong("base_url", error.to_string()))?;
        Ok(Self { client: http::client()?, url, account, token: settings.token })
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let text = String::from_utf8_lossy(&message.bytes);
        let expiry_secs = message.valid_for(VALID_MIN, VALID_MAX).0;
        let mut body = json!({
            "src": message.from, "dst": message.address, "text": text, "type": "sms", "message_expiry": expiry_secs,
        });
        if let Some(at) = &message.receipts {
            body["url"] = at.expose_secret().into();
        }
        let request = self.client.post(self.url.clone()).basic_auth(&self.account, Some(self.token.expose_secret()));
        match http::sent(request.json(&body)).await {
            Ok(answer) => judged(&answer),
            Err(delivery) => delivery,
        }
    }
}

fn judged(answer: &Answer) -> Delivery {
    let answered: Answered = serde_json::from_str(&answer.body).unwrap_or_default();
    let said = cut(answered.error.as_deref().unwrap_or("nothing more"), 200);
    let why = format!("Plivo answered {}: {said}", answer.status);
    match (answer.status, answered.message_uuid.first()) {
        (200..=299, Some(id)) => Delivery::Sent { remote: cut(id, 80) },
        (200..=299 | 408 | 500..=599, _) => Delivery::Doubtful { why },
        (429, _) => Delivery::Retry { why, not_before: answer.retry_after },
        _ => Delivery::Dead { why },
    }
}
