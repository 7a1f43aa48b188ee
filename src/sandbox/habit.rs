//! How people use their cards: so much a day, more in the evening than at night, more on some days than on others.
//! The pattern is computed from the card's salt and the time, so that any two readings agree about what lies between.

use crate::domain::retry::mixed;
use crate::domain::time::UnixTime;

const DAY_SECS: i64 = 86_400;

/// Thousandths of a day's use that fall into each hour (UTC); they add up to 1000.
const HOURS: [u64; 24] = [12, 8, 6, 5, 5, 9, 22, 40, 52, 50, 48, 50, 56, 52, 48, 46, 48, 56, 66, 76, 84, 78, 54, 29];

/// What would be used between two instants at `per_day` on an average day. The sum over adjoining spans is that of the
/// whole span.
pub(super) fn used_between(per_day: u64, salt: u64, from: UnixTime, to: UnixTime) -> u64 {
    if per_day == 0 || to <= from {
        return 0;
    }
    let (first, last) = (from.secs().div_euclid(DAY_SECS), to.secs().div_euclid(DAY_SECS));
    let before = used_on(per_day, salt, first, from.secs().rem_euclid(DAY_SECS));
    let whole_days: u64 = (first..last).map(|day| used_on(per_day, salt, day, DAY_SECS)).sum();
    whole_days + used_on(per_day, salt, last, to.secs().rem_euclid(DAY_SECS)) - before
}

/// What would be used between two instants where each second takes the same.
pub(super) fn used_evenly(per_day: u64, from: UnixTime, to: UnixTime) -> u64 {
    let until =
        |at: UnixTime| u128::from(per_day) * u128::from(at.secs().unsigned_abs()) / u128::from(DAY_SECS.unsigned_abs());
    u64::try_from(until(to).saturating_sub(until(from))).unwrap_or(u64::MAX)
}

/// What is used on `day` (counted from 1970) until `second` of it.
fn used_on(per_day: u64, salt: u64, day: i64, second: i64) -> u64 {
    // Days beyond 2^32 do not occur: the last instant lies in the year 9999.
    let percent = 60 + mixed(salt, u32::try_from(day).unwrap_or(u32::MAX)) % 81;
    let (hour, rest) = ((second / 3_600) as usize, (second % 3_600) as u64);
    let full: u64 = HOURS[..hour].iter().sum();
    let partial = HOURS.get(hour).copied().unwrap_or(0) * rest;
    let share = u128::from(full * 3_600 + partial);
    (u128::from(per_day) * u128::from(percent) * share / (100 * 1_000 * 3_600)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixTime = UnixTime::clamped(1_800_000_123);

    #[test]
    fn use_adds_up_however_it_is_cut() {
        let at = |secs: i64| UnixTime::clamped(START.secs() + secs);
        let whole = used_between(300_000_000, 7, START, at(10 * DAY_SECS));
        let parts: u64 = (0..1_000).map(|n| used_between(300_000_000, 7, at(n * 864), at((n + 1) * 864))).sum();
        assert_eq!(whole, parts);
        assert!((1_800_000_000..=4_200_000_000).contains(&whole), "{whole}");
        assert_eq!(HOURS.iter().sum::<u64>(), 1_000);
    }

    #[test]
    fn nobody_means_nothing() {
        assert_eq!(used_between(0, 7, START, UnixTime::MAX), 0);
        assert_eq!(used_between(5, 7, START, START), 0);
    }
}
