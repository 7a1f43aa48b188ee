//! Access to the API: the signature, the pace, and what the codes mean for a reading.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::NAME;
use super::wire::{HeadDoc, Wrapped};
use crate::domain::card::tamed;
use crate::domain::operator::{Contact, OperatorError, RefusalKind};
use crate::domain::time::UnixTime;
use crate::operators::http::{BuyOutcome, Call, HttpAnswer, HttpClient, Way};
use crate::operators::kit::{JSON, Pace, WallClock, hmac_sha256, lower_hex, never, unknown};

/// A page of 500 eSIMs, and a list of packages with all their networks, are longer than an ordinary answer.
const LIST_BYTES_MAX: usize = 16 << 20;
/// The clock in the signature is too far from the operator's.
const STALE: &str = "101001";

/// One account's access.
pub(super) struct Session {
    http: HttpClient,
    access_code: SecretString,
    secret_key: Option<SecretString>,
    list_bytes_max: usize,
    clock: WallClock,
    pace: Pace,
}

/// What an answer says about the call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was done.
    Done,
    /// It was not.
    Refused {
        /// The vendor's code; may be empty.
        code: String,
        /// The vendor's words.
        text: String,
    },
}

impl Session {
    pub(super) fn new(
        http: HttpClient,
        access_code: SecretString,
        secret_key: Option<SecretString>,
        way: &Way,
    ) -> Self {
        Self {
            http,
            access_code,
            secret_key,
            list_bytes_max: way.body_bytes_max.unwrap_or(LIST_BYTES_MAX),
            clock: WallClock::default(),
            // "8 API request per second are allowed."
            pace: way.pace(8, Duration::from_secs(1)),
        }
    }

    pub(super) fn contact(&self) -> Contact {
        self.http.contact()
    }

    /// The caller's time, for signatures until the operator's own clock is known.
    pub(super) fn tell(&self, now: UnixTime) {
        self.clock.tell(now);
    }

    /// What time it is, as far as it is known.
    pub(super) fn now(&self) -> Option<UnixTime> {
        self.clock.now()
    }

    /// Asks for what costs nothing.
    pub(super) async fn ask<T: DeserializeOwned>(&self, path: &str, asked: &Value) -> Result<T, OperatorError> {
        self.asked(path, asked, None).await
    }

    /// Asks for a long list.
    pub(super) async fn ask_list<T: DeserializeOwned>(&self, path: &str, asked: &Value) -> Result<T, OperatorError> {
        self.asked(path, asked, Some(self.list_bytes_max)).await
    }

    async fn asked<T: DeserializeOwned>(
        &self,
        path: &str,
        asked: &Value,
        bytes_max: Option<usize>,
    ) -> Result<T, OperatorError> {
        let body = asked.to_string();
        let mut answer = self.send(path, &body, bytes_max).await?;
        let mut said = verdict(&answer).map_err(unknown)?;
        if matches!(&said, Verdict::Refused { code, .. } if code == STALE) {
            // That answer told the operator's own clock, and this one is signed by it.
            answer = self.send(path, &body, bytes_max).await?;
            said = verdict(&answer).map_err(unknown)?;
        }
        match said {
            Verdict::Done => Ok(answer.json::<Wrapped<T>>()?.obj),
            Verdict::Refused { code, text } => Err(read_error(&code, &text)),
        }
    }

    async fn send(&self, path: &str, body: &str, bytes_max: Option<usize>) -> Result<HttpAnswer, OperatorError> {
        self.pace.keep("").await;
        let mut call = self.signed(Call::post(path, JSON, body.as_bytes()), body.as_bytes());
        if let Some(bytes) = bytes_max {
            call = call.body_bytes_max(bytes);
        }
        let answer = self.http.read(call).await?;
        self.heard(&answer);
        answer.checked()
    }

    /// Sends an order, once.
    pub(super) async fn buy(&self, path: &str, content_type: &str, body: &[u8]) -> BuyOutcome {
        self.pace.keep("").await;
        let outcome = self.http.buy(self.signed(Call::post(path, content_type, body), body)).await;
        if let BuyOutcome::Answer(answer) = &outcome {
            self.heard(answer);
        }
        outcome
    }

    fn heard(&self, answer: &HttpAnswer) {
        if let Some(date) = answer.date {
            self.clock.tell(date);
        }
    }

    /// With the access code, and with a signature where there is a key and the time is known. Until then the access
    /// code alone is sent, which the vendor documents as enough.
    fn signed<'a>(&self, call: Call<'a>, body: &[u8]) -> Call<'a> {
        let call = call.header("rt-accesscode", self.access_code.expose_secret()).header("accept", JSON);
        let (Some(key), Some(millis)) = (&self.secret_key, self.clock.millis()) else { return call };
        let (timestamp, request) = (millis.to_string(), Uuid::new_v4().to_string());
        let signature = signature(key, &timestamp, &request, &self.access_code, body);
        call.header("rt-timestamp", &timestamp).header("rt-requestid", &request).header("rt-signature", &signature)
    }
}

/// HMAC-SHA256 over timestamp, request id, access code and body, with nothing between them, in lower-case hexadecimal.
fn signature(key: &SecretString, timestamp: &str, request: &str, access_code: &SecretString, body: &[u8]) -> String {
    let message = [timestamp.as_bytes(), request.as_bytes(), access_code.expose_secret().as_bytes(), body].concat();
    lower_hex(&hmac_sha256(key, &message))
}

/// What the answer says about the call.
///
/// # Errors
/// It is not the documented document, or says two things at once.
pub(super) fn verdict(answer: &HttpAnswer) -> Result<Verdict, String> {
    let head: HeadDoc = answer.document()?;
    let code = head.error_code.map(|code| code.0).filter(|code| !code.is_empty() && code != "0");
    let text = head.error_msg.or(head.error_message).map_or_else(String::new, |text| text.0);
    match (head.success, code) {
        (None, _) => Err("it does not say whether the call succeeded".into()),
        (Some(flag), None) if flag.0 => Ok(Verdict::Done),
        (Some(flag), Some(code)) if flag.0 => Err(format!("it says success and the error {}", tamed(&code, 80))),
        (Some(_), code) => Ok(Verdict::Refused { code: code.unwrap_or_default(), text }),
    }
}

/// What a code means for a reading.
fn read_error(code: &str, text: &str) -> OperatorError {
    let told = tamed(&format!("{NAME} says {code}: {text}"), 200);
    match code {
        "000001" | "900001" | "200010" | STALE => OperatorError::Later { retry_after: None, why: told },
        "101002" | "101003" => never(RefusalKind::Access, told),
        "200042" | "310272" | "310403" | "310409" => never(RefusalKind::CardData, told),
        _ => unknown(told),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vendor's own example, which is printed in upper case.
    #[test]
    fn the_signature_is_that_of_the_vendors_example() {
        let signed = signature(
            &"1111".into(),
            "1628670421",
            "4ce9d9cdac9e4e17b3a2c66c358c1ce2",
            &"11111".into(),
            br#"{"imsi":"326543826"}"#,
        );
        assert_eq!(signed, "7EB765E27DF5373DEA2DBC8C41A7D9557743E46C8054750F3D851B3FD01D0835".to_lowercase());
    }

    #[test]
    fn codes_say_whether_asking_again_is_of_use() {
        for code in ["000001", "900001", "200010", "101001"] {
            assert!(matches!(read_error(code, ""), OperatorError::Later { .. }), "{code}");
        }
        for (code, expected) in
            [("101003", RefusalKind::Access), ("310409", RefusalKind::CardData), ("200042", RefusalKind::CardData)]
        {
            assert!(matches!(read_error(code, ""), OperatorError::Never { kind, .. } if kind == expected), "{code}");
        }
        for code in ["", "000105", "999999"] {
            assert!(matches!(read_error(code, ""), OperatorError::Unknown { .. }), "{code}");
        }
    }
}
