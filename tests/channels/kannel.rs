//! A real Kannel with a network of its own, for user `keeper` with the password `right`.

use std::fs::File;
use std::process::Command;

use crate::parts::{Running, free_port, listening, program, wait_for};

/// Kannel: its core, its HTTP side, and a network with one phone. Numbers that begin with +1999 lie behind another gateway,
/// which is Kannel itself, asked with a wrong password: it refuses their texts after Kannel took them.
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
        let (admin, boxes, http, smsc, next) = (free_port(), free_port(), free_port(), free_port(), free_port());
        let settings = format!(
            "group = core\nadmin-port = {admin}\nadmin-password = x\nadmin-interface = 127.0.0.1\nsmsbox-port = {boxes}\n\
             smsbox-interface = 127.0.0.1\nlog-level = 1\n\n\
             group = smsc\nsmsc = fake\nsmsc-id = fake1\nport = {smsc}\nconnect-allow-ip = 127.0.0.1\n\
             denied-prefix = 1999;+1999\n\n\
             group = smsc\nsmsc = http\nsmsc-id = next\nsystem-type = kannel\nsmsc-username = keeper\nsmsc-password = wrong\n\
             port = {next}\nsend-url = http://127.0.0.1:{http}/cgi-bin/sendsms\nallowed-prefix = 1999;+1999\n\n\
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
            listening(smsc);
            running.push(start("fakesmsc", &["-r", &smsc.to_string(), "-m", "0", "1 2 text nop"]));
        }
        running.push(start("smsbox", &["-v", "1", "kannel.conf"]));
        listening(http);
        let kannel = Self { _boxes: running, url: format!("http://127.0.0.1:{http}/cgi-bin/sendsms"), folder };
        if network {
            kannel.log_has("bearerbox", "Fakesmsc client connected");
        }
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
