//! The daemon itself, its own rounds and its own record in SQLite, in worlds where everything goes wrong: what it promises
//! holds on fixed seeds, equal seeds give equal stories, and surroundings that are wrong on purpose are found out.
#![expect(clippy::panic, reason = "tests fail loudly")]

use std::time::Duration;

use simulation::daemon::Wrong;
use simulation::daemon::run::{Plan, run};
use simulation::faults::Site;

/// Card-years of each run of the suite.
const CARD_YEARS: f64 = 2_000.0;
/// Within so many a wrong surrounding must be found out.
const CAUGHT_WITHIN: f64 = 2_000.0;
/// No run of the suite takes longer, even on a machine with much else to do.
const LONGEST: Duration = Duration::from_secs(1_800);

/// Seeds of which one once failed, each with its reason. They are told in every run.
const KEPT: &[(u64, &str)] = &[];

fn plan() -> Plan {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Plan { first_seed: 1, card_years: CARD_YEARS, longest: LONGEST, wrong: None, stops_at_breach: false, threads }
}

#[test]
fn the_daemon_keeps_its_promises_over_its_record() {
    let report = run(&plan());
    let per_core = report.card_years / report.took.as_secs_f64() / plan().threads as f64;
    println!(
        "{:.0} card-years in {} stories, {:.1} s: {per_core:.0} a second and core; {} orders, {} messages, {} faults, \
         {} ends of the process {:?}",
        report.card_years,
        report.stories,
        report.took.as_secs_f64(),
        report.orders,
        report.delivered,
        report.faults(),
        report.died(),
        report.deaths
    );
    for (seed, breach) in report.breaches.iter().take(20) {
        println!("seed {seed}: {breach:?}");
    }
    assert!(report.breaches.is_empty(), "{} breaches", report.breaches.len());
    assert!(report.told_twice.0 > 0 && report.told_twice.1.is_empty(), "stories differ: {:?}", report.told_twice.1);
    assert!(report.card_years >= CARD_YEARS, "the time was over after {:.0} card-years", report.card_years);
    let never: Vec<&str> =
        simkeeper::daemon::crash::POINTS.into_iter().filter(|point| !report.deaths.contains_key(point)).collect();
    assert!(never.is_empty(), "no process ended at {never:?}");
    let unseen: Vec<&str> =
        [Site::Restored, Site::ClockJumps, Site::Sleeps, Site::RuleRemoved, Site::StartsWithoutTime]
            .into_iter()
            .filter(|site| report.hits[*site as usize].iter().flatten().sum::<u64>() == 0)
            .map(Site::name)
            .collect();
    assert!(unseen.is_empty(), "never happened: {unseen:?}");
}

#[test]
fn seeds_that_once_failed_stay_good() {
    for (seed, why) in KEPT {
        let report = run(&Plan { first_seed: *seed, card_years: 0.1, threads: 1, ..plan() });
        assert!(report.breaches.is_empty(), "{why}: {:?}", report.breaches);
    }
}

#[test]
fn wrong_surroundings_are_found_out() {
    for wrong in Wrong::ALL {
        let wish = Plan { wrong: Some(wrong), card_years: CAUGHT_WITHIN, stops_at_breach: true, ..plan() };
        let report = run(&wish);
        let Some((seed, breach)) = report.breaches.first() else {
            panic!("{} was not found out within {:.0} card-years", wrong.name(), report.card_years);
        };
        println!(
            "{:<24} after {:>5.0} card-years by {} (seed {seed}: {})",
            wrong.name(),
            report.card_years,
            breach.promise,
            breach.what
        );
    }
}
