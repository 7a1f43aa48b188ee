//! A record is lost, and a copy takes its place beside a world that went on. Whatever the copy does not know: no order is
//! doubled, none is missing in the end, everything is told, and nothing that was sent before is sent again.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail as loudly as tests")]

#[expect(dead_code, reason = "each test program uses its part of the world")]
mod world;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use simkeeper::domain::time::Secs;
use simkeeper::sandbox::{Call, Class, Fault, FaultKind};

use world::files::AUTO;
use world::keeper::program;
use world::{CLASSES, KEYED, World, full, low};

/// A command of the real program, by the world's files and clock.
fn run(world: &World, arguments: &[&str]) -> Output {
    command(world, arguments).output().expect("the program")
}

fn command(world: &World, arguments: &[&str]) -> Command {
    let mut command = program(arguments);
    command.arg("--config").arg(world.folder()).args(["--clock", &world.clock().words()]).env("USER", "anna");
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// A copy, made by the daemon at this moment.
fn copy(world: &World) -> PathBuf {
    let output = run(world, &["backup", "--json"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    document(&output)["path"].as_str().expect("a path").into()
}

fn lose_record(world: &World) {
    for name in ["simkeeper.db", "simkeeper.db-wal", "simkeeper.db-shm"] {
        drop(std::fs::remove_file(world.state().join(name)));
    }
}

fn restore(world: &World, copy: &Path) -> String {
    let output = run(world, &["restore", copy.to_str().unwrap(), "--yes"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    text(&output)
}

/// Puts a copy in place as people do who know no command for it: nothing in the copy says so.
fn put_back_by_hand(world: &World, copy: &Path) {
    lose_record(world);
    std::fs::copy(copy, world.state().join("simkeeper.db")).unwrap();
}

fn posts(world: &World) -> u64 {
    world.sandbox.requests().get(&Call::Buy).copied().unwrap_or(0)
}

/// Answers every question by the operator's book, until nothing is open.
fn answer_all(world: &mut World) {
    world.until("every question to be answered", |world| {
        let attempts = world.record().map(|record| record.attempts()).unwrap_or_default();
        attempts.iter().filter(|attempt| attempt.state == "human").for_each(|asked| world.settle_by_the_book(asked));
        !attempts.iter().any(world::record::Attempt::is_open) && world.notices().iter().all(|n| n.state == "sent")
    });
}

/// What the operator took, by key, beside what the record holds as bought.
fn none_is_doubled_or_missing(world: &World) {
    let orders = world.sandbox.accepted_orders();
    let taken: BTreeSet<String> = orders.iter().map(|order| order.key.clone()).collect();
    assert_eq!(taken.len(), orders.len(), "no key was paid twice");
    let attempts = world.record().unwrap().attempts();
    let bought: BTreeSet<String> =
        attempts.iter().filter(|attempt| attempt.state == "done").filter_map(|attempt| attempt.key.clone()).collect();
    assert_eq!(taken, bought, "{}", world.state_of_affairs());
}

#[test]
fn the_drill_a_lost_record_is_restored_and_no_order_is_doubled_missing_or_untold() {
    for class in CLASSES {
        let mut world = World::of(class, 600);
        for card in ["tablet", "phone", "router", "spare"] {
            world = world.card(card, full, AUTO);
        }
        let mut world = world.start();
        world.until_read_again(4);
        world.use_up("tablet");
        world.until_bought("tablet", 1);
        let copy = copy(&world);
        // The world goes on: the same card twice more, another one once, and one whose answer gets lost.
        for times in [2, 3] {
            world.use_up("tablet");
            world.until_bought("tablet", times);
        }
        world.use_up("phone");
        world.until_bought("phone", 1);
        world.sandbox.fault(Fault::on(&world.iccid("router"), Call::Buy, FaultKind::LostAfter)).unwrap();
        world.use_up("router");
        world.until("the order whose answer is lost", |world| world.orders("router").len() == 1);
        world.kill();
        lose_record(&world);
        let (taken, sent) = (world.sandbox.orders_taken(), posts(&world));

        let said = restore(&world, &copy);
        assert!(said.contains("names 4 orders that the copy does not know"), "{class:?}: {said}");
        assert!(said.contains("settle") && said.contains("26 hours"), "{said}");
        world.begin();
        for card in ["tablet", "phone", "router"] {
            world.until("a question", |world| world.told_of(card, "asked") >= 1);
        }
        assert_eq!(world.record().unwrap().quarantined(), 4);
        world.use_up("spare");
        answer_all(&mut world);
        none_is_doubled_or_missing(&world);
        // Each order that the copy did not know was put to people, the second one of a card after its first.
        assert_eq!(world.told_of("tablet", "asked"), 2, "{class:?}\n{}", world.state_of_affairs());
        world.until_read_again(8);
        assert_eq!((world.sandbox.orders_taken(), posts(&world)), (taken, sent), "{class:?}: nothing is bought yet");
        world.pass(Secs::hours(28));
        world.until_bought("spare", 1);
        // The other cards are confirmed by two readings of their own.
        world.until("every card to be confirmed", |world| world.record().unwrap().quarantined() == 0);
        world.until_read_again(8);
        assert_eq!(world.sandbox.orders_taken(), taken + 1, "{class:?}");
        none_is_doubled_or_missing(&world);
        // The second start found nothing new to be afraid of.
        assert_eq!(world.log().matches("the record is older than the world").count(), 1);
        assert_eq!(world.record().unwrap().quarantined(), 0);
        assert_eq!(code(&run(&world, &["verify"])), 0, "{}", text(&run(&world, &["verify"])));
    }
}

/// What died in the middle of putting a copy in place, and whether the daemon was started before it was done again.
fn killed_in_a_restore_and_restored_again(point: &str, starts_between: bool) {
    let mut world = World::new().card("tablet", full, AUTO).start();
    world.until_read_again(2);
    let copy = copy(&world);
    world.use_up("tablet");
    world.until_bought("tablet", 1);
    // By kill -9, so that the log beside the record holds what the copy does not know.
    world.kill();
    let sent = posts(&world);

    let mut dies = command(&world, &["restore", copy.to_str().unwrap(), "--yes"]);
    let died = dies.env("SIMKEEPER_CRASH_AT", point).output().expect("the program");
    assert_eq!(died.status.signal(), Some(9), "{point}: {}", text(&died));
    let before = world.record().expect("the record that was there is still in its place");
    assert_eq!((before.damage(), before.attempts().len()), (vec![], 1), "{point}");
    drop(before);
    if starts_between {
        world.begin();
        world.until_read_again(1);
        assert_eq!(world.record().unwrap().quarantined(), 0, "{point}: nothing was restored yet");
        world.kill();
    }

    let said = restore(&world, &copy);
    assert!(said.contains("names 1 orders that the copy does not know"), "{point}: {said}");
    let left: Vec<PathBuf> = files(&world.state()).into_iter().filter(|path| says(path, "restoring")).collect();
    assert_eq!(left, Vec::<PathBuf>::new(), "{point}");
    for kept in files(&world.state()).iter().filter(|path| says(path, ".replaced-") && !says(path, "-wal")) {
        let conn = rusqlite::Connection::open(kept).unwrap();
        let known: i64 = conn.query_row("SELECT count(*) FROM attempt", [], |row| row.get(0)).unwrap();
        assert_eq!(known, 1, "{point}: what was replaced is whole");
    }
    world.use_up("tablet");
    world.begin();
    world.until("a question", |world| world.told_of("tablet", "asked") == 1);
    let record = world.record().unwrap();
    assert_eq!((record.damage(), record.quarantined()), (vec![], 1), "{point}");
    answer_all(&mut world);
    world.until_read_again(4);
    assert_eq!(posts(&world), sent, "{point}\n{}", world.state_of_affairs());
    none_is_doubled_or_missing(&world);
}

/// The files of a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Whether the name of a file has these letters in it.
fn says(path: &Path, letters: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains(letters))
}

#[test]
fn a_restore_that_was_killed_is_begun_again_and_buys_nothing_twice() {
    for (point, starts_between) in
        [("in_backup", false), ("in_restore", false), ("in_restore", true), ("after_set_aside", true)]
    {
        killed_in_a_restore_and_restored_again(point, starts_between);
    }
}

#[test]
fn a_person_who_has_looked_lifts_the_wait_after_a_restore() {
    let mut world = World::new().card("tablet", full, AUTO).card("phone", full, AUTO).start();
    world.until_read_again(2);
    let copy = copy(&world);
    world.stop();
    restore(&world, &copy);
    world.use_up("tablet");
    world.use_up("phone");
    world.begin();
    world.until_read_again(6);
    assert_eq!((world.sandbox.orders_taken(), world.record().unwrap().quarantined()), (0, 2));
    let output = run(&world, &["resume", "tablet"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("phone").len(), 0);
}

/// An order that is in this state when the copy is made, at operators of every class.
fn not_sent_again_after_the_restore(state: &str, rule: &str, fault: &FaultKind) {
    for class in CLASSES {
        let mut world = World::of(class, 300).card("tablet", low, rule).fault(Call::Buy, fault.clone(), 1).start();
        world.until_attempt("tablet", state);
        let copy = copy(&world);
        assert_eq!(world.until_attempt("tablet", state).state, state);
        world.kill();
        let sent = posts(&world);
        restore(&world, &copy);
        world.begin();
        if state == "planned" {
            // Nothing had left, so nothing is asked: it is given up, and planned anew when the card is confirmed.
            world.until_attempt("tablet", "abandoned");
        } else {
            world.until("a question", |world| world.told_of("tablet", "asked") == 1);
        }
        world.until_read_again(6);
        world.pass(Secs::hours(3));
        world.until_read_again(6);
        let open = world.attempts("tablet").into_iter().filter(world::record::Attempt::is_open);
        open.filter(|attempt| attempt.state == "human").for_each(|asked| world.settle_by_the_book(&asked));
        world.until_read_again(6);
        assert_eq!(posts(&world), sent, "{class:?} {state}\n{}", world.state_of_affairs());
        assert!(world.orders("tablet").len() <= 1, "{class:?} {state}");
    }
}

#[test]
fn an_order_that_was_only_planned_when_it_was_copied_is_not_sent_after_the_restore() {
    let ask = "mode = \"ask\"\nrenew_when = { data_below = \"500 MB\" }\nbuy = [\"data-1gb-7d\"]";
    not_sent_again_after_the_restore("planned", ask, &FaultKind::Late { millis: 1 });
}

#[test]
fn an_order_that_was_unknown_when_it_was_copied_is_not_sent_again_after_the_restore() {
    not_sent_again_after_the_restore("unknown", AUTO, &FaultKind::AcceptedLate { secs: 6_000 });
}

#[test]
fn an_order_that_was_pending_when_it_was_copied_is_not_sent_again_after_the_restore() {
    not_sent_again_after_the_restore("pending", AUTO, &FaultKind::PendingForever);
}

#[test]
fn an_order_that_was_accepted_when_it_was_copied_is_not_sent_again_after_the_restore() {
    not_sent_again_after_the_restore("accepted", AUTO, &FaultKind::EffectLate { secs: 7_200 });
}

#[test]
fn a_copy_put_back_by_hand_is_noticed_by_a_second_sending_alone() {
    // The order is lost on the way, the copy made, and then the same bytes go out again: no key of the journal is new.
    let mut world =
        World::of(KEYED, 300).card("tablet", low, AUTO).fault(Call::Buy, FaultKind::LostBefore, 1_000).start();
    world.until_attempt("tablet", "unknown");
    let copy = copy(&world);
    let copied = posts(&world);
    world.until("the same bytes to go out again", |world| posts(world) > copied);
    world.sandbox.clear_faults();
    world.until_bought("tablet", 1);
    world.stop();
    let sent = posts(&world);
    put_back_by_hand(&world, &copy);
    world.begin();
    world.until("a question", |world| world.told_of("tablet", "asked") == 1);
    assert_eq!(world.record().unwrap().quarantined(), 1);
    answer_all(&mut world);
    none_is_doubled_or_missing(&world);
    assert_eq!(posts(&world), sent, "{}", world.state_of_affairs());
}

#[test]
fn a_copy_of_an_unknown_order_that_was_refused_later_and_bought_anew_sends_neither_again() {
    let refused = FaultKind::Refused { code: "maintenance".to_owned(), status: 422 };
    let world = World::of(KEYED, 300).card("tablet", low, AUTO).fault(Call::Buy, FaultKind::LostBefore, 1);
    let mut world = world.fault(Call::Buy, refused, 1).start();
    world.until_attempt("tablet", "unknown");
    let copy = copy(&world);
    world.until_attempt("tablet", "refused");
    world.pass(Secs::hours(3));
    world.until_bought("tablet", 1);
    let sent = posts(&world);
    world.stop();
    put_back_by_hand(&world, &copy);
    world.begin();
    world.until("a question", |world| world.told_of("tablet", "asked") == 1);
    answer_all(&mut world);
    world.until_read_again(6);
    assert_eq!((world.orders("tablet").len(), posts(&world)), (1, sent), "{}", world.state_of_affairs());
    none_is_doubled_or_missing(&world);
}

#[test]
fn restore_refuses_what_it_must_says_the_way_back_and_changes_nothing() {
    let mut world = World::new().card("tablet", full, AUTO).start();
    world.until_read_again(1);
    let copy = copy(&world);
    let refused = |world: &World, file: &Path, exit: i32, words: &[&str]| {
        let output = run(world, &["restore", file.to_str().unwrap(), "--yes"]);
        let said = text(&output);
        assert_eq!(code(&output), exit, "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    };
    refused(&world, &copy, 7, &["another simkeeper", "systemctl stop simkeeper", "nothing was changed"]);
    world.stop();
    let before = std::fs::read(world.state().join("simkeeper.db")).unwrap();
    let odd = |name: &str, bytes: &[u8]| {
        let path = world.folder().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let whole = std::fs::read(&copy).unwrap();
    let half = odd("half.db", &whole[..whole.len() / 2]);
    refused(&world, &half, 4, &["damaged", "take another one"]);
    refused(&world, &odd("letter.db", b"Dear Anna"), 4, &["no copy of a record"]);
    refused(&world, &odd("empty.db", b""), 4, &["no copy of a record"]);
    refused(&world, &world.folder().join("none.db"), 6, &["no copy", "backups"]);
    let newer = odd("newer.db", &whole);
    rusqlite::Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    refused(&world, &newer, 4, &["newer simkeeper", "install it again"]);
    let theirs = odd("theirs.db", &whole);
    let uuid = "UPDATE installation SET uuid = '00000000-0000-4000-8000-000000000001'";
    rusqlite::Connection::open(&theirs).unwrap().execute_batch(uuid).unwrap();
    refused(&world, &theirs, 4, &["another installation"]);
    // Nobody is there to be asked.
    let unasked = run(&world, &["restore", copy.to_str().unwrap()]);
    assert_eq!((code(&unasked), text(&unasked).contains("--yes")), (2, true));
    assert_eq!(std::fs::read(world.state().join("simkeeper.db")).unwrap(), before);
    // What was refused cost nothing: the daemon starts as if nothing had been, and is not afraid.
    world.begin();
    assert_eq!(world.record().unwrap().quarantined(), 0);
}

/// The checks that are not sound, and how the command ended.
fn wrong(world: &World, arguments: &[&str]) -> (i32, Vec<String>) {
    let output = run(world, &[&["verify", "--json"], arguments].concat());
    let found = document(&output);
    let findings = found["findings"].as_array().expect("findings").clone();
    for finding in &findings {
        assert_eq!(finding["sound"] == true, finding["advice"].is_null(), "what is wrong says what to do: {finding}");
    }
    let wrong = findings.iter().filter(|finding| finding["sound"] == false);
    (code(&output), wrong.map(|finding| finding["check"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn verify_proves_the_record_beside_the_daemon_and_names_each_thing_that_is_wrong() {
    let mut world = World::of(Class::LookupOnly, 300).card("tablet", low, AUTO).start();
    world.until_bought("tablet", 1);
    assert_eq!(wrong(&world, &[]), (5, vec!["copies".to_owned()]));
    let copy = copy(&world);
    assert_eq!(wrong(&world, &[]), (0, vec![]));
    assert_eq!(wrong(&world, &[copy.to_str().unwrap()]), (0, vec![]));
    world.use_up("tablet");
    world.until_bought("tablet", 2);
    let behind = text(&run(&world, &["verify", copy.to_str().unwrap()]));
    assert!(behind.contains("1 orders were sent since"), "{behind}");
    let state = world.state();
    let journal = state.join("orders.journal");
    let lines = std::fs::read(&journal).unwrap();
    world.stop();

    std::fs::write(&journal, "").unwrap();
    assert_eq!(wrong(&world, &[]), (5, vec!["agreement".to_owned()]));
    std::fs::write(&journal, [b"{}\n".as_slice(), &lines].concat()).unwrap();
    assert_eq!(wrong(&world, &[]), (5, vec!["journal".to_owned()]));
    std::fs::write(&journal, &lines).unwrap();
    std::fs::set_permissions(&journal, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::remove_file(state.join("reserve")).unwrap();
    assert_eq!(wrong(&world, &[]), (5, vec!["space".to_owned(), "permissions".to_owned()]));
    std::fs::set_permissions(&journal, std::fs::Permissions::from_mode(0o600)).unwrap();

    put_back_by_hand(&world, &copy);
    assert_eq!(wrong(&world, &[]), (5, vec!["agreement".to_owned(), "space".to_owned()]));
    let mut bytes = std::fs::read(&copy).unwrap();
    let from = bytes.len() / 2;
    bytes.iter_mut().skip(from).take(4096).for_each(|byte| *byte = 0xa5);
    std::fs::write(state.join("simkeeper.db"), &bytes).unwrap();
    let (exit, found) = wrong(&world, &[]);
    let noticed = ["record", "integrity"].iter().any(|check| found.contains(&(*check).to_owned()));
    assert!(exit == 5 && noticed, "{exit} {found:?}");
    std::fs::write(&copy, &bytes).unwrap();
    assert_eq!(wrong(&world, &[copy.to_str().unwrap()]), (5, vec!["copy".to_owned()]));

    lose_record(&world);
    assert_eq!(code(&run(&world, &["verify"])), 6);
    assert_eq!(code(&run(&world, &["verify", "/nowhere/copy.db"])), 6);
}

#[test]
fn a_backup_says_where_it_is_how_large_and_by_which_digest_it_is_known() {
    let mut world = World::new().card("tablet", full, AUTO).start();
    world.until_read_again(1);
    let told = document(&run(&world, &["backup", "--json"]));
    let path = told["path"].as_str().unwrap();
    assert_eq!(told["bytes"], std::fs::metadata(path).unwrap().len());
    let sum = Command::new("sha256sum").arg(path).output().unwrap();
    assert!(String::from_utf8_lossy(&sum.stdout).starts_with(told["sha256"].as_str().unwrap()));
    let said = text(&run(&world, &["backup"]));
    assert!(said.contains("proved") && said.contains("sha256") && said.contains("elsewhere"), "{said}");
}

#[test]
fn damage_that_a_weekly_check_finds_stops_buying_is_told_and_a_restore_ends_it() {
    let mut world = World::new().card("tablet", full, AUTO).card("phone", full, AUTO).start();
    world.until_read_again(2);
    let copy = copy(&world);
    // A row that refers to a card that is not there: SQLite reads such a file without a word.
    let other = rusqlite::Connection::open(world.state().join("simkeeper.db")).unwrap();
    other.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    other.pragma_update(None, "foreign_keys", "OFF").unwrap();
    other.execute("INSERT INTO decision (card, at, verdict, reasons) VALUES (77, 0, 'fine', '[]')", []).unwrap();
    drop(other);
    world.pass(Secs::minutes(30));
    world.until_mail(&["the record is damaged; nothing is bought", "simkeeper verify"]);
    assert_eq!(wrong(&world, &[]), (5, vec!["integrity".to_owned()]));
    world.use_up("tablet");
    world.until_mail(&["tablet", "not renewed", "Damage was found"]);
    // A restart does not forget it, and watching goes on.
    world.pass(Secs::minutes(10));
    world.use_up("phone");
    world.until_mail(&["phone", "not renewed", "Damage was found"]);
    assert_eq!(world.sandbox.orders_taken(), 0);
    world.stop();
    restore(&world, &copy);
    world.begin();
    for card in ["tablet", "phone"] {
        assert_eq!(code(&run(&world, &["resume", card])), 0);
    }
    world.until("both to be bought for", |world| world.sandbox.orders_taken() == 2);
}

#[test]
fn copies_that_are_wanted_daily_and_are_old_are_told() {
    let mut world = World::of(KEYED, 6_000).card("tablet", full, AUTO);
    world.machine.poll = "2h\"\nbackup = \"daily 03:00";
    let mut world = world.start();
    let folder = world.state().join("backups");
    world.until("a copy at three o'clock", |_| std::fs::read_dir(&folder).is_ok_and(|copies| copies.count() > 0));
    world.stop();
    // From now on none can be made: a file is in the folder's place.
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "not a folder").unwrap();
    world.jump(Secs::days(4));
    world.begin();
    world.until_mail(&["copies of the record are old", "simkeeper backup"]);
}
