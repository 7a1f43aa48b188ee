//! The calls of a profile: what each asks, and what it takes from the answer.

use std::ops::RangeInclusive;

use super::field::{Amount, At, LengthAt, MoneyAt, TimeAt, Words};
use super::paging::Paging;
use super::path::Paths;
use super::request::Request;
use super::rules::Match;
use super::when::Condition;
use crate::domain::money::Money;
use crate::domain::plan::Plan;
use crate::domain::reading::{AllowanceState, CardState, Renewable};

/// A list in an answer.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) rows: Paths,
    /// Which of its rows count.
    pub(super) when: Vec<Condition>,
    /// Whether an answer may lack the list.
    pub(super) may_lack: bool,
}

/// What an allowance is of, and its amounts.
#[derive(Clone, Debug)]
pub(super) enum Amounts {
    /// Data, calls or messages.
    Counted { kind: super::fields::Kind, remaining: Option<Amount>, used: Option<Amount>, total: Option<Amount> },
    /// Money.
    Credit { remaining: MoneyAt, total: Option<MoneyAt> },
}

/// One kind of allowance on a card.
#[derive(Clone, Debug)]
pub(super) struct AllowanceAt {
    pub(super) list: Option<List>,
    pub(super) amounts: Amounts,
    pub(super) unlimited: Vec<Condition>,
    pub(super) state: Option<Words<AllowanceState>>,
    pub(super) starts: Option<TimeAt>,
    pub(super) ends: Option<TimeAt>,
    /// The plan ends when the last of these ends.
    pub(super) ends_plan: bool,
}

/// What an answer says about a card.
#[derive(Clone, Debug, Default)]
pub(super) struct CardParts {
    pub(super) state: Option<Words<CardState>>,
    pub(super) renewable: Option<Words<Renewable>>,
    pub(super) as_of: Option<TimeAt>,
    pub(super) plan_ends: Option<TimeAt>,
    pub(super) credit_ends: Option<TimeAt>,
    pub(super) number_ends: Option<TimeAt>,
    pub(super) plan: Option<At>,
    pub(super) assets: Option<Paths>,
    pub(super) allowances: Vec<AllowanceAt>,
}

/// One request of a reading.
#[derive(Clone, Debug)]
pub(super) struct ReadStep {
    pub(super) request: Request,
    /// The list in which the card is one row.
    pub(super) list: Option<List>,
    /// What shows that the answer is about the card.
    pub(super) must: Vec<Condition>,
    pub(super) parts: CardParts,
    pub(super) capture: Vec<(String, At)>,
    /// Whether it is left out where an earlier answer did not give what it needs.
    pub(super) optional: bool,
}

/// The list of all cards, from which many are read at once.
#[derive(Clone, Debug)]
pub(super) struct ReadMany {
    pub(super) request: Request,
    pub(super) paging: Option<Paging>,
    pub(super) list: List,
    pub(super) iccid: At,
    pub(super) parts: CardParts,
}

/// Where an offer's values stand.
#[derive(Clone, Debug, Default)]
pub(super) struct OfferAt {
    pub(super) id: Vec<At>,
    pub(super) name: Option<At>,
    pub(super) price: Option<MoneyAt>,
    pub(super) validity: Option<LengthAt>,
    pub(super) data: Option<Amount>,
    pub(super) unlimited_data: Vec<Condition>,
    pub(super) voice: Option<Amount>,
    pub(super) sms: Option<Amount>,
    pub(super) credit: Option<MoneyAt>,
}

/// Any amount between two: one plan for each step.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) id: Vec<At>,
    pub(super) min: MoneyAt,
    pub(super) max: MoneyAt,
    /// In ten-thousandths.
    pub(super) step: i64,
}

/// What is on sale.
#[derive(Clone, Debug, Default)]
pub(super) struct CatalogueAt {
    pub(super) request: Option<Request>,
    pub(super) paging: Option<Paging>,
    pub(super) list: Option<List>,
    pub(super) offer: OfferAt,
    pub(super) range: Option<Range>,
    /// Plans that stand in the profile itself.
    pub(super) fixed: Vec<Plan>,
}

/// What a plan costs at this moment.
#[derive(Clone, Debug)]
pub(super) struct PreflightAt {
    pub(super) request: Request,
    pub(super) list: Option<List>,
    pub(super) gone: Vec<Match>,
    pub(super) offer: OfferAt,
}

/// The wallet.
#[derive(Clone, Debug)]
pub(super) struct WalletAt {
    pub(super) request: Request,
    pub(super) balance: MoneyAt,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderState {
    Accepted,
    Pending,
    Refused,
    Reversed,
}

/// What a reservation must say before it is committed.
#[derive(Clone, Debug)]
pub(super) struct Reserved {
    pub(super) when: Vec<Condition>,
    pub(super) order_id: At,
    pub(super) price: Option<MoneyAt>,
    pub(super) capture: Vec<(String, At)>,
    pub(super) commit: Request,
}

/// What proves that an answer is for our order.
#[derive(Clone, Debug)]
pub(super) struct Success {
    pub(super) status: Vec<RangeInclusive<u16>>,
    pub(super) pending_status: Vec<RangeInclusive<u16>>,
    pub(super) when: Vec<Condition>,
    pub(super) echoes_nothing: bool,
    pub(super) order: OrderAt,
}

impl Success {
    /// One that proves nothing.
    pub(super) fn nothing() -> Self {
        let (status, pending_status, when) = (Vec::new(), Vec::new(), Vec::new());
        Self { status, pending_status, when, echoes_nothing: false, order: OrderAt::default() }
    }
}

/// Where an order's values stand.
#[derive(Clone, Debug, Default)]
pub(super) struct OrderAt {
    pub(super) order_id: Option<At>,
    pub(super) charged: Option<MoneyAt>,
    pub(super) state: Option<Words<OrderState>>,
    pub(super) why: Option<At>,
}

/// An order.
#[derive(Clone, Debug)]
pub(super) struct BuyAt {
    pub(super) request: Request,
    pub(super) reserved: Option<Reserved>,
    pub(super) success: Success,
}

/// How an order is found again.
#[derive(Clone, Debug)]
pub(super) struct FindAt {
    pub(super) request: Request,
    pub(super) paging: Option<Paging>,
    pub(super) rows: Option<Paths>,
    /// The rows tell ids only: each order is asked for as `[find_by_id]` says.
    pub(super) by_id: bool,
    pub(super) when: Vec<Condition>,
    pub(super) time: Option<TimeAt>,
    pub(super) nothing: Vec<Match>,
    pub(super) order: OrderAt,
}

/// The account's cards.
#[derive(Clone, Debug)]
pub(super) struct DiscoverAt {
    pub(super) request: Request,
    pub(super) paging: Option<Paging>,
    pub(super) list: List,
    pub(super) iccid: Option<At>,
    pub(super) msisdn: Option<At>,
    pub(super) label: Option<At>,
    pub(super) fields: Vec<(String, At)>,
}

/// Over what a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LimitScope {
    Account,
    Card,
    Call,
}

/// How fast we may call.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    pub(super) calls: u32,
    pub(super) per: std::time::Duration,
    pub(super) scope: LimitScope,
    pub(super) of: Vec<String>,
}

/// The smallest step of a range of amounts, in ten-thousandths, and the amounts that a range may have.
pub(super) const RANGE_PLANS_MAX: usize = 500;

/// What is left of money below one step is not sold.
pub(super) fn steps(min: Money, max: Money, step: i64) -> Vec<Money> {
    let first = min.ten_thousandths().div_euclid(step) + i64::from(min.ten_thousandths().rem_euclid(step) != 0);
    let amounts =
        (first..).map(|count| count.saturating_mul(step)).take_while(|amount| *amount <= max.ten_thousandths());
    amounts
        .filter(|amount| *amount > 0)
        .take(RANGE_PLANS_MAX)
        .map(|amount| Money::new(amount, min.currency()))
        .collect()
}
