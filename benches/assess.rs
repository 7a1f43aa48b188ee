//! How many cards per second one core can decide about. Prints one JSON line per measurement: `assess` as the daemon
//! calls it, a bare comparison of the same thresholds, and how many times the one costs the other; the same with the forecast
//! (until when what is left lasts, and the last safe moment), and the telling of a habit from eight weeks of readings.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use simkeeper::domain::assess::assess;
use simkeeper::domain::card::{Card, CardId, Keeper, Name, Wishes};
use simkeeper::domain::data::DataSize;
use simkeeper::domain::forecast::Forecast;
use simkeeper::domain::last_safe::{Lead, last_safe};
use simkeeper::domain::ledger::Ledger;
use simkeeper::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Recent};
use simkeeper::domain::rule::{Condition, Mode, Rule, Trigger};
use simkeeper::domain::time::{End, LocalHours, Secs, UnixTime};

/// What one measurement lasts at least.
const MEASURED: Duration = Duration::from_secs(1);
/// Calls between two looks at the clock.
const CALLS_PER_LOOK: u64 = 1_000;
const NOW: UnixTime = UnixTime::clamped(1_797_336_000);
const LIMIT: DataSize = DataSize(500_000_000);
const LEAD: Secs = Secs::hours(36);

fn main() -> Result<(), String> {
    let card = card()?;
    let ledger = Ledger { cycle_length: Some(Secs::days(30)), ..Ledger::default() };
    // A card in calm times, one that is warned about, and one that is due.
    for (name, data_left, ends_in) in [
        ("assess", 2_000_000_000, Secs::days(20)),
        ("assess_warned", 2_000_000_000, Secs::days(2)),
        ("assess_due", 400_000_000, Secs::days(20)),
    ] {
        let rule = rule()?;
        let readings = Recent {
            latest: Some(reading(data_left, ends_in)),
            previous: Some(reading(data_left, ends_in)),
            ..Recent::default()
        };
        let decided = per_second(|now| assess(&card, Some(&rule), &readings, &ledger, now).next_poll_at.secs());
        let compared = per_second(|now| i64::from(bare(&readings, now)));
        println!("{{\"bench\":\"{name}\",\"per_s\":{decided:.0}}}");
        println!("{{\"bench\":\"{name}_baseline\",\"per_s\":{compared:.0}}}");
        println!("{{\"bench\":\"{name}_ratio\",\"times\":{:.1}}}", compared / decided);
    }
    with_forecast(&card, &ledger)
}

/// A decision beside what the forecast adds to it, and the habit that it rests upon.
fn with_forecast(card: &Card, ledger: &Ledger) -> Result<(), String> {
    let (rule, past) = (rule()?, past());
    let tell = |now| Forecast::of(AllowanceKind::Data, &past, &card.zone, now);
    let uses = [(AllowanceKind::Data, tell(NOW))];
    let latest = reading(2_000_000_000, Secs::days(20));
    let readings = Recent { latest: Some(latest.clone()), previous: Some(latest.clone()), ..Recent::default() };
    let lead = Lead { settling: Secs::hours(2), payment: Secs::DAY };
    let foreseen = per_second(|now| {
        let seen = assess(card, Some(&rule), &readings, ledger, now);
        let last = last_safe(card, &rule, &latest, &uses, lead, now);
        seen.next_poll_at.secs() ^ last.map_or(0, |last| last.at.secs())
    });
    println!("{{\"bench\":\"assess_forecast\",\"per_s\":{foreseen:.0}}}");
    let told = per_second(|now| i64::from(tell(now).habit().is_some()));
    println!("{{\"bench\":\"habit\",\"per_s\":{told:.0},\"readings\":{}}}", past.len());
    Ok(())
}

/// Eight weeks of four readings a day, about 100 MB of use each day, topped up now and then.
fn past() -> Vec<Reading> {
    (0..8 * 7 * 4_i64)
        .map(|n| {
            let at = NOW.minus(Secs::hours(6 * (8 * 7 * 4 - n)));
            let left = 3_000_000_000 - n % 96 * (20_000_000 + n * 7_919 % 10_000_000);
            Reading { read_at: at, as_of: at, ..reading(left, Secs::days(20)) }
        })
        .collect()
}

/// Calls for [`MEASURED`], each at another second, so that nothing can be computed once for all.
fn per_second(mut call: impl FnMut(UnixTime) -> i64) -> f64 {
    let (began, mut calls, mut sum) = (Instant::now(), 0_u64, 0_i64);
    while began.elapsed() < MEASURED {
        for _ in 0..CALLS_PER_LOOK {
            // A number of calls below 600 is always a length.
            let now = NOW.plus(Secs((calls % 600) as i64));
            sum = sum.wrapping_add(call(black_box(now)));
            calls += 1;
        }
    }
    black_box(sum);
    calls as f64 / began.elapsed().as_secs_f64()
}

/// The two conditions of the rule and nothing else.
fn bare(readings: &Recent, now: UnixTime) -> bool {
    readings.latest.as_ref().is_some_and(|reading| {
        let low = reading.allowances.iter().any(|allowance| (allowance.remaining as u64) < LIMIT.bytes());
        low || reading.plan_ends.is_some_and(|end| end.left(now) <= LEAD)
    })
}

fn reading(data_left: i64, ends_in: Secs) -> Reading {
    let data = Allowance {
        kind: AllowanceKind::Data,
        remaining: data_left,
        total: Some(3_000_000_000),
        unlimited: false,
        state: AllowanceState::Active,
        starts: None,
        ends: None,
    };
    let empty = Reading::empty(NOW, CardState::Active);
    Reading { allowances: vec![data], plan_ends: Some(End::at(NOW.plus(ends_in))), assets: vec!["1".into()], ..empty }
}

fn rule() -> Result<Rule, String> {
    let mut rule = Rule { mode: Mode::Auto, ..Rule::watching(Name::parse("travel")?) };
    rule.renew_when.triggers = vec![
        Trigger { condition: Condition::DataBelow(LIMIT), line: 14 },
        Trigger { condition: Condition::PlanEndsWithin(LEAD), line: 15 },
    ];
    rule.hours = Some(LocalHours::parse("01:00-06:00")?);
    Ok(rule)
}

fn card() -> Result<Card, String> {
    Ok(Card {
        id: CardId(1),
        name: Name::parse("canada")?,
        account: Name::parse("airalo")?,
        sellers: Vec::new(),
        iccid: None,
        msisdn: None,
        imei: None,
        eid: None,
        fields: BTreeMap::new(),
        labels: Vec::new(),
        contact: None,
        zone: TimeZone::get("America/Toronto").map_err(|error| error.to_string())?,
        notify: Vec::new(),
        rule: None,
        keeper: Keeper::Command,
        wishes: Wishes::default(),
        retired_at: None,
    })
}
