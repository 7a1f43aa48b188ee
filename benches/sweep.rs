//! What it costs to read a whole fleet once: CPU and bytes written per card, through the daemon's own rounds, beside the
//! barest way to ask about as many cards one by one (reqwest, 64 requests in flight, nothing parsed or kept).
//!
//! The operator is the sandbox in a process of its own, so that its work does not count. Three lines per size: `first`
//! (cards that were never read), `again` (an hour later: the usual case, which the goals are about), and the baseline,
//! taken over at most 100,000 requests. `SWEEP_CARDS="10000"` chooses the sizes.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::Router;
use axum::routing::get;
use common::{Meter, Took, fine, short};
use futures_util::StreamExt;
use jiff::tz::TimeZone;
use serde_json::json;
use simkeeper::daemon::clock::Clock;
use simkeeper::daemon::{self, Daemon, Places};
use simkeeper::domain::card::{CardId, Keeper, Name};
use simkeeper::domain::identity::Iccid;
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::operators::tls::install_provider;
use simkeeper::sandbox::{self, Sandbox, Settings};
use simkeeper::store::cards::{self, NewCard};
use simkeeper::store::polls::{self, PollUpdate, Seen};
use simkeeper::store::{Store, StoreError};
use tokio::net::TcpListener;

const BEGINS: UnixTime = UnixTime::clamped(1_797_336_000);
/// The usual reading comes this long after the first; short, so that few plans end in between.
const LATER: Secs = Secs::HOUR;
/// Cards written in one transaction while the fleet is made.
const MADE_AT_ONCE: u32 = 5_000;
/// The moment before the sweep takes hundredths of a second to watch, and the next reading never comes.
const A_DAY_TAKES: Duration = Duration::from_secs(1_800);
/// Requests of the baseline; with more the figure per request stays the same.
const BASELINE_MOST: u32 = 100_000;
/// Requests of the baseline under way at once.
const BASELINE_IN_FLIGHT: usize = 64;
/// The baseline's document, as long as a usual answer about one card.
const DOCUMENT: &[u8; 2_048] = &[b' '; 2_048];
/// The daemon and the barest loop have as many threads.
const WORKERS: usize = 2;

fn main() -> anyhow::Result<()> {
    install_provider();
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve());
    }
    let folder = std::env::var_os("WORK").map_or_else(std::env::temp_dir, PathBuf::from).join("sweep");
    let sizes = std::env::var("SWEEP_CARDS").unwrap_or_else(|_| "10000 1000000".to_owned());
    let mut smaller = None;
    for size in sizes.split_whitespace() {
        let size = size.parse().context("SWEEP_CARDS is a list of numbers such as \"10000 1000000\"")?;
        drop(std::fs::remove_dir_all(&folder));
        smaller = Some(measure(&folder, size, smaller)?);
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// All three lines of one size; answers the CPU per card of the usual reading.
fn measure(folder: &Path, size: u32, smaller: Option<f64>) -> anyhow::Result<f64> {
    let mut operator = Operator::start()?;
    let asked = size.min(BASELINE_MOST);
    // One thread is the cheapest way to do it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bare = runtime.block_on(ask_one_by_one(&operator.documents, asked))?;
    drop(runtime);
    let bare_cpu = bare.cpu_us_per(asked as usize);
    let per_s = short(bare.per_s(asked as usize));
    let line = json!({"bench": "sweep_baseline", "cards": size, "asked": asked, "per_s": per_s, "cpu_us_per": short(bare_cpu)});
    println!("{line}");

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    runtime.block_on(of_daemon(folder, size, &mut operator, bare_cpu, smaller))
}

/// The lines about the daemon; answers as [`measure`] does.
async fn of_daemon(
    folder: &Path,
    size: u32,
    operator: &mut Operator,
    bare_cpu: f64,
    smaller: Option<f64>,
) -> anyhow::Result<f64> {
    let places = write_files(folder, &operator.sandbox)?;
    make_fleet(&places.state, size).await?;
    let mut usual = 0.0;
    for (bench, at) in [("sweep_first", BEGINS), ("sweep_again", BEGINS.plus(LATER))] {
        operator.set_time(at)?;
        all_due(&places.state, size, at).await?;
        let (took, written, memory) = sweep(&places, size, at).await?;
        let cpu = took.cpu_us_per(size as usize);
        let line = json!({
            "bench": bench, "cards": size, "per_s": short(took.per_s(size as usize)), "cpu_us_per": short(cpu),
            "bytes_per": short(written as f64 / f64::from(size)), "pss_mb": short(memory),
            "ratio_to": "sweep_baseline", "ratio": fine(cpu / bare_cpu),
            "ratio_to_smaller": smaller.filter(|_| at > BEGINS).map(|smaller| fine(cpu / smaller)),
        });
        println!("{line}");
        usual = cpu;
    }
    Ok(usual)
}

/// Runs the daemon on a clock that stands still while there is work, until every card has been read once.
async fn sweep(places: &Places, size: u32, at: UnixTime) -> anyhow::Result<(Took, u64, f64)> {
    // It opens a moment early: what is overdue at the start would be spread over minutes.
    let clock = Arc::new(Clock::stepped(at.minus(Secs(1)), A_DAY_TAKES));
    let daemon = Daemon::open(places.clone(), clock).await?;
    let (meter, before) = (Meter::start(), bytes_written()?);
    let running = tokio::spawn(daemon::run(Arc::clone(&daemon)));
    let last = CardId(i64::from(size));
    let read = move |poll: polls::Poll| poll.next_poll_at.is_some_and(|next| next > at);
    while !daemon.store.read(move |conn| polls::load(conn, last).map(read)).await? {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let memory = pss_mb()?;
    daemon.stop.cancel();
    running.await??;
    let (took, written) = (meter.took(), bytes_written()? - before);
    let store = Store::open_read_only(&places.state)?;
    let left =
        store.read(move |conn| Ok(polls::schedule(conn)?.iter().filter(|(_, next)| *next <= at).count())).await?;
    ensure!(left == 0, "{left} of {size} cards were not read");
    Ok((took, written, memory))
}

/// Asks about one card after the other with what the HTTP library offers, and drops the answers.
async fn ask_one_by_one(base: &str, count: u32) -> anyhow::Result<Took> {
    let client = reqwest::Client::builder().http1_only().no_proxy().build()?;
    let meter = Meter::start();
    let answers = futures_util::stream::iter(0..count).map(|card| {
        let request = client.get(format!("{base}/cards/{card}")).bearer_auth("sandbox-key");
        async move { anyhow::Ok(request.send().await?.error_for_status()?.bytes().await?.len()) }
    });
    let mut answers = answers.buffer_unordered(BASELINE_IN_FLIGHT);
    while let Some(bytes) = answers.next().await {
        ensure!(bytes? == DOCUMENT.len(), "an answer was cut");
    }
    Ok(meter.took())
}

fn write_files(folder: &Path, sandbox: &str) -> anyhow::Result<Places> {
    let (config, state) = (folder.join("config"), folder.join("state"));
    std::fs::create_dir_all(&config)?;
    std::fs::write(
        config.join("simkeeper.toml"),
        format!("currency = \"USD\"\n\n[operator.fleet]\nkind = \"sandbox\"\nbase_url = \"{sandbox}\"\n"),
    )?;
    // Limits that hardly a card reaches: this is about reading, not about telling.
    std::fs::write(
        config.join("rules.toml"),
        "[rule.watch]\nmode = \"watch\"\nrenew_when = { data_below = \"1 MB\", plan_ends_within = \"1h\" }\nwarn_before = [\"1h\"]\n",
    )?;
    Ok(Places { socket: folder.join("control.sock"), config, state, credentials: None })
}

async fn make_fleet(state: &Path, size: u32) -> anyhow::Result<()> {
    let store = Store::open(state, BEGINS.minus(Secs::DAY))?;
    for begin in (0..size).step_by(MADE_AT_ONCE as usize) {
        let cards: Vec<NewCard> = (begin..size.min(begin + MADE_AT_ONCE))
            .map(card)
            .collect::<Result<_, String>>()
            .map_err(anyhow::Error::msg)?;
        let add = move |conn: &simkeeper::store::Connection| {
            cards.iter().try_for_each(|card| cards::insert(conn, card, BEGINS).map(drop))
        };
        store.write(add).await?;
    }
    store.close().await;
    Ok(())
}

fn card(index: u32) -> Result<NewCard, String> {
    let mut card = NewCard::named(Name::parse(&format!("card-{index:07}"))?, Name::parse("fleet")?, Keeper::Command);
    card.iccid = Some(Iccid::parse(&Sandbox::fleet_iccid(index))?);
    card.labels = vec![Name::parse("fleet")?];
    card.zone = TimeZone::get("America/Toronto").map_err(|error| error.to_string())?;
    card.rule = Some(Name::parse("watch")?);
    Ok(card)
}

/// Makes every card due at `at`.
async fn all_due(state: &Path, size: u32, at: UnixTime) -> anyhow::Result<()> {
    let store = Store::open(state, at.minus(Secs::MINUTE))?;
    let all = move |conn: &simkeeper::store::Connection| -> Result<(), StoreError> {
        let due = |row| PollUpdate { card: CardId(row), seen: Seen::Nothing, next_poll_at: at, cycle: 1 };
        polls::save(conn, &(1..=i64::from(size)).map(due).collect::<Vec<_>>())
    };
    store.write(all).await?;
    store.close().await;
    Ok(())
}

/// Bytes that this process had written to disks.
fn bytes_written() -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/io")?;
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.context("/proc/self/io has no write_bytes")?.trim().parse()?)
}

/// This process's proportional share of memory.
fn pss_mb() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).context("smaps_rollup has no Pss")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1_024.0)
}

/// The operator's process: the sandbox, and a server of plain documents for the baseline.
struct Operator {
    process: Child,
    words: ChildStdin,
    answers: BufReader<ChildStdout>,
    sandbox: String,
    documents: String,
}

impl Operator {
    fn start() -> anyhow::Result<Self> {
        let mut process =
            Command::new(std::env::current_exe()?).arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let words = process.stdin.take().context("no way to the operator")?;
        let mut answers = BufReader::new(process.stdout.take().context("no way from the operator")?);
        let (sandbox, documents) = (line(&mut answers)?, line(&mut answers)?);
        Ok(Self { process, words, answers, sandbox, documents })
    }

    fn set_time(&mut self, now: UnixTime) -> anyhow::Result<()> {
        writeln!(self.words, "{}", now.secs())?;
        ensure!(line(&mut self.answers)? == "set", "the operator did not take the time");
        Ok(())
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn line(from: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    ensure!(line.ends_with('\n'), "the operator's process ended");
    Ok(line.trim().to_owned())
}

/// The operator's side: tells its two addresses, then takes the time from standard input until that ends.
async fn serve() -> anyhow::Result<()> {
    let now = Arc::new(AtomicI64::new(BEGINS.secs()));
    let told = Arc::clone(&now);
    let clock: sandbox::Clock = Arc::new(move || UnixTime::clamped(told.load(Ordering::Relaxed)));
    let settings = Settings { fleet: sandbox::FLEET_MAX, ..Settings::default() };
    let running = sandbox::serve(TcpListener::bind("127.0.0.1:0").await?, settings, clock).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}\nhttp://{}", running.base_url(), listener.local_addr()?);
    let document = || async { DOCUMENT.as_slice() };
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/cards/{card}", get(document))).await });
    tokio::task::spawn_blocking(move || {
        for line in std::io::stdin().lines() {
            now.store(line?.trim().parse()?, Ordering::Relaxed);
            println!("set");
        }
        anyhow::Ok(())
    })
    .await?
}
