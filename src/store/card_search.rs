//! Cards by what is known of them: the search of people, and the numbers and counts of all.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::card_rows::card_of;
use super::cards::bounded;
use super::error::StoreError;
use super::fields::{Fields, first, rows, sound_rows};
use crate::domain::card::{Card, Name};
use crate::domain::discovery::KnownCard;
use crate::domain::identity::{Iccid, Msisdn, luhn_digit};

const FIND: &str = "SELECT * FROM card WHERE name LIKE ?1 ESCAPE '\\' OR contact LIKE ?1 ESCAPE '\\' \
     OR labels LIKE ?1 ESCAPE '\\' OR fields LIKE ?1 ESCAPE '\\' \
     OR iccid LIKE ?2 ESCAPE '\\' OR msisdn LIKE ?2 ESCAPE '\\' OR imei LIKE ?2 ESCAPE '\\' OR eid LIKE ?2 ESCAPE '\\' \
     OR id IN (SELECT card FROM attempt WHERE order_id LIKE ?1 ESCAPE '\\' OR order_key LIKE ?1 ESCAPE '\\' \
     OR plan_id LIKE ?1 ESCAPE '\\' OR plan ->> '$.name' LIKE ?1 ESCAPE '\\') \
     ORDER BY retired_at IS NOT NULL, id LIMIT ?3";
const FIND_ENDING: &str = "SELECT * FROM card WHERE iccid LIKE ?1 ORDER BY retired_at IS NOT NULL, id";
const KNOWN: &str = "SELECT id, name, iccid, msisdn, retired_at FROM card";
const FIRST_OF: &str = "SELECT * FROM card WHERE account = ?1 AND retired_at IS NULL ORDER BY id LIMIT 1";
const COUNTS: &str = "SELECT account, count(*) AS cards, 0 AS id FROM card WHERE retired_at IS NULL GROUP BY account";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[FIND, FIND_ENDING, KNOWN, FIRST_OF, COUNTS];

/// So many digits tell a card's last digits apart from chance.
const ENDING_MIN: usize = 6;
/// So many digits are a whole ICCID.
const WHOLE_MIN: usize = 18;

/// Cards with `text` anywhere in name, numbers, contact, labels, fields, or in an order of theirs (its number, its key,
/// its plan); live ones first, at most `limit`. Numbers may be written with spaces, hyphens and `+`, and an ICCID with
/// its check digit where the record has it without.
///
/// # Errors
/// If the record cannot be read.
pub fn find(conn: &Connection, text: &str, limit: usize) -> Result<Vec<Card>, StoreError> {
    let anywhere = like(text.trim());
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_number = !digits.is_empty() && text.chars().all(|c| c.is_ascii_digit() || " +-.()".contains(c));
    let number = if is_number { like(&digits) } else { anywhere.clone() };
    let mut found = sound_rows(conn, FIND, (anywhere, number, bounded(limit)), card_of)?;
    if is_number && digits.len() >= ENDING_MIN && found.len() < limit {
        let more = without_check_digit(conn, &digits)?;
        let more: Vec<Card> = more.into_iter().filter(|card| found.iter().all(|known| known.id != card.id)).collect();
        found.extend(more.into_iter().take(limit - found.len()));
    }
    Ok(found)
}

/// Cards whose ICCID ends with these digits but for the last one, which is the check digit that the record lacks.
fn without_check_digit(conn: &Connection, digits: &str) -> Result<Vec<Card>, StoreError> {
    let Some((ending, last)) = digits.split_at_checked(digits.len() - 1) else { return Ok(Vec::new()) };
    let cards = sound_rows(conn, FIND_ENDING, [format!("%{ending}")], card_of)?;
    // Some operators print a wrong check digit; a whole ICCID is enough to know the card by.
    let fits = |iccid: &Iccid| ending.len() >= WHOLE_MIN || luhn_digit(iccid.digits()).to_string() == last;
    Ok(cards.into_iter().filter(|card| card.iccid.as_ref().is_some_and(fits)).collect())
}

/// A pattern that finds `text` anywhere, whatever characters it has.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// What every card is known by, retired ones as well.
///
/// # Errors
/// If a row cannot be read: a card that is overlooked would be added twice.
pub fn known(conn: &Connection) -> Result<Vec<KnownCard>, StoreError> {
    rows(conn, KNOWN, [], |row| {
        let row = Fields::of("card", "id", row)?;
        Ok(KnownCard {
            name: row.name("name")?,
            iccid: row.maybe("iccid", Iccid::parse)?,
            msisdn: row.maybe("msisdn", Msisdn::parse)?,
            retired: row.maybe_time("retired_at")?.is_some(),
        })
    })
}

/// The first live card of an account.
///
/// # Errors
/// If its row cannot be read.
pub fn first_of(conn: &Connection, account: &Name) -> Result<Option<Card>, StoreError> {
    first(conn, FIRST_OF, [account.as_str()], card_of)
}

/// How many live cards each account has.
///
/// # Errors
/// If the record cannot be read.
pub fn count_by_account(conn: &Connection) -> Result<BTreeMap<Name, u32>, StoreError> {
    let counts = rows(conn, COUNTS, [], |row| {
        let row = Fields::of("card", "id", row)?;
        Ok((row.name("account")?, row.count("cards")?))
    })?;
    Ok(counts.into_iter().collect())
}
