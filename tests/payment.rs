//! Ordered ways to pay of an account, ordered accounts of a card: the next one is used after a certain refusal, and
//! never while anything is unknown.
#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as loudly as tests")]

#[expect(dead_code, reason = "each test program uses its part of the world")]
mod world;

use serde_json::json;
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::time::Secs;
use simkeeper::sandbox::{Call, Fault, FaultKind, Life, Settings};

use world::files::AUTO;
use world::{CLASSES, World, ending, full, low, quick, usd};

fn refused(code: &str) -> FaultKind {
    FaultKind::Refused { code: code.to_owned(), status: 422 }
}

/// A card that runs low, at an account that is paid from its wallet, and behind it one that is paid by card.
fn two_sellers(fault: FaultKind) -> World {
    World::new().card("tablet", low, AUTO).fault(Call::Buy, fault, 1).sold_also_by("second", "payment = [\"card\"]")
}

/// Account, way to pay and state of each attempt.
fn tried(world: &World, card: &str) -> Vec<(String, String, String)> {
    world.attempts(card).into_iter().map(|attempt| (attempt.account, attempt.payment, attempt.state)).collect()
}

fn are(expected: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    expected.iter().map(|(account, way, state)| ((*account).into(), (*way).into(), (*state).into())).collect()
}

// The second seller.

#[test]
fn after_a_certain_refusal_the_second_seller_buys_at_once_and_only_once() {
    for code in ["wallet_empty", "plan_gone", "maintenance", "account_blocked"] {
        let mut world = two_sellers(refused(code)).start();
        let begun = world.now();
        world.until_bought("tablet", 1);
        let expected = are(&[("try", "wallet", "refused"), ("second", "card", "done")]);
        assert_eq!(tried(&world, "tablet"), expected, "{code}");
        let orders = world.orders("tablet");
        assert_eq!(orders.len(), 1, "{code}");
        assert!(orders[0].at.since(begun) < Secs::hours(2), "{code}: a minute and a reading, not two hours");
        world.until_read_again(3);
        assert_eq!(world.orders("tablet").len(), 1, "{code}");
        // The mail names who sold, and the one before it why the first did not.
        let mail = world.until_mail(&["tablet", "renewed for 4.50 USD"]);
        assert!(mail.says(&["second"]), "{}", mail.text);
        assert_eq!(world.told_of("tablet", "failed"), 1, "{code}");
    }
}

#[test]
fn a_refusal_that_is_about_the_card_goes_to_no_other_seller() {
    for code in ["card_not_active", "card_unknown", "card_recycled"] {
        let mut world = two_sellers(refused(code)).start();
        world.until_attempt("tablet", "refused");
        world.pass(Secs::hours(3));
        world.until_read_again(3);
        assert_eq!(tried(&world, "tablet"), are(&[("try", "wallet", "refused")]), "{code}");
        assert_eq!(world.orders("tablet").len(), 0, "{code}");
    }
}

#[test]
fn while_anything_is_unknown_the_second_seller_is_never_used() {
    for (fault, taken) in [
        (FaultKind::LostAfter, true),
        (FaultKind::LostBefore, false),
        (FaultKind::ServerError { status: 500, accepted: false }, false),
        (FaultKind::Html { accepted: true }, true),
        (FaultKind::SaysFailed { secs: 900 }, true),
    ] {
        for class in CLASSES {
            let world = World::of(class, 600).card("tablet", ending, AUTO).fault(Call::Buy, fault.clone(), 1);
            let mut world = world.sold_also_by("second", "payment = [\"card\"]").start();
            world.until("the order to be settled", |world| {
                world.attempts("tablet").iter().any(|attempt| matches!(attempt.state.as_str(), "done" | "human"))
            });
            let accounts: Vec<String> = world.attempts("tablet").into_iter().map(|attempt| attempt.account).collect();
            assert!(accounts.iter().all(|account| account == "try"), "{class:?} {fault:?}: {accounts:?}");
            let most = usize::from(taken || class != simkeeper::sandbox::Class::Neither);
            assert_eq!(world.orders("tablet").len(), most, "{class:?} {fault:?}");
            assert!(world.orders("tablet").iter().all(|order| order.payment == "wallet"), "{class:?} {fault:?}");
        }
    }
}

#[test]
fn an_order_that_stays_unknown_for_days_still_keeps_the_second_seller_away() {
    let world = World::of(simkeeper::sandbox::Class::Neither, 300).card("tablet", ending, AUTO);
    let world = world.fault(Call::Buy, FaultKind::LostBefore, 1).sold_also_by("second", "payment = [\"card\"]");
    let mut world = world.start();
    world.until_attempt("tablet", "human");
    world.pass(Secs::days(2));
    world.until_read_again(4);
    assert_eq!(tried(&world, "tablet"), are(&[("try", "wallet", "human")]));
    assert_eq!(world.orders("tablet").len(), 0);
}

#[test]
fn a_wallet_that_holds_too_little_makes_way_before_anything_is_sent() {
    let world = World::new().card("tablet", low, AUTO).sold_also_by("second", "payment = [\"card\"]");
    world.sandbox.set_wallet(usd(4)).unwrap();
    let mut world = world.start();
    world.until_bought("tablet", 1);
    assert_eq!(tried(&world, "tablet"), are(&[("try", "wallet", "abandoned"), ("second", "card", "done")]));
    assert_eq!(world.sandbox.requests().get(&Call::Buy), Some(&1), "the first order never left");
    world.until_mail(&["tablet", "not renewed", "4.00 USD"]);
    // The next need begins with the first seller again.
    world.sandbox.set_wallet(usd(50)).unwrap();
    world.use_up("tablet");
    world.until_bought("tablet", 2);
    assert_eq!(tried(&world, "tablet")[2..], are(&[("try", "wallet", "done")]));
}

#[test]
fn limits_count_what_every_seller_took() {
    let rule = format!("{AUTO}\nlimits = {{ per_month = \"8 USD\" }}");
    let world = World::new().card("tablet", low, &rule).fault(Call::Buy, refused("plan_gone"), 1);
    let mut world = world.sold_also_by("second", "payment = [\"card\"]").start();
    world.until_bought("tablet", 1);
    world.use_up("tablet");
    world.until_mail(&["tablet", "not renewed", "8.00 USD"]);
    world.until_read_again(3);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn a_seller_that_leaves_the_file_sells_no_longer() {
    let world = World::new().card("tablet", full, AUTO).sold_also_by("second", "payment = [\"card\"]");
    let mut world = world.start();
    world.until_read_again(1);
    world.sellers("tablet", &["try"]);
    world.hang_up();
    world.until("the file to be read again", |world| world.log().contains("the files were reloaded"));
    let card = world.iccid("tablet");
    world.sandbox.fault(Fault::on(&card, Call::Buy, refused("plan_gone"))).unwrap();
    world.use_up("tablet");
    world.until_attempt("tablet", "refused");
    world.until_read_again(4);
    assert_eq!(tried(&world, "tablet"), are(&[("try", "wallet", "refused")]));
}

// A seller that cannot read.

#[test]
fn where_nothing_can_be_read_the_operators_own_record_of_the_order_is_the_proof() {
    for class in CLASSES {
        let mut world = World::with(300, Settings { class, reads: false, ..quick() }).card("phone", full, AUTO).start();
        world.until("a first reading", |world| world.record().is_some_and(|record| record.verdict("phone").is_some()));
        assert_eq!(world.attempts("phone").len(), 0, "{class:?}: nothing is known, so that no rule fires");
        let reply = world.ask(&json!({ "do": "renew", "card": "phone", "plan": "data-1gb-7d", "price": price() }));
        assert_eq!(reply["answer"], "done", "{class:?} {reply}");
        world.until_bought("phone", 1);
        assert_eq!(world.orders("phone").len(), 1, "{class:?}");
        assert_eq!(world.sandbox.requests().get(&Call::Read), None, "{class:?}");
        world.pass(Secs::days(2));
        world.until_attempt("phone", "done");
        assert_eq!((world.told_of("phone", "asked"), world.orders("phone").len()), (0, 1), "{class:?}");
    }
}

#[test]
fn a_lost_answer_of_such_a_seller_is_settled_by_look_up_or_asked_about_and_never_bought_twice() {
    for class in CLASSES {
        let world = World::with(600, Settings { class, reads: false, ..quick() }).card("phone", full, AUTO);
        let mut world = world.fault(Call::Buy, FaultKind::LostAfter, 1).start();
        world.until("a first reading", |world| world.record().is_some_and(|record| record.verdict("phone").is_some()));
        let reply = world.ask(&json!({ "do": "renew", "card": "phone", "plan": "data-1gb-7d", "price": price() }));
        assert_eq!(reply["answer"], "done", "{class:?} {reply}");
        let blind = class == simkeeper::sandbox::Class::Neither;
        if blind {
            world.until_attempt("phone", "unknown");
            world.pass(Secs::days(3));
        }
        world.until_attempt("phone", if blind { "human" } else { "done" });
        assert_eq!(world.orders("phone").len(), 1, "{class:?}");
    }
}

fn price() -> Money {
    Money::new(45_000, Currency::USD)
}

// How long a wallet lasts.

#[test]
fn a_wallet_that_will_not_last_is_told_a_week_and_a_day_before_and_shown_by_status() {
    let soon = |card, now: simkeeper::domain::time::UnixTime| simkeeper::sandbox::NewCard {
        plan_ends: Some(now.plus(Secs::days(6))),
        ..full(card, now)
    };
    let low_wallets = |world: &World| world.notices().iter().filter(|notice| notice.kind == "wallet_low").count();
    let world = World::new().card("tablet", soon, AUTO).card("spare", full, AUTO);
    world.sandbox.set_wallet(usd(4)).unwrap();
    let mut world = world.start();
    let mail = world.until_mail(&["wallet try lasts until 5 Dec", "tablet", "4.50 USD", "help@example.net"]);
    assert!(mail.says(&["4.00 USD"]), "{}", mail.text);
    let status = world::keeper::program(&["status"]).arg("--config").arg(world.folder()).output().unwrap();
    let shown = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(shown.contains("this wallet does not cover the next purchase: tablet, 4.50 USD on"), "{shown}");
    world.pass(Secs::hours(26));
    world.until_read_again(8);
    assert_eq!(low_wallets(&world), 1, "a shortfall is told once a step");
    world.pass(Secs::hours(60));
    world.until("the second word", |world| low_wallets(world) == 2);
    assert_eq!(world.sandbox.requests().get(&Call::Buy), None);
    // Filled in time, it buys, and nobody hears of it again.
    world.sandbox.set_wallet(usd(500)).unwrap();
    world.pass(Secs::hours(40));
    world.until_bought("tablet", 1);
    assert_eq!(low_wallets(&world), 2);
}

// Ways to pay.

#[test]
fn every_way_to_pay_of_an_account_comes_before_the_next_seller() {
    let mut world = World::new().card("tablet", low, AUTO);
    world.machine.account.push_str("payment = [\"wallet\", \"paypal\", \"alipay\"]\n");
    let world = world.sold_also_by("second", "payment = [\"card\"]");
    for way in ["paypal", "alipay"] {
        world.sandbox.set_declining(way, true).unwrap();
    }
    let card = world.iccid("tablet");
    world.sandbox.fault(Fault::on(&card, Call::Buy, refused("wallet_empty"))).unwrap();
    let mut world = world.start();
    world.until_bought("tablet", 1);
    let expected = are(&[
        ("try", "wallet", "refused"),
        ("try", "paypal", "refused"),
        ("try", "alipay", "refused"),
        ("second", "card", "done"),
    ]);
    assert_eq!(tried(&world, "tablet"), expected);
    assert_eq!(world.orders("tablet").len(), 1);
}

#[test]
fn an_empty_wallet_makes_way_for_the_card_behind_it() {
    let mut world = World::new().card("tablet", low, AUTO);
    world.machine.account.push_str("payment = [\"wallet\", \"card\"]\n");
    world.sandbox.set_wallet(usd(1)).unwrap();
    let mut world = world.start();
    world.until_bought("tablet", 1);
    assert_eq!(tried(&world, "tablet"), are(&[("try", "wallet", "abandoned"), ("try", "card", "done")]));
}

#[test]
fn one_way_to_pay_that_declines_is_not_hammered() {
    let mut world = World::new().card("tablet", low, AUTO);
    world.machine.account.push_str("payment = [\"paypal\"]\n");
    world.sandbox.set_declining("paypal", true).unwrap();
    let mut world = world.start();
    world.until_attempt("tablet", "refused");
    world.until_read_again(4);
    assert_eq!(world.sandbox.requests().get(&Call::Buy), Some(&1), "two hours lie between");
}

#[test]
fn a_card_that_is_not_low_is_bought_for_by_nobody() {
    let dead = |card, now| simkeeper::sandbox::NewCard { life: Life::Blocked, ..low(card, now) };
    let world = World::with(300, Settings { ..quick() }).card("tablet", full, AUTO);
    let world = world.sold_also_by("second", "").card("blocked", dead, AUTO);
    let mut world = world.start();
    world.until_read_again(6);
    assert_eq!(world.sandbox.requests().get(&Call::Buy), None);
}
