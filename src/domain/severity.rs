//! How much a message matters: the usual weight of each kind, and what single people make of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::notice_kind::NoticeKind;

/// How much a message matters, from what can be read some day to what cannot wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know; nothing depends on when it is read.
    News,
    /// Something will need a person, or ends, before long.
    Warning,
    /// Something went wrong, or waits for a person.
    Urgent,
}

impl Severity {
    /// All of them, the lightest first.
    pub const ALL: [Self; 3] = [Self::News, Self::Warning, Self::Urgent];

    /// The word in files and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::News => "news",
            Self::Warning => "warning",
            Self::Urgent => "urgent",
        }
    }
}

/// What one person makes of the kinds: a weight of their own, or none for what they do not want to be told at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights(BTreeMap<NoticeKind, Option<Severity>>);

impl Weights {
    /// What this person has said about a kind, if anything.
    #[must_use]
    pub fn said(&self, kind: NoticeKind) -> Option<Option<Severity>> {
        self.0.get(&kind).copied()
    }

    /// How much a kind matters to this person; none if they are not told.
    #[must_use]
    pub fn of(&self, kind: NoticeKind) -> Option<Severity> {
        self.said(kind).unwrap_or(Some(kind.severity()))
    }
}

impl FromIterator<(NoticeKind, Option<Severity>)> for Weights {
    fn from_iter<T: IntoIterator<Item = (NoticeKind, Option<Severity>)>>(weights: T) -> Self {
        Self(weights.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_own_weight_comes_before_the_usual_one() {
        let own = Weights::from_iter([(NoticeKind::Bought, None), (NoticeKind::DueSoon, Some(Severity::Urgent))]);
        assert_eq!(own.of(NoticeKind::Bought), None);
        assert_eq!(own.of(NoticeKind::DueSoon), Some(Severity::Urgent));
        assert_eq!(own.of(NoticeKind::Failed), Some(Severity::Urgent));
        assert_eq!(Weights::default().of(NoticeKind::WalletLow), Some(Severity::Warning));
        assert!(Severity::ALL.is_sorted());
    }
}
