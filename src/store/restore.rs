//! A copy in the place of the record: proved first, marked as restored, and put there in one step. The order journal is
//! left alone, and the mark tells the next start that what it opens is the past.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::crash;
use super::error::StoreError;
use super::examine::{self, Examined};
use super::journal::{self, JOURNAL, sync_dir_of};
use super::migrate::Schema;
use super::open::{self, DATABASE};
use super::people::{self, HumanAction};
use super::{backup, meta};
use crate::domain::time::UnixTime;

/// The copy's name in the record's folder until it takes the record's.
const RESTORING: &str = "restoring.db";

/// A restore that was begun: the lock is held, and the copy is proved. Nothing has changed yet.
#[derive(Debug)]
pub struct Restore {
    dir: PathBuf,
    copy: Examined,
    replaced: Option<Replaced>,
    /// Whoever writes the record holds it, so nobody does until this is dropped.
    _lock: File,
}

/// The record that lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// How many attempts it knows and the latest instant it has seen; none if it can no longer be read.
    pub extent: Option<(u64, UnixTime)>,
}

impl Restore {
    /// Takes the lock of the record in `dir` and proves the copy.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while a daemon runs; a refusal that says what is wrong with the copy.
    pub fn begin(copy: &Path, dir: &Path) -> Result<Self, StoreError> {
        open::make_dir(dir)?;
        let lock = open::take_lock(dir)?;
        let copy = examine::examine(copy, &journal::read(&dir.join(JOURNAL))?)?;
        let live = dir.join(DATABASE);
        let replaced = if live.exists() { Some(look_at(&live, &copy)?) } else { None };
        Ok(Self { dir: dir.to_owned(), copy, replaced, _lock: lock })
    }

    /// What will be put in the record's place.
    #[must_use]
    pub const fn copy(&self) -> &Examined {
        &self.copy
    }

    /// What lies there now.
    #[must_use]
    pub const fn replaced(&self) -> Option<Replaced> {
        self.replaced
    }

    /// Puts the copy in place, noted as `by`'s act. The record that was there is kept beside it under the returned name.
    ///
    /// # Errors
    /// What the system says; the old record is still in its place then.
    pub fn finish(self, by: &str, now: UnixTime) -> Result<Option<PathBuf>, StoreError> {
        let incoming = self.dir.join(RESTORING);
        let kept = self.put_in_place(&incoming, by, now);
        if kept.is_err() {
            // On a full disk it would take what room is left. The first error is the one that matters.
            drop(backup::remove(&incoming));
        }
        kept
    }

    fn put_in_place(&self, incoming: &Path, by: &str, now: UnixTime) -> Result<Option<PathBuf>, StoreError> {
        let live = self.dir.join(DATABASE);
        backup::remove(incoming)?;
        backup::make_at(&self.copy.path, incoming)?;
        mark(incoming, &self.copy, by, now)?;
        crash::point("in_restore");
        let kept = set_aside(&live, now)?;
        crash::point("after_set_aside");
        let told = |error: io::Error| StoreError::file("restoring", &live, &error);
        fs::rename(incoming, &live).and_then(|()| sync_dir_of(&live)).map_err(told)?;
        Ok(kept)
    }
}

/// What can be said of the record that is to be replaced. Another installation's is not overwritten: its orders are none
/// of the copy's.
fn look_at(live: &Path, copy: &Examined) -> Result<Replaced, StoreError> {
    let read = || {
        open::check_copy(live, &Schema::current())?;
        let conn = open::bare_reader(live)?;
        Ok::<_, StoreError>((meta::installation(&conn)?.uuid, examine::extent(&conn)?))
    };
    match read() {
        Ok((uuid, _)) if uuid != copy.installation.uuid => {
            Err(StoreError::OtherInstallation { path: copy.path.clone(), live: live.to_owned() })
        }
        Ok((_, extent)) => Ok(Replaced { extent: Some(extent) }),
        // Damage is what restoring is for.
        Err(_) => Ok(Replaced { extent: None }),
    }
}

/// Notes the restore in the copy itself, so that it cannot be forgotten: whoever opens it next finds it.
fn mark(path: &Path, copy: &Examined, by: &str, now: UnixTime) -> Result<(), StoreError> {
    let conn = Connection::open(path)?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    let reason = format!("from {}, a copy of {}", copy.path.display(), copy.installation.known_until());
    let what = people::RESTORE.to_owned();
    people::record(
        &conn,
        &HumanAction { at: now, by: by.to_owned(), what, card: None, attempt: None, reason: Some(reason) },
    )
}

/// Keeps the record under another name, first of all its log: applied to the new one it would be damage. The record
/// itself stays in its place until the new one takes it.
fn set_aside(live: &Path, now: UnixTime) -> Result<Option<PathBuf>, StoreError> {
    if !live.exists() {
        return Ok(None);
    }
    // What is in the log belongs to the record that is set aside.
    if let Ok(conn) = Connection::open(live) {
        let emptied = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        if let Err(error) = emptied {
            tracing::warn!(%error, "the replaced record is kept with its log");
        }
    }
    let named = |number: u32| live.with_extension(format!("replaced-{}-{number}", now.secs()));
    let free = (1..=u32::MAX).map(named).find(|path| !path.exists());
    let aside = free.ok_or_else(|| StoreError::Forbidden { why: "no name is left for the replaced record".into() })?;
    let told = |error: io::Error| StoreError::file("setting aside", live, &error);
    fs::hard_link(live, &aside).map_err(told)?;
    for ending in ["-wal", "-shm"] {
        let with_ending = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
        match fs::rename(with_ending(live), with_ending(&aside)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(told(error)),
        }
    }
    sync_dir_of(live).map_err(told)?;
    Ok(Some(aside))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NOW, name};
    use super::super::{Store, cards};
    use super::*;
    use crate::domain::card::Keeper;

    fn add(store: &Store, label: &str) {
        let card = cards::NewCard::named(name(label), name("x"), Keeper::Command);
        store.write_blocking(move |conn| cards::insert(conn, &card, NOW)).unwrap();
    }

    fn names(dir: &Path) -> Vec<String> {
        let store = Store::open_read_only(dir).unwrap();
        let all = store.read_blocking(cards::all).unwrap();
        all.into_iter().map(|card| card.name.to_string()).collect()
    }

    fn restore(copy: &Path, dir: &Path) -> Result<Option<PathBuf>, StoreError> {
        Restore::begin(copy, dir)?.finish("anna", NOW)
    }

    /// A record with card `a`, its copy, and then card `b`.
    fn record_and_copy() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), NOW).unwrap();
        add(&store, "a");
        let copy = backup::make(dir.path(), NOW, 14).unwrap().path;
        add(&store, "b");
        assert!(matches!(restore(&copy, dir.path()), Err(StoreError::Locked { .. })));
        store.close_blocking();
        assert_eq!(names(dir.path()), ["a", "b"]);
        (dir, copy)
    }

    #[test]
    fn a_copy_takes_the_records_place_and_says_that_it_did() {
        let (dir, copy) = record_and_copy();
        let begun = Restore::begin(&copy, dir.path()).unwrap();
        assert_eq!((begun.copy().cards, begun.replaced().unwrap().extent), (1, Some((0, NOW))));
        let replaced = begun.finish("anna", NOW).unwrap().unwrap();
        assert!(replaced.exists());
        assert_eq!(names(dir.path()), ["a"]);
        let store = Store::open(dir.path(), NOW).unwrap();
        let act = store.read_blocking(people::last_about_record).unwrap().unwrap();
        assert_eq!((act.what.as_str(), act.by.as_str()), (people::RESTORE, "anna"));
        add(&store, "c");
        store.close_blocking();
        assert_eq!(names(dir.path()), ["a", "c"]);
        // The way back: the record that was replaced is whole, and can be restored itself.
        restore(&replaced, dir.path()).unwrap();
        assert_eq!(names(dir.path()), ["a", "b"]);
    }

    #[test]
    fn a_damaged_copy_is_refused_and_nothing_changes() {
        let (dir, copy) = record_and_copy();
        let whole = fs::read(&copy).unwrap();
        let mut bytes = whole.clone();
        bytes.iter_mut().skip(4096).take(8192).for_each(|byte| *byte = 0x55);
        for broken in [bytes, whole[..whole.len() / 2].to_vec(), b"a letter".to_vec(), Vec::new()] {
            fs::write(&copy, broken).unwrap();
            assert!(restore(&copy, dir.path()).is_err());
            assert_eq!(names(dir.path()), ["a", "b"]);
        }
        assert!(matches!(restore(&dir.path().join("none.db"), dir.path()), Err(StoreError::NoCopy { .. })));
    }

    #[test]
    fn another_installations_copy_does_not_replace_this_record() {
        let (dir, _) = record_and_copy();
        let (_other, theirs) = record_and_copy();
        assert!(matches!(restore(&theirs, dir.path()), Err(StoreError::OtherInstallation { .. })));
        assert_eq!(names(dir.path()), ["a", "b"]);
        // Where no record is in the way, it may.
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(restore(&theirs, empty.path()).unwrap(), None);
        assert_eq!(names(empty.path()), ["a"]);
    }

    #[test]
    fn a_record_that_is_damaged_itself_can_be_replaced() {
        let (dir, copy) = record_and_copy();
        fs::write(dir.path().join(DATABASE), "scribbled over").unwrap();
        fs::write(dir.path().join("simkeeper.db-wal"), "the log of the record that was there").unwrap();
        let replaced = restore(&copy, dir.path()).unwrap().unwrap();
        assert_eq!(fs::read_to_string(&replaced).unwrap(), "scribbled over");
        assert!(!dir.path().join("simkeeper.db-wal").exists(), "an old log is never applied to the new record");
        assert_eq!(names(dir.path()), ["a"]);
    }
}
