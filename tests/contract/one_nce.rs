//! 1NCE: top-ups that the API does not price, orders found in a list of ten a page, and a list of many cards.

use std::sync::Arc;

use serde_json::{Value, json};
use simkeeper::domain::data::DataSize;
use simkeeper::domain::operator::{BuyAnswer, Doubt, Found, OperatorError, Order, RefusalKind, SentOrder};
use simkeeper::domain::plan::Plan;
use simkeeper::domain::reading::CardState;
use simkeeper::operators::Operator;
use simkeeper::operators::one_nce::OneNce;
use tokio::io::AsyncWriteExt;

use super::case::{Bought, BuyCase, Contract, FindCase, NOW, Replies, Seen, Way, card, changed, data, money, plan};
use super::loopback::{Server, answer};
use super::suite::Bench;

const ICCID: &str = "8988303000123456789";
const TOKEN: &str = "POST /oauth/token";
const SIM: &str = "GET /v1/sims/8988303000123456789";
const DATA: &str = "GET /v2/sims/8988303000123456789/quota/data";
const SMS: &str = "GET /v2/sims/8988303000123456789/quota/sms";
const BUY: &str = "POST /v1/sims/8988303000123456789/topup";
const EXTEND: &str = "POST /v1/sims/extension";
const ORDER: &str = "GET /v1/orders/1234";
const ORDERS: &str = "GET /v1/orders";
const LOCATION: &str = "Location: https://api.1nce.com/management-api/v1/orders/1234";

pub(crate) fn contract() -> Contract {
    let world = world();
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let refused = |status: &str, body: String| world.clone().instead_status(BUY, status, body);
    let find = |name, order_id, world, expected| FindCase { name, order_id, world, expected };
    let among = |orders: &[Value]| world.clone().instead(ORDERS, json!(orders).to_string());
    let later = world
        .clone()
        .instead(
            ORDERS,
            json!([order(&[("/order_number", "7"), ("/order_date", "null"), ("/sims", "[]")])]).to_string(),
        )
        .header("X-Total-Pages: 3")
        .on("GET /v1/orders?page=3&", "[]")
        .on("GET /v1/orders?page=2&", json!([order(&[])]).to_string());
    Contract {
        kind: "1nce",
        open: |way| Ok(Arc::new(OneNce::open(way, "a-user", &"a-secret".into(), vec![topup(), extension()])?)),
        now: NOW,
        card: card(Some(ICCID), None),
        plan: topup(),
        payment: "creditcard",
        world: world.clone(),
        reading: |reading| {
            assert_eq!(reading.state, CardState::Active);
            assert_eq!(reading.data_left(), Some(DataSize(456_956_786)));
            assert_eq!(reading.allowances[1].remaining, 248);
            assert_eq!(reading.plan_ends.unwrap().at.to_string(), "2029-01-01T00:00:00Z");
            assert_eq!(reading.assets, ["100 MB until 2029-01-01T00:00:00Z"]);
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans, [topup(), extension()]),
        wallet: None,
        dispensable: &[],
        token_call: Some(TOKEN),
        buy_call: BUY,
        order_id: Some("1234"),
        buys: vec![
            buy("done", world.clone(), Bought::Accepted(Some("1234"))),
            buy(
                "no such way to pay",
                refused("400 Bad Request", data("1nce/topup_error_400.json")),
                Bought::Refused(RefusalKind::PaymentDeclined),
            ),
            buy(
                "another 400",
                refused("400 Bad Request", r#"{"message":"?"}"#.into()),
                Bought::Unknown(Doubt::UnlistedCode),
            ),
            buy("no access", refused("401 Unauthorized", String::new()), Bought::Unknown(Doubt::UnlistedCode)),
            buy("not ours", refused("403 Forbidden", String::new()), Bought::Refused(RefusalKind::CardData)),
            buy("no such card", refused("404 Not Found", String::new()), Bought::Refused(RefusalKind::CardData)),
            buy("expired", refused("422 Unprocessable", String::new()), Bought::Refused(RefusalKind::PlanGone)),
            buy("no number", refused("201 Created", String::new()), Bought::Unknown(Doubt::Unproven)),
        ],
        finds: vec![
            find("by number", Some("1234"), world.clone(), Seen::Accepted("1234")),
            find("by card and date", None, world.clone(), Seen::Accepted("1234")),
            find("on another page", None, later, Seen::Accepted("1234")),
            find("not there", None, among(&[]), Seen::Nothing),
            find("an older one", None, among(&[order(&[("/order_date", "\"2026-11-22T10:59:59Z\"")])]), Seen::Nothing),
            find("another card", None, among(&[order(&[("/sims/0/iccid", "\"8988303000999999999\"")])]), Seen::Nothing),
            find("not yet paid", None, among(&[order(&[("/order_status", "\"OPEN\"")])]), Seen::Pending("1234")),
            find("two", None, among(&[order(&[]), order(&[("/order_number", "1235")])]), Seen::Error),
            find("one of many", None, among(&[order(&[("/order_type", "\"BULK_TOPUP\"")])]), Seen::Error),
        ],
    }
}

fn topup() -> Plan {
    plan("topup", "500 MB and 250 SMS", "10.00 EUR", Some(500 << 20), None)
}

fn extension() -> Plan {
    plan("extension", "ten years more", "12.00 EUR", Some(500 << 20), Some(3_650))
}

/// The example order as our top-up, and changed.
fn order(changes: &[(&str, &str)]) -> Value {
    let ours = [
        ("/order_number", "1234"),
        ("/order_type", "\"TOPUP\""),
        ("/order_date", "\"2026-11-22T12:00:03.000+0000\""),
        ("/sims/0/iccid", "\"8988303000123456789\""),
    ];
    serde_json::from_str(&changed("1nce/order.json", &[&ours[..], changes].concat())).unwrap()
}

fn world() -> Replies {
    Replies::new()
        .on(TOKEN, data("1nce/token.json"))
        .on(SIM, changed("1nce/sim.json", &[("/status", "\"Enabled\"")]))
        .on(DATA, data("1nce/quota_data.json"))
        .on(SMS, data("1nce/quota_sms.json"))
        .on_status(BUY, "201 Created", "")
        .header(LOCATION)
        .on_status(EXTEND, "201 Created", "")
        .on(ORDER, order(&[]).to_string())
        .on(ORDERS, json!([order(&[])]).to_string())
}

super::suite::contract!();

#[tokio::test]
async fn a_wrong_password_is_a_matter_of_access_although_it_is_a_400() {
    let contract = contract();
    let world = world().instead_status(TOKEN, "400 Bad Request", data("1nce/token_error_400.json"));
    let bench = Bench::new(&contract, &world).await;
    let reading = bench.operator.read(std::slice::from_ref(&contract.card), NOW).await.remove(0);
    assert!(matches!(reading, Err(OperatorError::Never { kind: RefusalKind::Access, .. })), "{reading:?}");
    let prepared = bench.operator.prepare(&contract.card, &contract.order()).unwrap();
    let bought = bench.operator.buy(&prepared).await;
    assert!(matches!(bought, BuyAnswer::Refused(ref refusal) if refusal.kind == RefusalKind::Access), "{bought:?}");
    assert_eq!(bench.served.count(BUY), 0);
}

#[tokio::test]
async fn a_way_to_pay_is_always_sent_and_the_body_of_a_top_up_is_empty() {
    let contract = contract();
    let bench = Bench::new(&contract, &contract.world).await;
    let order = |payment: &str| Order { payment: payment.into(), ..contract.order() };
    for other in ["", "wallet", "bank transfer", "creditcard&x=y"] {
        let refused = bench.operator.prepare(&contract.card, &order(other));
        assert!(matches!(refused, Err(OperatorError::Never { .. })), "{other}: {refused:?}");
    }
    let with_check_digit = card(Some("89883030001234567894"), None);
    let prepared = bench.operator.prepare(&with_check_digit, &order("monthlyinvoice")).unwrap();
    assert_eq!(
        bench.operator.buy(&prepared).await,
        BuyAnswer::Accepted { order_id: Some("1234".into()), charged: None }
    );
    let request = bench.served.server.requests().pop().unwrap();
    assert!(request.starts_with(&format!("{BUY}?payment_method=monthlyinvoice HTTP/1.1\r\n")), "{request}");
    assert!(request.to_lowercase().contains("content-length: 0"), "{request}");
    let mut silent = prepared;
    silent.path = "/v1/sims/8988303000123456789/topup".into();
    assert!(matches!(bench.operator.buy(&silent).await, BuyAnswer::NotSent { .. }));
}

#[tokio::test]
async fn an_expired_card_can_only_be_extended() {
    let contract = contract();
    let world = world().instead_status(SIM, "422 Unprocessable Entity", "");
    let bench = Bench::new(&contract, &world).await;
    let asked = bench.asked(&contract).await;
    assert_eq!(asked.reading.unwrap().state, CardState::Expired);
    assert_eq!(asked.catalogue.unwrap().plans, [extension()]);
    assert_eq!(asked.preflight.unwrap().offer, None, "no top-up");
    let order = Order { plan: extension(), ..contract.order() };
    let prepared = bench.operator.prepare(&contract.card, &order).unwrap();
    assert_eq!(prepared.body, br#"{"iccids":["8988303000123456789"]}"#);
    assert_eq!(bench.operator.buy(&prepared).await, BuyAnswer::Accepted { order_id: None, charged: None });
    let sent = SentOrder { plan_id: "extension".into(), ..contract.sent(None) };
    let absent = bench.operator.find(&contract.card, &sent).await;
    assert!(matches!(absent, Err(OperatorError::Unknown { .. })), "where it is listed is not documented: {absent:?}");
}

#[tokio::test]
async fn the_charge_is_the_invoice_with_tax() {
    let contract = contract();
    let bench = Bench::new(&contract, &contract.world).await;
    let found = bench.operator.find(&contract.card, &contract.sent(None)).await.unwrap();
    assert_eq!(found, Found::Accepted { order_id: "1234".into(), charged: Some(money("19.99 EUR")) });
}

/// A list of 400 cards, of which the first is low.
async fn fleet() -> Server {
    Server::start(move |mut socket, request| {
        let line = request.lines().next().unwrap_or_default().to_owned();
        let at = line.split("page=").nth(1).and_then(|rest| rest.split('&').next()?.parse::<usize>().ok());
        let row = |row: usize| {
            let low = if row == 0 { "1" } else { "0" };
            let number = format!("\"{}\"", number(row));
            let changes = [("/iccid", number.as_str()), ("/quota_status/id", low), ("/status", "\"Enabled\"")];
            serde_json::from_str::<Value>(&changed("1nce/sim.json", &changes)).unwrap()
        };
        let (head, body) = match at {
            _ if line.contains("/oauth/") => ("", data("1nce/token.json")),
            _ if line.contains("/quota/") => ("", data("1nce/quota_data.json")),
            Some(at) => {
                let rows: Vec<Value> = ((at - 1) * 100..at * 100).map(row).collect();
                ("X-Total-Pages: 4\r\n", json!(rows).to_string())
            }
            None => ("", "{}".into()),
        };
        let head = format!("{head}Connection: close\r\n");
        Box::pin(async move { drop(socket.write_all(answer("200 OK", &head, &body).as_bytes()).await) })
    })
    .await
}

fn number(row: usize) -> String {
    format!("89883030001234{row:05}")
}

#[tokio::test]
async fn a_fleet_costs_its_pages_and_two_calls_for_each_card_that_is_low() {
    let server = fleet().await;
    let nce = OneNce::open(&Way::to(&server.address), "a-user", &"a-secret".into(), vec![topup()]).unwrap();
    let cards: Vec<_> = (0..400).map(|row| card(Some(&number(row)), None)).collect();
    let readings: Vec<_> = nce.read(&cards, NOW).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(server.requests().len(), 1 + 4 + 2, "a token, the pages, and two for the card that is low");
    assert_eq!(readings[0].data_left(), Some(DataSize(456_956_786)), "read exactly");
    assert_eq!(readings[1].data_left(), None, "more than 20 % is no number");
    assert_eq!(readings[1].plan_ends, None, "the list does not tell");
    let found = nce.discover(None).await.unwrap();
    assert_eq!((found.cards.len(), found.next.as_deref()), (100, Some("2")));
    assert_eq!(found.cards[0].label.as_deref(), Some("DX-137-B12"));
    assert_eq!(nce.discover(Some("4")).await.unwrap().next, None);
}
