//! A whole Postfix as the receiver: it queues, it refuses, and it puts what it took into a maildir, while the daemon is
//! killed again and again in the middle of its work.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::world::files::AUTO;
use crate::world::mailbox::{Mail, Sink, debian, free_port, in_folder, listens};
use crate::world::{full, wait_for};

/// What an instance of its own needs beside the folders, which are named in front.
const MAIN: &str = "compatibility_level = 3.6
myhostname = relay.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_transport = error:nobody is local here
virtual_mailbox_domains = example.net
virtual_mailbox_maps = inline:{ { anna@example.net = anna/ } }
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_recipient_restrictions = permit_mynetworks, reject
";
/// The programs that a mail passes on its way to a maildir.
const MASTER: &str = "cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
";

/// A Postfix of this test alone.
struct Postfix {
    folder: tempfile::TempDir,
}

impl Postfix {
    fn start(port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Its programs run as users of their own.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        for (name, owner) in [("etc", 0), ("spool", 0), ("data", user("postfix")), ("mail", 65_534)] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            chown(folder.path().join(name), Some(owner), None).unwrap();
        }
        let at = folder.path().display();
        let folders = format!(
            "queue_directory = {at}/spool\ndata_directory = {at}/data\nvirtual_mailbox_base = {at}/mail\n\
             maillog_file = {at}/log\nmaillog_file_prefixes = {at}\n"
        );
        std::fs::write(folder.path().join("etc/main.cf"), folders + MAIN).unwrap();
        let door = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
        std::fs::write(folder.path().join("etc/master.cf"), door + MASTER).unwrap();
        let postfix = Self { folder };
        let started = Command::new(debian("postfix")).arg("-c").arg(postfix.path("etc")).arg("start").output().unwrap();
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        listens("Postfix to listen", port);
        postfix
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Postfix {
    /// Its master takes all of its programs along, and holds the lock of its file as long as it lives.
    fn drop(&mut self) {
        let text = std::fs::read_to_string(self.path("spool/pid/master.pid")).unwrap_or_default();
        let Some(pid) = text.trim().parse().ok().and_then(Pid::from_raw) else { return };
        let _sent = kill_process(pid, Signal::TERM);
        let gone = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
        wait_for("Postfix to end", || (!gone.exists()).then_some(()));
    }
}

/// The number of a user of this machine.
fn user(name: &str) -> u32 {
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with(&format!("{name}:"))).unwrap();
    line.split(':').nth(2).unwrap().parse().unwrap()
}

/// Whoever takes mails here: only root can run a Postfix, and everybody its `smtp-sink`, which takes whatever comes.
enum Receiver {
    Postfix(Postfix),
    Sink(Sink),
}

impl Receiver {
    fn start(port: u16, folder: &Path) -> Self {
        if rustix::process::geteuid().is_root() {
            Self::Postfix(Postfix::start(port))
        } else {
            Self::Sink(Sink::start(port, folder, &[]))
        }
    }

    fn mails(&self) -> Vec<Mail> {
        match self {
            Self::Postfix(postfix) => in_folder(&postfix.path("mail/anna/new")),
            Self::Sink(sink) => sink.mails(),
        }
    }
}

#[test]
fn a_postfix_gets_every_mail_however_often_the_daemon_is_killed() {
    const KILLS: usize = 2;
    const EACH: usize = 10;
    let port = free_port();
    let mut world = super::mailing(port).card("router", full, AUTO);
    let receiver = Receiver::start(port, &super::folder(&world));
    world.machine.tables += "[person.ben]\nmail = \"ben@example.net\"\n";
    for kill in 1..=KILLS {
        world = world.start();
        for _ in 0..EACH {
            world.told(&json!({ "do": "test_notice", "person": "anna" }));
        }
        let before = receiver.mails().len();
        world.until("a mail to arrive", |_| receiver.mails().len() > before);
        // Somewhere between claim, dot and settlement of the others.
        let ended = world.kill();
        assert!(!ended.success(), "kill {kill}: {ended}");
    }
    world = world.start();
    world.told(&json!({ "do": "test_notice", "person": "ben" }));
    world.until("everything to be sent or refused", |world| {
        world.notices().iter().all(|notice| matches!(notice.state.as_str(), "sent" | "dead"))
    });
    let notices = world.notices();
    let mut expected: BTreeMap<_, _> =
        notices.iter().map(|one| (one.message_id.trim_matches(['<', '>']), one)).collect();
    if let Receiver::Postfix(_) = receiver {
        let ben = notices.iter().find(|notice| notice.state == "dead").expect("Postfix knows no ben");
        assert!(ben.why.as_deref().is_some_and(|why| why.contains("550") && why.contains("unknown")), "{ben:?}");
        expected.remove(ben.message_id.trim_matches(['<', '>']));
    }
    world.until("what Postfix queued to be in the maildir", |_| {
        let arrived = receiver.mails();
        expected.keys().all(|id| arrived.iter().any(|mail| mail.id == **id))
    });
    let mut copies = BTreeMap::<String, u32>::new();
    for mail in receiver.mails() {
        *copies.entry(mail.id).or_default() += 1;
    }
    assert!(expected.len() >= KILLS * EACH && copies.len() == expected.len(), "nothing is lost or made up: {copies:?}");
    for (id, count) in &copies {
        let notice = expected[id.as_str()];
        assert!(*count <= notice.tries, "{count} copies of what was tried {} times", notice.tries);
        // A second try is made of nothing but what was on its way when the daemon was killed.
        assert!(notice.tries <= 1 + u32::try_from(KILLS).unwrap(), "{notice:?}");
    }
}
