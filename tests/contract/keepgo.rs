//! Keepgo: documents put together from the field list of an integrator's proxy; the vendor publishes none.

use std::sync::Arc;

use simkeeper::domain::attempt::Snapshot;
use simkeeper::domain::card::Card;
use simkeeper::domain::data::DataSize;
use simkeeper::domain::identity::Iccid;
use simkeeper::domain::operator::{Doubt, Found, OperatorError, RefusalKind, SentOrder};
use simkeeper::domain::reading::CardState;
use simkeeper::domain::time::UnixTime;
use simkeeper::operators::keepgo::Keepgo;

use super::case::{Bought, BuyCase, Contract, FindCase, Replies, Seen, card, changed, data, money, plan};
use super::suite::Bench;

const ICCID: &str = "8965972579000123456";
const OTHER: &str = "8965972579000123464";
const BUY: &str = "POST /line/8965972579000123456/refill";
const FIND: &str = "GET /line/8965972579000123456/transactions";
const LINE: &str = "GET /line/8965972579000123456/get_details";
const SOLD: &str = "GET /line/8965972579000123456/available_refills";
const LINES: &str = "GET /lines";

pub(crate) fn contract() -> Contract {
    let world = world();
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let find = |name, order_id, world, expected| FindCase { name, order_id, world, expected };
    let answered = |body: &str| world.clone().instead(BUY, body);
    let listed = |changes: &[(&str, &str)]| world.clone().instead(FIND, transactions(changes));
    Contract {
        kind: "keepgo",
        open: |way| Ok(Arc::new(Keepgo::open(way, None, "a-key".into(), "a-secret".into())?)),
        now: now(),
        card: card(Some(ICCID), None),
        plan: plan("1024-10", "1GB", "7.00 USD", Some(1 << 30), Some(10)),
        payment: "wallet",
        world: world.clone(),
        reading: |reading| {
            assert_eq!(reading.state, CardState::Active);
            assert_eq!(reading.data_left(), Some(DataSize(50 << 20)));
            assert_eq!(reading.plan.as_deref(), Some("100-10"));
            assert_eq!(reading.assets, ["42"]);
            assert_eq!(reading.plan_ends.unwrap().at.to_string(), "2022-08-21T11:57:27Z");
            assert_eq!(reading.number_ends, None);
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 1),
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("8.63 USD")))),
        dispensable: &[],
        token_call: None,
        buy_call: BUY,
        order_id: Some("AB_32321_42"),
        buys: vec![
            buy("done", world.clone(), Bought::Accepted(Some("AB_32321_42"))),
            buy(
                "another word than success",
                answered(r#"{"ack":"error","message":"Not enough money"}"#),
                Bought::Unknown(Doubt::UnlistedCode),
            ),
            buy("no proof", answered(r#"{"ack":"success"}"#), Bought::Unknown(Doubt::Unproven)),
            buy(
                "no documented refusal",
                world.clone().instead_status(BUY, "422 Unprocessable Entity", r#"{"ack":"error"}"#),
                Bought::Unknown(Doubt::UnlistedCode),
            ),
        ],
        finds: vec![
            find("by its transaction", Some("AB_49406_58"), world.clone(), Seen::Accepted("AB_49406_58")),
            find("by size and time", None, world.clone(), Seen::Accepted("AB_49406_58")),
            find("another transaction", Some("AB_1_1"), world.clone(), Seen::Nothing),
            find("another size", None, listed(&[("/refill_amount_mb", "100")]), Seen::Nothing),
            find("too early", None, listed(&[("/created_at", "\"2022-08-15 10:59:59\"")]), Seen::Nothing),
            find("another word", None, listed(&[("/status", "\"Failed\"")]), Seen::Pending("AB_49406_58")),
            find("none", None, world.instead(FIND, page(&[])), Seen::Nothing),
        ],
    }
}

/// While the recorded data bundle is in use.
fn now() -> UnixTime {
    UnixTime::parse("2022-08-15T12:00:00Z").unwrap()
}

fn world() -> Replies {
    Replies::new()
        .on(LINE, data("keepgo/line_get_details.json"))
        .on(SOLD, data("keepgo/line_available_refills.json"))
        .on("GET /account_balance", data("keepgo/account_balance.json"))
        .on(BUY, data("keepgo/line_refill.json"))
        .on(FIND, transactions(&[]))
}

/// The recorded transaction, as if it had been made for our order.
fn transaction(changes: &[(&str, &str)]) -> String {
    let ours = [("/refill_amount_mb", "1024"), ("/created_at", "\"2022-08-15 12:00:05\""), ("/amount", "\"7.00\"")];
    let in_list = |(pointer, value): &(&str, &str)| (format!("/transactions/data/0{pointer}"), (*value).to_owned());
    let all: Vec<(String, String)> = ours.iter().chain(changes).map(in_list).collect();
    let all: Vec<(&str, &str)> = all.iter().map(|(pointer, value)| (pointer.as_str(), value.as_str())).collect();
    let doc: serde_json::Value = serde_json::from_str(&changed("keepgo/transactions.json", &all)).unwrap();
    doc["transactions"]["data"][0].to_string()
}

fn page(rows: &[&str]) -> String {
    format!(r#"{{"ack":"success","transactions":{{"data":[{}]}}}}"#, rows.join(","))
}

fn transactions(changes: &[(&str, &str)]) -> String {
    page(&[&transaction(changes)])
}

super::suite::contract!();

#[tokio::test]
async fn nothing_is_offered_while_keepgo_refills_by_itself() {
    let mut contract = contract();
    contract.world = world().changed(LINE, |reply| {
        reply.body = changed("keepgo/line_get_details.json", &[("/sim_card/auto_refill_turned_on", "true")]);
    });
    let asked = Bench::new(&contract, &contract.world).await.asked(&contract).await;
    assert_eq!(asked.reading.unwrap().state, CardState::Active, "the card itself is well");
    for error in [asked.catalogue.unwrap_err(), asked.preflight.unwrap_err()] {
        assert!(matches!(error, OperatorError::Never { kind: RefusalKind::Other, .. }), "{error:?}");
        assert!(error.to_string().contains("auto-refill is on"), "{error}");
    }
}

#[tokio::test]
async fn an_order_says_what_and_for_which_line_and_nothing_else() {
    let contract = contract();
    let bench = Bench::new(&contract, &contract.world).await;
    let mut order = contract.order();
    for (id, body) in [
        ("1024-10", r#"{"amount_days":10,"amount_mb":1024}"#),
        ("1024-lifetime", r#"{"amount_days":null,"amount_mb":1024}"#),
    ] {
        order.plan.id = id.into();
        let prepared = bench.operator.prepare(&contract.card, &order).unwrap();
        assert_eq!(prepared.path, "/line/8965972579000123456/refill");
        assert_eq!(String::from_utf8(prepared.body).unwrap(), body);
    }
    order.plan.id = "bonbon".into();
    assert!(bench.operator.prepare(&contract.card, &order).is_err());
    drop(bench.bought(&contract).await);
    let request = bench.served.server.requests().pop().unwrap();
    assert!(request.starts_with("POST /line/8965972579000123456/refill HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\napikey: a-key\r\naccesstoken: a-secret\r\n"), "{request}");
}

/// The order, sent to a card that had the bundle 42 and no other.
fn sent(order_id: Option<&str>) -> SentOrder {
    let before = Snapshot { assets: vec!["42".into()], ..Snapshot::default() };
    SentOrder { before: Some(before), ..contract().sent(order_id) }
}

/// The recorded line with these bundles beside its own.
fn with_bundles(ids: &[u32]) -> String {
    let mut doc: serde_json::Value = serde_json::from_str(&data("keepgo/line_get_details.json")).unwrap();
    let bundles = doc["sim_card"]["data_bundles"].as_array_mut().unwrap();
    for id in ids {
        bundles
            .push(serde_json::json!({ "id": id, "status": "Assigned", "allowed_usage_kb": 1_048_576, "validity": 10 }));
    }
    doc.to_string()
}

async fn found(rows: &[&str], bundles: &[u32], order_id: Option<&str>) -> Result<Found, OperatorError> {
    let contract = contract();
    let world = world().instead(FIND, page(rows)).instead(LINE, with_bundles(bundles));
    Bench::new(&contract, &world).await.operator.find(&contract.card, &sent(order_id)).await
}

#[tokio::test]
async fn transactions_and_bundles_are_weighed_together() {
    let ours = transaction(&[]);
    let second = transaction(&[("/transaction_id", "\"AB_49406_59\"")]);
    let pending = transaction(&[("/status", "\"Processing\"")]);
    let by_transaction = || Found::Accepted { order_id: "AB_49406_58".into(), charged: Some(money("7.00 EUR")) };
    let by_bundle = || Found::Accepted { order_id: "data bundle 43".into(), charged: None };
    assert_eq!(found(&[], &[], None).await, Ok(Found::Nothing));
    assert_eq!(found(&[&ours], &[43], None).await, Ok(by_transaction()));
    assert_eq!(found(&[&ours], &[], None).await, Ok(by_transaction()), "the bundle may come later");
    assert_eq!(found(&[&pending], &[43], None).await, Ok(by_transaction()), "the bundle is there");
    assert_eq!(found(&[&pending], &[], None).await, Ok(Found::Pending { order_id: "AB_49406_58".into() }));
    assert_eq!(found(&[], &[43], None).await, Ok(by_bundle()));
    assert_eq!(found(&[], &[43], Some("data bundle 43")).await, Ok(by_bundle()), "and again by that name");
    assert_eq!(found(&[], &[], Some("data bundle 43")).await, Ok(Found::Nothing));
    assert_eq!(found(&[&ours, &second], &[43], None).await, Ok(by_bundle()));
    assert!(found(&[&ours, &second], &[], None).await.is_err(), "which is ours?");
    assert!(found(&[&ours], &[43, 44], None).await.is_err(), "which is ours?");
}

#[tokio::test]
async fn all_pages_of_transactions_are_read() {
    let contract = contract();
    let early = transaction(&[("/created_at", "\"2022-08-01 12:00:00\""), ("/transaction_id", "\"AB_1_1\"")]);
    let world = |pages: &[String]| {
        let mut world = world().without(FIND);
        for page in pages {
            world = world.on(FIND, page.clone());
        }
        world
    };
    let look = async |pages: &[String]| {
        let bench = Bench::new(&contract, &world(pages)).await;
        let found = bench.operator.find(&contract.card, &contract.sent(None)).await;
        (found, bench.served.count(FIND))
    };
    let (found, calls) = look(&[page(&[&early]), transactions(&[]), page(&[])]).await;
    assert!(matches!(found, Ok(Found::Accepted { .. })), "on the second page: {found:?}");
    assert_eq!(calls, 3);
    let (found, calls) = look(&[page(&[&early])]).await;
    assert_eq!((found, calls), (Ok(Found::Nothing), 2), "the same page twice is the end");
    let endless: Vec<String> = (0..60)
        .map(|n| transactions(&[("/transaction_id", &format!("\"AB_{n}\"")), ("/refill_amount_mb", "1")]))
        .collect();
    assert!(matches!(look(&endless).await, (Err(OperatorError::Unknown { .. }), 50)));
}

fn fleet(others: usize) -> Vec<Card> {
    let of = |iccid: &str| Card { iccid: Some(Iccid::parse(iccid).unwrap()), ..card(None, None) };
    [ICCID, OTHER].into_iter().map(of).chain((0..others).map(|n| of(&format!("89659725790001{n:05}")))).collect()
}

#[tokio::test]
async fn many_cards_are_read_from_the_list_and_the_others_by_themselves() {
    let contract = contract();
    let world = world().on(LINES, data("keepgo/lines.json"));
    let bench = Bench::on(&contract, &world, |way| way.unpaced = true).await;
    let readings = bench.operator.read(&fleet(3), now()).await;
    (contract.reading)(readings[0].as_ref().unwrap());
    assert_eq!(readings[1].as_ref().unwrap().state, CardState::NotActive);
    for reading in &readings[2..] {
        assert!(matches!(reading, Err(OperatorError::Never { kind: RefusalKind::CardData, .. })), "{reading:?}");
    }
    assert_eq!((bench.served.count(LINES), bench.served.count(LINE)), (1, 0));
    assert!(bench.served.server.requests()[0].starts_with("GET /lines?page=1&per_page=100 "));
    assert!(bench.operator.read(&fleet(0)[..1], now()).await[0].is_ok());
    assert_eq!(bench.served.count(LINE), 1, "a card by itself is never read from a list");
}

#[tokio::test]
async fn ten_thousand_cards_cost_their_pages() {
    let contract = contract();
    let row: serde_json::Value = serde_json::from_str(&data("keepgo/lines.json")).unwrap();
    let mut world = world();
    for number in 0..100 {
        let rows = (0..100).map(|n| {
            let mut line = row["sim_cards"]["items"][0].clone();
            line["iccid"] = format!("89659725790001{:05}", number * 100 + n).into();
            line
        });
        let items: Vec<_> = rows.collect();
        let page = serde_json::json!({ "ack": "success", "sim_cards": { "items": items, "last_page": 100 } });
        world = world.on(LINES, page.to_string());
    }
    let bench = Bench::on(&contract, &world, |way| way.unpaced = true).await;
    let readings = bench.operator.read(&fleet(10_000)[2..], now()).await;
    assert!(readings.iter().all(Result::is_ok));
    assert_eq!((readings.len(), bench.served.calls().len()), (10_000, 100));
}

#[tokio::test]
async fn a_list_that_cannot_be_used_is_not_needed() {
    let contract = contract();
    let cards: Vec<Card> = (0..5).map(|_| card(Some(ICCID), None)).collect();
    for body in
        ["{}", r#"{"ack":"error"}"#, r#"{"ack":"success","sim_cards":{"items":[{"iccid":"8965972579000123456"}]}}"#]
    {
        let bench = Bench::on(&contract, &world().on(LINES, body), |way| way.unpaced = true).await;
        let readings = bench.operator.read(&cards, now()).await;
        assert!(readings.iter().all(Result::is_ok), "{body}: {readings:?}");
        assert_eq!(bench.served.count(LINE), 5);
    }
    let busy = world().on_status(LINES, "429 Too Many Requests", "{}").header("Retry-After: 9");
    let bench = Bench::on(&contract, &busy, |way| way.unpaced = true).await;
    let readings = bench.operator.read(&cards, now()).await;
    assert!(readings.iter().all(|one| matches!(one, Err(OperatorError::Later { retry_after: Some(_), .. }))));
    assert_eq!(bench.served.calls().len(), 1, "who is asked to wait waits");
    let plain = world()
        .on_status(&format!("{LINES}?per_page"), "422 Unprocessable Entity", r#"{"ack":"error"}"#)
        .on(LINES, data("keepgo/lines.json"));
    let bench = Bench::on(&contract, &plain, |way| way.unpaced = true).await;
    assert!(bench.operator.read(&cards, now()).await.iter().all(Result::is_ok));
    assert_eq!((bench.served.count(LINES), bench.served.count(LINE)), (2, 0), "Keepgo's own number of lines");
}

#[tokio::test]
async fn the_lines_of_the_account_are_listed() {
    let contract = contract();
    let two = changed("keepgo/lines.json", &[("/sim_cards/last_page", "2")]);
    let bench = Bench::new(&contract, &world().on(LINES, two)).await;
    let page = bench.operator.discover(None).await.unwrap();
    let shown: Vec<_> =
        page.cards.iter().map(|card| (card.iccid.as_ref().unwrap().digits(), card.label.as_deref())).collect();
    assert_eq!(shown, [(ICCID, Some("Boat")), (OTHER, None)]);
    assert_eq!(page.next.as_deref(), Some("2"));
    assert_eq!(bench.operator.discover(Some("2")).await.unwrap().next, None);
    assert!(bench.operator.discover(Some("next")).await.is_err());
}
