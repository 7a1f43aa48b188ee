//! What commands print: plain tables, one JSON document, errors. Calm where nobody watches: no colour and no question
//! unless a terminal is there.

use std::io::{self, IsTerminal, Write};

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use serde_json::{Value, json};

use super::cli::Global;
use super::exit::Exit;
use crate::config::Problems;
use crate::domain::time::{Secs, UnixTime};
use crate::domain::words::Spoken;

/// The version of every JSON document; it rises when a field changes its meaning or goes.
const DOCUMENT_VERSION: u32 = 1;

/// How to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// One JSON document instead of text.
    pub(crate) json: bool,
    quiet: bool,
    /// Whether standard output shows colours.
    pub(crate) colour: bool,
}

/// How a word stands out, where colours are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As any other.
    Plain,
    /// All is well.
    Good,
    /// Somebody should look.
    Warn,
    /// Something is wrong.
    Bad,
}

impl Output {
    /// As the command line and the terminal have it.
    pub(crate) fn new(global: &Global) -> Self {
        let wanted = !global.no_colour && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { json: global.json, quiet: global.quiet, colour: wanted && io::stdout().is_terminal() }
    }

    /// Prints a result.
    pub(crate) fn say(&self, text: &str) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{text}")
    }

    /// Prints what helps a person and disturbs a script: not in JSON, not when quiet.
    pub(crate) fn hint(&self, text: &str) -> io::Result<()> {
        if self.json || self.quiet { Ok(()) } else { self.say(text) }
    }

    /// Prints a warning on standard error.
    pub(crate) fn warn(&self, text: &str) -> io::Result<()> {
        writeln!(io::stderr().lock(), "warning: {text}")
    }

    /// Prints the one document of a command, with its version.
    pub(crate) fn document(&self, fields: Value) -> io::Result<()> {
        let mut document = json!({ "version": DOCUMENT_VERSION });
        if let (Value::Object(document), Value::Object(fields)) = (&mut document, fields) {
            document.extend(fields);
        }
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, &document)?;
        writeln!(out)
    }

    /// Prints what a command did: the sentence, or a document with it and `fields`.
    pub(crate) fn done(&self, said: &str, fields: Value) -> io::Result<()> {
        if !self.json {
            return self.say(said);
        }
        let mut document = json!({ "said": said });
        if let (Value::Object(document), Value::Object(fields)) = (&mut document, fields) {
            document.extend(fields);
        }
        self.document(document)
    }

    /// A word in its tone, in a table.
    pub(crate) fn cell(&self, text: &str, tone: Tone) -> Cell {
        let colour = match tone {
            Tone::Good if self.colour => Color::Green,
            Tone::Warn if self.colour => Color::Yellow,
            Tone::Bad if self.colour => Color::Red,
            Tone::Plain | Tone::Good | Tone::Warn | Tone::Bad => return Cell::new(text),
        };
        Cell::new(text).fg(colour)
    }

    /// Prints an error: one sentence, or a document on standard error.
    pub(crate) fn error(&self, exit: Exit, error: &anyhow::Error) {
        let mut err = io::stderr().lock();
        let problems = error.chain().find_map(|cause| cause.downcast_ref::<Problems>());
        let written = if self.json {
            let mut told = json!({ "code": exit.word(), "message": format!("{error:#}") });
            if let (Some(problems), Value::Object(told)) = (problems, &mut told) {
                told.insert("problems".into(), json!(problems));
            }
            writeln!(err, "{}", json!({ "version": DOCUMENT_VERSION, "error": told }))
        } else if let Some(problems) = problems {
            writeln!(err, "{}", problems.render(self.colour && io::stderr().is_terminal()))
        } else {
            writeln!(err, "simkeeper: {error:#}")
        };
        // Nobody is left to be told if standard error is gone.
        drop(written);
    }
}

/// A table without lines: headings, then rows, columns two spaces apart.
pub(crate) fn table<C: Into<Cell>>(headings: &[&str], rows: Vec<Vec<C>>) -> String {
    let mut table = Table::new();
    // Cells have a colour only where one is shown, so what has one is styled whatever the library sees of a terminal.
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).enforce_styling();
    table.set_header(headings.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// When something is, seen from `now`: `in 3 h`, `now`, `3 h ago`.
pub(crate) fn relative(at: UnixTime, now: UnixTime) -> String {
    match at.since(now).0 {
        0 => "now".to_owned(),
        ahead if ahead > 0 => format!("in {}", Spoken(Secs(ahead))),
        behind => format!("{} ago", Spoken(Secs(behind))),
    }
}

/// An instant to the minute, in UTC: `2026-12-01 08:00`.
pub(crate) fn minute(at: UnixTime) -> String {
    at.in_zone(&jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_told_from_now() {
        let now = UnixTime::clamped(1_800_000_000);
        assert_eq!(relative(now.plus(Secs(180)), now), "in 3m");
        assert_eq!(relative(now.minus(Secs(90_000)), now), "1d 1h ago");
        assert_eq!(relative(now, now), "now");
        assert_eq!(minute(now), "2027-01-15 08:00");
    }

    #[test]
    fn tables_are_plain() {
        let text = table(&["CARD", "LEFT"], vec![vec!["tablet", "1.5 GB"], vec!["a", ""]]);
        assert_eq!(text, "CARD    LEFT\ntablet  1.5 GB\na");
    }
}
