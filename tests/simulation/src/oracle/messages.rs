//! Messages: each change has its own, each leaves at least once, and twice only where the sender could not know.

use super::{DAY, Oracle};

/// A message waits for its recipient's server this long at most, before it is given up in sight of people.
const WAITS: i64 = 31 * DAY;

/// What is known of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notice {
    card: usize,
    at: i64,
    is_out: bool,
    is_known: bool,
    is_over: bool,
}

impl Oracle {
    pub(super) fn owes(
        &mut self,
        card: usize,
        attempt: i64,
        from: &'static str,
        to: &'static str,
        by_person: bool,
        at: i64,
    ) {
        let was_doubtful = matches!(from, "unknown" | "human");
        let kind = match to {
            "done" => "bought",
            "refused" | "reversed" => "failed",
            "unknown" if !was_doubtful => "unknown",
            "human" if from != "human" => "asked",
            "accepted" | "absent" if was_doubtful && !by_person => "settled_late",
            _ => return,
        };
        // Each question is told; other news of one order is told once.
        if kind == "asked" || !self.told.contains(&(attempt, kind)) {
            self.owed.push((attempt, kind, at, card));
        }
    }

    pub(super) fn queued(&mut self, notice: i64, card: usize, attempt: Option<i64>, kind: &'static str, at: i64) {
        self.notices.insert(notice, Notice { card, at, is_out: false, is_known: false, is_over: false });
        if matches!(kind, "due_soon" | "failed" | "unknown" | "asked") {
            self.cards[card].alerts.push(at);
        }
        let Some(attempt) = attempt else { return };
        if kind == "asked"
            && let Some(known) = self.attempts.get_mut(&attempt)
        {
            known.asked_at = at;
        }
        self.told.insert((attempt, kind));
        self.owed.retain(|(owed, owed_kind, when, _)| !(*owed == attempt && *owed_kind == kind && *when == at));
    }

    pub(super) fn delivered(&mut self, notice: i64, is_known: bool) {
        let Some(known) = self.notices.get(&notice).copied() else { return };
        if known.is_out && known.is_known {
            self.breach("P5", known.at, known.card, format!("message {notice} went out twice"));
        }
        self.notices.insert(notice, Notice { is_out: true, is_known, ..known });
    }

    pub(super) fn unsettled(&mut self, notice: i64) {
        if let Some(known) = self.notices.get_mut(&notice) {
            known.is_known = false;
        }
    }

    pub(super) fn given_up(&mut self, notice: i64) {
        if let Some(known) = self.notices.get_mut(&notice) {
            known.is_over = true;
        }
    }

    pub(super) fn ended_messages(&mut self, at: i64, waiting: &[i64]) {
        for (attempt, kind, when, card) in std::mem::take(&mut self.owed) {
            self.breach("P5", when, card, format!("nobody was told that attempt {attempt} is so: {kind}"));
        }
        let lost: Vec<(i64, Notice)> = self
            .notices
            .iter()
            .filter(|(id, one)| !one.is_out && !one.is_over && (!waiting.contains(id) || at - one.at > WAITS))
            .map(|(id, one)| (*id, *one))
            .collect();
        for (id, one) in lost {
            self.breach("P5", one.at, one.card, format!("message {id} was lost"));
        }
    }
}
