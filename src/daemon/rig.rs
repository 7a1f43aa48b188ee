//! A daemon for tests of what people are told: real files, a real record, real rounds of delivery, a clock that is told
//! the time, and channels whose other end is a list.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::clock::Clock;
use super::live::Surroundings;
use super::opener::Opener;
use super::tell::{Telling, tell};
use super::{Daemon, Places, deliver_round};
use crate::config::ChannelConfig;
use crate::domain::card::Card;
use crate::domain::notice::Event;
use crate::domain::time::{Secs, UnixTime};
use crate::notify::{Channel, Delivery, Memory};
use crate::store::notices::{self, Notice};
use crate::store::{Connection, StoreError, cards};

/// What arrived: over which channel, where, and its subject or text.
pub(super) type Arrived = (String, String, String);

/// The other ends of all channels.
#[derive(Clone, Default)]
struct Ends {
    arrived: Arc<Mutex<Vec<Arrived>>>,
    /// Channels that refuse everything for good.
    refusing: Arc<Mutex<BTreeSet<String>>>,
}

impl Opener for Ends {
    fn channel(&self, channel: &ChannelConfig, _: &Surroundings) -> anyhow::Result<Channel> {
        let (name, ends) = (channel.name.to_string(), self.clone());
        Ok(Channel::Memory(Memory::new(move |message| {
            let delivery = if ends.refusing.lock().unwrap().contains(&name) {
                Delivery::Dead { why: "550 no such person".to_owned() }
            } else {
                let said = said(&message.bytes);
                ends.arrived.lock().unwrap().push((name.clone(), message.address.clone(), said));
                Delivery::Sent { remote: "ok".to_owned() }
            };
            Box::pin(std::future::ready(delivery))
        })))
    }
}

/// The subject of a mail, the title of a push message, a text as it is.
fn said(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let subject = text.lines().find_map(|line| line.strip_prefix("Subject: "));
    let push: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    let title = push.as_ref().and_then(|push| push.get("title")).and_then(serde_json::Value::as_str);
    title.or(subject).unwrap_or(&text).to_owned()
}

/// A daemon and what arrived from it.
pub(super) struct Rig {
    pub(super) daemon: Arc<Daemon>,
    ends: Ends,
    folder: tempfile::TempDir,
}

/// When every test begins: a Tuesday at noon.
pub(super) const BEGINS: &str = "2026-12-01T12:00:00Z";

const MACHINE: &str = "currency = \"USD\"\n[operator.try]\nkind = \"sandbox\"\n\
    [channel.mail]\nkind = \"maildir\"\n\
    [channel.push]\nkind = \"ntfy\"\n\
    [channel.sms]\nkind = \"gateway\"\nurl = \"https://sms.example.net/\"\nquery = { to = \"{to}\", text = \"{text}\" }\n";

impl Rig {
    /// A daemon with these people, and cards of these names whose people are `anna`.
    pub(super) async fn of(people: &str, names: &[&str]) -> Self {
        Self::with(&format!("{MACHINE}{people}"), &rules(names)).await
    }

    /// A daemon with these files.
    pub(super) async fn with(machine: &str, rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("simkeeper.toml"), machine).unwrap();
        std::fs::write(folder.path().join("rules.toml"), rules).unwrap();
        let ends = Ends::default();
        let daemon = open(&folder, &ends, UnixTime::parse(BEGINS).unwrap()).await;
        Self { daemon, ends, folder }
    }

    /// The same again after an end of the process, so much later.
    pub(super) async fn again_after(self, length: Secs) -> Self {
        let Self { daemon, ends, folder } = self;
        let now = daemon.clock.now().plus(length);
        let daemon = Arc::try_unwrap(daemon).unwrap_or_else(|_| panic!("somebody still holds the daemon"));
        daemon.store.close().await;
        let daemon = open(&folder, &ends, now).await;
        Self { daemon, ends, folder }
    }

    /// Everything over this channel is refused for good.
    pub(super) fn refuse(&self, channel: &str) {
        self.ends.refusing.lock().unwrap().insert(channel.to_owned());
    }

    /// Tells something about a card, and delivers.
    pub(super) async fn tell(&self, card: &str, step: &str, event: Event) {
        let (live, now, name, step) = (self.daemon.live(), self.daemon.clock.now(), card.to_owned(), step.to_owned());
        self.write(move |conn| {
            let card = named(conn, &name)?;
            tell(conn, &live, Telling { card: Some(&card), cycle: 1, step, attempt: None, event }, now)
        })
        .await;
        self.deliver().await;
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.daemon.store.write(work).await.unwrap()
    }

    /// Time passes, and what is due then is delivered.
    pub(super) async fn pass(&self, length: Secs) {
        self.daemon.clock.tell(self.daemon.clock.now().plus(length));
        self.deliver().await;
    }

    /// Runs rounds of delivery; what one of them sets aside, the next ones tell by other ways.
    pub(super) async fn deliver(&self) {
        for _ in 0..4 {
            deliver_round::round(&self.daemon).await.unwrap();
            self.daemon.work.rest().await;
        }
    }

    /// What arrived since the last look.
    pub(super) fn arrived(&self) -> Vec<Arrived> {
        std::mem::take(&mut self.ends.arrived.lock().unwrap())
    }

    /// What arrived since the last look, as channel and address.
    pub(super) fn reached(&self) -> Vec<(String, String)> {
        self.arrived().into_iter().map(|(channel, address, _)| (channel, address)).collect()
    }

    /// The plain words of the newest mail to somebody.
    pub(super) async fn last_mail(&self, person: &str) -> String {
        let notices = self.notices().await;
        let newest = notices.iter().find(|notice| notice.person.as_str() == person).map(|notice| notice.id).unwrap();
        let bytes = self.write(move |conn| notices::bytes(conn, newest)).await;
        mail_parser::MessageParser::default().parse(&bytes).unwrap().body_text(0).unwrap().into_owned()
    }

    pub(super) async fn notices(&self) -> Vec<Notice> {
        self.write(|conn| notices::list(conn, None, None, 1_000)).await
    }
}

async fn open(folder: &tempfile::TempDir, ends: &Ends, now: UnixTime) -> Arc<Daemon> {
    let places = Places {
        config: folder.path().to_owned(),
        state: folder.path().join("state"),
        socket: folder.path().join("socket"),
        credentials: None,
    };
    Daemon::open_with(places, Arc::new(Clock::told(now)), Arc::new(ends.clone())).await.unwrap()
}

fn rules(names: &[&str]) -> String {
    let card = |(place, name): (usize, &&str)| {
        format!("[card.{name}]\noperator = \"try\"\nmsisdn = \"+1613555010{place}\"\nnotify = [\"anna\"]\n")
    };
    names.iter().enumerate().map(card).collect()
}

/// The card of this name.
pub(super) fn named(conn: &Connection, name: &str) -> Result<Card, StoreError> {
    Ok(cards::by_name(conn, &crate::domain::card::Name::parse(name).unwrap())?.unwrap())
}
