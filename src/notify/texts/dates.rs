//! The ends that a mail hands to the reader's calendar.

use super::voice::Voice;
use super::{Entry, words};
use crate::domain::attempt::Snapshot;
use crate::domain::last_safe::{LastSafe, Loss};
use crate::domain::notice::{Due, Event};
use crate::domain::reading::EndKind;
use crate::domain::time::End;

/// The end that a warning is about, or those that a purchase moved.
pub(super) fn dates(voice: &Voice, card: &str, event: &Event) -> Vec<Entry> {
    let ends = match event {
        Event::DueSoon { due: Due::End { which, end, .. }, .. } => vec![(*which, *end)],
        Event::LastSafe { last: LastSafe { loss: Loss::Ends(which), ends, .. }, .. } => vec![(*which, End::at(*ends))],
        Event::Bought { before, after, .. } => moved(before, after),
        Event::DueSoon { .. }
        | Event::LastSafe { .. }
        | Event::Failed { .. }
        | Event::Unknown { .. }
        | Event::SettledLate { .. }
        | Event::Asked { .. }
        | Event::Paused { .. }
        | Event::RulesProblem { .. }
        | Event::RecordProblem(_)
        | Event::WalletLow(_)
        | Event::CardsFound { .. }
        | Event::Held { .. }
        | Event::Digest(_)
        | Event::Test { .. } => Vec::new(),
    };
    let entry = |(which, end)| {
        let what = words::which_end(voice, which);
        Entry { summary: say!(voice, "calendar-entry", card, what), end }
    };
    ends.into_iter().map(entry).collect()
}

fn moved(before: &Snapshot, after: &Snapshot) -> Vec<(EndKind, End)> {
    let ends = [
        (EndKind::Plan, before.plan_ends, after.plan_ends),
        (EndKind::Credit, before.credit_ends, after.credit_ends),
        (EndKind::Number, before.number_ends, after.number_ends),
    ];
    let new = ends.into_iter().filter(|(_, old, new)| old != new);
    new.filter_map(|(which, _, new)| Some((which, End::at(new?)))).collect()
}
