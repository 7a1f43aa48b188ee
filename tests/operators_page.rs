//! `docs/operators.md` and the pages below it say what the adapters declare, and their samples can be used.
#![expect(clippy::panic, reason = "a page that cannot be read is a failed test")]

use std::fs;
use std::path::Path;

use simkeeper::config::{self, Source};
use simkeeper::domain::operator::{Lookup, Proof, Repeat};
use simkeeper::operators::{KINDS, Kind};

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The row of a kind.
fn row(kind: &Kind) -> String {
    let (can, terms) = (kind.capabilities, (kind.terms)());
    let repeat = match can.repeat {
        Repeat::Replays(_) => "is the same",
        Repeat::Refuses => "is refused",
        Repeat::Pays => "pays again",
    };
    let found = match can.lookup {
        Lookup::ByRef { .. } => "by reference",
        Lookup::ByList { .. } => "in a list",
        Lookup::None => "no",
    };
    let proof = match can.proof {
        Proof::AssetIds => "a package",
        Proof::Expiry => "a later end",
        Proof::Balance => "more left",
        Proof::Order => "its order",
    };
    let lists = if can.discovers { "yes" } else { "no" };
    let needs = if terms.needs.is_empty() { "see its page".to_owned() } else { terms.needs.join(" or ") };
    format!(
        "| [{name}](operators/{name}.md) | {about} | {repeat} | {found} | {proof} | {batch} | {lists} | {needs} |",
        name = kind.name,
        about = kind.about,
        batch = can.read_batch,
    )
}

#[test]
fn the_table_is_what_the_adapters_declare() {
    let head = "| kind | what it is | a repeat | found again | proof | cards a call | lists | needs |\n|---|---|---|---|---|---|---|---|";
    let rows: Vec<String> = KINDS.iter().map(row).collect();
    let table = format!("{head}\n{}\n", rows.join("\n"));
    assert!(page("operators.md").contains(&table), "docs/operators.md needs this table:\n{table}");
}

/// Each sample of a page, with what a whole file needs around it, passes the loader.
#[test]
fn the_samples_of_the_pages_can_be_used() {
    let mut wrong = Vec::new();
    for kind in KINDS {
        let text = page(&format!("operators/{}.md", kind.name));
        let samples: Vec<&str> =
            text.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap_or_default()).collect();
        let uses = samples.iter().any(|sample| sample.contains(&format!("kind = \"{}\"", kind.name)));
        if !uses {
            wrong.push(format!("docs/operators/{}.md does not show how the account is written", kind.name));
        }
        for sample in samples.into_iter().filter(|sample| sample.contains("[operator.")) {
            let file = |path: &str, text: String| Source { path: path.into(), text };
            let machine = file("simkeeper.toml", format!("currency = \"USD\"\n{sample}"));
            let loaded = config::parse(&machine, &file("rules.toml", String::new()), None);
            wrong.extend(loaded.err().map(|problems| format!("docs/operators/{}.md: {problems}", kind.name)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
