//! What came back: a status, the few headers that matter, and a body that is never longer than allowed.

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;

use crate::domain::card::tamed;
use crate::domain::operator::{BuyAnswer, Doubt, OperatorError, RefusalKind};
use crate::domain::retry::clamped_wait;
use crate::domain::time::{Secs, UnixTime};

/// Characters of an operator's text that are kept.
const TEXT_LONGEST: usize = 200;

/// An answer with any status.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// The operator's clock, from `Date`.
    pub date: Option<UnixTime>,
    /// For how long it asks us to wait, from `Retry-After`: between a second and a day.
    pub retry_after: Option<Secs>,
    /// How many calls are left, from `X-RateLimit-Remaining`.
    pub calls_left: Option<u64>,
    /// The decoded body, or its beginning if it was too long.
    pub body: Vec<u8>,
    /// Whether the body was too long.
    pub cut: bool,
    headers: HeaderMap,
    is_page: bool,
}

impl std::fmt::Debug for HttpAnswer {
    /// Without the body, which may hold a token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, cut, body, .. } = self;
        write!(f, "HttpAnswer {{ status: {status}, body: {} bytes, cut: {cut} }}", body.len())
    }
}

/// What became of an order that was handed to the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuyOutcome {
    /// No connection was made: nothing was sent, for certain.
    NotSent {
        /// What failed.
        why: String,
    },
    /// An answer came, whole.
    Answer(HttpAnswer),
    /// It may have arrived.
    Doubt {
        /// The class of the failure.
        doubt: Doubt,
        /// More about it, tamed.
        detail: String,
    },
}

impl BuyOutcome {
    /// The answer, or else what is to be told to the engine.
    ///
    /// # Errors
    /// [`BuyAnswer::NotSent`] or [`BuyAnswer::Unknown`].
    pub fn answered(self) -> Result<HttpAnswer, BuyAnswer> {
        match self {
            Self::Answer(answer) => Ok(answer),
            Self::NotSent { why } => Err(BuyAnswer::NotSent { why }),
            Self::Doubt { doubt, detail } => Err(BuyAnswer::Unknown { doubt, detail, retry_after: None }),
        }
    }
}

impl HttpAnswer {
    pub(super) async fn taken(mut response: Response, body_bytes_max: usize) -> Result<Self, reqwest::Error> {
        let mut answer = Self::headed(response.status().as_u16(), response.headers());
        while let Some(chunk) = response.chunk().await? {
            let room = body_bytes_max - answer.body.len();
            answer.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                answer.cut = true;
                break;
            }
        }
        Ok(answer)
    }

    fn headed(status: u16, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let date = text(DATE.as_str()).and_then(http_date);
        Self {
            status,
            date,
            retry_after: text(RETRY_AFTER.as_str()).and_then(|wait| retry_wait(wait, date)),
            calls_left: text("x-ratelimit-remaining").and_then(|left| left.trim().parse().ok()),
            body: Vec::new(),
            cut: false,
            headers: headers.clone(),
            is_page: text(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.trim_start().starts_with("text/html")),
        }
    }

    /// An answer that no network brought.
    #[cfg(test)]
    pub(in crate::operators) fn for_test(status: u16, body: &str) -> Self {
        Self { status, body: body.as_bytes().to_vec(), ..Self::headed(status, &HeaderMap::new()) }
    }

    /// A header, if it is there and plain text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text, unless it is too long, a web page, or not UTF-8.
    ///
    /// # Errors
    /// Says which.
    pub fn text(&self) -> Result<&str, String> {
        self.whole()?;
        std::str::from_utf8(&self.body).map_err(|_| "the answer is not text".to_owned())
    }

    /// Whether the status says success.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// This answer, if its status says success.
    ///
    /// # Errors
    /// [`OperatorError::Later`] for 408, 425, 429 and 5xx, [`OperatorError::Never`] for 401 and 403,
    /// [`OperatorError::Unknown`] for everything else.
    pub fn checked(self) -> Result<Self, OperatorError> {
        if self.is_success() { Ok(self) } else { Err(self.error()) }
    }

    /// What a status other than success means for a reading.
    #[must_use]
    pub fn error(&self) -> OperatorError {
        let later = |why: String| OperatorError::Later { retry_after: self.retry_after, why };
        match self.status {
            429 => later("the operator asks for fewer calls".into()),
            408 | 425 | 500.. => later(format!("the operator has a fault of its own (HTTP {})", self.status)),
            401 | 403 => OperatorError::Never {
                kind: RefusalKind::Access,
                why: format!("the operator refuses our access (HTTP {}); look at the account's secrets", self.status),
            },
            300..=399 => OperatorError::Unknown {
                why: format!("HTTP {} sends us to another address, which is not followed", self.status),
            },
            status => OperatorError::Unknown { why: format!("HTTP {status}") },
        }
    }

    /// The body as a document.
    ///
    /// # Errors
    /// [`OperatorError::Unknown`] says why it is none.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, OperatorError> {
        self.document().map_err(|why| OperatorError::Unknown { why })
    }

    /// The body as a document, with the reason in words if it is none.
    ///
    /// # Errors
    /// It is too long, a web page, or not the document that was asked for.
    pub fn document<T: DeserializeOwned>(&self) -> Result<T, String> {
        self.whole()?;
        if self.body.trim_ascii_start().starts_with(b"<") {
            return Err("it is a web page instead of JSON".into());
        }
        serde_json::from_slice(&self.body).map_err(|error| tamed(&error.to_string(), TEXT_LONGEST))
    }

    fn whole(&self) -> Result<(), String> {
        if self.cut {
            return Err(format!("it is longer than {} bytes", self.body.len()));
        }
        if self.is_page { Err("it is a web page".into()) } else { Ok(()) }
    }

    /// What an answer to an order means when neither its status nor its code is listed as final.
    #[must_use]
    pub fn in_doubt(&self) -> BuyAnswer {
        let doubt = match self.status {
            200..=299 => Doubt::Unreadable,
            300..=399 => Doubt::Redirected,
            429 => Doubt::Throttled,
            500.. => Doubt::ServerError,
            _ => Doubt::UnlistedCode,
        };
        let beginning = String::from_utf8_lossy(&self.body[..self.body.len().min(4 * TEXT_LONGEST)]).into_owned();
        let detail = tamed(&format!("HTTP {}: {beginning}", self.status), TEXT_LONGEST);
        BuyAnswer::Unknown { doubt, detail, retry_after: self.retry_after }
    }
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
fn http_date(text: &str) -> Option<UnixTime> {
    let stamp = DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    UnixTime::new(stamp.as_second())
}

/// Reads seconds or a date; a date counts from the operator's own clock, since ours may differ.
fn retry_wait(text: &str, date: Option<UnixTime>) -> Option<Secs> {
    let asked = match text.trim().parse::<i64>() {
        Ok(secs) => Secs(secs),
        Err(_) => http_date(text)?.since(date?),
    };
    Some(clamped_wait(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headed(pairs: &[(&'static str, &'static str)]) -> HttpAnswer {
        let headers = pairs.iter().map(|(name, value)| {
            (reqwest::header::HeaderName::from_static(name), reqwest::header::HeaderValue::from_static(value))
        });
        HttpAnswer::headed(429, &headers.collect())
    }

    #[test]
    fn waits_are_seconds_or_dates_and_clamped() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(headed(&[date]).date, Some(UnixTime::clamped(784_111_777)));
        for (wait, expected) in [
            ("120", Some(Secs(120))),
            ("0", Some(Secs(1))),
            ("-5", Some(Secs(1))),
            ("99999999", Some(Secs::DAY)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(Secs(60))),
            ("Sun, 06 Nov 1994 08:49:30 GMT", Some(Secs(1))),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(headed(&[date, ("retry-after", wait)]).retry_after, expected, "{wait}");
        }
        assert_eq!(headed(&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")]).retry_after, None);
        assert_eq!(headed(&[("x-ratelimit-remaining", "7")]).calls_left, Some(7));
    }

    #[test]
    fn only_listed_statuses_may_be_tried_again() {
        let error = |status| HttpAnswer { status, ..headed(&[("retry-after", "9")]) }.error();
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            assert!(matches!(error(status), OperatorError::Later { retry_after: Some(Secs(9)), .. }), "{status}");
        }
        for status in [401, 403] {
            assert!(matches!(error(status), OperatorError::Never { kind: RefusalKind::Access, .. }), "{status}");
        }
        for status in [100, 301, 307, 400, 404, 409, 422] {
            assert!(matches!(error(status), OperatorError::Unknown { .. }), "{status}");
        }
    }

    #[test]
    fn an_order_that_is_not_plainly_answered_stays_in_doubt() {
        for (status, expected) in [
            (200, Doubt::Unreadable),
            (302, Doubt::Redirected),
            (400, Doubt::UnlistedCode),
            (401, Doubt::UnlistedCode),
            (409, Doubt::UnlistedCode),
            (429, Doubt::Throttled),
            (500, Doubt::ServerError),
        ] {
            let answer = HttpAnswer { status, ..headed(&[]) }.in_doubt();
            assert!(matches!(answer, BuyAnswer::Unknown { doubt, .. } if doubt == expected), "{status}");
        }
    }
}
