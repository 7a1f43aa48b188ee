//! The files of texts, one for each language, in the form of Project Fluent: a translator sets facts, plurals and the
//! order of dates as the language wants them. `docs/translating.md` tells how.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

use crate::domain::notice::Language;

/// What the files hold, in the order of [`Language::ALL`]; the build script beside them lists them.
const FILES: &[&str] = include!(concat!(env!("OUT_DIR"), "/texts.rs"));

/// The texts of every language, read once: reading them takes longer than saying one.
static LOCALES: LazyLock<Vec<(Language, Locale)>> = LazyLock::new(|| {
    let files = Language::ALL.into_iter().zip(FILES);
    files.map(|(language, file)| (language, Locale::read(language.tag(), file))).collect()
});

/// The text of this name in a language; in English where that language has none which can be said whole.
pub(super) fn say(language: Language, name: &str, facts: &FluentArgs<'_>) -> String {
    let own = LOCALES.iter().filter(|(known, _)| *known == language);
    first_whole(own.chain(LOCALES.first()).map(|(_, locale)| locale), name, facts)
}

/// The first text of this name that lacks nothing; else what the last one gives, since half a message is more than none.
fn first_whole<'a>(locales: impl Iterator<Item = &'a Locale>, name: &str, facts: &FluentArgs<'_>) -> String {
    let mut rest = name.to_owned();
    for locale in locales {
        match locale.say(name, facts) {
            Ok(whole) => return whole,
            Err(Some(part)) => rest = part,
            Err(None) => {}
        }
    }
    rest
}

/// The texts of one language.
struct Locale(FluentBundle<FluentResource>);

impl Locale {
    /// Reads a file of texts. What cannot be read is missing, and English stands in; tests hold our own files to better.
    fn read(tag: &str, file: &str) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![tag.parse().unwrap_or_default()]);
        // Names are tamed where they come in. Marks of direction would take room in text messages, and be copied with
        // a line that is to be typed.
        bundle.set_use_isolating(false);
        let texts = FluentResource::try_new(file.to_owned()).unwrap_or_else(|(readable, _)| readable);
        bundle.add_resource_overriding(texts);
        Self(bundle)
    }

    /// The text of this name, or as much of it as can be said.
    fn say(&self, name: &str, facts: &FluentArgs<'_>) -> Result<String, Option<String>> {
        let pattern = self.0.get_message(name).and_then(|message| message.value()).ok_or(None)?;
        let mut faults = Vec::new();
        let said = self.0.format_pattern(pattern, Some(facts), &mut faults).into_owned();
        if faults.is_empty() { Ok(said) } else { Err(Some(said)) }
    }
}

#[cfg(test)]
mod tests;
