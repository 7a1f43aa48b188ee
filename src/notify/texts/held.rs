//! `held`: what waited for the end of quiet hours, in one message.

use super::voice::{Voice, cut};
use super::{Letter, Need};
use crate::domain::notice::HeldMessage;
use crate::domain::time::UnixTime;

/// As much of a subject as a mail shows; none of ours is longer.
const SUBJECT_ROOM: usize = 80;

pub(super) fn letter(voice: &Voice, messages: &[HeldMessage], now: UnixTime) -> Letter {
    let (count, subject) = (messages.len(), first(messages, SUBJECT_ROOM));
    let mut letter = Letter::new(
        Need::Look,
        say!(voice, "{count} messages waited", "{count} 条消息已合并"),
        say!(voice, "{count} messages were gathered; first: {subject}", "已合并 {count} 条消息，首先：{subject}"),
    );
    for message in messages {
        letter.row(voice.short_time(message.at, now), cut(&message.subject, SUBJECT_ROOM));
    }
    letter.next(say!(
        voice,
        "Each is enclosed as it would have been sent. What has become untrue since is left out.",
        "每条消息均按原样附上；其间已不成立的已省去。"
    ));
    letter
}

pub(super) fn short(voice: &Voice, messages: &[HeldMessage], room: usize) -> String {
    let (count, subject) = (messages.len(), first(messages, room));
    say!(voice, "simkeeper: {count} messages waited. {subject}", "simkeeper：静默期间有{count}条消息。{subject}")
}

fn first(messages: &[HeldMessage], room: usize) -> String {
    messages.first().map_or_else(String::new, |message| cut(&message.subject, room))
}
