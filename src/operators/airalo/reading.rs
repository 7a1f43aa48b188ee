//! A reading from the usage of a card, the history of its packages, and the top-ups that are on sale for it.

use std::cmp::Reverse;

use super::offers::MB;
use super::wire::{HistoryDoc, UsageDoc, time_of};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use crate::domain::time::{End, Secs, UnixTime};

/// Zones differ by less than this from UTC; see [`plan_end`].
const ZONES_SPAN: Secs = Secs::hours(14);

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
    mut history: Vec<HistoryDoc>,
    sold: &[String],
    read_at: UnixTime,
) -> Result<Reading, String> {
    // Newest first: ids count up.
    history.sort_by_key(|row| Reverse(row.id.scaled(1).unwrap_or(0)));
    let state = state_of(usage);
    let ends = plan_end(usage, &history)?;
    let mut allowances = used(usage, allowance_state(state), ends)?;
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
fn used(usage: &UsageDoc, state: AllowanceState, ends: Option<End>) -> Result<Vec<Allowance>, String> {
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
    match usage.is_unlimited {
        // The numbers beside it carry no meaning.
        Some(true) => all.push(allowance(AllowanceKind::Data, remaining, total, true)),
        Some(false) => all.push(allowance(AllowanceKind::Data, remaining, total, false)),
        // Not told: 0 of 0 may be an unlimited plan as well as none, so nothing is said about data.
        None if total == 0 => {}
        None => all.push(allowance(AllowanceKind::Data, remaining, total, false)),
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

/// Packages that were bought and have not begun, on a card where another has: they count as well, unless the usage has
/// them in its total already.
fn waiting(usage: &UsageDoc, history: &[HistoryDoc]) -> Result<Vec<Allowance>, String> {
    let begun = history.iter().any(|row| is(row, "ACTIVE") || is(row, "FINISHED") || is(row, "EXPIRED"));
    let queued: Vec<&HistoryDoc> = history.iter().filter(|row| is(row, "NOT_ACTIVE")).collect();
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
            let unlimited = row.package.is_unlimited == Some(true);
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
fn plan_end(usage: &UsageDoc, history: &[HistoryDoc]) -> Result<Option<End>, String> {
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
fn plan_in_use(history: &[HistoryDoc], sold: &[String]) -> Option<String> {
    let row = history.iter().find(|row| is(row, "ACTIVE")).or_else(|| history.first())?;
    let id = &row.package.id;
    let again = format!("{id}-topup");
    let is_sold = |id: &str| sold.iter().any(|other| other == id);
    Some(if !is_sold(id) && is_sold(&again) { again } else { id.clone() })
}

#[cfg(test)]
mod tests {
    use super::super::wire::Loose;
    use super::*;
    use crate::domain::data::DataSize;

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
        let left = |total| reading_of(&usage(total, "false"), history(), &[], NOW).unwrap().data_left();
        assert_eq!(left(1024), Some(DataSize(2 << 30)), "usage has the active one only");
        assert_eq!(left(2048), Some(DataSize(2 << 30)), "usage has both");
        let fresh = vec![row(1, "NOT_ACTIVE", "null", "a")];
        let reading = reading_of(&usage(1024, "false"), fresh, &[], NOW).unwrap();
        assert_eq!(reading.data_left(), Some(DataSize(1 << 30)), "a card that was never used");
    }

    #[test]
    fn an_end_with_its_zone_is_better_than_one_without() {
        let ends = |stated: &str| {
            let history = vec![row(1, "ACTIVE", stated, "a")];
            reading_of(&usage(1, "false"), history, &[], NOW).unwrap().plan_ends.unwrap().at.to_string()
        };
        assert_eq!(ends(r#""2023-02-09T10:30:45+00:00""#), "2023-02-09T10:30:45Z");
        assert_eq!(ends(r#""2023-03-09T10:30:45+00:00""#), "2023-02-09T12:30:45Z");
        assert_eq!(ends("null"), "2023-02-09T12:30:45Z");
    }

    #[test]
    fn the_newest_active_package_is_the_plan_and_a_first_package_is_found_as_top_up() {
        let plan = |history: Vec<HistoryDoc>, on_sale: &[String]| {
            reading_of(&usage(1, "false"), history, on_sale, NOW).unwrap().plan
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
        let reading = |total, unlimited| reading_of(&usage(total, unlimited), vec![], &[], NOW).unwrap();
        assert_eq!(reading(0, "null").allowances, []);
        assert_eq!(reading(512, "null").data_left(), Some(DataSize(512 << 20)));
        assert!(reading(0, "true").left(AllowanceKind::Data).unlimited);
        assert!(reading(512, "true").left(AllowanceKind::Data).unlimited);
        assert_eq!(reading(0, "false").data_left(), Some(DataSize(0)));
    }

    #[test]
    fn a_word_that_is_not_known_is_no_state() {
        let mut odd = usage(1, "false");
        odd.status = "SLEEPING".into();
        assert_eq!(state_of(&odd), CardState::Unknown);
        odd.remaining = Loose("1e308".into());
        assert!(reading_of(&odd, vec![], &[], NOW).is_err());
    }
}
