//! What the files say, at work: accounts with their operators, channels with their senders, rules. Built whole, then
//! swapped for the one before.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::approval::Approvals;
use super::ask_receipts::LastAsked;
use super::desk::{Desk, Fares};
use super::opener::Opener;
use super::tell;
pub use super::way::Way;
use crate::config::{Carries, Config, Machine, Rules};
use crate::domain::card::{Card, Name, tamed};
use crate::domain::insist::Insistence;
use crate::domain::notice::NoticeKind;
use crate::domain::operator::{Capabilities, MOST_CAREFUL};
use crate::domain::roles::{Role, Roles};
use crate::domain::rule::Rule;
use crate::domain::sellers::Till;
use crate::domain::severity::{Severity, Weights};
use crate::domain::text_limits::TextLimits;
use crate::notify::{Channel, Heartbeat};

/// The files, at work.
pub struct Live {
    config: Config,
    desks: BTreeMap<Name, Arc<Desk>>,
    posts: Vec<Arc<Post>>,
    everybody: Vec<Name>,
    heartbeat: Option<Arc<Heartbeat>>,
    approvals: Option<Arc<Approvals>>,
}

/// A channel at work.
pub struct Post {
    /// Its name.
    pub name: Name,
    /// Its sender.
    pub channel: Channel,
    /// What it carries.
    pub carries: Carries,
    /// Who messages come from.
    pub from: String,
    /// The card that its texts go through, where it is one of ours.
    pub through: Option<Name>,
    /// What its texts cost and how many there may be, if it carries texts.
    pub texts: Option<TextLimits>,
    /// Whether its gateway is told where to report what became of a text.
    pub receipts: bool,
    /// Whether it is asked instead.
    pub asks: bool,
    /// When it was last.
    pub last_asked: LastAsked,
}

/// Where secrets and the maildir are.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// systemd's folder of credentials.
    pub credentials: Option<PathBuf>,
    /// Where the record lies; the default maildir is below it.
    pub state: PathBuf,
    /// Where the two files lie; profiles of operators are below it.
    pub config: PathBuf,
}

/// A line about whom to ask is no longer than this.
const SUPPORT_CHARS: usize = 200;
/// Who is told when the file names nobody: whoever looks into the maildir.
const OWNER: &str = "owner";

impl Live {
    /// Builds everything that the files name.
    ///
    /// # Errors
    /// When a secret cannot be read or a client cannot be made.
    pub async fn build(
        config: Config,
        surroundings: &Surroundings,
        opener: &dyn Opener,
        fares: &BTreeMap<Name, Fares>,
    ) -> anyhow::Result<Self> {
        let mut desks = BTreeMap::new();
        for account in &config.machine.accounts {
            let operator = opener.operator(account, surroundings).await?;
            let known = fares.get(&account.name).cloned().unwrap_or_default();
            let desk = Desk::new(account.to_account(&config.machine.schedule), operator, known);
            desks.insert(account.name.clone(), Arc::new(desk));
        }
        let mut posts = Vec::new();
        for channel in &config.machine.channels {
            posts.push(Arc::new(Post {
                name: channel.name.clone(),
                channel: opener.channel(channel, surroundings)?,
                carries: channel.kind.carries(),
                from: super::open::sender(&channel.kind),
                through: channel.through.clone(),
                texts: channel.texts,
                receipts: channel.receipts,
                asks: channel.asks,
                last_asked: LastAsked::default(),
            }));
        }
        let mut everybody: Vec<Name> = config.machine.people.iter().map(|person| person.name.clone()).collect();
        if everybody.is_empty() {
            everybody.extend(Name::parse(OWNER));
        }
        let heartbeat = config.machine.heartbeat.as_ref();
        let heartbeat = heartbeat.map(|wanted| Heartbeat::open(wanted.url.as_str(), wanted.every)).transpose()?;
        let approvals = config.machine.approval.as_ref();
        let approvals = approvals.map(|wanted| Approvals::open(wanted, surroundings)).transpose()?;
        let (heartbeat, approvals) = (heartbeat.map(Arc::new), approvals.map(Arc::new));
        Ok(Self { config, desks, posts, everybody, heartbeat, approvals })
    }

    /// The owner's file.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.config.rules
    }

    /// Where signs of life go.
    #[must_use]
    pub const fn heartbeat(&self) -> Option<&Arc<Heartbeat>> {
        self.heartbeat.as_ref()
    }

    /// Codes by which questions are answered, where they are.
    #[must_use]
    pub const fn approvals(&self) -> Option<&Arc<Approvals>> {
        self.approvals.as_ref()
    }

    /// The machine's file.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.config.machine
    }

    /// Both files.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The desk of an account, while the file names it.
    #[must_use]
    pub fn desk(&self, account: &Name) -> Option<&Arc<Desk>> {
        self.desks.get(account)
    }

    /// All desks.
    pub fn desks(&self) -> impl Iterator<Item = &Arc<Desk>> {
        self.desks.values()
    }

    /// The place of an account among all, for the schedule.
    #[must_use]
    pub fn place(&self, account: &Name) -> u16 {
        let place = self.desks.keys().position(|name| name == account);
        // Nobody has so many accounts; the last of them would share a number, and be read a little early.
        place.and_then(|place| u16::try_from(place).ok()).unwrap_or(u16::MAX - 1)
    }

    /// All channels.
    #[must_use]
    pub fn posts(&self) -> &[Arc<Post>] {
        &self.posts
    }

    /// The rule that applies to a card: its own, or the first that matches its labels.
    #[must_use]
    pub fn rule_of(&self, card: &Card) -> Option<&Rule> {
        self.config.rules.rule_of(card)
    }

    /// Whom to ask about an account's purchases.
    #[must_use]
    pub fn support(&self, account: &Name) -> Option<String> {
        let support = self.desks.get(account).and_then(|desk| desk.account.support.as_deref());
        support.map(|line| tamed(line, SUPPORT_CHARS))
    }

    /// What the account's operator can do; the most careful there is, once the account has left the file.
    #[must_use]
    pub fn capabilities(&self, account: &Name) -> &Capabilities {
        self.desks.get(account).map_or(&MOST_CAREFUL, |desk| desk.operator.capabilities())
    }

    /// What the operator that sells for a card can do, with the proof of the account that reads it.
    #[must_use]
    pub fn capabilities_for(&self, seller: &Name, card: &Card) -> Capabilities {
        let selling = self.capabilities(seller);
        if *seller == card.account { *selling } else { selling.read_through(self.capabilities(&card.account)) }
    }

    /// The accounts that may sell for a card, in order; those that have left the file sell nothing.
    #[must_use]
    pub fn tills(&self, card: &Card) -> Vec<Till> {
        let desks = card.accounts().filter_map(|name| self.desk(name));
        desks.map(|desk| Till { account: desk.account.name.clone(), payment: desk.account.payment.clone() }).collect()
    }

    /// Every way to everybody who is to be told of a kind, as far as they want it over this way; and every way to programs.
    #[must_use]
    pub fn ways(&self, named: Option<&[Name]>, kind: NoticeKind) -> Vec<Way> {
        let people = tell::concerned(named, &self.everybody).iter();
        self.ways_in(&people.map(|name| (name.clone(), Role::Owner)).collect::<Vec<_>>(), kind)
    }

    /// As [`ways`](Self::ways), to people as what they are to a card.
    #[must_use]
    pub fn ways_in(&self, people: &[(Name, Role)], kind: NoticeKind) -> Vec<Way> {
        let (mut ways, none) = (Vec::new(), Weights::default());
        for (name, role) in people {
            let person = self.config.machine.person(name);
            let own = person.map_or(&none, |person| &person.weights);
            let Some(severity) = role.weight(kind, own) else { continue };
            let all: Vec<Way> = self.all_ways_to(name, severity).collect();
            let alone = all.iter().all(|way| way.carries == Carries::Sms);
            let from = |way: &Way| person.and_then(|person| person.from.get(&way.carries)).copied();
            let fits = |way: &Way| severity >= from(way).unwrap_or_else(|| usual_from(way.carries, alone));
            ways.extend(all.into_iter().filter(|way| kind == NoticeKind::Test || fits(way)));
        }
        if kind != NoticeKind::Test {
            ways.extend(self.programs(kind.severity()));
        }
        ways
    }

    /// Everybody who is told of a card, as what they are to it.
    #[must_use]
    pub fn told_of(&self, card: &Card) -> Vec<(Name, Role)> {
        let none = Roles::default();
        self.config.rules.roles_of(card).unwrap_or(&none).people(&card.notify, &self.everybody)
    }

    /// Who only watches a card, and says nothing about what is bought for it.
    #[must_use]
    pub fn watchers_of(&self, card: &Card) -> Vec<Name> {
        self.told_of(card).into_iter().filter(|(_, role)| !role.decides()).map(|(name, _)| name).collect()
    }

    /// How much a kind matters to a person; none if they are not told.
    #[must_use]
    pub fn weight(&self, name: &Name, kind: NoticeKind) -> Option<Severity> {
        self.config.machine.person(name).map_or(Some(kind.severity()), |person| person.weights.of(kind))
    }

    /// What a person wants done so that nothing is overlooked, if anything.
    #[must_use]
    pub fn insistence(&self, name: &Name) -> Option<&Insistence> {
        let wishes = self.config.machine.person(name).map(|person| &person.insistence);
        wishes.filter(|wishes| wishes.is_some())
    }

    /// The ways to programs, which are told everything once.
    pub fn programs(&self, severity: Severity) -> impl Iterator<Item = Way> {
        self.posts.iter().filter(|post| post.carries == Carries::Document).map(move |post| Way {
            person: post.name.clone(),
            channel: post.name.clone(),
            address: post.name.to_string(),
            from: post.from.clone(),
            domain: domain_of(&post.from).to_owned(),
            carries: post.carries,
            language: self.config.machine.language,
            zone: TimeZone::UTC,
            severity,
            quiet: None,
            wakes: Severity::Urgent,
            together: None,
            texts: None,
        })
    }

    /// Every way to a person that there is, wanted or not, in the order in which they are told.
    pub fn all_ways_to(&self, name: &Name, severity: Severity) -> impl Iterator<Item = Way> {
        [Carries::Mail, Carries::Push, Carries::Sms]
            .into_iter()
            .filter_map(move |carries| self.way_to(name, carries, severity))
    }

    /// The way to a person over what carries this.
    #[must_use]
    pub fn way_to(&self, name: &Name, carries: Carries, severity: Severity) -> Option<Way> {
        let person = self.config.machine.person(name);
        let post = self.posts.iter().find(|post| post.carries == carries)?;
        let address = match (carries, person) {
            (Carries::Mail, Some(person)) if person.mail.is_some() => person.mail.as_ref()?.to_string(),
            // Files need no address: whoever has none is told there.
            (Carries::Mail, _) if matches!(post.channel, Channel::Maildir(_)) => "owner@localhost".to_owned(),
            (Carries::Sms, Some(person)) => person.sms.as_ref()?.to_string(),
            (Carries::Push, Some(person)) => person.push.clone()?,
            (Carries::Mail | Carries::Sms | Carries::Push | Carries::Document, _) => return None,
        };
        Some(Way {
            person: name.clone(),
            channel: post.name.clone(),
            address,
            from: post.from.clone(),
            domain: domain_of(&post.from).to_owned(),
            carries,
            language: person.map_or(self.config.machine.language, |person| person.language),
            zone: person.map_or(TimeZone::UTC, |person| person.zone.clone()),
            severity,
            quiet: person.and_then(|person| person.quiet),
            wakes: person.map_or(Severity::Urgent, |person| person.wakes),
            together: person.and_then(|person| person.together),
            texts: post.texts,
        })
    }

    /// Everybody who can be told.
    #[must_use]
    pub fn everybody(&self) -> &[Name] {
        &self.everybody
    }

    /// Whether a person, or a program, can be told something.
    #[must_use]
    pub fn knows(&self, person: &Name) -> bool {
        self.everybody.contains(person) || self.programs(Severity::News).any(|way| way.person == *person)
    }

    /// How the ways to the operators fare, to be kept over a reload.
    #[must_use]
    pub fn fares(&self) -> BTreeMap<Name, Fares> {
        self.desks.iter().map(|(name, desk)| (name.clone(), desk.faring())).collect()
    }
}

/// From which weight on a way is used unless the person says otherwise. A text costs money and sounds at night, so it is for
/// what cannot wait, unless there is nothing else.
const fn usual_from(carries: Carries, alone: bool) -> Severity {
    match carries {
        Carries::Sms if !alone => Severity::Urgent,
        Carries::Sms | Carries::Mail | Carries::Push | Carries::Document => Severity::News,
    }
}

/// The domain of the sender's address.
fn domain_of(from: &str) -> &str {
    let address = from.rsplit_once('<').map_or(from, |(_, address)| address.trim_end_matches('>'));
    address.rsplit_once('@').map_or("localhost", |(_, domain)| domain.trim())
}

#[cfg(test)]
mod tests {
    use super::domain_of;

    #[test]
    fn message_ids_take_the_senders_domain() {
        assert_eq!(domain_of("simkeeper <keeper@example.net>"), "example.net");
        assert_eq!(domain_of("keeper@example.net"), "example.net");
        assert_eq!(domain_of("odd"), "localhost");
    }
}
