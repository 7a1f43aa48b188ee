//! Cards about which people want to hear nothing for a while.

use std::sync::Arc;

use super::{Daemon, Round, StoreError, done, named, no_such_card, note, refused};
use crate::daemon::live::Live;
use crate::daemon::request::{Refusal, Reply};
use crate::domain::card::CardId;
use crate::domain::severity::Severity;
use crate::domain::silence::Silence;
use crate::domain::time::{Secs, UnixTime};
use crate::store::{Connection, silences};

/// Nobody remembers a silence for longer.
const LONGEST: Secs = Secs::days(366);

/// Begins a silence about a card, or changes its end.
pub(super) async fn begin(
    daemon: &Arc<Daemon>,
    by: String,
    name: String,
    until: &str,
    urgent: bool,
) -> Result<Reply, StoreError> {
    let now = daemon.clock.now();
    let until = match UnixTime::parse(until) {
        Ok(until) => until,
        Err(error) => return Ok(refused(Refusal::Wrong, error)),
    };
    if until <= now || until.since(now) > LONGEST {
        return Ok(refused(Refusal::Wrong, "a silence ends in the future, within a year"));
    }
    let wanted = name.clone();
    let found = daemon
        .store
        .write(move |conn| {
            let Some(card) = named(conn, &wanted)? else { return Ok(false) };
            silences::put(conn, card.id, &Silence { since: now, until, by: by.clone(), urgent })?;
            let kept = if urgent { "nothing" } else { "what is urgent" };
            note(conn, now, &by, "silence", Some(card.id), None, Some(&format!("until {until}; told: {kept}")))?;
            Ok(true)
        })
        .await?;
    let kept = if urgent { "nothing at all is told" } else { "only what is urgent is told" };
    Ok(if found {
        done(format!("until {until} {kept} about `{name}`; `simkeeper silence {name} --lift` ends it"))
    } else {
        no_such_card(&name)
    })
}

/// Ends a silence; what waited for it goes out.
pub(super) async fn lift(daemon: &Arc<Daemon>, by: String, name: String) -> Result<Reply, StoreError> {
    let (live, now, wanted) = (daemon.live(), daemon.clock.now(), name.clone());
    let found = daemon
        .store
        .write(move |conn| {
            let Some(card) = named(conn, &wanted)? else { return Ok(None) };
            if !silences::lift(conn, card.id, now)? {
                return Ok(Some(false));
            }
            bring_forward(conn, &live, card.id, now)?;
            note(conn, now, &by, "end silence", Some(card.id), None, None)?;
            Ok(Some(true))
        })
        .await?;
    daemon.bells.ring(Round::Deliver);
    Ok(match found {
        None => no_such_card(&name),
        Some(false) => refused(Refusal::NotNow, format!("there is no silence about `{name}`")),
        Some(true) => done(format!("everything is told about `{name}` again")),
    })
}

/// What waited goes out now, or at the end of its reader's quiet hours.
fn bring_forward(conn: &Connection, live: &Live, card: CardId, now: UnixTime) -> Result<(), StoreError> {
    for waiting in silences::waiting(conn, card, now)? {
        let mut ways = live.all_ways_to(&waiting.person, Severity::News);
        let at = ways.find(|way| way.channel == waiting.channel).map_or(now, |way| way.send_at(now));
        silences::send_at(conn, waiting.id, at)?;
    }
    Ok(())
}
