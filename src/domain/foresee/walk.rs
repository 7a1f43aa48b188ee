//! One card along one path: the daemon's own decision is asked at each instant at which it may turn out otherwise than
//! before, and what it buys is put on the card.

use super::holding::Holding;
use super::path::Path;
use super::{Setting, Step, What};
use crate::domain::assess::{Reason, Verdict, assess};
use crate::domain::attempt::{AttemptId, AttemptState};
use crate::domain::card::Card;
use crate::domain::choose::{Chosen, Occasion, choose};
use crate::domain::draft;
use crate::domain::forecast::Forecast;
use crate::domain::gates::Gate;
use crate::domain::keeping;
use crate::domain::ledger::{Ledger, Spend};
use crate::domain::limits;
use crate::domain::plan::Plan;
use crate::domain::reading::{AllowanceKind, Recent};
use crate::domain::rule::{Join, Trigger};
use crate::domain::time::{Secs, UnixTime, day_after, day_start};
use crate::domain::usage;

/// Instants that are looked at on one path at most.
const LOOKS_MAX: usize = 4_000;
/// Purchases that are foreseen at most.
const BOUGHT_MAX: usize = 80;
/// Two looks lie at least this far apart.
const APART_MIN: Secs = Secs::MINUTE;

/// A card on its way.
pub(super) struct Walk<'a> {
    setting: &'a Setting<'a>,
    path: Path,
    /// How long it takes until what is due is seen.
    lag: Secs,
    card: Card,
    ledger: Ledger,
    holding: Option<Holding>,
    last_plan: Option<String>,
    bought: Vec<Plan>,
    steps: Vec<Step>,
    /// What keeps it from buying, told if nothing is bought.
    held: Option<Step>,
}

/// What a look came to: the next one, or that nobody can tell how it goes on.
type Next = Option<UnixTime>;

impl<'a> Walk<'a> {
    pub(super) fn new(setting: &'a Setting<'a>, path: Path, lag: Secs) -> Self {
        let reading = setting.recent.latest.as_ref();
        let last_plan = draft::last_plan_of(setting.attempts, setting.seller);
        Self {
            setting,
            path,
            lag,
            card: setting.card.clone(),
            ledger: setting.ledger.clone(),
            holding: reading.map(|reading| Holding::new(reading, setting.catalogue, last_plan)),
            last_plan: last_plan.map(str::to_owned),
            bought: Vec::new(),
            steps: Vec::new(),
            held: None,
        }
    }

    /// Goes from `now` until `until`.
    pub(super) fn go(mut self, now: UnixTime, until: UnixTime) -> Vec<Step> {
        let mut at = now;
        for look in 0..LOOKS_MAX {
            if self.bought.len() >= BOUGHT_MAX {
                break;
            }
            let expected = self.readings(at);
            // What is there now stays as it is, and the card as it must have become since is looked at right after.
            let (is_first, soon) = (look == 0, at.plus(APART_MIN));
            let readings = if is_first { self.setting.recent.clone() } else { expected };
            let Some(next) = self.look(&readings, at).map(|next| next.max(soon)) else { break };
            let next = if is_first && self.steps.is_empty() { soon } else { next };
            if next > until {
                break;
            }
            at = next;
        }
        if self.bought.is_empty() {
            self.steps.extend(self.held);
        }
        self.steps
    }

    fn readings(&mut self, at: UnixTime) -> Recent {
        let seen = self.holding.as_mut().map(|holding| {
            holding.advance(&self.path, at);
            holding.seen()
        });
        Recent { latest: seen, ..Recent::default() }
    }

    fn look(&mut self, readings: &Recent, at: UnixTime) -> Next {
        let seen = assess(&self.card, Some(self.setting.rule), readings, &self.ledger, at);
        match seen.verdict {
            Verdict::Renew | Verdict::Ask => self.due(readings, at, &seen.reasons),
            Verdict::Fine => {
                let counted =
                    keeping::counted_in(&self.card, Some(self.setting.rule), readings, self.ledger.bought_at, at);
                self.next_turn(counted.as_ref().unwrap_or(readings), at)
            }
            Verdict::Wait { until } => Some(until),
            Verdict::Open { .. } => self.under_way(readings, at, &seen.reasons),
            Verdict::Stale => {
                self.hold(at, seen.verdict, &seen.reasons);
                // The next reading may be a good one.
                readings.latest.as_ref().map(|_| at.plus(self.every()))
            }
            Verdict::Paused | Verdict::OutsideDates => {
                self.hold(at, seen.verdict, &seen.reasons);
                self.opens(at)
            }
            Verdict::Watch | Verdict::Blocked | Verdict::CannotRenew | Verdict::Retired => {
                self.hold(at, seen.verdict, &seen.reasons);
                None
            }
        }
    }

    /// When the decision may turn out otherwise.
    fn next_turn(&self, readings: &Recent, at: UnixTime) -> Next {
        let reading = readings.latest.as_ref()?;
        let moment = |trigger: &Trigger| match usage::kind(trigger.condition) {
            None => usage::moment(trigger.condition, reading, &[]).map(|(at, _)| at),
            Some(kind) => {
                let over = usage::over(trigger.condition, reading)?;
                // Strictly below: one unit more than the way down to the limit.
                self.path.when(kind, reading.as_of, over.saturating_add(1).max(0))
            }
        };
        let moments = self.setting.rule.renew_when.triggers.iter().filter_map(moment).filter(|moment| *moment > at);
        let turns = self.holding.as_ref().and_then(|holding| holding.turns(&self.path, at));
        moments.chain(turns).chain(self.opens(at)).min()
    }

    /// When a date of the rule or the end of a pause lets it begin.
    fn opens(&self, at: UnixTime) -> Next {
        let begins = self.setting.rule.from.map(|day| day_start(day, &self.card.zone));
        let resumes = self.card.wishes.pause.as_ref().and_then(|pause| pause.until);
        [begins, resumes].into_iter().flatten().filter(|opens| *opens > at).min()
    }

    /// A renewal is needed and may begin.
    fn due(&mut self, readings: &Recent, at: UnixTime, reasons: &[Reason]) -> Next {
        let reading = readings.latest.as_ref()?;
        let Some(catalogue) = self.setting.catalogue else {
            self.step(at, What::Unpriced, reasons, None);
            return None;
        };
        let unseen = Forecast::unseen();
        let data_use = self.setting.uses.iter().find(|(kind, _)| *kind == AllowanceKind::Data);
        let data_use = data_use.map_or(&unseen, |(_, used)| used);
        let occasion = Occasion {
            card: &self.card,
            rule: self.setting.rule,
            reading,
            last_plan: self.last_plan.as_deref(),
            data_use: if self.setting.rule.looks_ahead() { data_use } else { &unseen },
            spends: &self.ledger.spends,
            now: at,
        };
        let chosen = choose(&occasion, catalogue);
        let Some(plan) = chosen.plan.cloned() else { return self.nothing_chosen(at, reasons, &chosen) };
        self.found(&plan, at, reasons, &chosen)
    }

    fn nothing_chosen(&mut self, at: UnixTime, reasons: &[Reason], chosen: &Chosen<'_>) -> Next {
        if chosen.lasts {
            let lasts = self.made(at, What::Lasts, reasons, Some(chosen));
            self.held.get_or_insert(lasts);
            let is_over = self.setting.rule.until.is_some_and(|day| at >= day_after(day, &self.card.zone));
            return (!is_over).then(|| at.plus(self.every()));
        }
        self.step_once(at, What::NothingOnSale, reasons, Some(chosen));
        self.setting.rule.limits.per_month.map(|_| self.next_month(at))
    }

    fn found(&mut self, plan: &Plan, at: UnixTime, reasons: &[Reason], chosen: &Chosen<'_>) -> Next {
        let rule = self.setting.rule;
        if let Some(gate) = limits::stops(&rule.limits, plan, &self.ledger.spends, None, &self.card.zone, at) {
            self.step_once(at, What::OverLimit(plan.clone(), gate), reasons, Some(chosen));
            return matches!(gate, Gate::OverPerMonth { .. }).then(|| self.next_month(at));
        }
        let paid = self.bought.iter().rev().find(|bought| bought.id == plan.id).map(|bought| bought.price);
        let paid = paid.or_else(|| draft::paid_before(self.setting.attempts, self.setting.seller, &plan.id));
        let what = match draft::asks(rule, paid, plan.price) {
            None => What::Buys(plan.clone()),
            Some(why) => What::Asks(plan.clone(), why),
        };
        let at = at.plus(self.lag);
        if let Some(holding) = &mut self.holding {
            holding.advance(&self.path, at);
        }
        self.step(at, what, reasons, Some(chosen));
        self.buy(plan, at);
        Some(at.plus(APART_MIN))
    }

    /// What was ordered already counts as if it were there.
    fn under_way(&mut self, readings: &Recent, at: UnixTime, reasons: &[Reason]) -> Next {
        let open = self.ledger.open.take()?;
        let attempt = self.setting.attempts.iter().find(|attempt| attempt.id == open.id)?;
        self.step(at, What::UnderWay(attempt.plan.clone(), open), reasons, None);
        if matches!(attempt.state, AttemptState::Human { .. }) {
            return None;
        }
        self.ledger.spends.retain(|spend| spend.attempt != attempt.id);
        self.buy(&attempt.plan, at);
        readings.latest.as_ref().map(|_| at.plus(APART_MIN))
    }

    /// Puts a purchase on the card, as its operator would.
    fn buy(&mut self, plan: &Plan, at: UnixTime) {
        if let Some(holding) = &mut self.holding {
            holding.receive(plan, at);
        }
        self.ledger.spends.push(Spend { attempt: AttemptId(i64::MAX), at, money: plan.price });
        self.ledger.closed.clear();
        self.ledger.cycle = self.ledger.cycle.saturating_add(1);
        (self.ledger.bought_at, self.ledger.cycle_length) = (Some(at), plan.validity());
        self.last_plan = Some(plan.id.clone());
        self.bought.push(plan.clone());
        if let Some(wishes) = self.card.wishes.used(at) {
            self.card.wishes = wishes;
        }
    }

    fn every(&self) -> Secs {
        self.setting.read_every().max(Secs::HOUR)
    }

    fn next_month(&self, at: UnixTime) -> UnixTime {
        day_after(at.date_in(&self.card.zone).last_of_month(), &self.card.zone)
    }

    fn hold(&mut self, at: UnixTime, verdict: Verdict, reasons: &[Reason]) {
        let others = reasons.iter().filter(|reason| !matches!(reason, Reason::Checked(_))).copied().collect();
        let held = self.made(at, What::Held(verdict, others), reasons, None);
        self.held.get_or_insert(held);
    }

    /// The same hindrance is told once, until something is bought.
    fn step_once(&mut self, at: UnixTime, what: What, reasons: &[Reason], chosen: Option<&Chosen<'_>>) {
        let told = self.steps.last().map(|last| std::mem::discriminant(&last.what));
        if told != Some(std::mem::discriminant(&what)) {
            self.step(at, what, reasons, chosen);
        }
    }

    fn step(&mut self, at: UnixTime, what: What, reasons: &[Reason], chosen: Option<&Chosen<'_>>) {
        let step = self.made(at, what, reasons, chosen);
        self.steps.push(step);
    }

    fn made(&self, at: UnixTime, what: What, reasons: &[Reason], chosen: Option<&Chosen<'_>>) -> Step {
        let mut checks = reasons.iter().filter_map(|reason| match reason {
            Reason::Checked(check) if check.holds => Some(*check),
            _ => None,
        });
        let check = match self.setting.rule.renew_when.join {
            Join::Any => checks.next(),
            Join::All => checks.next_back(),
        };
        Step {
            at,
            what,
            check,
            passed_over: chosen.map(|chosen| chosen.passed_over.clone()).unwrap_or_default(),
            reckoning: chosen.and_then(|chosen| chosen.reckoning.clone()),
        }
    }
}
