//! `held`: what waited for the end of quiet hours, in one message.

use super::voice::{Voice, cut};
use super::{Letter, Need};
use crate::domain::notice::HeldMessage;
use crate::domain::time::UnixTime;

/// As much of a subject as a mail shows; none of ours is longer.
const SUBJECT_ROOM: usize = 80;

pub(super) fn letter(voice: &Voice, messages: &[HeldMessage], now: UnixTime) -> Letter {
    let (count, subject) = (messages.len(), first(messages, SUBJECT_ROOM));
    let mut letter =
        Letter::new(Need::Look, say!(voice, "gathered-subject", count), say!(voice, "gathered-first", count, subject));
    for message in messages {
        letter.row(voice.short_time(message.at, now), cut(&message.subject, SUBJECT_ROOM));
    }
    letter.next(say!(voice, "gathered-enclosed"));
    letter
}

pub(super) fn short(voice: &Voice, messages: &[HeldMessage], room: usize) -> String {
    let (count, subject) = (messages.len(), first(messages, room));
    say!(voice, "gathered-short", count, subject)
}

fn first(messages: &[HeldMessage], room: usize) -> String {
    messages.first().map_or_else(String::new, |message| cut(&message.subject, room))
}
