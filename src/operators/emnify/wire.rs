//! The documents of the REST API, as far as they are needed. Ids are shown as numbers in the operator's texts and as
//! text in its schema, so both are taken.

use serde::Deserialize;

use crate::operators::kit::{Flag, Loose};

/// `POST /authenticate`.
#[derive(Deserialize)]
pub(super) struct AuthDoc {
    pub(super) auth_token: String,
}

/// An error.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorDoc {
    pub(super) error_token: Option<String>,
    #[serde(default)]
    pub(super) message: String,
}

/// Something that is one of a few, by id and by word.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct WordDoc {
    pub(super) id: Option<Loose>,
    pub(super) description: Option<String>,
}

impl WordDoc {
    /// The word in capitals; if there is none, the one that `ids` has for the id.
    pub(super) fn word(&self, ids: &[(&str, &str)]) -> String {
        let by_id = || {
            let id = self.id.as_ref()?.as_str();
            ids.iter().find(|(known, _)| *known == id).map(|(_, word)| (*word).to_owned())
        };
        let told = self.description.as_deref().map(|word| word.trim().to_ascii_uppercase());
        told.filter(|word| !word.is_empty()).or_else(by_id).unwrap_or_default()
    }
}

/// A SIM of `GET /sim`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct SimDoc {
    pub(super) iccid: Option<Loose>,
    pub(super) msisdn: Option<Loose>,
    pub(super) status: Option<WordDoc>,
    pub(super) endpoint: Option<EndpointDoc>,
}

/// The device that a SIM is bound to.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct EndpointDoc {
    pub(super) id: Option<Loose>,
    pub(super) name: Option<String>,
}

/// `GET /endpoint/{id}/quota/data`. Volumes in MB.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct QuotaDoc {
    pub(super) status: Option<WordDoc>,
    pub(super) volume: Loose,
    pub(super) expiry_date: Option<String>,
    pub(super) auto_refill: Option<Flag>,
    pub(super) threshold_percentage: Option<Loose>,
}
