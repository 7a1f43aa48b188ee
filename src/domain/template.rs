//! A text with places that a message fills in: a part of a request that the owner of a channel describes. What is filled
//! in is escaped for where it stands, so that whatever a message holds, it stays a value there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{Environment, Error, UndefinedBehavior};
use serde::Serialize;

/// Steps that filling one text may take.
const FUEL: u64 = 50_000;
/// What places of secrets begin with.
const SECRETS: &str = "secrets";

/// How a value is written where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// Inside the quotes of a JSON text.
    Json,
    /// In an address or a form.
    Percent,
    /// In XML.
    Xml,
    /// As it is.
    Nothing,
}

impl Escape {
    /// What a body of this type needs.
    #[must_use]
    pub fn of_content(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Self::Percent,
            json if json.ends_with("/json") || json.ends_with("+json") => Self::Json,
            xml if xml.ends_with("/xml") || xml.ends_with("+xml") => Self::Xml,
            _ => Self::Nothing,
        }
    }

    fn written(self, text: &str) -> String {
        match self {
            Self::Json => {
                let quoted = serde_json::to_string(text).unwrap_or_default();
                quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
            }
            Self::Percent => percent_encoded(text),
            Self::Xml => {
                let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                escaped.replace('"', "&quot;").replace('\'', "&#39;")
            }
            Self::Nothing => text.to_owned(),
        }
    }
}

/// `text` with every byte but letters, digits and `-._~` as `%XX` (RFC 3986).
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => {
                // Writing into a text cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct TemplateError {
    /// What, for people.
    pub why: String,
    /// Where in the template, in bytes.
    pub range: Option<Range<usize>>,
}

impl TemplateError {
    fn of(error: &Error) -> Self {
        let why = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
        Self { why, range: error.range() }
    }
}

/// What a message puts into the places.
#[derive(Clone, Debug, Serialize)]
pub struct Filling<'a> {
    /// The address: a number, a topic, a chat.
    pub to: &'a str,
    /// The address without a leading `+`.
    pub to_digits: &'a str,
    /// The words.
    pub text: &'a str,
    /// The notice's own id, the same at every repeat.
    pub id: &'a str,
    /// When this try is made, in Unix seconds.
    pub at: i64,
    /// For how many minutes it is worth delivering.
    pub minutes: i64,
    /// The heading of a push message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
    /// Whether a push message cannot wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgent: Option<bool>,
    /// Of a text message: 0 where it fits the GSM alphabet, else 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coding: Option<u8>,
    /// The secrets of the description, by name.
    pub secrets: BTreeMap<&'a str, &'a str>,
}

impl<'a> Filling<'a> {
    /// A message with every character that could break out of its place, to try a description with.
    #[must_use]
    pub fn trial(push: bool, secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            to: "+16135550123",
            to_digits: "16135550123",
            text: "\"canada\" & <co> 100% \\ it's\n续费 {{ id }}",
            id: "0193a1b2",
            at: 1_797_586_200,
            minutes: 90,
            title: push.then_some("\"canada\""),
            urgent: push.then_some(true),
            coding: (!push).then_some(0),
            secrets: secrets.into_iter().map(|name| (name, "secret")).collect(),
        }
    }

    /// The names of the places, in the order in which they are told.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let always = ["to", "to_digits", "text", "id", "at", "minutes"].map(ToOwned::to_owned);
        let push = ["title", "urgent"].into_iter().filter(|_| self.title.is_some()).map(ToOwned::to_owned);
        let coding = self.coding.map(|_| "coding".to_owned());
        let secrets = self.secrets.keys().map(|name| format!("{SECRETS}.{name}"));
        always.into_iter().chain(push).chain(coding).chain(secrets).collect()
    }
}

/// A template that was read; filling it in can still fail, which a trial shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    source: String,
    escape: Escape,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with its syntax, and where.
    pub fn parse(source: &str, escape: Escape) -> Result<Self, TemplateError> {
        environment(escape).template_from_str(source).map_err(|error| TemplateError::of(&error))?;
        Ok(Self { source: source.to_owned(), escape })
    }

    /// The text as it was given.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names of its places, such as `text` or `secrets.token`.
    #[must_use]
    pub fn places(&self) -> BTreeSet<String> {
        let environment = environment(self.escape);
        let read = environment.template_from_str(&self.source);
        read.map(|template| template.undeclared_variables(true).into_iter().collect()).unwrap_or_default()
    }

    /// Where a place of this name stands first.
    #[must_use]
    pub fn range_of(&self, place: &str) -> Option<Range<usize>> {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let found = self.source.match_indices(place).find(|(at, _)| {
            let (before, after) = (&self.source[..*at], &self.source[at + place.len()..]);
            !before.ends_with(word) && !after.starts_with(word) && before.contains('{')
        });
        found.map(|(at, _)| at..at + place.len())
    }

    /// The text with its places filled.
    ///
    /// # Errors
    /// What could not be filled, and where. Nothing of the secrets is told.
    pub fn filled(&self, filling: &Filling<'_>) -> Result<String, TemplateError> {
        let environment = environment(self.escape);
        let template = environment.template_from_str(&self.source).map_err(|error| TemplateError::of(&error))?;
        template.render(Value::from(Serde(filling))).map_err(|error| {
            // A detail may quote a value.
            let range = error.range();
            let part = range.clone().and_then(|range| self.source.get(range)).unwrap_or("a place");
            TemplateError { why: format!("`{part}` cannot be filled in: {}", error.kind()), range }
        })
    }
}

fn environment(escape: Escape) -> Environment<'static> {
    let mut environment = Environment::new();
    // It would copy what is filled in, secrets among it, into errors.
    environment.set_debug(false);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_formatter(move |out, _, value| {
        let text = match value.kind() {
            // By itself it would write them with a capital, as Python does.
            ValueKind::Bool => value.is_true().to_string(),
            _ => value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned),
        };
        let text = if value.is_safe() { text } else { escape.written(&text) };
        Ok(out.write_str(&text)?)
    });
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(source: &str, escape: Escape) -> Result<String, TemplateError> {
        Template::parse(source, escape)?.filled(&Filling { text: "a\"b\\\n&<ü ", ..Filling::trial(true, ["token"]) })
    }

    #[test]
    fn a_value_stays_a_value_where_it_stands() {
        assert_eq!(filled("{\"t\": \"{{ text }}\"}", Escape::Json).unwrap(), "{\"t\": \"a\\\"b\\\\\\n&<ü \"}");
        assert_eq!(filled("t={{ text }}&u", Escape::Percent).unwrap(), "t=a%22b%5C%0A%26%3C%C3%BC%20&u");
        assert_eq!(filled("<t>{{ text }}</t>", Escape::Xml).unwrap(), "<t>a&quot;b\\\n&amp;&lt;ü </t>");
        assert_eq!(filled("{{ text }}", Escape::Nothing).unwrap(), "a\"b\\\n&<ü ");
        assert_eq!(
            filled("{{ urgent }} {{ at }} {{ secrets.token }}", Escape::Json).unwrap(),
            "true 1797586200 secret"
        );
        assert_eq!(filled("{{ text | safe }}", Escape::Json).unwrap(), "a\"b\\\n&<ü ");
        // A quote at either end is part of the value.
        let quoted = Filling { text: "\"x\"", ..Filling::trial(false, []) };
        assert_eq!(Template::parse("{{ text }}", Escape::Json).unwrap().filled(&quoted).unwrap(), "\\\"x\\\"");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let wrong = |source: &str| {
            let error = filled(source, Escape::Json).unwrap_err();
            (error.why, error.range.map(|range| source[range].to_owned()))
        };
        let (why, part) = wrong("abc {{ text");
        assert!(why.contains("end of"), "{why} {part:?}");
        assert_eq!(
            wrong("abc {{ txt }}"),
            ("`txt` cannot be filled in: undefined value".to_owned(), Some("txt".to_owned()))
        );
        assert_eq!(wrong("{{ secrets.tokn }}").1.as_deref(), Some("secrets.tokn"));
        let (why, _) = wrong("{{ secrets.token | int }}");
        assert!(!why.contains("\"secret\""), "{why}");
        // Work without end stops.
        assert!(
            wrong("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}").0.contains("fuel")
        );
        assert!(filled("{% include 'x' %}", Escape::Json).is_err());
    }

    #[test]
    fn places_are_known_by_name_and_place() {
        let template = Template::parse(
            "text {{ to }}{% if urgent %}{{ secrets.a }}{{ texts }}{% endif %}{{ text }}",
            Escape::Json,
        );
        let template = template.unwrap();
        let places: Vec<String> = template.places().into_iter().collect();
        assert_eq!(places, ["secrets.a", "text", "texts", "to", "urgent"]);
        let range = template.range_of("text").unwrap();
        assert_eq!(&template.source()[range.start - 3..range.end + 3], "{{ text }}");
        assert_eq!(template.range_of("none"), None);
    }

    #[test]
    fn a_body_is_escaped_as_its_type_needs() {
        for (content, wanted) in [
            ("application/json", Escape::Json),
            ("application/vnd.api+json; charset=utf-8", Escape::Json),
            ("application/x-www-form-urlencoded", Escape::Percent),
            ("text/xml", Escape::Xml),
            ("application/soap+xml", Escape::Xml),
            ("text/plain", Escape::Nothing),
        ] {
            assert_eq!(Escape::of_content(content), wanted, "{content}");
        }
    }
}
