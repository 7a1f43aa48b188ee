//! `bought`: a purchase took effect.

use super::voice::{Voice, cut};
use super::{Letter, Need, quoted};
use crate::domain::attempt::Snapshot;
use crate::domain::notice::Event;
use crate::domain::time::UnixTime;

pub(super) fn letter(voice: &Voice, card: &str, event: &Event) -> Letter {
    let Event::Bought { attempt, plan, reckoning, charged, order_id, before, after, cause, agreed_by, month_left } =
        event
    else {
        return Letter::default();
    };
    let ends = latest_end(after).map(|at| voice.time(at));
    let (what, first) = match ends {
        Some(ends) => (say!(voice, "renewed for {charged}, to {ends}", "已续费 {charged}，至 {ends}"), {
            let plan = Voice::plan_name(plan);
            say!(
                voice,
                "{card} was renewed with {plan} for {charged} and now lasts to {ends}.",
                "{card} 已续费：{plan}，{charged}，有效期至 {ends}。"
            )
        }),
        None => (say!(voice, "renewed for {charged}", "已续费 {charged}"), {
            let plan = Voice::plan_name(plan);
            say!(voice, "{card} was renewed with {plan} for {charged}.", "{card} 已续费：{plan}，{charged}。")
        }),
    };
    let mut letter = Letter::new(Need::Nothing, what, first);
    letter.snapshot(voice, before, Some(after));
    letter.row(say!(voice, "Plan", "套餐"), voice.plan(plan));
    letter.row(say!(voice, "Paid", "已付"), charged.to_string());
    if let Some(left) = month_left {
        letter.row(say!(voice, "Limit left", "本月限额剩余"), say!(voice, "{left} this month", "{left}"));
    }
    let order =
        order_id.as_ref().map_or_else(|| say!(voice, "the operator gives none", "运营商未提供"), |id| cut(id, 80));
    letter.detail(say!(voice, "Order number", "订单号"), order);
    letter.detail(say!(voice, "Purchase", "购买编号"), attempt.0.to_string());
    letter.row(
        say!(voice, "Why", "原因"),
        match cause {
            Some((rule, line)) => say!(voice, "rule {rule}, rules.toml:{line}", "规则 {rule}，rules.toml:{line}"),
            None => say!(voice, "a person asked for it", "由人工发起"),
        },
    );
    if let Some(by) = agreed_by {
        letter.row(say!(voice, "Agreed to by", "同意者"), cut(by, 80));
    }
    letter.reckoned(voice, reckoning.as_deref());
    letter.next(say!(voice, "The card is watched as before.", "将继续监看这张卡。"));
    letter.command(
        say!(voice, "To stop the next renewal", "如需停止下一次续费"),
        format!("simkeeper skip {}", quoted(card)),
    );
    letter
}

pub(super) fn short(voice: &Voice, card: &str, event: &Event, room: usize) -> String {
    let Event::Bought { plan, charged, after, attempt, .. } = event else { return card.to_owned() };
    let (plan, number) = (cut(&plan.name, room), attempt.0);
    match latest_end(after) {
        Some(at) => {
            let ends = voice.day(at);
            say!(
                voice,
                "{card}: renewed with {plan} for {charged}, lasts to {ends}. Nothing to do. No. {number}",
                "{card}：已续费{plan}，{charged}，至{ends}。无需操作。编号{number}"
            )
        }
        None => say!(
            voice,
            "{card}: renewed with {plan} for {charged}. Nothing to do. No. {number}",
            "{card}：已续费{plan}，{charged}。无需操作。编号{number}"
        ),
    }
}

/// What a person understands by "lasts to": the plan's end, or else the credit's, or else the number's.
fn latest_end(after: &Snapshot) -> Option<UnixTime> {
    after.plan_ends.or(after.credit_ends).or(after.number_ends)
}
