//! emnify: documents written after the operator's description, which has no example values.

use std::sync::Arc;

use simkeeper::domain::card::{Card, CardId};
use simkeeper::domain::data::DataSize;
use simkeeper::domain::operator::{Doubt, OperatorError, RefusalKind};
use simkeeper::domain::reading::CardState;
use simkeeper::domain::time::Secs;
use simkeeper::operators::emnify::Emnify;

use super::case::{Bought, BuyCase, Contract, FindCase, NOW, Replies, Seen, card, changed, data, plan};

const SIM: &str = "GET /sim";
const QUOTA: &str = "GET /endpoint/9914/quota/data";
const BUY: &str = "POST /endpoint/9914/quota/data";
/// The end that an order of [`NOW`] writes where nothing is known of the end before.
const OURS: &str = "\"2026-12-22T12:00:00Z\"";

fn sold() -> simkeeper::domain::plan::Plan {
    plan("500MB", "500 MB for a month", "2.00 EUR", Some(500_000_000), Some(30))
}

pub(crate) fn contract() -> Contract {
    let world = world();
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let answered = |status: &str, body: &str| world.clone().instead_status(BUY, status, body);
    let find = |name, world, expected| FindCase { name, order_id: None, world, expected };
    let written = |changes: &[(&str, &str)]| world.clone().instead(QUOTA, changed("emnify/quota.json", changes));
    Contract {
        kind: "emnify",
        open: |way| Ok(Arc::new(Emnify::open(way, "a-secret".into(), vec![sold()])?)),
        now: NOW,
        card: card(Some("8988303000000614227"), None),
        plan: sold(),
        payment: "wallet",
        world: world.clone(),
        reading: |reading| {
            assert_eq!(reading.state, CardState::Active);
            assert_eq!(reading.data_left(), Some(DataSize(348_500_000)));
            assert_eq!(reading.plan_ends.unwrap().at.to_string(), "2026-12-01T00:00:00Z");
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 1),
        wallet: None,
        dispensable: &[],
        token_call: Some("POST /authenticate"),
        buy_call: BUY,
        order_id: None,
        buys: vec![
            buy("done", world.clone(), Bought::Accepted(None)),
            buy("an empty object", answered("201 Created", "{}"), Bought::Accepted(None)),
            buy("another success", answered("200 OK", "{}"), Bought::Unknown(Doubt::Unreadable)),
            buy(
                "wrong numbers",
                answered("422 Unprocessable Entity", r#"{"message":"expiry_date is in the past"}"#),
                Bought::Refused(RefusalKind::Other),
            ),
            buy("a page as refusal", answered("422 Unprocessable Entity", "<p>"), Bought::Unknown(Doubt::UnlistedCode)),
            buy("no token", answered("401 Unauthorized", ""), Bought::Unknown(Doubt::UnlistedCode)),
            buy("gone", answered("404 Not Found", "{}"), Bought::Unknown(Doubt::UnlistedCode)),
        ],
        finds: vec![
            find(
                "read back",
                written(&[("/expiry_date", OURS), ("/volume", "848.1")]),
                Seen::Accepted("quota of 9914 until 2026-12-22T12:00:00Z"),
            ),
            find("somebody else wrote", written(&[("/expiry_date", "\"2027-03-01T00:00:00Z\"")]), Seen::Error),
            find("no quota any more", world.clone().without(QUOTA), Seen::Error),
            find("another workspace", world.instead(SIM, "[]"), Seen::Error),
        ],
    }
}

fn world() -> Replies {
    Replies::new()
        .on("POST /authenticate", data("emnify/authenticate.json"))
        .on(SIM, data("emnify/sim.json"))
        .on(QUOTA, data("emnify/quota.json"))
        .on_status(BUY, "201 Created", "")
}

super::suite::contract!();

/// A failed log-in is not tried again for every card: three would lock the account for five minutes.
#[tokio::test]
async fn one_failed_log_in_is_enough() {
    let contract = contract();
    let token = "POST /authenticate";
    let locked = r#"{"error_code":429,"error_token":"TooManyRequests","message":"locked"}"#;
    for (body, may_pass) in [("", false), (locked, true)] {
        let world = world().instead_status(token, "401 Unauthorized", body);
        let bench = super::suite::Bench::new(&contract, &world).await;
        for _ in 0..5 {
            let error = bench.operator.read(std::slice::from_ref(&contract.card), NOW).await.remove(0).unwrap_err();
            assert_eq!(matches!(error, OperatorError::Later { retry_after: Some(Secs(300)), .. }), may_pass, "{error}");
        }
        assert_eq!(bench.served.count(token), 1);
    }
}

/// Many cards cost the pages of the list and one quota each; an order is made from the reading of its own card.
#[tokio::test]
async fn a_fleet_is_listed_once() {
    let contract = contract();
    let rows: Vec<String> = (0..20)
        .map(|n| format!(r#"{{"iccid":"{}","status":{{"id":"1"}},"endpoint":{{"id":"{n}"}}}}"#, iccid(n)))
        .collect();
    let mut world = world().instead(SIM, format!("[{}]", rows.join(",")));
    for n in 0..20 {
        let quota = changed("emnify/quota.json", &[("/volume", &format!("\"{n}\""))]);
        world = world.on(&format!("GET /endpoint/{n}/quota/data"), quota);
    }
    let bench = super::suite::Bench::new(&contract, &world).await;
    let cards: Vec<Card> = (0..20).map(|n| Card { id: CardId(n), ..card(Some(&iccid(n)), None) }).collect();
    let readings = bench.operator.read(&cards, NOW).await;
    let left: Vec<u64> = readings.into_iter().map(|read| read.unwrap().data_left().unwrap().bytes()).collect();
    assert_eq!(left, (0..20).map(|n| n * 1_000_000).collect::<Vec<_>>());
    assert_eq!(bench.served.count(SIM), 1);
    let prepared = bench.operator.prepare(&cards[7], &contract.order()).unwrap();
    assert_eq!(prepared.path, "/endpoint/7/quota/data");
    assert!(String::from_utf8(prepared.body).unwrap().contains(r#""volume":507"#));
    let unread = Card { id: CardId(99), ..contract.card.clone() };
    assert!(matches!(bench.operator.prepare(&unread, &contract.order()), Err(OperatorError::Later { .. })));
    let page = bench.operator.discover(None).await.unwrap();
    assert_eq!((page.cards.len(), page.next), (20, None));
}

fn iccid(n: i64) -> String {
    format!("89883030000006{n:05}")
}
