//! A door in front of the operator that closes at the right moment: everything before the order passes, and for the order
//! no connection comes about. Nothing can have left then (T8).

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use simkeeper::domain::time::Secs;

use crate::world::files::AUTO;
use crate::world::{CLASSES, World, ending};
use crate::{made, posts};

/// Passes connections on to the operator until somebody asks a price for the last time before an order.
struct Door {
    address: SocketAddr,
    open: Arc<AtomicBool>,
}

impl Door {
    fn before(operator: &str) -> Self {
        let operator: SocketAddr = operator.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, open) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(true)));
        let door = Self { address, open: Arc::clone(&open) };
        thread::spawn(move || listen(listener, operator, &open));
        door
    }

    /// Opens it again, and for good.
    fn open(&self, operator: &str) {
        let operator: SocketAddr = operator.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        let listener = TcpListener::bind(self.address).unwrap();
        thread::spawn(move || {
            for visitor in listener.incoming().flatten() {
                thread::spawn(move || pass(visitor, operator, None));
            }
        });
    }

    fn is_shut(&self) -> bool {
        !self.open.load(Ordering::SeqCst)
    }
}

/// Once the door is shut the listener is dropped with the thread: who comes later is refused by the kernel.
fn listen(listener: TcpListener, operator: SocketAddr, open: &Arc<AtomicBool>) {
    listener.set_nonblocking(true).unwrap();
    while open.load(Ordering::SeqCst) {
        match listener.accept() {
            Ok((visitor, _)) => {
                visitor.set_nonblocking(false).unwrap();
                let open = Arc::clone(open);
                thread::spawn(move || pass(visitor, operator, Some(&open)));
            }
            Err(_) => thread::park_timeout(std::time::Duration::from_millis(1)),
        }
    }
}

/// Passes bytes both ways. With a door to shut, the price that precedes an order shuts it before its answer is passed on.
fn pass(visitor: TcpStream, operator: SocketAddr, door: Option<&AtomicBool>) {
    let Ok(inside) = TcpStream::connect(operator) else { return };
    let (mut from, mut to) = (visitor.try_clone().unwrap(), inside.try_clone().unwrap());
    let asked = Arc::new(AtomicBool::new(false));
    let asks = Arc::clone(&asked);
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..read]);
            asks.fetch_or(text.contains("/plans/"), Ordering::SeqCst);
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _closed = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (inside, visitor);
    let mut bytes = [0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if let Some(open) = door.filter(|_| asked.load(Ordering::SeqCst)) {
            open.store(false, Ordering::SeqCst);
            // Long enough for the listener to be gone: its thread looks every millisecond.
            while TcpStream::connect(to.local_addr().unwrap()).is_ok() {
                thread::park_timeout(std::time::Duration::from_millis(1));
            }
        }
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _closed = to.shutdown(Shutdown::Both);
}

#[test]
fn an_order_for_which_no_connection_comes_about_keeps_its_key_and_is_sent_once() {
    for class in CLASSES {
        let mut world = World::of(class, 300).card("tablet", ending, AUTO).at("door");
        let operator = world.base_url().to_owned();
        let door = Door::before(&operator);
        world.machine.tables = format!("[operator.door]\nkind = \"sandbox\"\nbase_url = \"http://{}\"\n", door.address);
        let mut world = world.start();
        world.until("the order that finds the door shut", |world| made(world, "tablet", "T8"));
        assert!(door.is_shut());
        let waiting = world.until_attempt("tablet", "planned");
        assert_eq!(
            (posts(&world), world.told_of("tablet", "unknown")),
            (0, 0),
            "{class:?}: nothing left, nothing is unknown"
        );
        assert!(waiting.key.is_some(), "{class:?}");
        door.open(&operator);
        world.pass(Secs::hours(1));
        world.until_bought("tablet", 1);
        assert_eq!((posts(&world), world.orders("tablet").len()), (1, 1), "{class:?}");
        assert_eq!(world.attempts("tablet")[0].key, waiting.key, "{class:?}");
        assert_eq!(world.orders("tablet")[0].key, waiting.key.unwrap(), "{class:?}");
        // Two lines of the journal for one key are no sign of an older record: both sendings are on record.
        world.pass(Secs::minutes(30));
        world.until_read_again(2);
        assert_eq!(world.record().unwrap().quarantined(), 0, "{class:?}\n{}", world.log());
    }
}
