//! Requests as a profile describes them, and the bytes that become of them.

use jiff::tz::TimeZone;
use reqwest::header::HeaderName;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hosts::Hosts;
use super::place::Place;
use super::template::{Gap, Template, Values};
use super::tree::{Item, Table};
use crate::operators::http::Call;
use crate::operators::kit::{FORM, JSON, form_of};

/// The methods that a request may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Patch,
}

impl Method {
    /// As it stands in a request.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
        }
    }
}

const METHODS: &[(&str, Method)] =
    &[("GET", Method::Get), ("POST", Method::Post), ("PUT", Method::Put), ("PATCH", Method::Patch)];

/// Pairs of names and templates.
type Pairs = Vec<(String, Template)>;

/// One request, not yet filled.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Which call it is of, such as `buy`; for messages and limits.
    pub(super) label: String,
    /// Which base address it goes to.
    pub(super) base: usize,
    method: Method,
    path: Template,
    query: Pairs,
    headers: Pairs,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    None,
    Json(Json),
    Form(Pairs),
    Text { content_type: String, text: Template },
}

/// A JSON document with placeholders in its texts.
#[derive(Clone, Debug)]
enum Json {
    Text(Template),
    Fixed(Value),
    List(Vec<Json>),
    Table(Vec<(String, Json)>),
}

/// A request that is ready to be sent, but for what opens the door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) label: String,
    pub(super) base: usize,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content_type: String,
    pub(super) body: String,
}

impl Sent {
    /// As a call of the HTTP client; `query` holds this request's pairs and those of the access.
    pub(super) fn call<'a>(&'a self, query: &'a [(&'a str, &'a str)]) -> Call<'a> {
        let body = self.body.as_bytes();
        let call = match self.method {
            Method::Get => Call::get(&self.path),
            Method::Post => Call::post(&self.path, &self.content_type, body),
            Method::Put => Call::put(&self.path, &self.content_type, body),
            Method::Patch => Call::patch(&self.path, &self.content_type, body),
        };
        let call = self.headers.iter().fold(call, |call, (name, value)| call.header_named(name, value));
        call.query(query)
    }
}

impl Request {
    /// Reads the keys of a request from a table that holds other keys, too.
    pub(super) fn read(table: &Table<'_>, method: Method, hosts: &Hosts, place: &Place<'_>) -> Option<Self> {
        let method = table.item("method").map_or(Some(method), |item| item.word(METHODS));
        let path = table.must("path", "\"/cards/{iccid}\"").and_then(|item| path(&item, place));
        let base = table.item("base_url").map_or(Some(0), |item| hosts.base(&item));
        let query = pairs(table, "query", place);
        let headers = pairs(table, "headers", place);
        if let Some(item) = table.item("headers") {
            check_names(&item, &headers);
        }
        let body = body(table, place);
        let (method, path, base, body) = (method?, path?, base?, body?);
        if method == Method::Get && !matches!(body, Body::None) {
            table.wrong("a GET has no body", "write method = \"POST\", or put the values into `query`");
        }
        Some(Self { label: table.path.clone(), base, method, path, query, headers, body })
    }

    /// The request for a token.
    pub(super) fn of_token(base: usize, path: &str, pairs: Pairs, as_json: bool) -> Self {
        let json = |pairs: Pairs| pairs.into_iter().map(|(name, template)| (name, Json::Text(template))).collect();
        let body = if as_json { Body::Json(Json::Table(json(pairs))) } else { Body::Form(pairs) };
        let path = Template::plain(path);
        let (query, headers) = (Vec::new(), Vec::new());
        Self { label: "auth".into(), base, method: Method::Post, path, query, headers, body }
    }

    /// All names of placeholders in it.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut templates: Vec<&Template> = vec![&self.path];
        templates.extend(self.query.iter().chain(&self.headers).map(|(_, template)| template));
        match &self.body {
            Body::None => {}
            Body::Json(json) => json.gather(&mut templates),
            Body::Form(pairs) => templates.extend(pairs.iter().map(|(_, template)| template)),
            Body::Text { text, .. } => templates.push(text),
        }
        templates.into_iter().flat_map(Template::slots).map(|slot| slot.name.as_str()).collect()
    }

    /// The request with its placeholders filled.
    pub(super) fn fill(&self, values: &Values, zone: &TimeZone) -> Result<Sent, Gap> {
        let path = self.path.fill_with(values, zone, path_encoded)?;
        let path = path.ok_or_else(|| Gap::Odd("a part of the path is missing".into()))?;
        let (content_type, body) = match &self.body {
            Body::None => (JSON.to_owned(), String::new()),
            Body::Json(json) => (JSON.to_owned(), json.fill(values, zone)?.unwrap_or(Value::Null).to_string()),
            Body::Form(pairs) => (FORM.to_owned(), form_text(&filled(pairs, values, zone)?)),
            Body::Text { content_type, text } => {
                (content_type.clone(), text.fill_with(values, zone, plain_enough)?.unwrap_or_default())
            }
        };
        let mut headers = filled(&self.headers, values, zone)?;
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept")) {
            headers.push(("accept".into(), JSON.into()));
        }
        let query = filled(&self.query, values, zone)?;
        Ok(Sent {
            label: self.label.clone(),
            base: self.base,
            method: self.method,
            path,
            query,
            headers,
            content_type,
            body,
        })
    }
}

/// Pairs as the text of a form or of a query.
pub(super) fn form_text(pairs: &[(String, String)]) -> String {
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    String::from_utf8(form_of(&pairs)).unwrap_or_default()
}

fn path(item: &Item<'_>, place: &Place<'_>) -> Option<Template> {
    let template = place.template(item)?;
    let beginning = template.beginning();
    let text = item.text().unwrap_or_default();
    if !beginning.starts_with('/') {
        item.wrong(
            "a path begins with `/`",
            "it lies below base_url; another host is named by `base_url` beside `path`",
        );
    } else if text.contains(['?', '#']) && !text.contains("?}") && !text.contains("?|") {
        item.wrong("a path has neither `?` nor `#`", "put what stands behind `?` into query = { name = \"value\" }");
    } else if text.contains("..") || text.contains('\\') {
        item.wrong("a path may not leave the base address", "write it without `..` and `\\`");
    }
    Some(template)
}

/// Pairs of names and templates; values may be numbers, too.
pub(super) fn pairs(table: &Table<'_>, key: &'static str, place: &Place<'_>) -> Pairs {
    let Some(inner) = table.item(key).and_then(|item| item.must_be_table()) else { return Vec::new() };
    let mut pairs = Vec::new();
    for (name, item) in inner.all() {
        for item in item.one_or_list() {
            let template = match item.text() {
                None if item.scalar().is_some() => item.scalar().map(|text| Template::plain(&text)),
                _ => place.template(&item),
            };
            pairs.extend(template.map(|template| (name.to_owned(), template)));
        }
    }
    pairs
}

/// Notes names that are none of headers, and those that are not for a profile to set.
pub(super) fn check_names(item: &Item<'_>, headers: &Pairs) {
    for (name, _) in headers {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            item.wrong(format!("`{name}` is no name of a header"), "letters, digits and hyphens");
        }
        if ["host", "content-length", "connection", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str()) {
            item.wrong(format!("the header `{name}` cannot be set"), "it is set for each request by itself");
        }
    }
}

fn body(table: &Table<'_>, place: &Place<'_>) -> Option<Body> {
    let named: Vec<&str> = ["json", "form", "text"]
        .into_iter()
        .filter(|key| match *key {
            "json" => table.has("json"),
            "form" => table.has("form"),
            _ => table.has("text"),
        })
        .collect();
    if named.len() > 1 {
        table.wrong(format!("a request has one body; this one has {}", named.join(" and ")), "keep one of them");
    }
    let content_type = table.text("content_type");
    if let Some(item) = table.item("json") {
        return Json::read(&item, place).map(Body::Json);
    }
    if table.has("form") {
        return Some(Body::Form(pairs(table, "form", place)));
    }
    if let Some(item) = table.item("text") {
        let content_type = content_type.unwrap_or_else(|| JSON.to_owned());
        return Some(Body::Text { content_type, text: place.template(&item)? });
    }
    Some(Body::None)
}

impl Json {
    fn read(item: &Item<'_>, place: &Place<'_>) -> Option<Self> {
        if item.text().is_some() {
            return place.template(item).map(Self::Text);
        }
        if let Some(list) = item.list() {
            let read: Vec<Self> = list.iter().filter_map(|item| Self::read(item, place)).collect();
            return (read.len() == list.len()).then_some(Self::List(read));
        }
        if let Some(table) = item.table() {
            let all = table.all();
            let read = all.iter().filter_map(|(key, item)| Some(((*key).to_owned(), Self::read(item, place)?)));
            let read: Vec<(String, Self)> = read.collect();
            return (read.len() == all.len()).then_some(Self::Table(read));
        }
        let value = item.scalar().and_then(|text| serde_json::from_str(&text).ok()).map(Self::Fixed);
        if value.is_none() {
            item.wrong(format!("`{}` is {}, which JSON does not know", item.path, item.what()), "write it as a text");
        }
        value
    }

    fn gather<'j>(&'j self, templates: &mut Vec<&'j Template>) {
        match self {
            Self::Text(template) => templates.push(template),
            Self::Fixed(_) => {}
            Self::List(list) => list.iter().for_each(|item| item.gather(templates)),
            Self::Table(table) => table.iter().for_each(|(_, item)| item.gather(templates)),
        }
    }

    fn fill(&self, values: &Values, zone: &TimeZone) -> Result<Option<Value>, Gap> {
        Ok(match self {
            Self::Text(template) => match template.fill(values, zone)? {
                Some(text) if template.is_number() => {
                    Some(serde_json::from_str(&text).map_err(|_| Gap::Odd(format!("`{text}` is not a number")))?)
                }
                Some(text) => Some(Value::String(text)),
                None => None,
            },
            Self::Fixed(value) => Some(value.clone()),
            Self::List(list) => {
                let filled: Result<Vec<Option<Value>>, Gap> = list.iter().map(|item| item.fill(values, zone)).collect();
                Some(Value::Array(filled?.into_iter().flatten().collect()))
            }
            Self::Table(table) => {
                let mut filled = serde_json::Map::new();
                for (key, item) in table {
                    if let Some(value) = item.fill(values, zone)? {
                        filled.insert(key.clone(), value);
                    }
                }
                Some(Value::Object(filled))
            }
        })
    }
}

/// Pairs with their placeholders filled; those of which a part may be missing and is are left out.
pub(super) fn filled(pairs: &Pairs, values: &Values, zone: &TimeZone) -> Result<Vec<(String, String)>, Gap> {
    let mut filled = Vec::with_capacity(pairs.len());
    for (name, template) in pairs {
        filled.extend(template.fill(values, zone)?.map(|value| (name.clone(), value)));
    }
    Ok(filled)
}

/// A value as one part of a path: everything but letters, digits and `-._~` is written as `%XX`.
fn path_encoded(value: String) -> Result<String, Gap> {
    if value.bytes().all(|byte| byte == b'.') || value.contains("..") {
        return Err(Gap::Odd(format!("`{}` cannot stand in a path", crate::domain::card::tamed(&value, 40))));
    }
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(encoded)
}

/// A value that stands in a text body as it is: nothing that would end a JSON text or an XML element.
fn plain_enough(value: String) -> Result<String, Gap> {
    if value.contains(['"', '\\', '<', '>', '&']) || value.chars().any(char::is_control) {
        let shown = crate::domain::card::tamed(&value, 40);
        return Err(Gap::Odd(format!("`{shown}` cannot stand in a text body; describe the body by `json` or `form`")));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_part_of_a_path() {
        for (value, encoded) in [("89a-b_c.d~e", "89a-b_c.d~e"), ("a/b?c#d", "a%2Fb%3Fc%23d"), ("ü %", "%C3%BC%20%25")]
        {
            assert_eq!(path_encoded(value.into()), Ok(encoded.to_owned()));
        }
        for value in ["", ".", "..", "a..b"] {
            assert!(path_encoded(value.into()).is_err(), "{value:?}");
        }
        assert!(plain_enough("Tom & Jerry".into()).is_err() && plain_enough("Tom".into()).is_ok());
    }
}
