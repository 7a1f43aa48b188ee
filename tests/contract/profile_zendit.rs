//! The example profile of Zendit, an operator without an adapter.

use simkeeper::domain::data::DataSize;
use simkeeper::domain::operator::{Doubt, RefusalKind};

use super::case::{Bought, BuyCase, Contract, FindCase, KEY, NOW, Replies, Seen, card, money, plan};
use super::profile_esimgo::open;

const BUY: &str = "POST /esim/purchases";
const FIND: &str = "GET /esim/purchases/0123456789abcdef0123456789abcdef";

pub(crate) fn contract() -> Contract {
    let world = world();
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let find = |name, world, expected| FindCase { name, order_id: None, world, expected };
    let mut holder = card(Some("8910300000005271146"), None);
    holder.fields.insert("brand".into(), "AFRICA".into());
    Contract {
        kind: "http-zendit",
        open: |way| open("zendit", &["api_key"], way),
        now: NOW,
        card: holder,
        plan: plan("ESIM-AFRICA-30D-10GB", "ESIM-AFRICA-30D-10GB", "24.60 USD", Some(10_000_000_000), Some(30)),
        payment: "wallet",
        world: world.clone(),
        reading: |reading| {
            assert_eq!(reading.data_left(), Some(DataSize(1_500_000_000)));
            assert_eq!(reading.plan_ends.unwrap().at.to_string(), "2026-12-01T00:00:00Z");
            assert_eq!(reading.plan.as_deref(), Some("ESIM-AFRICA-30D-10GB"));
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 1),
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("123.45 USD")))),
        dispensable: &[],
        token_call: None,
        buy_call: BUY,
        order_id: Some(KEY),
        buys: vec![
            buy("taken in", world.clone(), Bought::Pending(KEY)),
            buy("done at once", world.clone().instead(BUY, taken("DONE")), Bought::Accepted(Some(KEY))),
            buy("failed at once", world.clone().instead(BUY, taken("FAILED")), Bought::Unknown(Doubt::UnlistedCode)),
            buy(
                "of another",
                world.clone().instead(BUY, r#"{"status":"ACCEPTED","transactionId":"x"}"#),
                Bought::Unknown(Doubt::Unproven),
            ),
            buy(
                "not there",
                world.clone().instead_status(BUY, "404 Not Found", r#"{"errorCode":"NOT_FOUND","message":"no"}"#),
                Bought::Unknown(Doubt::UnlistedCode),
            ),
        ],
        finds: vec![
            find("done", world.clone(), Seen::Accepted(KEY)),
            find("at work", world.clone().instead(FIND, purchase("IN_PROGRESS", "null")), Seen::Pending(KEY)),
            find(
                "wallet empty",
                world
                    .clone()
                    .instead(FIND, purchase("FAILED", r#"{"code":"INSUFFICIENT_FUNDS","description":"no money"}"#)),
                Seen::Refused(RefusalKind::WalletEmpty),
            ),
            find("never accepted", world.clone().instead_status(FIND, "404 Not Found", "{}"), Seen::Nothing),
            find("a state nobody knows", world.instead(FIND, purchase("ODD", "null")), Seen::Error),
        ],
    }
}

fn taken(status: &str) -> String {
    format!(r#"{{"status":"{status}","transactionId":"{KEY}"}}"#)
}

fn purchase(status: &str, error: &str) -> String {
    format!(
        r#"{{"transactionId":"{KEY}","offerId":"ESIM-AFRICA-30D-10GB","status":"{status}","cost":2460,"costCurrency":"USD","costCurrencyDivisor":100,"error":{error}}}"#
    )
}

fn world() -> Replies {
    let offer = r#"{"offerId":"ESIM-AFRICA-30D-10GB","brand":"AFRICA","enabled":true,"dataGB":10,"dataUnlimited":false,"durationDays":30,"cost":{"fixed":2400,"fee":60,"currency":"USD","currencyDivisor":100}}"#;
    let plans = r#"{"firstInstalledAt":"2026-11-01T00:00:00Z","total":1,"list":[{"offerId":"ESIM-AFRICA-30D-10GB","iccid":"8910300000005271146","status":"ACTIVE","initialDataGB":10,"remainingDataGB":1.5,"startAt":"2026-11-01T00:00:00Z","endAt":"2026-12-01T00:00:00Z","unlimited":false}]}"#;
    Replies::new()
        .on("GET /esim/8910300000005271146/plans", plans)
        .on("GET /balance", r#"{"availableBalance":12345,"currency":"USD","currencyDivisor":100}"#)
        .on("GET /esim/offers", format!(r#"{{"list":[{offer}],"total":1}}"#))
        .on("GET /esim/offers/ESIM-AFRICA-30D-10GB", offer)
        .on(BUY, taken("ACCEPTED"))
        .on(FIND, purchase("DONE", "null"))
}

super::suite::contract!();
