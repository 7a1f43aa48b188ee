//! The words of the page on which a code is typed.

use serde::Serialize;

use super::asked::{reason, without_answer};
use super::voice::{Voice, cut};
use crate::domain::approval::Standing;
use crate::domain::attempt::{Approval, Cause};
use crate::domain::gates::Period;
use crate::notify::page::{PageFacts, PageSays};

/// What a page says.
pub(in crate::notify) struct Said {
    pub(in crate::notify) title: String,
    pub(in crate::notify) lines: Vec<String>,
    /// Whether it is about something that was typed wrongly.
    pub(in crate::notify) is_wrong: bool,
}

/// The words of the form.
#[derive(Serialize)]
pub(in crate::notify) struct FieldWords {
    code: String,
    hint: String,
    yes: String,
    no: String,
}

pub(in crate::notify) fn field_words(voice: &Voice) -> FieldWords {
    FieldWords {
        code: say!(voice, "Code from your message", "消息中的验证码"),
        hint: say!(voice, "Eight letters and digits, such as K7QM-3XRT", "八位字母和数字，例如 K7QM-3XRT"),
        yes: say!(voice, "Buy it", "同意购买"),
        no: say!(voice, "Leave it", "不购买"),
    }
}

pub(in crate::notify) fn said(voice: &Voice, facts: &PageFacts<'_>, says: PageSays) -> Said {
    let (card, plan, price) = (facts.card, Voice::plan_name(&facts.attempt.plan), facts.attempt.plan.price);
    let title = say!(voice, "{card}: buy {plan} for {price}?", "{card}：是否以 {price} 购买 {plan}？");
    let by_itself = without_answer(voice, facts.unanswered);
    let nothing_yet = say!(
        voice,
        "{by_itself} Your code holds for this plan at this price only.",
        "{by_itself}验证码只对此套餐和此价格有效。"
    );
    let plain = |line: String| (vec![line], false);
    let (lines, is_wrong) = match says {
        PageSays::Question => plain(nothing_yet),
        PageSays::Again => (
            vec![say!(
                voice,
                "This is not the code of this page. Please compare it with your newest message.",
                "验证码不正确。请与最新消息核对。"
            )],
            true,
        ),
        PageSays::Agreed => plain(say!(
            voice,
            "You agreed. It will be bought once the last checks are done; you get a message then.",
            "您已同意。最后检查完成后即购买，届时会收到消息。"
        )),
        PageSays::Declined => plain(say!(voice, "You declined. It is not bought.", "您已拒绝，不会购买。")),
        PageSays::Dead(standing) => plain(dead(voice, facts, standing)),
    };
    Said { title, lines, is_wrong }
}

fn dead(voice: &Voice, facts: &PageFacts<'_>, standing: Standing) -> String {
    let decided = match &facts.attempt.approval {
        Approval::Given { by, at } => {
            let (by, at) = (cut(by, 40), voice.time(*at));
            say!(voice, "{by} agreed on {at}.", "{by} 已于 {at} 同意。")
        }
        Approval::Asked { .. } | Approval::NotNeeded => say!(voice, "It was not agreed to.", "未获同意。"),
    };
    let state = super::words::attempt_state(voice, facts.attempt.state.name());
    match standing {
        Standing::Holds => String::new(),
        Standing::Used { at } => {
            let at = voice.time(at);
            say!(
                voice,
                "This code was used on {at}. {decided} The purchase is {state}.",
                "此验证码已于 {at} 使用。{decided}购买状态：{state}。"
            )
        }
        Standing::Decided => say!(
            voice,
            "Nothing is left to decide. {decided} The purchase is {state}.",
            "已无需决定。{decided}购买状态：{state}。"
        ),
        Standing::Replaced => say!(
            voice,
            "A newer message asks this; please open its address and use its code.",
            "已有更新的消息询问此事，请打开其中的网址并使用其验证码。"
        ),
        Standing::GuessedAt => say!(
            voice,
            "Wrong codes were typed here too often; this code is of no use any more. The next reminder brings a new one.",
            "此处多次输入错误，验证码已失效。下次提醒时会发送新的验证码。"
        ),
        Standing::Over => say!(
            voice,
            "The time of this code is over. The next reminder brings a new one.",
            "验证码已过期。下次提醒时会发送新的验证码。"
        ),
        Standing::Moved => say!(
            voice,
            "Plan or price changed after this was asked; you are asked anew.",
            "询问之后套餐或价格有变化，将重新询问您。"
        ),
    }
}

pub(in crate::notify) fn rows(voice: &Voice, facts: &PageFacts<'_>) -> Vec<(String, String)> {
    let attempt = facts.attempt;
    let mut rows = vec![
        (say!(voice, "Card", "卡"), facts.card.to_string()),
        (say!(voice, "Plan", "套餐"), voice.plan(&attempt.plan)),
        (say!(voice, "Price", "价格"), attempt.plan.price.to_string()),
        (say!(voice, "Account", "账户"), attempt.account.to_string()),
    ];
    if let Cause::Rule { rule, line } = &attempt.cause {
        rows.push((say!(voice, "Rule", "规则"), format!("{rule} (rules.toml:{line})")));
    }
    if let Approval::Asked { why, .. } = attempt.approval {
        rows.push((say!(voice, "You are asked because", "询问原因"), reason(voice, why, attempt.plan.price)));
    }
    if let Some(left) = facts.month_left {
        rows.push((say!(voice, "Left of this month's limit", "本月限额剩余"), left.to_string()));
    }
    for counted in facts.shared {
        let line = counted.limit.line;
        let label = say!(voice, "Shared limit (rules.toml:{line})", "共享限额（rules.toml:{line}）");
        for (per, spent, limit) in counted.sums() {
            let used = spent.map_or_else(|| "?".to_owned(), |spent| spent.to_string());
            rows.push((
                label.clone(),
                match per {
                    Period::Day => say!(voice, "{used} of {limit} within 24 hours", "24 小时内 {used}，限额 {limit}"),
                    Period::Month => say!(voice, "{used} of {limit} this month", "本月 {used}，限额 {limit}"),
                    Period::Cycle => {
                        say!(voice, "{used} of {limit} within the plan's length", "套餐时长内 {used}，限额 {limit}")
                    }
                },
            ));
        }
        for (per, count, limit) in counted.counts() {
            rows.push((
                label.clone(),
                match per {
                    Period::Day => say!(
                        voice,
                        "{count} of {limit} purchases within 24 hours",
                        "24 小时内 {count} 次，上限 {limit} 次"
                    ),
                    Period::Month => {
                        say!(voice, "{count} of {limit} purchases this month", "本月 {count} 次，上限 {limit} 次")
                    }
                    Period::Cycle => say!(
                        voice,
                        "{count} of {limit} purchases within the plan's length",
                        "套餐时长内 {count} 次，上限 {limit} 次"
                    ),
                },
            ));
        }
    }
    if let Some(ends) = facts.ends {
        rows.push((say!(voice, "Card ends", "卡到期"), voice.time(ends)));
    }
    rows.push((say!(voice, "Your code holds until", "验证码有效期至"), voice.time(facts.code_ends)));
    rows
}
