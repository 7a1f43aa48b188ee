//! Files of cards: each line is a card of this configuration or a mistake with its line; no line is lost or made up.

use std::sync::LazyLock;

use simkeeper::commands::import::read;
use simkeeper::config::{Config, SAMPLE_MACHINE, SAMPLE_RULES, Source, parse};
use simkeeper::domain::card::Name;
use simkeeper::domain::identity::Iccid;

/// The accounts, people and rules of the sample files.
static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
    parse(&source("simkeeper.toml", SAMPLE_MACHINE), &source("rules.toml", SAMPLE_RULES), None).unwrap()
});

pub(crate) fn check(data: &[u8]) {
    let (cards, wrong) = read(data, &CONFIG);
    let lines = lines_of(data);
    for (line, card) in &cards {
        assert!((2..=lines).contains(line), "a card in line {line} of {lines}");
        assert!(!wrong.iter().any(|wrong| wrong.line == *line), "line {line} is a card and a mistake");
        assert!(Name::parse(&card.name).is_ok() && card.operator == "try");
        assert!(card.iccid.as_deref().is_none_or(|iccid| Iccid::parse(iccid).is_ok()));
    }
    let mut names: Vec<&str> = cards.values().map(|card| card.name.as_str()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a name twice");
    for wrong in &wrong {
        assert!(!wrong.message.is_empty());
        assert!(wrong.line <= lines || wrong.line == u64::MAX);
    }
}

/// Lines as an editor counts them.
fn lines_of(data: &[u8]) -> u64 {
    let ends = data.iter().enumerate().filter(|(at, byte)| match byte {
        b'\n' => *at == 0 || data[at - 1] != b'\r',
        b'\r' => true,
        _ => false,
    });
    1 + ends.count() as u64
}
