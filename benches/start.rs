//! From the start of `simkeeper run` to READY=1, and what it costs to be idle: with five cards, and with ten thousand.
//!
//! The program is that of `SIMKEEPER`, which should be a release; without it, that of this build. Idle is watched for
//! `IDLE_SECS` (60): memory as proportional share, CPU, and how often its threads woke up.
// binary: release

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use simkeeper::daemon::clock::machine_millis;
use simkeeper::domain::card::{Keeper, Name};
use simkeeper::domain::identity::Iccid;
use simkeeper::domain::reading::{CardState, Reading};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::operators::tls::install_provider;
use simkeeper::sandbox::{self, Sandbox, Settings};
use simkeeper::store::Store;
use simkeeper::store::cards::{self, NewCard};
use simkeeper::store::polls::{self, PollUpdate, Seen};
use tokio::net::TcpListener;

/// Starts of each size; the middle one counts.
const STARTS: usize = 5;
/// After READY the first readings and deliveries are over by then.
const SETTLED: Duration = Duration::from_secs(5);

fn main() -> anyhow::Result<()> {
    install_provider();
    let folder = std::env::var_os("WORK").map_or_else(std::env::temp_dir, PathBuf::from).join("start");
    let idle_secs = std::env::var("IDLE_SECS").ok().map_or(Ok(60), |secs| secs.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let operator = runtime.block_on(async {
        let settings = Settings { fleet: sandbox::FLEET_MAX, ..Settings::default() };
        let clock = || UnixTime::clamped(machine_millis() / 1_000);
        anyhow::Ok(sandbox::serve(TcpListener::bind("127.0.0.1:0").await?, settings, std::sync::Arc::new(clock)).await?)
    })?;
    let floor = middle((0..STARTS).map(|_| version_millis()).collect::<Result<_, _>>()?);
    println!("{}", json!({"bench": "start_baseline", "what": "simkeeper --version", "ready_ms": fine(floor)}));
    for size in [5, 10_000] {
        drop(std::fs::remove_dir_all(&folder));
        make(&folder, size, &operator.base_url())?;
        let mut ready = Vec::new();
        for _ in 1..STARTS {
            ready.push(Running::start(&folder)?.stop()?);
        }
        let running = Running::start(&folder)?;
        std::thread::sleep(SETTLED);
        let memory = running.memory()?;
        let idle = running.idle(idle_secs)?;
        ready.push(running.stop()?);
        let ready = middle(ready);
        let line = json!({
            "bench": "start", "cards": size, "ready_ms": fine(ready), "ratio_to": "start_baseline", "ratio": fine(ready / floor),
            "pss_mb": fine(memory.proportional), "rss_mb": fine(memory.resident), "own_mb": fine(memory.own),
            "idle_cpu_ms_per_min": fine(idle.cpu_ms), "wakeups_per_min": fine(idle.wakeups), "threads": idle.threads,
        });
        println!("{line}");
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn program() -> PathBuf {
    std::env::var_os("SIMKEEPER").map_or_else(|| env!("CARGO_BIN_EXE_simkeeper").into(), PathBuf::from)
}

fn version_millis() -> anyhow::Result<f64> {
    let began = Instant::now();
    Command::new(program()).arg("--version").stdout(Stdio::null()).status()?;
    Ok(began.elapsed().as_secs_f64() * 1_000.0)
}

/// A number with three decimals, so that a line can be read.
fn fine(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A fleet that has just been read, so that nothing is due while the daemon is watched.
fn make(folder: &Path, size: u32, sandbox: &str) -> anyhow::Result<()> {
    let config = folder.join("config");
    std::fs::create_dir_all(&config)?;
    std::fs::write(
        config.join("simkeeper.toml"),
        format!("currency = \"USD\"\n\n[operator.fleet]\nkind = \"sandbox\"\nbase_url = \"{sandbox}\"\n"),
    )?;
    std::fs::write(
        config.join("rules.toml"),
        "[rule.watch]\nmode = \"watch\"\nrenew_when = { data_below = \"1 MB\" }\n",
    )?;
    let now = UnixTime::clamped(machine_millis() / 1_000);
    let store = Store::open(&folder.join("state"), now)?;
    store.write_blocking(move |conn| {
        for index in 0..size {
            let id = cards::insert(conn, &card(index), now)?;
            let seen = Seen::Good(Reading::empty(now, CardState::Active));
            polls::save(conn, &[PollUpdate { card: id, seen, next_poll_at: now.plus(Secs::hours(6)), cycle: 1 }])?;
        }
        Ok(())
    })?;
    store.close_blocking();
    Ok(())
}

#[expect(clippy::expect_used, reason = "the names are those of this file and are right")]
fn card(index: u32) -> NewCard {
    let name = |text: &str| Name::parse(text).expect("a name of this file");
    let mut card = NewCard::named(name(&format!("card-{index}")), name("fleet"), Keeper::Command);
    card.iccid = Iccid::parse(&Sandbox::fleet_iccid(index)).ok();
    card.rule = Some(name("watch"));
    card
}

/// Megabytes of a process.
struct Memory {
    /// Each page divided by the processes that share it.
    proportional: f64,
    /// Everything that is resident.
    resident: f64,
    /// What it alone has.
    own: f64,
}

/// What an idle minute costs.
struct Idle {
    cpu_ms: f64,
    wakeups: f64,
    threads: usize,
}

/// A daemon that has said that it is ready.
struct Running {
    process: Child,
    ready_millis: f64,
}

impl Running {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let told = folder.join("notify");
        drop(std::fs::remove_file(&told));
        let socket = UnixDatagram::bind(&told)?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        let began = Instant::now();
        let process = Command::new(program())
            .arg("run")
            .arg("--config")
            .arg(folder.join("config"))
            .arg("--state")
            .arg(folder.join("state"))
            .env("NOTIFY_SOCKET", &told)
            .env_remove("JOURNAL_STREAM")
            .stderr(std::fs::File::create(folder.join("log"))?)
            .spawn()?;
        let mut running = Self { process, ready_millis: 0.0 };
        let mut words = [0_u8; 4_096];
        loop {
            let length = socket.recv(&mut words).context("the daemon did not say that it is ready; see its log")?;
            if words[..length].split(|byte| *byte == b'\n').any(|word| word == b"READY=1") {
                running.ready_millis = began.elapsed().as_secs_f64() * 1_000.0;
                return Ok(running);
            }
        }
    }

    fn file(&self, name: &str) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(format!("/proc/{}/{name}", self.process.id()))?)
    }

    fn memory(&self) -> anyhow::Result<Memory> {
        let text = self.file("smaps_rollup")?;
        let megabytes = |names: &[&str]| -> f64 {
            let lines = text.lines().filter(|line| names.iter().any(|name| line.starts_with(name)));
            lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok()).sum::<f64>() / 1_024.0
        };
        let own = megabytes(&["Private_Clean:", "Private_Dirty:"]);
        Ok(Memory { proportional: megabytes(&["Pss:"]), resident: megabytes(&["Rss:"]), own })
    }

    /// Nanoseconds of CPU and switches of all threads, and how many threads there are.
    fn spent(&self) -> anyhow::Result<(f64, f64, usize)> {
        let (mut nanos, mut switches, mut threads) = (0.0, 0.0, 0);
        for task in std::fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let task = task?.path();
            // A thread may end between the two looks.
            let Ok(text) = std::fs::read_to_string(task.join("schedstat")) else { continue };
            nanos += text.split_whitespace().next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or_default();
            let status = std::fs::read_to_string(task.join("status")).unwrap_or_default();
            let woken = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            switches += woken.and_then(|count| count.trim().parse::<f64>().ok()).unwrap_or_default();
            threads += 1;
        }
        Ok((nanos, switches, threads))
    }

    fn idle(&self, secs: u64) -> anyhow::Result<Idle> {
        let (cpu_before, woken_before, _) = self.spent()?;
        std::thread::sleep(Duration::from_secs(secs));
        let (cpu, woken, threads) = self.spent()?;
        let minutes = secs as f64 / 60.0;
        Ok(Idle { cpu_ms: (cpu - cpu_before) / 1e6 / minutes, wakeups: (woken - woken_before) / minutes, threads })
    }

    fn stop(mut self) -> anyhow::Result<f64> {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::TERM)?;
        let ended = self.process.wait()?;
        ensure!(ended.success(), "the daemon ended with {ended}");
        Ok(self.ready_millis)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, unless something went wrong before.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
