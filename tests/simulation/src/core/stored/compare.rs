//! What the store holds about the cards that a step touched, beside what memory holds.

use std::collections::BTreeSet;

use simkeeper::domain::attempt::{Attempt, AttemptId, StateName};
use simkeeper::domain::card::CardId;
use simkeeper::domain::ledger::Spend;
use simkeeper::domain::time::UnixTime;
use simkeeper::store::attempts::{self, AttemptFilter};
use simkeeper::store::notices::{self, NoticeState};
use simkeeper::store::{Connection, accounts, cards, meta, polls};

use super::super::Simulation;
use super::super::record::{LOOKS_BACK, Row, Stand};
use super::super::writes::Write;
use super::notices::channel;
use super::{Differs, Stored, Wrong, same};

/// More than any card has attempts in two months, or a world has messages waiting.
const ENDLESS: usize = 100_000;

/// What a step touched: cards by their places.
#[derive(Debug, Default)]
pub(super) struct Touched {
    everything: bool,
    attempts: BTreeSet<CardId>,
    polls: BTreeSet<usize>,
    wishes: BTreeSet<usize>,
    due: bool,
    notices: bool,
}

impl Touched {
    /// As after the end of a process.
    pub(super) fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    pub(super) fn note(&mut self, write: &Write) {
        match write {
            Write::Moved { before, after, .. } if before.state.name() == after.state.name() => {}
            Write::Planned { after } | Write::Imported { after, .. } | Write::Moved { after, .. } => {
                self.attempts.insert(after.card);
            }
            Write::Claimed { .. } | Write::Settled { .. } | Write::Expired { .. } | Write::Recovered { .. } => {
                self.notices = true
            }
            Write::Cycle { place, .. } | Write::Confirmed { place } => {
                self.polls.insert(*place);
            }
            Write::Wished { place, .. } => {
                self.wishes.insert(*place);
            }
            Write::WaitsEnded { .. } => (self.due, self.notices) = (true, true),
            Write::SetAside { .. } => self.everything = true,
            // These are compared where they are carried out, or with the next of their kind, or are no changes.
            Write::Judged { .. }
            | Write::Coded { .. }
            | Write::Looked { .. }
            | Write::Told { .. }
            | Write::LastSeen { .. }
            | Write::Repeats { .. }
            | Write::LastWarning { .. }
            | Write::FoundSending { .. }
            | Write::Fared { .. }
            | Write::Line(_)
            | Write::Compared { .. }
            | Write::Copied { .. }
            | Write::PutBack { .. }
            | Write::Committed
            | Write::Ended => {}
        }
    }
}

impl Stored {
    pub(super) fn compare(&self, simulation: &Simulation, touched: &Touched) -> Result<(), Differs> {
        self.ground.read(|conn| {
            let now = simulation.now();
            let all = touched.everything;
            for (place, row) in simulation.record.rows.iter().enumerate() {
                let of_card = |differs: Differs| differs.of_card(place);
                if all || touched.attempts.contains(&row.card.id) {
                    attempts_of(conn, row, now, self.wrong).map_err(of_card)?;
                }
                if all || touched.polls.contains(&place) {
                    poll_of(conn, row).map_err(of_card)?;
                }
                if all || touched.wishes.contains(&place) {
                    let wishes = cards::by_id(conn, row.card.id)?.map(|card| card.wishes);
                    same("wishes", &wishes.as_ref(), &Some(&row.card.wishes)).map_err(of_card)?;
                }
            }
            if all || touched.due || !touched.attempts.is_empty() {
                due_attempts(conn, simulation, now)?;
            }
            if all || touched.notices {
                queue(conn, simulation, now)?;
            }
            if !all {
                return Ok(());
            }
            let seen = meta::last_seen(conn)?.max(self.seen.unwrap_or(UnixTime::MIN));
            same("the latest confirmed time", &seen, &simulation.record.last_seen)?;
            fares(conn, simulation)
        })
    }
}

/// The open attempt, and the key of the last.
fn open_of(conn: &Connection, row: &Row) -> Result<(), Differs> {
    let open = row.open().map(|place| &row.attempts[place]);
    same("its open attempt", &attempts::open_for(conn, row.card.id)?.as_ref(), &open)?;
    let (Some(last), Some(beside)) = (row.attempts.last(), row.beside.last()) else { return Ok(()) };
    let key = beside.key.as_ref().map(|(key, _)| key.clone());
    same("the key of its last attempt", &attempts::key_of(conn, last.id)?, &key)
}

/// Attempts of two months, and what counts against limits.
fn attempts_of(conn: &Connection, row: &Row, now: UnixTime, wrong: Option<Wrong>) -> Result<(), Differs> {
    let since = now.minus(LOOKS_BACK);
    let (card, kept) = (row.card.id, |id: AttemptId| row.attempts.iter().any(|known| known.id == id));
    let filter = AttemptFilter { card: Some(card), open_only: false, since, limit: ENDLESS };
    // What is older than two months of true time is not kept in memory, however a clock counts.
    let mut found: Vec<Attempt> = attempts::list(conn, &filter)?;
    found.retain(|attempt| kept(attempt.id));
    if !found.iter().any(|attempt| attempt.state.name().is_open()) {
        found.extend(attempts::open_for(conn, card)?);
    }
    found.sort_unstable_by_key(|attempt| attempt.id);
    let mut known = row.recent_attempts(now).into_owned();
    known.sort_unstable_by_key(|attempt| attempt.id);
    same("its attempts", &found, &known)?;
    open_of(conn, row)?;
    let counted = attempts::spends(conn, card, since)?.into_iter().filter(|spend| {
        kept(spend.attempt) && !(wrong == Some(Wrong::UnknownNotSpent) && spend.state == StateName::Unknown)
    });
    let counted = counted.map(|spend| Spend { attempt: spend.attempt, at: spend.at, money: spend.money });
    let mut spent = row.spends(now);
    spent.sort_unstable_by_key(|spend| spend.attempt);
    same("what counts against its limits", &counted.collect(), &spent)
}

/// The hot row: readings, cycle, failures, the next reading, and whether the card is set aside.
fn poll_of(conn: &Connection, row: &Row) -> Result<(), Differs> {
    let poll = polls::load(conn, row.card.id)?;
    same("what was read last", &poll.recent, &row.recent)?;
    let found = (poll.cycle, poll.failures, poll.next_poll_at, poll.is_quarantined);
    same(
        "its cycle, failures, next reading, quarantine",
        &found,
        &(row.cycle, row.failures, Some(row.next_poll_at), row.set_aside.is_some()),
    )?;
    let since = meta::quarantined(conn, row.card.id)?.map(|quarantine| quarantine.since);
    same("since when it is set aside", &since, &row.set_aside)
}

/// What is due now and what next, over all cards.
fn due_attempts(conn: &Connection, simulation: &Simulation, now: UnixTime) -> Result<(), Differs> {
    let rows = simulation.record.rows.iter();
    let waiting: Vec<(UnixTime, AttemptId)> =
        rows.filter_map(|row| row.attempt_due().zip(row.open().map(|place| row.attempts[place].id))).collect();
    let mut due: Vec<_> = waiting.iter().copied().filter(|(at, _)| *at <= now).collect();
    due.sort_unstable();
    let found = attempts::due(conn, now, ENDLESS)?;
    let mut found: Vec<_> = found.iter().filter_map(|attempt| Some((attempt.state.next_at()?, attempt.id))).collect();
    found.sort_unstable();
    same("attempts that are due", &found, &due)?;
    let next = waiting.iter().map(|(at, _)| *at).filter(|at| *at > now).min();
    same("when the next attempt is due", &attempts::next_due_after(conn, now)?, &next)
}

/// Messages that wait or are on their way.
fn queue(conn: &Connection, simulation: &Simulation, now: UnixTime) -> Result<(), Differs> {
    let mut found = notices::list(conn, Some(NoticeState::Queued), None, ENDLESS)?;
    found.extend(notices::list(conn, Some(NoticeState::Claimed), None, ENDLESS)?);
    found.sort_unstable_by_key(|notice| notice.id);
    let found: Vec<_> = found
        .iter()
        .map(|notice| {
            let claimed = notice.state == NoticeState::Claimed;
            (
                notice.id.0,
                notice.card,
                notice.urgent,
                claimed,
                notice.attempts,
                notice.crashes,
                (notice.next_at, notice.expires_at),
            )
        })
        .collect();
    let rows = &simulation.record.rows;
    let mut known: Vec<_> = simulation.record.notices.iter().collect();
    known.sort_unstable_by_key(|notice| notice.id);
    let known: Vec<_> = known
        .iter()
        .map(|notice| {
            let claimed = notice.stand == Stand::Claimed;
            let (card, times) = (Some(rows[notice.card].card.id), (Some(notice.next_at), notice.expires_at));
            (notice.id, card, notice.urgent, claimed, notice.tries, notice.crashes, times)
        })
        .collect();
    same("messages that wait", &found, &known)?;
    let waits =
        simulation.record.notices.iter().filter(|notice| notice.stand == Stand::Queued && notice.expires_at > now);
    same(
        "when the next message is due",
        &notices::next_due(conn, &channel(), now)?,
        &waits.map(|notice| notice.next_at).min(),
    )
}

fn fares(conn: &Connection, simulation: &Simulation) -> Result<(), Differs> {
    for (operator, fares) in simulation.world.operators.iter().zip(&simulation.record.fares) {
        let found = accounts::load(conn, &operator.account.name)?;
        let found = (found.failures, found.open_until, found.paused_until, found.clock, found.wallet);
        let known = (fares.failures, fares.until, fares.asked, fares.clocks, fares.wallet.clone());
        same("how an operator fares", &found, &known)?;
    }
    Ok(())
}
