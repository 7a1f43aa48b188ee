//! The queue of messages: each is queued, claimed and settled as the daemon does it, to one person over one channel.

use simkeeper::domain::attempt::AttemptId;
use simkeeper::domain::card::{CardId, Name};
use simkeeper::domain::notice::{DedupKey, NoticeId, NoticeKind};
use simkeeper::domain::time::UnixTime;
use simkeeper::domain::warning_step::Told;
use simkeeper::store::notices::{self, NewNotice, NoticeState};
use simkeeper::store::{Connection, StoreError};

use super::super::deliver::Outcome;
use super::hand::Hand;
use super::{Differs, same};

/// Who is told.
pub(super) fn person() -> Name {
    Name::parse("anna").unwrap_or_else(|wrong| unreachable!("{wrong}"))
}

/// Over which channel.
pub(super) fn channel() -> Name {
    Name::parse("mail").unwrap_or_else(|wrong| unreachable!("{wrong}"))
}

impl Hand {
    pub(super) fn tell(
        &self,
        conn: &Connection,
        (card, kind, cycle, step): (CardId, NoticeKind, u32, &str),
        attempt: Option<AttemptId>,
        id: Option<i64>,
        now: UnixTime,
    ) -> Result<(), Differs> {
        let key = DedupKey { kind, card: Some(card), cycle, step: step.to_owned() };
        same("whether this was told", &notices::is_known(conn, &key, &person(), &channel())?, &id.is_none())?;
        if id.is_none() {
            return Ok(());
        }
        let new = NewNotice {
            person: person(),
            channel: channel(),
            address: "anna@example.net".to_owned(),
            subject: format!("{kind:?}"),
            message_id: format!("<{}.{cycle}.{step}@example.net>", card.0),
            bytes: b"what happened, and to which card".to_vec(),
            urgent: kind.is_urgent(),
            resend_costs: false,
            attempt,
            created_at: now,
            send_at: now,
            expires_at: now.plus(kind.expires_after()),
            key,
        };
        same("the number of a message", &notices::enqueue(conn, &new)?.map(|id| id.0), &id)?;
        // Where two ask at once, the record itself says no to the second.
        let run = |sql| -> Result<_, StoreError> { Ok(conn.prepare_cached(sql)?.execute([])?) };
        run("SAVEPOINT twice")?;
        let second = notices::enqueue(conn, &new)?;
        run("ROLLBACK TO twice")?;
        run("RELEASE twice")?;
        same("the number of a message under the same key", &second, &None)
    }

    pub(super) fn last_warning(
        &self,
        conn: &Connection,
        card: CardId,
        step: &str,
        last: Option<&Told>,
    ) -> Result<(), Differs> {
        let found = notices::last_told(conn, NoticeKind::DueSoon, card, step)?;
        same("the last warning of its step", &found.as_ref(), &last)
    }

    pub(super) fn claim(
        &self,
        conn: &Connection,
        most: usize,
        tries: &[(i64, u32)],
        now: UnixTime,
    ) -> Result<(), Differs> {
        let claimed = notices::claim(conn, &channel(), most, now)?;
        let mut claimed: Vec<(i64, u32)> = claimed.iter().map(|claimed| (claimed.id.0, claimed.attempt_no)).collect();
        let mut known = tries.to_vec();
        // Which of those that have been due for equally long is sent first is nobody's promise.
        claimed.sort_unstable();
        known.sort_unstable();
        same("messages claimed", &claimed, &known)
    }

    pub(super) fn settle(
        &self,
        conn: &Connection,
        id: i64,
        tries: u32,
        outcome: Outcome,
        now: UnixTime,
    ) -> Result<(), Differs> {
        let (outcome, state) = match outcome {
            Outcome::Sent => (notices::Outcome::Sent { remote: "250 taken".to_owned() }, NoticeState::Sent),
            Outcome::Retry(not_before) => {
                (notices::Outcome::Retry { why: "not now".to_owned(), not_before }, NoticeState::Queued)
            }
            Outcome::Dead => (notices::Outcome::Dead { why: "550 nobody".to_owned() }, NoticeState::Dead),
        };
        let settle = || notices::settle(conn, NoticeId(id), tries, &outcome, now);
        same("whether it was this try's turn", &settle()?, &true)?;
        same("whether it is so a second time", &settle()?, &false)?;
        let stands = notices::by_id(conn, NoticeId(id))?.map(|notice| notice.state);
        same("where a settled message stands", &stands, &Some(state))
    }

    pub(super) fn recover(&self, conn: &Connection, queued: usize, dead: &[i64], now: UnixTime) -> Result<(), Differs> {
        let found = notices::recover(conn, now)?;
        let found_dead: Vec<i64> = found.dead.iter().map(|id| id.0).collect();
        same("messages a start finds", &(found.queued, found_dead.as_slice()), &(queued, dead))
    }
}
