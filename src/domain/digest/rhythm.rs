//! When digests are wanted: each day, a day of each week, or a day of each month, by the reader's clock.

use std::fmt::{self, Display, Formatter};

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::domain::time::{UnixTime, first_instant};

/// No digest is further from the next: a month, and the days by which two of them differ.
const LONGEST_DAYS: i32 = 62;
/// The hour if none is said: when people begin their day.
const USUAL: (i8, i8) = (8, 0);

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// For how long a digest speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// A day.
    Daily,
    /// A week.
    Weekly,
    /// A month.
    Monthly,
}

impl Span {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Daily, Self::Weekly, Self::Monthly];

    /// The word in files and in the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }
}

/// The days on which a digest comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Days {
    Each,
    Of(Weekday),
    /// The day of the month; the last one where the month is shorter.
    Numbered(i8),
}

/// The moments at which a digest comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rhythm {
    days: Days,
    hour: i8,
    minute: i8,
}

impl Rhythm {
    /// Reads `daily 08:00`, `Mon 08:00`, `monthly 1 08:00`; `weekly`, the day and the time may be left out.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is not a time for digests; write \"daily 08:00\", \"Mon 08:00\" or \"monthly 1 08:00\"")
        };
        let mut words = text.split(' ').peekable();
        let days = match words.next().ok_or_else(wrong)? {
            "daily" => Days::Each,
            "weekly" => {
                Days::Of(words.next_if(|word| weekday(word).is_some()).and_then(weekday).unwrap_or(Weekday::Monday))
            }
            "monthly" => {
                Days::Numbered(words.next_if(|word| day_of_month(word).is_some()).and_then(day_of_month).unwrap_or(1))
            }
            word => Days::Of(weekday(word).ok_or_else(wrong)?),
        };
        let (hour, minute) = match words.next() {
            Some(time) => clock(time).ok_or_else(wrong)?,
            None => USUAL,
        };
        if words.next().is_some() { Err(wrong()) } else { Ok(Self { days, hour, minute }) }
    }

    /// For how long each speaks.
    #[must_use]
    pub const fn span(self) -> Span {
        match self.days {
            Days::Each => Span::Daily,
            Days::Of(_) => Span::Weekly,
            Days::Numbered(_) => Span::Monthly,
        }
    }

    /// The day of the newest one that is due by `now`. An hour that the change to summer time leaves out begins when the
    /// clock has jumped; one that comes twice counts the first time.
    #[must_use]
    pub fn latest(self, zone: &TimeZone, now: UnixTime) -> Option<Date> {
        let today = now.date_in(zone);
        let mut days = (0..=LONGEST_DAYS).filter_map(|back| today.checked_sub(back.days()).ok());
        days.find(|day| self.has(*day) && self.at(*day, zone) <= now)
    }

    /// When the first one after `now` comes.
    #[must_use]
    pub fn next(self, zone: &TimeZone, now: UnixTime) -> UnixTime {
        let today = now.date_in(zone);
        let days = (0..=LONGEST_DAYS).filter_map(|ahead| today.checked_add(ahead.days()).ok());
        let mut moments = days.filter(|day| self.has(*day)).map(|day| self.at(day, zone));
        moments.find(|at| *at > now).unwrap_or(UnixTime::MAX)
    }

    /// When the one of this day comes.
    #[must_use]
    pub fn at(self, day: Date, zone: &TimeZone) -> UnixTime {
        first_instant(day.at(self.hour, self.minute, 0, 0), zone)
    }

    /// Minutes after midnight.
    #[must_use]
    pub fn minute_of_day(self) -> i16 {
        i16::from(self.hour) * 60 + i16::from(self.minute)
    }

    fn has(self, day: Date) -> bool {
        match self.days {
            Days::Each => true,
            Days::Of(weekday) => day.weekday() == weekday,
            Days::Numbered(number) => day.day() == number.min(day.days_in_month()),
        }
    }
}

/// As a file would have it.
impl Display for Rhythm {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.days {
            Days::Each => f.write_str("daily")?,
            Days::Of(weekday) => {
                let place = usize::try_from(weekday.to_monday_zero_offset()).unwrap_or(0);
                f.write_str(DAYS.get(place).copied().unwrap_or("weekly"))?;
            }
            Days::Numbered(number) => write!(f, "monthly {number}")?,
        }
        write!(f, " {:02}:{:02}", self.hour, self.minute)
    }
}

fn weekday(word: &str) -> Option<Weekday> {
    let place = DAYS.iter().position(|known| *known == word)?;
    Weekday::from_monday_zero_offset(i8::try_from(place).ok()?).ok()
}

/// 1 to 31, without a zero before it.
fn day_of_month(word: &str) -> Option<i8> {
    let number: i8 = word.parse().ok()?;
    ((1..=31).contains(&number) && number.to_string() == word).then_some(number)
}

/// `HH:MM`, up to 23:59.
#[must_use]
pub fn clock(text: &str) -> Option<(i8, i8)> {
    let (hour, minute) = text.split_once(':')?;
    let two =
        |part: &str| (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<i8>().ok());
    let (hour, minute) = (two(hour)??, two(minute)??);
    (hour < 24 && minute < 60).then_some((hour, minute))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixTime {
        UnixTime::parse(text).unwrap()
    }

    fn told(rhythm: &str, zone: &str, now: &str) -> (String, String) {
        let (rhythm, zone) = (Rhythm::parse(rhythm).unwrap(), TimeZone::get(zone).unwrap());
        (rhythm.latest(&zone, at(now)).unwrap().to_string(), rhythm.next(&zone, at(now)).to_string())
    }

    #[test]
    fn each_form_is_read_and_shown_and_others_are_not() {
        for (text, shown) in [
            ("daily", "daily 08:00"),
            ("daily 06:30", "daily 06:30"),
            ("weekly", "Mon 08:00"),
            ("weekly Fri", "Fri 08:00"),
            ("weekly 17:00", "Mon 17:00"),
            ("weekly Fri 17:00", "Fri 17:00"),
            ("Sun", "Sun 08:00"),
            ("Mon 08:00", "Mon 08:00"),
            ("monthly", "monthly 1 08:00"),
            ("monthly 31 23:59", "monthly 31 23:59"),
            ("monthly 09:00", "monthly 1 09:00"),
        ] {
            assert_eq!(Rhythm::parse(text).map(|rhythm| rhythm.to_string()), Ok(shown.to_owned()), "{text}");
        }
        for wrong in [
            "",
            "Mon 8:00",
            "daily 24:00",
            "monthly 0",
            "monthly 32",
            "monthly 01",
            "daily Mon",
            "yearly",
            "Mon 08:00 ",
            "mon",
        ] {
            assert!(Rhythm::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_newest_that_is_due_and_the_next_are_those_of_the_readers_clock() {
        // 2026-12-15 is a Tuesday.
        assert_eq!(told("daily", "UTC", "2026-12-15T08:00:00Z"), ("2026-12-15".into(), "2026-12-16T08:00:00Z".into()));
        assert_eq!(told("daily", "UTC", "2026-12-15T07:59:59Z"), ("2026-12-14".into(), "2026-12-15T08:00:00Z".into()));
        assert_eq!(
            told("Mon", "America/Toronto", "2026-12-14T12:59:59Z"),
            ("2026-12-07".into(), "2026-12-14T13:00:00Z".into())
        );
        assert_eq!(
            told("monthly 31", "UTC", "2027-02-28T09:00:00Z"),
            ("2027-02-28".into(), "2027-03-31T08:00:00Z".into())
        );
        assert_eq!(
            told("monthly", "UTC", "2026-12-31T23:00:00Z"),
            ("2026-12-01".into(), "2027-01-01T08:00:00Z".into())
        );
    }

    #[test]
    fn changes_of_the_clock_neither_lose_nor_double_one() {
        // 02:30 does not exist on 28 March 2027 in Berlin, and comes twice on 31 October.
        assert_eq!(
            told("daily 02:30", "Europe/Berlin", "2027-03-28T00:59:59Z"),
            ("2027-03-27".into(), "2027-03-28T01:00:00Z".into())
        );
        assert_eq!(
            told("daily 02:30", "Europe/Berlin", "2027-10-31T00:30:00Z"),
            ("2027-10-31".into(), "2027-11-01T01:30:00Z".into())
        );
        assert_eq!(told("daily 02:30", "Europe/Berlin", "2027-10-31T01:30:00Z").0, "2027-10-31");
    }
}
