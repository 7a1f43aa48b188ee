//! Readings: the right card, one exchange at a time, and what every failure is told as.

use std::time::Duration;

use serde_json::{Value, json};
use simkeeper::domain::money::Money;
use simkeeper::domain::operator::{Class, Lookup, OperatorError, Proof, RefusalKind, Repeat};
use simkeeper::domain::reading::CardState;
use simkeeper::operators::Operator;
use simkeeper::operators::ussd::{MenuStep, SmsAnswer, Ussd};

use crate::parts::{NOW, World, card, iccid, read};

fn balance() -> Value {
    json!({ "text": "Balance: 5.20 EUR" })
}

#[track_caller]
fn later(error: Result<simkeeper::domain::reading::Reading, OperatorError>) -> String {
    let Err(OperatorError::Later { why, .. }) = error else { panic!("{error:?}") };
    why
}

#[tokio::test]
async fn a_balance_is_read_by_exactly_the_code_that_was_written() {
    let world = World::answering(&balance());
    let reading = read(&world.ussd()).await.unwrap();
    assert_eq!(reading.credit(), Some(Money::parse("5.20 EUR").unwrap()));
    assert_eq!((reading.state, reading.read_at, reading.as_of), (CardState::Unknown, NOW, NOW));
    assert_eq!(world.calls(), ["0 Initiate *100#"]);
}

#[tokio::test]
async fn the_modem_is_found_by_the_card_that_it_holds_and_no_other_is_dialled() {
    let world = World::new(&json!([
        { "iccid": iccid(7), "answers": { "*": { "text": "Balance: 7.77 EUR" } } },
        { "answers": {} },
        { "iccid": iccid(1), "answers": { "*": balance() } },
    ]));
    let reading = read(&world.ussd()).await.unwrap();
    assert_eq!(reading.credit(), Some(Money::parse("5.20 EUR").unwrap()));
    assert_eq!(world.calls(), ["2 Initiate *100#"]);
}

#[tokio::test]
async fn a_card_that_is_not_there_is_not_read_from_another() {
    let world = World::new(&json!([{ "iccid": iccid(7), "answers": { "*": balance() } }, { "answers": {} }]));
    let why = later(read(&world.ussd()).await);
    assert!(why.contains("…0001") && why.contains("…0007") && why.contains("no card"), "{why}");
    assert!(!why.contains(&iccid(7)), "{why}");
    assert_eq!(world.calls(), [""; 0]);
    let none = World::new(&json!([]));
    assert!(later(read(&none.ussd()).await).contains("knows no modem"));
    let two = World::new(&json!([
        { "iccid": iccid(1), "answers": { "*": balance() } },
        { "iccid": iccid(1), "answers": { "*": balance() } },
    ]));
    assert!(later(read(&two.ussd()).await).contains("2 modems"));
    let mut nameless = card(1);
    nameless.iccid = None;
    let told = two.ussd().read(&[nameless], NOW).await.remove(0);
    assert!(matches!(told, Err(OperatorError::Never { kind: RefusalKind::CardData, .. })), "{told:?}");
    assert_eq!(two.calls(), [""; 0]);
}

#[tokio::test]
async fn an_exchange_that_somebody_left_open_is_ended_first() {
    for state in [0, 2, 3] {
        let world = World::new(&json!([{ "iccid": iccid(1), "state": state, "answers": { "*": balance() } }]));
        read(&world.ussd()).await.unwrap();
        assert_eq!(world.calls(), ["0 Cancel", "0 Initiate *100#"], "{state}");
    }
}

#[tokio::test]
async fn a_menu_that_comes_with_the_balance_is_closed() {
    let text = "Balance: 5.20 EUR\n1 Top up\n2 Offers";
    let world = World::answering(&json!({ "text": text, "state": 3 }));
    assert!(read(&world.ussd()).await.is_ok());
    assert_eq!(world.calls(), ["0 Initiate *100#", "0 Cancel"]);
}

#[tokio::test]
async fn a_menu_is_answered_only_if_it_is_the_one_that_was_described() {
    let menu = |text: &str| {
        json!([{
            "iccid": iccid(1),
            "answers": { "*100#": { "text": text, "state": 3 } },
            "replies": { "2": balance() },
        }])
    };
    let world = World::new(&menu("1 Top up\n2 Balance"));
    let mut settings = world.settings();
    settings.menu = vec![MenuStep { expect: "(?m)^2 Balance$".into(), reply: "2".into() }];
    let ussd = Ussd::new(settings).unwrap();
    assert!(read(&ussd).await.is_ok());
    assert_eq!(world.calls(), ["0 Initiate *100#", "0 Respond 2"]);
    // The operator has put an offer where the balance was.
    world.write(&menu("1 Top up\n2 Buy 5 GB for 9 EUR\n3 Balance"));
    let error = read(&ussd).await.unwrap_err();
    assert!(matches!(&error, OperatorError::Unknown { why } if why.contains("Buy 5 GB")), "{error:?}");
    assert_eq!(world.calls()[2..], ["0 Initiate *100#", "0 Cancel"]);
}

#[tokio::test]
async fn every_failure_says_what_it_is() {
    let with = async |answer: Value| read(&World::answering(&answer).ussd()).await;
    let error = |name: &str| json!({ "error": name, "text": "as it says" });
    assert!(later(with(error("Core.WrongState")).await).contains("another exchange"));
    assert!(later(with(error("MobileEquipment.NotSupported")).await).contains("LTE"));
    assert!(later(with(error("Core.Failed")).await).contains("as it says (Core.Failed)"));
    let aborted = with(error("Core.Aborted")).await;
    assert!(matches!(&aborted, Err(OperatorError::Unknown { why }) if why.contains("no text")), "{aborted:?}");
    for name in ["Core.Unauthorized", "org.freedesktop.DBus.Error.AccessDenied"] {
        let refused = with(error(name)).await;
        let Err(OperatorError::Never { kind: RefusalKind::Access, why }) = refused else { panic!("{refused:?}") };
        assert!(why.contains("Polkit"), "{why}");
    }
}

#[tokio::test]
async fn what_is_not_there_yet_is_tried_again() {
    let locked = World::new(&json!([{ "iccid": iccid(1), "ussd": false }]));
    assert!(later(read(&locked.ussd()).await).contains("enabled"));
    let bare = World::without_modem_manager();
    assert!(later(read(&bare.ussd()).await).contains("ModemManager is not running"));
    let mut settings = bare.settings();
    settings.bus = Some(format!("unix:path={}", bare.folder.path().join("nothing").display()));
    assert!(later(read(&Ussd::new(settings).unwrap()).await).contains("cannot be reached"));
}

#[tokio::test]
async fn a_modem_that_says_nothing_is_not_waited_for_longer_than_allowed() {
    let world = World::answering(&json!({ "silent": true }));
    let mut settings = world.settings();
    settings.limit = Duration::from_secs(1);
    assert!(later(read(&Ussd::new(settings).unwrap()).await).contains("no answer within"));
    assert_eq!(world.calls(), ["0 Initiate *100#"]);
}

#[tokio::test]
async fn an_answer_by_message_counts_only_if_it_is_new_whole_and_from_its_sender() {
    let text = |number: &str, text: &str, state: u32| json!({ "number": number, "text": text, "state": state });
    let with = |answer: Value| {
        let old = text("777", "Balance: 1.11 EUR", 3);
        World::new(&json!([{ "iccid": iccid(1), "messages": [old], "answers": { "*": answer } }]))
    };
    let by_message = |world: &World, delete: bool| {
        let mut settings = world.settings();
        settings.sms = Some(SmsAnswer { from: vec!["777".into()], delete });
        settings.limit = Duration::from_secs(if delete { 20 } else { 1 });
        Ussd::new(settings).unwrap()
    };
    let stranger = text("+4912345678", "Balance: 9.99 EUR", 3);
    let offer = text("777", "Only today: 10 GB for 5.00 EUR", 3);
    for first in [json!({ "text": "You will get a text." }), json!({ "error": "Core.Aborted" })] {
        let mut answer = first;
        answer["messages"] = json!([stranger, offer, text("777", "Balance: 5.20 EUR", 2)]);
        let world = with(answer);
        let reading = read(&by_message(&world, true)).await.unwrap();
        assert_eq!(reading.credit(), Some(Money::parse("5.20 EUR").unwrap()));
        assert_eq!(world.calls(), ["0 Initiate *100#", "0 Delete 3"]);
    }
    let world = with(json!({ "text": "You will get a text.", "messages": [stranger] }));
    assert!(later(read(&by_message(&world, false)).await).contains("no text message came in time from 777"));
    let world = with(json!({ "text": "You will get a text.", "messages": [offer] }));
    let told = read(&by_message(&world, false)).await;
    assert!(matches!(&told, Err(OperatorError::Unknown { why }) if why.contains("Only today")), "{told:?}");
    let world = with(json!({ "error": "Core.Failed", "messages": [text("777", "Balance: 5.20 EUR", 3)] }));
    assert!(later(read(&by_message(&world, false)).await).contains("Core.Failed"));
}

#[tokio::test]
async fn it_declares_what_is_most_careful() {
    let world = World::without_modem_manager();
    let ussd = world.ussd();
    let declared = ussd.capabilities();
    assert_eq!((declared.repeat, declared.lookup, declared.proof), (Repeat::Pays, Lookup::None, Proof::Balance));
    assert_eq!((declared.class(), declared.burns_key, declared.read_batch), (Class::C, true, 1));
    let terms = ussd.terms();
    assert!(terms.hosts.is_empty() && terms.payment_methods.is_empty());
    assert_eq!(terms.needs, ["iccid"]);
    assert!(ussd.catalogue(&card(1), NOW).await.unwrap().plans.is_empty());
    assert!(ussd.wallet().await.unwrap().methods.is_empty());
    assert!(matches!(ussd.discover(None).await, Err(OperatorError::Never { .. })));
}
