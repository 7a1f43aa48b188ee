//! Texts cost money: what a part of one is priced at, and how many may go over a channel in an hour, a day and a month.

use super::money::Money;
use super::time::Secs;

/// A month, as limits of texts count it.
pub const MONTH: Secs = Secs::days(30);
/// How long what an hour has no room for waits before it is looked at again.
const NEXT_LOOK: Secs = Secs::minutes(10);
/// The same for a day or a month.
const NEXT_LOOK_OF_DAYS: Secs = Secs::HOUR;

/// What the file says about the texts of a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextLimits {
    /// What each part costs.
    pub price: Option<Money>,
    /// The most within an hour; what is urgent passes it.
    pub per_hour: Option<u32>,
    /// The most within 24 hours.
    pub per_day: Option<u32>,
    /// The most within 30 days.
    pub per_month: Option<u32>,
}

/// How many texts went over a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextsSent {
    /// Within an hour.
    pub hour: u32,
    /// Within 24 hours.
    pub day: u32,
    /// Within 30 days.
    pub month: u32,
}

/// How many more may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextRoom {
    /// Of all.
    pub any: usize,
    /// Of those that are not urgent.
    pub patient: usize,
}

impl TextRoom {
    /// Room without a limit.
    pub const ENDLESS: Self = Self { any: usize::MAX, patient: usize::MAX };

    /// How long what is not urgent waits, if there is no room for it.
    #[must_use]
    pub const fn patient_waits(self) -> Option<Secs> {
        match (self.any, self.patient) {
            (0, _) => Some(NEXT_LOOK_OF_DAYS),
            (_, 0) => Some(NEXT_LOOK),
            (_, _) => None,
        }
    }

    /// How long what is urgent waits, if there is no room for it.
    #[must_use]
    pub const fn urgent_waits(self) -> Option<Secs> {
        if self.any == 0 { Some(NEXT_LOOK_OF_DAYS) } else { None }
    }
}

impl TextLimits {
    /// The room that is left.
    #[must_use]
    pub fn room(&self, sent: TextsSent) -> TextRoom {
        let left = |limit: Option<u32>, sent: u32| {
            limit.map_or(usize::MAX, |limit| usize::try_from(limit.saturating_sub(sent)).unwrap_or(usize::MAX))
        };
        let any = left(self.per_day, sent.day).min(left(self.per_month, sent.month));
        TextRoom { any, patient: any.min(left(self.per_hour, sent.hour)) }
    }

    /// What so many parts cost.
    #[must_use]
    pub fn cost(&self, parts: u32) -> Option<Money> {
        let price = self.price?;
        price.ten_thousandths().checked_mul(i64::from(parts)).map(|amount| Money::new(amount, price.currency()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_urgent_passes_the_hour_but_neither_the_day_nor_the_month() {
        let limits = TextLimits { price: None, per_hour: Some(2), per_day: Some(5), per_month: Some(9) };
        for (hour, day, month, any, patient) in [
            (0, 0, 0, 5, 2),
            (1, 1, 1, 4, 1),
            (2, 2, 2, 3, 0),
            (3, 4, 8, 1, 0),
            (0, 5, 5, 0, 0),
            (0, 0, 9, 0, 0),
            (9, 9, 9, 0, 0),
        ] {
            assert_eq!(limits.room(TextsSent { hour, day, month }), TextRoom { any, patient }, "{hour} {day} {month}");
        }
        assert_eq!(TextLimits::default().room(TextsSent { hour: 9, day: 9, month: 9 }), TextRoom::ENDLESS);
        assert_eq!((TextRoom { any: 1, patient: 0 }).urgent_waits(), None);
        assert!((TextRoom { any: 0, patient: 0 }).urgent_waits().is_some());
    }

    #[test]
    fn each_part_costs() {
        let limits = TextLimits { price: Some(Money::parse("0.08 USD").unwrap()), ..TextLimits::default() };
        assert_eq!(limits.cost(3), Some(Money::parse("0.24 USD").unwrap()));
        assert_eq!((TextLimits::default()).cost(3), None);
    }
}
