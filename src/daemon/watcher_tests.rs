//! Who only watches a card is told of it, however that comes about, and gets nothing with which to buy.

use super::digest_round;
use super::live::Live;
use super::rig::{Rig, named};
use super::tell::{Telling, tell};
use crate::domain::attempt::{Approval, AskWhy, Cause};
use crate::domain::card::Name;
use crate::domain::money::Money;
use crate::domain::notice::{Ask, Event};
use crate::domain::plan::{Contents, Plan};
use crate::domain::time::{Secs, UnixTime};
use crate::store::attempts::{self, NewAttempt};
use crate::store::{Connection, StoreError};

/// Anna is asked and names those who hear of it when she does not react.
const PEOPLE: &str = "[approval]\n[person.anna]\nmail = \"anna@example.net\"\nescalate = { after = \"2h\", to = [\"ben\", \"cleo\"] }\n\
     [person.ben]\nmail = \"ben@example.net\"\ndigest = \"daily 08:00\"\n[person.cleo]\nmail = \"cleo@example.net\"\n";
const MACHINE: &str = "currency = \"USD\"\n[operator.try]\nkind = \"sandbox\"\n[channel.mail]\nkind = \"maildir\"\n";
const RULES: &str =
    "[card.tablet]\noperator = \"try\"\nmsisdn = \"+16135550100\"\nowner = \"anna\"\nwatchers = [\"ben\"]\n";

/// A purchase that waits for a yes, and the question about it.
fn ask(conn: &Connection, live: &Live, now: UnixTime) -> Result<(), StoreError> {
    let card = named(conn, "tablet")?;
    let plan = Plan {
        id: "1gb".into(),
        name: "1 GB".into(),
        contents: Contents { data_bytes: Some(1_000_000_000), ..Contents::default() },
        validity_secs: Some(7 * 86_400),
        price: Money::parse("4.50 USD").unwrap(),
    };
    let new = NewAttempt {
        card: card.id,
        cycle: 1,
        number: 1,
        account: Name::parse("try").unwrap(),
        cause: Cause::Person { by: "anna".into() },
        plan,
        reckoning: None,
        payment: "wallet".into(),
        code: None,
        created_at: now,
        approval: Approval::Asked { at: now, why: AskWhy::Mode },
        before: None,
        next_at: now,
    };
    let attempt = attempts::plan(conn, &new)?;
    let event = Event::Asked {
        attempt: attempt.id,
        plan: attempt.plan,
        reckoning: None,
        ask: Ask::Approve { why: AskWhy::Mode },
        unanswered: None,
        ends: None,
        reminders: 0,
        support: None,
    };
    let telling =
        Telling { card: Some(&card), cycle: 1, step: "attempt:1:approve:0".into(), attempt: Some(attempt.id), event };
    tell(conn, live, telling, now)
}

/// For whom there are codes.
async fn codes(rig: &Rig) -> Vec<String> {
    let read = |conn: &Connection| {
        let mut wanted = conn.prepare("SELECT person FROM approval_code ORDER BY id")?;
        Ok(wanted.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?)
    };
    rig.write(read).await
}

#[tokio::test]
async fn a_question_that_is_passed_on_to_a_watcher_brings_no_code() {
    let rig = Rig::with(&format!("{MACHINE}{PEOPLE}"), RULES).await;
    let (live, now) = (rig.daemon.live(), rig.daemon.clock.now());
    rig.write(move |conn| ask(conn, &live, now)).await;
    rig.deliver().await;
    assert_eq!(rig.reached(), [("mail".to_owned(), "anna@example.net".to_owned())]);
    rig.pass(Secs::hours(2)).await;
    let told = rig.last_mail("ben").await;
    assert!(told.contains("Please tell them") && !told.contains("simkeeper approve"), "{told}");
    assert_eq!(codes(&rig).await, ["anna"]);
    // Who is nothing to the card was named by its owner, and may answer.
    rig.pass(Secs::hours(2)).await;
    assert_eq!(codes(&rig).await, ["anna", "cleo"]);
}

#[tokio::test]
async fn a_watchers_digest_asks_nothing_of_them() {
    let rig = Rig::with(&format!("{MACHINE}{PEOPLE}"), RULES).await;
    for length in [Secs::ZERO, Secs::days(1)] {
        rig.daemon.clock.tell(rig.daemon.clock.now().plus(length));
        digest_round::start_due(&rig.daemon, UnixTime::MIN, rig.daemon.clock.now()).await.unwrap();
        rig.daemon.work.rest().await;
    }
    let told = rig.last_mail("ben").await;
    assert!(told.contains("nothing for you to do") && told.contains("for its owner or payer"), "{told}");
    assert!(!told.contains("simkeeper operator test"), "{told}");
}
