//! `asked`: a person must decide, with the lines to type.

use super::voice::{Voice, cut};
use super::{Letter, Need, words};
use crate::domain::approval::{Answering, Ticket};
use crate::domain::attempt::{AskWhy, Question};
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
        Ask::Settle { question, sent_at } => settle(voice, card, event, *question, *sent_at),
    };
    letter.row(say!(voice, "label-plan"), voice.plan(plan));
    letter.row(say!(voice, "label-price"), voice.amount(price));
    letter.reckoned(voice, reckoning.as_deref());
    if let Some(ends) = ends {
        letter.row(say!(voice, "label-card-ends"), voice.time(*ends));
    }
    if *reminders > 0 {
        letter.row(say!(voice, "label-asked-before"), say!(voice, "asked-times", count = reminders));
    }
    letter.detail(say!(voice, "label-purchase"), number.to_string());
    letter.ask(voice, support.as_ref());
    letter
}

fn settle(voice: &Voice, card: &str, event: &Event, question: Question, sent_at: UnixTime) -> Letter {
    let Event::Asked { attempt, plan, .. } = event else { return Letter::default() };
    let (price, number, offer, sent) = (plan.price, attempt.0, Voice::plan_name(plan), voice.time(sent_at));
    let first = match &voice.answers {
        Answering::ByNumber | Answering::ByCode(_) => say!(voice, "asked-settle-first", card, offer, price, sent),
        Answering::NotTheirs => say!(voice, "asked-watched-settle-first", card, offer, price, sent),
    };
    let mut letter = Letter::new(need(voice), say!(voice, "asked-settle-subject", number, price), first);
    letter.next(words::question(voice, question));
    letter.row(say!(voice, "label-sent"), sent);
    let lines = ["bought", "not-bought"].map(|answer| format!("simkeeper settle {number} {answer} --reason \"…\""));
    let reasons = [say!(voice, "command-settle-bought"), say!(voice, "command-settle-not-bought")];
    for (why, line) in reasons.into_iter().zip(lines) {
        letter.act(voice, why, line);
    }
    letter.next(match &voice.answers {
        Answering::ByNumber | Answering::ByCode(_) => say!(voice, "asked-settle-look"),
        Answering::NotTheirs => say!(voice, "asked-watched-tell"),
    });
    letter.next(say!(voice, "asked-settle-until-then"));
    letter
}

/// Whoever only watches can do no more than tell those who decide.
fn need(voice: &Voice) -> Need {
    if voice.answers.decides() { Need::Decide } else { Need::Act }
}

fn approve(voice: &Voice, card: &str, event: &Event, why: AskWhy) -> Letter {
    let Event::Asked { attempt, plan, unanswered, ends, .. } = event else { return Letter::default() };
    let (price, number, offer) = (plan.price, attempt.0, Voice::plan_name(plan));
    let reason = reason(voice, why, price);
    let what = match ends {
        Some(ends) => say!(voice, "asked-approve-subject-ends", price, ends = voice.day(*ends)),
        None => say!(voice, "asked-approve-subject", price),
    };
    let first = match &voice.answers {
        Answering::ByNumber | Answering::ByCode(_) => say!(voice, "asked-approve-first", card, offer, price, reason),
        Answering::NotTheirs => say!(voice, "asked-watched-first", card, offer, price, reason),
    };
    let mut letter = Letter::new(need(voice), what, first);
    if let AskWhy::Dearer { before } = why {
        letter.row(say!(voice, "label-price-last-time"), voice.amount(before));
    }
    answers(voice, &mut letter, number);
    letter.next(without_answer(voice, *unanswered));
    if voice.answers.decides() {
        letter.next(say!(voice, "asked-answer-holds"));
    }
    letter
}

/// Why the daemon does not decide by itself.
pub(super) fn reason(voice: &Voice, why: AskWhy, price: Money) -> String {
    match why {
        AskWhy::Mode => say!(voice, "asked-why-mode"),
        AskWhy::Dearer { before } => say!(voice, "asked-why-dearer", before, price),
        AskWhy::Above { limit } => say!(voice, "asked-why-above", limit),
        AskWhy::NoRate { limit } => say!(voice, "asked-why-no-rate", limit),
        AskWhy::Differs => say!(voice, "asked-why-differs"),
    }
}

/// What happens if nobody answers.
pub(super) fn without_answer(voice: &Voice, unanswered: Option<(UnixTime, Fallback)>) -> String {
    let Some((at, fallback)) = unanswered else {
        return match &voice.answers {
            Answering::ByNumber | Answering::ByCode(_) => say!(voice, "asked-without-answer-nothing"),
            Answering::NotTheirs => say!(voice, "asked-watched-nothing"),
        };
    };
    let at = voice.time(at);
    match fallback {
        Fallback::Buy => say!(voice, "asked-without-answer-buys", at),
        Fallback::Refuse => say!(voice, "asked-without-answer-refuses", at),
    }
}

/// What to type, and where.
fn answers(voice: &Voice, letter: &mut Letter, number: i64) {
    match &voice.answers {
        Answering::ByNumber => {
            letter.command(say!(voice, "command-approve"), format!("simkeeper approve {number}"));
            letter.command(say!(voice, "command-refuse"), format!("simkeeper refuse {number}"));
        }
        Answering::ByCode(ticket) => by_code(voice, letter, ticket),
        Answering::NotTheirs => letter.next(say!(voice, "asked-watched-tell")),
    }
}

fn by_code(voice: &Voice, letter: &mut Letter, ticket: &Ticket) {
    let Ticket { code, ends_at, page, by_text } = ticket;
    let until = voice.time(*ends_at);
    letter.command(say!(voice, "command-code", until), code.to_string());
    if let Some(page) = page {
        letter.command(say!(voice, "command-code-page"), page.clone());
    }
    letter.command(say!(voice, "command-approve-instead"), format!("simkeeper approve {code}"));
    letter.command(say!(voice, "command-refuse-instead"), format!("simkeeper refuse {code}"));
    if *by_text {
        letter.next(say!(voice, "asked-answer-by-text", code));
    }
    letter.next(say!(voice, "asked-code-is-yours"));
}

pub(super) fn short(voice: &Voice, card: &str, event: &Event, now: UnixTime, room: usize) -> String {
    let Event::Asked { attempt, plan, ask, ends, .. } = event else { return card.to_owned() };
    let (number, price, plan) = (attempt.0, plan.price, cut(&plan.name, room));
    let by = match ends {
        Some(ends) => say!(voice, "asked-short-by", at = voice.short_time(*ends, now)),
        None => String::new(),
    };
    match (ask, &voice.answers) {
        (Ask::Approve { .. }, Answering::ByCode(Ticket { code, by_text: true, .. })) => {
            say!(voice, "asked-short-reply", card, plan, price, by, code)
        }
        (Ask::Approve { .. }, Answering::ByCode(Ticket { code, by_text: false, .. })) => {
            say!(voice, "asked-short-type-code", card, plan, price, by, code)
        }
        (Ask::Approve { .. }, Answering::ByNumber) => {
            say!(voice, "asked-short-type-number", card, plan, price, by, number)
        }
        (Ask::Approve { .. }, Answering::NotTheirs) => say!(voice, "asked-watched-short", card, plan, price, by),
        (Ask::Settle { .. }, Answering::ByNumber | Answering::ByCode(_)) => {
            say!(voice, "asked-short-settle", card, plan, price, by, number)
        }
        (Ask::Settle { .. }, Answering::NotTheirs) => say!(voice, "asked-watched-settle-short", card, plan, price, by),
    }
}
