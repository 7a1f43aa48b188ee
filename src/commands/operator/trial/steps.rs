//! What each answer of an operator says about the account: a step, its result, and what to do.

use serde::Serialize;

use super::advice;
use crate::commands::status::left;
use crate::domain::card::Card;
use crate::domain::operator::{OperatorError, RefusalKind, Wallet};
use crate::domain::plan::Catalogue;
use crate::domain::reading::{CLOCK_TOLERANCE, Reading};
use crate::domain::time::UnixTime;
use crate::domain::words::Spoken;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Step {
    pub(super) step: String,
    #[serde(rename = "result")]
    pub(super) outcome: Outcome,
    pub(super) said: String,
    pub(super) advice: Option<String>,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Ok,
    Failed,
    Skipped,
}

impl Step {
    pub(super) fn ok(step: impl Into<String>, said: impl Into<String>) -> Self {
        Self { step: step.into(), outcome: Outcome::Ok, said: said.into(), advice: None }
    }

    pub(super) fn skipped(step: impl Into<String>, said: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skipped, ..Self::ok(step, said) }
    }

    pub(super) fn failed(step: impl Into<String>, said: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { outcome: Outcome::Failed, advice: Some(advice.into()), ..Self::ok(step, said) }
    }

    fn failed_by(step: &str, error: &OperatorError) -> Self {
        Self::failed(step, error.to_string(), advice::about_answer(error))
    }
}

/// The answers; none where the question was not asked.
pub(super) struct Told {
    /// Whether the operator can read cards; where it only sells, a reading is empty and nobody was asked.
    pub(super) reads: bool,
    pub(super) wallet: Result<Wallet, OperatorError>,
    /// Whether the list of cards was told.
    pub(super) listed: Option<Result<(), OperatorError>>,
    pub(super) reading: Option<Result<Reading, OperatorError>>,
    pub(super) catalogue: Option<Result<Catalogue, OperatorError>>,
}

impl Told {
    /// Each question by its name, and what went wrong with it.
    fn errors(&self) -> [(&'static str, Option<&OperatorError>); 4] {
        [
            ("the wallet", self.wallet.as_ref().err()),
            ("the list of cards", self.listed.as_ref().and_then(|told| told.as_ref().err())),
            ("readings", self.reading.as_ref().and_then(|told| told.as_ref().err())),
            ("plans", self.catalogue.as_ref().and_then(|told| told.as_ref().err())),
        ]
    }

    fn refused_access(&self) -> Vec<(&'static str, &OperatorError)> {
        let refused = |error: &&OperatorError| matches!(error, OperatorError::Never { kind: RefusalKind::Access, .. });
        self.errors().into_iter().filter_map(|(what, error)| Some((what, error.filter(refused)?))).collect()
    }

    /// Whether the operator answered something that it tells nobody but us. A wallet without a balance and a list of
    /// plans may be known without asking.
    fn is_known(&self) -> bool {
        let of_card = |error: &OperatorError| {
            matches!(error, OperatorError::Never { kind: RefusalKind::CardDead | RefusalKind::NotActive, .. })
        };
        let read = self.reading.as_ref().is_some_and(|told| told.as_ref().map_or_else(of_card, |_| true));
        (self.reads && read)
            || self.wallet.as_ref().is_ok_and(|wallet| wallet.balance.is_some())
            || self.listed.as_ref().is_some_and(Result::is_ok)
    }
}

pub(super) fn sign_in(told: &Told) -> Step {
    match (told.is_known(), told.refused_access().first()) {
        (true, _) => Step::ok("sign-in", "the operator knows this account"),
        (false, Some((_, error))) => Step::failed("sign-in", error.to_string(), advice::ABOUT_ACCESS),
        (false, None) => match told.errors().into_iter().find_map(|(_, error)| error) {
            Some(error) => Step::skipped("sign-in", format!("cannot be told: {error}")),
            None => Step::skipped("sign-in", "cannot be told without a card to read"),
        },
    }
}

pub(super) fn permissions(told: &Told) -> Step {
    let refused: Vec<&str> = told.refused_access().into_iter().map(|(what, _)| what).collect();
    match (told.is_known(), refused.is_empty()) {
        (true, true) => Step::ok("permissions", "nothing that was asked is refused"),
        (true, false) => Step::failed("permissions", format!("refused: {}", refused.join(", ")), advice::ABOUT_RIGHTS),
        (false, _) => Step::skipped("permissions", "not known without a sign-in"),
    }
}

pub(super) fn wallet(told: &Told) -> Step {
    match &told.wallet {
        Ok(Wallet { balance: Some(balance), .. }) if balance.ten_thousandths() <= 0 => Step::failed(
            "wallet",
            balance.to_string(),
            "the wallet is empty: put money into it before the next renewal",
        ),
        Ok(Wallet { balance, methods }) => {
            let balance = balance.map_or_else(|| "the operator tells no balance".to_owned(), |money| money.to_string());
            let ways = if methods.is_empty() { String::new() } else { format!("; pays by {}", methods.join(", ")) };
            Step::ok("wallet", format!("{balance}{ways}"))
        }
        Err(error) => Step::failed_by("wallet", error),
    }
}

pub(super) fn reading(told: &Told, card: Option<&Card>) -> Step {
    match (&told.reading, card) {
        (Some(Ok(_)), _) if !told.reads => Step::skipped("reading", "this operator sells for cards and reads none"),
        (Some(Ok(reading)), Some(card)) => Step::ok("reading", format!("{}: {}", shown(card), told_of(reading))),
        (Some(Err(error)), _) => Step::failed_by("reading", error),
        (_, _) => without_card("reading", told),
    }
}

/// What a reading tells, for comparing with the operator's own page: state, what is left, every end.
fn told_of(reading: &Reading) -> String {
    let state = reading.state.to_string();
    let left = match left(reading) {
        left if left == state => "what is left is not told".to_owned(),
        left => format!("{left} left"),
    };
    let ends = reading.ends().map(|(kind, end)| format!("{kind} {}", end.at));
    [state, left].into_iter().chain(ends).collect::<Vec<_>>().join(", ")
}

pub(super) fn catalogue(told: &Told, card: Option<&Card>) -> Step {
    match (&told.catalogue, card) {
        (Some(Ok(catalogue)), Some(card)) if catalogue.plans.is_empty() => Step::failed(
            "catalogue",
            format!("nothing is on sale for {}", shown(card)),
            "nothing can be bought for this card: look into the operator's portal, and at `plans` of the account where the operator tells none",
        ),
        (Some(Ok(catalogue)), Some(card)) => {
            let count = catalogue.plans.len();
            let plans = if count == 1 { "1 plan".to_owned() } else { format!("{count} plans") };
            Step::ok("catalogue", format!("{plans} on sale for {}", shown(card)))
        }
        (Some(Err(error)), _) => Step::failed_by("catalogue", error),
        (_, _) => without_card("catalogue", told),
    }
}

fn without_card(step: &str, told: &Told) -> Step {
    match &told.listed {
        Some(Err(error)) => Step::failed_by(step, error),
        Some(Ok(())) => Step::skipped(step, "no card to ask about: the operator lists none"),
        None => Step::skipped(step, "no card to ask about; name one with --card"),
    }
}

/// The card's name, or its number where it has none yet.
fn shown(card: &Card) -> String {
    if card.name != card.account {
        return card.name.to_string();
    }
    let number = card.iccid.as_ref().map(|iccid| iccid.digits()).or(card.msisdn.as_ref().map(|number| number.digits()));
    number.map_or_else(|| "a listed card".to_owned(), crate::domain::identity::masked)
}

pub(super) fn clock(theirs: Option<UnixTime>, ours: UnixTime) -> Step {
    let Some(theirs) = theirs else { return Step::skipped("clock", "the operator does not tell its time") };
    let off = ours.since(theirs);
    let side = if off.0 < 0 { "behind" } else { "ahead of" };
    if off.0.abs() > CLOCK_TOLERANCE.0 {
        let said = format!("this machine is {} {side} the operator", Spoken(off));
        return Step::failed("clock", said, advice::ABOUT_CLOCK);
    }
    Step::ok("clock", format!("{} {side} the operator's", Spoken(off)))
}

pub(super) fn calls_left(calls: Option<u64>) -> Step {
    match calls {
        None => Step::skipped("calls left", "the operator does not tell"),
        Some(0) => Step::failed(
            "calls left",
            "0",
            "wait until the operator counts anew; if this repeats, read the cards less often (`poll`)",
        ),
        Some(calls) => Step::ok("calls left", calls.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::{Currency, Money};
    use crate::domain::reading::CardState;
    use crate::domain::time::Secs;

    const NOW: UnixTime = UnixTime::clamped(1_800_000_000);

    fn access<T>() -> Result<T, OperatorError> {
        Err(OperatorError::Never { kind: RefusalKind::Access, why: "HTTP 401".into() })
    }

    fn money(balance: i64) -> Result<Wallet, OperatorError> {
        Ok(Wallet { balance: Some(Money::new(balance, Currency::EUR)), methods: vec!["wallet".into()] })
    }

    fn told(wallet: Result<Wallet, OperatorError>, reading: Option<Result<Reading, OperatorError>>) -> Told {
        Told { reads: true, wallet, listed: None, reading, catalogue: None }
    }

    #[test]
    fn a_wrong_key_and_a_missing_right_are_told_apart() {
        let read = || Some(Ok(Reading::empty(NOW, CardState::Active)));
        let wrong = told(access(), Some(access()));
        assert_eq!((sign_in(&wrong).outcome, permissions(&wrong).outcome), (Outcome::Failed, Outcome::Skipped));
        assert!(sign_in(&wrong).advice.unwrap().contains("secrets"));
        let right = told(access(), read());
        assert_eq!((sign_in(&right).outcome, permissions(&right).outcome), (Outcome::Ok, Outcome::Failed));
        assert!(permissions(&right).said.contains("the wallet"));
        let fine = told(money(1), read());
        assert_eq!((sign_in(&fine).outcome, permissions(&fine).outcome), (Outcome::Ok, Outcome::Ok));
        let silent = told(Ok(Wallet { balance: None, methods: vec![] }), None);
        assert_eq!(sign_in(&silent).outcome, Outcome::Skipped, "nothing that was told needs a sign-in");
    }

    #[test]
    fn a_reading_that_nobody_was_asked_for_is_no_sign_in() {
        let empty = || Some(Ok(Reading::empty(NOW, CardState::Unknown)));
        let wrong = Told { reads: false, ..told(access(), empty()) };
        assert_eq!((sign_in(&wrong).outcome, permissions(&wrong).outcome), (Outcome::Failed, Outcome::Skipped));
        let silent = Told { reads: false, ..told(Ok(Wallet { balance: None, methods: vec![] }), empty()) };
        assert_eq!((sign_in(&silent).outcome, reading(&silent, None).outcome), (Outcome::Skipped, Outcome::Skipped));
        let right = Told { reads: false, ..told(money(1), empty()) };
        assert_eq!(sign_in(&right).outcome, Outcome::Ok);
    }

    #[test]
    fn each_failure_has_advice() {
        let later = |retry_after| OperatorError::Later { retry_after, why: "busy".into() };
        for (step, words) in [
            (wallet(&told(money(0), None)), "put money"),
            (wallet(&told(Err(later(Some(Secs(90)))), None)), "wait 1m 30s"),
            (wallet(&told(Err(later(None)), None)), "try again"),
            (wallet(&told(Err(OperatorError::Unknown { why: "HTTP 418".into() }), None)), "report it"),
            (clock(Some(NOW), NOW.plus(Secs(301))), "timedatectl"),
            (clock(Some(NOW.plus(Secs(301))), NOW), "timedatectl"),
            (calls_left(Some(0)), "less often"),
        ] {
            assert_eq!(step.outcome, Outcome::Failed, "{step:?}");
            assert!(step.advice.as_ref().is_some_and(|advice| advice.contains(words)), "{step:?}");
        }
        assert_eq!(clock(Some(NOW), NOW.plus(Secs(300))).outcome, Outcome::Ok);
        assert_eq!(clock(None, NOW).outcome, Outcome::Skipped);
        assert_eq!(calls_left(Some(3)).said, "3");
    }
}
