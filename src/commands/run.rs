//! `run`: the daemon, from the command line to its rounds.

use std::sync::Arc;

use anyhow::Context as _;

use super::cli::RunArgs;
use super::exit::Exit;
use super::{Context, logging, view};
use crate::daemon::{self, Daemon};
use crate::store::cards;

/// The daemon waits far more than it computes.
const WORKERS: usize = 2;
/// Readers of the record and the journal's writer; more would only hold memory.
const BLOCKING_THREADS_MAX: usize = 4;
/// Rounds and closures of the store need little; the rest is memory that nobody uses.
const STACK_BYTES: usize = 1 << 20;

/// Runs the daemon until it is told to stop.
pub(super) fn run(context: &Context, args: &RunArgs) -> anyhow::Result<Exit> {
    logging::start(args.log.as_deref())?;
    leave_no_core();
    if !context.clock.is_real() {
        context.allow_clock(&view::files(context)?)?;
    }
    crate::operators::tls::install_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_stack_size(STACK_BYTES)
        .thread_name("simkeeper")
        .enable_all()
        .build()
        .context("cannot start the threads")?;
    runtime.block_on(async {
        let daemon = Daemon::open(context.places.clone(), Arc::clone(&context.clock)).await?;
        if daemon.store.read(cards::count).await? == 0 {
            tracing::warn!(
                "there is no card yet; name one in {} or with `simkeeper card add`, and it is read at once",
                context.places.config.join(crate::config::RULES_FILE).display()
            );
        }
        daemon::run(daemon).await
    })?;
    Ok(Exit::Done)
}

/// What is in memory (secrets, orders) is never written to a file when the process dies.
fn leave_no_core() {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    // A unit that forbids the call has set the limit itself (`LimitCORE=0`).
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Core, none) {
        tracing::debug!(%error, "the limit for core files stays as it is");
    }
}
