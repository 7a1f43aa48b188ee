//! How long the cheapest sequence of plans takes to find: 200 plans, none of which is better than another in everything,
//! for 180 days; as a rule calls it, under limits, and where plans add to each other. Prints one JSON line per measurement:
//! the longest that any of several catalogues takes, a bare pass over as many plans at as many hours, and how many times
//! the one costs the other.

#[expect(dead_code, reason = "each bench uses its part")]
mod common;
mod cover {
    pub(super) mod cases;
}

use std::hint::black_box;

use common::Meter;
use cover::cases::{Case, DAYS, PLANS, groups};
use simkeeper::domain;

/// Catalogues of each kind.
const SEEDS: u64 = 4;
/// Calls of one measurement.
const CALLS: usize = 20;

fn main() {
    let prices: Vec<u64> = (0..PLANS).map(|plan| plan * 10_000).collect();
    let bare = millis(|| bare(&prices));
    for group in groups(SEEDS) {
        let took = |case: &Case| millis(|| case.cheapest().map_or(0, |cover| cover.plans.len() as u64));
        let longest = group.cases.iter().map(took).fold(0.0, f64::max);
        let name = group.name;
        println!("{{\"bench\":\"{name}\",\"ms\":{longest:.3}}}");
        println!("{{\"bench\":\"{name}_baseline\",\"ms\":{bare:.3}}}");
        println!("{{\"bench\":\"{name}_ratio\",\"times\":{:.1}}}", longest / bare);
    }
}

/// What one call takes of one core.
fn millis(mut call: impl FnMut() -> u64) -> f64 {
    let meter = Meter::start();
    for _ in 0..CALLS {
        black_box(call());
    }
    meter.took().cpu_us_per(CALLS) / 1_000.0
}

/// Looks at each plan at each hour once, and keeps the least price.
fn bare(prices: &[u64]) -> u64 {
    let hours = DAYS.unsigned_abs() * 24;
    (0..hours).map(|hour| prices.iter().map(|price| black_box(price + hour)).min().unwrap_or(0)).sum()
}
