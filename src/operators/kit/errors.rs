//! The errors that every adapter tells, in one wording.

use secrecy::{ExposeSecret, SecretString};

use crate::domain::card::{Card, tamed};
use crate::domain::operator::{BuyAnswer, Doubt, OperatorError, Order, Refusal, RefusalKind};

/// Characters of an operator's text that are kept.
const TEXT_LONGEST: usize = 200;

/// The answer makes no sense.
pub(in crate::operators) fn unknown(why: impl AsRef<str>) -> OperatorError {
    OperatorError::Unknown { why: tamed(why.as_ref(), TEXT_LONGEST) }
}

/// Of no use until a person changes something.
pub(in crate::operators) fn never(kind: RefusalKind, why: impl AsRef<str>) -> OperatorError {
    OperatorError::Never { kind, why: tamed(why.as_ref(), TEXT_LONGEST) }
}

/// What stands where a secret stood.
const BLOT: &str = "[secret]";
/// A shorter secret is no secret, and would blot out half of every text.
const SECRET_SHORTEST: usize = 6;

/// A text without these secrets, for operators and programs that quote what they were given.
pub(in crate::operators) fn blotted<'a>(text: String, secrets: impl IntoIterator<Item = &'a SecretString>) -> String {
    let secrets = secrets.into_iter().map(ExposeSecret::expose_secret).filter(|secret| secret.len() >= SECRET_SHORTEST);
    secrets.fold(text, |text, secret| if text.contains(secret) { text.replace(secret, BLOT) } else { text })
}

/// The card lacks what this operator knows its cards by.
pub(in crate::operators) fn lacks(operator: &str, what: &str, key: &str) -> OperatorError {
    never(RefusalKind::CardData, format!("{operator} needs {what}; add `{key}` to the card"))
}

/// The card's ICCID.
pub(in crate::operators) fn iccid_of<'a>(card: &'a Card, operator: &str) -> Result<&'a str, OperatorError> {
    card.iccid.as_ref().map(|iccid| iccid.digits()).ok_or_else(|| lacks(operator, "the card's ICCID", "iccid"))
}

/// The card's phone number: digits without `+`.
pub(in crate::operators) fn msisdn_of<'a>(card: &'a Card, operator: &str) -> Result<&'a str, OperatorError> {
    let number = card.msisdn.as_ref().map(|msisdn| msisdn.digits());
    number.ok_or_else(|| lacks(operator, "the card's phone number", "msisdn"))
}

/// Refuses an order that is to be paid in another way than from the wallet.
pub(in crate::operators) fn wallet_only(order: &Order, operator: &str) -> Result<(), OperatorError> {
    if order.payment == "wallet" {
        return Ok(());
    }
    Err(never(
        RefusalKind::PaymentDeclined,
        format!("{operator} is paid from its wallet only; write payment = [\"wallet\"]"),
    ))
}

/// Refuses an order with a discount code.
pub(in crate::operators) fn no_code(order: &Order, operator: &str) -> Result<(), OperatorError> {
    if order.code.is_none() {
        return Ok(());
    }
    Err(never(RefusalKind::BadCode, format!("{operator} takes no discount codes")))
}

/// What an error before the order was sent (no token, no connection) comes to: certainly not bought.
pub(in crate::operators) fn not_bought(error: OperatorError) -> BuyAnswer {
    match error {
        OperatorError::Never { kind, why } => BuyAnswer::Refused(Refusal { kind, code: "access".into(), text: why }),
        OperatorError::Later { why, .. } | OperatorError::Unknown { why } => BuyAnswer::NotSent { why },
    }
}

/// A certain refusal in the operator's words.
pub(in crate::operators) fn refused(kind: RefusalKind, code: &str, text: &str) -> BuyAnswer {
    BuyAnswer::Refused(Refusal { kind, code: tamed(code, 80), text: tamed(text, TEXT_LONGEST) })
}

/// Nobody knows what became of the order.
pub(in crate::operators) fn doubtful(doubt: Doubt, detail: impl AsRef<str>) -> BuyAnswer {
    BuyAnswer::Unknown { doubt, detail: tamed(detail.as_ref(), TEXT_LONGEST), retry_after: None }
}

/// It says success, but not for our order.
pub(in crate::operators) fn unproven(detail: impl AsRef<str>) -> BuyAnswer {
    doubtful(Doubt::Unproven, detail)
}

/// An id that may stand in a path as it is: letters, digits, `-`, `_`, `.` and `~`, and not only dots.
pub(in crate::operators) fn path_part<'a>(id: &'a str, what: &str) -> Result<&'a str, OperatorError> {
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
    if plain && id.bytes().any(|byte| byte != b'.') {
        return Ok(id);
    }
    Err(never(RefusalKind::CardData, format!("`{}` is not {what}", tamed(id, 80))))
}
