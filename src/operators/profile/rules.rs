//! What the operator's errors mean: rules in their order, the first that fits counts.

use std::ops::RangeInclusive;

use super::field::At;
use super::fields::at;
use super::path::Doc;
use super::place::Place;
use super::tree::{Item, Table};
use super::when::{Condition, Known, Verdict, all, read_conditions};
use crate::domain::operator::RefusalKind;

/// What an error means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Try again later.
    Later,
    /// A refusal of this kind.
    Refusal(RefusalKind),
    /// Nothing can be concluded.
    Unknown,
    /// The reference is known to the operator: the first order arrived.
    AlreadyUsed,
    /// The operator still works on it.
    Pending,
}

/// The words of classes.
pub(super) const CLASSES: &[(&str, Class)] = &[
    ("later", Class::Later),
    ("access", Class::Refusal(RefusalKind::Access)),
    ("wallet_empty", Class::Refusal(RefusalKind::WalletEmpty)),
    ("payment_declined", Class::Refusal(RefusalKind::PaymentDeclined)),
    ("plan_gone", Class::Refusal(RefusalKind::PlanGone)),
    ("passing", Class::Refusal(RefusalKind::Passing)),
    ("card_dead", Class::Refusal(RefusalKind::CardDead)),
    ("card_data", Class::Refusal(RefusalKind::CardData)),
    ("not_active", Class::Refusal(RefusalKind::NotActive)),
    ("bad_code", Class::Refusal(RefusalKind::BadCode)),
    ("other", Class::Refusal(RefusalKind::Other)),
    ("unknown", Class::Unknown),
    ("already_used", Class::AlreadyUsed),
    ("pending", Class::Pending),
];

/// The calls that a rule may be for.
const CALLS: &[(&str, &str)] = &[
    ("read", "read"),
    ("read_many", "read_many"),
    ("wallet", "wallet"),
    ("catalogue", "catalogue"),
    ("preflight", "preflight"),
    ("buy", "buy"),
    ("find", "find"),
    ("find_by_id", "find_by_id"),
    ("discover", "discover"),
];

/// Which answers a rule fits.
#[derive(Clone, Debug)]
pub(super) struct Match {
    status: Vec<RangeInclusive<u16>>,
    conditions: Vec<Condition>,
}

impl Match {
    fn read(table: &Table<'_>, place: &Place<'_>) -> Self {
        let status = table.item("status").map(|item| item.one_or_list()).unwrap_or_default();
        let status: Vec<_> = status.iter().filter_map(statuses).collect();
        let conditions = if table.has("path") {
            Condition::read_keys(table, place).into_iter().collect()
        } else {
            read_conditions(table, "when", place)
        };
        if !table.has("status") && !table.has("path") && !table.has("when") {
            table.wrong(
                "this rule fits every answer",
                "say which: status = [404], or path = \"$.code\" with is = \"…\", or both",
            );
        }
        Self { status, conditions }
    }

    /// Whether it fits; an answer that is no document fits no condition.
    pub(super) fn fits(&self, status: u16, doc: Option<Doc<'_>>, known: Known<'_>) -> bool {
        let by_status = self.status.is_empty() || self.status.iter().any(|range| range.contains(&status));
        let by_body =
            self.conditions.is_empty() || doc.is_some_and(|doc| all(&self.conditions, doc, known) == Verdict::Holds);
        by_status && by_body
    }

    /// Reads `[[nothing]]`: answers that say that there is no such order.
    pub(super) fn read_all(table: &Table<'_>, key: &'static str, place: &Place<'_>) -> Vec<Self> {
        let read = |table: &Table<'_>| {
            let found = Self::read(table, place);
            table.close();
            found
        };
        table.tables(key).iter().map(read).collect()
    }
}

/// Statuses: a number, or `"4xx"`.
pub(super) fn statuses(item: &Item<'_>) -> Option<RangeInclusive<u16>> {
    if let Some(text) = item.text() {
        let hundred = text.strip_suffix("xx").and_then(|hundred| hundred.parse::<u16>().ok());
        let hundred = hundred.filter(|hundred| (1..=5).contains(hundred));
        if hundred.is_none() {
            item.wrong(format!("`{text}` is no status"), "a number such as 404, or \"4xx\"");
        }
        return hundred.map(|hundred| hundred * 100..=hundred * 100 + 99);
    }
    let status = u16::try_from(item.count(100..=599)?).ok()?;
    Some(status..=status)
}

/// One rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    when: Match,
    calls: Vec<&'static str>,
    pub(super) class: Class,
    /// Whether the operator documents that an order so answered was not taken.
    pub(super) certain: bool,
    /// The code as written in the rule, for lists.
    pub(super) shown: String,
}

impl Rule {
    /// Reads one table of `[[errors]]`.
    pub(super) fn read(table: &Table<'_>, place: &Place<'_>) -> Option<Self> {
        let when = Match::read(table, place);
        let class = table.must("class", "\"wallet_empty\"").and_then(|item| item.word(CLASSES));
        let certain = table.yes("certain");
        let calls = table.item("for").map(|item| item.one_or_list()).unwrap_or_default();
        let calls = calls.iter().filter_map(|item| item.word(CALLS)).collect();
        let codes = table.item("is").map(|item| item.one_or_list()).unwrap_or_default();
        let codes: Vec<String> = codes.iter().filter_map(Item::scalar).collect();
        let status = table.item("status").map(|item| item.one_or_list()).unwrap_or_default();
        let status: Vec<String> = status.iter().filter_map(Item::scalar).map(|text| format!("HTTP {text}")).collect();
        table.text("note");
        table.close();
        let shown = if codes.is_empty() { status.join(", ") } else { codes.join(", ") };
        if certain && matches!(class, Some(Class::Unknown | Class::AlreadyUsed | Class::Pending)) {
            table
                .wrong("this class is never certain", "`certain` is for answers that mean: not taken, nothing charged");
        }
        Some(Self { when, calls, class: class?, certain, shown })
    }

    /// Whether it fits an answer to `call`, such as `read` or `buy.commit`. A look-up that succeeds answers an order, and
    /// the order's own error is not one of the look-up, so that only a rule that names the call fits it.
    pub(super) fn fits(&self, call: &str, status: u16, doc: Option<Doc<'_>>, known: Known<'_>) -> bool {
        let call = call.split(['.', '[']).next().unwrap_or(call);
        let is_order = call.starts_with("find") && (200..300).contains(&status);
        let for_call = if self.calls.is_empty() { !is_order } else { self.calls.contains(&call) };
        for_call && self.when.fits(status, doc, known)
    }
}

/// What holds for all answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    /// What every good answer fulfils.
    pub(super) ok: Vec<Condition>,
    /// The operator's code of an error.
    pub(super) code: Option<At>,
    /// The operator's words of an error.
    pub(super) text: Option<At>,
    /// How many bytes of an answer are read.
    pub(super) longest: Option<usize>,
}

impl Answers {
    /// Reads `[answers]`.
    pub(super) fn read(table: &Table<'_>, place: &Place<'_>) -> Self {
        let ok = read_conditions(table, "ok", place);
        let code = table.item("code").and_then(|item| at(&item));
        let text = table.item("text").and_then(|item| at(&item));
        let longest = table.item("longest_mib").and_then(|item| item.count(1..=64));
        table.close();
        Self { ok, code, text, longest: longest.and_then(|mib| usize::try_from(mib << 20).ok()) }
    }

    /// The operator's code and words of an error, as far as it tells.
    pub(super) fn told(&self, doc: Option<Doc<'_>>) -> (Option<String>, Option<String>) {
        let read = |at: &Option<At>| doc.zip(at.as_ref()).and_then(|(doc, at)| at.texts(doc).into_iter().next());
        (read(&self.code), read(&self.text))
    }
}
