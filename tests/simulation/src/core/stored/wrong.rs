//! Known-wrong stores: each does one thing otherwise than the daemon's, so that it is shown that the comparison can fail.

/// Something that is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A move does not look whether the attempt is still as it was seen.
    VersionForgotten,
    /// An order of which nobody knows does not count against the limits.
    UnknownNotSpent,
    /// A message that was sent is queued again.
    SentQueuedAgain,
    /// The index that makes a message one and the same is gone.
    DedupLost,
    /// One commit in five hundred is answered and not made.
    CommitLost,
    /// Whichever copy is to be put back, the oldest is.
    OldestCopy,
    /// A clock that was set back ends no waits.
    WaitsKept,
    /// What comes back from the disk is not the bytes that left.
    BytesAltered,
}

impl Wrong {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::VersionForgotten,
        Self::UnknownNotSpent,
        Self::SentQueuedAgain,
        Self::DedupLost,
        Self::CommitLost,
        Self::OldestCopy,
        Self::WaitsKept,
        Self::BytesAltered,
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VersionForgotten => "version-forgotten",
            Self::UnknownNotSpent => "unknown-not-spent",
            Self::SentQueuedAgain => "sent-queued-again",
            Self::DedupLost => "dedup-lost",
            Self::CommitLost => "commit-lost",
            Self::OldestCopy => "oldest-copy",
            Self::WaitsKept => "waits-kept",
            Self::BytesAltered => "bytes-altered",
        }
    }

    /// What is done to the database at first.
    pub(super) const fn sabotage(self) -> Option<&'static str> {
        match self {
            Self::DedupLost => Some("DROP INDEX notice_once"),
            Self::BytesAltered => Some(
                "CREATE TRIGGER altered AFTER INSERT ON attempt_order BEGIN \
                 UPDATE attempt_order SET path = path || '?' WHERE attempt = new.attempt; END",
            ),
            Self::SentQueuedAgain => Some(
                "CREATE TRIGGER sent_again AFTER UPDATE OF state ON notice WHEN new.state = 'sent' BEGIN \
                 UPDATE notice SET state = 'queued', next_at = new.settled_at, settled_at = NULL WHERE id = new.id; END",
            ),
            Self::VersionForgotten | Self::UnknownNotSpent | Self::CommitLost | Self::OldestCopy | Self::WaitsKept => {
                None
            }
        }
    }
}
