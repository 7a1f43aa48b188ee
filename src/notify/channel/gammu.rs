//! gammu-smsd with its files service: a text is a file in its outbox, which it moves to another folder when it was sent or
//! given up. The name holds the notice's id, so a text that is handed over again is found to be there already.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::{Asked, Delivery, Outgoing};
use crate::domain::receipt::{Fate, Receipt};

/// Before the number stand priority, date, time and a serial number; only the order of sending hangs on them, and they
/// must be the same whenever this text is handed over.
const BEGIN: &str = "OUTC00000000_000000_00";
/// The program reads the file as another user; strangers are kept out by its folder.
const MODE: u32 = 0o644;

/// The folders of gammu-smsd, as its own file names them.
#[derive(Clone, Debug)]
pub struct GammuSettings {
    /// `outboxpath`.
    pub outbox: PathBuf,
    /// `sentsmspath`.
    pub sent: PathBuf,
    /// `errorsmspath`.
    pub error: PathBuf,
}

/// gammu-smsd, ready to be handed texts.
#[derive(Clone, Debug)]
pub struct Gammu {
    settings: GammuSettings,
}

impl Gammu {
    pub(super) const fn open(settings: GammuSettings) -> Self {
        Self { settings }
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let (this, name, text) = (self.clone(), file_name(message), as_utf16(&message.bytes));
        match tokio::task::spawn_blocking(move || this.hand_over(&name, &text)).await {
            Ok(Ok(delivery)) => delivery,
            Ok(Err(error)) => {
                let outbox = self.settings.outbox.display();
                Delivery::retry(format!("the text could not be handed to gammu-smsd in {outbox}: {error}"))
            }
            Err(_) => Delivery::retry("the text could not be written: the writing task was stopped"),
        }
    }

    /// What it gave up lies in its folder of errors; of what it sent it knows no more.
    pub(super) async fn reports(&self, asked: &[Asked]) -> Vec<(String, Receipt)> {
        let (this, asked) = (self.clone(), asked.to_vec());
        let looked = tokio::task::spawn_blocking(move || {
            let gave_up = |text: &Asked| {
                let at = this.settings.error.join(text.remote.as_ref()?);
                let why = Some(format!("gammu-smsd gave the text up; see {}", at.display()));
                at.exists().then(|| (text.id.clone(), Receipt { fate: Fate::Failed, remote: text.remote.clone(), why }))
            };
            asked.iter().filter_map(gave_up).collect::<Vec<_>>()
        });
        looked.await.unwrap_or_default()
    }

    /// Looks first, since the program may have taken an earlier try; the outbox before the others, since files move on
    /// from there.
    fn hand_over(&self, name: &str, text: &[u8]) -> io::Result<Delivery> {
        let GammuSettings { outbox, sent, error } = &self.settings;
        if outbox.join(name).try_exists()? || sent.join(name).try_exists()? {
            return Ok(Delivery::Sent { remote: name.to_owned() });
        }
        if error.join(name).try_exists()? {
            return Ok(Delivery::Dead {
                why: format!("gammu-smsd gave the text up; see {}", error.join(name).display()),
            });
        }
        // It takes what begins with OUT, so that it never reads half a text.
        let part = outbox.join(format!(".{name}.part"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&part)?;
        file.write_all(text)?;
        // Not by the mode at opening, which the service's mask narrows.
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.sync_all()?;
        fs::rename(&part, outbox.join(name))?;
        fs::File::open(outbox)?.sync_all()?;
        Ok(Delivery::Sent { remote: name.to_owned() })
    }
}

fn file_name(message: &Outgoing) -> String {
    let number: String = message.address.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    let id: String = message.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(100).collect();
    format!("{BEGIN}_{number}_{id}.txt")
}

/// The program takes a text without a byte order mark for one in the encoding of its own locale.
fn as_utf16(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}
