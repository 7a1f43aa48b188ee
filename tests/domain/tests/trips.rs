//! A thousand trips, each with its catalogue, its traveller and its rule, decided by what the daemon decides by and paid in
//! make-believe: what looking ahead costs against one who knows every byte beforehand, and against buying the same again.

mod trips {
    pub(super) mod card;
    pub(super) mod clairvoyant;
    pub(super) mod draw;
    mod foreseen;
    pub(super) mod travel;
}

use simkeeper_domain::domain::data::Percent;
use simkeeper_domain::domain::rule::Choice;
use trips::clairvoyant::{self, Terms};
use trips::draw::Trip;
use trips::travel::{Told, travel};

const TRIPS: u32 = 1_000;
/// Trips beside those that can be covered only by plans most of whose time lies behind the trip.
const LONG_ONLY: u32 = 100;

/// Trips of one kind.
#[derive(Default)]
struct Group {
    trips: u32,
    card_days: i64,
    best: i64,
    ahead: Sum,
    /// Those on which a day without data was left, once more with a rule that takes any plan.
    any_plan: Sum,
    again: Sum,
}

impl Group {
    fn both(one: &Self, other: &Self) -> Self {
        Self {
            trips: one.trips + other.trips,
            card_days: one.card_days + other.card_days,
            best: one.best + other.best,
            ahead: Sum::both(&one.ahead, &other.ahead),
            any_plan: Sum::both(&one.any_plan, &other.any_plan),
            again: Sum::both(&one.again, &other.again),
        }
    }

    fn add(&mut self, trip: &Trip, least: i64) {
        self.trips += 1;
        self.best += least;
        self.card_days += trip.days;
        let ahead = travel(trip, &Choice::Cover, None);
        if ahead.dry_hours > 0 {
            self.any_plan.add(&travel(trip, &Choice::Cover, Some(Percent(100))));
        }
        self.ahead.add(&ahead);
        self.again.add(&travel(trip, &Choice::Same, None));
    }

    fn say(&self, name: &str) {
        println!("{name}: {} trips, {} card-days", self.trips, self.card_days);
        self.ahead.say("cheapest = {}", self.best, self.card_days);
        println!(
            "    outlast = 100% on those {}: {} hours without data",
            self.ahead.dry_trips, self.any_plan.dry_hours
        );
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
    left_over: u32,
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
            left_over: one.left_over + other.left_over,
            late: one.late + other.late,
        }
    }

    fn add(&mut self, told: &Told) {
        self.spent += told.spent;
        self.dry_hours += told.dry_hours;
        self.dry_trips += u32::from(told.dry_hours > 0);
        self.purchases += told.purchases;
        self.after_end += told.after_end;
        self.left_over += told.left_over;
        self.late += told.late;
    }

    fn say(&self, name: &str, best: i64, card_days: i64) {
        println!(
            "    {name}: {:.3} of the least possible, {} purchases, most of {} was left over, {:.2} days without data (1 in {:.0} card-days, {} trips)",
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
    let [mut others, mut with_days, mut long_only] = [Group::default(), Group::default(), Group::default()];
    let (mut seed, mut uncovered) = (0, 0);
    while others.trips + with_days.trips < TRIPS {
        seed += 1;
        let trip = Trip::draw(seed);
        let fitting = clairvoyant::least(&trip, Terms::MostOfItsTime);
        // What nobody could have covered tells nothing about choosing.
        let Some(least) = fitting.or_else(|| clairvoyant::least(&trip, Terms::HalfOfIt)) else {
            uncovered += 1;
            continue;
        };
        match (fitting, trip.sells_days()) {
            (None, _) if long_only.trips >= LONG_ONLY => {}
            (None, _) => long_only.add(&trip, least),
            (Some(_), false) => others.add(&trip, least),
            (Some(_), true) => with_days.add(&trip, least),
        }
    }
    println!("{uncovered} more trips were drawn that no plan on sale could cover");
    with_days.say("a plan of a day is on sale");
    others.say("no plan of a day is on sale");
    long_only.say("only plans that outlast the trip cover it");
    let all = Group::both(&others, &with_days);
    all.say("all but those");
    for group in [&all, &long_only] {
        assert_eq!((group.ahead.after_end, group.any_plan.after_end), (0, 0));
        assert_eq!(group.any_plan.dry_hours, 0, "any plan may be bought");
        assert!(group.ahead.spent * 100 <= group.best * 110, "{} against {}", group.ahead.spent, group.best);
    }
    assert!(all.ahead.late as usize * 200 <= all.ahead.purchases, "{} are left over", all.ahead.late);
    assert!(all.ahead.dry_hours * 5_000 < all.card_days * 24, "{} hours", all.ahead.dry_hours);
    assert!(all.ahead.dry_hours * 50 < all.again.dry_hours);
}
