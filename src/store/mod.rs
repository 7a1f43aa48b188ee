//! The record: one SQLite file, one writer thread, readers beside it. It survives the end of the process and the loss of
//! power; what was answered is on disk.
//!
//! The functions of the modules take a connection, so that a caller puts several into one transaction:
//! `store.write(move |conn| { attempts::advance(conn, …)?; notices::enqueue(conn, …) }).await`.
//!
//! - [`cards`]: what a card is; [`polls`]: what a poll changes; [`readings`]: what was read, packed by [`codec`].
//! - [`attempts`]: orders, their states and evidence (looking back: `ledger`); [`notices`]: the queue of messages (`claims`, `notice_lists`).
//! - [`people`], [`approvals`], [`decisions`], [`digests`], [`accounts`], [`catalogues`], [`meta`]: the smaller tables.
//! - [`journal`]: `orders.journal`, which lies outside the database ([`missing_lines`]: what it should hold); [`backup`]:
//!   copies of the database; [`examine`]: whether a record or a copy is sound and agrees with the journal; [`restore`]: a
//!   copy in the record's place.
//! - [`crash`]: where tests may end it.
//! - `open`, `settings`, `migrate`: how the file is opened; `writer`, `readers`: who may use it; `reserve`: space for
//!   outcomes on a full disk; `fields`, `words`, `bytes`: how columns become values.

pub mod accounts;
pub mod approvals;
pub mod attempts;
pub mod backup;
pub mod cards;
pub mod catalogues;
mod claims;
pub mod codec;
pub mod crash;
pub mod decisions;
pub mod digests;
pub mod examine;
pub mod held;
pub mod journal;
pub mod matters;
pub mod meta;
pub mod missing_lines;
pub mod notices;
pub mod people;
pub mod polls;
pub mod readings;
pub mod receipts;
pub mod restore;
pub mod silences;
pub mod text_costs;

mod attempt_rows;
mod busy_bytes;
mod bytes;
mod card_rows;
mod card_search;
mod card_sync;
mod error;
mod fields;
mod ledger;
mod migrate;
mod notice_lists;
mod open;
mod readers;
mod reserve;
mod settings;
#[cfg(test)]
mod tests;
mod words;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::StoreError;
pub use rusqlite::Connection;

use self::migrate::Schema;
use self::readers::Readers;
use self::reserve::Reserve;
use self::writer::Writer;
use crate::domain::time::UnixTime;

/// The record. Copies of the handle share the file, its writer and its readers.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    writer: Option<Writer>,
    readers: Arc<Readers>,
    reserve: Reserve,
    check_due: bool,
}

impl Store {
    /// Opens the record in `dir` for the one process that writes it: takes the lock, makes folder and file where they
    /// are missing, checks the file, and brings its schema up to date after copying it.
    ///
    /// # Errors
    /// A refusal that says what to do, or what the system says.
    pub fn open(dir: &Path, now: UnixTime) -> Result<Self, StoreError> {
        let (opened, reserve) = Self::opened(dir, now)?;
        let writer = Writer::start(opened.conn, opened.lock, reserve.clone())
            .map_err(|error| StoreError::file("starting the writer for", dir, &error))?;
        Ok(Self::with(dir, Some(writer), reserve, opened.check_due, false))
    }

    /// As [`open`](Self::open), without threads: what is read and written is so on the thread that asks, in an order
    /// that no scheduler changes. For simulations; a daemon's rounds would wait for the disk.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_here(dir: &Path, now: UnixTime) -> Result<Self, StoreError> {
        let (opened, reserve) = Self::opened(dir, now)?;
        let writer = Writer::here(opened.conn, opened.lock, reserve.clone());
        Ok(Self::with(dir, Some(writer), reserve, opened.check_due, true))
    }

    fn opened(dir: &Path, now: UnixTime) -> Result<(open::Opened, Reserve), StoreError> {
        let reserve = Reserve::beside(dir);
        if reserve.release_if_scarce().unwrap_or(false) {
            tracing::error!("the disk is full; the reserve is given back so that the record can be opened");
        }
        let opened = open::open(dir, now, &Schema::current())?;
        meta::begin(&opened.conn, now)?;
        if let Err(error) = reserve.hold() {
            tracing::warn!(%error, "no space is held in reserve for outcomes on a full disk");
        }
        Ok((opened, reserve))
    }

    /// Opens the record for reading, beside a daemon or without one: no lock, no change of schema, and every write is
    /// [`StoreError::ReadOnly`].
    ///
    /// # Errors
    /// A refusal that says what to do, or what the system says.
    pub fn open_read_only(dir: &Path) -> Result<Self, StoreError> {
        let store = Self::with(dir, None, Reserve::beside(dir), false, false);
        store.read_blocking(|_| Ok(()))?;
        Ok(store)
    }

    fn with(dir: &Path, writer: Option<Writer>, reserve: Reserve, check_due: bool, here: bool) -> Self {
        let readers = Arc::new(Readers::new(dir.join(open::DATABASE), here));
        Self { inner: Arc::new(Inner { dir: dir.to_owned(), writer, readers, reserve, check_due }) }
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        self.inner.writer.as_ref().ok_or(StoreError::ReadOnly)
    }

    /// Runs `work` in the next transaction, together with whatever else waits, and returns once it is on disk. If it
    /// fails or panics, nothing of it is kept, and nothing of the others is lost.
    ///
    /// # Errors
    /// What `work` returned, or why the transaction was lost. After [`StoreError::DiskFull`] an outcome that must not be
    /// lost is written again: the reserve has been given back. After [`StoreError::Broken`] the process must end.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer()?.write(work).await
    }

    /// As [`write`](Self::write), for what must not be lost: on a full disk it is written once more, into the space that
    /// the reserve has given back.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_from_reserve<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Clone + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.write(work.clone()).await {
            Err(StoreError::DiskFull) => self.write(work).await,
            written => written,
        }
    }

    /// As [`write`](Self::write), for commands without a runtime.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer()?.write_blocking(work)
    }

    /// Runs `work` on a connection that only reads, in one transaction, off the runtime's threads.
    ///
    /// # Errors
    /// What `work` returned, or why the file cannot be read.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner.readers.read(work).await
    }

    /// As [`read`](Self::read), for commands without a runtime.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_blocking<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.inner.readers.read_here(work)
    }

    /// Runs other work that blocks (a line in the journal, a copy) where the record's own reading is done.
    ///
    /// # Errors
    /// [`StoreError::Panicked`] if it did.
    pub async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
        if self.inner.readers.is_here() {
            return Ok(work());
        }
        tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Panicked { what: error.to_string() })
    }

    /// The folder of the record.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Space on the record's disk that this user may still use, in bytes.
    ///
    /// # Errors
    /// What the system says.
    pub fn free_disk_bytes(&self) -> io::Result<u64> {
        reserve::free_bytes(&self.inner.dir)
    }

    /// Takes the reserve again after a full disk; to be called now and then once there is space.
    ///
    /// # Errors
    /// What the system says; a full disk, for one.
    pub fn renew_reserve(&self) -> io::Result<()> {
        self.inner.reserve.hold()
    }

    /// Whether the file was too large to be checked when it was opened; [`check`](Self::check) is then due before
    /// anything is bought.
    #[must_use]
    pub fn check_due(&self) -> bool {
        self.inner.check_due
    }

    /// Looks for damage in the file.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first finding.
    pub async fn check(&self) -> Result<(), StoreError> {
        let path = self.inner.dir.join(open::DATABASE);
        self.read(move |conn| open::quick_check(conn, &path)).await
    }

    /// Finishes what waits, empties the log into the database, and gives up the lock. Other copies of the handle answer
    /// [`StoreError::Closed`] from then on.
    pub async fn close(self) {
        self.inner.readers.close_idle();
        if let Some(writer) = &self.inner.writer {
            writer.close().await;
        }
    }

    /// As [`close`](Self::close), for commands without a runtime.
    pub fn close_blocking(self) {
        self.inner.readers.close_idle();
        if let Some(writer) = &self.inner.writer {
            writer.close_blocking();
        }
    }
}

/// A database in memory with the same tables, for simulations and tests of what is written.
///
/// # Errors
/// What SQLite says.
pub fn in_memory(now: UnixTime) -> Result<Connection, StoreError> {
    let mut conn = Connection::open_in_memory()?;
    settings::memory(&conn)?;
    Schema::current().bring_up(&mut conn, now)?;
    meta::begin(&conn, now)?;
    Ok(conn)
}
