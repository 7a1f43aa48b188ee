//! The daemon itself, its own rounds and its own record in SQLite, in worlds where everything goes wrong: what it promises
//! holds, and equal seeds give equal stories. More is told by `simulate record`.
#[path = "stories/store.rs"]
mod store;

use std::time::Duration;

use simulation::daemon::run::{Plan, Report, judged, run};
use simulation::daemon::{Wrong, short};
use simulation::faults::{Site, Switches};
use simulation::oracle::ELSEWHERE;
use simulation::world::Settings;

/// Card-years that are told each time in short stories, unless `SIMKEEPER_CARD_YEARS` names another number.
const CARD_YEARS: u32 = 50;
/// A story in which people are asked, and in which the mail server refuses a warning.
const ALERTED_IN: u64 = 7;
/// No story is begun after this: a machine that is so slow fails.
const LONGEST: Duration = Duration::from_secs(40 * 60);

#[test]
fn the_daemon_keeps_its_promises_over_its_record() {
    let wanted = std::env::var("SIMKEEPER_CARD_YEARS").ok().map(|number| number.parse().expect("a number"));
    let plan = Plan {
        first_seed: 1,
        card_years: f64::from(wanted.unwrap_or(CARD_YEARS)),
        longest: if wanted.is_some() { Duration::MAX } else { LONGEST },
        wrong: None,
        short: true,
        stops_at_breach: false,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let report = run(&plan);
    say(&report);
    assert_eq!(report.breaches, [], "see `tests/simulate record --trace SEED`");
    assert_eq!(report.told_twice.1, [0_u64; 0], "these seeds were told twice, and differed");
    assert!(report.card_years >= plan.card_years, "the time was over after {:.0} card-years", report.card_years);
    assert!(report.died() > 0 && report.faults() > 0 && report.orders > 0, "worlds in which nothing happens");
}

/// Says what was told, past the harness: it keeps what tests print, and this is to be read of tests that pass.
fn say(report: &Report) {
    use std::io::Write as _;
    let (secs, died, faults) = (report.took.as_secs_f64(), report.died(), report.faults());
    let text = format!(
        "{:.0} card-years in {} stories, {secs:.0} s: {} orders, {died} ends of the process, {faults} faults, {} breaches\n",
        report.card_years,
        report.stories,
        report.orders,
        report.breaches.len(),
    );
    // Nobody may be listening.
    let _said = std::io::stderr().write_all(text.as_bytes());
}

#[test]
fn equal_seeds_give_equal_stories() {
    let told = |seed| judged(seed, &short(seed), None).0.expect("told");
    let with_ends = (1..=24).map(|seed| (seed, told(seed))).find(|(_, story)| story.died() > 0);
    let (seed, first) = with_ends.expect("a story in which the process ends");
    let second = told(seed);
    // In this one a message is on its way when the process ends.
    assert_eq!(told(5).facts, told(5).facts);
    assert_eq!(first.facts, second.facts);
}

#[test]
fn an_alert_that_mail_cannot_carry_takes_the_other_way_and_the_oracle_sees_where_there_is_none() {
    for wrong in [None, Some(Wrong::OneWayAlone)] {
        let settings = Settings { cards: 4, days: 30, switches: Switches::Only(Site::MailRefused) };
        let breaches = judged(ALERTED_IN, &settings, wrong).1;
        assert_eq!(breaches.is_empty(), wrong.is_none(), "{breaches:?}");
        assert!(breaches.iter().all(|breach| breach.promise == ELSEWHERE), "{breaches:?}");
        let found = |words: &str| breaches.iter().any(|breach| breach.what.contains(words));
        assert_eq!((found("by mail alone"), found("could not go by mail")), (wrong.is_some(), wrong.is_some()));
    }
}
