//! Reading a parsed file key by key: every value knows its path and its place, every problem is noted, and reading goes
//! on. What a key may hold is a type that implements [`Value`]; the same type describes itself in the JSON schema.

use std::collections::HashSet;
use std::ops::Range;

use schemars::JsonSchema;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::Source;
use super::problems::{Problem, Severity};
use super::secret::SecretRef;
use crate::domain::card::{Name, tamed};
use crate::domain::rule::Line;

/// A part of a file in bytes.
pub(super) type Span = Range<usize>;

/// What a key may hold: read from the file, and described in the schema.
pub(super) trait Value: JsonSchema + Sized {
    /// The value, or none after noting why not.
    fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Self>;
}

/// A value where it stands in the file.
#[derive(Clone)]
pub(super) struct Node<'a> {
    /// The keys that lead to it, such as `rule.travel.buy`.
    pub(super) path: String,
    /// The key's place; the value's own, for an element of a list.
    pub(super) key: Span,
    /// The value's place.
    pub(super) span: Span,
    content: &'a DeValue<'a>,
}

impl<'a> Node<'a> {
    /// The whole file.
    pub(super) const fn root(content: &'a DeValue<'a>) -> Self {
        Self { path: String::new(), key: 0..0, span: 0..0, content }
    }

    /// The last key of the path, without the place in a list.
    pub(super) fn name(&self) -> &str {
        let last = self.path.rsplit('.').next().unwrap_or(&self.path);
        last.split('[').next().unwrap_or(last)
    }

    /// The path of `key` in this table.
    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The text, if it is one.
    pub(super) fn as_text(&self) -> Option<&'a str> {
        match self.content {
            DeValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// The date, if it is a date without a time.
    pub(super) const fn as_date(&self) -> Option<toml::value::Date> {
        match self.content {
            DeValue::Datetime(when) if when.time.is_none() && when.offset.is_none() => when.date,
            _ => None,
        }
    }

    /// Yes or no, if it is that.
    pub(super) const fn as_bool(&self) -> Option<bool> {
        match self.content {
            DeValue::Boolean(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The digits of a number with or without a point, if it is one.
    pub(super) fn as_digits(&self) -> Option<String> {
        match self.content {
            DeValue::Integer(number) => Some(number.to_string()),
            DeValue::Float(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A whole number that is not below zero, if it is one.
    pub(super) fn as_count(&self) -> Option<u64> {
        match self.content {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub(super) fn as_list(&self) -> Option<Vec<Node<'a>>> {
        let DeValue::Array(list) = self.content else { return None };
        Some(self.elements(list))
    }

    /// The keys and their values in the order of the file, if it is a table.
    pub(super) fn as_table(&self) -> Option<Vec<(&'a str, Node<'a>)>> {
        let DeValue::Table(table) = self.content else { return None };
        Some(self.entries(table))
    }

    /// What kind of value this is, in words.
    pub(super) const fn what(&self) -> &'static str {
        match self.content {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        }
    }

    fn elements(&self, list: &'a DeArray<'a>) -> Vec<Node<'a>> {
        let node = |(at, item): (usize, &'a Spanned<DeValue<'a>>)| Node {
            path: format!("{}[{}]", self.path, at + 1),
            key: item.span(),
            span: item.span(),
            content: item.get_ref(),
        };
        list.iter().enumerate().map(node).collect()
    }

    fn entries(&self, table: &'a DeTable<'a>) -> Vec<(&'a str, Node<'a>)> {
        let mut entries: Vec<_> = table
            .iter()
            .map(|(key, value)| {
                let name: &'a str = key.get_ref().as_ref();
                let path = self.path_of(name);
                (name, Node { path, key: key.span(), span: value.span(), content: value.get_ref() })
            })
            .collect();
        entries.sort_by_key(|(_, node)| node.key.start);
        entries
    }
}

/// A value that was read, and its places.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    /// The value.
    pub(super) value: T,
    /// The key's place; the value's own, for an element of a list.
    pub(super) key: Span,
    /// The value's place.
    pub(super) span: Span,
}

/// One key of a table: not there, there and wrong (which is noted), or read.
#[derive(Debug, Default)]
pub(super) enum Field<T> {
    /// The key is not in the file.
    #[default]
    Absent,
    /// The key is there; what is wrong with it was noted.
    Bad,
    /// The value.
    Good(At<T>),
}

impl<T> Field<T> {
    /// The value with its places, if it was read.
    pub(super) const fn good(&self) -> Option<&At<T>> {
        match self {
            Self::Good(at) => Some(at),
            Self::Absent | Self::Bad => None,
        }
    }

    /// The value, if it was read.
    pub(super) fn get(&self) -> Option<&T> {
        self.good().map(|at| &at.value)
    }

    /// Whether the key is not in the file.
    pub(super) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T: Value> Field<T> {
    /// Reads the value of a key.
    pub(super) fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Self {
        match T::read(node, notes) {
            Some(value) => Self::Good(At { value, key: node.key.clone(), span: node.span.clone() }),
            None => Self::Bad,
        }
    }
}

/// A table whose keys the owner chooses, such as `[card.NAME]`.
#[derive(Debug)]
pub(super) struct Named<T>(pub(super) Vec<Entry<T>>);

/// One entry of it; without a value if that was wrong, so that the name is known all the same.
#[derive(Debug)]
pub(super) struct Entry<T> {
    /// The name.
    pub(super) name: Name,
    /// Where the name stands.
    pub(super) key: Span,
    /// What stands under it.
    pub(super) value: Option<T>,
}

/// What was found in one file so far.
pub(super) struct Notes<'a> {
    source: &'a Source,
    line_starts: Vec<usize>,
    /// Whether the file could be parsed whole. If not, only what is wrong in itself is noted, for what seems to be
    /// missing or to contradict may stand in the part that could not be read.
    pub(super) intact: bool,
    found: Vec<(Severity, Span, String, Option<String>)>,
    hidden: Vec<Span>,
    /// The secrets that the file refers to.
    pub(super) secrets: Vec<At<SecretRef>>,
}

impl<'a> Notes<'a> {
    /// Whether something wrong was noted in the table whose heading stands there, up to the next heading.
    pub(super) fn told_in_table(&self, heading: &Span) -> bool {
        let rest = self.source.text.get(heading.start..).unwrap_or_default();
        let ends = rest.find("\n[").map_or(self.source.text.len(), |length| heading.start + length);
        self.found.iter().any(|(_, span, _, _)| (heading.start..ends).contains(&span.start))
    }

    /// Nothing found yet.
    pub(super) fn new(source: &'a Source) -> Self {
        let ends = source.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { source, line_starts, intact: true, found: Vec::new(), hidden: Vec::new(), secrets: Vec::new() }
    }

    /// Something that is wrong in itself.
    pub(super) fn error(&mut self, span: &Span, message: impl AsRef<str>, help: impl Into<Option<String>>) {
        self.add(Severity::Error, span, message.as_ref(), help.into());
    }

    /// Something that is wrong beside the rest of the file: missing, doubled, contradicting, not found.
    pub(super) fn contradiction(&mut self, span: &Span, message: impl AsRef<str>, help: impl Into<Option<String>>) {
        if self.intact {
            self.add(Severity::Error, span, message.as_ref(), help.into());
        }
    }

    /// Something that somebody should look at.
    pub(super) fn warning(&mut self, span: &Span, message: impl AsRef<str>, help: impl Into<Option<String>>) {
        if self.intact {
            self.add(Severity::Warning, span, message.as_ref(), help.into());
        }
    }

    /// A text that could not be read as what it should be: `why` is the reader's own sentence, whose part after the
    /// semicolon says what would be right.
    pub(super) fn bad_text(&mut self, node: &Node<'_>, why: &str, example: &str) {
        // An address may hold a password, and somebody may have put the secret where its name belongs.
        if node.name() == "credential" || node.as_text().is_some_and(|text| text.contains("://") && text.contains('@'))
        {
            self.hide(&node.span);
        }
        let (message, help) = match (why.split_once("; "), why.split_once(", such as ")) {
            (Some((message, help)), _) => (message, help.to_owned()),
            (None, Some((message, example))) => (message, format!("such as {} = {example}", node.name())),
            (None, None) => (why, format!("such as {} = \"{example}\"", node.name())),
        };
        self.error(&node.span, message, help);
    }

    /// A value of the wrong kind.
    pub(super) fn wrong_kind(&mut self, node: &Node<'_>, wanted: &str, example: &str) {
        let message = format!("`{}` takes {wanted}, not {}", node.path, node.what());
        self.error(&node.span, message, format!("such as {} = {example}", node.name()));
    }

    /// The place in the file of a part of a text that stands at `span`; the whole text, if it was written with escapes.
    pub(super) fn within(&self, span: &Span, text: &str, part: &Span) -> Span {
        let written = self.source.text.get(span.clone()).unwrap_or_default();
        let quotes = ["\"\"\"\r\n", "\"\"\"\n", "\"\"\"", "'''\r\n", "'''\n", "'''", "\"", "'"];
        let inner = quotes.iter().find_map(|quote| written.strip_prefix(quote)).unwrap_or(written);
        let start = span.start + written.len() - inner.len();
        if inner.starts_with(text) { start + part.start..start + part.end } else { span.clone() }
    }

    /// Keeps a place from ever being shown: a secret stands there.
    pub(super) fn hide(&mut self, span: &Span) {
        self.hidden.push(span.clone());
    }

    /// Keeps every value from being shown that stands under a key for secrets and is no reference.
    pub(super) fn hide_secrets(&mut self, node: &Node<'_>) {
        for (key, entry) in node.as_table().unwrap_or_default() {
            if looks_secret(key) && entry.as_table().is_none() {
                self.hide(&entry.span);
            }
            self.hide_secrets(&entry);
        }
        node.as_list().unwrap_or_default().iter().for_each(|item| self.hide_secrets(item));
    }

    /// The line of a place, counted from 1.
    pub(super) fn line(&self, span: &Span) -> Line {
        u32::try_from(self.line_starts.partition_point(|start| *start <= span.start)).unwrap_or(u32::MAX)
    }

    /// What was found, in the order of the places.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        let shown = blotted(&self.source.text, &self.hidden);
        let mut found = std::mem::take(&mut self.found);
        found.sort_by_key(|(_, span, _, _)| span.start);
        // A table of which every card is read says the same at one place more than once.
        let mut told = HashSet::new();
        found.retain(|(_, span, message, _)| told.insert((span.start, span.end, message.clone())));
        let at = (self.source.path.as_path(), self.source.text.as_str(), shown.as_str());
        let problem = |(severity, span, message, help)| {
            let line = self.line(&span);
            Problem::at(severity, at, (line, &span), (message, help))
        };
        found.into_iter().map(problem).collect()
    }

    fn add(&mut self, severity: Severity, span: &Span, message: &str, help: Option<String>) {
        // The file may have come from anywhere; what it holds must not control the terminal that shows the message.
        self.found.push((severity, span.clone(), tamed(message, 500), help.map(|help| tamed(&help, 800))));
    }
}

/// `text` with asterisks over the bytes of `hidden`; line ends stay, so that places stay the same.
fn blotted(text: &str, hidden: &[Span]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for span in hidden {
        for byte in bytes.iter_mut().take(span.end).skip(span.start).filter(|byte| **byte != b'\n') {
            *byte = b'*';
        }
    }
    // Spans of values begin and end between characters, so this is text still.
    String::from_utf8(bytes).unwrap_or_default()
}

/// Whether values under this key are secrets.
pub(super) fn looks_secret(key: &str) -> bool {
    const PARTS: [&str; 9] =
        ["secret", "password", "passwd", "token", "client_id", "api_key", "apikey", "api-key", "authorization"];
    let key = key.to_lowercase();
    key == "key" || key == "pass" || PARTS.iter().any(|part| key.contains(part))
}

/// The nearest of the `known` words, if one is near enough to be meant.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = word.to_lowercase();
    let scored = known.into_iter().map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), known));
    let (distance, found) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= (word.chars().count() / 3).max(1)).then_some(found)
}

/// What to say about a word that is not known: the nearest one, else all of them.
pub(super) fn known_words(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there is none yet".to_owned(),
        None => format!("known: {}", known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ")),
    }
}
