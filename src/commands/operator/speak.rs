//! What operators can do, in words.

use crate::domain::operator::{Capabilities, Class, Lookup, Proof, Repeat, Stacking};
use crate::domain::plan::{Contents, Plan};
use crate::domain::time::Secs;
use crate::domain::words::Spoken;

/// What a lost answer means at this operator.
pub(super) const fn class(class: Class) -> &'static str {
    match class {
        Class::A => "A: a repeat is harmless",
        Class::B => "B: found again by look-up",
        Class::C => "C: only readings tell",
    }
}

pub(super) fn repeat(repeat: Repeat) -> String {
    match repeat {
        Repeat::Replays(window) => format!("the first result comes back, for {}", Spoken(window)),
        Repeat::Refuses => "is refused; nothing is charged twice".to_owned(),
        Repeat::Pays => "is charged again, or the operator does not say".to_owned(),
    }
}

pub(super) fn lookup(lookup: Lookup) -> String {
    let within = |secs: i64| if secs > 0 { format!(", within {}", Spoken(Secs(secs))) } else { String::new() };
    match lookup {
        Lookup::ByRef { listing_delay_secs } => format!("by reference{}", within(listing_delay_secs)),
        Lookup::ByList { listing_delay_secs } => format!("in a list{}", within(listing_delay_secs)),
        Lookup::None => "none".to_owned(),
    }
}

pub(super) const fn stacking(stacking: Stacking) -> &'static str {
    match stacking {
        Stacking::Queues => "waits until the one before is used up or ends",
        Stacking::Extends => "adds its data and its time to what is left",
        Stacking::Beside => "begins at once, beside it",
        Stacking::Unknown => "not told; taken to wait",
    }
}

pub(super) const fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::AssetIds => "a new plan on the card",
        Proof::Expiry => "a later end",
        Proof::Balance => "a larger balance",
        Proof::Order => "the operator's record of the order",
    }
}

pub(super) const fn yes(truth: bool) -> &'static str {
    if truth { "yes" } else { "no" }
}

/// Everything about it, a line each.
pub(super) fn capabilities(can: &Capabilities) -> Vec<(&'static str, String)> {
    let length = |length: Option<Secs>| length.map_or_else(|| "not told".to_owned(), |secs| Spoken(secs).to_string());
    vec![
        ("class", class(can.class()).to_owned()),
        ("the same order again", repeat(can.repeat)),
        ("look-up", lookup(can.lookup)),
        ("proof of a purchase", proof(can.proof).to_owned()),
        ("an order is taken within", length(can.processing_max)),
        ("its effect shows within", Spoken(can.effect_max).to_string()),
        ("may be taken back for", length(can.late_change)),
        ("readings are from a cache of", Spoken(can.cached_for).to_string()),
        ("cards in one reading", can.read_batch.to_string()),
        ("reserves first", can.two_phase.map_or_else(|| "no".to_owned(), |secs| format!("yes, for {}", Spoken(secs)))),
        ("discount codes", yes(can.takes_codes).to_owned()),
        ("a plan bought while one runs", stacking(can.stacking).to_owned()),
        ("lists its cards", yes(can.discovers).to_owned()),
    ]
}

/// What a plan puts on the card.
pub(super) fn contents(contents: &Contents) -> String {
    let mut parts = Vec::new();
    if contents.unlimited_data {
        parts.push("unlimited data".to_owned());
    }
    parts.extend(contents.data().map(|data| data.to_string()));
    parts.extend(
        contents.voice_secs.map(|secs| format!("{} calls", Spoken(Secs(i64::try_from(secs).unwrap_or(i64::MAX))))),
    );
    parts.extend(contents.sms.map(|count| format!("{count} texts")));
    parts.extend(contents.credit.map(|credit| credit.to_string()));
    if parts.is_empty() { "-".to_owned() } else { parts.join(", ") }
}

/// What a gigabyte costs, where the data is known and limited.
pub(super) fn price_per_gb(plan: &Plan) -> Option<crate::domain::money::Money> {
    const GB: i128 = 1_000_000_000;
    let bytes = plan.contents.data().filter(|_| !plan.contents.unlimited_data).map(|data| i128::from(data.bytes()))?;
    let whole = i128::from(plan.price.ten_thousandths()).checked_mul(GB)?.checked_div(bytes)?;
    // To the hundredth, as prices are told.
    let rounded = (whole + 50) / 100 * 100;
    Some(crate::domain::money::Money::new(i64::try_from(rounded).ok()?, plan.price.currency()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::{Currency, Money};

    #[test]
    fn a_gigabyte_has_a_price_where_data_is_told() {
        let plan = |data_bytes, unlimited_data| Plan {
            id: "a".into(),
            name: "a".into(),
            contents: Contents { data_bytes, unlimited_data, ..Contents::default() },
            validity_secs: None,
            price: Money::new(100_000, Currency::EUR),
        };
        let per = |plan: Plan| price_per_gb(&plan).map(Money::ten_thousandths);
        assert_eq!(per(plan(Some(3_000_000_000), false)), Some(33_300));
        assert_eq!(per(plan(Some(500_000_000), false)), Some(200_000));
        assert_eq!(per(plan(Some(0), false)), None);
        assert_eq!(per(plan(None, false)), None);
        assert_eq!(per(plan(Some(1), true)), None);
    }
}
