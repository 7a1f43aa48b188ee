//! Instants as operators write them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::time::{UnixTime, first_instant};

/// Reads an instant: ISO 8601 with its offset (with or without a colon in it), or `YYYY-MM-DD HH:MM:SS` without one,
/// which is by the clock of `zone`.
///
/// # Errors
/// Says what is wrong; `0000-00-00 00:00:00` is no time.
pub(in crate::operators) fn time_in(text: &str, zone: &TimeZone) -> Result<UnixTime, String> {
    if let Ok(stated) = UnixTime::parse(text) {
        return Ok(stated);
    }
    if let Ok(stamp) = jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text) {
        return UnixTime::new(stamp.as_second()).ok_or_else(|| format!("`{text}` lies before 1970"));
    }
    let wall: DateTime = text.parse().map_err(|_| format!("`{text}` is not a time"))?;
    if wall.year() < 1970 {
        return Err(format!("`{text}` lies before 1970"));
    }
    Ok(first_instant(wall, zone))
}

/// Reads milliseconds since 1970.
///
/// # Errors
/// It lies before 1970.
pub(in crate::operators) fn millis(millis: i64) -> Result<UnixTime, String> {
    UnixTime::new(millis.div_euclid(1_000)).ok_or_else(|| format!("{millis} ms lies before 1970"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_come_in_many_forms() {
        let utc = UnixTime::parse("2022-01-01T00:00:00Z").unwrap();
        for text in [
            "2022-01-01 00:00:00",
            "2022-01-01T02:00:00+02:00",
            "2022-01-01T02:00:00+0200",
            "2022-01-01T00:00:00.000+0000",
            "2022-01-01T00:00:00.123456789Z",
        ] {
            assert_eq!(time_in(text, &TimeZone::UTC), Ok(utc), "{text}");
        }
        let toronto = TimeZone::get("America/Toronto").unwrap();
        assert_eq!(time_in("2021-12-31 19:00:00", &toronto), Ok(utc));
        assert_eq!(time_in("2022-01-01T00:00:00Z", &toronto), Ok(utc));
        assert_eq!(time_in("9999-12-31 23:59:59", &TimeZone::UTC), Ok(UnixTime::MAX));
        for text in ["", "0000-00-00 00:00:00", "1969-12-31 00:00:00", "01/02/2022", "soon"] {
            assert!(time_in(text, &TimeZone::UTC).is_err(), "{text}");
        }
        assert_eq!(millis(1_640_995_200_999), Ok(utc));
        assert!(millis(-1).is_err());
    }
}
