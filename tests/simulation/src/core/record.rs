//! The record in memory: what a commit keeps, what a crash leaves, and what a restored copy brings back. The journal of
//! orders lies beside it and is never restored with it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use simkeeper::domain::attempt::{Attempt, AttemptId, StateName};
use simkeeper::domain::card::{Card, CardId, Name};
use simkeeper::domain::draft::NewAttempt;
use simkeeper::domain::fares::Fares;
use simkeeper::domain::ledger::{Spend, cost};
use simkeeper::domain::money::Money;
use simkeeper::domain::notice::NoticeKind;
use simkeeper::domain::operator::{OrderKey, PreparedOrder};
use simkeeper::domain::reading::{Reading, Recent};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::domain::warning_step::Told;

use simkeeper::domain::attempt::AttemptState;

/// Money and attempts are looked at this far back.
pub(super) const LOOKS_BACK: Secs = Secs::days(62);
/// Readings are kept whole for so long.
const KEPT_WHOLE: Secs = Secs::days(35);

/// What the record keeps beside an attempt.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    /// The key, also as a number.
    pub(super) key: Option<(OrderKey, u128)>,
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
    /// When it was read lately, and the plans that were on it.
    pub(super) past: Vec<(UnixTime, Rc<Vec<String>>)>,
    pub(super) failures: u32,
    pub(super) cycle: u32,
    pub(super) next_poll_at: UnixTime,
    pub(super) set_aside: Option<UnixTime>,
    pub(super) attempts: Vec<Attempt>,
    /// At the same places.
    pub(super) beside: Vec<Beside>,
    pub(super) told: HashSet<(NoticeKind, u32, String)>,
    /// The last warning of each step.
    pub(super) warned: HashMap<String, Told>,
}

impl Row {
    pub(super) fn new(card: &Card, now: UnixTime) -> Self {
        Self {
            card: card.clone(),
            recent: Recent::default(),
            past: Vec::new(),
            failures: 0,
            cycle: 1,
            next_poll_at: now,
            set_aside: None,
            attempts: Vec::new(),
            beside: Vec::new(),
            told: HashSet::new(),
            warned: HashMap::new(),
        }
    }

    /// The open attempt: a new one is written down only when none is open, so it is the last.
    pub(super) fn open(&self) -> Option<usize> {
        let last = self.attempts.len().checked_sub(1)?;
        self.attempts[last].state.name().is_open().then_some(last)
    }

    /// The order that is on its way.
    pub(super) fn sending(&self) -> Option<AttemptId> {
        let open = &self.attempts[self.open()?];
        (open.state.name() == StateName::Sending).then_some(open.id)
    }

    /// The attempts that still matter, oldest first.
    pub(super) fn recent_attempts(&self, now: UnixTime) -> Cow<'_, [Attempt]> {
        let since = now.minus(LOOKS_BACK);
        // What was planned by a clock of 1970 is known by when it was sent.
        let matters = |place: &usize| {
            let (attempt, sent_at) = (&self.attempts[*place], self.beside[*place].first_sent_at);
            attempt.created_at.max(sent_at.unwrap_or(UnixTime::MIN)) >= since || attempt.state.name().is_open()
        };
        let first = (0..self.attempts.len()).find(matters).unwrap_or(self.attempts.len());
        if (first..self.attempts.len()).all(|place| matters(&place)) {
            return Cow::Borrowed(&self.attempts[first..]);
        }
        (first..self.attempts.len()).filter(matters).map(|place| self.attempts[place].clone()).collect()
    }

    /// What counts against the limits.
    pub(super) fn spends(&self, now: UnixTime) -> Vec<Spend> {
        let since = now.minus(LOOKS_BACK);
        let rows = self.attempts.iter().zip(&self.beside);
        let spends = rows.filter(|(attempt, _)| attempt.state.name().counts_as_spent()).map(|(attempt, beside)| {
            Spend { attempt: attempt.id, at: beside.first_sent_at.unwrap_or(attempt.created_at), money: cost(attempt) }
        });
        spends.filter(|spend| spend.at >= since).collect()
    }

    /// Notes which plans were on it.
    pub(super) fn note_past(&mut self, reading: &Reading) {
        let same = self.past.last().map(|(_, assets)| assets).filter(|assets| ***assets == reading.assets);
        let assets = same.map_or_else(|| Rc::new(reading.assets.clone()), Rc::clone);
        self.past.push((reading.read_at, assets));
    }

    /// Plans that were on it from `since` on, also by the last reading before that.
    pub(super) fn lately(&self, since: UnixTime, now: UnixTime) -> Vec<&String> {
        let kept = since.minus(KEPT_WHOLE)..now;
        let mut past: Vec<_> = self.past.iter().filter(|(at, _)| kept.contains(at)).collect();
        past.sort_by_key(|(at, _)| *at);
        let first = past.iter().rposition(|(at, _)| *at < since).unwrap_or(0);
        past[first..].iter().flat_map(|(_, assets)| assets.iter()).collect()
    }

    /// When something about it is due, by the machine's clock.
    pub(super) fn attempt_due(&self) -> Option<UnixTime> {
        self.open().and_then(|place| self.attempts[place].state.next_at())
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
    pub(super) rows: Vec<Rc<Row>>,
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
            reckoning: new.reckoning,
            payment: new.payment,
            code: new.code,
            created_at: new.created_at,
            approval: new.approval,
            before: new.before,
            state: AttemptState::Planned { next_at: new.next_at },
            version: 1,
        };
        let row = self.row(row);
        // What is older than every limit looks back is in the history only, by the true time.
        let oldest = since - LOOKS_BACK.0;
        let gone = row.beside.iter().take_while(|beside| beside.since < oldest).count();
        row.attempts.drain(..gone);
        row.beside.drain(..gone);
        row.attempts.push(attempt);
        row.beside.push(Beside { key: None, prepared: None, first_sent_at: None, since });
        row.attempts.len() - 1
    }

    /// A row to write; copies of the record keep it as it was.
    pub(super) fn row(&mut self, row: usize) -> &mut Row {
        Rc::make_mut(&mut self.rows[row])
    }

    /// Notes that an order is to be sent now.
    pub(super) fn sends(&mut self, key: u128) {
        let sends = self.keys.entry(key).or_default();
        *sends = sends.saturating_add(1);
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
