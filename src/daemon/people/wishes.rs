//! What people want of a card for a while: pause, resume, skip.

use std::sync::Arc;

use super::{Case, Daemon, Round, StoreError, done, named, no_such_card, note, refused};
use crate::daemon::request::{Refusal, Reply};
use crate::daemon::tell::{Telling, tell};
use crate::domain::card::{Card, Pause, Wishes};
use crate::domain::notice::Event as Told;
use crate::domain::time::UnixTime;
use crate::store::{cards, meta};

/// Changes a card's wishes in one transaction with its entry and, for pauses, its notice.
pub(super) async fn change_wishes(
    daemon: &Arc<Daemon>,
    by: String,
    name: String,
    what: &'static str,
    change: impl FnOnce(&Wishes, UnixTime) -> Wishes + Send + 'static,
    told: Option<Told>,
) -> Result<Option<Card>, StoreError> {
    let (live, now) = (daemon.live(), daemon.clock.now());
    let card = daemon
        .store
        .write(move |conn| {
            let Some(card) = named(conn, &name)? else { return Ok(None) };
            cards::set_wishes(conn, card.id, &change(&card.wishes, now))?;
            if what == "resume" {
                meta::lift(conn, card.id)?;
            }
            note(conn, now, &by, what, Some(card.id), None, None)?;
            if let Some(event) = told {
                let case = Case::load(conn, &live, card.clone(), now)?;
                let step = format!("{what}:{}", now.secs());
                tell(
                    conn,
                    &live,
                    Telling { card: Some(&card), cycle: case.poll.cycle, step, attempt: None, event },
                    now,
                )?;
            }
            Ok(Some(card))
        })
        .await?;
    if let Some(card) = &card {
        daemon.hurry(card.id);
        daemon.bells.ring(Round::Deliver);
    }
    Ok(card)
}

pub(super) async fn pause(
    daemon: &Arc<Daemon>,
    by: String,
    name: String,
    until: Option<String>,
) -> Result<Reply, StoreError> {
    let until = match until.as_deref().map(UnixTime::parse).transpose() {
        Ok(until) => until,
        Err(error) => return Ok(refused(Refusal::Wrong, error)),
    };
    if until.is_some_and(|until| until <= daemon.clock.now()) {
        return Ok(refused(Refusal::Wrong, "a pause ends in the future"));
    }
    let told = Told::Paused { by: by.clone(), until, resumed: false };
    let who = by.clone();
    let change = move |old: &Wishes, now| Wishes { pause: Some(Pause { since: now, until, by: who }), ..old.clone() };
    let card = change_wishes(daemon, by, name.clone(), "pause", change, Some(told)).await?;
    Ok(card.map_or_else(
        || no_such_card(&name),
        |_| {
            let until =
                until.map_or_else(|| format!("until `simkeeper resume {name}`"), |until| format!("until {until}"));
            done(format!("nothing is bought for `{name}` {until}; it is still read, and warnings still go out"))
        },
    ))
}

pub(super) async fn resume(daemon: &Arc<Daemon>, by: String, name: String) -> Result<Reply, StoreError> {
    let told = Told::Paused { by: by.clone(), until: None, resumed: true };
    let card = change_wishes(daemon, by, name.clone(), "resume", |_, _| Wishes::default(), Some(told)).await?;
    Ok(card.map_or_else(|| no_such_card(&name), |_| done(format!("`{name}` goes on by its rule"))))
}

pub(super) async fn skip(
    daemon: &Arc<Daemon>,
    by: String,
    name: String,
    after_next: bool,
) -> Result<Reply, StoreError> {
    let change = move |old: &Wishes, _| Wishes {
        skip_next: old.skip_next || !after_next,
        stop_after_next: old.stop_after_next || after_next,
        ..old.clone()
    };
    let card = change_wishes(daemon, by, name.clone(), "skip", change, None).await?;
    Ok(card.map_or_else(
        || no_such_card(&name),
        |_| {
            done(if after_next {
                format!("after its next renewal `{name}` is paused")
            } else {
                format!("the next renewal of `{name}` is left out; `simkeeper resume {name}` takes that back")
            })
        },
    ))
}
