//! SMS Gateway for Android: a phone of one's own sends the texts, asked over its HTTP API or the project's server. It
//! keeps our id and refuses a second text with it (409), so whatever is not certain is sent again.

use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::http::{self, Answer};
use super::{Asked, Delivery, NotifyError, Outgoing};
use crate::domain::receipt::{Fate, Receipt};
use crate::domain::time::Secs;
use crate::notify::texts::cut;

/// The API takes an id of so many characters.
const ID_MAX: usize = 36;
/// And no shorter life of a text than this.
const VALID_MIN: Secs = Secs(5);

/// A phone, or the server before it.
#[derive(Debug)]
pub struct AndroidSettings {
    /// Where messages are handed in, such as `http://192.168.1.4:8080/message`.
    pub url: String,
    /// The user.
    pub user: String,
    /// The user's password.
    pub password: SecretString,
}

/// The gateway, ready to send.
#[derive(Debug)]
pub struct Android {
    client: Client,
    url: Url,
    user: String,
    password: SecretString,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answered {
    id: Option<String>,
    message: Option<String>,
}

impl Android {
    pub(super) fn open(settings: AndroidSettings) -> Result<Self, NotifyError> {
        let url = http::checked_url("url", &settings.url)?;
        Ok(Self { client: http::client()?, url, user: settings.user, password: settings.password })
    }

    /// Asks about each; one that it does not know any more, or not yet, is left.
    pub(super) async fn reports(&self, asked: &[Asked]) -> Vec<(String, Receipt)> {
        let mut found = Vec::new();
        for text in asked {
            let id: String = text.id.chars().take(ID_MAX).collect();
            let mut url = self.url.clone();
            let Ok(mut path) = url.path_segments_mut() else { continue };
            path.push(&id);
            drop(path);
            let request = self.client.get(url).basic_auth(&self.user, Some(self.password.expose_secret()));
            let Ok(answer) = http::sent(request).await else { break };
            let Ok(Stands { state }) = serde_json::from_str(&answer.body) else { continue };
            let fate = match state.as_str() {
                "Delivered" => Fate::Delivered,
                "Failed" => Fate::Failed,
                _ => continue,
            };
            let why = (!fate.arrived()).then(|| "the phone could not send the text".to_owned());
            found.push((text.id.clone(), Receipt { fate, remote: text.remote.clone(), why }));
        }
        found
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let id: String = message.id.chars().take(ID_MAX).collect();
        let text = String::from_utf8_lossy(&message.bytes);
        let ttl_secs = message.valid_for(VALID_MIN, Secs::days(30)).0;
        let body = json!({
            "id": id, "textMessage": { "text": text }, "phoneNumbers": [message.address], "ttl": ttl_secs,
            "withDeliveryReport": true,
        });
        let request = self.client.post(self.url.clone()).basic_auth(&self.user, Some(self.password.expose_secret()));
        match http::sent(request.json(&body)).await {
            Ok(answer) => judged(&answer, &id),
            Err(Delivery::Doubtful { why }) => Delivery::retry(why),
            Err(delivery) => delivery,
        }
    }
}

/// What it says of a text when it is asked.
#[derive(Deserialize)]
struct Stands {
    state: String,
}

fn judged(answer: &Answer, id: &str) -> Delivery {
    let answered: Answered = serde_json::from_str(&answer.body).unwrap_or_default();
    let said = cut(answered.message.as_deref().unwrap_or("nothing more"), 200);
    let why = format!("the phone's gateway answered {}: {said}", answer.status);
    match answer.status {
        200..=299 => match answered.id {
            Some(id) => Delivery::Sent { remote: cut(&id, 80) },
            None => Delivery::retry(why),
        },
        // An earlier try had arrived.
        409 => Delivery::Sent { remote: id.to_owned() },
        408 | 429 | 500..=599 => Delivery::Retry { why, not_before: answer.retry_after },
        _ => Delivery::Dead { why },
    }
}
