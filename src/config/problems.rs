//! What is wrong with the files, with place and remedy, and how it is shown: all of it at once, in the order of the files.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::Serialize;

/// Whether a problem keeps the files from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The files are not used.
    Error,
    /// The files are used; somebody should look.
    Warning,
}

/// One thing that is wrong, its place and its remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether the files can be used all the same.
    pub severity: Severity,
    /// The file, as it was named to the loader.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    #[serde(skip)]
    excerpt: Excerpt,
}

/// The lines that a problem touches, secrets blotted out, and the part of them to underline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Excerpt {
    lines: String,
    marked: Range<usize>,
}

/// At most this much of one place is shown, in bytes; longer lines are cut around the mark.
const EXCERPT_MAX: usize = 400;

impl Problem {
    /// A problem at `span` (in bytes from 0) of `text`, which is in `line`; `shown` is `text` with secrets blotted out,
    /// equally long.
    pub(super) fn at(
        severity: Severity,
        (file, text, shown): (&Path, &str, &str),
        (line, span): (u32, &Range<usize>),
        (message, help): (String, Option<String>),
    ) -> Self {
        let start = floor_boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let column = text[line_start..start].chars().count() + 1;
        let excerpt = Excerpt::of(shown, start..span.end.max(start));
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        Self { severity, file: file.to_owned(), line, column, message, help, excerpt }
    }

    /// The problem as a person reads it: what, where, the line with the part in question underlined, the remedy.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let path = self.file.display().to_string();
        let mark = AnnotationKind::Primary.span(self.excerpt.marked.clone());
        let snippet = Snippet::source(self.excerpt.lines.as_str()).line_start(self.line as usize).path(path);
        let mut group = level.primary_title(self.message.as_str()).element(snippet.annotation(mark));
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

impl fmt::Display for Problem {
    /// One line: `rules.toml:12:3: message; help`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "; {help}"))
    }
}

impl Excerpt {
    /// The first line that `span` touches; a mark that runs on is cut at the end of that line.
    fn of(text: &str, span: Range<usize>) -> Self {
        let start = floor_boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line_end = if text[line_start..line_end].ends_with('\r') { line_end - 1 } else { line_end }.max(line_start);
        let line_end = floor_boundary(text, line_end.min(start.saturating_add(EXCERPT_MAX))).max(start.min(line_end));
        let start = start.min(line_end);
        let end = floor_boundary(text, span.end.min(line_end)).max(start);
        Self { lines: text[line_start..line_end].to_owned(), marked: start - line_start..end - line_start }
    }
}

/// The nearest place at or before `at` where `text` may be cut.
pub(super) fn floor_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Everything that was found in both files in one pass, in the order of the files and of the places in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// All of them, in order.
    pub(super) const fn new(ordered: Vec<Problem>) -> Self {
        Self(ordered)
    }

    /// Whether one of them keeps the files from being used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them as a person reads them, an empty line between two.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        self.iter().map(|problem| problem.render(colour)).collect::<Vec<_>>().join("\n\n")
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Problems {
    /// One line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().enumerate().try_for_each(|(at, problem)| {
            if at > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)
        })
    }
}

impl std::error::Error for Problems {}
