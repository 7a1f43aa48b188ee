//! A whole world for the daemon: an operator over real HTTP, the real program as a process, a real record, real mails.
//!
//! A world has a clock that runs fast and on which operator and daemon agree. Long waits are nights in which the machine
//! is off: [`World::pass`]. What counts is what the operator took, not what the daemon believes.

pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod front;
pub(crate) mod keeper;
pub(crate) mod mailbox;
pub(crate) mod record;
pub(crate) mod texts;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::sandbox::{AcceptedOrder, Call, Class, Fault, FaultKind, NewCard, Running, Sandbox, Settings, serve};

use self::clock::StoryClock;
use self::files::{CardLines, MachineLines};
use self::keeper::Keeper;
use self::mailbox::{Certificate, Mail};
use self::record::{Attempt, Notice, Record};

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);
/// Between one look and the next.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How many times as fast as the machine's clock a world's runs, unless told: ten minutes are two seconds.
const USUAL_SPEED: u32 = 300;

/// The class that honours keys, for a day.
pub(crate) const KEYED: Class = Class::KeyHonoured { window_secs: 86_400 };
/// All classes of operators.
pub(crate) const CLASSES: [Class; 3] = [KEYED, Class::LookupOnly, Class::Neither];

/// Polls until there is something, or fails after [`PATIENCE`].
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::park_timeout(LOOK_EVERY);
    }
}

/// An operator, a daemon, and everything between them.
pub(crate) struct World {
    keeper: Option<Keeper>,
    operator: Option<Running>,
    pub(crate) sandbox: Sandbox,
    runtime: tokio::runtime::Runtime,
    clock: StoryClock,
    pub(crate) machine: MachineLines,
    cards: Vec<CardLines>,
    base_url: String,
    environment: Vec<(&'static str, OsString)>,
    /// Whether the daemon goes by the machine's clock, as it must where an account is no sandbox.
    pub(crate) real_time: bool,
    /// What the daemon trusts beside nothing: the root of an operator behind TLS.
    root: Option<PathBuf>,
    folder: tempfile::TempDir,
}

impl World {
    /// An operator that honours keys, without cards; the daemon is not started yet.
    pub(crate) fn new() -> Self {
        Self::of(KEYED, USUAL_SPEED)
    }

    /// An operator of a class, in a world of a speed.
    pub(crate) fn of(class: Class, speed: u32) -> Self {
        Self::with(speed, Settings { class, ..quick() })
    }

    pub(crate) fn with(speed: u32, settings: Settings) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let clock = StoryClock::starting(speed);
        let tells = clock.clone();
        let operator = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            serve(listener, settings, Arc::new(move || tells.now())).await.expect("an operator")
        });
        Self {
            keeper: None,
            sandbox: operator.sandbox.clone(),
            base_url: operator.base_url(),
            operator: Some(operator),
            runtime,
            clock,
            machine: MachineLines::default(),
            cards: Vec::new(),
            environment: Vec::new(),
            real_time: false,
            root: None,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// The daemon's own clock may be set while it runs.
    pub(crate) fn with_settable_clock(mut self) -> Self {
        let folder = self.folder().to_owned();
        self.clock.follow(&folder);
        self
    }

    /// The operator is behind TLS, with a certificate that only a root of this world vouches for.
    pub(crate) fn secure(self) -> Self {
        self.secured_by(Certificate::Good)
    }

    /// The operator is behind TLS with such a certificate.
    pub(crate) fn secured_by(mut self, certificate: Certificate) -> Self {
        mailbox::certificates(self.folder(), certificate);
        let operator = self.operator.as_ref().expect("it runs until the world ends").addr;
        let port = self.runtime.block_on(front::open(self.folder(), operator));
        self.base_url = format!("https://localhost:{port}");
        self.root = (certificate != Certificate::Strangers).then(|| self.folder().join("ca.pem"));
        self
    }

    /// Adds a card with a rule of its own.
    pub(crate) fn card(mut self, name: &str, sim: impl FnOnce(NewCard, UnixTime) -> NewCard, rule: &str) -> Self {
        let place = u32::try_from(self.cards.len()).expect("few cards");
        let iccid = Sandbox::fleet_iccid(place + 100);
        self.sandbox.add_card(sim(NewCard::new(&iccid), self.now())).expect("a card");
        self.cards.push(CardLines { name: name.to_owned(), iccid, accounts: vec!["try"], rule: rule.to_owned() });
        self
    }

    /// The last card's orders, or whatever else, go wrong.
    pub(crate) fn fault(self, call: Call, kind: FaultKind, times: u32) -> Self {
        let card = &self.cards.last().expect("a card").iccid;
        self.sandbox.fault(Fault::on(card, call, kind).times(times)).expect("a fault");
        self
    }

    /// The last card is at another account.
    pub(crate) fn at(mut self, account: &'static str) -> Self {
        self.cards.last_mut().expect("a card").accounts = vec![account];
        self
    }

    /// The last card is sold for by this account too; it is another one at the same operator.
    pub(crate) fn sold_also_by(mut self, account: &'static str, lines: &str) -> Self {
        self.cards.last_mut().expect("a card").accounts.push(account);
        let table = format!("[operator.{account}]\nkind = \"sandbox\"\nbase_url = \"{}\"\n{lines}\n", self.base_url);
        self.machine.tables.push_str(&table);
        self
    }

    /// Further tables of `simkeeper.toml`.
    pub(crate) fn tables(mut self, lines: &str) -> Self {
        self.machine.tables.push_str(lines);
        self
    }

    /// What the daemon finds in its environment.
    pub(crate) fn environment(&mut self, environment: Vec<(&'static str, OsString)>) {
        self.environment = environment;
    }

    /// Writes the files and starts the daemon.
    pub(crate) fn start(mut self) -> Self {
        self.write_files();
        self.begin();
        self
    }

    pub(crate) fn write_files(&self) {
        files::write(self.folder(), &self.base_url, &self.machine, &self.cards);
    }

    /// Starts the daemon and waits until it answers.
    pub(crate) fn begin(&mut self) {
        self.launch();
        self.until("the daemon to answer", |world| keeper::is_ready(world.folder()));
    }

    /// Starts the daemon.
    pub(crate) fn launch(&mut self) {
        let mut environment = self.environment.clone();
        environment.extend(self.root.iter().map(|root| ("SSL_CERT_FILE", root.into())));
        let clock = if self.real_time { String::new() } else { self.clock.words() };
        self.keeper = Some(Keeper::start(self.folder(), &clock, &environment));
    }

    /// Where the operator listens.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The daemon's process.
    pub(crate) fn keeper(&mut self) -> &mut Keeper {
        self.keeper.as_mut().expect("it was started")
    }

    /// Stops the daemon in good order.
    pub(crate) fn stop(&mut self) {
        let ended = self.keeper.take().expect("it was started").stop();
        assert!(ended.success(), "{ended}\n{}", self.state_of_affairs());
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) -> ExitStatus {
        self.keeper.take().expect("it was started").kill()
    }

    /// Stops the daemon, lets time pass, and starts it again.
    pub(crate) fn pass(&mut self, length: Secs) {
        self.stop();
        self.clock.jump(length);
        self.begin();
    }

    /// Lets time pass while no daemon runs.
    pub(crate) fn jump(&self, length: Secs) {
        assert!(self.keeper.is_none(), "no clock jumps under a running daemon");
        self.clock.jump(length);
    }

    /// The machine sleeps under a running daemon that follows a file, and wakes up.
    pub(crate) fn sleep(&mut self, length: Secs) {
        self.keeper().signal(Signal::STOP);
        self.clock.jump(length);
        self.keeper().signal(Signal::CONT);
    }

    /// Whether the daemon is stopped, by whomever.
    pub(crate) fn is_asleep(&self) -> bool {
        self.keeper.as_ref().is_some_and(Keeper::is_asleep)
    }

    /// Has the daemon read its files again.
    pub(crate) fn hang_up(&mut self) {
        self.keeper().signal(Signal::HUP);
    }

    /// Gives a card other accounts; nobody is told.
    pub(crate) fn sellers(&mut self, card: &str, accounts: &[&'static str]) {
        let lines = self.cards.iter_mut().find(|lines| lines.name == card).expect("a card");
        lines.accounts = accounts.to_vec();
        files::write_rules(self.folder(), &files::rules(&self.cards));
    }

    /// Gives a card another rule; nobody is told.
    pub(crate) fn change_rule(&mut self, card: &str, rule: &str) {
        let lines = self.cards.iter_mut().find(|lines| lines.name == card).expect("a card");
        lines.rule = rule.to_owned();
        files::write_rules(self.folder(), &files::rules(&self.cards));
    }

    /// Asks the daemon, as the commands do.
    pub(crate) fn ask(&self, request: &Value) -> Value {
        keeper::ask(self.folder(), request)
    }

    /// Asks for something that names a card or an attempt, and is done.
    pub(crate) fn told(&self, request: &Value) {
        let reply = self.ask(request);
        assert_eq!(reply["answer"], "done", "{request}: {reply}\n{}", self.state_of_affairs());
    }

    /// A person looks into the operator's book and says what became of an order.
    pub(crate) fn settle_by_the_book(&self, attempt: &Attempt) {
        let taken = self.sandbox.accepted_orders().iter().any(|order| Some(&order.key) == attempt.key.as_ref());
        let outcome = if taken { "bought" } else { "not_bought" };
        let request = json!({ "do": "settle", "id": attempt.id, "outcome": outcome, "reason": "the operator's book" });
        // It may have been settled by evidence in the same moment; then there is nothing to say.
        let reply = self.ask(&request);
        assert!(reply["answer"] == "done" || reply["why"] == "not_now", "{reply}");
    }

    /// Waits until something is so.
    pub(crate) fn until(&mut self, what: &str, mut look: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !look(self) {
            let gone = self.keeper.as_mut().is_some_and(|keeper| !keeper.is_running());
            assert!(!gone, "the daemon ended while a test waited for {what}\n{}", self.state_of_affairs());
            assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}\n{}", self.state_of_affairs());
            std::thread::park_timeout(LOOK_EVERY);
        }
    }

    /// Waits until a card has been read so often since now.
    pub(crate) fn until_read_again(&mut self, times: u64) {
        let reads = |world: &Self| world.sandbox.requests().get(&Call::Read).copied().unwrap_or(0);
        let goal = reads(self) + times;
        self.until("more readings", |world| reads(world) >= goal);
    }

    /// Waits for a mail about a card that says all of this.
    pub(crate) fn until_mail(&mut self, words: &[&str]) -> Mail {
        self.until(&format!("a mail that says {words:?}"), |world| world.mails().iter().any(|mail| mail.says(words)));
        self.mails().into_iter().find(|mail| mail.says(words)).expect("it was there a moment ago")
    }

    /// Waits until it was told so often that a card was renewed.
    pub(crate) fn until_bought(&mut self, card: &str, times: usize) {
        self.until(&format!("{card} to be renewed"), |world| world.told_of(card, "bought") == times);
    }

    /// Waits until the last attempt of a card is in this state.
    pub(crate) fn until_attempt(&mut self, card: &str, state: &str) -> Attempt {
        let last = |world: &Self| world.attempts(card).pop();
        self.until(&format!("{card} to be {state}"), |world| last(world).is_some_and(|attempt| attempt.state == state));
        last(self).expect("it was there a moment ago")
    }

    /// The orders that the operator took from the daemon for a card.
    pub(crate) fn orders(&self, card: &str) -> Vec<AcceptedOrder> {
        let iccid = self.iccid(card);
        let ours = |order: &AcceptedOrder| order.card == iccid && !order.by_person;
        self.sandbox.accepted_orders().into_iter().filter(ours).collect()
    }

    pub(crate) fn iccid(&self, card: &str) -> String {
        let lines = self.cards.iter().find(|lines| lines.name == card);
        lines.unwrap_or_else(|| panic!("no card {card}")).iccid.clone()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.cards.iter().map(|lines| lines.name.clone()).collect()
    }

    /// Uses most of a gigabyte, so that a card of the usual rule needs a renewal.
    pub(crate) fn use_up(&self, card: &str) {
        self.sandbox.use_data(&self.iccid(card), 900_000_000).expect("a card");
    }

    pub(crate) fn attempts(&self, card: &str) -> Vec<Attempt> {
        let all = self.record().map(|record| record.attempts()).unwrap_or_default();
        all.into_iter().filter(|attempt| attempt.card == card).collect()
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.record().map(|record| record.notices()).unwrap_or_default()
    }

    /// Notices about a card of a kind.
    pub(crate) fn told_of(&self, card: &str, kind: &str) -> usize {
        let about = |notice: &&Notice| notice.card.as_deref() == Some(card) && notice.kind == kind;
        self.notices().iter().filter(about).count()
    }

    /// The mails in the maildir.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        mailbox::in_folder(&self.state().join("mail/new"))
    }

    pub(crate) fn record(&self) -> Option<Record> {
        Record::open(&self.state())
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> &StoryClock {
        &self.clock
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn state(&self) -> PathBuf {
        keeper::state_of(self.folder())
    }

    pub(crate) fn log(&self) -> String {
        keeper::log(self.folder())
    }

    /// For a person who looks why a test failed.
    pub(crate) fn state_of_affairs(&self) -> String {
        let log = self.log();
        let tail: Vec<&str> = log.lines().rev().take(60).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        let story = self.record().map(|record| record.story()).unwrap_or_default();
        let orders = self.sandbox.accepted_orders();
        // The last ones tell enough of a long story.
        let (orders, story) = (&orders[orders.len().saturating_sub(40)..], &story[story.len().saturating_sub(120)..]);
        let notices = self.notices();
        let notices = &notices[notices.len().saturating_sub(40)..];
        format!(
            "now {}\norders {orders:#?}\nnotices {notices:#?}\nattempts\n{}\nlog\n{}",
            self.now(),
            story.join("\n"),
            tail.join("\n")
        )
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(operator) = self.operator.take() {
            drop(self.keeper.take());
            self.runtime.block_on(operator.stop());
        }
    }
}

/// An operator that makes up its mind soon, so that stories are short.
pub(crate) fn quick() -> Settings {
    Settings {
        listing_delay_secs: 10,
        order_takes_secs: 20,
        processing_max_secs: Some(60),
        wallet: usd(1_000),
        ..Settings::default()
    }
}

pub(crate) fn usd(dollars: i64) -> Money {
    Money::new(dollars * 10_000, Currency::USD)
}

/// A card with 100 MB left, for long.
pub(crate) fn low(card: NewCard, now: UnixTime) -> NewCard {
    NewCard { data_used: 900_000_000, ..full(card, now) }
}

/// A card with a whole gigabyte, and 20 hours to go.
pub(crate) fn ending(card: NewCard, now: UnixTime) -> NewCard {
    NewCard { plan: Some("data-1gb-7d".into()), plan_ends: Some(now.plus(Secs::hours(20))), ..card }
}

/// A card with a whole gigabyte, for long.
pub(crate) fn full(card: NewCard, now: UnixTime) -> NewCard {
    NewCard { plan: Some("data-1gb-7d".into()), plan_ends: Some(now.plus(Secs::days(60))), ..card }
}
