//! Access to one operator's server: the standard says nothing about it, so the usual three ways are there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::wire::{ErrorDoc, TokenDoc};
use super::{Access, Settings};
use crate::domain::operator::{Contact, OperatorError, RefusalKind};
use crate::operators::http::{BuyOutcome, Call, HttpAnswer, HttpClient, HttpSetupError, Way};
use crate::operators::kit::{FORM, JSON, NewToken, Tokens, basic, form_of, never, unknown};

/// A token whose length is not told is kept this long, and none is kept longer than a day.
const TOKEN_UNTOLD: Duration = Duration::from_secs(900);
const TOKEN_LONGEST: Duration = Duration::from_secs(86_400);
/// Rows on one page; a server may give fewer.
pub(super) const ROWS_PER_PAGE: usize = 100;
/// Pages of one list that are read.
const PAGES_MAX: usize = 100;

/// One account's access.
pub(super) struct Session {
    http: HttpClient,
    access: Signed,
    /// Whether the server has refused a filter; it is then not asked for one again.
    refuses_filters: AtomicBool,
}

/// How requests are signed.
enum Signed {
    Fixed(SecretString),
    OAuth2(Box<OAuth2>),
}

struct OAuth2 {
    http: HttpClient,
    path: String,
    client_id: String,
    client_secret: SecretString,
    scope: Option<String>,
    tokens: Tokens,
}

impl Session {
    pub(super) fn new(way: &Way, settings: &Settings) -> Result<Self, HttpSetupError> {
        let host = host_of(&settings.base_url)?;
        let http = HttpClient::new(&way.settings(&settings.base_url, &[&host], None))?;
        let access = match &settings.access {
            Access::Bearer(token) => Signed::Fixed(format!("Bearer {}", token.expose_secret()).into()),
            Access::Basic { user, password } => Signed::Fixed(basic(user, password)),
            Access::OAuth2 { token_url, client_id, client_secret, scope } => {
                let (base, path) = split(token_url)?;
                let host = host_of(token_url)?;
                Signed::OAuth2(Box::new(OAuth2 {
                    http: HttpClient::new(&way.settings(&base, &[&host], None))?,
                    path,
                    client_id: client_id.clone(),
                    client_secret: client_secret.clone(),
                    scope: scope.clone(),
                    tokens: Tokens::new(TOKEN_LONGEST),
                }))
            }
        };
        Ok(Self { http, access, refuses_filters: AtomicBool::new(false) })
    }

    pub(super) fn contact(&self) -> Contact {
        self.http.contact()
    }

    /// Reads, with a fresh token once if the present one is refused.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<HttpAnswer, OperatorError> {
        let authorization = self.authorization().await?;
        let answer = self.get_with(&authorization, path, query).await?;
        let Signed::OAuth2(oauth) = &self.access else { return Ok(answer) };
        if answer.status != 401 {
            return Ok(answer);
        }
        oauth.tokens.forget(&authorization).await;
        let authorization = self.authorization().await?;
        self.get_with(&authorization, path, query).await
    }

    async fn get_with(
        &self,
        authorization: &SecretString,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<HttpAnswer, OperatorError> {
        self.http.read(Call::get(path).query(query).authorization(authorization).header("accept", JSON)).await
    }

    /// A whole list, filtered by the server where it can: attribute filters are a habit of these interfaces that the
    /// standard does not promise, so a server may refuse them (400) or answer everything.
    ///
    /// Page by page. Where the server tells no total, only a page without anything new is the end: it may
    /// give fewer rows than it was asked for.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        filter: &[(&str, &str)],
        id_of: impl Fn(&T) -> Option<String>,
    ) -> Result<Vec<T>, OperatorError> {
        let (mut rows, mut known) = (Vec::new(), std::collections::HashSet::new());
        let mut filter = if self.refuses_filters.load(Ordering::Relaxed) { &[][..] } else { filter };
        for _ in 0..PAGES_MAX {
            let (offset, limit) = (rows.len().to_string(), ROWS_PER_PAGE.to_string());
            let mut query = filter.to_vec();
            query.extend([("offset", offset.as_str()), ("limit", &limit)]);
            let answer = self.get(path, &query).await?;
            if answer.status == 400 && !filter.is_empty() && rows.is_empty() {
                self.refuses_filters.store(true, Ordering::Relaxed);
                filter = &[];
                continue;
            }
            if !answer.is_success() {
                return Err(read_error(&answer));
            }
            let total = answer.header("x-total-count").and_then(|total| total.trim().parse::<usize>().ok());
            let before = rows.len();
            let page = answer.json::<Vec<T>>()?;
            let is_full = page.len() >= ROWS_PER_PAGE;
            for row in page {
                let id = id_of(&row).ok_or_else(|| unknown(format!("a row of {path} has no id")))?;
                if known.insert(id) {
                    rows.push(row);
                }
            }
            let is_over = rows.len() == before;
            if is_over && (is_full || total.is_some_and(|total| rows.len() < total)) {
                // A server that ignores `offset` sends its first page for ever.
                return Err(unknown(format!("{path} has more rows than it gives")));
            }
            if is_over || total.is_some_and(|total| rows.len() >= total) {
                return Ok(rows);
            }
        }
        Err(unknown(format!("{path} has more than {PAGES_MAX} pages")))
    }

    /// Sends an order, once. A refused token is forgotten, and the order is not sent again.
    pub(super) async fn buy(&self, path: &str, content_type: &str, body: &[u8]) -> Result<BuyOutcome, OperatorError> {
        let authorization = self.authorization().await?;
        let call = Call::post(path, content_type, body).authorization(&authorization).header("accept", JSON);
        let outcome = self.http.buy(call).await;
        if let (Signed::OAuth2(oauth), BuyOutcome::Answer(answer)) = (&self.access, &outcome)
            && answer.status == 401
        {
            oauth.tokens.forget(&authorization).await;
        }
        Ok(outcome)
    }

    async fn authorization(&self) -> Result<SecretString, OperatorError> {
        match &self.access {
            Signed::Fixed(value) => Ok(value.clone()),
            Signed::OAuth2(oauth) => oauth.tokens.get(oauth.new_token()).await,
        }
    }
}

impl OAuth2 {
    /// Client credentials (RFC 6749, section 4.4), the client named by HTTP Basic, which every server must take.
    async fn new_token(&self) -> Result<NewToken, OperatorError> {
        let mut pairs = vec![("grant_type", "client_credentials")];
        pairs.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        let body = form_of(&pairs);
        let call = Call::post(&self.path, FORM, &body).authorization(&basic(&self.client_id, &self.client_secret));
        let answer = self.http.read(call.header("accept", JSON)).await?;
        if matches!(answer.status, 400 | 401 | 403) {
            let why =
                format!("the token server refuses the client (HTTP {}); look at the account's secrets", answer.status);
            return Err(never(RefusalKind::Access, why));
        }
        // The reason is left out, since it may quote the token.
        let doc = answer.checked()?.document::<TokenDoc>().ok().filter(|doc| !doc.access_token.is_empty());
        let doc = doc.ok_or_else(|| unknown("the token server's answer holds no token"))?;
        let told = doc.expires_in.and_then(|secs| secs.counted(1).ok());
        let lives = Some(told.map_or(TOKEN_UNTOLD, Duration::from_secs));
        Ok(NewToken { value: format!("Bearer {}", doc.access_token).into(), lives })
    }
}

/// What an answer other than success means for a reading; the standard's error document says more than its status.
pub(super) fn read_error(answer: &HttpAnswer) -> OperatorError {
    let Ok(told) = answer.document::<ErrorDoc>() else { return answer.error() };
    let more = told.message.map(|message| format!(" ({message})")).unwrap_or_default();
    let told = format!("the operator says {}: {}{more}", told.code, told.reason);
    match answer.error() {
        OperatorError::Later { retry_after, .. } => {
            OperatorError::Later { retry_after, why: crate::domain::card::tamed(&told, 200) }
        }
        OperatorError::Never { kind, .. } => never(kind, told),
        OperatorError::Unknown { .. } => unknown(told),
    }
}

/// The host of an address; the owner names it, and it is the only one that is talked to.
pub(super) fn host_of(address: &str) -> Result<String, HttpSetupError> {
    let wrong = || HttpSetupError::Address(address.to_owned());
    let parsed = Url::parse(address).map_err(|_| wrong())?;
    parsed.host_str().map(str::to_owned).ok_or_else(wrong)
}

/// The address above the last part of a path, and that part.
fn split(address: &str) -> Result<(String, String), HttpSetupError> {
    let wrong = || HttpSetupError::Address(address.to_owned());
    let host = host_of(address)?;
    let (base, last) = address.rsplit_once('/').ok_or_else(wrong)?;
    let is_path = base.contains(&format!("//{host}")) && !last.is_empty() && !last.contains(['?', '#']);
    if is_path { Ok((base.to_owned(), format!("/{last}"))) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_address_is_split_at_its_last_part() {
        let parts = split("https://auth.example.net/realms/x/token").unwrap();
        assert_eq!(parts, ("https://auth.example.net/realms/x".to_owned(), "/token".to_owned()));
        for wrong in ["https://auth.example.net", "https://auth.example.net/", "auth/token", "https://a.example/t?x=1"]
        {
            assert!(split(wrong).is_err(), "{wrong}");
        }
    }
}
