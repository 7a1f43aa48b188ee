//! What a card holds as days go by: it is used up, it ends, and what waits behind it begins. Operators differ in one thing,
//! which their readings show: whether the end of a plan that waits is set when it is bought or when it begins.

use std::collections::VecDeque;

use super::path::Path;
use crate::domain::capabilities::Stacking;
use crate::domain::carried;
use crate::domain::plan::{Catalogue, Contents, Plan};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading};
use crate::domain::time::{End, Secs, UnixTime};

/// Turns of a card between two looks; a card has a handful of plans.
const TURNS_MAX: usize = 200;

/// A plan that waits.
#[derive(Clone, Debug)]
struct Waiting {
    /// Its name at the operator; what the operator told of is not named.
    id: Option<String>,
    contents: Contents,
    lasts: Option<Secs>,
}

/// A card as it is expected to be.
#[derive(Clone, Debug)]
pub(super) struct Holding {
    reading: Reading,
    waiting: VecDeque<Waiting>,
    ends_are_set_at_once: bool,
    stacking: Stacking,
}

impl Holding {
    /// The card as it was read. How long a plan lasts that waits is told by the catalogue, if it sells one of that size; of
    /// several it is the one that was bought last, or is in use.
    pub(super) fn new(reading: &Reading, catalogue: Option<&Catalogue>, last_plan: Option<&str>) -> Self {
        let waits = |one: &Allowance| one.kind == AllowanceKind::Data && one.state == AllowanceState::Queued;
        let ends_are_set_at_once = reading.allowances.iter().any(|one| waits(one) && one.ends.is_some());
        let stacking = catalogue.map_or(Stacking::Unknown, |catalogue| catalogue.stacking);
        let mut holding = Self { reading: reading.clone(), waiting: VecDeque::new(), ends_are_set_at_once, stacking };
        if !ends_are_set_at_once {
            let (waiting, there) = holding.reading.allowances.into_iter().partition(waits);
            let waiting: Vec<Allowance> = waiting;
            let known = [last_plan, reading.plan.as_deref()];
            holding.waiting = waiting.iter().map(|one| Waiting::told(one, catalogue, known)).collect();
            holding.reading.allowances = there;
        }
        holding
    }

    /// What the operator would tell.
    pub(super) fn seen(&self) -> Reading {
        let mut seen = self.reading.clone();
        seen.allowances
            .extend(self.waiting.iter().flat_map(|one| held(&one.contents, AllowanceState::Queued, None, None)));
        seen
    }

    /// The first instant after `at` at which something ends or begins.
    pub(super) fn turns(&self, path: &Path, at: UnixTime) -> Option<UnixTime> {
        let ends = self
            .reading
            .allowances
            .iter()
            .filter(|one| one.state != AllowanceState::Expired)
            .map(|one| self.end_of(one));
        let used_up = (!self.waiting.is_empty()).then(|| self.in_use()).flatten();
        let used_up = used_up.and_then(|left| path.when(AllowanceKind::Data, self.reading.as_of, left));
        ends.chain([self.reading.plan_ends.map(|end| end.at), used_up]).flatten().filter(|turn| *turn > at).min()
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, path: &Path, to: UnixTime) {
        for _ in 0..TURNS_MAX {
            let from = self.reading.as_of;
            self.turn(from);
            let next = self.turns(path, from).map_or(to, |turn| turn.min(to));
            for kind in path.kinds() {
                consume(&mut self.reading.allowances, kind, path.used(kind, from, next));
            }
            (self.reading.read_at, self.reading.as_of) = (next, next);
            if next >= to {
                break;
            }
        }
        self.turn(to);
        (self.reading.read_at, self.reading.as_of) = (to, to);
    }

    /// What is over leaves, and what waits begins.
    fn turn(&mut self, now: UnixTime) {
        let over: Vec<bool> =
            self.reading.allowances.iter().map(|one| self.end_of(one).is_some_and(|end| end <= now)).collect();
        for (allowance, _) in self.reading.allowances.iter_mut().zip(over).filter(|(_, over)| *over) {
            allowance.state = AllowanceState::Expired;
        }
        if let Some(next) = self.is_over(now).then(|| self.waiting.pop_front()).flatten() {
            self.begin(next, now, now);
        }
    }

    /// Whether what is in use is used up, or its end is over.
    fn is_over(&self, now: UnixTime) -> bool {
        self.reading.plan_ends.is_some_and(|end| end.at <= now) || self.in_use().is_none_or(|left| left <= 0)
    }

    /// The limited data that is left of what is in use; none where there is none that could be used up.
    fn in_use(&self) -> Option<i64> {
        let used = |one: &&Allowance| one.kind == AllowanceKind::Data && one.state == AllowanceState::Active;
        let mut there = self.reading.allowances.iter().filter(used).peekable();
        there.peek()?;
        there.try_fold(0_i64, |sum, one| {
            Some(if one.unlimited { i64::MAX } else { sum.saturating_add(one.remaining.max(0)) })
        })
    }

    /// Puts a purchase on the card.
    pub(super) fn receive(&mut self, plan: &Plan, now: UnixTime) {
        // When the number is kept until is for the operator to tell.
        self.reading.number_ends = None;
        if let Some(credit) = plan.contents.credit {
            self.reading.allowances.extend(held(&plan.contents, AllowanceState::Active, Some(now), None));
            let kept = plan.validity().map(|lasts| now.plus(lasts));
            self.reading.credit_ends = self.reading.credit_ends.map(|end| end.at).max(kept).map(End::at);
            if (Contents { credit: Some(credit), ..Contents::default() }) == plan.contents {
                return;
            }
        }
        let contents = Contents { credit: None, ..plan.contents.clone() };
        let next = Waiting { id: Some(plan.id.clone()), contents, lasts: plan.validity() };
        match self.stacking {
            Stacking::Queues | Stacking::Unknown => self.queue(next, now),
            Stacking::Extends => self.extend(next, now),
            Stacking::Beside => self.begin_beside(next, now),
        }
    }

    /// Puts it behind what is there.
    fn queue(&mut self, next: Waiting, now: UnixTime) {
        if self.ends_are_set_at_once {
            let starts = self.reading.plan_ends.map_or(now, |end| end.at.max(now));
            self.begin(next, starts, now);
        } else if self.waiting.is_empty() && self.is_over(now) {
            self.begin(next, now, now);
        } else {
            self.waiting.push_back(next);
        }
    }

    /// Adds it to what is there: its data to the data, its length to the end of all.
    fn extend(&mut self, next: Waiting, now: UnixTime) {
        let from = self.reading.plan_ends.filter(|end| end.at > now);
        let lasts = next.lasts;
        self.begin(next, now, now);
        let ends = lasts.map(|lasts| End::at(from.map_or(now, |end| end.at).plus(lasts))).or(from);
        if let Some(ends) = ends {
            carried::extend(&mut self.reading.allowances, ends);
        }
        self.reading.plan_ends = ends;
    }

    /// Lets it begin at once, and what is there go on.
    fn begin_beside(&mut self, next: Waiting, now: UnixTime) {
        let before = self.reading.plan_ends;
        carried::end_alone(&mut self.reading.allowances, before);
        self.begin(next, now, now);
        if let (Some(before), Some(own)) = (before, self.reading.plan_ends) {
            self.reading.plan_ends = Some(if before.at > own.at { before } else { own });
        }
    }

    fn begin(&mut self, next: Waiting, starts: UnixTime, now: UnixTime) {
        let state = if starts <= now { AllowanceState::Active } else { AllowanceState::Queued };
        // What is used up is told no more.
        let there =
            |one: &Allowance| one.unlimited || one.remaining > 0 || matches!(one.kind, AllowanceKind::Credit(_));
        self.reading.allowances.retain(there);
        let ends = next.lasts.map(|lasts| End::at(starts.plus(lasts)));
        self.reading.allowances.extend(held(&next.contents, state, Some(starts), ends));
        self.reading.plan_ends = ends;
        if self.reading.plan.is_some() && next.id.is_some() && state == AllowanceState::Active {
            self.reading.plan = next.id;
        }
        if matches!(self.reading.state, CardState::Finished | CardState::Expired) {
            self.reading.state = CardState::Active;
        }
    }

    /// When an allowance is gone: by its own end, or its plan's; credit has an end of another kind.
    fn end_of(&self, allowance: &Allowance) -> Option<UnixTime> {
        let common = match allowance.kind {
            AllowanceKind::Data | AllowanceKind::Voice | AllowanceKind::Sms => self.reading.plan_ends,
            AllowanceKind::Credit(_) => self.reading.credit_ends,
        };
        allowance.ends.or(common).map(|end| end.at)
    }
}

impl Waiting {
    fn told(waiting: &Allowance, catalogue: Option<&Catalogue>, known: [Option<&str>; 2]) -> Self {
        let size = waiting.total.and_then(|total| u64::try_from(total).ok());
        let is_it =
            |plan: &&Plan| plan.contents.data_bytes == size && plan.contents.unlimited_data == waiting.unlimited;
        let plan = catalogue.and_then(|catalogue| {
            let known = known.into_iter().flatten().filter_map(|id| catalogue.find(id));
            known.chain(&catalogue.plans).find(is_it)
        });
        let contents = Contents {
            data_bytes: u64::try_from(waiting.remaining).ok(),
            unlimited_data: waiting.unlimited,
            ..Contents::default()
        };
        Self { id: plan.map(|plan| plan.id.clone()), contents, lasts: plan.and_then(Plan::validity) }
    }
}

/// What contents are as allowances.
fn held(contents: &Contents, state: AllowanceState, starts: Option<UnixTime>, ends: Option<End>) -> Vec<Allowance> {
    let whole = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
    let data = contents.unlimited_data.then_some(0).or(contents.data_bytes.map(whole));
    let all = [
        data.map(|data| (AllowanceKind::Data, data)),
        contents.voice_secs.map(|voice| (AllowanceKind::Voice, whole(voice))),
        contents.sms.map(|texts| (AllowanceKind::Sms, whole(texts))),
        contents.credit.map(|credit| (AllowanceKind::Credit(credit.currency()), credit.ten_thousandths())),
    ];
    let allowance = |(kind, amount)| Allowance {
        kind,
        remaining: amount,
        total: Some(amount),
        unlimited: kind == AllowanceKind::Data && contents.unlimited_data,
        state,
        starts,
        ends,
    };
    all.into_iter().flatten().map(allowance).collect()
}

/// Takes from allowances of a kind in their order, never below zero; where one has no limit, from none.
fn consume(allowances: &mut [Allowance], kind: AllowanceKind, mut used: i64) {
    let there = |one: &&mut Allowance| one.kind == kind && one.state != AllowanceState::Expired;
    if allowances.iter().any(|one| one.kind == kind && one.unlimited && one.state == AllowanceState::Active) {
        return;
    }
    for allowance in allowances.iter_mut().filter(there).filter(|one| !one.unlimited) {
        let taken = used.clamp(0, allowance.remaining.max(0));
        if taken > 0 {
            allowance.state = AllowanceState::Active;
        }
        allowance.remaining -= taken;
        used -= taken;
    }
}
