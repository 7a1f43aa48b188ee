//! What people may do by command. Each act is one transaction with its entry in the record of human actions.

pub(super) mod answers;
mod card_book;
mod found_cards;
mod messages;
mod purchases;
mod questions;
mod silences;
mod wishes;

use std::sync::Arc;

use super::Daemon;
use super::bells::Round;
use super::case::Case;
use super::request::{Asked, Outcome, Refusal, Reply, Request};
use crate::domain::attempt::AttemptId;
use crate::domain::card::{Card, CardId, Name};
use crate::domain::notice::NoticeId;
use crate::domain::step::Decision;
use crate::domain::time::UnixTime;
use crate::store::people::{self as record, HumanAction};
use crate::store::{Connection, StoreError, cards};

pub(super) use self::questions::{remind, unanswered};

/// Carries out a request.
pub async fn carry_out(daemon: &Arc<Daemon>, asked: Asked) -> Reply {
    match try_carry_out(daemon, asked).await {
        Ok(reply) => reply,
        Err(error) => {
            daemon.store_failed(&error);
            refused(Refusal::Failed, format!("the record could not be changed: {error}"))
        }
    }
}

async fn try_carry_out(daemon: &Arc<Daemon>, asked: Asked) -> Result<Reply, StoreError> {
    let Asked { by, request } = asked;
    match request {
        Request::Preview { card } => purchases::preview(daemon, card).await,
        Request::Renew { card, plan, price } => purchases::renew(daemon, by, card, plan, price).await,
        Request::Approve { id } => purchases::approve(daemon, by, AttemptId(id)).await,
        Request::Refuse { id, reason } => {
            purchases::decide(daemon, by, AttemptId(id), Decision::Abandon, reason, true).await
        }
        Request::Answer { code, yes, reason } => answers::by_command(daemon, code, yes, reason).await,
        Request::Settle { id, outcome, reason } => {
            let decision = match outcome {
                Outcome::Bought => Decision::Bought,
                Outcome::NotBought => Decision::NotBought,
                Outcome::Abandon => Decision::Abandon,
            };
            purchases::decide(daemon, by, AttemptId(id), decision, reason, false).await
        }
        Request::Pause { card, until } => wishes::pause(daemon, by, card, until).await,
        Request::Resume { card } => wishes::resume(daemon, by, card).await,
        Request::Silence { card, until: Some(until), urgent } => {
            silences::begin(daemon, by, card, &until, urgent).await
        }
        Request::Silence { card, until: None, .. } => silences::lift(daemon, by, card).await,
        Request::Skip { card, after_next } => wishes::skip(daemon, by, card, after_next).await,
        Request::AddCards { cards } => card_book::add_cards(daemon, by, cards).await,
        Request::ImportFrom { account, labels, dry_run } => {
            found_cards::import(daemon, by, account, labels, dry_run).await
        }
        Request::Retire { card } => card_book::retire(daemon, by, card).await,
        Request::RetryNotice { id } => messages::retry_notice(daemon, by, NoticeId(id)).await,
        Request::Acknowledge { id, card } => messages::acknowledge(daemon, by, id.map(NoticeId), card).await,
        Request::TestNotice { person } => messages::test_notice(daemon, by, person).await,
        Request::Backup => match daemon.back_up().await {
            Ok(copy) => Ok(Reply::Copied { path: copy.path, bytes: copy.bytes, sha256: copy.sha256 }),
            Err(error) => Ok(refused(Refusal::Failed, format!("no copy was made: {error}"))),
        },
    }
}

/// Writes down who did what.
fn note(
    conn: &Connection,
    at: UnixTime,
    by: &str,
    what: &str,
    card: Option<CardId>,
    attempt: Option<AttemptId>,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    let (by, what, reason) = (by.to_owned(), what.to_owned(), reason.map(str::to_owned));
    record::record(conn, &HumanAction { at, by, what, card, attempt, reason })
}

fn done(said: impl Into<String>) -> Reply {
    Reply::Done { said: said.into(), attempt: None, notices: Vec::new() }
}

fn refused(why: Refusal, said: impl Into<String>) -> Reply {
    Reply::Refused { why, said: said.into() }
}

fn no_such_card(name: &str) -> Reply {
    refused(
        Refusal::NotFound,
        format!("there is no card named `{name}`; `simkeeper card find {name}` looks in every number and label"),
    )
}

/// The live card of this name; a text that cannot be a name is no card's.
fn named(conn: &Connection, name: &str) -> Result<Option<Card>, StoreError> {
    match Name::parse(name) {
        Ok(name) => cards::by_name(conn, &name),
        Err(_) => Ok(None),
    }
}

async fn case_of(daemon: &Arc<Daemon>, name: &str) -> Result<Option<Case>, StoreError> {
    let (live, now, name) = (daemon.live(), daemon.clock.now(), name.to_owned());
    daemon
        .store
        .read(move |conn| match named(conn, &name)? {
            Some(card) => Case::load(conn, &live, card, now).map(Some),
            None => Ok(None),
        })
        .await
}
