//! What a gateway reports about a text that it took: a real Kannel hands its receipts in at the daemon's door.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use crate::centre::Centre;
use crate::kannel::Kannel;
use crate::world::files::AUTO;
use crate::world::mailbox::free_port;
use crate::world::record::Notice;
use crate::world::{World, keeper, low};

const WORD: &str = "7f0c3a9be21d44c8";
/// A number that Kannel's further gateway refuses.
const REFUSED: &str = "+19995550123";

/// A world whose person is told by text, and by mail only where a text fails; and the port of its door.
fn texting(kannel: &Kannel, number: &str) -> (World, u16) {
    let (mut world, port) = (World::new().card("tablet", low, AUTO), free_port());
    let secret = |name: &str, text: &str| {
        let path = world.folder().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        format!("{{ file = \"{}\" }}", path.display())
    };
    let (password, word) = (secret("kannel-password", "right"), secret("texts-word", WORD));
    world.machine.tables = format!(
        "[approval]\nlisten = \"127.0.0.1:{port}\"\ntexts = {word}\n[channel.mail]\nkind = \"maildir\"\n\
         [channel.sms]\nkind = \"gateway\"\nmethod = \"get\"\nurl = \"{}\"\nsuccess_prefix = [\"0:\", \"3:\"]\n\
         [channel.sms.query]\nusername = \"keeper\"\npassword = {password}\nto = \"{{to}}\"\ntext = \"{{text}}\"\n\
         coding = \"{{coding}}\"\nvalidity = \"{{minutes}}\"\ndlr-mask = \"19\"\ndlr-url = \"{{receipts}}?dlr=%d\"\n",
        kannel.url
    );
    world.machine.person = format!(
        "sms = \"{number}\"\nseverity = {{ bought = \"warning\" }}\nfrom = {{ sms = \"warning\", mail = \"urgent\" }}\n\
         escalate = {{ after = \"12h\" }}\n"
    );
    (world, port)
}

fn texts(world: &World) -> Vec<Notice> {
    world.notices().into_iter().filter(|notice| notice.is_text).collect()
}

/// Hands in a receipt as Kannel does; the status of the answer.
fn hand_in(port: u16, word: &str, text: &Notice, dlr: u32) -> u16 {
    let id = text.message_id.trim_start_matches('<').split('@').next().unwrap();
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(socket, "GET /sms/{word}/{id}?dlr={dlr} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_text_that_arrived_says_so_and_its_receipt_counts_once() {
    let kannel = Kannel::start(true);
    let (world, port) = texting(&kannel, "+16135550123");
    let mut world = world.start();
    world.until("the receipt", |world| texts(world).iter().any(|text| text.receipt.is_some()));
    let text = texts(&world).remove(0);
    assert_eq!((text.state.as_str(), text.receipt.as_deref()), ("sent", Some("delivered")));
    // A later word changes nothing, over a restart either.
    world.stop();
    let mut world = world.start();
    assert_eq!(hand_in(port, WORD, &text, 2), 200);
    world.until_read_again(1);
    assert_eq!(texts(&world), std::slice::from_ref(&text));
    assert_eq!(world.mails().len(), 0);
    let mut show = keeper::program(&["notice", "show", &text.id.to_string(), "--clock", &world.clock().words()]);
    show.arg("--config").arg(world.folder()).arg("--state").arg(world.state());
    let shown = String::from_utf8(show.output().unwrap().stdout).unwrap();
    assert!(["delivered", "over sms", "0: Accepted for delivery"].iter().all(|word| shown.contains(word)), "{shown}");
}

#[test]
fn a_text_that_does_not_arrive_goes_the_next_way_once() {
    let kannel = Kannel::start(true);
    let (world, port) = texting(&kannel, REFUSED);
    let mut world = world.start();
    world.until_mail(&["tablet", "renewed"]);
    let text = texts(&world).remove(0);
    assert_eq!((text.state.as_str(), text.receipt.as_deref()), ("sent", Some("failed")));
    assert!(text.why.as_deref().is_some_and(|why| why.contains("the gateway reports")), "{text:?}");
    for (dlr, word, status) in [(16, WORD, 200), (1, WORD, 200), (1, "0000000000000000", 404)] {
        assert_eq!(hand_in(port, word, &text, dlr), status);
    }
    world.until_read_again(2);
    assert_eq!((world.mails().len(), texts(&world)), (1, vec![text]));
}

/// Nobody calls back here: the daemon asks each minute, over the connection by which it sends.
#[test]
fn a_centre_is_asked_what_became_of_a_text() {
    let centre = Centre::start();
    let mut world = World::new().card("tablet", low, AUTO);
    let password = world.folder().join("centre-password");
    std::fs::write(&password, "right").unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    world.machine.tables = format!(
        "[channel.sms]\nkind = \"smpp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nuser = \"keeper\"\n\
         password = {{ file = \"{}\" }}\nfrom = \"simkeeper\"\n",
        centre.port,
        password.display()
    );
    world.machine.person = "sms = \"+16135550123\"\n".to_owned();
    let mut world = world.start();
    world.until("the receipt", |world| texts(world).iter().any(|text| text.receipt.is_some()));
    let text = texts(&world).remove(0);
    assert_eq!((text.state.as_str(), text.receipt.as_deref()), ("sent", Some("delivered")));
    assert!(centre.says("text").starts_with("text 16135550123 simkeeper 5 0 1 "));
    centre.says("thanked");
    world.stop();
}
