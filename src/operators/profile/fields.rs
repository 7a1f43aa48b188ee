//! Reading from the file how a value of an answer is to be understood: a path alone, or a table with a path and more.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::field::{Amount, At, CurrencyAt, LengthAt, MoneyAt, Pick, Scale, TimeAt, TimeFormat, Unit, Words};
use super::path::Paths;
use super::tree::{Item, Table};
use super::units::{data_factor, length_factor};
use crate::domain::money::Currency;

/// What holds for the whole file where a field says nothing.
pub(super) struct Defaults {
    pub(super) currency: Option<Currency>,
    pub(super) zone: TimeZone,
}

/// What an amount is of, and so which units it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Voice,
    Sms,
}

const PICKS: &[(&str, Pick)] = &[
    ("one", Pick::One),
    ("first", Pick::First),
    ("last", Pick::Last),
    ("least", Pick::Least),
    ("earliest", Pick::Least),
    ("most", Pick::Most),
    ("latest", Pick::Most),
];

fn is_path(text: &str) -> bool {
    text.starts_with('$') || text.starts_with('^')
}

/// A place: `"$.id"`, a list of places, or `{ path = …, pick = …, absent = … }`.
pub(super) fn at(item: &Item<'_>) -> Option<At> {
    let Some(table) = item.table() else { return plain(item) };
    let at = at_keys(&table);
    table.close();
    at
}

fn plain(item: &Item<'_>) -> Option<At> {
    Some(At { paths: Paths::read(item)?, pick: Pick::One, absent: Vec::new() })
}

fn at_keys(table: &Table<'_>) -> Option<At> {
    let paths = table.must("path", "\"$.…\"").and_then(|item| Paths::read(&item));
    let pick = table.item("pick").and_then(|item| item.word(PICKS)).unwrap_or_default();
    let absent = table.item("absent").map(|item| item.one_or_list()).unwrap_or_default();
    let absent = absent.iter().filter_map(Item::scalar).collect();
    Some(At { paths: paths?, pick, absent })
}

/// An amount; `{ path = "$.left", unit = "MB" }`.
pub(super) fn amount(item: &Item<'_>, kind: Kind) -> Option<Amount> {
    let needed = match kind {
        Kind::Data => "of data has a unit: { path = \"$.…\", unit = \"MB\" } (MB is 1000², MiB is 1024²)",
        Kind::Voice => "of calls has a unit: { path = \"$.…\", unit = \"minutes\" }",
        Kind::Sms => "",
    };
    let Some(table) = item.table() else {
        if kind != Kind::Sms {
            item.wrong(format!("`{}` has no unit", item.path), format!("an amount {needed}"));
            return None;
        }
        return Some(Amount { at: plain(item)?, unit: Unit::Fixed(1) });
    };
    let at = at_keys(&table);
    let unit = if kind == Kind::Sms {
        Some(Unit::Fixed(1))
    } else {
        table.must("unit", if kind == Kind::Data { "\"MB\"" } else { "\"minutes\"" }).and_then(|item| unit(&item, kind))
    };
    table.close();
    Some(Amount { at: at?, unit: unit? })
}

fn unit(item: &Item<'_>, kind: Kind) -> Option<Unit> {
    let text = item.must_be_text()?;
    if is_path(text) {
        return plain(item).map(Unit::Told);
    }
    let (factor, help) = match kind {
        Kind::Data => (
            data_factor(text),
            "B, kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024), or a path to the answer's unit",
        ),
        Kind::Voice | Kind::Sms => {
            (length_factor(text), "seconds, minutes, hours, days, weeks, months, years, or a path to the answer's unit")
        }
    };
    if factor.is_none() {
        item.wrong(format!("`{text}` is no unit for this"), help);
    }
    factor.map(Unit::Fixed)
}

/// A length: `{ path = "$.days", unit = "days" }` or `{ path = "$.validity", unit = "iso8601" }`.
pub(super) fn length(item: &Item<'_>) -> Option<LengthAt> {
    let Some(table) = item.table() else {
        item.wrong(
            format!("`{}` has no unit", item.path),
            "a length has a unit: { path = \"$.…\", unit = \"days\" }, or unit = \"iso8601\" for P30D",
        );
        return None;
    };
    let at = at_keys(&table);
    let written = table.must("unit", "\"days\"");
    table.close();
    let written = written?;
    if written.text() == Some("iso8601") {
        return at.map(LengthAt::Iso);
    }
    let unit = unit(&written, Kind::Voice)?;
    Some(LengthAt::Count(Amount { at: at?, unit }))
}

/// Money: `{ path = "$.price", currency = "USD" }`.
pub(super) fn money(item: &Item<'_>, defaults: &Defaults) -> Option<MoneyAt> {
    let fixed = defaults.currency.map(CurrencyAt::Fixed);
    let Some(table) = item.table() else {
        if fixed.is_none() {
            item.wrong(format!("`{}` has no currency", item.path), "{ path = \"$.…\", currency = \"USD\" }, or a path");
        }
        return Some(MoneyAt {
            at: plain(item)?,
            currency: fixed?,
            scale: Scale::Major,
            plus: Vec::new(),
            minus: Vec::new(),
        });
    };
    let at = at_keys(&table);
    let told = table.item("currency");
    let currency = match &told {
        Some(item) => currency(item),
        None if fixed.is_some() => fixed,
        None => {
            table.wrong(
                format!("`{}` has no currency", item.path),
                "currency = \"USD\", or a path such as currency = \"$.currency\"",
            );
            None
        }
    };
    let scale = scale(&table);
    let side = |key| {
        let items = table.item(key).map(|item: Item<'_>| item.one_or_list()).unwrap_or_default();
        items.iter().filter_map(Paths::read).collect()
    };
    let (plus, minus) = (side("plus"), side("minus"));
    table.close();
    Some(MoneyAt { at: at?, currency: currency?, scale: scale?, plus, minus })
}

fn currency(item: &Item<'_>) -> Option<CurrencyAt> {
    let text = item.must_be_text()?;
    if is_path(text) {
        return plain(item).map(CurrencyAt::Told);
    }
    Currency::parse(text).map(CurrencyAt::Fixed).map_err(|why| item.wrong(why, "or a path into the answer")).ok()
}

fn scale(table: &Table<'_>) -> Option<Scale> {
    if let Some(item) = table.item("divide_by") {
        if table.has("unit") {
            item.wrong("`divide_by` and `unit` say the same in two ways", "keep one of them");
        }
        return match item.text() {
            Some(_) => plain(&item).map(Scale::Told),
            None => Some(Scale::Parts(i64::try_from(item.count(1..=1_000_000_000)?).unwrap_or(1))),
        };
    }
    match table.item("unit") {
        Some(item) => {
            item.word(&[("major", false), ("minor", true)]).map(|minor| if minor { Scale::Minor } else { Scale::Major })
        }
        None => Some(Scale::Major),
    }
}

/// An instant: `"$.endsAt"`, or `{ path = …, format = …, zone = … }`.
pub(super) fn time(item: &Item<'_>, defaults: &Defaults) -> Option<TimeAt> {
    let zone = defaults.zone.clone();
    let Some(table) = item.table() else {
        return Some(TimeAt { at: plain(item)?, format: TimeFormat::Iso, zone, whole_day: false });
    };
    let at = at_keys(&table);
    let format = table.item("format").map_or(Some(TimeFormat::Iso), |item| format(&item));
    let zone = table.item("zone").map_or(Some(zone), |item| self::zone(&item));
    let whole_day = table.yes("whole_day");
    table.close();
    Some(TimeAt { at: at?, format: format?, zone: zone?, whole_day })
}

fn format(item: &Item<'_>) -> Option<TimeFormat> {
    let text = item.must_be_text()?;
    match text {
        "iso" | "rfc3339" => Some(TimeFormat::Iso),
        "epoch" => Some(TimeFormat::Epoch),
        "epoch_ms" => Some(TimeFormat::EpochMillis),
        _ if text.contains('%') => Some(TimeFormat::Pattern(text.to_owned())),
        _ => {
            item.wrong(
                format!("`{text}` is no format of a time"),
                "iso (with or without an offset), epoch, epoch_ms, or a pattern such as \"%d/%m/%Y %H:%M\"",
            );
            None
        }
    }
}

/// A time zone by its name.
pub(super) fn zone(item: &Item<'_>) -> Option<TimeZone> {
    let text = item.must_be_text()?;
    let offset = || jiff::fmt::strtime::parse("%:z", text).ok().and_then(|parsed| parsed.offset()).map(TimeZone::fixed);
    TimeZone::get(text).ok().or_else(offset).or_else(|| {
        item.wrong(format!("`{text}` is no time zone"), "such as \"UTC\", \"America/Toronto\" or \"-05:00\"");
        None
    })
}

/// Words: `{ path = "$.status", words = { ACTIVE = "active" } }`.
pub(super) fn words<T: Copy>(item: &Item<'_>, meanings: &[(&str, T)]) -> Option<Words<T>> {
    let Some(table) = item.table() else {
        let all: Vec<&str> = meanings.iter().map(|(word, _)| *word).collect();
        item.wrong(
            format!("`{}` does not say what the operator's words mean", item.path),
            format!(
                "{{ path = \"$.status\", words = {{ THEIRS = \"{}\" }} }}; ours are: {}",
                all.first().unwrap_or(&""),
                all.join(", ")
            ),
        );
        return None;
    };
    let at = at_keys(&table);
    let missing = table.item("missing").and_then(|item| item.word(meanings));
    let listed = table.must("words", "{ THEIRS = \"ours\" }").and_then(|item| item.must_be_table());
    table.close();
    let listed = listed?;
    let words: BTreeMap<String, T> =
        listed.all().iter().filter_map(|(theirs, ours)| Some(((*theirs).to_owned(), ours.word(meanings)?))).collect();
    Some(Words { at: at?, words, missing })
}
