//! What was met: cuts, and what they did to which kind of file. A kind of damage that never came proves nothing, so a
//! zero where a hit is possible is a failure.

use std::fmt;

use crate::names::Kind;

/// What became of one change that was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It is on disk.
    Kept,
    /// Nothing of it is.
    Dropped,
    /// Some of its sectors are.
    Torn,
    /// Some of its sectors are, and some hold anything at all.
    Garbled,
}

impl Damage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kept, Self::Dropped, Self::Torn, Self::Garbled];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Dropped => "dropped",
            Self::Torn => "torn",
            Self::Garbled => "garbled",
        }
    }
}

/// What became of one name that was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameChange {
    /// A new file or folder.
    Added,
    /// A file that was deleted.
    Removed,
    /// A file that was given another name.
    Renamed,
}

impl NameChange {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Added, "added"), (Self::Removed, "removed"), (Self::Renamed, "renamed")];
}

/// In what the power went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Opening a record that was never there.
    Making,
    /// Bringing a record of an older schema up to date.
    Upgrading,
    /// Opening a record after a loss of power.
    Opening,
    /// Commits.
    Committing,
    /// A line of the order journal.
    Ordering,
    /// A backup.
    BackingUp,
    /// Putting a backup in the record's place.
    Restoring,
    /// Emptying the log at the end.
    Closing,
    /// Nothing at all was going on.
    Resting,
}

impl Phase {
    /// All of them.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Making, "making"),
        (Self::Upgrading, "upgrading"),
        (Self::Opening, "opening"),
        (Self::Committing, "committing"),
        (Self::Ordering, "ordering"),
        (Self::BackingUp, "backing up"),
        (Self::Restoring, "restoring"),
        (Self::Closing, "closing"),
        (Self::Resting, "resting"),
    ];
}

/// The figures.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    damage: [[u64; 4]; 7],
    names: [[u64; 2]; 3],
    phases: [u64; 9],
    /// Losses of power after which the record was opened and compared.
    pub cuts: u64,
    /// Cuts at which an unfinished commit turned out to be there.
    pub came_through: u64,
    /// Cuts at which an unfinished commit turned out not to be there.
    pub came_to_nothing: u64,
    /// Commits that were acknowledged.
    pub commits: u64,
    /// Lines of the order journal that were acknowledged.
    pub lines: u64,
    /// Journals whose last line was not whole.
    pub broken_tails: u64,
}

impl Tally {
    /// Counts one change to a file.
    pub const fn count(&mut self, kind: Kind, damage: Damage) {
        self.damage[kind as usize][damage as usize] += 1;
    }

    /// Counts one change of a name.
    pub const fn count_name(&mut self, change: NameChange, is_kept: bool) {
        self.names[change as usize][if is_kept { 0 } else { 1 }] += 1;
    }

    /// Counts one cut.
    pub const fn count_cut(&mut self, phase: Phase) {
        self.cuts += 1;
        self.phases[phase as usize] += 1;
    }

    /// Cuts in one phase.
    #[must_use]
    pub const fn cuts_in(&self, phase: Phase) -> u64 {
        self.phases[phase as usize]
    }

    /// Adds the figures of others.
    pub fn add(&mut self, other: &Self) {
        let pairs = self.damage.as_flattened_mut().iter_mut().zip(other.damage.as_flattened());
        let pairs = pairs.chain(self.names.as_flattened_mut().iter_mut().zip(other.names.as_flattened()));
        for (mine, theirs) in pairs.chain(self.phases.iter_mut().zip(&other.phases)) {
            *mine += theirs;
        }
        self.cuts += other.cuts;
        self.came_through += other.came_through;
        self.came_to_nothing += other.came_to_nothing;
        self.commits += other.commits;
        self.lines += other.lines;
        self.broken_tails += other.broken_tails;
    }

    /// What could have been met and was not.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        let mut need = |count: u64, what: String| {
            if count == 0 {
                missing.push(what);
            }
        };
        for kind in [Kind::Database, Kind::Log, Kind::Rollback, Kind::Orders, Kind::Backup] {
            for damage in Damage::ALL {
                // The journal of orders is never garbled; see `file`.
                if (kind, damage) != (Kind::Orders, Damage::Garbled) {
                    let count = self.damage[kind as usize][damage as usize];
                    need(count, format!("{} {}", kind.as_str(), damage.as_str()));
                }
            }
        }
        for (change, word) in NameChange::ALL {
            let [kept, dropped] = self.names[change as usize];
            need(kept, format!("a name {word} and kept"));
            need(dropped, format!("a name {word} and dropped"));
        }
        for (phase, word) in Phase::ALL {
            need(self.phases[phase as usize], format!("a cut while {word}"));
        }
        need(self.came_through, "an unfinished commit that came through".into());
        need(self.came_to_nothing, "an unfinished commit that came to nothing".into());
        need(self.broken_tails, "an order journal with a broken tail".into());
        missing
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cuts, {} commits and {} journal lines acknowledged", self.cuts, self.commits, self.lines)?;
        let whiles: Vec<_> =
            Phase::ALL.iter().map(|(phase, word)| format!("{word} {}", self.cuts_in(*phase))).collect();
        writeln!(f, "cuts while {}", whiles.join(", "))?;
        writeln!(
            f,
            "unfinished commits: {} came through, {} came to nothing; order journals with a broken tail: {}",
            self.came_through, self.came_to_nothing, self.broken_tails
        )?;
        writeln!(f, "{:<18}{:>12}{:>12}{:>12}{:>12}", "not synced", "kept", "dropped", "torn", "garbled")?;
        for kind in Kind::ALL {
            let [kept, dropped, torn, garbled] = self.damage[kind as usize];
            writeln!(f, "{:<18}{kept:>12}{dropped:>12}{torn:>12}{garbled:>12}", kind.as_str())?;
        }
        for (change, word) in NameChange::ALL {
            let [kept, dropped] = self.names[change as usize];
            writeln!(f, "{:<18}{kept:>12}{dropped:>12}", format!("name {word}"))?;
        }
        Ok(())
    }
}
