//! A world in which processes die: needs come up while they do, and everything is looked at after each death.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::{Duration, Instant};

use simkeeper::domain::money::{Currency, Money};
use simkeeper::sandbox::{AcceptedOrder, Call, Class, Fault, FaultKind, Settings};

use crate::chance::{Death, Dice};
use crate::world::files::AUTO;
use crate::world::mailbox::{Mail, SecureServer, Sink, free_port};
use crate::world::record::Attempt;
use crate::world::texts::Kannel;
use crate::world::{World, full, quick};

/// Enough that some card is always at the point that a death waits for.
const CARDS: [&str; 6] = ["tablet", "router", "phone", "camera", "watch", "van"];
/// After so many kills a world must come to rest.
const KILLS_BETWEEN_RESTS: usize = 12;
/// A process that has not passed its point by then, since every card waits for evidence, dies all the same. Each time
/// that it has to be waited for again, it is given twice as long.
const POINT_COMES_WITHIN: Duration = Duration::from_secs(3);
/// How often a point is waited for, with a rest between, before nobody can be said to pass it.
const WAITS_FOR_POINT: u32 = 5;
/// Between two looks at which card is at rest and needs something new.
const NEED_EVERY: Duration = Duration::from_millis(40);
/// How many times as fast as the machine's clock: a reading is too old for an order after five seconds, so that a machine
/// that is busy with other things still gets somewhere.
const SPEED: u32 = 120;
/// How long an order is pending, and until it can be found: less than the time to the first look-up.
const ORDER_TAKES_SECS: i64 = 5;

/// What was done, and what came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: usize,
    pub(crate) needs: usize,
    pub(crate) mails: usize,
    pub(crate) mails_twice: usize,
    pub(crate) texts: usize,
    pub(crate) texts_twice: usize,
    /// Texts that were given up by rule, since sending them again costs money; the mail beside them arrived.
    pub(crate) texts_given_up: usize,
    pub(crate) questions: usize,
    pub(crate) at_points: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.needs += other.needs;
        self.mails += other.mails;
        self.mails_twice += other.mails_twice;
        self.texts += other.texts;
        self.texts_twice += other.texts_twice;
        self.texts_given_up += other.texts_given_up;
        self.questions += other.questions;
        for (point, deaths) in &other.at_points {
            *self.at_points.entry(point).or_default() += deaths;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, needs, mails, mails_twice, texts, texts_twice, texts_given_up, questions, at_points } = self;
        let at_points: usize = at_points.values().sum();
        write!(
            out,
            "{kills} kills ({at_points} at points), {needs} needs, each bought for once; {mails} mails, {mails_twice} of \
             them twice; {texts} texts, {texts_twice} of them twice, {texts_given_up} given up; {questions} questions"
        )
    }
}

/// A real mail server that takes everything.
pub(crate) enum Post {
    Plain(Sink),
    /// Over STARTTLS, with a login.
    Secure(SecureServer),
}

impl Post {
    /// The server, and its channel in `simkeeper.toml`.
    fn open(secure: bool, folder: &Path) -> (Self, String) {
        if secure {
            let server = SecureServer::start("starttls");
            let password = folder.join("smtp");
            std::fs::write(&password, "right password\n").unwrap();
            std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
            let table = format!(
                "[channel.mail]\nkind = \"smtp\"\nhost = \"localhost\"\nport = {}\ntls = \"starttls\"\nuser = \"keeper\"\n\
                 password = {{ file = \"{}\" }}\nca_file = \"{}\"\nfrom = \"keeper@example.net\"\n",
                server.port,
                password.display(),
                server.authority().display()
            );
            return (Self::Secure(server), table);
        }
        let port = free_port();
        let table = format!(
            "[channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"keeper@example.net\"\n"
        );
        (Self::Plain(Sink::start(port, &folder.join("mails"), &[])), table)
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        match self {
            Self::Plain(sink) => sink.mails(),
            Self::Secure(server) => server.mails().into_iter().map(|(_, mail)| mail).collect(),
        }
    }
}

/// A world in which processes die.
pub(crate) struct Trial<'a> {
    pub(crate) name: String,
    pub(crate) class: Class,
    pub(crate) world: World,
    pub(crate) dice: Dice,
    faulty: bool,
    /// How often each card needed a renewal.
    pub(crate) needs: BTreeMap<String, usize>,
    pub(crate) post: Post,
    pub(crate) kannel: &'a Kannel,
    /// Whoever is told; the number is this world's alone.
    pub(crate) number: String,
    /// How often the process died while a notice was on its way, by the notice's id.
    pub(crate) died_on_the_way: BTreeMap<i64, usize>,
    /// Orders that were found in the journal already.
    pub(crate) in_journal: usize,
    pub(crate) tally: Tally,
}

/// What the operator took and what the record says, at one moment.
pub(crate) struct Books {
    pub(crate) orders: Vec<AcceptedOrder>,
    pub(crate) attempts: Vec<Attempt>,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(number: usize, class: Class, faulty: bool, seed: u64, kannel: &'a Kannel) -> Self {
        let secure_mail = number % 4 == 3;
        let name = format!(
            "world {number}: {}{}{}",
            class.as_str(),
            if faulty { " with faults" } else { "" },
            if secure_mail { ", mail by STARTTLS" } else { "" }
        );
        let settings = Settings {
            class,
            wallet: Money::new(10_000_000_000, Currency::USD),
            order_takes_secs: ORDER_TAKES_SECS,
            listing_delay_secs: ORDER_TAKES_SECS,
            ..quick()
        };
        let mut world = World::with(SPEED, settings).secure();
        for card in CARDS {
            world = world.card(card, full, AUTO);
        }
        let needs = world.names().into_iter().map(|card| (card, 0)).collect();
        let (post, mail) = Post::open(secure_mail, world.folder());
        world.machine.tables = format!("{mail}{}", kannel.channel(world.folder()));
        let number = format!("+1613{:07}", 5_550_000 + number);
        world.machine.person = format!("sms = \"{number}\"\n");
        world.write_files();
        Self {
            name,
            class,
            world,
            dice: Dice::new(seed),
            faulty,
            needs,
            post,
            kannel,
            number,
            died_on_the_way: BTreeMap::new(),
            in_journal: 0,
            tally: Tally::default(),
        }
    }

    /// Kills until so many have died, and a last rest.
    pub(crate) fn run(&mut self, kills: usize) {
        let mut deaths = Vec::new();
        let mut rested_at = 0;
        while self.tally.kills < kills {
            let Some(death) = deaths.pop() else {
                deaths = self.dice.deaths();
                continue;
            };
            self.die(&death);
            if self.tally.kills - rested_at >= KILLS_BETWEEN_RESTS {
                self.rest();
                rested_at = self.tally.kills;
            }
        }
        self.rest();
        self.tally.needs = self.needs.values().sum();
    }

    /// One process, from its start to its death.
    fn die(&mut self, death: &Death) {
        match death {
            Death::AtPoint(point, visit) => {
                let passed = (0..WAITS_FOR_POINT).any(|wait| {
                    if wait > 0 {
                        self.rest();
                    }
                    self.die_at(point, *visit, POINT_COMES_WITHIN * 2_u32.pow(wait))
                });
                assert!(passed, "{}: {point} was never passed\n{}", self.name, self.world.state_of_affairs());
                *self.tally.at_points.entry(point).or_default() += 1;
            }
            Death::After(wait) => self.die_after(*wait),
        }
    }

    /// Needs come up until the point is passed, or for so long; says whether it was.
    fn die_at(&mut self, point: &str, visit: u32, within: Duration) -> bool {
        self.launch(vec![("SIMKEEPER_CRASH_AT", format!("{point}:{visit}").into())]);
        let begun = Instant::now();
        let (mut passed, mut looked_at) = (false, None::<Instant>);
        while !passed && begun.elapsed() < within {
            if looked_at.is_none_or(|at| at.elapsed() > NEED_EVERY) {
                self.need();
                looked_at = Some(Instant::now());
            }
            std::thread::park_timeout(Duration::from_millis(4));
            passed = !self.world.keeper().is_running();
        }
        self.buried();
        passed
    }

    fn die_after(&mut self, wait: Duration) {
        self.launch(vec![]);
        let begun = Instant::now();
        while let Some(left) = wait.checked_sub(begun.elapsed()) {
            std::thread::park_timeout(left.min(NEED_EVERY));
            self.need();
        }
        self.buried();
    }

    /// A start some time later, unless too much has died of late for the queue to bear one more.
    fn launch(&mut self, environment: Vec<(&'static str, OsString)>) {
        self.let_notices_pass();
        let off = self.dice.time_off();
        self.world.jump(off);
        self.need();
        self.world.environment(environment);
        self.world.launch();
    }

    pub(crate) fn buried(&mut self) {
        let ended = self.world.kill();
        assert_eq!(ended.signal(), Some(9), "{}: it ended by itself\n{}", self.name, self.world.state_of_affairs());
        self.tally.kills += 1;
        for notice in self.world.notices().iter().filter(|notice| notice.state == "claimed") {
            *self.died_on_the_way.entry(notice.id).or_default() += 1;
        }
        self.check_orders();
    }

    /// Each card that is at rest needs a renewal again.
    fn need(&mut self) {
        let books = self.books();
        for card in self.world.names() {
            if !self.is_met(&books, &card) {
                continue;
            }
            let iccid = self.world.iccid(&card);
            if self.faulty && self.dice.below(2) == 0 {
                let fault = self.dice.some_fault();
                self.world.sandbox.fault(Fault::on(&iccid, Call::Buy, fault)).unwrap();
            }
            if self.faulty && self.dice.below(4) == 0 {
                let (call, fault) = self.dice.one_of(&[
                    (Call::Read, FaultKind::StaleReading),
                    (Call::Find, FaultKind::ServerError { status: 502, accepted: false }),
                    (Call::Find, FaultKind::LostAfter),
                    (Call::Preflight, FaultKind::LostBefore),
                    (Call::Catalogue, FaultKind::Html { accepted: false }),
                ]);
                self.world.sandbox.fault(Fault::on(&iccid, call, fault)).unwrap();
            }
            let needs = self.needs.get_mut(&card).unwrap();
            // 50 MB stay each time.
            let used = if *needs == 0 { 950_000_000 } else { 1_000_000_000 };
            *needs += 1;
            self.world.sandbox.use_data(&iccid, used).unwrap();
        }
    }

    pub(crate) fn books(&self) -> Books {
        // The record first: an order that is closed there was taken before.
        let attempts = self.world.record().map(|record| record.attempts()).unwrap_or_default();
        Books { orders: self.world.sandbox.accepted_orders(), attempts }
    }

    /// Whether a card's needs are bought for and closed.
    pub(crate) fn is_met(&self, books: &Books, card: &str) -> bool {
        let (iccid, needs) = (self.world.iccid(card), self.needs[card]);
        let of_card = || books.attempts.iter().filter(|attempt| attempt.card == card);
        books.orders.iter().filter(|order| order.card == iccid).count() == needs
            && of_card().filter(|attempt| attempt.state == "done").count() == needs
            && !of_card().any(Attempt::is_open)
    }
}
