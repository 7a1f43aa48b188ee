//! Files that were deleted, exchanged or damaged while the daemon was away. Each is noticed: the start is refused with a
//! word on what to do, or the daemon watches and buys nothing until the cards are confirmed. Nothing is bought twice.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::json;

use crate::world::files::AUTO;
use crate::world::record::Record;
use crate::world::{World, low};

/// The pages of a record, in bytes.
const PAGE_BYTES: u64 = 4096;

/// A card that was renewed once, and a daemon that is away: after a stop in good order, or killed.
fn renewed_once(killed: bool) -> World {
    let mut world = World::new().card("tablet", low, AUTO).start();
    world.until_bought("tablet", 1);
    world.until_mail(&["tablet"]);
    if killed {
        world.kill();
    } else {
        world.stop();
    }
    world
}

fn database(world: &World) -> PathBuf {
    world.state().join("simkeeper.db")
}

fn journal(world: &World) -> PathBuf {
    world.state().join("orders.journal")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

/// The start is refused in these words, and nothing was bought.
pub(crate) fn refused(world: &mut World, words: &[&str]) {
    world.launch();
    let ended = world.keeper().ended();
    assert!(ended.code().is_some_and(|code| code != 0), "{ended}\n{}", world.state_of_affairs());
    let log = world.log();
    assert!(words.iter().all(|word| log.contains(word)), "it does not say {words:?}\n{log}");
    assert_eq!(world.orders("tablet").len(), 1);
}

/// The daemon watches; although the card needs it, nothing is bought, and whoever asks is told why.
pub(crate) fn only_watches(world: &mut World) {
    world.begin();
    world.use_up("tablet");
    world.until_read_again(4);
    assert_eq!(world.orders("tablet").len(), 1, "it bought\n{}", world.state_of_affairs());
    assert_eq!(world.record().unwrap().quarantined(), 1, "{}", world.state_of_affairs());
}

/// A person looks, settles what is asked, and lets the card go on; then its second need is met, once.
pub(crate) fn goes_on_after_a_person_has_looked(world: &mut World) {
    while let Some(asked) = world.attempts("tablet").into_iter().find(|attempt| attempt.state == "human") {
        world.settle_by_the_book(&asked);
        world.until("the answer to be kept", |world| {
            !world.attempts("tablet").iter().any(|attempt| attempt.id == asked.id && attempt.state == "human")
        });
    }
    world.told(&json!({ "do": "resume", "card": "tablet" }));
    world.until("the second need to be met", |world| world.orders("tablet").len() == 2);
    world.until("the effect to be seen", |world| {
        world.attempts("tablet").last().is_some_and(|attempt| attempt.state == "done")
    });
    world.stop();
    // A start later nothing of it is left to be found again.
    world.begin();
    world.until_read_again(2);
    assert_eq!(world.record().unwrap().quarantined(), 0, "{}", world.state_of_affairs());
    assert_eq!(world.orders("tablet").len(), 2);
}

#[test]
fn a_deleted_record_is_noticed_by_the_journal() {
    let mut world = renewed_once(false);
    fs::remove_file(database(&world)).unwrap();
    only_watches(&mut world);
    // What only the journal knew was a question, until the operator's own record answered it.
    assert_eq!(world.told_of("tablet", "asked"), 1, "{}", world.state_of_affairs());
    goes_on_after_a_person_has_looked(&mut world);
}

#[test]
fn an_older_record_in_its_place_is_noticed_by_the_journal() {
    let mut world = World::new().card("tablet", crate::world::full, AUTO).start();
    world.until_read_again(1);
    world.stop();
    let older = world.folder().join("older.db");
    fs::copy(database(&world), &older).unwrap();
    world.begin();
    world.use_up("tablet");
    world.until_bought("tablet", 1);
    world.stop();
    fs::copy(&older, database(&world)).unwrap();
    only_watches(&mut world);
    goes_on_after_a_person_has_looked(&mut world);
}

#[test]
fn the_record_of_another_installation_is_noticed_by_the_journal() {
    let other = renewed_once(false);
    let mut world = renewed_once(false);
    fs::copy(database(&other), database(&world)).unwrap();
    only_watches(&mut world);
}

#[test]
fn the_record_of_a_newer_program_is_refused_with_the_way_back() {
    let mut world = renewed_once(false);
    Connection::open(database(&world)).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    refused(&mut world, &["made by a newer simkeeper", "install it again"]);
    let copy = world.state().join("backups/before-upgrade-from-schema-14.db");
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    fs::copy(database(&world), &copy).unwrap();
    refused(&mut world, &[copy.to_str().unwrap()]);
}

/// What the log held is gone: the record has become an older one.
fn log_damaged(harm: impl Fn(&Path)) {
    let mut world = renewed_once(true);
    let log = beside(&database(&world), "-wal");
    assert!(fs::metadata(&log).unwrap().len() > PAGE_BYTES, "there is nothing in the log");
    harm(&log);
    // The index of the log belongs to the log that was.
    only_watches(&mut world);
    goes_on_after_a_person_has_looked(&mut world);
}

#[test]
fn a_deleted_log_is_noticed_by_the_journal() {
    log_damaged(|log| fs::remove_file(log).unwrap());
}

#[test]
fn a_log_with_a_damaged_head_is_noticed_by_the_journal() {
    log_damaged(|log| flip(log, 16));
}

#[test]
fn a_log_with_a_damaged_page_is_noticed_by_the_journal() {
    // Behind the head (32 bytes) and the first frame's own (24).
    log_damaged(|log| flip(log, 32 + 24 + 100));
}

fn flip(file: &Path, at: u64) {
    let file = fs::OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x55], at).unwrap();
}

#[test]
fn a_damaged_page_anywhere_is_found_or_changes_nothing_about_orders() {
    let world = renewed_once(false);
    let (whole, key) = (fs::read(database(&world)).unwrap(), world.orders("tablet")[0].key.clone());
    let pages = whole.len() as u64 / PAGE_BYTES;
    let (mut found, mut harmless) = (0, 0);
    for page in 0..pages {
        // Its kind, its cells' count, and the bytes of what it holds, at which the last cells begin.
        for at in [if page == 0 { 100 } else { 0 }, 4, PAGE_BYTES - 7] {
            // One folder each: a program that another test starts just now holds the lock of the one before for a moment.
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("simkeeper.db");
            fs::write(&path, &whole).unwrap();
            flip(&path, page * PAGE_BYTES + at);
            match simkeeper::store::Store::open(folder.path(), world.now()) {
                Err(error) => {
                    let said = error.to_string();
                    assert!(said.contains("simkeeper.db") || said.contains("database"), "page {page} at {at}: {said}");
                    found += 1;
                }
                Ok(store) => {
                    store.close_blocking();
                    // Known as bought, or not known at all, which the journal tells; never known as not bought.
                    let state = Record::open(folder.path()).map(|record| record.attempts());
                    for attempt in state.unwrap_or_default() {
                        let sound = attempt.key.as_deref() != Some(&key) || attempt.state == "done";
                        assert!(sound, "page {page} at {at}: {attempt:?}");
                    }
                    harmless += 1;
                }
            }
        }
    }
    println!("{pages} pages: {found} damages found at the start, {harmless} in bytes that hold nothing or a word");
    assert!(found >= pages, "only {found} of {pages} pages are looked at");
}

#[test]
fn a_damaged_record_is_a_refused_start_that_says_what_to_do() {
    let mut world = renewed_once(false);
    // Each page's kind; a page without a kind is no page.
    let pages = fs::metadata(database(&world)).unwrap().len() / PAGE_BYTES;
    let whole = fs::read(database(&world)).unwrap();
    for page in [1, pages / 2, pages - 1] {
        fs::write(database(&world), &whole).unwrap();
        flip(&database(&world), page * PAGE_BYTES);
        refused(&mut world, &["simkeeper.db", "is damaged", "backups"]);
    }
    fs::write(database(&world), "a letter to my aunt, of more than sixteen bytes").unwrap();
    refused(&mut world, &["is not a database"]);
    fs::write(database(&world), &whole).unwrap();
    world.begin();
    world.use_up("tablet");
    world.until_bought("tablet", 2);
    assert_eq!(world.orders("tablet").len(), 2);
}

#[test]
fn a_record_that_is_taken_away_under_the_daemon_buys_nothing_more() {
    let mut world = World::new().card("tablet", crate::world::full, AUTO).start();
    world.until_read_again(1);
    for ending in ["", "-wal", "-shm"] {
        fs::remove_file(beside(&database(&world), ending)).unwrap();
    }
    world.use_up("tablet");
    let ended = world.keeper().ended();
    assert!(ended.code().is_some_and(|code| code != 0), "{ended}\n{}", world.log());
    assert!(world.orders("tablet").is_empty(), "it bought\n{}", world.state_of_affairs());
    world.begin();
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn a_journal_that_is_taken_away_under_the_daemon_takes_no_order() {
    let mut world = World::new().card("tablet", crate::world::full, AUTO).start();
    world.until_read_again(1);
    fs::remove_file(journal(&world)).unwrap();
    world.use_up("tablet");
    let ended = world.keeper().ended();
    assert!(ended.code().is_some_and(|code| code != 0), "{ended}\n{}", world.log());
    assert!(world.log().contains("orders.journal"), "{}", world.log());
    assert!(world.orders("tablet").is_empty(), "it bought\n{}", world.state_of_affairs());
    world.begin();
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn a_second_daemon_and_a_command_beside_it_are_told_who_is_at_work() {
    use crate::world::keeper::program;

    let mut world = World::new().card("tablet", low, AUTO).start();
    let (state, config) = (world.state(), world.folder().to_owned());
    let clock = world.clock().words();
    let mut second = program(&["run", "--clock", &clock]);
    second.arg("--config").arg(&config).arg("--state").arg(&state);
    let said = second.output().unwrap();
    assert_eq!(said.status.code(), Some(7), "{said:?}");
    assert!(String::from_utf8_lossy(&said.stderr).contains("another simkeeper (pid "), "{said:?}");
    // A command goes through the daemon, and both of their writings are kept.
    let mut pause = program(&["pause", "tablet"]);
    let said = pause.arg("--config").arg(&config).arg("--state").arg(&state).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    let mut resume = program(&["resume", "tablet"]);
    let said = resume.arg("--config").arg(&config).arg("--state").arg(&state).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
}
