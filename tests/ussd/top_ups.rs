//! Top-ups: one voucher for one order, whatever happens.

use std::time::Duration;

use serde_json::{Value, json};
use simkeeper::domain::money::Money;
use simkeeper::domain::operator::{
    BuyAnswer, Doubt, OperatorError, OrderKey, PreparedOrder, RefusalKind, SentOrder, Wallet,
};
use simkeeper::domain::time::UnixTime;
use simkeeper::operators::Operator;
use simkeeper::operators::ussd::{Ussd, VoucherList};

use crate::parts::{NOW, World, card, iccid, order, prepared, read};

const VOUCHERS: &str = "# two for May\n1111 2222 3333 4444\n5555666677778888\n";
const FIRST: &str = "0 Initiate *104*1111222233334444#";
const SECOND: &str = "0 Initiate *104*5555666677778888#";

fn taken() -> Value {
    json!({ "text": "Your account was credited with 10.00 EUR." })
}

async fn bought(ussd: &Ussd, key: u128) -> (PreparedOrder, BuyAnswer) {
    let order = prepared(ussd, key).await;
    let answer = ussd.buy(&order).await;
    (order, answer)
}

#[tokio::test]
async fn a_voucher_is_sold_once_for_its_worth_at_its_price() {
    let world = World::answering(&taken());
    let ussd = Ussd::new(world.with_vouchers(VOUCHERS)).unwrap();
    let plan = order(&ussd, 1).await.plan;
    assert_eq!((plan.id.as_str(), plan.name.as_str()), ("voucher-10-EUR", "Voucher 10 EUR"));
    assert_eq!(plan.contents.credit, Some(Money::parse("10 EUR").unwrap()));
    assert_eq!(plan.price, Money::parse("9.50 EUR").unwrap());
    assert_eq!(ussd.wallet().await.unwrap(), Wallet { balance: None, methods: vec!["voucher".into()] });
    assert_eq!(ussd.preflight(&card(1), &plan, None).await.unwrap().offer.as_ref(), Some(&plan));

    let (first, answer) = bought(&ussd, 1).await;
    assert_eq!(answer, BuyAnswer::Accepted { order_id: None, charged: None });
    assert_eq!(bought(&ussd, 2).await.1, BuyAnswer::Accepted { order_id: None, charged: None });
    assert_eq!(world.calls(), [FIRST, SECOND]);
    // What is stored of an order, and the book, hold no code.
    for text in [String::from_utf8(first.body.clone()).unwrap(), world.book(), format!("{ussd:?}")] {
        assert!(!text.contains("1111") && !text.contains("2222333"), "{text}");
    }
    assert!(ussd.catalogue(&card(1), NOW).await.unwrap().plans.is_empty());
    assert_eq!(ussd.preflight(&card(1), &plan, None).await.unwrap().offer, None);
    // The same bytes again send nothing.
    let again = ussd.buy(&first).await;
    assert!(matches!(again, BuyAnswer::Unknown { doubt: Doubt::AlreadyUsed, .. }), "{again:?}");
    assert_eq!(world.calls().len(), 2);
    // More vouchers may be written into the list at any time.
    world.with_vouchers(&format!("{VOUCHERS}9999000011112222\n"));
    assert!(matches!(bought(&ussd, 3).await.1, BuyAnswer::Accepted { .. }));
}

#[tokio::test]
async fn an_order_names_its_voucher_before_anything_is_sent_and_keeps_it() {
    let world = World::answering(&taken());
    let ussd = Ussd::new(world.with_vouchers(VOUCHERS)).unwrap();
    let first = order(&ussd, 1).await;
    let one = ussd.prepare(&card(1), &first).unwrap();
    let two = prepared(&ussd, 2).await;
    assert_ne!(one.body, two.body, "two orders at a time have two vouchers");
    assert_eq!(ussd.prepare(&card(1), &first).unwrap(), one);
    let third = order(&ussd, 3).await;
    assert!(matches!(ussd.prepare(&card(1), &third), Err(OperatorError::Never { kind: RefusalKind::PlanGone, .. })));
    assert!(world.calls().is_empty() && world.book().is_empty());
    let other = Ussd::new(world.with_vouchers(VOUCHERS)).unwrap();
    let rival = prepared(&other, 3).await;
    assert_eq!(ussd.buy(&one).await, BuyAnswer::Accepted { order_id: None, charged: None });
    // Another process had named the same voucher meanwhile.
    let answer = other.buy(&rival).await;
    assert!(matches!(&answer, BuyAnswer::NotSent { why } if why.contains("another order")), "{answer:?}");
    assert_eq!(world.calls(), [FIRST]);
    // The rival's next try takes another one.
    assert_eq!(bought(&other, 3).await.1, BuyAnswer::Accepted { order_id: None, charged: None });
    assert_eq!(world.calls(), [FIRST, SECOND]);
}

#[tokio::test]
async fn a_voucher_whose_fate_is_unknown_is_never_used_again_not_even_after_a_restart() {
    let answers = [
        (json!({ "text": "Your request is being processed." }), Doubt::Unproven),
        (json!({ "text": "credited with 10 EUR; voucher already used" }), Doubt::Unproven),
        (json!({ "text": "" }), Doubt::Unproven),
        (json!({ "error": "Core.Aborted" }), Doubt::Unreadable),
        (json!({ "error": "Core.Failed" }), Doubt::UnlistedCode),
        (json!({ "error": "MobileEquipment.NotSupported" }), Doubt::UnlistedCode),
        (json!({ "error": "org.freedesktop.DBus.Error.NoReply" }), Doubt::Broken),
    ];
    let modems = |answer: &Value| json!([{ "iccid": iccid(1), "answers": { "*": answer } }]);
    let world = World::new(&modems(&answers[0].0));
    for (answer, expected) in &answers {
        let _ = std::fs::remove_file(world.folder.path().join("sent"));
        let before = world.calls().len();
        world.write(&modems(answer));
        let (order, told) = bought(&Ussd::new(world.with_vouchers(VOUCHERS)).unwrap(), 1).await;
        assert!(matches!(&told, BuyAnswer::Unknown { doubt, .. } if doubt == expected), "{answer}: {told:?}");
        assert_eq!(world.calls()[before..], [FIRST], "sent once, never repeated");
        // The daemon is started again; the next order takes the next voucher.
        let ussd = Ussd::new(world.with_vouchers(VOUCHERS)).unwrap();
        assert!(matches!(ussd.buy(&order).await, BuyAnswer::Unknown { doubt: Doubt::AlreadyUsed, .. }));
        world.write(&modems(&taken()));
        assert!(matches!(bought(&ussd, 2).await.1, BuyAnswer::Accepted { .. }));
        assert_eq!(world.calls()[before + 1..], [SECOND]);
        assert!(ussd.catalogue(&card(1), NOW).await.unwrap().plans.is_empty());
    }
}

#[tokio::test]
async fn a_crash_between_the_book_and_the_answer_loses_no_voucher_twice() {
    let world = World::answering(&json!({ "silent": true }));
    let mut settings = world.with_vouchers(VOUCHERS);
    settings.limit = Duration::from_secs(1);
    let (_, answer) = bought(&Ussd::new(settings).unwrap(), 1).await;
    assert!(matches!(answer, BuyAnswer::Unknown { doubt: Doubt::TimedOut, .. }), "{answer:?}");
    // Whoever comes next finds the book as a crash would have left it.
    let next = World::answering(&taken());
    std::fs::write(next.folder.path().join("sent"), world.book()).unwrap();
    let ussd = Ussd::new(next.with_vouchers(VOUCHERS)).unwrap();
    assert!(matches!(bought(&ussd, 2).await.1, BuyAnswer::Accepted { .. }));
    assert_eq!(next.calls(), [SECOND]);
}

#[tokio::test]
async fn only_a_refusal_that_was_described_is_one() {
    let world = World::answering(&json!({ "text": "Voucher 1111222233334444 is not valid." }));
    let ussd = Ussd::new(world.with_vouchers(VOUCHERS)).unwrap();
    let (_, answer) = bought(&ussd, 1).await;
    let BuyAnswer::Refused(refusal) = answer else { panic!("{answer:?}") };
    assert_eq!((refusal.kind, refusal.code.as_str()), (RefusalKind::Other, "refused"));
    assert_eq!(refusal.text, "\"Voucher …4444 is not valid.\"");
    // A refused voucher is not tried again either.
    bought(&ussd, 2).await;
    assert_eq!(world.calls(), [FIRST, SECOND]);
}

#[tokio::test]
async fn what_was_turned_away_on_this_machine_costs_no_voucher() {
    let vouchers = "1111222233334444\n";
    for (modems, calls) in [
        (json!([{ "iccid": iccid(7), "answers": { "*": taken() } }]), 0),
        (json!([{ "iccid": iccid(1), "ussd": false }]), 0),
        (json!([{ "iccid": iccid(1), "answers": { "*": { "error": "Core.Unauthorized" } } }]), 1),
        (json!([{ "iccid": iccid(1), "answers": { "*": { "error": "Core.WrongState" } } }]), 1),
    ] {
        let world = World::new(&modems);
        let ussd = Ussd::new(world.with_vouchers(vouchers)).unwrap();
        let (first, answer) = bought(&ussd, 1).await;
        assert!(matches!(answer, BuyAnswer::NotSent { .. }), "{modems}: {answer:?}");
        assert_eq!(world.calls().len(), calls);
        // The same order or another one may have it.
        assert_eq!(prepared(&ussd, 2).await.body, first.body);
    }
}

#[tokio::test]
async fn the_clock_is_witnessed_by_the_network() {
    let world = World::answering(&taken());
    let ussd = Ussd::new(world.with_vouchers(VOUCHERS)).unwrap();
    let plan = order(&ussd, 1).await.plan;
    for (time, expected) in [
        (json!("2027-01-15T10:00:00+02:00"), Some("2027-01-15T08:00:00Z")),
        (json!("2027-01-15T10:00:00+02"), Some("2027-01-15T08:00:00Z")),
        (json!("2027-01-15T08:00:00Z"), Some("2027-01-15T08:00:00Z")),
        (json!("2027-01-15T10:00:00"), None),
        (json!(""), None),
        (Value::Null, None),
    ] {
        world.write(&json!([{ "iccid": iccid(1), "time": time }]));
        let told = ussd.preflight(&card(1), &plan, None).await.unwrap().operator_time;
        assert_eq!(told, expected.map(|text| UnixTime::parse(text).unwrap()), "{time}");
    }
    let error = ussd.preflight(&card(2), &plan, None).await.unwrap_err();
    assert!(matches!(error, OperatorError::Later { .. }), "{error:?}");
    assert_eq!(world.calls(), [""; 0]);
}

#[tokio::test]
async fn an_order_that_cannot_be_is_not_made() {
    let world = World::answering(&taken());
    let ussd = Ussd::new(world.with_vouchers(VOUCHERS)).unwrap();
    let good = order(&ussd, 1).await;
    let refused = |change: fn(&mut simkeeper::domain::operator::Order)| {
        let mut order = good.clone();
        change(&mut order);
        match ussd.prepare(&card(1), &order) {
            Err(OperatorError::Never { kind, .. }) => kind,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(|order| order.payment = "wallet".into()), RefusalKind::Other);
    assert_eq!(refused(|order| order.code = Some("SALE".into())), RefusalKind::BadCode);
    assert_eq!(refused(|order| order.plan.price = Money::parse("9 EUR").unwrap()), RefusalKind::PlanGone);
    assert!(ussd.prepare(&card(1), &good).is_ok());
    let mut order = prepared(&ussd, 9).await;
    order.body = b"{}".to_vec();
    assert!(matches!(ussd.buy(&order).await, BuyAnswer::NotSent { .. }));
    // A voucher that its owner took out of the list meanwhile is not sent.
    let kept = prepared(&ussd, 10).await;
    world.with_vouchers("");
    assert!(matches!(ussd.buy(&kept).await, BuyAnswer::NotSent { .. }));
    assert_eq!(world.calls(), [""; 0]);
}

#[tokio::test]
async fn nothing_is_sent_while_the_book_cannot_be_trusted() {
    let world = World::answering(&taken());
    let ussd = Ussd::new(world.with_vouchers(VOUCHERS)).unwrap();
    let order = prepared(&ussd, 1).await;
    std::fs::write(world.folder.path().join("sent"), "sent what\n").unwrap();
    let answer = ussd.buy(&order).await;
    assert!(matches!(&answer, BuyAnswer::NotSent { why } if why.contains("line 1 is damaged")), "{answer:?}");
    assert!(matches!(ussd.catalogue(&card(1), NOW).await, Err(OperatorError::Never { .. })));
    assert_eq!(world.calls(), [""; 0]);
}

/// Something that happens to lists.
type Damage = fn(&mut Vec<VoucherList>);

#[tokio::test]
async fn a_list_that_cannot_be_read_stops_top_ups_and_nothing_else() {
    let world = World::answering(&json!({ "text": "Balance: 5.20 EUR" }));
    let broken: [(Damage, &str); 2] = [
        (|lists| lists[0].path = "/nowhere".into(), "/nowhere does not exist"),
        (
            |lists| lists.push(VoucherList { worth: Money::parse("20 EUR").unwrap(), ..lists[0].clone() }),
            "stands in another list, too",
        ),
    ];
    for (damage, expected) in broken {
        let mut settings = world.with_vouchers(VOUCHERS);
        damage(&mut settings.top_up.as_mut().unwrap().lists);
        let ussd = Ussd::new(settings).unwrap();
        assert!(read(&ussd).await.is_ok());
        let error = ussd.catalogue(&card(1), NOW).await.unwrap_err();
        assert!(matches!(&error, OperatorError::Never { why, .. } if why.contains(expected)), "{error:?}");
    }
}

#[tokio::test]
async fn no_look_up_ever_says_that_there_is_no_order() {
    let world = World::answering(&taken());
    let ussd = Ussd::new(world.with_vouchers(VOUCHERS)).unwrap();
    let sent = SentOrder {
        key: OrderKey::new(1),
        order_id: None,
        plan_id: "voucher-10-EUR".into(),
        price: Money::parse("9.50 EUR").unwrap(),
        before: None,
        first_sent_at: NOW,
    };
    assert!(matches!(ussd.find(&card(1), &sent).await, Err(OperatorError::Unknown { .. })));
    assert_eq!(world.calls(), [""; 0]);
}
