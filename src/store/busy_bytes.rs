//! What was busiest, packed for the hot row of a card.

use super::bytes::{Damaged, Input, VERSION, put_kind, signed};
use crate::domain::busiest::Busiest;
use crate::domain::time::UnixTime;

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
        signed(&mut out, known.since.secs());
        signed(&mut out, known.so_far);
    }
    out
}

/// The reverse of [`pack`].
///
/// # Errors
/// If the bytes are none of its.
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<Busiest>, Damaged> {
    let (mut input, mut found) = (Input(packed), Vec::new());
    if !packed.is_empty() {
        input.version()?;
    }
    while !input.0.is_empty() {
        found.push(Busiest {
            kind: input.kind()?,
            hour: input.signed()?,
            day: if input.byte()? == 0 { None } else { Some(input.signed()?) },
            since: UnixTime::new(input.signed()?).ok_or(Damaged("a time out of range"))?,
            so_far: input.signed()?,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::reading::AllowanceKind;

    #[test]
    fn what_was_packed_comes_back_and_damage_is_told() {
        let since = UnixTime::clamped(1_800_000_000);
        let of = |kind, hour, day| Busiest { kind, hour, day, since, so_far: 7 };
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
}
