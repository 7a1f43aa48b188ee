//! What must be in the record: the same work done once more on a database in memory, where nothing gets lost.
//!
//! Work that was acknowledged is in the mirror for good. Work that was under way when the power went is in it for now:
//! all of it was one commit, so the next start must find either all of it or nothing.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use simkeeper::domain::time::UnixTime;
use simkeeper::store::{self, StoreError};

/// One piece of work: what a caller gives to the store.
pub type Piece = Arc<dyn Fn(&Connection) -> Result<(), StoreError> + Send + Sync>;

/// A record in a few numbers: for each table how many rows it has, and a digest of them in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents(BTreeMap<String, (u64, u64)>);

impl Contents {
    /// Reads all tables but the notes of who brought the schema up when. The number of the installation is left out too:
    /// it is made by chance.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn of(conn: &Connection) -> Result<Self, rusqlite::Error> {
        let mut tables = conn.prepare_cached(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('schema_note', 'sqlite_stat1')",
        )?;
        let names: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut contents = BTreeMap::new();
        for name in names {
            let columns = if name == "installation" { "id, created_at, last_seen_at" } else { "*" };
            let mut statement = conn.prepare_cached(&format!("SELECT {columns} FROM \"{name}\""))?;
            let width = statement.column_count();
            let mut digest = DefaultHasher::new();
            let mut count = 0;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                count += 1;
                for column in 0..width {
                    digest_value(row.get_ref(column)?, &mut digest);
                }
            }
            contents.insert(name, (count, digest.finish()));
        }
        Ok(Self(contents))
    }

    /// How many rows a table has.
    #[must_use]
    pub fn rows(&self, table: &str) -> u64 {
        self.0.get(table).map_or(0, |(count, _)| *count)
    }

    /// The same without one table.
    #[must_use]
    pub fn without(&self, table: &str) -> Self {
        Self(self.0.iter().filter(|(name, _)| *name != table).map(|(name, rows)| (name.clone(), *rows)).collect())
    }

    /// Says in which tables another record differs.
    #[must_use]
    pub fn difference(&self, other: &Self) -> String {
        let mut told = Vec::new();
        for name in self.0.keys().chain(other.0.keys().filter(|name| !self.0.contains_key(*name))) {
            let (mine, theirs) = (self.0.get(name), other.0.get(name));
            if mine != theirs {
                let rows =
                    |side: Option<&(u64, u64)>| side.map_or_else(|| "no table".into(), |(n, _)| format!("{n} rows"));
                told.push(format!("{name}: {} instead of {}", rows(theirs), rows(mine)));
            }
        }
        told.join(", ")
    }
}

fn digest_value(value: ValueRef<'_>, digest: &mut DefaultHasher) {
    match value {
        ValueRef::Null => 0_u8.hash(digest),
        ValueRef::Integer(number) => (1_u8, number).hash(digest),
        ValueRef::Real(number) => (2_u8, number.to_bits()).hash(digest),
        ValueRef::Text(bytes) => (3_u8, bytes).hash(digest),
        ValueRef::Blob(bytes) => (4_u8, bytes).hash(digest),
    }
}

/// The record as it must be.
pub struct Mirror {
    conn: Connection,
    is_open: bool,
}

/// How the next start settled what was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Nothing was.
    Nothing,
    /// It is there, whole.
    CameThrough,
    /// It is not there at all.
    CameToNothing,
}

impl Mirror {
    /// A new record.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn new(now: UnixTime) -> Result<Self, StoreError> {
        Ok(Self { conn: store::in_memory(now)?, is_open: false })
    }

    /// To look things up in: what is there for certain, and nothing else while no work is under way.
    #[must_use]
    pub const fn conn(&self) -> &Connection {
        &self.conn
    }

    /// Does the pieces as one commit does them: each alone may fail, and leaves nothing then.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn begin(&mut self, pieces: &[Piece]) -> Result<(), rusqlite::Error> {
        assert!(!self.is_open, "what was under way before must be settled first");
        self.conn.execute_batch("SAVEPOINT commit_group")?;
        self.is_open = true;
        for piece in pieces {
            self.conn.execute_batch("SAVEPOINT piece")?;
            if piece(&self.conn).is_err() {
                self.conn.execute_batch("ROLLBACK TO piece")?;
            }
            self.conn.execute_batch("RELEASE piece")?;
        }
        Ok(())
    }

    /// The commit was acknowledged.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn acknowledge(&mut self) -> Result<(), rusqlite::Error> {
        self.is_open = false;
        self.conn.execute_batch("RELEASE commit_group")
    }

    /// Compares with what a start after the loss of power found, and believes it as to what was under way.
    ///
    /// # Errors
    /// Says what is missing or too much.
    pub fn settle(&mut self, found: &Contents) -> Result<Settled, String> {
        let told = |error: rusqlite::Error| error.to_string();
        let with = Contents::of(&self.conn).map_err(told)?;
        if !self.is_open {
            let is_right = with == *found;
            return if is_right { Ok(Settled::Nothing) } else { Err(with.difference(found)) };
        }
        if with == *found {
            self.acknowledge().map_err(told)?;
            return Ok(Settled::CameThrough);
        }
        self.conn.execute_batch("ROLLBACK TO commit_group; RELEASE commit_group").map_err(told)?;
        self.is_open = false;
        let without = Contents::of(&self.conn).map_err(told)?;
        if without == *found {
            return Ok(Settled::CameToNothing);
        }
        let (with, without) = (with.difference(found), without.difference(found));
        Err(format!("neither with what was under way ({with}) nor without it ({without})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::clamped(1_800_000_000);

    fn seen(at: i64) -> Piece {
        Arc::new(move |conn| store::meta::seen(conn, UnixTime::clamped(at)))
    }

    #[test]
    fn half_a_commit_is_neither() {
        let mut mirror = Mirror::new(NOW).unwrap();
        let before = Contents::of(mirror.conn()).unwrap();
        mirror.begin(&[seen(1_800_000_001)]).unwrap();
        let half = Contents::of(mirror.conn()).unwrap();
        assert_eq!(mirror.settle(&before), Ok(Settled::CameToNothing));
        mirror.begin(&[seen(1_800_000_001), seen(1_800_000_002)]).unwrap();
        assert!(mirror.settle(&half).unwrap_err().contains("installation: 1 rows instead of 1 rows"));
        assert_eq!(mirror.settle(&before), Ok(Settled::Nothing));
        assert!(mirror.settle(&half).is_err());
    }
}
