//! Messages by a person's word: try again, try a channel.

use std::sync::Arc;

use super::{Daemon, Round, StoreError, done, named, no_such_card, note, refused};
use crate::daemon::request::{Refusal, Reply};
use crate::daemon::{clock, tell};
use crate::domain::card::Name;
use crate::domain::notice::NoticeId;
use crate::store::{matters, notices};

pub(super) async fn retry_notice(daemon: &Arc<Daemon>, by: String, id: NoticeId) -> Result<Reply, StoreError> {
    let now = daemon.clock.now();
    let found = daemon
        .store
        .write(move |conn| {
            let found = notices::retry(conn, id, now)?;
            note(conn, now, &by, "retry notice", None, None, Some(&id.0.to_string()))?;
            Ok(found)
        })
        .await?;
    daemon.bells.ring(Round::Deliver);
    Ok(if found {
        Reply::Done { said: format!("notice {} goes out again now", id.0), attempt: None, notices: vec![id.0] }
    } else {
        refused(Refusal::NotFound, format!("there is no notice {} that could go out again", id.0))
    })
}

/// Somebody takes in hand what a notice tells, or what is told of a card.
pub(super) async fn acknowledge(
    daemon: &Arc<Daemon>,
    by: String,
    id: Option<NoticeId>,
    card: Option<String>,
) -> Result<Reply, StoreError> {
    let now = daemon.clock.now();
    let (wanted, who) = (card.clone(), by.clone());
    let found = daemon
        .store
        .write(move |conn| {
            let card = match &wanted {
                Some(name) => match named(conn, name)? {
                    Some(card) => Some(card.id),
                    None => return Ok(None),
                },
                None => None,
            };
            let of_card = card.map(|card| matters::open_of_card(conn, card)).transpose()?;
            let of_notice = id.map(|id| matters::open_of_notice(conn, id)).transpose()?;
            let matters: Vec<_> = of_card.into_iter().chain(of_notice).flatten().collect();
            if !matters.is_empty() {
                matters::acknowledge(conn, &matters, &by, now)?;
                let card = card.or(id.map(|id| notices::by_id(conn, id)).transpose()?.flatten().and_then(|n| n.card));
                let about = id.map(|id| format!("notice {}", id.0));
                note(conn, now, &by, "acknowledge", card, None, about.as_deref())?;
            }
            Ok(Some(matters.len()))
        })
        .await?;
    Ok(match found {
        None => no_such_card(card.as_deref().unwrap_or_default()),
        Some(0) => refused(Refusal::NotFound, "nothing of this is told again; there is nothing to acknowledge"),
        Some(_) => done(format!("{who} takes care of it; nobody is told again")),
    })
}

pub(super) async fn test_notice(daemon: &Arc<Daemon>, by: String, person: String) -> Result<Reply, StoreError> {
    let live = daemon.live();
    let Some(person) = Name::parse(&person).ok().filter(|name| live.knows(name)) else {
        return Ok(refused(
            Refusal::NotFound,
            format!("simkeeper.toml names no person `{person}`, and no channel to a program"),
        ));
    };
    let (now, step) = (daemon.clock.now(), format!("test:{}", clock::chance_text()));
    let queued = daemon
        .store
        .write(move |conn| {
            let queued = tell::test(conn, &live, &person, &step, now)?;
            note(conn, now, &by, "test notice", None, None, Some(person.as_str()))?;
            Ok(queued)
        })
        .await?;
    daemon.bells.ring(Round::Deliver);
    if queued.is_empty() {
        return Ok(refused(Refusal::Wrong, "this person has no address on any channel"));
    }
    let ids = queued.iter().map(|id| id.0).collect();
    Ok(Reply::Done { said: "a trial message is on its way".to_owned(), attempt: None, notices: ids })
}
