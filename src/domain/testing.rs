//! Ready-made cards, rules, readings and orders for the tests of this room.

use jiff::tz::TimeZone;

use super::attempt::{Approval, Attempt, AttemptId, AttemptState, Cause, Question, Sent, Tally};
use super::card::{Card, CardId, Name};
use super::money::{Currency, Money};
use super::operator::{Capabilities, Doubt, Lookup, OrderKey, Proof, Refusal, RefusalKind, Repeat, Stacking};
use super::plan::{Contents, Plan};
use super::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading};
use super::rule::{Buy, Choice, Condition, Mode, Rule, Trigger};
use super::state::GivenUp;
use super::time::{Secs, UnixTime};

/// 2026-12-15T12:00:00Z.
pub(super) const NOW: UnixTime = UnixTime::clamped(1_797_336_000);

pub(super) const REPLAYS: Capabilities = Capabilities {
    repeat: Repeat::Replays(Secs::hours(24)),
    burns_key: false,
    lookup: Lookup::ByRef { listing_delay_secs: 60 },
    processing_max: Some(Secs::minutes(2)),
    proof: Proof::AssetIds,
    late_change: None,
    two_phase: None,
    read_batch: 1,
    cached_for: Secs::minutes(20),
    effect_max: Secs::HOUR,
    takes_codes: false,
    discovers: false,
    stacking: Stacking::Unknown,
};
pub(super) const REFUSES: Capabilities = Capabilities { repeat: Repeat::Refuses, ..REPLAYS };
pub(super) const CLASS_B: Capabilities = Capabilities { repeat: Repeat::Pays, ..REPLAYS };
pub(super) const CLASS_C: Capabilities =
    Capabilities { repeat: Repeat::Pays, lookup: Lookup::None, processing_max: None, ..REPLAYS };

/// Every kind of operator that the table tells apart.
pub(super) const CLASSES: [(&str, Capabilities); 4] =
    [("replays", REPLAYS), ("refuses", REFUSES), ("class b", CLASS_B), ("class c", CLASS_C)];

pub(super) fn at(text: &str) -> UnixTime {
    UnixTime::parse(text).unwrap()
}

pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

pub(super) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(super) fn usd(dollars: i64) -> Money {
    Money::new(dollars * 10_000, Currency::USD)
}

pub(super) fn card() -> Card {
    Card::new(CardId(1), name("canada"), name("airalo"))
}

pub(super) fn rule(mode: Mode, conditions: &[Condition]) -> Rule {
    let mut rule = Rule { mode, ..Rule::watching(name("travel")) };
    let lines = 14..;
    rule.renew_when.triggers =
        conditions.iter().zip(lines).map(|(condition, line)| Trigger { condition: *condition, line }).collect();
    rule.buy = vec![Buy { choice: Choice::Same, line: 20 }];
    rule
}

pub(super) fn allowance(kind: AllowanceKind, remaining: i64) -> Allowance {
    Allowance {
        kind,
        remaining,
        total: None,
        unlimited: false,
        state: AllowanceState::Active,
        starts: None,
        ends: None,
    }
}

pub(super) fn reading(data_left: i64) -> Reading {
    Reading { allowances: vec![allowance(AllowanceKind::Data, data_left)], ..Reading::empty(NOW, CardState::Active) }
}

pub(super) fn plan(id: &str, data_bytes: u64, days: i64, price: Money) -> Plan {
    Plan {
        id: id.into(),
        name: format!("Plan {id}"),
        contents: Contents { data_bytes: Some(data_bytes), ..Contents::default() },
        validity_secs: Some(days * 86_400),
        price,
    }
}

pub(super) fn sent() -> Sent {
    Sent { key: OrderKey::new(7), first_sent_at: NOW, send_count: 1 }
}

pub(super) fn refusal(kind: RefusalKind) -> Refusal {
    Refusal { kind, code: "E11".into(), text: "not today".into() }
}

pub(super) fn attempt(state: AttemptState) -> Attempt {
    Attempt {
        id: AttemptId(12),
        card: CardId(1),
        cycle: 3,
        number: 1,
        account: name("airalo"),
        cause: Cause::Rule { rule: name("travel"), line: 14 },
        plan: plan("canada-30", 3_000_000_000, 30, usd(10)),
        reckoning: None,
        payment: "wallet".into(),
        code: None,
        created_at: NOW,
        approval: Approval::NotNeeded,
        before: None,
        state,
        version: 1,
    }
}

pub(super) fn unknown(tally: Tally) -> AttemptState {
    AttemptState::Unknown { sent: sent(), order_id: None, doubt: Doubt::TimedOut, tally, next_at: NOW }
}

pub(super) fn human(question: Question) -> AttemptState {
    let tally = Tally::default();
    AttemptState::Human { sent: sent(), order_id: None, question, asked_at: NOW, tally, next_at: NOW }
}

pub(super) fn pending() -> AttemptState {
    AttemptState::Pending { sent: sent(), order_id: "o-1".into(), tally: Tally::default(), next_at: NOW }
}

pub(super) fn accepted() -> AttemptState {
    AttemptState::Accepted { sent: sent(), order_id: None, charged: None, accepted_at: NOW, next_at: NOW }
}

/// One state of each name, in the order of `StateName::ALL`.
pub(super) fn every_state() -> [AttemptState; 11] {
    [
        AttemptState::Planned { next_at: NOW },
        AttemptState::Sending { sent: sent() },
        pending(),
        accepted(),
        unknown(Tally::default()),
        human(Question::EndNear),
        AttemptState::Done { at: NOW, order_id: Some("o-1".into()), charged: Some(usd(10)) },
        AttemptState::Refused { at: NOW, refusal: refusal(RefusalKind::Passing) },
        AttemptState::Absent { at: NOW },
        AttemptState::Abandoned { at: NOW, why: GivenUp::NotNeeded },
        AttemptState::Reversed { at: NOW, why: "refunded".into() },
    ]
}
