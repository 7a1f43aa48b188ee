//! Text messages: whatever is told, it is one part, one line, and says something.

use simkeeper::notify::sms::{Encoding, parts};
use simkeeper::notify::text_message;

use super::bytes::Bytes;
use super::stories::{recipient, story};

pub(crate) fn check(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (story, recipient) = (story(&mut bytes), recipient(&mut bytes));
    let finished = text_message(&story, &recipient);
    let text = std::str::from_utf8(&finished.bytes).expect("UTF-8");
    assert_eq!(parts(text).1, 1, "{text:?}");
    assert!(!text.trim().is_empty() && !text.chars().any(char::is_control), "{text:?}");
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.chars().any(turns), "{text:?}");
    assert!(!text.contains("http://") || String::from_utf8_lossy(data).contains("http://"), "no links: {text:?}");
    counts(&String::from_utf8_lossy(data));
}

/// More text is never fewer parts, and a part holds what the standard says.
fn counts(text: &str) {
    let (encoding, count) = parts(text);
    let units: usize = text.chars().map(char::len_utf16).sum();
    let least = if units <= encoding.alone() { 1 } else { units.div_ceil(encoding.per_part()) };
    assert!(count >= least, "{units} places of {encoding:?} in {count} parts");
    assert!(encoding == Encoding::Gsm7 || count <= 2 * least, "{units} places of {encoding:?} in {count} parts");
}
