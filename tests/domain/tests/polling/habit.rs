//! How people use their cards, minute by minute: drawn from a seed, the same each time.

/// Minutes of a day.
const DAY: i64 = 1_440;
const MB: i64 = 1_000_000;

/// A kind of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// About the same each day, from morning to night.
    Steady,
    /// Three times as much on Saturdays and Sundays.
    Weekends,
    /// Little, and films in the evening.
    Films,
    /// Nothing for months, and much on three journeys.
    Journeys,
    /// A meter that sends a little each quarter of an hour.
    Meter,
    /// Calls that are paid from credit.
    Calls,
    /// A number that is kept, and nothing else.
    Kept,
}

impl Habit {
    pub(crate) const ALL: [Self; 7] =
        [Self::Steady, Self::Weekends, Self::Films, Self::Journeys, Self::Meter, Self::Calls, Self::Kept];

    /// What is used on a day, as amounts at minutes of it, in order.
    pub(crate) fn day(self, card: u64, day: i64) -> Vec<(i64, i64)> {
        let mut draw = Draw::of(card, day);
        let mut taken = Vec::new();
        match self {
            Self::Steady | Self::Weekends => {
                let is_weekend = matches!(day % 7, 5 | 6) && self == Self::Weekends;
                let a_day = Draw::of(card, -1).between(60, 400) * MB * if is_weekend { 3 } else { 1 };
                for minute in (7 * 60..23 * 60).step_by(6) {
                    taken.push((minute, a_day / 160 * draw.between(20, 180) / 100));
                }
            }
            Self::Films => {
                for minute in (8 * 60..18 * 60).step_by(30) {
                    taken.push((minute, draw.between(1, 8) * MB));
                }
                let (begins, lasts) = (19 * 60 + draw.between(0, 120), draw.between(0, 110));
                for minute in begins..begins + lasts {
                    taken.push((minute, draw.between(15, 25) * MB));
                }
            }
            Self::Journeys => {
                if (card.cast_signed() % 50 + day) % 120 < 14 {
                    for minute in (8 * 60..23 * 60).step_by(5) {
                        // Much at a time where there are pictures to be sent.
                        taken.push((minute, draw.between(0, 7) * MB + draw.between(0, 30) / 29 * 150 * MB));
                    }
                }
            }
            Self::Meter => taken.extend((0..DAY).step_by(15).map(|minute| (minute, draw.between(40_000, 90_000)))),
            Self::Calls => {
                for hour in 8..22 {
                    if draw.between(0, 16) == 0 {
                        taken.push((hour * 60 + draw.between(0, 60), draw.between(500, 6_000)));
                    }
                }
            }
            Self::Kept => {}
        }
        taken
    }
}

/// Numbers drawn one after another.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn of(card: u64, day: i64) -> Self {
        Self(card.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ day.cast_unsigned().wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    /// At least `low` and below `high`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        low + ((mixed ^ (mixed >> 31)) % (high - low).unsigned_abs()).cast_signed()
    }
}
