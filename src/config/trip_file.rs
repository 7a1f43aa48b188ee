//! `[trip.NAME]`: when and where somebody travels, told once for all rules and cards that are about it.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::Calendars;
use super::calendar::event;
use super::containers::OneOrMore;
use super::declare::{table, texts};
use super::machine_file::entries;
use super::reader::{At, Entry, Field, Named, Notes, known_words};
use super::rule_file::RuleTable;
use super::rules_file::{CardTable, RulesTable};
use super::values::{Day, LengthShare, Words};
use crate::domain::card::Name;
use crate::domain::rule::{Rule, Trip};

table! {
    /// A trip: its days, and where it goes.
    struct TripTable {
        /// The first day, without quotes.
        may from: Day,
        /// The last day, without quotes.
        may until: Day,
        /// How much of a plan's length may lie behind the last day: 25% if nothing is said, 100% takes any plan.
        may outlast: LengthShare,
        /// A calendar beside this file (.ics) that tells both days instead.
        may calendar: CalendarName,
        /// The event of that calendar, by its title; needed where the calendar has several.
        may event: Words,
        /// Where it goes: codes of countries.
        may places: OneOrMore<Place>,
    }
}

/// A country by its code.
#[derive(Clone, Debug)]
pub(super) struct Place(String);

/// The name of a calendar in the folder of this file.
#[derive(Clone, Debug)]
pub(super) struct CalendarName(String);

texts! {
    CalendarName, "CalendarName", "the name of a calendar beside this file", "^[^/]+[.]ics$", "trip.ics", calendar_name;
    Place, "Place", "the code of a country (ISO 3166)", "^[A-Z]{2}$", "CA", place;
}

fn calendar_name(text: &str) -> Result<CalendarName, String> {
    let has_a_name = text.strip_suffix(".ics").is_some_and(|name| !name.is_empty());
    if has_a_name && !text.contains(['/', '\\']) {
        return Ok(CalendarName(text.to_owned()));
    }
    Err(format!("`{text}` is not the name of a calendar in the folder of this file; write one such as \"trip.ics\""))
}

fn place(text: &str) -> Result<Place, String> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(Place(text.to_owned()));
    }
    Err(format!("`{text}` is not the code of a country; write two capital letters, such as \"CA\""))
}

/// The trips, after noting what cannot be meant in them.
pub(super) fn trips(
    table: &RulesTable,
    (today, calendars): (Option<Date>, Calendars<'_>),
    notes: &mut Notes<'_>,
) -> Vec<Trip> {
    let trips = entries(&table.trip).filter_map(|(entry, trip)| {
        check_days(entry, trip, today, notes);
        let (from, until) = match trip.calendar.good() {
            Some(calendar) => days_of_calendar(entry, trip, calendar, (today, calendars), notes)?,
            None => own_days(entry, trip, notes)?,
        };
        let places = trip.places.get().into_iter().flat_map(|list| list.0.iter());
        let places = places.map(|at| at.value.0.clone()).collect();
        let outlast = trip.outlast.get().map(|share| share.0);
        Some(Trip { name: entry.name.clone(), from, until, outlast, places })
    });
    trips.collect()
}

type Days = (Option<Date>, Date);

fn own_days(entry: &Entry<TripTable>, trip: &TripTable, notes: &mut Notes<'_>) -> Option<Days> {
    if trip.until.is_absent() && trip.calendar.is_absent() {
        let help = "add until = 2026-12-20 (the last day, without quotes), or calendar = \"trip.ics\"".to_owned();
        notes.contradiction(&entry.key, format!("the trip `{}` has no last day", entry.name), help);
    }
    if let Some(event) = trip.event.good().filter(|_| trip.calendar.is_absent()) {
        let help = "add calendar = \"trip.ics\", or leave event out".to_owned();
        notes.contradiction(&event.key, "an event is looked for in a calendar, and none is named", help);
    }
    Some((trip.from.get().map(|day| day.0), trip.until.get()?.0))
}

fn days_of_calendar(
    entry: &Entry<TripTable>,
    trip: &TripTable,
    calendar: &At<CalendarName>,
    (today, calendars): (Option<Date>, Calendars<'_>),
    notes: &mut Notes<'_>,
) -> Option<Days> {
    if !trip.from.is_absent() || !trip.until.is_absent() {
        let message = format!("the trip `{}` has days of its own and those of a calendar", entry.name);
        notes.contradiction(&calendar.key, message, "leave out from and until, or the calendar".to_owned());
    }
    if matches!(trip.event, Field::Bad) {
        return None;
    }
    let (name, named) = (&calendar.value.0, trip.event.get().map(|words| words.0.as_str()));
    match calendars(name).and_then(|text| event(&text, named, today).map_err(|why| format!("{name}: {why}"))) {
        Ok(event) => {
            if today.is_some_and(|today| event.until < today) {
                let message = format!(
                    "the event `{}` of {name} ended on {}; nothing is bought for it",
                    event.summary, event.until
                );
                notes.warning(&calendar.span, message, "export the calendar anew, or leave the trip out".to_owned());
            }
            Some((Some(event.from), event.until))
        }
        Err(why) => {
            let help = "put the calendar that the event is exported to beside this file".to_owned();
            notes.error(trip.event.good().map_or(&calendar.span, |event| &event.span), &why, help);
            None
        }
    }
}

fn check_days(entry: &Entry<TripTable>, trip: &TripTable, today: Option<Date>, notes: &mut Notes<'_>) {
    let Some(until) = trip.until.good() else { return };
    if let Some(from) = trip.from.good()
        && from.value.0 > until.value.0
    {
        let message = format!("the trip begins on {} and ends on {}, before it begins", from.value.0, until.value.0);
        notes.contradiction(&until.span, message, "exchange from and until, or correct one".to_owned());
    }
    if today.is_some_and(|today| until.value.0 < today) {
        let message = format!("the trip `{}` ended on {}; nothing is bought for it", entry.name, until.value.0);
        notes.warning(&until.span, message, "set a later day, or leave the trip out where it is named".to_owned());
    }
}

/// Names of trips that do not exist, and trips that nothing names.
pub(super) fn check_names(table: &RulesTable, notes: &mut Notes<'_>) {
    let known = super::machine_file::names(&table.trip);
    let of_rules = entries(&table.rule).filter_map(|(_, rule)| rule.trip.good());
    let of_cards = entries(&table.card).filter_map(|(_, card)| card.trip.good());
    let used: Vec<&At<Name>> = of_rules.chain(of_cards).collect();
    for at in used.iter().filter(|at| !known.contains(&&at.value)) {
        let words: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
        let message = format!("`{}` is not a trip of this file", at.value);
        notes.error(&at.span, message, known_words(at.value.as_str(), &words));
    }
    let used: BTreeSet<&Name> = used.into_iter().map(|at| &at.value).collect();
    for entry in table.trip.get().into_iter().flat_map(|named: &Named<TripTable>| named.0.iter()) {
        if !used.contains(&entry.name) {
            let help = format!("name it in a rule or a card: trip = \"{}\"", entry.name);
            notes.warning(&entry.key, format!("no rule and no card is about the trip `{}`", entry.name), help);
        }
    }
}

/// The rule as it is during its trip.
pub(super) fn dated(rule: Rule, table: &RuleTable, trips: &[Trip], notes: &mut Notes<'_>) -> Rule {
    let Some(named) = table.trip.good() else { return rule };
    if !table.from.is_absent() || !table.until.is_absent() {
        let message = format!("the rule `{}` has days of its own and those of a trip", rule.name);
        notes.contradiction(&named.span, message, "leave out from and until, or the trip".to_owned());
    }
    match trips.iter().find(|trip| trip.name == named.value) {
        Some(trip) => rule.during(trip),
        None => rule,
    }
}

/// The rule of a card that is about a trip of its own.
pub(super) fn rule_of_card(
    entry: &Entry<CardTable>,
    card: &CardTable,
    rule: Option<&Rule>,
    trips: &[Trip],
    notes: &mut Notes<'_>,
) -> Option<Rule> {
    let rule = rule?;
    let Some(named) = card.trip.good() else {
        // Without any such card the rule itself was told.
        if rule.looks_ahead() && rule.until.is_none() && card.trip.is_absent() {
            let message =
                format!("the rule `{}` needs a last day, and the card `{}` has no trip", rule.name, entry.name);
            notes.contradiction(&entry.key, message, "add trip = \"NAME\" to the card".to_owned());
        }
        return None;
    };
    if rule.from.is_some() || rule.until.is_some() {
        let message = format!("its rule `{}` has days already, and the card has those of a trip", rule.name);
        notes.contradiction(&named.span, message, "leave the trip out of one of the two".to_owned());
    }
    trips.iter().find(|trip| trip.name == named.value).map(|trip| rule.clone().during(trip))
}

/// Whether a card that names this rule has a trip of its own.
pub(super) fn is_dated_by_a_card(rule: &Name, table: &RulesTable) -> bool {
    entries(&table.card).any(|(_, card)| !matches!(card.trip, Field::Absent) && card.rule.get() == Some(rule))
}
