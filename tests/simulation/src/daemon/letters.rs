//! The station that takes mails and texts: it answers as the world's faults say, and tells the oracle what it took.

use simkeeper::domain::time::Secs;
use simkeeper::notify::{Channel, Delivery, Memory, Outgoing};

use super::files::TEXT;
use super::stage::Stage;
use super::wrong::Wrong;
use crate::faults::Site;
use crate::oracle::facts::Fact;

const HOUR: i64 = 3_600;

/// A station for one channel.
pub(super) fn station(stage: &Stage, channel: &str, wrong: Option<Wrong>) -> Channel {
    let (stage, is_text) = (stage.clone(), channel == TEXT);
    Channel::Memory(Memory::new(move |message| {
        let (stage, message) = (stage.clone(), message.clone());
        Box::pin(async move {
            stage.alive().await;
            take(&stage, &message, is_text, wrong)
        })
    }))
}

fn take(stage: &Stage, message: &Outgoing, is_text: bool, wrong: Option<Wrong>) -> Delivery {
    let mut scene = stage.scene();
    scene.catch_up();
    let (at, lane) = (scene.at, scene.world.cards.len());
    let mut fires =
        |site: Site, in_hundred: u64| scene.dice.percent(in_hundred) && scene.world.faults.fires(site, lane, 0, 0);
    if !is_text && fires(Site::MailDown, 4) {
        scene.mail_down_until = at + scene.dice.between(HOUR, 72 * HOUR);
    }
    if !is_text && at < scene.mail_down_until {
        return Delivery::Retry { why: "no connection".to_owned(), not_before: None };
    }
    let mut fires =
        |site: Site, in_hundred: u64| scene.dice.percent(in_hundred) && scene.world.faults.fires(site, lane, 0, 0);
    if fires(Site::MailLater, 40) {
        return Delivery::Retry { why: "try again later".to_owned(), not_before: Some(Secs(120)) };
    }
    if fires(Site::MailRefused, 8) {
        return Delivery::Dead { why: "no such mailbox".to_owned() };
    }
    let is_known = !fires(Site::LostAfterDot, 40);
    if wrong == Some(Wrong::ChannelLoses) && scene.dice.percent(10) {
        return Delivery::Sent { remote: "lost".to_owned() };
    }
    if let Some(notice) = scene.scribe.notice_of(&message.id) {
        scene.world.facts.push(Fact::Delivered { notice, is_known });
    } else {
        scene.world.facts.push(Fact::Delivered { notice: -1, is_known });
    }
    if is_known {
        Delivery::Sent { remote: "taken".to_owned() }
    } else {
        Delivery::Doubtful { why: "the connection was lost after the last line".to_owned() }
    }
}
