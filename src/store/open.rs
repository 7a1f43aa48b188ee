//! Opening the record: the folder and its lock, the refusals (another program's file, a newer schema, no database at
//! all, a second daemon, damage), and a copy before each change of the schema.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::StoreError;
use super::journal::sync_dir_of;
use super::migrate::{self, Schema};
use super::reserve::free_bytes;
use super::{backup, settings};
use crate::domain::time::UnixTime;

/// The database's name in its folder.
pub(super) const DATABASE: &str = "simkeeper.db";
/// The lock's name; it holds the number of the process that has it.
const LOCK: &str = "simkeeper.lock";
/// The backups' folder beside the database.
pub(super) const BACKUPS: &str = "backups";
/// The first bytes of every SQLite file.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Up to this size a database is checked before it is used; a larger one beside the work, so that starting stays fast.
const CHECKED_AT_START_BYTES: u64 = 32 << 20;

/// What opening a record takes, with room to spare.
const ROOM_TO_OPEN_BYTES: u64 = 128 << 10;

/// What opening yields: the one connection that writes, and the lock that must live as long.
pub(super) struct Opened {
    pub(super) conn: Connection,
    pub(super) lock: File,
    /// Whether the file was too large to be checked at once.
    pub(super) check_due: bool,
}

/// Opens the database in `dir` for writing, makes it if there is none, and brings its schema up to date.
pub(super) fn open(dir: &Path, now: UnixTime, schema: &Schema) -> Result<Opened, StoreError> {
    match try_open(dir, now, schema) {
        // SQLite calls it an error of the disk when there is no room for the index of its log.
        Err(StoreError::Broken { .. } | StoreError::Damaged { .. })
            if free_bytes(dir).is_ok_and(|free| free < ROOM_TO_OPEN_BYTES) =>
        {
            Err(StoreError::DiskFull)
        }
        // Nothing was in use yet, so that starting again would help nobody: the file is what is wrong.
        Err(StoreError::Broken { why }) => Err(StoreError::Damaged { path: dir.join(DATABASE), why }),
        opened => opened,
    }
}

fn try_open(dir: &Path, now: UnixTime, schema: &Schema) -> Result<Opened, StoreError> {
    settings::check_library()?;
    make_dir(dir)?;
    let lock = take_lock(dir)?;
    let path = dir.join(DATABASE);
    let size = make_file(&path)?;
    refuse_other_files(&path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(&path, flags)?;
    conn.set_transaction_behavior(TransactionBehavior::Immediate);
    conn.busy_timeout(Duration::from_secs(5))?;
    let found = check_owner(&conn, &path)?;
    refuse_newer(&path, found, schema)?;
    settings::writer(&conn)?;
    let check_due = size > CHECKED_AT_START_BYTES;
    if !check_due {
        quick_check(&conn, &path)?;
    }
    if found == 0 {
        conn.pragma_update(None, "application_id", settings::APPLICATION_ID)?;
    } else if found < schema.latest() {
        backup::make_at(&path, &before_upgrade(dir, found))?;
    }
    schema.bring_up(&mut conn, now)?;
    Ok(Opened { conn, lock, check_due })
}

/// Takes the lock of a folder, as everything that writes there must.
pub(super) fn take_lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(LOCK);
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = open.map_err(|error| StoreError::file("opening the lock", &path, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // A lock without a readable number is still a lock.
            let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(StoreError::Locked { dir: dir.to_owned(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(StoreError::file("locking", &path, &error)),
    }
    let noted = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    match noted {
        // The lock is what counts; its number is a courtesy that a full disk has no room for.
        Err(error) if error.kind() != std::io::ErrorKind::StorageFull => {
            Err(StoreError::file("writing the lock", &path, &error))
        }
        Ok(()) | Err(_) => Ok(file),
    }
}

/// A connection for reading beside a daemon, or without one. The schema must be this program's.
pub(super) fn open_reader(path: &Path, schema: &Schema) -> Result<Connection, StoreError> {
    settings::check_library()?;
    if !path.exists() {
        return Err(StoreError::NoDatabase { path: path.to_owned() });
    }
    refuse_other_files(path)?;
    let conn = bare_reader(path)?;
    let found = check_owner(&conn, path)?;
    refuse_newer(path, found, schema)?;
    if found < schema.latest() {
        return Err(StoreError::OlderSchema { path: path.to_owned(), found, known: schema.latest() });
    }
    settings::reader(&conn)?;
    Ok(conn)
}

/// Whether a file can be put in the record's place, by its first bytes, its owner and its schema, which may be an older
/// one. Answers the schema.
pub(super) fn check_copy(path: &Path, schema: &Schema) -> Result<i64, StoreError> {
    if !path.exists() {
        return Err(StoreError::NoCopy { path: path.to_owned() });
    }
    refuse_other_files(path)?;
    let found = check_owner(&bare_reader(path)?, path)?;
    refuse_newer(path, found, schema)?;
    // A new and empty database is nothing that anybody has saved.
    if found == 0 { Err(StoreError::Foreign { path: path.to_owned() }) } else { Ok(found) }
}

/// A connection that only reads, with nothing checked.
pub(super) fn bare_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    Ok(conn)
}

/// Looks for damage, quickly: everything but the agreement of indexes with their tables.
pub(super) fn quick_check(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let damaged = |why: String| StoreError::Damaged { path: path.to_owned(), why };
    let answer: String =
        conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|error| damaged(error.to_string()))?;
    if answer == "ok" { Ok(()) } else { Err(damaged(answer)) }
}

/// Makes a folder that only its owner may enter, and closes an existing one to others.
pub(super) fn make_dir(dir: &Path) -> Result<(), StoreError> {
    let told = |error: std::io::Error| StoreError::file("making the folder", dir, &error);
    let new: Vec<&Path> = dir.ancestors().take_while(|part| !part.as_os_str().is_empty() && !part.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(told)?;
    // Until the folder above it is synced, a loss of power may take a new folder with all that was synced in it.
    new.into_iter().rev().try_for_each(sync_dir_of).map_err(told)?;
    let mode = fs::metadata(dir).map_err(told)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(told)?;
    }
    Ok(())
}

/// Makes a file that only its owner may read, unless it is there, and says how large it is. SQLite gives the files
/// beside it the same rights.
pub(super) fn make_file(path: &Path) -> Result<u64, StoreError> {
    let told = |error: std::io::Error| StoreError::file("opening", path, &error);
    let open = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
    let meta = open.and_then(|file| file.metadata()).map_err(told)?;
    if meta.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(told)?;
    }
    Ok(meta.len())
}

/// The copy that is made before the schema goes up from `version`.
fn before_upgrade(dir: &Path, version: i64) -> PathBuf {
    dir.join(BACKUPS).join(format!("before-upgrade-from-schema-{version}.db"))
}

fn refuse_newer(path: &Path, found: i64, schema: &Schema) -> Result<(), StoreError> {
    let known = schema.latest();
    if found <= known {
        return Ok(());
    }
    let copy = path.parent().map(|dir| before_upgrade(dir, known)).filter(|copy| copy.exists());
    Err(StoreError::NewerSchema { path: path.to_owned(), found, known, backup: copy })
}

/// Refuses what is no database by its first bytes, before SQLite touches it. Where a log or journal of SQLite's lies beside
/// it, the power may have gone while just these bytes were written: SQLite then has them, and makes the file whole.
fn refuse_other_files(path: &Path) -> Result<(), StoreError> {
    let told = |error: std::io::Error| StoreError::file("reading", path, &error);
    let mut head = Vec::new();
    File::open(path).map_err(told)?.take(16).read_to_end(&mut head).map_err(told)?;
    let is_beside = |ending: &str| {
        let mut beside = path.as_os_str().to_owned();
        beside.push(ending);
        fs::metadata(beside).is_ok_and(|meta| meta.len() > 0)
    };
    if head.is_empty() || head == MAGIC || is_beside("-journal") || is_beside("-wal") {
        return Ok(());
    }
    Err(StoreError::NotSqlite { path: path.to_owned() })
}

/// The schema of a database that is ours or new.
fn check_owner(conn: &Connection, path: &Path) -> Result<i64, StoreError> {
    let damaged = |error: rusqlite::Error| StoreError::Damaged { path: path.to_owned(), why: error.to_string() };
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(damaged);
    let owner = number("PRAGMA application_id")?;
    let found = migrate::version(conn)?;
    let is_new = owner == 0 && found == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0;
    if owner != settings::APPLICATION_ID && !is_new {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use rusqlite_migration::M;

    use super::*;

    const NOW: UnixTime = UnixTime::clamped(1_800_000_000);
    const LONGER: &[M<'static>] = &[
        M::up(include_str!("../../migrations/0001_record.sql")),
        M::up(include_str!("../../migrations/0002_sellers.sql")),
        M::up(include_str!("../../migrations/0003_shared_limits.sql")),
        M::up(include_str!("../../migrations/0004_reckoning.sql")),
        M::up(include_str!("../../migrations/0005_busiest.sql")),
        M::up(include_str!("../../migrations/0006_matters.sql")),
        M::up(include_str!("../../migrations/0007_approval.sql")),
        M::up(include_str!("../../migrations/0008_silence.sql")),
        M::up(include_str!("../../migrations/0009_text_cost.sql")),
        M::up(include_str!("../../migrations/0010_digest.sql")),
        M::up(include_str!("../../migrations/0011_receipts.sql")),
        M::up(include_str!("../../migrations/0012_capabilities.sql")),
        M::up(include_str!("../../migrations/0013_stacking.sql")),
        M::up(include_str!("../../migrations/0014_suspects.sql")),
        M::up("CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT;"),
    ];

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn refusal(dir: &Path) -> StoreError {
        open(dir, NOW, &Schema::current()).err().expect("it must be refused")
    }

    #[test]
    fn folder_and_files_are_the_owners_alone() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("a/b");
        let opened = open(&dir, NOW, &Schema::current()).unwrap();
        assert_eq!(mode(&dir), 0o700);
        for name in [DATABASE, "simkeeper.db-wal", "simkeeper.db-shm", LOCK] {
            assert_eq!(mode(&dir.join(name)), 0o600, "{name}");
        }
        drop(opened);
        fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
        open(&dir, NOW, &Schema::current()).unwrap();
        assert_eq!(mode(&dir), 0o700);
    }

    #[test]
    fn a_second_one_is_told_who_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(dir.path(), NOW, &Schema::current()).unwrap();
        let error = refusal(dir.path());
        assert!(error.to_string().contains(&format!("another simkeeper (pid {}) has", std::process::id())), "{error}");
        drop(first);
        open(dir.path(), NOW, &Schema::current()).unwrap();
    }

    #[test]
    fn other_files_are_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(DATABASE);
        fs::write(&path, "this is a letter, not a database").unwrap();
        assert!(matches!(refusal(dir.path()), StoreError::NotSqlite { .. }));
        assert_eq!(fs::read_to_string(&path).unwrap(), "this is a letter, not a database");

        fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        let before = fs::read(&path).unwrap();
        assert!(matches!(refusal(dir.path()), StoreError::Foreign { .. }));
        assert_eq!(fs::read(&path).unwrap(), before);

        fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("PRAGMA application_id = 77; PRAGMA user_version = 1").unwrap();
        assert!(matches!(refusal(dir.path()), StoreError::Foreign { .. }));

        fs::write(&path, [MAGIC.as_slice(), &[7; 4096]].concat()).unwrap();
        assert!(matches!(refusal(dir.path()), StoreError::Damaged { .. } | StoreError::NotSqlite { .. }));
    }

    #[test]
    fn an_empty_file_is_a_new_record() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(DATABASE), "").unwrap();
        open(dir.path(), NOW, &Schema::current()).unwrap();
    }

    #[test]
    fn a_schema_goes_up_after_a_copy_and_is_refused_by_older_programs() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path(), NOW, &Schema::current()).unwrap());
        drop(open(dir.path(), NOW, &Schema::of(LONGER)).unwrap());
        let latest = Schema::current().latest();
        let copy = before_upgrade(dir.path(), latest);
        assert!(copy.exists());
        match refusal(dir.path()) {
            StoreError::NewerSchema { found, known, backup: Some(named), .. } => {
                assert_eq!((found, known, named), (latest + 1, latest, copy.clone()));
            }
            other => panic!("{other}"),
        }
        // The copy is whole: put in its place it opens.
        let restored = tempfile::tempdir().unwrap();
        fs::copy(&copy, restored.path().join(DATABASE)).unwrap();
        open(restored.path(), NOW, &Schema::current()).unwrap();
    }

    #[test]
    fn a_record_of_the_first_schema_keeps_its_cards_and_gives_them_one_seller_each() {
        use crate::domain::card::CardId;
        use crate::store::cards;

        const FIRST: &[M<'static>] = &[M::up(include_str!("../../migrations/0001_record.sql"))];
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path(), NOW, &Schema::of(FIRST)).unwrap());
        let before = Connection::open(dir.path().join(DATABASE)).unwrap();
        let card = "INSERT INTO card (name, account, iccid, fields, labels, zone, notify, keeper) \
             VALUES ('canada', 'airalo', '8944501312167518236', '{}', '[\"trip\"]', 'UTC', '[]', 'file')";
        before.execute_batch(card).unwrap();
        drop(before);
        let opened = open(dir.path(), NOW, &Schema::current()).unwrap();
        drop(opened);
        let after = open_reader(&dir.path().join(DATABASE), &Schema::current()).unwrap();
        let card = cards::by_id(&after, CardId(1)).unwrap().unwrap();
        assert_eq!((card.name.as_str(), card.account.as_str(), card.sellers.len()), ("canada", "airalo", 0));
        assert_eq!(card.labels.len(), 1);
    }

    #[test]
    fn readers_neither_make_nor_change_a_record() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(DATABASE);
        assert!(matches!(open_reader(&path, &Schema::current()), Err(StoreError::NoDatabase { .. })));
        drop(open(dir.path(), NOW, &Schema::current()).unwrap());
        let reader = open_reader(&path, &Schema::current()).unwrap();
        assert!(reader.execute_batch("DELETE FROM card").is_err());
        assert!(matches!(open_reader(&path, &Schema::of(LONGER)), Err(StoreError::OlderSchema { .. })));
    }
}
