//! One order per need, and limits: what the operator's book says about each order when it arrives.

use super::{Card, DAY, HOUR, Oracle, Order};

/// Ends are told wrong by up to 14 hours, and readings are up to an hour old.
const SLACK: i64 = 36 * HOUR;
/// What people buy by other ways shows in a reading after this.
const PEOPLE_SHOW_AFTER: i64 = 2 * HOUR;
/// How near to a month's end no month is judged: zones differ by this.
const MONTH_SLACK: i64 = 15 * HOUR;

impl Card {
    /// Until when the card is provided for by everything that was bought before an order. What was taken back by then is as
    /// if it had never been, or takes away what it had given, by which what was bought meanwhile begins later: operators do
    /// either, and the earlier end counts.
    pub(super) fn covered(&self, at: i64, people_before: i64) -> i64 {
        let bought_by_people = self.bought_by_people.iter().filter(|(when, _)| *when <= people_before).copied();
        let mut kept: Vec<(i64, i64)> = bought_by_people.collect();
        let mut taken_away = kept.clone();
        for order in self.orders.iter().filter(|order| order.at < at && !order.is_excused) {
            let Some(taken_at) = order.taken_at else { continue };
            taken_away.push((taken_at, order.extends_secs));
            match order.taken_back_at.filter(|back| *back <= at) {
                Some(back) => taken_away.push((back, -order.extends_secs)),
                None => kept.push((taken_at, order.extends_secs)),
            }
        }
        self.provided_by(kept).min(self.provided_by(taken_away))
    }

    fn provided_by(&self, mut changes: Vec<(i64, i64)>) -> i64 {
        changes.sort_unstable();
        changes.iter().fold(self.covered_until, |covered, (when, secs)| {
            let from = if *secs < 0 { covered } else { covered.max(*when) };
            from + secs
        })
    }
}

impl Oracle {
    pub(super) fn ordered(&mut self, card: usize, order: Order) {
        let known = &self.cards[card];
        if order.taken_at.is_some() {
            let covered = known.covered(order.at, order.at - PEOPLE_SHOW_AFTER);
            let too_early = covered - order.at - known.lead_secs - SLACK;
            if too_early > 0 {
                let days = too_early / DAY;
                self.breach("P1", order.at, card, format!("bought although covered for {days} days beyond the lead"));
            }
        }
        self.cards[card].orders.push(order);
        self.within_month(card, order.at);
    }

    /// What a calendar month came to, by what was truly charged.
    fn within_month(&mut self, card: usize, at: i64) {
        let known = &self.cards[card];
        let Some(limit) = known.month_limit else { return };
        let month = month_of(at);
        let counts = |order: &&Order| {
            order.taken_at.is_some()
                && !order.is_excused
                && month_of(order.at) == month
                && month_of(order.at - MONTH_SLACK) == month
                && month_of(order.at + MONTH_SLACK) == month
                // A copy from before cannot count what it does not know.
                && known.restored_at < order.at - 62 * DAY
        };
        let spent: i64 = known.orders.iter().filter(counts).map(|order| order.charge).sum();
        if spent > limit {
            self.breach("limits", at, card, format!("{spent} charged in a month that may cost {limit}"));
        }
    }
}

/// Months since some month, by the Gregorian calendar in UTC.
fn month_of(at: i64) -> i64 {
    // Days since 0000-03-01, in eras of 400 years.
    let days = at.div_euclid(DAY) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    (era * 400 + year_of_era) * 12 + month
}

#[cfg(test)]
mod tests {
    use super::month_of;

    #[test]
    fn months_change_at_their_first_midnight() {
        // 2027-02-28, 2027-03-01 and 2028-02-29, 2028-03-01.
        for (last_second, distance) in [(1_803_859_199, 1), (1_835_481_599, 1)] {
            assert_eq!(month_of(last_second + 1) - month_of(last_second), distance);
            assert_eq!(month_of(last_second - 86_400), month_of(last_second));
        }
    }
}
