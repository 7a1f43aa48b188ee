//! The open attempt of a card: how it stands, and what happens if nobody answers its question.

use crate::commands::output::relative;
use crate::domain::attempt::{Approval, Attempt, AttemptState, Cause};
use crate::domain::cycle::first_end;
use crate::domain::reading::Reading;
use crate::domain::rule::Rule;
use crate::domain::time::UnixTime;
use crate::domain::unanswered::Fallback;

/// What it is about and how it stands.
pub(super) fn lines(attempt: &Attempt, now: UnixTime) -> Vec<String> {
    let (id, plan) = (attempt.id.0, &attempt.plan);
    let mut lines =
        vec![String::new(), format!("Attempt {id}: {} for {}, {}", plan.name, plan.price, attempt.state.name())];
    match &attempt.approval {
        Approval::Asked { at, why } => lines.push(format!("  asked {}: {why}", relative(*at, now))),
        Approval::Given { by, at } => lines.push(format!("  agreed by {by} {}", relative(*at, now))),
        Approval::NotNeeded => {}
    }
    match &attempt.state {
        AttemptState::Unknown { doubt, .. } => lines.push(format!("  {doubt}")),
        AttemptState::Human { question, .. } => lines.push(format!("  {question}")),
        _ => {}
    }
    if let Some(sent) = attempt.state.sent() {
        lines.push(format!("  sent {}, reference {}", relative(sent.first_sent_at, now), sent.key.as_str()));
    }
    if let Some(id) = attempt.state.order_id() {
        lines.push(format!("  the operator's order {id}"));
    }
    if let Some(at) = attempt.state.next_at() {
        lines.push(format!("  looked at again {}", relative(at.max(now), now)));
    }
    lines
}

/// What happens if nobody answers the question about it.
pub(super) fn unanswered(attempt: &Attempt, rule: &Rule, reading: Option<&Reading>, now: UnixTime) -> Option<String> {
    let (Approval::Asked { at, .. }, Cause::Rule { .. }) = (&attempt.approval, &attempt.cause) else { return None };
    let unanswered = rule.unanswered.as_ref()?;
    let deadline = relative(unanswered.deadline(*at, reading.and_then(first_end)).max(now), now);
    Some(match unanswered.fallback {
        Fallback::Buy => format!("  if nobody answers, it is bought {deadline}"),
        Fallback::Refuse => format!("  if nobody answers, it is given up {deadline}"),
    })
}
