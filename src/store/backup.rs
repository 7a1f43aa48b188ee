//! Copies of the database: made beside the running daemon, checked, synced, and only then given their name.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::crash;
use super::error::StoreError;
use super::journal::sync_dir_of;
use super::migrate::Schema;
use super::open::{self, BACKUPS, DATABASE};
use super::settings;
use crate::domain::time::UnixTime;

/// Beginning of the names that [`make`] gives, and that it removes when there are too many.
const PREFIX: &str = "simkeeper-";

/// A copy that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// Copies the record in `dir` into its `backups` folder, named by `now`, checks the copy, and keeps the newest `keep`
/// of those made so. It blocks for as long as reading and writing take.
///
/// # Errors
/// [`StoreError::Damaged`] if the copy fails its check; it is then removed, and no older one is.
pub fn make(dir: &Path, now: UnixTime, keep: usize) -> Result<Backup, StoreError> {
    let stamp: String = now.to_string().chars().filter(|c| *c != ':' && *c != '-').collect();
    let path = dir.join(BACKUPS).join(format!("{PREFIX}{stamp}.db"));
    let backup = make_at(&dir.join(DATABASE), &path)?;
    for old in list(dir)?.into_iter().skip(keep.max(1)) {
        fs::remove_file(&old).map_err(|error| StoreError::file("removing", &old, &error))?;
    }
    Ok(backup)
}

/// The backups of the record in `dir` that are named by time, newest first.
///
/// # Errors
/// What the system says.
pub fn list(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let folder = dir.join(BACKUPS);
    let told = |error: io::Error| StoreError::file("reading", &folder, &error);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(told(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(told)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(PREFIX) && name.ends_with(".db") {
            found.push(path);
        }
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

/// Copies the database `from` to the new file `to`.
pub(super) fn make_at(from: &Path, to: &Path) -> Result<Backup, StoreError> {
    let folder = to.parent().unwrap_or(Path::new("."));
    open::make_dir(folder)?;
    let temporary = to.with_extension("part");
    remove(&temporary)?;
    open::make_file(&temporary)?;
    let made = copy_and_check(from, &temporary);
    if let Err(error) = made {
        // The first error is the one that matters.
        drop(remove(&temporary));
        return Err(error);
    }
    crash::point("in_backup");
    let told = |error: io::Error| StoreError::file("keeping", to, &error);
    let bytes = File::open(&temporary).and_then(|file| file.sync_all().and_then(|()| file.metadata())).map_err(told)?;
    fs::rename(&temporary, to).and_then(|()| sync_dir_of(to)).map_err(told)?;
    Ok(Backup { path: to.to_owned(), bytes: bytes.len() })
}

fn copy_and_check(from: &Path, to: &Path) -> Result<(), StoreError> {
    let source = open::bare_reader(from)?;
    let target = to.to_str().ok_or_else(|| StoreError::Forbidden { why: "the path is not UTF-8".into() })?;
    source.execute("VACUUM INTO ?1", [target])?;
    drop(source);
    check_whole(to)
}

/// Checks a copy completely: every page, every index, every reference.
///
/// # Errors
/// [`StoreError::Damaged`] with the first finding.
pub fn check_whole(path: &Path) -> Result<(), StoreError> {
    let damaged = |why: String| StoreError::Damaged { path: path.to_owned(), why };
    let conn = open::bare_reader(path)?;
    let answer: String = conn
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if answer != "ok" {
        return Err(damaged(answer));
    }
    let dangling: i64 = conn.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if dangling > 0 {
        return Err(damaged(format!("{dangling} rows refer to rows that are missing")));
    }
    Ok(())
}

/// Puts a backup in the place of the record in `dir`, which nobody may have open. The record that was there is kept
/// beside it under the returned name. The order journal is left alone: it tells the next start that this is the past.
///
/// # Errors
/// A refusal if the backup is damaged or not ours, or [`StoreError::Locked`]; nothing has changed then.
pub fn restore(backup: &Path, dir: &Path, now: UnixTime) -> Result<Option<PathBuf>, StoreError> {
    settings::check_library()?;
    drop(open::open_reader(backup, &Schema::current())?);
    check_whole(backup)?;
    open::make_dir(dir)?;
    let _lock = open::take_lock(dir)?;
    let live = dir.join(DATABASE);
    let incoming = dir.join("restoring.db");
    remove(&incoming)?;
    make_at(backup, &incoming)?;
    crash::point("in_restore");
    let replaced = set_aside(&live, now)?;
    crash::point("after_set_aside");
    let told = |error: io::Error| StoreError::file("restoring", &live, &error);
    fs::rename(&incoming, &live).and_then(|()| sync_dir_of(&live)).map_err(told)?;
    Ok(replaced)
}

/// Renames the record with the files beside it, so that no log of the old one is applied to the new one.
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
    let aside = live.with_extension(format!("replaced-{}", now.secs()));
    for ending in ["", "-wal", "-shm"] {
        let with_ending = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
        match fs::rename(with_ending(live), with_ending(&aside)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::file("setting aside", live, &error)),
        }
    }
    Ok(Some(aside))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StoreError::file("removing", path, &error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::tests::{NOW, name};
    use super::super::{Store, cards};
    use super::*;
    use crate::domain::card::Keeper;
    use crate::domain::time::Secs;

    fn add(store: &Store, label: &str) {
        let card = cards::NewCard::named(name(label), name("x"), Keeper::Command);
        store.write_blocking(move |conn| cards::insert(conn, &card, NOW)).unwrap();
    }

    fn names(dir: &Path) -> Vec<String> {
        let store = Store::open_read_only(dir).unwrap();
        let all = store.read_blocking(cards::all).unwrap();
        all.into_iter().map(|card| card.name.to_string()).collect()
    }

    #[test]
    fn a_backup_of_a_running_record_restores() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), NOW).unwrap();
        add(&store, "a");
        let backup = make(dir.path(), NOW, 14).unwrap();
        assert!(backup.path.ends_with("backups/simkeeper-20270115T080000Z.db"), "{}", backup.path.display());
        assert_eq!(fs::metadata(&backup.path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&backup.path).unwrap().len(), backup.bytes);
        add(&store, "b");
        assert!(matches!(restore(&backup.path, dir.path(), NOW), Err(StoreError::Locked { .. })));
        store.close_blocking();
        assert_eq!(names(dir.path()), ["a", "b"]);
        let replaced = restore(&backup.path, dir.path(), NOW).unwrap().unwrap();
        assert!(replaced.exists());
        assert_eq!(names(dir.path()), ["a"]);
        let store = Store::open(dir.path(), NOW).unwrap();
        add(&store, "c");
        store.close_blocking();
        assert_eq!(names(dir.path()), ["a", "c"]);
    }

    #[test]
    fn the_newest_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        Store::open(dir.path(), NOW).unwrap().close_blocking();
        for day in 0..4 {
            make(dir.path(), NOW.plus(Secs::days(day)), 2).unwrap();
        }
        let kept = list(dir.path()).unwrap();
        assert_eq!(kept.len(), 2);
        assert!(kept[0].ends_with("simkeeper-20270118T080000Z.db"), "{kept:?}");
    }

    #[test]
    fn a_damaged_backup_is_refused_and_nothing_changes() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), NOW).unwrap();
        add(&store, "a");
        store.close_blocking();
        let backup = make(dir.path(), NOW, 1).unwrap().path;
        let mut bytes = fs::read(&backup).unwrap();
        for byte in bytes.iter_mut().skip(4096).take(8192) {
            *byte = 0x55;
        }
        fs::write(&backup, bytes).unwrap();
        assert!(restore(&backup, dir.path(), NOW).is_err());
        assert_eq!(names(dir.path()), ["a"]);
    }
}
