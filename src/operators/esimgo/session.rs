//! Access to the API: the key, the pace, and what refusals mean for a reading.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::NAME;
use super::wire::MessageDoc;
use crate::domain::operator::{Contact, OperatorError, RefusalKind};
use crate::operators::http::{BuyOutcome, Call, HttpAnswer, HttpClient, Way};
use crate::operators::kit::{JSON, Pace, never};

/// A page of the catalogue is longer than an ordinary answer: each bundle names its networks.
const LIST_BYTES_MAX: usize = 16 << 20;

/// One organisation's access.
pub(super) struct Session {
    http: HttpClient,
    api_key: SecretString,
    list_bytes_max: usize,
    pace: Pace,
}

impl Session {
    pub(super) fn new(http: HttpClient, api_key: SecretString, way: &Way) -> Self {
        let list_bytes_max = way.body_bytes_max.unwrap_or(LIST_BYTES_MAX);
        // Ten requests a second for each address, in a fixed window (vendor's page on rate limits).
        Self { http, api_key, list_bytes_max, pace: way.pace(10, Duration::from_secs(1)) }
    }

    pub(super) fn contact(&self) -> Contact {
        self.http.contact()
    }

    /// Reads. Every status is an answer.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<HttpAnswer, OperatorError> {
        self.read(Call::get(path).query(query)).await
    }

    /// Reads a long list.
    pub(super) async fn get_long(&self, path: &str, query: &[(&str, &str)]) -> Result<HttpAnswer, OperatorError> {
        self.read(Call::get(path).query(query).body_bytes_max(self.list_bytes_max)).await
    }

    /// Asks something about one card.
    pub(super) async fn of_card<T: DeserializeOwned>(
        &self,
        iccid: &str,
        what: &str,
        query: &[(&str, &str)],
    ) -> Result<T, OperatorError> {
        let answer = self.get(&format!("/esims/{iccid}{what}"), query).await?;
        if answer.is_success() { answer.json() } else { Err(card_error(&answer)) }
    }

    /// Asks what an order would cost. The body must be a dry run, which spends nothing.
    pub(super) async fn dry_run(&self, path: &str, body: &[u8]) -> Result<HttpAnswer, OperatorError> {
        self.read(Call::post(path, JSON, body)).await
    }

    /// Sends an order, once.
    pub(super) async fn buy(&self, path: &str, content_type: &str, body: &[u8]) -> BuyOutcome {
        self.pace.keep("").await;
        self.http.buy(self.with_key(Call::post(path, content_type, body))).await
    }

    async fn read(&self, call: Call<'_>) -> Result<HttpAnswer, OperatorError> {
        self.pace.keep("").await;
        self.http.read(self.with_key(call)).await
    }

    fn with_key<'a>(&self, call: Call<'a>) -> Call<'a> {
        call.header("x-api-key", self.api_key.expose_secret()).header("accept", JSON)
    }
}

/// What a refusal means that is about one card. The API has no codes: 403 is a wrong key as well as somebody else's
/// card, so both are named, and the other cards go on.
pub(super) fn card_error(answer: &HttpAnswer) -> OperatorError {
    let told = message(answer);
    match answer.status {
        400 => never(RefusalKind::CardData, format!("{NAME} refuses this card (HTTP 400): {told}")),
        403 => never(
            RefusalKind::CardData,
            format!("{NAME} refuses (HTTP 403): {told}; the ICCID is not this organisation's, or the API key is wrong"),
        ),
        404 => never(RefusalKind::CardData, format!("{NAME} does not know a card with this ICCID")),
        _ => answer.error(),
    }
}

/// The operator's words, if it has any.
pub(super) fn message(answer: &HttpAnswer) -> String {
    answer.document::<MessageDoc>().map_or_else(|_| "no reason is told".to_owned(), |doc| doc.message)
}
