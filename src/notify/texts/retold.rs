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
        RetoldWhy::StillSo => say!(voice, "retold-still-so", at, first),
        RetoldWhy::NoReaction(person) => {
            say!(voice, "retold-no-reaction", person = cut(person.as_str(), NAME_ROOM), at, first)
        }
        RetoldWhy::Unreached(person) => {
            say!(voice, "retold-unreached", person = cut(person.as_str(), NAME_ROOM), at, first)
        }
    };
    letter.what = say!(voice, "retold-subject", what);
    if let Some(card) = card {
        letter.command(
            say!(voice, "command-acknowledge"),
            format!("simkeeper notice acknowledge --card {}", quoted(card.name.as_str())),
        );
    }
}
