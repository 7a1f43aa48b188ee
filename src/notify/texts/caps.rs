//! Which cap a purchase would cross, where several cards or a plan's length share it.

use super::voice::Voice;
use crate::domain::gates::Period;
use crate::domain::money::Money;

/// A cap on what one length of the plan costs.
pub(super) fn cycle_sum(voice: &Voice, limit: Money, spent: Money, price: Money) -> String {
    say!(
        voice,
        "The plan costs {price}; of the {limit} that one length of it may cost already {spent} is spent.",
        "套餐价格为 {price}；一个套餐时长的限额 {limit} 中已花费 {spent}。"
    )
}

/// A cap on how often is bought within one length of the plan.
pub(super) fn cycle_count(voice: &Voice, limit: u32) -> String {
    say!(
        voice,
        "Within the length of the plan there were already {limit} purchases, as many as the rule allows.",
        "套餐时长内已购买 {limit} 次，达到规则上限。"
    )
}

/// A cap on money that cards share.
pub(super) fn shared_sum(
    voice: &Voice,
    line: u32,
    per: Period,
    limit: Money,
    (spent, price): (Money, Money),
) -> String {
    match per {
        Period::Day => say!(
            voice,
            "The plan costs {price}; of the {limit} that cards share in 24 hours already {spent} is spent (rules.toml line {line}).",
            "套餐价格为 {price}；多张卡共用的 24 小时限额 {limit} 中已花费 {spent}（rules.toml 第 {line} 行）。"
        ),
        Period::Month => say!(
            voice,
            "The plan costs {price}; of the {limit} that cards share this month already {spent} is spent (rules.toml line {line}).",
            "套餐价格为 {price}；多张卡共用的本月限额 {limit} 中已花费 {spent}（rules.toml 第 {line} 行）。"
        ),
        Period::Cycle => say!(
            voice,
            "The plan costs {price}; of the {limit} that cards share within its length already {spent} is spent (rules.toml line {line}).",
            "套餐价格为 {price}；多张卡在套餐时长内共用的限额 {limit} 中已花费 {spent}（rules.toml 第 {line} 行）。"
        ),
    }
}

/// A count that cards share.
pub(super) fn shared_count(voice: &Voice, line: u32, per: Period, limit: u32) -> String {
    match per {
        Period::Day => say!(
            voice,
            "Within 24 hours there were already {limit} purchases, as many as the cards share (rules.toml line {line}).",
            "24 小时内已购买 {limit} 次，达到多张卡共用的上限（rules.toml 第 {line} 行）。"
        ),
        Period::Month => say!(
            voice,
            "This month there were already {limit} purchases, as many as the cards share (rules.toml line {line}).",
            "本月已购买 {limit} 次，达到多张卡共用的上限（rules.toml 第 {line} 行）。"
        ),
        Period::Cycle => say!(
            voice,
            "Within the length of the plan there were already {limit} purchases, as many as the cards share (rules.toml line {line}).",
            "套餐时长内已购买 {limit} 次，达到多张卡共用的上限（rules.toml 第 {line} 行）。"
        ),
    }
}

/// A price that cannot be held against a limit.
pub(super) fn other_currency(voice: &Voice, limit: Money, price: Money) -> String {
    say!(
        voice,
        "The plan costs {price}, but the limit is {limit}; they are different currencies, so write the limit in the currency of the price, or state a `[[rate]]`.",
        "套餐价格为 {price}，限额却是 {limit}；币种不同，请用价格的币种填写限额，或写明汇率 `[[rate]]`。"
    )
}
