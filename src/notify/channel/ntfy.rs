//! ntfy, a server of one's own or ntfy.sh: one JSON message to a topic. Sending is free, so one in doubt goes again.

use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::http::{self, Answer};
use super::{Delivery, NotifyError, Outgoing};
use crate::notify::push::Push;
use crate::notify::texts::cut;

/// The usual importance of a message, of 1 to 5.
const USUAL: u8 = 3;
/// One that makes a phone sound again and again.
const HIGH: u8 = 4;

/// A server, and who we are there.
#[derive(Debug)]
pub struct NtfySettings {
    /// Its address, without a topic.
    pub url: String,
    /// An access token, where topics are protected.
    pub token: Option<SecretString>,
}

/// ntfy, ready to send.
#[derive(Debug)]
pub struct Ntfy {
    client: Client,
    url: Url,
    token: Option<SecretString>,
}

#[derive(Serialize)]
struct Message<'a> {
    topic: &'a str,
    title: &'a str,
    message: &'a str,
    priority: u8,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answered {
    id: Option<String>,
    error: Option<String>,
}

impl Ntfy {
    pub(super) fn open(settings: NtfySettings) -> Result<Self, NotifyError> {
        let url = http::checked_url("url", &settings.url)?;
        Ok(Self { client: http::client()?, url, token: settings.token })
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let push = Push::read(&message.bytes);
        let priority = if push.urgent { HIGH } else { USUAL };
        let body = Message { topic: &message.address, title: &push.title, message: &push.text, priority };
        let mut request = self.client.post(self.url.clone()).json(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        match http::sent(request).await {
            Ok(answer) => judged(&answer),
            Err(delivery) => delivery,
        }
    }
}

fn judged(answer: &Answer) -> Delivery {
    let answered: Answered = serde_json::from_str(&answer.body).unwrap_or_default();
    let said = cut(answered.error.as_deref().unwrap_or("nothing more"), 200);
    let why = format!("ntfy answered {}: {said}", answer.status);
    match (answer.status, answered.id) {
        (200..=299, Some(id)) => Delivery::Sent { remote: cut(&id, 80) },
        // Something else than ntfy answers so, such as the page of a hotel's network.
        (200..=299, None) => Delivery::Doubtful { why },
        (429, _) => Delivery::Retry { why, not_before: answer.retry_after },
        (408 | 500..=599, _) => Delivery::Doubtful { why },
        _ => Delivery::Dead { why },
    }
}
