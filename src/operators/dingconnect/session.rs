//! Access to the API: the key, and what a refusal means for a reading. Business errors come with HTTP 200 and real ones
//! with 500, so the body is asked first and the status second.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::wire::{EnvelopeDoc, ErrorDoc};
use crate::domain::operator::{Contact, OperatorError, RefusalKind};
use crate::domain::time::UnixTime;
use crate::operators::http::{BuyOutcome, Call, HttpAnswer, HttpClient, Way};
use crate::operators::kit::{JSON, Pace, never, unknown};

/// A provider's products with all their texts.
const BODY_BYTES_MAX: usize = 8 << 20;

/// One account's access.
pub(super) struct Session {
    http: HttpClient,
    api_key: SecretString,
    pace: Pace,
}

impl Session {
    pub(super) fn new(way: &Way, http: HttpClient, api_key: SecretString) -> Self {
        // There are limits for each call, whose numbers are not published; this is far below what any shop needs.
        Self { http, api_key, pace: way.pace(5, Duration::from_secs(1)) }
    }

    pub(super) fn contact(&self) -> Contact {
        self.http.contact()
    }

    /// Reads a document, and the operator's clock with it.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<(T, Option<UnixTime>), OperatorError> {
        self.read(Call::get(path).query(query)).await
    }

    /// Asks a question whose parameters stand in a body. Spends nothing.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &[u8],
    ) -> Result<(T, Option<UnixTime>), OperatorError> {
        self.read(Call::post(path, JSON, body)).await
    }

    /// Sends an order, once.
    pub(super) async fn buy(&self, path: &str, content_type: &str, body: &[u8]) -> BuyOutcome {
        self.pace.keep("").await;
        self.http.buy(self.with_key(Call::post(path, content_type, body))).await
    }

    async fn read<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<(T, Option<UnixTime>), OperatorError> {
        self.pace.keep("").await;
        let answer = self.http.read(self.with_key(call.body_bytes_max(BODY_BYTES_MAX))).await?;
        Ok((sound(&answer)?, answer.date))
    }

    fn with_key<'a>(&self, call: Call<'a>) -> Call<'a> {
        call.header("api_key", self.api_key.expose_secret()).header("accept", JSON)
    }
}

/// The document, if the answer says that all went well.
fn sound<T: DeserializeOwned>(answer: &HttpAnswer) -> Result<T, OperatorError> {
    let envelope = match answer.document::<EnvelopeDoc>() {
        Ok(envelope) => envelope,
        Err(_) if !answer.is_success() => return Err(answer.error()),
        Err(why) => return Err(unknown(why)),
    };
    match envelope.result_code.as_str() {
        "1" | "2" if answer.is_success() => answer.json(),
        "1" | "2" => Err(answer.error()),
        code => Err(trouble(code, &envelope.error_codes.unwrap_or_default(), answer)),
    }
}

/// What a refusal means for a reading.
fn trouble(result: &str, errors: &[ErrorDoc], answer: &HttpAnswer) -> OperatorError {
    let told = format!("DingConnect says {}", words(errors));
    let is = |code: &str| errors.iter().any(|error| error.code == code);
    if is("AuthenticationFailed") {
        return never(RefusalKind::Access, format!("{told}; look at the account's key"));
    }
    if is("AccountNumberInvalid") || is("AccountNumberFailedRegex") || is("RechargeNotAllowed") {
        return never(RefusalKind::CardData, told);
    }
    let passing = is("RateLimited") || is("TransientProviderError") || result == "3";
    if passing || matches!(answer.status, 429 | 500..) {
        return OperatorError::Later { retry_after: answer.retry_after, why: told };
    }
    unknown(told)
}

/// The codes of an answer, for people.
pub(super) fn words(errors: &[ErrorDoc]) -> String {
    let one = |error: &ErrorDoc| match error.context.as_deref() {
        Some(context) if !context.is_empty() => format!("{} ({context})", error.code),
        Some(_) | None => error.code.clone(),
    };
    if errors.is_empty() {
        return "that it failed, and not why".into();
    }
    errors.iter().map(one).collect::<Vec<_>>().join(", ")
}
