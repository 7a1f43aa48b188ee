//! Texts that leave by a modem of this machine.

use serde_json::{Value, json};
use simkeeper::domain::identity::Iccid;
use simkeeper::domain::time::UnixTime;
use simkeeper::notify::{Channel, ChannelSettings, Delivery, ModemSettings, Outgoing};

use crate::parts::{World, iccid};

fn channel(world: &World, card: Option<u32>) -> Channel {
    let iccid = card.map(|number| Iccid::parse(&iccid(number)).unwrap());
    Channel::open(ChannelSettings::Modem(ModemSettings { bus: Some(world.address.clone()), iccid })).unwrap()
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
    let calls = ["1 Create +16135550123 canada: \"续费\" & 'done'", "1 Send 0", "1 Delete 0"];
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
    }
    let nobody = World::without_modem_manager();
    let delivery = self::channel(&nobody, None).send(&message()).await;
    assert!(matches!(&delivery, Delivery::Retry { .. }), "{delivery:?}");
}
