//! English for what was decided and why, one line each: for `explain`, `status` and the log. What people are sent is
//! written elsewhere, in their own languages.

mod ahead;
mod choices;

use std::fmt::{self, Display, Formatter};

pub use self::ahead::{Collecting, DataUse};
use super::assess::{Reason, Verdict};
use super::attempt::{Question, StateName};
use super::gates::{ClockFault, Gate, Period, WALLET_SHORT_WORDS};
use super::operator::{Doubt, RefusalKind};
use super::reading::{AllowanceKind, CardState, EndKind, Oddity, Renewable};
use super::rule::{Condition, Trigger};
use super::time::Secs;
use super::trigger::{Check, Observed};

/// A length of time as people say it: its two largest units, such as `5d 3h`; cut, never rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken(pub Secs);

impl Display for Spoken {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let total = self.0.0.unsigned_abs();
        let units = [(86_400, 24, 3_600, 'd', 'h'), (3_600, 60, 60, 'h', 'm'), (60, 60, 1, 'm', 's')];
        for (size, of_next, next, name, next_name) in units {
            if total >= size {
                let rest = total / next % of_next;
                return if rest == 0 {
                    write!(f, "{}{name}", total / size)
                } else {
                    write!(f, "{}{name} {rest}{next_name}", total / size)
                };
            }
        }
        write!(f, "{total}s")
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fine => "fine: nothing is needed",
            Self::Renew => "due: a renewal begins now",
            Self::Ask => "due: a person is asked first",
            Self::Wait { until } => return write!(f, "due: the renewal waits until {until}"),
            Self::Watch => "due, but this card is only watched",
            Self::Open { state } => return write!(f, "a renewal is under way: {state}"),
            Self::Blocked => "due, but something that a person must change stands in the way",
            Self::Paused => "due, but paused or left out",
            Self::OutsideDates => "due, but outside the rule's dates",
            Self::CannotRenew => "this card cannot be renewed",
            Self::Stale => "nothing is known that is fresh enough to act upon",
            Self::Retired => "retired: the card is no longer kept",
        })
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checked(check) => check.fmt(f),
            Self::NoRule => f.write_str("no rule applies to the card; it is only read"),
            Self::OnlyWatches => f.write_str("the rule's mode is watch: nothing is bought"),
            Self::IsPaused { until: Some(until) } => write!(f, "the card is paused until {until}"),
            Self::IsPaused { until: None } => f.write_str("the card is paused until a person resumes it"),
            Self::SkipsThis => f.write_str("a person said to leave this renewal out"),
            Self::NotRenewable(state, renewable) => {
                write!(f, "the operator says that the card is {state} and {renewable}")
            }
            Self::NotInUse(state) => write!(f, "the card is {state}, so it is not topped up"),
            Self::NotBegun { from } => write!(f, "the rule begins at {from}"),
            Self::IsOver { until } => write!(f, "the rule's last day was over at {until}"),
            Self::WaitsAfterFailure { until } => write!(f, "the last attempt failed; the next may begin at {until}"),
            Self::TriedOut { attempts: 0 } => {
                f.write_str("the renewal was turned down; nothing more is tried in this cycle")
            }
            Self::TriedOut { attempts: 1 } => f.write_str("one order failed; nothing more is tried in this cycle"),
            Self::TriedOut { attempts } => write!(f, "{attempts} orders failed; nothing more is tried in this cycle"),
            Self::Odd(oddity) => write!(f, "the newest answer makes no sense: {oddity}"),
            Self::NoReading => f.write_str("the card has not been read yet"),
            Self::TooOld { age } => write!(f, "the last reading is {} old, too old to act upon", Spoken(*age)),
            Self::Quarantined => f.write_str("the records were restored and the card is not confirmed yet"),
            Self::BreakerOpen { until } => write!(f, "the operator fails too often and is left alone until {until}"),
            Self::OutsideHours { opens } => write!(f, "the rule's hours begin at {opens}"),
            Self::JustBought { until } => {
                write!(
                    f,
                    "something was just bought, and the operator may show the card as it was before until {until}"
                )
            }
            Self::DayLimit { until } => write!(f, "enough was bought within 24 hours; the next is allowed at {until}"),
            Self::AttemptOpen(open) if open.asked => {
                write!(f, "attempt {} is {}; a person was asked", open.id.0, open.state)
            }
            Self::AttemptOpen(open) => write!(f, "attempt {} is {}", open.id.0, open.state),
        }
    }
}

impl Display for Check {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Trigger { condition, line } = self.trigger;
        let (observed, not) = (self.observed, if self.holds { "" } else { "not " });
        match observed {
            Observed::NotTold => write!(f, "the operator does not tell {}", Subject(condition))?,
            Observed::Unlimited => write!(f, "{} has no limit", Subject(condition))?,
            Observed::NextWaits => f.write_str("another plan waits on the card and begins when this one ends")?,
            Observed::Ends(left) if left.0 < 0 => {
                write!(f, "{} ended {} ago, {not}{condition}", ending(condition), Spoken(left))?;
            }
            Observed::Ends(_) => write!(f, "{} {observed}, {not}{condition}", ending(condition))?,
            Observed::Data(_)
            | Observed::DataShare(_)
            | Observed::Voice(_)
            | Observed::Sms(_)
            | Observed::Credit(_) => write!(f, "{} {observed} is {not}{condition}", Subject(condition))?,
        }
        write!(f, " (rules.toml:{line})")
    }
}

/// What a condition is about.
struct Subject(Condition);

impl Display for Subject {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Condition::DataBelow(_) => "data left",
            Condition::DataShareBelow(_) => "share of data left",
            Condition::VoiceBelow(_) => "call time left",
            Condition::SmsBelow(_) => "texts left",
            Condition::CreditBelow(_) => "credit left",
            Condition::PlanEndsWithin(_) => "when the plan ends",
            Condition::CreditEndsWithin(_) => "when the credit is lost",
            Condition::NumberEndsWithin(_) => "when the number is taken back",
        })
    }
}

/// The thing whose end a condition watches; of an amount, its plan's.
const fn ending(condition: Condition) -> &'static str {
    match condition {
        Condition::CreditEndsWithin(_) | Condition::CreditBelow(_) => "credit",
        Condition::NumberEndsWithin(_) => "number",
        Condition::PlanEndsWithin(_)
        | Condition::DataBelow(_)
        | Condition::DataShareBelow(_)
        | Condition::VoiceBelow(_)
        | Condition::SmsBelow(_) => "plan",
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::DataBelow(limit) => write!(f, "below {limit}"),
            Self::DataShareBelow(limit) => write!(f, "below {limit}"),
            Self::VoiceBelow(limit) => write!(f, "below {}", Spoken(*limit)),
            Self::SmsBelow(limit) => write!(f, "below {limit}"),
            Self::CreditBelow(limit) => write!(f, "below {limit}"),
            Self::PlanEndsWithin(lead) | Self::CreditEndsWithin(lead) | Self::NumberEndsWithin(lead) => {
                write!(f, "within {lead}")
            }
        }
    }
}

impl Display for Observed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(left) => left.fmt(f),
            Self::DataShare(share) => share.fmt(f),
            Self::Voice(left) if left.0 < 0 => write!(f, "-{}", Spoken(*left)),
            Self::Voice(left) => Spoken(*left).fmt(f),
            Self::Sms(left) => left.fmt(f),
            Self::Credit(left) => left.fmt(f),
            Self::Ends(left) if left.0 < 0 => write!(f, "ended {} ago", Spoken(*left)),
            Self::Ends(left) => write!(f, "ends in {}", Spoken(*left)),
            Self::Unlimited => f.write_str("no limit"),
            Self::NextWaits => f.write_str("another plan waits"),
            Self::NotTold => f.write_str("not told"),
        }
    }
}

impl Display for Oddity {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Negative(kind) => write!(f, "{kind} below zero"),
            Self::MoreThanTotal(kind) => write!(f, "more {kind} left than there was"),
            Self::FarEnd(kind) => write!(f, "the {kind}'s end is more than 30 years ahead"),
            Self::ShrinkingEnd(kind) => write!(f, "the {kind}'s end moved back by more than 12 hours"),
            Self::MissingEnd(kind) => write!(f, "the {kind}'s end is told no more"),
            Self::FromTheFuture => f.write_str("it holds for a time ahead of ours"),
            Self::OlderThanBefore => f.write_str("it is older than the answer before it"),
        }
    }
}

impl Display for AllowanceKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data => f.write_str("data"),
            Self::Voice => f.write_str("call time"),
            Self::Sms => f.write_str("texts"),
            Self::Credit(currency) => write!(f, "credit in {currency}"),
        }
    }
}

impl Display for EndKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plan => "plan",
            Self::Credit => "credit",
            Self::Number => "number",
        })
    }
}

impl Display for CardState {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "in a state that is not told",
            Self::NotInstalled => "not installed",
            Self::NotActive => "not active yet",
            Self::Active => "active",
            Self::Finished => "used up",
            Self::Expired => "expired",
            Self::Blocked => "blocked",
            Self::Recycled => "taken back",
        })
    }
}

impl Display for Renewable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yes => "renewable",
            Self::OneOff => "one-off: a new card is needed",
            Self::Unknown => "perhaps renewable",
        })
    }
}

impl Display for Gate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadingOld => f.write_str("the card has not been read within the last ten minutes"),
            Self::ReadingsDisagree => f.write_str("the last two readings do not agree"),
            Self::ClockUntrusted(fault) => write!(f, "the clock cannot be trusted: {fault}"),
            Self::AttemptOpen => f.write_str("another purchase for this card is not settled yet"),
            Self::OverPerRenewal { limit, price } => write!(f, "{price} is more than one renewal may cost, {limit}"),
            Self::OverPerMonth { limit, spent, price } => {
                write!(f, "{price} on top of {spent} would be more than a month may cost, {limit}")
            }
            Self::OverPerDay { limit } => write!(f, "within 24 hours only {limit} may be bought"),
            Self::OverPerCycle { limit, spent, price } => {
                write!(f, "{price} on top of {spent} would be more than one length of the plan may cost, {limit}")
            }
            Self::CycleCountReached { limit } => write!(f, "within one length of the plan only {limit} may be bought"),
            Self::OverShared { line, per, limit, spent, price } => {
                write!(
                    f,
                    "{price} on top of {spent} would be over {limit} {per}, which cards share (rules.toml:{line})"
                )
            }
            Self::SharedCountReached { line, per, limit } => {
                write!(f, "{limit} purchases {per} are made, as many as the cards share (rules.toml:{line})")
            }
            Self::LimitCurrency { limit, price } => {
                write!(f, "a price of {price} cannot be compared with a limit of {limit}; state a [[rate]]")
            }
            Self::WalletShort { balance, price } => {
                write!(f, "{WALLET_SHORT_WORDS} {balance}, less than the price, {price}")
            }
            Self::PriceMoved { decided, now } => write!(f, "the price is now {now}; {decided} was decided"),
            Self::PlanChanged => f.write_str("the plan is gone, or no longer what was decided"),
            Self::DiskFull => f.write_str("too little space is free on the disk"),
            Self::Quarantined => f.write_str("the records were restored and the card is not confirmed yet"),
            Self::BreakerOpen => f.write_str("the operator fails too often at present"),
            Self::Paused => f.write_str("the card is paused"),
            Self::RecordDamaged => f.write_str("damage was found in the record"),
            Self::OutsideRule => f.write_str("the rule's dates or hours do not allow it now"),
            Self::CardState => f.write_str("the card's state does not allow a purchase"),
        }
    }
}

impl Display for Period {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Day => "in 24 hours",
            Self::Month => "a month",
            Self::Cycle => "within one length of the plan",
        })
    }
}

impl Display for ClockFault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OffOperator => "it differs from the operator's by more than five minutes",
            Self::BeforeRecord => "it lies before something that is already on record",
            Self::BeforeBuild => "it lies before this program was built",
            Self::Unconfirmed => "no operator has confirmed it within the last ten minutes",
        })
    }
}

impl Display for RefusalKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WalletEmpty => "the wallet does not hold enough",
            Self::PaymentDeclined => "this way to pay was declined",
            Self::PlanGone => "the plan is not sold for this card any more",
            Self::Passing => "the operator cannot sell it at present",
            Self::CardDead => "the card can never be renewed",
            Self::CardData => "the card's data is wrong or incomplete",
            Self::NotActive => "the card is not installed or not active",
            Self::Access => "the operator refuses our access",
            Self::BadCode => "the discount code is not valid",
            Self::Other => "the operator refused",
        })
    }
}

impl Display for Doubt {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "no answer came in time",
            Self::Broken => "the connection broke before the answer",
            Self::ServerError => "the operator reported an error of its own",
            Self::Redirected => "the operator pointed to another address, which is never followed",
            Self::Throttled => "the operator said that there were too many requests",
            Self::Unreadable => "the answer could not be read",
            Self::Unproven => "the answer says success, but not for this order",
            Self::UnlistedCode => "the answer is not one that is known to be final",
            Self::AlreadyUsed => "the operator knows this order's reference already",
            Self::ProcessEnded => "the program ended while the order was on its way",
            Self::PendingLost => "the operator worked on the order, but never finished it",
        })
    }
}

impl Display for Question {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoEvidence => "the operator cannot be asked about the order, and the card shows no change",
            Self::KeyWindowOver => "the operator no longer honours the order's key and cannot be asked about it",
            Self::EndNear => "the card ends soon, and it is still not known whether the order was taken",
            Self::Contradiction => "the card changed in a way that this order does not explain",
            Self::EffectMissing => "the operator took the order, but nothing shows on the card",
            Self::Restored => "the records were restored, and this order may have gone differently",
        })
    }
}

impl Display for StateName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Planned => "planned, nothing was sent yet",
            Self::Sending => "on its way to the operator",
            Self::Pending => "being worked on by the operator",
            Self::Accepted => "taken, its effect is still to be seen",
            Self::Unknown => "not known to be taken or not",
            Self::Human => "waiting for a person to decide",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Absent => "known never to have arrived",
            Self::Abandoned => "given up",
            Self::Reversed => "taken back by the operator",
        })
    }
}

#[cfg(test)]
mod tests;
