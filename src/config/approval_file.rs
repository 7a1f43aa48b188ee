//! `[approval]`: answering questions about purchases by a code, on a page, or by text message.

use std::net::SocketAddr;

use super::channel::{Carries, ChannelConfig};
use super::declare::{table, texts};
use super::machine::ApprovalConfig;
use super::reader::Notes;
use super::secret::SecretRef;
use super::values::HttpUrl;

table! {
    /// Questions are answered by a code that each asked person is sent.
    struct ApprovalTable {
        /// Where the pages are served on this machine, behind a proxy that speaks TLS; nowhere if nothing is said.
        may listen: Listen,
        /// The address under which the proxy serves them to people.
        may url: HttpUrl,
        /// The secret word in the address at which the text gateway hands in answers: URL/sms/WORD.
        may texts: SecretRef,
    }
}

/// An address and port of this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listen(SocketAddr);

texts! {
    Listen, "Listen", "an address and port of this machine", "^.+:[0-9]+$", "127.0.0.1:8088", listen;
}

fn listen(text: &str) -> Result<Listen, String> {
    let wrong = || format!("`{text}` is not an address with its port; write \"127.0.0.1:8088\" or \"[::1]:8088\"");
    text.parse().map(Listen).map_err(|_| wrong())
}

/// The settings, after noting what cannot work together.
pub(super) fn approval(table: &ApprovalTable, channels: &[ChannelConfig], notes: &mut Notes<'_>) -> ApprovalConfig {
    if let Some(listen) = table.listen.good()
        && !listen.value.0.ip().is_loopback()
    {
        let message = format!("{} can be reached from other machines, and speaks no TLS", listen.value.0);
        let help = "listen = \"127.0.0.1:8088\", and let a proxy with TLS pass requests on".to_owned();
        notes.warning(&listen.span, message, help);
    }
    if let Some(url) = table.url.good() {
        if table.listen.is_absent() {
            let help = "add listen = \"127.0.0.1:8088\", or leave url out".to_owned();
            notes.contradiction(&url.key, "nothing serves the pages at this address", help);
        }
        if url.value.0.scheme() != "https" && !url.value.0.host_str().is_some_and(super::values::is_loopback) {
            let message = "codes would cross the network unprotected";
            notes.contradiction(&url.span, message, "url = \"https://keeper.example.net/\"".to_owned());
        }
        if url.value.0.query().is_some() || url.value.0.fragment().is_some() {
            let help = "url = \"https://keeper.example.net/\"".to_owned();
            notes.contradiction(&url.span, "pages are added behind this address; it ends with a path", help);
        }
    }
    if let Some(texts) = table.texts.good() {
        if table.listen.is_absent() {
            let help = "add listen = \"127.0.0.1:8088\", or leave texts out".to_owned();
            notes.contradiction(&texts.key, "no text gateway can hand in answers", help);
        }
        if !channels.iter().any(|channel| channel.kind.carries() == Carries::Sms) {
            let help = "add [channel.NAME] with kind = \"twilio\" or \"gateway\", or leave texts out".to_owned();
            notes.warning(&texts.key, "no channel sends texts that could be answered", help);
        }
    }
    ApprovalConfig {
        listen: table.listen.get().map(|listen| listen.0),
        url: table.url.get().map(|url| url.0.clone()),
        texts: table.texts.get().cloned(),
    }
}
