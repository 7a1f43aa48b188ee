//! Why this plan and no other, where the rule looked ahead to its last day.

use super::Letter;
use super::voice::{Voice, cut};
use crate::domain::cover::Reckoning;
use crate::domain::time::Secs;

impl Letter {
    /// Rows that say what the plan was chosen by.
    pub(super) fn reckoned(&mut self, voice: &Voice, reckoning: Option<&Reckoning>) {
        let Some(reckoning) = reckoning else { return };
        let Reckoning { purchases, cost, from, until, is_whole, data_bytes, runner_up, is_assumed } = reckoning;
        let (days, until, data) = (days(voice, until.since(*from)), voice.time(*until), voice.data(*data_bytes));
        let way = match purchases {
            1 => say!(
                voice,
                "it is the cheapest way to have data for {days}, until {until}: {cost}",
                "这是用到 {until}（{days}）最便宜的办法：{cost}"
            ),
            more => say!(
                voice,
                "it begins the cheapest way to have data for {days}, until {until}: {cost} for {more} purchases",
                "这是用到 {until}（{days}）最便宜的办法的第一步：共购买 {more} 次，{cost}"
            ),
        };
        self.row(say!(voice, "Why this plan", "选择理由"), way);
        let seen = if *is_assumed {
            say!(voice, "not known yet; assumed until a whole day was seen", "尚不清楚；观察满一天之前为假定")
        } else {
            say!(voice, "about {data}", "约 {data}")
        };
        self.row(say!(voice, "Expected use", "预计用量"), seen);
        if let Some((plan, cost)) = runner_up {
            let plan = cut(plan, 60);
            self.row(say!(voice, "Next best", "次优"), say!(voice, "{plan} first: {cost}", "先买 {plan}：{cost}"));
        }
        if !is_whole {
            self.next(say!(
                voice,
                "The limits or the plans on sale do not reach to the last day; please look at both.",
                "限额或在售套餐不足以用到最后一天，请检查两者。"
            ));
        }
    }
}

/// A length in whole days, at least one.
fn days(voice: &Voice, length: Secs) -> String {
    voice.length(Secs::days(((length.0 + Secs::DAY.0 / 2) / Secs::DAY.0).max(1)))
}
