//! Which warning of an end this is. Each step is told once per end date, whatever begins and ends meanwhile: the end of a
//! number does not move when a plan is bought and a new cycle begins, and a purchase by hand for a card that had nothing
//! for months moves the end and begins no cycle.

use super::notice::Due;
use super::reading::WOBBLE;
use super::time::{Secs, UnixTime};
use super::warn::NEWS;

/// When a warning of some step was told, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The card's cycle then.
    pub cycle: u32,
    /// The name it was told under.
    pub step: String,
    /// When.
    pub at: UnixTime,
}

/// The cycle and name under which a warning is told: those of the last one of its step where that was about the same end,
/// so that nobody hears of it again; else new ones. What tells of no end is told once in a cycle.
#[must_use]
pub fn of(due: &Due, cycle: u32, last: Option<Told>) -> (u32, String) {
    let first = due.step();
    let Due::End { end, step, .. } = due else { return (cycle, first) };
    match last {
        Some(told) if is_told(end.at, *step, told.at) => (told.cycle, told.step),
        Some(told) if told.cycle == cycle => {
            let number = told.step.strip_prefix(&first).and_then(|rest| rest.strip_prefix(':')?.parse().ok());
            (cycle, format!("{first}:{}", number.unwrap_or(1_u32).saturating_add(1)))
        }
        Some(_) | None => (cycle, first),
    }
}

/// Whether a warning of this step that was told then was about this end: that one was at most a step away, and not over,
/// or over for as long as that is told at most.
fn is_told(end: UnixTime, step: Secs, told_at: UnixTime) -> bool {
    let (over, wobble) = match step {
        Secs::ZERO => (NEWS.0, WOBBLE.0),
        // A plan of a day is warned of half a day before its end, and the next one ends a day later.
        step => (0, WOBBLE.0.min(step.0 / 2)),
    };
    (-over.saturating_add(wobble)..=step.0.saturating_add(wobble)).contains(&end.since(told_at).0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reading::{EndKind, Renewable};
    use crate::domain::testing::NOW;
    use crate::domain::time::End;

    fn due(ends_in: Secs, step: Secs) -> Due {
        Due::End { which: EndKind::Plan, end: End::at(NOW.plus(ends_in)), step }
    }

    fn told(cycle: u32, step: &str, before: Secs) -> Option<Told> {
        Some(Told { cycle, step: step.to_owned(), at: NOW.minus(before) })
    }

    #[test]
    fn a_step_is_told_once_for_an_end_over_all_cycles_and_again_for_another_end() {
        let week = due(Secs::days(6), Secs::days(7));
        for (what, last, expected) in [
            ("the first", None, (3, "plan:7d")),
            ("the same", told(3, "plan:7d", Secs::DAY), (3, "plan:7d")),
            ("the same, before data was bought", told(2, "plan:7d", Secs::DAY), (2, "plan:7d")),
            ("another, after a renewal", told(2, "plan:7d", Secs::days(30)), (3, "plan:7d")),
            ("another in the same cycle", told(3, "plan:7d", Secs::days(30)), (3, "plan:7d:2")),
            ("the same again", told(3, "plan:7d:2", Secs::DAY), (3, "plan:7d:2")),
            ("a third", told(3, "plan:7d:2", Secs::days(30)), (3, "plan:7d:3")),
            ("by a clock that ran ahead", told(3, "plan:7d", Secs::days(-4_000)), (3, "plan:7d:2")),
        ] {
            assert_eq!(of(&week, 3, last), (expected.0, expected.1.to_owned()), "{what}");
        }
    }

    /// Told so long before an end, which is said to be so much later then.
    fn is_same(step: Secs, told_before: Secs, later: Secs) -> bool {
        is_told(NOW.plus(told_before).plus(later), step, NOW)
    }

    #[test]
    fn an_end_that_wobbles_is_the_same_end_and_the_end_of_the_next_plan_is_not() {
        for days in [1, 3, 7, 30] {
            let step = Secs::days(days);
            assert!(is_same(step, step, WOBBLE) && is_same(step, step, Secs(-WOBBLE.0)), "{days} days");
            assert!(!is_same(step, step, Secs(WOBBLE.0 + 1)), "{days} days");
        }
        let half = Secs::hours(12);
        assert!(!is_same(half, half, Secs::DAY), "the next plan of a day");
        assert!(!is_same(half, Secs::HOUR, Secs::DAY), "the same, where its warning came late");
        assert!(is_same(Secs::ZERO, Secs::days(-20), Secs::ZERO), "one that was over long since");
        assert!(!is_same(Secs::ZERO, Secs::ZERO, Secs::DAY));
    }

    #[test]
    fn what_is_about_no_end_is_told_once_in_a_cycle() {
        let dead = Due::Dead { renewable: Renewable::OneOff };
        for last in [None, told(1, "dead", Secs::DAY), told(2, "dead", Secs::DAY)] {
            assert_eq!(of(&dead, 2, last), (2, "dead".to_owned()));
        }
    }
}
