//! `paused`, `rules_problem`, `wallet_low`, `cards_found` and `test`: about the daemon and what people told it.

use super::voice::{Voice, cut};
use super::{Letter, Need, quoted};
use crate::domain::time::UnixTime;
use crate::domain::wallet::WalletLow;

/// A report longer than this is cut; `check` prints the whole of it.
const REPORT_MAX_CHARS: usize = 8_000;

pub(super) fn paused(voice: &Voice, card: &str, by: &str, until: Option<UnixTime>, resumed: bool) -> Letter {
    let (by, name) = (cut(by, 80), quoted(card));
    if resumed {
        let mut letter = Letter::new(
            Need::Nothing,
            say!(voice, "paused-subject-resumed"),
            say!(voice, "paused-first-resumed", card, by),
        );
        letter.row(say!(voice, "label-by"), by);
        letter.next(say!(voice, "paused-next-resumed"));
        letter.act(voice, say!(voice, "command-pause-again"), format!("simkeeper pause {name}"));
        return letter;
    }
    let time = until.map(|until| voice.time(until));
    let (what, first) = match &time {
        Some(until) => (say!(voice, "paused-subject-until", until), say!(voice, "paused-first-until", card, by, until)),
        None => (say!(voice, "paused-subject-open"), say!(voice, "paused-first-open", card, by)),
    };
    let mut letter = Letter::new(Need::Nothing, what, first);
    letter.row(say!(voice, "label-by"), by);
    letter.row(say!(voice, "label-until"), time.unwrap_or_else(|| say!(voice, "paused-until-resumed")));
    letter.next(say!(voice, "paused-next"));
    letter.act(voice, say!(voice, "command-resume"), format!("simkeeper resume {name}"));
    letter
}

pub(super) fn paused_short(
    voice: &Voice,
    card: &str,
    by: &str,
    until: Option<UnixTime>,
    resumed: bool,
    now: UnixTime,
) -> String {
    match (resumed, until) {
        (true, _) => say!(voice, "paused-short-resumed", card, by),
        (false, Some(until)) => say!(voice, "paused-short-until", card, by, until = voice.short_time(until, now)),
        (false, None) => say!(voice, "paused-short-open", card, by),
    }
}

pub(super) fn wallet_low(voice: &Voice, low: &WalletLow) -> Letter {
    let (account, card, price) = (cut(low.account.as_str(), 20), cut(low.short.card.as_str(), 40), low.short.price);
    let (balance, day) = (low.balance, voice.day(low.short.at));
    let first = say!(voice, "wallet-first", account, balance, count = low.covered, card, price, day);
    let mut letter = Letter::new(Need::Act, say!(voice, "wallet-subject", account, day), first);
    letter.row(say!(voice, "label-account"), low.account.as_str());
    letter.row(say!(voice, "label-wallet"), voice.amount(balance));
    letter.row(say!(voice, "label-not-covered"), say!(voice, "wallet-not-covered", card, price, day));
    letter.ask(voice, low.support.as_ref());
    letter.next(say!(voice, "wallet-next"));
    letter.command(say!(voice, "command-wallets"), "simkeeper status".to_owned());
    letter
}

pub(super) fn wallet_low_short(voice: &Voice, low: &WalletLow, now: UnixTime, room: usize) -> String {
    let (account, card) = (cut(low.account.as_str(), room), cut(low.short.card.as_str(), room));
    let (price, at) = (low.short.price, voice.short_time(low.short.at, now));
    say!(voice, "wallet-short", account, card, price, at)
}

pub(super) fn rules_problem(voice: &Voice, file: &str, count: usize, report: &str) -> Letter {
    let file = cut(file, 200);
    let short_file = super::file_name(&file, 24);
    let mut letter = Letter::new(
        Need::Act,
        say!(voice, "rules-subject", file = short_file, count),
        say!(voice, "rules-first", file, count),
    );
    letter.row(say!(voice, "label-file"), file);
    letter.row(say!(voice, "label-errors"), count.to_string());
    letter.report = Some(lines(report));
    letter.next(say!(voice, "rules-next"));
    letter.command(say!(voice, "command-check"), "simkeeper check".to_owned());
    letter
}

pub(super) fn rules_problem_short(voice: &Voice, file: &str, count: usize) -> String {
    say!(voice, "rules-short", file, count)
}

pub(super) fn cards_found(voice: &Voice, account: &str, count: usize, rule: Option<&str>) -> Letter {
    let (account, short) = (cut(account, 80), cut(account, 24));
    let mut letter = Letter::new(
        Need::Nothing,
        say!(voice, "found-subject", account = short, count),
        say!(voice, "found-first", account, count),
    );
    letter.row(say!(voice, "label-account"), account);
    letter.row(say!(voice, "label-new-cards"), count.to_string());
    letter.next(match rule.map(|rule| cut(rule, 80)) {
        Some(rule) => say!(voice, "found-next-rule", rule, count),
        None => say!(voice, "found-next-only-read", count),
    });
    letter.command(say!(voice, "command-found"), "simkeeper card find discovered".to_owned());
    letter
}

pub(super) fn cards_found_short(voice: &Voice, account: &str, count: usize, by_rule: bool) -> String {
    if by_rule {
        say!(voice, "found-short-rule", account, count)
    } else {
        say!(voice, "found-short-only-read", account, count)
    }
}

pub(super) fn test(voice: &Voice, channel: &str, at: UnixTime) -> Letter {
    let (channel, at) = (cut(channel, 80), voice.time(at));
    let mut letter = Letter::new(Need::Nothing, say!(voice, "test-subject", at), say!(voice, "test-first", channel));
    letter.row(say!(voice, "label-channel"), channel);
    letter.row(say!(voice, "label-sent"), at);
    letter
}

pub(super) fn test_short(voice: &Voice, channel: &str) -> String {
    say!(voice, "test-short", channel)
}

/// A report of several lines without anything that controls a terminal or turns text.
fn lines(report: &str) -> String {
    let short: String = report.chars().take(REPORT_MAX_CHARS).collect();
    let clean = |line: &str| -> String {
        line.chars().map(|c| if crate::domain::card::disturbs(c) { ' ' } else { c }).collect()
    };
    let mut kept: Vec<String> = short.lines().map(clean).collect();
    if report.chars().nth(REPORT_MAX_CHARS).is_some() {
        kept.push("…".to_owned());
    }
    kept.join("\n")
}
