//! A disk of some MiB that fills up: mounted for one test each in a namespace of its own, so that it is gone with the
//! test, and so that no root is needed. While it is full nothing is bought, cards are read, the outcome of an order on
//! its way is kept, and once there is room everything goes on by itself.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use simkeeper::sandbox::{Call, FaultKind};

use crate::world::files::AUTO;
use crate::world::mailbox::{Sink, debian, free_port};
use crate::world::{World, full, low};

/// The gate needs 64 MiB, the reserve has 16.
const DISK_MIB: u64 = 128;
const MIB: u64 = 1 << 20;
/// Set for the test program that runs inside the namespace.
const INSIDE: &str = "SIMKEEPER_TEST_INSIDE";

/// Runs a test of this name, its module's before it, again in a namespace of its own; says whether this is that run.
pub(super) fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(debian("unshare"));
    // Root has the right to mount by itself, and the daemon is then root inside and outside.
    command.args(if rustix::process::geteuid().is_root() { ["-m"].as_slice() } else { &["-r", "-m"] });
    command.arg(program).args([test, "--exact", "--nocapture"]).env(INSIDE, "1");
    let output = command.output().expect("unshare");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    false
}

/// A world whose record lies on a small disk, with a mail server that does not.
pub(super) fn small(world: World) -> (World, Sink) {
    mount_small(&world);
    let (mut world, port) = (world, free_port());
    world.machine.account = "time_limit = \"30s\"\n".to_owned();
    world.machine.tables = format!(
        "[channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"keeper@example.net\"\n"
    );
    world.write_files();
    let sink = Sink::start(port, &world.folder().join("mails"), &[]);
    (world, sink)
}

/// Puts the folder of a world's record on a small disk.
pub(super) fn mount_small(world: &World) {
    let state = world.state();
    std::fs::create_dir(&state).expect("a folder");
    let mut mount = Command::new(debian("mount"));
    mount.args(["-t", "tmpfs", "-o", &format!("size={DISK_MIB}m"), "small"]).arg(&state);
    let mounted = mount.output().expect("mount");
    assert!(mounted.status.success(), "{}", String::from_utf8_lossy(&mounted.stderr));
}

/// Takes what the daemon holds in reserve, as if it had been used up before.
pub(super) fn use_up_reserve(state: &Path) {
    OpenOptions::new().write(true).open(state.join("reserve")).and_then(|reserve| reserve.set_len(0)).unwrap();
}

fn free(state: &Path) -> u64 {
    let disk = statvfs(state).expect("a disk");
    disk.f_bavail * disk.f_frsize
}

/// Takes all but so much of the disk, in steps, since others write at the same time. The reserve, once given back, is
/// left to the daemon.
pub(super) fn fill(state: &Path, left: u64) {
    let (file, held) = (filler(state), reserved(state));
    loop {
        let more = free(state).saturating_sub(left);
        // Seen after the room was measured: what was given back in between is not in the measure.
        if more == 0 || reserved(state) < held {
            return;
        }
        let taken = file.metadata().expect("its size").len();
        // What the daemon has taken in between is not to be had.
        let _full = fallocate(&file, FallocateFlags::empty(), taken, more.max(4096));
    }
}

fn filler(state: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(state.join("filler")).expect("a file")
}

pub(super) fn make_room(state: &Path) {
    std::fs::remove_file(state.join("filler")).expect("it was there");
}

/// The order went from "on its way" to what its answer said, and nobody had to be asked.
fn kept_its_answer(world: &World) {
    let story = world.record().unwrap().story();
    let in_doubt = story.iter().any(|moved| moved.contains(" T7 "));
    assert!(!in_doubt && story.iter().any(|moved| moved.contains(" T5 ")), "{}", world.state_of_affairs());
}

pub(super) fn reserved(state: &Path) -> u64 {
    std::fs::metadata(state.join("reserve")).map_or(0, |reserve| reserve.blocks() * 512)
}

#[test]
fn too_little_room_stops_buying_and_not_watching_and_is_told() {
    if !inside("full::too_little_room_stops_buying_and_not_watching_and_is_told") {
        return;
    }
    let (mut world, sink) = small(World::new().card("tablet", full, AUTO));
    let state = world.state();
    world.begin();
    world.until_read_again(1);
    fill(&state, 40 * MIB);
    world.use_up("tablet");
    world.until("people to be told", |_| sink.mails().iter().any(|mail| mail.says(&["tablet", "disk"])));
    world.until_read_again(3);
    assert!(world.orders("tablet").is_empty(), "it bought\n{}", world.state_of_affairs());
    make_room(&state);
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn on_a_full_disk_an_outcome_is_kept_from_the_reserve_and_the_reserve_comes_back() {
    if !inside("full::on_a_full_disk_an_outcome_is_kept_from_the_reserve_and_the_reserve_comes_back") {
        return;
    }
    let world = World::new().card("tablet", low, AUTO);
    let (mut world, _sink) = small(world.fault(Call::Buy, FaultKind::Late { millis: 2_500 }, 1));
    let state = world.state();
    world.begin();
    // The order is on its way while the disk fills up.
    world.until_attempt("tablet", "sending");
    fill(&state, 0);
    world.until("the reserve to be given back", |world| world.log().contains("the reserve is given back"));
    let attempt = world.until_attempt("tablet", "done");
    assert_eq!(attempt.sent, Some(1), "{}", world.state_of_affairs());
    assert_eq!((world.orders("tablet").len(), reserved(&state)), (1, 0), "{}", world.state_of_affairs());
    kept_its_answer(&world);
    make_room(&state);
    world.until("the reserve to be taken again", |_| reserved(&state) >= 16 * MIB);
    world.until_bought("tablet", 1);
}

#[test]
fn on_a_disk_without_any_room_an_answer_waits_and_is_not_lost() {
    if !inside("full::on_a_disk_without_any_room_an_answer_waits_and_is_not_lost") {
        return;
    }
    let world = World::new().card("tablet", low, AUTO);
    let (mut world, _sink) = small(world.fault(Call::Buy, FaultKind::Late { millis: 2_500 }, 1));
    let state = world.state();
    world.begin();
    world.until_attempt("tablet", "sending");
    // The reserve has been used up, and somebody else takes what is left.
    use_up_reserve(&state);
    let waits = "the outcome of an order waits for room";
    world.until("the answer to wait", |world| {
        fill(&state, 0);
        world.log().contains(waits)
    });
    assert_eq!(world.until_attempt("tablet", "sending").sent, Some(1));
    make_room(&state);
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
    kept_its_answer(&world);
}

#[test]
fn a_start_on_a_full_disk_watches_takes_up_what_was_left_and_buys_nothing() {
    if !inside("full::a_start_on_a_full_disk_watches_takes_up_what_was_left_and_buys_nothing") {
        return;
    }
    let world = World::new().card("tablet", low, AUTO);
    let (mut world, _sink) = small(world.fault(Call::Buy, FaultKind::Hang { accepted: true }, 1));
    let state = world.state();
    world.begin();
    world.until_attempt("tablet", "sending");
    world.kill();
    fill(&state, 0);
    world.begin();
    world.until_bought("tablet", 1);
    assert!(world.log().contains("it is unknown until settled"), "{}", world.state_of_affairs());
    world.until_read_again(2);
    make_room(&state);
    world.until("the reserve to be taken again", |_| reserved(&state) >= 16 * MIB);
    world.stop();
    // Once more after a stop in good order, which has removed the log and its index.
    fill(&state, 0);
    world.begin();
    world.use_up("tablet");
    world.until_read_again(3);
    assert_eq!(world.orders("tablet").len(), 1, "{}", world.state_of_affairs());
    make_room(&state);
    world.until("the card to be renewed", |world| world.orders("tablet").len() == 2);
    world.stop();
    // With no reserve either there is nothing to open a record with; that is said, and is not called damage.
    use_up_reserve(&state);
    fill(&state, 0);
    world.launch();
    assert!(!world.keeper().ended().success());
    let log = world.log();
    assert!(log.lines().last().is_some_and(|line| line.contains("the disk is full")), "{log}");
    make_room(&state);
    world.begin();
    world.until_read_again(1);
    assert_eq!(world.orders("tablet").len(), 2);
}
