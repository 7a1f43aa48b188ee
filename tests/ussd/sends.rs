//! Texts that leave by a modem of this machine.

use serde_json::{Value, json};
use simkeeper::domain::identity::Iccid;
use simkeeper::domain::receipt::Fate;
use simkeeper::domain::time::UnixTime;
use simkeeper::notify::{Asked, Channel, ChannelSettings, Delivery, ModemSettings, Outgoing};

use crate::parts::{World, iccid};

fn channel(world: &World, card: Option<u32>) -> Channel {
    let iccid = card.map(|number| Iccid::parse(&iccid(number)).unwrap());
    open(ModemSettings { bus: Some(world.address.clone()), iccid, receipts: false })
}

fn open(settings: ModemSettings) -> Channel {
    Channel::open(ChannelSettings::Modem(settings)).unwrap()
}

fn asking(world: &World) -> Channel {
    open(ModemSettings { bus: Some(world.address.clone()), iccid: None, receipts: true })
}

fn message() -> Outgoing {
    Outgoing {
        id: "0193a1b2".to_owned(),
        address: "+16135550123".to_owned(),
        sent_at: UnixTime::clamped(1_797_586_200),
        from: String::new(),
        bytes: "canada: \"续费\" & 'done'".as_bytes().to_vec(),
        expires_at: UnixTime::clamped(1_797_672_600),
        receipts: None,
    }
}

fn two() -> Value {
    json!([{ "iccid": iccid(1) }, { "iccid": iccid(2) }])
}

#[tokio::test]
async fn a_text_leaves_by_the_card_that_was_named_and_makes_room_again() {
    let world = World::new(&two());
    let delivery = channel(&world, Some(2)).send(&message()).await;
    assert!(matches!(&delivery, Delivery::Sent { remote } if remote.contains("/SMS/1_0")), "{delivery:?}");
    let calls = ["1 Create +16135550123 canada: \"续费\" & 'done' for 1440 min", "1 Send 0", "1 Delete 0"];
    assert_eq!(world.calls(), calls);
    // Nobody guesses which card pays.
    for (card, wanted) in [(None, "name the card that sends: iccid"), (Some(3), "none holds the card")] {
        let delivery = channel(&world, card).send(&message()).await;
        assert!(matches!(&delivery, Delivery::Retry { why, .. } if why.contains(wanted)), "{delivery:?}");
    }
    assert_eq!(world.calls().len(), calls.len());
}

#[tokio::test]
async fn a_text_is_in_doubt_only_where_it_may_have_left() {
    let world = World::new(&json!([{ "iccid": iccid(1) }]));
    let channel = channel(&world, None);
    for (send, wanted, calls) in [
        (json!({ "error": "MobileEquipment.NoNetwork" }), "retry", 3),
        (json!({ "error": "Message.NetworkTimeout" }), "doubtful", 3),
        (json!({ "error": "Core.Aborted" }), "doubtful", 3),
        (json!({ "create": { "error": "Core.Timeout" } }), "retry", 1),
        (json!({ "create": { "error": "Core.Unauthorized", "text": "PolicyKit says no" } }), "retry", 1),
        // Asked for in fewer words, which sends nothing more.
        (json!({ "unknown": ["validity"] }), "sent", 4),
        (json!({ "create": { "error": "Core.InvalidArgs" } }), "retry", 2),
        (json!({}), "sent", 3),
    ] {
        world.write(&json!([{ "iccid": iccid(1), "send": send }]));
        let before = world.calls().len();
        let delivery = channel.send(&message()).await;
        let got = match delivery {
            Delivery::Sent { .. } => "sent",
            Delivery::Retry { .. } => "retry",
            Delivery::Dead { .. } => "dead",
            Delivery::Doubtful { .. } => "doubtful",
        };
        assert_eq!((got, world.calls().len() - before), (wanted, calls), "{send}: {delivery:?}");
        let sends = world.calls()[before..].iter().filter(|call| call.contains(" Send ")).count();
        assert!(sends <= 1, "{send}: sent {sends} times");
    }
    let nobody = World::without_modem_manager();
    let delivery = self::channel(&nobody, None).send(&message()).await;
    assert!(matches!(&delivery, Delivery::Retry { .. }), "{delivery:?}");
}

/// A status report of a text to `number` that the network calls `reference`.
fn report(number: &str, reference: u32, state: u32, time: &str) -> Value {
    json!({ "number": number, "reference": reference, "state": state, "time": time })
}

/// The call that removes a message from the modem.
fn removed(place: usize) -> String {
    format!("0 Delete {place}")
}

#[tokio::test]
async fn a_status_report_is_told_until_it_is_noted_and_then_removed() {
    // As centres write it, a moment after the text was sent.
    let now = "2026-12-18T11:30:05+02";
    let mut reports = Vec::new();
    let world = World::new(&json!([{ "iccid": iccid(1), "send": { "reference": 273 } }]));
    let show = |reports: &[Value]| {
        world.write(&json!([{ "iccid": iccid(1), "send": { "reference": 273 }, "reports": reports }]));
    };
    let channel = asking(&world);
    let Delivery::Sent { remote } = channel.send(&message()).await else { panic!("not sent") };
    let calls = ["0 Create +16135550123 canada: \"续费\" & 'done' for 1440 min report True", "0 Send 0", "0 Delete 0"];
    assert!(remote.ends_with("#273") && world.calls() == calls, "{remote}: {:?}", world.calls());

    let asked = [Asked { id: "ours".to_owned(), address: message().address, remote: Some(remote) }];
    // Of another number and of another text.
    reports.extend([report("+16135550199", 17, 0, now), report("+16135550123", 18, 0, now)]);
    show(&reports);
    assert_eq!(channel.reports(&asked).await, []);
    channel.thank().await;
    assert_eq!(world.calls().len(), calls.len(), "they are somebody else's");

    // The network keeps eight bits of the reference, and leaves out the country.
    for (place, (state, wanted)) in [
        (0x22, None),
        (0x01, None),
        (0x62, Some(Fate::Failed)),
        (0x46, Some(Fate::Expired)),
        (0x00, Some(Fate::Delivered)),
    ]
    .into_iter()
    .enumerate()
    {
        reports.push(report("6135550123", 17, state, now));
        show(&reports);
        for _ in 0..2 {
            let told = channel.reports(&asked).await;
            let fates: Vec<_> = told.iter().map(|(id, receipt)| (id.as_str(), receipt.fate)).collect();
            assert_eq!(fates, wanted.map(|fate| ("ours", fate)).into_iter().collect::<Vec<_>>(), "{state:#04x}");
            assert!(told.iter().all(|(_, receipt)| receipt.why.is_some() != receipt.fate.arrived()), "{told:?}");
        }
        channel.thank().await;
        assert_eq!(world.calls().last(), Some(&removed(place + 3)), "{state:#04x}");
    }
    assert_eq!(channel.reports(&asked).await, []);
}

#[tokio::test]
async fn reports_of_earlier_texts_are_removed_with_the_next_one() {
    let reports = [
        // With the reference that the next text gets, since references come round.
        report("+16135550123", 17, 0, "2026-12-17T23:00:00Z"),
        report("+16135550123", 3, 0, "2026-12-14T23:00:00Z"),
        // May still be asked for, or is somebody else's.
        report("+16135550123", 4, 0, "2026-12-17T23:00:00Z"),
        report("+16135550199", 17, 0, "2026-12-14T23:00:00Z"),
    ];
    let world = World::new(&json!([{ "iccid": iccid(1), "send": { "reference": 17 }, "reports": reports }]));
    let channel = asking(&world);
    let Delivery::Sent { remote } = channel.send(&message()).await else { panic!("not sent") };
    assert_eq!(world.calls()[1..], ["0 Send 4", "0 Delete 4", "0 Delete 0", "0 Delete 1"]);
    let asked = [Asked { id: "ours".to_owned(), address: message().address, remote: Some(remote) }];
    assert_eq!(channel.reports(&asked).await, [], "it would have been told of the text before");
}
