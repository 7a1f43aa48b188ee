//! The languages in which people are told.

use serde::{Deserialize, Serialize};

/// The tags of RFC 5646 of all languages, English first: one for each file of texts, as the build script beside them lists
/// them.
const TAGS: &[&str] = include!(concat!(env!("OUT_DIR"), "/tags.rs"));

/// A language in which messages are written, by its place in the list; every text exists in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub struct Language(usize);

impl Language {
    /// English, which there always is.
    pub const ENGLISH: Self = Self(0);

    /// All of them, English first.
    pub const ALL: [Self; TAGS.len()] = {
        let mut all = [Self::ENGLISH; TAGS.len()];
        let mut place = 0;
        while place < TAGS.len() {
            all[place] = Self(place);
            place += 1;
        }
        all
    };

    /// Reads a tag, such as `en` or `zh-CN`.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|language| language.tag() == text).ok_or_else(|| {
            let known = TAGS.iter().map(|tag| format!("\"{tag}\"")).collect::<Vec<_>>().join(" or ");
            format!("`{text}` is not a language of the messages; write {known}")
        })
    }

    /// The tag of RFC 5646, as files and mails have it.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        TAGS[self.0]
    }
}

impl Default for Language {
    fn default() -> Self {
        Self::ENGLISH
    }
}

impl From<Language> for &'static str {
    fn from(language: Language) -> Self {
        language.tag()
    }
}

impl TryFrom<String> for Language {
    type Error = String;

    fn try_from(tag: String) -> Result<Self, String> {
        Self::parse(&tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_read_by_its_tag_only() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.tag()), Ok(language));
            let kept = serde_json::to_string(&language).unwrap();
            assert_eq!(kept, format!("\"{}\"", language.tag()));
            assert_eq!(serde_json::from_str::<Language>(&kept).unwrap(), language);
        }
        for text in ["", "EN", "zh", "zh-cn", "tlh"] {
            assert!(Language::parse(text).unwrap_err().contains("\"zh-CN\""), "{text}");
        }
        assert_eq!((Language::default().tag(), Language::ALL[0]), ("en", Language::ENGLISH));
    }
}
