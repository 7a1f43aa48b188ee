//! A card: one SIM or eSIM profile, what it is and what people have said about it.

use std::collections::BTreeMap;
use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::identity::{Eid, Iccid, Imei, Msisdn};
use super::time::UnixTime;

/// The row of a card; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CardId(pub i64);

/// A name that people give: to a card, an account, a person, a rule, a label. 1 to 80 characters, none of which
/// controls a terminal or the direction of text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(Box<str>);

impl Name {
    /// Reads a name.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let count = text.chars().count();
        if text.trim() != text || count == 0 || count > 80 {
            return Err(format!("a name has 1 to 80 characters and no space around it; this one has {count}"));
        }
        if text.chars().any(disturbs) {
            return Err("a name has no line ends, control characters or marks that turn the direction of text".into());
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

/// So that maps by name can be asked without making one.
impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a character may not stand in a text that is shown in one line: it controls a terminal, breaks the line, or
/// turns the direction of what follows.
#[must_use]
pub fn disturbs(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}')
}

/// A text from outside, made fit to be shown: disturbing characters become spaces, and it is cut at `longest` characters.
#[must_use]
pub fn tamed(text: &str, longest: usize) -> String {
    let clean: String = text.chars().map(|c| if disturbs(c) { ' ' } else { c }).collect();
    let mut words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = words.char_indices().nth(longest) {
        words.truncate(cut);
        words.push('…');
    }
    words
}

/// Who keeps a card's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeper {
    /// `rules.toml` names it; when it leaves the file it is retired.
    File,
    /// It was added or imported by command.
    Command,
}

/// What a card is.
#[derive(Clone, Debug, Serialize)]
pub struct Card {
    /// Its row.
    pub id: CardId,
    /// The owner's name for it.
    pub name: Name,
    /// The account through which it is read, and which sells for it first.
    pub account: Name,
    /// Further accounts that may sell for it, in order, each used only after a certain refusal of those before.
    pub sellers: Vec<Name>,
    /// The number of the card, where there is one.
    pub iccid: Option<Iccid>,
    /// Its phone number.
    pub msisdn: Option<Msisdn>,
    /// The device it sits in.
    pub imei: Option<Imei>,
    /// The chip it is installed on.
    pub eid: Option<Eid>,
    /// What an operator wants beside these, by the operator's own names.
    pub fields: BTreeMap<String, String>,
    /// The owner's labels.
    pub labels: Vec<Name>,
    /// Who has it, in the owner's words; found by `card find`.
    pub contact: Option<String>,
    /// The zone whose hours and days count for it.
    #[serde(serialize_with = "zone_name")]
    pub zone: TimeZone,
    /// Who is told.
    pub notify: Vec<Name>,
    /// The rule that decides; none means that it is only read.
    pub rule: Option<Name>,
    /// Who keeps this entry.
    pub keeper: Keeper,
    /// What people have said about it.
    pub wishes: Wishes,
    /// Since when it is no longer kept.
    pub retired_at: Option<UnixTime>,
}

impl Card {
    /// A card of which nothing is known but its names.
    #[must_use]
    pub fn new(id: CardId, name: Name, account: Name) -> Self {
        Self {
            id,
            name,
            account,
            sellers: Vec::new(),
            iccid: None,
            msisdn: None,
            imei: None,
            eid: None,
            fields: BTreeMap::new(),
            labels: Vec::new(),
            contact: None,
            zone: TimeZone::UTC,
            notify: Vec::new(),
            rule: None,
            keeper: Keeper::File,
            wishes: Wishes::default(),
            retired_at: None,
        }
    }

    /// The accounts that may sell for it, in order.
    pub fn accounts(&self) -> impl Iterator<Item = &Name> {
        std::iter::once(&self.account).chain(&self.sellers)
    }
}

fn zone_name<S: serde::Serializer>(zone: &TimeZone, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(zone.iana_name().unwrap_or("UTC"))
}

/// What people have said about a card by command; it outlives restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wishes {
    /// Nothing is bought while this holds; it is still read, and warnings still go out.
    pub pause: Option<Pause>,
    /// The next renewal is left out.
    pub skip_next: bool,
    /// After the next renewal the card is paused.
    pub stop_after_next: bool,
}

impl Wishes {
    /// After a renewal "skip the next" is used up, and "stop after the next" becomes a pause; none if nothing changes.
    #[must_use]
    pub fn used(&self, now: UnixTime) -> Option<Self> {
        if !self.skip_next && !self.stop_after_next {
            return None;
        }
        let pause = if self.stop_after_next {
            Some(Pause { since: now, until: None, by: "stop after next".to_owned() })
        } else {
            self.pause.clone()
        };
        Some(Self { pause, skip_next: false, stop_after_next: false })
    }
}

/// A pause, and who asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// When it began.
    pub since: UnixTime,
    /// When it ends by itself; never, if nothing is said.
    pub until: Option<UnixTime>,
    /// The person.
    pub by: String,
}

impl Pause {
    /// Whether it still holds.
    #[must_use]
    pub fn holds(&self, now: UnixTime) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_any_script_and_no_tricks() {
        for good in ["canada", "Mama 📱", "هاتف أمي", "路由器-3", &"x".repeat(80)] {
            assert!(Name::parse(good).is_ok(), "{good}");
        }
        for bad in ["", " a", "a\nb", "a\u{202e}b", "\u{1b}[31m", &"x".repeat(81)] {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn texts_from_outside_are_tamed() {
        assert_eq!(tamed("a\r\nBcc: x\u{202e}\0 \u{1b}[2J", 80), "a Bcc: x [2J");
        assert_eq!(tamed("abcdef", 3), "abc…");
    }
}
