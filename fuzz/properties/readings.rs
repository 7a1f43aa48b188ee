//! Packed readings: damage is an error and never a panic, and what was packed comes back as it went in.

use simkeeper::domain::money::Currency;
use simkeeper::domain::reading::{
    Allowance, AllowanceKind, AllowanceState, CardState, EndKind, Oddity, Reading, Renewable,
};
use simkeeper::domain::time::{End, Precision, UnixTime};
use simkeeper::store::codec::{Month, Past, front_of_tail, pack_whole, push_front, unpack_tail, unpack_whole};

use super::bytes::Bytes;

pub(crate) fn check(data: &[u8]) {
    any_bytes(data);
    let mut bytes = Bytes(data);
    let pasts: Vec<Past> = (0..1 + bytes.byte() % 6).map(|_| past(&mut bytes)).collect();
    months_come_back(&pasts);
    tails_come_back(&pasts);
    for past in &pasts {
        assert_eq!(unpack_whole(&pack_whole(&past.reading)).as_ref(), Ok(&past.reading));
    }
}

fn any_bytes(data: &[u8]) {
    if let Ok(reading) = unpack_whole(data) {
        assert_eq!(unpack_whole(&pack_whole(&reading)), Ok(reading));
    }
    if let Ok(pasts) = unpack_tail(data, None) {
        assert_eq!(
            front_of_tail(data, None).unwrap(),
            pasts.iter().find(|past| past.odd.is_none()).map(|past| past.reading.clone())
        );
    }
    // A month has a checksum, so that made-up bytes get nowhere without one.
    let summed = [data, &checksum(data).to_le_bytes()[..]].concat();
    let mut seen = Vec::new();
    if let Ok(month) = Month::unpack(&summed, |reading, odd| seen.push(Past { reading: reading.clone(), odd })) {
        assert_eq!(month.pack(), summed);
        months_come_back(&seen);
    }
}

fn months_come_back(pasts: &[Past]) {
    let mut month = Month::default();
    pasts.iter().for_each(|past| month.push(past));
    let mut seen = Vec::new();
    Month::unpack(&month.pack(), |reading, odd| seen.push(Past { reading: reading.clone(), odd })).unwrap();
    assert_eq!(seen, pasts);
}

/// A tail is put together from its end to its beginning, each reading measured against the next newer one.
fn tails_come_back(pasts: &[Past]) {
    let tail = pasts.iter().rev().enumerate().fold(Vec::new(), |tail, (behind, past)| {
        let newer = pasts[..pasts.len() - 1 - behind].iter().rev().find(|past| past.odd.is_none());
        push_front(&tail, newer.map(|past| &past.reading), past)
    });
    assert_eq!(unpack_tail(&tail, None).as_deref(), Ok(pasts));
}

/// CRC-32, by its definition and not by the program's own library.
fn checksum(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

fn past(bytes: &mut Bytes<'_>) -> Past {
    let read_at = time(bytes);
    let reading = Reading {
        read_at,
        as_of: time(bytes),
        state: bytes.one_of(&[
            CardState::Unknown,
            CardState::NotInstalled,
            CardState::NotActive,
            CardState::Active,
            CardState::Finished,
            CardState::Expired,
            CardState::Blocked,
            CardState::Recycled,
        ]),
        renewable: bytes.one_of(&[Renewable::Yes, Renewable::OneOff, Renewable::Unknown]),
        allowances: (0..bytes.byte() % 4).map(|_| allowance(bytes)).collect(),
        plan_ends: bytes.perhaps(end),
        credit_ends: bytes.perhaps(end),
        number_ends: bytes.perhaps(end),
        assets: (0..bytes.byte() % 3).map(|_| bytes.text()).collect(),
        plan: bytes.perhaps(Bytes::text),
    };
    Past { reading, odd: bytes.perhaps(oddity) }
}

fn allowance(bytes: &mut Bytes<'_>) -> Allowance {
    Allowance {
        kind: kind(bytes),
        remaining: bytes.number(),
        total: bytes.perhaps(Bytes::number),
        unlimited: bytes.bit(),
        state: bytes.one_of(&[
            AllowanceState::Queued,
            AllowanceState::Active,
            AllowanceState::Finished,
            AllowanceState::Expired,
        ]),
        starts: bytes.perhaps(time),
        ends: bytes.perhaps(end),
    }
}

fn kind(bytes: &mut Bytes<'_>) -> AllowanceKind {
    let credit = [Currency::USD, Currency::EUR].map(AllowanceKind::Credit);
    bytes.one_of(&[AllowanceKind::Data, AllowanceKind::Voice, AllowanceKind::Sms, credit[0], credit[1]])
}

fn oddity(bytes: &mut Bytes<'_>) -> Oddity {
    let which = bytes.one_of(&[EndKind::Plan, EndKind::Credit, EndKind::Number]);
    let kind = kind(bytes);
    bytes.one_of(&[
        Oddity::Negative(kind),
        Oddity::MoreThanTotal(kind),
        Oddity::FarEnd(which),
        Oddity::ShrinkingEnd(which),
        Oddity::FromTheFuture,
        Oddity::OlderThanBefore,
    ])
}

fn time(bytes: &mut Bytes<'_>) -> UnixTime {
    UnixTime::clamped(bytes.number())
}

fn end(bytes: &mut Bytes<'_>) -> End {
    End { at: time(bytes), precision: if bytes.bit() { Precision::Day } else { Precision::Second } }
}
