//! The table of the sixty-four faults in docs/reliability.md is kept true: every fault has a row, and every row names tests
//! that exist.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a page or a source that cannot be read is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// How many faults the table has.
const FAULTS: u32 = 64;
/// Where tests may stand: the program itself, its tests, the programs that only prove it, and the fuzz targets.
const FOLDERS: [&str; 3] = ["src", "tests", "fuzz"];

/// A row: the fault in words, and its tests.
#[derive(Debug)]
struct Row {
    fault: String,
    tests: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of the table in a page, by number.
fn rows(page: &str) -> BTreeMap<u32, Row> {
    let section =
        page.split("\n## Sixty-four faults\n").nth(1).unwrap_or_else(|| panic!("the page has no such section"));
    let section = section.split("\n## ").next().unwrap();
    let mut rows = BTreeMap::new();
    for line in section.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, fault, tests] = cells[..] else { panic!("a row of another form: {line}") };
        let Ok(number) = number.parse() else { continue };
        let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let row = Row { fault: fault.to_owned(), tests };
        assert!(rows.insert(number, row).is_none(), "fault {number} has two rows");
    }
    rows
}

/// The names of the tests of a source: functions under `#[test]` or `#[tokio::test]`, those that `proptest!` makes tests
/// of, and the target of a fuzz program, which goes by the name of its file.
fn tests_in(path: &Path, text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if text.lines().map(str::trim_start).any(|line| line.contains("fuzz_target!(") && !line.starts_with("//")) {
        found.extend(path.file_stem().map(|name| format!("fuzz/{}", name.to_string_lossy())));
    }
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        let attribute = line.strip_prefix("#[").unwrap_or_default();
        if attribute.starts_with("test]") || attribute.starts_with("tokio::test") {
            is_test = true;
        } else if attribute.starts_with("ignore") {
            is_test = false;
        } else if let Some(name) = function(line) {
            if is_test {
                found.insert(name);
            }
            is_test = false;
        }
    }
    found
}

/// The name of the function that a line begins.
fn function(line: &str) -> Option<String> {
    let rest = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
    let rest = rest.strip_prefix("async ").unwrap_or(rest).strip_prefix("fn ")?;
    Some(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
}

fn all_tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders: Vec<_> = FOLDERS.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target" && name != "data") {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.extend(tests_in(&path, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn every_fault_has_a_row_and_every_row_names_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    let (rows, tests) = (rows(&page), all_tests());
    assert!(tests.len() > 300, "only {} tests were found", tests.len());
    let numbers: Vec<u32> = rows.keys().copied().collect();
    assert_eq!(numbers, (1..=FAULTS).collect::<Vec<_>>(), "each fault has one row");
    let mut wrong = Vec::new();
    for (number, row) in &rows {
        if row.fault.is_empty() || row.tests.is_empty() {
            wrong.push(format!("{number}: no fault or no test is named"));
        }
        for test in row.tests.iter().filter(|test| !tests.contains(*test)) {
            wrong.push(format!("{number}: there is no test `{test}`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_test_that_is_commented_out_or_ignored_or_only_named_is_none() {
    let source = "#[test]\nfn one() {}\n// #[test]\n// fn two() {}\nfn three() {}\n#[tokio::test(flavor = \"x\")]\nasync fn four() {}\n\
                  #[test]\n#[ignore]\nfn five() {}\n#[test]\n#[should_panic]\npub fn six() {}\n";
    let found: Vec<String> = tests_in(Path::new("a.rs"), source).into_iter().collect();
    assert_eq!(found, ["four", "one", "six"]);
    let target = "fuzz_target!(|bytes: &[u8]| {});";
    assert_eq!(tests_in(Path::new("fuzz_targets/journal.rs"), target).into_iter().next().unwrap(), "fuzz/journal");
    assert!(tests_in(Path::new("x.rs"), "// fuzz_target!(|bytes| {});").is_empty());
}

#[test]
#[should_panic = "fault 2 has two rows"]
fn a_fault_with_two_rows_is_noticed() {
    let _rows =
        rows("\n## Sixty-four faults\n| number | fault | test |\n|---|---|---|\n| 2 | a | `x` |\n| 2 | b | `y` |\n");
}
