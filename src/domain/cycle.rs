//! Cycles of a card, and what a purchase does to it. Ends are compared with a tolerance, never by equality, since
//! operators round to days, mix zones and wobble.

use serde::Serialize;

use super::attempt::Snapshot;
use super::money::{Money, PER_UNIT};
use super::operator::Proof;
use super::plan::Plan;
use super::reading::{AllowanceKind, CardState, Reading, WOBBLE};
use super::time::{End, Secs, UnixTime};

/// What a reading says about a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing has changed.
    None,
    /// The card changed as this plan would change it, once.
    Seen,
    /// The card changed by more than this plan explains.
    More,
}

/// Compares a reading with the snapshot taken before `plan` was ordered, by the operator's best proof.
#[must_use]
pub fn effect(before: &Snapshot, after: &Reading, plan: &Plan, proof: Proof) -> Effect {
    match proof {
        Proof::AssetIds => new_assets(before, after),
        Proof::Expiry => later_end(before, after, plan),
        Proof::Balance => more_left(before, after, plan),
        // No reading proves anything; the operator's record of the order does.
        Proof::Order => Effect::None,
    }
}

fn new_assets(before: &Snapshot, after: &Reading) -> Effect {
    match after.assets.iter().filter(|asset| !before.assets.contains(asset)).count() {
        0 => Effect::None,
        1 => Effect::Seen,
        _ => Effect::More,
    }
}

/// The first of the three ends that moved tells; the others may follow laws of their own.
fn later_end(before: &Snapshot, after: &Reading, plan: &Plan) -> Effect {
    let Some(length) = plan.validity().filter(|length| length.0 > 0) else { return more_left(before, after, plan) };
    let pairs = [
        (before.plan_ends, after.plan_ends),
        (before.credit_ends, after.credit_ends),
        (before.number_ends, after.number_ends),
    ];
    let mut effects = pairs.into_iter().filter_map(|(old, new)| Some(moved_by(old, new?.at, after.read_at, length)));
    effects.find(|effect| *effect != Effect::None).unwrap_or(Effect::None)
}

/// Half the plan's length is enough and one and a half are still one purchase. Where the end before had passed, the plan
/// began some time between that end and the reading.
fn moved_by(old: Option<UnixTime>, new: UnixTime, read_at: UnixTime, length: Secs) -> Effect {
    let doubled = |from: UnixTime| i128::from(new.since(from).0) * 2;
    let length = i128::from(length.0);
    let earliest = old.unwrap_or(read_at);
    match earliest.max(read_at) {
        _ if doubled(earliest) < length => Effect::None,
        latest if doubled(latest) <= length * 3 => Effect::Seen,
        _ => Effect::More,
    }
}

/// Use goes on while an order is on its way, so half of what the plan holds is enough.
fn more_left(before: &Snapshot, after: &Reading, plan: &Plan) -> Effect {
    let judge = |gained: i128, sold: i128| match gained {
        _ if sold <= 0 || gained * 2 < sold => Effect::None,
        _ if gained * 2 <= sold * 3 => Effect::Seen,
        _ => Effect::More,
    };
    if let Some(credit) = plan.contents.credit {
        let left = after.left(AllowanceKind::Credit(credit.currency()));
        let old = before.credit.unwrap_or(Money::zero(credit.currency()));
        if left.known && old.currency() == credit.currency() {
            let gained = i128::from(left.remaining) - i128::from(old.ten_thousandths());
            return judge(gained, i128::from(credit.ten_thousandths()));
        }
    }
    if let (Some(data), Some(new)) = (plan.contents.data_bytes, after.data_left()) {
        let old = i128::from(before.data_left.unwrap_or(0));
        return judge(i128::from(new.bytes()) - old, i128::from(data));
    }
    Effect::None
}

/// Whether anything came onto the card since a snapshot, whoever bought it and whatever it was: a plan, an end that is
/// later by more than a wobble, or much more data or credit.
#[must_use]
pub fn gained(before: &Snapshot, after: &Reading) -> bool {
    let later = |old: Option<UnixTime>, new: Option<End>| match (old, new) {
        (Some(old), Some(new)) => new.at.since(old) > WOBBLE,
        (None, Some(new)) => new.at > after.read_at,
        (_, None) => false,
    };
    let more_data = match (before.data_left, after.data_left()) {
        (Some(old), Some(new)) => new.bytes() > old.saturating_add(old / 10).saturating_add(50_000_000),
        _ => false,
    };
    after.assets.iter().any(|asset| !before.assets.contains(asset))
        || later(before.plan_ends, after.plan_ends)
        || later(before.credit_ends, after.credit_ends)
        || later(before.number_ends, after.number_ends)
        || more_data
        || before.credit.zip(after.credit()).is_some_and(|(old, new)| more_credit(old, new))
}

/// Whether the card was renewed between two readings, by whomever: a new plan on it, much more data or credit, or an end
/// that moved by more than half of what was left (and more than a wobble). Begins a new cycle.
#[must_use]
pub fn renewed(previous: &Reading, latest: &Reading) -> bool {
    let new_asset = !previous.assets.is_empty() && latest.assets.iter().any(|asset| !previous.assets.contains(asset));
    let more_data = match (previous.data_left(), latest.data_left()) {
        (Some(old), Some(new)) => new.bytes() > old.bytes().saturating_add(old.bytes() / 10).saturating_add(50_000_000),
        _ => false,
    };
    let ends = [
        (previous.plan_ends, latest.plan_ends),
        (previous.credit_ends, latest.credit_ends),
        (previous.number_ends, latest.number_ends),
    ];
    let later = ends.into_iter().any(|pair| match pair {
        (Some(old), Some(new)) => new.at.since(old.at) > tolerance(old.left(previous.read_at)),
        _ => false,
    });
    new_asset || more_data || topped_up(previous, latest) || later || revived(previous, latest)
}

/// Plans that are over leave an operator's answer, so that the next one has no end before it to be compared with; but a
/// card that was over and is in use has something new, also where its end is not told yet. A card in use whose end is
/// not told may have had one all the same.
fn revived(previous: &Reading, latest: &Reading) -> bool {
    let had_nothing = previous.assets.is_empty() && previous.allowances.is_empty() && first_end(previous).is_none();
    let end_ahead = first_end(latest).map(|end| end > latest.read_at);
    match previous.state {
        // By a clock that was set back an end that is over lies ahead again; the card is over all the same.
        CardState::Expired => {
            latest.state != CardState::Expired && end_ahead.unwrap_or(latest.state == CardState::Active)
        }
        CardState::Blocked | CardState::NotActive | CardState::Finished => had_nothing && end_ahead == Some(true),
        CardState::Active | CardState::NotInstalled | CardState::Recycled | CardState::Unknown => false,
    }
}

/// Credit grows by a top-up alone; a tenth and one unit are left for corrections.
fn topped_up(previous: &Reading, latest: &Reading) -> bool {
    previous.credit().zip(latest.credit()).is_some_and(|(old, new)| more_credit(old, new))
}

fn more_credit(old: Money, new: Money) -> bool {
    let (was, is) = (i128::from(old.ten_thousandths()), i128::from(new.ten_thousandths()));
    old.currency() == new.currency() && is > was + was.abs() / 10 + i128::from(PER_UNIT)
}

/// Half of what was left, at least a wobble, at most 15 days.
fn tolerance(left: Secs) -> Secs {
    Secs((left.0 / 2).clamp(WOBBLE.0, Secs::days(15).0))
}

/// The earliest of the three ends.
#[must_use]
pub fn first_end(reading: &Reading) -> Option<UnixTime> {
    reading.ends().map(|(_, end)| end.at).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::reading::{Allowance, CardState};
    use crate::domain::testing::{NOW, allowance, plan, reading, usd};
    use crate::domain::time::End;

    const GB: i64 = 1_000_000_000;
    const WEEK: i64 = 7 * 86_400;

    fn assets(ids: &[&str]) -> Reading {
        Reading { assets: ids.iter().map(|id| (*id).to_owned()).collect(), ..reading(0) }
    }

    fn ends(secs: Option<i64>) -> Reading {
        Reading { plan_ends: secs.map(|secs| End::at(NOW.plus(Secs(secs)))), ..Reading::empty(NOW, CardState::Active) }
    }

    fn credit(amount: Money) -> Allowance {
        allowance(AllowanceKind::Credit(amount.currency()), amount.ten_thousandths())
    }

    fn credits(amounts: &[Money]) -> Reading {
        Reading { allowances: amounts.iter().map(|amount| credit(*amount)).collect(), ..reading(0) }
    }

    #[test]
    fn one_new_plan_on_the_card_is_ours_and_two_are_not() {
        let plan = plan("a", 1, 7, usd(1));
        for (before, after, expected) in [
            (&[][..], &[][..], Effect::None),
            (&[], &["1"], Effect::Seen),
            (&["1"], &["1"], Effect::None),
            (&["1"], &[], Effect::None),
            (&["1"], &["1", "2"], Effect::Seen),
            (&["1"], &["2"], Effect::Seen),
            (&["1"], &["1", "2", "3"], Effect::More),
        ] {
            let seen = effect(&Snapshot::of(&assets(before)), &assets(after), &plan, Proof::AssetIds);
            assert_eq!(seen, expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn an_end_moves_by_half_to_one_and_a_half_lengths_for_one_purchase() {
        let plan = plan("a", 1, 7, usd(1));
        let judge =
            |old: Option<i64>, new: Option<i64>| effect(&Snapshot::of(&ends(old)), &ends(new), &plan, Proof::Expiry);
        for (moved, expected) in [
            (0, Effect::None),
            (-WEEK, Effect::None),
            (WEEK / 2 - 1, Effect::None),
            (WEEK / 2, Effect::Seen),
            (WEEK, Effect::Seen),
            (WEEK * 3 / 2, Effect::Seen),
            (WEEK * 3 / 2 + 1, Effect::More),
            (2 * WEEK, Effect::More),
        ] {
            assert_eq!(judge(Some(86_400), Some(86_400 + moved)), expected, "{moved}");
            assert_eq!(judge(Some(0), Some(moved)), expected, "{moved}");
            assert_eq!(judge(None, Some(moved)), expected, "{moved}");
        }
        assert_eq!(judge(Some(0), None), Effect::None);
        assert_eq!(judge(None, None), Effect::None);
        for (lapsed, new, expected) in [
            (-6 * 86_400, WEEK, Effect::Seen),
            (-30 * 86_400, WEEK, Effect::Seen),
            (-6 * 86_400, -6 * 86_400, Effect::None),
            (-6 * 86_400, 2 * WEEK, Effect::More),
            (-6 * 86_400, 86_400, Effect::Seen),
        ] {
            assert_eq!(judge(Some(lapsed), Some(new)), expected, "lapsed {lapsed}, now {new}");
        }
    }

    #[test]
    fn an_end_with_a_law_of_its_own_does_not_look_like_a_second_purchase() {
        let plan = plan("a", 1, 7, usd(1));
        let both = |plan_secs: i64, number_secs: i64| Reading {
            number_ends: Some(End::at(NOW.plus(Secs(number_secs)))),
            ..ends(Some(plan_secs))
        };
        let before = Snapshot::of(&both(0, 0));
        assert_eq!(effect(&before, &both(WEEK, 365 * 86_400), &plan, Proof::Expiry), Effect::Seen);
        assert_eq!(effect(&before, &both(2 * WEEK, WEEK), &plan, Proof::Expiry), Effect::More);
        assert_eq!(effect(&before, &both(0, WEEK), &plan, Proof::Expiry), Effect::Seen);
    }

    #[test]
    fn a_balance_grows_by_half_to_one_and_a_half_of_what_was_sold() {
        let plan = plan("a", GB as u64, 7, usd(1));
        let before = Snapshot::of(&reading(GB));
        for (left, expected) in [
            (0, Effect::None),
            (GB, Effect::None),
            (GB + GB / 2 - 1, Effect::None),
            (GB + GB / 2, Effect::Seen),
            (2 * GB, Effect::Seen),
            (GB + GB * 3 / 2, Effect::Seen),
            (GB + GB * 3 / 2 + 1, Effect::More),
            (i64::MAX, Effect::More),
            (i64::MIN, Effect::None),
        ] {
            assert_eq!(effect(&before, &reading(left), &plan, Proof::Balance), expected, "{left}");
        }
        let empty = super::super::testing::plan("empty", 0, 7, usd(1));
        assert_eq!(effect(&before, &reading(GB), &empty, Proof::Balance), Effect::None, "nothing proves nothing");
        let silent = Reading::empty(NOW, CardState::Active);
        assert_eq!(effect(&before, &silent, &plan, Proof::Balance), Effect::None);
    }

    #[test]
    fn credit_is_compared_in_the_currency_that_was_sold() {
        let mut plan = plan("a", 0, 7, usd(10));
        plan.contents.credit = Some(usd(10));
        plan.validity_secs = None;
        let euro = |euros: i64| Money::new(euros * 10_000, Currency::EUR);
        for (before, after, expected) in [
            (&[usd(2)][..], &[usd(12)][..], Effect::Seen),
            (&[usd(-3)], &[usd(7)], Effect::Seen),
            (&[usd(2)], &[usd(6)], Effect::None),
            (&[usd(2)], &[usd(22)], Effect::More),
            (&[], &[usd(10)], Effect::Seen),
            (&[usd(2)], &[euro(12)], Effect::None),
            (&[usd(2)], &[euro(50), usd(12)], Effect::Seen),
            (&[euro(2)], &[usd(12)], Effect::None),
        ] {
            for proof in [Proof::Balance, Proof::Expiry] {
                let seen = effect(&Snapshot::of(&credits(before)), &credits(after), &plan, proof);
                assert_eq!(seen, expected, "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn lengths_beyond_reason_do_not_overflow() {
        let mut plan = plan("a", u64::MAX, 7, usd(1));
        for validity_secs in [None, Some(i64::MIN), Some(0), Some(1), Some(i64::MAX)] {
            plan.validity_secs = validity_secs;
            for proof in [Proof::AssetIds, Proof::Expiry, Proof::Balance] {
                for at in [UnixTime::MIN, UnixTime::MAX] {
                    let far = Reading { plan_ends: Some(End::at(at)), ..reading(i64::MAX) };
                    let _ = effect(&Snapshot::of(&ends(Some(0))), &far, &plan, proof);
                    let _ = effect(&Snapshot::of(&far), &ends(Some(0)), &plan, proof);
                }
            }
        }
    }

    #[test]
    fn a_cycle_begins_with_a_plan_more_data_credit_or_a_later_end() {
        let day = 86_400;
        let euro = Money::new(990_000, Currency::EUR);
        for (what, old, new, expected) in [
            ("same", reading(GB), reading(GB), false),
            ("less", reading(GB), reading(0), false),
            ("a tenth and 50 MB", reading(GB), reading(GB + GB / 10 + 50_000_000), false),
            ("one byte more", reading(GB), reading(GB + GB / 10 + 50_000_001), true),
            ("full already", reading(i64::MAX), reading(i64::MAX), false),
            ("first plan known", assets(&[]), assets(&["1"]), false),
            ("second plan", assets(&["1"]), assets(&["1", "2"]), true),
            ("plan gone", assets(&["1", "2"]), assets(&["1"]), false),
            ("wobble", ends(Some(day)), ends(Some(day + day / 2)), false),
            ("more than a wobble", ends(Some(day)), ends(Some(day + day / 2 + 1)), true),
            ("half of ten days", ends(Some(10 * day)), ends(Some(15 * day)), false),
            ("more than half", ends(Some(10 * day)), ends(Some(15 * day + 1)), true),
            ("fifteen days of a year", ends(Some(365 * day)), ends(Some(380 * day)), false),
            ("and a second", ends(Some(365 * day)), ends(Some(380 * day + 1)), true),
            ("long over", ends(Some(-90 * day)), ends(Some(-90 * day + day / 2 + 1)), true),
            ("shrunk", ends(Some(10 * day)), ends(Some(0)), false),
            ("first end known", ends(None), ends(Some(day)), false),
            ("credit used", credits(&[usd(10)]), credits(&[usd(9)]), false),
            ("credit corrected", credits(&[usd(10)]), credits(&[usd(12)]), false),
            ("credit bought", credits(&[usd(10)]), credits(&[usd(13)]), true),
            ("debt paid", credits(&[usd(-5)]), credits(&[usd(5)]), true),
            ("other currency", credits(&[usd(1)]), credits(&[euro]), false),
        ] {
            assert_eq!(renewed(&old, &new), expected, "{what}");
        }
    }

    #[test]
    fn what_came_onto_a_card_is_seen_whatever_it_is() {
        let day = 86_400;
        let full = |reading: Reading| Reading { assets: vec!["1".into()], ..reading };
        let before = Snapshot::of(&full(ends(Some(day))));
        for (what, after, expected) in [
            ("the same", full(ends(Some(day))), false),
            ("a wobble", full(ends(Some(day + day / 2))), false),
            ("a later end", full(ends(Some(day + day / 2 + 1))), true),
            ("a plan", Reading { assets: vec!["1".into(), "2".into()], ..ends(Some(day)) }, true),
            ("an end that is not told", full(ends(None)), false),
        ] {
            assert_eq!(gained(&before, &after), expected, "{what}");
        }
        assert!(gained(&Snapshot::of(&ends(None)), &ends(Some(1))), "an end ahead where none was");
        assert!(!gained(&Snapshot::of(&reading(GB)), &reading(GB + GB / 10 + 50_000_000)));
        assert!(gained(&Snapshot::of(&reading(GB)), &reading(GB + GB / 10 + 50_000_001)));
        assert!(gained(&Snapshot::of(&credits(&[usd(10)])), &credits(&[usd(13)])));
    }

    #[test]
    fn a_card_that_was_over_and_is_in_use_has_something_new() {
        let of = |state, end: Option<i64>| Reading { state, ..ends(end) };
        let held = |state, end| Reading { allowances: reading(GB).allowances, ..of(state, end) };
        let bare = |state| of(state, None);
        use CardState::{Active, Blocked, Expired};
        for (what, old, new, expected) in [
            ("its end is told", of(Expired, None), of(Active, Some(1)), true),
            ("its end is not told", of(Expired, None), of(Active, None), true),
            ("blocked, with an end ahead", of(Expired, None), of(Blocked, Some(1)), true),
            ("blocked, and no end", of(Expired, None), of(Blocked, None), false),
            ("still over", of(Expired, Some(-5)), of(Active, Some(-5)), false),
            ("over, by a clock that was set back", of(Expired, Some(1)), of(Expired, Some(1)), false),
            ("nothing on it, then an end", bare(Blocked), of(Blocked, Some(1)), true),
            ("something on it", held(Blocked, None), held(Blocked, Some(1)), false),
            ("in use, its end not told", bare(Active), of(Active, Some(1)), false),
        ] {
            assert_eq!(renewed(&old, &new), expected, "{what}");
        }
    }

    #[test]
    fn the_first_end_is_the_earliest_of_the_three() {
        let mut reading = ends(Some(9));
        reading.credit_ends = Some(End::at(NOW.plus(Secs(5))));
        reading.number_ends = Some(End::at(NOW.plus(Secs(7))));
        assert_eq!(first_end(&reading), Some(NOW.plus(Secs(5))));
        assert_eq!(first_end(&ends(None)), None);
    }
}
