//! Readings of the past: one packed row per card and month. Months are kept in full for 35 days after their end, then
//! the first, the last and the least reading of each day.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use rusqlite::Connection;

use super::cards::bounded;
pub use super::codec::Past;
use super::codec::{Damaged, Month, unpack_tail, unpack_whole};
use super::error::StoreError;
use super::fields::{change, first, rows, scalar};
use crate::domain::card::CardId;
use crate::domain::reading::{AllowanceKind, Reading};
use crate::domain::time::{Secs, UnixTime};

/// For this long after the end of its month every reading is kept.
pub const KEPT_WHOLE: Secs = Secs::days(35);

const RECENT: &str = "SELECT latest, tail FROM poll WHERE card = ?1";
const MONTH: &str = "SELECT packed FROM reading_month WHERE month = ?1 AND card = ?2";
const OLD: &str = "SELECT packed FROM reading_old WHERE month = ?1 AND card = ?2";
const STORE_MONTH: &str = "INSERT INTO reading_month (month, card, packed) VALUES (?1, ?2, ?3) \
     ON CONFLICT (month, card) DO UPDATE SET packed = excluded.packed";
const STORE_OLD: &str = "INSERT INTO reading_old (month, card, packed) VALUES (?1, ?2, ?3) \
     ON CONFLICT (month, card) DO UPDATE SET packed = excluded.packed";
const DROP_MONTH: &str = "DELETE FROM reading_month WHERE month = ?1 AND card = ?2";
const RIPE: &str = "SELECT month, card FROM reading_month WHERE month <= ?1 ORDER BY month, card LIMIT ?2";
const BOUNDS: &str = "SELECT min(month), max(month) FROM \
     (SELECT month FROM reading_month UNION ALL SELECT month FROM reading_old)";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[RECENT, MONTH, OLD, STORE_MONTH, STORE_OLD, DROP_MONTH, RIPE, BOUNDS];

/// The readings of a card that made sense, from `from` up to but not including `until`, oldest first.
///
/// # Errors
/// [`StoreError::Unreadable`] where packed bytes are damaged.
pub fn history(conn: &Connection, card: CardId, from: UnixTime, until: UnixTime) -> Result<Vec<Reading>, StoreError> {
    let all = history_with_odd(conn, card, from, until)?;
    Ok(all.into_iter().filter(|past| past.odd.is_none()).map(|past| past.reading).collect())
}

/// As [`history`], with the last one before `from`, if it is not older than what is kept whole: what it showed may still have been
/// so when the time that is asked about began.
///
/// # Errors
/// [`StoreError::Unreadable`] where packed bytes are damaged.
pub fn known_since(
    conn: &Connection,
    card: CardId,
    from: UnixTime,
    until: UnixTime,
) -> Result<Vec<Reading>, StoreError> {
    let mut found = history(conn, card, from.minus(KEPT_WHOLE), until)?;
    let before = found.iter().rposition(|reading| reading.read_at < from);
    Ok(found.split_off(before.unwrap_or(0)))
}

/// As [`history`], with the readings that were kept as evidence only.
///
/// # Errors
/// [`StoreError::Unreadable`] where packed bytes are damaged.
pub fn history_with_odd(
    conn: &Connection,
    card: CardId,
    from: UnixTime,
    until: UnixTime,
) -> Result<Vec<Past>, StoreError> {
    let mut found = Vec::new();
    let Some((first_month, last_month)) = months(conn)? else { return recent(conn, card, from, until) };
    for month in month_of(from).max(first_month)..=month_of(until).min(last_month) {
        for (table, sql) in [("reading_old", OLD), ("reading_month", MONTH)] {
            found.extend(stored(conn, table, sql, month, card)?);
        }
    }
    found.retain(|past| (from..until).contains(&past.reading.read_at));
    found.extend(recent(conn, card, from, until)?);
    found.sort_by_key(|past| past.reading.read_at);
    Ok(found)
}

/// The first and the last month of which anything is stored.
fn months(conn: &Connection) -> Result<Option<(i64, i64)>, StoreError> {
    first(conn, BOUNDS, [], |row| {
        let (first, last): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
        Ok(first.zip(last))
    })
    .map(Option::flatten)
}

/// The readings that are still in the card's hot row.
fn recent(conn: &Connection, card: CardId, from: UnixTime, until: UnixTime) -> Result<Vec<Past>, StoreError> {
    let row = first(conn, RECENT, [card.0], |row| Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    let Some((latest, tail)) = row else { return Ok(Vec::new()) };
    let damaged = |error| unreadable("poll", "latest", card, error);
    let latest = latest.map(|packed| unpack_whole(&packed)).transpose().map_err(damaged)?;
    let mut found = unpack_tail(&tail, latest.as_ref()).map_err(|error| unreadable("poll", "tail", card, error))?;
    found.extend(latest.map(Past::sound));
    found.retain(|past| (from..until).contains(&past.reading.read_at));
    found.sort_by_key(|past| past.reading.read_at);
    Ok(found)
}

/// Adds readings, oldest first, to the months of their instants.
pub(super) fn append(conn: &Connection, card: CardId, pasts: &[Past]) -> Result<(), StoreError> {
    let mut by_month: BTreeMap<i64, Vec<&Past>> = BTreeMap::new();
    for past in pasts {
        by_month.entry(month_of(past.reading.read_at)).or_default().push(past);
    }
    for (month, pasts) in by_month {
        let packed: Option<Vec<u8>> = scalar(conn, MONTH, (month, card.0))?;
        let known = packed.map(|packed| Month::unpack(&packed, |_, _| ()));
        let mut blob = match known {
            None => Month::default(),
            Some(Ok(blob)) => blob,
            // Reading on matters more than the past of one card: the damaged month gives way, and is told.
            Some(Err(error)) => {
                tracing::error!(card.id = card.0, month, %error, "a month of readings is lost");
                Month::default()
            }
        };
        for past in pasts {
            blob.push(past);
        }
        change(conn, STORE_MONTH, (month, card.0, blob.pack()))?;
    }
    Ok(())
}

/// Thins the months that ended 35 days before `now`, at most `limit` card-months in one call; says how many were done.
/// To be called until it says 0.
///
/// # Errors
/// If the record cannot be written. Damaged months are told in the log and left as they are found in `reading_old`.
pub fn thin(conn: &Connection, now: UnixTime, limit: usize) -> Result<usize, StoreError> {
    let last_ripe = month_of(now.minus(KEPT_WHOLE)) - 1;
    let ripe = rows(conn, RIPE, (last_ripe, bounded(limit)), |row| Ok((row.get::<_, i64>(0)?, CardId(row.get(1)?))))?;
    for (month, card) in &ripe {
        thin_month(conn, *month, *card)?;
    }
    Ok(ripe.len())
}

fn thin_month(conn: &Connection, month: i64, card: CardId) -> Result<(), StoreError> {
    let whole = stored(conn, "reading_month", MONTH, month, card);
    let mut all = match stored(conn, "reading_old", OLD, month, card) {
        Ok(old) => old,
        Err(error) => return leave(conn, month, card, &error),
    };
    match whole {
        Ok(whole) => all.extend(whole),
        Err(error) => return leave(conn, month, card, &error),
    }
    all.sort_by_key(|past| past.reading.read_at);
    let mut kept = Month::default();
    for past in thinned(all) {
        kept.push(&past);
    }
    change(conn, STORE_OLD, (month, card.0, kept.pack()))?;
    change(conn, DROP_MONTH, (month, card.0))?;
    Ok(())
}

/// A month that cannot be read cannot be thinned; it moves as it is, so that it is not met again every day.
fn leave(conn: &Connection, month: i64, card: CardId, error: &StoreError) -> Result<(), StoreError> {
    tracing::error!(card.id = card.0, month, %error, "a month of readings cannot be thinned");
    let packed: Option<Vec<u8>> = scalar(conn, MONTH, (month, card.0))?;
    if scalar::<Vec<u8>>(conn, OLD, (month, card.0))?.is_none() {
        change(conn, STORE_OLD, (month, card.0, packed))?;
    }
    change(conn, DROP_MONTH, (month, card.0))?;
    Ok(())
}

/// The first, the last and the least reading of each UTC day; those that make no sense stay as evidence.
fn thinned(all: Vec<Past>) -> Vec<Past> {
    let mut days: BTreeMap<i64, Vec<Past>> = BTreeMap::new();
    for past in all {
        days.entry(past.reading.read_at.secs().div_euclid(Secs::DAY.0)).or_default().push(past);
    }
    days.into_values().flat_map(thinned_day).collect()
}

fn thinned_day(day: Vec<Past>) -> Vec<Past> {
    let sound = |past: &Past| past.odd.is_none();
    let first = day.iter().position(sound);
    let last = day.iter().rposition(sound);
    let least =
        (0..day.len()).filter(|place| sound(&day[*place])).min_by_key(|place| amount_left(&day[*place].reading));
    let keep = [first, last, least];
    let numbered = day.into_iter().enumerate();
    numbered.filter(|(place, past)| past.odd.is_some() || keep.contains(&Some(*place))).map(|(_, past)| past).collect()
}

/// What "least" means: data where the card has any, else the first allowance's amount.
fn amount_left(reading: &Reading) -> i64 {
    let data = reading.left(AllowanceKind::Data);
    if data.known { data.remaining } else { reading.allowances.first().map_or(0, |allowance| allowance.remaining) }
}

fn stored(
    conn: &Connection,
    table: &'static str,
    sql: &str,
    month: i64,
    card: CardId,
) -> Result<Vec<Past>, StoreError> {
    let packed: Option<Vec<u8>> = scalar(conn, sql, (month, card.0))?;
    let Some(packed) = packed else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    Month::unpack(&packed, |reading, odd| found.push(Past { reading: reading.clone(), odd }))
        .map_err(|error| unreadable(table, "packed", card, error))?;
    Ok(found)
}

/// An error about packed bytes; the row is the card.
pub(super) fn unreadable(table: &'static str, column: &'static str, card: CardId, error: Damaged) -> StoreError {
    StoreError::Unreadable { table, column, row: card.0, why: error.to_string() }
}

/// Months since year 0, in UTC.
fn month_of(at: UnixTime) -> i64 {
    let day = at.date_in(&TimeZone::UTC);
    i64::from(day.year()) * 12 + i64::from(day.month()) - 1
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, card, memory};
    use super::*;
    use crate::domain::reading::{Allowance, AllowanceState, CardState, Oddity};

    fn with_data(read_at: UnixTime, remaining: i64) -> Past {
        let data = Allowance {
            kind: AllowanceKind::Data,
            remaining,
            total: None,
            unlimited: false,
            state: AllowanceState::Active,
            starts: None,
            ends: None,
        };
        Past::sound(Reading { allowances: vec![data], ..Reading::empty(read_at, CardState::Active) })
    }

    fn day(n: i64) -> UnixTime {
        UnixTime::parse("2026-03-01T00:00:00Z").unwrap().plus(Secs::days(n))
    }

    #[test]
    fn readings_lie_in_their_months_and_come_back_in_order() {
        let conn = memory();
        let id = card(&conn, "a");
        let all: Vec<_> = (0..100).map(|n| with_data(day(n), 1_000 - n)).collect();
        append(&conn, id, &all[..50]).unwrap();
        append(&conn, id, &all[50..]).unwrap();
        let count: i64 = scalar(&conn, "SELECT count(*) FROM reading_month", []).unwrap().unwrap();
        assert_eq!(count, 4);
        assert_eq!(history_with_odd(&conn, id, UnixTime::MIN, UnixTime::MAX).unwrap(), all);
        let some = history(&conn, id, day(30), day(33)).unwrap();
        assert_eq!(some.iter().map(|reading| reading.read_at).collect::<Vec<_>>(), [day(30), day(31), day(32)]);
        assert!(history(&conn, CardId(99), UnixTime::MIN, UnixTime::MAX).unwrap().is_empty());
        let known = |from, until| {
            let known = known_since(&conn, id, from, until).unwrap();
            known.iter().map(|reading| reading.read_at.since(day(0)).0 / Secs::DAY.0).collect::<Vec<_>>()
        };
        assert_eq!(known(day(30), day(33)), [29, 30, 31, 32]);
        assert_eq!(known(day(30).plus(Secs(1)), day(31)), [30], "the last before counts where none is within");
        assert_eq!((known(day(0), day(2)), known(day(134), day(140))), (vec![0, 1], vec![99]));
        assert_eq!(known(day(136), day(140)), [0; 0]);
    }

    #[test]
    fn old_months_keep_first_last_and_least_of_a_day_and_all_evidence() {
        let conn = memory();
        let id = card(&conn, "a");
        let hour = |day_number: i64, hour: i64| day(day_number).plus(Secs::hours(hour));
        let mut march = vec![with_data(hour(0, 1), 9), with_data(hour(0, 2), 3), with_data(hour(0, 3), 5)];
        march.push(Past { odd: Some(Oddity::FromTheFuture), ..with_data(hour(0, 4), 1) });
        march.extend([with_data(hour(0, 5), 8), with_data(hour(0, 6), 7), with_data(hour(1, 1), 7)]);
        let may = vec![with_data(day(61), 4), with_data(day(61).plus(Secs::HOUR), 4)];
        append(&conn, id, &march).unwrap();
        append(&conn, id, &may).unwrap();
        // March ends on day 31, so that it is ripe on day 66 and not before.
        assert_eq!(thin(&conn, day(66).minus(Secs(1)), 10).unwrap(), 0);
        assert_eq!(thin(&conn, day(66), 10).unwrap(), 1);
        assert_eq!(thin(&conn, day(66), 10).unwrap(), 0);
        let kept = history_with_odd(&conn, id, UnixTime::MIN, UnixTime::MAX).unwrap();
        let expected = [&march[0], &march[1], &march[3], &march[5], &march[6], &may[0], &may[1]];
        assert_eq!(kept.iter().collect::<Vec<_>>(), expected);
        // What comes late to a thinned month is thinned with it.
        append(&conn, id, &[with_data(hour(0, 7), 7)]).unwrap();
        assert_eq!(thin(&conn, day(66), 10).unwrap(), 1);
        assert_eq!(history(&conn, id, day(0), day(1)).unwrap().len(), 3);
    }

    #[test]
    fn a_damaged_month_is_told_and_stops_nothing() {
        let conn = memory();
        let id = card(&conn, "a");
        append(&conn, id, &[with_data(day(0), 1)]).unwrap();
        conn.execute("UPDATE reading_month SET packed = x'0102030405060708'", []).unwrap();
        match history(&conn, id, UnixTime::MIN, UnixTime::MAX) {
            Err(StoreError::Unreadable { table: "reading_month", column: "packed", row, .. }) => assert_eq!(row, id.0),
            other => panic!("{other:?}"),
        }
        assert_eq!(thin(&conn, NOW.plus(Secs::days(400)), 10).unwrap(), 1);
        append(&conn, id, &[with_data(day(1), 1)]).unwrap();
    }
}
