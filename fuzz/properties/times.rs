//! Dates, times, hours and zones: texts that are read say the same when they are shown, and on every clock of the world a
//! day begins before it ends.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use simkeeper::domain::time::{LocalHours, Secs, UnixTime, day_after, day_start, first_instant};

use super::bytes::{Bytes, zones};

pub(crate) fn check(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    if let Ok(time) = UnixTime::parse(text) {
        assert_eq!(UnixTime::parse(&time.to_string()), Ok(time));
        assert_eq!(UnixTime::new(time.secs()), Some(time));
    }
    let mut bytes = Bytes(data);
    let (zone, now) = (bytes.one_of(&zones()), UnixTime::clamped(bytes.number()));
    days(now, &zone);
    instants(&mut bytes, &zone);
    let written =
        format!("{:02}:{:02}-{:02}:{:02}", bytes.byte() % 24, bytes.byte() % 60, bytes.byte() % 25, bytes.byte() % 60);
    for text in [text, &written] {
        if let Ok(hours) = LocalHours::parse(text) {
            within(hours, now, &zone);
        }
    }
}

fn days(now: UnixTime, zone: &TimeZone) {
    let day = now.date_in(zone);
    let (begins, over) = (day_start(day, zone), day_after(day, zone));
    assert!(begins <= now, "{now} lies on {day}, which begins at {begins}");
    assert!(now < over || now == UnixTime::MAX, "{now} lies on {day}, which is over at {over}");
    // 1969 is before every instant that can be told; some days have 23 hours, one of them had 47.
    assert!(over.since(begins) <= Secs::hours(50));
}

/// What a wall clock shows at the first instant at which it shows a time, or, in a gap, right after the gap.
fn instants(bytes: &mut Bytes<'_>, zone: &TimeZone) {
    let day = Date::new(1971 + i16::from(bytes.byte()), 1 + bytes.byte().cast_signed().rem_euclid(12), 1).unwrap();
    let day = day.saturating_add(jiff::Span::new().days(i64::from(bytes.byte() % 31)));
    let hour = bytes.byte().cast_signed().rem_euclid(24);
    let wall = day.at(hour, bytes.byte().cast_signed().rem_euclid(60), 0, 0);
    let at = first_instant(wall, zone);
    let shown = at.in_zone(zone).datetime();
    assert!(shown >= wall, "{wall} became {shown}");
    let gap = shown.duration_since(wall);
    assert!(gap.as_hours() <= 24, "{wall} became {shown}");
    let before = at.minus(Secs(1)).in_zone(zone).datetime();
    assert!(before < wall, "{wall} was shown before {shown}, at {before}");
}

/// The next opening is inside the hours, the next closing is outside, and both lie within two days.
fn within(hours: LocalHours, now: UnixTime, zone: &TimeZone) {
    let (open, close) = (hours.next_open(now, zone), hours.next_close(now, zone));
    assert!(open >= now && close >= now);
    assert_eq!(open == now, hours.contains(now, zone) || now == UnixTime::MAX);
    if now < UnixTime::MAX.minus(Secs::days(5)) && now > UnixTime::MIN.plus(Secs::days(2)) {
        assert!(hours.contains(open, zone), "it opens at {open}");
        assert!(!hours.contains(close, zone) || hours.next_close(close, zone) > close, "it closes at {close}");
        assert!(open.since(now) <= Secs::hours(50) && close.since(now) <= Secs::hours(50));
    }
}
