//! One file: what of it was synced, what was not, and what the loss of power leaves of it.

use crate::chance::Chance;
use crate::names::Kind;
use crate::tally::{Damage, Tally};

/// What a disk writes at once.
const SECTOR: u64 = 512;

/// A change that was not synced yet.
#[derive(Clone, Debug)]
pub enum Change {
    /// These bytes at this place.
    Write {
        /// Where.
        at: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// This length from now on.
    Resize {
        /// In bytes.
        bytes: u64,
    },
}

/// A file as the disk knows it. What programs see lies in a real file meanwhile.
#[derive(Clone, Debug)]
pub struct File {
    /// Which file of the record it is.
    pub kind: Kind,
    synced: Vec<u8>,
    changes: Vec<Change>,
}

/// How badly a loss of power treats what was not synced, in parts of a hundred.
#[derive(Clone, Copy, Debug)]
pub struct Harm {
    /// Changes that are on disk nevertheless.
    pub kept: u64,
    /// Changes of which nothing is, among the others.
    pub dropped: u64,
}

impl Harm {
    /// All that was not synced got through, nothing of it, or something in between.
    pub const fn by(chance: &mut Chance) -> Self {
        match chance.below(8) {
            0 => Self { kept: 100, dropped: 0 },
            1 => Self { kept: 0, dropped: 100 },
            2 | 3 => Self { kept: 20, dropped: 50 },
            4 | 5 => Self { kept: 80, dropped: 50 },
            _ => Self { kept: 50, dropped: 40 },
        }
    }
}

impl File {
    /// A file that has been on the disk for long.
    #[must_use]
    pub const fn with(kind: Kind, synced: Vec<u8>) -> Self {
        Self { kind, synced, changes: Vec::new() }
    }

    /// Notes a change. The index of the log is shared memory: what is written there is lost anyway.
    pub fn change(&mut self, change: Change) {
        if self.kind != Kind::Index {
            self.changes.push(change);
        }
    }

    /// Whether nothing but its length has changed.
    pub(crate) fn is_only_resized(&self) -> bool {
        self.changes.iter().all(|change| matches!(change, Change::Resize { .. }))
    }

    /// Puts everything on the disk.
    pub fn sync(&mut self) {
        for change in self.changes.drain(..) {
            apply(&mut self.synced, &change);
        }
    }

    /// What is left when the power goes. Each change meets its own fate, and later ones may survive earlier ones.
    pub fn after_cut(&self, harm: Harm, chance: &mut Chance, tally: &mut Tally) -> Vec<u8> {
        let mut left = self.synced.clone();
        for change in &self.changes {
            let damage = fate(self.kind, change, harm, chance);
            tally.count(self.kind, damage);
            match (damage, change) {
                (Damage::Kept, _) => apply(&mut left, change),
                (Damage::Torn, Change::Write { at, bytes }) => tear(&mut left, *at, bytes, false, chance),
                (Damage::Garbled, Change::Write { at, bytes }) => tear(&mut left, *at, bytes, true, chance),
                (Damage::Dropped | Damage::Torn | Damage::Garbled, _) => {}
            }
        }
        left
    }
}

/// A length is there or not. Bytes may be there in part, and a sector on which the power went may hold anything; but the
/// journal of orders is the file system's to extend, and no file system in use shows a new block before its bytes.
fn fate(kind: Kind, change: &Change, harm: Harm, chance: &mut Chance) -> Damage {
    if chance.percent(harm.kept) {
        Damage::Kept
    } else if chance.percent(harm.dropped) || matches!(change, Change::Resize { .. }) {
        Damage::Dropped
    } else if kind != Kind::Orders && chance.once_in(4) {
        Damage::Garbled
    } else {
        Damage::Torn
    }
}

fn apply(file: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, bytes } => {
            let (from, until) = (index(*at), index(*at) + bytes.len());
            if file.len() < until {
                file.resize(until, 0);
            }
            file[from..until].copy_from_slice(bytes);
        }
        Change::Resize { bytes } => file.resize(index(*bytes), 0),
    }
}

/// Files here are small: every place in one is an index.
fn index(at: u64) -> usize {
    usize::try_from(at).expect("a file of this test fits into memory")
}

/// Writes some of the sectors that the bytes lie in, and of one that they fill only in part all or the beginning. What is left
/// out reads as zeros where the file grew, or not at all where it did not grow either.
fn tear(file: &mut Vec<u8>, at: u64, bytes: &[u8], garbled: bool, chance: &mut Chance) {
    let until = at + bytes.len() as u64;
    if chance.once_in(2) && (file.len() as u64) < until {
        file.resize(index(until), 0);
    }
    let mut from = at;
    while from < until {
        let end = until.min((from / SECTOR + 1) * SECTOR);
        let mut part = bytes[index(from - at)..index(end - at)].to_vec();
        let is_whole = part.len() as u64 == SECTOR;
        if garbled && chance.once_in(3) {
            part.iter_mut().for_each(|byte| *byte = chance.next().to_le_bytes()[3]);
        }
        if !is_whole && chance.once_in(2) {
            part.truncate(index(chance.below(part.len() as u64 + 1)));
        }
        if chance.once_in(2) {
            apply(file, &Change::Write { at: from, bytes: part });
        }
        from = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> File {
        let mut file = File::with(Kind::Database, vec![1; 1024]);
        file.change(Change::Write { at: 512, bytes: vec![2; 1024] });
        file.change(Change::Resize { bytes: 2048 });
        file
    }

    fn left(file: &File, kept: u64, dropped: u64, seed: u64) -> Vec<u8> {
        file.after_cut(Harm { kept, dropped }, &mut Chance::new(seed), &mut Tally::default())
    }

    #[test]
    fn what_was_synced_stays_whatever_happens() {
        let mut file = written();
        file.sync();
        let whole = [vec![1; 512], vec![2; 1024], vec![0; 512]].concat();
        for seed in 0..50 {
            assert_eq!(left(&file, 0, 0, seed), whole);
        }
        file.change(Change::Write { at: 0, bytes: vec![3; 512] });
        for seed in 0..50 {
            assert_eq!(left(&file, 0, 0, seed)[512..], whole[512..]);
        }
    }

    #[test]
    fn what_was_not_may_be_kept_dropped_or_torn() {
        let file = written();
        assert_eq!(left(&file, 100, 0, 1), [vec![1; 512], vec![2; 1024], vec![0; 512]].concat());
        assert_eq!(left(&file, 0, 100, 1), vec![1; 1024]);
        let torn: std::collections::BTreeSet<_> = (0..200).map(|seed| left(&file, 0, 0, seed)).collect();
        let second_only = [vec![1; 1024], vec![2; 512]].concat();
        assert!(torn.contains(&second_only), "the second sector without the first");
        assert!(torn.len() > 10);
    }
}
