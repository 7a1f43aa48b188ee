//! Words for closed sets: why a gate is closed, why an operator refused, why a result is not known. Each `match` names
//! every variant, so a new one asks for its words here.

use super::caps;
use super::voice::{Voice, cut};
use crate::domain::attempt::{Question, StateName};
use crate::domain::gates::{ClockFault, Gate};
use crate::domain::notice::FailedWhy;
use crate::domain::operator::{Doubt, Refusal, RefusalKind};
use crate::domain::reading::EndKind;
use crate::domain::rule::Condition;

/// How much of an operator's own words is shown.
const QUOTE_MAX: usize = 160;

/// Which of the three ends.
pub(super) fn which_end(voice: &Voice, which: EndKind) -> String {
    match which {
        EndKind::Plan => say!(voice, "end-plan"),
        EndKind::Credit => say!(voice, "end-credit"),
        EndKind::Number => say!(voice, "end-number"),
    }
}

/// A condition of a rule that holds.
pub(super) fn low(voice: &Voice, condition: Condition) -> String {
    match condition {
        Condition::DataBelow(size) => say!(voice, "low-data", size),
        Condition::DataShareBelow(share) => say!(voice, "low-data-share", share),
        Condition::VoiceBelow(length) => say!(voice, "low-calls", length = voice.length(length)),
        Condition::SmsBelow(count) => say!(voice, "low-texts", count),
        Condition::CreditBelow(money) => say!(voice, "low-credit", money),
        Condition::PlanEndsWithin(length) => say!(voice, "low-plan-ends", length = voice.length(length)),
        Condition::CreditEndsWithin(length) => say!(voice, "low-credit-ends", length = voice.length(length)),
        Condition::NumberEndsWithin(length) => say!(voice, "low-number-ends", length = voice.length(length)),
    }
}

/// Why a purchase failed: a few words for subjects and text messages.
pub(super) fn failed_briefly(voice: &Voice, why: &FailedWhy) -> String {
    match why {
        FailedWhy::Refused(refusal) => refused_briefly(voice, refusal.kind),
        FailedWhy::NotSent(_) => say!(voice, "failed-brief-not-sent"),
        FailedWhy::NeverArrived => say!(voice, "failed-brief-never-arrived"),
        FailedWhy::Reversed(_) => say!(voice, "failed-brief-reversed"),
        FailedWhy::Held(gate) => held_briefly(voice, *gate),
        FailedWhy::NoPlan => say!(voice, "failed-brief-no-plan"),
        FailedWhy::Unanswered => say!(voice, "failed-brief-unanswered"),
    }
}

/// Why a purchase failed: a whole sentence. An operator's code never stands alone.
pub(super) fn failed(voice: &Voice, why: &FailedWhy) -> String {
    match why {
        FailedWhy::Refused(refusal) => refused(voice, refusal),
        FailedWhy::NotSent(what) => say!(voice, "failed-not-sent", what = cut(what, QUOTE_MAX)),
        FailedWhy::NeverArrived => say!(voice, "failed-never-arrived"),
        FailedWhy::Reversed(what) => say!(voice, "failed-reversed", what = cut(what, QUOTE_MAX)),
        FailedWhy::Held(gate) => held(voice, *gate),
        FailedWhy::Unanswered => say!(voice, "failed-unanswered"),
        FailedWhy::NoPlan => say!(voice, "failed-no-plan"),
    }
}

fn refused(voice: &Voice, refusal: &Refusal) -> String {
    let meaning = match refusal.kind {
        RefusalKind::WalletEmpty => say!(voice, "refused-wallet-empty"),
        RefusalKind::PaymentDeclined => say!(voice, "refused-payment-declined"),
        RefusalKind::PlanGone => say!(voice, "refused-plan-gone"),
        RefusalKind::Passing => say!(voice, "refused-passing"),
        RefusalKind::CardDead => say!(voice, "refused-card-dead"),
        RefusalKind::CardData => say!(voice, "refused-card-data"),
        RefusalKind::NotActive => say!(voice, "refused-not-active"),
        RefusalKind::Access => say!(voice, "refused-access"),
        RefusalKind::BadCode => say!(voice, "refused-bad-code"),
        RefusalKind::Other => say!(voice, "refused-other"),
    };
    say!(voice, "refused", meaning)
}

/// What the operator itself said about a refusal, if anything.
pub(super) fn said(voice: &Voice, why: &FailedWhy) -> Option<String> {
    let FailedWhy::Refused(refusal) = why else { return None };
    let (text, code) = (cut(&refusal.text, QUOTE_MAX), cut(&refusal.code, 40));
    match (text.is_empty(), code.is_empty()) {
        (true, true) => None,
        (true, false) => Some(say!(voice, "said-code", code)),
        (false, true) => Some(say!(voice, "said-text", text)),
        (false, false) => Some(say!(voice, "said-text-and-code", text, code)),
    }
}

fn refused_briefly(voice: &Voice, kind: RefusalKind) -> String {
    match kind {
        RefusalKind::WalletEmpty => say!(voice, "refused-brief-wallet-empty"),
        RefusalKind::PaymentDeclined => say!(voice, "refused-brief-payment-declined"),
        RefusalKind::PlanGone => say!(voice, "refused-brief-plan-gone"),
        RefusalKind::Passing => say!(voice, "refused-brief-passing"),
        RefusalKind::CardDead => say!(voice, "refused-brief-card-dead"),
        RefusalKind::CardData => say!(voice, "refused-brief-card-data"),
        RefusalKind::NotActive => say!(voice, "refused-brief-not-active"),
        RefusalKind::Access => say!(voice, "refused-brief-access"),
        RefusalKind::BadCode => say!(voice, "refused-brief-bad-code"),
        RefusalKind::Other => say!(voice, "refused-brief-other"),
    }
}

/// Why nothing was ordered: a whole sentence with the numbers.
fn held(voice: &Voice, gate: Gate) -> String {
    match gate {
        Gate::ReadingOld => say!(voice, "held-reading-old"),
        Gate::ReadingsDisagree => say!(voice, "held-readings-disagree"),
        Gate::ClockUntrusted(fault) => clock(voice, fault),
        Gate::AttemptOpen => say!(voice, "held-attempt-open"),
        Gate::OverPerRenewal { limit, price } => say!(voice, "held-over-per-renewal", price, limit),
        Gate::OverPerMonth { limit, spent, price } => say!(voice, "held-over-per-month", price, limit, spent),
        Gate::OverPerDay { limit } => say!(voice, "held-over-per-day", limit),
        Gate::OverPerCycle { limit, spent, price } => caps::cycle_sum(voice, limit, spent, price),
        Gate::CycleCountReached { limit } => caps::cycle_count(voice, limit),
        Gate::OverShared { line, per, limit, spent, price } => {
            caps::shared_sum(voice, line, per, limit, (spent, price))
        }
        Gate::SharedCountReached { line, per, limit } => caps::shared_count(voice, line, per, limit),
        Gate::LimitCurrency { limit, price } => caps::other_currency(voice, limit, price),
        Gate::WalletShort { balance, price } => say!(voice, "held-wallet-short", balance, price),
        Gate::PriceMoved { decided, now } => say!(voice, "held-price-moved", decided, now),
        Gate::PlanChanged => say!(voice, "held-plan-changed"),
        Gate::DiskFull => say!(voice, "held-disk-full"),
        Gate::RecordDamaged => say!(voice, "held-record-damaged"),
        Gate::Quarantined => say!(voice, "held-quarantined"),
        Gate::BreakerOpen => say!(voice, "held-breaker-open"),
        Gate::Paused => say!(voice, "held-paused"),
        Gate::OutsideRule => say!(voice, "held-outside-rule"),
        Gate::CardState => say!(voice, "held-card-state"),
    }
}

fn clock(voice: &Voice, fault: ClockFault) -> String {
    match fault {
        ClockFault::OffOperator => say!(voice, "clock-off-operator"),
        ClockFault::BeforeRecord => say!(voice, "clock-before-record"),
        ClockFault::BeforeBuild => say!(voice, "clock-before-build"),
        ClockFault::Unconfirmed => say!(voice, "clock-unconfirmed"),
    }
}

fn held_briefly(voice: &Voice, gate: Gate) -> String {
    match gate {
        Gate::ReadingOld => say!(voice, "held-brief-reading-old"),
        Gate::ReadingsDisagree => say!(voice, "held-brief-readings-disagree"),
        Gate::ClockUntrusted(_) => say!(voice, "held-brief-clock-untrusted"),
        Gate::AttemptOpen => say!(voice, "held-brief-attempt-open"),
        Gate::OverPerRenewal { limit, .. } => say!(voice, "held-brief-over-per-renewal", limit),
        Gate::OverPerMonth { limit, .. } => say!(voice, "held-brief-over-per-month", limit),
        Gate::OverPerDay { limit } => say!(voice, "held-brief-over-per-day", limit),
        Gate::OverPerCycle { limit, .. } => say!(voice, "held-brief-over-per-cycle", limit),
        Gate::CycleCountReached { limit } => say!(voice, "held-brief-cycle-count-reached", limit),
        Gate::OverShared { limit, .. } => say!(voice, "held-brief-over-shared", limit),
        Gate::SharedCountReached { limit, .. } => say!(voice, "held-brief-shared-count-reached", limit),
        Gate::LimitCurrency { .. } => say!(voice, "held-brief-limit-currency"),
        Gate::WalletShort { balance, .. } => say!(voice, "held-brief-wallet-short", balance),
        Gate::PriceMoved { now, .. } => say!(voice, "held-brief-price-moved", now),
        Gate::PlanChanged => say!(voice, "held-brief-plan-changed"),
        Gate::DiskFull => say!(voice, "held-brief-disk-full"),
        Gate::RecordDamaged => say!(voice, "held-brief-record-damaged"),
        Gate::Quarantined => say!(voice, "held-brief-quarantined"),
        Gate::BreakerOpen => say!(voice, "held-brief-breaker-open"),
        Gate::Paused => say!(voice, "held-brief-paused"),
        Gate::OutsideRule => say!(voice, "held-brief-outside-rule"),
        Gate::CardState => say!(voice, "held-brief-card-state"),
    }
}

/// Why the result of an order is not known.
pub(super) fn doubt(voice: &Voice, doubt: Doubt) -> String {
    match doubt {
        Doubt::TimedOut => say!(voice, "doubt-timed-out"),
        Doubt::Broken => say!(voice, "doubt-broken"),
        Doubt::ServerError => say!(voice, "doubt-server-error"),
        Doubt::Redirected => say!(voice, "doubt-redirected"),
        Doubt::Throttled => say!(voice, "doubt-throttled"),
        Doubt::Unreadable => say!(voice, "doubt-unreadable"),
        Doubt::Unproven => say!(voice, "doubt-unproven"),
        Doubt::UnlistedCode => say!(voice, "doubt-unlisted-code"),
        Doubt::AlreadyUsed => say!(voice, "doubt-already-used"),
        Doubt::ProcessEnded => say!(voice, "doubt-process-ended"),
        Doubt::PendingLost => say!(voice, "doubt-pending-lost"),
    }
}

/// Why a person is asked what became of an order.
pub(super) fn question(voice: &Voice, question: Question) -> String {
    match question {
        Question::NoEvidence => say!(voice, "question-no-evidence"),
        Question::KeyWindowOver => say!(voice, "question-key-window-over"),
        Question::EndNear => say!(voice, "question-end-near"),
        Question::Contradiction => say!(voice, "question-contradiction"),
        Question::EffectMissing => say!(voice, "question-effect-missing"),
        Question::Restored => say!(voice, "question-restored"),
    }
}
/// Where a purchase stands.
pub(super) fn attempt_state(voice: &Voice, state: StateName) -> String {
    match state {
        StateName::Planned => say!(voice, "state-planned"),
        StateName::Sending | StateName::Pending => say!(voice, "state-on-its-way"),
        StateName::Accepted => say!(voice, "state-accepted"),
        StateName::Unknown | StateName::Human => say!(voice, "state-unknown"),
        StateName::Done => say!(voice, "state-done"),
        StateName::Refused => say!(voice, "state-refused"),
        StateName::Absent => say!(voice, "state-absent"),
        StateName::Abandoned => say!(voice, "state-abandoned"),
        StateName::Reversed => say!(voice, "state-reversed"),
    }
}
