//! The table of a service that its owner describes: one HTTP request per message, filled from templates, and what the
//! answers mean. A description is tried with a made-up message, so that what passes the check can be sent.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value as Json;

use super::channel::{Carries, ChannelKind, HeaderValue, Method, Service};
use super::containers::OneOrMore;
use super::declare::{table, texts, words};
use super::gateway_file::check_header_names;
use super::machine_file::entries;
use super::reader::{At, Field, Named, Node, Notes, Span, Value, known_words, looks_secret};
use super::secret::SecretRef;
use super::values::{Words, http_url, not_in_clear};
use crate::domain::answers::{Answers, Condition, Pointer};
use crate::domain::template::{Escape, Filling, Template};

/// The type of a body if nothing is said.
const CONTENT_USUAL: &str = "application/json";
/// No request that somebody writes by hand is longer.
const WORDING_CHARS_MAX: usize = 20_000;

table! {
    /// Messages by any service that takes one HTTP request each.
    struct ServiceTable {
        /// What it carries: sms, texts of one part; or push, messages with a title.
        must carries: Carried,
        /// get, post or put; post if nothing is said.
        may method: Method,
        /// The address; its path and what follows may hold places such as {{ to }}.
        must url: ServiceUrl,
        /// Headers; values may hold places, or be secrets.
        may headers: Named<HeaderText>,
        /// Secrets that places may name, as {{ secrets.NAME }}.
        may secrets: Named<SecretRef>,
        /// The type of the body; application/json if nothing is said.
        may content_type: Words,
        /// The body, a template with places: to, to_digits, text, id, at, minutes; title and urgent, or
        /// coding.
        may body: Wording,
        /// Answers that mean "taken"; every 2xx if nothing is said.
        may sent: OneOrMore<AnswerTable>,
        /// Answers that mean "not now"; 429 and 503 if nothing is said.
        may temporary: OneOrMore<AnswerTable>,
        /// Answers that mean "never"; other 4xx if nothing is said. These count before all others.
        may permanent: OneOrMore<AnswerTable>,
        /// Where an answer holds the service's own id of the message, such as /messages/0/id.
        may remote_id: Pointer,
        /// Whether the service drops a second message with the same {{ id }}, so that one in doubt can be sent again.
        may drops_doubles: bool,
    }
}

table! {
    /// What an answer looks like; all that is named must be so.
    struct AnswerTable {
        /// Its status is one of these.
        may status: OneOrMore<u16>,
        /// Something stands at this place of its JSON, such as /error/code.
        may pointer: Pointer,
        /// And it is one of these.
        may is: OneOrMore<Scalar>,
    }
}

words! {
    Carried, "what a service carries": { "sms" => Carried(Carries::Sms), "push" => Carried(Carries::Push), }
}

texts! {
    Pointer, "Pointer", "a JSON pointer", "^/", "/messages/0/id", Pointer::parse;
    Wording, "Wording", "a template", r"\S", "{{ text }}", wording;
    ServiceUrl, "ServiceUrl", "an http or https address", "^https?://", "https://api.example.net/messages", service_url;
}

/// What a service carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carried(Carries);

/// A template, of which nothing but its length was looked at.
#[derive(Clone, Debug)]
pub(super) struct Wording(String);

fn wording(text: &str) -> Result<Wording, String> {
    match text.chars().count() {
        1..=WORDING_CHARS_MAX => Ok(Wording(text.to_owned())),
        _ => Err(format!("this text is empty or longer than {WORDING_CHARS_MAX} characters")),
    }
}

/// An address with places behind its host.
#[derive(Clone, Debug)]
pub(super) struct ServiceUrl(String);

fn service_url(text: &str) -> Result<ServiceUrl, String> {
    let fixed = text.split('{').next().unwrap_or_default();
    let url = http_url(fixed)?;
    let host_ends = fixed.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?']));
    if fixed.len() < text.len() && !host_ends {
        return Err("places may stand in the path and behind it; write the host as it is".into());
    }
    not_in_clear(&url)?;
    Ok(ServiceUrl(text.to_owned()))
}

/// The value of a header as it was read.
#[derive(Clone, Debug)]
pub(super) enum HeaderText {
    Text(At<String>),
    Secret(SecretRef),
}

impl JsonSchema for HeaderText {
    fn schema_name() -> Cow<'static, str> {
        "HeaderText".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let secret = generator.subschema_for::<SecretRef>();
        json_schema!({ "anyOf": [{ "type": "string" }, secret] })
    }
}

impl Value for HeaderText {
    fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Self> {
        match node.as_text() {
            // A plain text under such a name is a secret that was written out; one that names a secret is not.
            Some(text) if !looks_secret(node.name()) || text.contains("secrets.") => {
                let at = At { value: text.to_owned(), key: node.key.clone(), span: node.span.clone() };
                Some(Self::Text(at))
            }
            Some(_) | None => <SecretRef as Value>::read(node, notes).map(Self::Secret),
        }
    }
}

/// A text, a number, or true or false, as it stands in JSON.
#[derive(Clone, Debug)]
pub(super) struct Scalar(String);

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

impl Value for Scalar {
    fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Self> {
        let text = node.as_text().map(ToOwned::to_owned);
        let scalar = text.or_else(|| node.as_digits()).or_else(|| node.as_bool().map(|truth| truth.to_string()));
        if scalar.is_none() {
            notes.wrong_kind(node, "a text, a number, or true or false", "\"ok\"");
        }
        scalar.map(Self)
    }
}

/// The service that a table describes.
pub(super) fn service(table: &ServiceTable, name: &Span, notes: &mut Notes<'_>) -> Option<ChannelKind> {
    check_header_names(&table.headers, notes);
    let method = table.method.get().copied().unwrap_or(Method::Post);
    if let (Method::Get, Some(body)) = (method, table.body.good()) {
        notes.contradiction(&body.key, "a GET request has no body", "method = \"post\"".to_owned());
    }
    let secrets: Vec<(String, SecretRef)> =
        entries(&table.secrets).map(|(entry, secret)| (entry.name.to_string(), secret.clone())).collect();
    let carries = table.carries.get()?.0;
    let trial = Filling::trial(carries == Carries::Push, secrets.iter().map(|(name, _)| name.as_str()));
    let mut drafts = Drafts { trial: &trial, notes, named: Vec::new() };

    let content_type = table.content_type.get().map_or(CONTENT_USUAL, |words| words.0.as_str()).to_owned();
    let url = drafts.url(table.url.good()?);
    let body = table.body.good().map(|at| drafts.body(at, Escape::of_content(&content_type)));
    let headers: Option<Vec<_>> =
        entries(&table.headers).map(|(entry, text)| Some((entry.name.to_string(), drafts.header(text)?))).collect();
    let answers = Answers {
        permanent: conditions(&table.permanent, drafts.notes),
        temporary: conditions(&table.temporary, drafts.notes),
        sent: conditions(&table.sent, drafts.notes),
    };
    let (url, headers, body) = (url?, headers?, body.map_or(Some(None), |body| body.map(Some))?);
    drafts.check_told(carries, name);
    let drops_doubles = table.drops_doubles.get().copied().unwrap_or(false);
    drafts.check_doubles(&table.drops_doubles);
    let remote_id = table.remote_id.get().cloned();
    let service =
        Service { carries, method, url, headers, content_type, body, secrets, answers, remote_id, drops_doubles };
    Some(ChannelKind::Service(Box::new(service)))
}

/// Templates being read, and the places that were named so far.
struct Drafts<'n, 't, 's> {
    trial: &'t Filling<'t>,
    notes: &'n mut Notes<'s>,
    named: Vec<String>,
}

impl Drafts<'_, '_, '_> {
    fn url(&mut self, at: &At<ServiceUrl>) -> Option<Template> {
        let (template, filled) = self.tried(&at.value.0, &at.span, Escape::Percent)?;
        if let Err(why) = http_url(&filled) {
            self.notes.error(&at.span, format!("filled in, it is no address: {why}"), None);
            return None;
        }
        Some(template)
    }

    fn header(&mut self, text: &HeaderText) -> Option<HeaderValue> {
        match text {
            HeaderText::Secret(secret) => Some(HeaderValue::Secret(secret.clone())),
            HeaderText::Text(at) => {
                self.tried(&at.value, &at.span, Escape::Nothing).map(|(template, _)| HeaderValue::Template(template))
            }
        }
    }

    fn body(&mut self, at: &At<Wording>, escape: Escape) -> Option<Template> {
        let (template, filled) = self.tried(&at.value.0, &at.span, escape)?;
        if escape == Escape::Json
            && let Err(error) = serde_json::from_str::<Json>(&filled)
        {
            let line = line_of(&at.value.0, error.line());
            let why = error.to_string();
            let why = why.split(" at line").next().unwrap_or_default();
            let help =
                "a place for a text stands in quotes: \"text\": \"{{ text }}\"; or say content_type = …".to_owned();
            let place = self.notes.within(&at.span, &at.value.0, &line);
            self.notes.error(&place, format!("filled in, this is not JSON: {why}"), help);
            return None;
        }
        Some(template)
    }

    /// A template whose places are known and can be filled, and what it comes to.
    fn tried(&mut self, text: &str, span: &Span, escape: Escape) -> Option<(Template, String)> {
        let whole = 0..text.len();
        let template = match Template::parse(text, escape) {
            Ok(template) => template,
            Err(error) => {
                let place = self.notes.within(span, text, &error.range.unwrap_or(whole));
                let help = "places are written {{ text }}".to_owned();
                self.notes.error(&place, format!("this template cannot be read: {}", error.why), help);
                return None;
            }
        };
        let names = self.trial.names();
        let (known, unknown): (Vec<_>, Vec<_>) = template.places().into_iter().partition(|place| names.contains(place));
        for place in &unknown {
            let part = template.range_of(place).unwrap_or_else(|| whole.clone());
            let part = self.notes.within(span, text, &part);
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            self.notes.error(
                &part,
                format!("`{place}` is nothing that a message fills in"),
                known_words(place, &known),
            );
        }
        self.named.extend(known);
        if !unknown.is_empty() {
            return None;
        }
        match template.filled(self.trial) {
            Ok(filled) => Some((template, filled)),
            Err(error) => {
                let place = self.notes.within(span, text, &error.range.unwrap_or(whole));
                self.notes.error(&place, error.why, None);
                None
            }
        }
    }

    /// A service that is not told the words sends nothing; of a text it must know the number as well.
    fn check_told(&mut self, carries: Carries, name: &Span) {
        let told = |places: &[&str]| self.named.iter().any(|named| places.contains(&named.as_str()));
        let (text, to) = (told(&["text"]), carries != Carries::Sms || told(&["to", "to_digits"]));
        for (told, place) in [(text, "text"), (to, "to")] {
            if !told {
                let help = format!("put {{{{ {place} }}}} into body, such as \"{place}\": \"{{{{ {place} }}}}\"");
                self.notes.contradiction(name, format!("this service is never told {{{{ {place} }}}}"), help);
            }
        }
    }

    /// Nobody can drop a double whose id is never told.
    fn check_doubles(&mut self, field: &Field<bool>) {
        if let Some(At { value: true, key, .. }) = field.good()
            && !self.named.iter().any(|named| named == "id")
        {
            let help =
                "put {{ id }} where the service looks for it, such as headers = { Idempotency-Key = \"{{ id }}\" }";
            self.notes.contradiction(key, "a service that is never told {{ id }} cannot tell doubles", help.to_owned());
        }
    }
}

/// A line of a text, counted from 1, without the spaces around it.
fn line_of(text: &str, number: usize) -> Span {
    let mut start = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        if at + 1 == number {
            let indent = line.len() - line.trim_start().len();
            return start + indent..start + indent + line.trim().len();
        }
        start += line.len();
    }
    0..text.len()
}

fn conditions(field: &Field<OneOrMore<AnswerTable>>, notes: &mut Notes<'_>) -> Vec<Condition> {
    let list = field.get().map_or(&[][..], |list| list.0.as_slice());
    list.iter().map(|at| condition(at, notes)).collect()
}

fn condition(at: &At<AnswerTable>, notes: &mut Notes<'_>) -> Condition {
    let table = &at.value;
    if table.status.is_absent() && table.pointer.is_absent() {
        let help = "add status = 202, or pointer = \"/status\" and is = \"queued\"".to_owned();
        notes.contradiction(&at.span, "every answer is like this", help);
    }
    if let (Field::Absent, Field::Good(is)) = (&table.pointer, &table.is) {
        notes.contradiction(&is.key, "`is` needs the place to look at", "add pointer = \"/status\"".to_owned());
    }
    let statuses = table.status.get().map_or(&[][..], |list| list.0.as_slice());
    for status in statuses.iter().filter(|status| !(100..=599).contains(&status.value)) {
        notes.error(
            &status.span,
            format!("{} is not an HTTP status", status.value),
            "they go from 100 to 599".to_owned(),
        );
    }
    Condition {
        status: statuses.iter().map(|status| status.value).collect(),
        pointer: table.pointer.get().cloned(),
        is: table.is.get().into_iter().flat_map(|list| list.0.iter().map(|at| at.value.0.clone())).collect(),
    }
}
