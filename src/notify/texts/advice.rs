//! What a person can do about a purchase that failed.

use super::voice::{Voice, cut};
use crate::domain::gates::Gate;
use crate::domain::notice::FailedWhy;
use crate::domain::operator::{Refusal, RefusalKind};

/// What to do, in the order in which to do it.
pub(super) fn for_failure(voice: &Voice, why: &FailedWhy, support: Option<&String>) -> Vec<String> {
    match why {
        FailedWhy::Refused(refusal) => for_refusal(voice, refusal, support),
        FailedWhy::Held(_)
        | FailedWhy::NotSent(_)
        | FailedWhy::NeverArrived
        | FailedWhy::Reversed(_)
        | FailedWhy::NoPlan
        | FailedWhy::Unanswered => vec![for_other(voice, why)],
    }
}

/// Whether it usually goes away without anybody's doing.
pub(super) const fn passes_by_itself(why: &FailedWhy) -> bool {
    match why {
        FailedWhy::Refused(refusal) => matches!(refusal.kind, RefusalKind::Passing),
        FailedWhy::Held(gate) => passes(*gate),
        FailedWhy::NotSent(_) | FailedWhy::NeverArrived => true,
        FailedWhy::Reversed(_) | FailedWhy::NoPlan | FailedWhy::Unanswered => false,
    }
}

const fn passes(gate: Gate) -> bool {
    match gate {
        Gate::ReadingOld
        | Gate::ReadingsDisagree
        | Gate::AttemptOpen
        | Gate::BreakerOpen
        | Gate::OutsideRule
        | Gate::Quarantined => true,
        Gate::ClockUntrusted(_)
        | Gate::OverPerRenewal { .. }
        | Gate::OverPerMonth { .. }
        | Gate::OverPerDay { .. }
        | Gate::OverPerCycle { .. }
        | Gate::CycleCountReached { .. }
        | Gate::OverShared { .. }
        | Gate::SharedCountReached { .. }
        | Gate::LimitCurrency { .. }
        | Gate::WalletShort { .. }
        | Gate::PriceMoved { .. }
        | Gate::PlanChanged
        | Gate::DiskFull
        | Gate::RecordDamaged
        | Gate::Paused
        | Gate::CardState => false,
    }
}

fn for_other(voice: &Voice, why: &FailedWhy) -> String {
    match why {
        FailedWhy::Refused(_) => String::new(),
        FailedWhy::Held(gate) => for_gate(voice, *gate),
        FailedWhy::NotSent(_) => say!(voice, "advice-check-network"),
        FailedWhy::NeverArrived => say!(voice, "advice-order-anew"),
        FailedWhy::Reversed(_) => say!(voice, "advice-ask-whether-money-came-back"),
        FailedWhy::Unanswered => say!(voice, "advice-buy-by-hand"),
        FailedWhy::NoPlan => say!(voice, "advice-name-fitting-plan"),
    }
}

/// The ladder of a refusal, in the order in which it is climbed: the card's data, the payment, the operator, then whom to
/// call. Rungs that cannot be the cause are left out; the last one always stands.
fn for_refusal(voice: &Voice, refusal: &Refusal, support: Option<&String>) -> Vec<String> {
    let kind = refusal.kind;
    let rungs = [card_rung(voice, kind), payment_rung(voice, kind), operator_rung(voice, kind)];
    let mut ladder: Vec<String> = rungs.into_iter().flatten().collect();
    ladder.push(call_rung(voice, refusal, support));
    ladder
}

fn card_rung(voice: &Voice, kind: RefusalKind) -> Option<String> {
    match kind {
        RefusalKind::CardDead => Some(say!(voice, "advice-card-dead")),
        RefusalKind::CardData => Some(say!(voice, "advice-card-data")),
        RefusalKind::NotActive => Some(say!(voice, "advice-card-not-active")),
        RefusalKind::Other => Some(say!(voice, "advice-card-other")),
        RefusalKind::WalletEmpty
        | RefusalKind::PaymentDeclined
        | RefusalKind::PlanGone
        | RefusalKind::Passing
        | RefusalKind::Access
        | RefusalKind::BadCode => None,
    }
}

fn payment_rung(voice: &Voice, kind: RefusalKind) -> Option<String> {
    match kind {
        RefusalKind::WalletEmpty => Some(say!(voice, "advice-payment-wallet-empty")),
        RefusalKind::PaymentDeclined => Some(say!(voice, "advice-payment-declined")),
        RefusalKind::BadCode => Some(say!(voice, "advice-payment-bad-code")),
        RefusalKind::Other => Some(say!(voice, "advice-payment-other")),
        RefusalKind::PlanGone
        | RefusalKind::Passing
        | RefusalKind::CardDead
        | RefusalKind::CardData
        | RefusalKind::NotActive
        | RefusalKind::Access => None,
    }
}

fn operator_rung(voice: &Voice, kind: RefusalKind) -> Option<String> {
    match kind {
        RefusalKind::PlanGone => Some(say!(voice, "advice-operator-plan-gone")),
        RefusalKind::Passing => Some(say!(voice, "advice-operator-passing")),
        RefusalKind::Access => Some(say!(voice, "advice-operator-access")),
        RefusalKind::Other => Some(say!(voice, "advice-operator-other")),
        RefusalKind::WalletEmpty
        | RefusalKind::PaymentDeclined
        | RefusalKind::CardDead
        | RefusalKind::CardData
        | RefusalKind::NotActive
        | RefusalKind::BadCode => None,
    }
}

/// Whom to call, and what to say there.
fn call_rung(voice: &Voice, refusal: &Refusal, support: Option<&String>) -> String {
    let code = cut(&refusal.code, 40);
    let whom = support.map_or_else(|| say!(voice, "advice-support"), |support| cut(support, 80));
    if code.is_empty() {
        return say!(voice, "advice-ask-support", whom);
    }
    say!(voice, "advice-ask-support-with-code", whom, code)
}

fn for_gate(voice: &Voice, gate: Gate) -> String {
    match gate {
        Gate::ReadingOld
        | Gate::ReadingsDisagree
        | Gate::AttemptOpen
        | Gate::BreakerOpen
        | Gate::OutsideRule
        | Gate::Quarantined => say!(voice, "advice-passes-by-itself"),
        Gate::ClockUntrusted(_) => say!(voice, "advice-look-at-clock"),
        Gate::OverShared { .. } | Gate::SharedCountReached { .. } => say!(voice, "advice-raise-shared-limit"),
        Gate::OverPerRenewal { .. }
        | Gate::OverPerMonth { .. }
        | Gate::OverPerDay { .. }
        | Gate::OverPerCycle { .. }
        | Gate::CycleCountReached { .. }
        | Gate::LimitCurrency { .. } => say!(voice, "advice-change-limits"),
        Gate::WalletShort { .. } => say!(voice, "advice-put-money-in"),
        Gate::PriceMoved { .. } | Gate::PlanChanged => say!(voice, "advice-look-at-plans"),
        Gate::DiskFull => say!(voice, "advice-make-room"),
        Gate::RecordDamaged => say!(voice, "advice-restore-copy"),
        Gate::Paused => say!(voice, "advice-end-pause"),
        Gate::CardState => say!(voice, "advice-look-at-card"),
    }
}
