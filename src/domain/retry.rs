//! When to try again: clamped tables with a spread that can be computed again, since it comes from ids and not from
//! chance.

use super::time::Secs;

/// Look-ups of an unknown purchase: soon, then hourly for a day, then every six hours for as long as it is open.
const LOOKUPS: [Secs; 5] = [Secs(15), Secs::minutes(1), Secs::minutes(5), Secs::minutes(15), Secs::HOUR];
/// How many look-ups fall into the first day; those after it are six hours apart.
const LOOKUPS_FIRST_DAY: u32 = 28;
/// Between one closed attempt and the next of the same cycle.
const ATTEMPTS: [Secs; 3] = [Secs::hours(2), Secs::hours(8), Secs::hours(24)];
/// How many attempts a cycle may have.
pub const ATTEMPTS_PER_CYCLE: u32 = 3;
/// Between one try to deliver a notice and the next; the last one repeats.
const DELIVERIES: [Secs; 7] =
    [Secs::minutes(1), Secs::minutes(5), Secs::minutes(15), Secs::HOUR, Secs::hours(4), Secs::hours(12), Secs::DAY];
/// Between one failed reading of an account and the next.
const READINGS: [Secs; 7] = [
    Secs::minutes(1),
    Secs::minutes(2),
    Secs::minutes(4),
    Secs::minutes(8),
    Secs::minutes(16),
    Secs::minutes(32),
    Secs::HOUR,
];
/// After a gate first said no before anything was sent, the need is looked at again this much later.
const AFTER_GATE: Secs = Secs::hours(1);
/// A person is reminded of an open question this often.
pub const REMIND_EVERY: Secs = Secs::DAY;

/// How long after look-up number `done` (counted from 1; 0 before the first) the next one is due.
#[must_use]
pub fn next_lookup(done: u32, seed: u64) -> Secs {
    let wait = match LOOKUPS.get(done as usize) {
        Some(wait) => *wait,
        None if done < LOOKUPS_FIRST_DAY => Secs::HOUR,
        None => Secs::hours(6),
    };
    spread(wait, 10, mixed(seed, done))
}

/// How long after closed attempt number `number` (counted from 1) the next may begin; none when there were enough.
#[must_use]
pub fn next_attempt(number: u32) -> Option<Secs> {
    if number == 0 || number >= ATTEMPTS_PER_CYCLE { None } else { ATTEMPTS.get(number as usize - 1).copied() }
}

/// How long after gates held back `held` attempts of one cycle the need is looked at again: an hour, doubling to a day.
#[must_use]
pub fn after_gates(held: u32) -> Secs {
    // Five doublings reach beyond a day.
    let doublings = held.saturating_sub(1).min(5);
    Secs((AFTER_GATE.0 << doublings).min(Secs::DAY.0))
}

/// How long after delivery try number `done` (counted from 1) the next is due.
#[must_use]
pub fn next_delivery(done: u32, seed: u64) -> Secs {
    spread(step(&DELIVERIES, done), 20, mixed(seed, done))
}

/// How long after `failures` failed readings in a row (counted from 1) an account is asked again.
#[must_use]
pub fn next_reading(failures: u32, seed: u64) -> Secs {
    spread(step(&READINGS, failures), 10, mixed(seed, failures))
}

/// What an operator asked for, held between a second and a day.
#[must_use]
pub fn clamped_wait(asked: Secs) -> Secs {
    Secs(asked.0.clamp(1, Secs::DAY.0))
}

/// `wait` moved by at most `percent` either way; `random` says where.
#[must_use]
pub fn spread(wait: Secs, percent: i64, random: u64) -> Secs {
    let width = wait.0.saturating_mul(percent) / 100;
    if width == 0 {
        return wait;
    }
    let span = width.unsigned_abs() * 2 + 1;
    // The remainder is at most twice the width, which fits.
    Secs(wait.0.saturating_sub(width).saturating_add((random % span) as i64))
}

/// Two numbers mixed into one whose bits look like chance (SplitMix64's finaliser).
#[must_use]
pub const fn mixed(seed: u64, number: u32) -> u64 {
    let mut z = seed ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn step(table: &[Secs], done: u32) -> Secs {
    let place = (done.max(1) as usize - 1).min(table.len() - 1);
    table[place]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookups_thin_out_and_never_stop() {
        let near = |done, secs: i64| {
            let wait = next_lookup(done, 7).0;
            assert!((wait - secs).abs() <= secs / 10, "{done}: {wait}");
        };
        for (done, secs) in [
            (0, 15),
            (1, 60),
            (2, 300),
            (3, 900),
            (4, 3_600),
            (5, 3_600),
            (27, 3_600),
            (28, 21_600),
            (u32::MAX, 21_600),
        ] {
            near(done, secs);
        }
    }

    #[test]
    fn attempts_end() {
        assert_eq!(next_attempt(0), None);
        assert_eq!(next_attempt(1), Some(Secs::hours(2)));
        assert_eq!(next_attempt(2), Some(Secs::hours(8)));
        assert_eq!(next_attempt(3), None);
        assert_eq!(next_attempt(u32::MAX), None);
    }

    #[test]
    fn gates_are_tried_ever_more_rarely() {
        for (held, hours) in [(0, 1), (1, 1), (2, 2), (3, 4), (5, 16), (6, 24), (63, 24), (64, 24), (u32::MAX, 24)] {
            assert_eq!(after_gates(held), Secs::hours(hours), "{held}");
        }
    }

    #[test]
    fn deliveries_end_in_a_daily_try() {
        for (done, secs) in [(0, 60), (1, 60), (2, 300), (7, 86_400), (1_000, 86_400)] {
            let wait = next_delivery(done, 3).0;
            assert!((wait - secs).abs() <= secs / 5, "{done}: {wait}");
        }
    }

    #[test]
    fn a_spread_stays_inside_and_can_be_computed_again() {
        assert_eq!(spread(Secs(9), 10, u64::MAX), Secs(9));
        assert_eq!(spread(Secs(100), 10, 0), Secs(90));
        assert_eq!(spread(Secs(100), 10, 20), Secs(110));
        assert_eq!(spread(Secs(100), 10, 21), Secs(90));
        assert_eq!(next_lookup(3, 9), next_lookup(3, 9));
        assert_eq!(clamped_wait(Secs(0)), Secs(1));
        assert_eq!(clamped_wait(Secs::days(9)), Secs::DAY);
    }
}
