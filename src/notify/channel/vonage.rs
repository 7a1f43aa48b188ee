//! Vonage's SMS API: one form, and HTTP 200 whatever happened; what became of the text is the status in the answer. It
//! has no key against doubles, so an answer that is lost leaves a doubt.

use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::http::{self, Answer};
use super::{Delivery, NotifyError, Outgoing, wrong};
use crate::domain::time::Secs;
use crate::notify::sms::{Encoding, parts};
use crate::notify::texts::cut;

/// Where the API lives.
const BASE: &str = "https://rest.nexmo.com";
/// How long it can be told to keep a text.
const VALID_MIN: Secs = Secs(20);
const VALID_MAX: Secs = Secs::days(7);
/// Our reference may be so long.
const REFERENCE_MAX: usize = 40;

/// An account at Vonage.
#[derive(Debug)]
pub struct VonageSettings {
    /// Its API key.
    pub account: String,
    /// The API secret.
    pub secret: SecretString,
    /// Another address than Vonage's own, for tests.
    pub base_url: Option<String>,
}

/// Vonage, ready to send.
#[derive(Debug)]
pub struct Vonage {
    client: Client,
    url: Url,
    account: String,
    secret: SecretString,
}

#[derive(Deserialize)]
struct Answered {
    messages: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Part {
    status: String,
    message_id: Option<String>,
    error_text: Option<String>,
}

impl Vonage {
    pub(super) fn open(settings: VonageSettings) -> Result<Self, NotifyError> {
        let base = http::checked_url("base_url", settings.base_url.as_deref().unwrap_or(BASE))?;
        let url = base.join("/sms/json").map_err(|error| wrong("base_url", error.to_string()))?;
        Ok(Self { client: http::client()?, url, account: settings.account, secret: settings.secret })
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let text = String::from_utf8_lossy(&message.bytes);
        let kind = if parts(&text).0 == Encoding::Gsm7 { "text" } else { "unicode" };
        let reference: String = message.id.chars().take(REFERENCE_MAX).collect();
        let ttl = message.valid_for(VALID_MIN, VALID_MAX).0.saturating_mul(1_000).to_string();
        let mut form = vec![
            ("api_key", self.account.as_str()),
            ("api_secret", self.secret.expose_secret()),
            ("to", message.address.trim_start_matches('+')),
            ("from", message.from.as_str()),
            ("text", &text),
            ("type", kind),
            ("client-ref", &reference),
            ("ttl", &ttl),
        ];
        form.extend(message.receipts.as_ref().map(|at| ("callback", at.expose_secret())));
        match http::sent(self.client.post(self.url.clone()).form(&form)).await {
            Ok(answer) => judged(&answer),
            Err(delivery) => delivery,
        }
    }
}

fn judged(answer: &Answer) -> Delivery {
    match answer.status {
        200..=299 => match serde_json::from_str::<Answered>(&answer.body) {
            Ok(answered) if !answered.messages.is_empty() => of_parts(&answered.messages),
            Ok(_) | Err(_) => Delivery::Doubtful { why: "Vonage's answer could not be read".to_owned() },
        },
        429 => Delivery::Retry { why: "Vonage is busy (status 429)".to_owned(), not_before: answer.retry_after },
        status @ (408 | 500..=599) => Delivery::Doubtful { why: format!("Vonage failed (status {status})") },
        status => Delivery::Dead { why: format!("Vonage refused the request (status {status})") },
    }
}

/// The text is one part, but the API may always tell of several: sent is what was sent whole.
fn of_parts(parts: &[Part]) -> Delivery {
    let Some(refused) = parts.iter().find(|part| part.status != "0") else {
        let id = parts.iter().find_map(|part| part.message_id.as_deref());
        return Delivery::Sent { remote: cut(id.unwrap_or("status 0"), 80) };
    };
    let said = cut(refused.error_text.as_deref().unwrap_or("nothing more"), 200);
    let why = format!("Vonage refused the text (code {}): {said}", cut(&refused.status, 10));
    if parts.iter().any(|part| part.status == "0") {
        return Delivery::Doubtful { why };
    }
    match refused.status.as_str() {
        // Throttled, an error of theirs, too many connections, and an account that is out of money, which a person fills.
        "1" | "5" | "9" | "10" => Delivery::retry(why),
        _ => Delivery::Dead { why },
    }
}
