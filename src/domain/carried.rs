//! A reading carried on to a time at which nobody has asked: what was used since, what has ended, and what a purchase
//! put on the card. `replay` follows a card by this whose purchases were others than those of the record.

use super::capabilities::Stacking;
use super::plan::Plan;
use super::reading::{Allowance, AllowanceKind, AllowanceState, Reading};
use super::time::{End, Secs, UnixTime};

/// When an allowance is gone: by its own end, or its plan's; credit has an end of another kind.
#[must_use]
pub fn end_of(allowance: &Allowance, plan_ends: Option<End>) -> Option<UnixTime> {
    match allowance.kind {
        AllowanceKind::Data | AllowanceKind::Voice | AllowanceKind::Sms => {
            allowance.ends.or(plan_ends).map(|end| end.at)
        }
        AllowanceKind::Credit(_) => allowance.ends.map(|end| end.at),
    }
}

/// Takes from allowances of a kind in their order, never below zero.
pub fn use_up(allowances: &mut [Allowance], kind: AllowanceKind, mut used: i64) {
    let usable = |allowance: &&mut Allowance| {
        allowance.kind == kind && !allowance.unlimited && allowance.state != AllowanceState::Expired
    };
    for allowance in allowances.iter_mut().filter(usable) {
        let taken = used.clamp(0, allowance.remaining.max(0));
        allowance.remaining -= taken;
        used -= taken;
    }
}

/// Makes it a reading of `at`: what has ended by then is gone.
pub fn move_on(reading: &mut Reading, at: UnixTime) {
    (reading.read_at, reading.as_of) = (at, at);
    let plan_ends = reading.plan_ends;
    for allowance in &mut reading.allowances {
        if end_of(allowance, plan_ends).is_some_and(|end| end <= at) {
            allowance.state = AllowanceState::Expired;
        }
    }
}

/// Puts a purchase on the card as its operator would: the plan's time behind what is left of the present one, or as the
/// operator is known to do it, and what it holds beside what is there. How long an operator keeps credit and number after
/// it is not known; only a plan of credit tells that, by its own length. Until a reading says more, those two ends are not
/// known to be near.
pub fn buy(reading: &mut Reading, plan: &Plan, stacking: Stacking, at: UnixTime) {
    (reading.read_at, reading.as_of) = (at, at);
    let contents = &plan.contents;
    let only_credit = contents.credit.is_some() && contents.data_bytes.is_none() && !contents.unlimited_data;
    let ends = match plan.validity().filter(|_| !only_credit) {
        Some(length) => lengthen(reading, length, stacking, at),
        None => reading.plan_ends,
    };
    let kept_until = plan.validity().filter(|_| contents.credit.is_some()).map(|length| at.plus(length));
    let kept = |end: Option<End>| kept_until.filter(|until| end.is_some_and(|end| *until > end.at)).map(End::at);
    (reading.credit_ends, reading.number_ends) = (kept(reading.credit_ends), kept(reading.number_ends));
    let whole = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
    let data = contents.data_bytes.or(contents.unlimited_data.then_some(0));
    let added = [
        data.map(|data| (AllowanceKind::Data, whole(data))),
        contents.voice_secs.map(|voice| (AllowanceKind::Voice, whole(voice))),
        contents.sms.map(|texts| (AllowanceKind::Sms, whole(texts))),
        contents.credit.map(|credit| (AllowanceKind::Credit(credit.currency()), credit.ten_thousandths())),
    ];
    for (kind, amount) in added.into_iter().flatten() {
        let ends = if matches!(kind, AllowanceKind::Credit(_)) { None } else { ends };
        reading.allowances.push(Allowance {
            kind,
            remaining: amount,
            total: Some(amount),
            unlimited: kind == AllowanceKind::Data && contents.unlimited_data,
            state: AllowanceState::Active,
            starts: Some(at),
            ends,
        });
    }
}

/// Makes room for a plan of this length; says when it ends.
fn lengthen(reading: &mut Reading, length: Secs, stacking: Stacking, at: UnixTime) -> Option<End> {
    let behind = reading.plan_ends.map_or(at, |end| end.at.max(at));
    let ends = match stacking {
        Stacking::Queues | Stacking::Unknown => behind.plus(length),
        Stacking::Extends => {
            extend(&mut reading.allowances, End::at(behind.plus(length)));
            behind.plus(length)
        }
        Stacking::Beside => {
            end_alone(&mut reading.allowances, reading.plan_ends);
            at.plus(length)
        }
    };
    reading.plan_ends = Some(End::at(if stacking == Stacking::Beside { ends.max(behind) } else { ends }));
    Some(End::at(ends))
}

/// What belongs to a plan, and has not ended.
fn of_plan(allowance: &&mut Allowance) -> bool {
    !matches!(allowance.kind, AllowanceKind::Credit(_)) && allowance.state != AllowanceState::Expired
}

/// All that has an end of its own has this one.
pub(super) fn extend(allowances: &mut [Allowance], ends: End) {
    for allowance in allowances.iter_mut().filter(of_plan).filter(|allowance| allowance.ends.is_some()) {
        allowance.ends = Some(ends);
    }
}

/// What has no end of its own has that of its plan, whatever is bought beside it.
pub(super) fn end_alone(allowances: &mut [Allowance], plan_ends: Option<End>) {
    for allowance in allowances.iter_mut().filter(of_plan) {
        allowance.ends = allowance.ends.or(plan_ends);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::plan::Contents;
    use crate::domain::reading::CardState;
    use crate::domain::testing::{NOW, plan, usd};

    const DAY: Secs = Secs::DAY;

    fn with_data(data: i64) -> Reading {
        let allowance = Allowance {
            kind: AllowanceKind::Data,
            remaining: data,
            total: Some(10_000),
            unlimited: false,
            state: AllowanceState::Active,
            starts: None,
            ends: None,
        };
        Reading { allowances: vec![allowance], ..Reading::empty(NOW, CardState::Active) }
    }

    #[test]
    fn what_a_plan_holds_is_gone_with_its_end() {
        let mut reading = Reading { plan_ends: Some(End::at(NOW.plus(DAY))), ..with_data(100) };
        assert_eq!(end_of(&reading.allowances[0], reading.plan_ends), Some(NOW.plus(DAY)));
        let credit = Allowance { kind: AllowanceKind::Credit(Currency::EUR), ..reading.allowances[0].clone() };
        assert_eq!(end_of(&credit, reading.plan_ends), None);
        move_on(&mut reading, NOW.plus(DAY).minus(Secs(1)));
        assert_eq!(reading.left(AllowanceKind::Data).remaining, 100);
        move_on(&mut reading, NOW.plus(DAY));
        assert_eq!(reading.left(AllowanceKind::Data).remaining, 0);
    }

    #[test]
    fn allowances_are_used_up_one_after_the_other_and_never_below_zero() {
        let mut both = [with_data(100).allowances, with_data(50).allowances].concat();
        use_up(&mut both, AllowanceKind::Data, 120);
        assert_eq!((both[0].remaining, both[1].remaining), (0, 30));
        use_up(&mut both, AllowanceKind::Data, i64::MAX);
        assert_eq!((both[0].remaining, both[1].remaining), (0, 0));
    }

    #[test]
    fn a_purchase_adds_what_the_plan_holds_after_the_present_end() {
        let mut reading = Reading { plan_ends: Some(End::at(NOW.plus(DAY))), ..with_data(100) };
        buy(&mut reading, &plan("p", 900, 7, usd(1)), Stacking::Queues, NOW);
        assert_eq!(reading.left(AllowanceKind::Data).remaining, 1_000);
        assert_eq!(reading.plan_ends.map(|end| end.at), Some(NOW.plus(Secs::days(8))));
    }

    #[test]
    fn a_purchase_beside_the_present_plan_begins_at_once_and_one_that_extends_it_lengthens_all() {
        let present = Reading { plan_ends: Some(End::at(NOW.plus(DAY))), ..with_data(100) };
        let ends = |stacking| {
            let mut reading = present.clone();
            buy(&mut reading, &plan("p", 900, 7, usd(1)), stacking, NOW);
            let each = reading.allowances.iter().map(|one| end_of(one, reading.plan_ends).unwrap().since(NOW));
            (each.collect::<Vec<_>>(), reading.plan_ends.unwrap().at.since(NOW))
        };
        let days = Secs::days;
        assert_eq!(ends(Stacking::Beside), (vec![DAY, days(7)], days(7)));
        assert_eq!(ends(Stacking::Extends), (vec![days(8), days(8)], days(8)));
        let mut longer = Reading { plan_ends: Some(End::at(NOW.plus(days(9)))), ..with_data(100) };
        buy(&mut longer, &plan("p", 900, 7, usd(1)), Stacking::Beside, NOW);
        assert_eq!(longer.plan_ends, Some(End::at(NOW.plus(days(9)))), "the last of the two");
    }

    #[test]
    fn credit_keeps_credit_and_number_for_its_own_length_and_moves_no_plan() {
        let near = Some(End::at(NOW.plus(DAY)));
        let mut reading = Reading { plan_ends: near, credit_ends: near, number_ends: near, ..with_data(100) };
        let contents = Contents { credit: Some(usd(10)), ..Contents::default() };
        buy(&mut reading, &Plan { contents, ..plan("credit", 0, 180, usd(10)) }, Stacking::Queues, NOW);
        let kept = Some(End::at(NOW.plus(Secs::days(180))));
        assert_eq!((reading.plan_ends, reading.credit_ends, reading.number_ends), (near, kept, kept));
        assert_eq!(reading.credit(), Some(usd(10)));
        buy(&mut reading, &plan("p", 900, 7, usd(1)), Stacking::Queues, NOW);
        assert_eq!(reading.number_ends, None, "nobody can say for how long a week of data keeps it");
    }
}
