//! Which account sells next, and how it is paid: ordered accounts of a card, ordered ways to pay of each. The next one
//! comes only after a certain refusal in the same cycle; what is unknown or pending keeps every other from being used,
//! since a card has one open attempt at most.

use serde::Serialize;

use super::attempt::{Attempt, AttemptState};
use super::card::Name;
use super::operator::RulesOut;

/// How an account is paid where the file names no way.
pub const WALLET: &str = "wallet";

/// An account that may sell for a card, and its ways to pay, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Till {
    /// The account.
    pub account: Name,
    /// Its ways to pay; none means its wallet.
    pub payment: Vec<String>,
}

/// A way to buy: an account, how it is paid, and how often it was refused in this cycle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// The account.
    pub account: Name,
    /// How it is paid.
    pub payment: String,
    /// Certain refusals in this cycle that concern it.
    pub refused: usize,
}

/// Whether another way to buy is left after the last refusal of a cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnotherWay {
    /// None: all were refused equally often, or nothing was refused.
    #[default]
    None,
    /// One that was refused less often than the last.
    TriedLess,
    /// One that was not refused in this cycle.
    Untried,
}

/// All ways to buy, the one to use next first: the first in the files' order of those refused least often in `cycle`.
#[must_use]
pub fn in_turn(tills: &[Till], attempts: &[Attempt], cycle: u32) -> Vec<Way> {
    let mut ways: Vec<Way> = tills.iter().flat_map(ways_of).collect();
    for way in &mut ways {
        way.refused = this_cycle(attempts, cycle).filter(|attempt| concerns(attempt, way)).count();
    }
    // The sort keeps the files' order among equals.
    ways.sort_by_key(|way| way.refused);
    ways
}

/// Whether another way is left after the last attempt of `cycle`, and how fresh it is.
#[must_use]
pub fn another_way(tills: &[Till], attempts: &[Attempt], cycle: u32) -> AnotherWay {
    let Some(last) = this_cycle(attempts, cycle).last() else { return AnotherWay::None };
    let ways = in_turn(tills, attempts, cycle);
    let Some(next) = ways.first() else { return AnotherWay::None };
    // A way that has left the files was refused more often than any that is there.
    let of_last = ways.iter().find(|way| concerns(last, way)).map_or(usize::MAX, |way| way.refused);
    match rules_out(last) {
        RulesOut::Nothing | RulesOut::Everything => AnotherWay::None,
        RulesOut::Payment | RulesOut::Account if next.refused == 0 => AnotherWay::Untried,
        RulesOut::Payment | RulesOut::Account if next.refused < of_last => AnotherWay::TriedLess,
        RulesOut::Payment | RulesOut::Account => AnotherWay::None,
    }
}

fn ways_of(till: &Till) -> impl Iterator<Item = Way> {
    let payment = if till.payment.is_empty() { vec![WALLET.to_owned()] } else { till.payment.clone() };
    payment.into_iter().map(|payment| Way { account: till.account.clone(), payment, refused: 0 })
}

fn this_cycle(attempts: &[Attempt], cycle: u32) -> impl Iterator<Item = &Attempt> {
    attempts.iter().filter(move |attempt| attempt.cycle == cycle)
}

/// Whether an attempt came to nothing for a reason that lies in this way to buy.
fn concerns(attempt: &Attempt, way: &Way) -> bool {
    match rules_out(attempt) {
        RulesOut::Payment => attempt.account == way.account && attempt.payment == way.payment,
        RulesOut::Account => attempt.account == way.account,
        RulesOut::Nothing | RulesOut::Everything => false,
    }
}

/// Only the operator's certain word rules anything out, or a wallet that held too little before anything was sent.
fn rules_out(attempt: &Attempt) -> RulesOut {
    match &attempt.state {
        AttemptState::Refused { refusal, .. } => refusal.kind.rules_out(),
        AttemptState::Abandoned { why, .. } if why.is_short_wallet() => RulesOut::Payment,
        AttemptState::Planned { .. }
        | AttemptState::Sending { .. }
        | AttemptState::Pending { .. }
        | AttemptState::Accepted { .. }
        | AttemptState::Unknown { .. }
        | AttemptState::Human { .. }
        | AttemptState::Done { .. }
        | AttemptState::Absent { .. }
        | AttemptState::Abandoned { .. }
        | AttemptState::Reversed { .. } => RulesOut::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attempt::GivenUp;
    use crate::domain::gates::Gate;
    use crate::domain::operator::RefusalKind;
    use crate::domain::testing::{NOW, attempt, every_state, name, refusal, usd};

    fn tills() -> Vec<Till> {
        let till = |account: &str, payment: &[&str]| Till {
            account: name(account),
            payment: payment.iter().map(|way| (*way).to_owned()).collect(),
        };
        vec![till("airalo", &["wallet", "card"]), till("dtone", &[])]
    }

    fn refused(account: &str, payment: &str, kind: RefusalKind) -> Attempt {
        let state = AttemptState::Refused { at: NOW, refusal: refusal(kind) };
        Attempt { account: name(account), payment: payment.into(), ..attempt(state) }
    }

    fn next(attempts: &[Attempt]) -> (String, String, AnotherWay) {
        let way = in_turn(&tills(), attempts, 3).remove(0);
        (way.account.to_string(), way.payment, another_way(&tills(), attempts, 3))
    }

    fn is(account: &str, payment: &str, another: AnotherWay) -> (String, String, AnotherWay) {
        (account.to_owned(), payment.to_owned(), another)
    }

    #[test]
    fn ways_to_pay_come_first_and_the_next_seller_after_all_of_them() {
        use RefusalKind::{PaymentDeclined, WalletEmpty};
        let mut tried = Vec::new();
        assert_eq!(next(&tried), is("airalo", "wallet", AnotherWay::None));
        tried.push(refused("airalo", "wallet", WalletEmpty));
        assert_eq!(next(&tried), is("airalo", "card", AnotherWay::Untried));
        tried.push(refused("airalo", "card", PaymentDeclined));
        assert_eq!(next(&tried), is("dtone", "wallet", AnotherWay::Untried));
        tried.push(refused("dtone", "wallet", WalletEmpty));
        assert_eq!(next(&tried), is("airalo", "wallet", AnotherWay::None));
        tried.push(refused("airalo", "wallet", WalletEmpty));
        assert_eq!(next(&tried), is("airalo", "card", AnotherWay::TriedLess));
    }

    #[test]
    fn what_is_about_the_account_goes_on_to_the_next_and_what_is_about_the_card_does_not() {
        use RefusalKind::{Access, BadCode, CardData, CardDead, NotActive, Other, Passing, PlanGone};
        for kind in [PlanGone, Passing, Access, Other] {
            let tried = [refused("airalo", "wallet", kind)];
            assert_eq!(next(&tried), is("dtone", "wallet", AnotherWay::Untried), "{kind:?}");
        }
        for kind in [CardDead, CardData, NotActive, BadCode] {
            let tried = [refused("airalo", "wallet", kind)];
            assert_eq!(next(&tried), is("airalo", "wallet", AnotherWay::None), "{kind:?}");
        }
    }

    #[test]
    fn nothing_but_a_certain_refusal_of_this_cycle_moves_on() {
        for state in every_state() {
            let here = attempt(state);
            let certain = matches!(here.state, AttemptState::Refused { .. });
            let expected = if certain { "dtone" } else { "airalo" };
            assert_eq!(next(std::slice::from_ref(&here)).0, expected, "{:?}", here.state.name());
            let before = Attempt { cycle: 2, ..here };
            assert_eq!(next(&[before]), is("airalo", "wallet", AnotherWay::None));
        }
    }

    #[test]
    fn a_wallet_that_held_too_little_counts_as_a_refusal_and_other_gates_do_not() {
        let held = |gate: Gate| attempt(AttemptState::Abandoned { at: NOW, why: GivenUp::Gate(gate.to_string()) });
        let short = held(Gate::WalletShort { balance: usd(1), price: usd(2) });
        assert_eq!(next(&[short]), is("airalo", "card", AnotherWay::Untried));
        for gate in [Gate::Paused, Gate::DiskFull, Gate::PlanChanged, Gate::OverPerDay { limit: 1 }] {
            assert_eq!(next(&[held(gate)]), is("airalo", "wallet", AnotherWay::None), "{gate:?}");
        }
    }

    #[test]
    fn a_way_that_left_the_files_makes_room_for_those_that_are_there() {
        let gone = [refused("gone", "wallet", RefusalKind::WalletEmpty)];
        assert_eq!(next(&gone), is("airalo", "wallet", AnotherWay::Untried));
        assert_eq!(another_way(&[], &gone, 3), AnotherWay::None);
    }
}
