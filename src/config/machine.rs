//! What `simkeeper.toml` comes to: accounts, channels, people and the schedule of this machine.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use jiff::tz::TimeZone;
use lettre::Address;
use url::Url;

use super::account::AccountConfig;
use super::channel::{Carries, ChannelConfig, ChannelKind};
use super::secret::SecretRef;
use super::values::Daily;
use crate::domain::card::Name;
use crate::domain::digest::Rhythm;
use crate::domain::identity::Msisdn;
use crate::domain::insist::Insistence;
use crate::domain::money::Currency;
pub use crate::domain::notice::Language;
use crate::domain::severity::{Severity, Weights};
use crate::domain::time::{LocalHours, Secs};

/// How often cards are read if nothing else is said.
pub const POLL_USUAL: Secs = Secs::hours(12);

/// How often signs of life are sent if nothing else is said.
pub(super) const HEARTBEAT_USUAL: Secs = Secs::minutes(5);

/// Everything about this machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The language of people who name none.
    pub language: Language,
    /// The currency in which sums are shown.
    pub currency: Currency,
    /// Ways to operators.
    pub accounts: Vec<AccountConfig>,
    /// Ways to people; a maildir named `mail` if the file names none.
    pub channels: Vec<ChannelConfig>,
    /// Who can be told.
    pub people: Vec<Person>,
    /// What happens when.
    pub schedule: Schedule,
    /// Where signs of life go.
    pub heartbeat: Option<HeartbeatConfig>,
    /// How questions are answered by code, if they are.
    pub approval: Option<ApprovalConfig>,
}

impl Machine {
    /// The account of this name.
    #[must_use]
    pub fn account(&self, name: &Name) -> Option<&AccountConfig> {
        self.accounts.iter().find(|account| account.name == *name)
    }

    /// Whether anybody can be told something over a channel; `but_for` leaves channels and numbers of a card out.
    #[must_use]
    pub fn is_anybody_reached(&self, but_for: Option<(&Name, Option<&str>)>) -> bool {
        let reaches = |channel: &ChannelConfig, person: &Person| match (channel.kind.carries(), &channel.kind) {
            (_, ChannelKind::Maildir { .. }) => true,
            (Carries::Mail, _) => person.mail.is_some(),
            (Carries::Push, _) => person.push.is_some(),
            (Carries::Sms, _) => {
                let number = but_for.and_then(|(_, number)| number);
                person.sms.as_ref().is_some_and(|sms| Some(sms.digits()) != number)
            }
            (Carries::Document, _) => false,
        };
        let card = but_for.map(|(card, _)| card);
        let mut channels = self.channels.iter().filter(|channel| card.is_none() || channel.through.as_ref() != card);
        channels.any(|channel| self.people.iter().any(|person| reaches(channel, person)))
    }

    /// The person of this name.
    #[must_use]
    pub fn person(&self, name: &Name) -> Option<&Person> {
        self.people.iter().find(|person| person.name == *name)
    }
}

/// Somebody who can be told.
#[derive(Clone, Debug)]
pub struct Person {
    /// The name.
    pub name: Name,
    /// Where mails go.
    pub mail: Option<Address>,
    /// Where texts go.
    pub sms: Option<Msisdn>,
    /// Where messages to the phone's own messages go: an ntfy topic or a Telegram chat.
    pub push: Option<String>,
    /// In which language.
    pub language: Language,
    /// By which clock.
    pub zone: TimeZone,
    /// When nothing is sent but what may wake them.
    pub quiet: Option<LocalHours>,
    /// From which weight on a message goes through the quiet hours.
    pub wakes: Severity,
    /// What they make of the kinds.
    pub weights: Weights,
    /// From which weight on each kind of way is used, where they have said so.
    pub from: BTreeMap<Carries, Severity>,
    /// How long what is not urgent waits for others that can go with it.
    pub together: Option<Secs>,
    /// What is told again, and passed on.
    pub insistence: Insistence,
    /// When they want all their cards at a glance.
    pub digests: Vec<Rhythm>,
}

/// Where signs of life go.
#[derive(Clone, Debug)]
pub struct HeartbeatConfig {
    /// The monitor's address.
    pub url: Url,
    /// How often it wants one.
    pub every: Secs,
}

/// How questions about purchases are answered by code.
#[derive(Clone, Debug)]
pub struct ApprovalConfig {
    /// Where the pages are served on this machine.
    pub listen: Option<SocketAddr>,
    /// The address under which people reach them.
    pub url: Option<Url>,
    /// The secret word of the address at which answers by text message are handed in.
    pub texts: Option<SecretRef>,
}

/// What happens when.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// How often cards are read.
    pub poll: Secs,
    /// When the record is backed up.
    pub backup: Option<Daily>,
}
