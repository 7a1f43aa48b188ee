//! `history`: readings, orders with their evidence, and what people did.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Context;
use super::cli::HistoryArgs;
use super::exit::{Exit, Stop};
use super::output::{minute, table};
use super::status::{heading, left};
use super::view::View;
use crate::domain::attempt::{Attempt, AttemptId, AttemptState};
use crate::domain::card::{Card, CardId};
use crate::domain::reading::Reading;
use crate::domain::time::{Secs, UnixTime, day_start};
use crate::store::attempts::{AttemptEvent, AttemptFilter};
use crate::store::decisions::Decision;
use crate::store::people::HumanAction;
use crate::store::{StoreError, attempts, cards, decisions, people, readings};

/// How far back is shown if nothing is said.
const USUAL: Secs = Secs::days(30);
/// Attempts, decisions and acts that are shown at most.
const SHOWN_MAX: usize = 10_000;

/// What was read and done since a day.
struct Past {
    readings: Vec<Reading>,
    attempts: Vec<(Attempt, Option<Card>, Vec<AttemptEvent>)>,
    decisions: Vec<Decision>,
    acts: Vec<HumanAction>,
}

/// Shows the past of one card, or of all.
pub(super) fn history(context: &Context, args: &HistoryArgs) -> anyhow::Result<Exit> {
    let view = View::open(context)?;
    let card = args.card.as_deref().map(|name| view.card(name)).transpose()?;
    let zone = card.as_ref().map_or(TimeZone::UTC, |card| card.zone.clone());
    let since = match &args.since {
        Some(text) => day(text, &zone)?,
        None => view.now.minus(USUAL),
    };
    let id = card.as_ref().map(|card| card.id);
    let past = view.store.read_blocking(|conn| Past::load(conn, id, since, view.now))?;
    if context.output.json {
        context.output.document(past.document(card.as_ref(), since))?;
        return Ok(Exit::Done);
    }
    for line in past.lines(card.as_ref()) {
        context.output.say(&line)?;
    }
    Ok(Exit::Done)
}

/// Reads a day, as it begins in `zone`, or an instant.
pub(super) fn day(text: &str, zone: &TimeZone) -> anyhow::Result<UnixTime> {
    if let Ok(day) = text.parse::<Date>()
        && text.len() == 10
    {
        return Ok(day_start(day, zone));
    }
    UnixTime::parse(text).map_err(|_| {
        Stop::command_line(format!("`{text}` is no day such as 2026-12-01 or time such as 2026-12-01T08:00:00Z"))
    })
}

impl Past {
    fn load(
        conn: &crate::store::Connection,
        card: Option<CardId>,
        since: UnixTime,
        now: UnixTime,
    ) -> Result<Self, StoreError> {
        let filter = AttemptFilter { card, open_only: false, since, limit: SHOWN_MAX };
        let mut told = Vec::new();
        for attempt in attempts::list(conn, &filter)?.into_iter().rev() {
            let (owner, events) = (cards::by_id(conn, attempt.card)?, attempts::events(conn, attempt.id)?);
            told.push((attempt, owner, events));
        }
        let mut acts = people::list(conn, card, SHOWN_MAX)?;
        acts.retain(|act| act.at >= since);
        acts.reverse();
        let (readings, mut decisions) = match card {
            Some(card) => (
                readings::history(conn, card, since, now.plus(Secs(1)))?,
                decisions::list(conn, card, since, SHOWN_MAX)?,
            ),
            None => (Vec::new(), Vec::new()),
        };
        decisions.reverse();
        Ok(Self { readings, attempts: told, decisions, acts })
    }

    fn lines(&self, card: Option<&Card>) -> Vec<String> {
        let mut lines: Vec<String> = card.map(heading).into_iter().collect();
        if !self.readings.is_empty() {
            let rows = a_day_each(&self.readings).into_iter().map(reading_row).collect();
            lines.push(format!("\nReadings, the last of each day ({} in all):", self.readings.len()));
            lines.push(table(&["READ (UTC)", "LEFT", "PLAN ENDS", "CREDIT ENDS", "NUMBER ENDS"], rows));
        }
        if !self.decisions.is_empty() {
            let rows =
                self.decisions.iter().map(|decision| vec![minute(decision.at), decision.verdict.clone()]).collect();
            lines.push("\nDecisions:".to_owned());
            lines.push(table(&["SINCE (UTC)", "VERDICT"], rows));
        }
        lines.push("\nOrders:".to_owned());
        if self.attempts.is_empty() {
            lines.push("none".to_owned());
        }
        for (attempt, owner, events) in &self.attempts {
            lines.push(attempt_line(attempt, owner.as_ref(), card.is_none()));
            lines.extend(
                events.iter().map(|event| format!("    {}  {:4} {}", minute(event.at), event.transition, event.what)),
            );
        }
        if !self.acts.is_empty() {
            lines.push("\nPeople:".to_owned());
            lines.extend(self.acts.iter().map(act_line));
        }
        lines
    }

    fn document(&self, card: Option<&Card>, since: UnixTime) -> Value {
        let attempts: Vec<Value> = self
            .attempts
            .iter()
            .map(|(attempt, owner, events)| {
                json!({
                    "card": owner.as_ref().map(|card| &card.name), "attempt": attempt,
                    "events": events.iter().map(event_document).collect::<Vec<_>>(),
                })
            })
            .collect();
        let acts: Vec<Value> = self
            .acts
            .iter()
            .map(|act| {
                json!({
                    "at": act.at, "by": act.by, "what": act.what, "card": act.card,
                    "attempt": act.attempt, "reason": act.reason,
                })
            })
            .collect();
        let decisions: Vec<Value> = self
            .decisions
            .iter()
            .map(|decision| json!({ "at": decision.at, "verdict": decision.verdict, "reasons": decision.reasons }))
            .collect();
        json!({
            "card": card, "since": since, "readings": self.readings, "decisions": decisions,
            "attempts": attempts, "people": acts,
        })
    }
}

/// One move of an attempt.
pub(super) fn event_document(event: &AttemptEvent) -> Value {
    json!({
        "at": event.at, "transition": event.transition, "from": event.from, "to": event.to,
        "what": event.what, "digest": event.digest,
    })
}

/// The last reading of each day, in UTC.
fn a_day_each(readings: &[Reading]) -> Vec<&Reading> {
    let day = |reading: &Reading| reading.read_at.secs() / Secs::DAY.0;
    let ends = readings
        .iter()
        .enumerate()
        .filter(|(at, reading)| readings.get(at + 1).is_none_or(|next| day(next) != day(reading)));
    ends.map(|(_, reading)| reading).collect()
}

fn reading_row(reading: &Reading) -> Vec<String> {
    let end = |end: Option<crate::domain::time::End>| end.map_or_else(|| "-".to_owned(), |end| minute(end.at));
    vec![
        minute(reading.read_at),
        left(reading),
        end(reading.plan_ends),
        end(reading.credit_ends),
        end(reading.number_ends),
    ]
}

fn attempt_line(attempt: &Attempt, owner: Option<&Card>, with_card: bool) -> String {
    let AttemptId(id) = attempt.id;
    let owner = owner.filter(|_| with_card).map_or_else(String::new, |card| format!("{}: ", card.name));
    let order = attempt.state.order_id().map_or_else(String::new, |order| format!(", order {order}"));
    let more = match &attempt.state {
        AttemptState::Done { charged: Some(charged), .. } => format!(", charged {charged}"),
        AttemptState::Refused { refusal, .. } => format!(": {} ({} {})", refusal.kind, refusal.code, refusal.text),
        AttemptState::Unknown { doubt, .. } => format!(": {doubt}"),
        AttemptState::Human { question, .. } => format!(": {question}"),
        AttemptState::Abandoned { why, .. } => format!(": {}", given_up(why)),
        AttemptState::Reversed { why, .. } => format!(": {why}"),
        AttemptState::Planned { .. }
        | AttemptState::Sending { .. }
        | AttemptState::Pending { .. }
        | AttemptState::Accepted { .. }
        | AttemptState::Done { .. }
        | AttemptState::Absent { .. } => String::new(),
    };
    let (name, price, state) = (&attempt.plan.name, attempt.plan.price, attempt.state.name().as_str());
    format!(
        "{id}  {}  {owner}{name} for {price} at {} by {}: {state}{order}{more}",
        minute(attempt.created_at),
        attempt.account,
        attempt.payment
    )
}

pub(super) fn given_up(why: &crate::domain::attempt::GivenUp) -> String {
    use crate::domain::attempt::GivenUp;
    match why {
        GivenUp::Gate(reason) => reason.clone(),
        GivenUp::Person { by, reason } => format!("{by} said: {reason}"),
        GivenUp::NotNeeded => "it was not needed any more".to_owned(),
    }
}

fn act_line(act: &HumanAction) -> String {
    let attempt = act.attempt.map_or_else(String::new, |attempt| format!(" {}", attempt.0));
    let reason = act.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{}  {} {}{attempt}{reason}", minute(act.at), act.by, act.what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reading::CardState;

    #[test]
    fn the_last_of_each_day_is_shown() {
        let at = |text: &str| Reading::empty(UnixTime::parse(text).unwrap(), CardState::Active);
        let all = [at("2026-12-01T00:00:00Z"), at("2026-12-01T23:59:59Z"), at("2026-12-02T00:00:00Z")];
        let shown: Vec<String> = a_day_each(&all).iter().map(|reading| reading.read_at.to_string()).collect();
        assert_eq!(shown, ["2026-12-01T23:59:59Z", "2026-12-02T00:00:00Z"]);
        assert!(a_day_each(&[]).is_empty());
    }
}
