//! Notices that waited for the end of quiet hours: those that became untrue meanwhile, and those that go out as one.
//! Which they are is seen by their first time, which is later than they were made, and that nobody has tried them.

use rusqlite::{Connection, Row};

use super::cards::bounded;
use super::error::StoreError;
use super::fields::{Fields, change, rows, scalar};
use crate::domain::card::Name;
use crate::domain::notice::{NoticeId, NoticeKind};
use crate::domain::time::UnixTime;

const IS_DUE: &str = "SELECT 1 FROM notice WHERE state = 'queued' AND channel = ?1 AND urgent = 0 AND next_at <= ?2 \
     AND attempts = 0 AND next_at > created_at LIMIT 1";
const DUE: &str = "SELECT *, (SELECT bytes FROM notice_body WHERE notice = notice.id) AS bytes FROM notice \
     WHERE state = 'queued' AND channel = ?1 AND urgent = 0 AND next_at <= ?2 AND attempts = 0 AND next_at > created_at \
     AND expires_at > ?2 ORDER BY person, address, id LIMIT ?3";
const DROP_UNTRUE: &str = "UPDATE notice SET state = 'expired', next_at = NULL, settled_at = ?2, \
     why = 'it became untrue while it waited' \
     WHERE state = 'queued' AND channel = ?1 AND urgent = 0 AND next_at <= ?2 AND attempts = 0 AND next_at > created_at \
     AND (kind = 'due_soon' AND cycle < (SELECT poll.cycle FROM poll WHERE poll.card = notice.card) \
     OR kind = 'paused' AND EXISTS (SELECT 1 FROM notice AS later WHERE later.kind = 'paused' \
     AND ifnull(later.card, 0) = ifnull(notice.card, 0) AND later.person = notice.person \
     AND later.channel = notice.channel AND later.id > notice.id))";
const MERGED: &str = "UPDATE notice SET state = 'expired', next_at = NULL, settled_at = ?2, why = ?3 \
     WHERE id = ?1 AND state = 'queued'";
/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[IS_DUE, DUE, DROP_UNTRUE, MERGED];

/// A notice that waited.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its row.
    pub id: NoticeId,
    /// What it is about.
    pub kind: NoticeKind,
    /// The recipient.
    pub person: Name,
    /// Where it goes.
    pub address: String,
    /// The subject.
    pub subject: String,
    /// When it was made.
    pub created_at: UnixTime,
    /// What was to be sent.
    pub bytes: Vec<u8>,
}

/// Whether a notice of this channel has waited to the end of quiet hours.
///
/// # Errors
/// If the record cannot be read.
pub fn is_due(conn: &Connection, channel: &Name, now: UnixTime) -> Result<bool, StoreError> {
    Ok(scalar::<i64>(conn, IS_DUE, (channel.as_str(), now.secs()))?.is_some())
}

/// Takes out what became untrue while it waited: warnings about a card that was renewed since, and pauses that another
/// pause or its end followed. Says how many.
///
/// # Errors
/// If the record cannot be written.
pub fn drop_untrue(conn: &Connection, channel: &Name, now: UnixTime) -> Result<usize, StoreError> {
    change(conn, DROP_UNTRUE, (channel.as_str(), now.secs()))
}

/// The notices of a channel that have waited to the end of quiet hours, by person, oldest first.
///
/// # Errors
/// If the record cannot be read.
pub fn due(conn: &Connection, channel: &Name, most: usize, now: UnixTime) -> Result<Vec<Held>, StoreError> {
    let found = rows(conn, DUE, (channel.as_str(), now.secs(), bounded(most)), held_of)?;
    Ok(found)
}

/// Takes notices out of the queue that go out within another.
///
/// # Errors
/// If the record cannot be written.
pub fn merged(conn: &Connection, ids: &[NoticeId], within: NoticeId, now: UnixTime) -> Result<(), StoreError> {
    for id in ids {
        change(conn, MERGED, (id.0, now.secs(), format!("it went out within notice {}", within.0)))?;
    }
    Ok(())
}

fn held_of(row: &Row<'_>) -> Result<Held, StoreError> {
    let row = Fields::of("notice", "id", row)?;
    Ok(Held {
        id: NoticeId(row.id()),
        kind: row.word("kind")?,
        person: row.name("person")?,
        address: row.get("address")?,
        subject: row.get("subject")?,
        created_at: row.time("created_at")?,
        bytes: row.need("bytes")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::notices::{self, NewNotice, NoticeState};
    use super::super::tests::{NOW, card, memory, name};
    use super::*;
    use crate::domain::card::CardId;
    use crate::domain::notice::DedupKey;
    use crate::domain::time::Secs;

    const MORNING: UnixTime = NOW.plus(Secs::hours(8));

    fn waiting(conn: &Connection, kind: NoticeKind, card: Option<CardId>, step: &str) -> NoticeId {
        let new = NewNotice {
            key: DedupKey { kind, card, cycle: 1, step: step.into() },
            person: name("anna"),
            channel: name("mail"),
            address: "anna@example.net".into(),
            subject: step.into(),
            message_id: "<1@example.net>".into(),
            bytes: step.as_bytes().to_vec(),
            urgent: false,
            resend_costs: false,
            attempt: None,
            created_at: NOW,
            send_at: MORNING,
            expires_at: NOW.plus(Secs::days(30)),
        };
        notices::enqueue(conn, &new).unwrap().unwrap()
    }

    fn state(conn: &Connection, id: NoticeId) -> NoticeState {
        notices::by_id(conn, id).unwrap().unwrap().state
    }

    #[test]
    fn what_waited_is_found_in_the_morning_and_leaves_the_queue_within_another() {
        let conn = memory();
        let (first, second) =
            (waiting(&conn, NoticeKind::Bought, None, "a"), waiting(&conn, NoticeKind::Bought, None, "b"));
        let mail = name("mail");
        assert!(!is_due(&conn, &mail, MORNING.minus(Secs(1))).unwrap());
        assert!(is_due(&conn, &mail, MORNING).unwrap() && !is_due(&conn, &name("sms"), MORNING).unwrap());
        let found = due(&conn, &mail, 9, MORNING).unwrap();
        assert_eq!(
            found.iter().map(|held| (held.id, held.bytes.as_slice())).collect::<Vec<_>>(),
            [(first, &b"a"[..]), (second, b"b")]
        );
        merged(&conn, &[first, second], NoticeId(9), MORNING).unwrap();
        assert_eq!((state(&conn, first), state(&conn, second)), (NoticeState::Expired, NoticeState::Expired));
        assert_eq!(due(&conn, &mail, 9, MORNING).unwrap().len(), 0);
        // What was tried did not wait for the morning.
        let tried = waiting(&conn, NoticeKind::Bought, None, "c");
        notices::claim(&conn, &mail, 9, MORNING).unwrap();
        let later = notices::Outcome::Retry { why: "450".into(), not_before: None };
        notices::settle(&conn, tried, 1, &later, MORNING).unwrap();
        assert!(!is_due(&conn, &mail, MORNING.plus(Secs::HOUR)).unwrap());
    }

    #[test]
    fn warnings_about_a_renewed_card_and_pauses_that_ended_are_dropped() {
        let conn = memory();
        let (renewed, other) = (card(&conn, "renewed"), card(&conn, "other"));
        conn.execute("UPDATE poll SET cycle = 2 WHERE card = ?1", [renewed.0]).unwrap();
        let untrue = [
            waiting(&conn, NoticeKind::DueSoon, Some(renewed), "plan:1d"),
            waiting(&conn, NoticeKind::Paused, Some(other), "1"),
        ];
        let still_true = [
            waiting(&conn, NoticeKind::Paused, Some(other), "2"),
            waiting(&conn, NoticeKind::Paused, Some(renewed), "3"),
            waiting(&conn, NoticeKind::DueSoon, Some(other), "plan:1d"),
            waiting(&conn, NoticeKind::Bought, Some(renewed), "attempt:1"),
        ];
        assert_eq!(drop_untrue(&conn, &name("mail"), MORNING).unwrap(), 2);
        assert!(untrue.iter().all(|id| state(&conn, *id) == NoticeState::Expired));
        assert!(still_true.iter().all(|id| state(&conn, *id) == NoticeState::Queued));
    }
}
