//! The machine under the daemon: its clock, its sleep, its disk, its power.

use simkeeper::domain::attempt::AttemptId;
use simkeeper::domain::notice::NoticeKind;

use super::record::Record;
use crate::chance::Chance;

/// The machine.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) chance: Chance,
    /// How far its clock is from the truth.
    pub(super) clock_off: i64,
    pub(super) clock_mends_at: Option<i64>,
    pub(super) asleep_until: i64,
    pub(super) disk_full_until: i64,
    pub(super) mail_down_until: i64,
    /// When the process is started next.
    pub(super) starts_at: i64,
    /// Commits that were said to be on disk.
    pub(super) acknowledged: u64,
    /// What is surely on disk, where syncs are saved.
    pub(super) synced: Option<Record>,
    /// Copies of the record with the time when each was made, oldest first.
    pub(super) backups: Vec<(i64, Record)>,
    /// Since when cards are to be set aside after a copy was put in the record's place, and when that was.
    pub(super) restored_at: Option<(i64, i64)>,
    pub(super) was_restored: bool,
    /// Keys of orders that the copy put in the record's place has forgotten: how often they were sent, and when it was made.
    pub(super) forgotten: std::collections::BTreeMap<u128, (u32, i64)>,
    /// Whether every line of the journal is known to be on record, until the record is replaced.
    pub(super) agrees: bool,
    pub(super) hour: i64,
    /// Messages that a mutant has not queued yet.
    pub(super) untold: Vec<(usize, NoticeKind, u32, String, AttemptId)>,
    /// Messages that are out and not settled.
    pub(super) unsettled: Vec<i64>,
}

impl Machine {
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            chance: Chance::new(seed, 0x3ac1),
            clock_off: 0,
            clock_mends_at: None,
            asleep_until: 0,
            disk_full_until: 0,
            mail_down_until: 0,
            starts_at: 0,
            acknowledged: 0,
            synced: None,
            backups: Vec::new(),
            restored_at: None,
            was_restored: false,
            forgotten: std::collections::BTreeMap::new(),
            agrees: true,
            hour: 0,
            untold: Vec::new(),
            unsettled: Vec::new(),
        }
    }
}
