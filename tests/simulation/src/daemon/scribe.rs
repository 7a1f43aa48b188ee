//! Reads the record as any other program would, and tells the oracle what was committed there: moves of attempts, messages
//! queued and given up, and how much there is.

use std::collections::{BTreeMap, BTreeSet};

use simkeeper::store::{Connection, Store, StoreError};

use super::files;
use super::stage::Scene;
use crate::faults::STATES;
use crate::oracle::facts::Fact;

const EVENTS: &str = "SELECT attempt_event.id, attempt_event.attempt, transition, from_state, to_state, card.name, \
     order_key, attempt.account, plan_id, price, given_up FROM attempt_event JOIN attempt ON attempt.id = attempt \
     JOIN card ON card.id = attempt.card WHERE attempt_event.id > ?1 ORDER BY attempt_event.id";
const NOTICES: &str = "SELECT notice.id, kind, card.name, attempt, message_id, channel FROM notice \
     LEFT JOIN card ON card.id = notice.card WHERE notice.id > ?1 ORDER BY notice.id";
const SETTLED: &str = "SELECT id, state FROM notice WHERE id >= ?1 AND state IN ('sent', 'dead', 'expired')";
const WAITING: &str = "SELECT id, message_id FROM notice WHERE state IN ('queued', 'claimed')";
const CLAIMED: &str = "SELECT id FROM notice WHERE state = 'claimed' ORDER BY id";
const COUNT: &str = "SELECT ifnull((SELECT max(id) FROM attempt_event), 0) + ifnull((SELECT max(id) FROM notice), 0)";
const LAST: &str = "SELECT ifnull((SELECT max(id) FROM attempt_event), 0), ifnull((SELECT max(id) FROM notice), 0)";
const OPEN: &str = "SELECT card.name, attempt.id, state, order_key, attempt.account, first_sent_at, approval \
     FROM attempt JOIN card ON card.id = attempt.card \
     WHERE state IN ('planned', 'sending', 'pending', 'accepted', 'unknown', 'human') ORDER BY attempt.id";

/// What is read of one move.
struct Event {
    id: i64,
    attempt: i64,
    transition: String,
    from: Option<String>,
    to: String,
    card: String,
    key: Option<String>,
    account: String,
    plan: String,
    price: i64,
    given_up: Option<String>,
}

/// What is read of one message.
struct Told {
    id: i64,
    kind: String,
    card: Option<String>,
    attempt: Option<i64>,
    message_id: String,
    channel: String,
}

/// An attempt that is open.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) card: usize,
    pub(super) attempt: i64,
    pub(super) state: &'static str,
    pub(super) key: Option<String>,
    pub(super) account: String,
    pub(super) first_sent_at: Option<i64>,
    pub(super) asks_to_buy: bool,
}

/// How far the record was read.
#[derive(Default)]
pub(super) struct Scribe {
    store: Option<Store>,
    event: i64,
    notice: i64,
    by_word: BTreeMap<String, i64>,
    waiting: BTreeSet<i64>,
    /// The keys that were meant to be sent, with their cards and when.
    pub(super) intended: Vec<(usize, u128, i64)>,
    /// When each open attempt came into its state, in true time.
    pub(super) since: BTreeMap<i64, i64>,
}

impl Scribe {
    /// The record of a new process.
    pub(super) fn open(&mut self, store: &Store) {
        self.store = Some(store.clone());
    }

    /// The process is gone; its record is closed.
    pub(super) fn close(&mut self) {
        self.store = None;
    }

    /// An older copy stands in the record's place: what it holds was told before.
    pub(super) fn rewind(&mut self) -> Result<(), StoreError> {
        let Some(store) = &self.store else { return Ok(()) };
        let (last, waiting) = store.read_blocking(|conn| {
            let last = conn.query_row(LAST, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut rows = conn.prepare_cached(WAITING)?;
            let waiting = rows.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
            Ok((last, waiting.collect::<Result<Vec<_>, _>>()?))
        })?;
        (self.event, self.notice) = last;
        self.waiting = waiting.iter().map(|(id, _)| *id).collect();
        self.by_word = waiting.into_iter().map(|(id, message)| (word_of(&message), id)).collect();
        Ok(())
    }

    /// The message with this id of a mail.
    pub(super) fn notice_of(&self, word: &str) -> Option<i64> {
        self.by_word.get(word).copied()
    }

    /// The messages that are neither sent nor given up.
    pub(super) fn waiting(&self) -> Vec<i64> {
        self.waiting.iter().copied().collect()
    }

    /// The messages that were being sent.
    pub(super) fn claimed(&self) -> Result<Vec<i64>, StoreError> {
        let Some(store) = &self.store else { return Ok(Vec::new()) };
        store.read_blocking(|conn| {
            let mut rows = conn.prepare_cached(CLAIMED)?;
            let found = rows.query_map([], |row| row.get(0))?;
            Ok(found.collect::<Result<Vec<_>, _>>()?)
        })
    }

    /// What was seen to be committed.
    pub(super) const fn acknowledged(&self) -> u64 {
        (self.event + self.notice).unsigned_abs()
    }

    /// What there is in the record.
    pub(super) fn count(&self) -> Result<u64, StoreError> {
        let Some(store) = &self.store else { return Ok(0) };
        store.read_blocking(|conn| Ok(conn.query_row(COUNT, [], |row| row.get::<_, i64>(0))?)).map(i64::unsigned_abs)
    }

    /// The attempts that are open.
    pub(super) fn opened(&self) -> Result<Vec<Open>, StoreError> {
        let Some(store) = &self.store else { return Ok(Vec::new()) };
        store.read_blocking(|conn| {
            let mut rows = conn.prepare_cached(OPEN)?;
            let found = rows.query_map([], |row| {
                Ok(Open {
                    card: files::card_of(&row.get::<_, String>(0)?).unwrap_or(0),
                    attempt: row.get(1)?,
                    state: word(&row.get::<_, String>(2)?),
                    key: row.get(3)?,
                    account: row.get(4)?,
                    first_sent_at: row.get(5)?,
                    asks_to_buy: row.get::<_, String>(6)? == "asked",
                })
            })?;
            Ok(found.collect::<Result<Vec<_>, _>>()?)
        })
    }
}

fn events(conn: &Connection, after: i64) -> Result<Vec<Event>, StoreError> {
    let mut rows = conn.prepare_cached(EVENTS)?;
    let found = rows.query_map([after], |row| {
        Ok(Event {
            id: row.get(0)?,
            attempt: row.get(1)?,
            transition: row.get(2)?,
            from: row.get(3)?,
            to: row.get(4)?,
            card: row.get(5)?,
            key: row.get(6)?,
            account: row.get(7)?,
            plan: row.get(8)?,
            price: row.get(9)?,
            given_up: row.get(10)?,
        })
    })?;
    Ok(found.collect::<Result<Vec<_>, _>>()?)
}

fn notices(conn: &Connection, after: i64) -> Result<Vec<Told>, StoreError> {
    let mut rows = conn.prepare_cached(NOTICES)?;
    let found = rows.query_map([after], |row| {
        Ok(Told {
            id: row.get(0)?,
            kind: row.get(1)?,
            card: row.get(2)?,
            attempt: row.get(3)?,
            message_id: row.get(4)?,
            channel: row.get(5)?,
        })
    })?;
    Ok(found.collect::<Result<Vec<_>, _>>()?)
}

impl Scene {
    /// Tells the oracle what was committed since this was last asked.
    pub(super) fn catch_up(&mut self) {
        let Some(store) = self.scribe.store.clone() else { return };
        let (event, notice) = (self.scribe.event, self.scribe.notice);
        let read = store.read_blocking(|conn| Ok((events(conn, event)?, notices(conn, notice)?)));
        // A record that cannot be read is found out at the next start, which checks it.
        let Ok((events, notices)) = read else { return };
        if events.is_empty() && notices.is_empty() {
            return;
        }
        for event in events {
            self.scribe.event = event.id;
            self.tell_of_move(event);
        }
        for told in notices {
            self.scribe.notice = told.id;
            self.scribe.by_word.insert(word_of(&told.message_id), told.id);
            self.scribe.waiting.insert(told.id);
            let card = told.card.as_deref().and_then(files::card_of).unwrap_or(usize::MAX);
            let way = if told.channel == files::TEXT { files::TEXT } else { files::MAIL };
            let (notice, attempt, kind, at) = (told.id, told.attempt, word(&told.kind), self.at);
            self.world.facts.push(Fact::Queued { notice, card, attempt, kind, way, at });
        }
    }

    fn tell_of_move(&mut self, event: Event) {
        let card = files::card_of(&event.card).unwrap_or(0);
        let key = event.key.as_deref().and_then(|key| u128::from_str_radix(key, 16).ok());
        if let (Some(key), true) = (key, event.transition == "T4") {
            self.tell_of_intent(card, key, &event);
        }
        let (from, to) = (event.from.as_deref().map_or("", word), word(&event.to));
        if from == to {
            return;
        }
        let state = STATES.iter().position(|state| *state == to).unwrap_or(0);
        self.world.note_state(card, state);
        self.scribe.since.insert(event.attempt, self.at);
        let by_person = event.transition == "T19" || event.given_up.as_deref() == Some("person");
        let (attempt, at) = (event.attempt, self.at);
        self.world.facts.push(Fact::Moved { card, attempt, key, from, to, by_person, at });
    }

    fn tell_of_intent(&mut self, card: usize, key: u128, event: &Event) {
        let at = self.at;
        self.scribe.intended.push((card, key, at));
        let operator = self.world.operator(&event.account).unwrap_or(0);
        let sold = self.world.operators[operator].plans.iter().find(|plan| plan.id == event.plan);
        let fact = Fact::Intended {
            card,
            attempt: event.attempt,
            key,
            at,
            clock_off_secs: self.off_secs,
            disk_full: false,
            paused: at < self.paused_until[card],
            set_aside: at < self.set_aside_until[card],
            price: event.price,
            price_on_sale: sold.map_or(event.price, |plan| plan.price.ten_thousandths()),
            has_rule: self.world.rule(card, at).is_some(),
        };
        self.world.facts.push(fact);
    }

    /// Tells the oracle which messages were given up; those that were sent leave the list.
    pub(super) fn look_at_messages(&mut self) {
        let (Some(store), Some(first)) = (self.scribe.store.clone(), self.scribe.waiting.first().copied()) else {
            return;
        };
        let settled = store.read_blocking(|conn| {
            let mut rows = conn.prepare_cached(SETTLED)?;
            let found = rows.query_map([first], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
            Ok(found.collect::<Result<Vec<_>, _>>()?)
        });
        for (notice, state) in settled.unwrap_or_default() {
            if self.scribe.waiting.remove(&notice) && state != "sent" {
                self.world.facts.push(Fact::GivenUp { notice, way_failed: state == "dead" });
            }
        }
        let (waiting, notice) = (&self.scribe.waiting, self.scribe.notice);
        // A mail whose answer was lost may be on its way once more.
        let kept = |id: &i64| waiting.contains(id) || *id + 400 > notice;
        self.scribe.by_word.retain(|_, id| kept(id));
    }
}

/// The part of a mail's id before its host.
fn word_of(message_id: &str) -> String {
    message_id.trim_start_matches('<').split('@').next().unwrap_or_default().to_owned()
}

/// Words of the record as the oracle knows them.
fn word(text: &str) -> &'static str {
    const WORDS: [&str; 24] = [
        "planned",
        "sending",
        "pending",
        "accepted",
        "unknown",
        "human",
        "done",
        "refused",
        "absent",
        "abandoned",
        "reversed",
        "due_soon",
        "last_safe",
        "bought",
        "failed",
        "settled_late",
        "asked",
        "paused",
        "rules_problem",
        "wallet_low",
        "cards_found",
        "digest",
        "test",
        "",
    ];
    WORDS.into_iter().find(|word| *word == text).unwrap_or("another")
}
