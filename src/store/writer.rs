//! The one thread that writes. Everything that waits runs in ONE transaction, each piece of work in its own savepoint,
//! and one durable commit answers all of it: each commit costs a sync, and the disk does few of those.
//!
//! A piece that fails or panics is rolled back alone. When the transaction itself is lost all of its pieces fail, each
//! caller is told, and after an error of reading or writing nothing more is written by this process: the system may have
//! dropped pages that it could not write, and a second sync would not notice.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use tokio::sync::{mpsc, oneshot};

use super::crash;
use super::error::StoreError;
use super::reserve::Reserve;

/// At most this many pieces share a commit, and as many may wait.
const GROUP_MAX: usize = 1024;
/// From this many pages on the log is emptied into the database: 8 MiB, so that it stays below 16 MiB.
const LOG_PAGES: i32 = 2_000;

/// The sending side; any number of tasks may hold it.
pub(super) enum Writer {
    /// A thread of its own writes.
    Thread(mpsc::Sender<Message>),
    /// Whoever waits for a commit makes it, for all that wait: nothing depends on how threads are scheduled.
    Here(Box<Mutex<Bench>>),
}

/// What is needed to write, where no thread has it.
pub(super) struct Bench {
    desk: Option<Desk>,
    waiting: VecDeque<Box<dyn Work>>,
}

pub(super) enum Message {
    Work(Box<dyn Work>),
    Close(oneshot::Sender<()>),
}

/// One piece of work: run inside a savepoint, answered after the commit.
pub(super) trait Work: Send {
    fn run(&mut self, conn: &Connection) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Piece<T, F> {
    closure: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Work for Piece<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let Some(closure) = self.closure.take() else { return Err(StoreError::Closed) };
        // The closure is gone after a panic, and the savepoint takes back what it did, so nothing half-done is seen.
        let outcome = catch_unwind(AssertUnwindSafe(|| closure(conn))).unwrap_or_else(|panic| {
            let what = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let what = what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Err(StoreError::Panicked { what })
        });
        let told = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        self.outcome = Some(outcome);
        told
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (self.outcome, committed) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(error)) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Closed),
        };
        // A caller that no longer waits has chosen not to know.
        drop(self.reply.send(answer));
    }
}

impl Writer {
    /// Starts the thread. It holds the lock for as long as it may write.
    pub(super) fn start(conn: Connection, lock: File, reserve: Reserve) -> std::io::Result<Self> {
        let (messages, inbox) = mpsc::channel(GROUP_MAX);
        let desk = Desk::new(conn, lock, reserve);
        thread::Builder::new().name("record".into()).spawn(crash::carried(move || desk.work(inbox)))?;
        Ok(Self::Thread(messages))
    }

    /// No thread: whoever writes does it. The lock is held until it is closed or dropped.
    pub(super) fn here(conn: Connection, lock: File, reserve: Reserve) -> Self {
        let desk = Desk::new(conn, lock, reserve);
        Self::Here(Box::new(Mutex::new(Bench { desk: Some(desk), waiting: VecDeque::new() })))
    }

    /// Runs `closure` in the next transaction, and returns once it is on disk.
    pub(super) async fn write<T, F>(&self, closure: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (work, answer) = piece(closure);
        match self {
            Self::Thread(messages) => messages.send(Message::Work(work)).await.map_err(|_| StoreError::Closed)?,
            Self::Here(bench) => {
                bench_of(bench).waiting.push_back(work);
                // Whatever else is about to write may share the commit, as it does on the thread.
                tokio::task::yield_now().await;
                bench_of(bench).commit();
            }
        }
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// As [`write`](Self::write), for threads outside the runtime.
    pub(super) fn write_blocking<T, F>(&self, closure: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (work, answer) = piece(closure);
        match self {
            Self::Thread(messages) => messages.blocking_send(Message::Work(work)).map_err(|_| StoreError::Closed)?,
            Self::Here(bench) => {
                let mut bench = bench_of(bench);
                bench.waiting.push_back(work);
                bench.commit();
            }
        }
        answer.blocking_recv().map_err(|_| StoreError::Closed)?
    }

    /// Finishes what waits, empties the log into the database and gives up the lock.
    pub(super) async fn close(&self) {
        match self {
            Self::Thread(messages) => {
                let (done, wait) = oneshot::channel();
                if messages.send(Message::Close(done)).await.is_ok() {
                    // An error means that the thread has ended already.
                    drop(wait.await);
                }
            }
            Self::Here(bench) => bench_of(bench).close(),
        }
    }

    /// As [`close`](Self::close), for threads outside the runtime.
    pub(super) fn close_blocking(&self) {
        match self {
            Self::Thread(messages) => {
                let (done, wait) = oneshot::channel();
                if messages.blocking_send(Message::Close(done)).is_ok() {
                    drop(wait.blocking_recv());
                }
            }
            Self::Here(bench) => bench_of(bench).close(),
        }
    }
}

thread_local! {
    /// How long the log was after the last commit of this thread.
    static LOG_LENGTH: Cell<i32> = const { Cell::new(0) };
}

fn note_log_pages(_log: &Wal, pages: i32) -> rusqlite::Result<()> {
    LOG_LENGTH.set(pages);
    Ok(())
}

fn bench_of(bench: &Mutex<Bench>) -> MutexGuard<'_, Bench> {
    // What panics in a piece of work is caught within it.
    bench.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bench {
    fn commit(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        match &mut self.desk {
            Some(desk) => desk.commit_all(waiting),
            None => waiting.into_iter().for_each(|work| work.answer(Err(StoreError::Closed))),
        }
    }

    fn close(&mut self) {
        self.commit();
        if let Some(desk) = self.desk.take() {
            desk.checkpoint();
        }
    }
}

fn piece<T, F>(closure: F) -> (Box<dyn Work>, oneshot::Receiver<Result<T, StoreError>>)
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Piece { closure: Some(closure), outcome: None, reply }), answer)
}

/// What it takes to write.
pub(super) struct Desk {
    conn: Connection,
    reserve: Reserve,
    broken: Option<StoreError>,
    /// Where the database lies, and which file that was when it was opened.
    place: Option<PathBuf>,
    file: Option<(u64, u64)>,
    _lock: File,
}

/// What tells a file from another of the same name.
fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

impl Desk {
    fn new(conn: Connection, lock: File, reserve: Reserve) -> Self {
        conn.wal_hook(Some(note_log_pages));
        let place = conn.path().map(PathBuf::from);
        let file = place.as_deref().and_then(identity);
        Self { conn, reserve, broken: None, place, file, _lock: lock }
    }

    fn work(mut self, mut inbox: mpsc::Receiver<Message>) {
        while let Some(first) = inbox.blocking_recv() {
            let mut closing = None;
            let mut waiting = VecDeque::new();
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Work(work) => waiting.push_back(work),
                    Message::Close(done) => closing = Some(done),
                }
                let more = closing.is_none() && waiting.len() < GROUP_MAX;
                next = if more { inbox.try_recv().ok() } else { None };
            }
            self.commit_all(waiting);
            if let Some(done) = closing {
                return self.finish(inbox, done);
            }
        }
        self.checkpoint();
    }

    /// Commits in as few transactions as it takes: one, unless a transaction is lost in the middle.
    fn commit_all(&mut self, mut waiting: VecDeque<Box<dyn Work>>) {
        while !waiting.is_empty() {
            let mut tried = Vec::with_capacity(waiting.len());
            let outcome = self.commit_group(&mut waiting, &mut tried);
            if let Err(error) = &outcome {
                self.after_loss(error);
            }
            for work in tried {
                work.answer(outcome.clone());
            }
        }
        self.empty_log_when_long();
    }

    /// SQLite itself would do this without a word about a disk that fails at it. What was committed is in the log and
    /// stays, but this process must not go on.
    fn empty_log_when_long(&mut self) {
        if self.broken.is_some() || LOG_LENGTH.get() < LOG_PAGES {
            return;
        }
        let emptied = self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(0));
        // Where there is no room, the log grows a little, and a later commit tries again.
        if let Err(error) = emptied.map_err(StoreError::from)
            && error.is_fatal()
        {
            self.after_loss(&error);
        }
    }

    fn commit_group(
        &self,
        waiting: &mut VecDeque<Box<dyn Work>>,
        tried: &mut Vec<Box<dyn Work>>,
    ) -> Result<(), StoreError> {
        let begun = self.broken.clone().map_or_else(|| self.in_its_place(), Err);
        let begun = begun.and_then(|()| self.run("BEGIN IMMEDIATE"));
        if begun.is_err() {
            tried.extend(waiting.drain(..));
            return begun;
        }
        while let Some(mut work) = waiting.pop_front() {
            let outcome = self.run("SAVEPOINT piece").and_then(|()| work.run(&self.conn));
            tried.push(work);
            match outcome {
                // An error of the disk ends the process, so nothing of this transaction is to be trusted.
                Err(error) if error.is_fatal() || self.conn.is_autocommit() => return Err(error),
                Err(_) => {
                    self.run("ROLLBACK TO piece")?;
                    self.run("RELEASE piece")?;
                }
                Ok(()) => self.run("RELEASE piece")?,
            }
        }
        self.run("COMMIT")
    }

    /// What is written into a file that was removed or replaced meanwhile is on no record.
    fn in_its_place(&self) -> Result<(), StoreError> {
        if self.file.is_none() || self.place.as_deref().and_then(identity) == self.file {
            return Ok(());
        }
        Err(StoreError::Broken { why: "its file was removed, or another has taken its place".into() })
    }

    fn after_loss(&mut self, error: &StoreError) {
        if !self.conn.is_autocommit() {
            // It fails only if the transaction is gone already.
            drop(self.run("ROLLBACK"));
        }
        if error.is_fatal() && self.broken.is_none() {
            tracing::error!(%error, "the record can no longer be written");
            self.broken = Some(error.clone());
            // Closing would write and sync once more.
            if let Err(error) = self.conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) {
                tracing::error!(%error, "the record may be written once more when it is closed");
            }
        }
        if matches!(error, StoreError::DiskFull) {
            match self.reserve.release() {
                Ok(()) => {
                    tracing::error!("the disk is full; the reserve is given back so that outcomes can be recorded")
                }
                Err(error) => tracing::error!(%error, "the disk is full and the reserve cannot be given back"),
            }
        }
    }

    fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Answers what came too late, and gives up the lock before the one who closes is told.
    fn finish(self, mut inbox: mpsc::Receiver<Message>, done: oneshot::Sender<()>) {
        inbox.close();
        let mut others = vec![done];
        while let Ok(message) = inbox.try_recv() {
            match message {
                Message::Work(work) => work.answer(Err(StoreError::Closed)),
                Message::Close(done) => others.push(done),
            }
        }
        self.checkpoint();
        drop(self);
        for done in others {
            let _nobody_waits = done.send(());
        }
    }

    fn checkpoint(&self) {
        if self.broken.is_some() {
            return;
        }
        let emptied = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        if let Err(error) = emptied {
            tracing::warn!(%error, "the log stays beside the record; the next start empties it");
        }
    }
}
