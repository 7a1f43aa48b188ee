//! Sending: which client, how fast, with what opens the door, and what an answer means before anybody looks into it.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::auth::{Added, Auth, Encoding, Hash, HmacAuth, TokenAuth};
use super::calls::LimitScope;
use super::file::Profile;
use super::path::Doc;
use super::request::{Request, Sent, filled, form_text};
use super::rules::{Class, Rule};
use super::template::{Gap, Values};
use super::when::{Known, Verdict, all};
use crate::domain::card::tamed;
use crate::domain::operator::{Contact, OperatorError, RefusalKind};
use crate::operators::http::{BuyOutcome, Call, HttpAnswer, HttpClient, HttpSetupError, Way};
use crate::operators::kit::{NewToken, Pace, Tokens, basic, hmac_sha256, hmac_sha512, lower_hex, never, unknown};

/// One account's access to the operator of a profile.
pub(super) struct Session {
    pub(super) profile: Profile,
    clients: Vec<HttpClient>,
    secrets: BTreeMap<String, SecretString>,
    tokens: Tokens,
    paces: Vec<Pace>,
}

/// An answer and, if it is one, its document.
pub(super) struct Reply {
    pub(super) answer: HttpAnswer,
    pub(super) document: Result<Value, String>,
}

impl Reply {
    pub(super) fn of(answer: HttpAnswer) -> Self {
        let document = answer.document::<Value>();
        Self { answer, document }
    }

    /// The document, if there is one.
    pub(super) fn doc(&self) -> Option<Doc<'_>> {
        self.document.as_ref().ok().map(Doc::of)
    }
}

impl Session {
    /// Prepares a client for each base address; touches no network.
    pub(super) fn new(
        way: &Way,
        profile: Profile,
        secrets: BTreeMap<String, SecretString>,
    ) -> Result<Self, HttpSetupError> {
        let hosts: Vec<&str> = profile.hosts.iter().map(String::as_str).collect();
        let client = |base: &String| {
            let mut settings = way.settings(base, &hosts, profile.declared.capabilities.processing_max);
            if let (None, Some(longest)) = (way.body_bytes_max, profile.answers.longest) {
                settings.body_bytes_max = longest;
            }
            HttpClient::new(&settings)
        };
        let clients = profile.bases.iter().map(client).collect::<Result<_, _>>()?;
        let longest = match &profile.auth {
            Auth::Token(token) => token.longest,
            Auth::Fixed(_) | Auth::Basic { .. } | Auth::Hmac(_) => Duration::ZERO,
        };
        let paces = profile.limits.iter().map(|limit| way.pace(limit.calls, limit.per)).collect();
        Ok(Self { profile, clients, secrets, tokens: Tokens::new(longest), paces })
    }

    pub(super) fn contact(&self) -> Contact {
        self.clients.first().map(HttpClient::contact).unwrap_or_default()
    }

    /// What conditions may compare with.
    pub(super) const fn known<'a>(&'a self, values: &'a Values) -> Known<'a> {
        Known { values, zone: &self.profile.zone }
    }

    /// Asks what costs nothing, and answers the document of success.
    ///
    /// # Errors
    /// By the profile's rules, or by the status.
    pub(super) async fn ask(&self, request: &Request, values: &Values) -> Result<(Value, HttpAnswer), OperatorError> {
        let reply = self.reply(request, values).await?;
        self.judged(&request.label, reply)
    }

    /// Asks what costs nothing; any answer will do.
    pub(super) async fn reply(&self, request: &Request, values: &Values) -> Result<Reply, OperatorError> {
        self.reply_to(&self.fill(request, values)?, values).await
    }

    /// A request with its placeholders filled, secrets among them.
    pub(super) fn fill(&self, request: &Request, values: &Values) -> Result<Sent, OperatorError> {
        request.fill(&self.with_secrets(values), &self.profile.zone).map_err(|gap| gap.error())
    }

    /// As [`reply`](Self::reply), for a request that is ready.
    pub(super) async fn reply_to(&self, sent: &Sent, values: &Values) -> Result<Reply, OperatorError> {
        let (added, token) = self.opened(sent).await?;
        let answer = self.read_once(sent, &added, values).await?;
        let Some(token) = token.filter(|_| answer.status == 401) else { return Ok(Reply::of(answer)) };
        self.tokens.forget(&token).await;
        let (added, _) = self.opened(sent).await?;
        Ok(Reply::of(self.read_once(sent, &added, values).await?))
    }

    async fn read_once(&self, sent: &Sent, added: &Opened, values: &Values) -> Result<HttpAnswer, OperatorError> {
        self.keep_pace(&sent.label, values).await;
        let query = pairs(sent, added);
        let call = added.onto(sent.call(&query));
        self.client(sent)?.read(call).await
    }

    /// Sends an order, once. A token that is refused is forgotten, and the order is not sent again.
    ///
    /// # Errors
    /// There is no token: nothing was sent.
    pub(super) async fn order(&self, sent: &Sent, values: &Values) -> Result<BuyOutcome, OperatorError> {
        let (added, token) = self.opened(sent).await?;
        self.keep_pace(&sent.label, values).await;
        let query = pairs(sent, &added);
        let outcome = self.client(sent)?.buy(added.onto(sent.call(&query))).await;
        if let (Some(token), BuyOutcome::Answer(answer)) = (token, &outcome)
            && answer.status == 401
        {
            self.tokens.forget(&token).await;
        }
        Ok(outcome)
    }

    fn client(&self, sent: &Sent) -> Result<&HttpClient, OperatorError> {
        self.clients.get(sent.base).ok_or_else(|| unknown("the profile no longer names the address of this request"))
    }

    async fn keep_pace(&self, label: &str, values: &Values) {
        let call = call_of(label);
        for (limit, pace) in self.profile.limits.iter().zip(&self.paces) {
            if !limit.of.is_empty() && !limit.of.iter().any(|of| of == call) {
                continue;
            }
            let key = match limit.scope {
                LimitScope::Account => String::new(),
                LimitScope::Call => call.to_owned(),
                LimitScope::Card => match values.get("iccid").or_else(|| values.get("msisdn")) {
                    Some(card) => format!("{call} {card}"),
                    None => continue,
                },
            };
            pace.keep(&key).await;
        }
    }

    fn with_secrets(&self, values: &Values) -> Values {
        let mut all = values.clone();
        let exposed =
            |(name, secret): (&String, &SecretString)| (format!("secret.{name}"), secret.expose_secret().to_owned());
        all.extend(self.secrets.iter().map(exposed));
        all
    }

    /// What opens the door for this request, and the token in it, if there is one.
    async fn opened(&self, sent: &Sent) -> Result<(Opened, Option<SecretString>), OperatorError> {
        let secrets = self.with_secrets(&Values::new());
        match &self.profile.auth {
            Auth::Fixed(added) => Ok((self.filled(added, &secrets)?, None)),
            Auth::Basic { user, password } => {
                let mut opened = Opened::default();
                opened.headers.push(("authorization".into(), self.basic(user, password, &secrets)?));
                Ok((opened, None))
            }
            Auth::Token(auth) => {
                let token = self.tokens.get(self.new_token(auth)).await?;
                let values: Values = serde_json::from_str(token.expose_secret())
                    .map_err(|_| unknown("the token that was kept cannot be read"))?;
                let mut all = secrets;
                all.extend(values.into_iter().map(|(name, value)| (format!("token.{name}"), value)));
                Ok((self.filled(&auth.added, &all)?, Some(token)))
            }
            Auth::Hmac(auth) => Ok((self.signed(auth, sent, secrets)?, None)),
        }
    }

    fn filled(&self, added: &Added, values: &Values) -> Result<Opened, OperatorError> {
        let zone = &self.profile.zone;
        let headers = filled(&added.headers, values, zone).map_err(access)?;
        Ok(Opened { headers, query: filled(&added.query, values, zone).map_err(access)? })
    }

    fn basic(
        &self,
        user: &super::template::Template,
        password: &super::template::Template,
        secrets: &Values,
    ) -> Result<String, OperatorError> {
        let fill = |template: &super::template::Template| {
            Ok(template.fill(secrets, &self.profile.zone).map_err(access)?.unwrap_or_default())
        };
        let (user, password): (String, String) = (fill(user)?, fill(password)?);
        Ok(basic(&user, &password.into()).expose_secret().to_owned())
    }

    async fn new_token(&self, auth: &TokenAuth) -> Result<NewToken, OperatorError> {
        let secrets = self.with_secrets(&Values::new());
        let sent = auth.request.fill(&secrets, &self.profile.zone).map_err(access)?;
        let mut opened = Opened::default();
        if let Some((user, password)) = &auth.basic {
            opened.headers.push(("authorization".into(), self.basic(user, password, &secrets)?));
        }
        let reply = Reply::of(self.read_once(&sent, &opened, &Values::new()).await?);
        if matches!(reply.answer.status, 400 | 401 | 403) {
            let why =
                format!("the operator gives no token (HTTP {}); look at the account's secrets", reply.answer.status);
            return Err(never(RefusalKind::Access, why));
        }
        // What the answer holds is left out of all errors, since it may be the token.
        let answer = reply.answer.clone().checked()?;
        let document = reply.document.map_err(|_| unknown("the answer for a token is no document"))?;
        let doc = Doc::of(&document);
        let mut values = Values::new();
        for (name, at) in &auth.values {
            let value = at.text(doc).ok().flatten();
            let value = value
                .ok_or_else(|| unknown(format!("the answer for a token (HTTP {}) holds no {name}", answer.status)))?;
            values.insert(name.clone(), value);
        }
        let lives = auth.lives.as_ref().and_then(|lives| lives.secs(doc).ok().flatten());
        let value = serde_json::to_string(&values).map_err(|_| unknown("the token cannot be kept"))?;
        Ok(NewToken { value: value.into(), lives: lives.map(|secs| Duration::from_secs(secs.unsigned_abs())) })
    }

    fn signed(&self, auth: &HmacAuth, sent: &Sent, mut values: Values) -> Result<Opened, OperatorError> {
        let zone = &self.profile.zone;
        let base = self.profile.bases.get(sent.base).and_then(|base| Url::parse(base).ok());
        let prefix = base.map(|base| base.path().trim_end_matches('/').to_owned()).unwrap_or_default();
        let (secs, nanos) = stamp();
        for (name, value) in [
            ("method", sent.method.as_str().to_owned()),
            ("path", format!("{prefix}{}", sent.path)),
            ("query", form_text(&sent.query)),
            ("body", sent.body.clone()),
            ("body_sha256", lower_hex(&Sha256::digest(sent.body.as_bytes()))),
            ("timestamp", secs.to_string()),
            ("timestamp_ms", format!("{secs}{:03}", nanos / 1_000_000)),
            ("nonce", uuid::Uuid::new_v4().to_string()),
        ] {
            values.insert(name.to_owned(), value);
        }
        let text = |template: &super::template::Template, values: &Values| {
            Ok::<_, OperatorError>(template.fill(values, zone).map_err(access)?.unwrap_or_default())
        };
        let secret = SecretString::from(text(&auth.secret, &values)?);
        let signed = text(&auth.signed, &values)?;
        let bytes = match auth.hash {
            Hash::Sha256 => hmac_sha256(&secret, signed.as_bytes()),
            Hash::Sha512 => hmac_sha512(&secret, signed.as_bytes()),
        };
        let signature = match auth.encoding {
            Encoding::LowerHex => lower_hex(&bytes),
            Encoding::UpperHex => lower_hex(&bytes).to_ascii_uppercase(),
            Encoding::Base64 => STANDARD.encode(&bytes),
        };
        values.insert("signature".into(), signature);
        self.filled(&auth.added, &values)
    }

    /// What an answer means by the profile's rules, then by its status, then by what every good answer fulfils.
    pub(super) fn judged(&self, label: &str, reply: Reply) -> Result<(Value, HttpAnswer), OperatorError> {
        if let Some(rule) = self.rule(label, &reply) {
            return Err(self.error(rule.class, &reply));
        }
        if !reply.answer.is_success() {
            let error = reply.answer.error();
            let (code, text) = self.profile.answers.told(reply.doc());
            return Err(with_words(error, code.as_deref(), text.as_deref()));
        }
        if let Some(why) = self.not_ok(&reply) {
            return Err(unknown(format!("{}: {why}", call_of(label))));
        }
        let Reply { answer, document } = reply;
        let document = document.map_err(unknown)?;
        Ok((document, answer))
    }

    /// The first rule that fits an answer.
    pub(super) fn rule(&self, label: &str, reply: &Reply) -> Option<&Rule> {
        let none = Values::new();
        let known = self.known(&none);
        self.profile.rules.iter().find(|rule| rule.fits(label, reply.answer.status, reply.doc(), known))
    }

    /// Why an answer of success is none after all.
    pub(super) fn not_ok(&self, reply: &Reply) -> Option<String> {
        let doc = reply.doc().filter(|_| !self.profile.answers.ok.is_empty())?;
        let none = Values::new();
        match all(&self.profile.answers.ok, doc, self.known(&none)) {
            Verdict::Holds => None,
            Verdict::Fails(why) | Verdict::Lacks(why) => {
                let (code, text) = self.profile.answers.told(Some(doc));
                Some([Some(why), code, text].into_iter().flatten().collect::<Vec<_>>().join("; "))
            }
        }
    }

    fn error(&self, class: Class, reply: &Reply) -> OperatorError {
        let (code, text) = self.profile.answers.told(reply.doc());
        let told = [code, text].into_iter().flatten().collect::<Vec<_>>().join(": ");
        let status = reply.answer.status;
        let why = if told.is_empty() {
            format!("the operator says no (HTTP {status})")
        } else {
            format!("the operator says: {told}")
        };
        match class {
            Class::Later | Class::Pending => {
                OperatorError::Later { retry_after: reply.answer.retry_after, why: tamed(&why, 200) }
            }
            Class::Refusal(kind) => never(kind, why),
            Class::Unknown | Class::AlreadyUsed => unknown(why),
        }
    }
}

/// The call that a label is of: `read` for `read[2]`, `buy` for `buy.commit`.
pub(super) fn call_of(label: &str) -> &str {
    label.split(['.', '[']).next().unwrap_or(label)
}

fn with_words(error: OperatorError, code: Option<&str>, text: Option<&str>) -> OperatorError {
    let told = [code, text].into_iter().flatten().collect::<Vec<_>>().join(": ");
    if told.is_empty() {
        return error;
    }
    let more = |why: String| tamed(&format!("{why}; it says: {told}"), 200);
    match error {
        OperatorError::Later { retry_after, why } => OperatorError::Later { retry_after, why: more(why) },
        OperatorError::Never { kind, why } => OperatorError::Never { kind, why: more(why) },
        OperatorError::Unknown { why } => OperatorError::Unknown { why: more(why) },
    }
}

/// What is missing for the access is named; its value never is.
fn access(gap: Gap) -> OperatorError {
    match gap {
        Gap::Missing(name) => match name.strip_prefix("secret.") {
            Some(secret) => {
                let how = format!("write secrets.{secret} = {{ credential = \"…\" }} into the account");
                never(RefusalKind::Access, format!("the account lacks the secret `{secret}`; {how}"))
            }
            None => never(RefusalKind::Access, format!("nothing stands for {{{name}}}")),
        },
        Gap::Odd(_) => never(RefusalKind::Access, "a secret does not fit where the profile puts it"),
    }
}

/// Headers and query pairs that open the door.
#[derive(Default)]
struct Opened {
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
}

impl Opened {
    fn onto<'a>(&self, call: Call<'a>) -> Call<'a> {
        self.headers.iter().fold(call, |call, (name, value)| call.header_named(name, value))
    }
}

fn pairs<'a>(sent: &'a Sent, added: &'a Opened) -> Vec<(&'a str, &'a str)> {
    sent.query.iter().chain(&added.query).map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The seconds and nanoseconds that a request is stamped with.
fn stamp() -> (u64, u32) {
    uuid::Uuid::now_v7().get_timestamp().map_or((0, 0), |stamp| stamp.to_unix())
}
