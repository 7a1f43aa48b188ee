//! What counts against the caps that cards share, in the moment in which an order may leave or is previewed.

use crate::config::Rules;
use crate::domain::attempt::AttemptId;
use crate::domain::card::{Card, Name};
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
