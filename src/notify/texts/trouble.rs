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
    let what = say!(voice, "failed-subject", brief);
    let first = match &next {
        Some(at) => say!(voice, "failed-first-again", card, whole, at),
        None => say!(voice, "failed-first", card, whole),
    };
    let need = if next_try.is_some() && advice::passes_by_itself(why) { Need::Wait } else { Need::Act };
    let mut letter = Letter::new(need, what, first);
    letter.when = next_try.map(|at| {
        let at = voice.short_time(at, now);
        say!(voice, "failed-when", at)
    });
    if let Some(said) = words::said(voice, why) {
        letter.row(say!(voice, "label-operator-words"), said);
    }
    if let Some(plan) = plan {
        letter.row(say!(voice, "label-plan"), voice.plan(plan));
        letter.row(say!(voice, "label-price"), voice.amount(plan.price));
    }
    if let Some(at) = next {
        letter.row(say!(voice, "label-next-try"), at);
    }
    if let Some(attempt) = attempt {
        letter.detail(say!(voice, "label-purchase"), attempt.0.to_string());
    }
    letter.ask(voice, support.as_ref());
    for rung in advice::for_failure(voice, why, support.as_ref()) {
        letter.next(rung);
    }
    let name = quoted(card);
    letter.command(say!(voice, "command-explain"), format!("simkeeper explain {name}"));
    letter.act(voice, say!(voice, "command-renew-once-cleared"), format!("simkeeper renew {name}"));
    letter
}

pub(super) fn failed_short(voice: &Voice, card: &str, event: &Event, room: usize) -> String {
    let Event::Failed { why, next_try, support, .. } = event else { return card.to_owned() };
    let brief = words::failed_briefly(voice, why);
    match (next_try, support) {
        (Some(at), _) => say!(voice, "failed-short-again", card, brief, at = voice.time(*at)),
        (None, Some(support)) => say!(voice, "failed-short-support", card, brief, support = cut(support, room)),
        (None, None) => say!(voice, "failed-short", card, brief),
    }
}

pub(super) fn unknown(voice: &Voice, card: &str, event: &Event, now: UnixTime) -> Letter {
    let Event::Unknown { attempt, plan, sent_at, doubt } = event else { return Letter::default() };
    let (price, sent, doubt, offer) =
        (plan.price, voice.time(*sent_at), words::doubt(voice, *doubt), Voice::plan_name(plan));
    let mut letter = Letter::new(
        Need::Wait,
        say!(voice, "unknown-subject", price),
        say!(voice, "unknown-first", card, offer, price, sent, doubt),
    );
    letter.row(say!(voice, "label-plan"), voice.plan(plan));
    letter.row(say!(voice, "label-price"), voice.amount(price));
    letter.row(say!(voice, "label-sent"), sent);
    letter.when = Some({
        let sent = voice.short_time(*sent_at, now);
        say!(voice, "unknown-when", sent)
    });
    letter.detail(say!(voice, "label-purchase"), attempt.0.to_string());
    letter.next(say!(voice, "unknown-next"));
    letter.next(say!(voice, "unknown-do-not-buy"));
    letter
}

pub(super) fn unknown_short(voice: &Voice, card: &str, plan: &Plan, room: usize) -> String {
    let (price, plan) = (plan.price, cut(&plan.name, room));
    say!(voice, "unknown-short", card, plan, price)
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
            say!(voice, "settled-bought-subject", price),
            say!(voice, "settled-bought-first", card, offer, price, sent),
        ),
        Settled::NotBought => Letter::new(
            Need::Nothing,
            say!(voice, "settled-not-bought-subject", price),
            say!(voice, "settled-not-bought-first", card, offer, price, sent),
        ),
    };
    letter.row(say!(voice, "label-plan"), voice.plan(plan));
    letter.row(say!(voice, "label-price"), voice.amount(price));
    letter.row(say!(voice, "label-sent"), sent);
    letter.detail(say!(voice, "label-purchase"), attempt.0.to_string());
    letter.next(match outcome {
        Settled::Bought => say!(voice, "settled-bought-next"),
        Settled::NotBought => say!(voice, "settled-not-bought-next"),
    });
    letter.command(say!(voice, "command-how-settled"), format!("simkeeper history {}", quoted(card)));
    letter
}

pub(super) fn settled_short(voice: &Voice, card: &str, plan: &Plan, outcome: &Settled, room: usize) -> String {
    let (price, plan) = (plan.price, cut(&plan.name, room));
    match outcome {
        Settled::Bought => say!(voice, "settled-bought-short", card, plan, price),
        Settled::NotBought => say!(voice, "settled-not-bought-short", card, plan, price),
    }
}
