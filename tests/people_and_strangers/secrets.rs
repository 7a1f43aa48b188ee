//! Secrets with marks, in every place where secrets may be written. Whatever fails, and whoever quotes them back: they are
//! in no log, no mail, no answer, no command's output and no byte of the record; and a process that dies leaves no core.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::program;
use crate::world::files::AUTO;
use crate::world::mailbox::SecureServer;
use crate::world::{World, full, keeper, low};

/// In every secret here.
const MARK: &str = "s3cret-mark";

fn secret(world: &World, name: &str) -> PathBuf {
    let path = world.folder().join(name);
    std::fs::write(&path, format!("{MARK}-of-{name}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Files below a folder that hold the mark, but for the secrets themselves.
fn marked(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(marked(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            let holds = bytes.windows(MARK.len()).any(|window| window == MARK.as_bytes());
            let is_secret = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("key-"));
            if holds && !is_secret {
                found.push(path);
            }
        }
    }
    found
}

/// A world in which everything that has a secret fails: a program that quotes what it was given, an operator that does
/// not take its key, mail and text servers that want other passwords.
fn failing(mails: &SecureServer) -> World {
    let mut world = World::new().card("tablet", full, AUTO).at("quotes").card("router", full, AUTO).at("complains");
    world = world.card("phone", low, AUTO);
    world.machine.account = format!("key = {{ file = \"{}\" }}\n", secret(&world, "key-operator").display());
    let lines =
        |world: &World, name: &str| format!("secrets.word = {{ file = \"{}\" }}", secret(world, name).display());
    let reading = json!({ "state": "active", "renewable": true, "allowances": [{ "kind": "data", "remaining": 1 }] });
    let offer = json!({ "id": "data-1gb-7d", "price": "4.50 USD", "contents": { "data_bytes": 1_000_000_000 } });
    let quotes = json!({
        "capabilities": { "repeat": "replays", "replay_window_secs": 86_400, "lookup": "by_ref", "listing_delay_secs": 0 },
        "read": { "readings": [reading] }, "catalogue": { "plans": [offer] }, "preflight": { "offer": offer },
        "wallet": { "balance": "20.00 USD", "methods": ["wallet"] }, "find": { "found": "nothing" },
        "buy": { "result": "refused", "kind": "other", "code": "E1", "message": "" }, "quote": true,
    });
    let line = lines(&world, "key-quotes");
    program::add(&mut world, "quotes", &quotes, &line);
    let line = lines(&world, "key-complains");
    program::add(&mut world, "complains", &json!({ "complain": ["capabilities", "read", "wallet"] }), &line);
    world.machine.tables.push_str(&format!(
        "[channel.mail]\nkind = \"smtp\"\nhost = \"localhost\"\nport = {}\ntls = \"starttls\"\nca_file = \"{}\"\n\
         user = \"keeper\"\npassword = {{ file = \"{}\" }}\nfrom = \"keeper@example.net\"\n",
        mails.port,
        mails.authority().display(),
        secret(&world, "key-mail").display(),
    ));
    world
}

#[test]
fn secrets_stay_where_they_are_whatever_fails() {
    let mails = SecureServer::start("starttls");
    let mut world = failing(&mails).start();
    let log_says = |words: &'static str| move |world: &World| world.log().contains(words);
    world.until("the program's refusal", |world| world.told_of("tablet", "failed") == 1);
    world.until("the program's complaint", log_says("[secret]"));
    world.until("the operator to refuse the key", |world| {
        world.record().is_some_and(|record| record.failures("phone") > 0)
    });
    world.until("the mail server to refuse the password", |world| {
        world.notices().iter().any(|notice| notice.why.is_some())
    });
    for arguments in [
        &["status", "--json"][..],
        &["explain", "tablet", "--json"],
        &["history", "tablet", "--json"],
        &["notice", "list", "--json"],
        &["operator", "list", "--json"],
        &["operator", "test", "quotes", "--json"],
        &["operator", "test", "complains", "--json"],
        &["operator", "test", "try"],
        &["check", "--json"],
    ] {
        let mut command = keeper::program(arguments);
        command.arg("--config").arg(world.folder());
        let output = command.arg("--state").arg(world.state()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!text.is_empty() && !text.contains(MARK), "{arguments:?}: {text}");
    }
    // The record with its log and journal, mails, the daemon's own log: everything below the world's folder.
    world.stop();
    assert_eq!(marked(world.folder()), Vec::<PathBuf>::new());
    assert!(world.folder().join("log").exists() && world.state().join("simkeeper.db").exists());
}

#[test]
fn a_daemon_that_dies_leaves_no_core() {
    let mut world = World::new().card("tablet", full, AUTO).start();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", world.keeper().id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<&str> = line["Max core file size".len()..].split_whitespace().collect();
    assert_eq!(words[..2], ["0", "0"], "{line}");
}

#[test]
fn a_panic_tells_its_place_and_not_what_it_says() {
    let mut world = World::new().card("tablet", low, AUTO);
    world.environment(vec![
        ("SIMKEEPER_CRASH_AT", "panic@after_claim:1".into()),
        ("SIMKEEPER_PANIC_SAYS", format!("{MARK} of a panic").into()),
    ]);
    let mut world = world.start();
    world.until("a defect", |world| world.log().contains("a defect of simkeeper ended a task"));
    assert!(world.log().contains("crash.rs:"), "its place: {}", world.log());
    assert!(!world.log().contains(MARK), "{}", world.log());
}
