//! Telling again what needs a person, until one takes it in hand; and passing it on where somebody cannot be reached or does
//! not react: over their further ways first, then to the people that they name.

use crate::config::Carries;
use crate::domain::card::Name;
use crate::domain::insist::{Insistence, Turn, needs_person};
use crate::domain::notice::{DedupKey, NoticeId, Retold, RetoldWhy};
use crate::domain::severity::Severity;
use crate::domain::time::UnixTime;
use crate::store::matters::{self, Matter, MatterId};
use crate::store::{Connection, StoreError, attempts, cards, notices, silences};

use super::live::{Live, Way};
use super::tell::{self, Queueing};

/// As many turns are taken in one transaction.
const TURNS_AT_ONCE: usize = 50;

/// Notes what was told to people who want it told again or passed on, and to whom a text goes that may not arrive, before
/// it is queued; none if there is nobody of these.
///
/// # Errors
/// When the record cannot be written.
pub(super) fn open(
    conn: &Connection,
    live: &Live,
    queueing: &Queueing<'_>,
    ways: &[Way],
    now: UnixTime,
) -> Result<Option<MatterId>, StoreError> {
    let Queueing { story, key, attempt, .. } = *queueing;
    let insists = |way: &Way| {
        way.severity > Severity::News && (live.insistence(&way.person).is_some() || is_text_of_several(live, ways, way))
    };
    if !ways.iter().any(insists) {
        return Ok(None);
    }
    let card = key.card.map(|card| cards::by_id(conn, card)).transpose()?.flatten();
    let needs = needs_person(&story.event, card.as_ref().and_then(|card| live.rule_of(card)));
    let (mut turns, none): (Vec<(&Name, Turn)>, _) = (Vec::new(), Insistence::default());
    for way in ways.iter().filter(|way| insists(way)) {
        let wishes = live.insistence(&way.person).unwrap_or(&none);
        if turns.iter().all(|(person, _)| **person != way.person) {
            turns.push((&way.person, Turn::begin(wishes, needs, now)));
        }
    }
    let opened = matters::open(conn, key, attempt, story, now)?;
    if let Some(matter) = opened {
        for (person, turn) in &turns {
            matters::put_turn(conn, matter, person, turn)?;
        }
    }
    Ok(opened)
}

/// Whether a text goes to somebody who has a way that is not used for this.
fn is_text_of_several(live: &Live, ways: &[Way], way: &Way) -> bool {
    let is_used =
        |further: &Way| ways.iter().any(|used| used.person == further.person && used.channel == further.channel);
    way.carries == Carries::Sms && live.all_ways_to(&way.person, way.severity).any(|further| !is_used(&further))
}

/// Takes the turns that are due.
///
/// # Errors
/// When the record cannot be written.
pub(super) fn go_on(conn: &Connection, live: &Live, now: UnixTime) -> Result<(), StoreError> {
    matters::close_untrue(conn, now)?;
    for matter in matters::due(conn, TURNS_AT_ONCE, now)? {
        let Some(wishes) = live.insistence(&matter.person) else {
            matters::end_turn(conn, matter.id, &matter.person)?;
            continue;
        };
        if let Some(later) = held_back(conn, live, &matter, wishes, now)? {
            matters::put_turn(conn, matter.id, &matter.person, &later)?;
            continue;
        }
        let mut turn = matter.turn;
        if turn.repeat_at.is_some_and(|at| at <= now) {
            let step = format!("{}:again:{}", matter.key.step, turn.repeats + 1);
            let ways = live.ways(Some(std::slice::from_ref(&matter.person)), matter.key.kind);
            let to_person = ways.into_iter().filter(|way| way.person == matter.person);
            tell_again(conn, live, &matter, &step, RetoldWhy::StillSo, to_person, now)?;
            turn = turn.repeated(wishes, now);
        }
        if turn.pass_on_at.is_some_and(|at| at <= now) {
            let why = RetoldWhy::NoReaction(matter.person.clone());
            turn = pass_on(conn, live, &matter, wishes, turn, why, now)?;
        }
        matters::put_turn(conn, matter.id, &matter.person, &turn)?;
    }
    Ok(())
}

/// The same turn after the end of the silence about the card, if one holds this back.
fn held_back(
    conn: &Connection,
    live: &Live,
    matter: &Matter,
    wishes: &Insistence,
    now: UnixTime,
) -> Result<Option<Turn>, StoreError> {
    let Some(card) = matter.key.card else { return Ok(None) };
    let Some(silence) = silences::of_card(conn, card, now)? else { return Ok(None) };
    let until = live.weight(&matter.person, matter.key.kind).and_then(|severity| silence.holds(severity, now));
    Ok(until.map(|until| matter.turn.counted_from(wishes, until)))
}

/// A way has failed for good: what it was to tell is passed on at once. Where its person wants nothing passed on, what a
/// text was to tell goes their own next way all the same, and no further.
///
/// # Errors
/// When the record cannot be written.
pub(super) fn way_failed(conn: &Connection, live: &Live, notice: NoticeId, now: UnixTime) -> Result<(), StoreError> {
    let Some(matter) = matters::of_notice(conn, notice)? else { return Ok(()) };
    let (none, wanted) = (Insistence::default(), live.insistence(&matter.person));
    let wishes = match wanted.filter(|wishes| wishes.escalate.is_some()) {
        Some(wishes) => wishes,
        None if notices::by_id(conn, notice)?.is_some_and(|failed| failed.segments.is_some()) => &none,
        None => return Ok(()),
    };
    let why = RetoldWhy::Unreached(matter.person.clone());
    let turn = pass_on(conn, live, &matter, wishes, matter.turn, why, now)?;
    matters::put_turn(conn, matter.id, &matter.person, &turn)
}

/// As [`way_failed`], for what a process that ended has left: a message that made it end so often, or a text that may
/// have gone out and costs money each time.
///
/// # Errors
/// When the record cannot be written.
pub(super) fn ways_failed(
    conn: &Connection,
    live: &Live,
    notices: &[NoticeId],
    now: UnixTime,
) -> Result<(), StoreError> {
    notices.iter().try_for_each(|notice| way_failed(conn, live, *notice, now))
}

/// Goes one step down the chain.
fn pass_on(
    conn: &Connection,
    live: &Live,
    matter: &Matter,
    wishes: &Insistence,
    turn: Turn,
    why: RetoldWhy,
    now: UnixTime,
) -> Result<Turn, StoreError> {
    let chain = chain(live, matter, wishes);
    let place = usize::try_from(turn.passed_on).unwrap_or(usize::MAX);
    if let Some(link) = chain.get(place) {
        let step = format!("{}:on:{}", matter.key.step, place + 1);
        tell_again(conn, live, matter, &step, why, link.iter().cloned(), now)?;
    }
    // What needs nobody goes no further by waiting.
    let goes_on = turn.pass_on_at.is_some();
    Ok(turn.passed_on(wishes, chain.len().saturating_sub(place + 1), goes_on, now))
}

/// Where a matter goes from somebody: each way to them over which they were not told, then all ways to each of the others.
fn chain(live: &Live, matter: &Matter, wishes: &Insistence) -> Vec<Vec<Way>> {
    let kind = matter.key.kind;
    let told = live.ways(Some(std::slice::from_ref(&matter.person)), kind);
    let is_new = |way: &Way| told.iter().all(|old| old.person != way.person || old.channel != way.channel);
    let further = live.all_ways_to(&matter.person, kind.severity()).filter(is_new).map(|way| vec![way]);
    let others = wishes.escalate.iter().flat_map(|escalate| &escalate.to);
    let others = others.map(|person| live.all_ways_to(person, Severity::Urgent).collect::<Vec<Way>>());
    further.chain(others).filter(|link: &Vec<Way>| !link.is_empty()).collect()
}

fn tell_again(
    conn: &Connection,
    live: &Live,
    matter: &Matter,
    step: &str,
    why: RetoldWhy,
    ways: impl Iterator<Item = Way>,
    now: UnixTime,
) -> Result<(), StoreError> {
    let mut story = matter.story.clone();
    story.retold = Some(Retold { first: matter.opened_at, why });
    let key = DedupKey { step: step.to_owned(), ..matter.key.clone() };
    let attempt = matter.attempt.map(|id| attempts::by_id(conn, id)).transpose()?.flatten();
    let tickets = tell::tickets(live, &story.event, attempt.as_ref());
    let card = key.card.map(|card| cards::by_id(conn, card)).transpose()?.flatten();
    let watchers = card.map(|card| live.watchers_of(&card)).unwrap_or_default();
    let queueing = Queueing {
        attempt: matter.attempt,
        tickets: tickets.as_ref(),
        watchers: &watchers,
        ..Queueing::of(&story, &key)
    };
    for way in ways {
        if let Some(notice) = tell::queue(conn, &queueing, &way, now)? {
            matters::belongs(conn, notice, matter.id, &matter.person)?;
        }
    }
    Ok(())
}
