//! A reading from an eSIM and the bundles on it.

use jiff::tz::TimeZone;

use super::wire::{AssignmentDoc, BundlesDoc, EsimDoc};
use crate::domain::card::tamed;
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use crate::domain::time::{End, UnixTime};
use crate::operators::kit::time_in;

/// One purchase that is still on the card.
struct Assigned<'a> {
    bundle: &'a str,
    doc: &'a AssignmentDoc,
    state: AllowanceState,
    made: UnixTime,
    ends: Option<UnixTime>,
}

/// The reading of one card.
pub(super) fn reading_of(esim: &EsimDoc, bundles: &BundlesDoc, read_at: UnixTime) -> Result<Reading, String> {
    let mut all = Vec::new();
    for bundle in &bundles.bundles {
        for doc in &bundle.assignments {
            all.extend(assigned(&bundle.name, doc)?);
        }
    }
    // Newest first.
    all.sort_by_key(|assigned| std::cmp::Reverse(assigned.made));
    let present = present(&all);
    let state = state_of(esim, &all);
    Ok(Reading {
        renewable: if state == CardState::Recycled { Renewable::OneOff } else { Renewable::Yes },
        allowances: all.iter().filter_map(|assigned| allowance(assigned).transpose()).collect::<Result<_, _>>()?,
        plan_ends: present.and_then(|assigned| assigned.ends).map(End::at),
        assets: all.iter().map(|assigned| asset_of(assigned.doc)).collect(),
        plan: present.map(|assigned| assigned.bundle.to_owned()),
        ..Reading::empty(read_at, state)
    })
}

/// The id that tells one purchase from all others.
pub(super) fn asset_of(doc: &AssignmentDoc) -> String {
    tamed(doc.id.as_str(), 80)
}

/// A purchase with its state; none if it was taken off the card again.
fn assigned<'a>(bundle: &'a str, doc: &'a AssignmentDoc) -> Result<Option<Assigned<'a>>, String> {
    let state = match doc.bundle_state.to_ascii_lowercase().as_str() {
        // Being put on the card, up to ten minutes; or waiting for its turn behind another of the same region.
        "processing" | "queued" => AllowanceState::Queued,
        "active" => AllowanceState::Active,
        "depleted" => AllowanceState::Finished,
        // Lapsed: never begun within twelve months.
        "expired" | "lapsed" => AllowanceState::Expired,
        "revoked" => return Ok(None),
        // Whether there is data behind a word that nobody knows cannot be guessed.
        other => return Err(format!("`{}` is no bundle state that is documented", tamed(other, 40))),
    };
    let made = instant(doc.assignment_date_time.as_deref())?.unwrap_or(UnixTime::MIN);
    Ok(Some(Assigned { bundle, doc, state, made, ends: instant(doc.end_time.as_deref())? }))
}

fn instant(text: Option<&str>) -> Result<Option<UnixTime>, String> {
    text.filter(|text| !text.is_empty()).map(|text| time_in(text, &TimeZone::UTC)).transpose()
}

/// The bundle in use: of the active ones that which ends last, or else the newest of all.
fn present<'a, 'b>(all: &'b [Assigned<'a>]) -> Option<&'b Assigned<'a>> {
    let active = all.iter().filter(|assigned| assigned.state == AllowanceState::Active);
    active.max_by_key(|assigned| (assigned.ends, assigned.made)).or_else(|| {
        let begun = all.iter().filter(|assigned| assigned.state != AllowanceState::Queued);
        begun.max_by_key(|assigned| assigned.made).or_else(|| all.first())
    })
}

fn state_of(esim: &EsimDoc, all: &[Assigned<'_>]) -> CardState {
    let is = |told: &Option<String>, word: &str| told.as_deref().is_some_and(|told| told.eq_ignore_ascii_case(word));
    let profile = |word: &str| is(&esim.profile_status, word);
    let any = |state: AllowanceState| all.iter().any(|assigned| assigned.state == state);
    if is(&esim.state, "deactivated") {
        CardState::Recycled
    } else if is(&esim.state, "suspended") || profile("deleted") {
        // Of a profile that was deleted from its device, too: it cannot be put back, and money for it would be lost.
        CardState::Blocked
    } else if any(AllowanceState::Active) {
        CardState::Active
    } else if profile("released") || profile("downloaded") {
        CardState::NotInstalled
    } else if any(AllowanceState::Queued) || all.is_empty() {
        CardState::NotActive
    } else if any(AllowanceState::Finished) {
        CardState::Finished
    } else {
        CardState::Expired
    }
}

/// What a purchase holds; none of calls and texts, whose units are not documented.
fn allowance(assigned: &Assigned<'_>) -> Result<Option<Allowance>, String> {
    let doc = assigned.doc;
    if doc.call_type_group.as_deref().is_some_and(|group| !group.eq_ignore_ascii_case("data")) {
        return Ok(None);
    }
    let unlimited = doc.unlimited.is_some_and(|flag| flag.0);
    let bytes = |told: &Option<crate::operators::kit::Loose>| told.as_ref().map(|told| told.scaled(1)).transpose();
    let (total, remaining) = (bytes(&doc.initial_quantity)?, bytes(&doc.remaining_quantity)?);
    // The numbers beside an unlimited bundle carry no meaning, and may be missing.
    let Some(remaining) = remaining.or(unlimited.then_some(0)) else {
        return Err("a bundle tells no remaining quantity".into());
    };
    Ok(Some(Allowance {
        kind: AllowanceKind::Data,
        remaining,
        total,
        unlimited,
        state: assigned.state,
        starts: instant(doc.start_time.as_deref())?,
        ends: assigned.ends.map(End::at),
    }))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::data::DataSize;

    const NOW: UnixTime = UnixTime::clamped(1_800_000_000);

    fn bundle(id: &str, state: &str, left: i64, times: (&str, Option<&str>)) -> Value {
        json!({ "id": id, "callTypeGroup": "data", "initialQuantity": 1_000_000_000, "remainingQuantity": left,
            "assignmentDateTime": times.0, "bundleState": state, "unlimited": false, "endTime": times.1 })
    }

    fn read_with(esim: &Value, assignments: Value) -> Result<Reading, String> {
        let bundles = json!({ "bundles": [{ "name": "esim_1GB_7D_GB_V2", "assignments": assignments }] });
        let esim = EsimDoc::deserialize(esim).unwrap();
        reading_of(&esim, &BundlesDoc::deserialize(bundles).unwrap(), NOW)
    }

    fn read(assignments: Value) -> Reading {
        read_with(&json!({ "profileStatus": "Installed", "state": "Active" }), assignments).unwrap()
    }

    #[test]
    fn a_bundle_that_waits_counts_and_the_end_is_that_of_the_one_in_use() {
        let reading = read(json!([
            bundle("1", "active", 100, ("2026-12-01T00:00:00Z", Some("2026-12-08T00:00:00.123456789Z"))),
            bundle("2", "queued", 1_000_000_000, ("2026-12-02T00:00:00Z", None)),
            bundle("3", "processing", 1_000_000_000, ("2026-12-03T00:00:00Z", Some(""))),
            bundle("4", "expired", 5, ("2026-11-01T00:00:00Z", Some("2026-11-08T00:00:00Z"))),
            bundle("5", "revoked", 1_000_000_000, ("2026-12-04T00:00:00Z", None)),
        ]));
        assert_eq!(reading.data_left(), Some(DataSize(2_000_000_100)));
        assert_eq!(reading.plan_ends.unwrap().at.to_string(), "2026-12-08T00:00:00Z");
        assert_eq!(reading.assets, ["3", "2", "1", "4"]);
        assert_eq!((reading.state, reading.plan.as_deref()), (CardState::Active, Some("esim_1GB_7D_GB_V2")));
    }

    #[test]
    fn an_unlimited_bundle_with_nothing_left_has_no_end_of_data() {
        let mut unlimited = bundle("1", "active", 0, ("2026-12-01T00:00:00Z", None));
        unlimited["unlimited"] = json!("true");
        assert!(read(json!([unlimited.clone()])).left(AllowanceKind::Data).unlimited);
        unlimited["remainingQuantity"] = Value::Null;
        assert!(read(json!([unlimited.clone()])).left(AllowanceKind::Data).unlimited);
        unlimited["unlimited"] = json!(false);
        assert!(read_with(&json!({}), json!([unlimited])).is_err());
    }

    #[test]
    fn states_come_from_the_card_and_its_bundles() {
        let at = ("2026-12-01T00:00:00Z", None);
        for (profile, state, bundle_state, expected) in [
            ("Released", "Active", "queued", CardState::NotInstalled),
            ("Installed", "Active", "queued", CardState::NotActive),
            ("Installed", "Active", "depleted", CardState::Finished),
            ("Enabled", "Active", "expired", CardState::Expired),
            ("Enabled", "Active", "lapsed", CardState::Expired),
            ("Enabled", "Suspended", "active", CardState::Blocked),
            ("Enabled", "Deactivated", "active", CardState::Recycled),
            ("Deleted", "Active", "active", CardState::Blocked),
            ("Enabled", "Active", "revoked", CardState::NotActive),
        ] {
            let esim = json!({ "profileStatus": profile, "state": state });
            let reading = read_with(&esim, json!([bundle("1", bundle_state, 1, at)])).unwrap();
            assert_eq!(reading.state, expected, "{profile} {state} {bundle_state}");
        }
        assert!(read_with(&json!({}), json!([bundle("1", "dreaming", 1, at)])).is_err());
    }

    #[test]
    fn calls_are_left_out_and_are_still_on_the_card() {
        let mut calls = bundle("7", "active", 60, ("2026-12-01T00:00:00Z", None));
        calls["callTypeGroup"] = json!("voice");
        let reading = read(json!([calls]));
        assert_eq!((reading.allowances.len(), reading.assets.len()), (0, 1));
    }
}
