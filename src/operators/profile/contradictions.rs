//! What the parts of a profile say against each other, above all about money.

use super::calls::{BuyAt, FindAt};
use super::file::Profile;
use super::tree::Table;
use super::when::Condition;
use crate::domain::operator::{Lookup, Proof, Repeat};

/// Notes every contradiction.
pub(super) fn note(table: &Table<'_>, profile: &Profile) {
    if let Some(buy) = &profile.buy {
        of_order(table, profile, buy);
        of_repeat(table, profile, buy);
        of_proof(table, profile);
    }
    of_lookup(table, profile);
    of_phases(table, profile);
    if profile.read.is_empty() && profile.read_many.is_none() && !table.has("read") && !table.has("buy") {
        table.wrong("this profile neither reads nor buys", "begin with [[read]]: how one card is read");
    }
    if profile.read.is_empty() && profile.read_many.is_none() && profile.buy.is_some() && !table.has("read") {
        let proof = profile.declared.capabilities.proof;
        if !matches!(proof, Proof::Order) {
            place(table, "buy").wrong(
                "without [[read]] nothing on the card can prove a purchase",
                "describe [[read]]; or, if the operator can read no card, write capabilities.proof = \"order\"",
            );
        }
    }
}

/// The table in question, or the one above it.
fn place<'a>(table: &Table<'a>, key: &'static str) -> Table<'a> {
    let inner = table.item(key).and_then(|item| item.one_or_list().first().and_then(super::tree::Item::table));
    inner.unwrap_or_else(|| table.clone_empty())
}

fn at(table: &Table<'_>, key: &'static str, inner: &'static str, message: &str, help: &str) {
    let section = place(table, key);
    match section.item(inner) {
        Some(item) => item.wrong(message, help),
        None => section.wrong(message, help),
    }
}

fn of_order(table: &Table<'_>, profile: &Profile, buy: &BuyAt) {
    let mut names = buy.request.names();
    let of_card = |names: &[&str]| {
        names.iter().any(|name| ["iccid", "msisdn", "imei", "eid"].contains(name) || name.starts_with("field."))
    };
    if !of_card(&names) {
        at(
            table,
            "buy",
            "path",
            "this order does not say for which card it is, so that it would buy a new one",
            "put {iccid}, {msisdn} or {field.X} into the path, the query or the body of [buy]",
        );
    }
    if let Some(reserved) = &buy.reserved {
        names.extend(reserved.commit.names());
    }
    let of_plan = ["plan.id", "plan.price", "plan.credit", "plan.data"];
    if !names.iter().any(|name| of_plan.contains(name)) {
        at(
            table,
            "buy",
            "path",
            "this order does not say which plan it is for",
            "put {plan.id} (or an amount: {plan.price}, {plan.credit}, {plan.data}) into it",
        );
    }
    if profile.catalogue.is_none() && !table.has("catalogue") {
        at(
            table,
            "buy",
            "path",
            "there is nothing to buy from",
            "describe [catalogue], or list plans as [[catalogue.plan]]",
        );
    }
    let takes_codes = profile.declared.capabilities.takes_codes;
    if takes_codes != names.contains(&"code") {
        let message = if takes_codes {
            "`takes_codes` is true, but the order has no place for a code"
        } else {
            "the order has a place for a code, but `takes_codes` is not true"
        };
        at(
            table,
            "capabilities",
            "takes_codes",
            message,
            "put {code?} into [buy] and write takes_codes = true, or neither",
        );
    }
    if profile.declared.payment_methods.len() > 1 && !names.contains(&"payment") {
        at(
            table,
            "capabilities",
            "payment_methods",
            "there are several ways to pay, but the order does not say which one is meant",
            "put {payment} into [buy], or keep one method",
        );
    }
    if profile.declared.payment_methods.is_empty() {
        at(table, "capabilities", "payment_methods", "there is no way to pay", "payment_methods = [\"wallet\"]");
    }
}

fn of_repeat(table: &Table<'_>, profile: &Profile, buy: &BuyAt) {
    if !matches!(profile.declared.capabilities.repeat, Repeat::Pays) && !sends_key(buy) {
        at(
            table,
            "capabilities",
            "repeat",
            "a repeat can only be harmless if the order carries our key",
            "put {key} into [buy] (in the body, or in a header such as Idempotency-Key), or write repeat = \"pays\"",
        );
    }
}

fn sends_key(buy: &BuyAt) -> bool {
    let in_commit = buy.reserved.as_ref().is_some_and(|reserved| reserved.commit.names().contains(&"key"));
    buy.request.names().contains(&"key") || in_commit
}

fn of_proof(table: &Table<'_>, profile: &Profile) {
    let parts: Vec<_> =
        profile.read.iter().map(|step| &step.parts).chain(profile.read_many.iter().map(|many| &many.parts)).collect();
    if parts.is_empty() {
        return;
    }
    let missing = match profile.declared.capabilities.proof {
        Proof::AssetIds => {
            parts.iter().all(|parts| parts.assets.is_none()).then_some("`assets`: the ids of the plans on the card")
        }
        Proof::Expiry => {
            let has_end = |parts: &&&super::calls::CardParts| {
                parts.plan_ends.is_some() || parts.credit_ends.is_some() || parts.number_ends.is_some()
            };
            (!parts.iter().any(|parts| has_end(&parts))).then_some("`plan_ends`, `credit_ends` or `number_ends`")
        }
        Proof::Balance => parts.iter().all(|parts| parts.allowances.is_empty()).then_some("[[read.allowance]]"),
        Proof::Order => None,
    };
    if let Some(missing) = missing {
        at(
            table,
            "capabilities",
            "proof",
            "what is to prove a purchase is not read",
            &format!("add {missing} to [[read]], or declare another proof: asset_ids, expiry, balance, order"),
        );
    }
}

fn of_lookup(table: &Table<'_>, profile: &Profile) {
    let finds = table.has("find") || table.has("find_by_id");
    match profile.declared.capabilities.lookup {
        Lookup::None | Lookup::ByRef { .. } | Lookup::ByList { .. } if finds && !table.has("find") => at(
            table,
            "find_by_id",
            "path",
            "[find_by_id] alone cannot find an order whose answer was lost: such an order has no id yet",
            "describe [find], too: by {key} or in a list; if the operator lists only ids, write by_id = true there",
        ),
        Lookup::None if finds && profile.buy.is_some() => at(
            table,
            "capabilities",
            "lookup",
            "there is a look-up, but `lookup` does not say how long an order takes to show in it",
            "lookup = { by_reference = \"5m\" } or { by_list = \"10m\" }; if nobody says, take \"24h\"",
        ),
        Lookup::None => {}
        Lookup::ByRef { .. } | Lookup::ByList { .. } if !table.has("find") => at(
            table,
            "capabilities",
            "lookup",
            "`lookup` is declared, but there is no [find]",
            "describe [find]: how an order is asked for again without its id, since a lost answer gave none",
        ),
        Lookup::ByRef { .. } => of_reference(table, profile),
        Lookup::ByList { .. } => of_list(table, profile),
    }
    of_finds(table, profile);
}

fn of_reference(table: &Table<'_>, profile: &Profile) {
    let Some(find) = &profile.find else { return };
    let in_when = conditions(profile, find).any(|one| one.names().any(|name| name == "key"));
    if !in_when && !find.request.names().contains(&"key") {
        at(
            table,
            "find",
            "path",
            "this is no look-up by reference: our {key} is nowhere in it",
            "put {key} into the request or into `when`; or declare lookup = { by_list = … }",
        );
    }
    if profile.buy.as_ref().is_some_and(|buy| !sends_key(buy)) {
        at(
            table,
            "capabilities",
            "lookup",
            "an order is only found by our reference if it carries it",
            "put {key} into [buy], or declare lookup = { by_list = … }",
        );
    }
}

fn of_list(table: &Table<'_>, profile: &Profile) {
    let Some(find) = &profile.find else { return };
    let of_request = find.request.names();
    let mut names = of_request.iter().copied().chain(conditions(profile, find).flat_map(Condition::names));
    let by_card = names.any(|name| ["iccid", "msisdn", "imei", "eid"].contains(&name) || name.starts_with("field."));
    if find.rows.is_none() && !place(table, "find").has("rows") {
        at(table, "find", "path", "a look-up by list has `rows`", "rows = \"$.data\": where the list stands");
    }
    if !by_card {
        at(
            table,
            "find",
            "path",
            "orders of other cards are not told apart from this one's",
            "when = [{ path = \"$.iccid\", is = \"{iccid}\" }, …], or {iccid} in the request",
        );
    }
    let each = profile.find_by_id.as_ref().filter(|_| find.by_id);
    let tells_time = find.time.is_some() || each.is_some_and(|each| each.time.is_some());
    if !tells_time && !place(table, "find").has("time") {
        at(
            table,
            "find",
            "path",
            "an older order for the same card and plan would be taken for this one",
            "time = \"$.createdAt\": when the order was made; older ones are left out",
        );
    }
}

/// What an order that `[find]` looks at is compared with; where it lists ids only, `[find_by_id]` compares.
fn conditions<'p>(profile: &'p Profile, find: &'p FindAt) -> impl Iterator<Item = &'p Condition> {
    let each = profile.find_by_id.as_ref().filter(|_| find.by_id);
    find.when.iter().chain(each.into_iter().flat_map(|each| each.when.iter()))
}

fn of_finds(table: &Table<'_>, profile: &Profile) {
    if profile.find.as_ref().is_some_and(|find| find.by_id) && profile.find_by_id.is_none() {
        at(
            table,
            "find",
            "by_id",
            "`by_id` asks for each order as [find_by_id] says, but there is no [find_by_id]",
            "[find_by_id] with path = \"/orders/{order_id}\" and `when`",
        );
    }
    for (name, find) in [("find", &profile.find), ("find_by_id", &profile.find_by_id)] {
        let Some(find) = find.as_ref().filter(|find| find.by_id) else { continue };
        if name == "find_by_id" || find.rows.is_none() {
            at(
                table,
                name,
                "by_id",
                "`by_id` belongs to a [find] whose `rows` list the ids of orders",
                "rows = \"$.ids\", order_id = \"$\", by_id = true",
            );
        }
    }
    if profile.find_by_id.as_ref().is_some_and(|find| !find.request.names().contains(&"order_id")) {
        at(
            table,
            "find_by_id",
            "path",
            "{order_id} is nowhere in this request",
            "such as path = \"/orders/{order_id}\"",
        );
    }
    if profile.find.as_ref().is_some_and(|find| find.request.names().contains(&"order_id")) {
        at(
            table,
            "find",
            "path",
            "[find] is asked when the order's id is not known",
            "look by {key} or in a list here; [find_by_id] is asked first where the id is known",
        );
    }
}

fn of_phases(table: &Table<'_>, profile: &Profile) {
    let Some(buy) = &profile.buy else { return };
    let declared = profile.declared.capabilities.two_phase.is_some();
    if buy.reserved.is_some() && !declared {
        at(
            table,
            "capabilities",
            "two_phase",
            "[buy.commit] makes this an order in two steps, but `two_phase` is not declared",
            "two_phase = \"20m\": how long a reservation lasts that nobody commits",
        );
    }
    if buy.reserved.is_none() && declared && !place(table, "buy").has("commit") {
        at(
            table,
            "capabilities",
            "two_phase",
            "`two_phase` is declared, but there is no [buy.commit]",
            "describe [buy.reserved] and [buy.commit], or take `two_phase` out",
        );
    }
}
