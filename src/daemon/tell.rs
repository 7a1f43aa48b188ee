//! Queues notices in the transaction of what caused them: finished bytes, one row per person and channel, one key each.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::store::Connection;

use super::approval::Tickets;
use super::deliver_round::word_of;
use super::insist;
use super::live::{Live, Way};
use crate::config::Carries;
use crate::domain::approval::Answering;
use crate::domain::attempt::{Attempt, AttemptId};
use crate::domain::card::{Card, Name};
use crate::domain::course::{self, Course};
use crate::domain::forecast;
use crate::domain::identity::masked;
use crate::domain::notice::{Ask, CardFacts, DedupKey, Event, NoticeId, NoticeKind, Story};
use crate::domain::silence::Silence;
use crate::domain::time::UnixTime;
use crate::notify::{self, Finished, MailHeaders, NotifyError, Recipient, Thread};
use crate::store::notices::{self, NewNotice};
use crate::store::{StoreError, attempts, matters, meta, readings, silences, text_costs};

/// Where more messages than these wait, as when a whole fleet runs low in one night, mails go without pictures: a picture
/// takes milliseconds to draw, and orders wait meanwhile.
const PICTURES_UP_TO: usize = 50;

/// Something to tell.
pub(crate) struct Telling<'a> {
    /// The card; none for what concerns the daemon itself.
    pub(crate) card: Option<&'a Card>,
    /// The card's cycle.
    pub(crate) cycle: u32,
    /// What tells it apart from others of its kind and cycle.
    pub(crate) step: String,
    /// The attempt it is about.
    pub(crate) attempt: Option<AttemptId>,
    /// What happened.
    pub(crate) event: Event,
}

/// Queues a notice for everybody who is to be told; a second telling with the same key is not queued.
///
/// # Errors
/// When the record cannot be written.
pub(crate) fn tell(conn: &Connection, live: &Live, telling: Telling<'_>, now: UnixTime) -> Result<(), StoreError> {
    let kind = telling.event.kind();
    let mut facts = telling.card.map(card_facts);
    let attempt = match telling.attempt {
        Some(attempt) => attempts::by_id(conn, attempt)?,
        None => None,
    };
    if let (Some(facts), Some(attempt)) = (&mut facts, &attempt) {
        // A purchase is told with the account that sells.
        facts.account.clone_from(&attempt.account);
    }
    let tickets = tickets(live, &telling.event, attempt.as_ref());
    let key = DedupKey { kind, card: telling.card.map(|card| card.id), cycle: telling.cycle, step: telling.step };
    let ways = live.ways_about(telling.card, kind);
    let course = match telling.card {
        Some(card) if is_news(conn, &key, &ways)? => course(conn, live, card, &telling.event, now)?,
        Some(_) | None => None,
    };
    let story = Story { card: facts, at: now, event: telling.event, course, retold: None };
    let silence = telling.card.map(|card| silences::of_card(conn, card.id, now)).transpose()?.flatten();
    let watchers = telling.card.map(|card| live.watchers_of(card)).unwrap_or_default();
    let queueing = Queueing {
        attempt: telling.attempt,
        tickets: tickets.as_ref(),
        watchers: &watchers,
        silence: silence.as_ref(),
        ..Queueing::of(&story, &key)
    };
    let matter = insist::open(conn, live, &queueing, &ways, now)?;
    for way in ways {
        let queued = queue(conn, &queueing, &way, now)?;
        if let (Some(notice), Some(matter)) = (queued, matter) {
            matters::belongs(conn, notice, matter, &way.person)?;
        }
    }
    Ok(())
}

/// Whether somebody has not been told yet. A warning comes up again with each reading while it holds, and what it would
/// be illustrated with is a month of readings.
fn is_news(conn: &Connection, key: &DedupKey, ways: &[Way]) -> Result<bool, StoreError> {
    for way in ways {
        if !notices::is_known(conn, key, &way.person, &way.channel)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What people can answer a question with, if it can be answered by code.
pub(super) fn tickets<'a>(live: &'a Live, event: &Event, attempt: Option<&'a Attempt>) -> Option<Tickets<'a>> {
    let by_code = matches!(event, Event::Asked { ask: Ask::Approve { .. }, .. });
    let (approvals, attempt) = live.approvals().filter(|_| by_code).zip(attempt)?;
    Some(Tickets::new(approvals, attempt))
}

/// How what the card holds went over the last weeks and is expected to go on, for a picture.
fn course(
    conn: &Connection,
    live: &Live,
    card: &Card,
    event: &Event,
    now: UnixTime,
) -> Result<Option<Course>, StoreError> {
    let Some(held) = course::held(event) else { return Ok(None) };
    if notices::waiting_at_least(conn, PICTURES_UP_TO)? {
        return Ok(None);
    }
    match readings::history(conn, card.id, now.minus(forecast::LOOKS_BACK), now) {
        Ok(readings) => {
            let course = Course::up_to(&readings, held, now, live.rule_of(card));
            Ok(course.map(|course| course.foreseen(&readings, held, &card.zone)))
        }
        // A picture is not worth a purchase: what is damaged is told by the check of the record.
        Err(StoreError::Unreadable { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What goes over each way.
#[derive(Clone, Copy)]
pub(super) struct Queueing<'a> {
    /// What happened.
    pub(super) story: &'a Story,
    /// What makes it one and the same.
    pub(super) key: &'a DedupKey,
    /// The attempt it is about.
    pub(super) attempt: Option<AttemptId>,
    /// Mails that go within a mail.
    pub(super) enclosed: &'a [Vec<u8>],
    /// What people can answer it with.
    pub(super) tickets: Option<&'a Tickets<'a>>,
    /// Who only watches the card, and answers nothing.
    pub(super) watchers: &'a [Name],
    /// The silence about the card.
    pub(super) silence: Option<&'a Silence>,
}

impl<'a> Queueing<'a> {
    /// A story that nobody answers.
    pub(super) const fn of(story: &'a Story, key: &'a DedupKey) -> Self {
        Self { story, key, attempt: None, enclosed: &[], tickets: None, watchers: &[], silence: None }
    }

    /// How the person of a way can answer. Who only watches gets no code, however they come to be told: somebody who does
    /// not react may name them, or they stand in where nobody else can be reached.
    fn answers(&self, conn: &Connection, way: &Way, now: UnixTime) -> Result<Answering, StoreError> {
        if self.watchers.contains(&way.person) {
            return Ok(Answering::NotTheirs);
        }
        // Programs decide nothing.
        let tickets = self.tickets.filter(|_| way.carries != Carries::Document);
        let ticket = tickets.map(|tickets| tickets.of(conn, &way.person, now)).transpose()?;
        Ok(ticket.map_or(Answering::ByNumber, Answering::ByCode))
    }

    /// Until when it is held back on this way; programs are told all the same.
    fn held_until(&self, way: &Way, now: UnixTime) -> Option<UnixTime> {
        let silence = self.silence.filter(|_| way.carries != Carries::Document);
        silence.and_then(|silence| silence.holds(way.severity, now))
    }
}

/// Queues one notice over one way; none if its key is there already. One whose text cannot be made is set aside at once,
/// for people to see.
pub(super) fn queue(
    conn: &Connection,
    queueing: &Queueing<'_>,
    way: &Way,
    now: UnixTime,
) -> Result<Option<NoticeId>, StoreError> {
    let Queueing { key, attempt, .. } = *queueing;
    if notices::is_known(conn, key, &way.person, &way.channel)? {
        return Ok(None);
    }
    let message_id = format!("<{}@{}>", super::clock::chance_text(), way.domain);
    let held_until = queueing.held_until(way, now);
    // A text that cannot be made must not undo the purchase it tells about.
    let (finished, unmade) = match without_panic(|| finish(conn, queueing, way, &message_id, now)) {
        Ok(Ok(finished)) => (finished, None),
        Ok(Err(Untold::Record(error))) => return Err(error),
        Ok(Err(Untold::Text(error))) => (unwritten(key), Some(error.to_string())),
        Err(Panicked) => (unwritten(key), Some("a defect of simkeeper; please report it".to_owned())),
    };
    let notice = NewNotice {
        key: key.clone(),
        person: way.person.clone(),
        channel: way.channel.clone(),
        address: way.address.clone(),
        subject: finished.subject,
        message_id,
        urgent: way.is_urgent() && held_until.is_none(),
        resend_costs: way.carries == Carries::Sms,
        attempt,
        created_at: now,
        send_at: send_at(key.kind, way, held_until.unwrap_or(now)),
        expires_at: now.plus(key.kind.expires_after()),
        bytes: finished.bytes,
    };
    let parts = (way.carries == Carries::Sms).then(|| parts_of(&notice.bytes));
    let queued = notices::enqueue(conn, &notice)?;
    if let (Some(id), Some(parts)) = (queued, parts) {
        text_costs::put(conn, id, parts, way.texts.and_then(|texts| texts.cost(parts)))?;
    }
    if let (Some(id), Some(why)) = (queued, unmade) {
        tracing::error!(notice.id = id.0, notice.kind = key.kind.as_str(), why, "a notice could not be written");
        notices::set_aside(conn, id, &format!("its text could not be made: {why}"), now)?;
        return Ok(None);
    }
    Ok(queued)
}

/// When it goes out; what was gathered, or is wanted at its own hour, does not wait to be gathered.
fn send_at(kind: NoticeKind, way: &Way, not_before: UnixTime) -> UnixTime {
    match kind {
        NoticeKind::Held | NoticeKind::Digest => way.awake_at(not_before),
        NoticeKind::DueSoon
        | NoticeKind::LastSafe
        | NoticeKind::Bought
        | NoticeKind::Failed
        | NoticeKind::Unknown
        | NoticeKind::SettledLate
        | NoticeKind::Asked
        | NoticeKind::Paused
        | NoticeKind::RulesProblem
        | NoticeKind::RecordProblem
        | NoticeKind::WalletLow
        | NoticeKind::CardsFound
        | NoticeKind::Test => way.send_at(not_before),
    }
}

/// In how many parts a text goes.
fn parts_of(text: &[u8]) -> u32 {
    let (_, parts) = notify::sms::parts(&String::from_utf8_lossy(text));
    u32::try_from(parts).unwrap_or(u32::MAX)
}

/// Why there is no text.
enum Untold {
    Record(StoreError),
    Text(NotifyError),
}

/// Work that ended in a panic.
struct Panicked;

/// Texts are made inside the transaction of what they tell; a panic there would take back the transaction.
fn without_panic<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}

/// What stands in the list of notices in place of a text.
fn unwritten(key: &DedupKey) -> Finished {
    Finished { subject: format!("({} without a text)", key.kind.as_str()), bytes: Vec::new() }
}

fn finish(
    conn: &Connection,
    queueing: &Queueing<'_>,
    way: &Way,
    message_id: &str,
    now: UnixTime,
) -> Result<Finished, Untold> {
    let Queueing { story, key, enclosed, .. } = *queueing;
    let recipient = Recipient {
        answers: queueing.answers(conn, way, now).map_err(Untold::Record)?,
        person: way.person.clone(),
        address: way.address.clone(),
        language: way.language,
        zone: way.zone.clone(),
    };
    match way.carries {
        Carries::Sms => return Ok(notify::text_message(story, &recipient)),
        Carries::Push => return notify::push(story, &recipient, way.severity).map_err(Untold::Text),
        Carries::Document => {
            return notify::document(story, &recipient, way.severity, word_of(message_id)).map_err(Untold::Text);
        }
        Carries::Mail => {}
    }
    let installation = meta::installation(conn).map_err(Untold::Record)?.uuid.simple();
    let root = key.card.map(|card| format!("<card.{}.{}.{installation}@{}>", card.0, key.cycle, way.domain));
    let thread = root.map(|root| Thread { root });
    let headers = MailHeaders { message_id: message_id.to_owned(), from: way.from.clone(), thread, date: now };
    notify::mail_with(story, &recipient, &headers, enclosed).map_err(Untold::Text)
}

/// Queues a trial message to one person, over every way to them, or to one program.
///
/// # Errors
/// When the record cannot be written.
pub(crate) fn test(
    conn: &Connection,
    live: &Live,
    person: &Name,
    step: &str,
    now: UnixTime,
) -> Result<Vec<NoticeId>, StoreError> {
    let mut queued = Vec::new();
    let program = live.programs(NoticeKind::Test.severity()).find(|way| way.person == *person);
    let of_person = || live.ways(Some(std::slice::from_ref(person)), NoticeKind::Test);
    for way in program.map_or_else(of_person, |way| vec![way]) {
        let story = Story {
            card: None,
            at: now,
            event: Event::Test { channel: way.channel.to_string() },
            course: None,
            retold: None,
        };
        let key = DedupKey { kind: NoticeKind::Test, card: None, cycle: 0, step: step.to_owned() };
        queued.extend(queue(conn, &Queueing::of(&story, &key), &way, now)?);
    }
    Ok(queued)
}

/// How a card is named in messages: by its owner's name, its account and a shortened number.
pub(crate) fn card_facts(card: &Card) -> CardFacts {
    let number = card.msisdn.as_ref().map(|number| masked(number.digits()));
    CardFacts {
        name: card.name.clone(),
        account: card.account.clone(),
        number: number.or_else(|| card.iccid.as_ref().map(|iccid| masked(iccid.digits()))),
        zone: card.zone.iana_name().unwrap_or("UTC").to_owned(),
    }
}

/// Who is told about the daemon itself, and about cards that name nobody: everybody in the file.
pub(crate) fn concerned<'a>(named: Option<&'a [Name]>, everybody: &'a [Name]) -> &'a [Name] {
    match named {
        Some(named) if !named.is_empty() => named,
        Some(_) | None => everybody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_whose_making_panics_does_not_take_its_cause_with_it() {
        assert!(without_panic(|| std::panic::panic_any("a defect")).is_err());
        assert_eq!(without_panic(|| 7).ok(), Some(7));
    }
}
