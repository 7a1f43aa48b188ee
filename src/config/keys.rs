//! The kinds of accounts and their keys, from the declarations by which the loader reads them.

use serde::Serialize;

use super::account_file::{AccountTable, AnyAccountTable};
use super::declare::{Key, Kinds, OneKind, Table};

/// One kind of account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KindInfo {
    /// Its word in `kind = "…"`.
    pub word: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// The keys of its table, its own ones first.
    pub keys: Vec<KeyInfo>,
}

/// One key of an account's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyInfo {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Whether an account without it is wrong.
    pub must: bool,
    /// Whether every kind has it.
    pub shared: bool,
}

/// All kinds of accounts, by their words.
#[must_use]
pub fn account_kinds() -> Vec<KindInfo> {
    let shared = AnyAccountTable::names();
    let key = |key: Key| KeyInfo {
        name: key.name,
        about: key.about.trim(),
        must: key.must,
        shared: shared.contains(&key.name),
    };
    let kind =
        |kind: OneKind| KindInfo { word: kind.word, about: kind.about, keys: kind.keys.into_iter().map(key).collect() };
    AccountTable::kinds().into_iter().map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_as_they_are_declared() {
        let kinds = account_kinds();
        let airalo = kinds.iter().find(|kind| kind.word == "airalo").unwrap();
        assert_eq!(airalo.about, "Airalo's Partners API: travel eSIMs.");
        let told: Vec<_> = airalo.keys.iter().map(|key| (key.name, key.must, key.shared)).collect();
        assert_eq!(told[..3], [("client_id", true, false), ("client_secret", true, false), ("base_url", false, false)]);
        assert!(told.contains(&("discover", false, true)), "{told:?}");
        assert!(kinds.iter().all(|kind| kind.keys.iter().all(|key| key.about.ends_with('.'))));
    }
}
