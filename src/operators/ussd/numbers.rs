//! Numbers as networks write them. What is not clearly one number is none: a wrong amount is worse than no amount.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// More characters than any amount has.
const LONGEST: usize = 20;

/// A number with or without fraction and with or without marks between thousands, as plain decimal text. `comma` says
/// that a comma stands before the fraction; the other mark and blanks then stand between thousands.
pub(super) fn plain(text: &str, comma: bool) -> Result<String, String> {
    let wrong = || format!("`{text}` is not clearly a number with a decimal {}", if comma { "comma" } else { "point" });
    if text.is_empty() || text.chars().count() > LONGEST {
        return Err(wrong());
    }
    let (point, group) = if comma { (',', '.') } else { ('.', ',') };
    let (sign, unsigned) = text.strip_prefix(['-', '\u{2212}']).map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = match unsigned.split_once(point) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if fraction.is_some_and(|fraction| !digits(fraction)) {
        return Err(wrong());
    }
    let marked = |c: char| c == group || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}');
    let parts: Vec<&str> = whole.split(marked).collect();
    let grouped = parts.len() == 1 || parts[0].len() <= 3 && parts[1..].iter().all(|part| part.len() == 3);
    // One number has one kind of mark.
    let marks: std::collections::BTreeSet<char> = whole.chars().filter(|c| marked(*c)).collect();
    if !grouped || marks.len() > 1 || !parts.iter().all(|part| digits(part)) {
        return Err(wrong());
    }
    let fraction = fraction.map_or_else(String::new, |fraction| format!(".{fraction}"));
    Ok(format!("{sign}{}{fraction}", parts.concat()))
}

/// `number`, a plain decimal text, times `factor`, cut to a whole number.
fn times(number: &str, factor: u64) -> Result<i64, String> {
    let decimal = Decimal::from_str_exact(number).map_err(|_| format!("`{number}` is too long a number"))?;
    let scaled = decimal.checked_mul(Decimal::from(factor)).and_then(|scaled| scaled.trunc().to_i64());
    scaled.ok_or_else(|| format!("`{number}` is too large a number"))
}

/// Bytes: a number and its unit. A unit without an `i` is counted in thousands: operators do not say which they mean, and
/// so the smaller amount is taken.
pub(super) fn bytes(number: &str, unit: &str, comma: bool) -> Result<i64, String> {
    let factor = factor_of(unit).ok_or_else(|| format!("`{unit}` is not a known unit of data"))?;
    times(&plain(number, comma)?, factor)
}

/// Bytes in a unit, in the letters of the West and of the East.
pub(super) fn factor_of(unit: &str) -> Option<u64> {
    match unit.to_lowercase().as_str() {
        "b" | "byte" | "bytes" | "б" => Some(1),
        "kb" | "ko" | "кб" => Some(1_000),
        "mb" | "mo" | "мб" => Some(1_000_000),
        "gb" | "go" | "гб" => Some(1_000_000_000),
        "tb" | "to" | "тб" => Some(1_000_000_000_000),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        "gib" => Some(1 << 30),
        "tib" => Some(1 << 40),
        _ => None,
    }
}

/// Seconds of calls: `1424:00` in minutes and seconds, or a number of minutes.
pub(super) fn voice_secs(text: &str, comma: bool) -> Result<i64, String> {
    let Some((minutes, secs)) = text.split_once(':') else { return times(&plain(text, comma)?, 60) };
    let whole = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<i64>().ok()).flatten();
    let told = whole(minutes).zip(whole(secs).filter(|secs| *secs < 60));
    let total = told.and_then(|(minutes, secs)| minutes.checked_mul(60)?.checked_add(secs));
    total.ok_or_else(|| format!("`{text}` is not minutes and seconds such as 12:30"))
}

/// A whole number.
pub(super) fn count(text: &str, comma: bool) -> Result<i64, String> {
    let number = plain(text, comma)?;
    number.parse().map_err(|_| format!("`{text}` is not a whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_one_way_or_not_at_all() {
        for (text, comma, expected) in [
            ("12.34", false, Some("12.34")),
            ("5,12", true, Some("5.12")),
            ("5,12", false, None),
            ("5.12", true, None),
            ("1,234.50", false, Some("1234.50")),
            ("1.234,50", true, Some("1234.50")),
            ("1 234,50", true, Some("1234.50")),
            ("1'234.50", false, Some("1234.50")),
            ("1234", false, Some("1234")),
            ("0.00", false, Some("0.00")),
            ("-3.20", false, Some("-3.20")),
            ("1,234,567", false, Some("1234567")),
            ("1,23,456", false, None),
            ("1,234 567", false, None),
            ("1234,567", false, None),
            ("1.2.3", false, None),
            (".5", false, None),
            ("5.", false, None),
            ("", false, None),
            ("-", false, None),
            ("1e3", false, None),
            ("٣", false, None),
            ("123456789012345678901", false, None),
        ] {
            assert_eq!(plain(text, comma).ok().as_deref(), expected, "{text} {comma}");
        }
    }

    #[test]
    fn data_voice_and_texts_are_counted() {
        assert_eq!(bytes("1,5", "GB", true), Ok(1_500_000_000));
        assert_eq!(bytes("5120", "МБ", false), Ok(5_120_000_000));
        assert_eq!(bytes("1", "GiB", false), Ok(1 << 30));
        assert!(bytes("1", "XB", false).is_err());
        assert!(bytes("99999999999999", "TB", false).is_err());
        assert_eq!(voice_secs("1424:00", false), Ok(85_440));
        assert_eq!(voice_secs("1,5", true), Ok(90));
        assert!(voice_secs("1:60", false).is_err());
        assert!(voice_secs(":", false).is_err());
        assert_eq!(count("1500", false), Ok(1_500));
        assert!(count("1.5", false).is_err());
    }
}
