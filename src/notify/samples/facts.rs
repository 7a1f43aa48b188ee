//! What the samples have in common: one card on a trip, its plan, and the two ends that matter.

use crate::domain::attempt::Snapshot;
use crate::domain::card::Name;
use crate::domain::course::Course;
use crate::domain::cover::Reckoning;
use crate::domain::data::DataSize;
use crate::domain::money::{Currency, Money};
use crate::domain::notice::CardFacts;
use crate::domain::operator::Stacking;
use crate::domain::plan::{Contents, Plan};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading};
use crate::domain::rule::{Condition, Rule, Trigger};
use crate::domain::time::{Secs, UnixTime};

/// 2026-12-18T09:30:00Z, the day on which the samples play.
pub(super) const NOW: UnixTime = UnixTime::clamped(1_797_586_200);
/// 2026-12-20T13:00:00Z: when the sample's plan ends.
pub(super) const ENDS: UnixTime = UnixTime::clamped(1_797_771_600);
/// A week after that.
pub(super) const ENDS_NEW: UnixTime = UnixTime::clamped(1_797_771_600 + 7 * 86_400);

/// The card of all samples.
pub(super) fn card() -> CardFacts {
    CardFacts {
        name: name("canada-trip"),
        account: name("airalo"),
        number: Some("…4567".to_owned()),
        zone: "America/Toronto".to_owned(),
    }
}

#[expect(
    clippy::expect_used,
    reason = "only called with the names written in this file, and a test makes every sample"
)]
pub(super) fn name(text: &str) -> Name {
    Name::parse(text).expect("a sample's name is a name")
}

pub(super) fn dollars(cents: i64) -> Money {
    Money::new(cents * 100, Currency::USD)
}

pub(super) fn plan() -> Plan {
    Plan {
        id: "canada-7days-3gb".to_owned(),
        name: "Canada 3 GB 7 days".to_owned(),
        contents: Contents { data_bytes: Some(3_000_000_000), ..Contents::default() },
        validity_secs: Some(7 * 86_400),
        price: dollars(1_250),
    }
}

pub(super) fn rich_plan() -> Plan {
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

pub(super) fn before() -> Snapshot {
    Snapshot { plan_ends: Some(ENDS), data_left: Some(412_000_000), ..Snapshot::default() }
}

pub(super) fn after() -> Snapshot {
    Snapshot { plan_ends: Some(ENDS_NEW), data_left: Some(3_410_000_000), ..Snapshot::default() }
}

/// Three weeks of a card that used 3 GB, was renewed, and went on.
pub(super) fn reckoning() -> Reckoning {
    Reckoning {
        purchases: 2,
        cost: dollars(2_350),
        from: NOW,
        until: ENDS_NEW,
        is_whole: true,
        data_bytes: 3_800_000_000,
        runner_up: Some(("10 GB for 30 days".to_owned(), dollars(2_600))),
        is_assumed: false,
        leaves_over: false,
        stacking: Stacking::Unknown,
    }
}

pub(super) fn course(held: &Snapshot) -> Option<Course> {
    let readings: Vec<Reading> = (0..42).map(|half_day| reading(NOW.minus(Secs::hours(504 - 12 * half_day)))).collect();
    let condition = Condition::DataBelow(DataSize(500_000_000));
    let mut rule = Rule::watching(name("travel"));
    rule.renew_when.triggers.push(Trigger { condition, line: 14 });
    let zone = jiff::tz::TimeZone::get(&card().zone).ok()?;
    Course::up_to(&readings, held, NOW, Some(&rule)).map(|course| course.foreseen(&readings, held, &zone))
}

fn reading(at: UnixTime) -> Reading {
    let hours_ago = NOW.since(at).0 / 3_600;
    // Less is used by night than by day.
    let used_hours = hours_ago / 24 * 24 + (hours_ago % 24).max(12) / 4 * 3 - 9;
    let remaining =
        if hours_ago > 290 { 14_300_000 * (used_hours - 260) } else { 10_300_000 * used_hours + 412_000_000 };
    let data = Allowance {
        kind: AllowanceKind::Data,
        remaining,
        total: Some(3_500_000_000),
        unlimited: false,
        state: AllowanceState::Active,
        starts: None,
        ends: None,
    };
    Reading { allowances: vec![data], ..Reading::empty(at, CardState::Active) }
}
