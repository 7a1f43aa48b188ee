//! What counts against the caps that cards share, in the moment in which an order may leave or is previewed.

use crate::config::Rules;
use crate::domain::attempt::AttemptId;
use crate::domain::card::{Card, Name};
use crate::domain::money::Money;
pub use crate::domain::shared_limits::month_start;
use crate::domain::shared_limits::{Counted, Spent};
use crate::domain::time::{Secs, UnixTime};
use crate::store::{Connection, StoreError, attempts};

/// The caps that concern a purchase by `account` for `card` of a plan with this [cycle](crate::domain::limits::cycle_of), with everything that was or may have been bought, but for
/// the attempt `this`. In the transaction that lets an order leave, nothing comes between the count and the order.
///
/// # Errors
/// When the record cannot be read: limits are never judged by half.
pub fn counted(
    conn: &Connection,
    rules: &Rules,
    (card, account): (&Card, &Name),
    cycle: Secs,
    this: Option<AttemptId>,
    now: UnixTime,
) -> Result<Vec<Counted>, StoreError> {
    let concern = rules.shared_limits.iter().filter(|limit| limit.concerns(account, &card.labels));
    let count = concern.map(|limit| {
        let since = |since| attempts::shared(conn, limit, since, this);
        // A purchase of exactly a day ago is over.
        let day = since(now.minus(Secs::DAY).plus(Secs(1)))?;
        let counts_cycles = limit.per_cycle.is_some() || limit.renewals_per_cycle.is_some();
        let cycle = if counts_cycles { since(now.minus(cycle).plus(Secs(1)))? } else { Spent::default() };
        Ok(Counted { limit: limit.clone(), day, month: since(month_start(now))?, cycle })
    });
    count.collect()
}

/// A purchase that is to be expected before another.
#[derive(Clone, Debug)]
pub struct Coming {
    /// When.
    pub at: UnixTime,
    /// At which price.
    pub price: Money,
    /// The account that would sell.
    pub account: Name,
    /// The labels of its card.
    pub labels: Vec<Name>,
}

/// As [`counted`] at a time to come, with what is to be expected before.
///
/// # Errors
/// When the record cannot be read.
pub fn counted_then(
    conn: &Connection,
    rules: &Rules,
    before: &[Coming],
    (card, account): (&Card, &Name),
    cycle: Secs,
    at: UnixTime,
) -> Result<Vec<Counted>, StoreError> {
    let mut all = counted(conn, rules, (card, account), cycle, None, at)?;
    for counted in &mut all {
        for before in before.iter().filter(|one| counted.limit.concerns(&one.account, &one.labels)) {
            if at.since(before.at) < Secs::DAY {
                counted.day.add(before.price);
            }
            if at.since(before.at) < cycle {
                counted.cycle.add(before.price);
            }
            if before.at >= month_start(at) {
                counted.month.add(before.price);
            }
        }
    }
    Ok(all)
}
