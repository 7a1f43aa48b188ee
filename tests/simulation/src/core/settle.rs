//! One look at one open order: repeat or look up, then read the card, then see what time says; and once a day a look at
//! what is done and may still turn.

use simkeeper::domain::attempt::{Attempt, AttemptState, StateName};
use simkeeper::domain::cycle::Effect;
use simkeeper::domain::news;
use simkeeper::domain::notice::NoticeKind;
use simkeeper::domain::operator::{Found, Lookup, Proof, Repeat};
use simkeeper::domain::reading::Reading;
use simkeeper::domain::settling::{self, Ask};
use simkeeper::domain::step::{Event, may_resend};
use simkeeper::domain::time::Secs;

use super::record::number;
use super::writes::Write;
use super::{Simulation, Step};
use crate::faults::Site;
use crate::mutants::Mutant;

/// How often orders that may still be taken back are looked up.
const LATE_CHANGES_EVERY: Secs = Secs::DAY;
/// Soon after a start they are looked up for the first time.
const LATE_CHANGES_AFTER_START: Secs = Secs::minutes(30);

impl Simulation {
    fn open(&self, place: usize, attempt: usize) -> Option<&Attempt> {
        let known = self.record.rows[place].attempts.get(attempt)?;
        Some(known).filter(|known| known.state.name().is_open())
    }

    /// Commits an event; says whether the attempt is still open.
    fn note(&mut self, place: usize, attempt: usize, event: Event) -> Step<bool> {
        let seller = self.seller(place, attempt);
        let state = self.advance(place, attempt, event);
        self.commit();
        self.tell_untold()?;
        self.point(Site::CrashSettling, place, seller)?;
        if !state.is_open() {
            let now = self.now();
            if let Some(process) = &mut self.process {
                process.schedule[place] = now;
            }
        }
        Ok(state.is_open())
    }

    fn seller(&self, place: usize, attempt: usize) -> usize {
        let account = &self.record.rows[place].attempts[attempt].account;
        self.world.operator(account.as_str()).unwrap_or(0)
    }

    /// One look at one open order.
    pub(super) fn settle(&mut self, place: usize, attempt: usize) -> Step<()> {
        let (now, seller) = (self.now(), self.seller(place, attempt));
        let asked_to_wait =
            self.process.as_ref().is_some_and(|process| process.fares[seller].asked_until(now).is_some());
        if self.is(Mutant::SecondSellerUnguarded) && self.unguarded(place, attempt) {
            self.force_refused(place, attempt, now);
            return Ok(());
        }
        let goes_on = if asked_to_wait {
            self.note(place, attempt, Event::LookupFailed)?
        } else {
            match self.look_before(place, attempt, seller)? {
                Some(fresh) => self.ask_operator(place, attempt, seller, fresh)?,
                None => false,
            }
        };
        if !goes_on || !self.look_at_card(place, attempt)? {
            return Ok(());
        }
        if self.note(place, attempt, Event::TimePassed)? {
            self.remind(place, attempt);
        }
        Ok(())
    }

    fn unguarded(&self, place: usize, attempt: usize) -> bool {
        let row = &self.record.rows[place];
        let unknown = row.attempts[attempt].state.name() == StateName::Unknown;
        unknown && !row.card.sellers.is_empty()
    }

    /// Reads the card first where the order may be repeated; none if it is not open any more, and the reading if there is
    /// one to go by.
    fn look_before(&mut self, place: usize, attempt: usize, seller: usize) -> Step<Option<Option<Reading>>> {
        let Some(open) = self.open(place, attempt) else { return Ok(None) };
        let (proof, now) = (self.world.capabilities(self.reader(place)).proof, self.now());
        let first = settling::reads_first(open, self.world.capabilities(seller), proof, now);
        if !first || self.is(Mutant::RepeatsUnseen) {
            return Ok(Some(None));
        }
        if !self.look_at_card(place, attempt)? {
            return Ok(None);
        }
        let latest = self.record.rows[place].recent.latest.clone();
        Ok(Some(latest.filter(|reading| reading.read_at == now && !self.clock_differs())))
    }

    /// Whether the operator's clock, which comes with each answer, contradicts the machine's.
    fn clock_differs(&self) -> bool {
        self.machine.clock_off.abs() > 300 && !self.is(Mutant::NoClockCheck)
    }

    /// Repeats or looks up; says whether the card is read next.
    fn ask_operator(&mut self, place: usize, attempt: usize, seller: usize, fresh: Option<Reading>) -> Step<bool> {
        let now = self.now();
        let Some(open) = self.open(place, attempt).cloned() else { return Ok(false) };
        let Some(sent) = open.state.sent().cloned() else { return Ok(false) };
        let capabilities = *self.world.capabilities(seller);
        let proof = self.world.capabilities(self.reader(place)).proof;
        let age = now.since(sent.first_sent_at);
        let unknown = open.state.name() == StateName::Unknown;
        let wrong = unknown
            && (self.is(Mutant::ResendPastWindow) && matches!(capabilities.repeat, Repeat::Replays(_))
                || self.is(Mutant::ClassCResends) && capabilities.lookup == Lookup::None && age > Secs::HOUR);
        let unseen = unknown && self.is(Mutant::RepeatsUnseen) && may_resend(&sent, &capabilities, now);
        let ask =
            if wrong || unseen { Ask::Resend } else { settling::ask(&open, &capabilities, proof, fresh.as_ref(), now) };
        // A clock that the operator's contradicts cannot tell how old an order is.
        let differs = self.clock_differs();
        match ask {
            Ask::Resend => return self.resend(place, attempt, seller, wrong),
            Ask::Nothing => return Ok(true),
            Ask::LookUp => {}
        }
        let order = open.sent_order(sent.key.clone(), sent.first_sent_at);
        let event = match self.world.find(seller, place, &order, self.at).answer {
            Ok(found) => {
                if let Some(process) = &mut self.process {
                    process.fares[seller].went_well();
                }
                if found == Found::Nothing && differs { Event::LookupFailed } else { Event::LookedUp(found) }
            }
            Err(error) => {
                self.went_wrong(seller, &error, now);
                Event::LookupFailed
            }
        };
        if event == Event::LookedUp(Found::Nothing) && unknown && self.is(Mutant::ResendAtFirstMiss) {
            return self.resend(place, attempt, seller, true);
        }
        let is_open = self.note(place, attempt, event.clone())?;
        Ok(is_open && self.open(place, attempt).is_some_and(|after| settling::goes_on(&event, after)))
    }

    /// T9: the count is on disk before the same bytes leave again. A mutant's repeat goes past the table.
    fn resend(&mut self, place: usize, attempt: usize, seller: usize, past_the_table: bool) -> Step<bool> {
        let Some(prepared) = self.record.rows[place].beside[attempt].prepared.clone() else { return Ok(true) };
        if !past_the_table && self.record.last_seen.since(self.now()) > Secs::minutes(5) {
            // By a clock that was set back the key is younger than it is.
            return self.note(place, attempt, Event::LookupFailed);
        }
        let id = self.record.rows[place].attempts[attempt].id;
        self.writes.note(|| Write::Repeats { attempt: id, prepared: Box::new(prepared.clone()) });
        // In the commit of the event.
        self.record.sends(number(&prepared.key));
        let event = if past_the_table { Event::LookupFailed } else { Event::Resends };
        if !self.note(place, attempt, event)? {
            return Ok(false);
        }
        self.journal(place, attempt, &prepared.key);
        self.orders += 1;
        let answer = self.world.buy(seller, &prepared, self.at).answer;
        self.point(Site::CrashAfterPost, place, seller)?;
        match settling::repeated(answer) {
            None => Ok(true),
            Some(event) => self.note(place, attempt, event),
        }
    }

    /// Reads the card and compares it with what it was before the order; says whether it is still open.
    fn look_at_card(&mut self, place: usize, attempt: usize) -> Step<bool> {
        let (now, reader) = (self.now(), self.reader(place));
        let Some(open) = self.open(place, attempt).cloned() else { return Ok(false) };
        if open.state.name() == StateName::Pending {
            return Ok(true);
        }
        if self.process.as_ref().is_some_and(|process| process.fares[reader].asked_until(now).is_some()) {
            return self.note(place, attempt, Event::LookupFailed);
        }
        let answer = self.world.read(reader, place, self.at, now).answer;
        self.hear(&answer);
        if let Err(error) = &answer {
            self.went_wrong(reader, error, now);
        }
        let (readable, proof) = (answer.is_ok(), self.world.capabilities(reader).proof);
        self.judge(place, answer, now);
        let latest = self.record.rows[place].recent.latest.clone();
        let fresh = latest.filter(|reading| readable && reading.read_at == now);
        let mut event = settling::shown(&open, fresh.as_ref(), proof);
        if self.is(Mutant::EndsByEquality) {
            event = by_equality(&open, fresh.as_ref(), proof).unwrap_or(event);
        }
        self.note(place, attempt, event)
    }

    /// Puts an open question again, once a day.
    fn remind(&mut self, place: usize, attempt: usize) {
        let now = self.now();
        let Some(open) = self.open(place, attempt) else { return };
        let (cycle, id) = (open.cycle, open.id);
        let Some(days) = settling::reminder(open, now) else { return };
        if self.is(Mutant::QuestionNotRepeated) {
            return;
        }
        let step = news::step_of_question(open, days);
        self.tell(place, NoticeKind::Asked, cycle, step, Some(id), now);
        self.commit();
    }

    /// Once a day: what is done and may still turn.
    pub(super) fn late_changes(&mut self) -> Step<()> {
        let now = self.now();
        let Some(process) = &mut self.process else { return Ok(()) };
        if process.late_changes_at.is_none() {
            process.late_changes_at = Some(now.plus(LATE_CHANGES_AFTER_START));
            return Ok(());
        }
        process.late_changes_at = Some(now.plus(LATE_CHANGES_EVERY));
        for place in 0..self.record.rows.len() {
            for attempt in 0..self.record.rows[place].attempts.len() {
                self.look_for_turn(place, attempt)?;
            }
        }
        Ok(())
    }

    fn look_for_turn(&mut self, place: usize, attempt: usize) -> Step<()> {
        let (now, seller) = (self.now(), self.seller(place, attempt));
        let row = &self.record.rows[place];
        let (known, Some((key, _))) = (&row.attempts[attempt], &row.beside[attempt].key) else { return Ok(()) };
        let waits = self.process.as_ref().is_some_and(|process| process.fares[seller].asked_until(now).is_some());
        if waits || !settling::may_turn(known, self.world.capabilities(seller), now) {
            return Ok(());
        }
        let order = known.sent_order(key.clone(), known.created_at);
        match self.world.find(seller, place, &order, self.at).answer {
            Ok(found) => match settling::turned(found) {
                Some(event) => self.note(place, attempt, event).map(drop),
                None => Ok(()),
            },
            Err(error) => {
                self.went_wrong(seller, &error, now);
                Ok(())
            }
        }
    }
}

/// The mutant's comparison: an end that is not the same is another end.
fn by_equality(open: &Attempt, fresh: Option<&Reading>, proof: Proof) -> Option<Event> {
    let (reading, before) = (fresh?, open.before.as_ref()?);
    if proof == Proof::Balance || matches!(open.state, AttemptState::Human { .. }) {
        return None;
    }
    let ends = (reading.plan_ends.map(|end| end.at), reading.number_ends.map(|end| end.at));
    let same = ends == (before.plan_ends, before.number_ends);
    Some(Event::CardShows(if same { Effect::None } else { Effect::Seen }))
}
