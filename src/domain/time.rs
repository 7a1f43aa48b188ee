//! Time as the daemon counts it: whole UTC seconds, lengths in seconds, ends that may be known to the day only,
//! and local hours in a named zone. Nothing here asks a clock; `now` always comes in from outside.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan, Zoned};
use serde::{Deserialize, Serialize};

/// An instant: whole seconds since 1970-01-01T00:00:00Z, between that and the end of year 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// 9999-12-30T00:00:00Z: two days short of the calendar's end, so that every zone can still show it.
    pub const MAX: Self = Self(253_402_128_000);

    /// The instant `secs` after the epoch, if it lies between [`MIN`](Self::MIN) and [`MAX`](Self::MAX).
    #[must_use]
    pub const fn new(secs: i64) -> Option<Self> {
        if secs >= Self::MIN.0 && secs <= Self::MAX.0 { Some(Self(secs)) } else { None }
    }

    /// The instant `secs` after the epoch, moved to the nearest one that can be told.
    #[must_use]
    pub const fn clamped(secs: i64) -> Self {
        if secs < Self::MIN.0 {
            Self::MIN
        } else if secs > Self::MAX.0 {
            Self::MAX
        } else {
            Self(secs)
        }
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0
    }

    /// This instant moved by `length`, which may be negative; stops at the bounds.
    #[must_use]
    pub const fn plus(self, length: Secs) -> Self {
        Self::clamped(self.0.saturating_add(length.0))
    }

    /// This instant moved back by `length`; stops at the bounds.
    #[must_use]
    pub const fn minus(self, length: Secs) -> Self {
        Self::clamped(self.0.saturating_sub(length.0))
    }

    /// The next instant after this that is a whole number of `length` after the epoch.
    #[must_use]
    pub fn next_multiple(self, length: Secs) -> Self {
        let length = length.0.max(1);
        Self::clamped((self.0 / length).saturating_add(1).saturating_mul(length))
    }

    /// How long after `earlier` this is; negative if it is before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Secs {
        Secs(self.0 - earlier.0)
    }

    /// The wall clock of `zone` at this instant.
    #[must_use]
    pub fn in_zone(self, zone: &TimeZone) -> Zoned {
        // Every value between MIN and MAX is inside jiff's range, so the fallback is never taken.
        Timestamp::from_second(self.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone())
    }

    /// The calendar day in `zone` at this instant.
    #[must_use]
    pub fn date_in(self, zone: &TimeZone) -> Date {
        self.in_zone(zone).date()
    }

    /// Reads RFC 3339, such as `2026-12-01T08:00:00Z`; parts of a second are dropped.
    ///
    /// # Errors
    /// Says what is wrong with the text, or that the year is out of range.
    pub fn parse(text: &str) -> Result<Self, String> {
        let stamp: Timestamp =
            text.parse().map_err(|_| format!("`{text}` is not a time such as 2026-12-01T08:00:00Z"))?;
        Self::new(stamp.as_second()).ok_or_else(|| format!("`{text}` lies outside the years 1970 to 9999"))
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Timestamp::from_second(self.0).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

impl fmt::Debug for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for UnixTime {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UnixTime {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A length of time in whole seconds. In files: a whole number and one of `s m h d w`, such as `36h` or `14d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Secs(pub i64);

impl Secs {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// One minute.
    pub const MINUTE: Self = Self(60);
    /// One hour.
    pub const HOUR: Self = Self(3_600);
    /// A day of 24 hours.
    pub const DAY: Self = Self(86_400);
    /// The longest length a file may state: 100 years of 365 days.
    pub const LONGEST: Self = Self(36_500 * 86_400);

    /// `n` minutes.
    #[must_use]
    pub const fn minutes(n: i64) -> Self {
        Self(n.saturating_mul(60))
    }

    /// `n` hours.
    #[must_use]
    pub const fn hours(n: i64) -> Self {
        Self(n.saturating_mul(3_600))
    }

    /// `n` days of 24 hours.
    #[must_use]
    pub const fn days(n: i64) -> Self {
        Self(n.saturating_mul(86_400))
    }

    /// Reads `36h`, `90m`, `14d`, `2w`, `30s`.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a length of time; write a whole number and s, m, h, d or w, such as \"36h\" or \"14d\""
            )
        };
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at(unit_at);
        let factor = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return Err(wrong()),
        };
        let count: i64 = number.parse().map_err(|_| wrong())?;
        match count.checked_mul(factor) {
            Some(secs) if secs <= Self::LONGEST.0 => Ok(Self(secs)),
            _ => Err(format!("`{text}` is longer than 100 years")),
        }
    }
}

impl fmt::Display for Secs {
    /// The largest unit that divides the length, as a file would have it: `36h`, `14d`, `90s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0;
        match secs {
            0 => write!(f, "0s"),
            _ if secs % 86_400 == 0 => write!(f, "{}d", secs / 86_400),
            _ if secs % 3_600 == 0 => write!(f, "{}h", secs / 3_600),
            _ if secs % 60 == 0 => write!(f, "{}m", secs / 60),
            _ => write!(f, "{secs}s"),
        }
    }
}

impl Serialize for Secs {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Secs {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// How exactly an operator stated an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// A date and a time.
    Second,
    /// A date only: the end is the first instant after that day in the operator's zone.
    Day,
}

/// When something ends: the first instant at which it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct End {
    /// The first instant after the end.
    pub at: UnixTime,
    /// Whether the operator told a time or a day.
    pub precision: Precision,
}

impl End {
    /// An end stated with its time.
    #[must_use]
    pub const fn at(at: UnixTime) -> Self {
        Self { at, precision: Precision::Second }
    }

    /// An end stated as a day in the operator's `zone`: it is over when that day is.
    #[must_use]
    pub fn on(day: Date, zone: &TimeZone) -> Self {
        Self { at: day_after(day, zone), precision: Precision::Day }
    }

    /// How long is left at `now`; negative once it is over.
    #[must_use]
    pub const fn left(self, now: UnixTime) -> Secs {
        self.at.since(now)
    }
}

/// The first instant after `day` in `zone`.
#[must_use]
pub fn day_after(day: Date, zone: &TimeZone) -> UnixTime {
    let next = day.checked_add(1.day()).unwrap_or(Date::MAX);
    first_instant(next.at(0, 0, 0, 0), zone)
}

/// The first instant of `day` in `zone`.
#[must_use]
pub fn day_start(day: Date, zone: &TimeZone) -> UnixTime {
    first_instant(day.at(0, 0, 0, 0), zone)
}

/// The instant of a wall-clock time: in a gap the first instant after it, in an overlap the first of the two.
#[must_use]
pub fn first_instant(wall: DateTime, zone: &TimeZone) -> UnixTime {
    let ambiguous = zone.to_ambiguous_timestamp(wall);
    let stamp = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall).ok(),
        AmbiguousOffset::Gap { before, after } => {
            // Read with the later offset the wall time lies before the change; the change is the next one.
            let early = after.to_timestamp(wall).or_else(|_| before.to_timestamp(wall)).ok();
            early.map(|early| zone.following(early).next().map_or(early, |change| change.timestamp()))
        }
    };
    stamp.map_or(UnixTime::MAX, |stamp| UnixTime::clamped(stamp.as_second()))
}

/// Hours of the day in some zone, such as `01:00-06:00` or, over midnight, `22:00-07:00`. The end is not inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalHours {
    from_minute: i16,
    to_minute: i16,
}

impl LocalHours {
    /// Reads `HH:MM-HH:MM`; `24:00` is allowed as an end.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a span of hours; write \"01:00-06:00\" (24-hour clock)");
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let (from_minute, to_minute) = (minute_of_day(from).ok_or_else(wrong)?, minute_of_day(to).ok_or_else(wrong)?);
        if from_minute == 1_440 {
            return Err(wrong());
        }
        if from_minute == to_minute {
            return Err(format!("`{text}` begins and ends at the same minute; for the whole day leave the key out"));
        }
        Ok(Self { from_minute, to_minute })
    }

    /// Whether `now` is inside, by the wall clock of `zone`.
    #[must_use]
    pub fn contains(self, now: UnixTime, zone: &TimeZone) -> bool {
        let today = now.date_in(zone);
        let yesterday = today.yesterday().unwrap_or(today);
        [yesterday, today].into_iter().any(|day| {
            let (opens, closes) = self.span_on(day, zone);
            opens <= now && now < closes
        })
    }

    /// `now` if it is inside, else the next instant at which the hours begin.
    #[must_use]
    pub fn next_open(self, now: UnixTime, zone: &TimeZone) -> UnixTime {
        if self.contains(now, zone) {
            return now;
        }
        let today = now.date_in(zone);
        let tomorrow = today.tomorrow().unwrap_or(today);
        [today, tomorrow]
            .into_iter()
            .map(|day| self.span_on(day, zone).0)
            .find(|opens| *opens > now)
            .unwrap_or(UnixTime::MAX)
    }

    /// `at` if it is inside, else the last instant before it that is.
    #[must_use]
    pub fn last_open(self, at: UnixTime, zone: &TimeZone) -> UnixTime {
        if self.contains(at, zone) {
            return at;
        }
        let today = at.date_in(zone);
        let yesterday = today.yesterday().unwrap_or(today);
        let days = [yesterday.yesterday().unwrap_or(yesterday), yesterday, today];
        let closes = days.into_iter().map(|day| self.span_on(day, zone).1.minus(Secs(1)));
        closes.filter(|last| *last < at).max().unwrap_or(UnixTime::MIN)
    }

    /// `now` if it is outside, else the instant at which the present span ends.
    #[must_use]
    pub fn next_close(self, now: UnixTime, zone: &TimeZone) -> UnixTime {
        let today = now.date_in(zone);
        let yesterday = today.yesterday().unwrap_or(today);
        [yesterday, today]
            .into_iter()
            .map(|day| self.span_on(day, zone))
            .find(|(opens, closes)| *opens <= now && now < *closes)
            .map_or(now, |(_, closes)| closes)
    }

    /// The span that begins on `day`. A day whose hours fall into the summer-time gap keeps their length.
    fn span_on(self, day: Date, zone: &TimeZone) -> (UnixTime, UnixTime) {
        let opens = first_instant(wall_time(day, self.from_minute), zone);
        let last_day = if self.to_minute > self.from_minute { day } else { day.tomorrow().unwrap_or(day) };
        let closes = first_instant(wall_time(last_day, self.to_minute), zone);
        if closes > opens {
            return (opens, closes);
        }
        (opens, opens.plus(Secs::minutes(i64::from((self.to_minute - self.from_minute).rem_euclid(1_440)))))
    }
}

impl fmt::Display for LocalHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |minute: i16| format!("{:02}:{:02}", minute / 60, minute % 60);
        write!(f, "{}-{}", clock(self.from_minute), clock(self.to_minute))
    }
}

/// The wall-clock time `minute` minutes into `day`; 1440 is midnight at its end.
fn wall_time(day: Date, minute: i16) -> DateTime {
    if minute >= 1_440 {
        return day.tomorrow().unwrap_or(day).at(0, 0, 0, 0);
    }
    // A minute below 1440 always splits into an hour below 24 and a minute below 60.
    day.at((minute / 60) as i8, (minute % 60) as i8, 0, 0)
}

fn minute_of_day(text: &str) -> Option<i16> {
    let (hour, minute) = text.trim().split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (i16, i16) = (hour.parse().ok()?, minute.parse().ok()?);
    let total = hour * 60 + minute;
    (hour >= 0 && (0..60).contains(&minute) && total <= 1_440).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixTime {
        UnixTime::parse(text).unwrap()
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[test]
    fn an_instant_stops_at_its_bounds() {
        assert_eq!(UnixTime::new(-1), None);
        assert_eq!(UnixTime::new(0), Some(UnixTime::MIN));
        assert_eq!(UnixTime::new(UnixTime::MAX.secs() + 1), None);
        assert_eq!(UnixTime::MAX.plus(Secs::DAY), UnixTime::MAX);
        assert_eq!(UnixTime::MIN.minus(Secs(i64::MAX)), UnixTime::MIN);
        assert_eq!(UnixTime::MAX.plus(Secs(i64::MAX)), UnixTime::MAX);
        assert_eq!(UnixTime::MAX.to_string(), "9999-12-30T00:00:00Z");
        assert!(UnixTime::parse("1969-12-31T23:59:59Z").is_err());
    }

    #[test]
    fn lengths_are_strict_and_say_what_would_be_right() {
        for (text, secs) in
            [("30s", 30), ("90m", 5_400), ("36h", 129_600), ("14d", 1_209_600), ("2w", 1_209_600), ("0d", 0)]
        {
            assert_eq!(Secs::parse(text).unwrap(), Secs(secs), "{text}");
        }
        for text in ["", "36", "36 h", "1.5h", "1month", "-1d", "36H", "1h30m", "9999999999999999999d", "36501d"] {
            assert!(Secs::parse(text).is_err(), "{text}");
        }
        assert_eq!(Secs::hours(36).to_string(), "36h");
        assert_eq!(Secs::days(14).to_string(), "14d");
    }

    #[test]
    fn a_day_ends_where_the_operator_is() {
        let toronto = zone("America/Toronto");
        assert_eq!(End::on(jiff::civil::date(2026, 12, 20), &toronto).at, at("2026-12-21T05:00:00Z"));
        assert_eq!(End::on(jiff::civil::date(2026, 12, 31), &TimeZone::UTC).at, at("2027-01-01T00:00:00Z"));
        assert_eq!(End::on(jiff::civil::date(2028, 2, 29), &TimeZone::UTC).at, at("2028-03-01T00:00:00Z"));
        assert_eq!(End::on(jiff::civil::date(9999, 12, 31), &TimeZone::UTC).at, UnixTime::MAX);
    }

    #[test]
    fn hours_wrap_midnight_and_leave_out_their_end() {
        let hours = LocalHours::parse("22:00-07:00").unwrap();
        for (now, inside) in [
            ("2026-06-01T21:59:59Z", false),
            ("2026-06-01T22:00:00Z", true),
            ("2026-06-02T00:00:00Z", true),
            ("2026-06-02T06:59:59Z", true),
            ("2026-06-02T07:00:00Z", false),
        ] {
            assert_eq!(hours.contains(at(now), &TimeZone::UTC), inside, "{now}");
        }
        assert_eq!(hours.next_open(at("2026-06-01T12:00:00Z"), &TimeZone::UTC), at("2026-06-01T22:00:00Z"));
        assert_eq!(hours.next_close(at("2026-06-01T23:00:00Z"), &TimeZone::UTC), at("2026-06-02T07:00:00Z"));
        for text in ["", "1:00-6:00", "01:00", "24:00-01:00", "01:00-25:00", "01:60-02:00", "05:00-05:00"] {
            assert!(LocalHours::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn multiples_are_counted_from_the_epoch() {
        let at = |secs| UnixTime::clamped(secs);
        let quarter = Secs::minutes(15);
        for (from, next) in [(0, 900), (1, 900), (899, 900), (900, 1_800)] {
            assert_eq!(at(from).next_multiple(quarter), at(next), "{from}");
        }
        assert_eq!(UnixTime::MAX.next_multiple(quarter), UnixTime::MAX);
    }

    #[test]
    fn the_spring_gap_moves_hours_to_its_end_and_the_autumn_overlap_takes_the_first() {
        let toronto = zone("America/Toronto");
        // 2027-03-14: 02:00 EST becomes 03:00 EDT at 07:00Z.
        let hours = LocalHours::parse("02:15-02:45").unwrap();
        assert_eq!(hours.next_open(at("2027-03-14T05:30:00Z"), &toronto), at("2027-03-14T07:00:00Z"));
        assert!(hours.contains(at("2027-03-14T07:10:00Z"), &toronto));
        assert!(!hours.contains(at("2027-03-14T07:30:00Z"), &toronto));
        // 2026-11-01: 02:00 EDT becomes 01:00 EST; 01:30 happens at 05:30Z and 06:30Z.
        let hours = LocalHours::parse("01:30-04:00").unwrap();
        assert_eq!(hours.next_open(at("2026-11-01T04:00:00Z"), &toronto), at("2026-11-01T05:30:00Z"));
    }
}
