//! Every word that a message can say is said by a sample.

use super::facts::{ENDS, NOW};
use super::*;
use crate::domain::attempt::{AskWhy, Question};
use crate::domain::gates::Gate;
use crate::domain::last_safe::Loss;
use crate::domain::notice::{Ask, Due, FailedWhy, Language, NextStep, Settled};
use crate::domain::operator::{Doubt, RefusalKind};
use crate::domain::reading::{AllowanceKind, EndKind};
use crate::domain::record::RecordProblem;
use crate::domain::rule::Condition;
use crate::notify::Recipient;

#[test]
fn every_kind_has_samples_of_its_own_kind() {
    for kind in NoticeKind::ALL {
        let stories = preview(kind);
        assert!(!stories.is_empty(), "{kind:?}");
        assert!(stories.iter().all(|story| story.event.kind() == kind), "{kind:?}");
        let shown = shown(kind);
        let names: std::collections::BTreeSet<_> = shown.iter().map(|sample| &sample.name).collect();
        assert!(!shown.is_empty() && names.len() == shown.len(), "{kind:?}: {names:?}");
        assert!(shown.iter().all(|sample| sample.story.event.kind() == kind), "{kind:?}");
    }
}

#[test]
fn the_days_of_the_samples_are_what_their_comments_say() {
    assert_eq!(NOW.to_string(), "2026-12-18T09:30:00Z");
    assert_eq!(ENDS.to_string(), "2026-12-20T13:00:00Z");
}

/// Numbers each word of a closed set; a new variant does not compile until it has a number, and then needs a sample.
fn place(event: &Event) -> Vec<(&'static str, usize)> {
    match event {
        Event::DueSoon { due, next, .. } => {
            let due = due_place(due);
            let next = match next {
                NextStep::Buys { .. } => 0,
                NextStep::Asks => 1,
                NextStep::OnlyWatches => 2,
                NextStep::IsPaused => 3,
                NextStep::OutsideDates => 4,
                NextStep::IsBlocked => 5,
                NextStep::CannotRenew => 6,
            };
            vec![("due", due), ("next", next)]
        }
        Event::LastSafe { last, .. } => vec![match last.loss {
            Loss::Ends(EndKind::Plan) => ("loss", 0),
            Loss::Ends(EndKind::Credit) => ("loss", 1),
            Loss::Ends(EndKind::Number) => ("loss", 2),
            Loss::RunsOut(AllowanceKind::Data) => ("loss", 3),
            Loss::RunsOut(AllowanceKind::Voice) => ("loss", 4),
            Loss::RunsOut(AllowanceKind::Sms) => ("loss", 5),
            Loss::RunsOut(AllowanceKind::Credit(_)) => ("loss", 6),
        }],
        Event::Failed { why, .. } => vec![match why {
            FailedWhy::Refused(refusal) => ("refusal", refusal.kind as usize),
            FailedWhy::NotSent(_) => ("failed", 0),
            FailedWhy::NeverArrived => ("failed", 1),
            FailedWhy::Reversed(_) => ("failed", 2),
            FailedWhy::NoPlan => ("failed", 3),
            FailedWhy::Unanswered => ("failed", 4),
            FailedWhy::Held(gate) => ("gate", gate_place(*gate)),
        }],
        Event::Unknown { doubt, .. } => vec![("doubt", *doubt as usize)],
        Event::SettledLate { outcome, .. } => match outcome {
            Settled::Bought => vec![("settled", 0)],
            Settled::NotBought => vec![("settled", 1)],
        },
        Event::Asked { ask, .. } => vec![match ask {
            Ask::Approve { why: AskWhy::Mode } => ("approve", 0),
            Ask::Approve { why: AskWhy::Dearer { .. } } => ("approve", 1),
            Ask::Approve { why: AskWhy::Differs } => ("approve", 2),
            Ask::Approve { why: AskWhy::Above { .. } } => ("approve", 3),
            Ask::Approve { why: AskWhy::NoRate { .. } } => ("approve", 4),
            Ask::Settle { question, .. } => ("question", *question as usize),
        }],
        Event::RecordProblem(problem) => vec![match problem {
            RecordProblem::Damaged { .. } => ("record", 0),
            RecordProblem::JournalLost => ("record", 1),
            RecordProblem::CopyOld { .. } => ("record", 2),
        }],
        Event::Bought { .. }
        | Event::Paused { .. }
        | Event::RulesProblem { .. }
        | Event::WalletLow(_)
        | Event::CardsFound { .. }
        | Event::Held { .. }
        | Event::Digest(_)
        | Event::Test { .. } => vec![],
    }
}

fn due_place(due: &Due) -> usize {
    match due {
        Due::End { which: EndKind::Plan, .. } => 0,
        Due::End { which: EndKind::Credit, .. } => 1,
        Due::End { which: EndKind::Number, .. } => 2,
        Due::Low { trigger } => match trigger.condition {
            Condition::DataBelow(_) => 3,
            Condition::DataShareBelow(_) => 4,
            Condition::VoiceBelow(_) => 5,
            Condition::SmsBelow(_) => 6,
            Condition::CreditBelow(_) => 7,
            Condition::PlanEndsWithin(_) => 8,
            Condition::CreditEndsWithin(_) => 9,
            Condition::NumberEndsWithin(_) => 10,
        },
        Due::Dead { .. } => 11,
    }
}

fn gate_place(gate: Gate) -> usize {
    match gate {
        Gate::ReadingOld => 0,
        Gate::ReadingsDisagree => 1,
        Gate::ClockUntrusted(fault) => 2 + fault as usize,
        Gate::AttemptOpen => 6,
        Gate::OverPerRenewal { .. } => 7,
        Gate::OverPerMonth { .. } => 8,
        Gate::OverPerDay { .. } => 9,
        Gate::LimitCurrency { .. } => 10,
        Gate::WalletShort { .. } => 11,
        Gate::PriceMoved { .. } => 12,
        Gate::PlanChanged => 13,
        Gate::DiskFull => 14,
        Gate::Quarantined => 15,
        Gate::BreakerOpen => 16,
        Gate::Paused => 17,
        Gate::OutsideRule => 18,
        Gate::CardState => 19,
        Gate::RecordDamaged => 20,
        Gate::OverShared { per, .. } => 21 + per as usize,
        Gate::SharedCountReached { per, .. } => 24 + per as usize,
        Gate::OverPerCycle { .. } => 27,
        Gate::CycleCountReached { .. } => 28,
    }
}

#[test]
fn every_thing_a_message_can_say_has_a_sample() {
    let seen: std::collections::BTreeSet<_> = samples().iter().flat_map(|story| place(&story.event)).collect();
    let sets = [
        ("due", 12),
        ("next", 7),
        ("refusal", RefusalKind::Other as usize + 1),
        ("failed", 5),
        ("gate", 29),
        ("doubt", Doubt::PendingLost as usize + 1),
        ("settled", 2),
        ("approve", 5),
        ("record", 3),
        ("question", Question::Restored as usize + 1),
    ];
    for (set, count) in sets {
        let missing: Vec<_> = (0..count).filter(|place| !seen.contains(&(set, *place))).collect();
        assert!(missing.is_empty(), "{set} {missing:?}");
    }
}

#[test]
fn every_story_can_be_kept_and_told_again_later() {
    use crate::domain::notice::{Language, Retold, RetoldWhy, Story};
    use crate::notify::texts::Voice;

    for mut story in samples() {
        let kept = serde_json::to_string(&story).unwrap();
        story.course = None;
        let mut back: Story = serde_json::from_str(&kept).unwrap_or_else(|error| panic!("{error}: {kept}"));
        assert_eq!(back, story);
        for why in [
            RetoldWhy::StillSo,
            RetoldWhy::NoReaction(facts::name("Anna Müller")),
            RetoldWhy::Unreached(facts::name("Anna Müller")),
        ] {
            back.retold = Some(Retold { first: NOW, why });
            for language in Language::ALL {
                let person = recipient(language);
                let text = String::from_utf8(crate::notify::text_message(&back, &person).bytes).unwrap();
                assert_eq!(crate::notify::sms::parts(&text).1, 1, "{text}");
                let once = Story { retold: None, ..back.clone() };
                let text_once = String::from_utf8(crate::notify::text_message(&once, &person).bytes).unwrap();
                assert_ne!(text, text_once);
                let voice = Voice { language, zone: person.zone.clone(), answers: Answering::ByNumber };
                let (subject, lines) = crate::notify::push::told(&back, &voice);
                assert!(subject != crate::notify::push::told(&once, &voice).0, "{subject}");
                assert!(subject.chars().count() <= 60, "{subject}");
                for (tag, mark) in [("en", "again"), ("zh-CN", "再次提醒")] {
                    let marked = text.to_lowercase().starts_with(mark) && subject.contains(mark);
                    assert_eq!(marked, language.tag() == tag, "{text}\n{subject}");
                }
                assert_eq!(lines.contains("notice acknowledge --card"), back.card.is_some(), "{lines}");
            }
        }
    }
}

#[test]
fn who_only_watches_is_told_everything_in_one_text_and_gets_nothing_to_type_that_buys() {
    let acts = ["approve", "refuse", "settle", "renew", "resume", "skip"].map(|verb| format!("simkeeper {verb}"));
    for story in samples() {
        for language in Language::ALL {
            let watcher = Recipient { answers: Answering::NotTheirs, ..recipient(language) };
            let text = String::from_utf8(crate::notify::text_message(&story, &watcher).bytes).unwrap();
            assert_eq!(crate::notify::sms::parts(&text).1, 1, "{text}");
            let (_, lines) = crate::notify::push::told(&story, &crate::notify::texts::Voice::of(&watcher));
            let may_advise = matches!(story.event, Event::Failed { .. } | Event::Digest(_) | Event::RecordProblem(_));
            for said in [&text, &lines] {
                assert!(may_advise || acts.iter().all(|act| !said.contains(act)), "{said}");
                assert!(!said.to_lowercase().contains("you will be asked") && !said.contains("先问您"), "{said}");
            }
        }
    }
}

#[test]
fn a_question_that_is_answered_by_code_fits_one_text_with_the_whole_code_and_hides_it_in_lists() {
    for by_text in [true, false] {
        for language in Language::ALL {
            for event in orders::asked() {
                let Event::Asked { ask: Ask::Approve { .. }, .. } = &event else { continue };
                let ticket = Ticket { by_text, ..ticket() };
                let code = ticket.code.to_string();
                let story = story(1, event);
                let told = crate::notify::text_message(
                    &story,
                    &Recipient { answers: Answering::ByCode(ticket), ..recipient(language) },
                );
                let text = String::from_utf8(told.bytes).unwrap();
                assert_eq!(crate::notify::sms::parts(&text).1, 1, "{text}");
                assert!(text.contains(&code), "{text}");
                assert!(!told.subject.contains(&code), "{}", told.subject);
            }
        }
    }
}
