//! The daemon's protocol over a record in memory: the same decisions of `simkeeper::domain`, in the same order of commits
//! and calls, with a machine under it that crashes, sleeps, loses power, fills up and has a clock that jumps.

mod case;
mod deliver;
mod machine;
mod moves;
mod order;
mod people;
mod poll;
mod record;
mod settle;
mod start;

use simkeeper::domain::fares::Fares;
use simkeeper::domain::time::{Secs, UnixTime};

use self::machine::Machine;
use self::order::Job;
use self::record::{Line, Record, Row};
use crate::faults::Site;
use crate::mutants::Mutant;
use crate::oracle::facts::Fact;
use crate::world::{BEGINS, Settings, World};

const DAY: i64 = 86_400;

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
    late_changes_at: UnixTimeOr,
}

/// An instant that is not known before the first round.
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
    journal: Vec<Line>,
    process: Option<Process>,
    mutant: Option<Mutant>,
    keys: u64,
    next_day: i64,
    /// What is written down of every move, if anybody wants to read it.
    trace: Option<String>,
    /// Orders that were sent.
    pub orders: u64,
    /// Questions about orders put to people, by class of operator.
    pub questions: [u64; 3],
    /// Attempts whose effect was seen, by class.
    pub done: [u64; 3],
}

impl Simulation {
    /// The simulation of a seed.
    #[must_use]
    pub fn new(seed: u64, settings: &Settings, mutant: Option<Mutant>, traced: bool) -> Self {
        let world = World::new(seed, settings);
        let now = UnixTime::clamped(BEGINS);
        let rows: Vec<Row> = (0..settings.cards).map(|card| Row::new(world.card(card), now)).collect();
        let record = Record {
            rows,
            notices: Vec::new(),
            last_attempt: 0,
            last_notice: 0,
            last_seen: now,
            keys: std::collections::BTreeSet::new(),
            fares: vec![Fares::default(); world.operators.len()],
            commits: 0,
        };
        Self {
            world,
            at: BEGINS,
            ends_at: BEGINS + settings.days * DAY,
            machine: Machine::new(seed),
            record,
            journal: Vec::new(),
            process: None,
            mutant,
            keys: 0,
            next_day: BEGINS,
            trace: traced.then(String::new),
            orders: 0,
            questions: [0; 3],
            done: [0; 3],
        }
    }

    /// Lives through the whole time.
    pub fn run(&mut self) {
        while let Some((at, what)) = self.next() {
            if at >= self.ends_at {
                break;
            }
            self.at = self.at.max(at);
            if self.process.is_some() {
                self.tidy();
            }
            if self.act(what).is_err() {
                self.stop();
            }
        }
        self.at = self.ends_at;
        self.tell_end();
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
                self.machine.clock_off = 0;
                self.machine.clock_mends_at = None;
                Ok(())
            }
            What::Start => self.start(),
            What::Job(place) => self.go_on(place),
            What::Poll(row) => self.poll(row),
            What::Attempt(row) => self.attempt_due(row),
            What::Deliver => self.deliver(),
            What::LateChanges => self.late_changes(),
        }
    }

    /// Every quarter of an hour the time is noted; done here when it is next asked for.
    fn tidy(&mut self) {
        let now = self.now();
        if now.since(self.record.last_seen) >= Secs::minutes(15) {
            self.record.last_seen = now;
        }
    }

    fn commit(&mut self) {
        self.record.commits += 1;
        self.machine.acknowledged += 1;
        if let Some(process) = &self.process {
            self.record.fares.clone_from(&process.fares);
        }
        if self.is(Mutant::NoSync) && self.record.commits.is_multiple_of(16) {
            self.machine.synced = Some(self.record.clone());
        }
    }

    fn stop(&mut self) {
        self.process = None;
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

    fn tell_end(&mut self) {
        let mut open = Vec::new();
        for (place, row) in self.record.rows.iter().enumerate() {
            if let Some(attempt) = row.open() {
                let known = &row.attempts[attempt];
                open.push((place, known.attempt.id.0, known.attempt.state.name().as_str(), known.since));
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
    Start,
    Job(usize),
    Poll(usize),
    Attempt(usize),
    Deliver,
    LateChanges,
}
