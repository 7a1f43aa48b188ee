//! Samples about orders: taken, not known, settled late, and asked about.

use super::facts::{ENDS, NOW, after, before, dollars, name, plan, reckoning, rich_plan};
use crate::domain::attempt::{AskWhy, AttemptId, Question, Snapshot};
use crate::domain::cover::Reckoning;
use crate::domain::notice::{Ask, Event, Settled};
use crate::domain::operator::{Doubt, Stacking};
use crate::domain::plan::Plan;
use crate::domain::unanswered::Fallback;

pub(super) fn bought() -> Vec<Event> {
    let full = Event::Bought {
        attempt: AttemptId(12),
        plan: plan(),
        reckoning: Some(Box::new(reckoning())),
        charged: dollars(1_250),
        order_id: Some("20261218-064512".to_owned()),
        before: before(),
        after: Box::new(after()),
        cause: Some((name("travel"), 14)),
        agreed_by: None,
        month_left: Some(dollars(2_750)),
    };
    let bare = Event::Bought {
        attempt: AttemptId(13),
        plan: rich_plan(),
        reckoning: None,
        charged: dollars(1_250),
        order_id: None,
        before: Snapshot::default(),
        after: Box::new(Snapshot { credit: Some(dollars(1_000)), ..Snapshot::default() }),
        cause: None,
        agreed_by: Some("anna".to_owned()),
        month_left: None,
    };
    vec![full, bare]
}

pub(super) fn unknown() -> Vec<Event> {
    let doubts = [
        Doubt::TimedOut,
        Doubt::Broken,
        Doubt::ServerError,
        Doubt::Redirected,
        Doubt::Throttled,
        Doubt::Unreadable,
        Doubt::Unproven,
        Doubt::UnlistedCode,
        Doubt::AlreadyUsed,
        Doubt::ProcessEnded,
        Doubt::PendingLost,
    ];
    doubts.map(|doubt| Event::Unknown { attempt: AttemptId(12), plan: plan(), sent_at: NOW, doubt }).into()
}

pub(super) fn settled() -> Vec<Event> {
    let event = |plan: Plan, outcome| Event::SettledLate { attempt: AttemptId(12), plan, sent_at: NOW, outcome };
    vec![event(plan(), Settled::Bought), event(rich_plan(), Settled::NotBought)]
}

pub(super) fn asked() -> Vec<Event> {
    let approvals = [
        AskWhy::Dearer { before: dollars(1_000) },
        AskWhy::Mode,
        AskWhy::Differs,
        AskWhy::Above { limit: dollars(1_000) },
        AskWhy::NoRate { limit: dollars(1_000) },
    ];
    let questions = [
        Question::NoEvidence,
        Question::KeyWindowOver,
        Question::EndNear,
        Question::Contradiction,
        Question::EffectMissing,
        Question::Restored,
    ];
    let asks = approvals.map(|why| Ask::Approve { why }).into_iter();
    let asks = asks.chain(questions.map(|question| Ask::Settle { question, sent_at: NOW }));
    asks.flat_map(|ask| [asked_first(ask.clone()), asked_again(ask)]).collect()
}

/// The most telling questions.
pub(super) fn asked_shown() -> Vec<(&'static str, Event)> {
    let approve = |why| asked_first(Ask::Approve { why });
    let settle = |question| Ask::Settle { question, sent_at: NOW };
    vec![
        ("dearer", approve(AskWhy::Dearer { before: dollars(1_000) })),
        ("above", approve(AskWhy::Above { limit: dollars(1_000) })),
        ("mode-ask", approve(AskWhy::Mode)),
        ("by-code", approve(AskWhy::Mode)),
        ("to-watcher", approve(AskWhy::Mode)),
        ("settle", asked_first(settle(Question::NoEvidence))),
        ("reminder", asked_again(settle(Question::EffectMissing))),
    ]
}

fn asked_first(ask: Ask) -> Event {
    Event::Asked {
        attempt: AttemptId(12),
        plan: plan(),
        reckoning: Some(Box::new(Reckoning {
            is_whole: false,
            is_assumed: true,
            leaves_over: true,
            stacking: Stacking::Beside,
            ..reckoning()
        })),
        ask,
        unanswered: None,
        ends: Some(ENDS),
        reminders: 0,
        support: Some("support@example.net".to_owned()),
    }
}

fn asked_again(ask: Ask) -> Event {
    Event::Asked {
        attempt: AttemptId(12),
        plan: rich_plan(),
        reckoning: None,
        ask,
        unanswered: Some((ENDS, Fallback::Buy)),
        ends: None,
        reminders: 2,
        support: None,
    }
}
