//! The pages tell of what there is: samples are real TOML, links lead somewhere, no state and no kind of message is
//! left out.
#![expect(clippy::unwrap_used, reason = "a page that cannot be read is a failed test")]

use std::fs;
use std::path::Path;

use simkeeper::domain::attempt::StateName;
use simkeeper::domain::notice::NoticeKind;
use simkeeper::domain::severity::Severity;

const PAGES: [&str; 10] = [
    "README.md",
    "CHANGELOG.md",
    "docs/exec.md",
    "docs/http-profile.md",
    "docs/manual.md",
    "docs/operators.md",
    "docs/reliability.md",
    "docs/translating.md",
    "docs/ussd.md",
    "docs/webhook.md",
];

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The blocks of a page that are marked as TOML.
fn samples(text: &str) -> Vec<String> {
    let blocks = text.split("```toml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// What links of a page lead to; a place on the same page keeps its `#`.
fn links(text: &str) -> Vec<String> {
    let ends = text.split("](").skip(1);
    ends.map(|end| end.split(')').next().unwrap_or_default().to_owned()).collect()
}

/// The places of a page that links can lead to, as readers of Markdown make them from headings.
fn places(text: &str) -> Vec<String> {
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    let place = |heading: &str| -> String {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .collect::<String>()
            .replace(' ', "-")
    };
    headings.map(place).collect()
}

#[test]
fn samples_are_toml() {
    let mut count = 0;
    for sample in PAGES.iter().flat_map(|name| samples(&page(name))) {
        sample.parse::<toml::Table>().unwrap_or_else(|error| panic!("{error}\n{sample}"));
        count += 1;
    }
    assert!(count >= 4, "only {count} samples found");
}

#[test]
fn links_lead_somewhere() {
    for name in PAGES {
        let text = page(name);
        for link in links(&text).iter().filter(|link| !link.contains("://")) {
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let folder = Path::new(name).parent().unwrap();
            let target = if file.is_empty() { name.into() } else { folder.join(file) };
            let there = page(target.to_str().unwrap());
            assert!(place.is_empty() || places(&there).iter().any(|known| known == place), "{name}: {link}");
        }
    }
}

#[test]
fn no_state_and_no_kind_of_message_is_left_out() {
    let (manual, promises) = (page("docs/manual.md"), page("docs/reliability.md"));
    for state in StateName::ALL {
        assert!(manual.contains(&format!("\n| {} |", state.as_str())), "{}", state.as_str());
        assert!(promises.contains(&format!("\n| `{}` |", state.as_str())), "{}", state.as_str());
    }
    for row in 1..=20 {
        assert!(promises.contains(&format!("\n| T{row} |")), "T{row}");
    }
    for gate in 1..=8 {
        assert!(promises.contains(&format!("\n| G{gate} |")), "G{gate}");
    }
    for kind in NoticeKind::ALL {
        let begins = format!("| `{}` |", kind.as_str());
        let weight = match kind.severity() {
            Severity::News => "| news |",
            Severity::Warning => "| a warning |",
            Severity::Urgent => "| urgent |",
        };
        // A key of the files may have the same name.
        let is_told = manual.lines().any(|line| line.starts_with(&begins) && line.ends_with(weight));
        assert!(is_told, "{}", kind.as_str());
    }
}
