//! Reading a profile file key by key: each value knows its path and its place; what is wrong is noted, and reading goes
//! on. A key that nothing asks for is a mistake of its own.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::source::{Log, nearest};
use crate::domain::time::Secs;

/// A value where it stands.
#[derive(Clone)]
pub(super) struct Item<'a> {
    /// The keys that lead to it, such as `buy.success`.
    pub(super) path: String,
    /// The value's place.
    pub(super) span: Range<usize>,
    value: &'a DeValue<'a>,
    /// Where its problems go.
    pub(super) log: &'a Log<'a>,
}

impl<'a> Item<'a> {
    fn of(path: String, value: &'a Spanned<DeValue<'a>>, log: &'a Log<'a>) -> Self {
        Self { path, span: value.span(), value: value.get_ref(), log }
    }

    /// Notes that something is wrong with this value.
    pub(super) fn wrong(&self, message: impl Into<String>, help: impl Into<String>) {
        self.log.wrong(&self.span, message, help);
    }

    /// Notes a mistake at this byte of a text.
    pub(super) fn wrong_at(&self, within: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        let written = self.log.text().get(self.span.clone()).unwrap_or_default();
        let exact = self.text().is_some_and(|text| written.get(1..written.len().saturating_sub(1)) == Some(text));
        if exact {
            let start = self.span.start + 1;
            self.log.wrong(&(start + within.start..start + within.end), message, help);
        } else {
            self.wrong(message, help);
        }
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self.value {
            DeValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text; anything else is noted.
    pub(super) fn must_be_text(&self) -> Option<&'a str> {
        let text = self.text();
        if text.is_none() {
            self.wrong(format!("`{}` is {}", self.path, self.what()), "it must be a text in quotes");
        }
        text
    }

    /// Yes or no, if it is that.
    pub(super) const fn truth(&self) -> Option<bool> {
        match self.value {
            DeValue::Boolean(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The digits of a number, if it is one.
    pub(super) fn digits(&self) -> Option<String> {
        match self.value {
            DeValue::Integer(number) => Some(number.to_string()),
            DeValue::Float(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A text, a number, or true or false, as text.
    pub(super) fn scalar(&self) -> Option<String> {
        let truth = || self.truth().map(|truth| truth.to_string());
        self.text().map(str::to_owned).or_else(|| self.digits()).or_else(truth)
    }

    /// The elements, if it is a list.
    pub(super) fn list(&self) -> Option<Vec<Self>> {
        let DeValue::Array(list) = self.value else { return None };
        let item = |(at, value)| Self::of(format!("{}[{}]", self.path, at + 1), value, self.log);
        Some(list.iter().enumerate().map(item).collect())
    }

    /// The elements of a list, or this alone.
    pub(super) fn one_or_list(&self) -> Vec<Self> {
        self.list().unwrap_or_else(|| vec![self.clone()])
    }

    /// The table, if it is one.
    pub(super) fn table(&self) -> Option<Table<'a>> {
        let DeValue::Table(entries) = self.value else { return None };
        Some(Table::of(self.path.clone(), self.span.clone(), entries, self.log))
    }

    /// The table; anything else is noted.
    pub(super) fn must_be_table(&self) -> Option<Table<'a>> {
        let table = self.table();
        if table.is_none() {
            self.wrong(format!("`{}` is {}", self.path, self.what()), "it must be a table of keys and values");
        }
        table
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.must_be_text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let meant = nearest(text, all.iter().copied()).map(|word| format!("did you mean `{word}`? "));
            let help = format!("{}it is one of: {}", meant.unwrap_or_default(), all.join(", "));
            self.wrong(format!("`{text}` is no word for `{}`", self.path), help);
        }
        found
    }

    /// A length of time such as `"36h"`.
    pub(super) fn secs(&self) -> Option<Secs> {
        let text = self.must_be_text()?;
        Secs::parse(text).map_err(|why| self.wrong(why, "")).ok()
    }

    /// A whole number within these bounds.
    pub(super) fn count(&self, bounds: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let number = match self.value {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        let number = number.filter(|number| bounds.contains(number));
        if number.is_none() {
            let help = format!("it is a whole number from {} to {}", bounds.start(), bounds.end());
            self.wrong(format!("`{}` cannot be this", self.path), help);
        }
        number
    }

    /// What kind of value this is, in words.
    pub(super) const fn what(&self) -> &'static str {
        match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        }
    }
}

/// A table that is being read. Close it when all its keys have been asked for.
pub(super) struct Table<'a> {
    /// The keys that lead to it; empty for the whole file.
    pub(super) path: String,
    /// Its place.
    pub(super) span: Range<usize>,
    entries: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
    /// Where its problems go.
    pub(super) log: &'a Log<'a>,
}

impl<'a> Table<'a> {
    pub(super) const fn of(path: String, span: Range<usize>, entries: &'a DeTable<'a>, log: &'a Log<'a>) -> Self {
        Self { path, span, entries, asked: RefCell::new(Vec::new()), log }
    }

    /// The same table, asked anew.
    pub(super) fn clone_empty(&self) -> Self {
        Self::of(self.path.clone(), self.span.clone(), self.entries, self.log)
    }

    /// How a key of this table is called in full.
    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Notes that something is wrong with this table.
    pub(super) fn wrong(&self, message: impl Into<String>, help: impl Into<String>) {
        self.log.wrong(&self.span, message, help);
    }

    /// The value of `key`, if it is there.
    pub(super) fn item(&self, key: &'static str) -> Option<Item<'a>> {
        self.asked.borrow_mut().push(key);
        self.entries.get(key).map(|value| Item::of(self.path_of(key), value, self.log))
    }

    /// Whether `key` is there.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.item(key).is_some()
    }

    /// The value of `key`; that it lacks is noted.
    pub(super) fn must(&self, key: &'static str, what: &str) -> Option<Item<'a>> {
        let item = self.item(key);
        if item.is_none() {
            let place = if self.path.is_empty() { "the profile".to_owned() } else { format!("`{}`", self.path) };
            self.wrong(format!("{place} lacks `{key}`"), format!("{key} = {what}"));
        }
        item
    }

    /// A text.
    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        self.item(key)?.must_be_text().map(str::to_owned)
    }

    /// Yes or no; no if it is not there.
    pub(super) fn yes(&self, key: &'static str) -> bool {
        let Some(item) = self.item(key) else { return false };
        if item.truth().is_none() {
            item.wrong(format!("`{}` is {}", item.path, item.what()), "it must be true or false, without quotes");
        }
        item.truth().unwrap_or(false)
    }

    /// A list of texts, or one text alone.
    pub(super) fn texts(&self, key: &'static str) -> Vec<String> {
        let items = self.item(key).map(|item| item.one_or_list()).unwrap_or_default();
        items.iter().filter_map(|item| item.must_be_text().map(str::to_owned)).collect()
    }

    /// A table.
    pub(super) fn table(&self, key: &'static str) -> Option<Self> {
        self.item(key)?.must_be_table()
    }

    /// Tables written as `[[key]]`, or one written as `[key]`.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Self> {
        let items = self.item(key).map(|item| item.one_or_list()).unwrap_or_default();
        items.iter().filter_map(Item::must_be_table).collect()
    }

    /// All keys and values in the order of the file; for tables whose keys are free.
    pub(super) fn all(&self) -> Vec<(&'a str, Item<'a>)> {
        let mut all: Vec<_> = self
            .entries
            .iter()
            .map(|(key, value)| {
                let name: &'a str = key.get_ref().as_ref();
                (key.span().start, name, Item::of(self.path_of(name), value, self.log))
            })
            .collect();
        all.sort_by_key(|(at, _, _)| *at);
        all.into_iter().map(|(_, name, item)| (name, item)).collect()
    }

    /// Notes the keys that nothing asked for.
    pub(super) fn close(&self) {
        let asked = self.asked.borrow();
        for (key, _) in self.entries.iter() {
            let name: &str = key.get_ref().as_ref();
            if asked.contains(&name) {
                continue;
            }
            let mut known: Vec<&str> = asked.clone();
            known.sort_unstable();
            known.dedup();
            let meant = nearest(name, known.iter().copied()).map(|known| format!("did you mean `{known}`? "));
            let help = format!("{}the keys here are: {}", meant.unwrap_or_default(), known.join(", "));
            self.log.wrong(&key.span(), format!("`{}` is not a key of a profile", self.path_of(name)), help);
        }
    }
}
