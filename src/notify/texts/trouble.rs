//! `failed`, `unknown` and `settled_late`: purchases that did not go straight.

use super::voice::{Voice, cut};
use super::{Letter, Need, advice, quoted, words};
use crate::domain::attempt::AttemptId;
use crate::domain::notice::{Event, Settled};
use crate::domain::plan::Plan;
use crate::domain::time::UnixTime;

pub(super) fn failed(voice: &Voice, card: &str, event: &Event, now: UnixTime) -> Letter {
    let Event::Failed { attempt, plan, why, next_try, support } = event else { return Letter::default() };
    let (brief, whole) = (words::failed_briefly(voice, why), words::failed(voice, why));
    let next = next_try.map(|at| voice.time(at));
    let what = say!(voice, "not renewed: {brief}", "未续费：{brief}");
    let first = match &next {
        Some(at) => say!(
            voice,
            "{card} was not renewed. {whole} It is tried again by itself on {at}.",
            "{card} 未能续费。{whole}将于 {at} 自动重试。"
        ),
        None => say!(
            voice,
            "{card} was not renewed. {whole} It is not tried again by itself.",
            "{card} 未能续费。{whole}不会自动重试。"
        ),
    };
    let need = if next_try.is_some() && advice::passes_by_itself(why) { Need::Wait } else { Need::Act };
    let mut letter = Letter::new(need, what, first);
    letter.when = next_try.map(|at| {
        let at = voice.short_time(at, now);
        say!(voice, "next try {at}", "{at}重试")
    });
    if let Some(said) = words::said(voice, why) {
        letter.row(say!(voice, "Operator's words", "运营商原话"), said);
    }
    if let Some(plan) = plan {
        letter.row(say!(voice, "Plan", "套餐"), voice.plan(plan));
        letter.row(say!(voice, "Price", "价格"), plan.price.to_string());
    }
    if let Some(at) = next {
        letter.row(say!(voice, "Next try", "下次尝试"), at);
    }
    if let Some(attempt) = attempt {
        letter.detail(say!(voice, "Purchase", "购买编号"), attempt.0.to_string());
    }
    letter.ask(voice, support.as_ref());
    for rung in advice::for_failure(voice, why, support.as_ref()) {
        letter.next(rung);
    }
    let name = quoted(card);
    letter.command(say!(voice, "To see what stands in the way", "如需查看原因"), format!("simkeeper explain {name}"));
    letter
        .command(say!(voice, "To renew it once that is cleared", "解决后如需续费"), format!("simkeeper renew {name}"));
    letter
}

pub(super) fn failed_short(voice: &Voice, card: &str, event: &Event, room: usize) -> String {
    let Event::Failed { why, next_try, support, .. } = event else { return card.to_owned() };
    let brief = words::failed_briefly(voice, why);
    match (next_try, support) {
        (Some(at), _) => {
            let at = voice.time(*at);
            say!(
                voice,
                "{card}: not renewed, {brief}. Next try {at}, by itself.",
                "{card}：未续费，{brief}。{at}自动重试。"
            )
        }
        (None, Some(support)) => {
            let support = cut(support, room);
            say!(
                voice,
                "{card}: not renewed, {brief}. Please act. Support: {support}",
                "{card}：未续费，{brief}。请处理。客服：{support}"
            )
        }
        (None, None) => say!(voice, "{card}: not renewed, {brief}. Please act.", "{card}：未续费，{brief}。请处理。"),
    }
}

pub(super) fn unknown(voice: &Voice, card: &str, event: &Event, now: UnixTime) -> Letter {
    let Event::Unknown { attempt, plan, sent_at, doubt } = event else { return Letter::default() };
    let (price, sent, doubt, offer) =
        (plan.price, voice.time(*sent_at), words::doubt(voice, *doubt), Voice::plan_name(plan));
    let mut letter = Letter::new(
        Need::Wait,
        say!(voice, "{price} order unknown", "{price} 的订单结果未知"),
        say!(
            voice,
            "{card}: it is not known whether the order of {offer} for {price}, sent {sent}, went through: {doubt}.",
            "{card}：{sent} 发出的订单（{offer}，{price}）结果未知：{doubt}。"
        ),
    );
    letter.row(say!(voice, "Plan", "套餐"), voice.plan(plan));
    letter.row(say!(voice, "Price", "价格"), price.to_string());
    letter.row(say!(voice, "Sent", "发出时间"), sent);
    letter.when = Some({
        let sent = voice.short_time(*sent_at, now);
        say!(voice, "sent {sent}", "{sent}发出")
    });
    letter.detail(say!(voice, "Purchase", "购买编号"), attempt.0.to_string());
    letter.next(say!(
        voice,
        "simkeeper looks for the order until it is settled and buys nothing else for this card meanwhile; its price counts as spent.",
        "simkeeper 会持续查找这笔订单直到查清，其间不会为这张卡再次购买；金额按已花费计算。"
    ));
    letter.next(say!(
        voice,
        "Please do not buy by hand in the meantime: it might be paid twice.",
        "在此期间请不要手动购买，以免重复付款。"
    ));
    letter
}

pub(super) fn unknown_short(voice: &Voice, card: &str, plan: &Plan, room: usize) -> String {
    let (price, plan) = (plan.price, cut(&plan.name, room));
    say!(
        voice,
        "{card}: not known if the order of {plan} for {price} went through. Being settled; please do not buy by hand.",
        "{card}：订单{plan} {price}结果未知，正在查证，请勿手动购买。"
    )
}

pub(super) fn settled(
    voice: &Voice,
    card: &str,
    attempt: AttemptId,
    plan: &Plan,
    sent_at: UnixTime,
    outcome: &Settled,
) -> Letter {
    let (price, sent, offer) = (plan.price, voice.time(sent_at), Voice::plan_name(plan));
    let mut letter = match outcome {
        Settled::Bought => Letter::new(
            Need::Nothing,
            say!(voice, "settled: {price} order went through", "已查清：{price} 的订单成功"),
            say!(
                voice,
                "{card}: the order of {offer} for {price}, sent {sent}, went through after all.",
                "{card}：{sent} 发出的订单（{offer}，{price}）最终成功。"
            ),
        ),
        Settled::NotBought => Letter::new(
            Need::Nothing,
            say!(voice, "settled: {price} order was not taken", "已查清：{price} 的订单未成交"),
            say!(
                voice,
                "{card}: the order of {offer} for {price}, sent {sent}, was not taken; nothing was charged.",
                "{card}：{sent} 发出的订单（{offer}，{price}）未成交，没有扣款。"
            ),
        ),
    };
    letter.row(say!(voice, "Plan", "套餐"), voice.plan(plan));
    letter.row(say!(voice, "Price", "价格"), price.to_string());
    letter.row(say!(voice, "Sent", "发出时间"), sent);
    letter.detail(say!(voice, "Purchase", "购买编号"), attempt.0.to_string());
    letter.next(match outcome {
        Settled::Bought => {
            say!(voice, "The card is read until the new plan shows.", "将继续读取这张卡，直到新套餐显示。")
        }
        Settled::NotBought => {
            say!(voice, "If the card still needs it, it is renewed anew by its rule.", "如仍有需要，会按规则重新续费。")
        }
    });
    letter.command(
        say!(voice, "To see how it was settled", "如需查看查证过程"),
        format!("simkeeper history {}", quoted(card)),
    );
    letter
}

pub(super) fn settled_short(voice: &Voice, card: &str, plan: &Plan, outcome: &Settled, room: usize) -> String {
    let (price, plan) = (plan.price, cut(&plan.name, room));
    match outcome {
        Settled::Bought => say!(
            voice,
            "{card}: settled, the order of {plan} for {price} went through. Nothing to do.",
            "{card}：已查清，订单{plan} {price}成功。无需操作。"
        ),
        Settled::NotBought => say!(
            voice,
            "{card}: settled, the order of {plan} for {price} was not taken, nothing charged. Nothing to do.",
            "{card}：已查清，订单{plan} {price}未成交，未扣款。无需操作。"
        ),
    }
}
