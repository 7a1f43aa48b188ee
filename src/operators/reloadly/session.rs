//! Access to the API: the token from its own host, and what refusals mean for a reading.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::wire::{ErrorDoc, TokenDoc};
use crate::domain::operator::{Contact, OperatorError, RefusalKind};
use crate::domain::retry::clamped_wait;
use crate::domain::time::Secs;
use crate::operators::http::{BuyOutcome, Call, HttpAnswer, HttpClient, Way};
use crate::operators::kit::{JSON, NewToken, Pace, Tokens, never, unknown};

/// The version of the API, which is asked for by its type; plain JSON is as good.
const ACCEPT: &str = "application/com.reloadly.topups-v1+json, application/json;q=0.9";
/// Production says 60 days, the sandbox less; a token is asked for anew each day.
const TOKEN_LONGEST: Duration = Duration::from_secs(86_400);

/// One account's access.
pub(super) struct Session {
    http: HttpClient,
    auth: HttpClient,
    audience: &'static str,
    client_id: SecretString,
    client_secret: SecretString,
    tokens: Tokens,
    pace: Pace,
}

impl Session {
    pub(super) fn new(
        way: &Way,
        http: HttpClient,
        auth: HttpClient,
        audience: &'static str,
        client_id: SecretString,
        client_secret: SecretString,
    ) -> Self {
        // The limits are told when they are reached, and not published; this is far below what any shop needs.
        let pace = way.pace(5, Duration::from_secs(1));
        Self { http, auth, audience, client_id, client_secret, tokens: Tokens::new(TOKEN_LONGEST), pace }
    }

    pub(super) fn contact(&self) -> Contact {
        self.http.contact()
    }

    /// Reads, with a fresh token once if the present one is refused.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<HttpAnswer, OperatorError> {
        let token = self.token().await?;
        let answer = self.get_with(&token, path, query).await?;
        if answer.status != 401 {
            return limited(answer);
        }
        self.tokens.forget(&token).await;
        let token = self.token().await?;
        limited(self.get_with(&token, path, query).await?)
    }

    async fn get_with(
        &self,
        token: &SecretString,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<HttpAnswer, OperatorError> {
        self.pace.keep("").await;
        self.http.read(Call::get(path).query(query).bearer(token).header("accept", ACCEPT)).await
    }

    /// Sends an order, once. A refused token is forgotten, and the order is not sent again.
    ///
    /// # Errors
    /// There is no token; nothing was sent.
    pub(super) async fn buy(&self, path: &str, content_type: &str, body: &[u8]) -> Result<BuyOutcome, OperatorError> {
        let token = self.token().await?;
        self.pace.keep("").await;
        let call = Call::post(path, content_type, body).bearer(&token).header("accept", ACCEPT);
        let outcome = self.http.buy(call).await;
        if matches!(&outcome, BuyOutcome::Answer(answer) if answer.status == 401) {
            self.tokens.forget(&token).await;
        }
        Ok(outcome)
    }

    async fn token(&self) -> Result<SecretString, OperatorError> {
        self.tokens.get(self.new_token()).await
    }

    async fn new_token(&self) -> Result<NewToken, OperatorError> {
        let body = json!({
            "client_id": self.client_id.expose_secret(),
            "client_secret": self.client_secret.expose_secret(),
            "grant_type": "client_credentials",
            "audience": self.audience,
        })
        .to_string();
        self.pace.keep("token").await;
        let answer = self.auth.read(Call::post("/oauth/token", JSON, body.as_bytes()).header("accept", JSON)).await?;
        if !answer.is_success() {
            return Err(no_token(&answer));
        }
        // The reason is left out, since it may quote the token.
        let doc = answer.document::<TokenDoc>().ok().filter(|doc| !doc.access_token.is_empty());
        let doc = doc.ok_or_else(|| unknown("Reloadly's answer holds no token"))?;
        let told = doc.expires_in.and_then(|secs| secs.counted(1).ok());
        Ok(NewToken { value: doc.access_token.into(), lives: told.map(Duration::from_secs) })
    }
}

/// Why there is no token. Access that is denied comes without a code, and the audience is that of another environment
/// where test and live credentials are mixed up.
fn no_token(answer: &HttpAnswer) -> OperatorError {
    match answer.status {
        400..=404 => {
            let told = answer.document::<ErrorDoc>().ok();
            let code = told.and_then(|doc| doc.error_code).unwrap_or_else(|| "access denied".into());
            let why = format!(
                "Reloadly gives no token ({code}); look at the account's id and secret, and whether they are for its \
                 sandbox"
            );
            never(RefusalKind::Access, why)
        }
        _ => answer.error(),
    }
}

/// Too many calls: Reloadly tells the second at which it listens again.
fn limited(answer: HttpAnswer) -> Result<HttpAnswer, OperatorError> {
    if answer.status != 429 {
        return Ok(answer);
    }
    let reset = answer.header("x-ratelimit-reset").and_then(|at| at.trim().parse::<i64>().ok());
    let told = reset.zip(answer.date).map(|(at, now)| clamped_wait(Secs(at.saturating_sub(now.secs()))));
    let retry_after = answer.retry_after.or(told);
    Err(OperatorError::Later { retry_after, why: "Reloadly asks for fewer calls".into() })
}

/// What an answer other than success means for a reading, by Reloadly's own codes first.
pub(super) fn read_error(answer: &HttpAnswer) -> OperatorError {
    let Ok(doc) = answer.document::<ErrorDoc>() else { return answer.error() };
    let (code, message) = (doc.error_code.unwrap_or_default(), doc.message.unwrap_or_default());
    let told = format!("Reloadly says {code}: {message}");
    match code.as_str() {
        "OPERATOR_NOT_FOUND"
        | "COULD_NOT_AUTO_DETECT_OPERATOR"
        | "COUNTRY_NOT_SUPPORTED"
        | "INVALID_PHONE_NUMBER"
        | "INVALID_RECIPIENT_PHONE" => never(RefusalKind::CardData, told),
        "INVALID_TOKEN" | "INVALID_CREDENTIALS" | "INACTIVE_ACCOUNT" | "INVALID_AUDIENCE" => {
            never(RefusalKind::Access, told)
        }
        "OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE" | "SERVICE_TO_OPERATOR_TEMPORARILY_UNAVAILABLE" => {
            OperatorError::Later { retry_after: answer.retry_after, why: told }
        }
        _ => match answer.error() {
            OperatorError::Unknown { why } => unknown(format!("{why}: {message}")),
            known => known,
        },
    }
}
