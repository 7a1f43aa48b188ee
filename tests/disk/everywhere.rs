//! The disk fills up at every kind of write that the daemon does, with more and less left of it: an order and its
//! messages at each named point, readings, wishes of people, mails in a folder, copies, a restore, and the log itself.
//! The operator counts: no need is bought for twice, nothing that was acknowledged is lost, and people are told.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Output;

use rusqlite::Connection;
use rustix::process::Signal;
use serde_json::json;
use simkeeper::store::crash::POINTS;
use simkeeper::store::{Store, backup};

use super::full::{fill, inside, make_room, mount_small, reserved, small, use_up_reserve};
use crate::world::files::AUTO;
use crate::world::keeper::{self, program};
use crate::world::mailbox::{Mail, Sink};
use crate::world::{World, full};

/// The smallest part of a disk that can be left.
const PAGE: u64 = 4_096;
/// What is left at a point: nothing, less than a commit takes, about as much, and more than one.
const PAGES_LEFT: [u64; 4] = [0, 2, 7, 20];

/// How many of the points lie between a plan and what its order came to.
const OF_AN_ORDER: usize = 9;

/// A daemon that renews one card again and again, each time on a disk that is full somewhere else.
struct Sweep {
    world: World,
    sink: Option<Sink>,
    bought: usize,
    /// Wishes of people that were answered with "done".
    acknowledged: usize,
}

impl Sweep {
    /// Everything of the daemon lies on the small disk, its log as well.
    fn new(world: World, sink: Option<Sink>) -> Self {
        symlink(world.state().join("log"), keeper::log_of(world.folder())).expect("a link");
        Self { world, sink, bought: 0, acknowledged: 0 }
    }

    /// Mails go into a folder on the same disk.
    fn with_mails_beside() -> Self {
        let world = Self::cards();
        mount_small(&world);
        world.write_files();
        Self::new(world, None)
    }

    fn cards() -> World {
        World::new().card("tablet", full, AUTO).card("phone", full, AUTO)
    }

    /// The disk fills up while the daemon stands at a point, and has room again after two more readings.
    fn fills_up_at(&mut self, point: &str, pages_left: u64, without_reserve: bool) {
        let state = self.world.state();
        self.world.environment(vec![("SIMKEEPER_CRASH_AT", format!("stop@{point}:1").into())]);
        self.world.launch();
        // What a purchase brought is used up each time, so that the card needs the next one.
        let used = if self.bought == 0 { 900_000_000 } else { 1_000_000_000 };
        self.world.sandbox.use_data(&self.world.iccid("tablet"), used).expect("a card");
        self.world.until(&format!("the daemon to stand at {point}"), World::is_asleep);
        if without_reserve {
            use_up_reserve(&state);
        }
        fill(&state, pages_left * PAGE);
        self.world.keeper().signal(Signal::CONT);
        self.world.until("the daemon to answer", |world| keeper::is_ready(world.folder()));
        self.wish();
        self.world.until_read_again(2);
        make_room(&state);
        self.bought += 1;
        self.world.until_bought("tablet", self.bought);
        self.world.kill();
        self.nothing_is_doubled_or_lost(&format!("{point}, {pages_left} pages left"));
    }

    /// A person wishes for something; what was answered with "done" must be found later.
    fn wish(&mut self) {
        let reply = self.world.ask(&json!({ "do": "pause", "card": "phone" }));
        self.acknowledged += usize::from(reply["answer"] == "done");
        let is_told = reply["said"].as_str().is_some_and(|said| said.contains("disk is full"));
        assert!(reply["answer"] == "done" || is_told, "{reply}");
    }

    fn nothing_is_doubled_or_lost(&self, at: &str) {
        let world = &self.world;
        let orders = world.orders("tablet");
        let keys: BTreeSet<&String> = orders.iter().map(|order| &order.key).collect();
        assert_eq!((orders.len(), keys.len()), (self.bought, self.bought), "{at}\n{}", world.state_of_affairs());
        let (record, attempts) = (world.record().unwrap(), world.attempts("tablet"));
        let done: BTreeSet<&String> = attempts
            .iter()
            .filter(|attempt| attempt.state == "done")
            .filter_map(|attempt| attempt.key.as_ref())
            .collect();
        assert_eq!(done, keys, "{at}\n{}", world.state_of_affairs());
        // What an operator answered was kept: nobody had to look an order up.
        assert!(!record.story().iter().any(|moved| moved.contains(" T7 ")), "{at}\n{}", world.state_of_affairs());
        assert_eq!((record.damage(), self.acts()), (vec![], self.acknowledged), "{at}");
    }

    fn acts(&self) -> usize {
        let conn = Connection::open(self.world.state().join("simkeeper.db")).unwrap();
        conn.query_row("SELECT count(*) FROM human_action", [], |row| row.get::<_, u32>(0)).unwrap() as usize
    }

    fn mails(&self) -> Vec<Mail> {
        self.sink.as_ref().map_or_else(|| self.world.mails(), Sink::mails)
    }

    /// On a disk that is full and stays so, people are told that a card waits; once there is room it is renewed, and
    /// every message has arrived.
    fn tells_and_goes_on(&mut self) {
        self.world.environment(vec![]);
        self.world.begin();
        let state = self.world.state();
        self.world.told(&json!({ "do": "resume", "card": "phone" }));
        self.acknowledged += 1;
        fill(&state, 0);
        self.world.use_up("phone");
        let sink = &self.sink;
        let is_told = |world: &World| {
            let mails = sink.as_ref().map_or_else(|| world.mails(), Sink::mails);
            mails.iter().any(|mail| mail.says(&["phone", "disk"]))
        };
        self.world.until("people to be told", is_told);
        assert_eq!(self.world.orders("phone").len(), 0, "{}", self.world.state_of_affairs());
        make_room(&state);
        self.world.until_bought("phone", 1);
        let settled = |world: &World| world.notices().iter().all(|notice| notice.state == "sent");
        self.world.until("every message to be sent", settled);
        let arrived: BTreeSet<String> = self.mails().into_iter().map(|mail| mail.id).collect();
        for notice in self.world.notices() {
            let id = notice.message_id.trim_matches(['<', '>']);
            assert!(arrived.contains(id), "{notice:?} never arrived\n{}", self.world.state_of_affairs());
        }
        self.world.stop();
        self.nothing_is_doubled_or_lost("in the end");
    }
}

#[test]
fn a_disk_that_fills_up_at_any_point_of_an_order_costs_nothing() {
    if !inside("everywhere::a_disk_that_fills_up_at_any_point_of_an_order_costs_nothing") {
        return;
    }
    let (mut world, sink) = small(Sweep::cards());
    world.machine.account = "time_limit = \"3s\"\n".to_owned();
    world.write_files();
    let mut sweep = Sweep::new(world, Some(sink));
    let (of_order, others) = POINTS.split_at(OF_AN_ORDER);
    for (place, point) in of_order.iter().chain(others.iter().step_by(2)).enumerate() {
        sweep.fills_up_at(point, PAGES_LEFT[place % PAGES_LEFT.len()], false);
    }
    sweep.tells_and_goes_on();
}

#[test]
fn a_disk_without_a_reserve_that_fills_up_at_any_point_of_an_order_costs_nothing() {
    if !inside("everywhere::a_disk_without_a_reserve_that_fills_up_at_any_point_of_an_order_costs_nothing") {
        return;
    }
    let mut sweep = Sweep::with_mails_beside();
    let (of_order, others) = POINTS.split_at(OF_AN_ORDER);
    for (place, point) in of_order[2..8].iter().chain(others.iter().skip(1).step_by(2)).enumerate() {
        sweep.fills_up_at(point, PAGES_LEFT[(place + 1) % PAGES_LEFT.len()], true);
    }
    sweep.tells_and_goes_on();
}

#[test]
fn readings_wishes_and_copies_on_a_disk_with_less_and_less_room_are_whole_or_refused() {
    if !inside("everywhere::readings_wishes_and_copies_on_a_disk_with_less_and_less_room_are_whole_or_refused") {
        return;
    }
    let mut sweep = Sweep::with_mails_beside();
    sweep.world.begin();
    let (state, mut copies) = (sweep.world.state(), 0);
    let size = std::fs::metadata(state.join("simkeeper.db")).unwrap().len();
    for left in [size + 400 * PAGE, size + PAGE, size / 2, 9 * PAGE, 3 * PAGE, PAGE, 0, 0] {
        // The last time nothing is held in reserve either.
        if left == 0 {
            use_up_reserve(&state);
        }
        fill(&state, left);
        sweep.wish();
        let copied = run(&sweep.world, &["backup"]);
        copies += usize::from(copied.status.success());
        assert!(copied.status.success() || said(&copied).contains("disk is full"), "{}", said(&copied));
        sweep.world.until_read_again(1);
        make_room(&state);
    }
    assert!((1..8).contains(&copies), "{copies} copies were made: the room was not swept");
    let whole = backup::list(&state).unwrap();
    assert_eq!(files(&state.join("backups")).len(), whole.len(), "what could not be finished is gone");
    whole.iter().for_each(|copy| backup::check_whole(copy).unwrap());
    sweep.world.until("the reserve to be taken again", |_| reserved(&state) >= 16 << 20);
    sweep.world.kill();
    sweep.nothing_is_doubled_or_lost("in the end");
}

#[test]
fn a_restore_on_a_disk_with_too_little_room_changes_nothing_and_leaves_nothing() {
    if !inside("everywhere::a_restore_on_a_disk_with_too_little_room_changes_nothing_and_leaves_nothing") {
        return;
    }
    let mut sweep = Sweep::with_mails_beside();
    sweep.world.begin();
    sweep.world.until_read_again(1);
    assert!(run(&sweep.world, &["backup"]).status.success());
    sweep.world.use_up("tablet");
    sweep.world.until_bought("tablet", 1);
    sweep.bought = 1;
    sweep.world.stop();
    let state = sweep.world.state();
    let copy = backup::list(&state).unwrap().remove(0);
    let (size, before) = (std::fs::metadata(&copy).unwrap().len(), std::fs::read(state.join("simkeeper.db")).unwrap());
    let mut restored = false;
    for left in [0, PAGE, size / 2, size, size + PAGE, size + 4 * PAGE, size + 40 * PAGE] {
        use_up_reserve(&state);
        let there = names(&state);
        fill(&state, left);
        let output = run(&sweep.world, &["restore", copy.to_str().unwrap(), "--yes"]);
        make_room(&state);
        restored = output.status.success();
        if restored {
            break;
        }
        let told = said(&output);
        assert!(told.contains("nothing was changed") && told.contains("disk is full"), "{left}: {told}");
        assert_eq!(names(&state), there, "{left} bytes left: what could not be finished is gone");
        assert_eq!(std::fs::read(state.join("simkeeper.db")).unwrap(), before, "{left}");
        sweep.nothing_is_doubled_or_lost(&format!("{left} bytes left"));
    }
    assert!(restored, "there was room enough in the end");
    let store = Store::open_read_only(&state).unwrap();
    let known: i64 =
        store.read_blocking(|conn| Ok(conn.query_row("SELECT count(*) FROM attempt", [], |row| row.get(0))?)).unwrap();
    assert_eq!(known, 0, "the copy is in place");
}

/// A command of the real program, by the world's files and clock.
fn run(world: &World, arguments: &[&str]) -> Output {
    let mut command = program(arguments);
    command.arg("--config").arg(world.folder()).args(["--clock", &world.clock().words()]).env("USER", "anna");
    command.output().expect("the program")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect()
}

/// Whoever reads a record leaves an empty log and its index behind; they are no matter here.
fn names(folder: &Path) -> BTreeSet<PathBuf> {
    let of_log =
        |path: &PathBuf| ["db-wal", "db-shm"].iter().any(|ending| path.extension().is_some_and(|e| e == *ending));
    files(folder).into_iter().filter(|path| !of_log(path)).collect()
}
