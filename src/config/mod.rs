//! The user's files: read, checked in one pass, turned into values that cannot be wrong.
//!
//! `simkeeper.toml` is the machine's: accounts, channels, people. `rules.toml` is the owner's: cards and rules. [`load`]
//! and [`parse()`] are the only ways in, for `check` and for the daemon alike, so that what passes the check starts.
//!
//! Each table is declared once (`declare`), and that declaration reads it, knows its keys and describes it in the
//! [`schema()`]. `reader` walks the parsed file with places and notes every problem; `values` and
//! `containers` are what keys may hold; `machine_file`, `account_file`, `approval_file`, `described_file`,
//! `ussd_file`, `person_file`, `channel_file`, `gateway_file`, `service_file`, `rules_file` and `rule_file` hold the declarations and build
//! [`Machine`] and [`Rules`] from them; `contradictions` finds rules that cannot be meant.

mod account;
mod account_file;
mod approval_file;
mod calendar;
mod channel;
mod channel_file;
mod containers;
mod contradictions;
mod declare;
mod described_file;
mod digest_file;
mod gateway_file;
mod init;
mod keys;
mod language;
mod machine;
mod machine_file;
mod parse;
mod person_file;
mod problems;
mod reader;
mod roles_file;
mod rule_file;
mod rules;
mod rules_file;
mod schema;
mod secret;
mod service_file;
mod shared_file;
mod trip_file;
mod ussd;
mod ussd_file;
mod values;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use sha2::{Digest, Sha256};

pub use account::{
    AccountConfig, AccountKind, CardBy, ExecAccess, ProfileAccess, SANDBOX_URL, SignIn, Tmf654Access, Tmf654Version,
    UssdAccess, UssdEnds, UssdSms, UssdTopUp, UssdVouchers,
};
pub use channel::{
    AliyunAccess, Carries, ChannelConfig, ChannelKind, Gateway, GatewayValue, HeaderValue, Method, Piece, Placeholder,
    Service, SmppAccess, Tls,
};
pub use init::{InitError, SAMPLE_MACHINE, SAMPLE_RULES, init};
pub use keys::{KeyInfo, KindInfo, account_kinds};
pub use machine::{ApprovalConfig, Language, Machine, POLL_USUAL, Person, Schedule};
pub use problems::{Problem, Problems, Severity};
pub use rules::{CardEntry, Match, Rules};
pub use schema::{Which, schema};
pub use secret::{SecretError, SecretRef};
pub use values::Daily;

use machine_file::{MachineTable, machine, names};
use reader::{At, Notes};
use rules_file::{Known, RulesTable, rules};

/// The name of the machine's file.
pub const MACHINE_FILE: &str = "simkeeper.toml";
/// The name of the owner's file.
pub const RULES_FILE: &str = "rules.toml";
/// The folder of profiles beside the two files.
pub const PROFILES: &str = "operators.d";
/// A file larger than this is not one of ours; ten thousand cards need about two MiB.
const FILE_MAX: u64 = 64 * 1024 * 1024;

/// Both files, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// From `simkeeper.toml`.
    pub machine: Machine,
    /// From `rules.toml`.
    pub rules: Rules,
    /// What somebody should look at; nothing in it keeps the files from being used.
    pub warnings: Problems,
}

/// The text of a file, and the name under which problems in it are told.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name.
    pub path: PathBuf,
    /// The text.
    pub text: String,
}

/// Reads and checks both files in `dir`. `today` is used for nothing but a warning about rules that are over.
///
/// # Errors
/// Everything that is wrong in both files, warnings included; also files that cannot be read and secrets in files that
/// are missing or that others can read.
pub fn load(dir: &Path, today: Option<Date>) -> Result<Config, Problems> {
    let (machine, rules) = (read_file(&dir.join(MACHINE_FILE)), read_file(&dir.join(RULES_FILE)));
    check((&machine, &rules), today, &|name| calendar_beside(dir, name), |secret| secret.probe().err())
}

/// Checks the texts of both files; touches nothing else, so that trips have no days of calendars.
///
/// # Errors
/// Everything that is wrong in both texts, warnings included.
pub fn parse(machine: &Source, rules: &Source, today: Option<Date>) -> Result<Config, Problems> {
    parse_with(machine, rules, today, &|name| Err(format!("{name} is not looked at here")))
}

/// As [`parse()`], with calendars by their names.
///
/// # Errors
/// As [`parse()`].
pub fn parse_with(
    machine: &Source,
    rules: &Source,
    today: Option<Date>,
    calendars: Calendars<'_>,
) -> Result<Config, Problems> {
    let sheet = |source: &Source| Sheet { source: source.clone(), trouble: None };
    check((&sheet(machine), &sheet(rules)), today, calendars, |_| None)
}

/// The text of a calendar by its name, or why there is none.
pub type Calendars<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// A calendar in the folder of the two files.
///
/// # Errors
/// Says why it cannot be had.
pub fn calendar_beside(dir: &Path, name: &str) -> Result<String, String> {
    let path = dir.join(name);
    let about = fs::metadata(&path).map_err(|why| format!("{} cannot be read: {why}", path.display()))?;
    if about.len() > calendar::CALENDAR_MAX_BYTES || !about.is_file() {
        return Err(format!("{} is no calendar file of up to 4 MiB", path.display()));
    }
    fs::read_to_string(&path).map_err(|why| format!("{} cannot be read: {why}", path.display()))
}

/// The files whose words count: the two, the profiles of operators and the calendars beside them, each in the order of
/// their names.
#[must_use]
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let both = [MACHINE_FILE, RULES_FILE].map(|name| dir.join(name));
    both.into_iter().chain(ending(&dir.join(PROFILES), "toml")).chain(calendars(dir)).collect()
}

/// The calendars beside the two files, in the order of their names.
#[must_use]
pub fn calendars(dir: &Path) -> Vec<PathBuf> {
    ending(dir, "ics")
}

fn ending(dir: &Path, wanted: &str) -> Vec<PathBuf> {
    let listed = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut found: Vec<PathBuf> =
        listed.filter(|path| path.extension().is_some_and(|extension| extension == wanted)).collect();
    found.sort();
    found
}

/// What the files hold, in 32 bytes: it changes whenever one of them does. A file that is not there counts as such.
///
/// # Errors
/// If a file is there and cannot be read.
pub fn fingerprint(dir: &Path) -> io::Result<[u8; 32]> {
    let mut digest = Sha256::new();
    for path in files(dir) {
        match fs::read(path) {
            Ok(bytes) => {
                digest.update([1]);
                digest.update((bytes.len() as u64).to_be_bytes());
                digest.update(&bytes);
            }
            Err(why) if why.kind() == ErrorKind::NotFound => digest.update([0]),
            Err(why) => return Err(why),
        }
    }
    Ok(digest.finalize().into())
}

/// A file, and why it could not be read: where, what, remedy.
struct Sheet {
    source: Source,
    trouble: Option<(usize, String, String)>,
}

fn read_file(path: &Path) -> Sheet {
    let failed = |text: String, (at, what, help): (usize, String, &str)| Sheet {
        source: Source { path: path.to_owned(), text },
        trouble: Some((at, what, help.to_owned())),
    };
    let bytes = match fs::metadata(path) {
        Ok(about) if about.len() > FILE_MAX => {
            return failed(String::new(), (0, "the file is larger than 64 MiB".to_owned(), "is it the right file?"));
        }
        Ok(_) => fs::read(path),
        Err(why) => Err(why),
    };
    match bytes.map(String::from_utf8) {
        Ok(Ok(text)) => Sheet { source: Source { path: path.to_owned(), text }, trouble: None },
        Ok(Err(broken)) => {
            let at = broken.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(broken.as_bytes()).into_owned();
            failed(text, (at, "the file is not UTF-8 from here on".to_owned(), "save it as UTF-8"))
        }
        Err(why) if why.kind() == ErrorKind::NotFound => {
            let help = "`simkeeper init` writes a sample of both files; --config DIR names another folder";
            failed(String::new(), (0, "the file does not exist".to_owned(), help))
        }
        Err(why) => {
            failed(String::new(), (0, format!("the file cannot be read: {why}"), "check its owner and its mode"))
        }
    }
}

fn check(
    (machine_sheet, rules_sheet): (&Sheet, &Sheet),
    today: Option<Date>,
    calendars: Calendars<'_>,
    probe: impl Fn(&SecretRef) -> Option<SecretError>,
) -> Result<Config, Problems> {
    let mut machine_notes = Notes::new(&machine_sheet.source);
    let machine_table = read_sheet::<MachineTable>(machine_sheet, &mut machine_notes).unwrap_or_default();
    let machine = machine(&machine_table, &mut machine_notes);
    note_secrets(&mut machine_notes, probe);

    let mut rules_notes = Notes::new(&rules_sheet.source);
    let rules_table = read_sheet::<RulesTable>(rules_sheet, &mut rules_notes).unwrap_or_default();
    let known = machine_notes.intact.then(|| Known {
        accounts: names(&machine_table.operator),
        people: names(&machine_table.person),
        machine: machine.as_ref(),
    });
    let rules = rules(&rules_table, known.as_ref(), (today, calendars), &mut rules_notes);

    let problems = Problems::new(machine_notes.finish().into_iter().chain(rules_notes.finish()).collect());
    match machine {
        Some(machine) if !problems.has_errors() => Ok(Config { machine, rules, warnings: problems }),
        Some(_) | None => Err(problems),
    }
}

fn read_sheet<T: reader::Value>(sheet: &Sheet, notes: &mut Notes<'_>) -> Option<T> {
    let Some((at, what, help)) = &sheet.trouble else { return parse::read(&sheet.source.text, notes) };
    notes.error(&(*at..*at), what, help.clone());
    notes.intact = false;
    None
}

/// Secrets that cannot be had are told now and not when the first one is needed. One that this user may not read is
/// only a warning: the daemon may run as another.
fn note_secrets(notes: &mut Notes<'_>, probe: impl Fn(&SecretRef) -> Option<SecretError>) {
    for At { value, span, .. } in std::mem::take(&mut notes.secrets) {
        let Some(error) = probe(&value) else { continue };
        let text = error.to_string();
        let (message, help) = text.split_once("; ").unwrap_or((&text, "check its owner and its mode"));
        match error {
            SecretError::Io { .. } => notes.warning(&span, message, help.to_owned()),
            SecretError::NoDirectory { .. }
            | SecretError::Loose { .. }
            | SecretError::Missing { .. }
            | SecretError::Empty { .. }
            | SecretError::Unfit { .. } => notes.error(&span, message, help.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
