//! What the samples have in common: one card on a trip, its plan, and the two ends that matter.

use crate::domain::attempt::Snapshot;
use crate::domain::card::Name;
use crate::domain::money::{Currency, Money};
use crate::domain::notice::CardFacts;
use crate::domain::plan::{Contents, Plan};
use crate::domain::time::UnixTime;

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
