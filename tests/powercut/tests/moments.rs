//! Power that goes in moments that come once, at each of their syncs in turn: while a record is made, brought up to date,
//! or replaced by a backup; and the order journal by itself.

use powercut::cases;
use powercut::chance::Chance;
use powercut::disk::Deaf;
use powercut::tally::{Phase, Tally};

/// Before this was mended, power that went at the fifth sync could leave a file whose first bytes were no database's,
/// beside the journal from which SQLite makes it whole, and no start got past it. Power that went after the folder was
/// made took the folder, with everything that was synced in it.
#[test]
fn a_record_that_was_being_made_opens() {
    let mut tally = Tally::default();
    cases::first_life(3, 12, 45, &mut tally).unwrap();
    assert!(tally.cuts_in(Phase::Making) > 300, "{tally}");
}

#[test]
fn every_sync_of_a_first_life_may_be_the_last() {
    let mut tally = Tally::default();
    cases::first_life(11, 60, 3, &mut tally).unwrap();
    assert!(tally.cuts_in(Phase::Committing) > 50, "{tally}");
}

#[test]
fn an_upgrade_leaves_the_old_record_or_the_new_one_with_every_open_order() {
    let mut tally = Tally::default();
    let syncs = cases::upgrade(30, &mut Chance::new(48), &mut tally).unwrap();
    assert_eq!(tally.cuts_in(Phase::Upgrading), syncs * 30);
}

/// Before this was mended, power that went between two renames left no record at all, and the next start made an empty one.
#[test]
fn a_restore_leaves_the_old_record_or_the_backup() {
    for is_closed in [false, true] {
        let mut tally = Tally::default();
        let syncs = cases::restore(is_closed, 30, &mut Chance::new(36), &mut tally).unwrap();
        assert_eq!(tally.cuts_in(Phase::Restoring), syncs * 30);
    }
}

#[test]
fn a_torn_line_of_the_order_journal_is_its_tail_and_nothing_else() {
    let mut tally = Tally::default();
    for seed in 0..150 {
        let lived = cases::journal_lives(10, Deaf::Honest, &mut Chance::new(seed), &mut tally);
        assert_eq!(lived, Ok(()), "seed {seed}");
    }
    assert!(tally.broken_tails > 20, "{tally}");
}
