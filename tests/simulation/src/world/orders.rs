//! An order at the operator: lost or booked, taken or refused, at once or later, and what is answered to it.

use simkeeper::domain::operator::{BuyAnswer, Doubt, PreparedOrder, Refusal, RefusalKind, Repeat};
use simkeeper::domain::plan::Plan;
use simkeeper::domain::time::Secs;

use super::calls::key_number;
use super::card::{Coming, usd};
use super::operator::Booked;
use super::{Call, World};
use crate::chance::Chance;
use crate::faults::Site;
use crate::oracle::facts::Fact;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// How long an answer is waited for.
const PATIENCE: i64 = 120;

/// An order as it stands in its bytes.
struct Asked {
    key: String,
    card: usize,
    plan: String,
    price: i64,
    payment: String,
    code: Option<String>,
}

fn parse(prepared: &PreparedOrder) -> Option<Asked> {
    let text = std::str::from_utf8(&prepared.body).ok()?;
    let mut words = text.split(' ');
    let card: usize = words.next()?.parse().ok()?;
    Some(Asked {
        key: prepared.key.as_str().to_owned(),
        card: card.checked_sub(1)?,
        plan: words.next()?.to_owned(),
        price: words.next()?.parse().ok()?,
        payment: words.next()?.to_owned(),
        code: words.next().filter(|code| *code != "-").map(str::to_owned),
    })
}

fn unknown(doubt: Doubt) -> BuyAnswer {
    let retry_after = (doubt == Doubt::Throttled).then_some(Secs(600));
    BuyAnswer::Unknown { doubt, detail: String::new(), retry_after }
}

impl World {
    /// An order arrives, or is lost on its way.
    pub fn buy(&mut self, operator: usize, prepared: &PreparedOrder, at: i64) -> Call<BuyAnswer> {
        let Some(asked) = parse(prepared) else {
            return Call { answer: unknown(Doubt::UnlistedCode), takes_secs: 1 };
        };
        let mut chance = Chance::new(self.seed ^ 0xb0, key_number(&asked.key) as u64 ^ at as u64);
        let quick = chance.between(1, 5);
        if let Some((answer, slow)) = self.lost(operator, &asked, at) {
            return Call { answer, takes_secs: if slow { PATIENCE } else { quick } };
        }
        if let Some(answer) = self.repeated(operator, &asked, at) {
            return Call { answer, takes_secs: quick };
        }
        let (answer, slow) = self.booked(operator, &asked, at, &mut chance);
        Call { answer, takes_secs: if slow { PATIENCE } else { quick } }
    }

    /// What does not reach the book. Says also whether the whole wait is used up.
    fn lost(&mut self, operator: usize, asked: &Asked, at: i64) -> Option<(BuyAnswer, bool)> {
        let card = asked.card;
        if at < self.operators[operator].down_until || self.fires(Site::ConnectFails, card, operator) {
            return Some((BuyAnswer::NotSent { why: "no connection".to_owned() }, false));
        }
        let sites = [
            (Site::RequestLost, Doubt::TimedOut, true),
            (Site::ErrorNotTaken, Doubt::ServerError, false),
            (Site::OrderThrottled, Doubt::Throttled, false),
            (Site::Redirected, Doubt::Redirected, false),
            (Site::UnlistedError, Doubt::UnlistedCode, false),
            (Site::TokenExpires, Doubt::UnlistedCode, false),
        ];
        let hit = sites.into_iter().find(|(site, ..)| self.fires(*site, card, operator));
        hit.map(|(_, doubt, slow)| (unknown(doubt), slow))
    }

    /// What a key that the operator knows brings.
    fn repeated(&mut self, operator: usize, asked: &Asked, at: i64) -> Option<BuyAnswer> {
        let truth = &self.operators[operator];
        let first = truth.book.iter().find(|order| order.key == asked.key)?;
        let (first_at, was_error) = (first.arrived_at, first.answered_error);
        match truth.capabilities.repeat {
            Repeat::Pays => None,
            Repeat::Refuses => Some(unknown(Doubt::AlreadyUsed)),
            Repeat::Replays(window) if at - first_at >= window.0 => None,
            Repeat::Replays(_) => {
                if self.fires(Site::RepeatInProgress, asked.card, operator)
                    || self.fires(Site::RepeatAlreadyUsed, asked.card, operator)
                {
                    return Some(unknown(Doubt::AlreadyUsed));
                }
                if was_error {
                    // It comes to that only where the effect is late, so it happens wherever it can.
                    self.faults.strike(Site::RepeatOfError, asked.card);
                    if self.fires(Site::RepeatOfError, asked.card, operator) {
                        return Some(unknown(Doubt::ServerError));
                    }
                }
                Some(self.replay(operator, asked, at))
            }
        }
    }

    fn replay(&mut self, operator: usize, asked: &Asked, at: i64) -> BuyAnswer {
        let Some(order) = self.operators[operator].booked(&asked.key) else { return unknown(Doubt::Unproven) };
        let order_id = format!("O{}", order.number);
        match (order.refused, order.taken_at) {
            (Some(kind), _) => self.refuse(asked, kind),
            (None, Some(taken)) if taken <= at && order.told_pending_until <= at => {
                BuyAnswer::Accepted { order_id: Some(order_id), charged: Some(usd(order.charge)) }
            }
            (None, _) => BuyAnswer::Pending { order_id },
        }
    }

    fn refuse(&mut self, asked: &Asked, kind: RefusalKind) -> BuyAnswer {
        self.facts.push(Fact::ToldRefused { key: key_number(&asked.key) });
        BuyAnswer::Refused(Refusal { kind, code: "R1".to_owned(), text: "not taken".to_owned() })
    }

    /// A new order: refused, or booked and taken some time.
    fn booked(&mut self, operator: usize, asked: &Asked, at: i64, chance: &mut Chance) -> (BuyAnswer, bool) {
        let offer = self.operators[operator].on_sale(&asked.plan, at).cloned();
        if let Some(kind) = self.refusal(operator, asked, offer.as_ref(), at) {
            self.book(operator, asked, at, None, Some(kind), 0);
            return (self.refuse(asked, kind), false);
        }
        // A plan that is not on sale was refused above.
        let Some(plan) = offer else { return (unknown(Doubt::Unproven), false) };
        let card = asked.card;
        let longest = self.operators[operator].processing_secs;
        let late = self.fires(Site::AcceptedLate, card, operator);
        let pending = !late && self.fires(Site::Pending, card, operator);
        let for_ever = pending && self.fires(Site::PendingForEver, card, operator);
        let taken_at = match (late, pending, for_ever) {
            (_, _, true) => None,
            (true, ..) | (_, true, _) => Some(at + chance.between(1, longest)),
            _ => Some(at + 1),
        };
        let place = self.book(operator, asked, at, taken_at, None, plan.price.ten_thousandths());
        if let Some(taken_at) = taken_at {
            self.take(operator, place, &plan, taken_at, chance);
        }
        self.tell_oracle(operator, place, &plan);
        let order_id = format!("O{}", self.operators[operator].book[place].number);
        if late {
            return (unknown(Doubt::TimedOut), true);
        }
        if pending {
            return (BuyAnswer::Pending { order_id }, false);
        }
        self.answer(operator, card, place, order_id, chance)
    }

    /// Why an order is refused for certain, if it is.
    fn refusal(&mut self, operator: usize, asked: &Asked, offer: Option<&Plan>, at: i64) -> Option<RefusalKind> {
        let Some(offer) = offer else { return Some(RefusalKind::PlanGone) };
        if offer.price.ten_thousandths() != asked.price {
            return Some(RefusalKind::Passing);
        }
        if at < self.cards[asked.card].blocked_until {
            return Some(RefusalKind::NotActive);
        }
        if asked.payment == "wallet" && self.operators[operator].wallet < asked.price {
            return Some(RefusalKind::WalletEmpty);
        }
        if asked.code.as_deref() == Some("SPRING") && asked.key.ends_with(['0', '1', '2', '3']) {
            return Some(RefusalKind::BadCode);
        }
        self.fires(Site::RefusedForNow, asked.card, operator).then(|| {
            let passing = asked.key.ends_with(|digit: char| digit.is_ascii_digit());
            if passing { RefusalKind::Passing } else { RefusalKind::PaymentDeclined }
        })
    }

    fn book(
        &mut self,
        operator: usize,
        asked: &Asked,
        at: i64,
        taken_at: Option<i64>,
        refused: Option<RefusalKind>,
        charge: i64,
    ) -> usize {
        let late = self.fires(Site::ListedLate, asked.card, operator);
        let truth = &mut self.operators[operator];
        let shows_from = taken_at.unwrap_or(at);
        truth.book.push(Booked {
            number: truth.book.len() as u64 + 1,
            key: asked.key.clone(),
            card: asked.card,
            arrived_at: at,
            taken_at,
            refused,
            shows_at: if late { shows_from + truth.listing_secs } else { at },
            told_pending_until: 0,
            taken_back_at: None,
            charge,
            lacks_effect: false,
            answered_error: false,
        });
        truth.book.len() - 1
    }

    /// The order will be taken: money, effect, and whether it is taken back.
    fn take(&mut self, operator: usize, place: usize, plan: &Plan, taken_at: i64, chance: &mut Chance) {
        let card = self.operators[operator].book[place].card;
        let shows_within = self.reader_effect_secs(card).min(self.operators[operator].capabilities.effect_max.0);
        let mut effect_at = taken_at + chance.between(0, 5);
        if self.fires(Site::EffectLate, card, operator) {
            effect_at = taken_at + chance.between(1, shows_within.max(1));
        }
        let never = self.fires(Site::EffectNever, card, operator);
        let turns = self.operators[operator].capabilities.late_change.is_some();
        let back = turns && self.fires(Site::ReversedLater, card, operator);
        let taken_back_at = back.then(|| effect_at + chance.between(HOUR, 5 * DAY));
        let truth = &mut self.operators[operator];
        truth.wallet -= truth.book[place].charge;
        truth.book[place].taken_back_at = taken_back_at;
        truth.book[place].lacks_effect = never;
        if !never {
            self.cards[card].coming.push(Coming {
                at: effect_at,
                gone_at: taken_back_at.unwrap_or(i64::MAX),
                validity: plan.validity_secs.unwrap_or(0),
                bytes: plan.contents.data_bytes.map_or(0, |bytes| bytes as i64),
                credit: plan.contents.credit.map_or(0, |credit| credit.ten_thousandths()),
            });
        }
    }

    fn reader_effect_secs(&self, card: usize) -> i64 {
        let reader = self.operator(self.cards[card].card.account.as_str()).unwrap_or(0);
        self.operators[reader].capabilities.effect_max.0
    }

    fn tell_oracle(&mut self, operator: usize, place: usize, plan: &Plan) {
        let order = &self.operators[operator].book[place];
        let bytes = plan.contents.data_bytes.map_or(0, |bytes| bytes as i64);
        let credit = plan.contents.credit.map_or(0, |credit| credit.ten_thousandths());
        self.facts.push(Fact::Ordered {
            card: order.card,
            key: key_number(&order.key),
            at: order.arrived_at,
            taken_at: order.taken_at,
            taken_back_at: order.taken_back_at,
            extends_secs: self.cards[order.card].extends(plan.validity_secs.unwrap_or(0), bytes, credit),
            never_shows: order.lacks_effect,
            charge: order.charge,
        });
    }

    /// What is answered to an order that was taken at once.
    fn answer(
        &mut self,
        operator: usize,
        card: usize,
        place: usize,
        order_id: String,
        chance: &mut Chance,
    ) -> (BuyAnswer, bool) {
        let charged = Some(usd(self.operators[operator].book[place].charge));
        let sites = [
            (Site::AnswerLost, Doubt::TimedOut, true),
            (Site::AnswerCut, Doubt::Broken, false),
            (Site::ErrorThoughTaken, Doubt::ServerError, false),
            (Site::PageThoughTaken, Doubt::Unreadable, false),
            (Site::FailedThoughTaken, Doubt::UnlistedCode, false),
            (Site::WrongAnswer, Doubt::Unproven, false),
            (Site::SlowAnswer, Doubt::TimedOut, true),
        ];
        let hit = sites.into_iter().find(|(site, ..)| self.fires(*site, card, operator));
        let Some((site, doubt, slow)) = hit else {
            return (BuyAnswer::Accepted { order_id: Some(order_id), charged }, false);
        };
        let order = &mut self.operators[operator].book[place];
        if site == Site::ErrorThoughTaken {
            order.answered_error = true;
        }
        if site == Site::FailedThoughTaken {
            order.told_pending_until = order.arrived_at + chance.between(HOUR, 12 * HOUR);
        }
        (unknown(doubt), slow)
    }
}
