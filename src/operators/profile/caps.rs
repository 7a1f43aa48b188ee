//! What a profile declares about its operator. What it does not is assumed as [`MOST_CAREFUL`] has it, and is named.

use super::tree::{Item, Table};
use crate::domain::operator::{Capabilities, Lookup, MOST_CAREFUL, Proof, Repeat, Stacking};
use crate::domain::time::Secs;

/// What `[capabilities]` says, and what it leaves to the most careful choice.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) capabilities: Capabilities,
    /// Each key that is not there, and what is assumed instead.
    pub(super) assumed: Vec<(&'static str, String)>,
    pub(super) payment_methods: Vec<String>,
    pub(super) needs: Vec<String>,
    pub(super) has_batch: bool,
}

impl Default for Declared {
    fn default() -> Self {
        Self {
            capabilities: MOST_CAREFUL,
            assumed: Vec::new(),
            payment_methods: vec!["wallet".into()],
            needs: Vec::new(),
            has_batch: false,
        }
    }
}

/// Reads `[capabilities]`; `sells` says whether the profile describes an order.
pub(super) fn read(table: Option<&Table<'_>>, sells: bool) -> Declared {
    let mut declared = Declared::default();
    let careful = MOST_CAREFUL;
    let item = |key: &'static str| table.and_then(|table| table.item(key));
    let mut assume = |key: &'static str, matters: bool, what: String| {
        if matters && item(key).is_none() {
            declared.assumed.push((key, what));
        }
    };
    assume("repeat", sells, "\"pays\": a second order with the same key is charged again".into());
    assume("burns_key", sells, "true: a refused order uses its key up".into());
    assume("lookup", sells, "\"none\": an order cannot be found again".into());
    assume("processing_max", sells, "an order may take up to 72 hours to be accepted".into());
    assume("proof", sells, "\"balance\": a purchase shows as a larger balance".into());
    assume("late_change", sells, "nothing is known of orders that are taken back later".into());
    assume("cached_for", true, format!("\"{}\": reading more often is of no use", careful.cached_for));
    assume("effect_max", sells, format!("\"{}\" until a purchase shows on the card", careful.effect_max));
    let secs = |key: &'static str| item(key).and_then(|item| item.secs());
    let yes =
        |key: &'static str, otherwise| item(key).map_or(Some(otherwise), |item| truth(&item)).unwrap_or(otherwise);
    declared.capabilities = Capabilities {
        repeat: item("repeat").and_then(|item| repeat(&item)).unwrap_or(careful.repeat),
        burns_key: yes("burns_key", careful.burns_key),
        lookup: item("lookup").and_then(|item| lookup(&item)).unwrap_or(careful.lookup),
        processing_max: secs("processing_max"),
        proof: item("proof").and_then(|item| item.word(PROOFS)).unwrap_or(careful.proof),
        late_change: secs("late_change"),
        two_phase: secs("two_phase"),
        read_batch: item("read_batch")
            .and_then(|item| item.count(1..=100_000))
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(careful.read_batch),
        cached_for: secs("cached_for").unwrap_or(careful.cached_for),
        effect_max: secs("effect_max").unwrap_or(careful.effect_max),
        takes_codes: yes("takes_codes", careful.takes_codes),
        discovers: careful.discovers,
        stacking: item("stacking").and_then(|item| item.word(STACKINGS)).unwrap_or(careful.stacking),
    };
    declared.has_batch = item("read_batch").is_some();
    if let Some(table) = table {
        if table.has("payment_methods") {
            declared.payment_methods = table.texts("payment_methods");
        }
        declared.needs = table.texts("needs");
        table.close();
    }
    declared
}

const PROOFS: &[(&str, Proof)] =
    &[("asset_ids", Proof::AssetIds), ("expiry", Proof::Expiry), ("balance", Proof::Balance), ("order", Proof::Order)];

/// A profile that does not know leaves the key out.
const STACKINGS: &[(&str, Stacking)] =
    &[("queues", Stacking::Queues), ("extends", Stacking::Extends), ("beside", Stacking::Beside)];

fn truth(item: &Item<'_>) -> Option<bool> {
    if item.truth().is_none() {
        item.wrong(format!("`{}` is {}", item.path, item.what()), "it must be true or false, without quotes");
    }
    item.truth()
}

fn repeat(item: &Item<'_>) -> Option<Repeat> {
    let Some(table) = item.table() else {
        return match item.text() {
            Some("replays") => {
                item.wrong("for how long does it replay?", "repeat = { replays = \"24h\" }");
                None
            }
            _ => item.word(&[("pays", Repeat::Pays), ("refuses", Repeat::Refuses)]),
        };
    };
    let replays = table.must("replays", "\"24h\": for how long after the first order").and_then(|item| item.secs());
    table.close();
    replays.map(Repeat::Replays)
}

fn lookup(item: &Item<'_>) -> Option<Lookup> {
    let Some(table) = item.table() else {
        let delayless = item.text().is_some_and(|text| text.starts_with("by_"));
        if delayless {
            item.wrong(
                "how long may a new order take to show?",
                "lookup = { by_reference = \"5m\" } or lookup = { by_list = \"10m\" }; if nobody says, take \"24h\"",
            );
            return None;
        }
        return item.word(&[("none", Lookup::None)]);
    };
    let by_reference = table.item("by_reference").and_then(|item| item.secs());
    let by_list = table.item("by_list").and_then(|item| item.secs());
    table.close();
    match (by_reference, by_list) {
        (Some(Secs(listing_delay_secs)), None) => Some(Lookup::ByRef { listing_delay_secs }),
        (None, Some(Secs(listing_delay_secs))) => Some(Lookup::ByList { listing_delay_secs }),
        _ => {
            item.wrong(
                "a look-up is by reference or by list",
                "lookup = { by_reference = \"5m\" }: the longest time until a new order shows",
            );
            None
        }
    }
}
