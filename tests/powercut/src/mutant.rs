//! Known-wrong designs. A proof that catches none of them proves nothing.

use crate::disk::Deaf;
use crate::names::Kind;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Nothing: the design as it is.
    None,
    /// The connection that writes has `synchronous = NORMAL`.
    NormalSync,
    /// The disk answers syncs and does nothing.
    DeafDisk,
    /// The log is not synced.
    LogNotSynced,
    /// The database is not synced before its log is used anew.
    DatabaseNotSynced,
    /// The order journal is written and not synced.
    JournalNotSynced,
    /// Folders are not synced: new names may be lost.
    FoldersNotSynced,
    /// A backup gets its name before its bytes are on disk.
    BackupNotSynced,
    /// An outcome is acknowledged before its commit.
    AnsweredBeforeCommit,
    /// The order leaves before its line is in the journal.
    SentBeforeLine,
    /// The line is in the journal before the intent is committed.
    LineBeforeIntent,
}

impl Mutant {
    /// All wrong ones.
    pub const WRONG: [Self; 10] = [
        Self::NormalSync,
        Self::DeafDisk,
        Self::LogNotSynced,
        Self::DatabaseNotSynced,
        Self::JournalNotSynced,
        Self::FoldersNotSynced,
        Self::BackupNotSynced,
        Self::AnsweredBeforeCommit,
        Self::SentBeforeLine,
        Self::LineBeforeIntent,
    ];

    /// The disk under this design.
    #[must_use]
    pub const fn disk(self) -> Deaf {
        match self {
            Self::DeafDisk => Deaf::ToAll,
            Self::LogNotSynced => Deaf::To(Kind::Log),
            Self::DatabaseNotSynced => Deaf::To(Kind::Database),
            Self::JournalNotSynced => Deaf::To(Kind::Orders),
            Self::FoldersNotSynced => Deaf::ToFolders,
            Self::BackupNotSynced => Deaf::To(Kind::Backup),
            Self::None
            | Self::NormalSync
            | Self::AnsweredBeforeCommit
            | Self::SentBeforeLine
            | Self::LineBeforeIntent => Deaf::Honest,
        }
    }
}
