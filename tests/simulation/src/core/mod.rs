//! The daemon's protocol over a record in memory: the same decisions of `simkeeper::domain`, in the same order of commits
//! and calls, with a machine under it that crashes, sleeps, loses power, fills up and has a clock that jumps.

mod case;
mod clock;
mod deliver;
mod machine;
mod mishaps;
mod moves;
mod order;
mod people;
mod poll;
mod record;
mod settle;
mod start;
#[cfg(feature = "daemon")]
pub mod stored;
mod writes;

use simkeeper::domain::fares::Fares;
use simkeeper::domain::time::UnixTime;

use self::machine::Machine;
use self::order::Job;
use self::record::{Line, Record, Row};
use self::writes::{Write, Writes};
use crate::chance::Chance;
use crate::faults::Site;
use crate::mutants::Mutant;
use crate::oracle::facts::Fact;
use crate::questions::Questions;
use crate::world::{BEGINS, Settings, World};

const DAY: i64 = 86_400;
/// Nothing needs more steps than this within an hour.
const ACTS_IN_AN_HOUR: u32 = 2_000;

/// The process ended here.
pub(crate) struct Crash;

/// What a step came to, unless the process ended in it.
type Step<T> = Result<T, Crash>;

/// What the process knows and a crash forgets.
#[derive(Debug, Default)]
struct Process {
    fares: Vec<Fares>,
    /// When each card is read next, by the machine's clock.
    schedule: Vec<UnixTime>,
    jobs: Vec<Job>,
    /// Orders that the record does not know, and whose card has another open question.
    only_in_journal: Vec<Line>,
    late_changes_at: UnixTimeOr,
    /// The latest time that an operator's answer told.
    heard: UnixTimeOr,
}

/// An instant that is not known at first.
type UnixTimeOr = Option<UnixTime>;

/// A world with the daemon in it.
pub struct Simulation {
    /// What is true.
    pub world: World,
    /// True time.
    at: i64,
    ends_at: i64,
    machine: Machine,
    record: Record,
    writes: Writes,
    journal: Vec<Line>,
    process: Option<Process>,
    mutant: Option<Mutant>,
    keys: u64,
    next_day: i64,
    acts: u32,
    written: usize,
    /// What is written down of every move, if anybody wants to read it.
    trace: Option<String>,
    /// Whether there are mishaps, what is left to chance about them, and the next one with its card.
    brings_mishaps: bool,
    mishaps: Chance,
    mishap: Option<(i64, usize)>,
    /// Orders that were sent.
    pub orders: u64,
    /// Questions about orders put to people.
    pub questions: Questions,
    /// Attempts whose effect was seen, by class.
    pub done: [u64; 3],
}

impl Simulation {
    /// The simulation of a seed.
    #[must_use]
    pub fn new(seed: u64, settings: &Settings, mutant: Option<Mutant>, traced: bool) -> Self {
        let world = World::new(seed, settings);
        let now = UnixTime::clamped(BEGINS);
        let rows = (0..settings.cards).map(|card| Row::new(world.card(card), now).into()).collect();
        let record = Record {
            rows,
            notices: Vec::new(),
            last_attempt: 0,
            last_notice: 0,
            last_seen: now,
            keys: std::collections::BTreeMap::new(),
            dealt_with: 0,
            fares: vec![Fares::default(); world.operators.len()],
            commits: 0,
        };
        Self {
            world,
            at: BEGINS,
            ends_at: BEGINS + settings.days * DAY,
            machine: Machine::new(seed),
            record,
            writes: Writes::default(),
            journal: Vec::new(),
            process: None,
            mutant,
            keys: 0,
            next_day: BEGINS,
            acts: 0,
            written: 0,
            trace: traced.then(String::new),
            brings_mishaps: settings.switches.brings_mishaps(),
            mishaps: Chance::new(seed, 0x3157),
            mishap: None,
            orders: 0,
            questions: Questions::default(),
            done: [0; 3],
        }
    }

    /// Lives through the whole time.
    pub fn run(&mut self) {
        while self.step() {}
        self.end();
    }

    /// The next thing happens; says whether there was one.
    fn step(&mut self) -> bool {
        let Some((at, what)) = self.next().filter(|(at, _)| *at < self.ends_at) else { return false };
        self.at = self.at.max(at);
        if self.spins(what) {
            return false;
        }
        if self.process.is_some() {
            self.tidy();
            self.ask_next();
        }
        let ended = self.act(what).is_err();
        self.write_world();
        if ended {
            self.stop();
        }
        true
    }

    /// The world is over.
    fn end(&mut self) {
        self.at = self.ends_at;
        if self.machine.was_restored {
            // No start tells any more what the copy has forgotten.
            self.tell_started();
        }
        self.tell_end();
    }

    /// Whether more is done within an hour than there can be to do; the world then ends here.
    fn spins(&mut self, what: What) -> bool {
        let hour = self.at / 3_600;
        self.acts = if self.machine.hour == hour { self.acts + 1 } else { 0 };
        self.machine.hour = hour;
        let spins = self.acts > ACTS_IN_AN_HOUR;
        if spins {
            self.write(&format!("spins: {what:?}"));
            self.world.facts.push(Fact::Spins { at: self.at });
        }
        spins
    }

    /// What was written down.
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        self.trace.as_deref()
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// The machine's clock.
    fn now(&self) -> UnixTime {
        UnixTime::clamped(self.at.saturating_add(self.machine.clock_off))
    }

    /// The earliest thing to happen, and when.
    fn next(&self) -> Option<(i64, What)> {
        let mut first = (self.next_day, What::Day);
        let mut offer = |at: i64, what: What| {
            if at < first.0 {
                first = (at, what);
            }
        };
        if let Some(at) = self.machine.clock_mends_at {
            offer(at, What::ClockMends);
        }
        if let Some((at, _)) = self.mishap {
            offer(at, What::Mishap);
        }
        let Some(process) = &self.process else {
            offer(self.machine.starts_at, What::Start);
            return Some(first);
        };
        let awake = self.machine.asleep_until;
        let machine = |due: UnixTime| (due.secs() - self.machine.clock_off).max(awake);
        for (place, job) in process.jobs.iter().enumerate() {
            offer(job.at().max(awake), What::Job(place));
        }
        for (place, row) in self.record.rows.iter().enumerate() {
            offer(machine(process.schedule[place]), What::Poll(place));
            if let Some(due) = row.attempt_due()
                && !process.jobs.iter().any(|job| job.row() == place)
            {
                offer(machine(due), What::Attempt(place));
            }
        }
        if let Some(due) = self.record.notices.iter().map(|notice| notice.next_at).min() {
            offer(machine(due), What::Deliver);
        }
        offer(process.late_changes_at.map_or(self.at, machine), What::LateChanges);
        Some(first)
    }

    fn act(&mut self, what: What) -> Step<()> {
        match what {
            What::Day => self.day(),
            What::ClockMends => {
                self.machine.clock_mends_at = None;
                self.set_clock(0);
                Ok(())
            }
            What::Mishap => self.mishap(),
            What::Start => self.start(),
            What::Job(place) => self.go_on(place),
            What::Poll(row) => self.poll(row),
            What::Attempt(row) => self.attempt_due(row),
            What::Deliver => self.deliver(),
            What::LateChanges => self.late_changes(),
        }
    }

    fn commit(&mut self) {
        self.record.commits += 1;
        self.machine.acknowledged += 1;
        if let Some(process) = self.process.as_ref().filter(|process| process.fares != self.record.fares) {
            for (operator, fares) in
                process.fares.iter().enumerate().filter(|(place, fares)| self.record.fares[*place] != **fares)
            {
                self.writes.note(|| Write::Fared { operator, fares: Box::new(fares.clone()) });
            }
            self.record.fares.clone_from(&process.fares);
        }
        self.writes.note(|| Write::Committed);
        if self.is(Mutant::NoSync) && self.record.commits.is_multiple_of(16) {
            self.machine.synced = Some(self.record.clone());
        }
    }

    fn stop(&mut self) {
        self.process = None;
        self.writes.note(|| Write::Ended);
        self.machine.starts_at = self.at + self.machine.chance.between(1, 900);
        self.world.facts.push(Fact::Stopped { at: self.at });
        self.write("stopped");
    }

    /// The process may end here.
    fn point(&mut self, site: Site, row: usize, operator: usize) -> Step<()> {
        if self.world.fires(site, row, operator) { Err(Crash) } else { Ok(()) }
    }

    fn reader(&self, row: usize) -> usize {
        self.world.operator(self.record.rows[row].card.account.as_str()).unwrap_or(0)
    }

    fn write(&mut self, what: &str) {
        if let Some(trace) = &mut self.trace {
            use std::fmt::Write as _;
            // A string takes whatever is written to it.
            let _written = writeln!(trace, "{} {what}", self.at);
        }
    }

    /// What happened in the world since this was last called goes into the trace, too.
    fn write_world(&mut self) {
        if self.trace.is_none() {
            return;
        }
        for place in self.written..self.world.facts.len() {
            if let fact @ (Fact::Ordered { .. } | Fact::PersonBought { .. } | Fact::Intended { .. }) =
                &self.world.facts[place]
            {
                let text = format!("{fact:?}");
                self.write(&text);
            }
        }
        self.written = self.world.facts.len();
    }

    fn tell_end(&mut self) {
        let mut open = Vec::new();
        for (place, row) in self.record.rows.iter().enumerate() {
            if let Some(attempt) = row.open() {
                let known = &row.attempts[attempt];
                open.push((place, known.id.0, known.state.name().as_str(), row.beside[attempt].since));
            }
        }
        let waiting = self.record.notices.iter().map(|notice| notice.id).collect();
        self.world.facts.push(Fact::Ended { at: self.at, open, waiting });
    }
}

/// Something to happen.
#[derive(Clone, Copy, Debug)]
enum What {
    Day,
    ClockMends,
    Mishap,
    Start,
    Job(usize),
    Poll(usize),
    Attempt(usize),
    Deliver,
    LateChanges,
}
