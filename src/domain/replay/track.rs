//! One card's way through its readings: what the record did, what the rules would have done, and the card as it would have
//! been.

use std::collections::VecDeque;

use super::{Book, Bought, Need, Obstacle, Pair, Past, Replayed, UNREAD_MIN, Window};
use crate::domain::assess::{Action, Verdict, assess};
use crate::domain::attempt::AttemptId;
use crate::domain::carried;
use crate::domain::choose::{Occasion, choose};
use crate::domain::draft;
use crate::domain::forecast::Forecast;
use crate::domain::ledger::{Ledger, Spend};
use crate::domain::limits;
use crate::domain::money::Money;
use crate::domain::plan::Plan;
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Recent, WOBBLE};
use crate::domain::rule::{Rule, Trigger};
use crate::domain::time::{End, Secs, UnixTime};

/// One card at one moment of its past.
pub(super) struct Track<'a> {
    past: &'a Past,
    window: Window,
    needs: Vec<Need>,
    fixed: Vec<Spend>,
    /// The next reading.
    place: usize,
    /// A look between two readings: a wait ends there.
    looks_at: Option<UnixTime>,
    /// The last reading as it was.
    read: Option<&'a Reading>,
    /// The card as the replay sees it.
    seen: Recent,
    /// The card as it would be, while the two worlds have not bought the same.
    carried: Option<Reading>,
    /// Whether they bought different plans, so that they never come together again.
    parted: bool,
    /// Purchases of the record that the replay has not made.
    behind: VecDeque<Bought>,
    /// Purchases of the replay that the record has not made.
    ahead: VecDeque<Bought>,
    /// Nothing is decided before this: an order that both made is under way.
    busy_until: UnixTime,
    /// Whether the record tried for this need in vain.
    gave_up: bool,
    bought: Vec<Bought>,
    told: Replayed,
}

impl<'a> Track<'a> {
    pub(super) fn new(past: &'a Past, window: Window) -> Self {
        let inside = |reading: &&Reading| (window.from..window.to).contains(&reading.read_at);
        let mut told = Replayed {
            card: past.card.name.clone(),
            purchases: Vec::new(),
            held: Vec::new(),
            readings: past.readings.iter().filter(inside).count(),
            unread: Secs::ZERO,
        };
        let looks = past.readings.iter().filter(inside).map(|reading| reading.read_at);
        let mut last = window.from;
        for at in looks.chain([window.to]) {
            let gap = at.since(last);
            told.unread = if gap > UNREAD_MIN { Secs(told.unread.0 + gap.0) } else { told.unread };
            last = at;
        }
        Self {
            past,
            window,
            needs: past.needs(window),
            fixed: past.fixed(window),
            place: 0,
            looks_at: None,
            read: None,
            seen: Recent::default(),
            carried: None,
            parted: false,
            behind: VecDeque::new(),
            ahead: VecDeque::new(),
            busy_until: UnixTime::MIN,
            gave_up: false,
            bought: Vec::new(),
            told,
        }
    }

    /// Writes down what counts against shared limits whatever the rules say.
    pub(super) fn note_fixed(&self, book: &mut Book<'_>) {
        let card = &self.past.card;
        for spend in &self.fixed {
            let order = self.past.orders.iter().find(|order| order.attempt.id == spend.attempt);
            let account = order.map_or(&card.account, |order| &order.attempt.account);
            book.note(card, account, spend.at, spend.money);
        }
    }

    /// When it is looked at next.
    pub(super) fn next_at(&self) -> Option<UnixTime> {
        let reading = self.past.readings.get(self.place).map(|reading| reading.read_at);
        let next = reading.into_iter().chain(self.looks_at).min()?;
        (next < self.window.to).then_some(next)
    }

    /// Looks at the card at `at`, which is [`next_at`](Self::next_at).
    pub(super) fn step(&mut self, at: UnixTime, book: &mut Book<'_>) {
        self.looks_at = self.looks_at.filter(|look| *look > at);
        self.hear(at);
        let reading = self.past.readings.get(self.place).filter(|reading| reading.read_at <= at);
        if let Some(reading) = reading {
            self.place += 1;
            self.take(reading);
        }
        let held_back = self.past.held_back.iter().any(|time| (time.from..time.to).contains(&at));
        let occupied = at < self.busy_until || self.past.is_occupied(self.window, at);
        if at >= self.window.from && !occupied && !held_back {
            self.decide(at, book);
        }
    }

    /// What is left at the end: purchases that one world made alone.
    pub(super) fn finish(mut self) -> Replayed {
        self.hear(self.window.to);
        let alone = self.behind.into_iter().map(|before| Pair { before: Some(before), after: None });
        self.told.purchases.extend(alone);
        let alone = self.ahead.into_iter().map(|after| Pair { before: None, after: Some(after) });
        self.told.purchases.extend(alone);
        self.told.purchases.sort_by_key(Pair::at);
        self.told
    }

    /// Hears of what the record bought before now and the replay did not. What it bought in this very second it may have
    /// decided by this very reading.
    fn hear(&mut self, now: UnixTime) {
        while let Some(place) = self
            .needs
            .iter()
            .position(|need| !need.met && !need.heard && need.bought.as_ref().is_some_and(|bought| bought.at < now))
        {
            let need = &mut self.needs[place];
            need.heard = true;
            let (closed, Some(theirs)) = (need.closed, need.bought.clone()) else { continue };
            self.carry();
            match self.ahead.pop_front() {
                Some(mine) => self.pair(theirs, mine),
                None => self.behind.push_back(theirs),
            }
            if self.come_together() {
                // Until then the readings do not show it.
                self.busy_until = self.busy_until.max(closed);
            }
        }
    }

    /// Takes the next reading.
    fn take(&mut self, reading: &'a Reading) {
        if let (Some(carried), Some(last)) = (&mut self.carried, self.read) {
            let shown = |need: &Need| {
                let sent = need.bought.as_ref().filter(|bought| bought.at <= reading.read_at);
                sent.is_some() && need.closed >= last.read_at
            };
            follow(carried, last, reading, self.needs.iter().any(shown));
        }
        self.read = Some(reading);
        self.seen.previous = self.seen.latest.take();
        self.seen.latest = Some(self.carried.as_ref().unwrap_or(reading).clone());
    }

    fn decide(&mut self, now: UnixTime, book: &mut Book<'_>) {
        let spends = self.spends(now);
        let last = self.last(now);
        let ledger = Ledger {
            bought_at: last.as_ref().map(|bought| bought.at),
            cycle_length: last.as_ref().and_then(|bought| bought.plan.validity()),
            spends,
            pace: self.past.pace,
            ..Ledger::default()
        };
        let found = assess(&self.past.card, self.past.rule.as_ref(), &self.seen, &ledger, now);
        match found.verdict {
            Verdict::Wait { until } if until > now => self.looks_at = Some(until),
            Verdict::Fine => self.gave_up = false,
            _ => {}
        }
        let wanted = found.actions.into_iter().find_map(|action| match action {
            Action::Renew { trigger, ask } => Some((trigger, ask)),
            Action::Warn { .. } | Action::NewCycle => None,
        });
        if let (Some(wanted), Some(rule), false) = (wanted, &self.past.rule, self.gave_up) {
            self.renew(rule, wanted, last.as_ref(), &ledger.spends, now, book);
        }
    }

    fn renew(
        &mut self,
        rule: &Rule,
        (trigger, ask): (Trigger, bool),
        last: Option<&Bought>,
        spends: &[Spend],
        now: UnixTime,
        book: &mut Book<'_>,
    ) {
        let (card, catalogue, data_use) = (&self.past.card, self.past.on_sale(now), self.data_use(rule, now));
        let Some(reading) = &self.seen.latest else { return };
        let last_plan = last.map(|bought| bought.plan.id.as_str());
        let occasion = Occasion { card, rule, reading, last_plan, data_use: &data_use, spends, now };
        let chosen = choose(&occasion, &catalogue);
        if chosen.lasts {
            return;
        }
        let Some(plan) = chosen.plan.cloned() else { return self.hold(Obstacle::NotOnSale, now) };
        let met = self.needs.iter().position(|need| need.meets(now));
        let account =
            met.and_then(|place| self.needs[place].bought.as_ref()).map_or(&card.account, |theirs| &theirs.account);
        let account = account.clone();
        let crossed = limits::stops(&rule.limits, &plan, spends, None, &card.zone, now);
        if let Some(gate) = crossed.or_else(|| book.crossed(card, &account, &plan, now)) {
            return self.hold(Obstacle::Limit(gate), now);
        }
        let asks = ask || draft::asks(rule, self.paid(&plan, now), plan.price).is_some();
        let mine = Bought { at: now, paid: plan.price, plan, account, line: Some(trigger.line), asks };
        match met {
            Some(place) => self.buy_as_recorded(place, mine, book),
            None => self.buy_alone(mine, book),
        }
    }

    /// The record tried at the same moment: the order ends as it ended there.
    fn buy_as_recorded(&mut self, place: usize, mut mine: Bought, book: &mut Book<'_>) {
        let need = &mut self.needs[place];
        need.met = true;
        self.busy_until = self.busy_until.max(need.closed);
        let Some(theirs) = need.bought.clone() else {
            self.gave_up = true;
            return;
        };
        mine.at = theirs.at;
        if mine.plan.id == theirs.plan.id {
            mine.paid = theirs.paid;
        }
        if self.carried.is_some() || mine.plan.id != theirs.plan.id {
            self.put_on(&mine);
        }
        self.note(&mine, book);
        self.pair(theirs, mine);
        self.come_together();
    }

    fn buy_alone(&mut self, mine: Bought, book: &mut Book<'_>) {
        self.put_on(&mine);
        self.note(&mine, book);
        match self.behind.pop_front() {
            Some(theirs) => self.pair(theirs, mine),
            None => self.ahead.push_back(mine),
        }
        self.come_together();
    }

    fn put_on(&mut self, mine: &Bought) {
        self.carry();
        let stacking = self.past.stacking();
        if let Some(carried) = &mut self.carried {
            let at = mine.at.max(carried.read_at);
            carried::buy(carried, &mine.plan, stacking, at);
            carried.state = CardState::Active;
            (self.seen.latest, self.seen.previous) = (Some(carried.clone()), None);
        }
    }

    fn note(&mut self, mine: &Bought, book: &mut Book<'_>) {
        book.note(&self.past.card, &mine.account, mine.at, mine.paid);
        self.bought.push(mine.clone());
    }

    fn pair(&mut self, before: Bought, after: Bought) {
        self.parted |= before.plan.id != after.plan.id;
        self.told.purchases.push(Pair { before: Some(before), after: Some(after) });
    }

    fn hold(&mut self, why: Obstacle, now: UnixTime) {
        let same = |(_, before): &(UnixTime, Obstacle)| std::mem::discriminant(before) == std::mem::discriminant(&why);
        if !self.told.held.last().is_some_and(same) {
            self.told.held.push((now, why));
        }
    }

    /// From now on the card is not as it was read.
    fn carry(&mut self) {
        if self.carried.is_none() {
            self.carried.clone_from(&self.seen.latest);
        }
    }

    /// Whether both worlds have bought the same, so that the card is as it was read.
    fn come_together(&mut self) -> bool {
        let together = self.behind.is_empty() && self.ahead.is_empty() && !self.parted;
        if together && self.carried.take().is_some() {
            (self.seen.latest, self.seen.previous) = (self.read.cloned(), None);
        }
        together
    }

    /// Money of the last two months.
    fn spends(&self, now: UnixTime) -> Vec<Spend> {
        let mine = self.bought.iter().map(|bought| Spend { attempt: AttemptId(0), at: bought.at, money: bought.paid });
        let all = self.fixed.iter().copied().chain(mine);
        all.filter(|spend| spend.at <= now && now.since(spend.at) <= Secs::days(62)).collect()
    }

    fn last(&self, now: UnixTime) -> Option<Bought> {
        let fixed = self.past.last_fixed(self.window, now);
        fixed.into_iter().chain(self.bought.last().cloned()).max_by_key(|bought| bought.at)
    }

    fn paid(&self, plan: &Plan, now: UnixTime) -> Option<Money> {
        let mine = self.bought.iter().rev().find(|bought| bought.plan.id == plan.id).map(|bought| bought.paid);
        mine.or_else(|| self.past.paid(&plan.id, self.window, now))
    }

    fn data_use(&self, rule: &Rule, now: UnixTime) -> Forecast {
        if !rule.looks_ahead() {
            return Forecast::unseen();
        }
        Forecast::of(AllowanceKind::Data, &self.past.readings[..self.place], &self.past.card.zone, now)
    }
}

/// Carries a card from one reading of the record to the next: what was used is used, and what came by other hands came.
fn follow(carried: &mut Reading, last: &Reading, reading: &Reading, ours_shows: bool) {
    let is_over = |end: Option<End>| end.is_some_and(|end| end.at <= reading.read_at);
    let ended = is_over(last.plan_ends) || last.allowances.iter().any(|allowance| is_over(allowance.ends));
    for kind in kinds(last, reading) {
        let (was, is) = (last.left(kind), reading.left(kind));
        if !was.known || !is.known || was.unlimited || is.unlimited {
            continue;
        }
        let more = is.remaining.saturating_sub(was.remaining);
        if more < 0 && !ended {
            carried::use_up(&mut carried.allowances, kind, more.saturating_neg());
        } else if more > 0 && !ours_shows {
            let (remaining, total, ends) = (more, Some(more), reading.plan_ends);
            let (unlimited, state, starts) = (false, AllowanceState::Active, None);
            carried.allowances.push(Allowance { kind, remaining, total, unlimited, state, starts, ends });
        }
    }
    if !ours_shows {
        let moved =
            |was: Option<End>, is: Option<End>| is.zip(was).is_some_and(|(is, was)| is.at.since(was.at) > WOBBLE);
        let ends = [
            (&mut carried.plan_ends, last.plan_ends, reading.plan_ends),
            (&mut carried.credit_ends, last.credit_ends, reading.credit_ends),
            (&mut carried.number_ends, last.number_ends, reading.number_ends),
        ];
        for (end, was, is) in ends {
            if moved(was, is) {
                *end = is;
            }
        }
    }
    carried.state = match reading.state {
        // The card of the record may have run dry where that of the replay has not.
        CardState::Finished | CardState::Expired => carried.state,
        other => other,
    };
    carried.renewable = reading.renewable;
    carried::move_on(carried, reading.read_at);
}

fn kinds(last: &Reading, reading: &Reading) -> Vec<AllowanceKind> {
    let mut kinds: Vec<AllowanceKind> = Vec::new();
    for kind in last.allowances.iter().chain(&reading.allowances).map(|allowance| allowance.kind) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}
