//! The daemon as a service: what it says to systemd, how it ends, and how it reads its files again.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as loudly as tests")]

#[expect(dead_code, reason = "each test program uses its part of the world")]
mod world;

use std::ffi::OsString;
use std::os::unix::net::UnixDatagram;

use rustix::process::Signal;
use simkeeper::daemon::clock::monotonic_micros;
use simkeeper::sandbox::{Call, FaultKind};

use world::files::AUTO;
use world::{PATIENCE, World, full, keeper, low};

/// The other end of `sd_notify`, as systemd is.
struct Systemd(UnixDatagram);

impl Systemd {
    /// Tells a world's daemon that it runs under systemd; `more` goes into its environment too.
    fn over(world: &mut World, more: Vec<(&'static str, OsString)>) -> Self {
        let path = world.folder().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut environment = more;
        environment.push(("NOTIFY_SOCKET", path.into()));
        world.environment(environment);
        Self(socket)
    }

    /// The next message.
    fn hears(&self) -> String {
        let mut bytes = [0; 4_096];
        let length = self.0.recv(&mut bytes).expect("a message in time");
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// The next message that has this line.
    fn hears_of(&self, line: &str) -> String {
        loop {
            let message = self.hears();
            if message.lines().any(|said| said == line) {
                return message;
            }
        }
    }
}

#[test]
fn systemd_hears_of_the_start_of_reloads_and_of_the_end() {
    let mut world = World::new().card("tablet", full, AUTO);
    let systemd = Systemd::over(&mut world, vec![]);
    let mut world = world.start();
    let ready = systemd.hears_of("READY=1");
    assert!(ready.contains("STATUS=1 card"), "{ready}");
    let before = monotonic_micros();
    world.hang_up();
    let reloading = systemd.hears_of("RELOADING=1");
    let stamp = reloading.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).unwrap();
    assert!((before..=monotonic_micros()).contains(&stamp.parse::<i64>().unwrap()), "{reloading}");
    systemd.hears_of("READY=1");
    world.keeper().signal(Signal::TERM);
    systemd.hears_of("STOPPING=1");
    assert!(world.keeper().ended().success());
    assert!(!keeper::socket_of(world.folder()).exists(), "the socket is gone");
}

#[test]
fn the_watchdog_is_fed_while_rounds_finish() {
    let mut world = World::of(world::KEYED, 600).card("tablet", full, AUTO);
    let systemd = Systemd::over(&mut world, vec![("WATCHDOG_USEC", "600000".into())]);
    let mut world = world.start();
    for _ in 0..3 {
        systemd.hears_of("WATCHDOG=1");
    }
    world.stop();
}

#[test]
fn an_order_on_its_way_is_finished_before_the_end() {
    let world = World::new().card("tablet", low, AUTO).fault(Call::Buy, FaultKind::Late { millis: 700 }, 1);
    let mut world = world.start();
    world
        .until("the order to leave", |world| world.sandbox.requests().get(&Call::Buy).is_some_and(|count| *count == 1));
    world.stop();
    let state = world.attempts("tablet").pop().unwrap().state;
    assert!(matches!(state.as_str(), "pending" | "accepted" | "done"), "{state}");
}

#[test]
fn a_second_signal_ends_at_once_and_the_next_start_settles_what_was_on_its_way() {
    let mut world = World::new().card("tablet", low, AUTO);
    world.machine.account = "time_limit = \"40s\"\n".to_owned();
    let mut world = world.fault(Call::Buy, FaultKind::Hang { accepted: true }, 1).start();
    world.until("the order to leave", |world| world.orders("tablet").len() == 1);
    world.keeper().signal(Signal::TERM);
    world.until("it to be stopping", |world| world.log().contains("a second signal ends at once"));
    world.keeper().signal(Signal::INT);
    assert!(!world.keeper().ended().success());
    world.begin();
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn files_with_errors_stop_the_start_and_name_the_place() {
    let mut world = World::new().card("tablet", full, &AUTO.replace("500 MB", "500 mb"));
    world.write_files();
    world.launch();
    let ended = world.keeper().ended();
    assert_eq!(ended.code(), Some(3), "{}", world.log());
    assert!(world.log().contains("500 mb") && world.log().contains("rules.toml"), "{}", world.log());
}

#[test]
fn a_socket_left_by_a_dead_daemon_is_taken_over_and_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;

    let mut world = World::new().card("tablet", full, AUTO).start();
    world.kill();
    assert!(keeper::socket_of(world.folder()).exists());
    world.begin();
    let mode = std::fs::metadata(keeper::socket_of(world.folder())).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_machine_that_slept_catches_up_once() {
    let mut world = World::new().card("tablet", low, AUTO).start();
    world.until_bought("tablet", 1);
    world.keeper().signal(Signal::STOP);
    let asleep = world.now();
    world::wait_for("some hours to pass", || (world.now().since(asleep).0 > 3_600).then_some(()));
    world.use_up("tablet");
    world.keeper().signal(Signal::CONT);
    world.until_bought("tablet", 2);
    world.until_read_again(3);
    assert_eq!(world.orders("tablet").len(), 2);
}
