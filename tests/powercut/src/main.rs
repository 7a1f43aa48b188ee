//! Long runs by hand: `cargo run --profile simulation -p powercut -- --cuts 200000 --seed 1`. Prints how many losses of
//! power a second, what they met, and the first seed that breaks a promise.

use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use powercut::run;

const USAGE: &str = "powercut [--cuts NUMBER] [--seed NUMBER] [--threads NUMBER]";

fn main() -> ExitCode {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let Some([cuts, seed, threads]) = read_arguments([10_000, 1, threads as u64]) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let began = Instant::now();
    let (tally, breach) = run::until(cuts, seed, usize::try_from(threads).unwrap_or(1).max(1));
    let secs = began.elapsed().as_secs_f64();
    print!("{tally}");
    println!("{:.0} cuts per second, {secs:.1} s on {threads} threads", tally.cuts as f64 / secs);
    // Upgrades and restores are cases of their own, in the tests.
    let missing: Vec<_> = tally.missing().into_iter().filter(|what| !run::IN_CASES.contains(&what.as_str())).collect();
    if !missing.is_empty() && breach.is_none() {
        println!("never met: {}", missing.join(", "));
        return ExitCode::FAILURE;
    }
    match breach {
        None => {
            println!("0 promises broken");
            ExitCode::SUCCESS
        }
        Some(breach) => {
            println!("seed {} broke a promise after {} cuts: {}", breach.seed, breach.cuts, breach.why);
            ExitCode::FAILURE
        }
    }
}

/// Numbers by their names; those that are not given stay.
fn read_arguments([mut cuts, mut seed, mut threads]: [u64; 3]) -> Option<[u64; 3]> {
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next()?.replace('_', "").parse().ok()?;
        match name.as_str() {
            "--cuts" => cuts = value,
            "--seed" => seed = value,
            "--threads" => threads = value,
            _ => return None,
        }
    }
    Some([cuts, seed, threads])
}
