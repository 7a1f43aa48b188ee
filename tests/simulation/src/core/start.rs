//! What a start finds: a journal that may know more than the record, orders left on their way, claims of the process
//! before, and a clock that may not be set yet.

use std::collections::{BTreeMap, BTreeSet};

use simkeeper::domain::attempt::{AttemptId, AttemptState, Question, Sent, StateName, Tally};
use simkeeper::domain::draft;
use simkeeper::domain::intake;
use simkeeper::domain::news;
use simkeeper::domain::notice::NoticeKind;
use simkeeper::domain::step::Event;
use simkeeper::domain::time::UnixTime;

use super::record::{Line, Stand, text_number};
use super::writes::Write;
use super::{Process, Simulation, Step};
use crate::faults::Site;
use crate::mutants::Mutant;
use crate::oracle::facts::Fact;

/// A message that was being sent while the process ended this often is set aside.
const CRASHES_MAX: u32 = 3;

impl Simulation {
    /// A process starts.
    pub(super) fn start(&mut self) -> Step<()> {
        if self.machine.clock_mends_at.is_none() && self.world.fires(Site::StartsWithoutTime, 0, 0) {
            self.machine.clock_off = -self.at;
            self.machine.clock_mends_at = Some(self.at + self.machine.chance.between(60, 6 * 3_600));
            self.nobody_sees_until(self.machine.clock_mends_at.unwrap_or(self.at));
        }
        let now = self.now();
        self.tell_started();
        let only_in_journal = self.find_roll_back(now);
        self.recover_notices(now);
        self.recover_orders();
        self.end_waits(now);
        let mut fares = self.record.fares.clone();
        if !self.is(Mutant::WaitsOutlastRestart) {
            fares.iter_mut().for_each(|fares| fares.clock_set_back(now));
        }
        self.process = Some(Process { fares, only_in_journal, ..Process::default() });
        self.spread_overdue(now);
        self.commit();
        self.write("started");
        if self.world.fires(Site::CrashAtStart, 0, 0) { Err(super::Crash) } else { Ok(()) }
    }

    pub(super) fn tell_started(&mut self) {
        let restored = std::mem::take(&mut self.machine.was_restored);
        let forgotten = std::mem::take(&mut self.machine.forgotten);
        let books = self.world.operators.iter().flat_map(|operator| &operator.book);
        // What was sent before the copy was made, a start before this one has dealt with.
        let since = |key: u128| forgotten.get(&key).map(|(_, made_at)| *made_at);
        let lost = books.map(|order| (text_number(&order.key), order.arrived_at));
        let lost = lost.filter(|(key, at)| since(*key).is_some_and(|made_at| *at >= made_at));
        // By the clock that wrote the line, which may have been wrong by then.
        let told =
            |key: u128| self.journal.iter().filter(move |line| line.number == key).map(|line| line.at.secs()).min();
        let lost = lost.map(|(key, at)| told(key).map_or(at, |told| told.min(at)));
        if restored && let Some(last) = lost.max() {
            // A clock that is not set yet can only tell the time of the last order that was lost.
            self.machine.restored_at = Some((if self.machine.clock_off == 0 { self.at } else { last }, self.at));
        }
        let mut open = Vec::new();
        for (place, row) in self.record.rows.iter().enumerate() {
            open.extend(row.open().map(|attempt| (place, row.attempts[attempt].id.0)));
        }
        let (acknowledged, found) = (self.machine.acknowledged, self.record.commits);
        self.machine.acknowledged = found;
        self.world.facts.push(Fact::Started { acknowledged, found, at: self.at, restored, open });
        for place in 0..self.record.rows.len() {
            let state = match self.record.rows[place].open() {
                None => 0,
                Some(attempt) => {
                    let name = self.record.rows[place].attempts[attempt].state.name();
                    StateName::ALL.iter().position(|one| *one == name).map_or(0, |one| one + 1)
                }
            };
            self.world.note_state(place, state);
        }
    }

    /// A line that the record does not know means that the record is older than the world. Answers the orders that wait
    /// until their card has no open question before them.
    fn find_roll_back(&mut self, now: UnixTime) -> Vec<Line> {
        if self.is(Mutant::JournalIgnored) || self.machine.agrees {
            return Vec::new();
        }
        let is_unknown = |line: &&Line| !self.record.keys.contains_key(&line.number);
        let is_news = self.journal.iter().skip(self.record.dealt_with).any(|line| is_unknown(&line));
        // An order that left more than once is one order, by its first line.
        let mut met = BTreeSet::new();
        let unknown = self.journal.iter().filter(is_unknown).filter(|line| met.insert(line.number));
        let unknown: Vec<Line> = unknown.cloned().collect();
        let sent_again = self.sent_again();
        self.writes.note(|| Write::Compared {
            unknown: unknown.iter().map(|line| line.key.as_str().to_owned()).collect(),
            sent_again: sent_again.clone(),
        });
        if is_news || !sent_again.is_empty() {
            self.record.dealt_with = self.journal.len();
            if !self.is(Mutant::NoQuarantine) {
                self.set_everything_aside(sent_again, now);
            }
        }
        let waiting: Vec<Line> = unknown.into_iter().filter(|line| !self.import(line, now)).collect();
        self.machine.agrees = waiting.is_empty();
        waiting
    }

    /// Orders that the record knows and that were sent more often than it knows. Each sending is on record before its line
    /// is written, so there can be fewer lines, never more.
    fn sent_again(&mut self) -> BTreeMap<AttemptId, Sent> {
        let mut lines = BTreeMap::<u128, (&Line, u32)>::new();
        for line in &self.journal {
            let known = lines.entry(line.number).or_insert((line, 0));
            *known = (line, known.1 + 1);
        }
        let mut again = BTreeMap::new();
        for (key, (line, count)) in lines {
            if let Some(sends) = self.record.keys.get_mut(&key).filter(|sends| **sends < count) {
                *sends = count;
                let sent = Sent { key: line.key.clone(), first_sent_at: line.at, send_count: count };
                again.insert(line.attempt, sent);
            }
        }
        again
    }

    fn lines_of(&self, key: u128) -> u32 {
        u32::try_from(self.journal.iter().filter(|line| line.number == key).count()).unwrap_or(u32::MAX)
    }

    fn set_everything_aside(&mut self, mut sent_again: BTreeMap<AttemptId, Sent>, now: UnixTime) {
        for place in 0..self.record.rows.len() {
            if let Some(attempt) = self.record.rows[place].open() {
                let left = sent_again.remove(&self.record.rows[place].attempts[attempt].id);
                let left = left.filter(|_| !self.is(Mutant::LeftSinceIgnored));
                self.advance(place, attempt, Event::RolledBack { left });
            }
        }
        let since = intake::set_aside_at(now, self.journal.iter().map(|line| line.at).max());
        for place in 0..self.record.rows.len() {
            self.record.row(place).set_aside = Some(since);
        }
        self.writes.note(|| Write::SetAside { since });
    }

    /// Once an order is settled, the next one of its card that only the journal knows is asked about.
    pub(super) fn ask_next(&mut self) {
        let now = self.now();
        let Some(process) = &mut self.process else { return };
        let waiting = std::mem::take(&mut process.only_in_journal);
        if waiting.is_empty() {
            return;
        }
        let before = waiting.len();
        let left: Vec<Line> = waiting.into_iter().filter(|line| !self.import(line, now)).collect();
        if left.len() < before {
            self.commit();
        }
        if let Some(process) = &mut self.process {
            process.only_in_journal = left;
        }
    }

    /// Whether an order that only the journal knows is a question now; else it waits until the one before it is settled.
    fn import(&mut self, line: &Line, now: UnixTime) -> bool {
        let place = (line.card.0 - 1).unsigned_abs() as usize;
        if self.is(Mutant::NoQuarantine) {
            self.record.keys.insert(line.number, self.lines_of(line.number));
            return true;
        }
        if self.record.rows[place].open().is_some() {
            return false;
        }
        let taken = self.record.rows.iter().flat_map(|row| &row.attempts).any(|known| known.id == line.attempt);
        let row = &self.record.rows[place];
        let id = (!taken).then_some(line.attempt);
        let new = draft::from_journal(line.card, row.cycle, &line.account, (&line.plan_id, line.price), line.at, now);
        let cycle = row.cycle;
        let attempt = self.record.insert(place, new, id, self.at);
        let row = self.record.row(place);
        let (known, beside) = (&mut row.attempts[attempt], &mut row.beside[attempt]);
        let sent = Sent { key: line.key.clone(), first_sent_at: line.at, send_count: 1 };
        (beside.key, beside.first_sent_at) = (Some((line.key.clone(), line.number)), Some(line.at));
        known.state = AttemptState::Human {
            sent,
            order_id: None,
            question: Question::Restored,
            asked_at: now,
            tally: Tally::default(),
            next_at: now,
        };
        known.version += 1;
        let id = known.id;
        self.writes.note(|| Write::Imported { wanted: line.attempt, after: known.clone(), now });
        self.record.keys.insert(line.number, self.lines_of(line.number));
        self.moved(place, attempt, "", false);
        let step = news::step_of_question(&self.record.rows[place].attempts[attempt], 0);
        self.tell(place, NoticeKind::Asked, cycle, step, Some(id), now);
        true
    }

    fn recover_notices(&mut self, now: UnixTime) {
        for id in std::mem::take(&mut self.machine.unsettled) {
            self.world.facts.push(Fact::Unsettled { notice: id });
        }
        let (mut dead, mut queued) = (Vec::new(), 0);
        for notice in &mut self.record.notices {
            if notice.stand == Stand::Claimed {
                notice.crashes += 1;
                notice.stand = Stand::Queued;
                notice.next_at = now;
                if notice.crashes >= CRASHES_MAX {
                    dead.push(notice.id);
                } else {
                    queued += 1;
                }
            }
        }
        self.record.notices.retain(|notice| !dead.contains(&notice.id));
        self.writes.note(|| Write::Recovered { queued, dead: dead.clone(), now });
        let given_up = |notice| Fact::GivenUp { notice, way_failed: true };
        self.world.facts.extend(dead.into_iter().map(given_up));
    }

    fn recover_orders(&mut self) {
        let rows = &self.record.rows;
        self.writes.note(|| {
            let mut attempts: Vec<_> = rows.iter().filter_map(|row| row.sending()).collect();
            attempts.sort_unstable();
            Write::FoundSending { attempts }
        });
        for place in 0..self.record.rows.len() {
            let Some(attempt) = self.record.rows[place].open() else { continue };
            if self.record.rows[place].attempts[attempt].state.name() != StateName::Sending {
                continue;
            }
            if self.is(Mutant::SendingForgotten) {
                let now = self.now();
                let row = self.record.row(place);
                row.beside[attempt].key = None;
                row.attempts[attempt].state = AttemptState::Planned { next_at: now };
                self.moved(place, attempt, "sending", false);
                continue;
            }
            self.advance(place, attempt, Event::FoundSending);
        }
    }
}
