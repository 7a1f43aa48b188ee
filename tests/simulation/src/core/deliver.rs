//! Messages: claim in one commit, send, settle in one commit.

use simkeeper::domain::retry::next_delivery;
use simkeeper::domain::time::{Secs, UnixTime};

use super::record::{Notice, Stand};
use super::writes::Write;
use super::{Crash, Simulation, Step};
use crate::faults::Site;
use crate::mutants::Mutant;
use crate::oracle::facts::Fact;

/// Messages claimed in one commit.
const CLAIMED_AT_ONCE: usize = 64;
/// After a connection was lost behind the last line, this long is waited.
const DOUBT_WAIT: Secs = Secs::minutes(10);

/// What became of a try.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Sent,
    Retry(Option<UnixTime>),
    Dead,
}

impl Simulation {
    /// What is due goes out.
    pub(super) fn deliver(&mut self) -> Step<()> {
        let now = self.now();
        self.expire(now);
        let due = self.claimable(now);
        if due.is_empty() {
            return Ok(());
        }
        for id in &due {
            if let Some(notice) = self.record.notices.iter_mut().find(|notice| notice.id == *id) {
                notice.stand = Stand::Claimed;
                notice.tries += 1;
                notice.next_at = now.plus(next_delivery(notice.tries, id.unsigned_abs()));
            }
        }
        let notices = &self.record.notices;
        let tries = |id: i64| notices.iter().find(|notice| notice.id == id).map_or(0, |notice| notice.tries);
        self.writes.note(|| Write::Claimed {
            most: CLAIMED_AT_ONCE,
            tries: due.iter().map(|id| (*id, tries(*id))).collect(),
            now,
        });
        if self.is(Mutant::NoticeDeletedOnClaim) {
            self.record.notices.retain(|notice| notice.stand == Stand::Queued);
        }
        self.commit();
        let first = self.record.notices.iter().find(|notice| notice.id == due[0]);
        let card = first.map_or(0, |notice| notice.card);
        let reader = self.reader(card);
        self.point(Site::CrashAfterClaim, card, reader)?;
        let mut outcomes = Vec::new();
        for id in due {
            outcomes.push((id, self.send_out(id, now)?));
        }
        self.point(Site::CrashAfterSend, card, reader)?;
        for (id, outcome) in outcomes {
            self.settle_notice(id, outcome, now);
        }
        self.commit();
        Ok(())
    }

    /// What is claimed next: urgent messages first, then the longest due; of those that were on their way when a process
    /// ended one alone, the least suspected.
    fn claimable(&self, now: UnixTime) -> Vec<i64> {
        let queued = |notice: &&Notice| notice.stand == Stand::Queued && notice.next_at <= now;
        let due = || self.record.notices.iter().filter(queued);
        let suspect = due().filter(|notice| notice.crashes > 0);
        let suspect = suspect.min_by_key(|notice| (!notice.urgent, notice.crashes, notice.next_at, notice.id));
        let others = due().filter(|notice| notice.crashes == 0);
        let mut claimable: Vec<&Notice> = suspect.into_iter().chain(others).collect();
        claimable.sort_unstable_by_key(|notice| (!notice.urgent, notice.crashes == 0, notice.next_at, notice.id));
        claimable.truncate(CLAIMED_AT_ONCE);
        claimable.iter().map(|notice| notice.id).collect()
    }

    /// One message at the server.
    fn send_out(&mut self, id: i64, now: UnixTime) -> Result<Outcome, Crash> {
        let card = self.record.notices.iter().find(|notice| notice.id == id).map_or(0, |notice| notice.card);
        let reader = self.reader(card);
        self.point(Site::PoisonNotice, card, reader)?;
        if self.at < self.machine.mail_down_until || self.world.fires(Site::MailLater, card, reader) {
            return Ok(Outcome::Retry(None));
        }
        if self.world.fires(Site::MailRefused, card, reader) {
            return Ok(Outcome::Dead);
        }
        let lost = self.world.fires(Site::LostAfterDot, card, reader);
        // Where the process ends before this is settled, the sender cannot know either; `start` says so.
        self.machine.unsettled.push(id);
        self.world.facts.push(Fact::Delivered { notice: id, is_known: !lost });
        let again = Outcome::Retry(Some(now.plus(DOUBT_WAIT)));
        Ok(if lost || self.is(Mutant::SentTwice) && id % 7 == 0 { again } else { Outcome::Sent })
    }

    fn settle_notice(&mut self, id: i64, outcome: Outcome, now: UnixTime) {
        self.machine.unsettled.retain(|unsettled| *unsettled != id);
        let Some(place) = self.record.notices.iter().position(|notice| notice.id == id) else { return };
        let tries = self.record.notices[place].tries;
        self.writes.note(|| Write::Settled { id, tries, outcome, now });
        match outcome {
            Outcome::Sent => {
                self.record.notices.swap_remove(place);
            }
            Outcome::Retry(not_before) => {
                let notice = &mut self.record.notices[place];
                let usual = now.plus(next_delivery(notice.tries, id.unsigned_abs()));
                notice.stand = Stand::Queued;
                notice.crashes = 0;
                notice.next_at = not_before.map_or(usual, |at| at.max(usual));
            }
            Outcome::Dead => {
                self.record.notices.swap_remove(place);
                self.world.facts.push(Fact::GivenUp { notice: id, way_failed: true });
            }
        }
    }

    fn expire(&mut self, now: UnixTime) {
        let expired = |notice: &Notice| notice.stand == Stand::Queued && notice.expires_at <= now;
        let gone = self.record.notices.iter().filter(|notice| expired(notice)).map(|notice| notice.id);
        let gone: Vec<i64> = gone.collect();
        if !gone.is_empty() {
            self.writes.note(|| Write::Expired { count: gone.len(), now });
            self.writes.note(|| Write::Committed);
        }
        self.record.notices.retain(|notice| !expired(notice));
        let given_up = |notice| Fact::GivenUp { notice, way_failed: false };
        self.world.facts.extend(gone.into_iter().map(given_up));
    }
}
