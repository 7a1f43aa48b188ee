//! What was busiest, packed for the hot row of a card.

use super::bytes::{Damaged, Input, put_kind, signed};
use crate::domain::busiest::{Busiest, Today};
use crate::domain::time::{Secs, UnixTime};

/// Tells how even use is.
const VERSION: u8 = 2;
/// Told hour and day alone.
const VERSION_OF_HOURS: u8 = 1;

/// Nothing known takes no byte.
pub(super) fn pack(busiest: &[Busiest]) -> Vec<u8> {
    let mut out = Vec::new();
    if busiest.is_empty() {
        return out;
    }
    out.push(VERSION);
    for known in busiest {
        put_kind(&mut out, known.kind);
        signed(&mut out, known.hour);
        out.push(u8::from(known.day.is_some()));
        if let Some(day) = known.day {
            signed(&mut out, day);
        }
        signed(&mut out, known.even);
        signed(&mut out, known.idle_days.into());
        signed(&mut out, known.today.since.secs());
        signed(&mut out, known.today.so_far);
        signed(&mut out, known.today.most);
        signed(&mut out, known.today.most_within.0);
    }
    out
}

/// The reverse of [`pack`].
///
/// # Errors
/// If the bytes are none of its.
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<Busiest>, Damaged> {
    let (mut input, mut found) = (Input(packed), Vec::new());
    let version = if packed.is_empty() { VERSION } else { input.byte()? };
    if !matches!(version, VERSION | VERSION_OF_HOURS) {
        return Err(Damaged("an unknown version"));
    }
    while !input.0.is_empty() {
        found.push(unpack_one(&mut input, version)?);
    }
    Ok(found)
}

fn unpack_one(input: &mut Input<'_>, version: u8) -> Result<Busiest, Damaged> {
    let (kind, hour) = (input.kind()?, input.signed()?);
    let day = if input.byte()? == 0 { None } else { Some(input.signed()?) };
    let tells_even = version == VERSION;
    let evenness = if tells_even { Some((input.signed()?, input.signed()?)) } else { None };
    let since = UnixTime::new(input.signed()?).ok_or(Damaged("a time out of range"))?;
    let known = Busiest { hour, day, ..Busiest::unknown(kind, since) };
    let today = Today { so_far: input.signed()?, ..known.today };
    let Some((even, idle_days)) = evenness else { return Ok(Busiest { today, ..known }) };
    let idle_days = u16::try_from(idle_days).map_err(|_| Damaged("a number of days out of range"))?;
    let today = Today { most: input.signed()?, most_within: Secs(input.signed()?), ..today };
    Ok(Busiest { even, idle_days, today, ..known })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::reading::AllowanceKind;

    #[test]
    fn what_was_packed_comes_back_and_damage_is_told() {
        let since = UnixTime::clamped(1_800_000_000);
        let today = Today { since, so_far: 7, most: 5, most_within: Secs::HOUR };
        let of = |kind, hour, day| Busiest { kind, hour, day, even: 700, idle_days: u16::MAX, today };
        let busiest = [
            of(AllowanceKind::Data, i64::MAX, Some(0)),
            of(AllowanceKind::Voice, 0, None),
            of(AllowanceKind::Credit(Currency::USD), 300, Some(i64::MIN)),
        ];
        let packed = pack(&busiest);
        assert_eq!(unpack(&packed), Ok(busiest.to_vec()));
        assert_eq!((pack(&[]), unpack(&[])), (Vec::new(), Ok(Vec::new())));
        for length in 1..packed.len() {
            let cut = unpack(&packed[..length]);
            assert!(cut.is_err() || cut.is_ok_and(|found| found.len() < busiest.len()), "{length}");
        }
        assert!(unpack(&[9]).is_err());
    }

    #[test]
    fn what_was_packed_before_use_was_told_even_or_not_is_read_still() {
        let since = UnixTime::clamped(1_800_000_000);
        let mut packed = vec![VERSION_OF_HOURS];
        put_kind(&mut packed, AllowanceKind::Data);
        signed(&mut packed, 300);
        packed.push(1);
        for number in [2_000, since.secs(), 7] {
            signed(&mut packed, number);
        }
        let known = Busiest::unknown(AllowanceKind::Data, since);
        let today = Today { so_far: 7, ..known.today };
        assert_eq!(unpack(&packed), Ok(vec![Busiest { hour: 300, day: Some(2_000), today, ..known }]));
    }
}
