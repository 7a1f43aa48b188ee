//! The Airalo adapter against the vendor's own example documents, served over HTTP on this machine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "loopback/fixed.rs"]
mod fixed;
mod loopback;

use fixed::answering;
use loopback::{Server, answer};
use serde_json::{Value, json};
use simkeeper::domain::card::{Card, CardId, Name};
use simkeeper::domain::data::DataSize;
use simkeeper::domain::identity::Iccid;
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::operator::{
    BuyAnswer, Class, Doubt, Found, OperatorError, Order, OrderKey, PreparedOrder, RefusalKind, SentOrder,
};
use simkeeper::domain::plan::{Contents, Plan};
use simkeeper::domain::reading::{AllowanceKind, CardState, Reading, Renewable};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::operators::Operator;
use simkeeper::operators::airalo::Airalo;
use simkeeper::operators::http::Way;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::io::AsyncWriteExt;

const NOW: UnixTime = UnixTime::clamped(1_673_300_000);
const ICCID: &str = "8910300000005271146";
const USAGE: &str = "GET /v2/sims/8910300000005271146/usage";
const PACKAGES: &str = "GET /v2/sims/8910300000005271146/packages";
const TOPUPS: &str = "GET /v2/sims/8910300000005271146/topups";
const TOKEN: &str = "POST /v2/token";
const BALANCE: &str = "GET /v2/balance";
const BUY: &str = "POST /v2/orders/topups";
const ORDERS: &str = "GET /v2/orders";
/// The connection is closed without an answer.
const LOST: &str = "";

/// Airalo with prepared answers: for each call those that are given, in their order, the last one for ever.
struct World {
    server: Server,
    airalo: Airalo,
}

impl World {
    async fn new(given: &[(&str, String)]) -> Self {
        let mut answers: HashMap<String, VecDeque<String>> = HashMap::new();
        for (call, answer) in given {
            answers.entry((*call).to_owned()).or_default().push_back(answer.clone());
        }
        for (call, name) in [(TOKEN, "token"), (BALANCE, "balance")] {
            answers.entry(call.to_owned()).or_insert_with(|| VecDeque::from([ok(&file(name))]));
        }
        let answers = Arc::new(Mutex::new(answers));
        let server = Server::start(move |mut socket, request| {
            let answer = next_answer(&mut answers.lock().unwrap(), &request);
            Box::pin(async move { drop(socket.write_all(answer.as_bytes()).await) })
        })
        .await;
        let airalo =
            Airalo::open(&Way::to(format!("{}/v2", server.address)), "an-id".into(), "a-secret".into()).unwrap();
        Self { server, airalo }
    }

    async fn read(&self) -> Result<Reading, OperatorError> {
        self.airalo.read(&[card()], NOW).await.remove(0)
    }

    /// How often a call was made.
    fn count(&self, call: &str) -> usize {
        self.server.requests().iter().filter(|request| call_of(request) == call).count()
    }

    fn last(&self, call: &str) -> String {
        self.server.requests().into_iter().rfind(|request| call_of(request) == call).unwrap()
    }
}

fn next_answer(answers: &mut HashMap<String, VecDeque<String>>, request: &str) -> String {
    let Some(left) = answers.get_mut(&call_of(request)) else {
        return status("404 Not Found", &file("usage_error_404"));
    };
    if left.len() > 1 { left.pop_front().unwrap() } else { left[0].clone() }
}

/// Method and path of a request, without the query.
fn call_of(request: &str) -> String {
    let line = request.lines().next().unwrap_or_default();
    line.split([' ', '?']).take(2).collect::<Vec<_>>().join(" ")
}

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("tests/data/airalo/{name}.json")).unwrap()
}

/// A document with some of its values changed; an empty pointer leaves it as it is.
fn changed(name: &str, changes: &[(&str, Value)]) -> String {
    let mut doc: Value = serde_json::from_str(&file(name)).unwrap();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        doc.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    doc.to_string()
}

/// A form of parts as it is sent.
fn form(pairs: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!("--simkeeper\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    pairs.iter().map(part).chain(["--simkeeper--\r\n".to_owned()]).collect()
}

fn ok(body: &str) -> String {
    status("200 OK", body)
}

fn status(status: &str, body: &str) -> String {
    let headers = "Content-Type: application/json\r\nConnection: close\r\nDate: Mon, 09 Jan 2023 21:33:20 GMT\r\nRetry-After: 60\r\n";
    answer(status, headers, body)
}

fn card() -> Card {
    Card {
        iccid: Some(Iccid::parse(ICCID).unwrap()),
        ..Card::new(CardId(1), Name::parse("canada").unwrap(), Name::parse("airalo").unwrap())
    }
}

fn usd(amount: &str) -> Money {
    Money::from_decimal(amount, Currency::USD).unwrap()
}

fn key() -> OrderKey {
    OrderKey::new(0x1234_5678_9abc_def0_1234_5678_9abc_def0)
}

fn order(plan: &str) -> Order {
    let plan = Plan {
        id: plan.into(),
        name: plan.into(),
        contents: Contents::default(),
        validity_secs: None,
        price: usd("4.05"),
    };
    Order { key: key(), plan, payment: "wallet".into(), code: None }
}

fn prepared(world: &World, plan: &str) -> PreparedOrder {
    world.airalo.prepare(&card(), &order(plan)).unwrap()
}

const PLAN: &str = "change-7days-1gb-topup";

/// What an order for [`PLAN`] comes to if this is the answer.
async fn bought(answer: String) -> BuyAnswer {
    let world = World::new(&[(BUY, answer)]).await;
    let answer = world.airalo.buy(&prepared(&world, PLAN)).await;
    assert_eq!(world.count(BUY), 1, "an order is sent once");
    answer
}

/// The order document with our key as its description, and these changes.
fn taken(name: &str, changes: &[(&str, Value)]) -> String {
    let ours = ("/data/description", json!(key().as_str()));
    ok(&changed(name, &[&[ours], changes].concat()))
}

fn doubt_of(answer: &BuyAnswer) -> Option<Doubt> {
    match answer {
        BuyAnswer::Unknown { doubt, .. } => Some(*doubt),
        BuyAnswer::Accepted { .. } | BuyAnswer::Pending { .. } | BuyAnswer::Refused(_) | BuyAnswer::NotSent { .. } => {
            None
        }
    }
}

#[tokio::test]
async fn a_card_is_read_with_its_packages_and_top_ups() {
    let limited = changed("usage", &[("/data/is_unlimited", json!(false))]);
    let world = World::new(&[
        (USAGE, ok(&limited)),
        (PACKAGES, ok(&file("sim_package_history"))),
        (TOPUPS, ok(&file("topup_packages"))),
    ])
    .await;
    let reading = world.read().await.unwrap();
    assert_eq!(reading.state, CardState::Active);
    assert_eq!(reading.data_left(), Some(DataSize(767 << 20)));
    assert_eq!(reading.left(AllowanceKind::Data).total, Some(2_048 << 20));
    assert!(!reading.left(AllowanceKind::Voice).known);
    assert_eq!(reading.plan_ends.unwrap().at.to_string(), "2022-01-01T00:00:00Z");
    assert_eq!(reading.assets, ["728", "725"]);
    assert_eq!(reading.plan.as_deref(), Some("bonbon-mobile-30days-3gb-topup"));
    assert_eq!(reading.renewable, Renewable::Yes);
    assert_eq!((reading.read_at, reading.as_of), (NOW, NOW));

    assert_eq!(world.count(TOKEN), 1);
    let token = world.server.requests().remove(0);
    let parts = form(&[("client_id", "an-id"), ("client_secret", "a-secret"), ("grant_type", "client_credentials")]);
    assert!(token.ends_with(&format!("\r\n\r\n{parts}")), "{token}");
    assert!(token.contains("airalo-signature: "), "{token}");
    let host = format!("host: {}\r\n", world.server.address.trim_start_matches("http://"));
    for request in world.server.requests() {
        assert!(request.contains(&host), "{request}");
        assert_eq!(request.contains("authorization: Bearer <redacted>\r\n"), call_of(&request) != TOKEN, "{request}");
    }
}

/// The three calls about another card, which has these megabytes in all.
fn second(total: u32) -> [(&'static str, String); 3] {
    let usage = changed("usage", &[("/data/is_unlimited", json!(false)), ("/data/total", json!(total))]);
    [
        ("GET /v2/sims/8910300000005271147/usage", ok(&usage)),
        ("GET /v2/sims/8910300000005271147/packages", ok(&file("sim_package_history"))),
        ("GET /v2/sims/8910300000005271147/topups", ok(&file("topup_packages"))),
    ]
}

#[tokio::test]
async fn a_fleet_costs_one_call_a_card_until_something_changes() {
    let limited = ok(&changed("usage", &[("/data/is_unlimited", json!(false))]));
    let first = [
        (USAGE, limited),
        (PACKAGES, ok(&file("sim_package_history"))),
        (TOPUPS, ok(&file("topup_packages"))),
        (BUY, LOST.to_owned()),
    ];
    let changed_later = [second(2_048)[0].clone(), second(2_048)[0].clone(), second(3_072)[0].clone()];
    let world = World::new(&[&first[..], &changed_later[..], &second(0)[1..]].concat()).await;
    let fleet = [card(), Card { iccid: Some(Iccid::parse("8910300000005271147").unwrap()), ..card() }];
    let counts =
        || [USAGE, PACKAGES, TOPUPS, second(0)[0].0, second(0)[1].0, second(0)[2].0].map(|call| world.count(call));
    let read = async |cards: &[Card]| {
        let readings = world.airalo.read(cards, NOW).await;
        readings.into_iter().map(|reading| reading.unwrap().assets).collect::<Vec<_>>()
    };
    assert_eq!(read(&fleet).await, [["728", "725"], ["728", "725"]]);
    assert_eq!(counts(), [1, 1, 1, 1, 1, 1]);
    assert_eq!(read(&fleet).await, [["728", "725"], ["728", "725"]]);
    assert_eq!(counts(), [2, 1, 1, 2, 1, 1], "usage only");
    read(&fleet).await;
    assert_eq!(counts(), [3, 1, 1, 3, 2, 2], "the second card has more in all");
    read(&fleet[..1]).await;
    assert_eq!(counts(), [4, 2, 2, 3, 2, 2], "a card by itself is read in full");
    world.airalo.buy(&prepared(&world, PLAN)).await;
    read(&fleet).await;
    assert_eq!(counts(), [5, 3, 3, 4, 2, 2], "after an order nothing is taken from before");
}

#[tokio::test]
async fn a_fleet_waits_together_when_asked_to() {
    let world = World::new(&[(USAGE, status("429 Too Many Requests", &file("usage_error_429")))]).await;
    let readings = world.airalo.read(&[card(), card(), card()], NOW).await;
    for reading in readings {
        assert!(matches!(reading, Err(OperatorError::Later { retry_after: Some(Secs(60)), .. })), "{reading:?}");
    }
    assert_eq!(world.count(USAGE), 1);
}

#[tokio::test]
async fn the_cards_of_the_account_are_listed_without_those_taken_back() {
    let last = ok(&changed("sim_list", &[("/meta/last_page", json!("2"))]));
    let world = World::new(&[("GET /v2/sims", ok(&file("sim_list"))), ("GET /v2/sims", last)]).await;
    let page = world.airalo.discover(None).await.unwrap();
    let iccids: Vec<_> = page.cards.iter().map(|card| card.iccid.as_ref().unwrap().digits()).collect();
    assert_eq!(iccids, ["891000000000009106", "891000000000009048"]);
    assert_eq!(page.cards[0].label.as_deref(), Some("Kallur Digital-1 GB - 7 Days"));
    assert_eq!(page.next.as_deref(), Some("2"));
    let page = world.airalo.discover(Some("2")).await.unwrap();
    assert_eq!((page.cards.len(), page.next), (2, None));
    assert!(world.last("GET /v2/sims").contains("/sims?limit=100&page=2 "));
    assert!(world.airalo.discover(Some("two")).await.is_err());
    for broken in [ok("{}"), ok(r#"{"data":[{"iccid":"none"}]}"#), ok(r#"{"data":[{}]}"#), status("503 Busy", "{}")] {
        assert!(World::new(&[("GET /v2/sims", broken)]).await.airalo.discover(None).await.is_err());
    }
}

#[tokio::test]
async fn unlimited_data_has_no_numbers() {
    let world = World::new(&[
        (USAGE, ok(&file("usage"))),
        (PACKAGES, ok(r#"{"data":[]}"#)),
        (TOPUPS, ok(&file("topup_packages_none"))),
    ])
    .await;
    let reading = world.read().await.unwrap();
    assert!(reading.left(AllowanceKind::Data).unlimited);
    assert_eq!(reading.data_left(), None);
    assert_eq!(reading.renewable, Renewable::OneOff, "nothing is on sale for it");
    let empty = world.airalo.catalogue(&card(), NOW).await.unwrap();
    assert_eq!((empty.plans.len(), empty.fetched_at), (0, NOW));
}

#[tokio::test]
async fn a_recycled_card_is_dead() {
    let world = World::new(&[(USAGE, ok(&file("usage_recycled")))]).await;
    let reading = world.read().await.unwrap();
    assert_eq!((reading.state, reading.renewable), (CardState::Recycled, Renewable::OneOff));
    assert_eq!((reading.allowances.len(), reading.plan_ends), (0, None));
    let taken_back = status("422 Wrong", &file("topup_order_error_recycled_422"));
    let world = World::new(&[(USAGE, taken_back.clone())]).await;
    assert_eq!(world.read().await.unwrap().state, CardState::Recycled, "by its code as well");
    let world = World::new(&[(TOPUPS, taken_back)]).await;
    let error = world.airalo.catalogue(&card(), NOW).await.unwrap_err();
    assert!(matches!(error, OperatorError::Never { kind: RefusalKind::CardDead, .. }), "{error:?}");
}

#[tokio::test]
async fn readings_that_fail_say_what_may_be_done() {
    let read = async |answer: String| World::new(&[(USAGE, answer)]).await.read().await.unwrap_err();
    let error = read(status("404 Not Found", &file("usage_error_404"))).await;
    assert!(matches!(error, OperatorError::Never { kind: RefusalKind::CardData, .. }), "{error:?}");
    let error = read(status("429 Too Many Requests", &file("usage_error_429"))).await;
    assert!(matches!(error, OperatorError::Later { retry_after: Some(Secs(60)), .. }), "{error:?}");
    let error = read(status("403 Forbidden", r#"{"code":89,"reason":"IP not allowed"}"#)).await;
    assert!(matches!(error, OperatorError::Never { kind: RefusalKind::Access, .. }), "{error:?}");
    let error = read(status("422 Wrong", r#"{"code":13,"reason":"maintenance"}"#)).await;
    assert!(matches!(error, OperatorError::Later { .. }), "{error:?}");
    assert!(matches!(read(LOST.into()).await, OperatorError::Later { .. }));
    assert!(matches!(read(status("503 Busy", "{}")).await, OperatorError::Later { .. }));
}

#[tokio::test]
async fn answers_that_make_no_sense_are_not_guessed() {
    let broken = ok(&file("usage").replace("    \"total\"", "    \"totl\""));
    let half = ok(&file("usage")[..60]);
    let text = ok(&changed("usage", &[("/data/is_unlimited", json!(false)), ("/data/remaining", json!("much"))]));
    let page = ok("<html>maintenance</html>");
    let huge = ok(&changed("usage", &[("/data/total", json!(1e308))]));
    let date = ok(&changed("usage", &[("/data/expired_at", json!("soon"))]));
    for answer in [broken, half, text, page, huge, date] {
        let given = [(USAGE, answer.clone()), (PACKAGES, ok(r#"{"data":[]}"#)), (TOPUPS, ok(r#"{"data":[]}"#))];
        let error = World::new(&given).await.read().await.unwrap_err();
        assert!(matches!(error, OperatorError::Unknown { .. }), "{answer}: {error:?}");
    }
    let plain = ok(&changed("usage", &[("/data/is_unlimited", json!(false)), ("/data/remaining", json!("767"))]));
    let given = [(USAGE, plain), (PACKAGES, ok(r#"{"data":[]}"#)), (TOPUPS, ok(r#"{"data":[]}"#))];
    let reading = World::new(&given).await.read().await.unwrap();
    assert_eq!(reading.data_left(), Some(DataSize(767 << 20)), "a number as text is a number");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_not_in_a_loop() {
    let second = ok(&changed("token", &[("/data/access_token", json!("second"))]));
    let refused = status("401 Unauthorized", &file("token_error_401"));
    let world = World::new(&[
        (TOKEN, ok(&file("token"))),
        (TOKEN, second.clone()),
        (BALANCE, ok(&file("balance"))),
        (BALANCE, refused.clone()),
        (BALANCE, ok(&file("balance"))),
    ])
    .await;
    for _ in 0..2 {
        assert_eq!(world.airalo.wallet().await.unwrap().balance, Some(usd("0")));
    }
    assert_eq!((world.count(TOKEN), world.count(BALANCE)), (2, 3));
    assert!(world.last(BALANCE).contains("authorization: Bearer second\r\n"));

    let world = World::new(&[(TOKEN, ok(&file("token"))), (TOKEN, second), (BALANCE, refused.clone())]).await;
    let error = world.airalo.wallet().await.unwrap_err();
    assert!(matches!(error, OperatorError::Never { kind: RefusalKind::Access, .. }), "{error:?}");
    assert_eq!((world.count(TOKEN), world.count(BALANCE)), (2, 2));

    let world = World::new(&[(TOKEN, refused)]).await;
    for _ in 0..3 {
        let error = world.airalo.wallet().await.unwrap_err();
        assert!(matches!(error, OperatorError::Never { kind: RefusalKind::Access, .. }), "{error:?}");
    }
    assert!(matches!(world.airalo.wallet().await, Err(OperatorError::Later { .. })), "three tokens a minute");
    assert_eq!((world.count(TOKEN), world.count(BALANCE)), (3, 0));
    let BuyAnswer::NotSent { .. } = world.airalo.buy(&prepared(&world, PLAN)).await else { panic!("it was sent") };
    assert_eq!(world.server.requests().len(), 3);
}

#[tokio::test]
async fn the_catalogue_has_the_price_that_will_be_charged() {
    let priced = |pricing: Value| {
        let mut changes = vec![("/pricing", pricing)];
        changes.push(("/data/0/net_price", json!("6")));
        ok(&changed("topup_packages", &changes))
    };
    let net = json!({"model": "net_pricing", "discount_percentage": 0});
    let discount = json!({"model": "discount_pricing", "discount_percentage": 10});
    for (answer, prices) in [
        (ok(&file("topup_packages")), ["10.00 USD", "15.00 USD", "22.50 USD"]),
        (priced(net), ["6.00 USD", "15.00 USD", "22.50 USD"]),
        (priced(discount), ["9.00 USD", "13.50 USD", "20.25 USD"]),
    ] {
        let world = World::new(&[(TOPUPS, answer)]).await;
        let plans = world.airalo.catalogue(&card(), NOW).await.unwrap().plans;
        assert_eq!(plans.iter().map(|plan| plan.price.to_string()).collect::<Vec<_>>(), prices);
        assert_eq!(plans[0].id, "bonbon-mobile-30days-3gb-topup");
        assert_eq!(plans[0].name, "3 GB - 100 SMS - 100 Mins - 30 Days");
        assert_eq!(plans[0].validity(), Some(Secs::days(30)));
        let contents = &plans[0].contents;
        assert_eq!(
            (contents.data(), contents.voice_secs, contents.sms),
            (Some(DataSize(3 << 30)), Some(6_000), Some(100))
        );
    }
}

#[tokio::test]
async fn prices_are_in_the_accounts_currency_and_odd_plans_hide_no_others() {
    let euro = ok(&changed("balance", &[("/data/balances/availableBalance/currency", json!("EUR"))]));
    let odd = ok(&changed("topup_packages", &[("/data/0/price", json!("free"))]));
    let world = World::new(&[(BALANCE, euro), (TOPUPS, odd)]).await;
    let plans = world.airalo.catalogue(&card(), NOW).await.unwrap().plans;
    assert_eq!(plans.iter().map(|plan| plan.price.to_string()).collect::<Vec<_>>(), ["15.00 EUR", "22.50 EUR"]);
    for currency in ["XXX", "points", ""] {
        let odd = ok(&changed("balance", &[("/data/balances/availableBalance/currency", json!(currency))]));
        let error = World::new(&[(BALANCE, odd)]).await.airalo.wallet().await.unwrap_err();
        assert!(matches!(error, OperatorError::Unknown { .. }), "{currency}: {error:?}");
    }
}

#[tokio::test]
async fn before_an_order_the_plan_is_asked_for_again() {
    let world = World::new(&[(TOPUPS, ok(&file("topup_packages")))]).await;
    let plan = world.airalo.catalogue(&card(), NOW).await.unwrap().plans.remove(1);
    let preflight = world.airalo.preflight(&card(), &plan, None).await.unwrap();
    assert!(preflight.offer.unwrap().same_offer(&plan));
    assert_eq!(preflight.operator_time.unwrap().to_string(), "2023-01-09T21:33:20Z");
    let gone = Plan { id: "gone".into(), ..plan };
    assert_eq!(world.airalo.preflight(&card(), &gone, None).await.unwrap().offer, None);
    assert_eq!(world.count(TOPUPS), 3);
}

#[tokio::test]
async fn an_order_is_a_signed_form_with_our_key() {
    let world = World::new(&[(BUY, taken("topup_order_net_pricing", &[]))]).await;
    let order = prepared(&world, PLAN);
    assert_eq!(world.server.requests().len(), 0, "preparing touches no network");
    let body = form(&[("package_id", PLAN), ("iccid", ICCID), ("description", key().as_str())]);
    assert_eq!(String::from_utf8(order.body.clone()).unwrap(), body);
    let answer = world.airalo.buy(&order).await;
    let expected = BuyAnswer::Accepted { order_id: Some("111".into()), charged: Some(usd("3.6")) };
    assert_eq!(answer, expected);
    let sent = world.last(BUY);
    assert!(
        sent.ends_with(&body) && sent.contains("content-type: multipart/form-data; boundary=simkeeper\r\n"),
        "{sent}"
    );
    let signature = sent.lines().find_map(|line| line.strip_prefix("airalo-signature: ")).unwrap();
    assert_eq!(signature.len(), 128);
}

#[tokio::test]
async fn an_order_that_was_taken_tells_what_was_charged() {
    let answer = bought(taken("topup_order_discount_pricing", &[])).await;
    assert_eq!(answer, BuyAnswer::Accepted { order_id: Some("619".into()), charged: Some(usd("4.05")) });
    let plain = [("/data/package_id", json!(PLAN))];
    let answer = bought(taken("topup_order", &plain)).await;
    assert_eq!(answer, BuyAnswer::Accepted { order_id: Some("174".into()), charged: Some(usd("10")) });
    let texts = [("/data/id", json!("619")), ("/data/total_amount_paid", json!("4.05"))];
    let answer = bought(taken("topup_order_discount_pricing", &texts)).await;
    assert_eq!(answer, BuyAnswer::Accepted { order_id: Some("619".into()), charged: Some(usd("4.05")) });
}

#[tokio::test]
async fn success_for_something_else_proves_nothing() {
    for (pointer, value) in [
        ("/data/package_id", json!("change-30days-20gb-topup")),
        ("/data/description", json!("Topup (873000000000042534)")),
        ("/data/quantity", json!(2)),
        ("/data/type", json!("sim")),
        ("/data/currency", json!("dollars")),
    ] {
        let answer = bought(taken("topup_order_discount_pricing", &[(pointer, value)])).await;
        assert_eq!(doubt_of(&answer), Some(Doubt::Unproven), "{pointer}");
    }
    let euro = taken("topup_order_discount_pricing", &[("/data/currency", json!("EUR"))]);
    let world = World::new(&[(BUY, euro)]).await;
    world.airalo.catalogue(&card(), NOW).await.unwrap_err();
    let answer = world.airalo.buy(&prepared(&world, PLAN)).await;
    assert_eq!(doubt_of(&answer), Some(Doubt::Unproven), "the wallet holds dollars");
}

#[tokio::test]
async fn refusals_count_only_with_a_listed_code() {
    for (code, kind) in [
        (11, RefusalKind::WalletEmpty),
        (13, RefusalKind::Passing),
        (23, RefusalKind::PlanGone),
        (33, RefusalKind::Passing),
        (34, RefusalKind::PlanGone),
        (43, RefusalKind::Other),
        (73, RefusalKind::CardDead),
        (89, RefusalKind::Access),
    ] {
        let http = if code == 89 { "403 Forbidden" } else { "422 Wrong" };
        let answer = bought(status(http, &json!({"code": code, "reason": "so\r\nit is"}).to_string())).await;
        let BuyAnswer::Refused(refusal) = answer else { panic!("{code}: {answer:?}") };
        assert_eq!((refusal.kind, refusal.code, refusal.text), (kind, code.to_string(), "so it is".into()));
    }
    for (http, body) in [
        ("422 Wrong", r#"{"code":53,"reason":"unexpected"}"#),
        ("422 Wrong", r#"{"code":14,"reason":"checksum"}"#),
        ("422 Wrong", r#"{"code":99,"reason":"new"}"#),
        ("422 Wrong", r#"{"data":[],"meta":{"message":"the parameter is invalid"}}"#),
        ("422 Wrong", r#"{"data":{"package_id":"later"},"meta":{"message":"something else"}}"#),
        ("400 Bad", r#"{"code":11,"reason":"not enough"}"#),
        ("401 Unauthorized", r#"{"data":[],"meta":{"message":"Unauthenticated."}}"#),
        ("403 Forbidden", r#"{"code":11,"reason":"not enough"}"#),
    ] {
        let answer = bought(status(http, body)).await;
        assert_eq!(doubt_of(&answer), Some(Doubt::UnlistedCode), "{http} {body}");
    }
}

#[tokio::test]
async fn documented_refusals_are_refused() {
    for (name, kind) in [
        ("topup_order_error_invalid_package_422", RefusalKind::PlanGone),
        ("topup_order_error_limit_422", RefusalKind::Other),
        ("topup_order_error_recycled_422", RefusalKind::CardDead),
    ] {
        let answer = bought(status("422 Unprocessable", &file(name))).await;
        assert!(matches!(&answer, BuyAnswer::Refused(refusal) if refusal.kind == kind), "{name}: {answer:?}");
    }
    let missing = r#"{"data":{"iccid":"The iccid field is required."},"meta":{"message":"the parameter is invalid"}}"#;
    let answer = bought(status("422 Unprocessable", missing)).await;
    assert!(matches!(&answer, BuyAnswer::Refused(refusal) if refusal.kind == RefusalKind::CardData), "{answer:?}");
}

#[tokio::test]
async fn whatever_is_not_plain_stays_unknown() {
    let half = taken("topup_order", &[]);
    let cut_short = half[..half.len() - 20].to_owned();
    for (answer, doubt) in [
        (LOST.to_owned(), Doubt::Broken),
        (cut_short, Doubt::Broken),
        (ok(&file("topup_order")[..100]), Doubt::Unreadable),
        (ok("<html><body>Thank you</body></html>"), Doubt::Unreadable),
        (ok(""), Doubt::Unreadable),
        (ok(r#"{"code":11,"reason":"not enough credit"}"#), Doubt::Unreadable),
        (ok(r#"{"data":{"id":1}}"#), Doubt::Unreadable),
        (status("500 Fault", "{}"), Doubt::ServerError),
        (status("504 Slow", "<html>"), Doubt::ServerError),
        (status("429 Too Many", &file("usage_error_429")), Doubt::Throttled),
        (status("307 Temporary", ""), Doubt::Redirected),
        (status("409 Conflict", "{}"), Doubt::UnlistedCode),
    ] {
        assert_eq!(doubt_of(&bought(answer.clone()).await), Some(doubt), "{answer}");
    }
}

#[tokio::test]
async fn a_token_refused_for_an_order_is_renewed_for_the_next_call_only() {
    let refused = status("401 Unauthorized", &file("token_error_401"));
    let world = World::new(&[(BUY, refused)]).await;
    let order = prepared(&world, PLAN);
    assert_eq!(doubt_of(&world.airalo.buy(&order).await), Some(Doubt::UnlistedCode));
    assert_eq!((world.count(TOKEN), world.count(BUY)), (1, 1));
    world.airalo.wallet().await.unwrap();
    assert_eq!(world.count(TOKEN), 2);
}

#[tokio::test]
async fn an_order_needs_an_iccid_and_the_wallet() {
    let world = World::new(&[]).await;
    let bare = Card { iccid: None, ..card() };
    let error = world.airalo.prepare(&bare, &order(PLAN)).unwrap_err();
    assert!(matches!(error, OperatorError::Never { kind: RefusalKind::CardData, .. }), "{error:?}");
    assert!(world.airalo.read(&[bare], NOW).await.remove(0).is_err());
    assert!(world.airalo.prepare(&card(), &Order { payment: "paypal".into(), ..order(PLAN) }).is_err());
    assert!(world.airalo.prepare(&card(), &Order { code: Some("WINTER10".into()), ..order(PLAN) }).is_err());
    assert_eq!(world.server.requests().len(), 0);
}

const LISTED: &str = "kallur-digital-7days-1gb";

fn sent(order_id: Option<&str>) -> SentOrder {
    SentOrder {
        key: key(),
        order_id: order_id.map(str::to_owned),
        plan_id: LISTED.into(),
        price: usd("4.05"),
        before: None,
        first_sent_at: NOW,
    }
}

/// A page of the vendor's list; the first order has this description and status.
fn page(number: u32, last: u32, description: &str, slug: &str) -> String {
    ok(&changed(
        "order_list",
        &[
            ("/data/0/description", json!(description)),
            ("/data/0/status/slug", json!(slug)),
            ("/meta/current_page", json!(number)),
            ("/meta/last_page", json!(last)),
        ],
    ))
}

async fn found(pages: &[String]) -> Result<Found, OperatorError> {
    let given: Vec<(&str, String)> = pages.iter().map(|page| (ORDERS, page.clone())).collect();
    let world = World::new(&given).await;
    let found = world.airalo.find(&card(), &sent(None)).await;
    assert_eq!(world.count(ORDERS), pages.len());
    let asked = format!("filter%5Bdescription%5D={}&include=status&limit=50&page={} ", key().as_str(), pages.len());
    assert!(world.last(ORDERS).contains(&asked), "{}", world.last(ORDERS));
    found
}

#[tokio::test]
async fn an_order_is_found_by_exactly_our_key_on_any_page() {
    let ours = key();
    let longer = format!("{} and more", ours.as_str());
    let accepted = Ok(Found::Accepted { order_id: "9666".into(), charged: None });
    assert_eq!(found(&[page(1, 1, ours.as_str(), "completed")]).await, accepted);
    assert_eq!(found(&[page(1, 2, &longer, "completed"), page(2, 2, ours.as_str(), "completed")]).await, accepted);
    let twice = page(1, 2, ours.as_str(), "completed");
    assert_eq!(found(&[twice, page(2, 2, ours.as_str(), "completed")]).await, accepted, "seen on two pages");
    assert_eq!(found(&[page(1, 1, &longer, "completed")]).await, Ok(Found::Nothing), "part of a longer text");
    assert_eq!(found(&[ok(r#"{"data":[]}"#)]).await, Ok(Found::Nothing));
    let no_count = ok(&changed("order_list", &[("/meta", json!({}))]));
    assert_eq!(found(&[no_count, ok(r#"{"data":[]}"#)]).await, Ok(Found::Nothing), "read until a page is empty");
}

#[tokio::test]
async fn the_status_of_an_order_says_whether_it_holds() {
    for slug in ["refunded", "failed"] {
        let reversed = found(&[page(1, 1, key().as_str(), slug)]).await.unwrap();
        assert!(matches!(&reversed, Found::Reversed { order_id, why } if order_id == "9666" && why.contains(slug)));
    }
    for slug in ["processing", "in_progress"] {
        let pending = found(&[page(1, 1, key().as_str(), slug)]).await;
        assert_eq!(pending, Ok(Found::Pending { order_id: "9666".into() }));
    }
    let partly = found(&[page(1, 1, key().as_str(), "partially_refunded")]).await;
    assert_eq!(partly, Ok(Found::Accepted { order_id: "9666".into(), charged: None }));
}

#[tokio::test]
async fn a_search_without_a_clean_answer_is_not_a_miss() {
    let two = ok(&changed(
        "order_list",
        &[
            ("/data/0/description", json!(key().as_str())),
            ("/data/1/description", json!(key().as_str())),
            ("/meta/last_page", json!(1)),
        ],
    ));
    assert!(matches!(found(&[two]).await, Err(OperatorError::Unknown { .. })), "two orders with one key");
    assert!(matches!(found(&[status("503 Busy", "{}")]).await, Err(OperatorError::Later { .. })));
    assert!(matches!(found(&[ok("<html>")]).await, Err(OperatorError::Unknown { .. })));
    assert!(matches!(found(&[ok(r#"{"meta":{}}"#)]).await, Err(OperatorError::Unknown { .. })));
    let other = SentOrder { plan_id: "another".into(), ..sent(None) };
    let world = World::new(&[(ORDERS, page(1, 1, key().as_str(), "completed"))]).await;
    assert!(matches!(world.airalo.find(&card(), &other).await, Err(OperatorError::Unknown { .. })));
}

#[tokio::test]
async fn an_endless_list_ends() {
    let world = World::new(&[(ORDERS, page(1, 99, "another", "completed"))]).await;
    let error = world.airalo.find(&card(), &sent(None)).await.unwrap_err();
    assert!(matches!(error, OperatorError::Unknown { .. }), "{error:?}");
    assert_eq!(world.count(ORDERS), 20);
}

#[tokio::test]
async fn an_order_with_a_known_id_is_asked_for_by_it() {
    let list: Value = serde_json::from_str(&file("order_list")).unwrap();
    let one = json!({"data": list["data"][0]}).to_string();
    let call = "GET /v2/orders/9666";
    let ours = one.replace("Example description to identify the order", key().as_str());
    let world = World::new(&[(call, ok(&ours)), (call, ok(&one))]).await;
    let by_id = sent(Some("9666"));
    let accepted = Found::Accepted { order_id: "9666".into(), charged: None };
    assert_eq!(world.airalo.find(&card(), &by_id).await, Ok(accepted));
    assert!(world.airalo.find(&card(), &by_id).await.is_err(), "the id is of an order with another description");
    let world = World::new(&[(ORDERS, ok(r#"{"data":[]}"#))]).await;
    assert_eq!(world.airalo.find(&card(), &by_id).await, Ok(Found::Nothing));
    assert_eq!((world.count(call), world.count(ORDERS)), (1, 1));
}

#[tokio::test]
async fn it_talks_to_airalo_only_and_tells_no_secrets() {
    let new = |base: &str| Airalo::open(&Way::to(base), "an-id".into(), "a-secret".into());
    assert!(new("https://partners-api.airalo.com/v2").is_ok());
    for base in
        ["https://partners-api.airalo.com.evil.test/v2", "http://partners-api.airalo.com/v2", "https://[::1]/v2"]
    {
        assert!(new(base).is_err(), "{base}");
    }
    assert_eq!(format!("{:?}", new("https://partners-api.airalo.com/v2").unwrap()), "Airalo");
    assert_eq!(new("https://partners-api.airalo.com/v2").unwrap().capabilities().class(), Class::B);
    let page = answering(answer("200 OK", "Content-Type: text/html\r\n", "a-secret")).await;
    let error = new(&format!("{}/v2", page.address)).unwrap().wallet().await.unwrap_err();
    assert!(!error.to_string().contains("a-secret"), "{error}");
}
