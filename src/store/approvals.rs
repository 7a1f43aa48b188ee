//! Codes by which people answer questions about purchases, as digests under a key that lies elsewhere.

use rusqlite::{Connection, Row};

use super::attempt_rows::price_columns;
use super::error::StoreError;
use super::fields::{Fields, change, first};
use crate::domain::approval::{AskedCode, CodeState};
use crate::domain::attempt::{Attempt, AttemptId};
use crate::domain::card::Name;
use crate::domain::time::{Secs, UnixTime};

/// So long a code that is over can still say what became of it.
const REMEMBERED: Secs = Secs::days(35);

const REPLACE: &str = "UPDATE approval_code SET state = 'replaced', settled_at = ?3 \
     WHERE attempt = ?1 AND person = ?2 AND state = 'open'";
const FORGET: &str = "DELETE FROM approval_code WHERE ends_at < ?1";
const INSERT: &str = "INSERT INTO approval_code (attempt, person, plan_id, price, currency, code, page, made_at, ends_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const BY_CODE: &str = "SELECT * FROM approval_code WHERE code = ?1";
const BY_PAGE: &str = "SELECT * FROM approval_code WHERE page = ?1";
const USE: &str = "UPDATE approval_code SET state = 'used', settled_at = ?2 WHERE id = ?1 AND state = 'open'";
const GUESSED: &str = "UPDATE approval_code SET wrong = wrong + 1 WHERE id = ?1";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[REPLACE, FORGET, INSERT, BY_CODE, BY_PAGE, USE, GUESSED];

/// The digests of what one person was sent.
#[derive(Clone, Debug)]
pub struct Digests {
    /// Of the code.
    pub code: String,
    /// Of the page's word.
    pub page: String,
}

/// Records what a person is sent for an attempt as it is now; what they were sent for it before is of no use any more.
///
/// # Errors
/// If the record cannot be written.
pub fn issue(
    conn: &Connection,
    attempt: &Attempt,
    person: &Name,
    digests: &Digests,
    (now, ends_at): (UnixTime, UnixTime),
) -> Result<(), StoreError> {
    change(conn, FORGET, [now.minus(REMEMBERED).secs()])?;
    change(conn, REPLACE, (attempt.id.0, person.as_str(), now.secs()))?;
    let (price, currency) = price_columns(attempt.plan.price);
    let of_plan = (&attempt.plan.id, price, currency);
    let values = (
        attempt.id.0,
        person.as_str(),
        of_plan.0,
        of_plan.1,
        of_plan.2,
        &digests.code,
        &digests.page,
        now.secs(),
        ends_at.secs(),
    );
    change(conn, INSERT, values).map(drop)
}

/// The code with this digest.
///
/// # Errors
/// If its row cannot be read.
pub fn by_code(conn: &Connection, digest: &str) -> Result<Option<AskedCode>, StoreError> {
    first(conn, BY_CODE, [digest], code_of)
}

/// The code whose page has this digest.
///
/// # Errors
/// If its row cannot be read.
pub fn by_page(conn: &Connection, digest: &str) -> Result<Option<AskedCode>, StoreError> {
    first(conn, BY_PAGE, [digest], code_of)
}

/// Notes that a code decided.
///
/// # Errors
/// [`StoreError::Stale`] if it was used or replaced meanwhile.
pub fn used(conn: &Connection, code: &AskedCode, now: UnixTime) -> Result<(), StoreError> {
    match change(conn, USE, (code.id, now.secs()))? {
        1 => Ok(()),
        _ => Err(StoreError::Stale { table: "approval_code", row: code.id }),
    }
}

/// Notes that something else was typed on a code's page.
///
/// # Errors
/// If the record cannot be written.
pub fn guessed(conn: &Connection, code: &AskedCode) -> Result<(), StoreError> {
    change(conn, GUESSED, [code.id]).map(drop)
}

fn code_of(row: &Row<'_>) -> Result<AskedCode, StoreError> {
    let row = Fields::of("approval_code", "id", row)?;
    let price = row.maybe_money("price", "currency")?;
    let state = match row.get::<String>("state")?.as_str() {
        "open" => CodeState::Open,
        "used" => CodeState::Used { at: row.time("settled_at")? },
        "replaced" => CodeState::Replaced,
        other => return Err(row.unreadable("state", format!("`{other}` is not known"))),
    };
    Ok(AskedCode {
        id: row.id(),
        attempt: AttemptId(row.get("attempt")?),
        person: row.name("person")?,
        plan_id: row.get("plan_id")?,
        price: price.ok_or_else(|| row.unreadable("price", "it is empty"))?,
        digest: row.get("code")?,
        ends_at: row.time("ends_at")?,
        wrong: row.count("wrong")?,
        state,
    })
}

#[cfg(test)]
mod tests {
    use super::super::attempts;
    use super::super::tests::{NOW, card, memory};
    use super::*;
    use crate::domain::draft::from_journal;
    use crate::domain::money::{Currency, Money};

    fn digests(sign: char) -> Digests {
        Digests { code: sign.to_string().repeat(64), page: sign.to_ascii_uppercase().to_string().repeat(64) }
    }

    #[test]
    fn a_newer_code_replaces_the_one_before_for_this_person_only_and_each_is_used_once() {
        let conn = memory();
        let price = Money::new(45_000, Currency::USD);
        let account = Name::parse("travel").unwrap();
        let new = from_journal(card(&conn, "a"), 1, &account, ("1gb", price), NOW, NOW);
        let attempt = attempts::plan(&conn, &new).unwrap();
        let (anna, ben) = (Name::parse("anna").unwrap(), Name::parse("ben").unwrap());
        let span = (NOW, NOW.plus(Secs::DAY));
        for (person, sign) in [(&anna, 'a'), (&ben, 'b'), (&anna, 'c')] {
            issue(&conn, &attempt, person, &digests(sign), span).unwrap();
        }
        let state = |sign: char| by_code(&conn, &digests(sign).code).unwrap().unwrap().state;
        assert_eq!((state('a'), state('b'), state('c')), (CodeState::Replaced, CodeState::Open, CodeState::Open));
        let code = by_page(&conn, &digests('c').page).unwrap().unwrap();
        assert_eq!((&code.person, code.price, code.ends_at), (&anna, attempt.plan.price, NOW.plus(Secs::DAY)));
        guessed(&conn, &code).unwrap();
        used(&conn, &code, NOW).unwrap();
        assert!(matches!(used(&conn, &code, NOW), Err(StoreError::Stale { .. })));
        assert_eq!(
            (state('c'), by_code(&conn, &code.digest).unwrap().unwrap().wrong),
            (CodeState::Used { at: NOW }, 1)
        );
        let later = NOW.plus(Secs::days(60));
        issue(&conn, &attempt, &ben, &digests('d'), (later, later.plus(Secs::DAY))).unwrap();
        assert_eq!(by_code(&conn, &code.digest).unwrap(), None, "what is long over is forgotten");
    }
}
