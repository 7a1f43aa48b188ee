//! When a card is read again: calm when it is far from every limit, closer when near, never faster than its operator
//! answers anew.

use super::assess::Verdict;
use super::attempt::StateName;
use super::card::CardId;
use super::cycle;
use super::ledger::Ledger;
use super::reading::{AllowanceKind, Recent};
use super::retry;
use super::rule::{Condition, Rule};
use super::time::{Secs, UnixTime};

/// Neighbouring rows share their spread, so that they stay due together and one page of the record serves them all.
const NEIGHBOURS_SHIFT: u32 = 9;
/// Close to an end or a limit a card is read this many times as often.
const NEAR_FACTOR: i64 = 4;
/// A card whose order was taken is read this often until it shows.
const EFFECT_LOOKED_FOR: Secs = Secs::minutes(10);
/// An end this near is close.
const NEAR_END: Secs = Secs::days(2);

/// The next time to read the card.
pub(super) fn next_poll(
    card: CardId,
    rule: Option<&Rule>,
    readings: &Recent,
    ledger: &Ledger,
    verdict: Verdict,
    now: UnixTime,
) -> UnixTime {
    let pace = ledger.pace;
    let floor = pace.at_most.0.max(1);
    let mut wait = pace.every.0.max(floor);
    if is_near(rule, readings, now) {
        wait = (wait / NEAR_FACTOR).max(floor);
    }
    let neighbourhood = retry::mixed(card.0.unsigned_abs() >> NEIGHBOURS_SHIFT, ledger.cycle);
    let regular = now.plus(Secs(retry::spread(Secs(wait), 5, neighbourhood).0.max(floor)));
    match verdict {
        // The renewal's own reading comes when it may begin.
        Verdict::Wait { until } if until > now => regular.min(until),
        // The order's own looks come sooner at first; a day of these tells no more than they do.
        Verdict::Open { state: StateName::Accepted } => regular.min(now.plus(EFFECT_LOOKED_FOR.max(pace.at_most))),
        _ => regular,
    }
}

/// Whether an end comes near or an amount is within twice its limit.
fn is_near(rule: Option<&Rule>, readings: &Recent, now: UnixTime) -> bool {
    let Some(reading) = &readings.latest else { return false };
    let ends_soon = cycle::first_end(reading).is_some_and(|end| (0..=NEAR_END.0).contains(&end.since(now).0));
    let Some(rule) = rule else { return ends_soon };
    let low = |kind: AllowanceKind, limit: u64| {
        let left = reading.left(kind);
        left.known && !left.unlimited && u64::try_from(left.remaining).unwrap_or(0) < limit.saturating_mul(2)
    };
    let close = |condition: Condition| match condition {
        Condition::DataBelow(limit) => low(AllowanceKind::Data, limit.bytes()),
        Condition::DataShareBelow(share) => {
            let total = reading.left(AllowanceKind::Data).total.and_then(|total| u64::try_from(total).ok());
            let limit = |total: u64| u128::from(total) * u128::from(share.0) / 100;
            total.is_some_and(|total| low(AllowanceKind::Data, u64::try_from(limit(total)).unwrap_or(u64::MAX)))
        }
        Condition::VoiceBelow(limit) => low(AllowanceKind::Voice, limit.0.unsigned_abs()),
        Condition::SmsBelow(limit) => low(AllowanceKind::Sms, limit),
        Condition::CreditBelow(limit) => {
            low(AllowanceKind::Credit(limit.currency()), limit.ten_thousandths().unsigned_abs())
        }
        Condition::PlanEndsWithin(lead) => nears(reading.plan_ends.map(|end| end.left(now)), lead),
        Condition::CreditEndsWithin(lead) => nears(reading.credit_ends.map(|end| end.left(now)), lead),
        Condition::NumberEndsWithin(lead) => nears(reading.number_ends.map(|end| end.left(now)), lead),
    };
    ends_soon || rule.renew_when.triggers.iter().any(|trigger| close(trigger.condition))
}

/// Whether a deadline's own lead time begins within a day.
fn nears(left: Option<Secs>, lead: Secs) -> bool {
    left.is_some_and(|left| left.0 > lead.0 && left.0.saturating_sub(lead.0) <= Secs::DAY.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::{DataSize, Percent};
    use crate::domain::ledger::Pace;
    use crate::domain::money::{Currency, Money};
    use crate::domain::reading::Reading;
    use crate::domain::rule::Mode;
    use crate::domain::testing::{NOW, allowance, reading, rule};
    use crate::domain::time::End;

    fn recent(reading: Reading) -> Recent {
        Recent { latest: Some(reading), previous: None, odd: None }
    }

    fn near(conditions: &[Condition], reading: Reading) -> bool {
        is_near(Some(&rule(Mode::Auto, conditions)), &recent(reading), NOW)
    }

    fn ends(secs: i64) -> Option<End> {
        Some(End::at(NOW.plus(Secs(secs))))
    }

    #[test]
    fn an_amount_is_near_below_twice_its_limit() {
        let hundred = 100;
        let usd = |amount| Condition::CreditBelow(Money::new(amount, Currency::USD));
        let cases = [
            (Condition::DataBelow(DataSize(100)), AllowanceKind::Data),
            (Condition::VoiceBelow(Secs(100)), AllowanceKind::Voice),
            (Condition::SmsBelow(100), AllowanceKind::Sms),
            (usd(100), AllowanceKind::Credit(Currency::USD)),
        ];
        for (condition, kind) in cases {
            for (left, expected) in [(-1, true), (0, true), (2 * hundred - 1, true), (2 * hundred, false)] {
                let mut reading = reading(0);
                reading.allowances = vec![allowance(kind, left)];
                assert_eq!(near(&[condition], reading), expected, "{left} {kind:?}");
            }
            assert!(!near(&[condition], Reading::empty(NOW, crate::domain::reading::CardState::Active)));
        }
        let share = |left: i64, total: Option<i64>| {
            let mut reading = reading(left);
            reading.allowances[0].total = total;
            near(&[Condition::DataShareBelow(Percent(20))], reading)
        };
        assert!(share(399, Some(1_000)));
        assert!(!share(400, Some(1_000)));
        assert!(!share(0, None));
        assert!(!share(0, Some(-1)));
        assert!(near(&[Condition::DataBelow(DataSize(u64::MAX))], reading(i64::MAX)));
    }

    #[test]
    fn an_end_is_near_two_days_before_and_a_lead_one_day_before() {
        let day = 86_400;
        let with = |secs: i64| Reading { plan_ends: ends(secs), ..reading(i64::MAX) };
        for (secs, expected) in [(-1, false), (0, true), (2 * day, true), (2 * day + 1, false)] {
            assert_eq!(near(&[], with(secs)), expected, "{secs}");
            assert_eq!(is_near(None, &recent(with(secs)), NOW), expected, "{secs}");
        }
        let lead = Condition::PlanEndsWithin(Secs(10 * day));
        for (secs, expected) in [(10 * day, false), (10 * day + 1, true), (11 * day, true), (11 * day + 1, false)] {
            assert_eq!(near(&[lead], with(secs)), expected, "{secs}");
        }
        assert!(!is_near(None, &Recent::default(), NOW));
    }

    #[test]
    fn a_calm_card_is_read_at_its_pace_and_a_near_one_four_times_as_often() {
        let wait = |every: i64, at_most: i64, left: i64| {
            let ledger = Ledger { pace: Pace { every: Secs(every), at_most: Secs(at_most) }, ..Ledger::default() };
            let rule = rule(Mode::Auto, &[Condition::DataBelow(DataSize(100))]);
            next_poll(CardId(1), Some(&rule), &recent(reading(left)), &ledger, Verdict::Fine, NOW).since(NOW).0
        };
        let about = |wait: i64, secs: i64| (wait - secs).abs() <= secs / 20;
        assert!(about(wait(21_600, 60, 1_000), 21_600));
        assert!(about(wait(21_600, 60, 100), 5_400));
        for (every, at_most) in [(0, 0), (-5, -5), (1, 1), (1, 1_200), (1_200, 1_200), (4_000, 1_200)] {
            for left in [100, 1_000] {
                let wait = wait(every, at_most, left);
                assert!(wait >= at_most.max(1), "{every} {at_most}: {wait}");
            }
        }
        let _ = wait(i64::MAX, i64::MAX, 0);
    }

    #[test]
    fn a_wait_ends_with_a_reading_and_an_accepted_order_is_watched() {
        let ledger = Ledger::default();
        let poll = |verdict, now| next_poll(CardId(1), None, &Recent::default(), &ledger, verdict, now);
        let soon = NOW.plus(Secs(5));
        assert_eq!(poll(Verdict::Wait { until: soon }, NOW), soon);
        let late = Verdict::Wait { until: UnixTime::MAX };
        assert_eq!(poll(late, NOW), poll(Verdict::Fine, NOW));
        assert!(poll(Verdict::Wait { until: NOW }, NOW) > NOW);
        let accepted = Verdict::Open { state: StateName::Accepted };
        assert_eq!(poll(accepted, NOW), NOW.plus(ledger.pace.at_most));
        assert_eq!(poll(Verdict::Fine, UnixTime::MAX), UnixTime::MAX);
    }

    #[test]
    fn neighbours_are_spread_alike() {
        let ledger = Ledger::default();
        let poll = |id| next_poll(CardId(id), None, &Recent::default(), &ledger, Verdict::Fine, NOW);
        assert_eq!(poll(512), poll(1_023));
        let waits: std::collections::BTreeSet<UnixTime> = (0..40).map(|block| poll(block * 512)).collect();
        assert!(waits.len() > 30, "different blocks differ");
        let _ = poll(i64::MIN);
    }
}
