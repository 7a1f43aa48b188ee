//! Who is told what, when and over which way: real files, real rounds of delivery.

use super::rig::{Rig, named};
use super::tell::{Telling, tell};
use crate::domain::attempt::Snapshot;
use crate::domain::card::Name;
use crate::domain::notice::{Due, Event, NextStep, NoticeKind};
use crate::domain::reading::Renewable;
use crate::domain::time::Secs;
use crate::store::notices::{self, NoticeState};

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

const ANNA: &str = "[person.anna]\nmail = \"anna@example.net\"\nsms = \"+16135550123\"\npush = \"anna\"\nfrom = { sms = \"urgent\", push = \"urgent\", mail = \"news\" }\n";

/// Anna's mails only, and what she wants so that nothing is overlooked.
fn by_mail(wishes: &str) -> String {
    format!("[person.anna]\nmail = \"anna@example.net\"\n{wishes}\n[person.ben]\nmail = \"ben@example.net\"\n")
}

#[tokio::test]
async fn what_needs_a_person_is_told_again_as_they_want_it_and_then_no_more() {
    let rig = Rig::of(&by_mail("repeat = [\"1h\", \"4h\"]"), &["tablet"]).await;
    rig.tell("tablet", "1", failed()).await;
    rig.tell("tablet", "1", paused()).await;
    assert_eq!(rig.arrived().len(), 2);
    rig.pass(Secs::minutes(59)).await;
    assert_eq!(rig.arrived().len(), 0);
    // The process ends and starts again: what was due meanwhile comes once.
    let rig = rig.again_after(Secs::minutes(1)).await;
    rig.deliver().await;
    let again = rig.arrived();
    assert!(again.len() == 1 && again[0].2.starts_with("tablet: again: "), "{again:?}");
    // Days without power, in which both waits would have passed several times.
    let rig = rig.again_after(Secs::days(3)).await;
    rig.deliver().await;
    assert_eq!(rig.arrived().len(), 1);
    rig.pass(Secs::days(20)).await;
    assert_eq!(rig.arrived().len(), 0, "it was told as often as there are waits");
}

#[tokio::test]
async fn nobody_is_told_again_of_what_somebody_takes_care_of_or_what_is_so_no_more() {
    use crate::daemon::people::carry_out;
    use crate::daemon::request::{Asked, Reply, Request};

    let rig = Rig::of(&by_mail("repeat = [\"1h\", \"4h\"]"), &["tablet", "phone", "old", "router"]).await;
    for card in ["tablet", "phone", "old", "router"] {
        rig.tell(card, "1", failed()).await;
    }
    assert_eq!(rig.arrived().len(), 4);
    let notices = rig.notices().await;
    let id = notices.last().map(|notice| notice.id.0);
    let acknowledge = |id, card: Option<&str>| Asked {
        by: "ben".to_owned(),
        request: Request::Acknowledge { id, card: card.map(str::to_owned) },
    };
    for asked in [acknowledge(id, None), acknowledge(None, Some("phone"))] {
        assert!(matches!(carry_out(&rig.daemon, asked).await, Reply::Done { .. }));
    }
    for asked in [acknowledge(id, None), acknowledge(None, Some("phone")), acknowledge(None, Some("nobody's"))] {
        assert!(matches!(carry_out(&rig.daemon, asked).await, Reply::Refused { .. }), "nothing is left of it");
    }
    rig.write(|conn| {
        let (old, router) = (named(conn, "old")?.id, named(conn, "router")?.id);
        conn.execute("UPDATE poll SET cycle = 2 WHERE card = ?1", [old.0])?;
        crate::store::cards::retire(conn, router, crate::domain::time::UnixTime::MAX)
    })
    .await;
    rig.pass(Secs::days(1)).await;
    assert_eq!(rig.arrived(), []);
    let acts = rig.write(|conn| crate::store::people::list(conn, None, 9)).await;
    assert_eq!(acts.iter().filter(|act| act.by == "ben" && act.what == "acknowledge").count(), 2);
}

#[tokio::test]
async fn who_does_not_react_is_told_over_further_ways_and_then_others_are() {
    let rig = Rig::of(
        "[person.anna]\nmail = \"anna@example.net\"\npush = \"anna\"\nfrom = { push = \"urgent\" }\nseverity = { failed = \"warning\" }\n\
         escalate = { after = \"2h\", to = [\"ben\", \"cleo\"] }\n\
         [person.ben]\nmail = \"ben@example.net\"\n[person.cleo]\nmail = \"cleo@example.net\"\n",
        &["tablet"],
    )
    .await;
    rig.tell("tablet", "1", failed()).await;
    let mut all = rig.reached();
    for _ in 0..6 {
        rig.pass(Secs::hours(2)).await;
        let reached = rig.reached();
        assert!(reached.len() <= 1, "one after the other: {reached:?}");
        all.extend(reached);
    }
    let addresses: Vec<&str> = all.iter().map(|(_, address)| address.as_str()).collect();
    assert_eq!(addresses, ["anna@example.net", "anna", "ben@example.net", "cleo@example.net"]);
}

#[tokio::test]
async fn what_a_way_refuses_for_good_goes_the_next_one_at_once() {
    let escalate = "escalate = { to = \"ben\" }\n";
    let rig = Rig::of(&format!("{ANNA}{escalate}[person.ben]\nmail = \"ben@example.net\"\n"), &["tablet"]).await;
    rig.refuse("mail");
    rig.tell("tablet", "1", dead()).await;
    assert_eq!(rig.reached(), [("push".to_owned(), "anna".to_owned())]);
    rig.refuse("push");
    rig.refuse("sms");
    rig.tell("tablet", "2", dead()).await;
    let notices = rig.notices().await;
    let tried: Vec<_> = notices.iter().rev().skip(2).map(|notice| notice.address.as_str()).collect();
    assert_eq!(tried, ["anna@example.net", "anna", "16135550123", "ben@example.net"]);
    // Who has asked for nothing is left alone.
    let rig = Rig::of(ANNA, &["tablet"]).await;
    rig.refuse("mail");
    rig.tell("tablet", "1", dead()).await;
    assert_eq!(rig.reached(), []);
}

#[tokio::test]
async fn what_ended_the_process_three_times_goes_the_next_way() {
    let mut rig = Rig::of(&format!("{ANNA}escalate = {{}}\n"), &["tablet"]).await;
    let (live, now) = (rig.daemon.live(), rig.daemon.clock.now());
    rig.write(move |conn| {
        let card = named(conn, "tablet")?;
        let telling = Telling { card: Some(&card), cycle: 1, step: "1".to_owned(), attempt: None, event: dead() };
        tell(conn, &live, telling, now)
    })
    .await;
    for _ in 0..notices::CRASHES_MAX {
        let (mail, now) = (Name::parse("mail").unwrap(), rig.daemon.clock.now());
        assert_eq!(rig.write(move |conn| notices::claim(conn, &mail, 9, now)).await.len(), 1);
        rig = rig.again_after(Secs::MINUTE).await;
    }
    rig.deliver().await;
    assert_eq!(rig.reached(), [("push".to_owned(), "anna".to_owned())]);
}

#[tokio::test]
async fn a_silence_holds_back_what_is_not_urgent_and_tells_it_as_one_when_it_is_over_or_lifted() {
    use crate::daemon::people::carry_out;
    use crate::daemon::request::{Asked, Reply, Request};

    let silence = |until: Option<&str>, urgent| Asked {
        by: "ben".to_owned(),
        request: Request::Silence { card: "tablet".to_owned(), until: until.map(str::to_owned), urgent },
    };
    for (all, lifted) in [(false, false), (false, true), (true, false), (true, true)] {
        let rig = Rig::of(&by_mail("repeat = \"1h\""), &["tablet", "phone"]).await;
        for wrong in [silence(None, false), silence(Some("2026-11-30T00:00:00Z"), false), silence(Some("soon"), false)]
        {
            assert!(matches!(carry_out(&rig.daemon, wrong).await, Reply::Refused { .. }));
        }
        let reply = carry_out(&rig.daemon, silence(Some("2026-12-03T12:00:00Z"), all)).await;
        assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
        rig.tell("tablet", "1", dead()).await;
        rig.tell("tablet", "2", bought_back()).await;
        rig.tell("tablet", "3", failed()).await;
        rig.tell("phone", "1", dead()).await;
        // The card in silence is only told of when it is urgent, and then again as the person wants it.
        let urgent = if all { 0 } else { 1 };
        assert_eq!(rig.arrived().len(), urgent + 1);
        rig.pass(Secs::hours(2)).await;
        let again = rig.arrived();
        assert_eq!(again.iter().filter(|(_, _, said)| said.starts_with("tablet")).count(), urgent, "{again:?}");
        rig.pass(Secs::hours(20)).await;
        assert_eq!(rig.arrived(), []);
        if lifted {
            assert!(matches!(carry_out(&rig.daemon, silence(None, false)).await, Reply::Done { .. }));
            rig.pass(Secs(1)).await;
        } else {
            rig.pass(Secs::hours(26)).await;
        }
        let told = rig.arrived();
        assert!(told.iter().any(|(_, _, said)| said.contains("waited")), "{all} {lifted}: {told:?}");
        assert!(told.iter().all(|(_, _, said)| !said.starts_with("tablet")), "it comes within the one: {told:?}");
        let acts = rig.write(|conn| crate::store::people::list(conn, None, 9)).await;
        assert!(acts.iter().all(|act| act.by == "ben") && acts.len() == 1 + usize::from(lifted));
    }
}

/// News.
fn bought_back() -> Event {
    Event::Paused { by: "ben".into(), until: None, resumed: true }
}

#[tokio::test]
async fn nobody_is_told_of_a_card_through_that_card_alone() {
    let own = "[person.anna]\nmail = \"anna@example.net\"\nsms = \"+16135550100\"\npush = \"anna\"\nfrom = { push = \"urgent\", sms = \"news\", mail = \"urgent\" }\n";
    let rig = Rig::of(own, &["tablet", "phone"]).await;
    rig.tell("phone", "1", dead()).await;
    assert_eq!(ways(&rig.reached()), ["sms"], "as she wants it");
    // The tablet's own number is where her texts go.
    rig.tell("tablet", "1", dead()).await;
    let mut reached = rig.reached();
    reached.sort();
    assert_eq!(ways(&reached), ["mail", "push", "sms"], "whatever else there is");
    // Where she has nothing else, somebody else is told.
    let machine = "currency = \"USD\"\n[operator.try]\nkind = \"sandbox\"\n\
        [channel.sms]\nkind = \"gateway\"\nurl = \"https://sms.example.net/\"\nquery = { to = \"{to}\", text = \"{text}\" }\n\
        [person.anna]\nsms = \"+16135550100\"\n[person.ben]\nsms = \"+16135550199\"\n";
    let rules = "[card.tablet]\noperator = \"try\"\nmsisdn = \"+16135550100\"\nnotify = [\"anna\"]\n";
    let rig = Rig::with(machine, rules).await;
    rig.tell("tablet", "1", failed()).await;
    let mut reached = rig.reached();
    reached.sort();
    let addresses: Vec<&str> = reached.iter().map(|(_, address)| address.as_str()).collect();
    assert_eq!(addresses, ["16135550100", "16135550199"]);
}

#[tokio::test]
async fn cards_that_are_due_together_share_one_mail_problems_first() {
    let rig = Rig::of(&by_mail("together = \"15m\""), &["tablet", "phone", "router"]).await;
    rig.pass(Secs::minutes(1)).await;
    rig.tell("tablet", "1", paused()).await;
    rig.pass(Secs::minutes(3)).await;
    rig.tell("phone", "1", dead()).await;
    rig.tell("router", "1", failed()).await;
    let arrived = rig.arrived();
    assert!(arrived.len() == 1 && arrived[0].2.starts_with("router"), "what is urgent does not wait: {arrived:?}");
    rig.pass(Secs::minutes(11)).await;
    let arrived = rig.arrived();
    assert!(arrived.len() == 1 && arrived[0].2.contains("2 messages"), "{arrived:?}");
    let held = rig.notices().await.into_iter().find(|notice| notice.kind == NoticeKind::Held).unwrap();
    let bytes = rig.write(move |conn| notices::bytes(conn, held.id)).await;
    let mail = String::from_utf8_lossy(&bytes).into_owned();
    let (phone, tablet) = (mail.find("phone: "), mail.find("tablet: "));
    assert!(phone.is_some() && phone < tablet, "{mail}");
    // Alone it goes as it is.
    rig.tell("tablet", "2", dead()).await;
    rig.pass(Secs::minutes(15)).await;
    let arrived = rig.arrived();
    assert!(arrived.len() == 1 && arrived[0].2.starts_with("tablet"), "{arrived:?}");
}

#[tokio::test]
async fn texts_keep_to_their_limits_and_what_waits_goes_as_one() {
    let machine = "currency = \"USD\"\n[operator.try]\nkind = \"sandbox\"\n\
        [channel.sms]\nkind = \"gateway\"\nurl = \"https://sms.example.net/\"\nquery = { to = \"{to}\", text = \"{text}\" }\n\
        price = \"0.08 USD\"\nper_hour = 1\nper_day = 4\n[channel.push]\nkind = \"ntfy\"\n\
        [person.anna]\nsms = \"+16135550199\"\nescalate = { to = \"ben\" }\n[person.ben]\npush = \"ben\"\n";
    let cards = ["a", "b", "c", "d", "e"];
    let card = |name: &&str| {
        format!(
            "[card.{name}]\noperator = \"try\"\nmsisdn = \"+1613555012{}\"\nnotify = [\"anna\"]\n",
            name.len() + usize::from(name.as_bytes()[0] - b'a')
        )
    };
    let rig = Rig::with(machine, &cards.iter().map(card).collect::<String>()).await;
    for name in cards {
        rig.tell(name, "1", dead()).await;
    }
    assert_eq!(rig.arrived().len(), 1, "one an hour");
    rig.tell("a", "2", failed()).await;
    assert_eq!(rig.arrived().len(), 1, "what is urgent passes that");
    rig.pass(Secs::HOUR).await;
    rig.pass(Secs::minutes(10)).await;
    let arrived = rig.arrived();
    assert!(arrived.len() == 1 && arrived[0].2.contains("4 messages waited"), "{arrived:?}");
    for (step, expected) in [("3", "sms"), ("4", "push"), ("5", "push")] {
        rig.tell("b", step, failed()).await;
        assert_eq!(ways(&rig.reached()), [expected], "nothing passes the day, and what cannot wait goes another way");
    }
    rig.pass(Secs::hours(1)).await;
    assert_eq!(rig.arrived(), [], "once");
    rig.pass(Secs::hours(24)).await;
    assert!(rig.reached().iter().all(|(channel, _)| channel == "sms"), "the day is over");
    let notices = rig.notices().await;
    let texts = notices.iter().filter(|notice| notice.channel.as_str() == "sms");
    let costs: Vec<_> = texts.map(|notice| (notice.segments, notice.cost)).collect();
    let price = crate::domain::money::Money::parse("0.08 USD").unwrap();
    assert!(!costs.is_empty() && costs.iter().all(|cost| *cost == (Some(1), Some(price))), "{costs:?}");
}

#[tokio::test]
async fn an_owner_a_payer_and_a_watcher_hear_each_what_is_theirs_and_a_watcher_is_never_asked() {
    let person = |name: &str, wish: &str| format!("[person.{name}]\nmail = \"{name}@example.net\"\n{wish}");
    let people = [
        person("anna", ""),
        person("ben", ""),
        person("cleo", "severity = { asked = \"urgent\" }\n"),
        person("dora", ""),
    ];
    let machine = format!(
        "currency = \"USD\"\n[operator.try]\nkind = \"sandbox\"\n[channel.mail]\nkind = \"maildir\"\n{}",
        people.concat()
    );
    let card = "[card.tablet]\noperator = \"try\"\nmsisdn = \"+16135550100\"\nowner = \"anna\"\npayer = \"ben\"\nwatchers = [\"cleo\"]\n";
    let rig = Rig::with(&machine, card).await;
    let asked = crate::notify::preview(NoticeKind::Asked).remove(0).event;
    for (event, expected) in
        [(paused(), "anna cleo"), (failed(), "anna ben"), (dead(), "anna cleo"), (asked, "anna ben")]
    {
        rig.tell("tablet", "1", event).await;
        let mut reached: Vec<String> = rig.reached().into_iter().map(|(_, address)| address).collect();
        reached.sort();
        assert_eq!(reached.join(" ").replace("@example.net", ""), expected);
    }
}

#[tokio::test]
async fn a_push_message_is_as_loud_as_it_matters_to_its_person() {
    for (severity, urgent) in [("", false), ("severity = { due_soon = \"urgent\" }\n", true)] {
        let person = format!("[person.anna]\npush = \"anna\"\n{severity}");
        let rig = Rig::of(&person, &["tablet"]).await;
        rig.tell("tablet", "1", dead()).await;
        let bytes = rig.write(|conn| {
            let all = notices::list(conn, None, None, 9)?;
            notices::bytes(conn, all[0].id)
        });
        let push: serde_json::Value = serde_json::from_slice(&bytes.await).unwrap();
        assert_eq!(push["urgent"], urgent, "{push}");
    }
}
