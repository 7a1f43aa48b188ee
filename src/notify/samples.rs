//! Sample stories: at least one for each thing a message can say. `notice preview` shows them, and tests render all.

use crate::domain::attempt::{AskWhy, AttemptId, Question, Snapshot};
use crate::domain::card::Name;
use crate::domain::data::{DataSize, Percent};
use crate::domain::gates::{ClockFault, Gate, Period};
use crate::domain::money::{Currency, Money};
use crate::domain::notice::{Ask, CardFacts, Due, Event, FailedWhy, NextStep, NoticeKind, Settled, Story};
use crate::domain::operator::{Doubt, Refusal, RefusalKind};
use crate::domain::plan::{Contents, Plan};
use crate::domain::reading::{EndKind, Renewable};
use crate::domain::record::RecordProblem;
use crate::domain::rule::{Condition, Trigger};
use crate::domain::time::{End, Precision, Secs, UnixTime};
use crate::domain::wallet::{Shortfall, WalletLow};

/// 2026-12-18T09:30:00Z, the day on which the samples play.
const NOW: UnixTime = UnixTime::clamped(1_797_586_200);
/// 2026-12-20T13:00:00Z: when the sample's plan ends.
const ENDS: UnixTime = UnixTime::clamped(1_797_771_600);
/// A week after that.
const ENDS_NEW: UnixTime = UnixTime::clamped(1_797_771_600 + 7 * 86_400);

/// The samples of one kind, the most telling first.
#[must_use]
pub fn preview(kind: NoticeKind) -> Vec<Story> {
    let events = match kind {
        NoticeKind::DueSoon => due(),
        NoticeKind::Bought => bought(),
        NoticeKind::Failed => failed(),
        NoticeKind::Unknown => unknown(),
        NoticeKind::SettledLate => settled(),
        NoticeKind::Asked => asked(),
        NoticeKind::Paused => paused(),
        NoticeKind::RulesProblem => rules_problem(),
        NoticeKind::RecordProblem => record_problem(),
        NoticeKind::WalletLow => wallet_low(),
        NoticeKind::CardsFound => cards_found(),
        NoticeKind::Test => vec![Event::Test { channel: "mail".to_owned() }],
    };
    events.into_iter().map(|event| Story { card: card_for(kind), at: NOW, event }).collect()
}

/// The samples of all kinds.
#[must_use]
pub fn samples() -> Vec<Story> {
    NoticeKind::ALL.into_iter().flat_map(preview).collect()
}

fn card_for(kind: NoticeKind) -> Option<CardFacts> {
    if matches!(
        kind,
        NoticeKind::RulesProblem
            | NoticeKind::RecordProblem
            | NoticeKind::WalletLow
            | NoticeKind::CardsFound
            | NoticeKind::Test
    ) {
        return None;
    }
    Some(CardFacts {
        name: name("canada-trip"),
        account: name("airalo"),
        number: Some("…4567".to_owned()),
        zone: "America/Toronto".to_owned(),
    })
}

#[expect(
    clippy::expect_used,
    reason = "only called with the names written in this file, and a test makes every sample"
)]
fn name(text: &str) -> Name {
    Name::parse(text).expect("a sample's name is a name")
}

fn dollars(cents: i64) -> Money {
    Money::new(cents * 100, Currency::USD)
}

fn plan() -> Plan {
    Plan {
        id: "canada-7days-3gb".to_owned(),
        name: "Canada 3 GB 7 days".to_owned(),
        contents: Contents { data_bytes: Some(3_000_000_000), ..Contents::default() },
        validity_secs: Some(7 * 86_400),
        price: dollars(1_250),
    }
}

fn rich_plan() -> Plan {
    Plan {
        name: "North America Unlimited Plus with calls and texts for a month".to_owned(),
        contents: Contents {
            data_bytes: None,
            unlimited_data: true,
            voice_secs: Some(6_000),
            sms: Some(200),
            credit: Some(dollars(500)),
        },
        validity_secs: Some(30 * 86_400),
        ..plan()
    }
}

fn before() -> Snapshot {
    Snapshot { plan_ends: Some(ENDS), data_left: Some(412_000_000), ..Snapshot::default() }
}

fn after() -> Snapshot {
    Snapshot { plan_ends: Some(ENDS_NEW), data_left: Some(3_410_000_000), ..Snapshot::default() }
}

fn due() -> Vec<Event> {
    let next_steps = [
        NextStep::Buys { from: ENDS.minus(Secs::hours(28)) },
        NextStep::Asks,
        NextStep::OnlyWatches,
        NextStep::IsPaused,
        NextStep::OutsideDates,
        NextStep::IsBlocked,
        NextStep::CannotRenew,
    ];
    let end = |which, precision| Due::End { which, end: End { at: ENDS, precision }, step: Secs::days(3) };
    let low = |condition| Due::Low { trigger: Trigger { condition, line: 14 } };
    let mut dues = vec![
        end(EndKind::Plan, Precision::Second),
        end(EndKind::Credit, Precision::Second),
        end(EndKind::Number, Precision::Day),
    ];
    dues.extend(conditions().map(low));
    dues.extend([Renewable::OneOff, Renewable::Unknown, Renewable::Yes].map(|renewable| Due::Dead { renewable }));
    let credit =
        Snapshot { credit: Some(dollars(340)), credit_ends: Some(ENDS), number_ends: Some(ENDS_NEW), ..before() };
    dues.iter().flat_map(|due| next_steps.map(|next| Event::DueSoon { due: *due, next, now: credit.clone() })).collect()
}

fn conditions() -> [Condition; 8] {
    [
        Condition::DataBelow(DataSize(500_000_000)),
        Condition::DataShareBelow(Percent(20)),
        Condition::VoiceBelow(Secs::minutes(10)),
        Condition::SmsBelow(5),
        Condition::CreditBelow(dollars(500)),
        Condition::PlanEndsWithin(Secs::hours(36)),
        Condition::CreditEndsWithin(Secs::days(7)),
        Condition::NumberEndsWithin(Secs::days(14)),
    ]
}

fn bought() -> Vec<Event> {
    let full = Event::Bought {
        attempt: AttemptId(12),
        plan: plan(),
        charged: dollars(1_250),
        order_id: Some("20261218-064512".to_owned()),
        before: before(),
        after: after(),
        cause: Some((name("travel"), 14)),
        month_left: Some(dollars(2_750)),
    };
    let bare = Event::Bought {
        attempt: AttemptId(13),
        plan: rich_plan(),
        charged: dollars(1_250),
        order_id: None,
        before: Snapshot::default(),
        after: Snapshot { credit: Some(dollars(1_000)), ..Snapshot::default() },
        cause: None,
        month_left: None,
    };
    vec![full, bare]
}

fn failed() -> Vec<Event> {
    let refusals = [
        RefusalKind::WalletEmpty,
        RefusalKind::PaymentDeclined,
        RefusalKind::PlanGone,
        RefusalKind::Passing,
        RefusalKind::CardDead,
        RefusalKind::CardData,
        RefusalKind::NotActive,
        RefusalKind::Access,
        RefusalKind::BadCode,
        RefusalKind::Other,
    ];
    let refused = |kind| {
        FailedWhy::Refused(Refusal {
            kind,
            code: "43".to_owned(),
            text: "The order could not be fulfilled.".to_owned(),
        })
    };
    let mut whys: Vec<FailedWhy> = refusals.map(refused).into();
    whys.push(FailedWhy::Refused(Refusal { kind: RefusalKind::Other, code: "E-77".to_owned(), text: String::new() }));
    whys.extend(gates().map(FailedWhy::Held));
    whys.extend([
        FailedWhy::NotSent("connection refused".to_owned()),
        FailedWhy::NeverArrived,
        FailedWhy::Reversed("refunded: out of stock".to_owned()),
        FailedWhy::NoPlan,
    ]);
    let event = |why: FailedWhy, again: bool| Event::Failed {
        attempt: again.then_some(AttemptId(12)),
        plan: again.then(plan),
        why,
        next_try: again.then_some(NOW.plus(Secs::hours(2))),
        support: (!again).then(|| "support@example.net".to_owned()),
    };
    whys.into_iter().flat_map(|why| [event(why.clone(), true), event(why, false)]).collect()
}

fn gates() -> [Gate; 25] {
    let (limit, price) = (dollars(1_000), dollars(1_250));
    let euros = Money::new(100_000, Currency::EUR);
    [
        Gate::ReadingOld,
        Gate::ReadingsDisagree,
        Gate::ClockUntrusted(ClockFault::OffOperator),
        Gate::ClockUntrusted(ClockFault::BeforeRecord),
        Gate::ClockUntrusted(ClockFault::BeforeBuild),
        Gate::ClockUntrusted(ClockFault::Unconfirmed),
        Gate::AttemptOpen,
        Gate::OverPerRenewal { limit, price },
        Gate::OverPerMonth { limit: dollars(4_000), spent: dollars(3_100), price },
        Gate::OverPerDay { limit: 1 },
        Gate::OverShared { line: 12, per: Period::Day, limit: dollars(6_000), spent: dollars(5_500), price },
        Gate::OverShared { line: 12, per: Period::Month, limit: dollars(20_000), spent: dollars(19_400), price },
        Gate::SharedCountReached { line: 12, per: Period::Day, limit: 10 },
        Gate::SharedCountReached { line: 12, per: Period::Month, limit: 40 },
        Gate::LimitCurrency { limit: euros, price },
        Gate::WalletShort { balance: dollars(310), price },
        Gate::PriceMoved { decided: price, now: dollars(1_500) },
        Gate::PlanChanged,
        Gate::DiskFull,
        Gate::RecordDamaged,
        Gate::Quarantined,
        Gate::BreakerOpen,
        Gate::Paused,
        Gate::OutsideRule,
        Gate::CardState,
    ]
}

fn unknown() -> Vec<Event> {
    let doubts = [
        Doubt::TimedOut,
        Doubt::Broken,
        Doubt::ServerError,
        Doubt::Redirected,
        Doubt::Throttled,
        Doubt::Unreadable,
        Doubt::Unproven,
        Doubt::UnlistedCode,
        Doubt::AlreadyUsed,
        Doubt::ProcessEnded,
        Doubt::PendingLost,
    ];
    doubts.map(|doubt| Event::Unknown { attempt: AttemptId(12), plan: plan(), sent_at: NOW, doubt }).into()
}

fn settled() -> Vec<Event> {
    let event = |plan: Plan, outcome| Event::SettledLate { attempt: AttemptId(12), plan, sent_at: NOW, outcome };
    vec![event(plan(), Settled::Bought), event(rich_plan(), Settled::NotBought)]
}

fn asked() -> Vec<Event> {
    let approvals = [AskWhy::Dearer { before: dollars(1_000) }, AskWhy::Mode, AskWhy::Differs];
    let questions = [
        Question::NoEvidence,
        Question::KeyWindowOver,
        Question::EndNear,
        Question::Contradiction,
        Question::EffectMissing,
        Question::Restored,
    ];
    let asks = approvals.map(|why| Ask::Approve { why }).into_iter();
    let asks = asks.chain(questions.map(|question| Ask::Settle { question, sent_at: NOW }));
    let first = |ask: Ask| Event::Asked {
        attempt: AttemptId(12),
        plan: plan(),
        ask,
        ends: Some(ENDS),
        reminders: 0,
        support: Some("support@example.net".to_owned()),
    };
    let again = |ask: Ask| Event::Asked {
        attempt: AttemptId(12),
        plan: rich_plan(),
        ask,
        ends: None,
        reminders: 2,
        support: None,
    };
    asks.flat_map(|ask| [first(ask.clone()), again(ask)]).collect()
}

fn paused() -> Vec<Event> {
    let event = |until, resumed| Event::Paused { by: "anna".to_owned(), until, resumed };
    vec![event(Some(ENDS), false), event(None, false), event(None, true)]
}

fn rules_problem() -> Vec<Event> {
    let report = "error: unknown key `renew_wen`\n --> rules.toml:14:1\n   |\n14 | renew_wen = { data_below = \"500 MB\" }\n   | ^^^^^^^^^ did you mean `renew_when`?";
    let event =
        |count| Event::RulesProblem { file: "/etc/simkeeper/rules.toml".to_owned(), count, report: report.to_owned() };
    vec![event(1), event(3)]
}

fn record_problem() -> Vec<Event> {
    let why = "/var/lib/simkeeper/simkeeper.db is damaged (Tree 4 page 19: btreeInitPage() returns error code 11)";
    vec![
        Event::RecordProblem(RecordProblem::Damaged { why: why.to_owned() }),
        Event::RecordProblem(RecordProblem::CopyOld { newest: Some(NOW.minus(Secs::days(5))) }),
        Event::RecordProblem(RecordProblem::CopyOld { newest: None }),
    ]
}

fn wallet_low() -> Vec<Event> {
    let event = |covered, support: Option<&str>| {
        Event::WalletLow(WalletLow {
            account: name("airalo"),
            balance: dollars(1_310),
            covered,
            short: Shortfall { card: name("canada-trip"), price: dollars(1_250), at: ENDS.minus(Secs::hours(36)) },
            support: support.map(str::to_owned),
        })
    };
    vec![event(1, Some("support@example.net")), event(0, None)]
}

fn cards_found() -> Vec<Event> {
    let event = |count, rule: Option<&str>| Event::CardsFound { account: name("airalo"), count, rule: rule.map(name) };
    vec![event(12, None), event(1, Some("travel"))]
}

/// A recipient for tests.
#[cfg(test)]
#[must_use]
pub(super) fn recipient(language: crate::domain::notice::Language) -> super::Recipient {
    super::Recipient {
        person: name("Anna Müller"),
        address: "anna@example.net".to_owned(),
        language,
        zone: jiff::tz::TimeZone::get("America/Toronto").expect("a zone"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_samples_of_its_own_kind() {
        for kind in NoticeKind::ALL {
            let stories = preview(kind);
            assert!(!stories.is_empty(), "{kind:?}");
            assert!(stories.iter().all(|story| story.event.kind() == kind), "{kind:?}");
        }
    }

    #[test]
    fn the_days_of_the_samples_are_what_their_comments_say() {
        assert_eq!(NOW.to_string(), "2026-12-18T09:30:00Z");
        assert_eq!(ENDS.to_string(), "2026-12-20T13:00:00Z");
    }

    /// Numbers each word of a closed set; a new variant does not compile until it has a number, and then needs a sample.
    fn place(event: &Event) -> Vec<(&'static str, usize)> {
        match event {
            Event::DueSoon { due, next, .. } => {
                let due = match due {
                    Due::End { which: EndKind::Plan, .. } => 0,
                    Due::End { which: EndKind::Credit, .. } => 1,
                    Due::End { which: EndKind::Number, .. } => 2,
                    Due::Low { trigger } => match trigger.condition {
                        Condition::DataBelow(_) => 3,
                        Condition::DataShareBelow(_) => 4,
                        Condition::VoiceBelow(_) => 5,
                        Condition::SmsBelow(_) => 6,
                        Condition::CreditBelow(_) => 7,
                        Condition::PlanEndsWithin(_) => 8,
                        Condition::CreditEndsWithin(_) => 9,
                        Condition::NumberEndsWithin(_) => 10,
                    },
                    Due::Dead { .. } => 11,
                };
                let next = match next {
                    NextStep::Buys { .. } => 0,
                    NextStep::Asks => 1,
                    NextStep::OnlyWatches => 2,
                    NextStep::IsPaused => 3,
                    NextStep::OutsideDates => 4,
                    NextStep::IsBlocked => 5,
                    NextStep::CannotRenew => 6,
                };
                vec![("due", due), ("next", next)]
            }
            Event::Failed { why, .. } => vec![match why {
                FailedWhy::Refused(refusal) => ("refusal", refusal.kind as usize),
                FailedWhy::NotSent(_) => ("failed", 0),
                FailedWhy::NeverArrived => ("failed", 1),
                FailedWhy::Reversed(_) => ("failed", 2),
                FailedWhy::NoPlan => ("failed", 3),
                FailedWhy::Held(gate) => ("gate", gate_place(*gate)),
            }],
            Event::Unknown { doubt, .. } => vec![("doubt", *doubt as usize)],
            Event::SettledLate { outcome, .. } => match outcome {
                Settled::Bought => vec![("settled", 0)],
                Settled::NotBought => vec![("settled", 1)],
            },
            Event::Asked { ask, .. } => vec![match ask {
                Ask::Approve { why: AskWhy::Mode } => ("approve", 0),
                Ask::Approve { why: AskWhy::Dearer { .. } } => ("approve", 1),
                Ask::Approve { why: AskWhy::Differs } => ("approve", 2),
                Ask::Settle { question, .. } => ("question", *question as usize),
            }],
            Event::Bought { .. }
            | Event::Paused { .. }
            | Event::RulesProblem { .. }
            | Event::RecordProblem(_)
            | Event::WalletLow(_)
            | Event::CardsFound { .. }
            | Event::Test { .. } => vec![],
        }
    }

    fn gate_place(gate: Gate) -> usize {
        match gate {
            Gate::ReadingOld => 0,
            Gate::ReadingsDisagree => 1,
            Gate::ClockUntrusted(fault) => 2 + fault as usize,
            Gate::AttemptOpen => 6,
            Gate::OverPerRenewal { .. } => 7,
            Gate::OverPerMonth { .. } => 8,
            Gate::OverPerDay { .. } => 9,
            Gate::LimitCurrency { .. } => 10,
            Gate::WalletShort { .. } => 11,
            Gate::PriceMoved { .. } => 12,
            Gate::PlanChanged => 13,
            Gate::DiskFull => 14,
            Gate::Quarantined => 15,
            Gate::BreakerOpen => 16,
            Gate::Paused => 17,
            Gate::OutsideRule => 18,
            Gate::CardState => 19,
            Gate::RecordDamaged => 20,
            Gate::OverShared { per, .. } => 21 + per as usize,
            Gate::SharedCountReached { per, .. } => 23 + per as usize,
        }
    }

    #[test]
    fn every_thing_a_message_can_say_has_a_sample() {
        let seen: std::collections::BTreeSet<_> = samples().iter().flat_map(|story| place(&story.event)).collect();
        let sets = [
            ("due", 12),
            ("next", 7),
            ("refusal", RefusalKind::Other as usize + 1),
            ("failed", 4),
            ("gate", 25),
            ("doubt", Doubt::PendingLost as usize + 1),
            ("settled", 2),
            ("approve", 3),
            ("question", Question::Restored as usize + 1),
        ];
        for (set, count) in sets {
            let missing: Vec<_> = (0..count).filter(|place| !seen.contains(&(set, *place))).collect();
            assert!(missing.is_empty(), "{set} {missing:?}");
        }
    }
}
