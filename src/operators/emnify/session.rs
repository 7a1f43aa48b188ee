//! Access to the API: the token, the pace, and a lock that three failed log-ins would close.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::wire::{AuthDoc, ErrorDoc};
use crate::domain::operator::{Contact, OperatorError, RefusalKind};
use crate::domain::time::Secs;
use crate::operators::http::{BuyOutcome, Call, HttpAnswer, HttpClient, Way};
use crate::operators::kit::{JSON, NewToken, Pace, Tokens, never, unknown};

/// How long a token lives is not documented, and a refused one is renewed; an hour is kept.
const TOKEN_LONGEST: Duration = Duration::from_secs(3_600);
/// After three failed log-ins the operator takes none for this long; after one we wait as long.
const LOCKED: Duration = Duration::from_secs(300);
/// A page of 2500 cards is larger than an ordinary answer.
const BODY_BYTES_MAX: usize = 16 << 20;

/// One account's access.
pub(super) struct Session {
    http: HttpClient,
    application_token: SecretString,
    tokens: Tokens,
    pace: Pace,
    refused: Mutex<Option<(Instant, OperatorError)>>,
}

impl Session {
    pub(super) fn new(http: HttpClient, way: &Way, application_token: SecretString) -> Self {
        Self {
            http,
            application_token,
            tokens: Tokens::new(TOKEN_LONGEST),
            // The operator's page on limits: 2000 calls in five minutes from one address, lists ten a second.
            pace: way.pace(10, Duration::from_secs(2)),
            refused: Mutex::new(None),
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
        self.pace.keep("").await;
        let call = Call::get(path).query(query).bearer(token).header("accept", JSON);
        self.http.read(call.body_bytes_max(BODY_BYTES_MAX)).await
    }

    /// Sends an order, once. A refused token is forgotten, and the order is not sent again.
    pub(super) async fn buy(&self, path: &str, content_type: &str, body: &[u8]) -> Result<BuyOutcome, OperatorError> {
        let token = self.token().await?;
        let call = Call::post(path, content_type, body).bearer(&token).header("accept", JSON);
        let outcome = self.http.buy(call).await;
        if matches!(&outcome, BuyOutcome::Answer(answer) if answer.status == 401) {
            self.tokens.forget(&token).await;
        }
        Ok(outcome)
    }

    async fn token(&self) -> Result<SecretString, OperatorError> {
        self.tokens.get(self.logged_in()).await
    }

    /// Logs in, but not while a refusal is fresh: many cards asking one after the other would close the lock.
    async fn logged_in(&self) -> Result<NewToken, OperatorError> {
        if let Some(error) = self.recent_refusal() {
            return Err(error);
        }
        let body = serde_json::json!({ "application_token": self.application_token.expose_secret() }).to_string();
        let call = Call::post("/authenticate", JSON, body.as_bytes()).header("accept", JSON);
        let answer = self.http.read(call).await?;
        if matches!(answer.status, 400 | 401 | 403 | 404) {
            let error = refusal(&answer);
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), error.clone()));
            return Err(error);
        }
        // The reason is left out, since it may quote the token.
        let doc = answer.checked()?.document::<AuthDoc>().ok().filter(|doc| !doc.auth_token.is_empty());
        let doc = doc.ok_or_else(|| unknown("emnify's answer holds no token"))?;
        Ok(NewToken { value: doc.auth_token.into(), lives: None })
    }

    fn recent_refusal(&self) -> Option<OperatorError> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.as_ref().filter(|(at, _)| at.elapsed() < LOCKED).map(|(_, error)| error.clone())
    }
}

/// A failed log-in: mostly without a body; a closed lock names itself.
fn refusal(answer: &HttpAnswer) -> OperatorError {
    let told = answer.document::<ErrorDoc>().unwrap_or_default();
    if told.error_token.as_deref() == Some("TooManyRequests") {
        let retry_after = Some(answer.retry_after.unwrap_or(Secs::minutes(5)));
        return OperatorError::Later { retry_after, why: "emnify takes no log-in for five minutes".into() };
    }
    let more = if told.message.is_empty() { String::new() } else { format!(" (it says: {})", told.message) };
    let why =
        format!("emnify refuses the application token (HTTP {}); look at the account's secret{more}", answer.status);
    never(RefusalKind::Access, why)
}
