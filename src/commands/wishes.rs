//! `pause`, `resume`, `silence` and `skip`: what people wish for a card, without touching a file.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use super::cli::{PauseArgs, SilenceArgs, SkipArgs};
use super::exit::{Exit, Stop};
use super::view::View;
use super::{Context, client};
use crate::daemon::request::Request;
use crate::domain::time::{Secs, UnixTime, day_start};

/// Pauses a card.
pub(super) fn pause(context: &Context, args: PauseArgs) -> anyhow::Result<Exit> {
    let until = match &args.until {
        Some(text) => Some(instant(text, &zone_of(context, &args.card), context.clock.now())?.to_string()),
        None => None,
    };
    ask(context, Request::Pause { card: args.card, until })
}

/// Ends a pause, a skip, or the wait after a restore.
pub(super) fn resume(context: &Context, card: String) -> anyhow::Result<Exit> {
    ask(context, Request::Resume { card })
}

/// Begins or ends a silence about a card.
pub(super) fn silence(context: &Context, args: SilenceArgs) -> anyhow::Result<Exit> {
    let SilenceArgs { card, until, all, .. } = args;
    let until = match &until {
        Some(text) => Some(instant(text, &zone_of(context, &card), context.clock.now())?.to_string()),
        None => None,
    };
    ask(context, Request::Silence { card, until, urgent: all })
}

/// Leaves the next renewal out, or pauses after it.
pub(super) fn skip(context: &Context, args: SkipArgs) -> anyhow::Result<Exit> {
    ask(context, Request::Skip { card: args.card, after_next: args.after_next })
}

fn ask(context: &Context, request: Request) -> anyhow::Result<Exit> {
    let said = client::ask_once(context, request)?;
    context.output.done(&said, json!({}))?;
    Ok(Exit::Done)
}

/// The card's zone, as far as it is known here; the daemon says so if there is no such card.
fn zone_of(context: &Context, card: &str) -> TimeZone {
    let known = View::open(context).ok().and_then(|view| view.card(card).ok());
    known.map_or(TimeZone::UTC, |card| card.zone)
}

/// What a person writes for an instant in the future: a length, a day of the card's zone, or RFC 3339.
fn instant(text: &str, zone: &TimeZone, now: UnixTime) -> anyhow::Result<UnixTime> {
    if let Ok(length) = Secs::parse(text) {
        return Ok(now.plus(length));
    }
    if let Ok(day) = text.parse::<Date>()
        && text.len() == 10
    {
        return Ok(day_start(day, zone));
    }
    UnixTime::parse(text).map_err(|_| {
        Stop::command_line(format!(
            "`{text}` is no time; write a length such as 7d, a day such as 2026-12-24, or 2026-12-24T18:00:00Z"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_lengths_days_and_instants() {
        let now = UnixTime::parse("2026-12-01T12:00:00Z").unwrap();
        let toronto = TimeZone::get("America/Toronto").unwrap();
        for (text, expected) in [
            ("7d", "2026-12-08T12:00:00Z"),
            ("2026-12-24", "2026-12-24T05:00:00Z"),
            ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"),
            ("2026-12-24T18:00:00+01:00", "2026-12-24T17:00:00Z"),
        ] {
            assert_eq!(instant(text, &toronto, now).unwrap().to_string(), expected, "{text}");
        }
        for wrong in ["", "soon", "24.12.2026", "2026-13-01", "7"] {
            assert!(instant(wrong, &toronto, now).is_err(), "{wrong}");
        }
    }
}
