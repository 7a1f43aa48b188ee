//! The built-in operator: believable, over real HTTP, and able to misbehave.
//!
//! It sells plans for made-up cards whose data runs down as its clock goes on, takes orders from a wallet that holds
//! nothing real, and can be told, per card and call, to lose answers, to take orders that it says it refused, or to
//! talk nonsense. `docs/sandbox.md` has the protocol. [`Sandbox`] is the handle inside a program; [`serve`] puts it on
//! a socket; [`run`] does both for a command line.

mod admin;
mod answers;
mod card;
mod counter;
mod deliver;
mod drip;
mod fault;
mod guest;
mod habit;
mod orders;
mod package;
mod plans;
mod routes;
mod settings;
mod wire;
mod world;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use card::{CardChange, Life, NewCard};
pub use fault::{Call, Fault, FaultKind};
pub use guest::{DailyUse, Guest};
pub use orders::AcceptedOrder;
pub use plans::CardKind;
pub use settings::{Class, Clock, DEFAULT_KEY, FLEET_MAX, PAYMENT_METHODS, READ_BATCH_MAX, Settings};

use crate::domain::identity::Iccid;
use crate::domain::money::Money;
use crate::domain::plan::Plan;
use crate::domain::time::UnixTime;
use card::SimCard;
use wire::{WireHandle, WireListener};
use world::World;

/// Cards that are kept in memory; cards of a fleet count from when something happens to them.
const CARDS_KEPT_MAX: usize = 1_000_000;

/// What a sandbox cannot do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SandboxError {
    /// There is no such card.
    #[error("the sandbox has no card {0}")]
    NoCard(String),
    /// There is no such plan.
    #[error("the sandbox sells no plan {0} for this card")]
    NoPlan(String),
    /// Something else is wrong with what was asked.
    #[error("{0}")]
    Wrong(String),
}

/// A sandbox, to be looked at and meddled with from inside the program. Copies are the same sandbox.
#[derive(Clone)]
pub struct Sandbox {
    world: Arc<Mutex<World>>,
    clock: Clock,
    key: SecretString,
}

impl Sandbox {
    /// A new operator that opens at the clock's present time.
    #[must_use]
    pub fn new(settings: Settings, clock: Clock) -> Self {
        let key = settings.key.clone();
        let world = Arc::new(Mutex::new(World::new(settings, clock())));
        Self { world, clock, key }
    }

    /// The operator's time.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        (self.clock)()
    }

    /// The number of card `index` of the fleet, from 0.
    #[must_use]
    pub fn fleet_iccid(index: u32) -> String {
        card::fleet_iccid(index)
    }

    /// Adds a card, or puts a new one in its place.
    ///
    /// # Errors
    /// The ICCID is none, the plan is not sold, or there are too many cards.
    pub fn add_card(&self, new: NewCard) -> Result<(), SandboxError> {
        Iccid::parse(&new.iccid).map_err(SandboxError::Wrong)?;
        let (mut world, now) = self.world();
        if world.cards.len() >= CARDS_KEPT_MAX {
            return Err(SandboxError::Wrong(format!("a sandbox holds {CARDS_KEPT_MAX} cards")));
        }
        let plan = match &new.plan {
            Some(id) => Some(world.shelf.plan(id).cloned().ok_or_else(|| SandboxError::NoPlan(id.clone()))?),
            None => None,
        };
        let card = SimCard::added(new, plan.as_ref(), world.settings.seed, now);
        world.cards.insert(card.iccid.clone(), card);
        Ok(())
    }

    /// Takes in a card of another operator, as it was last read.
    ///
    /// # Errors
    /// The ICCID is none, or there are too many cards.
    pub fn take_in(&self, guest: &Guest) -> Result<(), SandboxError> {
        Iccid::parse(&guest.iccid).map_err(SandboxError::Wrong)?;
        let (mut world, now) = self.world();
        if world.cards.len() >= CARDS_KEPT_MAX {
            return Err(SandboxError::Wrong(format!("a sandbox holds {CARDS_KEPT_MAX} cards")));
        }
        world.cards.insert(guest.iccid.clone(), SimCard::guest(guest, now));
        Ok(())
    }

    /// Changes a card.
    ///
    /// # Errors
    /// There is no such card.
    pub fn change_card(&self, iccid: &str, change: &CardChange) -> Result<(), SandboxError> {
        let (mut world, now) = self.world();
        let card = world.card(iccid, now).ok_or_else(|| SandboxError::NoCard(iccid.to_owned()))?;
        card.change(change, now);
        Ok(())
    }

    /// Uses data of a card at once, as far as it has any.
    ///
    /// # Errors
    /// There is no such card.
    pub fn use_data(&self, iccid: &str, bytes: u64) -> Result<(), SandboxError> {
        self.change_card(iccid, &CardChange { use_data: Some(bytes), ..CardChange::default() })
    }

    /// Buys as a person would, past the interface.
    ///
    /// # Errors
    /// There is no such card, or the plan is not sold for it.
    pub fn buy_by_hand(&self, iccid: &str, plan: &str) -> Result<String, SandboxError> {
        let (mut world, now) = self.world();
        if world.card(iccid, now).is_none() {
            return Err(SandboxError::NoCard(iccid.to_owned()));
        }
        world.buy_by_hand(iccid, plan, now).ok_or_else(|| SandboxError::NoPlan(plan.to_owned()))
    }

    /// Lets something go wrong.
    ///
    /// # Errors
    /// Its status makes no sense, or too many faults wait already.
    pub fn fault(&self, fault: Fault) -> Result<(), SandboxError> {
        fault.kind.checked().map_err(SandboxError::Wrong)?;
        let (mut world, now) = self.world();
        if let (FaultKind::StaleReading, Some(iccid)) = (&fault.kind, &fault.card) {
            world.freeze(iccid, now);
        }
        match world.faults.add(fault) {
            true => Ok(()),
            false => Err(SandboxError::Wrong("too many faults wait already, or this one happens 0 times".into())),
        }
    }

    /// Forgets all faults that have not happened.
    pub fn clear_faults(&self) {
        self.world().0.faults.clear();
    }

    /// Changes a price.
    ///
    /// # Errors
    /// There is no such plan, or the currency is not the sandbox's.
    pub fn set_price(&self, plan: &str, price: Money) -> Result<(), SandboxError> {
        let mut world = self.world().0;
        same_currency(&world, price)?;
        if world.shelf.set_price(plan, price) { Ok(()) } else { Err(SandboxError::NoPlan(plan.to_owned())) }
    }

    /// Puts a plan on sale, or another one in its place.
    ///
    /// # Errors
    /// The currency is not the sandbox's.
    pub fn put_plan(&self, plan: Plan, kinds: Vec<CardKind>) -> Result<(), SandboxError> {
        let mut world = self.world().0;
        same_currency(&world, plan.price)?;
        world.shelf.put(plan, kinds);
        Ok(())
    }

    /// Takes a plan off sale.
    ///
    /// # Errors
    /// There is no such plan.
    pub fn remove_plan(&self, plan: &str) -> Result<(), SandboxError> {
        if self.world().0.shelf.remove(plan) { Ok(()) } else { Err(SandboxError::NoPlan(plan.to_owned())) }
    }

    /// Sets what the wallet holds.
    ///
    /// # Errors
    /// The currency is not the sandbox's.
    pub fn set_wallet(&self, balance: Money) -> Result<(), SandboxError> {
        let mut world = self.world().0;
        same_currency(&world, balance)?;
        world.wallet = balance.ten_thousandths();
        Ok(())
    }

    /// What the wallet holds.
    #[must_use]
    pub fn wallet(&self) -> Money {
        let world = self.world().0;
        Money::new(world.wallet, world.settings.currency())
    }

    /// Lets a way to pay decline, or work again.
    ///
    /// # Errors
    /// There is no such way to pay.
    pub fn set_declining(&self, method: &str, declines: bool) -> Result<(), SandboxError> {
        if !PAYMENT_METHODS.contains(&method) {
            return Err(SandboxError::Wrong(format!("`{method}` is not one of {}", PAYMENT_METHODS.join(", "))));
        }
        let mut world = self.world().0;
        if declines {
            world.declining.insert(method.to_owned())
        } else {
            world.declining.remove(method)
        };
        Ok(())
    }

    /// Sets what a discount code takes off, or makes it invalid.
    pub fn set_code(&self, code: &str, percent_off: Option<u32>) {
        self.world().0.shelf.set_code(code, percent_off);
    }

    /// Every order that was taken and is still remembered, oldest first: what a test counts.
    #[must_use]
    pub fn accepted_orders(&self) -> Vec<AcceptedOrder> {
        let (world, now) = self.world();
        world.book.all().map(|order| order.accepted(now)).collect()
    }

    /// How many orders were ever taken.
    #[must_use]
    pub fn orders_taken(&self) -> u64 {
        self.world().0.book.taken()
    }

    /// How often each call was made.
    #[must_use]
    pub fn requests(&self) -> BTreeMap<Call, u64> {
        self.world().0.requests.clone()
    }

    /// Begins again: no added cards, no orders, no faults, the first prices, a full wallet.
    pub fn reset(&self) {
        let (mut world, now) = self.world();
        *world = World::new(world.settings.clone(), now);
    }

    const fn key(&self) -> &SecretString {
        &self.key
    }

    /// The state, with everything done that was due by now. A thread that panicked while it held the state changes
    /// nothing for others: each change is complete in itself.
    fn world(&self) -> (MutexGuard<'_, World>, UnixTime) {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        world.settle(now);
        (world, now)
    }
}

fn same_currency(world: &World, amount: Money) -> Result<(), SandboxError> {
    let currency = world.settings.currency();
    if amount.currency() == currency {
        return Ok(());
    }
    Err(SandboxError::Wrong(format!("`{amount}` is not in the sandbox's currency, which is {currency}")))
}

/// A sandbox on a socket. Dropping it leaves the socket open; see [`stop`](Self::stop).
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The handle.
    pub sandbox: Sandbox,
    stop: CancellationToken,
    served: JoinHandle<io::Result<()>>,
}

impl Running {
    /// The base address, such as `http://127.0.0.1:7460`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Cuts all connections and closes the socket. The state stays, and [`serve_sandbox`] can take it up again.
    pub async fn stop(self) -> Sandbox {
        self.stop.cancel();
        self.served.abort();
        // It ends as cancelled, which is what was asked for.
        drop(self.served.await);
        self.sandbox
    }
}

/// Opens a new sandbox on `listener`.
///
/// # Errors
/// The listener has no address.
pub async fn serve(listener: TcpListener, settings: Settings, clock: Clock) -> io::Result<Running> {
    serve_sandbox(listener, Sandbox::new(settings, clock)).await
}

/// Opens `sandbox` on `listener`, with the state that it has.
///
/// # Errors
/// The listener has no address.
pub async fn serve_sandbox(listener: TcpListener, sandbox: Sandbox) -> io::Result<Running> {
    let addr = listener.local_addr()?;
    let stop = CancellationToken::new();
    let listener = WireListener { tcp: listener, stop: stop.clone() };
    let service = routes::router(sandbox.clone()).into_make_service_with_connect_info::<WireHandle>();
    let served = tokio::spawn(async move { axum::serve(listener, service).await });
    Ok(Running { addr, sandbox, stop, served })
}

/// What the command line lets a person choose.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How the operator behaves.
    pub settings: Settings,
    /// Cards to begin with, beside the fleet.
    pub cards: Vec<NewCard>,
}

impl Default for Options {
    /// Ten cards, so that there is something to try at once.
    fn default() -> Self {
        let settings = Settings { fleet: 10, ..Settings::default() };
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 7460)), settings, cards: Vec::new() }
    }
}

/// Opens a sandbox, writes its address to `out`, and serves until `until` ends.
///
/// # Errors
/// The address cannot be listened on or lies outside this machine, a card is wrong, or `out` cannot be written.
pub async fn run(
    options: Options,
    clock: Clock,
    out: &mut (dyn io::Write + Send),
    until: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    anyhow::ensure!(
        options.listen.ip().is_loopback(),
        "the sandbox listens on this machine only, since anyone who reaches it may change it; write 127.0.0.1:{}",
        options.listen.port()
    );
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| anyhow::anyhow!("the sandbox cannot listen on {}: {error}", options.listen))?;
    let running = serve(listener, options.settings, clock).await?;
    for card in options.cards {
        running.sandbox.add_card(card)?;
    }
    writeln!(out, "listening on {}", running.base_url())?;
    out.flush()?;
    until.await;
    running.stop().await;
    Ok(())
}
