//! Digests come once for each of their days, over restarts, outages and wrong clocks, and tell people of their cards only.

use super::digest_round;
use super::rig::{Arrived, Rig, named};
use crate::domain::money::Money;
use crate::domain::plan::{Catalogue, Contents, Plan};
use crate::domain::reading::{CardState, Reading};
use crate::domain::time::{End, Secs, UnixTime};
use crate::store::notices::NoticeState;
use crate::store::polls::{self, PollUpdate, Seen};
use crate::store::{Connection, StoreError, catalogues};

impl Rig {
    /// Time passes, and what is wanted then is made and delivered.
    async fn digests_after(&self, length: Secs) -> Vec<Arrived> {
        self.daemon.clock.tell(self.daemon.clock.now().plus(length));
        for _ in 0..2 {
            digest_round::start_due(&self.daemon, UnixTime::MIN, self.daemon.clock.now()).await.unwrap();
            self.daemon.work.rest().await;
        }
        self.deliver().await;
        self.arrived()
    }
}

fn anna(wish: &str) -> String {
    format!("[person.anna]\nmail = \"anna@example.net\"\nzone = \"UTC\"\ndigest = {wish}\n")
}

#[tokio::test]
async fn a_digest_comes_at_its_hour_and_once_whatever_happens() {
    let rig = Rig::of(&anna("\"daily 08:00\""), &["tablet", "phone"]).await;
    assert_eq!(rig.digests_after(Secs::ZERO).await.len(), 0, "it is wanted from now on");
    assert_eq!(rig.digests_after(Secs(20 * 3_600 - 1)).await.len(), 0);
    let first = rig.digests_after(Secs(1)).await;
    assert!(first.len() == 1 && first[0].2 == "simkeeper: 2 of 2 cards need you", "{first:?}");
    assert_eq!(rig.digests_after(Secs::hours(1)).await.len(), 0);
    let rig = rig.again_after(Secs::minutes(1)).await;
    assert_eq!(rig.digests_after(Secs::ZERO).await.len(), 0, "a restart repeats nothing");
    assert_eq!(rig.digests_after(Secs::hours(-3)).await.len(), 0);
    assert_eq!(
        rig.digests_after(Secs::hours(3)).await.len(),
        0,
        "the same hour once more, after the clock was set back"
    );
    let rig = rig.again_after(Secs::days(16)).await;
    assert_eq!(rig.digests_after(Secs::ZERO).await.len(), 1, "what was missed comes once");
    // A clock that was a year ahead for a while.
    assert_eq!(rig.digests_after(Secs::days(365)).await.len(), 1);
    assert_eq!(rig.digests_after(Secs::days(-365)).await.len(), 0);
    assert_eq!(rig.digests_after(Secs::days(1)).await.len(), 1);
    let made = rig.notices().await.into_iter().filter(|notice| notice.state == NoticeState::Sent).count();
    assert_eq!(made, 4);
}

#[tokio::test]
async fn after_a_start_the_cards_are_read_before_they_are_told_of() {
    let rig = Rig::of(&anna("\"daily 08:00\""), &["tablet"]).await;
    rig.digests_after(Secs::ZERO).await;
    let rig = rig.again_after(Secs::days(2)).await;
    let (now, later) = (rig.daemon.clock.now(), rig.daemon.clock.now().plus(Secs::minutes(15)));
    assert_eq!(digest_round::start_due(&rig.daemon, later, now).await.unwrap(), Some(later));
    rig.daemon.work.rest().await;
    rig.deliver().await;
    assert_eq!(rig.arrived().len(), 0);
    assert_eq!(rig.digests_after(Secs::minutes(15)).await.len(), 1);
}

#[tokio::test]
async fn of_several_that_are_due_the_longest_speaks_and_who_wants_none_gets_none() {
    let people = format!(
        "{}[person.ben]\nmail = \"ben@example.net\"\ndigest = \"never\"\n[person.cleo]\nmail = \"cleo@example.net\"\n\
         [schedule]\ndigest = \"Mon 08:00\"\n",
        anna("[\"daily 08:00\", \"Mon 08:00\"]")
    );
    let rig = Rig::of(&people, &["tablet"]).await;
    assert_eq!(rig.digests_after(Secs::ZERO).await.len(), 0);
    // The next Monday, after six days without power.
    let monday = rig.digests_after(Secs::days(6)).await;
    assert_eq!(monday.len(), 1, "cleo is told of no card: {monday:?}");
    assert_eq!(monday[0].1, "anna@example.net");
    let step =
        rig.write(|conn| Ok(conn.query_row("SELECT step FROM notice", [], |row| row.get::<_, String>(0)).unwrap()));
    assert_eq!(step.await, "weekly:2026-12-07");
    assert_eq!(rig.digests_after(Secs::days(1)).await.len(), 1, "the daily one again");
}

#[tokio::test]
async fn it_goes_over_the_ways_for_news_and_a_text_is_one_part() {
    let both = "[person.anna]\nmail = \"anna@example.net\"\nsms = \"+16135550123\"\ndigest = \"daily 13:00\"\n";
    let rig = Rig::of(both, &["tablet"]).await;
    rig.digests_after(Secs::ZERO).await;
    let reached: Vec<String> = rig.digests_after(Secs::hours(1)).await.into_iter().map(|(way, ..)| way).collect();
    assert_eq!(reached, ["mail"]);
    let rig = Rig::of("[person.anna]\nsms = \"+16135550123\"\ndigest = \"daily 13:00\"\n", &["tablet"]).await;
    rig.digests_after(Secs::ZERO).await;
    let texts = rig.digests_after(Secs::hours(1)).await;
    assert_eq!(texts[0].2, "simkeeper: 1 card, 1 needs you: tablet.");
}

/// A card whose plan ends so much later, and what can be bought for it.
fn ends_in(conn: &Connection, card: &str, length: Secs, now: UnixTime) -> Result<(), StoreError> {
    let card = named(conn, card)?.id;
    let reading = Reading { plan_ends: Some(End::at(now.plus(length))), ..Reading::empty(now, CardState::Active) };
    polls::save(conn, &[PollUpdate { card, seen: Seen::Good(reading), next_poll_at: now, cycle: 1 }])?;
    let plan = Plan {
        id: "month".into(),
        name: "month".into(),
        contents: Contents { data_bytes: Some(1_000_000_000), ..Contents::default() },
        validity_secs: Some(30 * 86_400),
        price: Money::parse("9 USD").unwrap(),
    };
    catalogues::save(conn, card, &Catalogue::of(now, vec![plan]))
}

#[tokio::test]
async fn what_a_cap_of_all_cards_has_no_room_for_is_no_purchase_to_come() {
    for (cap, fits) in [("[[limit]]\nper_month = \"10 USD\"\n", false), ("", true)] {
        let machine = format!(
            "currency = \"USD\"\n[operator.try]\nkind = \"sandbox\"\n[channel.mail]\nkind = \"maildir\"\n{}",
            anna("\"Mon 08:00\"")
        );
        let card = |name: &str, number| {
            format!("[card.{name}]\noperator = \"try\"\nmsisdn = \"+1613555010{number}\"\nrule = \"ends\"\n")
        };
        let rule = "[rule.ends]\nmode = \"auto\"\nrenew_when = { plan_ends_within = \"36h\" }\nbuy = [\"month\"]\n";
        let rules = format!("{}{}{rule}{cap}", card("tablet", 0), card("phone", 1));
        let rig = Rig::with(&machine, &rules).await;
        rig.digests_after(Secs::ZERO).await;
        let monday = rig.daemon.clock.now().plus(Secs::days(6));
        rig.write(move |conn| {
            ends_in(conn, "tablet", Secs::days(4), monday)?;
            ends_in(conn, "phone", Secs::days(5), monday)
        })
        .await;
        assert_eq!(rig.digests_after(Secs::days(6)).await.len(), 1);
        let told = rig.last_mail("anna").await;
        assert_eq!(told.contains("month for 9.00 USD does not fit under a limit"), !fits, "{told}");
        assert_eq!(told.contains("18.00 USD"), fits, "{told}");
    }
}
