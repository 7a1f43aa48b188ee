//! Calls: forms with user name and token in their body, the paces, and what a refusal means for a reading.

use std::time::Duration;

use roxmltree::Node;
use secrecy::{ExposeSecret, SecretString};

use super::wire::{self, Denied};
use crate::domain::operator::{Contact, OperatorError, RefusalKind};
use crate::operators::http::{BuyOutcome, Call, HttpAnswer, HttpClient, Way};
use crate::operators::kit::{FORM, Pace, form_of, never, unknown};

/// A page of 500 cards is larger than an ordinary answer.
const BODY_BYTES_MAX: usize = 8 << 20;

/// One account's access.
pub(super) struct Session {
    http: HttpClient,
    username: String,
    token: SecretString,
    list_pace: Pace,
    credit_pace: Pace,
}

impl Session {
    pub(super) fn new(http: HttpClient, way: &Way, username: String, token: SecretString) -> Self {
        Self {
            http,
            username,
            token,
            // As the operator's own document is quoted by an integrator: lists once a second, the log once in five.
            list_pace: way.pace(1, Duration::from_secs(1)),
            credit_pace: way.pace(1, Duration::from_secs(5)),
        }
    }

    pub(super) fn contact(&self) -> Contact {
        self.http.contact()
    }

    /// Asks; a refusal is an error.
    pub(super) async fn ask<T>(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
        take: fn(Node<'_, '_>) -> Result<T, String>,
    ) -> Result<T, OperatorError> {
        let answer = self.answer(path, pairs).await?;
        wire::read(&answer, take).map_err(unknown)?.map_err(|denied| read_error(path, &denied, &answer))
    }

    /// Asks for what may be refused without harm: none if it is.
    pub(super) async fn ask_if_told<T>(
        &self,
        path: &str,
        take: fn(Node<'_, '_>) -> Result<T, String>,
    ) -> Result<Option<T>, OperatorError> {
        let answer = self.answer(path, &[]).await?;
        Ok(wire::read(&answer, take).map_err(unknown)?.ok())
    }

    async fn answer(&self, path: &str, pairs: &[(&str, &str)]) -> Result<HttpAnswer, OperatorError> {
        match path {
            "/credit" => self.credit_pace.keep("").await,
            "/simListLite" => self.list_pace.keep("").await,
            _ => {}
        }
        let body = self.with_credentials(&form_of(pairs));
        self.http.read(Call::post(path, FORM, &body).body_bytes_max(BODY_BYTES_MAX)).await?.checked()
    }

    /// Sends an order, once. The stored bytes hold neither user name nor token, since they are kept in the record for
    /// years; both are added here, the moment before they are sent.
    pub(super) async fn buy(&self, path: &str, content_type: &str, stored: &[u8]) -> BuyOutcome {
        let body = self.with_credentials(stored);
        self.http.buy(Call::post(path, content_type, &body)).await
    }

    fn with_credentials(&self, form: &[u8]) -> Vec<u8> {
        let credentials = form_of(&[("username", &self.username), ("token", self.token.expose_secret())]);
        if form.is_empty() { credentials } else { [form, b"&", &credentials].concat() }
    }
}

/// What a refusal means for a reading, by the code; an unknown card is refused without one.
fn read_error(path: &str, denied: &Denied, answer: &HttpAnswer) -> OperatorError {
    let code = denied.code.as_deref().unwrap_or_default();
    let told =
        format!("Things Mobile refuses ({}): {}", if code.is_empty() { "no code" } else { code }, denied.message);
    match code {
        "60" => OperatorError::Later { retry_after: answer.retry_after, why: told },
        "30" => never(RefusalKind::Access, told),
        "40" => never(RefusalKind::CardData, told),
        "50" => never(RefusalKind::Other, told),
        "" if path == "/simStatus" => {
            never(RefusalKind::CardData, "Things Mobile does not know a card with this ICCID in this account")
        }
        _ => unknown(told),
    }
}
