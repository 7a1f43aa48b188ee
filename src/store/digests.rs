//! Up to when people were told by digests. A row is made when somebody begins to want one, so that none comes for a time
//! before that.

use rusqlite::Connection;

use super::error::StoreError;
use super::fields::{Fields, change, rows};
use crate::domain::card::Name;
use crate::domain::digest::Span;
use crate::domain::time::UnixTime;

const ALL: &str = "SELECT 0 AS id, person, span, told_until FROM digest ORDER BY person, span";
const PUT: &str = "INSERT INTO digest (person, span, told_until) VALUES (?1, ?2, ?3) \
     ON CONFLICT (person, span) DO UPDATE SET told_until = excluded.told_until";
const FORGET: &str = "DELETE FROM digest WHERE person = ?1 AND span = ?2";
/// A digest that could not be delivered is no news beside a newer one.
const SUPERSEDE: &str = "UPDATE notice SET state = 'expired', next_at = NULL, settled_at = ?2, \
     why = 'a newer digest followed' WHERE state = 'queued' AND kind = 'digest' AND person = ?1";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[ALL, PUT, FORGET, SUPERSEDE];

/// How far somebody was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Who.
    pub person: Name,
    /// By digests of which sort.
    pub span: Span,
    /// Up to when; since when they want them, if there was none yet.
    pub until: UnixTime,
}

/// How far everybody was told.
///
/// # Errors
/// If the record cannot be read.
pub fn all(conn: &Connection) -> Result<Vec<Told>, StoreError> {
    rows(conn, ALL, [], |row| {
        let row = Fields::of("digest", "id", row)?;
        Ok(Told { person: row.name("person")?, span: row.word("span")?, until: row.time("told_until")? })
    })
}

/// Notes up to when somebody was told.
///
/// # Errors
/// If the record cannot be written.
pub fn put(conn: &Connection, person: &Name, span: Span, until: UnixTime) -> Result<(), StoreError> {
    change(conn, PUT, (person.as_str(), span.as_str(), until.secs())).map(drop)
}

/// Forgets somebody who wants none of this sort any more.
///
/// # Errors
/// If the record cannot be written.
pub fn forget(conn: &Connection, person: &Name, span: Span) -> Result<(), StoreError> {
    change(conn, FORGET, (person.as_str(), span.as_str())).map(drop)
}

/// Takes digests out of the queue that somebody has not got yet, before a newer one; says how many.
///
/// # Errors
/// If the record cannot be written.
pub fn supersede(conn: &Connection, person: &Name, now: UnixTime) -> Result<usize, StoreError> {
    change(conn, SUPERSEDE, (person.as_str(), now.secs()))
}

#[cfg(test)]
mod tests {
    use super::super::notices::{self, NewNotice, NoticeState};
    use super::super::tests::{NOW, memory, name};
    use super::*;
    use crate::domain::digest;
    use crate::domain::time::Secs;

    #[test]
    fn how_far_people_were_told_is_kept_by_sort_and_forgotten_with_the_wish() {
        let conn = memory();
        let (anna, ben) = (name("anna"), name("ben"));
        put(&conn, &anna, Span::Daily, NOW).unwrap();
        put(&conn, &anna, Span::Weekly, NOW).unwrap();
        put(&conn, &ben, Span::Daily, NOW).unwrap();
        put(&conn, &anna, Span::Daily, NOW.plus(Secs::DAY)).unwrap();
        forget(&conn, &ben, Span::Daily).unwrap();
        let told = |span, until| Told { person: name("anna"), span, until };
        assert_eq!(all(&conn).unwrap(), [told(Span::Daily, NOW.plus(Secs::DAY)), told(Span::Weekly, NOW)]);
    }

    #[test]
    fn only_the_persons_own_digests_that_wait_give_way() {
        let conn = memory();
        let queue = |person: &str, step: &str| {
            let key = digest::key(Span::Daily, jiff::civil::date(2026, 12, 1));
            let new = NewNotice {
                key: crate::domain::notice::DedupKey { step: step.into(), ..key },
                person: name(person),
                channel: name("mail"),
                address: "anna@example.net".into(),
                subject: step.into(),
                message_id: "<1@example.net>".into(),
                bytes: vec![1],
                urgent: false,
                resend_costs: false,
                attempt: None,
                created_at: NOW,
                send_at: NOW,
                expires_at: NOW.plus(Secs::days(7)),
            };
            notices::enqueue(&conn, &new).unwrap().unwrap()
        };
        let (old, other) = (queue("anna", "1"), queue("ben", "1"));
        assert_eq!(supersede(&conn, &name("anna"), NOW).unwrap(), 1);
        let state = |id| notices::by_id(&conn, id).unwrap().unwrap().state;
        assert_eq!((state(old), state(other)), (NoticeState::Expired, NoticeState::Queued));
    }
}
