//! Hologram: data limits that are raised, and a list of many devices.

use std::sync::Arc;

use serde_json::{Value, json};
use simkeeper::domain::attempt::Snapshot;
use simkeeper::domain::data::DataSize;
use simkeeper::domain::operator::{Doubt, OperatorError, SentOrder};
use simkeeper::domain::reading::CardState;
use simkeeper::domain::time::Secs;
use simkeeper::operators::Operator;
use simkeeper::operators::hologram::Hologram;
use tokio::io::AsyncWriteExt;

use super::case::{Bought, BuyCase, Contract, FindCase, NOW, Replies, Seen, Way, card, changed, data, money, plan};
use super::loopback::{Server, answer};
use super::suite::{Bench, seen};

const ICCID: &str = "9990000000000001234";
const CARDS: &str = "GET /devices";
const BALANCE: &str = "GET /organizations/144/balance";
const BUY: &str = "POST /links/cellular/4321/limit/overage";
const OVERAGE: &str = "/links/cellular/0/overagelimit";
const OURS: &str = "limit=105000000";

pub(crate) fn contract() -> Contract {
    let world = world();
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let answered = |change: (&str, &str)| world.clone().instead(BUY, link(&[change]));
    let find = |name, order_id, world, expected| FindCase { name, order_id, world, expected };
    let unlimited = world.clone().instead(CARDS, page(&[device(&[(OVERAGE, "-1")])]));
    Contract {
        kind: "hologram",
        open: |way| Ok(Arc::new(Hologram::open(way, 144, &"a-secret".into())?)),
        now: NOW,
        card: card(Some(ICCID), None),
        plan: plan(
            "limit+100MB",
            "data limit raised by 100 MB; used data is charged to the account as it is used",
            "0.00 USD",
            Some(100_000_000),
            None,
        ),
        payment: "wallet",
        world: world.clone(),
        reading: |reading| {
            assert_eq!(reading.state, CardState::Active);
            assert_eq!(reading.data_left(), Some(DataSize(6_000_000 - 2_692_964)));
            assert_eq!(reading.plan_ends.unwrap().at.to_string(), "2026-12-05T01:00:00Z");
            assert_eq!(reading.assets, ["limit=5000000", "plan=127"]);
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 4),
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("96.05 USD")))),
        dispensable: &[],
        token_call: None,
        buy_call: BUY,
        order_id: Some(OURS),
        buys: vec![
            buy("done", world.clone(), Bought::Accepted(Some(OURS))),
            buy("still the old limit", answered(("/data/overagelimit", "5000000")), Bought::Unknown(Doubt::Unproven)),
            buy("another card", answered(("/data/id", "7")), Bought::Unknown(Doubt::Unproven)),
            buy(
                "refused in words",
                world.clone().instead(BUY, r#"{"success":false,"error":"no"}"#),
                Bought::Unknown(Doubt::Unreadable),
            ),
            buy(
                "too fast",
                world.clone().instead_status(BUY, "429 Too Many Requests", data("hologram/error_429.json")),
                Bought::Unknown(Doubt::Throttled),
            ),
        ],
        finds: vec![
            find("not told what was before", None, world.clone(), Seen::Error),
            find("not raised", Some(OURS), world.clone(), Seen::Nothing),
            find("raised", Some("limit=5000000"), world.clone(), Seen::Accepted("limit=5000000")),
            find("no limit any more", Some(OURS), unlimited, Seen::Accepted(OURS)),
            find("no such card", Some(OURS), world.instead(CARDS, page(&[])), Seen::Error),
        ],
    }
}

fn link(changes: &[(&str, &str)]) -> String {
    changed("hologram/cellular_link.json", changes)
}

/// The example device with a limit above what is used, and changed.
fn device(changes: &[(&str, &str)]) -> Value {
    let text = changed("hologram/device.json", &[&[(OVERAGE, "5000000")][..], changes].concat());
    serde_json::from_str(&text).unwrap()
}

fn page(devices: &[Value]) -> String {
    json!({"success": true, "limit": 500, "size": devices.len(), "data": devices}).to_string()
}

fn world() -> Replies {
    Replies::new()
        .on(BALANCE, data("hologram/balance.json"))
        .on(CARDS, page(&[device(&[])]))
        .on(BUY, link(&[("/data/overagelimit", "105000000")]))
}

super::suite::contract!();

#[tokio::test]
async fn too_many_calls_are_answered_by_waiting_ten_seconds() {
    let contract = contract();
    let busy = contract.world.clone().instead_status(CARDS, "429 Too Many Requests", data("hologram/error_429.json"));
    let reading = Bench::new(&contract, &busy).await.asked(&contract).await.reading;
    assert!(matches!(reading, Err(OperatorError::Later { retry_after: Some(Secs(10)), .. })), "{reading:?}");
}

#[tokio::test]
async fn an_order_is_found_by_the_limit_before_it() {
    let contract = contract();
    let found = async |now: &str| {
        let world = world().instead(CARDS, page(&[device(&[(OVERAGE, now)])]));
        let bench = Bench::new(&contract, &world).await;
        let assets = vec!["limit=5000000".to_owned(), "plan=127".to_owned()];
        let sent = SentOrder { before: Some(Snapshot { assets, ..Snapshot::default() }), ..contract.sent(None) };
        seen(&bench.operator.find(&contract.card, &sent).await)
    };
    assert_eq!(found("105000000").await, Seen::Accepted(OURS));
    assert_eq!(found("104999999").await, Seen::Nothing);
}

#[tokio::test]
async fn a_number_that_was_given_up_stands_behind_its_present_card() {
    let dead = device(&[("/links/cellular/0/state", "\"DEAD\""), ("/links/cellular/0/id", "7")]);
    for devices in [[dead.clone(), device(&[])], [device(&[]), dead]] {
        let bench = Bench::new(&contract(), &world().instead(CARDS, page(&devices))).await;
        (contract().reading)(&bench.asked(&contract()).await.reading.unwrap());
    }
}

#[tokio::test]
async fn a_card_without_a_limit_is_offered_nothing() {
    let world = world().instead(CARDS, page(&[device(&[(OVERAGE, "-1")])]));
    let asked = Bench::new(&contract(), &world).await.asked(&contract()).await;
    let reading = asked.reading.unwrap();
    assert!(reading.allowances[0].unlimited);
    assert_eq!(reading.data_left(), None);
    assert!(matches!(asked.catalogue, Err(OperatorError::Never { .. })), "{:?}", asked.catalogue);
}

#[tokio::test]
async fn a_fleet_costs_its_pages_whatever_addresses_they_name() {
    let number = |row: usize| format!("99900000000000{row:05}");
    let server = Server::start(move |mut socket, request| {
        let line = request.lines().next().unwrap_or_default().to_owned();
        let after =
            line.split("startafter=").nth(1).map_or(0, |rest| rest.split([' ', '&']).next().unwrap().parse().unwrap());
        let row = |row: usize| {
            let number = format!("\"{}\"", number(row));
            device(&[("/id", &row.to_string()), ("/links/cellular/0/sim", &number), ("/links/cellular/0/id", "5")])
        };
        let rows: Vec<Value> = (after + 1..=after + 100).map(row).collect();
        let next = json!({"base": "elsewhere.example", "next": "https://elsewhere.example/", "path": "/"});
        let body =
            json!({"success": true, "data": rows, "continues": after < 300, "links": next, "limit": 100}).to_string();
        Box::pin(
            async move { drop(socket.write_all(answer("200 OK", "Connection: close\r\n", &body).as_bytes()).await) },
        )
    })
    .await;
    let hologram = Hologram::open(&Way::to(&server.address), 144, &"a-secret".into()).unwrap();
    let cards: Vec<_> = (1..=400).map(|row| card(Some(&number(row)), None)).collect();
    let readings = hologram.read(&cards, NOW).await;
    assert_eq!(readings.iter().filter(|reading| reading.is_ok()).count(), 400);
    assert_eq!(server.requests().len(), 4);
    let first = hologram.discover(None).await.unwrap();
    assert_eq!((first.cards.len(), first.next.as_deref()), (100, Some("100")));
    assert_eq!(hologram.discover(Some("300")).await.unwrap().next, None);
}

#[tokio::test]
async fn a_list_in_a_circle_ends() {
    let body = json!({"success": true, "data": [device(&[])], "continues": true}).to_string();
    let world = world().instead(CARDS, body);
    let bench = Bench::new(&contract(), &world).await;
    let cards = vec![card(Some(ICCID), None); 10];
    let readings = bench.operator.read(&cards, NOW).await;
    assert!(readings.iter().all(|reading| matches!(reading, Err(OperatorError::Unknown { .. }))));
    assert_eq!(bench.served.count(CARDS), 2);
}
