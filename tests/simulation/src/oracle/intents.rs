//! What must hold in the moment in which the intent to send is committed.

use super::facts::Fact;
use super::{DAY, Oracle};

/// Clocks that differ by less than this are believed.
const CLOCK_TOLERANCE: i64 = 15 * 60;

impl Oracle {
    pub(super) fn intended(&mut self, fact: &Fact) {
        let Fact::Intended {
            card,
            attempt,
            at,
            clock_off_secs,
            disk_full,
            paused,
            set_aside,
            price,
            price_on_sale,
            has_rule,
            ..
        } = fact
        else {
            return;
        };
        let over = self.cards[*card].rule_over_at.is_some_and(|over| *at > over + DAY);
        let wrong = [
            (clock_off_secs.abs() > CLOCK_TOLERANCE, "clock", "the clock was wrong"),
            (*disk_full, "disk", "the disk was full"),
            (*paused, "pause", "the card was paused"),
            (*set_aside, "restore", "the card was set aside after a restore"),
            (price != price_on_sale, "price", "the price on sale was another"),
            (!*has_rule, "rule", "the rule had left the file"),
            (over, "rule", "the rule's last day was over"),
        ];
        for (_, promise, why) in wrong.into_iter().filter(|(holds, ..)| *holds) {
            self.breach(promise, *at, *card, format!("attempt {attempt} was sent although {why}"));
        }
    }
}
