//! Numbers of cards, phones, devices and chips: what is taken has only digits, and is taken again as it is.

use simkeeper::domain::card::{Name, tamed};
use simkeeper::domain::identity::{Eid, Iccid, Imei, Msisdn, masked};

use super::is_tame;

pub(crate) fn check(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    macro_rules! holds {
        ($($kind:ident: $least:literal to $most:literal,)*) => {$(
            if let Ok(number) = $kind::parse(text) {
                let digits = number.digits();
                assert!(($least..=$most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
                assert_eq!($kind::parse(digits).as_ref(), Ok(&number));
                let (shown, given): (String, String) = (digits.into(), text.chars().filter(char::is_ascii_digit).collect());
                assert_eq!(shown, given, "no digit is made up and none is lost");
                assert!(!format!("{number:?}").contains(digits), "debug output ends in logs");
            }
        )*};
    }
    holds! {
        Iccid: 18 to 22,
        Msisdn: 7 to 15,
        Imei: 15 to 16,
        Eid: 32 to 32,
    }
    if let Ok(iccid) = Iccid::parse(text) {
        let _warnings = iccid.warnings();
    }
    one_wrong_digit_is_found(text);
    assert!(masked(text).chars().count() <= 5);
    names_and_texts(text);
}

/// The check digits of devices and chips are there to find one mistyped digit.
fn one_wrong_digit_is_found(text: &str) {
    let changed = |digits: &str, place: usize| {
        let mut other = digits.as_bytes().to_vec();
        other[place] = b'0' + (other[place] - b'0' + 1) % 10;
        String::from_utf8(other).unwrap()
    };
    if let Ok(imei) = Imei::parse(text)
        && imei.digits().len() == 15
    {
        assert!((0..15).all(|place| Imei::parse(&changed(imei.digits(), place)).is_err()));
    }
    if let Ok(eid) = Eid::parse(text) {
        assert!((0..32).all(|place| Eid::parse(&changed(eid.digits(), place)).is_err()));
    }
}

fn names_and_texts(text: &str) {
    if let Ok(name) = Name::parse(text) {
        assert!(is_tame(name.as_str()) && name.as_str() == text && (1..=80).contains(&text.chars().count()));
    }
    for longest in [0, 1, 20, 200] {
        let tame = tamed(text, longest);
        assert!(is_tame(&tame) && tame.chars().count() <= longest + 1, "{tame:?}");
        assert_eq!(tamed(&tame, longest + 1), tame, "what is tame stays as it is");
    }
}
