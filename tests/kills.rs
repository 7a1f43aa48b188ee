//! kill -9 at every named point of a renewal and at random moments, for all classes of operators, with and without
//! faults. Whatever dies when: each need is bought for once, every notice arrives, and the record is whole.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail as loudly as tests")]

#[expect(dead_code, reason = "each test program uses its part of the world")]
mod world;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use simkeeper::daemon::crash::POINTS;
use simkeeper::domain::retry::mixed;
use simkeeper::domain::time::Secs;
use simkeeper::sandbox::{Call, Class, Fault, FaultKind};

use world::files::AUTO;
use world::mailbox::{Sink, free_port};
use world::{CLASSES, World, full};

/// Fewer would not be the test that it claims to be.
const KILLS_MIN: usize = 200;
/// Kills at moments of chance, for each world.
const RANDOM_KILLS: usize = 12;
/// After so many kills a world must come to rest. A notice that is on its way at three deaths is set aside as poison.
const KILLS_BETWEEN_RESTS: usize = 2;
/// A process that has not passed its point by then, since every card waits for evidence, dies all the same.
const POINT_COMES_WITHIN: Duration = Duration::from_secs(4);
/// How often a point is waited for, with a rest between, before nobody can be said to pass it.
const WAITS_FOR_POINT: u32 = 6;
/// How long a rest is watched before the machine sleeps a while.
const REST_WATCHED: Duration = Duration::from_millis(800);
/// Worlds at once.
const HANDS: usize = 2;

/// How a process dies.
#[derive(Clone, Debug)]
enum Death {
    /// When it passes a point for the so-manieth time.
    AtPoint(&'static str, u32),
    /// So long after its start.
    After(Duration),
}

/// Numbers that look like chance and come again with the same seed.
struct Dice {
    seed: u64,
    thrown: u32,
}

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.thrown += 1;
        mixed(self.seed, self.thrown) % most
    }

    fn shuffled<T>(&mut self, mut things: Vec<T>) -> Vec<T> {
        for place in (1..things.len()).rev() {
            let other = usize::try_from(self.below(place as u64 + 1)).expect("small");
            things.swap(place, other);
        }
        things
    }
}

/// A world in which processes die.
struct Trial {
    name: String,
    class: Class,
    world: World,
    dice: Dice,
    faulty: bool,
    /// How often each card needed a renewal.
    needs: BTreeMap<String, usize>,
    sink: Option<(Sink, PathBuf)>,
    kills: usize,
}

impl Trial {
    fn new(class: Class, faulty: bool, seed: u64) -> Self {
        let name = format!("{}{}", class.as_str(), if faulty { " with faults" } else { "" });
        let mut world = World::of(class, 600);
        for card in ["tablet", "router", "phone"] {
            world = world.card(card, full, AUTO);
        }
        let needs = world.names().into_iter().map(|card| (card, 0)).collect();
        // Half of the worlds send their mails to a real server, the others into files.
        let sink = faulty.then(|| {
            let (port, folder) = (free_port(), world.folder().join("mails"));
            world.machine.tables = format!(
                "[channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"keeper@example.net\"\n"
            );
            (Sink::start(port, &folder, &[]), folder)
        });
        world.write_files();
        let dice = Dice { seed, thrown: 0 };
        Self { name, class, world, dice, faulty, needs, sink, kills: 0 }
    }

    /// Every point at its first and second passing, and moments of chance, in an order of chance.
    fn deaths(&mut self) -> Vec<Death> {
        let mut deaths: Vec<Death> = Vec::new();
        for point in POINTS {
            deaths.extend([1, 2].map(|visit| Death::AtPoint(point, visit)));
        }
        deaths.extend((0..RANDOM_KILLS).map(|_| Death::After(Duration::from_millis(self.dice.below(500)))));
        self.dice.shuffled(deaths)
    }

    fn run(&mut self) {
        let deaths = self.deaths();
        for few in deaths.chunks(KILLS_BETWEEN_RESTS) {
            for death in few {
                self.die(death);
            }
            self.rest();
        }
    }

    /// One process, from its start to its death.
    fn die(&mut self, death: &Death) {
        match death {
            Death::AtPoint(point, visit) => {
                let passed = (0..WAITS_FOR_POINT).any(|wait| {
                    if wait > 0 {
                        self.rest();
                    }
                    self.die_at(point, *visit)
                });
                assert!(passed, "{}: {point} was never passed\n{}", self.name, self.world.state_of_affairs());
            }
            Death::After(wait) => self.die_after(*wait),
        }
    }

    /// Needs come up until the point is passed; says whether it was.
    fn die_at(&mut self, point: &str, visit: u32) -> bool {
        self.launch(vec![("SIMKEEPER_CRASH_AT", format!("{point}:{visit}").into())]);
        let begun = Instant::now();
        let mut passed = false;
        while !passed && begun.elapsed() < POINT_COMES_WITHIN {
            self.need();
            std::thread::park_timeout(Duration::from_millis(10));
            passed = !self.world.keeper().is_running();
        }
        self.buried();
        passed
    }

    fn die_after(&mut self, wait: Duration) {
        self.need();
        self.launch(vec![]);
        let begun = Instant::now();
        while let Some(left) = wait.checked_sub(begun.elapsed()) {
            self.need();
            std::thread::park_timeout(left.min(Duration::from_millis(20)));
        }
        self.buried();
    }

    /// A start some time later.
    fn launch(&mut self, environment: Vec<(&'static str, OsString)>) {
        self.world.jump(Secs(i64::try_from(self.dice.below(2 * 3_600)).expect("small")));
        self.world.environment(environment);
        self.world.launch();
    }

    fn buried(&mut self) {
        let ended = self.world.kill();
        assert_eq!(ended.signal(), Some(9), "{}: it ended by itself\n{}", self.name, self.world.state_of_affairs());
        self.kills += 1;
        self.check_orders();
    }

    /// Each card that is at rest needs a renewal again.
    fn need(&mut self) {
        for card in self.world.names() {
            if !self.is_met(&card) || !self.is_closed(&card) {
                continue;
            }
            if self.faulty && self.dice.below(2) == 0 {
                let fault = self.some_fault();
                self.world.sandbox.fault(Fault::on(&self.world.iccid(&card), Call::Buy, fault)).unwrap();
            }
            let needs = self.needs.get_mut(&card).unwrap();
            // 50 MB stay each time.
            let used = if *needs == 0 { 950_000_000 } else { 1_000_000_000 };
            *needs += 1;
            self.world.sandbox.use_data(&self.world.iccid(&card), used).unwrap();
        }
    }

    fn some_fault(&mut self) -> FaultKind {
        let faults = [
            FaultKind::LostBefore,
            FaultKind::LostAfter,
            FaultKind::ServerError { status: 500, accepted: true },
            FaultKind::ServerError { status: 503, accepted: false },
            FaultKind::CutBody { accepted: true },
            FaultKind::Html { accepted: false },
            FaultKind::AcceptedLate { secs: 40 },
            FaultKind::Doubled,
        ];
        let place = usize::try_from(self.dice.below(faults.len() as u64)).expect("small");
        faults[place].clone()
    }

    fn is_met(&self, card: &str) -> bool {
        self.world.orders(card).len() == self.needs[card]
    }

    fn is_closed(&self, card: &str) -> bool {
        let attempts = self.world.attempts(card);
        let done = attempts.iter().filter(|attempt| attempt.state == "done").count();
        done == self.needs[card] && !attempts.iter().any(world::record::Attempt::is_open)
    }

    /// Without further deaths everything settles: by evidence, by time, and where neither helps by a person.
    fn rest(&mut self) {
        self.world.environment(vec![]);
        let sleeps = match self.class {
            Class::KeyHonoured { .. } | Class::LookupOnly => [Secs::minutes(15), Secs::hours(3), Secs::hours(26)],
            // Where nothing can be looked up, people are asked after two days.
            Class::Neither => [Secs::hours(50), Secs::minutes(15), Secs::hours(3)],
        };
        for sleep in sleeps.into_iter().cycle().take(15) {
            self.world.begin();
            if self.settles() {
                break;
            }
            self.people_help();
            self.world.stop();
            self.world.jump(sleep);
        }
        assert!(self.is_settled(), "{} does not come to rest\n{}", self.name, self.world.state_of_affairs());
        self.world.stop();
        self.check_orders();
        self.check_mails();
        self.check_record();
    }

    fn settles(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < REST_WATCHED {
            if self.is_settled() {
                return true;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        false
    }

    fn is_settled(&self) -> bool {
        let met = self.world.names().iter().all(|card| self.is_met(card) && self.is_closed(card));
        met && self.world.notices().iter().all(|notice| notice.state == "sent")
    }

    /// A person answers questions from the operator's book, and renews by hand what was tried three times in vain.
    fn people_help(&self) {
        let attempts = self.world.record().unwrap().attempts();
        for asked in attempts.iter().filter(|attempt| attempt.state == "human") {
            self.world.settle_by_the_book(asked);
        }
        for card in self.world.names() {
            let own: Vec<_> = attempts.iter().filter(|attempt| attempt.card == card).collect();
            let in_vain = own.iter().rev().take_while(|attempt| attempt.state != "done").count();
            if in_vain >= 3 && !own.iter().any(|attempt| attempt.is_open()) {
                let shown = self.world.ask(&json!({ "do": "preview", "card": card }));
                let renew = json!({ "do": "renew", "card": card, "plan": shown["plan"], "price": shown["price"] });
                let _told = self.world.ask(&renew);
            }
        }
    }

    /// P1: never more orders than needs, and none that the journal does not know.
    fn check_orders(&self) {
        let journal = std::fs::read_to_string(self.world.state().join("orders.journal")).unwrap_or_default();
        for (card, needs) in &self.needs {
            let orders = self.world.orders(card);
            assert!(
                orders.len() <= *needs,
                "{}: {needs} needs of {card}, {orders:#?}\n{}",
                self.name,
                self.world.state_of_affairs()
            );
            for order in orders {
                assert!(journal.contains(&order.key), "{}: {order:?} is not in the journal", self.name);
            }
        }
    }

    /// P5: each notice left; twice only if the process died while it was on its way.
    fn check_mails(&self) {
        let mails = match &self.sink {
            Some((sink, _)) => sink.mails(),
            None => self.world.mails(),
        };
        let notices = self.world.notices();
        for notice in &notices {
            let id = notice.message_id.trim_matches(['<', '>']);
            let copies = mails.iter().filter(|mail| mail.id == id).count();
            let most = if self.sink.is_some() { notice.tries as usize } else { 1 };
            assert!((1..=most).contains(&copies), "{}: {copies} copies of {notice:?}", self.name);
        }
        for attempt in self.world.record().unwrap().attempts().iter().filter(|attempt| attempt.state == "done") {
            let told = notices.iter().any(|notice| notice.kind == "bought" && notice.attempt == Some(attempt.id));
            assert!(told, "{}: nobody was told of {attempt:?}", self.name);
        }
    }

    fn check_record(&self) {
        let record = self.world.record().unwrap();
        assert_eq!(record.damage(), Vec::<String>::new(), "{}", self.name);
        assert_eq!(record.quarantined(), 0, "{}: the record was taken for an older one", self.name);
    }
}

#[test]
fn whatever_dies_when_each_need_is_bought_for_once_and_every_notice_arrives() {
    let seed = std::env::var("SIMKEEPER_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_201);
    println!("seed {seed}; another: SIMKEEPER_SEED=…");
    let trials: Vec<(Class, bool)> = CLASSES.into_iter().flat_map(|class| [(class, false), (class, true)]).collect();
    let (waiting, kills, orders) = (Mutex::new(trials), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|hands| {
        for _ in 0..HANDS {
            hands.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().pop();
                    let Some((class, faulty)) = next else { return };
                    let begun = Instant::now();
                    let mut trial = Trial::new(class, faulty, seed ^ u64::from(faulty));
                    trial.run();
                    kills.fetch_add(trial.kills, Ordering::SeqCst);
                    orders.fetch_add(trial.needs.values().sum(), Ordering::SeqCst);
                    println!("{}: {} kills, {:?}", trial.name, trial.kills, begun.elapsed());
                }
            });
        }
    });
    let kills = kills.into_inner();
    println!("{kills} kills, {} needs, each bought for once", orders.into_inner());
    assert!(kills >= KILLS_MIN, "only {kills} kills");
}
