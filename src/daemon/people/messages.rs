//! Messages by a person's word: try again, try a channel.

use std::sync::Arc;

use super::{Daemon, Round, StoreError, note, refused};
use crate::daemon::request::{Refusal, Reply};
use crate::daemon::{clock, tell};
use crate::domain::card::Name;
use crate::domain::notice::NoticeId;
use crate::store::notices;

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
