//! The journal of orders after somebody was at it: cut, doubled, damaged, exchanged, gone. What is left of a last line is
//! no harm. Anything else closes the way to buying until a person has looked; cards are read all the while.

use std::fs;

use crate::damage::{goes_on_after_a_person_has_looked, only_watches};
use crate::world::files::AUTO;
use crate::world::{World, low};

/// A card that was renewed `times`, and what is then in the journal, changed.
fn renewed_and_changed(times: usize, change: impl FnOnce(&str) -> Option<String>) -> World {
    let mut world = World::new().card("tablet", low, AUTO).start();
    for time in 1..=times {
        if time > 1 {
            world.use_up("tablet");
        }
        world.until_bought("tablet", time);
    }
    world.stop();
    let path = world.state().join("orders.journal");
    let lines = fs::read_to_string(&path).unwrap();
    assert_eq!(lines.lines().count(), times, "{lines}");
    match change(&lines) {
        Some(changed) => fs::write(&path, changed).unwrap(),
        None => fs::remove_file(&path).unwrap(),
    }
    world
}

/// The daemon watches, says what is wrong, keeps the file where it is a person's business, and buys once it may.
fn closes_the_way(mut world: World, words: &[&str]) -> World {
    only_watches(&mut world);
    world.until_mail(&["journal of orders", "simkeeper resume"]);
    let log = world.log();
    assert!(words.iter().all(|word| log.contains(word)), "it does not say {words:?}\n{log}");
    world.stop();
    // Another start changes nothing: it takes a person.
    world.begin();
    world.until_read_again(2);
    assert_eq!(world.orders("tablet").len(), 1, "it bought\n{}", world.state_of_affairs());
    assert_eq!(world.record().unwrap().quarantined(), 1, "{}", world.state_of_affairs());
    goes_on_after_a_person_has_looked(&mut world);
    world
}

const LOST: &str = "the journal of orders is damaged or missing";
const KEPT: &str = "the damaged journal of orders is kept under this name";

#[test]
fn a_journal_that_is_gone_is_noticed_by_the_record() {
    closes_the_way(renewed_and_changed(1, |_| None), &[LOST, "simkeeper resume"]);
}

#[test]
fn a_journal_that_was_cut_is_noticed_by_the_record() {
    closes_the_way(renewed_and_changed(1, |_| Some(String::new())), &[LOST]);
}

#[test]
fn a_line_with_a_bad_sum_before_the_last_closes_the_way_and_the_file_is_kept() {
    let change = |lines: &str| Some(lines.replacen("\"plan\"", "\"plum\"", 1) + "{\"sequence\":2");
    let world = closes_the_way(renewed_and_changed(1, change), &[LOST, KEPT]);
    let kept = fs::read_dir(world.state())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("orders.journal.damaged-"));
    assert_eq!(kept.count(), 1);
}

#[test]
fn a_last_line_with_a_bad_sum_whose_order_left_is_noticed_by_the_record() {
    closes_the_way(renewed_and_changed(1, |lines| Some(lines.replacen("\"plan\"", "\"plum\"", 1))), &[LOST]);
}

#[test]
fn what_is_left_of_a_last_line_is_no_harm() {
    let change = |lines: &str| Some(lines.to_owned() + "{\"sequence\":2,\"attempt\":2,\"ca");
    let mut world = renewed_and_changed(1, change);
    world.begin();
    world.use_up("tablet");
    world.until_bought("tablet", 2);
    assert_eq!(world.orders("tablet").len(), 2);
    let lines = fs::read_to_string(world.state().join("orders.journal")).unwrap();
    assert_eq!(lines.lines().count(), 2, "{lines}");
}

#[test]
fn a_line_that_is_there_twice_is_no_harm() {
    let mut world = renewed_and_changed(1, |lines| Some(lines.repeat(2)));
    world.begin();
    world.use_up("tablet");
    world.until_bought("tablet", 2);
    assert_eq!(world.orders("tablet").len(), 2);
}

#[test]
fn a_line_that_was_taken_out_closes_the_way() {
    // The second of three; nobody knows what else is gone.
    let change = |lines: &str| {
        let lines: Vec<&str> = lines.split_inclusive('\n').collect();
        Some([lines[0], lines[2]].concat())
    };
    let mut world = renewed_and_changed(3, change);
    world.begin();
    world.use_up("tablet");
    world.until_read_again(4);
    assert_eq!(world.orders("tablet").len(), 3, "it bought\n{}", world.state_of_affairs());
    assert!(world.log().contains(LOST) && world.log().contains(KEPT), "{}", world.log());
}

#[test]
fn the_journal_of_another_installation_closes_the_way() {
    let other = renewed_and_changed(2, |lines| Some(lines.to_owned()));
    let theirs = fs::read_to_string(other.state().join("orders.journal")).unwrap();
    let mut world = renewed_and_changed(1, |_| Some(theirs));
    world.begin();
    world.use_up("tablet");
    world.until_read_again(4);
    assert_eq!(world.orders("tablet").len(), 1, "it bought\n{}", world.state_of_affairs());
    assert!(world.log().contains(LOST), "{}", world.log());
}
