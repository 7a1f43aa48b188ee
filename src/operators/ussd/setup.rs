//! What a person says about a card in a modem, and what of it cannot work.

use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::domain::money::{Currency, Money};
use crate::domain::reading::EndKind;

/// The longest code that a modem takes: 182 characters of GSM 7-bit (3GPP TS 23.038, section 5); real ones are far
/// shorter.
const CODE_MAX: usize = 60;
/// Where a template takes the voucher.
pub(super) const PLACE: &str = "{voucher}";

/// Everything about one operator's cards in modems of this machine.
#[derive(Clone, Debug)]
pub struct UssdSettings {
    /// The address of the bus; the system's if none is named.
    pub bus: Option<String>,
    /// The code that reads, dialled exactly as it stands, such as `*101#`.
    pub read: String,
    /// What to answer to menus on the way to the balance.
    pub menu: Vec<MenuStep>,
    /// Patterns of texts that tell nothing, such as notices of maintenance; they are tried first.
    pub no_balance: Vec<String>,
    /// Patterns with named groups, tried in their order; the first that fits tells.
    pub balance: Vec<String>,
    /// The currency of the credit.
    pub currency: Currency,
    /// What may stand in the group `currency` beside the code, such as `€`.
    pub currency_words: Vec<String>,
    /// Whether amounts are written with a comma before their fraction.
    pub decimal_comma: bool,
    /// The unit of data that is told without one.
    pub data_unit: Option<String>,
    /// What the group `ends` is, and how it is written.
    pub ends: Option<Ends>,
    /// The operator's zone.
    pub zone: TimeZone,
    /// How long one exchange with the network may take.
    pub limit: Duration,
    /// Who sends the answer by text message, where it does not come on the exchange itself.
    pub sms: Option<SmsAnswer>,
    /// Topping up by vouchers.
    pub top_up: Option<TopUp>,
}

/// An answer by text message.
#[derive(Clone, Debug)]
pub struct SmsAnswer {
    /// Its senders, exactly as the modem shows them.
    pub from: Vec<String>,
    /// Whether it is deleted when it was read.
    pub delete: bool,
}

/// One step through a menu: answered only if it is the menu that the person knows.
#[derive(Clone, Debug)]
pub struct MenuStep {
    /// A pattern of the menu.
    pub expect: String,
    /// The answer, sent exactly as it stands.
    pub reply: String,
}

/// How an end is told.
#[derive(Clone, Debug)]
pub struct Ends {
    /// Which of a card's ends it is.
    pub of: EndKind,
    /// Its forms in the notation of `strftime`; the first that fits counts.
    pub formats: Vec<String>,
}

/// Topping up by vouchers.
#[derive(Clone, Debug)]
pub struct TopUp {
    /// The code with one place for the voucher, such as `*103*{voucher}#`.
    pub code: String,
    /// Patterns of answers that mean "taken".
    pub success: Vec<String>,
    /// Patterns of answers that mean "refused, for certain".
    pub refused: Vec<String>,
    /// The vouchers.
    pub lists: Vec<VoucherList>,
    /// Where it is written which vouchers were sent; one file for all accounts of a machine.
    pub used: PathBuf,
}

/// Vouchers of one kind: a file with one code a line.
#[derive(Clone, Debug)]
pub struct VoucherList {
    /// What a voucher puts on the card.
    pub worth: Money,
    /// What a voucher cost.
    pub price: Money,
    /// The file.
    pub path: PathBuf,
    /// Whether the file's mode must keep others out; where the system guards it, it need not.
    pub guarded: bool,
}

/// Why settings cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UssdSetupError {
    /// A code that no network would take.
    #[error(
        "`{0}` is not a USSD code; it begins with * or #, ends with # and has digits, * and # between, such as *101#"
    )]
    Code(String),
    /// A code for vouchers without exactly one place for them.
    #[error(
        "`{0}` is not a code for vouchers; it is a USSD code with {{voucher}} in it once, such as *103*{{voucher}}#"
    )]
    Template(String),
    /// An answer to a menu that is not one.
    #[error("`{0}` is no answer to a menu; it has 1 to 20 digits, letters, * or #, such as \"2\"")]
    Reply(String),
    /// A pattern that cannot be read.
    #[error("the pattern `{pattern}` under `{key}` cannot be read: {why}")]
    Pattern {
        /// The key that holds it.
        key: &'static str,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something that is missing or too much.
    #[error("{0}")]
    Other(String),
}

/// What can be told without patterns and files.
pub(super) fn checked(settings: &UssdSettings) -> Result<(), UssdSetupError> {
    if !is_code(&settings.read) {
        return Err(UssdSetupError::Code(settings.read.clone()));
    }
    for step in &settings.menu {
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'#');
        if step.reply.is_empty() || step.reply.len() > 20 || !step.reply.bytes().all(good) {
            return Err(UssdSetupError::Reply(step.reply.clone()));
        }
    }
    if settings.balance.is_empty() {
        return Err(UssdSetupError::Other("`balance` has no pattern; without one no answer can be understood".into()));
    }
    if settings.limit.is_zero() {
        return Err(UssdSetupError::Other("no network answers in no time; write time_limit = \"110s\"".into()));
    }
    if settings.sms.as_ref().is_some_and(|sms| sms.from.is_empty()) {
        return Err(UssdSetupError::Other("`from` names nobody who sends the answer".into()));
    }
    match &settings.top_up {
        Some(top_up) => checked_top_up(top_up),
        None => Ok(()),
    }
}

fn checked_top_up(top_up: &TopUp) -> Result<(), UssdSetupError> {
    let filled = top_up.code.replacen(PLACE, "0", 1);
    if filled == top_up.code || !is_code(&filled) {
        return Err(UssdSetupError::Template(top_up.code.clone()));
    }
    if top_up.success.is_empty() {
        return Err(UssdSetupError::Other("`success` has no pattern; without one no top-up is ever certain".into()));
    }
    if top_up.lists.is_empty() {
        return Err(UssdSetupError::Other("`vouchers` names no list".into()));
    }
    Ok(())
}

fn is_code(text: &str) -> bool {
    let inside = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#'));
    let digits = text.bytes().any(|b| b.is_ascii_digit());
    inside && digits && text.len() <= CODE_MAX && text.starts_with(['*', '#']) && text.ends_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_codes_and_nothing_else() {
        for good in ["*101#", "#123#", "*#10#", "*124*#", "*777*4#", "*100*1#"] {
            assert!(is_code(good), "{good}");
        }
        for bad in ["", "*", "#", "*#", "**##", "101", "*101", "101#", "*10 1#", "*10a#", "*101#\n", "+44#", "*+1#"] {
            assert!(!is_code(bad), "{bad:?}");
        }
        assert!(!is_code(&format!("*{}#", "1".repeat(CODE_MAX))));
    }

    #[test]
    fn a_template_has_one_place() {
        let with = |code: &str| {
            let currency = Currency::EUR;
            let money = Money::new(100_000, currency);
            let list = VoucherList { worth: money, price: money, path: "/x".into(), guarded: true };
            checked_top_up(&TopUp {
                code: code.into(),
                success: vec!["ok".into()],
                refused: vec![],
                lists: vec![list],
                used: "/y".into(),
            })
        };
        for good in ["*103*{voucher}#", "*100*{voucher}*1#", "#124*{voucher}#"] {
            assert_eq!(with(good), Ok(()), "{good}");
        }
        for bad in ["*103#", "*103*{voucher}", "*{voucher}*{voucher}#", "*103*{code}#", "{voucher}", "tel:{voucher}#"] {
            assert_eq!(with(bad), Err(UssdSetupError::Template(bad.into())), "{bad}");
        }
    }
}
