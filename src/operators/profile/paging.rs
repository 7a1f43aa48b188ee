//! Lists that come page by page, and when they end.

use super::field::At;
use super::fields::at;
use super::path::Doc;
use super::place::Place;
use super::request::Request;
use super::tree::Table;
use super::when::{Condition, Known, Verdict, all, read_conditions};

/// Pages that are read, if the profile says nothing.
const PAGES_MAX: u64 = 100;

/// How the next page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageKind {
    /// By its number.
    Number,
    /// By the number of rows before it.
    Offset,
    /// By a text that the page before it gives.
    Cursor,
    /// By an address that the page before it gives.
    Link,
}

/// How a list is read to its end.
#[derive(Clone, Debug)]
pub(super) struct Paging {
    pub(super) kind: PageKind,
    first: u64,
    next: Option<At>,
    more: Vec<Condition>,
    last: Option<At>,
    total: Option<At>,
    pub(super) max: u64,
}

/// What is to be done after a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It was the last one.
    End,
    /// Ask with this in the place of `{page}`.
    Page(String),
    /// Ask this address.
    Link(String),
}

impl Paging {
    /// Reads `page = { kind = … }` of a call.
    pub(super) fn read(table: &Table<'_>, request: Option<&Request>, place: &Place<'_>) -> Option<Self> {
        let inner = table.table("page")?;
        let kinds = [
            ("number", PageKind::Number),
            ("offset", PageKind::Offset),
            ("cursor", PageKind::Cursor),
            ("link", PageKind::Link),
        ];
        let kind = inner.must("kind", "\"number\"").and_then(|item| item.word(&kinds));
        let first =
            inner.item("first").and_then(|item| item.count(0..=1)).unwrap_or(u64::from(kind == Some(PageKind::Number)));
        let next = inner.item("next").and_then(|item| at(&item));
        let more = read_conditions(&inner, "more", place);
        let last = inner.item("last").and_then(|item| at(&item));
        let total = inner.item("total").and_then(|item| at(&item));
        let max = inner.item("max").and_then(|item| item.count(1..=10_000)).unwrap_or(PAGES_MAX);
        let kind = kind?;
        let has_slot = request.is_some_and(|request| request.names().contains(&"page"));
        if matches!(kind, PageKind::Cursor | PageKind::Link) && next.is_none() {
            inner.wrong("where the next page is told is missing", "next = \"$.next_cursor\"");
        }
        if kind != PageKind::Link && request.is_some() && !has_slot {
            let written = if kind == PageKind::Cursor { "{page?}" } else { "{page}" };
            inner.wrong(
                "the request does not say which page it wants",
                format!("put {written} where it belongs, such as query = {{ page = \"{written}\" }}"),
            );
        }
        inner.close();
        Some(Self { kind, first, next, more, last, total, max })
    }

    /// What stands for `{page}` on the first page.
    pub(super) fn start(&self) -> Option<String> {
        matches!(self.kind, PageKind::Number | PageKind::Offset).then(|| self.first.to_string())
    }

    /// What comes after the `turn`th page (counted from 1) with `rows` rows, after `seen` rows in all.
    ///
    /// # Errors
    /// The answer does not tell what it should.
    pub(super) fn next(
        &self,
        doc: Doc<'_>,
        known: Known<'_>,
        (turn, rows, seen): (u64, usize, usize),
    ) -> Result<Next, String> {
        if !self.more.is_empty() && all(&self.more, doc, known) != Verdict::Holds {
            return Ok(Next::End);
        }
        match self.kind {
            PageKind::Cursor | PageKind::Link => {
                let next = self.next.as_ref().map(|at| at.text(doc)).transpose()?.flatten();
                Ok(match next {
                    None => Next::End,
                    Some(next) if self.kind == PageKind::Link => Next::Link(next),
                    Some(next) => Next::Page(next),
                })
            }
            PageKind::Number | PageKind::Offset => {
                let number = |at: &Option<At>| -> Result<Option<i64>, String> {
                    let told = at.as_ref().map(|at| at.text(doc)).transpose()?.flatten();
                    told.map(|text| crate::operators::kit::Loose(text).whole()).transpose()
                };
                let seen = i64::try_from(seen).unwrap_or(i64::MAX);
                let page = i64::try_from(self.first + turn - 1).unwrap_or(i64::MAX);
                let is_last = number(&self.last)?.is_some_and(|last| page >= last);
                let is_all = number(&self.total)?.is_some_and(|total| seen >= total);
                if rows == 0 || is_last || is_all {
                    return Ok(Next::End);
                }
                let by_offset = i64::try_from(self.first).unwrap_or(0).saturating_add(seen);
                let next = if self.kind == PageKind::Number { page.saturating_add(1) } else { by_offset };
                Ok(Next::Page(next.to_string()))
            }
        }
    }
}
