//! Keeps the shape of the house: who may name whom, which room may use which library, how long files and functions
//! may be. Each check is itself tried on small bad samples, since a check that cannot fail proves nothing.
#![expect(clippy::unwrap_used, reason = "a source file that cannot be read is a failed test")]

#[path = "layers/scan.rs"]
mod scan;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use scan::{NamedPath, Token};

/// Each room, and the rooms that it may name beside itself.
const ROOMS: [(&str, &[&str]); 8] = [
    ("domain", &[]),
    ("config", &["domain"]),
    ("store", &["domain"]),
    ("operators", &["domain"]),
    ("notify", &["domain"]),
    ("sandbox", &["domain"]),
    ("daemon", &["domain", "config", "store", "operators", "notify", "sandbox"]),
    ("commands", &["domain", "config", "store", "operators", "notify", "sandbox", "daemon"]),
];

/// Libraries that belong to rooms: (library, the rooms that may name it).
const LIBRARIES: [(&str, &[&str]); 14] = [
    ("rusqlite", &["store"]),
    ("rusqlite_migration", &["store"]),
    ("reqwest", &["operators", "notify"]),
    // `config` takes mail addresses as they are checked by the library that sends to them.
    ("lettre", &["notify", "config"]),
    ("tokio_cron_scheduler", &["daemon"]),
    ("clap", &["commands", "main"]),
    ("base64", &["operators", "notify"]),
    ("regex", &["operators"]),
    ("roxmltree", &["operators"]),
    ("serde_json_path", &["operators"]),
    ("fluent_bundle", &["notify"]),
    ("png", &["notify"]),
    ("tiny_skia", &["notify"]),
    ("zbus", &["operators", "notify"]),
];

/// What values in and values out do without. A path that begins so may not stand in `domain`.
const NOT_IN_DOMAIN: [&[&str]; 13] = [
    &["async"],
    &["await"],
    &["unsafe"],
    &["SystemTime"],
    &["tokio"],
    &["rustix"],
    &["uuid"],
    &["std", "env"],
    &["std", "fs"],
    &["std", "io"],
    &["std", "net"],
    &["std", "process"],
    &["std", "thread"],
];

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// What may stand visibly at the top of the repository.
const TOP: [&str; 12] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "docs",
    "fuzz",
    "migrations",
    "src",
    "systemd",
    "tests",
];

/// One source file: where it lies below `src`, and its tokens without what is for tests only.
struct Source {
    path: PathBuf,
    text: String,
    all: Vec<Token>,
    tokens: Vec<Token>,
}

impl Source {
    fn new(path: impl Into<PathBuf>, text: &str) -> Self {
        let all = scan::tokens(&scan::bare(text));
        let tokens = scan::without_tests(&all);
        Self { path: path.into(), text: text.to_owned(), all, tokens }
    }

    /// The module path: `store/cards.rs` is `store::cards`, `store/mod.rs` is `store`, `lib.rs` is the root.
    fn module(&self) -> Vec<String> {
        let mut parts: Vec<String> =
            self.path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if matches!(parts.last().map(String::as_str), Some("mod" | "lib")) {
            parts.pop();
        }
        parts
    }

    fn room(&self) -> String {
        self.module().first().cloned().unwrap_or_else(|| "lib".to_owned())
    }

    fn place(&self, line: usize) -> String {
        format!("src/{}:{line}", self.path.display())
    }

    /// Which room a path leads to, if it starts at the crate's root, by `crate` or by enough `super`.
    fn room_named(&self, path: &NamedPath) -> Option<String> {
        let ups = path.parts.iter().take_while(|part| *part == "super").count();
        let start = match path.parts.first().map(String::as_str) {
            Some("crate" | "simkeeper") => 1,
            Some("super") if ups >= self.module().len() => ups,
            _ => return None,
        };
        path.parts.get(start).cloned()
    }
}

fn wrong_directions(source: &Source) -> Vec<String> {
    let room = source.room();
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else { return Vec::new() };
    let wrong = scan::paths(&source.tokens).into_iter().filter_map(|path| {
        let named = source.room_named(&path)?;
        let is_room = named == "*" || ROOMS.iter().any(|(name, _)| *name == named);
        let fine = !is_room || named == room || allowed.contains(&named.as_str());
        (!fine).then(|| format!("{}: `{room}` may not name `{named}`", source.place(path.line)))
    });
    wrong.collect()
}

fn strange_libraries(source: &Source) -> Vec<String> {
    let room = source.room();
    let mut wrong = Vec::new();
    for path in scan::paths(&source.tokens) {
        let first = path.parts.first().map_or("", String::as_str);
        let owners = LIBRARIES.iter().find(|(library, _)| *library == first).map(|(_, rooms)| *rooms);
        if owners.is_some_and(|rooms| !rooms.contains(&room.as_str())) {
            wrong.push(format!("{}: `{room}` may not use `{first}`", source.place(path.line)));
        }
        let impure = NOT_IN_DOMAIN
            .iter()
            .any(|banned| path.parts.iter().zip(*banned).all(|(a, b)| a == b) && path.parts.len() >= banned.len());
        if room == "domain" && (impure || path.parts.iter().any(|part| part == "SystemTime")) {
            wrong.push(format!("{}: `domain` does without `{}`", source.place(path.line), path.parts.join("::")));
        }
    }
    wrong
}

fn too_long(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = lines_before_tests(&source.text);
    if lines > FILE_LINES_MAX {
        wrong.push(format!("{}: {lines} lines before its tests; {FILE_LINES_MAX} at most", source.place(1)));
    }
    for function in scan::functions(&source.tokens).iter().filter(|function| function.lines > FUNCTION_LINES_MAX) {
        let place = source.place(function.line);
        wrong.push(format!("{place}: `{}` has {} lines; {FUNCTION_LINES_MAX} at most", function.name, function.lines));
    }
    wrong
}

/// Lines up to the module of tests that ends the file.
fn lines_before_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests = (1..lines.len())
        .find(|at| lines[at - 1] == "#[cfg(test)]" && lines[*at].starts_with("mod ") && lines[*at].ends_with('{'));
    tests.map_or(lines.len(), |at| at - 1)
}

fn unopened(source: &Source) -> Vec<String> {
    let opened = source.text.starts_with("//! ");
    if opened { Vec::new() } else { vec![format!("{}: a file opens with what lives there, in `//!`", source.place(1))] }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder`, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// All sources but those that are compiled for tests only.
fn sources() -> Vec<Source> {
    let folder = root().join("src");
    let paths = files(&folder).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let all: Vec<Source> = paths
        .map(|path| Source::new(path.strip_prefix(&folder).unwrap(), &fs::read_to_string(&path).unwrap()))
        .collect();
    let for_tests: BTreeSet<Vec<String>> = all.iter().flat_map(declared_for_tests).collect();
    all.into_iter().filter(|source| !for_tests.iter().any(|tests| source.module().starts_with(tests))).collect()
}

fn declared_for_tests(source: &Source) -> Vec<Vec<String>> {
    let below = |name: String| source.module().into_iter().chain([name]).collect();
    scan::test_modules(&source.all).into_iter().map(below).collect()
}

fn check(rule: fn(&Source) -> Vec<String>) {
    let wrong: Vec<String> = sources().iter().flat_map(rule).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn rooms_name_only_those_below_them() {
    check(wrong_directions);
}

#[test]
fn libraries_stay_in_their_rooms_and_the_domain_is_pure() {
    check(strange_libraries);
}

#[test]
fn files_and_functions_stay_small() {
    check(too_long);
}

#[test]
fn every_file_says_what_lives_there() {
    check(unopened);
}

#[test]
fn every_folder_in_src_is_a_room() {
    let rooms: BTreeSet<String> =
        sources().iter().map(Source::room).filter(|room| room != "lib" && room != "main").collect();
    let known: BTreeSet<String> = ROOMS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(rooms, known);
}

#[test]
fn the_top_level_stays_small() {
    let names = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let strange: Vec<String> =
        names.filter(|name| !name.starts_with('.') && name != "target" && !TOP.contains(&name.as_str())).collect();
    assert!(strange.is_empty(), "{strange:?} may not lie at the top");
}

#[test]
fn no_test_is_left_out_and_no_work_is_left_open() {
    let mut wrong = Vec::new();
    for path in files(&root().join("src")).into_iter().chain(files(&root().join("tests"))) {
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let tokens = scan::tokens(&scan::bare(&fs::read_to_string(&path).unwrap()));
        let left_open = tokens.windows(2).filter(|pair| is_left_open(&pair[0].text, &pair[1].text));
        wrong.extend(left_open.map(|pair| format!("{}:{}: `{}`", path.display(), pair[0].line, pair[1].text)));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn is_left_open(first: &str, second: &str) -> bool {
    matches!((first, second), ("[", "ignore") | ("[", "allow") | ("todo" | "unimplemented", "!"))
}

/// What a rule says of a sample that lies at `path`.
fn said(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) -> usize {
    rule(&Source::new(path, text)).len()
}

#[test]
fn wrong_directions_are_seen() {
    for (path, text) in [
        ("domain/card.rs", "use crate::store::Store;"),
        ("store/mod.rs", "use crate::{domain::card, notify::mail};"),
        ("store/mod.rs", "fn f() { super::operators::x() }"),
        ("store/cards.rs", "use super::super::config::Config;"),
        ("store/cards.rs", "use super::{super::config, rows};"),
        ("notify/mail.rs", "pub(crate) fn f(x: &crate::operators::Http) {}"),
        ("daemon/mod.rs", "use crate::commands;"),
        ("sandbox/mod.rs", "use crate::operators::Operator;"),
        ("domain/mod.rs", "use crate::*;"),
        ("store/mod.rs", "fn f() -> char { '\"' } use crate::config::C; fn g() -> char { '\"' }"),
        ("store/mod.rs", "#[cfg(test)] mod tests { fn f() {} } use crate::config::C;"),
        ("store/mod.rs", "#[cfg(test)] use crate::domain; use crate::config::C;"),
    ] {
        assert_eq!(said(wrong_directions, path, text), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("store/mod.rs", "use crate::domain::card::Card; use crate::store::rows;"),
        ("store/cards.rs", "use super::rows; use super::super::domain::time;"),
        (
            "store/mod.rs",
            "// use crate::notify::x;\n/* crate::notify /* crate::config */ */ const A: &str = \"crate::notify\";",
        ),
        ("store/mod.rs", "const A: &str = r#\"a \" crate::notify\"#; fn f<'a>(x: &'a str) {}"),
        ("store/mod.rs", "#[cfg(test)]\nmod tests { use crate::config::C; }"),
        ("daemon/mod.rs", "use crate::{config, domain, notify, operators, sandbox, store};"),
        ("commands/mod.rs", "use crate::daemon; fn f(notify: u8) { notify.config() }"),
        ("main.rs", "fn main() { simkeeper::commands::run() }"),
    ] {
        assert_eq!(said(wrong_directions, path, text), 0, "{path}: {text}");
    }
}

#[test]
fn libraries_in_the_wrong_room_are_seen() {
    for (path, text) in [
        ("daemon/mod.rs", "use rusqlite::Connection;"),
        ("store/mod.rs", "fn f(c: reqwest::Client) {}"),
        ("domain/a.rs", "pub async fn f() {}"),
        ("domain/a.rs", "use std::{fmt, fs};"),
        ("domain/a.rs", "use std::time::SystemTime;"),
        ("domain/a.rs", "fn f() { std::env::var(\"x\"); }"),
    ] {
        assert_eq!(said(strange_libraries, path, text), 1, "{path}: {text}");
    }
    assert_eq!(said(strange_libraries, "domain/a.rs", "use std::fmt; fn f(env: u8, fs: u8, io: u8) {}"), 0);
    assert_eq!(said(strange_libraries, "store/mod.rs", "use rusqlite::{params, Connection};"), 0);
}

#[test]
fn length_is_seen_to_the_line() {
    let function = |inner: usize| format!("fn f() where [(); {{ 1 }}]: Sized {{\n{}}}\n", "x();\n".repeat(inner));
    assert_eq!(said(too_long, "store/a.rs", &function(FUNCTION_LINES_MAX - 2)), 0);
    assert_eq!(said(too_long, "store/a.rs", &function(FUNCTION_LINES_MAX - 1)), 1);
    let file = |lines: usize| format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "//\n".repeat(lines), "//\n".repeat(500));
    assert_eq!(said(too_long, "store/a.rs", &file(FILE_LINES_MAX)), 0);
    assert_eq!(said(too_long, "store/a.rs", &file(FILE_LINES_MAX + 1)), 1);
    assert_eq!(said(unopened, "store/a.rs", "use x;"), 1);
    assert!(is_left_open("[", "ignore") && !is_left_open("(", "ignore"));
}

#[test]
fn modules_for_tests_are_known() {
    let source = Source::new("store/mod.rs", "mod rows;\n#[cfg(test)]\nmod fixtures;\n#[cfg(test)]\nmod tests { }");
    assert_eq!(declared_for_tests(&source), [["store", "fixtures"]]);
}
