//! Accounts with `discover = true`: their operators' lists are read soon after the start and once a day.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Daemon;
use super::bells::Round;
use super::desk::Desk;
use super::discovery::{self, LABEL, Wanted};
use super::tell::{Telling, tell};
use super::work::Job;
use crate::domain::card::Name;
use crate::domain::discovery::Standing;
use crate::domain::notice::Event;
use crate::domain::time::{Secs, UnixTime};
use crate::store::{Connection, StoreError};

/// How often a list is read.
const EVERY: Secs = Secs::DAY;
/// When it is tried again after it could not be read.
const AGAIN: Secs = Secs::HOUR;

/// When each account's list is read next.
#[derive(Clone, Debug, Default)]
pub(super) struct Discoveries(Arc<Mutex<BTreeMap<Name, UnixTime>>>);

impl Discoveries {
    /// Starts what is due, for accounts that the file says it of; answers when the next is.
    pub(super) fn start_due(&self, daemon: &Arc<Daemon>, now: UnixTime) -> Option<UnixTime> {
        let live = daemon.live();
        let wanted = live.machine().accounts.iter().filter(|account| account.discover);
        let desks: Vec<&Arc<Desk>> = wanted.filter_map(|account| live.desk(&account.name)).collect();
        let mut next = self.next();
        // An account whose key was taken out begins anew when it comes back.
        next.retain(|name, _| desks.iter().any(|desk| desk.account.name == *name));
        for desk in desks {
            let name = &desk.account.name;
            if next.get(name).is_some_and(|at| *at > now) {
                continue;
            }
            if let Some(until) = desk.left_alone_until(now) {
                next.insert(name.clone(), until);
                continue;
            }
            next.insert(name.clone(), now.plus(EVERY));
            self.start(daemon, desk);
        }
        next.values().min().copied()
    }

    fn start(&self, daemon: &Arc<Daemon>, desk: &Arc<Desk>) {
        let (all, task_daemon, task_desk) = (self.clone(), Arc::clone(daemon), Arc::clone(desk));
        daemon.work.start(Job::Discovery(desk.account.name.clone()), Round::Keep, async move {
            if !look(&task_daemon, &task_desk).await {
                let again = task_daemon.clock.now().plus(AGAIN);
                all.next().insert(task_desk.account.name.clone(), again);
            }
        });
    }

    fn next(&self) -> MutexGuard<'_, BTreeMap<Name, UnixTime>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads one list; false if it has to be tried again before its day.
async fn look(daemon: &Arc<Daemon>, desk: &Desk) -> bool {
    let account = &desk.account.name;
    if !desk.operator.capabilities().discovers {
        tracing::warn!(%account, "`discover = true`, but this operator does not list the cards of an account");
        return true;
    }
    let wanted = Wanted { labels: Name::parse(LABEL).into_iter().collect(), by: None, dry_run: false };
    match discovery::discover(daemon, desk, wanted).await {
        Ok(Ok(findings)) => {
            let odd = findings.found.iter().filter(|found| matches!(found.standing, Standing::Odd { .. })).count();
            if findings.added > 0 || odd > 0 {
                let (added, listed) = (findings.added, findings.found.len());
                tracing::info!(%account, added, odd, listed, "the operator's list of cards was read");
            }
            if findings.added > 0
                && let Err(error) = tell_of(daemon, account, findings.added).await
            {
                tracing::error!(%account, %error, "nobody could be told of the cards that were added");
                daemon.store_failed(&error);
            }
            true
        }
        Ok(Err(error)) => {
            tracing::warn!(%account, %error, "the operator's list of cards could not be read");
            false
        }
        Err(error) => {
            tracing::error!(%account, %error, "cards that the operator lists could not be recorded");
            daemon.store_failed(&error);
            false
        }
    }
}

/// One notice for all that were added.
async fn tell_of(daemon: &Arc<Daemon>, account: &Name, count: usize) -> Result<(), StoreError> {
    let (live, now) = (daemon.live(), daemon.clock.now());
    let labels: Vec<Name> = Name::parse(LABEL).into_iter().collect();
    let rule = live.config().rules.rule_for(&labels, None).map(|rule| rule.name.clone());
    let step = format!("{account}:{}", now.secs());
    let event = Event::CardsFound { account: account.clone(), count, rule };
    let telling =
        move |conn: &Connection| tell(conn, &live, Telling { card: None, cycle: 0, step, attempt: None, event }, now);
    daemon.store.write(telling).await?;
    daemon.bells.ring(Round::Deliver);
    Ok(())
}
