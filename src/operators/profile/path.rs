//! Where in an answer something is: JSONPath (RFC 9535), compiled once. `$` is the row in question, or the whole answer
//! where there are no rows; `^` is always the whole answer.

use serde_json::Value;
use serde_json_path::JsonPath;

use super::tree::Item;
use crate::operators::kit::Loose;

/// Characters of a path.
const PATH_LONGEST: usize = 512;

/// A part of an answer, and the answer it is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doc<'v> {
    pub(super) row: &'v Value,
    pub(super) whole: &'v Value,
}

impl<'v> Doc<'v> {
    /// The whole answer.
    pub(super) const fn of(whole: &'v Value) -> Self {
        Self { row: whole, whole }
    }

    /// A row of the same answer.
    pub(super) const fn row(self, row: &'v Value) -> Self {
        Self { row, whole: self.whole }
    }
}

/// One path.
#[derive(Clone, Debug)]
pub(super) struct Path {
    text: String,
    of_whole: bool,
    query: JsonPath,
    /// The beginning up to the first part that may match several values.
    anchor: Option<JsonPath>,
    /// The parts between `[*]`, if nothing else matches several values: each must be there in every row.
    steps: Vec<JsonPath>,
}

impl Path {
    /// Reads a path where it stands in the file.
    pub(super) fn read(item: &Item<'_>) -> Option<Self> {
        let text = item.must_be_text()?;
        let of_whole = text.starts_with('^');
        if text.len() > PATH_LONGEST {
            item.wrong("this path is too long", format!("a path has at most {PATH_LONGEST} characters"));
            return None;
        }
        if !of_whole && !text.starts_with('$') {
            let help =
                format!("a path begins with `$` (the row or the answer) or `^` (the whole answer): \"$.{text}\"");
            item.wrong(format!("`{text}` is not a path into an answer"), help);
            return None;
        }
        let plain = if of_whole { format!("${}", &text[1..]) } else { text.to_owned() };
        match JsonPath::parse(&plain) {
            Ok(query) => {
                let anchor = anchor_of(&plain).and_then(|anchor| JsonPath::parse(anchor).ok());
                Some(Self { text: text.to_owned(), of_whole, query, anchor, steps: steps_of(&plain) })
            }
            Err(error) => {
                let at = error.position().min(text.len().saturating_sub(1));
                item.wrong_at(at..text.len(), "this is not a JSONPath", error.message().to_owned());
                None
            }
        }
    }

    /// A path of ours.
    pub(super) fn of(text: &str) -> Option<Self> {
        let query = JsonPath::parse(text).ok()?;
        Some(Self { text: text.to_owned(), of_whole: false, query, anchor: None, steps: Vec::new() })
    }

    /// As it is written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Every value it leads to.
    pub(super) fn hits<'v>(&self, doc: Doc<'v>) -> Vec<&'v Value> {
        self.query.query(self.start(doc)).all()
    }

    const fn start<'v>(&self, doc: Doc<'v>) -> &'v Value {
        if self.of_whole { doc.whole } else { doc.row }
    }

    /// The rows, list by list: a row that lacks the next list makes the whole answer incomplete.
    fn stepwise<'v>(&self, doc: Doc<'v>) -> Result<Option<Vec<&'v Value>>, String> {
        let mut rows = vec![self.start(doc)];
        let last = self.steps.len() - 1;
        for (turn, step) in self.steps.iter().enumerate() {
            let mut next = Vec::new();
            for row in rows {
                match step.query(row).all().as_slice() {
                    [Value::Array(inner)] => next.extend(inner),
                    [Value::Object(_)] if turn == last => next.extend(step.query(row).all()),
                    [Value::Object(inner)] => next.extend(inner.values()),
                    [other] if turn == last && !other.is_null() => next.push(other),
                    [] | [Value::Null] => return Ok(None),
                    _ => return Err(format!("what stands at {} is no list", self.text)),
                }
            }
            rows = next;
        }
        Ok(Some(rows))
    }

    /// The rows of the list that it leads to.
    ///
    /// # Errors
    /// There is no such list: an answer without it is not an empty list.
    pub(super) fn rows<'v>(&self, doc: Doc<'v>) -> Result<Option<Vec<&'v Value>>, String> {
        if !self.steps.is_empty() {
            return self.stepwise(doc);
        }
        let hits = self.hits(doc);
        let Some(anchor) = &self.anchor else {
            return match hits.as_slice() {
                [] | [Value::Null] => Ok(None),
                [Value::Array(rows)] => Ok(Some(rows.iter().collect())),
                [Value::Object(_)] => Ok(Some(hits)),
                _ => Err(format!("what stands at {} is no list", self.text)),
            };
        };
        let is_there = anchor.query(self.start(doc)).all().into_iter().any(|value| !value.is_null());
        if !is_there {
            return Ok(None);
        }
        let mut rows = Vec::new();
        for hit in hits {
            match hit {
                Value::Array(inner) => rows.extend(inner),
                other => rows.push(other),
            }
        }
        Ok(Some(rows))
    }
}

/// The parts of a path between its `[*]`, each as a path of its own; none if another part may match several values.
fn steps_of(path: &str) -> Vec<JsonPath> {
    let parts: Vec<&str> = path.trim_start_matches('$').split("[*]").collect();
    if parts.len() < 2 || parts.iter().any(|part| anchor_of(part).is_some()) {
        return Vec::new();
    }
    let steps: Option<Vec<JsonPath>> = parts.iter().map(|part| JsonPath::parse(&format!("${part}")).ok()).collect();
    steps.unwrap_or_default()
}

/// The part of a path before what may match several values; none if there is no such part.
fn anchor_of(path: &str) -> Option<&str> {
    let several = ["[*]", ".*", "..", "[?"].into_iter().filter_map(|mark| path.find(mark)).min();
    let slice = path.find(':').and_then(|colon| path[..colon].rfind('['));
    several.into_iter().chain(slice).min().map(|end| &path[..end])
}

/// Paths of which the first that leads to something counts.
#[derive(Clone, Debug)]
pub(super) struct Paths(pub(super) Vec<Path>);

impl Paths {
    /// One path, or a list of them.
    pub(super) fn read(item: &Item<'_>) -> Option<Self> {
        let items = item.one_or_list();
        let paths: Vec<Path> = items.iter().filter_map(Path::read).collect();
        if items.is_empty() {
            item.wrong("this list of paths is empty", "name one path at least");
        }
        (paths.len() == items.len() && !paths.is_empty()).then_some(Self(paths))
    }

    /// As they are written.
    pub(super) fn shown(&self) -> String {
        self.0.iter().map(Path::as_str).collect::<Vec<_>>().join(" or ")
    }

    /// The values of the first path that leads to any; null is none.
    pub(super) fn hits<'v>(&self, doc: Doc<'v>) -> Vec<&'v Value> {
        let found = self.0.iter().map(|path| {
            let mut hits = path.hits(doc);
            hits.retain(|hit| !hit.is_null());
            hits
        });
        found.into_iter().find(|hits| !hits.is_empty()).unwrap_or_default()
    }

    /// The one value; none if there is none.
    ///
    /// # Errors
    /// There are several.
    pub(super) fn one<'v>(&self, doc: Doc<'v>) -> Result<Option<&'v Value>, String> {
        match self.hits(doc).as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            several => Err(format!("{} leads to {} values where one is wanted", self.shown(), several.len())),
        }
    }

    /// The rows of the list.
    ///
    /// # Errors
    /// There is no such list.
    pub(super) fn rows<'v>(&self, doc: Doc<'v>) -> Result<Vec<&'v Value>, String> {
        for path in &self.0 {
            if let Some(rows) = path.rows(doc)? {
                return Ok(rows);
            }
        }
        Err(format!("it has no list at {}", self.shown()))
    }
}

/// A text, a number, or true or false, as text; none if it is empty, a list or a table.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether two texts say the same: equal, or the same number.
pub(super) fn same(one: &str, other: &str) -> bool {
    let number = |text: &str| Loose(text.to_owned()).decimal();
    one == other || number(one).is_some_and(|one| number(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> Path {
        let plain = text.replacen('^', "$", 1);
        Path {
            text: text.to_owned(),
            of_whole: text.starts_with('^'),
            query: JsonPath::parse(&plain).unwrap(),
            anchor: anchor_of(&plain).map(|anchor| JsonPath::parse(anchor).unwrap()),
            steps: steps_of(&plain),
        }
    }

    #[test]
    fn a_list_that_is_not_there_is_no_empty_list() {
        let doc = json!({"data": [1, 2], "none": [], "null": null, "one": {"a": 1}, "text": "x",
                         "deep": [{"rows": [1]}, {"rows": [2, 3]}, {}],
                         "full": [{"rows": [1]}, {"rows": [2, 3]}]});
        let rows = |text: &str| path(text).rows(Doc::of(&doc)).map(|rows| rows.map(|rows| rows.len()));
        for (text, expected) in [
            ("$.data", Ok(Some(2))),
            ("$.data[*]", Ok(Some(2))),
            ("$.none", Ok(Some(0))),
            ("$.none[*]", Ok(Some(0))),
            ("$.null", Ok(None)),
            ("$.null[*]", Ok(None)),
            ("$.lost", Ok(None)),
            ("$.lost[*].x", Ok(None)),
            ("$.one", Ok(Some(1))),
            ("$.deep[*].rows", Ok(None)),
            ("$.deep[*].rows[*]", Ok(None)),
            ("$.full[*].rows", Ok(Some(3))),
            ("$.full[*].rows[*]", Ok(Some(3))),
            ("$.deep[?@.rows].rows", Ok(Some(3))),
            ("$.deep[0:1].rows", Ok(Some(1))),
        ] {
            assert_eq!(rows(text), expected, "{text}");
        }
        assert!(rows("$.text").is_err());
    }

    #[test]
    fn one_value_is_one_value() {
        let doc = json!({"a": [{"x": 1, "y": null}, {"x": 2}]});
        let paths = |texts: &[&str]| Paths(texts.iter().map(|text| path(text)).collect());
        let row = Doc::of(&doc).row(&doc["a"][1]);
        assert!(paths(&["$.a[*].x"]).one(Doc::of(&doc)).is_err());
        assert_eq!(paths(&["$.a[*].y"]).one(Doc::of(&doc)), Ok(None));
        assert_eq!(paths(&["$.z", "$.x"]).one(row), Ok(Some(&json!(2))));
        assert_eq!(paths(&["^.a[0].x"]).one(row), Ok(Some(&json!(1))));
        assert!(same("9.50", "9.5") && same("a", "a") && !same("a", "A") && !same("1", "2"));
    }
}
