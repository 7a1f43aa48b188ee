//! What is wrong with a profile file, with its place and what would be right; all of it in one pass.

use std::cell::RefCell;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// At most this much of one line is shown, in bytes.
const EXCERPT_MAX: usize = 400;

/// One thing that is wrong in a profile file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    excerpt: String,
    marked: Range<usize>,
}

impl Problem {
    fn at(text: &str, span: &Range<usize>, message: String, help: Option<String>) -> Self {
        let start = boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line_end = boundary(text, line_end.min(start.saturating_add(EXCERPT_MAX))).max(start);
        let end = boundary(text, span.end.clamp(start, line_end)).max(start);
        Self {
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            message,
            help,
            excerpt: text[line_start..line_end].trim_end_matches('\r').to_owned(),
            marked: start - line_start..end - line_start,
        }
    }

    /// The problem as a person reads it: what, where, the line with the part in question underlined, the remedy.
    #[must_use]
    pub fn render(&self, shown_path: &str) -> String {
        let length = self.excerpt.len();
        let mark = AnnotationKind::Primary.span(self.marked.start.min(length)..self.marked.end.min(length));
        let snippet = Snippet::source(self.excerpt.as_str()).line_start(self.line).path(shown_path);
        let mut group = Level::ERROR.primary_title(self.message.as_str()).element(snippet.annotation(mark));
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        Renderer::plain().render(&[group])
    }
}

/// Where the problems of one file are gathered.
pub(super) struct Log<'a> {
    text: &'a str,
    found: RefCell<Vec<(usize, Problem)>>,
}

impl<'a> Log<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, found: RefCell::new(Vec::new()) }
    }

    pub(super) const fn text(&self) -> &'a str {
        self.text
    }

    /// Notes one problem.
    pub(super) fn wrong(&self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        let help = Some(help.into()).filter(|help| !help.is_empty());
        let problem = Problem::at(self.text, span, message.into(), help);
        self.found.borrow_mut().push((span.start, problem));
    }

    pub(super) fn is_clean(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// All of them in the order of the file, each once.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|(at, _)| *at);
        let mut problems: Vec<Problem> = found.into_iter().map(|(_, problem)| problem).collect();
        problems.dedup();
        problems
    }
}

/// The nearest place at or before `at` where `text` may be cut.
fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The one of `known` that was probably meant.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (strsim::jaro_winkler(word, known), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_and_any_span_is_taken() {
        let text = "a = 1\nü = \"ö\"\n";
        let at = text.find("\"ö").unwrap();
        let problem = Problem::at(text, &(at..at + 4), "odd".into(), Some("better".into()));
        assert_eq!((problem.line, problem.column), (2, 5));
        assert!(problem.render("x.toml").contains("x.toml:2:5"), "{}", problem.render("x.toml"));
        for start in 0..=text.len() + 2 {
            for end in start..=text.len() + 3 {
                assert!(!Problem::at(text, &(start..end), "m".into(), None).render("x").is_empty());
            }
        }
    }
}
