//! From the text of a file to a tree with places, past every mistake in the syntax.
//!
//! Where the syntax is wrong the lines in question are blanked and the rest is read again, so that one pass shows those
//! mistakes and the wrong keys and values of all other lines, too.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problems::floor_boundary;
use super::reader::{Field, Node, Notes, Span, Value, looks_secret};
use super::secret::secret_help;
use super::values::day_meant;

/// After this many mistakes in the syntax the rest is not looked at.
const MISTAKES_MAX: usize = 50;

/// Reads `text`, which is the text of the file that `notes` is about.
pub(super) fn read<T: Value>(text: &str, notes: &mut Notes<'_>) -> Option<T> {
    let mut sound = text.to_owned();
    for _ in 0..MISTAKES_MAX {
        let (table, mistakes) = DeTable::parse_recoverable(&sound);
        if mistakes.is_empty() {
            return read_tree(table, notes);
        }
        notes.intact = false;
        let places: Vec<(Span, String)> = mistakes
            .iter()
            .map(|mistake| (mistake.span().unwrap_or(text.len()..text.len()), mistake.message().to_owned()))
            .collect();
        note_first_of_each_line(text, &places, notes);
        let before = sound.clone();
        for (span, _) in &places {
            blank(&mut sound, span.start);
        }
        if sound == before {
            break;
        }
    }
    None
}

fn read_tree<T: Value>(table: Spanned<DeTable<'_>>, notes: &mut Notes<'_>) -> Option<T> {
    let tree = DeValue::Table(table.into_inner());
    notes.hide_secrets(&Node::root(&tree));
    match Field::read(&Node::root(&tree), notes) {
        Field::Good(at) => Some(at.value),
        Field::Absent | Field::Bad => None,
    }
}

/// One mistake often makes the parser stumble again further on in the line; the first tells it.
fn note_first_of_each_line(text: &str, places: &[(Span, String)], notes: &mut Notes<'_>) {
    let mut last = None;
    for (span, message) in places {
        let line = line_around(text, span.start);
        if last.replace(line.clone()) != Some(line.clone()) {
            hide_secrets(text, &line, notes);
            let (message, help) = explain(text, span, message);
            notes.error(span, message, help);
        }
    }
}

/// The line that holds `at`, without its end.
fn line_around(text: &str, at: usize) -> Span {
    let at = floor_boundary(text, at);
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    start..text[at..].find('\n').map_or(text.len(), |end| at + end)
}

/// Overwrites the line at `at` with spaces; for the header of a table, all lines up to the next header.
fn blank(text: &mut String, at: usize) {
    let mut span = line_around(text, at);
    while text[span.clone()].trim().is_empty() && span.start > 0 {
        span = line_around(text, span.start - 1);
    }
    if text[span.clone()].trim_start().starts_with('[') {
        span.end = text[span.end..].find("\n[").map_or(text.len(), |next| span.end + next);
    }
    let blanked: String = text[span.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(span, &blanked);
}

/// A line that could not be read is blotted out from the first word on that names a secret.
fn hide_secrets(text: &str, line: &Span, notes: &mut Notes<'_>) {
    let mut start = line.start;
    for part in text[line.clone()].split_inclusive(['=', ',', '{']) {
        let word = part.trim_end_matches(['=', ',', '{']).trim().trim_matches(['"', '\'']);
        start += part.len();
        if part.ends_with('=') && looks_secret(word) {
            notes.hide(&(start..line.end));
            return;
        }
    }
}

/// The parser's words, and what would be right, as far as the value at the mistake tells.
fn explain(text: &str, span: &Span, message: &str) -> (String, Option<String>) {
    if message.contains("duplicate key") {
        let twice = text.get(span.clone()).unwrap_or("this key");
        return (
            format!("`{twice}` stands here a second time"),
            Some("keep one, and put what belongs together".into()),
        );
    }
    if message.contains("basic string") || message.contains("literal string") && message.starts_with("invalid") {
        return (message.to_owned(), Some("a text ends with the mark with which it begins".to_owned()));
    }
    let Some((key, value)) = assignment(text, span.start) else { return (message.to_owned(), None) };
    let numbers = value.split(['-', '/', '.']).filter(|part| part.parse::<u16>().is_ok()).count();
    if numbers == 3 && value.split(['-', '/', '.']).count() == 3 {
        return (format!("`{value}` is not a day"), Some(day_meant(value)));
    }
    let bare = !value.is_empty() && !value.contains(['"', '\'', '{', '[', '}', ']']);
    if bare && looks_secret(key) {
        return (message.to_owned(), Some(secret_help(key)));
    }
    if bare {
        return (message.to_owned(), Some(format!("a text stands in quotes: {key} = \"{value}\"")));
    }
    (message.to_owned(), None)
}

/// The key and the value, as written, of the assignment around `at`.
fn assignment(text: &str, at: usize) -> Option<(&str, &str)> {
    let line = line_around(text, at);
    let (before, _) = text[line.clone()].split_at(floor_boundary(text, at) - line.start);
    let whole = &text[line];
    let equals = before.rfind('=').or_else(|| whole.find('='))?;
    let key = whole[..equals].rsplit(['{', ',']).next()?.trim();
    let value = whole[equals + 1..].split(['#', ',', '}']).next()?.trim();
    (!key.is_empty()).then_some((key, value))
}
