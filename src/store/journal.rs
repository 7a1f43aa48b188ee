//! `orders.journal`: one line for every order, written and synced after its intent is committed and before its first
//! byte leaves. It lies outside the database and is never restored with it, so a line that the database does not know
//! means that the database is older than the world.
//!
//! A line is a JSON object, a space, and the CRC-32 of the object's bytes in eight hexadecimal digits.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::crash;
use super::error::StoreError;
use crate::domain::attempt::AttemptId;
use crate::domain::card::{CardId, Name};
use crate::domain::money::Money;
use crate::domain::operator::OrderKey;
use crate::domain::time::UnixTime;

/// The journal's name in the record's folder.
pub const JOURNAL: &str = "orders.journal";

/// One order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalLine {
    /// Counts the lines, from 1.
    pub sequence: u64,
    /// The attempt.
    pub attempt: AttemptId,
    /// The card.
    pub card: CardId,
    /// Its name: rows of a record that was lost are given anew, names are the owner's.
    pub card_name: Name,
    /// The account that buys.
    pub account: Name,
    /// The order's key.
    pub key: OrderKey,
    /// The plan's id.
    pub plan_id: String,
    /// What will be charged.
    pub price: Money,
    /// When.
    pub at: UnixTime,
}

/// What a journal holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalContents {
    /// The lines that are whole, in their order; a line that is there twice counts once.
    pub lines: Vec<JournalLine>,
    /// The last line is not whole: its order never left, since the line was not synced.
    pub tail_broken: bool,
    /// A line before the last is not whole, or the lines' numbers do not follow each other: the file is damaged, and
    /// nothing may be bought until a person has looked.
    pub broken_inside: bool,
}

/// The journal, open for adding lines.
#[derive(Debug)]
pub struct OrderJournal {
    file: File,
    path: PathBuf,
    /// Bytes that are whole lines; whatever lies behind them is cut off before the next line.
    whole_bytes: u64,
    next_sequence: u64,
    /// Why this process may not write it any more.
    broken: Option<StoreError>,
}

/// A line as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    sequence: u64,
    attempt: i64,
    card: i64,
    name: String,
    account: String,
    key: OrderKey,
    plan: String,
    price: Money,
    at: UnixTime,
}

impl OrderJournal {
    /// Opens the journal, or makes it. What is left of a line that was being written is cut off.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let told = |error: io::Error| StoreError::file("opening", path, &error);
        let is_new = !path.exists();
        let open = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        let file = open.map_err(told)?;
        if is_new {
            file.sync_all().and_then(|()| sync_dir_of(path)).map_err(told)?;
        }
        let (contents, whole_bytes) = parse(&fs::read(path).map_err(told)?);
        let next_sequence = contents.lines.iter().map(|line| line.sequence).max().unwrap_or(0) + 1;
        let journal = Self { file, path: path.to_owned(), whole_bytes, next_sequence, broken: None };
        if contents.tail_broken {
            journal.cut().map_err(told)?;
        }
        Ok(journal)
    }

    /// The number of the next line.
    #[must_use]
    pub const fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Adds a line, and returns once it is on disk. If this fails, nothing may be sent.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] where there was no room for the line; [`StoreError::Broken`] for anything else: the
    /// system may have dropped what it could not write, and a second sync would not notice.
    pub fn append(&mut self, line: &JournalLine) -> Result<(), StoreError> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let text = text_of(line)?;
        let written = self.cut().and_then(|()| self.in_its_place()).and_then(|()| self.file.write_all(text.as_bytes()));
        crash::point("in_journal");
        let failed = match written {
            Ok(()) => self.file.sync_data().err().map(|error| self.breaks(&error)),
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Some(StoreError::DiskFull),
            Err(error) => Some(self.breaks(&error)),
        };
        if let Some(error) = failed {
            // If this fails too, the next line is preceded by another try, or the next start makes one. After an error of
            // the disk nothing is synced again, not even this.
            let cut = if error.is_fatal() { self.file.set_len(self.whole_bytes) } else { self.cut() };
            drop(cut);
            return Err(error);
        }
        self.whole_bytes += text.len() as u64;
        self.next_sequence = self.next_sequence.max(line.sequence + 1);
        Ok(())
    }

    fn breaks(&mut self, error: &io::Error) -> StoreError {
        let broken = StoreError::Broken { why: format!("writing {}: {error}", self.path.display()) };
        self.broken = Some(broken.clone());
        broken
    }

    /// A line in a file that was removed or replaced meanwhile would be in no journal.
    fn in_its_place(&self) -> io::Result<()> {
        let (open, named) = (self.file.metadata()?, fs::metadata(&self.path)?);
        if (open.dev(), open.ino()) == (named.dev(), named.ino()) {
            return Ok(());
        }
        Err(io::Error::other("another file has taken its place"))
    }

    /// Cuts off what is no whole line, and syncs that: the rest of a line that came back beneath the next one would look
    /// like damage inside.
    fn cut(&self) -> io::Result<()> {
        if self.file.metadata()?.len() <= self.whole_bytes {
            return Ok(());
        }
        self.file.set_len(self.whole_bytes)?;
        self.file.sync_all()
    }
}

/// Gives the journal another name, durably.
///
/// # Errors
/// What the system says.
pub fn set_aside(path: &Path, aside: &Path) -> Result<(), StoreError> {
    let renamed = fs::rename(path, aside).and_then(|()| sync_dir_of(aside));
    renamed.map_err(|error| StoreError::file("renaming", path, &error))
}

/// Reads a journal; a missing one is empty.
///
/// # Errors
/// What the system says.
pub fn read(path: &Path) -> Result<JournalContents, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(parse(&bytes).0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(JournalContents::default()),
        Err(error) => Err(StoreError::file("reading", path, &error)),
    }
}

/// What the bytes of a journal hold, and how many of them come before a broken tail.
#[must_use]
pub fn parse(bytes: &[u8]) -> (JournalContents, u64) {
    let mut contents = JournalContents::default();
    let mut whole_bytes = 0;
    let mut read = 0;
    for part in bytes.split_inclusive(|byte| *byte == b'\n') {
        // A part before this one that was not whole is not the tail.
        contents.broken_inside |= std::mem::take(&mut contents.tail_broken);
        read += part.len() as u64;
        match part.strip_suffix(b"\n").and_then(line_of) {
            Some(line) => {
                if contents.lines.last() != Some(&line) {
                    // A number that does not follow says that lines were taken out, or put in.
                    let before = contents.lines.last().map_or(0, |line| line.sequence);
                    contents.broken_inside |= line.sequence != before.saturating_add(1);
                    contents.lines.push(line);
                }
                whole_bytes = read;
            }
            None => contents.tail_broken = true,
        }
    }
    (contents, whole_bytes)
}

fn line_of(bytes: &[u8]) -> Option<JournalLine> {
    let (json, sum) = std::str::from_utf8(bytes).ok()?.rsplit_once(' ')?;
    if sum.len() != 8 || u32::from_str_radix(sum, 16).ok()? != crc32fast::hash(json.as_bytes()) {
        return None;
    }
    let written: Written = serde_json::from_str(json).ok()?;
    Some(JournalLine {
        sequence: written.sequence,
        attempt: AttemptId(written.attempt),
        card: CardId(written.card),
        card_name: Name::parse(&written.name).ok()?,
        account: Name::parse(&written.account).ok()?,
        key: OrderKey::stored(written.key.as_str())?,
        plan_id: written.plan,
        price: written.price,
        at: written.at,
    })
}

/// A line as it stands in the file, with its end.
///
/// # Errors
/// It cannot be put into words; nothing of a line is so.
pub fn text_of(line: &JournalLine) -> Result<String, StoreError> {
    let json = super::fields::to_json(&Written {
        sequence: line.sequence,
        attempt: line.attempt.0,
        card: line.card.0,
        name: line.card_name.to_string(),
        account: line.account.to_string(),
        key: line.key.clone(),
        plan: line.plan_id.clone(),
        price: line.price,
        at: line.at,
    })?;
    Ok(format!("{json} {:08x}\n", crc32fast::hash(json.as_bytes())))
}

/// Makes the entries of a file's folder durable: a new name, a new place.
pub(crate) fn sync_dir_of(path: &Path) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{NOW, name};
    use super::*;
    use crate::domain::money::Currency;

    fn line(sequence: u64) -> JournalLine {
        JournalLine {
            sequence,
            attempt: AttemptId(7),
            card: CardId(3),
            card_name: Name::parse("canada").unwrap(),
            account: name("my airalo"),
            key: OrderKey::new(u128::from(sequence)),
            plan_id: "canada 7 days\n\"3gb\"".into(),
            price: Money::new(45_125, Currency::USD),
            at: NOW,
        }
    }

    fn journal_of(lines: u64) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(JOURNAL);
        let mut journal = OrderJournal::open(&path).unwrap();
        for _ in 0..lines {
            journal.append(&line(journal.next_sequence())).unwrap();
        }
        (dir, path)
    }

    #[test]
    fn lines_come_back_and_numbers_go_on() {
        let (_dir, path) = journal_of(3);
        let contents = read(&path).unwrap();
        assert_eq!(contents.lines, [line(1), line(2), line(3)]);
        assert!(!contents.tail_broken && !contents.broken_inside);
        assert_eq!(OrderJournal::open(&path).unwrap().next_sequence(), 4);
        assert_eq!(read(Path::new("/nowhere/orders.journal")).unwrap(), JournalContents::default());
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_torn_tail_is_left_out_and_cut_off() {
        let (_dir, path) = journal_of(2);
        let whole = fs::read(&path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for cut in first + 1..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let contents = read(&path).unwrap();
            assert_eq!(contents.lines, [line(1)], "{cut}");
            assert!(contents.tail_broken && !contents.broken_inside, "{cut}");
            OrderJournal::open(&path).unwrap().append(&line(2)).unwrap();
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn damage_inside_is_reported() {
        let (_dir, path) = journal_of(3);
        let mut bytes = fs::read(&path).unwrap();
        bytes[5] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let contents = read(&path).unwrap();
        assert_eq!(contents.lines, [line(2), line(3)]);
        assert!(contents.broken_inside && !contents.tail_broken);
        // Opening it does not cut what lies behind the damage.
        OrderJournal::open(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn a_journal_that_was_removed_or_replaced_takes_no_more_lines() {
        for replaced in [false, true] {
            let (_dir, path) = journal_of(1);
            let mut journal = OrderJournal::open(&path).unwrap();
            fs::remove_file(&path).unwrap();
            if replaced {
                fs::write(&path, "").unwrap();
            }
            let error = journal.append(&line(2)).unwrap_err();
            assert!(error.is_fatal(), "{error}");
            // Not even when the file is back: what this process has written is not to be relied on.
            drop(OrderJournal::open(&path).unwrap());
            assert_eq!(journal.append(&line(2)), Err(error));
        }
    }

    #[test]
    fn lines_that_were_taken_out_or_put_in_are_reported() {
        let (_dir, path) = journal_of(3);
        let whole = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        for (odd, wrong) in
            [([0, 2, 2], true), ([1, 2, 2], true), ([0, 2, 1], true), ([0, 1, 2], false), ([0, 0, 1], false)]
        {
            fs::write(&path, odd.map(|place| lines[place]).concat()).unwrap();
            assert_eq!(read(&path).unwrap().broken_inside, wrong, "{odd:?}");
        }
    }

    #[test]
    fn a_line_that_is_there_twice_counts_once() {
        let (_dir, path) = journal_of(1);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, [bytes.clone(), bytes].concat()).unwrap();
        let contents = read(&path).unwrap();
        assert_eq!(contents.lines, [line(1)]);
        assert!(!contents.broken_inside);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let (contents, whole_bytes) = parse(&bytes);
            prop_assert!(contents.lines.is_empty() && whole_bytes == 0);
        }
    }
}
