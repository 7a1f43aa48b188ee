//! `last_safe`: the last moment at which a renewal could surely begin in time has passed. The loudest that there is.

use super::voice::Voice;
use super::{Letter, Need, due, words};
use crate::domain::attempt::Snapshot;
use crate::domain::last_safe::{LastSafe, Loss};
use crate::domain::notice::NextStep;
use crate::domain::reading::AllowanceKind;
use crate::domain::time::{Secs, UnixTime};

pub(super) fn letter(voice: &Voice, card: &str, last: &LastSafe, next: NextStep, now: &Snapshot) -> Letter {
    let (what, at, passed) = (lost(voice, last.loss), voice.time(last.ends), voice.time(last.at));
    let mut letter = Letter::new(
        Need::Act,
        say!(voice, "may not be renewed in time: {what} {at}", "可能来不及续费：{at} {what}"),
        say!(
            voice,
            "{card}: {what} {at}, and nothing is bought yet. A renewal that begins now may come too late: the last safe moment was {passed}.",
            "{card}：{at} {what}，但尚未续费。现在开始续费可能来不及：最后的安全时刻是 {passed}。"
        ),
    );
    letter.row(say!(voice, "Last safe moment", "最后的安全时刻"), passed);
    letter.row(say!(voice, "At stake", "将失去"), say!(voice, "{what} {at}", "{at} {what}"));
    let settling = voice.length(last.lead.settling);
    letter.row(
        say!(voice, "An order may take", "订单可能需要"),
        say!(voice, "up to {settling} at this operator", "该运营商最长 {settling}"),
    );
    if last.lead.payment > Secs::ZERO {
        letter.row(say!(voice, "Money may take", "付款可能需要"), voice.length(last.lead.payment));
    }
    letter.snapshot(voice, now, None);
    let (sentence, command) = due::step(voice, card, next);
    letter.next(sentence);
    if let Some((why, line)) = command {
        letter.command(why, line);
    }
    letter
}

pub(super) fn short(voice: &Voice, card: &str, last: &LastSafe, now: UnixTime) -> String {
    let (what, at) = (lost(voice, last.loss), voice.short_time(last.ends, now));
    say!(
        voice,
        "{card}: URGENT, {what} {at} and nothing is bought yet. Please act now.",
        "{card}：紧急！{what}：{at}，尚未续费，请立即处理。"
    )
}

fn lost(voice: &Voice, loss: Loss) -> String {
    match loss {
        Loss::Ends(which) => words::which_end(voice, which),
        Loss::RunsOut(AllowanceKind::Data) => say!(voice, "data may run out", "流量可能用完"),
        Loss::RunsOut(AllowanceKind::Voice) => say!(voice, "calls may run out", "通话可能用完"),
        Loss::RunsOut(AllowanceKind::Sms) => say!(voice, "texts may run out", "短信可能用完"),
        Loss::RunsOut(AllowanceKind::Credit(_)) => say!(voice, "credit may run out", "余额可能用完"),
    }
}
