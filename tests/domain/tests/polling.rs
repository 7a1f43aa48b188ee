//! A year of cards of all kinds, read when the daemon would read them: how many requests that takes beside one an hour, and
//! how much later than those any threshold is noticed.

use simkeeper_domain::domain;

mod polling {
    pub(super) mod card;
    pub(super) mod habit;
    pub(super) mod year;
}

use polling::year::{Sum, year};

/// The bench lives the year of a thousand.
const CARDS: u64 = 140;

#[test]
fn a_fifth_of_the_requests_of_hourly_polling_notices_every_threshold_as_soon() {
    let (name, mut sum) = (domain::card::Name::parse("travel").unwrap(), Sum::default());
    for card in 0..CARDS {
        sum.add(&year(card, &name));
    }
    println!("{sum}");
    assert!(sum.requests * 5 <= sum.hourly, "{} requests against {}", sum.requests, sum.hourly);
    assert!(sum.crossings > CARDS, "thresholds were crossed");
    assert_eq!(sum.late, 0, "of {} thresholds", sum.crossings);
}
