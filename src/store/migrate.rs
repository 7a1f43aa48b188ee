//! Bringing the schema up to date: the files of `migrations/`, each run once and never changed.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::crash;
use super::error::StoreError;
use super::fields::change;
use crate::domain::time::UnixTime;

/// Every migration, in order. A test compares this list with the folder.
const STEPS: &[M<'static>] = &[
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
];

const NOTE: &str = "INSERT OR REPLACE INTO schema_note (version, at, program) VALUES (?1, ?2, ?3)";

/// The statements of this file.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[NOTE];

/// A chain of schemas, the program's own or a longer one in a test.
pub(super) struct Schema {
    migrations: Migrations<'static>,
    latest: i64,
}

impl Schema {
    /// The program's own.
    pub(super) fn current() -> Self {
        Self::of(STEPS)
    }

    pub(super) fn of(steps: &'static [M<'static>]) -> Self {
        // A program has a handful of migrations.
        Self { migrations: Migrations::from_slice(steps), latest: steps.len() as i64 }
    }

    /// The newest schema, as `user_version` tells it.
    pub(super) const fn latest(&self) -> i64 {
        self.latest
    }

    /// Brings the database to the newest schema in one transaction, and notes it.
    pub(super) fn bring_up(&self, conn: &mut Connection, now: UnixTime) -> Result<(), StoreError> {
        if version(conn)? == self.latest {
            return Ok(());
        }
        crash::point("before_migration");
        self.migrations.to_latest(conn).map_err(|error| match error {
            rusqlite_migration::Error::RusqliteError { err, .. } => StoreError::from(err),
            other => StoreError::Sql { why: other.to_string() },
        })?;
        crash::point("after_migration");
        change(conn, NOTE, (self.latest, now.secs(), concat!("simkeeper ", env!("CARGO_PKG_VERSION"))))?;
        Ok(())
    }
}

/// The schema of a database; 0 for a new one.
pub(super) fn version(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".sql"))
            .collect();
        names.sort();
        assert_eq!(names.len(), STEPS.len());
        for (place, name) in names.iter().enumerate() {
            assert!(name.starts_with(&format!("{:04}_", place + 1)), "{name}");
            let text = std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
            assert_eq!(STEPS[place], M::up(Box::leak(text.into_boxed_str())), "{name}");
        }
    }

    #[test]
    fn the_chain_is_valid() {
        Schema::current().migrations.validate().unwrap();
    }
}
