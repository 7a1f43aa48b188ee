//! Messages: each change has its own, each leaves at least once, and twice only where the sender could not know.

use std::collections::BTreeSet;

use super::{DAY, ELSEWHERE, Oracle};

/// A message waits for its recipient's server this long at most, before it is given up in sight of people.
const WAITS: i64 = 31 * DAY;

/// What is known of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notice {
    card: usize,
    attempt: Option<i64>,
    kind: &'static str,
    way: &'static str,
    at: i64,
    is_out: bool,
    is_known: bool,
    is_over: bool,
}

impl Notice {
    pub(super) const fn new(card: usize, attempt: Option<i64>, kind: &'static str, way: &'static str, at: i64) -> Self {
        Self { card, attempt, kind, way, at, is_out: false, is_known: false, is_over: false }
    }

    /// Whether it goes by mail, must not wait for a mail server to come back, and so takes another way as well.
    fn goes_both_ways(&self) -> bool {
        self.way == "mail" && matches!(self.kind, "last_safe" | "failed" | "unknown" | "asked")
    }

    /// Whether it warns by mail: if that way fails for good, another must take it.
    fn must_go_elsewhere(&self) -> bool {
        self.goes_both_ways() || self.way == "mail" && self.kind == "due_soon"
    }

    /// Whether this tells what `lost` was to tell over another way, or is a later word about the same.
    fn stands_in_for(&self, lost: &Self, is_later: bool) -> bool {
        let same = (self.card, self.attempt, self.kind) == (lost.card, lost.attempt, lost.kind);
        same && self.at >= lost.at && (is_later || self.way != lost.way)
    }
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

    pub(super) fn queued(&mut self, notice: i64, new: Notice) {
        let Notice { card, attempt, kind, at, .. } = new;
        self.notices.insert(notice, new);
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

    pub(super) fn given_up(&mut self, notice: i64, way_failed: bool) {
        let Some(known) = self.notices.get_mut(&notice) else { return };
        known.is_over = true;
        let lost = *known;
        let stands_in = |(id, other): (&i64, &Notice)| other.stands_in_for(&lost, *id > notice);
        if way_failed && lost.must_go_elsewhere() && !self.notices.iter().any(stands_in) {
            let what = format!("message {notice} ({}) could not go by mail, and no other way took it", lost.kind);
            self.breach(ELSEWHERE, lost.at, lost.card, what);
        }
    }

    pub(super) fn ended_messages(&mut self, at: i64, waiting: &[i64]) {
        for (attempt, kind, when, card) in std::mem::take(&mut self.owed) {
            self.breach("P5", when, card, format!("nobody was told that attempt {attempt} is so: {kind}"));
        }
        let told = |one: &Notice| (one.card, one.attempt, one.kind, one.at);
        let texts: BTreeSet<_> = self.notices.values().filter(|one| one.way == "text").map(told).collect();
        let alone = self.notices.iter().filter(|(_, one)| one.goes_both_ways() && !texts.contains(&told(one)));
        for (id, one) in alone.map(|(id, one)| (*id, *one)).collect::<Vec<_>>() {
            let what =
                format!("message {id} ({}) went by mail alone: a dead mail server would have silenced it", one.kind);
            self.breach(ELSEWHERE, one.at, one.card, what);
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
