//! A reading from one eSIM.

use jiff::tz::TimeZone;

use super::wire::{CardDoc, PackageDoc, UsageDoc};
use crate::domain::card::tamed;
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use crate::domain::time::{End, UnixTime};
use crate::operators::kit::time_in;

/// What the volume of a package is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DataType {
    /// The whole package (1, or not told: the field is younger than the API).
    Total,
    /// One day; slower (2) or cut off (3) behind it.
    Daily,
    /// Nothing: no limit (4).
    Unlimited,
}

impl DataType {
    pub(super) fn of(told: Option<&str>) -> Result<Self, String> {
        match told {
            None | Some("" | "1") => Ok(Self::Total),
            Some("2" | "3") => Ok(Self::Daily),
            Some("4") => Ok(Self::Unlimited),
            Some(other) => Err(format!("`{}` is no data type that is documented", tamed(other, 40))),
        }
    }
}

/// Whether the vendor has taken the eSIM back: its ICCID may be somebody else's by now.
pub(super) fn is_taken_back(doc: &CardDoc) -> bool {
    matches!(doc.esim_status.as_str(), "CANCEL" | "REVOKE" | "REVOKED")
}

/// Whether nothing can be bought for the eSIM any more.
pub(super) fn is_over(doc: &CardDoc) -> bool {
    is_taken_back(doc) || matches!(doc.esim_status.as_str(), "USED_EXPIRED" | "UNUSED_EXPIRED")
}

/// Whether a fresher usage makes a difference.
pub(super) fn needs_usage(doc: &CardDoc) -> bool {
    doc.esim_status == "IN_USE" && DataType::of(doc.data_type.as_ref().map(|told| told.as_str())) == Ok(DataType::Total)
}

/// The reading of one eSIM. It holds for the moment it was asked at: of the usage alone an older time is told, and only
/// in some answers.
pub(super) fn reading_of(doc: &CardDoc, usage: Option<&UsageDoc>, read_at: UnixTime) -> Result<Reading, String> {
    let state = state_of(doc);
    let packages = doc.package_list.as_deref().unwrap_or_default();
    let ends = plan_end(doc)?;
    Ok(Reading {
        renewable: renewable(doc),
        allowances: data_of(doc, usage, state, ends)?.into_iter().collect(),
        plan_ends: ends,
        assets: packages.iter().filter_map(PackageDoc::asset).collect(),
        plan: newest(packages).and_then(buyable),
        ..Reading::empty(read_at, state)
    })
}

fn state_of(doc: &CardDoc) -> CardState {
    let profile = doc.smdp_status.as_deref().unwrap_or_default();
    match doc.esim_status.as_str() {
        _ if is_taken_back(doc) => CardState::Recycled,
        "USED_EXPIRED" | "UNUSED_EXPIRED" => CardState::Expired,
        "SUSPENDED" => CardState::Blocked,
        // The owner has deleted the profile from the device, where it cannot be put back: money for it would be lost.
        _ if profile == "DELETED" => CardState::Blocked,
        "USED_UP" => CardState::Finished,
        "IN_USE" => CardState::Active,
        "CREATE" | "PAYING" | "PAID" | "GETTING_RESOURCE" => CardState::NotInstalled,
        "GOT_RESOURCE" if matches!(profile, "" | "RELEASED" | "DOWNLOAD") => CardState::NotInstalled,
        "GOT_RESOURCE" => CardState::NotActive,
        _ => CardState::Unknown,
    }
}

/// "Top ups can be requested while the eSIM is in New, In Use or Depleted status, but not after eSIM expiry." Whether
/// type 1 stays without top-ups is not certain, since the vendor adds some later; the catalogue tells.
fn renewable(doc: &CardDoc) -> Renewable {
    let told = doc.support_top_up_type.as_ref().map(|told| told.as_str());
    match told {
        _ if is_over(doc) => Renewable::OneOff,
        Some("2" | "3") => Renewable::Yes,
        Some(_) | None => Renewable::Unknown,
    }
}

/// The end of the plan. Before first use the vendor's date is the last day to start the card, not the plan's end.
fn plan_end(doc: &CardDoc) -> Result<Option<End>, String> {
    let told = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let begun = matches!(doc.esim_status.as_str(), "IN_USE" | "USED_UP" | "USED_EXPIRED") || told(&doc.activate_time);
    match doc.expired_time.as_deref() {
        Some(ends) if begun && !ends.is_empty() => Ok(Some(End::at(time_in(ends, &TimeZone::UTC)?))),
        Some(_) | None => Ok(None),
    }
}

/// The data on the eSIM. Of a day plan nothing is said: what the volume and the usage mean over its days is not
/// documented, and what is used up today is there again tomorrow.
fn data_of(
    doc: &CardDoc,
    usage: Option<&UsageDoc>,
    state: CardState,
    ends: Option<End>,
) -> Result<Option<Allowance>, String> {
    let kind = DataType::of(doc.data_type.as_ref().map(|told| told.as_str()))?;
    if kind == DataType::Daily || state == CardState::Recycled {
        return Ok(None);
    }
    let total = doc.total_volume.whole()?;
    let mut used = doc.order_usage.whole()?;
    if let Some(usage) = usage {
        // Both lag behind, and usage only grows: the larger one is nearer the truth.
        used = used.max(usage.data_usage.whole()?);
    }
    let starts = doc.activate_time.as_deref().and_then(|text| time_in(text, &TimeZone::UTC).ok());
    // The last connection may run over by a few bytes; that is nothing left, not an odd answer.
    let remaining = if total >= 0 { total.saturating_sub(used).max(0) } else { total };
    let remaining = if state == CardState::Finished { 0 } else { remaining };
    Ok(Some(Allowance {
        kind: AllowanceKind::Data,
        remaining,
        total: Some(total),
        unlimited: kind == DataType::Unlimited,
        state: allowance_state(state),
        starts,
        ends,
    }))
}

const fn allowance_state(state: CardState) -> AllowanceState {
    match state {
        CardState::NotActive | CardState::NotInstalled => AllowanceState::Queued,
        CardState::Finished => AllowanceState::Finished,
        CardState::Expired | CardState::Recycled => AllowanceState::Expired,
        CardState::Active | CardState::Blocked | CardState::Unknown => AllowanceState::Active,
    }
}

/// The package that was bought last; of two at the same time, the later in the list.
fn newest(packages: &[PackageDoc]) -> Option<&PackageDoc> {
    packages.iter().max_by_key(|package| {
        package.create_time.as_deref().and_then(|text| time_in(text, &TimeZone::UTC).ok()).unwrap_or(UnixTime::MIN)
    })
}

/// What buys the same again: a top-up's own code, or else the name that a top-up of the same size has. The code of a
/// first package is never sold as a top-up.
fn buyable(package: &PackageDoc) -> Option<String> {
    let code = package.package_code.as_deref().filter(|code| code.starts_with(super::offers::TOPUP));
    code.or(package.package_name.as_deref()).map(|text| tamed(text, 120))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::data::DataSize;

    const NOW: UnixTime = UnixTime::clamped(1_775_000_000);

    fn card(changes: &Value) -> CardDoc {
        let mut doc = json!({
            "esimTranNo": "26033119290005", "iccid": "8910300000044404757", "smdpStatus": "ENABLED",
            "esimStatus": "IN_USE", "dataType": 1, "supportTopUpType": 2, "activateTime": "2026-03-31T20:00:00+0000",
            "expiredTime": "2026-09-27T19:29:36+0000", "totalVolume": 3000, "orderUsage": 1000,
            "packageList": [
                { "packageName": "Spain 3GB 30Days", "packageCode": "TOPUP_CKH002", "createTime": "2026-05-01T00:00:00+0000",
                  "esimTranNo": "26050100000001", "transactionId": "two" },
                { "packageName": "Spain 1GB 7Days", "packageCode": "CKH001", "createTime": "2026-03-31T19:29:36+0000",
                  "esimTranNo": "26033119290005", "transactionId": "one" }
            ]
        });
        for (key, value) in changes.as_object().unwrap() {
            doc[key] = value.clone();
        }
        CardDoc::deserialize(doc).unwrap()
    }

    fn read(changes: &Value) -> Reading {
        reading_of(&card(changes), None, NOW).unwrap()
    }

    #[test]
    fn before_first_use_the_date_is_not_the_plans_end() {
        let fresh = read(&json!({ "esimStatus": "GOT_RESOURCE", "smdpStatus": "RELEASED", "activateTime": null }));
        assert_eq!((fresh.state, fresh.plan_ends), (CardState::NotInstalled, None));
        assert_eq!(read(&json!({})).plan_ends.unwrap().at.to_string(), "2026-09-27T19:29:36Z");
        let ready = read(&json!({ "esimStatus": "GOT_RESOURCE", "smdpStatus": "ENABLED", "activateTime": "" }));
        assert_eq!((ready.state, ready.plan_ends), (CardState::NotActive, None));
        assert_eq!(ready.number_ends, None);
    }

    #[test]
    fn the_larger_usage_counts_and_nothing_is_below_zero() {
        let usage = |used: i64| {
            UsageDoc::deserialize(json!({ "esimTranNo": "1", "dataUsage": used, "totalData": "3000" })).unwrap()
        };
        for (used, left) in [(None, 2000), (Some(500), 2000), (Some(2500), 500), (Some(3001), 0)] {
            let usage = used.map(usage);
            let reading = reading_of(&card(&json!({})), usage.as_ref(), NOW).unwrap();
            assert_eq!(reading.data_left(), Some(DataSize(left)), "{used:?}");
        }
        assert_eq!(read(&json!({ "esimStatus": "USED_UP" })).data_left(), Some(DataSize(0)));
        assert_eq!(read(&json!({ "totalVolume": "5368709120" })).data_left(), Some(DataSize(5_368_708_120)));
        assert!(reading_of(&card(&json!({ "totalVolume": 1e308 })), None, NOW).is_err());
    }

    #[test]
    fn of_day_plans_no_amount_is_told() {
        for kind in [json!(2), json!("3")] {
            assert_eq!(read(&json!({ "dataType": kind })).allowances, []);
        }
        assert!(read(&json!({ "dataType": 4 })).left(AllowanceKind::Data).unlimited);
        assert!(reading_of(&card(&json!({ "dataType": 9 })), None, NOW).is_err());
        assert!(needs_usage(&card(&json!({}))) && !needs_usage(&card(&json!({ "dataType": 2 }))));
    }

    #[test]
    fn states_are_told_by_two_fields() {
        for (status, profile, expected) in [
            ("GETTING_RESOURCE", "", CardState::NotInstalled),
            ("IN_USE", "DISABLED", CardState::Active),
            ("IN_USE", "DELETED", CardState::Blocked),
            ("SUSPENDED", "ENABLED", CardState::Blocked),
            ("USED_EXPIRED", "DELETED", CardState::Expired),
            ("CANCEL", "RELEASED", CardState::Recycled),
            ("REVOKED", "ENABLED", CardState::Recycled),
            ("DREAMING", "ENABLED", CardState::Unknown),
        ] {
            assert_eq!(read(&json!({ "esimStatus": status, "smdpStatus": profile })).state, expected, "{status}");
        }
        let renewable =
            |status: &str, kind: Value| read(&json!({ "esimStatus": status, "supportTopUpType": kind })).renewable;
        assert_eq!(renewable("USED_UP", json!(3)), Renewable::Yes);
        assert_eq!(renewable("USED_EXPIRED", json!(3)), Renewable::OneOff);
        assert_eq!(renewable("IN_USE", json!("1")), Renewable::Unknown);
    }

    #[test]
    fn the_newest_package_is_the_plan_and_each_has_its_own_id() {
        let reading = read(&json!({}));
        assert_eq!(reading.assets, ["26050100000001/two", "26033119290005/one"]);
        assert_eq!(reading.plan.as_deref(), Some("TOPUP_CKH002"));
        let first = read(&json!({ "packageList": [{ "packageName": "Spain 1GB 7Days", "packageCode": "CKH001",
            "createTime": "2026-03-31T19:29:36+0000" }] }));
        assert_eq!(first.plan.as_deref(), Some("Spain 1GB 7Days"), "by name, since its code is no top-up's");
        assert_eq!(first.assets, ["2026-03-31T19:29:36+0000"]);
    }
}
