//! `asked`: a person must decide, with the lines to type.

use super::voice::{Voice, cut};
use super::{Letter, Need, words};
use crate::domain::approval::Ticket;
use crate::domain::attempt::AskWhy;
use crate::domain::money::Money;
use crate::domain::notice::{Ask, Event};
use crate::domain::time::UnixTime;
use crate::domain::unanswered::Fallback;

pub(super) fn letter(voice: &Voice, card: &str, event: &Event) -> Letter {
    let Event::Asked { attempt, plan, reckoning, ask, ends, reminders, support, .. } = event else {
        return Letter::default();
    };
    let (price, number) = (plan.price, attempt.0);
    let mut letter = match ask {
        Ask::Approve { why } => approve(voice, card, event, *why),
        Ask::Settle { question, sent_at } => {
            let (sent, why, offer) = (voice.time(*sent_at), words::question(voice, *question), Voice::plan_name(plan));
            let mut letter = Letter::new(
                Need::Decide,
                say!(voice, "did order {number} for {price} arrive?", "订单 {number}（{price}）成交了吗？"),
                say!(
                    voice,
                    "{card}: please find out whether the order of {offer} for {price}, sent {sent}, was taken.",
                    "{card}：请查明 {sent} 发出的订单（{offer}，{price}）是否成交。"
                ),
            );
            letter.next(why);
            letter.row(say!(voice, "Sent", "发出时间"), sent);
            letter.command(
                say!(voice, "If the operator took it", "如果已成交"),
                format!("simkeeper settle {number} bought --reason \"…\""),
            );
            letter.command(
                say!(voice, "If it did not", "如果未成交"),
                format!("simkeeper settle {number} not-bought --reason \"…\""),
            );
            letter.next(say!(
                voice,
                "Please look into the account at the operator, or ask its support, then type one of the lines below.",
                "请查看运营商账户或询问客服，然后输入下面其中一行。"
            ));
            letter.next(say!(
                voice,
                "Until then nothing else is bought for this card, and simkeeper goes on looking.",
                "在此之前不会为这张卡再次购买，simkeeper 也会继续查证。"
            ));
            letter
        }
    };
    letter.row(say!(voice, "Plan", "套餐"), voice.plan(plan));
    letter.row(say!(voice, "Price", "价格"), price.to_string());
    letter.reckoned(voice, reckoning.as_deref());
    if let Some(ends) = ends {
        letter.row(say!(voice, "Card ends", "卡到期"), voice.time(*ends));
    }
    if *reminders > 0 {
        letter.row(say!(voice, "Asked before", "此前已询问"), say!(voice, "{reminders} times", "{reminders} 次"));
    }
    letter.detail(say!(voice, "Purchase", "购买编号"), number.to_string());
    letter.ask(voice, support.as_ref());
    letter
}

fn approve(voice: &Voice, card: &str, event: &Event, why: AskWhy) -> Letter {
    let Event::Asked { attempt, plan, unanswered, ends, .. } = event else { return Letter::default() };
    let (price, number, offer) = (plan.price, attempt.0, Voice::plan_name(plan));
    let reason = reason(voice, why, price);
    let what = match ends {
        Some(ends) => {
            let ends = voice.day(*ends);
            say!(voice, "buy for {price}? ends {ends}", "是否以 {price} 购买？{ends}到期")
        }
        None => say!(voice, "buy for {price}?", "是否以 {price} 购买？"),
    };
    let mut letter = Letter::new(
        Need::Decide,
        what,
        say!(
            voice,
            "{card}: may simkeeper buy {offer} for {price}? You are asked because {reason}.",
            "{card}：是否同意以 {price} 购买 {offer}？询问原因：{reason}。"
        ),
    );
    if let AskWhy::Dearer { before } = why {
        letter.row(say!(voice, "Price last time", "上次价格"), before.to_string());
    }
    answers(voice, &mut letter, number);
    letter.next(without_answer(voice, *unanswered));
    letter.next(say!(voice, "Your answer holds for this plan at this price only.", "您的答复只对此套餐和此价格有效。"));
    letter
}

/// Why the daemon does not decide by itself.
pub(super) fn reason(voice: &Voice, why: AskWhy, price: Money) -> String {
    match why {
        AskWhy::Mode => say!(voice, "the rule asks before each purchase", "规则要求每次购买前询问"),
        AskWhy::Dearer { before } => {
            say!(voice, "it is dearer than last time ({before} → {price})", "比上次贵（{before} → {price}）")
        }
        AskWhy::Above { limit } => {
            say!(
                voice,
                "it costs more than {limit}, above which the rule asks",
                "价格高于 {limit}，超过此金额时规则要求询问"
            )
        }
        AskWhy::NoRate { limit } => say!(
            voice,
            "no rate is stated to hold its price against {limit}, above which the rule asks",
            "未写明汇率，无法将价格与 {limit} 比较，超过此金额时规则要求询问"
        ),
        AskWhy::Differs => {
            say!(voice, "its name, contents or validity changed since it was decided", "名称、内容或有效期与决定时不同")
        }
    }
}

/// What happens if nobody answers.
pub(super) fn without_answer(voice: &Voice, unanswered: Option<(UnixTime, Fallback)>) -> String {
    let Some((at, fallback)) = unanswered else {
        return say!(voice, "Nothing is bought until you agree.", "在您同意之前不会购买。");
    };
    let at = voice.time(at);
    match fallback {
        Fallback::Buy => {
            say!(voice, "If nobody answers by {at}, the rule buys it.", "如果 {at} 前无人答复，将按规则购买。")
        }
        Fallback::Refuse => {
            say!(voice, "If nobody answers by {at}, it is not bought.", "如果 {at} 前无人答复，将不会购买。")
        }
    }
}

/// What to type, and where.
fn answers(voice: &Voice, letter: &mut Letter, number: i64) {
    let Some(Ticket { code, ends_at, page, by_text }) = &voice.ticket else {
        letter.command(say!(voice, "To buy it", "同意购买"), format!("simkeeper approve {number}"));
        letter.command(say!(voice, "To leave it", "不购买"), format!("simkeeper refuse {number}"));
        return;
    };
    let until = voice.time(*ends_at);
    letter.command(say!(voice, "Your code, until {until}", "您的验证码（{until} 前有效）"), code.to_string());
    if let Some(page) = page {
        letter.command(say!(voice, "Page on which to type it", "输入验证码的网页"), page.clone());
    }
    letter.command(say!(voice, "Or, to buy it", "或者，同意购买"), format!("simkeeper approve {code}"));
    letter.command(say!(voice, "Or, to leave it", "或者，不购买"), format!("simkeeper refuse {code}"));
    if *by_text {
        letter.next(say!(
            voice,
            "You can also answer the text message: {code} to buy it, NO {code} to leave it.",
            "也可以直接回复短信：回复 {code} 同意购买，回复 NO {code} 不购买。"
        ));
    }
    letter.next(say!(
        voice,
        "The code is yours alone and works once. A later question brings a new one.",
        "验证码仅供您本人使用，只能用一次。再次询问时会发送新的验证码。"
    ));
}

pub(super) fn short(voice: &Voice, card: &str, event: &Event, now: UnixTime, room: usize) -> String {
    let Event::Asked { attempt, plan, ask, ends, .. } = event else { return card.to_owned() };
    let (number, price, plan) = (attempt.0, plan.price, cut(&plan.name, room));
    let by = match ends {
        Some(ends) => {
            let at = voice.short_time(*ends, now);
            say!(voice, " by {at}", "{at}前")
        }
        None => String::new(),
    };
    match (ask, &voice.ticket) {
        (Ask::Approve { .. }, Some(Ticket { code, by_text: true, .. })) => say!(
            voice,
            "{card}: buy {plan} for {price}? Reply{by}: {code} for yes, NO {code} for no",
            "{card}：买{plan} {price}？{by}回复{code}同意，NO {code}不买"
        ),
        (Ask::Approve { .. }, Some(Ticket { code, by_text: false, .. })) => say!(
            voice,
            "{card}: buy {plan} for {price}? Type{by}: simkeeper approve {code} (or refuse {code})",
            "{card}：买{plan} {price}？{by}输入simkeeper approve {code}"
        ),
        (Ask::Approve { .. }, None) => say!(
            voice,
            "{card}: buy {plan} for {price}? Type{by}: simkeeper approve {number} (or refuse {number})",
            "{card}：买{plan} {price}？同意请{by}输入simkeeper approve {number}"
        ),
        (Ask::Settle { .. }, _) => say!(
            voice,
            "{card}: was the order of {plan} for {price} taken? Ask the operator{by}, then type: simkeeper settle {number}",
            "{card}：{price}的订单成交了吗？请{by}查明，输入simkeeper settle {number}"
        ),
    }
}
