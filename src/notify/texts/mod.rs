//! The texts. Each event has one function that turns it into a [`Letter`] and one that turns it into a few words for a
//! text message. Both languages stand side by side in one `say!`, so that neither can be forgotten: a text that lacks a
//! language, or names a fact that is not there, does not compile.

/// A text in the language of the voice. Facts are named in braces, as in `format!`.
macro_rules! say {
    ($voice:expr, $en:literal, $zh:literal $(,)?) => {
        match $voice.language {
            $crate::domain::notice::Language::En => format!($en),
            $crate::domain::notice::Language::ZhCn => format!($zh),
        }
    };
}

mod advice;
mod asked;
mod bought;
mod due;
mod household;
mod record;
mod trouble;
mod voice;
mod words;

use crate::domain::attempt::Snapshot;
use crate::domain::card::Name;
use crate::domain::notice::{CardFacts, Event, Story};
use crate::domain::reading::EndKind;

pub(super) use voice::{Voice, cut};

/// The longest subject, in characters; phones show about this much of two lines.
pub(super) const SUBJECT_MAX: usize = 60;

/// What a mail says, before it is laid out. The plain and the HTML part are both made from this, so they cannot differ.
#[derive(Clone, Debug, Default)]
pub(super) struct Letter {
    /// What and when, without the card.
    pub(super) what: String,
    /// The whole story in one line.
    pub(super) first: String,
    /// Numbers: a label, and one value or a value before and after.
    pub(super) rows: Vec<(String, String)>,
    /// What happens next.
    pub(super) next: Vec<String>,
    /// What to type: why, and the line.
    pub(super) commands: Vec<(String, String)>,
    /// A text that is shown as it is, line by line.
    pub(super) report: Option<String>,
}

impl Letter {
    fn new(what: String, first: String) -> Self {
        Self { what, first, ..Self::default() }
    }

    fn row(&mut self, label: String, value: impl Into<String>) {
        self.rows.push((label, value.into()));
    }

    fn next(&mut self, sentence: String) {
        self.next.push(sentence);
    }

    fn command(&mut self, why: String, line: String) {
        self.commands.push((why, line));
    }

    fn ask(&mut self, voice: &Voice, support: Option<&String>) {
        if let Some(support) = support {
            self.row(say!(voice, "Operator's support", "运营商客服"), support.as_str());
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
        self.change(say!(voice, "Data left", "剩余流量"), data(before), after.map(data));
        let credit = |snapshot: &Snapshot| snapshot.credit.map(|credit| credit.to_string());
        self.change(say!(voice, "Credit", "余额"), credit(before), after.map(credit));
    }

    fn change(&mut self, label: String, old: Option<String>, new: Option<Option<String>>) {
        let value = match (old, new) {
            (None, None | Some(None)) => return,
            (Some(only), None) => only,
            (old, Some(new)) => format!("{} → {}", shown(old), shown(new)),
        };
        self.rows.push((label, value));
    }
}

/// How a row about one of the three ends begins.
fn end_label(voice: &Voice, which: EndKind) -> String {
    match which {
        EndKind::Plan => say!(voice, "Plan ends", "套餐到期"),
        EndKind::Credit => say!(voice, "Credit ends", "余额到期"),
        EndKind::Number => say!(voice, "Number ends", "号码到期"),
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
        Event::Bought { .. } => bought::letter(voice, &card, &story.event),
        Event::Failed { .. } => trouble::failed(voice, &card, &story.event),
        Event::Unknown { attempt, plan, sent_at, doubt } => {
            trouble::unknown(voice, &card, *attempt, plan, *sent_at, *doubt)
        }
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
        Event::Test { channel } => household::test(voice, channel, story.at),
    };
    if let Some(facts) = &story.card {
        letter.row(say!(voice, "Card", "卡"), card_facts(facts));
        letter.row(say!(voice, "Account", "账户"), facts.account.as_str());
    }
    letter
}

/// The few words that tell `story` in a text message, with room for so many characters of the card's name and of each
/// other name.
pub(super) fn short(story: &Story, voice: &Voice, (card_room, room): (usize, usize)) -> String {
    let card = cut(&card_name(story), card_room);
    match &story.event {
        Event::DueSoon { due, next, .. } => due::short(voice, &card, due, *next, story.at),
        Event::Bought { .. } => bought::short(voice, &card, &story.event, room),
        Event::Failed { .. } => trouble::failed_short(voice, &card, &story.event, room),
        Event::Unknown { plan, .. } => trouble::unknown_short(voice, &card, plan, room),
        Event::SettledLate { plan, outcome, .. } => trouble::settled_short(voice, &card, plan, outcome, room),
        Event::Asked { .. } => asked::short(voice, &card, &story.event, story.at, room),
        Event::Paused { by, until, resumed } => {
            household::paused_short(voice, &card, &cut(by, room), *until, *resumed, story.at)
        }
        Event::RulesProblem { file, count, .. } => {
            household::rules_problem_short(voice, &file_name(file, room), *count)
        }
        Event::RecordProblem(problem) => record::short(voice, problem),
        Event::WalletLow(low) => household::wallet_low_short(voice, low, story.at, room),
        Event::CardsFound { account, count, rule } => {
            household::cards_found_short(voice, &cut(account.as_str(), room), *count, rule.is_some())
        }
        Event::Test { channel } => household::test_short(voice, &cut(channel, room)),
    }
}

/// The subject: the card, then what and when, in at most [`SUBJECT_MAX`] characters. The card's name gives way first.
pub(super) fn subject(story: &Story, letter: &Letter) -> String {
    let what_len = letter.what.chars().count();
    let room = SUBJECT_MAX.saturating_sub(what_len + 2).max(12);
    cut(&format!("{}: {}", cut(&card_name(story), room), letter.what), SUBJECT_MAX)
}

fn card_name(story: &Story) -> String {
    story.card.as_ref().map_or_else(|| "simkeeper".to_owned(), |card| card.name.as_str().to_owned())
}

fn card_facts(card: &CardFacts) -> String {
    match &card.number {
        Some(number) => format!("{} ({number})", card.name),
        None => card.name.to_string(),
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
