//! Answers that come as a text message: some operators take the code and send the balance by SMS.
//!
//! Only messages count that come after the code was dialled and from the senders that the person named. A long message is
//! listed when its first part comes, and read when it is whole.

use std::time::Duration;

use zbus::OwnedObjectPath;

use super::modem::Modem;
use super::setup::SmsAnswer;
use super::trouble::Trouble;

/// `MMSmsState`: received, all parts of it.
const STATE_RECEIVED: u32 = 3;
/// How often the modem is asked for new messages. It would also send a signal for each, but of the first part only.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The message that answers: the first new one that `fits`, else at the end of the time the last that came.
pub(super) async fn answer(
    modem: &Modem,
    sms: &SmsAnswer,
    before: &[OwnedObjectPath],
    limit: Duration,
    fits: impl Fn(&str) -> bool,
) -> Result<String, Trouble> {
    let mut strangers = Vec::new();
    let mut last = None;
    let looked = tokio::time::timeout(limit, async {
        loop {
            for path in modem.messages().await? {
                if before.contains(&path) || strangers.contains(&path) {
                    continue;
                }
                let message = modem.message(&path).await?;
                if message.state != STATE_RECEIVED {
                    continue;
                }
                if sms.from.contains(&message.number) && fits(&message.text) {
                    delete(modem, sms, &path).await;
                    return Ok(message.text);
                }
                last = sms.from.contains(&message.number).then_some(message.text).or(last.take());
                strangers.push(path);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
    match looked.await {
        Ok(found) => found,
        Err(_) => last.ok_or_else(|| Trouble::NoMessage(sms.from.join(", "))),
    }
}

/// Makes room for the next answer, if the person wants it: a card holds few messages, and a full one takes none.
async fn delete(modem: &Modem, sms: &SmsAnswer, path: &OwnedObjectPath) {
    if sms.delete
        && let Err(trouble) = modem.delete(path).await
    {
        tracing::warn!(%trouble, "a message that was read could not be deleted");
    }
}
