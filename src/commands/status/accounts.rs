//! Accounts in `status`: how the way to each operator fares, and how long each wallet lasts.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::super::output::relative;
use super::super::view::View;
use crate::daemon::wallets::Lasting;
use crate::domain::card::Name;
use crate::domain::time::{Secs, UnixTime};
use crate::domain::wallet::{HORIZON, Outlook};
use crate::store::accounts::AccountState;

/// How each account fares, and below it how long its wallet lasts.
pub(super) fn lines(view: &View, lasting: &[Lasting]) -> Vec<String> {
    let names = view.config.machine.accounts.iter().map(|account| &account.name);
    names
        .flat_map(|name| {
            let wallet = of(lasting, name).map(|lasting| format!("  {}", outlook(&lasting.outlook, view.now)));
            std::iter::once(line(view, name)).chain(wallet)
        })
        .collect()
}

fn line(view: &View, name: &Name) -> String {
    let state = view.account(name);
    let left_alone = state.and_then(|state| state.open_until.max(state.paused_until)).filter(|at| view.now < *at);
    let fares = match (left_alone, state.map_or(0, |state| state.failures)) {
        (Some(until), _) => format!("left alone, tried again {}", relative(until, view.now)),
        (None, 0) if state.is_some_and(AccountState::was_heard) => "reachable".to_owned(),
        (None, 0) => "no trouble known".to_owned(),
        (None, 1) => "failed once".to_owned(),
        (None, failures) => format!("failed {failures} times in a row"),
    };
    let wallet = state.and_then(|state| state.wallet.as_ref()).and_then(|(at, wallet)| {
        wallet.balance.map(|balance| format!("; wallet {balance}, read {}", relative(*at, view.now)))
    });
    format!("account {name}: {fares}{}", wallet.unwrap_or_default())
}

fn of<'a>(lasting: &'a [Lasting], name: &Name) -> Option<&'a Lasting> {
    lasting.iter().find(|lasting| lasting.account == *name)
}

/// How long a wallet lasts, in words.
fn outlook(outlook: &Outlook, now: UnixTime) -> String {
    let covered = match (outlook.covered, outlook.each) {
        (1, Some(each)) => format!("1 purchase of {each}"),
        (count, Some(each)) => format!("{count} purchases of {each}"),
        (count, None) => format!("{count} purchases"),
    };
    let mut words = match &outlook.short {
        Some(short) if outlook.covered == 0 => {
            let (card, price, day) = (&short.card, short.price, day(short.at, now));
            format!("this wallet does not cover the next purchase: {card}, {price} on {day}")
        }
        Some(short) => format!("this wallet lasts until {} ({covered})", day(short.at, now)),
        None => format!("this wallet lasts for the next {} days ({covered})", HORIZON.0 / Secs::DAY.0),
    };
    if outlook.other_currency > 0 {
        words.push_str(&format!("; not counted: {} in another currency", outlook.other_currency));
    }
    words
}

/// A day in UTC, with its year unless that is the present one.
fn day(at: UnixTime, now: UnixTime) -> String {
    let (at, now) = (at.date_in(&TimeZone::UTC), now.date_in(&TimeZone::UTC));
    let form = if at.year() == now.year() { "%-d %b" } else { "%-d %b %Y" };
    at.strftime(form).to_string()
}

/// The same for programs.
pub(super) fn documents(view: &View, lasting: &[Lasting]) -> Vec<Value> {
    let names = view.config.machine.accounts.iter().map(|account| &account.name);
    names
        .map(|name| {
            let state = view.account(name);
            let wallet = state.and_then(|state| state.wallet.as_ref());
            json!({
                "name": name,
                "failures": state.map_or(0, |state| state.failures),
                "left_alone_until": state.and_then(|state| state.open_until.max(state.paused_until)),
                "wallet": wallet.map(|(at, wallet)| json!({ "read_at": at, "balance": wallet.balance, "methods": wallet.methods })),
                "forecast": of(lasting, name).map(|lasting| forecast(lasting, view.now)),
            })
        })
        .collect()
}

fn forecast(lasting: &Lasting, now: UnixTime) -> Value {
    let outlook = &lasting.outlook;
    json!({
        "balance": lasting.balance, "covered": outlook.covered, "each": outlook.each,
        "lasts_until": outlook.short.as_ref().map(|short| short.at), "short": outlook.short,
        "looked_until": now.plus(HORIZON), "other_currency": outlook.other_currency,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::{Currency, Money};
    use crate::domain::wallet::Shortfall;

    #[test]
    fn a_wallet_is_told_in_one_line() {
        let now = UnixTime::parse("2026-11-20T12:00:00Z").unwrap();
        let at = |text: &str| UnixTime::parse(text).unwrap();
        let ten = Money::new(100_000, Currency::USD);
        let short = |text: &str| Some(Shortfall { card: Name::parse("canada").unwrap(), price: ten, at: at(text) });
        let told = |covered, each: Option<Money>, short, other_currency| {
            outlook(&Outlook { covered, each, short, other_currency, number: 1 }, now)
        };
        assert_eq!(
            told(2, Some(ten), short("2027-03-14T09:00:00Z"), 0),
            "this wallet lasts until 14 Mar 2027 (2 purchases of 10.00 USD)"
        );
        assert_eq!(
            told(0, None, short("2026-12-03T09:00:00Z"), 0),
            "this wallet does not cover the next purchase: canada, 10.00 USD on 3 Dec"
        );
        assert_eq!(told(1, Some(ten), None, 0), "this wallet lasts for the next 400 days (1 purchase of 10.00 USD)");
        assert_eq!(
            told(3, None, short("2026-12-03T09:00:00Z"), 1),
            "this wallet lasts until 3 Dec (3 purchases); not counted: 1 in another currency"
        );
    }
}
