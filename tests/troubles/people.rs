//! Several people, of whom one cannot be reached: the others get theirs, and what was given up is there to be seen.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::world::files::AUTO;
use crate::world::mailbox::{Mail, debian, in_folder};
use crate::world::{World, low, wait_for};

/// aiosmtpd, made to refuse one recipient for good and another for a while.
struct Picky {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Picky {
    fn start(folder: &Path) -> Self {
        let mails = folder.join("picky");
        std::fs::create_dir(&mails).unwrap();
        let port_file = folder.join("port");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/smtp_picky.py");
        let mut command = Command::new(debian("python3"));
        command.arg(script).arg(&mails).stdin(Stdio::null()).stdout(std::fs::File::create(&port_file).unwrap());
        let child = command.spawn().unwrap();
        let port = wait_for("aiosmtpd (tests/run installs python3-aiosmtpd)", || {
            let said = std::fs::read_to_string(&port_file).ok()?;
            said.strip_suffix('\n')?.strip_prefix("PORT ")?.parse().ok()
        });
        Self { child, port, folder: mails }
    }

    fn mails_to(&self, person: &str) -> Vec<Mail> {
        in_folder(&self.folder.join(person))
    }
}

impl Drop for Picky {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

#[test]
fn one_of_three_recipients_who_is_refused_for_good_does_not_keep_the_message_from_the_others() {
    let mut world = World::new().card("tablet", low, AUTO);
    let server = Picky::start(world.folder());
    world.machine.tables = format!(
        "[channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"keeper@example.net\"\n\n\
         [person.gone]\nmail = \"gone@example.net\"\n\n[person.grey]\nmail = \"grey@example.net\"\n",
        server.port
    );
    let mut world = world.start();
    world.until_bought("tablet", 1);
    // A mistake in a file is told to everybody whom the file names.
    world.change_rule("tablet", &AUTO.replace("500 MB", "500 mb"));
    world.hang_up();
    world.until("both others to have theirs", |_| {
        ["anna", "grey"].iter().all(|person| server.mails_to(person).iter().any(|mail| mail.says(&["500 mb"])))
    });
    let problems = |world: &World| -> Vec<_> {
        world.notices().into_iter().filter(|notice| notice.kind == "rules_problem").collect()
    };
    world.until("the refused one to be given up", |world| problems(world).iter().any(|notice| notice.state == "dead"));
    world.until("nothing to be on its way", |world| {
        problems(world).iter().all(|notice| matches!(notice.state.as_str(), "sent" | "dead"))
    });
    let problems = problems(&world);
    let states: Vec<&str> = problems.iter().map(|notice| notice.state.as_str()).collect();
    assert_eq!(states.iter().filter(|state| **state == "sent").count(), 2, "{problems:#?}");
    let dead = problems.iter().find(|notice| notice.state == "dead").unwrap();
    assert!(dead.why.as_deref().is_some_and(|why| why.contains("550")), "{dead:?}");
    for person in ["anna", "grey"] {
        let about = server.mails_to(person).into_iter().filter(|mail| mail.says(&["500 mb"])).count();
        assert_eq!(about, 1, "{person} has it once");
    }
    let greyed = problems.iter().filter(|notice| notice.tries > 1).count();
    assert_eq!(greyed, 1, "the grey one was tried again, by itself");
}
