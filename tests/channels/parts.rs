//! What the tests share: programs, ports, waiting, and messages to send.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use simkeeper::domain::card::Name;
use simkeeper::domain::notice::{Language, NoticeKind};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::notify::{
    Channel, ChannelSettings, MailHeaders, Outgoing, Recipient, SmtpSettings, SmtpTls, mail, preview,
};

/// Where Debian puts what the tests need, beside the usual folders.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/usr/lib/kannel/test"];
/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The path of a program that a test cannot do without.
pub(crate) fn program(name: &str) -> PathBuf {
    let found = FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is missing; run tests/run, which installs it (tests/packages.txt)"))
}

/// A child process that ends with the test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Polls until there is something, or fails after [`PATIENCE`].
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A port that was free a moment ago, never the same twice, nor one that the world of the same program hands out. They lie
/// below those that the kernel hands out to outgoing connections (32768 and above on Linux), which would otherwise be taken
/// by another test's client.
pub(crate) fn free_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(97);
    wait_for("a free port", || {
        let number = begin.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % 6_000;
        let port = 26_000 + u16::try_from(number).unwrap();
        TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
    })
}

/// Waits until something listens there, by the kernel's table: a connection would count as one at the server.
pub(crate) fn listening(port: u16) {
    let place = format!(":{port:04X} ");
    wait_for("a server to listen", || {
        let tables =
            ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| std::fs::read_to_string(table).unwrap_or_default());
        let mut lines = tables.iter().flat_map(|table| table.lines());
        lines.any(|line| line.contains(&place) && line.contains(" 0A ")).then_some(())
    });
}

/// A mail as the queue holds it.
pub(crate) fn outgoing(id: &str) -> Outgoing {
    let recipient = Recipient {
        person: Name::parse("Anna Müller").unwrap(),
        address: "anna@example.net".to_owned(),
        language: Language::parse("zh-CN").unwrap(),
        zone: jiff::tz::TimeZone::UTC,
        answers: simkeeper::domain::approval::Answering::ByNumber,
    };
    let headers = MailHeaders {
        message_id: format!("<{id}@example.net>"),
        from: "simkeeper <keeper@example.net>".to_owned(),
        thread: None,
        date: UnixTime::parse("2026-12-18T09:30:00Z").unwrap(),
    };
    let finished = mail(&preview(NoticeKind::Bought)[0], &recipient, &headers).unwrap();
    Outgoing {
        id: id.to_owned(),
        address: recipient.address,
        sent_at: headers.date,
        from: headers.from,
        bytes: finished.bytes,
        expires_at: headers.date.plus(Secs::DAY),
        receipts: None,
    }
}

/// A text message.
pub(crate) fn text(to: &str, text: &str) -> Outgoing {
    Outgoing {
        id: "0193a1b2".to_owned(),
        address: to.to_owned(),
        sent_at: UnixTime::clamped(1_797_586_200),
        from: "+15005550006".to_owned(),
        bytes: text.as_bytes().to_vec(),
        expires_at: UnixTime::clamped(1_797_586_200).plus(Secs::DAY),
        receipts: None,
    }
}

/// Where a gateway is to report what became of a text.
pub(crate) const RECEIPTS: &str = "https://keeper.example.net/sms/word/0193a1b2";

/// The same text with that wish.
pub(crate) fn reported(text: Outgoing) -> Outgoing {
    Outgoing { receipts: Some(RECEIPTS.into()), ..text }
}

/// A mail server on this machine, without TLS.
pub(crate) fn plain_settings(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        tls: SmtpTls::None,
        login: None,
        ca_file: None,
        connections: 1,
        step_timeout: Duration::from_secs(10),
    }
}

pub(crate) fn smtp(settings: SmtpSettings) -> Channel {
    Channel::open(ChannelSettings::Smtp(settings)).unwrap()
}
