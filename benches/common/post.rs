//! A mail server that takes everything, and a queue of notices to it.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use simkeeper::config::Carries;
use simkeeper::daemon::live::Post;
use simkeeper::domain::card::Name;
use simkeeper::domain::notice::{DedupKey, NoticeKind};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::notify::{Channel, ChannelSettings, SmtpSettings, SmtpTls};
use simkeeper::store::Store;
use simkeeper::store::notices::{self, NewNotice};

use crate::common::Meter;

/// When everything happens.
pub(crate) const NOW: UnixTime = UnixTime::clamped(1_797_336_000);
/// Who mails come from.
pub(crate) const FROM: &str = "keeper@example.net";
/// Who mails go to.
pub(crate) const TO: &str = "anna@example.net";
/// Notices queued in one transaction.
const QUEUED_AT_ONCE: usize = 1_000;

/// Where a bench puts its files; made if it is not there.
pub(crate) fn folder(name: &str) -> anyhow::Result<PathBuf> {
    let folder = std::env::var_os("WORK").map_or_else(std::env::temp_dir, PathBuf::from).join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A record in `folder` with so many mails waiting.
pub(crate) async fn waiting(folder: &Path, count: usize, mail: &[u8]) -> anyhow::Result<Store> {
    let store = Store::open(folder, NOW)?;
    for begin in (0..count).step_by(QUEUED_AT_ONCE) {
        let notices: Vec<NewNotice> = (begin..begin + QUEUED_AT_ONCE).map(|number| notice(number, mail)).collect();
        let queue = move |conn: &simkeeper::store::Connection| {
            notices.iter().try_for_each(|notice| notices::enqueue(conn, notice).map(drop))
        };
        store.write(queue).await?;
    }
    Ok(store)
}

/// The channel to a server, with at most so many connections.
pub(crate) fn post(server: SocketAddr, connections: usize) -> anyhow::Result<Post> {
    let settings = SmtpSettings {
        host: server.ip().to_string(),
        port: server.port(),
        tls: SmtpTls::None,
        login: None,
        ca_file: None,
        connections,
        step_timeout: Duration::from_secs(10),
    };
    let channel = Channel::open(ChannelSettings::Smtp(settings))?;
    Ok(Post {
        name: named("mail"),
        channel,
        carries: Carries::Mail,
        from: FROM.to_owned(),
        through: None,
        texts: None,
        receipts: false,
        asks: false,
        last_asked: simkeeper::daemon::ask_receipts::LastAsked::default(),
    })
}

/// Fails unless everything was taken.
pub(crate) async fn all_taken(store: &Store) -> anyhow::Result<()> {
    let gauges = store.read(notices::gauges).await?;
    ensure!(gauges.depth == 0 && gauges.dead == 0, "not every mail was taken: {gauges:?}");
    Ok(())
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

#[expect(clippy::expect_used, reason = "the names are those of the benches and are right")]
pub(crate) fn named(name: &str) -> Name {
    Name::parse(name).expect("a name of a bench")
}

/// A mail server that takes everything and keeps nothing.
pub(crate) struct Sink {
    process: Child,
    /// Where it listens.
    pub(crate) at: SocketAddr,
}

impl Sink {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let at = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let program = if Path::new("/usr/sbin/smtp-sink").exists() { "/usr/sbin/smtp-sink" } else { "smtp-sink" };
        let user: &[&str] = if rustix::process::geteuid().is_root() { &["-u", "root"] } else { &[] };
        let process = Command::new(program)
            .args(user)
            .args([&at.to_string(), "64"])
            .env_remove("LD_PRELOAD")
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
