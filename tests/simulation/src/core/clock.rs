//! The machine's clock in the record and the process: the time that was confirmed, waits that a clock set back would draw
//! out, and the schedule.

use simkeeper::domain::attempt::AttemptState;
use simkeeper::domain::time::{Secs, UnixTime};

use super::Simulation;
use super::writes::Write;

/// An order under way is looked up again within six hours and a tenth.
pub(super) const LOOK_UP_WITHIN: Secs = Secs::hours(7);
/// A question is put again after a day, and an operator may ask to be left alone for one.
pub(super) const ASK_WITHIN: Secs = Secs::hours(26);
/// A message is tried again within a day and a fifth.
pub(super) const SEND_WITHIN: Secs = Secs::hours(30);

impl Simulation {
    /// Every quarter of an hour the time is noted that an operator's clock and ours have both reached.
    pub(super) fn tidy(&mut self) {
        let now = self.now();
        let fares = self.process.iter().flat_map(|process| &process.fares);
        let told = fares.filter_map(|fares| fares.clocks.map(|(_, told)| told)).max();
        let heard = self.process.as_ref().and_then(|process| process.heard);
        if let Some(told) = told.max(heard) {
            let at = told.min(now);
            if at > self.record.last_seen {
                self.record.last_seen = at;
                self.writes.note(|| Write::LastSeen { at });
            }
        }
    }

    /// The machine's clock is set; a daemon that sees it go back ends every wait that no clock of now can have begun.
    pub(super) fn set_clock(&mut self, off: i64) {
        let before = self.now();
        self.machine.clock_off = off;
        let now = self.now();
        if before.since(now) <= Secs::minutes(5) {
            return;
        }
        let Some(process) = &mut self.process else { return };
        for fares in &mut process.fares {
            fares.clock_set_back(now);
        }
        self.end_waits(now);
        self.writes.note(|| Write::Committed);
        self.spread_overdue(now);
        if let Some(process) = &mut self.process {
            process.late_changes_at = None;
        }
    }

    pub(super) fn end_waits(&mut self, now: UnixTime) {
        self.writes.note(|| Write::WaitsEnded { now });
        for place in 0..self.record.rows.len() {
            let Some(attempt) = self.record.rows[place].open() else { continue };
            let state = &mut self.record.row(place).attempts[attempt].state;
            let waits_for_leave = matches!(state, AttemptState::Planned { .. } | AttemptState::Human { .. });
            let within = if waits_for_leave { ASK_WITHIN } else { LOOK_UP_WITHIN };
            match state {
                AttemptState::Planned { next_at }
                | AttemptState::Pending { next_at, .. }
                | AttemptState::Accepted { next_at, .. }
                | AttemptState::Unknown { next_at, .. }
                | AttemptState::Human { next_at, .. }
                    if next_at.since(now) > within =>
                {
                    *next_at = now;
                }
                _ => {}
            }
        }
        for notice in &mut self.record.notices {
            if notice.next_at.since(now) > SEND_WITHIN {
                notice.next_at = now;
            }
        }
    }

    /// The schedule from the record, with what is overdue, or further ahead than any wait, spread over some seconds.
    pub(super) fn spread_overdue(&mut self, now: UnixTime) {
        let paces = self.world.operators.iter().map(|operator| operator.account.poll_every);
        let longest = Secs(paces.max().unwrap_or(Secs::DAY).max(Secs::DAY).0 * 5 / 4);
        let Some(process) = &mut self.process else { return };
        process.schedule.clear();
        for (place, row) in (0_i64..).zip(&self.record.rows) {
            let due = row.next_poll_at;
            let is_overdue = due <= now || due.since(now) > longest;
            process.schedule.push(if is_overdue { now.plus(Secs(place * 2)) } else { due });
        }
    }
}
