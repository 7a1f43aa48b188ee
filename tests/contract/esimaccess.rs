//! eSIM Access: recorded answers and the vendor's own examples.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use simkeeper::domain::data::DataSize;
use simkeeper::domain::operator::{Doubt, Found, OperatorError, RefusalKind};
use simkeeper::domain::reading::CardState;
use simkeeper::operators::esimaccess::EsimAccess;
use simkeeper::operators::{KINDS, Operator};
use tokio::io::AsyncWriteExt;

use super::case::{
    Bought, BuyCase, Contract, FindCase, KEY, NOW, Replies, Seen, Way, card, changed, data, key, money, plan,
};
use super::loopback::{Server, answer};
use super::suite::Bench;

const ICCID: &str = "8910300000044404757";
const TRAN: &str = "26033119290005";
const QUERY: &str = "POST /esim/query";
const USAGE: &str = "POST /esim/usage/query";
const PACKAGES: &str = "POST /package/list";
const BUY: &str = "POST /esim/topup";

pub(crate) fn contract() -> Contract {
    let world = world();
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let said = |code: &str| world.clone().instead(BUY, refusal(code));
    let refused = |name, code, kind| buy(name, said(code), Bought::Refused(kind));
    let topped = |changes: &[(&str, &str)]| {
        world.clone().instead(BUY, changed("esimaccess/topup.json", &[&ours()[..], changes].concat()))
    };
    let find = |name, world, expected| FindCase { name, order_id: None, world, expected };
    let bought = |changes: &[(&str, &str)]| Replies::new().on(QUERY, esim(&[&with_order()[..], changes].concat()));
    Contract {
        kind: "esimaccess",
        open: |way| Ok(Arc::new(EsimAccess::open(way, "a-code".into(), Some("a-secret".into()))?)),
        now: NOW,
        card: card(Some(ICCID), None),
        plan: plan("TOPUP_CKH491", "North America 1GB 7Days", "7.00 USD", Some(1 << 30), Some(7)),
        payment: "wallet",
        world: world.clone(),
        reading: |reading| {
            assert_eq!(reading.state, CardState::Active);
            assert_eq!(reading.data_left(), Some(DataSize(5_368_709_120 - 1_453_344_832)));
            assert_eq!(reading.plan_ends.unwrap().at.to_string(), "2026-12-20T19:29:36Z");
            assert_eq!(reading.assets, ["26033119290005/520372b9-508f-4661-b3cf-0f9d8f6ea9e1"]);
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 1),
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("50.00 USD")))),
        dispensable: &[],
        token_call: None,
        buy_call: BUY,
        order_id: Some(KEY),
        buys: vec![
            buy("done", world.clone(), Bought::Accepted(Some(KEY))),
            buy("done, in words", topped(&[("/success", "\"true\"")]), Bought::Accepted(Some(KEY))),
            buy("still allocating", said("200010"), Bought::Pending(KEY)),
            refused("wallet empty", "200007", RefusalKind::WalletEmpty),
            refused("another price", "200005", RefusalKind::Passing),
            refused("another total", "200006", RefusalKind::Passing),
            refused("no stock", "200011", RefusalKind::Passing),
            refused("clock", "101001", RefusalKind::Passing),
            refused("address not allowed", "101002", RefusalKind::Access),
            refused("signature", "101003", RefusalKind::Access),
            refused("state forbids it", "200002", RefusalKind::Other),
            refused("malformed", "000105", RefusalKind::Other),
            refused("no such package", "310241", RefusalKind::PlanGone),
            refused("package not valid", "310243", RefusalKind::PlanGone),
            refused("not in the order", "310403", RefusalKind::CardData),
            refused("another's card", "310409", RefusalKind::CardData),
            buy("server error", said("000001"), Bought::Unknown(Doubt::UnlistedCode)),
            buy("busy", said("900001"), Bought::Unknown(Doubt::UnlistedCode)),
            buy("no code", said(""), Bought::Unknown(Doubt::UnlistedCode)),
            buy("another reference", topped(&[("/obj/transactionId", "\"fb9b\"")]), Bought::Unknown(Doubt::Unproven)),
            buy("another card", topped(&[("/obj/iccid", "\"8910300000044404999\"")]), Bought::Unknown(Doubt::Unproven)),
            buy("both at once", topped(&[("/errorCode", "\"200007\"")]), Bought::Unknown(Doubt::Unreadable)),
        ],
        finds: vec![
            find("by key", bought(&[]), Seen::Accepted(KEY)),
            find("not there", Replies::new().on(QUERY, esim(&[])), Seen::Nothing),
            find("under another reference", bought(&[(&at(1, "transactionId"), "\"theirs\"")]), Seen::Error),
            find("without references", bought(&[(&at(1, "transactionId"), "null")]), Seen::Error),
            find("on another package", bought(&[(&at(1, "packageCode"), "\"TOPUP_OTHER\"")]), Seen::Error),
            find("no packages", Replies::new().on(QUERY, esim(&[(&first("packageList"), "[]")])), Seen::Error),
            find("still allocating", Replies::new().on(QUERY, refusal("200010")), Seen::Error),
        ],
    }
}

fn refusal(code: &str) -> String {
    json!({ "success": false, "errorCode": code, "errorMsg": "no", "obj": {} }).to_string()
}

fn first(field: &str) -> String {
    format!("/obj/esimList/0/{field}")
}

fn at(package: usize, field: &str) -> String {
    format!("/obj/esimList/0/packageList/{package}/{field}")
}

fn ours() -> [(&'static str, &'static str); 2] {
    [("/obj/iccid", "\"8910300000044404757\""), ("/obj/transactionId", "\"0123456789abcdef0123456789abcdef\"")]
}

/// The recorded eSIM, in use.
fn esim(changes: &[(&str, &str)]) -> String {
    let in_use = [
        ("/obj/esimList/0/esimStatus", "\"IN_USE\""),
        ("/obj/esimList/0/smdpStatus", "\"ENABLED\""),
        ("/obj/esimList/0/dataType", "1"),
        ("/obj/esimList/0/activateTime", "\"2026-11-20T19:29:36+0000\""),
        ("/obj/esimList/0/expiredTime", "\"2026-12-20T19:29:36+0000\""),
        ("/obj/esimList/0/totalVolume", "5368709120"),
        ("/obj/esimList/0/orderUsage", "1000000"),
    ];
    changed("esimaccess/esim_query.json", &[&in_use[..], changes].concat())
}

/// With our order among its packages.
fn with_order() -> [(&'static str, &'static str); 1] {
    let packages = r#"[
        { "packageName": "Georgia 5GB", "packageCode": "P1X57VWMR", "createTime": "2026-03-31T19:29:36+0000",
          "esimTranNo": "26033119290005", "transactionId": "520372b9-508f-4661-b3cf-0f9d8f6ea9e1" },
        { "packageName": "North America 1GB 7Days", "packageCode": "TOPUP_CKH491",
          "createTime": "2026-11-22T12:00:02+0000", "esimTranNo": "26112212000001",
          "transactionId": "0123456789abcdef0123456789abcdef" }
    ]"#;
    [("/obj/esimList/0/packageList", packages)]
}

fn world() -> Replies {
    let usage = changed("esimaccess/usage_query.json", &[("/obj/0/esimTranNo", "\"26033119290005\"")]);
    Replies::new()
        .on(QUERY, esim(&[]))
        .on(USAGE, usage)
        .on(PACKAGES, data("esimaccess/package_list_topup.json"))
        .on("POST /balance/query", data("esimaccess/balance.json"))
        .on(BUY, changed("esimaccess/topup.json", &ours()))
}

/// A request's header.
fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request
        .lines()
        .find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)))
        .map(|(_, value)| value)
}

#[tokio::test]
async fn every_request_is_signed_once_the_time_is_known() {
    let contract = contract();
    let bench = Bench::new(&contract, &contract.world).await;
    bench.operator.wallet().await.unwrap();
    drop(bench.bought(&contract).await);
    let requests = bench.served.server.requests();
    let first = &requests[0];
    assert_eq!(header(first, "rt-accesscode"), Some("a-code"));
    assert_eq!(header(first, "rt-signature"), None, "nobody had told the time");
    let mut ids: Vec<&str> = requests[1..].iter().filter_map(|request| header(request, "rt-requestid")).collect();
    for request in &requests[1..] {
        assert_eq!(header(request, "rt-signature").map(str::len), Some(64), "{request}");
        let millis: i64 = header(request, "rt-timestamp").unwrap().parse().unwrap();
        assert!((millis / 1_000 - NOW.secs()).abs() < 60, "{millis}");
        assert!(!request.contains("a-secret"));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), requests.len() - 1, "each request has an id of its own");
}

#[tokio::test]
async fn without_a_key_the_access_code_alone_is_sent() {
    let contract = contract();
    let served = contract.world.serve().await;
    let operator = EsimAccess::open(&Way::to(&served.server.address), "a-code".into(), None).unwrap();
    operator.read(std::slice::from_ref(&contract.card), NOW).await.remove(0).unwrap();
    let requests = served.server.requests();
    assert!(requests.iter().all(|request| header(request, "rt-accesscode") == Some("a-code")));
    assert!(requests.iter().all(|request| !request.to_lowercase().contains("rt-signature")));
    assert!(!format!("{operator:?}").contains("a-code"));
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_set_by_the_answer() {
    let contract = contract();
    let mut world = contract.world.clone();
    world.0.insert(0, Replies::new().on(QUERY, refusal("101001")).0.remove(0));
    let bench = Bench::new(&contract, &world).await;
    let long_ago = simkeeper::domain::time::UnixTime::clamped(1_000_000_000);
    bench.operator.read(std::slice::from_ref(&contract.card), long_ago).await.remove(0).unwrap();
    let stamps: Vec<String> = bench
        .served
        .server
        .requests()
        .iter()
        .map(|request| header(request, "rt-timestamp").unwrap().to_owned())
        .collect();
    assert!(stamps[0].starts_with("1000000000") && stamps[1].starts_with("17953488"), "{stamps:?}");
}

#[tokio::test]
async fn an_order_names_the_esim_by_its_own_number_and_guards_its_price() {
    let contract = contract();
    let bench = Bench::new(&contract, &contract.world).await;
    let body = |operator: &dyn Operator, card| -> Value {
        serde_json::from_slice(&operator.prepare(card, &contract.order()).unwrap().body).unwrap()
    };
    let bare = json!({ "iccid": ICCID, "packageCode": "TOPUP_CKH491", "transactionId": KEY, "amount": 70000 });
    assert_eq!(body(&*bench.operator, &contract.card), bare, "not read yet");
    bench.operator.preflight(&contract.card, &contract.plan, None).await.unwrap();
    let mut full = bare.clone();
    full["esimTranNo"] = json!(TRAN);
    assert_eq!(body(&*bench.operator, &contract.card), full);
    let mut stated = contract.card.clone();
    stated.fields.insert("esimTranNo".into(), "24010100000001".into());
    full["esimTranNo"] = json!("24010100000001");
    assert_eq!(body(&*bench.operator, &stated), full);
    let mut days = contract.order();
    days.plan.id = "TOPUP_CKH491/7".into();
    let prepared = bench.operator.prepare(&contract.card, &days).unwrap();
    let sent: Value = serde_json::from_slice(&prepared.body).unwrap();
    assert_eq!((&sent["packageCode"], &sent["periodNum"]), (&json!("TOPUP_CKH491"), &json!(7)));
}

#[tokio::test]
async fn an_order_is_looked_for_on_the_esim_it_was_made_for() {
    let contract = contract();
    let bench = Bench::new(&contract, &contract.world).await;
    bench.operator.read(std::slice::from_ref(&contract.card), NOW).await.remove(0).unwrap();
    bench.operator.find(&contract.card, &contract.sent(None)).await.unwrap();
    let asked = bench.served.server.requests();
    assert!(asked[0].contains(r#""iccid":"8910300000044404757""#), "{}", asked[0]);
    let last = asked.last().unwrap();
    assert!(last.contains(r#""esimTranNo":"26033119290005""#) && !last.contains("iccid"), "{last}");
}

#[tokio::test]
async fn usage_has_two_shapes() {
    let contract = contract();
    let named =
        changed("esimaccess/usage_query_named.json", &[("/obj/esimUsageList/0/esimTranNo", "\"26033119290005\"")]);
    let bench = Bench::new(&contract, &contract.world.clone().instead(USAGE, named)).await;
    let reading = bench.operator.read(std::slice::from_ref(&contract.card), NOW).await.remove(0);
    (contract.reading)(&reading.unwrap());
}

#[tokio::test]
async fn an_iccid_that_was_given_out_again_means_the_living_esim() {
    let contract = contract();
    let mut doc: Value = serde_json::from_str(&esim(&[])).unwrap();
    let mut old = doc["obj"]["esimList"][0].clone();
    (old["esimTranNo"], old["esimStatus"]) = (json!("24010100000001"), json!("USED_EXPIRED"));
    doc["obj"]["esimList"].as_array_mut().unwrap().insert(0, old.clone());
    let bench = Bench::new(&contract, &contract.world.clone().instead(QUERY, doc.to_string())).await;
    let read = async |card| bench.operator.read(std::slice::from_ref(card), NOW).await.remove(0);
    (contract.reading)(&read(&contract.card).await.unwrap());
    let mut stated = contract.card.clone();
    stated.fields.insert("esimTranNo".into(), "24010100000001".into());
    assert_eq!(read(&stated).await.unwrap().state, CardState::Expired);
    old["esimStatus"] = json!("IN_USE");
    doc["obj"]["esimList"][0] = old;
    let bench = Bench::new(&contract, &contract.world.clone().instead(QUERY, doc.to_string())).await;
    let reading = bench.operator.read(std::slice::from_ref(&contract.card), NOW).await.remove(0);
    assert!(matches!(&reading, Err(OperatorError::Unknown { why }) if why.contains("esimTranNo")), "{reading:?}");
}

/// An account of many eSIMs, in pages of the size that is asked for.
async fn fleet(count: usize, told: usize) -> (Server, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let pages = Arc::clone(&asked);
    let server = Server::start(move |mut socket, request| {
        pages.fetch_add(1, Ordering::SeqCst);
        let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
        let (number, size) = (body["pager"]["pageNum"].as_u64().unwrap(), body["pager"]["pageSize"].as_u64().unwrap());
        let from = usize::try_from((number - 1) * size).unwrap();
        let rows: Vec<Value> = (from..count.min(from + usize::try_from(size).unwrap())).map(row).collect();
        let doc = json!({ "success": true, "errorCode": "0", "obj": { "esimList": rows, "pager": { "total": told } } });
        let bytes = answer("200 OK", "Content-Type: application/json\r\nConnection: close\r\n", &doc.to_string());
        Box::pin(async move { drop(socket.write_all(bytes.as_bytes()).await) })
    })
    .await;
    (server, asked)
}

fn row(number: usize) -> Value {
    json!({ "esimTranNo": format!("26{number:012}"), "iccid": iccid(number), "esimStatus": "IN_USE",
        "smdpStatus": "ENABLED", "dataType": 1, "expiredTime": "2026-12-20T19:29:36+0000",
        "totalVolume": 1000, "orderUsage": 100, "packageList": [{ "packageName": "Spain 3GB 30Days" }] })
}

fn iccid(number: usize) -> String {
    format!("891030000{number:010}")
}

#[tokio::test]
async fn ten_thousand_cards_cost_twenty_pages() {
    let (server, asked) = fleet(10_000, 10_000).await;
    let way = Way { unpaced: true, ..Way::to(&server.address) };
    let operator = (contract().open)(&way).unwrap();
    let cards: Vec<_> = (0..10_000).map(|number| card(Some(&iccid(number)), None)).collect();
    let readings = operator.read(&cards, NOW).await;
    assert!(readings.iter().all(|reading| reading.as_ref().unwrap().data_left() == Some(DataSize(900))));
    let stranger = card(Some("8910300009999999999"), None);
    let four = [stranger.clone(), cards[1].clone(), cards[2].clone(), cards[3].clone()];
    let some = operator.read(&four, NOW).await;
    assert!(matches!(&some[0], Err(OperatorError::Never { kind: RefusalKind::CardData, .. })));
    assert_eq!(asked.load(Ordering::SeqCst), 20, "one list serves both");
}

#[tokio::test]
async fn a_list_that_ends_early_is_no_list() {
    let (server, _) = fleet(700, 1_000).await;
    let operator = (contract().open)(&Way { unpaced: true, ..Way::to(&server.address) }).unwrap();
    let cards: Vec<_> = (0..10).map(|number| card(Some(&iccid(number)), None)).collect();
    let readings = operator.read(&cards, NOW).await;
    assert!(readings.iter().all(|reading| matches!(reading, Err(OperatorError::Unknown { .. }))), "{readings:?}");
}

#[tokio::test]
async fn the_account_is_listed_page_by_page() {
    let (server, _) = fleet(600, 600).await;
    let operator = (contract().open)(&Way { unpaced: true, ..Way::to(&server.address) }).unwrap();
    let first = operator.discover(None).await.unwrap();
    assert_eq!((first.cards.len(), first.next.as_deref()), (500, Some("2")));
    assert_eq!(first.cards[7].iccid.as_ref().unwrap().digits(), iccid(7));
    assert_eq!(first.cards[7].fields["esimTranNo"], "26000000000007");
    let last = operator.discover(Some("2")).await.unwrap();
    assert_eq!((last.cards.len(), last.next), (100, None));
    assert!(operator.discover(Some("0")).await.is_err() && operator.discover(Some("x")).await.is_err());
}

#[tokio::test]
async fn an_order_that_the_card_already_had_is_not_taken_for_ours() {
    let contract = contract();
    let reference = at(1, "transactionId");
    let changes = [&with_order()[..], &[(&*reference, "\"theirs\"")]].concat();
    let bench = Bench::new(&contract, &Replies::new().on(QUERY, esim(&changes))).await;
    let mut sent = contract.sent(None);
    assert!(bench.operator.find(&contract.card, &sent).await.is_err());
    sent.before = Some(simkeeper::domain::attempt::Snapshot {
        assets: vec!["26112212000001/theirs".into()],
        ..Default::default()
    });
    assert_eq!(bench.operator.find(&contract.card, &sent).await, Ok(Found::Nothing));
    assert_eq!(sent.key, key());
}

#[test]
fn each_final_code_is_listed() {
    let kind = KINDS.iter().find(|kind| kind.name == "esimaccess").unwrap();
    assert_eq!((kind.terms)().final_codes.len(), 22);
}

super::suite::contract!();
