//! DT One: phone numbers. The documents are written after the vendor's description.

use std::sync::Arc;

use simkeeper::domain::operator::{Doubt, RefusalKind};
use simkeeper::domain::reading::CardState;
use simkeeper::operators::dtone::DtOne;

use super::case::{Bought, BuyCase, Contract, FindCase, NOW, Replies, Seen, card, changed, data, money, plan};

const MAKE: &str = "POST /async/transactions";
const BUY: &str = "POST /async/transactions/2230000123/confirm";
const CANCEL: &str = "POST /transactions/2230000123/cancel";
const FIND: &str = "GET /transactions";
const BY_ID: &str = "GET /transactions/2230000123";
const ID: &str = "2230000123";

pub(crate) fn contract() -> Contract {
    let mut sold = plan("mobile:30567", "GBP 10", "12.50 USD", None, None);
    sold.contents.credit = Some(money("10 GBP"));
    Contract {
        kind: "dtone",
        open: |way| Ok(Arc::new(DtOne::open(way, false, "a-key".into(), "a-secret".into())?)),
        now: NOW,
        card: card(None, Some("447951631337")),
        plan: sold,
        payment: "wallet",
        world: world(),
        reading: |reading| assert_eq!((reading.state, reading.allowances.len()), (CardState::Unknown, 0)),
        catalogue: |catalogue| {
            let told: Vec<_> =
                catalogue.plans.iter().map(|plan| format!("{} {}", plan.id, plan.price.number())).collect();
            let ranged = ["mobile:30568:5:GBP 6.25", "mobile:30568:10:GBP 12.50", "mobile:30568:15:GBP 18.75"];
            assert_eq!(told[0], "mobile:30567 12.50");
            assert_eq!(told[1..4], ranged);
            assert_eq!(told[4..], ["mobile:30568:20:GBP 25.00", "mobile:30569 10.00"]);
            assert_eq!(catalogue.plans[2].contents.credit, Some(money("10 GBP")));
            assert_eq!(catalogue.plans[5].contents.data_bytes, Some(3_000_000_000));
        },
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("512.34 USD")))),
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
    let error = |code: u32| format!(r#"{{"errors":[{{"code":{code},"message":"no"}}]}}"#);
    let bad = "400 Bad Request";
    let made = |code: u32| world().instead_status(MAKE, bad, error(code));
    let known = |doc: String| made(1_007_001).instead(FIND, format!("[{doc}]"));
    let confirmed = |doc: String| world().instead_status(BUY, "202 Accepted", doc);
    let not_confirmed = |code: u32, doc: String| world().instead_status(BUY, bad, error(code)).instead(FIND, doc);
    let at = |changes: &[(&str, &str)]| world().instead_status(MAKE, "201 Created", created(changes));
    let unproven = Bought::Unknown(Doubt::Unproven);
    vec![
        buy("being worked on", world(), Bought::Pending(ID)),
        buy("done at once", confirmed(completed(&[])), Bought::Accepted(Some(ID))),
        buy("taken in, not begun", confirmed(created(&[])), Bought::Pending(ID)),
        buy("cheaper than decided", at(&[("/prices/wholesale/amount", "12.0")]), Bought::Pending(ID)),
        buy("dearer than decided", at(&[("/prices/wholesale/amount", "12.41")]), Bought::Refused(RefusalKind::Passing)),
        buy("another currency", at(&[("/prices/wholesale/unit", "\"EUR\"")]), Bought::Refused(RefusalKind::Passing)),
        buy("no price", at(&[("/prices", "null")]), Bought::Refused(RefusalKind::Passing)),
        buy("for another number", at(&[("/credit_party_identifier/mobile_number", "\"+1\"")]), unproven.clone()),
        buy("for nobody", at(&[("/credit_party_identifier", "null")]), unproven.clone()),
        buy("another product", at(&[("/product/id", "1")]), unproven.clone()),
        buy("another reference", at(&[("/external_id", "\"x\"")]), unproven.clone()),
        buy("wallet empty", made(1_006_001), Bought::Refused(RefusalKind::WalletEmpty)),
        buy("product gone", made(1_003_001), Bought::Refused(RefusalKind::PlanGone)),
        buy("amount", made(1_003_002), Bought::Refused(RefusalKind::PlanGone)),
        buy("number", made(1_005_003), Bought::Refused(RefusalKind::CardData)),
        buy(
            "no access",
            world().instead_status(MAKE, "401 Unauthorized", error(1_000_401)),
            Bought::Refused(RefusalKind::Access),
        ),
        buy("a fault before anything was confirmed", world().instead_status(MAKE, "500 Oops", ""), Bought::NotSent),
        buy("a page before anything was confirmed", world().instead(MAKE, "<html></html>"), Bought::NotSent),
        buy("code of its own", made(42), Bought::Unknown(Doubt::UnlistedCode)),
        buy("known and made", known(created(&[])), Bought::Pending(ID)),
        buy("known and confirmed", known(data("dtone/transaction_confirmed.json")), Bought::Pending(ID)),
        buy("known and done", known(completed(&[])), Bought::Accepted(Some(ID))),
        buy("known and declined", known(ended("DECLINED-BARRED-CREDIT-PARTY")), Bought::Refused(RefusalKind::CardData)),
        buy("known and taken back", known(ended("REVERSED")), unproven.clone()),
        buy("known and not listed", made(1_007_001).instead(FIND, "[]"), Bought::Unknown(Doubt::AlreadyUsed)),
        buy(
            "known and another's",
            known(created(&[("/credit_party_identifier/mobile_number", "\"+1\"")])),
            unproven.clone(),
        ),
        buy(
            "declined at once",
            confirmed(ended("DECLINED-OPERATOR-CURRENTLY-UNAVAILABLE")),
            Bought::Refused(RefusalKind::Passing),
        ),
        buy(
            "rejected for want of money",
            confirmed(ended("REJECTED-INSUFFICIENT-BALANCE")),
            Bought::Refused(RefusalKind::WalletEmpty),
        ),
        buy("confirmed for another", confirmed(completed(&[("/product/id", "1")])), unproven),
        buy("confirmed before", not_confirmed(1_007_002, format!("[{}]", completed(&[]))), Bought::Accepted(Some(ID))),
        buy(
            "confirmed too late",
            not_confirmed(1_007_004, format!("[{}]", created(&[]))),
            Bought::Unknown(Doubt::AlreadyUsed),
        ),
        buy("empty at the last", not_confirmed(1_006_001, "[]".into()), Bought::Refused(RefusalKind::WalletEmpty)),
    ]
}

fn finds() -> Vec<FindCase> {
    let find = |name, order_id, world, expected| FindCase { name, order_id, world, expected };
    let listed = |doc: String| world().instead(FIND, format!("[{doc}]"));
    let over = created(&[("/confirmation_expiration_date", "\"2026-11-22T10:59:59.000000Z\"")]);
    let other = completed(&[("/external_id", "\"0123456789abcdef0123456789abcdef2\""), ("/id", "7")]);
    let next_page = world()
        .instead(FIND, format!("[{other}]"))
        .header("X-Total-Pages: 2")
        .on(&format!("{FIND}?&page=2"), format!("[{}]", completed(&[])))
        .header("X-Total-Pages: 2");
    let gone = world().instead_status(
        FIND,
        "404 Not Found",
        r#"{"errors":[{"code":1008004,"message":"Transaction not found"}]}"#,
    );
    let twice = format!("[{},{}]", completed(&[]), completed(&[("/id", "7")]));
    vec![
        find("by reference", None, world(), Seen::Accepted(ID)),
        find("by id", Some(ID), world(), Seen::Accepted(ID)),
        find("by reference, the id gone", Some("5"), world(), Seen::Accepted(ID)),
        find("on the second page", None, next_page, Seen::Accepted(ID)),
        find("confirmed", None, listed(data("dtone/transaction_confirmed.json")), Seen::Pending(ID)),
        find("submitted", None, listed(ended("SUBMITTED")), Seen::Pending(ID)),
        find("made, not confirmed", None, listed(created(&[])), Seen::Nothing),
        find("made, never confirmed", None, listed(over), Seen::Refused(RefusalKind::Passing)),
        find("declined", None, listed(ended("DECLINED")), Seen::Refused(RefusalKind::Passing)),
        find("as a double", None, listed(ended("DECLINED-DUPLICATED-TRANSACTION")), Seen::Refused(RefusalKind::Other)),
        find("cancelled", None, listed(ended("CANCELLED")), Seen::Refused(RefusalKind::Other)),
        find("taken back", None, listed(ended("REVERSED")), Seen::Reversed),
        find("not there", None, world().instead(FIND, "[]"), Seen::Nothing),
        find("not there, with 404", None, gone, Seen::Nothing),
        find("twice", None, world().instead(FIND, twice), Seen::Error),
        find("without reference", None, listed(completed(&[("/external_id", "null")])), Seen::Error),
    ]
}

fn created(changes: &[(&str, &str)]) -> String {
    changed("dtone/transaction_created.json", changes)
}

fn completed(changes: &[(&str, &str)]) -> String {
    changed("dtone/transaction_completed.json", changes)
}

/// A transaction with this status.
fn ended(status: &str) -> String {
    let class = status.split('-').next().unwrap();
    let (status, class) = (format!("\"{status}\""), format!("\"{class}\""));
    completed(&[("/status/message", &status), ("/status/class/message", &class)])
}

fn world() -> Replies {
    Replies::new()
        .on("GET /balances", data("dtone/balances.json"))
        .on("POST /lookup/mobile-number", data("dtone/lookup_mobile_number.json"))
        .on("GET /products", data("dtone/products.json"))
        .on("GET /products/30567", data("dtone/product.json"))
        .on_status(MAKE, "201 Created", created(&[]))
        .on_status(BUY, "202 Accepted", data("dtone/transaction_confirmed.json"))
        .on_status(CANCEL, "202 Accepted", ended("CANCELLED"))
        .on(FIND, format!("[{}]", completed(&[])))
        .on(BY_ID, completed(&[]))
}

super::suite::contract!();
