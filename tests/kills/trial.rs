//! A world in which processes die: needs come up while they do, and everything is looked at after each death.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::{Duration, Instant};

use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::time::Secs;
use simkeeper::sandbox::{Class, Settings};

use crate::chance::{COPY_POINT, Death, Dice, FIRST_POINTS};
use crate::needs::Traces;
use crate::pace::Pace;
use crate::world::files::AUTO;
use crate::world::keeper;
use crate::world::mailbox::{Mail, SecureServer, Sink, free_port};
use crate::world::texts::Kannel;
use crate::world::{World, full, quick};

/// Enough that some card is always at the point that a death waits for.
const CARDS: [&str; 6] = ["tablet", "router", "phone", "camera", "watch", "van"];
/// After so many kills a world must come to rest.
const KILLS_BETWEEN_RESTS: usize = 12;
/// A process that has not passed its point by then, in the story's time, since every card waits for evidence, dies all
/// the same. Each time that it has to be waited for again, it is given twice as long.
const POINT_COMES_WITHIN: Secs = Secs::minutes(8);
/// How often a point is waited for, with a rest between, before nobody can be said to pass it.
const WAITS_FOR_POINT: u32 = 7;
/// Between two looks at which card is at rest and needs something new.
const NEED_EVERY: Duration = Duration::from_millis(50);
/// Between two looks at whether a process has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Until the first start, when the machine's pace is asked for.
const FIRST_SPEED: u32 = 100;
/// How long an order is pending, and until it can be found: less than the time to the first look-up.
const ORDER_TAKES_SECS: i64 = 5;

/// What was done, and what came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: usize,
    pub(crate) sleeps: usize,
    pub(crate) needs: usize,
    pub(crate) orders: usize,
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
        self.sleeps += other.sleeps;
        self.needs += other.needs;
        self.orders += other.orders;
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
        let at_points: usize = self.at_points.values().sum();
        let Self { kills, sleeps, needs, orders, questions, .. } = self;
        let Self { mails, mails_twice, texts, texts_twice, texts_given_up, .. } = self;
        write!(
            out,
            "{kills} kills ({at_points} at points), {sleeps} sleeps; {needs} needs, {orders} orders, {questions} questions; \
             {mails} mails, {mails_twice} of them twice; {texts} texts, {texts_twice} of them twice, {texts_given_up} given up"
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

/// What all worlds have in common.
pub(crate) struct Shared {
    pub(crate) kannel: Kannel,
    pub(crate) pace: Pace,
    /// Whether the program has named points. One that was built elsewhere is taken for a release, which has none, and
    /// dies at moments of chance alone.
    pub(crate) has_points: bool,
}

impl Shared {
    pub(crate) fn open() -> Self {
        Self { kannel: Kannel::start(), pace: Pace::new(), has_points: !keeper::is_another_program() }
    }
}

/// A world in which processes die.
pub(crate) struct Trial<'a> {
    pub(crate) name: String,
    pub(crate) class: Class,
    pub(crate) world: World,
    pub(crate) dice: Dice,
    pub(crate) faulty: bool,
    /// How often each card needed a renewal.
    pub(crate) needs: BTreeMap<String, usize>,
    pub(crate) post: Post,
    pub(crate) shared: &'a Shared,
    /// How many times the story's time was halved, since nothing settles.
    pub(crate) halvings: u32,
    /// What was there to see when needs came up last.
    pub(crate) traces_at_need: Option<Traces>,
    /// When the process was started, until it answers.
    started: Option<Instant>,
    /// Whoever is told; the number is this world's alone.
    pub(crate) number: String,
    /// How often the process died while a notice was on its way, by the notice's id.
    pub(crate) died_on_the_way: BTreeMap<i64, usize>,
    /// Orders that were found in the journal already.
    pub(crate) in_journal: usize,
    pub(crate) tally: Tally,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(number: usize, class: Class, faulty: bool, seed: u64, shared: &'a Shared) -> Self {
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
        let mut world = World::with(FIRST_SPEED, settings).with_settable_clock().secure();
        for card in CARDS {
            world = world.card(card, full, AUTO);
        }
        let needs = world.names().into_iter().map(|card| (card, 0)).collect();
        let (post, mail) = Post::open(secure_mail, world.folder());
        world.machine.tables = format!("{mail}{}", shared.kannel.channel(world.folder()));
        let number = format!("+1613{:07}", 5_550_000 + number);
        // No answer is hung up on here, so that one that takes longer was only slow.
        world.machine.account = "time_limit = \"60s\"\n".to_owned();
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
            shared,
            halvings: 0,
            traces_at_need: None,
            started: None,
            number,
            died_on_the_way: BTreeMap::new(),
            in_journal: 0,
            tally: Tally::default(),
        }
    }

    /// Kills until so many have died, and a last rest.
    pub(crate) fn run(&mut self, kills: usize) {
        let mut deaths: Vec<Death> = Vec::new();
        if self.shared.has_points {
            deaths.extend(FIRST_POINTS.into_iter().rev().map(|point| Death::AtPoint(point, 1)));
        }
        let mut rested_at = 0;
        while self.tally.kills < kills {
            let Some(death) = deaths.pop() else {
                deaths = if self.shared.has_points { self.dice.deaths() } else { self.dice.random_deaths() };
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
        self.tally.orders = self.world.sandbox.accepted_orders().len();
    }

    /// One process, from its start to its death.
    fn die(&mut self, death: &Death) {
        match death {
            Death::AtPoint(point, visit) => {
                let passed = (0..WAITS_FOR_POINT).any(|wait| {
                    if wait > 0 {
                        self.rest();
                    }
                    self.die_at(point, *visit, Secs(POINT_COMES_WITHIN.0 << wait))
                });
                assert!(passed, "{}: {point} was never passed\n{}", self.name, self.world.state_of_affairs());
                *self.tally.at_points.entry(point).or_default() += 1;
            }
            Death::After(wait) => self.die_after(*wait),
        }
    }

    /// Needs come up until the point is passed, or for so long; says whether it was. Half of that is waited for awake,
    /// and half after a sleep of the machine.
    fn die_at(&mut self, point: &str, visit: u32, within: Secs) -> bool {
        self.launch(vec![("SIMKEEPER_CRASH_AT", format!("{point}:{visit}").into())]);
        let mut copy_asked_for = None;
        let mut until = self.world.now().plus(Secs(within.0 / 2));
        let (mut passed, mut has_slept) = (false, false);
        let mut looked_at = None::<Instant>;
        while !passed {
            if looked_at.is_none_or(|at| at.elapsed() > NEED_EVERY) {
                self.need();
                if self.has_answered() && point == COPY_POINT && copy_asked_for.is_none() {
                    copy_asked_for = keeper::ask_for_copy(self.world.folder());
                }
                looked_at = Some(Instant::now());
            }
            if self.world.now() > until {
                if has_slept {
                    break;
                }
                has_slept = true;
                let asleep = self.dice.time_off();
                self.sleep(asleep);
                until = self.world.now().plus(Secs(within.0 / 2));
            }
            std::thread::park_timeout(LOOK_EVERY);
            passed = !self.world.keeper().is_running();
        }
        self.buried();
        passed
    }

    fn die_after(&mut self, hundredths_of_a_start: u32) {
        let wait = self.shared.pace.start() * hundredths_of_a_start / 100;
        self.launch(vec![]);
        let begun = Instant::now();
        while let Some(left) = wait.checked_sub(begun.elapsed()) {
            std::thread::park_timeout(left.min(NEED_EVERY));
            self.need();
            self.has_answered();
        }
        self.buried();
    }

    pub(crate) fn sleep(&mut self, length: Secs) {
        self.tally.sleeps += 1;
        self.world.sleep(length);
    }

    /// Starts the process, in a time that goes as fast as this machine can follow.
    pub(crate) fn set_off(&mut self) {
        self.world.clock().go_at(self.shared.pace.speed(self.halvings));
        self.started = Some(Instant::now());
        self.world.launch();
    }

    /// Whether the process has answered; how long that took is what everybody's time goes by.
    pub(crate) fn has_answered(&mut self) -> bool {
        let Some(begun) = self.started else { return true };
        if keeper::is_ready(self.world.folder()) {
            self.shared.pace.started_in(begun.elapsed());
            self.started = None;
        }
        self.started.is_none()
    }

    /// A start some time later, unless too much has died of late for the queue to bear one more.
    fn launch(&mut self, environment: Vec<(&'static str, OsString)>) {
        self.let_notices_pass();
        let off = self.dice.time_off();
        self.world.jump(off);
        self.need();
        self.world.environment(environment);
        self.set_off();
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
}
