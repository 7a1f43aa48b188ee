//! Amounts of data in bytes, and shares of an allowance in percent.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of data in bytes. In files: a number, a space, and a unit written exactly as one of
/// `B kB MB GB TB` (powers of 1000) or `KiB MiB GiB TiB` (powers of 1024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DataSize(pub u64);

/// Units as written, largest first within their kind.
const UNITS: [(&str, u64); 9] = [
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
];

impl DataSize {
    /// Reads `500 MB` or `1.5 GB`.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not an amount of data; write a number, a space and MB or GB (MiB, GiB for powers of 1024), such as \"500 MB\""
            )
        };
        let (number, unit) = match text.split_once(' ') {
            Some(parts) => parts,
            None => return Err(Self::hint_without_space(text).unwrap_or_else(wrong)),
        };
        if number.contains(',') {
            return Err(format!("`{text}` has a comma; write \"{} {unit}\"", number.replace(',', ".")));
        }
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(match UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) {
                Some((name, _)) => format!("`{text}`: the unit is written `{name}`; write \"{number} {name}\""),
                None => wrong(),
            });
        };
        bytes_of(number, *factor).map(Self).ok_or_else(wrong)
    }

    fn hint_without_space(text: &str) -> Option<String> {
        let at = text.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, unit) = text.split_at(at);
        let (name, factor) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
        bytes_of(number, *factor)?;
        Some(format!("`{text}` needs a space before the unit; write \"{number} {name}\""))
    }

    /// The amount in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

/// `number` (digits, at most one point) times `factor`, if that is a whole number of bytes that can be held.
fn bytes_of(number: &str, factor: u64) -> Option<u64> {
    let (whole, after) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || !digits(whole)
        || !digits(after)
        || (number.contains('.') && after.is_empty())
        || after.len() > 9
    {
        return None;
    }
    let mut scale: u128 = 1;
    let mut value: u128 = whole.parse().ok()?;
    for digit in after.bytes() {
        scale *= 10;
        value = value.checked_mul(10)?.checked_add(u128::from(digit - b'0'))?;
    }
    let scaled = value.checked_mul(u128::from(factor))?;
    (scaled % scale == 0).then(|| u64::try_from(scaled / scale).ok()).flatten()
}

impl fmt::Display for DataSize {
    /// At most two places in the largest decimal unit, as people read it: `1.5 GB`, `348 MB`; cut, never rounded up,
    /// so that what is shown is never more than what is there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, factor) = UNITS[..5].iter().find(|(_, factor)| self.0 >= *factor).unwrap_or(&("B", 1));
        let hundredths = (u128::from(self.0) * 100 / u128::from(*factor)) as u64;
        match (hundredths / 100, hundredths % 100) {
            (whole, 0) => write!(f, "{whole} {name}"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{} {name}", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02} {name}"),
        }
    }
}

impl Serialize for DataSize {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for DataSize {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        u64::deserialize(input).map(Self)
    }
}

/// A whole percentage. In files: `"20%"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(pub u32);

impl Percent {
    /// Reads `20%`, from 0 to `largest`.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str, largest: u32) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a percentage from 0% to {largest}%, such as \"20%\"");
        let number = text.strip_suffix('%').ok_or_else(wrong)?;
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        match number.parse() {
            Ok(percent) if percent <= largest => Ok(Self(percent)),
            _ => Err(wrong()),
        }
    }
}

impl Serialize for Percent {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Self::parse(&text, u32::MAX).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_strict() {
        assert_eq!(DataSize::parse("500 MB").unwrap().0, 500_000_000);
        assert_eq!(DataSize::parse("1.5 GB").unwrap().0, 1_500_000_000);
        assert_eq!(DataSize::parse("3 GiB").unwrap().0, 3 << 30);
        assert_eq!(DataSize::parse("0 B").unwrap().0, 0);
        for (text, hint) in [
            ("500 mb", "500 MB"),
            ("1,5 GB", "1.5 GB"),
            ("500MB", "500 MB"),
            ("5", "such as"),
            ("-5 MB", "such as"),
            ("1.5 B", "such as"),
            ("500 m", "such as"),
            ("18446744073709551616 B", "such as"),
            ("1. GB", "such as"),
        ] {
            let error = DataSize::parse(text).unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn sizes_read_well_and_never_round_up() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (348_000_000, "348 MB"),
            (1_500_000_000, "1.5 GB"),
            (1_999_999_999, "1.99 GB"),
            (u64::MAX, "18446744.07 TB"),
        ] {
            assert_eq!(DataSize(bytes).to_string(), text);
        }
    }

    #[test]
    fn percentages() {
        assert_eq!(Percent::parse("20%", 100).unwrap(), Percent(20));
        for text in ["20", "101%", "%", "-1%", "2.5%", "+5%"] {
            assert!(Percent::parse(text, 100).is_err(), "{text}");
        }
    }
}
