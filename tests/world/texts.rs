//! Where text messages arrive: a real Kannel with a network of its own, whose one phone counts them.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::mailbox::{debian, free_port, listens};
use super::wait_for;

/// Kannel: its core, its HTTP side, and the network.
pub(crate) struct Kannel {
    boxes: Vec<Child>,
    http: u16,
    folder: tempfile::TempDir,
}

impl Kannel {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (admin, boxes, http, smsc) = (free_port(), free_port(), free_port(), free_port());
        let settings = format!(
            "group = core\nadmin-port = {admin}\nadmin-password = x\nadmin-interface = 127.0.0.1\nsmsbox-port = {boxes}\n\
             smsbox-interface = 127.0.0.1\nlog-level = 1\n\n\
             group = smsc\nsmsc = fake\nsmsc-id = fake1\nport = {smsc}\nconnect-allow-ip = 127.0.0.1\n\n\
             group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {http}\nsendsms-interface = 127.0.0.1\nlog-level = 1\n\n\
             group = sendsms-user\nusername = keeper\npassword = right\ndefault-sender = 12345\nmax-messages = 1\n\
             concatenation = false\n\n\
             group = sms-service\nkeyword = default\nmax-messages = 0\ntext = \"x\"\n"
        );
        std::fs::write(folder.path().join("kannel.conf"), settings).expect("written");
        let mut kannel = Self { boxes: Vec::new(), http, folder };
        kannel.run("bearerbox", &["-v", "1", "kannel.conf"]);
        listens("bearerbox to listen", boxes);
        listens("its network to listen", smsc);
        kannel.run("fakesmsc", &["-r", &smsc.to_string(), "-m", "0", "1 2 text nop"]);
        kannel.run("smsbox", &["-v", "1", "kannel.conf"]);
        listens("smsbox to listen", http);
        kannel.says("bearerbox", "Fakesmsc client connected");
        kannel.says("smsbox", "Connected to bearerbox");
        kannel
    }

    /// A channel of `simkeeper.toml`, with its password in a file of `secrets`. A text begins with its id, so that copies of one are told from two that say the
    /// same; what does not fit into one message is cut off.
    pub(crate) fn channel(&self, secrets: &Path) -> String {
        let password = secrets.join("kannel");
        std::fs::write(&password, "right\n").expect("written");
        std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).expect("closed to others");
        format!(
            "[channel.sms]\nkind = \"gateway\"\nmethod = \"get\"\nurl = \"http://127.0.0.1:{}/cgi-bin/sendsms\"\n\
             query = {{ username = \"keeper\", password = {{ file = \"{}\" }}, to = \"{{to}}\", \
             text = \"{{id}} {{text}}\", coding = \"{{coding}}\", charset = \"UTF-8\", dlr-mask = \"0\" }}\n\
             success_status = [202]\nsuccess_prefix = [\"0:\", \"3:\"]\n",
            self.http,
            password.display()
        )
    }

    /// How often each id has arrived at a number; Kannel leaves its plus out.
    pub(crate) fn texts_to(&self, number: &str) -> BTreeMap<String, usize> {
        let mut arrived = BTreeMap::new();
        let to = format!(" {} text ", number.trim_start_matches('+'));
        for line in read(self.folder.path(), "fakesmsc").lines().filter(|line| line.contains("Got message")) {
            let Some((_, text)) = line.split_once(&to) else { continue };
            let id = text.split(' ').next().unwrap_or_default();
            *arrived.entry(id.to_owned()).or_insert(0) += 1;
        }
        arrived
    }

    fn run(&mut self, name: &str, arguments: &[&str]) {
        let log = File::create(self.folder.path().join(format!("{name}.log"))).expect("a log");
        let mut command = Command::new(debian(name));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a log")).stderr(log);
        self.boxes.push(command.spawn().expect("a program of the package kannel"));
    }

    fn says(&self, name: &str, words: &str) {
        wait_for(words, || read(self.folder.path(), name).contains(words).then_some(()));
    }
}

fn read(folder: &Path, name: &str) -> String {
    let bytes = std::fs::read(folder.join(format!("{name}.log"))).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Drop for Kannel {
    fn drop(&mut self) {
        for child in &mut self.boxes {
            let _killed = child.kill();
            let _ended = child.wait();
        }
    }
}
