//! Who gets a digest now: each wish has its moments by its person's clock, and the record holds up to which of them they
//! were told. What was missed is told once, by the newest only; of several that are due the longest speaks for all.

use std::sync::Arc;

use jiff::civil::Date;

use super::Daemon;
use super::bells::Round;
use super::digest_cards::{self, Draft};
use super::live::Live;
use super::tell::{self, Queueing};
use super::work::Job;
use crate::domain::card::Name;
use crate::domain::digest::{self, Digest, Rhythm, Span};
use crate::domain::notice::{Event, NoticeKind, Story};
use crate::domain::reading::CLOCK_TOLERANCE;
use crate::domain::time::{Secs, UnixTime};
use crate::store::digests::{self, Told};
use crate::store::{Connection, StoreError};

/// After a failure it is tried again this much later: on a full disk it would fail at once.
const FAILED_RESTS: Secs = Secs::MINUTE;

/// One digest that is due.
struct Due {
    person: Name,
    rhythm: Rhythm,
    day: Date,
    since: UnixTime,
}

/// What there is to do about the wishes of all people at one moment.
#[derive(Default)]
struct Standing {
    /// Those that begin now.
    begun: Vec<(Name, Span)>,
    /// Those that nobody has any more.
    ended: Vec<(Name, Span)>,
    /// Those that are due.
    due: Vec<Due>,
    /// When the next one is.
    next: Option<UnixTime>,
}

/// Has the digests made that are due, but none before `from`; answers when the next one is.
///
/// # Errors
/// When the record cannot be read or written.
pub(super) async fn start_due(
    daemon: &Arc<Daemon>,
    from: UnixTime,
    now: UnixTime,
) -> Result<Option<UnixTime>, StoreError> {
    let live = daemon.live();
    if live.machine().people.iter().all(|person| person.digests.is_empty()) {
        return Ok(None);
    }
    let Standing { begun, ended, due, next } = standing(&live, &daemon.store.read(digests::all).await?, now);
    if !begun.is_empty() || !ended.is_empty() {
        let note = move |conn: &Connection| {
            begun.iter().try_for_each(|(person, span)| digests::put(conn, person, *span, now))?;
            ended.iter().try_for_each(|(person, span)| digests::forget(conn, person, *span))
        };
        daemon.store.write(note).await?;
    }
    if due.is_empty() {
        return Ok(next);
    }
    if now < from {
        return Ok(next.map(|next| next.min(from)));
    }
    let task_daemon = Arc::clone(daemon);
    daemon.work.start(Job::Digests, Round::Keep, async move {
        if let Err(error) = make(&task_daemon, &live, due, now).await {
            tracing::error!(%error, "digests could not be made");
            task_daemon.store_failed(&error);
            task_daemon.pause(FAILED_RESTS).await;
        }
    });
    Ok(next)
}

fn standing(live: &Live, told: &[Told], now: UnixTime) -> Standing {
    let mut standing = Standing::default();
    for person in &live.machine().people {
        for rhythm in &person.digests {
            let (name, span) = (&person.name, rhythm.span());
            let next = rhythm.next(&person.zone, now);
            standing.next = Some(standing.next.map_or(next, |first| first.min(next)));
            let known = told.iter().find(|told| told.person == *name && told.span == span);
            // What a clock told that was far ahead holds nobody up once it is right again; the day of each keeps it single.
            let Some(known) = known.filter(|told| told.until.since(now) <= CLOCK_TOLERANCE) else {
                standing.begun.push((name.clone(), span));
                continue;
            };
            let newest = rhythm.latest(&person.zone, now);
            if let Some(day) = newest.filter(|day| rhythm.at(*day, &person.zone) > known.until) {
                standing.due.push(Due { person: name.clone(), rhythm: *rhythm, day, since: known.until });
            }
        }
    }
    let is_wanted = |told: &&Told| {
        let person = live.machine().person(&told.person);
        person.is_some_and(|person| person.digests.iter().any(|rhythm| rhythm.span() == told.span))
    };
    let ended = told.iter().filter(|told| !is_wanted(told));
    standing.ended.extend(ended.map(|told| (told.person.clone(), told.span)));
    standing
}

async fn make(daemon: &Arc<Daemon>, live: &Arc<Live>, due: Vec<Due>, now: UnixTime) -> Result<(), StoreError> {
    let drafts = longest(&due).map(|due| draft(live, due, now)).collect();
    let drafts = digest_cards::fill(daemon, live, drafts, now).await?;
    let live = Arc::clone(live);
    let queue = move |conn: &Connection| {
        drafts.iter().try_for_each(|draft| queue(conn, &live, draft, now))?;
        due.iter().try_for_each(|due| digests::put(conn, &due.person, due.rhythm.span(), now))
    };
    daemon.store.write(queue).await?;
    daemon.bells.ring(Round::Deliver);
    Ok(())
}

/// Of each person the one that speaks for the longest time.
fn longest(due: &[Due]) -> impl Iterator<Item = &Due> {
    due.iter().filter(|one| {
        let longer = |other: &&Due| other.person == one.person && other.rhythm.span() > one.rhythm.span();
        !due.iter().any(|other| longer(&other))
    })
}

fn draft(live: &Live, due: &Due, now: UnixTime) -> Draft {
    let zone = live.machine().person(&due.person).map(|person| person.zone.clone()).unwrap_or(jiff::tz::TimeZone::UTC);
    let (span, next) = (due.rhythm.span(), due.rhythm.next(&zone, now));
    Draft::of(due.person.clone(), digest::key(span, due.day), Digest::new(span, due.since, now, next))
}

/// Queues a digest over the ways on which its person wants news; who is told of no card gets none.
fn queue(conn: &Connection, live: &Live, draft: &Draft, now: UnixTime) -> Result<(), StoreError> {
    if draft.digest.cards == 0 {
        return Ok(());
    }
    let event = Event::Digest(Box::new(draft.digest.clone()));
    let story = Story { card: None, at: now, event, course: None, retold: None };
    let queueing = Queueing::of(&story, &draft.key);
    digests::supersede(conn, &draft.person, now)?;
    let ways = live.ways(Some(std::slice::from_ref(&draft.person)), NoticeKind::Digest);
    for way in ways.iter().filter(|way| way.person == draft.person) {
        tell::queue(conn, &queueing, way, now)?;
    }
    Ok(())
}
