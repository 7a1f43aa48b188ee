//! Cards that an operator lists, brought in by a person's word.

use std::sync::Arc;

use super::{Daemon, StoreError, refused};
use crate::daemon::discovery::{Findings, Wanted, discover};
use crate::daemon::request::{Discovered, FoundWords, Refusal, Reply, StandingWord};
use crate::domain::card::Name;
use crate::domain::discovery::{FoundCard, Standing};

/// Cards that are told one by one; more are only counted.
const TOLD_MAX: usize = 5_000;

pub(super) async fn import(
    daemon: &Arc<Daemon>,
    by: String,
    account: String,
    labels: Vec<String>,
    dry_run: bool,
) -> Result<Reply, StoreError> {
    let live = daemon.live();
    let Some(desk) = Name::parse(&account).ok().and_then(|account| live.desk(&account)) else {
        let said = format!("simkeeper.toml names no account `{account}` under [operator.…]");
        return Ok(refused(Refusal::NotFound, said));
    };
    let labels: Result<Vec<Name>, String> = labels.iter().map(|label| Name::parse(label)).collect();
    let labels = match labels {
        Ok(labels) => labels,
        Err(why) => return Ok(refused(Refusal::Wrong, format!("a label is wrong: {why}"))),
    };
    if !desk.operator.capabilities().discovers {
        let said = format!(
            "the operator of `{account}` does not list the cards of an account; write them into a file and `simkeeper card import FILE`"
        );
        return Ok(refused(Refusal::Wrong, said));
    }
    if let Some(until) = desk.left_alone_until(daemon.clock.now()) {
        return Ok(refused(Refusal::NotNow, format!("the operator of `{account}` is left alone until {until}")));
    }
    let found = match discover(daemon, desk, Wanted { labels, by: Some(by), dry_run }).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            let said = format!(
                "no card was added: {error}. `simkeeper operator test {account}` shows what is wrong on the way"
            );
            return Ok(refused(Refusal::Failed, said));
        }
        Err(error @ StoreError::Taken { .. }) => {
            return Ok(refused(Refusal::NotNow, format!("no card was added: {error}")));
        }
        Err(error) => return Err(error),
    };
    Ok(Reply::Discovered(told(&account, found, dry_run)))
}

/// What was found, in words.
fn told(account: &str, findings: Findings, dry_run: bool) -> Discovered {
    let mut told = Discovered { added: findings.added, ..Discovered::default() };
    for found in findings.found {
        let words = words(found);
        match words.standing {
            StandingWord::New => told.new += 1,
            StandingWord::Known | StandingWord::Retired => told.known += 1,
            StandingWord::Odd => told.odd += 1,
        }
        if told.cards.len() < TOLD_MAX {
            told.cards.push(words);
        } else {
            told.left_out += 1;
        }
    }
    let cards = |count: usize| format!("{count} card{}", if count == 1 { "" } else { "s" });
    let done = if dry_run {
        format!("{} at {account} would be added", cards(told.new))
    } else {
        format!("{} of {account} added", cards(told.added))
    };
    told.said = format!("{done}, {} known already, {} odd", told.known, told.odd);
    told
}

fn words(found: FoundCard) -> FoundWords {
    let FoundCard { card, standing } = found;
    let (standing, name, why) = match standing {
        Standing::New { name } => (StandingWord::New, Some(name), None),
        Standing::Known { name, retired: false } => (StandingWord::Known, Some(name), None),
        Standing::Known { name, retired: true } => (StandingWord::Retired, Some(name), None),
        Standing::Odd { why } => (StandingWord::Odd, None, Some(why)),
    };
    FoundWords {
        name: name.map(|name| name.to_string()),
        standing,
        iccid: card.iccid.map(|iccid| iccid.digits().to_owned()),
        msisdn: card.msisdn.map(|number| number.digits().to_owned()),
        label: card.label,
        why,
    }
}
