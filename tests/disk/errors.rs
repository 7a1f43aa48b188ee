//! Errors of the disk at every kind of call: after one of reading, writing or syncing the process says so and ends, buys
//! nothing and touches the file no more; the next one checks the record and goes on. No room is no error of the disk.

use crate::trouble::{Asked, Trouble};
use crate::world::files::AUTO;
use crate::world::{World, full};

/// A card that needs nothing yet, and a disk in front of the daemon's.
fn world() -> (World, Trouble) {
    let mut world = World::new().card("tablet", full, AUTO);
    world.write_files();
    let trouble = Trouble::of(&mut world);
    world.begin();
    world.until_read_again(1);
    (world, trouble)
}

/// The process has ended by itself, and not as if all were well.
fn ends(world: &mut World, words: &[&str]) {
    let ended = world.keeper().ended();
    assert!(ended.code().is_some_and(|code| code != 0), "{ended}\n{}", world.state_of_affairs());
    let log = world.log();
    assert!(words.iter().all(|word| log.contains(word)), "it does not say {words:?}\n{log}");
}

/// A new process on a disk that works buys what is needed, once.
fn goes_on(world: &mut World, trouble: &Trouble) {
    trouble.ends();
    world.begin();
    world.until_bought("tablet", 1);
    world.stop();
    assert_eq!(world.orders("tablet").len(), 1);
    assert_eq!(world.record().unwrap().damage(), Vec::<String>::new());
}

/// After the first error nothing of the file is written or synced.
fn left_alone(asked: &[Asked], path: &str) {
    let is_write = |asked: &Asked| asked.path.contains(path) && (asked.call == "write" || asked.call.ends_with("sync"));
    let failed = asked.iter().position(|asked| is_write(asked) && asked.error != 0).expect("an error");
    let after: Vec<&Asked> = asked[failed + 1..].iter().filter(|asked| is_write(asked)).collect();
    assert!(after.is_empty(), "{after:?}");
}

fn record_fails(rule: &str) {
    let (mut world, trouble) = world();
    trouble.begins(&[rule]);
    world.use_up("tablet");
    ends(&mut world, &["the record can no longer be written", "it ends"]);
    assert!(world.orders("tablet").is_empty(), "{rule}: it bought\n{}", world.state_of_affairs());
    left_alone(&trouble.asked(), "simkeeper.db");
    goes_on(&mut world, &trouble);
}

#[test]
fn a_failed_sync_of_the_record_ends_the_process_and_nothing_is_synced_again() {
    record_fails("sync simkeeper.db-wal EIO 1 0");
}

#[test]
fn a_failed_write_of_the_record_ends_the_process_and_nothing_is_written_again() {
    record_fails("write simkeeper.db-wal EIO 1 0");
}

/// The error comes once: the kernel forgets it, and a second sync would be told that all is well.
#[test]
fn an_error_of_the_disk_that_comes_once_ends_the_process_too() {
    record_fails("sync simkeeper.db-wal EIO 1 1");
}

#[test]
fn a_record_that_cannot_be_read_ends_the_process_before_anything_is_bought() {
    let (mut world, trouble) = world();
    world.kill();
    trouble.begins(&["read simkeeper.db-wal EIO 1 0", "read simkeeper.db EIO 1 0"]);
    world.launch();
    ends(&mut world, &["simkeeper.db"]);
    world.use_up("tablet");
    assert!(world.orders("tablet").is_empty());
    goes_on(&mut world, &trouble);
}

#[test]
fn a_log_that_cannot_be_emptied_into_the_record_ends_the_process() {
    let (mut world, trouble) = world();
    // Each reading makes the log longer; from 8 MiB on it is emptied, which syncs the record itself.
    trouble.begins(&["sync simkeeper.db EIO 1 0"]);
    let filled = fill_log(&mut world);
    ends(&mut world, &["the record can no longer be written"]);
    assert!(filled, "{}", world.log());
    left_alone(&trouble.asked(), "simkeeper.db");
    world.use_up("tablet");
    goes_on(&mut world, &trouble);
}

/// Has the daemon write until it ends; says whether it did.
fn fill_log(world: &mut World) -> bool {
    use serde_json::json;

    for place in 0..60 {
        let card = |card: usize| json!({ "name": format!("c{place}-{card}"), "operator": "try", "msisdn": format!("+4915{place:03}{card:06}") });
        let cards: Vec<_> = (0..1_000).map(card).collect();
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            world.ask(&json!({ "do": "add_cards", "cards": cards }))
        }));
        if asked.is_err() || !world.keeper().is_running() {
            return true;
        }
    }
    false
}

/// The journal's error comes when the intent is on record and before anything has left.
fn journal_fails(rule: &str) {
    let (mut world, trouble) = world();
    trouble.begins(&[rule]);
    world.use_up("tablet");
    ends(&mut world, &["orders.journal", "it ends"]);
    assert!(world.orders("tablet").is_empty(), "{rule}: it bought\n{}", world.state_of_affairs());
    left_alone(&trouble.asked(), "orders.journal");
    goes_on(&mut world, &trouble);
}

#[test]
fn a_failed_sync_of_the_journal_ends_the_process_and_nothing_leaves() {
    journal_fails("sync orders.journal EIO 1 1");
}

#[test]
fn a_failed_write_of_the_journal_ends_the_process_and_nothing_leaves() {
    journal_fails("write orders.journal EIO 1 1");
}

#[test]
fn a_disk_that_has_become_read_only_ends_the_process_and_nothing_leaves() {
    journal_fails("write orders.journal EROFS 1 0");
}

#[test]
fn a_journal_without_room_for_a_line_stops_the_order_and_not_the_daemon() {
    let (mut world, trouble) = world();
    trouble.begins(&["write orders.journal ENOSPC 1 0"]);
    world.use_up("tablet");
    world.until("the order to be held back", |world| world.log().contains("the disk is full"));
    world.until_read_again(3);
    assert!(world.orders("tablet").is_empty(), "it bought\n{}", world.state_of_affairs());
    trouble.ends();
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn a_record_without_room_stops_buying_and_goes_on_by_itself() {
    let (mut world, trouble) = world();
    trouble.begins(&["write simkeeper.db-wal ENOSPC 1 0"]);
    world.use_up("tablet");
    world.until("the disk to be found full", |world| world.log().contains("the disk is full"));
    world.until_read_again(2);
    assert!(world.orders("tablet").is_empty(), "it bought\n{}", world.state_of_affairs());
    trouble.ends();
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn a_copy_that_cannot_be_kept_leaves_no_half_copy_and_the_record_alone() {
    let (mut world, trouble) = world();
    for rule in ["rename .db EIO 1 0", "write .part ENOSPC 1 0"] {
        trouble.begins(&[rule]);
        let reply = world.ask(&serde_json::json!({ "do": "backup" }));
        assert_eq!(reply["answer"], "refused", "{rule}: {reply}");
        let copies = std::fs::read_dir(world.state().join("backups")).unwrap().map(|entry| entry.unwrap().path());
        let whole: Vec<_> = copies.filter(|path| path.extension().is_some_and(|ending| ending == "db")).collect();
        assert!(whole.is_empty(), "{rule}: {whole:?}");
        assert!(world.keeper().is_running(), "{rule}\n{}", world.log());
    }
    trouble.ends();
    assert_eq!(world.ask(&serde_json::json!({ "do": "backup" }))["answer"], "copied");
    world.use_up("tablet");
    world.until_bought("tablet", 1);
}

#[test]
fn a_record_or_journal_that_cannot_be_opened_is_a_start_that_fails_loudly() {
    let (mut world, trouble) = world();
    world.stop();
    for rule in ["open simkeeper.db EIO 1 0", "open orders.journal EIO 1 0", "open simkeeper.lock EIO 1 0"] {
        trouble.begins(&[rule]);
        world.launch();
        let file = rule.split(' ').nth(1).unwrap();
        ends(&mut world, &[file]);
        assert!(world.orders("tablet").is_empty());
    }
    world.use_up("tablet");
    goes_on(&mut world, &trouble);
}

#[test]
fn what_is_left_of_a_line_that_cannot_be_cut_off_is_a_start_that_fails_loudly() {
    let (mut world, trouble) = world();
    world.stop();
    std::fs::write(world.state().join("orders.journal"), "{\"sequence\":1,").unwrap();
    trouble.begins(&["ftruncate orders.journal EIO 1 0"]);
    world.launch();
    ends(&mut world, &["orders.journal"]);
    world.use_up("tablet");
    goes_on(&mut world, &trouble);
}
