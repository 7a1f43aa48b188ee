//! What gateways report about texts, in the record.

use rusqlite::Connection;

use super::cards::bounded;
use super::error::StoreError;
use super::fields::{change, first, rows};
use super::notice_lists::{Notice, NoticeState, notice_of};
use super::notices;
use super::words::Word as _;
use crate::domain::card::Name;
use crate::domain::notice::NoticeId;
use crate::domain::receipt::{Receipt, Stands, counts};
use crate::domain::time::{Secs, UnixTime};

/// `?1` and `?2` enclose the ids that begin with one word: after `@` comes `A`.
const BY_WORD: &str = "SELECT * FROM notice WHERE resend_costs = 1 AND message_id >= ?1 AND message_id < ?2 LIMIT 1";
const NOTE: &str = "UPDATE notice SET state = 'sent', next_at = NULL, settled_at = coalesce(settled_at, ?3), \
     crashes = 0, receipt = ?2, receipt_at = ?3, remote = coalesce(remote, ?4), why = coalesce(?5, why) \
     WHERE id = ?1 AND receipt IS NULL";

const OPEN: &str = "SELECT message_id, address, remote FROM notice WHERE channel = ?1 AND settled_at > ?2 AND resend_costs = 1 \
     AND state = 'sent' AND receipt IS NULL AND expires_at > ?3 ORDER BY settled_at LIMIT ?4";
/// What became of a text is known within a day, or never.
const KNOWN_WITHIN: Secs = Secs::DAY;

/// A text that was taken, and of which nobody knows what became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenText {
    /// Its id.
    pub message_id: String,
    /// The number that it went to.
    pub address: String,
    /// The gateway's own id of it.
    pub remote: Option<String>,
}

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[BY_WORD, NOTE, OPEN];

/// Notes a receipt for the text whose id is this word; answers which one it changed, if it changed one.
///
/// # Errors
/// If the record cannot be read or written.
pub fn note(conn: &Connection, word: &str, receipt: &Receipt, now: UnixTime) -> Result<Option<NoticeId>, StoreError> {
    let (from, to) = (format!("<{word}@"), format!("<{word}A"));
    let Some(notice) = first(conn, BY_WORD, (from, to), notice_of)? else { return Ok(None) };
    if !counts(stands(&notice), notice.remote.as_deref(), receipt) {
        return Ok(None);
    }
    let values = (notice.id.0, receipt.fate.word(), now.secs(), receipt.remote.as_deref(), receipt.why.as_deref());
    let noted = change(conn, NOTE, values)? == 1;
    if noted {
        notices::empty_body(conn, notice.id)?;
    }
    Ok(noted.then_some(notice.id))
}

/// The texts that were taken lately, and of which nobody knows what became.
///
/// # Errors
/// If the record cannot be read.
pub fn open(conn: &Connection, channel: &Name, limit: usize, now: UnixTime) -> Result<Vec<OpenText>, StoreError> {
    let wanted = (channel.as_str(), now.minus(KNOWN_WITHIN).secs(), now.secs(), bounded(limit));
    rows(conn, OPEN, wanted, |row| Ok(OpenText { message_id: row.get(0)?, address: row.get(1)?, remote: row.get(2)? }))
}

const fn stands(notice: &Notice) -> Stands {
    match notice.state {
        _ if notice.receipt.is_some() => Stands::Known,
        _ if notice.attempts == 0 => Stands::Untried,
        NoticeState::Claimed => Stands::UnderWay,
        NoticeState::Sent => Stands::Taken,
        NoticeState::Queued | NoticeState::Dead | NoticeState::Expired => Stands::InDoubt,
    }
}

#[cfg(test)]
mod tests {
    use super::super::notices::{NewNotice, Outcome, by_id, claim, enqueue, recover, settle};
    use super::super::tests::{NOW, memory, name};
    use super::*;
    use crate::domain::notice::{DedupKey, NoticeKind};
    use crate::domain::receipt::Fate;

    const WORD: &str = "0193a1b2";

    fn queued(conn: &Connection) -> NoticeId {
        let new = NewNotice {
            key: DedupKey { kind: NoticeKind::Bought, card: None, cycle: 1, step: "s".into() },
            person: name("anna"),
            channel: name("sms"),
            address: "+16135550123".into(),
            subject: "canada".into(),
            message_id: format!("<{WORD}@localhost>"),
            bytes: b"canada: renewed".to_vec(),
            urgent: true,
            resend_costs: true,
            attempt: None,
            created_at: NOW,
            send_at: NOW,
            expires_at: NOW.plus(Secs::DAY),
        };
        enqueue(conn, &new).unwrap().unwrap()
    }

    fn receipt(fate: Fate) -> Receipt {
        Receipt { fate, remote: None, why: (!fate.arrived()).then(|| "code 30003".to_owned()) }
    }

    fn sent(conn: &Connection, id: NoticeId) {
        claim(conn, &name("sms"), 1, NOW).unwrap();
        assert!(settle(conn, id, 1, &Outcome::Sent { remote: "SM1".into() }, NOW).unwrap());
    }

    fn of(conn: &Connection, id: NoticeId) -> (NoticeState, Option<Fate>, Option<UnixTime>) {
        let notice = by_id(conn, id).unwrap().unwrap();
        (notice.state, notice.receipt, notice.receipt_at)
    }

    #[test]
    fn a_receipt_changes_a_text_once() {
        let (conn, later) = (memory(), NOW.plus(Secs::HOUR));
        let id = queued(&conn);
        assert_eq!(note(&conn, WORD, &receipt(Fate::Delivered), NOW).unwrap(), None, "nobody has sent it");
        sent(&conn, id);
        let asked = |at| open(&conn, &name("sms"), 9, at).unwrap();
        let text = OpenText {
            message_id: format!("<{WORD}@localhost>"),
            address: "+16135550123".to_owned(),
            remote: Some("SM1".to_owned()),
        };
        assert_eq!(asked(later), [text]);
        assert_eq!(asked(NOW.plus(Secs::DAY)), []);
        for stranger in ["0193a1b", "0193a1b20", "", "%"] {
            assert_eq!(note(&conn, stranger, &receipt(Fate::Failed), NOW).unwrap(), None, "{stranger}");
        }
        assert_eq!(note(&conn, WORD, &receipt(Fate::Failed), later).unwrap(), Some(id));
        assert_eq!(of(&conn, id), (NoticeState::Sent, Some(Fate::Failed), Some(later)));
        assert_eq!(by_id(&conn, id).unwrap().unwrap().why.as_deref(), Some("code 30003"));
        assert_eq!(asked(later), []);
        for fate in [Fate::Failed, Fate::Delivered, Fate::Expired] {
            assert_eq!(note(&conn, WORD, &receipt(fate), later).unwrap(), None, "{fate:?}");
        }
    }

    #[test]
    fn a_text_that_arrived_is_never_sent_again() {
        let (conn, later) = (memory(), NOW.plus(Secs::HOUR));
        let id = queued(&conn);
        claim(&conn, &name("sms"), 1, NOW).unwrap();
        assert_eq!(note(&conn, WORD, &receipt(Fate::Delivered), NOW).unwrap(), Some(id));
        // The process ends before it could write down that the gateway took it.
        assert_eq!(recover(&conn, later).unwrap(), notices::Recovered::default());
        assert_eq!(claim(&conn, &name("sms"), 1, later).unwrap(), []);
        // Or it did not, and settles late.
        assert!(!settle(&conn, id, 1, &Outcome::Sent { remote: "SM1".into() }, later).unwrap());
        assert_eq!(of(&conn, id), (NoticeState::Sent, Some(Fate::Delivered), Some(NOW)));
        assert_eq!(by_id(&conn, id).unwrap().unwrap().remote.as_deref(), Some("SM1"), "what it is called is kept");
    }

    #[test]
    fn one_in_doubt_is_settled_by_its_arrival_alone() {
        let conn = memory();
        let id = queued(&conn);
        claim(&conn, &name("sms"), 1, NOW).unwrap();
        settle(&conn, id, 1, &Outcome::Retry { why: "the answer was lost".into(), not_before: None }, NOW).unwrap();
        assert_eq!(note(&conn, WORD, &receipt(Fate::Failed), NOW).unwrap(), None);
        assert_eq!(of(&conn, id).0, NoticeState::Queued);
        assert_eq!(note(&conn, WORD, &receipt(Fate::Delivered), NOW).unwrap(), Some(id));
        assert_eq!(of(&conn, id).0, NoticeState::Sent);
    }
}
