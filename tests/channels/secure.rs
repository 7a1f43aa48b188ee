//! Mail over TLS with a login, into aiosmtpd.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use secrecy::SecretString;
use simkeeper::notify::{Channel, ChannelSettings, Delivery, Login, SmtpSettings, SmtpTls};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::parts::{Running, free_port, listening, outgoing, plain_settings, program, smtp};

/// A certificate authority and a certificate of it for `name`.
pub(crate) struct Certificates {
    pub(crate) authority: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

fn openssl(folder: &Path, line: &[&str]) {
    let made = Command::new(program("openssl")).args(line).current_dir(folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

pub(crate) fn certificates(folder: &Path, name: &str) -> Certificates {
    let new_key = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    let authority = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority"];
    openssl(folder, &[&new_key[..], &authority].concat());
    let alternative = format!("subjectAltName=DNS:{name}");
    let leaf = [
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
        "-subj",
        "/CN=test server",
        "-addext",
        &alternative,
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ];
    openssl(folder, &[&new_key[..], &leaf].concat());
    Certificates { authority: folder.join("ca.pem"), certificate: folder.join("cert.pem"), key: folder.join("key.pem") }
}

/// A running server: its port, and the folder where it keeps mails.
struct Server {
    _running: Running,
    port: u16,
    folder: tempfile::TempDir,
    authority: PathBuf,
}

fn server(way: &str, name: &str) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let made = certificates(folder.path(), name);
    let mails = folder.path().join("mails");
    std::fs::create_dir(&mails).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/smtp_tls.py");
    let mut running = Running::start(
        Command::new(program("python3"))
            .arg(script)
            .arg(way)
            .args([&made.certificate, &made.key, &mails])
            .stdout(Stdio::piped()),
    );
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().strip_prefix("PORT ").and_then(|port| port.parse().ok());
    let port = port.expect("aiosmtpd did not start; run tests/run, which installs python3-aiosmtpd");
    Server { _running: running, port, authority: made.authority, folder }
}

fn settings(server: &Server, tls: SmtpTls, password: &str) -> SmtpSettings {
    SmtpSettings {
        host: "localhost".to_owned(),
        tls,
        login: Some(Login { user: "keeper".to_owned(), password: SecretString::from(password) }),
        ca_file: Some(server.authority.clone()),
        ..plain_settings(server.port)
    }
}

fn kept(server: &Server) -> Vec<(serde_json::Value, String)> {
    let mut files: Vec<_> =
        std::fs::read_dir(server.folder.path().join("mails")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        let (about, mail) = text.split_once('\n').unwrap();
        (serde_json::from_str(about).unwrap(), mail.to_owned())
    };
    files.iter().map(read).collect()
}

#[tokio::test]
async fn mails_go_encrypted_and_logged_in_over_one_connection() {
    for (way, tls) in [("starttls", SmtpTls::Starttls), ("implicit", SmtpTls::Implicit)] {
        let server = server(way, "localhost");
        let channel = smtp(settings(&server, tls, "right password"));
        for number in 0..3 {
            let delivery = channel.send(&outgoing(&format!("n-{number}"))).await;
            let Delivery::Sent { remote } = delivery else { panic!("{way}: {delivery:?}") };
            assert!(remote.contains("kept as"), "{remote}");
        }
        channel.close().await;
        let mails = kept(&server);
        assert_eq!(mails.len(), 3, "{way}");
        for (number, (about, mail)) in mails.iter().enumerate() {
            assert_eq!(about["user"], "keeper");
            assert_eq!(about["tls"], true);
            assert_eq!(about["sessions"], 1, "one connection for all");
            assert_eq!(about["from"], "keeper@example.net");
            assert_eq!(about["to"][0], "anna@example.net");
            let wanted = String::from_utf8(outgoing(&format!("n-{number}")).bytes).unwrap();
            assert_eq!(mail.trim_end(), wanted.trim_end(), "the stored bytes");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_without_showing_it() {
    for (way, tls) in [("starttls", SmtpTls::Starttls), ("implicit", SmtpTls::Implicit)] {
        let server = server(way, "localhost");
        let channel = smtp(settings(&server, tls, "marker-4711"));
        assert!(!format!("{channel:?}").contains("marker-4711"));
        let delivery = channel.send(&outgoing("n-1")).await;
        let Delivery::Retry { why, .. } = &delivery else { panic!("{delivery:?}") };
        assert!(why.contains("login as keeper failed") && why.contains("535"), "{why}");
        assert!(!format!("{delivery:?}").contains("marker-4711"));
        assert!(kept(&server).is_empty());
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_or_for_another_name_stops_the_mail() {
    for (way, tls) in [("starttls", SmtpTls::Starttls), ("implicit", SmtpTls::Implicit)] {
        let stranger = server(way, "localhost");
        let without_root = SmtpSettings { ca_file: None, ..settings(&stranger, tls, "right password") };
        let other = server(way, "mail.example.net");
        let other_name = settings(&other, tls, "right password");
        for (server, settings) in [(&stranger, without_root), (&other, other_name)] {
            let delivery = smtp(settings).send(&outgoing("n-1")).await;
            let Delivery::Retry { why, .. } = delivery else { panic!("{delivery:?}") };
            assert!(why.contains("no secure connection"), "{why}");
            assert!(kept(server).is_empty());
        }
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let user = if rustix::process::geteuid().is_root() { vec!["-u", "root"] } else { vec![] };
    let _sink = Running::start(
        Command::new(program("smtp-sink"))
            .args(user)
            .args(["-d", "mail.", &format!("127.0.0.1:{port}"), "8"])
            .current_dir(folder.path()),
    );
    listening(port);
    let settings = SmtpSettings { tls: SmtpTls::Starttls, ..plain_settings(port) };
    let delivery = smtp(settings).send(&outgoing("n-1")).await;
    let Delivery::Retry { why, .. } = delivery else { panic!("{delivery:?}") };
    assert!(why.contains("offers no STARTTLS"), "{why}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_without_roots_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roots.pem");
    std::fs::write(&file, "nothing\n").unwrap();
    let settings = SmtpSettings { tls: SmtpTls::Starttls, ca_file: Some(file), ..plain_settings(587) };
    let error = Channel::open(ChannelSettings::Smtp(settings)).unwrap_err().to_string();
    assert!(error.contains("ca_file") && error.contains("BEGIN CERTIFICATE"), "{error}");
}

/// Whoever sits on the line may add answers to the one that begins TLS; nothing said in clear may count afterwards.
#[tokio::test]
async fn answers_slipped_in_before_tls_end_the_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut seen = [0; 1_024];
        for line in ["220 hello\r\n", "250-hello\r\n250 STARTTLS\r\n", "220 go\r\n250 slipped in\r\n"] {
            socket.write_all(line.as_bytes()).await.unwrap();
            assert!(socket.read(&mut seen).await.unwrap() > 0);
        }
    });
    let settings = SmtpSettings { tls: SmtpTls::Starttls, ..plain_settings(port) };
    let delivery = smtp(settings).send(&outgoing("n-1")).await;
    let Delivery::Retry { why, .. } = delivery else { panic!("{delivery:?}") };
    assert!(why.contains("not safe before TLS"), "{why}");
}
