//! Which warning of an end this is. Each step is told once per end date, and a cycle may see more than one: a card that
//! had nothing for months looks the same before and after one empty answer, so that a purchase by hand does not always
//! begin a cycle.

use super::notice::Due;
use super::reading::WOBBLE;
use super::time::UnixTime;

/// What tells a warning apart from others of its cycle. `told_at` says when a warning of a step was told in this cycle, if
/// it was: one about an end that was still far then is told again, under a name of its own.
///
/// # Errors
/// Those of `told_at`.
pub fn step<E>(due: &Due, mut told_at: impl FnMut(&str) -> Result<Option<UnixTime>, E>) -> Result<String, E> {
    let first = due.step();
    let mut step = first.clone();
    let mut number = 1;
    while let Some(at) = told_at(&step)? {
        if !is_another(due, at) {
            break;
        }
        number += 1;
        step = format!("{first}:{number}");
    }
    Ok(step)
}

/// Whether the end cannot be the one that was told of at `told_at`: that one was at most a step away.
fn is_another(due: &Due, told_at: UnixTime) -> bool {
    match due {
        Due::End { end, step, .. } => end.at.since(told_at).0 > step.0.saturating_add(WOBBLE.0),
        Due::Low { .. } | Due::Dead { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::convert::Infallible;

    use super::*;
    use crate::domain::reading::{EndKind, Renewable};
    use crate::domain::testing::NOW;
    use crate::domain::time::{End, Secs};

    fn due(days: i64) -> Due {
        Due::End { which: EndKind::Plan, end: End::at(NOW.plus(Secs::days(days))), step: Secs::days(7) }
    }

    fn named(due: &Due, told: &[(&str, i64)]) -> String {
        let told: HashMap<&str, UnixTime> =
            told.iter().map(|(step, days)| (*step, NOW.plus(Secs::days(*days)))).collect();
        match step(due, |step| Ok::<_, Infallible>(told.get(step).copied())) {
            Ok(step) => step,
        }
    }

    #[test]
    fn a_step_is_told_once_for_an_end_and_again_for_another() {
        assert_eq!(named(&due(7), &[]), "plan:7d");
        assert_eq!(named(&due(7), &[("plan:7d", 0)]), "plan:7d");
        assert_eq!(named(&due(7), &[("plan:7d", -30)]), "plan:7d:2");
        assert_eq!(named(&due(7), &[("plan:7d", -30), ("plan:7d:2", 0)]), "plan:7d:2");
        assert_eq!(named(&due(7), &[("plan:7d", -60), ("plan:7d:2", -30)]), "plan:7d:3");
    }

    #[test]
    fn an_end_that_wobbles_is_the_same_end() {
        let moved = |by: Secs| Due::End {
            which: EndKind::Plan,
            end: End::at(NOW.plus(Secs::days(7)).plus(by)),
            step: Secs::days(7),
        };
        assert_eq!(named(&moved(WOBBLE), &[("plan:7d", 0)]), "plan:7d");
        assert_eq!(named(&moved(Secs(WOBBLE.0 + 1)), &[("plan:7d", 0)]), "plan:7d:2");
        assert_eq!(named(&due(-3), &[("plan:7d", 400)]), "plan:7d", "by a clock that ran ahead");
    }

    #[test]
    fn a_card_that_cannot_be_renewed_is_told_once() {
        assert_eq!(named(&Due::Dead { renewable: Renewable::OneOff }, &[("dead", -300)]), "dead");
    }
}
