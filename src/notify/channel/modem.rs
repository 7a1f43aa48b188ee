//! A modem of this machine, by ModemManager over D-Bus: a text is made in the modem, sent, and removed again, since a card
//! holds few. The modem has no key against doubles, so an answer that is lost leaves a doubt.
//!
//! Names and meanings are those of ModemManager's interface files (1.20.4).

mod line;
mod status_report;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use line::{Effect, Line, Trouble};
use status_report::StatusReport;
use zbus::{OwnedObjectPath, Variant};

use super::{Asked, Delivery, Outgoing};
use crate::domain::identity::Iccid;
use crate::domain::receipt::Receipt;
use crate::domain::time::Secs;
use crate::notify::texts::cut;

/// The shortest life of a text that networks know.
const VALID_MIN: Secs = Secs::minutes(5);
/// As long as other ways are told.
const VALID_MAX: Secs = Secs::days(7);
/// `MMSmsValidityType`: so many minutes from now.
const RELATIVE: u32 = 1;

/// Which modem sends.
#[derive(Clone, Debug)]
pub struct ModemSettings {
    /// The address of the bus; the system's, if there is none.
    pub bus: Option<String>,
    /// The card that sends; without it the one modem that there is.
    pub iccid: Option<Iccid>,
    /// Whether the network is to report what became of each text.
    pub receipts: bool,
}

/// A modem, ready to send.
#[derive(Debug)]
pub struct Modem {
    settings: ModemSettings,
    /// What was read and told, but may not be written down yet.
    read: Mutex<Option<(Line, Vec<OwnedObjectPath>)>>,
}

impl Modem {
    pub(super) const fn open(settings: ModemSettings) -> Self {
        Self { settings, read: Mutex::new(None) }
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let (line, earlier, text) = match self.made(message).await {
            Ok(made) => made,
            // Nothing was sent yet, whatever went wrong.
            Err(trouble) => return Delivery::retry(format!("no modem took the text: {}", trouble.why)),
        };
        let sent = line.send(&text).await;
        let reference = match sent {
            Ok(()) if self.settings.receipts => status_report::reference(&line, &text).await,
            Ok(()) | Err(_) => None,
        };
        line.remove(&text).await;
        for report in earlier {
            if report.is_left_over(&message.address, reference, message.sent_at) {
                line.remove(&report.path).await;
            }
        }
        match sent {
            Ok(()) => Delivery::Sent { remote: status_report::remote(&cut(text.as_str(), 70), reference) },
            Err(Trouble { why, effect: Effect::Unknown }) => {
                Delivery::Doubtful { why: format!("the modem did not say whether the text was sent: {why}") }
            }
            Err(Trouble { why, effect: Effect::None | Effect::NotUnderstood }) => {
                Delivery::retry(format!("the modem did not send the text: {why}"))
            }
        }
    }

    /// What status reports tell of these texts. They come again until [`Self::thank`].
    pub(super) async fn reports(&self, asked: &[Asked]) -> Vec<(String, Receipt)> {
        self.looked(asked).await.unwrap_or_else(|trouble| {
            tracing::debug!(why = trouble.why, "no modem says what became of texts");
            Vec::new()
        })
    }

    /// Removes the status reports that were told.
    pub(super) async fn thank(&self) {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((line, paths)) = read else { return };
        for path in paths {
            line.remove(&path).await;
        }
    }

    async fn looked(&self, asked: &[Asked]) -> Result<Vec<(String, Receipt)>, Trouble> {
        let line = Line::open(&self.settings).await?;
        let (mut told, mut read) = (Vec::new(), Vec::new());
        for report in status_report::held(&line).await? {
            // The newest, as references come round.
            let Some(text) = asked.iter().rfind(|text| report.is_of(text)) else { continue };
            told.extend(report.receipt(text.remote.clone()).map(|receipt| (text.id.clone(), receipt)));
            read.push(report.path);
        }
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((line, read));
        Ok(told)
    }

    /// The text in the modem, not sent yet, and the status reports that were there before it.
    async fn made(&self, message: &Outgoing) -> Result<(Line, Vec<StatusReport>, OwnedObjectPath), Trouble> {
        let line = Line::open(&self.settings).await?;
        let mut earlier = Vec::new();
        if self.settings.receipts {
            // A text is not held back because of them.
            earlier = status_report::held(&line).await.unwrap_or_default();
        }
        let text = String::from_utf8_lossy(&message.bytes);
        let plain = HashMap::from([("number", Variant::from(&*message.address)), ("text", Variant::from(&*text))]);
        let mut whole = plain.clone();
        whole.insert("validity", validity(message));
        if self.settings.receipts {
            whole.insert("delivery-report-request", Variant::from(true));
        }
        let path = match line.create(whole).await {
            // Nothing is sent by it, so that it may be asked once more.
            Err(Trouble { effect: Effect::NotUnderstood, .. }) => line.create(plain).await?,
            made => made?,
        };
        Ok((line, earlier, path))
    }
}

/// For how many minutes the network is to try.
fn validity(message: &Outgoing) -> Variant<'static> {
    let minutes = message.valid_for(VALID_MIN, VALID_MAX).0 / Secs::MINUTE.0;
    // Within a week, so the fallback is never taken.
    Variant::from((RELATIVE, Variant::from(u32::try_from(minutes).unwrap_or(u32::MAX))))
}
