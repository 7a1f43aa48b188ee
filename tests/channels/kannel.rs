//! A real Kannel with a network of its own, for user `keeper` with the password `right`.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::parts::{Running, free_port, listening, program, wait_for};

/// A phone that nobody answers for so long tries again.
const UNHEARD: Duration = Duration::from_secs(4);

/// Kannel: its core, its HTTP side, and a network with one phone.
pub(crate) struct Kannel {
    _boxes: Vec<Running>,
    /// Where texts are handed in.
    pub(crate) url: String,
    folder: tempfile::TempDir,
}

impl Kannel {
    /// Starts it; without a `network` its messages wait inside.
    pub(crate) fn start(network: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (admin, boxes, http, smsc) = (free_port(), free_port(), free_port(), free_port());
        let settings = format!(
            "group = core\nadmin-port = {admin}\nadmin-password = x\nadmin-interface = 127.0.0.1\nsmsbox-port = {boxes}\n\
             smsbox-interface = 127.0.0.1\nlog-level = 1\n\n\
             group = smsc\nsmsc = fake\nsmsc-id = fake1\nport = {smsc}\nconnect-allow-ip = 127.0.0.1\n\n\
             group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {http}\nsendsms-interface = 127.0.0.1\nlog-level = 1\n\n\
             group = sendsms-user\nusername = keeper\npassword = right\ndefault-sender = 12345\n\n\
             group = sms-service\nkeyword = default\nmax-messages = 0\ntext = \"x\"\n"
        );
        std::fs::write(folder.path().join("kannel.conf"), settings).unwrap();
        let start = |name: &str, arguments: &[&str]| {
            let log = File::create(folder.path().join(format!("{name}.log"))).unwrap();
            let mut command = Command::new(program(name));
            command.args(arguments).current_dir(folder.path());
            Running::start(command.stdout(log.try_clone().unwrap()).stderr(log))
        };
        let mut running = vec![start("bearerbox", &["-v", "1", "kannel.conf"])];
        listening(boxes);
        if network {
            listens(smsc);
            let phone = || start("fakesmsc", &["-r", &smsc.to_string(), "-m", "0", "1 2 text nop"]);
            running.push(connected(folder.path(), phone));
        }
        running.push(start("smsbox", &["-v", "1", "kannel.conf"]));
        listening(http);
        let kannel = Self { _boxes: running, url: format!("http://127.0.0.1:{http}/cgi-bin/sendsms"), folder };
        kannel.log_has("smsbox", "Connected to bearerbox");
        kannel.log_has("bearerbox", ": Client connected from");
        kannel
    }

    /// The line of a program's log that holds these words, once there is one.
    pub(crate) fn log_has(&self, name: &str, wanted: &str) -> String {
        let file = self.folder.path().join(format!("{name}.log"));
        wait_for(wanted, || {
            let log = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
            log.lines().find(|line| line.contains(wanted)).map(str::to_owned)
        })
    }
}

/// A phone that is in the network. On a busy machine the first one may come before the network takes any, and goes unheard.
fn connected(folder: &Path, phone: impl Fn() -> Running) -> Running {
    let (mut running, mut begun) = (phone(), Instant::now());
    wait_for("a phone in the network", || {
        let log = String::from_utf8_lossy(&std::fs::read(folder.join("bearerbox.log")).unwrap()).into_owned();
        if log.contains("Fakesmsc client connected") {
            return Some(());
        }
        if begun.elapsed() > UNHEARD || running.0.try_wait().unwrap().is_some() {
            (running, begun) = (phone(), Instant::now());
        }
        None
    });
    running
}

/// Waits until a port is listened at, without a connection: the network takes whoever comes first for its phone.
fn listens(port: u16) {
    let port = format!(":{port:04X}");
    wait_for("the network to listen", || {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let mut sockets = table.lines().map(|line| line.split_whitespace().skip(1));
        let listens = sockets.any(|mut words| {
            let (here, _, state) = (words.next(), words.next(), words.next());
            here.is_some_and(|here| here.ends_with(&port)) && state == Some("0A")
        });
        listens.then_some(())
    });
}
