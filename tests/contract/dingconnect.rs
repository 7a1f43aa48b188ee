//! DingConnect: captured answers, and some written after the vendor's description.

use std::sync::Arc;

use simkeeper::domain::operator::{Doubt, RefusalKind};
use simkeeper::domain::reading::CardState;
use simkeeper::operators::dingconnect::DingConnect;

use super::case::{Bought, BuyCase, Contract, FindCase, NOW, Replies, Seen, card, changed, data, money, plan};

const BUY: &str = "POST /SendTransfer";
const FIND: &str = "POST /ListTransferRecords";
const ID: &str = "863785357";

pub(crate) fn contract() -> Contract {
    let world = world();
    let mut sold = plan("BO_EN_TopUp:11:0", "BOEN 11.00 BOB", "1.15 USD", None, None);
    sold.contents.credit = Some(money("11 BOB"));
    Contract {
        kind: "dingconnect",
        open: |way| Ok(Arc::new(DingConnect::open(way, "a-secret".into())?)),
        now: NOW,
        card: card(None, Some("59171234567")),
        plan: sold,
        payment: "wallet",
        world,
        reading: |reading| assert_eq!((reading.state, reading.allowances.len()), (CardState::Unknown, 0)),
        catalogue: |catalogue| {
            let ids: Vec<_> = catalogue.plans.iter().map(|plan| plan.id.as_str()).collect();
            assert_eq!(ids, ["BO_EN_TopUp:10:0", "BO_EN_TopUp:11:0", "BO_EN_TopUp:12:0", "BOEN17782:fixed:0.25"]);
            assert_eq!(catalogue.plans[3].price, money("3.75 USD"));
        },
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("12.34 USD")))),
        dispensable: &[],
        token_call: None,
        buy_call: BUY,
        order_id: Some(ID),
        buys: buys(),
        finds: finds(),
    }
}

fn buys() -> Vec<BuyCase> {
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let taken =
        |changes: &[(&str, &str)]| world().instead(BUY, changed("dingconnect/send_transfer_complete.json", changes));
    let failed = |status: &str, result: u8, code: &str| {
        let body = format!(
            r#"{{"TransferRecord":{{"SkuCode":"BO_EN_TopUp","ProcessingState":"Failed"}},
            "ResultCode":{result},"ErrorCodes":[{{"Code":"{code}"}}]}}"#
        );
        world().instead_status(BUY, status, body)
    };
    let ok = "200 OK";
    let fault = "500 Internal Server Error";
    let unknown = |doubt| Bought::Unknown(doubt);
    let empty = data("dingconnect/send_transfer_insufficient_balance_http500.json");
    let no_flag = data("dingconnect/error_validate_only_missing.json");
    let no_key = data("dingconnect/error_auth.json");
    let state = |state: &'static str| taken(&[("/TransferRecord/ProcessingState", state)]);
    vec![
        buy("done", world(), Bought::Accepted(Some(ID))),
        buy("done, in the word of the text", state("\"Completed\""), Bought::Accepted(Some(ID))),
        buy("a batch", state("\"Submitted\""), Bought::Pending(ID)),
        buy("still at it", state("\"Processing\""), Bought::Pending(ID)),
        buy("wallet empty", world().instead_status(BUY, fault, empty), Bought::Refused(RefusalKind::WalletEmpty)),
        buy("wallet empty, with 200", failed(ok, 5, "InsufficientBalance"), Bought::Refused(RefusalKind::WalletEmpty)),
        buy("no such number", failed(ok, 4, "AccountNumberInvalid"), Bought::Refused(RefusalKind::CardData)),
        buy("not that number", failed(ok, 4, "AccountNumberFailedRegex"), Bought::Refused(RefusalKind::CardData)),
        buy("no top-up", failed(ok, 5, "RechargeNotAllowed"), Bought::Refused(RefusalKind::CardData)),
        buy("amount", failed("400 Bad Request", 4, "ParameterOutOfRange"), Bought::Refused(RefusalKind::PlanGone)),
        buy("parameter", world().instead(BUY, no_flag), Bought::Refused(RefusalKind::Other)),
        buy("no access", world().instead_status(BUY, "401 Unauthorized", no_key), Bought::Refused(RefusalKind::Access)),
        buy("a number, with 500", failed(fault, 4, "AccountNumberInvalid"), unknown(Doubt::ServerError)),
        buy("timed out there", failed(ok, 5, "ProviderTimedOut"), unknown(Doubt::UnlistedCode)),
        buy("provider", failed(ok, 5, "ProviderError"), unknown(Doubt::UnlistedCode)),
        buy("passing", failed(ok, 3, "TransientProviderError"), unknown(Doubt::Unreadable)),
        buy("too fast", failed(ok, 4, "RateLimited"), unknown(Doubt::UnlistedCode)),
        buy("known", failed(ok, 5, "DuplicateTransactionPrevented"), unknown(Doubt::AlreadyUsed)),
        buy("failed as done", state("\"Failed\""), unknown(Doubt::Unproven)),
        buy(
            "another reference",
            taken(&[("/TransferRecord/TransferId/DistributorRef", "\"other\"")]),
            unknown(Doubt::Unproven),
        ),
        buy("another number", taken(&[("/TransferRecord/AccountNumber", "\"1\"")]), unknown(Doubt::Unproven)),
        buy("another product", taken(&[("/TransferRecord/SkuCode", "\"X\"")]), unknown(Doubt::Unproven)),
        buy("another amount", taken(&[("/TransferRecord/Price/SendValue", "2.3")]), unknown(Doubt::Unproven)),
        buy(
            "another currency",
            taken(&[("/TransferRecord/Price/SendCurrencyIso", "\"EUR\"")]),
            unknown(Doubt::Unproven),
        ),
    ]
}

fn finds() -> Vec<FindCase> {
    let find = |name, order_id, world, expected| FindCase { name, order_id, world, expected };
    let state = |state: &'static str| listed(&[("/Items/0/TransferRecord/ProcessingState", state)]);
    let twice = |second: &str| {
        let mut doc: serde_json::Value = serde_json::from_str(&listed(&[])).unwrap();
        let mut other = doc["Items"][0].clone();
        other["TransferRecord"]["TransferId"]["TransferRef"] = "863785358".into();
        other["TransferRecord"]["ProcessingState"] = second.into();
        doc["Items"].as_array_mut().unwrap().insert(0, other);
        world().instead(FIND, doc.to_string())
    };
    let in_world = |body: String| world().instead(FIND, body);
    let first_page = listed(&[
        ("/ThereAreMoreItems", "true"),
        ("/Items/0/TransferRecord/TransferId/DistributorRef", "\"0123456789abcdef0123456789abcdef2\""),
    ]);
    let none = r#"{"ResultCode":1,"ErrorCodes":[],"ThereAreMoreItems":false,"Items":[]}"#;
    let more = r#"{"ResultCode":1,"ErrorCodes":[],"ThereAreMoreItems":true,"Items":[]}"#;
    vec![
        find("by reference", None, world(), Seen::Accepted(ID)),
        find("with its id", Some(ID), world(), Seen::Accepted(ID)),
        find("on the second page", None, world().on(&format!("{FIND}?\"Skip\":0"), first_page), Seen::Accepted(ID)),
        find("not there", None, in_world(none.into()), Seen::Nothing),
        find("more, and nothing", None, in_world(more.into()), Seen::Error),
        find("at work", None, in_world(state("\"Processing\"")), Seen::Pending(ID)),
        find("failed", None, in_world(state("\"Failed\"")), Seen::Refused(RefusalKind::Other)),
        find("cancelled", None, in_world(state("\"Cancelled\"")), Seen::Refused(RefusalKind::Other)),
        find("in a state of its own", None, in_world(state("\"Dreaming\"")), Seen::Error),
        find("one failed and one done", None, twice("Failed"), Seen::Accepted(ID)),
        find("two done", None, twice("Complete"), Seen::Error),
        find(
            "for another number",
            None,
            in_world(listed(&[("/Items/0/TransferRecord/AccountNumber", "\"1\"")])),
            Seen::Error,
        ),
    ]
}

fn listed(changes: &[(&str, &str)]) -> String {
    let ours = [
        ("/Items/0/TransferRecord/TransferId/DistributorRef", "\"0123456789abcdef0123456789abcdef\""),
        ("/Items/0/TransferRecord/AccountNumber", "\"59171234567\""),
    ];
    changed("dingconnect/list_transfer_records.json", &[&ours[..], changes].concat())
}

fn world() -> Replies {
    Replies::new()
        .on("GET /GetBalance", data("dingconnect/balance.json"))
        .on("GET /GetAccountLookup", data("dingconnect/account_lookup.json"))
        .on("GET /GetProducts", data("dingconnect/products.json"))
        .on("POST /EstimatePrices", data("dingconnect/estimate_prices.json"))
        .on(BUY, data("dingconnect/send_transfer_complete.json"))
        .on(FIND, listed(&[]))
}

super::suite::contract!();
