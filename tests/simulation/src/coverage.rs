//! The table of faults by the state of the order and the class of the operator, and the cells that nothing can hit.

use crate::faults::{CLASSES, Hits, STATES, Site};

const NONE: usize = 0;
const PLANNED: usize = 1;
const SENDING: usize = 2;
const PENDING: usize = 3;
const ACCEPTED: usize = 4;
const UNKNOWN: usize = 5;
const HUMAN: usize = 6;

/// Why a cell cannot be hit; none for one that can.
#[must_use]
#[expect(clippy::too_many_lines, reason = "a table of all sites, one a line")]
pub fn impossible(site: Site, state: usize, class: usize) -> Option<&'static str> {
    let only = |states: &[usize], why: &'static str| (!states.contains(&state)).then_some(why);
    match site {
        Site::ConnectFails
        | Site::RequestLost
        | Site::ErrorNotTaken
        | Site::OrderThrottled
        | Site::Redirected
        | Site::UnlistedError
        | Site::TokenExpires => sent_only(state, class),
        Site::AnswerLost
        | Site::AnswerCut
        | Site::ErrorThoughTaken
        | Site::PageThoughTaken
        | Site::FailedThoughTaken
        | Site::WrongAnswer
        | Site::SlowAnswer
        | Site::AcceptedLate
        | Site::Pending
        | Site::PendingForEver
        | Site::ListedLate
        | Site::EffectLate
        | Site::EffectNever
        | Site::RefusedForNow => sent_only(state, class),
        Site::ReversedLater => {
            let untold = (class == 2).then_some("an operator without a look-up has no way to tell of it");
            untold.or_else(|| sent_only(state, class))
        }
        Site::RepeatInProgress | Site::RepeatAlreadyUsed | Site::RepeatOfError => {
            let repeats = (class != 0).then_some("only operators that honour keys are sent the same order again");
            repeats.or_else(|| only(&[UNKNOWN], "only an unknown order is sent again"))
        }
        Site::LookupFails => {
            let looks = (class == 2).then_some("class C has no look-up");
            looks.or_else(|| {
                only(&[NONE, PENDING, ACCEPTED, UNKNOWN, HUMAN], "nothing has left that could be looked up")
            })
        }
        Site::ReadThrottled
        | Site::ReadFails
        | Site::Garbage
        | Site::StaleReading
        | Site::EndsWobble
        | Site::EndMissing
        | Site::EndFar
        | Site::EndShrinks
        | Site::Negative => None,
        Site::CrashPlanned
        | Site::CrashBeforeIntent
        | Site::CrashAfterIntent
        | Site::CrashAfterJournal
        | Site::CrashInPost
        | Site::CrashAfterPost
        | Site::CrashAfterOutcome
        | Site::CrashSettling
        | Site::TwoPeople
        | Site::StartsWithoutTime
        | Site::CrashAtStart => at_its_moment(site, state, class),
        Site::LookupsDown
        | Site::OperatorDown
        | Site::CardPoisoned
        | Site::EndsShifted
        | Site::PersonBuys
        | Site::PriceMoves
        | Site::PlanGone
        | Site::WalletEmpty
        | Site::CardBlocked
        | Site::CrashBeforeReading
        | Site::CrashAfterReading
        | Site::CrashAfterClaim
        | Site::CrashAfterSend
        | Site::PowerLost
        | Site::DiskFull
        | Site::Restored
        | Site::ClockJumps
        | Site::Sleeps
        | Site::RuleRemoved
        | Site::MailDown
        | Site::LostAfterDot
        | Site::MailLater
        | Site::MailRefused
        | Site::PoisonNotice
        | Site::Paused => None,
    }
}

/// Ends of the process that belong to one moment of an order, or to no order at all.
fn at_its_moment(site: Site, state: usize, class: usize) -> Option<&'static str> {
    let only = |states: &[usize], why: &'static str| (!states.contains(&state)).then_some(why);
    match site {
        Site::CrashPlanned => only(&[PLANNED], "comes right after the plan"),
        Site::CrashBeforeIntent => only(&[PLANNED], "comes before the intent"),
        Site::CrashAfterIntent | Site::CrashAfterJournal | Site::CrashInPost => {
            only(&[SENDING], "comes between the intent and the outcome")
        }
        Site::CrashAfterPost => {
            let repeated = (class != 0 && state == UNKNOWN).then_some("only class A is sent again");
            repeated.or_else(|| only(&[SENDING, UNKNOWN], "comes with the answer to an order"))
        }
        Site::CrashAfterOutcome => {
            only(&[NONE, PLANNED, PENDING, ACCEPTED, UNKNOWN], "comes with the first outcome of an order")
        }
        Site::CrashSettling => only(&[NONE, PENDING, ACCEPTED, UNKNOWN, HUMAN], "comes with the settling of an order"),
        Site::TwoPeople => only(&[NONE, ACCEPTED], "comes after a person's word"),
        Site::StartsWithoutTime => (class != 0).then_some("the start belongs to no operator"),
        Site::CrashAtStart if state == SENDING => Some("orders left on their way are taken up before"),
        Site::CrashAtStart => (class != 0).then_some("the start belongs to no operator"),
        _ => None,
    }
}

/// An order is sent first from `sending`, and again from `unknown` where keys are honoured.
fn sent_only(state: usize, class: usize) -> Option<&'static str> {
    match (state, class) {
        (SENDING, _) | (UNKNOWN, 0) => None,
        (UNKNOWN, _) => Some("only class A is sent again"),
        _ => Some("nothing is sent in this state"),
    }
}

/// The cells that can be hit and were not.
#[must_use]
pub fn missing(hits: &Hits) -> Vec<String> {
    let mut missing = Vec::new();
    for (place, site) in Site::ALL.iter().enumerate() {
        for (state, state_name) in STATES.iter().enumerate() {
            for (class, class_name) in CLASSES.iter().enumerate() {
                if hits[place][state][class] == 0 && impossible(*site, state, class).is_none() {
                    missing.push(format!("{} {state_name} {class_name}", site.name()));
                }
            }
        }
    }
    missing
}

/// The table, one line a site: its fault's number, its name, all hits, and the hits by state (classes A/B/C).
#[must_use]
pub fn table(hits: &Hits) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for (site, row) in Site::ALL.iter().copied().zip(hits.iter()) {
        let sum: u64 = row.iter().flatten().sum();
        let mut line = format!("{:>3} {:<20} {sum:>11}", site.fault(), site.name());
        for state in 0..STATES.len() {
            let cell = |class: usize| match (row[state][class], impossible(site, state, class)) {
                (0, Some(_)) => "-".to_owned(),
                (count, _) => count.to_string(),
            };
            let _written = write!(line, " {}:{}/{}/{}", STATES[state], cell(0), cell(1), cell(2));
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}
