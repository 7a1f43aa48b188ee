//! What happens on a day beside the daemon's own work: people buy, pause, take rules out, agree and settle; the machine
//! sleeps, is switched off, has a wrong clock, gets an older record.

use simkeeper::daemon::bells::Round;
use simkeeper::daemon::request::{Outcome, Reply, Request};
use simkeeper::domain::step::Decision;
use simkeeper::domain::time::UnixTime;
use simkeeper::store::backup;

use super::files;
use super::scribe::Open;
use super::story::{DAY, HOUR, Story};
use crate::faults::Site;
use crate::oracle::facts::Fact;
use crate::world::{Act, Person};

/// Copies of the record that people keep.
const COPIES_MAX: usize = 8;

impl Story {
    pub(super) fn live_a_day(&mut self, day: i64) -> anyhow::Result<()> {
        self.people_act(day)?;
        self.people_answer()?;
        // The keeping round needs no turn of its own at every quarter of an hour.
        if self.stage.scene().dice.percent(40) {
            self.work(&Round::ALL)?;
        }
        self.stage.scene().look_at_messages();
        self.machine_troubles()
    }

    fn people_act(&mut self, day: i64) -> anyhow::Result<()> {
        let cards = self.stage.scene().world.cards.len();
        for card in 0..cards {
            let act = {
                let mut scene = self.stage.scene();
                let at = scene.at;
                scene.world.day_of_people(card, day.unsigned_abs(), at)
            };
            match act {
                Act::Nothing => {}
                Act::RuleGone { until } => {
                    self.rules_back_at.push(until);
                    self.rewrite_rules()?;
                }
                Act::Pause { until } => {
                    let off = self.stage.scene().off_secs;
                    let until_there = UnixTime::clamped(until.saturating_add(off)).to_string();
                    let request = Request::Pause { card: files::card_name(card), until: Some(until_there) };
                    if let Some(Reply::Done { .. }) = self.ask(request)? {
                        // A clock that is a little slow or fast ends it a little earlier.
                        self.stage.scene().paused_until[card] = until - 600;
                    }
                }
            }
        }
        Ok(())
    }

    fn people_answer(&mut self) -> anyhow::Result<()> {
        let open = self.stage.scene().scribe.opened()?;
        for open in open {
            if open.asks_to_buy && open.state == "planned" {
                self.agree(&open)?;
            }
            if open.state == "human" {
                self.settle(&open)?;
            }
        }
        Ok(())
    }

    fn agree(&mut self, open: &Open) -> anyhow::Result<()> {
        let (answers, agrees) = {
            let mut scene = self.stage.scene();
            (scene.dice.percent(60), scene.dice.percent(90))
        };
        if !answers {
            return Ok(());
        }
        let request = if agrees {
            Request::Approve { id: open.attempt }
        } else {
            Request::Refuse { id: open.attempt, reason: "not this month".to_owned() }
        };
        self.ask(request).map(drop)
    }

    fn settle(&mut self, open: &Open) -> anyhow::Result<()> {
        let (person, two) = {
            let mut scene = self.stage.scene();
            let at = scene.at;
            let Some(key) = &open.key else { return Ok(()) };
            let number = u128::from_str_radix(key, 16).unwrap_or(0);
            let sent_at = scene.scribe.intended.iter().rev().find(|(_, known, _)| *known == number);
            let sent_at = sent_at.map(|(_, _, at)| *at).or(open.first_sent_at).unwrap_or(at);
            let operator = scene.world.operator(&open.account).unwrap_or(0);
            let person = scene.world.person_settles(operator, key, sent_at, at);
            let lane = scene.world.cards.len();
            let two = scene.world.faults.fires(Site::TwoPeople, lane, 6, operator);
            (person, two)
        };
        let Person::Settles(decision) = person else { return Ok(()) };
        let outcome = match decision {
            Decision::Bought => Outcome::Bought,
            Decision::NotBought => Outcome::NotBought,
            Decision::Abandon => Outcome::Abandon,
        };
        let request = || Request::Settle { id: open.attempt, outcome, reason: "the operator's list".to_owned() };
        let first = self.ask(request())?;
        if two && let (Some(Reply::Done { .. }), Some(Reply::Done { .. })) = (first, self.ask(request())?) {
            self.troubles.push(format!("attempt {} was settled by two people", open.attempt));
        }
        Ok(())
    }

    fn machine_troubles(&mut self) -> anyhow::Result<()> {
        if self.happens(Site::Sleeps, 5) {
            let secs = self.stage.scene().dice.between(HOUR, 30 * HOUR);
            self.stage.pass(secs);
        }
        if self.clock_right_at.is_none() && self.happens(Site::ClockJumps, 4) {
            self.jump();
        }
        self.copies_and_restores()?;
        let (stops, dies, wait) = {
            let mut scene = self.stage.scene();
            (scene.dice.percent(1), scene.dice.percent(1), scene.dice.between(5, 20 * HOUR))
        };
        if stops && self.process.is_some() {
            self.stop(wait);
            self.start_without_time();
        } else if dies && self.process.is_some() {
            self.stage.scene().deaths.note("between_rounds");
            self.bury()?;
            self.start_without_time();
        }
        Ok(())
    }

    /// A clock that was not set yet when the machine starts.
    fn start_without_time(&mut self) {
        if self.clock_right_at.is_none() && self.happens(Site::StartsWithoutTime, 60) {
            let starts_at = self.starts_at;
            let lasts = self.stage.scene().dice.between(60, 20 * HOUR);
            self.go_wrong(-starts_at, starts_at + lasts);
        }
    }

    fn jump(&mut self) {
        let (off, lasts) = {
            let mut scene = self.stage.scene();
            let at = scene.at;
            let jumps =
                [20 * DAY, -20 * DAY, -at, 2_145_916_800 - at, 2 * HOUR, -2 * HOUR, 240, -240, 12 * HOUR, 400 * DAY];
            (*scene.dice.pick(&jumps), scene.dice.between(60, 40 * HOUR))
        };
        let right_at = self.now() + lasts;
        self.go_wrong(off, right_at);
    }

    fn go_wrong(&mut self, off_secs: i64, right_at: i64) {
        self.stage.set_clock(off_secs);
        self.clock_right_at = Some(right_at);
        let mut scene = self.stage.scene();
        let from = scene.at;
        for card in 0..scene.world.cards.len() {
            scene.world.facts.push(Fact::Blind { card, from, until: right_at });
        }
    }

    fn copies_and_restores(&mut self) -> anyhow::Result<()> {
        if !self.stage.scene().world.faults.is_on(Site::Restored) {
            return Ok(());
        }
        let (copies, restores) = {
            let mut scene = self.stage.scene();
            (scene.dice.percent(8), scene.dice.percent(2))
        };
        if copies {
            let made_at = self.now();
            if let Some(Reply::Done { .. }) = self.ask(Request::Backup)?
                && let Some(path) = backup::list(&self.places.state)?.into_iter().next()
            {
                self.copies.push((path, made_at));
                let over = self.copies.len().saturating_sub(COPIES_MAX);
                self.copies.drain(..over);
            }
        }
        self.copies.retain(|(path, _)| path.exists());
        if restores && !self.copies.is_empty() && self.process.is_some() {
            let copy = {
                let mut scene = self.stage.scene();
                scene.dice.below(self.copies.len() as u64)
            };
            self.restore(copy as usize)?;
        }
        Ok(())
    }

    /// Whether a fault that concerns the machine happens today.
    fn happens(&self, site: Site, in_hundred_days: u64) -> bool {
        let mut scene = self.stage.scene();
        let lane = scene.world.cards.len();
        scene.dice.percent(in_hundred_days) && scene.world.faults.fires(site, lane, 0, 0)
    }
}
