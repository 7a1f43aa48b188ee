//! What attempts were closed as, against the operator's book; and attempts that stay open.

use super::facts::Fact;
use super::{Attempt, DAY, Oracle, is_open};

impl Oracle {
    pub(super) fn moved(&mut self, fact: &Fact) {
        let Fact::Moved { card, attempt, key, from, to, by_person, at } = fact else { return };
        self.left(*attempt, *at);
        // When an attempt of a restored copy began is not known any more.
        let unknown_since = if from.is_empty() { *at } else { 0 };
        let began_at = self.attempts.get(attempt).map_or(unknown_since, |known| known.began_at);
        let moved = Attempt { card: *card, state: to, since: *at, began_at, asked_at: *at };
        self.attempts.insert(*attempt, moved);
        if is_open(to) {
            self.open.insert(*attempt, *card);
        } else {
            self.open.remove(attempt);
        }
        self.owes(*card, *attempt, from, to, *by_person, *at);
        let Some(key) = *key else { return };
        match *to {
            "refused" | "absent" | "abandoned" if *by_person => self.excuse(*card, key),
            "refused" | "absent" | "abandoned" => self.not_taken(*card, *attempt, key, to, *at),
            "done" => {
                self.taken(*card, *attempt, key, *at);
                // It is done by a person's word or another purchase, and provides for nothing.
                let orders = self.cards[*card].orders.iter_mut();
                orders.filter(|order| order.key == key && order.never_shows).for_each(|order| order.is_excused = true);
            }
            _ => {}
        }
    }

    fn excuse(&mut self, card: usize, key: u128) {
        let orders = self.cards[card].orders.iter_mut();
        orders.filter(|order| order.key == key).for_each(|order| order.is_excused = true);
    }

    fn not_taken(&mut self, card: usize, attempt: i64, key: u128, to: &str, at: i64) {
        let taken = self.cards[card].orders.iter().any(|order| {
            let taken_back = order.taken_back_at.is_some_and(|back| back <= at);
            order.key == key && order.taken_at.is_some() && !order.is_excused && !taken_back
        });
        if taken {
            self.breach("P2", at, card, format!("attempt {attempt} is {to}, and the operator took it"));
        }
    }

    fn taken(&mut self, card: usize, attempt: i64, key: u128, at: i64) {
        let known = &self.cards[card];
        let taken =
            known.orders.iter().any(|order| order.key == key && order.taken_at.is_some_and(|taken| taken <= at));
        // A purchase by other ways looks the same on the card.
        let began_at = self.attempts.get(&attempt).map_or(at, |known| known.began_at);
        let people = known.bought_by_people.iter().any(|(when, _)| *when >= began_at - DAY && *when <= at);
        if !taken && !people {
            self.breach("P2", at, card, format!("attempt {attempt} is done, and the operator did not take it"));
        }
    }

    /// An attempt leaves a state in which a person was asked.
    fn left(&mut self, attempt: i64, at: i64) {
        let Some(known) = self.attempts.get(&attempt).cloned() else { return };
        if known.state == "human" && at - known.asked_at > 5 * DAY && !self.was_blind(known.card, known.asked_at, at) {
            let days = (at - known.asked_at) / DAY;
            self.breach("P3", at, known.card, format!("nobody was reminded of attempt {attempt} for {days} days"));
        }
        let longest = match known.state {
            "sending" => 3 * DAY,
            "pending" | "accepted" => 9 * DAY,
            "unknown" => 45 * DAY,
            _ => i64::MAX,
        };
        if at - known.since > longest {
            let days = (at - known.since) / DAY;
            self.breach("P3", at, known.card, format!("attempt {attempt} was {} for {days} days", known.state));
        }
    }

    fn was_blind(&self, card: usize, from: i64, until: i64) -> bool {
        let blind = self.cards[card].blind.iter().filter(|(begins, ends)| *begins < until && *ends > from);
        blind.map(|(begins, ends)| ends.min(&until) - begins.max(&from)).sum::<i64>() > DAY
    }

    pub(super) fn ended_open(&mut self, at: i64, open: &[(usize, i64, &'static str, i64)]) {
        let known: Vec<i64> = self.attempts.keys().copied().collect();
        for attempt in known {
            let is_listed = open.iter().any(|(_, id, ..)| *id == attempt);
            let Some(one) = self.attempts.get(&attempt) else { continue };
            let (card, state) = (one.card, one.state);
            if is_open(state) && !is_listed {
                self.breach("P3", at, card, format!("attempt {attempt} was {state} and is forgotten"));
            }
            self.left(attempt, at);
        }
    }
}
