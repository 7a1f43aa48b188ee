//! What `rules.toml` comes to: cards, rules, and which rule decides for which card.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::domain::card::{Card, Keeper, Name};
use crate::domain::identity::{Eid, Iccid, Imei, Msisdn};
use crate::domain::roles::Roles;
use crate::domain::rule::{Line, Rule};
use crate::domain::shared_limits::SharedLimit;

/// Everything that the owner decides.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Cards that the file keeps, in its order.
    pub cards: Vec<CardEntry>,
    /// Rules, in its order.
    pub rules: Vec<Rule>,
    /// Which labels lead to which rule, in its order.
    pub matches: Vec<Match>,
    /// Caps that cards share, in its order.
    pub shared_limits: Vec<SharedLimit>,
    /// The rules of cards that are about a trip of their own, by the cards' names.
    pub of_cards: BTreeMap<Name, Rule>,
    /// Who is what to a card, by the cards' names.
    pub roles: BTreeMap<Name, Roles>,
}

impl Rules {
    /// The rule of this name.
    #[must_use]
    pub fn rule(&self, name: &Name) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == *name)
    }

    /// The rule that decides for a card as it is kept, on the days of the card's own trip if the file names one for it.
    #[must_use]
    pub fn rule_of(&self, card: &Card) -> Option<&Rule> {
        let on_trip = self.of_cards.get(&card.name).filter(|_| card.keeper == Keeper::File);
        on_trip.or_else(|| self.rule_for(&card.labels, card.rule.as_ref()))
    }

    /// Who is what to a card: as the file says of the card itself where it keeps it, else as the first match says that
    /// names people and all of whose labels it has.
    #[must_use]
    pub fn roles_of(&self, card: &Card) -> Option<&Roles> {
        let own = self.roles.get(&card.name).filter(|_| card.keeper == Keeper::File);
        own.or_else(|| self.roles_for(&card.labels))
    }

    /// Who is what to cards with these labels.
    #[must_use]
    pub fn roles_for(&self, labels: &[Name]) -> Option<&Roles> {
        self.matches.iter().filter(|found| found.fits(labels)).map(|found| &found.roles).find(|roles| !roles.is_empty())
    }

    /// The rule that decides by labels and name: the one that it names, else that of the first match all of whose labels it
    /// has. None means that the card is only read.
    #[must_use]
    pub fn rule_for(&self, labels: &[Name], named: Option<&Name>) -> Option<&Rule> {
        if let Some(name) = named {
            return self.rule(name);
        }
        self.rule(&self.matches.iter().find(|found| found.fits(labels))?.rule)
    }
}

/// A card that the file keeps.
#[derive(Clone, Debug)]
pub struct CardEntry {
    /// The owner's name for it.
    pub name: Name,
    /// Where it begins in the file.
    pub line: Line,
    /// The account through which it is read, and which sells for it first; it is in the other file.
    pub account: Name,
    /// Further accounts that may sell for it, in order; they are in the other file.
    pub sellers: Vec<Name>,
    /// The number of the card.
    pub iccid: Option<Iccid>,
    /// Its phone number.
    pub msisdn: Option<Msisdn>,
    /// The device it sits in.
    pub imei: Option<Imei>,
    /// The chip it is installed on.
    pub eid: Option<Eid>,
    /// What its operator wants beside these, by the operator's own names.
    pub fields: BTreeMap<String, String>,
    /// The owner's labels.
    pub labels: Vec<Name>,
    /// Who has it, in the owner's words.
    pub contact: Option<String>,
    /// The zone whose hours and days count: its own, else its account's, else UTC.
    pub zone: TimeZone,
    /// Who is told; all of them are in the other file.
    pub notify: Vec<Name>,
    /// The rule that it names; it is in this file.
    pub rule: Option<Name>,
}

/// Labels that lead to a rule, and to people.
#[derive(Clone, Debug)]
pub struct Match {
    /// A card has to have all of them.
    pub labels: Vec<Name>,
    /// The rule.
    pub rule: Name,
    /// Who is what to the cards; all of them are in the other file.
    pub roles: Roles,
    /// Where it begins in the file.
    pub line: Line,
}

impl Match {
    /// Whether a card with these labels has all of those that are wanted.
    #[must_use]
    pub fn fits(&self, labels: &[Name]) -> bool {
        self.labels.iter().all(|label| labels.contains(label))
    }
}
