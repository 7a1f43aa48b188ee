//! Connections that only read: few, kept open, each piece of reading in one transaction, so that it sees one state.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::error::StoreError;
use super::migrate::Schema;
use super::open;

/// How many may read at once.
const READERS_MAX: usize = 4;
/// How many stay open while nobody reads; each holds its own cache.
const READERS_KEPT: usize = 2;

/// The connections that are not in use.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
    here: bool,
}

impl Readers {
    /// Readers of the file at `path`; with `here` they read on the thread that asks, else on one for blocking work.
    pub(super) fn new(path: PathBuf, here: bool) -> Self {
        Self { path, idle: Mutex::new(Vec::new()), permits: Arc::new(Semaphore::new(READERS_MAX)), here }
    }

    /// Whether everything happens on the thread that asks.
    pub(super) const fn is_here(&self) -> bool {
        self.here
    }

    /// Runs `closure` where blocking does no harm.
    pub(super) async fn read<T, F>(self: &Arc<Self>, closure: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        if self.here {
            return self.read_here(closure);
        }
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let readers = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let answer = readers.read_here(closure);
            drop(permit);
            answer
        });
        task.await.map_err(|error| StoreError::Panicked { what: error.to_string() })?
    }

    /// Runs `closure` on this thread.
    pub(super) fn read_here<T>(
        &self,
        closure: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match kept {
            Some(conn) => conn,
            None => open::open_reader(&self.path, &Schema::current())?,
        };
        conn.prepare_cached("BEGIN")?.execute([])?;
        let answer = closure(&conn);
        conn.prepare_cached("COMMIT")?.execute([])?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < READERS_KEPT {
            idle.push(conn);
        }
        answer
    }

    /// Closes those that are not in use, so that the log can be emptied.
    pub(super) fn close_idle(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
