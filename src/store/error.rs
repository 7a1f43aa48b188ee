//! What can go wrong with the record, said so that a person knows what to do, and so that the daemon knows whether to go
//! on, to wait for space, or to end.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// An error of the record. It can be told to several callers, since one commit answers many.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No space: nothing of this write was kept. The reserve file has been given back, so that outcomes of purchases can
    /// still be written; nothing new may be bought.
    #[error("the disk is full, so this was not recorded; free some space, and buying goes on by itself")]
    DiskFull,
    /// Reading or writing the file failed: the process must end, and a new one look at the file afresh.
    #[error("the record can no longer be trusted in this process ({why}); simkeeper ends and starts again")]
    Broken {
        /// What failed.
        why: String,
    },
    /// The record was closed.
    #[error("the record is closed")]
    Closed,
    /// This handle only reads.
    #[error("the record was opened for reading only")]
    ReadOnly,
    /// The row has changed since it was read.
    #[error("{table} {row} has changed in the meantime; look at it again")]
    Stale {
        /// The table.
        table: &'static str,
        /// The row.
        row: i64,
    },
    /// There is no such row.
    #[error("there is no {table} {row}")]
    Missing {
        /// The table.
        table: &'static str,
        /// The row.
        row: i64,
    },
    /// A value that must be unique is in use.
    #[error("{what} `{value}` is in use already")]
    Taken {
        /// What must be unique.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// A stored value does not mean anything.
    #[error("{table}.{column} of row {row} cannot be understood: {why}")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row.
        row: i64,
        /// What is wrong with it.
        why: String,
    },
    /// The record's own rules forbid this write.
    #[error("the record refuses this: {why}")]
    Forbidden {
        /// Which rule.
        why: String,
    },
    /// The work that was to be recorded panicked; nothing of it was kept.
    #[error("recording failed inside: {what}")]
    Panicked {
        /// What it said.
        what: String,
    },
    /// Anything else that SQLite says.
    #[error("the record: {why}")]
    Sql {
        /// Its words.
        why: String,
    },
    /// A file or folder beside the database.
    #[error("{what} {}: {why}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// There is no database yet.
    #[error("there is no record at {} yet; `simkeeper run` makes it", path.display())]
    NoDatabase {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is no such copy.
    #[error("there is no copy at {}; the folder `backups` beside the record holds those that were made", path.display())]
    NoCopy {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The copy is of another installation than the record that it would replace.
    #[error("{} is a copy of another installation's record; nothing was changed. Move {} away first if it is to be given up", path.display(), live.display())]
    OtherInstallation {
        /// The copy.
        path: PathBuf,
        /// The record in its way.
        live: PathBuf,
    },
    /// Another process has the lock.
    #[error("another simkeeper{} has {}; only one may use it", pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default(), dir.display())]
    Locked {
        /// The folder.
        dir: PathBuf,
        /// The other process, if it has written its number.
        pid: Option<u32>,
    },
    /// The database was made by a newer program.
    #[error("{} was made by a newer simkeeper (schema {found}, this one knows {known}); {}", path.display(), newer_advice(backup.as_deref()))]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
        /// The copy that was made before the upgrade, if it is still there.
        backup: Option<PathBuf>,
    },
    /// The database has not been brought to this program's schema, and a reader may not do it.
    #[error("{} has schema {found}, this simkeeper has {known}; start `simkeeper run` once, it brings it up to date", path.display())]
    OlderSchema {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The schema that this program uses.
        known: i64,
    },
    /// A database of another program.
    #[error("{} is a database of another program; name another folder, or move that file away", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Not a database at all.
    #[error("{} is not a database; `simkeeper restore FILE` puts a copy from the backups folder in its place, or move that file away to begin anew", path.display())]
    NotSqlite {
        /// The file.
        path: PathBuf,
    },
    /// The check found damage.
    #[error("{} is damaged ({why}); `simkeeper restore FILE` puts a copy from the backups folder beside it in its place", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first finding.
        why: String,
    },
    /// The library is too old to be safe with several connections.
    #[error("this program was built with SQLite {found}; 3.51.3 or newer is needed, older ones can damage the record")]
    OldSqlite {
        /// Its version.
        found: &'static str,
    },
    /// A setting did not take hold.
    #[error("the database setting {name} is {found} instead of {wanted}; the folder must be on a local disk")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What was asked for.
        wanted: String,
        /// What it is.
        found: String,
    },
}

fn newer_advice(backup: Option<&Path>) -> String {
    match backup {
        Some(file) => {
            format!("install it again, or restore the backup {} that was made before the upgrade", file.display())
        }
        None => "install it again; no backup from before the upgrade is in the backups folder".to_owned(),
    }
}

impl StoreError {
    /// Whether the process must end because of it.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::Broken { .. })
    }

    pub(super) fn file(what: &'static str, path: &Path, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::StorageFull {
            return Self::DiskFull;
        }
        Self::File { what, path: path.to_owned(), why: error.to_string() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let why = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Broken { why }
            }
            Some(ErrorCode::ConstraintViolation) => Self::Forbidden { why },
            _ => Self::Sql { why },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_record_says_what_to_restore() {
        let error = |backup: Option<&str>| StoreError::NewerSchema {
            path: "/d/simkeeper.db".into(),
            found: 9,
            known: 1,
            backup: backup.map(Into::into),
        };
        let text = error(Some("/d/backups/x.db")).to_string();
        assert!(text.contains("made by a newer simkeeper") && text.contains("/d/backups/x.db"), "{text}");
        assert!(error(None).to_string().contains("install it again"));
    }

    #[test]
    fn a_full_disk_is_not_a_broken_one() {
        let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        assert_eq!(StoreError::from(rusqlite::Error::SqliteFailure(full, None)), StoreError::DiskFull);
        let io = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
        assert!(StoreError::from(rusqlite::Error::SqliteFailure(io, None)).is_fatal());
    }
}
