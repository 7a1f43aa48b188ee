//! A webhook: the message as one JSON document (docs/webhook.md), signed as Standard Webhooks says. The receiver tells
//! doubles by the id, so whatever is not certain is sent again.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;

use super::http::{self, Answer};
use super::{Delivery, NotifyError, Outgoing, wrong};
use crate::domain::time::UnixTime;
use crate::notify::texts::cut;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// So long is a secret, in bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A receiver.
#[derive(Debug)]
pub struct WebhookSettings {
    /// Its address.
    pub url: String,
    /// The secret that both sides have: `whsec_` and 24 to 64 bytes in base64.
    pub secret: SecretString,
}

/// A webhook, ready to send.
#[derive(Debug)]
pub struct Webhook {
    client: Client,
    url: Url,
    secret: SecretSlice<u8>,
}

impl Webhook {
    pub(super) fn open(settings: &WebhookSettings) -> Result<Self, NotifyError> {
        let url = http::checked_url("url", &settings.url)?;
        let bytes = settings.secret.expose_secret().trim().strip_prefix(PREFIX);
        let bytes = bytes.and_then(|text| BASE64_STANDARD.decode(text).ok());
        let Some(bytes) = bytes.filter(|bytes| SECRET_BYTES.contains(&bytes.len())) else {
            let how = "it is whsec_ and 24 to 64 bytes in base64; make one with: echo whsec_$(openssl rand -base64 32)";
            return Err(wrong("secret", how));
        };
        Ok(Self { client: http::client()?, url, secret: bytes.into() })
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let Some(signature) = self.signature(&message.id, message.sent_at, &message.bytes) else {
            return Delivery::Dead { why: "the message could not be signed".to_owned() };
        };
        let request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", message.sent_at.secs())
            .header("webhook-signature", signature)
            .body(message.bytes.clone());
        match http::sent(request).await {
            Ok(answer) => judged(&answer),
            Err(Delivery::Doubtful { why }) => Delivery::retry(why),
            Err(delivery) => delivery,
        }
    }

    /// `v1,` and the HMAC of id, time and body; a receiver refuses what is older than minutes.
    fn signature(&self, id: &str, at: UnixTime, body: &[u8]) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret()).ok()?;
        mac.update(format!("{id}.{}.", at.secs()).as_bytes());
        mac.update(body);
        Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
    }
}

/// Only what says that this very message is wrong, or that the receiver is gone for good, is final: a receiver that is
/// being set up answers 401 or 404 for a while.
fn judged(answer: &Answer) -> Delivery {
    let why = format!("the receiver answered {}: {}", answer.status, cut(&answer.body, 200));
    match answer.status {
        200..=299 => Delivery::Sent { remote: answer.status.to_string() },
        400 | 410 | 413 | 415 | 422 => Delivery::Dead { why },
        _ => Delivery::Retry { why, not_before: answer.retry_after },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_standards_example() {
        let settings = WebhookSettings {
            url: "https://example.net/".to_owned(),
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into(),
        };
        let webhook = Webhook::open(&settings).unwrap();
        let signed = webhook.signature(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            UnixTime::clamped(1_614_265_330),
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn a_secret_that_is_none_is_refused_and_not_shown() {
        for secret in ["", "hunter2", "whsec_", "whsec_aHVudGVyMg==", "whsec_hunter2!"] {
            let settings = WebhookSettings { url: "https://example.net/".to_owned(), secret: secret.into() };
            let error = Webhook::open(&settings).unwrap_err().to_string();
            assert!(error.contains("openssl rand") && !error.contains("hunter2"), "{error}");
        }
    }
}
