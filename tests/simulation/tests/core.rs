//! The core in whole worlds: promises kept over 20,000 card-years with every fault that can happen, equal traces for equal
//! seeds, and every wrong design caught.

use std::time::Duration;

use simulation::coverage;
use simulation::faults::{Site, Switches};
use simulation::mutants::Mutant;
use simulation::run::{Plan, Report, live, run};
use simulation::world::Settings;

const CARD_YEARS: f64 = 20_000.0;

/// Worlds in which the daemon was wrong once, and what it did.
const KEPT: [(u64, &str); 7] = [
    (4, "a pending order that nobody can look up was due again at once, without an end"),
    (7, "a reading from a cache, right after a purchase, bought a second one"),
    (33, "an order that its operator called pending for ever was never asked about, where the card has no end"),
    (27, "a start with a clock of 1970 cut the wait after a restore short"),
    (88, "the second question about one order was taken for the first, and not told"),
    (117, "a question asked by a clock that ran ahead was never repeated"),
    (151, "a new plan on a card whose old ones had left the answer began no cycle, and its end came without a warning"),
];

fn plan(mutant: Option<Mutant>) -> Plan {
    Plan {
        first_seed: 1,
        card_years: CARD_YEARS,
        // No test is judged by the clock; this only ends what would never end.
        longest: Duration::from_secs(3_600),
        mutant,
        stops_at_breach: mutant.is_some(),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    }
}

fn told(report: &Report) -> String {
    let lines = report.breaches.iter().take(20);
    let lines =
        lines.map(|(seed, breach)| format!("seed {seed}, card {}, {}: {}", breach.card, breach.promise, breach.what));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_promise_is_kept_for_20_000_card_years_and_every_fault_that_can_happen_does() {
    let report = run(&plan(None));
    assert!(report.card_years >= CARD_YEARS);
    assert!(report.breaches.is_empty(), "{} breaches:\n{}", report.breaches.len(), told(&report));
    let missing = coverage::missing(&report.hits);
    assert!(missing.is_empty(), "{} cells were not hit: {}", missing.len(), missing.join(", "));
    assert!(report.traced.0 > 10, "worlds were lived twice");
    assert_eq!(report.traced.1, Vec::<u64>::new(), "equal seeds, other traces");
}

#[test]
fn worlds_in_which_the_daemon_was_wrong_once_go_well() {
    for (seed, what) in KEPT {
        let (_, breaches) = live(seed, &Settings::of_seed(seed), None, false);
        assert_eq!(breaches, [], "seed {seed}: {what}");
    }
}

#[test]
fn every_mutant_is_caught_within_20_000_card_years() {
    let mut at_large = Vec::new();
    for mutant in Mutant::ALL {
        if run(&plan(Some(*mutant))).breaches.is_empty() {
            at_large.push(mutant.word());
        }
    }
    assert!(at_large.is_empty(), "not caught: {}", at_large.join(", "));
}

/// What passes by itself within days keeps no card from being bought for.
#[test]
fn one_kind_of_trouble_alone_keeps_no_card_from_being_bought_for() {
    let alone = Site::ALL.iter().map(|site| Switches::Only(*site)).filter(|switches| switches.lets_live());
    for switches in alone.chain([Switches::AllOff]) {
        for seed in 1..=20 {
            let settings = Settings { cards: 8, days: 365, switches };
            let (_, breaches) = live(seed, &settings, None, false);
            assert_eq!(breaches, [], "seed {seed}, {switches:?}");
        }
    }
}

/// The oracle thinks for itself: it names nothing of the daemon.
#[test]
fn the_oracle_shares_no_code_with_the_daemon() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/oracle");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let naming = text.lines().filter(|line| line.contains("simkeeper") || line.contains("crate::"));
        assert_eq!(naming.collect::<Vec<_>>(), Vec::<&str>::new());
        files += 1;
    }
    assert!(files >= 5, "the oracle was looked for in the wrong place");
}
