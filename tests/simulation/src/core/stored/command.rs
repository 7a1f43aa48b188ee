//! `tests/simulate store`: lives through worlds over the store, and says what came of them.

use super::{Wrong, judged, run};
use crate::run::{Plan, Report};

/// How it is called.
pub const USAGE: &str = "tests/simulate store [--seeds FIRST..] [--card-years N] [--seconds N] [--threads N] \
[--wrong NAME|all] [--trace SEED]";

/// The wrong store of this name.
///
/// # Errors
/// What there is instead.
pub fn named(value: &str) -> Result<Wrong, String> {
    let known: Vec<&str> = Wrong::ALL.iter().map(|wrong| wrong.name()).collect();
    let found = Wrong::ALL.into_iter().find(|wrong| wrong.name() == value);
    found.ok_or_else(|| format!("no wrong store is named `{value}`; there are: all {}", known.join(" ")))
}

/// Shows one world, move by move; says whether it went well.
#[must_use]
pub fn show(seed: u64, plan: &Plan, wrong: Option<Wrong>) -> bool {
    let (simulation, breaches) = judged(seed, &plan.settings(seed), wrong, true);
    print!("{}", simulation.trace().unwrap_or_default());
    for breach in &breaches {
        println!("BREACH {} at {} card {}: {}", breach.promise, breach.at, breach.card, breach.what);
    }
    breaches.is_empty()
}

/// Lives through worlds over every wrong store; says whether each was found out.
#[must_use]
pub fn all_wrong(plan: &Plan) -> bool {
    let mut all_found = true;
    for wrong in Wrong::ALL {
        let report: Report = run(&Plan { stops_at_breach: true, ..*plan }, Some(wrong));
        match report.breaches.first() {
            Some((seed, breach)) => println!(
                "{:<20} found out after {:>5.0} card-years (seed {seed}: {})",
                wrong.name(),
                report.card_years,
                breach.what
            ),
            None => {
                println!("{:<20} NOT found out within {:.0} card-years", wrong.name(), report.card_years);
                all_found = false;
            }
        }
    }
    all_found
}
