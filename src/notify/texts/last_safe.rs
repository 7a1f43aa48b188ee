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
        say!(voice, "last-safe-subject", what, at),
        say!(voice, "last-safe-first", card, what, at, passed),
    );
    letter.row(say!(voice, "label-last-safe"), passed);
    letter.row(say!(voice, "label-at-stake"), say!(voice, "last-safe-at-stake", what, at));
    let settling = voice.length(last.lead.settling);
    letter.row(say!(voice, "label-order-takes"), say!(voice, "last-safe-order-takes", settling));
    if last.lead.payment > Secs::ZERO {
        letter.row(say!(voice, "label-money-takes"), voice.length(last.lead.payment));
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
    say!(voice, "last-safe-short", card, what, at)
}

/// What is lost.
pub(super) fn lost(voice: &Voice, loss: Loss) -> String {
    match loss {
        Loss::Ends(which) => words::which_end(voice, which),
        Loss::RunsOut(AllowanceKind::Data) => say!(voice, "loss-data"),
        Loss::RunsOut(AllowanceKind::Voice) => say!(voice, "loss-voice"),
        Loss::RunsOut(AllowanceKind::Sms) => say!(voice, "loss-texts"),
        Loss::RunsOut(AllowanceKind::Credit(_)) => say!(voice, "loss-credit"),
    }
}
