//! `notice list`, `show`, `retry`, `acknowledge` and `test`: the queue of messages as a person sees it.

use std::time::Duration;

use serde_json::json;

use super::client::{Hands, Rounds, block_on, misplaced};
use super::exit::{Exit, Stop};
use super::output::{minute, relative, table};
use super::view::View;
use super::{Context, client};
use crate::daemon::request::{Reply, Request};
use crate::domain::notice::NoticeId;
use crate::domain::receipt::Fate;
use crate::domain::time::UnixTime;
use crate::store::Store;
use crate::store::notices::{self, Notice, NoticeState};

/// How long `test` and `retry` watch their message.
const WATCHED: Duration = Duration::from_secs(60);
/// How often they look.
const LOOKED_EVERY: Duration = Duration::from_millis(100);

/// Lists messages, newest first.
pub(super) fn list(context: &Context, limit: u32) -> anyhow::Result<Exit> {
    let view = View::open(context)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let found = view.store.read_blocking(|conn| notices::list(conn, None, None, limit))?;
    if context.output.json {
        context.output.document(json!({ "notices": found }))?;
        return Ok(Exit::Done);
    }
    if found.is_empty() {
        context.output.say("no message yet")?;
        return Ok(Exit::Done);
    }
    let rows = found.iter().map(|notice| {
        vec![
            notice.id.0.to_string(),
            notice.kind.as_str().to_owned(),
            notice.person.to_string(),
            notice.channel.to_string(),
            state(notice).to_owned() + &tried(notice),
            relative(notice.since(), view.now),
            notice.subject.clone(),
            cost(notice),
            answer(notice).unwrap_or_default().to_owned(),
        ]
    });
    let headings = ["ID", "KIND", "PERSON", "CHANNEL", "STATE", "SINCE", "SUBJECT", "COST", "ANSWER"];
    context.output.say(&table(&headings, rows.collect()))?;
    Ok(Exit::Done)
}

/// What a text costs; its parts, where the file does not say.
fn cost(notice: &Notice) -> String {
    match (notice.cost, notice.segments) {
        (Some(cost), _) => cost.to_string(),
        (None, Some(1)) => "1 part".to_owned(),
        (None, Some(parts)) => format!("{parts} parts"),
        (None, None) => String::new(),
    }
}

/// What the other side called it, or why it does not arrive.
fn answer(notice: &Notice) -> Option<&str> {
    let (remote, why) = (notice.remote.as_deref(), notice.why.as_deref());
    match notice.receipt {
        Some(Fate::Failed | Fate::Expired) => why.or(remote),
        Some(Fate::Delivered) | None => remote.or(why),
    }
}

const fn state(notice: &Notice) -> &'static str {
    match (notice.state, notice.receipt) {
        (_, Some(Fate::Delivered)) => "delivered",
        (_, Some(Fate::Failed)) => "sent, not delivered",
        (_, Some(Fate::Expired)) => "sent, expired on its way",
        (NoticeState::Dead, None) => "given up",
        (state @ (NoticeState::Queued | NoticeState::Claimed | NoticeState::Sent | NoticeState::Expired), None) => {
            state.as_str()
        }
    }
}

fn tried(notice: &Notice) -> String {
    match notice.state {
        NoticeState::Queued if notice.attempts > 0 => format!(", tried {} times", notice.attempts),
        NoticeState::Queued | NoticeState::Claimed | NoticeState::Sent | NoticeState::Dead | NoticeState::Expired => {
            String::new()
        }
    }
}

/// Shows all that is known of one message but its text, which may hold a code.
pub(super) fn show(context: &Context, id: i64) -> anyhow::Result<Exit> {
    let view = View::open(context)?;
    let found = view.store.read_blocking(move |conn| notices::by_id(conn, NoticeId(id)))?;
    let Some(notice) = found else { return Err(Stop::not_found(format!("there is no message {id}"))) };
    if context.output.json {
        context.output.document(json!({ "notice": notice }))?;
        return Ok(Exit::Done);
    }
    let at = |time: UnixTime| format!("{} UTC ({})", minute(time), relative(time, view.now));
    let line = |name: &str, value: String| format!("{name:<20}{value}");
    let mut lines = vec![
        line("message", format!("{} ({})", notice.id.0, notice.kind.as_str())),
        line("subject", notice.subject.clone()),
        line("to", format!("{} over {}, {}", notice.person, notice.channel, notice.address)),
        line("made", at(notice.created_at)),
        line("state", format!("{}{}", state(&notice), tried(&notice))),
        line("since", at(notice.since())),
    ];
    lines.extend(notice.settled_at.filter(|_| notice.receipt.is_some()).map(|time| line("sent", at(time))));
    lines.extend(notice.next_at.map(|time| line("next try", at(time))));
    lines.extend(notice.next_at.map(|_| line("worth sending until", at(notice.expires_at))));
    lines.extend(notice.remote.clone().map(|remote| line("answer", remote)));
    lines.extend(notice.why.clone().map(|why| line("last failure", why)));
    lines.extend(notice.segments.map(|_| line("cost", cost(&notice))));
    lines.push(line("id", notice.message_id.clone()));
    context.output.say(&lines.join("\n"))?;
    Ok(Exit::Done)
}

/// Tries a message again now, and says what became of it.
pub(super) fn retry(context: &Context, id: i64) -> anyhow::Result<Exit> {
    send(context, Request::RetryNotice { id })
}

/// Takes in hand what is told, so that nobody is told again.
pub(super) fn acknowledge(context: &Context, id: Option<i64>, card: Option<String>) -> anyhow::Result<Exit> {
    let said = client::ask_once(context, Request::Acknowledge { id, card })?;
    context.output.done(&said, json!({}))?;
    Ok(Exit::Done)
}

/// Sends a trial message and says what the other side answered.
pub(super) fn test(context: &Context, person: String) -> anyhow::Result<Exit> {
    send(context, Request::TestNotice { person })
}

fn send(context: &Context, request: Request) -> anyhow::Result<Exit> {
    let settled = block_on(async {
        let hands = Hands::find(context, Rounds::Needed).await?;
        let settled = watch(context, &hands, request).await;
        hands.close().await?;
        settled
    })?;
    report(context, &settled)
}

async fn watch(context: &Context, hands: &Hands, request: Request) -> anyhow::Result<Vec<Notice>> {
    let ids = match hands.ask(context, request).await? {
        Reply::Done { notices, .. } => notices,
        reply @ (Reply::Preview { .. } | Reply::Discovered(_) | Reply::Copied { .. } | Reply::Refused { .. }) => {
            return Err(misplaced(&reply));
        }
    };
    let store = Store::open_read_only(&context.places.state)?;
    let mut waited = Duration::ZERO;
    loop {
        let wanted = ids.clone();
        let found = store
            .read(move |conn| {
                let found = wanted.iter().map(|id| notices::by_id(conn, NoticeId(*id)));
                Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect::<Vec<Notice>>())
            })
            .await?;
        // A first try that failed is told at once; the queue goes on trying by itself.
        let open = |notice: &Notice| match notice.state {
            NoticeState::Queued => notice.attempts == 0,
            NoticeState::Claimed => true,
            NoticeState::Sent | NoticeState::Dead | NoticeState::Expired => false,
        };
        if waited >= WATCHED || !found.iter().any(open) {
            return Ok(found);
        }
        tokio::time::sleep(LOOKED_EVERY).await;
        waited += LOOKED_EVERY;
    }
}

fn report(context: &Context, found: &[Notice]) -> anyhow::Result<Exit> {
    if found.is_empty() {
        return Err(Stop::not_found("no message was queued"));
    }
    if context.output.json {
        context.output.document(json!({ "notices": found }))?;
    }
    let sent = found.iter().filter(|notice| notice.state == NoticeState::Sent).count();
    for notice in found.iter().filter(|_| !context.output.json) {
        let answer = answer(notice).unwrap_or("no answer yet");
        let (person, channel, state) = (&notice.person, &notice.channel, state(notice).to_owned() + &tried(notice));
        context.output.say(&format!("{} to {person} over {channel}: {state}: {answer}", notice.id.0))?;
    }
    Ok(match sent {
        0 => Exit::Failed,
        all if all == found.len() => Exit::Done,
        _ => Exit::Partly,
    })
}
