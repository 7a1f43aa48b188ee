//! DT One: eSIMs by their ICCID. The documents are written after the vendor's description.

use std::sync::Arc;

use simkeeper::domain::data::DataSize;
use simkeeper::domain::operator::{Doubt, RefusalKind};
use simkeeper::domain::reading::{AllowanceKind, CardState};
use simkeeper::operators::dtone::DtOne;

use super::case::{Bought, BuyCase, Contract, FindCase, NOW, Replies, Seen, card, changed, data, money, plan};

const MAKE: &str = "POST /async/transactions";
const BUY: &str = "POST /async/transactions/2230000123/confirm";
const BENEFITS: &str = "POST /lookup/credit-party-benefits";
const FIND: &str = "GET /transactions";
const ID: &str = "2230000123";

pub(crate) fn contract() -> Contract {
    let mut esim = card(Some("8910300000005271146"), None);
    esim.fields.insert("operator_id".into(), "4001".into());
    let sold = plan("esim:52001", "Global 3 GB 30 days", "7.20 USD", Some(3_000_000_000), Some(30));
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let find = |name, world, expected| FindCase { name, order_id: None, world, expected };
    let new_one = changed("dtone/esim_completed.json", &[("/metadata/activation_type", "\"DATA_PLAN\"")]);
    let for_nobody = changed("dtone/esim_created.json", &[("/credit_party_identifier", "null")]);
    Contract {
        kind: "dtone",
        open: |way| Ok(Arc::new(DtOne::open(way, true, "a-key".into(), "a-secret".into())?)),
        now: NOW,
        card: esim,
        plan: sold,
        payment: "wallet",
        world: world(),
        reading: |reading| {
            assert_eq!((reading.state, reading.data_left()), (CardState::Active, Some(DataSize(512_500_000))));
            assert!(reading.left(AllowanceKind::Sms).unlimited);
            assert_eq!(reading.plan_ends.unwrap().at.to_string(), "2026-12-05T09:30:00Z");
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 1),
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("512.34 USD")))),
        // A list without rows says that nothing is left to be told.
        dispensable: &[BENEFITS],
        token_call: None,
        buy_call: BUY,
        order_id: Some(ID),
        buys: vec![
            buy("done", world(), Bought::Accepted(Some(ID))),
            buy("for nobody", world().instead_status(MAKE, "201 Created", for_nobody), unproven()),
            buy("a new eSIM", world().instead_status(BUY, "202 Accepted", new_one), unproven()),
            buy("gone", world().instead_status(MAKE, "404 Not Found", GONE), Bought::Refused(RefusalKind::PlanGone)),
        ],
        finds: vec![
            find("by reference", world(), Seen::Accepted(ID)),
            find("not there", world().instead(FIND, "[]"), Seen::Nothing),
        ],
    }
}

const GONE: &str = r#"{"errors":[{"code":1003001,"message":"Product is not available in your account"}]}"#;

fn unproven() -> Bought {
    Bought::Unknown(Doubt::Unproven)
}

fn world() -> Replies {
    Replies::new()
        .on(BENEFITS, data("dtone/esim_benefits.json"))
        .on("POST /lookup/credit-party-status", data("dtone/esim_status.json"))
        .on("GET /balances", data("dtone/balances.json"))
        .on("GET /products", data("dtone/esim_products.json"))
        .on("GET /products/52001", data("dtone/esim_product.json"))
        .on_status(MAKE, "201 Created", data("dtone/esim_created.json"))
        .on_status(BUY, "202 Accepted", data("dtone/esim_completed.json"))
        .on(FIND, format!("[{}]", data("dtone/esim_completed.json")))
}

super::suite::contract!();
