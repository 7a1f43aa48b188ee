//! Mishaps in the middle of an order: what goes wrong anyhow goes wrong just now. The moments in which an order is on its
//! way, in work or unknown are short, and chance alone would take ten thousands of years to hit them all.

use simkeeper::domain::notice::NoticeKind;

use super::{Simulation, Step};
use crate::chance::Chance;
use crate::faults::Site;

/// One change of state in so many brings a mishap soon after.
const ONE_IN: u64 = 3;

/// The place of `sending` in `STATES`.
const SENDING: usize = 2;

/// What comes with a reading.
const READING: [Site; 11] = [
    Site::ReadThrottled,
    Site::ReadFails,
    Site::Garbage,
    Site::StaleReading,
    Site::EndsWobble,
    Site::EndMissing,
    Site::EndFar,
    Site::EndShrinks,
    Site::Negative,
    Site::CrashBeforeReading,
    Site::CrashAfterReading,
];
/// What comes with a message.
const MESSAGE: [Site; 6] = [
    Site::CrashAfterClaim,
    Site::CrashAfterSend,
    Site::LostAfterDot,
    Site::MailLater,
    Site::MailRefused,
    Site::PoisonNotice,
];
/// What befalls the machine, or people do.
const MACHINE: [Site; 8] = [
    Site::ClockJumps,
    Site::Sleeps,
    Site::DiskFull,
    Site::MailDown,
    Site::Restored,
    Site::PowerLost,
    Site::Paused,
    Site::RuleRemoved,
];
/// What befalls a card or its operator.
const OPERATOR: [Site; 9] = [
    Site::CardPoisoned,
    Site::CardBlocked,
    Site::EndsShifted,
    Site::OperatorDown,
    Site::LookupsDown,
    Site::PlanGone,
    Site::PriceMoves,
    Site::WalletEmpty,
    Site::PersonBuys,
];

impl Simulation {
    /// Draws whether a mishap follows a change of state, and when.
    pub(super) fn may_bring_mishap(&mut self, place: usize, state: usize) {
        if self.brings_mishaps && self.mishap.is_none() && self.mishaps.below(ONE_IN) == 0 {
            // An order is on its way for some seconds.
            let within = if state == SENDING { 1 } else { 900 };
            self.mishap = Some((self.at + self.mishaps.between(0, within), place));
        }
    }

    /// The mishap comes: one of what goes wrong in this world.
    pub(super) fn mishap(&mut self) -> Step<()> {
        let Some((_, place)) = self.mishap.take() else { return Ok(()) };
        let all = READING.iter().chain(&MESSAGE).chain(&MACHINE).chain(&OPERATOR);
        let on: Vec<Site> = all.copied().filter(|site| self.world.faults.is_on(*site)).collect();
        if on.is_empty() {
            return Ok(());
        }
        let (site, operator) = (*self.mishaps.pick(&on), self.reader(place));
        self.world.faults.strike(site, place);
        let gone = self.strikes(site, place, operator);
        self.world.faults.calm();
        gone
    }

    fn strikes(&mut self, site: Site, place: usize, operator: usize) -> Step<()> {
        if READING.contains(&site) {
            return self.poll(place);
        }
        if MESSAGE.contains(&site) {
            return self.message_now(place);
        }
        if MACHINE.contains(&site) {
            return self.befalls(site, place, operator);
        }
        let (at, mut chance) = (self.at, Chance::new(self.mishaps.next(), 0));
        self.world.befall(site, operator, place, at, &mut chance);
        Ok(())
    }

    /// Somebody asks for a message about the card, and it goes out.
    fn message_now(&mut self, place: usize) -> Step<()> {
        if self.process.is_none() {
            return Ok(());
        }
        let (now, id) = (self.now(), self.record.last_notice + 1);
        self.tell(place, NoticeKind::Test, 0, format!("test:{id}"), None, now);
        self.commit();
        self.deliver()
    }
}
