//! Answers by text message: a gateway hands in who wrote what, at an address with a secret word in it. The number has to
//! be that of a person, and the code theirs.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::people::answers::{Answered, Door, Typed, answer};
use super::{Daemon, receipts};
use crate::domain::card::Name;
use crate::domain::identity::Msisdn;

/// The names under which gateways tell the sender: Twilio, Vonage, SMS Gateway for Android (two versions), Kannel.
const FROM: [&str; 5] = ["From", "msisdn", "sender", "phoneNumber", "from"];
/// And the text.
const TEXT: [&str; 3] = ["Body", "text", "message"];
/// Longer than any answer.
const TEXT_MAX_BYTES: usize = 500;

/// What a gateway hands in, as a form, behind the `?`, or as JSON.
pub(super) async fn handed_in(
    State(daemon): State<Arc<Daemon>>,
    Path(word): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_open(&daemon, &word) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let documents = documents(query, &headers, &body);
    // Receipts come to the same address at some gateways.
    let receipts = receipts::among(&documents);
    if !receipts.is_empty() {
        return receipts::noted(&daemon, receipts).await;
    }
    let field = |names: &[&str]| names.iter().find_map(|name| documents.iter().find_map(|one| one.get(*name))).cloned();
    let (Some(from), Some(text)) = (field(&FROM), field(&TEXT)) else { return StatusCode::OK.into_response() };
    let people = people_of(&daemon, &from);
    let Some((code, yes)) = understood(&text).filter(|_| !people.is_empty()) else {
        tracing::info!(known = !people.is_empty(), "a text message that answers nothing was handed in");
        return StatusCode::OK.into_response();
    };
    let typed = Typed { code, yes, reason: "declined by text message".to_owned(), door: Door::Text { people } };
    match answer(&daemon, typed).await {
        Ok(answered) => told(&answered),
        Err(error) => {
            tracing::error!(%error, "an answer could not be dealt with");
            daemon.store_failed(&error);
            // The gateway hands it in again.
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Whether this is the word of the address at which gateways hand something in.
pub(super) fn is_open(daemon: &Daemon, word: &str) -> bool {
    daemon.live().approvals().is_some_and(|approvals| approvals.is_texts_word(word))
}

/// What was handed in, as fields: behind the `?`, of a form, or of JSON at any depth; a list in JSON is as many documents.
pub(super) fn documents(
    query: BTreeMap<String, String>,
    headers: &HeaderMap,
    body: &[u8],
) -> Vec<BTreeMap<String, String>> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let with = |mut fields: BTreeMap<String, String>| {
        for (name, value) in &query {
            fields.entry(name.clone()).or_insert_with(|| value.clone());
        }
        fields
    };
    if !kind.starts_with("application/json") {
        return vec![with(url::form_urlencoded::parse(body).into_owned().collect())];
    }
    let values = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Array(values)) => values,
        Ok(value) => vec![value],
        Err(_) => Vec::new(),
    };
    let fields_of = |value: &Value| {
        let mut fields = BTreeMap::new();
        gather(value, &mut fields);
        with(fields)
    };
    values.iter().map(fields_of).collect()
}

fn gather(value: &Value, fields: &mut BTreeMap<String, String>) {
    let Value::Object(object) = value else { return };
    for (name, value) in object {
        match value {
            Value::String(text) => {
                fields.insert(name.clone(), text.clone());
            }
            Value::Bool(truth) => {
                fields.insert(name.clone(), truth.to_string());
            }
            // serde_json refuses documents that are nested too deeply for this.
            value => gather(value, fields),
        }
    }
}

/// The people whose number this is; gateways write it with and without the plus.
fn people_of(daemon: &Daemon, from: &str) -> Vec<Name> {
    let digits = from.trim().trim_start_matches('+').trim_start_matches("00");
    let Ok(number) = Msisdn::parse(&format!("+{digits}")) else { return Vec::new() };
    let live = daemon.live();
    let theirs = live.machine().people.iter().filter(|person| person.sms.as_ref() == Some(&number));
    theirs.map(|person| person.name.clone()).collect()
}

/// The code in a text, and whether it says yes: the code alone, or with yes or no before or behind it.
fn understood(text: &str) -> Option<(String, bool)> {
    if text.len() > TEXT_MAX_BYTES {
        return None;
    }
    let is_no = |word: &str| matches!(word.to_lowercase().as_str(), "no" | "n" | "不" | "否" | "不买" | "不同意");
    let is_yes = |word: &str| matches!(word.to_lowercase().as_str(), "yes" | "y" | "ok" | "是" | "好" | "同意" | "买");
    let mut words: Vec<&str> =
        text.split(|sign: char| sign.is_whitespace() || matches!(sign, ',' | '，' | ':' | '：' | '!')).collect();
    words.retain(|word| !word.is_empty());
    let (mut no, mut yes) = (false, false);
    words.retain(|word| {
        no |= is_no(word);
        yes |= is_yes(word);
        !is_no(word) && !is_yes(word)
    });
    let code = words.concat();
    // Who says both has said nothing.
    (!(no && yes) && crate::domain::approval::Code::parse(&code).is_some()).then_some((code, !no))
}

/// What a gateway that passes our words on sends back.
fn told(answered: &Answered) -> Response {
    tracing::info!(answered = word(answered), "a text message answered a question");
    StatusCode::OK.into_response()
}

const fn word(answered: &Answered) -> &'static str {
    match answered {
        Answered::Agreed(_) => "agreed",
        Answered::Declined(_) => "declined",
        Answered::Dead(..) => "too late",
        Answered::Nobodys => "not their code",
        Answered::TooMany => "too many wrong codes",
        Answered::NoCodes => "no codes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_a_code_and_yes_or_no() {
        for (text, expected) in [
            ("K7QM-3XRT", Some(true)),
            ("k7qm 3xrt", Some(true)),
            ("Yes K7QM-3XRT", Some(true)),
            ("NO K7QM-3XRT", Some(false)),
            ("K7QM-3XRT no!", Some(false)),
            ("不买 K7QM-3XRT", Some(false)),
            ("同意：K7QM-3XRT", Some(true)),
            ("yes no K7QM-3XRT", None),
            ("no", None),
            ("what is this?", None),
            ("", None),
        ] {
            assert_eq!(understood(text).map(|(_, yes)| yes), expected, "{text}");
        }
        assert_eq!(understood(&"K7QM-3XRT ".repeat(60)), None);
    }

    #[test]
    fn fields_are_found_in_forms_and_in_documents() {
        let of = |kind: &str, body: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
            documents(BTreeMap::new(), &headers, body.as_bytes()).pop().unwrap_or_default()
        };
        let form = of("application/x-www-form-urlencoded", "From=%2B16135550123&Body=NO+K7QM-3XRT");
        assert_eq!((form["From"].as_str(), form["Body"].as_str()), ("+16135550123", "NO K7QM-3XRT"));
        let android = r#"{"event":"sms:received","payload":{"message":"K7QM-3XRT","phoneNumber":"+16135550123"}}"#;
        let android = of("application/json", android);
        assert_eq!((android["phoneNumber"].as_str(), android["message"].as_str()), ("+16135550123", "K7QM-3XRT"));
        assert!(of("application/json", &"[".repeat(10_000)).is_empty());
    }
}
