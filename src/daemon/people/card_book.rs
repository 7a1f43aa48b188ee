//! Cards that commands keep: added and retired.

use std::sync::Arc;

use super::{Daemon, StoreError, done, named, no_such_card, note, refused};
use crate::daemon::open;
use crate::daemon::request::{CardWords, Refusal, Reply};
use crate::domain::card::Keeper;
use crate::store::cards;

pub(super) async fn add_cards(daemon: &Arc<Daemon>, by: String, words: Vec<CardWords>) -> Result<Reply, StoreError> {
    let live = daemon.live();
    let mut new = Vec::new();
    let mut wrong = Vec::new();
    for (place, words) in words.iter().enumerate() {
        match open::card(words, live.config()) {
            Ok(card) => new.push(card),
            Err(error) => wrong.push(format!("card {} (`{}`): {error}", place + 1, words.name)),
        }
    }
    if !wrong.is_empty() {
        return Ok(refused(Refusal::Wrong, format!("no card was added:\n{}", wrong.join("\n"))));
    }
    let (now, count) = (daemon.clock.now(), new.len());
    let added = daemon
        .store
        .write(move |conn| {
            let mut ids = Vec::new();
            for card in &new {
                ids.push(cards::insert(conn, card, now)?);
            }
            let reason = format!("{count} cards");
            note(conn, now, &by, "add", None, None, Some(&reason))?;
            Ok(ids)
        })
        .await;
    match added {
        Ok(ids) => {
            for id in ids {
                daemon.hurry(id);
            }
            Ok(done(format!("{count} card{} added", if count == 1 { "" } else { "s" })))
        }
        Err(error @ StoreError::Taken { .. }) => Ok(refused(Refusal::Wrong, format!("no card was added: {error}"))),
        Err(error) => Err(error),
    }
}

pub(super) async fn retire(daemon: &Arc<Daemon>, by: String, name: String) -> Result<Reply, StoreError> {
    let now = daemon.clock.now();
    let wanted = name.clone();
    let found = daemon
        .store
        .write(move |conn| {
            let Some(card) = named(conn, &wanted)? else { return Ok(None) };
            if card.keeper == Keeper::Command {
                cards::retire(conn, card.id, now)?;
                note(conn, now, &by, "retire", Some(card.id), None, None)?;
            }
            Ok(Some(card))
        })
        .await?;
    Ok(match found {
        None => no_such_card(&name),
        Some(card) if card.keeper == Keeper::File => refused(
            Refusal::Wrong,
            format!("`{name}` is named in rules.toml; take [card.{name}] out of the file and it is retired"),
        ),
        Some(card) => {
            daemon.schedule().remove(card.id);
            done(format!("`{name}` is no longer read or renewed; its history stays"))
        }
    })
}
