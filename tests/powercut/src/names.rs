//! Which file of the record is which, by its name.

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `simkeeper.db`.
    Database,
    /// The write-ahead log of a database.
    Log,
    /// SQLite's rollback journal, in use until a new database has its log.
    Rollback,
    /// `orders.journal`.
    Orders,
    /// A backup, finished or not, and what is being restored.
    Backup,
    /// The index of the log: shared memory that is worth nothing after a loss of power.
    Index,
    /// The lock, the reserve, a record that was replaced.
    Other,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Database, Self::Log, Self::Rollback, Self::Orders, Self::Backup, Self::Index, Self::Other];

    /// The kind of the file of this name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let last = name.rsplit('/').next().unwrap_or(name);
        if last.ends_with("-shm") {
            Self::Index
        } else if name.contains("backups/") || last.starts_with("restoring") || last.ends_with(".part") {
            Self::Backup
        } else if last.ends_with("-wal") {
            Self::Log
        } else if last.ends_with("-journal") {
            Self::Rollback
        } else {
            match last {
                "simkeeper.db" => Self::Database,
                "orders.journal" => Self::Orders,
                _ => Self::Other,
            }
        }
    }

    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Log => "log",
            Self::Rollback => "rollback journal",
            Self::Orders => "order journal",
            Self::Backup => "backup",
            Self::Index => "index of the log",
            Self::Other => "other",
        }
    }
}

/// The folder that holds this name.
#[must_use]
pub fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}
