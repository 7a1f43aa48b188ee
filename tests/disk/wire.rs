//! The order on the wire: the intent is on disk before its line in the journal, the line before the first byte of the
//! request, and the outcome before anybody is told. Seen from outside, in what the daemon asks of disk and network.

use crate::trouble::{Asked, Trouble};
use crate::world::files::AUTO;
use crate::world::{CLASSES, World, low};

/// The place of the first that is so, from a place on.
fn first(asked: &[Asked], from: usize, what: &str, is_so: impl Fn(&Asked) -> bool) -> usize {
    let found = asked[from..].iter().position(is_so);
    from + found.unwrap_or_else(|| panic!("{what} was never seen"))
}

#[test]
fn intent_and_journal_line_are_on_disk_before_the_first_byte_of_an_order_leaves() {
    for class in CLASSES {
        let mut world = World::of(class, 300).card("tablet", low, AUTO);
        world.write_files();
        let trouble = Trouble::of(&mut world);
        world.begin();
        world.until_bought("tablet", 1);
        world.stop();
        let key = world.orders("tablet").pop().expect("an order").key;
        let asked = trouble.asked();

        let leaves = first(&asked, 0, "the order", |asked| asked.path.starts_with("socket:") && asked.holds(&key));
        let writes = |path: &'static str| move |asked: &Asked| asked.path.ends_with(path) && asked.call == "write";
        let (record, journal) = (writes("simkeeper.db-wal"), writes("orders.journal"));
        let intent = first(&asked, 0, "the intent", |asked| record(asked) && asked.holds(&key));
        let intent_synced =
            first(&asked, intent, "the sync of the intent", |asked| asked.is_sync_of("simkeeper.db-wal"));
        let line = first(&asked, 0, "the line", |asked| journal(asked) && asked.holds(&key));
        let line_synced = first(&asked, line, "the sync of the line", |asked| asked.is_sync_of("orders.journal"));
        let steps = [intent, intent_synced, line, line_synced, leaves];
        assert!(steps.is_sorted(), "{class:?}: intent, its sync, line, its sync, order: {steps:?}");
        // Whatever was written into either before the order left is on disk by then.
        for (path, wrote) in [("simkeeper.db-wal", &record as &dyn Fn(&Asked) -> bool), ("orders.journal", &journal)] {
            let last = asked[..leaves].iter().rposition(|asked| wrote(asked) && asked.holds(&key)).expect("written");
            let synced = first(&asked, last, "a sync", |asked| asked.is_sync_of(path));
            assert!(synced < leaves, "{class:?}: {path} is written at {last}, synced at {synced}, sent at {leaves}");
        }
        // A journal that is new has its name on disk, too.
        let made =
            first(&asked, 0, "the journal", |asked| asked.call == "open" && asked.path.ends_with("orders.journal"));
        let named = first(&asked, made, "the sync of the folder", |asked| asked.is_sync_of("/state"));
        assert!(named < leaves, "{class:?}: the journal's name is synced at {named}, the order leaves at {leaves}");
    }
}

#[test]
fn the_outcome_is_on_disk_before_anybody_is_told_of_it() {
    let mut world = World::new().card("tablet", low, AUTO);
    world.write_files();
    let trouble = Trouble::of(&mut world);
    world.begin();
    world.until_bought("tablet", 1);
    let mail = world.until_mail(&["tablet"]);
    world.stop();
    let asked = trouble.asked();
    // A notice is in the transaction of its cause, so what holds its id holds the outcome.
    let recorded = first(&asked, 0, "the notice", |asked| {
        asked.call == "write" && asked.path.ends_with("simkeeper.db-wal") && asked.holds(&mail.id)
    });
    let synced = first(&asked, recorded, "its sync", |asked| asked.is_sync_of("simkeeper.db-wal"));
    let told = first(&asked, 0, "the mail", |asked| asked.path.contains("/mail/") && asked.holds(&mail.id));
    assert!(synced < told, "recorded at {recorded}, synced at {synced}, told at {told}");
}
