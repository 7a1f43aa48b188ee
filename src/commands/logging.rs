//! Where the log goes: to the journal with its fields where systemd started us, else to standard error.

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::exit::{Exit, Stop};

/// Libraries that say more than a reader wants to know.
const CALM: &str = "tokio_cron_scheduler=warn,hyper=info,hyper_util=info,reqwest=info,rustls=info,h2=info,lettre=info";

/// Starts the daemon's log. `level` wins over RUST_LOG; the level of `info` is kept otherwise.
pub(super) fn start(level: Option<&str>) -> anyhow::Result<()> {
    let words = match level {
        Some(level) => level.to_owned(),
        None => std::env::var("RUST_LOG").ok().filter(|words| !words.is_empty()).unwrap_or_else(|| "info".to_owned()),
    };
    let filter = EnvFilter::builder().parse(format!("{CALM},{words}")).map_err(|error| {
        Stop::command_line(format!("`{words}` is no level of logging ({error}); write info or debug"))
    })?;
    let journal = std::env::var_os("JOURNAL_STREAM").and_then(|_| tracing_journald::layer().ok());
    match journal {
        Some(journal) => Registry::default().with(filter).with(journal).init(),
        None => Registry::default().with(filter).with(to_standard_error()).init(),
    }
    std::panic::set_hook(Box::new(|panic| {
        // What a panic says may hold an answer or a secret; its place is enough to find it.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a defect of simkeeper ended a task; please report the place");
        // Nothing goes on without the main thread, and on its way out it may wait for ever for threads that never began.
        if std::thread::current().name() == Some("main") {
            std::process::exit(i32::from(Exit::Failed as u8));
        }
    }));
    Ok(())
}

/// Starts the log of a command that works without a daemon: only what somebody should look at.
/// With `json` nothing is logged: standard error then holds one document or nothing.
pub(super) fn start_quiet(json: bool) {
    if json {
        return;
    }
    let filter = EnvFilter::new(format!("{CALM},warn"));
    // A log that is there already stays.
    drop(Registry::default().with(filter).with(to_standard_error()).try_init());
}

fn to_standard_error<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
}
