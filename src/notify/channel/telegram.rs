//! Telegram's Bot API: one JSON message to a chat. The token stands in the address, which is therefore made anew for each
//! message and kept nowhere; sending is free, so a message in doubt goes again.

use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::http::{self, Answer};
use super::{Delivery, NotifyError, Outgoing, wrong};
use crate::domain::retry::clamped_wait;
use crate::domain::time::Secs;
use crate::notify::push::Push;
use crate::notify::texts::cut;

/// Where the API lives.
const BASE: &str = "https://api.telegram.org";

/// A bot.
#[derive(Debug)]
pub struct TelegramSettings {
    /// Its token, as BotFather gives it: `123456:ABC…`.
    pub token: SecretString,
    /// Another address than Telegram's own: a Bot API server of one's own, or one for tests.
    pub base_url: Option<String>,
}

/// Telegram, ready to send.
#[derive(Debug)]
pub struct Telegram {
    client: Client,
    base: Url,
    token: SecretString,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answered {
    ok: bool,
    result: Option<Sent>,
    error_code: Option<u16>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Sent {
    message_id: i64,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<i64>,
}

impl Telegram {
    pub(super) fn open(settings: TelegramSettings) -> Result<Self, NotifyError> {
        let letters = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        let whole = |(bot, key): (&str, &str)| {
            !bot.is_empty() && bot.bytes().all(|b| b.is_ascii_digit()) && !key.is_empty() && letters(key)
        };
        if !settings.token.expose_secret().split_once(':').is_some_and(whole) {
            return Err(wrong("token", "it is not a bot's token; BotFather gives one such as 123456:ABC…"));
        }
        let base = http::checked_url("base_url", settings.base_url.as_deref().unwrap_or(BASE))?;
        Ok(Self { client: http::client()?, base, token: settings.token })
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let Ok(url) = self.base.join(&format!("/bot{}/sendMessage", self.token.expose_secret())) else {
            return Delivery::Dead { why: "the address of the bot could not be made".to_owned() };
        };
        let push = Push::read(&message.bytes);
        let body = json!({
            "chat_id": message.address,
            "text": format!("{}\n\n{}", push.title, push.text),
            "disable_notification": !push.urgent,
            "link_preview_options": { "is_disabled": true },
        });
        match http::sent(self.client.post(url).json(&body)).await {
            Ok(answer) => judged(&answer),
            Err(delivery) => delivery,
        }
    }
}

/// What the body says counts before the status, which other servers on the way may have set.
fn judged(answer: &Answer) -> Delivery {
    let answered: Answered = serde_json::from_str(&answer.body).unwrap_or_default();
    let code = answered.error_code.unwrap_or(answer.status);
    let said = cut(answered.description.as_deref().unwrap_or("nothing more"), 200);
    let why = format!("Telegram answered {code}: {said}");
    match (code, answered.ok, answered.result) {
        (200..=299, true, Some(sent)) => Delivery::Sent { remote: sent.message_id.to_string() },
        (429, _, _) => {
            let told = answered.parameters.and_then(|parameters| parameters.retry_after);
            let not_before = told.map(Secs).map(clamped_wait).or(answer.retry_after);
            Delivery::Retry { why, not_before }
        }
        (200..=299 | 408 | 500..=599, _, _) => Delivery::Doubtful { why },
        _ => Delivery::Dead { why },
    }
}
