//! Telling something again until a person takes it in hand, and passing it on where they cannot be reached or do not
//! react: what needs a person at all, and when one person's turn comes next.

use super::card::Name;
use super::notice::{Due, Event, NextStep};
use super::rule::Rule;
use super::time::{Secs, UnixTime};

/// What a person wants done so that nothing that needs them is overlooked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Insistence {
    /// It is told again after each of these waits, counted from the time before; then no more.
    pub repeat: Vec<Secs>,
    /// It is passed on.
    pub escalate: Option<Escalate>,
}

impl Insistence {
    /// Whether there is anything to it.
    #[must_use]
    pub const fn is_some(&self) -> bool {
        !self.repeat.is_empty() || self.escalate.is_some()
    }
}

/// How something is passed on: first over the person's further ways, then to other people, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Escalate {
    /// After so long without a reaction; none for only when a way fails for good.
    pub after: Option<Secs>,
    /// Who is told then.
    pub to: Vec<Name>,
}

/// How far the telling of one person has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// How often it was told again.
    pub repeats: u32,
    /// When it is told again.
    pub repeat_at: Option<UnixTime>,
    /// How often it was passed on.
    pub passed_on: u32,
    /// When it is passed on.
    pub pass_on_at: Option<UnixTime>,
}

impl Turn {
    /// The turn of somebody who was told just now. What needs nobody is only passed on when a way fails.
    #[must_use]
    pub fn begin(wishes: &Insistence, needs_person: bool, now: UnixTime) -> Self {
        let wait = |wait: Secs| now.plus(wait);
        Self {
            repeats: 0,
            repeat_at: wishes.repeat.first().filter(|_| needs_person).copied().map(wait),
            passed_on: 0,
            pass_on_at: wishes.wait_before_passing_on().filter(|_| needs_person).map(wait),
        }
    }

    /// The same turn, its waits counted from `begin`: from the end of a silence, at which what waited is told.
    #[must_use]
    pub fn counted_from(self, wishes: &Insistence, begin: UnixTime) -> Self {
        let repeat = usize::try_from(self.repeats).ok().and_then(|place| wishes.repeat.get(place));
        let pass_on = wishes.wait_before_passing_on();
        Self {
            repeat_at: self.repeat_at.and(repeat).map(|wait| begin.plus(*wait)),
            pass_on_at: self.pass_on_at.and(pass_on).map(|wait| begin.plus(wait)),
            ..self
        }
    }

    /// It was told again. The next wait counts from now, so that an outage brings one reminder and no burst of them.
    #[must_use]
    pub fn repeated(self, wishes: &Insistence, now: UnixTime) -> Self {
        let repeats = self.repeats.saturating_add(1);
        let next = usize::try_from(repeats).ok().and_then(|place| wishes.repeat.get(place));
        Self { repeats, repeat_at: next.map(|wait| now.plus(*wait)), ..self }
    }

    /// It was passed on; `left` further steps are there. `goes_on` says whether waiting leads to the next.
    #[must_use]
    pub fn passed_on(self, wishes: &Insistence, left: usize, goes_on: bool, now: UnixTime) -> Self {
        let wait = wishes.wait_before_passing_on().filter(|_| left > 0 && goes_on);
        Self { passed_on: self.passed_on.saturating_add(1), pass_on_at: wait.map(|wait| now.plus(wait)), ..self }
    }
}

impl Insistence {
    fn wait_before_passing_on(&self) -> Option<Secs> {
        self.escalate.as_ref().and_then(|escalate| escalate.after)
    }
}

/// Whether something stays as it is until a person does something: a purchase that failed or is unknown, a question, a
/// last safe moment that has passed, and the last warning before something ends that nobody renews by itself.
#[must_use]
pub fn needs_person(event: &Event, rule: Option<&Rule>) -> bool {
    match event {
        Event::Failed { .. } | Event::Unknown { .. } | Event::Asked { .. } | Event::LastSafe { .. } => true,
        Event::DueSoon { next: NextStep::Buys { .. } | NextStep::Asks, .. } => false,
        Event::DueSoon { due: Due::End { step, .. }, .. } => {
            let steps = rule.map_or(&super::rule::WARN_BEFORE[..], |rule| &rule.warn_before);
            steps.iter().min().is_none_or(|last| step <= last)
        }
        Event::DueSoon { due: Due::Low { .. } | Due::Dead { .. }, .. } => true,
        Event::Bought { .. }
        | Event::SettledLate { .. }
        | Event::Paused { .. }
        | Event::RulesProblem { .. }
        | Event::RecordProblem(_)
        | Event::WalletLow(_)
        | Event::CardsFound { .. }
        | Event::Held { .. }
        | Event::Digest(_)
        | Event::Test { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attempt::Snapshot;
    use crate::domain::reading::EndKind;
    use crate::domain::testing::NOW;
    use crate::domain::time::{End, Precision};

    fn wishes() -> Insistence {
        let escalate = Escalate { after: Some(Secs::hours(2)), to: Vec::new() };
        Insistence { repeat: vec![Secs::HOUR, Secs::hours(4)], escalate: Some(escalate) }
    }

    #[test]
    fn it_is_told_again_as_often_as_there_are_waits_each_counted_from_the_time_before() {
        let turn = Turn::begin(&wishes(), true, NOW);
        assert_eq!(turn.repeat_at, Some(NOW.plus(Secs::HOUR)));
        // Three days late, as after an outage: one now, and the next four hours later.
        let late = NOW.plus(Secs::days(3));
        let turn = turn.repeated(&wishes(), late);
        assert_eq!((turn.repeats, turn.repeat_at), (1, Some(late.plus(Secs::hours(4)))));
        let turn = turn.repeated(&wishes(), late);
        assert_eq!((turn.repeats, turn.repeat_at), (2, None));
        assert_eq!(Turn::begin(&wishes(), false, NOW), Turn::default());
        assert_eq!(Turn::begin(&Insistence::default(), true, NOW), Turn::default());
    }

    #[test]
    fn after_a_silence_the_waits_begin_anew() {
        let (turn, end) = (Turn::begin(&wishes(), true, NOW).repeated(&wishes(), NOW), NOW.plus(Secs::days(2)));
        let later = turn.counted_from(&wishes(), end);
        assert_eq!((later.repeats, later.repeat_at), (1, Some(end.plus(Secs::hours(4)))));
        assert_eq!(later.pass_on_at, Some(end.plus(Secs::hours(2))));
        assert_eq!(Turn::default().counted_from(&wishes(), end), Turn::default());
    }

    #[test]
    fn it_is_passed_on_while_there_is_somebody_left() {
        let turn = Turn::begin(&wishes(), true, NOW);
        assert_eq!(turn.pass_on_at, Some(NOW.plus(Secs::hours(2))));
        assert_eq!(turn.passed_on(&wishes(), 1, true, NOW).pass_on_at, Some(NOW.plus(Secs::hours(2))));
        assert_eq!(turn.passed_on(&wishes(), 0, true, NOW).pass_on_at, None);
        assert_eq!(turn.passed_on(&wishes(), 1, false, NOW).pass_on_at, None);
        assert_eq!(turn.passed_on(&wishes(), 1, true, NOW).passed_on, 1);
    }

    #[test]
    fn of_warnings_before_an_end_only_the_last_needs_a_person_and_none_that_is_bought_for() {
        let end = End { at: NOW.plus(Secs::DAY), precision: Precision::Second };
        let warning = |step, next| Event::DueSoon {
            due: Due::End { which: EndKind::Plan, end, step },
            next,
            now: Snapshot::default(),
        };
        assert!(!needs_person(&warning(Secs::days(3), NextStep::OnlyWatches), None));
        assert!(needs_person(&warning(Secs::days(1), NextStep::OnlyWatches), None));
        assert!(needs_person(&warning(Secs::ZERO, NextStep::OnlyWatches), None));
        assert!(!needs_person(&warning(Secs::days(1), NextStep::Buys { from: NOW }), None));
        assert!(!needs_person(&warning(Secs::days(1), NextStep::Asks), None));
    }
}
