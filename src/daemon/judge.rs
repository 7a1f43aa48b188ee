//! What one answer about one card comes to: the reading is recorded, the case assessed, and everything that follows
//! (cycle, decision, warnings, next poll) is written in the same transaction.

use crate::store::Connection;

use super::case::Case;
use super::live::Live;
use super::tell::{Telling, tell};
use crate::domain::assess::{Action, Assessment};
use crate::domain::attempt::Snapshot;
use crate::domain::card::{Card, CardId};
use crate::domain::intake;
use crate::domain::last_safe;
use crate::domain::notice::{Due, Event, NextStep, NoticeKind};
use crate::domain::operator::OperatorError;
use crate::domain::reading::Reading;
use crate::domain::time::UnixTime;
use crate::domain::warning_step;
use crate::store::missing_lines::JOURNAL_LOST;
use crate::store::polls::{self, PollUpdate, Seen};
use crate::store::{StoreError, cards, decisions, meta, notices};

/// What an answer came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    /// Which card.
    pub(crate) card: CardId,
    /// When it is read again.
    pub(crate) next_poll_at: UnixTime,
    /// Whether a renewal is to begin now.
    pub(crate) renew: bool,
}

/// Records an answer and what follows from it.
///
/// # Errors
/// When the record cannot be read or written.
pub(crate) fn judge(
    conn: &Connection,
    live: &Live,
    card: Card,
    answer: Result<Reading, OperatorError>,
    now: UnixTime,
) -> Result<Judged, StoreError> {
    let id = card.id;
    let mut case = Case::load(conn, live, card, now)?;
    if let Err(error) = &answer {
        tracing::warn!(card.id = id.0, card.name = %case.card.name, %error, "a card could not be read");
    }
    let seen = Seen::of(answer, &case.poll.recent, &case.attempts);
    let failed = matches!(seen, Seen::Failed);
    intake::take(&mut case.poll.recent, &mut case.poll.failures, &seen);
    if case.ledger.quarantined && confirmed(conn, &case, now)? {
        meta::lift(conn, id)?;
        case.ledger.quarantined = false;
        tracing::info!(card.id = id.0, "two readings agree after the restore; the card is renewed again");
    }
    let assessment = case.assess(live, now);
    let renew = assessment.actions.iter().any(|action| matches!(action, Action::Renew { .. })) && !failed;
    let failures = if failed { case.poll.failures } else { 0 };
    let next_poll_at = intake::next_poll(assessment.next_poll_at, id, failures, renew, now);
    let cycle = carry_out(conn, live, &case, &assessment, &seen, now)?;
    alarm(conn, live, &case, &assessment, cycle, now)?;
    // A good reading has taken the place of the one that the row still holds.
    let in_row = if matches!(seen, Seen::Good(_)) { &case.poll.recent.previous } else { &case.poll.recent.latest };
    let update = PollUpdate { card: id, seen, next_poll_at, cycle };
    polls::save_loaded(conn, &update, in_row.as_ref(), &case.poll.tail, &case.poll.recent)?;
    note_verdict(conn, &case, &assessment, now)?;
    Ok(Judged { card: id, next_poll_at, renew })
}

/// Keeps the conclusion with its reasons when it is another than before; amounts that only go on falling are in the
/// readings.
fn note_verdict(conn: &Connection, case: &Case, assessment: &Assessment, now: UnixTime) -> Result<(), StoreError> {
    let word = assessment.verdict.word();
    if case.poll.verdict.as_deref() == Some(word) {
        return Ok(());
    }
    let reasons = serde_json::to_string(&assessment.reasons).unwrap_or_else(|_| "[]".to_owned());
    decisions::record(conn, case.card.id, word, &reasons, now).map(drop)
}

/// Whether a card that was set aside after a restore is confirmed.
fn confirmed(conn: &Connection, case: &Case, now: UnixTime) -> Result<bool, StoreError> {
    let (set_aside, last_seen) = (meta::quarantined(conn, case.card.id)?, meta::last_seen(conn)?);
    Ok(set_aside.is_none_or(|quarantine| {
        // Without a journal nobody knows from when the record is, and what a reading would have to show.
        quarantine.reason != JOURNAL_LOST && intake::confirmed(&case.poll.recent, quarantine.since, last_seen, now)
    }))
}

/// Carries out what `assess` says can be done without the network; answers the cycle that now counts.
fn carry_out(
    conn: &Connection,
    live: &Live,
    case: &Case,
    assessment: &Assessment,
    seen: &Seen,
    now: UnixTime,
) -> Result<u32, StoreError> {
    let mut cycle = case.poll.cycle;
    for action in &assessment.actions {
        match action {
            Action::NewCycle if !intake::may_begin_cycle(seen) => {}
            Action::NewCycle => {
                cycle = cycle.saturating_add(1);
                wishes_used(conn, &case.card, now)?;
            }
            Action::Warn { due, next } => warn(conn, live, case, cycle, *due, *next, now)?,
            Action::Renew { .. } => {}
        }
    }
    Ok(cycle)
}

/// After a renewal "skip the next" is used up, and "stop after the next" becomes a pause.
pub(crate) fn wishes_used(conn: &Connection, card: &Card, now: UnixTime) -> Result<(), StoreError> {
    card.wishes.used(now).map_or(Ok(()), |wishes| cards::set_wishes(conn, card.id, &wishes))
}

/// Tells loudly, once in a cycle, that a renewal may not begin in time any more.
fn alarm(
    conn: &Connection,
    live: &Live,
    case: &Case,
    assessment: &Assessment,
    cycle: u32,
    now: UnixTime,
) -> Result<(), StoreError> {
    let rule = case.rule(live);
    let (Some(rule), Some(reading)) = (rule, case.reading(rule, now)) else { return Ok(()) };
    if !last_safe::may_alarm(assessment.verdict) {
        return Ok(());
    }
    let Some(last) = case.last_safe(conn, rule, case.lead(live), now)? else { return Ok(()) };
    let next = last_safe::alarm(&case.card, rule, &reading, case.open(), assessment.verdict, &last, now);
    let Some(next) = next else { return Ok(()) };
    let event = Event::LastSafe { last, next, now: Snapshot::of(&reading) };
    tell(conn, live, Telling { card: Some(&case.card), cycle, step: last.loss.step(), attempt: None, event }, now)
}

fn warn(
    conn: &Connection,
    live: &Live,
    case: &Case,
    cycle: u32,
    due: Due,
    next: NextStep,
    now: UnixTime,
) -> Result<(), StoreError> {
    let last = notices::last_told(conn, NoticeKind::DueSoon, case.card.id, &due.step())?;
    let (cycle, step) = warning_step::of(&due, cycle, last);
    let snapshot = case.poll.recent.latest.as_ref().map(Snapshot::of).unwrap_or_default();
    let event = Event::DueSoon { due, next, now: snapshot };
    tell(conn, live, Telling { card: Some(&case.card), cycle, step, attempt: None, event }, now)
}
