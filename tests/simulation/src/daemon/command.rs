//! `tests/simulate record`: tells stories of the daemon over its record, and says what came of them.

use std::time::Duration;

use super::Wrong;
use super::run::{Plan, Report, judged, run};
use crate::faults::Site;

/// How it is called.
pub const USAGE: &str = "tests/simulate record [--seeds FIRST..] [--card-years N] [--seconds N] [--threads N] \
[--wrong NAME|all] [--trace SEED] [--table] [--short]";

struct Wishes {
    plan: Plan,
    all_wrong: bool,
    trace: Option<u64>,
    table: bool,
}

/// Carries the words of a command line out; says whether all was well.
///
/// # Errors
/// What is wrong with the words.
pub fn command(words: &[String]) -> Result<bool, String> {
    let wishes = wishes(words)?;
    Ok(match wishes.trace {
        Some(seed) => show(seed, &wishes.plan),
        None if wishes.all_wrong => all_wrong(&wishes.plan),
        None => record(&wishes.plan, wishes.table),
    })
}

fn wishes(words: &[String]) -> Result<Wishes, String> {
    let mut plan = Plan {
        first_seed: 1,
        card_years: 2_000.0,
        longest: Duration::from_secs(600),
        wrong: None,
        short: false,
        stops_at_breach: false,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let (mut all_wrong, mut trace, mut table) = (false, None, false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--table" {
            table = true;
            continue;
        }
        if word == "--short" {
            plan.short = true;
            continue;
        }
        let value = words.next().ok_or_else(|| format!("`{word}` wants a value\nusage: {USAGE}"))?;
        let number = || value.trim_end_matches("..").parse::<u64>().map_err(|_| format!("`{value}` is no number"));
        match word.as_str() {
            "--seeds" => plan.first_seed = number()?,
            "--card-years" => plan.card_years = number()? as f64,
            "--seconds" => plan.longest = Duration::from_secs(number()?),
            "--threads" => plan.threads = usize::try_from(number()?).unwrap_or(1),
            "--trace" => trace = Some(number()?),
            "--wrong" if value == "all" => all_wrong = true,
            "--wrong" => plan.wrong = Some(named(value)?),
            _ => return Err(format!("`{word}` is not known\nusage: {USAGE}")),
        }
    }
    Ok(Wishes { plan, all_wrong, trace, table })
}

fn named(value: &str) -> Result<Wrong, String> {
    let known: Vec<&str> = Wrong::ALL.iter().map(|wrong| wrong.name()).collect();
    let found = Wrong::ALL.into_iter().find(|wrong| wrong.name() == value);
    found.ok_or_else(|| format!("nothing wrong is named `{value}`; there are: all {}", known.join(" ")))
}

fn show(seed: u64, plan: &Plan) -> bool {
    let wrong = plan.wrong;
    let (told, breaches) =
        judged(seed, &if wrong.is_some() || plan.short { super::short(seed) } else { super::settings(seed) }, wrong);
    if let Some(told) = told {
        told.facts.iter().for_each(|fact| println!("{fact:?}"));
        println!("{} steps; ends of the process: {:?}", told.steps, told.deaths);
    }
    breaches.iter().for_each(|breach| println!("BREACH {breach:?}"));
    breaches.is_empty()
}

fn record(plan: &Plan, table: bool) -> bool {
    let report = run(plan);
    println!("{}", summary(&report, plan));
    if table {
        for site in Site::ALL {
            let hits: u64 = report.hits[*site as usize].iter().flatten().sum();
            println!("{:<22} {hits:>9}", site.name());
        }
    }
    for (seed, breach) in report.breaches.iter().take(20) {
        println!("BREACH {} seed {seed} at {} card {}: {}", breach.promise, breach.at, breach.card, breach.what);
    }
    if let Some((seed, _)) = report.breaches.first() {
        println!("first failing seed: {seed}; see `tests/simulate record --trace {seed}`");
    }
    let complete = report.card_years >= plan.card_years;
    if !complete {
        println!("the time was over before all card-years were told");
    }
    report.breaches.is_empty() && report.told_twice.1.is_empty() && complete
}

fn summary(report: &Report, plan: &Plan) -> String {
    let secs = report.took.as_secs_f64().max(0.001);
    let per_core = report.card_years / secs / plan.threads as f64;
    format!(
        "{:.0} card-years in {} stories, {secs:.1} s on {} threads: {per_core:.1} card-years/s/core\n\
         {} orders, {} messages, {} faults, {} ends of the process {:?}\n\
         {} stories told twice, {} differ; {} breaches",
        report.card_years,
        report.stories,
        plan.threads,
        report.orders,
        report.delivered,
        report.faults(),
        report.died(),
        report.deaths,
        report.told_twice.0,
        report.told_twice.1.len(),
        report.breaches.len(),
    )
}

fn all_wrong(plan: &Plan) -> bool {
    let mut all_found = true;
    for wrong in Wrong::ALL {
        let report = run(&Plan { wrong: Some(wrong), stops_at_breach: true, ..*plan });
        match report.breaches.first() {
            Some((seed, breach)) => println!(
                "{:<26} found out after {:>6.0} card-years by {:<7} (seed {seed}: {})",
                wrong.name(),
                report.card_years,
                breach.promise,
                breach.what
            ),
            None => {
                println!("{:<26} NOT found out within {:.0} card-years", wrong.name(), report.card_years);
                all_found = false;
            }
        }
    }
    all_found
}
