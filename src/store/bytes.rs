//! The bytes of packed readings: numbers, texts, ends and allowances, written and read back with every bound checked.

use super::words::Word;
use crate::domain::money::Currency;
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, EndKind, Oddity, Reading};
use crate::domain::time::{End, Precision, UnixTime};

/// The first byte of a month or of a whole reading: the version of this form.
pub(super) const VERSION: u8 = 1;
/// Packed bytes that do not mean anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("packed readings are damaged: {0}")]
pub struct Damaged(pub(super) &'static str);

/// Operators round to these; the largest that fits both numbers of an allowance is used.
const UNITS: [i64; 4] = [1 << 20, 1_000_000, 1 << 10, 1_000];

/// The unit in which an allowance's numbers are counted.
pub(super) fn unit_of(allowance: &Allowance) -> i64 {
    let fits = |unit: i64| allowance.remaining % unit == 0 && allowance.total.is_none_or(|total| total % unit == 0);
    UNITS.into_iter().find(|unit| fits(*unit)).unwrap_or(1)
}

pub(super) fn put_allowance(out: &mut Vec<u8>, allowance: &Allowance, read_at: UnixTime) {
    put_kind(out, allowance.kind);
    let has = |some: bool, bit: u8| if some { bit } else { 0 };
    out.push(
        allowance.state.code()
            | has(allowance.unlimited, 0x10)
            | has(allowance.total.is_some(), 0x20)
            | has(allowance.starts.is_some(), 0x40)
            | has(allowance.ends.is_some(), 0x80),
    );
    signed(out, allowance.remaining);
    if let Some(total) = allowance.total {
        signed(out, total);
    }
    if let Some(starts) = allowance.starts {
        signed(out, starts.since(read_at).0);
    }
    if allowance.ends.is_some() {
        put_end(out, allowance.ends, read_at);
    }
}

pub(super) fn put_kind(out: &mut Vec<u8>, kind: AllowanceKind) {
    match kind {
        AllowanceKind::Data => out.push(0),
        AllowanceKind::Voice => out.push(1),
        AllowanceKind::Sms => out.push(2),
        AllowanceKind::Credit(currency) => {
            out.push(3);
            out.extend_from_slice(currency.code().as_bytes());
        }
    }
}

pub(super) fn put_end(out: &mut Vec<u8>, end: Option<End>, near: UnixTime) {
    let Some(end) = end else { return out.push(0) };
    out.push(match end.precision {
        Precision::Second => 1,
        Precision::Day => 2,
    });
    signed(out, end.at.since(near).0);
}

pub(super) fn put_names(out: &mut Vec<u8>, reading: &Reading) {
    unsigned(out, reading.assets.len() as u64);
    for asset in &reading.assets {
        put_text(out, asset);
    }
    match &reading.plan {
        None => out.push(0),
        Some(plan) => {
            out.push(1);
            put_text(out, plan);
        }
    }
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    unsigned(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn put_oddity(out: &mut Vec<u8>, odd: Oddity) {
    match odd {
        Oddity::Negative(kind) => {
            out.push(0);
            put_kind(out, kind);
        }
        Oddity::MoreThanTotal(kind) => {
            out.push(1);
            put_kind(out, kind);
        }
        Oddity::FarEnd(end) => out.extend([2, end.code()]),
        Oddity::ShrinkingEnd(end) => out.extend([3, end.code()]),
        Oddity::FromTheFuture => out.push(4),
        Oddity::OlderThanBefore => out.push(5),
        Oddity::MissingEnd(end) => out.extend([6, end.code()]),
    }
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
pub(super) fn unsigned(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        // The lowest seven bits.
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Small numbers of either sign become small ones without: 0, -1, 1, -2, 2.
pub(super) fn signed(out: &mut Vec<u8>, number: i64) {
    unsigned(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Bytes that are still to be read.
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl Input<'_> {
    pub(super) fn byte(&mut self) -> Result<u8, Damaged> {
        let (first, rest) = self.0.split_first().ok_or(Damaged("it ends too soon"))?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn version(&mut self) -> Result<(), Damaged> {
        if self.byte()? == VERSION { Ok(()) } else { Err(Damaged("an unknown version")) }
    }

    pub(super) fn unsigned(&mut self) -> Result<u64, Damaged> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged("a number out of range"))
    }

    pub(super) fn signed(&mut self) -> Result<i64, Damaged> {
        let number = self.unsigned()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    /// How many things follow: each takes a byte at least, so no damage makes us reserve much.
    pub(super) fn count(&mut self) -> Result<usize, Damaged> {
        let count = usize::try_from(self.unsigned()?).map_err(|_| Damaged("a number out of range"))?;
        if count <= self.0.len() { Ok(count) } else { Err(Damaged("it ends too soon")) }
    }

    pub(super) fn text(&mut self) -> Result<String, Damaged> {
        let length = self.count()?;
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        std::str::from_utf8(text).map(str::to_owned).map_err(|_| Damaged("a text that is none"))
    }

    pub(super) fn time_near(&mut self, near: UnixTime) -> Result<UnixTime, Damaged> {
        let by = self.signed()?;
        near.secs().checked_add(by).and_then(UnixTime::new).ok_or(Damaged("a time out of range"))
    }

    pub(super) fn end(&mut self, near: UnixTime) -> Result<Option<End>, Damaged> {
        let precision = match self.byte()? {
            0 => return Ok(None),
            1 => Precision::Second,
            2 => Precision::Day,
            _ => return Err(Damaged("an unknown end")),
        };
        Ok(Some(End { at: self.time_near(near)?, precision }))
    }

    pub(super) fn kind(&mut self) -> Result<AllowanceKind, Damaged> {
        Ok(match self.byte()? {
            0 => AllowanceKind::Data,
            1 => AllowanceKind::Voice,
            2 => AllowanceKind::Sms,
            3 => {
                let letters = [self.byte()?, self.byte()?, self.byte()?];
                let code = std::str::from_utf8(&letters).map_err(|_| Damaged("an unknown currency"))?;
                AllowanceKind::Credit(Currency::parse(code).map_err(|_| Damaged("an unknown currency"))?)
            }
            _ => return Err(Damaged("an unknown allowance")),
        })
    }

    pub(super) fn allowances(&mut self, read_at: UnixTime) -> Result<Vec<Allowance>, Damaged> {
        let count = self.count()?;
        (0..count).map(|_| self.allowance(read_at)).collect()
    }

    pub(super) fn allowance(&mut self, read_at: UnixTime) -> Result<Allowance, Damaged> {
        let kind = self.kind()?;
        let flags = self.byte()?;
        Ok(Allowance {
            kind,
            remaining: self.signed()?,
            total: if flags & 0x20 != 0 { Some(self.signed()?) } else { None },
            unlimited: flags & 0x10 != 0,
            state: AllowanceState::of_code(flags & 0x0f).ok_or(Damaged("an unknown state"))?,
            starts: if flags & 0x40 != 0 { Some(self.time_near(read_at)?) } else { None },
            ends: if flags & 0x80 != 0 { self.end(read_at)? } else { None },
        })
    }

    pub(super) fn oddity(&mut self) -> Result<Oddity, Damaged> {
        let end = |input: &mut Self| EndKind::of_code(input.byte()?).ok_or(Damaged("an unknown end"));
        Ok(match self.byte()? {
            0 => Oddity::Negative(self.kind()?),
            1 => Oddity::MoreThanTotal(self.kind()?),
            2 => Oddity::FarEnd(end(self)?),
            3 => Oddity::ShrinkingEnd(end(self)?),
            4 => Oddity::FromTheFuture,
            5 => Oddity::OlderThanBefore,
            6 => Oddity::MissingEnd(end(self)?),
            _ => return Err(Damaged("an unknown oddity")),
        })
    }
}
