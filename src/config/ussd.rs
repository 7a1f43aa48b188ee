//! Cards in modems of this machine: what their table comes to.

use super::secret::SecretRef;
use crate::domain::money::{Currency, Money};
use crate::domain::reading::EndKind;
use crate::domain::time::Secs;

/// Cards in modems of this machine: codes and patterns in the words of the person who has them.
#[derive(Clone, Debug)]
pub struct UssdAccess {
    /// The address of the bus; the system's if none is named.
    pub bus: Option<String>,
    /// The code that tells the balance.
    pub read: String,
    /// Menus on the way to it: the pattern of each, and the answer.
    pub menu: Vec<(String, String)>,
    /// Patterns of texts that tell no balance.
    pub no_balance: Vec<String>,
    /// Patterns with named groups; never empty.
    pub balance: Vec<String>,
    /// The currency of the credit.
    pub currency: Currency,
    /// What may stand for the currency beside its code.
    pub currency_words: Vec<String>,
    /// Whether amounts have a comma before their fraction.
    pub decimal_comma: bool,
    /// The unit of data that is told without one.
    pub data_unit: Option<String>,
    /// What ends, and how the end is written.
    pub ends: Option<UssdEnds>,
    /// How long one exchange with the network may take.
    pub time_limit: Secs,
    /// Who sends the answer by text message, where it comes so.
    pub sms: Option<UssdSms>,
    /// Topping up by vouchers.
    pub top_up: Option<UssdTopUp>,
}

/// An answer by text message.
#[derive(Clone, Debug)]
pub struct UssdSms {
    /// Its senders; never empty.
    pub from: Vec<String>,
    /// Whether it is deleted when it was read.
    pub delete: bool,
}

/// What ends, and how the end is written.
#[derive(Clone, Debug)]
pub struct UssdEnds {
    /// What ends.
    pub of: EndKind,
    /// The forms of the end, in the notation of `strftime`; never empty.
    pub formats: Vec<String>,
}

/// Topping up by vouchers.
#[derive(Clone, Debug)]
pub struct UssdTopUp {
    /// The code, with `{voucher}` where the voucher goes.
    pub code: String,
    /// Patterns of answers that mean "taken"; never empty.
    pub success: Vec<String>,
    /// Patterns of answers that mean "refused".
    pub refused: Vec<String>,
    /// The vouchers, a list for each amount.
    pub vouchers: Vec<UssdVouchers>,
}

/// Vouchers of one amount.
#[derive(Clone, Debug)]
pub struct UssdVouchers {
    /// What one puts on the card.
    pub worth: Money,
    /// What one cost.
    pub price: Money,
    /// The file with one voucher a line.
    pub list: SecretRef,
}
