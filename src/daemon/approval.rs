//! Answering questions by code: what each asked person is sent, and what a typed code decides. The code itself is in the
//! person's message and in nobody's record: what is kept are digests under a key that lies beside the record, not in it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::clock;
use super::live::Surroundings;
use super::open::secret;
use crate::config::ApprovalConfig;
use crate::domain::approval::{AskedCode, CODE_LIVES, Code, Ticket};
use crate::domain::attempt::Attempt;
use crate::domain::card::Name;
use crate::domain::time::UnixTime;
use crate::store::approvals::{self, Digests};
use crate::store::journal::sync_dir_of;
use crate::store::{Connection, StoreError};

/// The key's file in the folder of the record. Without it every code that is out is of no use, and nothing else is lost.
const KEY_FILE: &str = "approval.key";
const KEY_BYTES: usize = 32;

/// Codes at work.
pub struct Approvals {
    key: [u8; KEY_BYTES],
    page: Option<String>,
    texts: Option<SecretString>,
    /// Where the door for gateways is, as they see it.
    door: Option<String>,
}

impl Approvals {
    /// Reads the key, or makes one.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub(super) fn open(config: &ApprovalConfig, around: &Surroundings) -> anyhow::Result<Self> {
        let path = around.state.join(KEY_FILE);
        let key = key(&path).with_context(|| format!("the key of approval codes, {}", path.display()))?;
        let page = config.url.as_ref().map(|url| format!("{}/a/", url.as_str().trim_end_matches('/')));
        let texts = config.texts.as_ref().map(|texts| secret(texts, around)).transpose()?;
        if texts.as_ref().is_some_and(|word| !is_fit(word.expose_secret())) {
            anyhow::bail!(
                "[approval] texts: the secret word is 16 to 128 letters and digits; make one with: openssl rand -hex 16"
            );
        }
        let here = config.listen.map(|listen| format!("http://{listen}"));
        let door = config.url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned()).or(here);
        Ok(Self { key, page, texts, door })
    }

    /// The digest of a code.
    #[must_use]
    pub fn of_code(&self, code: &Code) -> String {
        hex(&self.mac("code", code.signs()).finalize().into_bytes())
    }

    /// The digest of a page's word.
    #[must_use]
    pub fn of_page(&self, word: &str) -> String {
        hex(&self.mac("page", word).finalize().into_bytes())
    }

    /// Whether this is the code that was sent; takes as long whatever differs.
    #[must_use]
    pub fn is_code(&self, asked: &AskedCode, code: &Code) -> bool {
        self.mac("code", code.signs()).verify_slice(&unhex(&asked.digest)).is_ok()
    }

    /// Whether this is the word of the address at which text messages are handed in; takes as long whatever differs.
    #[must_use]
    pub fn is_texts_word(&self, word: &str) -> bool {
        let Some(texts) = &self.texts else { return false };
        let wanted = self.mac("texts", texts.expose_secret()).finalize().into_bytes();
        self.mac("texts", word).verify_slice(&wanted).is_ok()
    }

    /// The address at which a gateway hands in what became of the text with this id.
    #[must_use]
    pub fn receipts_of(&self, id: &str) -> Option<SecretString> {
        let (door, texts) = self.door.as_deref().zip(self.texts.as_ref())?;
        Some(format!("{door}/sms/{}/{id}", texts.expose_secret()).into())
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104, section 2)")]
    fn mac(&self, what: &str, word: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length");
        mac.update(what.as_bytes());
        mac.update(b":");
        mac.update(word.as_bytes());
        mac
    }
}

/// A word that can stand in an address, and that nobody guesses.
fn is_fit(word: &str) -> bool {
    (16..=128).contains(&word.len()) && word.bytes().all(|sign| sign.is_ascii_alphanumeric())
}

fn key(path: &Path) -> anyhow::Result<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    match File::open(path) {
        Ok(mut file) => file.read_exact(&mut key).context("remove it; a new one is made")?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            key[..16].copy_from_slice(&clock::chance().to_be_bytes());
            key[16..].copy_from_slice(&clock::chance().to_be_bytes());
            keep(&key, path)?;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(key)
}

/// Writes the key under another name first: on a full disk, half a key in its place would stop every later start.
fn keep(key: &[u8], path: &Path) -> std::io::Result<()> {
    let part = path.with_extension("part");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(key)?;
    file.sync_all()?;
    std::fs::rename(part, path)?;
    sync_dir_of(path)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is no digest comes out shorter than one, and equals none.
fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

/// What the people who are asked one question are sent: one code each, over all ways to them.
pub(super) struct Tickets<'a> {
    approvals: &'a Approvals,
    attempt: &'a Attempt,
    made: RefCell<BTreeMap<Name, Ticket>>,
}

impl<'a> Tickets<'a> {
    pub(super) fn new(approvals: &'a Approvals, attempt: &'a Attempt) -> Self {
        Self { approvals, attempt, made: RefCell::default() }
    }

    /// What this person is sent. Made when the first message to them is queued, and so never where none is.
    pub(super) fn of(&self, conn: &Connection, person: &Name, now: UnixTime) -> Result<Ticket, StoreError> {
        if let Some(ticket) = self.made.borrow().get(person) {
            return Ok(ticket.clone());
        }
        let (code, word, ends_at) = (Code::of_chance(clock::chance()), clock::chance_text(), now.plus(CODE_LIVES));
        let digests = Digests { code: self.approvals.of_code(&code), page: self.approvals.of_page(&word) };
        approvals::issue(conn, self.attempt, person, &digests, (now, ends_at))?;
        let page = self.approvals.page.as_ref().map(|page| format!("{page}{word}"));
        let ticket = Ticket { code, ends_at, page, by_text: self.approvals.texts.is_some() };
        self.made.borrow_mut().insert(person.clone(), ticket.clone());
        Ok(ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ApprovalConfig {
        ApprovalConfig { listen: None, url: Some("https://keeper.example.net/sim/".parse().unwrap()), texts: None }
    }

    #[test]
    fn the_key_is_made_once_for_its_owner_alone_and_digests_tell_nothing_apart_from_it() {
        use std::os::unix::fs::PermissionsExt;
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let around =
            |folder: &tempfile::TempDir| Surroundings { state: folder.path().into(), ..Surroundings::default() };
        let open = |folder: &tempfile::TempDir| Approvals::open(&config(), &around(folder)).unwrap();
        let (first, again, elsewhere) = (open(&one), open(&one), open(&other));
        let code = Code::of_chance(7);
        assert_eq!(first.of_code(&code), again.of_code(&code));
        assert_ne!(first.of_code(&code), elsewhere.of_code(&code));
        assert_ne!(first.of_code(&code), first.of_page(code.signs()));
        assert_eq!(first.page.as_deref(), Some("https://keeper.example.net/sim/a/"));
        let mode = std::fs::metadata(one.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(one.path().join(KEY_FILE), "cut").unwrap();
        assert!(Approvals::open(&config(), &around(&one)).is_err());
    }

    #[test]
    fn a_key_for_which_the_disk_has_no_room_stops_no_later_start() {
        let folder = tempfile::tempdir().unwrap();
        let around = Surroundings { state: folder.path().into(), ..Surroundings::default() };
        let part = folder.path().join(KEY_FILE).with_extension("part");
        std::os::unix::fs::symlink("/dev/full", &part).unwrap();
        assert!(Approvals::open(&config(), &around).is_err());
        std::fs::remove_file(part).unwrap();
        Approvals::open(&config(), &around).unwrap();
    }
}
