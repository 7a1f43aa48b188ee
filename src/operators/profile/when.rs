//! Conditions on an answer: `{ path = "$.status", is = "done" }`.

use regex::Regex;

use super::path::{Doc, Paths, same, scalar};
use super::place::Place;
use super::template::{Template, Values};
use super::tree::{Item, Table};
use crate::operators::kit::same_card;
use jiff::tz::TimeZone;

/// One condition.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    paths: Paths,
    /// Whether one of several values is enough.
    any: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Is(Vec<Template>),
    Not(Vec<Template>),
    Matches(Regex),
    Exists(bool),
}

/// What an answer says to a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It holds.
    Holds,
    /// It does not, and this says why.
    Fails(String),
    /// What it asks about is not there.
    Lacks(String),
}

/// The values that conditions may compare with.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) values: &'a Values,
    pub(super) zone: &'a TimeZone,
}

/// Reads one condition or a list of them; all must hold.
pub(super) fn read_conditions(table: &Table<'_>, key: &'static str, place: &Place<'_>) -> Vec<Condition> {
    let items = table.item(key).map(|item| item.one_or_list()).unwrap_or_default();
    items.iter().filter_map(|item| Condition::read(&item.must_be_table()?, place)).collect()
}

impl Condition {
    fn read(table: &Table<'_>, place: &Place<'_>) -> Option<Self> {
        let condition = Self::read_keys(table, place);
        table.close();
        condition
    }

    /// Reads the keys of a condition from a table that holds other keys, too.
    pub(super) fn read_keys(table: &Table<'_>, place: &Place<'_>) -> Option<Self> {
        let paths = table.must("path", "\"$.status\"").and_then(|item| Paths::read(&item));
        let any = table.yes("any");
        let tests = [
            table.item("is").and_then(|item| Some(Test::Is(templates(&item, place)?))),
            table.item("not").and_then(|item| Some(Test::Not(templates(&item, place)?))),
            table.item("matches").and_then(|item| pattern(&item)).map(Test::Matches),
            table.item("exists").and_then(|item| item.truth()).map(Test::Exists),
        ];
        let named = ["is", "not", "matches", "exists"].into_iter().filter(|key| table.has(key)).count();
        if named != 1 {
            table.wrong(
                "a condition has exactly one of `is`, `not`, `matches` and `exists`",
                "{ path = \"$.status\", is = [\"done\", \"completed\"] }",
            );
        }
        let test = tests.into_iter().flatten().next()?;
        Some(Self { paths: paths?, any, test })
    }

    /// Whether it holds.
    pub(super) fn judge(&self, doc: Doc<'_>, known: Known<'_>) -> Verdict {
        let hits = self.paths.hits(doc);
        let place = self.paths.shown();
        if let Test::Exists(wanted) = self.test {
            return if hits.is_empty() != wanted {
                Verdict::Holds
            } else {
                Verdict::Fails(format!("{place} is not as expected"))
            };
        }
        if hits.is_empty() {
            return if matches!(self.test, Test::Not(_)) {
                Verdict::Holds
            } else {
                Verdict::Lacks(format!("there is no {place}"))
            };
        }
        if hits.len() > 1 && !self.any {
            return Verdict::Fails(format!("{place} leads to {} values", hits.len()));
        }
        let texts: Vec<String> = hits.into_iter().filter_map(scalar).collect();
        let told = || crate::domain::card::tamed(&texts.join(", "), 60);
        let held = match &self.test {
            Test::Is(wanted) => texts.iter().any(|text| wanted.iter().any(|wanted| is(wanted, text, known))),
            Test::Not(unwanted) => !texts.iter().any(|text| unwanted.iter().any(|unwanted| is(unwanted, text, known))),
            Test::Matches(pattern) => texts.iter().any(|text| pattern.is_match(text)),
            Test::Exists(_) => true,
        };
        if held { Verdict::Holds } else { Verdict::Fails(format!("{place} is `{}`", told())) }
    }

    /// The placeholders that it compares with.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let wanted: &[Template] = match &self.test {
            Test::Is(wanted) => wanted,
            Test::Not(_) | Test::Matches(_) | Test::Exists(_) => &[],
        };
        wanted.iter().flat_map(Template::slots).map(|slot| slot.name.as_str())
    }
}

/// What all conditions together say: the first that does not hold.
pub(super) fn all(conditions: &[Condition], doc: Doc<'_>, known: Known<'_>) -> Verdict {
    let verdicts = conditions.iter().map(|condition| condition.judge(doc, known));
    verdicts.into_iter().find(|verdict| *verdict != Verdict::Holds).unwrap_or(Verdict::Holds)
}

fn templates(item: &Item<'_>, place: &Place<'_>) -> Option<Vec<Template>> {
    let items = item.one_or_list();
    let read = |item: &Item<'_>| match item.text() {
        Some(_) => place.template(item),
        None => item.scalar().map(|text| Template::plain(&text)).or_else(|| {
            item.wrong(format!("`{}` is {}", item.path, item.what()), "compare with a text, a number, true or false");
            None
        }),
    };
    let read: Vec<Template> = items.iter().filter_map(read).collect();
    (read.len() == items.len()).then_some(read)
}

fn pattern(item: &Item<'_>) -> Option<Regex> {
    let text = item.must_be_text()?;
    let built = regex::RegexBuilder::new(text).size_limit(1 << 20).build();
    built
        .map_err(|_| item.wrong("this is no regular expression", "such as \"^INSUFFICIENT_\"; `.` is any character"))
        .ok()
}

/// Whether a text is what a template stands for; numbers of cards and phones in any of their forms.
fn is(wanted: &Template, told: &str, known: Known<'_>) -> bool {
    let Ok(Some(ours)) = wanted.fill(known.values, known.zone) else { return false };
    match wanted.only_slot().map(|slot| slot.name.as_str()) {
        Some("iccid") => same_card(&ours, told),
        Some("msisdn") => digits(&ours) == digits(told),
        Some("key") => ours.eq_ignore_ascii_case(told),
        _ => same(&ours, told),
    }
}

fn digits(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches("00").to_owned()
}
