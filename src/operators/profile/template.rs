//! Texts with placeholders, such as `/esims/{iccid}/bundles`: what may stand in them, and how they are filled.
//!
//! A placeholder is a name in braces with filters behind it: `{plan.price|minor|number}`. One that ends in `?` may be
//! missing, and what holds it is then left out. A brace that no small letter follows stands for itself.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::tree::Item;
use super::units::{data_factor, length_factor};
use crate::domain::money::Currency;
use crate::domain::operator::{OperatorError, RefusalKind};
use crate::domain::time::UnixTime;
use crate::operators::kit::{never, unknown};
use jiff::tz::TimeZone;

/// What placeholders stand for: instants in seconds since 1970, data in bytes, lengths in seconds, money as a decimal.
pub(super) type Values = BTreeMap<String, String>;

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot(Slot),
}

/// One placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Its name, such as `plan.id`.
    pub(super) name: String,
    /// Where it stands in the text.
    pub(super) within: std::ops::Range<usize>,
    filters: Vec<Filter>,
    optional: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Filter {
    Number,
    Minor,
    Data(i64),
    Length(i64),
    Rfc3339,
    Epoch,
    EpochMillis,
    Pattern(String),
    Plus,
    Uuid,
    First(usize),
    Last(usize),
    Part(usize),
}

/// Why a placeholder could not be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing stands for this name.
    Missing(String),
    /// What stands for it does not fit.
    Odd(String),
}

impl Gap {
    /// As an error about the card, if the card is what lacks.
    pub(super) fn error(&self) -> OperatorError {
        match self {
            Self::Missing(name) => {
                let key = name.strip_prefix("field.").map_or_else(|| name.clone(), |field| format!("fields.{field}"));
                match name.as_str() {
                    "iccid" | "msisdn" | "imei" | "eid" => needs_of_card(&key),
                    _ if name.starts_with("field.") => needs_of_card(&key),
                    _ => match name.strip_prefix("capture.") {
                        Some(captured) => unknown(format!("the answer before this request held no {captured}")),
                        None => unknown(format!("nothing is known to stand for {{{name}}}")),
                    },
                }
            }
            Self::Odd(why) => never(RefusalKind::CardData, why),
        }
    }
}

fn needs_of_card(key: &str) -> OperatorError {
    let add = match key.strip_prefix("fields.") {
        Some(field) => format!("fields = {{ {field} = \"…\" }}"),
        None => key.to_owned(),
    };
    never(RefusalKind::CardData, format!("this operator knows its cards by `{key}`; add `{add}` to the card"))
}

impl Template {
    /// A text without placeholders.
    pub(super) fn plain(text: &str) -> Self {
        Self { pieces: vec![Piece::Text(text.to_owned())] }
    }

    /// Reads a template where it stands in the file.
    pub(super) fn read(item: &Item<'_>) -> Option<Self> {
        let text = item.must_be_text()?;
        Self::parse(text).map_err(|(within, message, help)| item.wrong_at(within, message, help)).ok()
    }

    /// A template of ours, or one that was read before.
    pub(super) fn unchecked(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    fn parse(text: &str) -> Result<Self, (std::ops::Range<usize>, String, String)> {
        let (mut pieces, mut plain, mut at) = (Vec::new(), String::new(), 0);
        while let Some(found) = text[at..].find('{').map(|found| at + found) {
            plain.push_str(&text[at..found]);
            let rest = &text[found + 1..];
            if rest.starts_with('{') && rest[1..].starts_with(|c: char| c.is_ascii_lowercase()) {
                plain.push('{');
                at = found + 2;
            } else if rest.starts_with(|c: char| c.is_ascii_lowercase()) {
                let Some(length) = rest.find('}') else {
                    let help = "write `}` behind it".to_owned();
                    return Err((found..text.len(), "this placeholder has no end".to_owned(), help));
                };
                match Slot::parse(&rest[..length], found..found + length + 2) {
                    Ok(slot) => {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                        pieces.push(Piece::Slot(slot));
                    }
                    Err((message, help)) => {
                        return Err((found..found + length + 2, message, help));
                    }
                }
                at = found + length + 2;
            } else {
                plain.push('{');
                at = found + 1;
            }
        }
        plain.push_str(&text[at..]);
        pieces.push(Piece::Text(plain));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Ok(Self { pieces })
    }

    /// The placeholders.
    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Slot(slot) => Some(slot),
            Piece::Text(_) => None,
        })
    }

    /// The name, if this is one placeholder and nothing else.
    pub(super) fn only_slot(&self) -> Option<&Slot> {
        match self.pieces.as_slice() {
            [Piece::Slot(slot)] => Some(slot),
            _ => None,
        }
    }

    /// Whether this is one placeholder that is to become a JSON number.
    pub(super) fn is_number(&self) -> bool {
        self.only_slot().is_some_and(|slot| slot.filters.contains(&Filter::Number))
    }

    /// The text before the first placeholder.
    pub(super) fn beginning(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Text(text)) => text,
            Some(Piece::Slot(_)) | None => "",
        }
    }

    /// Filled; none if a placeholder that may be missing is.
    ///
    /// # Errors
    /// One that may not be missing is, or does not fit.
    pub(super) fn fill(&self, values: &Values, zone: &TimeZone) -> Result<Option<String>, Gap> {
        self.fill_with(values, zone, Ok)
    }

    /// Filled, each value changed by `encode`.
    pub(super) fn fill_with(
        &self,
        values: &Values,
        zone: &TimeZone,
        encode: impl Fn(String) -> Result<String, Gap>,
    ) -> Result<Option<String>, Gap> {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Slot(slot) => match slot.value(values, zone)? {
                    Some(value) => filled.push_str(&encode(value)?),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(filled))
    }
}

impl Slot {
    fn parse(text: &str, within: std::ops::Range<usize>) -> Result<Self, (String, String)> {
        let mut parts = text.split('|');
        let first = parts.next().unwrap_or_default().trim();
        let (name, optional) = first.strip_suffix('?').map_or((first, false), |name| (name, true));
        let filters = parts.map(|filter| Filter::parse(filter.trim())).collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), within, filters, optional })
    }

    fn value(&self, values: &Values, zone: &TimeZone) -> Result<Option<String>, Gap> {
        let Some(value) = values.get(&self.name) else {
            return if self.optional { Ok(None) } else { Err(Gap::Missing(self.name.clone())) };
        };
        let mut value = value.clone();
        for filter in &self.filters {
            value = filter.apply(&value, values, zone).map_err(|why| Gap::Odd(format!("{{{}}}: {why}", self.name)))?;
        }
        Ok(Some(value))
    }
}

impl Filter {
    fn parse(text: &str) -> Result<Self, (String, String)> {
        if text.starts_with('%') {
            return Ok(Self::Pattern(text.to_owned()));
        }
        if let Some(factor) = data_factor(text) {
            return Ok(Self::Data(factor));
        }
        if let Some(factor) = length_factor(text) {
            return Ok(Self::Length(factor));
        }
        let counted = |start: &str| text.strip_prefix(start).and_then(|count| count.parse::<usize>().ok());
        match text {
            "number" => Ok(Self::Number),
            "minor" => Ok(Self::Minor),
            "rfc3339" => Ok(Self::Rfc3339),
            "epoch" => Ok(Self::Epoch),
            "epoch_ms" => Ok(Self::EpochMillis),
            "plus" => Ok(Self::Plus),
            "uuid" => Ok(Self::Uuid),
            _ => counted("first:")
                .map(Self::First)
                .or_else(|| counted("last:").map(Self::Last))
                .or_else(|| counted("part:").filter(|part| *part > 0).map(Self::Part))
                .ok_or_else(|| {
                    let help = "there are: number, minor, rfc3339, epoch, epoch_ms, a pattern such as %Y-%m-%d, B, MB, \
                                GB, MiB, GiB, seconds, hours, days, plus, uuid, first:N, last:N, part:N";
                    (format!("`{text}` is no filter"), help.to_owned())
                }),
        }
    }

    fn apply(&self, value: &str, values: &Values, zone: &TimeZone) -> Result<String, String> {
        match self {
            Self::Number => decimal(value).map(|number| number.normalize().to_string()),
            Self::Minor => {
                let code = values.get("plan.currency").ok_or("the currency is not known")?;
                let factor = 10_i64.pow(Currency::parse(code)?.places());
                let minor = decimal(value)?.checked_mul(Decimal::from(factor)).filter(Decimal::is_integer);
                let minor = minor.and_then(|minor| minor.to_i64());
                minor.map(|minor| minor.to_string()).ok_or_else(|| format!("`{value}` has no whole minor units"))
            }
            Self::Data(factor) | Self::Length(factor) => {
                let shared = decimal(value)?.checked_div(Decimal::from(*factor));
                shared.map(|shared| shared.normalize().to_string()).ok_or_else(|| format!("`{value}` does not fit"))
            }
            Self::Rfc3339 => instant(value).map(|at| at.to_string()),
            Self::Epoch => instant(value).map(|at| at.secs().to_string()),
            Self::EpochMillis => instant(value).map(|at| at.secs().saturating_mul(1_000).to_string()),
            Self::Pattern(pattern) => {
                let at = instant(value)?.in_zone(zone);
                jiff::fmt::strtime::format(pattern, &at).map_err(|_| format!("`{pattern}` cannot be written"))
            }
            Self::Plus => Ok(format!("+{value}")),
            Self::Uuid => uuid_of(value),
            Self::First(count) => Ok(value.chars().take(*count).collect()),
            Self::Last(count) => {
                let skipped = value.chars().count().saturating_sub(*count);
                Ok(value.chars().skip(skipped).collect())
            }
            Self::Part(part) => {
                let part_text = value.split(':').nth(part - 1);
                part_text.map(str::to_owned).ok_or_else(|| format!("`{value}` has no part {part}"))
            }
        }
    }
}

fn decimal(text: &str) -> Result<Decimal, String> {
    Decimal::from_str_exact(text).map_err(|_| format!("`{text}` is not a number"))
}

fn instant(secs: &str) -> Result<UnixTime, String> {
    secs.parse().ok().and_then(UnixTime::new).ok_or_else(|| format!("`{secs}` is not an instant"))
}

/// Our key in the form of a UUID of version 4 (RFC 9562): the six bits that tell the version are overwritten.
fn uuid_of(key: &str) -> Result<String, String> {
    let random = u128::from_str_radix(key, 16).map_err(|_| "only {key} can be a UUID".to_owned())?;
    Ok(uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, values: &[(&str, &str)]) -> Result<Option<String>, Gap> {
        let quoted = format!("a = {}", toml::Value::from(text));
        let log = super::super::source::Log::new(&quoted);
        let tree = toml::de::DeTable::parse(&quoted).unwrap();
        let table = super::super::tree::Table::of(String::new(), 0..0, tree.get_ref(), &log);
        let template = Template::read(&table.item("a").unwrap());
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        template.map_or(Err(Gap::Odd("not read".into())), |template| template.fill(&values, &TimeZone::UTC))
    }

    fn text(text: &str, values: &[(&str, &str)]) -> String {
        filled(text, values).unwrap().unwrap()
    }

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        assert_eq!(text("/a/{iccid}/{plan.id}!", &[("iccid", "89"), ("plan.id", "x")]), "/a/89/x!");
        assert_eq!(text(r#"{"a": {"b": 1}} {{iccid}"#, &[]), r#"{"a": {"b": 1}} {iccid}"#);
        assert_eq!(filled("{code?}", &[]), Ok(None));
        assert_eq!(filled("{field.pin}", &[]), Err(Gap::Missing("field.pin".into())));
        for odd in ["{iccid", "{iccid|upper}", "{plan.id|part:0}"] {
            assert!(filled(odd, &[("iccid", "89")]).is_err(), "{odd}");
        }
    }

    #[test]
    fn filters_write_values_as_operators_want_them() {
        let values = [
            ("plan.price", "9.50"),
            ("plan.currency", "USD"),
            ("plan.data", "1500000000"),
            ("plan.validity", "2592000"),
            ("now", "1800000000"),
            ("key", "0123456789abcdef0123456789abcdef"),
            ("msisdn", "15551234567"),
            ("plan.id", "174:9.5"),
        ];
        for (template, expected) in [
            ("{plan.price|number}", "9.5"),
            ("{plan.price|minor}", "950"),
            ("{plan.data|GB}", "1.5"),
            ("{plan.data|MB}", "1500"),
            ("{plan.validity|days}", "30"),
            ("{now|rfc3339}", "2027-01-15T08:00:00Z"),
            ("{now|epoch}", "1800000000"),
            ("{now|epoch_ms}", "1800000000000"),
            ("{now|%Y-%m-%d %H:%M:%S}", "2027-01-15 08:00:00"),
            ("{key|uuid}", "01234567-89ab-4def-8123-456789abcdef"),
            ("{msisdn|plus}", "+15551234567"),
            ("{msisdn|last:4}", "4567"),
            ("{plan.id|part:2}", "9.5"),
        ] {
            assert_eq!(text(template, &values), expected, "{template}");
        }
        assert!(filled("{plan.id|number}", &values).is_err() && filled("{plan.id|part:3}", &values).is_err());
    }
}
