//! The heart: what is to be done about one card. The daemon acts on this, `explain` and `plan` show it; all call this
//! one function, so what is shown is what will happen.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::attempt::StateName;
use super::card::Card;
use super::keeping;
use super::ledger::{Closed, Ledger, OpenAttempt, Pace};
use super::limits;
use super::notice::{Due, NextStep};
use super::operator::RefusalKind;
use super::pace;
use super::reading::{CLOCK_TOLERANCE, CardState, Oddity, Reading, Recent, Renewable};
use super::retry;
use super::rule::{Mode, Rule, Trigger};
use super::sellers::AnotherWay;
use super::time::{Secs, UnixTime, day_after, day_start};
use super::trigger::{self, Check};
use super::warn;

/// What a rule concluded about a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing is needed.
    Fine,
    /// A renewal is needed and may begin now.
    Renew,
    /// A renewal is needed; a person is asked first.
    Ask,
    /// A renewal is needed but must wait.
    Wait {
        /// Until when.
        until: UnixTime,
    },
    /// A renewal is needed, but this card is only watched.
    Watch,
    /// A renewal is under way.
    Open {
        /// Its state.
        state: StateName,
    },
    /// A renewal is needed, and something a person must change stands in the way.
    Blocked,
    /// A renewal is needed, but the card is paused or the renewal is skipped.
    Paused,
    /// A renewal is needed, but not in the rule's dates.
    OutsideDates,
    /// The card cannot be renewed.
    CannotRenew,
    /// There is no reading that makes sense, or the last one is too old to act upon.
    Stale,
    /// The card is no longer kept.
    Retired,
}

impl Verdict {
    /// The word in the record.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Renew => "renew",
            Self::Ask => "ask",
            Self::Wait { .. } => "wait",
            Self::Watch => "watch",
            Self::Open { .. } => "open",
            Self::Blocked => "blocked",
            Self::Paused => "paused",
            Self::OutsideDates => "outside_dates",
            Self::CannotRenew => "cannot_renew",
            Self::Stale => "stale",
            Self::Retired => "retired",
        }
    }
}

/// Something that led to the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A condition of the rule, what it saw, and whether it holds.
    Checked(Check),
    /// No rule applies to the card.
    NoRule,
    /// The rule's mode is `watch`.
    OnlyWatches,
    /// The card is paused.
    IsPaused {
        /// Until when, if it ends by itself.
        until: Option<UnixTime>,
    },
    /// A person said to leave this renewal out.
    SkipsThis,
    /// The operator says the card is one-off, or has taken it back.
    NotRenewable(CardState, Renewable),
    /// The card is in a state in which it is not topped up unless the rule says so.
    NotInUse(CardState),
    /// The rule begins later.
    NotBegun {
        /// When.
        from: UnixTime,
    },
    /// The rule's last day is over.
    IsOver {
        /// When it ended.
        until: UnixTime,
    },
    /// Attempts of this cycle failed; the next may begin then.
    WaitsAfterFailure {
        /// When.
        until: UnixTime,
    },
    /// Nothing more is tried in this cycle.
    TriedOut {
        /// How many orders were sent.
        attempts: u32,
    },
    /// The newest answer makes no sense.
    Odd(Oddity),
    /// There is no reading yet.
    NoReading,
    /// The last reading is too old.
    TooOld {
        /// How old.
        age: Secs,
    },
    /// The records were restored and the card is not confirmed yet.
    Quarantined,
    /// The operator fails too often at present.
    BreakerOpen {
        /// Until when it is left alone.
        until: UnixTime,
    },
    /// The rule's hours begin later.
    OutsideHours {
        /// When.
        opens: UnixTime,
    },
    /// The last purchase may be missing in what the operator answers from its cache.
    JustBought {
        /// When it surely shows.
        until: UnixTime,
    },
    /// Enough was bought within 24 hours.
    DayLimit {
        /// When the next is allowed.
        until: UnixTime,
    },
    /// An attempt is open.
    AttemptOpen(OpenAttempt),
}

/// Something to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Begin a renewal.
    Renew {
        /// The condition that fired.
        trigger: Trigger,
        /// Whether a person must agree first.
        ask: bool,
    },
    /// Tell people.
    Warn {
        /// What is due.
        due: Due,
        /// What the daemon will do.
        next: NextStep,
    },
    /// The card was renewed, by whomever: count a new cycle.
    NewCycle,
}

/// What was concluded, why, and what is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// The conclusion.
    pub verdict: Verdict,
    /// What led to it, in the order in which it was considered.
    pub reasons: Vec<Reason>,
    /// What is to be done now.
    pub actions: Vec<Action>,
    /// When the card is read again.
    pub next_poll_at: UnixTime,
}

/// A reading this many polling intervals old is too old to act upon.
const STALE_AFTER_POLLS: i64 = 3;

/// What is to be done about `card` at `now`.
#[must_use]
pub fn assess(card: &Card, rule: Option<&Rule>, readings: &Recent, ledger: &Ledger, now: UnixTime) -> Assessment {
    let counted = keeping::counted_in(card, rule, readings, ledger.bought_at, now);
    let seen = counted.as_ref().unwrap_or(readings);
    let mut reasons = Vec::new();
    let (verdict, fired) = conclude(card, rule, seen, ledger, now, &mut reasons);
    let mut actions = Vec::new();
    if let Some(reading) = &readings.latest {
        // What an order of ours may have changed begins a cycle when that order is done; before anything has left, a
        // renewal is somebody else's.
        let ours = ledger.open.is_some_and(|open| open.state != StateName::Planned);
        let renewed = readings.previous.as_ref().is_some_and(|old| super::cycle::renewed(old, reading));
        // Nor was it counted where our order turned out to be nothing afterwards.
        let beside_ours = || ledger.before_last.as_ref().is_some_and(|before| super::cycle::gained(before, reading));
        if !ours && (renewed || beside_ours()) {
            actions.push(Action::NewCycle);
        }
        match (verdict, fired) {
            (Verdict::Renew, Some(trigger)) => actions.push(Action::Renew { trigger, ask: false }),
            (Verdict::Ask, Some(trigger)) => actions.push(Action::Renew { trigger, ask: true }),
            _ => {}
        }
        if let Some(reading) = seen.latest.as_ref().filter(|_| verdict != Verdict::Retired) {
            warn::warnings(card, rule, reading, ledger, verdict, fired, now, &mut actions);
        }
    }
    let next_poll_at = pace::next_poll(card.id, rule, seen, ledger, verdict, now);
    Assessment { verdict, reasons, actions, next_poll_at }
}

/// The conclusion and the condition that fired, if one did. Goes from what makes every question idle to what only
/// delays.
fn conclude(
    card: &Card,
    rule: Option<&Rule>,
    readings: &Recent,
    ledger: &Ledger,
    now: UnixTime,
    reasons: &mut Vec<Reason>,
) -> (Verdict, Option<Trigger>) {
    if card.retired_at.is_some() {
        return (Verdict::Retired, None);
    }
    let Some(reading) = &readings.latest else {
        reasons.push(readings.odd.map_or(Reason::NoReading, |(_, oddity)| Reason::Odd(oddity)));
        return (Verdict::Stale, None);
    };
    let fired = fired(rule, reading, now, reasons);
    if let Some(open) = ledger.open {
        reasons.push(Reason::AttemptOpen(open));
        return (Verdict::Open { state: open.state }, fired);
    }
    let Some((rule, _)) = rule.zip(fired) else { return (Verdict::Fine, fired) };
    let verdict = unwanted(card, rule, now, reasons)
        .or_else(|| impossible(rule, reading, reasons))
        .or_else(|| untrusted(readings, reading, ledger, now, reasons))
        .or_else(|| used_up(ledger, now, reasons))
        .or_else(|| delayed(rule, ledger, &card.zone, now, reasons))
        .unwrap_or(if rule.mode == Mode::Ask { Verdict::Ask } else { Verdict::Renew });
    (verdict, fired)
}

/// Checks the rule's conditions and notes each.
fn fired(rule: Option<&Rule>, reading: &Reading, now: UnixTime, reasons: &mut Vec<Reason>) -> Option<Trigger> {
    let Some(rule) = rule else {
        reasons.push(Reason::NoRule);
        return None;
    };
    let checks: Vec<Check> = trigger::checks(&rule.renew_when, reading, now).collect();
    reasons.extend(checks.iter().map(|check| Reason::Checked(*check)));
    trigger::firing(rule.renew_when.join, &checks)
}

/// People do not want it bought: by mode, pause, skip, or the rule's dates.
fn unwanted(card: &Card, rule: &Rule, now: UnixTime, reasons: &mut Vec<Reason>) -> Option<Verdict> {
    if rule.mode == Mode::Watch {
        reasons.push(Reason::OnlyWatches);
        return Some(Verdict::Watch);
    }
    if let Some(pause) = card.wishes.pause.as_ref().filter(|pause| pause.holds(now)) {
        reasons.push(Reason::IsPaused { until: pause.until });
        return Some(Verdict::Paused);
    }
    if card.wishes.skip_next {
        reasons.push(Reason::SkipsThis);
        return Some(Verdict::Paused);
    }
    if let Some(from) = rule.from.map(|day| day_start(day, &card.zone)).filter(|from| now < *from) {
        reasons.push(Reason::NotBegun { from });
        return Some(Verdict::OutsideDates);
    }
    let until = rule.until.map(|day| day_after(day, &card.zone)).filter(|until| now >= *until)?;
    reasons.push(Reason::IsOver { until });
    Some(Verdict::OutsideDates)
}

/// The card does not allow it.
fn impossible(rule: &Rule, reading: &Reading, reasons: &mut Vec<Reason>) -> Option<Verdict> {
    if reading.state == CardState::Recycled || reading.renewable == Renewable::OneOff {
        reasons.push(Reason::NotRenewable(reading.state, reading.renewable));
        return Some(Verdict::CannotRenew);
    }
    match reading.state {
        CardState::Active | CardState::Finished | CardState::Expired => None,
        CardState::NotInstalled | CardState::NotActive if rule.even_inactive => None,
        // A state that the operator does not tell stands in nobody's way.
        CardState::Unknown => None,
        CardState::NotInstalled | CardState::NotActive | CardState::Blocked | CardState::Recycled => {
            reasons.push(Reason::NotInUse(reading.state));
            Some(Verdict::Blocked)
        }
    }
}

/// Whether a reading is too old to act upon, or to be shown as fresh.
#[must_use]
pub fn is_old(reading: &Reading, pace: Pace, now: UnixTime) -> bool {
    let oldest = pace.every.max(pace.at_most).0.saturating_mul(STALE_AFTER_POLLS);
    // A clock at the end of time is broken, and no wait would lie ahead of it.
    now.since(reading.read_at).0 > oldest || now == UnixTime::MAX
}

/// What is known is not good enough to spend money on.
fn untrusted(
    readings: &Recent,
    reading: &Reading,
    ledger: &Ledger,
    now: UnixTime,
    reasons: &mut Vec<Reason>,
) -> Option<Verdict> {
    if let Some((_, oddity)) = readings.odd.filter(|(at, _)| *at >= reading.read_at) {
        reasons.push(Reason::Odd(oddity));
        return Some(Verdict::Stale);
    }
    if is_old(reading, ledger.pace, now) {
        reasons.push(Reason::TooOld { age: now.since(reading.read_at) });
        return Some(Verdict::Stale);
    }
    if ledger.quarantined {
        reasons.push(Reason::Quarantined);
        return Some(Verdict::Blocked);
    }
    None
}

/// Attempts of this cycle that came to nothing: how long to wait, or that enough was tried.
fn used_up(ledger: &Ledger, now: UnixTime, reasons: &mut Vec<Reason>) -> Option<Verdict> {
    let last = ledger.closed.last()?;
    let tried = ledger.tried();
    let wait = match last.how {
        // Another code, or none, may be tried at once: nothing else is wrong.
        Closed::Refused(RefusalKind::BadCode) => retry::next_attempt(tried).map(|_| Secs::MINUTE),
        // So may a way to pay or a seller that has not refused yet; each comes once, so this ends.
        Closed::Refused(_) | Closed::WalletShort if ledger.another_way == AnotherWay::Untried => Some(Secs::MINUTE),
        Closed::WalletShort if ledger.another_way == AnotherWay::TriedLess => Some(Secs::MINUTE),
        Closed::Refused(_) if ledger.another_way == AnotherWay::TriedLess => {
            retry::next_attempt(tried).map(|_| Secs::MINUTE)
        }
        Closed::Refused(kind) if !kind.can_pass() => None,
        Closed::Abandoned { by_person: true } | Closed::Reversed => None,
        Closed::Abandoned { by_person: false } | Closed::WalletShort => Some(retry::after_gates(ledger.held())),
        Closed::Refused(_) | Closed::Absent => retry::next_attempt(tried),
    };
    let Some(wait) = wait else {
        reasons.push(Reason::TriedOut { attempts: tried });
        return Some(Verdict::Blocked);
    };
    let until = last.at.plus(wait);
    // An end that lies ahead was told by a clock that has been set back since; waiting for it would be waiting for days.
    let told_ahead = last.at.since(now) > CLOCK_TOLERANCE;
    (now < until && !told_ahead).then(|| {
        reasons.push(Reason::WaitsAfterFailure { until });
        Verdict::Wait { until }
    })
}

/// It may be bought, but not yet.
fn delayed(rule: &Rule, ledger: &Ledger, zone: &TimeZone, now: UnixTime, reasons: &mut Vec<Reason>) -> Option<Verdict> {
    if let Some(until) = ledger.breaker_until.filter(|until| now < *until) {
        reasons.push(Reason::BreakerOpen { until });
        return Some(Verdict::Wait { until });
    }
    if let Some(until) = ledger.shows_after(now) {
        reasons.push(Reason::JustBought { until });
        return Some(Verdict::Wait { until });
    }
    let until = limits::day_limit_until(&rule.limits, &ledger.spends, now);
    if now < until {
        reasons.push(Reason::DayLimit { until });
        return Some(Verdict::Wait { until });
    }
    let opens = rule.hours?.next_open(now, zone);
    (now < opens).then(|| {
        reasons.push(Reason::OutsideHours { opens });
        Verdict::Wait { until: opens }
    })
}

#[cfg(test)]
mod tests;
