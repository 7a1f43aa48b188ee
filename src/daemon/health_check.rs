//! The record's own health: once a week every page, index and reference is checked, and once a day whether a copy is new
//! enough to help. Damage stops buying until a later check finds none or a copy was restored; both are told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Daemon;
use super::bells::Round;
use super::tell::{Telling, tell};
use super::work::Job;
use crate::domain::notice::Event;
use crate::domain::record::RecordProblem;
use crate::domain::time::{Secs, UnixTime};
use crate::store::people::{self, HumanAction};
use crate::store::{Connection, StoreError, backup, examine};

/// How often the whole record is checked.
const CHECK_EVERY: Secs = Secs::days(7);
/// The first time after a start: a daemon that is started daily must look, too.
const CHECK_AFTER_START: Secs = Secs::HOUR;
/// How often the age of the copies is looked at.
const COPIES_EVERY: Secs = Secs::DAY;
/// The first time after a start: a machine that was off for days makes its copy first.
const COPIES_AFTER_START: Secs = Secs::hours(26);
/// A newest copy older than this is told, where copies are wanted.
const COPY_OLD: Secs = Secs::days(3);

/// When each look is due next.
#[derive(Clone, Debug, Default)]
pub(super) struct Due {
    check_at: Option<UnixTime>,
    copies_at: Option<UnixTime>,
}

impl Due {
    /// Starts what is due; answers when the next look is.
    pub(super) fn start_due(&mut self, daemon: &Arc<Daemon>, now: UnixTime) -> UnixTime {
        let check_at = *self.check_at.get_or_insert(now.plus(CHECK_AFTER_START));
        let copies_at = *self.copies_at.get_or_insert(now.plus(COPIES_AFTER_START));
        let (check, copies) = (check_at <= now, copies_at <= now);
        if check {
            self.check_at = Some(now.plus(CHECK_EVERY));
        }
        if copies {
            self.copies_at = Some(now.plus(COPIES_EVERY));
        }
        if check || copies {
            let task_daemon = Arc::clone(daemon);
            daemon.work.start(Job::Check, Round::Keep, async move {
                if let Err(error) = look(&task_daemon, check, copies).await {
                    tracing::error!(%error, "the record could not be checked");
                    task_daemon.store_failed(&error);
                }
            });
        }
        self.check_at.unwrap_or(now).min(self.copies_at.unwrap_or(now))
    }
}

/// Whether the check before this process found damage that none after it found mended.
pub(super) fn was_damaged(conn: &Connection) -> Result<bool, StoreError> {
    people::is_damaged(conn)
}

async fn look(daemon: &Arc<Daemon>, check: bool, copies: bool) -> Result<(), StoreError> {
    if check {
        check_whole(daemon).await?;
    }
    if copies {
        look_at_copies(daemon).await?;
    }
    Ok(())
}

async fn check_whole(daemon: &Arc<Daemon>) -> Result<(), StoreError> {
    let path = daemon.places.state.join("simkeeper.db");
    let checked = tokio::task::spawn_blocking(move || examine::check_whole(&path)).await;
    match checked {
        Ok(Ok(())) => {
            if daemon.damaged.swap(false, Ordering::SeqCst) {
                tracing::info!("the record is sound again");
                note(daemon, people::FOUND_SOUND, "a check of the whole record".to_owned(), None).await?;
            }
            Ok(())
        }
        Ok(Err(error @ StoreError::Damaged { .. })) => {
            // Whatever becomes of the note: this process buys nothing any more.
            let known = daemon.damaged.swap(true, Ordering::SeqCst);
            tracing::error!(%error, "damage was found in the record; nothing is bought");
            let problem = RecordProblem::Damaged { why: error.to_string() };
            if known {
                return tell_all(daemon, problem).await;
            }
            note(daemon, people::DAMAGE_FOUND, error.to_string(), Some(problem)).await
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(StoreError::Broken { why: "the check was not finished".into() }),
    }
}

async fn look_at_copies(daemon: &Arc<Daemon>) -> Result<(), StoreError> {
    if daemon.live().machine().schedule.backup.is_none() {
        return Ok(());
    }
    let copies = backup::list(&daemon.places.state).unwrap_or_else(|error| {
        tracing::error!(%error, "the copies of the record cannot be found");
        Vec::new()
    });
    let newest = copies.iter().find_map(|path| backup::made_at(path));
    let now = daemon.clock.now();
    if newest.is_some_and(|made| now.since(made) <= COPY_OLD) {
        return Ok(());
    }
    tracing::warn!("the newest copy of the record is old");
    tell_all(daemon, RecordProblem::CopyOld { newest }).await
}

async fn tell_all(daemon: &Arc<Daemon>, problem: RecordProblem) -> Result<(), StoreError> {
    let (live, now) = (daemon.live(), daemon.clock.now());
    daemon.store.write(move |conn| told(conn, &live, problem, now)).await?;
    daemon.bells.ring(Round::Deliver);
    Ok(())
}

/// Writes down what was found, and tells it in the same transaction.
async fn note(
    daemon: &Arc<Daemon>,
    what: &'static str,
    reason: String,
    problem: Option<RecordProblem>,
) -> Result<(), StoreError> {
    let (live, now) = (daemon.live(), daemon.clock.now());
    let by = "simkeeper".to_owned();
    let act = HumanAction { at: now, by, what: what.to_owned(), card: None, attempt: None, reason: Some(reason) };
    let work = move |conn: &Connection| {
        people::record(conn, &act)?;
        problem.map_or(Ok(()), |problem| told(conn, &live, problem, now))
    };
    daemon.store.write(work).await?;
    daemon.bells.ring(Round::Deliver);
    Ok(())
}

/// Told once a week as long as it lasts.
pub(super) fn told(
    conn: &Connection,
    live: &super::live::Live,
    problem: RecordProblem,
    now: UnixTime,
) -> Result<(), StoreError> {
    let word = match problem {
        RecordProblem::Damaged { .. } => "damaged",
        RecordProblem::JournalLost => "journal",
        RecordProblem::CopyOld { .. } => "copy",
    };
    let step = format!("{word}:{}", now.secs().div_euclid(CHECK_EVERY.0));
    let event = Event::RecordProblem(problem);
    tell(conn, live, Telling { card: None, cycle: 0, step, attempt: None, event }, now)
}
