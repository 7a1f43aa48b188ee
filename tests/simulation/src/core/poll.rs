//! A reading and what follows from it in the same commit, and the beginning of a renewal.

use simkeeper::domain::assess::{Action, assess};
use simkeeper::domain::attempt::{Approval, Cause};
use simkeeper::domain::card::Wishes;
use simkeeper::domain::choose::{Occasion, choose};
use simkeeper::domain::cycle;
use simkeeper::domain::draft::{self, Choice, draft};
use simkeeper::domain::forecast::Forecast;
use simkeeper::domain::intake::{self, Seen};
use simkeeper::domain::notice::{Due, NoticeKind};
use simkeeper::domain::operator::{OperatorError, RulesOut};
use simkeeper::domain::plan::Plan;
use simkeeper::domain::reading::{Oddity, Reading};
use simkeeper::domain::sellers::{self, Way};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::domain::warning_step;

use super::case::Case;
use super::writes::Write;
use super::{Simulation, Step};
use crate::faults::Site;
use crate::mutants::Mutant;
use crate::oracle::facts::Fact;

/// A renewal that could not begin (no catalogue) is tried again this much later.
const CATALOGUE_AGAIN: Secs = Secs::minutes(15);

/// What the sellers in turn came to.
enum Offer {
    Sold { way: Way, plan: Box<Plan> },
    Nothing,
    Unheard,
}

impl Simulation {
    /// A card is due.
    pub(super) fn poll(&mut self, place: usize) -> Step<()> {
        let (now, reader) = (self.now(), self.reader(place));
        let Some(process) = &mut self.process else { return Ok(()) };
        if let Some(until) = process.fares[reader].left_alone_until(now) {
            process.schedule[place] = until;
            return Ok(());
        }
        let answer = self.world.read(reader, place, self.at, now).answer;
        self.hear(&answer);
        if let Some(process) = &mut self.process {
            process.fares[reader].read(std::slice::from_ref(&answer), now);
        }
        self.point(Site::CrashBeforeReading, place, reader)?;
        let renew = self.judge(place, answer, now);
        self.commit();
        self.point(Site::CrashAfterReading, place, reader)?;
        if renew && !self.is(Mutant::NeverBuys) { self.begin(place) } else { Ok(()) }
    }

    /// Answers carry the operator's time.
    pub(super) fn hear<T>(&mut self, answer: &Result<T, OperatorError>) {
        if let (Ok(_), Some(process)) = (answer, &mut self.process) {
            process.heard = process.heard.max(Some(UnixTime::clamped(self.at)));
        }
    }

    /// What an answer comes to; says whether a renewal is to begin now.
    pub(super) fn judge(&mut self, place: usize, answer: Result<Reading, OperatorError>, now: UnixTime) -> bool {
        let row = &self.record.rows[place];
        let seen = match answer {
            Ok(reading) if self.mutant == Some(Mutant::OddReadingBelieved) => Seen::Good(reading),
            answer => Seen::of(answer, &row.recent, &row.recent_attempts(now)),
        };
        let seen = match seen {
            Seen::Odd(reading, Oddity::MissingEnd(_)) if self.is(Mutant::MissingEndBelieved) => Seen::Good(reading),
            seen => seen,
        };
        let last_seen = self.record.last_seen;
        let row = self.record.row(place);
        let failed = matches!(seen, Seen::Failed);
        if let Seen::Good(reading) = &seen {
            row.note_past(reading);
        }
        intake::take(&mut row.recent, &mut row.failures, &seen);
        if let Some(since) = row.set_aside {
            let short = self.mutant == Some(Mutant::QuarantineShort);
            if intake::confirmed(&row.recent, since, last_seen, now) || short && row.recent.previous.is_some() {
                row.set_aside = None;
                self.writes.note(|| Write::Confirmed { place });
            }
        }
        let case = self.case(place, now);
        let row = &self.record.rows[place];
        let assessment = assess(&row.card, case.rule.as_deref(), &row.recent, &case.ledger, now);
        let renew = assessment.actions.iter().any(|action| matches!(action, Action::Renew { .. })) && !failed;
        let failures = if failed { row.failures } else { 0 };
        let next = intake::next_poll(assessment.next_poll_at, row.card.id, failures, renew, now);
        let mut cycle = row.cycle;
        let may_begin = intake::may_begin_cycle(&seen);
        for action in &assessment.actions {
            match action {
                Action::NewCycle if !may_begin => {}
                Action::NewCycle => {
                    cycle = cycle.saturating_add(1);
                    self.use_wishes(place, now);
                }
                Action::Warn { .. } if self.is(Mutant::NoWarnings) => {}
                Action::Warn { due, .. } => self.warn(place, cycle, due, now),
                Action::Renew { .. } => {}
            }
        }
        if self.trace.is_some() {
            let latest = self.record.rows[place].recent.latest.as_ref();
            let (ends, assets) = (latest.and_then(cycle::first_end), latest.map(|latest| latest.assets.join("+")));
            let left = latest.and_then(Reading::data_left);
            let known = format!("ends {ends:?}, holds {assets:?} {left:?}, cycle {cycle}");
            self.write(&format!("card {place} read: {known}, {:?}", assessment.verdict));
        }
        let row = self.record.row(place);
        row.cycle = cycle;
        row.next_poll_at = next;
        self.writes.note(|| Write::Judged {
            place,
            seen: Box::new(seen),
            recent: Box::new(row.recent.clone()),
            cycle,
            next_poll_at: next,
        });
        if let Some(process) = &mut self.process {
            process.schedule[place] = next;
        }
        renew
    }

    fn warn(&mut self, place: usize, cycle: u32, due: &Due, now: UnixTime) {
        let first = due.step();
        let last = self.record.rows[place].warned.get(&first).cloned();
        self.writes.note(|| Write::LastWarning { place, step: first.clone(), last: last.clone() });
        let (cycle, step) = match last {
            _ if self.is(Mutant::WarnsByCycle) => (cycle, first.clone()),
            last => warning_step::of(due, cycle, last),
        };
        if !self.tell(place, NoticeKind::DueSoon, cycle, step.clone(), None, now) {
            return;
        }
        self.record.row(place).warned.insert(first, warning_step::Told { cycle, step, at: now });
        if let Due::End { which, end, step } = due {
            let (end, step_secs, at) = (end.at.secs(), step.0, self.at);
            let clock_off_secs = self.machine.clock_off;
            self.world.facts.push(Fact::Warned {
                card: place,
                which: *which as usize,
                step_secs,
                end,
                at,
                clock_off_secs,
            });
        }
    }

    pub(super) fn use_wishes(&mut self, place: usize, now: UnixTime) {
        if let Some(wishes) = self.record.rows[place].card.wishes.used(now) {
            self.set_wishes(place, wishes);
        }
    }

    pub(super) fn set_wishes(&mut self, place: usize, wishes: Wishes) {
        self.writes.note(|| Write::Wished { place, wishes: wishes.clone() });
        self.record.row(place).card.wishes = wishes;
    }

    /// Begins a renewal, if it is still wanted (T1).
    fn begin(&mut self, place: usize) -> Step<()> {
        let now = self.now();
        let case = self.case(place, now);
        let row = &self.record.rows[place];
        let assessment = assess(&row.card, case.rule.as_deref(), &row.recent, &case.ledger, now);
        let wanted = assessment.actions.into_iter().find_map(|action| match action {
            Action::Renew { trigger, .. } => Some(trigger),
            Action::Warn { .. } | Action::NewCycle => None,
        });
        let Some(trigger) = wanted else { return Ok(()) };
        let case = case.into_owned();
        let Some(rule) = &case.rule else { return Ok(()) };
        let cause = Cause::Rule { rule: rule.name.clone(), line: trigger.line };
        let reader = self.reader(place);
        let (way, plan) = match self.first_offer(place, &case, now) {
            Offer::Sold { way, plan } => (way, plan),
            Offer::Unheard => {
                self.put_off(place, now.plus(CATALOGUE_AGAIN));
                return Ok(());
            }
            Offer::Nothing => {
                let again = now.plus(self.world.operators[reader].account.poll_every);
                self.put_off(place, again);
                self.tell(place, NoticeKind::Failed, case.ledger.cycle, "no_plan".to_owned(), None, now);
                self.commit();
                return Ok(());
            }
        };
        let seller = self.world.operator(way.account.as_str()).unwrap_or(0);
        let choice = Choice {
            card: self.record.rows[place].card.id,
            cycle: case.ledger.cycle,
            attempts: &case.attempts,
            rule,
            way: &way,
            plan: &plan,
            reckoning: None,
            ends: None,
            takes_codes: self.world.capabilities(seller).takes_codes,
            cause,
        };
        let new = draft(choice, now);
        if self.record.rows[place].open().is_some() {
            return Ok(());
        }
        let asked = matches!(new.approval, Approval::Asked { .. });
        let attempt = self.record.insert(place, new, None, self.at);
        let planned = &self.record.rows[place].attempts[attempt];
        let id = planned.id;
        self.writes.note(|| Write::Planned { after: planned.clone() });
        self.moved(place, attempt, "", false);
        if asked {
            let step = format!("attempt:{}:approve:0", id.0);
            self.tell(place, NoticeKind::Asked, case.ledger.cycle, step, Some(id), now);
        }
        self.commit();
        self.point(Site::CrashPlanned, place, seller)
    }

    fn put_off(&mut self, place: usize, until: UnixTime) {
        if let Some(process) = &mut self.process {
            process.schedule[place] = until;
        }
    }

    /// The first plan of the rule's list that the first seller in turn sells.
    fn first_offer(&mut self, place: usize, case: &Case<'_>, now: UnixTime) -> Offer {
        let row = &self.record.rows[place];
        let (Some(reading), Some(rule)) = (row.recent.latest.clone(), &case.rule) else { return Offer::Nothing };
        let card = row.card.clone();
        let mut passed: Vec<String> = Vec::new();
        for way in sellers::in_turn(&self.world.tills(&card), &case.attempts, case.ledger.cycle) {
            if passed.iter().any(|name| name == way.account.as_str()) {
                continue;
            }
            let Some(seller) = self.world.operator(way.account.as_str()) else { continue };
            let Some(process) = &self.process else { return Offer::Unheard };
            if process.fares[seller].left_alone_until(now).is_some() {
                return Offer::Unheard;
            }
            let catalogue = match self.world.catalogue(seller, place, self.at, now).answer {
                Ok(catalogue) => catalogue,
                Err(OperatorError::Never { kind, .. })
                    if !card.sellers.is_empty() && kind.rules_out() == RulesOut::Account =>
                {
                    passed.push(way.account.as_str().to_owned());
                    continue;
                }
                Err(error) => {
                    self.went_wrong(seller, &error, now);
                    return Offer::Unheard;
                }
            };
            let last = draft::last_plan_of(&case.attempts, &way.account);
            let occasion = Occasion {
                card: &card,
                rule,
                reading: &reading,
                last_plan: last,
                data_use: &Forecast::unseen(),
                spends: &case.ledger.spends,
                now,
            };
            match choose(&occasion, &catalogue).plan.cloned() {
                Some(plan) => return Offer::Sold { way, plan: Box::new(plan) },
                None => passed.push(way.account.as_str().to_owned()),
            }
        }
        Offer::Nothing
    }

    pub(super) fn went_wrong(&mut self, operator: usize, error: &OperatorError, now: UnixTime) -> Option<UnixTime> {
        self.process.as_mut().and_then(|process| process.fares[operator].went_wrong(error, now))
    }
}
