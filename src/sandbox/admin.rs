//! The other side of the counter: `/_sandbox/…` sets up cards, prices and faults, and tells what was taken. It wants no
//! token, since a sandbox listens on this machine only; its writes want JSON, which no web page can send by itself.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::card::{CardChange, NewCard};
use super::fault::Fault;
use super::plans::CardKind;
use super::routes::refused;
use super::{Sandbox, SandboxError};
use crate::domain::money::Money;
use crate::domain::plan::Plan;

pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/cards", post(add_card))
        .route("/cards/{iccid}", patch(change_card))
        .route("/cards/{iccid}/buy", post(buy_by_hand))
        .route("/wallet", put(set_wallet))
        .route("/methods/{method}", put(set_method))
        .route("/codes/{code}", put(set_code).delete(remove_code))
        .route("/plans", post(put_plan))
        .route("/plans/{plan}", patch(set_price).delete(remove_plan))
        .route("/faults", post(add_fault).get(list_faults).delete(clear_faults))
        .route("/orders", get(orders))
        .route("/requests", get(requests))
        .route("/clock", get(clock))
        .route("/reset", post(reset))
}

fn done(result: Result<(), SandboxError>) -> Response {
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(&error.to_string()),
    }
}

async fn add_card(State(sandbox): State<Sandbox>, Json(card): Json<NewCard>) -> Response {
    done(sandbox.add_card(card))
}

async fn change_card(
    State(sandbox): State<Sandbox>,
    Path(iccid): Path<String>,
    Json(change): Json<CardChange>,
) -> Response {
    done(sandbox.change_card(&iccid, &change))
}

#[derive(Deserialize)]
struct ByHand {
    plan: String,
}

async fn buy_by_hand(State(sandbox): State<Sandbox>, Path(iccid): Path<String>, Json(what): Json<ByHand>) -> Response {
    match sandbox.buy_by_hand(&iccid, &what.plan) {
        Ok(order_id) => Json(json!({ "order_id": order_id })).into_response(),
        Err(error) => refused(&error.to_string()),
    }
}

#[derive(Deserialize)]
struct Balance {
    balance: Money,
}

async fn set_wallet(State(sandbox): State<Sandbox>, Json(wallet): Json<Balance>) -> Response {
    done(sandbox.set_wallet(wallet.balance))
}

#[derive(Deserialize)]
struct Method {
    declines: bool,
}

async fn set_method(State(sandbox): State<Sandbox>, Path(name): Path<String>, Json(method): Json<Method>) -> Response {
    done(sandbox.set_declining(&name, method.declines))
}

#[derive(Deserialize)]
struct Code {
    percent_off: u32,
}

async fn set_code(State(sandbox): State<Sandbox>, Path(name): Path<String>, Json(code): Json<Code>) -> Response {
    sandbox.set_code(&name, Some(code.percent_off));
    done(Ok(()))
}

async fn remove_code(State(sandbox): State<Sandbox>, Path(name): Path<String>) -> Response {
    sandbox.set_code(&name, None);
    done(Ok(()))
}

#[derive(Deserialize)]
struct NewPlan {
    plan: Plan,
    kinds: Vec<CardKind>,
}

async fn put_plan(State(sandbox): State<Sandbox>, Json(new): Json<NewPlan>) -> Response {
    done(sandbox.put_plan(new.plan, new.kinds))
}

#[derive(Deserialize)]
struct Price {
    price: Money,
}

async fn set_price(State(sandbox): State<Sandbox>, Path(plan): Path<String>, Json(new): Json<Price>) -> Response {
    done(sandbox.set_price(&plan, new.price))
}

async fn remove_plan(State(sandbox): State<Sandbox>, Path(plan): Path<String>) -> Response {
    done(sandbox.remove_plan(&plan))
}

async fn add_fault(State(sandbox): State<Sandbox>, Json(fault): Json<Fault>) -> Response {
    done(sandbox.fault(fault))
}

async fn list_faults(State(sandbox): State<Sandbox>) -> Response {
    Json(sandbox.world().0.faults.all().to_vec()).into_response()
}

async fn clear_faults(State(sandbox): State<Sandbox>) -> Response {
    sandbox.clear_faults();
    done(Ok(()))
}

async fn orders(State(sandbox): State<Sandbox>) -> Response {
    let orders = sandbox.accepted_orders();
    Json(json!({ "taken": sandbox.orders_taken(), "orders": orders })).into_response()
}

async fn requests(State(sandbox): State<Sandbox>) -> Response {
    Json(sandbox.requests()).into_response()
}

async fn clock(State(sandbox): State<Sandbox>) -> Response {
    Json(json!({ "now": sandbox.now() })).into_response()
}

/// Wants `{}`, so that a form on a web page cannot send it.
async fn reset(State(sandbox): State<Sandbox>, Json(_nothing): Json<Value>) -> Response {
    sandbox.reset();
    done(Ok(()))
}
