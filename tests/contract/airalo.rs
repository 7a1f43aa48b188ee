//! Airalo: the vendor's own example documents. `tests/airalo.rs` goes further into its details.

use std::sync::Arc;

use simkeeper::domain::data::DataSize;
use simkeeper::domain::operator::{Doubt, RefusalKind};
use simkeeper::domain::reading::CardState;
use simkeeper::operators::airalo::Airalo;

use super::case::{Bought, BuyCase, Contract, FindCase, KEY, NOW, Replies, Seen, card, changed, data, money, plan};

const BUY: &str = "POST /orders/topups";
const FIND: &str = "GET /orders";

pub(crate) fn contract() -> Contract {
    let world = world();
    let mut sold = plan(
        "bonbon-mobile-30days-3gb-topup",
        "3 GB - 100 SMS - 100 Mins - 30 Days",
        "10.00 USD",
        Some(3 << 30),
        Some(30),
    );
    (sold.contents.voice_secs, sold.contents.sms) = (Some(6_000), Some(100));
    let find = |name, order_id, world, expected| FindCase { name, order_id, world, expected };
    let in_state = |slug: &str| taken(&[("/data/status", &format!(r#"{{"slug":"{slug}"}}"#))]);
    let by_number = |slug: &str| world.clone().on("GET /orders/174", in_state(slug));
    Contract {
        kind: "airalo",
        open: |way| Ok(Arc::new(Airalo::open(way, "an-id".into(), "a-secret".into())?)),
        now: NOW,
        card: card(Some("8910300000005271146"), None),
        plan: sold,
        payment: "wallet",
        world: world.clone(),
        reading: |reading| {
            assert_eq!(reading.state, CardState::Active);
            assert_eq!(reading.data_left(), Some(DataSize(767 << 20)));
            assert_eq!(reading.assets, ["728", "725"]);
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 3),
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("0.00 USD")))),
        dispensable: &[],
        token_call: Some("POST /token"),
        buy_call: BUY,
        order_id: Some("174"),
        buys: buys(&world),
        finds: vec![
            find("by key", None, world.clone(), Seen::Accepted("174")),
            find("put in line", Some("3NhR3gKmqCWK7IWppurpDX3Cg"), world.clone(), Seen::Accepted("174")),
            find("refunded later", Some("174"), by_number("refunded"), Seen::Reversed),
            find("still done", Some("174"), by_number("completed"), Seen::Accepted("174")),
            find("not there", None, world.instead(FIND, r#"{"data":[],"meta":{"last_page":1}}"#), Seen::Nothing),
        ],
    }
}

fn buys(world: &Replies) -> Vec<BuyCase> {
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let refusal = |code: u32| format!(r#"{{"code":{code},"reason":"no"}}"#);
    let refused = |code: u32| world.clone().instead_status(BUY, "422 Unprocessable Entity", refusal(code));
    vec![
        buy("done", world.clone(), Bought::Accepted(Some("174"))),
        buy("wallet empty", refused(11), Bought::Refused(RefusalKind::WalletEmpty)),
        buy("maintenance", refused(13), Bought::Refused(RefusalKind::Passing)),
        buy("checksum", refused(14), Bought::Unknown(Doubt::UnlistedCode)),
        buy("switched off", refused(23), Bought::Refused(RefusalKind::PlanGone)),
        buy("no stock", refused(33), Bought::Refused(RefusalKind::Passing)),
        buy("no such package", refused(34), Bought::Refused(RefusalKind::PlanGone)),
        buy("bad request", refused(43), Bought::Refused(RefusalKind::Other)),
        buy("unexpected", refused(53), Bought::Unknown(Doubt::UnlistedCode)),
        buy("recycled", refused(73), Bought::Refused(RefusalKind::CardDead)),
        buy(
            "put in line",
            world.clone().instead_status(BUY, "202 Accepted", data("airalo/order_async_accepted.json")),
            Bought::Pending("3NhR3gKmqCWK7IWppurpDX3Cg"),
        ),
        buy(
            "worked on",
            world.clone().instead(BUY, taken(&[("/data/status", r#"{"slug":"in_progress"}"#)])),
            Bought::Pending("174"),
        ),
        buy("later", world.clone().instead_status(BUY, "202 Accepted", taken(&[])), Bought::Pending("174")),
        buy(
            "failed in the answer",
            world.clone().instead(BUY, taken(&[("/data/status", r#"{"slug":"failed"}"#)])),
            Bought::Unknown(Doubt::Unproven),
        ),
        buy(
            "another package",
            world.clone().instead(BUY, taken(&[("/data/package_id", "\"other\"")])),
            Bought::Unknown(Doubt::Unproven),
        ),
        buy(
            "another currency",
            world.clone().instead(BUY, taken(&[("/data/currency", "\"EUR\"")])),
            Bought::Unknown(Doubt::Unproven),
        ),
    ]
}

/// The order's answer for our package and key, with these changes.
fn taken(changes: &[(&str, &str)]) -> String {
    changed("airalo/topup_order.json", &[&ours()[..], changes].concat())
}

fn ours() -> [(&'static str, &'static str); 2] {
    [
        ("/data/description", "\"0123456789abcdef0123456789abcdef\""),
        ("/data/package_id", "\"bonbon-mobile-30days-3gb-topup\""),
    ]
}

/// A page of the list with one order on it.
fn page_of(order: &str) -> String {
    let order = &serde_json::from_str::<serde_json::Value>(order).unwrap()["data"];
    format!(r#"{{"data":[{order}],"meta":{{"last_page":1}}}}"#)
}

fn world() -> Replies {
    let sim = "GET /sims/8910300000005271146";
    let order = changed("airalo/topup_order.json", &ours());
    let listed = page_of(&order);
    assert!(listed.contains(KEY));
    Replies::new()
        .on("POST /token", data("airalo/token.json"))
        .on("GET /balance", data("airalo/balance.json"))
        .on(&format!("{sim}/usage"), changed("airalo/usage.json", &[("/data/is_unlimited", "false")]))
        .on(&format!("{sim}/packages"), data("airalo/sim_package_history.json"))
        .on(&format!("{sim}/topups"), data("airalo/topup_packages.json"))
        .on(BUY, order)
        .on(FIND, listed)
}

super::suite::contract!();
