//! Things Mobile: the samples that integrators keep, in XML.

use std::sync::Arc;

use jiff::tz::TimeZone;
use simkeeper::domain::card::Card;
use simkeeper::domain::data::DataSize;
use simkeeper::domain::operator::{Doubt, OperatorError, RefusalKind};
use simkeeper::domain::reading::CardState;
use simkeeper::operators::Operator;
use simkeeper::operators::things_mobile::ThingsMobile;

use super::case::{Bought, BuyCase, Contract, FindCase, NOW, Replies, Seen, Way, card, data, money, plan};
use super::suite::Bench;

const SIM: &str = "POST /simStatus";
const CREDIT: &str = "POST /credit";
const PLANS: &str = "POST /customPlanList";
const BUY: &str = "POST /rechargeSim";
const NUMBER: &str = "447937557899";

fn sold() -> simkeeper::domain::plan::Plan {
    plan("500MB", "500 MB", "1.00 EUR", Some(500_000_000), None)
}

pub(crate) fn contract() -> Contract {
    let world = world();
    let buy = |name, world, expected| BuyCase { name, world, expected };
    let refused = |code: &str| {
        let code = if code.is_empty() { String::new() } else { format!("<errorCode>{code}</errorCode>") };
        let body = format!("<result><done>false</done>{code}<errorMessage>no</errorMessage></result>");
        world.clone().instead(BUY, body)
    };
    let find = |name, world, expected| FindCase { name, order_id: None, world, expected };
    let logged = |rows: &[&str]| world.clone().instead(CREDIT, log(rows));
    let ours = row("-1.00", "2026-11-22 13:00:05", "Sim recharge", NUMBER);
    let dearer = row("-1.25", "2026-11-22 13:00:07", "Sim recharge", NUMBER);
    Contract {
        kind: "things-mobile",
        open: |way| {
            let zone = TimeZone::get("Europe/Rome").unwrap();
            Ok(Arc::new(ThingsMobile::open(way, Some(zone), "somebody", "a-secret".into(), vec![sold()])?))
        },
        now: NOW,
        card: card(Some("8944501312167518236"), Some("+447937557899")),
        plan: sold(),
        payment: "wallet",
        world: world.clone(),
        reading: |reading| {
            assert_eq!(reading.state, CardState::Active);
            assert_eq!(reading.data_left(), Some(DataSize(30)));
            assert_eq!(reading.number_ends.unwrap().at.to_string(), "2018-02-19T23:00:00Z");
            assert_eq!(reading.plan_ends, None);
        },
        catalogue: |catalogue| assert_eq!(catalogue.plans.len(), 1),
        wallet: Some(|wallet| assert_eq!(wallet.balance, Some(money("9.00 EUR")))),
        dispensable: &[],
        token_call: None,
        buy_call: BUY,
        order_id: None,
        buys: vec![
            buy("done", world.clone(), Bought::Accepted(None)),
            buy("generic", refused("10"), Bought::Unknown(Doubt::UnlistedCode)),
            buy("input", refused("20"), Bought::Refused(RefusalKind::CardData)),
            buy("user or token", refused("30"), Bought::Refused(RefusalKind::Access)),
            buy("card", refused("40"), Bought::Refused(RefusalKind::CardData)),
            buy("shared credit", refused("50"), Bought::Refused(RefusalKind::Other)),
            buy("too many requests", refused("60"), Bought::Unknown(Doubt::Throttled)),
            buy("no code", refused(""), Bought::Unknown(Doubt::UnlistedCode)),
            buy("the sample's code", world.clone().instead(BUY, data("things-mobile/error.xml")), {
                Bought::Unknown(Doubt::UnlistedCode)
            }),
        ],
        finds: vec![
            find("in the log", logged(&[&ours]), Seen::Accepted("447937557899 2026-11-22 13:00:05")),
            find(
                "among others",
                logged(&[&row("-1.00", "2026-11-22 13:00:05", "Sim recharge", "447937557800"), &ours]),
                Seen::Accepted("447937557899 2026-11-22 13:00:05"),
            ),
            find("at another price", logged(&[&dearer]), Seen::Accepted("447937557899 2026-11-22 13:00:07")),
            find("at our price beside another", logged(&[&dearer, &ours]), {
                Seen::Accepted("447937557899 2026-11-22 13:00:05")
            }),
            find("two alike", logged(&[&ours, &ours]), Seen::Error),
            find("a charge that is no recharge", logged(&[&row("-1.00", "2026-11-22 13:00:05", "Canone", NUMBER)]), {
                Seen::Error
            }),
            find("long before", logged(&[&row("-1.00", "2026-11-22 11:59:59", "Sim recharge", NUMBER)]), Seen::Nothing),
            find("not there", logged(&[]), Seen::Nothing),
            find("on page two", on_page_two(&world, &ours), Seen::Accepted("447937557899 2026-11-22 13:00:05")),
        ],
    }
}

fn row(amount: &str, at: &str, what: &str, number: &str) -> String {
    format!(
        "<historyRow><amount>{amount}</amount><dateLoad>{at}</dateLoad><opDescription>{what}</opDescription><msisdn>{number}</msisdn></historyRow>"
    )
}

fn log(rows: &[&str]) -> String {
    format!(
        "<result><done>true</done><amount>8.00</amount><currency>EUR</currency><creditHistory>{}</creditHistory></result>",
        rows.concat()
    )
}

fn on_page_two(world: &Replies, ours: &str) -> Replies {
    let other = row("-1.00", "2026-11-22 13:00:05", "Sim recharge", "447937557800");
    let full: Vec<&str> = std::iter::repeat_n(other.as_str(), 500).collect();
    world
        .clone()
        .without(CREDIT)
        .on(&format!("{CREDIT}?page=1&"), log(&full))
        .on(&format!("{CREDIT}?page=2&"), log(&[ours]))
}

fn world() -> Replies {
    Replies::new()
        .on(SIM, data("things-mobile/simStatus.xml"))
        .on(CREDIT, data("things-mobile/credit.xml"))
        .on(PLANS, data("things-mobile/customPlanList.xml"))
        .on(BUY, data("things-mobile/activateSim.xml"))
}

super::suite::contract!();

/// What is stored for years holds neither user nor token, and what is sent holds both.
#[tokio::test]
async fn credentials_are_sent_and_not_stored() {
    let contract = contract();
    let bench = Bench::new(&contract, &contract.world).await;
    let prepared = bench.operator.prepare(&contract.card, &contract.order()).unwrap();
    assert_eq!(String::from_utf8(prepared.body.clone()).unwrap(), "iccid=8944501312167518236&amount=500");
    drop(bench.operator.buy(&prepared).await);
    let sent = bench.served.server.requests().pop().unwrap();
    assert!(sent.ends_with("iccid=8944501312167518236&amount=500&username=somebody&token=a-secret"), "{sent}");
    assert!(!format!("{prepared:?}").contains("a-secret"));
}

/// 1 to 1000 whole MB, in the account's own currency.
#[tokio::test]
async fn only_what_can_be_recharged_is_on_sale() {
    let served = world().serve().await;
    for (data, price, is_sold) in [
        (Some(1_000_000), "1 EUR", true),
        (Some(1_000_000_000), "1 EUR", true),
        (Some(1_001_000_000), "1 EUR", false),
        (Some(1_500_000), "1 EUR", false),
        (Some(0), "1 EUR", false),
        (None, "1 EUR", false),
        (Some(1_000_000), "1 USD", false),
    ] {
        let way = Way { unpaced: true, ..Way::to(&served.server.address) };
        let plans = vec![plan("p", "p", price, data, None)];
        let operator = ThingsMobile::open(&way, None, "somebody", "a-secret".into(), plans).unwrap();
        let told = operator.catalogue(&contract().card, NOW).await;
        assert_eq!(told.is_ok_and(|catalogue| catalogue.plans.len() == 1), is_sold, "{data:?} {price}");
    }
}

/// A card that the operator recharges by itself is not recharged by us.
#[tokio::test]
async fn there_is_never_a_second_payer() {
    let contract = contract();
    for (name, is_refused) in [("fleet", true), ("77", true), ("default", false), ("unheard", false)] {
        let sim = data("things-mobile/simStatus.xml").replace("<plan>default</plan>", &format!("<plan>{name}</plan>"));
        let bench = Bench::new(&contract, &world().instead(SIM, sim)).await;
        let told = bench.operator.preflight(&contract.card, &contract.plan, None).await;
        assert_eq!(matches!(told, Err(OperatorError::Never { .. })), is_refused, "{name}: {told:?}");
    }
}

/// Without a zone a charge of that day may be ours or not, and no charge is none in every zone.
#[tokio::test]
async fn without_a_zone_nothing_is_guessed() {
    let contract = contract();
    for (rows, expected) in [
        (vec![row("-1.00", "2026-11-22 01:00:00", "Sim recharge", NUMBER)], Seen::Error),
        (vec![row("-1.00", "2026-11-20 01:00:00", "Sim recharge", NUMBER)], Seen::Nothing),
        (vec![], Seen::Nothing),
    ] {
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let served = world().instead(CREDIT, log(&rows)).serve().await;
        let way = Way { unpaced: true, ..Way::to(&served.server.address) };
        let operator = ThingsMobile::open(&way, None, "somebody", "a-secret".into(), vec![sold()]).unwrap();
        let found = operator.find(&contract.card, &contract.sent(None)).await;
        assert_eq!(super::suite::seen(&found), expected, "{found:?}");
    }
}

/// The log knows numbers, the owner may know the ICCID only.
#[tokio::test]
async fn the_number_of_a_card_is_looked_up() {
    let contract = contract();
    let nameless = Card { msisdn: None, ..contract.card.clone() };
    let ours = row("-1.00", "2026-11-22 13:00:05", "Sim recharge", NUMBER);
    let bench = Bench::new(&contract, &world().instead(CREDIT, log(&[&ours]))).await;
    let found = bench.operator.find(&nameless, &contract.sent(None)).await;
    assert!(matches!(super::suite::seen(&found), Seen::Accepted(_)), "{found:?}");
    assert_eq!(bench.served.count(SIM), 1);
}

/// Ten thousand cards cost the pages of the list and no more.
#[tokio::test]
async fn a_fleet_is_listed_once() {
    let contract = contract();
    let mut world = Replies::new();
    // From the last one: the words of page 1 are also those of page 10.
    for page in (1..=21).rev() {
        let first = (page - 1) * 500;
        let sims: Vec<String> = (first..first + 500)
            .take_while(|n| *n < 10_000)
            .map(|n| format!("<sim><balance>{n}</balance><iccid>{}</iccid><status>active</status></sim>", iccid(n)))
            .collect();
        let list = format!("<result><sims>{}</sims><done>true</done></result>", sims.concat());
        world = world.on(&format!("POST /simListLite?page={page}&"), list);
    }
    let bench = Bench::new(&contract, &world).await;
    let cards: Vec<Card> = (0..10_000).map(|n| card(Some(&iccid(n)), None)).collect();
    let readings = bench.operator.read(&cards, NOW).await;
    assert_eq!(readings[9_999].as_ref().unwrap().data_left(), Some(DataSize(9_999)));
    assert!(readings.iter().all(Result::is_ok));
    assert_eq!(bench.served.calls().len(), 21);
}

/// A list that never ends is ended, and one that repeats itself is read once.
#[tokio::test]
async fn a_list_without_an_end_ends() {
    let contract = contract();
    let sims: Vec<String> =
        (0..500).map(|n| format!("<sim><iccid>{}</iccid><status>active</status></sim>", iccid(n))).collect();
    let world = Replies::new()
        .on("POST /simListLite", format!("<result><sims>{}</sims><done>true</done></result>", sims.concat()));
    let bench = Bench::new(&contract, &world).await;
    let cards: Vec<Card> = (0..10).map(|n| card(Some(&iccid(n)), None)).collect();
    assert!(bench.operator.read(&cards, NOW).await.iter().all(Result::is_ok));
    assert_eq!(bench.served.calls().len(), 2);
}

/// Entities and document types are refused, whatever they expand to.
#[tokio::test]
async fn documents_have_no_entities() {
    let contract = contract();
    let bomb = "<!DOCTYPE r [<!ENTITY a \"1\">]><result><done>true</done><sims><sim><balance>&a;</balance></sim></sims></result>";
    let bench = Bench::new(&contract, &world().instead(SIM, bomb)).await;
    let read = bench.operator.read(std::slice::from_ref(&contract.card), NOW).await.remove(0);
    assert!(matches!(read, Err(OperatorError::Unknown { .. })), "{read:?}");
}

fn iccid(n: u32) -> String {
    format!("89445013121675{n:05}")
}
