//! The table of cards in modems of this machine: codes, patterns and vouchers, written by the person who has them.
//!
//! What has a form of its own (codes, answers to menus) is checked here; the patterns are read where they are used.

use super::account::{AccountKind, UssdAccess, UssdEnds, UssdSms, UssdTopUp, UssdVouchers};
use super::account_file::AnyAccountTable;
use super::containers::OneOrMore;
use super::declare::{table, texts, words};
use super::machine_file::texts;
use super::reader::{At, Field, Notes, Span};
use super::secret::SecretRef;
use super::values::Words;
use crate::domain::money::{Currency, Money};
use crate::domain::reading::EndKind;
use crate::domain::time::Secs;

/// How long one exchange with the network may take if nothing is said: ModemManager itself waits up to 100 s.
const LIMIT_USUAL: Secs = Secs(110);
/// Where a code takes its voucher.
const PLACE: &str = "{voucher}";

words! {
    EndKind, "an end of a card": { "credit" => EndKind::Credit, "plan" => EndKind::Plan, "number" => EndKind::Number, }
}

texts! {
    UssdCode, "UssdCode", "a USSD code", r"^[*#][0-9*#]*#$", "*101#", ussd_code;
    VoucherCode, "VoucherCode", "a USSD code with a place for the voucher", r"^[*#][0-9*#]*\{voucher\}[0-9*#]*#$", "*103*{voucher}#", voucher_code;
    MenuReply, "MenuReply", "an answer to a menu", r"^[0-9A-Za-z*#]{1,20}$", "2", menu_reply;
}

/// A code that reads, dialled as it stands.
#[derive(Clone, Debug)]
pub(super) struct UssdCode(String);

/// A code that tops up.
#[derive(Clone, Debug)]
pub(super) struct VoucherCode(String);

/// What is sent to a menu.
#[derive(Clone, Debug)]
pub(super) struct MenuReply(String);

fn ussd_code(text: &str) -> Result<UssdCode, String> {
    if is_code(text) {
        return Ok(UssdCode(text.to_owned()));
    }
    Err(format!("`{text}` is not a USSD code; it begins with * or #, ends with #, and has digits, * and # between"))
}

fn voucher_code(text: &str) -> Result<VoucherCode, String> {
    if text.contains(PLACE) && is_code(&text.replacen(PLACE, "0", 1)) {
        return Ok(VoucherCode(text.to_owned()));
    }
    Err(format!("`{text}` is not a code for vouchers; write the USSD code with {PLACE} in it once"))
}

fn menu_reply(text: &str) -> Result<MenuReply, String> {
    let good = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'#'));
    if good && (1..=20).contains(&text.len()) {
        return Ok(MenuReply(text.to_owned()));
    }
    Err(format!("`{text}` is no answer to a menu; write what one would type, up to 20 digits, letters, * or #"))
}

fn is_code(text: &str) -> bool {
    let inside = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#'));
    let digits = text.bytes().any(|b| b.is_ascii_digit());
    inside && digits && text.len() <= 60 && text.starts_with(['*', '#']) && text.ends_with('#')
}

table! {
    /// Cards in modems of this machine, by ModemManager.
    struct UssdTable with any: AnyAccountTable {
        /// The address of the bus; the system's if nothing is said.
        may bus: Words,
        /// The code that tells the balance, dialled exactly as it stands.
        must read: UssdCode,
        /// What to answer to menus on the way to the balance, in order.
        may menu: Vec<At<MenuTable>>,
        /// Patterns of texts that tell no balance, such as notices of maintenance; tried first.
        may no_balance: OneOrMore<Words>,
        /// Patterns with named groups: credit, currency, data, data_unit, voice, sms, ends. The first that fits tells.
        must balance: OneOrMore<Words>,
        /// The currency of the credit.
        must currency: Currency,
        /// What may stand in the group `currency` beside the code, such as "€".
        may currency_words: OneOrMore<Words>,
        /// Whether amounts have a comma before their fraction; false if nothing is said.
        may decimal_comma: bool,
        /// The unit of data that is told without one, such as "MB".
        may data_unit: Words,
        /// What the group `ends` is the end of.
        may ends: EndKind,
        /// How the group `ends` is written, in the notation of strftime, such as "%d.%m.%Y".
        may ends_format: OneOrMore<Words>,
        /// How long one exchange with the network may take; 110s if nothing is said.
        may time_limit: Secs,
        /// Where the answer comes by text message and not on the exchange itself.
        may sms: SmsTable,
        /// Topping up by vouchers.
        may top_up: TopUpTable,
    }
}

table! {
    /// One answer to a menu.
    struct MenuTable {
        /// A pattern of the menu; nothing is answered to any other text.
        must expect: Words,
        /// The answer, sent exactly as it stands.
        must reply: MenuReply,
    }
}

table! {
    /// An answer by text message.
    struct SmsTable {
        /// Its senders, exactly as `mmcli -s N` shows them.
        must from: OneOrMore<Words>,
        /// Whether it is deleted when it was read; false if nothing is said.
        may delete: bool,
    }
}

table! {
    /// Topping up by vouchers that were paid for before.
    struct TopUpTable {
        /// The code, with {voucher} where the voucher goes.
        must code: VoucherCode,
        /// Patterns of answers that mean "taken".
        must success: OneOrMore<Words>,
        /// Patterns of answers that mean "refused, for certain". Everything else stays unknown.
        may refused: OneOrMore<Words>,
        /// The vouchers, a list for each amount.
        must vouchers: OneOrMore<VouchersTable>,
    }
}

table! {
    /// Vouchers of one amount.
    struct VouchersTable {
        /// What one puts on the card.
        must worth: Money,
        /// What one cost; what it is worth, if nothing is said.
        may price: Money,
        /// The file with one voucher a line.
        must list: SecretRef,
    }
}

/// The cards that a table describes.
pub(super) fn ussd(table: &UssdTable, notes: &mut Notes<'_>) -> Option<AccountKind> {
    if let Some(limit) = table.time_limit.good()
        && limit.value < Secs(1)
    {
        notes.contradiction(&limit.span, "no network answers in no time", "time_limit = \"110s\"".to_owned());
    }
    let ends = ends(table, notes);
    let balance = some(&table.balance, "one pattern at least, with a group such as (?P<credit>[0-9.]+)", notes);
    let menu = table.menu.get().into_iter().flatten();
    let menu = menu.filter_map(|at| Some((at.value.expect.get()?.0.clone(), at.value.reply.get()?.0.clone())));
    let top_up = table.top_up.get().map(|table| top_up(table, notes));
    let sms = table.sms.get().map(|table| sms(table, notes));
    Some(AccountKind::Ussd(Box::new(UssdAccess {
        bus: table.bus.get().map(|words| words.0.clone()),
        read: table.read.get()?.0.clone(),
        menu: menu.collect(),
        no_balance: texts(&table.no_balance),
        balance: balance?,
        currency: *table.currency.get()?,
        currency_words: texts(&table.currency_words),
        decimal_comma: table.decimal_comma.get().copied().unwrap_or(false),
        data_unit: table.data_unit.get().map(|words| words.0.clone()),
        ends,
        time_limit: table.time_limit.get().copied().unwrap_or(LIMIT_USUAL),
        sms: all_or_none(sms)?,
        top_up: all_or_none(top_up)?,
    })))
}

/// A kind of end and its forms belong together, and a day is a day somewhere.
fn ends(table: &UssdTable, notes: &mut Notes<'_>) -> Option<UssdEnds> {
    match (&table.ends, &table.ends_format) {
        (Field::Good(kind), Field::Absent) => {
            let help = "add ends_format = \"%d.%m.%Y\", as the operator writes it".to_owned();
            notes.contradiction(&kind.key, "it is not said how the end is written", help);
        }
        (Field::Absent, Field::Good(format)) => {
            let help = "add ends = \"credit\", \"plan\" or \"number\"".to_owned();
            notes.contradiction(&format.key, "it is not said what ends", help);
        }
        (Field::Good(kind), Field::Good(_)) if table.any.zone.is_absent() => {
            let help = "add zone = \"Europe/Berlin\", where the operator is".to_owned();
            notes.contradiction(&kind.key, "a day ends at another time in each zone, and none is named", help);
        }
        (Field::Absent | Field::Bad | Field::Good(_), _) => {}
    }
    Some(UssdEnds { of: *table.ends.get()?, formats: texts(&table.ends_format) })
}

/// What is there must be whole.
fn all_or_none<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    read.map_or(Some(None), |read| read.map(Some))
}

fn sms(table: &SmsTable, notes: &mut Notes<'_>) -> Option<UssdSms> {
    let from = some(&table.from, "who sends the answer, such as from = \"777\"", notes)?;
    Some(UssdSms { from, delete: table.delete.get().copied().unwrap_or(false) })
}

fn top_up(table: &TopUpTable, notes: &mut Notes<'_>) -> Option<UssdTopUp> {
    let success = some(&table.success, "a pattern of the operator's words for success", notes);
    let mut vouchers: Vec<UssdVouchers> = Vec::new();
    for at in table.vouchers.get().into_iter().flat_map(|list| &list.0) {
        let Some(read) = one_list(&at.value, notes) else { continue };
        if vouchers.iter().any(|other| other.worth == read.worth) {
            let help = "put them into one file".to_owned();
            notes.contradiction(place(&at.value.worth, at), "two lists of vouchers are worth the same", help);
        }
        vouchers.push(read);
    }
    if let Some(list) = table.vouchers.good().filter(|list| list.value.0.is_empty()) {
        let help = "vouchers = [{ worth = \"10 EUR\", list = { file = \"…\" } }]".to_owned();
        notes.contradiction(&list.span, "there is no list of vouchers", help);
    }
    let code = table.code.get()?.0.clone();
    Some(UssdTopUp { code, success: success?, refused: texts(&table.refused), vouchers })
}

fn one_list(table: &VouchersTable, notes: &mut Notes<'_>) -> Option<UssdVouchers> {
    let worth = *table.worth.get()?;
    for money in [table.worth.good(), table.price.good()].into_iter().flatten() {
        if money.value.ten_thousandths() == 0 {
            notes.contradiction(&money.span, "a voucher of nothing is none", "worth = \"10 EUR\"".to_owned());
        }
    }
    let price = match &table.price {
        Field::Absent => worth,
        Field::Good(price) => price.value,
        Field::Bad => return None,
    };
    Some(UssdVouchers { worth, price, list: table.list.get()?.clone() })
}

fn place<'a, T>(money: &'a Field<Money>, at: &'a At<T>) -> &'a Span {
    money.good().map_or(&at.span, |money| &money.span)
}

/// The texts of a list that must hold one.
fn some(field: &Field<OneOrMore<Words>>, help: &str, notes: &mut Notes<'_>) -> Option<Vec<String>> {
    let list = field.good()?;
    if list.value.0.is_empty() {
        notes.contradiction(&list.span, "this list is empty", help.to_owned());
        return None;
    }
    Some(texts(field))
}
