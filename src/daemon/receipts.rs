//! Receipts of text gateways: each is handed in at an address that holds a secret word and the id of its text. One that
//! says that a text will not arrive sends what it told the next way, once.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::bells::Round;
use super::{Daemon, insist, text_answers};
use crate::domain::receipt::Receipt;
use crate::notify;
use crate::store::{StoreError, receipts};

/// What a gateway hands in about one text.
pub(super) async fn handed_in(
    State(daemon): State<Arc<Daemon>>,
    Path((word, id)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !text_answers::is_open(&daemon, &word) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let documents = text_answers::documents(query, &headers, &body);
    let found = documents.iter().filter_map(notify::receipt).map(|(_, receipt)| (id.clone(), receipt));
    noted(&daemon, found.collect()).await
}

/// The receipts among what was handed in at the address of answers, which name their texts themselves; none if there is
/// none.
pub(super) fn among(documents: &[BTreeMap<String, String>]) -> Vec<(String, Receipt)> {
    documents.iter().filter_map(notify::receipt).filter_map(|(id, receipt)| Some((id?, receipt))).collect()
}

/// Notes receipts, and answers as all gateways understand, Alibaba Cloud among them.
pub(super) async fn noted(daemon: &Arc<Daemon>, found: Vec<(String, Receipt)>) -> Response {
    for (id, receipt) in found {
        if let Err(error) = note(daemon, id, receipt).await {
            tracing::error!(%error, "a receipt could not be written down");
            daemon.store_failed(&error);
            // The gateway hands it in again.
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    }
    axum::Json(json!({ "code": 0, "msg": "OK" })).into_response()
}

/// Notes what became of the text with this id, if that is news.
///
/// # Errors
/// When the record cannot be written.
pub(super) async fn note(daemon: &Arc<Daemon>, id: String, receipt: Receipt) -> Result<(), StoreError> {
    let (now, live, fate) = (daemon.clock.now(), daemon.live(), receipt.fate);
    let changed = daemon
        .store
        .write(move |conn| {
            let Some(notice) = receipts::note(conn, &id, &receipt, now)? else { return Ok(None) };
            if !receipt.fate.arrived() {
                insist::way_failed(conn, &live, notice, now)?;
            }
            Ok(Some(notice))
        })
        .await?;
    if let Some(notice) = changed {
        tracing::info!(notice.id = notice.0, ?fate, "a gateway reported what became of a text");
        daemon.bells.ring(Round::Deliver);
    }
    Ok(())
}
