//! The demo's story: its files, its cards, what goes wrong on which day, and what its owner does about it.

use std::sync::Arc;
use std::time::Duration;

use super::timeline::{self, Teller};
use crate::daemon::Daemon;
use crate::daemon::people;
use crate::daemon::request::{Asked, Request};
use crate::domain::attempt::{Approval, Attempt};
use crate::domain::money::{Currency, Money};
use crate::domain::time::{Secs, UnixTime};
use crate::sandbox::{Call, CardKind, Fault, FaultKind, NewCard, Sandbox};
use crate::store::attempts;

/// What is said before it begins.
pub(super) const INTRODUCTION: &str = "\
Thirty days with four prepaid cards, told in about half a minute. Everything is real but the operator's money:
the daemon, HTTP on this machine, the SQLite record, the mails.

  canada   a travel eSIM that uses 150 MB a day; renews when less than 500 MB are left
  router   a camera's SIM; renews 36 hours before its plan ends. The operator's answer to its order will be lost
  mum      a phone number worth keeping; gets 10 dollars of credit before the number is taken back
  japan    a trip that ends on 14 December; nothing is bought that would mostly outlast it
";

/// `rules.toml` of the story.
pub(super) const RULES_FILE: &str = r#"# The rules of the demo. Try your own: change a rule, then `simkeeper --config … check`.
[card.canada]
operator = "demo"
iccid = "8901260862291234565"
zone = "America/Toronto"
notify = ["anna"]
rule = "low-data"

[card.router]
operator = "demo"
iccid = "8901260862291230001"
zone = "Europe/London"
notify = ["bo"]
rule = "before-it-ends"

[card.mum]
operator = "demo"
iccid = "8944501312167518236"
msisdn = "+447700900123"
zone = "Europe/London"
notify = ["anna"]
rule = "keep-number"

[card.japan]
operator = "demo"
iccid = "8981100022152967705"
zone = "Asia/Tokyo"
notify = ["anna"]
rule = "trip"

[rule.low-data]
mode = "auto"
renew_when = { data_below = "500 MB" }
buy = ["data-1gb-7d"]
limits = { per_renewal = "6 USD", per_month = "40 USD", renewals_per_day = 1 }

[rule.before-it-ends]
mode = "auto"
renew_when = { plan_ends_within = "36h" }
buy = ["same", "data-3gb-30d"]
limits = { per_month = "30 USD" }
hours = "01:00-06:00"

[rule.keep-number]
mode = "auto"
renew_when = { number_ends_within = "14d" }
buy = [{ credit = "10 USD" }]
limits = { per_month = "20 USD" }

[rule.trip]
mode = "auto"
renew_when = { data_below = "400 MB", plan_ends_within = "36h" }
buy = [{ cheapest = { data = "1 GB", validity = "5d" } }]
from = 2026-12-01
until = 2026-12-14
limits = { per_renewal = "15 USD", per_month = "40 USD" }
"#;

/// `simkeeper.toml` of the story.
pub(super) fn machine_file(base_url: &str) -> String {
    format!(
        r#"language = "en"
currency = "USD"

[operator.demo]
kind = "sandbox"
base_url = "{base_url}"
time_limit = "1s"
support = "support@operator.example"

[channel.mail]
kind = "maildir"
from = "simkeeper <keeper@example.net>"

[person.anna]
mail = "anna@example.net"
language = "en"
zone = "America/Toronto"

[person.bo]
mail = "bo@example.net"
language = "zh-CN"
zone = "Asia/Shanghai"

[schedule]
poll = "3h"
"#
    )
}

/// The day on which the operator raises its price.
const PRICE_RISES_AFTER: Secs = Secs::days(13);
/// How often what happened is told.
const TOLD_EVERY: Secs = Secs::hours(12);
/// How long Anna takes to answer.
const ANNA_TAKES: Secs = Secs::hours(9);

/// Puts the cards on sale's other side, and the fault in its place.
pub(super) fn set(sandbox: &Sandbox, begins: UnixTime) -> anyhow::Result<()> {
    let megabytes = |count: u64| count * 1_000_000;
    sandbox.add_card(NewCard {
        data_per_day: megabytes(150),
        plan: Some("data-1gb-7d".into()),
        ..NewCard::new("8901260862291234565")
    })?;
    sandbox.add_card(NewCard {
        data_per_day: megabytes(40),
        plan: Some("data-3gb-30d".into()),
        plan_ends: Some(begins.plus(Secs::days(6))),
        ..NewCard::new("8901260862291230001")
    })?;
    sandbox.add_card(NewCard {
        kind: CardKind::Phone,
        msisdn: Some("447700900123".into()),
        credit: Some(Money::new(23_000, Currency::USD)),
        number_ends: Some(begins.plus(Secs::days(22))),
        ..NewCard::new("8944501312167518236")
    })?;
    sandbox.add_card(NewCard {
        data_per_day: megabytes(180),
        plan: Some("data-1gb-7d".into()),
        ..NewCard::new("8981100022152967705")
    })?;
    // The operator takes the order and never answers: the worst that can happen to a purchase.
    sandbox.fault(Fault::on("8901260862291230001", Call::Buy, FaultKind::Hang { accepted: true }).times(1))?;
    Ok(())
}

/// Lets the days pass: the price rises, and Anna answers when she is asked.
pub(super) async fn tell(
    daemon: &Arc<Daemon>,
    sandbox: &Sandbox,
    teller: &mut Teller,
    begins: UnixTime,
    ends: UnixTime,
) -> anyhow::Result<()> {
    let mut risen = false;
    let mut told_to = begins;
    while daemon.clock.now() < ends && !daemon.stop.is_cancelled() {
        // The story is driven from outside, as the world drives a daemon; it looks in a hundred times a second.
        tokio::time::sleep(Duration::from_millis(10)).await;
        let now = daemon.clock.now();
        if !risen && now >= begins.plus(PRICE_RISES_AFTER) {
            sandbox.set_price("data-1gb-7d", Money::new(54_000, Currency::USD))?;
            risen = true;
        }
        if now.since(told_to) >= TOLD_EVERY {
            told_to = now;
            teller.tell_new(daemon.store.read(timeline::collect).await?.0)?;
        }
        for attempt in daemon.store.read(attempts::open).await? {
            if asked_long_ago(&attempt, now) {
                let asked = Asked { by: "anna".into(), request: Request::Approve { id: attempt.id.0 } };
                people::carry_out(daemon, asked).await;
            }
        }
    }
    Ok(())
}

fn asked_long_ago(attempt: &Attempt, now: UnixTime) -> bool {
    matches!(attempt.approval, Approval::Asked { at, .. } if now.since(at) >= ANNA_TAKES)
}
