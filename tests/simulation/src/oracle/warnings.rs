//! Each step before an end is told once.

use std::collections::BTreeMap;

use super::{DAY, HOUR, Oracle};

/// Clocks that differ by less than this are right.
const CLOCK_TOLERANCE: i64 = 15 * 60;

/// The last warning of each end and step: the end that it told of, and whether the clock was right.
#[derive(Clone, Debug, Default)]
pub(super) struct Warnings(BTreeMap<(usize, i64), (i64, bool)>);

impl Oracle {
    pub(super) fn warned(&mut self, card: usize, step: (usize, i64), end: i64, at: i64, clock_off_secs: i64) {
        let is_right = clock_off_secs.abs() <= CLOCK_TOLERANCE;
        let before = self.cards[card].warnings.0.insert(step, (end, is_right));
        let is_repeat = before.is_some_and(|(told, was_right)| is_right && was_right && (told - end).abs() <= HOUR);
        if is_repeat {
            let days = step.1 / DAY;
            self.breach("repeat", at, card, format!("the same end was told twice, {days} days before it"));
        }
    }
}
