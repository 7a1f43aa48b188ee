//! The languages in which people are told.

use serde::{Deserialize, Serialize};

/// A language in which messages are written; every text exists in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    En,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    ZhCn,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::ZhCn];

    /// Reads `en` or `zh-CN`.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|language| language.tag() == text)
            .ok_or_else(|| format!("`{text}` is not a language of the messages; write \"en\" or \"zh-CN\""))
    }

    /// The tag of RFC 5646, as files and mails have it.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhCn => "zh-CN",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_read_by_its_tag_only() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.tag()), Ok(language));
        }
        for text in ["", "EN", "zh", "zh-cn", "de"] {
            assert!(Language::parse(text).unwrap_err().contains("\"zh-CN\""), "{text}");
        }
    }
}
