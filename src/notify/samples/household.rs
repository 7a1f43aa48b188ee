//! Samples about the household: pauses, files with errors, the record, wallets, new cards, trials.

use super::facts::{ENDS, NOW, dollars, name};
use crate::domain::notice::{Event, HeldMessage, NoticeKind};
use crate::domain::record::RecordProblem;
use crate::domain::time::Secs;
use crate::domain::wallet::{Shortfall, WalletLow};

pub(super) fn paused() -> Vec<Event> {
    let event = |until, resumed| Event::Paused { by: "anna".to_owned(), until, resumed };
    vec![event(Some(ENDS), false), event(None, false), event(None, true)]
}

pub(super) fn rules_problem() -> Vec<Event> {
    let report = "error: unknown key `renew_wen`\n --> rules.toml:14:1\n   |\n14 | renew_wen = { data_below = \"500 MB\" }\n   | ^^^^^^^^^ did you mean `renew_when`?";
    let event =
        |count| Event::RulesProblem { file: "/etc/simkeeper/rules.toml".to_owned(), count, report: report.to_owned() };
    vec![event(1), event(3)]
}

pub(super) fn record_problem() -> Vec<Event> {
    let why = "/var/lib/simkeeper/simkeeper.db is damaged (Tree 4 page 19: btreeInitPage() returns error code 11)";
    vec![
        Event::RecordProblem(RecordProblem::Damaged { why: why.to_owned() }),
        Event::RecordProblem(RecordProblem::JournalLost),
        Event::RecordProblem(RecordProblem::CopyOld { newest: Some(NOW.minus(Secs::days(5))) }),
        Event::RecordProblem(RecordProblem::CopyOld { newest: None }),
    ]
}

pub(super) fn wallet_low() -> Vec<Event> {
    let event = |covered, support: Option<&str>| {
        Event::WalletLow(WalletLow {
            account: name("airalo"),
            balance: dollars(1_310),
            covered,
            short: Shortfall { card: name("canada-trip"), price: dollars(1_250), at: ENDS.minus(Secs::hours(36)) },
            support: support.map(str::to_owned),
        })
    };
    vec![event(1, Some("support@example.net")), event(0, None)]
}

pub(super) fn cards_found() -> Vec<Event> {
    let event = |count, rule: Option<&str>| Event::CardsFound { account: name("airalo"), count, rule: rule.map(name) };
    vec![event(12, None), event(1, Some("travel"))]
}

pub(super) fn test() -> Vec<Event> {
    vec![Event::Test { channel: "mail".to_owned() }]
}

pub(super) fn held() -> Vec<Event> {
    let message = |hours, kind, subject: &str| HeldMessage {
        at: NOW.minus(Secs::hours(hours)),
        kind,
        subject: subject.to_owned(),
    };
    let messages = vec![
        message(2, NoticeKind::WalletLow, "simkeeper: wallet airalo lasts until 18 Dec 2026"),
        message(7, NoticeKind::Bought, "canada-trip: renewed for 12.50 USD, to 27 Dec 2026 08:00"),
        message(5, NoticeKind::Bought, "tablet: renewed for 4.50 USD, to 25 Dec 2026 01:10"),
    ];
    vec![Event::Held { messages }]
}
