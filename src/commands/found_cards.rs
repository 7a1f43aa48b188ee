//! `card import --from`: the cards that an account's operator lists, through the daemon or in its place.

use serde_json::json;

use super::client::{Hands, Rounds, block_on, misplaced};
use super::exit::Exit;
use super::output::table;
use super::{Context, view};
use crate::daemon::request::{Discovered, FoundWords, Reply, Request, StandingWord};
use crate::domain::card::Name;

/// Brings in what is new, or only shows it.
pub(super) fn import(context: &Context, account: String, labels: Vec<String>, dry_run: bool) -> anyhow::Result<Exit> {
    let rules = view::files(context)?.rules;
    let found = block_on(async {
        let hands = Hands::find(context, Rounds::NotNeeded).await?;
        let request = Request::ImportFrom { account, labels: labels.clone(), dry_run };
        let reply = hands.ask(context, request).await;
        hands.close().await?;
        match reply? {
            Reply::Discovered(found) => Ok(found),
            reply @ (Reply::Done { .. } | Reply::Preview { .. } | Reply::Copied { .. } | Reply::Refused { .. }) => {
                Err(misplaced(&reply))
            }
        }
    })?;
    show(context, &found, dry_run)?;
    if found.new > 0 {
        let labels: Vec<Name> = labels.iter().filter_map(|label| Name::parse(label).ok()).collect();
        let next = match rules.rule_for(&labels, None) {
            Some(rule) => format!("the rule `{}` fits their labels and decides for the new cards", rule.name),
            None => "the new cards are only read: no [[match]] in rules.toml fits their labels".to_owned(),
        };
        context.output.hint(&next)?;
    }
    Ok(if found.odd > 0 { Exit::Partly } else { Exit::Done })
}

fn show(context: &Context, found: &Discovered, dry_run: bool) -> anyhow::Result<()> {
    if context.output.json {
        context.output.document(json!({
            "said": found.said, "dry_run": dry_run, "added": found.added, "new": found.new, "known": found.known,
            "odd": found.odd, "left_out": found.left_out, "cards": found.cards,
        }))?;
        return Ok(());
    }
    // Cards that are known are only counted: a person looks for what is new.
    let shown = found.cards.iter().filter(|card| matches!(card.standing, StandingWord::New | StandingWord::Odd));
    let rows: Vec<Vec<String>> = shown.map(row).collect();
    if !rows.is_empty() {
        context.output.say(&table(&["", "CARD", "ICCID", "NUMBER", "LABEL", "WHY"], rows))?;
    }
    if found.left_out > 0 {
        context.output.say(&format!("and {} more", found.left_out))?;
    }
    context.output.say(&found.said)?;
    Ok(())
}

fn row(card: &FoundWords) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let standing = match card.standing {
        StandingWord::New => "new",
        StandingWord::Known => "known",
        StandingWord::Retired => "retired",
        StandingWord::Odd => "odd",
    };
    vec![
        standing.to_owned(),
        text(&card.name),
        text(&card.iccid),
        text(&card.msisdn.as_ref().map(|number| format!("+{number}"))),
        text(&card.label),
        card.why.clone().unwrap_or_default(),
    ]
}
