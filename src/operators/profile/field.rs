//! What is taken from an answer, and how it is to be understood: texts, words, amounts, money, instants, lengths.
//! What is missing or null is absent, never zero.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::Value;

use super::path::{Doc, Path, Paths, same, scalar};
use super::units::{told_data_factor, told_length_factor};
use crate::domain::money::{Currency, Money};
use crate::domain::time::{End, UnixTime, first_instant};
use crate::operators::kit::{Loose, millis, time_in};

/// Which of several values is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pick {
    /// There is one; several are an error.
    #[default]
    One,
    /// The first in the order of the answer.
    First,
    /// The last in the order of the answer.
    Last,
    /// The smallest or earliest.
    Least,
    /// The largest or latest.
    Most,
}

/// A place in an answer, and which of its values mean "nothing".
#[derive(Clone, Debug)]
pub(super) struct At {
    pub(super) paths: Paths,
    pub(super) pick: Pick,
    pub(super) absent: Vec<String>,
}

impl At {
    /// One path.
    pub(super) fn of(path: Path) -> Self {
        Self { paths: Paths(vec![path]), pick: Pick::One, absent: Vec::new() }
    }

    /// The texts that stand there, without those that mean nothing.
    pub(super) fn texts(&self, doc: Doc<'_>) -> Vec<String> {
        let told = self.paths.hits(doc).into_iter().filter_map(scalar);
        told.filter(|text| !self.absent.iter().any(|absent| same(absent, text))).collect()
    }

    /// The one text.
    ///
    /// # Errors
    /// Several stand there, or something that is neither text nor number.
    pub(super) fn text(&self, doc: Doc<'_>) -> Result<Option<String>, String> {
        if matches!(self.pick, Pick::One)
            && let Some(Value::Array(_) | Value::Object(_)) = self.paths.one(doc)?
        {
            return Err(format!("what stands at {} is neither a text nor a number", self.paths.shown()));
        }
        let mut texts = self.texts(doc);
        Ok(match self.pick {
            Pick::Last => texts.pop(),
            Pick::One | Pick::First | Pick::Least | Pick::Most => {
                if texts.is_empty() {
                    None
                } else {
                    Some(texts.swap_remove(0))
                }
            }
        })
    }

    /// The values of what stands there, as `read` understands them, and of them the one that is meant.
    fn picked<T: Ord>(&self, doc: Doc<'_>, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
        let here = |why: String| format!("{}: {why}", self.paths.shown());
        match self.pick {
            Pick::One | Pick::First | Pick::Last => self.text(doc)?.map(|text| read(&text)).transpose().map_err(here),
            Pick::Least => Ok(self.each(doc, read).map_err(here)?.into_iter().min()),
            Pick::Most => Ok(self.each(doc, read).map_err(here)?.into_iter().max()),
        }
    }

    fn each<T>(&self, doc: Doc<'_>, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
        self.texts(doc).iter().map(|text| read(text)).collect()
    }
}

/// A unit that is fixed, or told in the answer.
#[derive(Clone, Debug)]
pub(super) enum Unit {
    /// This many of the smallest unit.
    Fixed(i64),
    /// A word in the answer.
    Told(At),
}

/// An amount of data, calls or messages.
#[derive(Clone, Debug)]
pub(super) struct Amount {
    pub(super) at: At,
    pub(super) unit: Unit,
}

impl Amount {
    /// In bytes, seconds or messages.
    pub(super) fn whole(&self, doc: Doc<'_>) -> Result<Option<i64>, String> {
        let factor = match &self.unit {
            Unit::Fixed(factor) => *factor,
            Unit::Told(at) => match at.text(doc)? {
                Some(unit) => told_data_factor(&unit)
                    .or_else(|| told_length_factor(&unit))
                    .ok_or_else(|| format!("`{unit}` is no unit"))?,
                None => return Ok(None),
            },
        };
        self.at.picked(doc, |text| Loose(text.to_owned()).scaled(factor))
    }
}

/// A currency that is fixed, or told in the answer.
#[derive(Clone, Debug)]
pub(super) enum CurrencyAt {
    Fixed(Currency),
    Told(At),
}

/// What a number of money counts.
#[derive(Clone, Debug)]
pub(super) enum Scale {
    /// Units: dollars.
    Major,
    /// Minor units by the currency: cents, yen.
    Minor,
    /// Parts, this many in a unit.
    Parts(i64),
    /// Parts, as many in a unit as the answer says.
    Told(At),
}

/// An amount of money.
#[derive(Clone, Debug)]
pub(super) struct MoneyAt {
    pub(super) at: At,
    pub(super) currency: CurrencyAt,
    pub(super) scale: Scale,
    /// What is to be added, such as fees.
    pub(super) plus: Vec<Paths>,
    /// What is to be taken off, such as test credit.
    pub(super) minus: Vec<Paths>,
}

impl MoneyAt {
    /// The amount.
    pub(super) fn money(&self, doc: Doc<'_>) -> Result<Option<Money>, String> {
        let Some(text) = self.at.text(doc)? else { return Ok(None) };
        let currency = match &self.currency {
            CurrencyAt::Fixed(currency) => *currency,
            CurrencyAt::Told(at) => {
                let code =
                    at.text(doc)?.ok_or_else(|| format!("{} is money without a currency", self.at.paths.shown()))?;
                Currency::parse(&code.to_ascii_uppercase())?
            }
        };
        let parts = match &self.scale {
            Scale::Major => 1,
            Scale::Minor => 10_i64.pow(currency.places()),
            Scale::Parts(parts) => *parts,
            Scale::Told(at) => {
                let told = at.text(doc)?.ok_or_else(|| format!("it has no divisor at {}", at.paths.shown()))?;
                Loose(told).whole().ok().filter(|parts| *parts > 0).ok_or("the divisor is no whole number above 0")?
            }
        };
        let mut sum = number(&text)?;
        for more in side(&self.plus, doc)? {
            sum = sum.checked_add(more).ok_or("the sum is too large")?;
        }
        for less in side(&self.minus, doc)? {
            sum = sum.checked_sub(less).ok_or("the sum is too large")?;
        }
        let amount = sum.checked_div(Decimal::from(parts)).ok_or("the amount is too large")?;
        Money::from_decimal(&amount.normalize().to_string(), currency).map(Some)
    }
}

/// What is added or taken off. All of it must be there, or the sum would be wrong.
fn side(paths: &[Paths], doc: Doc<'_>) -> Result<Vec<Decimal>, String> {
    let told = |paths: &Paths| {
        let text = paths.one(doc)?.and_then(scalar).ok_or_else(|| format!("it has no {}", paths.shown()))?;
        number(&text)
    };
    paths.iter().map(told).collect()
}

fn number(text: &str) -> Result<Decimal, String> {
    Loose(text.to_owned())
        .decimal()
        .ok_or_else(|| format!("`{}` is not an amount", crate::domain::card::tamed(text, 40)))
}

/// How instants are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TimeFormat {
    /// ISO 8601, with or without an offset, or a day alone.
    Iso,
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMillis,
    /// A pattern of `strptime`.
    Pattern(String),
}

/// An instant or a day.
#[derive(Clone, Debug)]
pub(super) struct TimeAt {
    pub(super) at: At,
    pub(super) format: TimeFormat,
    /// The zone of what is written without one.
    pub(super) zone: TimeZone,
    /// Whether a whole day is meant even if a time stands there.
    pub(super) whole_day: bool,
}

impl TimeAt {
    /// The instant; a day begins with its first instant.
    pub(super) fn instant(&self, doc: Doc<'_>) -> Result<Option<UnixTime>, String> {
        self.at.picked(doc, |text| match self.read(text)? {
            When::Day(day) => Ok(crate::domain::time::day_start(day, &self.zone)),
            When::Instant(at) => Ok(at),
        })
    }

    /// The end; a day is over when the next one begins.
    pub(super) fn end(&self, doc: Doc<'_>) -> Result<Option<End>, String> {
        let ends = self.at.picked(doc, |text| {
            let end = match self.read(text)? {
                When::Day(day) => End::on(day, &self.zone),
                When::Instant(at) if self.whole_day => End::on(at.date_in(&self.zone), &self.zone),
                When::Instant(at) => End::at(at),
            };
            Ok(Later(end))
        });
        Ok(ends?.map(|later| later.0))
    }

    fn read(&self, text: &str) -> Result<When, String> {
        let wrong = || format!("`{}` is not a time", crate::domain::card::tamed(text, 40));
        match &self.format {
            TimeFormat::Iso => {
                if text.len() == 10
                    && let Ok(day) = text.parse::<Date>()
                {
                    return if day.year() < 1970 { Err(wrong()) } else { Ok(When::Day(day)) };
                }
                time_in(text, &self.zone).map(When::Instant)
            }
            TimeFormat::Epoch => {
                let secs = Loose(text.to_owned()).scaled(1)?;
                UnixTime::new(secs).map(When::Instant).ok_or_else(wrong)
            }
            TimeFormat::EpochMillis => millis(Loose(text.to_owned()).scaled(1)?).map(When::Instant),
            TimeFormat::Pattern(pattern) => {
                let parsed = jiff::fmt::strtime::parse(pattern, text).map_err(|_| wrong())?;
                if let Ok(stamp) = parsed.to_timestamp() {
                    return UnixTime::new(stamp.as_second()).map(When::Instant).ok_or_else(wrong);
                }
                let at = parsed.to_datetime().map(Moment::Time).or_else(|_| parsed.to_date().map(Moment::Day));
                match at.map_err(|_| wrong())? {
                    Moment::Time(wall) if wall.year() >= 1970 && parsed.hour().is_some() => {
                        Ok(When::Instant(first_instant(wall, &self.zone)))
                    }
                    Moment::Time(wall) if wall.year() >= 1970 => Ok(When::Day(wall.date())),
                    Moment::Day(day) if day.year() >= 1970 => Ok(When::Day(day)),
                    Moment::Time(_) | Moment::Day(_) => Err(wrong()),
                }
            }
        }
    }
}

enum Moment {
    Time(DateTime),
    Day(Date),
}

enum When {
    Day(Date),
    Instant(UnixTime),
}

/// Ends in the order of their instants.
#[derive(PartialEq, Eq)]
struct Later(End);

impl Ord for Later {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.at.cmp(&other.0.at)
    }
}

impl PartialOrd for Later {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A length of time.
#[derive(Clone, Debug)]
pub(super) enum LengthAt {
    /// A number of units.
    Count(Amount),
    /// A duration of ISO 8601, such as `P30D`; a month is 30 days.
    Iso(At),
}

impl LengthAt {
    /// A number of seconds.
    pub(super) const fn seconds(at: At) -> Self {
        Self::Count(Amount { at, unit: Unit::Fixed(1) })
    }

    /// In seconds; a length that is not above zero is none.
    pub(super) fn secs(&self, doc: Doc<'_>) -> Result<Option<i64>, String> {
        let secs = match self {
            Self::Count(amount) => amount.whole(doc)?,
            Self::Iso(at) => at.picked(doc, iso_secs)?,
        };
        Ok(secs.filter(|secs| *secs > 0))
    }
}

fn iso_secs(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is not a duration such as P30D");
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let days = i64::from(span.get_years()) * 365 + i64::from(span.get_months()) * 30 + i64::from(span.get_weeks()) * 7;
    let days = days + i64::from(span.get_days());
    let hours = jiff::Span::new().try_hours(span.get_hours()).and_then(|rest| rest.try_minutes(span.get_minutes()));
    let rest = hours.and_then(|rest| rest.try_seconds(span.get_seconds())).map_err(|_| wrong())?;
    let rest = SignedDuration::try_from(rest).map_err(|_| wrong())?;
    Ok(days * 86_400 + rest.as_secs())
}

/// A word of the operator, and what it means to us.
#[derive(Clone, Debug)]
pub(super) struct Words<T> {
    pub(super) at: At,
    pub(super) words: BTreeMap<String, T>,
    /// What it means that there is no word.
    pub(super) missing: Option<T>,
}

impl<T: Copy> Words<T> {
    /// What the word means; `Err` holds a word that is not listed.
    pub(super) fn meaning(&self, doc: Doc<'_>) -> Result<Option<Result<T, String>>, String> {
        let Some(word) = self.at.text(doc)? else { return Ok(self.missing.map(Ok)) };
        let exact = self.words.get(&word).copied();
        let loose = || self.words.iter().find(|(known, _)| known.eq_ignore_ascii_case(&word)).map(|(_, told)| *told);
        Ok(Some(exact.or_else(loose).ok_or(word)))
    }
}
