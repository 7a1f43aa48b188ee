//! kill -9 at every named point and at random moments, with the operator behind TLS, real mail servers
//! and a real SMS gateway, for all classes of operators, with and without faults. Whatever dies when: each need is bought
//! for once, every notice arrives, and the record is whole.
//!
//! `SIMKEEPER_KILLS` says how many kills, `SIMKEEPER_SEED` which chances, and `SIMKEEPER_PROGRAM` which program dies in
//! place of the one that is built with the tests: a release, at moments of chance alone. What is drawn comes again with
//! the seed; in which moment of its work a process is then hit is the machine's.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail as loudly as tests")]

mod chance;
mod needs;
mod oracle;
mod pace;
mod rest;
mod trial;
#[expect(dead_code, reason = "each test program uses its part of the world")]
#[path = "../world/mod.rs"]
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use simkeeper::daemon::crash::POINTS;
use simkeeper::domain::retry::mixed;
use simkeeper::sandbox::Class;

use chance::{FIRST_POINTS, LATER_POINTS};
use trial::{Shared, Tally, Trial};
use world::CLASSES;

/// How many kills, unless the environment says otherwise. Each costs a fifth of a second of a processor, with all that is
/// looked at after it.
const KILLS_USUAL: usize = 2_000;
/// Kills in one world: enough to meet every point twice, few enough that a record stays small.
const KILLS_IN_WORLD: usize = 84;
/// Worlds at once. Each mostly waits, for its story's time and for disks, so that two cores serve more.
const HANDS: usize = 8;

fn told<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// What is still to be done, and what was.
struct Board {
    seed: u64,
    next: usize,
    worlds: usize,
    left: usize,
    tally: Tally,
}

impl Board {
    /// The next world's number, class, faults, seed and kills.
    fn take(&mut self) -> Option<(usize, Class, bool, u64, usize)> {
        let number = self.next;
        if number >= self.worlds {
            return None;
        }
        self.next += 1;
        let kills = self.left.div_ceil(self.worlds - number);
        self.left -= kills;
        let (class, faulty) = (CLASSES[number % 3], number % 2 == 1);
        Some((number, class, faulty, mixed(self.seed, u32::try_from(number).unwrap()), kills))
    }
}

/// A hand that fails ends the whole run after the worlds under way: nobody waits hours for the news.
struct Alarm<'a>(&'a Mutex<Board>);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut board = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            board.worlds = 0;
        }
    }
}

fn work(board: &Mutex<Board>, shared: &Shared, begun: Instant) {
    let _alarm = Alarm(board);
    loop {
        let next = board.lock().unwrap().take();
        let Some((number, class, faulty, seed, kills)) = next else { return };
        let mut trial = Trial::new(number, class, faulty, seed, shared);
        trial.run(kills);
        let mut board = board.lock().unwrap();
        board.tally.add(&trial.tally);
        println!("{}: {}; {} kills so far, {:?}", trial.name, trial.tally, board.tally.kills, begun.elapsed());
    }
}

/// Processor time of this process and of the children that it has buried, in seconds: what a run costs, however busy the
/// machine is with other things.
fn cpu_secs() -> (u64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the name, which ends with the last bracket, the twelfth field is the first of four counts of 1/100 s.
    let fields: Vec<u64> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .skip(11)
        .take(4)
        .map(|field| field.parse().unwrap())
        .collect();
    ((fields[0] + fields[1]) / 100, (fields[2] + fields[3]) / 100)
}

#[test]
fn whatever_dies_when_each_need_is_bought_for_once_and_every_notice_arrives() {
    let seed = told("SIMKEEPER_SEED").unwrap_or(77);
    let kills: usize = told("SIMKEEPER_KILLS").unwrap_or(KILLS_USUAL);
    println!("{kills} kills, seed {seed}; others: SIMKEEPER_KILLS=… SIMKEEPER_SEED=…");
    let worlds = kills.div_ceil(KILLS_IN_WORLD);
    let board = Mutex::new(Board { seed, next: 0, worlds, left: kills, tally: Tally::default() });
    let (shared, begun) = (Shared::open(), Instant::now());
    std::thread::scope(|hands| {
        for _ in 0..HANDS.min(worlds) {
            hands.spawn(|| work(&board, &shared, begun));
        }
    });
    let tally = board.into_inner().unwrap().tally;
    let (here, daemons) = cpu_secs();
    println!("{tally}; in {:?}, with {here} s of processors here and {daemons} s in what was started", begun.elapsed());
    let at_points: BTreeMap<&str, usize> = tally.at_points.clone();
    println!("deaths at points: {at_points:?}");
    assert!(tally.kills >= kills, "only {} kills", tally.kills);
    // Two worlds meet them all; a shorter run is somebody's quick look.
    if kills >= 2 * KILLS_IN_WORLD && shared.has_points {
        for point in POINTS.into_iter().chain(FIRST_POINTS).chain(LATER_POINTS) {
            assert!(at_points.contains_key(point), "nothing died at {point}");
        }
    }
    assert!(tally.texts > 0 && tally.mails > 0, "nobody was told anything");
}
