//! A day: what people do about cards and questions, and what befalls the machine.

use std::collections::BTreeMap;

use simkeeper::domain::attempt::{Approval, Attempt, AttemptState, StateName};
use simkeeper::domain::card::{Pause, Wishes};
use simkeeper::domain::step::Decision;
use simkeeper::domain::time::{Secs, UnixTime};

use super::writes::Write;
use super::{Crash, DAY, Simulation, Step};
use crate::chance::Chance;
use crate::faults::Site;
use crate::mutants::Mutant;
use crate::oracle::facts::Fact;
use crate::world::{Act, BEGINS, Person};

const HOUR: i64 = 3_600;
/// Copies that are kept.
const BACKUPS_KEPT: usize = 3;

impl Simulation {
    /// A day begins.
    pub(super) fn day(&mut self) -> Step<()> {
        self.next_day += DAY;
        let day = ((self.at - BEGINS) / DAY).unsigned_abs();
        for place in 0..self.record.rows.len() {
            match self.world.day_of_people(place, day, self.at) {
                Act::Nothing | Act::RuleGone { .. } => {}
                Act::Pause { until } => self.pause(place, until),
            }
            if self.process.is_some() {
                self.answer(place, day);
            }
        }
        self.day_of_machine(day)
    }

    fn pause(&mut self, place: usize, until: i64) {
        let (now, length) = (self.now(), until - self.at);
        let pause = Pause { since: now, until: Some(now.plus(Secs(length))), by: "anna".to_owned() };
        let wishes = Wishes { pause: Some(pause), ..self.record.rows[place].card.wishes.clone() };
        self.set_wishes(place, wishes);
        self.commit();
    }

    /// Whoever was asked answers on some day.
    fn answer(&mut self, place: usize, day: u64) {
        let Some(attempt) = self.record.rows[place].open() else { return };
        let mut chance = Chance::new(self.world.seed ^ 0xa45, (place as u64) << 32 | day);
        let known = self.record.rows[place].attempts[attempt].clone();
        match &known.state {
            AttemptState::Planned { .. } if matches!(known.approval, Approval::Asked { .. }) => {
                match chance.below(10) {
                    0..5 => self.approve(place, attempt),
                    5 => self.decide(place, attempt, Decision::Abandon),
                    _ => {}
                }
            }
            AttemptState::Human { sent, .. } if chance.percent(50) => {
                let seller = self.world.operator(known.account.as_str()).unwrap_or(0);
                let sent_at = self.sent_in_truth(place, attempt, sent.first_sent_at);
                let person = self.world.person_settles(seller, sent.key.as_str(), sent_at, self.at);
                let Person::Settles(decision) = person else { return };
                let without_effect =
                    self.world.operators[seller].booked(sent.key.as_str()).is_some_and(|one| one.lacks_effect);
                if without_effect && decision == Decision::Bought {
                    // The money comes back, and the shop sells another.
                    self.decide(place, attempt, Decision::Abandon);
                    let reader = self.reader(place);
                    self.world.person_buys(place, reader, self.at);
                    return;
                }
                self.decide(place, attempt, decision);
                if self.world.fires(Site::TwoPeople, place, seller)
                    && self.record.rows[place].attempts[attempt].state.name() == StateName::Human
                {
                    self.decide(place, attempt, Decision::Abandon);
                }
            }
            _ => {}
        }
    }

    /// People know the true time; the record's may be wrong. What was last sent lies no later than the present state.
    fn sent_in_truth(&self, place: usize, attempt: usize, told: UnixTime) -> i64 {
        let since = self.record.rows[place].beside[attempt].since;
        told.secs().clamp(BEGINS, since.max(BEGINS)).max(since.min(self.at) - 3 * DAY)
    }

    fn approve(&mut self, place: usize, attempt: usize) {
        let now = self.now();
        let known = &mut self.record.row(place).attempts[attempt];
        let after = Attempt {
            approval: Approval::Given { by: "anna".to_owned(), at: now },
            state: AttemptState::Planned { next_at: now },
            version: known.version + 1,
            ..known.clone()
        };
        let before = std::mem::replace(known, after.clone());
        self.writes.note(|| Write::Moved { before, after, transition: "T2", prepared: None, now });
        self.commit();
    }

    /// What befalls the machine on a day.
    fn day_of_machine(&mut self, day: u64) -> Step<()> {
        let card = (day % self.record.rows.len() as u64) as usize;
        let operator = self.reader(card);
        if self.world.faults.is_on(Site::Restored) && day.is_multiple_of(5) {
            if self.machine.backups.len() == BACKUPS_KEPT {
                self.machine.backups.remove(0);
            }
            self.machine.backups.push((self.at, self.record.clone()));
            let kept = self.machine.backups.len();
            self.writes.note(|| Write::Copied { kept });
        }
        // How many days lie between two of them, where they happen at every visit.
        let sites = [
            (Site::ClockJumps, 20),
            (Site::Sleeps, 10),
            (Site::DiskFull, 20),
            (Site::MailDown, 20),
            (Site::Restored, 30),
            (Site::PowerLost, 10),
        ];
        for (site, days) in sites {
            if self.machine.chance.below(days) == 0 {
                self.befalls(site, card, operator)?;
            }
        }
        Ok(())
    }

    /// Something befalls the machine, if its site fires.
    pub(super) fn befalls(&mut self, site: Site, card: usize, operator: usize) -> Step<()> {
        if !self.world.fires(site, card, operator) {
            return Ok(());
        }
        let (at, chance) = (self.at, &mut self.machine.chance);
        match site {
            Site::ClockJumps => self.jump(),
            Site::Sleeps => {
                self.machine.asleep_until = at + chance.between(HOUR, 12 * HOUR);
                self.nobody_sees_until(self.machine.asleep_until);
            }
            Site::DiskFull => self.machine.disk_full_until = at + chance.between(HOUR, 2 * DAY),
            Site::MailDown => self.machine.mail_down_until = at + chance.between(HOUR, 3 * DAY),
            Site::Restored => return self.restore(),
            Site::PowerLost => return self.lose_power(),
            Site::Paused => {
                let until = at + chance.between(HOUR, 3 * DAY);
                self.pause(card, until);
            }
            Site::RuleRemoved => self.world.cards[card].rule_back_at = at + chance.between(HOUR, 2 * DAY),
            _ => {}
        }
        Ok(())
    }

    fn jump(&mut self) {
        if self.machine.clock_mends_at.is_some() {
            return;
        }
        let to_2038 = 2_145_916_800 - self.at;
        let jumps = [20 * DAY, -20 * DAY, -self.at, to_2038, HOUR, -HOUR, -10 * HOUR, 200];
        let off = *self.machine.chance.pick(&jumps);
        self.machine.clock_mends_at = Some(self.at + self.machine.chance.between(HOUR, 2 * DAY));
        self.set_clock(off);
        self.nobody_sees_until(self.machine.clock_mends_at.unwrap_or(self.at));
        self.write("the clock jumps");
    }

    pub(super) fn nobody_sees_until(&mut self, until: i64) {
        let cards = 0..self.record.rows.len();
        self.world.facts.extend(cards.map(|card| Fact::Blind { card, from: self.at, until }));
    }

    /// An older copy takes the record's place; the process is started anew.
    fn restore(&mut self) -> Step<()> {
        let count = self.machine.backups.len() as u64;
        if count == 0 {
            return Ok(());
        }
        let place = self.machine.chance.below(count) as usize;
        let (made_at, copy) = self.machine.backups[place].clone();
        let before = std::mem::replace(&mut self.record, copy);
        let now = self.now();
        self.writes.note(|| Write::PutBack { place, now });
        // A copy from before an earlier restore knows nothing of it.
        self.machine.restored_at = self.machine.restored_at.filter(|(_, restored_at)| *restored_at <= made_at);
        // A second copy, put there before a start, may know what the first one had forgotten.
        let mut sent: BTreeMap<u128, u32> = before.keys;
        let earlier = std::mem::take(&mut self.machine.forgotten);
        sent.extend(earlier.into_iter().map(|(key, (sends, _))| (key, sends)));
        sent.retain(|key, sends| self.record.keys.get(key).is_none_or(|known| known < sends));
        self.machine.forgotten = sent.into_iter().map(|(key, sends)| (key, (sends, made_at))).collect();
        self.machine.was_restored = true;
        self.machine.agrees = false;
        self.write(&format!("an older copy is restored, made at {made_at}"));
        Err(Crash)
    }

    /// The power goes. What was synced is there afterwards; everything is, where every commit was.
    fn lose_power(&mut self) -> Step<()> {
        if self.is(Mutant::NoSync)
            && let Some(synced) = self.machine.synced.clone()
        {
            self.record = synced;
            self.machine.agrees = false;
        }
        Err(Crash)
    }
}
