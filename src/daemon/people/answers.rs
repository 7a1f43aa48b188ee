//! Answers by code, whichever door they come in by: a command, a page, a text message. A code decides for the person who
//! was sent it, once, for the plan and the price that they were shown.

use std::sync::Arc;

use super::{Daemon, Round, StoreError, note, refused};
use crate::daemon::approval::Approvals;
use crate::daemon::live::Live;
use crate::daemon::moves::advance;
use crate::daemon::people::purchases;
use crate::daemon::request::{Refusal, Reply};
use crate::domain::approval::{AskedCode, Code, Standing};
use crate::domain::attempt::{Approval, Attempt};
use crate::domain::card::Name;
use crate::domain::step::{Decision, Event};
use crate::domain::time::UnixTime;
use crate::store::{Connection, approvals, attempts, cards};

/// Where an answer comes in.
#[derive(Clone, Debug)]
pub(crate) enum Door {
    /// A command on this machine.
    Command,
    /// The page of this word.
    Page {
        /// The word.
        word: String,
    },
    /// A text message from a number that these people have.
    Text {
        /// Who.
        people: Vec<Name>,
    },
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    /// What was typed as the code.
    pub(crate) code: String,
    /// Whether it is bought.
    pub(crate) yes: bool,
    /// Why not.
    pub(crate) reason: String,
    /// Where it came in.
    pub(crate) door: Door,
}

/// What an answer came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// The purchase was agreed to.
    Agreed(Box<Attempt>),
    /// The purchase was declined.
    Declined(Box<Attempt>),
    /// The code decides nothing any more.
    Dead(Standing, Box<Attempt>),
    /// It is nobody's code, or not that of this page or person.
    Nobodys,
    /// Too many codes of nobody came in there lately; this one was not looked at.
    TooMany,
    /// Questions are not answered by code here.
    NoCodes,
}

/// Lets a code decide.
///
/// # Errors
/// When the record cannot be read or written.
pub(crate) async fn answer(daemon: &Arc<Daemon>, typed: Typed) -> Result<Answered, StoreError> {
    let (live, now) = (daemon.live(), daemon.clock.now());
    if live.approvals().is_none() {
        return Ok(Answered::NoCodes);
    }
    // A page counts the guesses at its own code, and nobody guesses a page.
    let counted_for = match &typed.door {
        Door::Command => Some("command".to_owned()),
        Door::Page { .. } => None,
        Door::Text { people } => Some(format!("text {}", people.first().map_or("", Name::as_str))),
    };
    if counted_for.as_ref().is_some_and(|door| !daemon.hears(door, now)) {
        return Ok(Answered::TooMany);
    }
    let answered = daemon.store.write(move |conn| decide(conn, &live, &typed, now)).await?;
    match &answered {
        Answered::Nobodys => counted_for.into_iter().for_each(|door| daemon.heard_a_guess(door, now)),
        Answered::Agreed(_) => daemon.bells.ring(Round::Renew),
        Answered::Declined(attempt) => {
            daemon.hurry(attempt.card);
            daemon.bells.ring(Round::Settle);
        }
        Answered::Dead(..) | Answered::TooMany | Answered::NoCodes => {}
    }
    Ok(answered)
}

fn decide(conn: &Connection, live: &Live, typed: &Typed, now: UnixTime) -> Result<Answered, StoreError> {
    let Some(approvals) = live.approvals() else { return Ok(Answered::NoCodes) };
    let Some(code) = found(conn, approvals, typed)? else { return Ok(Answered::Nobodys) };
    let Some(attempt) = attempts::by_id(conn, code.attempt)? else { return Ok(Answered::Nobodys) };
    // The file may say since the code was sent that its person only watches.
    let card = cards::by_id(conn, attempt.card)?;
    if card.is_some_and(|card| live.watchers_of(&card).contains(&code.person)) {
        return Ok(Answered::Nobodys);
    }
    let standing = code.standing(&attempt, now);
    if standing != Standing::Holds {
        return Ok(Answered::Dead(standing, Box::new(attempt)));
    }
    approvals::used(conn, &code, now)?;
    let by = code.person.to_string();
    if typed.yes {
        return Ok(Answered::Agreed(Box::new(purchases::agree(conn, &attempt, &by, now)?)));
    }
    note(conn, now, &by, "refuse", Some(attempt.card), Some(attempt.id), Some(&typed.reason))?;
    let refused = Event::Decided { by, decision: Decision::Abandon, reason: typed.reason.clone() };
    advance(conn, live, &attempt, refused, now)?;
    Ok(attempts::by_id(conn, attempt.id)?.map_or(Answered::Nobodys, |attempt| Answered::Declined(Box::new(attempt))))
}

/// The code that was typed, if this is its door. On a page something else counts as a guess at the page's code.
fn found(conn: &Connection, live: &Approvals, typed: &Typed) -> Result<Option<AskedCode>, StoreError> {
    let code = Code::parse(&typed.code);
    match &typed.door {
        Door::Page { word } => {
            let Some(asked) = approvals::by_page(conn, &live.of_page(word))? else { return Ok(None) };
            // What is of no use any more says so, whatever was typed.
            if code.as_ref().is_some_and(|code| live.is_code(&asked, code)) {
                return Ok(Some(asked));
            }
            approvals::guessed(conn, &asked)?;
            Ok(None)
        }
        Door::Command | Door::Text { .. } => {
            let Some(code) = code else { return Ok(None) };
            let asked = approvals::by_code(conn, &live.of_code(&code))?;
            Ok(asked.filter(|asked| live.is_code(asked, &code) && is_theirs(&typed.door, asked)))
        }
    }
}

fn is_theirs(door: &Door, asked: &AskedCode) -> bool {
    match door {
        Door::Command | Door::Page { .. } => true,
        Door::Text { people } => people.contains(&asked.person),
    }
}

/// An answer that was typed as a command.
pub(super) async fn by_command(
    daemon: &Arc<Daemon>,
    code: String,
    yes: bool,
    reason: String,
) -> Result<Reply, StoreError> {
    let answered = answer(daemon, Typed { code, yes, reason, door: Door::Command }).await?;
    let said = said(&answered);
    Ok(match answered {
        Answered::Agreed(attempt) | Answered::Declined(attempt) => {
            Reply::Done { said, attempt: Some(attempt.id.0), notices: Vec::new() }
        }
        Answered::Dead(..) | Answered::TooMany => refused(Refusal::NotNow, said),
        Answered::Nobodys => refused(Refusal::NotFound, said),
        Answered::NoCodes => refused(Refusal::Wrong, said),
    })
}

/// What an answer came to, for who typed a command.
fn said(answered: &Answered) -> String {
    match answered {
        Answered::Agreed(attempt) => purchases::agreed(attempt),
        Answered::Declined(attempt) => format!("{} for {} is not bought", attempt.plan.name, attempt.plan.price),
        Answered::Dead(standing, attempt) => dead(*standing, attempt),
        Answered::Nobodys => "this is no code that anybody was sent; please compare it with the message".to_owned(),
        Answered::TooMany => {
            "too many wrong codes were typed; please wait an hour, or use the number of the purchase".to_owned()
        }
        Answered::NoCodes => {
            "questions are not answered by code here; simkeeper.toml has no [approval], the number of the purchase serves"
                .to_owned()
        }
    }
}

fn dead(standing: Standing, attempt: &Attempt) -> String {
    let (id, state) = (attempt.id.0, attempt.state.name());
    let decided = match &attempt.approval {
        Approval::Given { by, at } => format!("{by} agreed at {at}"),
        Approval::Asked { .. } | Approval::NotNeeded => "it was decided already".to_owned(),
    };
    match standing {
        Standing::Holds => String::new(),
        Standing::Used { at } => format!("this code was used at {at}: {decided}, and attempt {id} is {state}"),
        Standing::Decided => format!("nothing is left to decide: {decided}, and attempt {id} is {state}"),
        Standing::Replaced => "a newer code was sent for this purchase; please use that one".to_owned(),
        Standing::GuessedAt => "this code is of no use any more: something else was typed too often".to_owned(),
        Standing::Over => "the time of this code is over; the next reminder brings a new one".to_owned(),
        Standing::Moved => "plan or price changed after this code was sent; you are asked anew".to_owned(),
    }
}
