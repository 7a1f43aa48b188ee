//! The two files of a user: whatever they hold, either they are usable or every error has a place, words and no secret.

use simkeeper::config::{Problems, SAMPLE_MACHINE, SAMPLE_RULES, Severity, Source, parse};

/// Parts the machine's file from the rules.
const PART: &str = "\n=== rules.toml\n";

pub(crate) fn check(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    let (machine, rules) = text.split_once(PART).unwrap_or((text, SAMPLE_RULES));
    looked_at(machine, rules);
    // The same bytes as rules, beside a machine that is in order.
    if !text.contains(PART) {
        looked_at(SAMPLE_MACHINE, text);
    }
}

fn looked_at(machine: &str, rules: &str) {
    let source = |path: &str, text: &str| Source { path: path.into(), text: text.to_owned() };
    let today = Some(jiff::civil::date(2026, 11, 27));
    match parse(&source("simkeeper.toml", machine), &source("rules.toml", rules), today) {
        Ok(config) => {
            placed(&config.warnings, machine, rules);
            assert!(config.warnings.iter().all(|problem| problem.severity == Severity::Warning));
            // Cards name only what is there.
            for card in &config.rules.cards {
                assert!(config.machine.accounts.iter().any(|account| account.name == card.account));
            }
        }
        Err(problems) => {
            placed(&problems, machine, rules);
            assert!(problems.iter().any(|problem| problem.severity == Severity::Error), "refused without an error");
        }
    }
}

fn placed(problems: &Problems, machine: &str, rules: &str) {
    for problem in problems.iter() {
        let text = if problem.file.ends_with("rules.toml") { rules } else { machine };
        let line = text.split('\n').nth(problem.line as usize - 1).unwrap_or_else(|| panic!("no such line: {problem}"));
        assert!(
            problem.column >= 1 && problem.column as usize <= line.chars().count() + 1,
            "no such column: {problem}"
        );
        assert!(!problem.message.trim().is_empty());
        let (plain, coloured) = (problem.render(false), problem.render(true));
        assert!(plain.contains(problem.message.lines().next().unwrap_or_default()) && !coloured.is_empty());
        // Nothing in the file controls the terminal that shows what is wrong with it.
        assert!(!plain.contains(['\u{1b}', '\u{0}', '\u{7}', '\u{202e}']), "{plain:?}");
    }
}
