//! The stage of a rehearsal: a copy of the record in a folder of its own, the files with every account at the sandbox and
//! every channel at hand, and the cards as they were last read.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use jiff::civil::Date;
use url::Url;

use super::stand_in::{Role, StandIn};
use crate::commands::exit::{Exit, Stop};
use crate::config::{self, AccountConfig, AccountKind, Carries, ChannelConfig, Config, Problems};
use crate::daemon::case::{Case, Standing};
use crate::daemon::live::Surroundings;
use crate::daemon::open;
use crate::daemon::opener::{ByFiles, Opener};
use crate::domain::card::{Card, CardId};
use crate::domain::identity::Iccid;
use crate::domain::operator::Stacking;
use crate::domain::plan::Plan;
use crate::domain::reading::{AllowanceKind, CardState, Reading};
use crate::domain::time::UnixTime;
use crate::domain::usage;
use crate::notify::{Channel, Delivery, Memory, Outgoing};
use crate::operators::{Answer, Operator};
use crate::sandbox::{DailyUse, Guest, Sandbox};
use crate::store::{Store, StoreError, backup, cards, catalogues};

/// What a data card is taken to use where nobody has seen it: 100 MB a day.
pub(super) const ASSUMED_DATA: u64 = 100_000_000;
/// Cards without an ICCID get one of the sandbox's own, from this place of its fleet on.
const NUMBERS_FROM: u32 = 900_000_000;
/// The way to pay: wallets of the real accounts are left out.
const PAYMENT: &str = "card";

/// The folder of a rehearsal; removed at the end unless it was asked for.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    kept: bool,
    complete: bool,
}

impl Folder {
    /// A new folder, for nobody else to read: it holds a copy of the record.
    pub(super) fn make(wished: Option<&Path>) -> anyhow::Result<Self> {
        let path = wished.map_or_else(
            || std::env::temp_dir().join(format!("simkeeper-rehearsal-{}", rustix::process::getpid().as_raw_nonzero())),
            Path::to_owned,
        );
        if path.join("state").exists() {
            let why = format!("{} holds a rehearsal already; name another folder, or remove it", path.display());
            return Err(Stop::with(Exit::Refused, why));
        }
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path.join("state"))
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path, kept: wished.is_some(), complete: false })
    }

    pub(super) fn state(&self) -> PathBuf {
        self.path.join("state")
    }

    /// Where messages are kept, if the folder is.
    pub(super) fn messages(&self) -> Option<PathBuf> {
        self.kept.then(|| self.path.join("messages"))
    }

    pub(super) const fn is_kept(&self) -> bool {
        self.kept
    }

    /// Everything is in it.
    pub(super) const fn completed(&mut self) {
        self.complete = true;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies where the system removes things. Of a folder that somebody named only that goes which
        // keeps the next rehearsal from it.
        if !self.kept {
            drop(fs::remove_dir_all(&self.path));
        } else if !self.complete {
            drop(fs::remove_dir_all(self.state()));
        }
    }
}

/// A card that takes part.
pub(super) struct Part {
    pub(super) card: Card,
    /// Whether it was ever read.
    pub(super) was_read: bool,
    /// What it is taken to use each day.
    pub(super) uses: DailyUse,
    /// Whether that is told by its readings.
    pub(super) told: bool,
    /// Whether anything is known to be on sale for it.
    pub(super) sells: bool,
}

/// Copies the record, and puts the cards of the file into it.
pub(super) fn copy(from: &Path, folder: &Folder, config: &Config, now: UnixTime) -> anyhow::Result<Vec<Card>> {
    match backup::copy_aside(from, &folder.state()) {
        Ok(()) | Err(StoreError::NoDatabase { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let store = Store::open_here(&folder.state(), now)?;
    let named: Vec<_> = config.rules.cards.iter().map(open::new_card).collect();
    store.write_blocking(move |conn| cards::sync_file_cards(conn, &named, now).map(drop))?;
    let all = store.read_blocking(cards::all)?;
    store.close_blocking();
    Ok(all)
}

/// Brings the cards to the sandbox, and says which are played by which habit.
pub(super) fn take_in(
    folder: &Folder,
    config: &Config,
    sandbox: &Sandbox,
    cards: Vec<Card>,
    now: UnixTime,
) -> anyhow::Result<(Vec<Part>, BTreeMap<CardId, Role>)> {
    let store = Store::open_here(&folder.state(), now)?;
    let (mut parts, mut roles) = (Vec::new(), BTreeMap::new());
    for (place, card) in (0..).zip(cards) {
        let number = match &card.iccid {
            Some(number) => number.clone(),
            None => Iccid::parse(&Sandbox::fleet_iccid(NUMBERS_FROM + place)).map_err(anyhow::Error::msg)?,
        };
        let account = config.machine.account(&card.account);
        let at_sandbox = account.is_some_and(|account| account.kind.is_make_believe());
        let (part, guest) = store.read_blocking(|conn| guest(conn, card, &number, at_sandbox, now))?;
        sandbox.take_in(&guest)?;
        roles.insert(part.card.id, Role { number, stacking: guest.stacking });
        parts.push(part);
    }
    store.close_blocking();
    Ok((parts, roles))
}

fn guest(
    conn: &crate::store::Connection,
    card: Card,
    number: &Iccid,
    at_sandbox: bool,
    now: UnixTime,
) -> Result<(Part, Guest), StoreError> {
    let catalogue = catalogues::load(conn, card.id)?;
    let stacking = catalogue.as_ref().map_or(Stacking::Unknown, |catalogue| catalogue.stacking);
    let plans = catalogue.map(|catalogue| catalogue.plans);
    let case = Case::gather(conn, card, None, Standing::default(), |_| Vec::new(), now)?;
    let plans = plans.unwrap_or_else(|| bought_before(&case));
    // A sandbox sells the same here as there.
    let plans = Some(plans).filter(|plans| !plans.is_empty() || !at_sandbox);
    let sells = plans.as_ref().is_none_or(|plans| !plans.is_empty());
    let kinds: Vec<AllowanceKind> = match &case.poll.recent.latest {
        Some(reading) => reading.allowances.iter().map(|allowance| allowance.kind).collect(),
        None => Vec::new(),
    };
    let rates = case.daily_use(conn, &kinds, now)?;
    let rate = |kind| usage::rate(&rates, kind).map(|rate| u64::try_from(rate).unwrap_or(0));
    let credit = kinds.iter().find(|kind| matches!(kind, AllowanceKind::Credit(_)));
    let uses = DailyUse {
        data: rate(AllowanceKind::Data).unwrap_or(ASSUMED_DATA),
        voice_secs: rate(AllowanceKind::Voice).unwrap_or(0),
        sms: rate(AllowanceKind::Sms).unwrap_or(0),
        credit: credit.and_then(|kind| rate(*kind)).unwrap_or(0),
    };
    let told = !kinds.contains(&AllowanceKind::Data) || rate(AllowanceKind::Data).is_some();
    let was_read = case.poll.recent.latest.is_some();
    let seen = case.poll.recent.latest.clone().unwrap_or_else(|| Reading::empty(now, CardState::Active));
    let guest = Guest { iccid: number.digits().to_owned(), seen, uses, plans, stacking };
    Ok((Part { card: case.card, was_read, uses, told: told && was_read, sells }, guest))
}

/// Plans of past orders, where no catalogue was read: each once, as it was bought last.
fn bought_before(case: &Case) -> Vec<Plan> {
    let mut plans: Vec<Plan> = Vec::new();
    for attempt in case.attempts.iter().rev() {
        if plans.iter().all(|plan| plan.id != attempt.plan.id) {
            plans.push(attempt.plan.clone());
        }
    }
    plans
}

/// The files with every account at the sandbox, and without anything that leaves this machine.
pub(super) fn at_sandbox(mut config: Config, base_url: &Url) -> Config {
    for account in &mut config.machine.accounts {
        account.kind = AccountKind::Sandbox { base_url: base_url.clone(), key: None, time_limit: None };
        account.payment = vec![PAYMENT.to_owned()];
        account.discover = false;
    }
    config.machine.heartbeat = None;
    config.machine.schedule.backup = None;
    config
}

/// Opens nothing but what the stage has, whatever the files say.
pub(super) struct Stage {
    pub(super) config: Config,
    pub(super) roles: Arc<BTreeMap<CardId, Role>>,
    pub(super) messages: Option<PathBuf>,
}

impl Opener for Stage {
    fn files(&self, _folder: &Path, _today: Date) -> Result<Config, Problems> {
        Ok(self.config.clone())
    }

    fn record(&self, folder: &Path, now: UnixTime) -> Result<Store, StoreError> {
        Store::open_here(folder, now)
    }

    fn operator<'a>(
        &'a self,
        account: &'a AccountConfig,
        around: &'a Surroundings,
    ) -> Answer<'a, anyhow::Result<Arc<dyn Operator>>> {
        Box::pin(async move {
            anyhow::ensure!(account.kind.is_make_believe(), "a rehearsal asks no real operator");
            let operator = ByFiles.operator(account, around).await?;
            Ok(Arc::new(StandIn::new(operator, Arc::clone(&self.roles))) as Arc<dyn Operator>)
        })
    }

    fn channel(&self, channel: &ChannelConfig, around: &Surroundings) -> anyhow::Result<Channel> {
        let ending = match channel.kind.carries() {
            // Whoever has no address is told in a folder of mails, and is so here.
            Carries::Mail if matches!(channel.kind, config::ChannelKind::Maildir { .. }) => {
                let folder = self.messages.clone().unwrap_or_else(|| around.state.join("mail"));
                let folder = folder.join(channel.name.as_str());
                return Ok(Channel::open(crate::notify::ChannelSettings::Maildir { folder })?);
            }
            Carries::Mail => "eml",
            Carries::Sms | Carries::Push => "txt",
            Carries::Document => "json",
        };
        let folder = self.messages.as_ref().map(|folder| folder.join(channel.name.as_str()));
        if let Some(folder) = &folder {
            fs::create_dir_all(folder)?;
        }
        Ok(Channel::Memory(Memory::new(move |message| {
            let taken = folder.as_ref().map_or(Ok(()), |folder| keep(folder, message, ending));
            Box::pin(async move {
                match taken {
                    Ok(()) => Delivery::Sent { remote: "kept by the rehearsal".to_owned() },
                    Err(error) => Delivery::Dead { why: error.to_string() },
                }
            })
        })))
    }
}

fn keep(folder: &Path, message: &Outgoing, ending: &str) -> std::io::Result<()> {
    fs::write(folder.join(format!("{}.{ending}", message.id)), &message.bytes)
}
