//! The daemon as a service: what it says to systemd, how it ends, how it reads its files again, and what becomes of it on
//! machines that sleep, and where it dies faster than it starts.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as loudly as tests")]

#[expect(dead_code, reason = "each test program uses its part of the world")]
mod world;

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::mpsc;
use std::time::Instant;

use rustix::process::Signal;
use simkeeper::daemon::clock::monotonic_micros;
use simkeeper::domain::retry::mixed;
use simkeeper::domain::time::Secs;
use simkeeper::sandbox::{Call, FaultKind};

use world::files::AUTO;
use world::mailbox::{Sink, free_port};
use world::{CLASSES, PATIENCE, World, full, keeper, low};

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

/// A monitor: its address, and the requests that it got.
fn monitor(answer: &'static str) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/ping/6ba7b810", listener.local_addr().unwrap());
    let (got, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = String::new();
            BufReader::new(&connection).read_line(&mut request).unwrap();
            let _answered = connection.write_all(answer.as_bytes());
            if got.send(request.trim_end().to_owned()).is_err() {
                return;
            }
        }
    });
    (address, requests)
}

#[test]
fn a_monitor_hears_from_a_daemon_whose_rounds_finish_and_one_that_fails_holds_up_nothing() {
    for answer in ["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 503 Down\r\ncontent-length: 0\r\n\r\n"] {
        let (address, requests) = monitor(answer);
        let tables = format!("[heartbeat]\nurl = \"{address}\"\n");
        let mut world = World::new().card("tablet", low, AUTO).tables(&tables).start();
        assert_eq!(requests.recv_timeout(PATIENCE).unwrap(), "POST /ping/6ba7b810 HTTP/1.1");
        world.until_bought("tablet", 1);
        assert!(!world.log().contains("6ba7b810"), "whoever knows the address can keep the monitor quiet");
    }
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

/// The machine sleeps for eight hours of the story, and wakes up.
fn sleeps(world: &mut World) {
    world.sleep(Secs::hours(8));
}

fn made(world: &World, call: Call) -> u64 {
    world.sandbox.requests().get(&call).copied().unwrap_or(0)
}

#[test]
fn a_machine_that_sleeps_during_a_reading_catches_up_once() {
    let world = World::new().with_settable_clock().card("tablet", full, AUTO);
    let mut world = world.fault(Call::Read, FaultKind::Late { millis: 500 }, 1).start();
    world.until("the reading to be asked for", |world| made(world, Call::Read) == 1);
    sleeps(&mut world);
    let woken = world.now();
    world.use_up("tablet");
    world.until_bought("tablet", 1);
    world.until("twenty minutes to pass", |world| world.now().since(woken) > Secs::minutes(20));
    // Eight hours are 48 readings that were missed; they are one.
    assert!(made(&world, Call::Read) < 24, "{:?}", world.sandbox.requests());
    assert_eq!(world.orders("tablet").len(), 1);
    world.stop();
}

#[test]
fn a_machine_that_sleeps_during_an_order_buys_once() {
    for class in CLASSES {
        for fault in [FaultKind::Late { millis: 500 }, FaultKind::LostAfter, FaultKind::Hang { accepted: true }] {
            let world = World::of(class, 300).with_settable_clock().card("tablet", low, AUTO);
            let mut world = world.fault(Call::Buy, fault.clone(), 1).start();
            world.until("the order to leave", |world| made(world, Call::Buy) == 1);
            sleeps(&mut world);
            world.until_bought("tablet", 1);
            world.until_read_again(2);
            assert_eq!(world.orders("tablet").len(), 1, "{class:?} {fault:?}\n{}", world.state_of_affairs());
            world.stop();
        }
    }
}

#[test]
fn a_machine_that_sleeps_while_a_mail_is_handed_over_sends_it_on_waking() {
    let mut world = World::new().with_settable_clock().card("tablet", low, AUTO);
    let (port, folder) = (free_port(), world.folder().join("mails"));
    // The server takes a second to say what became of a mail.
    let sink = Sink::start(port, &folder, &["-W", ".:1"]);
    world.machine.tables = format!(
        "[channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"keeper@example.net\"\n"
    );
    let mut world = world.start();
    world.until("a mail to be on its way", |world| world.notices().iter().any(|notice| notice.state == "claimed"));
    sleeps(&mut world);
    let all_sent = |world: &World| world.notices().iter().all(|notice| notice.state == "sent");
    world.until("every mail to be sent", all_sent);
    for notice in world.notices() {
        let id = notice.message_id.trim_matches(['<', '>']);
        let copies = sink.mails().iter().filter(|mail| mail.id == id).count();
        assert!((1..=notice.tries as usize).contains(&copies), "{copies} copies of {notice:?}");
    }
    world.stop();
}

/// How many files lie below a folder, and their bytes.
fn files_below(folder: &Path) -> (usize, u64) {
    let (mut files, mut bytes) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        // One that was there a moment ago may be gone: processes clean up behind those before them.
        let Ok(found) = entry.metadata() else { continue };
        let (more, length) = if found.is_dir() { files_below(&entry.path()) } else { (1, found.len()) };
        (files, bytes) = (files + more, bytes + length);
    }
    (files, bytes)
}

#[test]
fn deaths_that_come_faster_than_starts_let_nothing_grow_and_buy_nothing_twice() {
    let mut world = World::new().card("tablet", full, AUTO).card("router", full, AUTO).secure().start();
    world.until_read_again(2);
    world.kill();
    let begun = Instant::now();
    world.begin();
    let start_takes = begun.elapsed();
    world.kill();
    world.use_up("tablet");
    let (files, bytes) = files_below(&world.state());
    for start in 0..150 {
        world.launch();
        // Mostly within the start, and now and then a little later.
        let lives = start_takes.mul_f64((mixed(7, start) % 1_000) as f64 / 800.0);
        let begun = Instant::now();
        while let Some(left) = lives.checked_sub(begun.elapsed()) {
            std::thread::park_timeout(left);
        }
        assert_eq!(world.kill().signal(), Some(9), "it ended by itself\n{}", world.log());
        assert!(world.orders("tablet").len() <= 1, "{}", world.state_of_affairs());
    }
    let (files_after, bytes_after) = files_below(&world.state());
    assert!(files_after <= files + 3, "{files} files became {files_after}");
    assert!(bytes_after < bytes + (1 << 20), "{bytes} bytes became {bytes_after}");
    world.begin();
    world.until_bought("tablet", 1);
    assert_eq!((world.orders("tablet").len(), world.orders("router").len()), (1, 0));
    assert_eq!(world.record().unwrap().damage(), Vec::<String>::new());
    world.stop();
}

/// What the shipped unit says for a key, a span in seconds.
fn unit_says(key: &str) -> u64 {
    let unit = include_str!("../systemd/simkeeper.service");
    let value = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap();
    let (number, unit) = value.split_at(value.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(value.len()));
    let secs = match unit {
        "" | "s" => 1,
        "min" => 60,
        "h" => 3_600,
        unit => panic!("{key} is in {unit}"),
    };
    number.parse::<u64>().unwrap() * secs
}

#[test]
fn a_daemon_that_dies_at_every_start_is_given_up_in_sight_of_everybody_and_buys_nothing() {
    // However slowly it dies: while it starts, or by the watchdog after it has.
    let (starts, life_longest) =
        (unit_says("StartLimitBurst"), unit_says("TimeoutStartSec").max(unit_says("WatchdogSec")));
    let all_lives = starts * (life_longest + unit_says("RestartSec"));
    assert!(all_lives < unit_says("StartLimitIntervalSec"), "{all_lives} s pass, and the count begins anew for ever");

    let (address, beats) = monitor("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let mut world = World::new().card("tablet", low, AUTO).tables(&format!("[heartbeat]\nurl = \"{address}\"\n"));
    let systemd = Systemd::over(&mut world, vec![]);
    let mut world = world.start();
    systemd.hears_of("READY=1");
    world.until_bought("tablet", 1);
    beats.recv_timeout(PATIENCE).unwrap();
    world.stop();
    systemd.hears_of("STOPPING=1");
    let (database, before) = (world.state().join("simkeeper.db"), beats.try_iter().count());
    let whole = std::fs::read(&database).unwrap();
    std::fs::write(&database, [&[7; 100], &whole[100..]].concat()).unwrap();
    world.use_up("tablet");
    let (files, bytes) = files_below(&world.state());
    systemd.0.set_nonblocking(true).unwrap();

    for start in 1..=starts {
        world.launch();
        let code = world.keeper().ended().code().unwrap();
        // Neither well nor one of those after which systemd gives up at once.
        assert!(!matches!(code, 0 | 2 | 3), "{code}\n{}", world.log());
        let said = world.log().matches("is not a database").count() as u64;
        assert_eq!(said, start, "each start says why it ended\n{}", world.log());
    }
    let mut heard = [0; 4_096];
    let ready = std::iter::from_fn(|| systemd.0.recv(&mut heard).ok().map(|length| heard[..length].to_vec()));
    assert!(
        !ready.into_iter().any(|heard| String::from_utf8_lossy(&heard).contains("READY=1")),
        "systemd took it for well"
    );
    assert_eq!(beats.try_iter().count(), 0, "a monitor that heard {before} signs of life before hears none");
    assert_eq!((files_below(&world.state()), world.orders("tablet").len()), ((files, bytes), 1));

    std::fs::write(&database, whole).unwrap();
    world.begin();
    world.until_bought("tablet", 2);
    beats.recv_timeout(PATIENCE).unwrap();
    assert_eq!(world.orders("tablet").len(), 2);
    world.stop();
}
