//! Copies of the database: made beside the running daemon, checked, synced, and only then given their name.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::crash;
use super::error::StoreError;
use super::journal::{JOURNAL, sync_dir_of};
use super::open::{self, BACKUPS, DATABASE};
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
    /// SHA-256 of its bytes in hexadecimal digits, by which a copy of it elsewhere can be compared.
    pub sha256: String,
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

/// When a backup that is named by time was made.
#[must_use]
pub fn made_at(path: &Path) -> Option<UnixTime> {
    let stamp = path.file_name()?.to_str()?.strip_prefix(PREFIX)?.strip_suffix(".db")?;
    let (day, time) = (stamp.get(..8)?, stamp.get(9..15)?);
    let parts = [day.get(..4)?, day.get(4..6)?, day.get(6..)?, time.get(..2)?, time.get(2..4)?, time.get(4..)?];
    let [year, month, date, hour, minute, second] = parts;
    UnixTime::parse(&format!("{year}-{month}-{date}T{hour}:{minute}:{second}Z")).ok()
}

/// Copies the record in `dir`, which may be at work, into the new folder `to`, where it can be opened. The journal of orders
/// is copied after it: it knows at least what the copy knows.
///
/// # Errors
/// What the system says, or [`StoreError::Damaged`] if the copy fails its check.
pub fn copy_aside(dir: &Path, to: &Path) -> Result<(), StoreError> {
    make_at(&dir.join(DATABASE), &to.join(DATABASE))?;
    let (from, journal) = (dir.join(JOURNAL), to.join(JOURNAL));
    match fs::copy(&from, &journal) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StoreError::file("copying", &from, &error)),
    }
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
    // Read from where it lies: what is told is what a person will find there.
    let sha256 = digest_of(to)?;
    Ok(Backup { path: to.to_owned(), bytes: bytes.len(), sha256 })
}

/// SHA-256 of a file's bytes in hexadecimal digits.
pub(super) fn digest_of(path: &Path) -> Result<String, StoreError> {
    let told = |error: io::Error| StoreError::file("reading", path, &error);
    let mut file = File::open(path).map_err(told)?;
    let (mut digest, mut part) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut part).map_err(told)?;
        if read == 0 {
            return Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        digest.update(part.get(..read).unwrap_or_default());
    }
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

pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
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

    #[test]
    fn a_copy_is_the_owners_alone_and_is_told_by_size_and_digest() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), NOW).unwrap();
        add(&store, "a");
        let backup = make(dir.path(), NOW, 14).unwrap();
        assert!(backup.path.ends_with("backups/simkeeper-20270115T080000Z.db"), "{}", backup.path.display());
        assert_eq!(fs::metadata(&backup.path).unwrap().permissions().mode() & 0o777, 0o600);
        let bytes = fs::read(&backup.path).unwrap();
        assert_eq!(bytes.len() as u64, backup.bytes);
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, backup.sha256);
        assert_eq!(made_at(&backup.path), Some(NOW));
        for odd in ["simkeeper-.db", "simkeeper-2027é115T080000Z.db", "simkeeper-20271315T080000Z.db", "other.db"] {
            assert_eq!(made_at(Path::new(odd)), None, "{odd}");
        }
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
}
