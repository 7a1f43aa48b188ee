//! The same worlds over the real store: whatever the driver commits to its record in memory is committed to SQLite, too,
//! by the functions that the daemon's rounds call, and after each step both must hold the same. The driver decides by its
//! memory alone, so that a seed's world is one and the same with the store and without it.

mod attempts;
pub mod command;
mod compare;
mod ground;
mod hand;
mod notices;
mod wrong;

use simkeeper::domain::time::UnixTime;
use simkeeper::store::StoreError;

use self::compare::Touched;
use self::ground::Ground;
use self::hand::Hand;
pub use self::wrong::Wrong;
use super::Simulation;
use super::writes::Write;
use crate::faults::Site;
use crate::oracle::{self, Breach};
use crate::run::{Plan, Report, live, run_by};
use crate::world::Settings;

/// What this layer proves, in the place of a promise's name.
const RECORD: &str = "record";

/// Runs a plan over the store. Worlds that are lived twice are lived once without it, and must have the same trace.
#[must_use]
pub fn run(plan: &Plan, wrong: Option<Wrong>) -> Report {
    let over_store = |seed, settings: &Settings, traced| judged(seed, settings, wrong, traced);
    run_by(plan, over_store, |seed, settings, traced| live(seed, settings, None, traced))
}

/// Lives through one world over the store; answers it, and what the oracle and the comparison say.
#[must_use]
pub fn judged(seed: u64, settings: &Settings, wrong: Option<Wrong>, traced: bool) -> (Simulation, Vec<Breach>) {
    let mut simulation = Simulation::new(seed, settings, None, traced);
    let breaches = match Stored::lives_through(&mut simulation, wrong) {
        Ok(()) => oracle::judge(&simulation.world.facts),
        // The world ends where the two differ first: all that follows differs, too.
        Err(Differs { card, what }) => vec![Breach { promise: RECORD, at: simulation.at, card, what }],
    };
    (simulation, breaches)
}

/// After one in so many ends of the process everything is compared, and after all that took anything with them.
const LOOKED_AT_WHOLE_EVERY: u64 = 8;

/// The two hold something else about a card, in words; or the store says why not.
#[derive(Debug)]
struct Differs {
    card: usize,
    what: String,
}

impl Differs {
    const fn new(what: String) -> Self {
        Self { card: 0, what }
    }

    fn of_card(self, card: usize) -> Self {
        Self { card, ..self }
    }

    fn in_commit(self, number: u64, write: &Write) -> Self {
        Self { what: format!("commit {number}, {}; it writes {write:?}", self.what), ..self }
    }
}

impl From<StoreError> for Differs {
    fn from(error: StoreError) -> Self {
        Self::new(format!("the store answers: {error}"))
    }
}

/// What the store says must be what memory says.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, store: &T, memory: &T) -> Result<(), Differs> {
    if store == memory {
        return Ok(());
    }
    Err(Differs::new(format!("{what}: the store holds {store:?}, memory holds {memory:?}")))
}

/// The store beside a simulation.
struct Stored {
    ground: Ground,
    hand: Hand,
    wrong: Option<Wrong>,
    /// What has been changed and waits for its commit.
    waiting: Vec<Write>,
    /// The latest confirmed time, which goes into the next commit.
    seen: Option<UnixTime>,
    /// Whether everything is to be compared at the next step.
    unsure: bool,
    ends: u64,
    commits: u64,
}

impl Stored {
    fn lives_through(simulation: &mut Simulation, wrong: Option<Wrong>) -> Result<(), Differs> {
        simulation.writes.begin();
        let mut stored = Self::beside(simulation, wrong)?;
        while simulation.step() {
            stored.follow(simulation)?;
        }
        simulation.end();
        stored.unsure = true;
        stored.follow(simulation)
    }

    /// A store that holds what the simulation's record holds at first.
    fn beside(simulation: &Simulation, wrong: Option<Wrong>) -> Result<Self, Differs> {
        let now = simulation.now();
        let mut ground =
            if simulation.world.faults.is_on(Site::Restored) { Ground::folder()? } else { Ground::memory(now)? };
        let hand = Hand::of(simulation, wrong);
        let rows: Vec<_> = simulation.record.rows.iter().map(|row| row.card.clone()).collect();
        let last_seen = simulation.record.last_seen;
        ground.transact(now, move |conn| hand::furnish(conn, &rows, last_seen, wrong, now))?;
        let stored = Self { ground, hand, wrong, waiting: Vec::new(), seen: None, unsure: false, ends: 0, commits: 0 };
        stored.compare(simulation, &Touched::everything())?;
        Ok(stored)
    }

    /// Carries out what the driver did in one step, and compares.
    fn follow(&mut self, simulation: &mut Simulation) -> Result<(), Differs> {
        let now = simulation.now();
        let mut touched = Touched::default();
        for write in simulation.writes.take() {
            match write {
                Write::Committed => self.commit(now)?,
                // What was not committed is gone, and memory must not know it either.
                Write::Ended => {
                    self.ends += 1;
                    self.unsure |= !self.waiting.is_empty() || self.ends.is_multiple_of(LOOKED_AT_WHOLE_EVERY);
                    self.waiting.clear();
                    self.ground.ends();
                }
                Write::Copied { kept } => {
                    self.commit(now)?;
                    self.ground.copy(now, kept)?;
                }
                Write::PutBack { place, now } => {
                    let place = if self.wrong == Some(Wrong::OldestCopy) { 0 } else { place };
                    self.ground.put_back(place, now)?;
                    (self.seen, self.unsure) = (None, true);
                }
                // The journal has its own file, and its own syncs.
                Write::Line(line) => self.hand.keep_line(&line),
                Write::LastSeen { at } => self.seen = Some(at),
                write => {
                    touched.note(&write);
                    self.waiting.push(write);
                }
            }
        }
        if self.ground.is_open() {
            if std::mem::take(&mut self.unsure) {
                touched = Touched::everything();
            }
            self.compare(simulation, &touched)?;
        }
        Ok(())
    }

    fn commit(&mut self, now: UnixTime) -> Result<(), Differs> {
        let mut writes = std::mem::take(&mut self.waiting);
        writes.extend(self.seen.take().map(|at| Write::LastSeen { at }));
        self.commits += 1;
        if writes.is_empty() || self.wrong == Some(Wrong::CommitLost) && self.commits.is_multiple_of(500) {
            return Ok(());
        }
        let mut hand = std::mem::take(&mut self.hand);
        let number = self.commits;
        let (hand, said) = self.ground.transact(now, move |conn| {
            let said = writes.iter().try_for_each(|write| {
                let said = hand.carry_out(conn, write);
                said.map_err(|differs| differs.of_card(write.card()).in_commit(number, write))
            });
            Ok((hand, said))
        })?;
        self.hand = hand;
        said
    }
}
