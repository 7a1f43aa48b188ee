//! Where the store lies: a database in memory; or a folder in memory, with the daemon's own opening, copying and
//! restoring, in worlds in which older copies are put back.

use std::path::{Path, PathBuf};

use simkeeper::domain::time::UnixTime;
use simkeeper::store::backup;
use simkeeper::store::restore::Restore;
use simkeeper::store::{self, Connection, Store, StoreError};
use tempfile::TempDir;

use super::Differs;

/// Where the system keeps files in memory, if it does.
const MEMORY: &str = "/dev/shm";

pub(super) enum Ground {
    Memory(Box<Connection>),
    Folder(Box<Folder>),
}

/// A record as the daemon has it.
pub(super) struct Folder {
    dir: TempDir,
    /// None while no process runs.
    store: Option<Store>,
    /// Copies, oldest first.
    copies: Vec<PathBuf>,
    made: u64,
}

impl Ground {
    pub(super) fn memory(now: UnixTime) -> Result<Self, Differs> {
        Ok(Self::Memory(Box::new(store::in_memory(now)?)))
    }

    pub(super) fn folder() -> Result<Self, Differs> {
        let dir = if Path::new(MEMORY).is_dir() { TempDir::new_in(MEMORY) } else { TempDir::new() };
        let dir = dir.map_err(|error| Differs::new(format!("there is no place for a folder: {error}")))?;
        Ok(Self::Folder(Box::new(Folder { dir, store: None, copies: Vec::new(), made: 0 })))
    }

    /// Everything in one commit.
    pub(super) fn transact<T: Send + 'static>(
        &mut self,
        now: UnixTime,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Differs> {
        match self {
            Self::Memory(conn) => {
                let run = |sql| conn.prepare_cached(sql)?.execute([]);
                run("BEGIN IMMEDIATE").map_err(StoreError::from)?;
                let answer = work(conn);
                run(if answer.is_ok() { "COMMIT" } else { "ROLLBACK" }).map_err(StoreError::from)?;
                Ok(answer?)
            }
            Self::Folder(folder) => Ok(folder.open(now)?.write_blocking(work)?),
        }
    }

    /// What is on disk.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Differs>) -> Result<T, Differs> {
        match self {
            Self::Memory(conn) => work(conn),
            Self::Folder(folder) => {
                let Some(store) = &folder.store else { return Err(Differs::new("the record is closed".to_owned())) };
                store.read_blocking(|conn| Ok(work(conn)))?
            }
        }
    }

    /// Whether it can be read.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Memory(_) => true,
            Self::Folder(folder) => folder.store.is_some(),
        }
    }

    /// The process ended, without a word to the record.
    pub(super) fn ends(&mut self) {
        if let Self::Folder(folder) = self {
            folder.store = None;
        }
    }

    /// Makes a copy; so many are kept.
    pub(super) fn copy(&mut self, now: UnixTime, kept: usize) -> Result<(), Differs> {
        let Self::Folder(folder) = self else { return Err(Differs::new("a copy where none is made".to_owned())) };
        // A record without a process has a log beside it, which the copy must know, too.
        folder.open(now)?;
        folder.made += 1;
        let copy = folder.dir.path().join(format!("copy-{}", folder.made));
        backup::copy_aside(folder.dir.path(), &copy)?;
        folder.copies.push(copy);
        while folder.copies.len() > kept {
            remove(&folder.copies.remove(0))?;
        }
        Ok(())
    }

    /// Puts a copy in the record's place.
    pub(super) fn put_back(&mut self, place: usize, now: UnixTime) -> Result<(), Differs> {
        let Self::Folder(folder) = self else { return Err(Differs::new("a restore where no copy is".to_owned())) };
        folder.store = None;
        let copy = folder.copies.get(place).ok_or_else(|| Differs::new(format!("there is no copy {place}")))?;
        let database = copy.join("simkeeper.db");
        let replaced = Restore::begin(&database, folder.dir.path())?.finish("anna", now)?;
        replaced.map_or(Ok(()), |replaced| remove(&replaced))
    }
}

impl Folder {
    fn open(&mut self, now: UnixTime) -> Result<&Store, StoreError> {
        let store = match self.store.take() {
            Some(store) => store,
            None => Store::open_here(self.dir.path(), now)?,
        };
        Ok(self.store.insert(store))
    }
}

fn remove(path: &Path) -> Result<(), Differs> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    removed.map_err(|error| Differs::new(format!("removing {}: {error}", path.display())))
}
