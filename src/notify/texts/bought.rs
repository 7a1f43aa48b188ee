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
        Some(ends) => (say!(voice, "bought-subject-until", charged, ends), {
            let plan = Voice::plan_name(plan);
            say!(voice, "bought-first-until", card, plan, charged, ends)
        }),
        None => (say!(voice, "bought-subject", charged), {
            let plan = Voice::plan_name(plan);
            say!(voice, "bought-first", card, plan, charged)
        }),
    };
    let mut letter = Letter::new(Need::Nothing, what, first);
    letter.snapshot(voice, before, Some(after));
    letter.row(say!(voice, "label-plan"), voice.plan(plan));
    letter.row(say!(voice, "label-paid"), voice.amount(charged));
    if let Some(left) = month_left {
        letter.row(say!(voice, "label-limit-left"), say!(voice, "bought-limit-left", left));
    }
    let order = order_id.as_ref().map_or_else(|| say!(voice, "bought-no-order-number"), |id| cut(id, 80));
    letter.detail(say!(voice, "label-order-number"), order);
    letter.detail(say!(voice, "label-purchase"), attempt.0.to_string());
    letter.row(
        say!(voice, "label-why"),
        match cause {
            Some((rule, line)) => say!(voice, "bought-why-rule", rule, line),
            None => say!(voice, "bought-why-person"),
        },
    );
    if let Some(by) = agreed_by {
        letter.row(say!(voice, "label-agreed-by"), cut(by, 80));
    }
    letter.reckoned(voice, reckoning.as_deref());
    letter.next(say!(voice, "bought-watched"));
    letter.act(voice, say!(voice, "command-skip-next"), format!("simkeeper skip {}", quoted(card)));
    letter
}

pub(super) fn short(voice: &Voice, card: &str, event: &Event, room: usize) -> String {
    let Event::Bought { plan, charged, after, attempt, .. } = event else { return card.to_owned() };
    let (plan, number) = (cut(&plan.name, room), attempt.0);
    match latest_end(after) {
        Some(at) => say!(voice, "bought-short-until", card, plan, charged, ends = voice.day(at), number),
        None => say!(voice, "bought-short", card, plan, charged, number),
    }
}

/// What a person understands by "lasts to": the plan's end, or else the credit's, or else the number's.
fn latest_end(after: &Snapshot) -> Option<UnixTime> {
    after.plan_ends.or(after.credit_ends).or(after.number_ends)
}
