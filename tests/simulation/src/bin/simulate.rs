//! The command behind `tests/simulate`: lives through worlds and says what came of it.

use std::process::ExitCode;
use std::time::Duration;

use simulation::coverage;
use simulation::faults::{Site, Switches};
use simulation::mutants::Mutant;
use simulation::run::{Plan, Report, live, run};

const USAGE: &str = "usage: tests/simulate core [--seeds FIRST..] [--card-years N] [--seconds N] [--threads N] \
[--mutant NAME|all] [--only SITE] [--calm] [--trace SEED] [--table]";

struct Wishes {
    plan: Plan,
    all_mutants: bool,
    trace: Option<u64>,
    table: bool,
}

fn wishes(words: &[String]) -> Result<Wishes, String> {
    let mut plan = Plan {
        first_seed: 1,
        card_years: 20_000.0,
        longest: Duration::from_secs(600),
        mutant: None,
        stops_at_breach: false,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        switches: None,
    };
    let (mut all_mutants, mut trace, mut table) = (false, None, false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--table" => {
                table = true;
                continue;
            }
            "--calm" => {
                plan.switches = Some(Switches::Calm);
                continue;
            }
            _ => {}
        }
        let value = words.next().ok_or_else(|| format!("`{word}` wants a value\n{USAGE}"))?;
        let number = || value.trim_end_matches("..").parse::<u64>().map_err(|_| format!("`{value}` is no number"));
        match word.as_str() {
            "--seeds" => plan.first_seed = number()?,
            "--card-years" => plan.card_years = number()? as f64,
            "--seconds" => plan.longest = Duration::from_secs(number()?),
            "--threads" => plan.threads = usize::try_from(number()?).unwrap_or(1),
            "--trace" => trace = Some(number()?),
            "--only" => {
                let site = Site::named(value).ok_or_else(|| format!("there is no fault `{value}`; see --table"))?;
                plan.switches = Some(Switches::Only(site));
            }
            "--mutant" if value == "all" => all_mutants = true,
            "--mutant" => plan.mutant = Some(Mutant::named(value).ok_or_else(|| names(value))?),
            _ => return Err(format!("`{word}` is not known\n{USAGE}")),
        }
    }
    Ok(Wishes { plan, all_mutants, trace, table })
}

fn names(wrong: &str) -> String {
    let known: Vec<&str> = Mutant::ALL.iter().map(|mutant| mutant.word()).collect();
    format!("there is no mutant `{wrong}`; there are: all {}", known.join(" "))
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        Some(("core", rest)) => core_wanted(rest),
        #[cfg(feature = "daemon")]
        Some(("store", rest)) => store_wanted(rest),
        #[cfg(feature = "daemon")]
        Some(("record", rest)) => record_wanted(rest),
        Some(_) | None => {
            eprintln!("{USAGE}");
            #[cfg(feature = "daemon")]
            eprintln!(
                "   or: {}\n   or: {}",
                simulation::core::stored::command::USAGE,
                simulation::daemon::command::USAGE
            );
            ExitCode::from(2)
        }
    }
}

#[cfg(feature = "daemon")]
fn record_wanted(words: &[String]) -> ExitCode {
    ended(simulation::daemon::command::command(words))
}

fn core_wanted(words: &[String]) -> ExitCode {
    ended(wishes(words).map(|wishes| match wishes.trace {
        Some(seed) => show(seed, &wishes.plan),
        None if wishes.all_mutants => mutants(&wishes.plan),
        None => core(&run(&wishes.plan), &wishes.plan, wishes.table, "core"),
    }))
}

/// The same worlds over the store; `--wrong` takes the place of `--mutant`.
#[cfg(feature = "daemon")]
fn store_wanted(words: &[String]) -> ExitCode {
    use simulation::core::stored::{self, command};
    let (mut words, mut wrong) = (words.to_vec(), None);
    if let Some(place) = words.iter().position(|word| word == "--wrong") {
        wrong = words.drain(place..(place + 2).min(words.len())).nth(1).or(Some(String::new()));
    }
    let all = wrong.as_deref() == Some("all");
    let wrong = wrong.filter(|_| !all).map(|name| command::named(&name)).transpose();
    ended(wishes(&words).and_then(|wishes| {
        let wrong = wrong?;
        if wishes.all_mutants || wishes.plan.mutant.is_some() {
            return Err(format!("wrong designs are tried over memory; wrong stores here\nusage: {}", command::USAGE));
        }
        Ok(match wishes.trace {
            Some(seed) => command::show(seed, &wishes.plan, wrong),
            None if all => command::all_wrong(&wishes.plan),
            None => core(&stored::run(&wishes.plan, wrong), &wishes.plan, wishes.table, "store"),
        })
    }))
}

fn ended(good: Result<bool, String>) -> ExitCode {
    match good {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::from(2)
        }
    }
}

fn show(seed: u64, plan: &Plan) -> bool {
    let (simulation, breaches) = live(seed, &plan.settings(seed), plan.mutant, true);
    print!("{}", simulation.trace().unwrap_or_default());
    for breach in &breaches {
        println!("BREACH {} at {} card {}: {}", breach.promise, breach.at, breach.card, breach.what);
    }
    breaches.is_empty()
}

fn core(report: &Report, plan: &Plan, table: bool, layer: &str) -> bool {
    println!("{}", summary(report, plan));
    let missing = coverage::missing(&report.hits);
    if table || !missing.is_empty() {
        print!("{}", coverage::table(&report.hits));
    }
    let complete = report.card_years >= plan.card_years;
    let whole = missing.is_empty() || report.card_years < 20_000.0 || plan.mutant.is_some() || plan.switches.is_some();
    if !whole {
        println!("{} cells that can be hit were not: {}", missing.len(), missing.join(", "));
    }
    for (seed, breach) in report.breaches.iter().take(20) {
        println!("BREACH {} seed {seed} at {} card {}: {}", breach.promise, breach.at, breach.card, breach.what);
    }
    if let Some((seed, _)) = report.breaches.first() {
        println!("first failing seed: {seed}; see `tests/simulate {layer} --trace {seed}`");
    }
    if !complete {
        println!("the time was over before all card-years were lived");
    }
    report.breaches.is_empty() && report.traced.1.is_empty() && complete && whole
}

fn summary(report: &Report, plan: &Plan) -> String {
    let secs = report.took.as_secs_f64().max(0.001);
    let per_core = report.card_years / secs / plan.threads as f64;
    let bought: u64 = report.done.iter().sum();
    let protected = report.done[0] + report.done[1];
    let asked = report.questions.of_class(0) + report.questions.of_class(1);
    let abouts: String = report
        .questions
        .iter()
        .fold(String::new(), |told, (about, [a, b, c])| format!("{told}  {about:<24} A {a}, B {b}, C {c}\n"));
    format!(
        "{:.0} card-years in {} worlds, {secs:.1} s on {} threads: {per_core:.0} card-years/s/core\n\
         {} orders sent, {bought} bought; {} faults, {:.0} a card-year\n\
         questions: {asked} for {protected} purchases of classes A and B ({:.1} per 1,000), {} for {} of class C\n\
         {abouts}\
         {} worlds lived twice, {} differ; {} breaches",
        report.card_years,
        report.worlds,
        plan.threads,
        report.orders,
        report.faults(),
        report.faults() as f64 / report.card_years.max(1.0),
        1_000.0 * asked as f64 / protected.max(1) as f64,
        report.questions.of_class(2),
        report.done[2],
        report.traced.0,
        report.traced.1.len(),
        report.breaches.len(),
    )
}

fn mutants(plan: &Plan) -> bool {
    let mut all_caught = true;
    for mutant in Mutant::ALL {
        let report = run(&Plan { mutant: Some(*mutant), stops_at_breach: true, ..*plan });
        match report.breaches.first() {
            Some((seed, breach)) => println!(
                "{:<26} caught after {:>6.0} card-years by {:<7} (seed {seed}: {})",
                mutant.word(),
                report.card_years,
                breach.promise,
                breach.what
            ),
            None => {
                println!("{:<26} NOT caught within {:.0} card-years", mutant.word(), report.card_years);
                all_caught = false;
            }
        }
    }
    all_caught
}
