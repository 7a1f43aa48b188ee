//! Answering by code: as a command, on the page, by text message. A code is one person's, for one question at one price;
//! looking changes nothing, guessing leads nowhere, and whoever comes too late is told what happened.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::world::files::AUTO;
use crate::world::mailbox::{Mail, free_port};
use crate::world::{World, low};
use simkeeper::domain::time::Secs;

/// The word of the address at which text messages are handed in.
const TEXTS_WORD: &str = "7f0c3a9be21d44c8";

fn asking() -> World {
    World::new().card("tablet", low, &AUTO.replace("auto", "ask"))
}

/// The code in a mail.
fn code_in(mail: &Mail) -> String {
    let (_, rest) = mail.text.split_once("simkeeper approve ").unwrap_or_else(|| panic!("no code: {mail:?}"));
    rest.chars().take_while(|sign| !sign.is_whitespace()).collect()
}

fn answer(world: &World, code: &str, yes: bool) -> Value {
    world.ask(&json!({ "do": "answer", "code": code, "yes": yes, "reason": "no" }))
}

/// A word that is a code, and not this one.
fn other_than(code: &str) -> String {
    let last = if code.ends_with('A') { 'B' } else { 'A' };
    format!("{}{last}", &code[..code.len() - 1])
}

/// A world whose daemon serves pages, and where.
fn with_pages() -> (World, u16) {
    let port = free_port();
    let world = asking();
    let word = world.folder().join("texts-word");
    std::fs::write(&word, TEXTS_WORD).unwrap();
    std::fs::set_permissions(&word, std::fs::Permissions::from_mode(0o600)).unwrap();
    let table = format!(
        "[approval]\nlisten = \"127.0.0.1:{port}\"\nurl = \"https://keeper.example.net/sim/\"\ntexts = {{ file = \"{}\" }}\n",
        word.display()
    );
    (world.tables(&table), port)
}

/// One request; status, head and body of the answer.
fn http(port: u16, first_line: &str, kind: &str, body: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!(
        "{first_line} HTTP/1.1\r\nHost: keeper.example.net\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // It may hang up before it has read everything.
    let _sent = socket.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _read = socket.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    (text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), text)
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn a_code_buys_once_and_the_second_time_tells_what_happened() {
    let mut world = asking().tables("[approval]\n").start();
    let code = code_in(&world.until_mail(&["tablet", "Your code"]));
    let wrong = answer(&world, &other_than(&code), true);
    assert_eq!((&wrong["answer"], &wrong["why"]), (&json!("refused"), &json!("not_found")), "{wrong}");
    assert_eq!(world.orders("tablet").len(), 0);
    world.told(&json!({ "do": "answer", "code": code.to_lowercase().replace('-', " "), "yes": true, "reason": "" }));
    world.until_bought("tablet", 1);
    let again = answer(&world, &code, true);
    let said = again["said"].as_str().unwrap();
    assert!(said.contains("this code was used at") && said.contains("anna agreed"), "{again}");
    assert_eq!(world.orders("tablet").len(), 1);
    // Neither the log nor the record holds what could be typed: not in columns, not in messages that were sent.
    let signs = code.replace('-', "");
    assert!(!world.log().contains(&code) && !world.log().contains(&signs));
    for place in ["simkeeper.db", "simkeeper.db-wal"] {
        let conn = rusqlite_texts(&world.state().join(place));
        assert!(!conn.contains(&signs), "the signs of the code are in {place}");
    }
    let bodies = world.state().join("copy.db");
    let record = rusqlite::Connection::open(world.state().join("simkeeper.db")).unwrap();
    record.execute("VACUUM INTO ?1", [bodies.display().to_string()]).unwrap();
    assert!(!rusqlite_texts(&bodies).contains(&code), "a message that was sent still holds the code");
}

fn rusqlite_texts(path: &std::path::Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

#[test]
fn a_reminder_brings_a_new_code_and_the_old_one_says_so() {
    let mut world = asking().tables("[approval]\n").start();
    let first = code_in(&world.until_mail(&["tablet", "Your code"]));
    world.pass(Secs::DAY);
    let second = code_in(&world.until_mail(&["tablet", "Your code", "Asked before"]));
    assert_ne!(first, second);
    let old = answer(&world, &first, true);
    assert!(old["said"].as_str().unwrap().contains("a newer code was sent"), "{old}");
    let no = answer(&world, &second, false);
    assert_eq!(no["answer"], "done", "{no}");
    assert_eq!(world.until_attempt("tablet", "abandoned").id, 1);
    let late = answer(&world, &second, true);
    assert_eq!(late["why"], "not_now", "{late}");
    assert_eq!(world.orders("tablet").len(), 0);
}

#[test]
fn guessing_ends_after_ten_codes_of_nobody() {
    let mut world = asking().tables("[approval]\n").start();
    let code = code_in(&world.until_mail(&["tablet", "Your code"]));
    let wrong = other_than(&code);
    for _ in 0..10 {
        assert_eq!(answer(&world, &wrong, true)["why"], "not_found");
    }
    let closed = answer(&world, &code, true);
    assert!(closed["said"].as_str().unwrap().contains("too many wrong codes"), "{closed}");
    world.told(&json!({ "do": "approve", "id": 1 }));
    world.until_bought("tablet", 1);
}

#[test]
fn looking_at_the_page_changes_nothing_and_only_the_typed_code_decides() {
    let (world, port) = with_pages();
    let mut world = world.start();
    let mail = world.until_mail(&["tablet", "https://keeper.example.net/sim/a/"]);
    let (_, rest) = mail.text.split_once("https://keeper.example.net/sim").unwrap();
    let path: String = rest.chars().take_while(|sign| !sign.is_whitespace()).collect();
    let code = code_in(&mail);
    for first_line in [format!("GET {path}"), format!("HEAD {path}"), format!("GET {path}?answer=yes&code={code}")] {
        let (status, text) = http(port, &first_line, FORM, "");
        assert_eq!(status, 200, "{text}");
        let head = text.split("\r\n\r\n").next().unwrap().to_lowercase();
        for header in ["content-security-policy: default-src 'none'", "nosniff", "no-store", "no-referrer", "deny"] {
            assert!(head.contains(header), "{header} is missing: {head}");
        }
    }
    let (_, text) = http(port, &format!("GET {path}"), FORM, "");
    assert!(["tablet", "4.50 USD", "rules.toml:", "<form"].iter().all(|word| text.contains(word)), "{text}");
    assert!(!text.contains(&code) && !text.contains("<script"), "{text}");
    for (what, first_line, kind, body, expected) in [
        ("no code", format!("POST {path}"), FORM, "answer=yes".to_owned(), 400),
        ("an empty code", format!("POST {path}"), FORM, "answer=yes&code=".to_owned(), 403),
        ("another code", format!("POST {path}"), FORM, format!("answer=yes&code={}", other_than(&code)), 403),
        ("neither yes nor no", format!("POST {path}"), FORM, format!("answer=maybe&code={code}"), 400),
        ("a document", format!("POST {path}"), "application/json", format!("{{\"code\":\"{code}\"}}"), 400),
        ("another page", format!("POST {}0", &path[..path.len() - 1]), FORM, format!("answer=yes&code={code}"), 404),
        ("another way", format!("PUT {path}"), FORM, format!("answer=yes&code={code}"), 405),
        ("too much", format!("POST {path}"), FORM, format!("answer=yes&code={}", "A".repeat(40_000)), 400),
    ] {
        let (status, text) = http(port, &first_line, kind, &body);
        let hung_up = what == "too much" && status == 0;
        assert!(status == expected || hung_up, "{what}: {text}");
    }
    world.until_read_again(2);
    assert_eq!(world.orders("tablet").len(), 0, "nobody agreed");
    let (status, text) = http(port, &format!("POST {path}"), FORM, &format!("answer=yes&code={code}"));
    assert!(status == 200 && text.contains("You agreed"), "{text}");
    world.until_bought("tablet", 1);
    let (status, text) = http(port, &format!("POST {path}"), FORM, &format!("answer=yes&code={code}"));
    assert!(status == 410 && text.contains("This code was used on") && text.contains("anna agreed"), "{text}");
    assert_eq!(world.orders("tablet").len(), 1);
    assert!(!world.log().contains(&code) && !world.log().contains(&path), "addresses and codes stay out of the log");
}

#[test]
fn five_wrong_codes_close_a_page() {
    let (world, port) = with_pages();
    let mut world = world.start();
    let mail = world.until_mail(&["tablet", "https://keeper.example.net/sim/a/"]);
    let (_, rest) = mail.text.split_once("https://keeper.example.net/sim").unwrap();
    let path: String = rest.chars().take_while(|sign| !sign.is_whitespace()).collect();
    let code = code_in(&mail);
    let post = |code: &str| http(port, &format!("POST {path}"), FORM, &format!("answer=no&code={code}"));
    for _ in 0..4 {
        assert_eq!(post(&other_than(&code)).0, 403);
    }
    assert_eq!(post(&other_than(&code)).0, 410, "the fifth closes it");
    let (status, text) = post(&code);
    assert!(status == 410 && text.contains("of no use any more"), "{text}");
    world.until_read_again(1);
    assert_eq!(world.until_attempt("tablet", "planned").id, 1);
}

#[test]
fn a_text_message_answers_from_its_persons_number_alone() {
    let (mut world, port) = with_pages();
    world.machine.person = "sms = \"+16135550123\"\n".to_owned();
    // Nobody takes the texts; what they say is tried elsewhere.
    let sms = format!(
        "[channel.sms]\nkind = \"gateway\"\nurl = \"http://127.0.0.1:{}/\"\nform = {{ to = \"{{to}}\", text = \"{{text}}\" }}\n",
        free_port()
    );
    let mut world = world.tables(&format!("{sms}[channel.mail]\nkind = \"maildir\"\n")).start();
    let code = code_in(&world.until_mail(&["tablet", "answer the text message"]));
    let hand_in = |word: &str, from: &str, text: &str| {
        let body = json!({ "event": "sms:received", "payload": { "phoneNumber": from, "message": text } });
        http(port, &format!("POST /sms/{word}"), "application/json", &body.to_string()).0
    };
    assert_eq!(hand_in("0000000000000000", "+16135550123", &code), 404, "the word of the address is a secret");
    assert_eq!(hand_in(TEXTS_WORD, "+16135559999", &code), 200);
    assert_eq!(hand_in(TEXTS_WORD, "+16135550123", "yes please"), 200);
    world.until_read_again(2);
    assert_eq!(world.orders("tablet").len(), 0, "a stranger and a text without a code decide nothing");
    let query = format!("from=16135550123&text=ok+{code}");
    assert_eq!(http(port, &format!("GET /sms/{TEXTS_WORD}?{query}"), FORM, "").0, 200, "as Kannel hands it in");
    world.until_bought("tablet", 1);
}
