//! Mails a second into Postfix's `smtp-sink` over one connection and over eight, with everything that makes them safe:
//! claimed from the durable queue, sent, settled, as the daemon's deliver round does it. Beside it the mail library alone
//! on a socket like ours: no queue, nothing kept. A third line says what making a mail (both parts, two languages) costs.

mod common;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use common::{Meter, Took, fine, short};
use jiff::tz::TimeZone;
use lettre::address::{Address, Envelope};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use serde_json::json;
use simkeeper::config::Carries;
use simkeeper::daemon::clock::Clock;
use simkeeper::daemon::deliver;
use simkeeper::daemon::live::Post;
use simkeeper::domain::card::Name;
use simkeeper::domain::notice::{DedupKey, Language, NoticeKind};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::notify::{self, Channel, ChannelSettings, MailHeaders, Recipient, SmtpSettings, SmtpTls, Thread};
use simkeeper::store::Store;
use simkeeper::store::notices::{self, NewNotice};
use tokio::net::TcpStream;

const NOW: UnixTime = UnixTime::clamped(1_797_336_000);
/// Mails of each measurement.
const MAILS: usize = 20_000;
/// Notices queued in one transaction.
const QUEUED_AT_ONCE: usize = 1_000;
/// Connections to the server.
const CONNECTIONS: [usize; 2] = [1, 8];
const FROM: &str = "keeper@example.net";
const TO: &str = "anna@example.net";

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::var_os("WORK").map_or_else(std::env::temp_dir, PathBuf::from).join("mails");
    std::fs::create_dir_all(&folder)?;
    let sink = Sink::start()?;
    let mail = made()?;
    for connections in CONNECTIONS {
        let bare = alone(sink.at, connections, &mail).await?;
        tell("mails_baseline", connections, &bare, None);
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
        json!({"bench": bench, "connections": connections, "per_s": per_s, "cpu_us_per": cpu, "ratio_to": "mails_baseline", "ratio": ratio})
    );
}

/// Makes every sample mail in both languages, tells what one costs, and answers one of them.
fn made() -> anyhow::Result<Vec<u8>> {
    let stories = notify::samples();
    let recipient =
        |language| Recipient { person: named("anna"), address: TO.into(), language, zone: TimeZone::UTC, ticket: None };
    let (english, chinese) = (recipient(Language::En), recipient(Language::ZhCn));
    let thread = Some(Thread { root: "<card.1.1@example.net>".into() });
    let headers = MailHeaders { message_id: "<1@example.net>".into(), from: FROM.into(), thread, date: NOW };
    let (meter, mut count, mut last) = (Meter::start(), 0, Vec::new());
    while meter.took().secs < 1.0 {
        for story in &stories {
            for recipient in [&chinese, &english] {
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

/// The library, and nothing else: each connection sends its share, one mail after the other.
async fn alone(sink: SocketAddr, connections: usize, mail: &[u8]) -> anyhow::Result<Took> {
    let envelope = Envelope::new(Some(FROM.parse::<Address>()?), vec![TO.parse()?])?;
    let meter = Meter::start();
    let senders: Vec<_> = (0..connections)
        .map(|_| {
            let (envelope, mail) = (envelope.clone(), mail.to_vec());
            tokio::spawn(async move {
                let socket = TcpStream::connect(sink).await?;
                socket.set_nodelay(true)?;
                let hello = ClientId::default();
                let mut way = AsyncSmtpConnection::connect_with_transport(Box::new(socket), &hello).await?;
                for _ in 0..MAILS / connections {
                    way.send(&envelope, &mail).await?;
                }
                anyhow::Ok(way.quit().await.map(drop)?)
            })
        })
        .collect();
    for sender in senders {
        sender.await??;
    }
    Ok(meter.took())
}

/// The queue on disk, emptied over `connections`.
async fn queued(folder: &Path, sink: SocketAddr, connections: usize, mail: &[u8]) -> anyhow::Result<Took> {
    let store = Store::open(folder, NOW)?;
    for begin in (0..MAILS).step_by(QUEUED_AT_ONCE) {
        let notices: Vec<NewNotice> = (begin..begin + QUEUED_AT_ONCE).map(|number| notice(number, mail)).collect();
        let queue = move |conn: &simkeeper::store::Connection| {
            notices.iter().try_for_each(|notice| notices::enqueue(conn, notice).map(drop))
        };
        store.write(queue).await?;
    }
    let settings = SmtpSettings {
        host: sink.ip().to_string(),
        port: sink.port(),
        tls: SmtpTls::None,
        login: None,
        ca_file: None,
        connections,
        step_timeout: Duration::from_secs(10),
    };
    let channel = Channel::open(ChannelSettings::Smtp(settings))?;
    let post = Arc::new(Post {
        name: named("mail"),
        channel,
        carries: Carries::Mail,
        from: FROM.to_owned(),
        through: None,
        texts: None,
    });
    let clock = Clock::stepped(NOW, Duration::ZERO);
    let (meter, task_store, task_post) = (Meter::start(), store.clone(), Arc::clone(&post));
    tokio::spawn(async move { deliver(&task_store, &clock, &task_post).await }).await??;
    let took = meter.took();
    let gauges = store.read(notices::gauges).await?;
    ensure!(gauges.depth == 0 && gauges.dead == 0, "not every mail was taken: {gauges:?}");
    post.channel.close().await;
    store.close().await;
    Ok(took)
}

fn notice(number: usize, mail: &[u8]) -> NewNotice {
    NewNotice {
        key: DedupKey { kind: NoticeKind::Test, card: None, cycle: 0, step: number.to_string() },
        person: named("anna"),
        channel: named("mail"),
        address: TO.to_owned(),
        subject: "A plan ends soon".to_owned(),
        message_id: format!("<{number}@example.net>"),
        bytes: mail.to_vec(),
        urgent: false,
        resend_costs: false,
        attempt: None,
        created_at: NOW,
        send_at: NOW,
        expires_at: NOW.plus(Secs::DAY),
    }
}

#[expect(clippy::expect_used, reason = "the names are those of this file and are right")]
fn named(name: &str) -> Name {
    Name::parse(name).expect("a name of this file")
}

/// A mail server that takes everything and keeps nothing.
struct Sink {
    process: Child,
    at: SocketAddr,
}

impl Sink {
    fn start() -> anyhow::Result<Self> {
        let at = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let program = if Path::new("/usr/sbin/smtp-sink").exists() { "/usr/sbin/smtp-sink" } else { "smtp-sink" };
        let user: &[&str] = if rustix::process::geteuid().is_root() { &["-u", "root"] } else { &[] };
        let process = Command::new(program)
            .args(user)
            .args([&at.to_string(), "64"])
            .stdout(Stdio::null())
            .spawn()
            .context("smtp-sink cannot be started; it comes with the package postfix")?;
        let sink = Self { process, at };
        let begun = Meter::start();
        while std::net::TcpStream::connect(at).is_err() {
            ensure!(begun.took().secs < 10.0, "smtp-sink does not listen on {at}");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(sink)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
