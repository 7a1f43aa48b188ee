//! Why this plan and no other, where the rule looked ahead to its last day.

use super::Letter;
use super::voice::{Voice, cut};
use crate::domain::cover::Reckoning;
use crate::domain::operator::Stacking;
use crate::domain::time::Secs;

impl Letter {
    /// Rows that say what the plan was chosen by.
    pub(super) fn reckoned(&mut self, voice: &Voice, reckoning: Option<&Reckoning>) {
        let Some(reckoning) = reckoning else { return };
        let Reckoning {
            purchases,
            cost,
            from,
            until,
            is_whole,
            data_bytes,
            runner_up,
            is_assumed,
            leaves_over,
            stacking,
        } = reckoning;
        let (days, until, data) = (days(voice, until.since(*from)), voice.time(*until), voice.data(*data_bytes));
        let way = say!(voice, "reckoned-way", days, until, cost, count = purchases);
        self.row(say!(voice, "label-why-plan"), way);
        let seen = if *is_assumed { say!(voice, "reckoned-use-unknown") } else { say!(voice, "reckoned-use", data) };
        self.row(say!(voice, "label-expected-use"), seen);
        if let Some((plan, cost)) = runner_up {
            let plan = cut(plan, 60);
            self.row(say!(voice, "label-next-best"), say!(voice, "reckoned-next-best", plan, cost));
        }
        match stacking {
            Stacking::Beside => self.row(say!(voice, "reckoned-stacking"), say!(voice, "reckoned-beside")),
            Stacking::Extends => self.row(say!(voice, "reckoned-stacking"), say!(voice, "reckoned-extends")),
            Stacking::Queues | Stacking::Unknown => {}
        }
        if *leaves_over {
            let why = say!(voice, "reckoned-left-over-why");
            self.row(say!(voice, "reckoned-left-over"), why);
        }
        if !is_whole {
            self.next(say!(voice, "reckoned-not-whole"));
        }
    }
}

/// A length in whole days, at least one.
fn days(voice: &Voice, length: Secs) -> String {
    voice.length(Secs::days(((length.0 + Secs::DAY.0 / 2) / Secs::DAY.0).max(1)))
}
