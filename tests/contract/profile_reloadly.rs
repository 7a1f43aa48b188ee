//! The example profile of Reloadly: a token from another host, and an operator that can read no card.

use simkeeper::domain::operator::{Doubt, RefusalKind};
use simkeeper::domain::reading::CardState;

use super::case::{Bought, BuyCase, Contract, FindCase, KEY, NOW, Replies, Seen, card, changed, data, money, plan};
use super::profile_esimgo::open;

const BUY: &str = "POST /topups";
const FIND: &str = "GET /topups/reports/transactions";
const ID: &str = "4602843";

pub(crate) fn contract() -> Contract {
    let world = world();
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let find = |name, world, expected| FindCase { name, order_id: None, world, expected };
    let refused = |code: &str| {
        let body = changed(
            "profiles/reloadly_topup_error_invalid_recipient_400.json",
            &[("/errorCode", &format!("\"{code}\""))],
        );
        world.clone().instead_status(BUY, "400 Bad Request", body)
    };
    let mut holder = card(None, Some("+50936377111"));
    holder.fields.insert("operator_id".into(), "174".into());
    holder.fields.insert("country".into(), "HT".into());
    Contract {
        kind: "http-reloadly",
        open: |way| open("reloadly", &["client_id", "client_secret"], way),
        now: NOW,
        card: holder,
        plan: plan("15.00", "15.00 USD", "15 USD", None, None),
        payment: "wallet",
        world: world.clone(),
        reading: |reading| assert_eq!(reading.state, CardState::Unknown),
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 104),
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("1000 USD")))),
        dispensable: &[],
        token_call: None,
        buy_call: BUY,
        order_id: Some(ID),
        buys: vec![
            buy("done", world.clone(), Bought::Accepted(Some(ID))),
            buy("at work", world.clone().instead(BUY, ours(&[("/status", "\"PROCESSING\"")])), Bought::Pending(ID)),
            buy(
                "failed",
                world.clone().instead(BUY, ours(&[("/status", "\"FAILED\"")])),
                Bought::Refused(RefusalKind::Other),
            ),
            buy("wallet empty", refused("INSUFFICIENT_BALANCE"), Bought::Refused(RefusalKind::WalletEmpty)),
            buy("wrong number", refused("INVALID_RECIPIENT_PHONE"), Bought::Refused(RefusalKind::CardData)),
            buy("amount gone", refused("INVALID_AMOUNT"), Bought::Refused(RefusalKind::PlanGone)),
            buy(
                "operator down",
                refused("OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE"),
                Bought::Refused(RefusalKind::Passing),
            ),
            buy("used before", refused("CUSTOM_IDENTIFIER_ALREADY_USED"), Bought::Unknown(Doubt::AlreadyUsed)),
            buy("two minutes", refused("PHONE_RECENTLY_RECHARGED"), Bought::Unknown(Doubt::UnlistedCode)),
            buy("not certain", refused("PROVIDER_INTERNAL_ERROR"), Bought::Unknown(Doubt::UnlistedCode)),
            buy(
                "of another",
                world.clone().instead(BUY, ours(&[("/customIdentifier", "\"x\"")])),
                Bought::Unknown(Doubt::Unproven),
            ),
            buy(
                "another amount",
                world.clone().instead(BUY, ours(&[("/requestedAmount", "16")])),
                Bought::Unknown(Doubt::Unproven),
            ),
        ],
        finds: vec![
            find("by key", world.clone(), Seen::Accepted(ID)),
            find("at work", world.clone().instead(FIND, listed(&[("/status", "\"PROCESSING\"")])), Seen::Pending(ID)),
            find("given back", world.clone().instead(FIND, listed(&[("/status", "\"REFUNDED\"")])), Seen::Reversed),
            find("not there", world.clone().instead(FIND, r#"{"content":[],"totalPages":0}"#), Seen::Nothing),
            find("no list", world.instead(FIND, r#"{"totalPages":0}"#), Seen::Error),
        ],
    }
}

fn ours(changes: &[(&str, &str)]) -> String {
    let key = format!("\"{KEY}\"");
    let own = [
        ("/customIdentifier", key.as_str()),
        ("/recipientPhone", "50936377111"),
        ("/requestedAmount", "15"),
        ("/requestedAmountCurrencyCode", "\"USD\""),
        ("/discount", "1.8"),
    ];
    changed("profiles/reloadly_topup_with_status.json", &[&own[..], changes].concat())
}

fn listed(changes: &[(&str, &str)]) -> String {
    format!(r#"{{"content":[{}],"totalPages":1}}"#, ours(changes))
}

fn world() -> Replies {
    Replies::new()
        .on("POST /oauth/token", data("profiles/reloadly_token.json"))
        .on("GET /accounts/balance", data("profiles/reloadly_account_balance.json"))
        .on("GET /operators/174", data("profiles/reloadly_operator.json"))
        .on(BUY, ours(&[]))
        .on(FIND, listed(&[]))
}

super::suite::contract!();
