//! Files with mistakes, and the words that their owner reads.

mod cards;
mod machine;
mod rules;
mod services;
mod values;

use super::*;

/// Everything that is told about two files, one line for each problem, without the word that a rule has no card yet.
fn told(machine: &str, rules: &str) -> Vec<String> {
    let problems = parsed(machine, rules).map_or_else(|problems| problems, |config| config.warnings);
    problems.iter().map(ToString::to_string).filter(|line| !line.contains("no card here uses")).collect()
}

#[track_caller]
fn rules(text: &str, expected: &[&str]) {
    assert_eq!(told(MACHINE, text), expected.iter().map(|line| format!("rules.toml:{line}")).collect::<Vec<_>>());
}

#[track_caller]
fn machine(text: &str, expected: &[&str]) {
    assert_eq!(told(text, ""), expected.iter().map(|line| format!("simkeeper.toml:{line}")).collect::<Vec<_>>());
}
