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
        letter.row(say!(voice, "label-warning"), {
            let length = voice.length(*step);
            match *step {
                Secs::ZERO => say!(voice, "due-has-ended"),
                _ => say!(voice, "due-before-end", length),
            }
        });
    }
    if let Due::Low { trigger } = due {
        let (low, line) = (words::low(voice, trigger.condition), trigger.line);
        letter.row(say!(voice, "label-condition"), say!(voice, "due-condition", low, line));
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
            say!(voice, "due-short-end", which, at)
        }
        Due::Low { .. } | Due::Dead { .. } => what(voice, due),
    };
    let step = match next {
        NextStep::Buys { from } => say!(voice, "due-short-buys", at = voice.short_time(from, now)),
        NextStep::Asks if voice.answers.decides() => say!(voice, "due-short-asks"),
        NextStep::Asks => say!(voice, "due-watched-short-asks"),
        NextStep::OnlyWatches => say!(voice, "due-short-only-watches"),
        NextStep::IsPaused => say!(voice, "due-short-paused"),
        NextStep::OutsideDates => say!(voice, "due-short-outside-dates"),
        NextStep::IsBlocked => say!(voice, "due-short-blocked"),
        NextStep::CannotRenew if matches!(due, Due::Dead { .. }) => say!(voice, "due-short-new-card"),
        NextStep::CannotRenew => say!(voice, "due-short-cannot-renew"),
    };
    say!(voice, "due-short", card, what, step)
}

/// What ends, or has ended at the last step.
fn ends(voice: &Voice, which: EndKind, step: Secs) -> String {
    match which {
        EndKind::Plan if step == Secs::ZERO => say!(voice, "end-plan-over"),
        EndKind::Credit if step == Secs::ZERO => say!(voice, "end-credit-over"),
        EndKind::Plan | EndKind::Credit | EndKind::Number => words::which_end(voice, which),
    }
}

/// For the subject: what and when.
fn what(voice: &Voice, due: &Due) -> String {
    match due {
        Due::End { which, end, step } => {
            let (which, at) = (ends(voice, *which, *step), voice.time(end.at));
            say!(voice, "due-subject-end", which, at)
        }
        Due::Low { trigger } => words::low(voice, trigger.condition),
        Due::Dead { renewable } => match renewable {
            Renewable::OneOff => say!(voice, "due-subject-one-off"),
            Renewable::Yes | Renewable::Unknown => say!(voice, "due-subject-cannot-renew"),
        },
    }
}

fn first(voice: &Voice, card: &str, due: &Due, next: NextStep) -> String {
    let what = what(voice, due);
    let step = match next {
        NextStep::Buys { from } => say!(voice, "due-first-buys", at = voice.time(from)),
        NextStep::Asks if voice.answers.decides() => say!(voice, "due-first-asks"),
        NextStep::Asks => say!(voice, "due-watched-first-asks"),
        NextStep::OnlyWatches => say!(voice, "due-first-only-watches"),
        NextStep::IsPaused => say!(voice, "due-first-paused"),
        NextStep::OutsideDates => say!(voice, "due-first-outside-dates"),
        NextStep::IsBlocked => say!(voice, "due-first-blocked"),
        NextStep::CannotRenew => say!(voice, "due-first-cannot-renew"),
    };
    say!(voice, "due-first", card, what, step)
}

/// What happens next, and what a person may type: why, and the line.
pub(super) fn step(voice: &Voice, card: &str, next: NextStep) -> (String, Option<(String, String)>) {
    let name = quoted(card);
    let decides = voice.answers.decides();
    let act = |why: String, verb: &str| decides.then(|| (why, format!("simkeeper {verb} {name}")));
    let renew = || act(say!(voice, "command-renew-now"), "renew");
    match next {
        NextStep::Buys { .. } => (say!(voice, "due-next-buys"), act(say!(voice, "command-skip"), "skip")),
        NextStep::Asks if decides => (say!(voice, "due-next-asks"), None),
        NextStep::Asks => (say!(voice, "due-watched-next-asks"), None),
        NextStep::OnlyWatches if decides => (say!(voice, "due-next-only-watches"), renew()),
        NextStep::OnlyWatches => (say!(voice, "due-watched-next-only-watches"), None),
        NextStep::IsPaused => (say!(voice, "due-next-paused"), act(say!(voice, "command-resume"), "resume")),
        NextStep::OutsideDates => (say!(voice, "due-next-outside-dates"), renew()),
        NextStep::IsBlocked => (
            say!(voice, "due-next-blocked"),
            Some((say!(voice, "command-explain-again"), format!("simkeeper explain {name}"))),
        ),
        NextStep::CannotRenew => (say!(voice, "due-next-cannot-renew"), None),
    }
}
