//! Buckets: which of them are a card's, what they say, and which one a top-up goes to.

use jiff::tz::TimeZone;

use super::units::{Bare, MoneyUnit, held};
use super::wire::{BucketDoc, OneOrMany, PeriodDoc, RefDoc, filled, word};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use crate::domain::time::{End, UnixTime};
use crate::operators::kit::{Flag, same_card, time_in};

/// What an operator knows a card by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known<'a> {
    /// Its phone number, digits alone, as a logical resource.
    Msisdn(&'a str),
    /// Its ICCID as a logical resource.
    Iccid(&'a str),
    /// The operator's own id of a logical resource.
    Resource(&'a str),
    /// The operator's own id of a product.
    Product(&'a str),
}

/// Whether a document is about a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// It is.
    Ours,
    /// It is about another.
    Other,
    /// It names none.
    Untold,
}

impl<'a> Known<'a> {
    /// The text itself.
    pub(super) const fn text(self) -> &'a str {
        match self {
            Self::Msisdn(text) | Self::Iccid(text) | Self::Resource(text) | Self::Product(text) => text,
        }
    }

    /// Whether a document with these references is about this card.
    pub(super) fn matches(self, resources: Option<&OneOrMany<RefDoc>>, products: Option<&OneOrMany<RefDoc>>) -> Match {
        let refs = if matches!(self, Self::Product(_)) { products } else { resources };
        let mut refs = refs.into_iter().flat_map(OneOrMany::iter).filter(|one| one.id.is_some() || one.value.is_some());
        let Some(first) = refs.next() else { return Match::Untold };
        let is_ours = self.is_named_by(first) || refs.any(|one| self.is_named_by(one));
        if is_ours { Match::Ours } else { Match::Other }
    }

    /// Whether a reference is this card, by its value or its id.
    fn is_named_by(self, one: &RefDoc) -> bool {
        [&one.value, &one.id].into_iter().flatten().any(|told| self.is(told.as_str()))
    }

    fn is(self, told: &str) -> bool {
        match self {
            Self::Msisdn(digits) => told.strip_prefix('+').unwrap_or(told) == digits,
            Self::Iccid(digits) => same_card(told, digits),
            Self::Resource(id) | Self::Product(id) => told == id,
        }
    }
}

/// Where a top-up of money can go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The bucket.
    pub(super) bucket: String,
    /// The bucket's type, as the operator writes it.
    pub(super) usage: Option<String>,
    /// Its unit.
    pub(super) unit: MoneyUnit,
    /// Whose it is.
    pub(super) party_account: Option<String>,
    /// The operator's id of the card's logical resource.
    pub(super) resource: Option<String>,
    /// The id of its product, where there is one.
    pub(super) product: Option<String>,
    /// Whether several cards use it.
    pub(super) is_shared: bool,
}

/// The reading of a card from its buckets, and where money can go.
pub(super) fn reading_of(
    buckets: &[BucketDoc],
    known: Known<'_>,
    bare: Bare,
    now: UnixTime,
) -> Result<(Reading, Vec<Target>), String> {
    let (mut allowances, mut targets, mut states) = (Vec::new(), Vec::new(), Vec::new());
    for bucket in buckets {
        let status = word(bucket.status.as_deref());
        let ends = end_of(bucket.valid_for.as_ref())?;
        states.push(status.clone());
        let (Some(held), Some(state)) = (
            bucket
                .remaining_value
                .as_ref()
                .map(|value| held(bucket.usage_type.as_deref(), value, bare))
                .transpose()?
                .flatten(),
            state_of(status.as_deref(), ends, now),
        ) else {
            tracing::debug!(id = ?bucket.id, "a bucket of unknown type, unit or status says nothing");
            continue;
        };
        targets.extend(held.money.clone().and_then(|unit| target_of(bucket, known, unit)));
        allowances.push(Allowance {
            kind: held.kind,
            remaining: held.amount,
            total: None,
            unlimited: false,
            state,
            starts: None,
            ends: ends.map(End::at),
        });
    }
    let credit = |kind| matches!(kind, AllowanceKind::Credit(_));
    let reading = Reading {
        renewable: if targets.is_empty() { Renewable::Unknown } else { Renewable::Yes },
        plan_ends: last_end(&allowances, |kind| !credit(kind)),
        credit_ends: last_end(&allowances, credit),
        allowances,
        ..Reading::empty(now, card_state(&states))
    };
    Ok((reading, targets))
}

/// Where a bucket stands; none if it cannot be used or its status is a word that is not known.
fn state_of(status: Option<&str>, ends: Option<UnixTime>, now: UnixTime) -> Option<AllowanceState> {
    match status {
        Some("expired") => Some(AllowanceState::Expired),
        Some("active") | None if ends.is_some_and(|ends| ends <= now) => Some(AllowanceState::Expired),
        Some("active") | None => Some(AllowanceState::Active),
        Some(_) => None,
    }
}

fn card_state(statuses: &[Option<String>]) -> CardState {
    let all = |word: &str| !statuses.is_empty() && statuses.iter().all(|status| status.as_deref() == Some(word));
    if statuses.iter().any(|status| status.as_deref() == Some("active")) {
        CardState::Active
    } else if all("expired") {
        CardState::Expired
    } else if all("suspended") {
        CardState::Blocked
    } else {
        CardState::Unknown
    }
}

/// When a bucket ends. An end before its start makes no sense and is not taken.
fn end_of(period: Option<&PeriodDoc>) -> Result<Option<UnixTime>, String> {
    let Some(period) = period else { return Ok(None) };
    let at = |text: &Option<String>| filled(text.as_deref()).map(|text| time_in(text, &TimeZone::UTC)).transpose();
    let (starts, ends) = (at(&period.start)?, at(&period.end)?);
    Ok(ends.filter(|ends| starts.is_none_or(|starts| starts <= *ends)))
}

/// The last end among the allowances of a kind that can be used, or else among all of them; none if one has no end.
fn last_end(allowances: &[Allowance], wanted: impl Fn(AllowanceKind) -> bool) -> Option<End> {
    let of_kind: Vec<&Allowance> = allowances.iter().filter(|allowance| wanted(allowance.kind)).collect();
    let is_open = |allowance: &&&Allowance| allowance.state != AllowanceState::Expired;
    let open: Vec<&Allowance> = of_kind.iter().filter(is_open).copied().collect();
    let counted = if open.is_empty() { of_kind } else { open };
    let ends: Option<Vec<End>> = counted.iter().map(|allowance| allowance.ends).collect();
    ends?.into_iter().max_by_key(|end| end.at)
}

fn target_of(bucket: &BucketDoc, known: Known<'_>, unit: MoneyUnit) -> Option<Target> {
    let id = |one: &RefDoc| one.id.as_ref().map(|id| id.as_str().to_owned());
    // A bucket may serve several resources; the top-up names the one that is this card.
    let resources = bucket.logical_resource.iter().flat_map(OneOrMany::iter);
    let resource = resources.filter(|one| known.is_named_by(one)).find_map(id);
    let mut products = bucket.product.iter().flat_map(OneOrMany::iter).filter_map(id);
    let product = products.next().filter(|_| products.next().is_none());
    Some(Target {
        bucket: bucket.id.as_ref()?.as_str().to_owned(),
        usage: filled(bucket.usage_type.as_deref()).map(str::to_owned),
        unit,
        party_account: bucket.party_account.as_ref().and_then(id),
        resource,
        product,
        is_shared: bucket.is_shared == Some(Flag(true)),
    })
}
