//! The operator's interface over HTTP: `/v1/…`, with a bearer token.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRef, FromRequestParts, Path, Query, State};
use axum::http::header::{AUTHORIZATION, DATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use secrecy::ExposeSecret;
use serde::Deserialize;
use std::borrow::Cow;

use super::answers::Reply;
use super::deliver::deliver;
use super::fault::{Call, FaultKind};
use super::orders::OrderRequest;
use super::settings::READ_BATCH_MAX;
use super::wire::WireHandle;
use super::world::World;
use super::{Sandbox, admin};
use crate::domain::time::UnixTime;

/// Everything the sandbox answers to.
pub(super) fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/v1/capabilities", get(capabilities))
        .route("/v1/wallet", get(wallet))
        .route("/v1/cards", get(list_cards))
        .route("/v1/cards/read", post(read_many))
        .route("/v1/cards/{iccid}", get(read_one))
        .route("/v1/cards/{iccid}/plans", get(catalogue))
        .route("/v1/cards/{iccid}/plans/{plan}", get(price))
        .route("/v1/orders", post(buy).get(list_orders))
        .route("/v1/orders/{reference}", get(find_one))
        .nest("/_sandbox", admin::router())
        .layer(map_response_with_state(sandbox.clone(), dated))
        .with_state(sandbox)
}

/// Puts the sandbox's own time on every answer, as an operator's server would its own.
async fn dated(State(sandbox): State<Sandbox>, mut response: Response) -> Response {
    let stamp = Timestamp::from_second(sandbox.now().secs()).unwrap_or(Timestamp::UNIX_EPOCH);
    let text = DateTimePrinter::new().timestamp_to_rfc9110_string(&stamp).ok();
    if let Some(date) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// A client with the right token, and the connection it is on.
struct Caller(WireHandle);

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Sandbox: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let sandbox = Sandbox::from_ref(state);
        let shown = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = shown.and_then(|value| value.strip_prefix("Bearer "));
        if token != Some(sandbox.key().expose_secret()) {
            return Err(Reply::error(401, "token_expired").into_response());
        }
        let ConnectInfo(wire) =
            ConnectInfo::<WireHandle>::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        Ok(Self(wire))
    }
}

/// Counts a call, takes the fault that waits for it, does `work`, and sends the answer as the fault has it.
async fn answered(
    sandbox: &Sandbox,
    caller: &Caller,
    call: Call,
    card: Option<&str>,
    work: impl FnOnce(&mut World, UnixTime, Option<&FaultKind>) -> Reply,
) -> Response {
    let (reply, fault) = {
        let (mut world, now) = sandbox.world();
        *world.requests.entry(call).or_default() += 1;
        let fault = world.faults.take(call, card);
        (work(&mut world, now, fault.as_ref()), fault)
    };
    deliver(reply, fault.as_ref(), &caller.0).await
}

async fn capabilities(State(sandbox): State<Sandbox>, _caller: Caller) -> Response {
    sandbox.world().0.capabilities().into_response()
}

async fn wallet(State(sandbox): State<Sandbox>, caller: Caller) -> Response {
    answered(&sandbox, &caller, Call::Wallet, None, |world, _, _| world.wallet_answer()).await
}

#[derive(Deserialize)]
struct PageQuery {
    #[serde(default = "first_page")]
    page: usize,
}

const fn first_page() -> usize {
    1
}

async fn list_cards(State(sandbox): State<Sandbox>, _caller: Caller, Query(query): Query<PageQuery>) -> Response {
    sandbox.world().0.list_cards(query.page).into_response()
}

async fn read_one(State(sandbox): State<Sandbox>, caller: Caller, Path(iccid): Path<String>) -> Response {
    answered(&sandbox, &caller, Call::Read, Some(&iccid), |world, now, fault| world.read_one(&iccid, now, fault)).await
}

#[derive(Deserialize)]
struct ReadRequest<'a> {
    #[serde(borrow)]
    iccids: Vec<Cow<'a, str>>,
}

async fn read_many(State(sandbox): State<Sandbox>, caller: Caller, body: Bytes) -> Response {
    let request = match serde_json::from_slice::<ReadRequest<'_>>(&body) {
        Ok(request) if request.iccids.len() <= READ_BATCH_MAX => request,
        Ok(_) | Err(_) => return Reply::error(400, "bad_request").into_response(),
    };
    let (reply, fault) = {
        let (mut world, now) = sandbox.world();
        *world.requests.entry(Call::Read).or_default() += 1;
        world.read_many(&request.iccids, now)
    };
    deliver(reply, fault.as_ref(), &caller.0).await
}

async fn catalogue(State(sandbox): State<Sandbox>, caller: Caller, Path(iccid): Path<String>) -> Response {
    answered(&sandbox, &caller, Call::Catalogue, Some(&iccid), |world, _, fault| world.catalogue(&iccid, fault)).await
}

#[derive(Deserialize)]
struct PriceQuery {
    code: Option<String>,
}

async fn price(
    State(sandbox): State<Sandbox>,
    caller: Caller,
    Path((iccid, plan)): Path<(String, String)>,
    Query(query): Query<PriceQuery>,
) -> Response {
    answered(&sandbox, &caller, Call::Preflight, Some(&iccid), |world, _, fault| {
        world.price(&iccid, &plan, query.code.as_deref(), fault)
    })
    .await
}

async fn buy(State(sandbox): State<Sandbox>, caller: Caller, body: Bytes) -> Response {
    let request = match serde_json::from_slice::<OrderRequest>(&body) {
        Ok(request) if (1..=64).contains(&request.reference.len()) => request,
        Ok(_) | Err(_) => return Reply::error(400, "bad_request").into_response(),
    };
    let card = request.iccid.clone();
    answered(&sandbox, &caller, Call::Buy, Some(&card), |world, now, fault| match fault {
        Some(fault) if !fault.works_off_order() && !matches!(fault, FaultKind::AcceptedLate { .. }) => {
            Reply::error(400, "not_worked_off")
        }
        _ => world.buy(request, now, fault),
    })
    .await
}

#[derive(Deserialize)]
struct OrdersQuery {
    iccid: String,
    #[serde(default)]
    from: i64,
    #[serde(default = "first_page")]
    page: usize,
}

async fn list_orders(State(sandbox): State<Sandbox>, caller: Caller, Query(query): Query<OrdersQuery>) -> Response {
    answered(&sandbox, &caller, Call::Find, Some(&query.iccid), |world, now, _| {
        world.list_orders(&query.iccid, query.from, query.page, now)
    })
    .await
}

#[derive(Deserialize)]
struct OrderQuery {
    /// Only so that faults of a card can wait for look-ups of orders that never arrived.
    iccid: Option<String>,
}

async fn find_one(
    State(sandbox): State<Sandbox>,
    caller: Caller,
    Path(reference): Path<String>,
    Query(query): Query<OrderQuery>,
) -> Response {
    answered(&sandbox, &caller, Call::Find, query.iccid.as_deref(), |world, now, _| world.find_one(&reference, now))
        .await
}

/// What the admin interface answers when a request is wrong.
pub(super) fn refused(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response()
}
