//! A reading from the usage of a card, the history of its packages, and the top-ups that are on sale for it.

use std::cmp::Reverse;

use jiff::tz::TimeZone;

use super::offers::MB;
use super::wire::{HistoryDoc, UsageDoc};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use crate::domain::time::{End, Secs, UnixTime};
use crate::operators::kit::{Flag, time_in};

/// Zones differ by less than this from UTC; see [`plan_end`].
const ZONES_SPAN: Secs = Secs::hours(14);

/// History states its offset. Usage states no zone, which is not documented; it is taken as UTC, like the history's.
fn time_of(text: &str) -> Result<UnixTime, String> {
    time_in(text, &TimeZone::UTC)
}

/// The card's state, from the word that Airalo uses.
pub(super) fn state_of(usage: &UsageDoc) -> CardState {
    match usage.status.as_str() {
        "NOT_ACTIVE" => CardState::NotActive,
        "ACTIVE" => CardState::Active,
        "FINISHED" => CardState::Finished,
        "EXPIRED" => CardState::Expired,
        "RECYCLED" => CardState::Recycled,
        _ => CardState::Unknown,
    }
}

/// A card that Airalo has taken back: nothing else about it matters, and nothing can be bought for it.
pub(super) fn recycled(read_at: UnixTime) -> Reading {
    Reading { renewable: Renewable::OneOff, ..Reading::empty(read_at, CardState::Recycled) }
}

/// The reading of any other card; `sold` are the ids of the top-ups on sale for it.
pub(super) fn reading_of(
    usage: &UsageDoc,
    history: &[HistoryDoc],
    sold: &[String],
    read_at: UnixTime,
) -> Result<Reading, String> {
    let mut history: Vec<&HistoryDoc> = history.iter().collect();
    // Newest first: ids count up.
    history.sort_by_key(|row| Reverse(row.id.scaled(1).unwrap_or(0)));
    let state = state_of(usage);
    let ends = plan_end(usage, &history)?;
    let mut allowances = used(usage, allowance_state(state), ends, &history)?;
    if let Some(started) =
        history.iter().filter(|row| is(row, "ACTIVE")).filter_map(|row| row.activated_at.as_deref()).min()
    {
        let starts = time_of(started).ok();
        allowances.iter_mut().for_each(|allowance| allowance.starts = starts);
    }
    allowances.extend(waiting(usage, &history)?);
    Ok(Reading {
        renewable: if sold.is_empty() { Renewable::OneOff } else { Renewable::Yes },
        allowances,
        plan_ends: ends,
        assets: history.iter().map(|row| row.id.0.clone()).collect(),
        plan: plan_in_use(&history, sold),
        ..Reading::empty(read_at, state)
    })
}

fn is(row: &HistoryDoc, status: &str) -> bool {
    row.status == status
}

const fn allowance_state(state: CardState) -> AllowanceState {
    match state {
        CardState::NotActive | CardState::NotInstalled => AllowanceState::Queued,
        CardState::Finished => AllowanceState::Finished,
        CardState::Expired | CardState::Recycled => AllowanceState::Expired,
        CardState::Active | CardState::Blocked | CardState::Unknown => AllowanceState::Active,
    }
}

/// Data, calls and texts as the usage counts them: all packages of the card together.
fn used(
    usage: &UsageDoc,
    state: AllowanceState,
    ends: Option<End>,
    history: &[&HistoryDoc],
) -> Result<Vec<Allowance>, String> {
    let allowance = |kind, remaining, total, unlimited| Allowance {
        kind,
        remaining,
        total: Some(total),
        unlimited,
        state,
        starts: None,
        ends,
    };
    let (remaining, total) = (usage.remaining.scaled(MB)?, usage.total.scaled(MB)?);
    let mut all = Vec::new();
    match meaning(usage, total, state, history)? {
        Numbers::Count => all.push(allowance(AllowanceKind::Data, remaining, total, false)),
        Numbers::Unlimited => all.push(allowance(AllowanceKind::Data, remaining, total, true)),
        Numbers::MeanNothing => {}
    }
    for (kind, left, whole, factor) in [
        (AllowanceKind::Voice, &usage.remaining_voice, &usage.total_voice, 60),
        (AllowanceKind::Sms, &usage.remaining_text, &usage.total_text, 1),
    ] {
        let (Some(left), Some(whole)) = (left, whole) else { continue };
        let (left, whole) = (left.scaled(factor)?, whole.scaled(factor)?);
        if whole != 0 || left != 0 {
            all.push(allowance(kind, left, whole, false));
        }
    }
    Ok(all)
}

/// What the numbers of a usage mean.
enum Numbers {
    /// What they say.
    Count,
    /// Data has no end, and they say nothing.
    Unlimited,
    /// Nothing at all is known about data.
    MeanNothing,
}

/// An unlimited plan has 0 of 0 and a flag, and the flag may be wrong in the sandbox; so the packages are asked as
/// well: one that has no end is believed, and so is an amount with a package that has one.
fn meaning(usage: &UsageDoc, total: i64, state: AllowanceState, history: &[&HistoryDoc]) -> Result<Numbers, String> {
    // What has had its end is over, and 0 is 0.
    if matches!(state, AllowanceState::Finished | AllowanceState::Expired) {
        return Ok(if usage.is_unlimited.is_none() && total == 0 { Numbers::MeanNothing } else { Numbers::Count });
    }
    let word = if history.iter().any(|row| is(row, "ACTIVE")) { "ACTIVE" } else { "NOT_ACTIVE" };
    let in_use: Vec<&HistoryDoc> = history.iter().copied().filter(|row| is(row, word)).collect();
    if in_use.iter().any(|row| says_unlimited(row) == Some(true)) {
        return Ok(Numbers::Unlimited);
    }
    let all_end = !in_use.is_empty() && in_use.iter().all(|row| says_unlimited(row) == Some(false));
    let mut without_amount = false;
    for row in &in_use {
        without_amount |= row.package.amount.as_ref().map_or(Ok(0), |amount| amount.scaled(1))? == 0;
    }
    Ok(match usage.is_unlimited {
        Some(Flag(true)) if total > 0 && all_end => Numbers::Count,
        Some(Flag(true)) => Numbers::Unlimited,
        // 0 of 0 beside a package without an amount: it has no data, or no end of it.
        Some(Flag(false)) if total == 0 && without_amount => Numbers::MeanNothing,
        // Not told: 0 of 0 may be an unlimited plan as well as none.
        None if total == 0 => Numbers::MeanNothing,
        Some(Flag(false)) | None => Numbers::Count,
    })
}

/// Whether a package is unlimited, if it tells: by its flag, or by the word that stands in place of its amount.
fn says_unlimited(row: &HistoryDoc) -> Option<bool> {
    let by_word = row.package.data.as_deref().is_some_and(|text| text.trim().eq_ignore_ascii_case("unlimited"));
    if by_word { Some(true) } else { row.package.is_unlimited.map(|flag| flag.0) }
}

/// Packages that were bought and have not begun, on a card where another has: they count as well, unless the usage has
/// them in its total already.
fn waiting(usage: &UsageDoc, history: &[&HistoryDoc]) -> Result<Vec<Allowance>, String> {
    let begun = history.iter().any(|row| is(row, "ACTIVE") || is(row, "FINISHED") || is(row, "EXPIRED"));
    let queued: Vec<&HistoryDoc> = history.iter().copied().filter(|row| is(row, "NOT_ACTIVE")).collect();
    let amount = |row: &HistoryDoc| row.package.amount.as_ref().map_or(Ok(0), |amount| amount.scaled(MB));
    let mut counted: i64 = 0;
    for row in history.iter().filter(|row| is(row, "ACTIVE") || is(row, "NOT_ACTIVE")) {
        counted = counted.saturating_add(amount(row)?);
    }
    if !begun || queued.is_empty() || (counted > 0 && usage.total.scaled(MB)? >= counted) {
        return Ok(Vec::new());
    }
    queued
        .into_iter()
        .map(|row| {
            let unlimited = says_unlimited(row) == Some(true);
            Ok(Allowance {
                kind: AllowanceKind::Data,
                remaining: amount(row)?,
                total: Some(amount(row)?),
                unlimited,
                state: AllowanceState::Queued,
                starts: None,
                ends: None,
            })
        })
        .collect()
}

/// When the plan ends. The usage states no zone, the history does: where both mean the same end, the history's is
/// taken, and where the history has none like it, the usage's is read as UTC.
fn plan_end(usage: &UsageDoc, history: &[&HistoryDoc]) -> Result<Option<End>, String> {
    let active = history.iter().filter(|row| is(row, "ACTIVE")).filter_map(|row| row.expired_at.as_deref());
    let stated: Vec<UnixTime> = active.map(time_of).collect::<Result<_, _>>()?;
    let Some(told) = usage.expired_at.as_deref() else {
        return Ok(stated.into_iter().max().map(End::at));
    };
    let told = time_of(told)?;
    let same = stated.into_iter().filter(|at| at.since(told).0.abs() <= ZONES_SPAN.0);
    Ok(Some(End::at(same.max().unwrap_or(told))))
}

/// The package in use, by the id under which it can be bought again: a first package is sold again under its own id
/// with `-topup` behind it.
fn plan_in_use(history: &[&HistoryDoc], sold: &[String]) -> Option<String> {
    let row = history.iter().find(|row| is(row, "ACTIVE")).or_else(|| history.first()).copied()?;
    let id = &row.package.id;
    let again = format!("{id}-topup");
    let is_sold = |id: &str| sold.iter().any(|other| other == id);
    Some(if !is_sold(id) && is_sold(&again) { again } else { id.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::DataSize;
    use crate::operators::kit::Loose;

    const NOW: UnixTime = UnixTime::clamped(1_673_000_000);

    fn usage(total: i64, unlimited: &str) -> UsageDoc {
        let text = format!(
            r#"{{"remaining":{total},"total":{total},"expired_at":"2023-02-09 12:30:45","is_unlimited":{unlimited},"status":"ACTIVE"}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn row(id: u32, status: &str, expires: &str, package: &str) -> HistoryDoc {
        let text = format!(
            r#"{{"id":{id},"status":"{status}","expired_at":{expires},"package":{{"id":"{package}","amount":1024}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn sold(id: &str) -> String {
        id.to_owned()
    }

    #[test]
    fn waiting_packages_count_once() {
        let history = || vec![row(1, "ACTIVE", "null", "a"), row(2, "NOT_ACTIVE", "null", "a-topup")];
        let left = |total| reading_of(&usage(total, "false"), &history(), &[], NOW).unwrap().data_left();
        assert_eq!(left(1024), Some(DataSize(2 << 30)), "usage has the active one only");
        assert_eq!(left(2048), Some(DataSize(2 << 30)), "usage has both");
        let fresh = vec![row(1, "NOT_ACTIVE", "null", "a")];
        let reading = reading_of(&usage(1024, "false"), &fresh, &[], NOW).unwrap();
        assert_eq!(reading.data_left(), Some(DataSize(1 << 30)), "a card that was never used");
    }

    #[test]
    fn an_end_with_its_zone_is_better_than_one_without() {
        let ends = |stated: &str| {
            let history = vec![row(1, "ACTIVE", stated, "a")];
            reading_of(&usage(1, "false"), &history, &[], NOW).unwrap().plan_ends.unwrap().at.to_string()
        };
        assert_eq!(ends(r#""2023-02-09T10:30:45+00:00""#), "2023-02-09T10:30:45Z");
        assert_eq!(ends(r#""2023-03-09T10:30:45+00:00""#), "2023-02-09T12:30:45Z");
        assert_eq!(ends("null"), "2023-02-09T12:30:45Z");
    }

    #[test]
    fn the_newest_active_package_is_the_plan_and_a_first_package_is_found_as_top_up() {
        let plan = |history: Vec<HistoryDoc>, on_sale: &[String]| {
            reading_of(&usage(1, "false"), &history, on_sale, NOW).unwrap().plan
        };
        let history = || {
            vec![
                row(9, "ACTIVE", "null", "old"),
                row(10, "ACTIVE", "null", "new"),
                row(11, "NOT_ACTIVE", "null", "next"),
            ]
        };
        assert_eq!(plan(history(), &[]).as_deref(), Some("new"));
        assert_eq!(plan(history(), &[sold("new-topup")]).as_deref(), Some("new-topup"));
        assert_eq!(plan(history(), &[sold("new-topup"), sold("new")]).as_deref(), Some("new"));
        assert_eq!(plan(vec![], &[]), None);
    }

    #[test]
    fn what_is_not_told_about_data_is_not_guessed() {
        let reading = |total, unlimited| reading_of(&usage(total, unlimited), &[], &[], NOW).unwrap();
        assert_eq!(reading(0, "null").allowances, []);
        assert_eq!(reading(512, "null").data_left(), Some(DataSize(512 << 20)));
        assert!(reading(0, "true").left(AllowanceKind::Data).unlimited);
        assert!(reading(512, "true").left(AllowanceKind::Data).unlimited);
        assert_eq!(reading(0, "false").data_left(), Some(DataSize(0)));
    }

    #[test]
    fn the_packages_say_as_well_whether_data_has_an_end() {
        let known = |total, flag: &str, status: &str, package: &str| {
            let mut usage = usage(total, flag);
            usage.status = status.into();
            let row = format!(r#"{{"id":1,"status":"{status}","package":{{"id":"a",{package}}}}}"#);
            let history = [serde_json::from_str(&row).unwrap()];
            let left = reading_of(&usage, &history, &[], NOW).unwrap().left(AllowanceKind::Data);
            left.known.then_some((left.unlimited, left.remaining >> 20))
        };
        let (ends, endless) = (r#""amount":1024,"is_unlimited":false"#, r#""amount":0,"is_unlimited":true"#);
        for (total, flag, status, package, expected) in [
            (1_024, "true", "ACTIVE", ends, Some((false, 1_024))),
            (0, "true", "ACTIVE", ends, Some((true, 0))),
            (0, "false", "ACTIVE", endless, Some((true, 0))),
            (0, "\"0\"", "NOT_ACTIVE", endless, Some((true, 0))),
            (1_024, "null", "ACTIVE", r#""amount":"0","data":"Unlimited""#, Some((true, 1_024))),
            (0, "false", "ACTIVE", r#""amount":0,"is_unlimited":false"#, None),
            (0, "false", "ACTIVE", ends, Some((false, 0))),
            (0, "true", "FINISHED", endless, Some((false, 0))),
            (0, "null", "ACTIVE", ends, None),
        ] {
            assert_eq!(known(total, flag, status, package), expected, "{total} {flag} {status} {package}");
        }
    }

    #[test]
    fn a_word_that_is_not_known_is_no_state() {
        let mut odd = usage(1, "false");
        odd.status = "SLEEPING".into();
        assert_eq!(state_of(&odd), CardState::Unknown);
        odd.remaining = Loose("1e308".into());
        assert!(reading_of(&odd, &[], &[], NOW).is_err());
    }
}
