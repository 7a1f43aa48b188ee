//! What a card used in its busiest hour and on its busiest day lately, and how evenly. It is carried along with the last two
//! readings, so that the next one can be timed without a look through the past.

use serde::Serialize;

use super::forecast::used;
use super::reading::{AllowanceKind, Reading};
use super::time::{Secs, UnixTime};

/// With each day of use this part of what was busiest is forgotten, half of it in 44. On days without use nothing is: a card
/// that lies idle for months still knows its last journey when the next one comes.
const FORGOTTEN_PART: i64 = 64;
/// A card may become this many times as busy as it was.
const BUSIER: f64 = 2.2;
/// After this many days without use a card is idle. It is read hundreds of times before use begins again, and that use must
/// come all at once to be noticed late: it is not expected to be busier than before.
const IDLE_DAYS: u16 = 6;
/// The part of what a card uses in its busiest hour that may come at once, if all its use comes in bursts.
const AT_ONCE: f64 = 0.6;
/// What was used over less than this is taken as what was used in all of it.
const HALF_HOUR: Secs = Secs::minutes(30);
/// Use is neither known to come evenly nor at once, in thousandths, until days of it were seen.
const EVEN_AT_FIRST: i64 = 500;
/// A day counts this part in how even use is.
const EVEN_LEARNED_PART: f64 = 8.0;
/// A day tells how even its use was if no reading of it lay so far apart that it covers two thirds of the day.
const DAY_TO_GAP_MIN: f64 = 1.5;

/// What was used of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Busiest {
    /// Of what.
    pub kind: AllowanceKind,
    /// In the busiest hour, in the unit of the kind. What was used over a longer gap may mostly have been used in one hour
    /// of it, the less evenly the more.
    pub hour: i64,
    /// On the busiest day; none before a whole day was seen.
    pub day: Option<i64>,
    /// How evenly it is used, in thousandths: all the same in each hour at 1,000, all at once at zero.
    pub even: i64,
    /// For how many days nothing was used.
    pub idle_days: u16,
    /// The day that is being counted.
    pub today: Today,
}

/// What is known of a day that is not over yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Today {
    /// Since when it is being counted.
    pub since: UnixTime,
    /// What was used of it until now.
    pub so_far: i64,
    /// The most of that between two readings.
    pub most: i64,
    /// How far apart these lay.
    pub most_within: Secs,
}

/// Adds what was used between two readings that follow each other.
pub fn learn(busiest: &mut Vec<Busiest>, before: &Reading, after: &Reading) {
    let mut learned: Vec<AllowanceKind> = Vec::new();
    for kind in after.allowances.iter().map(|allowance| allowance.kind) {
        // Allowances of one kind are counted together.
        if learned.contains(&kind) {
            continue;
        }
        learned.push(kind);
        match busiest.iter_mut().find(|known| known.kind == kind) {
            Some(known) => *known = known.with(before, after),
            None => busiest.push(Busiest::unknown(kind, before.as_of).with(before, after)),
        }
    }
}

impl Busiest {
    /// Nothing known yet.
    #[must_use]
    pub const fn unknown(kind: AllowanceKind, since: UnixTime) -> Self {
        Self { kind, hour: 0, day: None, even: EVEN_AT_FIRST, idle_days: 0, today: Today::begun(since) }
    }

    fn with(mut self, before: &Reading, after: &Reading) -> Self {
        let Some(used) = used(self.kind, before, after) else {
            // What was used here is not known: a day that holds the gap cannot be counted.
            return Self { today: Today::begun(after.as_of), ..self };
        };
        let gap = after.as_of.since(before.as_of);
        if used > 0 {
            self.idle_days = 0;
        }
        let hour = busiest_hour(used, gap, self.even);
        self.hour = self.hour.max(hour);
        self.today.add(used, gap);
        if after.as_of.since(self.today.since) >= Secs::DAY {
            self.close_day(hour, after.as_of);
        }
        self
    }

    fn close_day(&mut self, hour: i64, now: UnixTime) {
        let (today, counted) = (self.today, now.since(self.today.since));
        if let Some(even) = today.even(counted) {
            self.even += ((even - self.even as f64) / EVEN_LEARNED_PART) as i64;
        }
        let is_idle = today.so_far == 0;
        self.idle_days = if is_idle { self.idle_days.saturating_add(1) } else { 0 };
        let fading = |most: i64| if is_idle { most } else { most - most / FORGOTTEN_PART };
        self.day = Some(scaled(today.so_far, Secs::DAY.0, counted.0).max(fading(self.day.unwrap_or(0))));
        self.hour = hour.max(fading(self.hour));
        self.today = Today::begun(now);
    }

    /// Whether nothing was used for so long that use will hardly begin just now.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.idle_days >= IDLE_DAYS
    }

    /// For how long `left` lasts at least, even if the card becomes more than twice as busy as it was; none before any use
    /// was seen or a day has passed without.
    #[must_use]
    pub fn lasts(&self, left: i64) -> Option<Secs> {
        let left = left as f64 / if self.is_idle() { 1.0 } else { BUSIER };
        let Some(day) = self.day else {
            return (self.hour > 0).then(|| hours(left / self.hour as f64));
        };
        let day = day.max(self.hour).max(self.today.so_far) as f64;
        let hour = (self.hour as f64).max(day / 24.0);
        Some(if day <= 0.0 {
            Secs(i64::MAX)
        } else if left >= day {
            hours(left / day * 24.0)
        } else if left >= hour {
            // Between an hour and a day the most that is used grows with a power of the time.
            hours((left / hour).powf(24.0_f64.ln() / (day / hour).ln()))
        } else {
            let at_once = hour * AT_ONCE * (1.0 - self.even as f64 / 1_000.0);
            hours((left - at_once).max(0.0) / (hour - at_once))
        })
    }
}

impl Today {
    const fn begun(since: UnixTime) -> Self {
        Self { since, so_far: 0, most: 0, most_within: Secs::ZERO }
    }

    fn add(&mut self, used: i64, gap: Secs) {
        self.so_far = self.so_far.saturating_add(used);
        if used > self.most {
            (self.most, self.most_within) = (used, gap);
        }
    }

    /// How evenly it was used, in thousandths, once `counted` has passed: as the power of the time with which the most that
    /// is used grows from one gap to the day.
    fn even(&self, counted: Secs) -> Option<f64> {
        let gaps = counted.0 as f64 / self.most_within.0.max(1) as f64;
        let tells = self.most > 0 && gaps > DAY_TO_GAP_MIN;
        tells.then(|| ((self.so_far as f64 / self.most as f64).ln() / gaps.ln()).clamp(0.0, 1.0) * 1_000.0)
    }
}

/// What may have been used in the busiest hour of a gap. Use comes in bursts, the more of them the longer the gap: it is
/// taken to grow with a power of the hours, which tells how even use is.
fn busiest_hour(used: i64, gap: Secs, even: i64) -> i64 {
    let hours = gap.0.max(HALF_HOUR.0) as f64 / Secs::HOUR.0 as f64;
    // A float beyond the numbers becomes the last of them.
    (used as f64 / hours.powf(even as f64 / 1_000.0)) as i64
}

/// So many hours in whole seconds; a float beyond the numbers becomes the last of them.
fn hours(hours: f64) -> Secs {
    Secs((hours * Secs::HOUR.0 as f64) as i64)
}

/// `amount` times `by`, divided by `of`.
fn scaled(amount: i64, by: i64, of: i64) -> i64 {
    let scaled = i128::from(amount) * i128::from(by) / i128::from(of.max(1));
    i64::try_from(scaled).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reading::{AllowanceKind, CardState};
    use crate::domain::testing::{NOW, allowance};

    /// What is known after readings of what was left, each so many minutes after the one before.
    fn learned(left: &[(i64, i64)]) -> Vec<Busiest> {
        let (mut busiest, mut at) = (Vec::new(), NOW);
        let readings: Vec<Reading> = left
            .iter()
            .map(|(minutes, left)| {
                at = at.plus(Secs::minutes(*minutes));
                let data = allowance(AllowanceKind::Data, *left);
                Reading { allowances: vec![data], ..Reading::empty(at, CardState::Active) }
            })
            .collect();
        for pair in readings.windows(2) {
            learn(&mut busiest, &pair[0], &pair[1]);
        }
        busiest
    }

    #[test]
    fn the_busiest_hour_and_day_are_told_from_readings_of_any_distance() {
        let hour = |minutes: i64, used: i64| learned(&[(0, 10_000), (minutes, 10_000 - used)])[0].hour;
        assert_eq!(hour(60, 600), 600);
        assert_eq!(hour(5, 600), hour(30, 600), "one call is no hour of calls");
        assert!(hour(5, 600) > 600);
        assert_eq!(hour(9 * 60, 600), 200, "a longer gap holds more bursts");
        let day = learned(&[(0, 10_000), (720, 9_400), (720, 8_800), (720, 8_700)]);
        assert_eq!((day[0].day, day[0].today.so_far), (Some(1_200), 100));
        assert_eq!(learned(&[(0, 10_000), (720, 9_400)])[0].day, None);
        let top_up = learned(&[(0, 1_000), (60, 900), (60, 5_000), (60, 4_900)]);
        assert_eq!(top_up[0].hour, 100, "a top-up is no use");
        assert_eq!(learned(&[(0, 5)]), []);
    }

    /// What is known after a month of days, each read twelve times and used as told at each reading.
    fn month(used: impl Fn(i64) -> i64) -> Busiest {
        let mut left = 100_000_000;
        let mut readings = vec![(0, left)];
        for hour in (0..30 * 12).map(|number| number % 12) {
            left -= used(hour);
            readings.push((120, left));
        }
        learned(&readings)[0]
    }

    #[test]
    fn it_is_learned_whether_use_comes_evenly_or_at_once() {
        let (meter, caller) = (month(|_| 100), month(|hour| if hour == 5 { 1_200 } else { 0 }));
        assert!(meter.even > 950, "{meter:?}");
        assert!(caller.even < 50, "{caller:?}");
        assert_eq!((meter.day, caller.day), (Some(1_200), Some(1_200)));
        assert!(caller.hour > 1_000 && meter.hour < 100, "{} {}", caller.hour, meter.hour);
        assert_eq!(caller.lasts(1_200), Some(Secs::ZERO), "another call may come at any time");
        assert!(meter.lasts(1_200) > Some(Secs::hours(5)));
        // A day that was read once tells nothing of its hours.
        assert_eq!(learned(&[(0, 5_000), (1_440, 4_000), (1_440, 3_000)])[0].even, EVEN_AT_FIRST);
    }

    #[test]
    fn busy_days_are_forgotten_slowly_and_not_while_a_card_is_idle() {
        let after = |days: i64, used: i64| {
            let mut left = vec![(0, 1_000_000), (1_440, 936_000)];
            left.extend((1..=days).map(|day| (1_440, 936_000 - day * used)));
            learned(&left)[0]
        };
        let day = |days, used| after(days, used).day.unwrap_or(0);
        assert!((31_000..34_000).contains(&day(44, 1)), "half in 44 days: {}", day(44, 1));
        assert_eq!(day(100, 0), 64_000);
        assert!(!after(5, 0).is_idle() && after(6, 0).is_idle() && !after(60, 1).is_idle());
        let used_again = learned(&[(0, 9_000), (1_440, 8_000), (8 * 1_440, 8_000), (10, 7_999)]);
        assert_eq!(used_again[0].idle_days, 0, "the first use ends it");
    }

    #[test]
    fn it_lasts_more_than_twice_as_busy_a_time_as_any_before() {
        let today = Today { since: NOW, so_far: 0, most: 0, most_within: Secs::ZERO };
        let known = Busiest { kind: AllowanceKind::Data, hour: 100, day: Some(400), even: 1_000, idle_days: 0, today };
        // To the minute, for a fraction may be cut off.
        let minutes = |known: Busiest, left| known.lasts(left).map(|lasts| (lasts.0 + 30) / 60);
        assert_eq!((minutes(known, 110), minutes(known, 220)), (Some(30), Some(60)));
        assert_eq!(minutes(known, 880), Some(24 * 60), "by the day");
        let between = known.lasts(440).unwrap();
        assert!(between > Secs::hours(4) && between < Secs::hours(6), "more than by the hour: {between:?}");
        let bursts = Busiest { even: 0, ..known };
        assert_eq!((minutes(bursts, 132), minutes(bursts, 176)), (Some(0), Some(30)));
        let idle = Busiest { idle_days: IDLE_DAYS, ..known };
        assert_eq!(minutes(idle, 400), Some(24 * 60), "as busy as it was");
        let busier = Busiest { today: Today { so_far: 500, ..today }, ..known };
        assert!(busier.lasts(880) < Some(Secs::DAY), "a day that is busier already");
        assert_eq!(Busiest { hour: 0, day: Some(0), ..known }.lasts(5), Some(Secs(i64::MAX)));
        assert_eq!(Busiest { hour: 0, day: None, ..known }.lasts(5), None);
        assert_eq!(minutes(Busiest { day: None, ..known }, 2_200), Some(10 * 60));
        let most = Busiest { hour: i64::MAX, day: Some(i64::MAX), ..known };
        assert!(most.lasts(i64::MAX) > Some(Secs::ZERO) && most.lasts(0) == Some(Secs::ZERO));
    }
}
