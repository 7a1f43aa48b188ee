//! Mails of the daemon reach real mail servers: through refusals that pass, servers that are away, and over TLS; what
//! cannot be delivered is there for people to see.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as loudly as tests")]

#[expect(dead_code, reason = "each test program uses its part of the world")]
mod world;

#[path = "channels/centre.rs"]
mod centre;
#[path = "channels/kannel.rs"]
mod kannel;
#[expect(dead_code, reason = "each test program uses its part")]
#[path = "channels/parts.rs"]
mod parts;
#[path = "delivery/postfix.rs"]
mod postfix;
#[path = "delivery/receipts.rs"]
mod receipts;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};
use simkeeper::domain::time::Secs;

use kannel::Kannel;
use world::files::AUTO;
use world::mailbox::{Mail, SecureServer, Sink, free_port};
use world::{KEYED, World, ending, full, keeper, low};

/// A world whose mails go to a server on `port`, once there is one.
fn mailing(port: u16) -> World {
    let mut world = World::new().card("tablet", low, AUTO);
    world.machine.tables = format!(
        "[channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"keeper@example.net\"\n"
    );
    world
}

fn folder(world: &World) -> PathBuf {
    world.folder().join("mails")
}

/// Told to stop, the daemon ends what is on its way and begins nothing more; the next start goes on.
#[test]
fn a_daemon_that_is_told_to_stop_leaves_what_waits_for_the_next_start() {
    const MESSAGES: usize = 60;
    let port = free_port();
    let mut world = mailing(port);
    // It thinks for a second about each mail.
    let sink = Sink::start(port, &folder(&world), &["-w", "1"]);
    world = world.start();
    for _ in 0..MESSAGES {
        world.told(&json!({ "do": "test_notice", "person": "anna" }));
    }
    world.until("a mail to be taken", |world| world.notices().iter().any(|notice| notice.state == "sent"));
    world.stop();
    let count = |world: &World, state: &str| world.notices().iter().filter(|notice| notice.state == state).count();
    assert_eq!(count(&world, "claimed"), 0, "what was on its way has ended");
    assert!(count(&world, "queued") > MESSAGES / 4, "{} still wait", count(&world, "queued"));
    drop(sink);
    let _fast = Sink::start(port, &folder(&world), &[]);
    world.begin();
    world.until("all to be sent", |world| world.notices().iter().all(|notice| notice.state == "sent"));
}

/// The one mail that a sink got, and nothing else is on its way.
fn the_only_mail(world: &mut World, sink: &Sink) -> Mail {
    world.until("the mail to arrive", |_| !sink.mails().is_empty());
    world.until("nothing to be on its way", |world| world.notices().iter().all(|notice| notice.state == "sent"));
    let mails = sink.mails();
    assert_eq!(mails.len(), 1, "{mails:#?}");
    mails[0].clone()
}

/// What `simkeeper notice list --json` prints.
fn listed(world: &World) -> Value {
    let mut command = keeper::program(&["notice", "list", "--json", "--clock", &world.clock().words()]);
    command.arg("--config").arg(world.folder()).arg("--state").arg(world.state());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_mail_arrives_with_its_own_id() {
    let port = free_port();
    let world = mailing(port);
    let sink = Sink::start(port, &folder(&world), &[]);
    let mut world = world.start();
    world.until_bought("tablet", 1);
    let mail = the_only_mail(&mut world, &sink);
    assert!(mail.says(&["tablet: renewed for 4.50 USD"]), "{mail:?}");
    assert_eq!(format!("<{}>", mail.id), world.notices()[0].message_id);
}

#[test]
fn a_digest_tells_of_cards_that_were_read_after_the_start_and_of_what_was_bought() {
    let mut world = World::of(KEYED, 1_500).card("tablet", ending, AUTO);
    world.machine.person = "digest = \"daily\"\n".to_owned();
    let mut world = world.start();
    world.until_bought("tablet", 1);
    world.pass(Secs::DAY);
    let mail = world.until_mail(&["Next digest"]);
    assert_eq!(mail.subject, "simkeeper: 1 card, nothing to do, 4.50 USD spent");
    let told = ["1 card is well; 1 purchase since", "tablet: plan ends", "tablet: 1 GB for 7 days for 4.50 USD on"];
    assert!(mail.says(&told), "{mail:?}");
    assert_eq!(world.notices().iter().filter(|notice| notice.kind == "digest").count(), 1);
}

#[test]
fn a_server_that_is_away_for_three_days_loses_nothing() {
    let port = free_port();
    let mut world = mailing(port).start();
    world.until("a try", |world| world.notices().iter().any(|notice| notice.why.is_some()));
    world.pass(Secs::days(3));
    world.until("more tries", |world| world.notices().iter().all(|notice| notice.state != "claimed"));
    let sink = Sink::start(port, &folder(&world), &[]);
    world.pass(Secs::days(2));
    the_only_mail(&mut world, &sink);
}

#[test]
fn a_refusal_that_passes_is_tried_again() {
    for options in [&["-r", "RCPT"][..], &["-r", "."], &["-q", "DATA"]] {
        let port = free_port();
        let world = mailing(port);
        let grey = Sink::start(port, &world.folder().join("grey"), options);
        let mut world = world.start();
        world.until("a try", |world| world.notices().iter().any(|notice| notice.why.is_some()));
        drop(grey);
        let sink = Sink::start(port, &folder(&world), &[]);
        let mail = the_only_mail(&mut world, &sink);
        assert!(mail.says(&["renewed"]), "{options:?}");
    }
}

#[test]
fn a_connection_that_is_lost_after_the_dot_sends_the_same_mail_at_most_twice() {
    let port = free_port();
    let world = mailing(port);
    let cut = Sink::start(port, &world.folder().join("cut"), &["-q", "."]);
    let mut world = world.start();
    world.until("a try", |world| world.notices().iter().any(|notice| notice.why.is_some()));
    let before = cut.mails();
    drop(cut);
    let sink = Sink::start(port, &folder(&world), &[]);
    let mail = the_only_mail(&mut world, &sink);
    assert!(before.len() <= 1 && before.iter().all(|copy| copy.id == mail.id), "{before:?}");
}

#[test]
fn a_refusal_for_good_is_there_to_be_seen_and_can_be_tried_again_by_a_person() {
    let port = free_port();
    let world = mailing(port);
    let never = Sink::start(port, &world.folder().join("never"), &["-f", "RCPT", "-B", "550 5.1.1 no such user"]);
    let mut world = world.start();
    world.until("it to be given up", |world| world.notices().iter().any(|notice| notice.state == "dead"));
    let listed = listed(&world).to_string();
    assert!(listed.contains("dead") && listed.contains("550"), "{listed}");
    drop(never);
    let sink = Sink::start(port, &folder(&world), &[]);
    let id = world.notices()[0].id;
    world.told(&json!({ "do": "retry_notice", "id": id }));
    the_only_mail(&mut world, &sink);
}

#[test]
fn mails_go_encrypted_and_logged_in() {
    for way in ["starttls", "implicit"] {
        let server = SecureServer::start(way);
        let mut world = World::new().card("tablet", low, AUTO);
        let password = world.folder().join("password");
        std::fs::write(&password, "right password\n").unwrap();
        std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
        world.machine.tables = format!(
            "[channel.mail]\nkind = \"smtp\"\nhost = \"localhost\"\nport = {}\ntls = \"{way}\"\nuser = \"keeper\"\n\
             password = {{ file = {password:?} }}\nfrom = \"keeper@example.net\"\nca_file = {:?}\n",
            server.port,
            server.authority()
        );
        let mut world = world.start();
        world.until("the mail to arrive", |_| !server.mails().is_empty());
        let (about, mail) = server.mails().remove(0);
        assert_eq!((about["tls"].as_bool(), about["user"].as_str()), (Some(true), Some("keeper")));
        assert!(mail.says(&["tablet: renewed for 4.50 USD"]), "{mail:?}");
        assert!(!world.log().contains("right password"));
        world.stop();
    }
}

#[test]
fn a_trial_message_goes_the_way_of_all_others() {
    let port = free_port();
    let mut world = mailing(port);
    let sink = Sink::start(port, &folder(&world), &[]);
    world = world.card("router", full, AUTO).start();
    world.told(&json!({ "do": "test_notice", "person": "anna" }));
    world.until("both mails", |_| sink.mails().len() == 2);
    assert!(world.notices().iter().any(|notice| notice.kind == "test"));
}

#[test]
fn what_waited_for_the_morning_comes_as_one_mail() {
    let mut world = World::new().card("tablet", low, AUTO).card("phone", low, AUTO);
    let at = |hours| {
        let wall = world.now().plus(Secs::hours(hours)).in_zone(&jiff::tz::TimeZone::UTC);
        format!("{:02}:{:02}", wall.hour(), wall.minute())
    };
    world.machine.person = format!("zone = \"UTC\"\nquiet = \"{}-{}\"\n", at(-1), at(6));
    let mut world = world.start();
    world.until_bought("tablet", 1);
    world.until_bought("phone", 1);
    world.until("both to wait", |world| {
        world.notices().iter().filter(|notice| notice.kind == "bought" && notice.state == "queued").count() == 2
    });
    assert_eq!(world.mails().len(), 0, "nobody is woken");
    world.pass(Secs::hours(7));
    let mail = world.until_mail(&["tablet: renewed for 4.50 USD", "phone: renewed for 4.50 USD"]);
    assert!(mail.subject.contains("messages waited"), "{mail:?}");
    assert_eq!(world.mails().iter().filter(|mail| mail.subject.starts_with("tablet: renewed")).count(), 0);
}

/// A phone on a network, reached through Kannel as the manual describes it.
#[test]
fn a_text_reaches_a_phone_through_kannel() {
    let kannel = Kannel::start(true);
    let mut world = World::new().card("tablet", low, AUTO);
    let password = world.folder().join("kannel-password");
    std::fs::write(&password, "right").unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    world.machine.tables = format!(
        "[channel.sms]\nkind = \"gateway\"\nmethod = \"get\"\nurl = \"{}\"\nsuccess_status = [200, 202]\n\
         success_prefix = [\"0:\", \"3:\"]\n[channel.sms.query]\nusername = \"keeper\"\npassword = {{ file = \"{}\" }}\n\
         to = \"{{to}}\"\ntext = \"{{text}}\"\ncoding = \"{{coding}}\"\ncharset = \"UTF-8\"\n",
        kannel.url,
        password.display()
    );
    world.machine.person = "sms = \"+16135550123\"\n".to_owned();
    let mut world = world.start();
    world.until("the text to be taken", |world| world.notices().iter().any(|notice| notice.state == "sent"));
    let line = kannel.log_has("fakesmsc", "tablet");
    assert!(line.contains("6135550123") && line.contains("4.50"), "{line}");
    assert!(listed(&world).to_string().contains("0: Accepted for delivery"), "{}", listed(&world));
}
