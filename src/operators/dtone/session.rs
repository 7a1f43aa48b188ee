//! Access to the API: the key, pages of lists, and what refusals mean for a reading.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::wire::{ErrorDoc, ErrorsDoc};
use crate::domain::operator::{Contact, OperatorError, RefusalKind};
use crate::operators::http::{BuyOutcome, Call, HttpAnswer, HttpClient, Way};
use crate::operators::kit::{JSON, Pace, basic, never, unknown};

/// Rows on one page, which is the most.
const PER_PAGE: usize = 100;
/// Pages of one list.
const PAGES_MAX: usize = 50;
/// A page of products with all their texts.
const BODY_BYTES_MAX: usize = 8 << 20;
/// "Method not supported by operator".
const NOT_SUPPORTED: &str = "1007500";

/// One account's access.
pub(super) struct Session {
    http: HttpClient,
    authorization: SecretString,
    pace: Pace,
}

impl Session {
    pub(super) fn new(way: &Way, http: HttpClient, key: &SecretString, secret: &SecretString) -> Self {
        // The limit is told with each answer, and not published; this is far below what any shop needs.
        let pace = way.pace(5, Duration::from_secs(1));
        Self { http, authorization: basic(key.expose_secret(), secret), pace }
    }

    pub(super) fn contact(&self) -> Contact {
        self.http.contact()
    }

    /// Reads; only success is an answer.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<HttpAnswer, OperatorError> {
        checked(self.read(Call::get(path).query(query)).await?)
    }

    /// Reads; every status is an answer.
    pub(super) async fn raw(&self, path: &str) -> Result<HttpAnswer, OperatorError> {
        self.read(Call::get(path)).await
    }

    /// Asks a question whose parameters stand in a body.
    pub(super) async fn ask(&self, path: &str, body: &[u8]) -> Result<HttpAnswer, OperatorError> {
        checked(self.post(path, body).await?)
    }

    /// Asks about a card; none where its operator does not answer such questions.
    pub(super) async fn lookup(&self, path: &str, body: &[u8]) -> Result<Option<HttpAnswer>, OperatorError> {
        let answer = self.post(path, body).await?;
        if answer.status == 400 && first_error(&answer).is_some_and(|error| error.code.as_str() == NOT_SUPPORTED) {
            return Ok(None);
        }
        checked(answer).map(Some)
    }

    /// Posts what spends nothing; every status is an answer.
    pub(super) async fn post(&self, path: &str, body: &[u8]) -> Result<HttpAnswer, OperatorError> {
        self.read(Call::post(path, JSON, body)).await
    }

    /// Confirms an order, once. The only call that spends money.
    pub(super) async fn confirm(&self, id: &str) -> BuyOutcome {
        self.pace.keep("").await;
        let path = format!("/async/transactions/{id}/confirm");
        self.http.buy(self.with_key(Call::post(&path, JSON, b""))).await
    }

    /// All rows of a list.
    pub(super) async fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, OperatorError> {
        let mut all = Vec::new();
        for page in 1..=PAGES_MAX {
            let (number, size) = (page.to_string(), PER_PAGE.to_string());
            let query = [query, &[("page", number.as_str()), ("per_page", size.as_str())]].concat();
            let answer = self.get(path, &query).await?;
            let rows: Vec<Value> = answer.json()?;
            let count = rows.len();
            all.extend(rows);
            if is_last(&answer, page, count) {
                return Ok(all);
            }
        }
        Err(unknown(format!("a list of DT One has more than {PAGES_MAX} pages")))
    }

    async fn read(&self, call: Call<'_>) -> Result<HttpAnswer, OperatorError> {
        self.pace.keep("").await;
        self.http.read(self.with_key(call.body_bytes_max(BODY_BYTES_MAX))).await
    }

    fn with_key<'a>(&self, call: Call<'a>) -> Call<'a> {
        call.authorization(&self.authorization).header("accept", JSON)
    }
}

/// Whether a page is the last: by the headers, and where there are none, by a page that is not full.
fn is_last(answer: &HttpAnswer, page: usize, rows: usize) -> bool {
    let told = |name: &str| answer.header(name).and_then(|text| text.trim().parse::<usize>().ok());
    match (told("x-total-pages"), told("x-next-page")) {
        (Some(pages), _) => page >= pages,
        (None, Some(_)) => false,
        (None, None) => rows < PER_PAGE,
    }
}

fn checked(answer: HttpAnswer) -> Result<HttpAnswer, OperatorError> {
    if answer.is_success() { Ok(answer) } else { Err(read_error(&answer)) }
}

/// The first error of an answer.
pub(super) fn first_error(answer: &HttpAnswer) -> Option<ErrorDoc> {
    answer.document::<ErrorsDoc>().ok()?.errors.into_iter().next()
}

/// What an answer other than success means for a reading, by DT One's own codes first.
pub(super) fn read_error(answer: &HttpAnswer) -> OperatorError {
    let Some(error) = first_error(answer) else { return answer.error() };
    let told = format!("DT One says {}: {}", error.code, error.message);
    match error.code.as_str() {
        "1000401" => never(RefusalKind::Access, format!("{told}; look at the account's key and secret")),
        "1005003" | "1005006" | "1006503" => never(RefusalKind::CardData, told),
        "1003001" => never(RefusalKind::PlanGone, told),
        _ => match answer.error() {
            OperatorError::Unknown { .. } => unknown(told),
            known => known,
        },
    }
}
