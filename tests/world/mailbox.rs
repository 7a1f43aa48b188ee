//! Where mails arrive: a maildir, or a real mail server of Debian's packages.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use mail_parser::MessageParser;

use super::wait_for;

/// A mail as a person sees it.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

impl Mail {
    /// Whether its subject and text together hold all of these words.
    pub(crate) fn says(&self, words: &[&str]) -> bool {
        let whole = format!("{}\n{}", self.subject, self.text);
        words.iter().all(|word| whole.contains(word))
    }
}

/// The mails in these files; one that is being written is not there yet.
pub(crate) fn in_folder(folder: &Path) -> Vec<Mail> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files.iter().filter_map(|file| parsed(&std::fs::read(file).ok()?)).collect()
}

fn parsed(bytes: &[u8]) -> Option<Mail> {
    let message = MessageParser::default().parse(bytes)?;
    Some(Mail {
        id: message.message_id()?.to_owned(),
        subject: message.subject().unwrap_or_default().to_owned(),
        text: message.body_text(0).unwrap_or_default().into_owned(),
    })
}

/// The path of a program of Debian's packages.
pub(crate) fn debian(name: &str) -> PathBuf {
    let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/usr/lib/kannel/test"];
    let found = folders.iter().map(|folder| Path::new(folder).join(name));
    let found = found.into_iter().find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is missing; run tests/run, which installs it (tests/packages.txt)"))
}

/// A port that was free a moment ago, never the same twice. They lie below those that the kernel hands out to outgoing
/// connections (32768 and above on Linux): among thousands of those, one would be taken by a client before its server
/// comes up.
pub(crate) fn free_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(97);
    wait_for("a free port", || {
        let number = begin.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % 6_000;
        let port = 20_000 + u16::try_from(number).expect("small");
        TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
    })
}

/// Waits until something listens there, by the kernel's table: connecting to see would be a session.
pub(crate) fn listens(what: &str, port: u16) {
    let wanted = format!(":{port:04X} ");
    wait_for(what, || {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
        let mut lines = tables.iter().flat_map(|table| table.lines());
        lines.any(|line| line.contains(&wanted) && line.contains(" 0A ")).then_some(())
    });
}

/// Postfix's `smtp-sink`: takes mails as its options say, and keeps each in a file.
pub(crate) struct Sink {
    child: Child,
    folder: PathBuf,
}

impl Sink {
    /// Listens on `port` and keeps mails in `folder`.
    pub(crate) fn start(port: u16, folder: &Path, options: &[&str]) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let user = if rustix::process::geteuid().is_root() { vec!["-u", "root"] } else { vec![] };
        let mut command = Command::new(debian("smtp-sink"));
        command.args(user).args(options).args(["-d", "mail."]).arg(format!("127.0.0.1:{port}")).arg("64");
        let child = command.current_dir(folder).stdin(Stdio::null()).spawn().expect("smtp-sink");
        listens("smtp-sink to listen", port);
        Self { child, folder: folder.to_owned() }
    }

    /// What it has taken.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        in_folder(&self.folder)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// aiosmtpd with TLS and a login, of which the word is `right password`.
pub(crate) struct SecureServer {
    child: Child,
    pub(crate) port: u16,
    folder: tempfile::TempDir,
}

impl SecureServer {
    /// `way` is `starttls` or `implicit`.
    pub(crate) fn start(way: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        certificates(folder.path(), Certificate::Good);
        let mails = folder.path().join("mails");
        std::fs::create_dir(&mails).expect("a folder");
        let port_file = folder.path().join("port");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/smtp_tls.py");
        let mut command = Command::new(debian("python3"));
        command.arg(script).arg(way).args([folder.path().join("cert.pem"), folder.path().join("key.pem"), mails]);
        // It tells of every client that hangs up, and here they die by the hundred.
        command.stdin(Stdio::null()).stdout(File::create(&port_file).expect("a file")).stderr(Stdio::null());
        let child = command.spawn().expect("python3");
        let port = wait_for("aiosmtpd (tests/run installs python3-aiosmtpd)", || {
            let said = std::fs::read_to_string(&port_file).ok()?;
            said.strip_suffix('\n')?.strip_prefix("PORT ")?.parse().ok()
        });
        Self { child, port, folder }
    }

    /// The root certificate that vouches for it.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// For each mail, what is known of its session, and the mail.
    pub(crate) fn mails(&self) -> Vec<(serde_json::Value, Mail)> {
        let Ok(entries) = std::fs::read_dir(self.folder.path().join("mails")) else { return Vec::new() };
        let whole = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("mail-")));
        whole
            .filter_map(|path| {
                let text = std::fs::read_to_string(path).ok()?;
                let (about, mail) = text.split_once('\n')?;
                Some((serde_json::from_str(about).ok()?, parsed(mail.as_bytes())?))
            })
            .collect()
    }
}

impl Drop for SecureServer {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// What a server's certificate is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// For `localhost`, from the root.
    Good,
    /// For another name.
    OtherName,
    /// Over for years.
    Expired,
    /// Good, of a root that nobody was told to trust.
    Strangers,
}

/// `openssl ca` alone makes certificates that are over.
const AUTHORITY: &str = "[ca]\ndefault_ca = d\n[d]\nnew_certs_dir = .\ndatabase = index.txt\nserial = serial\n\
    rand_serial = yes\ndefault_md = sha256\npolicy = p\nx509_extensions = e\n[p]\ncommonName = supplied\n\
    [e]\nbasicConstraints = critical, CA:FALSE\nsubjectAltName = DNS:";

/// Makes `ca.pem`, a root, and `cert.pem` with `key.pem`, a certificate of it.
pub(crate) fn certificates(folder: &Path, certificate: Certificate) {
    let (name, from, to) = match certificate {
        Certificate::Good | Certificate::Strangers => ("localhost", "20200101000000Z", "20490101000000Z"),
        Certificate::OtherName => ("other.example", "20200101000000Z", "20490101000000Z"),
        Certificate::Expired => ("localhost", "20200101000000Z", "20200201000000Z"),
    };
    std::fs::write(folder.join("ca.cnf"), format!("{AUTHORITY}{name}\n")).expect("written");
    std::fs::write(folder.join("index.txt"), "").expect("written");
    let new_key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for line in [
        format!("req -x509 {new_key} -days 2 -keyout ca.key -out ca.pem -subj /CN=authority"),
        format!("req -new {new_key} -keyout key.pem -out leaf.csr -subj /CN=server"),
        format!(
            "ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key -in leaf.csr -out cert.pem -startdate {from} -enddate {to}"
        ),
    ] {
        let made = Command::new(debian("openssl")).args(line.split(' ')).current_dir(folder).output().expect("openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}
