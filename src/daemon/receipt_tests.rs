//! What becomes of a text that did not arrive where its person has said nothing about passing on.

use super::receipts;
use super::rig::Rig;
use crate::domain::attempt::Snapshot;
use crate::domain::notice::{Due, Event, NextStep};
use crate::domain::reading::Renewable;
use crate::domain::receipt::{Fate, Receipt};

fn dead() -> Event {
    let due = Due::Dead { renewable: Renewable::OneOff };
    Event::DueSoon { due, next: NextStep::CannotRenew, now: Snapshot::default() }
}

/// The gateway reports this of the last text.
async fn report(rig: &Rig, fate: Fate) {
    let notices = rig.notices().await;
    let text = notices.iter().find(|notice| notice.channel.as_str() == "sms").unwrap();
    let id = super::deliver_round::word_of(&text.message_id).to_owned();
    let why = (!fate.arrived()).then(|| "the phone is off".to_owned());
    receipts::note(&rig.daemon, id, Receipt { fate, remote: None, why }).await.unwrap();
    rig.deliver().await;
}

#[tokio::test]
async fn a_text_that_did_not_arrive_goes_its_persons_next_way_once() {
    let anna = "[person.anna]\nmail = \"anna@example.net\"\npush = \"anna\"\nsms = \"+16135550123\"\n";
    let from = "from = { sms = \"warning\", mail = \"urgent\", push = \"urgent\" }\n";
    for wish in ["", "repeat = \"4h\"\n"] {
        let rig = Rig::of(&format!("{anna}{from}{wish}"), &["tablet"]).await;
        for (step, fate, next) in
            [("1", Fate::Delivered, None), ("2", Fate::Expired, Some("mail")), ("3", Fate::Failed, Some("mail"))]
        {
            rig.tell("tablet", step, dead()).await;
            assert_eq!(rig.reached(), [("sms".to_owned(), "16135550123".to_owned())]);
            report(&rig, fate).await;
            let reached: Vec<String> = rig.reached().into_iter().map(|(channel, _)| channel).collect();
            assert_eq!(reached, Vec::from_iter(next.map(str::to_owned)), "{fate:?}");
            report(&rig, Fate::Failed).await;
            assert_eq!(rig.reached(), [], "the first final word counts");
        }
        rig.refuse("sms");
        rig.tell("tablet", "4", dead()).await;
        assert_eq!(
            rig.reached(),
            [("mail".to_owned(), "anna@example.net".to_owned())],
            "one that was refused likewise"
        );
        rig.refuse("mail");
        rig.tell("tablet", "5", dead()).await;
        assert_eq!(rig.reached(), [], "it goes no further than the next way");
    }
    // What was told over every way has nowhere to go.
    let rig = Rig::of(anna, &["tablet"]).await;
    rig.tell("tablet", "1", urgent()).await;
    assert_eq!(rig.reached().len(), 3);
    report(&rig, Fate::Failed).await;
    assert_eq!(rig.reached(), []);
}

fn urgent() -> Event {
    let why = crate::domain::notice::FailedWhy::NoPlan;
    Event::Failed { attempt: None, plan: None, why, next_try: None, support: None }
}
