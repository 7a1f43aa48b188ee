//! Each verdict and each reason at its limits, and what must hold for any card whatever.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::attempt::{AttemptId, Snapshot};
use crate::domain::card::Pause;
use crate::domain::data::{DataSize, Percent};
use crate::domain::ledger::{ClosedAttempt, Pace, Spend};
use crate::domain::money::{Currency, Money};
use crate::domain::reading::{AllowanceKind, EndKind};
use crate::domain::rule::{Condition, Join};
use crate::domain::sellers::AnotherWay;
use crate::domain::testing::*;
use crate::domain::time::{End, LocalHours};

const LOW: [Condition; 1] = [Condition::DataBelow(DataSize(500))];

/// Everything that `assess` sees; each test changes what it is about.
#[derive(Clone, Debug)]
struct Scene {
    card: Card,
    rule: Option<Rule>,
    readings: Recent,
    ledger: Ledger,
    now: UnixTime,
}

impl Scene {
    /// A card below its limit whose rule buys.
    fn due() -> Self {
        let readings =
            Recent { latest: Some(reading(499)), previous: Some(reading(500)), odd: None, ..Recent::default() };
        Self { card: card(), rule: Some(rule(Mode::Auto, &LOW)), readings, ledger: Ledger::default(), now: NOW }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn rule(&mut self) -> &mut Rule {
        self.rule.as_mut().unwrap()
    }

    fn latest(&mut self) -> &mut Reading {
        self.readings.latest.as_mut().unwrap()
    }

    fn assess(&self) -> Assessment {
        assess(&self.card, self.rule.as_ref(), &self.readings, &self.ledger, self.now)
    }

    /// The verdict and the last reason.
    fn says(&self) -> (Verdict, Option<Reason>) {
        let assessment = self.assess();
        (assessment.verdict, assessment.reasons.last().copied())
    }
}

fn closed(numbers: &[(u32, Closed)]) -> Vec<ClosedAttempt> {
    numbers.iter().map(|(number, how)| ClosedAttempt { number: *number, at: NOW, how: *how }).collect()
}

fn after(secs: i64) -> UnixTime {
    NOW.plus(Secs(secs))
}

#[test]
fn a_card_that_is_low_is_renewed_and_one_at_its_limit_is_fine() {
    let due = Scene::due();
    let trigger = due.rule.as_ref().unwrap().renew_when.triggers[0];
    let assessment = due.assess();
    assert_eq!(assessment.verdict, Verdict::Renew);
    assert_eq!(assessment.actions, [Action::Renew { trigger, ask: false }]);
    assert!(matches!(assessment.reasons[..], [Reason::Checked(check)] if check.holds && check.trigger.line == 14));
    let ask = due.clone().with(|scene| scene.rule().mode = Mode::Ask).assess();
    assert_eq!((ask.verdict, ask.actions.clone()), (Verdict::Ask, vec![Action::Renew { trigger, ask: true }]));
    for left in [500, 501, i64::MAX] {
        let fine = due.clone().with(|scene| scene.readings.latest = Some(reading(left))).assess();
        assert_eq!(fine.verdict, Verdict::Fine, "{left}");
        assert!(matches!(fine.reasons[..], [Reason::Checked(check)] if !check.holds));
    }
}

#[test]
fn what_people_do_not_want_is_not_bought() {
    let due = Scene::due();
    let pause = |until| Some(Pause { since: NOW, until, by: "anna".into() });
    let paused = |until| due.clone().with(|scene| scene.card.wishes.pause = pause(until)).says();
    let is_paused = |until| (Verdict::Paused, Some(Reason::IsPaused { until }));
    assert_eq!(paused(None), is_paused(None));
    assert_eq!(paused(Some(after(1))), is_paused(Some(after(1))));
    assert_eq!(paused(Some(NOW)).0, Verdict::Renew);
    let skips = due.clone().with(|scene| scene.card.wishes.skip_next = true);
    assert_eq!(skips.says(), (Verdict::Paused, Some(Reason::SkipsThis)));
    let watches = due.clone().with(|scene| scene.rule().mode = Mode::Watch);
    assert_eq!(watches.says(), (Verdict::Watch, Some(Reason::OnlyWatches)));
    assert!(matches!(
        watches.assess().actions[..],
        [Action::Warn { due: Due::Low { .. }, next: NextStep::OnlyWatches }]
    ));
    let nobody = due.clone().with(|scene| scene.rule = None);
    assert_eq!(nobody.says(), (Verdict::Fine, Some(Reason::NoRule)));
    let retired = due.clone().with(|scene| scene.card.retired_at = Some(UnixTime::MAX)).assess();
    assert_eq!((retired.verdict, retired.reasons, retired.actions), (Verdict::Retired, vec![], vec![]));
}

#[test]
fn dates_hold_from_the_first_instant_to_the_last_in_the_cards_zone() {
    let trip = Scene::due().with(|scene| {
        scene.card.zone = zone("America/Toronto");
        scene.rule().from = Some(date(2027, 3, 14));
        scene.rule().until = Some(date(2027, 3, 31));
    });
    let from = at("2027-03-14T05:00:00Z");
    let until = at("2027-04-01T04:00:00Z");
    let outside = |reason| (Verdict::OutsideDates, Some(reason));
    for (now, expected) in [
        (from.minus(Secs(1)), outside(Reason::NotBegun { from })),
        (from, (Verdict::Renew, None)),
        (until.minus(Secs(1)), (Verdict::Renew, None)),
        (until, outside(Reason::IsOver { until })),
        (UnixTime::MAX, outside(Reason::IsOver { until })),
    ] {
        let scene = trip.clone().with(|scene| {
            scene.now = now;
            scene.latest().read_at = now;
        });
        let (verdict, reason) = scene.says();
        assert_eq!(verdict, expected.0, "{now}");
        assert!(expected.1.is_none() || reason == expected.1, "{now}: {reason:?}");
    }
    let for_ever = trip.with(|scene| {
        scene.now = UnixTime::MAX;
        scene.latest().read_at = UnixTime::MAX;
        scene.rule().until = Some(date(9999, 12, 31));
    });
    assert_eq!(for_ever.says().0, Verdict::OutsideDates, "the calendar ends here, and nothing is bought then");
}

#[test]
fn hours_are_the_cards_own_on_days_with_and_without_a_missing_hour() {
    let toronto = |hours: &str, now: &str| {
        let (hours, now) = (LocalHours::parse(hours).unwrap(), at(now));
        Scene::due()
            .with(|scene| {
                scene.card.zone = zone("America/Toronto");
                scene.rule().hours = Some(hours);
                scene.now = now;
                scene.latest().read_at = now;
            })
            .says()
    };
    for (hours, now, opens) in [
        ("01:00-06:00", "2026-12-15T06:00:00Z", None),
        ("01:00-06:00", "2026-12-15T10:59:59Z", None),
        ("01:00-06:00", "2026-12-15T11:00:00Z", Some("2026-12-16T06:00:00Z")),
        ("01:00-06:00", "2026-12-15T05:59:59Z", Some("2026-12-15T06:00:00Z")),
        ("02:30-02:45", "2027-03-14T06:59:59Z", Some("2027-03-14T07:00:00Z")),
        ("02:30-02:45", "2027-03-14T07:00:00Z", None),
        ("01:30-02:00", "2026-11-01T05:29:59Z", Some("2026-11-01T05:30:00Z")),
    ] {
        let expected = match opens.map(at) {
            None => Verdict::Renew,
            Some(until) => Verdict::Wait { until },
        };
        let (verdict, reason) = toronto(hours, now);
        assert_eq!(verdict, expected, "{hours} at {now}");
        if let Verdict::Wait { until } = verdict {
            assert_eq!(reason, Some(Reason::OutsideHours { opens: until }));
        }
    }
}

#[test]
fn a_card_that_is_not_in_use_is_left_alone_and_a_dead_one_is_named() {
    let state = |state, renewable, even_inactive| {
        let scene = Scene::due().with(|scene| {
            scene.latest().state = state;
            scene.latest().renewable = renewable;
            scene.rule().even_inactive = even_inactive;
        });
        scene.says()
    };
    for renewable in [Renewable::Yes, Renewable::Unknown] {
        for (card_state, by_default, even_inactive) in [
            (CardState::Active, Verdict::Renew, Verdict::Renew),
            (CardState::Finished, Verdict::Renew, Verdict::Renew),
            (CardState::Expired, Verdict::Renew, Verdict::Renew),
            (CardState::Unknown, Verdict::Renew, Verdict::Renew),
            (CardState::NotInstalled, Verdict::Blocked, Verdict::Renew),
            (CardState::NotActive, Verdict::Blocked, Verdict::Renew),
            (CardState::Blocked, Verdict::Blocked, Verdict::Blocked),
            (CardState::Recycled, Verdict::CannotRenew, Verdict::CannotRenew),
        ] {
            assert_eq!(state(card_state, renewable, false).0, by_default, "{card_state:?}");
            assert_eq!(state(card_state, renewable, true).0, even_inactive, "{card_state:?}");
        }
    }
    let blocked = (Verdict::Blocked, Some(Reason::NotInUse(CardState::Blocked)));
    assert_eq!(state(CardState::Blocked, Renewable::Yes, true), blocked);
    let one_off = Some(Reason::NotRenewable(CardState::Active, Renewable::OneOff));
    assert_eq!(state(CardState::Active, Renewable::OneOff, true), (Verdict::CannotRenew, one_off));
}

#[test]
fn what_is_not_known_well_enough_is_not_acted_upon() {
    let due = Scene::due();
    let none = due.clone().with(|scene| scene.readings = Recent::default());
    assert_eq!(none.says(), (Verdict::Stale, Some(Reason::NoReading)));
    assert_eq!(none.assess().actions, []);
    let odd = Oddity::Negative(AllowanceKind::Data);
    let never = none.with(|scene| scene.readings.odd = Some((NOW, odd)));
    assert_eq!(never.says(), (Verdict::Stale, Some(Reason::Odd(odd))));
    for (secs, verdict) in [(-1, Verdict::Renew), (0, Verdict::Stale), (1, Verdict::Stale)] {
        let scene = due.clone().with(|scene| scene.readings.odd = Some((after(secs), odd)));
        assert_eq!(scene.says().0, verdict, "{secs}");
    }
    for (every, at_most, age, stale) in [
        (Secs::hours(6), Secs::minutes(20), 18 * 3_600, false),
        (Secs::hours(6), Secs::minutes(20), 18 * 3_600 + 1, true),
        (Secs::MINUTE, Secs::HOUR, 3 * 3_600, false),
        (Secs::MINUTE, Secs::HOUR, 3 * 3_600 + 1, true),
        (Secs::ZERO, Secs::ZERO, 1, true),
        (Secs(i64::MAX), Secs::ZERO, 1_000_000_000, false),
    ] {
        let scene = due.clone().with(|scene| {
            scene.ledger.pace = Pace { every, at_most };
            scene.latest().read_at = NOW.minus(Secs(age));
        });
        let expected = if stale { (Verdict::Stale, Some(Reason::TooOld { age: Secs(age) })) } else { scene.says() };
        assert_eq!(scene.says(), expected, "{age} at {every}");
        assert_eq!(scene.says().0 == Verdict::Stale, stale);
    }
    let restored = due.with(|scene| scene.ledger.quarantined = true);
    assert_eq!(restored.says(), (Verdict::Blocked, Some(Reason::Quarantined)));
}

#[test]
fn an_open_attempt_is_never_joined_by_a_second() {
    for state in StateName::ALL.into_iter().filter(|state| state.is_open()) {
        let open = OpenAttempt { id: AttemptId(1), state, asked: false };
        let scene = Scene::due().with(|scene| scene.ledger.open = Some(open));
        assert_eq!(scene.says(), (Verdict::Open { state }, Some(Reason::AttemptOpen(open))));
        assert_eq!(scene.assess().actions, []);
    }
}

#[test]
fn failures_wait_longer_each_time_and_end() {
    use RefusalKind::{Access, BadCode, CardData, CardDead, NotActive, Other, Passing, PaymentDeclined, PlanGone};
    let passing = Closed::Refused(Passing);
    let by_gate = Closed::Abandoned { by_person: false };
    let hours = |hours: i64| Some(hours * 3_600);
    for (attempts, waits) in [
        (vec![(1, passing)], hours(2)),
        (vec![(1, passing), (2, passing)], hours(8)),
        (vec![(1, passing), (2, passing), (3, passing)], None),
        (vec![(1, Closed::Absent)], hours(2)),
        (vec![(1, Closed::Absent), (2, Closed::Absent), (3, Closed::Absent)], None),
        (vec![(1, Closed::Refused(RefusalKind::WalletEmpty))], hours(2)),
        (vec![(1, Closed::Refused(PlanGone))], hours(2)),
        (vec![(1, Closed::Refused(PaymentDeclined))], hours(2)),
        (vec![(1, Closed::WalletShort)], hours(1)),
        (vec![(1, Closed::WalletShort), (2, by_gate)], hours(2)),
        (vec![(1, Closed::Refused(BadCode)), (2, Closed::Refused(BadCode))], Some(60)),
        (vec![(1, Closed::Refused(BadCode)), (2, passing), (3, Closed::Refused(BadCode))], None),
        (vec![(1, Closed::Refused(CardDead))], None),
        (vec![(1, Closed::Refused(CardData))], None),
        (vec![(1, Closed::Refused(NotActive))], None),
        (vec![(1, Closed::Refused(Access))], None),
        (vec![(1, Closed::Refused(Other))], None),
        (vec![(1, Closed::Reversed)], None),
        (vec![(1, Closed::Abandoned { by_person: true })], None),
        (vec![(1, by_gate)], hours(1)),
        (vec![(1, by_gate), (2, by_gate), (3, by_gate), (4, by_gate)], hours(8)),
        (vec![(1, by_gate), (2, by_gate), (3, by_gate), (4, passing)], hours(2)),
    ] {
        let scene = Scene::due().with(|scene| scene.ledger.closed = closed(&attempts));
        let Some(secs) = waits else {
            assert!(
                matches!(scene.says(), (Verdict::Blocked, Some(Reason::TriedOut { .. }))),
                "{attempts:?}: {:?}",
                scene.says()
            );
            continue;
        };
        let until = after(secs);
        let expected = (Verdict::Wait { until }, Some(Reason::WaitsAfterFailure { until }));
        for (later, expected) in [(0, Some(expected)), (secs - 1, Some(expected)), (secs, None), (secs + 1, None)] {
            let scene = scene.clone().with(|scene| scene.now = after(later));
            assert_eq!(scene.says().0 == Verdict::Renew, expected.is_none(), "{attempts:?} after {later}");
            assert!(expected.is_none() || Some(scene.says()) == expected, "{attempts:?} after {later}");
        }
    }
}

#[test]
fn another_way_to_buy_is_tried_at_once_and_ends_with_the_ways() {
    use RefusalKind::{Access, Passing, PlanGone, WalletEmpty};
    let (untried, less) = (AnotherWay::Untried, AnotherWay::TriedLess);
    let often = |how| vec![(1, how), (2, how), (3, how)];
    for (attempts, another_way, waits) in [
        (vec![(1, Closed::Refused(WalletEmpty))], untried, Some(60)),
        (vec![(1, Closed::Refused(PlanGone))], untried, Some(60)),
        (vec![(1, Closed::Refused(Access))], untried, Some(60)),
        // Each way that is left gets its turn, however many there are.
        (often(Closed::Refused(WalletEmpty)), untried, Some(60)),
        (vec![(1, Closed::Refused(Passing))], less, Some(60)),
        (often(Closed::Refused(Passing)), less, None),
        (often(Closed::WalletShort), less, Some(60)),
        (vec![(1, Closed::Absent)], untried, Some(2 * 3_600)),
        (vec![(1, Closed::Reversed)], untried, None),
        (vec![(1, Closed::Abandoned { by_person: true })], untried, None),
    ] {
        let scene = Scene::due().with(|scene| {
            scene.ledger.closed = closed(&attempts);
            scene.ledger.another_way = another_way;
        });
        let verdict = scene.says().0;
        let expected = waits.map_or(Verdict::Blocked, |secs| Verdict::Wait { until: after(secs) });
        assert_eq!(verdict, expected, "{attempts:?} {another_way:?}");
    }
}

#[test]
fn it_waits_for_the_breaker_and_for_the_days_count() {
    let due = Scene::due();
    for (secs, waits) in [(-1, false), (0, false), (1, true)] {
        let until = after(secs);
        let scene = due.clone().with(|scene| scene.ledger.breaker_until = Some(until));
        let expected = (Verdict::Wait { until }, Some(Reason::BreakerOpen { until }));
        assert_eq!(scene.says() == expected, waits, "{secs}");
    }
    let limited = |limit: u32, ages: &[i64]| {
        let spends = ages.iter().zip(1..).map(|(age, id)| Spend {
            attempt: AttemptId(id),
            at: NOW.minus(Secs(*age)),
            money: usd(1),
        });
        let spends: Vec<Spend> = spends.collect();
        Scene::due()
            .with(|scene| {
                scene.rule().limits.renewals_per_day = Some(limit);
                scene.ledger.spends = spends;
            })
            .says()
    };
    let day = 86_400;
    let wait = |until| (Verdict::Wait { until }, Some(Reason::DayLimit { until }));
    assert_eq!(limited(1, &[]).0, Verdict::Renew);
    assert_eq!(limited(1, &[day]).0, Verdict::Renew);
    assert_eq!(limited(1, &[day - 1]), wait(after(1)));
    assert_eq!(limited(2, &[day - 1]).0, Verdict::Renew);
    assert_eq!(limited(2, &[5, 0, day - 1]), wait(after(day - 5)));
    assert_eq!(limited(0, &[]), wait(UnixTime::MAX));
}

#[test]
fn a_renewal_by_whomever_begins_a_cycle_unless_ours_is_under_way() {
    let topped = Scene::due().with(|scene| scene.readings.latest = Some(reading(900_000_000)));
    assert!(topped.assess().actions.contains(&Action::NewCycle));
    let open = OpenAttempt { id: AttemptId(1), state: StateName::Accepted, asked: false };
    let ours = topped.clone().with(|scene| scene.ledger.open = Some(open));
    assert!(!ours.assess().actions.contains(&Action::NewCycle));
    let first = topped.with(|scene| scene.readings.previous = None);
    assert!(!first.assess().actions.contains(&Action::NewCycle));
}

#[test]
fn a_renewal_beside_an_order_of_ours_that_came_to_nothing_begins_a_cycle() {
    let since = |left: u64| {
        let before = Snapshot { data_left: Some(left), ..Snapshot::default() };
        Scene::due().with(|scene| {
            scene.readings.latest = Some(reading(900_000_000));
            scene.readings.previous = scene.readings.latest.clone();
            scene.ledger.before_last = Some(before);
        })
    };
    assert!(since(100_000_000).assess().actions.contains(&Action::NewCycle));
    assert!(!since(900_000_000).assess().actions.contains(&Action::NewCycle));
}

#[test]
fn all_conditions_of_a_joined_rule_are_shown_and_must_hold() {
    let both = [LOW[0], Condition::PlanEndsWithin(Secs::hours(36))];
    let scene = |left: i64| {
        Scene::due().with(|scene| {
            scene.rule = Some(rule(Mode::Auto, &both));
            scene.rule().renew_when.join = Join::All;
            scene.latest().plan_ends = Some(End::at(after(left)));
        })
    };
    assert_eq!(scene(36 * 3_600 + 1).says().0, Verdict::Fine);
    let assessment = scene(36 * 3_600).assess();
    assert_eq!((assessment.verdict, assessment.reasons.len()), (Verdict::Renew, 2));
    let unknown = scene(1).with(|scene| scene.latest().plan_ends = None);
    assert_eq!(unknown.says().0, Verdict::Fine, "what is not told never fires");
}

fn instants() -> impl Strategy<Value = UnixTime> {
    prop_oneof![
        3 => (-400_000_i64..400_000).prop_map(|secs| NOW.plus(Secs(secs))),
        1 => (i64::MIN..=i64::MAX).prop_map(UnixTime::clamped),
        1 => (0..=UnixTime::MAX.secs()).prop_map(UnixTime::clamped),
        1 => prop_oneof![Just(UnixTime::MIN), Just(UnixTime::MAX), Just(NOW)],
    ]
}

fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => -10_i64..2_000,
        2 => -1_000_000_i64..1_000_000_000_000,
        1 => any::<i64>(),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0)],
    ]
}

fn readings() -> impl Strategy<Value = Reading> {
    use crate::domain::reading::{Allowance, AllowanceState};
    let kind = prop_oneof![
        3 => Just(AllowanceKind::Data),
        1 => Just(AllowanceKind::Voice),
        1 => Just(AllowanceKind::Sms),
        1 => Just(AllowanceKind::Credit(Currency::USD)),
        1 => Just(AllowanceKind::Credit(Currency::EUR)),
    ];
    let stands = prop_oneof![
        3 => Just(AllowanceState::Active),
        1 => Just(AllowanceState::Queued),
        1 => Just(AllowanceState::Finished),
        1 => Just(AllowanceState::Expired),
    ];
    let one = (kind, numbers(), prop::option::of(numbers()), prop::bool::weighted(0.1), stands).prop_map(
        |(kind, remaining, total, unlimited, state)| Allowance {
            remaining,
            total,
            unlimited,
            state,
            ..allowance(kind, 0)
        },
    );
    let ends = prop::array::uniform3(prop::option::of(instants()));
    let state = prop_oneof![
        6 => Just(CardState::Active),
        1 => Just(CardState::Unknown),
        1 => Just(CardState::NotInstalled),
        1 => Just(CardState::Blocked),
        1 => Just(CardState::Recycled),
    ];
    let renewable = prop_oneof![4 => Just(Renewable::Yes), 1 => Just(Renewable::OneOff), 1 => Just(Renewable::Unknown)];
    (instants(), prop::collection::vec(one, 0..4), ends, state, renewable).prop_map(
        |(read_at, allowances, ends, state, renewable)| {
            let [plan_ends, credit_ends, number_ends] = ends.map(|at| at.map(End::at));
            let empty = Reading::empty(read_at, state);
            Reading { allowances, plan_ends, credit_ends, number_ends, renewable, ..empty }
        },
    )
}

fn conditions() -> impl Strategy<Value = Condition> {
    let usd = numbers().prop_map(|amount| Money::new(amount, Currency::USD));
    prop_oneof![
        4 => (0_u64..2_000).prop_map(|bytes| Condition::DataBelow(DataSize(bytes))),
        1 => any::<u64>().prop_map(|bytes| Condition::DataBelow(DataSize(bytes))),
        1 => any::<u32>().prop_map(|share| Condition::DataShareBelow(Percent(share))),
        1 => numbers().prop_map(|secs| Condition::VoiceBelow(Secs(secs))),
        1 => any::<u64>().prop_map(Condition::SmsBelow),
        1 => usd.prop_map(Condition::CreditBelow),
        1 => numbers().prop_map(|secs| Condition::PlanEndsWithin(Secs(secs))),
        1 => numbers().prop_map(|secs| Condition::CreditEndsWithin(Secs(secs))),
        1 => numbers().prop_map(|secs| Condition::NumberEndsWithin(Secs(secs))),
    ]
}

fn rules() -> impl Strategy<Value = Rule> {
    let mode = prop_oneof![1 => Just(Mode::Watch), 2 => Just(Mode::Ask), 4 => Just(Mode::Auto)];
    let dates = (prop::option::weighted(0.3, -9_i32..9), prop::option::weighted(0.3, -9_i32..9));
    let hours = prop::option::weighted(0.3, (0_i16..24, 1_i16..24));
    let warn = prop::collection::vec(numbers(), 0..4);
    (mode, prop::collection::vec(conditions(), 0..4), any::<bool>(), dates, hours, warn, any::<bool>()).prop_map(
        |(mode, conditions, all, (from, until), hours, warn, even_inactive)| {
            use jiff::ToSpan as _;
            let day = |days: i32| date(2026, 12, 15) + days.days();
            let mut rule = rule(mode, &conditions);
            rule.renew_when.join = if all { Join::All } else { Join::Any };
            rule.from = from.map(day);
            rule.until = until.map(day);
            rule.hours = hours.map(|(opens, lasts)| {
                LocalHours::parse(&format!("{opens:02}:00-{:02}:00", (opens + lasts) % 24)).unwrap()
            });
            rule.warn_before = warn.into_iter().map(Secs).collect();
            rule.even_inactive = even_inactive;
            rule
        },
    )
}

fn ledgers() -> impl Strategy<Value = Ledger> {
    let how = prop_oneof![
        Just(Closed::Refused(RefusalKind::Passing)),
        Just(Closed::Refused(RefusalKind::PaymentDeclined)),
        Just(Closed::Absent),
        Just(Closed::Abandoned { by_person: false }),
        Just(Closed::WalletShort),
        Just(Closed::Abandoned { by_person: true }),
        Just(Closed::Reversed),
    ];
    let closed = (any::<u32>(), instants(), how).prop_map(|(number, at, how)| ClosedAttempt { number, at, how });
    let spend = (1_i64..9, instants(), numbers()).prop_map(|(id, at, amount)| Spend {
        attempt: AttemptId(id),
        at,
        money: Money::new(amount, Currency::USD),
    });
    let open = (0_usize..6).prop_map(|place| OpenAttempt {
        id: AttemptId(1),
        state: StateName::ALL[place],
        asked: place == 0,
    });
    (
        any::<u32>(),
        prop::option::weighted(0.2, open),
        prop::collection::vec(closed, 0..3),
        prop::collection::vec(spend, 0..4),
        prop::option::of(numbers().prop_map(Secs)),
        prop::bool::weighted(0.1),
        prop::option::weighted(0.2, instants()),
        (numbers(), numbers()),
    )
        .prop_map(|(cycle, open, closed, spends, cycle_length, quarantined, breaker_until, (every, at_most))| {
            Ledger {
                cycle,
                open,
                closed,
                another_way: [AnotherWay::None, AnotherWay::TriedLess, AnotherWay::Untried][cycle as usize % 3],
                spends,
                before_last: None,
                bought_at: None,
                cycle_length,
                quarantined,
                breaker_until,
                pace: Pace { every: Secs(every), at_most: Secs(at_most) },
            }
        })
}

fn scenes() -> impl Strategy<Value = Scene> {
    let recent = (
        prop::option::weighted(0.9, readings()),
        prop::option::of(readings()),
        prop::option::weighted(0.1, instants()),
    );
    let zones = prop::sample::select(vec!["UTC", "America/Toronto", "Australia/Lord_Howe", "Pacific/Apia"]);
    let wishes = (prop::option::weighted(0.2, prop::option::of(instants())), prop::bool::weighted(0.1));
    (recent, prop::option::weighted(0.9, rules()), ledgers(), instants(), zones, wishes, any::<bool>()).prop_map(
        |((latest, previous, odd), mut rule, ledger, now, zone_name, (pause, skip_next), fresh)| {
            let mut readings = Recent {
                latest,
                previous,
                odd: odd.map(|at| (at, Oddity::FarEnd(EndKind::Plan))),
                ..Recent::default()
            };
            if let Some(reading) = readings.latest.as_mut().filter(|_| fresh) {
                reading.read_at = now;
            }
            if let Some(rule) = rule.as_mut() {
                rule.limits.renewals_per_day = (ledger.cycle % 3 == 0).then_some(ledger.cycle % 4);
            }
            let mut card = card();
            card.zone = zone(zone_name);
            card.wishes.skip_next = skip_next;
            card.wishes.pause = pause.map(|until| Pause { since: NOW, until, by: "anna".into() });
            Scene { card, rule, readings, ledger, now }
        },
    )
}

/// What must be true of a scene in which something is bought, said once more without the code that decides it.
fn may_buy(scene: &Scene, asks: bool) -> bool {
    let (Some(rule), Some(reading)) = (&scene.rule, &scene.readings.latest) else { return false };
    let today = scene.now.date_in(&scene.card.zone);
    let wanted_mode = if asks { Mode::Ask } else { Mode::Auto };
    let pause = scene.card.wishes.pause.as_ref().map(|pause| pause.until);
    rule.mode == wanted_mode
        && scene.ledger.open.is_none()
        && !scene.ledger.quarantined
        && !scene.card.wishes.skip_next
        && pause.is_none_or(|until| until.is_some_and(|until| until <= scene.now))
        && rule.from.is_none_or(|from| from <= today)
        && rule.until.is_none_or(|until| today <= until)
        && rule.hours.is_none_or(|hours| hours.contains(scene.now, &scene.card.zone))
        && scene.ledger.breaker_until.is_none_or(|until| until <= scene.now)
        && reading.state != CardState::Recycled
        && reading.state != CardState::Blocked
        && reading.renewable != Renewable::OneOff
        && !rule.renew_when.triggers.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_is_seen_it_answers_and_buys_only_what_it_may(scene in scenes()) {
        let assessment = scene.assess();
        prop_assert!(assessment.next_poll_at > scene.now || scene.now == UnixTime::MAX);
        prop_assert_eq!(&assessment, &scene.assess());
        let renewals: Vec<bool> = assessment.actions.iter().filter_map(|action| match action {
            Action::Renew { ask, .. } => Some(*ask),
            Action::Warn { .. } | Action::NewCycle => None,
        }).collect();
        prop_assert!(renewals.len() <= 1);
        for asks in renewals {
            prop_assert!(may_buy(&scene, asks), "{:?}", assessment);
            prop_assert!(matches!(assessment.verdict, Verdict::Renew | Verdict::Ask));
        }
        if let Verdict::Wait { until } = assessment.verdict {
            prop_assert!(until > scene.now || scene.now == UnixTime::MAX);
        }
    }
}
