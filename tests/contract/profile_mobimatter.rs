//! The example profile of MobiMatter: an order in two steps, found again among the ids of a card's orders.

use simkeeper::domain::data::DataSize;
use simkeeper::domain::operator::{Doubt, RefusalKind};

use super::case::{Bought, BuyCase, Contract, FindCase, KEY, NOW, Replies, Seen, card, data, money, plan};
use super::profile_esimgo::open;

const RESERVE: &str = "POST /order";
const COMMIT: &str = "PUT /order/complete";
const LISTED: &str = "GET /order/RBL-1/linked";
const OURS: &str = "GET /order/RBL-6606581";
const OLD: &str = "GET /order/RBL-6600000";

pub(crate) fn contract() -> Contract {
    let world = world();
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let find = |name, world, expected| FindCase { name, order_id: None, world, expected };
    let by_id = |name, world, expected| FindCase { name, order_id: Some("RBL-6606581"), world, expected };
    let mut holder = card(Some("8931226100011425000"), None);
    holder.fields.insert("first_order_id".into(), "RBL-1".into());
    holder.fields.insert("family".into(), "6".into());
    let refused = |status, body: &str| world.clone().instead_status(RESERVE, status, body);
    Contract {
        kind: "http-mobimatter",
        open: |way| open("mobimatter", &["api_key", "merchant_id"], way),
        now: NOW,
        card: holder,
        plan: plan("6cd89e12", "TopUp Indonesia 15 GB", "8 USD", Some(15_000_000_000), Some(30)),
        payment: "wallet",
        world: world.clone(),
        reading: |reading| {
            assert_eq!(reading.data_left(), Some(DataSize(4_941_000_000)), "a package that is over does not count");
            assert_eq!(reading.plan_ends.unwrap().at.to_string(), "2026-12-12T11:36:38Z");
            assert_eq!(reading.assets, ["RBL-6600000", "RBL-6606581"]);
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 1),
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("50 USD")))),
        dispensable: &[],
        token_call: None,
        buy_call: COMMIT,
        order_id: Some("RBL-6606581"),
        buys: vec![
            buy("completed", world.clone(), Bought::Accepted(Some("RBL-6606581"))),
            buy("at work", world.clone().instead(COMMIT, order("Processing", KEY)), Bought::Pending("RBL-6606581")),
            buy(
                "no money to hold",
                refused("402 Payment Required", r#"{"statusCode":400,"message":"Unable to authorize funds: low"}"#),
                Bought::Refused(RefusalKind::WalletEmpty),
            ),
            buy(
                "out of stock",
                refused("429 Too Many Requests", r#"{"statusCode":429,"message":"out of stock"}"#),
                Bought::Refused(RefusalKind::PlanGone),
            ),
            buy(
                "the second step fails",
                world.clone().instead_status(COMMIT, "455 Unavailable", r#"{"statusCode":455,"message":"down"}"#),
                Bought::Unknown(Doubt::UnlistedCode),
            ),
        ],
        finds: vec![
            find("done", world.clone(), Seen::Accepted("RBL-6606581")),
            find("held, not taken", world.clone().instead(OURS, order("Created", KEY)), Seen::Pending("RBL-6606581")),
            find("cancelled", world.clone().instead(OURS, order("Cancelled", KEY)), Seen::Refused(RefusalKind::Other)),
            find("of somebody else", world.clone().instead(OURS, order("Completed", "by hand")), Seen::Nothing),
            find(
                "of today without a label",
                world.clone().instead(OURS, order("Completed", "").replace("\"\"", "null")),
                Seen::Error,
            ),
            find("no orders", world.clone().instead(LISTED, r#"{"statusCode":200,"result":[]}"#), Seen::Nothing),
            find("no list", world.clone().instead(LISTED, r#"{"statusCode":200}"#), Seen::Error),
            find("a listed order is gone", world.clone().without(OURS), Seen::Error),
            by_id("by its id", world.instead(OURS, order("Expired", KEY)), Seen::Refused(RefusalKind::Other)),
        ],
    }
}

fn order(state: &str, label: &str) -> String {
    format!(
        r#"{{"statusCode":200,"result":{{"orderId":"RBL-6606581","orderState":"{state}","currencyCode":"USD","created":"2026-11-22T12:00:05.677","updated":"2026-11-22T12:00:08.703","orderLineItem":{{"productId":"6cd89e12","productCategory":"esim_addon","productFamilyId":"6","title":"TopUp Indonesia 15 GB","retailPrice":11.99,"wholesalePrice":8}},"label":"{label}"}}}}"#
    )
}

fn world() -> Replies {
    let old = r#"{"statusCode":200,"result":{"orderId":"RBL-6600000","orderState":"Completed","created":"2026-10-01T05:54:17.677","orderLineItem":{"productId":"6cd89e12","wholesalePrice":8},"label":null}}"#;
    let product = r#"{"productId":"6cd89e12","productCategory":"esim_addon","productFamilyId":"6","wholesalePrice":8,"retailPrice":11.99,"currencyCode":"USD","productDetails":[{"name":"PLAN_TITLE","value":"TopUp Indonesia 15 GB"},{"name":"PLAN_VALIDITY","value":"720"},{"name":"PLAN_DATA_LIMIT","value":"15"},{"name":"PLAN_DATA_UNIT","value":"GB"}]}"#;
    Replies::new()
        .on("GET /provider/info/RBL-1", data("profiles/mobimatter_info.json"))
        .on(LISTED, r#"{"statusCode":200,"result":["RBL-6600000","RBL-6606581"]}"#)
        .on("GET /merchant/balance", r#"{"statusCode":200,"result":{"balance":50.0}}"#)
        .on("GET /products", format!(r#"{{"statusCode":200,"result":[{product}]}}"#))
        .on(RESERVE, r#"{"statusCode":200,"result":{"orderId":"RBL-6606581","productCategory":"esim_addon"}}"#)
        .on(COMMIT, order("Completed", KEY))
        .on(OLD, old)
        .on(OURS, order("Completed", KEY))
}

super::suite::contract!();
