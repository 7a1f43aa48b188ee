//! Raising a card's data limit, where money belongs to the account and no card is paid for by itself.
//!
//! Such a card stops at its limit and goes on once the limit is higher. The new limit is sent as an absolute value, so
//! that the same order sent twice sets the same limit. It is worked out from what the operator said last about the
//! card, and an order that was lost is looked for by comparing the limit with the one before it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::errors::{never, unknown};
use crate::domain::card::Card;
use crate::domain::data::DataSize;
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{Found, OperatorError, RefusalKind, SentOrder};
use crate::domain::plan::{Contents, Plan};

/// Bytes of one MB, as both operators that sell nothing but room count them.
pub(in crate::operators) const MEGABYTE: i64 = 1_000_000;
/// By how much a limit can be raised.
const RAISES: [(&str, i64); 4] = [
    ("limit+100MB", 100 * MEGABYTE),
    ("limit+500MB", 500 * MEGABYTE),
    ("limit+1GB", 1_000 * MEGABYTE),
    ("limit+5GB", 5_000 * MEGABYTE),
];
/// Before the bytes of a limit, where a limit stands as an id.
const ID_BEGINS: &str = "limit=";
/// So many cards are remembered; when more come, the next reading begins anew.
const CARDS_MAX: usize = 65_536;

/// What can be had for a card that has a limit: more room, which costs nothing by itself.
pub(in crate::operators) fn raises(currency: Currency) -> Vec<Plan> {
    let plan = |(id, bytes): &(&str, i64)| {
        let data = DataSize(bytes.unsigned_abs());
        Plan {
            id: (*id).to_owned(),
            name: format!("data limit raised by {data}; used data is charged to the account as it is used"),
            contents: Contents { data_bytes: Some(data.bytes()), ..Contents::default() },
            validity_secs: None,
            price: Money::zero(currency),
        }
    };
    RAISES.iter().map(plan).collect()
}

/// A card's limit, as the operator told it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::operators) struct CardLimit {
    /// The operator's own id of the card.
    pub(in crate::operators) id: String,
    /// The limit in bytes.
    pub(in crate::operators) limit: i64,
    /// What counts against it, in bytes; below zero while a plan's own data is not used up.
    pub(in crate::operators) used: i64,
    /// The unit in which the operator writes the limit. Where its size is not documented, a limit must be written in
    /// the unit that it has already: in another one, a raise could lower it.
    pub(in crate::operators) unit: &'static str,
}

impl CardLimit {
    /// The limit after this plan. Where more is used than the limit allows, the room is counted from what is used, so
    /// that it is room.
    ///
    /// # Errors
    /// The plan is none of ours.
    pub(in crate::operators) fn raised(&self, plan_id: &str) -> Result<i64, OperatorError> {
        let begun = self.used.saturating_add(MEGABYTE - 1).div_euclid(MEGABYTE).saturating_mul(MEGABYTE);
        let from = if self.used > self.limit { begun } else { self.limit };
        Ok(from.saturating_add(raise_of(plan_id)?))
    }

    /// What is left. Usage is counted after the fact and may pass the limit; nothing is left then, not less.
    pub(in crate::operators) fn left(&self) -> i64 {
        self.limit.saturating_sub(self.used).max(0)
    }
}

fn raise_of(plan_id: &str) -> Result<i64, OperatorError> {
    let raise = RAISES.iter().find(|(id, _)| *id == plan_id).map(|(_, bytes)| *bytes);
    raise.ok_or_else(|| never(RefusalKind::PlanGone, format!("`{plan_id}` is none of limit+100MB, +500MB, +1GB, +5GB")))
}

/// A limit as an id: of the thing on the card that a purchase changes, and of the order that set it.
pub(in crate::operators) fn limit_id(bytes: i64) -> String {
    format!("{ID_BEGINS}{bytes}")
}

fn limit_of(id: &str) -> Option<i64> {
    id.strip_prefix(ID_BEGINS)?.parse().ok()
}

/// What a look-up comes to when the card's limit is now `limit`, or there is none any more. A limit at or above ours
/// was set by our order, or by one that makes it superfluous.
///
/// # Errors
/// [`OperatorError::Unknown`] if nothing tells what our limit was.
pub(in crate::operators) fn found(limit: Option<i64>, order: &SentOrder) -> Result<Found, OperatorError> {
    let told = order.order_id.as_deref().and_then(limit_of);
    let before = || order.before.as_ref()?.assets.iter().find_map(|asset| limit_of(asset));
    let ours = match told {
        Some(ours) => ours,
        None => {
            let before = before().ok_or_else(|| unknown("what the card's limit was before the order is not known"))?;
            before.saturating_add(raise_of(&order.plan_id)?)
        }
    };
    match limit {
        Some(limit) if limit < ours => Ok(Found::Nothing),
        Some(_) | None => Ok(Found::Accepted { order_id: limit_id(ours), charged: None }),
    }
}

/// The limits of the cards that were read, by the ICCID that the owner gave.
#[derive(Debug, Default)]
pub(in crate::operators) struct Limits(Mutex<HashMap<String, CardLimit>>);

impl Limits {
    /// Remembers what was read; nothing, where the card has no limit.
    pub(in crate::operators) fn keep(&self, iccid: &str, limit: Option<CardLimit>) {
        // A thread that panicked here left a map that is still whole.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CARDS_MAX && !all.contains_key(iccid) {
            all.clear();
        }
        match limit {
            Some(limit) => drop(all.insert(iccid.to_owned(), limit)),
            None => drop(all.remove(iccid)),
        }
    }

    /// The limit from which an order starts.
    ///
    /// # Errors
    /// [`OperatorError::Later`] if the card was not read since the start.
    pub(in crate::operators) fn of(&self, iccid: &str) -> Result<CardLimit, OperatorError> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(iccid).cloned().ok_or_else(|| OperatorError::Later {
            retry_after: None,
            why: "the card's data limit is not known yet; it is read first".into(),
        })
    }

    /// The last look before an order: whether the limit is still the one that was read.
    ///
    /// # Errors
    /// [`OperatorError::Later`] if somebody changed it meanwhile; it is read again before anything is raised.
    pub(in crate::operators) fn unchanged(&self, iccid: &str, now: &CardLimit) -> Result<(), OperatorError> {
        let before = self.of(iccid).ok();
        self.keep(iccid, Some(now.clone()));
        match before {
            Some(before) if before.limit != now.limit => Err(OperatorError::Later {
                retry_after: None,
                why: format!(
                    "somebody changed the data limit of {} while it was looked at; it is read again",
                    DataSize(now.limit.unsigned_abs())
                ),
            }),
            Some(_) | None => Ok(()),
        }
    }
}

/// A card without a limit needs no raising.
pub(in crate::operators) fn no_limit(card: &Card, operator: &str) -> OperatorError {
    never(
        RefusalKind::NotActive,
        format!("{} has no data limit of its own at {operator}; set one there first, or let it run without", card.name),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attempt::Snapshot;
    use crate::domain::operator::OrderKey;
    use crate::domain::time::UnixTime;

    fn limit(limit: i64, used: i64) -> CardLimit {
        CardLimit { id: "a".into(), limit, used, unit: "MB" }
    }

    fn sent(before: Option<i64>, order_id: Option<&str>) -> SentOrder {
        SentOrder {
            key: OrderKey::new(1),
            order_id: order_id.map(str::to_owned),
            plan_id: "limit+100MB".into(),
            price: Money::zero(Currency::USD),
            before: before.map(|bytes| Snapshot { assets: vec![limit_id(bytes)], ..Snapshot::default() }),
            first_sent_at: UnixTime::clamped(1_800_000_000),
        }
    }

    #[test]
    fn room_is_counted_from_the_limit_or_from_what_is_used_beyond_it() {
        let raised = |bytes, used| limit(bytes, used).raised("limit+100MB").unwrap();
        assert_eq!(raised(1_000_000, 5), 101_000_000);
        assert_eq!(raised(1_000_000, 1_000_000), 101_000_000);
        assert_eq!(raised(1_000_000, 150_000_001), 251_000_000, "used beyond the limit, in whole MB");
        assert_eq!((limit(5, 7).left(), limit(7, 5).left()), (0, 2));
        assert!(limit(1, 1).raised("limit+2GB").is_err());
        let sold = raises(Currency::USD);
        assert!(sold.iter().all(|plan| plan.price == Money::zero(Currency::USD) && raise_of(&plan.id).is_ok()));
        assert_eq!(sold[0].name, "data limit raised by 100 MB; used data is charged to the account as it is used");
    }

    #[test]
    fn an_order_is_found_by_the_limit_and_by_nothing_else() {
        let accepted = |bytes| Ok(Found::Accepted { order_id: limit_id(bytes), charged: None });
        assert_eq!(found(Some(100_000_005), &sent(Some(5), None)), accepted(100_000_005));
        assert_eq!(found(Some(100_000_004), &sent(Some(5), None)), Ok(Found::Nothing));
        assert_eq!(found(None, &sent(Some(5), None)), accepted(100_000_005), "no limit is more than ours");
        assert_eq!(found(Some(9), &sent(None, Some("limit=9"))), accepted(9));
        assert_eq!(found(Some(8), &sent(None, Some("limit=9"))), Ok(Found::Nothing));
        assert!(found(Some(9), &sent(None, None)).is_err());
        assert!(found(Some(9), &sent(None, Some("another"))).is_err());
    }

    #[test]
    fn a_limit_that_somebody_changed_is_looked_at_again() {
        let limits = Limits::default();
        assert!(matches!(limits.of("1"), Err(OperatorError::Later { .. })));
        assert_eq!(limits.unchanged("1", &limit(5, 0)), Ok(()));
        assert_eq!(limits.unchanged("1", &limit(5, 3)), Ok(()));
        assert!(limits.unchanged("1", &limit(6, 3)).is_err());
        assert_eq!(limits.unchanged("1", &limit(6, 3)), Ok(()));
        limits.keep("1", None);
        assert!(limits.of("1").is_err());
    }
}
