//! Each variant says something, in words.

use super::*;
use crate::domain::attempt::AskWhy;
use crate::domain::attempt::AttemptId;
use crate::domain::choose::Passed;
use crate::domain::data::{DataSize, Percent};
use crate::domain::ledger::OpenAttempt;
use crate::domain::money::{Currency, Money};
use crate::domain::testing::{NOW, usd};

fn check(condition: Condition, observed: Observed, holds: bool) -> Check {
    Check { trigger: Trigger { condition, line: 14 }, observed, holds }
}

fn all<T: Display>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

fn conditions() -> [Condition; 8] {
    let lead = Secs::hours(36);
    [
        Condition::DataBelow(DataSize(500_000_000)),
        Condition::DataShareBelow(Percent(20)),
        Condition::VoiceBelow(Secs::minutes(10)),
        Condition::SmsBelow(5),
        Condition::CreditBelow(usd(5)),
        Condition::PlanEndsWithin(lead),
        Condition::CreditEndsWithin(lead),
        Condition::NumberEndsWithin(lead),
    ]
}

fn observations() -> [Observed; 9] {
    [
        Observed::Data(DataSize(348_000_000)),
        Observed::DataShare(Percent(3)),
        Observed::Voice(Secs(-90)),
        Observed::Sms(4),
        Observed::Credit(usd(-1)),
        Observed::Ends(Secs(-7_200)),
        Observed::Unlimited,
        Observed::NextWaits,
        Observed::NotTold,
    ]
}

fn oddities() -> Vec<Oddity> {
    let kinds = [AllowanceKind::Data, AllowanceKind::Voice, AllowanceKind::Sms, AllowanceKind::Credit(Currency::USD)];
    let amounts = kinds.into_iter().flat_map(|kind| [Oddity::Negative(kind), Oddity::MoreThanTotal(kind)]);
    let ends = [EndKind::Plan, EndKind::Credit, EndKind::Number];
    let ends =
        ends.into_iter().flat_map(|kind| [Oddity::FarEnd(kind), Oddity::ShrinkingEnd(kind), Oddity::MissingEnd(kind)]);
    amounts.chain(ends).chain([Oddity::FromTheFuture, Oddity::OlderThanBefore]).collect()
}

fn reasons() -> Vec<Reason> {
    use CardState::{Active, Blocked, Expired, Finished, NotActive, NotInstalled, Recycled, Unknown};
    let open = |asked| OpenAttempt { id: AttemptId(12), state: StateName::Planned, asked };
    let states = [Unknown, NotInstalled, NotActive, Active, Finished, Expired, Blocked, Recycled];
    let renewable = [Renewable::Yes, Renewable::OneOff, Renewable::Unknown];
    let mut reasons = vec![
        Reason::NoRule,
        Reason::OnlyWatches,
        Reason::IsPaused { until: None },
        Reason::IsPaused { until: Some(NOW) },
        Reason::SkipsThis,
        Reason::NotBegun { from: NOW },
        Reason::IsOver { until: NOW },
        Reason::WaitsAfterFailure { until: NOW },
        Reason::TriedOut { attempts: 0 },
        Reason::TriedOut { attempts: 1 },
        Reason::TriedOut { attempts: 3 },
        Reason::Odd(Oddity::FromTheFuture),
        Reason::NoReading,
        Reason::TooOld { age: Secs::hours(20) },
        Reason::Quarantined,
        Reason::BreakerOpen { until: NOW },
        Reason::OutsideHours { opens: NOW },
        Reason::JustBought { until: NOW },
        Reason::DayLimit { until: NOW },
        Reason::AttemptOpen(open(false)),
        Reason::AttemptOpen(open(true)),
    ];
    reasons.extend(states.map(Reason::NotInUse));
    reasons.extend(renewable.map(|renewable| Reason::NotRenewable(Active, renewable)));
    for condition in conditions() {
        for observed in observations() {
            reasons.extend([true, false].map(|holds| Reason::Checked(check(condition, observed, holds))));
        }
    }
    reasons
}

fn verdicts() -> Vec<Verdict> {
    let mut verdicts = vec![
        Verdict::Fine,
        Verdict::Renew,
        Verdict::Ask,
        Verdict::Wait { until: NOW },
        Verdict::Watch,
        Verdict::Blocked,
        Verdict::Paused,
        Verdict::OutsideDates,
        Verdict::CannotRenew,
        Verdict::Stale,
        Verdict::Retired,
    ];
    verdicts.extend(StateName::ALL.map(|state| Verdict::Open { state }));
    verdicts
}

fn gates() -> Vec<Gate> {
    let (limit, price) = (usd(15), usd(20));
    let faults = [ClockFault::OffOperator, ClockFault::BeforeRecord, ClockFault::BeforeBuild, ClockFault::Unconfirmed];
    let mut gates = vec![
        Gate::ReadingOld,
        Gate::ReadingsDisagree,
        Gate::AttemptOpen,
        Gate::OverPerRenewal { limit, price },
        Gate::OverPerMonth { limit, spent: usd(3), price },
        Gate::OverPerDay { limit: 1 },
        Gate::OverPerCycle { limit, spent: usd(3), price },
        Gate::CycleCountReached { limit: 2 },
        Gate::OverShared { line: 4, per: Period::Month, limit, spent: usd(3), price },
        Gate::SharedCountReached { line: 4, per: Period::Day, limit: 9 },
        Gate::LimitCurrency { limit, price: Money::new(1, Currency::EUR) },
        Gate::WalletShort { balance: usd(1), price },
        Gate::PriceMoved { decided: limit, now: price },
        Gate::PlanChanged,
        Gate::DiskFull,
        Gate::RecordDamaged,
        Gate::Quarantined,
        Gate::BreakerOpen,
        Gate::Paused,
        Gate::OutsideRule,
        Gate::CardState,
    ];
    gates.extend(faults.map(Gate::ClockUntrusted));
    gates
}

fn refusals() -> [RefusalKind; 10] {
    use RefusalKind::*;
    [WalletEmpty, PaymentDeclined, PlanGone, Passing, CardDead, CardData, NotActive, Access, BadCode, Other]
}

fn doubts() -> [Doubt; 11] {
    use Doubt::*;
    [
        TimedOut,
        Broken,
        ServerError,
        Redirected,
        Throttled,
        Unreadable,
        Unproven,
        UnlistedCode,
        AlreadyUsed,
        ProcessEnded,
        PendingLost,
    ]
}

fn questions() -> [Question; 6] {
    use Question::*;
    [NoEvidence, KeyWindowOver, EndNear, Contradiction, EffectMissing, Restored]
}

#[test]
fn every_variant_says_something_and_nothing_of_the_code_shows() {
    let sentences = [
        all(verdicts()),
        all(reasons()),
        all(conditions()),
        all(observations()),
        all(oddities()),
        all(gates()),
        all(refusals()),
        all(doubts()),
        all(questions()),
        all([AskWhy::Mode, AskWhy::Dearer { before: usd(3) }, AskWhy::Differs]),
        all([AskWhy::Above { limit: usd(3) }, AskWhy::NoRate { limit: usd(3) }]),
        all(StateName::ALL),
        all([
            Passed::NotOnSale,
            Passed::NoPlanKnown,
            Passed::OutlastsTrip,
            Passed::MostIsLeftOver,
            Passed::NotEnough,
            Passed::BoughtOnce,
        ]),
    ];
    for sentence in sentences.concat() {
        assert!(!sentence.is_empty());
        assert_eq!(sentence.trim(), sentence);
        for leftover in ["{", "}", "::", "Some(", "None", "_", "\"", "Secs", "  "] {
            assert!(!sentence.contains(leftover), "{leftover} in {sentence}");
        }
    }
}

#[test]
fn each_sentence_is_of_its_own() {
    for mut sentences in
        [all(verdicts()), all(oddities()), all(gates()), all(refusals()), all(doubts()), all(questions())]
    {
        let count = sentences.len();
        sentences.sort();
        sentences.dedup();
        assert_eq!(sentences.len(), count);
    }
}

#[test]
fn conditions_read_as_people_would_say_them() {
    let [data, share, voice, sms, credit, plan, _, number] = conditions();
    let days = Secs(5 * 86_400 + 3 * 3_600 + 59);
    for (condition, observed, holds, words) in [
        (data, Observed::Data(DataSize(348_000_000)), true, "data left 348 MB is below 500 MB"),
        (data, Observed::Data(DataSize(500_000_000)), false, "data left 500 MB is not below 500 MB"),
        (data, Observed::Unlimited, false, "data left has no limit"),
        (data, Observed::NotTold, false, "the operator does not tell data left"),
        (share, Observed::DataShare(Percent(3)), true, "share of data left 3% is below 20%"),
        (voice, Observed::Voice(Secs(599)), true, "call time left 9m 59s is below 10m"),
        (sms, Observed::Sms(5), false, "texts left 5 is not below 5"),
        (credit, Observed::Credit(usd(4)), true, "credit left 4.00 USD is below 5.00 USD"),
        (plan, Observed::Ends(days), false, "plan ends in 5d 3h, not within 36h"),
        (plan, Observed::Ends(Secs(-7_200)), true, "plan ended 2h ago, within 36h"),
        (number, Observed::Ends(Secs(0)), true, "number ends in 0s, within 36h"),
        (number, Observed::NotTold, false, "the operator does not tell when the number is taken back"),
    ] {
        let seen = Reason::Checked(check(condition, observed, holds)).to_string();
        assert_eq!(seen, format!("{words} (rules.toml:14)"));
    }
}

#[test]
fn lengths_are_said_in_two_units_and_never_rounded_up() {
    for (secs, words) in [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (61, "1m 1s"),
        (3_599, "59m 59s"),
        (3_600, "1h"),
        (86_399, "23h 59m"),
        (86_400, "1d"),
        (90_000, "1d 1h"),
        (-90_000, "1d 1h"),
        (i64::MIN, "106751991167300d 15h"),
    ] {
        assert_eq!(Spoken(Secs(secs)).to_string(), words);
    }
}
