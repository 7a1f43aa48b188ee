//! Looks into the wallets a few times a day, and tells people in time that one will not cover a coming purchase. Spends nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Daemon;
use super::bells::Round;
use super::case::Case;
use super::live::Live;
use super::tell::{Telling, tell};
use super::wallets::Purses;
use crate::domain::card::{Card, CardId, Name};
use crate::domain::notice::Event;
use crate::domain::rule::Mode;
use crate::domain::time::UnixTime;
use crate::domain::wallet::WalletLow;
use crate::store::{Connection, StoreError, accounts, cards, catalogues};

/// Cards looked at in one transaction.
const PAGE: usize = 1_000;
/// Catalogues read for one account at once, so that a price is known before the first purchase.
const CATALOGUES_AT_ONCE: usize = 20;

/// Looks into the wallet of every account that has cards which are renewed by themselves, and says what it will not
/// cover.
///
/// # Errors
/// When the record cannot be read or written.
pub(super) async fn look(daemon: &Arc<Daemon>) -> Result<(), StoreError> {
    let live = daemon.live();
    let (buying, unpriced) = buying(daemon, &live).await?;
    for account in &buying {
        look_into(daemon, &live, account).await;
    }
    for card in unpriced {
        learn_prices(daemon, &live, card).await?;
    }
    let (now, told) = (daemon.clock.now(), Arc::clone(&live));
    let purses = purses(daemon, &live, now).await?;
    daemon.store.write(move |conn| tell_of(conn, &told, &purses, now)).await?;
    daemon.bells.ring(Round::Deliver);
    Ok(())
}

/// The accounts that have something to pay for, and some of the cards whose prices are not known yet.
async fn buying(daemon: &Arc<Daemon>, live: &Arc<Live>) -> Result<(BTreeSet<Name>, Vec<Card>), StoreError> {
    let (mut accounts, mut unpriced, mut after) = (BTreeSet::new(), Vec::new(), CardId(0));
    loop {
        let page_live = Arc::clone(live);
        let page = daemon
            .store
            .read(move |conn| {
                let page = cards::page(conn, after, PAGE)?.into_iter();
                page.map(|card| {
                    let buys = page_live.rule_of(&card).is_some_and(|rule| rule.mode == Mode::Auto);
                    let priced = !buys || catalogues::load(conn, card.id)?.is_some();
                    Ok((card, buys, priced))
                })
                .collect::<Result<Vec<_>, StoreError>>()
            })
            .await?;
        let Some((last, ..)) = page.last() else { return Ok((accounts, unpriced)) };
        after = last.id;
        for (card, _, priced) in page.into_iter().filter(|(_, buys, _)| *buys) {
            accounts.extend(card.accounts().cloned());
            let of_account = unpriced.iter().filter(|other: &&Card| other.account == card.account).count();
            if !priced && of_account < CATALOGUES_AT_ONCE {
                unpriced.push(card);
            }
        }
    }
}

async fn look_into(daemon: &Arc<Daemon>, live: &Live, account: &Name) {
    let now = daemon.clock.now();
    let Some(desk) = live.desk(account).filter(|desk| desk.left_alone_until(now).is_none()) else { return };
    match desk.operator.wallet().await {
        Ok(wallet) => desk.told_wallet(daemon.clock.now(), wallet),
        Err(error) => {
            desk.went_wrong(&error, now);
            tracing::warn!(%account, %error, "the wallet could not be looked into");
        }
    }
}

async fn learn_prices(daemon: &Arc<Daemon>, live: &Live, card: Card) -> Result<(), StoreError> {
    let (now, id) = (daemon.clock.now(), card.id);
    let Some(desk) = live.desk(&card.account).filter(|desk| desk.left_alone_until(now).is_none()) else {
        return Ok(());
    };
    match desk.operator.catalogue(&card, now).await {
        Ok(catalogue) => daemon.store.write(move |conn| catalogues::save(conn, id, &catalogue)).await,
        Err(error) => {
            desk.went_wrong(&error, now);
            Ok(())
        }
    }
}

/// The wallets as last looked into, with what their cards will cost.
async fn purses(daemon: &Arc<Daemon>, live: &Arc<Live>, now: UnixTime) -> Result<Purses, StoreError> {
    let (mut purses, mut after) = (Purses::default(), CardId(0));
    for desk in live.desks() {
        if let Some((read_at, balance)) = desk.faring().wallet.and_then(|(at, wallet)| Some((at, wallet.balance?))) {
            purses.open(&desk.account.name, &desk.account.payment, read_at, balance);
        }
    }
    loop {
        let page_live = Arc::clone(live);
        let (last, filled) = daemon
            .store
            .read(move |conn| {
                let page = cards::page(conn, after, PAGE)?;
                let last = page.last().map(|card| card.id);
                for card in page {
                    let case = Case::load(conn, &page_live, card, now)?;
                    purses.add(conn, &case, case.rule(&page_live), now)?;
                }
                Ok((last, purses))
            })
            .await?;
        purses = filled;
        match last {
            Some(last) => after = last,
            None => return Ok(purses),
        }
    }
}

/// Keeps what was seen, and tells of each shortfall that is near, once for each step.
fn tell_of(conn: &Connection, live: &Live, purses: &Purses, now: UnixTime) -> Result<(), StoreError> {
    for desk in live.desks() {
        accounts::save(conn, &desk.account.name, &desk.stored())?;
    }
    for lasting in purses.lasting(now) {
        let (Some(step), Some(short)) = (lasting.outlook.step(now), lasting.outlook.short) else { continue };
        let (account, number) = (lasting.account, lasting.outlook.number);
        let step = format!("{account}:{number}:{}", step.0);
        let support = live.support(&account);
        let covered = lasting.outlook.covered;
        let event = Event::WalletLow(WalletLow { account, balance: lasting.balance, covered, short, support });
        tell(conn, live, Telling { card: None, cycle: 0, step, attempt: None, event }, now)?;
    }
    Ok(())
}
