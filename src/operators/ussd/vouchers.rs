//! Vouchers: lists that people write, and the book of those that were sent.
//!
//! A voucher is money that was paid before, and it must go to one order only. Three things see to that:
//! - The order names its voucher before anything is sent: its fingerprint is among the bytes that the record holds, and
//!   one process never names a voucher to two orders at a time.
//! - Just before a voucher is sent, a line about it is written into the book, on disk, under a lock that other processes
//!   honour. Without that line nothing is sent; with it the voucher is never named or sent again, whatever became of the
//!   order: unknown, refused, taken, or ended by a crash between the line and the answer.
//! - Only if the call was certainly turned away on this machine, a second line gives the voucher free.
//!
//! So a crash before the line leaves a voucher that was never sent, and a crash behind it one that is never sent again.
//! A person who knows better removes the line. The book holds fingerprints and last digits, never a whole code.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::setup::VoucherList;
use crate::domain::identity::masked;
use crate::domain::operator::OrderKey;

/// A list or a book longer than this is a wrong file.
const FILE_MAX_BYTES: u64 = 4 << 20;
/// Digits that a voucher may have.
const DIGITS: std::ops::RangeInclusive<usize> = 6..=24;

/// One voucher of a list.
pub(super) struct Voucher {
    /// Its digits.
    pub(super) code: SecretString,
    /// What names it in the record and in the book.
    pub(super) fingerprint: String,
}

impl Voucher {
    fn new(digits: String) -> Self {
        let hash = Sha256::digest(digits.as_bytes());
        let fingerprint = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { code: digits.into(), fingerprint }
    }
}

/// The vouchers of a list, in its order. Lines that are empty or begin with `#` are left out, blanks and hyphens inside a
/// code dropped.
pub(super) fn listed(list: &VoucherList) -> Result<Vec<Voucher>, String> {
    let path = list.path.display();
    let text = read_guarded(&list.path, list.guarded)?;
    let mut vouchers: Vec<Voucher> = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
        let digits: String = line.chars().filter(|c| !matches!(c, ' ' | '-' | '\t')).collect();
        if !DIGITS.contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("line {} of {path} is no voucher; each line has one code of 6 to 24 digits", at + 1));
        }
        let voucher = Voucher::new(digits);
        if vouchers.iter().any(|known| known.fingerprint == voucher.fingerprint) {
            return Err(format!("line {} of {path} repeats a voucher; remove it", at + 1));
        }
        vouchers.push(voucher);
    }
    Ok(vouchers)
}

fn read_guarded(path: &Path, guarded: bool) -> Result<String, String> {
    let shown = path.display();
    // Without NONBLOCK a named pipe would hold us until somebody writes to it.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(|why| match why.kind() {
        ErrorKind::NotFound => format!("{shown} does not exist; write one voucher a line into it, with mode 600"),
        _ => format!("{shown} cannot be read: {why}"),
    })?;
    let about = file.metadata().map_err(|why| format!("{shown} cannot be read: {why}"))?;
    if !about.is_file() {
        return Err(format!("{shown} is not a file"));
    }
    let mode = about.permissions().mode() & 0o7777;
    if guarded && mode & 0o177 != 0 {
        return Err(format!("others can read {shown} (mode {mode:04o}); chmod 600 {shown}"));
    }
    content(file).map_err(|why| format!("{shown} cannot be read: {why}"))
}

fn content(file: impl Read) -> Result<String, String> {
    let mut text = String::new();
    file.take(FILE_MAX_BYTES + 1).read_to_string(&mut text).map_err(|why| why.to_string())?;
    if text.len() as u64 > FILE_MAX_BYTES { Err("it is larger than 4 MiB".into()) } else { Ok(text) }
}

/// What came of marking a voucher.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Marked {
    /// The line is on disk; the voucher may be sent.
    Now,
    /// It was sent before, by the order of this key.
    Before(String),
}

/// The book of vouchers that were sent.
#[derive(Clone, Debug)]
pub(super) struct Book {
    path: PathBuf,
}

/// Who sent what: fingerprints, and the keys of the orders.
pub(super) type Sent = BTreeMap<String, String>;

impl Book {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The vouchers that were sent.
    pub(super) fn sent(&self) -> Result<Sent, String> {
        match File::open(&self.path) {
            Ok(file) => content(file).and_then(|text| entries(&text)).map_err(|why| self.damaged(&why)),
            Err(why) if why.kind() == ErrorKind::NotFound => Ok(Sent::new()),
            Err(why) => Err(self.damaged(&why.to_string())),
        }
    }

    /// Writes down that a voucher is about to be sent, so that it is on disk when this returns.
    pub(super) fn mark(&self, voucher: &Voucher, key: &OrderKey) -> Result<Marked, String> {
        let digits = voucher.code.expose_secret();
        let line = format!("sent {} {} {}\n", voucher.fingerprint, key.as_str(), masked(digits));
        self.write(&line, |sent| match sent.get(&voucher.fingerprint) {
            Some(other) => Marked::Before(other.clone()),
            None => Marked::Now,
        })
    }

    /// Gives a voucher free whose call was turned away.
    pub(super) fn free(&self, fingerprint: &str, key: &OrderKey) -> Result<(), String> {
        self.write(&format!("free {fingerprint} {}\n", key.as_str()), |_| Marked::Now).map(drop)
    }

    /// Appends a line, if `allowed` by what is there.
    fn write(&self, line: &str, allowed: impl FnOnce(&Sent) -> Marked) -> Result<Marked, String> {
        self.try_write(line, allowed).map_err(|why| self.damaged(&why))
    }

    fn try_write(&self, line: &str, allowed: impl FnOnce(&Sent) -> Marked) -> Result<Marked, String> {
        let told = |error: std::io::Error| error.to_string();
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).mode(0o600).open(&self.path).map_err(told)?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive).map_err(|error| error.to_string())?;
        let text = content(&file)?;
        let marked = allowed(&entries(&text)?);
        if marked != Marked::Now {
            return Ok(marked);
        }
        // A line without its end was never confirmed, so that nothing was sent after it.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(told)?;
            file.seek(SeekFrom::End(0)).map_err(told)?;
        }
        file.write_all(line.as_bytes()).map_err(told)?;
        file.sync_all().map_err(told)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(told)?;
        Ok(marked)
    }

    fn damaged(&self, why: &str) -> String {
        format!("the book of vouchers that were sent, {}, cannot be used: {why}", self.path.display())
    }
}

/// The lines of the book, the later ones over the earlier. Any line that is not understood stops every top-up: behind it
/// may stand a voucher that was sent.
fn entries(text: &str) -> Result<Sent, String> {
    let mut sent = Sent::new();
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let Some(line) = line.strip_suffix('\n') else { break };
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["sent", fingerprint, key, _] if is_fingerprint(fingerprint) => {
                sent.insert((*fingerprint).to_owned(), (*key).to_owned());
            }
            ["free", fingerprint, key] if is_fingerprint(fingerprint) => {
                if sent.get(*fingerprint).is_some_and(|sender| sender == key) {
                    sent.remove(*fingerprint);
                }
            }
            _ => return Err(format!("its line {} is damaged", at + 1)),
        }
    }
    Ok(sent)
}

fn is_fingerprint(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u128) -> OrderKey {
        OrderKey::new(number)
    }

    #[test]
    fn a_voucher_that_was_sent_stays_sent_and_a_torn_line_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("used");
        let (first, second) = (Voucher::new("1111222233334444".into()), Voucher::new("5555666677778888".into()));
        let book = Book::new(path.clone());
        assert!(book.sent().unwrap().is_empty());
        assert_eq!(book.mark(&first, &key(1)), Ok(Marked::Now));
        assert_eq!(book.mark(&first, &key(2)), Ok(Marked::Before(key(1).as_str().into())));
        assert_eq!(book.mark(&first, &key(1)), Ok(Marked::Before(key(1).as_str().into())));
        // Power fails in the middle of a line: the voucher of that line was not sent.
        let torn = format!("{}sent {}", std::fs::read_to_string(&path).unwrap(), &second.fingerprint[..20]);
        std::fs::write(&path, torn).unwrap();
        let book = Book::new(path.clone());
        assert_eq!(book.sent().unwrap().len(), 1);
        assert_eq!(book.mark(&second, &key(3)), Ok(Marked::Now));
        assert_eq!(book.sent().unwrap().len(), 2);
        // Only the order that sent it can give it free.
        book.free(&second.fingerprint, &key(4)).unwrap();
        assert_eq!(book.sent().unwrap().len(), 2);
        book.free(&second.fingerprint, &key(3)).unwrap();
        assert_eq!(book.mark(&second, &key(5)), Ok(Marked::Now));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("1111222233334444") && !text.contains("5555666677778888"), "{text}");
        std::fs::write(&path, format!("{text}what is this\n")).unwrap();
        assert!(book.sent().is_err() && book.mark(&first, &key(6)).is_err());
    }

    #[test]
    fn lists_say_what_is_wrong_and_never_a_code() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        let money = crate::domain::money::Money::parse("10 EUR").unwrap();
        let list = VoucherList { worth: money, price: money, path: path.clone(), guarded: true };
        let with = |text: &str, mode: u32| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            listed(&list).map(|vouchers| vouchers.len())
        };
        assert!(listed(&list).is_err_and(|why| why.contains("does not exist")));
        assert_eq!(with("# bought in May\n1111 2222 3333 4444\n\n5555-6666-7777\n", 0o600), Ok(2));
        assert_eq!(with("", 0o400), Ok(0));
        for (text, mode, told) in [
            ("1111222233334444\n", 0o640, "chmod 600"),
            ("1111222233334444\n1111 2222 3333 4444\n", 0o600, "line 2"),
            ("12345\n", 0o600, "line 1"),
            ("*101*1111222233334444#\n", 0o600, "line 1"),
        ] {
            let why = with(text, mode).unwrap_err();
            assert!(why.contains(told) && !why.contains("2222"), "{why}");
        }
    }
}
