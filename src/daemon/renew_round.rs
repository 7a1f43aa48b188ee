//! The renew round: begins renewals that `assess` wants (T1), and carries planned attempts through preflight and gates
//! to their one order (T2 to T8).

use std::sync::Arc;

use super::Daemon;
use super::bells::Round;
use super::case::Case;
use super::crash;
use super::offers::{self, Found};
use super::order;
use super::people;
use super::tell::{Telling, tell};
use super::work::Job;
use crate::domain::assess::Action;
use crate::domain::attempt::{Approval, Cause, StateName};
use crate::domain::card::{Card, CardId};
use crate::domain::cycle::first_end;
use crate::domain::draft::{Choice, NewAttempt, draft};
use crate::domain::forecast::Forecast;
use crate::domain::gates::Gate;
use crate::domain::notice::{Ask, Event, FailedWhy};
use crate::domain::rule::Rule;
use crate::domain::time::{Secs, UnixTime};
use crate::store::attempts;
use crate::store::{Connection, StoreError, cards, catalogues};

/// Attempts looked at in one round; those beyond it are looked at when one of these is done.
const DUE_AT_ONCE: usize = 256;
/// A renewal that could not begin (no catalogue) is tried again this much later.
const CATALOGUE_AGAIN: Secs = Secs::minutes(15);

/// Hands out what is to be renewed; answers when the next planned attempt is due.
///
/// # Errors
/// When the record cannot be read.
pub(super) async fn round(daemon: &Arc<Daemon>) -> Result<Option<UnixTime>, StoreError> {
    let now = daemon.clock.now();
    for card in daemon.take_wanted() {
        let task_daemon = Arc::clone(daemon);
        daemon.work.start(Job::Card(card), Round::Renew, async move {
            if let Err(error) = begin(&task_daemon, card).await {
                tracing::error!(card.id = card.0, %error, "a renewal could not begin");
                task_daemon.store_failed(&error);
            }
        });
    }
    let (due, next) = daemon
        .store
        .read(move |conn| Ok((attempts::due(conn, now, DUE_AT_ONCE)?, attempts::next_due_after(conn, now)?)))
        .await?;
    for attempt in due.into_iter().filter(|attempt| attempt.state.name() == StateName::Planned) {
        let task_daemon = Arc::clone(daemon);
        daemon.work.start(Job::Attempt(attempt.id), Round::Renew, async move {
            order::carry(&task_daemon, attempt).await;
        });
    }
    Ok(next)
}

/// Begins the renewal of one card: the catalogue, the choice, the planned attempt (T1).
async fn begin(daemon: &Arc<Daemon>, id: CardId) -> Result<(), StoreError> {
    let (now, live) = (daemon.clock.now(), daemon.live());
    let case_live = Arc::clone(&live);
    let case = daemon
        .store
        .read(move |conn| match cards::by_id(conn, id)? {
            Some(card) => Case::load(conn, &case_live, card, now).map(Some),
            None => Ok(None),
        })
        .await?;
    let Some(case) = case else { return Ok(()) };
    let wanted = case.assess(&live, now).actions.into_iter().find_map(|action| match action {
        Action::Renew { trigger, ask } => Some((trigger, ask)),
        Action::Warn { .. } | Action::NewCycle => None,
    });
    let (Some((trigger, _)), Some(rule)) = (wanted, case.rule(&live)) else { return Ok(()) };
    let cause = Cause::Rule { rule: rule.name.clone(), line: trigger.line };
    plan_renewal(daemon, &case, &rule.clone(), cause, now).await
}

/// Chooses seller and plan, and writes the attempt.
pub(super) async fn plan_renewal(
    daemon: &Arc<Daemon>,
    case: &Case,
    rule: &Rule,
    cause: Cause,
    now: UnixTime,
) -> Result<(), StoreError> {
    let live = daemon.live();
    let Some(reader) = live.desk(&case.card.account) else { return Ok(()) };
    let data_use = data_use(daemon, case, rule, now).await?;
    let found = match offers::first(&live, case, rule, &data_use, now).await {
        Ok(found) => found,
        Err(unheard) => {
            tracing::warn!(card.id = case.card.id.0, card.name = %case.card.name, account = %unheard.account, error = %unheard.error, "no catalogue; the renewal waits");
            daemon.schedule().put(case.card.id, now.plus(CATALOGUE_AGAIN));
            return Ok(());
        }
    };
    let (card, cycle) = (case.card.clone(), case.poll.cycle);
    let (id, again) = (card.id, now.plus(reader.pace().every));
    let drafted = match found {
        Found::Offer(offer) => {
            let choice = Choice {
                card: id,
                cycle,
                attempts: &case.attempts,
                rule,
                way: &offer.way,
                plan: &offer.plan,
                reckoning: offer.reckoning.as_ref(),
                ends: case.poll.recent.latest.as_ref().and_then(first_end),
                takes_codes: live.capabilities(&offer.way.account).takes_codes,
                cause,
            };
            let new = draft(choice, now);
            Some((new, offer.catalogue))
        }
        // Use may go up, so that it is asked again; but not by the quarter of an hour.
        Found::Lasts => {
            daemon.schedule().put(id, again);
            return Ok(());
        }
        Found::Nothing => {
            // A catalogue does not change by the quarter of an hour.
            daemon.schedule().put(id, again);
            None
        }
    };
    daemon
        .store
        .write(move |conn| match drafted {
            Some((new, catalogue)) => {
                catalogues::save(conn, id, &catalogue)?;
                begin_attempt(conn, &live, &card, new, now)
            }
            None => {
                let event = no_plan(&live, &card, again);
                tell(
                    conn,
                    &live,
                    Telling { card: Some(&card), cycle, step: "no_plan".into(), attempt: None, event },
                    now,
                )
            }
        })
        .await?;
    crash::point("planned");
    daemon.bells.ring(Round::Renew);
    Ok(())
}

/// Nothing of the rule's list is on sale.
fn no_plan(live: &super::live::Live, card: &Card, again: UnixTime) -> Event {
    let support = live.support(&card.account);
    Event::Failed { attempt: None, plan: None, why: FailedWhy::NoPlan, next_try: Some(again), support }
}

/// How the card's data was used, if the rule chooses by that.
pub(super) async fn data_use(daemon: &Daemon, case: &Case, rule: &Rule, now: UnixTime) -> Result<Forecast, StoreError> {
    let (case, rule) = (case.clone(), rule.clone());
    daemon.store.read(move |conn| case.data_use(conn, &rule, now)).await
}

/// Writes the planned attempt; asks, if a person must agree.
fn begin_attempt(
    conn: &Connection,
    live: &super::live::Live,
    card: &Card,
    new: NewAttempt,
    now: UnixTime,
) -> Result<(), StoreError> {
    let attempt = match attempts::plan(conn, &new) {
        Ok(attempt) => attempt,
        // Another attempt was begun meanwhile: gate G3 in its hardest form.
        Err(StoreError::Taken { .. }) => {
            tracing::info!(card.id = card.id.0, gate = Gate::AttemptOpen.code(), "a renewal is under way already");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    tracing::info!(card.id = card.id.0, card.name = %card.name, attempt.id = attempt.id.0, account = %attempt.account, plan = %attempt.plan.name, price = %attempt.plan.price, "renewal planned");
    let Approval::Asked { at, why } = attempt.approval else { return Ok(()) };
    let unanswered = people::unanswered(conn, live, card, &attempt, at)?;
    let event = Event::Asked {
        attempt: attempt.id,
        plan: attempt.plan.clone(),
        reckoning: attempt.reckoning.clone().map(Box::new),
        ask: Ask::Approve { why },
        unanswered,
        ends: None,
        reminders: 0,
        support: live.support(&attempt.account),
    };
    let step = format!("attempt:{}:approve:0", attempt.id.0);
    tell(conn, live, Telling { card: Some(card), cycle: attempt.cycle, step, attempt: Some(attempt.id), event }, now)
}
