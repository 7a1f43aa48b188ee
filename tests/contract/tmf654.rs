//! TMF654 v4.1.0: the official samples, a card known by its phone number.

use std::sync::Arc;

use simkeeper::domain::money::Currency;
use simkeeper::domain::operator::{Doubt, OperatorError, RefusalKind};
use simkeeper::domain::plan::Plan;
use simkeeper::domain::reading::CardState;
use simkeeper::operators::tmf654::{Access, CardKey, Settings, Tmf654, Version};

use super::case::{Bought, BuyCase, Contract, FindCase, KEY, NOW, Replies, Seen, Way, card, changed, money, plan};
use super::suite::Bench;

pub(crate) const BUY: &str = "POST /topupBalance";
const BUCKET: &str = "GET /bucket";
const LIST: &str = "GET /topupBalance";
const BY_ID: &str = "GET /topupBalance/55";

/// A top-up of 15 EUR, which the owner pays 15.30 for.
pub(crate) fn sold() -> Plan {
    let mut plan = plan("credit-15", "15 EUR", "15.30 EUR", None, None);
    plan.contents.credit = Some(money("15 EUR"));
    plan
}

/// An account at an operator of the standard.
pub(crate) fn settings(version: Version, access: Access, card_key: CardKey) -> Settings {
    Settings {
        base_url: "https://api.mycsp.example/tmf-api/prepayBalanceManagement/v4".into(),
        version,
        access,
        card_key,
        currency: Currency::EUR,
        data_unit: None,
        channel: Some("99".into()),
        plans: vec![sold()],
    }
}

pub(crate) fn contract() -> Contract {
    let world = world();
    Contract {
        kind: "tmf654",
        open: |way| {
            let settings = settings(Version::V4_1, Access::Bearer("a-secret".into()), CardKey::Msisdn);
            Ok(Arc::new(Tmf654::open(way, settings)?))
        },
        now: NOW,
        card: card(None, Some("+447645233482")),
        plan: sold(),
        payment: "wallet",
        world: world.clone(),
        reading: |reading| {
            assert_eq!(reading.state, CardState::Active);
            assert_eq!(reading.credit(), Some(money("50 EUR")));
            assert_eq!(reading.credit_ends.unwrap().at.to_string(), "2027-01-12T23:20:50Z");
            assert_eq!(reading.plan_ends, None);
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 1),
        wallet: None,
        dispensable: &[],
        token_call: None,
        buy_call: BUY,
        order_id: Some("55"),
        buys: buys(&world),
        finds: finds(&world),
    }
}

/// Every way that an order ends, in both versions.
pub(crate) fn buys(world: &Replies) -> Vec<BuyCase> {
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let created = |changes: &[(&str, &str)]| world.clone().instead_status(BUY, "201 Created", topup(changes));
    let refused = |status: &str| world.clone().instead_status(BUY, status, r#"{"code":"20","reason":"no"}"#);
    let unproven = Bought::Unknown(Doubt::Unproven);
    vec![
        buy("done", world.clone(), Bought::Accepted(Some("55"))),
        buy("a blank behind the word", created(&[("/status", "\"completed \"")]), Bought::Accepted(Some("55"))),
        buy("created", created(&[("/status", "\"created\"")]), Bought::Pending("55")),
        buy("a word of its own", created(&[("/status", "\"in progress\"")]), Bought::Pending("55")),
        buy("failed", created(&[("/status", "\"failed\"")]), Bought::Refused(RefusalKind::Other)),
        buy("cancelled", created(&[("/status", "\"Cancelled\"")]), Bought::Refused(RefusalKind::Other)),
        buy("bad request", refused("400 Bad Request"), Bought::Refused(RefusalKind::Other)),
        buy("not ours to do", refused("403 Forbidden"), Bought::Refused(RefusalKind::Access)),
        buy("no sign-in", refused("401 Unauthorized"), Bought::Unknown(Doubt::UnlistedCode)),
        buy("conflict", refused("409 Conflict"), Bought::Unknown(Doubt::UnlistedCode)),
        buy("a fault", refused("500 Oops"), Bought::Unknown(Doubt::ServerError)),
        buy("a bare 400", world.clone().instead_status(BUY, "400 Bad Request", "no"), {
            Bought::Unknown(Doubt::UnlistedCode)
        }),
        buy("another amount", created(&[("/amount/amount", "1")]), unproven.clone()),
        buy("another unit", created(&[("/amount/units", "\"USD\"")]), unproven.clone()),
        buy("another bucket", created(&[("/bucket/id", "\"12\"")]), unproven.clone()),
        buy("another reason", created(&[("/reason", "\"gift\"")]), unproven),
    ]
}

/// Every way that a look-up ends, in both versions.
pub(crate) fn finds(world: &Replies) -> Vec<FindCase> {
    let find = |name, order_id, world, expected| FindCase { name, order_id, world, expected };
    let listed = |docs: &[String]| world.clone().instead(LIST, format!("[{}]", docs.join(",")));
    let with = |changes: &[(&str, &str)]| topup(changes);
    let id = |changes: &[(&str, &str)]| world.clone().instead(BY_ID, topup(changes));
    let nameless = [("/reason", "null"), ("/description", "null")];
    let second = world
        .clone()
        .without(LIST)
        .on(
            &format!("{LIST}?offset=0"),
            format!(
                "[{}]",
                with(&[("/id", "\"54\""), ("/reason", "\"gift\""), ("/requestedDate", "\"2026-11-01T00:00:00Z\"")])
            ),
        )
        .header("X-Total-Count: 2")
        .on(&format!("{LIST}?offset=1"), format!("[{}]", with(&[])))
        .header("X-Total-Count: 2");
    vec![
        find("by key", None, world.clone(), Seen::Accepted("55")),
        find("by id", Some("55"), world.clone(), Seen::Accepted("55")),
        find("by id, on its way", Some("55"), id(&[("/status", "\"created\"")]), Seen::Pending("55")),
        find("by id, failed", Some("55"), id(&[("/status", "\"failed\"")]), Seen::Refused(RefusalKind::Other)),
        find("by id, taken back", Some("55"), id(&[("/status", "\"cancelled\"")]), Seen::Reversed),
        find("the id is gone, the key is not", Some("55"), world.clone().without(BY_ID), Seen::Accepted("55")),
        find("on page two", None, second, Seen::Accepted("55")),
        find("twice", None, listed(&[with(&[]), with(&[("/id", "\"56\"")])]), Seen::Error),
        find("not echoed", None, listed(&[with(&nameless)]), Seen::Error),
        find("a foreign reason, all else as ours", None, listed(&[with(&[("/reason", "\"topup\"")])]), Seen::Error),
        find(
            "an earlier one",
            None,
            listed(&[with(&[("/reason", "\"gift\""), ("/requestedDate", "\"2026-11-01T00:00:00Z\"")])]),
            Seen::Nothing,
        ),
        find("another amount", None, listed(&[with(&[("/reason", "\"gift\""), ("/amount/amount", "20")])]), {
            Seen::Nothing
        }),
        find("not there", None, listed(&[]), Seen::Nothing),
    ]
}

/// The official sample as ours: our key, 15 EUR, asked for just now.
pub(crate) fn topup(changes: &[(&str, &str)]) -> String {
    let reason = format!("\"{KEY}\"");
    let ours = [
        ("/reason", reason.as_str()),
        ("/amount/amount", "15"),
        ("/requestedDate", "\"2026-11-22T12:00:01.52Z\""),
        ("/logicalResource/value", "\"447645233482\""),
    ];
    changed("tmf654/topup_balance.json", &[&ours, changes].concat())
}

fn world() -> Replies {
    let bucket = changed(
        "tmf654/bucket.json",
        &[
            ("/validFor/startDateTime", "\"2026-03-12T23:20:50.52Z\""),
            ("/validFor/endDateTime", "\"2027-01-12T23:20:50.52Z\""),
            ("/logicalResource/0/value", "\"+447645233482\""),
        ],
    );
    Replies::new()
        .on(BUCKET, format!("[{bucket}]"))
        .on_status(BUY, "201 Created", topup(&[]))
        .on(LIST, format!("[{}]", topup(&[])))
        .on(BY_ID, topup(&[]))
}

super::suite::contract!();

/// The document of an order has the shape of v4.1.0, and its amount is always there.
#[tokio::test]
async fn an_order_has_the_shape_of_its_version() {
    let contract = contract();
    let bench = Bench::new(&contract, &contract.world).await;
    drop(bench.asked(&contract).await);
    let prepared = bench.operator.prepare(&contract.card, &contract.order()).unwrap();
    let doc: serde_json::Value = serde_json::from_slice(&prepared.body).unwrap();
    let expected = serde_json::json!({
        "amount": { "amount": 15, "units": "EUR" },
        "usageType": "monetary",
        "bucket": { "id": "11" },
        "partyAccount": { "id": "acc1" },
        "product": { "id": "prd1" },
        "logicalResource": { "id": "4", "value": "447645233482" },
        "isAutoTopup": false,
        "reason": KEY,
        "description": KEY,
        "channel": { "id": "99", "name": "99" },
    });
    assert_eq!(doc, expected);
}

/// Servers that know no filters answer everything or refuse; a card is found all the same, and others are not its.
#[tokio::test]
async fn filters_may_be_missing() {
    let contract = contract();
    let bucket = |id: &str, number: &str, amount: &str| {
        changed(
            "tmf654/bucket.json",
            &[
                ("/id", &format!("\"{id}\"")),
                ("/logicalResource/0/value", &format!("\"{number}\"")),
                ("/remainingValue/amount", amount),
                ("/validFor", "null"),
            ],
        )
    };
    let all = format!("[{},{}]", bucket("10", "447645233400", "1"), bucket("11", "447645233482", "50"));
    let everything = Replies::new().on(BUCKET, all.clone());
    let refusing = Replies::new().on(BUCKET, all).on_status(
        &format!("{BUCKET}?logicalResource.value="),
        "400 Bad Request",
        r#"{"code":"21","reason":"filter"}"#,
    );
    for world in [everything, refusing] {
        let bench = Bench::new(&contract, &world).await;
        let read = bench.operator.read(std::slice::from_ref(&contract.card), NOW).await.remove(0).unwrap();
        assert_eq!(read.credit(), Some(money("50 EUR")));
        let stranger = card(None, Some("+447645233499"));
        let read = bench.operator.read(&[stranger], NOW).await.remove(0);
        assert!(matches!(read, Err(OperatorError::Never { kind: RefusalKind::CardData, .. })), "{read:?}");
    }
}

/// Which bucket is filled is never guessed.
#[tokio::test]
async fn a_bucket_is_chosen_or_named() {
    let mut contract = contract();
    let bucket = |id: &str, more: &[(&str, &str)]| {
        let id = format!("\"{id}\"");
        let own = [("/id", id.as_str()), ("/validFor", "null"), ("/logicalResource/0/value", "\"447645233482\"")];
        changed("tmf654/bucket.json", &[&own, more].concat())
    };
    let shared = [("/isShared", "true")];
    let suspended = [("/status", "\"suspended\"")];
    let dollars = [("/remainingValue/units", "\"USD\"")];
    for (buckets, named, chosen) in [
        (vec![bucket("11", &[])], None, Some("11")),
        (vec![bucket("11", &[]), bucket("12", &[])], None, None),
        (vec![bucket("11", &[]), bucket("12", &[])], Some("12"), Some("12")),
        (vec![bucket("11", &[]), bucket("12", &shared)], None, Some("11")),
        (vec![bucket("12", &shared)], None, None),
        (vec![bucket("12", &shared)], Some("12"), Some("12")),
        (vec![bucket("11", &[]), bucket("12", &suspended)], None, Some("11")),
        (vec![bucket("11", &dollars)], None, None),
        (vec![bucket("11", &[])], Some("13"), None),
    ] {
        contract.card.fields = named.map(|named| ("bucket".to_owned(), named.to_owned())).into_iter().collect();
        let world = Replies::new().on(BUCKET, format!("[{}]", buckets.join(",")));
        let bench = Bench::new(&contract, &world).await;
        drop(bench.operator.read(std::slice::from_ref(&contract.card), NOW).await);
        let prepared = bench.operator.prepare(&contract.card, &contract.order());
        let id = prepared.ok().map(|order| {
            let doc: serde_json::Value = serde_json::from_slice(&order.body).unwrap();
            doc["bucket"]["id"].as_str().unwrap().to_owned()
        });
        assert_eq!(id.as_deref(), chosen, "{named:?} of {} buckets", buckets.len());
    }
}

/// A list that cannot be read whole is not read at all.
#[tokio::test]
async fn a_list_that_is_cut_is_an_error() {
    let contract = contract();
    let others: Vec<String> = (0..100).map(|n| topup(&[("/id", &format!("\"{n}\"")), ("/reason", "\"x\"")])).collect();
    let full = Replies::new().on(LIST, format!("[{}]", others.join(",")));
    let more_told = Replies::new().on(LIST, "[]").header("X-Total-Count: 3");
    for world in [full, more_told] {
        let bench = Bench::new(&contract, &world).await;
        let found = bench.operator.find(&contract.card, &contract.sent(None)).await;
        assert_eq!(super::suite::seen(&found), Seen::Error, "{found:?}");
    }
}

/// Only hosts that the owner named, over TLS.
#[test]
fn hosts_are_those_of_the_account() {
    let open = |base_url: &str, token_url: &str| {
        let access = Access::OAuth2 {
            token_url: token_url.into(),
            client_id: "a".into(),
            client_secret: "b".into(),
            scope: None,
        };
        let settings = Settings { base_url: base_url.into(), ..settings(Version::V4_1, access, CardKey::Iccid) };
        Tmf654::open(&Way::default(), settings).map(|tmf| simkeeper::operators::Operator::terms(&tmf).hosts)
    };
    let hosts = open("https://api.example.net/v4", "https://login.example.net/token").unwrap();
    assert_eq!(hosts, ["api.example.net", "login.example.net"]);
    assert_eq!(open("https://api.example.net/v4", "https://api.example.net/token").unwrap(), ["api.example.net"]);
    for (base_url, token_url) in [
        ("http://api.example.net/v4", "https://login.example.net/token"),
        ("https://api.example.net/v4", "http://login.example.net/token"),
        ("api.example.net", "https://login.example.net/token"),
        ("https://api.example.net/v4", "https://login.example.net"),
    ] {
        assert!(open(base_url, token_url).is_err(), "{base_url} {token_url}");
    }
}
