//! A reading of an eSIM from what it has left and when it was installed.

use jiff::tz::TimeZone;

use super::offers::{BYTES, unit_factor};
use super::wire::{LeftDoc, StateDoc};
use crate::domain::money::{Currency, PER_UNIT};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading};
use crate::domain::time::{End, UnixTime};
use crate::operators::kit::time_in;

/// The reading of one eSIM; `state` is none where its operator does not tell.
///
/// # Errors
/// An amount or a time makes no sense.
pub(super) fn reading_of(left: &[LeftDoc], state: Option<&StateDoc>, now: UnixTime) -> Result<Reading, String> {
    let card = state.map_or(CardState::Unknown, card_state);
    let mut allowances = Vec::new();
    for row in left {
        allowances.extend(allowance(row, card, now)?);
    }
    // The time of a package that has not begun is not told; of those that run, the last one counts.
    let data = allowances.iter().filter(|allowance| allowance.kind == AllowanceKind::Data);
    let plan_ends = data.filter_map(|allowance| allowance.ends).max_by_key(|end| end.at);
    Ok(Reading { allowances, plan_ends, ..Reading::empty(now, card) })
}

fn card_state(doc: &StateDoc) -> CardState {
    match (&doc.installation_date, &doc.activation_date) {
        (_, Some(_)) => CardState::Active,
        (Some(_), None) => CardState::NotActive,
        (None, None) => CardState::NotInstalled,
    }
}

/// What is left of one thing; none if it is nothing that is counted here.
fn allowance(row: &LeftDoc, card: CardState, now: UnixTime) -> Result<Option<Allowance>, String> {
    let unlimited = row.amount.decimal().is_some_and(|amount| amount == (-1).into());
    let (kind, factor) = match row.kind.as_str() {
        "DATA" => (AllowanceKind::Data, unit_factor(BYTES, &row.unit)),
        "TALKTIME" => (AllowanceKind::Voice, unit_factor(super::offers::SECS, &row.unit)),
        "SMS" => (AllowanceKind::Sms, Some(1)),
        "CREDITS" => match Currency::parse(&row.unit) {
            Ok(currency) => (AllowanceKind::Credit(currency), Some(PER_UNIT)),
            Err(_) => return Ok(None),
        },
        _ => return Ok(None),
    };
    let factor = match factor {
        Some(factor) => factor,
        None if unlimited => 1,
        None => return Err(format!("`{}` is not a unit of {}", row.unit, row.kind)),
    };
    let ends = row.expiration_date.as_deref().map(|at| time_in(at, &TimeZone::UTC)).transpose()?.map(End::at);
    let state = match ends {
        Some(end) if end.at <= now => AllowanceState::Expired,
        None if matches!(card, CardState::NotActive | CardState::NotInstalled) => AllowanceState::Queued,
        Some(_) | None => AllowanceState::Active,
    };
    let remaining = if unlimited { 0 } else { row.amount.scaled(factor)? };
    Ok(Some(Allowance { kind, remaining, total: None, unlimited, state, starts: None, ends }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::data::DataSize;

    const NOW: UnixTime = UnixTime::clamped(1_780_000_000);

    fn read(rows: serde_json::Value, state: Option<serde_json::Value>) -> Result<Reading, String> {
        let rows: Vec<LeftDoc> = serde_json::from_value(rows).unwrap();
        let state: Option<StateDoc> = state.map(|state| serde_json::from_value(state).unwrap());
        reading_of(&rows, state.as_ref(), NOW)
    }

    fn row(kind: &str, unit: &str, amount: &serde_json::Value, ends: Option<&str>) -> serde_json::Value {
        json!({ "type": kind, "unit_type": "X", "unit": unit, "amount": amount, "expiration_date": ends,
            "country": { "name": "France", "iso_code": "FRA", "regions": null } })
    }

    #[test]
    fn what_is_left_comes_with_its_unit_and_end() {
        let rows = json!([
            row("DATA", "GB", &json!("1.5"), Some("2026-12-01T00:00:00.000000Z")),
            row("DATA", "MB", &json!(500), None),
            row("SMS", "UNIT", &json!(7), None),
            row("PAYMENT", "X", &json!(7), None),
        ]);
        let installed =
            json!({ "installation_date": "2026-01-01T00:00:00Z", "activation_date": "2026-01-02T00:00:00Z" });
        let reading = read(rows, Some(installed)).unwrap();
        assert_eq!(reading.state, CardState::Active);
        assert_eq!(reading.data_left(), Some(DataSize(2_000_000_000)));
        assert_eq!(reading.left(AllowanceKind::Sms).remaining, 7);
        assert_eq!(reading.plan_ends.unwrap().at.to_string(), "2026-12-01T00:00:00Z");
        assert!(!reading.left(AllowanceKind::Voice).known);
    }

    #[test]
    fn minus_one_has_no_end_and_is_never_an_amount() {
        let reading = read(json!([row("DATA", "GB", &json!(-1), None)]), None).unwrap();
        assert!(reading.left(AllowanceKind::Data).unlimited);
        assert_eq!((reading.data_left(), reading.state), (None, CardState::Unknown));
    }

    #[test]
    fn nothing_told_is_nothing_known_and_odd_rows_are_errors() {
        let none = json!({ "installation_date": null, "activation_date": null });
        let reading = read(json!([]), Some(none)).unwrap();
        assert_eq!((reading.state, reading.allowances.len(), reading.plan_ends), (CardState::NotInstalled, 0, None));
        assert!(read(json!([row("DATA", "LIGHTYEAR", &json!(1), None)]), None).is_err());
        assert!(read(json!([row("DATA", "GB", &json!("1e308"), None)]), None).is_err());
        assert!(read(json!([row("DATA", "GB", &json!(1), Some("soon"))]), None).is_err());
        let over = read(json!([row("DATA", "GB", &json!(1), Some("2020-01-01T00:00:00Z"))]), None).unwrap();
        assert_eq!(over.data_left(), Some(DataSize(0)));
    }
}
