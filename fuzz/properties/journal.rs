//! The order journal: what was written comes back, damage is found, and no line is ever read as another.

use simkeeper::domain::attempt::AttemptId;
use simkeeper::domain::card::{CardId, Name};
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::operator::OrderKey;
use simkeeper::domain::time::UnixTime;
use simkeeper::store::journal::{JournalLine, parse, text_of};

use super::bytes::Bytes;

pub(crate) fn check(data: &[u8]) {
    any_bytes(data);
    let mut bytes = Bytes(data);
    let lines: Vec<JournalLine> = (0..=bytes.byte() % 3).map(|place| line(&mut bytes, u64::from(place) + 1)).collect();
    what_was_written_comes_back(&lines);
    damage_is_never_another_line(&lines, &mut bytes);
}

/// Whatever a file holds: its whole lines say the same when they are written again, and lie before a broken tail.
fn any_bytes(data: &[u8]) {
    let (contents, whole_bytes) = parse(data);
    assert!(whole_bytes <= data.len() as u64);
    let (before, behind) = data.split_at(usize::try_from(whole_bytes).unwrap());
    assert_eq!(parse(before).0.lines, contents.lines, "nothing behind the last whole line counts");
    assert_eq!(contents.tail_broken, !behind.is_empty());
    for line in &contents.lines {
        let text = text_of(line).unwrap();
        assert_eq!(parse(text.as_bytes()).0.lines, std::slice::from_ref(line));
    }
}

fn what_was_written_comes_back(lines: &[JournalLine]) {
    let (contents, whole_bytes) = parse(written(lines).as_bytes());
    assert_eq!(contents.lines, lines);
    assert!(!contents.tail_broken && !contents.broken_inside);
    assert_eq!(whole_bytes, written(lines).len() as u64);
}

/// One byte changed, or bytes lost from some place on: the lines that are still read are among those written, and if
/// one is missing the file says so.
fn damage_is_never_another_line(lines: &[JournalLine], bytes: &mut Bytes<'_>) {
    let mut damaged = written(lines).into_bytes();
    let place = bytes.number().unsigned_abs() % damaged.len() as u64;
    let place = usize::try_from(place).unwrap();
    if bytes.bit() {
        damaged.truncate(place);
    } else {
        damaged[place] ^= bytes.byte().max(1);
    }
    let (contents, _) = parse(&damaged);
    assert!(contents.lines.iter().all(|line| lines.contains(line)), "a line that nobody wrote");
    // A cut at the end of a line leaves whole lines, as a crash before the next one would.
    let cut_between =
        written(lines).as_bytes().starts_with(&damaged) && damaged.last().is_none_or(|byte| *byte == b'\n');
    let all_there = contents.lines == lines;
    assert!(contents.tail_broken || contents.broken_inside || cut_between || all_there, "damage is not told");
}

fn written(lines: &[JournalLine]) -> String {
    lines.iter().map(|line| text_of(line).unwrap()).collect()
}

fn line(bytes: &mut Bytes<'_>, sequence: u64) -> JournalLine {
    let name = |text: String| Name::parse(&text).unwrap_or_else(|_| Name::parse("canada").unwrap());
    JournalLine {
        sequence,
        attempt: AttemptId(bytes.number()),
        card: CardId(bytes.number()),
        card_name: name(bytes.text()),
        account: name(bytes.text()),
        key: OrderKey::new(u128::from(bytes.number().unsigned_abs())),
        plan_id: bytes.text(),
        price: Money::new(bytes.number(), bytes.one_of(&[Currency::USD, Currency::EUR])),
        at: UnixTime::clamped(bytes.number()),
    }
}
