//! How long the cheapest sequence of plans takes to find: 200 plans, none of which is better than another in everything,
//! for 180 days; with money enough, and with too little, which is the longer way. Prints one JSON line per measurement:
//! `cover` as a rule calls it, a bare pass over as many plans at as many hours, and how many times the one costs the other.

#[expect(dead_code, reason = "each bench uses its part")]
mod common;

use std::hint::black_box;

use common::Meter;
use jiff::tz::TimeZone;
use simkeeper::domain::cover::{Need, Purse, cheapest};
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::plan::{Contents, Plan};
use simkeeper::domain::retry::mixed;
use simkeeper::domain::time::{Secs, UnixTime};

const NOW: UnixTime = UnixTime::clamped(1_797_336_000);
const PLANS: u32 = 200;
const DAYS: i64 = 180;
/// Calls of one measurement.
const CALLS: usize = 60;

fn main() -> Result<(), String> {
    let plans: Vec<Plan> = (0..PLANS).map(plan).collect();
    let need = Need::daily(NOW, NOW.plus(Secs::days(DAYS)), &TimeZone::UTC, |date| {
        250e6 * if date.weekday().to_monday_zero_offset() < 5 { 0.7 } else { 1.75 }
    });
    let whole = cheapest(&plans, &need, Purse::default()).ok_or("nothing covers the need")?;
    let half = Money::new(whole.cost.ten_thousandths() / 2, whole.cost.currency());
    let bare = millis(|| bare(&plans));
    for (name, purse) in [("cover", Purse::default()), ("cover_short", Purse { per_plan: None, in_all: Some(half) })] {
        let took = millis(|| cheapest(&plans, &need, purse).map_or(0, |cover| cover.cost.ten_thousandths()));
        println!("{{\"bench\":\"{name}\",\"ms\":{took:.3}}}");
        println!("{{\"bench\":\"{name}_baseline\",\"ms\":{bare:.3}}}");
        println!("{{\"bench\":\"{name}_ratio\",\"times\":{:.1}}}", took / bare);
    }
    Ok(())
}

/// What one call takes of one core.
fn millis(mut call: impl FnMut() -> i64) -> f64 {
    let meter = Meter::start();
    for _ in 0..CALLS {
        black_box(call());
    }
    meter.took().cpu_us_per(CALLS) / 1_000.0
}

/// Looks at each plan at each hour once, and keeps the least price.
fn bare(plans: &[Plan]) -> i64 {
    let prices: Vec<i64> = plans.iter().map(|plan| plan.price.ten_thousandths()).collect();
    (0..DAYS * 24).map(|hour| prices.iter().map(|price| black_box(price + hour)).min().unwrap_or(0)).sum()
}

/// More data, a longer time or both cost more, but by no fixed measure.
fn plan(number: u32) -> Plan {
    let chance = |what: u32, below: u64| mixed(u64::from(number), what) % below;
    let (megabytes, days) = (100 + chance(1, 20_000), 1 + chance(2, 60));
    let price = 10_000 + megabytes * (10 + chance(3, 10)) + days * (3_000 + chance(4, 2_000));
    Plan {
        id: format!("plan-{number}"),
        name: format!("{megabytes} MB for {days} days"),
        contents: Contents { data_bytes: Some(megabytes * 1_000_000), ..Contents::default() },
        validity_secs: Some(Secs::days(days as i64).0),
        price: Money::new(price as i64, Currency::USD),
    }
}
