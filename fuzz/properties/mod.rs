//! What must hold for any bytes that come from outside, one property for each thing that reads them. Fuzz targets hold
//! made-up bytes against these, ordinary tests the kept ones (tests/corpus.rs); neither has checks of its own.

mod amounts;
mod bytes;
mod card_list;
mod configuration;
mod documents;
mod journal;
mod mails;
mod numbers;
mod operators;
mod profile;
mod readings;
mod requests;
mod stories;
mod text_messages;
mod times;
mod ussd;
mod waits;

/// A property: it panics if it does not hold.
type Property = fn(&[u8]);

/// All of them, by the names of the fuzz targets and of their kept inputs.
pub(crate) const ALL: [(&str, Property); 14] = [
    ("amounts", amounts::check),
    ("card_list", card_list::check),
    ("configuration", configuration::check),
    ("documents", documents::check),
    ("journal", journal::check),
    ("mails", mails::check),
    ("numbers", numbers::check),
    ("profile", profile::check),
    ("readings", readings::check),
    ("requests", requests::check),
    ("text_messages", text_messages::check),
    ("times", times::check),
    ("ussd", ussd::check),
    ("waits", waits::check),
];

/// Holds these bytes against the property of this name.
pub(crate) fn check(name: &str, data: &[u8]) {
    let (_, property) = ALL.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no property {name}"));
    property(data);
}

/// Whether a text can be shown in one line: nothing in it controls a terminal or turns the direction.
fn is_tame(text: &str) -> bool {
    !text.chars().any(simkeeper::domain::card::disturbs)
}
