//! Numbers by which cards and devices are known: ICCID, MSISDN, IMEI and EID, checked once when they come in.
//!
//! A wrong IMEI or EID is refused. A failed check digit of an ICCID only warns: card makers deliver numbers with and
//! without it, and test cards break the rule. All are kept as text, since they have leading zeros and more digits than
//! a 64-bit float holds.

use std::fmt;

use serde::Serialize;

/// What is odd about a number that is taken all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityWarning {
    /// The last digit is not the Luhn digit of those before it.
    #[error("the last digit of this ICCID is not its check digit; compare it with the card, a digit may be mistyped")]
    IccidCheckDigit,
    /// Card numbers of operators begin with 89.
    #[error("an ICCID begins with 89; this one is a test number or mistyped")]
    IccidPrefix,
}

/// The number of a SIM card or eSIM profile (ITU-T E.118): 18 to 22 digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iccid(Box<str>);

impl Iccid {
    /// Reads an ICCID; spaces and hyphens are dropped.
    ///
    /// # Errors
    /// Says how many digits are right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = digits_of(text).ok_or_else(|| format!("`{text}` is not an ICCID; it has digits only"))?;
        match digits.len() {
            18..=22 => Ok(Self(digits.into())),
            n => Err(format!("`{text}` has {n} digits; an ICCID has 19 or 20 (18 to 22 are taken)")),
        }
    }

    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// What is odd about it, if anything.
    #[must_use]
    pub fn warnings(&self) -> Vec<IdentityWarning> {
        let mut found = Vec::new();
        if !self.0.starts_with("89") {
            found.push(IdentityWarning::IccidPrefix);
        }
        if !luhn_holds(&self.0) {
            found.push(IdentityWarning::IccidCheckDigit);
        }
        found
    }
}

/// A phone number in the form of ITU-T E.164: 7 to 15 digits after a country code, never a leading zero.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msisdn(Box<str>);

impl Msisdn {
    /// Reads a number with or without `+`; spaces, hyphens, dots and brackets are dropped.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            |why: &str| format!("`{text}` {why}; write the country code and the number, such as \"+16135550123\"");
        let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        let digits = plain.strip_prefix('+').unwrap_or(&plain);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong("is not a phone number"));
        }
        if digits.starts_with('0') {
            return Err(wrong("begins with 0, which no country code does"));
        }
        if !(7..=15).contains(&digits.len()) {
            return Err(wrong("does not have 7 to 15 digits"));
        }
        Ok(Self(digits.into()))
    }

    /// The digits without `+`.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

/// The number of a device: an IMEI of 15 digits or an IMEISV of 16 (3GPP TS 23.003).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Imei(Box<str>);

impl Imei {
    /// Reads an IMEI, whose check digit must hold, or an IMEISV, which has none; separators are dropped.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = digits_of(text).ok_or_else(|| format!("`{text}` is not an IMEI; it has digits only"))?;
        match digits.len() {
            15 if luhn_holds(&digits) => Ok(Self(digits.into())),
            15 => Err(format!(
                "`{text}` is not an IMEI: with these first 14 digits the last would be {}; dial *#06# on the device to see it",
                luhn_digit(&digits[..14])
            )),
            16 => Ok(Self(digits.into())),
            14 => Err(format!("`{text}` lacks its check digit; the whole IMEI is {digits}{}", luhn_digit(&digits))),
            n => Err(format!("`{text}` has {n} digits; an IMEI has 15 (an IMEISV 16)")),
        }
    }

    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

/// The number of an eSIM chip (GSMA SGP.02, SGP.29): 32 digits, modulo 97 equal to 1.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Eid(Box<str>);

impl Eid {
    /// Reads an EID; spaces and hyphens are dropped.
    ///
    /// # Errors
    /// Says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = digits_of(text).ok_or_else(|| format!("`{text}` is not an EID; it has digits only"))?;
        match digits.len() {
            32 if mod_97(&digits) == 1 => Ok(Self(digits.into())),
            32 => Err(format!("`{text}` is not an EID: its check digits do not hold, so a digit is mistyped")),
            n => Err(format!("`{text}` has {n} digits; an EID has 32")),
        }
    }

    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

/// A number shortened for logs, subjects and mails: its last four digits.
#[must_use]
pub fn masked(digits: &str) -> String {
    let tail: Vec<char> = digits.chars().rev().take(4).collect();
    format!("…{}", tail.into_iter().rev().collect::<String>())
}

macro_rules! number_traits {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            /// Shortened: debug output ends in logs.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&masked(&self.0))
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str(&self.0)
            }
        }
    )*};
}
number_traits!(Iccid Msisdn Imei Eid);

fn digits_of(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    (!plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit())).then_some(plain)
}

/// Whether the last digit is the Luhn digit of those before it.
fn luhn_holds(digits: &str) -> bool {
    let (body, last) = digits.split_at(digits.len() - 1);
    luhn_digit(body).to_string() == last
}

/// The Luhn digit that belongs behind `body`.
pub(crate) fn luhn_digit(body: &str) -> u32 {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            if place % 2 == 1 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    (10 - sum % 10) % 10
}

/// Whether two numbers are of one card: some modems leave out the check digit, and the filler of a number of 19 digits
/// may stay.
#[must_use]
pub fn same_card(held: &str, wanted: &str) -> bool {
    let held = held.trim_end_matches(['F', 'f']);
    if held.is_empty() || !held.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let checked = |short: &str, long: &str| long == format!("{short}{}", luhn_digit(short));
    held == wanted || checked(held, wanted) || checked(wanted, held)
}

/// A decimal number of any length modulo 97 (ISO/IEC 7064).
fn mod_97(digits: &str) -> u32 {
    digits.bytes().fold(0, |rest, byte| (rest * 10 + u32::from(byte - b'0')) % 97)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the samples of 1NCE, Hologram, Telnyx, Twilio and Things Mobile, recomputed.
    #[test]
    fn a_failed_check_digit_of_an_iccid_warns() {
        for good in [
            "8944501312167518236",
            "8901260882277048945",
            "8965880812100011146",
            "89883030001234567894",
            "8944 5013 1216 7518 236",
        ] {
            assert_eq!(Iccid::parse(good).unwrap().warnings(), [], "{good}");
        }
        for odd in [
            "89883030001234567890",
            "8988303000123456789",
            "89310410106543789301",
            "89883070000123456789",
            "8944502211130209115",
        ] {
            assert_eq!(Iccid::parse(odd).unwrap().warnings(), [IdentityWarning::IccidCheckDigit], "{odd}");
        }
        let strange = Iccid::parse("9990000000000001234").unwrap().warnings();
        assert_eq!(strange, [IdentityWarning::IccidPrefix, IdentityWarning::IccidCheckDigit]);
        for bad in ["89446012345", "", "8944501312167518236X", "89445013121675182361234"] {
            assert!(Iccid::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_imei_is_refused() {
        for good in [
            "260531793113837",
            "354178036859789",
            "457032284023794",
            "35-686800-004141-8",
            "35 686800 004141 8",
            "3568680000414120",
            "0000000000000018",
        ] {
            assert!(Imei::parse(good).is_ok(), "{good}");
        }
        assert!(Imei::parse("354178036859781").unwrap_err().contains("last would be 9"));
        assert!(Imei::parse("957520074024080").unwrap_err().contains("last would be 4"));
        assert!(Imei::parse("35417803685978").unwrap_err().contains("354178036859789"));
        for bad in ["", "35417803685978a", "12345"] {
            assert!(Imei::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_eid_is_refused() {
        for good in [
            "89034011560010000000000000000121",
            "89001012012341234012345678901224",
            "89001567010203040506070809101152",
            "89044011112233441122334411223321",
        ] {
            assert!(Eid::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["89033023422222222222222222222222", "89034011560010000000000000000122", "8903401156001000000000000000012"]
        {
            assert!(Eid::parse(bad).is_err(), "{bad}");
        }
        // ISO/IEC 7064 MOD 97-10: the check digits of a number are 98 less the rest of the number with 00 behind it.
        for (number, check) in
            [("99991234567890121414", 90), ("4354111611551114", 31), ("22181321402534321446701611", 35)]
        {
            assert_eq!(98 - mod_97(&format!("{number}00")), check);
        }
    }

    #[test]
    fn phone_numbers_are_e164() {
        assert_eq!(Msisdn::parse("+1 (613) 555-0123").unwrap().digits(), "16135550123");
        assert!(Msisdn::parse("882285100000018").is_ok());
        for bad in ["", "+", "0049301234567", "06135550123", "123456", "1234567890123456", "+1613555o123"] {
            assert!(Msisdn::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn logs_show_four_digits() {
        assert_eq!(format!("{:?}", Iccid::parse("8944501312167518236").unwrap()), "…8236");
    }

    #[test]
    fn a_card_is_known_with_and_without_its_check_digit_and_no_other_is() {
        let with = format!("894412345678901234{}", luhn_digit("894412345678901234"));
        let other = format!("894412345678901234{}", (luhn_digit("894412345678901234") + 1) % 10);
        assert!(same_card(&with, &with));
        assert!(same_card("894412345678901234", &with));
        assert!(same_card(&with, "894412345678901234"));
        assert!(same_card(&format!("{with}F"), &with));
        for stranger in [other.as_str(), "", "F", "8944", "89441234567890123x", "994412345678901234"] {
            assert!(!same_card(stranger, &with), "{stranger}");
        }
        assert!(!same_card(&other, "894412345678901234"));
    }
}
