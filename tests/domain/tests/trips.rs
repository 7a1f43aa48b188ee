//! A thousand trips, each with its catalogue, its traveller and its rule, decided by what the daemon decides by and paid in
//! make-believe: what looking ahead costs against one who knows every byte beforehand, and against buying the same again.

mod trips {
    pub(super) mod card;
    pub(super) mod clairvoyant;
    pub(super) mod draw;
    mod foreseen;
    pub(super) mod travel;
}

use simkeeper_domain::domain::rule::Choice;
use trips::clairvoyant;
use trips::draw::Trip;
use trips::travel::{Told, travel};

const TRIPS: u64 = 1_000;

/// Trips of one kind.
#[derive(Default)]
struct Group {
    trips: u32,
    card_days: i64,
    best: i64,
    ahead: Sum,
    again: Sum,
}

impl Group {
    fn both(one: &Self, other: &Self) -> Self {
        Self {
            trips: one.trips + other.trips,
            card_days: one.card_days + other.card_days,
            best: one.best + other.best,
            ahead: Sum::both(&one.ahead, &other.ahead),
            again: Sum::both(&one.again, &other.again),
        }
    }

    fn say(&self, name: &str) {
        println!("{name}: {} trips, {} card-days", self.trips, self.card_days);
        self.ahead.say("cheapest = {}", self.best, self.card_days);
        self.again.say("same again when low", self.best, self.card_days);
    }
}

/// What came of all trips by one way to choose.
#[derive(Default)]
struct Sum {
    spent: i64,
    dry_hours: i64,
    dry_trips: u32,
    purchases: usize,
    after_end: u32,
    outlasting: u32,
    late: u32,
}

impl Sum {
    fn both(one: &Self, other: &Self) -> Self {
        Self {
            spent: one.spent + other.spent,
            dry_hours: one.dry_hours + other.dry_hours,
            dry_trips: one.dry_trips + other.dry_trips,
            purchases: one.purchases + other.purchases,
            after_end: one.after_end + other.after_end,
            outlasting: one.outlasting + other.outlasting,
            late: one.late + other.late,
        }
    }

    fn add(&mut self, told: &Told) {
        self.spent += told.spent;
        self.dry_hours += told.dry_hours;
        self.dry_trips += u32::from(told.dry_hours > 0);
        self.purchases += told.purchases;
        self.after_end += told.after_end;
        self.outlasting += told.outlasting;
        self.late += told.late;
    }

    fn say(&self, name: &str, best: i64, card_days: i64) {
        println!(
            "    {name}: {:.3} of the least possible, {} purchases, {} that began late and mostly outlast their trip, {:.2} days without data (1 in {:.0} card-days, {} trips)",
            self.spent as f64 / best as f64,
            self.purchases,
            self.late,
            self.dry_hours as f64 / 24.0,
            card_days as f64 * 24.0 / self.dry_hours.max(1) as f64,
            self.dry_trips,
        );
    }
}

#[test]
fn looking_ahead_costs_little_more_than_knowing_everything_and_leaves_nobody_without_data() {
    let mut by_sale = [Group::default(), Group::default()];
    let (mut seed, mut passed) = (0, 0);
    while passed < TRIPS {
        seed += 1;
        let trip = Trip::draw(seed);
        // What nobody could have covered tells nothing about choosing.
        let Some(least) = clairvoyant::least(&trip) else { continue };
        passed += 1;
        let group = &mut by_sale[usize::from(trip.sells_days())];
        group.trips += 1;
        group.best += least;
        group.card_days += trip.days;
        group.ahead.add(&travel(&trip, &Choice::Cover));
        group.again.add(&travel(&trip, &Choice::Same));
    }
    println!("{} more trips were drawn that no plan on sale could cover", seed - TRIPS);
    let [others, with_days] = &by_sale;
    with_days.say("a plan of a day is on sale");
    others.say("no plan of a day is on sale");
    let all = Group::both(others, with_days);
    all.say("all");
    assert_eq!((all.ahead.after_end, all.ahead.outlasting), (0, 0));
    assert!(all.ahead.late as usize * 200 <= all.ahead.purchases, "{} began late", all.ahead.late);
    assert!(all.ahead.spent * 100 <= all.best * 110, "{} against {}", all.ahead.spent, all.best);
    // Without such a plan the last days may go without: nothing is bought that mostly outlasts the trip.
    let Group { ahead, card_days, .. } = with_days;
    assert!(ahead.dry_hours * 5_000 < card_days * 24, "{} hours", ahead.dry_hours);
    assert!(all.ahead.dry_hours * 50 < all.again.dry_hours);
}
