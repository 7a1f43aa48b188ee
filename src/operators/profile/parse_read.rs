//! Reading `[[read]]`, `[read_many]`, `[discover]` and what they say of a card.

use super::auth::captures;
use super::calls::{AllowanceAt, Amounts, CardParts, DiscoverAt, List, ReadMany, ReadStep};
use super::fields::{Defaults, Kind, amount, at, money, time, words};
use super::hosts::Hosts;
use super::paging::Paging;
use super::path::Paths;
use super::place::{Named, Place};
use super::request::{Method, Request};
use super::tree::{Item, Table};
use super::when::read_conditions;
use crate::domain::reading::{AllowanceState, CardState, Renewable};

const CARD_STATES: &[(&str, CardState)] = &[
    ("unknown", CardState::Unknown),
    ("not_installed", CardState::NotInstalled),
    ("not_active", CardState::NotActive),
    ("active", CardState::Active),
    ("finished", CardState::Finished),
    ("expired", CardState::Expired),
    ("blocked", CardState::Blocked),
    ("recycled", CardState::Recycled),
];

const ALLOWANCE_STATES: &[(&str, AllowanceState)] = &[
    ("queued", AllowanceState::Queued),
    ("active", AllowanceState::Active),
    ("finished", AllowanceState::Finished),
    ("expired", AllowanceState::Expired),
];

const RENEWABLE: &[(&str, Renewable)] =
    &[("yes", Renewable::Yes), ("one_off", Renewable::OneOff), ("unknown", Renewable::Unknown)];

/// What all calls are read with.
pub(super) struct Ground<'g> {
    pub(super) hosts: &'g Hosts,
    pub(super) named: &'g Named,
    pub(super) defaults: &'g Defaults,
}

/// Reads the steps of a reading, in their order.
pub(super) fn steps(tables: &[Table<'_>], ground: &Ground<'_>) -> Vec<ReadStep> {
    let mut place = Place::read(ground.named);
    let mut steps = Vec::new();
    for table in tables {
        let request = Request::read(table, Method::Get, ground.hosts, &place);
        let list = list(table, &place);
        let must = read_conditions(table, "must", &place);
        let parts = parts(table, &place, ground.defaults);
        let capture = table.table("capture").map(|inner| captures(&inner)).unwrap_or_default();
        place.captures.extend(capture.iter().map(|(name, _)| name.clone()));
        let optional = table.yes("optional");
        table.close();
        steps.extend(request.map(|request| ReadStep { request, list, must, parts, capture, optional }));
    }
    steps
}

/// Reads `rows`, `when` and `rows_may_lack`.
pub(super) fn list(table: &Table<'_>, place: &Place<'_>) -> Option<List> {
    let rows = table.item("rows").and_then(|item| Paths::read(&item));
    let when = read_conditions(table, "when", place);
    let may_lack = table.yes("rows_may_lack");
    if rows.is_none() && !table.has("rows") && (!when.is_empty() || may_lack) {
        table.wrong("`when` chooses among rows, but there are no `rows`", "rows = \"$.data\": where the list stands");
    }
    Some(List { rows: rows?, when, may_lack })
}

/// Reads `[read_many]`.
pub(super) fn many(table: &Table<'_>, ground: &Ground<'_>) -> Option<ReadMany> {
    let place = Place::list(ground.named);
    let request = Request::read(table, Method::Get, ground.hosts, &place);
    let paging = Paging::read(table, request.as_ref(), &place);
    table.must("rows", "\"$.data\"");
    let list = list(table, &place);
    let iccid = table.must("iccid", "\"$.iccid\"").and_then(|item| at(&item));
    let parts = parts(table, &place, ground.defaults);
    table.close();
    Some(ReadMany { request: request?, paging, list: list?, iccid: iccid?, parts })
}

/// Reads `[discover]`.
pub(super) fn discover(table: &Table<'_>, ground: &Ground<'_>) -> Option<DiscoverAt> {
    let place = Place::list(ground.named);
    let request = Request::read(table, Method::Get, ground.hosts, &place);
    let paging = Paging::read(table, request.as_ref(), &place);
    table.must("rows", "\"$.data\"");
    let list = list(table, &place);
    let field = |key| table.item(key).and_then(|item: Item<'_>| at(&item));
    let (iccid, msisdn, label) = (field("iccid"), field("msisdn"), field("label"));
    let fields = table.table("fields").map(|inner| captures(&inner)).unwrap_or_default();
    if !table.has("iccid") && !table.has("msisdn") {
        table.wrong("the cards of this list have no number", "iccid = \"$.iccid\" or msisdn = \"$.msisdn\"");
    }
    table.close();
    Some(DiscoverAt { request: request?, paging, list: list?, iccid, msisdn, label, fields })
}

fn parts(table: &Table<'_>, place: &Place<'_>, defaults: &Defaults) -> CardParts {
    let instant = |key| table.item(key).and_then(|item: Item<'_>| time(&item, defaults));
    let read = |table: &Table<'_>| allowance(table, place, defaults);
    CardParts {
        state: table.item("state").and_then(|item| words(&item, CARD_STATES)),
        renewable: table.item("renewable").and_then(|item| words(&item, RENEWABLE)),
        as_of: instant("as_of"),
        plan_ends: instant("plan_ends"),
        credit_ends: instant("credit_ends"),
        number_ends: instant("number_ends"),
        plan: table.item("plan").and_then(|item| at(&item)),
        assets: table.item("assets").and_then(|item| Paths::read(&item)),
        allowances: table.tables("allowance").iter().filter_map(read).collect(),
    }
}

fn allowance(table: &Table<'_>, place: &Place<'_>, defaults: &Defaults) -> Option<AllowanceAt> {
    let kinds = [("data", Some(Kind::Data)), ("voice", Some(Kind::Voice)), ("sms", Some(Kind::Sms)), ("credit", None)];
    let kind = table.must("kind", "\"data\"").and_then(|item| item.word(&kinds));
    let list = list(table, place);
    let unlimited = read_conditions(table, "unlimited", place);
    let instant = |key| table.item(key).and_then(|item: Item<'_>| time(&item, defaults));
    let (starts, ends) = (instant("starts"), instant("ends"));
    let state = table.item("state").and_then(|item| words(&item, ALLOWANCE_STATES));
    let ends_plan = table.yes("ends_plan");
    if ends_plan && !table.has("ends") {
        table.wrong("`ends_plan` needs `ends`: when each of these ends", "ends = \"$.endsAt\"");
    }
    let amounts = match kind {
        Some(Some(kind)) => counted(table, kind),
        Some(None) => credit(table, defaults),
        None => {
            // What is asked for here is known as a key although the kind is not.
            let _ = ["remaining", "used", "total"].map(|key| table.has(key));
            None
        }
    };
    table.close();
    Some(AllowanceAt { list, amounts: amounts?, unlimited, state, starts, ends, ends_plan })
}

fn counted(table: &Table<'_>, kind: Kind) -> Option<Amounts> {
    let field = |key| table.item(key).and_then(|item: Item<'_>| amount(&item, kind));
    let (remaining, used, total) = (field("remaining"), field("used"), field("total"));
    let has = |key| table.has(key);
    if !(has("remaining") || has("used") && has("total")) {
        table.wrong(
            "this allowance does not say what is left",
            "`remaining`, or else `used` and `total`, from which it follows",
        );
    }
    Some(Amounts::Counted { kind, remaining, used, total })
}

fn credit(table: &Table<'_>, defaults: &Defaults) -> Option<Amounts> {
    let remaining = table.must("remaining", "{ path = \"$.balance\", currency = \"USD\" }");
    let remaining = remaining.and_then(|item| money(&item, defaults));
    let total = table.item("total").and_then(|item| money(&item, defaults));
    if let Some(item) = table.item("used") {
        item.wrong("credit is told by what is left", "take `used` out, and name `remaining`");
    }
    Some(Amounts::Credit { remaining: remaining?, total })
}
