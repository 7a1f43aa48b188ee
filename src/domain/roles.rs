//! What somebody is to a card: whose it is, who pays for it, and who only wants to know. Each is told what such a person
//! usually wants to hear; their own words about a kind come first.

use serde::Serialize;

use super::card::Name;
use super::notice_kind::NoticeKind;
use super::severity::{Severity, Weights};

/// What somebody is to a card; whoever is several things is told as the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Hears what happened, and is never asked.
    Watcher,
    /// Hears what costs money, and is asked about it.
    Payer,
    /// Hears everything.
    Owner,
}

impl Role {
    /// How much a kind matters to somebody of this role; none if they are not told.
    #[must_use]
    pub fn weight(self, kind: NoticeKind, weights: &Weights) -> Option<Severity> {
        match weights.said(kind) {
            Some(said) if self.may_hear(kind) => said,
            Some(_) => None,
            None => self.usual(kind),
        }
    }

    /// Whether it is theirs to say what is bought.
    #[must_use]
    pub const fn decides(self) -> bool {
        match self {
            Self::Owner | Self::Payer => true,
            Self::Watcher => false,
        }
    }

    /// No wish makes a watcher somebody who is asked.
    const fn may_hear(self, kind: NoticeKind) -> bool {
        self.decides() || !matches!(kind, NoticeKind::Asked)
    }

    const fn usual(self, kind: NoticeKind) -> Option<Severity> {
        match (self, kind) {
            (Self::Owner, _)
            | (
                Self::Payer,
                NoticeKind::Asked
                | NoticeKind::Bought
                | NoticeKind::Failed
                | NoticeKind::Unknown
                | NoticeKind::SettledLate,
            ) => Some(kind.severity()),
            (
                Self::Watcher,
                NoticeKind::DueSoon | NoticeKind::Bought | NoticeKind::SettledLate | NoticeKind::Paused,
            ) => Some(Severity::News),
            (Self::Payer | Self::Watcher, _) => None,
        }
    }
}

/// Who is what to a card, as a file says; nobody is anything to most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Roles {
    /// Whose it is.
    pub owner: Vec<Name>,
    /// Who pays for it.
    pub payer: Vec<Name>,
    /// Who only wants to know.
    pub watchers: Vec<Name>,
}

impl Roles {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owner.is_empty() && self.payer.is_empty() && self.watchers.is_empty()
    }

    /// Everybody who is told of a card, each once, with their role. Those in `notify` are told as owners. Where there is
    /// no owner, everybody is told so who is nothing else to it; where nobody is left, its payers are, since somebody has
    /// to hear of what ends.
    #[must_use]
    pub fn people(&self, notify: &[Name], everybody: &[Name]) -> Vec<(Name, Role)> {
        let mut people: Vec<(Name, Role)> = Vec::new();
        let mut add = |names: &[Name], role: Role| {
            for name in names {
                if people.iter().all(|(known, _)| known != name) {
                    people.push((name.clone(), role));
                }
            }
        };
        add(&self.owner, Role::Owner);
        add(notify, Role::Owner);
        let has_owner = !self.owner.is_empty() || !notify.is_empty();
        let others: Vec<Name> = everybody.iter().filter(|name| !self.names(name)).cloned().collect();
        if !has_owner {
            add(&others, Role::Owner);
        }
        let payers_own = !has_owner && others.is_empty();
        add(&self.payer, if payers_own { Role::Owner } else { Role::Payer });
        add(&self.watchers, Role::Watcher);
        people
    }

    fn names(&self, name: &Name) -> bool {
        self.payer.contains(name) || self.watchers.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<Name> {
        text.split_whitespace().map(|name| Name::parse(name).unwrap()).collect()
    }

    fn told(owner: &str, payer: &str, watchers: &str, notify: &str) -> String {
        let roles = Roles { owner: names(owner), payer: names(payer), watchers: names(watchers) };
        let people = roles.people(&names(notify), &names("anna ben cleo"));
        people.iter().map(|(name, role)| format!("{name}:{role:?}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_is_told_once_by_the_role_that_hears_most_and_somebody_always_hears_everything() {
        assert_eq!(told("", "", "", ""), "anna:Owner ben:Owner cleo:Owner");
        assert_eq!(told("", "", "", "ben"), "ben:Owner");
        assert_eq!(told("anna", "ben", "cleo", ""), "anna:Owner ben:Payer cleo:Watcher");
        assert_eq!(told("anna", "anna", "anna ben", "cleo"), "anna:Owner cleo:Owner ben:Watcher");
        assert_eq!(told("", "ben", "", ""), "anna:Owner cleo:Owner ben:Payer");
        assert_eq!(told("", "", "ben", ""), "anna:Owner cleo:Owner ben:Watcher");
        assert_eq!(told("", "anna", "ben cleo", ""), "anna:Owner ben:Watcher cleo:Watcher");
    }

    #[test]
    fn a_payer_hears_of_money_and_a_watcher_of_news_and_their_own_words_come_first() {
        let none = Weights::default();
        for kind in NoticeKind::ALL {
            assert_eq!(Role::Owner.weight(kind, &none), Some(kind.severity()));
        }
        assert_eq!(Role::Payer.weight(NoticeKind::Asked, &none), Some(Severity::Urgent));
        assert_eq!(Role::Payer.weight(NoticeKind::DueSoon, &none), None);
        assert_eq!(Role::Watcher.weight(NoticeKind::DueSoon, &none), Some(Severity::News));
        assert_eq!(Role::Watcher.weight(NoticeKind::Failed, &none), None);
        let own = Weights::from_iter([
            (NoticeKind::Asked, Some(Severity::Urgent)),
            (NoticeKind::Failed, Some(Severity::Warning)),
            (NoticeKind::Bought, None),
        ]);
        assert_eq!(Role::Watcher.weight(NoticeKind::Asked, &own), None, "a watcher is never asked");
        assert_eq!(Role::Watcher.weight(NoticeKind::Failed, &own), Some(Severity::Warning));
        assert_eq!(Role::Payer.weight(NoticeKind::Bought, &own), None);
    }
}
