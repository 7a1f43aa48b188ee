//! Units of data and of time, as profiles and operators write them.

/// Bytes of one unit: `MB` is 1000², `MiB` is 1024².
pub(super) fn data_factor(unit: &str) -> Option<i64> {
    let factor = match unit {
        "B" | "bytes" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    Some(factor)
}

/// Seconds of one unit; a month is 30 days and a year is 365.
pub(super) fn length_factor(unit: &str) -> Option<i64> {
    let factor = match unit {
        "seconds" => 1,
        "minutes" => 60,
        "hours" => 3_600,
        "days" => 86_400,
        "weeks" => 7 * 86_400,
        "months" => 30 * 86_400,
        "years" => 365 * 86_400,
        _ => return None,
    };
    Some(factor)
}

/// Bytes of a unit that an answer names, in any case; `MB` is decimal unless it says otherwise.
pub(super) fn told_data_factor(unit: &str) -> Option<i64> {
    let lower = unit.trim().to_ascii_lowercase();
    let known = match lower.as_str() {
        "b" | "byte" | "bytes" => "B",
        "kb" | "kilobyte" | "kilobytes" => "kB",
        "mb" | "megabyte" | "megabytes" => "MB",
        "gb" | "gigabyte" | "gigabytes" => "GB",
        "tb" | "terabyte" | "terabytes" => "TB",
        "kib" => "KiB",
        "mib" => "MiB",
        "gib" => "GiB",
        "tib" => "TiB",
        _ => return None,
    };
    data_factor(known)
}

/// Seconds of a unit that an answer names, in any case, singular or plural.
pub(super) fn told_length_factor(unit: &str) -> Option<i64> {
    let lower = unit.trim().to_ascii_lowercase();
    let short = match lower.as_str() {
        "s" | "sec" | "secs" => "seconds",
        "min" | "mins" => "minutes",
        "h" | "hr" | "hrs" => "hours",
        "d" => "days",
        _ => "",
    };
    length_factor(short).or_else(|| length_factor(&lower)).or_else(|| length_factor(&format!("{lower}s")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mega_is_decimal_unless_it_is_written_with_an_i() {
        assert_eq!((data_factor("MB"), data_factor("MiB"), data_factor("mb")), (Some(1_000_000), Some(1 << 20), None));
        assert_eq!((told_data_factor("gigabytes"), told_data_factor("Mib")), (Some(1_000_000_000), Some(1 << 20)));
        assert_eq!((told_length_factor("Day"), told_length_factor("DAYS")), (Some(86_400), Some(86_400)));
        assert_eq!((told_length_factor("min"), told_length_factor("fortnight")), (Some(60), None));
    }
}
