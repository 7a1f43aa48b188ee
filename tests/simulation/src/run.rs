//! Many worlds at once: one seed each, on all cores, until the wanted card-years are lived or the time is over.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::core::Simulation;
use crate::faults::{Hits, SITES, Switches};
use crate::mutants::Mutant;
use crate::oracle::{self, Breach};
use crate::questions::Questions;
use crate::world::Settings;

/// What is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The first seed.
    pub first_seed: u64,
    /// Card-years to be lived, at least.
    pub card_years: f64,
    /// No new world is begun after this.
    pub longest: Duration,
    /// A wrong design.
    pub mutant: Option<Mutant>,
    /// Whether the first breach ends the run.
    pub stops_at_breach: bool,
    /// Threads.
    pub threads: usize,
    /// What may go wrong, where that is not left to the seed.
    pub switches: Option<Switches>,
}

impl Plan {
    /// The settings of a seed's world.
    #[must_use]
    pub fn settings(&self, seed: u64) -> Settings {
        let usual = Settings::of_seed(seed);
        Settings { switches: self.switches.unwrap_or(usual.switches), ..usual }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// Card-years lived.
    pub card_years: f64,
    /// Worlds.
    pub worlds: u64,
    /// How long it took.
    pub took: Duration,
    /// Orders that left.
    pub orders: u64,
    /// Orders whose effect was seen, by class.
    pub done: [u64; 3],
    /// Questions about orders put to people.
    pub questions: Questions,
    /// What was hit.
    pub hits: Box<Hits>,
    /// Breaches by seed, the lowest seeds first.
    pub breaches: Vec<(u64, Breach)>,
    /// Seeds that were run twice, and that differed.
    pub traced: (u64, Vec<u64>),
}

impl Report {
    fn new() -> Self {
        Self {
            card_years: 0.0,
            worlds: 0,
            took: Duration::ZERO,
            orders: 0,
            done: [0; 3],
            questions: Questions::default(),
            hits: Box::new([[[0; 3]; 7]; SITES]),
            breaches: Vec::new(),
            traced: (0, Vec::new()),
        }
    }

    fn add(&mut self, seed: u64, settings: &Settings, simulation: &Simulation, breaches: Vec<Breach>) {
        self.card_years += settings.card_years();
        self.worlds += 1;
        self.orders += simulation.orders;
        for class in 0..3 {
            self.done[class] += simulation.done[class];
        }
        self.questions.add(&simulation.questions);
        let all = self.hits.iter_mut().flatten().flatten();
        for (sum, hit) in all.zip(simulation.world.faults.hits.iter().flatten().flatten()) {
            *sum += hit;
        }
        self.breaches.extend(breaches.into_iter().map(|breach| (seed, breach)));
    }

    /// Faults in all.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.hits.iter().flatten().flatten().sum()
    }
}

/// Lives through one world; answers it and what the oracle says.
#[must_use]
pub fn live(seed: u64, settings: &Settings, mutant: Option<Mutant>, traced: bool) -> (Simulation, Vec<Breach>) {
    let mut simulation = Simulation::new(seed, settings, mutant, traced);
    simulation.run();
    let breaches = oracle::judge(&simulation.world.facts);
    (simulation, breaches)
}

/// Runs a plan.
#[must_use]
pub fn run(plan: &Plan) -> Report {
    let lived = |seed, settings: &Settings, traced| live(seed, settings, plan.mutant, traced);
    run_by(plan, lived, lived)
}

/// Runs a plan by what lives through one world and answers it with its breaches; worlds that are lived twice are lived
/// `again` by another.
#[must_use]
pub fn run_by(plan: &Plan, lived: impl Life, again: impl Life) -> Report {
    let began = Instant::now();
    let (next, enough) = (AtomicU64::new(plan.first_seed), AtomicBool::new(false));
    let report = Mutex::new(Report::new());
    std::thread::scope(|scope| {
        for _ in 0..plan.threads.max(1) {
            scope.spawn(|| {
                while !enough.load(Ordering::Relaxed) && began.elapsed() < plan.longest {
                    one(plan, next.fetch_add(1, Ordering::Relaxed), (&lived, &again), (&report, &enough));
                }
            });
        }
    });
    let mut report = report.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    report.took = began.elapsed();
    report.breaches.sort_by_key(|(seed, breach)| (*seed, breach.at));
    report
}

/// Lives through the world of a seed, with a trace if that is wanted.
pub trait Life: Fn(u64, &Settings, bool) -> (Simulation, Vec<Breach>) + Sync {}

impl<F: Fn(u64, &Settings, bool) -> (Simulation, Vec<Breach>) + Sync> Life for F {}

fn one(
    plan: &Plan,
    seed: u64,
    (lived, again): (&impl Life, &impl Life),
    (report, enough): (&Mutex<Report>, &AtomicBool),
) {
    let settings = plan.settings(seed);
    // One world in a hundred is lived through twice: equal seeds give equal traces.
    let traced = seed % 100 == 7 && plan.mutant.is_none();
    let (simulation, breaches) = lived(seed, &settings, traced);
    let differs = traced && {
        let (again, _) = again(seed, &settings, true);
        again.trace() != simulation.trace()
    };
    let mut report = report.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    report.add(seed, &settings, &simulation, breaches);
    report.traced.0 += u64::from(traced);
    if differs {
        report.traced.1.push(seed);
    }
    if report.card_years >= plan.card_years || plan.stops_at_breach && !report.breaches.is_empty() {
        enough.store(true, Ordering::Relaxed);
    }
}
