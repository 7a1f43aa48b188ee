//! What a letter says beside its story when it was told before.

use super::voice::{Voice, cut};
use super::{Letter, quoted};
use crate::domain::notice::{CardFacts, Retold, RetoldWhy};

/// As much of a person's name as a sentence shows.
const NAME_ROOM: usize = 40;

/// Says in the subject and in the first line that this was told before, and how to end it.
pub(super) fn mark(letter: &mut Letter, voice: &Voice, card: Option<&CardFacts>, retold: &Retold) {
    let (what, first, at) = (&letter.what, &letter.first, voice.time(retold.first));
    letter.first = match &retold.why {
        RetoldWhy::StillSo => {
            say!(voice, "Told first on {at}, and still so: {first}", "首次通知于 {at}，至今未变：{first}")
        }
        RetoldWhy::NoReaction(person) => {
            let person = cut(person.as_str(), NAME_ROOM);
            say!(
                voice,
                "{person} was told on {at} and has not reacted: {first}",
                "{person} 于 {at} 收到通知，尚未回应：{first}"
            )
        }
        RetoldWhy::Unreached(person) => {
            let person = cut(person.as_str(), NAME_ROOM);
            say!(voice, "{person} could not be reached on {at}: {first}", "{at} 未能通知到 {person}：{first}")
        }
    };
    letter.what = say!(voice, "again: {what}", "再次提醒：{what}");
    if let Some(card) = card {
        letter.command(
            say!(voice, "If you take care of it, and nobody is to be told again", "如果由您处理，不再提醒任何人"),
            format!("simkeeper notice acknowledge --card {}", quoted(card.name.as_str())),
        );
    }
}
