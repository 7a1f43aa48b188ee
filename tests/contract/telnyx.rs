//! Telnyx: data limits that are raised, and a list of many cards.

use std::sync::Arc;

use serde_json::{Value, json};
use simkeeper::domain::attempt::Snapshot;
use simkeeper::domain::data::DataSize;
use simkeeper::domain::operator::{Doubt, Found, OperatorError, RefusalKind, SentOrder};
use simkeeper::domain::reading::CardState;
use simkeeper::operators::Operator;
use simkeeper::operators::telnyx::Telnyx;
use tokio::io::AsyncWriteExt;

use super::case::{Bought, BuyCase, Contract, FindCase, NOW, Replies, Seen, Way, card, changed, data, money, plan};
use super::loopback::{Server, answer};
use super::suite::{Bench, seen};

const ICCID: &str = "89310410106543789301";
const ID: &str = "6a09cdc3-8948-47f0-aa62-74ac943d6c58";
const CARDS: &str = "GET /sim_cards";
const BUY: &str = "PATCH /sim_cards/6a09cdc3-8948-47f0-aa62-74ac943d6c58";
const OURS: &str = "limit=2148100000";

pub(crate) fn contract() -> Contract {
    let world = world();
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let answered = |limit: &str| world.clone().instead(BUY, sim(&[("/data/data_limit/amount", limit)]));
    let find = |name, order_id, world, expected| FindCase { name, order_id, world, expected };
    let other = world.clone().instead(BUY, sim(&[("/data/id", "\"another\"")]));
    Contract {
        kind: "telnyx",
        open: |way| Ok(Arc::new(Telnyx::open(way, "a-secret".into())?)),
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
            assert_eq!(reading.data_left(), Some(DataSize(1_000_000_000)));
            assert_eq!(reading.assets, ["limit=2048100000"]);
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 4),
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("400.00 USD")))),
        dispensable: &[],
        token_call: None,
        buy_call: BUY,
        order_id: Some(OURS),
        buys: vec![
            buy("done", world.clone(), Bought::Accepted(Some(OURS))),
            buy("still the old limit", answered("\"2048.1\""), Bought::Unknown(Doubt::Unproven)),
            buy("another card", other, Bought::Unknown(Doubt::Unproven)),
            buy(
                "refused",
                world.clone().instead_status(BUY, "422 Unprocessable Entity", data("telnyx/error_422.json")),
                Bought::Unknown(Doubt::UnlistedCode),
            ),
            buy(
                "no access",
                world.clone().instead_status(BUY, "401 Unauthorized", "{}"),
                Bought::Unknown(Doubt::UnlistedCode),
            ),
        ],
        finds: vec![
            find("not told what was before", None, world.clone(), Seen::Error),
            find("not raised", Some(OURS), world.clone(), Seen::Nothing),
            find("raised", Some("limit=2048100000"), world.clone(), Seen::Accepted("limit=2048100000")),
            find("no such card", Some(OURS), world.instead(CARDS, r#"{"data":[],"meta":{}}"#), Seen::Error),
        ],
    }
}

/// The example card with less used than its limit, and changed.
fn sim(changes: &[(&str, &str)]) -> String {
    let used = [("/data/current_billing_period_consumed_data/amount", "\"1048.1\"")];
    changed("telnyx/sim_card.json", &[&used[..], changes].concat())
}

fn page(docs: &[String], pages: usize) -> String {
    let rows: Vec<Value> = docs.iter().map(|doc| serde_json::from_str::<Value>(doc).unwrap()["data"].take()).collect();
    json!({"data": rows, "meta": {"total_pages": pages, "total_results": rows.len(), "page_number": 1}}).to_string()
}

fn world() -> Replies {
    Replies::new()
        .on("GET /balance", data("telnyx/balance.json"))
        .on(CARDS, page(&[sim(&[])], 1))
        .on(BUY, sim(&[("/data/data_limit/amount", "\"2148.1\"")]))
}

super::suite::contract!();

#[tokio::test]
async fn a_part_of_a_number_is_not_the_number() {
    let longer = sim(&[("/data/iccid", "\"893104101065437893011\""), ("/data/id", "\"another\"")]);
    let other = sim(&[("/data/iccid", "\"89310410106543789399\""), ("/data/id", "\"another\"")]);
    let read = async |docs: &[String]| {
        let bench = Bench::new(&contract(), &world().instead(CARDS, page(docs, 1))).await;
        bench.asked(&contract()).await.reading
    };
    assert!(read(&[longer.clone(), sim(&[]), other.clone()]).await.is_ok());
    let stranger = read(std::slice::from_ref(&other)).await;
    assert!(matches!(stranger, Err(OperatorError::Never { kind: RefusalKind::CardData, .. })), "{stranger:?}");
    let two = read(&[sim(&[]), sim(&[("/data/id", "\"another\"")])]).await;
    assert!(matches!(two, Err(OperatorError::Unknown { .. })), "{two:?}");
}

#[tokio::test]
async fn an_order_is_found_by_the_limit_before_it() {
    let contract = contract();
    let found = async |before: &str, used: &str| {
        let doc = sim(&[("/data/data_limit/amount", used)]);
        let bench = Bench::new(&contract, &world().instead(CARDS, page(&[doc], 1))).await;
        let snapshot = Snapshot { assets: vec![before.to_owned()], ..Snapshot::default() };
        let sent = SentOrder { before: Some(snapshot), ..contract.sent(None) };
        let found: Result<Found, OperatorError> = bench.operator.find(&contract.card, &sent).await;
        seen(&found)
    };
    assert_eq!(found("limit=2048100000", "\"2148.1\"").await, Seen::Accepted(OURS));
    assert_eq!(found("limit=2048100000", "\"2148.0\"").await, Seen::Nothing);
    assert_eq!(found("limit=2048100000", "\"9000\"").await, Seen::Accepted(OURS));
}

#[tokio::test]
async fn the_limit_is_raised_from_what_was_read_and_only_then() {
    let contract = contract();
    let bench = Bench::new(&contract, &contract.world).await;
    let unread = bench.operator.prepare(&contract.card, &contract.order());
    assert!(matches!(unread, Err(OperatorError::Later { .. })), "{unread:?}");
    drop(bench.operator.read(std::slice::from_ref(&contract.card), NOW).await);
    let prepared = bench.operator.prepare(&contract.card, &contract.order()).unwrap();
    assert_eq!(prepared.path, format!("/sim_cards/{ID}"));
    assert_eq!(prepared.body, br#"{"data_limit":{"amount":"2148.1","unit":"MB"}}"#);
}

#[tokio::test]
async fn a_limit_that_moved_between_the_readings_is_read_again() {
    let contract = contract();
    let moved = sim(&[("/data/data_limit/amount", "\"5000.0\"")]);
    let world = world().on(CARDS, page(&[moved], 1));
    let bench = Bench::new(&contract, &world).await;
    drop(bench.operator.read(std::slice::from_ref(&contract.card), NOW).await);
    let looked = bench.operator.preflight(&contract.card, &contract.plan, None).await;
    assert!(matches!(looked, Err(OperatorError::Later { .. })), "{looked:?}");
    let again = bench.operator.preflight(&contract.card, &contract.plan, None).await.unwrap();
    assert_eq!(again.offer, Some(contract.plan));
}

#[tokio::test]
async fn a_fleet_costs_its_pages() {
    let number = |row: usize| format!("89310410106543{row:05}");
    let server = Server::start(move |mut socket, request| {
        let line = request.lines().next().unwrap_or_default().to_owned();
        let at = line.split("page%5Bnumber%5D=").nth(1).and_then(|rest| rest.split('&').next()?.parse::<usize>().ok());
        let rows: Vec<Value> = at.map_or(vec![], |at| {
            let row = |row: usize| {
                let doc =
                    sim(&[("/data/iccid", &format!("\"{}\"", number(row))), ("/data/id", &format!("\"id-{row}\""))]);
                serde_json::from_str::<Value>(&doc).unwrap()["data"].take()
            };
            ((at - 1) * 250..at * 250).map(row).collect()
        });
        let body = json!({"data": rows, "meta": {"total_pages": 4}}).to_string();
        Box::pin(
            async move { drop(socket.write_all(answer("200 OK", "Connection: close\r\n", &body).as_bytes()).await) },
        )
    })
    .await;
    let telnyx = Telnyx::open(&Way::to(&server.address), "a-secret".into()).unwrap();
    let cards: Vec<_> = (0..1_000).map(|row| card(Some(&number(row)), None)).collect();
    let readings = telnyx.read(&cards, NOW).await;
    assert_eq!(readings.iter().filter(|reading| reading.is_ok()).count(), 1_000);
    assert_eq!(server.requests().len(), 4);
    let first = telnyx.discover(None).await.unwrap();
    assert_eq!((first.cards.len(), first.next.as_deref()), (250, Some("2")));
    let last = telnyx.discover(Some("4")).await.unwrap();
    assert_eq!((last.cards.len(), last.next), (250, None));
}
