//! Cards that an account's operator lists: walked page by page, held against the record, and added where they are new.
//! A new card is read at once; it is bought for only if a rule fits its labels.

use std::collections::HashSet;
use std::sync::Arc;

use super::Daemon;
use super::desk::Desk;
use crate::domain::card::{Keeper, Name, tamed};
use crate::domain::discovery::{FoundCard, Standing, sort_out};
use crate::domain::operator::{ListedCard, OperatorError};
use crate::domain::time::UnixTime;
use crate::operators::Operator;
use crate::store::cards::{self, NewCard};
use crate::store::people::{self as record, HumanAction};
use crate::store::{Connection, StoreError};

/// The label of cards that the daemon adds by itself; a `[[match]]` can name it.
pub(crate) const LABEL: &str = "discovered";
/// A list of more pages than this is not one.
const PAGES_MAX: usize = 20_000;
/// The most cards that the record is made for.
const CARDS_MAX: usize = 1_000_000;
/// Characters of a field that are kept.
const FIELD_LONGEST: usize = 200;

/// What is wanted of a list.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Labels for cards that are added.
    pub(crate) labels: Vec<Name>,
    /// The person who asked; none if the file did.
    pub(crate) by: Option<String>,
    /// Whether it is only looked at.
    pub(crate) dry_run: bool,
}

/// What became of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    /// Each listed card.
    pub(crate) found: Vec<FoundCard>,
    /// How many were added.
    pub(crate) added: usize,
}

/// Walks an operator's list of cards to its end.
///
/// # Errors
/// The operator's, or [`OperatorError::Unknown`] for a list that has no end.
pub(crate) async fn listed(operator: &dyn Operator) -> Result<Vec<ListedCard>, OperatorError> {
    let endless = |why: &str| OperatorError::Unknown { why: why.to_owned() };
    let (mut cards, mut page, mut asked) = (Vec::new(), None::<String>, HashSet::new());
    for _ in 0..PAGES_MAX {
        let part = operator.discover(page.as_deref()).await?;
        cards.extend(part.cards);
        if cards.len() > CARDS_MAX {
            return Err(endless("the operator lists more cards than there can be"));
        }
        let Some(next) = part.next else { return Ok(cards) };
        if !asked.insert(next.clone()) {
            return Err(endless("the operator's list of cards leads back to a page that was read before"));
        }
        page = Some(next);
    }
    Err(endless("the operator's list of cards has no end"))
}

/// Reads the list of an account and adds what is new. The inner error is the operator's.
///
/// # Errors
/// When the record cannot be read or written; then no card was added.
pub(crate) async fn discover(
    daemon: &Arc<Daemon>,
    desk: &Desk,
    wanted: Wanted,
) -> Result<Result<Findings, OperatorError>, StoreError> {
    let now = daemon.clock.now();
    let cards = match listed(desk.operator.as_ref()).await {
        Ok(cards) => cards,
        Err(error) => {
            desk.went_wrong(&error, now);
            return Ok(Err(error));
        }
    };
    let plain = plain_card(daemon, &desk.account.name);
    if wanted.dry_run {
        let known = daemon.store.read(cards::known).await?;
        return Ok(Ok(Findings { found: sort_out(&desk.account.name, cards, &known), added: 0 }));
    }
    let (found, ids) = daemon.store.write(move |conn| add(conn, &plain, cards.clone(), &wanted, now)).await?;
    let added = ids.len();
    for id in ids {
        daemon.hurry(id);
    }
    Ok(Ok(Findings { found, added }))
}

/// A card of an account of which nothing is known yet; its name is another for each.
fn plain_card(daemon: &Daemon, account: &Name) -> NewCard {
    let live = daemon.live();
    let zone = live.machine().account(account).and_then(|account| account.zone.clone());
    let plain = NewCard::named(account.clone(), account.clone(), Keeper::Command);
    NewCard { zone: zone.unwrap_or(plain.zone.clone()), ..plain }
}

/// Adds what is new, in the transaction that looked what is known.
fn add(
    conn: &Connection,
    plain: &NewCard,
    cards: Vec<ListedCard>,
    wanted: &Wanted,
    now: UnixTime,
) -> Result<(Vec<FoundCard>, Vec<crate::domain::card::CardId>), StoreError> {
    let found = sort_out(&plain.account, cards, &cards::known(conn)?);
    let mut ids = Vec::new();
    for found in &found {
        let Standing::New { name } = &found.standing else { continue };
        let field = |(key, value): (&String, &String)| (tamed(key, FIELD_LONGEST), tamed(value, FIELD_LONGEST));
        let card = NewCard {
            name: name.clone(),
            iccid: found.card.iccid.clone(),
            msisdn: found.card.msisdn.clone(),
            fields: found.card.fields.iter().map(field).collect(),
            labels: wanted.labels.clone(),
            ..plain.clone()
        };
        ids.push(cards::insert(conn, &card, now)?);
    }
    if let Some(by) = wanted.by.clone().filter(|_| !ids.is_empty()) {
        let reason = Some(format!("{} cards that {} lists", ids.len(), plain.account));
        let what = "add".to_owned();
        record::record(conn, &HumanAction { at: now, by, what, card: None, attempt: None, reason })?;
    }
    Ok((found, ids))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;
    use crate::domain::card::Card;
    use crate::domain::identity::Iccid;
    use crate::domain::operator::{
        BuyAnswer, Capabilities, CardPage, Found, MOST_CAREFUL, Order, Preflight, PreparedOrder, SentOrder, Terms,
        Wallet,
    };
    use crate::domain::plan::{Catalogue, Plan};
    use crate::domain::reading::Reading;
    use crate::operators::Answer;

    /// An operator that only lists: for each page what comes after it.
    struct Pages(fn(Option<&str>) -> Option<String>, Mutex<usize>);

    fn nothing<T>() -> Result<T, OperatorError> {
        Err(OperatorError::Unknown { why: "not asked for".into() })
    }

    impl Operator for Pages {
        fn capabilities(&self) -> &Capabilities {
            &MOST_CAREFUL
        }

        fn terms(&self) -> Terms {
            Terms::default()
        }

        fn read<'a>(&'a self, _: &'a [Card], _: UnixTime) -> Answer<'a, Vec<Result<Reading, OperatorError>>> {
            Box::pin(async { Vec::new() })
        }

        fn catalogue<'a>(&'a self, _: &'a Card, _: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
            Box::pin(async { nothing() })
        }

        fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
            Box::pin(async { nothing() })
        }

        fn preflight<'a>(
            &'a self,
            _: &'a Card,
            _: &'a Plan,
            _: Option<&'a str>,
        ) -> Answer<'a, Result<Preflight, OperatorError>> {
            Box::pin(async { nothing() })
        }

        fn prepare(&self, _: &Card, _: &Order) -> Result<PreparedOrder, OperatorError> {
            nothing()
        }

        fn buy<'a>(&'a self, _: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
            Box::pin(async { BuyAnswer::NotSent { why: "not asked for".into() } })
        }

        fn find<'a>(&'a self, _: &'a Card, _: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
            Box::pin(async { nothing() })
        }

        fn discover<'a>(&'a self, page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
            *self.1.lock().unwrap() += 1;
            let iccid = Iccid::parse("8944501312167518236").ok();
            let card = ListedCard { iccid, msisdn: None, label: None, fields: BTreeMap::new() };
            let page = CardPage { cards: vec![card], next: self.0(page) };
            Box::pin(async { Ok(page) })
        }
    }

    #[tokio::test]
    async fn a_list_is_read_to_its_end_and_never_in_a_circle() {
        let three = Pages(
            |page| match page {
                None => Some("2".into()),
                Some("2") => Some("3".into()),
                Some(_) => None,
            },
            Mutex::default(),
        );
        assert_eq!(listed(&three).await.unwrap().len(), 3);
        let circle = Pages(|page| Some(if page == Some("a") { "b".into() } else { "a".into() }), Mutex::default());
        let error = listed(&circle).await.unwrap_err();
        assert!(error.to_string().contains("read before"), "{error}");
        assert_eq!(*circle.1.lock().unwrap(), 3);
        let endless = Pages(
            |page| page.map_or(0, |page| page.parse::<u64>().unwrap()).checked_add(1).map(|next| next.to_string()),
            Mutex::default(),
        );
        assert!(listed(&endless).await.is_err());
        assert_eq!(*endless.1.lock().unwrap(), PAGES_MAX);
    }
}
