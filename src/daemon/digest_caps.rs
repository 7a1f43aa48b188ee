//! What caps that cards share hold back of the purchases to come: everything that is to be expected of all cards under them,
//! in the order of time, as `plan` reckons it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Daemon;
use super::case::Case;
use super::digest_cards::{PAGE, foreseen};
use super::live::Live;
use super::shared_limits::{self, Coming};
use crate::domain::card::{Card, CardId, Name};
use crate::domain::limits;
use crate::domain::money::Money;
use crate::domain::time::{Secs, UnixTime};
use crate::store::{Connection, StoreError, cards};

/// A purchase to come.
struct Wanted {
    at: UnixTime,
    price: Money,
    cycle: Secs,
    account: Name,
    card: Arc<Card>,
}

/// The cards for which a cap leaves no room before `until`, and from when on.
///
/// # Errors
/// When the record cannot be read.
pub(super) async fn held(
    daemon: &Arc<Daemon>,
    live: &Arc<Live>,
    until: UnixTime,
    now: UnixTime,
) -> Result<BTreeMap<CardId, UnixTime>, StoreError> {
    if live.rules().shared_limits.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (mut after, mut wanted) = (Some(CardId(0)), Vec::new());
    while let Some(from) = after {
        let page_live = Arc::clone(live);
        let (last, page) = daemon.store.read(move |conn| page(conn, &page_live, from, until, now)).await?;
        wanted.extend(page);
        after = last;
    }
    wanted.sort_by_key(|one| one.at);
    let live = Arc::clone(live);
    daemon.store.read(move |conn| without_room(conn, &live, wanted)).await
}

/// The last card of a page, and the purchases to come of those on it that a cap concerns.
fn page(
    conn: &Connection,
    live: &Live,
    after: CardId,
    until: UnixTime,
    now: UnixTime,
) -> Result<(Option<CardId>, Vec<Wanted>), StoreError> {
    let page = cards::page(conn, after, PAGE)?;
    let (last, mut wanted) = (page.last().map(|card| card.id), Vec::new());
    for card in page {
        match of_card(conn, live, card, until, now) {
            // Its damage is told by its own line.
            Err(StoreError::Unreadable { .. }) => {}
            found => wanted.extend(found?),
        }
    }
    Ok((last, wanted))
}

fn of_card(
    conn: &Connection,
    live: &Live,
    card: Card,
    until: UnixTime,
    now: UnixTime,
) -> Result<Vec<Wanted>, StoreError> {
    let caps = &live.rules().shared_limits;
    if !card.accounts().any(|account| caps.iter().any(|cap| cap.concerns(account, &card.labels))) {
        return Ok(Vec::new());
    }
    let case = Case::load(conn, live, card, now)?;
    let Some(rule) = case.rule(live) else { return Ok(Vec::new()) };
    let (seller, coming) = foreseen(conn, live, &case, rule, until, now)?;
    let card = Arc::new(case.card.clone());
    let wanted = coming.into_iter().filter_map(|one| {
        let (plan, at) = (one.what.bought()?, one.when.likely.filter(|at| *at <= until)?);
        let (card, account) = (Arc::clone(&card), seller.clone());
        Some(Wanted { at, price: plan.price, cycle: limits::cycle_of(plan), account, card })
    });
    Ok(wanted.collect())
}

fn without_room(conn: &Connection, live: &Live, wanted: Vec<Wanted>) -> Result<BTreeMap<CardId, UnixTime>, StoreError> {
    let (mut held, mut before) = (BTreeMap::new(), Vec::new());
    for Wanted { at, price, cycle, account, card } in wanted {
        if held.contains_key(&card.id) {
            continue;
        }
        let counted = shared_limits::counted_then(conn, live.rules(), &before, (&card, &account), cycle, at)?;
        match crate::domain::shared_limits::crossed(&counted, price) {
            Some(_) => drop(held.insert(card.id, at)),
            None => before.push(Coming { at, price, account, labels: card.labels.clone() }),
        }
    }
    Ok(held)
}
