//! eSIM Go: recorded answers, the vendor's own examples, and documents after the fields of its description.

use std::sync::Arc;

use serde_json::{Value, json};
use simkeeper::domain::attempt::Snapshot;
use simkeeper::domain::data::DataSize;
use simkeeper::domain::operator::{Doubt, Found, OperatorError, RefusalKind};
use simkeeper::domain::reading::{AllowanceState, CardState};
use simkeeper::domain::time::Secs;
use simkeeper::operators::esimgo::EsimGo;

use super::case::{Bought, BuyCase, Contract, FindCase, NOW, Replies, Seen, card, changed, data, money, plan};
use super::suite::Bench;

const ICCID: &str = "8943108167001960542";
const BUNDLE: &str = "esim_1GB_7D_GB_V2";
const ORDER: &str = "73028252-1f26-4f22-9517-4fc879dbb8fb";
const BUY: &str = "POST /orders?\"transaction\"";
const DRY_RUN: &str = "POST /orders?\"validate\"";
const FIND: &str = "GET /orders";
const CARD: &str = "GET /esims/8943108167001960542";
const BUNDLES: &str = "GET /esims/8943108167001960542/bundles";
const FITS: &str = "GET /esims/8943108167001960542/compatible/esim_1GB_7D_GB_V2";
const OFFER: &str = "GET /catalogue/bundle/esim_1GB_7D_GB_V2";

pub(crate) fn contract() -> Contract {
    let world = world();
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let done = |changes: &[(&str, &str)]| world.clone().instead(BUY, order(changes));
    let unproven = |name, changes: &[(&str, &str)]| buy(name, done(changes), Bought::Unknown(Doubt::Unproven));
    let status = |status: &str| world.clone().instead_status(BUY, status, r#"{"message":"no"}"#);
    let find = |name, order_id, world, expected| FindCase { name, order_id, world, expected };
    let listed = |changes: &[(&str, &str)]| Replies::new().on(FIND, format!("[{}]", order(changes)));
    Contract {
        kind: "esimgo",
        open: |way| Ok(Arc::new(EsimGo::open(way, "a-secret".into())?)),
        now: NOW,
        card: card(Some(ICCID), None),
        plan: plan(BUNDLE, "eSIM, 1GB, 7 Days, United Kingdom, V2", "1.36 USD", Some(1_000_000_000), Some(7)),
        payment: "wallet",
        world: world.clone(),
        reading: |reading| {
            assert_eq!(reading.state, CardState::Active);
            assert_eq!(reading.data_left(), Some(DataSize(750_000_000)));
            assert_eq!(reading.assets, ["215009266"]);
            assert_eq!(reading.plan.as_deref(), Some(BUNDLE));
            assert_eq!(reading.plan_ends, None, "an example without times");
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 2, "not those of another country"),
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("112.50 USD")))),
        dispensable: &[],
        token_call: None,
        buy_call: BUY,
        order_id: Some(ORDER),
        buys: vec![
            buy("done", world.clone(), Bought::Accepted(Some(ORDER))),
            buy("worked on", done(&[("/status", "\"processing\"")]), Bought::Pending(ORDER)),
            buy("bad request", status("400 Bad Request"), Bought::Refused(RefusalKind::Other)),
            buy("key refused", status("401 Unauthorized"), Bought::Unknown(Doubt::UnlistedCode)),
            buy("forbidden", status("403 Forbidden"), Bought::Unknown(Doubt::UnlistedCode)),
            buy("too fast", status("429 Too Many Requests"), Bought::Unknown(Doubt::Throttled)),
            buy("still processing", status("503 Service Unavailable"), Bought::Unknown(Doubt::ServerError)),
            buy(
                "a page",
                world.clone().instead_status(BUY, "400 Bad Request", "<html>no</html>"),
                Bought::Unknown(Doubt::UnlistedCode),
            ),
            unproven("another bundle", &[("/order/0/item", "\"esim_1gb_7d_gb_v2\"")]),
            unproven("two pieces", &[("/order/0/quantity", "2")]),
            unproven("a new card", &[("/order/0/esims/0/iccid", "\"8944538532008160222\"")]),
            unproven("into the stock", &[("/assigned", "false")]),
            unproven("another currency", &[("/currency", "\"EUR\"")]),
        ],
        finds: vec![
            find("by its reference", Some(ORDER), by_reference(&[]), Seen::Accepted(ORDER)),
            find(
                "by its reference, of another bundle",
                Some(ORDER),
                by_reference(&[("/order/0/item", "\"x\"")]),
                Seen::Error,
            ),
            find("gone by its reference", Some(ORDER), listed(&[]), Seen::Accepted(ORDER)),
            find("in a list", None, listed(&[]), Seen::Accepted(ORDER)),
            find("on the second page", None, second_page(), Seen::Accepted(ORDER)),
            find("worked on", None, listed(&[("/status", "\"processing\"")]), Seen::Pending(ORDER)),
            find("not there", None, Replies::new().on(FIND, "[]"), Seen::Nothing),
            find("of another card", None, listed(&another_card()), Seen::Nothing),
            find("too old", None, listed(&[("/createdDate", "\"2026-11-22T10:59:59Z\"")]), Seen::Nothing),
            find("twice", None, twice(), Seen::Error),
            find("without its cards", None, listed(&no_cards()), Seen::Error),
        ],
    }
}

fn order(changes: &[(&str, &str)]) -> String {
    let now = [("/createdDate", "\"2026-11-22T12:00:01.785826016Z\"")];
    changed("esimgo/order_transaction.json", &[&now[..], changes].concat())
}

fn another_card() -> [(&'static str, &'static str); 2] {
    [("/order/0/esims/0/iccid", "\"8944538532008160222\""), ("/order/0/iccids", "[\"8944538532008160222\"]")]
}

fn no_cards() -> [(&'static str, &'static str); 2] {
    [("/order/0/esims", "null"), ("/order/0/iccids", "null")]
}

fn by_reference(changes: &[(&str, &str)]) -> Replies {
    Replies::new().on(&format!("GET /orders/{ORDER}"), order(changes))
}

fn second_page() -> Replies {
    let others = [&[("/orderReference", "\"another\"")][..], &another_card()].concat();
    Replies::new()
        .on(&format!("{FIND}?page=1"), format!("[{}]", order(&others)))
        .on(&format!("{FIND}?page=2"), format!("[{}]", order(&[])))
        .on(&format!("{FIND}?page=3"), "[]")
}

fn twice() -> Replies {
    Replies::new().on(FIND, format!("[{},{}]", order(&[]), order(&[("/orderReference", "\"another\"")])))
}

fn world() -> Replies {
    Replies::new()
        .on(CARD, data("esimgo/esim.json"))
        .on(BUNDLES, data("esimgo/esim_bundles.json"))
        .on(FITS, r#"{"compatible":true}"#)
        .on("GET /catalogue", data("esimgo/catalogue.json"))
        .on(OFFER, data("esimgo/catalogue_bundle.json"))
        .on("GET /organisation", data("esimgo/organisation.json"))
        .on(DRY_RUN, data("esimgo/order_validate.json"))
        .on(BUY, order(&[]))
        .on(FIND, format!("[{}]", order(&[])))
}

#[tokio::test]
async fn test_credit_is_no_money_and_the_organisation_has_two_shapes() {
    let contract = contract();
    let with = [("/testCredit", "12.5"), ("/balance", "\"112.50\"")];
    let one = changed("esimgo/organisation.json", &with);
    let two = format!(r#"{{"organisations":[{one},{one}]}}"#);
    let balance = async |body: String| {
        let bench = Bench::new(&contract, &contract.world.clone().instead("GET /organisation", body)).await;
        bench.operator.wallet().await.map(|wallet| wallet.balance)
    };
    assert_eq!(balance(one.clone()).await, Ok(Some(money("100.00 USD"))));
    assert_eq!(balance(format!(r#"{{"organisations":[{one}]}}"#)).await, Ok(Some(money("100.00 USD"))));
    for odd in [two, r#"{"organisations":[]}"#.into(), r#"{"apiKey":"a-secret","currency":"USD"}"#.into()] {
        let error = balance(odd.clone()).await.unwrap_err();
        assert!(matches!(&error, OperatorError::Unknown { why } if !why.contains("a-secret")), "{odd}: {error:?}");
    }
}

#[tokio::test]
async fn the_last_look_is_a_dry_run_at_the_present_price() {
    let contract = contract();
    let look = async |world: Replies| {
        let bench = Bench::new(&contract, &world).await;
        let seen = bench.operator.preflight(&contract.card, &contract.plan, None).await;
        assert_eq!(bench.served.count(BUY), 0);
        let sent = bench.served.server.requests().into_iter().find(|request| request.starts_with("POST"));
        assert!(
            sent.is_none_or(|sent| sent.contains(r#""type":"validate""#) && sent.contains(r#""allowReassign":false"#))
        );
        seen.map(|seen| seen.offer.map(|offer| offer.price))
    };
    let world = || contract.world.clone();
    let dry = |changes: &[(&str, &str)]| world().instead(DRY_RUN, changed("esimgo/order_validate.json", changes));
    assert_eq!(look(dry(&[("/total", "1.99")])).await, Ok(Some(money("1.99 USD"))));
    assert_eq!(look(dry(&[("/valid", "false")])).await, Ok(None));
    assert_eq!(look(world().instead(FITS, r#"{"compatible":false}"#)).await, Ok(None));
    assert_eq!(look(world().without(OFFER)).await, Ok(None));
    for odd in [
        dry(&[("/currency", "\"EUR\"")]),
        dry(&[("/order/0/item", "\"other\"")]),
        dry(&[("/order/0/quantity", "2")]),
        world().instead_status(DRY_RUN, "400 Bad Request", r#"{"message":"insufficient funds"}"#),
    ] {
        assert!(look(odd).await.is_err());
    }
}

#[tokio::test]
async fn a_bundle_that_waits_keeps_the_plan_from_ending() {
    let contract = contract();
    let mut doc: Value = serde_json::from_str(&data("esimgo/esim_bundles.json")).unwrap();
    let mut waits = doc["bundles"][0]["assignments"][0].clone();
    (waits["id"], waits["bundleState"]) = (json!("215009267"), json!("queued"));
    doc["bundles"][0]["assignments"].as_array_mut().unwrap().push(waits);
    let bench = Bench::new(&contract, &contract.world.clone().instead(BUNDLES, doc.to_string())).await;
    let reading = bench.operator.read(std::slice::from_ref(&contract.card), NOW).await.remove(0).unwrap();
    assert!(reading.allowances.iter().any(|allowance| allowance.state == AllowanceState::Queued));
    assert_eq!((reading.data_left(), reading.assets.len()), (Some(DataSize(1_500_000_000)), 2));
}

#[tokio::test]
async fn the_owner_may_name_the_countries() {
    let contract = contract();
    let mut stated = contract.card.clone();
    stated.fields.insert("countries".into(), "fr".into());
    let bench = Bench::new(&contract, &contract.world).await;
    let plans = bench.operator.catalogue(&stated, NOW).await.unwrap().plans;
    assert_eq!(plans.iter().map(|plan| plan.id.as_str()).collect::<Vec<_>>(), ["esim_1GB_7D_FR_V2"]);
    assert_eq!(bench.served.count(BUNDLES), 0);
    assert!(bench.served.server.requests().iter().any(|request| request.contains("countries=FR")));
    let empty = contract.world.clone().instead(BUNDLES, r#"{"bundles":[]}"#);
    let refused = Bench::new(&contract, &empty).await.operator.catalogue(&contract.card, NOW).await;
    assert!(matches!(&refused, Err(OperatorError::Never { why, .. }) if why.contains("countries")), "{refused:?}");
}

#[tokio::test]
async fn what_was_there_before_is_not_ours_and_what_is_new_is_not_nothing() {
    let contract = contract();
    let assigned = |reference: &str, made: &str| {
        let at = "/bundles/0/assignments/0";
        changed(
            "esimgo/esim_bundles.json",
            &[
                (&format!("{at}/assignmentReference"), &json!(reference).to_string()),
                (&format!("{at}/assignmentDateTime"), &json!(made).to_string()),
            ],
        )
    };
    let find = async |orders: &str, bundles: String, before: &[&str]| {
        let world = Replies::new().on(FIND, orders).on(BUNDLES, bundles);
        let bench = Bench::new(&contract, &world).await;
        let mut sent = contract.sent(None);
        let assets = before.iter().map(|&id| id.to_owned()).collect();
        sent.before = Some(Snapshot { assets, ..Snapshot::default() });
        bench.operator.find(&contract.card, &sent).await
    };
    let listed = format!("[{}]", order(&[]));
    let ours = assigned(&format!("{ORDER}-0"), "2026-11-22T12:00:02Z");
    assert_eq!(find(&listed, ours.clone(), &["215009266"]).await, Ok(Found::Nothing), "bought by somebody before");
    assert!(matches!(find(&listed, ours.clone(), &[]).await, Ok(Found::Accepted { .. })));
    assert!(find("[]", ours.clone(), &[]).await.is_err(), "the card has one more");
    assert_eq!(find("[]", ours, &["215009266"]).await, Ok(Found::Nothing));
    let old = assigned("x-0", "2026-11-21T12:00:02Z");
    assert_eq!(find("[]", old, &[]).await, Ok(Found::Nothing));
}

#[tokio::test]
async fn orders_are_listed_in_any_of_three_shapes() {
    let contract = contract();
    let one = order(&[]);
    for body in [one.clone(), format!("[{one}]"), format!(r#"{{"orders":[{one}]}}"#)] {
        let bench = Bench::new(&contract, &Replies::new().on(FIND, body.clone())).await;
        let found = bench.operator.find(&contract.card, &contract.sent(None)).await;
        assert!(matches!(&found, Ok(Found::Accepted { order_id, .. }) if order_id == ORDER), "{body}: {found:?}");
    }
    for body in [r#"{"orders":null}"#, r#"{"orders":{}}"#, "{}", r#"{"message":"no"}"#] {
        let bench = Bench::new(&contract, &Replies::new().on(FIND, body)).await;
        assert!(bench.operator.find(&contract.card, &contract.sent(None)).await.is_err(), "{body}");
    }
}

#[tokio::test]
async fn orders_are_asked_for_by_two_times() {
    let contract = contract();
    let bench = Bench::new(&contract, &contract.world).await;
    bench.operator.find(&contract.card, &contract.sent(None)).await.unwrap();
    let request = bench.served.server.requests().remove(0);
    for part in
        ["createdAt=gte%3A2026-11-22T11%3A00%3A00Z", "createdAt=lte%3A2026-11-23T12%3A00%3A00Z", "includeIccids=true"]
    {
        assert!(request.contains(part), "{request}");
    }
}

#[tokio::test]
async fn the_published_throttle_says_how_long_to_wait() {
    let contract = contract();
    let busy = Replies::new()
        .on_status(CARD, "429 Too Many Requests", data("esimgo/error_429.json"))
        .header("Retry-After: 3")
        .header("X-Ratelimit-Remaining: 0");
    let bench = Bench::new(&contract, &busy).await;
    let reading = bench.operator.read(std::slice::from_ref(&contract.card), NOW).await.remove(0);
    assert!(matches!(reading, Err(OperatorError::Later { retry_after: Some(Secs(3)), .. })), "{reading:?}");
    assert_eq!(bench.operator.contact().calls_left, Some(0));
}

#[tokio::test]
async fn a_card_of_somebody_else_does_not_stop_the_others() {
    let contract = contract();
    for status in ["400 Bad Request", "403 Forbidden", "404 Not Found"] {
        let world = contract.world.clone().instead_status(CARD, status, r#"{"message":"access denied"}"#);
        let bench = Bench::new(&contract, &world).await;
        let reading = bench.operator.read(std::slice::from_ref(&contract.card), NOW).await.remove(0);
        let is_card = matches!(reading, Err(OperatorError::Never { kind: RefusalKind::CardData, .. }));
        assert!(is_card, "{status}: {reading:?}");
    }
}

#[tokio::test]
async fn the_organisations_cards_are_listed_until_a_page_is_empty() {
    let contract = contract();
    let world = Replies::new()
        .on("GET /esims?page=1", r#"{"esims":[{"iccid":"8943108167001960542","customerRef":"canada"},{"iccid":null}]}"#)
        .on("GET /esims?page=2", r#"{"esims":[]}"#);
    let bench = Bench::new(&contract, &world).await;
    let first = bench.operator.discover(None).await.unwrap();
    assert_eq!(first.cards[0].label.as_deref(), Some("canada"));
    assert_eq!((first.cards.len(), first.next.as_deref()), (2, Some("2")));
    let last = bench.operator.discover(Some("2")).await.unwrap();
    assert_eq!((last.cards.len(), last.next), (0, None));
}

super::suite::contract!();
