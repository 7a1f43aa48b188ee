//! What a card used in its busiest hour and on its busiest day lately. It is carried along with the last two readings, so
//! that the next one can be timed without a look through the past.

use serde::Serialize;

use super::forecast::used;
use super::reading::{AllowanceKind, Reading};
use super::time::{Secs, UnixTime};

/// With each day of use a sixteenth of what was busiest is forgotten, half of it in eleven: a weekend is still known when
/// the next one comes.
const FORGOTTEN_PART: i64 = 16;
/// On a day without use less is: a card that lies idle for months still knows its last journey when the next one comes.
const FORGOTTEN_IDLE_PART: i64 = 64;
/// A card may become this many times as busy as it was.
const BUSIER: i64 = 3;

/// What was used over less than this is taken as what was used in all of it: one call is no hour of calls.
const HALF_HOUR: Secs = Secs::minutes(30);

/// What was used of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Busiest {
    /// Of what.
    pub kind: AllowanceKind,
    /// In the busiest hour, in the unit of the kind. What was used over a longer gap may all have been used in one hour of it.
    pub hour: i64,
    /// On the busiest day; none before a whole day was seen.
    pub day: Option<i64>,
    /// Since when a day is being counted.
    pub since: UnixTime,
    /// What was used of it until now.
    pub so_far: i64,
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
            None => {
                let begun = Busiest { kind, hour: 0, day: None, since: before.as_of, so_far: 0 };
                busiest.push(begun.with(before, after));
            }
        }
    }
}

impl Busiest {
    fn with(mut self, before: &Reading, after: &Reading) -> Self {
        let Some(used) = used(self.kind, before, after) else {
            // What was used here is not known: a day that holds the gap cannot be counted.
            return Self { since: after.as_of, so_far: 0, ..self };
        };
        let gap = after.as_of.since(before.as_of);
        let hour = busiest_hour(used, gap);
        self.hour = self.hour.max(hour);
        self.so_far = self.so_far.saturating_add(used);
        let counted = after.as_of.since(self.since);
        if counted >= Secs::DAY {
            let part = if self.so_far == 0 { FORGOTTEN_IDLE_PART } else { FORGOTTEN_PART };
            let fading = |most: i64| most - most / part;
            self.day = Some(scaled(self.so_far, Secs::DAY.0, counted.0).max(fading(self.day.unwrap_or(0))));
            self.hour = hour.max(fading(self.hour));
            (self.since, self.so_far) = (after.as_of, 0);
        }
        self
    }

    /// For how long `left` lasts at least, even if the card becomes twice as busy as it was; none before any use was seen
    /// or a day has passed without.
    #[must_use]
    pub fn lasts(&self, left: i64) -> Option<Secs> {
        let most_in_a_day = self.day.map(|day| day.max(self.hour).max(self.so_far).saturating_mul(BUSIER));
        let most_in_an_hour = self.hour.saturating_mul(BUSIER);
        let (length, most) = match most_in_a_day {
            Some(most) if left >= most => (Secs::DAY, most),
            None if self.hour == 0 => return None,
            Some(_) | None => (Secs::HOUR, most_in_an_hour),
        };
        Some(if most > 0 { Secs(scaled(left, length.0, most)) } else { Secs(i64::MAX) })
    }
}

/// What may have been used in the busiest hour of a gap. Use comes in bursts, the more of them the longer the gap: it is
/// taken to grow with the root of the hours.
fn busiest_hour(used: i64, gap: Secs) -> i64 {
    let hours = gap.0.max(HALF_HOUR.0) as f64 / Secs::HOUR.0 as f64;
    let hour = if hours < 1.0 { used as f64 / hours } else { used as f64 / hours.sqrt() };
    // A float beyond the numbers becomes the last of them.
    hour as i64
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
        assert_eq!(hour(40, 600), 900);
        assert_eq!(hour(5, 600), 1_200, "one call is no hour of calls");
        assert_eq!(hour(9 * 60, 600), 200, "a longer gap holds more bursts");
        let day = learned(&[(0, 10_000), (720, 9_400), (720, 8_800), (720, 8_700)]);
        assert_eq!((day[0].day, day[0].so_far), (Some(1_200), 100));
        assert_eq!(learned(&[(0, 10_000), (720, 9_400)])[0].day, None);
        let top_up = learned(&[(0, 1_000), (60, 900), (60, 5_000), (60, 4_900)]);
        assert_eq!(top_up[0].hour, 100, "a top-up is no use");
        assert_eq!(learned(&[(0, 5)]), []);
    }

    #[test]
    fn busy_days_are_forgotten_slowly_and_hardly_while_a_card_is_idle() {
        let after = |used: i64| {
            let mut left = vec![(0, 1_000_000), (1_440, 936_000)];
            left.extend((1..=11).map(|day| (1_440, 936_000 - day * used)));
            learned(&left)[0].day.unwrap_or(0)
        };
        assert!((30_000..34_000).contains(&after(1)), "half in eleven days: {}", after(1));
        assert!(after(0) > 52_000, "{}", after(0));
    }

    #[test]
    fn it_lasts_three_times_as_busy_a_time_as_any_before() {
        let known = Busiest { kind: AllowanceKind::Data, hour: 100, day: Some(400), since: NOW, so_far: 0 };
        assert_eq!(known.lasts(150), Some(Secs::minutes(30)));
        assert_eq!(known.lasts(1_199), Some(Secs(14_388)), "by the hour");
        assert_eq!(known.lasts(1_200), Some(Secs::DAY), "by the day");
        assert_eq!(Busiest { so_far: 500, ..known }.lasts(1_200), Some(Secs(14_400)), "a day that is busier already");
        assert_eq!(Busiest { hour: 0, day: Some(0), ..known }.lasts(5), Some(Secs(i64::MAX)));
        assert_eq!(Busiest { hour: 0, day: None, ..known }.lasts(5), None);
        assert_eq!(Busiest { day: None, ..known }.lasts(3_000), Some(Secs::hours(10)));
        let most = Busiest { hour: i64::MAX, day: Some(i64::MAX), ..known };
        assert_eq!(most.lasts(i64::MAX), Some(Secs::DAY));
    }
}
