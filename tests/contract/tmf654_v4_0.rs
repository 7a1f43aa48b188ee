//! TMF654 v4.0.0: the same samples in the older shape, a card known by its product, a token server beside.

use std::sync::Arc;

use simkeeper::domain::reading::CardState;
use simkeeper::operators::tmf654::{Access, CardKey, Tmf654, Version};

use super::case::{Contract, NOW, Replies, card, changed, money};
use super::suite::Bench;
use super::tmf654::{BUY, buys, finds, settings, sold, topup};

pub(crate) fn contract() -> Contract {
    let world = world();
    let mut known = card(None, None);
    known.fields.insert("product_id".into(), "prd1".into());
    Contract {
        kind: "tmf654",
        open: |way| {
            let access = Access::OAuth2 {
                token_url: "https://login.mycsp.example/oauth2/token".into(),
                client_id: "a-client".into(),
                client_secret: "a-secret".into(),
                scope: Some("balance".into()),
            };
            let settings = settings(Version::V4_0, access, CardKey::Product("product_id".into()));
            Ok(Arc::new(Tmf654::open(way, settings)?))
        },
        now: NOW,
        card: known,
        plan: sold(),
        payment: "wallet",
        world: world.clone(),
        reading: |reading| {
            assert_eq!(reading.state, CardState::Active);
            assert_eq!(reading.credit(), Some(money("50 EUR")));
            assert_eq!(reading.credit_ends, None);
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 1),
        wallet: None,
        dispensable: &[],
        token_call: Some("POST /token"),
        buy_call: BUY,
        order_id: Some("55"),
        buys: buys(&world),
        finds: finds(&world),
    }
}

fn world() -> Replies {
    let bucket = changed("tmf654/bucket.json", &[("/validFor", "{}")]);
    Replies::new()
        .on("POST /token", r#"{"access_token":"a-token","token_type":"Bearer","expires_in":3600}"#)
        .on("GET /bucket", format!("[{bucket}]"))
        .header("X-Total-Count: 1")
        .on_status(BUY, "201 Created", topup(&[]))
        .on("GET /topupBalance", format!("[{}]", topup(&[])))
        .on("GET /topupBalance/55", topup(&[]))
}

super::suite::contract!();

/// Lists instead of single objects, and the account must be known.
#[tokio::test]
async fn an_order_has_the_shape_of_its_version() {
    let mut contract = contract();
    for (account, named, expected) in
        [(r#"{"id":"acc1"}"#, None, Some("acc1")), ("null", Some("acc2"), Some("acc2")), ("null", None, None)]
    {
        contract.card.fields.remove("party_account");
        contract.card.fields.extend(named.map(|named: &str| ("party_account".to_owned(), named.to_owned())));
        let bucket = changed("tmf654/bucket.json", &[("/partyAccount", account)]);
        let bench = Bench::new(&contract, &world().instead("GET /bucket", format!("[{bucket}]"))).await;
        let read = bench.operator.read(std::slice::from_ref(&contract.card), NOW).await.remove(0).unwrap();
        // The official sample ends before it begins; such an end is not taken.
        assert_eq!((read.credit_ends, read.credit()), (None, Some(money("50 EUR"))));
        let prepared = bench.operator.prepare(&contract.card, &contract.order()).ok();
        let doc = prepared.map(|order| serde_json::from_slice::<serde_json::Value>(&order.body).unwrap());
        assert_eq!(doc.as_ref().and_then(|doc| doc["partyAccount"]["id"].as_str()), expected);
        assert!(doc.is_none_or(|doc| doc["product"] == serde_json::json!([{ "id": "prd1" }])));
    }
}
