//! Disks that fill up at one place after another, in a process that goes on.

use powercut::space::{Refused, fill_up};
use powercut::tally::Tally;

#[test]
fn a_full_disk_refuses_records_outcomes_from_the_reserve_and_goes_on() {
    let mut total = Refused::default();
    for step in 0..48 {
        let refused = fill_up(step * 1_500, step, &mut Tally::default());
        let refused = refused.unwrap_or_else(|why| panic!("with {} bytes left: {why}", step * 1_500));
        total.commits += refused.commits;
        total.lines += refused.lines;
    }
    assert!(total.commits >= 30 && total.lines >= 1, "{total:?}");
}
