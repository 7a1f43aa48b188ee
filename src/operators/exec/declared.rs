//! What a program says that its operator can do.

use serde::Deserialize;

use crate::domain::operator::{Capabilities, Lookup, MOST_CAREFUL, Proof, Repeat, Stacking, Terms};
use crate::domain::time::Secs;

/// What the operator can do; what is left out is assumed to be the worst.
#[derive(Deserialize)]
pub(super) struct CapabilitiesDoc {
    repeat: Option<RepeatWord>,
    replay_window_secs: Option<i64>,
    burns_key: Option<bool>,
    lookup: Option<LookupWord>,
    listing_delay_secs: Option<i64>,
    processing_max_secs: Option<i64>,
    proof: Option<ProofWord>,
    late_change_secs: Option<i64>,
    read_batch: Option<usize>,
    cached_for_secs: Option<i64>,
    effect_max_secs: Option<i64>,
    takes_codes: Option<bool>,
    discovers: Option<bool>,
    #[serde(default)]
    stacking: Stacking,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    final_codes: Vec<String>,
    #[serde(default)]
    payment_methods: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RepeatWord {
    Replays,
    Refuses,
    Pays,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum LookupWord {
    ByRef,
    ByList,
    None,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ProofWord {
    AssetIds,
    Expiry,
    Balance,
    Order,
}

impl CapabilitiesDoc {
    /// # Errors
    /// What it says contradicts itself.
    pub(super) fn declared(self) -> Result<(Capabilities, Terms), String> {
        let repeat = match (self.repeat, self.replay_window_secs) {
            (Some(RepeatWord::Replays), Some(window)) if window > 0 => Repeat::Replays(Secs(window)),
            (Some(RepeatWord::Replays), _) => {
                return Err("`repeat` is `replays`, and `replay_window_secs` is missing".into());
            }
            (Some(RepeatWord::Refuses), _) => Repeat::Refuses,
            (Some(RepeatWord::Pays) | None, _) => Repeat::Pays,
        };
        let delay = || self.listing_delay_secs.filter(|secs| *secs >= 0).ok_or("`lookup` needs `listing_delay_secs`");
        let lookup = match self.lookup {
            Some(LookupWord::ByRef) => Lookup::ByRef { listing_delay_secs: delay()? },
            Some(LookupWord::ByList) => Lookup::ByList { listing_delay_secs: delay()? },
            Some(LookupWord::None) | None => Lookup::None,
        };
        let proof = match self.proof {
            Some(ProofWord::AssetIds) => Proof::AssetIds,
            Some(ProofWord::Expiry) => Proof::Expiry,
            Some(ProofWord::Order) => Proof::Order,
            Some(ProofWord::Balance) | None => Proof::Balance,
        };
        let secs = |told: Option<i64>| told.filter(|secs| *secs >= 0).map(Secs);
        let capabilities = Capabilities {
            repeat,
            burns_key: self.burns_key.unwrap_or(MOST_CAREFUL.burns_key),
            lookup,
            processing_max: secs(self.processing_max_secs),
            proof,
            late_change: secs(self.late_change_secs),
            two_phase: None,
            read_batch: self.read_batch.unwrap_or(1).clamp(1, 10_000),
            cached_for: secs(self.cached_for_secs).unwrap_or(MOST_CAREFUL.cached_for),
            effect_max: secs(self.effect_max_secs).unwrap_or(MOST_CAREFUL.effect_max),
            takes_codes: self.takes_codes.unwrap_or(false),
            discovers: self.discovers.unwrap_or(false),
            stacking: self.stacking,
        };
        let terms = Terms {
            hosts: self.hosts,
            final_codes: self.final_codes,
            payment_methods: self.payment_methods,
            needs: self.needs,
        };
        Ok((capabilities, terms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(text: &str) -> Result<Capabilities, String> {
        serde_json::from_str::<CapabilitiesDoc>(text).unwrap().declared().map(|(capabilities, _)| capabilities)
    }

    #[test]
    fn what_is_not_said_is_assumed_to_be_the_worst() {
        let silent = declared("{}").unwrap();
        assert_eq!(silent, Capabilities { burns_key: true, ..MOST_CAREFUL });
        let told = declared(
            r#"{"repeat":"replays","replay_window_secs":60,"lookup":"by_ref","listing_delay_secs":5,"proof":"order","stacking":"beside"}"#,
        )
        .unwrap();
        assert_eq!((told.repeat, told.proof), (Repeat::Replays(Secs(60)), Proof::Order));
        assert_eq!((silent.stacking, told.stacking), (Stacking::Unknown, Stacking::Beside));
        assert!(serde_json::from_str::<CapabilitiesDoc>(r#"{"stacking":"piled"}"#).is_err());
        assert!(declared(r#"{"repeat":"replays"}"#).is_err() && declared(r#"{"lookup":"by_list"}"#).is_err());
    }
}
