//! The words of the page on which a code is typed.

use serde::Serialize;

use super::asked::{reason, without_answer};
use super::voice::{Voice, cut};
use crate::domain::approval::Standing;
use crate::domain::attempt::{Approval, Cause};
use crate::domain::gates::Period;
use crate::notify::page::{PageFacts, PageSays};

/// What a page says.
pub(in crate::notify) struct Said {
    pub(in crate::notify) title: String,
    pub(in crate::notify) lines: Vec<String>,
    /// Whether it is about something that was typed wrongly.
    pub(in crate::notify) is_wrong: bool,
}

/// The words of the form.
#[derive(Serialize)]
pub(in crate::notify) struct FieldWords {
    code: String,
    hint: String,
    yes: String,
    no: String,
}

pub(in crate::notify) fn field_words(voice: &Voice) -> FieldWords {
    FieldWords {
        code: say!(voice, "page-code"),
        hint: say!(voice, "page-code-hint"),
        yes: say!(voice, "page-yes"),
        no: say!(voice, "page-no"),
    }
}

/// The words of an address that leads nowhere.
pub(in crate::notify) fn nothing_here(voice: &Voice) -> String {
    say!(voice, "page-nothing-here")
}

pub(in crate::notify) fn said(voice: &Voice, facts: &PageFacts<'_>, says: PageSays) -> Said {
    let (card, plan, price) = (facts.card, Voice::plan_name(&facts.attempt.plan), facts.attempt.plan.price);
    let title = say!(voice, "page-title", card, plan, price);
    let by_itself = without_answer(voice, facts.unanswered);
    let nothing_yet = say!(voice, "page-nothing-yet", by_itself);
    let plain = |line: String| (vec![line], false);
    let (lines, is_wrong) = match says {
        PageSays::Question => plain(nothing_yet),
        PageSays::Again => (vec![say!(voice, "page-again")], true),
        PageSays::Agreed => plain(say!(voice, "page-agreed")),
        PageSays::Declined => plain(say!(voice, "page-declined")),
        PageSays::Dead(standing) => plain(dead(voice, facts, standing)),
    };
    Said { title, lines, is_wrong }
}

fn dead(voice: &Voice, facts: &PageFacts<'_>, standing: Standing) -> String {
    let decided = match &facts.attempt.approval {
        Approval::Given { by, at } => {
            let (by, at) = (cut(by, 40), voice.time(*at));
            say!(voice, "page-agreed-by", by, at)
        }
        Approval::Asked { .. } | Approval::NotNeeded => say!(voice, "page-not-agreed"),
    };
    let state = super::words::attempt_state(voice, facts.attempt.state.name());
    match standing {
        Standing::Holds => String::new(),
        Standing::Used { at } => say!(voice, "page-code-used", at = voice.time(at), decided, state),
        Standing::Decided => say!(voice, "page-decided", decided, state),
        Standing::Replaced => say!(voice, "page-replaced"),
        Standing::GuessedAt => say!(voice, "page-guessed-at"),
        Standing::Over => say!(voice, "page-over"),
        Standing::Moved => say!(voice, "page-moved"),
    }
}

pub(in crate::notify) fn rows(voice: &Voice, facts: &PageFacts<'_>) -> Vec<(String, String)> {
    let attempt = facts.attempt;
    let mut rows = vec![
        (say!(voice, "label-card"), facts.card.to_string()),
        (say!(voice, "label-plan"), voice.plan(&attempt.plan)),
        (say!(voice, "label-price"), voice.amount(attempt.plan.price)),
        (say!(voice, "label-account"), attempt.account.to_string()),
    ];
    if let Cause::Rule { rule, line } = &attempt.cause {
        rows.push((say!(voice, "label-rule"), say!(voice, "page-rule", rule = rule.as_str(), line)));
    }
    if let Approval::Asked { why, .. } = attempt.approval {
        rows.push((say!(voice, "label-asked-because"), reason(voice, why, attempt.plan.price)));
    }
    if let Some(left) = facts.month_left {
        rows.push((say!(voice, "label-month-left"), voice.amount(left)));
    }
    for counted in facts.shared {
        let line = counted.limit.line;
        let label = say!(voice, "label-shared-limit", line);
        for (per, spent, limit) in counted.sums() {
            let used = spent.map_or_else(|| "?".to_owned(), |spent| voice.amount(spent));
            rows.push((
                label.clone(),
                match per {
                    Period::Day => say!(voice, "shared-sum-day", used, limit),
                    Period::Month => say!(voice, "shared-sum-month", used, limit),
                    Period::Cycle => say!(voice, "shared-sum-cycle", used, limit),
                },
            ));
        }
        for (per, count, limit) in counted.counts() {
            rows.push((
                label.clone(),
                match per {
                    Period::Day => say!(voice, "shared-count-day", count, limit),
                    Period::Month => say!(voice, "shared-count-month", count, limit),
                    Period::Cycle => say!(voice, "shared-count-cycle", count, limit),
                },
            ));
        }
    }
    if let Some(ends) = facts.ends {
        rows.push((say!(voice, "label-card-ends"), voice.time(ends)));
    }
    rows.push((say!(voice, "label-code-ends"), voice.time(facts.code_ends)));
    rows
}
