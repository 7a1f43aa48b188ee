//! What single keys may hold: names, numbers, lengths, amounts, days, addresses. Each reads itself with a message that says
//! what would be right, and describes itself in the schema.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use lettre::Address;
use lettre::message::Mailbox;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use url::Url;

use super::declare::{texts, words};
use super::reader::{Node, Notes, Value, nearest};
use crate::domain::activity::Activity;
use crate::domain::card::{Name, disturbs};
use crate::domain::data::{DataSize, Percent};
use crate::domain::digest::clock;
use crate::domain::enough::NotEnough;
use crate::domain::identity::{Eid, Iccid, Imei, Msisdn};
use crate::domain::money::{Currency, Money};
use crate::domain::rule::Mode;
use crate::domain::time::{LocalHours, Secs};
use crate::domain::unanswered::Fallback;

/// The text of a node; a number where a text belongs is most often a number that lacks its quotes.
pub(super) fn text<'a>(node: &Node<'a>, notes: &mut Notes<'_>, about: &str, example: &str) -> Option<&'a str> {
    if let Some(text) = node.as_text() {
        return Some(text);
    }
    match node.as_digits() {
        Some(digits) => {
            let help = match digits.len() {
                // Long enough for a number that somebody forgot to quote; shorter ones lack a unit.
                7.. => format!("write it in quotes: {} = \"{digits}\"", node.name()),
                _ => format!("such as {} = \"{example}\"", node.name()),
            };
            notes.error(&node.span, format!("`{}` takes {about} in quotes, not a bare number", node.path), help);
        }
        None => notes.wrong_kind(node, about, &format!("\"{example}\"")),
    }
    None
}

texts! {
    Name, "Name", "a name", r"^\S(.{0,78}\S)?$", "anna", Name::parse;
    Currency, "Currency", "a currency code of ISO 4217", "^[A-Z]{3}$", "CAD", Currency::parse;
    Money, "Money", "an amount of money", r"^[0-9]+(\.[0-9]+)? [A-Z]{3}$", "15 USD", Money::parse;
    Secs, "Length", "a length of time", "^[0-9]+[smhdw]$", "36h", Secs::parse;
    LocalHours, "Hours", "a span of hours", "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$", "01:00-06:00", LocalHours::parse;
    DataSize, "Data", "an amount of data", r"^[0-9]+(\.[0-9]+)? ([kMGT]?B|[KMGT]iB)$", "500 MB", DataSize::parse;
    DataBelow, "DataBelow", "an amount of data or a share of it", r"^([0-9]+(\.[0-9]+)? ([kMGT]?B|[KMGT]iB)|[0-9]+%)$", "500 MB", DataBelow::parse;
    LengthShare, "LengthShare", "a share", "^([0-9]|[1-9][0-9]|100)%$", "50%", |text| Percent::parse(text, 100).map(LengthShare);
    Rise, "Rise", "a percentage", "^[0-9]+%$", "10%", |text| Percent::parse(text, 1_000).map(Rise);
    Iccid, "Iccid", "an ICCID", "^[0-9][0-9 -]{17,}$", "8901260862291234567", Iccid::parse;
    Msisdn, "Msisdn", "a phone number", r"^\+?[0-9 .()-]{7,}$", "+16135550123", Msisdn::parse;
    Imei, "Imei", "an IMEI", "^[0-9][0-9 -]{14,}$", "490154203237518", Imei::parse;
    Eid, "Eid", "an EID", "^[0-9][0-9 -]{31,}$", "89049032123451234512345678901235", Eid::parse;
    Words, "Words", "a text", r"^.{1,500}$", "text", words_of;
    Zone, "Zone", "a time zone", r"^[A-Za-z0-9_+/-]+$", "America/Toronto", zone_of;
    HttpUrl, "HttpUrl", "an http or https address", "^https?://", "https://sms.example.net/send", |text| http_url(text).map(HttpUrl);
    SafeUrl, "SafeUrl", "an https address", "^https?://", "https://sms.example.net/send", safe_url;
    LocalUrl, "LocalUrl", "an address on this machine", "^https?://", "http://127.0.0.1:7460/", local_url;
    MailAddress, "MailAddress", "a mail address", "@", "anna@example.net", mail_address;
    Sender, "Sender", "the sender of mails", "@", "simkeeper <keeper@example.net>", sender;
    HostName, "HostName", "the name of a host", r"^[A-Za-z0-9.:-]+$", "mail.example.net", host_name;
    TwilioAccount, "TwilioAccount", "a Twilio account SID", "^AC[0-9a-f]{32}$", "AC00112233445566778899aabbccddeeff", twilio_account;
    CredentialName, "CredentialName", "the name of a credential", r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", "airalo-secret", credential_name;
    WholePath, "WholePath", "a whole path", "^/", "/etc/simkeeper/secret", whole_path;
    Daily, "Daily", "a time of the day, in UTC", r"^daily( [0-2][0-9]:[0-5][0-9])?$", "daily 03:30", Daily::parse;
}

words! {
    Fallback, "an answer": { "buy" => Fallback::Buy, "refuse" => Fallback::Refuse, }
    Activity, "an activity": { "credit" => Activity::Credit, "plan" => Activity::Plan, }
    NotEnough, "a way out": { "once" => NotEnough::Once, "refuse" => NotEnough::Refuse, "enough" => NotEnough::Enough, }
    Mode, "a mode": { "watch" => Mode::Watch, "ask" => Mode::Ask, "auto" => Mode::Auto, }
}

/// How little data: an amount, or a share of what there was.
#[derive(Clone, Copy, Debug)]
pub(super) enum DataBelow {
    Size(DataSize),
    Share(Percent),
}

impl DataBelow {
    fn parse(text: &str) -> Result<Self, String> {
        if text.ends_with('%') {
            Percent::parse(text, 100).map(Self::Share)
        } else {
            DataSize::parse(text).map(Self::Size)
        }
    }
}

/// How much dearer something may have become.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rise(pub(super) Percent);

/// A share of a plan's length.
#[derive(Clone, Copy, Debug)]
pub(super) struct LengthShare(pub(super) Percent);

/// A text in one line, in the owner's words.
#[derive(Clone, Debug)]
pub(super) struct Words(pub(super) String);

fn words_of(text: &str) -> Result<Words, String> {
    let count = text.chars().count();
    if count == 0 || count > 500 || text.chars().any(disturbs) {
        return Err(
            "this text is empty, longer than 500 characters, or has line ends or control characters in it".into()
        );
    }
    Ok(Words(text.to_owned()))
}

/// A time zone of the IANA database.
#[derive(Clone, Debug)]
pub(super) struct Zone(pub(super) TimeZone);

fn zone_of(text: &str) -> Result<Zone, String> {
    TimeZone::get(text).map(Zone).map_err(|_| {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        if known.is_empty() {
            return format!("`{text}` is not known, as no time zone is on this system; install the package tzdata");
        }
        match nearest(text, known.iter().map(String::as_str)) {
            Some(near) => format!("`{text}` is not a time zone; did you mean `{near}`?"),
            None => format!("`{text}` is not a time zone; write a name such as \"America/Toronto\" or \"UTC\""),
        }
    })
}

/// An address of a service on the web.
#[derive(Clone, Debug)]
pub(super) struct HttpUrl(pub(super) Url);

/// An address to which the way is protected, or short.
#[derive(Clone, Debug)]
pub(super) struct SafeUrl(pub(super) Url);

/// An address on this machine.
#[derive(Clone, Debug)]
pub(super) struct LocalUrl(pub(super) Url);

/// An address with a host, and without a login.
pub(super) fn http_url(text: &str) -> Result<Url, String> {
    let wrong = || format!("`{text}` is not a web address; write one such as \"https://sms.example.net/send\"");
    let no_login = "an address holds no user and no password; name them as secrets: { credential = \"…\" }";
    let url = Url::parse(text).map_err(|_| if text.contains('@') { no_login.into() } else { wrong() })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(no_login.into());
    }
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong());
    }
    Ok(url)
}

fn safe_url(text: &str) -> Result<SafeUrl, String> {
    let url = http_url(text)?;
    not_in_clear(&url)?;
    Ok(SafeUrl(url))
}

fn local_url(text: &str) -> Result<LocalUrl, String> {
    let url = http_url(text)?;
    if url.host_str().is_some_and(is_loopback) {
        return Ok(LocalUrl(url));
    }
    Err(format!("`{text}` is not on this machine; only 127.0.0.1, [::1] and localhost are taken here"))
}

/// Whether a host is this machine and nothing else.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a host is this machine or has a private address.
pub(super) fn is_near(host: &str) -> bool {
    let private = match host.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(IpAddr::V4(address)) => address.is_private(),
        Ok(IpAddr::V6(address)) => address.is_unique_local(),
        Err(_) => false,
    };
    private || is_loopback(host)
}

/// What is told to strangers on the way would be no secret any more.
pub(super) fn not_in_clear(url: &Url) -> Result<(), String> {
    if url.scheme() == "https" || url.host_str().is_some_and(is_near) {
        return Ok(());
    }
    Err("plain http shows passwords on its way; write https://, or an address inside this machine or a private network"
        .into())
}

/// A mail address without a name.
#[derive(Clone, Debug)]
pub(super) struct MailAddress(pub(super) Address);

fn mail_address(text: &str) -> Result<MailAddress, String> {
    text.parse().map(MailAddress).map_err(|_| format!("`{text}` is not a mail address; write \"anna@example.net\""))
}

/// A mail address with or without a name.
#[derive(Clone, Debug)]
pub(super) struct Sender(pub(super) Mailbox);

fn sender(text: &str) -> Result<Sender, String> {
    let wrong = || format!("`{text}` is not a sender; write \"simkeeper <keeper@example.net>\"");
    if text.chars().any(disturbs) { Err(wrong()) } else { text.parse().map(Sender).map_err(|_| wrong()) }
}

/// A host by name or number.
#[derive(Clone, Debug)]
pub(super) struct HostName(pub(super) String);

fn host_name(text: &str) -> Result<HostName, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    if text.is_empty() || text.len() > 253 || !text.chars().all(good) {
        return Err(format!(
            "`{text}` is not the name of a host; write \"mail.example.net\", the port under its own key"
        ));
    }
    Ok(HostName(text.to_owned()))
}

/// A Twilio account SID.
#[derive(Clone, Debug)]
pub(super) struct TwilioAccount(pub(super) String);

fn twilio_account(text: &str) -> Result<TwilioAccount, String> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    match text.strip_prefix("AC") {
        Some(rest) if rest.len() == 32 && rest.bytes().all(hex) => Ok(TwilioAccount(text.to_owned())),
        _ => Err(format!("`{text}` is not a Twilio account SID; it is AC and 32 of the characters 0-9 and a-f")),
    }
}

/// The name of a file in systemd's credentials directory.
#[derive(Clone, Debug)]
pub(super) struct CredentialName(pub(super) String);

fn credential_name(text: &str) -> Result<CredentialName, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.is_empty() || text.len() > 255 || text.starts_with(['.', '-']) || !text.chars().all(good) {
        return Err(
            "this is not the name of a credential; it has letters, digits, `-`, `_` and `.`, such as \"airalo-secret\""
                .into(),
        );
    }
    Ok(CredentialName(text.to_owned()))
}

/// A path from the root.
#[derive(Clone, Debug)]
pub(super) struct WholePath(pub(super) PathBuf);

fn whole_path(text: &str) -> Result<WholePath, String> {
    if !Path::new(text).is_absolute() || text.contains('\0') {
        return Err(format!("`{text}` is not a whole path; begin with /, since the daemon may be started anywhere"));
    }
    Ok(WholePath(PathBuf::from(text)))
}

/// Once a day, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daily {
    /// 0 to 23.
    pub hour: i8,
    /// 0 to 59.
    pub minute: i8,
}

impl Daily {
    /// Half past three: after the hours in which most people and backups of machines are busy.
    const USUAL: Self = Self { hour: 3, minute: 30 };

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a daily time; write \"daily\" or \"daily 03:30\" (UTC)");
        match text.strip_prefix("daily").ok_or_else(wrong)? {
            "" => Ok(Self::USUAL),
            rest => {
                rest.strip_prefix(' ').and_then(clock).map(|(hour, minute)| Self { hour, minute }).ok_or_else(wrong)
            }
        }
    }
}

/// A day, written as TOML writes dates: `2026-12-01`, without quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day(pub(super) Date);

impl JsonSchema for Day {
    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "title": "a day without quotes, such as 2026-12-01" })
    }
}

impl Value for Day {
    fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Self> {
        if let Some(date) = node.as_date() {
            let numbers = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
            if let (Ok(year), Ok(month), Ok(day)) = numbers
                && let Ok(day) = Date::new(year, month, day)
            {
                return Some(Self(day));
            }
        }
        let found = node.as_text().map_or_else(|| node.what().to_owned(), |text| format!("`{text}`"));
        let help = node.as_text().map_or_else(day_help, day_meant);
        notes.error(&node.span, format!("`{}` takes a day, not {found}", node.path), help);
        None
    }
}

fn day_help() -> String {
    "write year-month-day without quotes and without a time, such as 2026-12-01".to_owned()
}

/// What somebody may have meant who wrote a day in another way; a day that can be read in two ways is never guessed.
pub(super) fn day_meant(text: &str) -> String {
    if let Ok(date) = text.parse::<Date>() {
        return format!("write {date} without quotes");
    }
    let numbers: Vec<i16> = text.split(['/', '.', '-']).filter_map(|part| part.parse().ok()).collect();
    let day =
        |year: i16, month: i16, day: i16| Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok();
    let meant = match numbers.as_slice() {
        [first, second, year] if *year >= 1_000 => [day(*year, *second, *first), day(*year, *first, *second)],
        [year, second, third] if *year >= 1_000 => [day(*year, *second, *third), None],
        _ => [None, None],
    };
    match meant {
        [Some(a), Some(b)] if a == b => format!("write {a} without quotes"),
        [Some(a), Some(b)] => format!("is it {a} or {b}? write the one that is meant, without quotes"),
        [Some(one), None] | [None, Some(one)] => format!("write {one} without quotes"),
        [None, None] => day_missing(&numbers).unwrap_or_else(day_help),
    }
}

/// How long the month is, if that is what is wrong with a day.
fn day_missing(numbers: &[i16]) -> Option<String> {
    let [year @ 1_000..=9_999, month, _] = *numbers else { return None };
    let first = Date::new(year, i8::try_from(month).ok()?, 1).ok()?;
    Some(format!("{year}-{month:02} has {} days; write one of them, without quotes", first.days_in_month()))
}
