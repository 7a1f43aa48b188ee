//! People: they buy for a card by other ways, answer questions from the operator's own book, agree or refuse, pause cards
//! and take rules out of the file.

use simkeeper::domain::step::Decision;

use super::World;
use super::card::Coming;
use crate::chance::Chance;
use crate::faults::Site;
use crate::oracle::facts::Fact;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// What people do about a card on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nobody does anything.
    Nothing,
    /// The card is paused until then.
    Pause {
        /// True seconds.
        until: i64,
    },
    /// The rule left the file; it comes back then.
    RuleGone {
        /// True seconds.
        until: i64,
    },
}

/// A person's answer to a question about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// They cannot tell yet.
    Waits,
    /// They settle it.
    Settles(Decision),
}

impl World {
    /// What people do about a card on this day of theirs. Purchases by other ways are done at once.
    pub fn day_of_people(&mut self, card: usize, day: u64, at: i64) -> Act {
        let mut chance = Chance::new(self.seed, 0x9e_0000 | (card as u64) << 32 | day);
        let operator = self.operator(self.cards[card].card.account.as_str()).unwrap_or(0);
        if chance.percent(2) && self.fires(Site::PersonBuys, card, operator) {
            self.person_buys(card, operator, at);
        }
        if chance.percent(4) && self.fires(Site::Paused, card, operator) {
            return Act::Pause { until: at + chance.between(HOUR, 3 * DAY) };
        }
        if chance.percent(4) && self.fires(Site::RuleRemoved, card, operator) {
            let until = at + chance.between(HOUR, 2 * DAY);
            self.cards[card].rule_back_at = until;
            return Act::RuleGone { until };
        }
        Act::Nothing
    }

    /// Somebody buys the smallest plan at the shop.
    pub fn person_buys(&mut self, card: usize, operator: usize, at: i64) {
        let Some(plan) = self.operators[operator].plans.first().cloned() else { return };
        let bytes = plan.contents.data_bytes.map_or(0, |bytes| bytes as i64);
        let credit = plan.contents.credit.map_or(0, |credit| credit.ten_thousandths());
        let validity = plan.validity_secs.unwrap_or(0);
        self.cards[card].coming.push(Coming { at, gone_at: i64::MAX, validity, bytes, credit });
        self.cards[card].settle(at);
        let extends_secs = self.cards[card].extends(validity, bytes, credit);
        self.facts.push(Fact::PersonBought { card, at, extends_secs });
    }

    /// What a person who calls the operator learns about an order.
    #[must_use]
    pub fn person_settles(&self, operator: usize, key: &str, sent_at: i64, at: i64) -> Person {
        let truth = &self.operators[operator];
        // Whatever is on its way shows after this.
        let certain_at = sent_at + truth.processing_secs.max(DAY) + truth.listing_secs + HOUR;
        match truth.booked(key) {
            Some(order) if order.taken_at.is_some_and(|taken| taken <= at) => Person::Settles(Decision::Bought),
            Some(order) if order.taken_at.is_some() => Person::Waits,
            Some(_) | None if at < certain_at => Person::Waits,
            Some(_) | None => Person::Settles(Decision::NotBought),
        }
    }
}
