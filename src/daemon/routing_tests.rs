//! Who is told what, when and over which way: real files, real rounds of delivery.

use super::rig::Rig;
use crate::domain::attempt::Snapshot;
use crate::domain::notice::{Due, Event, NextStep, NoticeKind};
use crate::domain::reading::Renewable;
use crate::domain::time::Secs;
use crate::store::notices::NoticeState;

fn dead() -> Event {
    let due = Due::Dead { renewable: Renewable::OneOff };
    Event::DueSoon { due, next: NextStep::CannotRenew, now: Snapshot::default() }
}

fn paused() -> Event {
    Event::Paused { by: "ben".into(), until: None, resumed: false }
}

fn failed() -> Event {
    Event::Failed {
        attempt: None,
        plan: None,
        why: crate::domain::notice::FailedWhy::NoPlan,
        next_try: None,
        support: None,
    }
}

fn ways(arrived: &[(String, String)]) -> Vec<&str> {
    arrived.iter().map(|(channel, _)| channel.as_str()).collect()
}

#[tokio::test]
async fn each_way_is_used_from_the_weight_that_its_person_says() {
    let person = "[person.anna]\nmail = \"anna@example.net\"\nsms = \"+16135550123\"\npush = \"anna\"\n";
    let rig = Rig::of(person, &["tablet"]).await;
    for (event, expected) in
        [(paused(), &["mail", "push"][..]), (dead(), &["mail", "push"]), (failed(), &["mail", "push", "sms"])]
    {
        rig.tell("tablet", "1", event).await;
        let mut reached = rig.reached();
        reached.sort();
        assert_eq!(ways(&reached), expected);
    }
    let own = "from = { mail = \"warning\", push = \"urgent\", sms = \"warning\" }\n\
        severity = { bought = \"never\", paused = \"never\", failed = \"news\" }\n";
    let rig = Rig::of(&format!("{person}{own}"), &["tablet"]).await;
    for (event, expected) in [(paused(), &[][..]), (dead(), &["mail", "sms"]), (failed(), &[])] {
        rig.tell("tablet", "1", event).await;
        let mut reached = rig.reached();
        reached.sort();
        assert_eq!(ways(&reached), expected);
    }
}

#[tokio::test]
async fn what_may_wake_people_goes_through_their_quiet_hours() {
    let quiet = "[person.anna]\nmail = \"anna@example.net\"\nzone = \"UTC\"\nquiet = \"11:00-15:00\"\n";
    for (wakes, expected) in [("", 0), ("wakes = \"warning\"\n", 1), ("severity = { due_soon = \"urgent\" }\n", 1)] {
        let rig = Rig::of(&format!("{quiet}{wakes}"), &["tablet"]).await;
        rig.tell("tablet", "1", dead()).await;
        rig.tell("tablet", "1", paused()).await;
        assert_eq!(rig.reached().len(), expected, "{wakes}");
        rig.pass(Secs::hours(4)).await;
        assert_eq!(rig.reached().len(), 1, "{wakes}");
        let sent = rig.notices().await.into_iter().filter(|notice| notice.state == NoticeState::Sent);
        let kinds: Vec<NoticeKind> = sent.map(|notice| notice.kind).collect();
        // Alone it goes as it is; two go as one.
        assert_eq!(kinds.contains(&NoticeKind::Held), expected == 0, "{wakes}: {kinds:?}");
    }
}
