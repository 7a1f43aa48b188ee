//! Reading what is sold and how: `[wallet]`, `[catalogue]`, `[preflight]`, `[buy]`, `[find]`, `[find_by_id]`.

use std::ops::RangeInclusive;

use super::auth::captures;
use super::calls::{
    BuyAt, CatalogueAt, FindAt, OfferAt, OrderAt, OrderState, PreflightAt, Range, Reserved, Success, WalletAt,
};
use super::fields::{Defaults, Kind, amount, at, length, money, words};
use super::paging::Paging;
use super::parse_read::{Ground, list};
use super::path::Paths;
use super::place::Place;
use super::request::{Method, Request};
use super::rules::{Match, statuses};
use super::tree::{Item, Table};
use super::when::read_conditions;
use crate::domain::data::DataSize;
use crate::domain::money::{Currency, Money};
use crate::domain::plan::{Contents, Plan};

const ORDER_STATES: &[(&str, OrderState)] = &[
    ("accepted", OrderState::Accepted),
    ("pending", OrderState::Pending),
    ("refused", OrderState::Refused),
    ("reversed", OrderState::Reversed),
];

/// Reads `[wallet]`.
pub(super) fn wallet(table: &Table<'_>, ground: &Ground<'_>) -> Option<WalletAt> {
    let request = Request::read(table, Method::Get, ground.hosts, &Place::wallet(ground.named));
    let balance = table.must("balance", "{ path = \"$.balance\", currency = \"$.currency\" }");
    let balance = balance.and_then(|item| money(&item, ground.defaults));
    table.close();
    Some(WalletAt { request: request?, balance: balance? })
}

/// Reads `[catalogue]`.
pub(super) fn catalogue(table: &Table<'_>, ground: &Ground<'_>) -> CatalogueAt {
    let place = Place::catalogue(ground.named);
    let fixed = table.tables("plan").iter().filter_map(fixed_plan).collect::<Vec<_>>();
    let asks = table.has("path");
    let request = asks.then(|| Request::read(table, Method::Get, ground.hosts, &place)).flatten();
    let paging = Paging::read(table, request.as_ref(), &place);
    let list = list(table, &place);
    let offer = offer(table, &place, ground.defaults);
    let range = table.table("range").and_then(|inner| range(&inner, ground.defaults));
    if asks {
        let by_hand = if fixed.is_empty() { "" } else { "; or, if all plans are written by hand, take `path` out" };
        table.must("rows", &format!("\"$.data\": where the list of plans stands{by_hand}"));
        table.must("id", &format!("\"$.id\"{by_hand}"));
        table.must("price", &format!("{{ path = \"$.price\", currency = \"USD\" }}{by_hand}"));
    } else if fixed.is_empty() {
        table
            .wrong("this catalogue asks nothing and holds nothing", "path = \"/plans\", or [[catalogue.plan]] by hand");
    }
    table.close();
    CatalogueAt { request, paging, list, offer, range, fixed }
}

fn offer(table: &Table<'_>, place: &Place<'_>, defaults: &Defaults) -> OfferAt {
    let units = |key, kind| table.item(key).and_then(|item: Item<'_>| amount(&item, kind));
    let cash = |key| table.item(key).and_then(|item: Item<'_>| money(&item, defaults));
    OfferAt {
        id: ids(table),
        name: table.item("name").and_then(|item| at(&item)),
        price: cash("price"),
        validity: table.item("validity").and_then(|item| length(&item)),
        data: units("data", Kind::Data),
        unlimited_data: read_conditions(table, "unlimited_data", place),
        voice: units("voice", Kind::Voice),
        sms: units("sms", Kind::Sms),
        credit: cash("credit"),
    }
}

/// An id, or the parts of one, which are joined by colons.
fn ids(table: &Table<'_>) -> Vec<super::field::At> {
    let Some(item) = table.item("id") else { return Vec::new() };
    let parts = item.table().and_then(|inner| {
        let parts = inner.item("parts")?;
        inner.close();
        parts.list()
    });
    parts.map_or_else(|| at(&item).into_iter().collect(), |parts| parts.iter().filter_map(at).collect())
}

fn range(table: &Table<'_>, defaults: &Defaults) -> Option<Range> {
    let cash = |key, what| table.must(key, what).and_then(|item| money(&item, defaults));
    let (min, max) = (cash("min", "{ path = \"$.minAmount\" }"), cash("max", "{ path = \"$.maxAmount\" }"));
    let step = table.must("step", "\"1\"").and_then(|item| {
        let text = item.scalar().unwrap_or_default();
        let step = Money::from_decimal(&text, Currency::USD).ok().filter(|step| step.ten_thousandths() > 0);
        if step.is_none() {
            item.wrong("a step is an amount above zero", "step = \"1\"");
        }
        step.map(Money::ten_thousandths)
    });
    let id = ids(table);
    table.close();
    Some(Range { id, min: min?, max: max?, step: step? })
}

fn fixed_plan(table: &Table<'_>) -> Option<Plan> {
    let id = table.must("id", "\"1GB-7D\"").and_then(|item| item.must_be_text().map(str::to_owned));
    let name = table.text("name");
    let price = table.must("price", "\"4.50 USD\"").and_then(|item| {
        let text = item.must_be_text()?;
        Money::parse(text).map_err(|why| item.wrong(why, "")).ok()
    });
    let data = table.item("data").and_then(|item| {
        let text = item.must_be_text()?;
        DataSize::parse(text).map_err(|why| item.wrong(why, "")).ok()
    });
    let validity = table.item("validity").and_then(|item| item.secs());
    let count = |key| table.item(key).and_then(|item: Item<'_>| item.count(0..=u64::from(u32::MAX)));
    let (voice_secs, sms) = (count("voice_minutes").map(|minutes| minutes * 60), count("sms"));
    let unlimited_data = table.yes("unlimited_data");
    table.close();
    let id = id?;
    let contents = Contents { data_bytes: data.map(DataSize::bytes), unlimited_data, voice_secs, sms, credit: None };
    let name = name.unwrap_or_else(|| id.clone());
    Some(Plan { id, name, contents, validity_secs: validity.map(|length| length.0), price: price? })
}

/// Reads `[preflight]`.
pub(super) fn preflight(table: &Table<'_>, ground: &Ground<'_>) -> Option<PreflightAt> {
    let place = Place::preflight(ground.named);
    let request = Request::read(table, Method::Get, ground.hosts, &place);
    let list = list(table, &place);
    let gone = Match::read_all(table, "gone", &place);
    let offer = offer(table, &place, ground.defaults);
    table.must("price", "{ path = \"$.price\", currency = \"USD\" }");
    table.close();
    Some(PreflightAt { request: request?, list, gone, offer })
}

/// Reads `[buy]`.
pub(super) fn buy(table: &Table<'_>, ground: &Ground<'_>) -> Option<BuyAt> {
    let request = Request::read(table, Method::Post, ground.hosts, &Place::buy(ground.named));
    if let Some(item) = table.item("method").filter(|item| item.text() == Some("GET")) {
        item.wrong("an order is never a GET", "GET may be repeated on its way; POST, PUT or PATCH is right");
    }
    let reserved = table.table("reserved").and_then(|inner| reserved(&inner, table, ground));
    if reserved.is_none() && table.has("commit") && !table.has("reserved") {
        table.wrong(
            "`buy.commit` has no `buy.reserved`",
            "[buy.reserved] with order_id = \"$.id\": what the first answer gives",
        );
    }
    let mut place = Place::commit(ground.named);
    place.captures =
        reserved.iter().flat_map(|reserved| reserved.capture.iter().map(|(name, _)| name.clone())).collect();
    let inner = table.must("success", "{ when = { path = \"$.reference\", is = \"{key}\" } }");
    let success = inner.and_then(|item| item.must_be_table()).map(|inner| success(&inner, &place, ground.defaults));
    table.close();
    // Without it the profile is refused; the order is looked at all the same, so that all of it is told at once.
    let success = success.unwrap_or_else(Success::nothing);
    Some(BuyAt { request: request?, reserved, success })
}

fn reserved(table: &Table<'_>, buy: &Table<'_>, ground: &Ground<'_>) -> Option<Reserved> {
    let mut place = Place::commit(ground.named);
    let when = read_conditions(table, "when", &place);
    let order_id = table.must("order_id", "\"$.id\"").and_then(|item| at(&item));
    let price = table.item("price").and_then(|item| money(&item, ground.defaults));
    let capture = table.table("capture").map(|inner| captures(&inner)).unwrap_or_default();
    table.close();
    place.captures = capture.iter().map(|(name, _)| name.clone()).collect();
    let commit = buy.must("commit", "{ path = \"/orders/{order_id}/confirm\" }").and_then(|item| item.must_be_table());
    let commit = commit.and_then(|inner| {
        let request = Request::read(&inner, Method::Post, ground.hosts, &place);
        inner.close();
        request
    });
    Some(Reserved { when, order_id: order_id?, price, capture, commit: commit? })
}

fn status_list(table: &Table<'_>, key: &'static str) -> Vec<RangeInclusive<u16>> {
    let items = table.item(key).map(|item| item.one_or_list()).unwrap_or_default();
    items.iter().filter_map(statuses).collect()
}

fn success(table: &Table<'_>, place: &Place<'_>, defaults: &Defaults) -> Success {
    let status = status_list(table, "status");
    let pending_status = status_list(table, "pending_status");
    let when = read_conditions(table, "when", place);
    let echoes_nothing = table.yes("echoes_nothing");
    let names: Vec<&str> = when.iter().flat_map(super::when::Condition::names).collect();
    let is_ours = |name: &&str| *name != "payment" && *name != "plan.currency";
    if !names.iter().any(is_ours) && !echoes_nothing {
        table.wrong(
            "nothing in this answer is compared with our order",
            "when = { path = \"$.reference\", is = \"{key}\" } (or {plan.id}, {iccid}, {order_id}); if the answer names \
             none of them, write echoes_nothing = true",
        );
    }
    if echoes_nothing && names.iter().any(is_ours) {
        table.wrong("`echoes_nothing` is not true: `when` compares with our order", "take `echoes_nothing` out");
    }
    let order = order(table, defaults);
    table.close();
    Success { status, pending_status, when, echoes_nothing, order }
}

fn order(table: &Table<'_>, defaults: &Defaults) -> OrderAt {
    OrderAt {
        order_id: table.item("order_id").and_then(|item| at(&item)),
        charged: table.item("charged").and_then(|item| money(&item, defaults)),
        state: table.item("state").and_then(|item| words(&item, ORDER_STATES)),
        why: table.item("why").and_then(|item| at(&item)),
    }
}

/// Reads `[find]` and `[find_by_id]`.
pub(super) fn find(table: &Table<'_>, ground: &Ground<'_>) -> Option<FindAt> {
    let place = Place::find(ground.named);
    let request = Request::read(table, Method::Get, ground.hosts, &place);
    let paging = Paging::read(table, request.as_ref(), &place);
    let rows = table.item("rows").and_then(|item| Paths::read(&item));
    let when = read_conditions(table, "when", &place);
    let time = table.item("time").and_then(|item| super::fields::time(&item, ground.defaults));
    let nothing = Match::read_all(table, "nothing", &place);
    let by_id = table.yes("by_id");
    let order = order(table, ground.defaults);
    table.must("order_id", "\"$.id\": the operator's own id of the order");
    if !by_id && when.iter().all(|condition| condition.names().next().is_none()) {
        table.wrong(
            "nothing in this answer is compared with our order",
            "when = { path = \"$.reference\", is = \"{key}\" }, or several: [{ path = \"$.iccid\", is = \"{iccid}\" }, …]",
        );
    }
    if rows.is_none() && !table.has("rows") && nothing.is_empty() {
        table.wrong(
            "how does the operator say that there is no such order?",
            "nothing = { status = 404 } for one order, or rows = \"$.data\" for a list, which may be empty",
        );
    }
    table.close();
    Some(FindAt { request: request?, paging, rows, by_id, when, time, nothing, order })
}
