//! Access to the API: the token, the signature, the paces, and what refusals mean for a reading.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha512;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::pace::Pace;
use super::wire::{CodeDoc, Loose, TokenDoc, Wrapped};
use crate::domain::card::tamed;
use crate::domain::operator::{OperatorError, RefusalKind};
use crate::domain::time::Secs;
use crate::operators::http::{BuyOutcome, Call, HttpAnswer, HttpClient};

/// Type of every body that we send; the vendor's own libraries send forms.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
/// The example says 366 days, the text 24 hours: never longer than the text.
const TOKEN_LONGEST: Duration = Duration::from_secs(86_400);
/// A token is renewed this long before its end, so that it does not end on the way to an order.
const TOKEN_SPARE: Duration = Duration::from_secs(600);

/// One account's access.
pub(super) struct Session {
    http: HttpClient,
    client_id: SecretString,
    client_secret: SecretString,
    token: Mutex<Option<Token>>,
    token_pace: Pace,
    client_pace: Pace,
    card_pace: Pace,
}

struct Token {
    value: SecretString,
    good_until: Instant,
}

impl Session {
    pub(super) fn new(http: HttpClient, client_id: SecretString, client_secret: SecretString) -> Self {
        Self {
            http,
            client_id,
            client_secret,
            token: Mutex::new(None),
            // Limits as published: 3 tokens a minute; 5 calls a second; 10 a minute for each card and call.
            token_pace: Pace::new(3, Duration::from_secs(60)),
            client_pace: Pace::new(5, Duration::from_secs(1)),
            card_pace: Pace::new(10, Duration::from_secs(60)),
        }
    }

    /// Reads, with a fresh token once if the present one is refused.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<HttpAnswer, OperatorError> {
        let token = self.token().await?;
        let answer = self.get_with(&token, path, query).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        self.forget(&token).await;
        let token = self.token().await?;
        self.get_with(&token, path, query).await
    }

    async fn get_with(
        &self,
        token: &SecretString,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<HttpAnswer, OperatorError> {
        if path.starts_with("/sims/") {
            self.card_pace.keep(path).await;
        }
        self.client_pace.keep("").await;
        self.http.read(Call::get(path).query(query).bearer(token).header("accept", "application/json")).await
    }

    /// Sends an order, once. A refused token is forgotten, and the order is not sent again.
    pub(super) async fn buy(&self, path: &str, content_type: &str, body: &[u8]) -> Result<BuyOutcome, OperatorError> {
        let token = self.token().await?;
        let signature = signature(&self.client_secret, &json_of_form(body)).map_err(unknown)?;
        self.client_pace.keep("").await;
        let call = Call::post(path, content_type, body).bearer(&token).header("accept", "application/json");
        let outcome = self.http.buy(call.header("airalo-signature", &signature)).await;
        if matches!(&outcome, BuyOutcome::Answer(answer) if answer.status == 401) {
            self.forget(&token).await;
        }
        Ok(outcome)
    }

    /// The token; only one caller at a time asks for a new one, and the others wait for it.
    async fn token(&self) -> Result<SecretString, OperatorError> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| Instant::now() < token.good_until) {
            return Ok(token.value.clone());
        }
        let token = self.new_token().await?;
        let value = token.value.clone();
        *kept = Some(token);
        Ok(value)
    }

    async fn forget(&self, refused: &SecretString) {
        let mut kept = self.token.lock().await;
        if kept.as_ref().is_some_and(|token| token.value.expose_secret() == refused.expose_secret()) {
            *kept = None;
        }
    }

    async fn new_token(&self) -> Result<Token, OperatorError> {
        self.token_pace.take("").map_err(|wait| OperatorError::Later {
            retry_after: Some(Secs(i64::try_from(wait.as_secs()).unwrap_or(60) + 1)),
            why: "Airalo gives three tokens a minute, and they are used up".into(),
        })?;
        let body = form_of(&[
            ("client_id", self.client_id.expose_secret()),
            ("client_secret", self.client_secret.expose_secret()),
            ("grant_type", "client_credentials"),
        ]);
        let signature = signature(&self.client_secret, &json_of_form(&body)).map_err(unknown)?;
        let call = Call::post("/token", FORM, &body).header("accept", "application/json");
        let asked_at = Instant::now();
        let answer = self.http.read(call.header("airalo-signature", &signature)).await?.checked()?;
        // The reason is left out, since it may quote the token.
        let doc = answer.document::<Wrapped<TokenDoc>>().ok().filter(|doc| !doc.data.access_token.is_empty());
        let Wrapped { data } = doc.ok_or_else(|| unknown("Airalo's answer holds no token".into()))?;
        Ok(Token { value: data.access_token.into(), good_until: asked_at + life(data.expires_in.as_ref()) })
    }
}

fn unknown(why: String) -> OperatorError {
    OperatorError::Unknown { why }
}

fn life(expires_in: Option<&Loose>) -> Duration {
    let told = expires_in.and_then(|secs| secs.scaled(1).ok()).and_then(|secs| u64::try_from(secs).ok());
    let whole = told.map_or(TOKEN_LONGEST, Duration::from_secs).min(TOKEN_LONGEST);
    // A token shorter than the spare time is still good for half its life.
    whole.saturating_sub(TOKEN_SPARE).max(whole / 2)
}

/// What an answer other than success means for a reading, by Airalo's own codes first.
pub(super) fn read_error(answer: &HttpAnswer) -> OperatorError {
    let never = |kind, why: &str| OperatorError::Never { kind, why: why.to_owned() };
    if answer.status == 404 {
        return never(RefusalKind::CardData, "Airalo does not know a card with this ICCID in this account");
    }
    let Some(code) = matches!(answer.status, 403 | 422).then(|| answer.document::<CodeDoc>().ok()).flatten() else {
        return answer.error();
    };
    let told = tamed(&format!("Airalo says {}: {}", code.code, code.reason), 200);
    match code.code.0.as_str() {
        "13" => OperatorError::Later { retry_after: answer.retry_after, why: told },
        "73" => never(RefusalKind::CardDead, &told),
        "89" => never(RefusalKind::Access, &told),
        _ => unknown(told),
    }
}

/// Pairs as a form.
pub(super) fn form_of(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut form = no_address();
    form.query_pairs_mut().extend_pairs(pairs);
    form.query().unwrap_or_default().as_bytes().to_vec()
}

/// The pairs of a form, in their order.
pub(super) fn pairs_of(form: &[u8]) -> Vec<(String, String)> {
    let mut address = no_address();
    address.set_query(std::str::from_utf8(form).ok());
    address.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[expect(clippy::expect_used, reason = "a constant that the tests parse")]
fn no_address() -> Url {
    // The address is used for its form encoding only and goes nowhere.
    Url::parse("https://form.invalid").expect("a constant address")
}

/// The JSON text that is signed: the form's pairs in their order, without spaces, as the vendor's libraries write it.
fn json_of_form(form: &[u8]) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let pairs: Vec<String> =
        pairs_of(form).iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

/// Hexadecimal HMAC-SHA512 of a text under the account's secret.
fn signature(secret: &SecretString, text: &str) -> Result<String, String> {
    let mut mac = Hmac::<Sha512>::new_from_slice(secret.expose_secret().as_bytes())
        .map_err(|_| "the client_secret cannot be used to sign".to_owned())?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn the_signature_is_hmac_sha512() {
        let signed = signature(&"Jefe".into(), "what do ya want for nothing?").unwrap();
        assert_eq!(
            signed,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        );
    }

    #[test]
    fn forms_keep_their_order_and_their_characters() {
        let form = form_of(&[("package_id", "a b&c"), ("iccid", "89"), ("description", "ü\"")]);
        assert_eq!(form, b"package_id=a+b%26c&iccid=89&description=%C3%BC%22");
        assert_eq!(json_of_form(&form), r#"{"package_id":"a b&c","iccid":"89","description":"ü\""}"#);
        assert_eq!(json_of_form(b""), "{}");
    }

    #[test]
    fn a_token_lives_a_day_at_most() {
        let life = |secs: &str| life(Some(&Loose(secs.into()))).as_secs();
        assert_eq!(life("31622400"), 85_800);
        assert_eq!(life("3600"), 3_000);
        assert_eq!(life("100"), 50);
        assert_eq!(life("-1"), 85_800);
        assert_eq!(life("0"), 0);
    }
}
