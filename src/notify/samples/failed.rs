//! Samples of `failed`: every reason why nothing was bought.

use super::facts::{NOW, dollars, plan};
use crate::domain::attempt::AttemptId;
use crate::domain::gates::{ClockFault, Gate, Period};
use crate::domain::money::{Currency, Money};
use crate::domain::notice::{Event, FailedWhy};
use crate::domain::operator::{Refusal, RefusalKind};
use crate::domain::time::Secs;

/// The most telling.
pub(super) fn shown() -> Vec<(&'static str, Event)> {
    let over = Gate::OverPerRenewal { limit: dollars(1_000), price: dollars(1_250) };
    vec![
        ("wallet-empty", event(refused(RefusalKind::WalletEmpty), true)),
        ("payment-declined", event(refused(RefusalKind::PaymentDeclined), false)),
        ("operator-busy", event(refused(RefusalKind::Passing), true)),
        ("over-limit", event(FailedWhy::Held(over), false)),
        ("no-plan", event(FailedWhy::NoPlan, false)),
        ("unanswered", event(FailedWhy::Unanswered, true)),
    ]
}

/// Every reason, with and without another try.
pub(super) fn every() -> Vec<Event> {
    let refusals = [
        RefusalKind::WalletEmpty,
        RefusalKind::PaymentDeclined,
        RefusalKind::PlanGone,
        RefusalKind::Passing,
        RefusalKind::CardDead,
        RefusalKind::CardData,
        RefusalKind::NotActive,
        RefusalKind::Access,
        RefusalKind::BadCode,
        RefusalKind::Other,
    ];
    let mut whys: Vec<FailedWhy> = refusals.map(refused).into();
    whys.push(FailedWhy::Refused(Refusal { kind: RefusalKind::Other, code: "E-77".to_owned(), text: String::new() }));
    whys.extend(gates().map(FailedWhy::Held));
    whys.extend([
        FailedWhy::NotSent("connection refused".to_owned()),
        FailedWhy::NeverArrived,
        FailedWhy::Reversed("refunded: out of stock".to_owned()),
        FailedWhy::NoPlan,
        FailedWhy::Unanswered,
    ]);
    whys.into_iter().flat_map(|why| [event(why.clone(), true), event(why, false)]).collect()
}

fn refused(kind: RefusalKind) -> FailedWhy {
    let text = "The order could not be fulfilled.".to_owned();
    FailedWhy::Refused(Refusal { kind, code: "43".to_owned(), text })
}

fn event(why: FailedWhy, again: bool) -> Event {
    Event::Failed {
        attempt: again.then_some(AttemptId(12)),
        plan: again.then(plan),
        why,
        next_try: again.then_some(NOW.plus(Secs::hours(2))),
        support: (!again).then(|| "support@example.net".to_owned()),
    }
}

fn gates() -> [Gate; 29] {
    let (limit, price) = (dollars(1_000), dollars(1_250));
    let euros = Money::new(100_000, Currency::EUR);
    [
        Gate::ReadingOld,
        Gate::ReadingsDisagree,
        Gate::ClockUntrusted(ClockFault::OffOperator),
        Gate::ClockUntrusted(ClockFault::BeforeRecord),
        Gate::ClockUntrusted(ClockFault::BeforeBuild),
        Gate::ClockUntrusted(ClockFault::Unconfirmed),
        Gate::AttemptOpen,
        Gate::OverPerRenewal { limit, price },
        Gate::OverPerMonth { limit: dollars(4_000), spent: dollars(3_100), price },
        Gate::OverPerDay { limit: 1 },
        Gate::OverPerCycle { limit: dollars(4_000), spent: dollars(3_100), price },
        Gate::CycleCountReached { limit: 2 },
        Gate::OverShared { line: 12, per: Period::Cycle, limit: dollars(6_000), spent: dollars(5_500), price },
        Gate::SharedCountReached { line: 12, per: Period::Cycle, limit: 10 },
        Gate::OverShared { line: 12, per: Period::Day, limit: dollars(6_000), spent: dollars(5_500), price },
        Gate::OverShared { line: 12, per: Period::Month, limit: dollars(20_000), spent: dollars(19_400), price },
        Gate::SharedCountReached { line: 12, per: Period::Day, limit: 10 },
        Gate::SharedCountReached { line: 12, per: Period::Month, limit: 40 },
        Gate::LimitCurrency { limit: euros, price },
        Gate::WalletShort { balance: dollars(310), price },
        Gate::PriceMoved { decided: price, now: dollars(1_500) },
        Gate::PlanChanged,
        Gate::DiskFull,
        Gate::RecordDamaged,
        Gate::Quarantined,
        Gate::BreakerOpen,
        Gate::Paused,
        Gate::OutsideRule,
        Gate::CardState,
    ]
}
