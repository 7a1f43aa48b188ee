//! Twilio's Messages API: one form, Basic authentication, 201 when it is queued.
//!
//! It has no key against doubles, so an answer that is lost leaves a doubt. 429 (code 20429) is documented as "was not
//! processed" and may be repeated.

use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::http::{self, Answer};
use super::{Delivery, NotifyError, Outgoing, wrong};
use crate::domain::time::Secs;
use crate::notify::texts::cut;

/// Where the API lives.
const BASE: &str = "https://api.twilio.com";
/// It keeps no text longer than this.
const VALID_MAX: Secs = Secs::hours(10);

/// An account at Twilio.
#[derive(Debug)]
pub struct TwilioSettings {
    /// The account's SID, `AC…`.
    pub account: String,
    /// Its token.
    pub token: SecretString,
    /// Another address than Twilio's own, for tests.
    pub base_url: Option<String>,
}

/// Twilio, ready to send.
#[derive(Debug)]
pub struct Twilio {
    client: Client,
    url: Url,
    account: String,
    token: SecretString,
}

#[derive(Deserialize)]
struct Queued {
    sid: String,
}

#[derive(Deserialize)]
struct Refused {
    code: Option<i64>,
    message: Option<String>,
}

impl Twilio {
    pub(super) fn open(settings: TwilioSettings) -> Result<Self, NotifyError> {
        let account = settings.account;
        if !account.starts_with("AC") || !account.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(wrong(
                "account",
                "it is not an account SID; Twilio's begin with AC and have 34 letters and digits",
            ));
        }
        let base = http::checked_url("base_url", settings.base_url.as_deref().unwrap_or(BASE))?;
        let url = base
            .join(&format!("/2010-04-01/Accounts/{account}/Messages.json"))
            .map_err(|error| wrong("base_url", error.to_string()))?;
        Ok(Self { client: http::client()?, url, account, token: settings.token })
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let text = String::from_utf8_lossy(&message.bytes);
        let sender = if message.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let valid = message.valid_for(Secs(1), VALID_MAX).0.to_string();
        let mut form = vec![("To", message.address.as_str()), (sender, message.from.as_str()), ("Body", &text)];
        form.push(("ValidityPeriod", &valid));
        form.extend(message.receipts.as_ref().map(|at| ("StatusCallback", at.expose_secret())));
        let request =
            self.client.post(self.url.clone()).basic_auth(&self.account, Some(self.token.expose_secret())).form(&form);
        match http::sent(request).await {
            Ok(answer) => judged(&answer),
            Err(delivery) => delivery,
        }
    }
}

fn judged(answer: &Answer) -> Delivery {
    let refused = || serde_json::from_str(&answer.body).unwrap_or(Refused { code: None, message: None });
    match answer.status {
        200..=299 => match serde_json::from_str::<Queued>(&answer.body) {
            Ok(queued) => Delivery::Sent { remote: cut(&queued.sid, 80) },
            Err(_) => Delivery::Doubtful { why: format!("Twilio answered {} without a message id", answer.status) },
        },
        429 => Delivery::Retry { why: words(429, &refused()), not_before: answer.retry_after },
        408 | 500..=599 => Delivery::Doubtful { why: words(answer.status, &refused()) },
        status => match refused() {
            refused if refused.code == Some(20_429) => {
                Delivery::Retry { why: words(status, &refused), not_before: answer.retry_after }
            }
            refused => Delivery::Dead { why: words(status, &refused) },
        },
    }
}

fn words(status: u16, refused: &Refused) -> String {
    let code = refused.code.map(|code| format!(", code {code}")).unwrap_or_default();
    let said = cut(refused.message.as_deref().unwrap_or("nothing more"), 200);
    format!("Twilio refused the message (status {status}{code}): {said}")
}
