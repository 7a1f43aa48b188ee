//! Values out of bytes, for properties whose input has no text of its own. Where the bytes end, zeros follow.

use jiff::tz::TimeZone;

/// Bytes that are still to be used.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Bytes<'_> {
    /// One byte.
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Whether the next byte is odd.
    pub(crate) fn bit(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Any number; small ones and the limits come often.
    pub(crate) fn number(&mut self) -> i64 {
        match self.byte() % 8 {
            0 => i64::from(self.byte()),
            1 => -i64::from(self.byte()),
            2 => i64::MAX - i64::from(self.byte()),
            3 => i64::MIN + i64::from(self.byte()),
            4 => i64::from(self.byte()) * 1_000_000,
            _ => (0..8).fold(0, |number, _| number << 8 | i64::from(self.byte())),
        }
    }

    /// One of these.
    pub(crate) fn one_of<T: Clone>(&mut self, these: &[T]) -> T {
        these[usize::from(self.byte()) % these.len()].clone()
    }

    /// Something, or nothing.
    pub(crate) fn perhaps<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.bit().then(|| make(self))
    }

    /// A text of at most 255 bytes.
    pub(crate) fn text(&mut self) -> String {
        let length = usize::from(self.byte()).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }
}

/// Zones whose clocks did everything that clocks do: no change, changes by an hour and by half of one, changes at
/// midnight, days that never were.
pub(crate) fn zones() -> Vec<TimeZone> {
    let names = [
        "UTC",
        "America/Toronto",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Pacific/Apia",
        "Africa/Cairo",
        "Asia/Kathmandu",
        "Africa/Monrovia",
        "Pacific/Kwajalein",
    ];
    names.into_iter().map(|name| TimeZone::get(name).unwrap_or(TimeZone::UTC)).collect()
}
