//! The gates before a purchase: each must be open in the last moment before anything is sent.

use serde::{Deserialize, Serialize};

use super::money::Money;
use super::reading::{CLOCK_TOLERANCE, Reading, WOBBLE};
use super::rule::Line;
use super::time::{Secs, UnixTime};

/// A reading older than this does not open the first gate.
pub const READING_MAX_AGE: Secs = Secs::minutes(10);
/// Less free space than this closes the sixth gate: 64 MiB.
pub const FREE_DISK_MIN_BYTES: u64 = 64 << 20;

/// How the words of [`Gate::WalletShort`] begin: the record keeps a gate's words, and this one is told from others there.
pub const WALLET_SHORT_WORDS: &str = "the wallet holds";

/// A closed gate, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// G1: no reading, or one that is too old.
    ReadingOld,
    /// G1: two readings in a row do not agree.
    ReadingsDisagree,
    /// G2: the clock cannot be trusted.
    ClockUntrusted(ClockFault),
    /// G3: another attempt is open, or the effect of the last purchase is not visible yet.
    AttemptOpen,
    /// G4: one purchase may not cost this much.
    OverPerRenewal {
        /// The limit.
        limit: Money,
        /// The price.
        price: Money,
    },
    /// G4: the month's limit would be crossed.
    OverPerMonth {
        /// The limit.
        limit: Money,
        /// What is spent or reserved already.
        spent: Money,
        /// The price.
        price: Money,
    },
    /// G4: enough purchases within 24 hours.
    OverPerDay {
        /// The limit.
        limit: u32,
    },
    /// G4: the limit of one length of the plan would be crossed.
    OverPerCycle {
        /// The limit.
        limit: Money,
        /// What is spent or reserved already.
        spent: Money,
        /// The price.
        price: Money,
    },
    /// G4: enough purchases within one length of the plan.
    CycleCountReached {
        /// The limit.
        limit: u32,
    },
    /// G4: a cap that several cards share would be crossed.
    OverShared {
        /// Where it stands in rules.toml.
        line: Line,
        /// For which time it holds.
        per: Period,
        /// The limit.
        limit: Money,
        /// What is spent already, in the limit's currency.
        spent: Money,
        /// The price.
        price: Money,
    },
    /// G4: enough purchases for the cards that share a cap.
    SharedCountReached {
        /// Where it stands in rules.toml.
        line: Line,
        /// For which time it holds.
        per: Period,
        /// The limit.
        limit: u32,
    },
    /// G4: price and limit are in different currencies.
    LimitCurrency {
        /// The limit.
        limit: Money,
        /// The price.
        price: Money,
    },
    /// G4: the wallet holds less than the price.
    WalletShort {
        /// What it holds.
        balance: Money,
        /// The price.
        price: Money,
    },
    /// G5: the price is not the one that was previewed.
    PriceMoved {
        /// The price that was decided.
        decided: Money,
        /// The price now.
        now: Money,
    },
    /// G5: the plan is gone, or is another than was decided.
    PlanChanged,
    /// G6: too little free space on the disk.
    DiskFull,
    /// G6: damage was found in the record.
    RecordDamaged,
    /// G7: the records were restored and the card is not confirmed yet.
    Quarantined,
    /// G8: the operator fails too often at present.
    BreakerOpen,
    /// G8: the card is paused.
    Paused,
    /// G8: the rule's dates or hours do not allow it now.
    OutsideRule,
    /// The card's state does not allow a purchase.
    CardState,
}

impl Gate {
    /// Whether waiting may open it, so that the attempt is tried again without a word.
    #[must_use]
    pub const fn passes_by_itself(self) -> bool {
        match self {
            Self::ReadingOld | Self::ReadingsDisagree | Self::AttemptOpen | Self::BreakerOpen | Self::OutsideRule => {
                true
            }
            Self::ClockUntrusted(_)
            | Self::OverPerRenewal { .. }
            | Self::OverPerMonth { .. }
            | Self::OverPerDay { .. }
            | Self::OverPerCycle { .. }
            | Self::CycleCountReached { .. }
            | Self::OverShared { .. }
            | Self::SharedCountReached { .. }
            | Self::LimitCurrency { .. }
            | Self::WalletShort { .. }
            | Self::PriceMoved { .. }
            | Self::PlanChanged
            | Self::DiskFull
            | Self::RecordDamaged
            | Self::Quarantined
            | Self::Paused
            | Self::CardState => false,
        }
    }

    /// A steady word for the record and for telling reasons apart.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ReadingOld => "reading_old",
            Self::ReadingsDisagree => "readings_disagree",
            Self::ClockUntrusted(_) => "clock_untrusted",
            Self::AttemptOpen => "attempt_open",
            Self::OverPerRenewal { .. } => "over_per_renewal",
            Self::OverPerMonth { .. } => "over_per_month",
            Self::OverPerDay { .. } => "over_per_day",
            Self::OverPerCycle { .. } => "over_per_cycle",
            Self::CycleCountReached { .. } => "cycle_count",
            Self::OverShared { .. } => "over_shared",
            Self::SharedCountReached { .. } => "shared_count",
            Self::LimitCurrency { .. } => "limit_currency",
            Self::WalletShort { .. } => "wallet_short",
            Self::PriceMoved { .. } => "price_moved",
            Self::PlanChanged => "plan_changed",
            Self::DiskFull => "disk_full",
            Self::RecordDamaged => "record_damaged",
            Self::Quarantined => "quarantined",
            Self::BreakerOpen => "breaker_open",
            Self::Paused => "paused",
            Self::OutsideRule => "outside_rule",
            Self::CardState => "card_state",
        }
    }
}

/// The time for which a shared cap holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Any 24 hours.
    Day,
    /// A calendar month, in UTC.
    Month,
    /// The length of the plan that is bought, as limits count it.
    Cycle,
}

/// Why the clock cannot be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockFault {
    /// It differs from the operator's by more than five minutes.
    OffOperator,
    /// It lies before an instant that is already in the record.
    BeforeRecord,
    /// It lies before the day this program was built.
    BeforeBuild,
    /// No operator has told its time within the last ten minutes.
    Unconfirmed,
}

/// What is known about the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockEvidence {
    /// Our clock when the operator's answer came, and the operator's `Date` in it.
    pub operator: Option<(UnixTime, UnixTime)>,
    /// The latest instant in the record.
    pub last_recorded: UnixTime,
    /// When this program was built.
    pub built_at: UnixTime,
}

/// G2: whether `now` may be believed.
#[must_use]
pub fn clock_fault(now: UnixTime, evidence: &ClockEvidence) -> Option<ClockFault> {
    if now < evidence.built_at {
        return Some(ClockFault::BeforeBuild);
    }
    if evidence.last_recorded.since(now) > CLOCK_TOLERANCE {
        return Some(ClockFault::BeforeRecord);
    }
    match evidence.operator {
        None => Some(ClockFault::Unconfirmed),
        // A clock that was right then may have jumped since.
        Some((ours, _)) if now.since(ours).0.abs() > READING_MAX_AGE.0 => Some(ClockFault::Unconfirmed),
        Some((ours, theirs)) if ours.since(theirs).0.abs() > CLOCK_TOLERANCE.0 => Some(ClockFault::OffOperator),
        Some(_) => None,
    }
}

/// G1: a fresh reading that agrees with the one before it: ends within 12 hours and not shrinking.
#[must_use]
pub fn reading_gate(latest: Option<&Reading>, previous: Option<&Reading>, now: UnixTime) -> Option<Gate> {
    let (Some(latest), Some(previous)) = (latest, previous) else { return Some(Gate::ReadingOld) };
    if now.since(latest.read_at) > READING_MAX_AGE || latest.read_at > now {
        return Some(Gate::ReadingOld);
    }
    let ends = |reading: &Reading| [reading.plan_ends, reading.credit_ends, reading.number_ends];
    let agree = ends(latest).into_iter().zip(ends(previous)).all(|pair| match pair {
        (Some(new), Some(old)) => new.at.since(old.at).0.abs() <= WOBBLE.0,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    });
    (!agree || latest.state != previous.state).then_some(Gate::ReadingsDisagree)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reading::CardState;
    use crate::domain::testing::{NOW, usd};
    use crate::domain::time::End;

    #[test]
    fn the_clock_is_believed_within_five_minutes_of_a_fresh_witness() {
        let evidence = ClockEvidence { operator: Some((NOW, NOW)), last_recorded: NOW, built_at: NOW };
        let fault = |evidence: ClockEvidence| clock_fault(NOW, &evidence);
        let built = |secs| ClockEvidence { built_at: NOW.plus(Secs(secs)), ..evidence };
        let recorded = |secs| ClockEvidence { last_recorded: NOW.plus(Secs(secs)), ..evidence };
        let told = |secs| ClockEvidence { operator: Some((NOW, NOW.plus(Secs(secs)))), ..evidence };
        let heard = |secs: i64| {
            let then = NOW.minus(Secs(secs));
            ClockEvidence { operator: Some((then, then)), ..evidence }
        };
        for (evidence, expected) in [
            (built(-1), None),
            (built(0), None),
            (built(1), Some(ClockFault::BeforeBuild)),
            (recorded(300), None),
            (recorded(301), Some(ClockFault::BeforeRecord)),
            (recorded(-1_000_000), None),
            (told(300), None),
            (told(-300), None),
            (told(301), Some(ClockFault::OffOperator)),
            (told(-301), Some(ClockFault::OffOperator)),
            (heard(600), None),
            (heard(601), Some(ClockFault::Unconfirmed)),
            (heard(-600), None),
            (heard(-601), Some(ClockFault::Unconfirmed)),
            (ClockEvidence { operator: None, ..evidence }, Some(ClockFault::Unconfirmed)),
        ] {
            assert_eq!(fault(evidence), expected, "{evidence:?}");
        }
        let ends_of_time =
            ClockEvidence { operator: Some((UnixTime::MIN, UnixTime::MAX)), last_recorded: UnixTime::MAX, ..evidence };
        assert!(clock_fault(UnixTime::MIN, &ends_of_time).is_some());
        assert!(clock_fault(UnixTime::MAX, &ends_of_time).is_some());
    }

    #[test]
    fn a_reading_opens_its_gate_for_ten_minutes_and_never_ahead_of_its_time() {
        let reading = |secs: i64| Reading::empty(NOW.plus(Secs(secs)), CardState::Active);
        for (secs, expected) in [(0, None), (-600, None), (-601, Some(Gate::ReadingOld)), (1, Some(Gate::ReadingOld))] {
            assert_eq!(reading_gate(Some(&reading(secs)), Some(&reading(-999)), NOW), expected, "{secs}");
        }
        assert_eq!(reading_gate(None, None, NOW), Some(Gate::ReadingOld));
        assert_eq!(reading_gate(Some(&reading(0)), None, NOW), Some(Gate::ReadingOld), "one alone proves nothing");
    }

    #[test]
    fn two_readings_agree_within_twelve_hours_on_every_end_and_on_the_state() {
        let plain = Reading::empty(NOW, CardState::Active);
        let end = |secs: i64| Some(End::at(NOW.plus(Secs::days(9)).plus(Secs(secs))));
        let fields: [fn(&mut Reading, Option<End>); 3] = [
            |reading, end| reading.plan_ends = end,
            |reading, end| reading.credit_ends = end,
            |reading, end| reading.number_ends = end,
        ];
        let half_day = 12 * 3_600;
        for set in fields {
            for (old, new, agrees) in [
                (end(0), end(0), true),
                (end(0), end(half_day), true),
                (end(0), end(-half_day), true),
                (end(0), end(half_day + 1), false),
                (end(0), end(-half_day - 1), false),
                (None, None, true),
                (end(0), None, false),
                (None, end(0), false),
            ] {
                let (mut latest, mut previous) = (plain.clone(), plain.clone());
                set(&mut latest, new);
                set(&mut previous, old);
                let gate = reading_gate(Some(&latest), Some(&previous), NOW);
                assert_eq!(gate, (!agrees).then_some(Gate::ReadingsDisagree), "{old:?} {new:?}");
            }
        }
        let blocked = Reading { state: CardState::Blocked, ..plain.clone() };
        assert_eq!(reading_gate(Some(&blocked), Some(&plain), NOW), Some(Gate::ReadingsDisagree));
    }

    #[test]
    fn codes_are_distinct_and_waiting_opens_only_what_time_can_mend() {
        let money = usd(1);
        let gates = [
            (Gate::ReadingOld, true),
            (Gate::ReadingsDisagree, true),
            (Gate::AttemptOpen, true),
            (Gate::BreakerOpen, true),
            (Gate::OutsideRule, true),
            (Gate::ClockUntrusted(ClockFault::OffOperator), false),
            (Gate::OverPerRenewal { limit: money, price: money }, false),
            (Gate::OverPerMonth { limit: money, spent: money, price: money }, false),
            (Gate::OverPerDay { limit: 1 }, false),
            (Gate::OverPerCycle { limit: money, spent: money, price: money }, false),
            (Gate::CycleCountReached { limit: 1 }, false),
            (Gate::OverShared { line: 1, per: Period::Day, limit: money, spent: money, price: money }, false),
            (Gate::SharedCountReached { line: 1, per: Period::Month, limit: 1 }, false),
            (Gate::LimitCurrency { limit: money, price: money }, false),
            (Gate::WalletShort { balance: money, price: money }, false),
            (Gate::PriceMoved { decided: money, now: money }, false),
            (Gate::PlanChanged, false),
            (Gate::DiskFull, false),
            (Gate::RecordDamaged, false),
            (Gate::Quarantined, false),
            (Gate::Paused, false),
            (Gate::CardState, false),
        ];
        let mut codes: Vec<&str> = gates.iter().map(|(gate, _)| gate.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), gates.len());
        for (gate, passes) in gates {
            assert_eq!(gate.passes_by_itself(), passes, "{}", gate.code());
        }
    }
}
