//! A text gateway that the configuration describes: method, address, fields with places to fill, and what its answers
//! mean. Kannel's `sendsms` is one such.

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};
use secrecy::{ExposeSecret, SecretString};

use super::http::{self, Answer};
use super::{Delivery, NotifyError, Outgoing, wrong};
use crate::domain::time::Secs;
use crate::notify::sms::{Encoding, parts};
use crate::notify::texts::cut;

/// The places that a field may name.
const PLACES: [&str; 8] = ["to", "to_digits", "from", "text", "id", "coding", "minutes", "receipts"];
/// No gateway keeps a text longer; `{minutes}` is at most this.
const VALID_MAX: Secs = Secs::days(7);

/// How the request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayMethod {
    /// Fields in the address.
    Get,
    /// Fields in a form, or in the address, or both.
    Post,
    /// As with `Post`.
    Put,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Taken.
    Sent,
    /// Not taken; try again.
    Retry,
    /// Never for this recipient.
    Dead,
    /// Nobody knows.
    Doubtful,
}

/// One line of the table of answers; the first that fits counts.
#[derive(Clone, Debug)]
pub struct AnswerRule {
    /// The status it is for.
    pub status: u16,
    /// How the body begins, if that matters.
    pub body_prefix: Option<String>,
    /// What it means.
    pub meaning: Meaning,
}

/// A gateway. Values of fields and headers may hold `{to}`, `{to_digits}` (without `+`), `{from}`, `{text}`, `{id}`,
/// `{coding}` (`0` for a text in the 7-bit alphabet, `2` for any other), `{minutes}` (for which the text is worth
/// delivering) and `{receipts}` (the address at which it reports what became of the text).
#[derive(Debug)]
pub struct GatewaySettings {
    /// How the request is made.
    pub method: GatewayMethod,
    /// Where to; without places to fill.
    pub url: String,
    /// Fields of the address.
    pub query: Vec<(String, SecretString)>,
    /// Fields of the form; only with `post`.
    pub form: Vec<(String, SecretString)>,
    /// Headers.
    pub headers: Vec<(String, SecretString)>,
    /// What answers mean. What no line fits: 2xx sent; 429 and 503 again; other 4xx never; anything else in doubt.
    pub answers: Vec<AnswerRule>,
}

/// A described gateway, ready to send.
#[derive(Debug)]
pub struct Gateway {
    client: Client,
    url: Url,
    settings: GatewaySettings,
}

impl Gateway {
    pub(super) fn open(settings: GatewaySettings) -> Result<Self, NotifyError> {
        let url = http::checked_url("url", &settings.url)?;
        if settings.method == GatewayMethod::Get && !settings.form.is_empty() {
            return Err(wrong("form", "a form needs method = \"post\"; with \"get\" write the fields under query"));
        }
        for (key, fields) in [("query", &settings.query), ("form", &settings.form), ("headers", &settings.headers)] {
            fields.iter().try_for_each(|(name, value)| checked_places(key, name, value.expose_secret()))?;
        }
        for (name, _) in &settings.headers {
            HeaderName::try_from(name.as_str())
                .map_err(|_| wrong("headers", format!("`{}` is not a header's name", cut(name, 60))))?;
        }
        let mut fields = settings.query.iter().chain(&settings.form).chain(&settings.headers);
        if !fields.any(|(_, value)| value.expose_secret().contains("{text}")) {
            return Err(wrong("query", "no field holds {text}, so nothing would be told"));
        }
        Ok(Self { client: http::client()?, url, settings })
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let fill = |fields: &[(String, SecretString)]| -> Vec<(String, String)> {
            fields.iter().map(|(name, value)| (name.clone(), filled(value.expose_secret(), message))).collect()
        };
        let method = match self.settings.method {
            GatewayMethod::Get => Method::GET,
            GatewayMethod::Post => Method::POST,
            GatewayMethod::Put => Method::PUT,
        };
        let mut request = self.client.request(method, self.url.clone()).query(&fill(&self.settings.query));
        if !self.settings.form.is_empty() {
            request = request.form(&fill(&self.settings.form));
        }
        for (name, value) in fill(&self.settings.headers) {
            let Ok(mut value) = HeaderValue::try_from(value) else {
                return Delivery::Dead { why: format!("the header {name} cannot hold this message") };
            };
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        match http::sent(request).await {
            Ok(answer) => self.judged(&answer),
            Err(delivery) => delivery,
        }
    }

    fn judged(&self, answer: &Answer) -> Delivery {
        let body = cut(&answer.body, 200);
        let fits = |rule: &&AnswerRule| {
            let prefix = rule.body_prefix.as_deref().unwrap_or("");
            rule.status == answer.status && answer.body.trim_start().starts_with(prefix)
        };
        let meaning = self.settings.answers.iter().find(fits).map_or_else(|| usual(answer.status), |rule| rule.meaning);
        let why = format!("the gateway answered {}: {body}", answer.status);
        match meaning {
            Meaning::Sent => Delivery::Sent { remote: body },
            Meaning::Retry => Delivery::Retry { why, not_before: answer.retry_after },
            Meaning::Dead => Delivery::Dead { why },
            Meaning::Doubtful => Delivery::Doubtful { why },
        }
    }
}

const fn usual(status: u16) -> Meaning {
    match status {
        200..=299 => Meaning::Sent,
        429 | 503 => Meaning::Retry,
        400..=407 | 409..=499 => Meaning::Dead,
        _ => Meaning::Doubtful,
    }
}

/// Every `{word}` is a place that is known.
fn checked_places(key: &'static str, name: &str, value: &str) -> Result<(), NotifyError> {
    for (place, _) in places(value) {
        if !PLACES.contains(&place) {
            let name = cut(name, 60);
            return Err(wrong(
                key,
                format!("`{name}` holds a place that is not known; known are {{{}}}", PLACES.join("}, {")),
            ));
        }
    }
    Ok(())
}

/// The words in braces and what stands before each, in order.
fn places(value: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let open = rest.find('{')?;
        let close = open + rest[open..].find('}')?;
        let found = (&rest[open + 1..close], &rest[..open]);
        rest = &rest[close + 1..];
        Some(found)
    })
}

/// The value with its places filled; what is filled in is never searched for places again.
fn filled(value: &str, message: &Outgoing) -> String {
    let text = String::from_utf8_lossy(&message.bytes);
    let (mut out, mut taken) = (String::with_capacity(value.len() + text.len()), 0);
    for (place, before) in places(value) {
        out.push_str(before);
        taken += before.len() + place.len() + 2;
        match place {
            "to" => out.push_str(&message.address),
            "to_digits" => out.push_str(message.address.trim_start_matches('+')),
            "from" => out.push_str(&message.from),
            "id" => out.push_str(&message.id),
            "minutes" => out.push_str(&(message.valid_for(Secs::MINUTE, VALID_MAX).0 / Secs::MINUTE.0).to_string()),
            "receipts" => out.push_str(message.receipts.as_ref().map_or("", |at| at.expose_secret())),
            "coding" => out.push(if parts(&text).0 == Encoding::Gsm7 { '0' } else { '2' }),
            // `open` let no other place through than these and `text`.
            _ => out.push_str(&text),
        }
    }
    out.push_str(&value[taken..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Outgoing {
        Outgoing {
            id: "n-1".into(),
            address: "+16135550123".into(),
            from: "keeper".into(),
            sent_at: crate::domain::time::UnixTime::clamped(0),
            bytes: text.as_bytes().to_vec(),
            expires_at: crate::domain::time::UnixTime::clamped(7_200),
            receipts: Some("http://127.0.0.1:8088/sms/w/n-1".into()),
        }
    }

    #[test]
    fn places_are_filled_once_and_nothing_else_is_touched() {
        assert_eq!(filled("a{to}b{to_digits}c", &message("x")), "a+16135550123b16135550123c");
        assert_eq!(filled("{text}", &message("{to} & {id}")), "{to} & {id}");
        assert_eq!(filled("{coding}{id}{from}", &message("plain")), "0n-1keeper");
        assert_eq!(filled("{coding}", &message("中文")), "2");
        assert_eq!(filled("{minutes} {receipts}?dlr=%d", &message("x")), "120 http://127.0.0.1:8088/sms/w/n-1?dlr=%d");
        assert_eq!(filled("no place } {", &message("x")), "no place } {");
    }

    fn settings(url: &str, value: &str) -> GatewaySettings {
        GatewaySettings {
            method: GatewayMethod::Get,
            url: url.to_owned(),
            query: vec![("text".to_owned(), value.into())],
            form: vec![],
            headers: vec![],
            answers: vec![],
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_what_would_be_right() {
        let why = |url: &str, value: &str| Gateway::open(settings(url, value)).unwrap_err().to_string();
        assert!(why("http://127.0.0.1/", "{txt}").contains("{to}, {to_digits}"));
        assert!(why("http://127.0.0.1/", "fixed").contains("{text}"));
        assert!(why("http://sms.example.net/?password=hunter2", "{text}").contains("https"));
        assert!(!why("http://sms.example.net/?password=hunter2", "{text}").contains("hunter2"));
        assert!(why("ftp://x/", "{text}").contains("https://"));
        assert!(Gateway::open(settings("http://192.168.1.4:13013/cgi-bin/sendsms", "{text}")).is_ok());
        assert!(Gateway::open(settings("https://sms.example.net/", "{text}")).is_ok());
    }
}
