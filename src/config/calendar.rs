//! The days of an event in a calendar file (iCalendar, RFC 5545): what a trip needs and no more. Of the whole format four
//! properties count, so that a library for all of it, with a second library for time behind it, would be out of proportion.

use jiff::Span;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// Files larger than this hold years of somebody's life and are no trip.
pub(super) const CALENDAR_MAX_BYTES: u64 = 4 << 20;

/// An event that has days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// What it is called.
    pub(super) summary: String,
    /// Its first day.
    pub(super) from: Date,
    /// Its last day.
    pub(super) until: Date,
}

/// The one event that is meant: the only one, or the one of this name. Of several of that name the first that is not over.
///
/// # Errors
/// Says what is wrong, and what would be right.
pub(super) fn event(text: &str, named: Option<&str>, today: Option<Date>) -> Result<Event, String> {
    let events = events(text)?;
    let fold = |text: &str| text.trim().to_lowercase();
    let of_name = |event: &&Raw| named.is_none_or(|named| fold(&event.summary) == fold(named));
    let mut fitting = events.iter().filter(of_name).map(Raw::days).collect::<Result<Vec<Event>, String>>()?;
    fitting.sort_by_key(|event| (event.until, event.from));
    let not_over = fitting.iter().find(|event| today.is_none_or(|today| event.until >= today));
    if named.is_none() && events.len() > 1 {
        return Err(format!("it has {} events; name one with event = \"{}\"", events.len(), events[0].summary));
    }
    not_over.or(fitting.last()).cloned().ok_or_else(|| match (events.as_slice(), named) {
        ([], _) | (_, None) => "it has no event".to_owned(),
        ([only, ..], Some(named)) => {
            format!("it has no event `{named}`; one of its {} is `{}`", events.len(), only.summary)
        }
    })
}

/// An event as it stands.
#[derive(Debug, Default)]
struct Raw {
    summary: String,
    start: Option<Moment>,
    end: Option<Moment>,
    duration: Option<String>,
    repeats: bool,
}

/// A day, or a time on a day.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Day(Date),
    Time(DateTime),
}

impl Raw {
    fn days(&self) -> Result<Event, String> {
        let named = &self.summary;
        if self.repeats {
            return Err(format!("the event `{named}` repeats; a trip has one first and one last day"));
        }
        let start = self.start.ok_or_else(|| format!("the event `{named}` has no beginning (DTSTART)"))?;
        let (from, until) = match (start, self.end()?) {
            (Moment::Day(from), None) => (from, from),
            (Moment::Time(from), None) => (from.date(), from.date()),
            // The end of an event is the first moment after it.
            (start, Some(Moment::Day(after))) => (day_of(start), after.yesterday().unwrap_or(after)),
            (start, Some(Moment::Time(end))) if end.time() == Time::midnight() && end.date() > day_of(start) => {
                (day_of(start), end.date().yesterday().unwrap_or(end.date()))
            }
            (start, Some(Moment::Time(end))) => (day_of(start), end.date()),
        };
        if until < from {
            return Err(format!("the event `{named}` ends before it begins"));
        }
        Ok(Event { summary: named.clone(), from, until })
    }

    fn end(&self) -> Result<Option<Moment>, String> {
        let (None, Some(text), Some(start)) = (self.end, &self.duration, self.start) else { return Ok(self.end) };
        let wrong = || format!("`{text}` is not the length of an event (DURATION), such as P7D");
        let length: Span = text.parse().map_err(|_| wrong())?;
        let end = match start {
            Moment::Day(day) => Moment::Day(day.checked_add(length).map_err(|_| wrong())?),
            Moment::Time(time) => Moment::Time(time.checked_add(length).map_err(|_| wrong())?),
        };
        Ok(Some(end))
    }
}

fn day_of(moment: Moment) -> Date {
    match moment {
        Moment::Day(day) => day,
        Moment::Time(time) => time.date(),
    }
}

/// Every event of the file. Alarms and zones within are passed over.
fn events(text: &str) -> Result<Vec<Raw>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let lines = unfolded(text);
    if !lines.first().is_some_and(|line| line.trim().eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err("it is no calendar: it does not begin with BEGIN:VCALENDAR".to_owned());
    }
    let mut zone = TimeZone::UTC;
    let (mut events, mut open, mut within): (Vec<Raw>, Option<Raw>, Vec<String>) = (Vec::new(), None, Vec::new());
    for line in &lines {
        let Some((name, parameters, value)) = parts(line) else { continue };
        match name.as_str() {
            "BEGIN" => {
                within.push(value.to_uppercase());
                if within.last().is_some_and(|kind| kind == "VEVENT") {
                    open = Some(Raw::default());
                }
            }
            "END" => {
                let ended = within.pop();
                events.extend(open.take_if(|_| ended.is_some_and(|kind| kind == "VEVENT")));
            }
            "X-WR-TIMEZONE" if within.len() == 1 => zone = TimeZone::get(value.trim()).unwrap_or(TimeZone::UTC),
            _ => {}
        }
        let Some(event) = open.as_mut().filter(|_| within.last().is_some_and(|kind| kind == "VEVENT")) else {
            continue;
        };
        match name.as_str() {
            "SUMMARY" => event.summary = unescaped(value),
            "DTSTART" => event.start = Some(moment(value, parameters, &zone)?),
            "DTEND" => event.end = Some(moment(value, parameters, &zone)?),
            "DURATION" => event.duration = Some(value.trim().to_owned()),
            "RRULE" | "RDATE" => event.repeats = true,
            _ => {}
        }
    }
    if open.is_some() {
        return Err("it ends in the middle of an event".to_owned());
    }
    Ok(events)
}

/// Lines of which long ones were broken by a line end and a blank.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            (Some(_), None) | (None, _) => lines.push(line.to_owned()),
        }
    }
    lines
}

/// `NAME;PARAMETER=…:value`, where a parameter in quotes may hold a colon.
fn parts(line: &str) -> Option<(String, &str, &str)> {
    let mut quoted = false;
    let colon = line.find(|sign| {
        quoted ^= sign == '"';
        sign == ':' && !quoted
    })?;
    let (head, value) = (&line[..colon], &line[colon + 1..]);
    let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
    Some((name.trim().to_uppercase(), parameters, value))
}

fn parameter<'a>(parameters: &'a str, wanted: &str) -> Option<&'a str> {
    let pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim_matches('"'))
}

/// A day, a time of a zone, a time of nobody's zone, or a time in UTC, which is told by the calendar's own zone.
fn moment(value: &str, parameters: &str, zone: &TimeZone) -> Result<Moment, String> {
    let value = value.trim();
    let wrong = || format!("`{value}` is not a day or time of a calendar, such as 20270201 or 20270201T093000Z");
    if let Some(zone) = parameter(parameters, "TZID")
        && !zone.contains('/')
        && !zone.eq_ignore_ascii_case("UTC")
    {
        // The days of the event are those on its own clock, whatever its zone is called.
        tracing::debug!(zone, "a zone that is no name of the IANA list; the event's own days count");
    }
    let digits = value.strip_suffix(['Z', 'z']).unwrap_or(value);
    if digits.len() == 8 {
        return Date::strptime("%Y%m%d", digits).map(Moment::Day).map_err(|_| wrong());
    }
    let told = DateTime::strptime("%Y%m%dT%H%M%S", digits).map_err(|_| wrong())?;
    if digits.len() == value.len() {
        return Ok(Moment::Time(told));
    }
    let at = told.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
    Ok(Moment::Time(at.with_time_zone(zone.clone()).datetime()))
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match (sign, sign == '\\') {
            (_, true) => match signs.next() {
                Some('n' | 'N') => out.push(' '),
                Some(other) => out.push(other),
                None => {}
            },
            (sign, false) => out.push(sign),
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn calendar(events: &[&str]) -> String {
        let events: Vec<String> =
            events.iter().map(|lines| format!("BEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\n")).collect();
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-TIMEZONE:America/Toronto\r\n{}END:VCALENDAR\r\n",
            events.concat()
        )
    }

    fn days(lines: &str) -> Result<(Date, Date), String> {
        event(&calendar(&[lines]), None, None).map(|event| (event.from, event.until))
    }

    #[test]
    fn days_are_those_of_the_event_and_its_end_is_the_first_moment_after_it() {
        for (lines, from, until) in [
            ("DTSTART;VALUE=DATE:20270201\r\nDTEND;VALUE=DATE:20270221", (2, 1), (2, 20)),
            ("DTSTART;VALUE=DATE:20270201", (2, 1), (2, 1)),
            ("DTSTART;VALUE=DATE:20270201\r\nDURATION:P2W", (2, 1), (2, 14)),
            (
                "DTSTART;TZID=Europe/Berlin:20270201T233000\r\nDTEND;TZID=America/Toronto:20270220T003000",
                (2, 1),
                (2, 20),
            ),
            ("DTSTART:20270201T100000\r\nDTEND:20270221T000000", (2, 1), (2, 20)),
            ("DTSTART:20270201T100000\r\nDURATION:PT36H", (2, 1), (2, 2)),
            ("DTSTART:20270201T100000", (2, 1), (2, 1)),
            // Half past two at night in UTC is the evening before in Toronto, the calendar's own zone.
            ("DTSTART:20270202T023000Z\r\nDTEND:20270221T023000Z", (2, 1), (2, 20)),
            (
                "DTSTART;TZID=\"Eastern: Standard Time\":20270201T100000\r\nDTEND;TZID=\"x\":20270220T100000",
                (2, 1),
                (2, 20),
            ),
            ("DTSTA\r\n RT:2027\r\n\t0201T100000\r\nBEGIN:VALARM\r\nDTSTART:20200101\r\nEND:VALARM", (2, 1), (2, 1)),
        ] {
            let expected = (date(2027, from.0, from.1), date(2027, until.0, until.1));
            assert_eq!(days(lines), Ok(expected), "{lines}");
        }
    }

    #[test]
    fn what_is_no_trip_is_told() {
        for (lines, said) in [
            ("SUMMARY:Canada", "has no beginning"),
            ("DTSTART:20270201\r\nDTEND:20270101", "ends before it begins"),
            ("DTSTART:20270201\r\nRRULE:FREQ=YEARLY", "repeats"),
            ("DTSTART:1 Feb", "is not a day or time"),
            ("DTSTART:20270230", "is not a day or time"),
            ("DTSTART:20270201\r\nDURATION:a week", "is not the length"),
        ] {
            assert!(days(lines).unwrap_err().contains(said), "{lines}: {:?}", days(lines));
        }
        assert!(event("", None, None).unwrap_err().contains("no calendar"));
        assert!(event("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", None, None).unwrap_err().contains("in the middle"));
        assert!(event(&calendar(&[]), None, None).unwrap_err().contains("no event"));
    }

    #[test]
    fn the_event_that_is_meant_is_found_by_its_name_and_of_several_the_next() {
        let of = |name: &str, from: u32| format!("SUMMARY:{name}\r\nDTSTART:{from}\r\nDTEND:{}", from + 5);
        let text = calendar(&[
            &of("Canada\\, skiing", 20_260_201),
            &of("canada, skiing", 20_270_201),
            &of("Home", 20_270_301),
        ]);
        let found = |named, today: Option<Date>| event(&text, named, today).map(|event| event.from);
        assert!(found(None, None).unwrap_err().contains("it has 3 events"));
        assert!(found(Some("Mars"), None).unwrap_err().contains("no event `Mars`"));
        assert_eq!(found(Some("Canada, Skiing"), Some(date(2026, 11, 1))), Ok(date(2027, 2, 1)));
        assert_eq!(found(Some("Canada, Skiing"), Some(date(2026, 2, 5))), Ok(date(2026, 2, 1)), "its last day");
        assert_eq!(
            found(Some("Canada, Skiing"), Some(date(2028, 1, 1))),
            Ok(date(2027, 2, 1)),
            "the last, if all are over"
        );
        assert_eq!(found(Some("Home"), None), Ok(date(2027, 3, 1)));
    }

    proptest! {
        #[test]
        fn no_file_makes_it_stumble(text in "(BEGIN:|END:|VCALENDAR|VEVENT|DTSTART|DTEND|DURATION|[;:=\"TZ0-9P\\\\\r\n é]){0,60}") {
            let _ = event(&format!("BEGIN:VCALENDAR\n{text}"), None, None);
        }
    }
}
