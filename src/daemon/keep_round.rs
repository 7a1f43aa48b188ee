//! The keeping round: what keeps the record itself in order. Old notices expire, history is thinned, copies are made,
//! and changed files are noticed.

use std::sync::Arc;

use super::Daemon;
use super::bells::Round;
use super::digest_round;
use super::discovery_round::Discoveries;
use super::health_check;
use super::late_changes;
use super::live::Live;
use super::wallet_watch;
use super::work::Job;
use crate::config::Daily;
use crate::domain::card::Name;
use crate::domain::reading::CLOCK_TOLERANCE;
use crate::domain::time::{Secs, UnixTime};
use crate::store::accounts::{self, AccountState};
use crate::store::{StoreError, meta, notices, readings};

/// How often notices are looked at for their expiry, and the time and the operators' state are noted.
const TIDY_EVERY: Secs = Secs::minutes(15);
/// How often history is thinned.
const THIN_EVERY: Secs = Secs::DAY;
/// How often orders that may still be taken back are looked up.
const LATE_CHANGES_EVERY: Secs = Secs::DAY;
/// Soon after a start they are looked up for the first time: a daemon that starts daily must look, too.
const LATE_CHANGES_AFTER_START: Secs = Secs::minutes(30);
/// How often wallets are looked into, beside the look before each order: often enough that "a day before" is one.
const WALLETS_EVERY: Secs = Secs::hours(6);
/// Soon after a start they are looked into for the first time, when the cards have been read.
const WALLETS_AFTER_START: Secs = Secs::minutes(15);
/// So long after a start digests wait that are due: the cards are read first, or each would be told to be unread.
const DIGESTS_AFTER_START: Secs = Secs::minutes(15);
/// Card-months thinned in one transaction.
const THINNED_AT_ONCE: usize = 500;
/// Copies that are kept.
pub(crate) const BACKUPS_KEPT: usize = 14;

/// When each kind of keeping is next due.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    looked_at: Option<UnixTime>,
    tidy_at: Option<UnixTime>,
    thin_at: Option<UnixTime>,
    late_changes_at: Option<UnixTime>,
    wallets_at: Option<UnixTime>,
    digests_from: Option<UnixTime>,
    backup_at: Option<UnixTime>,
    beat_at: Option<UnixTime>,
    check: health_check::Due,
    discovery: Discoveries,
}

/// How the ways to the operators fare, for the record.
fn stored(live: &Live) -> Vec<(Name, AccountState)> {
    live.desks().map(|desk| (desk.account.name.clone(), desk.stored())).collect()
}

/// Does what is due; answers when the next keeping is.
///
/// # Errors
/// When the record cannot be written.
pub(super) async fn round(daemon: &Arc<Daemon>, kept: &mut Kept) -> Result<Option<UnixTime>, StoreError> {
    let now = daemon.clock.now();
    if kept.looked_at.is_some_and(|at| at.since(now) > CLOCK_TOLERANCE) {
        // What is due by a clock that was wrong is due by none.
        *kept = Kept::default();
    }
    kept.looked_at = Some(now);
    if kept.tidy_at.is_none_or(|at| at <= now) {
        tidy(daemon, now).await?;
        kept.tidy_at = Some(now.plus(TIDY_EVERY));
    }
    if kept.thin_at.is_none_or(|at| at <= now) {
        kept.thin_at = Some(now.plus(THIN_EVERY));
        // In small transactions, so that nothing else waits long.
        while daemon.store.write(move |conn| readings::thin(conn, now, THINNED_AT_ONCE)).await? > 0 {}
    }
    look_for_late_changes(daemon, kept, now);
    look_into_wallets(daemon, kept, now);
    back_up(daemon, kept, now);
    beat(daemon, kept, now);
    let check_at = kept.check.start_due(daemon, now);
    daemon.reload_if_changed().await;
    let discovery_at = kept.discovery.start_due(daemon, now);
    let digests_from = *kept.digests_from.get_or_insert(now.plus(DIGESTS_AFTER_START));
    let digest_at = digest_round::start_due(daemon, digests_from, now).await?;
    let due = [
        kept.tidy_at,
        kept.thin_at,
        kept.late_changes_at,
        kept.wallets_at,
        kept.backup_at,
        kept.beat_at,
        Some(check_at),
        discovery_at,
        digest_at,
    ];
    Ok(due.into_iter().flatten().min())
}

/// A sign of life, once every round has finished since the last: a daemon that hangs in one of them sends none. A monitor
/// that cannot be reached is the monitor's business.
fn beat(daemon: &Arc<Daemon>, kept: &mut Kept, now: UnixTime) {
    let live = daemon.live();
    let Some(heartbeat) = live.heartbeat().map(Arc::clone) else {
        kept.beat_at = None;
        return;
    };
    if kept.beat_at.is_some_and(|at| at > now) {
        return;
    }
    if !daemon.health.may_beat() {
        kept.beat_at = Some(now.plus(Secs::MINUTE));
        return;
    }
    kept.beat_at = Some(now.plus(heartbeat.every()));
    daemon.work.start(Job::Heartbeat, Round::Keep, async move {
        if let Err(why) = heartbeat.beat().await {
            tracing::warn!(%why, "the sign of life did not arrive");
        }
    });
}

async fn tidy(daemon: &Arc<Daemon>, now: UnixTime) -> Result<(), StoreError> {
    let live = daemon.live();
    let (fares, confirmed) = (stored(&live), confirmed(&live, now));
    let expired = daemon
        .store
        .write(move |conn| {
            if let Some(at) = confirmed {
                meta::seen(conn, at)?;
            }
            for (account, state) in &fares {
                accounts::save(conn, account, state)?;
            }
            notices::expire(conn, now)
        })
        .await?;
    if expired > 0 {
        tracing::warn!(count = expired, "notices expired before they could be delivered");
    }
    if let Err(error) = daemon.store.renew_reserve() {
        tracing::warn!(%error, "no space could be set aside for outcomes on a full disk");
    }
    Ok(())
}

/// The latest instant that an operator's clock and ours have both reached. Ours alone is no witness: if it ran ahead for
/// an hour, the right time would be taken for a wrong one afterwards.
fn confirmed(live: &Live, now: UnixTime) -> Option<UnixTime> {
    let told =
        live.desks().filter_map(|desk| desk.operator.contact().clock.max(desk.faring().clocks.map(|(_, told)| told)));
    told.max().map(|told| told.min(now))
}

/// Once a day, the first time soon after the start.
fn look_for_late_changes(daemon: &Arc<Daemon>, kept: &mut Kept, now: UnixTime) {
    let due = kept.late_changes_at.is_some_and(|at| at <= now);
    match kept.late_changes_at {
        None => kept.late_changes_at = Some(now.plus(LATE_CHANGES_AFTER_START)),
        Some(_) if due => kept.late_changes_at = Some(now.plus(LATE_CHANGES_EVERY)),
        Some(_) => {}
    }
    if due {
        let task_daemon = Arc::clone(daemon);
        daemon.work.start(Job::LateChanges, Round::Keep, async move {
            if let Err(error) = late_changes::look(&task_daemon).await {
                tracing::error!(%error, "orders that may still be taken back could not be looked up");
                task_daemon.store_failed(&error);
            }
        });
    }
}

/// Every six hours, the first time soon after the start.
fn look_into_wallets(daemon: &Arc<Daemon>, kept: &mut Kept, now: UnixTime) {
    let due = kept.wallets_at.is_some_and(|at| at <= now);
    match kept.wallets_at {
        None => kept.wallets_at = Some(now.plus(WALLETS_AFTER_START)),
        Some(_) if due => kept.wallets_at = Some(now.plus(WALLETS_EVERY)),
        Some(_) => {}
    }
    if due {
        let task_daemon = Arc::clone(daemon);
        daemon.work.start(Job::Wallets, Round::Keep, async move {
            if let Err(error) = wallet_watch::look(&task_daemon).await {
                tracing::error!(%error, "nobody could be told how long the wallets last");
                task_daemon.store_failed(&error);
            }
        });
    }
}

/// The next such time of day, in UTC.
fn next_daily(daily: Daily, now: UnixTime) -> UnixTime {
    let day = now.secs().div_euclid(Secs::DAY.0) * Secs::DAY.0;
    let at = UnixTime::clamped(day + i64::from(daily.hour) * 3_600 + i64::from(daily.minute) * 60);
    if at > now { at } else { at.plus(Secs::DAY) }
}

/// Starts the daily copy when its hour comes. The first is due at the next such hour, not at every start.
fn back_up(daemon: &Arc<Daemon>, kept: &mut Kept, now: UnixTime) {
    let live = daemon.live();
    let Some(daily) = live.machine().schedule.backup else {
        kept.backup_at = None;
        return;
    };
    let due = kept.backup_at.is_some_and(|at| at <= now);
    if kept.backup_at.is_none() || due {
        kept.backup_at = Some(next_daily(daily, now));
    }
    if due {
        let task_daemon = Arc::clone(daemon);
        daemon.work.start(Job::Backup, Round::Keep, async move {
            match task_daemon.back_up().await {
                Ok(copy) => tracing::info!(path = %copy.path.display(), bytes = copy.bytes, sha256 = copy.sha256, "a copy of the record was made and proved"),
                Err(error) => {
                    tracing::error!(%error, "no copy of the record could be made");
                    task_daemon.store_failed(&error);
                }
            }
        });
    }
}
