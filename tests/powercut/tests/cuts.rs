//! Losses of power by the thousand, each followed by a start that must find everything that was acknowledged. Longer runs
//! are started by hand; see `src/main.rs`.

use std::thread;
use std::time::Instant;

use powercut::mutant::Mutant;
use powercut::run;
use powercut::tally::Tally;

const CUTS: u64 = 10_000;
const SEED: u64 = 1;

#[test]
fn ten_thousand_losses_of_power_cost_nothing_that_was_acknowledged() {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let began = Instant::now();
    let (tally, breach) = run::until(CUTS, SEED, threads);
    println!("{tally}{:.0} cuts per second", tally.cuts as f64 / began.elapsed().as_secs_f64());
    assert_eq!(breach, None);
    assert!(tally.cuts >= CUTS);
    let missing: Vec<_> = tally.missing().into_iter().filter(|what| !run::IN_CASES.contains(&what.as_str())).collect();
    assert!(missing.is_empty(), "never met: {missing:?}");
}

#[test]
fn a_seed_tells_the_whole_story() {
    for seed in 0..3 {
        let figures = || {
            let mut tally = Tally::default();
            run::world(seed, Mutant::None, &mut tally).unwrap();
            tally.to_string()
        };
        assert_eq!(figures(), figures(), "seed {seed}");
    }
}
