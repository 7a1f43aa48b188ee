//! Packing readings: each is written as what differs from the one before it, so that an hour in which only some data was
//! used takes one or two bytes. `history` and every replay read through this one file.
//!
//! A record begins with one byte. Below 128 it says how the time since the reading before differs from the last such
//! time (bits 4 to 6) and how much the leading allowance fell (bits 0 to 3). From 128 on its bits name the parts that
//! follow whole. A reading that makes no sense is kept with its oddity; the next one is still measured against the last
//! that did. The codes of words are their places in the lists of `words`.

use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Oddity, Reading, Renewable};
use crate::domain::time::{End, UnixTime};

pub use super::bytes::Damaged;
use super::bytes::{Input, VERSION, put_allowance, put_end, put_names, put_oddity, signed, unit_of, unsigned};
use super::words::Word;

/// A reading of the past, and what was odd about it, if anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// The reading.
    pub reading: Reading,
    /// Why it was not acted upon.
    pub odd: Option<Oddity>,
}

impl Past {
    /// A reading that makes sense.
    #[must_use]
    pub const fn sound(reading: Reading) -> Self {
        Self { reading, odd: None }
    }
}

/// Marks a record whose parts follow whole.
const GENERAL: u8 = 0x80;
const ODD: u8 = 0x01;
const STATES: u8 = 0x02;
const LAG: u8 = 0x04;
const ALLOWANCES: u8 = 0x08;
const AMOUNTS: u8 = 0x10;
const ENDS: u8 = 0x20;
const NAMES: u8 = 0x40;
/// Time codes 0 to 6 stand for a difference of -3 to 3 seconds; this one for a number that follows.
const TIME_FOLLOWS: u8 = 7;
/// Amount codes 0 to 13 stand for that many units used; these for a number of units or of single ones that follows.
const UNITS_FOLLOW: u8 = 14;
const AMOUNT_FOLLOWS: u8 = 15;
/// One reading, packed without another.
#[must_use]
pub fn pack_whole(reading: &Reading) -> Vec<u8> {
    let mut out = vec![VERSION];
    encode(&mut out, &origin(), 0, reading, None);
    out
}

/// The reverse of [`pack_whole`].
///
/// # Errors
/// If the bytes are none of its.
pub fn unpack_whole(packed: &[u8]) -> Result<Reading, Damaged> {
    let mut input = Input(packed);
    input.version()?;
    let mut base = origin();
    let decoded = decode(&mut input, &mut base, 0)?;
    if decoded.odd.is_some() || !input.0.is_empty() {
        return Err(Damaged("more than one reading"));
    }
    Ok(base)
}

/// Puts `past` in front of a `tail`, measured against the next newer reading that makes sense, if there is one.
#[must_use]
pub fn push_front(tail: &[u8], newer: Option<&Reading>, past: &Past) -> Vec<u8> {
    let mut out = Vec::with_capacity(tail.len() + 16);
    match newer {
        Some(newer) => encode(&mut out, newer, 0, &past.reading, past.odd),
        None => encode(&mut out, &origin(), 0, &past.reading, past.odd),
    }
    out.extend_from_slice(tail);
    out
}

/// The newest reading of a tail that makes sense.
///
/// # Errors
/// If the tail is damaged.
pub fn front_of_tail(tail: &[u8], newer: Option<&Reading>) -> Result<Option<Reading>, Damaged> {
    let mut input = Input(tail);
    let mut base = newer.cloned().unwrap_or_else(origin);
    while !input.0.is_empty() {
        if decode(&mut input, &mut base, 0)?.odd.is_none() {
            return Ok(Some(base));
        }
    }
    Ok(None)
}

/// All readings of a tail, newest first.
///
/// # Errors
/// If the tail is damaged.
pub fn unpack_tail(tail: &[u8], newer: Option<&Reading>) -> Result<Vec<Past>, Damaged> {
    let mut input = Input(tail);
    let mut base = newer.cloned().unwrap_or_else(origin);
    let mut found = Vec::new();
    while !input.0.is_empty() {
        let decoded = decode(&mut input, &mut base, 0)?;
        found.push(decoded.odd.unwrap_or_else(|| Past::sound(base.clone())));
    }
    Ok(found)
}

/// The readings of one month in the order in which they came, ready to take more.
#[derive(Clone, Debug)]
pub struct Month {
    bytes: Vec<u8>,
    base: Reading,
    step: i64,
    begun: bool,
}

impl Default for Month {
    fn default() -> Self {
        Self { bytes: vec![VERSION], base: origin(), step: 0, begun: false }
    }
}

impl Month {
    /// Reads a stored month; `each` is told of every reading in it.
    ///
    /// # Errors
    /// If the bytes are damaged; their checksum tells.
    pub fn unpack(packed: &[u8], mut each: impl FnMut(&Reading, Option<Oddity>)) -> Result<Self, Damaged> {
        let (body, sum) = packed.split_last_chunk::<4>().ok_or(Damaged("too short"))?;
        if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
            return Err(Damaged("the checksum does not hold"));
        }
        let mut month = Self { bytes: body.to_vec(), ..Self::default() };
        let mut input = Input(body);
        input.version()?;
        while !input.0.is_empty() {
            let decoded = decode(&mut input, &mut month.base, month.step)?;
            match decoded.odd {
                Some(odd) => each(&odd.reading, odd.odd),
                None => {
                    month.stepped(decoded.step);
                    each(&month.base, None);
                }
            }
        }
        Ok(month)
    }

    /// Adds a reading behind the others.
    pub fn push(&mut self, past: &Past) {
        encode(&mut self.bytes, &self.base, self.step, &past.reading, past.odd);
        if past.odd.is_none() {
            self.stepped(past.reading.read_at.since(self.base.read_at).0);
            self.base = past.reading.clone();
        }
    }

    /// The bytes to store.
    #[must_use]
    pub fn pack(mut self) -> Vec<u8> {
        let sum = crc32fast::hash(&self.bytes);
        self.bytes.extend_from_slice(&sum.to_le_bytes());
        self.bytes
    }

    /// The time since the epoch says nothing about the time between readings.
    fn stepped(&mut self, step: i64) {
        self.step = if self.begun { step } else { 0 };
        self.begun = true;
    }
}

/// What the first record is measured against.
fn origin() -> Reading {
    Reading::empty(UnixTime::MIN, CardState::Unknown)
}

fn encode(out: &mut Vec<u8>, base: &Reading, step: i64, reading: &Reading, odd: Option<Oddity>) {
    let time = reading.read_at.since(base.read_at).0 - step;
    let parts = differing(base, reading);
    let lead = lead_of(base);
    let only_lead = (parts & !AMOUNTS) == 0 && amounts_but(base, reading, lead);
    if odd.is_none() && only_lead {
        return compact(out, base, reading, time, lead);
    }
    out.push(GENERAL | parts | if odd.is_some() { ODD } else { 0 });
    signed(out, time);
    if let Some(odd) = odd {
        put_oddity(out, odd);
    }
    if parts & STATES != 0 {
        out.push(reading.state.code() | reading.renewable.code() << 4);
    }
    if parts & LAG != 0 {
        signed(out, lag(reading) - lag(base));
    }
    if parts & ALLOWANCES != 0 {
        unsigned(out, reading.allowances.len() as u64);
        for allowance in &reading.allowances {
            put_allowance(out, allowance, reading.read_at);
        }
    } else if parts & AMOUNTS != 0 {
        for (new, old) in reading.allowances.iter().zip(&base.allowances) {
            signed(out, new.remaining.wrapping_sub(old.remaining));
        }
    }
    if parts & ENDS != 0 {
        for (new, old) in ends(reading).into_iter().zip(ends(base)) {
            put_end(out, new, old.map_or(reading.read_at, |end| end.at));
        }
    }
    if parts & NAMES != 0 {
        put_names(out, reading);
    }
}

fn compact(out: &mut Vec<u8>, base: &Reading, reading: &Reading, time: i64, lead: Option<usize>) {
    let (amount, follows) = match lead {
        Some(lead) => amount_code(&base.allowances[lead], &reading.allowances[lead]),
        None => (0, None),
    };
    if (-3..=3).contains(&time) {
        // From 0 to 6.
        out.push(((time + 3) as u8) << 4 | amount);
    } else {
        out.push(TIME_FOLLOWS << 4 | amount);
        signed(out, time);
    }
    match follows {
        Some(Follows::Units(units)) => unsigned(out, units),
        Some(Follows::Amount(amount)) => signed(out, amount),
        None => {}
    }
}

/// What stands behind the first byte about the leading allowance.
enum Follows {
    Units(u64),
    Amount(i64),
}

fn amount_code(old: &Allowance, new: &Allowance) -> (u8, Option<Follows>) {
    let unit = unit_of(old);
    let used = old.remaining.checked_sub(new.remaining).filter(|used| *used >= 0 && used % unit == 0);
    match used.map(|used| (used / unit).unsigned_abs()) {
        // At most 13.
        Some(units) if units < u64::from(UNITS_FOLLOW) => (units as u8, None),
        Some(units) => (UNITS_FOLLOW, Some(Follows::Units(units))),
        None => (AMOUNT_FOLLOWS, Some(Follows::Amount(new.remaining.wrapping_sub(old.remaining)))),
    }
}

/// The allowance that changes most of the time: the first active one of data, or else the first of all.
fn lead_of(reading: &Reading) -> Option<usize> {
    let is_lead = |allowance: &Allowance| {
        allowance.kind == AllowanceKind::Data && allowance.state == AllowanceState::Active && !allowance.unlimited
    };
    let first = (!reading.allowances.is_empty()).then_some(0);
    reading.allowances.iter().position(is_lead).or(first)
}

fn lag(reading: &Reading) -> i64 {
    reading.read_at.since(reading.as_of).0
}

fn ends(reading: &Reading) -> [Option<End>; 3] {
    [reading.plan_ends, reading.credit_ends, reading.number_ends]
}

fn differing(base: &Reading, reading: &Reading) -> u8 {
    let mut parts = 0;
    let mut mark = |differs: bool, part: u8| parts |= if differs { part } else { 0 };
    mark(base.state != reading.state || base.renewable != reading.renewable, STATES);
    mark(lag(base) != lag(reading), LAG);
    mark(ends(base) != ends(reading), ENDS);
    mark(base.assets != reading.assets || base.plan != reading.plan, NAMES);
    let same_kinds = base.allowances.len() == reading.allowances.len()
        && base.allowances.iter().zip(&reading.allowances).all(|(old, new)| same_but_amount(old, new));
    mark(!same_kinds, ALLOWANCES);
    mark(same_kinds && !amounts_but(base, reading, None), AMOUNTS);
    parts
}

fn same_but_amount(old: &Allowance, new: &Allowance) -> bool {
    (old.kind, old.total, old.unlimited, old.state, old.starts, old.ends)
        == (new.kind, new.total, new.unlimited, new.state, new.starts, new.ends)
}

/// Whether all amounts are the same, but for the one at `except`.
fn amounts_but(base: &Reading, reading: &Reading, except: Option<usize>) -> bool {
    let pairs = base.allowances.iter().zip(&reading.allowances).enumerate();
    pairs.filter(|(place, _)| Some(*place) != except).all(|(_, (old, new))| old.remaining == new.remaining)
}

/// What a record held, beside the change of the base.
struct Decoded {
    /// Seconds since the base, if the record became the base.
    step: i64,
    /// A reading that makes no sense leaves the base as it is.
    odd: Option<Past>,
}

fn decode(input: &mut Input<'_>, base: &mut Reading, step: i64) -> Result<Decoded, Damaged> {
    let head = input.byte()?;
    if head & GENERAL == 0 {
        let step = decode_compact(input, base, step, head)?;
        return Ok(Decoded { step, odd: None });
    }
    let step = step.checked_add(input.signed()?).ok_or(Damaged("a time out of range"))?;
    if head & ODD == 0 {
        decode_parts(input, base, step, head)?;
        return Ok(Decoded { step, odd: None });
    }
    let oddity = input.oddity()?;
    let mut reading = base.clone();
    decode_parts(input, &mut reading, step, head)?;
    Ok(Decoded { step: 0, odd: Some(Past { reading, odd: Some(oddity) }) })
}

fn decode_compact(input: &mut Input<'_>, base: &mut Reading, step: i64, head: u8) -> Result<i64, Damaged> {
    let time = match head >> 4 {
        TIME_FOLLOWS => input.signed()?,
        code => i64::from(code) - 3,
    };
    let step = step.checked_add(time).ok_or(Damaged("a time out of range"))?;
    let lead = lead_of(base);
    let amount = head & 0x0f;
    let used = match amount {
        AMOUNT_FOLLOWS => None,
        UNITS_FOLLOW => Some(input.unsigned()?),
        units => Some(u64::from(units)),
    };
    let change = if used.is_none() { input.signed()? } else { 0 };
    match lead.and_then(|lead| base.allowances.get_mut(lead)) {
        Some(allowance) => {
            let fall = match used {
                Some(units) => i64::try_from(units).ok().and_then(|units| units.checked_mul(unit_of(allowance))),
                None => Some(change.wrapping_neg()),
            };
            let fall = fall.ok_or(Damaged("an amount out of range"))?;
            allowance.remaining = allowance.remaining.wrapping_sub(fall);
        }
        None if used == Some(0) => {}
        None => return Err(Damaged("an amount of nothing")),
    }
    move_to(base, step, lag(base))?;
    Ok(step)
}

fn decode_parts(input: &mut Input<'_>, base: &mut Reading, step: i64, parts: u8) -> Result<(), Damaged> {
    if parts & STATES != 0 {
        let codes = input.byte()?;
        base.state = CardState::of_code(codes & 0x0f).ok_or(Damaged("an unknown state"))?;
        base.renewable = Renewable::of_code(codes >> 4).ok_or(Damaged("an unknown state"))?;
    }
    let lag_before = lag(base);
    let change = if parts & LAG != 0 { input.signed()? } else { 0 };
    let lag_now = lag_before.checked_add(change).ok_or(Damaged("a time out of range"))?;
    move_to(base, step, lag_now)?;
    if parts & ALLOWANCES != 0 {
        base.allowances = input.allowances(base.read_at)?;
    } else if parts & AMOUNTS != 0 {
        for allowance in &mut base.allowances {
            allowance.remaining = allowance.remaining.wrapping_add(input.signed()?);
        }
    }
    if parts & ENDS != 0 {
        let mut new = [None; 3];
        for (place, old) in ends(base).into_iter().enumerate() {
            new[place] = input.end(old.map_or(base.read_at, |end| end.at))?;
        }
        [base.plan_ends, base.credit_ends, base.number_ends] = new;
    }
    if parts & NAMES != 0 {
        let count = input.count()?;
        base.assets = (0..count).map(|_| input.text()).collect::<Result<_, _>>()?;
        base.plan = if input.byte()? == 0 { None } else { Some(input.text()?) };
    }
    Ok(())
}

fn move_to(base: &mut Reading, step: i64, lag: i64) -> Result<(), Damaged> {
    let at = |from: UnixTime, by: i64| {
        from.secs().checked_add(by).and_then(UnixTime::new).ok_or(Damaged("a time out of range"))
    };
    base.read_at = at(base.read_at, step)?;
    base.as_of = at(base.read_at, lag.checked_neg().ok_or(Damaged("a time out of range"))?)?;
    Ok(())
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
