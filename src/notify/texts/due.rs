//! `due_soon`: something ends or runs low.

use super::voice::Voice;
use super::{Letter, Need, quoted, words};
use crate::domain::attempt::Snapshot;
use crate::domain::notice::{Due, NextStep};
use crate::domain::reading::{EndKind, Renewable};
use crate::domain::time::{Secs, UnixTime};

pub(super) fn letter(voice: &Voice, card: &str, due: &Due, next: NextStep, now: &Snapshot) -> Letter {
    let mut letter = Letter::new(need(next), what(voice, due), first(voice, card, due, next));
    if let Due::End { which, end, step } = due {
        letter.row(super::end_label(voice, *which), voice.end(*end));
        letter.row(say!(voice, "Warning", "提醒"), {
            let length = voice.length(*step);
            match *step {
                Secs::ZERO => say!(voice, "it has ended", "已到期"),
                _ => say!(voice, "{length} before the end", "到期前 {length}"),
            }
        });
    }
    if let Due::Low { trigger } = due {
        let (low, line) = (words::low(voice, trigger.condition), trigger.line);
        letter.row(
            say!(voice, "Condition", "条件"),
            say!(voice, "{low} (rules.toml:{line})", "{low}(rules.toml:{line})"),
        );
    }
    letter.snapshot(voice, &without_due(now, due), None);
    let (sentence, command) = step(voice, card, next);
    letter.next(sentence);
    if let Some((why, line)) = command {
        letter.command(why, line);
    }
    letter
}

const fn need(next: NextStep) -> Need {
    match next {
        NextStep::Buys { .. } | NextStep::Asks => Need::Wait,
        // Somebody wanted it so; whether it stays so is theirs to say.
        NextStep::IsPaused | NextStep::OutsideDates => Need::Decide,
        NextStep::OnlyWatches | NextStep::IsBlocked | NextStep::CannotRenew => Need::Act,
    }
}

/// The card without the end that has a row of its own.
fn without_due(now: &Snapshot, due: &Due) -> Snapshot {
    let mut rest = now.clone();
    if let Due::End { which, .. } = due {
        match which {
            EndKind::Plan => rest.plan_ends = None,
            EndKind::Credit => rest.credit_ends = None,
            EndKind::Number => rest.number_ends = None,
        }
    }
    rest
}

pub(super) fn short(voice: &Voice, card: &str, due: &Due, next: NextStep, now: UnixTime) -> String {
    let what = match due {
        Due::End { which, end, step } => {
            let (which, at) = (ends(voice, *which, *step), voice.short_time(end.at, now));
            say!(voice, "{which} {at}", "{which}:{at}")
        }
        Due::Low { .. } | Due::Dead { .. } => what(voice, due),
    };
    let step = match next {
        NextStep::Buys { from } => {
            let at = voice.short_time(from, now);
            say!(voice, "Will renew by itself from {at}.", "将于{at}起自动续费。")
        }
        NextStep::Asks => say!(voice, "You will be asked before it buys.", "购买前会先问您。"),
        NextStep::OnlyWatches => say!(voice, "Nothing is bought by itself: please renew.", "不会自动购买，请续费。"),
        NextStep::IsPaused => say!(voice, "Paused: nothing is bought.", "已暂停，不会购买。"),
        NextStep::OutsideDates => {
            say!(voice, "Outside the rule's dates: nothing is bought.", "不在规则日期内，不会购买。")
        }
        NextStep::IsBlocked => say!(voice, "Blocked: nothing is bought until you act.", "受阻：请处理后才会购买。"),
        NextStep::CannotRenew => say!(voice, "It cannot be renewed: get a new card.", "不能续费，请准备新卡。"),
    };
    say!(voice, "{card}: {what}. {step}", "{card}：{what}。{step}")
}

/// What ends, or has ended at the last step.
fn ends(voice: &Voice, which: EndKind, step: Secs) -> String {
    match which {
        EndKind::Plan if step == Secs::ZERO => say!(voice, "plan ended", "套餐已到期"),
        EndKind::Credit if step == Secs::ZERO => say!(voice, "credit ended", "余额已到期"),
        EndKind::Plan | EndKind::Credit | EndKind::Number => words::which_end(voice, which),
    }
}

/// For the subject: what and when.
fn what(voice: &Voice, due: &Due) -> String {
    match due {
        Due::End { which, end, step } => {
            let (which, at) = (ends(voice, *which, *step), voice.time(end.at));
            say!(voice, "{which} {at}", "{at} {which}")
        }
        Due::Low { trigger } => words::low(voice, trigger.condition),
        Due::Dead { renewable } => match renewable {
            Renewable::OneOff => say!(voice, "one-off card, cannot be renewed", "一次性卡，不能续费"),
            Renewable::Yes | Renewable::Unknown => say!(voice, "card can no longer be renewed", "卡已不能续费"),
        },
    }
}

fn first(voice: &Voice, card: &str, due: &Due, next: NextStep) -> String {
    let what = what(voice, due);
    let step = match next {
        NextStep::Buys { from } => {
            let at = voice.time(from);
            say!(voice, "it will be renewed by itself, not before {at}", "最早将于 {at} 自动续费")
        }
        NextStep::Asks => say!(voice, "you will be asked before anything is bought", "购买前会先征求您的同意"),
        NextStep::OnlyWatches => say!(voice, "nothing will be bought by itself", "不会自动购买"),
        NextStep::IsPaused => say!(voice, "nothing will be bought, since the card is paused", "卡已暂停，不会购买"),
        NextStep::OutsideDates => {
            say!(
                voice,
                "nothing will be bought, since the rule's dates do not cover today",
                "今天不在规则日期内，不会购买"
            )
        }
        NextStep::IsBlocked => {
            say!(voice, "nothing will be bought until what stands in the way is cleared", "障碍排除之前不会购买")
        }
        NextStep::CannotRenew => say!(voice, "a new card is needed", "需要一张新卡"),
    };
    say!(voice, "{card}: {what}; {step}.", "{card}：{what}；{step}。")
}

/// What happens next, and what a person may type: why, and the line.
pub(super) fn step(voice: &Voice, card: &str, next: NextStep) -> (String, Option<(String, String)>) {
    let name = quoted(card);
    let renew = || (say!(voice, "To renew it now", "如需立即续费"), format!("simkeeper renew {name}"));
    match next {
        NextStep::Buys { .. } => (
            say!(
                voice,
                "simkeeper renews this card by itself and tells you when it is done.",
                "simkeeper 会自动续费，完成后通知您。"
            ),
            Some((say!(voice, "To leave this renewal out", "如需跳过这次续费"), format!("simkeeper skip {name}"))),
        ),
        NextStep::Asks => (
            say!(
                voice,
                "You get a question with plan and price before anything is bought.",
                "购买前您会收到一封写明套餐和价格的询问。"
            ),
            None,
        ),
        NextStep::OnlyWatches => (
            say!(
                voice,
                "The rule only watches this card: please renew it yourself.",
                "规则只监看这张卡：请您自行续费。"
            ),
            Some(renew()),
        ),
        NextStep::IsPaused => (
            say!(voice, "Warnings still go out while a card is paused.", "暂停期间仍会发出提醒。"),
            Some((say!(voice, "To let it go on", "如需恢复"), format!("simkeeper resume {name}"))),
        ),
        NextStep::OutsideDates => (
            say!(
                voice,
                "The rule's `from` and `until` in rules.toml say when it may buy.",
                "规则在 rules.toml 中的 `from` 和 `until` 规定了可购买的日期。"
            ),
            Some(renew()),
        ),
        NextStep::IsBlocked => (
            say!(voice, "What stands in the way was told in an earlier message.", "障碍的原因已在先前的消息中说明。"),
            Some((say!(voice, "To see it again", "如需再次查看"), format!("simkeeper explain {name}"))),
        ),
        NextStep::CannotRenew => (
            say!(
                voice,
                "The operator sells nothing for this card any more: please get a new one before it ends.",
                "运营商不再为这张卡提供续费：请在到期前准备新卡。"
            ),
            None,
        ),
    }
}
