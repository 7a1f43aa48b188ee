//! How many requests a year of a thousand cards of all kinds takes, and how much later than by hourly polling a threshold is
//! noticed at the worst. Prints one JSON line; the test of the same name lives the year of fewer cards.

use simkeeper::domain;

#[path = "../tests/domain/tests/polling"]
mod polling {
    pub(super) mod card;
    pub(super) mod habit;
    pub(super) mod year;
}

use polling::year::{Sum, year};

const CARDS: u64 = 1_000;

fn main() -> Result<(), String> {
    let (name, mut sum) = (domain::card::Name::parse("travel")?, Sum::default());
    for card in 0..CARDS {
        sum.add(&year(card, &name));
    }
    eprint!("{sum}");
    println!(
        "{{\"bench\":\"polling\",\"cards\":{CARDS},\"requests\":{},\"ratio_to\":\"hourly\",\"ratio\":{:.2},\"thresholds\":{},\
         \"later\":{},\"latest_secs\":{}}}",
        sum.requests,
        sum.requests as f64 / sum.hourly as f64,
        sum.crossings,
        sum.late,
        sum.latest.0,
    );
    Ok(())
}
