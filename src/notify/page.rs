//! The page on which a person types a code: what is asked, and nothing that acts by being opened. It works without
//! script, on a phone, by keyboard and by ear, in the person's language.

use std::sync::LazyLock;

use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use super::texts::Voice;
use super::texts::page::{Said, field_words, nothing_here, rows, said};
use super::{NotifyError, Recipient};
use crate::domain::approval::{Answering, Standing};
use crate::domain::attempt::Attempt;
use crate::domain::card::Name;
use crate::domain::money::Money;
use crate::domain::notice::Language;
use crate::domain::shared_limits::Counted;
use crate::domain::time::UnixTime;
use crate::domain::unanswered::Fallback;

/// What a page shows of a question.
#[derive(Clone, Debug)]
pub struct PageFacts<'a> {
    /// The card's name.
    pub card: &'a Name,
    /// The purchase.
    pub attempt: &'a Attempt,
    /// What this month's limit leaves.
    pub month_left: Option<Money>,
    /// Caps that the card shares with others, and what counts against them.
    pub shared: &'a [Counted],
    /// When the rule decides by itself if nobody answers, and what.
    pub unanswered: Option<(UnixTime, Fallback)>,
    /// When the card ends, if it does.
    pub ends: Option<UnixTime>,
    /// Until when the code holds.
    pub code_ends: UnixTime,
}

/// What a page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSays {
    /// It asks.
    Question,
    /// It asks again: what was typed is not the code, or neither yes nor no.
    Again,
    /// The purchase was agreed to.
    Agreed,
    /// The purchase was declined.
    Declined,
    /// The code decides nothing any more.
    Dead(Standing),
}

static TEMPLATES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.add_template("page.html", include_str!("texts/page.html"))?;
    Ok(templates)
});

/// How pages look.
pub const PAGE_STYLE: &str = include_str!("texts/page.css");

/// The page about one question for one person.
///
/// # Errors
/// The page could not be made.
pub fn page(facts: &PageFacts<'_>, recipient: &Recipient, says: PageSays) -> Result<String, NotifyError> {
    let voice = Voice::of(recipient);
    let Said { title, lines, is_wrong } = said(&voice, facts, says);
    let asks = matches!(says, PageSays::Question | PageSays::Again);
    rendered(&voice, &title, &lines, is_wrong, &rows(&voice, facts), asks)
}

/// The page of an address that leads nowhere, in every language, since nobody knows who came.
///
/// # Errors
/// The page could not be made.
pub fn page_of_nothing(language: Language) -> Result<String, NotifyError> {
    let voice = |language| Voice { language, zone: jiff::tz::TimeZone::UTC, answers: Answering::ByNumber };
    let lines = Language::ALL.map(|language| nothing_here(&voice(language)));
    rendered(&voice(language), "simkeeper", &lines, false, &[], false)
}

fn rendered(
    voice: &Voice,
    title: &str,
    lines: &[String],
    is_wrong: bool,
    rows: &[(String, String)],
    asks: bool,
) -> Result<String, NotifyError> {
    let failed = |error: &minijinja::Error| NotifyError::Build(error.to_string());
    let templates = TEMPLATES.as_ref().map_err(failed)?;
    let facts = context! {
        lang => voice.language.tag(), title, lines => lines.to_vec(), is_wrong, rows => rows.to_vec(), asks,
        field => Value::from(Serde(field_words(voice))),
    };
    let filled = templates.get_template("page.html").and_then(|template| template.render(facts));
    filled.map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attempt::{Approval, AskWhy, AttemptId, AttemptState, Cause};
    use crate::domain::card::CardId;
    use crate::domain::money::Currency;
    use crate::domain::plan::{Contents, Plan};
    use crate::notify::samples;

    const NOW: UnixTime = UnixTime::clamped(1_797_336_000);

    fn attempt() -> Attempt {
        Attempt {
            id: AttemptId(12),
            card: CardId(1),
            cycle: 1,
            number: 1,
            account: Name::parse("travel").unwrap(),
            cause: Cause::Rule { rule: Name::parse("canada").unwrap(), line: 14 },
            plan: Plan {
                id: "1gb".into(),
                name: "<script>alert(1)</script> & 1 GB".into(),
                contents: Contents::default(),
                validity_secs: None,
                price: Money::new(45_000, Currency::USD),
            },
            reckoning: None,
            payment: "wallet".into(),
            code: None,
            created_at: NOW,
            approval: Approval::Asked { at: NOW, why: AskWhy::Mode },
            before: None,
            state: AttemptState::Planned { next_at: NOW },
            version: 1,
        }
    }

    fn shown(language: Language, says: PageSays) -> String {
        let (attempt, card) = (attempt(), Name::parse("tablet").unwrap());
        let month_left = Some(Money::new(355_000, Currency::USD));
        let facts = PageFacts {
            card: &card,
            attempt: &attempt,
            month_left,
            shared: &[],
            unanswered: None,
            ends: None,
            code_ends: NOW,
        };
        page(&facts, &samples::recipient(language), says).unwrap()
    }

    #[test]
    fn the_question_names_card_plan_price_rule_and_what_the_limit_leaves() {
        for language in Language::ALL {
            let html = shown(language, PageSays::Question);
            for fact in ["tablet", "4.50 USD", "travel", "canada", "rules.toml:14", "35.50 USD", "&lt;script&gt;"] {
                // Each language has a decimal sign of its own.
                assert!(html.contains(fact) || html.contains(&fact.replace('.', ",")), "{fact} in {html}");
            }
            assert!(!html.contains("<script") && !html.contains("http"), "nothing runs and nothing is loaded: {html}");
            assert!(html.contains("<label for=\"code\">") && html.contains("method=\"post\""), "{html}");
            assert!(html.contains(&format!("lang=\"{}\"", language.tag())));
        }
    }

    #[test]
    fn only_a_question_has_a_form_and_each_answer_says_something_of_its_own() {
        let standings = [
            Standing::Used { at: NOW },
            Standing::Decided,
            Standing::Replaced,
            Standing::GuessedAt,
            Standing::Over,
            Standing::Moved,
        ];
        for language in Language::ALL {
            let says = standings.into_iter().map(PageSays::Dead).chain([PageSays::Agreed, PageSays::Declined]);
            let mut pages: Vec<String> = says.map(|says| shown(language, says)).collect();
            assert!(pages.iter().all(|html| !html.contains("<form")));
            pages.push(shown(language, PageSays::Again));
            pages.push(shown(language, PageSays::Question));
            let count = pages.len();
            pages.sort();
            pages.dedup();
            assert_eq!(pages.len(), count);
        }
        assert!(shown(Language::ENGLISH, PageSays::Again).contains("role=\"alert\""));
        assert!(!page_of_nothing(Language::ENGLISH).unwrap().contains("<form"));
    }
}
