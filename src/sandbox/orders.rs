//! The order book: what was ordered, what became of it, and which references were seen.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::fault::FaultKind;
use crate::domain::money::Money;
use crate::domain::plan::Plan;
use crate::domain::time::{Secs, UnixTime};

/// An order as a client sends it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderRequest {
    pub(super) reference: String,
    pub(super) iccid: String,
    pub(super) plan_id: String,
    /// The decimal number that the client expects to be charged.
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) payment: String,
    #[serde(default)]
    pub(super) code: Option<String>,
}

/// How a taken order behaves differently from others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Twist {
    pub(super) effect_delay: Secs,
    pub(super) no_effect: bool,
    pub(super) never_completes: bool,
    pub(super) fails_after: Option<Secs>,
    pub(super) says_failed_for: Option<Secs>,
    pub(super) listed_twice: bool,
}

impl Twist {
    pub(super) fn of(fault: Option<&FaultKind>) -> Self {
        let straight = Self::default();
        match fault {
            Some(FaultKind::EffectLate { secs }) => Self { effect_delay: Secs(*secs), ..straight },
            Some(FaultKind::EffectNever) => Self { no_effect: true, ..straight },
            Some(FaultKind::PendingForever) => Self { never_completes: true, no_effect: true, ..straight },
            Some(FaultKind::FailsLater { secs }) => Self { fails_after: Some(Secs(*secs)), ..straight },
            Some(FaultKind::SaysFailed { secs }) => Self { says_failed_for: Some(Secs(*secs)), ..straight },
            Some(FaultKind::Doubled) => Self { listed_twice: true, ..straight },
            _ => straight,
        }
    }
}

/// An order that was taken.
#[derive(Clone, Debug)]
pub(super) struct OrderRecord {
    pub(super) no: u64,
    pub(super) reference: String,
    pub(super) iccid: String,
    pub(super) plan: Plan,
    pub(super) price: Money,
    pub(super) payment: String,
    pub(super) created_at: UnixTime,
    pub(super) completes_at: Option<UnixTime>,
    pub(super) reversed_at: Option<UnixTime>,
    pub(super) says_failed_until: Option<UnixTime>,
    pub(super) listed_twice: bool,
    pub(super) by_person: bool,
}

impl OrderRecord {
    pub(super) fn id(&self) -> String {
        order_id(self.no)
    }

    /// Its state in the words of the wire.
    pub(super) fn state(&self, now: UnixTime) -> &'static str {
        if self.says_failed_until.is_some_and(|until| now < until) {
            "failed"
        } else if self.reversed_at.is_some_and(|at| at <= now) {
            "reversed"
        } else if self.completes_at.is_some_and(|at| at <= now) {
            "completed"
        } else {
            "pending"
        }
    }

    pub(super) fn accepted(&self, now: UnixTime) -> AcceptedOrder {
        AcceptedOrder {
            order_id: self.id(),
            card: self.iccid.clone(),
            plan: self.plan.id.clone(),
            key: self.reference.clone(),
            at: self.created_at,
            price: self.price,
            payment: self.payment.clone(),
            by_person: self.by_person,
            state: self.state(now),
        }
    }
}

pub(super) fn order_id(no: u64) -> String {
    format!("SBX-{no:08}")
}

/// An order that the sandbox has taken and charged: what tests count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AcceptedOrder {
    /// The sandbox's id.
    pub order_id: String,
    /// The card's ICCID.
    pub card: String,
    /// The plan's id.
    pub plan: String,
    /// The client's reference.
    pub key: String,
    /// When it was taken.
    pub at: UnixTime,
    /// What was charged.
    pub price: Money,
    /// How it was paid.
    pub payment: String,
    /// Whether it was bought by hand, past the interface.
    pub by_person: bool,
    /// `pending`, `completed`, `reversed` or, untruly, `failed`.
    pub state: &'static str,
}

/// What became of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It will be taken later.
    InProgress,
    /// It is this order.
    Order(u64),
    /// It was refused with this code.
    Refused(&'static str),
}

/// A reference that was seen.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    pub(super) at: UnixTime,
    pub(super) request: OrderRequest,
    pub(super) outcome: Outcome,
}

/// Orders and references, no more than `limit` of each.
#[derive(Debug)]
pub(super) struct OrderBook {
    kept: VecDeque<OrderRecord>,
    taken: u64,
    references: HashMap<String, Remembered>,
    reference_order: VecDeque<String>,
    limit: usize,
}

impl OrderBook {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            kept: VecDeque::new(),
            taken: 0,
            references: HashMap::new(),
            reference_order: VecDeque::new(),
            limit: limit.max(1),
        }
    }

    /// The number the next order gets, from 1.
    pub(super) const fn next_no(&self) -> u64 {
        self.taken + 1
    }

    /// How many were ever taken.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    pub(super) fn add(&mut self, record: OrderRecord) {
        self.taken = record.no;
        self.kept.push_back(record);
        if self.kept.len() > self.limit {
            self.kept.pop_front();
        }
    }

    pub(super) fn by_no(&self, no: u64) -> Option<&OrderRecord> {
        let first = self.kept.front()?.no;
        self.kept.get(usize::try_from(no.checked_sub(first)?).ok()?)
    }

    /// The newest order with this reference or this id of ours.
    pub(super) fn named(&self, reference_or_id: &str) -> Option<&OrderRecord> {
        let by_reference = match self.references.get(reference_or_id).map(|seen| &seen.outcome) {
            Some(Outcome::Order(no)) => self.by_no(*no),
            Some(Outcome::InProgress | Outcome::Refused(_)) => return None,
            None => None,
        };
        let by_id = || self.by_no(reference_or_id.strip_prefix("SBX-")?.parse().ok()?);
        by_reference.or_else(by_id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &OrderRecord> {
        self.kept.iter()
    }

    pub(super) fn seen(&self, reference: &str) -> Option<&Remembered> {
        self.references.get(reference)
    }

    pub(super) fn remember(&mut self, request: OrderRequest, outcome: Outcome, at: UnixTime) {
        let reference = request.reference.clone();
        let remembered = Remembered { at, request, outcome };
        if self.references.insert(reference.clone(), remembered).is_none() {
            self.reference_order.push_back(reference);
        }
        if self.reference_order.len() > self.limit
            && let Some(oldest) = self.reference_order.pop_front()
        {
            self.references.remove(&oldest);
        }
    }
}
