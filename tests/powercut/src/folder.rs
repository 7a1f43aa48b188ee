//! The names on a disk: which of them were synced, which were not, and which are left when the power goes.

use std::collections::BTreeMap;

use crate::chance::Chance;
use crate::names::folder_of;
use crate::tally::{NameChange, Tally};

/// The number of a file or folder, whatever its name is.
pub type Node = usize;

/// A change of names that its folder has not synced yet.
#[derive(Clone, Debug)]
enum Change {
    Added { name: String, node: Node },
    Removed { name: String },
    Renamed { from: String, to: String, node: Node },
}

/// All names of a disk.
#[derive(Clone, Debug, Default)]
pub struct Names {
    live: BTreeMap<String, Node>,
    synced: BTreeMap<String, Node>,
    changes: Vec<Change>,
}

impl Names {
    /// A name that has been on the disk for long.
    pub fn place(&mut self, name: &str, node: Node) {
        self.live.insert(name.to_owned(), node);
        self.synced.insert(name.to_owned(), node);
    }

    /// What programs find under this name now.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Node> {
        self.live.get(name).copied()
    }

    /// Every name that programs find now.
    pub fn live(&self) -> impl Iterator<Item = (&str, Node)> {
        self.live.iter().map(|(name, node)| (name.as_str(), *node))
    }

    /// A new name.
    pub fn add(&mut self, name: &str, node: Node) {
        self.live.insert(name.to_owned(), node);
        self.changes.push(Change::Added { name: name.to_owned(), node });
    }

    /// A name that is gone.
    pub fn remove(&mut self, name: &str) {
        self.live.remove(name);
        self.changes.push(Change::Removed { name: name.to_owned() });
    }

    /// A name instead of another, in the place of whatever had it.
    pub fn rename(&mut self, from: &str, to: &str) {
        if let Some(node) = self.live.remove(from) {
            self.live.insert(to.to_owned(), node);
            self.changes.push(Change::Renamed { from: from.to_owned(), to: to.to_owned(), node });
        }
    }

    /// Puts the names of one folder on the disk.
    pub fn sync(&mut self, folder: &str) {
        let changes = std::mem::take(&mut self.changes);
        for change in changes {
            if folder_of(change.name()) == folder {
                change.apply(&mut self.synced);
            } else {
                self.changes.push(change);
            }
        }
    }

    /// The names that are left when the power goes: most file systems keep changes in their order up to some point, and
    /// some keep any of them. Whatever lies in a folder that is gone is gone too.
    pub fn after_cut(&self, kept: u64, chance: &mut Chance, tally: &mut Tally) -> BTreeMap<String, Node> {
        let in_order = chance.once_in(3).then(|| chance.below(self.changes.len() as u64 + 1));
        let mut left = self.synced.clone();
        for (place, change) in (0_u64..).zip(&self.changes) {
            let is_kept = in_order.map_or_else(|| chance.percent(kept), |end| place < end);
            tally.count_name(change.kind(), is_kept);
            if is_kept {
                change.apply(&mut left);
            }
        }
        let names: Vec<String> = left.keys().cloned().collect();
        for name in names {
            let folder = folder_of(&name);
            if !folder.is_empty() && !left.contains_key(folder) {
                left.remove(&name);
            }
        }
        left
    }
}

impl Change {
    /// The name that decides which folder syncs it.
    fn name(&self) -> &str {
        match self {
            Self::Added { name, .. } | Self::Removed { name } | Self::Renamed { to: name, .. } => name,
        }
    }

    const fn kind(&self) -> NameChange {
        match self {
            Self::Added { .. } => NameChange::Added,
            Self::Removed { .. } => NameChange::Removed,
            Self::Renamed { .. } => NameChange::Renamed,
        }
    }

    fn apply(&self, names: &mut BTreeMap<String, Node>) {
        match self {
            Self::Added { name, node } => {
                names.insert(name.clone(), *node);
            }
            Self::Removed { name } => {
                names.remove(name);
            }
            Self::Renamed { from, to, node } => {
                // The old name may be another file's by now, whose own change was kept.
                if names.get(from) == Some(node) {
                    names.remove(from);
                }
                names.insert(to.clone(), *node);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(names: &Names, kept: u64, seed: u64) -> Vec<String> {
        names.after_cut(kept, &mut Chance::new(seed), &mut Tally::default()).into_keys().collect()
    }

    #[test]
    fn a_name_is_safe_once_its_folder_is_synced() {
        let mut names = Names::default();
        names.place("a", 1);
        names.add("b", 2);
        assert!((0..20).any(|seed| left(&names, 50, seed) == ["a"]));
        names.sync("elsewhere");
        assert!((0..20).any(|seed| left(&names, 50, seed) == ["a"]));
        names.sync("");
        assert!((0..20).all(|seed| left(&names, 0, seed) == ["a", "b"]));
        names.rename("b", "a");
        let seen: std::collections::BTreeSet<_> = (0..50).map(|seed| left(&names, 50, seed)).collect();
        assert_eq!(seen.len(), 2, "a rename is there or not: {seen:?}");
    }

    #[test]
    fn a_folder_that_is_gone_takes_its_files_along() {
        let mut names = Names::default();
        names.add("d", 1);
        names.add("d/f", 2);
        names.sync("d");
        assert!((0..50).any(|seed| left(&names, 50, seed).is_empty()));
        names.sync("");
        assert!((0..50).all(|seed| left(&names, 0, seed) == ["d", "d/f"]));
    }
}
