//! The documents of TMF654, v4.0.0 and v4.1.0 alike: what one has as a list the other has as a single object, ids are
//! texts or numbers, and words are free.

use serde::Deserialize;

use crate::operators::kit::{Flag, Loose};

/// One or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        match self {
            Self::Many(many) => many.iter(),
            Self::One(one) => std::slice::from_ref(one).iter(),
        }
    }
}

/// A reference to a resource, a product, an account or a bucket.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RefDoc {
    pub(super) id: Option<Loose>,
    /// Of a logical resource in v4.1.0: the number itself.
    pub(super) value: Option<Loose>,
}

/// An amount in a unit. The standard's default of 1 for a missing amount is never taken for an amount.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct QuantityDoc {
    pub(super) amount: Option<Loose>,
    pub(super) units: Option<String>,
}

/// From when until when.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct PeriodDoc {
    #[serde(rename = "startDateTime")]
    pub(super) start: Option<String>,
    #[serde(rename = "endDateTime")]
    pub(super) end: Option<String>,
}

/// `Bucket`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BucketDoc {
    pub(super) id: Option<Loose>,
    pub(super) usage_type: Option<String>,
    pub(super) status: Option<String>,
    pub(super) remaining_value: Option<QuantityDoc>,
    pub(super) valid_for: Option<PeriodDoc>,
    pub(super) is_shared: Option<Flag>,
    pub(super) party_account: Option<RefDoc>,
    pub(super) product: Option<OneOrMany<RefDoc>>,
    pub(super) logical_resource: Option<OneOrMany<RefDoc>>,
}

/// `TopupBalance`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TopupDoc {
    pub(super) id: Option<Loose>,
    pub(super) status: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) description: Option<String>,
    pub(super) requested_date: Option<String>,
    pub(super) amount: Option<QuantityDoc>,
    pub(super) bucket: Option<RefDoc>,
    pub(super) product: Option<OneOrMany<RefDoc>>,
    pub(super) logical_resource: Option<OneOrMany<RefDoc>>,
}

/// `Error`.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorDoc {
    pub(super) code: Loose,
    pub(super) reason: String,
    pub(super) message: Option<String>,
}

/// The answer of a token server (RFC 6749, section 5.1).
#[derive(Deserialize)]
pub(super) struct TokenDoc {
    pub(super) access_token: String,
    pub(super) expires_in: Option<Loose>,
}

/// A word as it is compared: the standard's own lists hold one with a blank behind it.
pub(super) fn word(text: Option<&str>) -> Option<String> {
    text.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty())
}

/// The text of a field, if there is one.
pub(super) fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}
