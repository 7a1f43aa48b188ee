//! Amounts of money and data, percentages and lengths of time: what is read is exactly what was written, and what is
//! shown is read again as the same.

use simkeeper::domain::data::{DataSize, Percent};
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::time::Secs;

use super::bytes::Bytes;

pub(crate) fn check(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    money(text);
    data_size(text);
    if let Ok(Percent(percent)) = Percent::parse(text, 100) {
        assert!(
            percent <= 100
                && text.trim_end_matches('%').trim_start_matches('0') == percent.to_string().trim_start_matches('0')
        );
    }
    if let Ok(length) = Secs::parse(text) {
        assert!((0..=Secs::LONGEST.0).contains(&length.0));
        assert_eq!(Secs::parse(&length.to_string()), Ok(length));
    }
    sums(&mut Bytes(data));
}

fn money(text: &str) {
    if let Ok(money) = Money::parse(text) {
        assert!(money.ten_thousandths() >= 0, "an owner writes no negative amount");
        assert_eq!(Money::parse(&money.to_string()), Ok(money));
    }
    if let Ok(money) = Money::from_decimal(text, Currency::USD) {
        assert_eq!(Money::from_decimal(&money.number(), Currency::USD), Ok(money));
        // Both ways of reading agree where both can read.
        if let Ok(owners) = Money::parse(&format!("{text} USD")) {
            assert_eq!(owners, money);
        }
    }
}

/// What is shown is cut to two places, so that it is never more than there is, and never less than 99 percent of it.
fn data_size(text: &str) {
    let Ok(size) = DataSize::parse(text) else { return };
    let shown = DataSize::parse(&size.to_string()).unwrap();
    assert!(shown <= size && size.0 - shown.0 <= size.0 / 100, "{size:?} is shown as {shown:?}");
}

/// Sums are exact or refused, in one currency only.
fn sums(bytes: &mut Bytes<'_>) {
    let currencies = [Currency::USD, Currency::EUR];
    let (left, right) = (bytes.number(), bytes.number());
    let (a, b) = (Money::new(left, bytes.one_of(&currencies)), Money::new(right, bytes.one_of(&currencies)));
    let exact = |sum: i128| i64::try_from(sum).ok().filter(|_| a.currency() == b.currency());
    let told = |sum: Result<Money, _>| sum.ok().map(Money::ten_thousandths);
    assert_eq!(told(a.plus(b)), exact(i128::from(left) + i128::from(right)));
    assert_eq!(told(a.minus(b)), exact(i128::from(left) - i128::from(right)));
    assert_eq!(a.exceeds(b).ok(), (a.currency() == b.currency()).then_some(left > right));
    let percent = u32::from(bytes.byte());
    let raised = a.raised_by(percent);
    assert!(left < 0 || raised.ten_thousandths() >= left);
    assert_eq!(Money::from_decimal(&a.number(), a.currency()), Ok(a));
}
