//! What one answer about one card comes to: the reading is recorded, the case assessed, and everything that follows
//! (cycle, decision, warnings, next poll) is written in the same transaction.

use crate::store::Connection;

use super::case::Case;
use super::live::Live;
use super::tell::{Telling, tell};
use crate::domain::assess::{Action, Assessment};
use crate::domain::attempt::Snapshot;
use crate::domain::card::{Card, CardId, Pause, Wishes};
use crate::domain::gates;
use crate::domain::notice::{Due, Event, NextStep};
use crate::domain::operator::OperatorError;
use crate::domain::reading::{self, Reading};
use crate::domain::retry;
use crate::domain::time::{Secs, UnixTime};
use crate::store::polls::{self, Poll, PollUpdate, Seen};
use crate::store::{StoreError, cards, decisions, meta};

/// A renewal that is due but cannot be begun at once is looked at again this soon, also after a restart.
const RENEWAL_LOOKS_AGAIN: Secs = Secs::minutes(15);

/// A card that was set aside after a restore stays so for this long at least.
const QUARANTINE_LASTS: Secs = Secs::hours(26);

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
    let seen = match answer {
        Ok(reading) => match reading::oddity(&reading, case.poll.recent.latest.as_ref()) {
            None => Seen::Good(reading),
            Some(oddity) => Seen::Odd(reading, oddity),
        },
        Err(error) => {
            tracing::warn!(card.id = id.0, card.name = %case.card.name, %error, "a card could not be read");
            Seen::Failed
        }
    };
    let failed = matches!(seen, Seen::Failed);
    take(&mut case.poll, &seen);
    if case.ledger.quarantined && confirmed(conn, &case)? {
        meta::lift(conn, id)?;
        case.ledger.quarantined = false;
        tracing::info!(card.id = id.0, "two readings agree after the restore; the card is renewed again");
    }
    let assessment = case.assess(live, now);
    let renew = assessment.actions.iter().any(|action| matches!(action, Action::Renew { .. })) && !failed;
    let mut next_poll_at = assessment.next_poll_at;
    if renew {
        next_poll_at = next_poll_at.min(now.plus(RENEWAL_LOOKS_AGAIN));
    }
    if failed {
        let wait = retry::next_reading(case.poll.failures, id.0.unsigned_abs());
        next_poll_at = next_poll_at.min(now.plus(wait.max(Secs::minutes(5))));
    }
    let cycle = carry_out(conn, live, &case, &assessment, now)?;
    // A good reading has taken the place of the one that the row still holds.
    let in_row = if matches!(seen, Seen::Good(_)) { &case.poll.recent.previous } else { &case.poll.recent.latest };
    let update = PollUpdate { card: id, seen, next_poll_at, cycle };
    polls::save_loaded(conn, &update, in_row.as_ref(), &case.poll.tail)?;
    note_verdict(conn, &case, &assessment, now)?;
    Ok(Judged { card: id, next_poll_at, renew })
}

/// What is known of a card once this answer counts.
fn take(poll: &mut Poll, seen: &Seen) {
    match seen {
        Seen::Good(reading) => {
            poll.recent.previous = poll.recent.latest.replace(reading.clone());
            poll.recent.odd = None;
            poll.failures = 0;
        }
        Seen::Odd(reading, oddity) => {
            poll.recent.odd = Some((reading.read_at, *oddity));
            poll.failures = 0;
        }
        Seen::Failed => poll.failures = poll.failures.saturating_add(1),
        Seen::Nothing => {}
    }
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

/// Whether a card that was set aside after a restore is confirmed: two readings, both taken more than 26 hours after,
/// agree. By then whatever was bought shortly before the restore shows.
fn confirmed(conn: &Connection, case: &Case) -> Result<bool, StoreError> {
    let Some(quarantine) = meta::quarantined(conn, case.card.id)? else { return Ok(true) };
    let recent = &case.poll.recent;
    let (Some(latest), Some(previous)) = (&recent.latest, &recent.previous) else { return Ok(false) };
    let agree = gates::reading_gate(Some(latest), Some(previous), latest.read_at).is_none();
    Ok(agree && previous.read_at.since(quarantine.since) > QUARANTINE_LASTS)
}

/// Carries out what `assess` says can be done without the network; answers the cycle that now counts.
fn carry_out(
    conn: &Connection,
    live: &Live,
    case: &Case,
    assessment: &Assessment,
    now: UnixTime,
) -> Result<u32, StoreError> {
    let mut cycle = case.poll.cycle;
    for action in &assessment.actions {
        match action {
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
    let old = &card.wishes;
    if !old.skip_next && !old.stop_after_next {
        return Ok(());
    }
    let pause = if old.stop_after_next {
        Some(Pause { since: now, until: None, by: "stop after next".to_owned() })
    } else {
        old.pause.clone()
    };
    cards::set_wishes(conn, card.id, &Wishes { pause, skip_next: false, stop_after_next: false })
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
    let step = match due {
        Due::End { which, step, .. } => format!("{which:?}:{step}").to_lowercase(),
        Due::Low { trigger } => format!("low:{}", trigger.line),
        Due::Dead { .. } => "dead".to_owned(),
    };
    let snapshot = case.poll.recent.latest.as_ref().map(Snapshot::of).unwrap_or_default();
    let event = Event::DueSoon { due, next, now: snapshot };
    tell(conn, live, Telling { card: Some(&case.card), cycle, step, attempt: None, event }, now)
}
