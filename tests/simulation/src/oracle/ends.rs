//! No silent end: whenever a card is provided for no longer, people were told in time; and where nothing stood in the
//! way, it does not come to that.

use super::{Card, DAY, HOUR, Oracle};

/// People are told this long before an end.
const TOLD_BEFORE: i64 = 4 * DAY;
/// Ends are told wrong by up to 14 hours, and cards are read every two days.
const SLACK: i64 = 3 * DAY + 12 * HOUR;
/// What passes by itself may keep a card without a plan this long.
const MAY_LACK: i64 = 4 * DAY;

impl Card {
    /// The spans in which nothing provides for the card: (since when, until when, provided for since when).
    fn lacks(&self, ends_at: i64) -> Vec<(i64, i64, i64)> {
        let ours = self.orders.iter().filter(|order| !order.is_excused && order.taken_back_at.is_none());
        let mut bought: Vec<(i64, i64)> =
            ours.filter_map(|order| Some((order.taken_at?, order.extends_secs))).collect();
        bought.extend(&self.bought_by_people);
        bought.sort_unstable();
        let (mut covered, mut since, mut lacks) = (self.covered_until, 0, Vec::new());
        for (when, extends) in bought {
            if when > covered {
                lacks.push((covered, when, since));
            }
            covered = covered.max(when) + extends;
            since = when;
        }
        if covered < ends_at {
            lacks.push((covered, ends_at, since));
        }
        lacks
    }

    fn was_told(&self, end: i64, since: i64) -> bool {
        let half = (end - since).min(60 * DAY) / 2;
        let latest = end - TOLD_BEFORE.min(half) + SLACK;
        self.alerts.iter().any(|at| *at <= latest && *at >= since)
    }

    fn has_excuse(&self, end: i64) -> bool {
        let (from, until) = (end - 12 * DAY, end);
        let blind = self.blind.iter().any(|(begins, ends)| *begins < until && *ends > from);
        let turned = self.orders.iter().filter_map(|order| order.taken_back_at).any(|back| back > from - DAY);
        let restored = self.restored_at > from && self.restored_at <= until;
        blind || turned || restored
    }
}

impl Oracle {
    pub(super) fn ended_cards(&mut self, at: i64) {
        for card in 0..self.cards.len() {
            let known = self.cards[card].clone();
            for (end, until, since) in known.lacks(at) {
                if known.ends && !known.was_told(end, since) && !known.has_excuse(end) {
                    self.breach("P4", end, card, "the card came to its end, and nobody was told in time");
                }
                if known.must_live && until - end > MAY_LACK {
                    let days = (until - end) / DAY;
                    self.breach(
                        "life",
                        end,
                        card,
                        format!("nothing stood in the way, and the card lacked a plan for {days} days"),
                    );
                }
            }
        }
    }
}
