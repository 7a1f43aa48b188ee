//! What a poll changes: one narrow row per card, in the order of the cards. It holds the newest reading whole and those
//! before it as a short tail of differences, which is added to the card's month when it has grown.

use rusqlite::{Connection, Row};

use super::busy_bytes;
use super::codec::{Damaged, Past, front_of_tail, pack_whole, push_front, unpack_tail, unpack_whole};
use super::error::StoreError;
use super::fields::{change, first, rows};
use super::readings::{append, unreadable};
use super::words::Word;
use crate::domain::busiest::Busiest;
use crate::domain::card::CardId;
pub use crate::domain::intake::Seen;
use crate::domain::money::Currency;
use crate::domain::reading::{AllowanceKind, EndKind, Oddity, Reading, Recent};
use crate::domain::time::UnixTime;

/// A tail longer than this goes into the month; short enough to keep the row narrow, long enough to write months seldom.
const TAIL_MAX_BYTES: usize = 64;

const SCHEDULE: &str = "SELECT card, next_poll_at FROM poll WHERE next_poll_at IS NOT NULL ORDER BY card";
// What is nearly always absent is asked for in the same breath, so that a calm card costs one statement.
const LOAD: &str = "SELECT next_poll_at, cycle, failures, odd_at, odd, latest, tail, \
     EXISTS (SELECT 1 FROM attempt WHERE card = ?1), EXISTS (SELECT 1 FROM quarantine WHERE card = ?1), \
     (SELECT verdict FROM decision WHERE card = ?1 ORDER BY id DESC LIMIT 1), busiest FROM poll WHERE card = ?1";
const PACKED: &str = "SELECT latest, tail FROM poll WHERE card = ?1";
// A card that was retired while its answer was on the way stays retired.
const SAVE_GOOD: &str = "UPDATE poll SET next_poll_at = iif(next_poll_at IS NULL, NULL, ?2), cycle = ?3, failures = 0, \
     odd_at = NULL, odd = NULL, latest = ?4, tail = ?5, busiest = coalesce(?6, busiest) WHERE card = ?1";
const SAVE_ODD: &str = "UPDATE poll SET next_poll_at = iif(next_poll_at IS NULL, NULL, ?2), cycle = ?3, failures = 0, \
     odd_at = ?4, odd = ?5, tail = ?6 WHERE card = ?1";
const SAVE_FAILED: &str = "UPDATE poll SET next_poll_at = iif(next_poll_at IS NULL, NULL, ?2), cycle = ?3, \
     failures = failures + 1 WHERE card = ?1";
const SAVE_TIME: &str =
    "UPDATE poll SET next_poll_at = iif(next_poll_at IS NULL, NULL, ?2), cycle = ?3 WHERE card = ?1";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[SCHEDULE, LOAD, PACKED, SAVE_GOOD, SAVE_ODD, SAVE_FAILED, SAVE_TIME];

/// What is known of a card from its polls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// The last two readings that make sense, and the last that does not.
    pub recent: Recent,
    /// The card's present need; counts up when an effect is seen.
    pub cycle: u32,
    /// How many polls in a row failed.
    pub failures: u32,
    /// When the card is read next; none for a retired one.
    pub next_poll_at: Option<UnixTime>,
    /// Whether anything was ever ordered for it.
    pub has_attempts: bool,
    /// Whether it was set aside after a restore.
    pub is_quarantined: bool,
    /// What was concluded last, in a word.
    pub verdict: Option<String>,
    /// The readings before the latest, packed; [`save_loaded`] adds to them.
    pub tail: Vec<u8>,
}

/// What is to be written after a poll of one card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollUpdate {
    /// The card.
    pub card: CardId,
    /// What it brought.
    pub seen: Seen,
    /// When the card is read next.
    pub next_poll_at: UnixTime,
    /// The card's need from now on.
    pub cycle: u32,
}

/// When each live card is read next, in one pass in the order of the rows.
///
/// # Errors
/// If the record cannot be read.
pub fn schedule(conn: &Connection) -> Result<Vec<(CardId, UnixTime)>, StoreError> {
    rows(conn, SCHEDULE, [], |row| Ok((CardId(row.get(0)?), UnixTime::clamped(row.get(1)?))))
}

/// What is known of one card.
///
/// # Errors
/// [`StoreError::Missing`], or [`StoreError::Unreadable`]. Packed readings that are damaged are told in the log and left
/// out: a card without a reading is read again, and the next one heals its row.
pub fn load(conn: &Connection, card: CardId) -> Result<Poll, StoreError> {
    first(conn, LOAD, [card.0], |row| poll_of(card, row))?.ok_or(StoreError::Missing { table: "poll", row: card.0 })
}

/// The packed readings of a row.
#[derive(Default)]
struct Unpacked {
    latest: Option<Reading>,
    previous: Option<Reading>,
    tail: Vec<u8>,
}

fn unpacked(latest: Option<&[u8]>, tail: &[u8]) -> Result<Unpacked, (&'static str, Damaged)> {
    let latest = latest.map(unpack_whole).transpose().map_err(|error| ("latest", error))?;
    let previous = match &latest {
        Some(latest) => front_of_tail(tail, Some(latest)).map_err(|error| ("tail", error))?,
        None => None,
    };
    Ok(Unpacked { latest, previous, tail: tail.to_vec() })
}

fn poll_of(card: CardId, row: &Row<'_>) -> Result<Poll, StoreError> {
    let wrong = |column, why: &str| StoreError::Unreadable { table: "poll", column, row: card.0, why: why.to_owned() };
    let odd = match (row.get::<_, Option<i64>>(3)?, row.get_ref(4)?.as_str_or_null().unwrap_or_default()) {
        (Some(at), Some(text)) => {
            Some((UnixTime::clamped(at), oddity_of(text).ok_or_else(|| wrong("odd", "an unknown oddity"))?))
        }
        _ => None,
    };
    let latest = row.get_ref(5)?.as_blob_or_null().map_err(|error| wrong("latest", &error.to_string()))?;
    let tail = row.get_ref(6)?.as_blob().map_err(|error| wrong("tail", &error.to_string()))?;
    let unpacked = unpacked(latest, tail).unwrap_or_else(|(column, error)| {
        tracing::error!(error = %unreadable("poll", column, card, error), "the last readings of a card are lost");
        Unpacked::default()
    });
    // It is learned again within a day.
    let busiest = busy_bytes::unpack(row.get_ref(10)?.as_blob().unwrap_or_default()).unwrap_or_else(|error| {
        tracing::error!(error = %unreadable("poll", "busiest", card, error), "what a card used is learned anew");
        Vec::new()
    });
    let count = |value: i64, column| u32::try_from(value).map_err(|error| wrong(column, &error.to_string()));
    Ok(Poll {
        recent: Recent { latest: unpacked.latest, previous: unpacked.previous, odd, busiest },
        cycle: count(row.get(1)?, "cycle")?,
        failures: count(row.get(2)?, "failures")?,
        next_poll_at: row.get::<_, Option<i64>>(0)?.map(UnixTime::clamped),
        has_attempts: row.get(7)?,
        is_quarantined: row.get(8)?,
        verdict: row.get(9)?,
        tail: unpacked.tail,
    })
}

/// Writes what polls brought, in the order of the rows, so that neighbours share pages.
///
/// # Errors
/// [`StoreError::Missing`] if one of the cards has no row.
pub fn save(conn: &Connection, updates: &[PollUpdate]) -> Result<(), StoreError> {
    let mut ordered: Vec<&PollUpdate> = updates.iter().collect();
    ordered.sort_by_key(|update| update.card);
    ordered
        .into_iter()
        .try_for_each(|update| save_one(conn, update, None, |reading, odd| tail_after(conn, update.card, reading, odd)))
}

/// As [`save`], for one card whose row was loaded in this transaction: `latest` and `tail` are those of the row as it is,
/// and are not read again. `recent` is what is known once the answer counts.
///
/// # Errors
/// As [`save`].
pub fn save_loaded(
    conn: &Connection,
    update: &PollUpdate,
    latest: Option<&Reading>,
    tail: &[u8],
    recent: &Recent,
) -> Result<(), StoreError> {
    save_one(conn, update, Some(&recent.busiest), |reading, odd| grown(conn, update.card, (latest, tail), reading, odd))
}

fn save_one(
    conn: &Connection,
    update: &PollUpdate,
    busiest: Option<&Vec<Busiest>>,
    tail_after: impl Fn(&Reading, Option<Oddity>) -> Result<Vec<u8>, StoreError>,
) -> Result<(), StoreError> {
    let (card, next, cycle) = (update.card.0, update.next_poll_at.secs(), update.cycle);
    let changed = match &update.seen {
        Seen::Good(reading) => {
            let tail = tail_after(reading, None)?;
            let busiest = busiest.map(|busiest| busy_bytes::pack(busiest));
            change(conn, SAVE_GOOD, (card, next, cycle, pack_whole(reading), tail, busiest))?
        }
        Seen::Odd(reading, oddity) => {
            let tail = tail_after(reading, Some(*oddity))?;
            change(conn, SAVE_ODD, (card, next, cycle, reading.read_at.secs(), oddity_text(*oddity), tail))?
        }
        Seen::Failed => change(conn, SAVE_FAILED, (card, next, cycle))?,
        Seen::Nothing => change(conn, SAVE_TIME, (card, next, cycle))?,
    };
    if changed == 1 { Ok(()) } else { Err(StoreError::Missing { table: "poll", row: card }) }
}

/// The tail once `reading` has come: what was the latest joins it, or the odd reading itself. When it grows too long, or
/// cannot be measured against the new latest, it goes into the month.
fn tail_after(conn: &Connection, card: CardId, reading: &Reading, odd: Option<Oddity>) -> Result<Vec<u8>, StoreError> {
    let packed = first(conn, PACKED, [card.0], |row| Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get(1)?)))?;
    let Some((latest, tail)): Option<(_, Vec<u8>)> = packed else {
        return Err(StoreError::Missing { table: "poll", row: card.0 });
    };
    grown(conn, card, (readable(card, latest, &tail).as_ref(), &tail), reading, odd)
}

/// The tail of a row, with its latest reading, once `reading` has come.
fn grown(
    conn: &Connection,
    card: CardId,
    (latest, tail): (Option<&Reading>, &[u8]),
    reading: &Reading,
    odd: Option<Oddity>,
) -> Result<Vec<u8>, StoreError> {
    let Some(latest) = latest else {
        if odd.is_some() {
            // Before the first good reading evidence goes straight to the month: the tail hangs on the latest.
            append(conn, card, &[Past { reading: reading.clone(), odd }])?;
        }
        return Ok(Vec::new());
    };
    let (tail, newer) = match odd {
        Some(_) => (push_front(tail, Some(latest), &Past { reading: reading.clone(), odd }), latest),
        None => (push_front(tail, Some(reading), &Past::sound(latest.clone())), reading),
    };
    if tail.len() > TAIL_MAX_BYTES { shortened(conn, card, &tail, newer) } else { Ok(tail) }
}

/// The latest reading, if it and the tail can be read. Damage there is told, and the next reading begins anew: watching
/// must go on.
fn readable(card: CardId, latest: Option<Vec<u8>>, tail: &[u8]) -> Option<Reading> {
    let sound = unpack_whole(&latest?).and_then(|latest| front_of_tail(tail, Some(&latest)).map(|_| latest));
    sound.inspect_err(|error| tracing::error!(card.id = card.0, %error, "the last readings of a card are lost")).ok()
}

/// A tail of nothing but the previous reading that makes sense; all others are added to the months.
fn shortened(conn: &Connection, card: CardId, tail: &[u8], newer: &Reading) -> Result<Vec<u8>, StoreError> {
    let mut older = unpack_tail(tail, Some(newer)).map_err(|error| unreadable("poll", "tail", card, error))?;
    let previous = older.iter().position(|past| past.odd.is_none()).map(|place| older.remove(place));
    older.reverse();
    append(conn, card, &older)?;
    Ok(previous.map_or_else(Vec::new, |previous| push_front(&[], Some(newer), &previous)))
}

/// An oddity in words, such as `negative data` or `far_end plan`.
fn oddity_text(odd: Oddity) -> String {
    let of = |kind: AllowanceKind| match kind {
        AllowanceKind::Data => "data".to_owned(),
        AllowanceKind::Voice => "voice".to_owned(),
        AllowanceKind::Sms => "sms".to_owned(),
        AllowanceKind::Credit(currency) => format!("credit {currency}"),
    };
    match odd {
        Oddity::Negative(kind) => format!("negative {}", of(kind)),
        Oddity::MoreThanTotal(kind) => format!("more_than_total {}", of(kind)),
        Oddity::FarEnd(end) => format!("far_end {}", end.word()),
        Oddity::ShrinkingEnd(end) => format!("shrinking_end {}", end.word()),
        Oddity::MissingEnd(end) => format!("missing_end {}", end.word()),
        Oddity::FromTheFuture => "from_the_future".to_owned(),
        Oddity::OlderThanBefore => "older_than_before".to_owned(),
    }
}

fn oddity_of(text: &str) -> Option<Oddity> {
    let (what, of) = text.split_once(' ').unwrap_or((text, ""));
    let kind = || match of {
        "data" => Some(AllowanceKind::Data),
        "voice" => Some(AllowanceKind::Voice),
        "sms" => Some(AllowanceKind::Sms),
        _ => Currency::parse(of.strip_prefix("credit ")?).ok().map(AllowanceKind::Credit),
    };
    Some(match what {
        "negative" => Oddity::Negative(kind()?),
        "more_than_total" => Oddity::MoreThanTotal(kind()?),
        "far_end" => Oddity::FarEnd(EndKind::of_word(of)?),
        "shrinking_end" => Oddity::ShrinkingEnd(EndKind::of_word(of)?),
        "missing_end" => Oddity::MissingEnd(EndKind::of_word(of)?),
        "from_the_future" => Oddity::FromTheFuture,
        "older_than_before" => Oddity::OlderThanBefore,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::cards;
    use super::super::readings::{history, history_with_odd};
    use super::super::tests::{NOW, card, memory};
    use super::*;
    use crate::domain::reading::{Allowance, AllowanceState, CardState};
    use crate::domain::time::Secs;

    fn reading(hour: i64) -> Reading {
        let data = Allowance {
            kind: AllowanceKind::Data,
            remaining: 5_000_000_000 - hour * 7_000_000,
            total: Some(5_000_000_000),
            unlimited: false,
            state: AllowanceState::Active,
            starts: None,
            ends: None,
        };
        let read_at = NOW.plus(Secs::hours(hour));
        Reading { allowances: vec![data], assets: vec!["a".into()], ..Reading::empty(read_at, CardState::Active) }
    }

    fn saved(conn: &Connection, card: CardId, seen: Seen) {
        save(conn, &[PollUpdate { card, seen, next_poll_at: NOW.plus(Secs::DAY), cycle: 3 }]).unwrap();
    }

    #[test]
    fn the_last_two_readings_are_at_hand_and_all_are_in_the_history() {
        let conn = memory();
        let id = card(&conn, "a");
        assert_eq!(load(&conn, id).unwrap().recent, Recent::default());
        for hour in 0..200 {
            saved(&conn, id, Seen::Good(reading(hour)));
            let recent = load(&conn, id).unwrap().recent;
            assert_eq!(recent.latest, Some(reading(hour)));
            assert_eq!(recent.previous, (hour > 0).then(|| reading(hour - 1)));
        }
        let all: Vec<_> = (0..200).map(reading).collect();
        assert_eq!(history(&conn, id, UnixTime::MIN, UnixTime::MAX).unwrap(), all);
        let width: i64 =
            conn.query_row("SELECT length(latest) + length(tail) FROM poll", [], |row| row.get(0)).unwrap();
        assert!(width < 130, "{width}");
    }

    #[test]
    fn odd_answers_are_evidence_and_failures_are_counted() {
        let conn = memory();
        let id = card(&conn, "a");
        let odd = Oddity::Negative(AllowanceKind::Credit(Currency::USD));
        saved(&conn, id, Seen::Odd(reading(0), odd));
        assert_eq!(load(&conn, id).unwrap().recent.odd, Some((NOW, odd)));
        saved(&conn, id, Seen::Good(reading(1)));
        saved(&conn, id, Seen::Odd(reading(2), Oddity::FarEnd(EndKind::Plan)));
        saved(&conn, id, Seen::Failed);
        saved(&conn, id, Seen::Failed);
        let poll = load(&conn, id).unwrap();
        assert_eq!((poll.failures, poll.cycle, poll.next_poll_at), (2, 3, Some(NOW.plus(Secs::DAY))));
        assert_eq!((poll.recent.latest, poll.recent.previous), (Some(reading(1)), None));
        assert_eq!(poll.recent.odd, Some((NOW.plus(Secs::hours(2)), Oddity::FarEnd(EndKind::Plan))));
        saved(&conn, id, Seen::Good(reading(3)));
        let poll = load(&conn, id).unwrap();
        assert_eq!((poll.failures, poll.recent.odd, poll.recent.previous), (0, None, Some(reading(1))));
        let all = history_with_odd(&conn, id, UnixTime::MIN, UnixTime::MAX).unwrap();
        let hours: Vec<_> =
            all.iter().map(|past| (past.reading.read_at.since(NOW).0 / 3_600, past.odd.is_some())).collect();
        assert_eq!(hours, [(0, true), (1, false), (2, true), (3, false)]);
        // Nonsense without end does not make the row grow.
        for hour in 4..50 {
            saved(&conn, id, Seen::Odd(reading(hour), odd));
        }
        let width: i64 = conn.query_row("SELECT length(tail) FROM poll", [], |row| row.get(0)).unwrap();
        assert!(width <= 64, "{width}");
        assert_eq!(load(&conn, id).unwrap().recent.previous, Some(reading(1)));
        assert_eq!(history_with_odd(&conn, id, UnixTime::MIN, UnixTime::MAX).unwrap().len(), 50);
    }

    #[test]
    fn a_card_retired_meanwhile_stays_out_of_the_schedule() {
        let conn = memory();
        let (a, b) = (card(&conn, "a"), card(&conn, "b"));
        cards::retire(&conn, a, NOW).unwrap();
        saved(&conn, a, Seen::Good(reading(0)));
        saved(&conn, b, Seen::Nothing);
        assert_eq!(schedule(&conn).unwrap(), [(b, NOW.plus(Secs::DAY))]);
        assert_eq!(load(&conn, a).unwrap().recent.latest, Some(reading(0)));
        assert!(matches!(load(&conn, CardId(99)), Err(StoreError::Missing { .. })));
    }

    #[test]
    fn damage_in_one_row_is_told_and_healed_by_the_next_reading() {
        let conn = memory();
        let id = card(&conn, "a");
        saved(&conn, id, Seen::Good(reading(0)));
        conn.execute("UPDATE poll SET latest = x'ff'", []).unwrap();
        assert_eq!(load(&conn, id).unwrap().recent, Recent::default());
        saved(&conn, id, Seen::Good(reading(1)));
        assert_eq!(load(&conn, id).unwrap().recent.latest, Some(reading(1)));
    }

    #[test]
    fn oddities_have_words() {
        for odd in [
            Oddity::Negative(AllowanceKind::Data),
            Oddity::MoreThanTotal(AllowanceKind::Credit(Currency::EUR)),
            Oddity::Negative(AllowanceKind::Voice),
            Oddity::Negative(AllowanceKind::Sms),
            Oddity::FarEnd(EndKind::Credit),
            Oddity::ShrinkingEnd(EndKind::Number),
            Oddity::MissingEnd(EndKind::Plan),
            Oddity::FromTheFuture,
            Oddity::OlderThanBefore,
        ] {
            assert_eq!(oddity_of(&oddity_text(odd)), Some(odd));
        }
        assert_eq!(oddity_of("negative nonsense"), None);
    }
}
