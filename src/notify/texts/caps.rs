//! Which cap a purchase would cross, where several cards or a plan's length share it.

use super::voice::Voice;
use crate::domain::gates::Period;
use crate::domain::money::Money;

/// A cap on what one length of the plan costs.
pub(super) fn cycle_sum(voice: &Voice, limit: Money, spent: Money, price: Money) -> String {
    say!(voice, "held-sum-cycle", price, limit, spent)
}

/// A cap on how often is bought within one length of the plan.
pub(super) fn cycle_count(voice: &Voice, limit: u32) -> String {
    say!(voice, "held-count-cycle", limit)
}

/// A cap on money that cards share.
pub(super) fn shared_sum(
    voice: &Voice,
    line: u32,
    per: Period,
    limit: Money,
    (spent, price): (Money, Money),
) -> String {
    match per {
        Period::Day => say!(voice, "held-sum-shared-day", price, limit, spent, line),
        Period::Month => say!(voice, "held-sum-shared-month", price, limit, spent, line),
        Period::Cycle => say!(voice, "held-sum-shared-cycle", price, limit, spent, line),
    }
}

/// A count that cards share.
pub(super) fn shared_count(voice: &Voice, line: u32, per: Period, limit: u32) -> String {
    match per {
        Period::Day => say!(voice, "held-count-shared-day", limit, line),
        Period::Month => say!(voice, "held-count-shared-month", limit, line),
        Period::Cycle => say!(voice, "held-count-shared-cycle", limit, line),
    }
}

/// A price that cannot be held against a limit.
pub(super) fn other_currency(voice: &Voice, limit: Money, price: Money) -> String {
    say!(voice, "held-other-currency", price, limit)
}
