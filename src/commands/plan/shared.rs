//! What the caps that cards share hold back: everything that would be bought, in the order of time, against what is in the
//! record and what would be bought before.

use std::collections::BTreeSet;

use super::{Entry, Told};
use crate::commands::view::View;
use crate::daemon::shared_limits;
use crate::domain::card::{Card, Name};
use crate::domain::foresee::What;
use crate::domain::limits;
use crate::domain::money::Money;
use crate::domain::shared_limits::Counted;
use crate::domain::time::{Secs, UnixTime};
use crate::store::{Connection, StoreError};

/// A purchase that would be made.
struct Planned<'a> {
    at: UnixTime,
    price: Money,
    card: &'a Card,
    account: Name,
}

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
            let counted = counted(view, conn, &planned, (card, &account), limits::cycle_of(&plan), at)?;
            match crate::domain::shared_limits::crossed(&counted, plan.price) {
                Some(gate) => {
                    foreseen.what = What::OverLimit(plan, gate);
                    held.insert(entry.card.clone());
                }
                None => planned.push(Planned { at, price: plan.price, card, account }),
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

fn counted(
    view: &View,
    conn: &Connection,
    planned: &[Planned<'_>],
    (card, account): (&Card, &Name),
    cycle: Secs,
    at: UnixTime,
) -> Result<Vec<Counted>, StoreError> {
    let mut all = shared_limits::counted(conn, &view.config.rules, (card, account), cycle, None, at)?;
    for counted in &mut all {
        for before in planned.iter().filter(|one| counted.limit.concerns(&one.account, &one.card.labels)) {
            if at.since(before.at) < Secs::DAY {
                counted.day.add(before.price);
            }
            if at.since(before.at) < cycle {
                counted.cycle.add(before.price);
            }
            if before.at >= shared_limits::month_start(at) {
                counted.month.add(before.price);
            }
        }
    }
    Ok(all)
}
