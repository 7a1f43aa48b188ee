//! The cards of all digests of a moment: each is looked at once, in pages, and told to those who are told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Daemon;
use super::case::Case;
use super::digest_caps;
use super::live::Live;
use super::shared_limits;
use crate::domain::assess::is_old;
use crate::domain::attempt::{Attempt, AttemptState};
use crate::domain::card::{Card, CardId, Name};
use crate::domain::digest::{Digest, Ending, Expected, Look, Purchase, Seen, SharedUse, Trouble};
use crate::domain::foresee::{Foreseen, Setting, foresee};
use crate::domain::last_safe::Loss;
use crate::domain::ledger::cost;
use crate::domain::limits;
use crate::domain::notice::DedupKey;
use crate::domain::rule::{Line, Rule};
use crate::domain::sellers;
use crate::domain::severity::Severity;
use crate::domain::shared_limits::{Counted, SharedLimit, Spent};
use crate::domain::time::UnixTime;
use crate::domain::usage;
use crate::store::{Connection, StoreError, attempts, cards, catalogues, silences};

/// Cards looked at in one transaction: looking ahead takes longer than reading, and others read meanwhile.
pub(super) const PAGE: usize = 200;

/// A digest that is put together.
pub(super) struct Draft {
    pub(super) person: Name,
    pub(super) key: DedupKey,
    pub(super) digest: Digest,
    /// Caps that concern a card of it.
    caps: BTreeSet<Line>,
}

impl Draft {
    /// One of no cards yet.
    pub(super) fn of(person: Name, key: DedupKey, digest: Digest) -> Self {
        Self { person, key, digest, caps: BTreeSet::new() }
    }
}

/// Tells each draft of its cards.
///
/// # Errors
/// When the record cannot be read.
pub(super) async fn fill(
    daemon: &Arc<Daemon>,
    live: &Arc<Live>,
    mut drafts: Vec<Draft>,
    now: UnixTime,
) -> Result<Vec<Draft>, StoreError> {
    let last = drafts.iter().map(|draft| draft.digest.next).max().unwrap_or(now);
    let held = Arc::new(digest_caps::held(daemon, live, last, now).await?);
    let mut after = CardId(0);
    loop {
        let (page_live, page_held) = (Arc::clone(live), Arc::clone(&held));
        let (last, filled) = daemon
            .store
            .read(move |conn| {
                let page = cards::page(conn, after, PAGE)?;
                let last = page.last().map(|card| card.id);
                for card in page {
                    add(conn, &page_live, &mut drafts, card, &page_held, now)?;
                }
                Ok((last, drafts))
            })
            .await?;
        drafts = filled;
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    let live = Arc::clone(live);
    daemon
        .store
        .read(move |conn| {
            for draft in &mut drafts {
                draft.digest.shared = shared(conn, &live, &draft.caps, now)?;
            }
            Ok(drafts)
        })
        .await
}

fn add(
    conn: &Connection,
    live: &Live,
    drafts: &mut [Draft],
    card: Card,
    held: &BTreeMap<CardId, UnixTime>,
    now: UnixTime,
) -> Result<(), StoreError> {
    let told = live.told_of(&card);
    let is_told = |draft: &&mut Draft| told.iter().any(|(person, _)| *person == draft.person);
    let mut concerned: Vec<&mut Draft> = drafts.iter_mut().filter(is_told).collect();
    let Some(until) = concerned.iter().map(|draft| draft.digest.next).max() else { return Ok(()) };
    let caps = live.rules().shared_limits.iter().filter(|limit| limit.concerns(&card.account, &card.labels));
    let caps: Vec<Line> = caps.map(|limit| limit.line).collect();
    let (name, account, held) = (card.name.clone(), card.account.clone(), held.get(&card.id));
    let mut seen = match look(conn, live, card, until, now) {
        // One card whose rows are damaged must not take the digest of all with it.
        Err(StoreError::Unreadable { .. }) => Seen {
            card: name,
            is_silenced: false,
            is_watched: false,
            trouble: Some(Trouble::Unread { read_at: None, account }),
            ending: None,
            bought: Vec::new(),
            coming: Vec::new(),
        },
        seen => seen?,
    };
    if let Some(from) = held {
        seen.coming = Expected::held_from(seen.coming, *from);
    }
    for draft in &mut concerned {
        let decides = told.iter().any(|(person, role)| *person == draft.person && role.decides());
        draft.digest.add(&Seen { is_watched: !decides, ..seen.clone() });
        draft.caps.extend(&caps);
    }
    Ok(())
}

fn look(conn: &Connection, live: &Live, card: Card, until: UnixTime, now: UnixTime) -> Result<Seen, StoreError> {
    let case = Case::load(conn, live, card, now)?;
    let rule = case.rule(live);
    let silence = silences::of_card(conn, case.card.id, now)?;
    Ok(Seen {
        card: case.card.name.clone(),
        is_silenced: silence.is_some_and(|silence| silence.holds(Severity::News, now).is_some()),
        is_watched: false,
        trouble: trouble(conn, live, &case, now)?,
        ending: ending(conn, live, &case, now)?,
        bought: bought(&case, rule, now),
        coming: match rule {
            Some(rule) => {
                let (_, foreseen) = foreseen(conn, live, &case, rule, until, now)?;
                foreseen.iter().filter_map(|foreseen| Expected::of(&case.card.name, foreseen)).collect()
            }
            None => Vec::new(),
        },
    })
}

fn trouble(conn: &Connection, live: &Live, case: &Case, now: UnixTime) -> Result<Option<Trouble>, StoreError> {
    let latest = case.poll.recent.latest.as_ref();
    let trouble = Trouble::of(&Look {
        verdict: case.assess(live, now).verdict,
        open: case.open(),
        asked: case.ledger.open.is_some_and(|open| open.asked),
        is_old: latest.is_none_or(|reading| is_old(reading, case.ledger.pace, now)),
        read_at: latest.map(|reading| reading.read_at),
        account: &case.card.account,
    });
    // What lasts until the rule's last day is over needs no purchase, whoever would make it.
    let lasts = |rule: &Rule| case.lasts(conn, rule, now);
    match (&trouble, case.rule(live)) {
        (Some(Trouble::Watched | Trouble::Blocked | Trouble::Paused), Some(rule)) if lasts(rule)? => Ok(None),
        _ => Ok(trouble),
    }
}

/// What its rule is about, else whatever of it ends first. What is over already is told as a trouble, where it is one.
fn ending(conn: &Connection, live: &Live, case: &Case, now: UnixTime) -> Result<Option<Ending>, StoreError> {
    let rule = case.rule(live);
    let last_safe = match rule {
        Some(rule) => case.last_safe(conn, rule, case.lead(live), now)?,
        None => None,
    };
    let card = case.card.name.clone();
    if let Some(last) = last_safe.filter(|last| last.ends > now) {
        return Ok(Some(Ending { card, loss: last.loss, ends: last.ends, last_safe: Some(last.at) }));
    }
    let Some(reading) = case.reading(rule, now) else { return Ok(None) };
    let first = reading.ends().filter(|(_, end)| end.at > now).min_by_key(|(_, end)| end.at);
    Ok(first.map(|(which, end)| Ending { card, loss: Loss::Ends(which), ends: end.at, last_safe: None }))
}

/// What was bought and seen to be there.
fn bought(case: &Case, rule: Option<&Rule>, now: UnixTime) -> Vec<Purchase> {
    let left = rule.and_then(|rule| limits::month_left(&rule.limits, &case.ledger.spends, &case.card.zone, now));
    let done = case.attempts.iter().filter_map(|attempt| match attempt.state {
        AttemptState::Done { at, .. } => Some((attempt, at)),
        AttemptState::Planned { .. }
        | AttemptState::Sending { .. }
        | AttemptState::Pending { .. }
        | AttemptState::Accepted { .. }
        | AttemptState::Unknown { .. }
        | AttemptState::Human { .. }
        | AttemptState::Refused { .. }
        | AttemptState::Absent { .. }
        | AttemptState::Abandoned { .. }
        | AttemptState::Reversed { .. } => None,
    });
    let purchase = |(attempt, at): (&Attempt, UnixTime)| Purchase {
        card: case.card.name.clone(),
        plan: attempt.plan.name.clone(),
        charged: cost(attempt),
        at,
        month_left: left,
    };
    done.map(purchase).collect()
}

/// What happens until then, and the account whose turn it is to sell.
pub(super) fn foreseen(
    conn: &Connection,
    live: &Live,
    case: &Case,
    rule: &Rule,
    until: UnixTime,
    now: UnixTime,
) -> Result<(Name, Vec<Foreseen>), StoreError> {
    let ways = sellers::in_turn(&live.tills(&case.card), &case.attempts, case.poll.cycle);
    let seller = ways.first().map_or(&case.card.account, |way| &way.account);
    if rule.renew_when.triggers.is_empty() {
        return Ok((seller.clone(), Vec::new()));
    }
    let uses = if usage::needs_past(rule) { case.uses(conn, now)? } else { Vec::new() };
    let catalogue = catalogues::load(conn, case.card.id)?;
    let setting = Setting {
        card: &case.card,
        rule,
        catalogue: catalogue.as_ref(),
        recent: &case.poll.recent,
        ledger: &case.ledger,
        attempts: &case.attempts,
        seller,
        uses: &uses,
    };
    Ok((seller.clone(), foresee(&setting, now, until)))
}

/// What is spent of the month's caps that cards share.
fn shared(conn: &Connection, live: &Live, caps: &BTreeSet<Line>, now: UnixTime) -> Result<Vec<SharedUse>, StoreError> {
    let mut used = Vec::new();
    for limit in live.rules().shared_limits.iter().filter(|limit| caps.contains(&limit.line)) {
        let Some(most) = limit.per_month else { continue };
        let month = attempts::shared(conn, limit, shared_limits::month_start(now), None)?;
        let only_month = SharedLimit { per_day: None, per_cycle: None, ..limit.clone() };
        let counted = Counted { limit: only_month, day: Spent::default(), month, cycle: Spent::default() };
        let spent = counted.sums().next().and_then(|(_, spent, _)| spent);
        used.push(SharedUse { line: limit.line, spent, limit: most });
    }
    Ok(used)
}
