//! Mail over SMTP without TLS, and into a maildir.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mail_parser::MessageParser;
use simkeeper::notify::{Channel, ChannelSettings, Delivery};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::parts::{Running, free_port, listening, outgoing, plain_settings, program, smtp, wait_for};

/// A running `smtp-sink` that counts sessions.
struct Sink {
    _running: Running,
    counters: PathBuf,
}

impl Sink {
    /// Waits for the end of a session, then tells how many there were and how many mails they carried.
    fn sessions_and_mails(&self) -> (u32, u32) {
        let last = wait_for("a session to end", || {
            let text = std::fs::read_to_string(&self.counters).unwrap();
            text.split('\r').rfind(|line| line.contains("quit=") && !line.contains("quit=0")).map(str::to_owned)
        });
        let number = |name: &str| {
            let field = last.split_whitespace().find_map(|field| field.strip_prefix(name));
            field.unwrap_or_else(|| panic!("{last}")).parse().unwrap()
        };
        (number("sess="), number("mesg="))
    }
}

/// Starts `smtp-sink` with `options` on `port`.
fn sink(port: u16, folder: &Path, options: &[&str]) -> Sink {
    let user = if rustix::process::geteuid().is_root() { vec!["-u", "root"] } else { vec![] };
    let counters = folder.join("counters");
    let running = Running::start(
        Command::new(program("smtp-sink"))
            .args(user)
            .arg("-c")
            .args(options)
            .arg(format!("127.0.0.1:{port}"))
            .arg("64")
            .current_dir(folder)
            .stdout(File::create(&counters).unwrap()),
    );
    listening(port);
    Sink { _running: running, counters }
}

fn dumped(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| !file.ends_with("counters"));
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

#[tokio::test]
async fn many_mails_go_over_one_connection_and_arrive_as_stored() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let sink = sink(port, folder.path(), &["-d", "mail."]);
    let channel = smtp(plain_settings(port));
    for number in 0..50 {
        let delivery = channel.send(&outgoing(&format!("n-{number}"))).await;
        assert!(matches!(delivery, Delivery::Sent { .. }), "{delivery:?}");
    }
    channel.close().await;
    assert_eq!(sink.sessions_and_mails(), (1, 50));
    let mails = dumped(folder.path());
    assert_eq!(mails.len(), 50);
    let wanted = String::from_utf8(outgoing("n-0").bytes).unwrap().replace("\r\n", "\n");
    let found = mails.iter().find(|mail| mail.contains("<n-0@example.net>")).unwrap();
    assert!(found.contains(wanted.trim_end()), "{found}");
    let parsed = MessageParser::default().parse(found.as_bytes()).unwrap();
    assert!(parsed.body_text(0).unwrap().contains("12.50 USD"));
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let cases: [(&[&str], &str); 13] = [
        (&["-f", "RCPT"], "dead"),
        (&["-r", "RCPT"], "retry"),
        (&["-f", "MAIL"], "dead"),
        (&["-r", "MAIL"], "retry"),
        (&["-f", "DATA"], "dead"),
        (&["-f", "."], "dead"),
        (&["-r", "."], "retry"),
        (&["-q", "MAIL"], "retry"),
        (&["-q", "RCPT"], "retry"),
        (&["-q", "DATA"], "retry"),
        (&["-q", "."], "doubtful"),
        (&["-Q", "RCPT"], "retry"),
        (&["-f", "CONNECT"], "retry"),
    ];
    for (options, wanted) in cases {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let _sink = sink(port, folder.path(), options);
        let delivery = smtp(plain_settings(port)).send(&outgoing("n-1")).await;
        let got = match &delivery {
            Delivery::Sent { .. } => "sent",
            Delivery::Retry { .. } => "retry",
            Delivery::Dead { .. } => "dead",
            Delivery::Doubtful { .. } => "doubtful",
        };
        assert_eq!(got, wanted, "{options:?}: {delivery:?}");
    }
}

/// Whether the server takes the envelope in one piece, or one command at a time (`-p`).
#[tokio::test]
async fn a_refused_recipient_does_not_cost_the_connection() {
    for pace in [&[] as &[&str], &["-p"]] {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let refusing = [pace, &["-f", "RCPT", "-B", "550 5.1.1 no such user"]].concat();
        let sink = sink(port, folder.path(), &refusing);
        let channel = smtp(plain_settings(port));
        for number in 0..3 {
            let delivery = channel.send(&outgoing(&format!("n-{number}"))).await;
            let Delivery::Dead { why } = delivery else { panic!("{delivery:?}") };
            assert!(why.contains("550") && why.contains("no such user"), "{why}");
        }
        channel.close().await;
        assert_eq!(sink.sessions_and_mails().0, 1, "three mails, one session");
    }
}

/// A server that says `answers` to what it reads, one a line; tells in the end all that it read after the first answer.
async fn heard_by(answers: &'static [&'static str]) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        for answer in answers {
            socket.write_all(answer.as_bytes()).await.unwrap();
            if socket.read_buf(&mut heard).await.unwrap() == 0 {
                break;
            }
        }
        while socket.read_buf(&mut heard).await.is_ok_and(|count| count > 0) {}
        String::from_utf8(heard).unwrap()
    });
    (port, heard)
}

const PIPELINING: &str = "250-example.net\r\n250-PIPELINING\r\n250 8BITMIME\r\n";

/// What follows may come from a server that takes everything in one piece and answers as it likes.
#[tokio::test]
async fn an_envelope_in_one_piece_sends_nothing_that_was_refused() {
    let cases: [(&[&str], &str, bool); 5] = [
        (&["220 hello\r\n", PIPELINING, "250 ok\r\n250 ok\r\n354 go\r\n", "250 kept\r\n"], "Sent", true),
        // It waits for a mail to nobody.
        (&["220 hello\r\n", PIPELINING, "250 ok\r\n550 no such user\r\n354 go\r\n", ""], "Dead", false),
        (&["220 hello\r\n", PIPELINING, "250 ok\r\n450 later\r\n554 nobody\r\n", "250 reset\r\n"], "Retry", false),
        (&["220 hello\r\n", PIPELINING, "550 not you\r\n503 no\r\n503 no\r\n", "250 reset\r\n"], "Dead", false),
        (&["220 hello\r\n", PIPELINING, "250 ok\r\n250 ok\r\n451 full\r\n", "250 reset\r\n"], "Retry", false),
    ];
    for (answers, wanted, has_body) in cases {
        let (port, heard) = heard_by(answers).await;
        let channel = smtp(plain_settings(port));
        let delivery = channel.send(&outgoing("n-1")).await;
        assert!(format!("{delivery:?}").starts_with(wanted), "{answers:?}: {delivery:?}");
        drop(channel);
        let heard = heard.await.unwrap();
        assert!(heard.contains("RCPT TO:<"), "{heard}");
        assert_eq!(heard.contains("<n-1@example.net>"), has_body, "{heard}");
        assert_eq!(heard.contains("\r\n.\r\n"), has_body, "{heard}");
    }
}

#[tokio::test]
async fn commands_go_in_one_piece_only_to_a_server_that_offers_it() {
    for (hello, together) in [(PIPELINING, true), ("250-example.net\r\n250 8BITMIME\r\n", false)] {
        let answers: &[&str] = Box::leak(Box::new(["220 hello\r\n", hello, "550 not you\r\n"]));
        let (port, heard) = heard_by(answers).await;
        let settings =
            simkeeper::notify::SmtpSettings { step_timeout: Duration::from_millis(200), ..plain_settings(port) };
        smtp(settings).send(&outgoing("n-1")).await;
        let heard = heard.await.unwrap();
        assert_eq!(heard.contains("DATA\r\n"), together, "{heard}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let first = sink(port, folder.path(), &[]);
    let channel = smtp(plain_settings(port));
    assert!(matches!(channel.send(&outgoing("n-1")).await, Delivery::Sent { .. }));
    drop(first);
    let delivery = channel.send(&outgoing("n-2")).await;
    let Delivery::Retry { why, .. } = delivery else { panic!("{delivery:?}") };
    assert!(why.contains("127.0.0.1"), "{why}");
    let _second = sink(port, folder.path(), &[]);
    assert!(matches!(channel.send(&outgoing("n-2")).await, Delivery::Sent { .. }));
}

/// A server that says `lines`, each after it has read something, and then nothing more.
async fn silent_after(lines: &'static [&'static str]) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut seen = [0; 65_536];
        for line in lines {
            socket.write_all(line.as_bytes()).await.unwrap();
            assert!(socket.read(&mut seen).await.unwrap() > 0);
        }
        while socket.read(&mut seen).await.is_ok_and(|count| count > 0) {}
    });
    port
}

#[tokio::test]
async fn a_silent_server_is_left_in_time() {
    for (lines, doubtful) in [
        (&[] as &[&str], false),
        (&["220 hello\r\n"], false),
        (&["220 hello\r\n", "250 hello\r\n", "250 ok\r\n", "250 ok\r\n"], false),
        (&["220 hello\r\n", "250 hello\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"], true),
    ] {
        let port = silent_after(lines).await;
        let settings =
            simkeeper::notify::SmtpSettings { step_timeout: Duration::from_millis(200), ..plain_settings(port) };
        let delivery = smtp(settings).send(&outgoing("n-1")).await;
        match delivery {
            Delivery::Doubtful { .. } => assert!(doubtful, "{lines:?}"),
            Delivery::Retry { ref why, .. } => assert!(!doubtful && why.contains("no answer"), "{lines:?} {why}"),
            other => panic!("{lines:?} {other:?}"),
        }
    }
}

/// Another protocol, a line without end, or no text at all: nothing of it is taken for "yes".
#[tokio::test]
async fn a_server_that_speaks_nonsense_is_left_and_never_believed() {
    let line: &str = Box::leak("250-x".repeat(40_000).into_boxed_str());
    let endless: &[&str] = Box::leak(Box::new(["220 hello\r\n", line]));
    for (lines, doubtful) in [
        (&["SSH-2.0-OpenSSH_9.2p1\r\n"] as &[&str], false),
        (&["HTTP/1.1 400 Bad Request\r\n\r\n"], false),
        (&["\0\u{1b}[2J\r\n\r\n"], false),
        (endless, false),
        (&["220 hello\r\n", "250 hello\r\n", "999 what\r\n"], false),
        (&["220 hello\r\n", "250 hello\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "lovely weather\r\n"], true),
    ] {
        let port = silent_after(lines).await;
        let settings =
            simkeeper::notify::SmtpSettings { step_timeout: Duration::from_millis(500), ..plain_settings(port) };
        let delivery = smtp(settings).send(&outgoing("n-1")).await;
        let (why, fits) = match &delivery {
            Delivery::Doubtful { why } => (why, doubtful),
            Delivery::Retry { why, .. } => (why, !doubtful),
            other => panic!("{lines:?} {other:?}"),
        };
        assert!(fits && why.len() < 1_000 && !why.contains('\u{1b}'), "{lines:?} {delivery:?}");
    }
}

#[tokio::test]
async fn more_mails_than_connections_wait_their_turn() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let sink = sink(port, folder.path(), &[]);
    let channel = smtp(simkeeper::notify::SmtpSettings { connections: 2, ..plain_settings(port) });
    let channel = std::sync::Arc::new(channel);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..20 {
        let channel = std::sync::Arc::clone(&channel);
        tasks.spawn(async move { channel.send(&outgoing(&format!("n-{number}"))).await });
    }
    for delivery in tasks.join_all().await {
        assert!(matches!(delivery, Delivery::Sent { .. }), "{delivery:?}");
    }
    channel.close().await;
    let (sessions, mails) = sink.sessions_and_mails();
    assert!(sessions <= 2 && mails == 20, "{sessions} sessions carried {mails}");
}

#[tokio::test]
async fn nothing_but_this_machine_is_spoken_to_in_clear() {
    let settings = simkeeper::notify::SmtpSettings { host: "mail.example.net".to_owned(), ..plain_settings(25) };
    let error = Channel::open(ChannelSettings::Smtp(settings)).unwrap_err().to_string();
    assert!(error.contains("tls") && error.contains("\"starttls\""), "{error}");
    let settings = simkeeper::notify::SmtpSettings { connections: 0, ..plain_settings(25) };
    assert!(Channel::open(ChannelSettings::Smtp(settings)).unwrap_err().to_string().contains("1 and 32"));
}

#[tokio::test]
async fn a_maildir_holds_each_mail_once() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("mails");
    let channel = Channel::open(ChannelSettings::Maildir { folder: folder.clone() }).unwrap();
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let message = outgoing("0193a1b2-1");
    for _ in 0..2 {
        assert!(matches!(channel.send(&message).await, Delivery::Sent { .. }));
    }
    let new: Vec<_> = std::fs::read_dir(folder.join("new")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(new.len(), 1);
    assert_eq!(std::fs::read(&new[0]).unwrap(), message.bytes);
    assert_eq!(std::fs::metadata(&new[0]).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.join("tmp")).unwrap().count(), 0);
    // A mail program moved it: it counts as delivered all the same.
    let read = folder.join("cur").join(format!("{}:2,S", new[0].file_name().unwrap().to_string_lossy()));
    std::fs::rename(&new[0], read).unwrap();
    assert!(matches!(channel.send(&message).await, Delivery::Sent { .. }));
    assert_eq!(std::fs::read_dir(folder.join("new")).unwrap().count(), 0);
    // An id cannot lead out of the folder.
    let odd = simkeeper::notify::Outgoing { id: "../../evil".to_owned(), ..message };
    assert!(matches!(channel.send(&odd).await, Delivery::Sent { .. }));
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_maildir_that_cannot_be_written_is_tried_again() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("mails");
    let channel = Channel::open(ChannelSettings::Maildir { folder: folder.clone() }).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(matches!(channel.send(&outgoing("n-1")).await, Delivery::Retry { .. }));
    std::fs::write(root.path().join("file"), "").unwrap();
    let error = Channel::open(ChannelSettings::Maildir { folder: root.path().join("file") }).unwrap_err();
    assert!(error.to_string().contains("folder"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_gone_is_tried_again() {
    let port = free_port();
    let delivery = smtp(plain_settings(port)).send(&outgoing("n-1")).await;
    assert!(matches!(delivery, Delivery::Retry { .. }), "{delivery:?}");
}
