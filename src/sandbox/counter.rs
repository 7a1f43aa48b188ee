//! The counter: orders come in, are checked, charged and put in the book, and can be looked up again.

use serde_json::{Value, json};

use super::answers::{Reply, order_answer};
use super::card::Life;
use super::fault::FaultKind;
use super::orders::{OrderRecord, OrderRequest, Outcome, Twist, order_id};
use super::plans::{CardKind, NoPrice};
use super::settings::{Class, PAYMENT_METHODS};
use super::world::{Event, World, percent_of};
use crate::domain::money::Money;
use crate::domain::plan::Plan;
use crate::domain::time::{Secs, UnixTime};

impl World {
    /// An order comes in; `fault` may keep it from being worked off.
    pub(super) fn buy(&mut self, request: OrderRequest, now: UnixTime, fault: Option<&FaultKind>) -> Reply {
        if let Some(FaultKind::AcceptedLate { secs }) = fault {
            self.happen(now.plus(Secs(*secs)), Event::Accept(request.clone()));
            self.book.remember(request, Outcome::InProgress, now);
            return Reply::error(202, "in_progress");
        }
        if let Some(reply) = self.replay(&request, now) {
            return reply;
        }
        let percent = match fault {
            Some(FaultKind::PriceChanged { percent }) => *percent,
            _ => 100,
        };
        let outcome = match fault {
            Some(FaultKind::PlanGone) => Outcome::Refused("plan_gone"),
            _ => self.place(&request, Twist::of(fault), percent, now),
        };
        self.book.remember(request, outcome.clone(), now);
        self.outcome_reply(&outcome, now, false)
    }

    /// The first answer to this reference, where the operator honours it.
    fn replay(&self, request: &OrderRequest, now: UnixTime) -> Option<Reply> {
        let Class::KeyHonoured { window_secs } = self.settings.class else { return None };
        let seen = self.book.seen(&request.reference)?;
        if now.since(seen.at) >= Secs(window_secs) {
            return None;
        }
        if seen.request != *request {
            return Some(Reply::error(409, "reference_mismatch"));
        }
        Some(self.outcome_reply(&seen.outcome, now, true))
    }

    fn outcome_reply(&self, outcome: &Outcome, now: UnixTime, replayed: bool) -> Reply {
        match outcome {
            Outcome::InProgress => Reply::error(409, "in_progress"),
            Outcome::Refused(code) => Reply::error(422, code),
            Outcome::Order(no) => match self.book.by_no(*no) {
                Some(order) => Reply::json(200, &order_answer(order, now, replayed)),
                None => Reply::error(409, "reference_used"),
            },
        }
    }

    /// Takes an order, or says why not. Nothing in between: what is charged is in the book.
    pub(super) fn place(&mut self, request: &OrderRequest, twist: Twist, percent: u32, now: UnixTime) -> Outcome {
        let price = match self.checked_price(request, percent, now) {
            Ok(price) => price,
            Err(code) => return Outcome::Refused(code),
        };
        let Some(plan) = self.plan_for(&request.iccid, &request.plan_id) else {
            return Outcome::Refused("plan_gone");
        };
        if request.payment == "wallet" {
            self.wallet -= price.ten_thousandths();
        }
        let no = self.record(&request.reference, &request.iccid, plan, price, &request.payment, twist, now);
        Outcome::Order(no)
    }

    fn checked_price(&mut self, request: &OrderRequest, percent: u32, now: UnixTime) -> Result<Money, &'static str> {
        let card = self.card(&request.iccid, now).ok_or("card_unknown")?;
        match (card.life, card.kind) {
            (Life::Recycled, _) => return Err("card_recycled"),
            (Life::Blocked, _) => return Err("card_blocked"),
            (Life::NotInstalled | Life::NotActive, _) => return Err("card_not_active"),
            (Life::Live, CardKind::OneOff) => return Err("card_one_off"),
            (Life::Live, CardKind::Data | CardKind::Phone) => {}
        }
        let kind = card.kind;
        let offer =
            self.offer(&request.iccid, &request.plan_id, kind, request.code.as_deref()).map_err(|no_price| {
                match no_price {
                    NoPrice::PlanGone => "plan_gone",
                    NoPrice::BadCode => "code_invalid",
                }
            })?;
        let price = percent_of(offer.price, percent);
        let currency = offer.price.currency();
        let expected = Money::from_decimal(&request.amount, currency).map_err(|_| "bad_request")?;
        // With a code the amount is the most that may be charged, without one it is the price itself.
        let agreed = match &request.code {
            Some(_) => price.ten_thousandths() <= expected.ten_thousandths(),
            None => price == expected,
        };
        if !agreed || request.currency != currency.code() {
            return Err("price_changed");
        }
        if !PAYMENT_METHODS.contains(&request.payment.as_str()) || self.declining.contains(&request.payment) {
            return Err("payment_declined");
        }
        if request.payment == "wallet" && self.wallet < price.ten_thousandths() {
            return Err("wallet_empty");
        }
        Ok(price)
    }

    /// The plan as it stands on the shelf, before any code.
    fn plan_for(&self, iccid: &str, id: &str) -> Option<Plan> {
        let own = self.cards.get(iccid).and_then(|card| card.own_plans.as_ref());
        own.map_or_else(|| self.shelf.plan(id).cloned(), |own| own.iter().find(|plan| plan.id == id).cloned())
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one row, named at the two places that write one")]
    fn record(
        &mut self,
        reference: &str,
        iccid: &str,
        plan: Plan,
        price: Money,
        payment: &str,
        twist: Twist,
        now: UnixTime,
    ) -> u64 {
        let no = self.book.next_no();
        let takes = match self.settings.class {
            Class::KeyHonoured { .. } | Class::LookupOnly => Secs(self.settings.order_takes_secs),
            // Who cannot be asked later answers at once.
            Class::Neither => Secs::ZERO,
        };
        let completes_at = now.plus(takes);
        let reversed_at = twist.fails_after.map(|after| now.plus(after));
        self.book.add(OrderRecord {
            no,
            reference: reference.to_owned(),
            iccid: iccid.to_owned(),
            plan,
            price,
            payment: payment.to_owned(),
            created_at: now,
            completes_at: (!twist.never_completes).then_some(completes_at),
            reversed_at,
            says_failed_until: twist.says_failed_for.map(|length| now.plus(length)),
            listed_twice: twist.listed_twice,
            by_person: reference.is_empty(),
        });
        let effect_at = completes_at.plus(Secs(self.settings.effect_takes_secs)).plus(twist.effect_delay);
        if !twist.no_effect && reversed_at.is_none_or(|reversed| effect_at < reversed) {
            self.happen(effect_at, Event::Effect(no));
        }
        if let Some(reversed) = reversed_at {
            self.happen(reversed, Event::Reverse(no));
        }
        no
    }

    /// A person buys in the operator's own shop: by card, without a reference.
    pub(super) fn buy_by_hand(&mut self, iccid: &str, plan: &str, now: UnixTime) -> Option<String> {
        let kind = self.kind_of(iccid)?;
        let plan = self.shelf.offer(plan, kind, None).ok()?;
        let price = plan.price;
        let no = self.record("", iccid, plan, price, "card", Twist::default(), now);
        Some(order_id(no))
    }

    /// An order by the client's reference or by our id.
    pub(super) fn find_one(&self, reference: &str, now: UnixTime) -> Reply {
        match self.settings.class {
            Class::KeyHonoured { .. } => {}
            Class::LookupOnly | Class::Neither => return Reply::error(404, "not_offered"),
        }
        match self.book.named(reference).filter(|order| self.is_listed(order, now)) {
            Some(order) => Reply::json(200, &order_answer(order, now, false)),
            None => Reply::error(404, "order_unknown"),
        }
    }

    /// Orders of one card from a time on, oldest first, by pages from 1.
    pub(super) fn list_orders(&self, iccid: &str, from: i64, page: usize, now: UnixTime) -> Reply {
        match self.settings.class {
            Class::LookupOnly => {}
            Class::KeyHonoured { .. } | Class::Neither => return Reply::error(404, "not_offered"),
        }
        let entries: Vec<Value> = self
            .book
            .all()
            .filter(|order| order.iccid == iccid && order.created_at.secs() >= from && self.is_listed(order, now))
            .flat_map(|order| {
                let entry = order_answer(order, now, false);
                if order.listed_twice { vec![entry.clone(), entry] } else { vec![entry] }
            })
            .collect();
        let size = self.settings.page_size.max(1);
        let shown: Vec<&Value> = entries.iter().skip(page.saturating_sub(1).saturating_mul(size)).take(size).collect();
        Reply::json(200, &json!({ "orders": shown, "page": page, "pages": entries.len().div_ceil(size).max(1) }))
    }

    fn is_listed(&self, order: &OrderRecord, now: UnixTime) -> bool {
        now.since(order.created_at) >= Secs(self.settings.listing_delay_secs)
    }
}
