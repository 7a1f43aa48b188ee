//! When each card is due, in memory: a row id and a second, eight bytes a card, four more to know which entry counts, and
//! two for the account, so that cards that one call can read are found together. The record holds the same and fills it
//! at start; nothing is decided here.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::domain::card::CardId;
use crate::domain::time::UnixTime;

/// One entry: seconds first, so that the heap yields the earliest, and of those due together the lowest row.
type Due = Reverse<(u32, u32)>;

/// A card that is not on the schedule.
const NOT_DUE: u32 = u32::MAX;

/// A card whose account was not told yet.
const NO_GROUP: u16 = u16::MAX;

/// The poll schedule.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    heap: BinaryHeap<Due>,
    /// By row: the second that counts. Older entries of the heap are passed over.
    counts: Vec<u32>,
    /// By row: the account, as a number that the poll round gives; learned when a card is first due.
    groups: Vec<u16>,
}

impl Schedule {
    /// From the record.
    #[must_use]
    pub(super) fn new(due: impl IntoIterator<Item = (CardId, UnixTime)>) -> Self {
        let mut counts = Vec::new();
        let heap: Vec<Due> = due
            .into_iter()
            .filter_map(|(card, at)| {
                let (row, at) = (row(card)?, second(at));
                *slot(&mut counts, row) = at;
                Some(Reverse((at, row)))
            })
            .collect();
        Self { heap: heap.into(), counts, groups: Vec::new() }
    }

    /// Notes to which account cards belong.
    pub(super) fn belong(&mut self, cards: &[CardId], group: u16) {
        for row in cards.iter().filter_map(|card| row(*card)) {
            let place = row as usize;
            if place >= self.groups.len() {
                self.groups.resize(place + 1, NO_GROUP);
            }
            self.groups[place] = group;
        }
    }

    /// Takes the cards of an account that are due by `until`, at most `most`, in row order: they share the call of one
    /// that is due now. Looks at every card once, which is little beside the call.
    pub(super) fn take_along(&mut self, group: u16, until: UnixTime, most: usize) -> Vec<CardId> {
        let until = second(until);
        let rows = (0_i64..).zip(self.counts.iter_mut().zip(&self.groups));
        let due = rows.filter(|(_, (at, of))| **of == group && **at != NOT_DUE && **at <= until).take(most);
        due.map(|(row, (at, _))| {
            *at = NOT_DUE;
            CardId(row)
        })
        .collect()
    }

    /// Sets when a card is next due.
    pub(super) fn put(&mut self, card: CardId, at: UnixTime) {
        let Some(row) = row(card) else { return };
        *slot(&mut self.counts, row) = second(at);
        self.heap.push(Reverse((second(at), row)));
    }

    /// Has a card read at the next round.
    pub(super) fn hurry(&mut self, card: CardId) {
        self.put(card, UnixTime::MIN);
    }

    /// Takes a card off.
    pub(super) fn remove(&mut self, card: CardId) {
        if let Some(row) = row(card) {
            *slot(&mut self.counts, row) = NOT_DUE;
        }
    }

    /// Takes what is due at `now`, at most `most`, in row order; each must be put back when it is read.
    pub(super) fn take(&mut self, now: UnixTime, most: usize) -> Vec<CardId> {
        let mut due = Vec::new();
        while due.len() < most && self.next().is_some_and(|next| next <= now) {
            if let Some(Reverse((_, row))) = self.heap.pop() {
                *slot(&mut self.counts, row) = NOT_DUE;
                due.push(CardId(i64::from(row)));
            }
        }
        due.sort_unstable();
        due
    }

    /// The first due instant.
    pub(super) fn next(&mut self) -> Option<UnixTime> {
        while let Some(Reverse((at, row))) = self.heap.peek() {
            if *slot(&mut self.counts, *row) == *at && *at != NOT_DUE {
                return Some(UnixTime::clamped(i64::from(*at)));
            }
            self.heap.pop();
        }
        None
    }
}

/// The slot of a row, made if need be. Rows are dense, so no slot is far from the last.
fn slot(counts: &mut Vec<u32>, row: u32) -> &mut u32 {
    let place = row as usize;
    if place >= counts.len() {
        counts.resize(place + 1, NOT_DUE);
    }
    &mut counts[place]
}

/// A row as 32 bits: rows count from 1 and stay far below four thousand million.
fn row(card: CardId) -> Option<u32> {
    u32::try_from(card.0).ok()
}

/// Whole seconds in 32 bits, which reach to the year 2106; later instants never come due.
fn second(at: UnixTime) -> u32 {
    u32::try_from(at.secs()).unwrap_or(NOT_DUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> UnixTime {
        UnixTime::clamped(secs)
    }

    #[test]
    fn what_is_due_comes_in_row_order_and_no_more_than_asked() {
        let mut schedule =
            Schedule::new([(CardId(3), at(10)), (CardId(1), at(20)), (CardId(2), at(5)), (CardId(4), at(21))]);
        assert_eq!(schedule.take(at(20), 10), vec![CardId(1), CardId(2), CardId(3)]);
        assert_eq!(schedule.next(), Some(at(21)));
        schedule.put(CardId(1), at(30));
        assert_eq!(schedule.take(at(40), 1), vec![CardId(4)]);
        assert_eq!(schedule.take(at(40), 9), vec![CardId(1)]);
        assert_eq!(schedule.next(), None);
    }

    #[test]
    fn only_the_newest_time_of_a_card_counts() {
        let mut schedule = Schedule::new([(CardId(1), at(10))]);
        schedule.hurry(CardId(1));
        assert_eq!(schedule.take(at(5), 9), vec![CardId(1)]);
        schedule.put(CardId(1), at(50));
        assert_eq!(schedule.take(at(20), 9), vec![]);
        schedule.remove(CardId(1));
        assert_eq!(schedule.take(at(60), 9), vec![]);
    }

    #[test]
    fn cards_of_an_account_share_a_call_if_they_are_due_soon() {
        let cards = [(1, 10), (2, 12), (3, 12), (4, 90), (5, 12)];
        let mut schedule = Schedule::new(cards.map(|(card, secs)| (CardId(card), at(secs))));
        schedule.belong(&[CardId(1), CardId(2), CardId(4), CardId(5)], 7);
        schedule.belong(&[CardId(3)], 8);
        assert_eq!(schedule.take(at(10), 9), vec![CardId(1)]);
        assert_eq!(schedule.take_along(7, at(20), 1), vec![CardId(2)]);
        assert_eq!(schedule.take_along(7, at(20), 9), vec![CardId(5)], "not one of another account, nor one due later");
        assert_eq!(schedule.take(at(50), 9), vec![CardId(3)], "what was taken along is no longer due");
        schedule.put(CardId(5), at(60));
        assert_eq!(schedule.take(at(100), 9), vec![CardId(4), CardId(5)]);
        assert_eq!(schedule.take_along(7, UnixTime::MAX, 9), vec![]);
    }

    #[test]
    fn the_end_of_time_is_not_due() {
        let mut schedule = Schedule::new([(CardId(1), UnixTime::MAX)]);
        assert_eq!(schedule.take(at(4_000_000_000), 10), vec![]);
    }
}
