//! Cards of other operators that are played by the sandbox: they begin as they were last read, are used by the same amount
//! each day, and have their own plans on sale at their own prices.

use super::card::{Life, SimCard};
use super::package::{Meter, Package};
use super::plans::CardKind;
use crate::domain::operator::Stacking;
use crate::domain::plan::Plan;
use crate::domain::reading::{AllowanceKind, CardState, Reading, Renewable};
use crate::domain::time::{Secs, UnixTime};

/// An end that nobody told lies this far ahead.
const NO_END: Secs = Secs::days(3_650);

/// What is used within a day, always the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DailyUse {
    /// Bytes.
    pub data: u64,
    /// Seconds of calls.
    pub voice_secs: u64,
    /// Texts.
    pub sms: u64,
    /// Credit, in ten-thousandths of its unit.
    pub credit: u64,
}

/// A card of another operator.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The number under which the sandbox knows it.
    pub iccid: String,
    /// The card as it was last read.
    pub seen: Reading,
    /// How it is used.
    pub uses: DailyUse,
    /// What is sold for it; what the sandbox sells for its kind, if nothing is said.
    pub plans: Option<Vec<Plan>>,
    /// What becomes of a plan that is bought while another still runs.
    pub stacking: Stacking,
}

impl SimCard {
    /// A guest as it comes.
    pub(super) fn guest(guest: &Guest, now: UnixTime) -> Self {
        let seen = &guest.seen;
        let credit = seen.allowances.iter().find_map(|allowance| match allowance.kind {
            AllowanceKind::Credit(currency) => Some(currency),
            AllowanceKind::Data | AllowanceKind::Voice | AllowanceKind::Sms => None,
        });
        let mut card = Self::added(super::NewCard::new(&guest.iccid), None, 0, seen.as_of.min(now));
        card.kind = match (seen.renewable, credit) {
            (Renewable::OneOff, _) => CardKind::OneOff,
            (_, Some(_)) => CardKind::Phone,
            (_, None) => CardKind::Data,
        };
        card.life = match seen.state {
            CardState::NotInstalled => Life::NotInstalled,
            CardState::NotActive => Life::NotActive,
            CardState::Blocked => Life::Blocked,
            CardState::Recycled => Life::Recycled,
            CardState::Unknown | CardState::Active | CardState::Finished | CardState::Expired => Life::Live,
        };
        card.packages = packages(seen, now);
        card.credit = credit.map(|currency| seen.left(AllowanceKind::Credit(currency)).remaining);
        card.currency = credit;
        card.credit_ends = seen.credit_ends.map(|end| end.at);
        card.number_ends = seen.number_ends.map(|end| end.at);
        card.steady = Some(guest.uses);
        card.own_plans.clone_from(&guest.plans);
        card.stacking = Some(guest.stacking);
        card
    }
}

/// What it held, under the ids that the operator told, so that nothing on it looks new.
fn packages(seen: &Reading, now: UnixTime) -> Vec<Package> {
    let of = |kind| -> Vec<_> { seen.allowances.iter().filter(|allowance| allowance.kind == kind).collect() };
    let kinds = [of(AllowanceKind::Data), of(AllowanceKind::Voice), of(AllowanceKind::Sms)];
    let count = kinds.iter().map(Vec::len).max().unwrap_or(0);
    // An end without amounts is that of something that nobody counts.
    let uncounted = count == 0 && seen.plan_ends.is_some();
    let mut packages: Vec<Package> = (0..count.max(usize::from(uncounted)))
        .map(|place| {
            let at = |kind: usize| kinds[kind].get(place).copied();
            let meter = |kind: usize| {
                let allowance = at(kind).filter(|allowance| !allowance.unlimited)?;
                let left = u64::try_from(allowance.remaining).unwrap_or(0);
                let total = allowance.total.and_then(|total| u64::try_from(total).ok()).unwrap_or(left).max(left);
                Some(Meter { total, used: total - left })
            };
            let told = (0..3).filter_map(|kind| at(kind)?.ends).map(|end| end.at).max();
            let plan_ends = seen.plan_ends.map(|end| end.at);
            let id = seen.assets.get(place).or(seen.assets.last());
            Package {
                id: id.cloned().unwrap_or_else(|| format!("held-{place}")),
                plan: seen.plan.clone().unwrap_or_default(),
                starts: seen.as_of.min(now),
                ends: told.or(plan_ends).unwrap_or_else(|| now.plus(NO_END)),
                data: meter(0),
                voice: meter(1),
                sms: meter(2),
                unlimited: uncounted || at(0).is_some_and(|data| data.unlimited),
                credit: None,
                lengthens: Secs::ZERO,
            }
        })
        .collect();
    if let (Some(ends), Some(last)) = (seen.plan_ends, packages.last_mut()) {
        last.ends = last.ends.max(ends.at);
        for package in &mut packages {
            package.ends = package.ends.min(ends.at);
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::{Currency, Money};
    use crate::domain::reading::{Allowance, AllowanceState};
    use crate::domain::time::End;

    const NOW: UnixTime = UnixTime::clamped(1_800_000_000);

    fn allowance(kind: AllowanceKind, remaining: i64) -> Allowance {
        let (total, unlimited, state) = (Some(3_000), false, AllowanceState::Active);
        Allowance { kind, remaining, total, unlimited, state, starts: None, ends: None }
    }

    #[test]
    fn a_guest_begins_as_it_was_read_and_is_used_evenly_since() {
        let seen = Reading {
            allowances: vec![
                allowance(AllowanceKind::Data, 1_000),
                allowance(AllowanceKind::Data, 3_000),
                allowance(AllowanceKind::Credit(Currency::EUR), 700),
            ],
            plan_ends: Some(End::at(NOW.plus(Secs::days(20)))),
            number_ends: Some(End::at(NOW.plus(Secs::days(90)))),
            assets: vec!["a".into(), "b".into()],
            ..Reading::empty(NOW.minus(Secs::DAY), CardState::Active)
        };
        let uses = DailyUse { data: 100, ..DailyUse::default() };
        let plan = Plan {
            id: "p".into(),
            name: "p".into(),
            contents: crate::domain::plan::Contents::default(),
            validity_secs: None,
            price: Money::new(1, Currency::EUR),
        };
        let guest = Guest {
            iccid: "8944501312167518236".into(),
            seen,
            uses,
            plans: Some(vec![plan]),
            stacking: Stacking::Queues,
        };
        let mut card = SimCard::guest(&guest, NOW);
        let left = |card: &SimCard| -> u64 { card.packages.iter().filter_map(|one| one.data).map(Meter::left).sum() };
        for hours in [0, 7, 24, 100] {
            card.advance(NOW.plus(Secs::hours(hours)));
            let used = 100 * (24 + hours.unsigned_abs()) / 24;
            assert!(left(&card).abs_diff(4_000 - used) <= 1, "{hours} hours");
        }
        assert_eq!(card.packages.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(card.plan_ends(), Some(NOW.plus(Secs::days(20))));
        assert_eq!((card.credit, card.currency, card.kind), (Some(700), Some(Currency::EUR), CardKind::Phone));
        assert_eq!(card.number_ends, Some(NOW.plus(Secs::days(90))));
    }

    #[test]
    fn a_card_whose_amounts_nobody_tells_has_its_end_all_the_same() {
        let seen = Reading { plan_ends: Some(End::at(NOW.plus(Secs::DAY))), ..Reading::empty(NOW, CardState::Unknown) };
        let guest = Guest {
            iccid: "8944501312167518236".into(),
            seen,
            uses: DailyUse::default(),
            plans: None,
            stacking: Stacking::Queues,
        };
        let card = SimCard::guest(&guest, NOW);
        assert_eq!(card.plan_ends(), Some(NOW.plus(Secs::DAY)));
        assert!(card.packages[0].unlimited);
    }
}
