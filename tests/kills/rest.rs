//! How a world comes to rest: without further deaths everything settles, by evidence, by time, and where neither helps
//! by a person.

use std::time::{Duration, Instant};

use serde_json::json;
use simkeeper::domain::time::Secs;
use simkeeper::sandbox::{Call, Class};

use crate::needs::Books;
use crate::trial::Trial;
use crate::world::record::{Attempt, Notice};

/// When nothing has moved for so long in the story, and for as long as some starts take, what is left waits for a time of
/// the story, and the machine sleeps a while.
const QUIET_FOR: Secs = Secs(90);
const QUIET_FOR_STARTS: u32 = 3;
/// The longest that a rest is watched between two sleeps, in the story's time.
const WATCHED_MAX: Secs = Secs::minutes(40);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Sleeps of one rest.
const SLEEPS_MAX: usize = 60;
/// After so many sleeps without rest the story's time is halved: perhaps it is the machine that cannot follow.
const SLEEPS_AT_ONE_SPEED: usize = 9;
/// A notice that is on its way at its third death is set aside as poison; before that a process lives until it has left.
const DEATHS_BORNE: u32 = 2;
/// Notices at risk leave at the next try, or at one that comes after a sleep.
const TRY_COMES_WITHIN: Secs = Secs::minutes(20);

impl Trial<'_> {
    /// Lets everything settle, and looks at what came of it.
    pub(crate) fn rest(&mut self) {
        self.world.environment(vec![]);
        let sleeps = match self.class {
            Class::KeyHonoured { .. } | Class::LookupOnly => [Secs::minutes(15), Secs::hours(3), Secs::hours(26)],
            // Where nothing can be looked up, people are asked after two days.
            Class::Neither => [Secs::hours(50), Secs::minutes(15), Secs::hours(3)],
        };
        self.begin();
        let mut slept = 0;
        while !self.settles() {
            assert!(slept < SLEEPS_MAX, "{} does not come to rest\n{}", self.name, self.world.state_of_affairs());
            self.people_help();
            let sleep = sleeps[slept % sleeps.len()];
            slept += 1;
            // Nights in which the machine is off, and some in which it sleeps.
            if slept.is_multiple_of(2) {
                self.sleep(sleep);
            } else {
                self.world.stop();
                self.world.jump(sleep);
                self.halvings = u32::try_from(slept / SLEEPS_AT_ONE_SPEED).expect("small");
                self.begin();
            }
        }
        self.halvings = 0;
        // Power may fail in a quiet hour, too.
        if self.dice.below(2) == 0 {
            self.buried()
        } else {
            self.world.stop()
        }
        self.check_orders();
        self.check_notices();
        self.check_record();
    }

    /// Starts the process and waits until it answers.
    fn begin(&mut self) {
        self.set_off();
        while !self.has_answered() {
            assert!(self.world.keeper().is_running(), "{}: it ended\n{}", self.name, self.world.state_of_affairs());
            std::thread::park_timeout(LOOK_EVERY / 5);
        }
    }

    fn settles(&self) -> bool {
        let begun = self.world.now();
        let reads = || self.world.sandbox.requests().get(&Call::Read).copied().unwrap_or(0);
        let reads_before = reads();
        let (mut traces, mut moved, mut is_at_work) = (None, (begun, Instant::now()), true);
        while self.world.now().since(begun) < WATCHED_MAX {
            let now = self.traces();
            if traces.as_ref() != Some(&now) {
                traces = Some(now);
                moved = (self.world.now(), Instant::now());
                let (books, notices) = self.everything();
                if self.is_settled(&books, &notices) {
                    return true;
                }
                is_at_work = books.attempts.iter().any(|attempt| attempt.state == "sending")
                    || notices.iter().any(|notice| notice.state == "claimed");
            }
            let is_quiet = self.world.now().since(moved.0) > QUIET_FOR
                && moved.1.elapsed() > self.shared.pace.start() * QUIET_FOR_STARTS;
            // Quiet means little before the cards have been read.
            if is_quiet && !is_at_work && reads() != reads_before {
                return false;
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
        false
    }

    fn is_settled(&self, books: &Books, notices: &[Notice]) -> bool {
        self.world.names().iter().all(|card| self.is_met(books, card))
            && notices.iter().all(|notice| notice.state == "sent" || is_given_up(notice))
    }

    /// A person answers questions from the operator's book, and renews by hand what was tried three times in vain.
    fn people_help(&mut self) {
        let attempts = self.world.record().unwrap().attempts();
        for asked in attempts.iter().filter(|attempt| attempt.state == "human") {
            self.tally.questions += 1;
            self.world.settle_by_the_book(asked);
        }
        for card in self.world.names() {
            let own: Vec<_> = attempts.iter().filter(|attempt| attempt.card == card).collect();
            let in_vain = own.iter().rev().take_while(|attempt| attempt.state != "done").count();
            if in_vain >= 3 && !own.iter().any(|attempt| Attempt::is_open(attempt)) {
                let shown = self.world.ask(&json!({ "do": "preview", "card": card }));
                let renew = json!({ "do": "renew", "card": card, "plan": shown["plan"], "price": shown["price"] });
                let _told = self.world.ask(&renew);
            }
        }
    }

    /// Where one death more would have a notice set aside, a process lives until it has left. It dies then.
    pub(crate) fn let_notices_pass(&mut self) {
        let at_risk = |notices: Vec<Notice>| {
            let deaths = |notice: &Notice| notice.crashes + u32::from(notice.state == "claimed");
            notices
                .iter()
                .any(|notice| matches!(notice.state.as_str(), "claimed" | "queued") && deaths(notice) >= DEATHS_BORNE)
        };
        if !at_risk(self.world.notices()) {
            return;
        }
        self.world.environment(vec![]);
        self.set_off();
        let mut slept = 0;
        let mut until = self.world.now().plus(TRY_COMES_WITHIN);
        while at_risk(self.world.notices()) {
            assert!(self.world.keeper().is_running(), "{}: it ended\n{}", self.name, self.world.state_of_affairs());
            if self.world.now() > until {
                let affairs = || self.world.state_of_affairs();
                assert!(slept < SLEEPS_MAX, "{}: notices at risk do not leave\n{}", self.name, affairs());
                slept += 1;
                self.sleep(Secs::HOUR);
                until = self.world.now().plus(TRY_COMES_WITHIN);
            }
            self.has_answered();
            std::thread::park_timeout(LOOK_EVERY);
        }
        self.buried();
    }
}

/// A text on whose way the daemon died twice: it may have arrived, and each one costs money.
pub(crate) fn is_given_up(notice: &Notice) -> bool {
    let why = notice.why.as_deref().unwrap_or_default();
    notice.is_text && notice.state == "dead" && why.contains("costs money")
}
