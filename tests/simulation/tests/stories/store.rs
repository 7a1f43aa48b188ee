//! The core's worlds over the real store: after each step SQLite holds what memory holds.
use std::time::Duration;

use simulation::core::stored::{Wrong, judged, run};
use simulation::run::{Plan, live};
use simulation::world::Settings;

/// Card-years that are lived each time, unless `SIMKEEPER_STORE_CARD_YEARS` names another number.
const CARD_YEARS: u32 = 80;

fn plan(card_years: f64) -> Plan {
    Plan {
        first_seed: 1,
        card_years,
        // No test is judged by the clock; this only ends what would never end.
        longest: Duration::from_secs(3_600),
        mutant: None,
        stops_at_breach: false,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        switches: None,
    }
}

#[test]
fn the_store_holds_what_memory_holds_in_every_world() {
    let wanted = std::env::var("SIMKEEPER_STORE_CARD_YEARS").ok().map(|number| number.parse().expect("a number"));
    let plan = plan(f64::from(wanted.unwrap_or(CARD_YEARS)));
    let report = run(&plan, None);
    println!("{:.0} card-years in {:.1} s, {} orders", report.card_years, report.took.as_secs_f64(), report.orders);
    assert_eq!(report.breaches, [], "see `tests/simulate store --trace SEED`");
    assert_eq!(report.traced.1, Vec::<u64>::new(), "these seeds had other traces than without the store");
    assert!(report.card_years >= plan.card_years);
}

#[test]
fn a_world_is_the_same_with_the_store_and_without_it() {
    let settings = Settings { days: 90, ..Settings::of_seed(25) };
    let ((with, breaches), (without, _)) = (judged(25, &settings, None, true), live(25, &settings, None, true));
    assert_eq!(breaches, []);
    assert!(with.trace().is_some_and(|trace| trace.contains("stopped") && trace.contains("copy")));
    assert_eq!(with.trace(), without.trace());
}

#[test]
fn every_wrong_store_is_found_out() {
    for wrong in Wrong::ALL {
        let report = run(&Plan { stops_at_breach: true, ..plan(200.0) }, Some(wrong));
        let found = report.breaches.iter().find(|(_, breach)| breach.promise == "record");
        assert!(found.is_some(), "{} is not found out", wrong.name());
        println!("{}: {:?}", wrong.name(), found);
    }
}
