//! Who is what to cards, as `[card.NAME]` and `[[match]]` say it, and whether somebody is left who is asked.

use std::collections::BTreeMap;

use super::containers::OneOrMore;
use super::machine_file::entries;
use super::reader::{Field, Named, Notes};
use super::rules::Rules;
use super::rules_file::{CardTable, Known, RulesTable, check_known, list};
use crate::domain::card::Name;
use crate::domain::roles::{Role, Roles};
use crate::domain::rule::Mode;

/// Who is what to each card, where the file says so.
pub(super) fn roles(
    cards: &Field<Named<CardTable>>,
    known: Option<&Known<'_>>,
    notes: &mut Notes<'_>,
) -> BTreeMap<Name, Roles> {
    let mut all = BTreeMap::new();
    for (entry, card) in entries(cards) {
        let roles = Roles { owner: list(&card.owner), payer: list(&card.payer), watchers: list(&card.watchers) };
        if roles.is_empty() {
            continue;
        }
        if let Some(known) = known {
            check_askable(&roles, &list(&card.notify), (&card.watchers, &format!("`{}`", entry.name)), known, notes);
        }
        all.insert(entry.name.clone(), roles);
    }
    all
}

/// Somebody has to be left who is asked and warned.
pub(super) fn check_askable(
    roles: &Roles,
    notify: &[Name],
    (watchers, what): (&Field<OneOrMore<Name>>, &str),
    known: &Known<'_>,
    notes: &mut Notes<'_>,
) {
    let Some(watchers) = watchers.good() else { return };
    let everybody: Vec<Name> = known.people.iter().copied().cloned().collect();
    if roles.people(notify, &everybody).iter().all(|(_, role)| *role == Role::Watcher) {
        let message = format!("everybody only watches {what}, so that nobody is asked or warned");
        notes.contradiction(&watchers.span, message, "add owner = \"NAME\"".to_owned());
    }
}

/// Whether the file says who is asked about a card, or says it wrongly.
fn names_somebody_to_ask(card: &CardTable, rules: &Rules) -> bool {
    let names = |field: &Field<OneOrMore<Name>>| matches!(field, Field::Bad) || !list(field).is_empty();
    let by_labels = rules.roles_for(&list(&card.labels));
    names(&card.notify)
        || names(&card.owner)
        || names(&card.payer)
        || by_labels.is_some_and(|roles| !roles.owner.is_empty() || !roles.payer.is_empty())
}

/// A rule that asks needs somebody to ask.
pub(super) fn check_askers(table: &RulesTable, rules: &Rules, notes: &mut Notes<'_>) {
    for (entry, card) in entries(&table.card).filter(|(_, card)| !names_somebody_to_ask(card, rules)) {
        let decided = rules.rule_for(&list(&card.labels), card.rule.get());
        if decided.is_some_and(|rule| rule.mode == Mode::Ask || rule.ask_above.is_some()) {
            let message = format!("nobody is told when `{}` asks", entry.name);
            notes.warning(&entry.key, message, "add notify = [\"NAME\"]".to_owned());
        }
    }
}

/// Names of people, which are in the other file.
pub(super) fn check_people(named: &[&Field<OneOrMore<Name>>], known: &Known<'_>, notes: &mut Notes<'_>) {
    for at in named.iter().filter_map(|field| field.get()).flat_map(|list| list.0.iter()) {
        check_known(at, &known.people, "a person of simkeeper.toml", notes);
    }
}
