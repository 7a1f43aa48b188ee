//! The tables of `rules.toml`, declared once, and how cards and matches become values. What a rule's own tables become
//! is in `rule_file`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Calendars;
use super::account::AccountKind;
use super::containers::OneOrMore;
use super::contradictions;
use super::declare::table;
use super::machine::Machine;
use super::machine_file::entries;
use super::reader::{At, Entry, Field, Named, Notes, Span, known_words};
use super::roles_file;
use super::rule_file::{Around, RuleTable, rule};
use super::rules::{CardEntry, Match, Rules};
use super::shared_file::{self, LimitTable, RateTable};
use super::trip_file::{self, TripTable};
use super::values::{Words, Zone};
use crate::domain::card::Name;
use crate::domain::identity::{Eid, Iccid, Imei, Msisdn};
use crate::domain::roles::Roles;
use crate::domain::rule::{Rule, Trip};
use crate::domain::shared_limits::SharedLimit;

table! {
    /// rules.toml: cards, and the rules by which they are renewed.
    struct RulesTable {
        /// Cards, by name.
        may card: Named<CardTable>,
        /// Rules, by name.
        may rule: Named<RuleTable>,
        /// Trips, by name, for rules and cards that are about one.
        may trip: Named<TripTable>,
        /// Rules for cards that name none, by label; the first that fits counts.
        may r#match: Vec<At<MatchTable>>,
        /// Caps that cards share.
        may limit: Vec<At<LimitTable>>,
        /// What currencies are worth in each other, for limits.
        may rate: Vec<At<RateTable>>,
    }
}

table! {
    /// A card: one SIM or eSIM profile.
    struct CardTable, beside "[rule.NAME]": RuleTable {
        /// The account through which it is read and renewed: a name under [operator] in simkeeper.toml. A list names
        /// further accounts that may sell for it, in order, each used only when those before have refused for certain.
        must operator: OneOrMore<Name>,
        /// The number of the card, in quotes.
        may iccid: Iccid,
        /// Its phone number.
        may msisdn: Msisdn,
        /// The device it sits in.
        may imei: Imei,
        /// The eSIM chip it is installed on.
        may eid: Eid,
        /// What its operator wants beside these, by the operator's own names.
        may fields: Named<Words>,
        /// Labels, by which [[match]] and commands find it.
        may labels: OneOrMore<Name>,
        /// Who has it, in your words.
        may contact: Words,
        /// The zone whose hours and days count for it.
        may zone: Zone,
        /// Who is told: names under [person] in simkeeper.toml.
        may notify: OneOrMore<Name>,
        /// Whose it is: told everything, as those in notify are.
        may owner: OneOrMore<Name>,
        /// Who pays for it: asked, and told what is bought, what fails and what is not known.
        may payer: OneOrMore<Name>,
        /// Who only wants to know: told what ends soon, was bought or is paused, as news, and never asked.
        may watchers: OneOrMore<Name>,
        /// The rule that decides; none means that it is only read.
        may rule: Name,
        /// The trip on whose days the rule buys for this card: a name under [trip].
        may trip: Name,
    }
}

table! {
    /// A rule for cards that name none, and people for cards that name none.
    struct MatchTable {
        /// A card has to have all of these.
        must labels: OneOrMore<Name>,
        /// The rule.
        must rule: Name,
        /// Whose these cards are: told everything.
        may owner: OneOrMore<Name>,
        /// Who pays for them: asked, and told what is bought, what fails and what is not known.
        may payer: OneOrMore<Name>,
        /// Who only wants to know of them, and is never asked.
        may watchers: OneOrMore<Name>,
    }
}

/// What the other file knows, for names that refer to it; none if that file could not be read whole.
pub(super) struct Known<'a> {
    /// Names of accounts, those that are wrong in themselves included.
    pub(super) accounts: Vec<&'a Name>,
    /// Names of people, likewise.
    pub(super) people: Vec<&'a Name>,
    /// What could be read of it.
    pub(super) machine: Option<&'a Machine>,
}

/// The rules that the file describes; what cannot be had is left out, and that was noted.
pub(super) fn rules(
    table: &RulesTable,
    known: Option<&Known<'_>>,
    (today, calendars): (Option<Date>, Calendars<'_>),
    notes: &mut Notes<'_>,
) -> Rules {
    let rates = shared_file::rates(&table.rate, notes);
    let accounts = known.map(|known| known.accounts.as_slice());
    let shared_limits = shared_file::shared_limits(&table.limit, &rates, accounts, notes);
    let around = Around { today, rates, is_capped: shared_limits.iter().any(SharedLimit::caps_money_of_all) };
    let trips = trip_file::trips(table, (today, calendars), notes);
    let rules = dated_rules(table, &trips, &around, notes);
    let cards = entries(&table.card).filter_map(|(entry, value)| card(entry, value, known, notes)).collect();
    let matches = matches(table, known, notes);
    check_rule_names(table, notes);
    trip_file::check_names(table, notes);
    check_doubles(&table.card, notes);
    let mut rules = Rules {
        cards,
        rules,
        matches,
        shared_limits,
        of_cards: BTreeMap::new(),
        roles: roles_file::roles(&table.card, known, notes),
    };
    roles_file::check_askers(table, &rules, notes);
    check_paths(&table.card, known.and_then(|known| known.machine), notes);
    for (entry, card) in entries(&table.card) {
        let decides = rules.rule_for(&list(&card.labels), card.rule.get());
        if let Some(dated) = trip_file::rule_of_card(entry, card, decides, &trips, notes) {
            rules.of_cards.insert(entry.name.clone(), dated);
        }
    }
    rules
}

/// The rules, on the days of their trips.
fn dated_rules(table: &RulesTable, trips: &[Trip], around: &Around, notes: &mut Notes<'_>) -> Vec<Rule> {
    let dated = entries(&table.rule).map(|(entry, fields)| {
        let undated = rule(&entry.name, &entry.key, fields, around, notes);
        if !trip_file::is_dated_by_a_card(&entry.name, table) {
            contradictions::check_ahead(&entry.name, fields, notes);
            contradictions::check_outlast(&entry.name, fields, notes);
        }
        trip_file::dated(undated, fields, trips, notes)
    });
    dated.collect()
}

fn card(
    entry: &Entry<CardTable>,
    table: &CardTable,
    known: Option<&Known<'_>>,
    notes: &mut Notes<'_>,
) -> Option<CardEntry> {
    check_numbers(entry, table, notes);
    check_sellers(entry, table, notes);
    let accounts = list(&table.operator);
    let machine = known.and_then(|known| known.machine);
    let account = machine.and_then(|machine| machine.account(accounts.first()?));
    if let Some(known) = known {
        check_references(table, known, notes);
        for account in accounts.iter().filter_map(|name| machine?.account(name)) {
            check_account_needs(entry, table, &account.kind, notes);
        }
    }
    let zone = table.zone.get().map(|zone| zone.0.clone());
    let fields = table.fields.get().into_iter().flat_map(|named| named.0.iter());
    Some(CardEntry {
        name: entry.name.clone(),
        line: notes.line(&entry.key),
        account: accounts.first()?.clone(),
        sellers: accounts.get(1..).unwrap_or_default().to_vec(),
        iccid: table.iccid.get().cloned(),
        msisdn: table.msisdn.get().cloned(),
        imei: table.imei.get().cloned(),
        eid: table.eid.get().cloned(),
        fields: fields.filter_map(|field| Some((field.name.to_string(), field.value.clone()?.0))).collect(),
        labels: list(&table.labels),
        contact: table.contact.get().map(|words| words.0.clone()),
        zone: zone.or_else(|| account?.zone.clone()).unwrap_or(TimeZone::UTC),
        notify: list(&table.notify),
        rule: table.rule.get().cloned(),
    })
}

/// A card is read through one account at least, and no account sells for it twice.
fn check_sellers(entry: &Entry<CardTable>, table: &CardTable, notes: &mut Notes<'_>) {
    let Some(operator) = table.operator.good() else { return };
    if operator.value.0.is_empty() {
        let message = format!("the card `{}` names no account", entry.name);
        notes.contradiction(&operator.span, message, "operator = \"NAME\"".to_owned());
    }
    let mut seen = BTreeSet::new();
    for at in operator.value.0.iter().filter(|at| !seen.insert(&at.value)) {
        let message = format!("the card `{}` names the account `{}` twice", entry.name, at.value);
        notes.contradiction(&at.span, message, "name each account once, in the order in which they sell".to_owned());
    }
}

/// A card is known by at least one number, and a number that looks odd is worth a second look at the card.
fn check_numbers(entry: &Entry<CardTable>, table: &CardTable, notes: &mut Notes<'_>) {
    let numbers = [
        table.iccid.is_absent(),
        table.msisdn.is_absent(),
        table.imei.is_absent(),
        table.eid.is_absent(),
        table.fields.is_absent(),
    ];
    if numbers.into_iter().all(|absent| absent) {
        let help = "add iccid = \"…\" (printed on the card) or msisdn = \"+…\" (its phone number)".to_owned();
        notes.contradiction(&entry.key, format!("the card `{}` has no number at all", entry.name), help);
    }
    if let Some(iccid) = table.iccid.good() {
        for odd in iccid.value.warnings() {
            let text = odd.to_string();
            let (message, help) = text.split_once("; ").unwrap_or((&text, "compare it with the card"));
            notes.warning(&iccid.span, message, help.to_owned());
        }
    }
}

/// Names that refer to the other file.
fn check_references(table: &CardTable, known: &Known<'_>, notes: &mut Notes<'_>) {
    for at in table.operator.get().into_iter().flat_map(|list| list.0.iter()) {
        check_known(at, &known.accounts, "an account of simkeeper.toml", notes);
    }
    roles_file::check_people(&[&table.notify, &table.owner, &table.payer, &table.watchers], known, notes);
}

pub(super) fn check_known(at: &At<Name>, known: &[&Name], what: &str, notes: &mut Notes<'_>) {
    if !known.contains(&&at.value) {
        let words: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
        notes.error(&at.span, format!("`{}` is not {what}", at.value), known_words(at.value.as_str(), &words));
    }
}

/// What an operator has to be told to find a card.
fn check_account_needs(entry: &Entry<CardTable>, table: &CardTable, kind: &AccountKind, notes: &mut Notes<'_>) {
    let wanted = match kind {
        AccountKind::Airalo { .. }
        | AccountKind::EsimAccess { .. }
        | AccountKind::EsimGo { .. }
        | AccountKind::Emnify { .. }
        | AccountKind::Hologram { .. }
        | AccountKind::Keepgo { .. }
        | AccountKind::OneNce { .. }
        | AccountKind::Telnyx { .. }
        | AccountKind::Ussd(_) => Some(("ICCID", "iccid")).filter(|_| table.iccid.is_absent()),
        AccountKind::DingConnect { .. } | AccountKind::Reloadly { .. } => {
            Some(("phone number", "msisdn")).filter(|_| table.msisdn.is_absent())
        }
        // By one or the other, or by what the owner describes.
        AccountKind::DtOne { .. }
        | AccountKind::Exec(_)
        | AccountKind::Http(_)
        | AccountKind::Sandbox { .. }
        | AccountKind::ThingsMobile { .. }
        | AccountKind::Tmf654(_) => None,
    };
    if let Some((what, key)) = wanted {
        let message = format!(
            "accounts of kind \"{}\" know cards by their {what}, and the card `{}` has none",
            kind.word(),
            entry.name
        );
        let modem = if matches!(kind, AccountKind::Ussd(_)) { "; `mmcli -i 0` tells it" } else { "" };
        notes.contradiction(&entry.key, message, format!("add {key} = \"…\"{modem}"));
    }
}

fn matches(table: &RulesTable, known: Option<&Known<'_>>, notes: &mut Notes<'_>) -> Vec<Match> {
    let items = table.r#match.get().into_iter().flatten();
    items
        .filter_map(|item| {
            if let Some(labels) = item.value.labels.good()
                && labels.value.0.is_empty()
            {
                let help = "labels = [\"router\"]".to_owned();
                notes.contradiction(&labels.span, "a match without labels would fit every card", help);
            }
            let MatchTable { labels, rule, owner, payer, watchers } = &item.value;
            let line = notes.line(labels.good().map_or(&item.span, |labels| &labels.key));
            let roles = Roles { owner: list(owner), payer: list(payer), watchers: list(watchers) };
            if let Some(known) = known {
                roles_file::check_people(&[owner, payer, watchers], known, notes);
                roles_file::check_askable(&roles, &[], (watchers, "these cards"), known, notes);
            }
            Some(Match { labels: list(labels), rule: rule.get()?.clone(), roles, line })
        })
        .collect()
}

/// Names of rules that do not exist, and rules that nothing names.
fn check_rule_names(table: &RulesTable, notes: &mut Notes<'_>) {
    let known = super::machine_file::names(&table.rule);
    let of_cards = entries(&table.card).filter_map(|(_, card)| card.rule.good());
    let of_matches = table.r#match.get().into_iter().flatten().filter_map(|item| item.value.rule.good());
    let used: Vec<&At<Name>> = of_cards.chain(of_matches).collect();
    for at in &used {
        check_known(at, &known, "a rule of this file", notes);
    }
    let used: BTreeSet<&Name> = used.into_iter().map(|at| &at.value).collect();
    for entry in table.rule.get().into_iter().flat_map(|named| named.0.iter()) {
        if !used.contains(&entry.name) {
            let help = format!("name it in a card: rule = \"{}\"; cards added by command may use it too", entry.name);
            notes.warning(&entry.key, format!("no card here uses the rule `{}`", entry.name), help);
        }
    }
}

/// Two cards with one number would be bought for twice.
fn check_doubles(cards: &Field<Named<CardTable>>, notes: &mut Notes<'_>) {
    let mut iccids = BTreeMap::new();
    let mut msisdns = BTreeMap::new();
    for (entry, table) in entries(cards) {
        if let Some(at) = table.iccid.good() {
            check_double(&mut iccids, at.value.digits().to_owned(), (&entry.name, &at.span), "ICCID", notes);
        }
        if let Some(at) = table.msisdn.good() {
            check_double(&mut msisdns, at.value.digits().to_owned(), (&entry.name, &at.span), "phone number", notes);
        }
    }
}

fn check_double<'a>(
    seen: &mut BTreeMap<String, (&'a Name, &'a Span)>,
    digits: String,
    (name, span): (&'a Name, &'a Span),
    what: &str,
    notes: &mut Notes<'_>,
) {
    if let Some((first, place)) = seen.get(&digits) {
        let message = format!("the cards `{first}` and `{name}` have the same {what}");
        let line = notes.line(place);
        notes.contradiction(span, message, format!("it stands in line {line} already; keep one of the two cards"));
        return;
    }
    seen.insert(digits, (name, span));
}

/// Nobody should hear of a card by the card alone.
fn check_paths(cards: &Field<Named<CardTable>>, machine: Option<&Machine>, notes: &mut Notes<'_>) {
    let Some(machine) = machine.filter(|machine| machine.is_anybody_reached(None)) else { return };
    for (entry, table) in entries(cards) {
        let number = table.msisdn.get().map(Msisdn::digits);
        if machine.is_anybody_reached(Some((&entry.name, number))) {
            continue;
        }
        let message = format!("nobody can be told of `{}` but through the card itself", entry.name);
        let help = "add mail = \"name@example.net\" to a person, or a channel for texts that does not go through it";
        notes.warning(&entry.key, message, help.to_owned());
    }
}

pub(super) fn list(field: &Field<OneOrMore<Name>>) -> Vec<Name> {
    field.get().into_iter().flat_map(|list| list.0.iter().map(|at| at.value.clone())).collect()
}
