//! One card, read now: for the last look before an order, and for people who ask what a renewal would buy.

use std::sync::Arc;

use super::Daemon;
use super::desk::Desk;
use super::judge::judge;
use crate::domain::card::Card;
use crate::domain::operator::OperatorError;
use crate::store::StoreError;

/// Reads a card and records what came; the inner error is the operator's.
///
/// # Errors
/// When the record cannot be written.
pub(super) async fn read(
    daemon: &Arc<Daemon>,
    desk: &Desk,
    card: &Card,
) -> Result<Result<(), OperatorError>, StoreError> {
    let now = daemon.clock.now();
    let answer = desk.operator.read(std::slice::from_ref(card), now).await.pop();
    let answer = answer.unwrap_or_else(|| Err(OperatorError::Unknown { why: "no answer about the card".into() }));
    let seen = answer.as_ref().map(drop).map_err(Clone::clone);
    let (live, card) = (daemon.live(), card.clone());
    let judged = daemon.store.write(move |conn| judge(conn, &live, card, answer, now)).await?;
    daemon.schedule().put(judged.card, judged.next_poll_at);
    Ok(seen)
}
