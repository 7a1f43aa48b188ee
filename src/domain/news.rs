//! What people are told of a move, if anything, and the step that keeps it from being told twice.

use super::attempt::{Attempt, AttemptState, Question, StateName};
use super::card::Card;
use super::gates::Gate;
use super::notice::Settled;
use super::operator::{Doubt, Refusal};
use super::step::Transition;

/// Something to tell about an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// What was unknown is settled.
    Settled(Settled),
    /// The operator refused.
    Refused(Refusal),
    /// The operator took it back.
    Reversed(String),
    /// The result is not known.
    Doubtful(Doubt),
    /// A person must decide.
    Asked(Question),
    /// The effect was seen.
    Bought,
    /// No connection could be made.
    NotSent,
}

/// What a move tells.
#[must_use]
pub fn of_move(before: &Attempt, after: &Attempt, transition: Transition) -> Option<News> {
    let was = before.state.name();
    let was_doubtful = matches!(was, StateName::Unknown | StateName::Human);
    let settled_by_evidence = was_doubtful && transition != Transition::T19;
    match &after.state {
        AttemptState::Accepted { .. } if settled_by_evidence => Some(News::Settled(Settled::Bought)),
        AttemptState::Absent { .. } if settled_by_evidence => Some(News::Settled(Settled::NotBought)),
        AttemptState::Refused { refusal, .. } => Some(News::Refused(refusal.clone())),
        AttemptState::Reversed { why, .. } => Some(News::Reversed(why.clone())),
        AttemptState::Unknown { doubt, .. } if !was_doubtful => Some(News::Doubtful(*doubt)),
        AttemptState::Human { question, .. } if was != StateName::Human => Some(News::Asked(*question)),
        AttemptState::Done { .. } => Some(News::Bought),
        AttemptState::Planned { .. } if transition == Transition::T8 => Some(News::NotSent),
        AttemptState::Planned { .. }
        | AttemptState::Sending { .. }
        | AttemptState::Pending { .. }
        | AttemptState::Accepted { .. }
        | AttemptState::Unknown { .. }
        | AttemptState::Human { .. }
        | AttemptState::Absent { .. }
        | AttemptState::Abandoned { .. } => None,
    }
}

/// One telling per attempt and state; a first failure to connect is told once per cycle.
#[must_use]
pub fn step_of(after: &Attempt, transition: Transition) -> String {
    match transition {
        Transition::T8 => "not_sent".to_owned(),
        _ if after.state.name() == StateName::Human => step_of_question(after, 0),
        _ => format!("attempt:{}:{}:0", after.id.0, after.state.name().as_str()),
    }
}

/// A question is told when it is asked and once a day; a second question about the same order is another, also where a
/// clock that was set back asks it in the very second of the first.
#[must_use]
pub fn step_of_question(asked: &Attempt, reminders: u32) -> String {
    let (id, version) = (asked.id.0, asked.version);
    match &asked.state {
        AttemptState::Human { asked_at, .. } if reminders > 0 => {
            format!("attempt:{id}:human:{}:{reminders}", asked_at.secs())
        }
        _ => format!("attempt:{id}:human:asked:{version}"),
    }
}

/// Each seller's reason is told once.
#[must_use]
pub fn step_of_gate(gate: Gate, attempt: &Attempt, card: &Card) -> String {
    let seller = if attempt.account == card.account { String::new() } else { format!(":{}", attempt.account) };
    format!("gate:{}{seller}", gate.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attempt::Tally;
    use crate::domain::testing::{accepted, attempt, every_state, human, unknown};

    #[test]
    fn what_was_in_doubt_and_is_settled_is_told_and_what_a_person_decided_is_not() {
        let doubtful = [attempt(unknown(Tally::default())), attempt(human(Question::NoEvidence))];
        for before in &doubtful {
            let told = |transition| of_move(before, &attempt(accepted()), transition);
            assert_eq!(told(Transition::T10), Some(News::Settled(Settled::Bought)));
            assert_eq!(told(Transition::T19), None);
        }
        let absent = attempt(AttemptState::Absent { at: crate::domain::testing::NOW });
        assert_eq!(of_move(&doubtful[0], &absent, Transition::T12), Some(News::Settled(Settled::NotBought)));
    }

    #[test]
    fn a_second_question_in_the_same_second_is_another_and_its_reminders_do_not_hang_on_what_is_looked_up() {
        let first = attempt(human(Question::NoEvidence));
        let second = Attempt { version: first.version + 3, ..first.clone() };
        assert_ne!(step_of_question(&first, 0), step_of_question(&second, 0));
        assert_eq!(step_of_question(&first, 1), step_of_question(&second, 1));
        assert_ne!(step_of_question(&first, 1), step_of_question(&first, 2));
    }

    #[test]
    fn every_end_but_one_that_was_given_up_is_told() {
        let before = attempt(AttemptState::Sending { sent: crate::domain::testing::sent() });
        for state in every_state() {
            let silent = ["planned", "sending", "pending", "accepted", "absent", "abandoned"];
            let after = attempt(state);
            let expected = !silent.contains(&after.state.name().as_str());
            assert_eq!(of_move(&before, &after, Transition::T5).is_some(), expected, "{:?}", after.state.name());
        }
    }
}
