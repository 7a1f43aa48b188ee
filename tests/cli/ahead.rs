//! `plan`, `rehearse` and `replay` over one record: what is planned is what is then bought, and what was bought is what the
//! same rules buy again.

use serde_json::json;
use simkeeper::daemon::clock::{Clock, machine_millis};
use simkeeper::domain::card::{Keeper, Name};
use simkeeper::domain::identity::{Iccid, Msisdn};
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::operator::Stacking;
use simkeeper::domain::plan::{Catalogue, Contents, Plan};
use simkeeper::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading};
use simkeeper::domain::time::{End, Secs, UnixTime};
use simkeeper::store::polls::{PollUpdate, Seen};
use simkeeper::store::{Store, cards, catalogues, polls};

use super::*;

/// How long is rehearsed; long enough for two purchases of the one card and one of the other.
const DAYS: i64 = 14;
const MB: i64 = 1_000_000;

const RULES: &str = r#"
[card.canada]
operator = "try"
iccid = "8944501312167518236"
zone = "America/Toronto"
rule = "low"

[card.camera]
operator = "try"
msisdn = "+447700900123"
zone = "Europe/London"
rule = "ends"

[rule.low]
mode = "auto"
renew_when = { data_below = "500 MB" }
buy = ["gb"]
limits = { per_month = "40 EUR" }

[rule.ends]
mode = "auto"
renew_when = { plan_ends_within = "36h" }
buy = ["month"]
"#;

fn now() -> UnixTime {
    Clock::System.now()
}

fn plan(id: &str, megabytes: u64, days: i64, price: i64) -> Plan {
    let contents = Contents { data_bytes: Some(megabytes * 1_000_000), ..Contents::default() };
    let validity_secs = Some(days * 86_400);
    Plan { id: id.into(), name: id.into(), contents, validity_secs, price: Money::new(price * 10_000, Currency::EUR) }
}

/// A card that held `left` megabytes four days ago, used 100 of them each day, and whose plan ends.
fn reading(at: UnixTime, left: i64, ends: UnixTime) -> Reading {
    let allowance = Allowance {
        kind: AllowanceKind::Data,
        remaining: left * MB,
        total: Some(3_000 * MB),
        unlimited: false,
        state: AllowanceState::Active,
        starts: None,
        ends: None,
    };
    Reading { allowances: vec![allowance], plan_ends: Some(End::at(ends)), ..Reading::empty(at, CardState::Active) }
}

/// A home whose record holds four days of readings; nobody listens where its account is.
fn home(now: UnixTime) -> Home {
    let sold = Catalogue::of(now.minus(Secs::HOUR), vec![plan("gb", 1_000, 30, 5), plan("month", 2_000, 30, 9)]);
    home_with(now, [("canada", 1_250, 60), ("camera", 2_900, 9)], &sold)
}

/// The same with cards that held so many megabytes four days ago, and whose plans end in so many days.
fn home_with(now: UnixTime, held: [(&'static str, i64, i64); 2], sold: &Catalogue) -> Home {
    let sold = sold.clone();
    let home = Home::new();
    home.change("simkeeper.toml", "http://127.0.0.1:7460", "http://127.0.0.1:9");
    home.write("rules.toml", RULES);
    let store = Store::open(&home.path().join("state"), now).unwrap();
    let new = |card: &str| cards::NewCard {
        iccid: (card == "canada").then(|| Iccid::parse("8944501312167518236").unwrap()),
        msisdn: (card == "camera").then(|| Msisdn::parse("+447700900123").unwrap()),
        rule: Some(Name::parse(if card == "canada" { "low" } else { "ends" }).unwrap()),
        zone: jiff::tz::TimeZone::get(if card == "canada" { "America/Toronto" } else { "Europe/London" }).unwrap(),
        ..cards::NewCard::named(Name::parse(card).unwrap(), Name::parse("try").unwrap(), Keeper::File)
    };
    let named = [new("canada"), new("camera")];
    let prepared = store.write_blocking(move |conn| {
        cards::sync_file_cards(conn, &named, now)?;
        for (name, left, ends) in held {
            let card = cards::by_name(conn, &Name::parse(name).unwrap())?.unwrap().id;
            for hours in (0..96).step_by(6) {
                let at = now.minus(Secs::hours(96 - hours));
                let seen = Seen::Good(reading(at, left - hours * 100 / 24, now.plus(Secs::days(ends))));
                polls::save(conn, &[PollUpdate { card, seen, next_poll_at: now, cycle: 1 }])?;
            }
            catalogues::save(conn, card, &sold)?;
        }
        Ok(())
    });
    prepared.unwrap();
    store.close_blocking();
    home
}

fn instant(value: &Value) -> UnixTime {
    UnixTime::parse(value.as_str().unwrap()).unwrap()
}

/// What is planned, which is what is bought in the rehearsal that is left in `folder`; how that went.
fn planned_and_bought(home: &Home, folder: &Path, now: UnixTime) -> (Vec<Value>, Value) {
    let days = DAYS.to_string();
    let planned = home.json(&["plan", "--days", &days]);
    // What comes within these days only if more is used is told, too.
    let until = now.plus(Secs::days(DAYS));
    let comes = |one: &&Value| one["does"] == "buys" && instant(&one["likely"]) <= until;
    let planned: Vec<Value> = planned["plan"].as_array().unwrap().iter().filter(comes).cloned().collect();
    let before = fs::read(home.path().join("state/simkeeper.db")).unwrap();
    let rehearsed = home.run(&["rehearse", "--days", &days, "--to", folder.to_str().unwrap(), "--json"]);
    assert_eq!(code(&rehearsed), 0, "{}{}", out(&rehearsed), err(&rehearsed));
    let rehearsed: Value = serde_json::from_slice(&rehearsed.stdout).unwrap();
    assert_eq!(fs::read(home.path().join("state/simkeeper.db")).unwrap(), before, "the record is as it was");

    let bought = rehearsed["purchases"].as_array().unwrap();
    assert_eq!(bought.len(), planned.len(), "{planned:#?}{bought:#?}");
    for (planned, bought) in planned.iter().zip(bought) {
        assert_eq!((&bought["card"], &bought["plan"]), (&planned["card"], &planned["plan"]));
        assert_eq!((&bought["price"], &bought["rules_line"]), (&planned["price"], &planned["rules_line"]));
        let (at, from) = (instant(&bought["at"]), instant(&planned["from"]));
        let until = if planned["until"].is_null() { until } else { instant(&planned["until"]) };
        assert!(from.minus(Secs::HOUR) <= at && at <= until.plus(Secs::HOUR), "{bought:#?}{planned:#?}");
    }
    (planned, rehearsed)
}

#[test]
fn what_is_planned_is_bought_whatever_becomes_of_a_plan_that_is_bought_while_another_runs() {
    let now = now();
    let days_of = |stacking| {
        let plans = vec![plan("gb", 1_000, 30, 5), plan("month", 2_000, 6, 9)];
        let sold = Catalogue { stacking, ..Catalogue::of(now.minus(Secs::HOUR), plans) };
        let home = home_with(now, [("canada", 1_075, 4), ("camera", 2_900, 9)], &sold);
        let (_, rehearsed) = planned_and_bought(&home, &home.path().join("rehearsal"), now);
        let bought = rehearsed["purchases"].as_array().unwrap().iter();
        let days = |card: &'static str| -> Vec<i64> {
            let of_card = bought.clone().filter(|one| one["card"] == card);
            of_card.map(|one| instant(&one["at"]).since(now).0 / Secs::DAY.0).collect()
        };
        (days("canada"), days("camera"))
    };
    let (queues, extends, beside) = (days_of(Stacking::Queues), days_of(Stacking::Extends), days_of(Stacking::Beside));
    // What is left of the old plan is lost where it is not extended.
    assert_eq!((queues.0.len(), beside.0.len(), extends.0.len()), (2, 2, 2));
    assert!(queues.0[1] + 1 < extends.0[1] && beside.0[1] + 1 < extends.0[1], "{queues:?} {extends:?} {beside:?}");
    // What begins at once ends sooner than what waits.
    assert_eq!((&queues.1, queues.1.len()), (&extends.1, 2));
    assert!(beside.1[1] < queues.1[1], "{queues:?} {beside:?}");
}

#[test]
fn what_is_planned_is_bought_in_the_rehearsal_and_again_by_the_same_rules() {
    let now = now();
    let home = home(now);
    let folder = home.path().join("rehearsal");
    let (planned, rehearsed) = planned_and_bought(&home, &folder, now);
    assert_eq!(planned.len(), 3, "{planned:#?}");
    let told: Vec<&Value> =
        rehearsed["messages"].as_array().unwrap().iter().filter(|one| one["kind"] == "bought").collect();
    assert_eq!(told.len(), 3, "each purchase is told");
    assert!(rehearsed["rehearsal"][1].as_str().unwrap().starts_with("No operator was asked"));
    assert_eq!(rehearsed["months"].as_array().unwrap().iter().map(|month| euros(&month["money"])).sum::<i64>(), 19);
    assert!(fs::read(folder.join("rehearsal.png")).unwrap().starts_with(b"\x89PNG"));
    assert!(fs::read_to_string(folder.join("rehearsal.svg")).unwrap().contains(">canada<"));

    replayed(&home, &folder, now);
    for month in rehearsed["months"].as_array().unwrap() {
        let arguments = ["spend", "--month", month["month"].as_str().unwrap(), "--state"];
        let spent = home.json(&[&arguments[..], &[folder.join("state").to_str().unwrap()]].concat());
        assert_eq!(spent["in_all"]["spent"], json!([month["money"]]), "{spent:#}");
        let canada = spent["cards"].as_array().unwrap().iter().find(|card| card["card"] == "canada");
        assert!(canada.is_none_or(|canada| canada["limit"] == "40.00 EUR"), "{spent:#}");
    }
}

fn euros(money: &Value) -> i64 {
    let (number, _) = money.as_str().unwrap().split_once(' ').unwrap();
    number.parse::<f64>().unwrap() as i64
}

/// The rehearsal's record is a past like any other.
fn replayed(home: &Home, folder: &Path, now: UnixTime) {
    let ends = now.plus(Secs::days(DAYS));
    let clock = format!("1@{}@{ends}", machine_millis());
    let state = folder.join("state");
    let from = now.to_string();
    let replay = |rules: &str| {
        let file = home.write("changed.toml", rules);
        let arguments = ["replay", file.to_str().unwrap(), "--from", &from, "--clock", &clock, "--state"];
        home.json(&[&arguments[..], &[state.to_str().unwrap()]].concat())
    };
    let changes = |told: &Value| -> Vec<String> {
        let cards = told["cards"].as_array().unwrap().iter();
        let purchases = cards.flat_map(|card| card["purchases"].as_array().unwrap());
        purchases.map(|pair| pair["change"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(changes(&replay(RULES)), ["same"; 3]);
    let earlier = replay(&RULES.replace("500 MB", "700 MB"));
    assert!(changes(&earlier).iter().filter(|change| *change == "moved").count() >= 2, "{earlier:#}");
    let none = replay(&RULES.replace("mode = \"auto\"", "mode = \"watch\""));
    assert_eq!(changes(&none), ["dropped"; 3]);
    assert_eq!(
        none["money"],
        json!([{ "paid": "19.00 EUR", "would_be_paid": "0.00 EUR", "difference": "-19.00 EUR" }])
    );
}

#[test]
fn a_broken_file_is_told_as_check_would_and_nothing_is_played() {
    let home = home(now());
    let broken = home.write("broken.toml", &RULES.replace("data_below", "data_belo"));
    for command in [
        vec!["replay", broken.to_str().unwrap(), "--from", "2026-01-01"],
        vec!["rehearse", "--rules", broken.to_str().unwrap()],
    ] {
        let told = home.run(&command);
        assert_eq!(code(&told), 3, "{}", err(&told));
        assert!(err(&told).contains("broken.toml:16") && err(&told).contains("data_below"), "{}", err(&told));
    }
}
