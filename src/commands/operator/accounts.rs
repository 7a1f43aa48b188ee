//! `operator list`: the configured accounts and how each fares, from the files and the record. Touches no network.

use serde_json::{Value, json};

use super::speak;
use crate::commands::Context;
use crate::commands::exit::Exit;
use crate::commands::output::{relative, table};
use crate::commands::view::files;
use crate::config::{AccountConfig, AccountKind};
use crate::domain::attempt::{Attempt, AttemptState};
use crate::domain::card::Name;
use crate::domain::operator::Class;
use crate::domain::reading::CLOCK_TOLERANCE;
use crate::domain::time::{Secs, UnixTime};
use crate::domain::words::Spoken;
use crate::operators::KINDS;
use crate::store::accounts::{self, AccountState};
use crate::store::attempts::{self, AttemptFilter};
use crate::store::cards;

/// How far back trouble with orders is looked for.
const TROUBLE_SINCE: Secs = Secs::days(30);
/// Orders that are looked through.
const ORDERS_MAX: usize = 1_000;

/// What is known of an account.
struct Row<'a> {
    account: &'a AccountConfig,
    cards: u32,
    state: AccountState,
    trouble: Option<(UnixTime, String)>,
}

/// Lists the accounts.
pub(in crate::commands) fn list(context: &Context) -> anyhow::Result<Exit> {
    let config = files(context)?;
    let now = context.clock.now();
    let store = super::record(context)?;
    let filter = AttemptFilter { card: None, open_only: false, since: now.minus(TROUBLE_SINCE), limit: ORDERS_MAX };
    let (counts, states, orders) = match &store {
        Some(store) => store.read_blocking(|conn| {
            Ok((cards::count_by_account(conn)?, accounts::all(conn)?, attempts::list(conn, &filter)?))
        })?,
        None => Default::default(),
    };
    let of_file = |name: &Name| config.rules.cards.iter().filter(|card| card.account == *name).count();
    let rows = config.machine.accounts.iter().map(|account| Row {
        account,
        cards: match &store {
            Some(_) => counts.get(&account.name).copied().unwrap_or(0),
            None => u32::try_from(of_file(&account.name)).unwrap_or(u32::MAX),
        },
        state: states
            .iter()
            .find(|(name, _)| *name == account.name)
            .map(|(_, state)| state.clone())
            .unwrap_or_default(),
        trouble: trouble(&account.name, &orders),
    });
    let rows: Vec<Row<'_>> = rows.collect();
    if context.output.json {
        let accounts: Vec<Value> = rows.iter().map(|row| row.document(now)).collect();
        context.output.document(json!({ "now": now, "accounts": accounts }))?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        context.output.say("simkeeper.toml names no account; `simkeeper operator kinds` shows which there can be")?;
        return Ok(Exit::Done);
    }
    let headings = ["ACCOUNT", "KIND", "HOSTS", "CARDS", "LOST ANSWER", "WALLET", "STATE", "LAST TROUBLE"];
    context.output.say(&table(&headings, rows.iter().map(|row| row.words(now)).collect()))?;
    context.output.hint("\n`simkeeper operator test ACCOUNT` tries one and spends nothing")?;
    Ok(Exit::Done)
}

impl Row<'_> {
    fn class(&self) -> Option<Class> {
        let word = self.account.kind.word();
        KINDS.iter().find(|kind| kind.name == word).map(|kind| kind.capabilities.class())
    }

    fn left_alone_until(&self, now: UnixTime) -> Option<UnixTime> {
        self.state.open_until.max(self.state.paused_until).filter(|until| now < *until)
    }

    fn fares(&self, now: UnixTime) -> String {
        match (self.left_alone_until(now), self.state.failures) {
            (Some(until), _) => format!("left alone, tried again {}", relative(until, now)),
            (None, 0) if self.state.was_heard() => "reachable".to_owned(),
            (None, 0) => "no trouble known".to_owned(),
            (None, 1) => "failed once".to_owned(),
            (None, failures) => format!("failed {failures} times in a row"),
        }
    }

    /// The newest trouble with an order, else a clock that differs.
    fn trouble(&self, now: UnixTime) -> Option<String> {
        if let Some((at, what)) = &self.trouble {
            return Some(format!("{what}, {}", relative(*at, now)));
        }
        let (ours, theirs) = self.state.clock?;
        let off = ours.since(theirs);
        let too_far = off.0.abs() > CLOCK_TOLERANCE.0;
        too_far.then(|| format!("the clocks differed by {}, {}", Spoken(off), relative(ours, now)))
    }

    fn words(&self, now: UnixTime) -> Vec<String> {
        let wallet = self.state.wallet.as_ref().and_then(|(at, wallet)| Some((at, wallet.balance?)));
        vec![
            self.account.name.to_string(),
            self.account.kind.word().to_owned(),
            hosts(self.account),
            self.cards.to_string(),
            self.class().map_or("as declared", speak::class).to_owned(),
            wallet.map_or_else(|| "-".to_owned(), |(at, balance)| format!("{balance}, read {}", relative(*at, now))),
            self.fares(now),
            self.trouble(now).unwrap_or_else(|| "-".to_owned()),
        ]
    }

    fn document(&self, now: UnixTime) -> Value {
        let wallet = self.state.wallet.as_ref();
        json!({
            "name": self.account.name, "kind": self.account.kind.word(), "hosts": hosts(self.account),
            "cards": self.cards, "class": self.class(), "discover": self.account.discover,
            "wallet": wallet.map(|(at, wallet)| json!({
                "read_at": at, "age_secs": now.since(*at).0, "balance": wallet.balance, "methods": wallet.methods,
            })),
            "failures": self.state.failures, "left_alone_until": self.left_alone_until(now),
            "state": self.fares(now), "last_trouble": self.trouble(now),
        })
    }
}

/// Where an account's calls go.
fn hosts(account: &AccountConfig) -> String {
    let declared = || {
        let kind = KINDS.iter().find(|kind| kind.name == account.kind.word());
        kind.map(|kind| (kind.terms)().hosts.join(", ")).unwrap_or_default()
    };
    match (&account.kind, account.kind.address()) {
        (_, Some(address)) => {
            let port = address.port().map_or_else(String::new, |port| format!(":{port}"));
            format!("{}{port}", address.host_str().unwrap_or_default())
        }
        (AccountKind::Exec(access), None) => access.program.display().to_string(),
        (AccountKind::Http(access), None) => access.profile.display().to_string(),
        (AccountKind::Ussd(_), None) => "modems of this machine".to_owned(),
        (AccountKind::Keepgo { host: Some(host), .. }, None) => host.clone(),
        (_, None) => declared(),
    }
}

/// The newest order of an account that did not go well.
fn trouble(account: &Name, orders: &[Attempt]) -> Option<(UnixTime, String)> {
    let of_account = orders.iter().filter(|attempt| attempt.account == *account);
    let troubled = of_account.filter_map(|attempt| {
        let id = attempt.id.0;
        match &attempt.state {
            AttemptState::Refused { refusal, at, .. } => {
                Some((*at, format!("order {id} was refused: {} ({})", refusal.kind, refusal.code)))
            }
            AttemptState::Unknown { doubt, .. } => {
                Some((attempt.created_at, format!("order {id} is not known: {doubt}")))
            }
            AttemptState::Human { question, .. } => {
                Some((attempt.created_at, format!("order {id} waits for you: {question}")))
            }
            AttemptState::Reversed { at, .. } => Some((*at, format!("order {id} was taken back"))),
            AttemptState::Planned { .. }
            | AttemptState::Sending { .. }
            | AttemptState::Pending { .. }
            | AttemptState::Accepted { .. }
            | AttemptState::Done { .. }
            | AttemptState::Absent { .. }
            | AttemptState::Abandoned { .. } => None,
        }
    });
    troubled.max_by_key(|(at, _)| *at)
}
