//! The whole daemon with a card in a modem: it reads, finds the credit low, and dials one voucher.

use std::fs::File;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::parts::{Running, World, iccid};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

#[test]
fn a_low_credit_is_topped_up_by_one_voucher() {
    let world = World::new(&json!([{
        "iccid": iccid(1),
        "time": "now",
        "answers": {
            "*100#": { "text": "Balance: 5.20 EUR" },
            "*104*1111222233334444#": { "text": "credited with 10.00 EUR" },
        },
    }]));
    world.with_vouchers("1111222233334444\n5555666677778888\n");
    let folder = world.folder.path();
    let machine = format!(
        "currency = \"EUR\"\n[operator.modem]\nkind = \"ussd\"\nbus = \"{}\"\nread = \"*100#\"\ncurrency = \"EUR\"\n\
         balance = ['Balance: (?P<credit>[0-9.]+) EUR']\n[operator.modem.top_up]\ncode = \"*104*{{voucher}}#\"\n\
         success = [\"credited with\"]\nvouchers = [{{ worth = \"10 EUR\", list = {{ file = \"{}/vouchers\" }} }}]\n",
        world.address,
        folder.display()
    );
    let rules = format!(
        "[card.router]\noperator = \"modem\"\niccid = \"{}\"\nrule = \"keep\"\n[rule.keep]\nmode = \"auto\"\n\
         renew_when = {{ credit_below = \"10 EUR\" }}\nbuy = [\"voucher-10-EUR\"]\n",
        iccid(1)
    );
    std::fs::write(folder.join("simkeeper.toml"), machine).unwrap();
    std::fs::write(folder.join("rules.toml"), rules).unwrap();
    let log = File::create(folder.join("log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_simkeeper"));
    command.arg("run").arg("--config").arg(folder).arg("--state").arg(folder.join("state"));
    command.env_clear().stdout(log.try_clone().unwrap()).stderr(log);
    let _daemon = Running::start(&mut command);
    let dialled = wait_for("the voucher", || {
        let calls = world.calls();
        calls.iter().any(|call| call.contains("*104*")).then_some(calls)
    });
    assert_eq!(dialled, ["0 Initiate *100#", "0 Initiate *100#", "0 Initiate *104*1111222233334444#"]);
    let book = std::fs::read_to_string(folder.join("state/vouchers-sent")).unwrap();
    assert!(book.starts_with("sent ") && book.contains("…4444"), "{book}");
    let log = wait_for("the answer", || {
        let log = std::fs::read_to_string(folder.join("log")).unwrap();
        // The whole line: it may be read while it is written.
        let is_whole = log.split_once("the order was answered").is_some_and(|(_, rest)| rest.contains('\n'));
        is_whole.then_some(log)
    });
    assert!(log.contains("accepted") && !log.contains("1111222233334444"), "{log}");
}
