//! An operator whose every text is an attack: line ends and headers, marks that turn the direction, NUL, colours of a
//! terminal, tags of a page, a megabyte. Mails, what commands print, and the log stay what they are.

use std::path::Path;

use mail_parser::{HeaderName, MessageParser};
use serde_json::{Value, json};
use simkeeper::domain::card::disturbs;

use super::program;
use crate::world::files::AUTO;
use crate::world::{World, full, keeper};

/// What no place that shows text may be controlled by.
const ATTACK: &str = "EVIL\r\nBcc: eve@example.net\r\n\r\n<script>alert(1)</script>\u{202e}\u{2066}\u{0}\u{1b}[31m\u{1b}]0;x\u{7}\u{9b}2J\u{2028}& \"'";

/// So long is one text at most where a person reads it.
const SHOWN_LONGEST: usize = 20_000;

fn attack() -> String {
    format!("{ATTACK}{}", "A".repeat(1 << 20))
}

/// Everything that the daemon asks is answered; in every text there is the attack.
fn answers(buy: &Value) -> Value {
    let offer = json!({
        "id": "data-1gb-7d", "name": attack(), "price": "4.50 USD", "validity_secs": 604_800,
        "contents": { "data_bytes": 1_000_000_000 },
    });
    let evil = json!({ "id": attack(), "name": "x", "price": "1 USD" });
    json!({
        "capabilities": { "repeat": "replays", "replay_window_secs": 86_400, "lookup": "by_ref", "listing_delay_secs": 0 },
        "read": { "readings": [{
            "state": "active", "renewable": true, "plan": attack(), "assets": [attack(), "b"],
            "allowances": [{ "kind": "data", "remaining": 100_000_000, "total": 1_000_000_000 }],
        }] },
        "catalogue": { "plans": [offer, evil] },
        "wallet": { "balance": "20.00 USD", "methods": ["wallet", attack()] },
        "preflight": { "offer": offer },
        "buy": buy,
        "find": { "found": "nothing" },
    })
}

/// Every run of the program for people.
fn printed(world: &World) -> Vec<(String, String)> {
    let commands: [&[&str]; 9] = [
        &["status"],
        &["status", "tablet"],
        &["explain", "tablet"],
        &["plan"],
        &["history", "tablet"],
        &["card", "find", "tablet"],
        &["card", "show", "tablet"],
        &["notice", "list"],
        &["operator", "list"],
    ];
    let both = commands.iter().flat_map(|command| [command.to_vec(), [command, &["--json"][..]].concat()]);
    both.map(|arguments| {
        let mut command = keeper::program(&arguments);
        let output = command.arg("--config").arg(world.folder()).arg("--state").arg(world.state()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {text}");
        if arguments.contains(&"--json") {
            serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
        }
        (arguments.join(" "), text)
    })
    .collect()
}

fn is_calm(place: &str, text: &str) {
    let wild: Vec<char> = text.chars().filter(|c| disturbs(*c) && *c != '\n').collect();
    assert!(wild.is_empty(), "{place}: {wild:?}");
    for line in text.lines() {
        assert!(!line.starts_with("Bcc:"), "{place}: a line of its own");
    }
    let longest = text.split(|c| c != 'A').map(str::len).max().unwrap_or(0);
    assert!(longest < 1_000, "{place}: {longest} characters of one text");
}

/// Each mail has one line for each header, no script, one recipient, and is of a size that phones take.
fn mails_are_whole(folder: &Path) -> usize {
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        assert!(bytes.len() < SHOWN_LONGEST, "{} bytes", bytes.len());
        let mail = MessageParser::default().parse(&bytes).unwrap();
        let mut names: Vec<String> = mail.headers().iter().map(|header| header.name().to_lowercase()).collect();
        names.sort();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        assert!(mail.header(HeaderName::Bcc).is_none() && mail.header(HeaderName::Cc).is_none(), "{names:?}");
        is_calm("subject", mail.subject().unwrap());
        is_calm("text", &mail.body_text(0).unwrap().replace("\r\n", "\n"));
        let html = mail.body_html(0).unwrap().replace("\r\n", "\n");
        is_calm("page", &html);
        assert!(!html.to_lowercase().contains("<script"), "{html}");
    }
    files.len()
}

fn attacked(buy: &Value) -> World {
    let mut world = World::new().card("tablet", full, AUTO).at("evil");
    let folder = program::add(&mut world, "evil", &answers(buy), "");
    let mut world = world.start();
    world.until("an order", |_| program::calls(&folder).iter().any(|call| call == "buy"));
    world
}

fn nothing_gets_through(world: &World, mails: usize) {
    assert!(mails_are_whole(&world.state().join("mail/new")) >= mails);
    for (command, text) in printed(world) {
        is_calm(&command, &text);
    }
    is_calm("the log", &world.log());
}

#[test]
fn texts_of_an_operator_that_refuses_stay_texts() {
    let message = attack();
    let mut world =
        attacked(&json!({ "result": "refused", "kind": "other", "code": format!("E1{ATTACK}"), "message": message }));
    world.until_mail(&["tablet", "EVIL"]);
    nothing_gets_through(&world, 1);
}

#[test]
fn texts_of_an_operator_that_takes_the_order_stay_texts() {
    let mut world = attacked(&json!({ "result": "accepted", "order_id": attack(), "charged": "4.50 USD" }));
    world.until("the order to be taken", |world| {
        world.attempts("tablet").iter().any(|attempt| attempt.state == "accepted")
    });
    nothing_gets_through(&world, 0);
}

#[test]
fn texts_of_an_operator_that_knows_nothing_for_certain_stay_texts() {
    let mut world = attacked(&json!({ "result": "unknown", "message": attack() }));
    world.until_mail(&["tablet", "EVIL"]);
    nothing_gets_through(&world, 1);
}

#[test]
fn a_plan_whose_id_is_an_attack_is_left_out() {
    let mut world = attacked(&json!({ "result": "accepted", "order_id": "1", "charged": "4.50 USD" }));
    world.until("word of it", |world| world.log().contains("a plan with an unfit id is left out"));
    assert!(world.attempts("tablet").iter().all(|attempt| attempt.account == "evil"));
}
