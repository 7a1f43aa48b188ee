//! Access to the API: two secrets in two headers, and `ack` in every answer.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::wire::AckDoc;
use crate::domain::operator::{Contact, OperatorError, RefusalKind};
use crate::operators::http::{BuyOutcome, Call, HttpAnswer, HttpClient, Way};
use crate::operators::kit::{Pace, never, path_part, unknown};

/// The only word of `ack` that means success.
const SUCCESS: &str = "success";
/// A page of a hundred lines with all their bundles.
const LIST_BYTES_MAX: usize = 8 << 20;

/// One account's access.
pub(super) struct Session {
    http: HttpClient,
    api_key: SecretString,
    access_token: SecretString,
    pace: Pace,
}

impl Session {
    pub(super) fn new(way: &Way, http: HttpClient, api_key: SecretString, access_token: SecretString) -> Self {
        // No limit is documented: five calls a second, to be polite.
        Self { http, api_key, access_token, pace: way.pace(5, Duration::from_secs(1)) }
    }

    pub(super) fn contact(&self) -> Contact {
        self.http.contact()
    }

    /// Reads.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<HttpAnswer, OperatorError> {
        self.pace.keep("").await;
        self.http.read(self.signed(Call::get(path).query(query).body_bytes_max(LIST_BYTES_MAX))).await
    }

    /// Sends an order, once.
    pub(super) async fn buy(&self, path: &str, content_type: &str, body: &[u8]) -> BuyOutcome {
        self.pace.keep("").await;
        self.http.buy(self.signed(Call::post(path, content_type, body))).await
    }

    fn signed<'a>(&self, call: Call<'a>) -> Call<'a> {
        call.header("apikey", self.api_key.expose_secret())
            .header("accesstoken", self.access_token.expose_secret())
            .header("accept", "application/json")
    }
}

/// A path about one line.
pub(super) fn of_line(iccid: &str, what: &str) -> Result<String, OperatorError> {
    Ok(format!("/line/{}/{what}", path_part(iccid, "an ICCID")?))
}

/// The document of an answer that says success in both ways.
pub(super) fn told<T: DeserializeOwned>(answer: &HttpAnswer) -> Result<T, OperatorError> {
    if answer.status == 404 {
        return Err(never(RefusalKind::CardData, "Keepgo does not know a line with this ICCID in this account"));
    }
    if !answer.is_success() {
        return Err(answer.error());
    }
    let AckDoc { ack, message } = answer.json()?;
    if !is_success(&ack) {
        let words = message.map(|message| format!(": {message}")).unwrap_or_default();
        return Err(unknown(format!("Keepgo answers with `{ack}` instead of success{words}")));
    }
    answer.json()
}

/// Whether this is the word for success.
pub(super) fn is_success(ack: &str) -> bool {
    ack.eq_ignore_ascii_case(SUCCESS)
}
