//! A reading carried on to a time at which nobody has asked: what was used since, what has ended, and what a purchase
//! put on the card. `replay` follows a card by this whose purchases were others than those of the record.

use super::plan::Plan;
use super::reading::{Allowance, AllowanceKind, AllowanceState, Reading};
use super::time::{End, UnixTime};

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

/// Puts a purchase on the card as its operator would: the plan's time behind what is left of the present one, and what it
/// holds beside what is there. How long an operator keeps credit and number after it is not known; only a plan of credit
/// tells that, by its own length. Until a reading says more, those two ends are not known to be near.
pub fn buy(reading: &mut Reading, plan: &Plan, at: UnixTime) {
    (reading.read_at, reading.as_of) = (at, at);
    let begins = reading.plan_ends.map_or(at, |end| end.at.max(at));
    let contents = &plan.contents;
    let only_credit = contents.credit.is_some() && contents.data_bytes.is_none() && !contents.unlimited_data;
    if let Some(length) = plan.validity().filter(|_| !only_credit) {
        reading.plan_ends = Some(End::at(begins.plus(length)));
    }
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
        let ends = if matches!(kind, AllowanceKind::Credit(_)) { None } else { reading.plan_ends };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::plan::Contents;
    use crate::domain::reading::CardState;
    use crate::domain::testing::{NOW, plan, usd};
    use crate::domain::time::Secs;

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
        buy(&mut reading, &plan("p", 900, 7, usd(1)), NOW);
        assert_eq!(reading.left(AllowanceKind::Data).remaining, 1_000);
        assert_eq!(reading.plan_ends.map(|end| end.at), Some(NOW.plus(Secs::days(8))));
    }

    #[test]
    fn credit_keeps_credit_and_number_for_its_own_length_and_moves_no_plan() {
        let near = Some(End::at(NOW.plus(DAY)));
        let mut reading = Reading { plan_ends: near, credit_ends: near, number_ends: near, ..with_data(100) };
        let contents = Contents { credit: Some(usd(10)), ..Contents::default() };
        buy(&mut reading, &Plan { contents, ..plan("credit", 0, 180, usd(10)) }, NOW);
        let kept = Some(End::at(NOW.plus(Secs::days(180))));
        assert_eq!((reading.plan_ends, reading.credit_ends, reading.number_ends), (near, kept, kept));
        assert_eq!(reading.credit(), Some(usd(10)));
        buy(&mut reading, &plan("p", 900, 7, usd(1)), NOW);
        assert_eq!(reading.number_ends, None, "nobody can say for how long a week of data keeps it");
    }
}
