//! Days on which the clocks change, and zones that got another name: hours of a rule are hours of its card, and every need
//! is met once.

use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::sandbox::NewCard;

use crate::world::{World, full};

/// The hours of this rule do not exist on one day of the year in its cards' zone, and come twice on another.
fn in_hours(hours: &str) -> String {
    format!("mode = \"auto\"\nrenew_when = {{ data_below = \"500 MB\" }}\nbuy = [\"data-1gb-7d\"]\nhours = \"{hours}\"")
}

fn jump_to(world: &mut World, instant: &str) {
    let to = UnixTime::parse(instant).unwrap();
    let length = to.since(world.now());
    assert!(length.0 > 0, "{instant} is over");
    world.pass(length);
}

#[test]
fn hours_that_a_day_does_not_have_or_has_twice_buy_once_each() {
    let lasting = |card, now: UnixTime| NewCard { plan_ends: Some(now.plus(Secs::days(900))), ..full(card, now) };
    let mut world = World::new().card("gap", lasting, &in_hours("02:00-03:00"));
    world = world.card("twice", lasting, &in_hours("01:00-02:00"));
    world.machine.account.push_str("zone = \"America/Toronto\"\n");
    let mut world = world.start();
    world.until_read_again(2);
    // 14 March 2027: two o'clock is followed by three o'clock. Half past one is outside the hours.
    jump_to(&mut world, "2027-03-14T06:20:00Z");
    world.use_up("gap");
    world.until_read_again(4);
    assert_eq!(world.orders("gap").len(), 0);
    jump_to(&mut world, "2027-03-15T05:50:00Z");
    world.until_bought("gap", 1);
    let order = world.orders("gap")[0].at;
    let hours = UnixTime::parse("2027-03-15T06:00:00Z").unwrap();
    assert!((0..3_600).contains(&order.since(hours).0), "{order}: from two to three on the next day");
    world.until_read_again(4);
    assert_eq!(world.orders("gap").len(), 1);
    // 7 November 2027: one o'clock comes twice.
    jump_to(&mut world, "2027-11-07T04:50:00Z");
    world.use_up("twice");
    world.until_bought("twice", 1);
    let order = world.orders("twice")[0].at;
    let first = UnixTime::parse("2027-11-07T05:00:00Z").unwrap();
    assert!((0..3_600).contains(&order.since(first).0), "{order}: at the first one o'clock");
    jump_to(&mut world, "2027-11-07T06:05:00Z");
    world.until_read_again(6);
    assert_eq!((world.orders("twice").len(), world.orders("gap").len()), (1, 1));
}

#[test]
fn a_zone_goes_by_its_old_and_its_new_name() {
    for zone in ["Europe/Kiev", "Europe/Kyiv", "Asia/Calcutta", "Asia/Kolkata"] {
        let mut world = World::new().card("tablet", crate::world::low, crate::world::files::AUTO);
        world.machine.account.push_str(&format!("zone = \"{zone}\"\n"));
        let mut world = world.start();
        world.until_bought("tablet", 1);
        world.stop();
        // Renamed while it was off: nothing is due again for it.
        let (old, new) = ("zone = \"Europe/Kiev\"", "zone = \"Europe/Kyiv\"");
        let file = world.folder().join("simkeeper.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace(old, new)).unwrap();
        world.begin();
        world.until_read_again(3);
        assert_eq!(world.orders("tablet").len(), 1, "{zone}");
    }
}
