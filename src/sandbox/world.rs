//! The operator's state, and what each call does to it. Everything here is plain and immediate; how an answer travels,
//! or fails to, is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::answers::{Reply, capabilities, plan_answer, spoiled, write_card};
use super::card::{SimCard, fleet_index};
use super::fault::{Call, FaultKind, Faults};
use super::orders::{OrderBook, OrderRequest, Twist, order_id};
use super::plans::{CardKind, NoPrice, Shelf};
use super::settings::{FLEET_MAX, PAYMENT_METHODS, Settings};
use crate::domain::money::Money;
use crate::domain::plan::Plan;
use crate::domain::time::{Secs, UnixTime};

/// The plan that each card of a fleet starts with.
const FLEET_PLAN: &str = "data-3gb-30d";

/// Something that happens by itself at its time.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Effect(u64),
    Reverse(u64),
    Accept(OrderRequest),
}

/// The whole operator.
#[derive(Debug)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) cards: HashMap<String, SimCard>,
    pub(super) shelf: Shelf,
    pub(super) wallet: i64,
    pub(super) declining: BTreeSet<String>,
    pub(super) faults: Faults,
    pub(super) book: OrderBook,
    pub(super) requests: BTreeMap<Call, u64>,
    events: BTreeMap<(UnixTime, u64), Event>,
    events_made: u64,
    fleet_plan: Option<Plan>,
    opened: UnixTime,
}

impl World {
    pub(super) fn new(settings: Settings, now: UnixTime) -> Self {
        let shelf = Shelf::stocked(settings.currency());
        Self {
            wallet: settings.wallet.ten_thousandths(),
            fleet_plan: shelf.plan(FLEET_PLAN).cloned(),
            book: OrderBook::new(settings.orders_kept),
            shelf,
            settings,
            cards: HashMap::new(),
            declining: BTreeSet::new(),
            faults: Faults::default(),
            requests: BTreeMap::new(),
            events: BTreeMap::new(),
            events_made: 0,
            opened: now,
        }
    }

    /// Lets everything happen that was due by `now`.
    pub(super) fn settle(&mut self, now: UnixTime) {
        while let Some(entry) = self.events.first_entry() {
            let at = entry.key().0;
            if at > now {
                return;
            }
            match entry.remove() {
                Event::Effect(no) => self.take_effect(no, at),
                Event::Reverse(no) => self.reverse(no, at),
                Event::Accept(request) => {
                    let outcome = self.place(&request, Twist::default(), 100, at);
                    self.book.remember(request, outcome, at);
                }
            }
        }
    }

    pub(super) fn happen(&mut self, at: UnixTime, event: Event) {
        self.events_made += 1;
        self.events.insert((at, self.events_made), event);
    }

    fn take_effect(&mut self, no: u64, at: UnixTime) {
        let Some(order) = self.book.by_no(no) else { return };
        let (iccid, plan, usual) = (order.iccid.clone(), order.plan.clone(), self.settings.stacking);
        if let Some(card) = self.card(&iccid, at) {
            card.receive(order_id(no), &plan, card.stacking.unwrap_or(usual), at);
        }
    }

    fn reverse(&mut self, no: u64, at: UnixTime) {
        let Some(order) = self.book.by_no(no) else { return };
        if order.payment == "wallet" {
            self.wallet = self.wallet.saturating_add(order.price.ten_thousandths());
        }
        let iccid = order.iccid.clone();
        if let Some(card) = self.card(&iccid, at) {
            card.give_back(&order_id(no));
        }
    }

    /// A card with its use counted until `now`; a fleet's card is made and kept from here on.
    pub(super) fn card(&mut self, iccid: &str, now: UnixTime) -> Option<&mut SimCard> {
        if !self.cards.contains_key(iccid) {
            let made = self.fleet_card(iccid)?;
            self.cards.insert(iccid.to_owned(), made);
        }
        let card = self.cards.get_mut(iccid)?;
        card.advance(now);
        Some(card)
    }

    fn fleet_card(&self, iccid: &str) -> Option<SimCard> {
        let index = fleet_index(iccid).filter(|index| *index < self.settings.fleet.min(FLEET_MAX))?;
        Some(SimCard::of_fleet(index, self.settings.seed, self.fleet_plan.as_ref(), self.opened))
    }

    /// Writes the answer about one card; false if there is no such card. A fleet's card that nothing has happened to is
    /// made for the answer and forgotten, so that a million of them need no memory.
    pub(super) fn write_reading(
        &mut self,
        iccid: &str,
        now: UnixTime,
        fault: Option<&FaultKind>,
        out: &mut Vec<u8>,
    ) -> bool {
        let start = out.len();
        let known = if self.cards.contains_key(iccid) {
            self.write_known(iccid, now, fault, out)
        } else {
            self.write_untouched(iccid, now, out)
        };
        if let Some(fault) = fault.filter(|fault| known && fault.spoils_reading()) {
            let spoiled = spoiled(&out[start..], fault);
            out.truncate(start);
            out.extend_from_slice(&spoiled);
        }
        known
    }

    /// Keeps the answer of this moment, to be given when a reading is to be stale.
    pub(super) fn freeze(&mut self, iccid: &str, now: UnixTime) {
        let currency = self.settings.currency();
        if let Some(card) = self.card(iccid, now) {
            let mut answer = Vec::new();
            write_card(card, currency, now, &mut answer);
            card.frozen = Some(answer);
        }
    }

    fn write_untouched(&self, iccid: &str, now: UnixTime, out: &mut Vec<u8>) -> bool {
        let Some(mut card) = self.fleet_card(iccid) else { return false };
        let step = self.settings.cached_for_secs.max(1);
        let as_of = UnixTime::clamped(now.secs() - now.secs().rem_euclid(step)).max(self.opened);
        card.advance(as_of);
        write_card(&card, self.settings.currency(), as_of, out);
        true
    }

    fn write_known(&mut self, iccid: &str, now: UnixTime, fault: Option<&FaultKind>, out: &mut Vec<u8>) -> bool {
        let (currency, cached_for) = (self.settings.currency(), Secs(self.settings.cached_for_secs));
        let Some(card) = self.cards.get_mut(iccid) else { return false };
        if let (Some(FaultKind::StaleReading), Some(frozen)) = (fault, &card.frozen) {
            out.extend_from_slice(frozen);
            return true;
        }
        if let Some((as_of, answer)) = card.cached.as_ref().filter(|(as_of, _)| now.since(*as_of) < cached_for) {
            debug_assert!(*as_of <= now);
            out.extend_from_slice(answer);
            return true;
        }
        card.advance(now);
        let start = out.len();
        write_card(card, currency, now, out);
        card.cached = (cached_for > Secs::ZERO).then(|| (now, out[start..].to_vec()));
        true
    }

    pub(super) fn read_one(&mut self, iccid: &str, now: UnixTime, fault: Option<&FaultKind>) -> Reply {
        let mut body = Vec::new();
        match self.write_reading(iccid, now, fault, &mut body) {
            true => Reply { status: 200, body },
            false => Reply::error(404, "card_unknown"),
        }
    }

    /// The answer for many cards, and the first fault among theirs that concerns the whole answer.
    pub(super) fn read_many(&mut self, iccids: &[impl AsRef<str>], now: UnixTime) -> (Reply, Option<FaultKind>) {
        let mut body = Vec::with_capacity(iccids.len() * 320 + 16);
        let mut of_all = None;
        body.extend_from_slice(b"{\"cards\":[");
        for (place, iccid) in iccids.iter().map(AsRef::as_ref).enumerate() {
            if place > 0 {
                body.push(b',');
            }
            let fault = if self.faults.is_empty() { None } else { self.faults.take(Call::Read, Some(iccid)) };
            if !self.write_reading(iccid, now, fault.as_ref(), &mut body) {
                let missing =
                    json!({ "iccid": iccid, "error": { "code": "card_unknown", "message": "No such card." } });
                body.extend_from_slice(missing.to_string().as_bytes());
            }
            of_all = of_all.or(fault.filter(|fault| !fault.spoils_reading()));
        }
        body.extend_from_slice(b"]}");
        (Reply { status: 200, body }, of_all)
    }

    pub(super) fn list_cards(&self, page: usize) -> Reply {
        let size = super::settings::READ_BATCH_MAX;
        let fleet = self.settings.fleet.min(FLEET_MAX) as usize;
        let mut added: Vec<&str> =
            self.cards.keys().map(String::as_str).filter(|iccid| fleet_index(iccid).is_none()).collect();
        added.sort_unstable();
        let total = added.len() + fleet;
        let first = page.saturating_sub(1).saturating_mul(size);
        let iccids: Vec<String> = (first..total.min(first.saturating_add(size)))
            .map(|place| match added.get(place) {
                Some(iccid) => (*iccid).to_owned(),
                // The fleet has at most a million cards, so the number fits.
                None => super::card::fleet_iccid((place - added.len()) as u32),
            })
            .collect();
        Reply::json(200, &json!({ "iccids": iccids, "page": page, "pages": total.div_ceil(size).max(1) }))
    }

    pub(super) fn kind_of(&self, iccid: &str) -> Option<CardKind> {
        self.cards.get(iccid).map(|card| card.kind).or_else(|| self.fleet_card(iccid).map(|card| card.kind))
    }

    pub(super) fn catalogue(&self, iccid: &str, fault: Option<&FaultKind>) -> Reply {
        let Some(kind) = self.kind_of(iccid) else { return Reply::error(404, "card_unknown") };
        let gone = matches!(fault, Some(FaultKind::PlanGone));
        let on_sale: Vec<&Plan> = match self.own_plans(iccid) {
            Some(own) => own.iter().collect(),
            None => self.shelf.for_kind(kind).collect(),
        };
        let on_sale = on_sale.into_iter().filter(|_| !gone);
        let plans: Vec<Value> = on_sale.map(|plan| plan_answer(&repriced(plan, fault))).collect();
        Reply::json(200, &json!({ "plans": plans }))
    }

    pub(super) fn price(&self, iccid: &str, plan: &str, code: Option<&str>, fault: Option<&FaultKind>) -> Reply {
        let Some(kind) = self.kind_of(iccid) else { return Reply::error(404, "card_unknown") };
        if matches!(fault, Some(FaultKind::PlanGone)) {
            return Reply::error(404, "plan_gone");
        }
        match self.offer(iccid, plan, kind, code) {
            Ok(plan) => Reply::json(200, &plan_answer(&repriced(&plan, fault))),
            Err(NoPrice::PlanGone) => Reply::error(404, "plan_gone"),
            Err(NoPrice::BadCode) => Reply::error(422, "code_invalid"),
        }
    }

    /// What is sold for this card alone.
    fn own_plans(&self, iccid: &str) -> Option<&[Plan]> {
        self.cards.get(iccid)?.own_plans.as_deref()
    }

    /// The plan at the price that this card pays; whoever has plans of its own pays the same with any code.
    pub(super) fn offer(&self, iccid: &str, id: &str, kind: CardKind, code: Option<&str>) -> Result<Plan, NoPrice> {
        match self.own_plans(iccid) {
            Some(own) => own.iter().find(|plan| plan.id == id).cloned().ok_or(NoPrice::PlanGone),
            None => self.shelf.offer(id, kind, code),
        }
    }

    pub(super) fn wallet_answer(&self) -> Reply {
        let balance = Money::new(self.wallet, self.settings.currency());
        let body = json!({ "balance": balance.number(), "currency": balance.currency(), "methods": PAYMENT_METHODS });
        Reply::json(200, &body)
    }

    pub(super) fn capabilities(&self) -> Reply {
        Reply::json(200, &capabilities(&self.settings))
    }
}

fn repriced(plan: &Plan, fault: Option<&FaultKind>) -> Plan {
    let mut plan = plan.clone();
    if let Some(FaultKind::PriceChanged { percent }) = fault {
        plan.price = percent_of(plan.price, *percent);
    }
    plan
}

pub(super) fn percent_of(price: Money, percent: u32) -> Money {
    let changed = i128::from(price.ten_thousandths()) * i128::from(percent) / 100;
    Money::new(i64::try_from(changed).unwrap_or(i64::MAX), price.currency())
}
