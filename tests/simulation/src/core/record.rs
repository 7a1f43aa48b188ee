//! The record in memory: what a commit keeps, what a crash leaves, and what a restored copy brings back. The journal of
//! orders lies beside it and is never restored with it.

use std::collections::{BTreeMap, HashSet};

use simkeeper::domain::attempt::{Attempt, AttemptId};
use simkeeper::domain::card::{Card, CardId, Name, Wishes};
use simkeeper::domain::draft::NewAttempt;
use simkeeper::domain::fares::Fares;
use simkeeper::domain::ledger::{Spend, cost};
use simkeeper::domain::money::Money;
use simkeeper::domain::notice::NoticeKind;
use simkeeper::domain::operator::{OrderKey, PreparedOrder};
use simkeeper::domain::reading::Recent;
use simkeeper::domain::time::{Secs, UnixTime};

use simkeeper::domain::attempt::AttemptState;

/// Money and attempts are looked at this far back.
pub(super) const LOOKS_BACK: Secs = Secs::days(62);

/// One attempt with what the record keeps beside it.
#[derive(Clone, Debug)]
pub(super) struct AttemptRow {
    pub(super) attempt: Attempt,
    pub(super) key: Option<OrderKey>,
    pub(super) prepared: Option<PreparedOrder>,
    pub(super) first_sent_at: Option<UnixTime>,
    /// When it came into its present state, in true time; for the oracle only.
    pub(super) since: i64,
}

/// One card.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) card: Card,
    pub(super) recent: Recent,
    pub(super) failures: u32,
    pub(super) cycle: u32,
    pub(super) next_poll_at: UnixTime,
    pub(super) set_aside: Option<UnixTime>,
    pub(super) attempts: Vec<AttemptRow>,
    pub(super) told: HashSet<(NoticeKind, u32, String)>,
}

impl Row {
    pub(super) fn new(card: &Card, now: UnixTime) -> Self {
        Self {
            card: card.clone(),
            recent: Recent::default(),
            failures: 0,
            cycle: 1,
            next_poll_at: now,
            set_aside: None,
            attempts: Vec::new(),
            told: HashSet::new(),
        }
    }

    pub(super) fn open(&self) -> Option<usize> {
        self.attempts.iter().rposition(|row| row.attempt.state.name().is_open())
    }

    /// The attempts that still matter, oldest first.
    pub(super) fn recent_attempts(&self, now: UnixTime) -> Vec<Attempt> {
        let since = now.minus(LOOKS_BACK);
        let matters = |row: &&AttemptRow| row.attempt.created_at >= since || row.attempt.state.name().is_open();
        self.attempts.iter().filter(matters).map(|row| row.attempt.clone()).collect()
    }

    /// What counts against the limits.
    pub(super) fn spends(&self, now: UnixTime) -> Vec<Spend> {
        let since = now.minus(LOOKS_BACK);
        let rows = self.attempts.iter().filter(|row| row.attempt.state.name().counts_as_spent());
        let spends = rows.map(|row| Spend {
            attempt: row.attempt.id,
            at: row.first_sent_at.unwrap_or(row.attempt.created_at),
            money: cost(&row.attempt),
        });
        spends.filter(|spend| spend.at >= since).collect()
    }

    /// When something about it is due, by the machine's clock.
    pub(super) fn attempt_due(&self) -> Option<UnixTime> {
        self.open().and_then(|place| self.attempts[place].attempt.state.next_at())
    }
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    Queued,
    Claimed,
}

/// One message.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) id: i64,
    pub(super) card: usize,
    pub(super) urgent: bool,
    pub(super) stand: Stand,
    pub(super) tries: u32,
    pub(super) crashes: u32,
    pub(super) next_at: UnixTime,
    pub(super) expires_at: UnixTime,
}

/// Everything that a commit keeps.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) rows: Vec<Row>,
    /// Messages that are not done with.
    pub(super) notices: Vec<Notice>,
    pub(super) last_attempt: i64,
    pub(super) last_notice: i64,
    pub(super) last_seen: UnixTime,
    /// Keys of orders, and how often each was to be sent.
    pub(super) keys: BTreeMap<u128, u32>,
    /// Lines of the journal from which an earlier start has drawn its conclusions.
    pub(super) dealt_with: usize,
    pub(super) fares: Vec<Fares>,
    pub(super) commits: u64,
}

impl Record {
    pub(super) fn insert(&mut self, row: usize, new: NewAttempt, id: Option<AttemptId>, since: i64) -> usize {
        let id = id.unwrap_or(AttemptId(self.last_attempt + 1));
        self.last_attempt = self.last_attempt.max(id.0);
        let attempt = Attempt {
            id,
            card: new.card,
            cycle: new.cycle,
            number: new.number,
            account: new.account,
            cause: new.cause,
            plan: new.plan,
            payment: new.payment,
            code: new.code,
            created_at: new.created_at,
            approval: new.approval,
            before: new.before,
            state: AttemptState::Planned { next_at: new.next_at },
            version: 1,
        };
        let attempts = &mut self.rows[row].attempts;
        // What is older than every limit looks back is in the history only, by the true time.
        let oldest = since - LOOKS_BACK.0;
        attempts.retain(|row| row.since >= oldest || row.attempt.state.name().is_open());
        attempts.push(AttemptRow { attempt, key: None, prepared: None, first_sent_at: None, since });
        attempts.len() - 1
    }

    /// Notes that an order is to be sent now.
    pub(super) fn sends(&mut self, key: u128) {
        let sends = self.keys.entry(key).or_default();
        *sends = sends.saturating_add(1);
    }

    pub(super) fn set_wishes(&mut self, row: usize, wishes: Wishes) {
        self.rows[row].card.wishes = wishes;
    }
}

/// A line of the journal of orders.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) attempt: AttemptId,
    pub(super) card: CardId,
    pub(super) account: Name,
    pub(super) key: OrderKey,
    /// The key as a number.
    pub(super) number: u128,
    pub(super) plan_id: String,
    pub(super) price: Money,
    pub(super) at: UnixTime,
}

/// A key as a number.
pub(super) fn number(key: &OrderKey) -> u128 {
    text_number(key.as_str())
}

/// The text of a key as a number.
pub(super) fn text_number(key: &str) -> u128 {
    u128::from_str_radix(key, 16).unwrap_or(0)
}
