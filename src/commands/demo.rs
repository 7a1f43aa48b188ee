//! `simkeeper demo`: thirty days in half a minute. The built-in operator on a real socket, four cards with different
//! rules, the real daemon on a clock that runs fast, mails in a folder; and at the end what happened, with money.

mod story;
mod timeline;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::daemon::clock::Clock;
use crate::daemon::{self, Daemon, Places};
use crate::domain::time::{Secs, UnixTime};
use crate::sandbox;

/// What the demo may be told.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// How long a day takes to watch.
    pub day_takes: Duration,
    /// Where everything is kept; a new folder below the system's temporary one, if nothing is said.
    pub folder: Option<PathBuf>,
}

/// Days of the story.
const DAYS: i64 = 30;

/// Tells the story and prints what happened.
///
/// # Errors
/// When a file cannot be written, a port not be opened, or the daemon fails.
pub async fn demo(wishes: Wishes) -> anyhow::Result<()> {
    crate::operators::tls::install_provider();
    let begins = UnixTime::parse("2026-12-01T06:00:00Z").map_err(anyhow::Error::msg)?;
    let clock = Arc::new(Clock::stepped(begins, wishes.day_takes));
    let folder = make_folder(wishes.folder)?;
    let sandbox = open_sandbox(&clock).await?;
    let places = write_files(&folder, &sandbox.base_url())?;
    story::set(&sandbox.sandbox, begins)?;
    writeln!(io::stdout(), "{}", story::INTRODUCTION)?;

    let daemon = Daemon::open(places.clone(), Arc::clone(&clock)).await?;
    let running = tokio::spawn(daemon::run(Arc::clone(&daemon)));
    let ends = begins.plus(Secs::days(DAYS));
    let mut teller = timeline::Teller::new(begins)?;
    story::tell(&daemon, &sandbox.sandbox, &mut teller, begins, ends).await?;
    daemon.stop.cancel();
    running.await.context("the daemon ended by a defect")??;

    let operator = sandbox.stop().await;
    let store = crate::store::Store::open_read_only(&places.state)?;
    let (lines, spent) = store.read_blocking(timeline::collect)?;
    teller.tell_new(lines)?;
    timeline::print_money(spent, &operator)?;
    writeln!(io::stdout(), "\nLook for yourself:")?;
    writeln!(io::stdout(), "  rules      {}", places.config.join("rules.toml").display())?;
    writeln!(io::stdout(), "  mails      {}", places.state.join("mail").join("new").display())?;
    writeln!(io::stdout(), "  record     {}", places.state.display())?;
    writeln!(
        io::stdout(),
        "  explain    simkeeper --config {0} --state {1} explain canada",
        places.config.display(),
        places.state.display()
    )?;
    Ok(())
}

fn make_folder(wished: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let folder = wished.unwrap_or_else(|| {
        std::env::temp_dir().join(format!("simkeeper-demo-{}", rustix::process::getpid().as_raw_nonzero()))
    });
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

async fn open_sandbox(clock: &Arc<Clock>) -> anyhow::Result<sandbox::Running> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("cannot open a port on 127.0.0.1")?;
    let told = Arc::clone(clock);
    let settings = sandbox::Settings { class: sandbox::Class::LookupOnly, ..sandbox::Settings::default() };
    Ok(sandbox::serve(listener, settings, Arc::new(move || told.now())).await?)
}

/// Writes the two files as an owner would.
fn write_files(folder: &Path, base_url: &str) -> anyhow::Result<Places> {
    let (config, state) = (folder.join("config"), folder.join("state"));
    fs::create_dir_all(&config)?;
    fs::write(config.join("simkeeper.toml"), story::machine_file(base_url))?;
    fs::write(config.join("rules.toml"), story::RULES_FILE)?;
    Ok(Places { socket: folder.join("control.sock"), config, state, credentials: None })
}
