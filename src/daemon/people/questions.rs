//! Questions about purchases that wait for an answer: put again once a day and when the rule says so, and decided by the
//! rule in the end if it says that. Whoever was asked is told.

use std::sync::Arc;

use super::{Daemon, Round, StoreError};
use crate::daemon::live::Live;
use crate::daemon::moves::advance;
use crate::daemon::tell::{Telling, tell};
use crate::domain::attempt::{Approval, Attempt, AttemptState, Cause};
use crate::domain::card::Card;
use crate::domain::cycle::first_end;
use crate::domain::notice::{Ask, Event as Told, FailedWhy};
use crate::domain::retry;
use crate::domain::rule::Rule;
use crate::domain::step::{Decision, Event};
use crate::domain::time::UnixTime;
use crate::domain::unanswered::{Fallback, Unanswered};
use crate::store::attempts::{self, Evidence};
use crate::store::{Connection, cards, matters, polls};

/// A planned attempt that waits for a person is put again, or decided by its rule.
pub(in crate::daemon) async fn remind(daemon: &Arc<Daemon>, attempt: Attempt) -> Result<(), StoreError> {
    let (live, now) = (daemon.live(), daemon.clock.now());
    let card = attempt.card;
    let decided = daemon.store.write(move |conn| look_at(conn, &live, &attempt, now)).await?;
    match decided {
        Some(Fallback::Buy) => daemon.bells.ring(Round::Renew),
        Some(Fallback::Refuse) => daemon.hurry(card),
        None => {}
    }
    daemon.bells.ring(Round::Deliver);
    Ok(())
}

/// When and how the rule decides about a question if nobody does.
///
/// # Errors
/// When the record cannot be read.
pub(in crate::daemon) fn unanswered(
    conn: &Connection,
    live: &Live,
    card: &Card,
    attempt: &Attempt,
    asked_at: UnixTime,
) -> Result<Option<(UnixTime, Fallback)>, StoreError> {
    let Some((_, unanswered)) = by_rule(live, card, attempt) else { return Ok(None) };
    let ends = polls::load(conn, card.id)?.recent.latest.as_ref().and_then(first_end);
    Ok(Some((unanswered.deadline(asked_at, ends), unanswered.fallback)))
}

/// What the rule says of questions that nobody answers, where the rule put the question.
fn by_rule<'a>(live: &'a Live, card: &Card, attempt: &Attempt) -> Option<(&'a Rule, &'a Unanswered)> {
    let Cause::Rule { .. } = attempt.cause else { return None };
    let rule = live.rule_of(card)?;
    Some((rule, rule.unanswered.as_ref()?))
}

fn look_at(conn: &Connection, live: &Live, attempt: &Attempt, now: UnixTime) -> Result<Option<Fallback>, StoreError> {
    let (Approval::Asked { at, why }, AttemptState::Planned { .. }) = (&attempt.approval, &attempt.state) else {
        return Ok(None);
    };
    let Some(card) = cards::by_id(conn, attempt.card)? else { return Ok(None) };
    let ends = polls::load(conn, card.id)?.recent.latest.as_ref().and_then(first_end);
    let days = u32::try_from(now.since(*at).0 / retry::REMIND_EVERY.0).unwrap_or(u32::MAX);
    let (reminders, next_at, decides) = match by_rule(live, &card, attempt) {
        None => (days, now.plus(retry::REMIND_EVERY), None),
        Some((rule, unanswered)) => {
            let deadline = unanswered.deadline(*at, ends);
            if now >= deadline {
                fall_back(conn, live, attempt, (&card, rule), unanswered.fallback, now)?;
                return Ok(Some(unanswered.fallback));
            }
            let next_at = unanswered.next_look(*at, ends, now);
            (unanswered.reminders(*at, ends, now), next_at, Some((deadline, unanswered.fallback)))
        }
    };
    let event = Told::Asked {
        attempt: attempt.id,
        plan: attempt.plan.clone(),
        reckoning: attempt.reckoning.clone().map(Box::new),
        ask: Ask::Approve { why: *why },
        unanswered: decides,
        ends: None,
        reminders,
        support: live.support(&attempt.account),
    };
    // Whoever has taken it in hand is not reminded.
    if !matters::is_in_hand(conn, attempt.id, event.kind())? {
        let step = format!("attempt:{}:approve:{reminders}", attempt.id.0);
        let telling = Telling { card: Some(&card), cycle: attempt.cycle, step, attempt: Some(attempt.id), event };
        tell(conn, live, telling, now)?;
    }
    advance(conn, live, attempt, Event::Delayed { until: next_at }, now)?;
    Ok(None)
}

/// Nobody answered: the rule decides. A purchase still has to pass every gate, and what was bought is told with who agreed
/// to it; what was not is told now.
fn fall_back(
    conn: &Connection,
    live: &Live,
    attempt: &Attempt,
    (card, rule): (&Card, &Rule),
    fallback: Fallback,
    now: UnixTime,
) -> Result<(), StoreError> {
    let by = format!("[rule.{}] unanswered = \"{}\"", rule.name, fallback.word());
    tracing::info!(
        attempt.id = attempt.id.0,
        card.id = card.id.0,
        fallback = fallback.word(),
        "nobody answered; the rule decides"
    );
    if fallback == Fallback::Buy {
        let evidence = Evidence { transition: "T2", what: format!("nobody answered: {by}"), digest: None, at: now };
        let approval = Approval::Given { by, at: now };
        let next_at = rule.hours.map_or(now, |hours| hours.next_open(now, &card.zone));
        attempts::advance(conn, attempt, &AttemptState::Planned { next_at }, Some(&approval), &evidence)?;
        return Ok(());
    }
    let reason = "nobody answered in time".to_owned();
    advance(conn, live, attempt, Event::Decided { by, decision: Decision::Abandon, reason }, now)?;
    let event = Told::Failed {
        attempt: Some(attempt.id),
        plan: Some(attempt.plan.clone()),
        why: FailedWhy::Unanswered,
        next_try: None,
        support: None,
    };
    let step = format!("attempt:{}:unanswered", attempt.id.0);
    tell(conn, live, Telling { card: Some(card), cycle: attempt.cycle, step, attempt: Some(attempt.id), event }, now)
}
