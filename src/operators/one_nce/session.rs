//! Access to the API: the token, the paces, and what refusals mean for a reading.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use crate::domain::card::tamed;
use crate::domain::operator::{Contact, OperatorError, RefusalKind};
use crate::operators::http::{BuyOutcome, Call, HttpAnswer, HttpClient};
use crate::operators::kit::{JSON, Loose, NewToken, Pace, Tokens, basic, never, unknown};

/// The only life of a token that is documented.
const TOKEN_LIVES: Duration = Duration::from_secs(3_600);

/// One customer's access.
pub(super) struct Session {
    http: HttpClient,
    authorization: SecretString,
    tokens: Tokens,
    token_pace: Pace,
    card_pace: Pace,
    order_pace: Pace,
}

/// `POST /oauth/token`.
#[derive(Deserialize)]
struct TokenDoc {
    access_token: String,
    expires_in: Option<Loose>,
}

/// A refusal of a token, whose status is 400 even for a wrong password.
#[derive(Deserialize)]
struct TokenErrorDoc {
    #[serde(rename = "errorCode")]
    code: String,
    #[serde(default)]
    message: String,
}

impl Session {
    pub(super) fn new(http: HttpClient, user: &str, password: &SecretString) -> Self {
        Self {
            http,
            authorization: basic(user, password),
            tokens: Tokens::new(TOKEN_LIVES),
            // As published: 600 tokens a minute, 10 calls about cards a second, 100 about orders in five minutes. The
            // last are spread, so that a look-up of many pages does not use up what others need.
            token_pace: Pace::new(10, Duration::from_secs(1)),
            card_pace: Pace::new(10, Duration::from_secs(1)),
            order_pace: Pace::new(100, Duration::from_secs(300)),
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
        self.keep_pace(path).await;
        self.http.read(Call::get(path).query(query).bearer(token).header("accept", JSON)).await
    }

    async fn keep_pace(&self, path: &str) {
        let pace = if path.starts_with("/v1/orders") { &self.order_pace } else { &self.card_pace };
        pace.keep("").await;
    }

    /// Sends an order, once. A refused token is forgotten, and the order is not sent again.
    pub(super) async fn buy(
        &self,
        path: &str,
        query: &[(&str, &str)],
        content_type: &str,
        body: &[u8],
    ) -> Result<BuyOutcome, OperatorError> {
        let token = self.token().await?;
        self.keep_pace(path).await;
        let mut call = Call::post(path, content_type, body).query(query).bearer(&token).header("accept", JSON);
        if body.is_empty() {
            // Said aloud, since some servers refuse a POST that does not tell its length.
            call = call.header("content-length", "0");
        }
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
        self.token_pace.keep("").await;
        let body = br#"{"grant_type":"client_credentials"}"#;
        let call = Call::post("/oauth/token", JSON, body).authorization(&self.authorization).header("accept", JSON);
        let answer = self.http.read(call).await?;
        if answer.status == 400
            && let Ok(doc) = answer.document::<TokenErrorDoc>()
        {
            return Err(not_let_in(&doc));
        }
        let answer = answer.checked()?;
        // The reason is left out, since it may quote the token.
        let doc = answer.document::<TokenDoc>().ok().filter(|doc| !doc.access_token.is_empty());
        let doc = doc.ok_or_else(|| unknown("1NCE's answer holds no token"))?;
        let told = doc.expires_in.and_then(|secs| secs.counted(1).ok());
        Ok(NewToken { value: doc.access_token.into(), lives: told.map(Duration::from_secs) })
    }
}

fn not_let_in(doc: &TokenErrorDoc) -> OperatorError {
    let told = tamed(&format!("1NCE says {}: {}", doc.code, doc.message), 160);
    match doc.code.as_str() {
        "BadCredentials" | "AuthValidationError" => {
            never(RefusalKind::Access, format!("{told} Look at the account's user and password"))
        }
        _ => unknown(told),
    }
}

/// What an answer other than success means for a reading of a card.
pub(super) fn read_error(answer: &HttpAnswer) -> OperatorError {
    match answer.status {
        404 => never(RefusalKind::CardData, "1NCE does not know a card with this ICCID for this customer"),
        _ => answer.error(),
    }
}
