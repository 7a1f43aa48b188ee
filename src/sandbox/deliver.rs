//! How an answer travels: as it should, or as a fault has it.

use std::future::pending;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::sleep;

use super::answers::{Reply, strange_order};
use super::drip::Drip;
use super::fault::FaultKind;
use super::wire::WireHandle;

const JSON: &str = "application/json";
const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Sandbox</title></head><body><h1>Something is not right</h1></body></html>";

/// Sends `reply`, or does to it and to its connection what `fault` says. Never returns where nothing is answered: the
/// server drops the call when the connection ends.
pub(super) async fn deliver(reply: Reply, fault: Option<&FaultKind>, wire: &WireHandle) -> Response {
    let Some(fault) = fault else { return reply.into_response() };
    match fault {
        FaultKind::Late { millis } => {
            sleep(Duration::from_millis(*millis)).await;
            reply.into_response()
        }
        FaultKind::LostBefore | FaultKind::LostAfter | FaultKind::AcceptedLate { .. } => {
            wire.cut();
            pending().await
        }
        FaultKind::Hang { .. } => pending().await,
        FaultKind::Doubled => {
            wire.double();
            reply.into_response()
        }
        FaultKind::ServerError { status, .. } => page(*status),
        FaultKind::Throttled { retry_after } => {
            let answer = Reply::error(429, "too_many_requests").into_response();
            with_header(answer, RETRY_AFTER, retry_after.as_deref())
        }
        FaultKind::Redirect { status, to } => {
            with_header(page(*status), LOCATION, Some(to.as_deref().unwrap_or("/v1/elsewhere")))
        }
        FaultKind::Refused { code, status } => Reply::error(*status, code).into_response(),
        FaultKind::TokenExpired => Reply::error(401, "token_expired").into_response(),
        FaultKind::DuplicateReference { .. } => Reply::error(409, "reference_used").into_response(),
        FaultKind::StrangeAnswer { .. } => strange_order().into_response(),
        FaultKind::Html { .. } => page(200),
        FaultKind::EmptyBody { .. } => (StatusCode::OK, [(CONTENT_TYPE, JSON)]).into_response(),
        FaultKind::CutBody { .. } => {
            let length = reply.body.len().to_string();
            let answer = (StatusCode::OK, [(CONTENT_TYPE, JSON)], Body::new(Drip::half(&reply.body))).into_response();
            with_header(answer, CONTENT_LENGTH, Some(&length))
        }
        FaultKind::HugeBody { bytes, .. } => {
            (StatusCode::OK, [(CONTENT_TYPE, JSON)], Body::new(Drip::huge(*bytes))).into_response()
        }
        FaultKind::GzipBomb { bytes, .. } => {
            let headers = [(CONTENT_TYPE, JSON), (CONTENT_ENCODING, "gzip")];
            (StatusCode::OK, headers, Body::new(Drip::gzip_bomb(*bytes))).into_response()
        }
        FaultKind::SlowBytes { millis } => {
            let status = status(reply.status);
            (status, [(CONTENT_TYPE, JSON)], Body::new(Drip::slow(reply.body, *millis))).into_response()
        }
        FaultKind::PriceChanged { .. }
        | FaultKind::PlanGone
        | FaultKind::StaleReading
        | FaultKind::Negative
        | FaultKind::FarEnd
        | FaultKind::PastEnd
        | FaultKind::EndShifted { .. }
        | FaultKind::NoEnd
        | FaultKind::TextForNumber
        | FaultKind::HugeNumber
        | FaultKind::StrangeCurrency
        | FaultKind::EffectLate { .. }
        | FaultKind::EffectNever
        | FaultKind::PendingForever
        | FaultKind::FailsLater { .. }
        | FaultKind::SaysFailed { .. } => reply.into_response(),
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        (status(self.status), [(CONTENT_TYPE, JSON)], self.body).into_response()
    }
}

fn page(code: u16) -> Response {
    (status(code), [(CONTENT_TYPE, "text/html; charset=utf-8")], PAGE).into_response()
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn with_header(mut response: Response, name: HeaderName, value: Option<&str>) -> Response {
    if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
        response.headers_mut().insert(name, value);
    }
    response
}
