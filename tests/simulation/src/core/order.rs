//! One order: the last look, the gates, the intent in one commit, the line in the journal, the POST, and the outcome in
//! one commit; each is a step of its own, so that the rest of the world goes on between them.

use simkeeper::domain::attempt::{Approval, AttemptId, AttemptState, Sent, Snapshot, StateName};
use simkeeper::domain::draft;
use simkeeper::domain::fares::Fares;
use simkeeper::domain::gates::FREE_DISK_MIN_BYTES;
use simkeeper::domain::last_look::{self, GATE_AGAIN, Held, LOOK_HOLDS, LastLook, LastWord, Machine, Seen};
use simkeeper::domain::notice::NoticeKind;
use simkeeper::domain::operator::{
    BuyAnswer, Doubt, OperatorError, Order, OrderKey, PreparedOrder, Refusal, RefusalKind,
};
use simkeeper::domain::retry;
use simkeeper::domain::step::Event;
use simkeeper::domain::time::UnixTime;

use super::record::{Line, number};
use super::writes::Write;
use super::{Simulation, Step};
use crate::chance::Chance;
use crate::faults::Site;
use crate::mutants::Mutant;
use crate::oracle::facts::Fact;
use crate::world::{BEGINS, World};

/// Longer sleeps than this end every wait for an answer.
const PATIENCE: i64 = 120;

/// Work that is under way in the process, and goes on at a true instant.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// The last look was taken.
    Looked { row: usize, attempt: AttemptId, at: i64, seen: Seen, price_on_sale: i64 },
    /// The intent is committed.
    Intended { row: usize, attempt: AttemptId, at: i64, prepared: PreparedOrder },
    /// The answer comes.
    Posted { row: usize, attempt: AttemptId, at: i64, sent_at: i64, answer: BuyAnswer },
}

impl Job {
    pub(super) const fn at(&self) -> i64 {
        match self {
            Self::Looked { at, .. } | Self::Intended { at, .. } | Self::Posted { at, .. } => *at,
        }
    }

    pub(super) const fn row(&self) -> usize {
        match self {
            Self::Looked { row, .. } | Self::Intended { row, .. } | Self::Posted { row, .. } => *row,
        }
    }
}

impl Simulation {
    /// An open attempt is due.
    pub(super) fn attempt_due(&mut self, place: usize) -> Step<()> {
        let Some(attempt) = self.record.rows[place].open() else { return Ok(()) };
        match self.record.rows[place].attempts[attempt].state.name() {
            StateName::Planned => self.carry(place, attempt),
            _ => self.settle(place, attempt),
        }
    }

    fn find(&self, place: usize, id: AttemptId) -> Option<usize> {
        self.record.rows[place].attempts.iter().rposition(|known| known.id == id)
    }

    /// Carries a planned attempt to its last look (T2).
    fn carry(&mut self, place: usize, attempt: usize) -> Step<()> {
        let now = self.now();
        let planned = self.record.rows[place].attempts[attempt].clone();
        if let Approval::Asked { at, .. } = planned.approval {
            let days = now.since(at).0 / retry::REMIND_EVERY.0;
            let step = format!("attempt:{}:approve:{days}", planned.id.0);
            self.tell(place, NoticeKind::Asked, planned.cycle, step, Some(planned.id), now);
            self.advance(place, attempt, Event::Delayed { until: now.plus(retry::REMIND_EVERY) });
            self.commit();
            return Ok(());
        }
        let (reader, Some(seller)) = (self.reader(place), self.world.operator(planned.account.as_str())) else {
            self.delay(place, attempt, now.plus(GATE_AGAIN));
            return Ok(());
        };
        let alone = |fares: &[Fares]| [seller, reader].iter().filter_map(|one| fares[*one].left_alone_until(now)).max();
        if let Some(until) = self.process.as_ref().and_then(|process| alone(&process.fares)) {
            self.delay(place, attempt, until);
            return Ok(());
        }
        let read = self.world.read(reader, place, self.at, now);
        let took = read.takes_secs;
        let failed = read.answer.as_ref().err().cloned();
        self.judge(place, read.answer, now);
        self.commit();
        if let Some(error) = failed {
            self.wait(place, attempt, reader, &error, now);
            return Ok(());
        }
        let wallet = match self.world.wallet(seller, place, self.at).answer {
            Ok(wallet) => wallet,
            Err(error) => {
                self.wait(place, attempt, seller, &error, now);
                return Ok(());
            }
        };
        match self.world.preflight(seller, place, &planned.plan, planned.code.as_deref(), self.at).answer {
            Ok(offer) => {
                let on_sale = self.world.operators[seller].on_sale(&planned.plan.id, self.at);
                let price_on_sale = on_sale.map_or(0, |plan| plan.price.ten_thousandths());
                if let Some(process) = &mut self.process {
                    if let Some(theirs) = offer.operator_time {
                        process.fares[seller].clocks = Some((now, theirs));
                    }
                    process.fares[seller].went_well();
                    let (row, attempt, at, seen) = (place, planned.id, self.at + took + 1, Seen { wallet, offer });
                    process.jobs.push(Job::Looked { row, attempt, at, seen, price_on_sale });
                }
            }
            Err(OperatorError::Never { kind: RefusalKind::BadCode, .. }) if planned.code.is_some() => {
                let codes = self.world.rule(place, self.at).map(|rule| rule.codes.clone()).unwrap_or_default();
                let known = self.record.rows[place].attempts.iter();
                let this_cycle: Vec<_> = known.filter(|one| one.cycle == planned.cycle).cloned().collect();
                let next = draft::code_after(&codes, planned.code.as_ref(), &this_cycle).map(str::to_owned);
                let known = &mut self.record.row(place).attempts[attempt];
                (known.code, known.version) = (next, known.version + 1);
                let after = &*known;
                self.writes.note(|| Write::Coded { before: planned.clone(), after: after.clone(), now });
                self.commit();
            }
            Err(error) => self.wait(place, attempt, seller, &error, now),
        }
        Ok(())
    }

    fn wait(&mut self, place: usize, attempt: usize, operator: usize, error: &OperatorError, now: UnixTime) {
        let until = self.went_wrong(operator, error, now).unwrap_or(now).max(now.plus(GATE_AGAIN));
        self.delay(place, attempt, until);
    }

    fn delay(&mut self, place: usize, attempt: usize, until: UnixTime) {
        let now = self.now();
        let planned = &self.record.rows[place].attempts[attempt];
        let event = if last_look::waited_enough(planned, now) {
            Event::GateClosed { gate: "preflight".into() }
        } else {
            Event::Delayed { until }
        };
        self.advance(place, attempt, event);
        self.commit();
        self.hurry_if_given_up(place, attempt);
    }

    /// What was given up puts off nothing.
    fn hurry_if_given_up(&mut self, place: usize, attempt: usize) {
        let now = self.now();
        let planned = self.record.rows[place].attempts[attempt].state.name() == StateName::Planned;
        if let Some(process) = self.process.as_mut().filter(|_| !planned) {
            process.schedule[place] = now;
        }
    }

    /// Work that is under way goes on.
    pub(super) fn go_on(&mut self, job: usize) -> Step<()> {
        let Some(process) = &mut self.process else { return Ok(()) };
        match process.jobs.remove(job) {
            Job::Looked { row, attempt, seen, price_on_sale, .. } => self.intend(row, attempt, &seen, price_on_sale),
            Job::Intended { row, attempt, prepared, .. } => self.post(row, attempt, &prepared),
            Job::Posted { row, attempt, sent_at, answer, .. } => self.outcome(row, attempt, sent_at, answer),
        }
    }

    /// T3 or T4.
    fn intend(&mut self, place: usize, id: AttemptId, seen: &Seen, price_on_sale: i64) -> Step<()> {
        let now = self.now();
        let Some(attempt) = self.find(place, id) else { return Ok(()) };
        let planned = self.record.rows[place].attempts[attempt].clone();
        let seller = self.world.operator(planned.account.as_str()).unwrap_or(0);
        self.point(Site::CrashBeforeIntent, place, seller)?;
        if planned.state.name() != StateName::Planned {
            return Ok(());
        }
        let word = self.word(place, seller, &planned, seen, now);
        match word {
            LastWord::NotNeeded => {
                self.advance(place, attempt, Event::NotNeeded);
            }
            LastWord::Closed(gate) => match last_look::held(gate, &planned, now) {
                Held::Until(until) => {
                    let until = if self.is(Mutant::GateAgainAtOnce) { now } else { until };
                    self.advance(place, attempt, Event::Delayed { until });
                }
                Held::GivenUp => self.give_up(place, attempt, gate),
            },
            LastWord::Send => return self.send(place, attempt, seller, price_on_sale, now),
        }
        self.commit();
        self.hurry_if_given_up(place, attempt);
        Ok(())
    }

    fn word(
        &self,
        place: usize,
        seller: usize,
        planned: &simkeeper::domain::attempt::Attempt,
        seen: &Seen,
        now: UnixTime,
    ) -> LastWord {
        let case = self.case(place, now);
        let fares = self.process.as_ref().map(|process| process.fares[seller].clone()).unwrap_or_default();
        let full = self.at < self.machine.disk_full_until && !self.is(Mutant::DiskIgnored);
        let mut clock = fares.clock_evidence(self.record.last_seen, UnixTime::clamped(BEGINS - 86_400), now);
        if self.is(Mutant::NoClockCheck) {
            (clock.operator, clock.last_recorded, clock.built_at) = (Some((now, now)), UnixTime::MIN, UnixTime::MIN);
        }
        let machine =
            Machine { clock, free_disk_bytes: if full { 0 } else { FREE_DISK_MIN_BYTES }, record_is_sound: true };
        let mut seen = seen.clone();
        if self.is(Mutant::PriceNotChecked) {
            seen.offer.offer = Some(planned.plan.clone());
        }
        let row = &self.record.rows[place];
        let mut card = row.card.clone();
        if self.is(Mutant::PauseIgnored) {
            card.wishes.pause = None;
        }
        let look = LastLook {
            card: &card,
            recent: &row.recent,
            ledger: &case.ledger,
            attempt: planned,
            rule: case.rule.as_deref(),
            shared: &[],
            seen: &seen,
            machine: &machine,
            now,
        };
        look.word()
    }

    fn send(&mut self, place: usize, attempt: usize, seller: usize, price_on_sale: i64, now: UnixTime) -> Step<()> {
        self.keys += 1;
        let drawn = Chance::new(self.world.seed ^ 0x6b65, self.keys).next();
        let chance = u128::from(drawn) << 64 | u128::from(self.keys);
        let looks_back = Snapshot::looks_back(self.world.capabilities(self.reader(place)).cached_for);
        let (returns, row) = (self.is(Mutant::GonePlansCount), self.record.row(place));
        let before = row.recent.latest.as_ref().map(Snapshot::of).unwrap_or_default();
        let lately = if returns { Vec::new() } else { row.lately(now.minus(looks_back), now) };
        let before = before.with_lately(lately);
        let known = &mut row.attempts[attempt];
        let planned = known.clone();
        (known.before, known.version) = (Some(before), known.version + 1);
        self.writes.note(|| Write::Looked { before: planned, after: known.clone(), looks_back, now });
        let key = row.beside[attempt].key.as_ref().map_or_else(|| OrderKey::new(chance), |(key, _)| key.clone());
        let (plan, payment, code) = (known.plan.clone(), known.payment.clone(), known.code.clone());
        let prepared = World::prepare(&row.card, &Order { key: key.clone(), plan, payment, code });
        let id = known.id;
        if self.is(Mutant::PostBeforeCommit) {
            self.world.buy(seller, &prepared, self.at);
            self.point(Site::CrashAfterIntent, place, seller)?;
        }
        let beside = &mut self.record.row(place).beside[attempt];
        beside.key = Some((key.clone(), number(&key)));
        beside.first_sent_at = Some(now);
        beside.prepared = Some(prepared.clone());
        self.record.sends(number(&key));
        self.advance(place, attempt, Event::Sends(Sent { key: key.clone(), first_sent_at: now, send_count: 1 }));
        self.intended(place, attempt, &key, price_on_sale);
        self.commit();
        self.point(Site::CrashAfterIntent, place, seller)?;
        let at = self.at + self.machine.chance.between(0, 1);
        if let Some(process) = &mut self.process {
            process.jobs.push(Job::Intended { row: place, attempt: id, at, prepared });
        }
        Ok(())
    }

    fn intended(&mut self, place: usize, attempt: usize, key: &OrderKey, price_on_sale: i64) {
        let row = &self.record.rows[place];
        let known = &row.attempts[attempt];
        let set_aside = self.machine.restored_at.is_some_and(|(since, _)| self.at - since < 26 * 3_600);
        let has_code = known.code.is_some();
        let price = known.plan.price.ten_thousandths();
        let fact = Fact::Intended {
            card: place,
            attempt: known.id.0,
            key: number(key),
            at: self.at,
            clock_off_secs: self.machine.clock_off,
            disk_full: self.at < self.machine.disk_full_until,
            paused: row.card.wishes.pause.as_ref().is_some_and(|pause| pause.holds(self.now())),
            set_aside,
            price,
            price_on_sale: if has_code { price } else { price_on_sale },
            has_rule: self.world.rule(place, self.at).is_some(),
        };
        self.world.facts.push(fact);
    }

    /// The line in the journal; it is synced before anything leaves.
    pub(super) fn journal(&mut self, place: usize, attempt: usize, key: &OrderKey) {
        let row = &self.record.rows[place];
        let known = &row.attempts[attempt];
        let line = Line {
            number: number(key),
            attempt: known.id,
            card: row.card.id,
            account: known.account.clone(),
            key: key.clone(),
            plan_id: known.plan.id.clone(),
            price: known.plan.price,
            at: self.now(),
        };
        self.writes.note(|| Write::Line(Box::new(line.clone())));
        self.journal.push(line);
    }

    /// The one POST.
    fn post(&mut self, place: usize, id: AttemptId, prepared: &PreparedOrder) -> Step<()> {
        let Some(attempt) = self.find(place, id) else { return Ok(()) };
        let account = self.record.rows[place].attempts[attempt].account.clone();
        let seller = self.world.operator(account.as_str()).unwrap_or(0);
        self.journal(place, attempt, &prepared.key);
        self.point(Site::CrashAfterJournal, place, seller)?;
        let looked_at = self.record.rows[place].beside[attempt].first_sent_at.unwrap_or(UnixTime::MIN);
        if !last_look::look_holds(looked_at, LOOK_HOLDS, self.now()) {
            self.advance(place, attempt, Event::LookedTooLongAgo);
            self.commit();
            return Ok(());
        }
        self.orders += 1;
        let call = self.world.buy(seller, prepared, self.at);
        self.point(Site::CrashInPost, place, seller)?;
        let (at, sent_at) = (self.at + call.takes_secs, self.at);
        if let Some(process) = &mut self.process {
            process.jobs.push(Job::Posted { row: place, attempt: id, at, sent_at, answer: call.answer });
        }
        Ok(())
    }

    /// What the order came to (T5 to T8).
    fn outcome(&mut self, place: usize, id: AttemptId, sent_at: i64, answer: BuyAnswer) -> Step<()> {
        let Some(attempt) = self.find(place, id) else { return Ok(()) };
        let account = self.record.rows[place].attempts[attempt].account.clone();
        let seller = self.world.operator(account.as_str()).unwrap_or(0);
        self.point(Site::CrashAfterPost, place, seller)?;
        let overslept = self.at - sent_at > 2 * PATIENCE;
        let answer = if overslept {
            BuyAnswer::Unknown { doubt: Doubt::TimedOut, detail: String::new(), retry_after: None }
        } else {
            answer
        };
        let now = self.now();
        if let BuyAnswer::Unknown { retry_after: Some(wait), .. } = &answer
            && let Some(process) = &mut self.process
        {
            process.fares[seller].asked_to_wait(*wait, now);
        }
        let answer = self.misread(answer);
        if let BuyAnswer::Unknown { doubt: Doubt::TimedOut, .. } = &answer
            && self.is(Mutant::NewKeyOnTimeOut)
        {
            let row = self.record.row(place);
            row.beside[attempt].key = None;
            row.attempts[attempt].state = AttemptState::Planned { next_at: now.plus(GATE_AGAIN) };
            self.moved(place, attempt, "sending", false);
            self.commit();
            return Ok(());
        }
        let state = self.advance(place, attempt, Event::Answered(answer));
        self.commit();
        self.tell_untold()?;
        self.point(Site::CrashAfterOutcome, place, seller)?;
        if !state.is_open()
            && let Some(process) = &mut self.process
        {
            process.schedule[place] = now;
        }
        Ok(())
    }

    /// What the mutants make of an answer.
    fn misread(&self, answer: BuyAnswer) -> BuyAnswer {
        let BuyAnswer::Unknown { doubt, .. } = &answer else { return answer };
        let wrong = match doubt {
            Doubt::ServerError => self.is(Mutant::ErrorMeansRefused),
            Doubt::UnlistedCode => self.is(Mutant::FailedBelieved),
            Doubt::Unreadable | Doubt::Unproven => self.is(Mutant::UnreadableMeansRefused),
            _ => false,
        };
        let refusal = Refusal { kind: RefusalKind::Passing, code: "?".to_owned(), text: String::new() };
        if wrong { BuyAnswer::Refused(refusal) } else { answer }
    }

    /// The mutant that queues messages after the commit of their cause may die between the two.
    pub(super) fn tell_untold(&mut self) -> Step<()> {
        if self.machine.untold.is_empty() {
            return Ok(());
        }
        let untold = std::mem::take(&mut self.machine.untold);
        let now = self.now();
        for (place, kind, cycle, step, id) in untold {
            let reader = self.reader(place);
            self.point(Site::CrashAfterOutcome, place, reader)?;
            self.tell(place, kind, cycle, step, Some(id), now);
        }
        self.commit();
        Ok(())
    }
}
