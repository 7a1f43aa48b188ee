//! Sample stories: at least one for each thing a message can say. `notice preview` shows them, and tests render all.

mod digest;
mod due;
mod facts;
mod failed;
mod household;
mod orders;

use crate::domain::approval::{Answering, CODE_LIVES, Code, Ticket};
use crate::domain::course;
use crate::domain::notice::{Event, NoticeKind, Story};

/// A sample that is shown to people.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What tells it apart from others of its kind; letters, digits and hyphens.
    pub name: String,
    /// What it tells.
    pub story: Story,
}

/// The samples of one kind that are worth a look, the most telling first.
#[must_use]
pub fn shown(kind: NoticeKind) -> Vec<Sample> {
    let named = match kind {
        NoticeKind::DueSoon => due::shown(),
        NoticeKind::LastSafe => paired(&["number-ends", "data-runs-out"], due::last_safe()),
        NoticeKind::Failed => failed::shown(),
        NoticeKind::Bought => paired(&["data", "credit"], orders::bought()),
        NoticeKind::Unknown => paired(&["no-answer"], orders::unknown()),
        NoticeKind::SettledLate => paired(&["bought", "not-bought"], orders::settled()),
        NoticeKind::Asked => orders::asked_shown(),
        NoticeKind::Paused => paired(&["until", "open", "resumed"], household::paused()),
        NoticeKind::RulesProblem => paired(&["errors"], household::rules_problem()),
        NoticeKind::RecordProblem => paired(&["damaged", "journal-lost", "copy-old"], household::record_problem()),
        NoticeKind::WalletLow => paired(&["one-more", "none"], household::wallet_low()),
        NoticeKind::CardsFound => paired(&["only-read", "by-rule"], household::cards_found()),
        NoticeKind::Held => paired(&["night"], household::held()),
        NoticeKind::Digest => paired(&["family", "all-well", "fleet"], digest::every()),
        NoticeKind::Test => paired(&["trial"], household::test()),
    };
    let samples = named.into_iter().enumerate();
    samples.map(|(place, (name, event))| Sample { name: name.to_owned(), story: story(place, event) }).collect()
}

/// Names for the first events of a list.
fn paired(names: &[&'static str], events: Vec<Event>) -> Vec<(&'static str, Event)> {
    names.iter().copied().zip(events).collect()
}

/// The samples of one kind, the most telling first.
#[must_use]
pub fn preview(kind: NoticeKind) -> Vec<Story> {
    let events = match kind {
        NoticeKind::DueSoon => due::every(),
        NoticeKind::LastSafe => due::last_safe(),
        NoticeKind::Bought => orders::bought(),
        NoticeKind::Failed => failed::every(),
        NoticeKind::Unknown => orders::unknown(),
        NoticeKind::SettledLate => orders::settled(),
        NoticeKind::Asked => orders::asked(),
        NoticeKind::Paused => household::paused(),
        NoticeKind::RulesProblem => household::rules_problem(),
        NoticeKind::RecordProblem => household::record_problem(),
        NoticeKind::WalletLow => household::wallet_low(),
        NoticeKind::CardsFound => household::cards_found(),
        NoticeKind::Held => household::held(),
        NoticeKind::Digest => digest::every(),
        NoticeKind::Test => household::test(),
    };
    events.into_iter().enumerate().map(|(place, event)| story(place, event)).collect()
}

/// The samples of all kinds.
#[must_use]
pub fn samples() -> Vec<Story> {
    NoticeKind::ALL.into_iter().flat_map(preview).collect()
}

/// The first of a kind has a picture where one is worth it; drawing it for all would take long.
fn story(place: usize, event: Event) -> Story {
    let about_a_card = match event.kind() {
        NoticeKind::DueSoon
        | NoticeKind::LastSafe
        | NoticeKind::Bought
        | NoticeKind::Failed
        | NoticeKind::Unknown
        | NoticeKind::SettledLate
        | NoticeKind::Asked
        | NoticeKind::Paused => true,
        NoticeKind::RulesProblem
        | NoticeKind::RecordProblem
        | NoticeKind::WalletLow
        | NoticeKind::CardsFound
        | NoticeKind::Held
        | NoticeKind::Digest
        | NoticeKind::Test => false,
    };
    let course = course::held(&event).filter(|_| place == 0).and_then(facts::course);
    Story { card: about_a_card.then(facts::card), at: facts::NOW, event, course, retold: None }
}

/// How whoever gets the sample of this name can answer.
pub(super) fn answers(name: &str) -> Answering {
    match name {
        "by-code" => Answering::ByCode(ticket()),
        "to-watcher" => Answering::NotTheirs,
        _ => Answering::ByNumber,
    }
}

/// A ticket of nobody's.
pub(super) fn ticket() -> Ticket {
    let page = Some("https://keeper.example.net/a/0123456789abcdef0123456789abcdef".to_owned());
    Ticket { code: Code::of_chance(u128::MAX / 7), ends_at: facts::NOW.plus(CODE_LIVES), page, by_text: true }
}

/// A language that is not English, for tests.
#[cfg(test)]
pub(super) fn chinese() -> crate::domain::notice::Language {
    crate::domain::notice::Language::parse("zh-CN").expect("a language")
}

/// A recipient for tests.
#[cfg(test)]
#[must_use]
pub(super) fn recipient(language: crate::domain::notice::Language) -> super::Recipient {
    super::Recipient {
        person: facts::name("Anna Müller"),
        address: "anna@example.net".to_owned(),
        language,
        zone: jiff::tz::TimeZone::get("America/Toronto").expect("a zone"),
        answers: Answering::ByNumber,
    }
}

#[cfg(test)]
mod tests;
