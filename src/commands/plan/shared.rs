//! What the caps that cards share hold back: everything that would be bought, in the order of time, against what is in the
//! record and what would be bought before.

use std::collections::BTreeSet;

use super::{Entry, Told};
use crate::commands::view::View;
use crate::daemon::shared_limits::{self, Coming};
use crate::domain::card::{Card, Name};
use crate::domain::foresee::What;
use crate::domain::limits;
use crate::store::{Connection, StoreError};

/// Marks what a cap holds back. Beyond it nothing is known of that card.
pub(super) fn hold(
    view: &View,
    conn: &Connection,
    cards: &[Card],
    entries: Vec<Entry>,
) -> Result<Vec<Entry>, StoreError> {
    if view.config.rules.shared_limits.is_empty() {
        return Ok(entries);
    }
    let (mut planned, mut held, mut shown) = (Vec::new(), BTreeSet::new(), Vec::new());
    for mut entry in entries {
        if held.contains(&entry.card) {
            continue;
        }
        let (at, card) = (entry.at(), cards.iter().find(|card| card.name == entry.card));
        if let (Told::Foreseen(foreseen), Some(at), Some(card)) = (&mut entry.told, at, card)
            && let Some(plan) = foreseen.what.bought().cloned()
        {
            let account = seller(view, conn, card)?;
            let (rules, cycle) = (&view.config.rules, limits::cycle_of(&plan));
            let counted = shared_limits::counted_then(conn, rules, &planned, (card, &account), cycle, at)?;
            match crate::domain::shared_limits::crossed(&counted, plan.price) {
                Some(gate) => {
                    foreseen.what = What::OverLimit(plan, gate);
                    held.insert(entry.card.clone());
                }
                None => planned.push(Coming { at, price: plan.price, account, labels: card.labels.clone() }),
            }
        }
        shown.push(entry);
    }
    Ok(shown)
}

/// The account that would sell.
fn seller(view: &View, conn: &Connection, card: &Card) -> Result<Name, StoreError> {
    let case = view.case(conn, card.clone())?;
    Ok(view.ways(&case).into_iter().next().map_or_else(|| card.account.clone(), |way| way.account))
}
