//! Access to the API: the token, the signature, the paces, and what refusals mean for a reading.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::wire::{CodeDoc, FieldsDoc, TokenDoc, Wrapped};
use crate::domain::card::tamed;
use crate::domain::operator::{Contact, OperatorError, RefusalKind};
use crate::domain::time::Secs;
use crate::operators::http::{BuyOutcome, Call, HttpAnswer, HttpClient, Way};
use crate::operators::kit::{NewToken, Pace, Tokens, hmac_sha512, lower_hex, multipart_of, never, parts_of, unknown};

/// The example says 366 days, the text 24 hours: never longer than the text.
const TOKEN_LONGEST: Duration = Duration::from_secs(86_400);

/// One documented answer is not declared as JSON.
const ACCEPT: &str = "application/json, */*;q=0.1";
/// Each card of a list brings pages of instructions with it.
const LIST_BYTES_MAX: usize = 8 << 20;

/// One account's access.
pub(super) struct Session {
    http: HttpClient,
    client_id: SecretString,
    client_secret: SecretString,
    tokens: Tokens,
    token_pace: Pace,
    client_pace: Pace,
    card_pace: Pace,
}

impl Session {
    pub(super) fn new(way: &Way, http: HttpClient, client_id: SecretString, client_secret: SecretString) -> Self {
        Self {
            http,
            client_id,
            client_secret,
            tokens: Tokens::new(TOKEN_LONGEST),
            // Limits as published: 3 tokens a minute; 5 calls a second; 10 a minute for each card and call.
            token_pace: way.pace(3, Duration::from_secs(60)),
            client_pace: way.pace(5, Duration::from_secs(1)),
            card_pace: way.pace(10, Duration::from_secs(60)),
        }
    }

    pub(super) fn contact(&self) -> Contact {
        self.http.contact()
    }

    /// Reads, with a fresh token once if the present one is refused.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<HttpAnswer, OperatorError> {
        let token = self.token().await?;
        let answer = self.get_with(&token, path, query).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        self.tokens.forget(&token).await;
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
        let call = Call::get(path).query(query).bearer(token).header("accept", ACCEPT);
        self.http.read(if path == "/sims" { call.body_bytes_max(LIST_BYTES_MAX) } else { call }).await
    }

    /// Sends an order, once. A refused token is forgotten, and the order is not sent again.
    pub(super) async fn buy(&self, path: &str, content_type: &str, body: &[u8]) -> Result<BuyOutcome, OperatorError> {
        let token = self.token().await?;
        let signature = signature(&self.client_secret, &json_of(&parts_of(content_type, body)));
        self.client_pace.keep("").await;
        let call = Call::post(path, content_type, body).bearer(&token).header("accept", ACCEPT);
        let outcome = self.http.buy(call.header("airalo-signature", &signature)).await;
        if matches!(&outcome, BuyOutcome::Answer(answer) if answer.status == 401) {
            self.tokens.forget(&token).await;
        }
        Ok(outcome)
    }

    async fn token(&self) -> Result<SecretString, OperatorError> {
        self.tokens.get(self.new_token()).await
    }

    async fn new_token(&self) -> Result<NewToken, OperatorError> {
        self.token_pace.take("").map_err(|wait| OperatorError::Later {
            retry_after: Some(Secs(i64::try_from(wait.as_secs()).unwrap_or(60) + 1)),
            why: "Airalo gives three tokens a minute, and they are used up".into(),
        })?;
        let (content_type, body) = multipart_of(&[
            ("client_id", self.client_id.expose_secret()),
            ("client_secret", self.client_secret.expose_secret()),
            ("grant_type", "client_credentials"),
        ]);
        let signature = signature(&self.client_secret, &json_of(&parts_of(&content_type, &body)));
        let call = Call::post("/token", &content_type, &body).header("accept", ACCEPT);
        let answer = self.http.read(call.header("airalo-signature", &signature)).await?;
        if answer.status == 422 && answer.document::<FieldsDoc>().is_ok() {
            let why = "Airalo does not take the account's client_id and client_secret; look at its secrets";
            return Err(never(RefusalKind::Access, why));
        }
        let answer = answer.checked()?;
        // The reason is left out, since it may quote the token.
        let doc = answer.document::<Wrapped<TokenDoc>>().ok().filter(|doc| !doc.data.access_token.is_empty());
        let Wrapped { data } = doc.ok_or_else(|| unknown("Airalo's answer holds no token"))?;
        let told = data.expires_in.and_then(|secs| secs.counted(1).ok());
        Ok(NewToken { value: data.access_token.into(), lives: told.map(Duration::from_secs) })
    }
}

/// What an answer other than success means for a reading, by Airalo's own codes first.
pub(super) fn read_error(answer: &HttpAnswer) -> OperatorError {
    if answer.status == 404 {
        return never(RefusalKind::CardData, "Airalo does not know a card with this ICCID in this account");
    }
    let Some(code) = matches!(answer.status, 403 | 422).then(|| answer.document::<CodeDoc>().ok()).flatten() else {
        return answer.error();
    };
    let told = tamed(&format!("Airalo says {}: {}", code.code, code.reason), 200);
    match code.code.0.as_str() {
        "13" => OperatorError::Later { retry_after: answer.retry_after, why: told },
        "73" => never(RefusalKind::CardDead, told),
        "89" => never(RefusalKind::Access, told),
        _ => unknown(told),
    }
}

/// The JSON text that is signed: the pairs in their order, without spaces, as the vendor's libraries write it.
fn json_of(pairs: &[(String, String)]) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

/// Hexadecimal HMAC-SHA512 of a text under the account's secret.
fn signature(secret: &SecretString, text: &str) -> String {
    lower_hex(&hmac_sha512(secret, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_the_form_as_json() {
        let (kind, form) = multipart_of(&[("package_id", "a b&c"), ("iccid", "89"), ("description", "ü\"")]);
        let expected = r#"{"package_id":"a b&c","iccid":"89","description":"ü\""}"#;
        assert_eq!(json_of(&parts_of(&kind, &form)), expected);
        assert_eq!(json_of(&[]), "{}");
    }
}
