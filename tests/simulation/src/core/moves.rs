//! Moves of attempts: the domain's step, written with the message about it in the same commit.

use simkeeper::domain::attempt::{Attempt, AttemptId, AttemptState, StateName};
use simkeeper::domain::cycle;
use simkeeper::domain::gates::Gate;
use simkeeper::domain::news::{self, News};
use simkeeper::domain::notice::NoticeKind;
use simkeeper::domain::operator::{Capabilities, Found, Lookup, Refusal, RefusalKind};
use simkeeper::domain::step::{Decision, Event, Transition, step};
use simkeeper::domain::time::{Secs, UnixTime};

use super::Simulation;
use super::record::{Notice, Stand, number};
use super::writes::Write;
use crate::mutants::Mutant;
use crate::oracle::facts::Fact;

impl Simulation {
    /// Moves an attempt by an event, with what is told of it. The caller commits.
    pub(super) fn advance(&mut self, place: usize, attempt: usize, event: Event) -> StateName {
        let now = self.now();
        let by_person = matches!(event, Event::Decided { .. });
        let before = &self.record.rows[place].attempts[attempt];
        let seller = self.world.operator(before.account.as_str()).unwrap_or(0);
        let capabilities = self.mutated(self.capabilities_for(place, seller), &event);
        let ends = self.record.rows[place].recent.latest.as_ref().and_then(cycle::first_end);
        if self.is(Mutant::NeverAsks) && matches!(event, Event::TimePassed) {
            return before.state.name();
        }
        let Ok(moved) = step(before, event, &capabilities, ends, now) else { return before.state.name() };
        if moved.state == before.state {
            return before.state.name();
        }
        let (mut state, mut transition) = (moved.state, moved.transition);
        if let AttemptState::Accepted { order_id, charged, .. } = &state
            && self.is(Mutant::DoneOnAcceptance)
        {
            state = AttemptState::Done { at: now, order_id: order_id.clone(), charged: *charged };
            transition = Transition::T15;
        }
        let after = Attempt { state, version: before.version + 1, ..before.clone() };
        let row = self.record.row(place);
        let before = std::mem::replace(&mut row.attempts[attempt], after.clone());
        let beside = &mut row.beside[attempt];
        if let Some(sent) = after.state.sent() {
            (beside.key, beside.first_sent_at) =
                (Some((sent.key.clone(), number(&sent.key))), Some(sent.first_sent_at));
        }
        self.writes.note(|| Write::Moved {
            before: before.clone(),
            after: after.clone(),
            transition: transition.as_str(),
            prepared: beside.prepared.clone().filter(|_| transition == Transition::T4).map(Box::new),
            now,
        });
        if before.state.name() != after.state.name() {
            self.moved(place, attempt, before.state.name().as_str(), by_person);
        }
        if let Some(news) = news::of_move(&before, &after, transition) {
            let kind = kind_of(&news);
            if let News::Asked(question) = news {
                let class = self.world.operators[seller].class;
                self.questions.count(question, class);
                if self.trace.is_some() {
                    self.write(&format!("card {place} asks: {news:?}, class {}", crate::faults::CLASSES[class]));
                }
            }
            let told = (place, kind, after.cycle, news::step_of(&after, transition), after.id);
            if self.is(Mutant::NoticeOutsideCommit) {
                self.machine.untold.push(told);
            } else {
                self.tell(told.0, told.1, told.2, told.3, Some(told.4), now);
            }
        }
        if after.state.name() == StateName::Done {
            let cycle = after.cycle.saturating_add(1);
            self.record.row(place).cycle = cycle;
            self.writes.note(|| Write::Cycle { place, cycle });
            self.use_wishes(place, now);
            self.done[self.world.operators[seller].class] += 1;
        }
        after.state.name()
    }

    /// What the mutants believe of an operator.
    fn mutated(&self, capabilities: Capabilities, event: &Event) -> Capabilities {
        if self.is(Mutant::AbsentAfterHour) && matches!(event, Event::LookedUp(Found::Nothing)) {
            let lookup = match capabilities.lookup {
                Lookup::None => Lookup::None,
                Lookup::ByRef { .. } | Lookup::ByList { .. } => Lookup::ByRef { listing_delay_secs: 0 },
            };
            return Capabilities { processing_max: Some(Secs::HOUR), lookup, ..capabilities };
        }
        capabilities
    }

    /// A mutant's refusal out of thin air.
    pub(super) fn force_refused(&mut self, place: usize, attempt: usize, now: UnixTime) {
        let known = &mut self.record.row(place).attempts[attempt];
        let before = known.state.name().as_str();
        let refusal = Refusal { kind: RefusalKind::Passing, code: "?".to_owned(), text: String::new() };
        known.state = AttemptState::Refused { at: now, refusal };
        self.moved(place, attempt, before, false);
        self.commit();
    }

    /// An attempt has another state now.
    pub(super) fn moved(&mut self, place: usize, attempt: usize, from: &'static str, by_person: bool) {
        let at = self.at;
        let row = self.record.row(place);
        row.beside[attempt].since = at;
        let name = row.attempts[attempt].state.name();
        let (id, key) = (row.attempts[attempt].id.0, row.beside[attempt].key.as_ref().map(|(_, number)| *number));
        let state =
            StateName::ALL.iter().position(|one| *one == name).map_or(0, |one| if one < 6 { one + 1 } else { 0 });
        self.world.note_state(place, state);
        self.may_bring_mishap(place, state);
        let to = name.as_str();
        self.world.facts.push(Fact::Moved { card: place, attempt: id, key, from, to, by_person, at });
        if self.trace.is_some() {
            self.write(&format!("card {place} attempt {id} {from} -> {to}"));
        }
    }

    /// Gives a planned attempt up because of a gate.
    pub(super) fn give_up(&mut self, place: usize, attempt: usize, gate: Gate) {
        let now = self.now();
        self.advance(place, attempt, Event::GateClosed { gate: gate.to_string() });
        let row = &self.record.rows[place];
        let given_up = row.attempts[attempt].clone();
        let step = news::step_of_gate(gate, &given_up, &row.card);
        self.tell(place, NoticeKind::Failed, given_up.cycle, step, Some(given_up.id), now);
    }

    /// Queues a message, unless one with its key is there.
    pub(super) fn tell(
        &mut self,
        place: usize,
        kind: NoticeKind,
        cycle: u32,
        step: String,
        attempt: Option<AttemptId>,
        now: UnixTime,
    ) -> bool {
        let key = (kind, cycle, step);
        let is_news = !self.record.rows[place].told.contains(&key);
        let id = self.record.last_notice + 1;
        self.writes.note(|| Write::Told {
            place,
            kind,
            cycle,
            step: key.2.clone(),
            attempt,
            id: is_news.then_some(id),
            now,
        });
        if !is_news {
            return false;
        }
        self.record.row(place).told.insert(key);
        self.record.last_notice = id;
        self.record.notices.push(Notice {
            id,
            card: place,
            urgent: kind.is_urgent(),
            stand: Stand::Queued,
            tries: 0,
            crashes: 0,
            next_at: now,
            expires_at: now.plus(kind.expires_after()),
        });
        let (kind_word, at) = (kind.as_str(), self.at);
        let attempt = attempt.map(|id| id.0);
        let fact = Fact::Queued { notice: id, card: place, attempt, kind: kind_word, way: "", at };
        self.world.facts.push(fact);
        if self.trace.is_some() {
            self.write(&format!("card {place} tells {} ({id})", kind.as_str()));
        }
        true
    }

    /// A person's word about an attempt.
    pub(super) fn decide(&mut self, place: usize, attempt: usize, decision: Decision) {
        let event = Event::Decided { by: "anna".to_owned(), decision, reason: "the operator says so".to_owned() };
        self.advance(place, attempt, event);
        self.commit();
        let now = self.now();
        if let Some(process) = &mut self.process {
            process.schedule[place] = now;
        }
    }
}

const fn kind_of(news: &News) -> NoticeKind {
    match news {
        News::Settled(_) => NoticeKind::SettledLate,
        News::Refused(_) | News::Reversed(_) | News::NotSent => NoticeKind::Failed,
        News::Doubtful(_) => NoticeKind::Unknown,
        News::Asked(_) => NoticeKind::Asked,
        News::Bought => NoticeKind::Bought,
    }
}
