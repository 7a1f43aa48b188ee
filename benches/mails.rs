//! Mails a second into Postfix's `smtp-sink` over one connection and over eight, with everything that makes them safe:
//! claimed from the durable queue, sent, settled, as the daemon's deliver round does it. Beside it `mails.c`, which sends
//! the same mail with nothing but sockets: no queue, nothing kept; each command answered before the next, and once more with
//! the envelope in one piece, as the daemon sends it where the server offers that. The first line says what making a mail
//! (both parts, every language) costs.

mod common;
#[path = "common/post.rs"]
mod post;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use common::{Meter, Took, fine, short};
use jiff::tz::TimeZone;
use post::{FROM, NOW, Sink, TO, all_taken, folder, named, post, waiting};
use serde_json::{Value, json};
use simkeeper::daemon::clock::Clock;
use simkeeper::daemon::deliver;
use simkeeper::domain::notice::Language;
use simkeeper::notify::{self, MailHeaders, Recipient, Thread};

/// Mails of each measurement.
const MAILS: usize = 20_000;
/// Connections to the server.
const CONNECTIONS: [usize; 2] = [1, 8];

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let folder = folder("mails")?;
    let sink = Sink::start()?;
    let mail = made()?;
    let yardstick = Yardstick::compile(&folder, &mail)?;
    for connections in CONNECTIONS {
        let bare = yardstick.run(sink.at, connections, "in-turn")?;
        tell("mails_c", connections, &bare, None);
        let at_once = yardstick.run(sink.at, connections, "at-once")?;
        tell("mails_c_at_once", connections, &at_once, Some(&bare));
        let kept = queued(&folder.join(format!("c{connections}")), sink.at, connections, &mail).await?;
        tell("mails", connections, &kept, Some(&bare));
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn tell(bench: &str, connections: usize, took: &Took, bare: Option<&Took>) {
    let ratio = bare.map(|bare| fine(took.per_s(MAILS) / bare.per_s(MAILS)));
    let (per_s, cpu) = (short(took.per_s(MAILS)), short(took.cpu_us_per(MAILS)));
    println!(
        "{}",
        json!({"bench": bench, "connections": connections, "per_s": per_s, "cpu_us_per": cpu, "ratio_to": "mails_c", "ratio": ratio})
    );
}

/// Makes every sample mail in every language, tells what one costs, and answers one of them.
fn made() -> anyhow::Result<Vec<u8>> {
    let stories = notify::samples();
    let recipient = |language| Recipient {
        person: named("anna"),
        address: TO.into(),
        language,
        zone: TimeZone::UTC,
        answers: simkeeper::domain::approval::Answering::ByNumber,
    };
    let people = Language::ALL.map(recipient);
    let thread = Some(Thread { root: "<card.1.1@example.net>".into() });
    let headers = MailHeaders { message_id: "<1@example.net>".into(), from: FROM.into(), thread, date: NOW };
    let (meter, mut count, mut last) = (Meter::start(), 0, Vec::new());
    while meter.took().secs < 1.0 {
        for story in &stories {
            for recipient in &people {
                last = notify::mail(story, recipient, &headers)?.bytes;
                count += 1;
            }
        }
    }
    let took = meter.took();
    let (per_s, cpu) = (short(took.per_s(count)), short(took.cpu_us_per(count)));
    println!("{}", json!({"bench": "mails_made", "per_s": per_s, "cpu_us_per": cpu, "bytes": last.len()}));
    Ok(last)
}

/// `mails.c`, compiled, and the mail that it sends.
struct Yardstick {
    program: PathBuf,
    mail: PathBuf,
}

impl Yardstick {
    fn compile(folder: &Path, mail: &[u8]) -> anyhow::Result<Self> {
        let (program, file) = (folder.join("mails-c"), folder.join("mail.eml"));
        std::fs::write(&file, mail)?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/mails.c");
        let compiled = Command::new("cc").args(["-O2", "-o"]).arg(&program).arg(source).arg("-lpthread").status();
        ensure!(compiled.context("cc cannot be started")?.success(), "mails.c was not compiled");
        Ok(Self { program, mail: file })
    }

    /// With each command answered before the next is said, or the whole envelope in one piece.
    fn run(&self, sink: SocketAddr, connections: usize, envelope: &str) -> anyhow::Result<Took> {
        let mut command = Command::new(&self.program);
        command.args([sink.ip().to_string(), sink.port().to_string(), connections.to_string(), MAILS.to_string()]);
        let output = command.args([FROM, TO]).arg(&self.mail).arg(envelope).output()?;
        ensure!(output.status.success(), "mails.c: {}", String::from_utf8_lossy(&output.stderr));
        let told: Value = serde_json::from_slice(&output.stdout)?;
        let number = |name: &str| told[name].as_f64().with_context(|| format!("mails.c did not tell {name}"));
        Ok(Took { secs: number("secs")?, cpu_secs: number("cpu_secs")? })
    }
}

/// The queue on disk, emptied over `connections`.
async fn queued(folder: &Path, sink: SocketAddr, connections: usize, mail: &[u8]) -> anyhow::Result<Took> {
    let store = waiting(folder, MAILS, mail).await?;
    let post = Arc::new(post(sink, connections)?);
    let meter = Meter::start();
    // In a task of its own, as the daemon's rounds start it.
    let (their_store, their_post) = (store.clone(), Arc::clone(&post));
    let clock = Clock::stepped(NOW, Duration::ZERO);
    tokio::spawn(async move { deliver(&their_store, &clock, &their_post).await }).await??;
    let took = meter.took();
    all_taken(&store).await?;
    post.channel.close().await;
    store.close().await;
    Ok(took)
}
