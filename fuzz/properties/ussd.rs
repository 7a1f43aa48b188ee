//! Texts from the network of a card in a modem: a text is a whole reading, or none with the text shown tamed; digits that
//! might be a voucher or a phone number are never shown.

use std::time::Duration;

use jiff::tz::TimeZone;
use simkeeper::domain::money::Currency;
use simkeeper::domain::operator::OperatorError;
use simkeeper::domain::reading::{EndKind, Reading};
use simkeeper::domain::time::UnixTime;
use simkeeper::operators::ussd::{Ends, Ussd, UssdSettings};

use super::is_tame;

/// 2026-11-22T12:00:00Z.
const NOW: UnixTime = UnixTime::clamped(1_795_348_800);
/// Patterns as owners of cards write them.
const PATTERNS: [&str; 6] = [
    r"balance is (?P<currency>\S)(?P<credit>[0-9.,]+[0-9])",
    r"Guthaben: (?P<credit>[0-9.,-]+) (?P<currency>[A-Z]+)",
    r"Pulsa Rp (?P<credit>[0-9]+) s\.d\. (?P<ends>[0-9-]+)",
    r"(?P<credit>[0-9,]+) EUR Startguthaben, (?P<credit_2>[0-9,]+) EUR Kaufguthaben",
    r"(?P<data>[0-9.,]+) ?(?P<data_unit>[A-Za-z]+), (?P<voice>[0-9]+) min, (?P<sms>[0-9]+) SMS until (?P<ends>[^ ]+)",
    r"(?P<data>.+) left",
];
const PART: &str = "\n=== text\n";

/// The input is a text, or a line of settings and a pattern, the mark, and a text.
pub(crate) fn check(data: &[u8]) {
    let whole = &*String::from_utf8_lossy(data);
    let (pattern, text) = whole.split_once(PART).unwrap_or(("", whole));
    let patterns: Vec<String> = match pattern {
        "" => PATTERNS.map(str::to_owned).to_vec(),
        own => vec![own.to_owned()],
    };
    for comma in [false, true] {
        // A pattern that cannot be used is refused before any text is read.
        let Ok(account) = Ussd::new(settings(patterns.clone(), comma)) else { return };
        match account.told(text, NOW) {
            Ok(reading) => sound(&reading),
            Err(
                OperatorError::Later { why, .. } | OperatorError::Never { why, .. } | OperatorError::Unknown { why },
            ) => {
                assert!(is_tame(&why) && why.chars().count() < 400, "{why:?}");
                if pattern.is_empty() {
                    assert!(longest_number(&why).is_none_or(|digits| digits < 7), "{why:?}");
                }
            }
        }
    }
}

fn sound(reading: &Reading) {
    assert!(!reading.allowances.is_empty() || reading.credit_ends.is_some(), "a reading of nothing");
    for (place, allowance) in reading.allowances.iter().enumerate() {
        let twice = reading.allowances[..place].iter().any(|other| other.kind == allowance.kind);
        assert!(!twice, "one kind told twice");
    }
    assert_eq!(reading.read_at, NOW);
}

/// How many digits the longest number has.
fn longest_number(text: &str) -> Option<usize> {
    text.split(|c: char| !c.is_ascii_digit()).map(str::len).max()
}

fn settings(balance: Vec<String>, decimal_comma: bool) -> UssdSettings {
    UssdSettings {
        bus: None,
        read: "*101#".into(),
        menu: Vec::new(),
        no_balance: vec!["try again later".into(), "Wartungsarbeiten".into()],
        balance,
        currency: Currency::EUR,
        currency_words: vec!["€".into(), "Eur".into()],
        decimal_comma,
        data_unit: Some("MB".into()),
        ends: Some(Ends {
            of: EndKind::Credit,
            formats: vec!["%d-%m-%Y".into(), "%m/%d/%Y".into(), "%d. %m. %Y %H:%M".into()],
        }),
        zone: TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC),
        limit: Duration::from_secs(5),
        sms: None,
        top_up: None,
    }
}
