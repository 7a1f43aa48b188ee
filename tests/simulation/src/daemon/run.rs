//! Many stories at once: one seed each, on all cores, until the wanted card-years are told or the time is over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Told, Wrong, tell};
use crate::faults::Hits;
use crate::faults::SITES;
use crate::oracle::facts::Fact;
use crate::oracle::{self, Breach};
use crate::world::Settings;

/// One story in so many is told twice: equal seeds give equal stories.
const TOLD_TWICE_EVERY: u64 = 25;

/// What is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The first seed.
    pub first_seed: u64,
    /// Card-years to be told, at least.
    pub card_years: f64,
    /// No new story is begun after this.
    pub longest: Duration,
    /// Wrong surroundings.
    pub wrong: Option<Wrong>,
    /// Whether the stories are the short ones.
    pub short: bool,
    /// Whether the first breach ends the run.
    pub stops_at_breach: bool,
    /// Threads.
    pub threads: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// Card-years told.
    pub card_years: f64,
    /// Stories.
    pub stories: u64,
    /// How long it took.
    pub took: Duration,
    /// Orders that reached an operator.
    pub orders: u64,
    /// Messages that reached a station.
    pub delivered: u64,
    /// How often the process ended, by where.
    pub deaths: BTreeMap<&'static str, u64>,
    /// What was hit.
    pub hits: Box<Hits>,
    /// Breaches by seed, the lowest seeds first.
    pub breaches: Vec<(u64, Breach)>,
    /// Stories that were told twice, and the seeds of those that differed.
    pub told_twice: (u64, Vec<u64>),
}

/// Tells one story and judges it.
#[must_use]
pub fn judged(seed: u64, settings: &Settings, wrong: Option<Wrong>) -> (Option<Told>, Vec<Breach>) {
    let trouble = |what: String| Breach { promise: "daemon", at: 0, card: 0, what };
    match tell(seed, settings, wrong) {
        Ok(told) => {
            let mut breaches: Vec<Breach> = told.troubles.iter().cloned().map(trouble).collect();
            breaches.extend(oracle::judge(&told.facts));
            (Some(told), breaches)
        }
        Err(error) => (None, vec![trouble(format!("the story could not be told: {error:#}"))]),
    }
}

/// Runs a plan.
#[must_use]
pub fn run(plan: &Plan) -> Report {
    let began = Instant::now();
    let (next, enough) = (AtomicU64::new(plan.first_seed), AtomicBool::new(false));
    let report = Mutex::new(Report {
        card_years: 0.0,
        stories: 0,
        took: Duration::ZERO,
        orders: 0,
        delivered: 0,
        deaths: BTreeMap::new(),
        hits: Box::new([[[0; 3]; 7]; SITES]),
        breaches: Vec::new(),
        told_twice: (0, Vec::new()),
    });
    std::thread::scope(|scope| {
        for _ in 0..plan.threads.max(1) {
            scope.spawn(|| {
                while !enough.load(Ordering::Relaxed) && began.elapsed() < plan.longest {
                    one(plan, next.fetch_add(1, Ordering::Relaxed), &report, &enough);
                }
            });
        }
    });
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.took = began.elapsed();
    report.breaches.sort_by_key(|(seed, breach)| (*seed, breach.at));
    report
}

fn one(plan: &Plan, seed: u64, report: &Mutex<Report>, enough: &AtomicBool) {
    let settings = if plan.wrong.is_some() || plan.short { super::short(seed) } else { super::settings(seed) };
    let (told, breaches) = judged(seed, &settings, plan.wrong);
    let twice = plan.wrong.is_none() && seed % TOLD_TWICE_EVERY == 7;
    let differs = twice && {
        let (again, _) = judged(seed, &settings, None);
        again.map(|again| again.facts) != told.as_ref().map(|told| told.facts.clone())
    };
    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
    report.stories += 1;
    report.card_years += settings.card_years();
    report.told_twice.0 += u64::from(twice);
    if differs {
        report.told_twice.1.push(seed);
    }
    if let Some(told) = &told {
        report.add(told);
    }
    report.breaches.extend(breaches.into_iter().map(|breach| (seed, breach)));
    if report.card_years >= plan.card_years || plan.stops_at_breach && !report.breaches.is_empty() {
        enough.store(true, Ordering::Relaxed);
    }
}

impl Report {
    fn add(&mut self, told: &Told) {
        self.orders += told.facts.iter().filter(|fact| matches!(fact, Fact::Ordered { .. })).count() as u64;
        self.delivered += told.facts.iter().filter(|fact| matches!(fact, Fact::Delivered { .. })).count() as u64;
        for (point, count) in &told.deaths {
            *self.deaths.entry(point).or_default() += count;
        }
        let all = self.hits.iter_mut().flatten().flatten();
        for (sum, hit) in all.zip(told.hits.iter().flatten().flatten()) {
            *sum += hit;
        }
    }

    /// Faults in all.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.hits.iter().flatten().flatten().sum()
    }

    /// How often the process ended.
    #[must_use]
    pub fn died(&self) -> u64 {
        self.deaths.values().sum()
    }
}
