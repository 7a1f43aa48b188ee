//! What the answers of a service mean, by status and by what stands in their JSON: as the owner of a channel describes it.

use serde_json::Value;

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Taken.
    Sent,
    /// Not taken; trying again may help.
    Temporary,
    /// Never for this message.
    Permanent,
    /// Nobody knows.
    Unclear,
}

/// A place in a JSON document (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(String);

impl Pointer {
    /// Reads a pointer.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        match (text.starts_with('/'), escapes) {
            (true, true) => Ok(Self(text.to_owned())),
            (true, false) => {
                Err(format!("`{text}` has a `~` that stands for nothing; write `~0` for `~` and `~1` for `/`"))
            }
            (false, _) => Err(format!(
                "`{text}` is not a JSON pointer; it begins with / and has one name or number for each step, such as \"/messages/0/id\""
            )),
        }
    }

    /// What stands there, if something does.
    #[must_use]
    pub fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        document.pointer(&self.0).filter(|found| !found.is_null())
    }

    /// The words that stand there: of a text without its quotes, of anything else as it is written.
    #[must_use]
    pub fn words(&self, document: &Value) -> Option<String> {
        let found = self.find(document)?;
        Some(found.as_str().map_or_else(|| found.to_string(), ToOwned::to_owned))
    }
}

/// What an answer must be for a rule to fit; all that is named must be so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// One of these statuses; any, if there are none.
    pub status: Vec<u16>,
    /// Something stands here.
    pub pointer: Option<Pointer>,
    /// And it is one of these; anything, if there are none.
    pub is: Vec<String>,
}

impl Condition {
    fn fits(&self, status: u16, document: &Value) -> bool {
        let stands = |pointer: &Pointer| {
            pointer.words(document).is_some_and(|words| self.is.is_empty() || self.is.contains(&words))
        };
        (self.status.is_empty() || self.status.contains(&status)) && self.pointer.as_ref().is_none_or(stands)
    }
}

/// What answers mean. `permanent` counts before `temporary`, and that before `sent`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Never.
    pub permanent: Vec<Condition>,
    /// Again later.
    pub temporary: Vec<Condition>,
    /// Taken; if there are none, every 2xx is.
    pub sent: Vec<Condition>,
}

impl Answers {
    /// What an answer means. What fits nothing: 429 and 503 again, other 4xx but 408 never, 2xx taken if nothing says
    /// what "taken" looks like, and anything else is unclear.
    #[must_use]
    pub fn meaning(&self, status: u16, document: &Value) -> Meaning {
        let fits = |conditions: &[Condition]| conditions.iter().any(|condition| condition.fits(status, document));
        if fits(&self.permanent) {
            return Meaning::Permanent;
        }
        if fits(&self.temporary) {
            return Meaning::Temporary;
        }
        if fits(&self.sent) {
            return Meaning::Sent;
        }
        match status {
            200..=299 if self.sent.is_empty() => Meaning::Sent,
            429 | 503 => Meaning::Temporary,
            400..=407 | 409..=499 => Meaning::Permanent,
            _ => Meaning::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn condition(status: &[u16], pointer: Option<&str>, is: &[&str]) -> Condition {
        Condition {
            status: status.to_vec(),
            pointer: pointer.map(|text| Pointer::parse(text).unwrap()),
            is: is.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn what_nothing_describes_has_a_usual_meaning() {
        for (status, wanted) in [
            (200, Meaning::Sent),
            (299, Meaning::Sent),
            (302, Meaning::Unclear),
            (400, Meaning::Permanent),
            (408, Meaning::Unclear),
            (429, Meaning::Temporary),
            (500, Meaning::Unclear),
            (503, Meaning::Temporary),
        ] {
            assert_eq!(Answers::default().meaning(status, &Value::Null), wanted, "{status}");
        }
    }

    #[test]
    fn a_200_with_an_error_inside_is_told_by_what_stands_there() {
        let answers = Answers {
            permanent: vec![condition(&[], Some("/error/code"), &["21", "unknown number"])],
            temporary: vec![condition(&[200, 400], Some("/error/code"), &[])],
            sent: vec![condition(&[200], Some("/ok"), &["true"])],
        };
        for (status, document, wanted) in [
            (200, json!({"ok": true}), Meaning::Sent),
            (201, json!({"ok": true}), Meaning::Unclear),
            (200, json!({"ok": false}), Meaning::Unclear),
            (200, json!({"ok": true, "error": {"code": 21}}), Meaning::Permanent),
            (500, json!({"error": {"code": "unknown number"}}), Meaning::Permanent),
            (400, json!({"error": {"code": 7}}), Meaning::Temporary),
            (200, json!({"error": {"code": null}}), Meaning::Unclear),
            (400, json!({"error": "x"}), Meaning::Permanent),
            (200, Value::Null, Meaning::Unclear),
        ] {
            assert_eq!(answers.meaning(status, &document), wanted, "{status} {document}");
        }
    }

    #[test]
    fn pointers_are_those_of_the_standard() {
        for text in ["messages/0", "", "$.a", "/a~2", "/a~"] {
            assert!(Pointer::parse(text).is_err(), "{text}");
        }
        let document = json!({"a/b": [{"id": 7}], "n": null, "s": "x"});
        let words = |text: &str| Pointer::parse(text).unwrap().words(&document);
        assert_eq!(words("/a~1b/0/id").as_deref(), Some("7"));
        assert_eq!(words("/s").as_deref(), Some("x"));
        assert_eq!((words("/n"), words("/none")), (None, None));
    }
}
