//! `rehearse`: the whole daemon over the coming weeks in fast time, on a copy of the record, with your own rules and your
//! own cards' use. Every account is the sandbox's and every channel ends on this machine, whatever the files say.

mod stage;
mod stand_in;
mod told;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::net::TcpListener;
use url::Url;

use self::stage::{Folder, Part, Stage};
use self::told::Told;
use super::cli::RehearseArgs;
use super::exit::{Exit, Stop};
use super::{Context, client, replay, view};
use crate::config::Config;
use crate::daemon::bells::Round;
use crate::daemon::clock::Clock;
use crate::daemon::request::{Asked, Request};
use crate::daemon::{Daemon, Places, Rest, Turns, people};
use crate::domain::attempt::{Approval, Attempt, StateName};
use crate::domain::card::CardId;
use crate::domain::time::{Secs, UnixTime};
use crate::sandbox::{self, Sandbox, Settings};
use crate::store::attempts;

/// How long people take to agree to what they are asked.
const PEOPLE_TAKE: Secs = Secs::hours(12);
/// Who agrees.
const PEOPLE: &str = "rehearsal";

/// Plays the coming days and tells what happened.
pub(super) fn rehearse(context: &Context, args: &RehearseArgs) -> anyhow::Result<Exit> {
    let (mut config, rules_text) = files(context, args.rules.as_deref())?;
    let now = context.clock.now();
    let mut folder = Folder::make(args.to.as_deref())?;
    let cards = stage::copy(&context.places.state, &folder, &config, now)?;
    if cards.is_empty() {
        return Err(Stop::not_found(
            "there is no card to rehearse with; name one in rules.toml or with `simkeeper card add`",
        ));
    }
    let clock = Arc::new(Clock::told(now));
    let ends = now.plus(Secs::days(i64::from(args.days)));
    let told = Arc::clone(&clock);
    let sandbox = Sandbox::new(Settings::default(), Arc::new(move || told.now()));
    let (parts, roles) = stage::take_in(&folder, &config, &sandbox, cards, now)?;
    crate::operators::tls::install_provider();
    let day_takes = Duration::from_millis(u64::from(args.day_millis));
    client::block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let running = sandbox::serve_sandbox(listener, sandbox).await?;
        config = stage::at_sandbox(config.clone(), &Url::parse(&running.base_url())?);
        let daemon = open(&folder, config.clone(), roles, &clock).await?;
        // So that the folder is removed, too.
        let stop = daemon.stop.clone();
        let interrupted = tokio::spawn(async move { tokio::signal::ctrl_c().await.map(|()| stop.cancel()) });
        let played = play(&daemon, ends, day_takes).await;
        interrupted.abort();
        daemon.store.clone().close().await;
        running.stop().await;
        played
    })?;
    let told = Told::collect(&folder, &config, &parts, now, ends)?;
    let exit = report(context, &folder, &told, rules_text.as_deref())?;
    folder.completed();
    Ok(exit)
}

/// The files as `check` reads them; secrets are not looked at, since nothing is opened with them.
fn files(context: &Context, rules: Option<&Path>) -> anyhow::Result<(Config, Option<String>)> {
    let today = context.clock.now().date_in(&TimeZone::UTC);
    match rules {
        Some(file) => Ok((replay::changed_files(context, file, today)?, Some(std::fs::read_to_string(file)?))),
        None => Ok((view::files(context)?, None)),
    }
}

async fn open(
    folder: &Folder,
    config: Config,
    roles: std::collections::BTreeMap<CardId, stand_in::Role>,
    clock: &Arc<Clock>,
) -> anyhow::Result<Arc<Daemon>> {
    let places = Places {
        config: folder.path.join("config"),
        state: folder.state(),
        socket: folder.path.join("control.sock"),
        credentials: None,
    };
    let stage = Stage { config, roles: Arc::new(roles), messages: folder.messages() };
    Daemon::open_with(places, Arc::clone(clock), Arc::new(stage)).await
}

/// Turns the daemon's rounds, from one instant at which something is due to the next.
async fn play(daemon: &Arc<Daemon>, ends: UnixTime, day_takes: Duration) -> anyhow::Result<()> {
    let mut turns = Turns::default();
    loop {
        match daemon.work_until_rest(&mut turns, &Round::ALL).await {
            Rest::Until(next) => {
                let now = daemon.clock.now();
                let agrees_at = agree(daemon, now).await?;
                let next = agrees_at.map_or(next, |at| at.min(next)).max(now.plus(Secs(1)));
                if next >= ends {
                    return Ok(());
                }
                if !day_takes.is_zero() {
                    tokio::time::sleep(day_takes.mul_f64(next.since(now).0 as f64 / Secs::DAY.0 as f64)).await;
                }
                daemon.clock.tell(next);
            }
            Rest::Spins => anyhow::bail!("the daemon found something new to do again and again; please report this"),
            Rest::Stopped => {
                anyhow::bail!("the rehearsal ended before its last day: it was interrupted, or the disk is full")
            }
        }
    }
}

/// Agrees to what was asked long enough ago; says when the next is.
async fn agree(daemon: &Arc<Daemon>, now: UnixTime) -> anyhow::Result<Option<UnixTime>> {
    let mut next: Option<UnixTime> = None;
    for attempt in daemon.store.read(attempts::open).await? {
        let Some(at) = agreed_at(&attempt) else { continue };
        if at > now {
            next = Some(next.map_or(at, |next| next.min(at)));
            continue;
        }
        let asked = Asked { by: PEOPLE.to_owned(), request: Request::Approve { id: attempt.id.0 } };
        people::carry_out(daemon, asked).await;
        next = Some(now.plus(Secs(1)));
    }
    Ok(next)
}

fn agreed_at(attempt: &Attempt) -> Option<UnixTime> {
    match attempt.approval {
        Approval::Asked { at, .. } if attempt.state.name() == StateName::Planned => Some(at.plus(PEOPLE_TAKE)),
        Approval::Asked { .. } | Approval::Given { .. } | Approval::NotNeeded => None,
    }
}

fn report(context: &Context, folder: &Folder, told: &Told, rules: Option<&str>) -> anyhow::Result<Exit> {
    let document = told.document();
    if folder.is_kept() {
        let picture = told.picture();
        std::fs::write(folder.path.join("rehearsal.svg"), picture.to_svg())?;
        if let Some(drawn) = picture.to_png() {
            std::fs::write(folder.path.join("rehearsal.png"), drawn)?;
        }
        std::fs::write(folder.path.join("rehearsal.json"), serde_json::to_string_pretty(&document)?)?;
        if let Some(rules) = rules {
            std::fs::write(folder.path.join("rules.toml"), rules)?;
        }
    }
    if context.output.json {
        context.output.document(document)?;
        return Ok(told.exit());
    }
    for line in told.lines() {
        context.output.say(&line)?;
    }
    match folder.is_kept() {
        true => context.output.hint(&format!(
            "\nPicture, messages and everything as JSON are in {}: rehearsal.svg, rehearsal.png, messages, rehearsal.json",
            folder.path.display()
        ))?,
        false => context.output.hint("\nWith --to DIR it leaves a picture (SVG and PNG) and every message.")?,
    }
    Ok(told.exit())
}

/// How a card is played, in a line.
fn part_line(part: &Part) -> String {
    let (card, data) = (&part.card.name, crate::domain::data::DataSize(part.uses.data));
    let played = match (part.was_read, part.told) {
        (false, _) => format!("it was never read, so it begins with nothing on it and uses {data} a day"),
        (true, false) => {
            format!("from its last reading on; too little was seen of its use, so that {data} a day are assumed")
        }
        (true, true) if part.uses.data > 0 => format!("from its last reading on, using {data} a day as it did"),
        (true, true) => "from its last reading on, used as it was".to_owned(),
    };
    let sells = "; what its operator sells for it was not read yet, so that nothing can be bought here";
    format!("  {card}: {played}{}", if part.sells { "" } else { sells })
}
