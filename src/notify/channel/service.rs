//! A service that the configuration describes: templates make one HTTP request of a message, and conditions say what its
//! answers mean, the 200 with an error inside among them.

use std::collections::BTreeMap;

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::http::{self, Answer};
use super::{Delivery, NotifyError, Outgoing, wrong};
use crate::domain::answers::{Answers, Meaning, Pointer};
use crate::domain::template::{Filling, Template, TemplateError};
use crate::domain::time::Secs;
use crate::notify::push::Push;
use crate::notify::sms::{Encoding, parts};
use crate::notify::texts::cut;

/// No message is worth delivering for longer.
const VALID_MAX: Secs = Secs::days(30);

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceMethod {
    /// Without a body.
    Get,
    /// The usual one.
    Post,
    /// Where the address names the message.
    Put,
}

/// The value of a header.
#[derive(Debug)]
pub enum HeaderText {
    /// A text with places.
    Template(Template),
    /// A secret.
    Secret(SecretString),
}

/// A service, as it was described.
#[derive(Debug)]
pub struct ServiceSettings {
    /// Whether it carries push messages, which have a title, and not texts.
    pub push: bool,
    /// How a request is made.
    pub method: ServiceMethod,
    /// Where to.
    pub url: Template,
    /// Headers.
    pub headers: Vec<(String, HeaderText)>,
    /// The type of the body.
    pub content_type: String,
    /// The body.
    pub body: Option<Template>,
    /// What templates call `secrets`.
    pub secrets: Vec<(String, SecretString)>,
    /// What answers mean.
    pub answers: Answers,
    /// Where an answer holds the service's own id of the message.
    pub remote_id: Option<Pointer>,
    /// Whether a second message with the same id goes nowhere.
    pub drops_doubles: bool,
}

/// A described service, ready to send.
#[derive(Debug)]
pub struct Service {
    client: Client,
    settings: ServiceSettings,
}

/// A request that this message cannot be made into.
struct Unmade(String);

impl From<TemplateError> for Unmade {
    fn from(error: TemplateError) -> Self {
        Self(format!("the request could not be filled in: {error}"))
    }
}

impl Service {
    pub(super) fn open(settings: ServiceSettings) -> Result<Self, NotifyError> {
        for (name, _) in &settings.headers {
            HeaderName::try_from(name.as_str())
                .map_err(|_| wrong("headers", format!("`{}` is not a header's name", cut(name, 60))))?;
        }
        HeaderValue::try_from(&settings.content_type)
            .map_err(|_| wrong("content_type", "it is not a type such as application/json"))?;
        Ok(Self { client: http::client()?, settings })
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let request = match self.request(message) {
            Ok(request) => request,
            Err(Unmade(why)) => return Delivery::Dead { why },
        };
        match http::sent(request).await {
            Ok(answer) => self.judged(&answer),
            Err(delivery) => self.unclear(delivery),
        }
    }

    fn request(&self, message: &Outgoing) -> Result<RequestBuilder, Unmade> {
        let settings = &self.settings;
        let push = if settings.push { Push::read(&message.bytes) } else { Push::default() };
        let text = if settings.push { push.text.clone() } else { String::from_utf8_lossy(&message.bytes).into_owned() };
        let secrets: BTreeMap<&str, &str> =
            settings.secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose_secret())).collect();
        let filling = Filling {
            to: &message.address,
            to_digits: message.address.trim_start_matches('+'),
            text: &text,
            id: &message.id,
            at: message.sent_at.secs(),
            minutes: message.valid_for(Secs::MINUTE, VALID_MAX).0 / 60,
            title: settings.push.then_some(push.title.as_str()),
            urgent: settings.push.then_some(push.urgent),
            coding: (!settings.push).then(|| if parts(&text).0 == Encoding::Gsm7 { 0 } else { 2 }),
            secrets,
        };
        let url = settings.url.filled(&filling)?;
        let url = http::checked_url("url", &url).map_err(|error| Unmade(error.to_string()))?;
        let method = match settings.method {
            ServiceMethod::Get => Method::GET,
            ServiceMethod::Post => Method::POST,
            ServiceMethod::Put => Method::PUT,
        };
        let mut request = self.client.request(method, url);
        if let Some(body) = &settings.body {
            request = request.header(CONTENT_TYPE, &settings.content_type).body(body.filled(&filling)?);
        }
        for (name, text) in &settings.headers {
            request = request.header(name, header(name, text, &filling)?);
        }
        Ok(request)
    }

    fn judged(&self, answer: &Answer) -> Delivery {
        let document: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let said = cut(&answer.body, 200);
        let why = format!("the service answered {}: {said}", answer.status);
        match self.settings.answers.meaning(answer.status, &document) {
            Meaning::Sent => {
                let id = self.settings.remote_id.as_ref().and_then(|pointer| pointer.words(&document));
                Delivery::Sent { remote: id.map_or_else(|| format!("{} {said}", answer.status), |id| cut(&id, 80)) }
            }
            Meaning::Temporary => Delivery::Retry { why, not_before: answer.retry_after },
            Meaning::Permanent => Delivery::Dead { why },
            Meaning::Unclear => self.unclear(Delivery::Doubtful { why }),
        }
    }

    /// Where doubles are dropped, doubt costs nothing.
    fn unclear(&self, delivery: Delivery) -> Delivery {
        match delivery {
            Delivery::Doubtful { why } if self.settings.drops_doubles => Delivery::retry(why),
            other => other,
        }
    }
}

fn header(name: &str, text: &HeaderText, filling: &Filling<'_>) -> Result<HeaderValue, Unmade> {
    let value = match text {
        HeaderText::Template(template) => template.filled(filling)?,
        HeaderText::Secret(secret) => secret.expose_secret().to_owned(),
    };
    let mut value =
        HeaderValue::try_from(value).map_err(|_| Unmade(format!("the header {name} cannot hold this message")))?;
    value.set_sensitive(true);
    Ok(value)
}
