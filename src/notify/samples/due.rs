//! Samples of `due_soon` and `last_safe`.

use super::facts::{ENDS, ENDS_NEW, before, dollars};
use crate::domain::attempt::Snapshot;
use crate::domain::data::{DataSize, Percent};
use crate::domain::last_safe::{LastSafe, Lead, Loss};
use crate::domain::money::Currency;
use crate::domain::notice::{Due, Event, NextStep};
use crate::domain::reading::{AllowanceKind, EndKind, Renewable};
use crate::domain::rule::{Condition, Trigger};
use crate::domain::time::{End, Precision, Secs};

/// The most telling.
pub(super) fn shown() -> Vec<(&'static str, Event)> {
    let (plan, number) = (end(EndKind::Plan, Precision::Second), end(EndKind::Number, Precision::Day));
    let buys = NextStep::Buys { from: ENDS.minus(Secs::hours(28)) };
    let data = low(Condition::DataBelow(DataSize(500_000_000)));
    let dead = Due::Dead { renewable: Renewable::OneOff };
    vec![
        ("plan-ends", event(plan, buys)),
        ("number-ends", event(number, NextStep::OnlyWatches)),
        ("data-low", event(data, NextStep::Asks)),
        ("paused", event(plan, NextStep::IsPaused)),
        ("dead", event(dead, NextStep::CannotRenew)),
    ]
}

/// Everything that can be due, with every next step.
pub(super) fn every() -> Vec<Event> {
    let next_steps = [
        NextStep::Buys { from: ENDS.minus(Secs::hours(28)) },
        NextStep::Asks,
        NextStep::OnlyWatches,
        NextStep::IsPaused,
        NextStep::OutsideDates,
        NextStep::IsBlocked,
        NextStep::CannotRenew,
    ];
    let mut dues = vec![
        end(EndKind::Plan, Precision::Second),
        end(EndKind::Credit, Precision::Second),
        end(EndKind::Number, Precision::Day),
    ];
    dues.extend(conditions().map(low));
    dues.extend([Renewable::OneOff, Renewable::Unknown, Renewable::Yes].map(|renewable| Due::Dead { renewable }));
    dues.iter().flat_map(|due| next_steps.map(|next| event(*due, next))).collect()
}

/// Everything that can be lost, with every next step that an alarm can name.
pub(super) fn last_safe() -> Vec<Event> {
    let event = |loss, next| {
        let lead = Lead { settling: Secs::hours(73), payment: Secs::DAY };
        let at = ENDS.minus(Secs::hours(97));
        let last = LastSafe { at, loss, ends: ENDS, lead, age: Secs::ZERO, hours: Secs::ZERO };
        Event::LastSafe { last, next, now: before() }
    };
    vec![
        event(Loss::Ends(EndKind::Number), NextStep::IsBlocked),
        event(Loss::RunsOut(AllowanceKind::Data), NextStep::Asks),
        event(Loss::Ends(EndKind::Plan), NextStep::IsPaused),
        event(Loss::Ends(EndKind::Credit), NextStep::OnlyWatches),
        event(Loss::RunsOut(AllowanceKind::Voice), NextStep::Buys { from: ENDS.minus(Secs::hours(28)) }),
        event(Loss::RunsOut(AllowanceKind::Sms), NextStep::IsBlocked),
        event(Loss::RunsOut(AllowanceKind::Credit(Currency::USD)), NextStep::IsBlocked),
    ]
}

fn event(due: Due, next: NextStep) -> Event {
    let now = Snapshot { credit: Some(dollars(340)), credit_ends: Some(ENDS), number_ends: Some(ENDS_NEW), ..before() };
    Event::DueSoon { due, next, now }
}

const fn end(which: EndKind, precision: Precision) -> Due {
    Due::End { which, end: End { at: ENDS, precision }, step: Secs::days(3) }
}

const fn low(condition: Condition) -> Due {
    Due::Low { trigger: Trigger { condition, line: 14 } }
}

fn conditions() -> [Condition; 8] {
    [
        Condition::DataBelow(DataSize(500_000_000)),
        Condition::DataShareBelow(Percent(20)),
        Condition::VoiceBelow(Secs::minutes(10)),
        Condition::SmsBelow(5),
        Condition::CreditBelow(dollars(500)),
        Condition::PlanEndsWithin(Secs::hours(36)),
        Condition::CreditEndsWithin(Secs::days(7)),
        Condition::NumberEndsWithin(Secs::days(14)),
    ]
}
