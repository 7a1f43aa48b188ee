//! Ends that matter as dates for a calendar (RFC 5545). A date is added once and stays: simkeeper answers no invitation
//! and takes nothing back.

use jiff::tz::TimeZone;

use super::fingerprint;
use crate::domain::time::{End, Precision, Secs, UnixTime};

/// A line holds no more octets than this (RFC 5545 3.1).
const LINE_OCTETS_MAX: usize = 75;

/// A date.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// What it is, in the reader's language.
    pub(super) summary: String,
    /// When.
    pub(super) end: End,
}

/// The calendar with these dates; none if there are none. `seed` is the same for all mails of a card's cycle, so that a
/// date which is told twice is one date.
pub(super) fn calendar(entries: &[Entry], seed: &str, zone: &TimeZone, made_at: UnixTime) -> Option<String> {
    if entries.is_empty() {
        return None;
    }
    let mut text = String::new();
    for line in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//simkeeper//messages//EN", "METHOD:PUBLISH"] {
        push(&mut text, line);
    }
    for entry in entries {
        push(&mut text, "BEGIN:VEVENT");
        push(&mut text, &format!("UID:{}", uid(seed, entry)));
        push(&mut text, &format!("DTSTAMP:{}", utc(made_at)));
        push(&mut text, &begins(entry.end, zone));
        push(&mut text, &format!("SUMMARY:{}", escaped(&entry.summary)));
        push(&mut text, "TRANSP:TRANSPARENT");
        push(&mut text, "END:VEVENT");
    }
    push(&mut text, "END:VCALENDAR");
    Some(text)
}

fn uid(seed: &str, entry: &Entry) -> String {
    let mark = fingerprint(&format!("{seed}\n{}", entry.summary));
    format!("{mark}@simkeeper")
}

/// A time in UTC; a day that the operator tells without a time as the day itself, which is the last one.
fn begins(end: End, zone: &TimeZone) -> String {
    match end.precision {
        Precision::Second => format!("DTSTART:{}", utc(end.at)),
        Precision::Day => {
            let day = end.at.minus(Secs(1)).in_zone(zone).date();
            format!("DTSTART;VALUE=DATE:{:04}{:02}{:02}", day.year(), day.month(), day.day())
        }
    }
}

fn utc(at: UnixTime) -> String {
    let wall = at.in_zone(&TimeZone::UTC);
    let (date, time) = (wall.date(), wall.time());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{:04}{:02}{:02}T{hour:02}{minute:02}{second:02}Z", date.year(), date.month(), date.day())
}

/// Text as RFC 5545 3.3.11 wants it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Adds a line, folded between characters where it is long.
fn push(text: &mut String, line: &str) {
    let mut octets = 0;
    for c in line.chars() {
        if octets + c.len_utf8() > LINE_OCTETS_MAX {
            text.push_str("\r\n ");
            octets = 1;
        }
        text.push(c);
        octets += c.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(summary: &str, precision: Precision) -> String {
        let at = UnixTime::parse("2026-12-20T05:00:00Z").unwrap();
        let entry = Entry { summary: summary.to_owned(), end: End { at, precision } };
        let zone = TimeZone::get("America/Toronto").unwrap();
        calendar(&[entry], "seed", &zone, UnixTime::parse("2026-12-18T09:30:00Z").unwrap()).unwrap()
    }

    #[test]
    fn a_time_is_a_time_and_a_day_is_the_last_day() {
        assert!(made("x", Precision::Second).contains("\r\nDTSTART:20261220T050000Z\r\n"));
        // Midnight in Toronto: the day before is the last one.
        assert!(made("x", Precision::Day).contains("\r\nDTSTART;VALUE=DATE:20261219\r\n"));
        assert_eq!(calendar(&[], "seed", &TimeZone::UTC, UnixTime::clamped(0)), None);
    }

    #[test]
    fn nothing_breaks_out_of_its_line() {
        for summary in ["a\r\nATTENDEE:mailto:eve@example.net", "1;2,3\\4", &"卡".repeat(80), &"👩‍👩‍👧‍👦".repeat(20)]
        {
            let text = made(summary, Precision::Second);
            assert!(
                text.split("\r\n").all(|line| line.len() <= LINE_OCTETS_MAX && !line.contains(['\r', '\n'])),
                "{text}"
            );
            assert_eq!(text.split("\r\n").filter(|line| line.starts_with("ATTENDEE")).count(), 0, "{text}");
        }
        assert!(made("1;2,3\\4", Precision::Second).contains("SUMMARY:1\\;2\\,3\\\\4\r\n"));
    }

    #[test]
    fn a_date_that_is_told_twice_is_one_date() {
        let uid = |text: &str| text.lines().find(|line| line.starts_with("UID:")).unwrap().to_owned();
        assert_eq!(uid(&made("x", Precision::Second)), uid(&made("x", Precision::Day)));
        assert_ne!(uid(&made("x", Precision::Second)), uid(&made("y", Precision::Second)));
    }
}
