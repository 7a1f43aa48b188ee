//! That the disk hears of everything: a call that went past it would be a change that no loss of power could take back,
//! and all other tests would prove nothing.

use std::fs::{self, File, OpenOptions};
use std::io::Write;

use powercut::chance::Chance;
use powercut::disk::{Deaf, Disk, Image, RECORD};
use powercut::tally::Tally;
use simkeeper::store::journal::{JOURNAL, OrderJournal};
use simkeeper::store::{Store, meta};

/// How many fates a change is given.
const FATES: u64 = 64;

fn disk() -> Disk {
    let bytes = [("a", "old"), ("b", "old")].map(|(name, text)| (format!("{RECORD}/{name}"), Some(text.into())));
    let folder = (RECORD.to_owned(), None);
    Disk::with(&Image([folder].into_iter().chain(bytes).collect()), Deaf::Honest).unwrap()
}

/// How many of many losses of power leave the record's folder as `is_changed` says.
fn times(disk: &Disk, is_changed: impl Fn(&Image) -> bool) -> usize {
    (0..FATES).filter(|seed| is_changed(&disk.after_cut(&mut Chance::new(*seed), &mut Tally::default()))).count()
}

/// A change that was not synced is there after some losses of power, and after all of them once it was.
fn may_be_lost(change: impl Fn(&Disk), sync: impl Fn(&Disk), is_changed: impl Fn(&Image) -> bool) {
    let disk = disk();
    change(&disk);
    assert!(is_changed(&disk.live().unwrap()), "programs see it");
    let before = times(&disk, &is_changed);
    assert!((1..FATES as usize).contains(&before), "{before} of {FATES} left it before the sync");
    sync(&disk);
    assert_eq!(times(&disk, &is_changed), FATES as usize, "after the sync");
}

fn sync(name: &'static str) -> impl Fn(&Disk) {
    move |disk| File::open(disk.record().join(name)).and_then(|file| file.sync_all()).unwrap()
}

fn sync_folder(disk: &Disk) {
    File::open(disk.record()).and_then(|folder| folder.sync_all()).unwrap();
}

#[test]
fn every_kind_of_call_comes_by_here() {
    let is = |name: &'static str, text: &'static str| move |image: &Image| image.file(name) == Some(text.as_bytes());
    let write = |disk: &Disk| fs::write(disk.record().join("a"), "new").unwrap();
    may_be_lost(write, sync("a"), is("a", "new"));
    let append = |disk: &Disk| {
        let mut file = OpenOptions::new().append(true).open(disk.record().join("a")).unwrap();
        file.write_all(b"er").unwrap();
    };
    may_be_lost(append, sync("a"), is("a", "older"));
    let cut = |disk: &Disk| {
        OpenOptions::new().write(true).open(disk.record().join("a")).and_then(|file| file.set_len(1)).unwrap();
    };
    may_be_lost(cut, sync("a"), is("a", "o"));
    let data = |disk: &Disk| File::open(disk.record().join("a")).and_then(|file| file.sync_data()).unwrap();
    may_be_lost(write, data, is("a", "new"));
    let make = |disk: &Disk| drop(File::create(disk.record().join("c")).unwrap());
    may_be_lost(make, sync_folder, is("c", ""));
    let rename = |disk: &Disk| fs::rename(disk.record().join("a"), disk.record().join("c")).unwrap();
    may_be_lost(rename, sync_folder, |image| image.file("c").is_some() && image.file("a").is_none());
    let replace = |disk: &Disk| fs::rename(disk.record().join("a"), disk.record().join("b")).unwrap();
    may_be_lost(replace, sync_folder, |image| image.file("a").is_none());
    let link = |disk: &Disk| fs::hard_link(disk.record().join("a"), disk.record().join("c")).unwrap();
    may_be_lost(link, sync_folder, is("c", "old"));
    let remove = |disk: &Disk| fs::remove_file(disk.record().join("a")).unwrap();
    may_be_lost(remove, sync_folder, |image| image.file("a").is_none());
    let folder = |disk: &Disk| fs::create_dir(disk.record().join("d")).unwrap();
    may_be_lost(folder, sync_folder, |image| image.0.contains_key("record/d"));
}

#[test]
fn nothing_happens_without_power() {
    let disk = disk();
    let mut open = OpenOptions::new().append(true).open(disk.record().join("a")).unwrap();
    disk.turn_off();
    assert!(open.write_all(b"x").is_err());
    assert!(open.sync_all().is_err());
    assert!(fs::write(disk.record().join("c"), "x").is_err());
    assert!(fs::rename(disk.record().join("a"), disk.record().join("c")).is_err());
    assert!(fs::remove_file(disk.record().join("a")).is_err());
    assert!(fs::create_dir(disk.record().join("d")).is_err());
    assert!(fs::read(disk.record().join("a")).is_err());
    let is_as_before = |image: &Image| image.file("a") == Some(b"old") && image.0.len() == 3;
    assert_eq!(times(&disk, is_as_before), FATES as usize);
}

#[test]
fn a_commit_and_a_journal_line_are_one_sync_each() {
    let disk = Disk::with(&Image([(RECORD.to_owned(), None)].into()), Deaf::Honest).unwrap();
    let now = powercut::world::BEGINNING;
    let store = Store::open(&disk.record(), now).unwrap();
    for hour in 1..5 {
        let before = disk.syncs();
        let later = now.plus(simkeeper::domain::time::Secs::hours(hour));
        store.write_blocking(move |conn| meta::seen(conn, later)).unwrap();
        assert_eq!(disk.syncs() - before, 1, "a commit");
    }
    let before = disk.syncs();
    let mut journal = OrderJournal::open(&disk.record().join(JOURNAL)).unwrap();
    assert_eq!(disk.syncs() - before, 2, "a new journal: the file, and its name");
    for _ in 0..3 {
        let before = disk.syncs();
        journal.append(&powercut::a_line(journal.next_sequence(), 1)).unwrap();
        assert_eq!(disk.syncs() - before, 1, "a line");
    }
    store.close_blocking();
}
