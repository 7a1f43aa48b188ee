//! The texts. Each event has one function that turns it into a [`Letter`] and one that turns it into a few words for a
//! text message. The words themselves stand in `locales`, one file for each language; `say!` names them, and tests hold
//! that no file lacks one, has one too many, or names a fact that is not there.

/// A text in the language of the voice: its name in the files, and the facts that it can name, each a variable or
/// `name = value`.
macro_rules! say {
    ($voice:expr, $name:literal $(, $fact:ident $(= $value:expr)?)* $(,)?) => {
        $voice.say($name, [$((stringify!($fact), say!(@told $voice, $fact $(= $value)?))),*])
    };
    (@told $voice:expr, $fact:ident) => {
        $crate::notify::texts::fact::Fact::told(&$fact, $voice)
    };
    (@told $voice:expr, $fact:ident = $value:expr) => {
        $crate::notify::texts::fact::Fact::told(&$value, $voice)
    };
}

mod advice;
mod asked;
mod bought;
mod caps;
mod course;
mod dates;
mod digest;
mod due;
mod fact;
mod held;
mod household;
mod last_safe;
mod locale;
pub(super) mod page;
mod reckoned;
mod record;
mod retold;
mod trouble;
mod voice;
mod words;

use serde::Serialize;

use super::calendar::Entry;
use crate::domain::attempt::Snapshot;
use crate::domain::card::Name;
use crate::domain::notice::{CardFacts, Event, Story};
use crate::domain::reading::EndKind;

pub(super) use course::Caption;
pub(super) use voice::{Voice, cut};

/// The longest subject, in characters; phones show about this much of two lines.
pub(super) const SUBJECT_MAX: usize = 60;

/// What a mail says, before it is laid out. The plain and the HTML part are both made from this, so they cannot differ.
#[derive(Clone, Debug, Default)]
pub(super) struct Letter {
    /// What happened and when, without the card.
    pub(super) what: String,
    /// A further time for the subject, where there is room for it.
    pub(super) when: Option<String>,
    /// The whole story in one line.
    pub(super) first: String,
    /// What the reader has to do about it.
    pub(super) need: Need,
    /// Numbers that changed.
    pub(super) changes: Vec<Change>,
    /// Numbers: a label and a value.
    pub(super) rows: Vec<(String, String)>,
    /// Lists with a heading.
    pub(super) sections: Vec<Section>,
    /// What happens next.
    pub(super) next: Vec<String>,
    /// What to type: why, and the line.
    pub(super) commands: Vec<(String, String)>,
    /// What stands under the picture of the card's course.
    pub(super) caption: Option<Caption>,
    /// Ends for the reader's calendar.
    pub(super) dates: Vec<Entry>,
    /// A text that is shown as it is, line by line.
    pub(super) report: Option<String>,
    /// What is needed only to look something up: a label and a value.
    pub(super) details: Vec<(String, String)>,
}

/// A number before and after.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Change {
    label: String,
    before: String,
    after: String,
}

/// A list with a heading.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Section {
    pub(super) heading: String,
    pub(super) lines: Vec<SectionLine>,
    /// How many more there are, in words.
    pub(super) more: Option<String>,
}

/// One of a list: what it is about, what there is to say, and what to type.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SectionLine {
    pub(super) label: String,
    pub(super) value: String,
    pub(super) commands: Vec<String>,
}

/// What the reader has to do: the second thing that a mail says, and its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Need {
    /// Nothing; it is done.
    #[default]
    Nothing,
    /// Nothing yet; it goes on by itself.
    Wait,
    /// Say yes or no.
    Decide,
    /// Something that nobody else does.
    Act,
    /// Read on; each of several says what it wants.
    Look,
}

impl Need {
    /// In two or three words.
    pub(super) fn words(self, voice: &Voice) -> String {
        match self {
            Self::Nothing => say!(voice, "need-nothing"),
            Self::Wait => say!(voice, "need-wait"),
            Self::Decide => say!(voice, "need-decide"),
            Self::Act => say!(voice, "need-act"),
            Self::Look => say!(voice, "need-look"),
        }
    }
}

impl Letter {
    fn new(need: Need, what: String, first: String) -> Self {
        Self { need, what, first, ..Self::default() }
    }

    fn row(&mut self, label: String, value: impl Into<String>) {
        self.rows.push((label, value.into()));
    }

    fn detail(&mut self, label: String, value: impl Into<String>) {
        self.details.push((label, value.into()));
    }

    fn next(&mut self, sentence: String) {
        self.next.push(sentence);
    }

    fn command(&mut self, why: String, line: String) {
        self.commands.push((why, line));
    }

    /// A line that says what is bought, which is not for those who only watch.
    fn act(&mut self, voice: &Voice, why: String, line: String) {
        if voice.answers.decides() {
            self.command(why, line);
        }
    }

    fn ask(&mut self, voice: &Voice, support: Option<&String>) {
        if let Some(support) = support {
            self.row(say!(voice, "label-support"), support.as_str());
        }
    }

    /// Rows for what a card holds, before and, where it differs, after.
    fn snapshot(&mut self, voice: &Voice, before: &Snapshot, after: Option<&Snapshot>) {
        let times = [
            (EndKind::Plan, before.plan_ends, after.map(|after| after.plan_ends)),
            (EndKind::Credit, before.credit_ends, after.map(|after| after.credit_ends)),
            (EndKind::Number, before.number_ends, after.map(|after| after.number_ends)),
        ];
        for (which, old, new) in times {
            self.change(
                end_label(voice, which),
                old.map(|at| voice.time(at)),
                new.map(|new| new.map(|at| voice.time(at))),
            );
        }
        let data = |snapshot: &Snapshot| snapshot.data_left.map(|bytes| voice.data(bytes));
        self.change(say!(voice, "label-data-left"), data(before), after.map(data));
        let credit = |snapshot: &Snapshot| snapshot.credit.map(|credit| voice.amount(credit));
        self.change(say!(voice, "label-credit"), credit(before), after.map(credit));
    }

    fn change(&mut self, label: String, old: Option<String>, new: Option<Option<String>>) {
        match (old, new) {
            (None, None | Some(None)) => {}
            (Some(only), None) => self.rows.push((label, only)),
            (old, Some(new)) => self.changes.push(Change { label, before: shown(old), after: shown(new) }),
        }
    }
}

/// How a row about one of the three ends begins.
fn end_label(voice: &Voice, which: EndKind) -> String {
    match which {
        EndKind::Plan => say!(voice, "label-plan-ends"),
        EndKind::Credit => say!(voice, "label-credit-ends"),
        EndKind::Number => say!(voice, "label-number-ends"),
    }
}

fn shown(value: Option<String>) -> String {
    value.unwrap_or_else(|| "–".to_owned())
}

/// The letter that tells `story`.
pub(super) fn letter(story: &Story, voice: &Voice) -> Letter {
    let card = card_name(story);
    let mut letter = match &story.event {
        Event::DueSoon { due, next, now } => due::letter(voice, &card, due, *next, now),
        Event::LastSafe { last, next, now } => last_safe::letter(voice, &card, last, *next, now),
        Event::Bought { .. } => bought::letter(voice, &card, &story.event),
        Event::Failed { .. } => trouble::failed(voice, &card, &story.event, story.at),
        Event::Unknown { .. } => trouble::unknown(voice, &card, &story.event, story.at),
        Event::SettledLate { attempt, plan, sent_at, outcome } => {
            trouble::settled(voice, &card, *attempt, plan, *sent_at, outcome)
        }
        Event::Asked { .. } => asked::letter(voice, &card, &story.event),
        Event::Paused { by, until, resumed } => household::paused(voice, &card, by, *until, *resumed),
        Event::RulesProblem { file, count, report } => household::rules_problem(voice, file, *count, report),
        Event::RecordProblem(problem) => record::letter(voice, problem),
        Event::WalletLow(low) => household::wallet_low(voice, low),
        Event::CardsFound { account, count, rule } => {
            household::cards_found(voice, account.as_str(), *count, rule.as_ref().map(Name::as_str))
        }
        Event::Held { messages } => held::letter(voice, messages, story.at),
        Event::Digest(digest) => digest::letter(voice, digest),
        Event::Test { channel } => household::test(voice, channel, story.at),
    };
    if let Some(retold) = &story.retold {
        retold::mark(&mut letter, voice, story.card.as_ref(), retold);
    }
    letter.caption = story.course.as_ref().and_then(|course| course::caption(voice, course));
    letter.dates = dates::dates(voice, &card, &story.event);
    if let Some(facts) = &story.card {
        letter.detail(say!(voice, "label-card"), card_facts(voice, facts));
        letter.detail(say!(voice, "label-account"), facts.account.as_str());
    }
    letter
}

/// The few words that tell `story` in a text message, with room for so many characters of the card's name and of each
/// other name.
pub(super) fn short(story: &Story, voice: &Voice, (card_room, room): (usize, usize)) -> String {
    let card = cut(&card_name(story), card_room);
    let text = short_event(story, voice, &card, room);
    match &story.retold {
        Some(_) => say!(voice, "retold-short", text),
        None => text,
    }
}

fn short_event(story: &Story, voice: &Voice, card: &str, room: usize) -> String {
    match &story.event {
        Event::DueSoon { due, next, .. } => due::short(voice, card, due, *next, story.at),
        Event::LastSafe { last, .. } => last_safe::short(voice, card, last, story.at),
        Event::Bought { .. } => bought::short(voice, card, &story.event, room),
        Event::Failed { .. } => trouble::failed_short(voice, card, &story.event, room),
        Event::Unknown { plan, .. } => trouble::unknown_short(voice, card, plan, room),
        Event::SettledLate { plan, outcome, .. } => trouble::settled_short(voice, card, plan, outcome, room),
        Event::Asked { .. } => asked::short(voice, card, &story.event, story.at, room),
        Event::Paused { by, until, resumed } => {
            household::paused_short(voice, card, &cut(by, room), *until, *resumed, story.at)
        }
        Event::RulesProblem { file, count, .. } => {
            household::rules_problem_short(voice, &file_name(file, room), *count)
        }
        Event::RecordProblem(problem) => record::short(voice, problem),
        Event::WalletLow(low) => household::wallet_low_short(voice, low, story.at, room),
        Event::CardsFound { account, count, rule } => {
            household::cards_found_short(voice, &cut(account.as_str(), room), *count, rule.is_some())
        }
        Event::Held { messages } => held::short(voice, messages, room),
        Event::Digest(digest) => digest::short(voice, digest, room),
        Event::Test { channel } => household::test_short(voice, &cut(channel, room)),
    }
}

/// The subject: the card, then what and when, in at most [`SUBJECT_MAX`] characters. A further time is left out where it
/// does not fit beside the name; then the card's name gives way.
pub(super) fn subject(story: &Story, letter: &Letter, voice: &Voice) -> String {
    let (card, what) = (card_name(story), &letter.what);
    if let Some(when) = &letter.when {
        let whole = say!(voice, "subject-when", card, what, when);
        if whole.chars().count() <= SUBJECT_MAX {
            return cut(&whole, SUBJECT_MAX);
        }
    }
    let around = say!(voice, "subject", card = "", what).chars().count();
    let room = SUBJECT_MAX.saturating_sub(around).max(12);
    cut(&say!(voice, "subject", card = cut(&card, room), what), SUBJECT_MAX)
}

fn card_name(story: &Story) -> String {
    story.card.as_ref().map_or_else(|| "simkeeper".to_owned(), |card| card.name.as_str().to_owned())
}

fn card_facts(voice: &Voice, facts: &CardFacts) -> String {
    let card = facts.name.as_str();
    match &facts.number {
        Some(number) => say!(voice, "card-with-number", card, number),
        None => card.to_owned(),
    }
}

/// The end of a path, which tells more than its beginning.
fn file_name(path: &str, room: usize) -> String {
    cut(path.rsplit('/').next().unwrap_or(path), room)
}

/// A word as a shell takes it: quoted only where it must be.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
