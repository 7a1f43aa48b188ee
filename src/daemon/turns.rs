//! The rounds, turned one by one: `run` turns each as often as it is due, and a simulation turns all of them until
//! nothing is left to be done at one instant of its own clock.

use std::sync::Arc;

use super::Daemon;
use super::bells::Round;
use super::keep_round::Kept;
use super::{deliver_round, keep_round, poll_round, renew_round, settle_round};
use crate::domain::time::{Secs, UnixTime};

/// So often the rounds may find something new to do at one instant; more is a daemon that spins.
const TURNS_AT_ONE_INSTANT_MAX: u32 = 1_000;

/// What the rounds know from one turn to the next.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    kept: Kept,
    due: [Option<UnixTime>; 5],
    begun: bool,
}

/// What is left when nothing is in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing is to be done before then.
    Until(UnixTime),
    /// Every round found something new to do at this instant, again and again.
    Spins,
    /// The daemon was told to stop, or must not go on.
    Stopped,
}

impl Daemon {
    /// Turns a round once; answers when it is next due. An error is told in the log, and ends the daemon if it must.
    pub(super) async fn turn(self: &Arc<Self>, round: Round, kept: &mut Kept) -> Option<UnixTime> {
        if let Err(error) = self.look_at_clock().await {
            tracing::error!(%error, "a clock that was set back could not be noted");
            self.store_failed(&error);
        }
        let next = match round {
            Round::Poll => poll_round::round(self).await,
            Round::Renew => renew_round::round(self).await,
            Round::Settle => settle_round::round(self).await,
            Round::Deliver => deliver_round::round(self).await,
            Round::Keep => keep_round::round(self, kept).await,
        };
        match next {
            Ok(next) => {
                self.health.finished(round);
                next
            }
            Err(error) => {
                tracing::error!(?round, %error, "a round failed");
                self.store_failed(&error);
                Some(self.clock.now().plus(Secs::MINUTE))
            }
        }
    }

    /// Turns those of `rounds` that were rung for or are due, and again, until nothing is in hand or due at this instant.
    /// The first time all of them look. A round that is left out turns later, as on a machine that is busy or asleep.
    pub async fn work_until_rest(self: &Arc<Self>, turns: &mut Turns, rounds: &[Round]) -> Rest {
        if !std::mem::replace(&mut turns.begun, true) {
            self.bells.ring_all();
        }
        for _ in 0..TURNS_AT_ONE_INSTANT_MAX {
            if self.stop.is_cancelled() {
                return Rest::Stopped;
            }
            let now = self.clock.now();
            let mut turned = false;
            for &round in rounds {
                let due = &turns.due[round as usize];
                if !self.bells.answer(round) && due.is_none_or(|due| due > now) {
                    continue;
                }
                turned = true;
                turns.due[round as usize] = self.turn(round, &mut turns.kept).await;
            }
            self.work.rest().await;
            if !turned {
                let due = rounds.iter().filter_map(|round| turns.due[*round as usize]);
                return Rest::Until(due.min().unwrap_or(UnixTime::MAX));
            }
        }
        Rest::Spins
    }
}
