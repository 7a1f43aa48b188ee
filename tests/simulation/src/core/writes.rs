//! What the driver writes into its record, change by change and commit by commit, for whoever keeps another record by it.

use std::collections::BTreeMap;

use simkeeper::domain::attempt::{Attempt, AttemptId, Sent};
use simkeeper::domain::card::Wishes;
use simkeeper::domain::fares::Fares;
use simkeeper::domain::intake::Seen;
use simkeeper::domain::notice::NoticeKind;
use simkeeper::domain::operator::PreparedOrder;
use simkeeper::domain::reading::Recent;
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::domain::warning_step::Told;

use super::deliver::Outcome;
use super::record::Line;

/// One change of the record, or what was read there to decide on one. Cards go by their place.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "daemon"),
    expect(dead_code, reason = "the core alone has no other record to be kept by this")
)]
pub(super) enum Write {
    /// An attempt is planned (T1).
    Planned { after: Attempt },
    /// An order that only the journal knows is taken in as a question, if it can be with the number it had there (T20).
    Imported { wanted: AttemptId, after: Attempt, now: UnixTime },
    /// An attempt is moved; with the bytes that are to leave, where it sets out.
    Moved {
        before: Attempt,
        after: Attempt,
        transition: &'static str,
        prepared: Option<Box<PreparedOrder>>,
        now: UnixTime,
    },
    /// Another discount code is tried.
    Coded { before: Attempt, after: Attempt, now: UnixTime },
    /// What the card was like before its order, with plans that were on it up to so long ago.
    Looked { before: Attempt, after: Attempt, looks_back: Secs, now: UnixTime },
    /// The same bytes are about to leave again.
    Repeats { attempt: AttemptId, prepared: Box<PreparedOrder> },
    /// A message is queued under its key; without a number where one with that key was there.
    Told {
        place: usize,
        kind: NoticeKind,
        cycle: u32,
        step: String,
        attempt: Option<AttemptId>,
        id: Option<i64>,
        now: UnixTime,
    },
    /// The last warning of a step was asked for.
    LastWarning { place: usize, step: String, last: Option<Told> },
    /// An answer was judged, and this is known of the card now.
    Judged { place: usize, seen: Box<Seen>, recent: Box<Recent>, cycle: u32, next_poll_at: UnixTime },
    /// A new cycle begins.
    Cycle { place: usize, cycle: u32 },
    /// What people wish about a card.
    Wished { place: usize, wishes: Wishes },
    /// Every card is set aside.
    SetAside { since: UnixTime },
    /// A card is confirmed.
    Confirmed { place: usize },
    /// Messages are taken to be sent: their numbers, and which try it is.
    Claimed { most: usize, tries: Vec<(i64, u32)>, now: UnixTime },
    /// What became of a try.
    Settled { id: i64, tries: u32, outcome: Outcome, now: UnixTime },
    /// So many messages are no longer worth sending.
    Expired { count: usize, now: UnixTime },
    /// A start finds what the process before was sending: so many go out again, these do not.
    Recovered { queued: usize, dead: Vec<i64>, now: UnixTime },
    /// A start finds these orders on their way.
    FoundSending { attempts: Vec<AttemptId> },
    /// Waits end that no clock of now can have begun.
    WaitsEnded { now: UnixTime },
    /// The latest time that an operator's clock has confirmed; it is committed by itself.
    LastSeen { at: UnixTime },
    /// How the way to an operator fares.
    Fared { operator: usize, fares: Box<Fares> },
    /// A line of the journal of orders.
    Line(Box<Line>),
    /// The record was compared with the journal: keys that it does not know, and orders that left more often than it knows.
    Compared { unknown: Vec<String>, sent_again: BTreeMap<AttemptId, Sent> },
    /// A copy is made; so many are kept, the oldest go.
    Copied { kept: usize },
    /// The copy at this place, the oldest at 0, takes the record's place.
    PutBack { place: usize, now: UnixTime },
    /// All before is on disk.
    Committed,
    /// The process ended.
    Ended,
}

#[cfg(feature = "daemon")]
impl Write {
    /// The place of the card that it is about; 0 where it is about all.
    pub(super) fn card(&self) -> usize {
        let place = |attempt: &Attempt| attempt.card.0.unsigned_abs().saturating_sub(1) as usize;
        match self {
            Self::Planned { after }
            | Self::Imported { after, .. }
            | Self::Moved { after, .. }
            | Self::Coded { after, .. }
            | Self::Looked { after, .. } => place(after),
            Self::Told { place, .. }
            | Self::LastWarning { place, .. }
            | Self::Judged { place, .. }
            | Self::Cycle { place, .. }
            | Self::Wished { place, .. }
            | Self::Confirmed { place } => *place,
            Self::Repeats { .. }
            | Self::SetAside { .. }
            | Self::Claimed { .. }
            | Self::Settled { .. }
            | Self::Expired { .. }
            | Self::Recovered { .. }
            | Self::FoundSending { .. }
            | Self::WaitsEnded { .. }
            | Self::LastSeen { .. }
            | Self::Fared { .. }
            | Self::Line(_)
            | Self::Compared { .. }
            | Self::Copied { .. }
            | Self::PutBack { .. }
            | Self::Committed
            | Self::Ended => 0,
        }
    }
}

/// The changes since they were last taken, if anybody takes them.
#[derive(Debug, Default)]
pub(super) struct Writes {
    taken: Option<Vec<Write>>,
}

impl Writes {
    /// From now on they are kept.
    #[cfg(feature = "daemon")]
    pub(super) fn begin(&mut self) {
        self.taken = Some(Vec::new());
    }

    /// Those since the last time.
    #[cfg(feature = "daemon")]
    pub(super) fn take(&mut self) -> Vec<Write> {
        self.taken.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Keeps one.
    pub(super) fn note(&mut self, write: impl FnOnce() -> Write) {
        if let Some(taken) = &mut self.taken {
            taken.push(write());
        }
    }
}
