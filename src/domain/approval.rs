//! Agreeing by code: a few letters that a person was sent and types, bound to one question at one plan and price. A code
//! that was used, replaced, guessed at or overtaken by events decides nothing, and whoever types it is told why.

use std::fmt::{self, Debug, Display, Formatter};

use super::attempt::{Approval, Attempt, AttemptId, StateName};
use super::card::Name;
use super::money::Money;
use super::time::{Secs, UnixTime};

/// A code can be typed for this long; a reminder brings a new one before.
pub const CODE_LIVES: Secs = Secs::hours(26);
/// After this many wrong codes on one page its code is of no use any more.
pub const GUESSES_ON_A_PAGE: u32 = 5;
/// After this many codes of nobody within an hour, a door hears no more until the hour is over.
pub const GUESSES_AN_HOUR: usize = 10;

/// What codes are made of: nothing that looks like another, a letter first.
const LETTERS: &[u8] = b"ABCDEFGHJKMNPQRSTUVWXYZ";
const SIGNS: &[u8] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";
const CODE_SIGNS: usize = 8;

/// A code. It shows itself to nobody but the person for whom it is written out.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// A code made of chance: the first of a letter, so that it is never taken for a number.
    #[must_use]
    pub fn of_chance(chance: u128) -> Self {
        let mut rest = chance;
        let mut draw = |from: &[u8]| {
            let count = from.len() as u128;
            // The remainder is a place in the list.
            let sign = from[(rest % count) as usize];
            rest /= count;
            char::from(sign)
        };
        let first = draw(LETTERS);
        Self(std::iter::once(first).chain((1..CODE_SIGNS).map(|_| draw(SIGNS))).collect())
    }

    /// What a person typed, whatever they put between the signs, in capitals or not, narrow or wide.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let between = |sign: &char| !sign.is_whitespace() && !matches!(sign, '-' | '–' | '—' | '－' | '.' | '。');
        let signs: String = text.chars().take(64).filter(between).map(narrow).collect::<String>().to_ascii_uppercase();
        let fits = signs.len() == CODE_SIGNS && signs.bytes().all(|sign| SIGNS.contains(&sign));
        (fits && signs.bytes().next().is_some_and(|first| LETTERS.contains(&first))).then_some(Self(signs))
    }

    /// The signs alone.
    #[must_use]
    pub fn signs(&self) -> &str {
        &self.0
    }
}

/// Keyboards for Chinese write wide letters and digits.
fn narrow(sign: char) -> char {
    match sign {
        '！'..='～' => char::from_u32(u32::from(sign) - 0xFEE0).unwrap_or(sign),
        _ => sign,
    }
}

/// In two halves, as a person reads it out.
impl Display for Code {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (first, second) = self.0.split_at(CODE_SIGNS / 2);
        write!(f, "{first}-{second}")
    }
}

impl Debug for Code {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// What one person gets to answer a question with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The code.
    pub code: Code,
    /// Until when it holds.
    pub ends_at: UnixTime,
    /// The page on which it can be typed.
    pub page: Option<String>,
    /// Whether it can be sent back by text message.
    pub by_text: bool,
}

/// How somebody can answer a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Answering {
    /// With the number of the purchase, as a command.
    #[default]
    ByNumber,
    /// With a code of their own.
    ByCode(Ticket),
    /// Not at all: they only watch the card, and whoever owns or pays for it answers.
    NotTheirs,
}

impl Answering {
    /// Whether it is theirs to say what is bought.
    #[must_use]
    pub const fn decides(&self) -> bool {
        match self {
            Self::ByNumber | Self::ByCode(_) => true,
            Self::NotTheirs => false,
        }
    }
}

/// A code as the record knows it: everything but its signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedCode {
    /// Its row.
    pub id: i64,
    /// The question.
    pub attempt: AttemptId,
    /// Who was asked.
    pub person: Name,
    /// The plan that was shown.
    pub plan_id: String,
    /// The price that was shown.
    pub price: Money,
    /// The digest of its signs.
    pub digest: String,
    /// Until when it holds.
    pub ends_at: UnixTime,
    /// How often something else was typed on its page.
    pub wrong: u32,
    /// Whether it was used.
    pub state: CodeState,
}

/// What became of a code by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeState {
    /// It can be typed.
    Open,
    /// It was typed.
    Used {
        /// When.
        at: UnixTime,
    },
    /// A newer one was sent.
    Replaced,
}

/// What a code is worth now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It decides.
    Holds,
    /// It has decided.
    Used {
        /// When.
        at: UnixTime,
    },
    /// Somebody has decided in another way, or nothing is to be decided any more.
    Decided,
    /// A newer one was sent.
    Replaced,
    /// Something else was typed too often.
    GuessedAt,
    /// Its time is over.
    Over,
    /// Plan or price are not those that were shown.
    Moved,
}

impl AskedCode {
    /// What it is worth at `now`, beside the attempt that it is about.
    #[must_use]
    pub fn standing(&self, attempt: &Attempt, now: UnixTime) -> Standing {
        let asked = matches!(attempt.approval, Approval::Asked { .. });
        match self.state {
            CodeState::Used { at } => Standing::Used { at },
            CodeState::Open | CodeState::Replaced if attempt.state.name() != StateName::Planned || !asked => {
                Standing::Decided
            }
            CodeState::Replaced => Standing::Replaced,
            CodeState::Open if self.wrong >= GUESSES_ON_A_PAGE => Standing::GuessedAt,
            CodeState::Open if now >= self.ends_at => Standing::Over,
            CodeState::Open if attempt.plan.id != self.plan_id || attempt.plan.price != self.price => Standing::Moved,
            CodeState::Open => Standing::Holds,
        }
    }
}

/// When codes of nobody were typed at one door.
#[derive(Clone, Debug, Default)]
pub struct Guesses(Vec<UnixTime>);

impl Guesses {
    /// Whether the door hears one more.
    #[must_use]
    pub fn may_try(&mut self, now: UnixTime) -> bool {
        // What lies ahead was noted by a clock that has been set back.
        self.0.retain(|at| (0..Secs::HOUR.0).contains(&now.since(*at).0));
        self.0.len() < GUESSES_AN_HOUR
    }

    /// Notes a code of nobody.
    pub fn note(&mut self, now: UnixTime) {
        self.0.push(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::attempt::{AskWhy, AttemptState};
    use crate::domain::testing::{NOW, attempt, name, usd};

    fn asked() -> Attempt {
        let planned = attempt(AttemptState::Planned { next_at: NOW });
        Attempt { approval: Approval::Asked { at: NOW, why: AskWhy::Mode }, ..planned }
    }

    fn code_for(attempt: &Attempt) -> AskedCode {
        AskedCode {
            id: 1,
            attempt: attempt.id,
            person: name("anna"),
            plan_id: attempt.plan.id.clone(),
            price: attempt.plan.price,
            digest: "0".repeat(64),
            ends_at: NOW.plus(CODE_LIVES),
            wrong: 0,
            state: CodeState::Open,
        }
    }

    proptest! {
        #[test]
        fn a_code_is_read_back_however_it_is_typed(chance: u128) {
            let code = Code::of_chance(chance);
            prop_assert_eq!(Code::parse(&code.to_string()), Some(code.clone()));
            let loose = format!(" {} ", code.to_string().to_lowercase().replace('-', " "));
            prop_assert_eq!(Code::parse(&loose), Some(code.clone()));
            let wide: String = code.signs().chars().filter_map(|sign| char::from_u32(u32::from(sign) + 0xFEE0)).collect();
            prop_assert_eq!(Code::parse(&wide), Some(code.clone()));
            let shown = format!("{code:?}");
            prop_assert!(!shown.contains(code.signs()));
            prop_assert!(code.signs().parse::<i64>().is_err());
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        for text in ["", "12", "12345678", "K7QM-3XR", "K7QM-3XRTA", "K7QM-3XR0", "K7QM_3XRT", "\u{0}7QM3XRT"] {
            assert_eq!(Code::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_code_decides_once_for_what_was_shown_and_says_why_it_does_not() {
        let attempt = asked();
        let code = code_for(&attempt);
        let last = NOW.plus(Secs(CODE_LIVES.0 - 1));
        assert_eq!(code.standing(&attempt, last), Standing::Holds);
        assert_eq!(code.standing(&attempt, NOW.plus(CODE_LIVES)), Standing::Over);
        let used = AskedCode { state: CodeState::Used { at: NOW }, ..code.clone() };
        assert_eq!(used.standing(&attempt, NOW), Standing::Used { at: NOW });
        let replaced = AskedCode { state: CodeState::Replaced, ..code.clone() };
        assert_eq!(replaced.standing(&attempt, NOW), Standing::Replaced);
        let guessed = |wrong| AskedCode { wrong, ..code.clone() }.standing(&attempt, NOW);
        assert_eq!((guessed(4), guessed(5)), (Standing::Holds, Standing::GuessedAt));
        let mut dearer = attempt.clone();
        dearer.plan.price = usd(11);
        assert_eq!(code.standing(&dearer, NOW), Standing::Moved);
        let mut other = attempt.clone();
        other.plan.id = "other".to_owned();
        assert_eq!(code.standing(&other, NOW), Standing::Moved);
        let given = Attempt { approval: Approval::Given { by: "ben".into(), at: NOW }, ..attempt.clone() };
        assert_eq!(code.standing(&given, NOW), Standing::Decided);
        assert_eq!(replaced.standing(&given, NOW), Standing::Decided, "what was decided says more");
        let sent = Attempt { state: AttemptState::Absent { at: NOW }, ..attempt };
        assert_eq!(code.standing(&sent, NOW), Standing::Decided);
    }

    #[test]
    fn ten_codes_of_nobody_close_a_door_for_an_hour() {
        let mut door = Guesses::default();
        for second in 0..10 {
            assert!(door.may_try(NOW.plus(Secs(second))));
            door.note(NOW.plus(Secs(second)));
        }
        assert!(!door.may_try(NOW.plus(Secs(3_599))));
        assert!(door.may_try(NOW.plus(Secs(3_600))), "the first is an hour old");
        assert!(door.clone().may_try(NOW.minus(Secs::DAY)), "a clock that was set back closes nothing");
    }
}
