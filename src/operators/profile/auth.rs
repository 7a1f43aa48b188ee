//! How requests prove who we are: nothing, fixed headers, HTTP Basic, a token that is asked for, or a signature.

use std::time::Duration;

use super::field::{At, LengthAt};
use super::fields::{at, length};
use super::hosts::Hosts;
use super::path::Path;
use super::place::{Named, Place};
use super::request::{Method, Request, check_names, pairs};
use super::template::Template;
use super::tree::Table;

/// Pairs of names and templates.
pub(super) type Pairs = Vec<(String, Template)>;

/// A token is kept this long at most, if the profile says nothing.
const TOKEN_LONGEST: Duration = Duration::from_secs(86_400);

/// What is added to each request.
#[derive(Clone, Debug, Default)]
pub(super) struct Added {
    pub(super) headers: Pairs,
    pub(super) query: Pairs,
}

/// How requests are opened.
#[derive(Clone, Debug)]
pub(super) enum Auth {
    /// With what the profile says, the same each time.
    Fixed(Added),
    /// With HTTP Basic.
    Basic { user: Template, password: Template },
    /// With a token that is asked for and kept.
    Token(Box<TokenAuth>),
    /// With a signature of the request.
    Hmac(Box<HmacAuth>),
}

/// A token, or several values that one answer gives.
#[derive(Clone, Debug)]
pub(super) struct TokenAuth {
    pub(super) request: Request,
    /// The client's name and secret as HTTP Basic on the request for a token.
    pub(super) basic: Option<(Template, Template)>,
    pub(super) values: Vec<(String, At)>,
    pub(super) lives: Option<LengthAt>,
    pub(super) longest: Duration,
    pub(super) added: Added,
}

/// Which hash a signature is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha512,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    LowerHex,
    UpperHex,
    Base64,
}

/// A signature over a written text.
#[derive(Clone, Debug)]
pub(super) struct HmacAuth {
    pub(super) hash: Hash,
    pub(super) encoding: Encoding,
    pub(super) secret: Template,
    pub(super) signed: Template,
    pub(super) added: Added,
}

/// The ways of `[auth]`, by their words.
#[derive(Clone, Copy)]
enum Way {
    None,
    Bearer,
    Basic,
    Headers,
    Query,
    OAuth2,
    Login,
    Hmac,
}

const WAYS: &[(&str, Way)] = &[
    ("none", Way::None),
    ("bearer", Way::Bearer),
    ("basic", Way::Basic),
    ("headers", Way::Headers),
    ("query", Way::Query),
    ("oauth2", Way::OAuth2),
    ("login", Way::Login),
    ("hmac", Way::Hmac),
];

/// Reads `[auth]`.
pub(super) fn read(table: &Table<'_>, hosts: &Hosts, named: &Named) -> Option<Auth> {
    let way = table.must("kind", "\"bearer\"")?.word(WAYS)?;
    let place = Place::access(named);
    let auth = match way {
        Way::None => Some(Auth::Fixed(Added::default())),
        Way::Bearer => bearer(table, &place),
        Way::Basic => {
            let user = must_template(table, "user", "\"{secret.user}\"", &place);
            let password = must_template(table, "password", "\"{secret.password}\"", &place);
            Some(Auth::Basic { user: user?, password: password? })
        }
        Way::Headers => {
            table.must("headers", "{ \"X-API-Key\" = \"{secret.api_key}\" }");
            Some(Auth::Fixed(added(table, &place)))
        }
        Way::Query => {
            table.must("query", "{ api_key = \"{secret.api_key}\" }");
            Some(Auth::Fixed(added(table, &place)))
        }
        Way::OAuth2 => oauth2(table, hosts, &place, named).map(|token| Auth::Token(Box::new(token))),
        Way::Login => login(table, hosts, named).map(|token| Auth::Token(Box::new(token))),
        Way::Hmac => hmac(table, &place, named).map(|hmac| Auth::Hmac(Box::new(hmac))),
    };
    table.close();
    auth
}

fn must_template(table: &Table<'_>, key: &'static str, what: &str, place: &Place<'_>) -> Option<Template> {
    table.must(key, what).and_then(|item| place.template(&item))
}

fn template(table: &Table<'_>, key: &'static str, place: &Place<'_>) -> Option<Template> {
    table.item(key).and_then(|item| place.template(&item))
}

fn added(table: &Table<'_>, place: &Place<'_>) -> Added {
    let headers = pairs(table, "headers", place);
    if let Some(item) = table.item("headers") {
        check_names(&item, &headers);
    }
    Added { headers, query: pairs(table, "query", place) }
}

fn bearer(table: &Table<'_>, place: &Place<'_>) -> Option<Auth> {
    let token = table.must("token", "\"{secret.api_key}\"")?;
    place.template(&token)?;
    let text = format!("Bearer {}", token.text()?);
    let mut added = added(table, place);
    added.headers.push(("authorization".into(), Template::unchecked(&text)?));
    Some(Auth::Fixed(added))
}

fn longest(table: &Table<'_>) -> Duration {
    let told = table.item("longest").and_then(|item| item.secs());
    told.map_or(TOKEN_LONGEST, |secs| Duration::from_secs(secs.0.unsigned_abs()))
}

fn oauth2(table: &Table<'_>, hosts: &Hosts, place: &Place<'_>, named: &Named) -> Option<TokenAuth> {
    let url = table.must("token_url", "\"https://auth.example.net/oauth/token\"").and_then(|item| hosts.split(&item));
    let id = must_template(table, "client_id", "\"{secret.client_id}\"", place);
    let secret = must_template(table, "client_secret", "\"{secret.client_secret}\"", place);
    let as_json = table.item("send").and_then(|item| item.word(&[("form", false), ("json", true)])).unwrap_or(false);
    let in_basic = table.item("client_auth").and_then(|item| item.word(&[("body", false), ("basic", true)]));
    let mut body: Pairs = vec![("grant_type".into(), Template::plain("client_credentials"))];
    for key in ["scope", "audience"] {
        body.extend(template(table, key, place).map(|template| (key.to_owned(), template)));
    }
    body.extend(pairs(table, "extra", place));
    let token = table.item("token").map_or_else(|| plain_at("$.access_token"), |item| at(&item));
    let lives = match table.item("expires_in") {
        Some(item) => length(&item),
        None => plain_at("$.expires_in").map(LengthAt::seconds),
    };
    let longest = longest(table);
    let mut place = Place::access(named);
    place.tokens = vec!["token".into()];
    let mut added = added(table, &place);
    if added.headers.is_empty() && added.query.is_empty() {
        added.headers.push(("authorization".into(), Template::unchecked("Bearer {token.token}")?));
    }
    let (id, secret, (base, path)) = (id?, secret?, url?);
    let basic = if in_basic == Some(true) {
        Some((id, secret))
    } else {
        body.push(("client_id".into(), id));
        body.push(("client_secret".into(), secret));
        None
    };
    let request = Request::of_token(base, &path, body, as_json);
    Some(TokenAuth { request, basic, values: vec![("token".into(), token?)], lives, longest, added })
}

fn login(table: &Table<'_>, hosts: &Hosts, named: &Named) -> Option<TokenAuth> {
    let inner = table.must("request", "{ path = \"/auth\", json = { … } }").and_then(|item| item.must_be_table());
    let request = inner.and_then(|inner| {
        let request = Request::read(&inner, Method::Post, hosts, &Place::access(named));
        inner.close();
        request
    });
    let captured = table.must("capture", "{ token = \"$.token\" }").and_then(|item| item.must_be_table());
    let values = captured.map(|captured| captures(&captured)).unwrap_or_default();
    let lives = table.item("expires_in").and_then(|item| length(&item));
    let longest = longest(table);
    let mut place = Place::access(named);
    place.tokens = values.iter().map(|(name, _)| name.clone()).collect();
    if !table.has("headers") && !table.has("query") {
        table.wrong("this login is used nowhere", "headers = { \"X-Token\" = \"{token.token}\" }");
    }
    let added = added(table, &place);
    Some(TokenAuth { request: request?, basic: None, values, lives, longest, added })
}

/// Names and where their values stand in an answer.
pub(super) fn captures(table: &Table<'_>) -> Vec<(String, At)> {
    table.all().iter().filter_map(|(name, item)| Some(((*name).to_owned(), at(item)?))).collect()
}

fn hmac(table: &Table<'_>, place: &Place<'_>, named: &Named) -> Option<HmacAuth> {
    let hash = table
        .item("hash")
        .map_or(Some(Hash::Sha256), |item| item.word(&[("sha256", Hash::Sha256), ("sha512", Hash::Sha512)]));
    let encoding = table.item("encoding").map_or(Some(Encoding::LowerHex), |item| {
        item.word(&[("hex", Encoding::LowerHex), ("HEX", Encoding::UpperHex), ("base64", Encoding::Base64)])
    });
    let secret = must_template(table, "secret", "\"{secret.signing_key}\"", place);
    let signing = Place::signed(named);
    let signed = must_template(table, "signed", "\"{timestamp_ms}{nonce}{body}\"", &signing);
    if let Some(item) = table.item("signed").filter(|item| item.text().is_some_and(|text| text.contains("{signature")))
    {
        item.wrong("a signature cannot sign itself", "take {signature} out");
    }
    let added = added(table, &signing);
    let is_sent = added.headers.iter().chain(&added.query).flat_map(|(_, template)| template.slots());
    if !is_sent.into_iter().any(|slot| slot.name == "signature") {
        table.wrong("the signature is sent nowhere", "headers = { \"X-Signature\" = \"{signature}\" }");
    }
    Some(HmacAuth { hash: hash?, encoding: encoding?, secret: secret?, signed: signed?, added })
}

fn plain_at(path: &str) -> Option<At> {
    Path::of(path).map(At::of)
}
