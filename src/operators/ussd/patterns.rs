//! From a text to a reading, by the patterns of the person who has the card.
//!
//! Patterns of texts that tell nothing come first, since notices of maintenance are full of digits. Then the first pattern
//! that fits tells, by its named groups. A text that no pattern fits, or a group that is not clearly what it should be, is
//! no reading: never a part of one, and never a zero.

use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;
use regex::{Captures, Regex, RegexBuilder};

use super::numbers;
use super::setup::{Ends, UssdSettings, UssdSetupError};
use crate::domain::card::tamed;
use crate::domain::identity::masked;
use crate::domain::money::{Currency, Money};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, EndKind, Reading};
use crate::domain::time::{End, UnixTime, first_instant};

/// Groups that tell something; amounts of one kind may be told in parts, as `credit`, `credit_2` and so on, and are added.
const AMOUNTS: [&str; 4] = ["credit", "data", "voice", "sms"];
/// Groups that say something about others.
const OTHERS: [&str; 3] = ["currency", "data_unit", "ends"];
/// Parts of one kind.
const PARTS_MAX: usize = 9;
/// A text of USSD has 182 characters at most; this leaves room for networks that send several.
const TEXT_MAX_CHARS: usize = 2_000;
/// The memory that one pattern may take.
const PATTERN_MAX_BYTES: usize = 1 << 20;
/// Digits in a row that are taken for a number of a phone, a card or a voucher, and are not shown.
const LONG_NUMBER: usize = 7;

/// What a text tells.
#[derive(Debug)]
pub(super) enum Told {
    /// A reading.
    Reading(Box<Reading>),
    /// That nothing can be told now.
    NotNow(String),
    /// Nothing that can be understood.
    Nothing(String),
}

/// One step through a menu.
#[derive(Debug)]
pub(super) struct Step {
    expect: Regex,
    /// The answer.
    pub(super) reply: String,
}

impl Step {
    /// Whether this is the menu that the answer is for.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.expect.is_match(text)
    }
}

/// The patterns of one account.
#[derive(Debug)]
pub(super) struct Patterns {
    menu: Vec<Step>,
    no_balance: Vec<Regex>,
    balance: Vec<Regex>,
    currency: Currency,
    currency_words: Vec<String>,
    comma: bool,
    data_unit: Option<String>,
    ends: Option<Ends>,
    zone: TimeZone,
}

impl Patterns {
    pub(super) fn new(settings: &UssdSettings) -> Result<Self, UssdSetupError> {
        let balance = regexes("balance", &settings.balance)?;
        for pattern in &balance {
            check_groups(pattern, settings)?;
        }
        if let Some(unit) = settings.data_unit.as_ref().filter(|unit| numbers::factor_of(unit).is_none()) {
            let why = format!("`{unit}` under `data_unit` is not a unit of data such as MB, GB, MiB or GiB");
            return Err(UssdSetupError::Other(why));
        }
        let step = |step: &super::MenuStep| {
            Ok(Step { expect: regex("menu.expect", &step.expect)?, reply: step.reply.clone() })
        };
        Ok(Self {
            menu: settings.menu.iter().map(step).collect::<Result<_, UssdSetupError>>()?,
            no_balance: regexes("no_balance", &settings.no_balance)?,
            balance,
            currency: settings.currency,
            currency_words: settings.currency_words.clone(),
            comma: settings.decimal_comma,
            data_unit: settings.data_unit.clone(),
            ends: settings.ends.clone(),
            zone: settings.zone.clone(),
        })
    }

    /// The way through menus.
    pub(super) fn menu(&self) -> &[Step] {
        &self.menu
    }

    /// Whether a text is one of those that were described.
    pub(super) fn fit(&self, text: &str) -> bool {
        self.no_balance.iter().chain(&self.balance).any(|pattern| pattern.is_match(text))
    }

    /// What a text tells.
    pub(super) fn told(&self, text: &str, now: UnixTime) -> Told {
        if text.chars().count() > TEXT_MAX_CHARS {
            return Told::Nothing(format!("it is longer than {TEXT_MAX_CHARS} characters: {}", shown(text)));
        }
        if self.no_balance.iter().any(|pattern| pattern.is_match(text)) {
            return Told::NotNow(format!("the operator tells no balance now: {}", shown(text)));
        }
        let Some(groups) = self.balance.iter().find_map(|pattern| pattern.captures(text)) else {
            return Told::Nothing(format!("no pattern under `balance` fits it: {}", shown(text)));
        };
        match self.reading(&groups, now) {
            Ok(reading) => Told::Reading(Box::new(reading)),
            Err(why) => Told::Nothing(format!("{}, in: {}", tamed(&why, 200), shown(text))),
        }
    }

    fn reading(&self, groups: &Captures<'_>, now: UnixTime) -> Result<Reading, String> {
        let mut reading = Reading::empty(now, CardState::Unknown);
        let end = self.end(groups)?;
        if let (Some(end), Some(ends)) = (end, &self.ends) {
            match ends.of {
                EndKind::Plan => reading.plan_ends = Some(end),
                EndKind::Credit => reading.credit_ends = Some(end),
                EndKind::Number => reading.number_ends = Some(end),
            }
        }
        let amounts = [self.credit(groups)?, self.data(groups)?, self.voice(groups)?, self.sms(groups)?];
        let allowances = amounts.into_iter().flatten();
        reading.allowances = allowances.map(|(kind, left)| self.allowance(kind, left, end)).collect();
        if reading.allowances.is_empty() && end.is_none() {
            return Err("a pattern fits, but none of its groups holds anything".into());
        }
        Ok(reading)
    }

    fn allowance(&self, kind: AllowanceKind, remaining: i64, end: Option<End>) -> Allowance {
        let of = self.ends.as_ref().map(|ends| ends.of);
        let ends = match (kind, of) {
            (AllowanceKind::Credit(_), Some(EndKind::Credit)) => end,
            (AllowanceKind::Data | AllowanceKind::Voice | AllowanceKind::Sms, Some(EndKind::Plan)) => end,
            (_, Some(EndKind::Plan | EndKind::Credit | EndKind::Number) | None) => None,
        };
        let state = AllowanceState::Active;
        Allowance { kind, remaining, total: None, unlimited: false, state, starts: None, ends }
    }

    fn credit(&self, groups: &Captures<'_>) -> Result<Option<(AllowanceKind, i64)>, String> {
        let kind = AllowanceKind::Credit(self.currency);
        let sum = sum(parts(groups, "credit"), |_, text| {
            let amount = Money::from_decimal(&numbers::plain(text, self.comma)?, self.currency)?;
            Ok(amount.ten_thousandths())
        })?;
        if let Some(word) = groups.name("currency").map(|found| found.as_str().trim()) {
            let known = word == self.currency.code() || self.currency_words.iter().any(|known| known == word);
            if !known {
                return Err(format!("`{word}` is neither {} nor among `currency_words`", self.currency));
            }
        }
        Ok(sum.map(|sum| (kind, sum)))
    }

    fn data(&self, groups: &Captures<'_>) -> Result<Option<(AllowanceKind, i64)>, String> {
        let sum = sum(parts(groups, "data"), |place, text| {
            let own = part(groups, "data_unit", place).or_else(|| part(groups, "data_unit", 1));
            let unit = own.or(self.data_unit.as_deref());
            let unit = unit.ok_or_else(|| format!("`{text}` of data has no unit"))?;
            numbers::bytes(text, unit, self.comma)
        })?;
        Ok(sum.map(|sum| (AllowanceKind::Data, sum)))
    }

    fn voice(&self, groups: &Captures<'_>) -> Result<Option<(AllowanceKind, i64)>, String> {
        let sum = sum(parts(groups, "voice"), |_, text| numbers::voice_secs(text, self.comma))?;
        Ok(sum.map(|sum| (AllowanceKind::Voice, sum)))
    }

    fn sms(&self, groups: &Captures<'_>) -> Result<Option<(AllowanceKind, i64)>, String> {
        let sum = sum(parts(groups, "sms"), |_, text| numbers::count(text, self.comma))?;
        Ok(sum.map(|sum| (AllowanceKind::Sms, sum)))
    }

    /// The end, where the text tells one.
    fn end(&self, groups: &Captures<'_>) -> Result<Option<End>, String> {
        let Some(text) = groups.name("ends").map(|found| found.as_str().trim()) else { return Ok(None) };
        let formats = self.ends.iter().flat_map(|ends| &ends.formats);
        let told = formats.filter_map(|format| strtime::parse(format, text).ok());
        told.filter_map(|told| end_of(&told, &self.zone))
            .next()
            .map(Some)
            .ok_or_else(|| format!("`{text}` fits none of the forms under `ends_format`"))
    }
}

/// A day, or an instant where a time is told with it.
fn end_of(told: &BrokenDownTime, zone: &TimeZone) -> Option<End> {
    let day = told.to_date().ok()?;
    if told.hour().is_none() {
        return Some(End::on(day, zone));
    }
    Some(End::at(first_instant(told.to_datetime().ok()?, zone)))
}

/// The parts of one kind that the text holds, with their places.
fn parts<'t>(groups: &Captures<'t>, name: &str) -> Vec<(usize, &'t str)> {
    (1..=PARTS_MAX).filter_map(|place| Some((place, part(groups, name, place)?))).collect()
}

fn part<'t>(groups: &Captures<'t>, name: &str, place: usize) -> Option<&'t str> {
    let found = if place == 1 { groups.name(name) } else { groups.name(&format!("{name}_{place}")) };
    found.map(|found| found.as_str().trim())
}

/// The sum of the parts; none if there is no part.
fn sum(parts: Vec<(usize, &str)>, value: impl Fn(usize, &str) -> Result<i64, String>) -> Result<Option<i64>, String> {
    let mut total = None;
    for (place, text) in parts {
        let sum = total.unwrap_or(0_i64).checked_add(value(place, text)?);
        total = Some(sum.ok_or_else(|| "the sum of its parts is too large".to_owned())?);
    }
    Ok(total)
}

/// A text of the network for people: tamed, and without numbers of phones, cards and vouchers.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    let mut digits = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        shown.push_str(&if digits.len() < LONG_NUMBER { digits.clone() } else { masked(&digits) });
        digits.clear();
        shown.push(c);
    }
    format!("\"{}\"", tamed(&shown, 200))
}

/// The patterns of a key.
pub(super) fn regexes(key: &'static str, texts: &[String]) -> Result<Vec<Regex>, UssdSetupError> {
    texts.iter().map(|text| regex(key, text)).collect()
}

fn regex(key: &'static str, pattern: &str) -> Result<Regex, UssdSetupError> {
    let wrong = |why: &str| UssdSetupError::Pattern { key, pattern: pattern.to_owned(), why: why.to_owned() };
    let regex = RegexBuilder::new(pattern).size_limit(PATTERN_MAX_BYTES).build().map_err(|error| {
        // The library draws the place in several lines; the last one says what is wrong.
        let text = error.to_string();
        wrong(text.lines().last().unwrap_or_default().trim_start_matches("error: "))
    })?;
    if regex.is_match("") {
        return Err(wrong("it fits an empty text, and so every text"));
    }
    Ok(regex)
}

/// Every named group must be known, and what it needs must be there.
fn check_groups(pattern: &Regex, settings: &UssdSettings) -> Result<(), UssdSetupError> {
    let wrong = |why: String| UssdSetupError::Pattern { key: "balance", pattern: pattern.as_str().to_owned(), why };
    let names: Vec<&str> = pattern.capture_names().flatten().collect();
    for name in &names {
        let whole = name
            .split_once("_")
            .filter(|(_, place)| matches!(place.as_bytes(), [b'2'..=b'9']))
            .map_or(*name, |(whole, _)| whole);
        let unit = name.strip_prefix("data_unit_").is_some_and(|place| matches!(place.as_bytes(), [b'2'..=b'9']));
        if !unit && !AMOUNTS.contains(&whole) && !OTHERS.contains(name) {
            let known = [&AMOUNTS[..], &OTHERS[..]].concat().join(", ");
            return Err(wrong(format!("`{name}` is not a known group; known are {known}, and credit_2 and so on")));
        }
    }
    if !names.iter().any(|name| *name == "ends" || AMOUNTS.iter().any(|known| name == known)) {
        return Err(wrong("it has no named group, such as (?P<credit>[0-9.]+)".into()));
    }
    if names.contains(&"ends") && settings.ends.as_ref().is_none_or(|ends| ends.formats.is_empty()) {
        return Err(wrong("its group `ends` needs `ends` (plan, credit or number) and `ends_format`".into()));
    }
    if names.contains(&"data") && settings.data_unit.is_none() && !names.contains(&"data_unit") {
        return Err(wrong("its group `data` needs a group `data_unit`, or the key `data_unit`".into()));
    }
    Ok(())
}
