//! Judges what happened, from facts alone. Shares no code with the daemon, so that a wrong thought there is not thought
//! here again.

mod ends;
pub mod facts;
mod intents;
mod messages;
mod orders;
mod settled;
mod warnings;

use std::collections::BTreeMap;

use self::facts::Fact;
use self::messages::Notice;

/// Everything that is judged.
pub const PROMISES: [&str; 16] = [
    "P1", "P2", "P3", "P4", "P5", "P6", "limits", "clock", "disk", "pause", "restore", "price", "rule", "life", "spin",
    "repeat",
];

/// What is judged beside them where people can be told over a second way, in the stories of the whole daemon: an alert
/// that one way cannot carry takes the other.
pub const ELSEWHERE: &str = "elsewhere";

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which: `P1` to `P6`, or another word for what is checked beside them.
    pub promise: &'static str,
    /// When, in true seconds.
    pub at: i64,
    /// The card.
    pub card: usize,
    /// What happened.
    pub what: String,
}

/// An order at the operator.
#[derive(Clone, Copy, Debug)]
struct Order {
    key: u128,
    at: i64,
    taken_at: Option<i64>,
    taken_back_at: Option<i64>,
    extends_secs: i64,
    charge: i64,
    never_shows: bool,
    /// The operator said for certain that it was not taken, or a person said to leave it be.
    is_excused: bool,
}

/// What is known of a card.
#[derive(Clone, Debug, Default)]
struct Card {
    covered_until: i64,
    lead_secs: i64,
    ends: bool,
    must_live: bool,
    month_limit: Option<i64>,
    rule_over_at: Option<i64>,
    orders: Vec<Order>,
    bought_by_people: Vec<(i64, i64)>,
    blind: Vec<(i64, i64)>,
    alerts: Vec<i64>,
    restored_at: i64,
    warnings: warnings::Warnings,
}

/// What is known of an attempt.
#[derive(Clone, Debug)]
struct Attempt {
    card: usize,
    state: &'static str,
    since: i64,
    began_at: i64,
    asked_at: i64,
}

/// The oracle at work.
#[derive(Debug, Default)]
struct Oracle {
    cards: Vec<Card>,
    attempts: BTreeMap<i64, Attempt>,
    /// Those of them that are open, with their cards.
    open: BTreeMap<i64, usize>,
    notices: BTreeMap<i64, Notice>,
    /// Messages that a move owes: (attempt, kind, when, card).
    owed: Vec<(i64, &'static str, i64, usize)>,
    /// Messages by attempt and kind.
    told: std::collections::BTreeSet<(i64, &'static str)>,
    breaches: Vec<Breach>,
}

/// Judges the facts of one world, in the order in which they happened.
#[must_use]
pub fn judge(facts: &[Fact]) -> Vec<Breach> {
    let mut oracle = Oracle::default();
    for fact in facts {
        oracle.hear(fact);
    }
    oracle.breaches.sort_by_key(|breach| breach.at);
    oracle.breaches
}

impl Oracle {
    fn breach(&mut self, promise: &'static str, at: i64, card: usize, what: impl Into<String>) {
        debug_assert!(PROMISES.contains(&promise) || promise == ELSEWHERE, "`{promise}` is no promise");
        self.breaches.push(Breach { promise, at, card, what: what.into() });
    }

    fn hear(&mut self, fact: &Fact) {
        match fact {
            Fact::Card { covered_until, lead_secs, ends, month_limit, rule_over_at, must_live, .. } => {
                self.cards.push(Card {
                    covered_until: *covered_until,
                    lead_secs: *lead_secs,
                    ends: *ends,
                    must_live: *must_live,
                    month_limit: *month_limit,
                    rule_over_at: *rule_over_at,
                    ..Card::default()
                });
            }
            Fact::Ordered { card, key, at, taken_at, taken_back_at, extends_secs, never_shows, charge } => {
                let (key, at, taken_at, charge) = (*key, *at, *taken_at, *charge);
                let (taken_back_at, extends_secs, never_shows) = (*taken_back_at, *extends_secs, *never_shows);
                let order =
                    Order { key, at, taken_at, taken_back_at, extends_secs, charge, never_shows, is_excused: false };
                self.ordered(*card, order);
            }
            Fact::PersonBought { card, at, extends_secs } => {
                self.cards[*card].bought_by_people.push((*at, *extends_secs));
            }
            Fact::ToldRefused { key } => {
                let orders = self.cards.iter_mut().flat_map(|card| &mut card.orders);
                orders.filter(|order| order.key == *key).for_each(|order| order.is_excused = true);
            }
            Fact::Intended { .. } => self.intended(fact),
            Fact::Moved { .. } => self.moved(fact),
            Fact::Queued { notice, card, attempt, kind, way, at } => {
                self.queued(*notice, Notice::new(*card, *attempt, kind, way, *at));
            }
            Fact::Started { acknowledged, found, at, restored, open } => {
                self.started(*acknowledged, *found, *at, *restored, open);
            }
            Fact::Warned { card, which, step_secs, end, at, clock_off_secs } => {
                self.warned(*card, (*which, *step_secs), *end, *at, *clock_off_secs);
            }
            Fact::Stopped { .. } => {}
            Fact::Spins { at } => self.breach("spin", *at, 0, "the same is done over and over"),
            Fact::Delivered { notice, is_known } => self.delivered(*notice, *is_known),
            Fact::Unsettled { notice } => self.unsettled(*notice),
            Fact::GivenUp { notice, way_failed } => self.given_up(*notice, *way_failed),
            Fact::Blind { card, from, until } => self.cards[*card].blind.push((*from, *until)),
            Fact::Ended { at, open, waiting } => {
                self.ended_open(*at, open);
                self.ended_messages(*at, waiting);
                self.ended_cards(*at);
            }
        }
    }

    fn started(&mut self, acknowledged: u64, found: u64, at: i64, restored: bool, open: &[(usize, i64)]) {
        if restored {
            // Rows of the time that was lost are given anew, and their messages are gone with them; what was told before
            // the copy was made is still told.
            self.attempts.clear();
            self.open.clear();
            self.notices.clear();
            self.owed.clear();
            for card in &mut self.cards {
                card.restored_at = at;
                card.warnings = warnings::Warnings::default();
            }
            return;
        }
        if found < acknowledged {
            self.breach("P6", at, 0, format!("{acknowledged} commits were acknowledged, {found} are there"));
        }
        let missing: Vec<(i64, usize)> = self
            .open
            .iter()
            .map(|(id, card)| (*id, *card))
            .filter(|(id, card)| !open.contains(&(*card, *id)))
            .collect();
        for (id, card) in missing {
            self.breach("P3", at, card, format!("attempt {id} was open and is forgotten"));
            self.attempts.remove(&id);
            self.open.remove(&id);
        }
    }
}

fn is_open(state: &str) -> bool {
    matches!(state, "planned" | "sending" | "pending" | "accepted" | "unknown" | "human")
}
