//! Orders that are done may still be taken back, for as long as their operator says so: once a day they are looked up
//! once more (T17).

use std::sync::Arc;

use super::Daemon;
use super::moves::advance;
use crate::domain::attempt::{Attempt, StateName};
use crate::domain::settling;
use crate::domain::time::{Secs, UnixTime};
use crate::store::attempts::{self, AttemptFilter};
use crate::store::{StoreError, cards};

/// No operator's final states turn later than this.
const LONGEST: Secs = Secs::days(31);
/// Orders looked up in one day.
const MOST: usize = 1_000;

/// Looks up what is done and may still turn.
///
/// # Errors
/// When the record cannot be read or written.
pub(super) async fn look(daemon: &Arc<Daemon>) -> Result<(), StoreError> {
    let now = daemon.clock.now();
    let filter = AttemptFilter { card: None, open_only: false, since: now.minus(LONGEST), limit: MOST };
    let recent = daemon.store.read(move |conn| attempts::list(conn, &filter)).await?;
    for attempt in recent.into_iter().filter(|attempt| attempt.state.name() == StateName::Done) {
        look_at(daemon, attempt, now).await?;
    }
    Ok(())
}

async fn look_at(daemon: &Arc<Daemon>, attempt: Attempt, now: UnixTime) -> Result<(), StoreError> {
    let live = daemon.live();
    let Some(desk) = live.desk(&attempt.account) else { return Ok(()) };
    let capabilities = desk.operator.capabilities();
    if !settling::may_turn(&attempt, capabilities, now) || desk.asked_until(now).is_some() {
        return Ok(());
    }
    let (id, card) = (attempt.id, attempt.card);
    let known = daemon.store.read(move |conn| Ok((attempts::key_of(conn, id)?, cards::by_id(conn, card)?))).await?;
    let (Some(key), Some(card)) = known else { return Ok(()) };
    let order = attempt.sent_order(key, attempt.created_at);
    match desk.operator.find(&card, &order).await {
        Ok(found) => {
            let Some(event) = settling::turned(found) else { return Ok(()) };
            let live = Arc::clone(&live);
            let moved = daemon.store.write(move |conn| advance(conn, &live, &attempt, event, now)).await?;
            daemon.follow_up(&moved);
        }
        Err(error) => {
            desk.went_wrong(&error, now);
        }
    }
    Ok(())
}
