//! Packed readings come back as they went in, small, and damage is an error.

use proptest::prelude::*;

use super::*;
use crate::domain::money::Currency;
use crate::domain::time::{Precision, Secs};

const NOW: UnixTime = UnixTime::clamped(1_800_000_000);

fn data(remaining: i64, total: i64) -> Allowance {
    Allowance {
        kind: AllowanceKind::Data,
        remaining,
        total: Some(total),
        unlimited: false,
        state: AllowanceState::Active,
        starts: Some(NOW.minus(Secs::DAY)),
        ends: Some(End::at(NOW.plus(Secs::days(20)))),
    }
}

fn phone(read_at: UnixTime, remaining: i64) -> Reading {
    Reading {
        allowances: vec![data(remaining, 5_000_000_000)],
        plan_ends: Some(End::at(NOW.plus(Secs::days(20)))),
        assets: vec!["sim-1/canada-30days-5gb".into()],
        plan: Some("canada-30days-5gb".into()),
        ..Reading::empty(read_at, CardState::Active)
    }
}

fn times() -> impl Strategy<Value = UnixTime> {
    prop_oneof![
        Just(UnixTime::MIN),
        Just(UnixTime::MAX),
        (0..=UnixTime::MAX.secs()).prop_map(UnixTime::clamped),
        (0_i64..10_000_000).prop_map(|by| NOW.plus(Secs(by)))
    ]
}

fn amounts() -> impl Strategy<Value = i64> {
    prop_oneof![Just(i64::MIN), Just(i64::MAX), any::<i64>(), 0_i64..200, (0_i64..9_000).prop_map(|mb| mb * 1_000_000)]
}

fn end_of_any_kind() -> impl Strategy<Value = Option<End>> {
    proptest::option::of(
        (times(), any::<bool>())
            .prop_map(|(at, day)| End { at, precision: if day { Precision::Day } else { Precision::Second } }),
    )
}

fn kinds() -> impl Strategy<Value = AllowanceKind> {
    prop_oneof![
        Just(AllowanceKind::Data),
        Just(AllowanceKind::Voice),
        Just(AllowanceKind::Sms),
        Just(AllowanceKind::Credit(Currency::USD)),
        Just(AllowanceKind::Credit(Currency::EUR)),
    ]
}

fn codes<T: Word + std::fmt::Debug>() -> impl Strategy<Value = T> {
    (0..T::ALL.len()).prop_map(|place| T::ALL[place])
}

prop_compose! {
    fn allowances_of_any_kind()(
        kind in kinds(), remaining in amounts(), total in proptest::option::of(amounts()), unlimited: bool,
        state in codes::<AllowanceState>(), starts in proptest::option::of(times()), ends in end_of_any_kind(),
    ) -> Allowance {
        Allowance { kind, remaining, total, unlimited, state, starts, ends }
    }
}

fn odds() -> impl Strategy<Value = Option<Oddity>> {
    let some = prop_oneof![
        kinds().prop_map(Oddity::Negative),
        kinds().prop_map(Oddity::MoreThanTotal),
        codes().prop_map(Oddity::FarEnd),
        codes().prop_map(Oddity::ShrinkingEnd),
        codes().prop_map(Oddity::MissingEnd),
        Just(Oddity::FromTheFuture),
        Just(Oddity::OlderThanBefore),
    ];
    prop_oneof![3 => Just(None), 1 => some.prop_map(Some)]
}

prop_compose! {
    fn pasts()(
        read_at in times(), as_of in times(), state in codes::<CardState>(), renewable in codes::<Renewable>(),
        allowances in proptest::collection::vec(allowances_of_any_kind(), 0..4), plan_ends in end_of_any_kind(),
        credit_ends in end_of_any_kind(), number_ends in end_of_any_kind(),
        assets in proptest::collection::vec(".{0,20}", 0..3), plan in proptest::option::of(".{0,20}"), odd in odds(),
    ) -> Past {
        let reading = Reading {
            read_at, as_of, state, renewable, allowances, plan_ends, credit_ends, number_ends, assets, plan,
        };
        Past { reading, odd }
    }
}

/// Readings that differ from the one before only in what it used, as most do.
fn series() -> impl Strategy<Value = Vec<Past>> {
    let step = (pasts(), proptest::collection::vec((0_i64..8_000, amounts(), odds(), any::<u8>()), 0..20));
    step.prop_map(|(first, steps)| {
        let mut all = vec![first];
        for (secs, remaining, odd, which) in steps {
            let mut next = all[all.len() - 1].clone();
            next.reading.read_at = next.reading.read_at.plus(Secs(secs));
            next.reading.as_of = if which & 1 == 0 { next.reading.read_at } else { next.reading.as_of };
            let count = next.reading.allowances.len().max(1);
            if let Some(allowance) = next.reading.allowances.get_mut(usize::from(which) % count) {
                allowance.remaining = remaining;
            }
            next.odd = odd;
            all.push(next);
        }
        all
    })
}

fn unpacked(packed: &[u8]) -> Result<Vec<Past>, Damaged> {
    let mut found = Vec::new();
    Month::unpack(packed, |reading, odd| found.push(Past { reading: reading.clone(), odd }))?;
    Ok(found)
}

fn packed(pasts: &[Past]) -> Vec<u8> {
    let mut month = Month::default();
    for past in pasts {
        month.push(past);
    }
    month.pack()
}

proptest! {
    #[test]
    fn a_whole_reading_comes_back(past in pasts()) {
        prop_assert_eq!(unpack_whole(&pack_whole(&past.reading)).unwrap(), past.reading);
    }

    #[test]
    fn a_month_comes_back(pasts in proptest::collection::vec(pasts(), 0..8), more in series()) {
        prop_assert_eq!(unpacked(&packed(&pasts)).unwrap(), pasts.clone());
        prop_assert_eq!(unpacked(&packed(&more)).unwrap(), more.clone());
        // A month that is stored and taken up again goes on as if it had not been.
        let mut month = Month::unpack(&packed(&pasts), |_, _| ()).unwrap();
        more.iter().for_each(|past| month.push(past));
        prop_assert_eq!(unpacked(&month.pack()).unwrap(), [pasts, more].concat());
    }

    #[test]
    fn a_tail_comes_back_newest_first(newest in pasts(), older in series()) {
        let mut latest: Option<Reading> = None;
        let mut tail = Vec::new();
        let mut expected: Vec<Past> = Vec::new();
        let all = older.iter().cloned().chain([Past::sound(newest.reading)]);
        for past in all {
            if past.odd.is_some() {
                // Without a reading that makes sense nothing stays in the tail for long; `polls` sees to it.
                if latest.is_some() {
                    tail = push_front(&tail, latest.as_ref(), &past);
                    expected.insert(0, past);
                }
                continue;
            }
            if let Some(before) = latest.replace(past.reading.clone()) {
                let before = Past::sound(before);
                tail = push_front(&tail, Some(&past.reading), &before);
                expected.insert(0, before);
            }
        }
        prop_assert_eq!(unpack_tail(&tail, latest.as_ref()).unwrap(), expected.clone());
        let front = front_of_tail(&tail, latest.as_ref()).unwrap();
        prop_assert_eq!(front, expected.into_iter().find(|past| past.odd.is_none()).map(|past| past.reading));
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..200) {
        drop(unpack_whole(&bytes));
        drop(unpack_tail(&bytes, None));
        drop(unpack_tail(&bytes, Some(&phone(NOW, 7))));
        prop_assert!(Month::unpack(&bytes, |_, _| ()).is_err());
        // The same behind a checksum that holds.
        let mut sealed = [&[VERSION], bytes.as_slice()].concat();
        sealed.extend(crc32fast::hash(&sealed).to_le_bytes());
        drop(Month::unpack(&sealed, |_, _| ()));
        let month = packed(&[Past::sound(phone(NOW, 1)), Past::sound(phone(NOW.plus(Secs::HOUR), 0))]);
        prop_assert!(cut >= month.len() || Month::unpack(&month[..cut], |_, _| ()).is_err());
    }

    #[test]
    fn every_flipped_bit_of_a_month_is_noticed(place in 0_usize..400) {
        let mut month = packed(&[Past::sound(phone(NOW, 1)), Past::sound(phone(NOW.plus(Secs::HOUR), 0))]);
        let place = place % (month.len() * 8);
        month[place / 8] ^= 1 << (place % 8);
        prop_assert!(Month::unpack(&month, |_, _| ()).is_err());
    }
}

/// Bytes per hourly reading over 30 days, in which `used` says what each hour takes.
fn bytes_per_reading(used: impl Fn(i64) -> i64, late: impl Fn(i64) -> i64) -> f64 {
    let mut left = 5_000_000_000;
    let mut month = Month::default();
    for hour in 0..720 {
        left = (left - used(hour)).max(0);
        month.push(&Past::sound(phone(NOW.plus(Secs(hour * 3_600 + late(hour))), left)));
    }
    month.pack().len() as f64 / 720.0
}

#[test]
fn a_typical_hour_takes_at_most_two_bytes() {
    let in_time = |_| 0;
    let jitter = |hour: i64| hour * 7 % 3;
    assert!(bytes_per_reading(|_| 0, in_time) < 1.2);
    // Megabytes, by day only, read a second or two late now and then.
    assert!(bytes_per_reading(|hour| if hour % 24 < 16 { hour * 31 % 90 * 1_000_000 } else { 0 }, jitter) < 2.0);
    // Kilobytes, every hour.
    assert!(bytes_per_reading(|hour| (80 + hour % 40) * 1_000, in_time) <= 2.2);
}

/// Bytes of the first release: what was packed then must be read for ever.
#[test]
fn old_bytes_are_still_understood() {
    let odd = Past { reading: phone(NOW.plus(Secs(7_200)), -5), odd: Some(Oddity::Negative(AllowanceKind::Data)) };
    let pasts = [
        Past::sound(phone(NOW, 4_000_000_000)),
        Past::sound(phone(NOW.plus(Secs(3_600)), 3_990_000_000)),
        odd,
        Past::sound(phone(NOW.plus(Secs(10_800)), 3_000_000_000)),
    ];
    let hex: String = packed(&pasts).iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = concat!(
        "01ea80c8ceb40d230100e180a0d9e61d80c8afa025ffc50a0180f8d2010180f8d2010000011773696d2d312f63616e6164612d3330",
        "646179732d356762011163616e6164612d3330646179732d3567627aa0389100000089c694dd1d7ea038de07b4a70d7d",
    );
    assert_eq!(hex, expected);
    assert_eq!(unpacked(&packed(&pasts)).unwrap(), pasts);
}
