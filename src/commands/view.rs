//! What reading commands look at: both files and the record, as they are at this moment, beside a daemon or without
//! one. No lock, no network, no secret.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use jiff::tz::TimeZone;

use super::Context;
use super::exit::Stop;
use crate::config::{self, AccountConfig, AccountKind, Config, MACHINE_FILE, RULES_FILE, Source};
use crate::daemon::case::{Case, Standing};
use crate::daemon::live::Surroundings;
use crate::daemon::open::accounts::profile;
use crate::daemon::wallets::Purses;
use crate::domain::assess::Assessment;
use crate::domain::card::{Card, Name};
use crate::domain::last_safe::Lead;
use crate::domain::ledger::Pace;
use crate::domain::operator::{Capabilities, MOST_CAREFUL};
use crate::domain::rule::Rule;
use crate::domain::sellers::{self, Till, Way};
use crate::domain::time::{Secs, UnixTime};
use crate::operators::{KINDS, ussd};
use crate::store::accounts::{self, AccountState};
use crate::store::{Connection, Store, StoreError, cards};

/// Files and record at one moment.
pub(super) struct View {
    /// Both files.
    pub(super) config: Config,
    /// The record, for reading.
    pub(super) store: Store,
    /// How the ways to the operators fare, as last noted.
    pub(super) accounts: Vec<(Name, AccountState)>,
    /// What the operator of each account can do.
    able: BTreeMap<Name, Capabilities>,
    /// The moment.
    pub(super) now: UnixTime,
}

impl View {
    /// Opens files and record.
    pub(super) fn open(context: &Context) -> anyhow::Result<Self> {
        Self::with(context, Store::open_read_only(&context.places.state)?)
    }

    /// The files beside a record that is open.
    pub(super) fn with(context: &Context, store: Store) -> anyhow::Result<Self> {
        let config = files_or_those_at_work(context)?;
        let accounts = store.read_blocking(accounts::all)?;
        let able = able(&config.machine.accounts, &accounts, &context.places.surroundings());
        Ok(Self { config, store, accounts, able, now: context.clock.now() })
    }

    /// The card of this name, live or else retired.
    pub(super) fn card(&self, name: &str) -> anyhow::Result<Card> {
        let missing = || {
            Stop::not_found(format!(
                "there is no card named `{name}`; `simkeeper card find {name}` looks in every number and label"
            ))
        };
        let parsed = Name::parse(name).map_err(|_| missing())?;
        let found = self.store.read_blocking(|conn| match cards::by_name(conn, &parsed)? {
            Some(card) => Ok(Some(card)),
            None => cards::retired_by_name(conn, &parsed),
        })?;
        found.ok_or_else(missing)
    }

    /// The rule that decides for a card.
    pub(super) fn rule(&self, card: &Card) -> Option<&Rule> {
        self.config.rules.rule_of(card)
    }

    /// Everything the record knows about a card.
    pub(super) fn case(&self, conn: &Connection, card: Card) -> Result<Case, StoreError> {
        let standing = self.standing(&card.account);
        let rule = self.rule(&card).cloned();
        Case::gather(conn, card, rule.as_ref(), standing, |card| self.tills(card), self.now)
    }

    /// In which ways a card would be bought for, the next one first.
    pub(super) fn ways(&self, case: &Case) -> Vec<Way> {
        sellers::in_turn(&self.tills(&case.card), &case.attempts, case.poll.cycle)
    }

    /// The accounts that may sell for a card, in order.
    fn tills(&self, card: &Card) -> Vec<Till> {
        let accounts = card.accounts().filter_map(|name| self.config.machine.account(name));
        accounts.map(|account| Till { account: account.name.clone(), payment: account.payment.clone() }).collect()
    }

    /// What is to be done about a card at this moment, by the function that the daemon asks.
    pub(super) fn assess(&self, case: &Case) -> Assessment {
        case.assess_by(self.rule(&case.card), self.now)
    }

    /// How long before a loss a purchase for a card must begin, by the account whose turn it is.
    pub(super) fn lead(&self, case: &Case) -> Lead {
        let seller = self.ways(case).into_iter().next().map_or_else(|| case.card.account.clone(), |way| way.account);
        let payment = self.config.machine.account(&seller).map_or(Secs::ZERO, |account| account.payment_lead);
        let (selling, reading) = (self.able(&seller), self.able(&case.card.account));
        let able = if seller == case.card.account { selling } else { selling.read_through(&reading) };
        Lead::of(&able, payment)
    }

    fn able(&self, account: &Name) -> Capabilities {
        self.able.get(account).copied().unwrap_or(MOST_CAREFUL)
    }

    /// The wallets as last looked into.
    pub(super) fn purses(&self) -> Purses {
        let mut purses = Purses::default();
        for account in &self.config.machine.accounts {
            let wallet = self.account(&account.name).and_then(|state| state.wallet.as_ref());
            if let Some((read_at, balance)) = wallet.and_then(|(at, wallet)| Some((*at, wallet.balance?))) {
                purses.open(&account.name, &account.payment, read_at, balance);
            }
        }
        purses
    }

    /// What the record holds about an account.
    pub(super) fn account(&self, name: &Name) -> Option<&AccountState> {
        self.accounts.iter().find(|(known, _)| known == name).map(|(_, state)| state)
    }

    /// How a card's account stands.
    pub(super) fn standing(&self, account: &Name) -> Standing {
        let noted = self.account(account).and_then(|account| account.open_until.max(account.paused_until));
        let pace = self.config.machine.account(account).map_or_else(Pace::default, |account| Pace {
            every: account.to_account(&self.config.machine.schedule).poll_every,
            at_most: self.able(&account.name).cached_for,
        });
        Standing { pace, left_alone_until: noted.filter(|until| self.now < *until) }
    }
}

/// What the operators of accounts can do, without asking them: where one has to be asked, as it last told the daemon.
fn able(
    accounts: &[AccountConfig],
    noted: &[(Name, AccountState)],
    around: &Surroundings,
) -> BTreeMap<Name, Capabilities> {
    let told = |name: &Name| noted.iter().find(|(known, _)| known == name).and_then(|(_, state)| state.capabilities);
    let of = |account: &AccountConfig| match account.kind {
        AccountKind::Exec(_) | AccountKind::Sandbox { .. } => told(&account.name),
        _ => None,
    };
    let known = |account: &AccountConfig| of(account).unwrap_or_else(|| capabilities(&account.kind, around));
    accounts.iter().map(|account| (account.name.clone(), known(account))).collect()
}

fn capabilities(kind: &AccountKind, around: &Surroundings) -> Capabilities {
    if let AccountKind::Http(access) = kind {
        // One that cannot be used at present declares nothing; `check` says what is wrong with it.
        return profile(&access.profile, around).map_or(MOST_CAREFUL, |profile| *profile.capabilities());
    }
    let known = KINDS.iter().find(|known| known.name == kind.word());
    match known {
        Some(known) => known.capabilities,
        None if kind.is_make_believe() => Capabilities { cached_for: Secs::ZERO, ..MOST_CAREFUL },
        None if matches!(kind, AccountKind::Ussd(_)) => Capabilities { cached_for: ussd::CACHED_FOR, ..MOST_CAREFUL },
        None => MOST_CAREFUL,
    }
}

/// The files, or while they have errors those that a daemon has at work: it keeps them until the errors are mended.
fn files_or_those_at_work(context: &Context) -> anyhow::Result<Config> {
    let error = match files(context) {
        Ok(config) => return Ok(config),
        Err(error) => error,
    };
    let kept = context.places.files_at_work();
    let today = context.clock.now().date_in(&TimeZone::UTC);
    let (Ok(machine), Ok(rules)) = (read(&kept.join(MACHINE_FILE)), read(&kept.join(RULES_FILE))) else {
        return Err(error);
    };
    let calendars = |name: &str| config::calendar_beside(&kept, name);
    let config = config::parse_with(&machine, &rules, Some(today), &calendars).map_err(|_| error)?;
    context.output.warn("the files have errors (see `simkeeper check`); shown by those that were at work before")?;
    Ok(config)
}

/// Both files, without looking at secrets: whoever reads may be another user than the daemon.
pub(super) fn files(context: &Context) -> anyhow::Result<Config> {
    let dir = &context.places.config;
    let today = context.clock.now().date_in(&TimeZone::UTC);
    let (machine, rules) = (read(&dir.join(MACHINE_FILE)), read(&dir.join(RULES_FILE)));
    match (machine, rules) {
        (Ok(machine), Ok(rules)) => {
            let calendars = |name: &str| config::calendar_beside(dir, name);
            Ok(config::parse_with(&machine, &rules, Some(today), &calendars)?)
        }
        // The loader says what is wrong with a file that cannot be read.
        (Err(error), _) | (_, Err(error)) => match config::load(dir, Some(today)) {
            Err(problems) => Err(problems.into()),
            Ok(_) => Err(error.into()),
        },
    }
}

/// The text of a file, under its name.
pub(super) fn read(path: &Path) -> io::Result<Source> {
    Ok(Source { path: path.to_owned(), text: std::fs::read_to_string(path)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_profile_declares_or_an_operator_told_is_known_without_the_daemon() {
        let dir = tempfile::tempdir().unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/operators.d");
        std::fs::create_dir(dir.path().join(config::PROFILES)).unwrap();
        std::fs::copy(examples.join("esimgo.toml"), dir.path().join(config::PROFILES).join("described.toml")).unwrap();
        let account = |name: &str| {
            format!(
                "[operator.{name}]\nkind = \"http\"\nprofile = \"{name}.toml\"\nsecrets.key = {{ credential = \"key\" }}\n"
            )
        };
        let asked = "[operator.asked]\nkind = \"sandbox\"\n[operator.new]\nkind = \"sandbox\"\n";
        let machine = format!("currency = \"EUR\"\n{}{}{asked}", account("described"), account("missing"));
        let source = |text: String| Source { path: dir.path().join("a.toml"), text };
        let config = config::parse(&source(machine), &source(String::new()), None).unwrap();
        let around = Surroundings { credentials: None, state: dir.path().into(), config: dir.path().into() };
        let name = |text: &str| Name::parse(text).unwrap();
        let told = Capabilities { effect_max: Secs::minutes(5), ..MOST_CAREFUL };
        let noted =
            |account: &str| (name(account), AccountState { capabilities: Some(told), ..AccountState::default() });
        // A profile's own word is newer than what was noted.
        let able = able(&config.machine.accounts, &["asked", "described"].map(noted), &around);
        assert_eq!(able[&name("described")].effect_max, Secs::HOUR);
        assert_eq!(able[&name("missing")], MOST_CAREFUL);
        assert_eq!(able[&name("asked")], told);
        assert_eq!(able[&name("new")], Capabilities { cached_for: Secs::ZERO, ..MOST_CAREFUL });
        assert!(Lead::of(&able[&name("described")], Secs::ZERO).total() < Lead::of(&MOST_CAREFUL, Secs::ZERO).total());
    }
}
