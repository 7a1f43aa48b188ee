//! How a world comes to rest: without further deaths everything settles, by evidence, by time, and where neither helps
//! by a person.

use std::time::{Duration, Instant};

use serde_json::json;
use simkeeper::domain::time::Secs;
use simkeeper::sandbox::{Call, Class};

use crate::trial::Trial;
use crate::world::record::{Attempt, Notice};

/// When nothing has moved for so long, what is left waits for a time of the story, and the machine sleeps a while.
const QUIET_FOR: Duration = Duration::from_millis(1_000);
/// The longest that a rest is watched between two sleeps.
const WATCHED_MAX: Duration = Duration::from_secs(20);
/// Sleeps of one rest.
const SLEEPS_MAX: usize = 18;
/// A notice that is on its way at its third death is set aside as poison; before that a process lives until it has left.
const DEATHS_BORNE: u32 = 2;

impl Trial<'_> {
    /// Lets everything settle, and looks at what came of it.
    pub(crate) fn rest(&mut self) {
        self.world.environment(vec![]);
        let sleeps = match self.class {
            Class::KeyHonoured { .. } | Class::LookupOnly => [Secs::minutes(15), Secs::hours(3), Secs::hours(26)],
            // Where nothing can be looked up, people are asked after two days.
            Class::Neither => [Secs::hours(50), Secs::minutes(15), Secs::hours(3)],
        };
        let mut sleeps = sleeps.into_iter().cycle().take(SLEEPS_MAX);
        self.world.begin();
        while !self.settles() {
            let sleep = sleeps.next();
            assert!(sleep.is_some(), "{} does not come to rest\n{}", self.name, self.world.state_of_affairs());
            self.people_help();
            self.world.stop();
            self.world.jump(sleep.unwrap_or(Secs::ZERO));
            self.world.begin();
        }
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

    fn settles(&self) -> bool {
        let begun = Instant::now();
        let reads = || self.world.sandbox.requests().get(&Call::Read).copied().unwrap_or(0);
        let reads_before = reads();
        let (mut state, mut moved_at) = (String::new(), begun);
        // On a busy machine quiet means little before the cards have been read.
        while (moved_at.elapsed() < QUIET_FOR || reads() == reads_before) && begun.elapsed() < WATCHED_MAX {
            let attempts: Vec<_> =
                self.books().attempts.into_iter().map(|attempt| (attempt.state, attempt.sent)).collect();
            let notices: Vec<_> = self.world.notices().into_iter().map(|notice| (notice.state, notice.tries)).collect();
            let now = format!("{attempts:?} {notices:?} {:?}", self.world.sandbox.requests());
            if now != state {
                (state, moved_at) = (now, Instant::now());
            }
            if self.is_settled() {
                return true;
            }
            std::thread::park_timeout(Duration::from_millis(25));
        }
        false
    }

    fn is_settled(&self) -> bool {
        let books = self.books();
        self.world.names().iter().all(|card| self.is_met(&books, card))
            && self.world.notices().iter().all(|notice| notice.state == "sent" || is_given_up(notice))
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
        self.world.launch();
        self.world.until("notices at risk to leave", |world| !at_risk(world.notices()));
        self.buried();
    }
}

/// A text on whose way the daemon died twice: it may have arrived, and each one costs money.
pub(crate) fn is_given_up(notice: &Notice) -> bool {
    let why = notice.why.as_deref().unwrap_or_default();
    notice.is_text && notice.state == "dead" && why.contains("costs money")
}
