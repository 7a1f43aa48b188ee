//! Reloadly: the fixtures of the vendor's library and the examples of its description.

use std::sync::Arc;

use simkeeper::domain::operator::{Doubt, RefusalKind};
use simkeeper::domain::reading::CardState;
use simkeeper::operators::reloadly::Reloadly;

use super::case::{Bought, BuyCase, Contract, FindCase, NOW, Replies, Seen, card, changed, data, money, plan};

const BUY: &str = "POST /topups";
const FIND: &str = "GET /topups/reports/transactions";
const STATUS: &str = "GET /topups/10670/status";
const DETECT: &str = "GET /operators/auto-detect/phone/50936377111/countries/HT";
const ID: &str = "10670";
const OURS: &str = "\"0123456789abcdef0123456789abcdef\"";

pub(crate) fn contract() -> Contract {
    let mut sold = plan("174:HT:sender:15:USD", "Natcom Haiti 15.00 USD", "15.00 USD", None, None);
    sold.contents.credit = Some(money("1006.80 HTG"));
    Contract {
        kind: "reloadly",
        open: |way| Ok(Arc::new(Reloadly::open(way, false, "an-id".into(), "a-secret".into())?)),
        now: NOW,
        card: card(None, Some("50936377111")),
        plan: sold,
        payment: "wallet",
        world: world(),
        reading: |reading| assert_eq!((reading.state, reading.allowances.len()), (CardState::Unknown, 0)),
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 104),
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("1000.00 USD")))),
        dispensable: &[],
        token_call: Some("POST /oauth/token"),
        buy_call: BUY,
        order_id: Some(ID),
        buys: buys(),
        finds: finds(),
    }
}

fn buys() -> Vec<BuyCase> {
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let failed = |status: &str, code: &str| {
        let body = format!(r#"{{"timeStamp":"2022-01-06 18:37:10","message":"no","errorCode":"{code}","details":[]}}"#);
        world().instead_status(BUY, status, body)
    };
    let bad = "400 Bad Request";
    let refused = |code: &str| failed(bad, code);
    let told = |changes: &[(&str, &str)]| world().instead(BUY, taken(changes));
    let asked = |status: &'static str| world().instead(STATUS, state(status));
    let documented = data("reloadly/topup_error_invalid_recipient_400.json");
    let no_token = data("reloadly/token_error_access_denied.json");
    let no_token = world().instead_status("POST /oauth/token", "401 Unauthorized", no_token);
    let unproven = Bought::Unknown(Doubt::Unproven);
    vec![
        buy("done, by the status call", world(), Bought::Accepted(Some(ID))),
        buy("done, by its own status", told(&[("/status", "\"SUCCESSFUL\"")]), Bought::Accepted(Some(ID))),
        buy("at work", told(&[("/status", "\"PROCESSING\"")]), Bought::Pending(ID)),
        buy("at work, by the status call", asked("\"PROCESSING\""), Bought::Pending(ID)),
        buy("no status to be had", world().without(STATUS), Bought::Pending(ID)),
        buy("failed", told(&[("/status", "\"FAILED\"")]), Bought::Refused(RefusalKind::Passing)),
        buy("refunded", told(&[("/status", "\"REFUNDED\"")]), unproven.clone()),
        buy("a status of its own", told(&[("/status", "\"DREAMING\"")]), unproven.clone()),
        buy("number", world().instead_status(BUY, bad, documented), Bought::Refused(RefusalKind::CardData)),
        buy("wallet empty", refused("INSUFFICIENT_BALANCE"), Bought::Refused(RefusalKind::WalletEmpty)),
        buy("amount", refused("INVALID_AMOUNT_FOR_OPERATOR"), Bought::Refused(RefusalKind::PlanGone)),
        buy("down", refused("OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE"), Bought::Refused(RefusalKind::Passing)),
        buy("day's limit", refused("MAX_DAILY_TRANSACTION_COUNT_REACHED"), Bought::Refused(RefusalKind::Passing)),
        buy("rejected", refused("TRANSACTION_REJECTED_BY_OPERATOR"), Bought::Refused(RefusalKind::Other)),
        buy("used", refused("CUSTOM_IDENTIFIER_ALREADY_USED"), Bought::Unknown(Doubt::AlreadyUsed)),
        buy("just now", refused("PHONE_RECENTLY_RECHARGED"), Bought::Unknown(Doubt::AlreadyUsed)),
        buy("provider", refused("PROVIDER_INTERNAL_ERROR"), Bought::Unknown(Doubt::UnlistedCode)),
        buy(
            "not at the moment",
            refused("TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT"),
            Bought::Unknown(Doubt::UnlistedCode),
        ),
        buy("empty, with 500", failed("500 Oops", "INSUFFICIENT_BALANCE"), Bought::Unknown(Doubt::ServerError)),
        buy("token over", failed("401 Unauthorized", "TOKEN_EXPIRED"), Bought::Unknown(Doubt::UnlistedCode)),
        buy("no token", no_token, Bought::Refused(RefusalKind::Access)),
        buy("another identifier", told(&[("/customIdentifier", "\"other\"")]), unproven.clone()),
        buy("another number", told(&[("/recipientPhone", "50936377112")]), unproven.clone()),
        buy("another operator", told(&[("/operatorId", "173")]), unproven.clone()),
        buy("another amount", told(&[("/requestedAmount", "20")]), unproven.clone()),
        buy("another currency", told(&[("/requestedAmountCurrencyCode", "\"EUR\"")]), unproven),
    ]
}

fn finds() -> Vec<FindCase> {
    let find = |name, order_id, world, expected| FindCase { name, order_id, world, expected };
    let by_key = |status: &'static str| {
        world().instead(FIND, page(&[("/content/1/status", status)])).instead(STATUS, state(status))
    };
    let first = page(&[
        ("/last", "false"),
        ("/totalPages", "2"),
        ("/content/1/customIdentifier", "\"0123456789abcdef0123456789abcdef2\""),
    ]);
    let first_page = world().instead(FIND, first.clone());
    let counted_from_1 =
        first_page.clone().on(&format!("{FIND}?page=1"), first).on(&format!("{FIND}?page=2"), page(&[]));
    let counted_from_0 = first_page.on(&format!("{FIND}?page=1"), page(&[]));
    let none = r#"{"content":[],"totalPages":0,"totalElements":0,"last":true,"number":0}"#;
    let unnamed = page(&[("/content/0/customIdentifier", "null")]);
    let twice = page(&[("/content/0/customIdentifier", OURS)]);
    vec![
        find("by identifier", None, world(), Seen::Accepted(ID)),
        find("with its own status", None, by_key("\"PROCESSING\""), Seen::Pending(ID)),
        find("by id", Some(ID), world(), Seen::Accepted(ID)),
        find("by a flat status", Some(ID), world().instead(STATUS, taken(&flat())), Seen::Accepted(ID)),
        find("by identifier, the id gone", Some("99"), by_key("\"SUCCESSFUL\""), Seen::Accepted(ID)),
        find("pages from 0", None, counted_from_0, Seen::Accepted(ID)),
        find("pages from 1", None, counted_from_1, Seen::Accepted(ID)),
        find("refunded", None, by_key("\"REFUNDED\""), Seen::Reversed),
        find("failed", None, by_key("\"FAILED\""), Seen::Refused(RefusalKind::Passing)),
        find("refunded, by id", Some(ID), world().instead(STATUS, state("\"REFUNDED\"")), Seen::Reversed),
        find("not there", None, world().instead(FIND, none), Seen::Nothing),
        find("one without identifier", None, world().instead(FIND, unnamed), Seen::Error),
        find("two of them", None, world().instead(FIND, twice), Seen::Error),
    ]
}

fn flat() -> [(&'static str, &'static str); 1] {
    [("/status", "\"SUCCESSFUL\"")]
}

/// The answer to our top-up, without a status.
fn taken(changes: &[(&str, &str)]) -> String {
    let ours = [("/customIdentifier", OURS), ("/operatorId", "174")];
    changed("reloadly/topup_phone.json", &[&ours[..], changes].concat())
}

fn state(status: &str) -> String {
    let ours = [
        ("/status", status),
        ("/transaction/status", status),
        ("/transaction/transactionId", ID),
        ("/transaction/customIdentifier", OURS),
    ];
    changed("reloadly/topup_status.json", &ours)
}

/// A page with our transaction in the second row.
fn page(changes: &[(&str, &str)]) -> String {
    let ours = [
        ("/content/0/customIdentifier", "\"a\""),
        ("/content/1/customIdentifier", OURS),
        ("/content/1/transactionId", ID),
        ("/content/1/operatorId", "174"),
        ("/content/2/customIdentifier", "\"c\""),
        ("/content/3/customIdentifier", "\"d\""),
        ("/content/4/customIdentifier", "\"e\""),
    ];
    changed("reloadly/transactions_page.json", &[&ours[..], changes].concat())
}

fn world() -> Replies {
    Replies::new()
        .on("POST /oauth/token", data("reloadly/token.json"))
        .on("GET /accounts/balance", data("reloadly/account_balance.json"))
        .on("GET /countries", data("reloadly/countries.json"))
        .on(DETECT, data("reloadly/operator.json"))
        .on("GET /operators/174", data("reloadly/operator.json"))
        .on(BUY, taken(&[]))
        .on(STATUS, state("\"SUCCESSFUL\""))
        .on(FIND, page(&[]))
}

super::suite::contract!();
