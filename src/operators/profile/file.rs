//! A profile: one file that describes an operator which has no adapter of its own.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use jiff::tz::TimeZone;
use toml::de::DeTable;

use super::auth::{self, Auth};
use super::calls::{
    BuyAt, CatalogueAt, DiscoverAt, FindAt, Limit, LimitScope, PreflightAt, ReadMany, ReadStep, WalletAt,
};
use super::caps::{self, Declared};
use super::contradictions;
use super::fields::{Defaults, zone};
use super::hosts::Hosts;
use super::parse_read::{self, Ground};
use super::parse_sale;
use super::place::{Named, Place};
use super::rules::{Answers, Rule};
use super::source::{Log, Problem};
use super::tree::Table;
use crate::domain::money::Currency;

/// The version of the format that this program reads.
const FORMAT: u64 = 1;
/// The largest file that is read, in bytes.
const FILE_LONGEST: usize = 1 << 20;

/// An operator as a profile file describes it.
#[derive(Clone, Debug)]
pub struct Profile {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) secrets: Vec<String>,
    pub(super) hosts: Vec<String>,
    pub(super) bases: Vec<String>,
    pub(super) zone: TimeZone,
    pub(super) auth: Auth,
    pub(super) declared: Declared,
    pub(super) answers: Answers,
    pub(super) rules: Vec<Rule>,
    pub(super) limits: Vec<Limit>,
    pub(super) read: Vec<ReadStep>,
    pub(super) read_many: Option<ReadMany>,
    pub(super) wallet: Option<WalletAt>,
    pub(super) catalogue: Option<CatalogueAt>,
    pub(super) preflight: Option<PreflightAt>,
    pub(super) buy: Option<BuyAt>,
    pub(super) find: Option<FindAt>,
    pub(super) find_by_id: Option<FindAt>,
    pub(super) discover: Option<DiscoverAt>,
}

impl Profile {
    /// Its name, such as `zendit`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, in a line.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The secrets that the account must give, by name.
    #[must_use]
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }
}

/// Reads a profile. All that is wrong with it is told in one pass.
///
/// # Errors
/// Every problem, in the order of the file.
pub fn check(text: &str) -> Result<Profile, Vec<Problem>> {
    let log = Log::new(text);
    if text.len() > FILE_LONGEST {
        log.wrong(&(0..0), "this file is too large for a profile", format!("at most {FILE_LONGEST} bytes"));
        return Err(log.into_problems());
    }
    let (tree, mistakes) = DeTable::parse_recoverable(text);
    for mistake in &mistakes {
        log.wrong(&mistake.span().unwrap_or(0..0), mistake.message(), "");
    }
    let profile = if mistakes.is_empty() {
        let table = Table::of(String::new(), 0..0, tree.get_ref(), &log);
        read(&table)
    } else {
        None
    };
    match profile {
        Some(profile) if log.is_clean() => Ok(profile),
        Some(_) | None => Err(log.into_problems()),
    }
}

/// Reads a profile, and shows what is wrong as the program shows it to people.
///
/// # Errors
/// The problems, each with its place, the line in question and what would be right.
pub fn check_file(text: &str, shown_path: &str) -> Result<Profile, String> {
    check(text)
        .map_err(|problems| problems.iter().map(|problem| problem.render(shown_path)).collect::<Vec<_>>().join("\n\n"))
}

fn read(table: &Table<'_>) -> Option<Profile> {
    if let Some(item) = table.must("format", "1").filter(|item| item.digits().as_deref() != Some("1")) {
        item.wrong("this version of the format is not known", format!("format = {FORMAT}"));
    }
    let name = table.must("name", "\"example\"").and_then(|item| {
        let text = item.must_be_text()?;
        let plain = !text.is_empty() && text.len() <= 40;
        if !plain || !text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
            item.wrong(format!("`{text}` is no name for a profile"), "small letters, digits and hyphens, at most 40");
        }
        Some(text.to_owned())
    });
    let about = table.text("about");
    // Where the sources of what the profile says are named; for people.
    table.texts("sources");
    let named = Named { secrets: table.texts("secrets"), used: RefCell::default() };
    let hosts = Hosts::read(table);
    let defaults = Defaults {
        currency: table.item("currency").and_then(|item| {
            let text = item.must_be_text()?;
            Currency::parse(text).map_err(|why| item.wrong(why, "")).ok()
        }),
        zone: table.item("time_zone").and_then(|item| zone(&item)).unwrap_or(TimeZone::UTC),
    };
    let ground = Ground { hosts: &hosts, named: &named, defaults: &defaults };
    let mut profile = calls(table, &ground);
    table.close();
    contradictions::note(table, &profile);
    note_unused(table, &named);
    profile.name = name?;
    profile.about = about.unwrap_or_default();
    profile.zone = defaults.zone;
    profile.secrets = named.secrets;
    (profile.hosts, profile.bases) = hosts.into_parts();
    Some(profile)
}

fn calls(table: &Table<'_>, ground: &Ground<'_>) -> Profile {
    let (hosts, named) = (ground.hosts, ground.named);
    let auth = table.must("auth", "{ kind = \"bearer\", token = \"{secret.api_key}\" }");
    let auth = auth.and_then(|item| item.must_be_table()).and_then(|inner| auth::read(&inner, hosts, named));
    let place = Place::wallet(named);
    let sells = table.has("buy");
    let capabilities = table.table("capabilities");
    let mut declared = caps::read(capabilities.as_ref(), sells);
    let answers = table.table("answers").map(|inner| Answers::read(&inner, &place)).unwrap_or_default();
    let read_many = table.table("read_many").and_then(|inner| parse_read::many(&inner, ground));
    let discover = table.table("discover").and_then(|inner| parse_read::discover(&inner, ground));
    declared.capabilities.discovers = discover.is_some();
    if read_many.is_some() && !declared.has_batch {
        declared.capabilities.read_batch = 10_000;
    }
    Profile {
        name: String::new(),
        about: String::new(),
        secrets: Vec::new(),
        hosts: Vec::new(),
        bases: Vec::new(),
        zone: TimeZone::UTC,
        auth: auth.unwrap_or_else(|| Auth::Fixed(auth::Added::default())),
        declared,
        answers,
        rules: table.tables("errors").iter().filter_map(|inner| Rule::read(inner, &place)).collect(),
        limits: table.tables("limits").iter().filter_map(limit).collect(),
        read: parse_read::steps(&table.tables("read"), ground),
        read_many,
        wallet: table.table("wallet").and_then(|inner| parse_sale::wallet(&inner, ground)),
        catalogue: table.table("catalogue").map(|inner| parse_sale::catalogue(&inner, ground)),
        preflight: table.table("preflight").and_then(|inner| parse_sale::preflight(&inner, ground)),
        buy: table.table("buy").and_then(|inner| parse_sale::buy(&inner, ground)),
        find: table.table("find").and_then(|inner| parse_sale::find(&inner, ground)),
        find_by_id: table.table("find_by_id").and_then(|inner| parse_sale::find(&inner, ground)),
        discover,
    }
}

fn limit(table: &Table<'_>) -> Option<Limit> {
    let calls = table.must("calls", "5").and_then(|item| item.count(1..=1_000_000));
    let per = table.must("per", "\"1s\"").and_then(|item| {
        let secs = item.secs()?;
        if secs.0 < 1 {
            item.wrong("a span of no length", "per = \"1s\"");
        }
        Some(Duration::from_secs(secs.0.unsigned_abs().max(1)))
    });
    let scopes = [("account", LimitScope::Account), ("card", LimitScope::Card), ("call", LimitScope::Call)];
    let scope = table.item("for").map_or(Some(LimitScope::Account), |item| item.word(&scopes));
    let of = table.item("of").map(|item| item.one_or_list()).unwrap_or_default();
    let known =
        ["auth", "read", "read_many", "wallet", "catalogue", "preflight", "buy", "find", "find_by_id", "discover"];
    let known = known.map(|word| (word, word));
    let of = of.iter().filter_map(|item| item.word(&known)).map(str::to_owned).collect();
    table.close();
    Some(Limit { calls: u32::try_from(calls?).ok()?, per: per?, scope: scope?, of })
}

fn note_unused(table: &Table<'_>, named: &Named) {
    let Some(item) = table.item("secrets") else { return };
    let used: BTreeSet<String> = named.used.borrow().clone();
    for secret in item.one_or_list() {
        let Some(text) = secret.text() else { continue };
        let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !plain || text.is_empty() {
            secret.wrong(format!("`{text}` is no name for a secret"), "small letters, digits and `_`, such as api_key");
        } else if !used.contains(text) {
            secret.wrong(
                format!("the secret `{text}` is used nowhere"),
                format!("write {{secret.{text}}} where it belongs, or take it out of `secrets`"),
            );
        }
    }
}
