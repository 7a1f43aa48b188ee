//! The example profile of eSIM Go: an order without a reference of ours, found again in a list.

use std::collections::BTreeMap;
use std::sync::Arc;

use simkeeper::domain::data::DataSize;
use simkeeper::domain::operator::Doubt;
use simkeeper::domain::reading::CardState;
use simkeeper::operators::Operator;
use simkeeper::operators::http::HttpSetupError;
use simkeeper::operators::profile::{ProfileError, ProfileOperator, check_file};

use super::case::{Bought, BuyCase, Contract, FindCase, NOW, Replies, Seen, Way, card, changed, data, money, plan};

const BUY: &str = "POST /orders";
const FIND: &str = "GET /orders?page=1";
const ID: &str = "73028252-1f26-4f22-9517-4fc879dbb8fb";

/// An account by one of the example profiles.
pub(crate) fn open(name: &str, secrets: &[&str], way: &Way) -> Result<Arc<dyn Operator>, HttpSetupError> {
    let path = format!("{}/docs/examples/operators.d/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let profile =
        check_file(&std::fs::read_to_string(&path).unwrap(), &path).unwrap_or_else(|report| panic!("{report}"));
    let secrets: BTreeMap<_, _> =
        secrets.iter().map(|secret| ((*secret).to_owned(), "a-secret".to_owned().into())).collect();
    match ProfileOperator::open(way, profile, secrets) {
        Ok(operator) => Ok(Arc::new(operator)),
        Err(ProfileError::Setup(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

pub(crate) fn contract() -> Contract {
    let world = world();
    let buy = |name, world, expected| BuyCase { name, world, expected };
    Contract {
        kind: "http-esimgo",
        open: |way| open("esimgo", &["api_key"], way),
        now: NOW,
        card: card(Some("8943108167001960542"), None),
        plan: plan(
            "esim_1GB_7D_GB_V2",
            "eSIM, 1GB, 7 Days, United Kingdom, V2",
            "1.36 USD",
            Some(1_000_000_000),
            Some(7),
        ),
        payment: "wallet",
        world: world.clone(),
        reading: |reading| {
            assert_eq!(reading.state, CardState::Active);
            assert_eq!(reading.data_left(), Some(DataSize(750_000_000)));
            assert_eq!(reading.assets, ["215009266"]);
            assert_eq!(reading.plan.as_deref(), Some("esim_1GB_7D_GB_V2"));
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 2),
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("40.5 USD")))),
        dispensable: &[],
        token_call: None,
        buy_call: BUY,
        order_id: Some(ID),
        buys: vec![
            buy("done", world.clone(), Bought::Accepted(Some(ID))),
            buy("being made", world.clone().instead(BUY, order(&[("/status", "\"processing\"")])), Bought::Pending(ID)),
            buy(
                "a state nobody knows",
                world.clone().instead(BUY, order(&[("/status", "\"odd\"")])),
                Bought::Unknown(Doubt::UnlistedCode),
            ),
            buy(
                "another bundle",
                world.clone().instead(BUY, order(&[("/order/0/item", "\"x\"")])),
                Bought::Unknown(Doubt::Unproven),
            ),
            buy(
                "a new card",
                world.clone().instead(BUY, order(&[("/order/0/esims/0/iccid", "\"8943108167001960000\"")])),
                Bought::Unknown(Doubt::Unproven),
            ),
            buy(
                "another currency",
                world.clone().instead(BUY, order(&[("/currency", "\"EUR\"")])),
                Bought::Unknown(Doubt::Unproven),
            ),
            buy(
                "no documented code",
                world.clone().instead_status(BUY, "400 Bad Request", r#"{"message":"no"}"#),
                Bought::Unknown(Doubt::UnlistedCode),
            ),
        ],
        finds: finds(&world),
    }
}

fn order(changes: &[(&str, &str)]) -> String {
    changed("profiles/esimgo_order.json", changes)
}

fn finds(world: &Replies) -> Vec<FindCase> {
    let find = |name, order_id, world, expected| FindCase { name, order_id, world, expected };
    let listed = |changes: &[(&str, &str)]| format!("[{}]", order(&[&MADE[..], changes].concat()));
    vec![
        find("in the list", None, world.clone(), Seen::Accepted(ID)),
        find("by its id", Some(ID), world.clone(), Seen::Accepted(ID)),
        find("not there", None, world.clone().instead(FIND, "[]"), Seen::Nothing),
        find("older", None, world.clone().instead(FIND, format!("[{}]", order(&[]))), Seen::Nothing),
        find(
            "of another card",
            None,
            world.clone().instead(FIND, listed(&[("/order/0/esims/0/iccid", "\"8943108167001960000\"")])),
            Seen::Nothing,
        ),
        find(
            "twice",
            None,
            world
                .clone()
                .instead(FIND, format!("[{},{}]", order(&MADE), order(&[MADE[0], ("/orderReference", "\"b\"")]))),
            Seen::Error,
        ),
    ]
}

const MADE: [(&str, &str); 1] = [("/createdDate", "\"2026-11-22T12:00:01.785826016Z\"")];

fn world() -> Replies {
    let sim = "GET /esims/8943108167001960542";
    let bundle = |name: &str, price: &str| {
        format!(
            r#"{{"name":"{name}","description":"eSIM, 1GB, 7 Days, United Kingdom, V2","dataAmount":1000,"duration":7,"unlimited":false,"price":{price},"billingType":"FixedCost"}}"#
        )
    };
    let made = changed("profiles/esimgo_order.json", &MADE);
    Replies::new()
        .on(
            sim,
            r#"{"iccid":"8943108167001960542","profileStatus":"Installed","firstInstalledDateTime":1700000000000}"#,
        )
        .on(&format!("{sim}/bundles"), data("profiles/esimgo_bundles.json"))
        .on("GET /organisation", r#"{"organisations":[{"name":"a","balance":50.5,"testCredit":10,"currency":"USD"}]}"#)
        .on(
            "GET /catalogue?page=1",
            format!(r#"{{"bundles":[{},{}]}}"#, bundle("esim_1GB_7D_GB_V2", "1.36"), bundle("other", "2")),
        )
        .on("GET /catalogue?page=2", r#"{"bundles":[]}"#)
        .on("GET /catalogue/bundle/esim_1GB_7D_GB_V2", bundle("esim_1GB_7D_GB_V2", "1.36"))
        .on(BUY, data("profiles/esimgo_order.json"))
        .on(FIND, format!("[{made}]"))
        .on("GET /orders?page=2", "[]")
        .on(&format!("GET /orders/{ID}"), made)
}

super::suite::contract!();
